# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the names in a rule that no reading has, so that a slip of the pen is an error, not "unknown" for ever. Pure.

What a name leads to is followed as far as the text shows it: through attributes, keys, list filters and loops. Where it
does not, nothing is said.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import functools
import typing as t

from jinja2 import meta, nodes

from ansible_collections.keyholder.macos.plugins.module_utils._model import Account, Mac, Missing, Version
from ansible_collections.keyholder.macos.plugins.module_utils._report import view

if t.TYPE_CHECKING:
    from jinja2 import Environment

_SAME = ("list", "select", "reject", "sort", "unique", "selectattr", "rejectattr", "reverse")
"""Filters whose result has the elements that their input has."""
_ONE = ("first", "last", "random", "min", "max")
_BY_NAME = ("selectattr", "rejectattr")
_MAY_BE_MISSING = ("defined", "undefined")


class _Value:
    """What an expression leads to: ``keys`` of a dictionary, or ``element`` of a list. ``said``: how to write it."""

    def __init__(self, said: str, content: t.Any) -> None:
        self.said = said
        self.keys = content if isinstance(content, dict) else None
        self.element = content[0] if isinstance(content, list) and content else None

    def of(self, key: str) -> _Value | None:
        return _Value(f"{self.said}.{key}", self.keys[key]) if self.keys is not None and key in self.keys else None

    def one(self) -> _Value | None:
        return None if self.element is None else _Value(self.said, self.element)


@functools.lru_cache(maxsize=1)
def _reading() -> dict[str, t.Any]:
    """One that has everything, and one of each kind."""
    mac = Mac(Version(15), accounts=(Account("x", "X"),), missing=(Missing("x", "x"),))
    return view(mac, ("escrow", "preflight"))


def strangers(
    source: str, environment: Environment, parameters: t.Mapping[str, t.Any], by_account: bool
) -> t.Iterator[str]:
    """Each name in the template ``source`` that leads nowhere, with those that would. ``by_account``: whether it is
    looked at for each account."""
    known = {"mac": _reading(), "params": dict(parameters), "host": "", "now": 0.0}
    if by_account:
        known["account"] = _reading()["accounts"][0]
    tree = environment.parse(source)
    for name in sorted(meta.find_undeclared_variables(tree) - set(known) - set(environment.globals)):
        yield f"there is no {name!r} here (there are: {', '.join(sorted(known))})"
    yield from _Walk({name: _Value(name, content) for name, content in known.items()}).problems(tree)


class _Walk:
    """One way through a template. ``names``: what the names mean where it has come to."""

    def __init__(self, names: t.Mapping[str, _Value | None]) -> None:
        self._names = dict(names)

    def problems(self, node: nodes.Node) -> t.Iterator[str]:
        if isinstance(node, nodes.For):
            yield from self._loop(node)
            return
        if isinstance(node, nodes.Assign) and isinstance(node.target, nodes.Name):
            yield from self.problems(node.node)
            self._names[node.target.name] = self._value(node.node)
            return
        children: t.Iterable[nodes.Node] = node.iter_child_nodes()
        if self._may_be_missing(node):
            children = (*node.node.iter_child_nodes(), *node.args)  # type: ignore[attr-defined]
        else:
            yield from self._problem(node)
        for child in children:
            yield from self.problems(child)

    def _loop(self, loop: nodes.For) -> t.Iterator[str]:
        yield from self.problems(loop.iter)
        inside = dict(self._names)
        listed = self._value(loop.iter)
        for target in loop.target.find_all(nodes.Name) if not isinstance(loop.target, nodes.Name) else [loop.target]:
            inside[target.name] = None
        if isinstance(loop.target, nodes.Name) and listed is not None:
            inside[loop.target.name] = listed.one()
        walk = _Walk(inside)
        for part in ([loop.test] if loop.test else []) + loop.body + loop.else_:
            yield from walk.problems(part)

    @staticmethod
    def _may_be_missing(node: nodes.Node) -> bool:
        """``x.y is defined`` and ``x.y | default(z)``: whoever writes that knows that y may not be there."""
        asks = isinstance(node, nodes.Test) and node.name in _MAY_BE_MISSING
        fills = isinstance(node, nodes.Filter) and node.name in ("default", "d")
        return (asks or fills) and isinstance(node.node, (nodes.Getattr, nodes.Getitem))  # type: ignore[attr-defined]

    def _problem(self, node: nodes.Node) -> t.Iterator[str]:
        key = _key(node)
        if key is not None:
            yield from self._path(self._value(node.node), key)  # type: ignore[attr-defined]
        elif isinstance(node, nodes.Filter) and node.node is not None:
            path = _attribute(node)
            listed = self._value(node.node)
            if path is not None and listed is not None:
                yield from self._path(listed.one(), path)

    def _path(self, value: _Value | None, path: str) -> t.Iterator[str]:
        for key in path.split("."):
            if value is None or value.keys is None:
                return
            if key not in value.keys and not (hasattr(dict, key) and not key.startswith("_")):
                yield f"{value.said} has no {key!r} (it has: {', '.join(sorted(value.keys))})"
                return
            value = value.of(key)

    def _value(self, node: nodes.Node | None) -> _Value | None:
        if isinstance(node, nodes.Name):
            return self._names.get(node.name)
        if isinstance(node, (nodes.Getattr, nodes.Getitem)):
            of, key = self._value(node.node), _key(node)
            if of is None:
                return None
            return of.one() if key is None else of.of(key)
        if isinstance(node, nodes.Filter) and node.name in (*_SAME, *_ONE):
            listed = self._value(node.node)
            return listed.one() if listed is not None and node.name in _ONE else listed
        return None


def _key(node: nodes.Node) -> str | None:
    if isinstance(node, nodes.Getattr):
        return node.attr
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
        return node.arg.value
    return None


def _attribute(node: nodes.Filter) -> str | None:
    """The attribute that a filter reads of each element, where it is a plain text and nothing stands in for it."""
    given = {str(word.key): word.value for word in node.kwargs}
    if "default" in given:
        return None
    value = node.args[0] if node.name in _BY_NAME and node.args else given.get("attribute")
    return value.value if isinstance(value, nodes.Const) and isinstance(value.value, str) else None
