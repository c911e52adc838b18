# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Macs that are broken in one way each: the run says what happened, and the next one, repaired, gets through.

All of them in memory; over SSH too those that show that what hangs is ended: at a prompt, at a terminal, or with a
property list.
"""

from __future__ import annotations

import plistlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import memory_play
import pytest
from memory_play import MemoryMac

from harness.ansible import Ansible
from harness.batch import Answer, Played, Step, account, token
from harness.macs import PASSWORDS, mac, person, secret
from harness.recipients import HelpDesk
from harness.wait import processes
from maclab import bootstrap, journal, vault
from maclab.lab import Handle, Lab
from maclab.state import Mac

IT = {"admin_user": "itadmin", "admin_password": PASSWORDS["itadmin"]}
ADMIN = {"user": "itadmin", "password": PASSWORDS["itadmin"]}
DESK = HelpDesk.new("help desk")
TO_DESK = {"recovery_key": "encrypt", "recipients": [DESK.pem]}
GRANT = token("run", "ana", password=PASSWORDS["ana"], **IT)
CREATE = account("run", "nova", password=secret("nova"), secure_token="present", **IT)
CHANGE = Step("run", "account_password", {"name": "stan", "password": secret("new"), "old_password": PASSWORDS["stan"]})
DELETE = account("run", "stan", state="absent")
ENABLE = Step("run", "filevault", {"state": "enabled", **ADMIN, **TO_DESK})
DISABLE = Step("run", "filevault", {"state": "disabled", **ADMIN})
ROTATE = Step("run", "filevault_recovery_key", {"state": "rotated", **ADMIN, **TO_DESK})
ESCROW = Step("run", "bootstrap_token", {"state": "escrowed", **IT})
VALIDATE = ESCROW.but("run", state="validated")
BACK = Step("run", "filevault_user", {"user": "stan", "password": PASSWORDS["stan"], **IT})
GONE = Step("run", "filevault_user", {"user": "stan", "state": "absent"})

OFF, ON = {"state": "off"}, {"state": "on", "prk": True}
UNLISTED = person("stan", token={"authority": True, "crypto": True, "filevault": False})
UNSTUCK, HARDENED = {"fault": "token_does_not_stick"}, {"fault": "lockout_root"}
NO_ACCESS, STALE = {"fault": "no_full_disk_access"}, {"fault": "stale_key", "user": "itadmin"}
RESET = person("deputy", password=secret("reset"), key_password=PASSWORDS["deputy"])
LOOK = CHANGE.but("run", name="deputy", password=RESET["password"], old_password=None, verify_key="always")
LIMIT = {"fault": "rate_limited"}
NO_ANSWER = "no answer before the deadline"


def hang(program: str, argument: str | None = None, at: str = "start") -> dict[str, Any]:
    return {"fault": "hang", "program": program, "at": at} | ({"argument": argument} if argument else {})


def locked(who: str) -> dict[str, Any]:
    return {"fault": "locked", "user": who}


def vaulted(version: str, filevault: dict[str, Any], *faults: dict[str, Any], **more: Any) -> dict[str, Any]:
    stan = more.pop("stan", "stan")
    return mac(version, "itadmin", "deputy", stan, filevault=filevault, faults=list(faults), **more)


def managed(version: str, *faults: dict[str, Any], **token: bool) -> dict[str, Any]:
    enrolled = {"enrolled": "ade", "bootstrap": {"supported": True, "escrowed": False, **token}}
    return mac(version, "itadmin", "deputy", mdm=enrolled, faults=list(faults))


def hasty(step: Step) -> Step:
    return step.but("run", timeout=3)


@dataclass(frozen=True)
class Broken:
    """A Mac, what is run on it, the reason, what the evidence holds, and whether something changed all the same."""

    described: dict[str, Any]
    step: Step
    reason: str
    evidence: str
    changed: bool = False
    heal: Step | None = None
    """What the way out of the reason is, where it is not to repair the Mac and run the same."""


def whole(version: str, fault: dict[str, Any], *rest: Any) -> Broken:
    return Broken(mac(version, faults=[fault]), *rest)


FORBIDDEN = {"enrolled": "ade", "forbids_filevault": True}
BROKEN = {
    "hangs-at-the-prompt": whole(
        "15.6", hang("sysadminctl", "-secureTokenOn", "prompt"), hasty(GRANT), "timeout", NO_ANSWER
    ),
    "hangs-before-the-prompt": whole("10.13.6", hang("sysadminctl"), hasty(GRANT), "timeout", NO_ANSWER),
    "hangs-in-the-reading": whole("26.1", hang("diskutil"), hasty(GRANT), "reading_incomplete", NO_ANSWER),
    "hangs-in-preboot": whole(
        "13.6.9", hang("diskutil", "updatePreboot"), hasty(GRANT), "timeout", "updatePreboot", True
    ),
    "says-done-on-13": whole("13.6.9", {**UNSTUCK, "user": "ana"}, GRANT, "not_proven", "Done!"),
    "says-done-on-26": whole("26.1", UNSTUCK, CREATE, "not_proven", "Done!", True),
    "no-disk-access": whole("15.6", NO_ACCESS, DELETE, "no_full_disk_access", "not permitted"),
    "no-disk-access-to-create": whole("27.0.1", NO_ACCESS, CREATE, "no_full_disk_access", "not permitted"),
    "deletes-nothing": whole("26.1", {"fault": "delete_does_nothing"}, DELETE, "not_proven", "-deleteUser stan"),
    "locked-user": whole("11.7.10", locked("ana"), GRANT, "password_refused", "-secureTokenOn"),
    "locked-granter": whole("15.6", locked("itadmin"), GRANT, "account_refused", "-14167"),
    # What macOS's own -addUser does with a granter whom it refuses: the account is made, without a token.
    "stale-granter-creates": whole("26.1", STALE, CREATE, "key_refused", "itadmin", True),
    "stale-granter": whole("13.6.9", STALE, GRANT, "key_refused", "itadmin"),
    "hardened-grant": whole("15.6", HARDENED, GRANT, "root_locked_out", "-60007"),
    "hardened-create": whole("26.1", HARDENED, CREATE, "root_locked_out", "-60007"),
    "hardened-delete": whole("10.15.7", HARDENED, DELETE, "root_locked_out", "-60007"),
    "dialog-10.15": Broken(
        vaulted("10.15.7", OFF, NO_ACCESS, logged_in=["itadmin"]), hasty(ENABLE), "timeout", NO_ANSWER
    ),
    "dialog-26": Broken(vaulted("26.1", OFF, NO_ACCESS, logged_in=["itadmin"]), hasty(ENABLE), "timeout", NO_ANSWER),
    "nobody-at-the-dialog": Broken(vaulted("15.6", OFF, NO_ACCESS), ENABLE, "fdesetup_99", "fdesetup enable"),
    "enables-nothing": Broken(
        vaulted("15.6", OFF, {"fault": "enable_does_nothing"}), ENABLE, "not_proven", "FileVault is off"
    ),
    "hangs-enabling": Broken(
        vaulted("13.6.9", OFF, hang("fdesetup", "enable")), hasty(ENABLE), "timeout", "fdesetup enable -inputplist"
    ),
    "hangs-reading": Broken(
        vaulted("11.7.10", OFF, hang("fdesetup", "status")), hasty(ENABLE), "reading_incomplete", NO_ANSWER
    ),
    # Nobody knows whether it has made a key, so it may have.
    "hangs-rotating": Broken(
        vaulted("26.1", ON, hang("fdesetup", "changerecovery")), hasty(ROTATE), "timeout", "changerecovery", True
    ),
    "hangs-validating": Broken(
        vaulted("15.6", ON, hang("fdesetup", "validaterecovery")), hasty(ROTATE), "timeout", "validaterecovery", True
    ),
    "nobody-gets-it": Broken(vaulted("15.6", ON, {"fault": "prk_not_returned"}), ROTATE, "key_not_given", "rc 0", True),
    "hangs-adding": Broken(
        vaulted("15.6", ON, hang("fdesetup", "add"), stan=UNLISTED), hasty(BACK), "timeout", "fdesetup add"
    ),
    "stale-enables": Broken(vaulted("13.6.9", OFF, STALE), ENABLE, "fdesetup_11", "fdesetup enable"),
    "stale-disables": Broken(vaulted("15.6", ON, STALE), DISABLE, "fdesetup_35", "fdesetup disable"),
    "locked-rotates": Broken(vaulted("26.1", ON, locked("itadmin")), ROTATE, "fdesetup_11", "rc 11"),
    "no-server": Broken(
        managed("15.6", {"fault": "mdm_unreachable"}), ESCROW, "reading_incomplete", "Unable to contact"
    ),
    "too-soon": Broken(managed("15.6", LIMIT), ESCROW, "too_soon", "Request too soon"),
    "too-soon-11": Broken(managed("11.7.10", LIMIT), ESCROW, "too_soon", "Request too soon"),
    "hangs-at-the-terminal": Broken(
        managed("26.1", hang("profiles", "install", "prompt")),
        hasty(ESCROW),
        "timeout",
        "profiles install -type bootstraptoken: no answer",
    ),
    "hangs-in-the-status": Broken(
        managed("13.6.9", hang("profiles", "bootstraptoken")),
        hasty(ESCROW),
        "reading_incomplete",
        "profiles status -type bootstraptoken: no answer",
    ),
    "stale-escrows": Broken(managed("15.6", STALE), ESCROW, "command_failed", "profiles install"),
    "locked-escrows": Broken(managed("15.6", locked("itadmin")), ESCROW, "bootstrap_refused", "Unable to auth"),
    "stale-token-11": Broken(
        managed("11.7.10", escrowed=True, stale=True), VALIDATE, "bootstrap_stale", "Unable to verify", heal=ESCROW
    ),
    "stale-token-26": Broken(
        managed("26.1", escrowed=True, stale=True), VALIDATE, "bootstrap_stale", "Unable to verify", heal=ESCROW
    ),
    # Somebody has reset it as root. This, and the next, stay so.
    "reset-by-root": Broken(
        mac("26.1", "itadmin", RESET, filevault=ON, faults=[]), LOOK, "stale_key", "Passphrase incorrect"
    ),
    "forbidden": Broken(vaulted("15.6", OFF, mdm=FORBIDDEN), ENABLE, "fdesetup_31", "rc"),
}
HANGING = ("hangs-at-the-prompt", "hangs-enabling", "hangs-at-the-terminal")
OVER_SSH = (*HANGING, "stale-granter-creates")
REPAIRED = [host for host, broken in BROKEN.items() if broken.described["faults"] or broken.heal]
NEW_KEYS = ("filevault", "filevault_recovery_key")

# FileVault is what was asked for, and it is on; that macOS gives no key is told by an empty value.
KEPT = {"kept-10.15": "10.15.7", "kept-26": "26.1"}
# Refused by macOS's own rules, before anything is tried.
LAST = "last-unlocker"
# A profile puts each new key aside: nobody else has to get it.
ESCROWING = ("escrowing", "escrowing-first")
DEFERRING = {"deferring-10.15": "10.15.7", "deferring-13": "13.6.9", "deferring-15": "15.6"}
PLIST = "/var/db/keyholder-filevault.plist"
FAR = "no-mdm"
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
    CHANGE.but("change: wrong", old_password=WRONG),
]


def all_of_them() -> dict[str, dict[str, Any]]:
    macs = {host: broken.described for host, broken in BROKEN.items()}
    macs |= {host: vaulted(version, OFF, {"fault": "prk_not_returned"}) for host, version in KEPT.items()}
    macs[LAST] = mac("15.6", "itadmin", "ana", filevault=ON)
    for host in ESCROWING:
        managed = {"enrolled": "ade", "escrow_profile": True, "prk_escrowed": host == "escrowing"}
        macs[host] = mac("15.6", "itadmin", filevault=ON, mdm=managed)
    macs |= {host: vaulted(version, OFF) for host, version in DEFERRING.items()}
    macs[FAR] = mac("15.6", mdm={"enrolled": "ade"}, faults=[{"fault": "mdm_unreachable"}])
    return macs | {host: mac(version, faults=[{"fault": "hash_unreadable"}]) for host, version in BLIND.items()}


@pytest.fixture(scope="module")
def lab(bring_up: Callable[[Mapping[str, Any]], Lab]) -> Lab:
    return bring_up({host: BROKEN[host].described for host in OVER_SSH})


@pytest.fixture(scope="module")
def macs(lab: Lab) -> dict[str, Handle | MemoryMac]:
    return memory_play.macs(lab, all_of_them())


def states(macs: Mapping[str, Handle | MemoryMac]) -> dict[str, Mac]:
    return {host: one.state() for host, one in macs.items()}


@pytest.fixture(scope="module")
def at_first(macs: dict[str, Handle | MemoryMac]) -> dict[str, Mac]:
    return states(macs)


@pytest.fixture(scope="module")
def played(ansible: Ansible, lab: Lab, macs: dict[str, Handle | MemoryMac], at_first: dict[str, Mac]) -> Played:
    assert at_first
    steps: dict[str, list[Step]] = {host: [broken.step] for host, broken in BROKEN.items()}
    steps |= dict.fromkeys(KEPT, [ENABLE])
    steps[LAST] = [
        GONE.but("run", user="itadmin"),
        GONE.but("unknown", user="nobody-here"),
        BACK.but("ana", user="ana"),
    ]
    steps |= dict.fromkeys(ESCROWING, [ROTATE.but("run", recovery_key=None, recipients=None)])
    defer = Step("defer", "filevault", {"state": "deferred", "user": "stan", "force_at_login": 0})
    steps |= dict.fromkeys(DEFERRING, [defer])
    steps |= {FAR: [Step("reading", "trust_info"), GRANT], **dict.fromkeys(BLIND, TRIED)}
    return memory_play.play_all(ansible, lab, macs, steps)


@pytest.fixture(scope="module")
def left(lab: Lab, macs: dict[str, Handle | MemoryMac], played: Played) -> dict[str, Mac]:
    """What the first runs left; nothing of theirs runs any more."""
    assert played.run.rc == 0
    assert processes(*(lab.mac(host) for host in lab.names)) == []
    return states(macs)


@pytest.fixture(scope="module")
def at_the_screen(macs: dict[str, Handle | MemoryMac], left: dict[str, Mac]) -> dict[str, tuple[list[str], Mac]]:
    """What came of somebody's login, and the Mac after it."""
    assert left
    return {host: (macs[host].login("stan"), macs[host].state()) for host in DEFERRING}


@pytest.fixture(scope="module")
def repaired(
    ansible: Ansible, lab: Lab, macs: dict[str, Handle | MemoryMac], at_the_screen: dict[str, tuple[list[str], Mac]]
) -> Played:
    """Every Mac repaired and run twice more; where a deferral came true, it is found so and its key is taken over."""
    assert at_the_screen
    steps = {}
    for host in REPAIRED:
        macs[host].clear_faults()
        patient = (BROKEN[host].heal or BROKEN[host].step).but("run", timeout=120)
        before = [patient.but("remove", state="absent")] if BROKEN[host].heal else []
        steps[host] = [*before, patient, patient.but("again")]
    collect = Step("collect", "filevault_recovery_key", {"state": "collected", **TO_DESK})
    remove = collect.but("collect and remove", remove=True)
    taken = [collect, remove.but("collect and remove: check", check=True), remove, remove.but("collect: again")]
    steps |= dict.fromkeys(DEFERRING, [ENABLE.but("enabled"), *taken])
    return memory_play.play_all(ansible, lab, macs, steps)


@pytest.mark.parametrize("host", BROKEN)
def test_says_what_happened(played: Played, at_first: dict[str, Mac], left: dict[str, Mac], host: str) -> None:
    answer, broken, before, after = played[host, "run"], BROKEN[host], at_first[host], left[host]
    assert answer.reason == broken.reason, answer
    assert any(broken.evidence in line for line in answer.result["evidence"]), answer
    assert answer.result["remedy"]
    assert answer.changed is broken.changed
    if broken.step.module not in NEW_KEYS:
        assert (answer.before != answer.after) is broken.changed
    if not broken.changed:
        assert answer.after.get("preboot_pending", False) is False
    if broken.step.module == "bootstrap_token":
        assert answer.writes == []
        assert after.mdm.bootstrap_escrowed is before.mdm.bootstrap_escrowed
    assert vault.is_on(after) is vault.is_on(before)
    # A key that was made before it went wrong may be the only one: it is delivered with the failure.
    message = answer.result.get("recovery_key_encrypted", "")
    assert (DESK.opened(message) if message else None) == (after.filevault.prk if host == "hangs-validating" else None)
    # Whatever went wrong: whoever could unlock the Mac still can, and it has the key that it had, or a newer one.
    assert set(vault.unlockers(after)) >= set(vault.unlockers(before))
    assert bool(after.filevault.prk) or not before.filevault.prk


def test_an_account_that_was_made_in_vain_is_told(played: Played, left: dict[str, Mac]) -> None:
    host = "stale-granter-creates"
    nova = left[host].accounts["nova"]
    assert not nova.has_authority_token
    assert "has made the account nova, which is left without its Secure Token" in played[host, "run"].result["msg"]
    assert not any("-adminUser" in run.argv and "-addUser" in run.argv for run in played[host, "run"].programs)


@pytest.mark.parametrize("host", HANGING)
def test_what_hung_was_ended(lab: Lab, left: dict[str, Mac], host: str) -> None:
    assert left
    killed = [run for run in journal.programs(lab.mac(host).journal()) if run.killed]
    assert len(killed) == 1
    assert killed[0].duration < 20


@pytest.mark.parametrize("host", REPAIRED)
def test_gets_through_once_repaired(repaired: Played, macs: dict[str, Handle | MemoryMac], host: str) -> None:
    step, answer, again = BROKEN[host].step, repaired[host, "run"], repaired[host, "again"]
    state = macs[host].state()
    assert answer.ok, answer
    assert again.ok, again
    assert again.changed is (step.module == "filevault_recovery_key")
    assert not state.accounts["root"].attributes.get("dsAttrTypeNative:keyholder_pending")
    assert state.accounts["itadmin"].key_password
    if step.module == "bootstrap_token":
        assert bootstrap.works(state)
        assert again.touched_nothing
    if step.module in NEW_KEYS and step != DISABLE:
        # What was promised is delivered after all: a key that opens the Mac, encrypted.
        last = again if again.changed else answer
        assert DESK.opened(last.result["recovery_key_encrypted"]) == state.filevault.prk


@pytest.mark.parametrize("host", ["too-soon", "too-soon-11"])
def test_a_limit_is_reported_and_not_tried_again(played: Played, host: str) -> None:
    assert len([run for run in played[host, "run"].programs if run.argv[0] == "install"]) == 1
    assert played[host, "run"].authentications == []


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
    at_the_screen: dict[str, tuple[list[str], Mac]],
    left: dict[str, Mac],
    repaired: Played,
    macs: dict[str, Handle | MemoryMac],
    host: str,
) -> None:
    assert not vault.is_on(left[host])
    said, fired = at_the_screen[host]
    assert "FileVault enabled by the deferral" in said
    written = plistlib.loads(fired.files[PLIST].content.encode())["RecoveryKey"]
    assert written == fired.filevault.prk
    titles = ("enabled", "collect", "collect and remove: check", "collect and remove", "collect: again")
    enabled, first, check, removed, again = (repaired[host, title] for title in titles)
    found_done(enabled)
    assert enabled.after["deferred_user"] == ""
    found_done(first)
    assert DESK.opened(first.result["recovery_key_encrypted"]) == written
    assert first.after["key_file"] is True
    assert check.ok, check
    assert check.touched_nothing
    assert check.changed
    assert check.after == removed.after
    assert DESK.opened(removed.result["recovery_key_encrypted"]) == written
    assert removed.authentications == []
    assert PLIST not in macs[host].state().files
    # The key was validated again before its file went.
    order = [run.program for run in removed.programs if run.program == "rm" or "validaterecovery" in run.argv]
    assert order == ["fdesetup", "rm"]
    assert (again.ok, again.changed, again.result["recovery_key_encrypted"]) == (True, False, "")


def found_done(answer: Answer) -> None:
    assert answer.ok, answer
    assert not answer.changed
    assert answer.touched_nothing


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
    # The new one is tried as well: it may be there already.
    change = played[host, "change: wrong"]
    assert (change.reason, change.authentications) == ("user_password_wrong", [("stan", False)] * 2), change
    assert change.writes == []
