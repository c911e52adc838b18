# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Macs that are broken in one way each: the run says what happened, and the next one, repaired, gets through."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from harness.ansible import Ansible
from harness.batch import Played, Step, account, play, token
from harness.macs import PASSWORDS, mac, secret
from harness.wait import processes
from maclab import journal
from maclab.lab import Lab

IT = {"admin_user": "itadmin", "admin_password": PASSWORDS["itadmin"]}
GRANT = token("run", "ana", password=PASSWORDS["ana"], **IT)
HASTY = GRANT.but("run", timeout=2)
CREATE = account("run", "nova", password=secret("nova"), secure_token="present", **IT)
DELETE = account("run", "stan", state="absent")
RENEW = account(
    "run",
    "stan",
    password=secret("stan-new"),
    old_password=PASSWORDS["stan"],
    update_password="always",
)

UNSTUCK = {"fault": "token_does_not_stick"}

# Mac; its version; its fault; what is run; the reason; what the evidence holds; whether something changed all the same.
BROKEN: list[tuple[str, str, dict[str, Any], Step, str, str, bool]] = [
    (
        "hangs-at-the-prompt",
        "15.6",
        {"fault": "hang", "program": "sysadminctl", "argument": "-secureTokenOn", "at": "prompt"},
        HASTY,
        "timeout",
        "no answer before the deadline",
        False,
    ),
    (
        "hangs-before-the-prompt",
        "10.13.6",
        {"fault": "hang", "program": "sysadminctl", "at": "start"},
        HASTY,
        "timeout",
        "no answer before the deadline",
        False,
    ),
    (
        "hangs-in-the-reading",
        "26.1",
        {"fault": "hang", "program": "diskutil"},
        HASTY,
        "reading_incomplete",
        "no answer before the deadline",
        False,
    ),
    (
        "hangs-in-preboot",
        "13.6.9",
        {"fault": "hang", "program": "diskutil", "argument": "updatePreboot"},
        HASTY,
        "timeout",
        "updatePreboot",
        True,
    ),
    (
        "says-done-on-13",
        "13.6.9",
        {**UNSTUCK, "user": "ana"},
        GRANT,
        "not_proven",
        "Done!",
        False,
    ),
    ("says-done-on-26", "26.1", UNSTUCK, CREATE, "not_proven", "Done!", True),
    ("no-disk-access", "15.6", {"fault": "no_full_disk_access"}, DELETE, "no_full_disk_access", "not permitted", False),
    ("deletes-nothing", "26.1", {"fault": "delete_does_nothing"}, DELETE, "not_proven", "-deleteUser stan", False),
    ("locked-user", "11.7.10", {"fault": "locked", "user": "ana"}, GRANT, "password_refused", "-secureTokenOn", False),
    ("locked-granter", "15.6", {"fault": "locked", "user": "itadmin"}, GRANT, "key_refused", "-secureTokenOn", False),
    ("stale-granter", "13.6.9", {"fault": "stale_key", "user": "itadmin"}, GRANT, "key_refused", "itadmin", False),
    ("hardened-grant", "15.6", {"fault": "lockout_root"}, GRANT, "root_locked_out", "-60007", False),
    ("hardened-create", "26.1", {"fault": "lockout_root"}, CREATE, "root_locked_out", "-60007", False),
    ("hardened-delete", "10.15.7", {"fault": "lockout_root"}, DELETE, "root_locked_out", "-60007", False),
]
# What is slow or far away is not broken.
SLOW, FAR = "slow", "no-mdm"
# Where the hash cannot be read, a password can only be tried: once, and not at all in check mode.
BLIND = {"blind-11": "11.7.10", "blind-26": "26.1"}
WRONG = secret("bad")
TRIED = [
    GRANT.but("check", check=True),
    GRANT.but("wrong", password=WRONG),
    GRANT.but("wrong: check", check=True, password=WRONG),
    GRANT.but("too long for this prompt", password="x" * 129),
    GRANT,
    GRANT.but("again"),
]
TABLE = [pytest.param(*row, id=row[0]) for row in BROKEN]


@pytest.fixture(scope="module")
def lab(bring_up: Callable[[Mapping[str, Any]], Lab]) -> Lab:
    macs = {host: mac(version, faults=[fault]) for host, version, fault, *_rest in BROKEN}
    macs[SLOW] = mac("15.6", faults=[{"fault": "slow", "seconds": 0.2, "program": "sysadminctl"}])
    macs[FAR] = mac("15.6", mdm={"enrolled": "ade"}, faults=[{"fault": "mdm_unreachable"}])
    macs |= {host: mac(version, faults=[{"fault": "hash_unreadable"}]) for host, version in BLIND.items()}
    return bring_up(macs)


@pytest.fixture(scope="module")
def played(ansible: Ansible, lab: Lab) -> Played:
    steps = {host: [step] for host, _version, _fault, step, *_rest in BROKEN}
    steps |= {SLOW: [GRANT], FAR: [Step("reading", "trust_info"), GRANT], **dict.fromkeys(BLIND, TRIED)}
    return play(ansible, lab, steps)


@pytest.fixture(scope="module")
def repaired(ansible: Ansible, lab: Lab, played: Played) -> Played:
    """Looks at what the first runs left, then repairs every Mac and runs twice more."""
    assert processes(*(lab.mac(host) for host in lab.names)) == []
    for host in lab.names:
        lab.mac(host).clear_faults()
    return play(
        ansible,
        lab,
        {host: [step, step.but("again")] for host, _version, _fault, step, *_rest in BROKEN},
    )


@pytest.mark.parametrize(("host", "version", "fault", "step", "reason", "evidence", "changed"), TABLE)
def test_says_what_happened(
    played: Played,
    host: str,
    version: str,
    fault: dict[str, Any],
    step: Step,
    reason: str,
    evidence: str,
    changed: bool,
) -> None:
    answer = played[host, step.title]
    assert answer.reason == reason, answer
    assert any(evidence in line for line in answer.result["evidence"]), answer
    assert answer.changed is changed
    assert (answer.before != answer.after) is changed


@pytest.mark.parametrize("host", [row[0] for row in BROKEN])
def test_gets_through_once_repaired(repaired: Played, lab: Lab, host: str) -> None:
    assert repaired[host, "run"].ok, repaired[host, "run"]
    assert repaired[host, "again"].ok, repaired[host, "again"]
    assert not repaired[host, "again"].changed
    state = lab.mac(host).state()
    assert not state.accounts["root"].attributes.get("dsAttrTypeNative:keyholder_pending")
    assert "itadmin" in [person.name for person in state.accounts.values() if person.key_password]


@pytest.mark.parametrize("host", [row[0] for row in BROKEN if row[4] == "timeout"])
def test_what_hung_was_ended(played: Played, lab: Lab, host: str) -> None:
    killed = [run for run in journal.programs(lab.mac(host).journal()) if run.killed]
    assert len(killed) == 1
    assert killed[0].duration < 10


@pytest.mark.parametrize("host", [row[0] for row in BROKEN if not row[6]])
def test_nothing_is_pending_where_nothing_changed(played: Played, host: str) -> None:
    after = played[host, "run"].after
    assert after.get("preboot_pending", False) is False


def test_a_slow_mac_is_none_that_fails(played: Played) -> None:
    assert played[SLOW, "run"].ok
    assert played[SLOW, "run"].after["secure_token"] == "holder"


def test_an_unreachable_mdm_is_named_and_no_hindrance(played: Played) -> None:
    reading = played[FAR, "reading"].result["mac"]
    assert reading["management"]["bootstrap_token"] == "unknown"
    assert "Bootstrap Token" in [missing["what"] for missing in reading["missing"]]
    assert played[FAR, "run"].ok, played[FAR, "run"]


@pytest.mark.parametrize("host", BLIND)
def test_an_unreadable_hash_means_one_try_and_none_in_check_mode(played: Played, host: str) -> None:
    for step in ("check", "wrong: check"):
        assert (played[host, step].ok, played[host, step].changed) == (True, True), played[host, step]
        assert played[host, step].touched_nothing, played[host, step]
    wrong = played[host, "wrong"]
    assert wrong.reason == "user_password_wrong", wrong
    assert wrong.authentications == [("itadmin", True), ("ana", False)]
    assert wrong.writes == []
    assert "-authonly ana" in wrong.result["evidence"][-1]
    assert played[host, "too long for this prompt"].reason == "password_unusable"
    assert ("ana", False) not in played[host, "too long for this prompt"].authentications
    grant = played[host, "run"]
    assert grant.ok, grant
    tried = [pair for run in grant.programs if run.program == "dscl" for pair in run.authentications]
    assert tried == [("itadmin", True), ("ana", True)]
    assert played[host, "again"].touched_nothing
