# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell what a preflight found: a table that is short for 300 Macs too, the causes, and the content of a file. Pure.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.keyholder.macos.plugins.module_utils._text import plain
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.sentences import macs, some
from ansible_collections.keyholder.macos.plugins.plugin_utils._preflight import (
    CHECKS,
    FLEET,
    STATES,
    Verdict,
    ok,
    stop,
    unknown,
    warn,
    whole,
    worst,
)
from ansible_collections.keyholder.macos.plugins.plugin_utils._preflight_way import remedy_of
from ansible_collections.keyholder.macos.plugins.plugin_utils._unread import clause, trouble_of

SCHEMA = "keyholder.macos.preflight/1"
FAIL_ON = ("stops", "any", "never")
"""What makes the task fail: what would stop a run; whatever failed or is unknown; nothing."""

_FEW_FORKS = 5
"""Ansible's own default."""
_MANY_MACS = 20
_CELLS = {"ok": "ok", "failed": "failed", "unknown": "?", "not_asked": "-"}


def verdicts_of(host: str, result: t.Any, undecryptable: Sequence[str]) -> list[Verdict]:
    """Return what was found on a Mac, one verdict at least for each check. ``result``: of its own task, None if there
    is none. ``undecryptable``: its variables that no vault password opens."""
    found = [
        stop(
            "variables",
            f"{name} cannot be decrypted",
            "Give the vault's password (--ask-vault-pass or --vault-id), or encrypt the value anew.",
        )
        for name in undecryptable
    ]
    result = result if isinstance(result, Mapping) else {}
    kept = [_verdict(one) for one in result.get("verdicts") or ()]
    if kept:
        return whole([*found, *(one for one in kept if not (found and one.check == "variables"))])
    said = plain(" ".join(str(result.get("msg") or "").split()))
    if result.get("unreachable"):
        trouble = trouble_of(said)
        return whole([*found, stop("login", trouble.why, remedy_of(trouble))])
    if found:
        return whole(found)
    if not said:
        return whole([unknown("login", "it was not asked", "Run the playbook again.")])
    words = f"they cannot be resolved: {clause(said).replace(host, 'HOST')}"
    return whole([stop("variables", words, "Set what the message names, or correct the template.")])


def _verdict(given: Mapping[str, t.Any]) -> Verdict:
    texts = {name: plain(str(given.get(name, ""))) for name in ("words", "remedy")}
    state = given.get("state")
    found = t.cast("t.Any", state if state in STATES else "unknown")
    return Verdict(str(given.get("check", "")), found, texts["words"], texts["remedy"], bool(given.get("stops")))


def fleet_verdicts(
    hosts: Sequence[str], group: Sequence[str] | None, chosen: bool, names: str, forks: int
) -> list[Verdict]:
    """Return what is looked at once. ``group``: the Macs of the group macs, None if there is no such group.
    ``chosen``: whether keyholder_hosts names the Macs. ``names``: what is wrong with the names of variables."""
    if group:
        of_group = ok("group", macs(len(group)))
    elif chosen:
        of_group = ok("group", "there is none, and keyholder_hosts names the Macs")
    else:
        words = "it has no hosts" if group is not None else "the inventory has none"
        of_group = warn("group", words, "Put the Macs into the group macs, or give keyholder_hosts with -e.")
    of_names = ok("names") if not names else stop("names", plain(names), "")
    of_forks = ok("forks", str(forks))
    if forks <= _FEW_FORKS and len(hosts) > _MANY_MACS:
        words = f"{forks} Macs at a time, of {len(hosts)}"
        of_forks = warn("forks", words, "Raise forks: -f 25, or forks in the section defaults of ansible.cfg.")
    return [of_group, of_names, of_forks]


@dataclass(frozen=True)
class Cause:
    """Hold one trouble, and the Macs that have it."""

    verdict: Verdict
    hosts: tuple[str, ...]
    others: bool = False
    """Whether the remedy of another of the Macs reads otherwise."""

    def lines(self) -> list[str]:
        """Return it for a terminal: how many Macs, what, which, and what to do."""
        column = next((check.column for check in CHECKS if check.name == self.verdict.check), self.verdict.check)
        grave = "stops a run" if self.verdict.stops else self.verdict.state
        remedy = f"for example: {self.verdict.remedy}" if self.others else self.verdict.remedy
        told = [f"{macs(len(self.hosts))}: {self.verdict.words} [{column}, {grave}]", f"    {some(self.hosts)}"]
        return told + ([f"    {remedy}"] if remedy else [])

    def view(self) -> dict[str, t.Any]:
        """Return it as a result and a file hold it."""
        return {**self.verdict.view(), "macs": list(self.hosts)}


@dataclass(frozen=True)
class Report:
    """Hold all that was found. ``found``: by Mac. ``fleet``: what is looked at once."""

    found: Mapping[str, Sequence[Verdict]]
    fleet: Sequence[Verdict] = ()
    causes: tuple[Cause, ...] = field(init=False, default=())

    def __post_init__(self) -> None:
        object.__setattr__(self, "causes", _causes(self.found))

    @property
    def stopped(self) -> list[str]:
        """Return the Macs on which a run would stop."""
        return [host for host, verdicts in self.found.items() if any(one.stops for one in verdicts)]

    @property
    def troubled(self) -> list[str]:
        """Return the other Macs with a trouble."""
        stopped = set(self.stopped)
        return [host for host, found in self.found.items() if host not in stopped and any(map(_is_trouble, found))]

    def problem(self, fail_on: str) -> str:
        """Return why the task fails, "" if it does not."""
        everywhere = [one.check for one in self.fleet if one.stops or (fail_on == "any" and _is_trouble(one))]
        hosts = self.stopped + (self.troubled if fail_on == "any" else [])
        told = [f"{macs(len(hosts))}: {some(hosts, 10)}"] if hosts else []
        told += [next(check.title for check in FLEET if check.name == name) for name in everywhere]
        if not told or fail_on == "never":
            return ""
        what = "something would stop a run" if fail_on == "stops" else "something is not in order"
        return f"{what}: {'; '.join(told)}"

    def lines(self) -> list[str]:
        """Return it for a terminal, which shows the end: the table, what is looked at once, the causes, the numbers."""
        fine = len(self.found) - len(self.stopped) - len(self.troubled)
        once = [_once(verdict) for verdict in self.fleet]
        causes = [line for cause in self.causes for line in cause.lines()]
        numbers = f"{macs(len(self.found))}: {fine} in order, {len(self.stopped)} on which a run would stop"
        return [
            *_table(self.found),
            "",
            *once,
            "",
            *causes,
            *([""] if causes else []),
            f"{numbers}, {len(self.troubled)} with other trouble",
        ]

    def view(self) -> dict[str, t.Any]:
        """Return it as a file holds it."""
        return {
            "schema": SCHEMA,
            "macs": {host: [one.view() for one in verdicts] for host, verdicts in self.found.items()},
            "fleet": [one.view() for one in self.fleet],
            "causes": [cause.view() for cause in self.causes],
            "stopped": self.stopped,
            "troubled": self.troubled,
        }


def _is_trouble(verdict: Verdict) -> bool:
    return verdict.state in ("failed", "unknown")


def _causes(found: Mapping[str, Sequence[Verdict]]) -> tuple[Cause, ...]:
    """Return the troubles: what stops a run first, then the ones that most Macs have."""
    groups: dict[tuple[str, str, str, bool], dict[str, Verdict]] = {}
    for host, verdicts in found.items():
        for one in filter(_is_trouble, verdicts):
            groups.setdefault((one.check, one.state, one.words, one.stops), {})[host] = one
    causes = [
        Cause(next(iter(by.values())), tuple(sorted(by)), len({one.remedy for one in by.values()}) > 1)
        for by in groups.values()
    ]
    order = [check.name for check in CHECKS]
    return tuple(
        sorted(
            causes,
            key=lambda one: (
                not one.verdict.stops,
                STATES.index(one.verdict.state),
                -len(one.hosts),
                order.index(one.verdict.check) if one.verdict.check in order else len(order),
                one.verdict.words,
            ),
        )
    )


def _once(verdict: Verdict) -> str:
    check = next(check for check in FLEET if check.name == verdict.check)
    told = ": ".join(part for part in (check.title, verdict.words) if part)
    return f"{_cell([verdict]):7} {told}{f'. {verdict.remedy}' if verdict.remedy else ''}"


def _cell(verdicts: Sequence[Verdict]) -> str:
    return "FAILED" if any(one.stops for one in verdicts) else _CELLS[worst(verdicts)]


def _table(found: Mapping[str, Sequence[Verdict]]) -> list[str]:
    """Return a row for all Macs that are alike, those with trouble first, without the columns that none was asked."""
    rows: dict[tuple[str, ...], list[str]] = {}
    for host, verdicts in found.items():
        cells = tuple(_cell([one for one in verdicts if one.check == check.name]) for check in CHECKS)
        rows.setdefault(cells, []).append(host)
    shown = [number for number in range(len(CHECKS)) if any(cells[number] != "-" for cells in rows)]
    heads = ["Mac", *(CHECKS[number].column for number in shown)]
    ranked = sorted(rows.items(), key=lambda row: (-row[0].count("FAILED"), -row[0].count("failed"), row[1][0]))
    table = [heads, *([some(sorted(hosts), 3), *(cells[number] for number in shown)] for cells, hosts in ranked)]
    widths = [max(len(row[column]) for row in table) for column in range(len(heads))]
    return [
        *("  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip() for row in table),
        "FAILED: a run would stop; failed: it would not; ?: no answer; -: not asked",
    ]
