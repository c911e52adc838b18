# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Perl's programs on Macs of the lab, over SSH: with dscl's hash, at the terminal of profiles, and with the lock."""

from __future__ import annotations

import json
import shlex
import typing as t
from pathlib import Path

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils._command import profiles
from ansible_collections.keyholder.macos.plugins.module_utils._lock import NAME, FileLock
from ansible_collections.keyholder.macos.plugins.module_utils._module import _lock_folder
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command, Ran, Secret
from ansible_collections.keyholder.macos.plugins.plugin_utils._exec import Exec, Said
from ansible_collections.keyholder.macos.plugins.plugin_utils._perl import at_terminal, compare, compared
from ansible_collections.keyholder.macos.plugins.plugin_utils._shell_lock import ShellLock, Ticket, lock_answer
from maclab.lab import Handle, Lab

ADMIN = "admin-pw 'x' \u00fc"
SCENARIO: dict[str, t.Any] = {
    "sudo_password": False,
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
    },
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


def test_the_lock_is_held_between_commands_by_a_lease_in_the_folder_that_python_looks_in(mac: Handle) -> None:
    def send(asked: Exec) -> Said:
        said = mac.ssh(shlex.join(("sudo", "-n", "/bin/sh", "-c", asked.script)))
        return Said(said.rc, said.out.encode(), said.err.encode())

    programs = mac.ssh("command -v fdesetup").out.strip()
    folder = Path(_lock_folder(programs))
    own = ShellLock(send, Ticket("account", "itadmin", 0))
    with own.held() as told:
        assert told == ""
        assert json.loads((folder / NAME).read_text())["user"] == "itadmin"
        with pytest.raises(Refusal, match="run by itadmin through a shell"), FileLock(str(folder), "x", "y", 0).held():
            pass
        said = send(own.around(Exec("id -u; cat"), "mark"))
        assert said.out.endswith(b"\n0\n") and lock_answer(said.out, "mark") == "", said
    with FileLock(str(folder), "x", "y", 0).held():
        pass
