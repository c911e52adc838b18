# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take in what real Macs have shown: results, transcripts, and the marks `assumed` that they settle.

    python -m proving.take_in FOLDER REPORT     results and transcripts, at any depth; Markdown for a person

It changes files of this work tree and nothing else. Who looks at the change decides about it.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from proving import marks
from proving.compare import said_by
from proving.place import USER
from proving.questions import questions
from proving.result import FORM

Record = Mapping[str, Any]

ROOT = Path(__file__).resolve().parents[3]
FIXTURE = Path("maclab/tests/fixtures/transcripts.jsonl")
RESULTS = Path("tests/macos/results")
QUESTIONS = questions(USER)
LAB = Path("maclab/maclab")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m proving.take_in", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("report", type=Path)
    given = parser.parse_args()
    given.report.write_text(take_in(given.folder, ROOT), encoding="utf-8")
    return 0


def take_in(folder: Path, root: Path) -> str:
    """Change the work tree at ``root``, and return what was done, and what a person has to do."""
    kept = [_keep(path, root / RESULTS) for path in sorted(folder.rglob("result.json"))]
    found = [record for path in sorted(folder.rglob("*.jsonl")) for record in _records(path)]
    shown_rules, denied = marks.rules(found)
    shown = [*marks.texts(found), *shown_rules]
    gone = _take_marks(shown, root / LAB)
    settling = {one.record for one in gone} | {one.record for one in denied}
    added = new_records(found, _records(root / FIXTURE), settling)
    with (root / FIXTURE).open("a", encoding="utf-8") as stream:
        stream.writelines(json.dumps(one, ensure_ascii=False) + "\n" for one in added)
    return _report([path for paths in kept for path in paths], gone, denied, added)


def new_records(found: Iterable[Record], known: Iterable[Record], wanted: Iterable[str]) -> list[Record]:
    """Return those that settle something, and answers to questions that nobody has put to that macOS before.

    What a Mac says of itself at every push would fill the fixture with one and the same.
    """
    said = {_key(one) for one in known}
    ids = {one["id"] for one in known}
    settling = set(wanted)
    added = []
    for one in found:
        if one["id"] not in ids and (one["id"] in settling or (_is_answer(one) and _key(one) not in said)):
            added.append(one)
            ids.add(one["id"])
            said.add(_key(one))
    return added


def _is_answer(record: Record) -> bool:
    return any(str(record["id"]).endswith(f"-{one.id}") for one in QUESTIONS)


def _key(record: Record) -> tuple[str, ...]:
    macos = re.match(r"10\.\d+|\d+", str(record["macos"] or ""))
    return (macos[0] if macos else "", *record["command"], said_by(record))


def _records(path: Path) -> list[Record]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _keep(path: Path, folder: Path) -> list[Path]:
    """Keep the result of each Mac under a name by which a later one takes its place."""
    folder.mkdir(parents=True, exist_ok=True)
    by_name: dict[str, list[Any]] = {}
    for one in json.loads(path.read_text(encoding="utf-8")):
        if one.get("form") != FORM:
            raise ValueError(f"{path} has the form {one.get('form')!r}, and this reads {FORM}")
        what = one["machine"]
        words = " ".join((what["label"] or "mac", what["macos"], what["chip"])).lower()
        by_name.setdefault(re.sub(r"[^a-z0-9.]+", "-", words).strip("-"), []).append(one)
    written = []
    for name, ones in by_name.items():
        written.append(folder / f"{name}.json")
        written[-1].write_text(json.dumps(ones, indent=1) + "\n", encoding="utf-8")
    return written


def _take_marks(shown: list[marks.Shown], lab: Path) -> list[marks.Shown]:
    gone: list[marks.Shown] = []
    changed = []
    for path in sorted(lab.glob("*.py")):
        source = path.read_text(encoding="utf-8")
        text, done = marks.without_marks(source, shown)
        if text != source:
            path.write_text(text, encoding="utf-8")
            changed.append(path)
            gone += done
    if changed:
        # A name that is longer than a mark may not fit the line.
        subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", *changed], check=True)
    return gone


def _report(results: list[Path], gone: list[marks.Shown], denied: list[marks.Denied], added: list[Record]) -> str:
    lines = [
        f"{len(results)} results, {len(added)} new transcripts, {len(gone)} marks gone, {len(denied)} contradicted.",
        "",
    ]
    lines += [f"- proven: `{path.name}`" for path in results]
    lines += [f"- no longer assumed: {one.kind} `{one.name}`, by `{one.record}`" for one in gone]
    lines += [
        f"- **the lab is wrong**: rule `{one.rule}` is {one.lab}, and a Mac showed {one.real}, in `{one.record}`"
        for one in denied
    ]
    lines += [f"- needs a case in the lab's conformance tests: `{one['id']}`" for one in added]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
