# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs ansible-playbook as a person would, away from that person's settings, and reads what each task returned."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from checks.environments import TREE, link_tree

FOLDER = Path(__file__).resolve().parents[1]
TIME_LIMIT = 600
RUNNER = "keyholder_runner"
"""The environment variable KEYHOLDER_RUNNER gives it to every play: shell tries all of these tests without Python."""


@dataclass(frozen=True)
class Line:
    """What one task returned on one host."""

    host: str
    task: str
    action: str
    status: str
    time: float
    result: dict[str, Any]


@dataclass(frozen=True)
class Run:
    """One ansible-playbook: its exit status, all that it printed, and its tasks' results in their order."""

    rc: int
    output: str
    lines: list[Line]
    results: Path


def binaries() -> Path:
    """The ansible-core under test: KEYHOLDER_ANSIBLE names the folder of its programs."""
    return Path(os.environ.get("KEYHOLDER_ANSIBLE") or Path(sys.executable).parent)


@functools.cache
def version() -> str:
    said = subprocess.run([binaries() / "ansible-playbook", "--version"], capture_output=True, text=True, check=True)
    return said.stdout.split("[core ", 1)[1].split("]", 1)[0]


def on_oldest_core() -> bool:
    return version().startswith("2.16.")


class Ansible:
    """``folder`` keeps what ansible leaves on the controller, so that a test can look at that too."""

    def __init__(self, folder: Path) -> None:
        link_tree()
        self.folder = folder
        self.home = folder / "home"
        self.home.mkdir(parents=True)
        # The path of a control socket must be short, and a test's folder seldom is.
        self._sockets = tempfile.TemporaryDirectory(prefix="kh-")
        self._count = 0

    def close(self) -> None:
        self._sockets.cleanup()

    def playbook(self, playbook: Path, inventory: Path, *arguments: str, **settings: str) -> Run:
        """``settings``: environment variables, ANSIBLE_PIPELINING for one."""
        self._count += 1
        results = self.folder / f"results-{self._count}.jsonl"
        results.touch()
        named = os.environ.get("KEYHOLDER_RUNNER")
        # Before what a test itself says.
        runner = ["-e", f"{RUNNER}={named}"] if named else []
        argv = [str(binaries() / "ansible-playbook"), "-i", str(inventory), *runner, *arguments, str(playbook)]
        environment = self._environment(settings) | {"KEYHOLDER_RESULTS": str(results)}
        rc, output = _run(argv, self.folder, environment)
        lines = [Line(**json.loads(line)) for line in results.read_text(encoding="utf-8").splitlines()]
        return Run(rc, output, lines, results)

    def typed(self, command: str, folder: Path, **settings: str) -> tuple[int, str]:
        """Exit status and both streams of a command as a person types it at a shell, in a folder of theirs."""
        environment = self._environment(settings)
        environment["PATH"] = f"{binaries()}{os.pathsep}{environment['PATH']}"
        return _run(["/bin/sh", "-c", command], folder, environment)

    def _environment(self, settings: Mapping[str, str]) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "TMPDIR", "COVERAGE_PROCESS_START") if name in os.environ}
        return kept | {
            "ANSIBLE_COLLECTIONS_PATH": str(TREE),
            "ANSIBLE_CONFIG": str(FOLDER / "ansible.cfg"),
            "ANSIBLE_HOME": str(self.home / ".ansible"),
            "ANSIBLE_SSH_CONTROL_PATH_DIR": self._sockets.name,
            "HOME": str(self.home),
            "LC_ALL": os.environ.get("LC_ALL", "C.UTF-8"),
            **settings,
        }


def _run(argv: list[str], folder: Path, environment: Mapping[str, str]) -> tuple[int, str]:
    """Exit status, and both streams in one."""
    process = subprocess.Popen(
        argv, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        output, _ = process.communicate(timeout=TIME_LIMIT)
    except BaseException:
        # Its workers have sessions of their own and would outlive a kill; told to end, it ends them itself.
        process.terminate()
        try:
            process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
        raise
    return process.returncode, output.decode(errors="replace")
