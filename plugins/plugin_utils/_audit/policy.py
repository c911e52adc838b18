# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Mac has to be like, as rules in YAML, and what a reading is found to be by them. Pure.

A rule's conditions are Jinja expressions in a sandbox, so a baseline is extended without touching code. The results are
pass, fail, unknown (the reading does not tell), not_applicable and exempt.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import contextlib
import datetime
import fnmatch
import functools
import math
import re
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from jinja2 import StrictUndefined, nodes
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

    def over(self, now: float) -> bool:
        """It counts up to and with its last day, in UTC."""
        return datetime.datetime.fromtimestamp(now, datetime.timezone.utc).date() > self.until

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
            with _readable(text, "an expression", where):
                self._known[text] = self._environment.compile_expression(text, undefined_to_none=False)
        return self._known[text]

    def text(self, text: str, where: str) -> t.Callable[..., str]:
        with _readable(text, "a template", where):
            return self._environment.from_string(text).render

    def tree(self, source: str, text: str, kind: str, where: str) -> nodes.Template:
        with _readable(text, kind, where):
            return self._environment.parse(source)

    def strangers(self, text: _Text, parameters: t.Iterable[str], by_account: bool, where: str) -> t.Iterator[str]:
        """What in a text leads nowhere."""
        with _readable(text.source, "usable", where):
            yield from names.strangers(text.tree, self._environment, parameters, by_account)


@contextlib.contextmanager
def _readable(text: str, kind: str, where: str) -> t.Iterator[None]:
    """Jinja works out what is constant while it compiles, and whatever that raises comes out here."""
    try:
        yield
    except Exception as problem:  # pylint: disable=broad-except
        raise PolicyError(f"{where}: {text!r} is not {kind}: {getattr(problem, 'message', problem)}") from problem


# -- reading a policy -------------------------------------------------------------------------------------------------

_RULE_KEYS = (
    "id", "title", "severity", "each", "rationale", "remedy", "run", "references", "when", "unknown_when", "fail_when",
    "says", "enabled",
)  # fmt: skip
_CONDITIONS = ("when", "unknown_when", "fail_when")
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
        names = {"mac": reading, "params": self.parameters, "host": host, "now": now}
        judged = self._judged_at_once(names)
        return [self._finding(rule, host, names, judged.get(rule.id)) for rule in self.rules]

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

    def _finding(self, rule: Rule, host: str, names: dict[str, t.Any], results: list[str] | None) -> Finding:
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
        return self._with_exemptions(rule, host, failed, names["now"])

    def _with_exemptions(self, rule: Rule, host: str, failed: list[tuple[str | None, str]], now: float) -> Finding:
        exempt: Exemption | None = None
        expired: Exemption | None = None
        left: list[tuple[str | None, str]] = []
        for account, text in failed:
            covering = [one for one in self.exemptions if one.rule == rule.id and one.covers(host, account)]
            valid = [one for one in covering if not one.over(now)]
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


class _Layer(dict[str, t.Any]):
    """What a policy file says. ``place``: how errors call it."""

    def __init__(self, content: t.Mapping[str, t.Any], place: str) -> None:
        super().__init__(content)
        self.place = place


@dataclass(frozen=True)
class _Draft:
    """A rule as the layers make it. ``places``: the layer that each of its fields comes from."""

    entry: t.Mapping[str, t.Any] = field(default_factory=dict)
    places: t.Mapping[str, str] = field(default_factory=dict)

    def upon(self, entry: t.Mapping[str, t.Any], place: str) -> _Draft:
        return _Draft({**self.entry, **entry}, {**self.places, **dict.fromkeys(entry, place)})

    @property
    def enabled(self) -> bool:
        return bool(self.entry.get("enabled", True))

    def where(self, key: str = "") -> str:
        rule = f"{self.places.get(key, self.places['id'])}: rule {self.entry['id']}"
        return f"{rule}: {key}" if key else rule


@dataclass(frozen=True)
class _Text:
    """A condition of a rule, one of several that must all hold, or what the rule says."""

    key: str
    source: str
    tree: nodes.Template


class _Stack:
    """The layers, put upon each other."""

    def __init__(self) -> None:
        self.name = ""
        self._clear()

    def _clear(self) -> None:
        self.rules: dict[str, _Draft] = {}
        self.parameters: dict[str, t.Any] = {}
        self.kinds: dict[str, str] = {}
        self.own: dict[str, str] = {}
        """Parameters that the baseline does not have, and where they come from."""
        self.exemptions: list[tuple[Exemption, str]] = []

    def add(self, layer: t.Any, where: str, baseline: bool = False) -> None:
        _only(layer, _POLICY_KEYS, where)
        if layer.get("extends", "baseline") not in ("baseline", "none"):
            raise PolicyError(f"{where}: extends: {layer['extends']!r} (allowed: baseline, none)")
        if layer.get("extends") == "none":
            self._clear()
        self.name = str(layer.get("name") or self.name)
        for name, value in _mapping(layer.get("parameters"), f"{where}: parameters").items():
            self._parameter(str(name), value, where, baseline)
        for entry in _list(layer.get("rules"), f"{where}: rules"):
            _only(entry, _RULE_KEYS, f"{where}: a rule")
            code = str(entry.get("id") or "")
            if not re.fullmatch(r"[a-z][a-z0-9_]*", code):
                raise PolicyError(f"{where}: a rule's id is {code!r}, and must be a word such as my_rule")
            if not isinstance(entry.get("enabled", True), bool):
                raise PolicyError(f"{where}: rule {code}: enabled is {entry['enabled']!r}, and must be true or false")
            self.rules[code] = self.rules.get(code, _Draft()).upon(entry, where)
        self.exemptions += [
            (_exemption(entry, where), where) for entry in _list(layer.get("exemptions"), f"{where}: exemptions")
        ]

    def _parameter(self, name: str, value: t.Any, where: str, baseline: bool) -> None:
        """A rule is written for a kind: ``'ana' in 'itadmin, ana'`` would be true of a text, and mean nothing."""
        if not _is_data(value):
            raise PolicyError(f"{where}: parameters: {name} holds what JSON does not: a number that is none, or a key")
        kind = self.kinds.get(name)
        if kind and not _is(kind, value):
            raise PolicyError(
                f"{where}: parameters: {name} is {value!r}, and must be {kind}, as {self.parameters[name]!r} is"
            )
        if name not in self.parameters and not baseline:
            self.own[name] = where
        if value is not None:
            self.kinds.setdefault(name, _VERSION if baseline and _is(_VERSION, value) else names.kind(value))
        self.parameters[name] = value


def load(*layers: t.Any) -> Policy:
    """The baseline with ``layers`` upon it: each may set parameters, change rules, add rules and exempt.

    A layer is what YAML gives. ``extends: none`` in one leaves the baseline and the layers before it out. Raises
    :class:`PolicyError`.
    """
    stack = _Stack()
    stack.add(_baseline(), "baseline", baseline=True)
    for layer, where in zip(layers, _places(layers)):
        stack.add(layer, where)
    compiler = _Compiler()
    texts: dict[str, list[_Text]] = {}
    for code, draft in stack.rules.items():
        _whole(draft, set(stack.rules) - {code})
        # A rule that is switched off may be broken, and that its parameters are there is no mistake.
        with contextlib.nullcontext() if draft.enabled else contextlib.suppress(PolicyError):
            texts[code] = _texts(draft, compiler)
    uses = {code: names.used(text.tree for text in those) for code, those in texts.items()}
    _all_used(stack, uses.values())
    made = tuple(
        _rule(draft, texts[code], compiler, {*stack.parameters, *uses[code].asked})
        for code, draft in stack.rules.items()
        if draft.enabled
    )
    for exemption, where in stack.exemptions:
        _exempts(exemption, stack.rules, where)
    return Policy(stack.name, made, stack.parameters, tuple(one for one, _where in stack.exemptions))


def _places(layers: t.Sequence[t.Any]) -> list[str]:
    """What errors call each layer: what is no file comes from the variable."""
    inline = [layer for layer in layers if not isinstance(layer, _Layer)]
    number = 0
    places: list[str] = []
    for layer in layers:
        number += not isinstance(layer, _Layer)
        variable = "keyholder_policy" if len(inline) == 1 else f"keyholder_policy, number {number}"
        places.append(layer.place if isinstance(layer, _Layer) else variable)
    return places


class _Loader(yaml.SafeLoader):
    """YAML whose errors all have a line, and in which no key hides another one."""

    def compose_mapping_node(self, anchor: t.Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        seen: set[str] = set()
        for key, _value in node.value:
            if key.value in seen and isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem=f"{key.value} is there twice", problem_mark=key.start_mark)
            seen |= {key.value} if isinstance(key, yaml.ScalarNode) else set()
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> t.Any:
        try:
            return super().construct_object(node, deep)
        except ValueError as problem:
            raise yaml.MarkedYAMLError(problem=f"{node.value}: {problem}", problem_mark=node.start_mark) from problem


def layer_of(path: Path) -> t.Any:
    """A policy file. Raises :class:`PolicyError`."""
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except yaml.MarkedYAMLError as problem:
        line = f", line {problem.problem_mark.line + 1}" if problem.problem_mark else ""
        raise PolicyError(f"{path}{line}: {problem.problem}") from problem
    except (OSError, ValueError, yaml.YAMLError) as problem:
        raise PolicyError(f"{path}: {problem}") from problem
    return _Layer(_mapping(content, str(path)), str(path))


def _baseline() -> t.Any:
    return layer_of(BASELINE)


# -- parameters -------------------------------------------------------------------------------------------------------

_VERSION = "a macOS version in quotes"


def _is_data(value: t.Any) -> bool:
    """Return whether the report, which names the parameters, can hold it. A date is written as text."""
    if isinstance(value, dict):
        return all(isinstance(key, str) for key in value) and all(map(_is_data, value.values()))
    if isinstance(value, list):
        return all(map(_is_data, value))
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, (str, int, datetime.date))


def _is(kind: str, value: t.Any) -> bool:
    if kind == _VERSION:
        return isinstance(value, str) and re.fullmatch(r"\d+(\.\d+)*", value) is not None
    return names.kind(value) == kind


def _all_used(stack: _Stack, uses: t.Collection[names.Used]) -> None:
    """A parameter that nothing reads is most likely another one, misspelt."""
    named = {name for use in uses for name in use.named}
    unused = set() if any(use.whole for use in uses) else set(stack.own) - named
    for name in sorted(unused):
        there_are = names.nearest(name, (named | set(stack.parameters)) - unused)
        raise PolicyError(f"{stack.own[name]}: parameters: no rule reads {name!r} (there are: {there_are})")


# -- rules ------------------------------------------------------------------------------------------------------------


def _whole(draft: _Draft, others: t.Collection[str]) -> None:
    missing = [key for key in ("title", "severity", "rationale", "remedy") if not draft.entry.get(key)]
    missing += [] if _given(draft.entry.get("fail_when")) else ["fail_when"]
    if missing:
        meant = " or ".join(names.close(str(draft.entry["id"]), others))
        hint = f"; or is {meant} meant?" if meant else ""
        raise PolicyError(f"{draft.where()}: {', '.join(missing)} missing{hint}")


def _given(condition: t.Any) -> bool:
    """``false`` is a condition."""
    return condition is not None and condition != [] and str(condition).strip() != ""


def _parts(condition: t.Any, where: str) -> list[str]:
    """The expressions of a condition, which must all hold: one, or a list as Ansible's own ``when`` takes."""
    if not _given(condition):
        return []
    parts = condition if isinstance(condition, list) else [condition]
    if not all(isinstance(part, (str, bool)) and _given(part) for part in parts):
        raise PolicyError(f"{where} is {condition!r}, and must be an expression, true, false, or a list of these")
    return [str(part).strip() for part in parts]


def _texts(draft: _Draft, compiler: _Compiler) -> list[_Text]:
    texts = [
        _Text(key, part, compiler.tree(f"{{{{ ({part}) }}}}", part, "an expression", draft.where(key)))
        for key in _CONDITIONS
        for part in _parts(draft.entry.get(key), draft.where(key))
    ]
    says = " ".join(str(draft.entry.get("says") or "").split())
    return [*texts, _Text("says", says, compiler.tree(says, says, "a template", draft.where("says")))]


def _rule(draft: _Draft, texts: t.Sequence[_Text], compiler: _Compiler, parameters: t.Collection[str]) -> Rule:
    entry = draft.entry
    if entry["severity"] not in SEVERITIES:
        raise PolicyError(f"{draft.where('severity')}: {entry['severity']!r} (allowed: {', '.join(SEVERITIES)})")
    each = entry.get("each", "mac")
    if each not in ("mac", "account"):
        raise PolicyError(f"{draft.where('each')}: {each!r} (allowed: mac, account)")
    references = _mapping(entry.get("references"), draft.where("references"))
    _only(references, _REFERENCES, draft.where("references"))

    for text in texts:
        for problem in compiler.strangers(text, parameters, each == "account", draft.where(text.key)):
            raise PolicyError(f"{draft.where(text.key)}: {text.source}: {problem}")
        if text.key in _CONDITIONS:
            # By itself, so that a mistake is shown where it stands, and no bracket reaches into the next one.
            compiler.condition(text.source, draft.where(text.key))
    applies, unknown, fails = (
        " and ".join(f"({text.source})" for text in texts if text.key == key) for key in _CONDITIONS
    )
    verdict = f"('{FAIL}' if ({fails}) else '{PASS}')"
    if unknown:
        verdict = f"('{UNKNOWN}' if ({unknown}) else {verdict})"
    if applies:
        verdict = f"({verdict} if ({applies}) else '{NOT_APPLICABLE}')"
    says = texts[-1].source
    return Rule(
        id=str(entry["id"]),
        title=str(entry["title"]).strip(),
        severity=str(entry["severity"]),
        each=each,
        rationale=" ".join(str(entry["rationale"]).split()),
        remedy=" ".join(str(entry["remedy"]).split()),
        run=str(entry.get("run") or ""),
        references={
            key: tuple(map(str, _list(value, f"{draft.where('references')}: {key}")))
            for key, value in references.items()
        },
        verdict=verdict,
        judge=compiler.condition(verdict, draft.where()),
        says=compiler.text(says, draft.where("says")) if says else None,
    )


def _exempts(exemption: Exemption, rules: t.Mapping[str, _Draft], where: str) -> None:
    """That what is exempt can be broken."""
    place = f"{where}: an exemption from {exemption.rule!r}"
    if exemption.rule not in rules:
        raise PolicyError(f"{place}: there is no rule of that id (there are: {names.nearest(exemption.rule, rules)})")
    if exemption.accounts and rules[exemption.rule].entry.get("each", "mac") != "account":
        raise PolicyError(f"{place} names accounts, and that rule is about the Mac as a whole: leave accounts out")


def _exemption(entry: t.Any, where: str) -> Exemption:
    _only(entry, _EXEMPTION_KEYS, f"{where}: an exemption")
    where = f"{where}: an exemption from {entry.get('rule')!r}"
    missing = [key for key in ("rule", "macs", "by", "until", "why") if not entry.get(key)]
    if missing:
        raise PolicyError(f"{where} has no {', '.join(missing)}")
    until = entry["until"]
    if not isinstance(until, datetime.date):
        try:
            until = datetime.date.fromisoformat(str(until))
        except ValueError as problem:
            raise PolicyError(f"{where}: until is {until!r}, and must be a day as 2027-01-31 ({problem})") from problem
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
    strangers = sorted(map(str, set(_mapping(content, where)) - set(allowed)))
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
