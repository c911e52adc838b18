# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare names as macOS does, and make texts harmless on their way out: nothing steers a terminal, or hides. Pure.

Inside, a name is what the Mac says, as accounts are compared by it. Whatever leaves goes through :func:`plain`.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import re
import typing as t
import unicodedata

INSTEAD = "?"

_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)  # fmt: skip
"""Letters and marks that are invisible (Unicode, Default_Ignorable_Code_Point), beside those that are no letters."""

_ZERO_WIDTH_JOINERS = "\u200c\u200d"
_EMOJI = ("\ufe0e", "\ufe0f")
_JOINED = ("Lo", "Mn", "Mc")
"""Arabic and Indic letters and their marks: there a joiner changes how they are written."""


def folded(name: str) -> str:
    """Return a name as macOS compares it: without case, and in one of Unicode's ways to compose letters."""
    return unicodedata.normalize("NFC", name).lower()


def plain(text: str) -> str:
    """Return ``text`` with a question mark for each character that may steer a terminal, break a line, turn the
    direction of the text around, or is invisible: all controls and format characters, separators of lines, what is
    not assigned, what is for private use, and fillers.

    A joiner stays between two letters of a script that is written with it, and within an emoji: it steers nothing and
    turns nothing around there, and without it Persian and Indic names are misspelt. Blanks of any width stay.
    """
    if text.isprintable() and not _UNSEEN.search(text):
        return text
    return "".join(char if _harmless(text, index) else INSTEAD for index, char in enumerate(text))


def plain_data(value: t.Any, kept: t.Collection[str] = ()) -> t.Any:
    """Return lists and dictionaries with each text in them, keys as well, as :func:`plain` gives it. ``kept``: keys
    whose values stay as they are."""
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, dict):
        return {
            plain_data(key): entry if key in kept else plain_data(entry, kept) for key, entry in value.items()
        }  # fmt: skip
    if isinstance(value, (list, tuple)):
        return [plain_data(entry, kept) for entry in value]
    return value


def _harmless(text: str, index: int) -> bool:
    char = text[index]
    before = unicodedata.category(text[index - 1]) if index else ""
    after = unicodedata.category(text[index + 1]) if index + 1 < len(text) else ""
    if char in _ZERO_WIDTH_JOINERS:
        written = before in _JOINED and after in _JOINED
        picture = char == "\u200d" and after == "So" and (before in ("So", "Sk") or text[index - 1 : index] in _EMOJI)
        return written or picture
    if char in _EMOJI:
        return before[:1] in ("S", "N")
    return (char.isprintable() or unicodedata.category(char) == "Zs") and not _UNSEEN.match(char)
