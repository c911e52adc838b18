#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find what is broken about a Mac's tokens, and repair it if the task says so."""

from __future__ import annotations

DOCUMENTATION = r"""
module: repair
short_description: Show what is broken about a Mac's Secure Tokens, and repair it
version_added: 0.1.0
author:
  - keyholder.macos contributors (@keyholder)
description:
  - Finds accounts about whose token the sources of truth disagree, accounts that hold a token and cannot unlock
    FileVault, crypto users that belong to no account, a preboot volume that was not updated after a change, and, with
    FileVault on, holders whom the preboot volume does not know, so that they cannot unlock the Mac at its start. If the
    password is given, it also finds a key that the password does not open.
  - It shows the repair, and does it only with O(apply). It refuses a repair that could leave the Mac without an
    administrator with a token, or FileVault without a way in.
  - If an account is listed as a holder but has no key, its mark is removed and the token granted through
    O(admin_user). If an account has a key but no mark, the token is granted again.
  - A stale key, for example after a help desk's reset, is repaired in one of two ways. With O(old_password), the
    password is set back to the one that opens the key and from there to O(password), so that the key follows. Without
    it, the token is revoked and granted again through O(admin_user), another administrator with a token.
  - If a holder does not own the volume of a Mac with Apple silicon, its token is revoked and granted again in the same
    way, and the task fails if it does not own the volume afterwards. That a new token makes it an owner is assumed.
  - If the preboot volume does not know a holder, it is updated, which takes no password. The task fails if it does
    not know the holder afterwards.
  - The next run continues a run that was interrupted.
  - Any run of a module that changes the Mac also updates the preboot volume if an earlier run could not. If
    C(diskutil) fails because of a crypto user that belongs to no account, set O(orphans) on a Mac whose macOS removes
    one. If it fails again, the finding V(preboot_untold) stays with a note that says why, and the task does not fail.
extends_documentation_fragment:
  - keyholder.macos._attributes
  - keyholder.macos._attributes.change_module
  - keyholder.macos._attributes.actiongroup_all
  - keyholder.macos._own_account
  - keyholder.macos._one_run
options:
  user:
    description:
      - The short name of the account whose token is to be repaired. Without it, only what belongs to no account is
        repaired, but everything that a reading shows is still found.
    type: str
  password:
    description:
      - The password of O(user).
      - If FileVault is on and the account is a holder, macOS is asked whether the password opens the account's key.
        That is no login, but the Secure Enclave counts wrong attempts, so a stale key costs one attempt at each run.
    type: str
  old_password:
    description:
      - The password that O(user) had before it was reset, which still opens the key.
    type: str
  admin_user:
    description:
      - The short name of an administrator of the Mac who holds a Secure Token, other than O(user).
    type: str
  admin_password:
    description:
      - The password of O(admin_user).
    type: str
  orphans:
    description:
      - Whether to remove crypto users that belong to no account. macOS does that only on Macs without a Secure Enclave.
    type: bool
    default: false
  apply:
    description:
      - Whether to repair what was found. Otherwise the task only shows it, and never reports a change.
    type: bool
    default: false
  timeout:
    description:
      - Seconds that each of the commands may take. A command that does not answer is stopped, and the task fails with
        RV(reason=timeout).
    type: int
    default: 120
notes:
  - None of the repairs has been seen on a real Mac yet. They follow from what is known of each command.
seealso:
  - module: keyholder.macos.trust_info
  - module: keyholder.macos.account_password
"""

EXAMPLES = r"""
- name: Show what is broken, and what would repair it
  keyholder.macos.repair:
  become: true
  register: broken

- name: Repair Ana's key after a reset of her password as root, with her old password
  keyholder.macos.repair:
    user: ana
    password: "{{ vault_ana_password }}"
    old_password: "{{ vault_ana_old_password }}"
    apply: true
  become: true

- name: Repair Ana's key without her old password, by another administrator
  keyholder.macos.repair:
    user: ana
    password: "{{ vault_ana_password }}"
    admin_user: itadmin
    admin_password: "{{ vault_itadmin_password }}"
    apply: true
  become: true
"""

RETURN = r"""
findings:
  description:
    - What is broken. The C(kind) is one of V(marker_without_key), V(key_without_marker), V(cannot_unlock),
      V(stale_key), V(repair_cut_off), V(not_volume_owner), V(orphaned_crypto_user), V(not_in_preboot) and
      V(preboot_untold). C(who) is the account or the GUID, and C(what) says it in words.
  returned: always
  type: list
  elements: dict
  sample:
    - kind: cannot_unlock
      who: ana
      what: ana holds a token and is not in FileVault's list
state:
  description:
    - What is broken C(before) and C(after), and what the sources say of O(user). Without O(apply) and in check mode,
      C(after) is the prediction.
  returned: always
  type: dict
  sample:
    before: {findings: [], promoted: []}
    after: {findings: [], promoted: []}
plan:
  description: The steps of the repair, in words and without secrets. Empty if nothing is broken.
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
  sample: orphan_stays
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
from ansible_collections.keyholder.macos.plugins.module_utils._plan.repair import RepairRequest

SPEC: dict[str, t.Any] = dict(
    _module_change.ADMIN,
    **_module_change.OWN_ACCOUNT,
    user={"type": "str"},
    password={"type": "str", "no_log": True},
    old_password={"type": "str", "no_log": True},
    orphans={"type": "bool", "default": False},
    apply={"type": "bool", "default": False},
)


def request(params: t.Mapping[str, t.Any]) -> RepairRequest:
    """Return what the module's options ask for."""
    return _module_change.request_of(params, RepairRequest)


def main() -> None:
    _module_change.change(AnsibleModule(argument_spec=SPEC, supports_check_mode=True), request)


if __name__ == "__main__":
    main()
