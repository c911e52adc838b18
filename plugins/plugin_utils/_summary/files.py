# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write a fleet's rows for a spreadsheet and for another program.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import csv
import json
import os
import typing as t

from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.escape import cell
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.formats.base import WholeFile
from ansible_collections.keyholder.macos.plugins.plugin_utils._summary.row import Item, Row
from ansible_collections.keyholder.macos.plugins.plugin_utils._summary.told import counts, reasons

COLUMNS = (
    "mac",
    "outcome",
    "what",
    "done",
    "before",
    "after",
    "reason",
    "why",
    "remedy",
    "steps",
    "notes",
    "recoverable",
)


def write(folder: str, name: str, about: t.Mapping[str, t.Any], rows: t.Sequence[Row]) -> list[str]:
    """Write both files, and return where they are. Raise ``OSError`` if they cannot be written."""
    os.makedirs(folder, exist_ok=True)
    files = [WholeFile(os.path.join(folder, f"{name}.{ending}")) for ending in ("csv", "json")]
    try:
        table = csv.writer(files[0].stream)
        table.writerow(COLUMNS)
        for line in table_of(rows):
            table.writerow([cell(value) for value in line])
        files[1].write(json.dumps(view(about, rows), indent=1, allow_nan=False) + "\n")
        for one in files:
            one.close()
        for one in files:
            one.done()
    finally:
        for one in files:
            one.drop()
    return [one.path for one in files]


def table_of(rows: t.Iterable[Row]) -> t.Iterator[tuple[str, ...]]:
    """Yield a line for each account of each Mac, and for a Mac without one."""
    for row in rows:
        mac = (row.host, row.status)
        stands = (row.before, row.after)
        if row.why or not row.items:
            yield (*mac, "", "", *stands, row.reason, row.why, row.remedy, "", "", row.recoverable)
        for item in row.items:
            said = (item.reason, item.why, item.remedy, "; ".join(item.steps), "; ".join(item.notes))
            yield (*mac, item.what, item.words, *stands, *said, row.recoverable)


def view(about: t.Mapping[str, t.Any], rows: t.Sequence[Row]) -> dict[str, t.Any]:
    """Return all that is known of a run, as data."""
    return {
        **about,
        "counts": counts(rows),
        "reasons": [
            {
                "reason": one.code,
                "why": next(iter(one.whys)),
                "remedy": next(iter(one.remedies), ""),
                "macs": list(one.hosts),
            }
            for one in reasons(rows)
        ],
        "macs": [_mac(row) for row in rows],
    }


def _mac(row: Row) -> dict[str, t.Any]:
    return {
        "mac": row.host,
        "outcome": row.status,
        "before": row.before,
        "after": row.after,
        "reason": row.reason,
        "why": row.why,
        "remedy": row.remedy,
        "evidence": list(row.evidence),
        "says": row.says,
        "recoverable": row.recoverable,
        "items": [_item(item) for item in row.items],
    }


def _item(item: Item) -> dict[str, t.Any]:
    return {
        "what": item.what,
        "outcome": item.status,
        "done": item.words,
        "reason": item.reason,
        "why": item.why,
        "remedy": item.remedy,
        "steps": list(item.steps),
        "evidence": list(item.evidence),
        "notes": list(item.notes),
        "found": list(item.found),
    }
