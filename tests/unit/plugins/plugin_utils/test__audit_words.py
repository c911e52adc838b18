# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two words and two numbers, the same everywhere; causes with Macs and commands; what has changed, in sentences."""

from __future__ import annotations

import csv
import json
import shlex
import sqlite3
import typing as t
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from readings import ANA, BO, DAY, MAC, NOW, WAITING
from test__audit_report import EVIL, FLEET, LOCKED_OUT, OFF, make, read

from ansible_collections.keyholder.macos.plugins.filter.fleet import fleet
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.causes import Cause
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.history import History
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.inventory import (
    check_columns,
    columns_of,
    inventory_words,
    texts_of,
)
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.mac import answer_of
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.saved import saved_answers
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.summary import Summary

NOBODY = {"accounts": (BO, replace(ANA, admin=False))}
"""Only a standard account holds a token: the reading's own word for it is at_risk."""
MIXED = [
    read("fine"),
    read("off-1", filevault=OFF),
    read("off-2", filevault=OFF),
    read("nobody", **NOBODY),
    read("waits", accounts=(WAITING, ANA)),
    read("lost", **LOCKED_OUT),
    read("mute", management=replace(MAC.management, enrolled=None)),
    answer_of("gone", {"unreachable": True, "msg": "ssh: connect to host gone port 22: Operation timed out"}, NOW),
]
RECOVERABLE = {"yes": 4, "pending": 1, "at_risk": 1, "no": 1, "unknown": 0, "not_read": 1}
COMPLIANT = {"yes": 1, "no": 5, "unknown": 1, "not_read": 1}


@pytest.fixture(name="summary")
def _summary(tmp_path: Path) -> Summary:
    return make(tmp_path, MIXED).summary


# -- two numbers ------------------------------------------------------------------------------------------------------


def test_each_form_says_the_same_two_numbers(tmp_path: Path) -> None:
    made = make(tmp_path, MIXED)
    assert (made.summary.recoverable, made.summary.compliant) == (RECOVERABLE, COMPLIANT)
    content = json.loads(made.text("audit.json"))
    assert (content["summary"]["recoverable"], content["summary"]["compliant"]) == (RECOVERABLE, COMPLIANT)
    rows = list(csv.DictReader(made.text("audit.csv").splitlines()))
    suites = ElementTree.fromstring(made.text("audit.xml")).findall("testsuite")
    for word, counted in (("recoverable", RECOVERABLE), ("compliant", COMPLIANT)):
        for verdict, number in counted.items():
            assert [entry[word] for entry in content["macs"]].count(verdict) == number
            assert [row[word] for row in rows].count(verdict) == number
            found = [suite.find(f"properties/property[@name='{word}'][@value='{verdict}']") for suite in suites]
            assert len([one for one in found if one is not None]) == number
    words = [
        "Recoverable: 4 of 8 Macs (1 pending, 1 at risk, 1 no, 1 not read)",
        "Compliant: 1 of 8 Macs (5 no, 1 unknown, 1 not read)",
    ]
    assert made.summary.lines()[:2] == words
    assert all(f"- {word.replace('(', '(')}" in made.text("audit.md") for word in words)
    assert all(word in made.text("audit.html") for word in words)


def test_the_status_says_them_too() -> None:
    pairs = [(answer.host, None if answer.mac is None else {"mac": dict(answer.mac)}) for answer in MIXED]
    said = fleet(pairs, sources=["hosts.yml"], now=NOW)
    assert (said["recoverable"], said["compliant"]) == (RECOVERABLE, COMPLIANT)
    assert said["macs"]["off-1"]["compliant"] == "no" and said["macs"]["off-1"]["recoverable"] == "yes"
    run = "ansible-playbook keyholder.macos.filevault -e filevault_user=itadmin -e @secrets.yml -i hosts.yml"
    assert f"    run: {run} --limit off-1,off-2" in said["lines"]


def test_no_state_is_named_by_a_word_that_its_reading_uses_otherwise(summary: Summary) -> None:
    for row in summary.rows:
        assert (row.state == "at_risk") == (row.recoverable == "at_risk")
        assert row.state != "compliant" or row.recoverable == "yes"
        assert row.state not in ("recoverable", "pending")


@pytest.mark.parametrize(
    ("limit", "failed", "unknown"),
    [
        ("recoverable", ["nobody", "waits", "lost"], ["gone"]),
        ("compliant", ["off-1", "off-2", "nobody", "waits", "lost"], ["mute", "gone"]),
        ("critical", ["nobody", "lost"], []),
        ("high", ["off-1", "off-2", "nobody", "lost"], ["mute"]),
    ],
)
def test_the_exit_code_follows_the_same_words(
    summary: Summary, limit: str, failed: list[str], unknown: list[str]
) -> None:
    assert summary.failing(limit) == (failed, unknown)


# -- causes -----------------------------------------------------------------------------------------------------------


def cause(summary: Summary, code: str) -> Cause:
    (found,) = [one for one in summary.causes if one.code == code]
    return found


def test_one_cause_has_its_macs_once_and_one_command(summary: Summary) -> None:
    off = cause(summary, "filevault_on")
    assert off.lines() == [
        "2 Macs: FileVault: off [high, filevault_on]",
        "    off-1, off-2",
        "    run: ansible-playbook keyholder.macos.filevault -e filevault_user=itadmin -e @secrets.yml -i INVENTORY "
        "--limit off-1,off-2",
    ]
    assert sum("FileVault: off" in line for line in summary.lines()) == 1


def test_of_many_macs_the_first_few_are_shown_and_the_command_has_all(tmp_path: Path) -> None:
    made = make(tmp_path, [read(f"mac-{number:02}", filevault=OFF) for number in range(80)])
    (first, names, run, *others) = made.summary.lines()[2:]
    assert (first, others) == ("80 Macs: FileVault: off [high, filevault_on]", [])
    assert names == "    mac-00, mac-01, mac-02, mac-03, mac-04 and 75 more"
    assert shlex.split(run)[-1].split(",") == [f"mac-{number:02}" for number in range(80)]
    assert "80 Macs: FileVault: off" in made.text("audit.html") and "80 Macs: FileVault: off" in made.text("audit.md")


def test_findings_that_differ_are_one_cause_with_an_example(tmp_path: Path) -> None:
    made = make(tmp_path, [read("a", accounts=(WAITING, ANA)), read("b", accounts=(replace(WAITING, name="sam"), ANA))])
    waiting = cause(made.summary, "admin_token_to_come")
    assert waiting.sentence.startswith(
        '2 Macs fail "No administrator is still waiting for a Secure Token", for example: '
    )


OWN = {"id": "own", "title": "Own", "severity": "low", "rationale": "r", "remedy": "m", "fail_when": "true"}


def test_no_command_is_proposed_for_a_lost_mac(tmp_path: Path) -> None:
    own = {"rules": [{**OWN, "run": "own.yml"}]}
    told = cause(make(tmp_path, [read("fine"), read("lost", **LOCKED_OUT)], own).summary, "own")
    assert told.hosts == ("fine", "lost")
    assert told.commands == ["ansible-playbook own.yml -i INVENTORY --limit fine"]


def test_macs_that_need_commands_of_their_own_have_the_first_few(tmp_path: Path) -> None:
    own = {"rules": [{**OWN, "run": "own.yml", "run_with": "-e disk={{ mac.hardware.model }}"}]}
    macs = [read(f"mac-{one}", model=f"Mac{one},1") for one in range(5)]
    lines = cause(make(tmp_path, macs, own).summary, "own").lines()
    runs = [f"    run: ansible-playbook own.yml -e disk=Mac{one},1 -i INVENTORY --limit mac-{one}" for one in range(3)]
    assert lines[2:] == [*runs, "    and 2 more commands, in the report"]


def test_the_same_trouble_is_one_cause_whatever_the_macs_are_called(tmp_path: Path) -> None:
    said = [{"unreachable": True, "msg": f"Failed to connect to the host via ssh: {host}: strange"} for host in "ab"]
    made = make(tmp_path, [answer_of(host, result, NOW) for host, result in zip("ab", said)])
    assert [(one.sentence, one.hosts) for one in made.summary.causes] == [("2 Macs: HOST: strange", ("a", "b"))]


def test_a_hostile_name_ends_no_command() -> None:
    (command,) = Cause("rule", "x", "high", "w", ("a; rm -rf /", "b"), "", (("p", ("a; rm -rf /", "b")),)).commands
    assert shlex.split(command) == ["ansible-playbook", "p", "-i", "INVENTORY", "--limit", "a; rm -rf /,b"]


def test_each_mac_that_is_not_compliant_has_a_cause(summary: Summary) -> None:
    told = {host for one in summary.causes for host in one.hosts}
    assert told == {row.host for row in summary.rows if row.compliant != "yes"}


# -- what has changed -------------------------------------------------------------------------------------------------


@pytest.fixture(name="history")
def _history(tmp_path: Path) -> t.Iterator[History]:
    history = History(str(tmp_path / "history.sqlite"))
    yield history
    history.close()


def test_what_has_changed_is_told_in_sentences(history: History, tmp_path: Path) -> None:
    before = [read("a"), read("b"), read("c", filevault=OFF), read("leaves"), FLEET[4]]
    after = [read("a", **NOBODY), read("b", filevault=OFF), read("c"), read("comes"), read("gone")]
    make(tmp_path, before, history=history, now=NOW - DAY)
    made = make(tmp_path, after, history=history)
    assert made.summary.changed == [
        "1 Mac is newly at risk or lost: a",
        '1 Mac newly fails "An administrator holds a Secure Token, or gets one at the first login": a',
        '1 Mac newly fails "FileVault is on": b',
        '1 Mac no longer fails "FileVault is on": c',
        "1 Mac was read again: gone",
        "1 Mac is new: comes",
        "1 Mac is gone: leaves",
        "No longer token holders: itadmin on a",
    ]
    assert "Changed since 2026-09-20T14:13:20Z:" in made.summary.lines()
    same = make(tmp_path, after, history=history, now=NOW + DAY)
    assert same.summary.changed == ["Nothing"]


def older(path: Path) -> None:
    """Make of a history what version 1 wrote of the same Macs."""
    with sqlite3.connect(str(path)) as base:
        for table in ("runs", "macs", "numbers"):
            for verb in ("UPDATE", "DELETE"):
                base.execute(f"DROP TRIGGER {table}_{verb}")
        base.execute("DROP TABLE numbers")
        base.execute("UPDATE macs SET state = 'recoverable' WHERE state = 'compliant'")
        base.execute("UPDATE macs SET state = 'at_risk' WHERE state = 'urgent'")
        for number, states in base.execute("SELECT id, states FROM runs").fetchall():
            was = json.loads(states)
            was["recoverable"] = was.pop("compliant")
            was["at_risk"] += was.pop("urgent")
            base.execute("UPDATE runs SET states = ? WHERE id = ?", (json.dumps(was), number))
        base.execute("PRAGMA user_version = 1")
    base.close()


def test_a_history_of_version_1_goes_on_with_its_numbers_and_states(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    first = History(str(path))
    make(tmp_path, MIXED, history=first, now=NOW - 2 * DAY)
    first.close()
    older(path)
    again = History(str(path))
    (run,) = again.runs()
    assert {verdict: number for verdict, number in run.recoverable.items() if number} == {
        verdict: number for verdict, number in RECOVERABLE.items() if number
    }
    states = {host: was.state for host in ("fine", "off-1", "nobody") if (was := again.before(host, NOW))}
    assert states == {"fine": "compliant", "off-1": "urgent", "nobody": "at_risk"}
    made = make(tmp_path, MIXED, history=again, now=NOW - DAY)
    assert made.summary.changed == ["Nothing"]
    later = make(tmp_path, [read("off-1"), *MIXED], history=again)
    assert [(change.host, change.was, change.now) for change in later.summary.changes] == [
        ("off-1", "urgent", "compliant")
    ]
    assert again.odd == 0
    assert [point.compliant["yes"] for point in again.runs()] == [1, 1, 2]
    again.close()


def test_a_report_of_version_1_is_read(tmp_path: Path) -> None:
    made = make(tmp_path, MIXED)
    content = json.loads(made.text("audit.json"))
    content["schema"] = "keyholder.macos.audit/1"
    for entry in content["macs"]:
        for key in ("remedy", "evidence", "columns", "recoverable", "compliant"):
            del entry[key]
    (tmp_path / "old.json").write_text(json.dumps(content))
    unread: list[str] = []
    (tmp_path / "of-old").mkdir()
    again = make(tmp_path / "of-old", saved_answers(str(tmp_path / "old.json"), unread))
    assert (unread, again.summary.recoverable, again.summary.compliant) == ([], RECOVERABLE, COMPLIANT)


# -- columns and the head ---------------------------------------------------------------------------------------------


class Broken(dict[str, t.Any]):
    """As Ansible's variables are if a template of theirs fails."""

    def get(self, key: str, default: t.Any = None) -> t.Any:
        if key == "broken":
            raise ValueError("undefined")
        return super().get(key, default)


def test_columns_are_texts_whatever_the_inventory_holds() -> None:
    given = Broken(owner="Zoë\x1b[31m", tags=["a", 5], none=None, deep={"a": 1}, broken="x")
    names = ["owner", "tags", "none", "deep", "broken", "missing"]
    assert list(columns_of(given, names).values()) == ["Zoë?[31m", "a, 5", "", "", "", ""]


@pytest.mark.parametrize("names", [["ansible_password"], ["owner", "vault_x"], "owner,ansible_become_pass", [""], [5]])
def test_a_column_that_may_be_a_secret_or_is_no_name_is_refused(names: t.Any) -> None:
    with pytest.raises(Refusal, match="columns"):
        check_columns(names)
    check_columns(["owner", "department"])
    check_columns("owner,department")
    check_columns(None)


def test_columns_are_in_every_form_and_only_texts(tmp_path: Path) -> None:
    columns = {"owner": EVIL, "department": "Sales"}
    answers = [replace(read("good"), columns=columns), replace(FLEET[4], columns=columns)]
    made = make(tmp_path, answers, columns=("owner", "department"), about={"Organisation": EVIL})
    for entry in json.loads(made.text("audit.json"))["macs"]:
        assert entry["columns"] == columns
    for row in csv.DictReader(made.text("audit.csv").splitlines()):
        assert row["department"] == "Sales" and row["owner"].startswith("'=cmd")
    assert "<script>alert" not in made.text("audit.html") and "Organisation" in made.text("audit.html")
    ElementTree.fromstring(made.text("audit.xml"))
    again = list(saved_answers(str(tmp_path / "audit.jsonl"), []))
    assert [set(answer.columns) for answer in again] == [{"owner", "department"}] * 2


def test_the_head_leaves_out_what_is_empty() -> None:
    assert texts_of({"Organisation": "Example", "Made by": "", "Scope": None, 5: ["a"]}) == {
        "Organisation": "Example",
        "5": "a",
    }


def test_a_command_names_the_inventory_of_this_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert inventory_words([f"{tmp_path}/a b.yml", "/etc/hosts"]) == "-i 'a b.yml' -i /etc/hosts"
    assert inventory_words(None) == inventory_words([]) == "-i INVENTORY"


def test_a_command_opens_the_vault_as_this_run_did(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    here = {"ask_vault_pass": True, "vault_password_files": [f"{tmp_path}/a b"], "vault_ids": [f"it@{tmp_path}/key"]}
    monkeypatch.setattr("ansible.context.CLIARGS", here)
    words = "-i /etc/hosts --vault-id it@key --vault-password-file 'a b' --ask-vault-pass"
    assert inventory_words(["/etc/hosts"]) == words
    monkeypatch.setattr("ansible.context.CLIARGS", {"ask_vault_pass": False, "vault_ids": []})
    assert inventory_words(["/etc/hosts"]) == "-i /etc/hosts"
