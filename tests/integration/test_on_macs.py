# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make test-mac` and `make transcripts`, for real Macs, tried on the lab's: nothing unasked, and no name goes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.ansible import FOLDER
from harness.macs import PASSWORDS, mac, person, secret
from harness.transcripts import Cleaner, names_of, transcripts
from maclab import journal
from maclab.lab import Lab

FIXTURE = FOLDER.parents[1] / "maclab" / "tests" / "fixtures" / "transcripts.jsonl"
SAID = [
    {"cmd": ["sw_vers"], "stdout": "ProductName:\t\tmacOS\nProductVersion:\t\t15.6\nBuildVersion:\t\t24G84"},
    {
        "cmd": ["dscl", ".", "-list", "/Users", "UniqueID"],
        "stdout": "_spotlight  89\nana   501\nbo    502\nacme 480\nroot  0",
    },
    {
        "cmd": ["dscl", ".", "-list", "/Users", "RealName"],
        "stdout": "ana  Ana Sousa\nbo   bo\nacme Acme Management\nroot System Administrator",
    },
    {
        "cmd": ["sysadminctl", "-secureTokenStatus", "ana"],
        "stdout": "",
        "stderr": "Secure token is ENABLED for user Ana Sousa",
        "rc": 0,
    },
    {
        "cmd": ["fdesetup", "list"],
        "stdout": "ana,5F3A9C61-1A2B-4C3D-8E4F-0A1B2C3D4E5F\nbo,2457711A-523C-4604-B75A-F48A571D5036",
        "rc": 0,
    },
    {"cmd": ["profiles", "status"], "stdout": "MDM server: https://mdm.corp.example.net/checkin", "rc": 0},
]


def test_names_are_those_of_people() -> None:
    assert names_of(SAID) == {
        "ana": "person1",
        "bo": "person2",
        "acme": "person3",
        "Ana Sousa": "Person Number 1",
        "Acme Management": "Person Number 3",
    }


def test_a_transcript_names_nobody() -> None:
    made = {record["command"][0]: record for record in transcripts(SAID)}
    assert made["sysadminctl"]["command"] == ["sysadminctl", "-secureTokenStatus", "person1"]
    assert made["sysadminctl"]["stderr"] == "Secure token is ENABLED for user Person Number 1\n"
    # The Bootstrap Token's GUID is the same on every Mac, and says something.
    assert made["fdesetup"]["stdout"] == (
        "person1,00000000-0000-4000-8000-000000000001\nperson2,2457711A-523C-4604-B75A-F48A571D5036\n"
    )
    assert made["profiles"]["stdout"] == "MDM server: https://mdm.example.com/\n"
    assert {record["macos"] for record in made.values()} == {"15.6"}


def test_a_transcript_has_the_lab_s_form() -> None:
    keys = {frozenset(json.loads(line)) for line in FIXTURE.read_text(encoding="utf-8").splitlines()}
    assert {frozenset(record) for record in transcripts(SAID)} <= keys


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("banana of ana-lucia, ana: ana.", "banana of ana-lucia, person1: person1."),
        ("key ABCD-EFGH-IJKL-MNOP-QRST-UV23", "key AAAA-AAAA-AAAA-AAAA-AAAA-AAAA"),
        (";Kerberosv5;;ana@LKDC:SHA1." + "4F" * 20 + ";", ";Kerberosv5;;person1@LKDC:SHA1." + "0" * 40 + ";"),
        ("ANA", "person1"),
        (
            ";LocalCachedUser;/Active Directory/ACME/acme.corp.net:ana:1",
            ";LocalCachedUser;/Active Directory/EXAMPLE/ad.example.com:person1:1",
        ),
        ("write to ana.sousa@corp.example.net", "write to person@example.com"),
        ("FFFFEEEE-DDDD-CCCC-BBBB-AAAA00000059", "FFFFEEEE-DDDD-CCCC-BBBB-AAAA00000059"),
    ],
)
def test_what_is_cleaned_and_what_is_not(text: str, clean: str) -> None:
    assert Cleaner({"ana": "person1"})(text) == clean


@pytest.fixture(scope="module")
def lab(bring_up: Callable[[Mapping[str, Any]], Lab]) -> Lab:
    people = ["itadmin", "deputy", person("salma", full_name="Salma Haddad", password=secret("salma"), token=True)]
    return bring_up({"mac-of-salma": mac("15.6", *people)})


Call = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def call(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Call:
    """As the Makefile does."""
    folder = tmp_path_factory.mktemp("person")
    variables = {
        "keyholder_granter": "itadmin",
        "keyholder_granter_password": PASSWORDS["itadmin"],
        "keyholder_test_user": "khtest",
        "keyholder_test_password": secret("test"),
    }
    (folder / "mine.yml").write_text(yaml.safe_dump(variables))
    paths = os.pathsep.join(map(str, (FOLDER.parent / "utils", FOLDER.parent / "macos", FOLDER.parents[1] / "maclab")))
    environment = {**os.environ, "PYTHONPATH": paths, "ANSIBLE_HOME": str(folder / ".ansible")}

    def called(*arguments: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, FOLDER / "on_macs.py", *arguments, "--inventory", lab.inventory, "-e", "@mine.yml"]
        return subprocess.run(
            argv, cwd=folder, env=environment, capture_output=True, text=True, timeout=600, check=False
        )

    return called


def test_nothing_happens_without_a_yes(lab: Lab, call: Call) -> None:
    for confirm in ("", "no", "y"):
        for what, account in (("test", "keyholder_test_user"), ("ask", "khask")):
            done = call(what, "--confirm", confirm, "--record", "seen")
            assert done.returncode == 2
            assert "DESTRUCTIVE" in done.stderr
            assert account in done.stderr
    assert lab.mac("mac-of-salma").journal() == []


def test_transcripts_are_recorded_and_nothing_is_changed(lab: Lab, call: Call, tmp_path: Path) -> None:
    handle = lab.mac("mac-of-salma")
    before = handle.state()
    done = call("record", "--record", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert handle.state() == before
    (path,) = tmp_path.iterdir()
    text = path.read_text(encoding="utf-8")
    assert not [name for name in ("salma", "haddad", "itadmin", "deputy") if name in text.lower()]
    records = [json.loads(line) for line in text.splitlines()]
    status = {tuple(record["command"]): record for record in records}
    asked = [command for command in status if command[:2] == ("sysadminctl", "-secureTokenStatus")]
    assert len(asked) == 4
    assert {record["macos"] for record in records} == {"15.6"}


def test_the_targets_pass_and_tell_of_it(lab: Lab, call: Call, tmp_path: Path) -> None:
    done = call("test", "--confirm", "yes", "--runner", "python", "--result", str(tmp_path))
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    (told,) = json.loads((tmp_path / "result.json").read_text())
    assert told["passed"]
    assert {step["target"] for step in told["steps"]} == {path.name for path in (FOLDER / "targets").iterdir()}
    assert (told["machine"]["macos"], told["machine"]["chip"], told["machine"]["label"]) == (
        "15.6",
        "Apple silicon",
        "",
    )
    table = (tmp_path / "result.md").read_text()
    assert table in done.stdout
    assert "| secure_token | Grant | done |" in table
    assert "| secure_token | Grant again | nothing to do |" in table
    assert "| refusals | Grant to nobody | refused: `" in table
    assert "salma" not in table.lower() + json.dumps(told).lower()
    assert "khtest" not in lab.mac("mac-of-salma").state().accounts
    assert any("-addUser" in one.argv for one in journal.programs(lab.mac("mac-of-salma").journal(), "sysadminctl"))
