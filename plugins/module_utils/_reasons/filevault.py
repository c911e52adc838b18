# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reasons in MDM, the Bootstrap Token, FileVault and its keys.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

from ansible_collections.keyholder.macos.plugins.module_utils._reasons.base import WORDS, Group, Reason

MDM = Group(
    "MDM and the Bootstrap Token",
    "Decided from the reading if it tells enough. The last three are macOS's own answers.",
    {
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
            WORDS,
        ),
        "bootstrap_stale": Reason(
            "macOS could not verify the Bootstrap Token: the escrowed one no longer opens this volume.",
            "Remove it with keyholder.macos.bootstrap_token (state absent), then escrow a new one (state escrowed).",
            WORDS,
        ),
        "too_soon": Reason(
            "macOS limits how often it asks the MDM server, and did not ask this time.",
            "Run again later. From macOS 12.3 on, the limit is per 23 hours. The collection does not try again by"
            " itself.",
            WORDS,
        ),
    },
)

FILEVAULT = Group(
    "FileVault",
    "Decided from the plan, before the first write, except for a key that macOS calls invalid.",
    {
        "user_no_token": Reason(
            "The account holds no Secure Token, so it cannot unlock FileVault.",
            "Grant it one with keyholder.macos.secure_token, or give one of the holders that the message names.",
        ),
        "filevault_busy": Reason(
            "FileVault is encrypting or decrypting the volume, or waits for a restart.",
            "Wait until keyholder.macos.trust_info shows FileVault on or off. If FileVault waits for a restart,"
            " restart the Mac.",
        ),
        "filevault_off": Reason(
            "FileVault is off.",
            "Enable it with keyholder.macos.filevault first.",
        ),
        "last_unlocker": Reason(
            "The account is the last one that can unlock FileVault.",
            "Let another holder unlock FileVault first, with keyholder.macos.filevault_user.",
        ),
        "last_recovery_key": Reason(
            "The change would remove the last recovery key, and no holder's password was proven to open the volume.",
            "Give user and password of a holder. This run tries the password on the holder's key before it removes"
            " the recovery key.",
        ),
        "key_missing": Reason(
            "The Mac has no personal recovery key.",
            "Make one: keyholder.macos.filevault_recovery_key with state present.",
        ),
        "key_invalid": Reason(
            "macOS says that the recovery key does not open this Mac.",
            "Use the key that belongs to this Mac, or rotate it with a holder's password.",
            "The command and its exit status, never the key.",
        ),
        "key_file_unusable": Reason(
            "The file that a deferred enablement left on the Mac holds no recovery key.",
            "Look at the file on the Mac; nothing was deleted. To make a new key, use state rotated.",
            "The command that read the file and its exit status, never what it read.",
        ),
        "no_escrow_path": Reason(
            "The new recovery key would be lost: it would be neither encrypted to a recipient nor escrowed.",
            "Give recipients with recovery_key encrypt, or install an MDM profile with the payload"
            " FDERecoveryKeyEscrow.",
        ),
        "recipient_unusable": Reason(
            "The recovery key could not be encrypted to the recipients.",
            "Give PEM certificates whose RSA keys may encrypt, or valid age recipients.",
            WORDS,
        ),
        "authrestart_unsupported": Reason(
            "FileVault is on, and macOS cannot restart this Mac past its unlock screen.",
            "Restart it while a person can unlock it at its screen. On macOS 26 and newer, ssh_unlock is worth a try.",
            "What macOS answered when it was asked whether it supports it.",
        ),
        "would_not_come_back": Reason(
            "The Mac would wait at its unlock screen, and it is not known that SSH can unlock it there.",
            "Mend what the message names, or restart it while a person can unlock it at its screen. To restart it all"
            " the same, give require_comes_back: false.",
            "Each fact that an unlock over SSH takes, and what the reading says of it.",
        ),
    },
)
