# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run one audit from answers to files: judge each Mac, compare it with the last time, write it everywhere, forget it.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t

from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.history import (
    AuditRun,
    Change,
    History,
    HistoryError,
    change_of,
)
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.mac import Answer, Judged, judge_mac

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.formats.base import Format
    from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.summary import Summary

TREND = 60
"""Earlier audits in a trend."""


class NoAnswersError(ValueError):
    """Raised if there is no answer of any Mac to make a report of."""


def _do_nothing() -> None:
    """Return at once."""


def run_audit(
    answers: t.Iterable[Answer],
    summary: Summary,
    outputs: t.Sequence[Format],
    history: History | None,
    since: float | None = None,
    finish: t.Callable[[], None] = _do_nothing,
) -> None:
    """Judge, compare and write each answer, and fill ``summary``. Of two answers of one Mac the first one counts.

    ``since``: compare with what the history had then, in seconds since 1970; None: with the last there is. ``finish``
    puts the files in their place once all of them are whole; only then the history gets this audit. If the history
    fails, the report is made without it and says so. Raise :class:`NoAnswersError`, and whatever writing raises.
    """
    past = _Past(history, summary, summary.now if since is None else since)
    try:
        seen: set[str] = set()
        for answer in answers:
            if answer.host in seen:
                continue
            seen.add(answer.host)
            judged = judge_mac(answer, summary.policy, summary.now)
            change = past.change(judged)
            summary.add(judged, change)
            for output in outputs:
                output.add(judged, change)
            past.add(judged)
        if not seen:
            raise NoAnswersError("there is no answer of any Mac")
        if summary.unread:
            # A Mac that was in what could not be read is not gone.
            summary.partial, summary.trend = True, []
        past.end(seen)
        for output in outputs:
            output.end(summary)
        finish()
        past.commit()
    finally:
        past.leave()


_T = t.TypeVar("_T")


class _Past:
    """Use the history in one audit. At the first thing that goes wrong it is left, and the summary says why."""

    def __init__(self, history: History | None, summary: Summary, by: float) -> None:
        self._history = history
        self._summary = summary
        self._by = by
        self._whole: AuditRun | None = None
        self._try(self._begin, None)

    def _try(self, what: t.Callable[[History], _T], otherwise: _T) -> _T:
        """Return what a step with the history returns; ``otherwise`` if there is none, or it fails now."""
        history = self._history
        if history is None:
            return otherwise
        try:
            answer = what(history)
        except HistoryError as problem:
            self._summary.history_failed = str(problem)
            self.leave()
            return otherwise
        self._summary.odd_rows = history.odd
        return answer

    def _begin(self, history: History) -> None:
        summary = self._summary
        summary.since = history.run_before(self._by)
        self._whole = history.run_before(self._by, whole=True)
        if not summary.partial:
            trend = [one for one in history.runs() if one.at <= summary.now and not one.partial]
            summary.trend = trend[-TREND:]
        history.begin()

    def change(self, judged: Judged) -> Change | None:
        """Return what is different about a Mac, None if nothing is."""
        return self._try(lambda history: self._change(history, judged), None)

    def _change(self, history: History, judged: Judged) -> Change | None:
        before = history.before(judged.answer.host, self._by)
        # If all audits so far were partial, a Mac that was in none of them need not be new.
        return change_of(judged, before) if before is not None or self._whole is not None else None

    def add(self, judged: Judged) -> None:
        """Add a Mac to the run."""
        self._try(lambda history: history.add(judged), None)

    def end(self, seen: t.Collection[str]) -> None:
        """Tell the summary which Macs are gone, and have the run ready to be kept."""
        self._try(lambda history: self._end(history, seen), None)

    def _end(self, history: History, seen: t.Collection[str]) -> None:
        summary = self._summary
        if not summary.partial:
            for host in sorted(history.hosts(self._whole).difference(seen)):
                last = history.before(host, self._by)
                if last is not None:
                    summary.changes.append(Change(host, last.state, ""))
        history.end(summary)

    def commit(self) -> None:
        """Keep the run."""
        self._try(lambda history: history.commit(), None)
        self._history = None

    def leave(self) -> None:
        """Leave the history as it was before the run. Does nothing once the run is kept."""
        if self._history is not None:
            self._history.rollback()
            self._history = None
