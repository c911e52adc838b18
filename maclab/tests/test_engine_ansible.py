# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible as people use it: become with and without a password, pipelining, transfers, a power cut."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import SCENARIO, SECRET

from maclab import journal
from maclab.lab import Handle, Lab

PLAYBOOK = shutil.which(
    "ansible-playbook", path=os.pathsep.join([str(Path(sys.executable).parent), *os.get_exec_path()])
)
pytestmark = pytest.mark.skipif(PLAYBOOK is None, reason="needs ansible-core")


def play(lab: Lab, folder: Path, tasks: list[dict[str, Any]], extra: dict[str, Any], **settings: str) -> dict[str, Any]:
    """Run the tasks on lisbon; the status and everything that was said."""
    book = folder / "play.yml"
    book.write_text(json.dumps([{"hosts": "lisbon", "gather_facts": False, "tasks": tasks}]))
    argv = [str(PLAYBOOK), "-i", str(lab.inventory), str(book), "-e", json.dumps(extra)]
    env = {
        **os.environ,
        "ANSIBLE_STDOUT_CALLBACK": "default",
        "ANSIBLE_HOME": str(folder / "ansible"),
        "ANSIBLE_LOCALHOST_WARNING": "False",
        **settings,
    }
    done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=120, check=False)
    return {"rc": done.returncode, "out": done.stdout + done.stderr}


WHO: list[dict[str, Any]] = [
    {"command": "probe who", "register": "plain"},
    {"command": "probe who", "register": "root", "become": True},
    {"command": "probe who", "register": "other", "become": True, "become_user": "ana"},
    {"debug": {"msg": "<{{ plain.stdout }}><{{ root.stdout }}><{{ other.stdout }}>"}},
]


@pytest.mark.parametrize("pipelining", ["True", "False"])
@pytest.mark.parametrize("user", ["itadmin", "asked"])
def test_become(mac: Handle, lab: Lab, tmp_path: Path, pipelining: str, user: str) -> None:
    extra: dict[str, Any] = {"ansible_user": user, "ansible_remote_tmp": f"{mac.file_tree}/Users/{user}/.ansible/tmp"}
    if user == "asked":
        extra["ansible_become_password"] = SECRET
    done = play(lab, tmp_path, WHO, extra, ANSIBLE_PIPELINING=pipelining)
    assert done["rc"] == 0, done["out"]
    # Without pipelining Ansible asks for a terminal, with it not.
    tty = pipelining == "False"
    kept = f"tty={tty} stdin_tty="
    for who in (f"<{user} root=False {kept}", f"<root root=True {kept}", f"<ana root=False {kept}"):
        assert who in done["out"], done["out"]
    assert set(journal.authentications(mac.journal())) == (set() if user == "itadmin" else {("asked", True)})
    assert SECRET not in mac.folder.journal.read_text()


def test_a_wrong_become_password_is_told(mac: Handle, lab: Lab, tmp_path: Path) -> None:
    extra = {
        "ansible_user": "asked",
        "ansible_become_password": "wrong",
        "ansible_remote_tmp": f"{mac.file_tree}/Users/asked/.ansible/tmp",
    }
    done = play(lab, tmp_path, [{"command": "true", "become": True}], extra)
    assert done["rc"] == 2 and "ncorrect sudo password" in done["out"]
    assert ("asked", False) in journal.authentications(mac.journal())


@pytest.mark.parametrize("method", ["sftp", "scp", "piped"])
def test_files_both_ways(mac: Handle, lab: Lab, tmp_path: Path, method: str) -> None:
    (tmp_path / "up").write_bytes(bytes(range(256)) * 100)
    there = f"{mac.file_tree}/Users/itadmin/there"
    tasks: list[dict[str, Any]] = [
        {"copy": {"src": str(tmp_path / "up"), "dest": there, "mode": "0640"}},
        {"fetch": {"src": there, "dest": f"{tmp_path}/down", "flat": True}},
    ]
    done = play(lab, tmp_path, tasks, {"ansible_ssh_transfer_method": method})
    assert done["rc"] == 0, done["out"]
    assert (tmp_path / "down").read_bytes() == (tmp_path / "up").read_bytes()


@pytest.mark.skipif(sys.platform != "linux", reason="namespaces are Linux's")
@pytest.mark.parametrize("pipelining", ["True", "False"])
def test_a_lab_with_full_paths_is_one_for_ansible_too(tmp_path: Path, pipelining: str) -> None:
    script = tmp_path / "script.zsh"
    script.write_text("#!/bin/zsh\n/usr/bin/dscl . -read /Users/ana RealName | /usr/bin/tail -n 1\n")
    tasks: list[dict[str, Any]] = [
        *WHO,
        {"script": str(script), "register": "told"},
        {"copy": {"content": "hello", "dest": "/Library/Preferences/note", "mode": "0640"}, "become": True},
        {"slurp": {"src": "/Library/Preferences/note"}, "register": "note"},
        {"debug": {"msg": "<{{ told.stdout | trim }}><{{ note.content | b64decode }}><{{ ansible_host }}>"}},
    ]
    with Lab(SCENARIO, tmp_path / "lab", full_paths=True) as lab:
        done = play(lab, tmp_path, tasks, {}, ANSIBLE_PIPELINING=pipelining)
        assert done["rc"] == 0, done["out"]
        assert "<Ana Sousa><hello>" in done["out"]
        for who in ("<itadmin root=False", "<root root=True", "<ana root=False"):
            assert who in done["out"], done["out"]
        assert (lab.mac("lisbon").file_tree / "Library/Preferences/note").read_text() == "hello"


def test_a_mac_without_python_answers_raw(lab: Lab, tmp_path: Path) -> None:
    argv = [
        str(Path(str(PLAYBOOK)).with_name("ansible")),
        "-i",
        str(lab.inventory),
        "bare",
        "-m",
        "raw",
        "-a",
        "whoami",
    ]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0 and "itadmin" in done.stdout


def test_a_power_cut_makes_the_mac_unreachable_and_the_next_task_finds_it_again(
    mac: Handle, lab: Lab, tmp_path: Path
) -> None:
    mac.set_fault("kill", step=1)
    tasks: list[dict[str, Any]] = [
        {"command": "probe commit 2", "ignore_unreachable": True, "register": "cut"},
        {"command": "probe commit 1", "register": "after"},
        {"debug": {"msg": "unreachable={{ cut.unreachable | default(false) }} clock={{ after.stdout }}"}},
    ]
    done = play(lab, tmp_path, tasks, {})
    assert done["rc"] == 0 and "unreachable=True clock=2" in done["out"], done["out"]


def test_the_inventory_reaches_every_mac(lab: Lab) -> None:
    hosts = yaml.safe_load(lab.inventory.read_text())["macs"]["hosts"]
    assert {name: host["ansible_port"] for name, host in hosts.items()} == {
        name: lab.mac(name).port for name in ("lisbon", "graz", "bare")
    }


ASKING = {
    "asks": {"macos": "15.6", "accounts": [{"name": "itadmin", "admin": True, "password": 'a {{ b }} " c'}]},
    "spares": {
        "macos": "15.6",
        "sudo_password": False,
        "accounts": [{"name": "itadmin", "admin": True, "password": "not-needed"}],
    },
}


def as_root(inventory: Path) -> str:
    """What Ansible says of a command as root on every Mac of the inventory."""
    program = Path(str(PLAYBOOK)).with_name("ansible")
    argv = [str(program), "-i", str(inventory), "macs", "--become", "-m", "raw", "-a", "whoami"]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False).stdout


def test_the_inventory_gives_the_password_that_sudo_asks_for(tmp_path: Path) -> None:
    """As the group's, so that an admin's own group_vars come first; and a password is no template."""
    with Lab({"macs": ASKING}, tmp_path / "lab") as lab:
        said = as_root(lab.inventory)
        assert ("asks | CHANGED" in said, "spares | CHANGED" in said, said.count("root")) == (True, True, 2), said
        assert "not-needed" not in lab.inventory.read_text()
        own = tmp_path / "own" / "inventory.yml"
        (own.parent / "group_vars").mkdir(parents=True)
        own.write_text(lab.inventory.read_text())
        (own.parent / "group_vars" / "macs.yml").write_text("ansible_become_password: of-the-admin\n")
        said = as_root(own)
        assert ("asks | FAILED" in said, "Incorrect sudo password" in said) == (True, True), said
        assert "spares | CHANGED" in said, said
