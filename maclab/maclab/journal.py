# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remembers what was done to a Mac, so that a test can ask for it: never what was typed, always how much."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar


@dataclass(frozen=True)
class ProgramRun:
    """One run of a program of the Mac; `status` is None for a run that was killed or became another command."""

    kind: ClassVar[str] = "program"
    start: float
    program: str
    argv: list[str]
    env: dict[str, str]
    cwd: str
    user: str
    root: bool
    session: str
    pid: int
    stdin_bytes: int = 0
    tty_bytes: int = 0
    prompts: list[str] = field(default_factory=list)
    authentications: list[tuple[str, bool]] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)
    status: int | None = None
    became: list[str] | None = None
    killed: bool = False
    duration: float = 0.0

    def __str__(self) -> str:
        end = "killed" if self.killed else "exec" if self.became is not None else f"rc {self.status}"
        who = f"{self.user}{' as root' if self.root and self.user != 'root' else ''}"
        notes = [f"wrote {what}" for what in self.writes]
        notes += [f"{'authenticated' if ok else 'refused'} {account}" for account, ok in self.authentications]
        return f"{who}: {' '.join([self.program, *self.argv])}  [{', '.join([end, *notes])}]"


@dataclass(frozen=True)
class SshExec:
    """One command, shell or subsystem that an SSH client asked for."""

    kind: ClassVar[str] = "exec"
    start: float
    user: str
    session: str
    command: str
    pty: bool = False

    def __str__(self) -> str:
        return f"{self.user}: ssh{' -tt' if self.pty else ''} {self.command}"


@dataclass(frozen=True)
class Login:
    """Tell of a login; `method` is publickey, password or keyboard-interactive for SSH (the last
    only while the Mac waits to be unlocked), screen for the login window."""

    kind: ClassVar[str] = "login"
    start: float
    user: str
    method: str
    ok: bool

    def __str__(self) -> str:
        return f"{self.user}: {'logged in' if self.ok else 'refused'} by {self.method}"


@dataclass(frozen=True)
class Event:
    """Something befell the Mac: `what` is drop (a connection was cut), kill, restart, unlock, preboot (what sshd made
    of a password while the Mac waited to be unlocked), login, job, dialog, or unmodelled (a form of a command that
    this lab refused)."""

    kind: ClassVar[str] = "event"
    start: float
    what: str
    reason: str

    def __str__(self) -> str:
        return f"{self.what}: {self.reason}"


Entry = ProgramRun | SshExec | Login | Event
_KINDS: dict[str, type[Entry]] = {kind.kind: kind for kind in (ProgramRun, SshExec, Login, Event)}


def line(entry: Entry) -> str:
    return json.dumps({"kind": entry.kind, **asdict(entry)}, ensure_ascii=False) + "\n"


def append(path: Path, entry: Entry) -> None:
    with path.open("a", encoding="utf-8", errors="surrogateescape") as stream:
        stream.write(line(entry))


def read(path: Path) -> list[Entry]:
    """In the order of their start; a run is written when it ends."""
    if not path.exists():
        return []
    # A lab that was killed in the middle of a line leaves half of it, at most one, at the end.
    lines = path.read_text(encoding="utf-8", errors="surrogateescape").split("\n")[:-1]
    return sorted((_entry(json.loads(text)) for text in lines), key=lambda entry: entry.start)


def _entry(data: dict[str, Any]) -> Entry:
    kind = _KINDS[data.pop("kind")]
    if "authentications" in data:
        data["authentications"] = [(account, ok) for account, ok in data["authentications"]]
    return kind(**data)


def programs(entries: Iterable[Entry], name: str | None = None) -> list[ProgramRun]:
    return [entry for entry in entries if isinstance(entry, ProgramRun) and name in (None, entry.program)]


def execs(entries: Iterable[Entry]) -> list[SshExec]:
    return [entry for entry in entries if isinstance(entry, SshExec)]


def logins(entries: Iterable[Entry]) -> list[Login]:
    return [entry for entry in entries if isinstance(entry, Login)]


def events(entries: Iterable[Entry], what: str | None = None) -> list[Event]:
    return [entry for entry in entries if isinstance(entry, Event) and what in (None, entry.what)]


def authentications(entries: Iterable[Entry]) -> list[tuple[str, bool]]:
    return [pair for run in programs(entries) for pair in run.authentications]


def writes(entries: Iterable[Entry]) -> list[str]:
    return [what for run in programs(entries) for what in run.writes]
