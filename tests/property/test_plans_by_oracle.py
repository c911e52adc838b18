# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Twenty thousand plans, each judged after each of its steps by an oracle that shares no line with the plan's guard.

KEYHOLDER_PLANS sets the number, KEYHOLDER_SEED the first of the seeds: what fails names the seed that made it.
"""

from __future__ import annotations

import ast
import os
import random
import typing as t
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from oracle import Person, Truth, of_reading, stale, stepped, worse

from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac
from ansible_collections.keyholder.macos.plugins.module_utils._plan import plan
from ansible_collections.keyholder.macos.plugins.module_utils._plan.plan import Plan
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._step.token import VerifyKey
from ansible_collections.keyholder.macos.tests.unit.plugins.module_utils import strategies

PLANS = int(os.environ.get("KEYHOLDER_PLANS", "20000"))
SEED = int(os.environ.get("KEYHOLDER_SEED", "1"))


@dataclass(frozen=True)
class Case:
    """A Mac as it is, what a reading misses of it, what is asked of it, and what comes of that."""

    mac: Mac
    lack: str
    request: t.Any
    stale_keys: frozenset[str]
    made: Plan | Refusal

    @property
    def truth(self) -> Truth:
        return of_reading(self.mac, self.stale_keys)

    def complaints(self) -> list[str]:
        """Each step that makes the Mac worse, in words; up to the one at which the run would stop."""
        if isinstance(self.made, Refusal):
            return []
        said, truth = [], self.truth
        for step in self.made.steps:
            if isinstance(step, VerifyKey) and not t.cast(Person, truth.person(step.user)).fits:
                break
            after = stepped(truth, step)
            said += [f"{step.words}: {what}" for what in worse(truth, after, self.mac.own)]
            said += [f"{step.words}: {what}, and no note says so" for what in stale(truth, after) if not self._warned]
            truth = after
        return said

    @property
    def _warned(self) -> bool:
        return any(
            "it was not checked that its password opens its key" in note for note in t.cast(Plan, self.made).notes
        )


def drawn(seed: int) -> Case:
    pick = random.Random(seed).choice
    mac = strategies.whole_mac(pick)
    request = strategies.any_request(pick, [who.name for who in mac.accounts])
    lack = pick(strategies.LACKS)
    stale_keys = frozenset(who.name for who in mac.accounts if pick((False, False, False, True)))
    opens = pick((getattr(request, "user", "") not in stale_keys,) * 3 + (None,))
    same = pick((True, True, False, None))
    made = strategies.plan_or_refusal(request, strategies.hidden(mac, lack), same, opens)
    return Case(mac, lack, request, stale_keys, made)


@dataclass
class Judged:
    """What came of all cases: what was drawn, by request and outcome, and what the oracle said."""

    drawn: Counter[tuple[str, str]]
    said: list[str]


@pytest.fixture(scope="module")
def judged() -> Judged:
    all_of_it = Judged(Counter(), [])
    for seed in range(SEED, SEED + PLANS):
        case = drawn(seed)
        all_of_it.drawn[type(case.request).__name__, strategies.outcome(case.made)] += 1
        said = case.complaints()
        if said:
            all_of_it.said.append(f"seed {seed}: {'; '.join(said)}\n{case}")
    return all_of_it


def test_no_step_of_any_plan_makes_a_mac_worse(judged: Judged) -> None:
    assert not judged.said, f"{len(judged.said)} plans, the first of them:\n{judged.said[0]}"


def test_enough_requests_become_plans(judged: Judged) -> None:
    """A request that is refused proves little: of all at least a third must be plans, and of each kind some."""
    by_kind: dict[str, Counter[bool]] = {}
    for (kind, outcome), count in judged.drawn.items():
        by_kind.setdefault(kind, Counter())[outcome == strategies.CHANGES] += count
    planned = sum(count for (_, outcome), count in judged.drawn.items() if outcome in strategies.PLANNED)
    assert planned >= PLANS / 3, judged.drawn.most_common()
    changing = {kind: counted[True] / counted.total() for kind, counted in by_kind.items()}
    assert len(changing) == len(strategies.REQUESTS)
    assert sum(counted[True] for counted in by_kind.values()) >= PLANS / 6, changing
    assert min(changing.values()) >= 0.03, changing


def reasons_of_plans() -> set[str]:
    """The reason codes that stand in the planner's own files."""
    found: set[str] = set()
    folder = Path(t.cast(str, plan.__file__)).parent
    for file in folder.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Refusal":
                code = node.args[0]
                words = [code.value] if isinstance(code, ast.Constant) else []
                # The one that is put together: whose password it is, and what is wrong with the account.
                found |= set(words) if words else {"user_disabled", "granter_disabled"}
    return found


def test_every_reason_of_the_planner_is_drawn(judged: Judged) -> None:
    missed = reasons_of_plans() - {outcome for _, outcome in judged.drawn}
    assert not missed, f"{missed} never came up: draw Macs or requests for them"
