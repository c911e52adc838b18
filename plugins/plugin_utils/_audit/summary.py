# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Count a fleet while its Macs come by, rank the most urgent, and say what went wrong beside the Macs. Pure.

Only a short row of each Mac stays in memory, so that a hundred thousand need no more than a few hundred megabytes.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import datetime
import typing as t
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.commands import command
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.escape import plain_text
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.mac import STATES, TITLES
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.rules import SEVERITIES

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.history import AuditRun, Change
    from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.mac import Judged
    from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.policy import Policy

LISTED = 25
"""How many Macs, changes or notes a list for a person has; after that it says how many more there are."""


@dataclass(frozen=True)
class Row:
    """Hold what stays of a Mac until the end of the audit."""

    host: str
    state: str
    score: int
    why: str
    next: tuple[str, ...]
    worst: str


@dataclass
class Summary:
    """Hold the fleet in numbers, filled as its Macs come by."""

    policy: Policy
    title: str
    now: float
    """When the audit is made, in seconds since 1970."""
    partial: bool = False
    """Only some of the Macs were to be read, so the audit says nothing of the others."""
    since: AuditRun | None = None
    """The audit that this one is compared with."""
    trend: list[AuditRun] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    results: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """Rule -> result -> number of Macs."""
    systems: Counter[str] = field(default_factory=Counter)
    """macOS version -> number of Macs."""
    unread: list[str] = field(default_factory=list)
    """What of the saved answers could not be used, in words."""
    history_failed: str = ""
    """What went wrong with the history; "" if nothing did."""
    inventory: str = ""
    """The options of a command that name the inventory."""
    odd_rows: int = 0
    """Rows of the history that were skipped."""

    def add(self, judged: Judged, change: Change | None) -> None:
        """Count one Mac."""
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
        """Return how many Macs are in each state."""
        counted = Counter(row.state for row in self.rows)
        return {state: counted[state] for state in STATES}

    @property
    def ranking(self) -> list[Row]:
        """Return the Macs that are not in order, the most urgent first."""
        urgent = [row for row in self.rows if row.state != "recoverable"]
        return sorted(urgent, key=lambda row: (-row.score, row.host))

    @property
    def worst(self) -> str:
        """Return the worst severity that a Mac breaks; "" if none breaks a rule."""
        found = {row.worst for row in self.rows}
        return next((severity for severity in SEVERITIES if severity in found), "")

    @property
    def expired(self) -> list[str]:
        """Return the exemptions whose last day is over, in words."""
        over = [exemption for exemption in self.policy.exemptions if exemption.has_expired(self.now)]
        return [f"{one.rule} for {', '.join(one.macs)}, until {one.until.isoformat()}, by {one.by}" for one in over]

    @property
    def notes(self) -> list[str]:
        """Return what went wrong beside the Macs, in words."""
        notes = [f"not in the report: {plain_text(words)}" for words in self.unread[:LISTED]]
        more = len(self.unread) - LISTED
        notes += [f"not in the report: {more} more"] if more > 0 else []
        if self.history_failed:
            notes.append(
                f"the history failed, so the list of changes is not complete, and the history does not have this "
                f"audit: {plain_text(self.history_failed)}"
            )
        if self.odd_rows:
            rows = "1 row of the history was" if self.odd_rows == 1 else f"{self.odd_rows} rows of the history were"
            notes.append(f"{rows} skipped, because no audit writes what stands there")
        return notes

    @property
    def time(self) -> str:
        """Return when the audit was made, as the report shows it."""
        return iso(self.now)

    def view(self) -> dict[str, t.Any]:
        """Return the numbers as the JSON report and the task's result have them."""
        return {
            "macs": len(self.rows),
            "states": self.states,
            "worst": self.worst,
            "macos": dict(sorted(self.systems.items())),
            "rules": {code: dict(sorted(counted.items())) for code, counted in sorted(self.results.items())},
            "notes": self.notes,
        }

    def lines(self) -> list[str]:
        """Return the report in a few lines for a person at a terminal."""
        width = max([3, *(len(plain_text(row.host)) for row in self.ranking[:LISTED])])
        lines = [f"{len(self.rows)} Macs: {in_words(self.states)}", *self.notes]
        for row in self.ranking[:LISTED]:
            lines.append(f"{plain_text(row.host):<{width}}  {TITLES[row.state]:<15}  {plain_text(row.why)}")
            lines += [
                f"{'':<{width}}  {'':<15}  next: {plain_text(command(run, row.host, self.inventory))}"
                for run in row.next
            ]
        more = len(self.ranking) - LISTED
        lines += [f"and {more} more"] if more > 0 else []
        lines += [f"an exemption has run out: {plain_text(words)}" for words in self.expired]
        if self.since is not None:
            lines.append(f"{len(self.changes)} Macs have changed since {iso(self.since.at)}")
        return lines


def iso(at: float) -> str:
    """Return seconds since 1970 as a UTC time, such as 2026-09-21T08:00:00Z."""
    moment = datetime.datetime.fromtimestamp(at, datetime.timezone.utc)
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def in_words(states: t.Mapping[str, int]) -> str:
    """Return how many Macs are in which state, the best state first."""
    counted = [f"{states[state]} {TITLES[state].lower()}" for state in reversed(STATES) if states[state]]
    return ", ".join(counted) or "none"
