# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold what a preflight looks at, and what it finds: one verdict for each thing that it looks at on a Mac. Pure.

    _preflight.py             the checks and the verdicts
    _preflight_way.py         name, port, host key, login and sudo, by what ssh and Ansible said
    _preflight_mac.py         the Mac itself, by its reading and a few questions more
    _preflight_controller.py  variables, stores and recipients, which are on the controller
    _preflight_report.py      the table, the causes and the file

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass

State = t.Literal["ok", "failed", "unknown", "not_asked"]
"""unknown: it was asked, and there is no answer. not_asked: nothing asks for it, or what stands before it failed."""

STATES: tuple[State, ...] = ("failed", "unknown", "ok", "not_asked")
"""The worst first."""


@dataclass(frozen=True)
class Check:
    """Hold one thing that is looked at. ``column``: its head in the table. ``title``: what it is, in words."""

    name: str
    column: str
    title: str


CHECKS = (
    Check("variables", "vars", "the Mac's variables can be resolved"),
    Check("name", "name", "the Mac's name is found"),
    Check("port", "port", "its port answers as SSH"),
    Check("host_key", "key", "its host key is the known one"),
    Check("login", "login", "the login"),
    Check("become", "sudo", "sudo"),
    Check("pipelining", "pipe", "how tasks reach the Mac"),
    Check("control_path", "socket", "the path of ssh's control socket"),
    Check("macos", "macOS", "it is a Mac, with a macOS that this collection knows"),
    Check("python", "Python", "a Python for other modules"),
    Check("full_disk_access", "disk", "Full Disk Access of the SSH session"),
    Check("clock", "clock", "the Mac's clock"),
    Check("granter", "people", "the accounts that the variables name, and their passwords"),
    Check("store", "store", "the store of managed passwords"),
    Check("key_store", "keys", "the store of recovery keys"),
    Check("recipients", "recip", "the recipients of recovery keys"),
)
"""What is looked at on each Mac, in the order of the table."""

FLEET = (
    Check("group", "group", "the group macs"),
    Check("names", "names", "the names of the variables"),
    Check("forks", "forks", "how many Macs at a time"),
)
"""What is looked at once."""


@dataclass(frozen=True)
class Verdict:
    """Hold what was found. ``check``: the name of a :class:`Check`. ``words``: without the Mac's name, so that a report
    can count the Macs with the same trouble. ``remedy``: the next command, or the setting to change, as a sentence.
    ``stops``: whether a run on this Mac would stop."""

    check: str
    state: State
    words: str = ""
    remedy: str = ""
    stops: bool = False

    def view(self) -> dict[str, t.Any]:
        """Return it as a result holds it."""
        return asdict(self)


def ok(check: str, words: str = "") -> Verdict:
    """Return a verdict without trouble."""
    return Verdict(check, "ok", words)


def stop(check: str, words: str, remedy: str) -> Verdict:
    """Return the verdict on what would stop a run."""
    return Verdict(check, "failed", words, remedy, stops=True)


def warn(check: str, words: str, remedy: str) -> Verdict:
    """Return the verdict on what is wrong, and would stop no run of this collection."""
    return Verdict(check, "failed", words, remedy)


def unknown(check: str, words: str, remedy: str = "") -> Verdict:
    """Return the verdict on what was asked and not answered."""
    return Verdict(check, "unknown", words, remedy)


def not_asked(check: str, words: str = "") -> Verdict:
    """Return the verdict on what was not looked at."""
    return Verdict(check, "not_asked", words)


def worst(verdicts: t.Iterable[Verdict]) -> State:
    """Return the worst state of some verdicts; without any it was not asked."""
    return min((one.state for one in verdicts), key=STATES.index, default="not_asked")


def whole(verdicts: t.Sequence[Verdict]) -> list[Verdict]:
    """Return the verdicts in the order of the table, with one for each check that has none."""
    found: list[Verdict] = []
    for check in CHECKS:
        found += [one for one in verdicts if one.check == check.name] or [not_asked(check.name)]
    return found
