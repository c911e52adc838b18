# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A result says what each step came to, on which Mac, and has passed only where every target came to its end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from proving import result

OURS, ASSERT = "keyholder.macos.secure_token", "ansible.builtin.assert"
FACTS = {
    "results": [
        {"cmd": ["sw_vers"], "stdout": "ProductVersion:\t\t26.5.2\nBuildVersion:\t\t25F84", "rc": 0},
        {"cmd": ["uname", "-m"], "stdout": "x86_64", "rc": 0},
        {"cmd": ["sysctl", "-n", "hw.model"], "stdout": "MacPro7,1", "rc": 0},
        {"cmd": ["sysctl", "-n", "kern.hv_vmm_present"], "stdout": "1", "rc": 0},
        {"cmd": ["csrutil", "status"], "stdout": "System Integrity Protection status: disabled.", "rc": 0},
        {
            "cmd": ["ls", "/Library/Application Support/com.apple.TCC"],
            "stdout": "",
            "stderr": "ls: x: Operation not permitted",
            "rc": 1,
        },
    ]
}


def line(task: str, action: str, status: str = "ok", host: str = "secret-name", **returned: Any) -> dict[str, Any]:
    return {"host": host, "task": task, "action": action, "status": status, "time": 0, "result": returned}


WHOLE = [
    line(result.FACTS, "ansible.builtin.command", **FACTS),
    line("one : Grant", OURS, changed=True),
    line("one : Grant again", OURS, changed=False),
    line("one : Grant to nobody", OURS, changed=False, failed_when_result=False, reason="user_unknown"),
    line("one : Compare", ASSERT),
    line("two : Compare", ASSERT),
]


def told(tmp_path: Path, lines: list[dict[str, Any]], **job: str) -> list[result.Result]:
    path = tmp_path / "lines.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in lines))
    return result.results(path, "python", {"one", "two"}, job)


def test_each_step_and_the_machine_are_told_and_no_name(tmp_path: Path) -> None:
    (one,) = told(tmp_path, WHOLE, KEYHOLDER_LABEL="macos-26-intel", ImageVersion="7")
    assert one.passed
    assert [(step.task, step.outcome, step.reason) for step in one.steps[:3]] == [
        ("Grant", "done", ""),
        ("Grant again", "nothing to do", ""),
        ("Grant to nobody", "refused", "user_unknown"),
    ]
    assert one.machine.as_data() == {
        "macos": "26.5.2",
        "build": "25F84",
        "model": "MacPro7,1",
        "chip": "Intel",
        "virtual": "yes",
        "sip": "disabled",
        "full_disk_access": "no",
        "label": "macos-26-intel",
        "image": "7",
    }
    text = result.table([one]) + json.dumps(one.as_data())
    assert "| one | Grant to nobody | refused: `user_unknown` |" in text
    assert "secret-name" not in text


@pytest.mark.parametrize("left", [3, 4, 5])
def test_a_run_that_was_cut_off_has_not_passed(tmp_path: Path, left: int) -> None:
    (one,) = told(tmp_path, WHOLE[:left])
    assert not one.passed


@pytest.mark.parametrize("status", ["failed", "unreachable"])
def test_a_failure_is_one_even_where_all_targets_went_on(tmp_path: Path, status: str) -> None:
    (one,) = told(tmp_path, [*WHOLE, line("two : Take the account away", OURS, status, reason="no_full_disk_access")])
    assert not one.passed
    assert "FAILED: `no_full_disk_access`" in result.table([one])
    (other,) = told(tmp_path, [*WHOLE, line("Something else", "ansible.builtin.command", status)])
    assert not other.passed


def test_one_mac_s_failure_is_that_mac_s(tmp_path: Path) -> None:
    second = [{**one, "host": "other"} for one in WHOLE[:3]]
    assert [one.passed for one in told(tmp_path, [*WHOLE, *second])] == [True, False]


def test_what_a_mac_does_not_say_is_unknown() -> None:
    silent = [{"cmd": ["csrutil", "status"], "msg": "Error executing command.", "stdout": "", "rc": 2}]
    machine = result.machine(silent, {})
    assert (machine.virtual, machine.sip, machine.full_disk_access) == ("unknown",) * 3
