# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Load what real Macs were seen to print, by the id of the transcript, and refuse a line that is not in the form."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FIXTURE = Path(__file__).with_name("fixtures") / "transcripts.jsonl"
CONFIDENCE = ("verbatim", "from-parser", "described")
STRING, OPTIONAL = (str,), (str, type(None))
FIELDS: dict[str, tuple[type, ...]] = {
    "id": STRING,
    "command": (list,),
    "input": OPTIONAL,
    "stdout": OPTIONAL,
    "stderr": OPTIONAL,
    "stream_known": (bool,),
    "rc": (int, type(None)),
    "macos": OPTIONAL,
    "hardware": OPTIONAL,
    "context": STRING,
    "source": STRING,
    "confidence": STRING,
}
SUDO = {"sudo", "-S", "-n", "-k"}


class TranscriptError(ValueError):
    """A line that is no transcript."""


@dataclass(frozen=True)
class Transcript:
    """One run of a command on a real Mac; a stream is None where nobody showed it."""

    id: str
    command: tuple[str, ...]
    input: str | None
    stdout: str | None
    stderr: str | None
    stream_known: bool
    rc: int | None
    macos: str | None
    hardware: str | None
    context: str
    source: str
    confidence: str

    @property
    def words(self) -> list[str]:
        """The program by its name, and its arguments: without sudo and without a path."""
        words = list(self.command)
        while words and words[0] in SUDO:
            words.pop(0)
        return [words[0].rsplit("/", 1)[-1], *words[1:]]

    @property
    def program(self) -> str:
        return self.words[0]

    @property
    def arguments(self) -> list[str]:
        return self.words[1:]

    @property
    def line(self) -> str:
        """The line of a shell, as which every command can be read."""
        words = self.words
        return words[2] if words[:2] == ["sh", "-c"] else shlex.join(words)

    @property
    def has_text(self) -> bool:
        return bool(self.stdout or self.stderr)

    @property
    def version(self) -> str | None:
        """The first version that the record names: `10.13 (Admin-679)` and `10.13+` are 10.13."""
        found = re.search(r"\d+(\.\d+)*", self.macos or "")
        return found[0] if found else None

    @property
    def chip(self) -> str | None:
        said = (self.hardware or "").lower()
        return next((chip for chip in ("apple-silicon", "t2", "intel") if chip in said.replace(" ", "-")), None)

    @property
    def is_virtual(self) -> bool:
        return "VM" in (self.hardware or "")


def transcript(line: str) -> Transcript:
    """Return the transcript of a line, or say what is wrong with it."""
    data: dict[str, Any] = json.loads(line)
    where = data.get("id", line[:60])
    if data.keys() != FIELDS.keys():
        raise TranscriptError(f"{where}: has not exactly the fields {', '.join(FIELDS)}")
    for name, kinds in FIELDS.items():
        if type(data[name]) not in kinds:
            raise TranscriptError(f"{where}: {name}: {data[name]!r} is of the wrong type")
    if not re.fullmatch(r"[A-Za-z0-9.-]+", data["id"]):
        raise TranscriptError(f"{where}: the id is not one word of letters, digits, dots and hyphens")
    if not data["command"] or not all(isinstance(word, str) for word in data["command"]):
        raise TranscriptError(f"{where}: command: is not a list of words")
    if data["confidence"] not in CONFIDENCE:
        raise TranscriptError(f"{where}: confidence: {data['confidence']!r} (allowed: {', '.join(CONFIDENCE)})")
    if not data["source"]:
        raise TranscriptError(f"{where}: source: is empty")
    return Transcript(**{**data, "command": tuple(data["command"])})


def load(lines: Iterable[str]) -> dict[str, Transcript]:
    """Return the transcripts by id; an id stands once."""
    found: dict[str, Transcript] = {}
    for line in lines:
        made = transcript(line)
        if made.id in found:
            raise TranscriptError(f"{made.id}: stands twice")
        found[made.id] = made
    return found


TRANSCRIPTS = load(FIXTURE.read_text(encoding="utf-8").splitlines())
