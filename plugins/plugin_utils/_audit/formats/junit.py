# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the report for a pipeline: JUnit XML.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import re
import typing as t
from xml.sax.saxutils import escape, quoteattr

from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.commands import command
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.escape import plain_text
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.rules import FAIL, PASS

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.formats.base import WholeFile
    from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.history import Change
    from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.mac import Judged
    from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.summary import Summary


_HARMLESS = re.compile(r"[A-Za-z0-9_.:;, ()-]*")
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class JunitSuites:
    """Write a suite for each Mac and a case for each rule, as CI systems read it. The sums stand in the suites, because
    the head is written before they are known; a reader adds them up."""

    def __init__(self, file: WholeFile, summary: Summary) -> None:
        self._file = file
        file.write(f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name={_quoted(summary.title)}>\n')

    def add(self, judged: Judged, change: Change | None) -> None:
        """Write one Mac's suite; a Mac that was not read is one case with an error."""
        host = _quoted(judged.answer.host)
        if judged.answer.mac is None:
            self._file.write(
                f'<testsuite name={host} tests="1" failures="0" errors="1" skipped="0">{_properties(judged)}'
                f"<testcase classname={host}"
                f' name="reading"><error type={_quoted(judged.state)} message={_quoted(judged.why)}/></testcase>'
                "</testsuite>\n"
            )
            return
        results = [finding.result for finding in judged.findings]
        failures = results.count(FAIL)
        skipped = len(results) - failures - results.count(PASS)
        lines = [f'<testsuite name={host} tests="{len(results)}" failures="{failures}" errors="0" skipped="{skipped}">']
        lines += [_properties(judged)]
        for finding in judged.findings:
            case = f"<testcase classname={host} name={_quoted(finding.rule.id)}"
            if finding.result == PASS:
                lines.append(f"{case}/>")
                continue
            said = "; ".join(finding.found) or finding.result.replace("_", " ")
            if finding.result == FAIL:
                kind, message = finding.rule.severity, f"{finding.rule.title}: {said}"
                todo = [finding.rule.remedy, *(command(run, [judged.answer.host]) for run in finding.run)]
                more = escape(_NOT_IN_XML.sub("?", " ".join(todo)))
                lines.append(f"{case}><failure type={_quoted(kind)} message={_quoted(message)}>{more}</failure>")
            else:
                why = f"exempt until {finding.exemption.until}" if finding.exemption else said
                lines.append(f"{case}><skipped message={_quoted(why)}/>")
            lines.append("</testcase>")
        self._file.write("".join(lines) + "</testsuite>\n")

    def end(self, summary: Summary) -> None:
        """Close the document."""
        self._file.write("</testsuites>\n")


def _properties(judged: Judged) -> str:
    """Return what is said of the Mac as a whole: the two words, and what the inventory says of it."""
    said = {"recoverable": judged.recoverable, "compliant": judged.compliant, **judged.answer.columns}
    properties = "".join(f"<property name={_quoted(name)} value={_quoted(value)}/>" for name, value in said.items())
    return f"<properties>{properties}</properties>"


def _quoted(text: str) -> str:
    """Return a text as an attribute's value, in its quotes."""
    # Most are plain words, and there are millions of them in a large fleet.
    return f'"{text}"' if _HARMLESS.fullmatch(text) else quoteattr(plain_text(_NOT_IN_XML.sub("?", text)))
