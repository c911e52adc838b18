# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""examples/fleet, copied, with its inventory pointed at Macs of the lab: each target of its Makefile does what it says.

The collection is built and installed as a user has it. The inventory, known_hosts and the secrets are this test's.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from checks import package
from checks.environments import ROOT
from checks.execution import Job
from harness.ansible import Ansible, binaries
from harness.macs import PASSWORDS, mac, person
from harness.recipients import Safe
from maclab import journal
from maclab.lab import Lab

EXAMPLE = ROOT / "examples" / "fleet"
BOTH, BARE = "mac-042.example.com", "mac-043.example.com"
"""The names of the example's inventory. host_vars has a file for the first; the second has no Python."""
VAULT = {f"vault_{name}_password": PASSWORDS[name] for name in ("itadmin", "ana", "rui")}
SAFE = Safe.new()
LIMITED = f"LIMIT={BARE}"
ELSEWHERE = {
    "help": "test_the_list_names_every_target",
    # What they do needs a network, and Macs at port 22 of their names.
    "install": "the tests' own installation",
    "known-hosts": "the lab's known_hosts",
    "preflight": "test_preflight.py",
}
"""Targets that test_every_target does not call, and what is in their place."""


class Folder:
    """The copy, and Macs behind its inventory."""

    def __init__(self, place: Path, ansible: Ansible, lab: Lab) -> None:
        self.place, self.lab = place, lab
        self._ansible = ansible
        shutil.copytree(EXAMPLE, place)
        inventory = yaml.safe_load(lab.inventory.read_text())["macs"]
        assert set(inventory["hosts"]) == set(yaml.safe_load((place / "inventory.yml").read_text())["macs"]["hosts"])
        # What the folder says of these itself is what is looked at.
        for theirs in ("ansible_ssh_common_args", "ansible_become_password"):
            inventory["vars"].pop(theirs, None)
        for host in inventory["hosts"].values():
            host.pop("ansible_user")
            host.pop("maclab_sudo_password")
        (place / "inventory.yml").write_text(yaml.safe_dump({"macs": inventory}))
        shutil.copy(lab.folder.known_hosts, place)
        (place / "identity.txt").write_text(str(SAFE.identity))
        self._replace("group_vars/macs/main.yml", {"age1replace-me": SAFE.recipient})
        vault = place / "group_vars" / "macs" / "vault.yml"
        assert set(yaml.safe_load(vault.read_text())) == set(VAULT)
        vault.write_text(yaml.safe_dump(VAULT))
        (place / "vault-password").write_text("of this test")
        name = f"fleet-folder-{binaries().parent.name}"
        self.collections = package.installed(Job(f"{name}-install", os.environ), name, binaries() / "ansible-galaxy")
        assert (self.collections / "ansible_collections/keyholder/macos/examples/fleet/Makefile").exists()
        self.typed("ansible-vault encrypt --vault-password-file vault-password group_vars/macs/vault.yml")

    def make(self, *words: str) -> str:
        return self.typed(" ".join(["make", *words, "VAULT='--vault-password-file vault-password'"]))

    def typed(self, command: str) -> str:
        settings = {
            "ANSIBLE_CONFIG": str(self.place / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(self.collections),
        }
        rc, output = self._ansible.typed(command, self.place, **settings)
        assert rc == 0, output
        assert "[WARNING]" not in output
        return output

    def _replace(self, name: str, given: Mapping[str, str]) -> None:
        text = (self.place / name).read_text()
        for theirs, ours in given.items():
            assert text.count(theirs) == 1
            text = text.replace(theirs, ours)
        (self.place / name).write_text(text)

    def holders(self, host: str) -> set[str]:
        return {name for name, account in self.lab.mac(host).state().accounts.items() if account.has_authority_token}

    def writes(self) -> int:
        return sum(len(run.writes) for host in (BOTH, BARE) for run in journal.programs(self.lab.mac(host).journal()))


@pytest.fixture(scope="module")
def folder(
    bring_up: Callable[[Mapping[str, Any]], Lab], own: Ansible, tmp_path_factory: pytest.TempPathFactory
) -> Folder:
    described = {
        "mdm": {"enrolled": "ade", "bootstrap": {"supported": True, "escrowed": False}},
        "filevault": {"state": "off"},
    }
    admin = person("itadmin", sudo_password=True)
    lab = bring_up({BOTH: mac("15.6", admin, **described), BARE: mac("26.1", admin, **described) | {"python": "none"}})
    return Folder(tmp_path_factory.mktemp("office") / "fleet", own, lab)


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):.*## ", (EXAMPLE / "Makefile").read_text(), re.MULTILINE))


def test_the_list_names_every_target(folder: Folder) -> None:
    assert set(re.findall(r"^  make ([a-z-]+) ", folder.make(), re.MULTILINE)) == targets()


def test_every_target(folder: Folder) -> None:
    called = set()

    def make(target: str, *words: str) -> str:
        called.add(target)
        return folder.make(target, *words)

    for question in ("status", "audit", "onboard-check", "filevault-check", "rotate-check"):
        make(question)
    make("escrow-check")
    assert folder.writes() == 0
    assert "Compliant: 0 of 2 Macs" in (folder.place / "keyholder-audit" / "audit.md").read_text()

    make("onboard")
    assert folder.holders(BOTH) == {"itadmin", "ana", "rui"}
    assert folder.holders(BARE) == {"itadmin", "ana"}
    before = folder.writes()
    make("onboard")
    make("grant", "NAME=ana")
    assert folder.writes() == before

    make("rotate")
    assert folder.holders(BARE) == {"itadmin", "ana", "helpdesk"}
    first = (folder.place / "passwords" / f"{BARE}.helpdesk.age").read_text()
    make("rotate")
    assert (folder.place / "passwords" / f"{BARE}.helpdesk.age").read_text() == first
    make("rotate-now", LIMITED)
    assert SAFE.opened((folder.place / "passwords" / f"{BARE}.helpdesk.age").read_text()) != SAFE.opened(first)

    # As a report prints it: secrets.yml has the passwords, and the vault is opened as it was for the report.
    (printed,) = re.findall(r'run: (ansible-playbook keyholder\.macos\.filevault .*?)"', make("status"))
    assert "FileVault: on" in folder.typed(printed)
    make("filevault")
    for host in (BOTH, BARE):
        assert SAFE.opened((folder.place / "recovery-keys" / f"{host}.age").read_text())
    make("escrow")
    before = folder.writes()
    make("offboard-check", "NAME=ana", LIMITED)
    assert folder.writes() == before
    make("offboard", "NAME=ana", LIMITED)
    assert folder.holders(BARE) == {"itadmin", "helpdesk"} and "ana" in folder.holders(BOTH)

    assert "Recoverable: 2 of 2 Macs" in make("audit")
    assert called | set(ELSEWHERE) == targets()
    left = {path for path in folder.place.rglob("*") if path.is_file() and path.name != "identity.txt"}
    held = [path for path in left for password in VAULT.values() if password in path.read_text(errors="replace")]
    assert left and held == []
