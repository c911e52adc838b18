#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Grant or revoke a Secure Token."""

from __future__ import annotations

DOCUMENTATION = r"""
module: secure_token
short_description: Grant an account a Secure Token, or revoke it
version_added: 0.1.0
author:
  - keyholder.macos contributors (@keyholder)
description:
  - Makes sure that an account holds a Secure Token, or holds none, authorised by an administrator who has one (the
    granter).
  - Before the first write, the module checks that the accounts exist, that the granter is an administrator and a
    holder, and that both passwords are right and fit macOS's prompts. macOS itself would find that out too late.
  - The module proves the result by reading the three sources of truth again. What C(sysadminctl) prints is only
    evidence, because it exits 0 and prints "Done!" even if it did nothing.
  - If nothing has to change, no password is used or needed.
extends_documentation_fragment:
  - keyholder.macos._attributes
  - keyholder.macos._attributes.change_module
  - keyholder.macos._attributes.actiongroup_all
  - keyholder.macos._own_account
  - keyholder.macos._one_run
  - keyholder.macos._granter
options:
  user:
    description:
      - The short name of the account.
    type: str
    required: true
  password:
    description:
      - The account's own password. macOS needs it to wrap or unwrap the account's key.
      - Needed only if the token has to be granted or revoked.
    type: str
  state:
    description:
      - V(present) grants a token, V(absent) revokes it.
      - The last administrator with a token always keeps it.
    type: str
    choices: [present, absent]
    default: present
notes:
  - Passwords are compared with the account's own hash, which root can read. That is no login, so it cannot lock an
    account, and it hands out no first token. Only if the hash cannot be read, the password is tried once by
    C(dscl -authonly), which counts as a login.
seealso:
  - module: keyholder.macos.trust_info
  - module: keyholder.macos.account
"""

EXAMPLES = r"""
- name: Grant Ana a Secure Token through the IT administrator
  keyholder.macos.secure_token:
    user: ana
    password: "{{ vault_ana_password }}"
    admin_user: itadmin
    admin_password: "{{ vault_itadmin_password }}"
  become: true

- name: See what would happen, without a login and without a write
  keyholder.macos.secure_token:
    user: ana
    password: "{{ vault_ana_password }}"
    admin_user: itadmin
    admin_password: "{{ vault_itadmin_password }}"
  become: true
  check_mode: true
  diff: true

- name: Make the first holder of a Mac that has none
  keyholder.macos.secure_token:
    user: itadmin
    password: "{{ vault_itadmin_password }}"
    first_token: true
  become: true
"""

RETURN = r"""
state:
  description:
    - The account's token C(before) and C(after). In check mode, C(after) is the prediction.
    - C(secure_token) is the verdict, V(pending) for an account that gets its token at its first graphical login.
      C(sources) is what each source says. See M(keyholder.macos.trust_info).
  returned: always
  type: dict
  sample:
    before: {user: ana, exists: true, secure_token: none, volume_owner: false, preboot_pending: false}
    after: {user: ana, exists: true, secure_token: holder, volume_owner: true, preboot_pending: false}
plan:
  description: The steps, in words and without secrets. Empty when nothing has to change.
  returned: always
  type: list
  elements: str
  sample:
    - check the password of itadmin
    - check the password of ana
    - note on the Mac that its preboot volume must be updated
    - grant ana a Secure Token, authorised by itadmin
    - read the Mac again and compare what its sources say of ana
    - update the preboot volume, so that the FileVault window shows the right users
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
  sample: granter_no_token
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
from ansible_collections.keyholder.macos.plugins.module_utils._plan.token import TokenRequest

SPEC: dict[str, t.Any] = dict(
    _module_change.GRANTER,
    **_module_change.OWN_ACCOUNT,
    user={"type": "str", "required": True},
    password={"type": "str", "no_log": True},
    state={"type": "str", "choices": ["present", "absent"], "default": "present"},
)


def request(params: t.Mapping[str, t.Any]) -> TokenRequest:
    """Return what the module's options ask for."""
    return _module_change.request_of(params, TokenRequest)


def main() -> None:
    _module_change.change(AnsibleModule(argument_spec=SPEC, supports_check_mode=True), request)


if __name__ == "__main__":
    main()
