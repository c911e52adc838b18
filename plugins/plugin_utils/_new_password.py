# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a random password on the controller that the Mac's own rules allow and each of macOS's prompts can take.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import subprocess
import sys
import typing as t

LONGEST = 128
"""Bytes that the shortest of the prompts keeps; every character here is one byte."""
SHORTEST = 8
DEADLINE = 5
"""Seconds that the Mac's patterns may take for all tries of the wanted length, and again for those of other lengths."""

# Nothing that a person takes for another one when reading it aloud, that a keyboard moves, or that needs quoting.
_KINDS = ("abcdefghijkmnopqrstuvwxyz", "ABCDEFGHJKLMNPQRSTUVWXYZ", "23456789", "-.,+:=%@")
_TRIES = 200

# Runs in a process of its own: nothing inside Python can stop a pattern that takes for ever. The alarm ends it also
# if Ansible's worker was killed and no longer waits.
# A possessive quantifier, which macOS's rules like, is new in Python 3.11; for a whole match the greedy one says almost
# the same.
_MATCHER = r"""
import json, re, signal, sys
asked = json.load(sys.stdin)
signal.signal(signal.SIGALRM, signal.SIG_DFL)
signal.alarm(asked["seconds"])
rules = []
for pattern in asked["patterns"]:
    try:
        rules.append(re.compile(re.sub(r"([}*+?])\+", r"\1", pattern.replace("\\'", "'"))))
    except (re.error, OverflowError, RecursionError):
        pass
matching = (str(number) for number, one in enumerate(asked["passwords"]) if all(rule.fullmatch(one) for rule in rules))
sys.stdout.write(next(matching, "none"))
"""


class PolicyError(Exception):
    """No password was found that the rules allow."""


def new_password(patterns: t.Sequence[str], length: int) -> str:
    """Return a password that matches ``patterns``, as keyholder.macos.trust_info reads them. Rules that Python cannot
    read are left to macOS, which has the last word on the password. Raises :class:`PolicyError`."""
    if not patterns:
        return _random(length)
    longer = range(length + 1, LONGEST + 1)
    shorter = range(length - 1, SHORTEST - 1, -1)
    found = _first_match(patterns, [_random(length) for _dummy in range(_TRIES)])
    if found is None:
        found = _first_match(patterns, [_random(size) for size in (*longer, *shorter) for _dummy in range(8)])
    if found is None:
        raise PolicyError(
            f"no password of {SHORTEST} to {LONGEST} characters was found that matches all of: {patterns}"
        )
    return found


def _first_match(patterns: t.Sequence[str], passwords: t.Sequence[str]) -> str | None:
    """Return the first password that matches all patterns, None for none. The passwords go to the process by its
    standard input, and only a number comes back. Raises :class:`PolicyError` where no answer came in time."""
    asked = json.dumps({"patterns": list(patterns), "passwords": passwords, "seconds": DEADLINE + 1})
    said = ""
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        said = subprocess.run(
            [sys.executable, "-I", "-c", _MATCHER],
            input=asked,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="ascii",
            errors="replace",
            timeout=DEADLINE,
            start_new_session=True,
            check=False,
        ).stdout
    if said == "none":
        return None
    if not said.isdecimal() or int(said) >= len(passwords):
        raise PolicyError(
            f"the password patterns of this Mac's policy could not be tried in {DEADLINE} seconds, so no password was "
            "made. Correct the pattern in the Mac's policy, or set a password of your own with "
            "keyholder.macos.account_password"
        )
    return passwords[int(said)]


def _random(size: int) -> str:
    """Return a random password with at least one character of each kind, and a sign at neither end: a program may take
    that for something else."""
    system = secrets.SystemRandom()
    chosen = system.choices("".join(_KINDS), k=size - len(_KINDS) - 2)
    for kind in _KINDS:
        chosen.insert(system.randrange(len(chosen) + 1), system.choice(kind))
    return "".join([secrets.choice(_KINDS[1]), *chosen, secrets.choice(_KINDS[2])])
