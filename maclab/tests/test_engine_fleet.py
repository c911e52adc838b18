# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fleet: many Macs in one process, a lab that goes on where it was, and the command line."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import SCENARIO

from maclab import control, journal
from maclab.control import LabError
from maclab.lab import Handle, Lab
from maclab.layout import COMPILED, LabFolder, find_python
from maclab.scenario import ScenarioError

LAB = Path(__file__).parent.parent


def one(**changes: Any) -> dict[str, Any]:
    account = {"name": "itadmin", "admin": True, "password": "p", "token": True}
    return {"sudo_password": False, "macs": {"solo": {"macos": "15.6", "accounts": [account], **changes}}}


def test_two_hundred_macs_in_one_process(empty: Path) -> None:
    fleet = {"sudo_password": False, "macs": {"pc": {**one()["macs"]["solo"], "count": 200}}}
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.monotonic()
    with Lab(fleet, empty) as lab:
        assert time.monotonic() - started < 20
        ports = {lab.mac(name).port for name in lab.names}
        assert len(lab.names) == len(ports) == 200

        def visit(name: str) -> str:
            return lab.mac(name).ssh("hostname -s; probe commit 1").out

        picked = lab.names[::10]
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(visit, picked)) == [f"{name}\n1\n" for name in picked]
        # Nobody else was touched.
        assert [name for name in lab.names if lab.mac(name).state().clock] == picked
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        assert grown * (1 if sys.platform == "darwin" else 1024) < 100_000_000


def test_commands_at_the_same_time_lose_nothing(mac: Handle) -> None:
    with ThreadPoolExecutor(6) as pool:
        said = list(pool.map(lambda _: mac.ssh("probe commit 5").out, range(6)))
    assert mac.state().clock == 30
    assert len({line for text in said for line in text.split()}) == 30
    assert len(journal.writes(mac.journal())) == 30


def test_a_lab_goes_on_where_it_was(empty: Path) -> None:
    with Lab(one(), empty) as lab:
        port = lab.mac("solo").port
        lab.mac("solo").ssh("probe commit 3; echo kept > file")
        lab.mac("solo").set_fault("kill", step=2)
        inventory = lab.inventory.read_text()
    with Lab(one(), empty) as lab:
        solo = lab.mac("solo")
        assert (solo.port, lab.inventory.read_text()) == (port, inventory)
        assert solo.state().clock == 3
        assert solo.ssh("cat file").out == "kept\n"
        assert solo.ssh("probe commit 5").rc == 255
        assert solo.state().clock == 5
        solo.reset()
        assert (solo.state().clock, solo.state().faults, solo.journal()) == (0, [], [])
        assert solo.ssh("cat file").rc == 1


def test_reset_spares_the_other_macs(lab: Lab) -> None:
    lab.mac("graz").ssh("probe commit 2")
    lab.mac("bare").ssh("probe commit 2")
    before = lab.mac("graz").state()
    lab.mac("bare").reset()
    assert lab.mac("bare").state().clock == 0
    assert lab.mac("graz").state() == before


def test_two_labs_cannot_share_a_folder(lab: Lab) -> None:
    with pytest.raises(LabError, match="a lab is up"):
        Lab(SCENARIO, lab.folder.path).up()


def test_a_port_that_is_taken_is_named(lab: Lab, empty: Path) -> None:
    port = lab.mac("lisbon").port
    with pytest.raises(ScenarioError, match=f"solo: port: {port}"):
        Lab(one(port=port), empty).up()


def test_a_folder_with_a_long_name_and_blanks(tmp_path: Path) -> None:
    folder = tmp_path / ("a long name " * 9).strip() / ("and more " * 5).strip()
    with Lab(one(), folder) as lab:
        assert lab.mac("solo").ssh("probe who; sudo probe who").out.count("root=True") == 1


def test_nobody_else_may_look_into_the_lab(lab: Lab) -> None:
    assert lab.folder.path.stat().st_mode & 0o777 == 0o700
    for path in (lab.folder.client_key, lab.folder.host_key):
        assert path.stat().st_mode & 0o777 == 0o600


def test_an_interpreter_that_this_host_lacks_is_replaced_and_told(empty: Path) -> None:
    with Lab(one(python="3.99"), empty) as lab:
        assert lab.notes[0].startswith("solo: no Python 3.99 on this host")
        assert lab.mac("solo").ssh("python3 -c 'print(1)'").out == "1\n"


@pytest.mark.parametrize("version", ["", "3.9"])
def test_the_macs_pythons_keep_what_they_compile_where_it_is_wanted(
    version: str, empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if find_python(version) is None:
        pytest.skip(f"this host has no Python {version}")
    archive = tmp_path / "modules.zip"
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("told.py", "def where(): return 'compiled'\n")
    ask = f"import sys; sys.path[0] = '{archive}'; import told; print(told.where(), told.where.__code__.co_filename)"
    compiled = f"compiled {archive}/told.py\n"

    monkeypatch.setenv(COMPILED, str(tmp_path / "kept"))
    with Lab(one(count=2, python=version), empty) as lab:
        first, second = (lab.mac(name) for name in lab.names)
        assert first.ssh(f'python3 -c "{ask}"').out == compiled
        (kept,) = (tmp_path / "kept").glob("*-told.py-*")
        kept.write_bytes(kept.read_bytes().replace(b"compiled", b"keptcode"))
        assert second.ssh(f'python3 -c "{ask}"').out == compiled.replace("compiled", "keptcode", 1)

    monkeypatch.delenv(COMPILED)
    with Lab(one(count=2, python=version), empty) as lab:
        assert lab.mac(lab.names[0]).ssh(f'python3 -c "{ask}"').out == compiled


def maclab(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(LAB), os.environ.get("PYTHONPATH", "")])
    env = {**os.environ, "PYTHONPATH": path, "MACLAB_DIR": str(folder)}
    return subprocess.run(
        [sys.executable, "-m", "maclab", *words], env=env, capture_output=True, text=True, check=False, timeout=90
    )


def test_the_command_line(empty: Path, tmp_path: Path) -> None:
    described = tmp_path / "two.yml"
    both = {**one()["macs"], "other": one()["macs"]["solo"]}
    described.write_text(yaml.safe_dump({"sudo_password": False, "macs": both}, sort_keys=False))
    assert "no lab in" in maclab(empty, "list").stderr
    up = maclab(empty, "up", str(described))
    assert up.returncode == 0, up.stderr
    try:
        assert "2 Macs are up: solo, other" in up.stdout and f"{empty}/inventory.yml" in up.stdout
        assert "already" in maclab(empty, "up").stderr
        assert "is up." in maclab(empty, "list").stdout
        assert yaml.safe_load(maclab(empty, "inventory").stdout)["macs"]["hosts"].keys() == {"solo", "other"}

        port = json.loads((empty / "lab.json").read_text())["macs"]["solo"]["port"]
        solo = Handle(Lab(described, empty).folder, "solo", port)
        assert solo.ssh("whoami").out == "itadmin\n"
        assert "itadmin: whoami  [rc 0]" in maclab(empty, "journal", "solo").stdout

        assert maclab(empty, "fault", "solo", "slow", "seconds=0.1", "program=id").returncode == 0
        shown = maclab(empty, "show", "solo").stdout
        assert "slow seconds=0.1 program=id" in shown and "FileVault: off" in shown
        assert json.loads(maclab(empty, "show", "solo", "--json").stdout)["faults"][0]["name"] == "slow"
        refused = maclab(empty, "fault", "solo", "slow", "second=1")
        assert refused.returncode == 1 and "allowed: seconds, program" in refused.stderr
        assert maclab(empty, "fault", "solo", "--clear").returncode == 0
        assert "faults: none" in maclab(empty, "show", "solo").stdout
        assert "it has: solo, other" in maclab(empty, "show", "nemo").stderr
        assert maclab(empty, "reset", "solo").returncode == 0
        assert "journal: empty" in maclab(empty, "show", "solo").stdout
    finally:
        down = maclab(empty, "down")
    assert down.returncode == 0
    assert "is down." in maclab(empty, "list").stdout
    assert maclab(empty, "down").returncode == 1


def test_up_says_at_once_what_is_wrong_with_a_scenario(empty: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.yml").write_text("macs: {oslo: {macos: '9.2', accounts: [{name: a}]}}")
    refused = maclab(empty, "up", str(tmp_path / "bad.yml"))
    assert refused.returncode == 1
    assert "bad.yml: oslo: macos: '9.2'" in refused.stderr


def test_asking_for_a_lab_that_is_down_leaves_the_caller_where_it_was(empty: Path) -> None:
    here = Path.cwd()
    assert not control.is_up(LabFolder(empty))
    assert Path.cwd() == here
