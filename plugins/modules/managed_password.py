#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Document the module; the action of the same name does the work on the controller."""

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
  - It finds out what the Mac would refuse before it touches the store or the Mac.
  - The new password is stored as pending before it is set, and read back. It replaces the current one only after the
    Mac has it. The next run finishes a run that was interrupted. It tries the pending password first, by the account's
    hash and without a login, and never resets a password.
  - A pending password stays in the store as long as the Mac may have it, even if its key did not follow. The current
    password may be what opens that key, so it stays as well.
  - What the store holds is a JSON object with C(current), C(pending) and C(set_at), and with C(doing) while something
    other than a rotation is under way. Other keys in it are kept. An object with neither C(current) nor C(pending) is a
    failure, because it may be the only copy of what it holds.
  - The account may be the one that Ansible logs in with, if O(allow_own_account) is set and the connection's passwords
    follow the store, as with P(keyholder.macos.managed_password#lookup). Otherwise it is refused before anything is
    written. If C(sudo) or SSH refuses the password of a variable, the other one in the store is tried, once.
  - It runs on the controller, and starts M(keyholder.macos.trust_info) and M(keyholder.macos.account_password) on the
    Mac. If an account has to be made or a key to be repaired, it also starts M(keyholder.macos.account) and
    M(keyholder.macos.repair).
extends_documentation_fragment:
  - keyholder.macos._attributes
  - keyholder.macos._attributes.change_module
  - keyholder.macos._attributes.actiongroup_all
  - keyholder.macos._own_account
  - keyholder.macos._one_run
attributes:
  async:
    support: none
    details:
      - A part of it runs on the controller.
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
          - V(command) reads the object from a command's output, and writes it to another command's stdin.
          - V(lookup) reads the object by any lookup plugin, and writes it by a command.
          - V(age) keeps a file for each host and account, encrypted to age recipients. It needs the Python package
            C(pyrage) or the program C(age) on the controller.
          - V(vault) keeps a secret of a key/value engine, version 2, in HashiCorp Vault or OpenBao. It needs the
            collection C(community.hashi_vault) on the controller.
        type: str
        required: true
        choices: [command, lookup, age, vault]
      read:
        description:
          - The command that prints the object, as a list of words. If there is no object yet, the command prints
            nothing and ends with status 0.
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
          - If it is left out, the folder must have the file in a job of AWX, and need not have it elsewhere.
        type: bool
      recipients:
        description:
          - The age recipients (C(age1...)) of the file. One of them must be that of O(store.identity).
        type: list
        elements: str
      identity:
        description:
          - The file on the controller with the age identity that opens the file, because a rotation needs the current
            password.
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
      - Set a new password if the present one is that old. V(0) ignores its age.
    type: int
    default: 0
  current_password:
    description:
      - The password that the account has now, for a store that does not hold it yet or holds another one.
      - Not needed for an account without a Secure Token, nor for one that this task creates.
    type: str
  key_password:
    description:
      - An earlier password of the account, which may still open its key, for a store that does not hold it. Used with
        O(repair_stale_key) only, and only where O(current_password) is the account's and the store does not know it.
    type: str
  length:
    description:
      - How many characters a new password has, 12 to 128, unless the Mac's policy wants another number.
    type: int
    default: 24
  account:
    description:
      - If there is no such account, create it by M(keyholder.macos.account) with these options. The next run continues
        an interrupted creation with them. Otherwise they are not used.
      - The name and the passwords are those of this module, and C(state) can only be V(present).
    type: dict
  repair_stale_key:
    description:
      - Whether to repair a key that did not follow its password, for example after a help desk's reset as root. This
        needs the account's password and the password that still opens the key, in the store, in O(current_password) or
        in O(key_password). The repair is that of M(keyholder.macos.repair) with C(old_password), and a password that
        was set elsewhere is rotated at once.
      - Without FileVault, macOS does not say whether a password opens a key. There, a password of a holder that was set
        elsewhere is first set back to the one that may open the key, whether or not the key had followed. Then it is
        rotated, and the key follows.
      - Without it, or if none of the passwords opens the key, the task fails with RV(reason=stale_key). Then
        M(keyholder.macos.repair) can revoke the token and grant it again through another administrator with a token.
    type: bool
    default: false
  verify_key:
    description:
      - When macOS is asked whether the password opens the account's key, see M(keyholder.macos.account_password).
      - To finish a pending password counts as a change. With V(never), the pending password becomes the current one
        even if the key did not follow, and the store forgets the one before it.
    type: str
    choices: [on_change, always, never]
    default: on_change
  timeout:
    description:
      - Seconds that each command on the Mac may take.
    type: int
    default: 120
notes:
  - Only Vault tells apart two runs for the same account at the same time, because each write names the version that it
    replaces. With any other store, make sure that only one runs at a time.
seealso:
  - module: keyholder.macos.account_password
  - plugin: keyholder.macos.managed_password
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Give each Mac a password of its own in Vault, and a new one each month
  keyholder.macos.managed_password:
    name: deputy
    current_password: "{{ vault_deputy_password }}"  # only until the store knows it
    max_age_days: 30
    store:
      kind: vault
      mount: macs
      path: "{{ inventory_hostname }}/deputy"
      options:
        url: https://vault.example.com:8200
        auth_method: approle
        role_id: "{{ vault_role_id }}"
        secret_id: "{{ vault_secret_id }}"
  become: true

- name: Do the same in a file that only the help desk's age identity opens
  keyholder.macos.managed_password:
    name: deputy
    current_password: "{{ vault_deputy_password }}"  # only until the store knows it
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
  description: Whether a new password was set and is now the current one. In check mode, whether it would be.
  returned: always
  type: bool
  sample: true
healed:
  description: Whether this run finished an earlier one that was interrupted after it had stored a password.
  returned: always
  type: bool
  sample: false
state:
  description:
    - The account before and after, as returned by the module that was started last, usually
      M(keyholder.macos.account_password).
  returned: when the Mac was asked
  type: dict
  sample:
    before: {name: itadmin, exists: true, secure_token: holder, password_set: true, key_provable: true, promoted: []}
    after: {name: itadmin, exists: true, secure_token: holder, password_set: true, key_provable: true, promoted: []}
plan:
  description: The steps on the Mac, in words and without secrets.
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
  sample: password_drifted
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
