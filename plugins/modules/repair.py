#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find what is broken about a Mac's tokens, and mend it where that was asked for."""

from __future__ import annotations

DOCUMENTATION = r"""
module: repair
short_description: Show what is broken about a Mac's Secure Tokens, and mend it
version_added: 0.1.0
author:
  - keyholder.macos contributors (@keyholder)
description:
  - Finds accounts about whose token the sources of truth disagree, accounts that hold a token and cannot unlock
    FileVault, crypto users that belong to nobody, a preboot volume that was not told of a change, and, where the
    password is given, a key that the password does not open.
  - It shows what would mend it, and does it only with O(apply). No plan passes that could leave the Mac without an
    administrator with a token or FileVault without a way in.
  - A mark of a token with no key behind it is taken away, and the token granted through O(admin_user). A key that the
    directory does not know of is granted again.
  - A stale key, after a help desk's reset, is brought back in two ways. With O(old_password), the password is set back
    to that one, which fits the key, and from there to O(password), so that the key follows. Without it the token is
    revoked and granted again through O(admin_user), another administrator with a token.
  - A run that was cut off is continued by the next one.
  - A preboot volume that was not told is told by any run of a module that changes the Mac. Where C(diskutil) fails over
    a crypto user that belongs to nobody, O(orphans) is the way out on Macs where macOS removes one. Where it fails
    again, the finding V(preboot_untold) stays, with a note on why, and the task does not fail for it.
extends_documentation_fragment:
  - keyholder.macos._attributes
  - keyholder.macos._attributes.change_module
  - keyholder.macos._attributes.actiongroup_all
  - keyholder.macos._own_account
  - keyholder.macos._one_run
options:
  user:
    description:
      - The short name of the account whose token is to be mended. Without it only what concerns nobody in particular is
        mended, and everything that a reading shows is still found.
    type: str
  password:
    description:
      - The password of O(user).
      - Where FileVault is on and the account is a holder, macOS is asked whether it opens the account's key. That is no
        login, but the Secure Enclave counts wrong attempts, so a stale key costs one attempt at each run.
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
      - Whether crypto users that belong to no account are removed. macOS does that only on Macs without a Secure
        Enclave.
    type: bool
    default: false
  apply:
    description:
      - Whether to mend what was found. Otherwise the task only shows it, and never reports a change.
    type: bool
    default: false
  timeout:
    description:
      - Seconds that each of the commands may take. A command that does not answer is stopped, and the task fails with
        RV(reason=timeout).
    type: int
    default: 120
notes:
  - None of the repairs was seen on a real Mac yet. They follow from what is known of each command.
seealso:
  - module: keyholder.macos.trust_info
  - module: keyholder.macos.account_password
"""

EXAMPLES = r"""
- name: Show what is broken, and what would mend it
  keyholder.macos.repair:
  become: true
  register: broken

- name: The help desk has reset Ana's password as root; the old one is known
  keyholder.macos.repair:
    user: ana
    password: "{{ ana_password }}"
    old_password: "{{ ana_old_password }}"
    apply: true
  become: true

- name: It is not known, so the token is taken and granted again
  keyholder.macos.repair:
    user: ana
    password: "{{ ana_password }}"
    admin_user: itadmin
    admin_password: "{{ itadmin_password }}"
    apply: true
  become: true
"""

RETURN = r"""
findings:
  description:
    - What is broken. The C(kind) is one of V(marker_without_key), V(key_without_marker), V(cannot_unlock),
      V(stale_key), V(repair_cut_off), V(orphaned_crypto_user) and V(preboot_untold), C(who) is the account or the GUID,
      C(what) says it in words.
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
  description: The steps that mend it, in words and without secrets. Empty where nothing is broken.
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
  sample: orphan_stays
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


def main() -> None:
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    request = _module_change.request_of(module, RepairRequest)
    _module_change.change(module, request, only_show=not module.params["apply"])


if __name__ == "__main__":
    main()
