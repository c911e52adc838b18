# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gives a program its invocation: who called it, with what, and the only ways to read, write and persist."""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn, Protocol

from maclab import faults, places
from maclab.state import Fault, Mac

STDOUT = 1
STDERR = 2
GETPASS_LIMIT = 128
# The status of a command form that the lab does not model. No program of macOS that the lab has ends so.
UNMODELLED = 121
NOT_MODELLED = "unmodelled"


@dataclass(frozen=True)
class Answer:
    """What came from the caller; `data` is None at end of file with nothing read, `count` is before any cut."""

    data: bytes | None
    count: int
    from_tty: bool = False


class Link(Protocol):
    """Reach the caller: program.pl across a socket, or a script in a test."""

    def write(self, stream: int, data: bytes) -> None: ...

    async def getpass(self, prompt: bytes, limit: int | None) -> Answer: ...

    async def read_line(self, limit: int | None) -> Answer: ...

    async def read_all(self) -> Answer: ...

    async def drain(self) -> None: ...


@dataclass(frozen=True)
class Handover:
    """What the caller's process must become instead of ending (sudo, launchctl asuser)."""

    argv: list[str]
    env: dict[str, str]
    user: str
    is_root: bool
    # Where it begins, on a Mac with full paths; "" for where the caller is.
    folder: str = ""


@dataclass(frozen=True)
class Restart:
    """Tell what the Mac does once the program has ended; `unlocked`: the volume has its key beforehand. `into`: the
    label of the update that it installs on the way; any other restart before that one puts an end to it."""

    seconds: float
    unlocked: bool
    into: str = ""


@dataclass
class Record:
    """What the journal will say about this run; never what was typed."""

    prompts: list[str] = field(default_factory=list)
    stdin_bytes: int = 0
    tty_bytes: int = 0
    authentications: list[tuple[str, bool]] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)


async def _no_commit() -> None:
    return None


def _tell_nobody(_what: str, _detail: str) -> None:
    return None


@dataclass
class Call:
    """One run of one program on one Mac."""

    mac: Mac
    program: str
    argv: list[str]
    env: Mapping[str, str]
    cwd: str
    user: str
    is_root: bool
    has_tty: bool
    stdin_is_tty: bool
    link: Link
    pid: int = 0
    # The Mac's folder on this host; None where a test runs a program without a lab.
    folder: Path | None = None
    persist: Callable[[], Awaitable[None]] = _no_commit
    # Writes an event to the journal at once; a run is there when it has ended, and may never end.
    tell: Callable[[str, str], None] = _tell_nobody
    record: Record = field(default_factory=Record)
    handover: Handover | None = None
    restart: Restart | None = None
    # One thread a run, as the real programs show between the brackets.
    thread: int = field(default_factory=lambda: 0x1000 + secrets.randbelow(0xFFFFF))
    # The caller's paths are macOS's: each of them lies in the Mac's folder.
    full_paths: bool = False

    def out(self, text: str | bytes) -> None:
        self.link.write(STDOUT, _encode(text))

    def err(self, text: str | bytes) -> None:
        self.link.write(STDERR, _encode(text))

    def log(self, text: str) -> None:
        now = time.time()
        stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now))
        self.err(f"{stamp}.{int(now * 1000) % 1000:03d} {self.program}[{self.pid}:{self.thread}] {text}\n")

    def refuse(self, known: str) -> int:
        """Refuse a form of the command that the lab does not model: one line, a status of its own, an event.

        A script throws macOS's usage away with stderr, and takes the silence for a good answer.
        """
        form = " ".join([self.program, *self.argv]).replace("\n", "\\n")
        self.err(f"maclab: {form}: this lab does not model that (it knows {known})\n")
        self.tell(NOT_MODELLED, form)
        return UNMODELLED

    def place(self, path: str) -> Path:
        """Return where on this host a path of the caller's lies."""
        whole = os.path.join(self.cwd, path)
        if self.folder is None or (not self.full_paths and not self._is_of_the_mac(whole, self.folder)):
            return Path(whole)
        return places.inside(self.folder / "root", whole)

    def _is_of_the_mac(self, path: str, folder: Path) -> bool:
        """Without full paths, homes are in the lab's folder, which may itself be in a home of this host."""
        if Path(path).is_relative_to(folder):
            return False
        return places.is_of_the_mac(path, [account.home for account in self.mac.accounts.values()])

    async def getpass(self, prompt: str, limit: int | None = GETPASS_LIMIT) -> str | None:
        self.record.prompts.append(prompt)
        answer = self._taken(await self.link.getpass(_encode(prompt), limit))
        await self.maybe_hang_at_prompt()
        return answer

    async def ask(self, prompt: str) -> str | None:
        """Prompt on stdout and read a line of standard input; a terminal shows it."""
        self.record.prompts.append(prompt)
        self.out(prompt)
        return await self.read_stdin_line()

    async def ask_on_stdin(self, prompt: str, limit: int | None = None) -> str | None:
        """Prompt on stderr and read standard input even where a terminal exists (`sudo -S`, `dseditgroup -p`)."""
        self.record.prompts.append(prompt)
        self.err(prompt)
        return await self.read_stdin_line(limit)

    async def read_stdin_line(self, limit: int | None = None) -> str | None:
        """At most `limit` bytes of a line, like fgets: what did not fit is still there for the next read."""
        answer = self._taken(await self.link.read_line(limit))
        await self.maybe_hang_at_prompt()
        return answer

    async def read_stdin_all(self) -> bytes:
        answer = await self.link.read_all()
        self._taken(answer)
        return answer.data or b""

    def authenticated(self, account: str, ok: bool) -> None:
        self.record.authentications.append((account, ok))

    def wrote(self, what: str) -> None:
        self.record.writes.append(what)

    async def commit(self) -> None:
        await self.persist()

    def fault(self, name: str) -> Fault | None:
        return faults.find(self.mac, name, self.program, self.argv)

    def become(self, argv: Sequence[str], env: Mapping[str, str], user: str, is_root: bool, folder: str = "") -> int:
        """When the program returns, its process turns into this command instead of exiting."""
        self.handover = Handover(list(argv), dict(env), user, is_root, folder)
        return 0

    async def maybe_hang_at_prompt(self) -> None:
        fault = self.fault("hang")
        if fault is not None and fault.options.get("at") == "prompt":
            await hang()

    def _taken(self, answer: Answer) -> str | None:
        if answer.from_tty:
            self.record.tty_bytes += answer.count
        else:
            self.record.stdin_bytes += answer.count
        return None if answer.data is None else answer.data.decode("utf-8", "surrogateescape")


async def hang() -> NoReturn:
    """Never answer; the caller's death cancels the wait."""
    while True:
        await asyncio.sleep(3600)


async def flood(link: Link) -> NoReturn:
    """Print for ever, as fast as it is read; the caller's death ends it."""
    while True:
        link.write(STDOUT, b"There is no end to this line. " * 2000)
        await link.drain()


def _encode(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
