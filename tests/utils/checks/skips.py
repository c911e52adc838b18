# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges what pytest skipped: a test that should have run here, and did not, proves nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .execution import CheckFailed

if TYPE_CHECKING:
    from .matrix import Matrix

# With -ra, as pytest.ini and ansible-test have it: "SKIPPED [2] tests/test_this.py:12: why".
_LINE = re.compile(r"^SKIPPED \[(\d+)\] (.*)$", re.MULTILINE)
_SUM = re.compile(r"^(?:=+ )?(?:\d+ [a-z]+, )*(\d+) skipped\b.* in [\d.]+s", re.MULTILINE)
_PYTHON = re.compile(r"no Python (\d+\.\d+)")


def skipped(output: str, matrix: Matrix) -> str:
    """Return how many tests pytest skipped and why, "" for none; raise CheckFailed for a skip that must not be."""
    total = sum(int(number) for number in _SUM.findall(output))
    explained: dict[str, int] = {}
    others = []
    for number, line in _LINE.findall(output):
        python = _PYTHON.search(line)
        if python and python[1] not in matrix.pythons:
            explained[python[0]] = explained.get(python[0], 0) + int(number)
        else:
            others.append(line)
    if total and matrix.full:
        raise CheckFailed(f"{total} tests were skipped")
    if matrix.strict and others:
        raise CheckFailed(f"skipped, and not for want of a Python: {'; '.join(others)}")
    if matrix.strict and total > sum(explained.values()):
        raise CheckFailed(f"{total} tests were skipped, and {sum(explained.values())} of them for want of a Python")
    if not total:
        return ""
    why = "; ".join(f"{number} for there is {reason}" for reason, number in explained.items())
    return f"{total} skipped" + (f" ({why})" if why else "")
