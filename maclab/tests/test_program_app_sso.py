# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Try app-sso: it tells what a profile asks of Platform SSO, as the scenario describes it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fakes import mac, people, run

from maclab import scenario
from maclab.call import UNMODELLED
from maclab.scenario import ScenarioError
from maclab.state import Mac


def described(version: str, **sso: Any) -> Mac:
    accounts = [{"name": "admin", "password": "pw", "admin": True}]
    content = {"macs": {"m": {"macos": version, "accounts": accounts, "platform_sso": sso}}}
    return scenario.parse(content, "a test")["m"].mac


def test_without_a_profile_nothing_is_configured() -> None:
    told = run(people(mac("15.6")), "app-sso", "platform", "-s").out
    assert "Device Configuration:\n (null)\n\nLogin Configuration:\n (null)\n\nUser Configuration:\n (null)" in told


def test_what_the_profile_asks_is_told() -> None:
    made = described(
        "15.6", filevault=["RequireAuthentication", "AllowOfflineGracePeriod"], exempt=["admin"], offline_hours=24
    )
    told = run(made, "app-sso", "platform", "-s").out
    device = json.loads(told.split("Device Configuration:\n")[1].split("\n\nLogin")[0])
    assert device["fileVaultPolicy"] == "RequireAuthentication, AllowOfflineGracePeriod (6)"
    assert device["loginPolicy"] == "None (0)"
    assert (device["loginType"], device["registrationCompleted"]) == ("POLoginTypePassword (1)", True)
    assert (device["nonPlatformSSOAccounts"], device["offlineGracePeriod"]) == (["admin"], "24 hours")
    assert '\n  "extensionIdentifier" : "com.example.sso.extension",\n' in told


def test_before_macos_15_there_are_no_policies() -> None:
    assert "Policy" not in run(described("14.5"), "app-sso", "platform", "--state").out


def test_before_macos_13_there_is_no_platform_sso() -> None:
    assert run(people(mac("12.7")), "app-sso", "platform", "-s").status == 1
    assert run(people(mac("15.6")), "app-sso", "-l").status == UNMODELLED


@pytest.mark.parametrize(
    ("version", "sso", "problem"),
    [
        ("12.7", {}, "none before macOS 13"),
        ("14.5", {"login": ["AttemptAuthentication"]}, "none before macOS 15"),
        ("15.6", {"login": ["Attempt"]}, "AttemptAuthentication, "),
        ("15.6", {"filevault": ["AllowTouchIDOrWatchForUnlock"]}, "AttemptAuthentication, "),
        ("15.6", {"method": "magic"}, "secure_enclave_key"),
        ("15.6", {"colour": "red"}, "no such key"),
    ],
)
def test_a_wrong_description_is_refused(version: str, sso: dict[str, Any], problem: str) -> None:
    with pytest.raises(ScenarioError, match=problem):
        described(version, **sso)


def test_the_identity_of_an_account_is_in_its_record() -> None:
    made = people(mac("15.6"))
    made.accounts["user"].attributes["AltSecurityIdentities"] = ["PlatformSSO:uma@example.test"]
    assert "PlatformSSO:uma@example.test" in run(made, "dscl", ".", "-read", "/Users/user", "AltSecurityIdentities").out
