#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Enable, defer or disable FileVault."""

from __future__ import annotations

DOCUMENTATION = r"""
module: filevault
short_description: Enable FileVault now or at the next login, or disable it
version_added: 0.1.0
author:
  - keyholder.macos contributors (@keyholder)
description:
  - Enables FileVault, has macOS enable it at a user's next login, or disables it.
  - FileVault is never enabled without a holder of a Secure Token who can unlock the volume, and never disabled
    because an option is missing.
  - Passwords and keys travel to and from C(fdesetup) as property lists on its standard input and output, never
    through a file.
  - macOS validates a new recovery key before the module delivers it. From macOS 26 on, macOS may keep an earlier key
    and return none, which is no failure.
extends_documentation_fragment:
  - keyholder.macos._attributes
  - keyholder.macos._attributes.change_module
  - keyholder.macos._attributes.actiongroup_all
  - keyholder.macos._one_run
  - keyholder.macos._recovery_key
attributes:
  async:
    support: none
    details:
      - A part of it runs on the controller.
options:
  state:
    description:
      - V(enabled) enables FileVault now.
      - V(deferred) has macOS enable it when O(user) logs in next. An SSH login does not count.
      - V(disabled) decrypts the volume, or cancels a deferral if FileVault is off.
    type: str
    choices: [enabled, disabled, deferred]
    required: true
  user:
    description:
      - The short name of a holder of a Secure Token, who authenticates. With O(state=deferred), the short name of the
        user at whose next login macOS enables FileVault.
    type: str
  password:
    description:
      - The password of O(user). Not used with O(state=deferred), because macOS asks the user.
    type: str
  additional_users:
    description:
      - Further holders that may unlock the volume. On APFS every holder may. To name a holder here also proves the
        password.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The short name.
        type: str
        required: true
      password:
        description: The password.
        type: str
        required: true
  defer_path:
    description:
      - Where macOS writes the recovery key when a deferral fires, in a property list that only root can read.
      - Every folder on the way to it must belong to root, and no other account may write there. None may be a link,
        except macOS's own C(/var), C(/etc) and C(/tmp), and none may be on another volume. Anything else is refused
        with RV(reason=path_unsafe).
      - This module never deletes the file. Collect the key with M(keyholder.macos.filevault_recovery_key) or your own
        task, then delete the file.
    type: str
    default: /var/db/keyholder-filevault.plist
  force_at_login:
    description:
      - How often the user may postpone it. V(0) lets the user postpone it never, V(-1) does not ask at login.
    type: int
  ask_at_logout:
    description:
      - Whether a deferral asks at logout as well.
    type: bool
    default: true
  show_key:
    description:
      - Whether a deferral shows the user the new recovery key, on macOS 27 and newer. Older ones show it in any case.
        A configuration profile that sets C(ShowRecoveryKey) to false outweighs this option.
    type: bool
    default: false
  timeout:
    description:
      - Seconds that each of the commands may take. Without Full Disk Access macOS puts a dialog on the screen and
        C(fdesetup) waits for it (10.15 and newer); the task then fails with RV(reason=timeout).
    type: int
    default: 120
seealso:
  - module: keyholder.macos.filevault_user
  - module: keyholder.macos.filevault_recovery_key
  - module: keyholder.macos.trust_info
"""

EXAMPLES = r"""
- name: Enable FileVault, and have the recovery key encrypted to the help desk
  keyholder.macos.filevault:
    state: enabled
    user: itadmin
    password: "{{ vault_itadmin_password }}"
    recovery_key: encrypt
    recipients:
      - "{{ lookup('ansible.builtin.file', 'helpdesk.pem') }}"
  become: true
  register: filevault

- name: Have FileVault enabled when Ana logs in
  keyholder.macos.filevault:
    state: deferred
    user: ana
    force_at_login: 0
  become: true
"""

RETURN = r"""
state:
  description:
    - FileVault C(before) and C(after). Whether it is C(enabled) (also while the volume is still being encrypted),
      the C(deferred_user), whether there is a C(personal_recovery_key), and the C(users) who may unlock.
    - C(recovery_key_pending) says whether an interrupted run has left a key that may be lost.
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
recovery_key:
  description: The new recovery key in clear, only with O(recovery_key=return). Empty if macOS gave none.
  returned: when O(recovery_key=return)
  type: str
recovery_key_encrypted:
  description: The new recovery key as a CMS message in PEM to O(recipients). Empty if macOS gave none.
  returned: when O(recovery_key=encrypt)
  type: str
recovery_key_age:
  description: The new recovery key as an armoured age file to the age recipients among O(recipients). Empty when
    macOS gave none.
  returned: when O(recipients) names an age recipient
  type: str
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
from ansible_collections.keyholder.macos.plugins.module_utils._plan.filevault import FileVaultRequest

SPEC: dict[str, t.Any] = dict(
    _module_change.RECOVERY_KEY,
    state={"type": "str", "choices": ["enabled", "disabled", "deferred"], "required": True},
    user={"type": "str"},
    password={"type": "str", "no_log": True},
    additional_users={
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "password": {"type": "str", "required": True, "no_log": True},
        },
    },
    defer_path={"type": "str", "default": "/var/db/keyholder-filevault.plist"},
    force_at_login={"type": "int"},
    ask_at_logout={"type": "bool", "default": True},
    show_key={"type": "bool", "default": False, "no_log": False},
    timeout={"type": "int", "default": 120},
    **_module_change.RUNNER,
)


def request(params: t.Mapping[str, t.Any]) -> FileVaultRequest:
    """Return what the module's options ask for."""
    return _module_change.request_of(params, FileVaultRequest)


def main() -> None:
    _module_change.change(AnsibleModule(argument_spec=SPEC, supports_check_mode=True), request)


if __name__ == "__main__":
    main()
