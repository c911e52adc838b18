# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a run stops: each stable reason code with what it means and the way out.

The documentation's list is made from this table, and a test compares the two.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.keyholder.macos.plugins.module_utils._command import fdesetup

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._code import Code


class Reason(t.NamedTuple):
    """``meaning``: one sentence; ``remedy``: what to do about it."""

    meaning: str
    remedy: str


@dataclass  # not frozen: Python itself writes the traceback into an exception
class Refusal(Exception):
    """A decision not to go on, as a value: why, about whom, and which command said what."""

    reason: Code
    msg: str
    evidence: tuple[str, ...] = ()

    @property
    def remedy(self) -> str:
        """Return what to do about it: a sentence."""
        return REASONS[self.reason].remedy

    @property
    def told(self) -> str:
        """Return the whole message for a person: what happened, the way out, and the code."""
        return f"{self.msg}. {self.remedy} [{self.reason}]"

    def account(self) -> dict[str, t.Any]:
        """Return what the result contract says of a failure."""
        return {
            "msg": self.told,
            "reason": self.reason,
            "evidence": list(self.evidence),
            "remedy": self.remedy,
        }

    def __str__(self) -> str:
        return self.msg


REASONS: dict[Code, Reason] = {
    # The Mac
    "not_root": Reason(
        "Writing to accounts and tokens needs root.",
        "Use become, or log in as root.",
    ),
    "not_a_mac": Reason(
        "The host did not answer as a Mac does.",
        "Check the inventory: this collection manages macOS 10.13 and newer.",
    ),
    "shell_unreadable": Reason(
        "The Mac's shell did not answer the reading script as expected.",
        "Read the evidence. Usual causes: sudo refused the account, or /bin/sh on the Mac is not a POSIX shell.",
    ),
    "macos_too_old": Reason(
        "macOS before 10.13 has no Secure Tokens.",
        "Upgrade the Mac, or leave it out of the play.",
    ),
    "not_apfs": Reason(
        "The boot volume is not APFS, so there are no Secure Tokens on this Mac.",
        "Convert the boot volume to APFS (a macOS upgrade does it), or leave the Mac out of the play.",
    ),
    "reading_incomplete": Reason(
        "A source that this decision needs could not be read.",
        "Read the evidence. Usual causes: no root, no Full Disk Access for SSH, a command that did not answer in time.",
    ),
    "output_too_long": Reason(
        "A program on the Mac printed more than this run accepts, so this run stopped it.",
        "Run the program that the evidence names on the Mac, and see what it prints. It may be broken, or it may"
        " not be Apple's.",
    ),
    "reading_damaged": Reason(
        "This run could not understand what the Mac's programs printed.",
        "Read the Mac again. If it happens again, report it with the evidence and the version of macOS.",
    ),
    "root_locked_out": Reason(
        "macOS refuses sysadminctl even to root, because the authorization database of this Mac was hardened.",
        "Run 'security authorizationdb reset' for the right that your hardening changed (usnistgov/macos_security"
        " 574).",
    ),
    "no_full_disk_access": Reason(
        "macOS refused to change the account's record, although root asked.",
        "On the Mac, open System Settings, General, Sharing, Remote Login, and switch on 'Allow full disk access"
        " for remote users'.",
    ),
    # Options
    "option_missing": Reason(
        "An option that this change needs was not given.",
        "Give the option that the message names.",
    ),
    "option_unknown": Reason(
        "The task sets an option that does not exist.",
        "Correct the option's name, or remove it. The module's page and ansible-doc list its options.",
    ),
    "policy_unusable": Reason(
        "The audit's policy is not valid.",
        "Correct what the message names. The guide to audits describes a policy.",
    ),
    "history_unusable": Reason(
        "The file that the option history names is not a history of audits, or cannot be read and written.",
        "Name another file, or one that does not exist yet. You may also put back an earlier copy of the history.",
    ),
    "report_unwritable": Reason(
        "The report's files could not be written.",
        "Free disk space, or name a writable folder in dest. An earlier report is unchanged, and the history does"
        " not contain this audit.",
    ),
    "answers_missing": Reason(
        "No answers of Macs were found, so there is nothing to report on.",
        "Read the Macs first, or name the files that hold their answers in the option saved.",
    ),
    "not_text": Reason(
        "A name, a secret or another text was given as a number, a date, a list or another value that is not text.",
        "Put the value in quotes where it is written: 0012345 without quotes is the number 5349, and '| string'"
        " does not restore the zeros. ansible-core 2.19 and newer also reads !unsafe '0123' in an extra-vars file as"
        " a number: leave !unsafe out, or set the value in group_vars or in a vault.",
    ),
    "password_is_hash": Reason(
        "The value is a hash of a password, such as password_hash makes for Linux, but macOS needs the password"
        " itself.",
        "Give the password itself. If exactly this text was once set as the account's password by mistake, give it"
        " once as old_password (current_password with a store) and set another password.",
    ),
    "async_unsupported": Reason(
        "An asynchronous task writes its options and its result, with their secrets, to the Mac's disk, and it"
        " cannot wait for the part of a module that runs on the controller.",
        "Remove async and poll from the task. Raise timeout for a slow Mac, and forks for many Macs.",
    ),
    "name_unusable": Reason(
        "macOS's tools cannot work with this account name.",
        "Use a short name of letters, digits, '.', '_', '-' and '@' that does not begin with '-'.",
    ),
    "value_unusable": Reason(
        "The value of an option cannot be used.",
        "Change the option that the message names.",
    ),
    "password_unusable": Reason(
        "macOS's prompts cannot take this password.",
        "Choose a password that is not empty, has no control characters, and keeps to the byte limit in the message.",
    ),
    # Who and whom
    "user_unknown": Reason(
        "There is no such account on this Mac.",
        "Check the short name, or create the account first with keyholder.macos.account.",
    ),
    "name_differs": Reason(
        "A record on this Mac or in the directory already uses this name, in other letters or as a second name.",
        "Give the short name exactly as keyholder.macos.trust_info shows it.",
    ),
    "user_password_wrong": Reason(
        "The password given for the account is wrong.",
        "Give the current password. The password of a directory account may have been changed in the directory.",
    ),
    "user_disabled": Reason(
        "The account is disabled or locked, or has no password, so macOS accepts no password for it.",
        "Enable the account (pwpolicy -u NAME -enableuser) or give it a password, then run again.",
    ),
    "granter_missing": Reason(
        "This change needs a granter, and none was given.",
        "Give admin_user and admin_password of an administrator who holds a Secure Token. The message names the"
        " granters of this Mac.",
    ),
    "granter_unknown": Reason(
        "The granter has no account on this Mac.",
        "Give one of the granters that the message names.",
    ),
    "granter_not_admin": Reason(
        "The granter is not an administrator, and macOS accepts only an administrator's authorisation.",
        "Give one of the granters that the message names. If it names none, set allow_temporary_promotion: the"
        " granter is then an administrator until the grant is done. Or, if a Bootstrap Token is escrowed, log in at"
        " the Mac's screen as the account that needs a token.",
    ),
    "granter_no_token": Reason(
        "The granter holds no Secure Token.",
        "Give one of the granters that the message names. If it names none, give a standard account that holds a"
        " token, and set allow_temporary_promotion. Or, if a Bootstrap Token is escrowed, log in at the Mac's screen"
        " as the account that needs a token.",
    ),
    "granter_phantom": Reason(
        "The three sources of truth disagree about the granter's token.",
        "Use another granter, and repair this account with keyholder.macos.repair: macOS may refuse its authorisation.",
    ),
    "granter_is_user": Reason(
        "An account cannot authorise the removal of its own token.",
        "Give another granter.",
    ),
    "granter_password_wrong": Reason(
        "The granter's password is wrong.",
        "Give the granter's current password.",
    ),
    "granter_disabled": Reason(
        "The granter's account is disabled or locked, or has no password.",
        "Enable the account (pwpolicy -u NAME -enableuser), or use another granter.",
    ),
    # Tokens
    "phantom": Reason(
        "The three sources of truth disagree about this account's token.",
        "Compare the sources in the message. If only the FileVault entry is missing, a holder may restore it with"
        " 'fdesetup add'. An account without a crypto user holds no token, whatever its record says."
        " keyholder.macos.repair shows and does what helps.",
    ),
    "stale_key": Reason(
        "The account's password does not open its key, because the password was set without the token, for example"
        " by a reset as root.",
        "Run keyholder.macos.repair. With the password from before the reset it restores the key; without it, it"
        " revokes the token and grants it again through another administrator with a token.",
    ),
    "key_unproven": Reason(
        "macOS did not say whether the password opens the account's key, and this change depends on that.",
        "Read the evidence, and run again. If this macOS never answers, leave this change out.",
    ),
    "orphan_stays": Reason(
        "This crypto user belongs to no account, and this Mac does not let it be removed.",
        "Leave it: it opens nothing without its password. On a Mac with a Secure Enclave, only erasing the Mac"
        " removes it.",
    ),
    "no_holder": Reason(
        "No account on this Mac holds a Secure Token, so no account can grant one.",
        "If the message says that the account can be the first holder, set first_token to true. Otherwise do at the"
        " Mac what the message says. If a Bootstrap Token is escrowed, a login at the Mac's screen brings a token,"
        " too.",
    ),
    "not_first": Reason(
        "macOS would not give this account the Mac's first token.",
        "Do what the message says; some of it has to be done at the Mac itself. Or choose an account that meets the"
        " rule in the message.",
    ),
    "last_admin_holder": Reason(
        "The change would take away the last administrator with a token, and then no account could grant one.",
        "Grant another administrator a token first.",
    ),
    "own_account": Reason(
        "The change would take something from the account that Ansible logged in with, or became root from.",
        "Log in with another account. If the connection reads the new password by itself, you may set"
        " allow_own_account.",
    ),
    "would_worsen": Reason(
        "After this change the Mac would be less recoverable than before.",
        "Read in the message what would be lost. Grant an administrator a Secure Token first.",
    ),
    "would_lock_out": Reason(
        "FileVault is on or may be on, and the change, or an interruption of it, could leave no way in: no holder"
        " who can log in, and no recovery key that is stored or escrowed.",
        "Make sure that a holder or a personal recovery key remains. If the recovery key is the only way in, it can"
        " be rotated only under an MDM profile that escrows it.",
    ),
    "prevention_unsupported": Reason(
        "Before macOS 11, nothing keeps an account from becoming the first holder.",
        "Grant an administrator a token first: then no account gets one by itself.",
    ),
    "holds_token": Reason(
        "The account already holds a Secure Token, and 'prevented' does not revoke one.",
        "To revoke it, use keyholder.macos.secure_token with state absent.",
    ),
    # Accounts
    "system_account": Reason(
        "This account belongs to macOS itself.",
        "Leave it alone.",
    ),
    "user_logged_in": Reason(
        "The account's user is logged in.",
        "Wait until the user has logged out, or set force: macOS then ends all of the account's programs.",
    ),
    "password_elsewhere": Reason(
        "The account's password is kept in a directory, and this Mac has only a copy of it.",
        "Change the password in the directory. The Mac takes it over at the next login while it can reach the"
        " directory.",
    ),
    "home_unsafe": Reason(
        "The account's home folder is not a folder of its own, so this run neither deletes nor archives it.",
        "Keep the home folder (offboard: home: keep), or correct the home folder in the account's record.",
    ),
    "path_unsafe": Reason(
        "Root would read or write a file at this path, but another account can write in a folder on the way, and"
        " could put a link there.",
        "Choose a path in a folder that only root may write to, without a link on the way.",
    ),
    "archive_exists": Reason(
        "There is already a file at the path of the home folder's archive.",
        "Move that file away, or give another path.",
    ),
    "uid_taken": Reason(
        "Another account uses this UID.",
        "Choose another uid, or leave it out. Change the UID of a directory account in the directory.",
    ),
    "uid_differs": Reason(
        "The account exists with another UID, and its files on the disk belong to that UID.",
        "Leave uid out, or remove the account and create it again.",
    ),
    "full_name_taken": Reason(
        "Another account already uses this name or full name, and macOS wants both to be unique.",
        "Choose another name or full_name. The message says which of the two is taken.",
    ),
    "account_not_mobile": Reason(
        "The Mac already has an account of this name, and it is not a mobile account.",
        "Leave it as it is. Or move its user's files, and delete it with keyholder.macos.account. Nothing was changed.",
    ),
    "password_drifted": Reason(
        "None of the passwords in the store is the account's: it was changed outside the store.",
        "Give the account's password once as current_password. If it is not known, set one with"
        " keyholder.macos.account_password through another administrator with a token (admin_user), and give that"
        " one as current_password.",
    ),
    "store_failed": Reason(
        "The store of the passwords or recovery keys could not be read or written.",
        "Repair the store, and run again. No password is set on the Mac before the store holds it; the next run"
        " goes on from here.",
    ),
    "store_not_durable": Reason(
        "This run cannot tell whether the store outlives its job: files in a job's own container are lost with it.",
        "In AWX, expose the folder to the jobs (Settings, Jobs, Paths to expose to isolated jobs), launch"
        " 'keyholder store' once on each execution node, then run again. Elsewhere, run"
        " keyholder.macos.recovery_key_store with state marked once, or set the option marked to false if no marker"
        " is needed.",
    ),
    "store_conflict": Reason(
        "Two runs made a recovery key for one Mac at the same time, and it is not known which of the two opens the"
        " Mac.",
        "Run again, one run at a time: that run makes and stores a new key. Keep all of this Mac's files until then.",
    ),
    "password_policy": Reason(
        "The password does not meet this Mac's password policy.",
        "Read the rules with keyholder.macos.trust_info (mac.policy), and choose a password that meets them.",
    ),
    # Directories
    "directory_not_bound": Reason(
        "The Mac is bound to no directory, so it can have no mobile account.",
        "Bind it (dsconfigad, or an MDM profile), then run again.",
    ),
    "directory_offline": Reason(
        "The Mac reaches none of the directories that it is bound to.",
        "Bring the Mac into its directory's network (check VPN, DNS and the clock), then run again.",
    ),
    "directory_user_unknown": Reason(
        "The directory has no user of this name.",
        "Check the short name in the directory with 'dscl /Search -read /Users/NAME' on the Mac.",
    ),
    # MDM and the Bootstrap Token
    "not_enrolled": Reason(
        "The Mac is not enrolled in MDM (mobile device management) in the way that a Bootstrap Token needs.",
        "Enrol the Mac (automated, or approved by its user), then run again.",
    ),
    "bootstrap_unsupported": Reason(
        "This macOS or its MDM server does not support the Bootstrap Token.",
        "Upgrade macOS to 10.15.4 or newer, and switch the Bootstrap Token on at the MDM server.",
    ),
    "bootstrap_not_escrowed": Reason(
        "No Bootstrap Token is escrowed.",
        "Escrow one first: keyholder.macos.bootstrap_token with state escrowed.",
    ),
    "bootstrap_refused": Reason(
        "profiles could not authenticate the granter.",
        "Check the granter's password, and that the granter is an administrator who holds a Secure Token.",
    ),
    "bootstrap_stale": Reason(
        "macOS could not verify the Bootstrap Token: the escrowed one no longer opens this volume.",
        "Remove it (state absent), then escrow a new one (state escrowed).",
    ),
    "too_soon": Reason(
        "macOS limits how often it asks the MDM server, and did not ask this time.",
        "Run again later. From macOS 12.3 on, the limit is per 23 hours. The collection does not try again by itself.",
    ),
    # FileVault
    "user_no_token": Reason(
        "The account holds no Secure Token, so it cannot unlock FileVault.",
        "Grant it one with keyholder.macos.secure_token, or give one of the holders that the message names.",
    ),
    "filevault_busy": Reason(
        "FileVault is encrypting or decrypting the volume, or waits for a restart.",
        "Wait until keyholder.macos.trust_info shows FileVault on or off. If FileVault waits for a restart, restart"
        " the Mac.",
    ),
    "filevault_off": Reason(
        "FileVault is off.",
        "Enable it with keyholder.macos.filevault first.",
    ),
    "last_unlocker": Reason(
        "The account is the last one that can unlock FileVault.",
        "Let another holder unlock FileVault first.",
    ),
    "last_recovery_key": Reason(
        "The change would remove the last recovery key, and no holder's password was proven to open the volume.",
        "Give user and password of a holder. This run tries the password on the holder's key before it removes the"
        " recovery key.",
    ),
    "key_missing": Reason(
        "The Mac has no personal recovery key.",
        "Make one: keyholder.macos.filevault_recovery_key with state present.",
    ),
    "key_invalid": Reason(
        "macOS says that the recovery key does not open this Mac.",
        "Use the key that belongs to this Mac, or rotate it with a holder's password.",
    ),
    "key_file_unusable": Reason(
        "The file that a deferred enablement left on the Mac holds no recovery key.",
        "Look at the file on the Mac; nothing was deleted. To make a new key, use state rotated.",
    ),
    "no_escrow_path": Reason(
        "The new recovery key would be lost: it would be neither encrypted to a recipient nor escrowed.",
        "Give recipients with recovery_key encrypt, or install an MDM profile with the payload FDERecoveryKeyEscrow.",
    ),
    "recipient_unusable": Reason(
        "The recovery key could not be encrypted to the recipients.",
        "Give PEM certificates whose RSA keys may encrypt, or valid age recipients.",
    ),
    "authrestart_unsupported": Reason(
        "FileVault is on, and macOS cannot restart this Mac past its unlock screen.",
        "Restart it while a person can unlock it at its screen. On macOS 26 and newer, ssh_unlock is worth a try.",
    ),
    # Another run, and what an earlier one has left
    "another_run": Reason(
        "Another run is changing this Mac, and only one may at a time. This run read and changed nothing.",
        "Wait for the other run, or raise lock_timeout. A cancelled job continues on the Mac until its current"
        " command there ends. If no run should be at work, run 'lsof' on the lock's file, which the evidence names:"
        " it shows the process. A restart of the Mac ends it.",
    ),
    "lock_unusable": Reason(
        "This run cannot safely hold the lock that keeps other runs away, so it read and changed nothing.",
        "Look at the lock's file and its folder on the Mac: another program or account put something in their"
        " place, or could. Remove that as root; the next run makes its own.",
    ),
    "preboot_failed": Reason(
        "The preboot volume was not updated, so the FileVault window may show the wrong users.",
        "A note stays on the Mac: each later run tries again, and only warns if that fails. If the message names a"
        " crypto user that belongs to no account, remove it with keyholder.macos.repair (orphans). Otherwise run"
        " 'diskutil apfs updatePreboot /' on the Mac, and read what it prints.",
    ),
    # What macOS did
    "timeout": Reason(
        "A command did not answer before its deadline, so this run stopped it.",
        "Look for a dialog on the Mac's screen. Raise timeout for a slow Mac. The next run continues from here.",
    ),
    "granter_refused": Reason(
        "macOS refused the granter: it is not an administrator, or may not authorise (OpenDirectory error 5101).",
        "Use another granter.",
    ),
    "key_refused": Reason(
        "macOS could not unlock the volume's key with the passwords given, although they are the accounts' passwords.",
        "The granter's key may be stale, because its password was reset without its token. Try another granter, or"
        " log in at the Mac as the granter with the old password.",
    ),
    "password_refused": Reason(
        "macOS refused a password while the change was made.",
        "Check both passwords, and whether the accounts are locked. The password of a directory account may have"
        " been changed in the directory.",
    ),
    "last_holder": Reason(
        "The account is the Mac's last holder or last administrator, and macOS itself keeps it.",
        "First make another account an administrator, and grant it a token.",
    ),
    "not_proven": Reason(
        "macOS accepted the change, but the second reading does not show it.",
        "Read the evidence: it holds what the command printed and what each source says now.",
    ),
    "not_back": Reason(
        "The Mac did not come back in time after its restart, or did not restart.",
        "Look at its screen: it may wait to be unlocked, although macOS said that it would not. Raise"
        " reboot_timeout for a slow Mac.",
    ),
    "key_not_given": Reason(
        "macOS made a new recovery key and did not give it to this run. The old key no longer works.",
        "Rotate the key again. With an MDM profile that has the payload FDERecoveryKeyEscrow, macOS escrows each"
        " new key without this collection.",
    ),
    "command_failed": Reason(
        "A command failed.",
        "Read the evidence: it holds the command and what it printed.",
    ),
}
REASONS.update({fdesetup.exit_code(status): Reason(*words) for status, words in fdesetup.EXIT.items()})
