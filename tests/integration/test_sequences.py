# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random sequences of modules and roles over SSH, with cuts, half of them two runs at a time: no Mac becomes worse.

What a Mac is worth is judged by the oracle of tests/property, on the lab's own state after each turn.
KEYHOLDER_SEQUENCES sets the number of sequences, KEYHOLDER_SEED the first of their seeds.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from oracle import of_lab, stale, worse

from harness.ansible import Ansible, Line
from harness.sequences import Sequence_, drawn, meeting, take_turn
from harness.wait import processes, until
from maclab.lab import Lab

SEQUENCES = int(os.environ.get("KEYHOLDER_SEQUENCES", "2"))
SEED = int(os.environ.get("KEYHOLDER_SEED", "1"))
AT_ONCE = 20
UNTRIED = "it was not checked that its password opens its key"


@dataclass
class Lived:
    """What the oracle said of all turns, and what came of the tasks, by their reasons."""

    said: list[str] = field(default_factory=list)
    came: Counter[str] = field(default_factory=Counter)
    tasks: int = 0
    met: list[Line] = field(default_factory=list)
    """What the two said that surely met."""


@pytest.fixture(scope="module")
def lived(
    ansible: Ansible, tmp_path_factory: pytest.TempPathFactory, bring_up: Callable[[Mapping[str, Any]], Lab]
) -> Iterator[Lived]:
    another = Ansible(tmp_path_factory.mktemp("another-controller"))
    all_of_it = Lived()
    sequences = [meeting(), *(drawn(SEED + number, together=number % 2 == 1) for number in range(SEQUENCES))]
    for first in range(0, len(sequences), AT_ONCE):
        some = sequences[first : first + AT_ONCE]
        lab = bring_up({sequence.host: sequence.described for sequence in some})
        for number in range(4):
            _turn([ansible, another], lab, [one for one in some if len(one.turns) > number], number, all_of_it)
        lab.down()
    print(all_of_it.came.most_common())
    yield all_of_it
    another.close()


def _turn(controllers: list[Ansible], lab: Lab, sequences: list[Sequence_], number: int, lived: Lived) -> None:
    before = {one.host: of_lab(lab.mac(one.host).state()) for one in sequences}
    returned = take_turn(controllers, lab, {one.host: one.turns[number] for one in sequences})
    macs = [lab.mac(one.host) for one in sequences]
    until(lambda: not processes(*macs), "nothing runs on the Macs any more")
    for one in sequences:
        after = of_lab(lab.mac(one.host).state())
        lines = returned[one.host]
        if one == meeting():
            lived.met += [line for line in lines if "keyholder" in line.action]
        lived.tasks += len(one.turns[number].tasks)
        lived.came.update(_outcome(line.status, line.result) for line in lines if "keyholder" in line.action)
        own = [one.own] if one.own else []
        said = worse(before[one.host], after, own)
        warned = UNTRIED in json.dumps([line.result for line in lines])
        # What was cut off could not say it any more.
        cut = one.turns[number].fault is not None and one.turns[number].fault[0] in ("kill", "ssh_cut")
        said += [] if warned or cut else [f"{what}, and no note says so" for what in stale(before[one.host], after)]
        if said:
            told = "\n".join(f"  {line.task}: {_outcome(line.status, line.result)}" for line in lines)
            lived.said.append(f"seed {one.seed}, turn {number + 1}: {said}\n{one.turns[number]}\n{told}")


def _outcome(status: str, result: Mapping[str, Any]) -> str:
    if status == "ok":
        return "changed" if result.get("changed") else "ok"
    return str(result.get("reason") or ("cut off" if status == "unreachable" else result.get("msg")))


def test_no_turn_makes_a_mac_worse(lived: Lived) -> None:
    assert not lived.said, "\n".join(lived.said)


def test_of_two_that_surely_meet_one_waits_and_is_refused(lived: Lived) -> None:
    """Without the lock both demote, and no administrator is left."""
    first, second = sorted(lived.met, key=lambda line: line.time)
    assert (first.status, first.result["changed"]) == ("ok", True)
    assert any(note.startswith("waited ") for note in second.result["notes"])
    assert second.result["reason"] == "last_admin_holder"


def test_the_turns_did_something(lived: Lived) -> None:
    assert lived.came.total() >= lived.tasks * 0.7, lived.came
    assert lived.came["changed"] >= lived.tasks / 12, lived.came
