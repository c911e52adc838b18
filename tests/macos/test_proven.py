# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of what was proven claims nothing that no run and no transcript has shown."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

_spec = importlib.util.spec_from_file_location("proven", Path(__file__).parents[2] / "docs" / "proven.py")
assert _spec is not None and _spec.loader is not None
proven: Any = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(proven)


def result(**other: Any) -> dict[str, Any]:
    machine = {"macos": "15.7.7", "chip": "Apple silicon", "virtual": "yes", "label": "macos-15"}
    return {"runner": "python", "passed": True, "machine": {**machine, **other.pop("machine", {})}, **other}


def cells(results: list[dict[str, Any]], transcripts: list[dict[str, Any]]) -> dict[tuple[str, str], list[str]]:
    loaded = [SimpleNamespace(**one, is_virtual="VM" in (one["hardware"] or "")) for one in transcripts]
    text = "\n".join(proven.rows(results, loaded)).split("   * - ")[1:]
    rows = [[cell.strip() for cell in row.split("\n     -")] for row in text]
    return {(row[0], row[1]): row[2:] for row in rows[1:]}


def test_without_a_run_nothing_is_claimed() -> None:
    assert proven.said_of([]).startswith("**The collection has not been run on a real Mac yet.**")
    assert proven.said_of([result(passed=False)]) == proven.said_of([])
    found = cells([result(passed=False)], [])
    assert len(found) == 16
    assert {row[0] for row in found.values()} | {row[1] for row in found.values()} == {"nothing yet"}
    assert {row[2] for row in found.values()} == {"0"}


def test_a_run_counts_where_it_was_and_nowhere_else() -> None:
    found = cells([result(), result(runner="shell"), result(machine={"label": "", "virtual": "no"})], [])
    assert found.pop(("15", "Apple silicon"))[:2] == ["15.7.7: python", "15.7.7 (macos-15): python, shell"]
    assert {tuple(row[:2]) for row in found.values()} == {("nothing yet", "nothing yet")}
    assert proven.said_of([result()]).startswith("1 runs")


def test_what_does_not_say_whether_it_is_virtual_is_neither() -> None:
    assert cells([result(machine={"virtual": "unknown"})], [])["15", "Apple silicon"][:2] == ["nothing yet"] * 2


@pytest.mark.parametrize(
    ("macos", "version"),
    [
        ("27.0.1", "27"),
        ("10.13 (Admin-679)", "10.13"),
        ("10.13 beta 3 (17A306f)", "10.13"),
        ("15.x", "15"),
        ("26", "26"),
        ("11+", None),
        ("10.13-12", None),
        ("<=10.12", None),
        ("26 or 27", None),
        ("10.14/10.15 (2019-10)", None),
        (None, None),
    ],
)
def test_a_transcript_of_several_versions_proves_none(macos: str | None, version: str | None) -> None:
    assert proven.major(macos) == version


@pytest.mark.parametrize(
    ("hardware", "chip"),
    [
        ("t2", "Intel"),
        ("intel", "Intel"),
        ("MacPro7,1 x86_64", "Intel"),
        ("Apple silicon VM", "Apple silicon"),
        ("apple-silicon", "Apple silicon"),
        ("Mac mini M4", "Apple silicon"),
        ("GitHub-hosted VM", "not told"),
        (None, "not told"),
    ],
)
def test_the_chip_of_a_transcript(hardware: str | None, chip: str) -> None:
    assert proven.chip(hardware) == chip


def test_transcripts_are_counted_by_version_and_chip() -> None:
    records = [{"macos": "27.0.1", "hardware": "Apple silicon VM"}] * 2 + [{"macos": "27", "hardware": "Mac mini M4"}]
    records += [{"macos": "14", "hardware": None}, {"macos": "11+", "hardware": "intel"}]
    found = cells([], records)
    assert found["27", "Apple silicon"][2:4] == ["3", "2"]
    assert found["14", "not told"][2:4] == ["1", "0"]
    assert sum(int(row[2]) for row in found.values()) == 4
