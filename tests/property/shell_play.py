# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays a step as the controller carries it out on a Mac without Python, on a Mac in memory, and compares it with what
the module itself did there.

The programs are the lab's. How a script carries a command and its answer is tried elsewhere, in real shells and over
SSH (`test__shell.py`, `tests/integration/test_runners.py`).
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import itertools
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from unittest import mock

from inmemory import LabRunner

from ansible_collections.keyholder.macos.plugins.module_utils._command import dscl
from ansible_collections.keyholder.macos.plugins.module_utils._lock import NoLock
from ansible_collections.keyholder.macos.plugins.module_utils._runner import DEADLINE, Command, Ran
from ansible_collections.keyholder.macos.plugins.plugin_utils import _changing

WORTH_COMPARING = ("changed", "failed", "reason", "plan", "notes", "state", "msg", "recovery_key", "password_matches")
"""Of a result. Evidence differs in how a password was compared; what is encrypted to a certificate, in each run."""


class Chances:
    """What two plays of the same step must share to end alike: the time, and what the lab's Macs draw at random."""

    def __init__(self) -> None:
        self._now = time.time()
        self._first = uuid.uuid4().int

    @contextlib.contextmanager
    def again(self) -> Iterator[None]:
        """Let the clock stand, and the same be drawn as in the play before."""
        numbers = itertools.count(self._first)
        with (
            mock.patch("time.time", lambda: self._now),
            mock.patch("uuid.uuid4", lambda: uuid.UUID(int=next(numbers) % (1 << 128), version=4)),
        ):
            yield


class Script:
    """Answer as a ScriptRunner does, by the programs of ``mac``. ``came_in``: what the Mac's shell has in SUDO_USER."""

    def __init__(self, mac: LabRunner, came_in: str) -> None:
        self._mac = mac
        self._came_in = came_in

    def ask_ahead(self, commands: Iterable[Command]) -> None:
        """Ask when somebody asks: reading changes nothing."""

    def run(self, command: Command, deadline: float = DEADLINE) -> Ran:
        program = command.argv[0]
        if program == "keyholder_way":
            return Ran(command, 0, f"{self._came_in}\n\n\n{'root' if self._came_in else self._mac.mac.ssh_user}\n")
        if program == "keyholder_python":
            return Ran(command, 0)
        if program == "perl":
            user = command.argv[command.argv.index("-read") + 1].rpartition("/")[2]
            matches = dscl.hash_matches(self._mac.run(dscl.read_hash(user), deadline), command.prompts[0])
            said = {True: (0, "matches\n"), False: (1, "differs\n"), None: (3, "")}[matches]
            return Ran(command, *said)
        return self._mac.run(command, deadline)

    def run_all(self, commands: Sequence[Command], deadline: float = DEADLINE) -> list[Ran]:
        return [self.run(command, deadline) for command in commands]


def played(mac: LabRunner, module: str, options: Mapping[str, Any], check: bool, become: bool) -> dict[str, Any]:
    """Return what the action makes of a task whose ``runner`` is shell."""
    came_in = mac.mac.ssh_user if become else ""
    with (
        mock.patch.object(_changing, "ScriptRunner", lambda *_: Script(mac, came_in)),
        mock.patch.object(_changing, "ShellLock", lambda *_: NoLock()),
    ):
        given = {**copy.deepcopy(dict(options)), "runner": "shell"}
        changing = _changing.Changing(module, given, {}, lambda _asked: _never())
        done = changing.foreseen() if check else changing.done()
    assert isinstance(done, dict)
    return done


def _never() -> Any:
    raise AssertionError("no exec is needed in memory")


def differences(one: Any, other: Any, where: str = "") -> list[str]:
    """Return where two values differ, a line each."""
    if dataclasses.is_dataclass(one) and type(one) is type(other):
        return differences(vars(one), vars(other), where)
    if isinstance(one, dict) and isinstance(other, dict):
        keys = dict.fromkeys([*one, *other])
        return [line for key in keys for line in differences(one.get(key), other.get(key), f"{where}.{key}")]
    return [] if one == other else [f"{where}: {one!r}, {other!r}"]


def told(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return what must be the same, whatever carried the steps out."""
    return {key: result.get(key) for key in WORTH_COMPARING}
