# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Repeat a transcript on a Mac in memory, and compare what it prints with what the real one printed."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import fakes
from fakes import Run
from transcripts import Transcript

from maclab.state import Mac

STAMP = re.compile(
    r"^(?:\d{4}-\d\d-\d\d(?: \d\d:\d\d:\d\d(?:\.\d+)?)? )?(?:sysadminctl|defaults)\[[^\]]*\]:? ", re.MULTILINE
)
# What differs from build to build in the places of Apple's sources, and from run to run in an address.
BUILDS = (
    (re.compile(r"(?<=BuildRoots/)[^/\n]+"), "BUILD"),
    (re.compile(r"(?<=TemporaryDirectory\.)[^/\n]+"), "BUILD"),
    (re.compile(r"(?<=/Admin-)\d+"), "N"),
    (re.compile(r"\b0x[0-9a-f]+\b"), "0xADDRESS"),
)
# A terminal shows the new line that ends an unseen password; a pipe does not.
PROMPT = re.compile(r"((?:User|New|old) password:|password for [^:\n]* ?:|recovery key:|user name:)\n?")
TOLERANCES = ("indent", "blanks", "case", "groups", "stop", "streams")


@dataclass
class Case:
    """How one transcript is repeated."""

    mac: Mac
    argv: Sequence[str] = ()
    root: bool = True
    user: str = "admin"
    stdin: str = ""
    typed: Sequence[str] | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    # Words of the transcript that stand for something of this Mac.
    names: Mapping[str, str] = field(default_factory=dict)
    # Why the transcript is only a part of the output: each of its lines must appear, in order.
    part: str = ""
    # The source's author cut the output as these filters do (`tail -2`).
    cut: str = ""
    # What the source did not keep: the indent of lines, several blanks, upper and lower case, the order of groups, the
    # full stop at the end, in which order the lines of the two streams came.
    loose: tuple[str, ...] = ()
    after: Callable[[Mac, Run], bool] | None = None
    # The program never answers.
    hangs: bool = False


@dataclass(frozen=True)
class Said:
    """What a command line has printed, here or there."""

    out: str
    err: str
    merged: str
    status: int
    run: Run


def repeat(case: Case, record: Transcript) -> Said:
    """Run the command of the case, or the line of a shell that the record has, and cut the output as there."""
    line = record.line if record.words[:2] == ["sh", "-c"] and not case.argv else shlex.join(case.argv or record.words)
    first, *others = [_pipeline(part) for part in _split(line, "||")]
    said = _run(case, *first)
    for other in others:
        if said.status != 0:
            more = _run(case, *other)
            said = Said(said.out + more.out, said.err + more.err, said.merged + more.merged, more.status, more.run)
    filters = [shlex.split(part) for part in _split(case.cut, "|") if part.strip()]
    cut = lambda text: _filtered(PROMPT.sub(r"\1\n", text) if filters else text, filters)  # noqa: E731
    return Said(cut(said.out), cut(said.err), cut(said.merged), said.status, said.run)


def _split(line: str, sign: str) -> list[str]:
    """Split at a sign that stands for itself between words, not at one in quotes."""
    return re.split(rf"\s{re.escape(sign)}\s", line)


def _pipeline(line: str) -> tuple[list[str], bool, list[list[str]]]:
    command, *filters = [shlex.split(part) for part in _split(line, "|")]
    joined = "2>&1" in command
    return [word for word in command if word != "2>&1"], joined, filters


def _run(case: Case, argv: list[str], joined: bool, filters: list[list[str]]) -> Said:
    run = fakes.run(case.mac, *argv, stdin=case.stdin, typed=case.typed, user=case.user, root=case.root, env=case.env)
    out, err = (run.merged, "") if joined else (run.out, run.err)
    merged = run.merged if joined or not filters else out
    return Said(_filtered(out, filters), err, _filtered(merged, filters), run.status, run)


def _filtered(text: str, filters: list[list[str]]) -> str:
    for program, *words in filters:
        text = "".join(FILTERS[program](text.splitlines(keepends=True), words))
    return text


def _head(lines: list[str], words: list[str]) -> list[str]:
    return lines[: int(words[0].removeprefix("-"))]


def _tail(lines: list[str], words: list[str]) -> list[str]:
    return lines[-int(words[0].removeprefix("-")) :]


def _grep(lines: list[str], words: list[str]) -> list[str]:
    flags = {word for word in words[:-1] if word != "--"}
    pattern = re.compile(words[-1], re.IGNORECASE if "-i" in flags else 0)
    return [line for line in lines if bool(pattern.search(line)) != ("-v" in flags)]


FILTERS: Mapping[str, Callable[[list[str], list[str]], list[str]]] = {"head": _head, "tail": _tail, "grep": _grep}


# --- comparing ------------------------------------------------------------------------------------


def pairs(record: Transcript, said: Said) -> list[tuple[str, str]]:
    """Return what was printed there and here: stream by stream where the streams are known, else together."""
    if record.stream_known:
        both = ((record.stdout, said.out), (record.stderr, said.err))
        return [(there, here) for there, here in both if there is not None]
    return [((record.stdout or "") + (record.stderr or ""), said.merged)] if record.has_text else []


def same(there: str, here: str, case: Case) -> bool:
    """Tell whether the Mac in memory printed what the real one did: the whole of it, unless the case says why not."""
    for word, meaning in case.names.items():
        there = there.replace(word, meaning)
    stamped = bool(STAMP.search(there))
    wanted, found = plain(there, case, stamped), plain(here, case, stamped)
    if not case.part:
        return wanted == found
    rest = iter(found.splitlines())
    return all(any(line.strip() in other for other in rest) for line in wanted.splitlines() if line.strip())


def plain(text: str, case: Case, stamped: bool) -> str:
    """Take away what no two runs share, and what the source did not keep."""
    text = PROMPT.sub(r"\1\n", text)
    text = STAMP.sub("STAMP " if stamped else "", text)
    for pattern, word in BUILDS:
        text = pattern.sub(word, text)
    if "indent" in case.loose:
        text = "".join(f"{line.strip()}\n" for line in text.splitlines() if line.strip())
    if "blanks" in case.loose:
        text = re.sub(r" +", " ", text)
    if "case" in case.loose:
        text = text.lower()
    if "groups" in case.loose:
        text = re.sub(r"(?<=groups=)\S+", lambda found: ",".join(sorted(found[0].split(","))), text)
    if "streams" in case.loose:
        text = "\n".join(sorted(text.splitlines()))
    # Whether a pasted text ended with a new line is the page's doing.
    text = text.rstrip("\n")
    return text.removesuffix(".") if "stop" in case.loose else text
