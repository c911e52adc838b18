# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reasons in accounts, their passwords and tokens, and the directories that they come from.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

from ansible_collections.keyholder.macos.plugins.module_utils._reasons.base import (
    CHECKED,
    SOURCES,
    UNREAD,
    WORDS,
    Group,
    Reason,
)

WHO = Group(
    "Who, and by whom",
    "Facts about the two accounts that a change needs. All of them are checked before the first write, so nothing"
    " was written.",
    {
        "user_unknown": Reason(
            "There is no such account on this Mac.",
            "Check the short name, or create the account first with keyholder.macos.account.",
            "None. The message lists the accounts that there are.",
        ),
        "name_differs": Reason(
            "A record on this Mac or in the directory already uses this name, in other letters or as a second name.",
            "Give the short name exactly as keyholder.macos.trust_info shows it.",
            "None: the message holds the name that was given.",
        ),
        "user_password_wrong": Reason(
            "The password given for the account is wrong.",
            "Give the current password. The password of a directory account may have been changed in the directory.",
            CHECKED,
        ),
        "user_disabled": Reason(
            "The account is disabled or locked, has no password, or its password has expired, so macOS accepts no"
            " password for it.",
            "Enable the account (pwpolicy -u NAME -enableuser) or give it a new password, then run again.",
            WORDS,
        ),
        "granter_missing": Reason(
            "This change needs a granter, and none was given.",
            "Give admin_user and admin_password of an administrator who holds a Secure Token. The message names the"
            " granters of this Mac.",
            "None. The message names the granters of this Mac.",
        ),
        "granter_unknown": Reason(
            "The granter has no account on this Mac.",
            "Give one of the granters that the message names.",
            "None. The message names the granters of this Mac.",
        ),
        "granter_not_admin": Reason(
            "The granter is not an administrator, and macOS accepts only an administrator's authorisation.",
            "Give one of the granters that the message names. If it names none, do what else it says. If it says"
            " nothing else, enable or unlock an administrator who holds a token.",
            SOURCES,
        ),
        "granter_no_token": Reason(
            "The granter holds no Secure Token.",
            "Give one of the granters that the message names. If it names none, do what else it says. If it says"
            " nothing else, enable or unlock an administrator who holds a token.",
            SOURCES,
        ),
        "granter_phantom": Reason(
            "The three sources of truth disagree about the granter's token.",
            "Use another granter, because macOS may refuse this one. Then repair this one's account with"
            " keyholder.macos.repair.",
            SOURCES,
        ),
        "granter_is_user": Reason(
            "An account cannot authorise the removal of its own token.",
            "Give another granter.",
        ),
        "granter_password_wrong": Reason(
            "The granter's password is wrong.",
            "Give the granter's current password.",
            CHECKED,
        ),
        "granter_disabled": Reason(
            "The granter's account is disabled or locked, has no password, or its password has expired.",
            "Enable the account (pwpolicy -u NAME -enableuser), give it a new password, or use another granter.",
            WORDS,
        ),
    },
)

TOKENS = Group(
    "Tokens",
    "What a Mac's Secure Token state or macOS does not allow. Decided from the plan, before the first write.",
    {
        "phantom": Reason(
            "The three sources of truth disagree about this account's token.",
            "Run the playbook keyholder.macos.repair with repair_apply=true. Name the account in repair_user, another"
            " administrator who holds a token in repair_admin_user, and give the passwords of both. Without"
            " repair_apply the playbook only shows the steps.",
            SOURCES,
        ),
        "stale_key": Reason(
            "The account's password does not open its key, because the password was set without the token, for"
            " example by a reset as root.",
            "Run keyholder.macos.repair. With the password from before the reset it restores the key; without it,"
            " it revokes the token and grants it again through another administrator with a token.",
            "What diskutil said when it tried the password against the account's key.",
        ),
        "key_unproven": Reason(
            "macOS did not say whether the password opens the account's key, and this change depends on that.",
            "Read the evidence, and run again. If this macOS never answers, leave this change out.",
            "What diskutil said when it tried the password against the account's key.",
        ),
        "orphan_stays": Reason(
            "This crypto user belongs to no account, and this Mac does not let it be removed.",
            "Leave it: it opens nothing without its password. On a Mac with a Secure Enclave, only erasing the Mac"
            " removes it.",
        ),
        "no_holder": Reason(
            "No account on this Mac holds a Secure Token, so no account can grant one.",
            "If the message says that the account can be the first holder, set first_token to true. Otherwise do at"
            " the Mac what the message says. If a Bootstrap Token is escrowed, a login at the Mac's screen brings a"
            " token, too.",
            "None. The message gives the rule of this macOS and whether the account could be the first.",
        ),
        "not_first": Reason(
            "macOS would not give this account the Mac's first token.",
            "Do what the message says; some of it has to be done at the Mac itself. Or choose an account that meets"
            " the rule in the message.",
            "None. The message gives the rule that the account does not meet.",
        ),
        "last_admin_holder": Reason(
            "The change would take away the last administrator with a token, and then no account could grant one.",
            "Grant another administrator a token first.",
            "The administrators who hold a token today, and what each source says of them.",
        ),
        "own_account": Reason(
            "The change would take something from the account that Ansible logged in with, or became root from.",
            "Log in with another account. If nothing but its password changes, and the connection reads the new one by"
            " itself, as with the lookup keyholder.macos.managed_password, you may set allow_own_account.",
        ),
        "would_worsen": Reason(
            "After this change the Mac would be less recoverable than before.",
            "Read in the message what would be lost. Grant an administrator a Secure Token first.",
            "The verdict of today, and why.",
        ),
        "would_lock_out": Reason(
            "FileVault is on or may be on, and the change, or an interruption of it, could leave no way in: no"
            " holder who can log in, and no recovery key that is stored or escrowed.",
            "Make sure that a holder or a personal recovery key remains. If the recovery key is the only way in, it"
            " can be rotated only under an MDM profile that escrows it.",
            "The holders of today, and what each source says of them.",
        ),
        "prevention_unsupported": Reason(
            "Before macOS 11, nothing keeps an account from becoming the first holder.",
            "Grant an administrator a token first: then no account gets one by itself.",
        ),
        "holds_token": Reason(
            "The account already holds a Secure Token, and 'prevented' does not revoke one.",
            "To revoke it, use keyholder.macos.secure_token with state absent.",
        ),
    },
)

ACCOUNTS = Group(
    "Accounts",
    "What the directory of this Mac does not allow.",
    {
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
            "Root would read, write or start a file at this path, but another account can write in a folder on the way,"
            " and could put a link there.",
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
            "Leave it as it is. Or move its user's files, and delete it with keyholder.macos.account. Nothing was"
            " changed.",
        ),
        "password_drifted": Reason(
            "None of the passwords in the store is the account's: it was changed outside the store.",
            "Give the account's password once as current_password. If it is not known, set one with"
            " keyholder.macos.account_password through another administrator with a token (admin_user), and give"
            " that one as current_password.",
            CHECKED,
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
            " keyholder.macos.recovery_key_store with state marked once, or set the option marked to false if no"
            " marker is needed.",
        ),
        "store_conflict": Reason(
            "Two runs made a recovery key for one Mac at the same time, and it is not known which of the two opens"
            " the Mac.",
            "Run again, one run at a time: that run makes and stores a new key. Keep all of this Mac's files until"
            " then.",
        ),
        "password_policy": Reason(
            "The password does not meet this Mac's password policy.",
            "Read the rules with keyholder.macos.trust_info (mac.policy), and choose a password that meets them.",
            WORDS,
        ),
    },
)

DIRECTORIES = Group(
    "Directories",
    "Decided from the reading, before the first write and without a login at the directory.",
    {
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
            UNREAD,
        ),
    },
)
