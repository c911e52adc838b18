# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold one Mac of an audit: what came back from it, what the policy says of that, and the state that it is in. Pure.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import functools
import json
import os
import traceback
import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.keyholder.macos.plugins.module_utils._kind import moment, words
from ansible_collections.keyholder.macos.plugins.module_utils._reason import REASONS
from ansible_collections.keyholder.macos.plugins.module_utils._shape import ShapeError, conform
from ansible_collections.keyholder.macos.plugins.module_utils._text import plain, plain_data
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.rules import (
    FAIL,
    SEVERITIES,
    UNKNOWN,
    RuleFinding,
    worst,
)
from ansible_collections.keyholder.macos.plugins.plugin_utils._unread import clause, trouble_of

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.policy import Policy

READ, UNREACHABLE, REFUSED = "read", "unreachable", "refused"
"""The status of an answer: the Mac was read, did not answer, or answered and would not be read."""

STATES = ("lost", "at_risk", "urgent", "attention", "unknown", "refused", "unreachable", "compliant")
"""The worst first. lost: no account and no key unlocks it any more; at_risk: the reading says that it is at risk, as no
account can grant; urgent: a rule that is critical or high is broken; attention: another rule is broken, or an
administrator's token is still to come; unknown: the reading does not tell, of the Mac or of a rule; compliant: it is
recoverable, and every rule that applies is kept or exempt."""

VERDICTS = ("yes", "pending", "at_risk", "no", "unknown", "not_read")
"""Whether a Mac is recoverable: what its reading says, or not_read."""

COMPLIANCE = ("yes", "no", "unknown", "not_read")
"""Whether a Mac is compliant."""

TITLES = {
    "lost": "Lost",
    "at_risk": "At risk",
    "urgent": "Urgent",
    "attention": "Needs attention",
    "unknown": "Unknown",
    "refused": "Refused",
    "unreachable": "Unreachable",
    "compliant": "Compliant",
}

_OF_STATE = {state: 10_000 * (len(STATES) - number) for number, state in enumerate(STATES)}
_OF_SEVERITY = dict(zip(SEVERITIES, (1000, 100, 10, 1, 0)))


@dataclass(frozen=True)
class Answer:
    """Hold what a Mac gave: a reading, or the reason why there is none."""

    host: str
    status: str
    read_at: float | None = None
    """Seconds since 1970."""
    mac: t.Mapping[str, t.Any] | None = None
    why: str = ""
    reason: str = ""
    """The collection's reason code for a refusal, where it has one."""
    remedy: str = ""
    """What to do if the Mac was not read: a sentence, where there is one."""
    evidence: str = ""
    """All that was said, where ``why`` is a part of it."""
    columns: t.Mapping[str, str] = field(default_factory=dict)
    """Texts from the inventory, such as the owner, by what they are called."""

    @functools.cached_property
    def mac_text(self) -> str:
        """Return the reading as JSON, the same for the same reading. Kept, because it goes into four files."""
        return json.dumps(self.mac, sort_keys=True, separators=(",", ":"), allow_nan=False)

    def text(self) -> str:
        """Return the answer as JSON, as :func:`answer_from` takes it."""
        told = {
            "host": self.host,
            "status": self.status,
            "read_at": self.read_at,
            "why": self.why,
            "reason": self.reason,
            "remedy": self.remedy,
            "evidence": self.evidence,
            "columns": dict(self.columns),
        }
        return json_with(told, {"mac": self.mac_text})


def json_with(content: dict[str, t.Any], ready: t.Mapping[str, str]) -> str:
    """Return ``content`` as JSON, with more keys whose values are JSON already."""
    return (
        json.dumps(content, allow_nan=False)[:-1] + "".join(f', "{key}": {text}' for key, text in ready.items()) + "}"
    )


DAMAGED = "reading_damaged"


def damaged(host: str, problem: Exception | str, read_at: float | None = None) -> Answer:
    """Return the answer of a Mac whose reading nobody can use: a row of its own, and no other Mac's trouble."""
    why = str(problem) if isinstance(problem, (str, ShapeError)) else f"it could not be judged ({_where(problem)})"
    return Answer(host, REFUSED, read_at, None, plain(f"the reading is damaged: {why}"), DAMAGED)


def _where(problem: Exception) -> str:
    """Return where in this collection an error came up: its own words mean nothing to the reader of a report."""
    last = traceback.extract_tb(problem.__traceback__)[-1:]
    return "".join(f"{os.path.basename(one.filename)}, line {one.lineno}" for one in last) or "place not known"


def answer_of(host: str, result: t.Any, now: float, columns: t.Mapping[str, str] | None = None) -> Answer:
    """Return the answer in what trust_info returned. None: the task never came to this host.

    ``now``: when it was read, in seconds since 1970; ``columns``: what the inventory says of the Mac.
    """
    answer = _answer_of(host, result, now)
    return replace(answer, columns=columns) if columns else answer


def _answer_of(host: str, result: t.Any, now: float) -> Answer:
    if result is None:
        return Answer(host, UNREACHABLE, None, None, "the play did not come as far as this Mac")
    if not isinstance(result, dict):
        return damaged(host, f"what was registered is {words(result)}, and must be a result of trust_info", now)
    mac = result.get("mac")
    if isinstance(mac, dict) and not result.get("failed"):
        return _read_answer(host, mac, now)
    said = plain(" ".join(str(result.get("msg") or "no reason was given").split()))
    if result.get("unreachable") or result.get("unreached"):
        return _unread(host, None, said, now)
    reason, remedy = (plain(str(result.get(key) or "")) for key in ("reason", "remedy"))
    if reason:
        # The message of a module says the way out and the code as well, and both have a place of their own.
        why = clause(said.replace(f"[{reason}]", "").replace(remedy, "") if remedy else said.replace(f"[{reason}]", ""))
        return Answer(host, REFUSED, now, None, why, reason, remedy, "" if why == said else said)
    return _unread(host, REFUSED, said, now)


def _unread(host: str, status: str | None, said: str, at: float | None) -> Answer:
    """Return the answer of a Mac of which ``said`` is all that is known.

    ``status`` None: Ansible could not connect, and what was said tells whether the Mac is there.
    """
    trouble = trouble_of(said, unreachable=status is None)
    status = status or (REFUSED if trouble.there else UNREACHABLE)
    remedy = trouble.remedy or (REASONS[trouble.reason].remedy if trouble.reason else "")
    return Answer(host, status, at, None, trouble.why, trouble.reason, remedy, "" if trouble.why == said else said)


def _read_answer(host: str, mac: t.Any, at: float | None) -> Answer:
    try:
        return Answer(host, READ, at, plain_data(conform(mac)))
    except (ShapeError, RecursionError) as problem:
        return damaged(host, problem, at)


def answer_from(saved: t.Any) -> Answer:
    """Return the answer in what :meth:`Answer.text` made, or in an entry of a report, of this version or an older one.
    Raise ``ValueError`` for anything else."""
    answer = _answer_from(saved)
    columns = _columns_from(saved.get("columns"))
    return replace(answer, columns=columns) if columns else answer


def _answer_from(saved: t.Any) -> Answer:
    if not isinstance(saved, dict) or not saved.get("host") or saved.get("status") not in (READ, UNREACHABLE, REFUSED):
        raise ValueError("an entry has no host, or a status that is not one of read, unreachable and refused")
    host, mac, read_at = plain(str(saved["host"])), saved.get("mac"), moment(saved.get("read_at"))
    if (saved["status"] == READ) != (mac is not None):
        raise ValueError(f"{host!r} is {saved['status']}, and has {'no' if mac is None else 'a'} reading")
    if saved["status"] == READ:
        # In a report, a Mac that was read has the reason for its state in ``why``.
        return _read_answer(host, mac, read_at)
    why, reason = (plain(str(saved.get(key) or "")) for key in ("why", "reason"))
    if "evidence" not in saved and not reason:
        # An older version saved the whole message as the reason why.
        return replace(_unread(host, None, why, read_at), status=saved["status"])
    remedy, evidence = (plain(str(saved.get(key) or "")) for key in ("remedy", "evidence"))
    return Answer(host, saved["status"], read_at, None, why, reason, remedy, evidence)


def _columns_from(saved: t.Any) -> dict[str, str]:
    """Return the columns that an answer was saved with; none for what is no dictionary."""
    return {plain(str(name)): plain(str(value)) for name, value in saved.items()} if isinstance(saved, dict) else {}


@dataclass(frozen=True)
class Judged:
    """Hold an answer with its findings."""

    answer: Answer
    findings: tuple[RuleFinding, ...] = ()
    state: str = "unreachable"
    score: int = 0
    """How urgent it is, 10,000 and more for a worse state, plus what is broken. Only its order means something."""
    failed: tuple[RuleFinding, ...] = field(default=(), repr=False)
    """The findings that are failures, the most severe first."""

    @functools.cached_property
    def recoverable(self) -> str:
        """Return what the reading says of it; not_read without one."""
        return "not_read" if self.answer.mac is None else str(self.answer.mac["recoverable"])

    @functools.cached_property
    def compliant(self) -> str:
        """Return yes, no, unknown or not_read."""
        if self.answer.mac is None:
            return "not_read"
        return {"compliant": "yes", "unknown": "unknown"}.get(self.state, "no")

    @functools.cached_property
    def unknown(self) -> tuple[RuleFinding, ...]:
        """Return the findings of rules that the reading does not answer."""
        return tuple(finding for finding in self.findings if finding.result == UNKNOWN)

    @functools.cached_property
    def worst(self) -> str:
        """Return the severity of the worst failure; "" if nothing failed."""
        return worst(self.failed)

    @functools.cached_property
    def why(self) -> str:
        """Return why the Mac is in its state, in words: three facts at most, and how many more."""
        if self.answer.mac is None:
            return self.answer.why
        recoverable, recoverable_why = self.answer.mac["recoverable"], str(self.answer.mac["recoverable_why"])
        if self.state == "unknown" and recoverable == "yes":
            titles = [f"the reading does not tell: {finding.rule.title}" for finding in self.unknown]
            return "; ".join(titles[:3] + ([f"and {len(titles) - 3} more"] if len(titles) > 3 else []))
        if self.state in ("lost", "unknown") or not self.failed:
            return recoverable_why
        found = [text for finding in self.failed for text in finding.found]
        # A token that is to come has a rule of its own, which says so.
        told = list(dict.fromkeys(found if recoverable in ("yes", "pending") else [recoverable_why, *found]))
        return "; ".join(told[:3] + ([f"and {len(told) - 3} more"] if len(told) > 3 else []))

    @functools.cached_property
    def next(self) -> list[str]:
        """Return the playbooks, with their options, that put right what is broken, the worst first; none if the Mac is
        lost, because then no account can authorise anything."""
        if self.state == "lost":
            return []
        return list(dict.fromkeys(one for finding in self.failed for one in finding.run))

    @functools.cached_property
    def ready(self) -> dict[str, str]:
        """Return the findings and the reading as JSON. Kept, because they go into more than one file."""
        return {
            "findings": f"[{', '.join(map(_finding_text, self.findings))}]",
            "mac": self.answer.mac_text,
        }

    def view(self) -> dict[str, t.Any]:
        """Return all but the findings and the reading."""
        return {
            "host": self.answer.host,
            "status": self.answer.status,
            "read_at": self.answer.read_at,
            "reason": self.answer.reason,
            "why": self.why,
            "remedy": self.answer.remedy,
            "evidence": self.answer.evidence,
            "columns": dict(self.answer.columns),
            "recoverable": self.recoverable,
            "compliant": self.compliant,
            "state": self.state,
            "score": self.score,
            "worst": self.worst,
            "next": self.next,
        }


@functools.lru_cache(maxsize=4096)
def _plain_finding(rule: str, result: str) -> str:
    return json.dumps({"rule": rule, "result": result}, allow_nan=False)


def _finding_text(finding: RuleFinding) -> str:
    """Return a finding as JSON. Most say no more than their result, which is kept."""
    if finding.found or finding.run or finding.exemption or finding.expired:
        return json.dumps(finding.view(), allow_nan=False)
    return _plain_finding(finding.rule.id, finding.result)


def judge_mac(answer: Answer, policy: Policy, now: float) -> Judged:
    """Return the answer with what the policy says of it; if that goes wrong, as a damaged reading (design rule 8).

    ``now``: in seconds since 1970.
    """
    try:
        judged = _judge(answer, policy, now)
        # All that the files are made of, so that none of them is cut off in the middle of a Mac.
        _all = judged.view(), judged.ready
    except Exception as problem:
        judged = _judge(damaged(answer.host, problem, answer.read_at), policy, now)
    return judged


def _judge(answer: Answer, policy: Policy, now: float) -> Judged:
    if answer.mac is None:
        state = UNREACHABLE if answer.status == UNREACHABLE else REFUSED
        return Judged(answer, (), state, _OF_STATE[state])
    findings = tuple(policy.evaluate(answer.host, answer.mac, now))
    failed = sorted(
        (one for one in findings if one.result == FAIL), key=lambda one: SEVERITIES.index(one.rule.severity)
    )
    told = all(finding.result != UNKNOWN for finding in findings)
    state = _state(str(answer.mac["recoverable"]), worst(failed), told)
    score = _OF_STATE[state] + min(9999, sum(_OF_SEVERITY[one.rule.severity] for one in failed))
    return Judged(answer, findings, state, score, tuple(failed))


def _state(recoverable: str, broken: str, told: bool) -> str:
    """Return the state. ``recoverable``: the reading's verdict; ``broken``: the worst severity that is broken.

    ``told``: whether the reading answers every rule. One that it does not answer may be broken.
    """
    if recoverable == "no":
        return "lost"
    if recoverable == "at_risk":
        return "at_risk"
    if broken in ("critical", "high"):
        return "urgent"
    if recoverable == "unknown":
        return "unknown"
    if broken or recoverable == "pending":
        return "attention"
    return "compliant" if told else "unknown"
