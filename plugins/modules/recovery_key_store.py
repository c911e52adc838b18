#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep encrypted recovery keys in a folder on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: recovery_key_store
short_description: Keep the encrypted recovery keys of Macs in a folder on the controller
version_added: 0.1.0
author:
  - keyholder.macos contributors (@keyholder)
description:
  - Keeps the encrypted keys that M(keyholder.macos.filevault) and M(keyholder.macos.filevault_recovery_key) return. It
    runs on the controller and connects to no Mac. The role P(keyholder.macos.filevault#role) uses it.
  - The present key of a Mac is C(HOST.age), or C(HOST.pem) if it is encrypted to certificates. It is replaced only by a
    key that macOS has validated, and only if no other run has changed the store since O(seen). C(HOST.keys) keeps the
    last ten replaced files of each Mac.
  - A key that macOS did not validate is kept in C(HOST.keys) as C(*.unproven.age) or C(*.unproven.pem), and so is a key
    that came while another run stored one. The present key then stays.
extends_documentation_fragment:
  - keyholder.macos._attributes
  - keyholder.macos._attributes.actiongroup_all
attributes:
  async:
    support: none
  check_mode:
    support: full
    details:
      - It looks, and writes nothing.
  diff_mode:
    support: N/A
    details:
      - It changes no Mac.
  idempotent:
    support: partial
    details:
      - O(state=stored) stores what it is given each time.
options:
  state:
    description:
      - V(looked) says what is there. V(begun) notes that a key is about to be made, which also proves that the folder
        can be written to. V(stored) keeps the key and removes the note. V(forgotten) removes the note if no key was
        made.
      - V(marked) makes the folder and the file C(.keyholder-store) in it. That file tells later runs that the folder
        outlives a job, see O(marked).
    type: str
    choices: [looked, begun, stored, forgotten, marked]
    default: looked
  folder:
    description:
      - The folder on the controller. It is made with mode 0700, each file with 0600.
    type: path
    required: true
  host:
    description:
      - The name of the Mac's files. If it is left out, the host's name in the inventory.
    type: str
  seen:
    description:
      - The value of RV(seen) when this run looked or began. If the store has changed since, another run was at work.
    type: str
    default: ''
  recovery_key_age:
    description:
      - With O(state=stored), the key as an armoured age file.
    type: str
    default: ''
  recovery_key_encrypted:
    description:
      - With O(state=stored), the key as a CMS message in PEM.
    type: str
    default: ''
  validated:
    description:
      - With O(state=stored), whether macOS has validated the key.
    type: bool
    default: true
  marked:
    description:
      - Whether the folder must have the file C(.keyholder-store), which O(state=marked) makes. Without it the task
        fails with RV(reason=store_not_durable), before anything is written; with O(state=stored) the key is kept all
        the same, because there may be no other place for it.
      - If it is left out, the folder must have the file in a job of AWX, because the folders of a job's container are
        gone after the job. Elsewhere it need not have it.
    type: bool
seealso:
  - module: keyholder.macos.filevault_recovery_key
"""

EXAMPLES = r"""
- name: Mark this folder as one that outlives a job
  keyholder.macos.recovery_key_store:
    state: marked
    folder: /var/lib/keyholder/recovery-keys
  run_once: true

- name: Note that a key is about to be made
  keyholder.macos.recovery_key_store:
    state: begun
    folder: /var/lib/keyholder/recovery-keys
  register: begun

- name: Rotate the recovery key
  keyholder.macos.filevault_recovery_key:
    state: rotated
    user: itadmin
    password: "{{ vault_itadmin_password }}"
    recovery_key: encrypt
    recipients:
      - age1qqnkvz9x7v0rmjpgzhcw4j2yu80qkhxpc5ty3mn7qd6qfnkz5s8sd4zc9t
  become: true
  register: rotated

- name: Store it
  keyholder.macos.recovery_key_store:
    state: stored
    folder: /var/lib/keyholder/recovery-keys
    recovery_key_age: "{{ rotated.recovery_key_age }}"
    seen: "{{ begun.seen }}"
"""

RETURN = r"""
present:
  description: The files of the present key. Each was validated by the Mac when it was stored, and read back.
  returned: success, but with O(state=marked)
  type: list
  elements: str
unproven:
  description: Files of keys that are not proven to open the Mac.
  returned: success, but with O(state=marked)
  type: list
  elements: str
earlier:
  description: Files of the keys before the present one.
  returned: success, but with O(state=marked)
  type: list
  elements: str
interrupted:
  description: Whether a key is being made, or was when a run was interrupted. The present key may then be dead.
  returned: success, but with O(state=marked)
  type: bool
seen:
  description: Stands for all of this. Give it as O(seen) later in the same run.
  returned: success, but with O(state=marked)
  type: str
marked_at:
  description: When the file C(.keyholder-store) was made. Empty if it was not.
  returned: with O(state=marked)
  type: str
recovery_key_age:
  description: O(recovery_key_age) as it was given, if it may be kept nowhere else.
  returned: failure, with O(state=stored)
  type: str
recovery_key_encrypted:
  description: O(recovery_key_encrypted) as it was given, if it may be kept nowhere else.
  returned: failure, with O(state=stored)
  type: str
reason:
  description: The stable code of the failure. The guide to reasons explains each code.
  returned: failure
  type: str
  sample: store_conflict
evidence:
  description: What each command printed, as evidence. Empty here.
  returned: failure
  type: list
  elements: str
remedy:
  description: What to do about it.
  returned: failure
  type: str
"""
