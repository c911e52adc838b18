#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a holder harmless that must stay, and undo that."""

from __future__ import annotations

DOCUMENTATION = r"""
module: parked_holder
short_description: Make an account harmless that must stay a holder, and undo that
version_added: 0.1.0
author:
  - keyholder.macos contributors (@keyholder)
description:
  - Some accounts cannot go, as the first holder of a virtual machine or of an image that was cloned. macOS neither
    deletes it nor takes its Secure Token.
  - Parked, such an account is disabled, hidden, without a shell, and refused by C(sshd). It stays a holder, and an
    owner of the volume. The module reads the Mac again and proves that.
  - A disabled account counts as nobody. It grants no token, and is no way into the Mac. So the module refuses to park
    an account that the Mac needs. Another account that can log in for sure must hold a token, own the volume and be an
    administrator, as far as the parked one does. With FileVault, the preboot volume must know it. Whatever else would
    make the Mac less recoverable is refused as well. All of that is decided before the first write.
  - What the account was before stands in its own record, so the way back needs nothing from you. The next run continues
    a run that was interrupted.
extends_documentation_fragment:
  - keyholder.macos._attributes
  - keyholder.macos._attributes.change_module
  - keyholder.macos._attributes.actiongroup_all
  - keyholder.macos._own_account
  - keyholder.macos._one_run
options:
  name:
    description:
      - The short name of the account.
    type: str
    required: true
  state:
    description:
      - V(parked) makes the account harmless. V(active) makes it what it was before it was parked.
    type: str
    choices: [parked, active]
    default: parked
  admin:
    description:
      - Whether the account is an administrator. If it is left out, V(parked) leaves that as it is, and V(active)
        restores what it was.
      - An administrator with a token who is disabled is a finding of the audit (C(no_disabled_admin)), so park with
        V(false) what has to stay for good.
    type: bool
  deny_ssh:
    description:
      - Whether to have C(sshd) refuse the account by a file of its own in C(/etc/ssh/sshd_config.d). macOS refuses a
        disabled account's password and key by itself. The file stands for the day on which somebody enables it.
      - macOS before 12 reads no such file. There, and for a name that C(sshd)'s settings cannot hold, RV(notes) says
        that there is none.
    type: bool
    default: true
  shell:
    description:
      - The shell that an active account gets, an absolute path. If it is left out, the one from before it was parked.
        Not used with O(state=parked).
    type: str
  hidden:
    description:
      - Whether an active account is hidden. If it is left out, what it was before it was parked. Not used with
        O(state=parked).
    type: bool
  force:
    description:
      - Whether to park the account while it is logged in. Its session goes on until it logs out.
    type: bool
    default: false
  admin_user:
    description:
      - The short name of the holder who remains. If one holder or one granter remains and FileVault is on,
        O(admin_password) is tried on that holder's key before anything changes. A key that did not follow its password
        is refused with RV(reason=stale_key).
      - Without it, RV(notes) says that the key was not checked.
    type: str
  admin_password:
    description:
      - The password of O(admin_user).
    type: str
  timeout:
    description:
      - Seconds that each of the commands may take. A command that does not answer is stopped, and the task fails with
        RV(reason=timeout).
    type: int
    default: 120
notes:
  - Nobody has shown whether FileVault's unlock screen takes the password of a disabled account. So the module takes
    both for granted. The account is no way in that the Mac could rely on, and whoever knows its password may still open
    the volume at start-up. Give it a password that nobody knows first, with M(keyholder.macos.managed_password).
  - An account that has been disabled by other means stays disabled when it becomes active, if it was parked in that
    state. One that C(sshd) refused by then stays refused.
  - An account that was parked and taken into use by other means is noted anew when it is parked again.
seealso:
  - module: keyholder.macos.offboard
    description: Removes an account that need not stay.
  - module: keyholder.macos.ssh_access
"""

EXAMPLES = r"""
- name: Park the first holder of the image, who cannot be deleted
  keyholder.macos.parked_holder:
    name: setup
    admin: false
  become: true

- name: Take it into use again, as it was
  keyholder.macos.parked_holder:
    name: setup
    state: active
  become: true
"""

RETURN = r"""
state:
  description:
    - The account C(before) and C(after). In check mode, C(after) is the prediction.
    - C(parked) says whether the account's record holds what it C(was) before it was parked.
    - C(refused_by_sshd) is what C(sshd) itself says of its settings. Null if it did not say.
  returned: always
  type: dict
  sample:
    before:
      name: setup
      exists: true
      disabled: false
      hidden: false
      shell: /bin/zsh
      admin: true
      refused_by_sshd: false
      secure_token: holder
      sources: {authority: true, crypto_user: true, filevault_list: true}
      volume_owner: true
      parked: false
      was: null
    after:
      name: setup
      exists: true
      disabled: true
      hidden: true
      shell: /usr/bin/false
      admin: false
      refused_by_sshd: true
      secure_token: holder
      sources: {authority: true, crypto_user: true, filevault_list: true}
      volume_owner: true
      parked: true
      was: {hidden: false, admin: true, disabled: false, shell: /bin/zsh, refused_by_sshd: false}
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
  sample: would_worsen
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
from ansible_collections.keyholder.macos.plugins.module_utils._plan.parking import ParkRequest

SPEC: dict[str, t.Any] = {
    **_module_change.ADMIN,
    **_module_change.OWN_ACCOUNT,
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["parked", "active"], "default": "parked"},
    "admin": {"type": "bool"},
    "deny_ssh": {"type": "bool", "default": True},
    "shell": {"type": "str"},
    "hidden": {"type": "bool"},
    "force": {"type": "bool", "default": False},
}


def request(params: t.Mapping[str, t.Any]) -> ParkRequest:
    """Return what the module's options ask for."""
    return _module_change.request_of(params, ParkRequest)


def main() -> None:
    _module_change.change(AnsibleModule(argument_spec=SPEC, supports_check_mode=True), request)


if __name__ == "__main__":
    main()
