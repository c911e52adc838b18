# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn what the targets returned on a Mac into one result: a table for people, and data that names nobody."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Set
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from proving.machine import Machine, machine

FORM = 1
FACTS = "Look what this Mac is"
"""The task of facts.yml, by whose results a Mac is known."""
OURS = "keyholder.macos."
ASSERT = "ansible.builtin.assert"
LAST = "Compare"
"""The task by which each target judges what came of it, behind all the others."""

CHANGED, NOTHING, REFUSED, FAILED, AS_IT_MUST = "done", "nothing to do", "refused", "FAILED", "as it must be"


@dataclass(frozen=True)
class Step:
    """One task of a target, and what came of it."""

    target: str
    task: str
    outcome: str
    reason: str = ""


@dataclass(frozen=True)
class Result:
    """What one runner of the collection did on one Mac. ``mac``: a number, as a host's name is nobody's business."""

    mac: int
    runner: str
    machine: Machine
    passed: bool
    steps: tuple[Step, ...]

    def as_data(self) -> dict[str, Any]:
        return {"form": FORM, **asdict(self)}


def results(path: Path, runner: str, targets: Set[str], environment: Mapping[str, str]) -> list[Result]:
    """Read the lines that the callback wrote about one run of targets.yml: a result for each Mac.

    It has passed where nothing failed and each target has come to its end: a run that was cut off proves nothing.
    """
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    hosts = list(dict.fromkeys(line["host"] for line in lines if line["task"].endswith(FACTS)))
    made = []
    for number, host in enumerate(hosts, start=1):
        mine = [line for line in lines if line["host"] == host]
        (facts, *_rest) = (line["result"]["results"] for line in mine if line["task"].endswith(FACTS))
        steps = tuple(filter(None, map(_step, mine)))
        compared = {step.target for step in steps if (step.task, step.outcome) == (LAST, AS_IT_MUST)}
        passed = compared >= targets and all(line["status"] == "ok" for line in mine)
        made.append(Result(number, runner, machine(facts, environment), passed, steps))
    return made


def _step(line: Mapping[str, Any]) -> Step | None:
    target, _, task = line["task"].rpartition(" : ")
    ours = line["action"].startswith(OURS)
    if not target or not (ours or line["action"] == ASSERT):
        return None
    returned = line["result"]
    if line["status"] != "ok":
        return Step(target, task, FAILED, str(returned.get("reason") or line["status"]))
    if not ours:
        return Step(target, task, AS_IT_MUST)
    if returned.get("failed_when_result") is False and returned.get("reason"):
        return Step(target, task, REFUSED, str(returned["reason"]))
    return Step(target, task, CHANGED if returned.get("changed") else NOTHING)


def table(found: Iterable[Result]) -> str:
    """Return Markdown: what each Mac is, and a row for each step with a column for each runner."""
    parts = []
    by_mac: dict[int, list[Result]] = {}
    for one in found:
        by_mac.setdefault(one.mac, []).append(one)
    for number, mine in by_mac.items():
        what = mine[0].machine
        verdict = ", ".join(f"{one.runner} {'passed' if one.passed else 'FAILED'}" for one in mine)
        parts += [
            f"### Mac {number}: macOS {what.macos} ({what.build}), {what.hardware}: {verdict}",
            "",
            f"{what.context}.",
            "",
            f"| target | task | {' | '.join(one.runner for one in mine)} |",
            f"| --- | --- |{' --- |' * len(mine)}",
        ]
        cells = [{(step.target, step.task): step for step in one.steps} for one in mine]
        for target, task in dict.fromkeys(key for column in cells for key in column):
            row = (_cell(column.get((target, task))) for column in cells)
            parts.append(f"| {target} | {task} | {' | '.join(row)} |")
        parts.append("")
    return "\n".join(parts)


def _cell(step: Step | None) -> str:
    if step is None:
        return "not reached"
    return f"{step.outcome}: `{step.reason}`" if step.reason else step.outcome
