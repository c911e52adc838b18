# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""On the controller: a random password that the Mac's own rules allow and each of macOS's prompts can take.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import re
import secrets
import typing as t

LONGEST = 128
"""Bytes that the shortest of the prompts keeps; every character here is one byte."""
SHORTEST = 8

# Nothing that a person takes for another one when reading it aloud, that a keyboard moves, or that needs quoting.
_KINDS = ("abcdefghijkmnopqrstuvwxyz", "ABCDEFGHJKLMNPQRSTUVWXYZ", "23456789", "-.,+:=%@")
_TRIES = 200


class PolicyError(Exception):
    """No password was found that the rules allow."""


def new_password(patterns: t.Sequence[str], length: int) -> str:
    """``patterns``: as keyholder.macos.trust_info reads them. Rules that Python cannot read are left to macOS, which
    has the last word on the password. Raises :class:`PolicyError`."""
    rules = [rule for rule in map(_compiled, patterns) if rule is not None]
    longer = range(length + 1, LONGEST + 1)
    shorter = range(length - 1, SHORTEST - 1, -1)
    for size in (length, *longer, *shorter):
        for _dummy in range(_TRIES if size == length else 8):
            password = _random(size)
            if all(rule.fullmatch(password) for rule in rules):
                return password
    raise PolicyError(f"no password of {SHORTEST} to {LONGEST} characters was found that matches all of: {patterns}")


def _compiled(pattern: str) -> re.Pattern[str] | None:
    """A possessive quantifier, which macOS's rules like, is new in Python 3.11; for a whole match the greedy one says
    almost the same."""
    try:
        return re.compile(re.sub(r"([}*+?])\+", r"\1", pattern.replace("\\'", "'")))
    except re.error:
        return None


def _random(size: int) -> str:
    """At least one of each kind, and never a sign at either end, where a program may take it for something else."""
    chosen = [secrets.choice(kind) for kind in _KINDS]
    chosen += [secrets.choice("".join(_KINDS)) for _dummy in range(size - len(chosen) - 2)]
    secrets.SystemRandom().shuffle(chosen)
    return "".join([secrets.choice(_KINDS[1]), *chosen, secrets.choice(_KINDS[2])])
