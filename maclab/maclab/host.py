# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One running Mac: its live state, who is logged in by SSH, and what a power cut does to all of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace

import asyncssh

from maclab import (
    bootstrap,
    directory,
    faults,
    journal,
    launchd,
    preboot,
    processes,
    rules,
    sshd_config,
    updates,
    vault,
)
from maclab.call import Handover, Restart
from maclab.fullpaths import View
from maclab.layout import MacFolder
from maclab.state import Account, Fault, Job, Mac, Store

SESSION = "MACLAB_SESSION"
USER = "MACLAB_USER"
EUID = "MACLAB_EUID"
SCREEN = "screen"
PATIENCE = 5
# Time for a client to hear what the program that restarts the Mac had to say.
LAST_WORDS = 0.1
# Time for a client to show that the volume is unlocked.
TOLD_WITHIN = 1.0


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


async def _nothing() -> None:
    return None


class Host:
    """The Mac as the lab's parts share it."""

    def __init__(self, mac: Mac, folder: MacFolder, view: View | None = None) -> None:
        self.mac = mac
        self.folder = folder
        # None where commands find programs by their names alone.
        self.view = view
        self.store = Store(folder.state)
        self.port = 0
        self.connections: set[asyncssh.SSHServerConnection] = set()
        # Connections whose other end waits for an answer of a sshd that is gone.
        self.silenced: set[asyncssh.SSHServerConnection] = set()
        self.sessions: dict[str, Session] = {}
        self.runs: set[asyncio.Task[None]] = set()
        # Not set while a power cut is under way: no client may hear of it before the journal has it.
        self.settled = asyncio.Event()
        self.settled.set()
        # Set by the server: opens the Mac's port, and closes it.
        self.open_port: Callable[[], Awaitable[None]] = _nothing
        self.close_port: Callable[[], Awaitable[None]] = _nothing
        self._settling: asyncio.Task[None] | None = None
        self._restarting: set[asyncio.Task[None]] = set()
        self._preparing: asyncio.Task[None] | None = None
        self._timers = launchd.Timers(self._fire)
        self._number = 0

    def log(self, entry: journal.Entry) -> None:
        journal.append(self.folder.journal, entry)

    def next_session(self, identity: Identity, connection: asyncssh.SSHServerConnection) -> Session:
        self._number += 1
        # The time keeps a session apart from one that an earlier run of the lab wrote to the same journal.
        return Session(f"{int(time.time())}.{self._number}", identity, connection)

    def may_log_in(self, user: str) -> bool:
        account = self.mac.accounts.get(user)
        if account is None or directory.refused(self.mac, account):
            # A disabled account's key is refused as its password is (public file #21596757135).
            return False
        if sshd_config.denies(self.mac, user):
            return False
        return account.uid == 0 or (not account.service and account.password is not None)

    def environment(self, account: Account) -> dict[str, str]:
        own = {} if self.view is None else self.view.environment(account)
        return {
            "PATH": str(self.folder.bin),
            "HOME": str(self.folder.home(account)),
            "USER": account.name,
            "LOGNAME": account.name,
            "SHELL": "/bin/sh",
            "TMPDIR": str(self.folder.tmp),
            USER: account.name,
            EUID: str(account.uid),
            **own,
        }

    def started(self, account: Account, argv: list[str], folder: str) -> list[str]:
        """Return what runs this on the Mac, beginning in a folder of the Mac's; one of this host without full paths."""
        return argv if self.view is None else self.view.enter(account, folder, argv)

    def handover(self, handover: Handover | None, caller: Identity) -> Handover | None:
        """Return what the caller's process must become: another user needs that one's numbers first."""
        account = self.mac.accounts.get(handover.user) if handover is not None else None
        if handover is None or self.view is None or account is None:
            return handover
        if Identity(handover.user, handover.is_root) == caller and not handover.folder:
            return handover
        return replace(handover, argv=self.view.become(account, handover.folder, handover.argv))

    async def commit(self, program: str) -> None:
        cut = faults.count(self.mac, "kill", program)
        if cut is not None and cut.options.get("before"):
            self._forget_unsaved()
        # A program that is killed while its state is on the way to disk must not leave the next one to guess.
        await asyncio.shield(self.store.commit(self.mac))
        self.follow_jobs()
        if self.view is not None:
            self.view.follow(self.mac)
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
        self._end_everything()

    def _end_everything(self) -> None:
        leaders = [session.pid for session in self.sessions.values() if session.pid]
        own = [leader for session in self.sessions.values() for leader in session.leaders]
        self.settled.clear()
        processes.kill_all(leaders, leaders + own)
        self._settling = asyncio.create_task(self._settle())

    async def _settle(self) -> None:
        if self.runs:
            await asyncio.wait(set(self.runs), timeout=PATIENCE)
        for connection in list(self.connections):
            connection.abort()
        self.settled.set()

    # --- launchd ---

    def follow_jobs(self) -> None:
        self._timers.follow(self.mac)

    async def _fire(self, job: Job) -> None:
        """Start a job as launchd does: as root, without a session and with nobody to read what it prints."""
        root = next((account for account in self.mac.accounts.values() if account.uid == 0), None)
        environment = self.environment(root) if root is not None else {"PATH": str(self.folder.bin)}
        self.log(journal.Event(time.time(), "job", " ".join(job.argv[:2])))
        process = await asyncio.create_subprocess_exec(
            *(self.started(root, job.argv, "/") if root is not None else job.argv),
            cwd="/",
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        # A job may unload itself, which ends this task and not the process.
        await asyncio.shield(process.wait())

    # --- restarting ---

    @property
    def answers_ssh(self) -> bool:
        """Tell whether sshd runs: on most versions not before FileVault is unlocked."""
        return not self.mac.locked or rules.SSH_UNLOCKS.at(self.mac.version_tuple)

    @property
    def resets(self) -> bool:
        """Tell whether launchd accepts connections and what it starts for them ends at once."""
        fault = faults.find(self.mac, "ssh_resets", "sshd", ())
        return fault is not None and fault.options.get("while") in (None, "locked" if self.mac.locked else "booted")

    def restart_later(self, restart: Restart) -> None:
        task = self._start(self._restart(restart, "unlocked" if restart.unlocked else "from the beginning"))
        if restart.into:
            self._preparing = task

    def lose_power(self) -> None:
        """Take the power away, and give it back a moment later: the Mac starts by itself."""
        self._start(self._restart(Restart(0, False), "after a power cut"))

    async def has_started(self) -> None:
        """Return once the Mac has started again, where it is about to."""
        if self._restarting:
            await asyncio.wait(set(self._restarting))

    def unlocked_by_ssh(self) -> asyncio.Event:
        """Mount the volume and start the rest of macOS: SSH goes away once more. Whoever shows the client the
        last text sets the event; the Mac does not wait for it long."""
        told = asyncio.Event()
        self._start(self._pivot(told))
        return told

    async def stopped_restarting(self) -> None:
        """Return once no restart is under way any more."""
        under_way = set(self._restarting)
        self.stop_restarting()
        if under_way:
            await asyncio.wait(under_way)

    def stop_restarting(self) -> None:
        for task in self._restarting:
            task.cancel()

    def _start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._restarting.add(task)
        task.add_done_callback(self._restarting.discard)
        return task

    def _stop_preparing(self) -> None:
        """Put an end to an update that macOS prepares: a restart that comes before its own leads into the old one."""
        if self._preparing is not None and self._preparing is not asyncio.current_task():
            self._preparing.cancel()
        self._preparing = None

    async def _restart(self, restart: Restart, how: str) -> None:
        await asyncio.sleep(max(restart.seconds, LAST_WORDS))
        self._stop_preparing()
        self.log(journal.Event(time.time(), "restart", how))
        await self.close_port()
        self._end_everything()
        await self.settled.wait()
        if restart.into and updates.install(self.mac, restart.into):
            self.log(journal.Event(time.time(), "update", f"macOS {self.mac.version} ({self.mac.build})"))
        vault.start_up(self.mac, restart.unlocked, time.time() + self.mac.reboot_seconds)
        preboot.start_up(self.mac)
        launchd.start_up(self.mac)
        self.follow_jobs()
        await self._come_back(self.mac.reboot_seconds)

    async def _pivot(self, told: asyncio.Event) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(told.wait(), TOLD_WITHIN)
        await asyncio.sleep(LAST_WORDS)
        await self.close_port()
        preboot.unlocked(self.mac)
        await self._come_back(self.mac.reboot_seconds / 2)

    async def _come_back(self, seconds: float) -> None:
        await self.close_port()
        for connection in list(self.connections):
            connection.abort()
        await self.store.commit(self.mac)
        await asyncio.sleep(seconds)
        if self.answers_ssh:
            await self.open_port()

    async def unlock(self, user: str | None, password: str | None, key: str | None) -> list[str]:
        """Somebody stands before the Mac: a person, who is logged in by it as well, or one with the recovery key."""
        mac = self.mac
        if not mac.locked:
            raise ValueError(f"{mac.name} is not locked")
        account = mac.accounts.get(user or "")
        if user is not None and account is None:
            raise LookupError(f"{mac.name} has no account {user!r}")
        if account is not None and not preboot.opens(mac, account, password or account.key_password or ""):
            raise ValueError(f"{account.name} does not unlock {mac.name}")
        if key is not None and key != mac.filevault.prk:
            raise ValueError(f"this is not the recovery key of {mac.name}")
        preboot.unlocked(mac)
        mac.filevault.unlocked_by_key = key is not None
        self.log(journal.Event(time.time(), "unlock", "by the recovery key" if key else f"by {user or 'somebody'}"))
        done: list[str] = []
        # Who is locked out of the account, or has a stale key, stays before the login window.
        with suppress(bootstrap.LoginRefused):
            done = self.log_in(account.name, None) if account is not None else []
        await self.store.commit(mac)
        await self.open_port()
        return done

    def log_in(self, user: str, password: str | None) -> list[str]:
        """Somebody logs in at the screen; what came of it is in the journal, too."""
        now = time.time()
        try:
            done = bootstrap.log_in(self.mac, user, password, now)
        except bootstrap.LoginRefused:
            self.log(journal.Login(now, user, SCREEN, False))
            raise
        self.log(journal.Login(now, user, SCREEN, True))
        for what in done:
            self.log(journal.Event(now, "login", f"{user}: {what}"))
        return done

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
        self.stop_restarting()
        self._timers.stop()
        leaders = [session.pid for session in self.sessions.values() if session.pid]
        with suppress(OSError):
            if leaders:
                processes.kill_all(leaders, leaders)
        yield from [*self.connections, *self.silenced]
