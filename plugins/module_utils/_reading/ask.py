# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold what a request wants to know of a Mac beside what every reading holds. Pure.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

INCLUDE = ("escrow", "preflight", "full_disk_access", "recovery_lock", "platform_sso", "restart")
"""What a user of keyholder.macos.trust_info can ask for: fields of :class:`Ask`."""


@dataclass(frozen=True)
class Ask:
    """Hold what is asked for beside the usual: each costs a process of its own, or more. Names are short names of
    accounts, None: not asked."""

    escrow: bool = False
    """When a recovery key was last escrowed."""
    preflight: bool = False
    """mdmclient's word on the Bootstrap Token, which takes ten seconds on a real Mac. It is asked for as well where the
    verdict on the Mac rests on it."""
    waiting: str | None = None
    """The account that is to get its token from the Bootstrap Token: then preflight, if that has anything to do."""
    escrow_profile: bool = False
    """Whether a profile has macOS escrow new recovery keys."""
    escrow_if_off: bool = False
    """``escrow`` and ``escrow_profile``, if FileVault is off."""
    deferral: bool = False
    """Where a deferral of FileVault will write its key."""
    authrestart: bool = False
    """Whether macOS can restart past the unlock screen."""
    sessions: bool = False
    """Who is logged in."""
    full_disk_access: bool = False
    """Whether the session has Full Disk Access."""
    access_to_make: str | None = None
    """``full_disk_access``, if there is no account of that name and macOS asks for it when one is made."""
    token_dialog: bool = False
    """Whether a profile suppresses the dialog at a mobile account's login."""
    directory_user: str | None = None
    """What the directories of this Mac say of that name."""
    exists: tuple[str, ...] = ()
    """Whether something is at these paths, as a deferral or an earlier archive leaves a file."""
    home: str | None = None
    """Whether the home folder of that account is there."""
    way: str | None = None
    """What is on the way to this path."""
    way_home: str | None = None
    """What is on the way to the home folder of that account."""
    directory_copy: str | None = None
    """What the record of that account has of a directory."""
    sshd: str | None = None
    """Whether sshd lets that account in."""
    updates_below: str = ""
    """What softwareupdate offers, if the Mac's macOS is older than this version. A newer one is asked nothing beside
    the usual, whatever else stands here. "": not asked."""
    updates: bool = False
    """What softwareupdate offers."""
    installer: str = ""
    """Which macOS the installer application at this path has, instead of what softwareupdate offers."""
    key_used: bool = False
    """Whether the Mac was unlocked with a recovery key when it started."""
    power: bool = False
    """What the Mac draws its power from."""
    activation_lock: bool = False
    """Whether Activation Lock is on, which system_profiler takes a second for on a real Mac."""
    recovery_lock: bool = False
    """Whether Recovery asks for a password. On Apple silicon mdmclient says it, as slowly as the preflight."""
    platform_sso: bool = False
    """What a profile asks of Platform SSO."""
    restart: bool = False
    """What the preboot volume has for an unlock over SSH, and which link the Mac is on."""

    @classmethod
    def including(cls, words: t.Collection[str]) -> Ask:
        """Return what a user asks for by some of :data:`INCLUDE`."""
        return cls(
            escrow="escrow" in words,
            preflight="preflight" in words,
            key_used="escrow" in words,
            full_disk_access="full_disk_access" in words,
            recovery_lock="recovery_lock" in words,
            platform_sso="platform_sso" in words or "restart" in words,
            restart="restart" in words,
            authrestart="restart" in words,
        )
