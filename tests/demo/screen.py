# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts words and tables on a terminal: plain, and coloured only for somebody who sees colours."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Iterable, Sequence
from typing import NamedTuple

WIDTH = 98

COLOURS = {"good": "32", "bad": "1;31", "dim": "2", "bold": "1"}


class Cell(NamedTuple):
    """`mood` is a key of COLOURS, or "" for none."""

    text: str
    mood: str = ""


def colour(mood: str, text: str) -> str:
    seen = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return f"\x1b[{COLOURS[mood]}m{text}\x1b[0m" if seen and mood and text else text


def heading(text: str, aside: str = "") -> None:
    print(f"\n{colour('bold', text)}" + (colour("dim", f"  {aside}") if aside else ""))


def fact(label: str, text: str) -> None:
    """A label and what belongs to it, which may take several lines."""
    first, *rest = textwrap.wrap(text, WIDTH - 14, break_long_words=False, break_on_hyphens=False) or [""]
    print(f"  {colour('dim', label.ljust(11))} {first}")
    for words in rest:
        print(f"{'':14}{words}")


def command(text: str) -> None:
    print(f"    {text}")


def table(
    head: Sequence[str], rows: Iterable[Sequence[Cell]], groups: Sequence[tuple[str, int]] = (), gap: int = 2
) -> None:
    """`groups` stand over the head: words, and how many columns they stand over."""
    body = list(rows)
    widths = [
        max(len(cell) for cell in column) for column in zip(head, *[[c.text for c in row] for row in body], strict=True)
    ]
    if groups:
        _print(
            [Cell(text, "bold") for text, _number in groups],
            _spans(widths, [number for _text, number in groups], gap),
            gap,
        )
    _print([Cell(text, "dim") for text in head], widths, gap)
    _print([Cell("-" * width, "dim") for width in widths], widths, gap)
    for row in body:
        _print(row, widths, gap)


def _spans(widths: Sequence[int], numbers: Sequence[int], gap: int) -> list[int]:
    spans, start = [], 0
    for number in numbers:
        spans.append(sum(widths[start : start + number]) + gap * (number - 1))
        start += number
    return spans


def _print(row: Sequence[Cell], widths: Sequence[int], gap: int) -> None:
    """Numbers end where their column ends, words begin where it begins."""
    parts = []
    for cell, width in zip(row, widths, strict=True):
        room = " " * (width - len(cell.text))
        shown = colour(cell.mood, cell.text)
        parts.append(room + shown if cell.text.isdigit() else shown + room)
    print("  " + (" " * gap).join(parts).rstrip())
