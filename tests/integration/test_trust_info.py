# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""trust_info reads a whole Mac with at most eight programs, and neither logs in nor writes, as root or not.

The biggest crowd, the oldest and the newest macOS and a managed Mac are behind SSH, the others in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import memory_play
import pytest
from memory_play import MemoryMac

from harness.ansible import Ansible
from harness.batch import Played, Step
from harness.macs import KINDS, VERSIONS, mac, name, person, secret
from maclab.lab import Handle, Lab

AS_ROOT = Step("as root", "trust_info")
AS_USER = Step("as a user", "trust_info", become=False)
CHECKED = Step("check mode", "trust_info", check=True, diff=True)
OLDEST, NEWEST = VERSIONS[0], VERSIONS[-1]
CROWDS = {f"{number}-on-{version}": (version, number) for version in (OLDEST, NEWEST) for number in (1, 20, 200)}
MANAGED = "managed"
BARE = "bare"
SSH = [f"200-on-{OLDEST}", f"200-on-{NEWEST}", name(OLDEST), name(NEWEST), MANAGED]
MOST = 8


def crowd(version: str, number: int) -> dict[str, Any]:
    password = secret("crowd")
    others = [person(f"user{index}", password=password, token=index % 2 == 0) for index in range(1, number)]
    return mac(version, "itadmin", *others)


def described() -> dict[str, dict[str, Any]]:
    macs = {host: crowd(*what) for host, what in CROWDS.items()}
    macs |= {name(version): mac(version) for version in VERSIONS}
    macs[MANAGED] = mac(
        "15.6",
        "stan",
        "helper",
        ssh_user="helper",
        filevault={"state": "on", "prk": True},
        mdm={"enrolled": "ade", "bootstrap": {"supported": True, "escrowed": True}},
        policy={"max_failed": 5},
        crypto_users=[{"uuid": "0C0FFEE0-0000-4000-8000-00000000D0D0"}],
    )
    macs[BARE] = mac("15.6", "helper", "ana")
    return macs


@pytest.fixture(scope="module")
def lab(bring_up: Callable[[Mapping[str, Any]], Lab]) -> Lab:
    return bring_up({host: one for host, one in described().items() if host in SSH})


@pytest.fixture(scope="module")
def macs(lab: Lab) -> dict[str, Handle | MemoryMac]:
    return memory_play.macs(lab, described())


@pytest.fixture(scope="module")
def played(ansible: Ansible, lab: Lab, macs: dict[str, Handle | MemoryMac]) -> Played:
    steps = {host: [AS_ROOT, AS_USER, *([] if host in CROWDS else [CHECKED])] for host in macs}
    return memory_play.play_all(ansible, lab, macs, steps)


ALL = [*CROWDS, *(name(version) for version in VERSIONS), MANAGED, BARE]
on_each_mac = pytest.mark.parametrize("host", ALL)


@pytest.mark.parametrize(
    ("host", "step"),
    [
        (host, step.title)
        for host in ALL
        for step in (AS_ROOT, AS_USER, CHECKED)
        if step != CHECKED or host not in CROWDS
    ],
)
def test_eight_programs_no_login_no_write(played: Played, host: str, step: str) -> None:
    answer = played[host, step]
    assert answer.ok, answer
    assert not answer.changed
    # Where the verdict rests on the Bootstrap Token, macOS is asked whether it would use it.
    asked = int(host == MANAGED)
    assert 0 < len(answer.programs) <= MOST + asked, answer
    assert [run.program for run in answer.programs].count("mdmclient") == asked
    assert answer.touched_nothing


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_a_crowd_costs_no_more_programs_than_one(played: Played, version: str) -> None:
    numbers = {len(played[f"{number}-on-{version}", "as root"].programs) for number in (1, 20, 200)}
    assert len(numbers) == 1


@pytest.mark.parametrize(("host", "number"), [(host, number) for host, (_version, number) in CROWDS.items()])
def test_nobody_is_left_out(played: Played, host: str, number: int) -> None:
    reading = played[host, "as root"].result["mac"]
    assert len(reading["accounts"]) == number
    assert reading["holders"] == ["itadmin", *(f"user{index}" for index in range(2, number, 2))]


@pytest.mark.parametrize("version", VERSIONS)
def test_verdicts(played: Played, version: str) -> None:
    reading = played[name(version), "as root"].result["mac"]
    assert reading["os"]["version"] == version
    apple_silicon = KINDS[version][0] == "apple-silicon"
    assert reading["hardware"]["apple_silicon"] is apple_silicon
    assert {one["name"]: one["secure_token"] for one in reading["accounts"]} == {
        "itadmin": "holder",
        "deputy": "holder",
        "helper": "none",
        "stan": "holder",
        "ana": "none",
        "rui": "phantom",
        "ghost": "phantom",
    }
    assert reading["admin_holders"] == reading["granters"] == ["itadmin", "deputy"]
    assert reading["phantoms"] == ["rui", "ghost"]
    assert (reading["recoverable"], reading["missing"]) == ("yes", [])
    owners = {one["name"] for one in reading["accounts"] if one["volume_owner"]}
    assert owners == ({"itadmin", "deputy", "stan"} if apple_silicon else set())


def test_a_managed_mac(played: Played) -> None:
    reading = played[MANAGED, "as root"].result["mac"]
    assert (reading["filevault"]["state"], reading["filevault"]["personal_recovery_key"]) == ("on", True)
    assert (reading["management"]["automated"], reading["management"]["bootstrap_token"]) == (True, "valid")
    assert reading["management"]["bootstrap_crypto_user"] is True
    assert reading["policy"]["max_failed_logins"] == 5
    assert reading["orphaned_crypto_users"] == ["0C0FFEE0-0000-4000-8000-00000000D0D0"]
    assert (reading["recoverable"], reading["waiting_admins"]) == ("pending", ["helper"])
    assert "stan" in reading["recoverable_why"]


def test_a_mac_without_any_holder(played: Played) -> None:
    reading = played[BARE, "as root"].result["mac"]
    assert reading["holders"] == []
    assert reading["recoverable"] == "at_risk"


@pytest.mark.parametrize("version", VERSIONS)
def test_without_root_it_says_what_is_missing(played: Played, version: str) -> None:
    reading = played[name(version), "as a user"].result["mac"]
    assert "failed logins and password dates" in [missing["what"] for missing in reading["missing"]]
    assert all(missing["evidence"] for missing in reading["missing"])
    verdicts = {one["name"]: one["secure_token"] for one in reading["accounts"]}
    # Two sources at most: they can convict, but not acquit.
    assert verdicts["stan"] in ("unproven", "unknown")
    assert verdicts["stan"] != "holder"
    assert all(one["password_changed"] is None for one in reading["accounts"])


@on_each_mac
def test_summary_has_a_line_for_each_account(played: Played, host: str) -> None:
    answer = played[host, "as root"]
    lines = answer.result["summary"]
    assert [line.split()[0] for line in lines[2 : 2 + len(answer.result["mac"]["accounts"])]] == [
        one["name"] for one in answer.result["mac"]["accounts"]
    ]


@pytest.mark.parametrize(("version", "python"), [(version, KINDS[version][1]) for version in (OLDEST, NEWEST)])
def test_the_macs_have_the_pythons_of_macs(lab: Lab, version: str, python: str) -> None:
    """The oldest and the newest that modules meet: Apple's command line tools bring 3.9."""
    missing = [note for note in lab.notes if "Python" in note]
    if missing:
        pytest.skip("; ".join(missing))
    assert lab.mac(name(version)).ssh("python3 -V").out.startswith(f"Python {python}.")
