# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Mac has to be like, as rules in YAML, and what a reading is found to be by them. Pure.

A rule's conditions are Jinja expressions in a sandbox, so a baseline is extended without touching code. The results are
pass, fail, unknown (the reading does not tell), not_applicable and exempt.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import datetime
import fnmatch
import functools
import re
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from jinja2 import StrictUndefined, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from ansible_collections.keyholder.macos.plugins.plugin_utils._audit import names

if t.TYPE_CHECKING:
    Reading = t.Mapping[str, t.Any]

PASS, FAIL, UNKNOWN, NOT_APPLICABLE, EXEMPT = "pass", "fail", "unknown", "not_applicable", "exempt"
SEVERITIES = ("critical", "high", "medium", "low", "info")
"""The worst first."""

BASELINE = Path(__file__).with_name("baseline.yml")

_DAY = 86400.0
_REFERENCES = ("mscp", "nist_800_53", "cis_benchmark", "cis_controls", "disa_stig")


class PolicyError(ValueError):
    """A policy that cannot be what its author meant; the text says where and what is allowed."""


@dataclass(frozen=True)
class Exemption:
    """Somebody has decided that a rule may be broken somewhere for a time."""

    rule: str
    macs: tuple[str, ...]
    accounts: tuple[str, ...]
    """Patterns of short names; none: the whole Mac."""
    by: str
    until: datetime.date
    why: str

    def covers(self, host: str, account: str | None) -> bool:
        if not any(fnmatch.fnmatchcase(host, pattern) for pattern in self.macs):
            return False
        return not self.accounts or (account is not None and _matching(account, self.accounts))

    def view(self) -> dict[str, t.Any]:
        return {"by": self.by, "until": self.until.isoformat(), "why": self.why}


@dataclass(frozen=True)
class Rule:
    """One rule. ``each``: mac or account; what it was made of stands in the baseline."""

    id: str
    title: str
    severity: str
    each: str
    rationale: str
    remedy: str
    run: str = ""
    """The playbook that puts it right, where there is one."""
    references: t.Mapping[str, t.Sequence[str]] = field(default_factory=dict)
    verdict: str = ""
    """One expression of all its conditions; its value is a result."""
    judge: t.Callable[..., str] = lambda **_names: UNKNOWN
    """The same, compiled."""
    says: t.Callable[..., str] | None = None

    def view(self) -> dict[str, t.Any]:
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
class Finding:
    """What one rule says of one Mac. ``found``: for a failure what was seen, an account each where it is about them."""

    rule: Rule
    result: str
    found: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    exemption: Exemption | None = None
    expired: Exemption | None = None
    """An exemption that would have covered it, and has run out."""

    def view(self) -> dict[str, t.Any]:
        """Short: there is one for each rule and each Mac of a fleet."""
        shown: dict[str, t.Any] = {"rule": self.rule.id, "result": self.result}
        if self.found:
            shown["found"] = list(self.found)
        if self.accounts:
            shown["accounts"] = list(self.accounts)
        if self.exemption:
            shown["exemption"] = self.exemption.view()
        if self.expired:
            shown["expired_exemption"] = self.expired.view()
        return shown


# -- expressions ------------------------------------------------------------------------------------------------------


def _matching(text: str, patterns: t.Iterable[str]) -> bool:
    """Whether a shell pattern fits; a pattern without wildcards is the text itself."""
    return any(fnmatch.fnmatchcase(text, pattern) for pattern in patterns)


def _unmatched(patterns: t.Iterable[str], names: t.Sequence[str]) -> list[str]:
    """Those of the patterns that fit none of the names."""
    return [pattern for pattern in patterns if not any(_matching(name, [pattern]) for name in names)]


def _version(text: t.Any) -> tuple[int, ...]:
    """15.6 and 15.6.0 are the same."""
    numbers = [int(number) for number in re.findall(r"\d+", str(text))[:3]]
    if not numbers:
        raise ValueError(f"{text!r} is no version")
    while numbers and not numbers[-1]:
        del numbers[-1]
    return tuple(numbers)


def _days_since(then: t.Any, now: float) -> float:
    return (now - float(then)) / _DAY


def _said(value: bool | None) -> str:
    return {True: "yes", False: "no"}.get(t.cast("bool", value), "unread")


def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
    environment.filters["version"] = _version
    environment.filters["days_since"] = _days_since
    environment.filters["said"] = _said
    environment.filters["unmatched"] = _unmatched
    environment.tests["matching"] = _matching
    return environment


class _Compiler:
    """Turns the texts of rules into functions; the same text is compiled once."""

    def __init__(self) -> None:
        self._environment = _environment()
        self._known: dict[str, t.Callable[..., t.Any]] = {}

    def condition(self, text: str, where: str) -> t.Callable[..., t.Any]:
        if text not in self._known:
            try:
                self._known[text] = self._environment.compile_expression(text, undefined_to_none=False)
            except TemplateSyntaxError as problem:
                raise PolicyError(f"{where}: {text!r} is not an expression: {problem.message}") from problem
        return self._known[text]

    def text(self, text: str, where: str) -> t.Callable[..., str]:
        try:
            return self._environment.from_string(text).render
        except TemplateSyntaxError as problem:
            raise PolicyError(f"{where}: {text!r} is not a template: {problem.message}") from problem

    def names(self, source: str, parameters: t.Mapping[str, t.Any], by_account: bool, where: str) -> None:
        """That every name in the template ``source`` leads somewhere."""
        for problem in names.strangers(source, self._environment, parameters, by_account):
            raise PolicyError(f"{where}: {problem}")


# -- reading a policy -------------------------------------------------------------------------------------------------

_RULE_KEYS = (
    "id", "title", "severity", "each", "rationale", "remedy", "run", "references", "when", "unknown_when", "fail_when",
    "says", "enabled",
)  # fmt: skip
_EXEMPTION_KEYS = ("rule", "macs", "accounts", "by", "until", "why")
_POLICY_KEYS = ("name", "extends", "parameters", "rules", "exemptions")


@dataclass(frozen=True)
class Policy:
    """Rules with their parameters, and who is exempt."""

    name: str
    rules: tuple[Rule, ...]
    parameters: t.Mapping[str, t.Any]
    exemptions: tuple[Exemption, ...] = ()

    def evaluate(self, host: str, reading: Reading, now: float) -> list[Finding]:
        """What each rule says of a reading, as :func:`_report.view` makes one."""
        today = datetime.datetime.fromtimestamp(now, datetime.timezone.utc).date()
        names = {"mac": reading, "params": self.parameters, "host": host, "now": now}
        judged = self._judged_at_once(names)
        return [self._finding(rule, host, names, today, judged.get(rule.id)) for rule in self.rules]

    def _judged_at_once(self, names: dict[str, t.Any]) -> dict[str, list[str]]:
        """Results by rule, one or one an account: beginning an expression costs more than what it does.

        Where one expression fails they all do; then nothing is here, and each rule is asked for itself. What they can
        raise, nobody can list.
        """
        once, each = self._of("mac"), self._of("account")
        try:
            results = self._together(**names).split()
        except Exception:  # pylint: disable=broad-except
            return {}
        judged = {rule.id: [result] for rule, result in zip(once, results)}
        judged.update((rule.id, results[len(once) + number :: len(each)]) for number, rule in enumerate(each))
        return judged

    def _of(self, each: str) -> list[Rule]:
        return self._by_kind[each]

    @functools.cached_property
    def _by_kind(self) -> dict[str, list[Rule]]:
        return {each: [rule for rule in self.rules if rule.each == each] for each in ("mac", "account")}

    @functools.cached_property
    def _together(self) -> t.Callable[..., str]:
        """One template that says every result, with blanks between."""
        once, each = (" ".join(f"{{{{ {rule.verdict} }}}}" for rule in self._of(kind)) for kind in ("mac", "account"))
        return _Compiler().text(f"{once} {{% for account in mac.accounts %}}{each} {{% endfor %}}", self.name)

    def _finding(
        self, rule: Rule, host: str, names: dict[str, t.Any], today: datetime.date, results: list[str] | None
    ) -> Finding:
        try:
            accounts = [None] if rule.each == "mac" else names["mac"]["accounts"]
            if results is None:
                results = [rule.judge(account=account, **names) for account in accounts]
            result = next((one for one in (FAIL, UNKNOWN, PASS) if one in results), NOT_APPLICABLE)
            if result == UNKNOWN:
                return Finding(rule, UNKNOWN, ("the reading does not tell",))
            if result != FAIL:
                return Finding(rule, result)
            failed = [
                (account and account["name"], rule.says(account=account, **names) if rule.says else rule.title)
                for account, one in zip(accounts, results)
                if one == FAIL
            ]
        except Exception as problem:  # pylint: disable=broad-except
            why = str(problem) or type(problem).__name__
            return Finding(rule, UNKNOWN, (f"the rule cannot be applied to this reading: {why}",))
        return self._with_exemptions(rule, host, failed, today)

    def _with_exemptions(
        self, rule: Rule, host: str, failed: list[tuple[str | None, str]], today: datetime.date
    ) -> Finding:
        exempt: Exemption | None = None
        expired: Exemption | None = None
        left: list[tuple[str | None, str]] = []
        for account, text in failed:
            covering = [one for one in self.exemptions if one.rule == rule.id and one.covers(host, account)]
            valid = [one for one in covering if today <= one.until]
            if valid:
                exempt = valid[0]
            else:
                left.append((account, text))
                expired = covering[0] if covering else expired
        shown = left or failed
        return Finding(
            rule,
            FAIL if left else EXEMPT,
            tuple(text for _account, text in shown),
            tuple(account for account, _text in shown if account is not None),
            None if left else exempt,
            expired,
        )


def load(*layers: t.Any) -> Policy:
    """The baseline with ``layers`` upon it: each may set parameters, change rules, add rules and exempt.

    A layer is what YAML gives. ``extends: none`` in one leaves the baseline and the layers before it out. Raises
    :class:`PolicyError`.
    """
    rules: dict[str, dict[str, t.Any]] = {}
    parameters: dict[str, t.Any] = {}
    exemptions: list[Exemption] = []
    name = ""
    for number, layer in enumerate((_baseline(), *layers)):
        where = f"policy {number}" if number else "baseline"
        _only(layer, _POLICY_KEYS, where)
        if layer.get("extends", "baseline") not in ("baseline", "none"):
            raise PolicyError(f"{where}: extends: {layer['extends']!r} (allowed: baseline, none)")
        if layer.get("extends") == "none":
            rules, parameters, exemptions = {}, {}, []
        name = str(layer.get("name") or name)
        parameters.update(_mapping(layer.get("parameters"), f"{where}: parameters"))
        for entry in _list(layer.get("rules"), f"{where}: rules"):
            _only(entry, _RULE_KEYS, f"{where}: a rule")
            code = str(entry.get("id") or "")
            if not re.fullmatch(r"[a-z][a-z0-9_]*", code):
                raise PolicyError(f"{where}: a rule's id is {code!r}, and must be a word such as my_rule")
            if not isinstance(entry.get("enabled", True), bool):
                raise PolicyError(f"{where}: rule {code}: enabled is {entry['enabled']!r}, and must be true or false")
            rules[code] = {**rules.get(code, {}), **entry}
        for entry in _list(layer.get("exemptions"), f"{where}: exemptions"):
            exemptions.append(_exemption(entry, where))
    compiler = _Compiler()
    made = tuple(_rule(entry, compiler, parameters) for entry in rules.values() if entry.get("enabled", True))
    known = set(rules)
    for exemption in exemptions:
        if exemption.rule not in known:
            raise PolicyError(f"an exemption is from {exemption.rule!r}, which is no rule here")
        if exemption.accounts and rules[exemption.rule].get("each", "mac") != "account":
            raise PolicyError(
                f"an exemption from {exemption.rule} names accounts, and that rule is about the Mac as a whole: leave"
                " accounts out"
            )
    return Policy(name, made, parameters, tuple(exemptions))


def layer_of(path: Path) -> t.Any:
    """A policy file. Raises :class:`PolicyError`."""
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, yaml.YAMLError) as problem:
        raise PolicyError(f"{path}: {problem}") from problem


def _baseline() -> t.Any:
    return layer_of(BASELINE)


def _rule(entry: t.Mapping[str, t.Any], compiler: _Compiler, parameters: t.Mapping[str, t.Any]) -> Rule:
    where = f"rule {entry['id']}"
    missing = [key for key in ("title", "severity", "rationale", "remedy", "fail_when") if not entry.get(key)]
    if missing:
        raise PolicyError(f"{where}: {', '.join(missing)} missing")
    if entry["severity"] not in SEVERITIES:
        raise PolicyError(f"{where}: severity: {entry['severity']!r} (allowed: {', '.join(SEVERITIES)})")
    each = entry.get("each", "mac")
    if each not in ("mac", "account"):
        raise PolicyError(f"{where}: each: {each!r} (allowed: mac, account)")
    references = _mapping(entry.get("references"), f"{where}: references")
    _only(references, _REFERENCES, f"{where}: references")

    conditions = {key: str(entry[key]).strip() for key in ("when", "unknown_when", "fail_when") if entry.get(key)}
    for key, text in conditions.items():
        # By itself, so that a mistake is shown where it stands, and no bracket reaches into the next one.
        compiler.condition(text, f"{where}: {key}")
        compiler.names(f"{{{{ ({text}) }}}}", parameters, each == "account", f"{where}: {key}: {text}")
    verdict = f"('{FAIL}' if ({conditions['fail_when']}) else '{PASS}')"
    if "unknown_when" in conditions:
        verdict = f"('{UNKNOWN}' if ({conditions['unknown_when']}) else {verdict})"
    if "when" in conditions:
        verdict = f"({verdict} if ({conditions['when']}) else '{NOT_APPLICABLE}')"
    says = " ".join(str(entry.get("says") or "").split())
    shown = compiler.text(says, f"{where}: says") if says else None
    compiler.names(says, parameters, each == "account", f"{where}: says")
    return Rule(
        id=str(entry["id"]),
        title=str(entry["title"]).strip(),
        severity=str(entry["severity"]),
        each=each,
        rationale=" ".join(str(entry["rationale"]).split()),
        remedy=" ".join(str(entry["remedy"]).split()),
        run=str(entry.get("run") or ""),
        references={key: tuple(map(str, _list(value, f"{where}: {key}"))) for key, value in references.items()},
        verdict=verdict,
        judge=compiler.condition(verdict, where),
        says=shown,
    )


def _exemption(entry: t.Any, where: str) -> Exemption:
    _only(entry, _EXEMPTION_KEYS, f"{where}: an exemption")
    missing = [key for key in ("rule", "macs", "by", "until", "why") if not entry.get(key)]
    if missing:
        raise PolicyError(f"{where}: an exemption from {entry.get('rule')!r} has no {', '.join(missing)}")
    until = entry["until"]
    if not isinstance(until, datetime.date):
        try:
            until = datetime.date.fromisoformat(str(until))
        except ValueError as problem:
            raise PolicyError(
                f"{where}: an exemption's until is {until!r}, and must be a day as 2027-01-31"
            ) from problem
    if isinstance(until, datetime.datetime):
        until = until.date()
    return Exemption(
        rule=str(entry["rule"]),
        macs=tuple(map(str, _list(entry["macs"], f"{where}: macs"))),
        accounts=tuple(map(str, _list(entry.get("accounts"), f"{where}: accounts"))),
        by=str(entry["by"]),
        until=until,
        why=str(entry["why"]),
    )


def _only(content: t.Any, allowed: t.Collection[str], where: str) -> None:
    strangers = sorted(set(_mapping(content, where)) - set(allowed))
    if strangers:
        raise PolicyError(f"{where}: {', '.join(strangers)} (allowed: {', '.join(allowed)})")


def _mapping(content: t.Any, where: str) -> t.Mapping[str, t.Any]:
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise PolicyError(f"{where} is not a dictionary")
    return t.cast("t.Mapping[str, t.Any]", content)


def _list(content: t.Any, where: str) -> list[t.Any]:
    if content is None:
        return []
    if not isinstance(content, list):
        raise PolicyError(f"{where} is not a list")
    return content


def worst(findings: t.Iterable[Finding]) -> str:
    """The severity of the worst failure; "" where there is none."""
    failed = {finding.rule.severity for finding in findings if finding.result == FAIL}
    return next((severity for severity in SEVERITIES if severity in failed), "")
