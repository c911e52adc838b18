# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A mobile account is made local over SSH, with a Python on the Mac and without. The rules are tried in
tests/property/test_leaving_directory_on_lab.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from harness.ansible import Ansible
from harness.batch import Played, Step, play
from harness.macs import mac, secret
from maclab import directory
from maclab.lab import Lab

ADA = secret("ada")
MAKE = Step("make", "local_account", {"name": "ada", "password": ADA})
STEPS = [MAKE.but("foreseen", check=True), MAKE.but("wrong", password=secret("bad")), MAKE, MAKE.but("again")]
NODE = "/Active Directory/CORP/corp.example.com"
DESCRIBED: dict[str, Any] = {
    "filevault": {"state": "on", "prk": True},
    "directory": {"node": NODE, "users": [{"name": "ada", "full_name": "Ada Lovelace", "password": ADA}]},
}
PERSON = {"name": "ada", "full_name": "Ada Lovelace", "kind": "mobile", "password": ADA, "token": True, "uid": 1386473}


@pytest.fixture(scope="module")
def lab(bring_up: Callable[[Mapping[str, Any]], Lab]) -> Lab:
    return bring_up(
        {
            "with-python": mac("13.6.9", "itadmin", PERSON, **DESCRIBED),
            "without-python": mac("27.0.1", "itadmin", PERSON, **DESCRIBED) | {"python": "none"},
        }
    )


@pytest.fixture(scope="module")
def played(ansible: Ansible, lab: Lab) -> Played:
    return play(ansible, lab, dict.fromkeys(lab.names, STEPS))


@pytest.mark.parametrize("name", ["with-python", "without-python"])
def test_a_mobile_account_becomes_local_and_its_token_stays(played: Played, lab: Lab, name: str) -> None:
    foreseen, wrong, made, again = (played[name, step.title] for step in STEPS)
    assert foreseen.touched_nothing, foreseen
    assert wrong.reason == "user_password_wrong" and wrong.touched_nothing, wrong
    assert made.ok and made.changed, made
    assert (foreseen.result["plan"], foreseen.after) == (made.result["plan"], made.after)
    assert (made.after["kind"], made.after["secure_token"], made.after["of_the_directory"]) == ("local", "holder", 0)
    assert made.authentications == []
    assert not any(ADA in word for run in made.programs for word in run.argv)
    assert ADA not in str(made.result)
    assert again.ok and not again.changed and again.touched_nothing
    state = lab.mac(name).state()
    ada = state.accounts["ada"]
    assert (ada.kind, ada.uid, ada.password) == ("local", 1386473, ADA)
    assert directory.is_holder(state, ada)
