# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Perl's programs on Macs of the lab, over SSH: against the hash that its dscl prints, and its profiles' terminal."""

from __future__ import annotations

import shlex
import typing as t

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils._command import profiles
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command, Ran, Secret
from ansible_collections.keyholder.macos.plugins.plugin_utils._perl import at_terminal, compare, compared
from maclab.lab import Handle, Lab

ADMIN = "admin-pw 'x' \u00fc"
SCENARIO: dict[str, t.Any] = {
    "macs": {
        "lisbon": {
            "macos": "15.6",
            "python": "none",
            "accounts": [
                {"name": "itadmin", "admin": True, "password": ADMIN, "token": True},
                {"name": "ana", "password": "ana-pw"},
            ],
            "mdm": {"enrolled": "user", "bootstrap": {"supported": True, "escrowed": False}},
        }
    }
}


@pytest.fixture(scope="module")
def mac(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Handle]:
    with Lab(SCENARIO, tmp_path_factory.mktemp("lab")) as lab:
        yield lab.mac("lisbon")


def run(mac: Handle, command: Command, sudo: str = "sudo -n ") -> Ran:
    said = mac.ssh(sudo + shlex.join(command.argv), input=command.input())
    return Ran(command, said.rc, said.out, said.err)


@pytest.mark.parametrize(
    ("user", "password", "matches"),
    [
        ("ana", "ana-pw", True),
        ("ana", "ana-px", False),
        ("itadmin", ADMIN, True),
        ("itadmin", "", False),
        ("eva", "x", None),
    ],
)
def test_a_password_is_compared_and_nothing_is_authenticated(
    mac: Handle, user: str, password: str, matches: bool | None
) -> None:
    before = mac.state()
    said = run(mac, compare(user, Secret(password)))
    assert compared(said) is matches, said
    assert mac.state() == before


def test_who_is_not_root_learns_nothing(mac: Handle) -> None:
    assert compared(run(mac, compare("ana", Secret("ana-pw")), sudo="")) is None


def test_a_bootstrap_token_is_made_at_a_terminal(mac: Handle) -> None:
    wrong = run(mac, at_terminal(profiles.bootstrap("install", "itadmin", Secret("wrong"))))
    assert profiles.bootstrap_reason(wrong) == "bootstrap_refused", wrong
    right = run(mac, at_terminal(profiles.bootstrap("install", "itadmin", Secret(ADMIN))))
    assert right.rc == 0 and ADMIN not in right.text, right
    status = run(mac, profiles.BOOTSTRAP_STATUS)
    assert profiles.parse_bootstrap(status) == profiles.BootstrapStatus(True, True)
