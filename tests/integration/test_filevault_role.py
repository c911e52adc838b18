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
from harness.recipients import HelpDesk
from maclab.lab import Lab

PLAYBOOK = Path("keyholder.macos.filevault")
DESK = HelpDesk.new("help desk")
OFF = {"state": "off"}
ADMIN = {"user": "itadmin", "password": PASSWORDS["itadmin"]}
HANGS = {"fault": "hang", "program": "fdesetup", "argument": "validaterecovery", "at": "start"}
MACS = {
    "hangs": mac("15.6", "itadmin", "stan", filevault=OFF, faults=[HANGS]),
    "forbidden": mac("26.1", "itadmin", "stan", filevault=OFF, mdm={"enrolled": "ade", "forbids_filevault": True}),
    "raced": mac("15.6", "itadmin", "stan", filevault=OFF),
    "unmarked": mac("15.6", "itadmin", "stan", filevault=OFF),
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

    def opened(self, host: str, file: str = "") -> str:
        return DESK.opened((self.folder / (file or f"{host}.pem")).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def store(
    ansible: Ansible, bring_up: Callable[[Mapping[str, Any]], Lab], tmp_path_factory: pytest.TempPathFactory
) -> Store:
    return Store(ansible, bring_up(MACS), tmp_path_factory.mktemp("role"))


def test_a_key_that_comes_with_a_failure_is_stored(store: Store) -> None:
    run = store.run("hangs", filevault_timeout=5)
    assert run.rc != 0
    assert "[timeout]" in run.output
    # Nobody has validated it, so it takes no key's place, and the next run makes another one.
    (kept,) = (store.folder / "hangs.keys").iterdir()
    assert store.opened("hangs", f"hangs.keys/{kept.name}") == store.lab.mac("hangs").state().filevault.prk
    assert kept.name.endswith(".unproven.pem")
    assert store.files("hangs") == ["hangs.keys", "hangs.pending"]
    store.lab.mac("hangs").clear_faults()
    healed = store.run("hangs")
    assert healed.rc == 0, healed.output
    assert store.opened("hangs") == store.lab.mac("hangs").state().filevault.prk
    assert store.files("hangs") == ["hangs.keys", "hangs.pem"]


def test_a_key_of_another_run_is_not_replaced(store: Store) -> None:
    """As when a second controller has rotated between this one's new key and its storing."""
    assert store.run("raced").rc == 0
    before = store.opened("raced")
    other = store.folder / "raced.keys" / "20260301T000000000000Z-0.unproven.pem"
    # Ansible asks for the deadline again right before the new key, when this run has noted itself.
    races = f"test -e {store.folder}/raced.pending && mkdir -p {other.parent} && echo x >{other}; echo 120"
    run = store.run(
        "raced", filevault_rotate=True, filevault_timeout=f"{{{{ lookup('ansible.builtin.pipe', '{races}') }}}}"
    )
    assert run.rc != 0
    assert "[store_conflict]" in run.output
    assert "recovery key: FAILED [store_conflict]" in run.output
    assert store.opened("raced") == before
    (ours,) = (path.name for path in other.parent.iterdir() if path != other)
    assert store.opened("raced", f"raced.keys/{ours}") == store.lab.mac("raced").state().filevault.prk != before
    healed = store.run("raced")
    assert healed.rc == 0
    assert "stored before" not in healed.output
    assert store.opened("raced") == store.lab.mac("raced").state().filevault.prk


def test_a_store_that_may_not_stay_is_refused_before_a_key_is_made(store: Store) -> None:
    """As in a job of AWX, whose container goes with the folder."""
    for given in ({"filevault_store_marked": True}, {"awx_job_id": 7}):
        run = store.run("unmarked", **given)
        assert run.rc != 0
        assert "[store_not_durable]" in run.output
        assert store.lab.mac("unmarked").state().filevault.state == "off"
        assert store.files("unmarked") == []
    (store.folder / ".keyholder-store").write_text('{"made_at": "2026-03-01"}', encoding="utf-8")
    try:
        assert store.run("unmarked", awx_job_id=7).rc == 0
    finally:
        (store.folder / ".keyholder-store").unlink()
    assert store.opened("unmarked") == store.lab.mac("unmarked").state().filevault.prk


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
