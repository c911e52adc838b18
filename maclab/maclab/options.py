# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take options from an argument vector as the C library of macOS does: bundled letters, and nothing behind a word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """The letters in their order, each with its value or "", the words behind them, and what getopt complained of."""

    given: tuple[tuple[str, str], ...]
    rest: tuple[str, ...]
    complaint: str = ""

    @property
    def letters(self) -> frozenset[str]:
        return frozenset(letter for letter, _value in self.given)

    def last(self, letter: str) -> str | None:
        """Return the value that was given last, None without one."""
        return next((value for each, value in reversed(self.given) if each == letter), None)


def getopt(argv: Sequence[str], known: str) -> Options:
    """Return what was given; `known` is in getopt's own words: a colon behind a letter that takes a value."""
    given: list[tuple[str, str]] = []
    words = list(argv)
    while words and words[0].startswith("-") and words[0] != "-":
        word = words.pop(0)[1:]
        if word == "-":
            break
        while word:
            letter, word = word[0], word[1:]
            if letter == ":" or letter not in known:
                return Options(tuple(given), tuple(words), f"illegal option -- {letter}")
            takes_value = known[known.index(letter) + 1 :][:1] == ":"
            if not takes_value:
                given.append((letter, ""))
                continue
            if not word and not words:
                return Options(tuple(given), (), f"option requires an argument -- {letter}")
            given.append((letter, word or words.pop(0)))
            word = ""
    return Options(tuple(given), tuple(words))
