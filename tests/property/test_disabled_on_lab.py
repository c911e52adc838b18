# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An account that macOS refuses, by its record or by a group, is no granter, no way in and nobody to try a password of:
on every macOS, and with either runner, which `memory_play` compares."""

from __future__ import annotations

from typing import Any

import memory_play
import pytest
from memory_play import MemoryMac

from harness.batch import Step, account, token
from harness.macs import PASSWORDS, VERSIONS, mac, person
from maclab import directory

BY = {"by its record": "its AuthenticationAuthority says ;DisabledUser;", "by the group": "com.apple.access_disabled"}
GRANT = token("grant", "ana", password=PASSWORDS["ana"], admin_user="itadmin", admin_password=PASSWORDS["itadmin"])
READ = Step("read", "trust_info")
ALL = [(version, way) for version in VERSIONS for way in BY]


def refused(way: str, name: str = "itadmin") -> dict[str, Any]:
    """A person who is there with all that makes a granter, and whom macOS refuses."""
    said = person(name)
    if way == "by the group":
        return said | {"disabled": True}
    return said | {"authority": [directory.DISABLED_USER + directory.SHADOW_HASH]}


def mac_of(version: str, *people: Any) -> MemoryMac:
    return MemoryMac(memory_play.name(version), mac(version, *people))


@pytest.mark.parametrize(("version", "way"), ALL)
def test_no_password_of_a_disabled_granter_is_tried(version: str, way: str) -> None:
    one = mac_of(version, refused(way), "deputy", "ana")
    assert directory.refused(one.mac, one.mac.accounts["itadmin"])
    answer = one.play(GRANT)
    assert answer.reason == "granter_disabled", answer
    assert BY[way] in " ".join(answer.result["evidence"])
    assert "granters on this Mac: deputy" in answer.result["msg"]
    assert "pwpolicy -u NAME -enableuser" in answer.result["remedy"]
    assert answer.touched_nothing
    assert answer.authentications == []
    other = one.play(GRANT.but("by another", admin_user="deputy", admin_password=PASSWORDS["deputy"]))
    assert other.ok, other


@pytest.mark.parametrize(("version", "way"), ALL)
def test_a_mac_whose_last_granter_is_disabled_is_not_recoverable(version: str, way: str) -> None:
    one = mac_of(version, refused(way), "ana")
    answer = one.play(READ)
    told = answer.result["mac"]
    assert (told["recoverable"], told["granters"]) == ("at_risk", [])
    assert "itadmin cannot log in" in told["recoverable_why"]
    assert [who["disabled"] for who in told["accounts"] if who["name"] == "itadmin"] == [True]
    # It costs no process more than the reading of a Mac has always cost.
    assert len(answer.entries) <= 8
    healthy = mac_of(version, "itadmin", "ana").play(READ)
    assert len(answer.entries) == len(healthy.entries)
    assert healthy.result["mac"]["recoverable"] == "yes"


@pytest.mark.parametrize(("version", "way"), ALL)
def test_the_last_granter_who_can_log_in_is_kept(version: str, way: str) -> None:
    one = mac_of(version, refused(way), "deputy", "ana")
    for step in (account("demote", "deputy", admin=False), account("delete", "deputy", state="absent")):
        answer = one.play(step)
        assert answer.reason == "last_admin_holder", answer
        assert answer.touched_nothing


@pytest.mark.parametrize(("version", "way"), ALL)
def test_nobody_who_is_disabled_becomes_the_first_holder(version: str, way: str) -> None:
    one = mac_of(version, refused(way, "helper"))
    answer = one.play(token("first", "helper", password=PASSWORDS["helper"], first_token=True))
    assert answer.reason == "user_disabled", answer
    assert BY[way] in " ".join(answer.result["evidence"])
    assert answer.authentications == []
    assert answer.touched_nothing
