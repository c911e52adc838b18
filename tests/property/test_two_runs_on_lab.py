# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two runs on one Mac in memory, the second at each command of the first: with the lock it does nothing, and without it
the Mac loses its last administrator who can grant."""

from __future__ import annotations

import contextlib
import itertools
import typing as t
from dataclasses import dataclass, field

import fakes
import pytest
from inmemory import LabLock, LabRunner, PowerCut, admin_holders, snapshot

from ansible_collections.keyholder.macos.plugins.module_utils._lock import Lock, NoLock
from ansible_collections.keyholder.macos.plugins.module_utils._plan.account import AccountRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.filevault import UnlockerRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.offboard import OffboardRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.request import Outcome
from ansible_collections.keyholder.macos.plugins.module_utils._plan.token import TokenRequest
from ansible_collections.keyholder.macos.plugins.module_utils._run.run import Run
from ansible_collections.keyholder.macos.plugins.module_utils._runner import DEADLINE, Command, Ran, Secret
from maclab.state import Mac

HIDE = AccountRequest("bob", hidden=True)
LENT = TokenRequest("helper", admin_user="salma", allow_temporary_promotion=True)
PASSWORDS = {"password": "helper-pw", "admin_password": "salma-pw"}
# What each of two runs does, and each of them may alone.
PAIRS: dict[str, tuple[t.Any, t.Any]] = {
    "demote-demote": (AccountRequest("itadmin", admin=False), AccountRequest("deputy", admin=False)),
    "leave-leave": (OffboardRequest("itadmin"), OffboardRequest("deputy")),
    "demote-leave": (AccountRequest("itadmin", admin=False), OffboardRequest("deputy")),
    "unlist-unlist": (UnlockerRequest("itadmin", state="absent"), UnlockerRequest("deputy", state="absent")),
    "unlist-demote": (UnlockerRequest("itadmin", state="absent"), AccountRequest("deputy", admin=False)),
}


def cast(*, lent: bool = False) -> Mac:
    mac = fakes.mac("15.6", "apple-silicon")
    fakes.person(mac, "root", None, uid=0).service = True
    if lent:
        fakes.person(mac, "salma", PASSWORDS["admin_password"], token=True)
    else:
        fakes.person(mac, "itadmin", "it-pw", admin=True, token=True)
        fakes.person(mac, "deputy", "deputy-pw", admin=True, token=True)
    fakes.person(mac, "helper", PASSWORDS["password"], admin=True)
    fakes.person(mac, "bob", "bob-pw", token=not lent)
    mac.filevault.state = "on"
    mac.filevault.prk = "AAAA-AAAA-AAAA-AAAA-AAAA-AAAA"
    return mac


def granters(mac: Mac) -> set[str]:
    """Who can authorise a grant: FileVault's list has them, too."""
    listed = {who.name for who in mac.accounts.values() if who.generated_uid not in mac.filevault.hidden_users}
    return admin_holders(mac) & listed


@dataclass
class Shared(LabRunner):
    """Right before the command number ``at``, ``other`` happens to the Mac."""

    at: int = -1
    other: t.Callable[[], None] = lambda: None
    # A reading starts its commands side by side.
    count: t.Iterator[int] = field(default_factory=itertools.count)

    def run(self, command: Command, deadline: float = DEADLINE) -> Ran:
        if next(self.count) == self.at:
            self.other()
        return super().run(command, deadline)


@dataclass
class Both:
    """What became of the first run, of the second while the first was at work, and of the second afterwards."""

    first: Outcome | None = None
    meanwhile: list[Outcome] = field(default_factory=list)
    started: list[int] = field(default_factory=list)
    then: Outcome | None = None


def flow(runner: LabRunner, request: t.Any, lock: Lock, check: bool = False) -> Outcome:
    secrets = {option: Secret(value) for option, value in PASSWORDS.items()}
    return Run(runner, secrets, 5, lock=lock).run(request, check)


def race(mac: Mac, pair: tuple[t.Any, t.Any], at: int, lock: Lock, cut: int | None = None, check: bool = False) -> Both:
    said = Both()

    def second() -> None:
        runner = LabRunner(mac)
        said.meanwhile.append(flow(runner, pair[1], lock, check))
        said.started.append(len(runner.runs))

    runner = Shared(mac, cut=cut, at=at, other=second)
    with contextlib.suppress(PowerCut):
        said.first = flow(runner, pair[0], lock)
    said.then = flow(LabRunner(mac), pair[1], lock)
    return said


def commands(pair: tuple[t.Any, t.Any], mac: Mac) -> range:
    runner = LabRunner(mac)
    outcome = flow(runner, pair[0], NoLock())
    assert (outcome.refusal, outcome.changed) == (None, True)
    return range(len(runner.runs))


@pytest.mark.parametrize("pair", PAIRS)
def test_whenever_the_second_comes_it_does_nothing_before_the_first_has_ended(pair: str) -> None:
    for at in commands(PAIRS[pair], cast()):
        mac = cast()
        both = race(mac, PAIRS[pair], at, LabLock())
        (meanwhile,) = both.meanwhile
        assert meanwhile.refusal is not None
        assert (meanwhile.refusal.reason, meanwhile.changed, meanwhile.plan) == ("another_run", False, [])
        assert both.started == [0]
        assert both.first is not None
        assert both.then is not None
        assert (both.first.refusal, both.first.changed) == (None, True)
        assert both.then.refusal is not None
        assert both.then.refusal.reason != "another_run"
        assert len(granters(mac)) == 1


@pytest.mark.parametrize("pair", PAIRS)
def test_without_the_lock_some_moment_costs_the_mac_its_last_administrator(pair: str) -> None:
    """Else the test above could not fail."""
    lost = []
    looking = LabRunner(cast())
    flow(looking, PAIRS[pair][0], NoLock(), check=True)
    for at in commands(PAIRS[pair], cast())[len(looking.runs) :]:
        mac = cast()
        race(mac, PAIRS[pair], at, NoLock())
        lost += [at] if not granters(mac) else []
    assert lost


@pytest.mark.parametrize("pair", PAIRS)
def test_check_mode_looks_whenever_it_comes(pair: str) -> None:
    for at in commands(PAIRS[pair], cast()):
        mac = cast()
        both = race(mac, PAIRS[pair], at, LabLock(), check=True)
        (meanwhile,) = both.meanwhile
        assert meanwhile.refusal is None or meanwhile.refusal.reason != "another_run"
        assert both.started[0] > 0


def test_a_live_promotion_is_left_alone_and_one_that_was_cut_is_undone_by_whoever_comes_next() -> None:
    pair = (LENT, HIDE)
    for at in commands(pair, cast(lent=True)):
        mac = cast(lent=True)
        both = race(mac, pair, at, LabLock())
        assert both.first is not None
        assert (both.first.refusal, both.first.notes) == (None, [])
        assert admin_holders(mac) == {"helper"}
    whole = LabRunner(cast(lent=True))
    flow(whole, LENT, NoLock())
    for cut in range(1, len(whole.writes) + 1):
        mac = cast(lent=True)
        lock = LabLock()
        both = race(mac, pair, 0, lock, cut=cut)
        assert both.then is not None
        assert both.then.refusal is None
        assert not lock.taken
        assert (mac.is_admin("salma"), mac.jobs) == (False, {})


def test_a_run_that_was_refused_or_has_broken_lets_the_lock_go() -> None:
    lock = LabLock()
    mac = cast()
    before = snapshot(mac)
    assert flow(LabRunner(mac), AccountRequest("nobody", uid=-1), lock).refusal is not None
    assert not lock.taken
    assert mac == before
