# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say what every kind of place can do.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t
from abc import ABC, abstractmethod
from pathlib import Path

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.plugin_utils._publish.target import Target

TYPES: t.Mapping[str, str] = {
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".jsonl": "application/x-ndjson",
    ".csv": "text/csv; charset=utf-8",
    ".xml": "application/xml",
    ".md": "text/markdown; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".sqlite": "application/vnd.sqlite3",
}
TIMEOUT = 60
"""Seconds that a server may be silent."""
TRIES = 3
"""How often what a lost connection has cut off is tried."""


class PlaceError(Exception):
    """Raised for what went wrong at a place: what was to be done, and what the place said."""


class Place(ABC):
    """Reach one folder. Names are relative to it. Every method raises :class:`PlaceError`."""

    keeps_history = True
    """Whether it can say which files it has."""

    def __init__(self, target: Target) -> None:
        self._target = target

    @abstractmethod
    def check(self, name: str) -> None:
        """Raise if files cannot be put there. ``name``: of a file that may be put there, and taken away."""

    @abstractmethod
    def sizes(self, folder: str) -> dict[str, int]:
        """Return the files of a folder, by name, with their sizes; none if there is no such folder."""

    @abstractmethod
    def fetch(self, name: str, to: Path) -> bool:
        """Write a file of the place to one here. Return False if it is gone."""

    @abstractmethod
    def exchange(self, new: t.Mapping[str, Path], old: t.Sequence[str]) -> None:
        """Put the new files there, one after the other, and then take away the old ones."""

    def close(self) -> None:  # noqa: B027
        """Leave nothing behind. Most kinds of place keep nothing."""

    def path(self, name: str) -> str:
        """Return a file's name from the top of the server on."""
        return f"{self._target.folder}/{name}" if self._target.folder else name
