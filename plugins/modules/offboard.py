#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remove somebody who has left, in the safe order."""

from __future__ import annotations

DOCUMENTATION = r"""
module: offboard
short_description: Remove an account, its Secure Token and its FileVault entry in the safe order
version_added: 0.1.0
author:
  - keyholder.macos contributors (@keyholder)
description:
  - Removes the account of somebody who has left. Its home folder is kept, archived or deleted. Then its right to unlock
    FileVault goes, and then the account with its Secure Token.
  - Refused for the last administrator with a token, for the last who can unlock FileVault, and while the account is in
    use. All of that is decided before the first write.
  - Afterwards the Mac is read again. No source of truth may name the account any more, no crypto user may be left of
    it, and the result says who remains.
  - A run that was cut off is continued by the next one.
extends_documentation_fragment:
  - keyholder.macos._attributes
  - keyholder.macos._attributes.change_module
  - keyholder.macos._attributes.actiongroup_all
  - keyholder.macos._own_account
  - keyholder.macos._one_run
options:
  name:
    description:
      - The short name of the account. Where there is none, there is nothing to do.
    type: str
    required: true
  home:
    description:
      - What happens to the home folder. V(keep) leaves it where it is, V(archive) puts it into O(archive) and deletes
        it, V(delete) deletes it, V(secure) has macOS erase it.
      - All but V(keep) is refused with RV(reason=home_unsafe) where the account's record names a folder that is not its
        own. That is another account's home folder, one that holds it or lies in it, C(/), C(/Users), C(/Users/Shared),
        a folder of macOS, a path that is not plainly written, and one that leads over a link.
    type: str
    choices: [keep, archive, delete, secure]
    default: keep
  archive:
    description:
      - The absolute path on the Mac for the compressed archive, which only root can read. The folder must be there.
      - It is read to its end before the account goes. A file that is there already is not overwritten.
      - When left out, the account's name with C(.tar.gz) in C(/var/root).
      - Every folder on the way to it must be root's, with nobody else allowed to write there, and none may be a link,
        but for macOS's own C(/var), C(/etc) and C(/tmp). Other volumes are left out, as macOS can ignore who owns
        what there. Anything else is refused with RV(reason=path_unsafe).
      - A second archive beside the first one, with C(-again) in its name, is what a run leaves that follows one which
        was cut off after it had archived. The account was still there, and may have been used since.
    type: str
  force:
    description:
      - Whether to remove the account while its user is logged in. macOS then ends everything that it runs.
    type: bool
    default: false
  admin_user:
    description:
      - The short name of the holder who remains. Where O(name) leaves one holder or one granter and FileVault is on,
        O(admin_password) is tried against that holder's key before anything changes. A key that did not follow its
        password is refused with RV(reason=stale_key).
      - Without it, RV(notes) says that the key was not tried.
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
  - Without Full Disk Access for remote users, macOS does not let root read all of a home, so the archive fails and
    nothing is removed.
  - Who is logged in is what C(who) shows, the screen and terminals. A session by SSH without a terminal is not in it.
seealso:
  - module: keyholder.macos.account
"""

EXAMPLES = r"""
- name: Ana has left, and her files are kept for her successor
  keyholder.macos.offboard:
    name: ana
    home: archive
  become: true
"""

RETURN = r"""
state:
  description:
    - The account C(before) and C(after), and in C(remain) who is left without it. In check mode, C(after) is the
      prediction.
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
    - What a person should know beside the steps, one sentence each. Empty where there is nothing to say.
    - Each is told as a warning, too. Act on these, as ansible-core does not keep the warnings of a loop's results.
  returned: always
  type: list
  elements: str
reason:
  description: A stable code for why the task failed. The guide on troubleshooting lists them all.
  returned: failure
  type: str
  sample: user_logged_in
evidence:
  description: Which command said what.
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
    "lock_timeout": {"type": "int"},
}


def main() -> None:
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    _module_change.change(module, _module_change.request_of(module, OffboardRequest))


if __name__ == "__main__":
    main()
