# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a Mac may be erased or upgraded, over SSH: the answers, in check mode too, and that nothing is touched."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.ansible import Ansible
from harness.batch import Answer, Played, Step, play
from harness.macs import mac
from maclab.lab import Lab

ON: dict[str, Any] = {"state": "on", "prk": True}
ADE: dict[str, Any] = {"enrolled": "ade", "bootstrap": {"supported": True, "escrowed": True}}
STALE: dict[str, Any] = {"enrolled": "ade", "bootstrap": {"supported": True, "escrowed": True, "stale": True}}
OPEN_LOCK = {"activation_lock": False, "battery": 80}

MACS = {
    "ready": mac("26.1", "itadmin", "stan", filevault=ON, mdm=ADE, settings=OPEN_LOCK),
    "bare": mac("27.0.1", "itadmin", "stan", filevault=ON, mdm=ADE, settings=OPEN_LOCK) | {"python": "none"},
    "poor": mac(
        "15.6",
        "stan",
        "helper",
        filevault=ON,
        mdm=STALE,
        settings={"activation_lock": True, "power": "battery", "battery": 12},
        faults=[{"fault": "no_full_disk_access"}],
    ),
    "silent": mac("26.1", "itadmin", filevault=ON, mdm=ADE) | {"python": "none"},
    "intel": mac("13.6.9", "itadmin", settings={"firmware_password": True}),
}
STORED = ("ready", "bare")


@pytest.fixture(scope="module")
def lab(bring_up: Callable[[Mapping[str, Any]], Lab]) -> Lab:
    return bring_up(MACS)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    for host in STORED:
        (folder / f"{host}.age").write_text("a key", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def played(ansible: Ansible, lab: Lab, store: Path) -> Played:
    erase = Step("erase", "ready_for", {"what": "erase"})
    upgrade = Step("upgrade", "ready_for", {"what": "upgrade", "recovery_key_store": str(store)})
    asked = [one for step in (erase, upgrade) for one in (step, step.but(f"{step.title}, check mode", check=True))]
    more = [
        erase.but("told", fail=False),
        upgrade.but("accepted", accept=["recovery_key"]),
        upgrade.but("without a store", recovery_key_store=None),
        upgrade.but("by nobody", user="nobody1"),
        upgrade.but("by a path", user="../x"),
        erase.but("by a user", user="itadmin"),
        erase.but("more than full", battery=101),
        erase.but("no such check", accept=["luck"]),
    ]
    facts = Step("facts", "trust_info", {"include": ["escrow", "full_disk_access", "recovery_lock"]})
    return play(ansible, lab, {host: [*asked, *more, facts] for host in MACS})


def verdicts(answer: Answer) -> dict[str, str]:
    return {one["check"]: one["verdict"] for one in answer.result["findings"] if one["verdict"] != "ready"}


@pytest.mark.parametrize("host", STORED)
@pytest.mark.parametrize("what", ["erase", "upgrade"])
def test_a_mac_in_order_is_ready(played: Played, host: str, what: str) -> None:
    answer = played[host, what]
    assert answer.ok and not answer.changed, answer
    assert (answer.result["ready"], answer.result["summary"]) == ("ready", f"ready for {what}")
    assert verdicts(answer) == {}


def test_what_speaks_against_it_is_named(played: Played) -> None:
    erase, upgrade = played["poor", "erase"], played["poor", "upgrade"]
    assert (erase.reason, upgrade.reason) == ("not_ready", "not_ready"), erase
    assert verdicts(erase) == dict.fromkeys(("bootstrap_token", "activation_lock", "power"), "not_ready")
    assert verdicts(upgrade) == dict.fromkeys(
        ("volume_owner", "bootstrap_token", "recovery_key", "recoverable", "power"), "not_ready"
    )
    assert len(erase.result["evidence"]) == 3
    assert all(one["remedy"] for one in erase.result["findings"] if one["verdict"] != "ready")


def test_what_could_not_be_verified_is_neither_yes_nor_no(played: Played) -> None:
    silent = played["silent", "erase"]
    assert (silent.reason, verdicts(silent)) == ("could_not_verify", {"activation_lock": "could_not_verify"}), silent
    told = played["silent", "told"]
    assert told.ok and told.result["ready"] == "could_not_verify"
    unasked = played["ready", "without a store"]
    assert (unasked.reason, verdicts(unasked)) == ("could_not_verify", {"recovery_key": "could_not_verify"})


def test_what_is_accepted_is_told_and_speaks_against_nothing(played: Played) -> None:
    assert played["silent", "upgrade"].reason == "not_ready"
    accepted = played["silent", "accepted"]
    assert accepted.ok and verdicts(accepted) == {"recovery_key": "accepted"}


def test_an_intel_mac_without_device_management(played: Played) -> None:
    assert verdicts(played["intel", "erase"])["bootstrap_token"] == "not_ready"
    assert played["intel", "upgrade"].ok


@pytest.mark.parametrize("host", MACS)
def test_nothing_is_touched_and_check_mode_says_the_same(played: Played, host: str) -> None:
    for what in ("erase", "upgrade"):
        answer, checked = played[host, what], played[host, f"{what}, check mode"]
        assert answer.touched_nothing and checked.touched_nothing
        assert answer.result["findings"] == checked.result["findings"]


def test_options_that_are_none(played: Played) -> None:
    assert played["ready", "by nobody"].reason == "not_ready"
    assert played["ready", "by a path"].reason == "name_unusable"
    for title in ("by a user", "more than full", "no such check"):
        answer = played["ready", title]
        assert answer.reason == "value_unusable" and not answer.programs, answer


def test_the_facts_that_a_reading_holds_if_it_is_asked(played: Played) -> None:
    facts = {host: played[host, "facts"].result["mac"] for host in MACS}
    assert {host: mac["full_disk_access"] for host, mac in facts.items()} == {
        **dict.fromkeys(MACS, True),
        "poor": False,
    }
    locks = {"intel": "set"}
    assert {host: mac["recovery_lock"] for host, mac in facts.items()} == {**dict.fromkeys(MACS, "not_set"), **locks}
    assert facts["ready"]["filevault"]["recovery_key_holder"] == "unknown"
    assert facts["intel"]["filevault"]["recovery_key_holder"] == "no_key"
    assert "this session has no Full Disk Access" in played["poor", "facts"].result["summary"]


def test_the_playbook_has_a_line_for_each_mac_and_fails_for_those_that_are_not_ready(
    ansible: Ansible, lab: Lab
) -> None:
    playbook = Path("keyholder.macos.ready_for")
    run = ansible.playbook(playbook, lab.inventory, "-e", "keyholder_ready_for=erase")
    (lines,) = [line.result["msg"] for line in run.lines if line.task == "Report"]
    assert run.rc == 2
    assert [line.partition(": ")[0] for line in lines] == ["poor", "silent", "intel", "ready", "bare", lines[-1]]
    assert lines[1].startswith("silent: could not verify for erase (activation_lock: ")
    assert lines[3] == "ready: ready for erase"
    assert lines[-1] == "5 Macs, 2 ready, 2 not ready, 1 could not verify"
    failed = {line.host for line in run.lines if line.status == "failed" and line.task.startswith("Fail where")}
    assert failed == {"poor", "silent", "intel"}
    assert ansible.playbook(playbook, lab.inventory).rc == 2
    ready = ansible.playbook(playbook, lab.inventory, "-e", "keyholder_ready_for=erase", "-l", "ready")
    assert ready.rc == 0, ready.output[-2000:]


def test_an_audit_tells_who_has_the_key_and_which_stored_one_is_dead(
    ansible: Ansible, bring_up: Callable[[Mapping[str, Any]], Lab], tmp_path: Path
) -> None:
    escrowed = {"enrolled": "ade", "escrow_profile": True, "prk_escrowed": True}
    lab = bring_up(dict.fromkeys(("ours", "dead", "away"), mac("26.1", "itadmin", filevault=ON, mdm=escrowed)))
    (tmp_path / "keys").mkdir()
    for host, seconds in (("ours", 0), ("dead", -1_000_000_000)):
        path = tmp_path / "keys" / f"{host}.age"
        path.write_text("a key", encoding="utf-8")
        os.utime(path, (path.stat().st_mtime + seconds,) * 2)
    run = ansible.playbook(
        Path("keyholder.macos.audit"),
        lab.inventory,
        *("-e", f"keyholder_report={tmp_path / 'report'}"),
        *("-e", f"keyholder_recovery_key_store={tmp_path / 'keys'}"),
    )
    assert run.rc == 0, run.output[-3000:]
    rows = (tmp_path / "report" / "audit.csv").read_text(encoding="utf-8")
    assert [word for word in ("our_store", "mdm") if word not in rows] == []
    broken = {line.partition(",")[0] for line in rows.splitlines() if "stored_recovery_key_lives" in line}
    assert broken == {"dead"}
