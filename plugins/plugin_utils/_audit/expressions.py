# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compile the Jinja expressions and templates of rules, in a sandbox with the few filters and tests that rules may use.

A new filter or test for rules is one line in :func:`_environment`, and one sentence in guide_audit.rst.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import contextlib
import fnmatch
import functools
import re
import typing as t

from jinja2 import StrictUndefined, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from ansible_collections.keyholder.macos.plugins.plugin_utils._audit import commands, lint

_SECONDS_A_DAY = 86400.0


class AuditPolicyError(ValueError):
    """Raised for a policy that cannot be what its author meant; the text says where, and what is allowed."""


class RuleText(t.NamedTuple):
    """Hold one text of a rule: a condition, one of several that must all hold, or a template."""

    key: str
    """The rule's key that it stands under: when, unknown_when, fail_when, says or run_with."""
    source: str
    tree: nodes.Template


def matching(text: str, patterns: t.Iterable[str]) -> bool:
    """Return whether a shell pattern fits the text. A pattern without wildcards is the text itself."""
    return any(fnmatch.fnmatchcase(text, pattern) for pattern in patterns)


def _unmatched(patterns: t.Iterable[str], names: t.Sequence[str]) -> list[str]:
    """Return those of the patterns that fit none of the names."""
    return [pattern for pattern in patterns if not any(matching(name, [pattern]) for name in names)]


def _comparable_version(text: t.Any) -> tuple[int, ...]:
    """Return a version as numbers to compare; 15.6 and 15.6.0 give the same. Raise ``ValueError`` for other texts."""
    numbers = [int(number) for number in re.findall(r"\d+", str(text))[:3]]
    if not numbers:
        raise ValueError(f"{text!r} is no version")
    while numbers and not numbers[-1]:
        del numbers[-1]
    return tuple(numbers)


def _days_since(then: t.Any, now: float) -> float:
    """Return the days between two times in seconds since 1970."""
    return (now - float(then)) / _SECONDS_A_DAY


def _yes_no_unread(value: bool | None) -> str:
    """Return a value of a reading in words; None was not read."""
    return {True: "yes", False: "no"}.get(t.cast("bool", value), "unread")


def _environment() -> ImmutableSandboxedEnvironment:
    """Return the sandbox that all rules are compiled in."""
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
    environment.filters["version"] = _comparable_version
    environment.filters["days_since"] = _days_since
    environment.filters["said"] = _yes_no_unread
    environment.filters["unmatched"] = _unmatched
    environment.filters.update(commands.FILTERS)
    environment.tests["matching"] = matching
    return environment


_ENVIRONMENT = _environment()
# A text is parsed and compiled once in a process, in however many policies it stands.
_parsed = functools.lru_cache(maxsize=4096)(_ENVIRONMENT.parse)
_template = functools.lru_cache(maxsize=4096)(_ENVIRONMENT.from_string)
_condition = functools.lru_cache(maxsize=4096)(
    functools.partial(_ENVIRONMENT.compile_expression, undefined_to_none=False)
)


class Compiler:
    """Turn the texts of rules into functions.

    Every method raises :class:`AuditPolicyError` for a text that it cannot use; ``where`` is how the error begins.
    """

    def condition(self, text: str, where: str) -> t.Callable[..., t.Any]:
        """Return a function that takes the names as keywords and returns the expression's value."""
        with _as_policy_error(text, "an expression", where):
            return _condition(text)

    def template(self, text: str, where: str) -> t.Callable[..., str]:
        """Return a function that takes the names as keywords and returns the filled-in text."""
        with _as_policy_error(text, "a template", where):
            return _template(text).render

    def parsed_condition(self, key: str, text: str, where: str) -> RuleText:
        """Return an expression with its syntax tree, for :meth:`unknown_name`."""
        with _as_policy_error(text, "an expression", where):
            return RuleText(key, text, _parsed(f"{{{{ ({text}) }}}}"))

    def parsed_template(self, key: str, text: str, where: str) -> RuleText:
        """Return a template with its syntax tree, for :meth:`unknown_name`."""
        with _as_policy_error(text, "a template", where):
            return RuleText(key, text, _parsed(text))

    def unknown_name(self, text: RuleText, parameters: t.Iterable[str], by_account: bool, where: str) -> str:
        """Return what :func:`lint.unknown_names` finds first in a text; "" if every name leads somewhere."""
        with _as_policy_error(text.source, "usable", where):
            return next(lint.unknown_names(text.tree, _ENVIRONMENT, parameters, by_account), "")


@contextlib.contextmanager
def _as_policy_error(text: str, wanted: str, where: str) -> t.Iterator[None]:
    """Raise :class:`AuditPolicyError` for whatever goes wrong inside: "``where``: ``text`` is not ``wanted``".

    While it compiles, Jinja works out what is constant. That may raise anything, so everything is caught.
    """
    try:
        yield
    except Exception as problem:  # pylint: disable=broad-except
        why = getattr(problem, "message", problem)
        raise AuditPolicyError(f"{where}: {text!r} is not {wanted}: {why}") from problem
