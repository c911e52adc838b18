# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every playbook, and with them every role, on Macs without Python: foreseen, done, and nothing left to do."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.ansible import Ansible, Run
from harness.macs import PASSWORDS, mac, secret
from harness.recipients import HelpDesk, Safe
from maclab import journal
from maclab.lab import Lab

PLAYBOOKS = (
    "status",
    "audit",
    "onboard",
    "onboard_mobile",
    "grant",
    "escrow_bootstrap_token",
    "filevault",
    "managed_admin",
    "offboard",
)
CHANGES = {
    "account",
    "mobile_account",
    "secure_token",
    "bootstrap_token",
    "filevault",
    "managed_password",
    "offboard",
}
"""The modules that each of those playbooks but the first two brings to a change."""
ADA = secret("ada")
DESK, SAFE = HelpDesk.new("help desk"), Safe.new()
OTHER = {
    "filevault": {"state": "off"},
    "mdm": {"enrolled": "ade", "bootstrap": {"supported": True, "escrowed": False}},
    "directory": {
        "node": "/Active Directory/CORP/corp.example.com",
        "users": [{"name": "ada", "full_name": "Ada Lovelace", "password": ADA}],
    },
    # Apple's stub asks whoever sits there.
    "logged_in": ["itadmin"],
}
MACS = {host: mac("15.6", "itadmin", "deputy", "stan", "ana", **OTHER) | {"python": host} for host in ("none", "stub")}


@dataclass(frozen=True)
class Fleet:
    ansible: Ansible
    lab: Lab
    folder: Path

    def run(self, *arguments: str, playbooks: tuple[str, ...] = PLAYBOOKS, **variables: Any) -> Run:
        store = {"kind": "age", "directory": str(self.folder / "passwords"), "recipients": [SAFE.recipient]}
        it = {"admin_user": "itadmin", "admin_password": PASSWORDS["itadmin"]}
        given: dict[str, Any] = {
            f"{role}_{option}": value
            for role in ("onboard_user", "onboard_mobile_user", "grant", "escrow_bootstrap_token")
            for option, value in it.items()
        }
        given |= {
            "keyholder_report": str(self.folder / "report"),
            "onboard_user_users": [{"name": "nora", "full_name": "Nora", "password": PASSWORDS["rui"]}],
            "onboard_mobile_user_users": [{"name": "ada", "password": ADA}],
            "grant_user": "ana",
            "grant_password": PASSWORDS["ana"],
            "filevault_user": "itadmin",
            "filevault_password": PASSWORDS["itadmin"],
            "filevault_recipients": [SAFE.recipient],
            "filevault_store_dir": str(self.folder / "keys"),
            "managed_admin_name": "deputy",
            "managed_admin_current_password": PASSWORDS["deputy"],
            "managed_admin_store": {**store, "identity": str(self.folder / "identity")},
            "offboard_user_names": ["stan"],
            **variables,
        }
        (self.folder / "identity").write_text(str(SAFE.identity), encoding="utf-8")
        (self.folder / "variables.json").write_text(json.dumps(given), encoding="utf-8")
        plays = [{"name": book, "ansible.builtin.import_playbook": f"keyholder.macos.{book}"} for book in playbooks]
        (self.folder / "all.yml").write_text(yaml.safe_dump(plays), encoding="utf-8")
        arguments = (*arguments, "-e", f"@{self.folder / 'variables.json'}")
        return self.ansible.playbook(self.folder / "all.yml", self.lab.inventory, *arguments)

    def entries(self) -> list[journal.Entry]:
        return [entry for host in MACS for entry in self.lab.mac(host).journal()]

    def key(self, host: str) -> str | None:
        return self.lab.mac(host).state().filevault.prk


def changed(run: Run, host: str) -> set[str]:
    """The modules that changed the Mac, or foresaw a change."""
    own = {
        (line.action.rpartition(".")[2], bool(line.result.get("changed"))) for line in run.lines if line.host == host
    }
    return {action for action, has_changed in own if has_changed and action in CHANGES}


@pytest.fixture(scope="module")
def fleet(
    ansible: Ansible, bring_up: Callable[[Mapping[str, Any]], Lab], tmp_path_factory: pytest.TempPathFactory
) -> Fleet:
    return Fleet(ansible, bring_up(MACS), tmp_path_factory.mktemp("without"))


def test_every_playbook_foresees_does_and_rests(fleet: Fleet) -> None:
    before = {host: fleet.lab.mac(host).state() for host in MACS}
    foreseen = fleet.run("--check")
    assert foreseen.rc == 0, foreseen.output[-3000:]
    assert {host: fleet.lab.mac(host).state() for host in MACS} == before
    assert (journal.writes(fleet.entries()), journal.authentications(fleet.entries())) == ([], [])
    done = fleet.run()
    assert done.rc == 0, done.output[-3000:]
    keys = {host: fleet.key(host) for host in MACS}
    again = fleet.run()
    assert again.rc == 0, again.output[-3000:]
    for host in MACS:
        assert (changed(foreseen, host), changed(done, host), changed(again, host)) == (CHANGES, CHANGES, set())
        accounts = set(fleet.lab.mac(host).state().accounts)
        assert accounts >= {"itadmin", "deputy", "ana", "nora", "ada"} and "stan" not in accounts
        assert SAFE.opened((fleet.folder / "keys" / f"{host}.age").read_text("utf-8")) == keys[host] == fleet.key(host)
    # Neither was a Python started, nor did a dialog come up.
    assert journal.programs(fleet.entries(), "python3") == []
    assert journal.events(fleet.entries(), "dialog") == []


def test_a_key_for_certificates_needs_the_owners_word(fleet: Fleet) -> None:
    """openssl on the Mac encrypts to them, so without Python the key passes through the controller's memory."""
    keys, wanted = {host: fleet.key(host) for host in MACS}, {"filevault_recipients": [DESK.pem]}
    refused = fleet.run(playbooks=("filevault",), filevault_rotate=True, **wanted)
    assert refused.rc != 0
    failed = [line for line in refused.lines if line.result.get("reason")]
    assert {(line.host, line.result["reason"]) for line in failed} == {(host, "needs_python") for host in MACS}
    assert {host: fleet.key(host) for host in MACS} == keys
    assert not list((fleet.folder / "keys").glob("*.pending"))
    agreed = fleet.run(playbooks=("filevault",), filevault_rotate=True, keyholder_runner="shell", **wanted)
    assert agreed.rc == 0, agreed.output[-3000:]
    for host in MACS:
        assert DESK.opened((fleet.folder / "keys" / f"{host}.pem").read_text("utf-8")) == fleet.key(host) != keys[host]
        assert str(fleet.key(host)) not in agreed.output
