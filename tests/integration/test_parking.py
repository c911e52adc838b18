# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A holder is parked over SSH and comes back, with a Python on the Mac and without; and an account that only unlocks is
kept by its role. The rules are tried in tests/property/test_parking_on_lab.py."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.ansible import Ansible, Run
from harness.batch import Played, Step, play
from harness.macs import PASSWORDS, mac
from harness.recipients import Safe
from maclab import journal, preboot
from maclab.lab import Lab
from maclab.state import Mac

PARK = Step("park", "parked_holder", {"name": "deputy", "admin": False})
WAKE = Step("wake", "parked_holder", {"name": "deputy", "state": "active"})
STEPS = [PARK.but("foreseen", check=True), PARK, PARK.but("again"), WAKE, WAKE.but("awake")]
SAFE = Safe.new()
ON = {"state": "on", "prk": True}
PARKED, UNLOCKS = ("with-python", "without-python"), "unlocks"
CUTS = {f"cut-{step}": {"faults": [{"fault": "kill", "step": step}]} for step in (2, 4, 6)}
NAME = "cpgjspoegwgrmymc"


@pytest.fixture(scope="module")
def lab(bring_up: Callable[[Mapping[str, Any]], Lab]) -> Lab:
    return bring_up(
        {
            "with-python": mac("15.6", "itadmin", "deputy", filevault=ON),
            "without-python": mac("27.0.1", "itadmin", "deputy", filevault=ON) | {"python": "none"},
            UNLOCKS: mac("26.1", "itadmin", "stan", filevault=ON),
            **{host: mac("26.1", "itadmin", filevault=ON) | fault for host, fault in CUTS.items()},
        }
    )


@pytest.fixture(scope="module")
def parked(ansible: Ansible, lab: Lab) -> tuple[Played, dict[str, Any]]:
    """The steps up to the second parking, what SSH said then, and the way back."""
    first = play(ansible, lab, dict.fromkeys(PARKED, STEPS[:3]))
    shut = {name: lab.mac(name).ssh("true", user="deputy").rc for name in PARKED}
    back = play(ansible, lab, dict.fromkeys(PARKED, STEPS[3:]))
    return Played(first.run, {**first.answers, **back.answers}), shut


@pytest.mark.parametrize("name", PARKED)
def test_a_holder_is_parked_and_comes_back(parked: tuple[Played, dict[str, Any]], lab: Lab, name: str) -> None:
    played, shut = parked
    foreseen, done = played[name, "foreseen"], played[name, "park"]
    assert foreseen.touched_nothing, foreseen
    assert done.ok and done.changed, done
    assert (foreseen.result["plan"], foreseen.after) == (done.result["plan"], done.after)
    assert done.authentications == []
    assert done.after["secure_token"] == "holder" and done.after["volume_owner"] is True
    assert shut[name] != 0
    for again in ("again", "awake"):
        assert played[name, again].ok and not played[name, again].changed
        assert played[name, again].touched_nothing
    woken = played[name, "wake"]
    assert woken.after == done.before
    assert lab.mac(name).ssh("true", user="deputy").rc == 0


def unlock_account(ansible: Ansible, lab: Lab, folder: Path, hosts: str, *arguments: str, **more: Any) -> Run:
    (folder / "identity").write_text(str(SAFE.identity), encoding="utf-8")
    variables: dict[str, Any] = {
        "unlock_account_name": NAME,
        "unlock_account_admin_user": "itadmin",
        "unlock_account_admin_password": PASSWORDS["itadmin"],
        "unlock_account_store": {
            "kind": "age",
            "directory": str(folder / "store"),
            "recipients": [SAFE.recipient],
            "identity": str(folder / "identity"),
        },
    }
    told = Path(folder, "variables.json")
    told.write_text(json.dumps(variables | more), encoding="utf-8")
    playbook = Path(folder, "play.yml")
    role = {"hosts": hosts, "gather_facts": False, "become": True, "roles": ["keyholder.macos.unlock_account"]}
    playbook.write_text(yaml.safe_dump([role]), encoding="utf-8")
    return ansible.playbook(playbook, lab.inventory, "-e", f"@{told}", *arguments)


@pytest.fixture(scope="module")
def kept(ansible: Ansible, lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Run, Mac]]:
    """The role in check mode, for real, again, and its undoing; and the Mac after each."""
    folder = tmp_path_factory.mktemp("unlock")
    runs: dict[str, tuple[list[str], dict[str, Any]]] = {"foreseen": (["--check"], {}), "made": ([], {})}
    runs["again"] = ([], {})
    runs["gone"] = ([], {"unlock_account_state": "absent"})
    runs["still gone"] = runs["gone"]
    done = {}
    for title, (arguments, more) in runs.items():
        run = unlock_account(ansible, lab, folder, UNLOCKS, *arguments, **more)
        done[title] = run, lab.mac(UNLOCKS).state()
    return done


def test_an_account_that_only_unlocks_is_kept_and_removed(kept: dict[str, tuple[Run, Mac]], lab: Lab) -> None:
    assert {title: run.rc for title, (run, _) in kept.items()} == dict.fromkeys(kept, 0), kept["made"][0].output[-3000:]
    assert NAME not in kept["foreseen"][1].accounts
    made, state = kept["made"]
    account = state.accounts[NAME]
    assert (account.hidden, account.shell, state.is_admin(NAME)) == (True, "/usr/bin/false", False)
    assert account.generated_uid in state.crypto_users and account.generated_uid in state.preboot
    assert any("040-keyholder" in path for path in state.files)
    changed = [line for line in kept["again"][0].lines if line.result.get("changed")]
    assert changed == []
    for title in ("gone", "still gone"):
        assert NAME not in kept[title][1].accounts
        assert not any("040-keyholder" in path for path in kept[title][1].files)


def test_it_unlocks_all_the_same_and_its_password_is_nowhere(kept: dict[str, tuple[Run, Mac]], lab: Lab) -> None:
    state = kept["made"][1]
    password = state.accounts[NAME].password
    assert password and preboot.answer(state, NAME, password, time.time()) is preboot.Answer.UNLOCKED
    ran = journal.programs(lab.mac(UNLOCKS).journal())
    assert not any(password in word for run in ran for word in run.argv)
    assert not any(password in run.output for run, _ in kept.values())


def test_interrupted_anywhere_it_is_foreseen_and_finished(ansible: Ansible, lab: Lab, tmp_path: Path) -> None:
    hosts = ",".join(CUTS)
    assert unlock_account(ansible, lab, tmp_path, hosts).rc != 0
    before = {host: lab.mac(host).state() for host in CUTS}
    foreseen = unlock_account(ansible, lab, tmp_path, hosts, "--check")
    assert foreseen.rc == 0, foreseen.output[-3000:]
    assert {host: lab.mac(host).state() for host in CUTS} == before
    healed = unlock_account(ansible, lab, tmp_path, hosts)
    assert healed.rc == 0, healed.output[-3000:]
    for host in CUTS:
        state = lab.mac(host).state()
        assert state.accounts[NAME].generated_uid in state.preboot, host
