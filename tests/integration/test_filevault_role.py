# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role filevault where something goes wrong: a key that was made is stored, and no note outlives its reason."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.ansible import Ansible, Run
from harness.batch import Step, play
from harness.macs import PASSWORDS, mac
from harness.safe import Desk
from maclab.lab import Lab

PLAYBOOK = Path("keyholder.macos.filevault")
DESK = Desk.new("help desk")
OFF = {"state": "off"}
ADMIN = {"user": "itadmin", "password": PASSWORDS["itadmin"]}
HANGS = {"fault": "hang", "program": "fdesetup", "argument": "validaterecovery", "at": "start"}
MACS = {
    "hangs": mac("15.6", "itadmin", "stan", filevault=OFF, faults=[HANGS]),
    "forbidden": mac("26.1", "itadmin", "stan", filevault=OFF, mdm={"enrolled": "ade", "forbids_filevault": True}),
    "stale": mac("13.6.9", "itadmin", "stan", filevault=OFF),
}


class Store:
    """The role's runs against one folder on the controller."""

    def __init__(self, ansible: Ansible, lab: Lab, folder: Path) -> None:
        self.ansible, self.lab, self.folder = ansible, lab, folder / "store"
        self._variables = folder / "variables.json"

    def run(self, *hosts: str, **variables: Any) -> Run:
        given = {
            "keyholder_hosts": list(hosts),
            "filevault_user": "itadmin",
            "filevault_password": PASSWORDS["itadmin"],
            "filevault_recipients": [DESK.pem],
            "filevault_store_dir": str(self.folder),
            **variables,
        }
        self._variables.write_text(json.dumps(given), encoding="utf-8")
        return self.ansible.playbook(PLAYBOOK, self.lab.inventory, "-e", f"@{self._variables}")

    def files(self, host: str) -> list[str]:
        return sorted(file.name for file in self.folder.glob(f"{host}.*"))

    def opened(self, host: str) -> str:
        return DESK.opened((self.folder / f"{host}.pem").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def store(
    ansible: Ansible, bring_up: Callable[[Mapping[str, Any]], Lab], tmp_path_factory: pytest.TempPathFactory
) -> Store:
    return Store(ansible, bring_up(MACS), tmp_path_factory.mktemp("role"))


def test_a_key_that_comes_with_a_failure_is_stored(store: Store) -> None:
    run = store.run("hangs", filevault_timeout=5)
    assert run.rc != 0
    assert "[timeout]" in run.output
    assert store.opened("hangs") == store.lab.mac("hangs").state().filevault.prk
    assert store.files("hangs") == ["hangs.pem"]


def test_no_note_remains_of_a_key_that_was_not_made(store: Store) -> None:
    run = store.run("forbidden")
    assert run.rc != 0
    assert "[fdesetup_31]" in run.output
    assert store.files("forbidden") == []


def test_a_file_of_before_the_last_rotation_stands_in_nobodys_way(store: Store, ansible: Ansible) -> None:
    assert store.run("stale", filevault_state="deferred", filevault_user="stan").rc == 0
    assert any("FileVault" in line for line in store.lab.mac("stale").login("stan"))
    rotate = Step("rotate", "filevault_recovery_key", {"state": "rotated", "recovery_key": "encrypt", **ADMIN})
    assert play(ansible, store.lab, {"stale": [rotate.but("rotate", recipients=[DESK.pem])]})["stale", "rotate"].ok
    known = store.lab.mac("stale").state().filevault.prk
    plain = store.run("stale")
    assert plain.rc == 0, plain.output
    assert "no longer opens it" in plain.output
    assert (store.lab.mac("stale").state().filevault.prk, store.files("stale")) == (known, [])
    assert store.run("stale", filevault_rotate=True).rc == 0
    assert store.opened("stale") == store.lab.mac("stale").state().filevault.prk != known
