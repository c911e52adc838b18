# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A managed password on modelled Macs: cut anywhere, the store knows it, the token works, and nothing is ever reset."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import itertools
import typing as t
from dataclasses import dataclass, field

import fakes
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inmemory import LabRunner, PowerCut, admin_holders

from ansible_collections.keyholder.macos.plugins.module_utils._plan.account import AccountRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.offboard import OffboardRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.password import PasswordRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.repair import RepairRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.request import Outcome
from ansible_collections.keyholder.macos.plugins.module_utils._run.run import Run
from ansible_collections.keyholder.macos.plugins.module_utils._runner import DEADLINE, Command, Ran, Secret
from ansible_collections.keyholder.macos.plugins.plugin_utils._rotation import Rotated, Wanted, rotate
from ansible_collections.keyholder.macos.plugins.plugin_utils._stored import Stored, StoreError
from maclab.state import Fault, Mac

FIRST, RESET = "first-pw-1", "help-desk-pw-2"
DAY = datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC)
VERSIONS = (
    ("10.13.6", "intel"),
    ("11.7.10", "apple-silicon"),
    ("15.6", "apple-silicon"),
    ("26.1", "apple-silicon"),
    ("27.0.1", "apple-silicon"),
)


class Cut(Exception):
    """The controller lost its power."""


@dataclass
class MemoryStore:
    """``cut``: the controller's power goes before that write (odd) or after it (even). ``fails``: there the store
    fails instead."""

    stored: Stored = Stored()
    cut: int | None = None
    moments: int = 0
    fails: bool = False

    def read(self) -> Stored:
        return self.stored

    def write(self, stored: Stored) -> None:
        self._moment()
        self.stored = stored
        self._moment()

    def _moment(self) -> None:
        self.moments += 1
        if self.moments == self.cut:
            raise StoreError("the disk is full") if self.fails else Cut


class Unfollowed(LabRunner):
    """The key does not follow a new password: the Mac was cut off in between, or macOS did it wrong."""

    def run(self, command: Command, deadline: float = DEADLINE) -> Ran:
        account = self.mac.accounts["itadmin"]
        password, key = account.password, account.key_password
        try:
            return super().run(command, deadline)
        finally:
            if account.password != password:
                account.key_password = key


@dataclass
class InMemory:
    """The account on a modelled Mac, asked as the action asks it. ``cut``: the Mac's power goes after that many of its
    writes. ``unfollowed``: the key does not follow the first new password. ``options``: with which a missing account is
    made."""

    mac: Mac
    cut: int | None = None
    options: dict[str, t.Any] | None = None
    boss_password: str = "boss-pw-1"
    unfollowed: bool = False
    check_mode: bool = False
    rule: str = ""
    runners: list[LabRunner] = field(default_factory=list)
    numbers: t.Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def set(self, new: str, old: str, check: bool) -> dict[str, t.Any]:
        secrets = {"password": new, **({"old_password": old} if old else {})}
        request = PasswordRequest("itadmin", verify_key="always", given=frozenset(secrets))
        return self._run(request, secrets, check)

    def look(self, password: str) -> dict[str, t.Any]:
        secrets = {"password": password, "old_password": password}
        request = PasswordRequest("itadmin", verify_key="always", given=frozenset(secrets))
        return self._run(request, secrets, True)

    def create(self, password: str, check: bool) -> dict[str, t.Any] | None:
        if self.options is None:
            return None
        secrets = {"password": password, "admin_password": self.boss_password}
        return self._run(AccountRequest("itadmin", given=frozenset(secrets), **self.options), secrets, check)

    def repair(self, password: str, key_password: str, check: bool) -> dict[str, t.Any]:
        secrets = {"password": password, "old_password": key_password}
        return self._run(RepairRequest("itadmin", given=frozenset(secrets)), secrets, check)

    def generate(self) -> str:
        return f"{self.rule}made-pw-{next(self.numbers)}-{id(self)}"

    def _run(self, request: t.Any, secrets: dict[str, str], check: bool) -> dict[str, t.Any]:
        runner = (Unfollowed if self.unfollowed else LabRunner)(self.mac, cut=self.cut)
        self.runners.append(runner)
        flow = Run(runner, {key: Secret(value) for key, value in secrets.items()}, 5)
        told: Outcome = flow.run(request, check or self.check_mode)
        self.unfollowed = self.unfollowed and not runner.writes
        if self.cut is not None:
            self.cut -= len(runner.writes)
        result: dict[str, t.Any] = {"changed": told.changed, "plan": told.plan, "state": {"before": told.before}}
        if isinstance(request, PasswordRequest):
            result["password_matches"] = told.proofs.get("password")
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


@settings(deadline=None)
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
    assert account.writes == []


def test_a_store_that_another_run_has_written_to_meanwhile_is_left_as_it_is() -> None:
    class Shared(MemoryStore):
        """Another run notes its pending password between this one's reading and its writing."""

        def read(self) -> Stored:
            seen, self.stored = self.stored, Stored(FIRST, "theirs-pw-1")
            return seen

    account, store = InMemory(cast()), Shared(Stored(FIRST))
    with pytest.raises(StoreError, match="another run"):
        rotate(store, account, wanted(rotate=True))
    assert (account.writes, store.stored, store.moments) == ([], Stored(FIRST, "theirs-pw-1"), 0)


def test_changed_elsewhere_it_is_refused_until_somebody_knows_it() -> None:
    mac, store = cast(), MemoryStore(Stored("another-pw"))
    for want in (wanted(), wanted(rotate=True)):
        account = InMemory(mac)
        done = rotate(store, account, want)
        assert done.result["reason"] == "password_drifted"
        assert (account.writes, account.failed_logins) == ([], 0)
        assert mac.accounts["itadmin"].password == FIRST
    assert rotate(store, InMemory(mac), wanted(current=FIRST)).changed
    settled(mac, store)


def test_a_password_that_the_mac_will_never_take_does_not_stay_pending() -> None:
    mac, store = cast(), MemoryStore(Stored(FIRST))
    mac.policy.min_length = 99
    done = rotate(store, InMemory(mac), wanted(rotate=True))
    assert (done.result["reason"], done.changed, done.rotated, done.healed) == ("password_policy", False, False, False)
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
    assert store.stored == Stored(FIRST)


UNTOLD = {
    "the store has what opens the key": (Stored(FIRST), {}, FIRST),
    "the caller has it": (Stored(), {"key": FIRST}, FIRST),
    "the key had followed": (Stored(FIRST), {}, RESET),
    "the key had followed, and the caller names an older one": (Stored(), {"key": FIRST}, RESET),
}
"""Where FileVault is off and the password was set elsewhere: the store, what is given, and what opens the key."""


def elsewhere(version: str, hardware: str, opens: str) -> Mac:
    mac = cast(version, hardware)
    mac.filevault.state = "off"
    mac.accounts["itadmin"].password, mac.accounts["itadmin"].key_password = RESET, opens
    return mac


@pytest.mark.parametrize("name", UNTOLD)
@pytest.mark.parametrize(("version", "hardware"), VERSIONS)
def test_without_filevault_the_key_is_taken_along_whether_or_not_it_had_followed(
    version: str, hardware: str, name: str
) -> None:
    stored, more, opens = UNTOLD[name]
    for cut in range(1, 14):
        mac, store = elsewhere(version, hardware, opens), MemoryStore(stored)
        account = InMemory(mac, cut=cut // 2 if cut % 2 else None)
        store.cut = None if cut % 2 else cut // 2
        told = wanted(current=RESET, repair=True, max_age_days=30, **more)
        with contextlib.suppress(Cut, PowerCut):
            rotate(store, account, told)
        store.cut = None
        assert mac.accounts["itadmin"].password in (store.stored.current, store.stored.pending, RESET)
        assert mac.accounts["itadmin"].key_password in (store.stored.current, store.stored.pending, FIRST, RESET)
        healing = InMemory(mac)
        rotate(store, healing, told)
        settled(mac, store)
        assert store.stored.current not in (FIRST, RESET)
        assert (account.failed_logins, healing.failed_logins) == (0, 0)
        idle = InMemory(mac)
        assert not rotate(store, idle, told).changed
        assert idle.writes == []


def test_without_filevault_a_password_that_the_store_knows_goes_no_other_way() -> None:
    mac, store = elsewhere("15.6", "apple-silicon", RESET), MemoryStore(Stored(RESET))
    account = InMemory(mac)
    assert rotate(store, account, wanted(rotate=True, repair=True, current=FIRST, key=FIRST)).rotated
    settled(mac, store, RESET)
    assert len(account.writes) == 1


@pytest.mark.parametrize("name", UNTOLD)
def test_check_mode_foresees_the_way_of_an_untold_key(name: str) -> None:
    stored, more, opens = UNTOLD[name]
    mac, store = elsewhere("15.6", "apple-silicon", opens), MemoryStore(stored)
    account = InMemory(mac, check_mode=True)
    done = rotate(store, account, wanted(current=RESET, repair=True, check_mode=True, **more))
    assert (done.changed, done.rotated, done.result.get("failed")) == (True, True, None)
    assert (store.stored, account.writes) == (stored, [])
    assert sum(step.startswith("set the password") for step in done.result["plan"]) == 2


def test_an_earlier_password_of_the_callers_opens_a_stale_key() -> None:
    mac, store = cast(), MemoryStore()
    mac.accounts["itadmin"].password = RESET
    without = rotate(store, InMemory(mac), wanted(current=RESET, repair=True))
    assert (without.result["reason"], store.stored) == ("stale_key", Stored())
    assert rotate(store, InMemory(mac), wanted(current=RESET, repair=True, key=FIRST)).rotated
    settled(mac, store)
    assert store.stored.current not in (FIRST, RESET)


def test_an_account_that_is_not_there_is_made_with_the_stored_password() -> None:
    mac, store = cast(), MemoryStore()
    del mac.accounts["itadmin"]
    mac.crypto_users.clear()
    assert rotate(store, InMemory(mac), wanted()).result["reason"] == "user_unknown"
    assert store.stored == Stored()
    assert rotate(store, InMemory(mac, options={"admin": True}), wanted()).rotated
    settled(mac, store)
    assert mac.is_admin("itadmin")
    # Somebody deletes it. What is stored is not lost, as nobody knows what it still opens.
    kept = store.stored.current
    del mac.accounts["itadmin"]
    mac.crypto_users.clear()
    again = rotate(store, InMemory(mac, options={"admin": True}), wanted(rotate=True))
    assert (again.changed, again.rotated, again.result.get("reason")) == (True, False, None)
    assert store.stored.current == mac.accounts["itadmin"].password == kept


def test_a_hash_that_cannot_be_read_is_no_reason_to_reset() -> None:
    mac, store = cast(), MemoryStore(Stored(FIRST))
    mac.faults.append(Fault("hash_unreadable", {"user": "itadmin"}))
    done: Rotated = rotate(store, InMemory(mac), wanted(rotate=True))
    assert not done.result.get("failed"), done
    settled(mac, store)
    assert not rotate(store, InMemory(mac), wanted()).changed


def test_a_policy_that_is_refused_leaves_nothing_pending_where_the_hash_is_unreadable() -> None:
    mac, store = cast(holder=False), MemoryStore(Stored(FIRST))
    mac.faults.append(Fault("hash_unreadable", {"user": "itadmin"}))
    mac.policy.min_length = 99
    done = rotate(store, InMemory(mac), wanted(rotate=True))
    assert (done.result["reason"], done.changed) == ("password_policy", False)
    assert store.stored == Stored(FIRST)


@pytest.mark.parametrize("held", [Stored(), Stored("another-pw", "", "", "", {"note": "of the help desk"})])
def test_what_the_mac_would_refuse_leaves_the_store_as_it_is(held: Stored) -> None:
    store = MemoryStore(held)
    account = InMemory(cast())
    done = rotate(store, account, wanted(rotate=True))
    assert done.result["reason"] == ("password_drifted" if held.current else "option_missing")
    assert (store.stored, store.moments, account.writes) == (held, 0, [])
    assert (done.changed, done.rotated, done.healed) == (False, False, False)


def test_what_the_owner_of_the_store_keeps_there_stays() -> None:
    mac, store = cast(), MemoryStore(Stored(FIRST, others={"note": "of the help desk"}))
    assert rotate(store, InMemory(mac), wanted(rotate=True)).rotated
    assert store.stored.others == {"note": "of the help desk"}
    settled(mac, store)


def test_the_mac_was_changed_even_if_the_store_then_fails() -> None:
    store = MemoryStore(Stored(FIRST), cut=3, fails=True)
    with pytest.raises(StoreError) as caught:
        rotate(store, InMemory(cast()), wanted(rotate=True))
    assert caught.value.changed
    store = MemoryStore(Stored(FIRST), cut=1, fails=True)
    with pytest.raises(StoreError) as caught:
        rotate(store, InMemory(cast()), wanted(rotate=True))
    assert not caught.value.changed


TOKEN = {"admin": True, "hidden": True, "secure_token": "present", "admin_user": "boss"}


def without_the_account() -> Mac:
    mac = cast()
    del mac.accounts["itadmin"]
    mac.crypto_users.clear()
    fakes.person(mac, "boss", "boss-pw-1", admin=True, token=True)
    return mac


def test_an_account_whose_making_is_cut_off_gets_all_its_options() -> None:
    for cut in itertools.count(1):
        mac, store = without_the_account(), MemoryStore()
        try:
            rotate(store, InMemory(mac, cut=cut, options=TOKEN), wanted())
            break
        except PowerCut:
            assert store.stored.doing == "create"
        done = rotate(store, InMemory(mac, options=TOKEN), wanted())
        assert (done.result.get("reason"), done.healed) == (None, True), cut
        settled(mac, store)
        account = mac.accounts["itadmin"]
        assert account.has_authority_token, cut
        assert account.hidden or "IsHidden" in account.attributes, cut
        assert mac.is_admin("itadmin")
        assert not mac.accounts["root"].attributes.get("dsAttrTypeNative:keyholder_pending"), cut
        assert not rotate(store, InMemory(mac, options=TOKEN), wanted()).changed
    assert cut > 6


def test_a_wrong_granter_is_called_that_and_makes_nothing() -> None:
    mac, store = without_the_account(), MemoryStore()
    done = rotate(store, InMemory(mac, options=TOKEN, boss_password="wrong"), wanted())
    assert done.result["reason"] == "granter_password_wrong"
    assert store.stored == Stored()
    assert "itadmin" not in mac.accounts


def begun(how: str, readable: bool) -> Mac:
    """``how``: whole, or reset by the help desk as root, so that the key is stale."""
    mac = cast()
    if how == "reset":
        mac.accounts["itadmin"].password = RESET
    if not readable:
        mac.faults.append(Fault("hash_unreadable", {"user": "itadmin"}))
    return mac


@dataclass
class Witness(MemoryStore):
    """Before and after each write: what the Mac and its key have is in the store, or the caller has given it."""

    mac: Mac = field(default_factory=cast)
    given: str = ""

    def _moment(self) -> None:
        self.look()
        super()._moment()

    def look(self) -> None:
        account, stored = self.mac.accounts["itadmin"], self.stored
        told = {stored.current, stored.pending, self.given} - {""}
        assert {account.password, account.key_password} <= told, stored


@pytest.mark.parametrize("repair", [True, False])
@pytest.mark.parametrize("readable", [True, False])
@pytest.mark.parametrize("how", ["whole", "unfollowed", "reset"])
@pytest.mark.parametrize("what", ["controller", "store", "mac"])
def test_s13_cut_or_failed_anywhere_no_password_is_lost_and_the_next_run_ends_well(
    how: str, readable: bool, repair: bool, what: str
) -> None:
    given = RESET if how == "reset" else ""
    want = wanted(rotate=True, repair=repair, current=given)
    for moment in itertools.count(1):
        mac = begun(how, readable)
        store = Witness(Stored(FIRST, "", "2025-01-01T00:00:00+00:00"), fails=what == "store", mac=mac, given=given)
        first = InMemory(mac, unfollowed=how == "unfollowed", cut=moment if what == "mac" else None)
        store.cut = None if what == "mac" else moment
        interrupted = False
        try:
            rotate(store, first, want)
        except (Cut, PowerCut, StoreError):
            interrupted = True
        store.look()
        store.cut = None
        for _again in range(2):
            done = rotate(store, InMemory(mac), want)
            store.look()
        account = mac.accounts["itadmin"]
        if repair or how == "whole" or account.key_password == account.password:
            assert not done.result.get("failed"), (moment, done)
            settled(mac, store)
        else:
            assert (done.result["reason"], done.rotated, done.healed) == ("stale_key", False, False), (moment, done)
            assert {account.password, account.key_password} <= {store.stored.current, store.stored.pending, given}
            fixed = rotate(store, InMemory(mac), dataclasses.replace(want, repair=True))
            assert not fixed.result.get("failed"), (moment, fixed)
            settled(mac, store)
        if not interrupted:
            break


def test_s13_check_mode_foresees_a_repair_and_does_nothing() -> None:
    mac, held = begun("reset", True), Stored(FIRST)
    store, account = MemoryStore(held), InMemory(mac, check_mode=True)
    done = rotate(store, account, wanted(current=RESET, repair=True, check_mode=True))
    assert (done.changed, done.rotated, done.result.get("failed")) == (True, True, None)
    assert (store.stored, store.moments, account.writes) == (held, 0, [])


def test_s13_a_password_that_opens_no_key_is_not_tried_out_on_the_mac() -> None:
    mac, store = begun("reset", True), MemoryStore(Stored("of another time"))
    account = InMemory(mac)
    done = rotate(store, account, wanted(current=RESET, repair=True))
    assert (done.result["reason"], account.writes) == ("stale_key", [])
    assert store.stored == Stored("of another time")


# -- beside another run, which comes in between any two steps ---------------------------------------------------------


@dataclass
class Comer:
    """Somebody else, who comes in at that moment of a rotation: each step of it begins with one."""

    moment: int
    act: t.Callable[[], None]
    moments: int = 0
    last: str = ""

    def step(self, what: str) -> None:
        self.last = what
        self.moments += 1
        if self.moments == self.moment:
            self.act()


@dataclass
class Shared(MemoryStore):
    """A store that both write to. ``compares``: a write over what its writer has not read is refused, as Vault does it;
    where it is not, nobody comes in between a reading and the writing right after it: there only such a store helps."""

    comer: Comer | None = None
    compares: bool = False
    behind: MemoryStore = field(default_factory=MemoryStore)
    seen: Stored | None = None

    def read(self) -> Stored:
        if self.comer is not None:
            self.comer.step("read")
        self.seen = self.behind.stored
        return self.seen

    def write(self, stored: Stored) -> None:
        if self.comer is not None and (self.compares or self.comer.last != "read"):
            self.comer.step("write")
        if self.compares and self.behind.stored != self.seen:
            raise StoreError("the version in the store is another one")
        self._moment()
        self.behind.stored = self.seen = stored
        self._moment()


@dataclass
class Stepping(InMemory):
    comer: Comer | None = None

    def _run(self, request: t.Any, secrets: dict[str, str], check: bool) -> dict[str, t.Any]:
        if self.comer is not None:
            self.comer.step("run")
        return super()._run(request, secrets, check)


def offboard(mac: Mac) -> None:
    """The deletion of the account whose password is rotated; the boss stays."""
    Run(LabRunner(mac), {}, 5).run(OffboardRequest("itadmin", "keep"), False)


@pytest.mark.parametrize("compares", [True, False])
@pytest.mark.parametrize("how", ["whole", "reset", "missing"])
@pytest.mark.parametrize(("times", "cut"), [(1, None), (2, None), (1, 2), (1, 3)])
def test_beside_another_rotation_no_password_is_lost(how: str, cut: int | None, times: int, compares: bool) -> None:
    """``cut``: the power of the other run's controller goes there. ``times``: it runs that often."""
    want = wanted(rotate=True, repair=True, current=RESET if how == "reset" else "")
    options = TOKEN if how == "missing" else None
    for moment in itertools.count(1):
        mac = without_the_account() if how == "missing" else begun(how, True)
        behind = MemoryStore(Stored() if how == "missing" else Stored(FIRST, "", "2025-01-01T00:00:00+00:00"))

        def other(mac: Mac = mac, behind: MemoryStore = behind) -> None:
            for _again in range(times):
                theirs = Shared(behind=behind, compares=compares, cut=cut)
                with contextlib.suppress(Cut, StoreError):
                    rotate(theirs, InMemory(mac, options=options), want)

        comer = Comer(moment, other)
        with contextlib.suppress(StoreError):
            store = Shared(comer=comer, behind=behind, compares=compares)
            rotate(store, Stepping(mac, options=options, comer=comer), want)
        if comer.moments < moment:
            break
        account, told = mac.accounts.get("itadmin"), {behind.stored.current, behind.stored.pending, want.current}
        if account is not None:
            assert {account.password, account.key_password} - {None} <= told, (moment, behind.stored)
        for _again in range(2):
            done = rotate(Shared(behind=behind), InMemory(mac, options=options), want)
            assert not done.result.get("failed"), (moment, done)
        settled(mac, behind)
        assert "itadmin" in admin_holders(mac)
    assert moment > 6


@pytest.mark.parametrize("how", ["whole", "missing"])
def test_beside_an_offboarding_the_last_who_can_grant_stays(how: str) -> None:
    for moment in itertools.count(1):
        mac, behind = without_the_account(), MemoryStore()
        if how == "whole":
            fakes.person(mac, "itadmin", FIRST, admin=True, token=True)
            behind.stored = Stored(FIRST)
        comer = Comer(moment, lambda mac=mac: offboard(mac))
        options = TOKEN if how == "missing" else None
        store = Shared(comer=comer, behind=behind)
        done = rotate(store, Stepping(mac, options=options, comer=comer), wanted(rotate=True))
        if comer.moments < moment:
            break
        assert "boss" in admin_holders(mac), moment
        account, stored = mac.accounts.get("itadmin"), behind.stored
        if account is None:
            # What the store holds may still open a backup.
            assert how == "missing" or FIRST in (stored.current, stored.pending) or done.rotated
        else:
            assert account.password in (stored.current, stored.pending), moment
    assert moment > 4
