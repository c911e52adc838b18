# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold what a rule, an exemption and a finding are, and make the first two of what a policy says. Pure.

A rule's conditions become one expression whose value is a result: pass, fail, unknown (the reading does not tell) or
not_applicable. A failure that an exemption covers is exempt.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import datetime
import fnmatch
import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.expressions import (
    AuditPolicyError,
    Compiler,
    RuleText,
    matching,
)
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.lint import close_names, nearest
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.policy_file import dictionary, entries, one_of

PASS, FAIL, UNKNOWN, NOT_APPLICABLE, EXEMPT = "pass", "fail", "unknown", "not_applicable", "exempt"
SEVERITIES = ("critical", "high", "medium", "low", "info")
"""The worst first."""

_RULE_KEYS = (
    "id", "title", "severity", "each", "rationale", "remedy", "run", "run_with", "references", "when", "unknown_when",
    "fail_when", "says", "enabled",
)  # fmt: skip
_CONDITIONS = ("when", "unknown_when", "fail_when")
_REFERENCES = ("mscp", "nist_800_53", "cis_benchmark", "cis_controls", "disa_stig")
_EXEMPTION_KEYS = ("rule", "macs", "accounts", "by", "until", "why")


@dataclass(frozen=True)
class Exemption:
    """Hold who has decided that some Macs may break a rule for a time, and why."""

    rule: str
    macs: tuple[str, ...]
    """Shell patterns of inventory names."""
    accounts: tuple[str, ...]
    """Shell patterns of short names; none: the whole Mac."""
    by: str
    until: datetime.date
    why: str

    def covers(self, host: str, account: str | None) -> bool:
        """Return whether it is about this Mac and this account; None: the failure is the Mac's as a whole."""
        if not any(fnmatch.fnmatchcase(host, pattern) for pattern in self.macs):
            return False
        return not self.accounts or (account is not None and matching(account, self.accounts))

    def has_expired(self, now: float) -> bool:
        """Return whether its last day is over. That day still counts, until midnight UTC."""
        return datetime.datetime.fromtimestamp(now, datetime.timezone.utc).date() > self.until

    def view(self) -> dict[str, t.Any]:
        """Return it as a report shows it."""
        return {"by": self.by, "until": self.until.isoformat(), "why": self.why}


@dataclass(frozen=True)
class Rule:
    """Hold one rule, compiled. The head of baseline.yml explains the keys that it is made of."""

    id: str
    title: str
    severity: str
    each: str
    """mac or account: whether it is asked once, or for each account."""
    rationale: str
    remedy: str
    run: str = ""
    """The playbook that puts it right; "" if there is none."""
    references: t.Mapping[str, t.Sequence[str]] = field(default_factory=dict)
    verdict: str = ""
    """One expression of all its conditions; its value is a result."""
    judge: t.Callable[..., str] = lambda **_names: UNKNOWN
    """The same, compiled."""
    says: t.Callable[..., str] | None = None
    """What was found, for a failure."""
    run_with: t.Callable[..., str] | None = None
    """The options of the playbook for one failure; "" if it cannot help there. None: it needs none."""

    def view(self) -> dict[str, t.Any]:
        """Return it as a report shows it."""
        return {
            "id": self.id,
            "title": self.title,
            "severity": self.severity,
            "rationale": self.rationale,
            "remedy": self.remedy,
            "run": self.run,
            "references": {name: list(where) for name, where in self.references.items()},
        }


@dataclass(frozen=True)
class RuleFinding:
    """Hold what one rule says of one Mac."""

    rule: Rule
    result: str
    found: tuple[str, ...] = ()
    """For a failure what was seen: one text, or one for each account in ``accounts``."""
    accounts: tuple[str, ...] = ()
    exemption: Exemption | None = None
    expired: Exemption | None = None
    """An exemption that would have covered it, and has expired."""
    run: tuple[str, ...] = ()
    """For a failure what puts it right: playbooks with their options, without the Mac and the inventory."""

    def view(self) -> dict[str, t.Any]:
        """Return it as a report shows it. Short, because there is one for each rule and each Mac of a fleet."""
        shown: dict[str, t.Any] = {"rule": self.rule.id, "result": self.result}
        if self.found:
            shown["found"] = list(self.found)
        if self.accounts:
            shown["accounts"] = list(self.accounts)
        if self.run:
            shown["commands"] = list(self.run)
        if self.exemption:
            shown["exemption"] = self.exemption.view()
        if self.expired:
            shown["expired_exemption"] = self.expired.view()
        return shown


def worst(findings: t.Iterable[RuleFinding]) -> str:
    """Return the severity of the worst failure; "" if nothing failed."""
    failed = {finding.rule.severity for finding in findings if finding.result == FAIL}
    return next((severity for severity in SEVERITIES if severity in failed), "")


# -- from a policy to rules -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Draft:
    """Hold a rule as the layers make it. ``places``: how errors name the layer that each of its keys comes from."""

    entry: t.Mapping[str, t.Any] = field(default_factory=dict)
    places: t.Mapping[str, str] = field(default_factory=dict)

    def with_layer(self, entry: t.Mapping[str, t.Any], place: str) -> Draft:
        """Return the rule with the keys of a further layer, which win."""
        return Draft({**self.entry, **entry}, {**self.places, **dict.fromkeys(entry, place)})

    @property
    def enabled(self) -> bool:
        """Return whether the rule is not switched off."""
        return bool(self.entry.get("enabled", True))

    def where(self, key: str = "") -> str:
        """Return how an error about a key of the rule, or about the rule, begins."""
        rule = f"{self.places.get(key, self.places['id'])}: rule {self.entry['id']}"
        return f"{rule}: {key}" if key else rule

    def check_complete(self, others: t.Collection[str]) -> None:
        """Raise :class:`AuditPolicyError` if a key is missing that every rule needs. ``others``: the other rules' ids,
        because a rule that is to be changed, and misspelt, looks like a new one."""
        missing = [key for key in ("title", "severity", "rationale", "remedy") if not self.entry.get(key)]
        missing += [] if _is_given(self.entry.get("fail_when")) else ["fail_when"]
        if missing:
            meant = " or ".join(close_names(str(self.entry["id"]), others))
            hint = f"; or is {meant} meant?" if meant else ""
            raise AuditPolicyError(f"{self.where()}: {', '.join(missing)} missing{hint}")


def rule_entry(entry: t.Any, where: str) -> t.Mapping[str, t.Any]:
    """Return an entry of a layer's rules, whose id is a word. Raise :class:`AuditPolicyError` for anything else."""
    rule = dictionary(entry, f"{where}: a rule", _RULE_KEYS)
    code = str(rule.get("id") or "")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", code):
        raise AuditPolicyError(f"{where}: a rule's id is {code!r}, and must be a word such as my_rule")
    if not isinstance(rule.get("enabled", True), bool):
        raise AuditPolicyError(f"{where}: rule {code}: enabled is {rule['enabled']!r}, and must be true or false")
    return rule


def _is_given(condition: t.Any) -> bool:
    """Return whether there is a condition at all; ``false`` is one."""
    return condition is not None and condition != [] and str(condition).strip() != ""


def _condition_parts(condition: t.Any, where: str) -> list[str]:
    """Return the expressions that must all hold: one, or a list as Ansible's own ``when`` takes."""
    if not _is_given(condition):
        return []
    parts = condition if isinstance(condition, list) else [condition]
    if not all(isinstance(part, (str, bool)) and _is_given(part) for part in parts):
        raise AuditPolicyError(f"{where} is {condition!r}, and must be an expression, true, false, or a list of these")
    return [str(part).strip() for part in parts]


def rule_texts(draft: Draft, compiler: Compiler) -> list[RuleText]:
    """Return the conditions of a rule and, last, what it says and what its playbook runs with. Raise
    :class:`AuditPolicyError` if one is no Jinja."""
    texts = [
        compiler.parsed_condition(key, part, draft.where(key))
        for key in _CONDITIONS
        for part in _condition_parts(draft.entry.get(key), draft.where(key))
    ]
    for key in ("says", "run_with"):
        text = " ".join(str(draft.entry.get(key) or "").split())
        texts.append(compiler.parsed_template(key, text, draft.where(key)))
    return texts


def rule_of(draft: Draft, texts: t.Sequence[RuleText], compiler: Compiler, parameters: t.Collection[str]) -> Rule:
    """Return the rule, compiled. ``parameters``: the names that its texts may use.

    Raise :class:`AuditPolicyError` for a value that is not allowed, and for a name that leads nowhere.
    """
    entry = draft.entry
    severity = one_of(entry["severity"], SEVERITIES, draft.where("severity"))
    each = one_of(entry.get("each", "mac"), ("mac", "account"), draft.where("each"))
    references = dictionary(entry.get("references"), draft.where("references"), _REFERENCES)
    for text in texts:
        problem = compiler.unknown_name(text, parameters, each == "account", draft.where(text.key))
        if problem:
            raise AuditPolicyError(f"{draft.where(text.key)}: {text.source}: {problem}")
        if text.key in _CONDITIONS:
            # By itself, so that a mistake is shown where it stands, and no bracket reaches into the next one.
            compiler.condition(text.source, draft.where(text.key))
    verdict, says, run_with = _verdict(texts), texts[-2].source, texts[-1].source
    return Rule(
        id=str(entry["id"]),
        title=str(entry["title"]).strip(),
        severity=severity,
        each=each,
        rationale=" ".join(str(entry["rationale"]).split()),
        remedy=" ".join(str(entry["remedy"]).split()),
        run=str(entry.get("run") or ""),
        references={
            key: tuple(map(str, entries(value, f"{draft.where('references')}: {key}")))
            for key, value in references.items()
        },
        verdict=verdict,
        judge=compiler.condition(verdict, draft.where()),
        says=compiler.template(says, draft.where("says")) if says else None,
        run_with=compiler.template(run_with, draft.where("run_with")) if run_with else None,
    )


def _verdict(texts: t.Sequence[RuleText]) -> str:
    """Return one expression of all conditions, whose value is a result."""
    applies, unknown, fails = (
        " and ".join(f"({text.source})" for text in texts if text.key == key) for key in _CONDITIONS
    )
    verdict = f"('{FAIL}' if ({fails}) else '{PASS}')"
    if unknown:
        verdict = f"('{UNKNOWN}' if ({unknown}) else {verdict})"
    return f"({verdict} if ({applies}) else '{NOT_APPLICABLE}')" if applies else verdict


# -- exemptions -------------------------------------------------------------------------------------------------------


def exemption_of(entry: t.Any, where: str) -> Exemption:
    """Return an entry of a layer's exemptions. Raise :class:`AuditPolicyError` if a key is missing or unusable."""
    entry = dictionary(entry, f"{where}: an exemption", _EXEMPTION_KEYS)
    where = f"{where}: an exemption from {entry.get('rule')!r}"
    missing = [key for key in ("rule", "macs", "by", "until", "why") if not entry.get(key)]
    if missing:
        raise AuditPolicyError(f"{where} has no {', '.join(missing)}")
    return Exemption(
        rule=str(entry["rule"]),
        macs=tuple(map(str, entries(entry["macs"], f"{where}: macs"))),
        accounts=tuple(map(str, entries(entry.get("accounts"), f"{where}: accounts"))),
        by=str(entry["by"]),
        until=_day_of(entry["until"], where),
        why=str(entry["why"]),
    )


def _day_of(until: t.Any, where: str) -> datetime.date:
    """Return the day that YAML or a text gives; of a date with a time, its day."""
    if isinstance(until, datetime.datetime):
        return until.date()
    try:
        return until if isinstance(until, datetime.date) else datetime.date.fromisoformat(str(until))
    except ValueError as problem:
        raise AuditPolicyError(f"{where}: until is {until!r}, and must be a day as 2027-01-31 ({problem})") from problem


def check_exemption(exemption: Exemption, rules: t.Mapping[str, Draft], where: str) -> None:
    """Raise :class:`AuditPolicyError` if the exemption names no rule that there is, or accounts for a rule of Macs."""
    place = f"{where}: an exemption from {exemption.rule!r}"
    if exemption.rule not in rules:
        raise AuditPolicyError(f"{place}: there is no rule of that id (there are: {nearest(exemption.rule, rules)})")
    if exemption.accounts and rules[exemption.rule].entry.get("each", "mac") != "account":
        raise AuditPolicyError(f"{place} names accounts, and that rule is about the Mac as a whole: leave accounts out")
