# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare paths as macOS does, and hold what is at a place. Pure.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.keyholder.macos.plugins.module_utils._text import folded

ROOTS_FOLDER = "/var/root"
"""Root's own home folder, which only root can write to."""

_DATA = "/system/volumes/data"
_ALIASES = {"/var": "/private/var", "/tmp": "/private/tmp", "/etc": "/private/etc"}
"""Links of macOS itself, in a folder of root's (hier(7))."""


def canonical(path: str) -> str:
    """Return a path as macOS compares it: without case, its own links followed, the data volume seen as the root."""
    place = folded(path)
    place = place[len(_DATA) :] or "/" if (place + "/").startswith(_DATA + "/") else place
    first = "/" + place[1:].partition("/")[0]
    return _ALIASES.get(first, first) + place[len(first) :]


def way(path: str) -> tuple[str, ...]:
    """Return the folders from the root to an absolute path, and the path itself, with macOS's own links followed."""
    first, rest = "/" + path[1:].partition("/")[0], path[1:].partition("/")[2]
    real = _ALIASES.get(folded(first), first) + (f"/{rest}" if rest else "")
    parts = real.split("/")[1:]
    return ("/", *("/" + "/".join(parts[: index + 1]) for index in range(len(parts))))


@dataclass(frozen=True)
class Place:
    """Hold what is at a path. ``kind``: folder, file, link, nothing, or unread. ``roots``: it is root's, and only root
    may write to it. ``owner``: a UID; None: not read. ``others``: any account may write to it."""

    path: str
    kind: str
    roots: bool = False
    owner: int | None = None
    others: bool = False
