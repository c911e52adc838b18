# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action of audit_report says what is wrong before anything is read, and who is missing from what is merged."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path
from unittest.mock import MagicMock

import pytest
from ansible.errors import AnsibleActionFail
from readings import NOW, reading

from ansible_collections.keyholder.macos.plugins.action.audit_report import ActionModule, _packed
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.fleet import Answer
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.history import History


def act(variables: dict[str, t.Any] | None = None, **args: t.Any) -> dict[str, t.Any]:
    task = MagicMock(args=args, async_val=0, check_mode=False, action="keyholder.macos.audit_report")
    action = ActionModule(task, MagicMock(), MagicMock(), MagicMock(), MagicMock(), None)
    return action.run(None, {"hostvars": {}, **(variables or {})})


def test_a_policy_is_checked_without_a_report() -> None:
    assert act(validate_only=True)["changed"] is False
    for wrong in ({"policy": {"ruls": []}}, {"policy_files": ["/nowhere.yml"]}, {"since": "yesterday"}):
        with pytest.raises(AnsibleActionFail):
            act(validate_only=True, **wrong)


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
