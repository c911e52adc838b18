# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One running Mac: its live state, who is logged in by SSH, and what a power cut does to all of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import asyncssh

from maclab import faults, journal, processes
from maclab.layout import MacFolder
from maclab.state import Account, Fault, Mac, Store

SESSION = "MACLAB_SESSION"
USER = "MACLAB_USER"
EUID = "MACLAB_EUID"
PATIENCE = 5


class PowerCut(BaseException):
    """Ends a program like a power cut: nothing that catches errors may go on."""


@dataclass(frozen=True)
class Identity:
    """Whom a process acts for."""

    user: str
    is_root: bool


@dataclass
class Session:
    """One SSH exec: a shell process, everything it starts, and the connection it came by."""

    name: str
    identity: Identity
    connection: asyncssh.SSHServerConnection
    pid: int = 0
    # Processes that sudo turned into somebody else.
    turned: dict[int, Identity] = field(default_factory=dict)
    # Leaders of sessions that its processes made for themselves.
    leaders: set[int] = field(default_factory=set)


class Host:
    """The Mac as the lab's parts share it."""

    def __init__(self, mac: Mac, folder: MacFolder) -> None:
        self.mac = mac
        self.folder = folder
        self.store = Store(folder.state)
        self.port = 0
        self.connections: set[asyncssh.SSHServerConnection] = set()
        self.sessions: dict[str, Session] = {}
        self.runs: set[asyncio.Task[None]] = set()
        # Not set while a power cut is under way: no client may hear of it before the journal has it.
        self.settled = asyncio.Event()
        self.settled.set()
        self._settling: asyncio.Task[None] | None = None
        self._number = 0

    def log(self, entry: journal.Entry) -> None:
        journal.append(self.folder.journal, entry)

    def next_session(self, identity: Identity, connection: asyncssh.SSHServerConnection) -> Session:
        self._number += 1
        # The time keeps a session apart from one that an earlier run of the lab wrote to the same journal.
        return Session(f"{int(time.time())}.{self._number}", identity, connection)

    def may_log_in(self, user: str) -> bool:
        account = self.mac.accounts.get(user)
        return account is not None and (account.uid == 0 or (not account.service and account.password is not None))

    def environment(self, account: Account) -> dict[str, str]:
        home = str(self.folder.home(account))
        return {
            "PATH": str(self.folder.bin),
            "HOME": home,
            "USER": account.name,
            "LOGNAME": account.name,
            "SHELL": "/bin/sh",
            "TMPDIR": str(self.folder.tmp),
            USER: account.name,
            EUID: str(account.uid),
        }

    async def commit(self, program: str) -> None:
        cut = faults.count(self.mac, "kill", program)
        if cut is not None and cut.options.get("before"):
            self._forget_unsaved()
        # A program that is killed while its state is on the way to disk must not leave the next one to guess.
        await asyncio.shield(self.store.commit(self.mac))
        if cut is not None:
            self.power_cut(cut, program)
            raise PowerCut

    def _forget_unsaved(self) -> None:
        loaded = self.store.load()
        loaded.faults = self.mac.faults
        vars(self.mac).update(vars(loaded))

    def power_cut(self, fault: Fault, program: str) -> None:
        where = "before" if fault.options.get("before") else "after"
        reason = f"{where} commit {fault.options['step']}, in {program}"
        self.log(journal.Event(time.time(), "kill", reason))
        leaders = [session.pid for session in self.sessions.values() if session.pid]
        own = [leader for session in self.sessions.values() for leader in session.leaders]
        self.settled.clear()
        processes.kill_all(leaders, leaders + own)
        self._settling = asyncio.create_task(self._settle())

    async def _settle(self) -> None:
        await asyncio.wait(set(self.runs), timeout=PATIENCE)
        for connection in list(self.connections):
            connection.abort()
        self.settled.set()

    def cut_connection(self, session: Session | None, program: str) -> None:
        """The connection that this program came by; all of them if nobody knows which."""
        self.log(journal.Event(time.time(), "drop", f"at the start of {program}"))
        for connection in [session.connection] if session else list(self.connections):
            connection.abort()

    def find_session(self, name: str, pid: int) -> Session | None:
        """By the environment, else (a program may have emptied it) by who started whom."""
        if name in self.sessions:
            return self.sessions[name]
        chain = set(processes.ancestors(pid))
        return next((session for session in self.sessions.values() if self._pids(session) & chain), None)

    def identity(self, env: dict[str, str], session: Session | None, pid: int) -> Identity:
        if env.get(USER) in self.mac.accounts:
            return Identity(env[USER], env.get(EUID) == "0")
        if session is not None:
            for ancestor in processes.ancestors(pid):
                if ancestor in session.turned:
                    return session.turned[ancestor]
            return session.identity
        return Identity(self.mac.ssh_user, self.mac.ssh_user == "root")

    @staticmethod
    def _pids(session: Session) -> set[int]:
        return {session.pid, *session.turned, *session.leaders}

    def close(self) -> Iterator[asyncssh.SSHServerConnection]:
        """Give up the connections, and everything that was started by them."""
        leaders = [session.pid for session in self.sessions.values() if session.pid]
        with suppress(OSError):
            if leaders:
                processes.kill_all(leaders, leaders)
        yield from list(self.connections)
