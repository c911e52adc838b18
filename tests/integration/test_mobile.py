# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mobile accounts on every macOS: made, granted, left alone; and a directory that is away, says no, or knows better."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import memory_play
import pytest
from memory_play import MemoryMac

from harness import expect
from harness.ansible import Ansible
from harness.batch import Played, Step
from harness.macs import PASSWORDS, VERSIONS, mac, name, person, secret
from maclab import journal
from maclab.lab import Handle, Lab

NODE = "/Active Directory/CORP/corp.example.com"
ADA, EVE, OLD, NEW = secret("ada"), secret("eve"), secret("old"), secret("new")
IT = {"admin_user": "itadmin", "admin_password": PASSWORDS["itadmin"]}
# Every macOS in memory, and the newest over SSH.
SSH = [name(VERSIONS[-1])]
# A warning is Ansible's to pass on.
WARNED = "elsewhere"
HOSTS = [*SSH, *map(memory_play.name, VERSIONS)]
BESIDE = ("away", "unbound", "wrong", "elsewhere", "local")

GRANT = Step("grant", "mobile_account", {"name": "ada", "password": ADA, "secure_token": "present", **IT})
ONLY = Step("only the account", "mobile_account", {"name": "eve", "home": "/Users/staff/eve"})

EACH = [
    GRANT.but("grant: check", check=True, diff=True),
    GRANT.but("grant", diff=True),
    GRANT.but("grant: again", password=None, admin_user=None, admin_password=None),
    ONLY.but("only the account: check", check=True),
    ONLY,
    ONLY.but("only the account: again"),
    # S3: she has been at the login window, and nobody gave the administrator's password at the dialog.
    GRANT.but("later: check", name="eve", password=EVE, check=True),
    GRANT.but("later", name="eve", password=EVE),
    GRANT.but("later: again", name="eve", password=EVE),
]


def described(version: str, *accounts: str | dict[str, Any], **other: Any) -> dict[str, Any]:
    users = [
        {"name": "ada", "full_name": "Ada O'Lovelace", "password": ADA},
        {"name": "eve", "full_name": "Eve D'Irectory", "password": EVE},
        {"name": "rolf", "full_name": "Rolf Changed", "password": NEW},
    ]
    made = mac(version, "itadmin", *accounts, directory={"node": NODE, "users": users})
    return made | other


def all_of_them() -> dict[str, dict[str, Any]]:
    kept = person("rolf", kind="mobile", password=OLD)
    macs = {host: described(host.rpartition("-")[2], mdm={"token_dialog_bypass": True}) for host in HOSTS}
    macs |= {who: described("15.6") for who in ("wrong",)}
    macs["away"] = described("15.6", kept)
    macs["away"]["directory"]["online"] = False
    macs["unbound"] = mac("15.6", "itadmin")
    macs["elsewhere"] = described("15.6", kept | {"token": True}, person("stale", kind="mobile", password=OLD))
    macs["elsewhere"]["directory"]["users"].append({"name": "stale", "password": NEW})
    macs["local"] = described("15.6", person("ada", password=ADA))
    return macs


@pytest.fixture(scope="module")
def lab(bring_up: Callable[[Mapping[str, Any]], Lab]) -> Lab:
    return bring_up({host: one for host, one in all_of_them().items() if host in (*SSH, WARNED)})


@pytest.fixture(scope="module")
def macs(lab: Lab) -> dict[str, Handle | MemoryMac]:
    return memory_play.macs(lab, all_of_them())


@pytest.fixture(scope="module")
def played(ansible: Ansible, lab: Lab, macs: dict[str, Handle | MemoryMac]) -> Played:
    steps: dict[str, list[Step]] = dict.fromkeys(HOSTS, EACH)
    offline = GRANT.but("kept", name="rolf", password=OLD)
    steps |= {
        "away": [GRANT.but("nobody to ask"), offline.but("kept: wrong", password=NEW), offline],
        "unbound": [GRANT],
        "wrong": [
            GRANT.but("granter's password wrong", admin_password="no-password-of-this-mac"),
            GRANT.but("password wrong", password="no-password-of-ada"),
            GRANT.but("nobody of that name", name="nobody.there"),
        ],
        "elsewhere": [
            GRANT.but("holder: changed", name="rolf", password=NEW),
            GRANT.but("holder: the same", name="rolf", password=OLD),
            GRANT.but("no token: changed: check", name="stale", password=NEW, check=True),
            GRANT.but("no token: changed", name="stale", password=NEW),
        ],
        "local": [GRANT],
    }
    return memory_play.play_all(ansible, lab, macs, steps)


on_each_mac = pytest.mark.parametrize("host", HOSTS)
each_change = pytest.mark.parametrize("change", ["grant", "only the account", "later"])


@on_each_mac
@each_change
def test_check_mode_predicts_and_touches_nothing(played: Played, host: str, change: str) -> None:
    expect.predicted(played[host, f"{change}: check"], played[host, change])


@on_each_mac
@each_change
def test_a_run_changes_and_the_next_one_needs_no_login(played: Played, host: str, change: str) -> None:
    expect.done(played[host, change])
    expect.found_done(played[host, f"{change}: again"], played[host, change])


@on_each_mac
@pytest.mark.parametrize("change", ["grant", "later"])
def test_the_token_is_there_by_all_three_sources_and_preboot_knows(
    macs: dict[str, Handle | MemoryMac], played: Played, host: str, change: str
) -> None:
    after = played[host, change].after
    assert after["sources"] == {"authority": True, "crypto_user": True, "filevault_list": True}
    assert (after["kind"], after["secure_token"], after["preboot_pending"]) == ("mobile", "holder", False)
    state = macs[host].state()
    assert state.accounts[after["name"]].generated_uid in state.preboot


@on_each_mac
def test_the_account_is_the_directorys_person(macs: dict[str, Handle | MemoryMac], played: Played, host: str) -> None:
    person_there = macs[host].state().network.users["ada"]
    after = played[host, "grant"].after
    assert (after["uid"], after["full_name"]) == (person_there.uid, "Ada O'Lovelace")
    assert played[host, "only the account"].after["home"] == "/Users/staff/eve"
    assert played[host, "only the account"].authentications == []


@on_each_mac
def test_the_directory_and_the_dialog_are_reported(played: Played, host: str) -> None:
    after = played[host, "grant"].after
    assert after["directory"] == {"nodes": [NODE], "online": True}
    assert after["token_dialog_suppressed"] is True


@on_each_mac
def test_each_password_is_right_and_the_granters_is_used_once(played: Played, host: str) -> None:
    for change in ("grant", "later"):
        run = played[host, change]
        assert all(right for _who, right in run.authentications), run
        assert Counter(run.authentications)["itadmin", True] == 1, run


@pytest.mark.parametrize(
    ("host", "step", "code"),
    [
        ("away", "nobody to ask", "directory_offline"),
        ("away", "kept: wrong", "user_password_wrong"),
        ("unbound", "grant", "directory_not_bound"),
        ("wrong", "granter's password wrong", "granter_password_wrong"),
        ("wrong", "password wrong", "user_password_wrong"),
        ("wrong", "nobody of that name", "directory_user_unknown"),
        ("local", "grant", "account_not_mobile"),
    ],
)
def test_what_cannot_be_done_is_refused_before_the_first_write(played: Played, host: str, step: str, code: str) -> None:
    answer = played[host, step]
    assert answer.reason == code, answer
    assert not answer.changed and not answer.writes, answer
    assert answer.before == answer.after
    assert answer.result["remedy"]
    # A wrong guess is made at nobody but the person whose password only the directory can judge, and once.
    wrong = [who for who, right in answer.authentications if not right]
    assert wrong == (["ada"] if step == "password wrong" else [])


def test_the_granter_has_no_failed_login(macs: dict[str, Handle | MemoryMac], played: Played) -> None:
    assert played.run.lines
    for host in (*HOSTS, *BESIDE):
        assert macs[host].state().accounts["itadmin"].failed_logins == 0


def test_while_the_directory_is_away_the_kept_password_grants(played: Played) -> None:
    answer = played["away", "kept"]
    assert answer.ok and answer.changed, answer
    assert answer.after["directory"] == {"nodes": [NODE], "online": False}


def test_a_password_changed_elsewhere_is_told_to_a_holder_and_nothing_is_touched(played: Played) -> None:
    told, quiet = played["elsewhere", "holder: changed"], played["elsewhere", "holder: the same"]
    (note,) = told.result["notes"]
    assert "changed in the directory" in note and "stale" in note
    assert told.result["warnings"] == [note]
    assert quiet.result["notes"] == [] and "warnings" not in quiet.result
    for answer in (told, quiet):
        assert answer.ok and not answer.changed and answer.touched_nothing, answer


def test_a_password_that_the_mac_has_not_heard_of_yet_grants(played: Played) -> None:
    check, run = played["elsewhere", "no token: changed: check"], played["elsewhere", "no token: changed"]
    assert check.ok and check.touched_nothing, check
    assert run.ok and run.after["secure_token"] == "holder", run
    assert all(right for _who, right in run.authentications)


def test_no_password_shows_anywhere(lab: Lab, played: Played) -> None:
    for secret_word in (ADA, EVE, OLD, NEW, IT["admin_password"]):
        assert secret_word not in played.run.output
        for host in (*SSH, WARNED):
            for run in journal.programs(lab.mac(host).journal()):
                assert secret_word not in "\n".join([*run.argv, *run.env.values()]), run.program
