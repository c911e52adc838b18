# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say in sentences what has changed in a fleet since an earlier audit. Pure.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t
from collections import defaultdict

from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.sentences import macs, some

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.history import Change
    from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.policy import Policy

_AT_RISK = ("lost", "at_risk")
_NOT_READ = ("refused", "unreachable")


def changed_sentences(changes: t.Iterable[Change], policy: Policy) -> list[str]:
    """Return what has changed, the worst first: who is newly at risk, what is broken and what was resolved, who came
    and who is gone."""
    risky: list[str] = []
    safe: list[str] = []
    silent: list[str] = []
    back: list[str] = []
    new: list[str] = []
    gone: list[str] = []
    broken: defaultdict[str, list[str]] = defaultdict(list)
    resolved: defaultdict[str, list[str]] = defaultdict(list)
    gained: list[str] = []
    lost: list[str] = []
    for change in changes:
        host, was, now = change.host, change.was, change.now
        if not was:
            new.append(host)
        elif not now:
            gone.append(host)
        elif now in _AT_RISK and was not in _AT_RISK:
            risky.append(host)
        elif was in _AT_RISK and now not in (*_AT_RISK, *_NOT_READ, "unknown"):
            safe.append(host)
        elif now in _NOT_READ and was not in _NOT_READ:
            silent.append(host)
        if was in _NOT_READ and now and now not in _NOT_READ:
            back.append(host)
        for rule in change.broken:
            broken[rule].append(host)
        for rule in change.mended:
            resolved[rule].append(host)
        gained += [f"{name} on {host}" for name in change.gained]
        lost += [f"{name} on {host}" for name in change.lost]
    titles = {rule.id: rule.title for rule in policy.rules}

    def by_rule(words: str, hosts: t.Mapping[str, list[str]]) -> list[str]:
        ranked = sorted(hosts.items(), key=lambda pair: (-len(pair[1]), pair[0]))
        return [_sentence(who, f'{words} "{titles.get(rule, rule)}"', "fail", "fails") for rule, who in ranked]

    sentences = [
        *_sentences(risky, "are newly at risk or lost", "are", "is"),
        *by_rule("newly fail", broken),
        *_sentences(silent, "were not read this time", "were", "was"),
        *_sentences(safe, "are no longer at risk", "are", "is"),
        *by_rule("no longer fail", resolved),
        *_sentences(back, "were read again", "were", "was"),
        *_sentences(new, "are new", "are", "is"),
        *_sentences(gone, "are gone", "are", "is"),
    ]
    sentences += [f"New token holders: {some(gained)}"] if gained else []
    sentences += [f"No longer token holders: {some(lost)}"] if lost else []
    return sentences or ["Nothing"]


def _sentences(hosts: list[str], words: str, many: str, one: str) -> list[str]:
    return [_sentence(hosts, words, many, one)] if hosts else []


def _sentence(hosts: list[str], words: str, many: str, one: str) -> str:
    """Return what is so of some Macs. ``many``, ``one``: the verb of ``words``, and what it is for one Mac."""
    said = words.replace(many, one, 1) if len(hosts) == 1 else words
    return f"{macs(len(hosts))} {said}: {some(hosts)}"
