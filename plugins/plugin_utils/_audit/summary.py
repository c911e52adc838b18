# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Count a fleet while its Macs come by, say what is wrong with it by cause, and what went wrong beside the Macs. Pure.

Only a short row of each Mac stays in memory, so that a hundred thousand need no more than a few hundred megabytes.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.causes import Cause, Causes
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.changed import changed_sentences
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.commands import INVENTORY
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.escape import plain_text
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.mac import COMPLIANCE, STATES, VERDICTS
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.rules import SEVERITIES
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.sentences import iso, numbers

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
    """The worst severity that it breaks."""
    recoverable: str
    compliant: str
    doubtful: str
    """The worst severity of a rule that the reading does not answer."""


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
    odd_rows: int = 0
    """Rows of the history that were skipped."""
    columns: tuple[str, ...] = ()
    """What the columns from the inventory are called."""
    about: t.Mapping[str, str] = field(default_factory=dict)
    """What the head of the report says of itself, such as the organisation, by what it is called."""
    inventory: str = INVENTORY
    """The part of a command that names the inventory."""
    _causes: Causes = field(default_factory=Causes)

    def add(self, judged: Judged, change: Change | None) -> None:
        """Count one Mac."""
        self.rows.append(
            Row(
                judged.answer.host,
                judged.state,
                judged.score,
                judged.why,
                tuple(judged.next),
                judged.worst,
                judged.recoverable,
                judged.compliant,
                worst_of(finding.rule.severity for finding in judged.unknown),
            )
        )
        self._causes.add(judged)
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
    def recoverable(self) -> dict[str, int]:
        """Return how many Macs are recoverable, and how many are not, each verdict by itself."""
        counted = Counter(row.recoverable for row in self.rows)
        return {verdict: counted[verdict] for verdict in VERDICTS}

    @property
    def compliant(self) -> dict[str, int]:
        """Return how many Macs are compliant, and how many are not, each verdict by itself."""
        counted = Counter(row.compliant for row in self.rows)
        return {verdict: counted[verdict] for verdict in COMPLIANCE}

    @property
    def causes(self) -> list[Cause]:
        """Return what keeps Macs from being compliant, the worst first."""
        return self._causes.ranked(self.inventory)

    @property
    def changed(self) -> list[str]:
        """Return what has changed since the audit that this one is compared with, as sentences; none without one."""
        return [] if self.since is None else changed_sentences(self.changes, self.policy)

    @property
    def ranking(self) -> list[Row]:
        """Return the Macs that are not in order, the most urgent first."""
        urgent = [row for row in self.rows if row.state != "compliant"]
        return sorted(urgent, key=lambda row: (-row.score, row.host))

    @property
    def worst(self) -> str:
        """Return the worst severity that a Mac breaks; "" if none breaks a rule."""
        return worst_of(row.worst for row in self.rows)

    def failing(self, limit: str) -> tuple[list[str], list[str]]:
        """Return the Macs that fail ``limit``, and those of which nobody knows.

        ``limit``: recoverable, compliant, or a severity. A severity is about rules, so a Mac that was not read is
        neither; the two words are about every Mac.
        """
        if limit in ("recoverable", "compliant"):
            said = [(row.host, row.recoverable if limit == "recoverable" else row.compliant) for row in self.rows]
            unknown = [host for host, verdict in said if verdict in ("unknown", "not_read")]
            return [host for host, verdict in said if verdict not in ("yes", "unknown", "not_read")], unknown
        counts = SEVERITIES[: SEVERITIES.index(limit) + 1]
        failed = [row.host for row in self.rows if row.worst in counts]
        return failed, [row.host for row in self.rows if row.doubtful in counts and row.worst not in counts]

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
            "recoverable": self.recoverable,
            "compliant": self.compliant,
            "states": self.states,
            "worst": self.worst,
            "macos": dict(sorted(self.systems.items())),
            "rules": {code: dict(sorted(counted.items())) for code, counted in sorted(self.results.items())},
            "causes": [cause.view() for cause in self.causes],
            "changed": self.changed,
            "notes": self.notes,
        }

    def lines(self) -> list[str]:
        """Return the report in a few lines for a terminal: the numbers, what has changed, and the causes."""
        lines = [*numbers(self.recoverable, self.compliant), *self.notes]
        if self.since is not None:
            lines += [f"Changed since {iso(self.since.at)}:", *(f"    {words}" for words in self.changed)]
        for cause in self.causes[:LISTED]:
            lines += cause.lines()
        more = len(self.causes) - LISTED
        lines += [f"and {more} more causes"] if more > 0 else []
        lines += [f"an exemption has run out: {plain_text(words)}" for words in self.expired]
        return lines


def worst_of(severities: t.Iterable[str]) -> str:
    """Return the worst of some severities; "" for none."""
    found = set(severities)
    return next((severity for severity in SEVERITIES if severity in found), "")
