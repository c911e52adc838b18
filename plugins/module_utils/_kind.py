# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring what a Mac says to the kind that a reading promises, or call it unread. Pure.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import datetime
import math
import re
import typing as t

_DIGITS = re.compile(r"-?[0-9]{1,18}")
_EARLIEST, _LATEST = -62_135_596_800.0, 253_402_300_799.0
"""Seconds since 1970 of the years 1 and 9999, the first and the last that Python can write: others are no time."""

MOST = (1 << 63) - 1
"""The largest whole number of a property list that every JSON reader with 64 bits takes."""

_WORDS: tuple[tuple[type, str], ...] = (
    (bool, "true or false"),
    (int, "a whole number"),
    (float, "a number"),
    (str, "a text"),
    (bytes, "data"),
    (datetime.datetime, "a date with a time"),
    (datetime.date, "a date"),
    (list, "a list"),
    (tuple, "a list"),
    (dict, "a dictionary"),
)
"""In this order, as Python calls true a number, and a date with a time a date."""


def words(value: t.Any) -> str:
    """Return what a value is, in words."""
    if value is None:
        return "nothing"
    if isinstance(value, float) and not math.isfinite(value):
        return "a number without end"
    return next((said for kind, said in _WORDS if isinstance(value, kind)), f"a {type(value).__name__}")


def number(text: str) -> int | None:
    """Return the whole number that the text is, None for anything else. Python's int takes blanks, underscores, the
    digits of other scripts and numbers of any length."""
    return int(text) if _DIGITS.fullmatch(text) else None


def whole(value: t.Any) -> int | None:
    """Return a whole number of 64 bits that is one, None for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and -MOST <= value <= MOST else None


def count(value: t.Any) -> int | None:
    """Return a number of things, None for anything else."""
    found = whole(value)
    return found if found is not None and found >= 0 else None


def moment(value: t.Any) -> float | None:
    """Return seconds since 1970, None for what is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not _EARLIEST <= value <= _LATEST:
        return None
    return float(value)


def table(value: t.Any) -> dict[t.Any, t.Any] | None:
    """Return a dictionary that is one, None for anything else."""
    return value if isinstance(value, dict) else None


def items(value: t.Any) -> list[t.Any] | None:
    """Return a list that is one, None for anything else."""
    return value if isinstance(value, list) else None


def text(value: t.Any) -> str | None:
    """Return a text that is one, or a whole number as text, None for anything else."""
    return value if isinstance(value, str) else None if whole(value) is None else str(value)
