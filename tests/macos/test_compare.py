# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A line that changed, a record that is gone and one that is new are told; what no two runs share is not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from proving import compare


def record(*command: str, out: str = "", err: str = "", rc: int | None = 0) -> dict[str, Any]:
    return {"id": "-".join(command), "command": list(command), "stdout": out, "stderr": err, "rc": rc, "context": ""}


ENABLED = "2026-11-29 10:00:01.204 sysadminctl[1056:11522] Secure token is ENABLED for user Person Number 1\n"
STATUS = record("sysadminctl", "-secureTokenStatus", "person1", err=ENABLED)
OFF = record("fdesetup", "status", out="FileVault is Off.\n")


def kinds(now: list[dict[str, Any]], before: list[dict[str, Any]], lab: bool = False) -> list[tuple[str, str]]:
    return [(one.id, one.kind) for one in compare.differences(now, before, lab)]


def test_the_same_is_the_same_at_another_time() -> None:
    later = {**STATUS, "stderr": ENABLED.replace("10:00:01.204", "23:59:00.100").replace("1056:11522", "7:a4")}
    assert kinds([later, OFF], [STATUS, OFF]) == []


@pytest.mark.parametrize(
    "change", [{"stderr": ENABLED.replace("ENABLED", "DISABLED")}, {"rc": 1}, {"stderr": ENABLED + "more\n"}]
)
def test_a_change_is_told_with_the_record_s_id(change: dict[str, Any]) -> None:
    (found,) = compare.differences([{**STATUS, **change}, OFF], [STATUS, OFF])
    assert (found.id, found.kind) == (STATUS["id"], compare.CHANGED)
    assert found.now != found.before


def test_what_is_gone_and_what_is_new_is_told() -> None:
    assert kinds([STATUS], [OFF]) == [(STATUS["id"], compare.NEW), (OFF["id"], compare.GONE)]


def test_the_lab_need_not_be_that_mac_nor_have_its_system_accounts() -> None:
    listed = ("dscl", ".", "-list", "/Users", "UniqueID")
    real = [record("sw_vers", out="a\n"), record(*listed, out="_new  300\nroot 0\nperson1 501\n")]
    lab = [record("sw_vers", out="b\n"), record(*listed, out="root 0\nperson1 501\n")]
    assert kinds(real, lab, lab=True) == []
    assert len(kinds(real, lab)) == 2
    assert kinds(real, [lab[0], record(*listed, out="root 0\nperson1 502\n")], lab=True) == [
        (real[1]["id"], compare.CHANGED)
    ]


def test_a_mac_cannot_give_orders_to_the_job() -> None:
    one = compare.Difference("id: a,b", "sysadminctl\n::error::no", compare.CHANGED)
    assert compare.annotation(one, "the lab") == (
        "::warning title=id%3A a%2Cb::sysadminctl%0A::error::no: changed, compared with the lab"
    )
    assert "\n" not in compare.table([compare.Difference("x", "y", "new", now="a\n|b")], "it").splitlines()[-1]


def written(folder: Path, name: str, *found: dict[str, Any]) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(one) + "\n" for one in found))
    return folder


def called(*arguments: Path, **job: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "proving.compare", *arguments]
    environment = {"PYTHONPATH": str(Path(compare.__file__).parents[1]), "PATH": "/usr/bin:/bin", **job}
    return subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)


def test_folders_are_compared_file_by_file(tmp_path: Path) -> None:
    now = written(written(tmp_path / "now", "local/mac-1.jsonl", STATUS), "ssh/mac-1.jsonl", OFF)
    before = written(tmp_path / "before", "local/mac-1.jsonl", {**STATUS, "rc": 1})
    summary = tmp_path / "summary.md"
    done = called(now, before, GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(summary))
    assert done.returncode == 0
    warnings = [line for line in done.stdout.splitlines() if line.startswith("::warning")]
    assert [STATUS["id"] in line for line in warnings] == [True, False]
    assert "2 records are different from the last run." in summary.read_text()


def test_there_may_be_no_earlier_run_but_there_must_be_this_one(tmp_path: Path) -> None:
    now = written(tmp_path / "now", "mac-1.jsonl", STATUS)
    done = called(now, tmp_path / "nowhere")
    assert (done.returncode, done.stdout) == (0, "There is no earlier run to compare with.\n")
    assert called(tmp_path / "nowhere", now).returncode == 2
