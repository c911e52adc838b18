# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""dseditgroup, createhomedir, tar and who: membership of a group, a home folder, and who is logged in.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import posixpath
import typing as t

from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._runner import Ran

WHO = Command(("who",))


def set_membership(user: str, group: str, member: bool) -> Command:
    return Command(("dseditgroup", "-o", "edit", "-a" if member else "-d", user, "-t", "user", group))


def create_home(user: str) -> Command:
    """Harmless where the home exists already."""
    return Command(("createhomedir", "-c", "-u", user))


def archive(home: str, path: str) -> Command:
    """For root alone. macOS's tar keeps extended attributes and access lists. Private: it names files of a person."""
    parent, name = posixpath.split(home.rstrip("/"))
    tar = ("tar", "-c", "-z", "-f", path, "-C", parent, name)
    return Command(("sh", "-c", 'umask 077; exec "$@"', "sh", *tar), private=True, only_status=True)


def read_archive(path: str) -> Command:
    return Command(("tar", "-t", "-z", "-f", path), private=True, only_status=True)


def parse_who(ran: Ran) -> frozenset[str] | None:
    """The names in front of each line; None: it did not say."""
    if ran.rc != 0:
        return None
    return frozenset(line.split()[0] for line in ran.out.splitlines() if line.split())
