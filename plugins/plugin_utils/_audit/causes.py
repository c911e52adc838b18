# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say by cause what keeps Macs from being compliant: how many, which, why, and what to do. Pure.

The terminal, the page, the ticket and the task's result have their list of causes from here.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import re
import typing as t
from collections import Counter
from dataclasses import dataclass, field

from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.commands import INVENTORY, command
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.escape import plain_text
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.rules import SEVERITIES
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.sentences import macs, some

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.mac import Judged
    from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.rules import Rule

RULE, DOUBT, VERDICT, UNREAD = "rule", "unknown", "verdict", "not_read"
"""What a cause is: a rule that is broken, one that the reading does not answer, what the reading says of the Mac if no
rule says so, or why there is no reading."""

LISTED = 3
"""Commands that a terminal shows of one cause, where each Mac needs one of its own."""


@dataclass(frozen=True)
class Cause:
    """Hold one cause, and the Macs that have it."""

    kind: str
    code: str
    """The rule's id; the reason code, or "", where it is none."""
    severity: str
    """"" if it is no rule."""
    words: str
    hosts: tuple[str, ...]
    remedy: str = ""
    mending: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """What puts it right, a playbook with its options, and on which Macs. Not on a lost one, on which no account can
    authorise anything."""
    inventory: str = INVENTORY
    example: str = ""
    """What was found on one of the Macs, if not the same was found on each; ``words`` is then the rule's title."""

    @property
    def commands(self) -> list[str]:
        """Return the commands that put it right."""
        return [command(run, hosts, self.inventory) for run, hosts in self.mending]

    @property
    def sentence(self) -> str:
        """Return how many Macs have which cause."""
        count = macs(len(self.hosts))
        if not self.example:
            return f"{count}: {plain_text(self.words)}"
        fail = "fails" if len(self.hosts) == 1 else "fail"
        return f'{count} {fail} "{plain_text(self.words)}", for example: {plain_text(self.example)}'

    @property
    def label(self) -> str:
        """Return how grave it is, or what it is instead."""
        return self.severity if self.kind == RULE else self.kind.replace("_", " ")

    def lines(self) -> list[str]:
        """Return it for a terminal: what, which Macs, and what to do."""
        told = f"{self.sentence} [{self.label}{f', {self.code}' if self.code else ''}]"
        what = [f"run: {plain_text(one)}" for one in self.commands[:LISTED]] or [plain_text(self.remedy)]
        more = len(self.commands) - LISTED
        what += [f"and {more} more commands, in the report"] if more > 0 else []
        return [told, f"    {some(self.hosts)}", *(f"    {one}" for one in what if one)]

    def view(self) -> dict[str, t.Any]:
        """Return it as a report shows it."""
        return {
            "kind": self.kind,
            "code": self.code,
            "severity": self.severity,
            "words": self.words,
            "example": self.example,
            "macs": list(self.hosts),
            "remedy": self.remedy,
            "commands": self.commands,
        }


def _without_host(text: str, host: str) -> str:
    """Return words that nobody has a remedy for, the same whatever the Mac is called."""
    return re.sub(rf"(?<![\w.-]){re.escape(host)}(?![\w-])", "HOST", text)


@dataclass
class _Group:
    rule: Rule | None = None
    texts: Counter[str] = field(default_factory=Counter)
    hosts: list[str] = field(default_factory=list)
    mending: dict[str, list[str]] = field(default_factory=dict)
    """What puts it right -> the Macs."""
    remedies: dict[str, None] = field(default_factory=dict)


class Causes:
    """Gather the causes while the Macs come by."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str, str], _Group] = {}

    def add(self, judged: Judged) -> None:
        """Add what is wrong with one Mac."""
        host, answer = judged.answer.host, judged.answer
        if answer.mac is None:
            why = answer.why if answer.remedy else _without_host(answer.why, host)
            group = self._group(UNREAD, f"{answer.reason}\n{why}")
            group.texts[why] += 1
            group.hosts.append(host)
            group.remedies.setdefault(answer.remedy)
            return
        for finding in judged.failed:
            group = self._group(RULE, finding.rule.id, finding.rule)
            group.hosts.append(host)
            group.texts["; ".join(dict.fromkeys(finding.found)) or finding.rule.title] += 1
            if judged.state != "lost":
                for run in finding.run:
                    group.mending.setdefault(run, []).append(host)
        for finding in judged.unknown:
            self._group(DOUBT, finding.rule.id, finding.rule).hosts.append(host)
        if judged.compliant != "yes" and not judged.failed and not judged.unknown:
            group = self._group(VERDICT, judged.why)
            group.texts[judged.why] += 1
            group.hosts.append(host)

    def _group(self, kind: str, code: str, rule: Rule | None = None) -> _Group:
        return self._groups.setdefault((kind, code), _Group(rule))

    def ranked(self, inventory: str = INVENTORY) -> list[Cause]:
        """Return the causes: broken rules, the most severe first, then what is not known; the most Macs first."""
        kinds = (VERDICT, RULE, DOUBT, UNREAD)
        causes = [_cause(kind, code, group, inventory) for (kind, code), group in self._groups.items()]
        return sorted(
            causes,
            key=lambda one: (
                kinds.index(one.kind),
                SEVERITIES.index(one.severity) if one.severity else 0,
                -len(one.hosts),
                one.words,
            ),
        )


def _cause(kind: str, code: str, group: _Group, inventory: str) -> Cause:
    hosts = tuple(sorted(group.hosts))
    rule = group.rule
    if rule is None:
        (words,) = group.texts
        remedies = [remedy for remedy in group.remedies if remedy]
        # Where ssh named each Mac, the first one stands for the others.
        remedy = f"{'for example: ' if len(remedies) > 1 else ''}{remedies[0]}" if remedies else ""
        return Cause(kind, code.partition("\n")[0] if kind == UNREAD else "", "", words, hosts, remedy)
    if kind == DOUBT:
        return Cause(kind, code, rule.severity, f"the reading does not tell: {rule.title}", hosts, rule.remedy)
    ((found, _number), *others) = group.texts.most_common()
    words, example = (rule.title, found) if others else (found, "")
    mending = tuple((run, tuple(sorted(macs_of))) for run, macs_of in sorted(group.mending.items()))
    return Cause(kind, code, rule.severity, words, hosts, rule.remedy, mending, inventory, example)
