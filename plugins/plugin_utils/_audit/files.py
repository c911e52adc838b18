# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report for other programs and for a ticket: JSON, readings, CSV, JUnit XML and Markdown.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import csv
import datetime
import json
import re
import typing as t
from xml.sax.saxutils import escape, quoteattr

from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.fleet import STATES, TITLES, Judged, json_with
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.policy import (
    FAIL,
    NOT_APPLICABLE,
    PASS,
    UNKNOWN,
)
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.report import (
    SCHEMA,
    SHOWN,
    File,
    Row,
    Summary,
    iso,
)
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.text import cell, markdown, plain

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.history import Change

_HARMLESS = re.compile(r"[A-Za-z0-9_.:;, ()-]*")
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Json:
    """Everything, as the schema says; a Mac a line, so that it can be looked at and compared."""

    def __init__(self, file: File, summary: Summary) -> None:
        self._file = file
        head = {
            "schema": SCHEMA,
            "generated_at": iso(summary.now),
            "title": summary.title,
            "policy": {
                "name": summary.policy.name,
                "parameters": dict(summary.policy.parameters),
                "rules": [rule.view() for rule in summary.policy.rules],
            },
        }
        self._file.write(f'{json.dumps(head, allow_nan=False, default=_day)[:-1]}, "macs": [')
        self._first = True

    def add(self, judged: Judged, change: Change | None) -> None:
        entry = {**judged.view(), "change": None if change is None else change.view()}
        self._file.write(f"{'' if self._first else ','}\n{json_with(entry, judged.ready)}")
        self._first = False

    def end(self, summary: Summary) -> None:
        since = None if summary.since is None else iso(summary.since.at)
        foot = {
            "summary": summary.view(),
            "changed_since": since,
            "changes": [change.view() for change in summary.changes],
            "trend": [{"at": iso(run.at), "states": dict(run.states)} for run in summary.trend],
        }
        self._file.write(f"\n], {json.dumps(foot, allow_nan=False)[1:]}\n")


class Readings:
    """What came back from each Mac, a line each: another report can be made of it."""

    def __init__(self, file: File) -> None:
        self._file = file

    def add(self, judged: Judged, change: Change | None) -> None:
        self._file.write(judged.answer.text() + "\n")

    def end(self, summary: Summary) -> None:
        """Nothing is to be added."""


class Csv:
    """Two tables: the Macs, and what is broken on them."""

    MACS = (
        "mac", "state", "why", "next", "worst", "macos", "build", "model", "chip", "recoverable", "admin_holders",
        "holders", "phantoms", "accounts", "filevault", "personal_recovery_key", "bootstrap_token", "enrolled",
        "unfinished", "not_read", "broken_rules", "read_at", "was",
    )  # fmt: skip
    FINDINGS = ("mac", "rule", "severity", "result", "title", "found", "accounts", "remedy", "run", "exempt_until")

    def __init__(self, macs: File, findings: File) -> None:
        self._macs = csv.writer(macs.stream)
        self._findings = csv.writer(findings.stream)
        self._macs.writerow(self.MACS)
        self._findings.writerow(self.FINDINGS)

    def add(self, judged: Judged, change: Change | None) -> None:
        answer, mac = judged.answer, judged.answer.mac
        row = [answer.host, judged.state, judged.why, ", ".join(judged.next), judged.worst]
        if mac is None:
            row += [""] * 15
        else:
            filevault, management = mac["filevault"], mac["management"]
            row += [
                mac["os"]["version"],
                mac["os"]["build"],
                mac["hardware"]["model"],
                {True: "Apple silicon", False: "Intel"}.get(mac["hardware"]["apple_silicon"], "unknown"),
                mac["recoverable"],
                *(", ".join(mac[key]) for key in ("admin_holders", "holders", "phantoms")),
                str(len(mac["accounts"])),
                filevault["state"],
                _said(filevault["personal_recovery_key"]),
                management["bootstrap_token"],
                _said(management["enrolled"]),
                ", ".join(mac["pending"]),
                ", ".join(missing["what"] for missing in mac["missing"]),
            ]
        row += [", ".join(finding.rule.id for finding in judged.failed)]
        row += ["" if answer.read_at is None else iso(answer.read_at), "" if change is None else change.was]
        self._macs.writerow([cell(value) for value in row])
        for finding in judged.findings:
            if finding.result in (PASS, NOT_APPLICABLE):
                continue
            rule = finding.rule
            exemption = finding.exemption or finding.expired
            exempt = exemption.until.isoformat() if exemption else ""
            found, accounts = "; ".join(finding.found), ", ".join(finding.accounts)
            line = (answer.host, rule.id, rule.severity, finding.result, rule.title, found, accounts)
            self._findings.writerow([cell(value) for value in (*line, rule.remedy, rule.run, exempt)])

    def end(self, summary: Summary) -> None:
        """Nothing is to be added."""


class Junit:
    """A suite for each Mac and a case for each rule, as CI systems read it. The sums stand in the suites: a reader adds
    them up."""

    def __init__(self, file: File, summary: Summary) -> None:
        self._file = file
        file.write(f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name={_attribute(summary.title)}>\n')

    def add(self, judged: Judged, change: Change | None) -> None:
        host = _attribute(judged.answer.host)
        if judged.answer.mac is None:
            self._file.write(
                f'<testsuite name={host} tests="1" failures="0" errors="1" skipped="0"><testcase classname={host}'
                f' name="reading"><error type={_attribute(judged.state)} message={_attribute(judged.why)}/></testcase>'
                "</testsuite>\n"
            )
            return
        results = [finding.result for finding in judged.findings]
        failures = results.count(FAIL)
        skipped = len(results) - failures - results.count(PASS)
        lines = [f'<testsuite name={host} tests="{len(results)}" failures="{failures}" errors="0" skipped="{skipped}">']
        for finding in judged.findings:
            case = f"<testcase classname={host} name={_attribute(finding.rule.id)}"
            if finding.result == PASS:
                lines.append(f"{case}/>")
                continue
            said = "; ".join(finding.found) or finding.result.replace("_", " ")
            if finding.result == FAIL:
                kind, message = finding.rule.severity, f"{finding.rule.title}: {said}"
                more = escape(_NO_XML.sub("?", f"{finding.rule.remedy} {finding.rule.run}".strip()))
                lines.append(f"{case}><failure type={_attribute(kind)} message={_attribute(message)}>{more}</failure>")
            else:
                why = f"exempt until {finding.exemption.until}" if finding.exemption else said
                lines.append(f"{case}><skipped message={_attribute(why)}/>")
            lines.append("</testcase>")
        self._file.write("".join(lines) + "</testsuite>\n")

    def end(self, summary: Summary) -> None:
        self._file.write("</testsuites>\n")


class Markdown:
    """A page for a ticket: the numbers, the most urgent Macs, what nobody could read, and what has changed."""

    def __init__(self, file: File) -> None:
        self._file = file

    def add(self, judged: Judged, change: Change | None) -> None:
        """What is needed is in the summary."""

    def end(self, summary: Summary) -> None:
        states = summary.states
        lines = [f"# {markdown(summary.title)}", "", f"{iso(summary.now)}, {len(summary.rows)} Macs.", ""]
        lines += ["| state | Macs |", "| --- | ---: |"]
        lines += [f"| {TITLES[state]} | {states[state]} |" for state in STATES if states[state]]
        read = [row for row in summary.ranking if row.state not in ("unreachable", "refused")]
        unread = [row for row in summary.ranking if row.state in ("refused", "unreachable")]
        lines += _ranking("What to look at first", read) + _ranking("Not read", unread)
        broken = [(summary.results[rule.id][FAIL], rule) for rule in summary.policy.rules]
        broken = sorted(((number, rule) for number, rule in broken if number), key=lambda pair: -pair[0])
        if broken:
            lines += [
                "",
                "## Rules that are broken",
                "",
                "| rule | severity | Macs | remedy |",
                "| --- | --- | ---: | --- |",
            ]
            lines += [
                f"| {markdown(rule.title)} | {rule.severity} | {number} | {markdown(rule.remedy)} |"
                for number, rule in broken
            ]
        if summary.notes:
            lines += ["", "## What went wrong", "", *(f"- {markdown(words)}" for words in summary.notes)]
        if summary.run_out:
            lines += ["", "## Exemptions that have run out", ""]
            lines += [f"- {markdown(words)}" for words in summary.run_out]
        unknown = sum(counted[UNKNOWN] for counted in summary.results.values())
        if unknown:
            lines += ["", f"{unknown} times the reading did not tell whether a rule is kept."]
        if summary.since is not None:
            lines += ["", f"## Changed since {iso(summary.since.at)}", ""]
            lines += [f"- {_change(change)}" for change in summary.changes[:SHOWN]] or ["Nothing."]
            more = len(summary.changes) - SHOWN
            lines += [f"- and {more} more"] if more > 0 else []
        self._file.write("\n".join(lines) + "\n")


def _ranking(title: str, rows: list[Row]) -> list[str]:
    if not rows:
        return []
    lines = ["", f"## {title}", "", "| Mac | state | why | next |", "| --- | --- | --- | --- |"]
    lines += [
        f"| {markdown(row.host)} | {TITLES[row.state]} | {markdown(row.why)} | {markdown(', '.join(row.next))} |"
        for row in rows[:SHOWN]
    ]
    return lines + ([f"| and {len(rows) - SHOWN} more | | | |"] if len(rows) > SHOWN else [])


def _change(change: Change) -> str:
    if not change.now:
        return f"{markdown(change.host)}: no longer among the Macs"
    if not change.was:
        return f"{markdown(change.host)}: new, {TITLES[change.now].lower()}"
    parts = [] if change.was == change.now else [f"{TITLES[change.was].lower()}, now {TITLES[change.now].lower()}"]
    for words, what in (
        ("broken", change.broken),
        ("mended", change.mended),
        ("holders gained", change.gained),
        ("holders lost", change.lost),
    ):
        parts += [f"{words}: {', '.join(markdown(one) for one in what)}"] if what else []
    return f"{markdown(change.host)}: {'; '.join(parts)}"


def _day(value: t.Any) -> str:
    """Return a date as text, which a policy may have as a parameter. There is nothing else in it that is not JSON's."""
    if not isinstance(value, datetime.date):
        raise TypeError(f"a {type(value).__name__} is in the report")
    return str(value)


def _said(value: bool | None) -> str:
    return "unknown" if value is None else "yes" if value else "no"


def _attribute(text: str) -> str:
    # Most are plain words, and there are millions of them in a large fleet.
    return f'"{text}"' if _HARMLESS.fullmatch(text) else quoteattr(plain(_NO_XML.sub("?", text)))
