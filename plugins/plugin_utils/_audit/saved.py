# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read answers that an earlier audit saved: JSON reports, JSON lines, and the entries that slices of a job packed.

What cannot be used ends nothing: a damaged answer is its Mac's row, and what names no Mac is told in ``unread``.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import json
import re
import typing as t

from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.escape import plain_text
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.mac import (
    UNREACHABLE,
    Answer,
    answer_from,
    damaged,
)

SCHEMA = "keyholder.macos.audit/2"
"""In every JSON report. The number goes up when something is taken away or means something else. In /1 the state
recoverable was what is compliant now, and at_risk was what is at_risk or urgent now."""

_READ = (SCHEMA, "keyholder.macos.audit/1")
"""The schemas of the reports that are read. Each reading is judged anew, so that a state of /1 does not matter."""

_HOST = re.compile(r'\s*\{\s*"host":\s*("(?:[^"\\]|\\.)*")')
"""How an answer begins, whatever has become of the rest of it."""


def saved_answers(path: str, unread: list[str]) -> t.Iterator[Answer]:
    """Yield the answers in a file: a report as JSON, or a file with the ending .jsonl, an answer a line.

    ``unread`` gets, in words, what of the file cannot be used. A Mac whose answer cannot be used is an answer that says
    so.
    """
    try:
        with open(path, "rb") as stream:
            if path.endswith(".jsonl"):
                for number, line in enumerate(stream, 1):
                    if line.strip():
                        yield from _line_answer(line, f"{path}, line {number}", unread)
                return
            data = stream.read()
    except OSError as problem:
        unread.append(f"{path}: {problem.strerror or problem}")
        return
    content = _parsed(data)
    if isinstance(content, dict) and content.get("schema") in _READ and isinstance(content.get("macs"), list):
        for number, entry in enumerate(content["macs"]):
            yield from entry_answer(entry, f"{path}, macs[{number}]", unread)
        return
    if content is not None:
        unread.append(f"{path} is no report of the schema {SCHEMA}")
        return
    unread.append(f"{path} is no JSON, or not whole")
    # A report has a Mac a line, so that those before the place where it was cut are not lost.
    for number, line in enumerate(
        data.split(b"\n") if any(schema.encode() in data[:200] for schema in _READ) else (), 1
    ):
        if line.startswith(b'{"host": '):
            yield from _line_answer(line.rstrip(b",\r"), f"{path}, line {number}", unread)


def _parsed(data: bytes) -> t.Any:
    """Return what JSON in UTF-8 holds, None for what is none."""
    try:
        return json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None


def _line_answer(line: bytes, where: str, unread: list[str]) -> t.Iterator[Answer]:
    """Yield the answer in a line; of a line that is no JSON, its Mac if the host at its beginning can be read."""
    content = _parsed(line)
    if content is None:
        found = _HOST.match(line.decode("utf-8", "replace"))
        host = found and _parsed(found[1].encode("utf-8"))
        if host:
            yield damaged(plain_text(host), f"{where} is no JSON")
            return
    yield from entry_answer(content, where, unread)


def entry_answer(content: t.Any, where: str, unread: list[str], host: str = "") -> t.Iterator[Answer]:
    """Yield the answer that an entry is; of one that cannot be used, its Mac with the reason.

    ``where``: how messages name the entry; ``host``: whose it must be, if that is known.
    """
    named = content.get("host") if isinstance(content, dict) else None
    name = host or named
    if not isinstance(name, str) or not name.strip():
        unread.append(f"{where}: it is no answer of a Mac, or has no host")
        return
    try:
        answer = answer_from(content)
    except ValueError as problem:
        answer = damaged(plain_text(name), f"{where}: {problem}")
    except Exception as problem:
        answer = damaged(plain_text(name), problem)
    yield answer


def with_missing(
    answers: t.Iterable[Answer], expected: t.Iterable[str], unread: t.Sequence[str] = ()
) -> t.Iterator[Answer]:
    """Yield the answers, and then one for each Mac of ``expected``, which counts only if the Mac had none.

    If there is no answer at all, and nothing unread, nothing is yielded: a merge of nothing makes no report.
    """
    some = False
    for answer in answers:
        some = True
        yield answer
    if some or unread:
        yield from absent(expected, unread)


def absent(expected: t.Iterable[str], unread: t.Sequence[str]) -> t.Iterator[Answer]:
    """Yield for each of these Macs why there is no answer: its slice could not be read, or delivered nothing."""
    for host in expected:
        if unread:
            more = f"; and {len(unread) - 1} more" if len(unread) > 1 else ""
            yield damaged(host, f"its slice could not be read: {unread[0]}{more}")
        else:
            yield Answer(host, UNREACHABLE, None, None, "its slice delivered nothing")
