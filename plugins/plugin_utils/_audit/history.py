# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep the readings of every audit in an SQLite file that can only be added to, and say what has changed since.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import typing as t
import zlib
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from ansible_collections.keyholder.macos.plugins.module_utils._kind import count, moment
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.mac import COMPLIANCE, STATES, VERDICTS
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.rules import PASS

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.mac import Answer, Judged
    from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.summary import Summary

VERSION = 2
"""Version 1 is carried over when it is opened. Its state "recoverable" was what is compliant now, its "at_risk" what is
at_risk or urgent now, and a run had no numbers of its own."""

CARRIED = 1
"""Marks the numbers of a run that version 1 has added."""

_TABLES = """
CREATE TABLE IF NOT EXISTS runs (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, policy TEXT NOT NULL, states TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS partial_runs (run INTEGER PRIMARY KEY);
CREATE TABLE IF NOT EXISTS numbers (
    run INTEGER PRIMARY KEY, recoverable TEXT NOT NULL, compliant TEXT NOT NULL, carried INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS readings (digest BLOB PRIMARY KEY, content BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS macs (
    host TEXT NOT NULL, run INTEGER NOT NULL, state TEXT NOT NULL, failed TEXT NOT NULL, holders TEXT NOT NULL,
    why TEXT NOT NULL, read_at REAL, digest BLOB, PRIMARY KEY (host, run)
) WITHOUT ROWID;
"""
_APPEND_ONLY = """
CREATE TRIGGER IF NOT EXISTS {table}_{verb} BEFORE {verb} ON {table}
BEGIN SELECT RAISE(ABORT, 'the history can only be added to'); END;
"""


class HistoryError(RuntimeError):
    """Raised for a file that is no history, has an unknown version, or is damaged. The text names it."""


@dataclass(frozen=True)
class Before:
    """Hold a Mac's state in its last audit, and what it broke and who held a token when it was last read."""

    state: str
    read: bool = False
    """Whether it has been read at all."""
    failed: tuple[str, ...] = ()
    holders: tuple[str, ...] = ()


@dataclass(frozen=True)
class Change:
    """Hold what is different about a Mac. ``was`` "": it was not there; ``now`` "": it is not there any more."""

    host: str
    was: str
    now: str
    broken: tuple[str, ...] = ()
    """Rules that it breaks now and did not break then."""
    mended: tuple[str, ...] = ()
    """Rules that it broke then and keeps now."""
    gained: tuple[str, ...] = ()
    """Accounts that hold a token now and did not hold one then."""
    lost: tuple[str, ...] = ()

    def view(self) -> dict[str, t.Any]:
        """Return it as a report shows it."""
        return {
            "host": self.host,
            "was": self.was,
            "now": self.now,
            "broken": list(self.broken),
            "mended": list(self.mended),
            "holders_gained": list(self.gained),
            "holders_lost": list(self.lost),
        }


@dataclass(frozen=True)
class AuditRun:
    """Hold an earlier audit: when it was made, in seconds since 1970, and how many Macs were in which state."""

    id: int
    at: float
    states: t.Mapping[str, int]
    partial: bool = False
    """Whether only some of the Macs were to be in it."""
    recoverable: t.Mapping[str, int] = field(default_factory=dict)
    """How many Macs were recoverable, and how many were not, by verdict."""
    compliant: t.Mapping[str, int] = field(default_factory=dict)


class History:
    """Read and write one file. A run is in it whole, or not at all; while one is written, other writers wait.

    Every method raises :class:`HistoryError`, which names the file, if something goes wrong with it. A row that holds
    what no audit writes is skipped, and counted in ``odd``.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._odd: set[tuple[t.Any, ...]] = set()
        self._run = 0
        with self._use():
            self._base = sqlite3.connect(path, timeout=60, isolation_level=None)
        try:
            self._prepare()
        except HistoryError:
            self._base.close()
            raise

    def _prepare(self) -> None:
        with self._use():
            self._base.text_factory = lambda raw: raw.decode("utf-8", "replace")
            version = self._base.execute("PRAGMA user_version").fetchone()[0]
        if version not in range(VERSION + 1):
            raise HistoryError(f"{self._path} has the version {version}, and this collection knows {VERSION}")
        triggers = "".join(
            _APPEND_ONLY.format(table=table, verb=verb)
            for table in ("runs", "partial_runs", "numbers", "readings", "macs")
            for verb in ("UPDATE", "DELETE")
        )
        with self._use():
            self._base.executescript(f"{_TABLES}{triggers}")
            if version == VERSION:
                return
            self._base.execute("BEGIN IMMEDIATE")
            try:
                if self._base.execute("PRAGMA user_version").fetchone()[0] == 1:
                    self._carry_over()
                self._base.execute(f"PRAGMA user_version = {VERSION}")
                self._base.execute("COMMIT")
            except BaseException:
                self.rollback()
                raise

    def _carry_over(self) -> None:
        """Give each run of version 1 its two numbers, by the readings that it kept."""
        verdicts: dict[bytes, str] = {}
        for number, states in self._base.execute("SELECT id, states FROM runs").fetchall():
            counted = _row_states(states)
            if counted is None:
                continue
            recoverable: Counter[str] = Counter()
            rows = self._base.execute("SELECT digest, count(*) FROM macs WHERE run = ? GROUP BY digest", (number,))
            for digest, macs in rows.fetchall():
                if digest is not None and digest not in verdicts:
                    verdicts[digest] = self._verdict(digest)
                recoverable["not_read" if digest is None else verdicts[digest]] += macs
            unread = counted.get("refused", 0) + counted.get("unreachable", 0)
            unknown, yes = counted.get("unknown", 0), counted.get("compliant", 0)
            others = sum(counted.values()) - unread - unknown - yes
            compliant = {"yes": yes, "no": others, "unknown": unknown, "not_read": unread}
            self._add_numbers(number, recoverable, compliant, CARRIED)

    def _verdict(self, digest: t.Any) -> str:
        """Return whether a kept reading says that its Mac is recoverable; unknown if it cannot be told."""
        row = self._base.execute("SELECT content FROM readings WHERE digest = ?", (digest,)).fetchone()
        with suppress(zlib.error, ValueError, TypeError, RecursionError):
            mac = json.loads(zlib.decompress(row[0])) if row else None
            verdict = mac.get("recoverable") if isinstance(mac, dict) else None
            return verdict if verdict in VERDICTS else "unknown"
        return "unknown"

    def _add_numbers(
        self, run: int, recoverable: t.Mapping[str, int], compliant: t.Mapping[str, int], carried: int = 0
    ) -> None:
        texts = [json.dumps(dict(counted), allow_nan=False) for counted in (recoverable, compliant)]
        self._base.execute("INSERT OR IGNORE INTO numbers VALUES (?, ?, ?, ?)", (run, *texts, carried))

    @contextmanager
    def _use(self) -> t.Iterator[None]:
        """Raise :class:`HistoryError` for what SQLite and the file's content may raise."""
        try:
            yield
        except (sqlite3.Error, zlib.error, ValueError, TypeError, OverflowError) as problem:
            raise HistoryError(f"{self._path} cannot be used as a history: {problem}") from problem

    @property
    def odd(self) -> int:
        """Return how many rows were skipped."""
        return len(self._odd)

    def close(self) -> None:
        """Close the file. What was not committed is not in it."""
        self._base.close()

    def runs(self) -> list[AuditRun]:
        """Return the audits, the oldest first."""
        with self._use():
            rows = self._base.execute(
                "SELECT id, at, states, partial_runs.run IS NOT NULL, recoverable, compliant FROM runs"
                " LEFT JOIN partial_runs ON partial_runs.run = runs.id"
                " LEFT JOIN numbers ON numbers.run = runs.id ORDER BY at, id"
            ).fetchall()
        runs = []
        for number, at, states, partial, *texts in rows:
            when, counted = moment(at), _row_states(states)
            recoverable, compliant = _row_counts(texts[0], VERDICTS), _row_counts(texts[1], COMPLIANCE)
            if when is None or counted is None or recoverable is None or compliant is None:
                self._odd.add(("runs", number))
            else:
                runs.append(AuditRun(number, when, counted, bool(partial), recoverable, compliant))
        return runs

    def run_before(self, at: float, whole: bool = False) -> AuditRun | None:
        """Return the most recently added run whose own date is not after ``at``, None if there is none.

        ``whole``: leave out partial ones. The run with the latest date would not do: one that was made while the clock
        was ahead would be that run for a long time.
        """
        runs = [run for run in self.runs() if run.at <= at and not (whole and run.partial)]
        return max(runs, key=lambda run: run.id, default=None)

    def hosts(self, run: AuditRun | None) -> set[str]:
        """Return the Macs that were in a run; none for no run."""
        if run is None:
            return set()
        with self._use():
            rows = self._base.execute("SELECT host FROM macs WHERE run = ?", (run.id,)).fetchall()
        self._odd |= {("macs", host, run.id) for (host,) in rows if not isinstance(host, str)}
        return {host for (host,) in rows if isinstance(host, str)}

    def before(self, host: str, at: float) -> Before | None:
        """Return how a Mac was by then, None if it was in no audit. The audits' other Macs do not matter."""
        with self._use():
            # CROSS JOIN keeps SQLite from going through all runs first: the Mac's own rows are few, and side by side.
            rows = self._base.execute(
                "SELECT macs.run, state, digest, carried, failed, holders FROM macs CROSS JOIN runs ON id = macs.run"
                " LEFT JOIN numbers ON numbers.run = macs.run WHERE host = ? AND at <= ? ORDER BY macs.run DESC",
                (host, at),
            )
            last = ""
            for run, was, digest, carried, *texts in rows:
                read, state = digest is not None, self._state_now(was, digest) if carried else was
                failed, holders = map(_row_texts, texts)
                if state not in STATES or failed is None or holders is None:
                    self._odd.add(("macs", host, run))
                    continue
                last = last or state
                if read:
                    return Before(last, True, failed, holders)
            return Before(last) if last else None

    def _state_now(self, was: t.Any, digest: t.Any) -> t.Any:
        """Return what a state of version 1 is called now."""
        if was == "at_risk" and digest is not None and self._verdict(digest) != "at_risk":
            return "urgent"
        return "compliant" if was == "recoverable" else was

    def readings(self, run: AuditRun) -> t.Iterator[dict[str, t.Any]]:
        """Yield what was read in a run, as saved answers."""
        with self._use():
            rows = self._base.execute(
                "SELECT host, state, why, read_at, content FROM macs LEFT JOIN readings USING (digest) WHERE run = ?"
                " ORDER BY host",
                (run.id,),
            )
            for host, state, why, read_at, content in rows:
                mac = None if content is None else json.loads(zlib.decompress(content))
                yield {"host": host, "status": "read" if mac else state, "read_at": read_at, "why": why, "mac": mac}

    def begin(self) -> None:
        """Begin a run: all of it will be in the file, or nothing. Others wait."""
        with self._use():
            self._base.execute("BEGIN IMMEDIATE")
            self._run = self._base.execute("SELECT coalesce(max(id), 0) + 1 FROM runs").fetchone()[0]

    def add(self, judged: Judged) -> None:
        """Add a Mac to the run."""
        with self._use():
            row = (
                judged.answer.host,
                self._run,
                judged.state,
                json.dumps([finding.rule.id for finding in judged.failed], allow_nan=False),
                json.dumps(holders_of(judged.answer), allow_nan=False),
                judged.answer.why,
                judged.answer.read_at,
                self._keep(judged.answer),
            )
            self._base.execute("INSERT INTO macs VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)

    def _keep(self, answer: Answer) -> bytes | None:
        """Return the digest of a reading, None if there is none, and add the reading if it is not there yet.

        So a Mac that has not changed costs a row alone.
        """
        if answer.mac is None:
            return None
        content = answer.mac_text.encode("utf-8")
        digest = hashlib.sha256(content).digest()
        known = self._base.execute("SELECT 1 FROM readings WHERE digest = ?", (digest,)).fetchone()
        if known is None:
            self._base.execute("INSERT INTO readings VALUES (?, ?)", (digest, zlib.compress(content, 1)))
        return digest

    def end(self, summary: Summary) -> None:
        """Add the run itself. Only :meth:`commit` keeps it."""
        with self._use():
            states = json.dumps(summary.states, allow_nan=False)
            row = (self._run, summary.now, summary.policy.name, states)
            self._base.execute("INSERT INTO runs (id, at, policy, states) VALUES (?, ?, ?, ?)", row)
            self._add_numbers(self._run, summary.recoverable, summary.compliant)
            if summary.partial:
                self._base.execute("INSERT INTO partial_runs (run) VALUES (?)", (self._run,))

    def commit(self) -> None:
        """Keep the run."""
        with self._use():
            self._base.execute("COMMIT")

    def rollback(self) -> None:
        """Leave the file as it was before the run. Does nothing if no run is under way."""
        # SQLite may have done so itself, for example because the disk is full.
        with suppress(sqlite3.Error):
            self._base.execute("ROLLBACK")


def _row_json(text: t.Any) -> t.Any:
    """Return what the JSON of a row holds, None for what is none."""
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return None


def _row_states(text: t.Any) -> dict[str, int] | None:
    """Return how many Macs were in which state, None for what does not say so."""
    counted = _row_counts(text, (*STATES, "recoverable"))
    if counted and "recoverable" in counted:
        counted["compliant"] = counted.pop("recoverable")
    return counted


def _row_counts(text: t.Any, words: t.Collection[str]) -> dict[str, int] | None:
    """Return a number for each of some words, None for what does not say so."""
    content = _row_json(text)
    fine = isinstance(content, dict) and all(
        key in words and count(value) is not None for key, value in content.items()
    )
    return content if fine else None


def _row_texts(text: t.Any) -> tuple[str, ...] | None:
    """Return the texts of a list, None for anything else."""
    content = _row_json(text)
    fine = isinstance(content, list) and all(isinstance(one, str) for one in content)
    return tuple(content) if fine else None


def holders_of(answer: Answer) -> list[str]:
    """Return the short names of the token holders; none if the Mac was not read."""
    return [] if answer.mac is None else [str(name) for name in answer.mac["holders"]]


def change_of(judged: Judged, before: Before | None) -> Change | None:
    """Return what is different about a Mac, None if nothing is. ``before`` None: it is new.

    A Mac that could not be read says nothing of its rules and holders, so those are not compared.
    """
    host = judged.answer.host
    if before is None:
        return Change(host, "", judged.state)
    comparable = judged.answer.mac is not None and before.read
    failed = {finding.rule.id for finding in judged.failed}
    # A rule that is exempt, unknown or switched off now has not been put right.
    passed = {finding.rule.id for finding in judged.findings if finding.result == PASS}
    holders = set(holders_of(judged.answer))
    change = Change(
        host,
        before.state,
        judged.state,
        tuple(sorted(failed - set(before.failed))) if comparable else (),
        tuple(sorted(set(before.failed) & passed)) if comparable else (),
        tuple(sorted(holders - set(before.holders))) if comparable else (),
        tuple(sorted(set(before.holders) - holders)) if comparable else (),
    )
    unchanged = change.was == change.now and not (change.broken or change.mended or change.gained or change.lost)
    return None if unchanged else change
