# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Count how many transcripts the lab repeats to the last letter."""

from __future__ import annotations

from dataclasses import dataclass

from conformance_cases import CASES
from transcripts import TRANSCRIPTS


@dataclass(frozen=True)
class Count:
    """Transcripts that have a text: all, those that the lab repeats, those that are compared whole."""

    with_text: int
    repeated: int
    whole: int


def count() -> Count:
    cases = {record_id: build() for record_id, build in CASES.items() if TRANSCRIPTS[record_id].has_text}
    whole = [case for case in cases.values() if not case.part and not case.hangs]
    return Count(sum(record.has_text for record in TRANSCRIPTS.values()), len(cases), len(whole))
