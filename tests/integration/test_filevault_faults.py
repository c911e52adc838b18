# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""FileVault on Macs that are broken in one way each, and a deferral that comes true at the screen."""

from __future__ import annotations

import plistlib
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from harness.ansible import Ansible
from harness.batch import Played, Step, play
from harness.macs import PASSWORDS, mac, person
from harness.recipients import HelpDesk, Safe
from harness.wait import processes
from maclab import journal, vault
from maclab.lab import Lab
from maclab.state import Mac

ADMIN = {"user": "itadmin", "password": PASSWORDS["itadmin"]}
IT = {"admin_user": "itadmin", "admin_password": PASSWORDS["itadmin"]}
DESK, SAFE = HelpDesk.new("help desk"), Safe.new()
TO_DESK = {"recovery_key": "encrypt", "recipients": [DESK.pem]}
ENABLE = Step("run", "filevault", {"state": "enabled", "timeout": 20, **ADMIN, **TO_DESK})
DISABLE = Step("run", "filevault", {"state": "disabled", "timeout": 20, **ADMIN})
ROTATE = Step("run", "filevault_recovery_key", {"state": "rotated", "timeout": 20, **ADMIN, **TO_DESK})
BACK = Step("run", "filevault_user", {"user": "stan", "password": PASSWORDS["stan"], "timeout": 20, **IT})
GONE = Step("run", "filevault_user", {"user": "stan", "state": "absent"})
OFF, ON = {"state": "off"}, {"state": "on", "prk": True}


def hang(argument: str, at: str = "start") -> dict[str, Any]:
    return {"fault": "hang", "program": "fdesetup", "argument": argument, "at": at}


def hasty(step: Step) -> Step:
    return step.but("run", timeout=3)


NO_ACCESS = {"fault": "no_full_disk_access"}
STALE = {"fault": "stale_key", "user": "itadmin"}
NO_ANSWER = "no answer before the deadline"

# Mac; its version; what else describes it; its fault; what is run; the reason; what the evidence holds; whether
# something changed all the same.
BROKEN: list[tuple[str, str, dict[str, Any], dict[str, Any] | None, Step, str, str, bool]] = [
    ("dialog-10.15", "10.15.7", {"logged_in": ["itadmin"]}, NO_ACCESS, hasty(ENABLE), "timeout", NO_ANSWER, False),
    ("dialog-26", "26.1", {"logged_in": ["itadmin"]}, NO_ACCESS, hasty(ENABLE), "timeout", NO_ANSWER, False),
    ("nobody-at-the-dialog", "15.6", {}, NO_ACCESS, ENABLE, "fdesetup_99", "fdesetup enable", False),
    ("enables-nothing", "15.6", {}, {"fault": "enable_does_nothing"}, ENABLE, "not_proven", "FileVault is off", False),
    ("hangs-enabling", "13.6.9", {}, hang("enable"), hasty(ENABLE), "timeout", "fdesetup enable -inputplist", False),
    ("hangs-reading", "11.7.10", {}, hang("status"), hasty(ENABLE), "reading_incomplete", NO_ANSWER, False),
    # Nobody knows whether it has made a key, so it may have.
    ("hangs-rotating", "26.1", ON, hang("changerecovery"), hasty(ROTATE), "timeout", "changerecovery", True),
    ("hangs-validating", "15.6", ON, hang("validaterecovery"), hasty(ROTATE), "timeout", "validaterecovery", True),
    ("nobody-gets-it", "15.6", ON, {"fault": "prk_not_returned"}, ROTATE, "key_not_given", "rc 0", True),
    ("hangs-adding", "15.6", ON, hang("add"), hasty(BACK), "timeout", "fdesetup add", False),
    ("stale-enables", "13.6.9", {}, STALE, ENABLE, "fdesetup_11", "fdesetup enable", False),
    ("stale-disables", "15.6", ON, STALE, DISABLE, "fdesetup_35", "fdesetup disable", False),
    ("locked-rotates", "26.1", ON, {"fault": "locked", "user": "itadmin"}, ROTATE, "fdesetup_11", "rc 11", False),
    (
        "forbidden",
        "15.6",
        {"mdm": {"enrolled": "ade", "forbids_filevault": True}},
        None,
        ENABLE,
        "fdesetup_31",
        "rc",
        False,
    ),
]
# FileVault is what was asked for, and it is on; that macOS gives no key is told by an empty value.
KEPT = {"kept-10.15": "10.15.7", "kept-26": "26.1"}
# Refused by macOS's own rules, before anything is tried.
LAST = "last-unlocker"
# A profile puts each new key aside: nobody else has to get it.
ESCROWING = ("escrowing", "escrowing-first")
DEFERRING = {"deferring-10.15": "10.15.7", "deferring-13": "13.6.9", "deferring-15": "15.6"}
PLIST = "/var/db/keyholder-filevault.plist"
TABLE = [pytest.param(*row, id=row[0]) for row in BROKEN]


def described(version: str, vault_or_more: Mapping[str, Any], *faults: dict[str, Any]) -> dict[str, Any]:
    filevault = dict(vault_or_more) if "state" in vault_or_more else {"filevault": OFF, **vault_or_more}
    more = {"filevault": filevault} if "state" in filevault else filevault
    return mac(version, "itadmin", "deputy", "stan", faults=list(faults), **more)


@pytest.fixture(scope="module")
def lab(bring_up: Callable[[Mapping[str, Any]], Lab]) -> Lab:
    macs = {}
    for host, version, more, fault, step, *_rest in BROKEN:
        macs[host] = described(version, more, *([fault] if fault else []))
        if step.module == "filevault_user":
            macs[host]["accounts"][-1] = person("stan", token={"authority": True, "crypto": True, "filevault": False})
    macs |= {host: described(version, OFF, {"fault": "prk_not_returned"}) for host, version in KEPT.items()}
    macs[LAST] = mac("15.6", "itadmin", "ana", filevault=ON)
    managed = {"enrolled": "ade", "escrow_profile": True}
    for host in ESCROWING:
        macs[host] = mac("15.6", "itadmin", filevault=ON, mdm={**managed, "prk_escrowed": host == "escrowing"})
    macs |= {host: described(version, OFF) for host, version in DEFERRING.items()}
    return bring_up(macs)


@pytest.fixture(scope="module")
def at_first(lab: Lab) -> dict[str, Mac]:
    return {host: lab.mac(host).state() for host in lab.names}


@pytest.fixture(scope="module")
def played(ansible: Ansible, lab: Lab, at_first: dict[str, Mac]) -> Played:
    steps: dict[str, list[Step]] = {host: [step] for host, _version, _more, _fault, step, *_rest in BROKEN}
    steps |= dict.fromkeys(KEPT, [ENABLE])
    steps[LAST] = [
        GONE.but("run", user="itadmin"),
        GONE.but("unknown", user="nobody-here"),
        BACK.but("ana", user="ana"),
    ]
    steps |= dict.fromkeys(ESCROWING, [ROTATE.but("run", recovery_key=None, recipients=None)])
    defer = Step("defer", "filevault", {"state": "deferred", "user": "stan", "force_at_login": 0})
    steps |= dict.fromkeys(DEFERRING, [defer])
    return play(ansible, lab, steps)


@pytest.fixture(scope="module")
def left(lab: Lab, played: Played) -> dict[str, Mac]:
    """What the first runs left; nothing of theirs runs any more."""
    assert played.run.rc == 0
    assert processes(*(lab.mac(host) for host in lab.names)) == []
    return {host: lab.mac(host).state() for host in lab.names}


@pytest.fixture(scope="module")
def at_the_screen(lab: Lab, left: dict[str, Mac]) -> dict[str, list[str]]:
    assert left
    return {host: lab.mac(host).login("stan") for host in DEFERRING}


@pytest.fixture(scope="module")
def fired(lab: Lab, at_the_screen: dict[str, list[str]]) -> dict[str, Mac]:
    assert at_the_screen
    return {host: lab.mac(host).state() for host in DEFERRING}


@pytest.fixture(scope="module")
def repaired(ansible: Ansible, lab: Lab, fired: dict[str, Mac]) -> Played:
    """Every Mac repaired and run once more; where a deferral came true, it is found so and its key is taken over."""
    steps: dict[str, list[Step]] = {}
    for host, _version, _more, fault, step, *_rest in BROKEN:
        if fault is not None:
            lab.mac(host).clear_faults()
            steps[host] = [step.but("run", timeout=120)]
    collect = Step("collect", "filevault_recovery_key", {"state": "collected", "recovery_key": "encrypt"})
    steps |= dict.fromkeys(
        DEFERRING,
        [
            ENABLE.but("enabled"),
            collect.but("collect", recipients=[DESK.pem]),
            collect.but("collect with age", recipients=[SAFE.recipient]),
            collect.but("collect and remove: check", recipients=[DESK.pem], remove=True, check=True),
            collect.but("collect and remove", recipients=[DESK.pem], remove=True),
            collect.but("collect: again", recipients=[DESK.pem], remove=True),
        ],
    )
    return play(ansible, lab, steps)


@pytest.mark.parametrize(("host", "version", "more", "fault", "step", "reason", "evidence", "changed"), TABLE)
def test_says_what_happened(
    played: Played,
    at_first: dict[str, Mac],
    left: dict[str, Mac],
    host: str,
    version: str,
    more: dict[str, Any],
    fault: dict[str, Any] | None,
    step: Step,
    reason: str,
    evidence: str,
    changed: bool,
) -> None:
    answer = played[host, "run"]
    assert answer.reason == reason, answer
    assert any(evidence in line for line in answer.result["evidence"]), answer
    assert answer.result["remedy"]
    assert answer.changed is changed
    assert vault.is_on(left[host]) is vault.is_on(at_first[host])
    # A key that was made before it went wrong may be the only one: it is delivered with the failure.
    message = answer.result.get("recovery_key_encrypted", "")
    assert (DESK.opened(message) if message else None) == (
        left[host].filevault.prk if host == "hangs-validating" else None
    )
    # Whatever went wrong: whoever could unlock the Mac still can, and it has the key that it had, or a newer one.
    assert vault.unlockers(left[host]) == vault.unlockers(at_first[host])
    assert bool(left[host].filevault.prk) or not at_first[host].filevault.prk


@pytest.mark.parametrize("host", [row[0] for row in BROKEN if row[5] in ("timeout", "reading_incomplete")])
def test_what_hung_was_ended(played: Played, lab: Lab, left: dict[str, Mac], host: str) -> None:
    assert left
    killed = [run for run in journal.programs(lab.mac(host).journal()) if run.killed]
    assert len(killed) == 1
    assert killed[0].duration < 20


@pytest.mark.parametrize("host", [row[0] for row in BROKEN if row[3] is not None])
def test_gets_through_once_repaired(repaired: Played, lab: Lab, host: str) -> None:
    answer, state = repaired[host, "run"], lab.mac(host).state()
    assert answer.ok, answer
    if answer.line.action.endswith(("filevault", "filevault_recovery_key")) and answer.after.get("enabled", True):
        # What was promised is delivered after all: a key that opens the Mac, encrypted.
        assert DESK.opened(answer.result["recovery_key_encrypted"]) == state.filevault.prk


@pytest.mark.parametrize("host", KEPT)
def test_a_key_that_macos_gives_to_nobody_is_told(played: Played, left: dict[str, Mac], host: str) -> None:
    answer = played[host, "run"]
    assert left[host].filevault.keys_made == 1
    assert answer.ok, answer
    assert answer.changed
    assert answer.result["recovery_key_encrypted"] == ""
    assert vault.is_on(left[host])


def test_the_last_who_can_unlock_stays(played: Played, left: dict[str, Mac]) -> None:
    answer = played[LAST, "run"]
    assert answer.reason == "last_unlocker", answer
    assert answer.touched_nothing
    assert len(vault.unlockers(left[LAST])) == 1
    assert played[LAST, "unknown"].ok
    assert not played[LAST, "unknown"].changed
    assert played[LAST, "ana"].reason == "user_no_token"


@pytest.mark.parametrize("host", ESCROWING)
def test_a_profile_that_escrows_is_a_way_out_for_a_key(
    played: Played, at_first: dict[str, Mac], left: dict[str, Mac], host: str
) -> None:
    answer = played[host, "run"]
    assert answer.ok, answer
    assert answer.before["escrow_profile"] is True
    assert answer.after["escrowed_at"] > (answer.before["escrowed_at"] or 0)
    assert left[host].filevault.prk != at_first[host].filevault.prk
    assert {"recovery_key", "recovery_key_encrypted"} & set(answer.result) == set()


@pytest.mark.parametrize("host", DEFERRING)
def test_a_deferral_comes_true_at_the_screen_and_its_key_is_taken_over(
    at_the_screen: dict[str, list[str]],
    left: dict[str, Mac],
    fired: dict[str, Mac],
    repaired: Played,
    lab: Lab,
    host: str,
) -> None:
    assert not vault.is_on(left[host])
    assert "FileVault enabled by the deferral" in at_the_screen[host]
    written = plistlib.loads(fired[host].files[PLIST].content.encode())["RecoveryKey"]
    assert written == fired[host].filevault.prk
    enabled = repaired[host, "enabled"]
    assert enabled.ok, enabled
    assert not enabled.changed
    assert enabled.touched_nothing
    assert enabled.after["deferred_user"] == ""
    first, second = repaired[host, "collect"], repaired[host, "collect with age"]
    assert (
        DESK.opened(first.result["recovery_key_encrypted"]) == SAFE.opened(second.result["recovery_key_age"]) == written
    )
    for answer in (first, second):
        assert not answer.changed
        assert answer.touched_nothing
        assert answer.after["key_file"] is True
    check, removed, again = (
        repaired[host, title] for title in ("collect and remove: check", "collect and remove", "collect: again")
    )
    assert check.ok, check
    assert check.touched_nothing
    assert check.changed
    assert check.after == removed.after
    assert DESK.opened(removed.result["recovery_key_encrypted"]) == written
    assert removed.authentications == []
    assert PLIST not in lab.mac(host).state().files
    # The key was validated again before its file went.
    order = [run.program for run in removed.programs if run.program == "rm" or "validaterecovery" in run.argv]
    assert order == ["fdesetup", "rm"]
    assert again.ok
    assert not again.changed
    assert again.result["recovery_key_encrypted"] == ""
