# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The log of writes: whole lines by many writers, its owner's alone, and nothing where nothing was done."""

from __future__ import annotations

import json
import os
import stat
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.plugin_utils import _writes
from ansible_collections.keyholder.macos.plugins.plugin_utils._writes import WriteLog, entry_of, outcome_of, run_of


def read(path: Path) -> list[dict[str, t.Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_lines_of_many_writers_stay_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each writes a few bytes at a time, as on a full disk: only the lock keeps their lines apart."""
    real = os.write

    def slowly(file: int, data: bytes) -> int:
        time.sleep(0.0005)
        return real(file, data[:5])

    monkeypatch.setattr(os, "write", slowly)
    path = tmp_path / "log.jsonl"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: WriteLog(str(path)).add({"number": number}), range(40)))
    assert sorted(line["number"] for line in read(path) if line) == list(range(40))


def test_its_owner_alone_may_read_it_and_nothing_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "new" / "log.jsonl"
    WriteLog(str(path)).demand()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and path.read_bytes() == b""
    for number in (1, 2):
        WriteLog(str(path)).add({"number": number})
    assert [line["number"] for line in read(path)] == [1, 2]


def test_a_line_that_was_cut_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"number": 1}\n{"num')
    WriteLog(str(path)).add({"number": 2})
    assert path.read_text().splitlines() == ['{"number": 1}', '{"num', '{"number": 2}']


def test_a_place_that_cannot_be_written_is_a_refusal(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path, tmp_path / "file" / "log"):
        log = WriteLog(str(path))
        for act in (log.demand, partial(log.add, {})):
            with pytest.raises(Refusal) as caught:
                act()
            assert caught.value.reason == "log_unwritable"


@pytest.mark.parametrize(
    ("result", "outcome"),
    [
        ({"changed": True}, "changed"),
        ({"changed": False}, ""),
        ({"changed": False, "failed": True}, "refused"),
        ({"changed": True, "failed": True}, "failed"),
        ({"changed": True, "unreachable": True}, "unknown"),
        ({"changed": False, "unreachable": True}, ""),
    ],
)
def test_what_came_of_a_task(result: dict[str, t.Any], outcome: str) -> None:
    assert outcome_of(result) == outcome


def test_a_line_names_who_what_and_whom_and_no_other_option(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_writes.context, "CLIARGS", {"args": ("onboard.yml",)})
    options = {"name": "ana", "password": "a-secret-9", "admin_password": "another-9", "hint": "a-secret-9"}
    variables = {"inventory_hostname": "mac-1", "awx_user_name": "nadia", "awx_job_id": 7, "x": "a-secret-9"}
    result = {"changed": True, "plan": ["grant ana a Secure Token"], "recovery_key": "a-secret-9"}
    entry = entry_of("account", options, variables, result)
    assert {key: value for key, value in entry.items() if key != "time"} == {
        "by": "nadia",
        "job": "7",
        "playbook": "onboard.yml",
        "play": "",
        "module": "account",
        "mac": "mac-1",
        "account": "ana",
        "outcome": "changed",
        "reason": "",
        "steps": ["grant ana a Secure Token"],
    }
    assert entry["time"].endswith("Z") and "a-secret-9" not in json.dumps(entry)


def test_who_runs_it_is_awx_user_or_the_controllers_and_who_that_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_writes.context, "CLIARGS", {"args": "all", "module_name": "x"})
    monkeypatch.setattr(_writes.getpass, "getuser", lambda: "root")
    monkeypatch.delenv("SUDO_USER", raising=False)
    assert run_of({}) == {"by": "root", "job": "", "playbook": "", "play": ""}
    monkeypatch.setenv("SUDO_USER", "nadia")
    assert run_of({})["by"] == "root (sudo, nadia)"
    assert run_of({"tower_user_name": "eva"})["by"] == "eva"
