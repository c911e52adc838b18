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
        "The Mac's shell did not give the answer that the script makes it give.",
        "See the evidence: sudo may refuse the account, or /bin/sh is not a POSIX shell there.",
    ),
    "macos_too_old": Reason(
        "Secure Tokens exist from macOS 10.13 on.",
        "Upgrade the Mac, or leave it out of the play.",
    ),
    "not_apfs": Reason(
        "The boot volume is not APFS, so there are no Secure Tokens on this Mac.",
        "Convert the boot volume to APFS (a macOS upgrade does it), or leave the Mac out of the play.",
    ),
    "reading_incomplete": Reason(
        "A source that the decision rests on could not be read.",
        "Read the evidence. Usual causes: no root, no Full Disk Access, a command that never answered.",
    ),
    "output_too_long": Reason(
        "A program on the Mac printed more than any Mac has to say, and was stopped.",
        "Run the program that the evidence names on the Mac, and see what it prints: it may be broken, or not Apple's.",
    ),
    "reading_damaged": Reason(
        "What the Mac's programs said could not be understood.",
        "Read the Mac again; if it happens again, report it with the evidence and the version of macOS.",
    ),
    "root_locked_out": Reason(
        "macOS refuses sysadminctl even to root: its authorization database was hardened.",
        "Run 'security authorizationdb reset' on the right that your hardening changed (usnistgov/macos_security 574).",
    ),
    "no_full_disk_access": Reason(
        "macOS refused to change the account's record, although root asked.",
        "On the Mac: System Settings, General, Sharing, Remote Login, 'Allow full disk access for remote users'.",
    ),
    # Options
    "option_missing": Reason(
        "An option that this change needs was not given.",
        "Give the option that the message names.",
    ),
    "option_unknown": Reason(
        "There is no such option.",
        "Correct its name, or take it away. Its page, or ansible-doc, lists what a module takes.",
    ),
    "policy_unusable": Reason(
        "The policy that the audit judges by is not one.",
        "Correct what the message names. The guide to audits says what a policy holds.",
    ),
    "history_unusable": Reason(
        "The file that history names is no history of audits, or cannot be read and written.",
        "Name another file, or one that is not there yet. A copy of an earlier day may be put in its place.",
    ),
    "report_unwritable": Reason(
        "The files of the report could not be written.",
        "Make room, or name a folder in dest that can be written to. A report that was there before is as it was, and"
        " the history does not have this audit.",
    ),
    "answers_missing": Reason(
        "There is no answer of any Mac to make a report of.",
        "Read the Macs first, or name in saved the files that hold their answers.",
    ),
    "not_text": Reason(
        "A name, a secret or another text was given as a number, a date, a list or something else that is no text.",
        "Put it in quotes where it is written: 0012345 without quotes is the number 5349, and '| string' does not bring"
        " the zeros back. ansible-core 2.19 and newer makes a number of !unsafe '0123' in an extra-vars file as well:"
        " leave !unsafe out there, or give the value in group_vars or a vault.",
    ),
    "password_is_hash": Reason(
        "The value is a hash of a password, such as password_hash makes for Linux. macOS wants the password itself.",
        "Give the password itself. Where an account's password really is that text, as it was set so by mistake, give"
        " it once as old_password (current_password with a store) and set another one.",
    ),
    "async_unsupported": Reason(
        "An asynchronous task writes its options and its result, with the secrets in them, to the Mac's disk; and what"
        " a module does on the controller cannot wait there.",
        "Take async and poll away from the task. A larger timeout is for a slow Mac, forks for many Macs.",
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
        "The password cannot be handed to macOS's prompts.",
        "Choose a password without control characters that is within the byte limit in the message, and not empty.",
    ),
    # Who and whom
    "user_unknown": Reason(
        "There is no such account on this Mac.",
        "Check the short name, or create the account first with keyholder.macos.account.",
    ),
    "name_differs": Reason(
        "A record of the directory uses this name, in other letters or as a second name.",
        "Give the short name exactly as keyholder.macos.trust_info shows it.",
    ),
    "user_password_wrong": Reason(
        "The password given for the account is not its password.",
        "Give the current password. For a directory account: its password may have been changed elsewhere.",
    ),
    "user_disabled": Reason(
        "The account is disabled or locked, or has no password, so macOS accepts none for it.",
        "Enable the account (pwpolicy -u NAME -enableuser) or give it a password, then run again.",
    ),
    "granter_missing": Reason(
        "A granter is needed and none was given.",
        "Give admin_user and admin_password of an administrator who holds a token; the message names them.",
    ),
    "granter_unknown": Reason(
        "The granter has no account on this Mac.",
        "Give one of the granters that the message names.",
    ),
    "granter_not_admin": Reason(
        "The granter is not an administrator, and only an administrator's token can authorise.",
        "Give one of the granters that the message names. Where it names none, set allow_temporary_promotion, which"
        " makes this holder an administrator for the moment of the grant, or have a Bootstrap Token escrowed and log in"
        " at the screen as the account that needs a token.",
    ),
    "granter_no_token": Reason(
        "The granter holds no Secure Token.",
        "Give one of the granters that the message names. Where it names none, give a standard account that holds one"
        " and set allow_temporary_promotion, or have a Bootstrap Token escrowed and log in at the screen as the account"
        " that needs a token.",
    ),
    "granter_phantom": Reason(
        "The sources of truth disagree about the granter's token.",
        "Use another granter, and have this account repaired: it may be unable to authorise anything.",
    ),
    "granter_is_user": Reason(
        "An account cannot authorise the removal of its own token.",
        "Give another granter.",
    ),
    "granter_password_wrong": Reason(
        "The granter's password is wrong.",
        "Give the granter's current password. Nothing was changed.",
    ),
    "granter_disabled": Reason(
        "The granter's account is disabled or locked, or has no password.",
        "Enable the account (pwpolicy -u NAME -enableuser), or use another granter.",
    ),
    # Tokens
    "phantom": Reason(
        "The three sources of truth disagree about this account's token.",
        "Look at the sources in the message. A missing FileVault entry may come back with 'fdesetup add' by a holder;"
        " a marker without a crypto user is no token.",
    ),
    "stale_key": Reason(
        "The account's password does not open its key: it was set without the token, as a reset by root does.",
        "keyholder.macos.repair names the way that is open: with the password from before the reset the key is brought"
        " back; without it the token is taken and granted again through another administrator with a token.",
    ),
    "key_unproven": Reason(
        "macOS did not say whether the password opens the account's key, and the change rests on that.",
        "Read the evidence, and run again. Leave the change out where this macOS does not answer.",
    ),
    "orphan_stays": Reason(
        "A crypto user that belongs to no account cannot be removed on this Mac.",
        "It opens nothing without its password. Only erasing the Mac takes it away, where a Secure Enclave keeps it.",
    ),
    "no_holder": Reason(
        "Nobody on this Mac holds a Secure Token, so nobody can grant one.",
        "Set first_token to true where the message says that the account can be the first holder. Otherwise it says"
        " what a person has to do at the Mac. With a Bootstrap Token escrowed, a login at the screen brings one too.",
    ),
    "not_first": Reason(
        "macOS would not make this account the first holder.",
        "The message names the rule, and what has to be done for this account, by a person at the Mac where it cannot"
        " be done from afar. Or choose an account that fits the rule.",
    ),
    "last_admin_holder": Reason(
        "The change would take away the last administrator with a token, and nobody could grant one again.",
        "Give another administrator a token first.",
    ),
    "own_account": Reason(
        "The change would take something from the account that Ansible itself logged in with, or became root from.",
        "Log in with another account, or set allow_own_account where the connection reads the new password by itself.",
    ),
    "would_worsen": Reason(
        "The Mac could be recovered less well after the change than before it.",
        "The message says what would be lost. Give an administrator a Secure Token first.",
    ),
    "would_lock_out": Reason(
        "FileVault is on or may be, and the change would leave, or could leave where it is cut off, neither a holder"
        " who can log in nor a recovery key that somebody has.",
        "Make sure that a holder or a personal recovery key remains. A key that is the only way in is made anew only"
        " where a profile of the device management escrows it.",
    ),
    "prevention_unsupported": Reason(
        "Before macOS 11 nothing keeps an account from becoming the first holder.",
        "Give an administrator a token first: then no account gets one by itself.",
    ),
    "holds_token": Reason(
        "The account already holds a Secure Token, which 'prevented' does not take away.",
        "Revoke it with keyholder.macos.secure_token (state: absent) if that is what you want.",
    ),
    # Accounts
    "system_account": Reason(
        "This account belongs to macOS itself.",
        "Leave it alone.",
    ),
    "user_logged_in": Reason(
        "The account is in use.",
        "Wait until its user has logged out, or set force: macOS then ends everything that it runs.",
    ),
    "password_elsewhere": Reason(
        "The account's password is kept by a directory, and this Mac has a copy only.",
        "Change it in the directory. The Mac takes it over at the next login while the directory can be reached.",
    ),
    "home_unsafe": Reason(
        "The account's home folder is not a folder of its own, so it is neither deleted nor archived.",
        "Keep the home folder (offboard: home: keep), or correct the home folder in the account's record.",
    ),
    "path_unsafe": Reason(
        "Others than root may write where root was to write or read a file, and could put a link there.",
        "Choose a path in a folder of root's in which nobody else can write; no folder on the way may be a link.",
    ),
    "archive_exists": Reason(
        "There is a file where the home folder is to be archived.",
        "Take it away, or give another path.",
    ),
    "uid_taken": Reason(
        "Another account uses this UID.",
        "Choose another uid, or leave it out. A directory's UID is changed in the directory.",
    ),
    "uid_differs": Reason(
        "The account exists with another UID, and files on the disk belong to that number.",
        "Leave uid out, or remove the account and create it again.",
    ),
    "full_name_taken": Reason(
        "Another account uses this name or full name, and macOS wants them unique.",
        "Choose another full_name.",
    ),
    "account_not_mobile": Reason(
        "An account of this name is on the Mac already, and it is no mobile account.",
        "Leave it as it is, or move its owner's files and delete it with keyholder.macos.account. Nothing was changed.",
    ),
    "password_drifted": Reason(
        "No password in the store is the account's: somebody has changed it elsewhere.",
        "Give current_password once, if somebody knows it. Otherwise set it with keyholder.macos.account_password"
        " through another administrator with a token (admin_user), and then give that one as current_password.",
    ),
    "store_failed": Reason(
        "The store of the passwords or recovery keys could not be read or written.",
        "Repair the store. Nothing is set on the Mac that the store does not hold; the next run goes on from here.",
    ),
    "store_not_durable": Reason(
        "Nothing shows that the store outlives this job: what is put into a job's own container goes with it.",
        "In AWX: expose the folder to the jobs (Settings, Jobs, Paths to expose to isolated jobs), launch 'keyholder"
        " store' once on each execution node, then run again. Elsewhere: run keyholder.macos.recovery_key_store with"
        " state marked once, or say with the option marked that no marker is needed.",
    ),
    "store_conflict": Reason(
        "Two runs made a recovery key of one Mac at the same time, so nobody knows which of the two opens it.",
        "Run again, with one run at a time: it makes a new key and stores that. Keep all files of this Mac until then.",
    ),
    "password_policy": Reason(
        "The password does not meet this Mac's password policy.",
        "Read the rules with keyholder.macos.trust_info (mac.policy), and choose a password that meets them.",
    ),
    # Directories
    "directory_not_bound": Reason(
        "The Mac is bound to no directory, so no mobile account can be made.",
        "Bind it (dsconfigad, or a profile of the device management), then run again.",
    ),
    "directory_offline": Reason(
        "No directory that the Mac is bound to can be reached.",
        "Bring the Mac to its directory's network (VPN, DNS and clock too), then run again.",
    ),
    "directory_user_unknown": Reason(
        "The directory knows nobody of this name.",
        "Check the short name as the directory has it, with 'dscl /Search -read /Users/NAME' on the Mac.",
    ),
    # Device management and the Bootstrap Token
    "not_enrolled": Reason(
        "The Mac is not enrolled in device management as a Bootstrap Token needs it.",
        "Enrol the Mac (automated, or approved by its user), then run again.",
    ),
    "bootstrap_unsupported": Reason(
        "This macOS, or the server of the device management, has no Bootstrap Token.",
        "Upgrade macOS to 10.15.4 or newer, and switch the Bootstrap Token on in the device management.",
    ),
    "bootstrap_not_escrowed": Reason(
        "No Bootstrap Token is escrowed.",
        "Escrow one first: state escrowed.",
    ),
    "bootstrap_refused": Reason(
        "profiles could not authenticate the granter.",
        "Check the password, and that the granter is an administrator who holds a Secure Token.",
    ),
    "bootstrap_stale": Reason(
        "macOS could not verify the Bootstrap Token: the escrowed one no longer opens this volume.",
        "Remove it (state absent), then escrow a new one.",
    ),
    "too_soon": Reason(
        "macOS limits how often device management may be asked, and refused this time.",
        "Run again later. From macOS 12.3 on the limit is per 23 hours; the collection does not try again by itself.",
    ),
    # FileVault
    "user_no_token": Reason(
        "The account holds no Secure Token, so it cannot unlock FileVault.",
        "Grant it one with keyholder.macos.secure_token, or give one of the holders that the message names.",
    ),
    "filevault_busy": Reason(
        "The volume is being converted, or waits for a restart.",
        "Wait, or restart the Mac, until keyholder.macos.trust_info shows FileVault on or off.",
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
        "Give user and password of a holder: the password is tried against the holder's key before the recovery key"
        " goes.",
    ),
    "key_missing": Reason(
        "There is no personal recovery key.",
        "Make one: keyholder.macos.filevault_recovery_key with state present.",
    ),
    "key_invalid": Reason(
        "macOS says that the recovery key does not open this Mac.",
        "Use the key that belongs to this Mac, or rotate it with a holder's password.",
    ),
    "key_file_unusable": Reason(
        "The file that a deferral leaves is there, and holds no recovery key.",
        "Look at it on the Mac. Nothing was deleted; a new key can be made with state rotated.",
    ),
    "no_escrow_path": Reason(
        "Nobody would have the new recovery key.",
        "Give recipients with recovery_key encrypt, or install a profile with the payload FDERecoveryKeyEscrow.",
    ),
    "recipient_unusable": Reason(
        "The recovery key could not be encrypted to the recipients.",
        "Give certificates in PEM whose RSA keys may encrypt. Nothing was changed.",
    ),
    "authrestart_unsupported": Reason(
        "FileVault is on, and macOS cannot restart this Mac past its unlock screen.",
        "Restart it where somebody can unlock it at the screen; on macOS 26 and newer ssh_unlock may be tried.",
    ),
    # Another run, and what an earlier one has left
    "another_run": Reason(
        "Another run changes this Mac, and only one may at a time. Nothing was read or changed.",
        "Wait for it, or raise lock_timeout. A job that was cancelled goes on on the Mac until its command there ends."
        " Where nothing should be at work any more, 'lsof' on the lock's file, which the evidence names, says what is,"
        " and a restart of the Mac ends it.",
    ),
    "lock_unusable": Reason(
        "The lock that keeps a second run away cannot be held safely, so nothing was read or changed.",
        "Look at the file and its folder on the Mac: something else was put there, or may be. Take it away as root;"
        " the next run makes its own.",
    ),
    "preboot_failed": Reason(
        "The preboot volume was not told who may unlock, so the FileVault window may show the wrong people.",
        "The note stays on the Mac: each later run tries again, and only warns where it fails. Where a crypto user that"
        " belongs to no account is named, remove it with keyholder.macos.repair (orphans). Otherwise run"
        " 'diskutil apfs updatePreboot /' on the Mac and read what it says.",
    ),
    # What macOS did
    "timeout": Reason(
        "A command did not answer before its deadline and was stopped.",
        "Look for a dialog on the Mac's screen; raise timeout for a slow Mac. The next run continues from here.",
    ),
    "granter_refused": Reason(
        "macOS refused the granter: not an administrator, or not allowed to authorise (OpenDirectory error 5101).",
        "Use another granter.",
    ),
    "key_refused": Reason(
        "macOS could not unlock the volume's key with the passwords given, although they are the accounts' passwords.",
        "The granter's key may be stale: its password was reset without its token. Try another granter,"
        " or log in as the granter at the Mac with the old password.",
    ),
    "password_refused": Reason(
        "macOS refused a password at the moment of the change.",
        "Check both passwords, and whether the accounts are locked. A directory account's password may have been"
        " changed elsewhere.",
    ),
    "last_holder": Reason(
        "It is the last holder or the last administrator of the Mac, and macOS itself keeps those.",
        "Make another account an administrator first, and give it a token.",
    ),
    "not_proven": Reason(
        "macOS accepted the change, but the second reading does not show it.",
        "Read the evidence: it holds the command's own words and what each source says now.",
    ),
    "not_back": Reason(
        "The Mac did not come back in time after its restart, or has not restarted.",
        "Look at its screen: it may wait to be unlocked, although macOS said that it would not. A slow Mac needs a"
        " larger reboot_timeout.",
    ),
    "key_not_given": Reason(
        "macOS has made a new recovery key and given it to nobody; the old one is dead.",
        "Rotate it again. A profile with the payload FDERecoveryKeyEscrow gets the key without this collection.",
    ),
    "command_failed": Reason(
        "A command failed.",
        "Read the evidence: it holds the command and its own words.",
    ),
}
REASONS.update({fdesetup.exit_code(status): Reason(*words) for status, words in fdesetup.EXIT.items()})
