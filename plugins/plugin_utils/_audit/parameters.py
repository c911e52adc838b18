# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check the parameters of a policy: each keeps its kind, and each is read by a rule. Pure.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import datetime
import math
import re
import typing as t

from jinja2 import nodes

from ansible_collections.keyholder.macos.plugins.plugin_utils._audit import lint
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.expressions import AuditPolicyError

_VERSION_KIND = "a macOS version in quotes"


class Parameters:
    """Hold the parameters that the layers of a policy set, each upon those before.

    A rule is written for one kind of value: ``'ana' in 'itadmin, ana'`` would be true of a text, and mean nothing.
    """

    def __init__(self) -> None:
        self.values: dict[str, t.Any] = {}
        self._kinds: dict[str, str] = {}
        self._own: dict[str, str] = {}
        """Parameters that the baseline does not have, and the layer that each comes from."""

    def set(self, name: str, value: t.Any, where: str, baseline: bool) -> None:
        """Set a parameter. ``where``: the layer; ``baseline``: whether that is the collection's own.

        Raise :class:`AuditPolicyError` for a value of another kind than before, or one that no report could hold.
        """
        if not _fits_json(value):
            raise AuditPolicyError(
                f"{where}: parameters: {name} holds what JSON does not: a number that is none, or a key"
            )
        kind = self._kinds.get(name)
        if kind and not _is_kind(kind, value):
            raise AuditPolicyError(
                f"{where}: parameters: {name} is {value!r}, and must be {kind}, as {self.values[name]!r} is"
            )
        if name not in self.values and not baseline:
            self._own[name] = where
        if value is not None:
            is_version = baseline and _is_kind(_VERSION_KIND, value)
            self._kinds.setdefault(name, _VERSION_KIND if is_version else lint.kind(value))
        self.values[name] = value

    def check_used(self, uses: t.Collection[Used]) -> None:
        """Raise :class:`AuditPolicyError` for one that no rule reads: most likely it is another one, misspelt."""
        named = {name for use in uses for name in use.named}
        unused = set() if any(use.whole for use in uses) else set(self._own) - named
        for name in sorted(unused):
            there_are = lint.nearest(name, (named | set(self.values)) - unused)
            raise AuditPolicyError(f"{self._own[name]}: parameters: no rule reads {name!r} (there are: {there_are})")


def _fits_json(value: t.Any) -> bool:
    """Return whether the report, which names the parameters, can hold the value. A date is written as text."""
    if isinstance(value, dict):
        return all(isinstance(key, str) for key in value) and all(map(_fits_json, value.values()))
    if isinstance(value, list):
        return all(map(_fits_json, value))
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, (str, int, datetime.date))


def _is_kind(kind: str, value: t.Any) -> bool:
    if kind == _VERSION_KIND:
        return isinstance(value, str) and re.fullmatch(r"\d+(\.\d+)*", value) is not None
    return lint.kind(value) == kind


class Used(t.NamedTuple):
    """Hold the parameters that a rule's texts name."""

    named: frozenset[str]
    guarded: frozenset[str]
    """Those of ``named`` that may be missing, because the rule asks whether they are there."""
    whole: bool
    """Whether the rule takes all parameters at once, so that the names it uses cannot be seen."""


def used_parameters(trees: t.Iterable[nodes.Template]) -> Used:
    """Return which parameters the texts of one rule name."""
    named: set[str] = set()
    guarded: set[str] = set()
    unseen = 0
    for tree in trees:
        unseen += sum(name.name == "params" for name in tree.find_all(nodes.Name))
        for node in tree.find_all(nodes.Node):
            key = _parameter(node)
            if key is not None:
                named.add(key)
                unseen -= 1
            if isinstance(node, (nodes.Call, nodes.Compare)):
                guarded |= set() if key is None else {key}
            elif isinstance(node, (nodes.Test, nodes.Filter)) and node.name in ("defined", "undefined", "default", "d"):
                key = _parameter(node.node)
                guarded |= set() if key is None else {key}
    return Used(frozenset(named), frozenset(guarded), unseen > 0)


def _parameter(node: nodes.Node | None) -> str | None:
    """Return x for ``params.x``, ``params['x']``, ``params.get('x')`` and ``'x' in params``, None for anything else."""
    of, key = lint.member_of(node)
    if isinstance(node, nodes.Compare) and len(node.ops) == 1 and node.ops[0].op in ("in", "notin"):
        of, key = node.ops[0].expr, lint.constant_text(node.expr)
    is_name = isinstance(of, nodes.Name) and of.name == "params"
    # params.items is the dictionary's own method.
    return key if is_name and key is not None and not hasattr(dict, key) else None
