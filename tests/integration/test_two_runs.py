# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two controllers change one Mac at the same time, over SSH: one works, the other waits, and the Mac keeps its trust.

What each of them may do alone takes the last administrator away where both do it. Every program of these Macs is slow,
so that the second run surely comes while the first is at work; that it did is asserted by what it says.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils._lock import NAME, FileLock
from harness.ansible import Ansible
from harness.batch import Answer, Played, Step, account, play, token
from harness.macs import PASSWORDS, mac
from harness.recipients import Safe
from harness.wait import end, has_open, processes, runs, until
from maclab import directory
from maclab.lab import Handle, Lab
from maclab.state import Mac

BringUp = Callable[[Mapping[str, Any]], Lab]

SLOW = {"fault": "slow", "seconds": 0.7}
ON = {"state": "on", "prk": True}


def demote(user: str, **options: Any) -> Step:
    return account("run", user, admin=False, **options)


HIDE = account("run", "ana", hidden=True)
# Mac; what each of two controllers does to it, at the same time. More of them meet in tests/property.
PAIRS: dict[str, tuple[Step, Step]] = {
    "demote-demote": (demote("itadmin"), demote("deputy")),
    "impatient": (demote("itadmin", lock_timeout=0), demote("deputy", lock_timeout=0)),
}
WAIT_LONG = {"lock_timeout": 300}
LENT = token(
    "run",
    "helper",
    password=PASSWORDS["helper"],
    admin_user="stan",
    admin_password=PASSWORDS["stan"],
    allow_temporary_promotion=True,
)


def admin_holders(mac: Mac) -> list[str]:
    """By the lab's own state: administrators who can grant today."""
    return [
        who.name
        for who in mac.accounts.values()
        if mac.is_admin(who.name)
        and directory.is_holder(mac, who)
        and who.generated_uid not in mac.filevault.hidden_users
    ]


def notes(mac: Mac) -> list[str]:
    return mac.accounts["root"].attributes.get("dsAttrTypeNative:keyholder_pending", [])


def lock_of(mac: Handle) -> Path:
    return mac.folder.databases / NAME


@pytest.fixture(scope="module")
def controllers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Ansible, Ansible]]:
    both = Ansible(tmp_path_factory.mktemp("first")), Ansible(tmp_path_factory.mktemp("second"))
    yield both
    for one in both:
        one.close()


@pytest.fixture(scope="module")
def lab(bring_up: BringUp) -> Lab:
    described = mac("15.6", "itadmin", "deputy", "helper", "ana", ssh_user="helper", filevault=ON, faults=[SLOW])
    return bring_up(dict.fromkeys(PAIRS, described))


@pytest.fixture(scope="module")
def raced(controllers: tuple[Ansible, Ansible], lab: Lab) -> dict[str, list[Answer]]:
    """What each of the two said, by Mac."""

    def controller(number: int) -> Played:
        steps = {name: pair[number] for name, pair in PAIRS.items()}
        patient = {name: [step.but("run", **{**WAIT_LONG, **step.options})] for name, step in steps.items()}
        return play(controllers[number], lab, patient)

    with ThreadPoolExecutor(2) as pool:
        played = list(pool.map(controller, (0, 1)))
    return {name: [one[name, "run"] for one in played] for name in PAIRS}


def waited(answer: Answer) -> bool:
    return any(note.startswith("waited ") for note in answer.result.get("notes", []))


@pytest.mark.parametrize("pair", PAIRS)
def test_an_administrator_who_can_grant_remains(pair: str, raced: dict[str, list[Answer]], lab: Lab) -> None:
    assert len(admin_holders(lab.mac(pair).state())) == 1, [str(answer) for answer in raced[pair]]
    assert [answer.changed for answer in raced[pair]].count(True) == 1


@pytest.mark.parametrize("pair", [pair for pair in PAIRS if pair != "impatient"])
def test_the_other_run_waits_reads_and_is_refused(pair: str, raced: dict[str, list[Answer]]) -> None:
    (first,) = [answer for answer in raced[pair] if answer.changed]
    (second,) = [answer for answer in raced[pair] if not answer.changed]
    assert first.ok
    assert not waited(first)
    assert waited(second), second
    assert second.reason in ("last_admin_holder", "last_unlocker", "last_holder", "would_lock_out"), second
    (note,) = [note for note in second.result["notes"] if note.startswith("waited ")]
    assert f"keyholder.macos.{first.line.action.rpartition('.')[2]}, run by helper as process " in note


def test_the_other_run_that_does_not_wait_is_refused_and_told_who_is_at_work(raced: dict[str, list[Answer]]) -> None:
    (second,) = [answer for answer in raced["impatient"] if not answer.changed]
    assert second.reason == "another_run"
    assert (
        "another run is changing this Mac: keyholder.macos.account, run by helper as process " in second.result["msg"]
    )
    assert second.result["plan"] == []
    assert second.result["state"] == {"before": {}, "after": {}}


# -- what lets go of it -----------------------------------------------------------------------------------------------

KILLED, PROMOTING, CUT, RESTARTED, POWER = "killed", "promoting", "cut", "restarted", "power"
HANG = {"fault": "hang", "program": "dseditgroup"}
HANGING = "dseditgroup -o edit "


@pytest.fixture(scope="module")
def broken(bring_up: BringUp) -> Lab:
    """Macs on which the first run hangs, or is cut, where it makes or unmakes an administrator."""

    def one(*faults: dict[str, Any], **other: Any) -> dict[str, Any]:
        people = ("itadmin", "deputy", "helper", "ana")
        return mac("15.6", *people, ssh_user="helper", faults=list(faults), **other)

    return bring_up(
        {
            KILLED: one(HANG, filevault=ON),
            PROMOTING: mac("15.6", "helper", "stan", "ana", ssh_user="helper", faults=[HANG]),
            CUT: one(HANG, {"fault": "ssh_cut", "step": 1, "program": "dseditgroup"}),
            RESTARTED: one(HANG),
            POWER: one({"fault": "kill", "step": 1}, filevault=ON),
        }
    )


HELD_ON = (KILLED, PROMOTING, CUT)
"""Where something still runs when the other run comes."""


@dataclass(frozen=True)
class LetGo:
    """The runs that were broken, by whatever it was; the other run meanwhile, what was there then, and one later."""

    first: Mapping[str, Answer]
    pid: int
    early: Played
    promoting: Mac
    files: Mapping[str, str]
    later: Played


@pytest.fixture(scope="module")
def let_go(ansible: Ansible, controllers: tuple[Ansible, Ansible], broken: Lab) -> LetGo:
    """Every run hangs in its dseditgroup at the same time, so that one play tries the other run on all of them."""
    macs = {host: broken.mac(host) for host in broken.names}
    demoting = {host: [demote("deputy")] for host in (KILLED, CUT, RESTARTED, POWER)}
    with ThreadPoolExecutor(2) as pool:
        begun = [pool.submit(play, controllers[0], broken, demoting)]
        begun.append(pool.submit(play, controllers[1], broken, {PROMOTING: [LENT]}))
        for host in (KILLED, CUT, RESTARTED, PROMOTING):
            until(partial(runs, macs[host], HANGING), f"the command of the run on {host} hangs")
        pids = {host: int(json.loads(lock_of(macs[host]).read_text())["pid"]) for host in (KILLED, PROMOTING)}
        os.kill(pids[KILLED], signal.SIGKILL)
        macs[RESTARTED].restart()
        early = play(ansible, broken, dict.fromkeys(HELD_ON, [HIDE.but("run", lock_timeout=0)]))
        promoting = macs[PROMOTING].state()
        os.kill(pids[PROMOTING], signal.SIGKILL)
        first = {host: answer for one in begun for (host, _), answer in one.result().answers.items()}
    for host in HELD_ON:
        end(macs[host], HANGING)
    until(lambda: not processes(*macs.values()), "nothing runs on the Macs any more")
    assert macs[RESTARTED].wait_until(reachable=True)
    files = {host: lock_of(one).read_text() for host, one in macs.items()}
    later = play(ansible, broken, dict.fromkeys(macs, [HIDE.but("run", lock_timeout=0)]))
    return LetGo(first, pids[KILLED], early, promoting, files, later)


def test_the_death_of_a_module_lets_it_go_once_its_command_has_ended(let_go: LetGo, broken: Lab) -> None:
    """Before that the command is still at it, whoever started it."""
    early = let_go.early[KILLED, "run"]
    assert early.reason == "another_run", early
    assert f"process {let_go.pid} since" in early.result["msg"]
    assert "that process has ended, but a command that it started still runs" in early.result["msg"]
    assert let_go.later[KILLED, "run"].changed
    assert broken.mac(KILLED).state().accounts["ana"].hidden


def test_a_live_promotion_is_not_taken_for_an_old_one_and_a_dead_one_is(let_go: LetGo, broken: Lab) -> None:
    """Else the other run would take the note and the Mac's own job away right before the rights are given."""
    assert let_go.early[PROMOTING, "run"].reason == "another_run"
    assert (notes(let_go.promoting), list(let_go.promoting.jobs)) == (["promoted stan"], ["keyholder.macos.demote"])
    later = let_go.later[PROMOTING, "run"]
    assert later.changed, later
    assert any("made stan an administrator for a grant and was interrupted" in note for note in later.result["notes"])
    healed = broken.mac(PROMOTING).state()
    assert (healed.is_admin("stan"), notes(healed), healed.jobs) == (False, [], {})


def test_a_module_whose_connection_was_cut_goes_on_and_keeps_others_out(let_go: LetGo) -> None:
    assert let_go.first[CUT].line.status == "unreachable"
    other = let_go.early[CUT, "run"]
    assert other.reason == "another_run", other
    assert "run by helper" in other.result["msg"]
    assert "has ended" not in other.result["msg"]
    assert let_go.later[CUT, "run"].changed


@pytest.mark.parametrize("host", [POWER, RESTARTED])
def test_a_power_cut_and_a_restart_let_it_go(let_go: LetGo, host: str) -> None:
    """The file is there, as it was."""
    assert let_go.first[host].line.status == "unreachable"
    assert let_go.files[host]
    assert let_go.later[host, "run"].changed, let_go.later[host, "run"]


# Ansible has a terminal only without pipelining.
LONELY = ("lonely", "lonely-on-a-terminal")


def test_a_run_that_waits_ends_with_its_connection(ansible: Ansible, bring_up: BringUp) -> None:
    """Here the other run is this test, so every connection that is cut is that of the run that waits."""
    lab = bring_up(dict.fromkeys(LONELY, mac("15.6", "itadmin", "deputy", "helper", "ana", ssh_user="helper")))
    macs = [lab.mac(host) for host in LONELY]
    steps = dict.fromkeys(LONELY, [HIDE.but("run", **WAIT_LONG)])
    pipelining = "ansible_pipelining={{ inventory_hostname is not search('terminal') }}"
    with ExitStack() as held, ThreadPoolExecutor(1) as pool:
        for one in macs:
            held.enter_context(FileLock(str(one.folder.databases), "offboard", "somebody", 0).held())
        run = pool.submit(play, ansible, lab, steps, "-e", pipelining)
        for one in macs:
            until(partial(has_open, lock_of(one)), f"the run on {one.name} waits")
            one.cut_connections()
        until(lambda: not processes(*macs), "the runs have ended")
        answers = run.result().answers.values()
    assert [answer.line.status for answer in answers] == ["unreachable"] * len(LONELY)
    assert not any(one.state().accounts["ana"].hidden for one in macs)
    later = play(ansible, lab, dict.fromkeys(LONELY, [HIDE.but("run", lock_timeout=0)]))
    assert all(later[host, "run"].changed for host in LONELY)


# -- who needs it, and what is no lock --------------------------------------------------------------------------------

HELD, FREE, LINKED, OPEN = "held", "free", "linked", "open"
SAFE = Safe.new()


@pytest.fixture(scope="module")
def told(ansible: Ansible, bring_up: BringUp, tmp_path_factory: pytest.TempPathFactory) -> tuple[Played, Lab]:
    """On one of these Macs another run is at work, which is this test."""
    names = (HELD, FREE, LINKED, OPEN)
    lab = bring_up({name: mac("15.6", "itadmin", "deputy", "ana", filevault=ON) for name in names})
    kept = tmp_path_factory.mktemp("kept")
    (kept / "identity").write_text(str(SAFE.identity))
    store = {"kind": "age", "recipients": [SAFE.recipient], "identity": str(kept / "identity")}
    store["directory"] = str(kept / "store")
    lock_of(lab.mac(LINKED)).symlink_to(kept / "target")
    lock_of(lab.mac(OPEN)).touch(mode=0o600)
    lock_of(lab.mac(OPEN)).chmod(0o666)
    lock_of(lab.mac(FREE)).write_text('{"module": "account", "pid": 1, "user": "long gone", "since": 1}')
    lock_of(lab.mac(FREE)).chmod(0o600)
    steps = [
        HIDE.but("at once", lock_timeout=0),
        HIDE.but("soon", lock_timeout=1),
        HIDE.but("by its timeout", timeout=1),
        HIDE.but("check mode", check=True),
        Step("read", "trust_info"),
        Step("show", "repair"),
        Step("mend", "repair", {"apply": True, "orphans": True, "lock_timeout": 0}),
        Step("restart", "filevault_reboot", {"user": "itadmin", "password": PASSWORDS["itadmin"], "lock_timeout": 0}),
        Step(
            "rotate",
            "managed_password",
            {"name": "deputy", "store": store, "current_password": PASSWORDS["deputy"], "lock_timeout": 0},
        ),
        HIDE.but("no time", lock_timeout=-1),
    ]
    with FileLock(str(lab.mac(HELD).folder.databases), "offboard", "somebody", 0).held():
        own = {HELD: steps, FREE: steps[:1], LINKED: [*steps[:1], steps[3]], OPEN: steps[:1]}
        return play(ansible, lab, own), lab


@pytest.mark.parametrize("step", ["at once", "soon", "by its timeout", "restart", "rotate"])
def test_who_would_change_the_mac_is_refused_and_has_only_looked(step: str, told: tuple[Played, Lab]) -> None:
    answer = told[0][HELD, step]
    assert answer.reason == "another_run", answer
    assert not answer.changed
    assert f"keyholder.macos.offboard, run by somebody as process {os.getpid()} since" in answer.result["msg"]
    assert (answer.writes, answer.authentications) == ([], [])
    patience = {"soon": "after 1 seconds", "by its timeout": "after 1 seconds"}.get(step, "is changing this Mac: ")
    assert patience in answer.result["msg"]


@pytest.mark.parametrize("step", ["check mode", "read", "show", "mend"])
def test_who_only_looks_or_finds_nothing_to_do_waits_for_nobody(step: str, told: tuple[Played, Lab]) -> None:
    assert told[0][HELD, step].ok, told[0][HELD, step]
    assert told[0][HELD, step].touched_nothing


def test_a_negative_time_is_refused(told: tuple[Played, Lab]) -> None:
    assert told[0][HELD, "no time"].reason == "value_unusable"


def test_a_file_without_a_holder_is_no_obstacle(told: tuple[Played, Lab]) -> None:
    assert told[0][FREE, "at once"].changed
    assert not waited(told[0][FREE, "at once"])


@pytest.mark.parametrize("host", [LINKED, OPEN])
def test_what_somebody_else_has_put_in_its_place_is_refused(host: str, told: tuple[Played, Lab]) -> None:
    answer = told[0][host, "at once"]
    assert answer.reason == "lock_unusable", answer
    assert answer.touched_nothing
    if host == LINKED:
        assert not Path(os.readlink(lock_of(told[1].mac(host)))).exists()
        assert told[0][host, "check mode"].ok
