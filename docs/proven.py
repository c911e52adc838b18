# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of what was proven on which macOS and chip: by runs of the collection, by transcripts, or not at all.

A run counts where its result was taken into tests/macos/results. A transcript counts where it names one version of
macOS; one of "10.13 to 12" or "11 and later" proves nothing about any of them.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
import typing as t
from collections import Counter
from pathlib import Path

from maclab.rules import every_rule
from maclab.texts import TEXTS

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "tests" / "macos" / "results"
LAB_TESTS = ROOT / "maclab" / "tests"

INTEL, APPLE, UNTOLD = "Intel", "Apple silicon", "not told"
# The first macOS for Apple silicon is 11, the last for Intel 26 (Apple, Platforms State of the Union, June 2025).
VERSIONS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("10.13", "10.14", "10.15"), (INTEL,)),
    **dict.fromkeys(("11", "12", "13", "14", "15", "26"), (INTEL, APPLE)),
    "27": (APPLE,),
}
NOTHING = "nothing yet"

Record = t.Mapping[str, t.Any]


def table() -> str:
    """Return the table for the guide, and before it in words whether anything has run on a real Mac at all."""
    results, transcripts = evidence()
    return "\n".join([said_of(results), "", *rows(results, transcripts)])


def said() -> str:
    """Return in words whether anything has run on a real Mac at all."""
    return said_of(evidence()[0])


def evidence() -> tuple[list[Record], list[t.Any]]:
    """Return the results that were taken in, and the transcripts."""
    results = [one for path in sorted(RESULTS.glob("*.json")) for one in json.loads(path.read_text(encoding="utf-8"))]
    sys.path.append(str(LAB_TESTS))
    return results, list(importlib.import_module("transcripts").TRANSCRIPTS.values())


def said_of(results: t.Sequence[Record]) -> str:
    passed = [one for one in results if one["passed"]]
    if not passed:
        return "**The collection has not been run on a real Mac yet.** No result has been taken in."
    return f"{len(passed)} runs on real Macs have passed and were taken in, of {len(results)}."


def rows(results: t.Sequence[Record], transcripts: t.Sequence[t.Any]) -> list[str]:
    lines = [".. list-table::", "   :header-rows: 1", "   :widths: 8 14 20 26 12 10 10", ""]
    for row in cells(results, transcripts):
        lines += [f"   {'* -' if place == 0 else '  -'} {cell}".rstrip() for place, cell in enumerate(row)]
    return lines


def cells(results: t.Sequence[Record], transcripts: t.Sequence[t.Any]) -> list[tuple[str, ...]]:
    """Return the rows of the table, its heads first."""
    heads = ("macOS", "chip", "run on hardware", "run in a VM", "transcripts", "of them in a VM", "assumed")
    named = [(major(one.macos), chip(one.hardware), one.is_virtual) for one in transcripts]
    counted, virtual = Counter((m, c) for m, c, _v in named), Counter((m, c) for m, c, v in named if v)
    found: list[tuple[str, ...]] = [heads]
    for version, chips in VERSIONS.items():
        for name in (*chips, *([UNTOLD] if counted[version, UNTOLD] else [])):
            ran = () if name == UNTOLD else (runs(results, version, name, "no"), runs(results, version, name, "yes"))
            shown = (str(counted[version, name]), str(virtual[version, name]))
            found.append((version, name, *(ran or ("", "")), *shown, "" if name == UNTOLD else str(assumed(version))))
    return found


def runs(results: t.Iterable[Record], version: str, name: str, virtual: str) -> str:
    """Return where the collection has passed, by exact version. A Mac that may be virtual or not is neither."""
    found = {}
    for one in results:
        mac = one["machine"]
        if one["passed"] and (major(mac["macos"]), mac["chip"], mac["virtual"]) == (version, name, virtual):
            where = f"{mac['macos']} ({mac['label']})" if mac["label"] else mac["macos"]
            found.setdefault(where, []).append(one["runner"])
    return "; ".join(f"{where}: {', '.join(sorted(set(by)))}" for where, by in found.items()) or NOTHING


def major(macos: str | None) -> str | None:
    """Return the version that a text names: 10.13, or 26. None for a range, or where none is named."""
    named = re.fullmatch(r"(10\.\d+|1[1-9]|2\d)(?:\.(?:\d+|x))*(?: beta.*| \(.*\))?", macos or "")
    return named[1] if named else None


def chip(hardware: str | None) -> str:
    text = (hardware or "").lower().replace("-", " ")
    if "apple silicon" in text or "arm64" in text or re.search(r"\bm\d\b", text):
        return APPLE
    return INTEL if re.search(r"\b(intel|t2|x86_64)\b", text) else UNTOLD


def assumed(version: str) -> int:
    """Return how many rules and texts of the lab are assumed for that version."""
    wanted = tuple(int(part) for part in version.split("."))
    holding = [
        next((one for one in reversed(group) if one.first <= wanted), None)
        for group in (*(rule.rows for rule in every_rule()), *TEXTS.values())
    ]
    return sum(one is not None and one.assumed for one in holding)
