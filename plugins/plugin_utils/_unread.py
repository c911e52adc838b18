# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say in one clause why nothing was read of a Mac, and what to do: by what ssh, sudo, Ansible or a program said. Pure.

The clause names no Mac and no port, so that a report can count the Macs with the same trouble.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.keyholder.macos.plugins.module_utils._command import sshd, sudo

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._code import MaybeCode

LONGEST = 160
"""Letters of a clause that nobody has words for."""


@dataclass(frozen=True)
class Trouble:
    """Hold why nothing was read of a Mac."""

    why: str
    remedy: str = ""
    """What to do about it: a sentence. HOST in it is the name that ssh connects to."""
    reason: MaybeCode = ""
    there: bool = True
    """Whether something answered, so that the Mac is there and would not be read."""


_UNLOCKED = Trouble(
    "it waited at FileVault's unlock screen, and the connection's password has unlocked it", "Read it again."
)
_DOORS: dict[sshd.Door, Trouble] = {
    "locked": Trouble("it waits at FileVault's unlock screen", reason="waits_for_unlock"),
    "resets": Trouble("it accepts connections and drops them before SSH says a word", reason="preboot_ssh_broken"),
}
_MAY_WAIT = Trouble(
    "the login was refused; a Mac with macOS 26 or newer says this, too, while it waits at FileVault's unlock screen",
    "Unlock the Mac if it was restarted. Otherwise check ansible_user and its key or password, and that Remote Login "
    "allows the account.",
)

_BECOME = "Give ansible_become_password, or the lookup of the password that is kept for this Mac."
_SILENT = Trouble("it answered SSH, and sudo on it did not answer", reason="sudo_silent")
_KNOWN: tuple[tuple[re.Pattern[str], Trouble], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), trouble)
    for pattern, trouble in (
        (
            "remote host identification has changed",
            Trouble(
                "its host key is not the one in known_hosts",
                "If the Mac was set up anew, remove the old key with: ssh-keygen -R HOST. If it was not, find out "
                "what answers in its place.",
            ),
        ),
        (
            "host key verification failed|no .{0,40}host key is known for",
            Trouble(
                "its host key is not in known_hosts",
                "Connect once by hand (ssh HOST), and compare the key's fingerprint with the Mac's.",
            ),
        ),
        (
            "too long for unix domain socket|controlpath too long|unix_listener: path",
            Trouble(
                "it was not asked: the path of ssh's control socket is too long, on this controller",
                reason="socket_path_too_long",
                there=False,
            ),
        ),
        (
            "missing (?:sudo|become) password|sudo: a (?:terminal|password) is required",
            Trouble("the sudo password is missing", _BECOME),
        ),
        (
            "incorrect (?:sudo|become) password|sudo: \\d+ incorrect password",
            Trouble("the sudo password is wrong", _BECOME.replace("Give", "Correct")),
        ),
        (
            "is not in the sudoers|may not run sudo",
            Trouble("sudo is not allowed to the account", "Connect as an administrator (ansible_user)."),
        ),
        (
            "too many authentication failures",
            Trouble(
                "ssh offered more keys than the Mac accepts",
                "Name one: ansible_ssh_private_key_file, with IdentitiesOnly=yes in ansible_ssh_common_args.",
            ),
        ),
        (
            "invalid/incorrect (?:username/)?password",
            Trouble("the login's password is wrong", "Correct ansible_password."),
        ),
        (
            "must install the sshpass program",
            Trouble(
                "the controller has no sshpass, which this ansible-core needs for a login by password",
                "Install sshpass on the controller, or log in by key.",
                there=False,
            ),
        ),
        (
            "permission denied",
            Trouble(
                "the login was refused",
                "Check ansible_user and its key or password, and that Remote Login allows the account.",
            ),
        ),
        (
            "connection refused",
            Trouble("its port refuses connections", "Turn Remote Login on, or correct ansible_port.", there=False),
        ),
        (
            "could not resolve|name or service not known|nodename nor servname|name resolution",
            Trouble("its name was not found", "Correct ansible_host, or add the name to DNS.", there=False),
        ),
        (
            "no route to host",
            Trouble(
                "the controller found no route to it, or, being a Mac, may not use the local network",
                reason="no_route",
                there=False,
            ),
        ),
        (
            "network is unreachable|host is down",
            Trouble("its network cannot be reached", "Check the network and the VPN.", there=False),
        ),
        (
            "timed out|timeout",
            Trouble("it did not answer in time", "Wake the Mac, or check the network and ansible_host.", there=False),
        ),
        (
            "closed by remote host|connection closed by|broken pipe|lost connection",
            Trouble("the connection was cut", "Run it again. If it happens again, look at the Mac's own log."),
        ),
    )
)

_KNOWN_OF_TASKS = tuple(entry for entry in _KNOWN if "sudo" in entry[1].why)

_KEYGEN = re.compile(r"ssh-keygen (?:-f \S+ )?-R [\"']?(\[?[\w.:-]+\]?(?::\d+)?)[\"']?")
"""ssh says for which name it keeps the key that no longer fits."""

_PREAMBLE = re.compile(
    r"task failed: |failed to connect to the host via ssh: |data could not be sent to remote host [^ ]+ "
    r"|make sure this host can be reached over ssh: |warning: permanently added .*? to the list of known hosts\.",
    re.IGNORECASE,
)
_NOISE = re.compile(r"@{3,}|<\?xml.*|<!DOCTYPE.*|<plist.*|bplist0.*", re.IGNORECASE)
"""A frame of ssh's, and a property list to the end: never words for a person."""


def trouble_of(text: str, unreachable: bool = True) -> Trouble:
    """Return why nothing was read of a Mac.

    ``unreachable``: Ansible could not connect. Otherwise a task failed, and only what sudo and ssh say of the
    connection is known by its words; what else went wrong has its own.
    """
    if sudo.is_silent(text):
        return _SILENT
    if unreachable:
        if sshd.unlocked(text):
            return _UNLOCKED
        at_door = _DOORS.get(sshd.door(text))
        if at_door is not None:
            return at_door
        if sshd.may_wait(text):
            return _MAY_WAIT
    for pattern, trouble in _KNOWN if unreachable else _KNOWN_OF_TASKS:
        if pattern.search(text):
            named = _KEYGEN.search(text)
            return _with_host(trouble, named.group(1)) if named else trouble
    return Trouble(clause(text), there=not unreachable)


def is_of_the_way_in(text: str) -> bool:
    """Return whether a task failed because sudo did not let Ansible in: it would fail again in the same way."""
    return sudo.is_silent(text) or any(pattern.search(text) for pattern, _trouble in _KNOWN_OF_TASKS)


def _with_host(trouble: Trouble, host: str) -> Trouble:
    told = f"'{host}'" if "[" in host else host
    return Trouble(trouble.why, trouble.remedy.replace("HOST", told), trouble.reason, trouble.there)


def clause(text: str) -> str:
    """Return the first clause of a message that says something: no preamble, no frame, no property list."""
    words = " ".join(_NOISE.sub(" ", _PREAMBLE.sub("", " ".join(text.split()))).split()).strip(" :;,")
    end = re.search(r"[.;] (?=[A-Z])", words)
    first = words[: end.start()] if end else words.rstrip(".")
    return (first if len(first) <= LONGEST else f"{first[: LONGEST - 1]}\u2026") or "no reason was given"
