#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read a Mac's Secure Token state."""

from __future__ import annotations

DOCUMENTATION = r"""
module: trust_info
short_description: Read who holds a Secure Token on a Mac, and whether the Mac can be recovered
version_added: 0.1.0
author:
  - keyholder.macos contributors (@keyholder)
description:
  - Reads the whole Secure Token state of a Mac at once. It says which accounts hold a Secure Token by each of the three
    sources of truth, which own the volume and which may unlock FileVault, whether a Bootstrap Token is escrowed, and
    whether an administrator can still grant tokens tomorrow.
  - It changes nothing, with two exceptions that belong to the connection and not to the reading. Where Ansible itself
    logs in by password (C(ansible_password)), that login authenticates the account. On a Mac without a holder of a
    Secure Token it can grant the first one. A Mac with macOS 26 or newer that waits at FileVault's unlock screen takes
    it for an attempt to unlock it, and after ten wrong ones only macOS Recovery helps. RV(notes) says so where the
    connection has a password. Log in by key, and neither happens.
  - It starts eight processes (nine before macOS 10.13.4), however many accounts there are, authenticates no account
    and writes nothing. It starts ten if a macOS comes whose C(dscl) no longer reads its commands from stdin.
  - Without root it reads what macOS shows to every account, and RV(mac.missing) says what is missing.
extends_documentation_fragment:
  - keyholder.macos._attributes
  - keyholder.macos._attributes.info_module
  - keyholder.macos._attributes.actiongroup_all
options:
  reader:
    description:
      - V(shell) sends the commands as one POSIX shell script in one SSH exec, and reads the answers on the controller.
        It needs no Python on the Mac and writes no file there.
      - V(module) reads the Mac by a module, which needs Python on the Mac. The result is the same.
      - The task never falls back from one to the other. It does what the option says, or it fails.
    type: str
    choices: [module, shell]
    default: shell
  include:
    description:
      - What else to read.
      - V(escrow) reads when macOS last escrowed a recovery key to MDM, and whether the Mac was unlocked with a recovery
        key when it started. It takes two more processes.
      - V(platform_sso) reads what a profile asks of Platform SSO, on macOS 13 and newer. It takes one more process.
        Apple calls what C(app-sso platform -s) prints a diagnostic that is not for scripts, so a value that cannot be
        understood is null.
      - V(restart) reads whether the Mac would come back after a restart with no person before it, and what
        V(platform_sso) reads. It takes up to five more processes, and from macOS 26 on, where FileVault is not off, up
        to seven and a second SSH exec.
      - V(preflight) asks an enrolled Mac with macOS 13.3 or newer whether macOS would use the Bootstrap Token. It takes
        ten seconds on a real Mac, and a second SSH exec.
      - V(full_disk_access) lists a folder that macOS lists only to a session with Full Disk Access. Without it, macOS
        deletes no account, and macOS 26 and newer make none without an error. It takes one more process.
      - V(recovery_lock) asks whether macOS Recovery demands a password. On Apple silicon that takes as long as
        V(preflight), and another SSH exec. On Intel it is the firmware's password.
    type: list
    elements: str
    choices: [escrow, preflight, full_disk_access, recovery_lock, platform_sso, restart]
    default: []
  timeout:
    description:
      - Seconds that each of the commands may take.
    type: int
    default: 120
  wait:
    description:
      - Seconds to wait until the Mac answers over SSH, for one that was just enrolled or is restarting.
        C(ansible.builtin.wait_for_connection) would need Python on it.
      - Where Ansible logs in by password, the task asks once and does not wait, because each login is an attempt.
    type: int
    default: 0
notes:
  - The three sources are the account's C(AuthenticationAuthority), the crypto users of the boot volume (C(diskutil
    apfs listUsers)), and C(fdesetup list). Accounts are compared by their GeneratedUID, never by name.
  - C(sysadminctl -secureTokenStatus) is not asked, because it prints what C(AuthenticationAuthority) says and takes one
    process for each account.
seealso:
  - module: keyholder.macos.secure_token
  - module: keyholder.macos.account
"""

EXAMPLES = r"""
- name: Read the Mac's Secure Token state
  keyholder.macos.trust_info:
  become: true
  register: trust

- name: Read when a recovery key was last escrowed as well
  keyholder.macos.trust_info:
    include: [escrow]
  become: true
  register: trust

- name: Stop if no account can grant a token any more
  ansible.builtin.assert:
    that: trust.mac.recoverable == 'yes'
    fail_msg: "{{ trust.mac.recoverable_why }}"
"""

RETURN = r"""
notes:
  description:
    - What the user should know beside the reading, one sentence each. That Ansible logs in by password, if it does.
      Empty if there is nothing to say.
    - Each is also a warning. Act on this list, because ansible-core does not keep the warnings of a loop's results.
  returned: always
  type: list
  elements: str
summary:
  description: The reading in a few lines. One for the Mac, one for whether it is recoverable and why, and one for each
    account.
  returned: success
  type: list
  elements: str
  sample:
    - macOS 15.6 (24G84), Mac15,3, Apple silicon
    - recoverable - yes, itadmin can grant tokens
    - itadmin  admin     holder    all three sources agree, volume owner
    - ana      standard  none      no source names it
mac:
  description: The whole reading. A value that could not be read is null.
  returned: success
  type: dict
  contains:
    os:
      description: The C(version) and C(build) of macOS.
      type: dict
      returned: success
    hardware:
      description: The C(model), whether it is C(apple_silicon), which is null if the Mac did not say, and whether it is
        C(virtual).
      type: dict
      returned: success
    volume:
      description:
        - The boot volume. Its C(device), whether it is C(apfs), and whether the Mac is booted from a
          C(sealed_snapshot), as macOS 11 and newer are. A seal that was broken on purpose is not visible here.
      type: dict
      returned: success
    accounts:
      description: The accounts that users log in with, and any other that a source names.
      type: list
      elements: dict
      returned: success
      contains:
        name:
          description: The short name.
          type: str
          returned: success
        full_name:
          description: The full name.
          type: str
          returned: success
        uid:
          description: The UID, or null in a half-made record.
          type: int
          returned: success
        guid:
          description: The GeneratedUID.
          type: str
          returned: success
        kind:
          description: One of V(local), V(mobile) (a directory account with a local copy) and V(network).
          type: str
          returned: success
        admin:
          description: Whether the account is in group admin, also through groups of this Mac nested in it.
          type: bool
          returned: success
        hidden:
          description: Whether the login window hides the account.
          type: bool
          returned: success
        secure_token:
          description:
            - The verdict. V(holder) if all three sources say so, V(unproven) if those that could be read say so,
              V(none), V(pending) if there is no token yet and the escrowed Bootstrap Token grants one at the first
              graphical login, V(phantom) if one source names the account and another denies it, or V(unknown).
          type: str
          returned: success
        sources:
          description: What each source says, C(authority), C(crypto_user) and C(filevault_list). Null if it could not
            be read.
          type: dict
          returned: success
        volume_owner:
          description: Whether the account owns the volume. Null before macOS 11.
          type: bool
          returned: success
        in_preboot:
          description: Whether the preboot volume knows the account, so that it can unlock FileVault when the Mac
            starts. Null if that could not be read, and before macOS 11.
          type: bool
          returned: success
        first_token_prevented:
          description: Whether the tag C(;DisabledTags;SecureToken) keeps the account from becoming the first holder.
          type: bool
          returned: success
        password_set:
          description: Whether the account has a password that a login could be checked against.
          type: bool
          returned: success
        disabled:
          description: Whether macOS refuses every login of the account, even with the right password.
          type: bool
          returned: success
        parked:
          description: Whether an account that M(keyholder.macos.parked_holder) has parked is still disabled, hidden,
            without a shell, and a holder. Null if it is not parked.
          type: bool
          returned: success
        password_changed:
          description: When the password was last set, in seconds since 1970. Null without root.
          type: float
          returned: success
        failed_logins:
          description: Failed logins since the last good one. Null without root.
          type: int
          returned: success
        platform_sso:
          description: Whether the account is registered with Platform SSO, by the identity in its record.
          type: bool
          returned: success
        platform_sso_exempt:
          description: Whether the policies of Platform SSO leave the account alone. Null if macOS did not say.
          type: bool
          returned: when V(platform_sso) is in O(include)
    restart:
      description:
        - Whether the Mac would come back from a restart with no person before it. C(comes_back) is V(yes), V(no) or
          V(unknown), for a restart by M(keyholder.macos.filevault_reboot). C(by) is V(no_unlock_screen),
          V(authrestart) or V(ssh_unlock), or empty. C(because) lists the facts, each with what it C(says) and C(why).
        - C(after_power_cut) and C(after_power_cut_because) say the same of a start that nobody has prepared, after
          which a Mac with FileVault can only be unlocked over SSH, from macOS 26 on.
        - What could not be read is V(unknown), never V(yes).
      type: dict
      returned: when V(restart) is in O(include)
    orphaned_crypto_users:
      description: GeneratedUIDs of crypto users that belong to no account of this Mac.
      type: list
      elements: str
      returned: success
    filevault:
      description:
        - The C(state), one of V(on), V(off), V(encrypting), V(decrypting), V(restart_to_enable), V(restart_to_finish),
          V(restart_to_disable) and V(unknown). The C(percent) of a conversion and the C(deferred_user). Whether there
          is a C(personal_recovery_key) and an C(institutional_recovery_key) among the crypto users, and whether an
          Apple Account opens the volume (C(icloud_recovery)). Null if the volume is not APFS.
        - With V(escrow) in O(include), C(recovery_key_escrowed_at) is when macOS last escrowed a key to MDM, in seconds
          since 1970. C(0) means never, null means that its file could not be looked at. C(recovery_key_used) says
          whether the Mac was unlocked with a recovery key when it started, null if macOS does not say, as before 10.15.
          It stays true until the next restart, also after the key was rotated.
        - C(recovery_key_holder), also with V(escrow), says who has the personal recovery key as far as the Mac shows
          it. V(mdm) if macOS has encrypted the newest one for the server that manages the Mac, V(apple_account) if only
          a person's Apple Account opens the volume, V(no_key) if there is none, and V(unknown), which is all that a Mac
          can say of a store on the controller. M(keyholder.macos.audit_report) asks the store as well, and then it
          may also be V(our_store), V(nobody) or V(lost). C(stored_recovery_key) is V(not_asked) here.
          C(recovery_key_evidence) says why, a sentence each.
      type: dict
      returned: success
    management:
      description:
        - MDM. Whether the Mac is C(enrolled), C(automated), C(user_approved), and its C(server).
        - C(bootstrap_token) is one of V(unsupported), V(not_enrolled), V(not_escrowed), V(escrowed_unproven),
          V(valid) and V(unknown). C(bootstrap_crypto_user) says whether the Bootstrap Token is a crypto user of the
          volume.
      type: dict
      returned: success
    full_disk_access:
      description: Whether the session has Full Disk Access. Null if macOS did not say, as before 10.14.
      type: bool
      returned: with V(full_disk_access) in O(include)
    recovery_lock:
      description: Whether macOS Recovery demands a password, V(set) or V(not_set). V(unknown) if macOS did not say, as
        where no MDM server manages the Mac.
      type: str
      returned: with V(recovery_lock) in O(include)
    platform_sso:
      description:
        - What a profile asks of Platform SSO. Whether it is C(configured), whether the Mac is C(registered), the
          C(extension) of the identity provider, and the C(method), such as V(password) or V(secure_enclave_key). With
          V(password) the identity provider's password becomes the account's.
        - C(filevault_policy), C(login_policy) and C(unlock_policy) are lists of Apple's words, such as
          C(RequireAuthentication), at FileVault's unlock screen, at the login window, and at the locked screen. They
          are null before macOS 15. C(exempt) are the accounts that they leave alone, C(offline_hours) is how long a
          registered account may do without the network.
        - C(required_at) says where an account that is not exempt gets in by the identity provider alone, any of
          V(filevault), V(login) and V(unlock). C(web_login_at_filevault) says whether the unlock screen may ask for a
          web login, which macOS 27 can.
      type: dict
      returned: when V(platform_sso) is in O(include)
    policy:
      description:
        - The identifiers of the Mac's password C(rules), and C(max_failed_logins) if a rule locks accounts.
        - C(patterns) are the regular expressions that a whole password must match, if a rule gives them.
      type: dict
      returned: success
    holders:
      description: Short names of the accounts with a Secure Token.
      type: list
      elements: str
      returned: success
    admin_holders:
      description: Those of them that are administrators, whether or not they can log in.
      type: list
      elements: str
      returned: success
    granters:
      description: Those of RV(mac.admin_holders) that can authorise a grant today, because they are not disabled, have
        a password, and are not locked by failed logins.
      type: list
      elements: str
      returned: success
    waiting_admins:
      description: Administrators without a token who get one from the escrowed Bootstrap Token at their first login at
        the screen.
      type: list
      elements: str
      returned: success
    phantoms:
      description: Accounts about whose token the sources disagree.
      type: list
      elements: str
      returned: success
    recoverable:
      description: One of V(yes), V(pending) if no account can grant tokens before one of RV(mac.waiting_admins) has
        logged in, V(at_risk), V(no) and V(unknown).
      type: str
      returned: success
    recoverable_why:
      description: The reason in words.
      type: str
      returned: success
    pending:
      description: Work that earlier runs began and did not finish. V(preboot), C(creating NAME) for each account, and
        C(promoted NAME) for an account that is an administrator for a grant only.
      type: list
      elements: str
      returned: success
    promoted:
      description: Short names of the accounts whose promotion is still open. The next run of any module that writes
        takes it back.
      type: list
      elements: str
      returned: success
    missing:
      description: What could not be read, each with its C(evidence).
      type: list
      elements: dict
      returned: success
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.keyholder.macos.plugins.module_utils import _module, _module_info
from ansible_collections.keyholder.macos.plugins.module_utils._reading.ask import INCLUDE

SPEC: dict[str, t.Any] = {
    "reader": {"type": "str", "choices": ["module", "shell"], "default": "shell"},
    "wait": {"type": "int", "default": 0},
    "include": {"type": "list", "elements": "str", "choices": list(INCLUDE), "default": []},
    "timeout": _module.TIMEOUT,
}


def main() -> None:
    _module_info.read(AnsibleModule(argument_spec=SPEC, supports_check_mode=True))


if __name__ == "__main__":
    main()
