# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold the tables to their promise: every row says where it was learnt, or that it was assumed."""

from __future__ import annotations

import re

from transcripts import TRANSCRIPTS

from maclab import assumed
from maclab.rules import Row, every_rule
from maclab.texts import TEXTS, say


def test_every_row_has_a_source_or_is_assumed() -> None:
    assert assumed.unsourced() == []


def test_a_source_that_looks_like_a_transcript_is_one() -> None:
    rows: list[Row[object]] = [row for rule in every_rule() for row in rule.rows]
    sources = [row.source for row in rows] + [text.source for wordings in TEXTS.values() for text in wordings]
    ids = {source for source in sources if re.fullmatch(r"[A-Za-z0-9.-]+", source)}
    assert ids <= set(TRANSCRIPTS)


def test_rows_ascend() -> None:
    for rule in every_rule():
        assert [row.first for row in rule.rows] == sorted(row.first for row in rule.rows), rule.name
    for key, wordings in TEXTS.items():
        assert [text.first for text in wordings] == sorted(text.first for text in wordings), key


def test_the_table_names_every_assumption() -> None:
    table = assumed.table()
    assert table.startswith("| kind | name |")
    assert table.count("\n") == len(assumed.assumed_rows()) + 2
    assert "| rule | `first_token_empty_password` |" in table


def test_braces_of_an_error_survive() -> None:
    text = say("sysadminctl.not_admin", (15, 0))
    assert "UserInfo={NSLocalizedDescription=" in text
    assert text.endswith(".}")
