#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remove the account of a user who has left, in the safe order."""

from __future__ import annotations

DOCUMENTATION = r"""
module: offboard
short_description: Remove an account, its Secure Token and its FileVault entry in the safe order
version_added: 0.1.0
author:
  - keyholder.macos contributors (@keyholder)
description:
  - Removes the account of a user who has left. First its home folder is kept, archived or deleted. Then it loses its
    right to unlock FileVault. Last, the account is deleted with its Secure Token.
  - The module refuses to remove the last administrator with a token, the last account that can unlock FileVault, and an
    account that is in use. It decides all of that before the first write.
  - Afterwards it reads the Mac again. No source of truth may still name the account, and no crypto user of it may be
    left. The result says who remains.
  - A file by which M(keyholder.macos.ssh_access) has C(sshd) refuse the account is removed, because it would refuse a
    new account of that name as well.
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
      - The short name of the account. If there is no such account, there is nothing to do.
    type: str
    required: true
  home:
    description:
      - What happens to the home folder. V(keep) leaves it where it is, V(archive) puts it into O(archive) and deletes
        it, V(delete) deletes it, V(secure) has macOS erase it.
      - Everything but V(keep) is refused with RV(reason=home_unsafe) if the account's record names a folder that is not
        its own. That is another account's home folder, a folder that holds it or lies in it, C(/), C(/Users),
        C(/Users/Shared), a folder of macOS, a path that is not plain, or a path over a link.
    type: str
    choices: [keep, archive, delete, secure]
    default: keep
  archive:
    description:
      - The absolute path on the Mac for the compressed archive, which only root can read. The folder must exist.
      - The archive is read to its end before the account is deleted. An existing file is not overwritten.
      - If it is left out, the account's name with C(.tar.gz) in C(/var/root).
      - Every folder on the way to it must belong to root, and no other account may write there. None may be a link,
        except macOS's own C(/var), C(/etc) and C(/tmp). None may be on another volume, because macOS can ignore file
        owners there. Anything else is refused with RV(reason=path_unsafe).
      - If a run was interrupted after it had archived, the next run puts a second archive beside the first one, with
        C(-again) in its name. The account was still there, and may have been used since.
    type: str
  force:
    description:
      - Whether to remove the account while its user is logged in. macOS then ends all of the account's programs.
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
      - Seconds that each of the commands may take. A large home takes long to archive.
    type: int
    default: 3600
notes:
  - Without Full Disk Access for remote users, macOS does not let root read all of a home folder, so the archive fails
    and nothing is removed.
  - The module asks C(who) for the users who are logged in at the screen or a terminal. That does not show an SSH
    session without a terminal.
seealso:
  - module: keyholder.macos.account
"""

EXAMPLES = r"""
- name: Remove Ana, who has left, and keep her files for her successor
  keyholder.macos.offboard:
    name: ana
    home: archive
  become: true
"""

RETURN = r"""
state:
  description:
    - The account C(before) and C(after), and in C(remain) the accounts that remain without it. In check mode, C(after)
      is the prediction.
  returned: always
  type: dict
  sample:
    before:
      name: ana
      exists: true
      admin: false
      home: /Users/ana
      secure_token: holder
      can_unlock: true
      remain: {holders: [itadmin], admin_holders: [itadmin], can_unlock: [itadmin], orphaned_crypto_users: []}
    after:
      name: ana
      exists: false
      remain: {holders: [itadmin], admin_holders: [itadmin], can_unlock: [itadmin], orphaned_crypto_users: []}
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
  sample: user_logged_in
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
from ansible_collections.keyholder.macos.plugins.module_utils._plan.offboard import OffboardRequest

SPEC: dict[str, t.Any] = {
    **_module_change.OWN_ACCOUNT,
    "name": {"type": "str", "required": True},
    "home": {"type": "str", "choices": ["keep", "archive", "delete", "secure"], "default": "keep"},
    "archive": {"type": "str"},
    "force": {"type": "bool", "default": False},
    "admin_user": {"type": "str"},
    "admin_password": {"type": "str", "no_log": True},
    "timeout": {"type": "int", "default": 3600},
    **_module_change.RUNNER,
}


def request(params: t.Mapping[str, t.Any]) -> OffboardRequest:
    """Return what the module's options ask for."""
    return _module_change.request_of(params, OffboardRequest)


def main() -> None:
    _module_change.change(AnsibleModule(argument_spec=SPEC, supports_check_mode=True), request)


if __name__ == "__main__":
    main()
