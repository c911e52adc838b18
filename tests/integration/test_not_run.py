# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module that Ansible cannot run on a Mac, over SSH: a reason, a way out, and no password that is lost by it.

The variable keyholder_runner says python, because a Mac without it is no obstacle otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils._reason import REASONS
from harness.ansible import Ansible
from harness.batch import Answer, Played, Step, account, play
from harness.macs import PASSWORDS, mac, person
from harness.wait import processes, until
from maclab.lab import Lab

BARE, ASKS, GONE, CUT = "bare", "asks", "gone-midway", "cut-midway"
BY_PYTHON = {"keyholder_runner": "python", "ansible_become_password": ""}
"""And no password for sudo, which one of the Macs asks for."""
KEEP = 'cat > "$1"'
READ = ["sh", "-c", 'test ! -e "$1" || cat "$1"', "-"]


def manage(kept: Path, host: str, script: str = KEEP, *arguments: str, **options: Any) -> Step:
    """``script`` gets what is to be stored on stdin, and the file for it as its first argument."""
    file = str(kept / host)
    store = {"kind": "command", "read": [*READ, file], "write": ["sh", "-c", script, "-", file, *arguments]}
    given = {"name": "deputy", "store": store, "current_password": PASSWORDS["deputy"], **options}
    return Step("manage", "managed_password", given)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(scope="module")
def lab(bring_up: Callable[[Mapping[str, Any]], Lab]) -> Lab:
    people = ("itadmin", "deputy")
    asked = person("helper", sudo_password=True)
    return bring_up(
        {
            BARE: mac("15.6", *people, "helper", ssh_user="helper"),
            ASKS: mac("15.6", *people, asked, ssh_user="helper"),
            GONE: mac("15.6", *people, "helper", ssh_user="helper"),
            CUT: mac(
                "11.7.10",
                *people,
                "helper",
                ssh_user="helper",
                faults=[{"fault": "ssh_cut", "step": 1, "program": "sysadminctl"}],
            ),
        }
    )


@pytest.fixture(scope="module")
def played(ansible: Ansible, lab: Lab, kept: Path) -> Played:
    look = Step("look", "trust_info", {"reader": "module"})
    hide = account("hide", "deputy", hidden=True)
    rotate = Step("rotate", "filevault_recovery_key", {"user": "itadmin", "password": PASSWORDS["itadmin"]})
    restart = Step("restart", "filevault_reboot", {"user": "itadmin", "password": PASSWORDS["itadmin"]})
    (lab.mac(BARE).folder.bin / "python3").unlink()
    python = lab.mac(GONE).folder.bin / "python3"
    take_away = f'{KEEP}; mv "$2" "$2.away"'
    steps = {host: [manage(kept, host), look, hide, rotate, restart] for host in (BARE, ASKS)}
    steps |= {GONE: [manage(kept, GONE, take_away, str(python))], CUT: [manage(kept, CUT)]}
    first = play(ansible, lab, steps, variables=BY_PYTHON)
    python.with_name("python3.away").rename(python)
    return first


def stored(kept: Path, host: str) -> dict[str, str]:
    return dict(json.loads((kept / host).read_text()))


def told(answer: Answer) -> str:
    """What it says, which is in this collection's own words."""
    result = answer.result
    assert result["reason"] == "module_not_run", answer
    assert result["remedy"] == REASONS["module_not_run"].remedy
    assert result["msg"].endswith(f"{result['remedy']} [module_not_run]")
    assert result["evidence"]
    assert not any(password in str(result) for password in PASSWORDS.values())
    return str(result["msg"])


@pytest.mark.every_core
@pytest.mark.parametrize("step", ["manage", "look", "hide", "rotate", "restart"])
def test_a_mac_without_python(step: str, played: Played) -> None:
    answer = played[BARE, step]
    assert "python" in told(answer)
    # The controller has foreseen the change without Python, so the new password was in the store before the module ran.
    assert (answer.line.status, answer.changed) == ("failed", step == "manage")
    assert step != "manage" or "the store holds a password that is pending" in answer.result["msg"]


@pytest.mark.every_core
def test_a_mac_that_refuses_become(played: Played, kept: Path) -> None:
    answer = played[ASKS, "manage"]
    assert "the store was left as it is" in told(answer)
    assert "password" in answer.result["evidence"][0]
    assert not answer.changed
    assert not (kept / ASKS).exists()


@pytest.mark.parametrize("host", [GONE, CUT])
def test_a_password_that_was_stored_before_is_told_and_not_lost(
    host: str, played: Played, lab: Lab, kept: Path, ansible: Ansible
) -> None:
    answer = played[host, "manage"]
    assert "the store holds a password that is pending, and the Mac may have it: the next run goes on" in told(answer)
    assert answer.changed
    assert answer.line.status == ("unreachable" if host == CUT else "failed")
    until(lambda: not processes(lab.mac(host)), "nothing runs on the Mac any more")
    pending = stored(kept, host)["pending"]
    assert pending
    deputy = lab.mac(host).state().accounts["deputy"]
    assert deputy.password == (pending if host == CUT else PASSWORDS["deputy"])
    again = play(ansible, lab, {host: [manage(kept, host)]}, variables=BY_PYTHON)[host, "manage"]
    assert again.result["healed"], again
    assert lab.mac(host).state().accounts["deputy"].password == pending == stored(kept, host)["current"]
