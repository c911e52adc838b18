# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results become data, transcripts become fixtures, and an assumption that a Mac has shown loses its mark, alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from maclab import rules, texts
from maclab.rules import Row, Rule
from maclab.wording import assumed, seen
from proving import marks, questions, take_in

ROOT = take_in.ROOT
TEXTS = {
    "dscl.unknown": (assumed("Invalid command: {command}\n"),),
    "dscl.other": (seen("Data source ({node}) is not valid.\n", "somewhere"),),
    "sysadminctl.made": (seen("- Done!", "x"), assumed("The account {user} is made", first=(26,))),
    "dscl.brace": (assumed("no such service }\n"),),
    "sysadminctl.short": (assumed("{user}!"),),
    "sysadminctl.two_lines": (assumed("one line here\nanother line\n"),),
    "sysadminctl.like_another": (assumed("User {user} is gone for good"),),
    "sysadminctl.another": (seen("User {user} is gone for {time}", "y"),),
}
SOURCE = """
TEXTS = {
    "dscl.unknown": (assumed("Invalid command: {command}\\n"),),
    "dscl.other": (seen("Data source ({node}) is not valid.\\n", "somewhere"),),
    "sysadminctl.made": (seen("- Done!", "x"), assumed("The account {user} is made", first=(26,))),
}
"""


def record(
    name: str, *command: str, out: str = "", err: str = "", rc: int = 0, macos: str = "15.7.7"
) -> dict[str, Any]:
    return {
        "id": f"recorded-{macos}-macos-15-local-{name}",
        "command": list(command),
        "input": None,
        "stdout": out,
        "stderr": err,
        "stream_known": True,
        "rc": rc,
        "macos": macos,
        "hardware": "VirtualMac2,1 Apple silicon VM",
        "context": "",
        "source": "",
        "confidence": "verbatim",
    }


UNKNOWN = record("dscl-unknown-command", "dscl", ".", "-nosuch", out="Invalid command: nosuch\n")


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marks, "TEXTS", TEXTS)


@pytest.mark.usefixtures("little")
@pytest.mark.parametrize(
    "said",
    [
        # Another program, part of a line, too little of its own, one of two lines.
        record("x", "fdesetup", "nosuch", out="Invalid command: nosuch\n"),
        record("x", "dscl", ".", out="He said: Invalid command: nosuch\n"),
        record("x", "sysadminctl", err="ana!\n"),
        record("x", "sysadminctl", err="one line here\n"),
        # What two texts explain shows neither; and a text that 15 does not have.
        record("x", "sysadminctl", err="2026-01-01 10:00:00.1 sysadminctl[1:f] User ana is gone for good\n"),
        record("x", "sysadminctl", err="The account ana is made\n"),
    ],
)
def test_what_is_no_proof_takes_no_mark(said: dict[str, Any]) -> None:
    assert marks.texts([said]) == []


@pytest.mark.usefixtures("little")
def test_a_line_shows_the_text_that_alone_explains_it() -> None:
    made = record("add", "/usr/sbin/sysadminctl", err="sysadminctl[12:ab] The account ana is made\n", macos="26.5.2")
    both = record("x", "sysadminctl", err="one line here\nanother line\n")
    assert [one.name for one in marks.texts([both])] == ["sysadminctl.two_lines"]
    brace = record("x", "dscl", out="no such service }\n")
    assert [one.name for one in marks.texts([brace])] == ["dscl.brace"]
    shown = marks.texts([UNKNOWN, made])
    assert [(one.name, one.place, one.record) for one in shown] == [
        ("dscl.unknown", 0, UNKNOWN["id"]),
        ("sysadminctl.made", 1, made["id"]),
    ]
    source, done = marks.without_marks(SOURCE, shown)
    assert done == shown
    assert f'(seen("Invalid command: {{command}}\\n", "{UNKNOWN["id"]}"),)' in source
    assert f'seen("The account {{user}} is made", "{made["id"]}", first=(26,))' in source
    kept: dict[str, Any] = {"seen": seen, "assumed": assumed}
    exec(source, kept)
    assert [one.assumed for one in kept["TEXTS"]["sysadminctl.made"]] == [False, False]
    assert kept["TEXTS"]["sysadminctl.made"][1].first == (26,)


def test_a_name_that_is_none_never_gets_into_the_source() -> None:
    with pytest.raises(ValueError, match="no name"):
        marks.without_marks(SOURCE, [marks.Shown("text", "dscl.unknown", 0, 'x", first=exit())#')])


HOLDER: Rule[Any] = Rule("adduser_uid", "", (Row((10, 13), True, assumed=True), Row((26,), True, "z")))


@pytest.mark.parametrize(
    ("out", "macos", "shown", "denied"),
    [
        ("UniqueID: 7301\n", "15.7.7", [0], []),
        ("UniqueID: 7301\n", "26.5.2", [], []),
        ("UniqueID: 502\n", "15.7.7", [], ["False"]),
        ("no answer\n", "15.7.7", [], []),
    ],
)
def test_an_answer_settles_its_rule_or_contradicts_it(
    monkeypatch: pytest.MonkeyPatch, out: str, macos: str, shown: list[int], denied: list[str]
) -> None:
    monkeypatch.setattr(marks, "every_rule", lambda: [HOLDER])
    answer = record("add-uid", "dscl", ".", "-read", "/Users/khask", "UniqueID", out=out, macos=macos)
    mine, against = marks.rules([answer])
    assert [one.place for one in mine] == shown
    assert [one.real for one in against] == denied
    source = 'A = Rule("adduser_uid", "", (Row(EVERY, True, assumed=True), Row((26,), True, "z")))\n'
    text, done = marks.without_marks(source, mine)
    assert (text != source) is bool(shown) is bool(done)
    assert ("assumed" in text) is not bool(shown)


@pytest.mark.parametrize(("rc", "settled"), [(0, 1), (1, 0), (None, 0)])
def test_an_answer_tells_nothing_where_what_went_before_has_failed(
    monkeypatch: pytest.MonkeyPatch, rc: int | None, settled: int
) -> None:
    grants: Rule[Any] = Rule("add_grants_token", "", (Row((10, 13), True, assumed=True),))
    monkeypatch.setattr(marks, "every_rule", lambda: [grants])
    said = "Secure token is DISABLED for user x\n"
    status = record("fde-add-status", "sysadminctl", "-secureTokenStatus", "khask", err=said)
    added = [] if rc is None else [record("fde-add", "fdesetup", "add", "-inputplist", rc=rc)]
    assert marks.rules([*added, status]) == (
        [],
        [] if not settled else [marks.Denied("add_grants_token", "True", "False", status["id"])],
    )


def test_every_question_that_settles_a_rule_is_asked_and_the_rule_is_there() -> None:
    asked = {one.id for one in questions.questions("runner")}
    assert {one.question for one in questions.SETTLES} <= asked
    assert len(asked) == len(questions.questions("runner"))
    known = {rule.name: {type(row.value) for row in rule.rows} for rule in rules.every_rule()}
    for one in questions.SETTLES:
        assert {type(value) for _pattern, value in one.values} <= known[one.rule], one.rule


def test_every_text_of_the_lab_is_one_that_can_be_looked_for() -> None:
    assert marks.texts([record("x", key.partition(".")[0], out="nothing that is said\n") for key in texts.TEXTS]) == []


def test_the_lab_s_own_source_can_be_edited_at_every_mark() -> None:
    """Each mark is found where it stands, whatever the lab's files come to look like."""
    every = [
        marks.Shown("text", key, place, "some-record")
        for key, wordings in texts.TEXTS.items()
        for place, one in enumerate(wordings)
        if one.assumed
    ]
    every += [
        marks.Shown("rule", rule.name, place, "some-record")
        for rule in rules.every_rule()
        for place, row in enumerate(rule.rows)
        if row.assumed
    ]
    found = []
    for path in sorted((ROOT / take_in.LAB).glob("*.py")):
        text, done = marks.without_marks(path.read_text(encoding="utf-8"), every)
        compile(text, str(path), "exec")
        found += done
    assert len(found) >= 0.9 * len(every) > 0
    assert not [one for one in found if one not in every]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    shutil.copytree(ROOT / take_in.LAB, root / take_in.LAB, ignore=shutil.ignore_patterns("__pycache__", "programs"))
    (root / take_in.FIXTURE).parent.mkdir(parents=True)
    shutil.copy(ROOT / take_in.FIXTURE, root / take_in.FIXTURE)
    return root


RESULT = {
    "form": 1,
    "mac": 1,
    "runner": "python",
    "machine": {"label": "macos-15", "macos": "15.7.7", "chip": "Apple silicon"},
}


def an_assumed_text() -> dict[str, Any]:
    """A record that shows some text that the lab assumes for macOS 15, whichever those are by now."""
    for key, wordings in texts.TEXTS.items():
        text = wordings[0].text
        if wordings[0].assumed and len(wordings) == 1 and wordings[0].first <= (15,) and "{" not in text:
            one = record("said", key.partition(".")[0], "-x", out=text)
            if [shown.name for shown in marks.texts([one])] == [key]:
                return {**one, "key": key}
    raise AssertionError("nothing is assumed any more: take this test away")


def test_all_of_it_is_taken_in_once(tmp_path: Path, tree: Path) -> None:
    said = an_assumed_text()
    key = said.pop("key")
    seen_now = tmp_path / "artifacts" / "unknowns"
    seen_now.mkdir(parents=True)
    (seen_now / "mac-1.jsonl").write_text(json.dumps(said) + "\n")
    (tmp_path / "artifacts" / "result.json").write_text(json.dumps([RESULT, {**RESULT, "runner": "shell"}]))
    before = (tree / take_in.FIXTURE).read_text().splitlines()
    report = take_in.take_in(tmp_path / "artifacts", tree)
    assert report.startswith("1 results, 1 new transcripts, 1 marks gone, 0 contradicted.")
    assert f"text `{key}`, by `{said['id']}`" in report
    after = (tree / take_in.FIXTURE).read_text().splitlines()
    assert after[:-1] == before
    assert json.loads(after[-1]) == said
    assert said["id"] in "".join(path.read_text() for path in (tree / take_in.LAB).glob("*.py"))
    (kept,) = (tree / take_in.RESULTS).iterdir()
    assert kept.name == "macos-15-15.7.7-apple-silicon.json"
    assert [one["runner"] for one in json.loads(kept.read_text())] == ["python", "shell"]
    again = take_in.take_in(tmp_path / "artifacts", tree)
    assert again.startswith("1 results, 0 new transcripts")
    assert len((tree / take_in.FIXTURE).read_text().splitlines()) == len(after)


def test_the_fixture_gets_what_is_new_and_not_what_every_run_says() -> None:
    asked = record("on-piped", "sysadminctl", "-secureTokenOn", "khask", err="- Done!\n")
    other = record("on-piped", "sysadminctl", "-secureTokenOn", "khask", err="- Done!\n", macos="26.5.2")
    same = {**asked, "id": asked["id"].replace("local", "ssh")}
    reading = record("fdesetup-status", "fdesetup", "status", out="FileVault is Off.\n")
    assert take_in.new_records([asked, same, other, reading], [], []) == [asked, other]
    assert take_in.new_records([same], [asked], []) == []
    assert take_in.new_records([reading], [asked], [reading["id"]]) == [reading]


def test_a_result_of_another_form_is_refused(tmp_path: Path, tree: Path) -> None:
    (tmp_path / "result.json").write_text(json.dumps([{**RESULT, "form": 2}]))
    with pytest.raises(ValueError, match="form"):
        take_in.take_in(tmp_path, tree)
