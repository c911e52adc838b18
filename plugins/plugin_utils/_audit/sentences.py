# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put numbers, names and times of a fleet into words. Pure.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import datetime
import typing as t

from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.escape import plain_text

SHOWN = 5
"""How many names a sentence has; after that it says how many more there are."""

_VERDICTS = {
    "pending": "pending",
    "at_risk": "at risk",
    "no": "no",
    "unknown": "unknown",
    "not_read": "not read",
}


def iso(at: float) -> str:
    """Return seconds since 1970 as a UTC time, such as 2026-09-21T08:00:00Z."""
    moment = datetime.datetime.fromtimestamp(at, datetime.timezone.utc)
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def macs(number: int) -> str:
    """Return a number of Macs in words."""
    return "1 Mac" if number == 1 else f"{number} Macs"


def some(names: t.Sequence[str], shown: int = SHOWN) -> str:
    """Return the first few names, and how many more there are."""
    told = ", ".join(map(plain_text, names[:shown]))
    return told if len(names) <= shown else f"{told} and {len(names) - shown} more"


def numbers(recoverable: t.Mapping[str, int], compliant: t.Mapping[str, int]) -> list[str]:
    """Return the two numbers of a fleet: how many Macs are recoverable, and how many are compliant.

    Whatever is not a yes counts as none, and is told by its own name.
    """
    return [_number("Recoverable", recoverable), _number("Compliant", compliant)]


def _number(word: str, counted: t.Mapping[str, int]) -> str:
    others = [f"{counted[verdict]} {told}" for verdict, told in _VERDICTS.items() if counted.get(verdict)]
    rest = f" ({', '.join(others)})" if others else ""
    return f"{word}: {counted.get('yes', 0)} of {macs(sum(counted.values()))}{rest}"
