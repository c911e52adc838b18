# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action of audit_report says what is wrong before anything is read, and who is missing from what is merged."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path
from unittest.mock import MagicMock

import pytest
from ansible.errors import AnsibleActionFail, AnsibleError
from readings import NOW, PHANTOM, reading

from ansible_collections.keyholder.macos.plugins.action.audit_report import ActionModule, _packed
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.fleet import Answer
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.history import History


def act(variables: dict[str, t.Any] | None = None, **args: t.Any) -> dict[str, t.Any]:
    task = MagicMock(args=args, async_val=0, check_mode=False, action="keyholder.macos.audit_report")
    action = ActionModule(task, MagicMock(), MagicMock(), MagicMock(), MagicMock(), None)
    return action.run(None, {"hostvars": {}, **(variables or {})})


def test_what_could_be_made_leaves_no_report(tmp_path: Path) -> None:
    assert act(validate_only=True)["changed"] is False
    kept = tmp_path / "history.sqlite"
    assert act(validate_only=True, dest=str(tmp_path / "new"), history=str(kept))["changed"] is False
    assert list((tmp_path / "new").iterdir()) == []
    history = History(str(kept))
    assert history.runs() == []
    history.close()


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"policy": {"ruls": []}}, "ruls"),
        ({"policy_files": ["/nowhere.yml"]}, "/nowhere.yml"),
        ({"since": "yesterday"}, "since is 'yesterday'.*2026-01-31"),
        ({"fail_on": "hihg"}, "fail_on.*critical"),
        ({"formats": ["pdf"]}, "formats.*html"),
        ({"history": "/nowhere/history.sqlite"}, "/nowhere/history.sqlite"),
        ({"dest": "/dev/null/report"}, "/dev/null"),
    ],
)
def test_what_would_keep_the_report_from_being_made_is_said_before(wrong: dict[str, t.Any], why: str) -> None:
    with pytest.raises(AnsibleError, match=why):
        act(validate_only=True, **wrong)


def test_who_breaks_the_rule_that_fails_the_play_is_named(tmp_path: Path) -> None:
    saved = tmp_path / "x.jsonl"
    lines = [Answer(f"m{number}", "read", NOW, reading(accounts=(PHANTOM,))).text() for number in range(12)]
    saved.write_text("\n".join(lines) + "\n", encoding="utf-8")
    done = act(dest=str(tmp_path), saved=[str(saved)], fail_on="high", formats=["json"])
    assert done["failed"] and done["summary"]
    assert done["msg"].startswith("12 Macs break a rule that is high or worse: m0, ")
    assert done["msg"].endswith(" and 2 more")


def test_a_merge_names_whom_no_slice_delivered(tmp_path: Path) -> None:
    packed = dict([_packed(Answer("a", "read", NOW, reading()))])
    act(packed, dest=str(tmp_path), packed=True, expected=["a", "b"], formats=["json"])
    macs = json.loads((tmp_path / "audit.json").read_text(encoding="utf-8"))["macs"]
    assert {mac["host"]: (mac["state"], mac["why"]) for mac in macs}["b"] == (
        "unreachable", "its slice delivered nothing",
    )  # fmt: skip


def test_a_merge_of_files_expects_nobody(tmp_path: Path) -> None:
    saved = tmp_path / "x.jsonl"
    saved.write_text(Answer("a", "read", NOW, reading()).text() + "\n", encoding="utf-8")
    done = act(dest=str(tmp_path), packed=True, saved=[str(saved)], expected=["b"], formats=["json"])
    assert done["fleet"]["macs"] == 1


def test_a_merge_of_nothing_fails_and_keeps_nothing(tmp_path: Path) -> None:
    kept = str(tmp_path / "history.sqlite")
    with pytest.raises(AnsibleActionFail, match="no answer of any Mac"):
        act(dest=str(tmp_path), packed=True, expected=["a"], history=kept)
    history = History(kept)
    assert history.runs() == []
    history.close()
    assert not list(tmp_path.glob("audit*"))


def test_a_partial_audit_is_kept_as_one(tmp_path: Path) -> None:
    saved = tmp_path / "x.jsonl"
    saved.write_text(Answer("a", "read", NOW, reading()).text() + "\n", encoding="utf-8")
    kept = str(tmp_path / "history.sqlite")
    act(dest=str(tmp_path), saved=[str(saved)], history=kept, partial=True, formats=["json"])
    history = History(kept)
    assert [run.partial for run in history.runs()] == [True]
    history.close()
