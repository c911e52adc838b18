# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read policy files, and check that what YAML gives has the form of a policy.

The checks are strict where ansible-core's ArgumentSpecValidator converts: ``enabled: "no"`` and ``macs: a,b`` are slips
here. It also ends with a TypeError on a key that is no text (``true: 1``) and on a number in a dictionary's place.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t
from pathlib import Path

import yaml

from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.expressions import AuditPolicyError

BASELINE = Path(__file__).with_name("baseline.yml")
"""The collection's own rules, which every policy lies upon."""


class FileLayer(dict[str, t.Any]):
    """Hold what a policy file says. ``place``: the file's path, which errors name."""

    def __init__(self, content: t.Mapping[str, t.Any], place: str) -> None:
        super().__init__(content)
        self.place = place


class _Loader(yaml.SafeLoader):
    """Load YAML so that every error has a line, and refuse a key that hides another one."""

    def compose_mapping_node(self, anchor: t.Any) -> yaml.MappingNode:
        """Return the node of a dictionary. Raise ``MarkedYAMLError`` for a key that is there twice."""
        node = super().compose_mapping_node(anchor)
        seen: set[str] = set()
        for key, _value in node.value:
            if key.value in seen and isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem=f"{key.value} is there twice", problem_mark=key.start_mark)
            seen |= {key.value} if isinstance(key, yaml.ScalarNode) else set()
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> t.Any:
        """Return the value of a node. Raise ``MarkedYAMLError`` for one that is none, such as 2027-02-31."""
        try:
            return super().construct_object(node, deep)
        except ValueError as problem:
            raise yaml.MarkedYAMLError(problem=f"{node.value}: {problem}", problem_mark=node.start_mark) from problem


def layer_of(path: Path) -> FileLayer:
    """Return what a policy file says. Raise :class:`AuditPolicyError`, with the line, if it is no YAML dictionary."""
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except yaml.MarkedYAMLError as problem:
        line = f", line {problem.problem_mark.line + 1}" if problem.problem_mark else ""
        raise AuditPolicyError(f"{path}{line}: {problem.problem}") from problem
    except (OSError, ValueError, yaml.YAMLError) as problem:
        raise AuditPolicyError(f"{path}: {problem}") from problem
    return FileLayer(dictionary(content, str(path)), str(path))


def layer_places(layers: t.Sequence[t.Any]) -> list[str]:
    """Return how errors name each layer: a file by its path, any other by the variable that it comes from."""
    inline = [layer for layer in layers if not isinstance(layer, FileLayer)]
    number = 0
    named: list[str] = []
    for layer in layers:
        number += not isinstance(layer, FileLayer)
        variable = "keyholder_policy" if len(inline) == 1 else f"keyholder_policy, number {number}"
        named.append(layer.place if isinstance(layer, FileLayer) else variable)
    return named


def dictionary(content: t.Any, where: str, keys: t.Collection[str] | None = None) -> t.Mapping[str, t.Any]:
    """Return a dictionary as it is, {} for null. ``keys``: the only ones that it may have.

    Raise :class:`AuditPolicyError` for anything else.
    """
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise AuditPolicyError(f"{where} is not a dictionary")
    unknown = sorted(map(str, set(content) - set(content if keys is None else keys)))
    if unknown:
        raise AuditPolicyError(f"{where}: {', '.join(unknown)}: no such key (allowed: {', '.join(keys or ())})")
    return content


def entries(content: t.Any, where: str) -> list[t.Any]:
    """Return a list as it is, [] for null. Raise :class:`AuditPolicyError` for anything else."""
    if content is None:
        return []
    if not isinstance(content, list):
        raise AuditPolicyError(f"{where} is not a list")
    return content


def one_of(value: t.Any, allowed: t.Collection[str], where: str) -> str:
    """Return the value, which must be one of the allowed. Raise :class:`AuditPolicyError` for anything else."""
    if value not in allowed:
        raise AuditPolicyError(f"{where}: {value!r} (allowed: {', '.join(allowed)})")
    return str(value)
