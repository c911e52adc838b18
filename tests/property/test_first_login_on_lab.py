# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first token by a login: always tried first, once, and a password is set again only where that brought nothing."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

import fakes
import pytest
from inmemory import LabRunner

from ansible_collections.keyholder.macos.plugins.module_utils._plan.request import Outcome
from ansible_collections.keyholder.macos.plugins.module_utils._plan.token import TokenRequest
from ansible_collections.keyholder.macos.plugins.module_utils._run.run import Run
from ansible_collections.keyholder.macos.plugins.module_utils._runner import DEADLINE, Command, Ran, Secret
from maclab import directory, rules
from maclab.state import Mac

VERSIONS = ("10.13.6", "10.14.6", "10.15.7", "11.7.10", "12.7", "13.6.9", "14.5", "15.6", "26.1", "27.0.1")
BY_PASSWORD = [
    version for version in VERSIONS if rules.FIRST_TOKEN.at(fakes.mac(version).version_tuple) == "password_set"
]
RIGHT, WRONG, LONG = "ana-pw-1", "not-anas-pw", "long-pw-" + "x" * 200
REQUEST = TokenRequest("ana", first_token=True)
HASH = "dsAttrTypeNative:ShadowHashData"


@dataclass
class Login(LabRunner):
    """A Mac whose hash may be unreadable, and whose token may come late: ``late`` looks after the login; None: never
    by itself."""

    readable: bool = True
    late: int | None = 0
    pauses: list[float] = field(default_factory=list)

    def run(self, command: Command, deadline: float = DEADLINE) -> Ran:
        if not self.readable and HASH in command.argv:
            return Ran(command, 1, "", "no\n")
        ran = super().run(command, deadline)
        if "-authonly" in command.argv and self.late != 0:
            account = self.mac.accounts["ana"]
            if account.has_authority_token:
                directory.take_token(self.mac, account)
        return ran

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        if len(self.pauses) == self.late:
            directory.give_token(self.mac, self.mac.accounts["ana"])

    def count(self, word: str) -> int:
        return sum(word in command.argv for command, _ in self.runs)


def mac_of(version: str, password: str | None = RIGHT, prehashed: bool = False) -> Mac:
    mac = fakes.mac(version)
    mac.accounts["root"] = fakes.person(mac, "root", None, uid=0)
    mac.accounts["root"].service = True
    ana = fakes.person(mac, "ana", password, full_name="Ana Sousa", admin=True)
    if prehashed:
        ana.attributes[directory.PREHASHED] = ["1"]
    return mac


def play(runner: Login, password: str = RIGHT, check: bool = False) -> Outcome:
    return Run(runner, {"password": Secret(password)}, 5, pause=runner.pause).run(REQUEST, check)


def reason(outcome: Outcome) -> str:
    return outcome.refusal.reason if outcome.refusal is not None else ""


def holds(mac: Mac) -> bool:
    """By the lab's own state: marker, crypto user, and a key that the password opens."""
    return directory.unlock_key(mac, mac.accounts["ana"], mac.accounts["ana"].password or "")


@pytest.mark.parametrize("readable", [True, False])
@pytest.mark.parametrize("prehashed", [True, False])
@pytest.mark.parametrize("version", VERSIONS)
def test_one_login_and_the_password_is_set_again_only_where_that_brought_nothing(
    version: str, prehashed: bool, readable: bool
) -> None:
    runner = Login(mac_of(version, prehashed=prehashed), readable=readable)
    salt = runner.mac.accounts["ana"].salt
    outcome = play(runner)
    assert (reason(outcome), outcome.changed) == ("", True)
    assert holds(runner.mac)
    assert runner.mac.accounts["ana"].password == RIGHT
    assert runner.count("-authonly") == 1
    minted = version not in BY_PASSWORD or prehashed
    assert runner.count("-resetPasswordFor") == (0 if minted else 1)
    # What MDM manages is as MDM left it: its mark is still there.
    assert (directory.PREHASHED in runner.mac.accounts["ana"].attributes) is (prehashed and minted)
    assert minted or runner.mac.accounts["ana"].salt != salt
    again = play(runner)
    assert (reason(again), again.changed, runner.count("-authonly")) == ("", False, 1)


@pytest.mark.parametrize("late", [1, 2, 3])
@pytest.mark.parametrize("version", BY_PASSWORD)
def test_a_token_that_comes_some_seconds_after_the_login_is_waited_for(version: str, late: int) -> None:
    runner = Login(mac_of(version, prehashed=True), late=late)
    outcome = play(runner)
    assert (reason(outcome), runner.count("-resetPasswordFor"), len(runner.pauses)) == ("", 0, late)
    assert holds(runner.mac)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_login_that_brings_nothing(version: str) -> None:
    """From macOS 11 on the password is set again, which is the rule there; before, nothing else helps."""
    runner = Login(mac_of(version, prehashed=True), late=None)
    outcome = play(runner)
    by_password = version in BY_PASSWORD
    assert reason(outcome) == ("" if by_password else "not_proven")
    assert (holds(runner.mac), runner.count("-resetPasswordFor")) == (by_password, int(by_password))
    assert runner.mac.accounts["ana"].password == RIGHT


@pytest.mark.parametrize("readable", [True, False])
@pytest.mark.parametrize("prehashed", [True, False])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_wrong_password_is_never_set(version: str, prehashed: bool, readable: bool) -> None:
    runner = Login(mac_of(version, prehashed=prehashed), readable=readable)
    outcome = play(runner, WRONG)
    assert (reason(outcome), outcome.changed) == ("user_password_wrong", False)
    assert runner.count("-authonly") == (0 if readable else 1)
    assert runner.count("-resetPasswordFor") == 0
    assert runner.mac.accounts["ana"].password == RIGHT
    assert not runner.mac.accounts["ana"].has_authority_token
    assert not outcome.after["preboot_pending"]


@pytest.mark.parametrize("version", VERSIONS)
def test_an_account_without_a_password_is_not_tried(version: str) -> None:
    runner = Login(mac_of(version, None))
    runner.mac.accounts["ana"].authority.clear()
    assert reason(play(runner)) == "user_disabled"
    assert (runner.count("-authonly"), runner.writes) == (0, [])


@pytest.mark.parametrize(("given", "expected"), [("", "password_unusable"), (RIGHT, "user_password_wrong")])
@pytest.mark.parametrize("version", VERSIONS)
def test_an_empty_password_is_not_replaced(version: str, given: str, expected: str) -> None:
    """So sysadminctl makes an account that is given none; macOS hands no token to it."""
    runner = Login(mac_of(version, ""))
    assert reason(play(runner, given)) == expected
    assert (runner.writes, runner.mac.accounts["ana"].password) == ([], "")


@pytest.mark.parametrize("readable", [True, False])
@pytest.mark.parametrize("version", VERSIONS)
def test_check_mode_does_not_log_in(version: str, readable: bool) -> None:
    runner = Login(mac_of(version, prehashed=True), readable=readable)
    outcome = play(runner, check=True)
    assert (reason(outcome), outcome.changed, outcome.after["secure_token"]) == ("", True, "holder")
    assert (runner.count("-authonly"), runner.writes) == (0, [])


@pytest.mark.parametrize("readable", [True, False])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_password_that_no_login_takes_is_set_again_only_if_its_hash_proves_it(version: str, readable: bool) -> None:
    runner = Login(mac_of(version, LONG), readable=readable)
    outcome = play(runner, LONG)
    proven = readable and version in BY_PASSWORD
    assert reason(outcome) == ("" if proven else "password_unusable")
    assert runner.count("-authonly") == 0
    assert (holds(runner.mac), runner.count("-resetPasswordFor")) == (proven, int(proven))


def test_the_login_is_noted_before_it_is_made() -> None:
    """Cut off right after the login, the next run tells the preboot volume of the new holder."""
    runner = Login(mac_of("15.6", prehashed=True))
    noted: list[bool] = []

    def seen(command: Command, deadline: float = DEADLINE) -> Ran:
        if "-authonly" in command.argv:
            noted.append(any("preboot" in " ".join(one.argv) and "-merge" in one.argv for one, _ in runner.runs))
        return Login.run(runner, command, deadline)

    t.cast("t.Any", runner).run = seen
    assert reason(play(runner)) == ""
    assert noted == [True]


@pytest.mark.parametrize("version", BY_PASSWORD)
def test_whoever_else_gets_the_token_meanwhile_keeps_this_password_from_being_set(version: str) -> None:
    runner = Login(mac_of(version))
    fakes.person(runner.mac, "rui", "rui-pw-1")

    def other(seconds: float) -> None:
        directory.give_token(runner.mac, runner.mac.accounts["rui"])

    t.cast("t.Any", runner).pause = other
    outcome = play(runner)
    assert (reason(outcome), runner.count("-resetPasswordFor")) == ("not_proven", 0)
