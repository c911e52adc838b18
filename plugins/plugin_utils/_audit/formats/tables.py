# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the report for a spreadsheet: two CSV tables, the Macs and the findings.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import csv
import typing as t

from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.commands import command
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.escape import cell
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.rules import NOT_APPLICABLE, PASS
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.sentences import iso

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.formats.base import WholeFile
    from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.history import Change
    from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.mac import Judged
    from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.summary import Summary


class CsvTables:
    """Write two tables: the Macs, and the findings that are neither kept nor not applicable."""

    MACS = (
        "mac", "state", "why", "next", "worst", "macos", "build", "model", "chip", "recoverable", "admin_holders",
        "holders", "phantoms", "accounts", "filevault", "personal_recovery_key", "bootstrap_token", "enrolled",
        "unfinished", "not_read", "broken_rules", "read_at", "was", "compliant", "remedy", "recovery_key_holder",
        "full_disk_access", "recovery_lock",
    )  # fmt: skip
    FINDINGS = ("mac", "rule", "severity", "result", "title", "found", "accounts", "remedy", "run", "exempt_until")

    def __init__(self, macs: WholeFile, findings: WholeFile, columns: t.Sequence[str] = ()) -> None:
        self._columns = columns
        self._macs = csv.writer(macs.stream)
        self._findings = csv.writer(findings.stream)
        self._macs.writerow([*self.MACS, *map(cell, columns)])
        self._findings.writerow(self.FINDINGS)

    def add(self, judged: Judged, change: Change | None) -> None:
        """Write one Mac's row, and a row for each of its findings."""
        answer, mac = judged.answer, judged.answer.mac
        row = [
            answer.host,
            judged.state,
            judged.why,
            "; ".join(command(run, [answer.host]) for run in judged.next),
            judged.worst,
        ]
        if mac is None:
            row += ["", "", "", "", judged.recoverable, *[""] * 10]
        else:
            filevault, management = mac["filevault"], mac["management"]
            row += [
                mac["os"]["version"],
                mac["os"]["build"],
                mac["hardware"]["model"],
                {True: "Apple silicon", False: "Intel"}.get(mac["hardware"]["apple_silicon"], "unknown"),
                judged.recoverable,
                *(", ".join(mac[key]) for key in ("admin_holders", "holders", "phantoms")),
                str(len(mac["accounts"])),
                filevault["state"],
                _yes_no_unknown(filevault["personal_recovery_key"]),
                management["bootstrap_token"],
                _yes_no_unknown(management["enrolled"]),
                ", ".join(mac["pending"]),
                ", ".join(missing["what"] for missing in mac["missing"]),
            ]
        row += [", ".join(finding.rule.id for finding in judged.failed)]
        row += ["" if answer.read_at is None else iso(answer.read_at), "" if change is None else change.was]
        row += [
            judged.compliant,
            answer.remedy,
            *_asked_for(mac or {}),
            *(answer.columns.get(name, "") for name in self._columns),
        ]
        self._macs.writerow([cell(value) for value in row])
        for finding in judged.findings:
            if finding.result in (PASS, NOT_APPLICABLE):
                continue
            rule = finding.rule
            exemption = finding.exemption or finding.expired
            exempt = exemption.until.isoformat() if exemption else ""
            found, accounts = "; ".join(finding.found), ", ".join(finding.accounts)
            line = (answer.host, rule.id, rule.severity, finding.result, rule.title, found, accounts)
            self._findings.writerow(
                [
                    cell(value)
                    for value in (
                        *line,
                        rule.remedy,
                        "; ".join(command(run, [answer.host]) for run in finding.run),
                        exempt,
                    )
                ]
            )

    def end(self, summary: Summary) -> None:
        """Do nothing: a table has no end."""


def _asked_for(mac: t.Mapping[str, t.Any]) -> tuple[str, str, str]:
    """Return what a reading holds only if it was asked for; "" for what was not."""
    access = _yes_no_unknown(mac["full_disk_access"]) if "full_disk_access" in mac else ""
    return mac.get("filevault", {}).get("recovery_key_holder", ""), access, mac.get("recovery_lock", "")


def _yes_no_unknown(value: bool | None) -> str:
    """Return a value of a reading in words."""
    return "unknown" if value is None else "yes" if value else "no"
