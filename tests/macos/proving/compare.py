# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare what Macs say now with what they said before, or with what the lab says: each difference is a warning.

python -m proving.compare NOW BEFORE      folders of transcripts, compared file by file; a table in Markdown
python -m proving.compare NOW --lab       with a Mac of the lab that is made to look like the one of each file
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Record = Mapping[str, Any]

CHANGED, GONE, NEW = "changed", "gone", "new"
# What no two runs share.
_STAMP = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? ", re.MULTILINE)
_PROCESS = re.compile(r"\[\d+:[0-9a-f]+\]")
_KERBEROS = re.compile(r"LKDC:SHA1\.[0-9A-F]+", re.IGNORECASE)
# What one image of macOS has more or less of than another.
_SYSTEM_LINE = re.compile(r"^(?:_\S+|root|daemon|nobody|Guest)\s+.*\n?", re.MULTILINE)
# What tells which Mac it is, and not how it speaks.
_OF_THIS_MAC = (("sw_vers",), ("sysctl", "-n", "hw.model"), ("uname", "-m"))


@dataclass(frozen=True)
class Difference:
    """One record that is not what it was."""

    id: str
    command: str
    kind: str
    before: str = ""
    now: str = ""


def records(path: Path) -> list[Record]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def differences(now: Iterable[Record], before: Iterable[Record], lab: bool = False) -> list[Difference]:
    """Return what is different. With the lab, which Mac it is and which accounts macOS brings is not compared."""
    mine, theirs = _by_command(now, lab), _by_command(before, lab)
    found = []
    for command, record in mine.items():
        other = theirs.get(command)
        words = " ".join(command)
        if other is None:
            found.append(Difference(record["id"], words, NEW, now=said_by(record, lab)))
        elif said_by(record, lab) != said_by(other, lab):
            found.append(Difference(record["id"], words, CHANGED, said_by(other, lab), said_by(record, lab)))
    gone = ((command, record) for command, record in theirs.items() if command not in mine)
    return found + [Difference(one["id"], " ".join(command), GONE, said_by(one, lab)) for command, one in gone]


def _by_command(found: Iterable[Record], lab: bool) -> dict[tuple[str, ...], Record]:
    commands = ((tuple(record["command"]), record) for record in found)
    return {command: record for command, record in commands if not (lab and command in _OF_THIS_MAC)}


def said_by(record: Record, lab: bool = False) -> str:
    """Return what a record says, without what no two runs share."""
    text = f"status {record['rc']}\n{record['stdout'] or ''}{record['stderr'] or ''}"
    for pattern, instead in ((_STAMP, ""), (_PROCESS, "[]"), (_KERBEROS, "LKDC:SHA1")):
        text = pattern.sub(instead, text)
    return _SYSTEM_LINE.sub("", text) if lab and "-list" in record["command"] else text


def folders(now: Path, before: Path, lab: bool = False) -> list[Difference]:
    """Compare the files of two folders that have the same place in both; one that is in one alone is new, or gone."""
    names = sorted({path.relative_to(folder) for folder in (now, before) for path in folder.rglob("*.jsonl")})
    found = []
    for name in names:
        mine, theirs = (records(folder / name) if (folder / name).exists() else [] for folder in (now, before))
        found += differences(mine, theirs, lab)
    return found


def table(found: Iterable[Difference], against: str) -> str:
    """Return Markdown."""
    rows = [f"| `{one.id}` | {one.kind} | {_cell(one.before)} | {_cell(one.now)} |" for one in found]
    if not rows:
        return f"Nothing is different from {against}.\n"
    head = [
        f"{len(rows)} records are different from {against}.",
        "",
        "| record | | before | now |",
        "| --- | --- | --- | --- |",
    ]
    return "\n".join([*head, *rows]) + "\n"


def _cell(text: str) -> str:
    short = text if len(text) < 400 else f"{text[:400]} ..."
    return short.strip().replace("\\", "\\\\").replace("|", "\\|").replace("\n", "<br>").replace("`", "'")


def annotation(one: Difference, against: str) -> str:
    """Return the line by which GitHub shows a warning. What a Mac said cannot begin a command of its own there."""
    text = f"{one.command}: {one.kind}, compared with {against}"
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    title = one.id.replace("%", "%25").replace(":", "%3A").replace(",", "%2C")
    return f"::warning title={title}::{escaped}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m proving.compare", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("now", type=Path)
    parser.add_argument("before", type=Path, nargs="?")
    parser.add_argument("--lab", action="store_true")
    given = parser.parse_args()
    if not any(given.now.rglob("*.jsonl")):
        print(f"There is no transcript in {given.now}.", file=sys.stderr)
        return 2
    if given.lab:
        # The lab is needed for this alone.
        from proving import twin

        with tempfile.TemporaryDirectory(prefix="keyholder-") as kept:
            twin.record(given.now, Path(kept))
            tell(folders(given.now, Path(kept), lab=True), "the lab")
    if given.before:
        if any(given.before.rglob("*.jsonl")):
            tell(folders(given.now, given.before), "the last run")
        else:
            print("There is no earlier run to compare with.")
    return 0


def tell(found: list[Difference], against: str) -> None:
    """Print the table, and where this is a job of GitHub's, warn there and show the table on its page."""
    text = table(found, against)
    print(text)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        print("\n".join(annotation(one, against) for one in found))
    if path := os.environ.get("GITHUB_STEP_SUMMARY"):
        with open(path, "a", encoding="utf-8") as stream:
            stream.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
