# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the names in a rule that nothing has, so that a slip of the pen is an error, not "unknown" for ever. Pure.

What a name leads to is followed as far as the text shows it: through attributes, keys, list filters and loops. Where it
does not, nothing is said. A reading's keys are known whole, so a guard (``is defined``, ``default``) with another one
guards nothing, and is a slip as well. Of parameters only the names are known, and not what is in them.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import difflib
import functools
import typing as t
from dataclasses import dataclass

from jinja2 import meta, nodes

from ansible_collections.keyholder.macos.plugins.module_utils._macos import Version
from ansible_collections.keyholder.macos.plugins.module_utils._model import Account, Mac, Missing
from ansible_collections.keyholder.macos.plugins.module_utils._report import view

if t.TYPE_CHECKING:
    from jinja2 import Environment

_SAME = ("list", "select", "reject", "sort", "unique", "selectattr", "rejectattr", "reverse")
"""Filters whose result has the elements that their input has."""
_ONE = ("first", "last", "random", "min", "max")
_ATTRIBUTE = {
    "selectattr": 0, "rejectattr": 0, "groupby": 0, "sum": 0, "join": 1, "unique": 1, "min": 1, "max": 1, "sort": 2,
}  # fmt: skip
"""Which argument of a filter is an attribute of each element, where it stands without its name."""
_TEST = {"select": 0, "reject": 0, "selectattr": 1, "rejectattr": 1}
"""Which argument of a filter names a test."""

_KINDS: tuple[tuple[type, str], ...] = (
    (bool, "true or false"), (int, "a number"), (float, "a number"), (str, "a text"), (list, "a list"),
    (dict, "a dictionary"),
)  # fmt: skip
"""In this order, as Python calls true a number."""
_MANY = 20


@dataclass(frozen=True)
class _Value:
    """What an expression leads to. ``said``: how to write it; ``content``: an example, and None where none is known."""

    said: str
    content: t.Any

    def of(self, key: str) -> _Value | None:
        if isinstance(self.content, dict):
            return _Value(f"{self.said}.{key}", self.content[key]) if key in self.content else None
        return self.entry() if key.isdigit() else None

    def entry(self) -> _Value | None:
        return _Value(f"an entry of {self.said}", self.content[0]) if isinstance(self.content, list) else None

    def lacks(self, key: str) -> str:
        """Why there is no ``key``; "" where there is, or nobody knows."""
        content = self.content
        if content is None or _has(content, key):
            return ""
        if isinstance(content, dict):
            return f"{self.said} has no {key!r} (it has: {nearest(key, content)})"
        entry = self.entry()
        inside = f" (an entry has: {nearest(key, entry.content)})" if entry and isinstance(entry.content, dict) else ""
        return f"{self.said} is {kind(content)}, and has no {key!r}{inside}"


def kind(value: t.Any) -> str:
    """What a value of YAML or JSON is, in words."""
    return next((words for one, words in _KINDS if isinstance(value, one)), f"a {type(value).__name__}")


def _has(content: t.Any, key: str) -> bool:
    if isinstance(content, dict) and key in content:
        return True
    if isinstance(content, (str, list)) and key.isdigit():
        return True
    # JSON does not tell the two kinds of numbers apart.
    kinds = (int, float) if isinstance(content, (int, float)) else (type(content),)
    return not key.startswith("_") and any(hasattr(kind, key) for kind in kinds)


def close(name: str, known: t.Iterable[str]) -> list[str]:
    """Those of ``known`` that ``name`` may have been meant to be."""
    return difflib.get_close_matches(name, sorted(known))


def nearest(name: str, known: t.Iterable[str]) -> str:
    """``known`` in words, the closest to ``name`` first; of many only those, where there are any."""
    first, everything = close(name, known), sorted(known)
    return ", ".join(first if first and len(everything) > _MANY else dict.fromkeys([*first, *everything]))


@functools.lru_cache(maxsize=1)
def _reading() -> dict[str, t.Any]:
    """One that has everything, and one of each kind."""
    mac = Mac(Version(15), accounts=(Account("x", "X"),), missing=(Missing("x", "x"),))
    return t.cast("dict[str, t.Any]", _filled(view(mac, ("escrow", "preflight"))))


def _filled(content: t.Any) -> t.Any:
    """A list that is empty here would hold texts."""
    if isinstance(content, dict):
        return {key: _filled(entry) for key, entry in content.items()}
    return content or [""] if isinstance(content, list) else content


# -- parameters -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Used:
    """What a rule's texts do with parameters. ``asked``: those of ``named`` that may be missing, as the rule asks."""

    named: frozenset[str]
    asked: frozenset[str]
    whole: bool
    """Whether the rule takes all of them, so that nobody can see which it names."""


def used(trees: t.Iterable[nodes.Template]) -> Used:
    named: set[str] = set()
    asked: set[str] = set()
    unseen = 0
    for tree in trees:
        unseen += sum(name.name == "params" for name in tree.find_all(nodes.Name))
        for node in tree.find_all((nodes.Getattr, nodes.Getitem)):
            key = _key(node) if _is_params(node.node) else None  # type: ignore[attr-defined]
            if key is not None and not hasattr(dict, key):
                named.add(key)
                unseen -= 1
        for node in tree.find_all((nodes.Test, nodes.Filter, nodes.Call, nodes.Compare)):
            key = _asked(node)
            if key is not None:
                asked.add(key)
                unseen -= isinstance(node, (nodes.Call, nodes.Compare))
    return Used(frozenset(named | asked), frozenset(asked), unseen > 0)


def _is_params(node: nodes.Node | None) -> bool:
    return isinstance(node, nodes.Name) and node.name == "params"


def _asked(node: nodes.Node) -> str | None:
    """x in ``params.x is defined``, ``params.x | default(y)``, ``params.get('x')`` and ``'x' in params``: the author
    knows that it may not be there."""
    if isinstance(node, nodes.Call):
        return _got(node) if isinstance(node.node, nodes.Getattr) and _is_params(node.node.node) else None
    if isinstance(node, nodes.Compare):
        among = len(node.ops) == 1 and node.ops[0].op in ("in", "notin") and _is_params(node.ops[0].expr)
        return _text(node.expr) if among else None
    asks = isinstance(node, nodes.Test) and node.name in ("defined", "undefined")
    fills = isinstance(node, nodes.Filter) and node.name in ("default", "d")
    of = node.node if asks or fills else None  # type: ignore[attr-defined]
    return _key(of) if isinstance(of, (nodes.Getattr, nodes.Getitem)) and _is_params(of.node) else None


# -- names ------------------------------------------------------------------------------------------------------------


def strangers(
    tree: nodes.Template, environment: Environment, parameters: t.Iterable[str], by_account: bool
) -> t.Iterator[str]:
    """Each name in the template that leads nowhere, with those that would. ``by_account``: whether it is looked at for
    each account."""
    known = {"mac": _reading(), "params": dict.fromkeys(parameters), "host": "", "now": 0.0}
    if by_account:
        known["account"] = _reading()["accounts"][0]
    # Whatever is stored somewhere may be something else wherever it is read; only a loop's target is followed.
    targets = {id(name) for loop in tree.find_all(nodes.For) for name in _targets(loop)}
    stored = {name.name for name in tree.find_all(nodes.Name) if name.ctx != "load" and id(name) not in targets}
    begin = {name: _Value(name, content) for name, content in known.items() if name not in stored}
    yield from _Walk(begin, environment, stored).problems(tree)
    for name in sorted(meta.find_undeclared_variables(tree) - set(known) - set(environment.globals) - stored):
        yield f"there is no {name!r} here (there are: {nearest(name, known)})"


class _Walk:
    """One way through a template. ``names``: what the names mean where it has come to; ``stored``: those that stay
    unknown."""

    def __init__(
        self, names: t.Mapping[str, _Value | None], environment: Environment, stored: t.Collection[str]
    ) -> None:
        self._names = names
        self._environment = environment
        self._stored = stored

    def problems(self, node: nodes.Node) -> t.Iterator[str]:
        if isinstance(node, nodes.For):
            yield from self._loop(node)
            return
        yield from self._problem(node)
        for child in node.iter_child_nodes():
            yield from self.problems(child)

    def _loop(self, loop: nodes.For) -> t.Iterator[str]:
        yield from self.problems(loop.iter)
        inside = {**self._names, **{name.name: None for name in _targets(loop)}}
        listed = self._value(loop.iter)
        if listed and isinstance(loop.target, nodes.Name) and loop.target.name not in self._stored:
            inside[loop.target.name] = listed.entry()
        walk = _Walk(inside, self._environment, self._stored)
        for part in ([loop.test] if loop.test else []) + loop.body:
            yield from walk.problems(part)
        for part in loop.else_:
            yield from self.problems(part)

    def _problem(self, node: nodes.Node) -> t.Iterator[str]:
        key = _key(node)
        if key is not None:
            yield from self._path(self._value(node.node), key)  # type: ignore[attr-defined]
        elif isinstance(node, nodes.Call) and isinstance(node.node, nodes.Getattr):
            got, of = _got(node), self._value(node.node.node)
            if got is not None and of is not None and isinstance(of.content, dict) and not _is_params(node.node.node):
                yield from self._path(of, got)
        elif isinstance(node, nodes.Test):
            yield from self._missing("test", node.name)
        elif isinstance(node, nodes.Filter):
            yield from self._filter(node)

    def _filter(self, node: nodes.Filter) -> t.Iterator[str]:
        yield from self._missing("filter", node.name)
        if node.name in _TEST:
            yield from self._missing("test", _argument(node, _TEST[node.name]))
        if node.name == "map":
            yield from self._missing("filter", _argument(node, 0))
        attributes = _argument(node, _ATTRIBUTE.get(node.name), "attribute")
        listed = self._value(node.node)
        if attributes is not None and listed is not None:
            # Only sort takes several.
            for path in attributes.split(",") if node.name == "sort" else [attributes]:
                yield from self._path(listed.entry(), path)

    def _missing(self, kind: str, name: str | None) -> t.Iterator[str]:
        known = self._environment.tests if kind == "test" else self._environment.filters
        if name is not None and name not in known:
            yield f"there is no {kind} {name!r} (there are: {nearest(name, known)})"

    def _path(self, value: _Value | None, path: str) -> t.Iterator[str]:
        for key in path.split("."):
            if value is None:
                return
            problem = value.lacks(key)
            if problem:
                yield problem
                return
            value = value.of(key)

    def _value(self, node: nodes.Node | None) -> _Value | None:
        if isinstance(node, nodes.Name):
            return self._names.get(node.name)
        if isinstance(node, (nodes.Getattr, nodes.Getitem)):
            of, key = self._value(node.node), _key(node)
            if of is None or (isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Slice)):
                return of if of is not None and isinstance(of.content, list) else None
            return of.entry() if key is None else of.of(key)
        if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Getattr):
            of, key = self._value(node.node.node), _got(node)
            return of.of(key) if of is not None and isinstance(of.content, dict) and key is not None else None
        if isinstance(node, nodes.Filter) and node.name in (*_SAME, *_ONE):
            listed = self._value(node.node)
            if listed is None or not isinstance(listed.content, list):
                return None
            return listed.entry() if node.name in _ONE else listed
        return None


def _targets(loop: nodes.For) -> list[nodes.Name]:
    return [loop.target] if isinstance(loop.target, nodes.Name) else list(loop.target.find_all(nodes.Name))


def _key(node: nodes.Node | None) -> str | None:
    if isinstance(node, nodes.Getattr):
        return node.attr
    return _text(node.arg) if isinstance(node, nodes.Getitem) else None


def _got(call: nodes.Call) -> str | None:
    """x in ``….get('x')``."""
    gets = isinstance(call.node, nodes.Getattr) and call.node.attr == "get"
    return _text(call.args[0]) if gets and call.args else None


def _argument(node: nodes.Filter, position: int | None, name: str = "") -> str | None:
    """An argument of a filter, by its name or its place, where it is a plain text."""
    named: dict[str, nodes.Node] = {word.key: word.value for word in node.kwargs}  # type: ignore[misc]
    if name in named:
        return _text(named[name])
    return _text(node.args[position]) if position is not None and len(node.args) > position else None


def _text(node: nodes.Node) -> str | None:
    """The text that an expression is, whatever is read."""
    try:
        value = node.as_const() if isinstance(node, nodes.Expr) else None
    except Exception:  # pylint: disable=broad-except
        return None
    return value if isinstance(value, str) else None
