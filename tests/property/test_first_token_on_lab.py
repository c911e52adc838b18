# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nobody holds a token: who can be the first, by the rule of each macOS, and only where it was asked for."""

from __future__ import annotations

import memory_play
import pytest
from memory_play import MemoryMac

from harness.batch import Played, Step, account, token
from harness.macs import PASSWORDS, VERSIONS, mac, name, person, secret

RULES = {
    "10.13.6": "only account",
    "10.15.7": "first administrator who authenticates",
    "11.7.10": "whose password is set",
    "13.6.9": "whose password is set",
    "15.6": "whose password is set",
    "26.1": "whose password is set",
    "27.0.1": "whose password is set",
}
SINGLE = "single-10.13.6"
NEW_VERSIONS = [version for version in VERSIONS if RULES[version] == "whose password is set"]

UNASKED = token("unasked", "helper", password=PASSWORDS["helper"])
CHECK = token("check", "helper", password=PASSWORDS["helper"], first_token=True).but("check", check=True)
WRONG = token("wrong password", "helper", password=secret("bad"), first_token=True)
FIRST = token("first", "helper", password=PASSWORDS["helper"], first_token=True)
AGAIN = token("again", "helper")
STANDARD = token("standard user", "ana", password=PASSWORDS["ana"], first_token=True)
TAGGED = token("tagged", "tagged", password=PASSWORDS["stan"], first_token=True)
NEW = account("create", "nova", password=secret("nova"), secure_token="present")
NEW_FIRST = account("create as the first", "nova", password=secret("nova"), secure_token="present", first_token=True)
PREVENT = account("prevent", "svc", password=secret("svc"), admin=True, secure_token="prevented")
OMIT = account("create and say nothing of tokens", "plain", password=secret("plain"))
# The way in for ansible itself must not be an account that counts.
STEPS = [UNASKED, WRONG, NEW, TAGGED]


@pytest.fixture(scope="module")
def macs() -> dict[str, MemoryMac]:
    tagged = person("tagged", password=PASSWORDS["stan"], disabled_tag=True)
    macs = {name(version): mac(version, "helper", "ana", tagged) for version in VERSIONS}
    macs[SINGLE] = mac("10.13.6", "helper")
    # Each way to become the first needs a Mac that has none yet.
    for version in VERSIONS:
        macs[name(version, "create")] = mac(version, "helper")
        macs[name(version, "prevent")] = mac(version, "helper")
    for version in NEW_VERSIONS:
        macs[name(version, "omit")] = mac(version, "helper")
    return {host: MemoryMac(host, one) for host, one in macs.items()}


def steps_of(host: str) -> list[Step]:
    kind, version = host.split("-", 1)
    if kind == "create":
        return [NEW_FIRST]
    if kind == "prevent":
        return [PREVENT, PREVENT.but("prevent again", password=None)]
    if kind == "omit":
        return [OMIT.but("omit, check", check=True), OMIT]
    if kind == "single":
        return [UNASKED, WRONG, CHECK, FIRST, AGAIN]
    if RULES[version] == "only account":
        return [*STEPS, FIRST]
    standard = [STANDARD] if version == "10.15.7" else []
    return [*STEPS, *standard, CHECK, FIRST, AGAIN]


@pytest.fixture(scope="module")
def played(macs: dict[str, MemoryMac]) -> Played:
    return memory_play.play(macs, {host: steps_of(host) for host in macs})


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("step", ["unasked", "create"])
def test_unasked_nobody_becomes_the_first(played: Played, version: str, step: str) -> None:
    answer = played[name(version), step]
    assert answer.reason == "no_holder", answer
    assert RULES[version] in answer.result["msg"]
    assert answer.touched_nothing


@pytest.mark.parametrize("host", [SINGLE, *(name(version) for version in VERSIONS if version != "10.13.6")])
def test_a_wrong_password_is_found_without_a_login(played: Played, host: str) -> None:
    assert played[host, "wrong password"].reason == "user_password_wrong"
    assert played[host, "wrong password"].touched_nothing


@pytest.mark.parametrize(
    ("host", "step"),
    [
        (name("10.13.6"), "first"),
        (name("10.15.7"), "standard user"),
        (name("10.15.7"), "tagged"),
        *((name(version), "tagged") for version in NEW_VERSIONS),
    ],
)
def test_not_first_where_the_rule_names_somebody_else(played: Played, host: str, step: str) -> None:
    answer = played[host, step]
    assert answer.reason == "not_first", answer
    assert RULES[host.removeprefix("mac-")] in answer.result["msg"]
    assert answer.touched_nothing


@pytest.mark.parametrize("host", [SINGLE, *(name(version) for version in VERSIONS if version != "10.13.6")])
def test_the_first_holder(played: Played, macs: dict[str, MemoryMac], host: str) -> None:
    check, first, again = (played[host, step] for step in ("check", "first", "again"))
    assert check.touched_nothing, check
    assert check.changed
    assert check.after == first.after
    assert first.ok, first
    assert first.changed
    assert first.after["secure_token"] == "holder"
    assert [pair for pair in first.authentications if not pair[1]] == []
    assert again.ok, again
    assert not again.changed
    assert again.touched_nothing
    helper = macs[host].state().accounts["helper"]
    assert helper.password == helper.key_password == PASSWORDS["helper"]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_new_account_as_the_first(played: Played, macs: dict[str, MemoryMac], version: str) -> None:
    """From macOS 11 on setting its password is enough; before, a standard user is never the first of two."""
    answer = played[name(version, "create"), "create as the first"]
    accounts = macs[name(version, "create")].state().accounts
    if version in NEW_VERSIONS:
        assert answer.ok, answer
        assert answer.after["secure_token"] == "holder"
        assert accounts["nova"].has_authority_token
    else:
        assert answer.reason == "not_first", answer
        assert answer.touched_nothing
        assert "nova" not in accounts


@pytest.mark.parametrize("version", VERSIONS)
def test_prevented_before_its_first_password(played: Played, macs: dict[str, MemoryMac], version: str) -> None:
    answer, again = (played[name(version, "prevent"), step] for step in ("prevent", "prevent again"))
    if version not in NEW_VERSIONS:
        assert answer.reason == "prevention_unsupported", answer
        assert answer.touched_nothing
        return
    assert answer.ok, answer
    assert answer.after["secure_token"] == "none"
    assert answer.after["first_token_prevented"] is True
    assert (again.ok, again.changed, again.touched_nothing) == (True, False, True), again
    # The tag holds: a login gives it nothing either.
    prevented = macs[name(version, "prevent")]
    assert prevented.authenticates("svc", PREVENT.options["password"])
    assert not prevented.state().accounts["svc"].has_authority_token


@pytest.mark.parametrize("version", NEW_VERSIONS)
def test_macos_hands_it_out_and_the_run_says_so(played: Played, version: str) -> None:
    """Nobody asked for a token, and the account gets one by macOS's own rule: that is predicted and said."""
    check, run = (played[name(version, "omit"), step] for step in ("omit, check", OMIT.title))
    assert check.after["secure_token"] == run.after["secure_token"] == "holder"
    assert any("first Secure Token" in note for note in run.result["notes"]), run
    assert check.touched_nothing
