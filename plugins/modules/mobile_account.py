#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a mobile account for a directory user, and grant it a Secure Token."""

from __future__ import annotations

DOCUMENTATION = r"""
module: mobile_account
short_description: Make a mobile account for a directory user, and grant it a Secure Token
version_added: 0.1.0
author:
  - keyholder.macos contributors (@keyholder)
description:
  - A mobile account is the local copy of a directory user's account, for example from Active Directory. macOS makes it
    with C(createmobileaccount), and gives it no Secure Token. This module makes the account if it is missing, and has
    the granter grant it a token.
  - The module looks the user up and checks both passwords before it writes anything. So a wrong granter, a wrong
    password or a directory that cannot be reached makes no account.
  - A mobile account that holds a token is left alone, and no account is authenticated.
  - The next run continues a run that was interrupted.
extends_documentation_fragment:
  - keyholder.macos._attributes
  - keyholder.macos._attributes.change_module
  - keyholder.macos._attributes.actiongroup_all
  - keyholder.macos._one_run
options:
  name:
    description:
      - The short name, as the directory has it.
    type: str
    required: true
  home:
    description:
      - The home folder of a new account. If it is left out, macOS chooses it.
      - An existing account keeps its own, and the task warns if that is another one.
    type: str
  password:
    description:
      - The user's password in the directory. Needed to grant a token.
      - If the account already holds a token, the password is compared with the copy that the Mac keeps, without a
        login. If they differ, the task changes nothing. It warns that the password was changed in the directory since
        the last login on this Mac, or that it is wrong.
    type: str
  secure_token:
    description:
      - V(present) grants a token, V(omitted) leaves the token as it is.
    type: str
    choices: [present, omitted]
    default: omitted
  admin_user:
    description:
      - The short name of the granter, an administrator of the Mac who holds a Secure Token. Needed only if a token has
        to be granted.
    type: str
  admin_password:
    description:
      - The granter's password.
    type: str
  timeout:
    description:
      - Seconds that each of the commands may take. A command that does not answer is stopped, and the task fails
        with RV(reason=timeout).
    type: int
    default: 120
notes:
  - The Mac's copy of a directory password does not prove another password wrong. If the two differ and a token has to
    be granted, the password is tried once, by one login that the directory counts. The same goes for a user who has no
    account on the Mac yet. Such a login takes passwords of up to 128 bytes.
  - Check mode authenticates no account, so a wrong directory password may be found only by the run.
  - A password that was changed in the directory leaves the token as it was. FileVault's window then takes the old
    password.
  - C(createmobileaccount) could be given a password, but every account on the Mac could then read it in the list of
    processes. The module never does that. FileVault encrypts the whole volume, so the account needs no encryption.
  - Use M(keyholder.macos.account) for administrator rights, and to remove the account.
seealso:
  - module: keyholder.macos.account
  - module: keyholder.macos.secure_token
"""

EXAMPLES = r"""
- name: Give Ada a mobile account, with a Secure Token from the IT administrator
  keyholder.macos.mobile_account:
    name: ada
    password: "{{ vault_ada_directory_password }}"
    secure_token: present
    admin_user: itadmin
    admin_password: "{{ vault_itadmin_password }}"
  become: true

- name: Make only the account, so that Ada can log in while the directory is away
  keyholder.macos.mobile_account:
    name: ada
    home: /Users/ada
  become: true
"""

RETURN = r"""
state:
  description:
    - The account C(before) and C(after). In check mode, C(after) is the prediction, and null stands for what macOS
      chooses by itself.
    - C(directory) says to which C(nodes) the Mac is bound, and whether one of them is C(online).
    - C(token_dialog_suppressed) is the setting C(cachedaccounts.askForSecureTokenAuthBypass) of an MDM profile. If it
      is false, macOS asks a mobile user without a token for a granter's password at the login. Null on macOS before
      10.13.5, which has no such setting.
  returned: always
  type: dict
  sample:
    before:
      name: ada
      exists: false
      directory: {nodes: [/Active Directory/CORP/corp.example.com], online: true}
      token_dialog_suppressed: true
    after:
      name: ada
      exists: true
      kind: mobile
      full_name: Ada Lovelace
      uid: 1386473812
      home: /Users/ada
      admin: false
      secure_token: holder
      directory: {nodes: [/Active Directory/CORP/corp.example.com], online: true}
      token_dialog_suppressed: true
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
  sample: directory_offline
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
from ansible_collections.keyholder.macos.plugins.module_utils._plan.mobile import MobileAccountRequest

SPEC: dict[str, t.Any] = dict(
    _module_change.ADMIN,
    name={"type": "str", "required": True},
    home={"type": "str"},
    password={"type": "str", "no_log": True},
    secure_token={"type": "str", "choices": ["present", "omitted"], "default": "omitted", "no_log": False},
)


def request(params: t.Mapping[str, t.Any]) -> MobileAccountRequest:
    """Return what the module's options ask for."""
    return _module_change.request_of(params, MobileAccountRequest)


def main() -> None:
    _module_change.change(AnsibleModule(argument_spec=SPEC, supports_check_mode=True), request)


if __name__ == "__main__":
    main()
