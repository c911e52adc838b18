# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run is cut off at every step, by the power or by the network, and the next run finishes what it began.

The n-th cut hits the n-th Mac, so that one play tries them all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from harness.ansible import Ansible
from harness.batch import Answer, Played, Step, account, play, token
from harness.macs import PASSWORDS, mac, secret
from harness.wait import processes, until
from maclab import journal
from maclab.lab import Lab
from maclab.state import Mac

IT = {"admin_user": "itadmin", "admin_password": PASSWORDS["itadmin"]}
NEW = secret("new")
NEVER = 9999


def holds(mac: Mac, who: str) -> bool:
    account = mac.accounts.get(who)
    return account is not None and account.has_authority_token and account.generated_uid in mac.crypto_users


def created(mac: Mac) -> bool:
    return holds(mac, "nova") and numbered(mac)


def numbered(mac: Mac) -> bool:
    nova = mac.accounts.get("nova")
    return nova is not None and (nova.uid, nova.hidden, nova.home_exists, mac.is_admin("nova")) == (
        2777,
        True,
        True,
        True,
    )


def prevented(mac: Mac) -> bool:
    svc = mac.accounts.get("svc")
    tagged = svc is not None and ";DisabledTags;SecureToken" in svc.authority
    return tagged and svc is not None and svc.password == NEW and mac.is_admin("svc") and not holds(mac, "svc")


def renewed(mac: Mac) -> bool:
    stan = mac.accounts["stan"]
    return holds(mac, "stan") and stan.password == stan.key_password == NEW


@dataclass(frozen=True)
class Operation:
    """``wanted``: whether a Mac is as the operation should leave it."""

    version: str
    step: Step
    wanted: Callable[[Mac], bool]


OPERATIONS = {
    "create": Operation(
        "13.6.9",
        account("run", "nova", uid=2777, admin=True, hidden=True, password=NEW, secure_token="present", **IT),
        created,
    ),
    # From 26.3 on -addUser does not give the number that was asked for; without a token nothing else is in the way.
    "create-26": Operation("26.3", account("run", "nova", uid=2777, admin=True, hidden=True, password=NEW), numbered),
    "grant": Operation("26.1", token("run", "ana", password=PASSWORDS["ana"], **IT), lambda mac: holds(mac, "ana")),
    "revoke": Operation(
        "10.15.7",
        token("run", "stan", state="absent", password=PASSWORDS["stan"], **IT),
        lambda mac: not holds(mac, "stan") and "stan" in mac.accounts,
    ),
    "delete": Operation(
        "11.7.10",
        account("run", "stan", state="absent", remove="delete_home"),
        lambda mac: "stan" not in mac.accounts,
    ),
    "prevent": Operation(
        "15.6",
        account("run", "svc", full_name="Service", admin=True, hidden=True, password=NEW, secure_token="prevented"),
        prevented,
    ),
    "reset": Operation("15.6", account("run", "stan", password=NEW, update_password="always", **IT), renewed),
    "renew": Operation(
        "10.13.6",
        account("run", "stan", password=NEW, old_password=PASSWORDS["stan"], update_password="always"),
        renewed,
    ),
}


def described(operation: Operation, *faults: dict[str, Any]) -> dict[str, Any]:
    return mac(operation.version, "itadmin", "stan", "ana", faults=list(faults))


@dataclass(frozen=True)
class Cut:
    """One cut of one operation, and the Mac that it hits."""

    operation: str
    fault: dict[str, Any]

    @property
    def host(self) -> str:
        kind = "before" if self.fault.get("before") else self.fault["fault"].replace("_", "-")
        return f"{self.operation}-{kind}-{self.fault['step']}"


@pytest.fixture(scope="module")
def cuts(ansible: Ansible, bring_up: Callable[[Mapping[str, Any]], Lab]) -> list[Cut]:
    """As many as there are steps: counted by a run of each operation with faults that never bite."""
    never = [{"fault": "kill", "step": NEVER}, {"fault": "ssh_cut", "step": NEVER}]
    lab = bring_up({name: described(operation, *never) for name, operation in OPERATIONS.items()})
    uncut = play(ansible, lab, {name: [operation.step] for name, operation in OPERATIONS.items()})
    found = []
    for name, operation in OPERATIONS.items():
        assert uncut[name, "run"].ok, uncut[name, "run"]
        assert operation.wanted(lab.mac(name).state())
        commits, starts = (fault.seen for fault in lab.mac(name).state().faults)
        found += [Cut(name, {"fault": "kill", "step": step}) for step in range(1, commits + 1)]
        # Before the first commit is where nothing is written, before a later one is after the one before it.
        found.append(Cut(name, {"fault": "kill", "step": 1, "before": True}))
        first_write = next(
            index for index, run in enumerate(journal.programs(lab.mac(name).journal()), start=1) if run.writes
        )
        # While the run only reads, one moment is like another: its beginning will do, and its end. What comes after is
        # tried at every other program for the operations that have most of them, at every fourth for the rest: what the
        # Mac is left with after each of its own steps, the power cuts show.
        moments = [1, *range(first_write - 1, starts + 1, 2 if name in ("create", "grant") else 4)]
        found += [Cut(name, {"fault": "ssh_cut", "step": step}) for step in moments]
    return found


@pytest.fixture(scope="module")
def lab(bring_up: Callable[[Mapping[str, Any]], Lab], cuts: list[Cut]) -> Lab:
    return bring_up({cut.host: described(OPERATIONS[cut.operation], cut.fault) for cut in cuts})


@dataclass(frozen=True)
class Sweep:
    """The run that was cut, what it left, and the runs after it."""

    cut: Played
    left: Mapping[str, Mac]
    healed: Played
    again: Played

    def last(self, host: str) -> Answer:
        return (self.again if (host, "run") in self.again.answers else self.healed)[host, "run"]


@pytest.fixture(scope="module")
def sweep(ansible: Ansible, lab: Lab, cuts: list[Cut]) -> Sweep:
    steps = {cut.host: [OPERATIONS[cut.operation].step] for cut in cuts}
    cut = play(ansible, lab, steps)
    # Only the connection was cut: the Mac's own processes go on, and a second run must not meet the first.
    macs = [lab.mac(host) for host in steps]
    until(lambda: not processes(*macs), "nothing runs on the Macs any more")
    left = {mac.name: mac.state() for mac in macs}
    healed = play(ansible, lab, steps)
    # A run that found nothing to do has been the second look already.
    changed = {host: step for host, step in steps.items() if healed[host, "run"].changed}
    return Sweep(cut, left, healed, play(ansible, lab, changed))


def failing(cuts: list[Cut], check: Callable[[Cut], bool]) -> list[str]:
    assert cuts
    return [cut.host for cut in cuts if not check(cut)]


@pytest.fixture
def mine(cuts: list[Cut], operation: str) -> list[Cut]:
    return [cut for cut in cuts if cut.operation == operation]


each_operation = pytest.mark.parametrize("operation", OPERATIONS)


@each_operation
def test_every_cut_bit_once(mine: list[Cut], sweep: Sweep, lab: Lab) -> None:
    """A cut that did not come would prove nothing; the last step is cut too, and so is the first."""
    assert failing(mine, lambda cut: len(journal.events(lab.mac(cut.host).journal())) == 1) == []
    assert failing(mine, lambda cut: sweep.cut[cut.host, "run"].line.status == "unreachable") == []
    kinds = {cut.fault["fault"] for cut in mine}
    assert kinds == {"kill", "ssh_cut"}


@each_operation
def test_an_admin_holder_is_there_at_every_moment(mine: list[Cut], sweep: Sweep, lab: Lab) -> None:
    assert failing(mine, lambda cut: holds(sweep.left[cut.host], "itadmin")) == []
    assert failing(mine, lambda cut: holds(lab.mac(cut.host).state(), "itadmin")) == []


@each_operation
def test_power_cuts_leave_different_states(mine: list[Cut], sweep: Sweep, operation: str) -> None:
    """Some cut must leave the work undone, else the sweep cut nothing."""
    wanted = OPERATIONS[operation].wanted
    assert failing([cut for cut in mine if cut.fault["fault"] == "kill"], lambda cut: wanted(sweep.left[cut.host]))


@each_operation
def test_the_next_run_finishes(mine: list[Cut], sweep: Sweep, lab: Lab, operation: str) -> None:
    bad = [str(sweep.healed[cut.host, "run"]) for cut in mine if not sweep.healed[cut.host, "run"].ok]
    assert not bad, "\n".join(bad)
    assert failing(mine, lambda cut: OPERATIONS[operation].wanted(lab.mac(cut.host).state())) == []


@each_operation
def test_and_then_there_is_nothing_left_to_do(mine: list[Cut], sweep: Sweep) -> None:
    assert failing(mine, lambda cut: sweep.last(cut.host).ok and not sweep.last(cut.host).changed) == []
    assert failing(mine, lambda cut: sweep.last(cut.host).touched_nothing) == []


@each_operation
def test_the_preboot_volume_knows_who_may_unlock(mine: list[Cut], sweep: Sweep, lab: Lab) -> None:
    def told(cut: Cut) -> bool:
        mac = lab.mac(cut.host).state()
        people = {person.generated_uid for person in mac.accounts.values()}
        pending = mac.accounts["root"].attributes.get("dsAttrTypeNative:keyholder_pending")
        return set(mac.preboot) == people & set(mac.crypto_users) and not pending

    assert sweep.again
    assert failing(mine, told) == []
