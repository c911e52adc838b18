# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rotate a password on the controller: store it before it is set, finish what was interrupted, and never reset it.

First everything is foreseen in check mode, and what would be refused touches neither the store nor the Mac. Then the
store is written and read back, then the Mac, then the store again. C is the current password, P the pending one; M is
one that was set elsewhere as root, so that the key is still opened by the old one, K.

    cut, or failed, after               store           Mac      key      the next run
    foreseen                            C, -            C        C        begins again
    P is noted                          C, P            C        C        sets P from C
    the Mac has P, its key not yet      C, P            P        C        stale_key; repaired if asked, from C to P
    the Mac has P                       C, P            P        P        proves it, P becomes current
    P is current                        P, -            P        P        nothing to do
    macOS refused P, and P was new      C, -            C        C        begins again, with another one
    a new account is noted              -, P  create    none     none     makes it
    the account is half made            -, P  create    P        (P)      goes on making it, then proves P
    a stale key is found                C, -            M        K        stale_key; repaired if asked and K is known
    its repair is noted                 K, M  repair    M        K        from M to K to M
    repaired half-way                   K, M  repair    K        K        sets M from K
    repaired                            M, -            M        M        M is known elsewhere: rotates it at once
    M, FileVault is off                 C, -            M        K        cannot tell: goes back to K, then rotates
    its way back is noted               K, M  repair    M        K        the same
    it is back                          K, -            K        K        rotates it at once

So the store, or the caller, has the passwords of the Mac and of its key, whatever is interrupted: a pending password is
dropped only if the Mac surely never had it.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.keyholder.macos.plugins.plugin_utils._stored import Store, Stored, StoreError

if t.TYPE_CHECKING:
    import datetime

CREATE, REPAIR = "create", "repair"

Result = dict[str, t.Any]


class ManagedAccount(t.Protocol):
    """The account on the Mac. Each answer is a module's result. ``check``: only foresee it."""

    def set(self, new: str, old: str, check: bool) -> Result:
        """Make ``new`` the password, from ``old``. If it is that already, it is only tried against the key."""

    def look(self, password: str) -> Result:
        """Return whether this is the password; nothing is changed."""

    def create(self, password: str, check: bool) -> Result | None:
        """Make the account with this password, or go on making it; None: not wanted."""

    def repair(self, password: str, key_password: str, check: bool) -> Result:
        """Have the key follow ``password``, which the account has, by the one that still opens the key."""

    def generate(self) -> str:
        """Return a new password that the Mac's own rules allow."""


@dataclass(frozen=True)
class Wanted:
    """``rotate``: now, whatever its age. ``max_age_days``: 0 for any age. ``current``: what the account has now, for a
    store that does not know it. ``repair``: a stale key, where the password that opens it is known. ``key``: what may
    open it, beside what the store holds."""

    now: datetime.datetime
    rotate: bool = False
    max_age_days: int = 0
    current: str = ""
    repair: bool = False
    check_mode: bool = False
    key: str = ""


@dataclass
class Rotated:
    """``result``: the module's. ``rotated``: a new password is set and current. ``healed``: an earlier run's pending
    password was finished. ``again``: the password was set elsewhere, so it must be rotated at once."""

    result: Result
    changed: bool = False
    rotated: bool = False
    healed: bool = False
    again: bool = False


REFUSED = ("password_policy", "password_unusable", "value_unusable", "stale_key")
"""Reasons for which macOS does not take a password: one that the Mac surely never had does not stay pending."""


def rotate(store: Store, account: ManagedAccount, wanted: Wanted) -> Rotated:
    """Rotate the password, and return what was done. Raises :class:`StoreError`, before anything was set that the store
    does not hold."""
    first = _one_pass(store, account, wanted)
    if not first.again:
        return first
    try:
        then = _one_pass(store, account, replace(wanted, rotate=True))
    except StoreError as exc:
        exc.changed = True
        raise
    return Rotated(_merged(first.result, then.result), True, then.rotated, first.healed)


def _one_pass(store: Store, account: ManagedAccount, wanted: Wanted) -> Rotated:
    stored = store.read()
    new = not stored.pending
    if new and not _due(stored, wanted):
        return _unchanged(store, account, stored, wanted)
    done = _foreseen(account, stored, wanted)
    key = _unproven_key(done, stored, wanted)
    if key:
        return _by_way_of(key, store, account, done, stored, wanted)
    real = not done.failed and not wanted.check_mode
    held = stored
    if real:
        if done.noted != held:
            _unmoved(store, held)
            _store_passwords(store, done.noted)
            held = done.noted
        done = _carried_out(account, done.noted, wanted)
    repair = (
        _foresee_repair(account, done, stored, wanted, real) if wanted.repair and done.reason == "stale_key" else None
    )
    if repair is not None and not wanted.check_mode:
        if repair.noted != held:
            _unmoved(store, held, real and done.changed)
            _store_passwords(store, repair.noted, real and done.changed)
            held = repair.noted
        repair = _carry_out_repair(account, repair.noted, wanted, done if real else None)
        real = True
    result, noted = (repair or done).result, (repair or done).noted
    took, changed = not result.get("failed"), real and bool(result.get("changed"))
    rotated = took and new and (noted.doing == REPAIR or noted.pending != stored.current)
    if wanted.check_mode:
        return Rotated(result, took or bool(result.get("changed")), rotated, healed=took and not new)
    if took:
        set_at = "" if noted.doing == REPAIR else wanted.now.isoformat(timespec="seconds")
        _promote(store, held, replace(noted, current=noted.pending, pending="", set_at=set_at, doing=""), changed)
        return Rotated(result, True, rotated, healed=not new, again=noted.doing == REPAIR)
    if repair is None and (real or not new) and _surely_not_on_the_mac(result, new):
        # What the store called current stays, even where it is not the account's: it may be what opens the key.
        _unmoved(store, held, changed)
        _store_passwords(store, stored if new else replace(stored, pending="", doing=""), changed)
    return Rotated(result, changed)


def _due(stored: Stored, wanted: Wanted) -> bool:
    too_old = wanted.max_age_days > 0 and stored.days_old(wanted.now) >= wanted.max_age_days
    return wanted.rotate or too_old or not stored.current


@dataclass(frozen=True)
class _Done:
    """``noted``: what the store must hold before the Mac is touched; as current, the password that was right."""

    result: Result
    noted: Stored

    @property
    def failed(self) -> bool:
        return bool(self.result.get("failed"))

    @property
    def changed(self) -> bool:
        return bool(self.result.get("changed"))

    @property
    def reason(self) -> str:
        return str(self.result.get("reason", ""))

    @property
    def has(self) -> str:
        """Return the password of the store that the account has."""
        return self.noted.pending if self.has_pending else self.noted.current

    @property
    def has_pending(self) -> bool:
        return bool(self.result.get("password_matches"))


def _foreseen(account: ManagedAccount, stored: Stored, wanted: Wanted) -> _Done:
    """Return what would be done, or a refusal: nothing is written before that is known."""
    target = stored.pending or account.generate()
    noted = replace(stored, current=stored.current or wanted.current, pending=target)
    created = account.create(target, True) if noted.doing == CREATE else None
    if created is not None:
        return _Done(created, noted)
    done = _set(account, noted, wanted, True)
    if done.reason == "user_unknown":
        noted = replace(noted, pending=stored.pending or stored.current or target, doing=CREATE)
        return _Done(account.create(noted.pending, True) or done.result, noted)
    if done.reason == "stale_key" and done.result.get("password_matches") is None:
        # It is not known whether the password that does not open the key is the account's. A login tells, and loses
        # nothing.
        return _Done({**done.result, "failed": False}, noted)
    return done


def _carried_out(account: ManagedAccount, noted: Stored, wanted: Wanted) -> _Done:
    """Make the account or set its password. A new account is proven by setting the password that it already has."""
    created = account.create(noted.pending, False) if noted.doing == CREATE else None
    if created is not None and created.get("failed"):
        return _Done(created, noted)
    done = _set(account, noted, wanted, False)
    return done if created is None else _Done(_merged(created, done.result), noted)


def _foresee_repair(account: ManagedAccount, done: _Done, stored: Stored, wanted: Wanted, real: bool) -> _Done | None:
    """Foresee the repair of a stale key by each password that may still open it. Return None if none of them does."""
    has_pending = done.has_pending or (real and done.changed)
    has = done.noted.pending if has_pending else done.noted.current
    for key in dict.fromkeys((stored.current, wanted.key, wanted.current, done.noted.current)):
        if key in ("", has):
            continue
        result = account.repair(has, key, True)
        if not result.get("failed"):
            doing = done.noted.doing if has_pending else REPAIR
            return _Done(result, replace(done.noted, current=key, pending=has, doing=doing))
    return None


def _carry_out_repair(account: ManagedAccount, noted: Stored, wanted: Wanted, before: _Done | None) -> _Done:
    result = account.repair(noted.pending, noted.current, False)
    if not result.get("failed"):
        result = _merged(result, _set(account, noted, wanted, False).result)
    return _Done(result if before is None else _merged(before.result, result), noted)


def _unproven_key(done: _Done, stored: Stored, wanted: Wanted) -> str:
    """Return the password that may still open the key of a holder whose password was set elsewhere, where macOS cannot
    tell whether the key followed: without FileVault no password is tried against it. "" if that is not so."""
    before = done.result.get("state", {}).get("before", {})
    holder = before.get("secure_token") == "holder"
    if not wanted.repair or done.failed or not holder or before.get("key_provable") is not False:
        return ""
    has = done.has
    begun = stored.doing == REPAIR and has == stored.pending
    elsewhere = not stored.doing and has == wanted.current and has not in (stored.current, stored.pending)
    keys = [key for key in (stored.current, wanted.key) if key not in ("", has)]
    return keys[0] if keys and (begun or elsewhere) else ""


def _by_way_of(key: str, store: Store, account: ManagedAccount, done: _Done, stored: Stored, wanted: Wanted) -> Rotated:
    """Set the password that may open the key, from the one that the account has: then both are the same, whether the
    key had followed or not. What is rotated from there takes the key along."""
    has = done.has
    noted = replace(stored, current=key, pending=has, doing=REPAIR)
    result = account.set(key, has, True)
    if result.get("failed") or wanted.check_mode:
        merged = result if result.get("failed") else _merged(result, done.result)
        return Rotated(merged, not result.get("failed"), not result.get("failed"), healed=bool(stored.pending))
    if noted != stored:
        _unmoved(store, stored)
        _store_passwords(store, noted)
    result = account.set(key, has, False)
    if result.get("failed"):
        return Rotated(result, bool(result.get("changed")))
    _promote(store, noted, replace(noted, pending="", set_at="", doing=""), bool(result.get("changed")))
    return Rotated(result, True, healed=bool(stored.pending), again=True)


def _set(account: ManagedAccount, noted: Stored, wanted: Wanted, check: bool) -> _Done:
    """Set the pending password from what the store calls current, or from what the caller gave if that is wrong. Both
    are compared by the account's hash if it can be read, and not tried."""
    result: Result = {}
    for old in [old for old in dict.fromkeys((noted.current, wanted.current)) if old] or [""]:
        result = account.set(noted.pending, old, check)
        if result.get("reason") != "user_password_wrong":
            return _Done(result, replace(noted, current=old))
    return _Done({**result, "reason": "password_drifted"}, noted)


def _unchanged(store: Store, account: ManagedAccount, stored: Stored, wanted: Wanted) -> Rotated:
    """Return the result of a run to which nothing is due. The password may still have been changed elsewhere, or the
    account deleted."""
    result = account.look(stored.current)
    reason, drifted = result.get("reason"), result.get("password_matches") is False
    told = wanted.current not in ("", stored.current)
    if reason == "user_unknown" or (told and (drifted or (wanted.repair and reason == "stale_key"))):
        return _one_pass(store, account, replace(wanted, rotate=True))
    if drifted:
        return Rotated({**result, "failed": True, "reason": "password_drifted"})
    # It only looked: what it foresees for a password that it could not compare is no failure and no change.
    known = reason in (None, "", "option_missing", "user_password_wrong")
    return Rotated({**result, "failed": bool(result.get("failed")) and not known, "changed": False})


def _surely_not_on_the_mac(result: Result, new: bool) -> bool:
    """Return whether the Mac surely does not have the pending password, and will not take it."""
    missing = result.get("state", {}).get("before", {}).get("exists") is False
    never_had = new or missing or result.get("password_matches") is False
    return never_had and not result.get("changed") and result.get("reason") in REFUSED


def _merged(first: Result, then: Result) -> Result:
    changed = bool(first.get("changed") or then.get("changed"))
    return {**then, "changed": changed, "plan": [*first.get("plan", []), *then.get("plan", [])]}


def _unmoved(store: Store, stored: Stored, changed: bool = False) -> None:
    """Raise :class:`StoreError` where another run has written to the store since this one read it. Its pending password
    may be the one that the Mac has by now."""
    if _read(store, changed) != stored:
        raise _moved(changed)


def _moved(changed: bool) -> StoreError:
    problem = StoreError("another run has changed what the store holds of this account: run again once it has ended")
    problem.changed = changed
    return problem


def _promote(store: Store, held: Stored, done: Stored, changed: bool) -> None:
    """The Mac has the password that was pending. ``held``: what this run has left in the store. Another run may have
    found it pending meanwhile, and gone on from it: then what that one has written stays, as nobody else knows the
    password after this one."""
    found = _read(store, changed)
    if found == held:
        _store_passwords(store, done, changed)
    elif found.current != done.current:
        raise _moved(changed)


def _read(store: Store, changed: bool) -> Stored:
    try:
        return store.read()
    except StoreError as exc:
        exc.changed = changed
        raise


def _store_passwords(store: Store, stored: Stored, changed: bool = False) -> None:
    """Write to the store and read it back: a store that keeps nothing must be found out before the Mac gets a password
    that would be lost. ``changed``: whether this run has changed the Mac by now."""
    try:
        store.write(stored)
        if store.read() != stored:
            raise StoreError("the store does not return what this run has written to it")
    except StoreError as exc:
        exc.changed = changed
        raise
