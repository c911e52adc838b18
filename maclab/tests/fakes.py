# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run one program on a Mac in memory: no server, no process, only the streams."""

from __future__ import annotations

import asyncio
import plistlib
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from maclab import directory, lies, programs
from maclab.call import STDERR, STDOUT, Answer, Call, Record, Restart, hang
from maclab.models import system_groups
from maclab.state import Account, Mac

CREATED = 1735689600.0


@dataclass
class FakeLink:
    """Standard input, and a terminal when there are answers to type on one."""

    stdin: bytes = b""
    typed: list[str] | None = None
    streams: dict[int, bytes] = field(default_factory=lambda: {STDOUT: b"", STDERR: b""})
    terminal: bytes = b""
    merged: bytes = b""

    def write(self, stream: int, data: bytes) -> None:
        self.streams[stream] += data
        self.merged += data

    async def drain(self) -> None:
        """Everything has been read already."""

    async def getpass(self, prompt: bytes, limit: int | None) -> Answer:
        if self.typed is None:
            self.write(STDERR, prompt)
            return await self._line(limit)
        self.terminal += prompt
        self.merged += prompt
        data = self.typed.pop(0).encode() if self.typed else b""
        return Answer(data[:limit], len(data), from_tty=True)

    async def read_line(self, limit: int | None) -> Answer:
        if self.stdin or not self.typed:
            return await self._line(limit)
        # A terminal shows what is typed at it, unless the program has forbidden that.
        data = self.typed.pop(0).encode()
        self.terminal += data + b"\n"
        self.merged += data + b"\n"
        return Answer(data[:limit], len(data) + 1)

    async def _line(self, limit: int | None) -> Answer:
        if not self.stdin:
            return Answer(None, 0)
        line, _, self.stdin = self.stdin.partition(b"\n")
        return Answer(line[:limit], len(line))

    async def read_all(self) -> Answer:
        data, self.stdin = self.stdin, b""
        return Answer(data, len(data))


KILLED, HUNG = -9, -1


class PowerCut(Exception):
    """Everything of the Mac stops right after a commit."""


@dataclass
class Run:
    """What a program left behind."""

    out: str
    err: str
    merged: str
    terminal: str
    status: int
    record: Record
    commits: int
    restart: Restart | None = None
    hung: bool = False


def run(
    mac: Mac,
    *words: str,
    stdin: str = "",
    typed: Sequence[str] | None = None,
    user: str = "admin",
    root: bool = True,
    env: Mapping[str, str] | None = None,
    cut_after: int | None = None,
    patience: float = 30,
    folder: Path | None = None,
    cwd: str = "/",
) -> Run:
    link = FakeLink(stdin.encode(), None if typed is None else list(typed))
    commits = 0

    async def persist() -> None:
        nonlocal commits
        commits += 1
        if commits == cut_after:
            raise PowerCut

    call = Call(
        mac=mac,
        program=words[0],
        argv=list(words[1:]),
        env=env or {},
        cwd=cwd,
        folder=folder,
        user=user,
        is_root=root,
        has_tty=typed is not None,
        stdin_is_tty=typed is not None,
        link=link,
        pid=4711,
        persist=persist,
    )
    program = programs.find(words[0])
    assert program is not None
    status = _completed(_await(program, call, patience))
    said = (link.streams[STDOUT], link.streams[STDERR], link.merged, link.terminal)
    # A file of the Mac may hold what is no text.
    out, err, merged, terminal = (stream.decode(errors="surrogateescape") for stream in said)
    return Run(out, err, merged, terminal, status, call.record, commits, call.restart, status == HUNG)


_idle: list[asyncio.Runner] = []


def _completed(program: Coroutine[Any, Any, int]) -> int:
    """As asyncio.run, whose loop for each program would cost as much as the program."""
    try:
        runner = _idle.pop()
    except IndexError:
        # Programs run side by side, each in a thread of its own.
        runner = asyncio.Runner()
    try:
        status = runner.run(program)
    except BaseException:
        # What it has begun may go on, and must not in the next one's time.
        runner.close()
        raise
    _idle.append(runner)
    return status


async def _await(program: programs.Program, call: Call, patience: float) -> int:
    hanging = call.fault("hang")
    try:
        async with asyncio.timeout(patience):
            if hanging is not None and hanging.options.get("at", "start") == "start":
                await hang()
            return await lies.run(program, call)
    except PowerCut:
        return KILLED
    except TimeoutError:
        return HUNG


def mac(version: str = "15.6", hardware: str = "apple-silicon", **changes: object) -> Mac:
    """Return a Mac with the usual groups and no person."""
    made = Mac(
        name="lab", version=version, build="24G84", hardware=hardware, model="Mac14,2", device=device(version, hardware)
    )
    made.groups = system_groups()
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def device(version: str, hardware: str) -> str:
    major = tuple(int(part) for part in version.split("."))
    if major < (10, 15):
        return "disk1s1"
    if major < (11,):
        return "disk1s5"
    return "disk3s1s1" if hardware == "apple-silicon" else "disk1s5s1"


def person(
    on: Mac,
    name: str,
    password: str | None = "pw",
    *,
    full_name: str = "",
    admin: bool = False,
    token: bool = False,
    uid: int | None = None,
    guid: str = "",
) -> Account:
    """Add an account as a scenario would: without any first-token rule."""
    account = Account(
        name=name,
        full_name=full_name or name,
        uid=directory.next_uid(on) if uid is None else uid,
        gid=directory.STAFF_GID,
        generated_uid=guid or directory.new_guid(),
        password=password,
        authority=[directory.SHADOW_HASH],
        created_at=CREATED,
        password_set_at=None if password is None else CREATED,
        salt="first",
    )
    on.accounts[name] = account
    if admin:
        directory.make_admin(on, account)
    if token:
        directory.give_token(on, account)
    return account


def people(on: Mac) -> Mac:
    """Add the usual cast: an administrator who holds a token, and a user who does not."""
    person(on, "admin", "admin-pw", full_name="Ada Admin", admin=True, token=True)
    person(on, "user", "user-pw", full_name="Uma User")
    return on


# A rule for inactive accounts, as hardening guides set it; it counts from the last authentication.
IDLE = plistlib.dumps(
    {
        "policyCategoryAuthentication": [
            {
                "policyContent": "policyAttributeLastAuthenticationTime > policyAttributeCurrentTime -"
                " (policyAttributeInactiveDays * 24 * 60 * 60)",
                "policyIdentifier": "Inactive Account",
                "policyParameters": {"policyAttributeInactiveDays": 33},
            }
        ]
    }
).decode()
