# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Macs that people reported, each of which an audit without any parameter once called well, dead or lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import fakes
import pytest

from harness.ansible import Ansible
from harness.macs import mac, person
from maclab.lab import Lab

ON: dict[str, Any] = {"state": "on", "prk": True}
NO_OWNER = {"authority": True, "crypto": True, "filevault": True, "owner": False}


class Case(NamedTuple):
    """A Mac; the status, the reason code and the rule that its entry in the audit shows, and words of the reason."""

    mac: dict[str, Any]
    status: str
    reason: str
    rule: str
    words: str


CASES = {
    "idle-admin": Case(
        mac("14.7.7", person("itadmin", hidden=True, idle_days=40), filevault=ON, policy={"xml": fakes.IDLE}),
        "read", "", "", "unless the password rule Inactive Account has locked the account",
    ),
    "at-its-unlock-screen": Case(
        # sshd explains the lock to the first who comes, and the words are the same for an account that is not let in.
        mac("26.1", "itadmin", filevault=ON, locked=True), "refused", "", "", "unlock screen"
    ),
    "stale-bootstrap-token": Case(
        mac("13.6", "helper", "stan", filevault=ON,
            mdm={"enrolled": "ade", "bootstrap": {"escrowed": True, "stale": True}}),
        "read", "", "admin_holder", "no administrator holds a token",
    ),
    "no-owner": Case(
        mac("15.6", person("itadmin", token=NO_OWNER), filevault=ON),
        "read", "", "admin_owns_volume", "no administrator who holds a token owns the volume",
    ),
    "silent-sudo": Case(
        mac("15.6", "itadmin", filevault=ON, faults=[{"fault": "hang", "program": "sudo", "at": "start"}]),
        "refused", "sudo_silent", "", "sudo",
    ),
    "used-key": Case(
        mac("15.6", "itadmin", filevault=ON), "read", "", "recovery_key_not_used", "unlocked with its recovery key"
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def lab(bring_up: Callable[[Mapping[str, Any]], Lab]) -> Lab:
    lab = bring_up({host: case.mac for host, case in CASES.items()})
    used = lab.mac("used-key")
    used.restart()
    used.wait_until(reachable=False)
    used.unlock(key=used.state().filevault.prk)
    used.wait_until(reachable=True)
    return lab


@pytest.fixture(scope="module")
def entries(ansible: Ansible, lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("report")
    ran = ansible.playbook(
        Path("keyholder.macos.audit"), lab.inventory, "-e", f"keyholder_report={folder}", ANSIBLE_TIMEOUT="5"
    )
    assert ran.rc == 0, ran.output[-3000:]
    report = json.loads((folder / "audit.json").read_text(encoding="utf-8"))
    return {entry["host"]: entry for entry in report["macs"]}


@pytest.mark.parametrize("host", CASES)
def test_an_audit_without_parameters_sees_it(entries: Mapping[str, dict[str, Any]], host: str) -> None:
    case, entry = CASES[host], entries[host]
    assert entry["status"] == case.status, entry["why"]
    assert entry["reason"] in (case.reason, "waits_for_unlock" if host == "at-its-unlock-screen" else case.reason)
    assert case.words in entry["why"]
    failed = {one["rule"] for one in entry["findings"] if one["result"] == "fail"}
    assert case.rule in {"", *failed}


def test_the_lab_shuts_the_idle_administrator_out(lab: Lab) -> None:
    said = lab.mac("idle-admin").ssh("sudo pwpolicy -u itadmin -authentication-allowed")
    assert 'Failed record policy "Inactive Account"' in said.out
