# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Try what decides whether a Mac is reached at its unlock screen: what is on the preboot volume, and its link."""

from __future__ import annotations

from typing import Any

import pytest
from fakes import mac, people, run

from maclab import scenario
from maclab.call import UNMODELLED
from maclab.scenario import ScenarioError
from maclab.state import Mac

PLIST = "/System/Volumes/Preboot/*/var/db/sshd/sshd-fvunlock.plist"
STAGED = "/System/Volumes/Preboot/*/var/db/sshd/ssh_host_*_key.pub"
OWN = "/etc/ssh/ssh_host_*_key.pub"


def described(version: str = "26.5", **keys: Any) -> Mac:
    accounts = [{"name": "admin", "password": "pw", "admin": True}]
    return scenario.parse({"macs": {"m": {"macos": version, "accounts": accounts, **keys}}}, "a test")["m"].mac


def keys(made: Mac, path: str) -> list[str]:
    return run(made, "grep", "-aohE", "AAAA[A-Za-z0-9+/=]{40,}", path).out.splitlines()


@pytest.mark.parametrize(("staged", "same", "count"), [("same", True, 3), ("other", False, 3), ("missing", False, 0)])
def test_host_keys_are_staged_for_the_unlock_screen(staged: str, same: bool, count: int) -> None:
    made = described(preboot_ssh={"host_keys": staged})
    assert (keys(made, STAGED) == keys(made, OWN), len(keys(made, STAGED))) == (same, count)
    assert len(keys(made, OWN)) == 3


def test_the_switch_is_a_property_list() -> None:
    said = run(described(), "plutil", "-p", PLIST)
    assert (said.status, said.out) == (0, '{\n  "Enabled" => true\n}\n')
    assert "=> false" in run(described(preboot_ssh={"enabled": False}), "plutil", "-p", PLIST).out
    assert run(described(preboot_ssh={"enabled": None}), "plutil", "-p", PLIST).status == 1


def test_before_macos_26_neither_is_there() -> None:
    made = described("15.6")
    assert keys(made, STAGED) == []
    assert run(made, "plutil", "-p", PLIST).status == 1


@pytest.mark.parametrize(
    ("network", "kind", "speaks"),
    [
        ({}, "InterfaceType : Ethernet", 1),
        ({"ieee8021x": True}, "InterfaceType : Ethernet", 0),
        ({"kind": "wifi"}, "Security : WPA2_PSK", 1),
        ({"kind": "wifi", "security": "WPA2_ENTERPRISE"}, "Security : WPA2_ENTERPRISE", 0),
    ],
)
def test_a_link_tells_what_it_is(network: dict[str, Any], kind: str, speaks: int) -> None:
    made = described(network=network)
    assert "  interface: en0\n" in run(made, "route", "-n", "get", "default").out
    assert f"  {kind}\n" in run(made, "ipconfig", "getsummary", "en0").out
    assert run(made, "pgrep", "-fl", "eapolclient").status == speaks


def test_a_mac_without_a_network_has_no_route() -> None:
    assert run(described(network={"kind": "none"}), "route", "-n", "get", "default").status == 1
    assert "utun4" in run(described(network={"kind": "vpn"}), "route", "-n", "get", "default").out
    assert run(described(network={"kind": "vpn"}), "ipconfig", "getsummary", "utun4").status == 1


def test_other_forms_are_refused() -> None:
    made = people(mac())
    assert run(made, "route", "add", "default", "1.2.3.4").status == UNMODELLED
    assert run(made, "ipconfig", "getifaddr", "en0").status == UNMODELLED


@pytest.mark.parametrize("wrong", [{"network": {"kind": "string"}}, {"preboot_ssh": {"host_keys": "some"}}])
def test_a_wrong_description_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ScenarioError, match="allowed"):
        described(**wrong)
