# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judge the way to a Mac: name, port, host key, login and sudo, by what ssh and Ansible said. Pure.

No connection is made for the port alone: the first one to a Mac at FileVault's unlock screen is told that it is locked,
and no later one (see ``_command/sshd.py``). So what ssh itself meets is the answer.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import re
import shlex
import typing as t
from dataclasses import dataclass

from ansible_collections.keyholder.macos.plugins.module_utils._command import sshd
from ansible_collections.keyholder.macos.plugins.module_utils._reason import REASONS
from ansible_collections.keyholder.macos.plugins.plugin_utils._preflight import (
    Verdict,
    not_asked,
    ok,
    stop,
    warn,
)
from ansible_collections.keyholder.macos.plugins.plugin_utils._unread import Trouble, trouble_of

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._code import MaybeCode

LONGEST_SOCKET = {"darwin": 103, "linux": 107}
"""Bytes of the path of a socket (sun_path, without the NUL at its end)."""
SOCKET_SUFFIX = 17
"""ssh makes its control socket under a name with a dot and 16 letters behind (mux.c of openssh-portable)."""

_CHANGED = re.compile("remote host identification has changed", re.IGNORECASE)
_UNCHECKED = ("no", "off", "false", "accept-new")


@dataclass(frozen=True)
class Route:
    """Hold what ssh makes of its configuration and of Ansible's options for a Mac. ``through``: the proxy, "" for
    none. ``called``: the name that its host key is kept under. ``files``: of known hosts. ``checks``: whether an
    unknown key is refused. ``socket``: the path of the control socket, "" for none."""

    host: str = ""
    port: str = "22"
    through: str = ""
    called: str = ""
    files: tuple[str, ...] = ()
    checks: bool = True
    socket: str = ""
    other: str = ""
    """The connection, if it is not by ssh: then nothing is known of name, port and host key."""


def parse_route(text: str) -> Route:
    """Return what ``ssh -G`` printed."""
    said = dict(line.split(" ", 1) for line in text.splitlines() if " " in line)
    through = next((said[key] for key in ("proxyjump", "proxycommand") if said.get(key, "none") != "none"), "")
    host, port = said.get("hostname", ""), said.get("port", "22")
    name = said.get("hostkeyalias", host)
    called = name if port == "22" or "hostkeyalias" in said else f"[{name}]:{port}"
    files = tuple(_words(f"{said.get('userknownhostsfile', '')} {said.get('globalknownhostsfile', '')}"))
    socket = said.get("controlpath", "none")
    checks = said.get("stricthostkeychecking", "ask") not in _UNCHECKED
    return Route(host, port, through, called, files, checks, "" if socket == "none" else socket)


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


@dataclass(frozen=True)
class Met:
    """Hold what came of the connections. ``refused``: what ssh said where it did not let Ansible in. ``denied``: what
    became of sudo, "" where that went well; None: it was not tried. ``errors``: what ssh said although it let Ansible
    in. ``by_password``: whether the login has a password. ``given``: whether sudo has. ``root``: whether it has led to
    root. ``reason``: why a script could not be run, "" if that is not known."""

    refused: str = ""
    denied: str | None = None
    errors: str = ""
    by_password: bool = False
    given: bool = False
    method: str = "sudo"
    root: bool = True
    reason: MaybeCode = ""


@dataclass(frozen=True)
class KnownKey:
    """Hold whether a file of known hosts has a key of the Mac. None: ssh-keygen did not say. ``file``: the first of
    them, in which a new one would be."""

    known: bool | None = None
    file: str = ""


def way_verdicts(route: Route, unresolved: str, key: KnownKey, met: Met) -> list[Verdict]:
    """Return the verdicts on name, port, host key, login and sudo. ``unresolved``: why the name was not found."""
    if route.other and not met.refused:
        through = [not_asked(check, f"connection {route.other}") for check in ("name", "port", "host_key")]
        return [*through, ok("login", route.other), _become(met)]
    name = not_asked("name", "the proxy looks it up") if route.through else ok("name")
    if unresolved:
        trouble = trouble_of("could not resolve")
        return [stop("name", trouble.why, remedy_of(trouble)), *_not_asked("port", "host_key", "login", "become")]
    if not met.refused:
        return [name, ok("port"), _let_in(route, key, met), _login(met), _become(met)]
    trouble, door = trouble_of(met.refused), sshd.door(met.refused)
    words, remedy = trouble.why, remedy_of(trouble)
    if door == "silent" and "could not resolve" in met.refused.lower() and not route.through:
        return [stop("name", words, remedy), *_not_asked("port", "host_key", "login", "become")]
    if door == "other" and not trouble.there:
        # The controller's own trouble: nothing was asked of the Mac.
        return [name, *_not_asked("port", "host_key"), stop("login", words, remedy), *_not_asked("become")]
    if door in ("silent", "resets"):
        return [name, stop("port", words, remedy), *_not_asked("host_key", "login", "become")]
    if door == "foreign":
        return [name, ok("port"), _foreign(route, key, met.refused), *_not_asked("login", "become")]
    key_verdict = ok("host_key") if route.checks else _let_in(route, key, met)
    return [name, ok("port"), key_verdict, stop("login", words, remedy), *_not_asked("become")]


def remedy_of(trouble: Trouble) -> str:
    """Return what to do about a trouble."""
    return trouble.remedy or (REASONS[trouble.reason].remedy if trouble.reason else "")


def _not_asked(*checks: str) -> list[Verdict]:
    return [not_asked(check) for check in checks]


def _foreign(route: Route, key: KnownKey, said: str) -> Verdict:
    """Return the verdict on a host key that ssh has refused."""
    if _CHANGED.search(said):
        return stop("host_key", "its host key is not the one in known_hosts", _remove(route, key))
    return stop("host_key", "its host key is not in known_hosts", _connect(route))


def _let_in(route: Route, key: KnownKey, met: Met) -> Verdict:
    """Return the verdict on a host key that ssh has accepted."""
    if _CHANGED.search(met.errors):
        words = "its host key is not the one in known_hosts, and the check of host keys is off"
        return warn("host_key", words, _remove(route, key))
    if not route.checks and key.known is False:
        words = "its host key is not in known_hosts, and the check of host keys is off"
        return warn("host_key", words, _connect(route))
    return ok("host_key")


def _remove(route: Route, key: KnownKey) -> str:
    file = f" -f {shlex.quote(key.file)}" if key.file else ""
    return (
        f"If the Mac was set up anew, remove the old key with: ssh-keygen{file} -R {shlex.quote(route.called)}."
        " If it was not, find out what answers in its place."
    )


def _connect(route: Route) -> str:
    # Ansible's options may name another file than ssh takes by itself.
    own = not route.files or route.files[0].endswith("/.ssh/known_hosts")
    file = "" if own else f" -o UserKnownHostsFile={shlex.quote(route.files[0])}"
    port = f" -p {route.port}" if route.port != "22" else ""
    return f"Connect once by hand (ssh{file}{port} {route.host}), and compare the key's fingerprint with the Mac's."


def _login(met: Met) -> Verdict:
    return ok("login", "by password, or by key" if met.by_password else "by key")


def _become(met: Met) -> Verdict:
    if met.denied is None:
        return not_asked("become")
    if not met.denied and not met.root:
        remedy = "Set ansible_become to true, and leave ansible_become_user out or set it to root."
        return stop("become", "Ansible does not become root", remedy)
    if not met.denied:
        return ok("become", f"{met.method}, with a password" if met.given else f"{met.method}, without a password")
    trouble = trouble_of(met.denied, unreachable=False)
    remedy = remedy_of(trouble) or (REASONS[met.reason].remedy if met.reason else "")
    return stop("become", trouble.why, remedy)


def pipelining_verdict(on: bool, pipes: bool, how: str) -> Verdict:
    """Return the verdict on how tasks reach the Mac. ``pipes``: whether a program on the Mac gets its stdin from here.
    ``how``: the connection and the become method."""
    if not pipes:
        words = f"{how} has no pipelining, so a password could reach the Mac only in a file"
        return stop("pipelining", words, REASONS["needs_terminal"].remedy)
    return ok("pipelining", "on" if on else "off; this collection needs none")


def socket_verdict(route: Route, system: str) -> Verdict:
    """Return the verdict on the path of ssh's control socket. ``system``: the controller's, as Python calls it."""
    if not route.socket:
        return not_asked("control_path", "no control socket")
    length = len(route.socket.encode()) + SOCKET_SUFFIX
    longest = LONGEST_SOCKET.get(system, min(LONGEST_SOCKET.values()))
    if length > longest:
        words = f"the path of ssh's control socket has {length} bytes, and this controller takes {longest}"
        return stop("control_path", words, REASONS["socket_path_too_long"].remedy)
    return ok("control_path", f"{length} of {longest} bytes")
