#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Allow an account to unlock FileVault, or forbid it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: filevault_user
short_description: Allow an account to unlock FileVault, or forbid it
version_added: 0.1.0
author:
  - keyholder.macos contributors (@keyholder)
description:
  - On APFS every holder of a Secure Token may unlock FileVault, unless it was taken off FileVault's list. This
    module puts a holder back on the list, or takes it off.
  - Accounts are compared by their GeneratedUID. The last account that can unlock stays on the list, and so does the
    last administrator who holds a token.
  - An account that is taken off the list keeps its Secure Token, as seen on macOS 10.13 and 10.14. It can then no
    longer authorise other accounts, and the sources of truth disagree about it. C(secure_token) in RV(state) says what
    was read back.
extends_documentation_fragment:
  - keyholder.macos._attributes
  - keyholder.macos._attributes.change_module
  - keyholder.macos._attributes.actiongroup_all
  - keyholder.macos._own_account
  - keyholder.macos._one_run
options:
  user:
    description:
      - The short name of the account.
    type: str
    required: true
  password:
    description:
      - The account's password. Needed only to put it on the list.
    type: str
  state:
    description:
      - V(present) puts the account on the list, V(absent) takes it off.
    type: str
    choices: [present, absent]
    default: present
  admin_user:
    description:
      - The short name of the granter, an administrator who holds a Secure Token and can unlock FileVault. Needed
        for O(state=present).
      - With O(state=absent), the short name of the holder who remains. If one holder is left and FileVault is on,
        O(admin_password) is tried on that holder's key before anything changes.
    type: str
  admin_password:
    description:
      - The granter's password.
    type: str
  timeout:
    description:
      - Seconds that each of the commands may take.
    type: int
    default: 120
seealso:
  - module: keyholder.macos.filevault
  - module: keyholder.macos.secure_token
"""

EXAMPLES = r"""
- name: Allow Ana to unlock this Mac again
  keyholder.macos.filevault_user:
    user: ana
    password: "{{ vault_ana_password }}"
    admin_user: itadmin
    admin_password: "{{ vault_itadmin_password }}"
  become: true
"""

RETURN = r"""
state:
  description: The account C(before) and C(after). Whether it C(can_unlock), and its C(secure_token) with what each
    of the C(sources) says.
  returned: always
  type: dict
plan:
  description: The steps, in words and without secrets. Empty when nothing has to change.
  returned: always
  type: list
  elements: str
notes:
  description:
    - What the user should know beside the steps, one sentence each. Empty if there is nothing to say.
    - Each is also a warning. Act on this list, because ansible-core does not keep the warnings of a loop's results.
  returned: always
  type: list
  elements: str
reason:
  description: The stable code of the failure. The guide to reasons explains each code.
  returned: failure
  type: str
evidence:
  description: What each command printed, as evidence.
  returned: failure
  type: list
  elements: str
remedy:
  description: What to do about it.
  returned: failure
  type: str
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.keyholder.macos.plugins.module_utils import _module_change
from ansible_collections.keyholder.macos.plugins.module_utils._plan.filevault import UnlockerRequest

SPEC: dict[str, t.Any] = dict(
    _module_change.ADMIN,
    **_module_change.OWN_ACCOUNT,
    user={"type": "str", "required": True},
    password={"type": "str", "no_log": True},
    state={"type": "str", "choices": ["present", "absent"], "default": "present"},
)


def request(params: t.Mapping[str, t.Any]) -> UnlockerRequest:
    """Return what the module's options ask for."""
    return _module_change.request_of(params, UnlockerRequest)


def main() -> None:
    _module_change.change(AnsibleModule(argument_spec=SPEC, supports_check_mode=True), request)


if __name__ == "__main__":
    main()
