# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the preboot volume has for an unlock over SSH, and which link a Mac is on, from what its programs print."""

from __future__ import annotations

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils._command import start_up
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command, Ran
from ansible_collections.keyholder.macos.plugins.module_utils._start_up import ETHERNET, WIFI, Link

RSA, NEW = "AAAA" + "r" * 60, "AAAA" + "n" * 60
STAGED = "/System/Volumes/Preboot/0F0F/var/db/sshd"


def said(out: str = "", rc: int | None = 0) -> Ran:
    return Ran(Command(("x",)), rc, out)


def keys(*where: tuple[str, str, str]) -> str:
    return "".join(f"{folder}/ssh_host_{name}_key.pub:{key}\n" for folder, name, key in where)


OWN = keys(("/etc/ssh", "rsa", RSA), ("/etc/ssh", "ed25519", NEW))
BOTH = keys((STAGED, "rsa", RSA), (STAGED, "ed25519", NEW))


@pytest.mark.parametrize(
    ("ran", "expected"),
    [
        (said(OWN + BOTH), "same"),
        (said(OWN + BOTH.replace("\n", "\r\n")), "same"),
        (said(OWN + keys((STAGED, "rsa", RSA))), "other"),
        (said(OWN + keys((STAGED, "rsa", NEW), (STAGED, "ed25519", NEW))), "other"),
        # Another macOS of the same container has a folder of its own.
        (said(OWN + BOTH.replace("0F0F", "E1E1").replace(RSA, NEW) + BOTH), "same"),
        (said(OWN, rc=2), "missing"),
        (said(OWN), "missing"),
        (said(BOTH, rc=2), None),
        (said("", rc=2), None),
        (said(OWN + BOTH, rc=1), None),
        (said(OWN + BOTH, rc=None), None),
        (said("AAAA\n"), None),
    ],
)
def test_whether_the_staged_host_keys_are_the_macs(ran: Ran, expected: str | None) -> None:
    assert start_up.parse_host_keys(ran) == expected


@pytest.mark.parametrize(
    ("ran", "expected"),
    [
        (said('{\n  "Enabled" => true\n}\n'), True),
        (said('{\n  "Enabled" => 1\n}\n'), True),
        (said('{\n  "Enabled" => false\n}\n'), False),
        (said('{\n  "Enabled" => 0\n}\n{\n  "Enabled" => false\n}\n'), False),
        (said('{\n  "Enabled" => true\n}\n{\n  "Enabled" => false\n}\n'), None),
        (said('{\n  "Enabled" => "yes"\n}\n'), None),
        (said("{\n}\n"), None),
        (said('{\n  "Enabled" => true\n}\n', rc=1), None),
        (said("x: file does not exist or is not readable\n", rc=1), None),
    ],
)
def test_whether_a_login_at_the_unlock_screen_is_switched_on(ran: Ran, expected: bool | None) -> None:
    assert start_up.parse_switch(ran) is expected


@pytest.mark.parametrize(
    ("ran", "expected"),
    [
        (said("   route to: default\n  interface: en0\n"), "en0"),
        (said("  interface: utun4\n"), "utun4"),
        (said("  interface: ../x\n"), ""),
        (said("  interface: en0\n", rc=1), ""),
        (said(""), ""),
    ],
)
def test_which_interface_the_default_route_takes(ran: Ran, expected: str) -> None:
    assert start_up.parse_route(ran) == expected


def summary(kind: str, active: str = "TRUE", more: str = "") -> Ran:
    return said(f"<dictionary> {{\n  InterfaceType : {kind}\n  LinkStatusActive : {active}\n{more}}}\n")


WPA = "  SSID : <redacted>\n  Security : WPA2_PSK\n"
# What a network's name or a DHCP packet says stands elsewhere, or deeper.
TRAP = "      Security : NONE\nSecurity : NONE\n"
RUNS = said("413 /System/Library/eapolclient -i en0 -u 0 -g 0\n")
NOBODY = said("", rc=1)


@pytest.mark.parametrize(
    ("ran", "supplicants", "expected"),
    [
        (summary("Ethernet"), NOBODY, Link("en0", ETHERNET, "", False)),
        (summary("Ethernet"), RUNS, Link("en0", ETHERNET, "", True)),
        (summary("Ethernet"), said("9 eapolclient -i en01\n"), Link("en0", ETHERNET, "", False)),
        (summary("Ethernet"), said("", rc=3), Link("en0", ETHERNET, "", None)),
        (summary("Ethernet"), said("", rc=None), Link("en0", ETHERNET, "", None)),
        (summary("WiFi", more=TRAP + WPA), NOBODY, Link("en0", WIFI, "WPA2_PSK", False)),
        (summary("WiFi", more=TRAP), NOBODY, Link("en0", WIFI, "", False)),
        (summary("Ethernet", "FALSE"), NOBODY, Link("en0")),
        (summary("Cellular"), NOBODY, Link("en0", "", "", False)),
        (said("", rc=1), NOBODY, Link("en0")),
        (said("no such words"), RUNS, Link("en0")),
    ],
)
def test_what_the_link_is(ran: Ran, supplicants: Ran, expected: Link) -> None:
    assert start_up.parse_link("en0", ran, supplicants) == expected


def test_private_halves_of_host_keys_are_not_looked_at() -> None:
    words = [word for word in start_up.HOST_KEYS.argv if "/" in word and "ssh" in word]
    assert len(words) == 2
    assert all(word.endswith(".pub") for word in words)
