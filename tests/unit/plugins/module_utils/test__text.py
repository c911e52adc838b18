# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may leave: every character of Unicode is asked about, and the few that need their neighbours with them."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.keyholder.macos.plugins.module_utils._text import plain, plain_data

NAMED = {
    "C0": "\x00\x07\x08\x09\x0a\x0d\x1b\x1f", "DEL": "\x7f", "C1": "\x80\x85\x9b\x9d", "soft hyphen": "\xad",
    "bidi": "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c",
    "zero width": "\u200b\u200c\u200d\u2060\ufeff\u034f\u3164\uffa0\u115f\u180e", "separators": "\u2028\u2029",
    "tags": "\U000e0001\U000e0041\U000e007f", "selectors": "\ufe00\ufe0f\U000e0100", "unassigned": "\u0378\ufffe",
    "private": "\ue000\U00100000", "annotation": "\ufff9\ufffb", "surrogates": "\ud800",
}  # fmt: skip


@pytest.mark.parametrize("name", NAMED)
def test_what_steers_hides_or_turns_around_is_replaced(name: str) -> None:
    for char in NAMED[name]:
        assert plain(f"a{char}b") == "a?b", hex(ord(char))
        assert plain(char) == "?", hex(ord(char))


def test_of_all_characters_only_letters_signs_and_blanks_are_left() -> None:
    left = {unicodedata.category(chr(code)) for code in range(sys.maxunicode + 1) if plain(chr(code)) == chr(code)}
    assert left & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} == set()


@pytest.mark.parametrize(
    "name",
    [
        "Ana Sousa",
        "Jürgen",
        "山田　太郎",
        "Zoe\u0301",
        "می‌خواهم",
        "क्‍ष",
        "👩‍💻",
        "❤️‍🔥",
        "O'Brien",
        "a\u00a0b",
        "שרה",
        "1️⃣",
    ],
)
def test_names_of_people_stay(name: str) -> None:
    assert plain(name) == name


@given(st.text())
def test_once_is_enough_and_nothing_is_lost(text: str) -> None:
    once = plain(text)
    assert plain(once) == once
    assert len(once) == len(text)
    assert "\n" not in once and "\x1b" not in once


def test_data_is_plain_whole() -> None:
    given_ = {"a\x1b": ["b\u202e", {"c": ("d\n", 1, None, True, 1.5)}], "key": "e\nf"}
    assert plain_data(given_, kept=("key",)) == {"a?": ["b?", {"c": ["d?", 1, None, True, 1.5]}], "key": "e\nf"}
