# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell from ssh's words how a Mac's sshd meets a connection, and what it made of a password at the unlock screen.

From macOS 26 on a Mac that waits at FileVault's unlock screen runs sshd with the host keys that it always has. Its PAM
module has one prompt, and three texts for what comes of the answer (apple-oss-distributions/OpenSSH, OpenSSH-354.0.3,
pam_basesystem). It lets nobody in, whatever the answer.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import re
import typing as t

Door = t.Literal["locked", "refuses", "resets", "foreign", "silent", "other"]
"""How a Mac met a connection without a password. locked: it says that it waits to be unlocked; refuses: it asks for
another way to log in; resets: it takes the connection and drops it; foreign: with another host key; silent: not at
all; other: as none of these."""

Outcome = t.Literal["unlocked", "refused", "locked_out", "unknown_user", "broken", "no_answer"]
"""What came of a password. broken: the connection was reset before the password was asked for; no_answer: nothing was
said of it."""

PROMPT = "assword:"
"""The end of the one prompt, in either method."""

METHODS = ("keyboard-interactive", "password")
"""The methods that take a password, the surer one first: the second shows nobody what PAM says, and whether it unlocks
is contested (shoon/fv-ssh-unlock)."""

_ASKER = re.compile(
    r"(?:\((?P<user>[^()]+)@(?P<host>[^\s()@]+)\) .*|(?P<user_2>.+)@(?P<host_2>[^\s@]+)'s )[Pp]assword: *$"
)
"""Whom OpenSSH's client names before a prompt, by either method. Before 8.5 it names nobody by the first."""
_LONGEST_USER, _LONGEST_HOST = 30, 128
"""Characters of those that it shows by the second method."""

_LOCKED = "this system is locked"
_UNLOCKED = "system successfully unlocked"
"""The explanation of the lock has "once successfully unlocked" in it."""
_UNAVAILABLE = "is temporarily unavailable"
_UNKNOWN = "system error"
"""PAM's name for what comes of an account that the unlock screen does not know. That sshd passes it on is assumed:
OpenSSH as released refuses in silence, which is taken for a refusal."""
_CHANGED = re.compile("remote host identification has changed|revoked host key")
_DENIED = re.compile(r"permission denied(?:, please try again)?(?: \(([a-z0-9,@.-]*)\))?")

PASSWORD_BYTES = 1023
"""What OpenSSH's client takes at a prompt."""

PINNED = ("StrictHostKeyChecking=yes", "NoHostAuthenticationForLocalhost=no", "VerifyHostKeyDNS=no")
"""Options by which ssh goes on with a host key in a file of known hosts alone, whatever its other options say: of two
values it takes the first."""

DECIDED = (_UNLOCKED, _UNAVAILABLE, PROMPT)
"""After one of these nothing more is to be waited for: the connection may hang, or it asks a second time."""

_NOBODY = "connection refused|timed out|no route to host|host is down|could not resolve|network is unreachable"
"""Words of a connection that never was."""

_DOORS: tuple[tuple[Door, re.Pattern[str]], ...] = (
    ("locked", re.compile(_LOCKED)),
    ("foreign", re.compile(f"host key verification failed|{_CHANGED.pattern}")),
    # The ssh through a jump host only sees its connection end. Why, the jump host, or the ssh to that, said before.
    ("silent", re.compile(f"stdio forwarding failed|(?:{_NOBODY}|permission denied).* by unknown port 65535")),
    (
        "resets",
        re.compile(r"(?:kex|ssh)_exchange_identification: |banner exchange: |connection reset by \S+ port "),
    ),
    ("refuses", re.compile(r"permission denied|invalid/incorrect (?:username/)?password")),
    ("silent", re.compile(_NOBODY)),
)


def _plain(text: str) -> str:
    return " ".join(text.lower().split())


def _offered(text: str) -> set[str]:
    """Return the methods that sshd offers in its last refusal; none if it did not say."""
    lists = [found.group(1) for found in _DENIED.finditer(_plain(text)) if found.group(1)]
    return set(lists[-1].split(",")) if lists else set()


def door(text: str) -> Door:
    """Return how the Mac met a connection, by what ssh, or Ansible for it, printed."""
    said = _plain(text)
    return next((name for name, words in _DOORS if words.search(said)), "other")


def changed(text: str) -> bool:
    """Tell whether the host key is another one than the one that is known; else, at a foreign door, none is known."""
    return _CHANGED.search(_plain(text)) is not None


def takes_password(text: str) -> bool:
    """Tell whether a host that refuses may take a password instead, as every Mac at its unlock screen does. One that
    does not say what it takes may."""
    offered = _offered(text)
    return not offered or not offered.isdisjoint(METHODS)


def asked(text: str) -> bool:
    """Tell whether the password was asked for."""
    return PROMPT in text


def asks_for(line: str, user: str, hosts: t.Collection[str]) -> bool:
    """Tell whether a prompt asks for the password of this account, and not for that of another host on the way, whose
    ssh has the same terminal. ``hosts``: the names that ssh has for the host; none: they are not known. A prompt that
    names nobody may be anybody's."""
    found = _ASKER.search(line)
    if found is None:
        return True
    whose = found.group("user") or found.group("user_2")
    where = found.group("host") or found.group("host_2")
    named = whose[:_LONGEST_USER] == user[:_LONGEST_USER]
    shown = {host.lower()[:_LONGEST_HOST] for host in hosts}
    return named and (not shown or where.lower()[:_LONGEST_HOST] in shown)


def names(text: str) -> frozenset[str]:
    """Return the names that ssh has for a host, by its own account of its settings (``ssh -G``); none: it gave none."""
    found = re.findall(r"^(?:hostname|hostkeyalias) (\S+)$", text, re.MULTILINE)
    return frozenset(name for name in found if name != "none")


def lacks(text: str, method: str) -> bool:
    """Tell whether sshd refused because it does not offer the method."""
    offered = _offered(text)
    return bool(offered) and method not in offered


def unlocked(text: str) -> bool:
    """Tell whether a login that nobody meant for that has unlocked the Mac."""
    return _UNLOCKED in _plain(text)


def may_wait(text: str) -> bool:
    """Tell whether sshd refused with every method on offer, as at the unlock screen; most Macs that have started offer
    the same."""
    return {"publickey", *METHODS} <= _offered(text)


def outcome(text: str) -> Outcome:
    """Return what came of a password, by what ssh printed. What stood before its prompt proves nothing."""
    if not asked(text):
        return "broken" if door(text) == "resets" else "no_answer"
    said = _plain(text.split(PROMPT, 1)[1])
    # The words decide before the end of the connection, which is a refusal after an unlock as well.
    if _UNLOCKED in said:
        return "unlocked"
    if _UNAVAILABLE in said:
        return "locked_out"
    if _UNKNOWN in said:
        return "unknown_user"
    # Whoever asks a second time did not take the first answer.
    return "refused" if _DENIED.search(said) or PROMPT in said else "no_answer"
