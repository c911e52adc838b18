# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judge whether a Mac is recoverable: who can grant Secure Tokens, what opens the volume, and the one verdict. Pure.

The reading's verdict, the guard of a plan, the audit and the documentation use these functions. What could not be read
counts as its worst value.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.keyholder.macos.plugins.module_utils._account import MOBILE, PENDING, UNKNOWN
from ansible_collections.keyholder.macos.plugins.module_utils._macos import (
    FIRST_TOKEN_BY_PASSWORD,
    FIRST_TOKEN_TO_ADMIN,
)

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._account import Account
    from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac
    from ansible_collections.keyholder.macos.plugins.module_utils._macos import Version

YES, AT_RISK, NO = "yes", "at_risk", "no"
WORST_FIRST = (NO, UNKNOWN, AT_RISK, PENDING, YES)
"""The verdicts. A Mac of which nothing is known is better than a lost one, and worse than one whose risk is known."""


@dataclass(frozen=True)
class Recoverability:
    """Hold the verdict: one of :data:`WORST_FIRST`; pending means that macOS will give an administrator a token by
    itself. ``why``: in words."""

    verdict: str
    why: str

    def worse_than(self, other: Recoverability) -> bool:
        """Check whether this verdict is worse than another, by :data:`WORST_FIRST`."""
        return WORST_FIRST.index(self.verdict) < WORST_FIRST.index(other.verdict)


def first_token_rule(version: Version) -> str:
    """Return in words who gets the first token of a Mac."""
    if version >= FIRST_TOKEN_BY_PASSWORD.first:
        return (
            "on macOS 11 and newer the first account whose password is set gets the first token"
            " (at its first login, if the password came as a hash)"
        )
    if version >= FIRST_TOKEN_TO_ADMIN.first:
        return "on macOS 10.15 the first administrator who authenticates gets the first token"
    return "on macOS 10.13 and 10.14 the only account from UID 500 up gets the first token when it authenticates"


def can_be_first(mac: Mac, account: Account) -> bool:
    """Check whether macOS would hand ``account`` the first token, on a Mac that has no holder.

    That a crypto user which belongs to no account, or a phantom's, stands in the way is assumed: no public source shows
    it. That a mobile account gets none is known of 10.13 (openradar-mirror 18598), and assumed from 10.14 on.
    """
    if mac.holders or mac.volume.apfs is False or leftovers(mac) or account.kind == MOBILE:
        return False
    if mac.version >= FIRST_TOKEN_BY_PASSWORD.first:
        return not account.disabled_tag
    if mac.version >= FIRST_TOKEN_TO_ADMIN.first:
        return account.admin
    people = [other for other in mac.accounts if other.uid is None or other.uid >= 500]
    return [other.name for other in people] == [account.name]


def leftovers(mac: Mac) -> tuple[str, ...]:
    """Return the crypto users of people on a Mac without a holder, by name or GUID: the volume is not as new."""
    return mac.orphans + tuple(account.name for account in mac.phantoms if account.sources.crypto)


def recovery_keys(mac: Mac) -> tuple[str, ...]:
    """Return the recovery keys that open the volume, in words. Apple silicon takes no institutional one (Apple,
    device-management: FDEFileVault)."""
    institutional = mac.filevault.institutional_key and mac.apple_silicon is False
    return (
        *(["the personal recovery key"] if mac.filevault.personal_key else []),
        *(["the institutional recovery key"] if institutional else []),
    )


def sure_ways_in(mac: Mac) -> tuple[str, ...]:
    """Return what is known to open the volume at start-up, in words: holders whose login is surely accepted, and
    recovery keys."""
    return (*(f"the password of {who.name}" for who in mac.holders if mac.opens(who)), *recovery_keys(mac))


def other_ways_in(mac: Mac) -> tuple[str, ...]:
    """Return what else may open the volume, in words: all of it is assumed."""
    keyed = [who.name for who in mac.phantoms if who.sources.crypto and who.able]
    unsure = [who.name for who in mac.holders if who.able and mac.locked(who) is None]
    return (
        *(["an Apple Account"] if mac.filevault.icloud_key else []),
        *(f"the password of {name}, about whom the sources disagree" for name in keyed),
        *(f"the password of {name}, unless a rule has locked the account" for name in unsure),
        *(f"the password of the crypto user {guid}, who has no account" for guid in mac.orphans),
    )


def ways_in(mac: Mac) -> tuple[str, ...]:
    """Return all that opens the volume at start-up, or may, in words."""
    return sure_ways_in(mac) + other_ways_in(mac)


def recoverability(mac: Mac) -> Recoverability:
    """Return whether tokens can still be granted and this Mac unlocked tomorrow, and by whom."""
    if mac.volume.apfs is False:
        return Recoverability(UNKNOWN, "the boot volume is not APFS: there are no Secure Tokens here")
    if mac.volume.apfs is None or any(account.sources.crypto is None for account in mac.accounts):
        return Recoverability(UNKNOWN, "the crypto users of the boot volume could not be read")
    if not mac.groups_read:
        return Recoverability(UNKNOWN, "the groups could not be read, so it is not known who is an administrator")
    if mac.granters:
        return Recoverability(YES, f"{_named(mac.granters)} can grant tokens")
    if mac.likely_granters:
        return Recoverability(UNKNOWN, f"{_named(mac.likely_granters)} can grant tokens, unless {_doubt(mac)}")
    strangers = [who for who in mac.holders if mac.foreign_admins and who.kind == MOBILE]
    if strangers:
        why = f"a directory group, which is not read, makes administrators; {_named(strangers)} may be one"
        return Recoverability(UNKNOWN, why)
    if mac.holders:
        return _without_granter(mac)
    if mac.filevault.asks:
        return _without_holder(mac)
    if _waiting(mac):
        verdict = PENDING if mac.waiting_admins else AT_RISK
        return Recoverability(verdict, f"no account holds a token; {_granted(_waiting(mac))}")
    first = any(can_be_first(mac, account) for account in mac.accounts)
    rule = first_token_rule(mac.version) + ("" if first else "; no account on this Mac can be the first")
    return Recoverability(AT_RISK, f"no account holds a token; {rule}")


def _without_granter(mac: Mac) -> Recoverability:
    """Return the verdict where there are holders, and none of them can grant."""
    waiting = mac.waiting_admins
    why = f"no administrator holds a token, only {_named(mac.holders)}"
    if mac.admin_holders:
        why = f"{_named(mac.admin_holders)} cannot log in, and no other administrator holds a token"
    reachable = not mac.filevault.asks or any(mac.opens(account) for account in mac.holders)
    stuck = "" if reachable or ways_in(mac) else "; nothing opens the volume after a restart"
    rescue = f"; {_granted(waiting)}" if waiting else ""
    return Recoverability(PENDING if waiting and reachable else AT_RISK, why + stuck + rescue)


def _without_holder(mac: Mac) -> Recoverability:
    """Return the verdict where FileVault is on, or may be: who holds no token cannot unlock the volume."""
    rescue = f"; {_granted(_waiting(mac))}" if _waiting(mac) else ""
    ways = ways_in(mac)
    if ways:
        verb = "is the only way in" if len(ways) == 1 else "are the only ways in"
        return Recoverability(AT_RISK, f"no account holds a token; {' and '.join(ways)} {verb}{rescue}")
    if mac.filevault.personal_key is None:
        return Recoverability(UNKNOWN, "no account holds a token, and the recovery keys could not be read")
    if rescue and (mac.filevault.on or mac.filevault.state == UNKNOWN):
        why = "no account holds a token, and nothing opens the volume after a restart"
        return Recoverability(AT_RISK, f"{why}{rescue} before")
    if mac.filevault.on:
        return Recoverability(NO, "FileVault is on, no account holds a token and no recovery key opens the volume")
    if mac.filevault.state == UNKNOWN:
        return Recoverability(UNKNOWN, "no account holds a token, and FileVault's status could not be read")
    return Recoverability(AT_RISK, "no account holds a token, and FileVault is being switched off")


def _waiting(mac: Mac) -> tuple[Account, ...]:
    return mac.waiting_admins or tuple(who for who in mac.accounts if mac.verdict_of(who) == PENDING)


def _doubt(mac: Mac) -> str:
    """Return in words why it is not known whether accounts are locked."""
    rules = dict.fromkeys((*mac.policy.unjudged, *(rule for who in mac.likely_granters for rule in who.unjudged)))
    if rules:
        return f"the password rule {' or '.join(rules)} has locked the account, which a reading cannot tell"
    return "failed logins have locked the account, which opens again by itself"


def _granted(accounts: t.Iterable[Account]) -> str:
    return f"the escrowed Bootstrap Token grants {_named(accounts)} one at a graphical login"


def _named(accounts: t.Iterable[Account]) -> str:
    return ", ".join(account.name for account in accounts)
