# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One audit from answers to files: each Mac is judged, compared with the last time, written everywhere, and forgotten.

Only a short row of each Mac stays in memory, so that a hundred thousand need no more than a few hundred megabytes.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import re
import typing as t
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.fleet import (
    STATES,
    TITLES,
    UNREACHABLE,
    Answer,
    Judged,
    answer_from,
    damaged,
    judge,
)
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.history import (
    Change,
    History,
    HistoryError,
    Run,
    change_of,
)
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.policy import SEVERITIES, Policy
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.text import plain

SCHEMA = "keyholder.macos.audit/1"
"""In every JSON report. The number goes up when something is taken away or means something else."""

SHOWN = 25
"""Macs in a ranking for a person."""

TREND = 60
"""Earlier audits in a trend."""


@dataclass(frozen=True)
class Row:
    """What stays of a Mac until the end of the audit."""

    host: str
    state: str
    score: int
    why: str
    next: tuple[str, ...]
    worst: str


@dataclass
class Summary:
    """The fleet in numbers, filled as its Macs come by."""

    policy: Policy
    title: str
    now: float
    partial: bool = False
    """Only some of the Macs are to be in it, so that it says nothing of the others."""
    since: Run | None = None
    trend: list[Run] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    results: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    systems: Counter[str] = field(default_factory=Counter)
    unread: list[str] = field(default_factory=list)
    """What of the saved answers could not be used, in words."""
    history_failed: str = ""
    odd_rows: int = 0
    """Rows of the history that were skipped."""

    def add(self, judged: Judged, change: Change | None) -> None:
        self.rows.append(
            Row(judged.answer.host, judged.state, judged.score, judged.why, tuple(judged.next), judged.worst)
        )
        if change is not None:
            self.changes.append(change)
        for finding in judged.findings:
            self.results[finding.rule.id][finding.result] += 1
        if judged.answer.mac is not None:
            self.systems[str(judged.answer.mac["os"]["version"])] += 1

    @property
    def states(self) -> dict[str, int]:
        counted = Counter(row.state for row in self.rows)
        return {state: counted[state] for state in STATES}

    @property
    def ranking(self) -> list[Row]:
        """The most urgent first; those in order are not in it."""
        urgent = [row for row in self.rows if row.state != "recoverable"]
        return sorted(urgent, key=lambda row: (-row.score, row.host))

    @property
    def worst(self) -> str:
        found = {row.worst for row in self.rows}
        return next((severity for severity in SEVERITIES if severity in found), "")

    @property
    def run_out(self) -> list[str]:
        """The exemptions whose last day is over, in words."""
        over = [exemption for exemption in self.policy.exemptions if exemption.over(self.now)]
        return [f"{one.rule} for {', '.join(one.macs)}, until {one.until.isoformat()}, by {one.by}" for one in over]

    @property
    def notes(self) -> list[str]:
        """What went wrong beside the Macs, in words."""
        notes = [f"not in the report: {plain(words)}" for words in self.unread[:SHOWN]]
        more = len(self.unread) - SHOWN
        notes += [f"not in the report: {more} more"] if more > 0 else []
        if self.history_failed:
            notes.append(
                f"the history failed, so what has changed is not complete, and it does not have this audit: "
                f"{plain(self.history_failed)}"
            )
        if self.odd_rows:
            rows = "1 row of the history was" if self.odd_rows == 1 else f"{self.odd_rows} rows of the history were"
            notes.append(f"{rows} skipped, with what no audit writes")
        return notes

    @property
    def time(self) -> str:
        return iso(self.now)

    def view(self) -> dict[str, t.Any]:
        return {
            "macs": len(self.rows),
            "states": self.states,
            "worst": self.worst,
            "macos": dict(sorted(self.systems.items())),
            "rules": {code: dict(sorted(counted.items())) for code, counted in sorted(self.results.items())},
            "notes": self.notes,
        }

    def lines(self) -> list[str]:
        """For a person at a terminal."""
        width = max([3, *(len(plain(row.host)) for row in self.ranking[:SHOWN])])
        lines = [f"{len(self.rows)} Macs: {in_words(self.states)}", *self.notes]
        for row in self.ranking[:SHOWN]:
            lines.append(f"{plain(row.host):<{width}}  {TITLES[row.state]:<15}  {plain(row.why)}")
            if row.next:
                lines.append(f"{'':<{width}}  {'':<15}  next: {', '.join(row.next)}")
        more = len(self.ranking) - SHOWN
        lines += [f"and {more} more"] if more > 0 else []
        lines += [f"an exemption has run out: {plain(words)}" for words in self.run_out]
        if self.since is not None:
            lines.append(f"{len(self.changes)} Macs have changed since {iso(self.since.at)}")
        return lines


def iso(at: float) -> str:
    moment = datetime.datetime.fromtimestamp(at, datetime.timezone.utc)
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def in_words(states: t.Mapping[str, int]) -> str:
    return (
        ", ".join(f"{states[state]} {TITLES[state].lower()}" for state in reversed(STATES) if states[state]) or "none"
    )


class Output(t.Protocol):
    """One file of the report, or two."""

    def add(self, judged: Judged, change: Change | None) -> None:
        """One Mac."""

    def end(self, summary: Summary) -> None:
        """The fleet; nothing comes after it."""


_HOST = re.compile(r'\s*\{\s*"host":\s*("(?:[^"\\]|\\.)*")')
"""How an answer begins, whatever has become of the rest of it."""


def saved(path: str, unread: list[str]) -> t.Iterator[Answer]:
    """Return the answers in a file: a report as JSON, or an answer a line. What of it cannot be used goes into
    ``unread``, in words; a Mac whose answer cannot be used is an answer that says so."""
    try:
        with open(path, "rb") as stream:
            if path.endswith(".jsonl"):
                for number, line in enumerate(stream, 1):
                    if line.strip():
                        yield from _line(line, f"{path}, line {number}", unread)
                return
            data = stream.read()
    except OSError as problem:
        unread.append(f"{path}: {problem.strerror or problem}")
        return
    content = _json(data)
    if isinstance(content, dict) and content.get("schema") == SCHEMA and isinstance(content.get("macs"), list):
        for number, entry in enumerate(content["macs"]):
            yield from entry_answer(entry, f"{path}, macs[{number}]", unread)
        return
    if content is not None:
        unread.append(f"{path} is no report of the schema {SCHEMA}")
        return
    unread.append(f"{path} is no JSON, or not whole")
    # A report has a Mac a line, so that those before the place where it was cut are not lost.
    for number, line in enumerate(data.split(b"\n") if SCHEMA.encode() in data[:200] else (), 1):
        if line.startswith(b'{"host": '):
            yield from _line(line.rstrip(b",\r"), f"{path}, line {number}", unread)


def _json(data: bytes) -> t.Any:
    """Return what JSON holds, None for what is none."""
    try:
        return json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None


def _line(line: bytes, where: str, unread: list[str]) -> t.Iterator[Answer]:
    content = _json(line)
    if content is None:
        found = _HOST.match(line.decode("utf-8", "replace"))
        host = found and _json(found[1].encode("utf-8"))
        if host:
            yield damaged(plain(host), f"{where} is no JSON")
            return
    yield from entry_answer(content, where, unread)


def entry_answer(content: t.Any, where: str, unread: list[str], host: str = "") -> t.Iterator[Answer]:
    """Return the answer that an entry is; of one that cannot be used, its Mac with the reason. ``host``: whose it must
    be, where that is known."""
    named = content.get("host") if isinstance(content, dict) else None
    name = host or named
    if not isinstance(name, str) or not name.strip():
        unread.append(f"{where}: it is no answer of a Mac, or has no host")
        return
    try:
        answer = answer_from(content)
    except ValueError as problem:
        answer = damaged(plain(name), f"{where}: {problem}")
    except Exception as problem:
        answer = damaged(plain(name), problem)
    yield answer


def with_missing(
    answers: t.Iterable[Answer], expected: t.Iterable[str], unread: t.Sequence[str] = ()
) -> t.Iterator[Answer]:
    """Return the answers, and then those that should be among them. Of two answers of one Mac the first one counts."""
    some = False
    for answer in answers:
        some = True
        yield answer
    if some or unread:
        yield from absent(expected, unread)


def absent(expected: t.Iterable[str], unread: t.Sequence[str]) -> t.Iterator[Answer]:
    """Return for each of these Macs why nobody knows it: a slice could not be read, or delivered nothing."""
    for host in expected:
        if unread:
            more = f"; and {len(unread) - 1} more" if len(unread) > 1 else ""
            yield damaged(host, f"its slice could not be read: {unread[0]}{more}")
        else:
            yield Answer(host, UNREACHABLE, None, None, "its slice delivered nothing")


class NoAnswersError(ValueError):
    """There is nothing to make a report of."""


def _nothing() -> None:
    """Return."""


def run(
    answers: t.Iterable[Answer],
    summary: Summary,
    outputs: t.Sequence[Output],
    history: History | None,
    since: float | None = None,
    finish: t.Callable[[], None] = _nothing,
) -> None:
    """Judge, compare, write. Of two answers of one Mac the first one counts.

    ``finish``: puts the files in their place, once all of them are whole. Only then the history has this audit. Where
    the history fails, the report is made without it, and says so.
    """
    past = _Past(history, summary, summary.now if since is None else since)
    try:
        seen: set[str] = set()
        for answer in answers:
            if answer.host in seen:
                continue
            seen.add(answer.host)
            judged = judge(answer, summary.policy, summary.now)
            change = past.change(judged)
            summary.add(judged, change)
            for output in outputs:
                output.add(judged, change)
            past.add(judged)
        if not seen:
            raise NoAnswersError("there is no answer of any Mac")
        if summary.unread:
            # Whoever was in what could not be read is not gone.
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
    """The history in one audit. At the first thing that goes wrong with it, it is left, and the summary says why."""

    def __init__(self, history: History | None, summary: Summary, by: float) -> None:
        self._history = history
        self._summary = summary
        self._by = by
        self._whole: Run | None = None
        self._try(self._begin, None)

    def _try(self, what: t.Callable[[History], _T], otherwise: _T) -> _T:
        history = self._history
        if history is None:
            return otherwise
        try:
            made = what(history)
        except HistoryError as problem:
            self._summary.history_failed = str(problem)
            self.leave()
            return otherwise
        self._summary.odd_rows = history.odd
        return made

    def _begin(self, history: History) -> None:
        summary = self._summary
        summary.since = history.run_before(self._by)
        self._whole = history.run_before(self._by, whole=True)
        if not summary.partial:
            trend = [one for one in history.runs() if one.at <= summary.now and not one.partial]
            summary.trend = trend[-TREND:]
        history.begin()

    def change(self, judged: Judged) -> Change | None:
        """Return what is different about a Mac."""
        return self._try(lambda history: self._change(history, judged), None)

    def _change(self, history: History, judged: Judged) -> Change | None:
        before = history.before(judged.answer.host, self._by)
        # Where all were only ever audited in part, one that was not there before is no news.
        return change_of(judged, before) if before is not None or self._whole is not None else None

    def add(self, judged: Judged) -> None:
        """Add a Mac to the run."""
        self._try(lambda history: history.add(judged), None)

    def end(self, seen: t.Collection[str]) -> None:
        """Say who is gone, and have the run ready to be kept."""
        self._try(lambda history: self._end(history, seen), None)

    def _end(self, history: History, seen: t.Collection[str]) -> None:
        summary = self._summary
        if not summary.partial:
            for host in sorted(history.hosts(self._whole).difference(seen)):
                last = history.before(host, self._by)
                if last is not None:
                    summary.changes.append(Change(host, last.state, ""))
        history.end(summary.now, summary.policy.name, summary.states, summary.partial)

    def commit(self) -> None:
        """Keep the run."""
        self._try(lambda history: history.commit(), None)
        self._history = None

    def leave(self) -> None:
        """Leave the history as it was before the run, where that was not kept."""
        if self._history is not None:
            self._history.rollback()
            self._history = None


class File:
    """A file that is there whole, or as it was before."""

    def __init__(self, path: str) -> None:
        if os.path.isdir(path):
            raise IsADirectoryError(f"{path} is a folder, and a file of the report is called so")
        self.path = path
        # Another audit may write into the same folder at the same time.
        self._part = f"{path}.{os.getpid()}.part"
        self.stream = open(self._part, "w", encoding="utf-8", newline="")  # noqa: SIM115

    def write(self, text: str) -> None:
        """Write the next part."""
        self.stream.write(text)

    def close(self) -> None:
        """Have all of it on the disk, beside what was there before. Raises ``OSError`` where there is no room."""
        if not self.stream.closed:
            self.stream.flush()
            os.fsync(self.stream.fileno())
            self.stream.close()

    def done(self) -> None:
        """Put it in its place."""
        self.close()
        os.replace(self._part, self.path)

    def drop(self) -> None:
        """Take away what is not done. Nothing happens where it is."""
        # Closing writes what waits to be written, which fails again where the disk is full.
        with contextlib.suppress(OSError):
            self.stream.close()
        with contextlib.suppress(OSError):
            os.unlink(self._part)
