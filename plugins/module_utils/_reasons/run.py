# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reasons in other runs, and in what macOS did once a run had begun to write.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

from ansible_collections.keyholder.macos.plugins.module_utils._reasons.base import WORDS, Group, Reason

OTHER_RUNS = Group(
    "Another run, and what an earlier one has left",
    "The first three are decided before the Mac is read, ``lock_lost`` before any command. The last comes after"
    " everything else was done.",
    {
        "another_run": Reason(
            "Another run is changing this Mac, and only one may at a time. This run read and changed nothing.",
            "Wait for the other run, or raise lock_timeout. A cancelled job continues on the Mac until its current"
            " command there ends. If no run should be at work, run 'lsof' on the lock's file, which the evidence"
            " names: it shows the process. A restart of the Mac ends it. A run through a shell lets go by itself, a"
            " minute after its last command.",
            "The lock's file on the Mac.",
        ),
        "connection_lost": Reason(
            "The connection ended while this run waited for another run. Nothing was read or changed.",
            "Run it again.",
            "The lock's file on the Mac.",
        ),
        "lock_unusable": Reason(
            "This run cannot safely hold the lock that keeps other runs away, so it read and changed nothing.",
            "Look at the lock's file and its folder on the Mac: another program or account put something in their"
            " place, or could. Remove that as root; the next run makes its own.",
            "The lock's file on the Mac.",
        ),
        "lock_lost": Reason(
            "Between two of its commands this run lost the lock that keeps other runs away: on a Mac without Python it"
            " is held for a minute after each command. This run did not go on.",
            "Run it again: the next run continues from here. If it happens again, look for a connection or a controller"
            " that is slow, and for another run on this Mac.",
            "The lock's file on the Mac.",
        ),
        "preboot_failed": Reason(
            "The preboot volume was not updated, so the FileVault window may show the wrong users.",
            "A note stays on the Mac: each later run tries again, and only warns if that fails. If the message"
            " names a crypto user that belongs to no account, remove it with keyholder.macos.repair (orphans)."
            " Otherwise run 'diskutil apfs updatePreboot /' on the Mac, and read what it prints.",
            "Every command of the run so far, with its exit status. What ``updatePreboot`` prints is not shown.",
        ),
    },
)

_BACK = "When the Mac had started before, what came of the password if one was sent, and what the Mac answered last."

MACOS = Group(
    "What macOS did",
    "Something went wrong after the first write had begun. ``state.after`` is a reading made after the failure, and"
    " ``changed`` says whether that reading differs from the one before. The next run continues from there.",
    {
        "timeout": Reason(
            "A command did not answer before its deadline, so this run stopped it.",
            "Look for a dialog on the Mac's screen. Raise timeout for a slow Mac. The next run continues from here.",
            "Every command of the run so far, with its exit status and words.",
        ),
        "granter_refused": Reason(
            "macOS refused the granter: it is not an administrator, or may not authorise (OpenDirectory error 5101).",
            "Use another granter.",
            WORDS,
        ),
        "key_refused": Reason(
            "macOS could not unlock the volume's key with the passwords given, although they are the accounts'"
            " passwords.",
            "The granter's key may be stale, because its password was reset without its token. Try another granter, who"
            " can also repair this one's account (keyholder.macos.repair), or log in at the Mac as the granter with the"
            " old password.",
            WORDS,
        ),
        "password_refused": Reason(
            "macOS refused a password while the change was made.",
            "Check both passwords, and whether the accounts are locked. The password of a directory account may"
            " have been changed in the directory.",
            WORDS,
        ),
        "account_refused": Reason(
            "macOS refused an account while the change was made: it is disabled or locked, or its password has"
            " expired.",
            "If the evidence says 'without secure token unlock', macOS refused the granter. Enable the account"
            " (pwpolicy -u NAME -enableuser), or give it a new password, then run again.",
            WORDS,
        ),
        "last_holder": Reason(
            "The account is the Mac's last holder or last administrator, and macOS itself keeps it.",
            "First make another account an administrator, and grant it a token.",
            "None if this run foresees it, before the first write. Otherwise the command's own words.",
        ),
        "not_proven": Reason(
            "macOS accepted the change, but the second reading does not show it.",
            "See in the evidence what the command printed, and which source does not show the change. Then run again."
            " If it ends in the same way, report it with the evidence and the version of macOS.",
            "The command's own words, and what each source says now against what was planned.",
        ),
        "not_back": Reason(
            "The Mac did not come back in time after its restart, or did not restart.",
            "Look at its screen: it may wait to be unlocked, although macOS said that it would not. Raise"
            " reboot_timeout for a slow Mac.",
            _BACK,
        ),
        "waits_for_unlock": Reason(
            "The Mac waits at FileVault's unlock screen. From macOS 26 on it answers SSH there and refuses keys.",
            "Unlock it over SSH with the playbook unlock or the module filevault_unlock, or at its"
            " screen. After ten wrong passwords only macOS Recovery helps. For a restart by filevault_reboot,"
            " ssh_unlock does it.",
            _BACK,
        ),
        "preboot_ssh_broken": Reason(
            "The Mac accepts connections and drops them before SSH says a word, as macOS 26.5.1 was seen to do at"
            " FileVault's unlock screen. No password was sent.",
            "Unlock it at its screen. If it is unlocked, look at its sshd: too many connections, or host keys that it"
            " cannot read, look the same.",
            _BACK,
        ),
        "unlock_refused": Reason(
            "The Mac refused the password at its unlock screen. It was sent once. A password that is wrong, and an"
            " account that the screen does not know, are refused alike.",
            "Try the password on the Mac's screen. If it is right, run 'diskutil apfs updatePreboot /' once the Mac is"
            " unlocked. After ten wrong passwords only macOS Recovery helps.",
            _BACK,
        ),
        "unlock_locked_out": Reason(
            "The Mac did not look at the password, because the account is temporarily unavailable at its unlock screen:"
            " too many wrong passwords came before.",
            "Wait, and unlock it at its screen, or with another holder or the recovery key.",
            _BACK,
        ),
        "unlock_unknown_user": Reason(
            "The Mac's unlock screen does not know the account, or could not ask for it. This costs no attempt.",
            "Unlock it with another holder, then run 'diskutil apfs updatePreboot /' on the Mac.",
            _BACK,
        ),
        "host_key_changed": Reason(
            "The Mac answers with another host key than the one that the controller knows. At its unlock screen a Mac"
            " has the same keys as always. No password was sent to it.",
            "Find out what answers there: another host may have the address, or the Mac was erased. Only then remove"
            " the old key (ssh-keygen -R HOST).",
            _BACK,
        ),
        "key_not_given": Reason(
            "macOS made a new recovery key and did not give it to this run. The old key no longer works.",
            "Rotate the key again. With an MDM profile that has the payload FDERecoveryKeyEscrow, macOS escrows"
            " each new key without this collection.",
            "The command and its exit status, never what it printed.",
        ),
        "command_failed": Reason(
            "A command failed.",
            "See in the evidence what the command printed, remove that cause, and run again. If the evidence does not"
            " help, report it with the version of macOS.",
            WORDS,
        ),
    },
)
