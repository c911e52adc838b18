# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs what an SSH client asked for: a real shell in the Mac's folder, with its streams, its terminal and its end."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import shutil
import signal
import struct
import termios
import time
from contextlib import suppress

import asyncssh

from maclab import descriptors, fullpaths, journal, shells
from maclab.host import SESSION, Host, Identity
from maclab.layout import of_this_host
from maclab.state import Account

# What sshd on macOS lets a client set.
ACCEPTED = ("LANG", "LC_")

# Opening a terminal is what makes it the controlling one of a new session, on every Unix alike.
_ON_TERMINAL = 'exec 0<>"$1" 1>&0 2>&0; shift; exec "$@"'


async def run(process: asyncssh.SSHServerProcess[bytes], host: Host) -> None:
    user = str(process.get_extra_info("username"))
    account = host.mac.accounts[user]
    connection = process.get_extra_info("connection")
    session = host.next_session(Identity(user, account.uid == 0), connection)
    terminal = process.term_type is not None
    env = host.environment(account) | {SESSION: session.name, **_from_client(process)}
    host.log(journal.SshExec(time.time(), user, session.name, process.command or "(shell)", terminal))
    home = host.folder.home(account)
    home.mkdir(parents=True, exist_ok=True)
    argv = host.started(account, shells.greeted(account, _argv(process, env, host, account)), account.home)
    start = _Terminal if terminal else _Pipes
    streams = start(process)
    try:
        child = await streams.spawn(argv, env, str(home))
        session.pid = child.pid
        host.sessions[session.name] = session
        await _until_end(process, child, streams, host)
    finally:
        host.sessions.pop(session.name, None)
        streams.close()


def _from_client(process: asyncssh.SSHServerProcess[bytes]) -> dict[str, str]:
    host, port = process.get_extra_info("peername")[:2]
    local = process.get_extra_info("sockname")[1]
    env = {key: value for key, value in process.env.items() if key.startswith(ACCEPTED)}
    env |= {"SSH_CLIENT": f"{host} {port} {local}", "SSH_CONNECTION": f"{host} {port} {host} {local}"}
    if process.term_type:
        env["TERM"] = process.term_type
    return env


def _argv(process: asyncssh.SSHServerProcess[bytes], env: dict[str, str], host: Host, account: Account) -> list[str]:
    shell = shells.login_shell(account) if host.view is None else [fullpaths.shell_of(account.shell)]
    if process.command is not None:
        own = process.command if host.view else shells.with_own_interpreters(process.command, host.folder.bin)
        return [*shell, "-c", own]
    if process.term_type is None:
        return shell
    env["PS1"] = f"{env['USER']}@{host.mac.name} {'#' if env['USER'] == 'root' else '%'} "
    bash = "/bin/bash" if host.view and of_this_host("bash") else shutil.which("bash", path=env["PATH"])
    return [bash, "--norc", "--noprofile", "-i"] if bash else ["/bin/sh", "-i"]


class _Streams:
    """The ends of the child's standard streams that stay with the lab."""

    def __init__(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        self.process = process
        self.stdin = -1
        self.outputs: list[tuple[int, asyncssh.SSHWriter[bytes]]] = []
        self._open: set[int] = set()

    def own(self, descriptor: int) -> int:
        os.set_blocking(descriptor, False)
        self._open.add(descriptor)
        return descriptor

    async def spawn(self, argv: list[str], env: dict[str, str], folder: str) -> asyncio.subprocess.Process:
        raise NotImplementedError

    def end_of_input(self) -> None:
        raise NotImplementedError

    def child_ended(self) -> None:
        raise NotImplementedError

    def resize(self, _width: int, _height: int) -> None:
        return

    def close(self) -> None:
        while self._open:
            self._close(next(iter(self._open)))

    def _close(self, descriptor: int) -> None:
        if descriptor in self._open:
            self._open.discard(descriptor)
            os.close(descriptor)


class _Pipes(_Streams):
    async def spawn(self, argv: list[str], env: dict[str, str], folder: str) -> asyncio.subprocess.Process:
        theirs_in, ours_in = os.pipe()
        ours_out, theirs_out = os.pipe()
        ours_err, theirs_err = os.pipe()
        self.stdin = self.own(ours_in)
        self.outputs = [(self.own(ours_out), self.process.stdout), (self.own(ours_err), self.process.stderr)]
        try:
            return await asyncio.create_subprocess_exec(
                *argv,
                stdin=theirs_in,
                stdout=theirs_out,
                stderr=theirs_err,
                env=env,
                cwd=folder,
                start_new_session=True,
            )
        finally:
            for descriptor in (theirs_in, theirs_out, theirs_err):
                os.close(descriptor)

    def end_of_input(self) -> None:
        self._close(self.stdin)

    def child_ended(self) -> None:
        """Like sshd, wait for whoever else holds the other ends."""


class _Terminal(_Streams):
    async def spawn(self, argv: list[str], env: dict[str, str], folder: str) -> asyncio.subprocess.Process:
        ours, theirs = pty.openpty()
        # Kept open until the child has ended: a terminal that nobody holds is at its end before it began.
        self._theirs = theirs
        self._open.add(theirs)
        self.stdin = self.own(ours)
        self.outputs = [(ours, self.process.stdout)]
        width, height = self.process.term_size[:2]
        self.resize(width, height)
        name = os.ttyname(theirs)
        return await asyncio.create_subprocess_exec(
            "/bin/sh",
            "-c",
            _ON_TERMINAL,
            "sh",
            name,
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=theirs,
            stderr=theirs,
            env={**env, "SSH_TTY": name},
            cwd=folder,
            start_new_session=True,
        )

    def end_of_input(self) -> None:
        """Nothing, like sshd: a terminal has no end, its reader sees control-D."""

    def child_ended(self) -> None:
        self._close(self._theirs)

    def resize(self, width: int, height: int) -> None:
        fcntl.ioctl(self.stdin, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))


async def _until_end(
    process: asyncssh.SSHServerProcess[bytes], child: asyncio.subprocess.Process, streams: _Streams, host: Host
) -> None:
    feeding = asyncio.create_task(_feed(process, child, streams))
    outputs = [asyncio.create_task(_show(descriptor, writer)) for descriptor, writer in streams.outputs]
    ending = asyncio.create_task(_end(child, streams, outputs, host))
    gone = asyncio.create_task(process.channel.wait_closed())
    tasks = [feeding, *outputs, ending, gone]
    try:
        await asyncio.wait([ending, gone], return_when=asyncio.FIRST_COMPLETED)
        if ending.done():
            _report(process, ending.result())
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    if not ending.done() or ending.cancelled():
        # The client is gone and the child goes on, with nobody at the other ends, as it would under sshd.
        streams.close()
        await child.wait()


async def _end(
    child: asyncio.subprocess.Process, streams: _Streams, outputs: list[asyncio.Task[None]], host: Host
) -> int:
    status = await child.wait()
    await host.settled.wait()
    streams.child_ended()
    patience = 0.3 if isinstance(streams, _Terminal) else None
    await asyncio.wait(outputs, timeout=patience)
    return status


def _report(process: asyncssh.SSHServerProcess[bytes], status: int) -> None:
    if status >= 0:
        process.exit(status)
    else:
        process.exit_with_signal(signal.Signals(-status).name.removeprefix("SIG"))


async def _feed(
    process: asyncssh.SSHServerProcess[bytes], child: asyncio.subprocess.Process, streams: _Streams
) -> None:
    while True:
        try:
            data = await process.stdin.read(descriptors.CHUNK)
        except asyncssh.TerminalSizeChanged as change:
            streams.resize(change.width, change.height)
            continue
        except asyncssh.SignalReceived as received:
            with suppress(ProcessLookupError, KeyError):
                os.killpg(child.pid, signal.Signals[f"SIG{received.signal}"])
            continue
        except asyncssh.BreakReceived:
            continue
        if not data:
            break
        with suppress(OSError):  # nobody reads: what else comes is for nobody, too
            await descriptors.write(streams.stdin, data)
    streams.end_of_input()


async def _show(descriptor: int, writer: asyncssh.SSHWriter[bytes]) -> None:
    while data := await descriptors.read(descriptor):
        writer.write(data)
        await writer.drain()
