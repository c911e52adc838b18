# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the slips of the pen in a rule before any Mac is read: a name that no reading has would be "unknown" for ever.

Each chain of names (``mac.os.version``, ``mac.accounts[0].name``, ``mac.get('os')``) is walked through a sample reading
that has every key, and so are the attributes that filters take (``selectattr('admin')``) and the variable of a loop
over a list of the reading. A guard (``is defined``, ``default``) with a misspelt name guards nothing, so it is a slip
as well.

Not seen, because the walk does not know what is there: what a parameter holds, only that it has the name; a name that a
``set``, ``with`` or macro stores, that two loops store, or that a loop stores over one of the rule's own; what comes
out of ``map``, ``groupby``, ``+`` and any other filter, call or operator that is not in the tables below.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import difflib
import functools
import typing as t
from collections import Counter
from dataclasses import dataclass

from jinja2 import meta, nodes

from ansible_collections.keyholder.macos.plugins.module_utils._account import Account
from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac, Missing
from ansible_collections.keyholder.macos.plugins.module_utils._macos import Version
from ansible_collections.keyholder.macos.plugins.module_utils._reading.ask import INCLUDE
from ansible_collections.keyholder.macos.plugins.module_utils._reading.view import view

if t.TYPE_CHECKING:
    from jinja2 import Environment

_KEEP_ENTRIES = ("list", "select", "reject", "sort", "unique", "selectattr", "rejectattr", "reverse")
"""Filters whose result has the entries of their input."""
_TAKE_ENTRY = ("first", "last", "random", "min", "max")
_ATTRIBUTE_AT = {
    "selectattr": 0, "rejectattr": 0, "groupby": 0, "sum": 0, "join": 1, "unique": 1, "min": 1, "max": 1, "sort": 2,
}  # fmt: skip
"""Which argument of a filter is an attribute of each entry. ``map`` has it by name alone."""
_TEST_AT = {"select": 0, "reject": 0, "selectattr": 1, "rejectattr": 1}
"""Which argument of a filter is the name of a test."""

_KIND_WORDS: tuple[tuple[type, str], ...] = (
    (bool, "true or false"), (int, "a number"), (float, "a number"), (str, "a text"), (list, "a list"),
    (dict, "a dictionary"),
)  # fmt: skip
"""In this order, because Python calls true a number."""
_MANY = 20


def kind(value: t.Any) -> str:
    """Return what a value of YAML or JSON is, in words. JSON has one kind of number."""
    return next((words for one, words in _KIND_WORDS if isinstance(value, one)), f"a {type(value).__name__}")


def close_names(name: str, known: t.Iterable[str]) -> list[str]:
    """Return those of ``known`` that ``name`` may have been meant to be, the closest first."""
    return difflib.get_close_matches(name, sorted(known))


def nearest(name: str, known: t.Iterable[str]) -> str:
    """Return ``known`` in words, the closest to ``name`` first; of many names only the close ones, if there are any."""
    first, everything = close_names(name, known), sorted(known)
    return ", ".join(first if first and len(everything) > _MANY else dict.fromkeys([*first, *everything]))


@functools.lru_cache(maxsize=1)
def _sample_reading() -> dict[str, t.Any]:
    """Return a reading that has every key, and one entry in every list."""
    mac = Mac(Version(15), accounts=(Account("x", "X"),), missing=(Missing("x", "x"),))
    return t.cast("dict[str, t.Any]", _filled(view(mac, INCLUDE)))


def _filled(content: t.Any) -> t.Any:
    """Return the content with a text in each list that is empty: those would hold texts."""
    if isinstance(content, dict):
        return {key: _filled(entry) for key, entry in content.items()}
    return content or [""] if isinstance(content, list) else content


@dataclass(frozen=True)
class _Sample:
    """Hold what a chain of names leads to in the sample reading. ``content`` None: nobody knows."""

    path: str
    content: t.Any

    def entry(self) -> _Sample | None:
        """Return an entry of a list, None for anything else."""
        return _Sample(f"an entry of {self.path}", self.content[0]) if isinstance(self.content, list) else None

    def member(self, key: str) -> _Sample | None:
        """Return what Jinja finds under the key, None if it finds nothing, or if nobody knows."""
        if isinstance(self.content, dict):
            return _Sample(f"{self.path}.{key}", self.content[key]) if key in self.content else None
        return self.entry() if key.isdigit() else None

    def lacks(self, key: str) -> str:
        """Return why there is no ``key``; "" if there is, or if nobody knows."""
        content, entry = self.content, self.entry()
        if content is None or _has(content, key):
            return ""
        if isinstance(content, dict):
            return f"{self.path} has no {key!r} (it has: {nearest(key, content)})"
        inside = f" (an entry has: {nearest(key, entry.content)})" if entry and isinstance(entry.content, dict) else ""
        return f"{self.path} is {kind(content)}, and has no {key!r}{inside}"


def _has(content: t.Any, key: str) -> bool:
    """Return whether Jinja would find the key, as an entry or as a public attribute of the kind."""
    if (isinstance(content, dict) and key in content) or (isinstance(content, (str, list)) and key.isdigit()):
        return True
    # JSON does not tell the two kinds of numbers apart.
    kinds = (int, float) if isinstance(content, (int, float)) else (type(content),)
    return not key.startswith("_") and any(hasattr(one, key) for one in kinds)


def unknown_names(
    tree: nodes.Template, environment: Environment, parameters: t.Iterable[str], by_account: bool
) -> t.Iterator[str]:
    """Yield a message for each name in the tree that leads nowhere, with the names that would lead somewhere.

    ``parameters``: those that the policy has; ``by_account``: whether the rule is asked for each account.
    """
    reading = _sample_reading()
    known = {"mac": reading, "params": dict.fromkeys(parameters), "host": "", "now": 0.0}
    known.update({"account": reading["accounts"][0]} if by_account else {})
    stored = Counter(name.name for name in tree.find_all(nodes.Name) if name.ctx != "load")
    samples = {name: _Sample(name, content) for name, content in known.items() if name not in stored}
    in_loops: Counter[str] = Counter()
    for loop in tree.find_all(nodes.For):
        # "for key, value in ..." has two targets, and nothing is known of them.
        target = loop.target if isinstance(loop.target, nodes.Name) else None
        in_loops.update(name.name for name in ([target] if target else loop.target.find_all(nodes.Name)))
        listed = _followed(loop.iter, samples)
        entry = listed.entry() if listed else None
        if target and entry and stored[target.name] == 1 and target.name not in known:
            samples[target.name] = entry
    for node in tree.find_all(nodes.Node):
        of, key = member_of(node)
        if key is not None:
            yield from _slips(_followed(of, samples), key)
        elif isinstance(node, nodes.Test):
            yield from _unregistered("test", node.name, environment.tests)
        elif isinstance(node, nodes.Filter):
            yield from _filter_slips(node, samples, environment)
    for name in sorted(meta.find_undeclared_variables(tree) - {*known, *environment.globals, *(stored - in_loops)}):
        yield f"there is no {name!r} here (there are: {nearest(name, known)})"


def _filter_slips(node: nodes.Filter, samples: t.Mapping[str, _Sample], environment: Environment) -> t.Iterator[str]:
    yield from _unregistered("filter", node.name, environment.filters)
    yield from _unregistered("test", _argument(node, _TEST_AT.get(node.name)), environment.tests)
    yield from _unregistered("filter", _argument(node, 0 if node.name == "map" else None), environment.filters)
    listed, attributes = _followed(node.node, samples), _argument(node, _ATTRIBUTE_AT.get(node.name), "attribute")
    # Only sort takes several attributes.
    for path in (attributes or "").split(",") if node.name == "sort" else [attributes]:
        yield from _slips(listed.entry(), path) if listed and path else ()


def _unregistered(what: str, name: str | None, known: t.Collection[str]) -> t.Iterator[str]:
    if name is not None and name not in known:
        yield f"there is no {what} {name!r} (there are: {nearest(name, known)})"


def _slips(sample: _Sample | None, path: str) -> t.Iterator[str]:
    """Yield the first key of a dotted path that the sample lacks."""
    for key in path.split("."):
        problem = sample.lacks(key) if sample else ""
        if problem:
            yield problem
        sample = sample.member(key) if sample else None


def _followed(node: nodes.Node | None, samples: t.Mapping[str, _Sample]) -> _Sample | None:
    """Return what an expression leads to, None if the walk does not know."""
    if isinstance(node, nodes.Name):
        return samples.get(node.name)
    of, key = member_of(node)
    if key is not None:
        found = _followed(of, samples)
        return found.member(key) if found else None
    if isinstance(node, (nodes.Getitem, nodes.Filter)):
        listed = _followed(node.node, samples)
        if listed is None or not isinstance(listed.content, list):
            return None
        if isinstance(node, nodes.Getitem):
            return listed if isinstance(node.arg, nodes.Slice) else listed.entry()
        return listed if node.name in _KEEP_ENTRIES else listed.entry() if node.name in _TAKE_ENTRY else None
    return None


def member_of(node: nodes.Node | None) -> tuple[nodes.Node | None, str | None]:
    """Return x and 'y' of ``x.y``, ``x['y']`` and ``x.get('y')``; None and None for anything else."""
    if isinstance(node, nodes.Getattr):
        return node.node, node.attr
    if isinstance(node, nodes.Getitem):
        return node.node, constant_text(node.arg)
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Getattr) and node.node.attr == "get" and node.args:
        return node.node.node, constant_text(node.args[0])
    return None, None


def _argument(node: nodes.Filter, position: int | None, name: str = "") -> str | None:
    """Return an argument of a filter, by its name or its position, if it is a plain text."""
    named: dict[str, nodes.Node] = {word.key: word.value for word in node.kwargs}  # type: ignore[misc]
    if name in named:
        return constant_text(named[name])
    return constant_text(node.args[position]) if position is not None and len(node.args) > position else None


def constant_text(node: nodes.Node) -> str | None:
    """Return the text that an expression is whatever is read, None for anything else."""
    try:
        value = node.as_const() if isinstance(node, nodes.Expr) else None
    except Exception:  # pylint: disable=broad-except
        return None
    return value if isinstance(value, str) else None
