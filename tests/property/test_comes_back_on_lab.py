# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Mac of the lab says whether it would come back, and filevault_reboot asks it first: with either runner, which
`memory_play` compares."""

from __future__ import annotations

from typing import Any

import memory_play
import pytest
from memory_play import MemoryMac

from harness.batch import Step
from harness.macs import PASSWORDS, mac

ASK = Step("read", "trust_info", {"include": ["restart"]})
RESTART = Step("restart", "filevault_reboot", {"user": "itadmin", "password": PASSWORDS["itadmin"], "ssh_unlock": True})
ON = {"state": "on", "prk": True}
NO_AUTHRESTART = [{"fault": "authrestart_unsupported"}]

# What is wrong with a Mac of macOS 26.5 -> what it says then, and of which fact.
WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "nothing": ({}, "yes", ""),
    "keys not staged": ({"preboot_ssh": {"host_keys": "missing"}}, "no", "host_keys"),
    "keys of another macOS": ({"preboot_ssh": {"host_keys": "other"}}, "no", "host_keys"),
    "switch off": ({"preboot_ssh": {"enabled": False}}, "no", "preboot_ssh"),
    "no switch": ({"preboot_ssh": {"enabled": None}}, "unknown", "preboot_ssh"),
    "nobody in preboot": ({"preboot": []}, "no", "unlocker"),
    "another in preboot": ({"preboot": ["ana"]}, "no", "unlocker"),
    "open Wi-Fi": ({"network": {"kind": "wifi", "security": "NONE"}}, "yes", ""),
    "WPA2 Enterprise": ({"network": {"kind": "wifi", "security": "WPA2_ENTERPRISE"}}, "no", "network"),
    "WPA3": ({"network": {"kind": "wifi", "security": "WPA3_SAE"}}, "unknown", "network"),
    "802.1X": ({"network": {"ieee8021x": True}}, "no", "network"),
    "a tunnel": ({"network": {"kind": "vpn"}}, "unknown", "network"),
    "no network": ({"network": {"kind": "none"}}, "unknown", "network"),
    "a policy": ({"platform_sso": {"filevault": ["RequireAuthentication"]}}, "unknown", "platform_sso"),
    "an exemption": (
        {"platform_sso": {"filevault": ["RequireAuthentication"], "exempt": ["itadmin"]}},
        "yes",
        "",
    ),
    "no policy": ({"platform_sso": {"login": ["RequireAuthentication"]}}, "yes", ""),
}


def mac_of(version: str = "26.5", **changes: Any) -> MemoryMac:
    described = {"filevault": ON, "faults": NO_AUTHRESTART, **changes}
    return MemoryMac(memory_play.name(version), mac(version, "itadmin", "ana", **described))


@pytest.mark.parametrize("wrong", WRONG)
def test_a_mac_says_whether_it_would_come_back_and_a_restart_asks_it_first(wrong: str) -> None:
    changes, verdict, of = WRONG[wrong]
    one = mac_of(**changes)
    answer = one.play(ASK)
    told = answer.result["mac"]["restart"]
    against = [fact["fact"] for fact in told["after_power_cut_because"] if fact["says"] != "yes"]
    if wrong != "another in preboot":
        assert (told["after_power_cut"], told["comes_back"]) == (verdict, verdict), told
        assert [fact for fact in against if fact != "filevault"] == ([of] if of else [])
    assert answer.touched_nothing
    assert answer.authentications == []
    asked = one.play(RESTART.but("foreseen", check=True))
    if verdict == "yes":
        assert asked.ok, asked
        return
    assert asked.reason == "would_not_come_back", asked
    assert any(line.startswith(f"{of}: {verdict}, ") for line in asked.result["evidence"])
    all_the_same = one.play(RESTART.but("all the same", check=True, require_comes_back=False))
    assert all_the_same.ok, all_the_same
    assert "come back by itself" in all_the_same.result["notes"][0]


@pytest.mark.parametrize(
    ("version", "changes", "comes_back", "by", "after_power_cut"),
    [
        ("15.6", {"faults": []}, "yes", "authrestart", "no"),
        ("15.6", {}, "no", "", "no"),
        ("15.6", {"filevault": {"state": "off"}}, "yes", "no_unlock_screen", "yes"),
        ("10.13.6", {"filevault": {"state": "off"}}, "yes", "no_unlock_screen", "yes"),
        ("26.5", {"faults": []}, "yes", "authrestart", "yes"),
        ("26.5", {}, "yes", "ssh_unlock", "yes"),
    ],
)
def test_the_way_back(version: str, changes: dict[str, Any], comes_back: str, by: str, after_power_cut: str) -> None:
    told = mac_of(version, **changes).play(ASK).result["mac"]["restart"]
    assert (told["comes_back"], told["by"], told["after_power_cut"]) == (comes_back, by, after_power_cut)


@pytest.mark.parametrize("version", ["10.13.6", "12.7", "13.6", "15.6", "26.5", "27.0.1"])
def test_platform_sso_is_read_on_each_macos_and_costs_one_process(version: str) -> None:
    one = mac_of(version)
    usual = one.play(Step("usual", "trust_info"))
    answer = one.play(Step("read", "trust_info", {"include": ["platform_sso"]}))
    told = answer.result["mac"]["platform_sso"]
    assert (told["configured"], told["required_at"], told["exempt"]) == (False, [], [])
    assert len(answer.entries) == len(usual.entries) + 1
    assert answer.result["mac"]["missing"] == usual.result["mac"]["missing"]


def test_what_a_profile_asks_is_told_of_each_account() -> None:
    sso = {"filevault": ["RequireAuthentication", "AllowOfflineGracePeriod"], "exempt": ["itadmin"], "offline_hours": 8}
    told = (
        mac_of("15.6", platform_sso=sso).play(Step("read", "trust_info", {"include": ["platform_sso"]})).result["mac"]
    )
    assert told["platform_sso"]["filevault_policy"] == ["RequireAuthentication", "AllowOfflineGracePeriod"]
    assert (told["platform_sso"]["required_at"], told["platform_sso"]["offline_hours"]) == (["filevault"], 8)
    assert {who["name"]: who["platform_sso_exempt"] for who in told["accounts"]} == {"itadmin": True, "ana": False}
