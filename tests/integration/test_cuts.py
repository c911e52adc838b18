# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run is cut off at every step, by the power or by the network, and the next run finishes what it began.

The n-th cut hits the n-th Mac. The power goes at each commit of each operation, on Macs in memory. What a real process
and a real connection leave behind is tried over SSH, with one operation for each way of cutting, on an old and a new
Python: a power cut is to leave there what it leaves in memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import memory_play
import pytest
from memory_play import MemoryMac, PowerSupply

from harness.ansible import Ansible
from harness.batch import Answer, Played, Step, account, play, token
from harness.macs import PASSWORDS, mac, person, secret
from harness.recipients import HelpDesk
from harness.wait import processes, until
from maclab import bootstrap, journal, vault
from maclab.lab import Lab
from maclab.state import Mac

IT = {"admin_user": "itadmin", "admin_password": PASSWORDS["itadmin"]}
ADMIN = {"user": "itadmin", "password": PASSWORDS["itadmin"]}
DESK = HelpDesk.new("help desk")
TO_DESK = {"recovery_key": "encrypt", "recipients": [DESK.pem]}
OFF, ON = {"state": "off"}, {"state": "on", "prk": True}
MANAGED = {"enrolled": "ade", "bootstrap": {"supported": True, "escrowed": False}}
UNLISTED = person("stan", token={"authority": True, "crypto": True, "filevault": False})
NEW = secret("new")

ENABLE = Step("run", "filevault", {"state": "enabled", **ADMIN, **TO_DESK})
ROTATE = Step("run", "filevault_recovery_key", {"state": "rotated", **ADMIN, **TO_DESK})
ESCROW = Step("run", "bootstrap_token", {"state": "escrowed", **IT})


def holds(mac: Mac, who: str) -> bool:
    account = mac.accounts.get(who)
    return account is not None and account.has_authority_token and account.generated_uid in mac.crypto_users


def can_be_unlocked(mac: Mac) -> bool:
    """By a holder whom FileVault knows, or by the recovery key; a Mac that is off needs neither."""
    people = [account for account in mac.accounts.values() if vault.may_unlock(mac, account)]
    return not vault.is_on(mac) or bool(people) or mac.filevault.prk is not None


def created(mac: Mac) -> bool:
    return holds(mac, "nova") and numbered(mac)


def numbered(mac: Mac) -> bool:
    nova = mac.accounts.get("nova")
    made = nova is not None and (nova.uid, nova.hidden, nova.home_exists) == (2777, True, True)
    return made and mac.is_admin("nova")


def prevented(mac: Mac) -> bool:
    svc = mac.accounts.get("svc")
    tagged = svc is not None and ";DisabledTags;SecureToken" in svc.authority
    return tagged and svc is not None and svc.password == NEW and mac.is_admin("svc") and not holds(mac, "svc")


def renewed(mac: Mac) -> bool:
    stan = mac.accounts["stan"]
    return holds(mac, "stan") and stan.password == stan.key_password == NEW


def listed(mac: Mac) -> bool:
    return mac.accounts["stan"].generated_uid in vault.listed(mac)


@dataclass(frozen=True)
class Operation:
    """``wanted``: whether a Mac is as the operation should leave it. ``heals``: the last of the runs after the cut."""

    described: Mapping[str, Any]
    step: Step
    wanted: Callable[[Mac], bool]
    heals: Step | None = None

    @property
    def next_run(self) -> list[Step]:
        return [self.step, self.heals or self.step.but("again")]


def people(version: str) -> dict[str, Any]:
    return mac(version, "itadmin", "stan", "ana")


# A key that the cut kept from being delivered is nobody's: a new one is made, by what makes one whatever there is.
REPLACE = ROTATE.but("rotate")
NOVA = {"uid": 2777, "admin": True, "hidden": True, "password": NEW}
OPERATIONS = {
    "create": Operation(people("13.6.9"), account("run", "nova", secure_token="present", **NOVA, **IT), created),
    # From 26.3 on -addUser does not give the number that was asked for; without a token nothing else is in the way.
    "create-26": Operation(people("26.3"), account("run", "nova", **NOVA), numbered),
    "grant": Operation(
        people("26.1"), token("run", "ana", password=PASSWORDS["ana"], **IT), lambda mac: holds(mac, "ana")
    ),
    "revoke": Operation(
        people("10.15.7"),
        token("run", "stan", state="absent", password=PASSWORDS["stan"], **IT),
        lambda mac: not holds(mac, "stan") and "stan" in mac.accounts,
    ),
    "delete": Operation(
        people("11.7.10"),
        account("run", "stan", state="absent", remove="delete_home"),
        lambda mac: "stan" not in mac.accounts,
    ),
    "prevent": Operation(
        people("15.6"),
        account("run", "svc", full_name="Service", admin=True, hidden=True, password=NEW, secure_token="prevented"),
        prevented,
    ),
    "reset": Operation(people("15.6"), account("run", "stan", password=NEW, update_password="always", **IT), renewed),
    "renew": Operation(
        people("10.13.6"),
        account("run", "stan", password=NEW, old_password=PASSWORDS["stan"], update_password="always"),
        renewed,
    ),
    "enable-old": Operation(mac("10.13.6", "itadmin", "stan", filevault=OFF), ENABLE, vault.is_on, REPLACE),
    "enable": Operation(mac("26.1", "itadmin", "stan", filevault=OFF), ENABLE, vault.is_on, REPLACE),
    "rotate": Operation(mac("15.6", "itadmin", filevault=ON), ROTATE, lambda mac: mac.filevault.keys_made > 0, REPLACE),
    "escrow": Operation(mac("11.7.10", "itadmin", mdm=MANAGED), ESCROW, bootstrap.works),
    "escrow-26": Operation(mac("26.1", "itadmin", mdm=MANAGED), ESCROW, bootstrap.works),
    "gone": Operation(
        mac("13.6.9", "itadmin", "stan", filevault=ON),
        Step("run", "filevault_user", {"user": "stan", "state": "absent"}),
        lambda mac: not listed(mac),
    ),
    "back": Operation(
        mac("15.6", "itadmin", UNLISTED, filevault=ON),
        Step("run", "filevault_user", {"user": "stan", "password": PASSWORDS["stan"], **IT}),
        lambda mac: mac.accounts["stan"].generated_uid in vault.unlockers(mac),
    ),
    "key-removed": Operation(
        mac("10.15.7", "itadmin", filevault=ON),
        Step("run", "filevault_recovery_key", {"state": "absent", **ADMIN}),
        lambda mac: mac.filevault.prk is None,
    ),
}
WITH_KEY = [name for name, operation in OPERATIONS.items() if operation.heals is not None]
KILLED, CUT_OFF = "create", "grant"


@dataclass(frozen=True)
class Cut:
    """One cut of one operation, and the Mac that it hits."""

    operation: str
    fault: Mapping[str, Any]
    in_memory: bool = True

    @property
    def host(self) -> str:
        words = [word for word in map(str, self.fault.values()) if word not in ("kill", "True")]
        before = ["before"] if self.fault.get("before") else []
        where = memory_play.PREFIX if self.in_memory else "ssh"
        return "-".join([where, self.operation, *before, *words]).replace("_", "-")

    @property
    def described(self) -> dict[str, Any]:
        return {**OPERATIONS[self.operation].described, "faults": [] if self.in_memory else [dict(self.fault)]}


def power_cuts(operation: str) -> list[Cut]:
    """After each commit; before the first is where nothing is written, before a later one is after the one before."""
    commits = MemoryMac(operation, OPERATIONS[operation].described).commits(OPERATIONS[operation].step)
    assert commits
    before = {"fault": "kill", "step": 1, "before": True}
    return [Cut(operation, before), *(Cut(operation, {"fault": "kill", "step": n}) for n in range(1, commits + 1))]


def network_cuts(operation: str) -> list[Cut]:
    """At the beginning, and where each program starts that writes."""
    moments: list[Mapping[str, Any]] = [{"step": 1}]
    seen: Counter[str] = Counter()
    for run in MemoryMac(operation, OPERATIONS[operation].described).play(OPERATIONS[operation].step).programs:
        seen[run.program] += 1
        if run.writes:
            moments.append({"step": seen[run.program], "program": run.program})
    assert len(moments) > 2
    return [Cut(operation, {"fault": "ssh_cut", **moment}, in_memory=False) for moment in moments]


@pytest.fixture(scope="module")
def cuts() -> list[Cut]:
    in_memory = [cut for name in OPERATIONS for cut in power_cuts(name)]
    alike = [cut for cut in in_memory if cut.operation == KILLED]
    some = [alike[0], alike[len(alike) // 2], alike[-1]]
    return [*in_memory, *(Cut(KILLED, cut.fault, in_memory=False) for cut in some), *network_cuts(CUT_OFF)]


@dataclass(frozen=True)
class Sweep:
    """The run that was cut, how often it was, what it left, and the runs after it, to the end."""

    cut: Played
    bitten: Mapping[str, int]
    left: Mapping[str, Mac]
    healed: Played
    end: Mapping[str, Mac]

    def last(self, cut: Cut) -> Answer:
        return self.healed[cut.host, OPERATIONS[cut.operation].next_run[-1].title]

    def and_also(self, other: Sweep) -> Sweep:
        return Sweep(
            memory_play.both(self.cut, other.cut),
            {**self.bitten, **other.bitten},
            {**self.left, **other.left},
            memory_play.both(self.healed, other.healed),
            {**self.end, **other.end},
        )


@pytest.fixture(scope="module")
def sweep(ansible: Ansible, bring_up: Callable[[Mapping[str, Any]], Lab], cuts: list[Cut]) -> Sweep:
    over_ssh, in_memory = ([cut for cut in cuts if cut.in_memory is where] for where in (False, True))
    lab = bring_up({cut.host: cut.described for cut in over_ssh})
    return swept_over_ssh(ansible, lab, over_ssh).and_also(swept_in_memory(in_memory))


def swept_over_ssh(ansible: Ansible, lab: Lab, cuts: list[Cut]) -> Sweep:
    cut = play(ansible, lab, {cut.host: [OPERATIONS[cut.operation].step] for cut in cuts})
    # Only the connection was cut: the Mac's own processes go on, and a second run must not meet the first.
    macs = [lab.mac(cut.host) for cut in cuts]
    until(lambda: not processes(*macs), "nothing runs on the Macs any more")
    left = {mac.name: mac.state() for mac in macs}
    bitten = {mac.name: len(journal.events(mac.journal())) for mac in macs}
    healed = play(ansible, lab, {cut.host: OPERATIONS[cut.operation].next_run for cut in cuts})
    return Sweep(cut, bitten, left, healed, {mac.name: mac.state() for mac in macs})


def swept_in_memory(cuts: list[Cut]) -> Sweep:
    macs = {cut.host: MemoryMac(cut.host, cut.described) for cut in cuts}
    power = {cut.host: PowerSupply(cut.fault["step"], cut.fault.get("before", False)) for cut in cuts}
    cut = memory_play.play(macs, {cut.host: [OPERATIONS[cut.operation].step] for cut in cuts}, power)
    left = {host: mac.state() for host, mac in macs.items()}
    healed = memory_play.play(macs, {cut.host: OPERATIONS[cut.operation].next_run for cut in cuts})
    bitten = {host: int(one.bitten) for host, one in power.items()}
    return Sweep(cut, bitten, left, healed, {host: mac.state() for host, mac in macs.items()})


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
    assert over_ssh == {KILLED: {"kill"}, CUT_OFF: {"ssh_cut"}}.get(operation, set())


@each_operation
def test_an_admin_holder_is_there_and_the_mac_can_be_unlocked_at_every_moment(mine: list[Cut], sweep: Sweep) -> None:
    """A Mac was cut after each of its commits: these are all the moments there are."""
    for moment in (sweep.left, sweep.end):
        assert failing(mine, lambda cut, now=moment: holds(now[cut.host], "itadmin")) == []  # type: ignore[misc]
        assert failing(mine, lambda cut, now=moment: can_be_unlocked(now[cut.host])) == []  # type: ignore[misc]


@each_operation
def test_some_cuts_leave_work_and_some_come_after_it(mine: list[Cut], sweep: Sweep, operation: str) -> None:
    """Both, else the sweep has missed the step that counts."""
    for where in (True, False) if operation == KILLED else (True,):
        done = {OPERATIONS[operation].wanted(sweep.left[cut.host]) for cut in mine if cut.in_memory is where}
        assert done == {True, False}


@each_operation
def test_the_next_run_finishes(mine: list[Cut], sweep: Sweep, operation: str) -> None:
    for step in OPERATIONS[operation].next_run:
        bad = [str(sweep.healed[cut.host, step.title]) for cut in mine if not sweep.healed[cut.host, step.title].ok]
        assert not bad, "\n".join(bad)
    assert failing(mine, lambda cut: OPERATIONS[operation].wanted(sweep.end[cut.host])) == []


@pytest.mark.parametrize("operation", [name for name in OPERATIONS if name not in WITH_KEY])
def test_and_then_there_is_nothing_left_to_do(mine: list[Cut], sweep: Sweep) -> None:
    assert failing(mine, lambda cut: not sweep.last(cut).changed) == []
    assert failing(mine, lambda cut: sweep.last(cut).touched_nothing) == []


@pytest.mark.parametrize("operation", WITH_KEY)
def test_the_key_that_somebody_has_in_the_end_is_the_macs(mine: list[Cut], sweep: Sweep) -> None:
    for cut in mine:
        assert DESK.opened(sweep.last(cut).result["recovery_key_encrypted"]) == sweep.end[cut.host].filevault.prk


@pytest.mark.parametrize("operation", ["enable-old", "enable"])
def test_a_key_that_the_cut_took_away_is_not_claimed(mine: list[Cut], sweep: Sweep) -> None:
    """The run after the cut returns a key where it made one, and says by an empty value where it did not."""
    for cut in mine:
        answer, was_on = sweep.healed[cut.host, "run"], vault.is_on(sweep.left[cut.host])
        assert answer.changed is not was_on
        assert bool(answer.result["recovery_key_encrypted"]) is not was_on


# Whom fdesetup takes off the list keeps his token.
@pytest.mark.parametrize("operation", [name for name in OPERATIONS if name != "gone"])
def test_the_preboot_volume_knows_who_may_unlock(mine: list[Cut], sweep: Sweep) -> None:
    def told(cut: Cut) -> bool:
        mac = sweep.end[cut.host]
        people = {person.generated_uid for person in mac.accounts.values()}
        pending = mac.accounts["root"].attributes.get("dsAttrTypeNative:keyholder_pending")
        return set(mac.preboot) == people & set(mac.crypto_users) and not pending

    assert failing(mine, told) == []


@pytest.mark.parametrize("operation", [KILLED])
def test_a_mac_in_memory_is_left_as_one_behind_ssh_is(mine: list[Cut], sweep: Sweep) -> None:
    """Else what is tried in memory alone would prove less than it seems to."""
    pairs = [(cut, Cut(KILLED, cut.fault)) for cut in mine if not cut.in_memory]
    assert len(pairs) == 3
    for one, other in pairs:
        assert what_counts(sweep.left[one.host]) == what_counts(sweep.left[other.host])


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
