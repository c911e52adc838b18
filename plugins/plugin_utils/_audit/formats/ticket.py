# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the report for a ticket: one page of Markdown.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t

from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.commands import command
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.escape import markdown
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.mac import STATES, TITLES
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.rules import FAIL, UNKNOWN
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.summary import LISTED, iso

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.formats.base import WholeFile
    from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.history import Change
    from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.mac import Judged
    from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.summary import Row, Summary


class MarkdownTicket:
    """Write one page: the numbers, the most urgent Macs, those that could not be read, and what has changed."""

    def __init__(self, file: WholeFile) -> None:
        self._file = file

    def add(self, judged: Judged, change: Change | None) -> None:
        """Do nothing: the page is written from the summary."""

    def end(self, summary: Summary) -> None:
        """Write the page."""
        states = summary.states
        lines = [f"# {markdown(summary.title)}", "", f"{iso(summary.now)}, {len(summary.rows)} Macs.", ""]
        lines += ["| state | Macs |", "| --- | ---: |"]
        lines += [f"| {TITLES[state]} | {states[state]} |" for state in STATES if states[state]]
        read = [row for row in summary.ranking if row.state not in ("unreachable", "refused")]
        unread = [row for row in summary.ranking if row.state in ("refused", "unreachable")]
        lines += _ranking_table("What to look at first", read) + _ranking_table("Not read", unread)
        broken = [(summary.results[rule.id][FAIL], rule) for rule in summary.policy.rules]
        broken = sorted(((number, rule) for number, rule in broken if number), key=lambda pair: -pair[0])
        if broken:
            lines += [
                "",
                "## Rules that are broken",
                "",
                "| rule | severity | Macs | remedy |",
                "| --- | --- | ---: | --- |",
            ]
            lines += [
                f"| {markdown(rule.title)} | {rule.severity} | {number} | {markdown(rule.remedy)} |"
                for number, rule in broken
            ]
        if summary.notes:
            lines += ["", "## What went wrong", "", *(f"- {markdown(words)}" for words in summary.notes)]
        if summary.expired:
            lines += ["", "## Exemptions that have run out", ""]
            lines += [f"- {markdown(words)}" for words in summary.expired]
        unknown = sum(counted[UNKNOWN] for counted in summary.results.values())
        if unknown:
            lines += ["", f"{unknown} times the reading did not tell whether a rule is kept."]
        if summary.since is not None:
            lines += ["", f"## Changed since {iso(summary.since.at)}", ""]
            lines += [f"- {_change_words(change)}" for change in summary.changes[:LISTED]] or ["Nothing."]
            more = len(summary.changes) - LISTED
            lines += [f"- and {more} more"] if more > 0 else []
        self._file.write("\n".join(lines) + "\n")


def _ranking_table(title: str, rows: list[Row]) -> list[str]:
    """Return the lines of a section with a table of Macs; none for no Macs."""
    if not rows:
        return []
    lines = ["", f"## {title}", "", "| Mac | state | why | next |", "| --- | --- | --- | --- |"]
    for row in rows[:LISTED]:
        todo = "; ".join(command(run, row.host) for run in row.next)
        lines.append(f"| {markdown(row.host)} | {TITLES[row.state]} | {markdown(row.why)} | {markdown(todo)} |")
    return lines + ([f"| and {len(rows) - LISTED} more | | | |"] if len(rows) > LISTED else [])


def _change_words(change: Change) -> str:
    """Return what is different about a Mac, in one line."""
    if not change.now:
        return f"{markdown(change.host)}: no longer among the Macs"
    if not change.was:
        return f"{markdown(change.host)}: new, {TITLES[change.now].lower()}"
    parts = [] if change.was == change.now else [f"{TITLES[change.was].lower()}, now {TITLES[change.now].lower()}"]
    for words, what in (
        ("broken", change.broken),
        ("mended", change.mended),
        ("holders gained", change.gained),
        ("holders lost", change.lost),
    ):
        parts += [f"{words}: {', '.join(markdown(one) for one in what)}"] if what else []
    return f"{markdown(change.host)}: {'; '.join(parts)}"
