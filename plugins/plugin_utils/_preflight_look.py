# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at the way to a Mac, and at the Mac, over new connections that write nothing on the controller.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import os
import re
import shlex
import socket
import subprocess
import time
import typing as t
from dataclasses import dataclass, field, replace

from ansible.errors import AnsibleError

from ansible_collections.keyholder.macos.plugins.module_utils._command import system
from ansible_collections.keyholder.macos.plugins.module_utils._reading.ask import Ask
from ansible_collections.keyholder.macos.plugins.module_utils._reading.parse import ReadingError
from ansible_collections.keyholder.macos.plugins.module_utils._reading.read import read_mac
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.plugin_utils import _asked
from ansible_collections.keyholder.macos.plugins.plugin_utils._login import Lookout, alone, uses_password
from ansible_collections.keyholder.macos.plugins.plugin_utils._preflight_way import KnownKey, Met, Route, parse_route
from ansible_collections.keyholder.macos.plugins.plugin_utils._shell import ScriptRunner

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac
    from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command, Ran
    from ansible_collections.keyholder.macos.plugins.plugin_utils._exec import Exec, Said

_SECONDS = 30

_OF_SUDO = re.compile(r"(?:missing|incorrect|invalid) \S+ password|privilege escalation|sudo", re.IGNORECASE)
"""Of Ansible's sentences, and sudo's, where it was sudo that failed and not the login."""


def route_of(connection: t.Any) -> Route:
    """Return what ssh makes of its configuration and Ansible's options. It connects to nothing."""
    if connection.transport != "ssh":
        return Route(other=str(connection.transport))
    option = connection.get_option
    given = [word for name in ("ssh_args", "ssh_common_args", "ssh_extra_args") for word in _words(option(name))]
    argv = [str(option("ssh_executable") or "ssh"), "-G", *_words(option("ssh_args"))]
    if option("host_key_checking") is False:
        argv += ["-o", "StrictHostKeyChecking=no"]
    for name, value in (("Port", option("port")), ("User", option("remote_user"))):
        argv += ["-o", f"{name}={value}"] if value else []
    argv += [*_words(option("ssh_common_args")), *_words(option("ssh_extra_args"))]
    plain = " ".join(given).lower()
    if "controlpersist" in plain and "controlpath" not in plain:
        argv += ["-o", f'ControlPath="{_control_path(connection)}"']
    said = _output([*argv, str(option("host"))])
    return parse_route(said) if said else Route(str(option("host")), str(option("port") or "22"))


def _control_path(connection: t.Any) -> str:
    """Return the path that Ansible gives ssh; its own default ends in ten digits."""
    folder = os.path.abspath(os.path.expanduser(str(connection.get_option("control_path_dir"))))
    path = str(connection.get_option("control_path") or "%(directory)s/0123456789")
    return path % {"directory": folder}


def _words(text: t.Any) -> list[str]:
    return shlex.split(str(text or ""))


def _output(argv: t.Sequence[str]) -> str:
    """Return what a program of the controller prints, "" if it fails."""
    try:
        ran = subprocess.run(
            list(argv), stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=_SECONDS, text=True
        )
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return ""
    return ran.stdout if ran.returncode == 0 else ""


def unresolved(route: Route) -> str:
    """Return why the name of the Mac is not found, "" if it is, or if a proxy looks for it."""
    if route.through or not route.host:
        return ""
    try:
        socket.getaddrinfo(route.host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as problem:
        return str(problem)
    return ""


def key_of(route: Route) -> KnownKey:
    """Return whether a file of known hosts has a key of the Mac."""
    there = [path for path in map(os.path.expanduser, route.files) if os.path.isfile(path)]
    for path in there:
        if _output(["ssh-keygen", "-F", route.called, "-f", path]):
            return KnownKey(True, path)
    return KnownKey(False if route.files else None, there[0] if there else "")


def options_for(route: Route, key: KnownKey) -> tuple[str, ...]:
    """Return the options by which ssh writes no file of known hosts, and asks nothing at a terminal."""
    if route.checks:
        return ("UpdateHostKeys=no", "StrictHostKeyChecking=yes")
    return ("UpdateHostKeys=no", *(("UserKnownHostsFile=/dev/null",) if not key.known else ()))


@dataclass
class Seen:
    """Hold what one exec has shown of a Mac, and when it was sent and answered. ``mac`` None: see ``problem``."""

    mac: Mac | None = None
    problem: str = ""
    reason: str = ""
    began: float = 0.0
    ended: float = 0.0
    answers: dict[Command, Ran] = field(default_factory=dict)

    def said(self, command: Command) -> str:
        """Return what a command printed, "" if it failed."""
        ran = self.answers.get(command)
        return ran.out.strip() if ran is not None and ran.rc == 0 else ""


@dataclass
class Visit:
    """One visit of a Mac. ``send``: a script on its way to sudo. ``plainly``: to the account that Ansible logs in
    with."""

    connection: t.Any
    send: t.Callable[[Exec], Said]
    plainly: t.Callable[[Exec], Said]
    deadline: float
    errors: str = ""

    def meet(self, options: tuple[str, ...], met: Met, asked: t.Sequence[Command]) -> tuple[Met, Seen]:
        """Log in, become root and ask; where sudo fails, ask as the account itself. A password is sent to a Mac only
        if it does not say that it waits at FileVault's unlock screen, where it would unlock the Mac."""
        if uses_password(self.connection):
            look = Lookout(self.connection).by_key(*options)
            if look.booted is None and look.door in ("locked", "resets", "silent", "foreign"):
                return replace(met, refused=look.said), Seen()
        with alone(self.connection, *options):
            try:
                seen = self._ask(self.send, asked)
                root = seen.said(system.UID) in ("0", "")
                return replace(met, denied="", errors=self.errors, root=root), seen
            except Refusal as refusal:
                denied = " ".join(dict.fromkeys((str(refusal), *refusal.evidence)))
                met = replace(met, reason=refusal.reason)
                if refusal.reason == "shell_unreadable" and not _OF_SUDO.search(denied):
                    return replace(met, denied="", errors=self.errors), Seen(None, denied, refusal.reason)
            except AnsibleError as problem:
                denied = str(problem)
                if not _OF_SUDO.search(denied):
                    return replace(met, refused=denied), Seen()
            # The passwords of others are for root alone.
            few = [command for command in asked if not command.secrets]
            met = replace(met, denied=denied)
            try:
                return replace(met, errors=self.errors), self._ask(self.plainly, few)
            except Refusal as refusal:
                return met, Seen(None, str(refusal), refusal.reason)
            except AnsibleError as problem:
                return met, Seen(None, str(problem))

    def _ask(self, send: t.Callable[[Exec], Said], asked: t.Sequence[Command]) -> Seen:
        """Raises what the runner raises."""
        runner = ScriptRunner(lambda one: self._kept(send(one)))
        runner.ask_ahead([*asked, system.FULL_DISK_ACCESS])
        seen = Seen(began=time.time())
        try:
            seen.mac = read_mac(runner, self.deadline, Ask(full_disk_access=True))
        except ReadingError as problem:
            seen.problem, seen.reason = str(problem), problem.reason
        seen.ended = time.time()
        seen.answers = dict(zip(asked, runner.run_all(asked, self.deadline))) if asked else {}
        return seen

    def _kept(self, said: Said) -> Said:
        """Keep what ssh wrote beside the answer: a warning of its own, if anything."""
        self.errors = self.errors or said.err.decode("utf-8", "replace")
        return said


def questions(named: str) -> list[Command]:
    """Return what is asked beside the reading. ``named``: the Python that a variable names."""
    return [system.UID, system.UNAME, system.CLOCK, _asked.STUB, _asked.python_at(named)]
