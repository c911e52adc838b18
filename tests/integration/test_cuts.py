# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run is cut off at every step, by the power or by the network, and the next run finishes what it began.

The n-th cut hits the n-th Mac. The power goes at each commit of each operation, on Macs in memory. What a real process
and a real connection leave behind is tried over SSH, with one operation for each way of cutting and each old and new
Python: one play tries all its cuts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import memory_play
import pytest
from memory_play import MemoryMac, PowerSupply

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


# The ways of cutting that each is tried with over SSH.
OVER_SSH = {"create": ("kill",), "grant": ("ssh_cut",), "reset": ("ssh_cut",)}


def described(operation: Operation, *faults: dict[str, Any]) -> dict[str, Any]:
    return mac(operation.version, "itadmin", "stan", "ana", faults=list(faults))


@dataclass(frozen=True)
class Cut:
    """One cut of one operation, and the Mac that it hits."""

    operation: str
    fault: dict[str, Any]
    in_memory: bool = False

    @property
    def host(self) -> str:
        kind = "before" if self.fault.get("before") else self.fault["fault"].replace("_", "-")
        where = [memory_play.PREFIX] if self.in_memory else []
        return "-".join([*where, self.operation, kind, str(self.fault["step"])])


def power_cuts(operation: str, commits: int, in_memory: bool) -> list[Cut]:
    """After each commit; before the first is where nothing is written, before a later one is after the one before."""
    assert commits
    faults = [{"fault": "kill", "step": step} for step in range(1, commits + 1)]
    faults.append({"fault": "kill", "step": 1, "before": True})
    return [Cut(operation, fault, in_memory) for fault in faults]


@pytest.fixture(scope="module")
def over_ssh(ansible: Ansible, bring_up: Callable[[Mapping[str, Any]], Lab]) -> list[Cut]:
    """As many as there are steps: counted by a run of each operation with faults that never bite."""
    never = [{"fault": "kill", "step": NEVER}, {"fault": "ssh_cut", "step": NEVER}]
    lab = bring_up({name: described(OPERATIONS[name], *never) for name in OVER_SSH})
    uncut = play(ansible, lab, {name: [OPERATIONS[name].step] for name in OVER_SSH})
    found = []
    for name, ways in OVER_SSH.items():
        assert uncut[name, "run"].ok, uncut[name, "run"]
        assert OPERATIONS[name].wanted(lab.mac(name).state())
        commits, starts = (fault.seen for fault in lab.mac(name).state().faults)
        if "kill" in ways:
            found += power_cuts(name, commits, in_memory=False)
        if "ssh_cut" in ways:
            first_write = next(
                index for index, run in enumerate(journal.programs(lab.mac(name).journal()), start=1) if run.writes
            )
            # While the run only reads, one moment is like another: its beginning will do, and its end. What the Mac is
            # left with after each of its own steps, the power cuts show.
            moments = [1, *range(first_write - 1, starts + 1, 2 if name == "grant" else 4)]
            found += [Cut(name, {"fault": "ssh_cut", "step": step}) for step in moments]
    return found


@pytest.fixture(scope="module")
def in_memory() -> list[Cut]:
    commits = {
        name: MemoryMac(name, described(operation)).commits(operation.step) for name, operation in OPERATIONS.items()
    }
    return [cut for name in OPERATIONS for cut in power_cuts(name, commits[name], in_memory=True)]


@pytest.fixture(scope="module")
def cuts(over_ssh: list[Cut], in_memory: list[Cut]) -> list[Cut]:
    return over_ssh + in_memory


@dataclass(frozen=True)
class Sweep:
    """The run that was cut, how often it was, what it left, and the runs after it, to the end."""

    cut: Played
    bitten: Mapping[str, int]
    left: Mapping[str, Mac]
    healed: Played
    again: Played
    end: Mapping[str, Mac]

    def last(self, host: str) -> Answer:
        return (self.again if (host, "run") in self.again.answers else self.healed)[host, "run"]

    def and_also(self, other: Sweep) -> Sweep:
        return Sweep(
            memory_play.both(self.cut, other.cut),
            {**self.bitten, **other.bitten},
            {**self.left, **other.left},
            memory_play.both(self.healed, other.healed),
            memory_play.both(self.again, other.again),
            {**self.end, **other.end},
        )


@pytest.fixture(scope="module")
def sweep(
    ansible: Ansible, bring_up: Callable[[Mapping[str, Any]], Lab], over_ssh: list[Cut], in_memory: list[Cut]
) -> Sweep:
    lab = bring_up({cut.host: described(OPERATIONS[cut.operation], cut.fault) for cut in over_ssh})
    return swept_over_ssh(ansible, lab, over_ssh).and_also(swept_in_memory(in_memory))


def swept_over_ssh(ansible: Ansible, lab: Lab, cuts: list[Cut]) -> Sweep:
    steps = {cut.host: [OPERATIONS[cut.operation].step] for cut in cuts}
    cut = play(ansible, lab, steps)
    # Only the connection was cut: the Mac's own processes go on, and a second run must not meet the first.
    macs = [lab.mac(host) for host in steps]
    until(lambda: not processes(*macs), "nothing runs on the Macs any more")
    left = {mac.name: mac.state() for mac in macs}
    bitten = {mac.name: len(journal.events(mac.journal())) for mac in macs}
    healed = play(ansible, lab, steps)
    # A run that found nothing to do has been the second look already.
    changed = {host: step for host, step in steps.items() if healed[host, "run"].changed}
    again = play(ansible, lab, changed)
    return Sweep(cut, bitten, left, healed, again, {mac.name: mac.state() for mac in macs})


def swept_in_memory(cuts: list[Cut]) -> Sweep:
    macs = {cut.host: MemoryMac(cut.host, described(OPERATIONS[cut.operation])) for cut in cuts}
    steps = {cut.host: [OPERATIONS[cut.operation].step] for cut in cuts}
    power = {cut.host: PowerSupply(cut.fault["step"], cut.fault.get("before", False)) for cut in cuts}
    cut = memory_play.play(macs, steps, power)
    left = {host: mac.state() for host, mac in macs.items()}
    healed = memory_play.play(macs, steps)
    again = memory_play.play(macs, {host: step for host, step in steps.items() if healed[host, "run"].changed})
    bitten = {host: int(one.bitten) for host, one in power.items()}
    return Sweep(cut, bitten, left, healed, again, {host: mac.state() for host, mac in macs.items()})


def failing(cuts: list[Cut], check: Callable[[Cut], bool]) -> list[str]:
    assert cuts
    return [cut.host for cut in cuts if not check(cut)]


@pytest.fixture
def mine(cuts: list[Cut], operation: str) -> list[Cut]:
    return [cut for cut in cuts if cut.operation == operation]


each_operation = pytest.mark.parametrize("operation", OPERATIONS)


@each_operation
def test_every_cut_bit_once(mine: list[Cut], sweep: Sweep, operation: str) -> None:
    """A cut that did not come would prove nothing; the last step is cut too, and so is the first."""
    assert failing(mine, lambda cut: sweep.bitten[cut.host] == 1) == []
    assert failing(mine, lambda cut: sweep.cut[cut.host, "run"].line.status == "unreachable") == []
    over_ssh = {cut.fault["fault"] for cut in mine if not cut.in_memory}
    assert over_ssh == {*OVER_SSH.get(operation, ())}
    assert {cut.fault["fault"] for cut in mine if cut.in_memory} == {"kill"}


@each_operation
def test_an_admin_holder_is_there_at_every_moment(mine: list[Cut], sweep: Sweep) -> None:
    assert failing(mine, lambda cut: holds(sweep.left[cut.host], "itadmin")) == []
    assert failing(mine, lambda cut: holds(sweep.end[cut.host], "itadmin")) == []


@each_operation
def test_power_cuts_leave_different_states(mine: list[Cut], sweep: Sweep, operation: str) -> None:
    """Some cut must leave the work undone, else the sweep cut nothing."""
    wanted = OPERATIONS[operation].wanted
    power_cut = [cut for cut in mine if cut.fault["fault"] == "kill"]
    for where in (True, False) if "kill" in OVER_SSH.get(operation, ()) else (True,):
        assert failing([cut for cut in power_cut if cut.in_memory is where], lambda cut: wanted(sweep.left[cut.host]))


@each_operation
def test_the_next_run_finishes(mine: list[Cut], sweep: Sweep, operation: str) -> None:
    bad = [str(sweep.healed[cut.host, "run"]) for cut in mine if not sweep.healed[cut.host, "run"].ok]
    assert not bad, "\n".join(bad)
    assert failing(mine, lambda cut: OPERATIONS[operation].wanted(sweep.end[cut.host])) == []


@each_operation
def test_and_then_there_is_nothing_left_to_do(mine: list[Cut], sweep: Sweep) -> None:
    assert failing(mine, lambda cut: sweep.last(cut.host).ok and not sweep.last(cut.host).changed) == []
    assert failing(mine, lambda cut: sweep.last(cut.host).touched_nothing) == []


@each_operation
def test_the_preboot_volume_knows_who_may_unlock(mine: list[Cut], sweep: Sweep) -> None:
    def told(cut: Cut) -> bool:
        mac = sweep.end[cut.host]
        people = {person.generated_uid for person in mac.accounts.values()}
        pending = mac.accounts["root"].attributes.get("dsAttrTypeNative:keyholder_pending")
        return set(mac.preboot) == people & set(mac.crypto_users) and not pending

    assert sweep.again
    assert failing(mine, told) == []


@pytest.mark.parametrize("operation", [name for name, ways in OVER_SSH.items() if "kill" in ways])
def test_a_mac_in_memory_is_left_as_one_behind_ssh_is(mine: list[Cut], sweep: Sweep) -> None:
    """Else what is tried in memory alone would prove less than it seems to."""
    by_fault: dict[str, list[Mac]] = {}
    for cut in mine:
        by_fault.setdefault(f"{cut.fault.get('before')} {cut.fault['step']}", []).append(sweep.left[cut.host])
    assert {len(pair) for pair in by_fault.values()} == {2}
    for one, other in by_fault.values():
        assert what_counts(one) == what_counts(other)


def what_counts(mac: Mac) -> list[Any]:
    """By name, as a GUID is another one on each Mac."""
    names = {person.generated_uid: person.name for person in mac.accounts.values()}
    people = [
        (one.name, one.uid, one.hidden, one.home_exists, one.password, one.key_password, mac.is_admin(one.name))
        for one in mac.accounts.values()
    ]
    return [
        sorted(people, key=lambda one: one[0]),
        sorted(names.get(guid, "nobody") for guid in mac.crypto_users),
        sorted(names.get(guid, "nobody") for guid in mac.preboot),
        {key.rpartition(":")[2] for key in mac.accounts["root"].attributes},
    ]
