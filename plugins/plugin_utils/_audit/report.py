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
    judge,
)
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.history import (
    Change,
    History,
    Run,
    Writer,
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
    def time(self) -> str:
        return iso(self.now)

    def view(self) -> dict[str, t.Any]:
        return {
            "macs": len(self.rows),
            "states": self.states,
            "worst": self.worst,
            "macos": dict(sorted(self.systems.items())),
            "rules": {code: dict(sorted(counted.items())) for code, counted in sorted(self.results.items())},
        }

    def lines(self) -> list[str]:
        """For a person at a terminal."""
        width = max([3, *(len(plain(row.host)) for row in self.ranking[:SHOWN])])
        lines = [f"{len(self.rows)} Macs: {in_words(self.states)}"]
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


def saved(path: str) -> t.Iterator[Answer]:
    """The answers in a file: a report as JSON, or an answer a line. Raises ``ValueError`` and ``OSError``."""
    with open(path, encoding="utf-8") as stream:
        if path.endswith(".jsonl"):
            for number, line in enumerate(stream, 1):
                if line.strip():
                    yield _saved(path, number, line)
            return
        try:
            content = json.load(stream)
        except ValueError as problem:
            raise ValueError(f"{path} is no JSON: {problem}") from problem
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        raise ValueError(f"{path} is no report of the schema {SCHEMA}")
    yield from (answer_from(entry) for entry in content["macs"])


def _saved(path: str, number: int, line: str) -> Answer:
    try:
        return answer_from(json.loads(line))
    except ValueError as problem:
        raise ValueError(f"{path}, line {number}: {problem}") from problem


def with_missing(answers: t.Iterable[Answer], expected: t.Iterable[str]) -> t.Iterator[Answer]:
    """The answers, and then those that should be among them. Of two answers of one Mac the first one counts."""
    some = False
    for answer in answers:
        some = True
        yield answer
    if some:
        yield from (Answer(host, UNREACHABLE, None, None, "its slice delivered nothing") for host in expected)


def run(
    answers: t.Iterable[Answer],
    summary: Summary,
    outputs: t.Sequence[Output],
    history: History | None,
    since: float | None = None,
) -> None:
    """Judge, compare, write. Of two answers of one Mac the first one counts."""
    by = summary.now if since is None else since
    whole: Run | None = None
    if history is not None:
        summary.since = history.run_before(by)
        whole = history.run_before(by, whole=True)
        if not summary.partial:
            trend = [one for one in history.runs() if one.at <= summary.now and not one.partial]
            summary.trend = trend[-TREND:]
    with contextlib.ExitStack() as stack:
        writer: Writer | None = None
        if history is not None:
            writer = stack.enter_context(
                history.adding(summary.now, summary.policy.name, lambda: summary.states, summary.partial)
            )
        seen: set[str] = set()
        for answer in answers:
            if answer.host in seen:
                continue
            seen.add(answer.host)
            judged = judge(answer, summary.policy, summary.now)
            change: Change | None = None
            if history is not None:
                before = history.before(answer.host, by)
                # Where all were only ever audited in part, one that was not there before is no news.
                if before is not None or whole is not None:
                    change = change_of(judged, before)
            summary.add(judged, change)
            for output in outputs:
                output.add(judged, change)
            if writer is not None:
                writer.add(judged)
        if not seen:
            raise ValueError("there is no answer of any Mac")
        if history is not None and not summary.partial:
            for host in sorted(history.hosts(whole) - seen):
                last = history.before(host, by)
                summary.changes.append(Change(host, last.state if last else "", ""))
        for output in outputs:
            output.end(summary)


class File:
    """A file that is there whole, or as it was before."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._part = f"{path}.part"
        self.stream = open(self._part, "w", encoding="utf-8", newline="")  # noqa: SIM115

    def write(self, text: str) -> None:
        self.stream.write(text)

    def done(self) -> None:
        self.stream.close()
        os.replace(self._part, self.path)

    def drop(self) -> None:
        """Nothing happens where it is done."""
        self.stream.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._part)
