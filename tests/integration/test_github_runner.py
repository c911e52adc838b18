# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What .github/workflows/macos.yml starts, on Macs of the lab that look like GitHub's runners, and on no others."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.ansible import FOLDER
from harness.search import spellings
from maclab import journal
from maclab.lab import Handle, Lab
from proving import compare, marks, questions, twin

ROOT = FOLDER.parents[1]
SCENARIO = yaml.safe_load((ROOT / "maclab" / "scenarios" / "github-runner.yml").read_text(encoding="utf-8"))
PASSWORD = SCENARIO["macs"]["step"]["accounts"][0]["password"]
JOB = {
    "GITHUB_ACTIONS": "true",
    "RUNNER_ENVIRONMENT": "github-hosted",
    "RUNNER_OS": "macOS",
    "GITHUB_RUN_ID": "17",
    "KEYHOLDER_LABEL": "macos-15",
    "ImageVersion": "20261121.0042",
}
Call = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def lab(bring_up: Callable[[Mapping[str, Any]], Lab]) -> Lab:
    macs = SCENARIO["macs"]
    # A Mac of somebody's own, which is called like a runner and on which a self-hosted one might run.
    own = {key: value for key, value in macs["step"].items() if key != "model"}
    # Somebody's home that is called like the test's, with no account of that name.
    gone = {"name": "gone", "home": "/Users/khtest", "password": "was-here-before"}
    left = {**macs["step"], "accounts": [*macs["step"]["accounts"], gone]}
    return bring_up({**macs, "own": own, "left": left})


@pytest.fixture
def handle(lab: Lab, request: pytest.FixtureRequest) -> Iterator[Handle]:
    found = lab.mac(getattr(request, "param", "step"))
    found.reset()
    yield found


@pytest.fixture
def call(lab: Lab, tmp_path: Path) -> Call:
    """As the Makefile does, within a job."""
    folders = (FOLDER.parent / "utils", FOLDER.parent / "macos", ROOT / "maclab")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "RUNNER_"))}
    paths = {"PYTHONPATH": os.pathsep.join(map(str, folders)), "ANSIBLE_HOME": str(tmp_path / ".ansible")}

    def called(what: str, mac: str, *arguments: str, **job: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, FOLDER / "on_macs.py", what, "--inventory", lab.inventory, "--limit", mac, *arguments]
        environment = {**kept, **paths, "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"), **JOB, **job}
        return subprocess.run(
            argv, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=900, check=False
        )

    return called


def writes(handle: Handle) -> list[str]:
    return [write for one in handle.journal() if isinstance(one, journal.ProgramRun) for write in one.writes]


@pytest.mark.parametrize(
    ("what", "mac", "job"),
    [
        ("test", "step", {"RUNNER_ENVIRONMENT": "self-hosted"}),
        ("test", "step", {"RUNNER_ENVIRONMENT": ""}),
        ("ask", "step", {"GITHUB_ACTIONS": ""}),
        ("test", "own", {}),
        ("ask", "own", {}),
    ],
)
def test_nothing_is_done_on_another_machine(lab: Lab, call: Call, what: str, mac: str, job: dict[str, str]) -> None:
    before = len(lab.mac(mac).journal())
    done = call(what, mac, "--confirm", "yes", "--hosted", "--record", "seen", **job)
    assert done.returncode == 2
    assert "nothing was done" in done.stderr
    assert "::add-mask::" not in done.stdout
    ran = [one for one in lab.mac(mac).journal()[before:] if isinstance(one, journal.ProgramRun)]
    assert {one.program for one in ran} <= {"id", "uname", "sysctl", "sudo"}
    assert not any(one.writes or one.authentications for one in ran)


def test_the_runner_s_own_account_grants_by_both_runners_and_its_password_is_nowhere(
    handle: Handle, call: Call, tmp_path: Path
) -> None:
    before = handle.state()
    done = call("test", "step", "--confirm", "yes", "--hosted", "--result", "result", "-vvvv")
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    told = json.loads((tmp_path / "result" / "result.json").read_text())
    assert [(one["runner"], one["passed"]) for one in told] == [("python", True), ("shell", True)]
    machine = told[0]["machine"]
    assert (machine["label"], machine["image"], machine["virtual"]) == ("macos-15", "20261121.0042", "yes")
    assert machine["full_disk_access"] == "yes"
    done_by = {runner["runner"]: {(s["target"], s["task"]): s["outcome"] for s in runner["steps"]} for runner in told}
    assert done_by["python"] == done_by["shell"]
    assert (tmp_path / "result" / "result.md").read_text() in (tmp_path / "summary.md").read_text()
    after = handle.state()
    assert after.accounts.keys() == before.accounts.keys()
    assert after.crypto_users == before.crypto_users
    # The first thing that is said is what hides the password, and it is said nowhere else.
    mask = "::add-mask::" + PASSWORD.replace("%", "%25")
    assert done.stdout.splitlines()[0] == mask
    rest = (done.stdout.replace(mask, "") + done.stderr).encode()
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    left = handle.folder.journal.read_bytes() + b"".join(path.read_bytes() for path in handle.files())
    assert not [spelling for spelling in spellings(PASSWORD) if spelling in rest + kept + left]


@pytest.mark.parametrize("handle", ["ssh"], indirect=True)
def test_without_full_disk_access_the_result_says_so(handle: Handle, call: Call, tmp_path: Path) -> None:
    done = call("test", "ssh", "--confirm", "yes", "--hosted", "--result", "result", "--runner", "python")
    assert done.returncode != 0
    (told,) = json.loads((tmp_path / "result" / "result.json").read_text())
    assert not told["passed"]
    assert told["machine"]["full_disk_access"] == "no"
    assert "no_full_disk_access" in {step["reason"] for step in told["steps"] if step["outcome"] == "FAILED"}


def test_a_home_without_an_account_is_not_taken(lab: Lab, call: Call) -> None:
    done = call("test", "left", "--confirm", "yes", "--hosted", "--runner", "python")
    assert done.returncode != 0
    assert "/Users/khtest of left cannot be told to be free" in done.stdout
    assert not writes(lab.mac("left"))


def test_what_nobody_has_shown_is_asked_and_written_down(handle: Handle, call: Call, tmp_path: Path) -> None:
    before = handle.state()
    done = call("ask", "step", "--confirm", "yes", "--hosted", "--record", "unknowns")
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    text = (tmp_path / "unknowns" / "mac-1.jsonl").read_text(encoding="utf-8")
    records = [json.loads(line) for line in text.splitlines()]
    asked = {one["id"].removeprefix("recorded-15.7.7-macos-15-ssh-"): one for one in records}
    # The lab has no such program as mdmclient's full path names, and all the others answer.
    assert set(asked) >= {one.id for one in questions.questions("runner")} - {"mdmclient"}
    assert asked["on-piped"]["input"] == "{granter_password}\n{user_password}\n"
    assert "Done!" in asked["on-piped"]["stderr"]
    assert "Done!" in asked["on-typed"]["stdout"]
    assert asked["on-typed"]["stream_known"] is False
    assert "ENABLED" in asked["on-piped-with-terminal-status"]["stderr"]
    assert "image 20261121.0042" in asked["off"]["context"]
    assert "Full Disk Access yes" in asked["off"]["context"]
    shown, denied = marks.rules(records)
    # The lab agrees with itself, so what it assumes is shown, and nothing is contradicted.
    assert {one.name for one in shown} >= {"already_holder", "sysctl_vmm", "apfs_list_filevault_key"}
    assert denied == []
    assert not [spelling for spelling in spellings(PASSWORD) if spelling in text.encode()]
    after = handle.state()
    assert after.accounts.keys() == before.accounts.keys()


def test_the_mac_at_hand_needs_no_inventory_and_no_ssh(handle: Handle) -> None:
    """As a step of the job does, which is on the Mac itself: here within a session of the Mac of the lab."""
    folders = os.pathsep.join(
        str(folder) for folder in (FOLDER.parent / "utils", FOLDER.parent / "macos", ROOT / "maclab")
    )
    settings = {**JOB, "PYTHONPATH": folders, "LC_ALL": "C.UTF-8"}
    if named := os.environ.get("KEYHOLDER_ANSIBLE"):
        settings["KEYHOLDER_ANSIBLE"] = named
    words = [
        "env",
        *(f"{name}={value}" for name, value in settings.items()),
        sys.executable,
        str(FOLDER / "on_macs.py"),
    ]
    words += ["test", "--inventory", "localhost", "--hosted", "--confirm", "yes", "--runner", "python"]
    done = handle.ssh(f"{shlex.join(words)} --record seen --result result", timeout=900)
    assert done.rc == 0, done.out[-4000:] + done.err[-2000:]
    home = handle.file_tree / "Users" / "runner"
    (told,) = json.loads((home / "result" / "result.json").read_text())
    assert told["passed"]
    records = compare.records(home / "seen" / "mac-1.jsonl")
    assert {one["id"].split("-")[4] for one in records} == {"local"}
    assert len(records) > 18


def test_what_the_lab_recorded_is_what_its_twin_says(handle: Handle, call: Call, tmp_path: Path) -> None:
    done = call("record", "step", "--record", "records")
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    said = compare.records(tmp_path / "records" / "mac-1.jsonl")
    twin.record(tmp_path / "records", tmp_path / "lab")
    assert compare.folders(tmp_path / "records", tmp_path / "lab", lab=True) == []
    (path,) = (tmp_path / "lab").iterdir()
    other = [{**one, "rc": 1} if one["command"] == ["fdesetup", "status"] else one for one in compare.records(path)]
    (found,) = compare.differences(said, other, lab=True)
    assert found.id == "recorded-15.7.7-macos-15-ssh-fdesetup-status"
