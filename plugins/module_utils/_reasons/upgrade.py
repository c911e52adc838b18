# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reasons in another macOS that was to be installed.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

from ansible_collections.keyholder.macos.plugins.module_utils._reasons.base import SOURCES, WORDS, Group, Reason

UPGRADES = Group(
    "Another macOS",
    "The first three are decided from the reading, before a password is tried and before anything is installed. The"
    " others tell what macOS did.",
    {
        "user_not_owner": Reason(
            "The account does not own the volume, and on Apple silicon only an owner can authorise another macOS.",
            "Give one of the owners that the message names. A Secure Token makes an account an owner:"
            " keyholder.macos.secure_token.",
            SOURCES,
        ),
        "update_not_offered": Reason(
            "softwareupdate does not offer the macOS that was asked for.",
            "Ask for one that the message names. A macOS that is not offered may not run on this Mac, may be held back"
            " by a profile from MDM, or may be too new for this Mac's macOS to see.",
            "What it offers, by the labels that softwareupdate knows.",
        ),
        "installer_unusable": Reason(
            "The installer application is not there, is not whole, or does not have the macOS that was asked for.",
            "Have the Mac fetch the right one: softwareupdate --fetch-full-installer --full-installer-version VERSION"
            " puts it in /Applications. Give its path, or leave out the path to use what softwareupdate offers.",
            "Which macOS the application has, by the key DTPlatformVersion of its Info.plist.",
        ),
        "owner_refused": Reason(
            "macOS did not let the account authorise the update, although the password is the account's.",
            "Its key may be stale, because its password was reset without its token: keyholder.macos.repair puts that"
            " right. Or give another owner of the volume.",
            WORDS,
        ),
        "disk_full": Reason(
            "There is not enough free space on the volume for the update.",
            "Free what the evidence asks for, then run again.",
            WORDS,
        ),
        "update_failed": Reason(
            "softwareupdate, or the installer application, could not download or install the update.",
            "See in the evidence what it said. If the download broke off, run again: what was downloaded is kept. Look"
            " at /var/log/install.log on the Mac if that does not help.",
            WORDS,
        ),
        "update_not_begun": Reason(
            "The update was accepted, and the Mac did not restart in time.",
            "Do not restart it now: macOS prepares an update for minutes before it restarts the Mac by itself, and a"
            " restart meanwhile starts the old macOS again. If it still runs the old one an hour later, a dialog at its"
            " screen may keep it from restarting: restart it with keyholder.macos.filevault_reboot, and run again.",
            "When the Mac had started before, and what it answered last.",
        ),
        "not_updated": Reason(
            "The Mac has restarted, and runs no newer macOS than before, or an older one than was asked for.",
            "Somebody may have restarted it while macOS prepared the update. Run again, and leave it alone meanwhile."
            " Look at /var/log/install.log on the Mac if it happens again.",
            "The version before and after.",
        ),
    },
)
