# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take the mark `assumed` from a text or a rule of the lab that a real Mac has shown, in the lab's own source.

A text is shown by a line, or by all of a stream, that no other text of its program would explain. A rule is shown by
the answer to a question that was asked for it. An answer that contradicts a rule changes nothing: it is told, for a
person to mend the lab.
"""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from maclab.rules import Row, Rule, Version, every_rule
from maclab.texts import TEXTS
from maclab.wording import Wording
from proving.questions import SETTLES

Record = Mapping[str, Any]

_ID = re.compile(r"[a-z0-9][a-z0-9.-]*")
_LOGGED = re.compile(r"^(?:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? )?\w+\[[\d:a-f]+\]:? ", re.MULTILINE)
LEAST_LETTERS = 8
"""So many letters of its own a text must have to be told from any other."""


@dataclass(frozen=True)
class Shown:
    """A mark that goes. ``place``: which wording of the text, or which row of the rule, the first being 0."""

    kind: str
    name: str
    place: int
    record: str


@dataclass(frozen=True)
class Denied:
    """A rule that a real Mac contradicts."""

    rule: str
    lab: str
    real: str
    record: str


def texts(records: Iterable[Record]) -> list[Shown]:
    """Return the assumed wordings that these records show."""
    found: dict[tuple[str, int], str] = {}
    for record in records:
        version = _version(record)
        program = _program(record)
        candidates = [
            (key, place, wording, _pattern(wording.text))
            for key, place, wording in _wordings(version)
            if key.partition(".")[0] == program
        ]
        for said in _said(record):
            explained = [one for one in candidates if one[3] is not None and one[3].fullmatch(said)]
            if len({key for key, *_rest in explained}) != 1:
                continue
            ((key, place, wording, _pattern_of_it),) = explained
            if wording.assumed:
                found.setdefault((key, place), str(record["id"]))
    return [Shown("text", key, place, record) for (key, place), record in found.items()]


def rules(records: Iterable[Record]) -> tuple[list[Shown], list[Denied]]:
    """Return the assumed rows that these answers show, and those that they contradict."""
    by_name = {rule.name: rule for rule in every_rule()}
    shown: dict[tuple[str, int], Shown] = {}
    denied: list[Denied] = []
    answers = {str(record["id"]): record for record in records}
    for name, record in answers.items():
        for settles in SETTLES:
            rule = by_name.get(settles.rule)
            before, mark, number = name.rpartition(f"-{settles.question}")
            if rule is None or not mark or number.strip("-0123456789"):
                continue
            if any(answers.get(f"{before}-{one}", {}).get("rc") != 0 for one in settles.after):
                continue
            value = settles.value(record)
            place, row = _row(rule, _version(record))
            if value is None:
                continue
            if _same(row.value, value):
                if row.assumed:
                    shown.setdefault((rule.name, place), Shown("rule", rule.name, place, str(record["id"])))
            else:
                denied.append(Denied(rule.name, repr(row.value), repr(value), str(record["id"])))
    return list(shown.values()), denied


def without_marks(source: str, shown: Iterable[Shown]) -> tuple[str, list[Shown]]:
    """Return a file of the lab with the marks taken away, and which of them were there."""
    starts = [0]
    for line in source.encode().splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    places = {(kind, name, place): call for kind, name, place, call in _calls(ast.parse(source))}
    edits: list[tuple[int, int, bytes]] = []
    done = []
    for one in shown:
        if not _ID.fullmatch(one.record):
            raise ValueError(f"{one.record!r} is no name of a record")
        call = places.get((one.kind, one.name, one.place))
        if call is None:
            continue
        mine = list(_edits(call, one.record, starts))
        edits += mine
        done += [one] if mine else []
    data = source.encode()
    for start, end, instead in sorted(edits, reverse=True):
        data = data[:start] + instead + data[end:]
    return data.decode(), done


def _edits(call: ast.Call, record: str, starts: list[int]) -> Iterator[tuple[int, int, bytes]]:
    def at(line: int | None, column: int | None) -> int:
        return starts[(line or 1) - 1] + (column or 0)

    name = call.func
    if isinstance(name, ast.Name) and name.id == "assumed" and call.args:
        yield at(name.lineno, name.col_offset), at(name.end_lineno, name.end_col_offset), b"seen"
        end = at(call.args[0].end_lineno, call.args[0].end_col_offset)
        yield end, end, f', "{record}"'.encode()
    for keyword in call.keywords:
        if keyword.arg == "assumed" and isinstance(name, ast.Name) and name.id == "Row":
            yield (
                at(keyword.lineno, keyword.col_offset),
                at(keyword.end_lineno, keyword.end_col_offset),
                (f'source="{record}"'.encode()),
            )


def _calls(tree: ast.Module) -> Iterator[tuple[str, str, int, ast.Call]]:
    """Yield each wording of a table of texts, and each row of a rule, with its name and its place."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str) and isinstance(value, ast.Tuple):
                    yield from (("text", key.value, place, one) for place, one in _numbered(value))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Rule":
            name, rows = node.args[0], node.args[-1]
            if isinstance(name, ast.Constant) and isinstance(rows, ast.Tuple):
                yield from (("rule", str(name.value), place, one) for place, one in _numbered(rows))


def _numbered(group: ast.Tuple) -> Iterator[tuple[int, ast.Call]]:
    return ((place, one) for place, one in enumerate(group.elts) if isinstance(one, ast.Call))


def _wordings(version: Version) -> Iterator[tuple[str, int, Wording]]:
    """Yield of each text the wording that this version has."""
    for key, wordings in TEXTS.items():
        holding = [place for place, one in enumerate(wordings) if one.first <= version]
        if holding:
            yield key, holding[-1], wordings[holding[-1]]


def _row(rule: Rule[Any], version: Version) -> tuple[int, Row[Any]]:
    holding = [place for place, row in enumerate(rule.rows) if row.first <= version] or [0]
    return holding[-1], rule.rows[holding[-1]]


def _pattern(text: str) -> re.Pattern[str] | None:
    """Return what a text may be, None for one that has too little of its own."""
    try:
        parts = list(string.Formatter().parse(text.strip()))
    except ValueError:
        # A brace of its own: a text that is printed as it stands.
        parts = [(text.strip(), None, None, None)]
    if sum(letter.isalpha() for literal, *_rest in parts for letter in literal) < LEAST_LETTERS:
        return None
    escaped = (re.escape(literal) + ("" if field is None else ".+?") for literal, field, *_rest in parts)
    return re.compile("".join(escaped))


def _said(record: Record) -> Iterator[str]:
    """Yield each line, and each stream that has several."""
    for stream in (record["stdout"], record["stderr"]):
        text = _LOGGED.sub("", stream or "").strip()
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        yield from lines
        if len(lines) > 1:
            yield text


def _program(record: Record) -> str:
    return str(record["command"][0]).rsplit("/", 1)[-1]


def _version(record: Record) -> Version:
    return tuple(int(part) for part in re.findall(r"\d+", str(record["macos"] or "")))


def _same(one: Any, other: Any) -> bool:
    return list(one) == list(other) if isinstance(one, tuple | list) else bool(one == other)
