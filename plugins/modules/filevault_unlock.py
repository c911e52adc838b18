#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unlock a Mac that waits at FileVault's unlock screen, over SSH."""

from __future__ import annotations

DOCUMENTATION = r"""
module: filevault_unlock
short_description: Unlock a Mac that waits at FileVault's unlock screen, over SSH
version_added: 0.1.0
author:
  - keyholder.macos contributors (@keyholder)
description:
  - Unlocks a Mac that has started, after a power cut for one, and waits at FileVault's unlock screen. From macOS 26 on
    such a Mac answers SSH there. Then waits until macOS is up, so that the play can go on.
  - A look by key alone comes first. A Mac that is up gets no password, and the task reports no change.
  - The password is sent once, to one prompt. It only goes to a host key that the controller knows, also where
    C(host_key_checking) is off. A Mac has the same host keys at its unlock screen as always.
  - It does not need the Mac to be reachable before. Give the play C(gather_facts=false).
  - A Mac with macOS before 26 does not answer SSH at its unlock screen. From here it looks like one that is off, or
    without network, and the task fails with RV(reason=unlock_no_answer), which says what a person must do.
extends_documentation_fragment:
  - keyholder.macos._attributes
  - keyholder.macos._attributes.actiongroup_all
attributes:
  async:
    support: none
    details:
      - It runs on the controller.
  check_mode:
    support: full
    details:
      - Looks at the Mac without a password, and says what would be done. Whether the password is right, only the run
        shows.
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  user:
    description:
      - The short name of a holder of a Secure Token, who unlocks. It need not be the account that Ansible logs in with.
    type: str
    required: true
  password:
    description:
      - The password of O(user).
    type: str
    required: true
  macos:
    description:
      - The version of macOS that the Mac has, if the inventory or a cached fact knows it. While the Mac waits, nobody
        can ask it.
      - With a version before 26 no password is sent to a Mac that does not say that it waits, and the message about a
        Mac that does not answer is plainer.
    type: raw
  wait:
    description:
      - Seconds that the Mac has to answer SSH, as it may still be starting.
    type: int
    default: 0
  reboot_timeout:
    description:
      - Seconds that macOS has to start in, once the volume is unlocked.
    type: int
    default: 600
notes:
  - The controller needs OpenSSH, and the connection plugin P(ansible.builtin.ssh#connection). C(become) is not used.
  - A Mac that is up and refuses the key that Ansible logs in with looks like one at its unlock screen, which says what
    it waits for to its first visitor alone. It gets the password once. If that lets us in, the Mac was up, and
    RV(outcome=already). So give Ansible a key on every Mac.
  - With C(retries) or in a loop, an account whose password did not unlock the Mac is not tried again by the same task.
    Each run is an attempt of its own, though. After ten wrong passwords only macOS Recovery helps.
  - How macOS 26 does this is known from Apple's source and from what others have published. Try it first on a Mac that
    you can walk to.
seealso:
  - module: keyholder.macos.filevault_reboot
  - ref: ansible_collections.keyholder.macos.docsite.guide_unlock
    description: A fleet after a power cut.
"""

EXAMPLES = r"""
- name: Unlock the Mac if it waits at FileVault's unlock screen
  keyholder.macos.filevault_unlock:
    user: itadmin
    password: "{{ vault_itadmin_password }}"
"""

RETURN = r"""
outcome:
  description:
    - V(already) - the Mac was up.
    - V(unlocked) - the password has unlocked it. In check mode, that it would be sent.
    - V(refused) - the Mac refused the password, or does not know the account.
    - V(locked_out) - the Mac did not look at the password, because the account is temporarily unavailable.
    - V(unknown_user) - the unlock screen does not know the account, and said so.
    - V(broken) - the Mac drops connections before SSH says a word. No password was sent.
    - V(no_answer) - the Mac does not answer, or did not say what it made of the password.
    - V(not_tried) - what answered must not get the password, for example because of its host key.
  returned: once the Mac was looked at
  type: str
  sample: unlocked
sent:
  description: Whether the password was sent.
  returned: once the Mac was looked at
  type: bool
state:
  description:
    - C(mac) with C(before) and C(after).
    - C(up); C(waits), which says that it waits to be unlocked; C(may_wait), which refuses the key and takes passwords;
      C(refuses), which refuses the key and cannot be at its unlock screen; C(resets), which drops connections;
      C(foreign_key), whose host key is unknown or another one; C(other_system), which is no Mac; C(no_answer).
  returned: once the Mac was looked at
  type: dict
plan:
  description: The steps, in words and without secrets.
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
elapsed:
  description: Seconds from the password until macOS was up.
  returned: when the Mac was unlocked and is up
  type: int
reason:
  description: The stable code of the failure. The guide to reasons explains each code.
  returned: failure
  type: str
evidence:
  description: What SSH said, as evidence.
  returned: failure
  type: list
  elements: str
remedy:
  description: What to do about it.
  returned: failure
  type: str
"""
