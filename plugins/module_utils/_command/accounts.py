# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manage membership of a group, whether an account is disabled, a home folder and its archive, and see who is logged
in: dseditgroup, pwpolicy, createhomedir, tar and who.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import posixpath
import typing as t

from ansible_collections.keyholder.macos.plugins.module_utils._command import strays
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._runner import Ran

LOGGED_IN = Command(("who",))


def set_membership(user: str, group: str, member: bool) -> Command:
    """Put a user into a group of this Mac, or take it out: ``member``."""
    return Command(("dseditgroup", "-o", "edit", "-a" if member else "-d", user, "-t", "user", group))


def disable(user: str) -> Command:
    """Have macOS refuse every login of an account, by password and by key (transcript pwpolicy-disableuser-27)."""
    return Command(("pwpolicy", "-u", user, "-disableuser"))


def enable(user: str) -> Command:
    """Take that back (man pwpolicy)."""
    return Command(("pwpolicy", "-u", user, "-enableuser"))


def create_home(user: str) -> Command:
    """Make the home folder that the account's record names. Does no harm if it exists already."""
    return Command(("createhomedir", "-c", "-u", user))


def archive(home: str, path: str) -> Command:
    """Pack a home folder into the file ``path``, for root alone to read. macOS's tar keeps extended attributes and
    access lists. Private: it names files of a person."""
    parent, name = posixpath.split(home.rstrip("/"))
    tar = ("tar", "-c", "-z", "-f", path, "-C", parent, name)
    return Command(("sh", "-c", 'umask 077; exec "$@"', "sh", *tar), private=True, only_status=True)


def read_archive(path: str) -> Command:
    """Read a whole archive; only its exit status says whether it can be read."""
    return Command(("tar", "-t", "-z", "-f", path), private=True, only_status=True)


def parse_who(ran: Ran) -> frozenset[str] | None:
    """Return the names in front of each line. None: who did not answer."""
    if ran.rc != 0:
        return None
    return frozenset(line.split()[0] for line in strays.without(ran.out).splitlines() if line.split())
