# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings the demo's Macs up, lets Ansible loose on them, and measures what came of it on each."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any

import yaml

from harness.ansible import Ansible, Line
from maclab import control, journal
from maclab.layout import LabFolder
from maclab.state import Mac, from_json

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PLACE = ROOT / ".cache" / "demo"
SCENARIO = ROOT / "maclab" / "scenarios" / "demo.yml"
VARIABLES = HERE / "onboarding.yml"
PLAYBOOK = "keyholder.macos.onboard"
ROLE_TASK = "keyholder.macos.account"


class DemoError(Exception):
    """The demo could not be shown; says why."""


@dataclass(frozen=True)
class Deeds:
    """What one run did on one Mac: by Ansible's results of each account, and by the Mac's journal."""

    accounts: Mapping[str, Mapping[str, Any]]
    programs: int
    authentications: int
    writes: int

    @property
    def changed(self) -> int:
        return sum(bool(result.get("changed")) for result in self.accounts.values())

    @property
    def refused(self) -> Mapping[str, Any] | None:
        """The first refusal, with its reason, evidence and remedy."""
        return next((result for result in self.accounts.values() if "reason" in result), None)


@dataclass(frozen=True)
class Run:
    """One ansible-playbook over the whole fleet."""

    seconds: float
    log: Path
    macs: Mapping[str, Deeds]

    @property
    def changed(self) -> int:
        return sum(deeds.changed for deeds in self.macs.values())


class Fleet:
    """The Macs while they are up. With `keep` they stay so afterwards."""

    def __init__(self, keep: bool) -> None:
        self._keep = keep
        self.folder = LabFolder(PLACE / "lab")
        self._ansible: Ansible | None = None

    def __enter__(self) -> Fleet:
        self._down()
        shutil.rmtree(PLACE, ignore_errors=True)
        PLACE.mkdir(parents=True)
        self._ansible = Ansible(PLACE / "ansible")
        done = self._maclab("up", str(SCENARIO), "--fresh")
        if done.returncode:
            self._ansible.close()
            raise DemoError(done.stderr.strip())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._keep:
            self._down()
        if self._ansible is not None:
            self._ansible.close()

    @property
    def names(self) -> list[str]:
        return list(json.loads(self.folder.info.read_text())["macs"])

    def read(self) -> dict[str, Mac]:
        """What each Mac is, as it knows itself: not through the collection."""
        return {name: from_json(self.folder.mac(name).state.read_text(encoding="utf-8")) for name in self.names}

    def onboard(self, title: str, *options: str) -> Run:
        assert self._ansible is not None
        start = time.time()
        run = self._ansible.playbook(Path(PLAYBOOK), self.folder.inventory, "-e", f"@{VARIABLES}", *options)
        seconds = time.time() - start
        log = PLACE / f"{title}.log"
        log.write_text(run.output, encoding="utf-8")
        return Run(seconds, log, {name: self._deeds(name, run.lines, start) for name in self.names})

    def make_help_desk(self) -> None:
        """A key pair: whoever has the private one reads the recovery keys."""
        argv = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=help desk"]
        argv += ["-keyout", str(PLACE / "helpdesk.key"), "-out", str(PLACE / "helpdesk.pem")]
        subprocess.run(argv, check=True, capture_output=True)

    def encrypt(self, title: str, playbooks: Sequence[str], name: str, *options: str) -> Run:
        assert self._ansible is not None
        start = time.time()
        given = ("-e", f"@{VARIABLES}", "-e", f"@{HERE / 'encryption.yml'}", "-e", f"demo_place={PLACE}", *options)
        run = self._ansible.playbook(Path(playbooks[-1]), self.folder.inventory, *given, *playbooks[:-1])
        seconds = time.time() - start
        log = PLACE / f"{title}.log"
        log.write_text(run.output, encoding="utf-8")
        tasks = {f"{number} {line.task}": line.result for number, line in enumerate(run.lines) if line.host == name}
        return Run(seconds, log, {name: replace(self._deeds(name, [], start), accounts=tasks)})

    def read_stored_key(self, name: str) -> str:
        """What the help desk reads in the store; "" where there is nothing to read."""
        argv = ["openssl", "smime", "-decrypt", "-inform", "PEM", "-inkey", str(PLACE / "helpdesk.key")]
        stored = PLACE / "recovery-keys" / f"{name}.pem"
        return subprocess.run([*argv, "-in", str(stored)], capture_output=True, text=True, check=False).stdout

    def _deeds(self, name: str, lines: Iterable[Line], start: float) -> Deeds:
        entries = [entry for entry in journal.read(self.folder.mac(name).journal) if entry.start >= start]
        results = next((line.result for line in lines if line.host == name and line.action == ROLE_TASK), {})
        accounts = {result[result["ansible_loop_var"]]: result for result in results.get("results", [])}
        # sudo is Ansible's way in, and one of the Macs has it ask for the password.
        runs = [run for run in journal.programs(entries) if run.program != "sudo"]
        return Deeds(accounts, len(runs), len(journal.authentications(runs)), len(journal.writes(runs)))

    def leaks(self) -> tuple[int, int]:
        """How often a password stands in what Ansible printed and returned, in an argument or in an environment;
        and how many characters were searched."""
        said = [path.read_text(encoding="utf-8") for path in PLACE.glob("*.log")]
        said += [path.read_text(encoding="utf-8") for path in (PLACE / "ansible").glob("*.jsonl")]
        for name in self.names:
            for run in journal.programs(journal.read(self.folder.mac(name).journal)):
                said += [*run.argv, *run.env.values()]
        secrets = _secrets() | {mac.filevault.prk for mac in self.read().values() if mac.filevault.prk}
        return sum(text.count(secret) for text in said for secret in secrets), sum(map(len, said))

    def _down(self) -> None:
        if control.is_up(self.folder):
            self._maclab("down")

    def _maclab(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "maclab", *arguments, "--dir", str(self.folder.path)]
        return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


def people() -> list[str]:
    return [entry["name"] for entry in _variables()["onboard_user_users"]]


def _secrets() -> set[str]:
    variables = _variables()
    return {entry["password"] for entry in variables["onboard_user_users"]} | set(
        variables["demo_itadmin_passwords"].values()
    )


def _variables() -> dict[str, Any]:
    variables: dict[str, Any] = yaml.safe_load(VARIABLES.read_text(encoding="utf-8"))
    return variables


def standing(mac: Mac, user: str) -> str:
    """How a person stands on a Mac, by the three sources of truth."""
    account = mac.accounts.get(user)
    if account is None:
        return "no account"
    guid, vault = account.generated_uid, mac.filevault
    crypto = guid in mac.crypto_users
    said = {account.has_authority_token, crypto, (crypto and guid not in vault.hidden_users) or guid in vault.ghosts}
    return "phantom" if len(said) == 2 else "token" if said == {True} else "no token"
