# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets people in by SSH: whose key or password is good, and where their commands and files go."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Mapping

import asyncssh
from asyncssh.channel import SSHServerChannel

from maclab import directory, journal, session
from maclab.host import Host

_log = logging.getLogger(__name__)

KEY, PASSWORD = "publickey", "password"


class Gate(asyncssh.SSHServer):
    """One connection. All Macs share one set of options; the port says which Mac it is."""

    def __init__(self, hosts: Mapping[int, Host], client_key: asyncssh.SSHKey, passwords: bool) -> None:
        self._hosts = hosts
        self._client_key = client_key
        self._passwords = passwords
        self._unlocks = False

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._host = self._hosts[conn.get_extra_info("sockname")[1]]
        self._host.connections.add(conn)
        conn.set_extra_info(host=self._host, connection=conn)

    def connection_lost(self, exc: Exception | None) -> None:
        self._host.connections.discard(self._connection)

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        # Before FileVault is unlocked, the keys lie on the volume that nobody can read.
        known = key.public_data == self._client_key.public_data and not self._host.mac.locked
        ok = known and self._host.may_log_in(username)
        return self._judge(username, KEY, ok)

    def password_auth_supported(self) -> bool:
        return self._passwords

    async def validate_password(self, username: str, password: str) -> bool:
        # An authentication like any other: it counts failures, and may hand out the first token.
        if not self._host.may_log_in(username):
            return False
        if self._host.mac.locked:
            self._unlocks = self._host.unlocks(username, password)
            return self._judge(username, PASSWORD, self._unlocks)
        ok = bool(directory.authenticate(self._host.mac, username, password))
        await self._host.commit("sshd")
        return self._judge(username, PASSWORD, ok)

    def _judge(self, user: str, method: str, ok: bool) -> bool:
        # Before the client hears of it: whoever waits for the client may look into the journal at once. Only a key is
        # asked about first and proven afterwards: that success is one when it is complete.
        self._method = method
        if not ok or method == PASSWORD:
            self._host.log(journal.Login(time.time(), user, method, ok))
        return ok

    def auth_completed(self) -> None:
        user = str(self._connection.get_extra_info("username"))
        if self._method == KEY:
            self._host.log(journal.Login(time.time(), user, self._method, True))
        if self._unlocks:
            self._host.log(journal.Event(time.time(), "unlock", f"by {user}, over SSH"))
            self._host.unlocked_by_ssh()


class Files(asyncssh.SFTPServer):
    """sftp and scp: the paths are this host's own, as the commands see them; relative ones begin at home."""

    def __init__(self, channel: SSHServerChannel[bytes]) -> None:
        super().__init__(channel)
        connection = channel.get_connection()
        host: Host = connection.get_extra_info("host")
        user = str(connection.get_extra_info("username"))
        home = host.folder.home(host.mac.accounts[user])
        home.mkdir(parents=True, exist_ok=True)
        self._home = os.fsencode(home)
        host.log(journal.SshExec(time.time(), user, "", "(sftp)"))

    def map_path(self, path: bytes) -> bytes:
        return os.path.join(self._home, path)

    def exit(self) -> None:
        # scp takes a connection that ends without a status for a failure.
        self.channel.exit(0)


_sessions: set[asyncio.Task[None]] = set()


def start_session(process: asyncssh.SSHServerProcess[bytes]) -> None:
    # Its own task, because the connection cancels what belongs to it, and a command outlives its connection.
    host: Host = process.get_extra_info("host")
    task = asyncio.create_task(session.run(process, host))
    _sessions.add(task)
    task.add_done_callback(_ended)


def _ended(task: asyncio.Task[None]) -> None:
    _sessions.discard(task)
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("a session failed", exc_info=error)


def options(
    hosts: Mapping[int, Host], host_key: asyncssh.SSHKey, client_key: asyncssh.SSHKey, passwords: bool
) -> asyncssh.SSHServerConnectionOptions:
    return asyncssh.SSHServerConnectionOptions(
        server_factory=lambda: Gate(hosts, client_key, passwords),
        server_host_keys=[host_key],
        process_factory=start_session,
        sftp_factory=Files,
        allow_scp=True,
        encoding=None,
        line_editor=False,
        agent_forwarding=False,
        # Everything stays on this machine: compressing costs time and saves nothing.
        compression_algs=["none"],
    )


async def wait_for_sessions(seconds: float) -> None:
    mine = {task for task in _sessions if task.get_loop() is asyncio.get_running_loop()}
    if mine:
        await asyncio.wait(mine, timeout=seconds)
