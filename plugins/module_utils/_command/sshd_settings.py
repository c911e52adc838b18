# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Have sshd let one account in by no method, by a file of its own among sshd's settings, and ask sshd what counts.

The file reaches macOS's sshd alone. The one of the unlock screen has settings of its own, because these lie on the
volume that is still locked (apple-oss-distributions/OpenSSH, sshd-keygen-wrapper; README of lime).

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._runner import Ran

_FOLDER = "/etc/ssh/sshd_config.d"
_PLAIN = re.compile(r"[\w.@-]+")

_TRIED = 'PATH="$PATH:/usr/sbin"; "$@" && exit 0; rm -f "$0"; exit 1'
"""A file with which sshd would not start is taken away by the command that finds that out: no run may end between the
two, as nobody could come in any more."""


def can_name(user: str) -> bool:
    """Return whether the settings can name the account: they take some characters for patterns or for an end."""
    return _PLAIN.fullmatch(user) is not None


def path(user: str) -> str:
    """Return where the account's file is."""
    return f"{_FOLDER}/040-keyholder-{user}.conf"


def settings(user: str) -> str:
    """Return what the file holds. Without a method that takes a password nobody's guesses count against the account.
    The last line ends the block, whatever file is read next (sshd_config(5)).

    A Match block looks at the name as it was typed, and DenyUsers at that of the record which macOS finds for it: one
    in other capitals, or another short name of the same account, meets the first line alone (OpenSSH, auth.c and
    servconf.c; that macOS finds a record so is assumed). With an @ that line would name a host."""
    record = "" if "@" in user else f"DenyUsers {user}\n"
    return (
        f"{record}Match User {user}\n"
        "    DenyUsers *\n"
        "    PasswordAuthentication no\n"
        "    KbdInteractiveAuthentication no\n"
        "Match all\n"
    )


def deny(user: str) -> list[Command]:
    """Write the account's file and have sshd read all of its settings. sshd reads them at each connection."""
    file = path(user)
    return [
        Command(("sshd", "-t")),
        Command(("tee", file), stdin=settings(user)),
        Command(("sh", "-c", _TRIED, file, "sshd", "-t")),
    ]


def allow(user: str) -> list[Command]:
    """Take the account's file away."""
    return [Command(("rm", "-f", path(user)))]


def read(user: str) -> Command:
    """Ask sshd for the settings that count for the account."""
    return Command(("sshd", "-T", "-C", f"user={user},host=localhost,addr=127.0.0.1"))


def parse(ran: Ran, user: str) -> bool | None:
    """Return whether sshd lets the account in by no method. None: it did not say."""
    lines = [line.split() for line in ran.out.lower().splitlines()]
    if ran.rc != 0 or not any(line[:1] == ["passwordauthentication"] for line in lines):
        return None
    denied = {word for line in lines if line[:1] == ["denyusers"] for word in line[1:]}
    return bool(denied & {"*", user.lower()})
