# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Load the jobs of a Mac's /Library/LaunchDaemons, and start each of them when its interval is over."""

from __future__ import annotations

import asyncio
import plistlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from xml.parsers.expat import ExpatError

from maclab.state import Job, Mac

DAEMONS = "/Library/LaunchDaemons/"

SSHD = "com.openssh.sshd"


def load(mac: Mac, path: str) -> str | None:
    """Read a property list as launchd does and return its label; None where there is no job in it."""
    file = mac.files.get(path)
    if file is None:
        return None
    try:
        content = plistlib.loads(file.content.encode("utf-8"))
        job = Job(path, [str(word) for word in content["ProgramArguments"]], int(content.get("StartInterval", 0)))
        label = str(content["Label"])
    except (ExpatError, plistlib.InvalidFileException, ValueError, KeyError, TypeError):
        return None
    mac.jobs[label] = job
    return label


def start_up(mac: Mac) -> None:
    """A Mac that starts forgets what was loaded, and loads what lies there."""
    mac.jobs.clear()
    for path in list(mac.files):
        if path.startswith(DAEMONS):
            load(mac, path)


class Timers:
    """The clocks of one Mac's jobs, kept in step with what is loaded."""

    def __init__(self, fire: Callable[[Job], Awaitable[None]]) -> None:
        self._fire = fire
        self._running: dict[str, tuple[Job, asyncio.Task[None]]] = {}

    def follow(self, mac: Mac) -> None:
        for label, (job, task) in list(self._running.items()):
            if mac.jobs.get(label) != job:
                task.cancel()
                del self._running[label]
        for label, job in mac.jobs.items():
            if label not in self._running and job.interval:
                task = asyncio.get_running_loop().create_task(self._tick(mac, job))
                self._running[label] = (job, task)

    def stop(self) -> None:
        for _, task in self._running.values():
            task.cancel()
        self._running.clear()

    async def _tick(self, mac: Mac, job: Job) -> None:
        while True:
            await asyncio.sleep(mac.launchd_seconds or job.interval)
            # Nothing of macOS runs while the volume waits to be unlocked.
            if not mac.locked:
                with suppress(OSError):
                    await self._fire(job)
