# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From an unprotected Mac to one whose key is safe, then every other state of FileVault and its key, on every macOS.

Every macOS is there in memory, the newest over SSH too: by way of the controller a key goes to age.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import memory_play
import pytest
from memory_play import MemoryMac

from harness import expect
from harness.ansible import Ansible
from harness.batch import Answer, Played, Step
from harness.macs import PASSWORDS, VERSIONS, mac, name
from harness.recipients import HelpDesk, Safe, certificate_that_cannot_encrypt
from maclab import vault
from maclab.lab import Handle, Lab
from maclab.state import Mac

OLDEST = "10.13.6"
MANAGED = {"enrolled": "ade", "bootstrap": {"supported": True, "escrowed": False}}
OFF = {"state": "off", "prk": False}
ADMIN = {"user": "itadmin", "password": PASSWORDS["itadmin"]}
IT = {"admin_user": "itadmin", "admin_password": PASSWORDS["itadmin"]}
SSH = [name(VERSIONS[-1])]
IN_MEMORY = [memory_play.name(version) for version in VERSIONS]
HOSTS = [*SSH, *IN_MEMORY]
SINCE_BOOTSTRAP = [host for host in HOSTS if not host.endswith(OLDEST)]
SAYS_WHETHER_IT_WORKS = ("-13.6.9", "-15.6", "-26.1", "-27.0.1")
# The others' deferrals come true in test_faults.py.
DEFERRING = [host for host in HOSTS if host.endswith((OLDEST, "-11.7.10", "-26.1", "-27.0.1"))]
on_each_mac = pytest.mark.parametrize("host", HOSTS)

DESK, AUDITOR, SAFE = HelpDesk.new("help desk"), HelpDesk.new("auditor"), Safe.new()
TO_DESK = {"recovery_key": "encrypt", "recipients": [DESK.pem, AUDITOR.pem]}
TO_SAFE = {"recovery_key": "encrypt", "recipients": [SAFE.recipient]}

ENABLE = Step("enable", "filevault", {"state": "enabled", **ADMIN, **TO_DESK}).but(
    "enable", additional_users=[{"name": "deputy", "password": PASSWORDS["deputy"]}]
)
GONE = Step("stan no more", "filevault_user", {"user": "stan", "state": "absent"})
ESCROW = Step("escrow", "bootstrap_token", {"state": "escrowed", **IT})
BACK = Step("stan again", "filevault_user", {"user": "stan", "password": PASSWORDS["stan"], **IT})
DISABLE = Step("disable", "filevault", {"state": "disabled", **ADMIN})
DEFER = Step("defer", "filevault", {"state": "deferred", "user": "ana", "force_at_login": 0})
CANCEL = Step("cancel", "filevault", {"state": "disabled"})
KEY = Step("key", "filevault_recovery_key", ADMIN)
ROTATE = KEY.but("rotate", state="rotated", **TO_DESK)
NO_KEY = KEY.but("no key", state="absent")
NEW_KEY = KEY.but("new key", state="present", recovery_key="return")
NO_PASSWORDS = {"password": None, "admin_password": None, "additional_users": None}


def both(step: Step) -> list[Step]:
    """Predicted, then done, then found done without any password."""
    again = step.but(f"{step.title}: again", **NO_PASSWORDS)
    return [step.but(f"{step.title}: check", check=True, diff=True), step.but(step.title, diff=True), again]


def sentence(host: str) -> list[Step]:
    """What protects a Mac: FileVault, who may unlock it, and the Bootstrap Token."""
    return [ENABLE, GONE, *([ESCROW] if host in SINCE_BOOTSTRAP else [])]


def all_of(steps: Sequence[Step], when: str, **other: Any) -> list[Step]:
    return [step.but(f"{step.title}: {when}" if when else step.title, **other) for step in steps]


def described(host: str) -> dict[str, Any]:
    return mac(host.rpartition("-")[2], "itadmin", "deputy", "stan", "ana", mdm=MANAGED, filevault=OFF)


@dataclass(frozen=True)
class Fleet:
    ansible: Ansible
    lab: Lab
    macs: Mapping[str, Handle | MemoryMac]

    def play(self, steps: Mapping[str, Sequence[Step]]) -> Played:
        return memory_play.play_all(self.ansible, self.lab, self.macs, steps)

    def states(self) -> dict[str, Mac]:
        return {host: one.state() for host, one in self.macs.items()}


@pytest.fixture(scope="module")
def fleet(ansible: Ansible, bring_up: Callable[[Mapping[str, Any]], Lab]) -> Fleet:
    lab = bring_up({host: described(host) for host in SSH})
    return Fleet(ansible, lab, memory_play.macs(lab, {host: described(host) for host in HOSTS}))


@pytest.fixture(scope="module")
def protected(fleet: Fleet) -> Played:
    """A whole play predicted, then run, then run again with the same passwords; before it, what must not happen."""
    refused = [
        ENABLE.but("wrong password", password="no-password-of-this-mac"),
        ENABLE.but("wrong password of another", additional_users=[{"name": "deputy", "password": "no-password"}]),
        ENABLE.but("without a token", additional_users=[{"name": "ana", "password": PASSWORDS["ana"]}]),
        ENABLE.but("to nobody", recipients=[]),
        ENABLE.but("to no certificate", recipients=["not a certificate"]),
        ENABLE.but("to one that cannot encrypt", recipients=[DESK.pem, certificate_that_cannot_encrypt()]),
        ENABLE.but("to no age", recipients=["age1nobody"]),
    ]
    steps = {}
    for host in HOSTS:
        own = sentence(host)
        predicted, repeated = all_of(own, "check", check=True, diff=True), all_of(own, "again", diff=True)
        # The action refuses what is no age recipient, and the core all the others.
        mine = refused[:-1] if host in IN_MEMORY else [refused[0], refused[-1]]
        deferral = [*both(DEFER), *both(CANCEL)] if host in DEFERRING else []
        steps[host] = [*mine, *deferral, *predicted, *all_of(own, "", diff=True), *repeated]
    return fleet.play(steps)


@pytest.fixture(scope="module")
def at_first(fleet: Fleet, protected: Played) -> dict[str, Mac]:
    """Each Mac after that play."""
    assert protected.run.rc == 0
    return fleet.states()


@pytest.fixture(scope="module")
def rekeyed(fleet: Fleet, protected: Played, at_first: dict[str, Mac]) -> Played:
    """The key that came out of the first play validates, is rotated by a holder, then by itself where macOS can."""
    steps = {}
    for host in HOSTS:
        key = opened(protected[host, "enable"])
        # Before 10.14 the key authenticates nobody on APFS.
        by = KEY.but("by", **ADMIN) if host.endswith(OLDEST) else KEY.but("by", user=None, password=None)
        steps[host] = [
            KEY.but("valid", state="validated", current_key=key, user=None, password=None),
            KEY.but("of another Mac", state="validated", current_key=vault.key_number("another", 1)),
            ROTATE.but("for nobody", recovery_key=None, recipients=None),
            ROTATE.but("rotate: wrong password", password="no-password-of-this-mac"),
            # A list of one may be a text, as for any module.
            by.but("to the safe: check", state="rotated", check=True, diff=True, current_key=key, **TO_SAFE).but(
                "to the safe: check", recipients=safe_of(host)
            ),
            by.but("to the safe", state="rotated", current_key=key, **TO_SAFE).but(
                "to the safe", recipients=[safe_of(host)]
            ),
        ]
    return fleet.play(steps)


@pytest.fixture(scope="module")
def in_the_safe(fleet: Fleet, rekeyed: Played) -> dict[str, Mac]:
    assert rekeyed.run.rc == 0
    return fleet.states()


@pytest.fixture(scope="module")
def rotated(fleet: Fleet, in_the_safe: dict[str, Mac]) -> Played:
    everybody = {"recovery_key": "encrypt", "recipients": [SAFE.recipient, DESK.pem]}
    # Without a controller there is nobody who has age.
    nearly = everybody | {"recipients": [DESK.pem]}
    steps = {
        host: [ROTATE.but("rotate", **(nearly if host in IN_MEMORY else everybody)), *both(BACK)] for host in HOSTS
    }
    return fleet.play(steps)


@pytest.fixture(scope="module")
def after_rotation(fleet: Fleet, rotated: Played) -> dict[str, Mac]:
    assert rotated.run.rc == 0
    return fleet.states()


@pytest.fixture(scope="module")
def undone(fleet: Fleet, after_rotation: dict[str, Mac]) -> Played:
    return fleet.play(dict.fromkeys(HOSTS, [*both(NO_KEY), *both(NEW_KEY), *both(DISABLE), ENABLE.but("on again")]))


def safe_of(host: str) -> str:
    """A Mac in memory has no controller that would have age: the desk's certificate is its safe."""
    return DESK.pem if host in IN_MEMORY else SAFE.recipient


def opened(answer: Answer) -> str:
    """By the first of the recipients; the second opens the same."""
    message = answer.result["recovery_key_encrypted"]
    key = DESK.opened(message)
    assert AUDITOR.opened(message) == key
    return key


# -- one play -----------------------------------------------------------------------------------------------------


@on_each_mac
def test_one_play_protects_a_mac_as_predicted_and_the_second_finds_it_so(
    protected: Played, at_first: dict[str, Mac], host: str
) -> None:
    for step in sentence(host):
        check, run, again = (protected[host, f"{step.title}{when}"] for when in (": check", "", ": again"))
        expect.predicted(check, run)
        expect.done(run)
        expect.found_done(again)
    state = at_first[host]
    assert vault.is_on(state)
    assert opened(protected[host, "enable"]) == state.filevault.prk
    assert "recovery_key" not in protected[host, "enable"].result
    validated = [run.status for run in protected[host, "enable"].programs if "validaterecovery" in run.argv]
    assert validated == [0]
    people = {state.accounts[who].generated_uid for who in ("itadmin", "deputy")}
    assert set(vault.listed(state)) == people
    assert protected[host, "stan no more"].after["can_unlock"] is False
    assert state.mdm.bootstrap_escrowed is (host in SINCE_BOOTSTRAP)
    if host in SINCE_BOOTSTRAP:
        works = "valid" if host.endswith(SAYS_WHETHER_IT_WORKS) else "escrowed_unproven"
        assert protected[host, "escrow"].after["status"] == works


@on_each_mac
def test_who_gives_the_passwords_gives_each_once(protected: Played, host: str) -> None:
    """The checks before the first write look at hashes: only fdesetup and profiles authenticate."""
    assert protected[host, "enable"].authentications == [("itadmin", True), ("deputy", True)]
    if host in SINCE_BOOTSTRAP:
        assert protected[host, "escrow"].authentications == [("itadmin", True)]


REFUSED = {
    "wrong password": "user_password_wrong",
    "wrong password of another": "user_password_wrong",
    "without a token": "user_no_token",
    "to nobody": "recipient_unusable",
    "to no certificate": "recipient_unusable",
    "to one that cannot encrypt": "recipient_unusable",
    "to no age": "recipient_unusable",
}


@pytest.mark.parametrize("step", REFUSED)
def test_what_is_refused_changes_nothing(protected: Played, step: str) -> None:
    answers = [answer for (_host, title), answer in protected.answers.items() if title == step]
    assert answers
    for answer in answers:
        assert answer.reason == REFUSED[step], answer
        assert not answer.changed
        assert answer.writes == []
        assert answer.authentications == []
        assert answer.result["remedy"]


@pytest.mark.parametrize("host", DEFERRING)
@pytest.mark.parametrize("step", ["defer", "cancel"])
def test_a_deferral_is_made_and_cancelled_without_a_password(protected: Played, host: str, step: str) -> None:
    check, run, again = (protected[host, f"{step}{when}"] for when in (": check", "", ": again"))
    expect.predicted(check, run)
    expect.done(run)
    expect.found_done(again)
    assert run.authentications == []
    assert run.after["deferred_user"] == ("ana" if step == "defer" else "")


# -- the key ------------------------------------------------------------------------------------------------------


@on_each_mac
def test_the_key_that_left_the_mac_opens_it(rekeyed: Played, host: str) -> None:
    valid, other = rekeyed[host, "valid"], rekeyed[host, "of another Mac"]
    assert valid.ok, valid
    assert not valid.changed
    assert valid.touched_nothing
    assert other.reason == "key_invalid", other
    assert other.touched_nothing


@on_each_mac
def test_a_key_that_nobody_would_have_is_not_made(
    rekeyed: Played, at_first: dict[str, Mac], protected: Played, host: str
) -> None:
    assert rekeyed[host, "for nobody"].reason == "no_escrow_path"
    assert rekeyed[host, "rotate: wrong password"].reason == "user_password_wrong"
    for step in ("for nobody", "rotate: wrong password"):
        assert rekeyed[host, step].touched_nothing
    assert at_first[host].filevault.prk == opened(protected[host, "enable"])


@on_each_mac
def test_a_key_goes_to_an_age_recipient_by_way_of_the_controller(
    rekeyed: Played, at_first: dict[str, Mac], in_the_safe: dict[str, Mac], host: str
) -> None:
    check, run = rekeyed[host, "to the safe: check"], rekeyed[host, "to the safe"]
    expect.predicted(check, run)
    expect.done(run)
    message = "recovery_key_encrypted" if host in IN_MEMORY else "recovery_key_age"
    assert check.result[message] == ""
    key = (DESK if host in IN_MEMORY else SAFE).opened(run.result[message])
    assert key == in_the_safe[host].filevault.prk != at_first[host].filevault.prk
    if host in SSH:
        # The way there is nobody else's: neither the courier's message nor the key itself is returned.
        assert {"recovery_key", "recovery_key_encrypted", "invocation"} & set(run.result) == set()
    by_whom = [] if host in SINCE_BOOTSTRAP else [("itadmin", True)]
    assert run.authentications == by_whom


@on_each_mac
def test_a_key_goes_to_age_and_to_certificates_at_once(
    rotated: Played, in_the_safe: dict[str, Mac], after_rotation: dict[str, Mac], host: str
) -> None:
    result = rotated[host, "rotate"].result
    expect.done(rotated[host, "rotate"])
    keys = {DESK.opened(result["recovery_key_encrypted"])}
    if host in SSH:
        keys.add(SAFE.opened(result["recovery_key_age"]))
    assert keys == {after_rotation[host].filevault.prk}
    assert keys != {in_the_safe[host].filevault.prk}


@on_each_mac
def test_the_key_goes_and_a_new_one_is_returned_on_request(undone: Played, fleet: Fleet, host: str) -> None:
    for step in ("no key", "new key"):
        check, run, again = (undone[host, f"{step}{when}"] for when in (": check", "", ": again"))
        expect.predicted(check, run)
        expect.done(run)
        expect.found_done(again)
    assert undone[host, "no key"].after["personal_recovery_key"] is False
    returned = undone[host, "new key"].result["recovery_key"]
    # Disabling leaves the key where it is, and nothing after it has made another one.
    assert returned == fleet.macs[host].state().filevault.prk
    assert undone[host, "new key: check"].result["recovery_key"] == ""
    assert undone[host, "new key: again"].result["recovery_key"] == ""


# -- who may unlock, and off again --------------------------------------------------------------------------------


@on_each_mac
def test_who_was_taken_off_the_list_comes_back(rotated: Played, after_rotation: dict[str, Mac], host: str) -> None:
    check, run, again = (rotated[host, f"stan again{when}"] for when in (": check", "", ": again"))
    expect.predicted(check, run)
    expect.done(run)
    expect.found_done(again)
    assert (run.after["can_unlock"], run.after["secure_token"]) == (True, "holder")
    state = after_rotation[host]
    assert state.accounts["stan"].generated_uid in vault.unlockers(state)


@on_each_mac
def test_off_and_on_again_with_the_key_that_was_there(undone: Played, host: str) -> None:
    check, run, again = (undone[host, f"disable{when}"] for when in (": check", "", ": again"))
    expect.predicted(check, run)
    expect.done(run)
    expect.found_done(again)
    on_again = undone[host, "on again"]
    if host.endswith(OLDEST):
        # An Intel Mac without T2 decrypts in its own time, and says so instead of beginning anew.
        assert on_again.reason == "filevault_busy", on_again
        assert on_again.touched_nothing
        return
    expect.done(on_again)
    # macOS keeps the key of before, and gives none: no failure, and nothing to encrypt.
    assert on_again.result["recovery_key_encrypted"] == ""
    assert on_again.after["personal_recovery_key"] is True
