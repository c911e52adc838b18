# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The account that Ansible logged in with is found over SSH and sudo, and left alone until the task says otherwise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from harness.ansible import Ansible
from harness.batch import Played, Step, account, play
from harness.macs import PASSWORDS, mac, secret
from maclab.lab import Lab

HOST = "mine"
ITADMIN = {"name": "itadmin"}
REFUSED = [
    account("deleted", "itadmin", state="absent"),
    account("demoted", "itadmin", admin=False),
    Step("offboarded", "offboard", ITADMIN),
    Step(
        "given another password",
        "account_password",
        {**ITADMIN, "password": secret("new"), "old_password": PASSWORDS["itadmin"]},
    ),
]
OTHERS = account("somebody else demoted", "deputy", admin=False)
ALLOWED = account("demoted, and allowed to", "itadmin", admin=False, allow_own_account=True)


@pytest.fixture(scope="module")
def played(ansible: Ansible, bring_up: Callable[[Mapping[str, Any]], Lab]) -> Played:
    lab = bring_up(
        {
            HOST: mac("15.6", "itadmin", "deputy", ssh_user="itadmin"),
            "other": mac("15.6", "itadmin", "deputy", ssh_user="itadmin"),
        }
    )
    checked = [step.but(f"{step.title}: check", check=True) for step in REFUSED]
    return play(ansible, lab, {HOST: [*checked, *REFUSED, OTHERS], "other": [ALLOWED]})


@pytest.mark.parametrize("check", ["", ": check"])
@pytest.mark.parametrize("step", REFUSED, ids=lambda step: step.title)
def test_the_way_in_is_left_alone(played: Played, step: Step, check: str) -> None:
    answer = played[HOST, f"{step.title}{check}"]
    assert answer.result["reason"] == "own_account"
    assert "this run logged in with itadmin or became root from it" in answer.result["msg"]
    assert not answer.writes


def test_who_did_not_come_in_is_not_meant(played: Played) -> None:
    assert played[HOST, OTHERS.title].result["changed"]


def test_the_task_may_say_otherwise(played: Played) -> None:
    assert played["other", ALLOWED.title].result["changed"]
