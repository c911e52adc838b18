# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run did to a fleet: a row a Mac, a paragraph a reason, the numbers, and two files."""

from __future__ import annotations

import csv
import json
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest
from readings import ANA, BO, ITADMIN, MAC, reading

from ansible_collections.keyholder.macos.plugins.action.fleet_summary import _ends, _judged, _written
from ansible_collections.keyholder.macos.plugins.module_utils._reason import REASONS, Refusal
from ansible_collections.keyholder.macos.plugins.plugin_utils._action import failure
from ansible_collections.keyholder.macos.plugins.plugin_utils._summary.files import COLUMNS, view, write
from ansible_collections.keyholder.macos.plugins.plugin_utils._summary.row import Item, Row, Source, row_of
from ansible_collections.keyholder.macos.plugins.plugin_utils._summary.told import (
    failed_macs,
    lines,
    notes,
    outcome,
    progress,
)

HERE = {"mac": reading(MAC, accounts=(ITADMIN, BO)), "changed": False}
AFTER = {"mac": reading(MAC, accounts=(ITADMIN, replace(BO, sources=ITADMIN.sources))), "changed": False}
PEOPLE = Source("accounts")


def did(name: str, before: dict[str, t.Any], after: dict[str, t.Any], **more: t.Any) -> dict[str, t.Any]:
    state = {"before": {"name": name, **before}, "after": {"name": name, **after}}
    return {"changed": before != after, "state": state, "plan": ["a step"], **more}


def refused(name: str, msg: str = "itadmin holds no token") -> dict[str, t.Any]:
    told = failure(Refusal("granter_no_token", msg, ("directory no",)))
    return {**told, "failed": False, "ansible_loop_var": "person", "person": name}


THERE, HOLDER = {"exists": True, "secure_token": "none"}, {"exists": True, "secure_token": "holder"}
ABSENT = {"exists": False}
GONE = {
    "unreached": True,
    "failed": False,
    "msg": 'Data could not be sent to remote host "127.0.0.1". Make sure this host can be reached over ssh: '
    "ssh: connect to host 127.0.0.1 port 9: Connection refused",
}
SUDO = {"failed": False, "msg": "Task failed: Incorrect sudo password"}


def row(*results: dict[str, t.Any], check: bool = False, **more: t.Any) -> Row:
    return row_of("mac-1", more.pop("before", HERE), [(PEOPLE, {"results": list(results)})], check=check, **more)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (THERE, HOLDER, "ana: granted"),
        (ABSENT, HOLDER, "ana: created and granted"),
        (ABSENT, THERE, "ana: created"),
        (ABSENT, {"exists": True, "secure_token": "pending"}, "ana: created and token pending"),
        (HOLDER, ABSENT, "ana: removed"),
        (HOLDER, {**HOLDER, "admin": True}, "ana: changed"),
        (HOLDER, HOLDER, "ana: nothing to do"),
    ],
)
def test_what_was_done_has_a_word(before: dict[str, t.Any], after: dict[str, t.Any], words: str) -> None:
    assert outcome(row(did("ana", before, after))) == words
    foreseen = words.replace("ana: ", "ana: would be ") if before != after else words
    assert outcome(row(did("ana", before, after), check=True)) == foreseen


def test_people_with_the_same_outcome_share_it() -> None:
    told = row(did("ana", THERE, HOLDER), did("luc", THERE, HOLDER), refused("bo"))
    assert outcome(told) == "ana, luc: granted; bo: REFUSED [granter_no_token]"
    assert (told.status, told.troubled) == ("failed", True)
    assert row(refused("bo")).status == "refused"


def test_a_row_shows_before_and_after_but_not_what_was_only_foreseen() -> None:
    told = row(did("bo", THERE, HOLDER), after=AFTER)
    assert (told.before, told.after) == ("1 of 2", "2 of 2")
    told = row(did("bo", THERE, HOLDER), after=AFTER, check=True)
    assert (told.before, told.after) == ("1 of 2", "1 of 2")


@pytest.mark.parametrize(
    ("before", "status", "why"),
    [
        (GONE, "unreachable", "its port refuses connections"),
        (SUDO, "not_read", "the sudo password is wrong"),
        ({"mac": {"nonsense": 1}}, "not_read", "the reading is damaged: os is missing"),
    ],
)
def test_a_mac_that_was_not_read_has_its_reason_in_a_clause(before: dict[str, t.Any], status: str, why: str) -> None:
    told = row(before=before)
    assert told.status == status and told.why[:36] == why[:36] and told.troubled
    assert "Data could not be sent" not in "\n".join(lines("x", [told]))


def test_a_mac_that_the_run_never_came_to_is_not_begun() -> None:
    told = row_of("mac-9", None, [(PEOPLE, None)])
    assert (told.status, told.troubled, outcome(told)) == ("not_begun", False, "not begun")
    unread_first = row_of("mac-9", "", [(PEOPLE, None)])
    assert unread_first.status == "not_begun"
    assert row_of("mac-9", "", [(PEOPLE, did("ana", THERE, HOLDER))]).status == "changed"


def test_a_mac_that_is_lost_during_the_work_is_unreachable() -> None:
    told = row({**GONE, "ansible_loop_var": "person", "person": "ana"})
    assert (told.status, outcome(told)) == ("unreachable", "ana: UNREACHABLE (its port refuses connections)")


def test_a_module_that_looks_for_a_mac_itself_says_why_it_is_not_there() -> None:
    silent = failure(Refusal("unlock_no_answer", "the Mac does not answer SSH"))
    told = row_of("mac-1", "", [(Source("unlocked", done="unlocked"), {**silent, "failed": False, "unreached": True})])
    assert (told.status, outcome(told)) == ("unreachable", "UNREACHABLE [unlock_no_answer]")
    assert told.items[0].remedy.startswith("Go to the Mac")


@pytest.mark.parametrize(
    ("said", "remedy"),
    [("Incorrect sudo password", "Correct ansible_become_password"), ("no module was found", "See the evidence.")],
)
def test_a_module_that_sudo_kept_from_running_has_the_remedy_of_that(said: str, remedy: str) -> None:
    reason = "module_not_run"
    msg = f"a module could not be run on this Mac: {said}. {REASONS[reason].remedy} [{reason}]"
    told = row({"failed": True, "reason": reason, "msg": msg, "ansible_loop_var": "person", "person": "ana"})
    assert told.first_reason == reason
    assert told.items[0].why == f"a module could not be run on this Mac: {said}"
    assert told.items[0].remedy.startswith(remedy)


def test_a_task_that_nobody_registered_still_fails_its_mac() -> None:
    told = row(did("ana", HOLDER, HOLDER), failed={"failed": True, "msg": "Task failed: 'vault_ana' is undefined"})
    assert (told.status, told.why) == ("refused", "'vault_ana' is undefined")
    said = f"{Refusal('not_enrolled', 'this Mac is not enrolled in MDM').told}"
    told = row(did("ana", THERE, HOLDER), failed={"failed": True, "msg": said})
    assert (told.status, told.reason, told.why) == ("failed", "not_enrolled", "this Mac is not enrolled in MDM")
    assert row(refused("bo"), failed={"failed": True, "msg": "no reason of its own"}).why == ""


def test_parts_of_a_mac_are_one_item_each() -> None:
    def key(name: str, done: str = "") -> Source:
        return Source(name, "recovery key", done)

    vault = Source("foreseen", "FileVault")
    on = {"state": {"before": {"enabled": False}, "after": {"enabled": True}}}
    found = [
        (key("store"), {"changed": False}),
        (vault, {"changed": False, **on}),
        (Source("change", "FileVault"), {"changed": True, **on}),
        (key("rotated", "made anew"), {"changed": True, "plan": ["one"]}),
        (key("storing", "stored"), {"changed": True, "plan": ["two"]}),
        (key("skipped", "x"), {"changed": False, "skipped": True}),
    ]
    told = row_of("mac-1", HERE, found, shows="filevault")
    assert outcome(told) == "recovery key: made anew, stored; FileVault: turned on"
    assert told.items[0].steps == ("one", "two") and told.after == "on"
    says = row_of("mac-1", HERE, found, shows="filevault", says="FileVault: on;\n key stored")
    assert outcome(says) == "FileVault: on; key stored"


def test_a_row_can_show_which_macos_a_mac_runs() -> None:
    change = {"changed": True, "state": {"before": {"version": "15.6"}, "after": {"version": "26.1"}}}
    told = row_of("mac-1", HERE, [(Source("change", "macOS", "updated"), change)], shows="macos")
    assert (told.before, told.after, outcome(told)) == (HERE["mac"]["os"]["version"], "26.1", "macOS: updated")


def test_a_part_that_was_changed_before_it_was_refused_has_failed() -> None:
    conflict = failure(Refusal("store_conflict", "another run has changed the store"))
    made = {"changed": True, "plan": ["make a new key"]}
    told = row_of(
        "mac-1", HERE, [(Source("a", "recovery key", "made anew"), made), (Source("b", "recovery key"), conflict)]
    )
    assert (told.status, outcome(told)) == ("failed", "recovery key: FAILED [store_conflict]")
    assert told.items[0].steps == ("make a new key",)


def test_what_a_role_of_several_tasks_lets_pass_is_no_failure() -> None:
    stale = {"changed": False, "failed": False, "reason": "key_invalid", "msg": "the file is old"}
    found = [(Source("collected", "recovery key", "taken over"), stale)]
    assert row_of("mac-1", HERE, found).status == "unchanged"
    assert row_of("mac-1", HERE, [(found[0][0], {**stale, "failed": True})]).status == "refused"


def test_a_mac_that_is_not_recoverable_says_so() -> None:
    nobody = {"mac": reading(MAC, accounts=(BO, replace(ANA, admin=False)))}
    assert outcome(row(did("ana", HOLDER, HOLDER), before=nobody)) == "ana: nothing to do; recoverable: at risk"


FLEET = [
    replace(row(did("ana", THERE, HOLDER), after=AFTER), host="granted"),
    replace(row(refused("ana", "itadmin holds no token; granters: stan")), host="refuses-1"),
    replace(row(refused("ana"), refused("luc")), host="refuses-2"),
    replace(row(before=GONE), host="gone"),
    replace(row(before=None), host="later"),
]


def test_the_summary_has_a_line_a_mac_a_paragraph_a_reason_and_the_numbers() -> None:
    told = lines("Onboard users", FLEET)
    assert told[:8] == [
        "Onboard users",
        "",
        "Mac        holders           outcome",
        "granted    1 of 2 -> 2 of 2  ana: granted",
        "later                        not begun",
        "refuses-1  1 of 2            ana: REFUSED [granter_no_token]",
        "refuses-2  1 of 2            ana, luc: REFUSED [granter_no_token]",
        "gone                         UNREACHABLE: its port refuses connections",
    ]
    assert told[9:12] == [
        "1 Mac: its port refuses connections",
        "    gone",
        "    Turn Remote Login on, or correct ansible_port.",
    ]
    assert told[13:15] == [
        "2 Macs, for example: itadmin holds no token; granters: stan [granter_no_token]",
        "    refuses-1, refuses-2",
    ]
    assert told[-1] == "5 Macs: 1 changed, 2 refused, 1 unreachable, 1 not begun"
    assert progress(FLEET) == "4 of 5 Macs done: 1 changed, 2 refused, 1 unreachable"


def test_a_notification_has_a_line_with_the_macs_that_failed() -> None:
    good = row(did("ana", THERE, HOLDER))
    bad = [replace(row(refused("ana", f"why {number}")), host=f"mac-{number}") for number in (7, 8)]
    lost = replace(row(before=GONE), host="mac-9")
    assert failed_macs([good]) == ""
    assert failed_macs([good, *bad]) == "2 Macs failed: mac-7, mac-8 (granter_no_token)"
    assert failed_macs([good, *bad, lost]).startswith("3 Macs failed: mac-7, mac-8, mac-9 (")
    many = [replace(bad[0], host=f"mac-{number:02}") for number in range(40)]
    assert failed_macs(many).startswith("40 Macs failed: mac-00, ") and "mac-10" not in failed_macs(many)


def test_what_is_broken_is_named_whether_or_not_it_was_repaired() -> None:
    result = {"changed": False, "findings": [{"what": "a crypto user of no account"}], "plan": ["remove it"]}
    told = lines("Repair", [row_of("mac-1", HERE, [(PEOPLE, result)])])
    assert "broken, not repaired" in told[3]
    assert told[4:8] == ["", "mac-1", "    found: a crypto user of no account", "    repair: remove it"]


def test_a_note_is_told_once_with_its_macs() -> None:
    rows = [replace(row(did("ana", THERE, HOLDER, notes=["say hello"])), host=name) for name in ("a", "b")]
    assert notes(rows) == {"say hello": ["a", "b"]}
    assert "2 Macs, note: say hello" in lines("x", rows)


def test_the_files_hold_everything_and_no_formula(tmp_path: Path) -> None:
    evil = '=HYPERLINK("http://x")'
    rows = [*FLEET, replace(row({**refused(evil), "msg": f"+cmd {evil} [granter_no_token]"}), host="-evil")]
    paths = write(str(tmp_path / "new"), "onboard", {"title": "x"}, rows)
    assert [Path(path).name for path in paths] == ["onboard.csv", "onboard.json"]
    table = list(csv.DictReader(Path(paths[0]).read_text(encoding="utf-8").splitlines()))
    assert list(table[0]) == list(COLUMNS)
    assert [(line["mac"], line["outcome"], line["what"]) for line in table[:4]] == [
        ("granted", "changed", "ana"),
        ("refuses-1", "refused", "ana"),
        ("refuses-2", "refused", "ana"),
        ("refuses-2", "refused", "luc"),
    ]
    assert not [cell for line in table for cell in line.values() if cell[:1] in ("=", "+", "-", "@")]
    data = json.loads(Path(paths[1]).read_text(encoding="utf-8"))
    assert data == json.loads(json.dumps(view({"title": "x"}, rows)))
    assert data["counts"]["refused"] == 3 and data["macs"][1]["items"][0]["evidence"] == ["directory no"]
    assert "Connection refused" in data["macs"][3]["evidence"][0], "what ssh said stays to be found"


def test_a_folder_that_cannot_be_written_costs_the_files_alone(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    given = {"dest": str(tmp_path / "file"), "file": "x"}
    files, problem = _written(given, {}, FLEET, False)
    assert files == [] and problem.startswith("No file of this summary was written in ")
    assert _written({"dest": None, "file": "x"}, {}, FLEET, False) == ([], "")
    assert _written({"dest": str(tmp_path), "file": "x"}, {}, FLEET, True)[0][0].endswith("x-check.csv")


@pytest.mark.parametrize(
    ("batch", "percentage", "ends"),
    [
        (["granted", "refuses-1"], 100, False),
        (["granted", "refuses-1"], 50, False),
        (["granted", "refuses-1"], 49, True),
        (["granted", "gone"], 0, False),
        (["gone", "refuses-1"], 100, True),
        (["gone"], 100, True),
    ],
)
def test_a_play_ends_where_ansible_ends_it(batch: list[str], percentage: float, ends: bool) -> None:
    assert _ends([one for one in FLEET if one.host in batch], FLEET, percentage) is ends
    everywhere = [one for one in FLEET if one.status != "not_begun"]
    assert _ends([one for one in everywhere if one.host in batch], everywhere, percentage)


def test_the_verdict_of_a_mac_is_ansibles_too() -> None:
    granted, refuses, _other, gone, _later = FLEET
    assert _judged(granted) == {"changed": False, "outcome": "changed"}
    assert (_judged(refuses)["failed"], _judged(refuses)["reason"]) == (True, "granter_no_token")
    assert _judged(gone)["unreachable"] is True and "failed" not in _judged(gone)


def test_names_steer_no_terminal() -> None:
    evil = "a\x1b[2J\nb"
    rows = [Row(evil, "changed", items=(Item(evil, "changed", "granted", notes=(evil,)),)), row(refused(evil))]
    assert all(line.isprintable() for line in lines(evil, rows))
