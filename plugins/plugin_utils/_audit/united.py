# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unite histories of one fleet: every audit that one of them has is in the result, once.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import typing as t
from pathlib import Path

from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.history import History, HistoryError

_Run = tuple[float, str, str]
"""When an audit was made, its policy, and its numbers: no two audits share all three."""

_TABLES = {
    "runs": ("at, policy, states", "id"),
    "partial_runs": ("", "run"),
    "numbers": ("recoverable, compliant, carried", "run"),
    "macs": ("host, state, failed, holders, why, read_at, digest", "run"),
}
"""Table -> its other columns, and the one that holds an audit's number."""


def unite(sources: t.Sequence[Path], to: Path) -> None:
    """Have in ``to`` every audit of the sources, the oldest first. ``to`` may be one of them.

    Raise :class:`HistoryError`, which names the file, for a source that is no whole history; ``to`` is then as before.
    """
    found = {source: _runs_of(source) for source in sources}
    every = {run for runs in found.values() for run in runs}
    beside = to.with_name(f"{to.name}.united")
    try:
        whole = next((source for source, runs in found.items() if every == runs.keys()), None)
        if whole == to or not found:
            return
        if whole is not None:
            shutil.copyfile(whole, beside)
        else:
            _build(found, sorted(every), beside)
        os.replace(beside, to)
    except (sqlite3.Error, OSError) as problem:
        raise HistoryError(f"{to} cannot be made of {len(found)} histories: {problem}") from problem
    finally:
        for path in (beside, beside.with_name(f"{beside.name}-journal")):
            path.unlink(missing_ok=True)


def _runs_of(source: Path) -> dict[_Run, int]:
    """Return the audits of a history with their numbers, after a look at the whole file."""
    if not source.is_file() or not source.stat().st_size:
        raise HistoryError(f"{source} is not there or empty, and no history")
    # Opening carries an earlier version over.
    History(str(source)).close()
    try:
        with contextlib.closing(sqlite3.connect(source)) as base:
            said = base.execute("PRAGMA quick_check(1)").fetchone()[0]
            if said != "ok":
                raise HistoryError(f"{source} is damaged: {said}")
            return {tuple(run): number for number, *run in base.execute("SELECT id, at, policy, states FROM runs")}
    except sqlite3.Error as problem:
        raise HistoryError(f"{source} cannot be used as a history: {problem}") from problem


def _build(found: t.Mapping[Path, t.Mapping[_Run, int]], every: t.Sequence[_Run], to: Path) -> None:
    """Make a new history of the audits of several."""
    to.unlink(missing_ok=True)
    History(str(to)).close()
    number = {run: index for index, run in enumerate(every, 1)}
    done: set[_Run] = set()
    with contextlib.closing(sqlite3.connect(to, isolation_level=None)) as base:
        for source, runs in found.items():
            base.execute("ATTACH ? AS source", (str(source),))
            base.execute("BEGIN IMMEDIATE")
            base.execute("INSERT OR IGNORE INTO readings SELECT * FROM source.readings")
            for run, old in runs.items():
                if run not in done:
                    done.add(run)
                    for table, (columns, key) in _TABLES.items():
                        others = f", {columns}" if columns else ""
                        base.execute(
                            f"INSERT INTO {table} ({key}{others}) SELECT ?{others} FROM source.{table} WHERE {key} = ?",
                            (number[run], old),
                        )
            base.execute("COMMIT")
            base.execute("DETACH source")
