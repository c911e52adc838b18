# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the report for other programs: JSON by the published schema, and the readings, a line each.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import datetime
import json
import typing as t

from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.mac import json_with
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.saved import SCHEMA
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.sentences import iso

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.formats.base import WholeFile
    from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.history import Change
    from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.mac import Judged
    from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.summary import Summary


class JsonReport:
    """Write everything, by the schema in docs/schema/audit-2.json. Each Mac has one line, so that two reports can be
    compared, and what is before a cut can be read."""

    def __init__(self, file: WholeFile, summary: Summary) -> None:
        self._file = file
        head = {
            "schema": SCHEMA,
            "generated_at": iso(summary.now),
            "title": summary.title,
            "about": dict(summary.about),
            "columns": list(summary.columns),
            "policy": {
                "name": summary.policy.name,
                "parameters": dict(summary.policy.parameters),
                "rules": [rule.view() for rule in summary.policy.rules],
            },
        }
        self._file.write(f'{json.dumps(head, allow_nan=False, default=_date_text)[:-1]}, "macs": [')
        self._first = True

    def add(self, judged: Judged, change: Change | None) -> None:
        """Write one Mac's line."""
        entry = {**judged.view(), "change": None if change is None else change.view()}
        self._file.write(f"{'' if self._first else ','}\n{json_with(entry, judged.ready)}")
        self._first = False

    def end(self, summary: Summary) -> None:
        """Write the numbers, the changes and the trend."""
        since = None if summary.since is None else iso(summary.since.at)
        foot = {
            "summary": summary.view(),
            "changed_since": since,
            "changes": [change.view() for change in summary.changes],
            "trend": [
                {"at": iso(run.at), "recoverable": dict(run.recoverable), "compliant": dict(run.compliant)}
                for run in summary.trend
            ],
        }
        self._file.write(f"\n], {json.dumps(foot, allow_nan=False)[1:]}\n")


class SavedReadings:
    """Write what came back from each Mac, a line each, of which another report can be made."""

    def __init__(self, file: WholeFile) -> None:
        self._file = file

    def add(self, judged: Judged, change: Change | None) -> None:
        """Write one Mac's line."""
        self._file.write(judged.answer.text() + "\n")

    def end(self, summary: Summary) -> None:
        """Do nothing: each line is whole by itself."""


def _date_text(value: t.Any) -> str:
    """Return a date as text: a policy may have one as a parameter. Raise ``TypeError`` for anything else."""
    if not isinstance(value, datetime.date):
        raise TypeError(f"a {type(value).__name__} is in the report")
    return str(value)
