# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prove that no letter of a text that somebody has seen can be changed without a transcript that notices it."""

from __future__ import annotations

import functools
import re
import string
from collections.abc import Iterator
from dataclasses import replace

import pytest
import yaml
from conformance import pairs, repeat, same
from conformance_cases import CASES
from conformance_setups import UNREPEATED
from transcripts import FIXTURE, TRANSCRIPTS

from maclab.rules import Version
from maclab.texts import TEXTS
from maclab.wording import Wording

# A lab over SSH is needed to see these; what it sends is compared here with what the record has.
SHOWN_BY_SSH = UNREPEATED["preboot-ssh-banner-26.0.1"]
SEEN = [(key, text) for key, wordings in TEXTS.items() for text in wordings if not text.assumed]


def chosen(key: str, version: Version) -> Wording:
    return max((text for text in TEXTS[key] if text.first <= version), key=lambda text: text.first)


def pattern(template: str) -> re.Pattern[str]:
    """Match what a template becomes; its own letters are in groups, what is filled in is not."""
    made = ""
    for literal, name, _form, _conversion in string.Formatter().parse(template):
        made += f"({re.escape(literal)})" if literal else ""
        made += "(?:.*?)" if name is not None else ""
    return re.compile(made, re.DOTALL)


def misspelt(printed: str, wording: Wording) -> Iterator[str]:
    """Give the output with each letter of the wording changed in turn, one at a time."""
    found = pattern(wording.text).search(printed)
    if found is None:
        return
    for number in range(1, (found.re.groups or 0) + 1):
        for place in range(*found.span(number)):
            if printed[place].isalpha():
                changed = "Z" if printed[place] != "Z" else "Q"
                yield printed[:place] + changed + printed[place + 1 :]


@functools.cache
def outputs(record_id: str) -> list[tuple[str, str]]:
    """Return what the record has, and what the Mac in memory prints: once for all texts."""
    record, case = TRANSCRIPTS[record_id], CASES[record_id]()
    return [] if case.hangs else pairs(record, repeat(case, record))


def unnoticed(record_id: str, wording: Wording) -> list[str] | None:
    """Return the misspelt outputs that the record would let pass; None where it does not print the wording."""
    case, passed, shown = CASES[record_id](), [], False
    for there, here in outputs(record_id):
        for other in misspelt(here, wording):
            shown = True
            if same(there, other, case):
                passed.append(other)
    return passed if shown else None


FROM_TRANSCRIPTS = [(key, text) for key, text in SEEN if text.source in TRANSCRIPTS]
FROM_QUOTES = [(key, text) for key, text in SEEN if text.source not in TRANSCRIPTS]
QUOTES: dict[str, list[str]] = yaml.safe_load(FIXTURE.with_name("quotes.yml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("key", "wording"), FROM_TRANSCRIPTS, ids=[f"{key}-{text.source}" for key, text in FROM_TRANSCRIPTS]
)
def test_the_record_of_a_text_notices_a_changed_letter(
    key: str, wording: Wording, monkeypatch: pytest.MonkeyPatch
) -> None:
    if UNREPEATED.get(wording.source) == SHOWN_BY_SSH:
        record = TRANSCRIPTS[wording.source]
        assert wording.text in (record.stdout or "") + (record.stderr or "")
        return
    assert wording.source in CASES, f"{wording.source} is not repeated"
    assert chosen(key, CASES[wording.source]().mac.version_tuple) is wording, "the record is of another version"
    if any(letter.isalpha() for letter in wording.text):
        assert unnoticed(wording.source, wording) == []
        monkeypatch.setitem(TEXTS, key, tuple(_misspelt(text) if text is wording else text for text in TEXTS[key]))
        record, case = TRANSCRIPTS[wording.source], CASES[wording.source]()
        assert not all(same(there, here, case) for there, here in pairs(record, repeat(case, record)))


def _misspelt(wording: Wording) -> Wording:
    """Change the first letter that the text itself has, and no placeholder."""
    place, inside = 0, False
    while inside or not wording.text[place].isalpha():
        inside = (wording.text[place] == "{" and wording.text[place + 1] != "{") or (
            inside and wording.text[place] != "}"
        )
        place += 1
    return replace(wording, text=f"{wording.text[:place]}Z{wording.text[place + 1 :]}")


@pytest.mark.parametrize(("key", "wording"), FROM_QUOTES, ids=[key for key, _text in FROM_QUOTES])
def test_a_text_of_a_published_source_stands_there(key: str, wording: Wording) -> None:
    assert wording.text in QUOTES.get(wording.source, []), (
        f"{key}: no transcript is called {wording.source!r}, and fixtures/quotes.yml has not this text from there"
    )


def test_every_quotation_is_used() -> None:
    used = {(text.source, text.text) for _key, text in FROM_QUOTES}
    assert {(source, text) for source, texts in QUOTES.items() for text in texts} == used
