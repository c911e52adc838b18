# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cuts the power at every step of a run, one Mac for each cut, and remembers what every Mac was like in between."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.ansible import Ansible
from harness.batch import Answer, Played, Step, play
from harness.wait import processes, until
from maclab.lab import Lab
from maclab.state import Mac

NEVER = 9999
BringUp = Callable[[Mapping[str, Any]], Lab]


@dataclass(frozen=True)
class Operation:
    """What is run on the Mac that ``described`` tells of; ``healed`` is what the next runs are, the same by default."""

    described: Mapping[str, Any]
    step: Step
    heals: tuple[Step, ...] = ()

    @property
    def next_run(self) -> list[Step]:
        return [self.step, *self.heals]


@dataclass(frozen=True)
class Cut:
    operation: str
    step: int
    before: bool = False

    @property
    def host(self) -> str:
        return f"{self.operation}-{'before' if self.before else 'after'}-{self.step}"


@dataclass(frozen=True)
class Sweep:
    """``left``: each Mac as the cut left it; ``end``: after the runs that followed."""

    cuts: Sequence[Cut]
    begin: Mapping[str, Mac]
    cut: Played
    left: Mapping[str, Mac]
    healed: Played
    end: Mapping[str, Mac]
    lab: Lab

    def of(self, operation: str) -> list[Cut]:
        mine = [cut for cut in self.cuts if cut.operation == operation]
        assert mine
        return mine

    def answers(self, played: Played, operation: str, title: str) -> list[Answer]:
        return [played[cut.host, title] for cut in self.of(operation)]


def sweep(ansible: Ansible, bring_up: BringUp, operations: Mapping[str, Operation]) -> Sweep:
    cuts = _cuts(ansible, bring_up, operations)
    faults = {cut.host: {"fault": "kill", "step": cut.step, "before": cut.before} for cut in cuts}
    lab = bring_up({cut.host: {**operations[cut.operation].described, "faults": [faults[cut.host]]} for cut in cuts})
    macs = [lab.mac(cut.host) for cut in cuts]
    begin = {mac.name: mac.state() for mac in macs}
    cut = play(ansible, lab, {cut.host: [operations[cut.operation].step] for cut in cuts})
    until(lambda: not processes(*macs), "nothing runs on the Macs any more")
    left = {mac.name: mac.state() for mac in macs}
    healed = play(ansible, lab, {cut.host: operations[cut.operation].next_run for cut in cuts})
    return Sweep(cuts, begin, cut, left, healed, {mac.name: mac.state() for mac in macs}, lab)


def _cuts(ansible: Ansible, bring_up: BringUp, operations: Mapping[str, Operation]) -> list[Cut]:
    """One after each commit, which a run with a fault that never bites counts, and one before the first."""
    never = [{"fault": "kill", "step": NEVER}]
    lab = bring_up({name: {**operation.described, "faults": never} for name, operation in operations.items()})
    uncut = play(ansible, lab, {name: [operation.step] for name, operation in operations.items()})
    found = []
    for name, operation in operations.items():
        assert uncut[name, operation.step.title].ok, uncut[name, operation.step.title]
        (fault,) = lab.mac(name).state().faults
        assert fault.seen
        found += [Cut(name, 1, before=True), *(Cut(name, step) for step in range(1, fault.seen + 1))]
    return found
