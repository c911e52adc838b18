# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""On the controller: a password is stored before it is set, and what was cut off is finished and never reset.

The store holds the password that the account has (current) and the one that it is about to get (pending). At every
moment the account's password is one of the two. Whoever finds a pending one sets it again: the module on the Mac finds
by the account's hash whether it is there already.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import datetime
import json
import typing as t
from dataclasses import asdict, dataclass, replace


class StoreError(Exception):
    """The store could not be read or written, and why: without a secret in it."""


@dataclass(frozen=True)
class Stored:
    """What the store holds of one account. "": nothing. ``set_at``: when current was set, in ISO 8601."""

    current: str = ""
    pending: str = ""
    set_at: str = ""

    def text(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False) + "\n"

    @classmethod
    def parse(cls, text: str) -> Stored:
        """Nothing at all is an empty store. Raises :class:`StoreError`."""
        if not text.strip():
            return cls()
        try:
            content = json.loads(text)
            return cls.of(content)
        except ValueError as exc:
            raise StoreError("what the store holds is not JSON") from exc

    @classmethod
    def of(cls, content: t.Any) -> Stored:
        if not isinstance(content, dict):
            raise StoreError("what the store holds is no JSON object")
        values = {key: content.get(key) or "" for key in ("current", "pending", "set_at")}
        if not all(isinstance(value, str) for value in values.values()):
            raise StoreError("what the store holds has values that are no text")
        return cls(**values)

    def days_old(self, now: datetime.datetime) -> float:
        """Without a readable date it is as old as can be."""
        try:
            then = datetime.datetime.fromisoformat(self.set_at)
        except ValueError:
            return float("inf")
        if then.tzinfo is None:
            then = then.replace(tzinfo=datetime.timezone.utc)
        return (now - then).total_seconds() / 86400


class Store(t.Protocol):
    def read(self) -> Stored:
        """Raises :class:`StoreError`."""

    def write(self, stored: Stored) -> None:
        """Raises :class:`StoreError`."""


class Account(t.Protocol):
    """The account on the Mac. Each answer is a module's result."""

    def set(self, new: str, old: str) -> dict[str, t.Any]:
        """Make ``new`` the password, from ``old``; nothing changes where it is that already."""

    def look(self, password: str) -> dict[str, t.Any]:
        """Whether this is the password; nothing is changed."""

    def create(self, password: str) -> dict[str, t.Any] | None:
        """Make the account with this password; None: not wanted."""

    def generate(self) -> str:
        """A new password by the Mac's own rules."""


@dataclass(frozen=True)
class Wanted:
    """``rotate``: now, whatever its age. ``max_age_days``: 0 for any age. ``current``: what the account has now, for a
    store that does not know it."""

    now: datetime.datetime
    rotate: bool = False
    max_age_days: int = 0
    current: str = ""
    check_mode: bool = False


@dataclass
class Rotated:
    """``result``: the module's. ``healed``: an earlier run's pending password was finished."""

    result: dict[str, t.Any]
    changed: bool = False
    rotated: bool = False
    healed: bool = False


REFUSED_UNCHANGED = ("password_policy", "password_unusable", "value_unusable")
"""Reasons for which macOS will never take this password: keeping it pending would fail for ever."""
WRONG = ("user_password_wrong", "granter_password_wrong")


def rotate(store: Store, account: Account, wanted: Wanted) -> Rotated:
    """Raises :class:`StoreError`, before anything was set that the store does not hold."""
    stored = store.read()
    known = stored if stored.current else replace(stored, current=wanted.current)
    healed = bool(stored.pending)
    if not healed and not _due(known if stored.current else stored, wanted):
        return _unchanged(store, account, known, wanted)
    target = stored.pending or account.generate()
    noted = replace(known, pending=target)
    if noted != stored and not wanted.check_mode:
        _write(store, noted)
    result = _apply(account, noted, wanted)
    took = not result.get("failed") or (result.get("reason") == "stale_key" and bool(result.get("changed")))
    outcome = Rotated(result, bool(result.get("changed")), rotated=took and not healed, healed=took and healed)
    if wanted.check_mode:
        outcome.changed = outcome.changed or not result.get("failed")
        return outcome
    if took:
        _write(store, Stored(current=target, set_at=wanted.now.isoformat(timespec="seconds")))
        outcome.changed = True
    elif _never(result):
        _write(store, replace(known, pending=""))
    return outcome


def _due(stored: Stored, wanted: Wanted) -> bool:
    too_old = wanted.max_age_days > 0 and stored.days_old(wanted.now) >= wanted.max_age_days
    return wanted.rotate or too_old or not stored.current


def _apply(account: Account, noted: Stored, wanted: Wanted) -> dict[str, t.Any]:
    """Where what the store calls current is wrong, the caller may know better; that is compared, not tried."""
    result = account.set(noted.pending, noted.current)
    if result.get("reason") in WRONG and wanted.current not in ("", noted.current):
        result = account.set(noted.pending, wanted.current)
    if result.get("reason") == "user_unknown":
        result = account.create(noted.pending) or result
    if result.get("reason") in WRONG:
        result["reason"] = "password_drifted"
    return result


def _unchanged(store: Store, account: Account, stored: Stored, wanted: Wanted) -> Rotated:
    """Nothing is due; but somebody may have changed the password elsewhere."""
    result = account.look(stored.current)
    if result.get("reason") == "user_unknown":
        made = account.create(stored.current)
        result = result if made is None else made
        return Rotated(result, bool(result.get("changed")))
    if result.get("password_matches") is False:
        if wanted.current in ("", stored.current):
            return Rotated({**result, "failed": True, "reason": "password_drifted"})
        return rotate(store, account, replace(wanted, rotate=True))
    # It only looked: what it foresees for a password that it could not compare is no failure and no change.
    known = result.get("reason") in (None, "", "option_missing") or result.get("reason") in WRONG
    return Rotated({**result, "failed": bool(result.get("failed")) and not known, "changed": False})


def _never(result: dict[str, t.Any]) -> bool:
    stale = result.get("reason") == "stale_key" and not result.get("changed")
    return stale or result.get("reason") in REFUSED_UNCHANGED


def _write(store: Store, stored: Stored) -> None:
    """A store that says yes and keeps nothing must be known before the Mac has a password that nobody has."""
    store.write(stored)
    if store.read() != stored:
        raise StoreError("what was written to the store does not read back as it was")
