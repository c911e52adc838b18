# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold the lab's programs to what real Macs were seen to print."""

from __future__ import annotations

import re

import fakes
import pytest
from conformance_cases import CASES, NOT_TESTED, Case
from transcripts import TRANSCRIPTS

LOG_PREFIX = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? )?sysadminctl\[[^\]]*\]:? ", re.MULTILINE)
SOURCE_FILE = re.compile(r"File:\S+ Line:\d+")


def test_every_record_is_tested_or_explained() -> None:
    assert not set(CASES) & set(NOT_TESTED)
    assert set(CASES) | set(NOT_TESTED) == set(TRANSCRIPTS)
    assert all(NOT_TESTED.values())


def plain(text: str, case: Case) -> list[str]:
    """Take away what no two runs share: times, process numbers, Apple's source paths, tabs turned to blanks, names."""
    for word, meaning in case.names.items():
        text = text.replace(word, meaning)
    # A terminal shows the new line that ends an unseen password; a pipe does not.
    text = re.sub(r"(password:|password for [^:\n]* ?:)\n?", r"\1\n", text)
    text = SOURCE_FILE.sub("File", LOG_PREFIX.sub("", text))
    lines = [line.strip() for line in text.split("\n")]
    return [line.lower() if case.fold else line for line in lines if line]


def assert_same(expected: str, actual: str, case: Case) -> None:
    wanted, found = plain(expected, case), plain(actual, case)
    if not case.part:
        assert found == wanted
        return
    rest = iter(found)
    for line in wanted:
        assert any(line in other for other in rest), f"{line!r} is missing, or out of order, in {found!r}"


@pytest.mark.parametrize("record_id", sorted(CASES))
def test_repeats_the_transcript(record_id: str) -> None:
    record, case = TRANSCRIPTS[record_id], CASES[record_id]()
    if case.hangs:
        assert fakes.run(case.mac, *case.argv, stdin=case.stdin, typed=case.typed, root=case.root, patience=0.2).hung
        return
    run = fakes.run(
        case.mac, *case.argv, stdin=case.stdin, typed=case.typed, user=case.user, root=case.root, env=case.env
    )
    if record["rc"] is not None:
        assert run.status == record["rc"]
    if record["stream_known"]:
        for stream, actual in ((record["stdout"], run.out), (record["stderr"], run.err)):
            if stream is not None:
                assert_same(stream, actual, case)
    elif record["stdout"] is not None or record["stderr"] is not None:
        assert_same((record["stdout"] or "") + (record["stderr"] or ""), run.merged, case)
    if case.after is not None:
        assert case.after(case.mac, run)
    if case.argv[0] == "sysadminctl":
        assert run.out == ""
        assert run.status == 0
