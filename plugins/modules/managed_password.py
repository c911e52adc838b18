#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation only: the action of the same name does the work on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: managed_password
short_description: Give an account a random password that a store keeps, and rotate it
version_added: 0.1.0
author:
  - keyholder.macos contributors (@keyholder)
description:
  - Generates a password that the Mac's own policy allows, sets it from the old one so that a Secure Token and the
    unlock of FileVault follow, and keeps it in a store that you name.
  - What the Mac would refuse is foreseen before the store or the Mac is touched.
  - The new password is stored as pending before it is set, and read back. Only when the Mac has it, it takes the place
    of the current one. A run that is cut off anywhere is finished by the next one. That one tries the pending password
    first, by the account's hash and without a login, and never resets a password.
  - A pending password stays in the store as long as the Mac may have it, also where its key did not follow. The current
    one may be what opens that key, so it stays as well.
  - What the store holds is a JSON object with C(current), C(pending) and C(set_at), and with C(doing) while something
    other than a rotation is under way. Other keys in it are kept. An object with neither C(current) nor C(pending) is a
    failure, as it may be the only copy of what it holds.
  - It runs on the controller, and starts M(keyholder.macos.trust_info), M(keyholder.macos.account_password) and, where
    an account has to be made or a key to be repaired, M(keyholder.macos.account) and M(keyholder.macos.repair) on the
    Mac.
extends_documentation_fragment:
  - keyholder.macos._attributes
  - keyholder.macos._attributes.change_module
  - keyholder.macos._attributes.actiongroup_all
  - keyholder.macos._own_account
  - keyholder.macos._one_run
options:
  name:
    description:
      - The short name of the account.
    type: str
    required: true
  store:
    description:
      - Where the password is kept.
    type: dict
    required: true
    suboptions:
      kind:
        description:
          - V(command) has a command print the object, and another take it on stdin.
          - V(lookup) reads the object by any lookup plugin, and writes it by a command.
          - V(age) keeps a file for each host and account, encrypted to age recipients. It takes the Python package
            C(pyrage) or the program C(age) on the controller.
          - V(vault) keeps a secret of a key/value engine, version 2, in HashiCorp Vault or OpenBao. It takes the
            collection C(community.hashi_vault) on the controller.
        type: str
        required: true
        choices: [command, lookup, age, vault]
      read:
        description:
          - The command that prints the object, word by word. It prints nothing and ends with status 0 where there is
            none yet.
        type: list
        elements: str
      write:
        description:
          - The command that stores the object, which it gets on stdin.
        type: list
        elements: str
      lookup:
        description:
          - The full name of the lookup plugin.
        type: str
      terms:
        description:
          - The terms of the lookup.
        type: list
        elements: str
        default: []
      options:
        description:
          - Options of the lookup. With O(store.kind=vault) those of C(community.hashi_vault.vault_read) and
            C(community.hashi_vault.vault_write) that say how to connect, for instance C(url) and C(auth_method).
        type: dict
        default: {}
      directory:
        description:
          - The folder on the controller for the age files.
        type: path
      marked:
        description:
          - Whether O(store.directory) must have the file C(.keyholder-store), see
            O(keyholder.macos.recovery_key_store#module:marked). Without it the task fails before a password is made.
          - Left out, it must have it in a job of AWX, and need not have it elsewhere.
        type: bool
      recipients:
        description:
          - The age recipients (C(age1...)) of the file. One of them must be that of O(store.identity).
        type: list
        elements: str
      identity:
        description:
          - The file on the controller with the age identity that opens the file. A rotation needs the current password.
        type: path
      mount:
        description:
          - Where the key/value engine is mounted.
        type: str
        default: secret
      path:
        description:
          - The path of the secret in the engine.
        type: str
  rotate:
    description:
      - Whether to set a new password now. Each run with V(true) sets one.
    type: bool
    default: false
  max_age_days:
    description:
      - Set a new password where the present one is that old. V(0) does not look at its age.
    type: int
    default: 0
  current_password:
    description:
      - The password that the account has now, for a store that does not hold it yet or holds another one.
      - Not needed for an account without a Secure Token, nor for one that is made.
    type: str
  length:
    description:
      - How many characters a new password has, 12 to 128, unless the Mac's policy wants another number.
    type: int
    default: 24
  account:
    description:
      - Where there is no such account, make it by M(keyholder.macos.account) with these options. Where a run that makes
        it was cut off, the next one goes on until it has them all. Otherwise they are not used.
      - The name and the passwords are those of this module, and C(state) can be V(present) alone.
    type: dict
  repair_stale_key:
    description:
      - Whether to repair a key that did not follow its password, as after a help desk's reset by root. It takes the
        account's password and the one that still opens the key. One of them is in the store, and the other one there as
        well or in O(current_password). It is done as M(keyholder.macos.repair) does it with C(old_password), and the
        password that somebody else has set is rotated at once.
      - Otherwise, and where none of the passwords opens the key, it fails with RV(reason=stale_key). Then
        M(keyholder.macos.repair) takes the token and grants it again through another administrator with a token.
    type: bool
    default: false
  verify_key:
    description:
      - When macOS is asked whether the password opens the account's key, see M(keyholder.macos.account_password).
      - Finishing a pending password counts as a change. With V(never), it becomes the current one even if the key did
        not follow, and the one before it is forgotten.
    type: str
    choices: [on_change, always, never]
    default: on_change
  timeout:
    description:
      - Seconds that each command on the Mac may take.
    type: int
    default: 120
notes:
  - Two runs for the same account at the same time are told apart by Vault alone, where each write names the version
    that it replaces. With any other store, see to it that there is one at a time.
seealso:
  - module: keyholder.macos.account_password
"""

EXAMPLES = r"""
- name: A password of its own for each Mac, a new one each month, in Vault
  keyholder.macos.managed_password:
    name: itadmin
    max_age_days: 30
    store:
      kind: vault
      mount: macs
      path: "{{ inventory_hostname }}/itadmin"
      options:
        url: https://vault.example.com:8200
        auth_method: approle
        role_id: "{{ vault_role_id }}"
        secret_id: "{{ vault_secret_id }}"
  become: true

- name: The same in a file that only the help desk's age identity opens
  keyholder.macos.managed_password:
    name: itadmin
    max_age_days: 30
    store:
      kind: age
      directory: /srv/macs
      recipients: [age1qyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqs3290gq]
      identity: /etc/keyholder/identity.txt
  become: true
"""

RETURN = r"""
rotated:
  description: Whether a new password was set and has become the current one, or would in check mode.
  returned: always
  type: bool
  sample: true
healed:
  description: Whether an earlier run was cut off after it had stored a password, and this one finished it.
  returned: always
  type: bool
  sample: false
state:
  description:
    - The account before and after, as the module returns it that was started last. Mostly that is
      M(keyholder.macos.account_password).
  returned: when the Mac was asked
  type: dict
  sample:
    before: {name: itadmin, exists: true, secure_token: holder, password_set: true, promoted: []}
    after: {name: itadmin, exists: true, secure_token: holder, password_set: true, promoted: []}
plan:
  description: The steps on the Mac, in words and without secrets.
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
  sample: password_drifted
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
