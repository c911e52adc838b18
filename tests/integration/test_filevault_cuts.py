# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The power goes at every step that protects a Mac: it can be unlocked at every moment, and the next run heals it.

On Macs in memory: that one behind SSH is left the same way is shown in test_cuts.py, by a run that writes most often.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import memory_play
import pytest
from memory_play import MemoryMac, PowerSupply

from harness.batch import Answer, Played, Step
from harness.macs import PASSWORDS, mac, person
from harness.recipients import HelpDesk
from maclab import bootstrap, directory, vault
from maclab.state import Mac

DESK = HelpDesk.new("help desk")
ADMIN = {"user": "itadmin", "password": PASSWORDS["itadmin"]}
IT = {"admin_user": "itadmin", "admin_password": PASSWORDS["itadmin"]}
TO_DESK = {"recovery_key": "encrypt", "recipients": [DESK.pem]}
OFF, ON = {"state": "off"}, {"state": "on", "prk": True}
MANAGED = {"enrolled": "ade", "bootstrap": {"supported": True, "escrowed": False}}

ENABLE = Step("run", "filevault", {"state": "enabled", **ADMIN, **TO_DESK})
ROTATE = Step("run", "filevault_recovery_key", {"state": "rotated", **ADMIN, **TO_DESK})
ESCROW = Step("run", "bootstrap_token", {"state": "escrowed", **IT})
GONE = Step("run", "filevault_user", {"user": "stan", "state": "absent"})
BACK = Step("run", "filevault_user", {"user": "stan", "password": PASSWORDS["stan"], **IT})
REMOVE_KEY = Step("run", "filevault_recovery_key", {"state": "absent", **ADMIN})
REPLACE = ROTATE.but("rotate")


@dataclass(frozen=True)
class Operation:
    """What is run on the Mac that ``described`` tells of; ``heals`` is what comes after it in the next runs."""

    described: Mapping[str, Any]
    step: Step
    heals: tuple[Step, ...] = ()

    @property
    def next_run(self) -> list[Step]:
        return [self.step, *self.heals]


NOT_LISTED = person("stan", token={"authority": True, "crypto": True, "filevault": False})
# A key that the cut kept from being delivered is nobody's: a new one is made, by what makes one whatever there is.
OPERATIONS = {
    "enable-old": Operation(mac("10.13.6", "itadmin", "stan", filevault=OFF), ENABLE, (REPLACE,)),
    "enable": Operation(mac("26.1", "itadmin", "stan", filevault=OFF), ENABLE, (REPLACE,)),
    "rotate": Operation(mac("15.6", "itadmin", filevault=ON), ROTATE),
    "escrow": Operation(mac("11.7.10", "itadmin", mdm=MANAGED), ESCROW, (ESCROW.but("again"),)),
    "escrow-26": Operation(mac("26.1", "itadmin", mdm=MANAGED), ESCROW, (ESCROW.but("again"),)),
    "gone": Operation(mac("13.6.9", "itadmin", "stan", filevault=ON), GONE, (GONE.but("again"),)),
    "back": Operation(mac("15.6", "itadmin", NOT_LISTED, filevault=ON), BACK, (BACK.but("again"),)),
    "key-removed": Operation(mac("10.15.7", "itadmin", filevault=ON), REMOVE_KEY, (REMOVE_KEY.but("again"),)),
}
each_operation = pytest.mark.parametrize("operation", OPERATIONS)
WITH_KEY = ("enable-old", "enable", "rotate")


@dataclass(frozen=True)
class Cut:
    operation: str
    step: int
    before: bool = False

    @property
    def host(self) -> str:
        return f"{self.operation}-{'before' if self.before else 'after'}-{self.step}"


@dataclass(frozen=True)
class Sweep:
    """``left``: each Mac as the cut left it; ``end``: after the runs that followed."""

    cuts: Sequence[Cut]
    power: Mapping[str, PowerSupply]
    begin: Mapping[str, Mac]
    cut: Played
    left: Mapping[str, Mac]
    healed: Played
    end: Mapping[str, Mac]

    def of(self, operation: str) -> list[Cut]:
        mine = [cut for cut in self.cuts if cut.operation == operation]
        assert mine
        return mine

    def answers(self, played: Played, operation: str, title: str) -> list[Answer]:
        return [played[cut.host, title] for cut in self.of(operation)]


@pytest.fixture(scope="module")
def swept() -> Sweep:
    """One Mac is cut after each commit, and one before the first."""
    cuts = []
    for name, operation in OPERATIONS.items():
        commits = MemoryMac(name, operation.described).commits(operation.step)
        assert commits
        cuts += [Cut(name, 1, before=True), *(Cut(name, step) for step in range(1, commits + 1))]
    macs = {cut.host: MemoryMac(cut.host, OPERATIONS[cut.operation].described) for cut in cuts}
    power = {cut.host: PowerSupply(cut.step, cut.before) for cut in cuts}
    begin = {host: mac.state() for host, mac in macs.items()}
    cut = memory_play.play(macs, {cut.host: [OPERATIONS[cut.operation].step] for cut in cuts}, power)
    left = {host: mac.state() for host, mac in macs.items()}
    healed = memory_play.play(macs, {cut.host: OPERATIONS[cut.operation].next_run for cut in cuts})
    return Sweep(cuts, power, begin, cut, left, healed, {host: mac.state() for host, mac in macs.items()})


def is_as_wanted(state: Mac, operation: str) -> bool:
    listed = vault.listed(state)
    stan = state.accounts["stan"].generated_uid if "stan" in state.accounts else ""
    return {
        "enable-old": vault.is_on(state),
        "enable": vault.is_on(state),
        "rotate": state.filevault.keys_made > 0,
        "escrow": bootstrap.works(state),
        "escrow-26": bootstrap.works(state),
        "gone": stan not in listed,
        "back": stan in vault.unlockers(state),
        "key-removed": state.filevault.prk is None,
    }[operation]


def can_be_unlocked(state: Mac) -> bool:
    """By a holder whom FileVault knows, or by the recovery key; a Mac that is off needs neither."""
    people = [account for account in state.accounts.values() if vault.may_unlock(state, account)]
    return not vault.is_on(state) or bool(people) or state.filevault.prk is not None


@each_operation
def test_every_cut_bit_once(swept: Sweep, operation: str) -> None:
    for cut in swept.of(operation):
        assert swept.power[cut.host].bitten
        assert swept.cut[cut.host, "run"].line.status == "unreachable"


@each_operation
def test_some_cuts_leave_work_and_some_come_after_it(swept: Sweep, operation: str) -> None:
    """Both, else the sweep has missed the step that counts."""
    done = {is_as_wanted(swept.left[cut.host], operation) for cut in swept.of(operation)}
    assert done == {True, False}


@each_operation
def test_the_mac_can_be_unlocked_at_every_moment(swept: Sweep, operation: str) -> None:
    """A Mac was cut after each of its commits: these are all the moments there are."""
    for cut in swept.of(operation):
        for moment in (swept.begin, swept.left, swept.end):
            state = moment[cut.host]
            assert can_be_unlocked(state), cut.host
            assert directory.is_holder(state, state.accounts["itadmin"]), cut.host


@each_operation
def test_the_next_run_finishes(swept: Sweep, operation: str) -> None:
    for step in OPERATIONS[operation].next_run:
        for answer in swept.answers(swept.healed, operation, step.title):
            assert answer.ok, answer
    for cut in swept.of(operation):
        assert is_as_wanted(swept.end[cut.host], operation), cut.host


@pytest.mark.parametrize("operation", [name for name in OPERATIONS if name not in WITH_KEY])
def test_and_then_there_is_nothing_left_to_do(swept: Sweep, operation: str) -> None:
    for answer in swept.answers(swept.healed, operation, "again"):
        assert not answer.changed, answer
        assert answer.touched_nothing, answer


@pytest.mark.parametrize("operation", WITH_KEY)
def test_the_key_that_somebody_has_in_the_end_is_the_macs(swept: Sweep, operation: str) -> None:
    title = OPERATIONS[operation].next_run[-1].title
    for cut in swept.of(operation):
        message = swept.healed[cut.host, title].result["recovery_key_encrypted"]
        assert DESK.opened(message) == swept.end[cut.host].filevault.prk


@pytest.mark.parametrize("operation", ["enable-old", "enable"])
def test_a_key_that_the_cut_took_away_is_not_claimed(swept: Sweep, operation: str) -> None:
    """The run after the cut returns a key where it made one, and says by an empty value where it did not."""
    for cut in swept.of(operation):
        answer = swept.healed[cut.host, "run"]
        was_on = vault.is_on(swept.left[cut.host])
        assert answer.changed is not was_on
        assert bool(answer.result["recovery_key_encrypted"]) is not was_on
