#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Change an account's password and keep its Secure Token."""

from __future__ import annotations

DOCUMENTATION = r"""
module: account_password
short_description: Change the password of an account, and keep its Secure Token and FileVault unlock
version_added: 0.1.0
author:
  - keyholder.macos contributors (@keyholder)
description:
  - Changes the password of an account from the old one to a new one, so that a Secure Token and with it the unlock of
    FileVault follow.
  - The account's hash shows, without a login, whether the account already has the new password. So an interrupted run
    can be repeated unchanged.
  - A reset of the password as root leaves a stale key, which the password does not open. If FileVault is on, macOS is
    asked before the change whether the old password opens the account's key, and afterwards whether the new one does.
    A stale key is a failure with RV(reason=stale_key).
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
  password:
    description:
      - The password that the account should have.
    type: str
    required: true
  old_password:
    description:
      - The password that the account has now. Without it, only O(admin_user) can set a holder's password.
    type: str
  admin_user:
    description:
      - The short name of an administrator who holds a Secure Token, for a holder whose old password is lost.
      - Not used if O(old_password) is given.
    type: str
  admin_password:
    description:
      - The password of O(admin_user).
    type: str
  verify_key:
    description:
      - When macOS is asked whether the password opens the account's key. It is asked only if the account holds a token
        and FileVault is on, because it does not answer otherwise.
      - This is no login and locks no account. But the Secure Enclave counts wrong attempts, so V(always) costs an
        account with a stale key one attempt at each run.
      - With V(only) nothing is ever set. The task fails with RV(reason=user_password_wrong) if O(password) is not the
        account's, and with RV(reason=stale_key) if the key is not this password's.
    type: str
    choices: [on_change, always, never, only]
    default: on_change
  timeout:
    description:
      - Seconds that each of the commands may take. A command that does not answer is stopped, and the task fails with
        RV(reason=timeout).
    type: int
    default: 120
notes:
  - The login keychain keeps its old password. macOS asks the user for it at the next graphical login.
  - With O(admin_user), macOS keeps the token, but the account's user loses the login keychain.
seealso:
  - module: keyholder.macos.account
  - module: keyholder.macos.managed_password
"""

EXAMPLES = r"""
- name: Give the deputy administrator a new password, and keep the token
  keyholder.macos.account_password:
    name: deputy
    old_password: "{{ vault_deputy_password }}"
    password: "{{ vault_deputy_new_password }}"
  become: true

- name: Prove that a password still opens the Mac
  keyholder.macos.account_password:
    name: itadmin
    password: "{{ vault_itadmin_password }}"
    verify_key: only
  become: true
"""

RETURN = r"""
state:
  description:
    - The account C(before) and C(after). In check mode, C(after) is the prediction. A password is in neither.
    - C(key_provable) is whether macOS can say if a password opens the account's key, which takes FileVault.
  returned: always
  type: dict
  sample:
    before: {name: itadmin, exists: true, secure_token: holder, password_set: true, key_provable: true, promoted: []}
    after: {name: itadmin, exists: true, secure_token: holder, password_set: true, key_provable: true, promoted: []}
plan:
  description: The steps, in words and without secrets. Empty when nothing has to change.
  returned: always
  type: list
  elements: str
  sample:
    - check the password of itadmin
    - have macOS check that the password opens the key of itadmin, which unlocks FileVault
    - set the password of itadmin from the old password
    - read the Mac again and compare what its sources say of itadmin
    - have macOS check that the password opens the key of itadmin, which unlocks FileVault
notes:
  description:
    - What the user should know beside the steps, one sentence each. Empty if there is nothing to say.
    - Each is also a warning. Act on this list, because ansible-core does not keep the warnings of a loop's results.
  returned: always
  type: list
  elements: str
password_matches:
  description:
    - Whether O(password) was the account's before this task. V(null) if only a login could have told.
  returned: always
  type: bool
  sample: false
reason:
  description: The stable code of the failure. The guide to reasons explains each code.
  returned: failure
  type: str
  sample: stale_key
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
from ansible_collections.keyholder.macos.plugins.module_utils._plan.password import PasswordRequest

SPEC: dict[str, t.Any] = dict(
    _module_change.ADMIN,
    **_module_change.OWN_ACCOUNT,
    name={"type": "str", "required": True},
    password={"type": "str", "required": True, "no_log": True},
    old_password={"type": "str", "no_log": True},
    verify_key={
        "type": "str",
        "choices": ["on_change", "always", "never", "only"],
        "default": "on_change",
        "no_log": False,
    },
)


def request(params: t.Mapping[str, t.Any]) -> PasswordRequest:
    """Return what the module's options ask for."""
    return _module_change.request_of(params, PasswordRequest)


def main() -> None:
    _module_change.change(AnsibleModule(argument_spec=SPEC, supports_check_mode=True), request)


if __name__ == "__main__":
    main()
