# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""List what the lab assumes because nobody has shown it, as a Markdown table for the documentation."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from maclab.rules import Version, every_rule
from maclab.texts import TEXTS


def _dotted(version: Version) -> str:
    return ".".join(str(part) for part in version)


def _cell(text: str) -> str:
    return text.strip().replace("|", "\\|").replace("\n", "⏎")


def assumed_rows() -> list[tuple[str, str, str, str]]:
    """Return (kind, name, first version, what) of every assumed rule row and text."""
    rows: list[tuple[str, str, str, str]] = []
    for rule in every_rule():
        rows += [
            ("rule", rule.name, _dotted(row.first), f"{rule.about}: {_plain(row.value)}")
            for row in rule.rows
            if row.assumed
        ]
    for key, wordings in TEXTS.items():
        rows += [("text", key, _dotted(wording.first), wording.text) for wording in wordings if wording.assumed]
    return rows


@dataclass(frozen=True)
class Counts:
    """Count the rows of rules and the wordings of texts, and how many of them nobody has shown."""

    rules: int
    rules_assumed: int
    texts: int
    texts_assumed: int


def counts() -> Counts:
    rows = [row for rule in every_rule() for row in rule.rows]
    texts = [text for wordings in TEXTS.values() for text in wordings]
    return Counts(len(rows), sum(row.assumed for row in rows), len(texts), sum(text.assumed for text in texts))


def _plain(value: object) -> str:
    if isinstance(value, frozenset | tuple):
        return ", ".join(sorted(map(str, value)) if isinstance(value, frozenset) else map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def unsourced() -> list[str]:
    """Return the names of rule rows and texts that carry neither a source nor the mark of an assumption."""
    missing = [rule.name for rule in every_rule() for row in rule.rows if bool(row.source) == row.assumed]
    missing += [key for key, wordings in TEXTS.items() for text in wordings if bool(text.source) == text.assumed]
    return missing


def table() -> str:
    lines = ["| kind | name | from macOS | assumed |", "|---|---|---|---|"]
    lines += [f"| {kind} | `{name}` | {first} | {_cell(what)} |" for kind, name, first, what in assumed_rows()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(table())
