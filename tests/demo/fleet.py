# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings the demo's Macs up, lets Ansible loose on them, and measures what came of it on each."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
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
SCENARIOS = ROOT / "maclab" / "scenarios"
VARIABLES = HERE / "onboarding.yml"
CHIPS = {"intel": "Intel", "t2": "Intel T2", "apple-silicon": "Apple silicon"}
PLAYBOOK = "keyholder.macos.onboard"
ROLE_TASK = "keyholder.macos.account"
ON_THE_CONTROLLER = "keyholder.macos.recovery_key_store"


class DemoError(Exception):
    """The demo could not be shown; says why."""


@dataclass(frozen=True)
class Deeds:
    """What one run did on one Mac: by Ansible's results of each account or module, and by the Mac's journal."""

    results: Mapping[str, Mapping[str, Any]]
    programs: int
    authentications: int
    writes: int

    @property
    def changed(self) -> int:
        return sum(bool(result.get("changed")) for result in self.results.values())

    @property
    def refused(self) -> Mapping[str, Any] | None:
        """The first refusal, with its reason, evidence and remedy."""
        return next((result for result in self.results.values() if "reason" in result), None)

    @property
    def outcome(self) -> str:
        """What filevault_unlock says of the Mac; "" if it did not run."""
        return next((result["outcome"] for result in self.results.values() if "outcome" in result), "")


@dataclass(frozen=True)
class Run:
    """One ansible-playbook over the whole fleet. `start`: seconds since 1970."""

    start: float
    seconds: float
    log: Path
    macs: Mapping[str, Deeds]

    @property
    def changed(self) -> int:
        return sum(deeds.changed for deeds in self.macs.values())


Results = Callable[[Iterable[Line]], Mapping[str, Mapping[str, Any]]]


class Fleet:
    """The Macs of a scenario while they are up. With `keep` they stay so afterwards. `place`: where all is kept."""

    def __init__(self, keep: bool, scenario: str = "demo.yml", place: Path = PLACE) -> None:
        self._keep = keep
        self._scenario = SCENARIOS / scenario
        self.place = place
        self.folder = LabFolder(place / "lab")
        self._ansible: Ansible | None = None

    def __enter__(self) -> Fleet:
        self._down()
        shutil.rmtree(self.place, ignore_errors=True)
        self.place.mkdir(parents=True)
        self._ansible = Ansible(self.place / "ansible")
        done = self._maclab("up", str(self._scenario), "--fresh")
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
        return self._play(title, PLAYBOOK, _accounts, "-e", f"@{VARIABLES}", *options)

    def run(self, title: str, playbook: str, *options: str) -> Run:
        return self._play(title, playbook, _modules, *options)

    def _play(self, title: str, playbook: str, results: Results, *options: str) -> Run:
        assert self._ansible is not None
        start = time.time()
        run = self._ansible.playbook(Path(playbook), self.folder.inventory, *options)
        seconds = time.time() - start
        log = self.place / f"{title}.log"
        log.write_text(run.output, encoding="utf-8")
        deeds = {
            name: self._deeds(name, results(line for line in run.lines if line.host == name), start)
            for name in self.names
        }
        return Run(start, seconds, log, deeds)

    def _deeds(self, name: str, results: Mapping[str, Mapping[str, Any]], start: float) -> Deeds:
        # sudo is Ansible's way in, and one of the Macs has it ask for the password.
        runs = [run for run in journal.programs(self._since(name, start)) if run.program != "sudo"]
        return Deeds(results, len(runs), len(journal.authentications(runs)), len(journal.writes(runs)))

    def _since(self, name: str, start: float) -> list[journal.Entry]:
        return [entry for entry in journal.read(self.folder.mac(name).journal) if entry.start >= start]

    def cut_power(self) -> None:
        done = self._maclab("power-cut")
        if done.returncode:
            raise DemoError(done.stderr.strip())

    def passwords_sent(self, name: str, start: float) -> int:
        """How many passwords a Mac got at its unlock screen."""
        return len(journal.events(self._since(name, start), "preboot"))

    def leaks(self, known: Iterable[str]) -> tuple[int, int]:
        """How often a secret stands in what Ansible printed and returned, in an argument or in an environment; and how
        many characters were searched. `known`: passwords that no account has now."""
        said = [path.read_text(encoding="utf-8") for path in self.place.glob("*.log")]
        said += [path.read_text(encoding="utf-8") for path in (self.place / "ansible").glob("*.jsonl")]
        for name in self.names:
            for run in journal.programs(journal.read(self.folder.mac(name).journal)):
                said += [*run.argv, *run.env.values()]
        macs = self.read().values()
        secrets = {*known, *(who.password for mac in macs for who in mac.accounts.values() if who.password)}
        secrets |= {mac.filevault.prk for mac in macs if mac.filevault.prk}
        return sum(text.count(secret) for text in said for secret in secrets), sum(map(len, said))

    def _down(self) -> None:
        if control.is_up(self.folder):
            self._maclab("down")

    def _maclab(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "maclab", *arguments, "--dir", str(self.folder.path)]
        return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


def people() -> list[str]:
    return [entry["name"] for entry in _variables()["onboard_user_users"]]


def given() -> set[str]:
    """The passwords that the first part of the demo knows."""
    variables = _variables()
    return {entry["password"] for entry in variables["onboard_user_users"]} | set(
        variables["demo_itadmin_passwords"].values()
    )


def _accounts(lines: Iterable[Line]) -> Mapping[str, Mapping[str, Any]]:
    """The results of the role's loop over accounts."""
    results = next((line.result for line in lines if line.action == ROLE_TASK), {})
    return {result[result["ansible_loop_var"]]: result for result in results.get("results", [])}


def _modules(lines: Iterable[Line]) -> Mapping[str, Mapping[str, Any]]:
    """One result for each module that works on the Mac: one that changed it or was refused, if there is any."""
    results: dict[str, Mapping[str, Any]] = {}
    for line in lines:
        told = line.result.get("changed") or "reason" in line.result or "outcome" in line.result
        if line.action != ON_THE_CONTROLLER and (told or line.action not in results):
            results[line.action] = line.result
    return results


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
