#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say whether a Mac may be erased or upgraded now."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ready_for
short_description: Say whether a Mac may be erased or upgraded now
version_added: 0.1.0
author:
  - keyholder.macos contributors (@keyholder)
description:
  - Looks at what an erase or an upgrade of a Mac depends on, and fails unless everything is in order. Put it before the
    task that erases or upgrades.
  - There are three answers. V(ready). V(not_ready), if something that is certain speaks against it.
    V(could_not_verify), if nothing does, and something could not be read. RV(findings) says for each check which of
    them it is, why, and what to do. See R(the guide, ansible_collections.keyholder.macos.docsite.guide_ready).
  - It starts some ten processes on the Mac, changes nothing and authenticates no account. On an enrolled Mac with macOS
    13.3 or newer, macOS takes ten seconds to say whether it would use the Bootstrap Token.
extends_documentation_fragment:
  - keyholder.macos._attributes
  - keyholder.macos._attributes.info_module
  - keyholder.macos._attributes.actiongroup_all
options:
  what:
    description:
      - V(erase) is what an MDM server does, Erase All Content and Settings. It looks whether this hardware and macOS
        can erase their content and keep macOS, whether macOS would use the Bootstrap Token, whether Automated Device
        Enrollment takes the Mac back, and whether Activation Lock is off.
      - V(upgrade) is an update or upgrade that an owner of the volume authorises. It looks whether one can, whether
        macOS would use the Bootstrap Token if the Mac is enrolled, whether the recovery key is in the store, and
        whether the Mac is recoverable.
      - Both look at the power, and whether an earlier run was interrupted.
    type: str
    choices: [erase, upgrade]
    required: true
  user:
    description:
      - With O(what=upgrade), the short name of the account that is to authorise it. If it is left out, any
        administrator who can log in and owns the volume will do.
    type: str
  recovery_key_store:
    description:
      - With O(what=upgrade), the folder on the controller in which M(keyholder.macos.recovery_key_store) keeps the
        encrypted keys. Without it nobody can say that a key is stored, and C(recovery_key) could not be verified while
        FileVault is on.
    type: path
  battery:
    description:
      - How many percent the battery must have at least if the Mac runs on it. On the mains, any charge will do.
    type: int
    default: 50
  accept:
    description:
      - Checks that you have settled in another way, by their names in RV(findings). Their verdict is then V(accepted),
        and they speak against nothing.
    type: list
    elements: str
    choices: [erase_supported, bootstrap_token, enrolment, activation_lock, volume_owner, recovery_key, recoverable,
      power, finished]
    default: []
  fail:
    description:
      - Whether the task fails unless the Mac is ready. If not, look at RV(ready).
    type: bool
    default: true
  timeout:
    description:
      - Seconds that each of the commands may take.
    type: int
    default: 120
notes:
  - It needs no Python on the Mac.
seealso:
  - module: keyholder.macos.trust_info
  - ref: ansible_collections.keyholder.macos.docsite.guide_ready
    description: What is looked at, and why.
"""

EXAMPLES = r"""
- name: Stop unless the Mac may be erased
  keyholder.macos.ready_for:
    what: erase
  become: true

- name: Ask whether itadmin could upgrade the Mac
  keyholder.macos.ready_for:
    what: upgrade
    user: itadmin
    recovery_key_store: /var/lib/keyholder/recovery-keys
    fail: false
  become: true
  register: upgrade

- name: Say why not
  ansible.builtin.debug:
    var: upgrade.summary
"""

RETURN = r"""
ready:
  description: The answer, one of V(ready), V(not_ready) and V(could_not_verify).
  type: str
  returned: when the Mac was read
summary:
  description: The answer in one line, with what speaks against it.
  type: str
  returned: when the Mac was read
  sample: "not ready for erase (power: the Mac runs on its battery, which has 12 %, and 50 % are asked for)"
findings:
  description:
    - What was looked at, in order. The name of the C(check); its C(verdict), one of V(ready), V(not_ready),
      V(could_not_verify) and V(accepted); C(why), in words; and in C(remedy) what to do, empty where it is ready.
  type: list
  elements: dict
  returned: when the Mac was read
reason:
  description: The stable code of the failure. The guide to reasons explains each code.
  type: str
  returned: failure
  sample: not_ready
evidence:
  description: What speaks against it, a line for each check, or what a command printed.
  type: list
  elements: str
  returned: failure
remedy:
  description: What to do about it.
  type: str
  returned: failure
"""
