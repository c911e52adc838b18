# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decides which versions of ansible-core and Python the checks run on, and remembers what this machine lacks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True)
class Core:
    """An ansible-core, with what its release notes and its own ansible-test demand."""

    version: str
    controllers: tuple[str, ...]
    """The Pythons that it runs on, the one to prefer first."""
    targets: tuple[str, ...]
    """The Pythons of managed hosts that it tests for, from 3.9 on."""
    pip: str
    """The pip that its ansible-test puts into its environments."""


NEWEST = Core("2.21", ("3.13", "3.12", "3.14"), ("3.9", "3.10", "3.11", "3.12", "3.13", "3.14"), pip="25.2")
# What a machine gets that has nothing newer than Python 3.11.
STOPGAP = Core("2.19", ("3.11",), ("3.9", "3.10", "3.11", "3.12", "3.13"), pip="24.2")
OLDEST = Core("2.16", ("3.12", "3.11", "3.10"), ("3.9", "3.10", "3.11", "3.12"), pip="23.1.2")

# The oldest Python is the one of Apple's command line tools, the newest one is what Mac admins deploy.
MAC_PYTHONS = ("3.9", "3.13")
JAVA = 17
"""The oldest that ansible-rulebook runs on."""

# Not demanded of a full matrix: no release of it is old enough to be on every machine.
OPTIONAL = "3.14"


@dataclass(frozen=True)
class Matrix:
    pythons: Mapping[str, Path]
    cores: Sequence[tuple[Core, str]]
    """Each ansible-core, with the version of the Python to run it on."""
    mac_pythons: Sequence[str]
    """The Pythons that stand for those on Macs."""
    left_out: Sequence[str] = field(default_factory=list)
    """What the machine lacks, and what is not tested for that reason."""
    full: bool = False
    """Whether anything left out is a failure, a skipped test included."""
    strict: bool = False
    """Whether a skipped test is a failure that no missing Python explains."""
    java: bool = True
    """Whether there is a Java that ansible-rulebook runs on."""

    def targets(self, core: Core) -> list[str]:
        return [version for version in core.targets if version in self.pythons]


def plan(pythons: Mapping[str, Path], *, full: bool, strict: bool = False, java: bool = True) -> Matrix:
    left_out = []
    cores = []
    for core in (NEWEST, OLDEST):
        controller = _controller(core, pythons)
        if controller:
            cores.append((core, controller))
            continue
        lacks = f"ansible-core {core.version}: it runs on Python {_or(core.controllers)}, and there is none of them"
        if core is NEWEST and (controller := _controller(STOPGAP, pythons)):
            cores.append((STOPGAP, controller))
            lacks += f"; {STOPGAP.version} took its place"
        left_out.append(lacks)

    for version in NEWEST.targets:
        if version not in pythons and version != OPTIONAL:
            left_out.append(
                f"Python {version} as the Python of a Mac, for ansible-test and the tests of the core: not found"
            )
    mac_pythons = [version for version in MAC_PYTHONS if version in pythons]
    if not mac_pythons:
        mac_pythons = [min(pythons, key=_key)]
        left_out.append(f"Python {' and '.join(MAC_PYTHONS)} on the lab's Macs: {mac_pythons[0]} took their place")
    if not java:
        left_out.append(f"Java {JAVA} or newer, for ansible-rulebook: not found, so no rulebook was played")
    return Matrix(pythons, cores, mac_pythons, left_out, full, strict, java)


def _controller(core: Core, pythons: Mapping[str, Path]) -> str | None:
    return next((version for version in core.controllers if version in pythons), None)


def _key(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _or(versions: Sequence[str]) -> str:
    return " or ".join(sorted(versions, key=_key))
