# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is one text of a program: its words, the first version that has them, and where they were seen."""

from __future__ import annotations

from dataclasses import dataclass

from maclab.rules import EVERY, Version


@dataclass(frozen=True)
class Wording:
    """One wording, from the first version that has it until the next one."""

    first: Version
    text: str
    source: str = ""
    assumed: bool = False


Wordings = tuple[Wording, ...]


def seen(text: str, source: str, first: Version = EVERY) -> Wording:
    return Wording(first, text, source=source)


def assumed(text: str, first: Version = EVERY) -> Wording:
    return Wording(first, text, assumed=True)
