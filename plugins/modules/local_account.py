#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a local account of a mobile one."""

from __future__ import annotations

DOCUMENTATION = r"""
module: local_account
short_description: Make a mobile account a local one and keep its Secure Token
version_added: 0.1.0
author:
  - keyholder.macos contributors (@keyholder)
description:
  - Takes off an account's record what makes it the copy of a directory's account, and nothing else. The account keeps
    its UID, home folder, groups, password and Secure Token. The second reading proves that.
  - Apple documents no way to do that. The module does what public scripts do, one value at a time, so that macOS keeps
    the hash of the password. Try it on one Mac of each macOS version first.
  - If it went wrong, the user could not log in until an administrator gives the account a new password. So the module
    judges the Mac as if the account could not log in, and refuses if that would make the Mac less recoverable.
  - The Mac stays bound to its directory. Unbind it once none of its accounts needs the directory any more.
  - The next run continues a run that was interrupted.
extends_documentation_fragment:
  - keyholder.macos._attributes
  - keyholder.macos._attributes.change_module
  - keyholder.macos._attributes.actiongroup_all
  - keyholder.macos._own_account
  - keyholder.macos._one_run
options:
  name:
    description:
      - The short name of the account. If it is a local account already, there is nothing to do.
    type: str
    required: true
  password:
    description:
      - The user's password. If it is given, it must be the one that this Mac keeps, and open the account's key. It is
        compared with the hash, without a login, before the first write and afterwards.
      - Without it, RV(notes) says that this was not checked. The copy that the Mac keeps becomes the account's
        password, also if the directory has another one by now.
    type: str
  force:
    description:
      - Whether to go on while the user is logged in.
    type: bool
    default: false
  timeout:
    description:
      - Seconds that each of the commands may take. A command that does not answer is stopped, and the task fails with
        RV(reason=timeout).
    type: int
    default: 120
notes:
  - An account without a hash on this Mac is refused with RV(reason=password_elsewhere), because nobody could log in as
    it afterwards. Its user has to log in once while the directory answers.
  - An account without a Secure Token is refused with RV(reason=user_no_token) while FileVault is on, because such
    accounts were seen locked out. Grant it one with M(keyholder.macos.secure_token) first.
  - A user whose primary group is the directory's is put into the group C(staff) as well, and keeps the primary group.
seealso:
  - module: keyholder.macos.mobile_account
"""

EXAMPLES = r"""
- name: Make Ada's mobile account a local one
  keyholder.macos.local_account:
    name: ada
    password: "{{ vault_ada_directory_password }}"
  become: true
"""

RETURN = r"""
state:
  description:
    - The account C(before) and C(after). In check mode, C(after) is the prediction.
    - C(of_the_directory) counts what its record has of a directory. Null if that could not be read.
    - C(nodes) are the directories that the Mac is bound to.
  returned: always
  type: dict
  sample:
    before:
      name: ada
      exists: true
      kind: mobile
      uid: 1386473812
      gid: 20
      home: /Users/ada
      admin: false
      secure_token: holder
      sources: {authority: true, crypto_user: true, filevault_list: true}
      of_the_directory: 5
      leaving_pending: false
      nodes: [/Active Directory/CORP/corp.example.com]
    after:
      name: ada
      exists: true
      kind: local
      uid: 1386473812
      gid: 20
      home: /Users/ada
      admin: false
      secure_token: holder
      sources: {authority: true, crypto_user: true, filevault_list: true}
      of_the_directory: 0
      leaving_pending: false
      nodes: [/Active Directory/CORP/corp.example.com]
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
  sample: password_elsewhere
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
from ansible_collections.keyholder.macos.plugins.module_utils._plan.local import LocalAccountRequest

SPEC: dict[str, t.Any] = {
    **_module_change.OWN_ACCOUNT,
    "name": {"type": "str", "required": True},
    "password": {"type": "str", "no_log": True},
    "force": {"type": "bool", "default": False},
    "timeout": {"type": "int", "default": 120},
    **_module_change.RUNNER,
}


def request(params: t.Mapping[str, t.Any]) -> LocalAccountRequest:
    """Return what the module's options ask for."""
    return _module_change.request_of(params, LocalAccountRequest)


def main() -> None:
    _module_change.change(AnsibleModule(argument_spec=SPEC, supports_check_mode=True), request)


if __name__ == "__main__":
    main()
