# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Administrator rights lent for a grant, over SSH: the power goes, or the connection, while they are lent.

They are taken back by the next run, or by the Mac. Cuts at every other moment are in
tests/property/test_promotion_on_lab.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from harness.ansible import Ansible
from harness.batch import Played, play, token
from harness.macs import PASSWORDS, mac
from harness.wait import processes, until
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
# The job of the first comes soon, and that of the second never; the third loses its connection, and works on.
ALONE, ASLEEP, CUT_OFF = "alone", "asleep", "cut-off"
KILL = {"fault": "kill", "step": 1, "program": "sysadminctl"}
CUT = {"fault": "ssh_cut", "step": 1, "program": "sysadminctl"}


def described(version: str, fault: dict[str, Any], seconds: int) -> dict[str, Any]:
    """Only a standard user holds a token, and the administrator holds none."""
    return mac(version, "helper", "stan", ssh_user="helper", faults=[fault], launchd_seconds=seconds)


def holds(mac: Mac, who: str) -> bool:
    account = mac.accounts[who]
    return account.has_authority_token and account.generated_uid in mac.crypto_users


def notes(mac: Mac) -> list[str]:
    return mac.accounts["root"].attributes.get("dsAttrTypeNative:keyholder_pending", [])


def taken_back(mac: Mac) -> bool:
    return not mac.is_admin("stan") and not mac.jobs and not mac.files


@pytest.fixture(scope="module")
def lab(bring_up: Callable[[Mapping[str, Any]], Lab]) -> Lab:
    return bring_up(
        {
            ALONE: described("13.6.9", KILL, 6),
            ASLEEP: described("26.1", KILL, 3600),
            CUT_OFF: described("15.6", CUT, 3600),
        }
    )


@pytest.fixture(scope="module")
def left(ansible: Ansible, lab: Lab) -> dict[str, Mac]:
    """Each Mac once the cut run has ended there too; the first one has been left alone for as long as its job takes."""
    cut = play(ansible, lab, {name: [LENT] for name in lab.names})
    assert {answer.line.status for answer in cut.answers.values()} == {"unreachable"}
    until(lambda: not processes(lab.mac(ASLEEP), lab.mac(CUT_OFF)), "nothing runs on the Macs any more")
    until(lambda: taken_back(lab.mac(ALONE).state()), "the Mac has taken the rights back")
    return {name: lab.mac(name).state() for name in lab.names}


@pytest.fixture(scope="module")
def healed(ansible: Ansible, lab: Lab, left: dict[str, Mac]) -> tuple[Played, Mac]:
    """Another run, the Mac after it, and the same run again."""
    assert left
    other = play(ansible, lab, {ASLEEP: [ANOTHER]})
    after = lab.mac(ASLEEP).state()
    again = play(ansible, lab, {name: [LENT] for name in lab.names})
    return Played(again.run, {**other.answers, **again.answers}), after


def test_an_administrator_that_is_left_is_noted_and_the_mac_will_undo_it(left: dict[str, Mac]) -> None:
    assert left[ASLEEP].is_admin("stan")
    assert "promoted stan" in notes(left[ASLEEP])
    assert left[ASLEEP].jobs


def test_where_nobody_comes_back_the_mac_takes_it_back_by_itself(left: dict[str, Mac]) -> None:
    """Nothing of the run is left, only what launchd has loaded; what the job does not know of stays noted."""
    assert "promoted stan" not in notes(left[ALONE])
    assert notes(left[ALONE])


def test_a_run_whose_connection_is_cut_takes_it_back_all_the_same(left: dict[str, Mac]) -> None:
    assert taken_back(left[CUT_OFF])
    assert not notes(left[CUT_OFF])
    assert holds(left[CUT_OFF], "helper")


def test_the_next_run_takes_it_back_even_where_it_is_refused(healed: tuple[Played, Mac]) -> None:
    played, after = healed
    assert played[ASLEEP, "another"].reason == "user_unknown"
    assert taken_back(after)


def test_the_same_run_gets_there(healed: tuple[Played, Mac], lab: Lab) -> None:
    for name in lab.names:
        assert healed[0][name, "run"].ok, healed[0][name, "run"]
        state = lab.mac(name).state()
        assert holds(state, "helper")
        assert holds(state, "stan")
        assert taken_back(state)
        assert not notes(state)
