# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Administrator rights lent for a grant, over SSH: cut at every program, taken back by the next run, or by the Mac."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from harness.ansible import Ansible
from harness.batch import Played, play, token
from harness.macs import PASSWORDS, mac
from harness.wait import processes, until
from maclab import journal
from maclab.lab import Lab
from maclab.state import Mac

LENT = token(
    "run",
    "helper",
    password=PASSWORDS["helper"],
    admin_user="stan",
    admin_password=PASSWORDS["stan"],
    allow_temporary_promotion=True,
)
ANOTHER = token("another", "nobody-here")
NEVER = 9999


def described(version: str, *faults: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Only a standard user holds a token, and the administrator holds none."""
    return mac(version, "helper", "stan", ssh_user="helper", faults=list(faults), **more)


def holds(mac: Mac, who: str) -> bool:
    account = mac.accounts[who]
    return account.has_authority_token and account.generated_uid in mac.crypto_users


def notes(mac: Mac) -> list[str]:
    return mac.accounts["root"].attributes.get("dsAttrTypeNative:keyholder_pending", [])


def clean(mac: Mac) -> bool:
    return not mac.is_admin("stan") and not mac.jobs and not mac.files and not notes(mac)


@dataclass(frozen=True)
class Sweep:
    """The runs that were cut, what each left, and the runs after it."""

    left: Mapping[str, Mac]
    other: Played
    healed: Mapping[str, Mac]
    again: Played
    lab: Lab


@pytest.fixture(scope="module")
def sweep(ansible: Ansible, bring_up: Callable[[Mapping[str, Any]], Lab]) -> Sweep:
    never = [{"fault": "kill", "step": NEVER}, {"fault": "ssh_cut", "step": NEVER}]
    counted = bring_up({"count": described("15.6", *never)})
    assert play(ansible, counted, {"count": [LENT]})["count", "run"].ok
    assert clean(counted.mac("count").state())
    commits, starts = (fault.seen for fault in counted.mac("count").state().faults)
    programs = journal.programs(counted.mac("count").journal())
    first = next(index for index, run in enumerate(programs, start=1) if run.writes)
    cuts = {f"kill-{step}": {"fault": "kill", "step": step} for step in range(1, commits + 1)}
    cuts |= {f"ssh-{step}": {"fault": "ssh_cut", "step": step} for step in range(first, starts + 1)}
    lab = bring_up({name: described("15.6", fault) for name, fault in cuts.items()})
    play(ansible, lab, {name: [LENT] for name in cuts})
    macs = [lab.mac(name) for name in cuts]
    until(lambda: not processes(*macs), "nothing runs on the Macs any more")
    left = {mac.name: mac.state() for mac in macs}
    other = play(ansible, lab, {name: [ANOTHER] for name in cuts})
    healed = {mac.name: mac.state() for mac in macs}
    return Sweep(left, other, healed, play(ansible, lab, {name: [LENT] for name in cuts}), lab)


def test_some_cuts_leave_an_administrator_and_then_it_is_noted_and_the_mac_will_undo_it(sweep: Sweep) -> None:
    lent = [mac for mac in sweep.left.values() if mac.is_admin("stan")]
    assert len(lent) > 2
    assert [mac.name for mac in lent if "promoted stan" not in notes(mac) or not mac.jobs] == []


def test_the_next_run_takes_it_back_even_where_it_is_refused(sweep: Sweep) -> None:
    assert {answer.reason for answer in sweep.other.answers.values()} == {"user_unknown"}
    assert [name for name, mac in sweep.healed.items() if mac.is_admin("stan") or mac.jobs or mac.files] == []


def test_the_same_run_gets_there(sweep: Sweep) -> None:
    assert [name for (name, _), answer in sweep.again.answers.items() if not answer.ok] == []
    states = {name: sweep.lab.mac(name).state() for name in sweep.left}
    assert [
        name for name, mac in states.items() if not (holds(mac, "helper") and holds(mac, "stan") and clean(mac))
    ] == []


def test_where_nobody_comes_back_the_mac_takes_it_back_by_itself(
    ansible: Ansible, bring_up: Callable[[Mapping[str, Any]], Lab]
) -> None:
    """Killed while the holder was an administrator: nothing of the run is left, only what launchd has loaded."""
    lab = bring_up(
        {
            "alone": described("13.6.9", {"fault": "kill", "step": 1, "program": "sysadminctl"}, launchd_seconds=6),
            "asleep": described("26.1", {"fault": "kill", "step": 1, "program": "sysadminctl"}, launchd_seconds=3600),
        }
    )
    audit = play(ansible, lab, {name: [LENT] for name in lab.names})
    assert {answer.line.status for answer in audit.answers.values()} == {"unreachable"}
    alone, asleep = lab.mac("alone"), lab.mac("asleep")
    assert asleep.state().is_admin("stan")
    until(lambda: clean_but_preboot(alone.state()), "the Mac has taken the rights back")
    assert "promoted stan" not in notes(alone.state())
    assert asleep.state().is_admin("stan")


def clean_but_preboot(mac: Mac) -> bool:
    """What the job does not know of stays noted for the next run."""
    return not mac.is_admin("stan") and not mac.jobs and not mac.files
