# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Try the loader of transcripts, and that a line by itself is a test."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from conformance import Case, pairs, repeat, same
from conformance_setups import SETUPS, case_of
from transcripts import FIXTURE, TranscriptError, load, transcript

LINE: dict[str, Any] = {
    "id": "sts-new",
    "command": ["sudo", "/usr/sbin/sysadminctl", "-secureTokenStatus", "ana"],
    "input": None,
    "stdout": "",
    "stderr": "2026-11-30 10:00:00.001 sysadminctl[1:2] Secure token is ENABLED for user Ana Sousa\n",
    "stream_known": True,
    "rc": 0,
    "macos": "27.0.1",
    "hardware": "Apple silicon VM",
    "context": "",
    "source": "nobody",
    "confidence": "verbatim",
}


def written(**changes: object) -> str:
    return json.dumps({**LINE, **changes})


def repeated(line: str) -> bool:
    record = transcript(line)
    case = case_of(record, {})
    said = repeat(case, record)
    told = record.rc is None or said.status == record.rc
    return told and all(same(there, here, case) for there, here in pairs(record, said))


def test_a_record_says_its_program_its_version_and_its_chip() -> None:
    record = transcript(written())
    assert (record.program, record.arguments) == ("sysadminctl", ["-secureTokenStatus", "ana"])
    assert (record.version, record.chip, record.is_virtual) == ("27.0.1", "apple-silicon", True)
    assert transcript(written(macos="10.13 (Admin-679)", hardware="intel")).version == "10.13"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"stdout": 1}, "stdout: 1 is of the wrong type"),
        ({"rc": True}, "rc: True is of the wrong type"),
        ({"id": "two words"}, "the id is not one word"),
        ({"command": []}, "command: is not a list of words"),
        ({"confidence": "sure"}, "confidence: 'sure'"),
        ({"source": ""}, "source: is empty"),
        ({"more": 1}, "has not exactly the fields"),
    ],
)
def test_a_line_that_is_no_record_is_refused(changes: dict[str, object], told: str) -> None:
    with pytest.raises(TranscriptError, match=told):
        transcript(written(**changes))


def test_an_id_stands_once() -> None:
    with pytest.raises(TranscriptError, match="stands twice"):
        load([written(), written()])


def test_no_record_names_a_place_of_the_machine_it_was_written_on() -> None:
    text = FIXTURE.read_text(encoding="utf-8")
    assert re.findall(r"/(?:home|work|tmp)/", text) == []


LINES: dict[str, dict[str, Any]] = {
    "a-holder": {},
    "nobody": {"stderr": "Unknown user ana\n"},
    "the-last-holder": {
        "command": ["sysadminctl", "-deleteUser", "ana"],
        "rc": 1,
        "stream_known": False,
        "stderr": "----------------------------\nNo clear text password or interactive option was specified (adduser, "
        "change/reset password will not allow user to use FDE) !\n----------------------------\nUser ana can not be "
        "deleted (it's either last admin user or last secure token user neither of which can be deleted).\n",
    },
    "granted": {
        "command": "sysadminctl -secureTokenOn <user> -password <pw> -adminUser <admin> -adminPassword <pw>".split(),
        "stderr": "2026-11-30 10:00:00.001 sysadminctl[1:2] - Done!\n",
    },
    "refused": {
        "command": "sysadminctl -secureTokenOn <user> -password <pw> -adminUser <admin> -adminPassword <wrong>".split(),
        "stderr": "### Error:-14090 File:/AppleInternal/Library/BuildRoots/x/Library/Caches/com.apple.xbs/"
        "TemporaryDirectory.y/Sources/Admin_sysadminctl/addremoveuser/main.m Line:381\n"
        "Operation is not permitted without secure token unlock.\n",
    },
    "filevault": {
        "command": ["fdesetup", "status"],
        "stdout": "FileVault is On.\nEncryption in progress: Percent completed = 31.2\n",
        "stderr": "",
    },
    "unlockers": {"command": ["fdesetup", "list"], "stdout": "ana,A\nrui,B\n", "stderr": ""},
    "owners": {
        "command": ["diskutil", "apfs", "listUsers", "/"],
        "stdout": "Cryptographic users for disk3s1s1 (2 found)\n|\n+-- A\n|   Type: Local Open Directory User\n"
        "|   Volume Owner: Yes\n|\n+-- B\n    Type: Personal Recovery User\n    Volume Owner: No\n \n",
        "stderr": "",
    },
    "escrowed": {
        "command": "profiles status -type bootstraptoken".split(),
        "stdout": "profiles: Bootstrap Token supported on server: YES\n"
        "profiles: Bootstrap Token escrowed to server: NO\n",
        "stderr": "",
    },
    "version": {
        "command": ["sw_vers"],
        "stdout": "ProductName:\t\tmacOS\nProductVersion:\t\t26.5.1\nBuildVersion:\t\t25F80\n",
        "stderr": "",
    },
}


@pytest.mark.parametrize("changes", LINES.values(), ids=LINES)
def test_a_line_that_nobody_has_declared_anything_of_is_a_test(changes: dict[str, Any]) -> None:
    assert repeated(written(**changes))


@pytest.mark.parametrize("changes", LINES.values(), ids=LINES)
def test_such_a_line_fails_where_a_letter_differs(changes: dict[str, Any]) -> None:
    name = "stdout" if changes.get("stdout") else "stderr"
    text = changes.get(name, LINE[name])
    for word in ("token", "user", "FileVault is", "ound", "server", "Product", "Done", "Operation"):
        if word in text:
            assert not repeated(written(**{**changes, name: text.replace(word, word[:-1] + "x", 1)}))


def test_an_unknown_key_of_a_setup_is_a_mistake() -> None:
    for setup in ({"wallpaper": "blue"}, {"settings": {"wallpaper": "blue"}}):
        with pytest.raises(ValueError, match="wallpaper: no such key"):
            case_of(transcript(written()), setup)


def test_a_setup_says_something() -> None:
    assert all(SETUPS.values())


def test_a_part_is_one_with_a_reason_alone() -> None:
    assert Case.__dataclass_fields__["part"].default == ""
    assert all(setup.get("part", "why") for setup in SETUPS.values())
