# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets people in by SSH: whose key or password is good, and where their commands and files go."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import struct
import time
from collections.abc import Mapping, Sequence

import asyncssh
from asyncssh.auth import KbdIntChallenge
from asyncssh.channel import SSHServerChannel

from maclab import directory, journal, preboot, session
from maclab.host import Host
from maclab.texts import say

_log = logging.getLogger(__name__)

KEY, PASSWORD, KEYBOARD = "publickey", "password", "keyboard-interactive"
PROMPT = "Password:"
# Time in which the client says who it is: what fails on the Mac does not fail at once.
FAILS_AFTER = 0.1


class Gate(asyncssh.SSHServer):
    """One connection. All Macs share one set of options; the port says which Mac it is."""

    def __init__(self, hosts: Mapping[int, Host], client_key: asyncssh.SSHKey, passwords: bool) -> None:
        self._hosts = hosts
        self._client_key = client_key
        self._passwords = passwords
        self._greets = False
        # What is still to be answered of a dialogue at the unlock screen, once its last text was shown.
        self._answer: preboot.Answer | None = None
        self._told = asyncio.Event()

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._host = self._hosts[conn.get_extra_info("sockname")[1]]
        self._host.connections.add(conn)
        conn.set_extra_info(host=self._host, connection=conn)
        if self._host.resets:
            _reset(conn)
            return
        # A connection alone is enough: the wrapper that starts sshd has told it then.
        self._greets = self._waits and not self._host.mac.waiting.greeted
        self._host.mac.waiting.greeted |= self._waits

    def connection_lost(self, exc: Exception | None) -> None:
        self._host.connections.discard(self._connection)
        self._host.silenced.discard(self._connection)

    def begin_auth(self, username: str) -> bool:
        if self._greets:
            self._greets = False
            self._connection.send_auth_banner(self._say("banner") + "\r\n")
        return True

    @property
    def _waits(self) -> bool:
        return self._host.mac.locked

    def _say(self, what: str, **values: str) -> str:
        return say(f"preboot.{what}", self._host.mac.version_tuple, **values)

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        # Before FileVault is unlocked, the keys lie on the volume that nobody can read.
        known = key.public_data == self._client_key.public_data and not self._host.mac.locked
        ok = known and self._host.may_log_in(username)
        return self._judge(username, KEY, ok)

    def password_auth_supported(self) -> bool:
        # Before FileVault is unlocked, nobody's sshd_config counts.
        return self._passwords or self._waits

    def kbdint_auth_supported(self) -> bool:
        # Else asyncssh asks for the password by itself, and hands it to validate_password.
        return True if self._waits else NotImplemented

    def get_kbdint_challenge(self, username: str, lang: str, submethods: str) -> KbdIntChallenge:
        return "", "", "", [(PROMPT, False)]

    async def validate_kbdint_response(self, username: str, responses: Sequence[str]) -> KbdIntChallenge:
        if self._answer is not None:
            # The client has shown the text of an answer, and says so.
            return await self._finish(self._answer)
        answer = self._judge_unlock(username, KEYBOARD, "".join(responses))
        if answer is preboot.Answer.UNLOCKED:
            self._answer = answer
            return "", self._say("unlocked"), "", []
        if answer is preboot.Answer.UNAVAILABLE:
            self._answer = answer
            return "", self._say("unavailable", user=username), "", []
        if answer is preboot.Answer.UNKNOWN and self._host.mac.waiting.says_unknown:
            self._answer = answer
            return "", self._say("unknown"), "", []
        # What is no right password looks alike here, whatever PAM thought of it.
        return await self._finish(answer)

    async def validate_password(self, username: str, password: str) -> bool:
        # An authentication like any other: it counts failures, and may hand out the first token.
        if self._waits:
            if not preboot.password_method_works(self._host.mac):
                self._host.log(journal.Event(time.time(), "preboot", f"{username}: nobody looks at {PASSWORD}"))
                return self._judge(username, PASSWORD, False)
            # sshd keeps what PAM says for after the login, which never comes.
            return await self._finish(self._judge_unlock(username, PASSWORD, password))
        if not self._host.may_log_in(username):
            return False
        ok = bool(directory.authenticate(self._host.mac, username, password))
        await self._host.commit("sshd")
        return self._judge(username, PASSWORD, ok)

    def _judge_unlock(self, user: str, method: str, password: str) -> preboot.Answer:
        answer = preboot.answer(self._host.mac, user, password, time.time())
        self._host.log(journal.Event(time.time(), "preboot", f"{user}: {answer.value}"))
        self._judge(user, method, answer is preboot.Answer.UNLOCKED)
        if answer is preboot.Answer.UNLOCKED:
            self._host.log(journal.Event(time.time(), "unlock", f"by {user}, over SSH"))
            self._told = self._host.unlocked_by_ssh()
        return answer

    async def _finish(self, answer: preboot.Answer) -> bool:
        """Go on as sshd does: no answer lets anybody in, and after the right password the Mac itself goes away."""
        if answer is not preboot.Answer.UNLOCKED:
            await self._host.store.commit(self._host.mac)
            return False
        ends = self._host.mac.waiting.after_unlock
        if ends == "hang":
            # What holds the connection is gone, and nobody closes it.
            self._host.connections.discard(self._connection)
            self._host.silenced.add(self._connection)
        self._told.set()
        if ends == "close":
            self._connection.abort()
        if ends != "failure":
            await asyncio.Event().wait()
        return False

    def _judge(self, user: str, method: str, ok: bool) -> bool:
        # Before the client hears of it: whoever waits for the client may look into the journal at once. Only a key is
        # asked about first and proven afterwards: that success is one when it is complete.
        self._method = method
        if not ok or method != KEY:
            self._host.log(journal.Login(time.time(), user, method, ok))
        return ok

    def auth_completed(self) -> None:
        user = str(self._connection.get_extra_info("username"))
        if self._method == KEY:
            self._host.log(journal.Login(time.time(), user, self._method, True))


def _reset(conn: asyncssh.SSHServerConnection) -> None:
    """Drop a connection as one whose server ends before it says a word: the client reads "reset by peer"."""
    accepted: socket.socket = conn.get_extra_info("socket").dup()
    accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    conn.abort()
    asyncio.get_running_loop().call_later(FAILS_AFTER, accepted.close)


class Files(asyncssh.SFTPServer):
    """sftp and scp: the paths are those that the commands see; relative ones begin at home."""

    def __init__(self, channel: SSHServerChannel[bytes]) -> None:
        connection = channel.get_connection()
        host: Host = connection.get_extra_info("host")
        super().__init__(channel, chroot=None if host.view is None else os.fsencode(host.folder.root))
        user = str(connection.get_extra_info("username"))
        account = host.mac.accounts[user]
        home = host.folder.home(account)
        home.mkdir(parents=True, exist_ok=True)
        self._home = os.fsencode(home if host.view is None else account.home)
        host.log(journal.SshExec(time.time(), user, "", "(sftp)"))

    def map_path(self, path: bytes) -> bytes:
        return super().map_path(os.path.join(self._home, path))

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
