# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold what one reading says of an account, and the verdict on its token by the three sources of truth. Pure.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.keyholder.macos.plugins.module_utils._parking import NO_LOGIN

# Verdicts on one account's token.
HOLDER = "holder"
"""Every source that can be read says so, and all three can be read."""
UNPROVEN = "unproven"
"""Every source that can be read says so, but not all can be read."""
NO_TOKEN = "none"
PHANTOM = "phantom"
"""One source names the account, another denies it."""
UNKNOWN = "unknown"
"""No source can be read."""
PENDING = "pending"
"""No token yet, and nothing to do: the escrowed Bootstrap Token grants one at the first graphical login."""

MOBILE = "mobile"
"""The kind of an account that is the local copy of a directory's."""


@dataclass(frozen=True)
class Sources:
    """Hold what each of the three sources of truth says of an account's token; None: it could not be read."""

    authority: bool | None = None
    crypto: bool | None = None
    filevault: bool | None = None

    @property
    def verdict(self) -> str:
        """Return the verdict that follows from what the sources say, see the constants above."""
        known = [said for said in (self.authority, self.crypto, self.filevault) if said is not None]
        if not known:
            return UNKNOWN
        if any(known) and not all(known):
            return PHANTOM
        if not any(known):
            return NO_TOKEN
        return HOLDER if len(known) == 3 else UNPROVEN

    def view(self) -> dict[str, bool | None]:
        """Return what the sources say, as the modules return it."""
        return {"authority": self.authority, "crypto_user": self.crypto, "filevault_list": self.filevault}

    def words(self) -> str:
        """Return what the sources say in words: ``directory yes, crypto users no, FileVault list unread``."""
        said = {True: "yes", False: "no", None: "unread"}
        return (
            f"directory {said[self.authority]}, crypto users {said[self.crypto]}, FileVault list {said[self.filevault]}"
        )


EVERYWHERE = Sources(True, True, True)
NOWHERE = Sources(False, False, False)


@dataclass(frozen=True)
class Account:
    """Hold one account of the local directory. None: not readable (without root), or not set."""

    name: str
    guid: str
    full_name: str = ""
    uid: int | None = None
    gid: int | None = None
    kind: str = "local"
    admin: bool = False
    hidden: bool = False
    disabled_tag: bool = False
    has_password: bool = True
    """Whether there is something that a password could be checked against. Without it there is no login."""
    disabled: bool = False
    """Whether macOS refuses every login, however right the password is."""
    home: str = ""
    shell: str = ""
    hint: str = ""
    picture: str = ""
    sources: Sources = NOWHERE
    volume_owner: bool | None = None
    password_changed: float | None = None
    failed_logins: int | None = None
    disabled_by: str = ""
    """By what macOS knows that it is disabled, in words; "" if it is not."""
    max_failed_logins: int | None = None
    """How many failed logins lock this account alone, beside the Mac's own rule; None: no such rule of its own."""
    lock_expires: bool = False
    unjudged: tuple[str, ...] = ()
    """As in the Mac's policy, of the rules for this account alone."""
    in_preboot: bool | None = None
    """Whether the preboot volume knows it, so that it can unlock before macOS runs."""
    parked: str = ""
    """What the account was before it was parked, as its record says; "": it is not parked."""
    platform_sso: bool = False
    """Whether it is registered with Platform SSO: its identity there stands in its record."""

    @property
    def verdict(self) -> str:
        """Return the verdict on the account's token by its sources alone; :meth:`Mac.verdict_of` knows more."""
        return self.sources.verdict

    @property
    def holder(self) -> bool:
        """Check whether every source that can be read says that the account holds a token."""
        return self.verdict in (HOLDER, UNPROVEN)

    @property
    def able(self) -> bool:
        """Check whether a right password is of any use."""
        return self.has_password and not self.disabled

    @property
    def parked_whole(self) -> bool | None:
        """Return whether a parked account is harmless and still a holder. None: it is not parked."""
        if not self.parked:
            return None
        return self.disabled and self.hidden and self.shell == NO_LOGIN and self.holder


def in_order(accounts: t.Iterable[Account]) -> tuple[Account, ...]:
    """Return accounts by UID, then by name; a record without a UID comes first."""
    return tuple(sorted(accounts, key=lambda account: (-1 if account.uid is None else account.uid, account.name)))
