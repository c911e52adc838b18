# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report says of each Mac what is so, in every form, keeps it, compares it, and lets no name from a Mac do harm."""

from __future__ import annotations

import csv
import json
import re
import sqlite3
import typing as t
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from readings import ANA, BO, DAY, ITADMIN, MAC, NOW, WAITING, reading

from ansible_collections.keyholder.macos.plugins.module_utils._account import Sources
from ansible_collections.keyholder.macos.plugins.module_utils._mac import FileVault, Missing
from ansible_collections.keyholder.macos.plugins.module_utils._macos import Version
from ansible_collections.keyholder.macos.plugins.module_utils._reading.ask import Ask
from ansible_collections.keyholder.macos.plugins.module_utils._reading.read import commands_of
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.audit import run_audit
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.escape import (
    cell,
    for_script,
    markdown,
    plain_text,
)
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.expressions import AuditPolicyError
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.formats import FORMATS
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.formats.base import WholeFile
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.history import History, HistoryError
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.mac import (
    Answer,
    answer_from,
    answer_of,
    judge_mac,
)
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.policy import load_policy
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.saved import SCHEMA, saved_answers, with_missing
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.summary import Summary

OFF = FileVault("off", personal_key=False, institutional_key=False)
LOCKED_OUT = {
    "accounts": (replace(BO, admin=True),),
    "filevault": FileVault("on", personal_key=False, institutional_key=False),
    "management": replace(MAC.management, bootstrap="not_escrowed", bootstrap_crypto_user=False),
}
EVIL = "=cmd|' /C calc'!A0<script>alert(1)</script>\x1b[31m\u202e`|@ana http://x.example www.x.example"


# Made once, and nothing changes it: compiling its rules takes longer than most of these tests.
BASELINE = load_policy()


def read(host: str, at: float = NOW, **changes: t.Any) -> Answer:
    return answer_of(host, {"mac": reading(**changes)}, at)


FLEET = [
    read("good"),
    read("off", filevault=OFF),
    read("lost", **LOCKED_OUT),
    read("odd", missing=(Missing("FileVault's status", "fdesetup status: rc 1: \x1b[2J<b>"),)),
    Answer("gone", "unreachable", None, None, "Connection timed out"),
    Answer("shut", "refused", NOW, None, "Missing sudo password", "shell_unreadable"),
    read("evil", accounts=(ITADMIN, replace(ANA, name=EVIL, full_name=EVIL)), pending=frozenset([EVIL])),
]
STATES = {
    "good": "compliant", "off": "urgent", "lost": "lost", "odd": "attention", "gone": "unreachable",
    "shut": "refused", "evil": "attention",
}  # fmt: skip


class Made(t.NamedTuple):
    """A report, and where its files are."""

    summary: Summary
    folder: Path

    def text(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")


def make(
    folder: Path,
    answers: t.Iterable[Answer],
    *layers: t.Any,
    history: History | None = None,
    now: float = NOW,
    since: float | None = None,
    title: str = "Audit",
    partial: bool = False,
    columns: tuple[str, ...] = (),
    about: t.Mapping[str, str] | None = None,
) -> Made:
    summary = Summary(load_policy(*layers) if layers else BASELINE, title, now, partial=partial)
    summary.columns, summary.about = columns, about or {}
    opened: list[WholeFile] = []

    def new(ending: str) -> WholeFile:
        opened.append(WholeFile(str(folder / f"audit{ending}")))
        return opened[-1]

    outputs = [make_format(new, summary) for make_format in FORMATS.values()]
    run_audit(answers, summary, outputs, history, since)
    for file in opened:
        file.done()
    return Made(summary, folder)


@pytest.fixture(name="made")
def _made(tmp_path: Path) -> Made:
    return make(tmp_path, FLEET)


# -- states -----------------------------------------------------------------------------------------------------------


def test_each_mac_is_in_its_state(made: Made) -> None:
    assert {row.host: row.state for row in made.summary.rows} == STATES
    assert made.summary.states == {
        "lost": 1, "at_risk": 0, "urgent": 1, "attention": 2, "unknown": 0, "refused": 1, "unreachable": 1,
        "compliant": 1,
    }  # fmt: skip
    assert made.summary.recoverable == {"yes": 4, "pending": 0, "at_risk": 0, "no": 1, "unknown": 0, "not_read": 2}
    assert made.summary.compliant == {"yes": 1, "no": 4, "unknown": 0, "not_read": 2}


def test_the_ranking_begins_with_the_worst_and_leaves_out_who_is_in_order(made: Made) -> None:
    assert [row.host for row in made.summary.ranking] == ["lost", "off", "evil", "odd", "shut", "gone"]


def test_why_and_what_next(made: Made) -> None:
    said = {row.host: (row.why, row.next) for row in made.summary.rows}
    assert said["good"] == ("itadmin can grant tokens", ())
    assert said["off"] == ("FileVault: off", (ENCRYPT,))
    assert said["gone"] == ("Connection timed out", ())
    assert "no account holds a token" in said["lost"][0]


def test_why_names_all_that_makes_the_state_the_worst_first() -> None:
    off = FileVault("off", personal_key=False, institutional_key=False)
    came = judge_mac(read("m", filevault=off, accounts=(WAITING, ANA)), BASELINE, NOW)
    assert (came.state, came.answer.mac and came.answer.mac["recoverable"]) == ("urgent", "pending")
    assert came.why == (
        "FileVault: off; itadmin gets a token at the first graphical login (an SSH login does not count)"
    )
    gone = judge_mac(read("m", filevault=off, accounts=(BO,), version=Version(13, 6)), BASELINE, NOW)
    assert gone.why.startswith("no account holds a token; ")
    assert gone.why.endswith("; FileVault: off; macOS 13.6, and 14 is the oldest that is supported")
    assert gone.why.count("no account holds a token") == 1


@pytest.mark.parametrize(
    ("result", "status", "why"),
    [
        (None, "unreachable", "the play did not come as far as this Mac"),
        ({"unreachable": True, "msg": "Task failed: no\n route"}, "unreachable", "no route"),
        ({"failed": True, "msg": "x", "mac": reading()}, "refused", "x"),
        ({"skipped": True}, "refused", "no reason was given"),
        ({"mac": reading(), "changed": False}, "read", ""),
    ],
)  # fmt: skip
def test_what_a_task_returned(result: dict[str, t.Any] | None, status: str, why: str) -> None:
    answer = answer_of("m", result, NOW)
    assert (answer.status, answer.why) == (status, why)
    assert (answer.mac is not None) == (status == "read")
    assert answer_from(json.loads(answer.text())) == answer


ENCRYPT = "keyholder.macos.filevault -e filevault_user=itadmin -e @secrets.yml"

LOCKED = (
    "This system is locked. To unlock it, use a local\r\naccount name and password. Once successfully\r\n"
    "unlocked, you will be able to connect normally.\r\n"
)
METHODS = "ana@m: Permission denied (publickey,password,keyboard-interactive)."
RESET = "kex_exchange_identification: read: Connection reset by peer\r\nConnection reset by 192.0.2.10 port 22"
UNLOCKED = "System successfully unlocked.\nYou may now use SSH to authenticate normally.\n"
MAY_WAIT = (
    "the login was refused; a Mac with macOS 26 or newer says this, too, while it waits at FileVault's unlock screen"
)
AT_THE_DOOR = {
    LOCKED + METHODS: ("waits_for_unlock", "it waits at FileVault's unlock screen"),
    METHODS: ("", MAY_WAIT),
    "Permission denied, please try again.\n" + METHODS: ("", MAY_WAIT),
    RESET: ("preboot_ssh_broken", "it accepts connections and drops them before SSH says a word"),
    "Invalid/incorrect password: " + UNLOCKED + METHODS: (
        "", "it waited at FileVault's unlock screen, and the connection's password has unlocked it",
    ),
}  # fmt: skip
HOST_KEY_CHANGED = (
    "@@@@@@@@@@@@@@@@@@@@\n@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\n@@@@@@@@@@@@@@@@@@@@\n"
    "IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!\nOffending ED25519 key in /Users/x/.ssh/known_hosts:3\n"
    '  remove with:\n  ssh-keygen -f "/Users/x/.ssh/known_hosts" -R "[127.0.0.1]:2222"\nHost key verification failed.'
)
# What ssh says; the status; the clause; words of the remedy.
SAID = {
    HOST_KEY_CHANGED: ("refused", "its host key is not the one in known_hosts", "ssh-keygen -R '[127.0.0.1]:2222'"),
    "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @": (
        "refused", "its host key is not the one in known_hosts", "ssh-keygen -R HOST",
    ),
    "Host key verification failed.": ("refused", "its host key is not in known_hosts", "ssh HOST"),
    "connect to host m port 9: Connection refused": ("unreachable", "its port refuses connections", "Remote Login"),
    "ssh: connect to host m port 22: Operation timed out": ("unreachable", "it did not answer in time", "Wake"),
    "Connection timed out during banner exchange": ("unreachable", "it did not answer in time", "Wake"),
    "ssh: Could not resolve hostname m: nodename nor servname provided": (
        "unreachable", "its name was not found", "ansible_host",
    ),
    "ssh: connect to host m port 22: No route to host": (
        "unreachable", "the controller found no route to it, or, being a Mac, may not use the local network",
        "Local Network",
    ),
    "unix_listener: path \"/Users/x/.ansible/cp/0123456789.abc\" too long for Unix domain socket": (
        "unreachable", "it was not asked: the path of ssh's control socket is too long, on this controller",
        "CONTROL_PATH_DIR",
    ),
    "ana@m: Permission denied (publickey,password).": ("refused", "the login was refused", "ansible_user"),
    "Received disconnect from 10.0.0.1 port 22:2: Too many authentication failures": (
        "refused", "ssh offered more keys than the Mac accepts", "IdentitiesOnly",
    ),
    "Invalid/incorrect password: x": ("refused", "the login's password is wrong", "ansible_password"),
    "Invalid/incorrect username/password. Skipping remaining 5 retries to prevent account lockout: x": (
        "refused", "the login's password is wrong", "ansible_password",
    ),
    "Timeout (12s) waiting for privilege escalation prompt: ": (
        "refused", "it answered SSH, and sudo on it did not answer", "sudo -v",
    ),
    "Connection closed by remote host": ("refused", "the connection was cut", "again"),
    "Something else. And more of it": ("unreachable", "Something else", ""),
}  # fmt: skip
PREAMBLE = (
    'Task failed: Data could not be sent to remote host "m". Make sure this host can be reached over ssh: '
    "Warning: Permanently added 'm' (ED25519) to the list of known hosts.\r\n"
)


@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize("before", ["Failed to connect to the host via ssh: ", PREAMBLE, ""])
def test_what_ssh_said_is_one_clause_with_its_own_remedy(said: str, before: str) -> None:
    answer = answer_of("m", {"unreachable": True, "msg": before + said}, NOW)
    status, why, remedy = SAID[said]
    assert (answer.status, answer.why) == (status, why)
    assert remedy in answer.remedy and bool(answer.remedy) == bool(remedy)
    assert said.split("\n", maxsplit=1)[0][:30] in answer.evidence
    assert answer_from(json.loads(answer.text())) == answer


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("Missing sudo password", "the sudo password is missing"),
        ("Incorrect sudo password", "the sudo password is wrong"),
        ('fdesetup status failed: <?xml version="1.0"?> <!DOCTYPE plist> <plist/>', "fdesetup status failed"),
        ("x" * 500, "x" * 159 + "\u2026"),
        ("<plist><dict/></plist>", "no reason was given"),
        ("The files are gone: connection refused by a proxy", "The files are gone: connection refused by a proxy"),
    ],
)  # fmt: skip
def test_what_a_task_said_is_one_clause(said: str, why: str) -> None:
    answer = answer_of("m", {"failed": True, "msg": said}, NOW)
    assert (answer.status, answer.why) == ("refused", why)
    assert answer.evidence == ("" if said == why else said)


def test_what_a_module_refused_says_the_way_out_once() -> None:
    told = Refusal("not_root", "the reading needs root").account()
    answer = answer_of("m", {"failed": True, **told}, NOW)
    assert (answer.reason, answer.why, answer.remedy) == ("not_root", "the reading needs root", told["remedy"])


def test_a_reason_that_an_older_version_saved_is_one_clause_now() -> None:
    saved = {
        "host": "m",
        "status": "refused",
        "read_at": NOW,
        "why": f"Failed to connect to the host via ssh: {HOST_KEY_CHANGED}",
    }
    answer = answer_from(saved)
    assert (answer.status, answer.why) == ("refused", "its host key is not the one in known_hosts")
    assert "NASTY" in answer.evidence


@pytest.mark.parametrize("said", AT_THE_DOOR)
def test_a_mac_at_its_unlock_screen_is_no_lost_key(said: str) -> None:
    answer = answer_of("m", {"unreachable": True, "msg": f"Failed to connect to the host via ssh: {said}"}, NOW)
    reason, told = AT_THE_DOOR[said]
    assert (answer.status, answer.reason, answer.why) == ("refused", reason, told)
    assert answer.remedy and "Failed to connect to the host via ssh" in answer.evidence
    assert answer_from(json.loads(answer.text())) == answer


NOT_THE_MAC = {
    "Timeout (12s) waiting for privilege escalation prompt:": ("refused", "sudo_silent"),
    'unix_listener: path "/home/ana/.ansible/cp/0123456789.abcdefghijklmnop" too long for Unix domain socket': (
        "unreachable",
        "socket_path_too_long",
    ),
    "ssh: connect to host m port 22: No route to host": ("unreachable", "no_route"),
}


@pytest.mark.parametrize("said", NOT_THE_MAC)
def test_what_sudo_or_the_controller_did_not_do_has_a_reason_of_its_own(said: str) -> None:
    status, reason = NOT_THE_MAC[said]
    answer = answer_of("m", {"unreachable": True, "msg": f"Task failed: {said}"}, NOW)
    assert (answer.status, answer.reason) == (status, reason)
    assert said in answer.evidence and answer.remedy
    assert answer_from(json.loads(answer.text())) == answer


def test_a_silent_sudo_is_one_for_a_core_that_does_not_call_that_unreachable() -> None:
    answer = answer_of("m", {"failed": True, "msg": "Timeout (12s) waiting for privilege escalation prompt: "}, NOW)
    assert (answer.status, answer.reason) == ("refused", "sudo_silent")


@pytest.mark.parametrize("saved", [None, {}, {"host": "m", "status": "fine"}, {"host": "m", "status": "read"},
                                   {"host": "m", "status": "refused", "mac": {}}])  # fmt: skip
def test_what_is_no_answer_is_not_taken_for_one(saved: t.Any) -> None:
    with pytest.raises(ValueError, match="status|reading"):
        answer_from(saved)


ODD: list[tuple[dict[str, t.Any], str]] = [
    ({"accounts": 5}, "accounts is a whole number, and must be a list"),
    ({"accounts": [{"name": 5}]}, "accounts[0].name is a whole number, and must be a text"),
    ({"recoverable": "very"}, "recoverable is a text, and must be yes or pending"),
    ({"holders": [b"x"]}, "holders[0] is data"),
    ({"extra": {"deep": float("inf")}}, "extra.deep is a number without end"),
    ({"os": None}, "os is nothing, and must be a dictionary"),
]


@pytest.mark.parametrize(("odd", "why"), ODD)
def test_a_reading_that_is_none_is_its_macs_row(odd: dict[str, t.Any], why: str, tmp_path: Path) -> None:
    bad = {**reading(), **odd}
    answer = answer_of("bad", {"mac": bad}, NOW)
    assert (answer.status, answer.reason, answer.mac) == ("refused", "reading_damaged", None)
    assert why in answer.why
    assert answer_from({"host": "bad", "status": "read", "read_at": NOW, "mac": bad}) == answer
    made = make(tmp_path, [read("good"), answer])
    assert {row.host: row.state for row in made.summary.rows} == {"good": "compliant", "bad": "refused"}


@pytest.mark.parametrize("key", sorted(set(reading()) - {"platform_sso", "promoted"}))
def test_a_reading_that_lacks_a_key_is_its_macs_row(key: str) -> None:
    lacking = {name: value for name, value in reading().items() if name != key}
    assert answer_of("bad", {"mac": lacking}, NOW).why == f"the reading is damaged: {key} is missing"


def test_an_unread_value_of_another_kind_is_null_and_named() -> None:
    odd = reading()
    odd["accounts"][0]["password_changed"] = float("nan")
    mac = answer_of("m", {"mac": odd}, NOW).mac
    assert mac is not None
    assert mac["accounts"][0]["password_changed"] is None
    evidence = "it is a number without end that it cannot be"
    assert mac["missing"][-1] == {"what": "accounts[0].password_changed", "evidence": evidence}


def test_what_a_rule_cannot_bear_is_its_macs_row(monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(*_args: t.Any) -> t.Any:
        raise KeyError("bogus")

    answer = read("m")
    monkeypatch.setattr(type(BASELINE), "evaluate", break_down)
    judged = judge_mac(answer, BASELINE, NOW)
    assert (judged.state, judged.answer.reason) == ("refused", "reading_damaged")
    assert "bogus" not in judged.why and "test__audit_report.py, line" in judged.why


# -- a fleet ----------------------------------------------------------------------------------------------------------

MACS = 1000
NOT_PERMITTED = (
    Missing("crypto users", "diskutil apfs listUsers /: rc 1: Operation not permitted"),
    Missing("FileVault's users", "fdesetup list -extended: rc 1: Operation not permitted"),
)


def denied(authority: bool | None) -> dict[str, t.Any]:
    """A Mac that lets nobody see two of the three sources; ``authority``: what the directory says, None: nor that."""
    people = tuple(replace(who, sources=Sources(authority, None, None)) for who in (ITADMIN, ANA))
    return {"accounts": people, "missing": NOT_PERMITTED}


def fleet_state(number: int) -> str:
    """5 % do not answer, 3 % deny what they are asked for, 2 % have FileVault off."""
    states = ["unreachable"] * 5 + ["unknown"] * 3 + ["urgent"] * 2
    return dict(enumerate(states)).get(number % 100, "compliant")


def fleet_result(number: int) -> dict[str, t.Any]:
    """As trust_info returns it, or as Ansible tells that a Mac does not answer."""
    state = fleet_state(number)
    if state == "unreachable":
        return {"unreachable": True, "msg": "Failed to connect to the host via ssh: Operation timed out"}
    changes: dict[str, dict[str, t.Any]] = {
        "unknown": denied(True if number % 2 else None), "urgent": {"filevault": OFF}, "compliant": {},
    }  # fmt: skip
    return {"changed": False, "mac": reading(**changes[state]), "summary": []}


def test_of_a_thousand_macs_none_is_lost_and_each_is_judged(tmp_path: Path) -> None:
    """Situation S18: 1,000 Macs, 5 % unreachable, 3 % without Full Disk Access; one SSH exec a Mac is test_audit's."""
    assert [command for command in commands_of(Ask(escrow=True)) if command.secrets or command.dialogue] == []
    wanted = {f"mac-{number:04}": fleet_state(number) for number in range(MACS)}
    made = make(tmp_path, [answer_of(host, fleet_result(number), NOW) for number, host in enumerate(wanted)])
    assert {row.host: row.state for row in made.summary.rows} == wanted
    assert {state: count for state, count in made.summary.states.items() if count} == {
        "urgent": 20, "unknown": 30, "unreachable": 50, "compliant": 900,
    }  # fmt: skip
    entries = {entry["host"]: entry for entry in json.loads(made.text("audit.json"))["macs"]}
    assert {host: entry["state"] for host, entry in entries.items()} == wanted
    for host in (f"mac-{number:04}" for number in range(MACS) if fleet_state(number) == "unknown"):
        assert "Operation not permitted" in json.dumps(entries[host]["mac"]["missing"])
        assert [one["result"] for one in entries[host]["findings"] if one["rule"] == "reading_complete"] == ["fail"]
    rows = csv.DictReader(made.text("audit.csv").splitlines())
    assert {row["mac"]: row["state"] for row in rows} == wanted
    assert {suite.get("name") for suite in ElementTree.fromstring(made.text("audit.xml"))} >= set(wanted)
    assert {answer.host: answer.status for answer in saved_answers(str(tmp_path / "audit.jsonl"), [])} == {
        host: "unreachable" if state == "unreachable" else "read" for host, state in wanted.items()
    }


# -- files ------------------------------------------------------------------------------------------------------------


def test_json_holds_everything(made: Made) -> None:
    content = json.loads(made.text("audit.json"))
    assert content["schema"] == "keyholder.macos.audit/2"
    macs = {entry["host"]: entry for entry in content["macs"]}
    assert {host: entry["state"] for host, entry in macs.items()} == STATES
    assert macs["good"]["mac"] == reading()
    assert macs["shut"]["reason"] == "shell_unreadable"
    assert {entry["id"] for entry in content["policy"]["rules"]} == {one["rule"] for one in macs["good"]["findings"]}
    assert content["summary"]["states"] == made.summary.states
    assert (content["changed_since"], content["changes"]) == (None, [])


def test_a_report_is_made_of_a_report_and_of_readings(made: Made, tmp_path: Path) -> None:
    again = {}
    for name in ("audit.json", "audit.jsonl"):
        folder = tmp_path / f"of-{name}"
        folder.mkdir()
        again[name] = make(folder, saved_answers(str(made.folder / name), []))
        for other in ("audit.csv", "audit.jsonl", "audit.xml", "audit.md", "audit-findings.csv"):
            assert again[name].text(other) == made.text(other)


def test_of_two_answers_the_first_counts(tmp_path: Path) -> None:
    made = make(tmp_path, [read("twice"), read("twice", filevault=OFF)])
    assert [row.state for row in made.summary.rows] == ["compliant"]


@pytest.mark.parametrize(
    ("name", "text"), [("x.json", "{"), ("x.json", "[]"), ("x.jsonl", '{"host": 1}\n'), ("x.jsonl", "{")]
)
def test_a_file_that_is_none_of_ours_is_named_and_ends_nothing(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    unread: list[str] = []
    assert list(saved_answers(str(tmp_path / name), unread)) == []
    assert len(unread) == 1 and name in unread[0]


def slice_of(folder: Path, name: str, text: str | bytes) -> tuple[dict[str, Answer], list[str]]:
    """The answers of a file, by host, and what of it was not used."""
    (folder / name).write_bytes(text.encode("utf-8") if isinstance(text, str) else text)
    unread: list[str] = []
    return {answer.host: answer for answer in saved_answers(str(folder / name), unread)}, unread


GOOD = read("good").text()
BAD = [
    '{"host": "bad", "status": "read", "read_at": 1, "why": "", "mac": {"os"',
    '{"host": "bad", "status": "read", "mac": {}}',
    '{"host": "bad", "status": "read", "mac": []}',
    '{"host": "bad", "status": "fine"}',
    '{"host": "bad"}',
    '{"host": "bad", "status": "refused", "mac": {}}',
    '{"host": "bad", "status": [1]}',
]


@pytest.mark.parametrize("line", BAD)
def test_a_line_that_is_broken_is_its_macs_row(tmp_path: Path, line: str) -> None:
    answers, unread = slice_of(tmp_path, "x.jsonl", f"{line}\n{GOOD}\n")
    assert (answers["bad"].status, answers["bad"].reason) == ("refused", "reading_damaged")
    assert answers["good"].status == "read"
    assert unread == []


@pytest.mark.parametrize("line", ["null", "5", "[]", '{"status": "read"}', '{"host": 5, "status": "refused"}',
                                  '{"host": " "}', "[" * 100_000, b"\xff\xfe", '"\\ud800"'])  # fmt: skip
def test_a_line_without_a_host_is_named_and_the_others_are_kept(tmp_path: Path, line: str | bytes) -> None:
    raw = line.encode("utf-8") if isinstance(line, str) else line
    answers, unread = slice_of(tmp_path, "x.jsonl", raw + b"\n" + GOOD.encode("utf-8") + b"\n")
    assert list(answers) == ["good"]
    assert [words.split(":")[0] for words in unread] == [f"{tmp_path}/x.jsonl, line 1"]


def test_of_a_report_that_was_cut_the_macs_before_the_cut_are_kept(made: Made, tmp_path: Path) -> None:
    whole = made.text("audit.json")
    cut = whole[: whole.index('"host": "odd"') + 40]
    answers, unread = slice_of(tmp_path, "cut.json", cut)
    assert [answers[host].status for host in ("good", "off", "lost")] == ["read"] * 3
    assert answers["odd"].reason == "reading_damaged"
    assert "not whole" in unread[0]


@pytest.mark.parametrize("entries", ["5", "{}", "null"])
def test_a_report_whose_macs_are_no_list_is_named(tmp_path: Path, entries: str) -> None:
    answers, unread = slice_of(tmp_path, "x.json", f'{{"schema": "{SCHEMA}", "macs": {entries}}}')
    assert (answers, len(unread)) == ({}, 1)


def test_a_file_that_is_not_there_ends_nothing(tmp_path: Path) -> None:
    unread: list[str] = []
    assert list(saved_answers(str(tmp_path / "x.json"), unread)) == []
    assert unread == [f"{tmp_path}/x.json: No such file or directory"]


@pytest.mark.parametrize("at", [1e12, -1e12, float("inf"), 10**400, True, "now"])
def test_a_time_that_is_none_is_left_out(tmp_path: Path, at: t.Any) -> None:
    odd = answer_from({"host": "m", "status": "refused", "read_at": at, "why": "x"})
    assert odd.read_at is None
    make(tmp_path, [odd])


@pytest.mark.parametrize("result", [5, "text", ["a"], True])
def test_what_is_no_result_of_a_task_is_its_macs_row(result: t.Any) -> None:
    assert answer_of("m", result, NOW).reason == "reading_damaged"


def test_csv_has_a_row_for_each_mac_and_each_finding(made: Made) -> None:
    rows = list(csv.DictReader(made.text("audit.csv").splitlines()))
    assert {row["mac"]: row["state"] for row in rows} == STATES
    assert all(None not in row and None not in row.values() for row in rows)
    (good,) = [row for row in rows if row["mac"] == "good"]
    assert (good["macos"], good["admin_holders"], good["personal_recovery_key"]) == ("15.6", "itadmin", "yes")
    found = list(csv.DictReader(made.text("audit-findings.csv").splitlines()))
    assert {(row["mac"], row["rule"]) for row in found} >= {("off", "filevault_on"), ("lost", "admin_holder")}
    assert "good" not in {row["mac"] for row in found}


def test_junit_counts_what_it_holds(made: Made) -> None:
    suites = ElementTree.fromstring(made.text("audit.xml"))
    by_host = {suite.get("name"): suite for suite in suites}
    assert set(by_host) >= {"good", "off", "lost", "gone", "shut"}
    for suite in suites:
        cases = suite.findall("testcase")
        assert int(suite.get("tests", "")) == len(cases)
        for kind in ("failure", "error", "skipped"):
            counted = "failures" if kind == "failure" else "errors" if kind == "error" else kind
            assert int(suite.get(counted, "")) == len(suite.findall(f"testcase/{kind}"))
    failed = by_host["off"].findall("testcase[failure]")
    assert [case.get("name") for case in failed] == ["filevault_on"]
    assert by_host["gone"].find("testcase/error") is not None


def test_markdown_for_a_ticket(made: Made) -> None:
    text = made.text("audit.md")
    assert "| Lost | 1 |" in text
    assert f"| off | Urgent | FileVault: off | {markdown(f'ansible-playbook {ENCRYPT} --limit off')} |" in text
    assert "| gone | Unreachable | Connection timed out |" in text


def test_nothing_is_left_of_a_report_that_failed(tmp_path: Path) -> None:
    old = tmp_path / "audit.json"
    old.write_text("old")
    file = WholeFile(str(old))
    file.write("half")
    file.drop()
    assert old.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["audit.json"]


# -- hostile names ----------------------------------------------------------------------------------------------------


def test_no_file_holds_a_control_character(made: Made) -> None:
    for name in ("audit.json", "audit.jsonl", "audit.csv", "audit-findings.csv", "audit.xml", "audit.md", "audit.html"):
        odd = {char for char in made.text(name) if not char.isprintable() and char not in "\n\r"}
        assert not odd, name
    assert not [line for line in made.summary.lines() if not line.isprintable()]


def test_no_cell_is_a_formula(made: Made) -> None:
    for name in ("audit.csv", "audit-findings.csv"):
        for row in csv.reader(made.text(name).splitlines()):
            assert not [value for value in row if value.lstrip()[:1] in ("=", "+", "-", "@")]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", " =1", "\uff1d1", "\n=1"])
def test_what_a_spreadsheet_would_calculate_is_text(text: str) -> None:
    assert cell(text)[0] in "'?"


def test_a_spreadsheet_may_split_where_it_likes() -> None:
    for text in ("x;=HYPERLINK(1)", "x; =1", "x|+1", "x;@y"):
        assert not [part for part in re.split("[;|]", cell(text)) if part.strip()[:1] in "=+-@"]


def test_no_markup_is_in_the_page(made: Made) -> None:
    text = made.text("audit.html")
    assert "<script>alert" not in text
    assert "&lt;script&gt;" in text or "\\u003cscript\\u003e" in text
    assert text.count("<script>") == 1


def test_a_title_is_text_too(tmp_path: Path) -> None:
    made = make(tmp_path, FLEET, title="</title><script>alert(1)</script>")
    assert "<script>alert" not in made.text("audit.html")
    ElementTree.fromstring(made.text("audit.xml"))


def test_json_in_a_script_holds_no_tag() -> None:
    text = for_script({"a": "</script><!--\u2028&", "b": EVIL})
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text)["b"] == EVIL


def test_markdown_is_only_text() -> None:
    assert markdown("a|b <c> `d` [e](f) @g http://h") == ("a\\|b \\<c\\> \\`d\\` \\[e\\](f) &#64;g http&#58;//h")
    assert "\n" not in markdown("a\n# b")


def test_plain_text_steers_no_terminal() -> None:
    assert plain_text("a\x1b[31m\u202eb\x9b\n") == "a?[31m?b??"


# -- history ----------------------------------------------------------------------------------------------------------


@pytest.fixture(name="history")
def _history(tmp_path: Path) -> t.Iterator[History]:
    history = History(str(tmp_path / "history.sqlite"))
    yield history
    history.close()


WEEK = 7 * DAY
BEFORE = [read("good"), read("off"), read("leaves"), Answer("back", "unreachable", NOW, None, "no route")]
AFTER = [
    read("good"),
    read("off", filevault=OFF, accounts=(ITADMIN, BO)),
    read("comes"),
    read("back"),
]


def test_the_first_audit_is_compared_with_nothing(history: History, tmp_path: Path) -> None:
    made = make(tmp_path, BEFORE, history=history)
    assert (made.summary.since, made.summary.changes, made.summary.trend) == (None, [], [])


def test_what_has_changed(history: History, tmp_path: Path) -> None:
    make(tmp_path, BEFORE, history=history, now=NOW - WEEK)
    made = make(tmp_path, AFTER, history=history)
    changes = {change.host: change for change in made.summary.changes}
    assert set(changes) == {"off", "comes", "back", "leaves"}
    off = changes["off"]
    assert (off.was, off.now, off.broken, off.lost) == ("compliant", "urgent", ("filevault_on",), ("ana",))
    assert (changes["comes"].was, changes["comes"].now) == ("", "compliant")
    assert (changes["leaves"].was, changes["leaves"].now) == ("compliant", "")
    back = changes["back"]
    assert (back.was, back.now, back.gained) == ("unreachable", "compliant", ())
    content = json.loads(made.text("audit.json"))
    assert len(content["changes"]) == 4
    assert [(point["recoverable"]["yes"], point["compliant"]["yes"]) for point in content["trend"]] == [(3, 3)]
    assert "no longer among the Macs" in made.text("audit.md")


def test_since_a_day(history: History, tmp_path: Path) -> None:
    make(tmp_path, [read("m", filevault=OFF)], history=history, now=NOW - 2 * WEEK)
    make(tmp_path, [read("m")], history=history, now=NOW - WEEK)
    last = make(tmp_path, [read("m")], history=history, now=NOW)
    assert last.summary.changes == []
    longer = make(tmp_path, [read("m")], history=history, now=NOW + 1, since=NOW - WEEK - DAY)
    assert [(change.was, change.now) for change in longer.summary.changes] == [("urgent", "compliant")]


def test_a_mac_that_did_not_answer_is_compared_with_its_last_reading(history: History, tmp_path: Path) -> None:
    make(tmp_path, [read("m")], history=history, now=NOW - 2 * WEEK)
    away = make(tmp_path, [Answer("m", "unreachable", None, None, "no route")], history=history, now=NOW - WEEK)
    assert [(change.was, change.now, change.broken) for change in away.summary.changes] == [
        ("compliant", "unreachable", ())
    ]
    (back,) = make(tmp_path, [read("m", filevault=OFF, accounts=(ITADMIN, BO))], history=history).summary.changes
    assert (back.was, back.now, back.broken, back.lost) == ("unreachable", "urgent", ("filevault_on",), ("ana",))


def test_a_partial_audit_makes_nobody_gone_nor_new(history: History, tmp_path: Path) -> None:
    make(tmp_path, [read("a"), read("b"), read("c")], history=history, now=NOW - 3 * WEEK)
    part = make(tmp_path, [read("a", filevault=OFF)], history=history, now=NOW - 2 * WEEK, partial=True)
    assert [(one.host, one.was, one.now) for one in part.summary.changes] == [("a", "compliant", "urgent")]
    assert part.summary.trend == []
    whole = make(tmp_path, [read("a"), read("b"), read("new")], history=history, now=NOW - WEEK)
    assert [(one.host, one.was, one.now) for one in whole.summary.changes] == [
        ("a", "urgent", "compliant"), ("new", "", "compliant"), ("c", "compliant", ""),
    ]  # fmt: skip
    assert [run.at for run in whole.summary.trend] == [NOW - 3 * WEEK]
    again = make(tmp_path, [read("a"), read("b"), read("new")], history=history)
    assert again.summary.changes == []


def test_after_a_partial_audit_alone_nobody_is_new(history: History, tmp_path: Path) -> None:
    make(tmp_path, [read("a")], history=history, now=NOW - WEEK, partial=True)
    assert make(tmp_path, [read("a"), read("b")], history=history).summary.changes == []


def test_an_audit_whose_clock_was_ahead_is_no_base(history: History, tmp_path: Path) -> None:
    make(tmp_path, [read("m")], history=history, now=NOW - WEEK)
    make(tmp_path, [read("m", filevault=OFF), read("x")], history=history, now=NOW + 10 * WEEK)
    made = make(tmp_path, [read("m")], history=history)
    assert made.summary.since is not None
    assert (made.summary.since.at, made.summary.changes) == (NOW - WEEK, [])
    # Once its time has come, the one that was made last still counts.
    make(tmp_path, [read("m")], history=history, now=NOW + WEEK)
    later = make(tmp_path, [read("m")], history=history, now=NOW + 11 * WEEK)
    assert later.summary.since is not None
    assert (later.summary.since.at, later.summary.changes) == (NOW + WEEK, [])


def test_a_history_of_before_there_were_partial_audits_goes_on(history: History, tmp_path: Path) -> None:
    make(tmp_path, [read("m")], history=history, now=NOW - WEEK)
    with sqlite3.connect(str(tmp_path / "history.sqlite")) as base:
        base.execute("DROP TABLE partial_runs")
    base.close()
    again = History(str(tmp_path / "history.sqlite"))
    assert [run.partial for run in again.runs()] == [False]
    again.close()


def test_without_any_answer_there_is_no_report_and_no_history(history: History, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no answer"):
        make(tmp_path, [], history=history)
    assert history.runs() == []


def test_whom_no_slice_delivered_is_unreachable(tmp_path: Path) -> None:
    made = make(tmp_path, with_missing([read("a")], ["a", "b"]))
    assert [(row.host, row.state, row.why) for row in made.summary.rows] == [
        ("a", "compliant", "itadmin can grant tokens"),
        ("b", "unreachable", "its slice delivered nothing"),
    ]


@pytest.mark.parametrize(
    "silent",
    [
        {"rules": [{"id": "filevault_on", "enabled": False}]},
        {
            "exemptions": [
                {"rule": "filevault_on", "macs": ["*"], "by": "Nadia", "until": "2999-01-01", "why": "a kiosk"}
            ]
        },
    ],
)
def test_what_nobody_asks_for_any_more_is_not_mended(
    history: History, tmp_path: Path, silent: dict[str, t.Any]
) -> None:
    make(tmp_path, [read("m", filevault=OFF)], history=history, now=NOW - DAY)
    (change,) = make(tmp_path, [read("m", filevault=OFF)], silent, history=history).summary.changes
    assert (change.was, change.now, change.mended) == ("urgent", "compliant", ())
    make(tmp_path, [read("n", filevault=OFF)], history=history, now=NOW + 1)
    later = make(tmp_path, [read("n")], history=history, now=NOW + DAY).summary.changes
    assert [one.mended for one in later if one.host == "n"] == [("filevault_on",)]


def test_an_exemption_that_has_run_out_is_named_in_each_form(tmp_path: Path) -> None:
    over = {"rule": "filevault_on", "macs": ["kiosk-*"], "by": "Nadia", "until": "2026-01-31", "why": "a test"}
    made = make(tmp_path, [read("kiosk-1", filevault=OFF)], {"exemptions": [over]})
    words = "filevault_on for kiosk-*, until 2026-01-31, by Nadia"
    assert f"an exemption has run out: {words}" in made.summary.lines()
    assert "## Exemptions that have run out" in made.text("audit.md")
    (row,) = [line for line in csv.DictReader(made.text("audit-findings.csv").splitlines()) if line["result"] == "fail"]
    assert (row["rule"], row["exempt_until"]) == ("filevault_on", "2026-01-31")


def test_pending_without_a_rule_about_it_is_no_good_state() -> None:
    waiting = read("m", accounts=(WAITING, ANA))
    silent = {"rules": [{"id": "admin_token_to_come", "enabled": False}]}
    assert judge_mac(waiting, load_policy(silent), NOW).state == "attention"


def test_nothing_to_run_is_proposed_for_a_mac_that_is_lost() -> None:
    judged = judge_mac(read("m", **LOCKED_OUT), load_policy(), NOW)
    assert (judged.state, judged.next) == ("lost", [])


def test_the_history_can_only_be_added_to(history: History, tmp_path: Path) -> None:
    make(tmp_path, BEFORE, history=history)
    with sqlite3.connect(str(tmp_path / "history.sqlite")) as base:
        for statement in ("DELETE FROM runs", "UPDATE macs SET state = 'compliant'", "DELETE FROM readings"):
            with pytest.raises(sqlite3.IntegrityError, match="only be added to"):
                base.execute(statement)
    base.close()


def test_the_history_gives_the_readings_back(history: History, tmp_path: Path) -> None:
    make(tmp_path, FLEET, history=history)
    (run,) = history.runs()
    kept = {one["host"]: answer_from(one) for one in history.readings(run)}
    assert {host: answer.mac for host, answer in kept.items()} == {answer.host: answer.mac for answer in FLEET}


def test_the_same_reading_is_kept_once(history: History, tmp_path: Path) -> None:
    for week in range(3):
        make(tmp_path, [read(f"mac-{number}") for number in range(5)], history=history, now=NOW + week)
    with sqlite3.connect(str(tmp_path / "history.sqlite")) as base:
        assert base.execute("SELECT count(*) FROM readings").fetchone() == (1,)
        assert base.execute("SELECT count(*) FROM macs").fetchone() == (15,)
    base.close()


def test_an_audit_that_fails_leaves_no_trace_in_the_history(history: History, tmp_path: Path) -> None:
    def breaks() -> t.Iterator[Answer]:
        yield read("m")
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        make(tmp_path, breaks(), history=history)
    assert history.runs() == []


def test_what_is_no_history_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("a text that is long enough to be no database of any kind whatsoever")
    with pytest.raises(HistoryError):
        History(str(path))
    assert path.read_text().startswith("a text")
    newer = tmp_path / "newer.sqlite"
    with sqlite3.connect(str(newer)) as base:
        base.execute("PRAGMA user_version = 99")
    base.close()
    with pytest.raises(HistoryError, match="99"):
        History(str(newer))


def test_what_no_audit_writes_is_skipped_and_counted(history: History, tmp_path: Path) -> None:
    make(tmp_path, [read("m"), read("n")], history=history, now=NOW - WEEK)
    with sqlite3.connect(str(tmp_path / "history.sqlite")) as base:
        for number, (at, states) in enumerate(
            [("bogus", "{}"), (NOW - DAY, "bogus"), (NOW - DAY, "[]"), (NOW - DAY, '{"lost": "x"}'), (1e300, "{}"),
             (NOW - DAY, b"\xff"), (NOW - DAY, '{"strange": 1}')], 10
        ):  # fmt: skip
            base.execute("INSERT INTO runs VALUES (?, ?, '', ?)", (number, at, states))
        row = "INSERT INTO macs VALUES (?, ?, ?, ?, ?, '', NULL, x'00')"
        base.execute(row, ("m", 11, "compliant", "5", "[]"))
        base.execute(row, ("n", 11, "bogus", "[]", "[]"))
    base.close()
    made = make(tmp_path, [read("m"), read("n", filevault=OFF)], history=history)
    assert made.summary.since is not None and made.summary.since.at == NOW - WEEK
    assert [(change.host, change.was) for change in made.summary.changes] == [("n", "compliant")]
    assert made.summary.odd_rows == 9
    assert "9 rows of the history were skipped, because no audit writes what stands there" in made.summary.lines()
    assert len(history.runs()) == 2


def damage(path: Path) -> None:
    """As a disk does: the pages after the first are something else."""
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    path.write_bytes(bytes(data))


def test_a_history_that_is_damaged_inside_costs_no_report(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    first = History(str(path))
    make(tmp_path, FLEET, history=first, now=NOW - WEEK)
    first.close()
    damage(path)
    was = path.read_bytes()
    again = History(str(path))
    made = make(tmp_path, FLEET, history=again)
    again.close()
    assert {row.host: row.state for row in made.summary.rows} == STATES
    said = f"{path} cannot be used as a history: database disk image is malformed"
    assert made.summary.history_failed == said
    assert any(said in line for line in made.summary.lines())
    assert any(said in note for note in json.loads(made.text("audit.json"))["summary"]["notes"])
    assert "What went wrong" in made.text("audit.html") and "## What went wrong" in made.text("audit.md")
    # The page with the header counts how often the file was opened.
    assert path.read_bytes()[4096:] == was[4096:]


def test_a_history_that_cannot_keep_the_audit_costs_no_report(
    history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: t.Any) -> t.Any:
        raise HistoryError("disk is full")

    for method in ("begin", "before", "add", "hosts", "end", "commit"):
        with monkeypatch.context() as patch:
            patch.setattr(History, method, full)
            before = len(history.runs())
            failed = make(tmp_path, [read("m")], history=history, now=NOW).summary
            assert failed.history_failed == "disk is full", method
            assert len(history.runs()) == before, method
        made = make(tmp_path, [read("m")], history=history, now=NOW + 1)
        assert made.summary.history_failed == ""


def test_files_that_cannot_be_put_in_place_keep_the_audit_out_of_the_history(history: History, tmp_path: Path) -> None:
    def fail() -> None:
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        run_audit([read("m")], Summary(BASELINE, "x", NOW), [], history, None, fail)
    assert history.runs() == []


@pytest.mark.parametrize("value", [float("nan"), [float("inf")], {"a": {1: 2}}, {"a": b"x"}])
def test_a_parameter_that_json_cannot_hold_is_no_policy(value: t.Any) -> None:
    with pytest.raises(AuditPolicyError, match="strange holds what JSON does not"):
        load_policy({"parameters": {"strange": value}})


def test_json_is_made_of_json_alone() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        for_script([float("nan")])


def test_a_mac_that_is_unknown_is_neither_fine_nor_broken() -> None:
    mac = reading(volume=replace(MAC.volume, apfs=None), accounts=(ITADMIN,))
    assert judge_mac(Answer("m", "read", NOW, mac), BASELINE, NOW).state == "unknown"


def test_a_rule_that_the_reading_does_not_answer_is_not_kept() -> None:
    mac = reading(management=replace(MAC.management, enrolled=None))
    judged = judge_mac(
        Answer("m", "read", NOW, mac),
        load_policy({"rules": [{"id": "bootstrap_where_managed", "enabled": False}]}),
        NOW,
    )
    assert (judged.state, judged.recoverable, judged.compliant) == ("unknown", "yes", "unknown")
    assert (
        judged.why
        == "the reading does not tell: The Mac is enrolled in an MDM server, approved by its user or automatically"
    )
