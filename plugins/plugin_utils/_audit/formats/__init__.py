# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""List the formats of a report. The head of the folder above says how to add one.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t

from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.formats.base import Format, WholeFile
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.formats.data import JsonReport, SavedReadings
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.formats.junit import JunitSuites
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.formats.page import HtmlPage
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.formats.tables import CsvTables
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.formats.ticket import MarkdownTicket

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.summary import Summary

    NewFile = t.Callable[[str], WholeFile]
    """Opens a file of the report, given what its name ends with."""

FORMATS: dict[str, t.Callable[[NewFile, Summary], Format]] = {
    "html": lambda new, summary: HtmlPage(new(".html"), summary),
    "json": lambda new, summary: JsonReport(new(".json"), summary),
    "csv": lambda new, summary: CsvTables(new(".csv"), new("-findings.csv"), summary.columns),
    "junit": lambda new, summary: JunitSuites(new(".xml"), summary),
    "markdown": lambda new, _summary: MarkdownTicket(new(".md")),
    "readings": lambda new, _summary: SavedReadings(new(".jsonl")),
}
"""By the values of audit_report's option ``formats``, in the order in which they are written."""
