#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make, rotate, collect, remove or validate FileVault's personal recovery key."""

from __future__ import annotations

DOCUMENTATION = r"""
module: filevault_recovery_key
short_description: Make, rotate, collect, remove or validate FileVault's personal recovery key
version_added: 0.1.0
author:
  - keyholder.macos contributors (@keyholder)
description:
  - Makes sure that a Mac has a personal recovery key, makes a new one, removes it, or has macOS validate one that
    you know.
  - A holder of a Secure Token authenticates, or the current key itself does (macOS 10.14 and newer).
  - macOS validates a new key before the module delivers it. No key is made that would be lost, that is without
    O(recipients), without O(recovery_key=return), and without an MDM profile that escrows it.
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
  idempotent:
    support: partial
    details:
      - O(state=rotated) makes a new key on each run.
options:
  state:
    description:
      - V(present) makes a key if there is none, V(rotated) makes a new one each time, V(absent) removes it.
      - V(validated) fails if O(current_key) does not open this Mac.
      - V(collected) takes over the key that a deferral has left in the file O(path), once macOS has validated it. If
        there is no such file, it does nothing. It authenticates no account.
    type: str
    choices: [present, rotated, absent, validated, collected]
    default: present
  user:
    description:
      - The short name of a holder of a Secure Token, who authenticates.
    type: str
  password:
    description:
      - The password of O(user).
    type: str
  current_key:
    description:
      - The recovery key that the Mac has now, to validate it, or to authenticate instead of O(user).
    type: str
  path:
    description:
      - With O(state=collected), the file in which a deferral leaves the recovery key. The same as
        O(keyholder.macos.filevault#module:defer_path), under the same rule. A path on which an account other than root
        could have put a link is refused with RV(reason=path_unsafe).
    type: str
    default: /var/db/keyholder-filevault.plist
  remove:
    description:
      - With O(state=collected), whether to delete the file O(path) as well, after macOS has validated its key again.
      - The file may be the only place where the key is. First store what a task without this option has returned, and
        check that it is stored. Then run a task with this option, as the role P(keyholder.macos.filevault#role) does.
    type: bool
    default: false
  timeout:
    description:
      - Seconds that each of the commands may take.
    type: int
    default: 120
seealso:
  - module: keyholder.macos.filevault
"""

EXAMPLES = r"""
- name: Rotate the recovery key, and have the new one encrypted to the help desk
  keyholder.macos.filevault_recovery_key:
    state: rotated
    user: itadmin
    password: "{{ vault_itadmin_password }}"
    recovery_key: encrypt
    recipients:
      - "{{ lookup('ansible.builtin.file', 'helpdesk.pem') }}"
  become: true

- name: Take over the key that a deferral has left, encrypted
  keyholder.macos.filevault_recovery_key:
    state: collected
    recovery_key: encrypt
    recipients:
      - age1qqnkvz9x7v0rmjpgzhcw4j2yu80qkhxpc5ty3mn7qd6qfnkz5s8sd4zc9t
  become: true
  register: collected

- name: Check that the key in our safe opens this Mac
  keyholder.macos.filevault_recovery_key:
    state: validated
    current_key: "{{ key_from_the_safe }}"
  become: true
"""

RETURN = r"""
state:
  description:
    - The C(personal_recovery_key) C(before) and C(after) (whether there is one), whether FileVault is enabled, whether
      an MDM profile escrows keys (C(escrow_profile), C(null) if the profiles could not be listed), and when macOS last
      escrowed a key (C(escrowed_at), in seconds since 1970; C(0) for never, C(null) if its file could not be looked
      at). With O(state=collected), whether the file is there (C(key_file)).
    - C(recovery_key_pending) says whether a run was interrupted while it made a key, so that the present key may be
      lost. O(state=rotated) makes another one, and O(state=validated) proves one that you have. Both end that state.
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
from ansible_collections.keyholder.macos.plugins.module_utils._plan.filevault import CollectRequest, KeyRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.request import Request

SPEC: dict[str, t.Any] = dict(
    _module_change.RECOVERY_KEY,
    state={
        "type": "str",
        "choices": ["present", "rotated", "absent", "validated", "collected"],
        "default": "present",
    },
    user={"type": "str"},
    password={"type": "str", "no_log": True},
    current_key={"type": "str", "no_log": True},
    path={"type": "str", "default": "/var/db/keyholder-filevault.plist"},
    remove={"type": "bool", "default": False},
    timeout={"type": "int", "default": 120},
    **_module_change.RUNNER,
)


def request(params: t.Mapping[str, t.Any]) -> Request:
    """Return what the module's options ask for."""
    kind = CollectRequest if params["state"] == "collected" else KeyRequest
    return _module_change.request_of(params, kind)


def main() -> None:
    _module_change.change(AnsibleModule(argument_spec=SPEC, supports_check_mode=True), request)


if __name__ == "__main__":
    main()
