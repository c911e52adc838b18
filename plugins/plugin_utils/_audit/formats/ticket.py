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
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.sentences import iso, numbers, some
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.summary import LISTED

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
        lines += [f"- {words}" for words in numbers(summary.recoverable, summary.compliant)] + [""]
        lines += [f"- {markdown(name)}: {markdown(value)}" for name, value in summary.about.items()]
        lines += [""] if summary.about else []
        lines += ["| state | Macs |", "| --- | ---: |"]
        lines += [f"| {TITLES[state]} | {states[state]} |" for state in STATES if states[state]]
        if summary.since is not None:
            lines += [
                "",
                f"## What has changed since {iso(summary.since.at)}",
                "",
                *(f"- {markdown(words)}" for words in summary.changed),
            ]
        lines += _cause_lines(summary)
        read = [row for row in summary.ranking if row.state not in ("unreachable", "refused")]
        unread = [row for row in summary.ranking if row.state in ("refused", "unreachable")]
        lines += _ranking_table("What to look at first", read) + _ranking_table("Not read", unread)
        if summary.notes:
            lines += ["", "## What went wrong", "", *(f"- {markdown(words)}" for words in summary.notes)]
        if summary.expired:
            lines += ["", "## Exemptions that have run out", ""]
            lines += [f"- {markdown(words)}" for words in summary.expired]
        if summary.since is not None:
            lines += ["", "## What has changed, by Mac", ""]
            lines += [f"- {_change_words(change)}" for change in summary.changes[:LISTED]] or ["Nothing."]
            more = len(summary.changes) - LISTED
            lines += [f"- and {more} more"] if more > 0 else []
        self._file.write("\n".join(lines) + "\n")


def _cause_lines(summary: Summary) -> list[str]:
    """Return the lines of the section with the causes; none for none."""
    if not summary.causes:
        return []
    lines = ["", "## What to do", ""]
    for cause in summary.causes[:LISTED]:
        what = " ".join([cause.remedy, *cause.commands]).strip()
        lines += [f"- {markdown(cause.sentence)} ({markdown(cause.label)})", f"  - {markdown(some(cause.hosts))}"]
        lines += [f"  - {markdown(what)}"] if what else []
    more = len(summary.causes) - LISTED
    return lines + ([f"- and {more} more causes"] if more > 0 else [])


def _ranking_table(title: str, rows: list[Row]) -> list[str]:
    """Return the lines of a section with a table of Macs; none for no Macs."""
    if not rows:
        return []
    lines = ["", f"## {title}", "", "| Mac | state | why | next |", "| --- | --- | --- | --- |"]
    for row in rows[:LISTED]:
        todo = "; ".join(command(run, [row.host]) for run in row.next)
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
