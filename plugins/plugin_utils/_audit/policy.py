# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put the layers of a policy upon each other, and judge a reading by the rules that come out.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import contextlib
import functools
import json
import time
import typing as t
from dataclasses import dataclass, replace

from ansible.errors import AnsibleFilterError

from ansible_collections.keyholder.macos.plugins.module_utils._shape import ShapeError, conform
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.commands import OURS
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.expressions import (
    AuditPolicyError,
    Compiler,
    RuleText,
)
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.parameters import Parameters, used_parameters
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.policy_file import (
    BASELINE,
    dictionary,
    entries,
    layer_of,
    layer_places,
    one_of,
)
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.rules import (
    EXEMPT,
    FAIL,
    NOT_APPLICABLE,
    PASS,
    SEVERITIES,
    UNKNOWN,
    Draft,
    Exemption,
    Rule,
    RuleFinding,
    check_exemption,
    exemption_of,
    rule_entry,
    rule_of,
    rule_texts,
)

if t.TYPE_CHECKING:
    Reading = t.Mapping[str, t.Any]

_LAYER_KEYS = ("name", "extends", "parameters", "rules", "exemptions")


@dataclass(frozen=True)
class Policy:
    """Hold the rules with their parameters, and what is exempt from them."""

    name: str
    rules: tuple[Rule, ...]
    parameters: t.Mapping[str, t.Any]
    exemptions: tuple[Exemption, ...] = ()

    def evaluate(self, host: str, reading: Reading, now: float) -> list[RuleFinding]:
        """Return what each rule says of a reading, in the order of the rules.

        ``host``: the Mac's name in the inventory; ``reading``: what ``_reading.view`` made; ``now``: in seconds since
        1970. Nothing is raised: a rule that does not fit the reading is unknown, and says why.
        """
        names = {"mac": reading, "params": self.parameters, "host": host, "now": now}
        judged = self._results_of_all(names)
        return [self._finding(rule, host, names, judged.get(rule.id)) for rule in self.rules]

    def _results_of_all(self, names: dict[str, t.Any]) -> dict[str, list[str]]:
        """Return results by rule, one for each account if the rule is about accounts; {} if an expression fails.

        All rules are asked in one template, because beginning an expression costs more than what it does. If one of
        them raises something (it may be anything), none has a result, and each rule is asked by itself.
        """
        of_mac, of_account = self._rules_by_each["mac"], self._rules_by_each["account"]
        try:
            results = self._all_verdicts(**names).split()
        except Exception:  # pylint: disable=broad-except
            return {}
        judged = {rule.id: [result] for rule, result in zip(of_mac, results)}
        by_account = results[len(of_mac) :]
        judged.update((rule.id, by_account[number :: len(of_account)]) for number, rule in enumerate(of_account))
        return judged

    @functools.cached_property
    def _rules_by_each(self) -> dict[str, list[Rule]]:
        return {each: [rule for rule in self.rules if rule.each == each] for each in ("mac", "account")}

    @functools.cached_property
    def _all_verdicts(self) -> t.Callable[..., str]:
        """Return one template that says every result, with blanks between."""
        of_mac, of_account = (
            " ".join(f"{{{{ {rule.verdict} }}}}" for rule in self._rules_by_each[each]) for each in ("mac", "account")
        )
        text = f"{of_mac} {{% for account in mac.accounts %}}{of_account} {{% endfor %}}"
        return Compiler().template(text, self.name)

    def _finding(self, rule: Rule, host: str, names: dict[str, t.Any], results: list[str] | None) -> RuleFinding:
        try:
            accounts = [None] if rule.each == "mac" else names["mac"]["accounts"]
            if results is None:
                results = [rule.judge(account=account, **names) for account in accounts]
            result = next((one for one in (FAIL, UNKNOWN, PASS) if one in results), NOT_APPLICABLE)
            if result == UNKNOWN:
                return RuleFinding(rule, UNKNOWN, ("the reading does not tell",))
            if result != FAIL:
                return RuleFinding(rule, result)
            failed = [
                (account and account["name"], rule.says(account=account, **names) if rule.says else rule.title)
                for account, one in zip(accounts, results)
                if one == FAIL
            ]
        except Exception as problem:  # pylint: disable=broad-except
            why = str(problem) or type(problem).__name__
            return RuleFinding(rule, UNKNOWN, (f"the rule cannot be applied to this reading: {why}",))
        finding = self._with_exemptions(rule, host, failed, names["now"])
        return finding if finding.result != FAIL else replace(finding, run=_run(finding, names))

    def _with_exemptions(self, rule: Rule, host: str, failed: list[tuple[str | None, str]], now: float) -> RuleFinding:
        """Return a failure, or exempt if an exemption covers every account that failed.

        ``failed``: the account, None for the Mac as a whole, and what was found.
        """
        exempt: Exemption | None = None
        expired: Exemption | None = None
        left: list[tuple[str | None, str]] = []
        for account, text in failed:
            covering = [one for one in self.exemptions if one.rule == rule.id and one.covers(host, account)]
            valid = [one for one in covering if not one.has_expired(now)]
            if valid:
                exempt = valid[0]
            else:
                left.append((account, text))
                expired = covering[0] if covering else expired
        shown = left or failed
        return RuleFinding(
            rule,
            FAIL if left else EXEMPT,
            tuple(text for _account, text in shown),
            tuple(account for account, _text in shown if account is not None),
            None if left else exempt,
            expired,
        )


def _run(finding: RuleFinding, names: dict[str, t.Any]) -> tuple[str, ...]:
    """Return what puts a failure right: a playbook with its options, or one for each account; none if no playbook can.
    A rule whose ``run_with`` does not fit the reading has none either."""
    rule = finding.rule
    if not rule.run or rule.run_with is None:
        return (rule.run,) if rule.run else ()
    failed = [one for one in names["mac"]["accounts"] if one["name"] in finding.accounts]
    try:
        options = [rule.run_with(account=one, **names) for one in (failed if rule.each == "account" else [None])]
    except Exception:  # pylint: disable=broad-except
        return ()
    told = (text.strip() for text in options if text.strip())
    return tuple(dict.fromkeys(text if text.startswith(OURS) else f"{rule.run} {text}" for text in told))


# -- from layers to a policy ------------------------------------------------------------------------------------------


class _Stack:
    """Hold what the layers say together, as they come."""

    def __init__(self) -> None:
        self.name = ""
        self._clear()

    def _clear(self) -> None:
        self.rules: dict[str, Draft] = {}
        self.parameters = Parameters()
        self.exemptions: list[tuple[Exemption, str]] = []
        """Each with the layer that it comes from."""

    def add(self, layer: t.Any, where: str, baseline: bool = False) -> None:
        """Put a layer upon those before. Raise :class:`AuditPolicyError` if it has not the form of a policy."""
        layer = dictionary(layer, where, _LAYER_KEYS)
        if one_of(layer.get("extends", "baseline"), ("baseline", "none"), f"{where}: extends") == "none":
            self._clear()
        self.name = str(layer.get("name") or self.name)
        for name, value in dictionary(layer.get("parameters"), f"{where}: parameters").items():
            self.parameters.set(str(name), value, where, baseline)
        for given in entries(layer.get("rules"), f"{where}: rules"):
            entry = rule_entry(given, where)
            code = str(entry["id"])
            self.rules[code] = self.rules.get(code, Draft()).with_layer(entry, where)
        self.exemptions += [
            (exemption_of(entry, where), where) for entry in entries(layer.get("exemptions"), f"{where}: exemptions")
        ]


@functools.lru_cache(maxsize=1)
def _baseline() -> t.Any:
    """Return the layer that lies below all others."""
    return layer_of(BASELINE)


def load_policy(*layers: t.Any) -> Policy:
    """Return the baseline with ``layers`` upon it: each may set parameters, change rules, add rules and exempt.

    A layer is what YAML gives. ``extends: none`` in one leaves out the baseline and the layers before it. Raise
    :class:`AuditPolicyError` for a layer that cannot be what its author meant.
    """
    stack = _Stack()
    stack.add(_baseline(), "baseline", baseline=True)
    for layer, where in zip(layers, layer_places(layers)):
        stack.add(layer, where)
    compiler = Compiler()
    texts: dict[str, list[RuleText]] = {}
    for code, draft in stack.rules.items():
        draft.check_complete(set(stack.rules) - {code})
        # A rule that is switched off may be broken, and the parameters that it reads still count as read.
        with contextlib.nullcontext() if draft.enabled else contextlib.suppress(AuditPolicyError):
            texts[code] = rule_texts(draft, compiler)
    uses = {code: used_parameters(text.tree for text in those) for code, those in texts.items()}
    stack.parameters.check_used(uses.values())
    rules = tuple(
        rule_of(draft, texts[code], compiler, {*stack.parameters.values, *uses[code].guarded})
        for code, draft in stack.rules.items()
        if draft.enabled
    )
    for exemption, where in stack.exemptions:
        check_exemption(exemption, stack.rules, where)
    return Policy(stack.name, rules, stack.parameters.values, tuple(one for one, _where in stack.exemptions))


# -- for the filter findings and the test compliant --------------------------------------------------------------------

_loaded: dict[str, Policy] = {}
"""By the layers as JSON. A policy is compiled once in a process, however many Macs are judged by it."""


def _loaded_policy(layers: t.Any) -> Policy:
    """Return a policy of its layers, or of the only one. Raise :class:`AuditPolicyError`."""
    given = [layers] if isinstance(layers, dict) else list(layers or [])
    key = json.dumps(given, sort_keys=True, default=str)
    if key not in _loaded:
        _loaded[key] = load_policy(*given)
    return _loaded[key]


def judge_reading(reading: t.Any, policy: t.Any, host: str, now: float | None) -> list[RuleFinding]:
    """Return the findings about a reading, or about the result of a task that holds one as ``mac``.

    ``policy``: its layers, or the only one; ``now``: in seconds since 1970, None for the present. Raise
    ``AnsibleFilterError`` for what is no reading, and for a policy that is none.
    """
    mac = reading.get("mac", reading) if isinstance(reading, dict) else reading
    if not isinstance(mac, dict) or "accounts" not in mac:
        raise AnsibleFilterError("this is not a reading: give what keyholder.macos.trust_info returned, or its mac")
    try:
        mac = conform(mac)
    except (ShapeError, RecursionError) as problem:
        raise AnsibleFilterError(f"this is not a reading: {problem}") from problem
    at = time.time() if now is None else float(now)
    try:
        return policy_given(policy).evaluate(host, mac, at)
    except AuditPolicyError as problem:
        raise AnsibleFilterError(str(problem)) from problem


def policy_given(policy: t.Any) -> Policy:
    """Return the policy of its layers, or of the only one. Raise ``AnsibleFilterError`` for a policy that is none."""
    try:
        return _loaded_policy(policy)
    except AuditPolicyError as problem:
        raise AnsibleFilterError(str(problem)) from problem


def is_broken(finding: RuleFinding, at_least: str, strict: bool) -> bool:
    """Return whether the rule is as severe as ``at_least``, and has failed, or, with ``strict``, is unanswered. Raise
    ``AnsibleFilterError`` if that is no severity."""
    if at_least not in SEVERITIES:
        raise AnsibleFilterError(f"at_least: {at_least!r} (allowed: {', '.join(SEVERITIES)})")
    counts = SEVERITIES.index(finding.rule.severity) <= SEVERITIES.index(at_least)
    return counts and finding.result in ((FAIL, UNKNOWN) if strict else (FAIL,))
