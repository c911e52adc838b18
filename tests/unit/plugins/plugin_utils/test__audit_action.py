# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action of audit_report says what is wrong before anything is read, and who is missing from what is merged."""

from __future__ import annotations

import datetime
import errno
import json
import re
import typing as t
from pathlib import Path
from unittest.mock import MagicMock

import pytest
from readings import NOW, PHANTOM, reading

from ansible_collections.keyholder.macos.plugins.action.audit_report import ActionModule, _packed
from ansible_collections.keyholder.macos.plugins.module_utils._reason import REASONS
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.formats import base
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.history import History
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.mac import Answer


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
    refused = act(validate_only=True, **wrong)
    assert refused["failed"] and re.search(why, refused["msg"], re.DOTALL)
    assert refused["reason"] in REASONS


WRONG: list[tuple[dict[str, t.Any], str, str]] = [
    ({"policy": 5}, "value_unusable", "policy is a whole number, and must be a dictionary"),
    ({"policy": True}, "value_unusable", "policy is true or false"),
    ({"policy": "x"}, "value_unusable", "policy is a text"),
    ({"policy": [{}, 5]}, "value_unusable", "policy[1] is a whole number"),
    ({"policy": [None]}, "value_unusable", "policy[0] is empty (null)"),
    ({"policy": {"parameters": {"x": float("nan")}}}, "policy_unusable", "x holds what JSON does not"),
    ({"policy": {"rules": 5}}, "policy_unusable", "rules is not a list"),
    ({"policy_files": 5}, "value_unusable", "policy_files is the number 5, and must be a list"),
    ({"policy_files": [None]}, "not_text", "policy_files[0] is empty (null)"),
    ({"dest": 5}, "not_text", "dest is the number 5, and must be text"),
    ({"dest": ["a"]}, "not_text", "dest is a list"),
    ({"dest": True}, "not_text", "dest is true or false"),
    ({"name": 5}, "not_text", "name is the number 5"),
    ({"name": ""}, "value_unusable", "name is empty"),
    ({"title": {}}, "not_text", "title is a dictionary"),
    ({"title": "a\0b"}, "value_unusable", "title holds NUL"),
    ({"formats": 5}, "value_unusable", "formats is the number 5, and must be a list"),
    ({"formats": [None]}, "value_unusable", "formats[0] is empty (null), and must be one of html"),
    ({"formats": [True]}, "value_unusable", "formats[0] is true or false"),
    ({"formats": {"html": 1}}, "value_unusable", "formats is a dictionary"),
    ({"saved": 5}, "value_unusable", "saved is the number 5"),
    ({"saved": [5]}, "not_text", "saved[0] is the number 5"),
    ({"saved": [None]}, "not_text", "saved[0] is empty (null)"),
    ({"hosts": [5]}, "not_text", "hosts[0] is the number 5"),
    ({"expected": {}}, "value_unusable", "expected is a dictionary"),
    ({"variable": ["x"]}, "not_text", "variable is a list"),
    ({"history": True}, "not_text", "history is true or false"),
    ({"since": 5}, "value_unusable", "since is a whole number, and must be a day or a time"),
    ({"since": ["2026-01-31"]}, "value_unusable", "since is a list"),
    ({"since": "2026-02-31"}, "value_unusable", "since is '2026-02-31'"),
    ({"since": "10000-01-31"}, "value_unusable", "since is '10000-01-31'"),
    ({"partial": "perhaps"}, "value_unusable", "partial is a text, and must be true or false"),
    ({"pack": []}, "value_unusable", "pack is a list"),
    ({"fail_on": True}, "value_unusable", "fail_on is true or false"),
    ({"forrmats": ["html"]}, "option_unknown", "forrmats is not an option"),
]


@pytest.mark.parametrize(("wrong", "reason", "why"), WRONG, ids=[str(one[0]) for one in WRONG])
@pytest.mark.parametrize("more", [{"validate_only": True}, {"saved": ["/nowhere.json"]}], ids=["before", "itself"])
def test_an_option_of_another_kind_is_refused_before_anything_is_read_or_made(
    wrong: dict[str, t.Any], reason: str, why: str, more: dict[str, t.Any], tmp_path: Path
) -> None:
    refused = act(**{"dest": str(tmp_path / "new"), **more, **wrong})
    assert (refused["failed"], refused["changed"], refused["reason"]) == (True, False, reason)
    assert why in refused["msg"]
    assert not (tmp_path / "new").exists()


def test_a_day_without_quotes_is_a_day(tmp_path: Path) -> None:
    assert "failed" not in act(validate_only=True, since=datetime.date(2026, 1, 31))
    assert act(saved=["/nowhere.json"])["reason"] == "option_missing"


def kept_file(folder: Path, name: str = "x.jsonl") -> str:
    """A file with the answer of one Mac, called a."""
    (folder / name).write_text(Answer("a", "read", NOW, reading()).text() + "\n", encoding="utf-8")
    return str(folder / name)


def macs_of(folder: Path) -> dict[str, dict[str, t.Any]]:
    return {mac["host"]: mac for mac in json.loads((folder / "audit.json").read_text(encoding="utf-8"))["macs"]}


@pytest.mark.parametrize("broken", ["", "{", "[]", '{"schema": "other"}', "null"])
def test_a_slice_that_is_broken_costs_its_own_macs_only(tmp_path: Path, broken: str) -> None:
    (tmp_path / "b.json").write_text(broken, encoding="utf-8")
    kept = str(tmp_path / "history.sqlite")
    done = act(dest=str(tmp_path), packed=True, saved=[str(tmp_path / "b.json"), kept_file(tmp_path)],
               expected=["a", "b"], history=kept, formats=["json"])  # fmt: skip
    assert "failed" not in done
    macs = macs_of(tmp_path)
    assert {host: mac["status"] for host, mac in macs.items()} == {"a": "read", "b": "refused"}
    assert macs["b"]["reason"] == "reading_damaged"
    assert "its slice could not be read" in macs["b"]["why"] and "b.json" in macs["b"]["why"]
    assert "b.json" in done["notes"][0] and done["notes"][0] in done["summary"]
    history = History(kept)
    assert [run.partial for run in history.runs()] == [True]
    history.close()


def test_a_variable_that_holds_no_answer_is_its_macs_row(tmp_path: Path) -> None:
    packed = dict(_packed(Answer(host, "read", NOW, reading())) for host in ("a", "b", "c"))
    names = {host: _packed(Answer(host, "read", NOW, reading()))[0] for host in ("b", "c")}
    packed |= {names["b"]: "damaged", names["c"]: packed[names["b"]][:-40], "keyholder_packed_1": "x"}
    done = act(packed, dest=str(tmp_path), packed=True, formats=["json"])
    macs = macs_of(tmp_path)
    assert {host: mac["state"] for host, mac in macs.items()} == {"a": "compliant", "b": "refused", "c": "refused"}
    assert len(done["notes"]) == 1 and "keyholder_packed_1" in done["notes"][0]


def test_packed_answers_come_by_the_macs_names(tmp_path: Path) -> None:
    """The marks of their variables have another order: base32 puts digits behind letters."""
    hosts = ["good-002", "phantom-001", "work-001", "zeta", "1-mac"]
    packed = dict(_packed(Answer(host, "read", NOW, reading())) for host in hosts)
    assert sorted(hosts) != [host for dummy, host in sorted(zip(packed, hosts))]
    act(packed, dest=str(tmp_path), packed=True, formats=["json"])
    told = json.loads((tmp_path / "audit.json").read_text())
    assert [entry["host"] for entry in told["macs"]] == sorted(hosts)


def test_a_packed_and_a_saved_slice_together_miss_nobody(tmp_path: Path) -> None:
    packed = dict([_packed(Answer("b", "read", NOW, reading()))])
    act(packed, dest=str(tmp_path), packed=True, saved=[kept_file(tmp_path)], expected=["a", "b"], formats=["json"])
    assert {host: mac["status"] for host, mac in macs_of(tmp_path).items()} == {"a": "read", "b": "read"}


def test_what_is_no_database_is_refused_before_and_costs_no_report_after(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    path.write_text("a text that is long enough to be no database of any kind whatsoever")
    refused = act(validate_only=True, history=str(path))
    assert (refused["reason"], str(path) in refused["msg"]) == ("history_unusable", True)
    done = act(dest=str(tmp_path), saved=[kept_file(tmp_path)], history=str(path), formats=["json"])
    assert "failed" not in done and list(macs_of(tmp_path)) == ["a"]
    assert str(path) in done["notes"][0] and done["notes"][0] in done["summary"]


class Full(base.WholeFile):
    """A file on a disk that has no room any more: ``when`` it is told."""

    when = "close"

    def close(self) -> None:
        if self.when == "close":
            raise OSError(errno.ENOSPC, "No space left on device")
        super().close()

    def write(self, text: str) -> None:
        if self.when == "write":
            raise OSError(errno.ENOSPC, "No space left on device")
        super().write(text)


@pytest.mark.parametrize("when", ["write", "close"])
def test_a_full_disk_leaves_the_old_report_and_the_history_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    folder, kept = tmp_path / "out", str(tmp_path / "history.sqlite")
    saved = kept_file(tmp_path)
    assert "failed" not in act(dest=str(folder), saved=[saved], history=kept)
    was = {path.name: path.read_bytes() for path in folder.iterdir()}
    real = base.WholeFile
    # The last file is the one that finds no room.
    monkeypatch.setattr(Full, "when", when)
    monkeypatch.setattr(base, "WholeFile", lambda path: (Full if path.endswith(".jsonl") else real)(path))
    if when == "write":
        monkeypatch.setattr(base, "WholeFile", lambda path: (Full if path.endswith(".md") else real)(path))
    failed = act(dest=str(folder), saved=[saved], history=kept, title="New")
    assert (failed["failed"], failed["reason"]) == (True, "report_unwritable")
    assert "No space left on device" in failed["msg"] and str(folder) in failed["msg"]
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == was
    history = History(kept)
    assert len(history.runs()) == 1
    history.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the device that is always full is Linux's")
def test_what_waits_to_be_written_does_not_keep_a_part_from_being_taken_away(tmp_path: Path) -> None:
    file = base.WholeFile(str(tmp_path / "x"))
    part = next(tmp_path.iterdir())
    file.stream.close()
    file.stream = open("/dev/full", "w", encoding="utf-8")  # noqa: SIM115
    file.write("x")
    file.drop()
    assert not part.exists()


def test_a_folder_in_the_place_of_a_file_is_found_before_any_is_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    (folder / "audit.jsonl").mkdir(parents=True)
    (folder / "audit.html").write_text("old")
    failed = act(dest=str(folder), saved=[kept_file(tmp_path)])
    assert (failed["reason"], "audit.jsonl is a folder" in failed["msg"]) == ("report_unwritable", True)
    assert sorted(path.name for path in folder.iterdir()) == ["audit.html", "audit.jsonl"]
    assert (folder / "audit.html").read_text() == "old"


def test_who_breaks_the_rule_that_fails_the_play_is_named(tmp_path: Path) -> None:
    saved = tmp_path / "x.jsonl"
    lines = [Answer(f"m{number}", "read", NOW, reading(accounts=(PHANTOM,))).text() for number in range(12)]
    saved.write_text("\n".join(lines) + "\n", encoding="utf-8")
    done = act(dest=str(tmp_path), saved=[str(saved)], fail_on="high", formats=["json"])
    assert done["failed"] and done["summary"]
    assert done["msg"].startswith("12 Macs fail a rule that is high or worse: m0, ")
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
    failed = act(dest=str(tmp_path), packed=True, expected=["a"], history=kept)
    assert (failed["reason"], "no answer of any Mac" in failed["msg"]) == ("answers_missing", True)
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
