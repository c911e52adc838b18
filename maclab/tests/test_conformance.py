# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold the lab's programs to what real Macs were seen to print."""

from __future__ import annotations

import fakes
import pytest
from conformance import TOLERANCES, pairs, plain, repeat, same
from conformance_cases import CASES
from conformance_count import count
from conformance_setups import UNREPEATED
from transcripts import TRANSCRIPTS

# Of all transcripts with a text, and of those whose program and form the lab has: raise them when more are.
WHOLE_AT_LEAST = 0.75
REPEATED_WHOLE_AT_LEAST = 0.89


def test_every_record_is_tested_or_explained() -> None:
    assert not set(CASES) & set(UNREPEATED)
    assert set(CASES) | set(UNREPEATED) == set(TRANSCRIPTS), (
        "a record is repeated (setups.yml, conformance_cases.py) or explained (unrepeated.yml)"
    )


@pytest.mark.parametrize("record_id", sorted(CASES))
def test_repeats_the_transcript(record_id: str) -> None:
    record, case = TRANSCRIPTS[record_id], CASES[record_id]()
    if case.hangs:
        assert fakes.run(case.mac, *case.argv, stdin=case.stdin, typed=case.typed, root=case.root, patience=0.2).hung
        return
    said = repeat(case, record)
    if record.rc is not None:
        assert said.status == record.rc
    assert set(case.loose) <= set(TOLERANCES)
    for there, here in pairs(record, said):
        if not same(there, here, case):
            assert plain(here, case, True) == plain(there, case, True)
    if case.after is not None:
        assert case.after(case.mac, said.run)
    if record.program == "sysadminctl":
        assert said.run.out == ""


def test_the_share_that_is_compared_whole_does_not_fall() -> None:
    now = count()
    assert now.whole >= WHOLE_AT_LEAST * now.with_text, now
    assert now.whole >= REPEATED_WHOLE_AT_LEAST * now.repeated, now
