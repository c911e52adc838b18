# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible on Macs without a Python, and with Apple's stub: by an inventory that is not the lab's."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from test_engine_ansible import PLAYBOOK

from maclab import inventory, journal, layout
from maclab.lab import Lab

pytestmark = pytest.mark.skipif(PLAYBOOK is None, reason="needs ansible-core")

BANNER = "Property of example.test"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    admin = {"name": "itadmin", "admin": True, "password": "p"}
    deputy = {"name": "deputy", "admin": True, "password": "deputy-1"}
    macs = {
        "bare": {"macos": "14.7", "python": "none", "accounts": [admin]},
        "stubbed": {"macos": "14.7", "python": "stub", "accounts": [admin], "logged_in": ["itadmin"]},
        "usual": {"macos": "14.7", "accounts": [admin, deputy]},
        "greeting": {"macos": "14.7", "accounts": [{**admin, "shell_banner": BANNER}]},
        "hardened": {"macos": "14.7", "requiretty": True, "accounts": [admin]},
    }
    with Lab({"sudo_password": False, "macs": macs}, tmp_path_factory.mktemp("lab")) as lab:
        for name in macs:
            lab.mac(name).reset()
        yield lab


@dataclass(frozen=True)
class Run:
    """Return what `ansible MAC -m MODULE` came to."""

    rc: int
    out: str


Runner = Callable[..., Run]


@pytest.fixture
def run(lab: Lab, tmp_path: Path) -> Runner:
    def once(macs: str, *words: str, pipelining: bool = True, **variables: str) -> Run:
        mine = tmp_path / "mine.json"
        mine.write_text(json.dumps({"all": {"hosts": {name: _way_to(lab, name) for name in macs.split(",")}}}))
        env = {
            **os.environ,
            "ANSIBLE_HOME": str(tmp_path / "ansible"),
            "ANSIBLE_PIPELINING": str(pipelining),
            "ANSIBLE_SSH_ARGS": "-o ControlMaster=no",
        }
        argv = [str(Path(str(PLAYBOOK)).with_name("ansible")), "-i", str(mine), "all", *words]
        argv += ["-e", json.dumps(variables)]
        done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=240, check=False)
        return Run(done.returncode, done.stdout + done.stderr)

    return once


def _way_to(lab: Lab, name: str) -> dict[str, Any]:
    return {
        "ansible_host": inventory.ADDRESS,
        "ansible_port": lab.mac(name).port,
        "ansible_user": "itadmin",
        "ansible_ssh_private_key_file": str(lab.folder.client_key),
        "ansible_ssh_common_args": shlex.join(inventory.ssh_options(lab.folder)),
        "ansible_remote_tmp": str(lab.mac(name).file_tree / "tmp" / "ansible"),
    }


def of(mac: str, done: Run) -> str:
    """Return the part of the output that is about one Mac."""
    (part,) = re.findall(rf"^{mac} \| (.*?)(?=^\w+ \| |\Z)", done.out, re.MULTILINE | re.DOTALL)
    return str(part)


@pytest.mark.parametrize(
    ("interpreter", "pipelining", "become"),
    [(None, True, False), ("auto", True, True), ("auto_silent", False, False), ("/usr/bin/python3", True, True)],
)
def test_only_a_mac_with_a_python_runs_modules(
    run: Runner, lab: Lab, interpreter: str | None, pipelining: bool, become: bool
) -> None:
    lab.mac("stubbed").reset()
    chosen = {"ansible_python_interpreter": interpreter} if interpreter else {}
    words = ("-m", "ping", *(["-b"] if become else []))
    done = run("bare,stubbed,usual", *words, pipelining=pipelining, **chosen)
    assert "not found" in of("bare", done) and '"rc": 127' in of("bare", done)
    assert "No developer tools were found, requesting install" in of("stubbed", done) and "pong" in of("usual", done)
    (started,) = journal.programs(lab.mac("stubbed").journal(), "python3")
    assert started.writes == ["a dialog opened on the screen"] and started.root is become
    if interpreter == "auto_silent":
        # It hears of the path that it asked for, as on a Mac.
        assert '"discovered_interpreter_python": "/usr/bin/python3"' in of("stubbed", done)


def test_raw_answers_everywhere(run: Runner) -> None:
    done = run("bare,stubbed,greeting", "-m", "raw", "-a", "/usr/bin/python3 -V; echo $?; whoami")
    assert "127" in of("bare", done) and "itadmin" in of("bare", done) and "itadmin" in of("stubbed", done)
    assert f">>\n{BANNER}\n" in of("greeting", done)


@pytest.mark.parametrize("pipelining", [True, False])
def test_requiretty_and_pipelining_exclude_each_other_and_a_banner_neither(run: Runner, pipelining: bool) -> None:
    own = {"ansible_python_interpreter": "/usr/bin/python3"}
    done = run("hardened,greeting", "-m", "ping", "-b", pipelining=pipelining, **own)
    hardened = of("hardened", done)
    assert ("you must have a tty" in hardened, "pong" in hardened) == (pipelining, not pipelining)
    assert "pong" in of("greeting", done)


@pytest.mark.parametrize(("password", "said"), [("deputy-1", "rc=0 >>\ndeputy"), ("wrong", "su: Sorry")])
def test_su_as_ansible_uses_it(run: Runner, password: str, said: str) -> None:
    done = run(
        "usual",
        *("-m", "command", "-a", "whoami", "-b"),
        ansible_become_method="su",
        ansible_become_user="deputy",
        ansible_become_password=password,
        ansible_python_interpreter="/usr/bin/python3",
    )
    assert said in done.out


@pytest.mark.parametrize(
    ("installed", "hops_there"), [("/usr/bin/python3.11", False), ("/opt/python/bin/python3.13", True)]
)
def test_no_macs_python_is_in_the_folder_of_apples_stub(tmp_path: Path, installed: str, hops_there: bool) -> None:
    """A host may have its only Python there, and a link to it would be taken for the stub."""
    found = layout._as_installed(tmp_path, Path(installed))
    assert (found == installed) is hops_there
    if not hops_there:
        assert f'exec {installed} "$@"' in (tmp_path / "python3").read_text()
        assert os.access(tmp_path / "python3", os.X_OK)
