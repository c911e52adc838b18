# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waits for a condition instead of for a time, and knows which processes a Mac of the lab still has."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from maclab.lab import Handle

PATIENCE = 60


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"after {PATIENCE} seconds it is still not so that {what}")
        time.sleep(0.05)


def has_open(path: Path) -> bool:
    """Whether another process has this file open."""
    proc = Path("/proc")
    if not (proc / "self" / "fd").exists():
        return _by_lsof(path)
    others = (one for one in proc.iterdir() if one.name.isdigit() and int(one.name) != os.getpid())
    return any(_opened(one / "fd", path) for one in others)


def _opened(descriptors: Path, path: Path) -> bool:
    with contextlib.suppress(OSError):
        return any(os.path.samefile(one, path) for one in descriptors.iterdir() if one.exists())
    return False


def _by_lsof(path: Path) -> bool:
    listed = subprocess.run(["lsof", "-t", "--", path], capture_output=True, text=True, check=False).stdout.split()
    return bool(set(listed) - {str(os.getpid())})


def processes(*macs: Handle) -> list[str]:
    """Whatever runs a file of these Macs: their Python, their shell's utilities, their programs."""
    return list(_processes(*macs).values())


def runs(mac: Handle, words: str) -> bool:
    return any(words in line for line in processes(mac))


def end(mac: Handle, words: str) -> None:
    """Kill what has these words in its arguments."""
    mine = [pid for pid, line in _processes(mac).items() if words in line]
    assert mine
    for pid in mine:
        os.kill(pid, signal.SIGKILL)


def _processes(*macs: Handle) -> dict[int, str]:
    # -ww: a ps that finds COLUMNS in its environment cuts off what we look for.
    listed = subprocess.run(["ps", "-A", "-ww", "-o", "pid=,args="], capture_output=True, text=True, check=True).stdout
    folders = [str(mac.folder.path) + "/" for mac in macs]
    pairs = (line.split(maxsplit=1) for line in listed.splitlines())
    return {int(pid): args for pid, args in pairs if any(folder in args for folder in folders)}
