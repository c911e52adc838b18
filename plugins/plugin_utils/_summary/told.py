# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell a fleet's rows on a terminal: a line a Mac, a paragraph a reason, the numbers. Pure.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t
from collections import Counter
from dataclasses import dataclass, field

from ansible_collections.keyholder.macos.plugins.module_utils._text import plain
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.sentences import macs, some
from ansible_collections.keyholder.macos.plugins.plugin_utils._summary.row import (
    BOOTSTRAP,
    CHANGED,
    FAILED,
    FILEVAULT,
    GONE,
    HOLDERS,
    MACOS,
    NOT_BEGUN,
    REFUSED,
    SAME,
    TROUBLE,
    UNREAD,
    Row,
)

_HEADS = {HOLDERS: "holders", FILEVAULT: "FileVault", BOOTSTRAP: "Bootstrap Token", MACOS: "macOS"}
_ORDER = (SAME, CHANGED, NOT_BEGUN, FAILED, REFUSED, UNREAD, GONE)
"""Of the lines: a terminal shows the end, and there stands what has to be looked at."""
_COUNTED = (CHANGED, SAME, FAILED, REFUSED, UNREAD, GONE, NOT_BEGUN)


@dataclass
class Reason:
    """Gather the Macs with the same trouble."""

    code: str
    hosts: list[str] = field(default_factory=list)
    whys: dict[str, None] = field(default_factory=dict)
    remedies: dict[str, None] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """Return the paragraph: how many Macs, why, which, and what to do."""
        first = next(iter(self.whys))
        example = ", for example: " if len(self.whys) > 1 else ": "
        told = f"{macs(len(self.hosts))}{example}{first}{f' [{self.code}]' if self.code else ''}"
        remedy = next(iter(self.remedies), "")
        return [told, f"    {some(self.hosts)}", *([f"    {remedy}"] if remedy else [])]


def reasons(rows: t.Iterable[Row]) -> list[Reason]:
    """Return what went wrong, by its code or else by its words: what most Macs have comes last."""
    found: dict[str, Reason] = {}
    for row in rows:
        troubles = [(row.reason, row.why, row.remedy)] if row.troubled and row.why else []
        troubles += [(item.reason, item.why, item.remedy) for item in row.items if item.status in TROUBLE]
        for code, why, remedy in troubles:
            reason = found.setdefault(code or why, Reason(code))
            if row.host not in reason.hosts:
                reason.hosts.append(row.host)
            reason.whys.setdefault(plain(why))
            if remedy:
                reason.remedies.setdefault(plain(remedy))
    return sorted(found.values(), key=lambda one: len(one.hosts))


def failed_macs(rows: t.Sequence[Row]) -> str:
    """Return in a line which Macs are not as asked, and by which reasons; "" if none is."""
    hosts = [row.host for row in rows if row.troubled]
    codes = ", ".join(reason.code for reason in reasons(rows) if reason.code)
    return f"{macs(len(hosts))} failed: {some(hosts, 10)}{f' ({codes})' if codes else ''}" if hosts else ""


def notes(rows: t.Iterable[Row]) -> dict[str, list[str]]:
    """Return what is to be known beside the steps, and on which Macs."""
    found: dict[str, list[str]] = {}
    for row in rows:
        for note in dict.fromkeys(note for item in row.items for note in item.notes):
            found.setdefault(note, []).append(row.host)
    return found


def counts(rows: t.Iterable[Row]) -> dict[str, int]:
    """Return how many Macs ended how."""
    found = Counter(row.status for row in rows)
    return {status: found[status] for status in _COUNTED if found[status]}


def numbers(rows: t.Sequence[Row], check: bool = False) -> str:
    """Return the numbers in words."""
    words = {CHANGED: "would be changed" if check else "changed", SAME: "with nothing to do"}
    told = [f"{number} {words.get(status, status.replace('_', ' '))}" for status, number in counts(rows).items()]
    return f"{macs(len(rows))}: {', '.join(told) or 'none'}"


def progress(rows: t.Sequence[Row], check: bool = False) -> str:
    """Return how far a run has come whose batches are not all done."""
    begun = [row for row in rows if row.status != NOT_BEGUN]
    told = numbers(begun, check).partition(": ")[2]
    return f"{len(begun)} of {macs(len(rows))} done: {told}"


def lines(title: str, rows: t.Sequence[Row], shows: str = HOLDERS, check: bool = False) -> list[str]:
    """Return the summary of a fleet."""
    ordered = sorted(rows, key=lambda row: _ORDER.index(row.status))
    cells = [[plain(row.host), _change(row), outcome(row)] for row in ordered]
    head = _HEADS[shows] if any(change for _host, change, _outcome in cells) else ""
    table = [["Mac", head, "outcome"], *cells]
    widths = [max(len(line[column]) for line in table) for column in (0, 1)]
    told = [f"{plain(title)}{', check mode: nothing was changed' if check else ''}", ""]
    told += ["  ".join(_padded(line, widths)).rstrip() for line in table]
    for row in rows:
        for item in (one for one in row.items if one.found):
            told += ["", plain(f"{row.host} {item.what}".strip())]
            told += [f"    found: {one}" for one in item.found] + [f"    repair: {one}" for one in item.steps]
    for note, hosts in notes(rows).items():
        told += ["", f"{macs(len(hosts))}, note: {plain(note)}", f"    {some(hosts)}"]
    for reason in reasons(rows):
        told += ["", *reason.lines()]
    return [*told, "", numbers(rows, check)]


def _padded(line: t.Sequence[str], widths: t.Sequence[int]) -> list[str]:
    """Return the cells of a line as wide as their columns. A column in which nothing stands is left out."""
    padded = [cell.ljust(width) for cell, width in zip(line, widths) if width]
    return [*padded, line[-1]]


def _change(row: Row) -> str:
    return row.before if row.before == row.after else f"{row.before or '?'} -> {row.after or '?'}"


def outcome(row: Row) -> str:
    """Return what became of a Mac: what was done with which accounts, and each reason by its code."""
    if row.status == NOT_BEGUN:
        return "not begun"
    if row.why and not row.items:
        return plain(f"{_cried(row.status)}{f' [{row.reason}]' if row.reason else f': {row.why}'}")
    at_risk = f"; recoverable: {row.recoverable.replace('_', ' ')}" if row.recoverable not in ("", "yes") else ""
    if row.says:
        return f"{row.says}{at_risk}"
    grouped: dict[str, list[str]] = {}
    for item in row.items:
        because = f" [{item.reason}]" if item.reason else f" ({item.why})" if item.why else ""
        grouped.setdefault(f"{item.words}{because}", []).append(item.what)
    told = []
    for words, whats in grouped.items():
        named = some([what for what in whats if what])
        told.append(f"{named}: {words}" if named else words)
    if row.why:
        told.append(f"{_cried(row.status)}{f' [{row.reason}]' if row.reason else ''}")
    return plain(f"{'; '.join(told) or 'nothing to do'}{at_risk}")


def _cried(status: str) -> str:
    words = status.replace("_", " ")
    return words.upper() if status in TROUBLE else words
