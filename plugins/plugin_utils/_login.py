# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Log in to a Mac from the controller to see when it started: without a password, or by one that is sent once.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import contextlib
import shlex
import shutil
import typing as t
from dataclasses import dataclass

from ansible.errors import AnsibleError

from ansible_collections.keyholder.macos.plugins.module_utils._command import sshd, system
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command, ProcessRunner, Secret

LOGIN_SECONDS = 30
_KEPT = 600
"""Characters of what a login printed that are kept as evidence."""

_ALONE = ("ControlPath=none", "ControlMaster=no", "ServerAliveInterval=5", "ServerAliveCountMax=3", "LogLevel=INFO")
"""A connection of its own, as one from before the restart would keep it waiting. What a Mac says before it lets
somebody in has the level INFO."""
_ASKS = ("BatchMode=no", "KbdInteractiveAuthentication=yes", "PasswordAuthentication=yes")
"""A login by password, whatever the user's own options say of those."""
_KEY_ONLY = ("PreferredAuthentications=publickey", "BatchMode=yes")


@dataclass(frozen=True)
class Look:
    """Hold what one connection showed. ``booted``: when the Mac started, in seconds since 1970; None: it did not say.
    ``said``: its words, or ssh's."""

    booted: float | None
    said: str

    @property
    def door(self) -> sshd.Door:
        """Return how the Mac met the connection."""
        return sshd.door(self.said)


@dataclass(frozen=True)
class Entered(Look):
    """Hold what a host said that let Ansible in, and not when it started: no Mac."""


@dataclass(frozen=True)
class Tried(Look):
    """Hold what came of a password: the Mac let somebody in (``booted``), or the outcome at its unlock screen."""

    outcome: sshd.Outcome = "no_answer"
    sent: bool = False


def demand_ssh(connection: t.Any, what: str) -> None:
    """Raise :class:`Refusal` for a connection that is not OpenSSH's. ``what``: what needs it."""
    if connection.transport != "ssh":
        msg = f"{what} needs Ansible's connection ssh, and this one is {connection.transport}"
        raise Refusal("value_unusable", msg)


def uses_password(connection: t.Any) -> bool:
    """Tell whether Ansible may log in to the Mac by password."""
    return connection.transport == "ssh" and bool(_password(connection))


class Lookout:
    """Look when a Mac started, over new connections and without a password: from macOS 26 on, a Mac that waits at its
    unlock screen takes one for an attempt to unlock it. Where Ansible itself logs in by password, a Mac that has
    started may refuse the key as well. ``logins``: how often a password may then be sent to one that did not let us in;
    None: as often as we look. ``pinned``: whether to look only at a host whose key is known, also where Ansible itself
    does not check it."""

    def __init__(self, connection: t.Any, pinned: bool = False) -> None:
        self._connection = connection
        self._pinned = pinned
        self._needs_password = uses_password(connection)
        self.logins: int | None = None

    def forget(self) -> None:
        """End the connection that Ansible keeps: after a restart it leads nowhere."""
        with contextlib.suppress(AnsibleError, AttributeError):
            self._connection.reset()

    def look(self) -> Look:
        """Return what the Mac shows now."""
        seen = self.by_key()
        if seen.booted is not None:
            self._needs_password = False
        if not self._needs_password or seen.door != "refuses" or self.logins == 0:
            return seen
        return self._by_password()

    def by_key(self, *options: str) -> Look:
        """Return what the Mac shows to a login without a password. ``options``: more of ssh's."""
        pinned = sshd.PINNED if self._pinned else ()
        with alone(self._connection, *pinned, *options, by_key=True):
            try:
                status, out, err = self._connection.exec_command(str(system.BOOT_TIME), in_data=None, sudoable=False)
            except AnsibleError as problem:
                return Look(None, str(problem))
        text = "".join(_text(part) for part in (out, err))
        booted = system.parse_boot_time(text) if status == 0 else None
        return Entered(None, text.strip()) if booted is None else Look(booted, text.strip())

    def shares(self, login: Login) -> bool:
        """Tell whether Ansible logs in by this account and password as well."""
        return self._needs_password and login.is_for(self._user, _password(self._connection))

    @property
    def _user(self) -> str:
        return str(self._connection.get_option("remote_user") or "")

    def _by_password(self) -> Look:
        tried = Login(self._connection, self._user, _password(self._connection), self._pinned).attempt()
        if self.logins is not None and tried.sent and tried.booted is None:
            self.logins -= 1
        return tried


class Login:
    """An SSH login by password, on a terminal of its own, that asks when the Mac started. The password is sent once, as
    wrong ones lock accounts; what let us in was no wrong one. ``pinned``: as in :class:`Lookout`."""

    def __init__(self, connection: t.Any, user: str, password: str, pinned: bool = False) -> None:
        self._connection = connection
        self._user = user
        self._password = Secret(password)
        self._spent = not password
        self._pinned = pinned

    def is_for(self, user: str, password: str) -> bool:
        """Tell whether this is the login of that account by that password."""
        return user == self._user and Secret(password).reveal() == self._password.reveal()

    @property
    def spent(self) -> bool:
        """Return whether there is nothing more to try."""
        return self._spent

    def attempt(self) -> Tried:
        """Try once, and return what came of it."""
        said, booted = "", None
        for method in sshd.METHODS:
            argv = _login(self._connection, self._user, method, sshd.PINNED if self._pinned else ())
            asker = _Asker(self._user, argv)
            dialogue = ((sshd.PROMPT, self._password),)
            command = Command(argv, dialogue=dialogue, until=sshd.DECIDED, answers=asker.is_the_mac)
            ran = ProcessRunner(_find).run(command, LOGIN_SECONDS)
            said = self._password.hidden_in(ran.text)
            if asker.other:
                return Tried(None, f"ssh as {self._user}, where another host asks for a password: {asker.other}")
            booted = system.parse_boot_time(ran.text) if ran.rc == 0 else None
            if sshd.asked(said) or not sshd.lacks(said, method):
                break
        sent = sshd.asked(said)
        self._spent = sent and booted is None
        words = " | ".join(line.strip() for line in said.splitlines() if line.strip())[-_KEPT:]
        return Tried(booted, f"ssh as {self._user}: {words or 'no answer'}", sshd.outcome(said), sent)


class _Asker:
    """Tell the Mac's prompt from that of a jump host, whose ssh asks at the same terminal. ``argv``: the ssh to the
    Mac. ``other``: the line of a prompt that was not the Mac's."""

    def __init__(self, user: str, argv: tuple[str, ...]) -> None:
        self._user = user
        self._argv = argv
        self.other = ""

    def is_the_mac(self, line: str) -> bool:
        """Tell whether the prompt in this line is the Mac's."""
        # What ssh makes of its settings is asked for without a connection.
        settings = ProcessRunner(_find).run(Command((*self._argv[:3], "-G", *self._argv[3:])), LOGIN_SECONDS)
        if sshd.asks_for(line, self._user, sshd.names(settings.out)):
            return True
        self.other = line.strip()
        return False


def _password(connection: t.Any) -> str:
    """Return the password that Ansible logs in with; "" if there is none, or if it is a card's PIN."""
    if connection.get_option("pkcs11_provider"):
        return ""
    # What --ask-pass was told is in the second place alone.
    return str(connection.get_option("password") or getattr(_context(connection), "password", None) or "")


def _context(connection: t.Any) -> t.Any:
    return getattr(connection, "_play_context", None)


@contextlib.contextmanager
def alone(connection: t.Any, *options: str, by_key: bool = False) -> t.Iterator[None]:
    """Have Ansible's own connection use none that is open already. ``options``: more of ssh's, for this time.
    ``by_key``: have it use no password either."""
    if connection.transport != "ssh":
        with contextlib.suppress(AnsibleError, AttributeError):
            connection.reset()
        yield
        return
    by_key = by_key and not connection.get_option("pkcs11_provider")
    context = _context(connection)
    kept = {name: connection.get_option(name) for name in ("password", "ssh_args")}
    kept_too = getattr(context, "password", None)
    # Of two values of an option ssh takes the first.
    words = [word for option in (*_ALONE, *(_KEY_ONLY if by_key else ()), *options) for word in ("-o", option)]
    try:
        connection.set_option("ssh_args", f"{shlex.join(words)} {kept['ssh_args'] or ''}".strip())
        if by_key:
            connection.set_option("password", None)
            if kept_too:
                context.password = None
        yield
    finally:
        for name, value in kept.items():
            connection.set_option(name, value)
        if kept_too:
            context.password = kept_too


def _login(connection: t.Any, user: str, method: str, options: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the ssh command that Ansible uses for this Mac, but with a password and without an earlier connection.
    ``options``: more of ssh's."""
    option = connection.get_option
    # A program that ssh asks in place of the terminal would answer with a password of its own.
    argv = ["env", "SSH_ASKPASS_REQUIRE=never", option("ssh_executable") or "ssh", "-l", user]
    for words in (
        *options,
        *_ALONE,
        *_ASKS,
        "PubkeyAuthentication=no",
        f"PreferredAuthentications={method}",
        "NumberOfPasswordPrompts=1",
        "ConnectTimeout=10",
    ):
        argv += ["-o", words]
    if not option("host_key_checking"):
        argv += ["-o", "StrictHostKeyChecking=no"]
    if option("port"):
        argv += ["-p", str(option("port"))]
    for name in ("ssh_args", "ssh_common_args", "ssh_extra_args"):
        argv += shlex.split(option(name) or "")
    return (*argv, str(option("host")), str(system.BOOT_TIME))


def _text(part: bytes | str) -> str:
    return part.decode(errors="replace") if isinstance(part, bytes) else str(part)


def _find(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        raise LookupError(program)
    return path
