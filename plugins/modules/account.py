#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Create, change and delete a local account together with its Secure Token."""

from __future__ import annotations

DOCUMENTATION = r"""
module: account
short_description: Create, change or delete a local account together with its Secure Token
version_added: 0.1.0
author:
  - keyholder.macos contributors (@keyholder)
description:
  - Creates, changes or deletes a local account of a Mac, and its Secure Token with it, in one task.
  - An option that is left out changes nothing. No token is revoked and no password is changed because an option is
    missing.
  - The granter is checked before anything is created, so a wrong granter creates nothing.
  - The next run continues a run that was interrupted.
extends_documentation_fragment:
  - keyholder.macos._attributes
  - keyholder.macos._attributes.change_module
  - keyholder.macos._attributes.actiongroup_all
  - keyholder.macos._own_account
  - keyholder.macos._one_run
  - keyholder.macos._granter
options:
  name:
    description:
      - The short name of the account.
    type: str
    required: true
  state:
    description:
      - V(present) creates or changes the account, V(absent) deletes it.
    type: str
    choices: [present, absent]
    default: present
  full_name:
    description:
      - The full name, unique on the Mac. If it is left out, a new account gets its short name.
    type: str
  uid:
    description:
      - The UID of a new account. It is set and read back, because C(sysadminctl) does not promise it from macOS 13 on.
      - The UID of an existing account is never changed, unless its creation was interrupted.
    type: int
  gid:
    description:
      - The primary group.
    type: int
  shell:
    description:
      - The login shell.
    type: path
  home:
    description:
      - The home folder. An existing account's home folder is not moved.
    type: str
  hint:
    description:
      - The password hint. The login window shows it to everyone.
    type: str
  picture:
    description:
      - The path of the account's picture on the Mac.
    type: path
  admin:
    description:
      - Whether the account is an administrator. The last administrator with a token stays one.
    type: bool
  hidden:
    description:
      - Whether the login window hides the account.
    type: bool
  password:
    description:
      - The password of the account. Needed to create it, and to grant it a token.
    type: str
  old_password:
    description:
      - The password that the account has now. With it a holder's password is changed and its token kept, without a
        granter.
    type: str
  update_password:
    description:
      - V(on_create) sets O(password) only when the account is created, or if an interrupted run left it without one.
      - V(always) also sets it if the account has another one. The two are compared by the account's hash, without a
        login.
      - The password of a holder is changed so that its token survives, by O(old_password) or through the granter.
    type: str
    choices: [on_create, always]
    default: on_create
  secure_token:
    description:
      - V(present) grants a token, V(omitted) leaves the token as it is.
      - V(prevented) tags the account before its first password, so that macOS 11 and newer never make it the first
        holder. A Bootstrap Token still grants it one at a graphical login.
      - V(allowed) takes that tag off again.
    type: str
    choices: [present, prevented, allowed, omitted]
    default: omitted
  remove:
    description:
      - What happens to the home folder when the account is deleted. V(keep_home), V(delete_home), or V(secure) to
        erase it.
      - Everything but V(keep_home) is refused with RV(reason=home_unsafe) if the account's record names a folder that
        is not its own, see O(keyholder.macos.offboard#module:home).
    type: str
    choices: [keep_home, delete_home, secure]
    default: keep_home
notes:
  - An account that V(prevented) creates is made with C(dscl), because C(sysadminctl) sets a password at once. The user
    of such an account cannot change its picture or hint. It is meant for a service administrator.
seealso:
  - module: keyholder.macos.trust_info
  - module: keyholder.macos.secure_token
"""

EXAMPLES = r"""
- name: Create Ana, with a Secure Token from the IT administrator
  keyholder.macos.account:
    name: ana
    full_name: Ana Sousa
    password: "{{ vault_ana_password }}"
    secure_token: present
    admin_user: itadmin
    admin_password: "{{ vault_itadmin_password }}"
  become: true

- name: Create a hidden service administrator that must never take the first token
  keyholder.macos.account:
    name: svc
    full_name: Service
    admin: true
    hidden: true
    password: "{{ vault_svc_password }}"
    secure_token: prevented
  become: true

- name: Change a password, and keep the token
  keyholder.macos.account:
    name: ana
    password: "{{ vault_ana_new_password }}"
    update_password: always
    admin_user: itadmin
    admin_password: "{{ vault_itadmin_password }}"
  become: true

- name: Delete Ana, and keep her files
  keyholder.macos.account:
    name: ana
    state: absent
  become: true
"""

RETURN = r"""
state:
  description:
    - The account C(before) and C(after). In check mode, C(after) is the prediction, and null stands for what macOS
      assigns by itself.
  returned: always
  type: dict
  sample:
    before: {name: ana, exists: false}
    after: {name: ana, exists: true, full_name: Ana Sousa, uid: 502, admin: false, secure_token: holder}
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
  sample: uid_taken
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
from ansible_collections.keyholder.macos.plugins.module_utils._plan.account import AccountRequest

SPEC: dict[str, t.Any] = dict(
    _module_change.GRANTER,
    **_module_change.OWN_ACCOUNT,
    name={"type": "str", "required": True},
    state={"type": "str", "choices": ["present", "absent"], "default": "present"},
    full_name={"type": "str"},
    uid={"type": "int"},
    gid={"type": "int"},
    shell={"type": "path"},
    home={"type": "str"},
    hint={"type": "str"},
    picture={"type": "path"},
    admin={"type": "bool"},
    hidden={"type": "bool"},
    password={"type": "str", "no_log": True},
    old_password={"type": "str", "no_log": True},
    update_password={
        "type": "str",
        "choices": ["on_create", "always"],
        "default": "on_create",
        "no_log": False,
    },
    secure_token={
        "type": "str",
        "choices": ["present", "prevented", "allowed", "omitted"],
        "default": "omitted",
        "no_log": False,
    },
    remove={"type": "str", "choices": ["keep_home", "delete_home", "secure"], "default": "keep_home"},
)


def request(params: t.Mapping[str, t.Any]) -> AccountRequest:
    """Return what the module's options ask for."""
    return _module_change.request_of(params, AccountRequest)


def main() -> None:
    _module_change.change(AnsibleModule(argument_spec=SPEC, supports_check_mode=True), request)


if __name__ == "__main__":
    main()
