# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must not be done is refused before the first write and the first login, with a reason and a way out.

Everything is refused on every macOS in memory, and in check mode; some of it over SSH too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import memory_play
import pytest
from memory_play import MemoryMac

from harness.ansible import Ansible
from harness.batch import Answer, Played, Step, account, token
from harness.macs import PASSWORDS, VERSIONS, mac, name, secret
from maclab.lab import Handle, Lab

IT = {"admin_user": "itadmin", "admin_password": PASSWORDS["itadmin"]}
ANA = token("", "ana", password=PASSWORDS["ana"], **IT)
NEW = account("", "new", password=secret("new"), secure_token="present", **IT)

# Ansible comes in by itadmin, who is guarded for that as well.
OWN = {"allow_own_account": True}

Row = tuple[Step, str, list[str]]
"""What is asked for; the reason; what the message must name."""

CAME_IN = ["this run logged in with itadmin or became root from it"]
CHANGED = {"name": "itadmin", "password": secret("new"), "old_password": PASSWORDS["itadmin"]}

ON_EVERY_VERSION: list[Row] = [
    (account("own account deleted", "itadmin", state="absent"), "own_account", CAME_IN),
    (account("own account demoted", "itadmin", admin=False), "own_account", CAME_IN),
    (Step("own account offboarded", "offboard", {"name": "itadmin"}), "own_account", CAME_IN),
    (Step("own account given another password", "account_password", CHANGED), "own_account", CAME_IN),
    (ANA.but("granter unknown", admin_user="nobody.here"), "granter_unknown", ["nobody.here", "itadmin"]),
    (ANA.but("granter without token", admin_user="helper"), "granter_no_token", ["helper", "itadmin"]),
    (ANA.but("granter not admin", admin_user="stan"), "granter_not_admin", ["stan", "itadmin"]),
    (ANA.but("granter phantom", admin_user="ghost"), "granter_phantom", ["ghost", "itadmin"]),
    (ANA.but("granter's password wrong", admin_password=secret("bad")), "granter_password_wrong", ["itadmin"]),
    (ANA.but("user unknown", user="nobody.here"), "user_unknown", ["nobody.here", "ana"]),
    (ANA.but("user's password wrong", password=secret("bad")), "user_password_wrong", ["ana"]),
    (ANA.but("user phantom", user="rui", password=PASSWORDS["rui"]), "phantom", ["rui", "crypto users no"]),
    (NEW.but("create, granter's password wrong", admin_password=secret("bad")), "granter_password_wrong", ["itadmin"]),
    (ANA.but("token, not root", become=False), "not_root", []),
]

MORE: list[Row] = [
    # The granter
    (ANA.but("no granter", admin_user=None), "granter_missing", ["itadmin", "deputy"]),
    (ANA.but("granter's password missing", admin_password=None), "option_missing", ["admin_password"]),
    (ANA.but("granter a dash", admin_user="-secureTokenOff"), "name_unusable", ["admin_user"]),
    # The user
    (ANA.but("user's password missing", password=None), "option_missing", ["password"]),
    (ANA.but("user a path", user="ana/../root"), "name_unusable", ["ana/../root"]),
    # Revoking
    (token("own token", "itadmin", state="absent", password=PASSWORDS["itadmin"], **IT), "granter_is_user", ["deputy"]),
    (token("revoke, no granter", "stan", state="absent", password=PASSWORDS["stan"]), "granter_missing", ["itadmin"]),
    (token("revoke phantom", "rui", state="absent", password=PASSWORDS["rui"], **IT), "phantom", ["rui"]),
    # Creating: a wrong granter creates nothing.
    (NEW.but("create, granter without token", admin_user="helper"), "granter_no_token", ["helper"]),
    (NEW.but("create, no granter", admin_user=None), "granter_missing", ["itadmin"]),
    (NEW.but("create, no password", password=None), "option_missing", ["password"]),
    (NEW.but("create, UID taken", uid=501), "uid_taken", ["501"]),
    (NEW.but("create, full name taken", full_name="Ana Sousa"), "full_name_taken", ["Ana Sousa"]),
    (NEW.but("create, full name broken", full_name="A\nB"), "value_unusable", ["full_name"]),
    (NEW.but("create, a dash", name="-new"), "name_unusable", ["-new"]),
    (NEW.but("create, name too long", name="n" * 245), "name_unusable", ["245"]),
    # Changing
    (account("another UID", "ana", uid=7777), "uid_differs", ["7777"]),
    (account("prevent a holder", "stan", secure_token="prevented"), "holds_token", ["stan"]),
    (
        account("a holder's password as root", "stan", password=secret("new"), update_password="always"),
        "option_missing",
        ["old_password", "itadmin"],
    ),
    (
        account(
            "old password wrong", "stan", password=secret("new"), old_password=secret("bad"), update_password="always"
        ),
        "user_password_wrong",
        ["stan"],
    ),
    # Deleting
    (account("delete root", "root", state="absent"), "system_account", ["root"]),
    (account("delete a service", "_mbsetupuser", state="absent"), "system_account", ["_mbsetupuser"]),
    # Passwords that no prompt can take
    (ANA.but("password of two lines", password="a\nb"), "password_unusable", ["line break"]),
    (ANA.but("password of 1023 bytes", password="x" * 1023), "password_unusable", ["1023"]),
    # Not root
    (NEW.but("account, not root", become=False), "not_root", []),
]

# The only administrator with a token, beside one without and a holder who is none.
ON_A_LONE_MAC: list[Row] = [
    (
        token("revoke the last admin holder", "itadmin", state="absent", password=PASSWORDS["itadmin"], **IT, **OWN),
        "last_admin_holder",
        ["itadmin"],
    ),
    (account("delete the last admin holder", "itadmin", state="absent", **OWN), "last_admin_holder", ["itadmin"]),
    (account("take the last admin right", "itadmin", admin=False, **OWN), "last_admin_holder", ["itadmin"]),
]

# FileVault is on, and a standard user is all that can unlock it.
ON_A_SEALED_MAC: list[Row] = [
    (account("delete the last way in", "stan", state="absent"), "would_lock_out", ["FileVault"]),
]

# What a template leaves empty has not been given, once Ansible has been at it.
EMPTY: Row = (ANA.but("password empty", password=""), "option_missing", ["password"])

CHECKED = memory_play.name("15.6", "check")


def rows_of(version: str) -> dict[str, list[Row]]:
    """By the Mac in memory: the rows that are tried on it."""
    return {
        memory_play.name(version, "fleet"): ON_EVERY_VERSION + MORE,
        memory_play.name(version, "lone"): ON_A_LONE_MAC,
        memory_play.name(version, "sealed"): ON_A_SEALED_MAC,
    }


# Who came in, and whether as root, is what Ansible makes of it.
BY_WAY_OF_ANSIBLE = ("own_account", "not_root")
OVER_SSH = {
    name(VERSIONS[0], "fleet"): [*(row for row in ON_EVERY_VERSION if row[1] in BY_WAY_OF_ANSIBLE), EMPTY],
}
IN_MEMORY = {host: rows for version in VERSIONS for host, rows in rows_of(version).items()}
IN_MEMORY[CHECKED] = ON_EVERY_VERSION + MORE
TABLES = OVER_SSH | IN_MEMORY


def described(host: str) -> dict[str, Any]:
    kind, version = host.removeprefix(f"{memory_play.PREFIX}-").split("-")
    if kind == "lone":
        return mac(version, "itadmin", "helper", "stan", "ana")
    if kind == "sealed":
        return mac(version, "helper", "stan", filevault={"state": "on"})
    return mac(version)


def steps(tables: Mapping[str, list[Row]]) -> dict[str, list[Step]]:
    return {
        host: [replace(step, check=host == CHECKED) for step, _reason, _names in rows] for host, rows in tables.items()
    }


@pytest.fixture(scope="module")
def lab(bring_up: Callable[[Mapping[str, Any]], Lab]) -> Lab:
    return bring_up({host: described(host) for host in OVER_SSH})


@pytest.fixture(scope="module")
def macs(lab: Lab) -> dict[str, Handle | MemoryMac]:
    return memory_play.macs(lab, {host: described(host) for host in TABLES})


@pytest.fixture(scope="module")
def played(ansible: Ansible, lab: Lab, macs: dict[str, Handle | MemoryMac]) -> Played:
    return memory_play.play_all(ansible, lab, macs, steps(TABLES))


ROWS = [
    pytest.param(host, step.title, reason, names, id=f"{host}-{step.title}")
    for host, rows in TABLES.items()
    for step, reason, names in rows
]


@pytest.mark.parametrize(("host", "step", "reason", "names"), ROWS)
def test_refused_with_a_reason_and_nothing_touched(
    played: Played, host: str, step: str, reason: str, names: list[str]
) -> None:
    answer = played[host, step]
    assert answer.reason == reason, answer
    assert not answer.changed
    assert answer.before == answer.after
    assert answer.touched_nothing, answer
    assert all(word in answer.result["msg"] for word in names), answer.result["msg"]
    assert answer.result["remedy"] in answer.result["msg"]
    assert f"[{reason}]" in answer.result["msg"]


@pytest.mark.parametrize("host", [host for host in IN_MEMORY if "fleet-" in host])
@pytest.mark.parametrize(
    ("step", "evidence"),
    [
        ("granter without token", "helper: directory no, crypto users no, FileVault list no"),
        ("granter phantom", "ghost: directory yes, crypto users no, FileVault list yes"),
        ("user phantom", "rui: directory yes, crypto users no, FileVault list yes"),
        ("granter's password wrong", "dscl"),
        ("user's password wrong", "dscl"),
    ],
)
def test_evidence_says_which_source_said_what(played: Played, host: str, step: str, evidence: str) -> None:
    answer = played[host, step]
    assert any(evidence in line for line in answer.result["evidence"]), answer


@pytest.mark.parametrize("host", list(TABLES))
def test_the_mac_is_what_it_was(played: Played, macs: dict[str, Handle | MemoryMac], host: str) -> None:
    """Whatever the journal says: the state itself."""
    assert played.answers
    now = macs[host].state()
    macs[host].reset()
    assert vars(now) == vars(macs[host].state())


def test_the_task_may_say_otherwise() -> None:
    mine = MemoryMac("mine", mac("15.6", "itadmin", "deputy"))
    assert mine.play(account("own account demoted", "itadmin", admin=False, **OWN)).changed


def test_no_wrong_guess_was_counted(played: Played, macs: dict[str, Handle | MemoryMac]) -> None:
    """A wrong password is found by the account's hash, so that retries never lock anybody."""
    assert played.answers
    failed = {
        (host, person.name): person.failed_logins
        for host, one in macs.items()
        for person in one.state().accounts.values()
        if person.failed_logins
    }
    assert failed == {}


def test_answers_are_printable(played: Played) -> None:
    """A person reads the reason, not Python's repr of it."""
    said: list[Answer] = [answer for answer in played.answers.values() if not answer.ok]
    assert said
    assert not [answer for answer in said if "Secret(" in str(answer.result)]
