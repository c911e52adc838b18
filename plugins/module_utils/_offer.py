# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold what macOS offers to install on a Mac, and choose from it by a version. Pure.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.keyholder.macos.plugins.module_utils._macos import Version

_WANTED = re.compile(r"[0-9]{2}(?:\.[0-9]{1,2}){0,2}")


@dataclass(frozen=True)
class Offer:
    """Hold one macOS that softwareupdate offers. ``label``: by which it is told to install it. ``build`` "": not
    said. ``beta``: it is none that Apple has released."""

    label: str
    title: str
    version: Version
    build: str = ""
    beta: bool = False


def wanted(text: str) -> tuple[int, ...] | None:
    """Return the parts of a version as a user writes it: ``26``, ``26.1`` or ``15.6.1``. None: that is none."""
    return tuple(map(int, text.split("."))) if _WANTED.fullmatch(text) else None


def minimum(parts: t.Sequence[int]) -> Version:
    """Return the lowest version that begins with these parts."""
    return Version(*parts)


def choose(offers: t.Iterable[Offer], parts: tuple[int, ...], above: Version) -> Offer | None:
    """Return the newest offer that begins with these parts and is newer than ``above``; None: there is none. A beta has
    the version of what is released later, so a Mac that got one would never be brought to that."""
    those = [
        one
        for one in offers
        if not one.beta
        and one.version > above
        and (one.version.major, one.version.minor, one.version.patch)[: len(parts)] == parts
    ]
    return max(those, key=lambda one: one.version, default=None)
