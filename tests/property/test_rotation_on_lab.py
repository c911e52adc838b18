# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A managed password on modelled Macs: cut anywhere, the store knows it, the token works, and nothing is ever reset."""

from __future__ import annotations

import datetime
import itertools
import typing as t
from dataclasses import dataclass, field

import fakes
import pytest
from hypothesis import given
from hypothesis import strategies as st
from inmemory import LabRunner, PowerCut, admin_holders

from ansible_collections.keyholder.macos.plugins.module_utils._flow import Flow, Outcome
from ansible_collections.keyholder.macos.plugins.module_utils._plan.account import AccountRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.password import PasswordRequest
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Secret
from ansible_collections.keyholder.macos.plugins.plugin_utils._rotation import (
    Rotated,
    Stored,
    StoreError,
    Wanted,
    rotate,
)
from maclab.state import Fault, Mac

FIRST = "first-pw-1"
DAY = datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC)
VERSIONS = (("10.13.6", "intel"), ("11.7.10", "apple-silicon"), ("15.6", "apple-silicon"), ("26.1", "apple-silicon"))


class Cut(Exception):
    """The controller lost its power."""


@dataclass
class MemoryStore:
    """``cut``: the controller's power goes before that write (odd) or after it (even)."""

    stored: Stored = Stored()
    cut: int | None = None
    moments: int = 0

    def read(self) -> Stored:
        return self.stored

    def write(self, stored: Stored) -> None:
        self._moment()
        self.stored = stored
        self._moment()

    def _moment(self) -> None:
        self.moments += 1
        if self.moments == self.cut:
            raise Cut


@dataclass
class InMemory:
    """The account on a modelled Mac. ``cut``: the Mac's power goes after that many of its writes."""

    mac: Mac
    cut: int | None = None
    create_it: bool = False
    check_mode: bool = False
    rule: str = ""
    runners: list[LabRunner] = field(default_factory=list)
    numbers: t.Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def set(self, new: str, old: str) -> dict[str, t.Any]:
        secrets = {"password": new, **({"old_password": old} if old else {})}
        return self._run(PasswordRequest("itadmin", given=frozenset(secrets)), secrets, self.check_mode)

    def look(self, password: str) -> dict[str, t.Any]:
        secrets = {"password": password, "old_password": password}
        request = PasswordRequest("itadmin", verify_key="always", given=frozenset(secrets))
        return self._run(request, secrets, True)

    def create(self, password: str) -> dict[str, t.Any] | None:
        if not self.create_it:
            return None
        request = AccountRequest("itadmin", admin=True, given=frozenset({"password"}))
        return self._run(request, {"password": password}, self.check_mode)

    def generate(self) -> str:
        return f"{self.rule}made-pw-{next(self.numbers)}-{id(self)}"

    def _run(self, request: t.Any, secrets: dict[str, str], check: bool) -> dict[str, t.Any]:
        runner = LabRunner(self.mac, cut=self.cut)
        self.runners.append(runner)
        told: Outcome = Flow(runner, {key: Secret(value) for key, value in secrets.items()}, 5).run(request, check)
        if self.cut is not None:
            self.cut -= len(runner.writes)
        result: dict[str, t.Any] = {"changed": told.changed, "plan": told.plan}
        result["password_matches"] = told.same.get("password")
        if told.refusal is not None:
            result.update(failed=True, reason=told.refusal.reason)
        return result

    @property
    def writes(self) -> list[str]:
        return [what for runner in self.runners for what in runner.writes]

    @property
    def failed_logins(self) -> int:
        return sum(not right for runner in self.runners for _, right in runner.authentications)


def cast(version: str = "15.6", hardware: str = "apple-silicon", holder: bool = True) -> Mac:
    mac = fakes.mac(version, hardware)
    fakes.person(mac, "root", None, uid=0).service = True
    fakes.person(mac, "itadmin", FIRST, admin=True, token=holder)
    mac.filevault.state = "on"
    return mac


def wanted(**more: t.Any) -> Wanted:
    return Wanted(now=DAY, **more)


def known(mac: Mac, store: MemoryStore) -> None:
    """What must be true at every moment: one of the two stored passwords is the account's, and opens its key."""
    account = mac.accounts["itadmin"]
    assert account.password in (store.stored.current, store.stored.pending)
    assert account.key_password in (None, account.password)


def settled(mac: Mac, store: MemoryStore, before: str = FIRST) -> None:
    known(mac, store)
    assert store.stored.pending == ""
    assert mac.accounts["itadmin"].password == store.stored.current != before
    assert store.stored.set_at == "2026-03-01T00:00:00+00:00"


@pytest.mark.parametrize(("version", "hardware"), VERSIONS)
@pytest.mark.parametrize("holder", [True, False])
def test_the_first_rotation_and_a_second_run(version: str, hardware: str, holder: bool) -> None:
    mac, store = cast(version, hardware, holder), MemoryStore()
    account = InMemory(mac)
    done = rotate(store, account, wanted(current=FIRST))
    assert (done.changed, done.rotated, done.healed, done.result.get("reason")) == (True, True, False, None)
    settled(mac, store)
    again = InMemory(mac)
    idle = rotate(store, again, wanted(current=FIRST, max_age_days=30))
    assert (idle.changed, idle.rotated, idle.result.get("failed")) == (False, False, False)
    assert (again.writes, account.failed_logins, again.failed_logins) == ([], 0, 0)


@given(st.sampled_from(VERSIONS), st.booleans(), st.integers(1, 5), st.integers(1, 5), st.booleans())
def test_s12_whatever_is_cut_the_next_run_finishes_and_nothing_is_reset(
    mac_of: tuple[str, str], holder: bool, store_cut: int, mac_cut: int, on_controller: bool
) -> None:
    mac, store = cast(*mac_of, holder=holder), MemoryStore(Stored(FIRST, "", "2025-01-01T00:00:00+00:00"))
    account = InMemory(mac, cut=None if on_controller else mac_cut)
    store.cut = store_cut if on_controller else None
    try:
        rotate(store, account, wanted(rotate=True))
    except (Cut, PowerCut):
        known(mac, store)
    store.cut = None
    pending = store.stored.pending
    healing = InMemory(mac)
    # Nobody asks for a rotation now: what is pending is finished all the same.
    done = rotate(store, healing, wanted())
    assert not done.result.get("failed"), done
    assert done.healed == bool(pending)
    assert healing.failed_logins == 0
    known(mac, store)
    assert store.stored.pending == ""
    if pending:
        settled(mac, store)
        assert mac.accounts["itadmin"].password == pending
    assert bool(admin_holders(mac)) == holder or not holder
    last = InMemory(mac)
    assert not rotate(store, last, wanted()).changed
    assert last.writes == []


def test_the_age_of_a_password() -> None:
    mac, store = cast(), MemoryStore(Stored(FIRST, "", "2026-02-01T00:00:00+00:00"))
    assert not rotate(store, InMemory(mac), wanted(max_age_days=29)).rotated
    assert rotate(store, InMemory(mac), wanted(max_age_days=28)).rotated
    settled(mac, store)


def test_check_mode_foresees_it_and_leaves_store_and_mac_alone() -> None:
    mac, store = cast(), MemoryStore(Stored(FIRST))
    account = InMemory(mac, check_mode=True)
    done = rotate(store, account, wanted(rotate=True, check_mode=True))
    assert (done.changed, done.rotated) == (True, True)
    assert (store.stored, store.moments, account.writes) == (Stored(FIRST), 0, [])
    store.stored = Stored(FIRST, "pending-pw-1")
    assert rotate(store, account, wanted(check_mode=True)).healed
    assert mac.accounts["itadmin"].password == FIRST
    assert store.moments == 0


def test_a_store_that_keeps_nothing_is_known_before_the_mac_is_touched() -> None:
    class Forgetful(MemoryStore):
        def write(self, stored: Stored) -> None:
            """Says nothing, does nothing."""

    account = InMemory(cast())
    with pytest.raises(StoreError):
        rotate(Forgetful(Stored(FIRST)), account, wanted(rotate=True))
    assert account.runners == []


def test_changed_elsewhere_it_is_refused_until_somebody_knows_it() -> None:
    mac, store = cast(), MemoryStore(Stored("another-pw"))
    for want in (wanted(), wanted(rotate=True)):
        account = InMemory(mac)
        done = rotate(store, account, want)
        assert done.result["reason"] == "password_drifted"
        assert (done.rotated, done.healed, done.changed) == (False, False, False)
        assert (account.writes, account.failed_logins) == ([], 0)
        assert mac.accounts["itadmin"].password == FIRST
    assert rotate(store, InMemory(mac), wanted(current=FIRST)).changed
    settled(mac, store)


def test_a_password_that_the_mac_will_never_take_does_not_stay_pending() -> None:
    mac, store = cast(), MemoryStore(Stored(FIRST))
    mac.policy.min_length = 99
    done = rotate(store, InMemory(mac), wanted(rotate=True))
    assert done.result["reason"] == "password_policy"
    assert (done.rotated, done.healed, done.changed) == (False, False, False)
    assert store.stored == Stored(FIRST)
    assert mac.accounts["itadmin"].password == FIRST


def test_s13_a_stale_key_is_found_and_makes_no_password_that_opens_it_forgotten() -> None:
    mac, store = cast(), MemoryStore(Stored(FIRST))
    mac.accounts["itadmin"].key_password = "before the help desk's reset"
    looked = rotate(store, InMemory(mac), wanted())
    assert (looked.result["failed"], looked.result["reason"]) == (True, "stale_key")
    account = InMemory(mac)
    done = rotate(store, account, wanted(rotate=True))
    assert (done.result["reason"], account.writes) == ("stale_key", [])
    assert (done.rotated, done.changed) == (False, False)
    assert store.stored == Stored(FIRST)


def test_a_pending_password_that_could_not_be_finished_is_not_called_finished() -> None:
    mac, store = cast(), MemoryStore(Stored("another-pw", "pending-pw-1"))
    done = rotate(store, InMemory(mac), wanted())
    assert (done.result["reason"], done.healed, done.rotated) == ("password_drifted", False, False)
    assert store.stored.pending == "pending-pw-1"


def test_an_account_that_is_not_there_is_made_with_the_stored_password() -> None:
    mac, store = cast(), MemoryStore()
    del mac.accounts["itadmin"]
    mac.crypto_users.clear()
    assert rotate(store, InMemory(mac), wanted()).result["reason"] == "user_unknown"
    assert store.stored.pending
    assert rotate(store, InMemory(mac, create_it=True), wanted()).changed
    settled(mac, store)
    assert mac.is_admin("itadmin")


def test_a_hash_that_cannot_be_read_is_no_reason_to_reset() -> None:
    mac, store = cast(), MemoryStore(Stored(FIRST))
    mac.faults.append(Fault("hash_unreadable", {"user": "itadmin"}))
    done: Rotated = rotate(store, InMemory(mac), wanted(rotate=True))
    assert not done.result.get("failed"), done
    settled(mac, store)
    assert not rotate(store, InMemory(mac), wanted()).changed
