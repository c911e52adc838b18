# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say who has a Mac's recovery key: the store on the controller, the MDM server, an Apple Account, or nobody. Pure.

What the Mac shows and what the store holds come together here, and nowhere else. No one can see the key itself: each
answer rests on dates and on the crypto users of the volume, and says so in its evidence.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac

OUR_STORE, MDM, APPLE_ACCOUNT = "our_store", "mdm", "apple_account"
NOBODY, LOST, NO_KEY, UNKNOWN = "nobody", "lost", "no_key", "unknown"
HOLDERS = (OUR_STORE, MDM, APPLE_ACCOUNT, NOBODY, LOST, NO_KEY, UNKNOWN)
"""our_store: the store has a key that nothing speaks against; mdm: macOS has encrypted the newest one for the server;
apple_account: only a person's Apple Account opens the volume; nobody: there is a key, and none of these has it; lost:
the stored key has died, and the server that got the new one no longer manages the Mac; no_key: the volume has none."""

NOT_ASKED, NONE, PRESENT, IN_DOUBT, DEAD = "not_asked", "none", "present", "in_doubt", "dead"
FATES = (NOT_ASKED, NONE, PRESENT, IN_DOUBT, DEAD)
"""What is known of the key in the store."""

CLOCKS = 600
"""Seconds by which the clocks of a Mac and of the controller may differ. A run that makes a key has it escrowed, and
stores it moments later: of two moments as near as this it is not known which one was the first."""


@dataclass(frozen=True)
class StoredKey:
    """Hold what the store says of one Mac. ``at``: when its present key was stored, right after the Mac had validated
    it, in seconds since 1970; None: it has none. ``interrupted``: a run that made a key did not finish. ``problem``:
    why the store could not be looked at."""

    at: float | None = None
    interrupted: bool = False
    problem: str = ""


@dataclass(frozen=True)
class KeyFacts:
    """Hold what a reading says. None: it does not tell. ``escrowed_at``: as in FileVault."""

    personal: bool | None
    icloud: bool | None
    escrowed_at: int | None
    enrolled: bool | None


@dataclass(frozen=True)
class KeyHolder:
    """Hold who has the key, what is known of the stored one, and why, a sentence each."""

    holder: str
    stored: str
    evidence: tuple[str, ...]


def facts_of(mac: Mac) -> KeyFacts:
    """Return the facts in a reading."""
    filevault = mac.filevault
    return KeyFacts(filevault.personal_key, filevault.icloud_key, filevault.escrowed_at, mac.management.enrolled)


def facts_in(view: t.Mapping[str, t.Any]) -> KeyFacts:
    """Return the facts in a reading as trust_info returns it."""
    filevault = view["filevault"]
    return KeyFacts(
        filevault["personal_recovery_key"],
        filevault.get("icloud_recovery"),
        filevault.get("recovery_key_escrowed_at"),
        view["management"]["enrolled"],
    )


def key_holder(facts: KeyFacts, stored: StoredKey | None) -> KeyHolder:
    """Return who has the key. ``stored`` None: the store was not asked."""
    fate, of_store = _fate(facts, stored)
    holder, of_mac = _holder(facts, fate)
    return KeyHolder(holder, fate, tuple(filter(None, (of_mac, of_store))))


def _fate(facts: KeyFacts, stored: StoredKey | None) -> tuple[str, str]:
    """Return what is known of the stored key, and why."""
    if stored is None:
        return NOT_ASKED, ""
    if stored.problem:
        return IN_DOUBT, f"the store could not be looked at: {stored.problem}"
    if stored.at is None:
        made = "; a run that made a key was interrupted before it was stored" if stored.interrupted else ""
        return NONE, f"the store has no key of this Mac{made}"
    told = f"the store has a key of {_day(stored.at)}, validated by the Mac when it was stored"
    if facts.personal is False:
        return DEAD, f"{told}; the volume has no personal recovery key now"
    if facts.escrowed_at is not None and facts.escrowed_at > stored.at + CLOCKS:
        return DEAD, f"{told}; on {_day(facts.escrowed_at)} macOS made another one, and the one before died"
    if stored.interrupted:
        return IN_DOUBT, f"{told}; a later run was interrupted while it made another one"
    if facts.personal is None or facts.escrowed_at is None:
        return IN_DOUBT, f"{told}; whether macOS has made another one since could not be read"
    return PRESENT, told


def _holder(facts: KeyFacts, fate: str) -> tuple[str, str]:
    """Return who has the key, and what the Mac shows of that."""
    if facts.personal is None:
        return UNKNOWN, "the recovery keys of the volume could not be read"
    account = "a person's Apple Account opens the volume" if facts.icloud else ""
    if not facts.personal:
        return (APPLE_ACCOUNT, account) if account else (NO_KEY, "the volume has no personal recovery key")
    if fate == PRESENT:
        return OUR_STORE, ""
    if facts.escrowed_at is None:
        return UNKNOWN, "whether macOS has encrypted a key for an MDM server could not be read"
    if facts.escrowed_at:
        told = f"macOS encrypted a key for the MDM server on {_day(facts.escrowed_at)}"
        if facts.enrolled:
            return MDM, f"{told}; whether the server has collected it cannot be seen on the Mac"
        gone = "the Mac is no longer enrolled" if facts.enrolled is False else "the enrolment could not be read"
        return LOST if fate == DEAD and facts.enrolled is False else UNKNOWN, f"{told}, and {gone}"
    never = "macOS has never encrypted a key for an MDM server"
    if fate == IN_DOUBT:
        return UNKNOWN, never
    if account:
        return APPLE_ACCOUNT, f"{never}; {account}"
    return (UNKNOWN if fate == NOT_ASKED else NOBODY), never


def _day(at: float) -> str:
    moment = datetime.datetime.fromtimestamp(at, datetime.timezone.utc)
    return f"{moment:%Y-%m-%d %H:%M} UTC"
