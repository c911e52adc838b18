# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays the steps of the integration tests without SSH: the whole module, from its options to its result, runs in this
very process, on a Mac in memory whose programs are the lab's.

So a file of tests asks every macOS the same questions, and only those Macs over SSH that show what SSH, a shell, a
Python or Ansible may do to an answer. What stands between a playbook and the module's options is not tried here.
"""

from __future__ import annotations

import contextlib
import copy
import importlib
import io
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import fakes
import shell_play
from ansible.module_utils.testing import patch_module_args
from inmemory import LabRunner, PowerCut

from ansible_collections.keyholder.macos.plugins.module_utils import _module_change, _module_info
from ansible_collections.keyholder.macos.plugins.module_utils._lock import NoLock
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.plugin_utils._action import failure, leaving, with_reason
from ansible_collections.keyholder.macos.plugins.plugin_utils._options import check
from harness import batch
from harness.ansible import Ansible, Line, Run
from harness.batch import Answer, Played, Step
from maclab import bootstrap, faults, journal, scenario
from maclab.lab import Handle, Lab
from maclab.state import Mac

_MODULES = "ansible_collections.keyholder.macos.plugins.modules"

REFUSED_BEFORE = ("not_text", "password_is_hash", "option_unknown")
"""Reasons for which a task ends before anything else of it runs."""

PROGRESS = (".filevault.state", ".filevault.percent", ".filevault.advance")
"""An encryption goes on with each reading, and whoever plans on the controller reads once more."""

PREFIX = "memory"
"""Of the names of such Macs, beside those that have a port."""

PATIENCE = 1
"""Seconds; only a program that hangs takes any time at all, but for mdmclient."""


def name(version: str, prefix: str = "mac") -> str:
    """``memory-mac-15.6``: what the tests call the Mac of that version."""
    return f"{PREFIX}-{prefix}-{version}"


class _Free(NoLock):
    descriptors = tuple


@dataclass
class PowerSupply:
    """The power goes at the ``step``-th commit: right after it, or right before it. ``seen``: the commits so far."""

    step: int
    before: bool = False
    seen: int = 0
    bitten: bool = False

    def lasts(self, mac: Mac, start: Callable[[int | None], fakes.Run]) -> fakes.Run:
        saved = copy.deepcopy(mac) if self.before else mac
        done = start(self.step - self.seen if self.seen < self.step else None)
        self.seen += done.commits
        if not self.bitten and self.seen >= self.step:
            self.bitten = True
            if self.before:
                vars(mac).update(vars(saved))
            raise PowerCut
        return done


@dataclass
class _Runner(LabRunner):
    """Journals what it starts, as the lab does."""

    power: PowerSupply | None = None
    entries: list[journal.ProgramRun] = field(default_factory=list)

    def started(self, argv: tuple[str, ...], how: dict[str, Any]) -> fakes.Run:
        def start(cut_after: int | None) -> fakes.Run:
            return fakes.run(self.mac, *argv, cut_after=cut_after, patience=PATIENCE, **how)

        run = start(None) if self.power is None else self.power.lasts(self.mac, start)
        program, *words = argv
        self.entries.append(
            journal.ProgramRun(
                start=float(len(self.entries)),
                program=program,
                argv=words,
                env={},
                cwd="/",
                user=how["user"],
                root=how["root"],
                session="",
                pid=0,
                stdin_bytes=run.record.stdin_bytes,
                tty_bytes=run.record.tty_bytes,
                prompts=run.record.prompts,
                authentications=run.record.authentications,
                writes=run.record.writes,
                status=None if run.hung else run.status,
                killed=run.hung,
            )
        )
        return run


class MemoryMac:
    """Answers what a test may ask a Mac of the lab."""

    def __init__(self, name: str, described: Mapping[str, Any]) -> None:
        self.name = name
        self._described = described
        self.mac = self._made()

    def _made(self) -> Mac:
        return scenario.parse({"macs": {self.name: dict(self._described)}}, "memory")[self.name].mac

    def state(self) -> Mac:
        return copy.deepcopy(self.mac)

    def reset(self) -> None:
        self.mac = self._made()

    def clear_faults(self) -> None:
        faults.clear_faults(self.mac)

    def login(self, who: str) -> list[str]:
        return bootstrap.log_in(self.mac, who, None, time.time())

    def authenticates(self, who: str, password: str) -> bool:
        return fakes.run(self.mac, "dscl", ".", "-authonly", who, stdin=f"{password}\n").status == 0

    def commits(self, step: Step) -> int:
        """How often this step would write to the Mac's disk; the Mac stays as it is."""
        other, never = MemoryMac(self.name, self._described), PowerSupply(1 << 30)
        answer = other.play(step, never)
        assert answer.ok, answer
        return never.seen

    def play(self, step: Step, cut: PowerSupply | None = None) -> Answer:
        """Play a step by the module, and on a Mac like this one from the controller: both must end alike."""
        twin, same_cut = copy.deepcopy(self.mac), copy.deepcopy(cut)
        runner = _Runner(self.mac, root=step.become or self.mac.ssh_user == "root", power=cut)
        chances = shell_play.Chances()
        with chances.again():
            line = Line(self.name, f"step {step.title}", f"keyholder.macos.{step.module}", *_played(runner, step))
        with chances.again():
            _compare_with_shell(runner, line, _Runner(twin, root=runner.root, power=same_cut), step)
        return Answer(line, list(runner.entries))


def _compare_with_shell(runner: _Runner, line: Line, twin: _Runner, step: Step) -> None:
    plugin = importlib.import_module(f"{_MODULES}.{step.module}")
    if not hasattr(plugin, "request") or line.result.get("reason") in REFUSED_BEFORE:
        return
    try:
        result = leaving(shell_play.played(twin, step.module, step.options, step.check, step.become))
    except PowerCut:
        result = None
    if result is not None or line.status != "unreachable":
        told = shell_play.told(line.result), shell_play.told(result or {})
        assert not shell_play.differences(*told), (step.title, shell_play.differences(*told))
    left = shell_play.differences(runner.mac, twin.mac)
    assert not [line for line in left if line.split(":")[0] not in PROGRESS], (step.title, left)
    assert _deeds(twin) == _deeds(runner), (step.title, _deeds(runner), _deeds(twin))


def _deeds(runner: _Runner) -> list[tuple[Any, ...]]:
    """Return what changed the Mac or was a login. Whoever plans on the controller reads once more."""
    entries = [entry for entry in runner.entries if entry.writes or entry.authentications]
    return [(entry.program, entry.argv, entry.writes, entry.authentications, entry.status) for entry in entries]


def _played(runner: _Runner, step: Step) -> tuple[str, float, dict[str, Any]]:
    plugin = importlib.import_module(f"{_MODULES}.{step.module}")
    options = copy.deepcopy(dict(step.options))
    try:
        check(plugin.SPEC, options)
    except Refusal as refusal:
        return "failed", 0.0, leaving(failure(refusal))
    options |= {"_ansible_check_mode": step.check, "_ansible_diff": step.diff}
    printed = io.StringIO()
    with _on(runner, step), patch_module_args(options), contextlib.redirect_stdout(printed):
        try:
            plugin.main()
        except PowerCut:
            return "unreachable", 0.0, {"msg": "the power is gone"}
        except SystemExit:
            pass
    result = leaving(with_reason(json.loads(printed.getvalue())))
    return "failed" if result.get("failed") else "ok", 0.0, result


@contextlib.contextmanager
def _on(runner: _Runner, step: Step) -> Iterator[None]:
    came_in = {"SUDO_USER": runner.mac.ssh_user} if step.become else {}
    kept = {key: value for key, value in os.environ.items() if key not in ("SUDO_USER", "DOAS_USER", "DZDO_USER")}
    with (
        mock.patch.object(_module_change, "runner", lambda *_: runner),
        mock.patch.object(_module_info, "runner", lambda *_: runner),
        mock.patch.object(_module_change, "lock", lambda *_: _Free()),
        mock.patch.dict(os.environ, kept | came_in, clear=True),
    ):
        yield


def play(
    macs: Mapping[str, MemoryMac], steps: Mapping[str, Sequence[Step]], cuts: Mapping[str, PowerSupply] | None = None
) -> Played:
    """Each Mac goes through its own steps, whatever comes of them, as in batch.play. ``cuts``: when the power goes."""
    cuts = cuts or {}
    answers = {(host, step.title): macs[host].play(step, cuts.get(host)) for host, own in steps.items() for step in own}
    return Played(Run(0, "", [answer.line for answer in answers.values()], Path(os.devnull)), answers)


def macs(lab: Lab, described: Mapping[str, Mapping[str, Any]]) -> dict[str, Handle | MemoryMac]:
    """Those that ``lab`` has, and in memory those that it has not."""
    return {host: lab.mac(host) if host in lab.names else MemoryMac(host, one) for host, one in described.items()}


def play_all(
    ansible: Ansible, lab: Lab, macs: Mapping[str, Handle | MemoryMac], steps: Mapping[str, Sequence[Step]]
) -> Played:
    """Over SSH on the lab's Macs, and here on the others."""
    mine = {host: one for host, one in macs.items() if isinstance(one, MemoryMac) and host in steps}
    over_ssh = batch.play(ansible, lab, {host: own for host, own in steps.items() if host not in mine})
    return both(over_ssh, play(mine, {host: steps[host] for host in mine}))


def both(one: Played, other: Played) -> Played:
    """The first one's run, and the answers of both."""
    return Played(one.run, {**one.answers, **other.answers})
