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
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from ansible_collections.keyholder.macos.plugins.module_utils._kind import count, moment
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.mac import STATES
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.rules import PASS

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.mac import Answer, Judged

VERSION = 1

_TABLES = """
CREATE TABLE IF NOT EXISTS runs (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, policy TEXT NOT NULL, states TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS partial_runs (run INTEGER PRIMARY KEY);
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
        if version not in (0, VERSION):
            raise HistoryError(f"{self._path} has the version {version}, and this collection knows {VERSION}")
        triggers = "".join(
            _APPEND_ONLY.format(table=table, verb=verb)
            for table in ("runs", "partial_runs", "readings", "macs")
            for verb in ("UPDATE", "DELETE")
        )
        with self._use():
            self._base.executescript(f"{_TABLES}{triggers}PRAGMA user_version = {VERSION};")

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
                "SELECT id, at, states, partial_runs.run IS NOT NULL FROM runs"
                " LEFT JOIN partial_runs ON partial_runs.run = runs.id ORDER BY at, id"
            ).fetchall()
        runs = []
        for number, at, states, partial in rows:
            when, counted = moment(at), _row_states(states)
            if when is None or counted is None:
                self._odd.add(("runs", number))
            else:
                runs.append(AuditRun(number, when, counted, bool(partial)))
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
                "SELECT run, state, digest IS NOT NULL, failed, holders FROM macs CROSS JOIN runs ON id = run"
                " WHERE host = ? AND at <= ? ORDER BY run DESC",
                (host, at),
            )
            last = ""
            for run, state, read, *texts in rows:
                failed, holders = map(_row_texts, texts)
                if state not in STATES or failed is None or holders is None:
                    self._odd.add(("macs", host, run))
                    continue
                last = last or state
                if read:
                    return Before(last, True, failed, holders)
            return Before(last) if last else None

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

    def end(self, at: float, policy: str, states: t.Mapping[str, int], partial: bool) -> None:
        """Add the run itself. Only :meth:`commit` keeps it."""
        with self._use():
            row = (self._run, at, policy, json.dumps(dict(states), allow_nan=False))
            self._base.execute("INSERT INTO runs (id, at, policy, states) VALUES (?, ?, ?, ?)", row)
            if partial:
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
    content = _row_json(text)
    fine = isinstance(content, dict) and all(
        key in STATES and count(value) is not None for key, value in content.items()
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
