# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of what runs took: what changed, and how many authentications, writes and processes it cost on each Mac."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fleet import Deeds, Run
from screen import Cell, table


def show(runs: Mapping[str, Run], total: bool = False) -> None:
    """`runs`: by the words that stand over their columns. `total`: whether a last row is the sum of all Macs."""
    each = list(runs.values())
    rows = [(Cell(name, "bold"), *_numbers([run.macs[name]] for run in each)) for name in each[0].macs]
    if total:
        rows.append((Cell("all", "bold"), *_numbers(run.macs.values() for run in each)))
    head = ("Mac", *("|", "changed", "auths", "writes", "procs") * len(each))
    table(head, rows, [("", 1), *((f"| {words}", 5) for words in runs)], gap=1)


def _numbers(runs: Iterable[Iterable[Deeds]]) -> list[Cell]:
    cells = []
    for run in runs:
        macs = list(run)
        numbers = (
            sum(deeds.changed for deeds in macs),
            sum(deeds.authentications for deeds in macs),
            sum(deeds.writes for deeds in macs),
            sum(deeds.programs for deeds in macs),
        )
        cells += [Cell("|", "dim"), *[Cell(str(number), "" if number else "dim") for number in numbers]]
    return cells
