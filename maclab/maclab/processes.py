# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the processes that came from an SSH session, on Linux and macOS, to kill them all or to tell whose one is."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path


def parents() -> dict[int, int]:
    """Every process and its parent."""
    proc = Path("/proc")
    if (proc / "self" / "stat").exists():
        return dict(_from_proc(proc))
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)
    return {int(pid): int(parent) for pid, parent in (line.split() for line in listed.stdout.splitlines())}


def _from_proc(proc: Path) -> Iterator[tuple[int, int]]:
    for name in os.listdir(proc):
        if name.isdigit():
            with suppress(OSError):
                # The name of the command, in brackets, may hold anything; the parent is the second word after it.
                yield int(name), int((proc / name / "stat").read_bytes().rpartition(b")")[2].split()[1])


def ancestors(pid: int) -> Iterator[int]:
    """The process itself first."""
    table = parents()
    seen: set[int] = set()
    while pid > 1 and pid not in seen:
        yield pid
        seen.add(pid)
        pid = table.get(pid, 0)


def kill_all(leaders: Iterable[int], sessions: Iterable[int]) -> None:
    """SIGKILL to these processes, what they started, and all of these sessions; never to this process' own session."""
    doomed = set(leaders)
    doomed_sessions = set(sessions) - {os.getsid(0)}
    # All are stopped before any is killed: a shell must not see its child die and go on with the next command.
    stopped: set[int] = set()
    while found := _found(doomed, doomed_sessions) - stopped:
        _signal_all(found, signal.SIGSTOP)
        stopped |= found
        doomed |= found
    _signal_all(stopped, signal.SIGKILL)


def _found(doomed: set[int], sessions: set[int]) -> set[int]:
    table = parents()
    return {pid for pid in table if _belongs(pid, table, doomed, sessions)} - {os.getpid()}


def _signal_all(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(OSError):
            os.kill(pid, number)


def _belongs(pid: int, table: dict[int, int], doomed: set[int], sessions: set[int]) -> bool:
    with suppress(OSError):
        if os.getsid(pid) in sessions:
            return True
    seen: set[int] = set()
    while pid > 1 and pid not in seen:
        if pid in doomed:
            return True
        seen.add(pid)
        pid = table.get(pid, 0)
    return False
