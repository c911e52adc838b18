# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a Mac comes back after a restart: against an oracle that is written otherwise, and fact by fact."""

from __future__ import annotations

import itertools
import typing as t
from dataclasses import replace

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils._account import EVERYWHERE, Account
from ansible_collections.keyholder.macos.plugins.module_utils._comes_back import (
    AUTHRESTART,
    BY_SSH,
    NO,
    NO_SCREEN,
    UNKNOWN,
    YES,
    after_power_cut,
    after_restart,
    ssh_facts,
)
from ansible_collections.keyholder.macos.plugins.module_utils._mac import FileVault, Mac, Volume
from ansible_collections.keyholder.macos.plugins.module_utils._macos import Version
from ansible_collections.keyholder.macos.plugins.module_utils._plan.restart import RestartRequest
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._sso import NONE_HERE, PlatformSSO
from ansible_collections.keyholder.macos.plugins.module_utils._start_up import ETHERNET, WIFI, Link, StartUp

ANA = Account("ana", "A" * 36, sources=EVERYWHERE, in_preboot=True, failed_logins=0)
REQUIRES = PlatformSSO(True, True, "x", "password", ("RequireAuthentication",), (), (), ("itadmin",))
GOOD = Mac(
    Version(26, 5),
    as_root=True,
    volume=Volume("disk3s1s1", True, True),
    accounts=(ANA,),
    filevault=FileVault("on", authrestart=False, personal_key=False),
    sso=NONE_HERE,
    start_up=StartUp(True, "same", Link("en0", ETHERNET, "", False)),
)


def start(**changes: t.Any) -> StartUp:
    return replace(GOOD.start_up or StartUp(), **changes)


def link(kind: str, security: str = "", ieee8021x: bool | None = False) -> StartUp:
    return start(link=Link("en0", kind, security, ieee8021x))


def fact(mac: Mac, name: str, user: str = "") -> str:
    return next(one.says for one in ssh_facts(mac, user) if one.fact == name)


# What of each fact lets the Mac come back, what does not, and what nobody knows.
SCREEN = {"off": YES, "on": NO, "encrypting": NO, "decrypting": NO, "unknown": UNKNOWN}
SAYS: dict[str, dict[t.Any, str]] = {
    "version": {Version(26, 5): YES, Version(15, 6): NO},
    "authrestart": {True: YES, False: NO, None: UNKNOWN},
    "enabled": {True: YES, False: NO, None: UNKNOWN},
    "keys": {"same": YES, "other": NO, "missing": NO, None: UNKNOWN},
    "preboot": {True: YES, False: NO, None: UNKNOWN},
    "link": {"ethernet": YES, "802.1X": NO, "": UNKNOWN},
    "sso": {"none": YES, "required": UNKNOWN, "unread": UNKNOWN, "exempt": YES},
}
LINKS = {"ethernet": Link("en0", ETHERNET, "", False), "802.1X": Link("en0", ETHERNET, "", True), "": Link()}
SSO = {"none": NONE_HERE, "required": REQUIRES, "unread": PlatformSSO(), "exempt": replace(REQUIRES, exempt=("ana",))}


def made(state: str, one: dict[str, t.Any]) -> Mac:
    return replace(
        GOOD,
        version=one["version"],
        filevault=FileVault(state, authrestart=one["authrestart"], personal_key=False),
        accounts=(replace(ANA, in_preboot=one["preboot"]),),
        sso=SSO[one["sso"]],
        start_up=StartUp(one["enabled"], one["keys"], LINKS[one["link"]]),
    )


def expected(state: str, one: dict[str, t.Any]) -> tuple[str, str]:
    """Say it by sets: what is surely so, and what may be so."""
    said = {name: SAYS[name][one[name]] for name in SAYS}
    if one["version"] < Version(26):
        said = {name: NO if name != "authrestart" else value for name, value in said.items()}
    elif one["sso"] == "exempt" and one["preboot"] is not True:
        said["sso"] = UNKNOWN
    by_ssh = [said[name] for name in SAYS if name != "authrestart"]
    surely = {"screen": SCREEN[state] == YES, "told": said["authrestart"] == YES, "ssh": set(by_ssh) == {YES}}
    maybe = {"screen": SCREEN[state] != NO, "told": said["authrestart"] != NO, "ssh": NO not in by_ssh}

    def verdict(*ways: str) -> str:
        return YES if any(surely[way] for way in ways) else UNKNOWN if any(maybe[way] for way in ways) else NO

    return verdict("screen", "told", "ssh"), verdict("screen", "ssh")


EVERY = [dict(zip(SAYS, values)) for values in itertools.product(*SAYS.values())]


@pytest.mark.parametrize("state", SCREEN)
def test_every_combination_of_facts_is_judged_as_the_oracle_does(state: str) -> None:
    for one in EVERY:
        mac = made(state, one)
        told, cut = after_restart(mac), after_power_cut(mac)
        assert (told.verdict, cut.verdict) == expected(state, one), one
        assert bool(told.way) == (told.verdict == YES)
        assert told.because and cut.because
        assert (not told.against) or told.words
        if told.verdict == YES and state != "off":
            assert told.way == (AUTHRESTART if one["authrestart"] else BY_SSH)


def test_without_filevault_there_is_no_screen_to_wait_at() -> None:
    mac = replace(Mac(Version(12)), filevault=FileVault("off"))
    assert (after_restart(mac).way, after_power_cut(mac).way) == (NO_SCREEN, NO_SCREEN)


def test_nothing_that_was_read_is_never_a_yes() -> None:
    mac = Mac(Version(26, 5))
    assert (after_restart(mac).verdict, after_power_cut(mac).verdict) == (UNKNOWN, UNKNOWN)


@pytest.mark.parametrize(
    ("version", "start_up", "says"),
    [
        (Version(26, 5), link(ETHERNET), YES),
        (Version(26, 5), link(ETHERNET, "", None), UNKNOWN),
        (Version(26, 5), link(ETHERNET, "", True), NO),
        (Version(26, 5), link(WIFI, "NONE"), YES),
        (Version(26, 5), link(WIFI, "WPA2_PSK"), YES),
        (Version(26, 4), link(WIFI, "WPA2_PSK"), UNKNOWN),
        (Version(26, 4), link(WIFI, "WPA2_ENTERPRISE"), NO),
        (Version(27), link(WIFI, "WPA2_PSK", True), NO),
        (Version(27), link(WIFI, "WPA3_SAE"), UNKNOWN),
        (Version(27), link(WIFI, ""), UNKNOWN),
        (Version(27), link("vpn"), UNKNOWN),
        (Version(27), StartUp(), UNKNOWN),
    ],
)
def test_which_network_a_mac_has_before_it_is_unlocked(version: Version, start_up: StartUp, says: str) -> None:
    assert fact(replace(GOOD, version=version, start_up=start_up), "network") == says


@pytest.mark.parametrize(
    ("account", "user", "says"),
    [
        (ANA, "", YES),
        (ANA, "ana", YES),
        (ANA, "bo", NO),
        (replace(ANA, in_preboot=False), "ana", NO),
        (replace(ANA, in_preboot=None), "ana", UNKNOWN),
        (replace(ANA, disabled=True), "", NO),
        (replace(ANA, max_failed_logins=5, failed_logins=5, lock_expires=True), "", UNKNOWN),
        (replace(ANA, sources=replace(EVERYWHERE, filevault=None)), "ana", UNKNOWN),
        (replace(ANA, sources=replace(EVERYWHERE, filevault=False)), "ana", NO),
    ],
)
def test_who_unlocks_at_the_screen(account: Account, user: str, says: str) -> None:
    assert fact(replace(GOOD, accounts=(account,)), "unlocker", user) == says


@pytest.mark.parametrize(
    "bob",
    [
        {"disabled": True},
        {"has_password": False},
        {"failed_logins": None},
        {"in_preboot": None},
    ],
)
def test_one_account_must_both_unlock_and_be_left_alone_by_platform_sso(bob: dict[str, t.Any]) -> None:
    """Ana's password opens the volume, and the policy is Ana's as well; it leaves Bob alone, who may open nothing."""
    exempt = replace(ANA, name="bob", guid="B" * 36, max_failed_logins=5, **{"failed_logins": 0, **bob})
    mac = replace(GOOD, accounts=(ANA, exempt), sso=replace(REQUIRES, exempt=("bob",)))
    assert fact(mac, "unlocker") == YES
    assert fact(mac, "platform_sso") == UNKNOWN
    assert after_power_cut(mac).verdict == UNKNOWN


@pytest.mark.parametrize(
    ("key", "account", "user", "verdict"),
    [
        (True, replace(ANA, disabled=True), "", YES),
        (True, replace(ANA, disabled=True), "ana", NO),
        (False, replace(ANA, disabled=True), "", NO),
        (None, replace(ANA, disabled=True), "", UNKNOWN),
        (False, replace(ANA, max_failed_logins=5, failed_logins=5, lock_expires=True), "", UNKNOWN),
    ],
)
def test_who_authorises_a_restart_past_the_screen(key: bool | None, account: Account, user: str, verdict: str) -> None:
    filevault = FileVault("on", authrestart=True, personal_key=key)
    mac = replace(GOOD, version=Version(15), filevault=filevault, accounts=(account,))
    assert after_restart(mac, user).verdict == verdict


# -- the restart ------------------------------------------------------------------------------------------------------

REQUEST = RestartRequest("ana", True, frozenset({"password"}))
DOUBTS: dict[str, dict[str, t.Any]] = {
    "keys": {"start_up": start(host_keys="missing")},
    "switch": {"start_up": start(enabled=False)},
    "unread": {"start_up": None},
    "enterprise": {"start_up": link(WIFI, "WPA2_ENTERPRISE")},
    "policy": {"sso": REQUIRES},
    "preboot": {"accounts": (replace(ANA, in_preboot=False),)},
}


def test_a_mac_of_which_everything_is_known_is_restarted() -> None:
    plan = REQUEST.plan(GOOD, {})
    assert len(plan.steps) == 2
    assert plan.notes == ()


@pytest.mark.parametrize("doubt", DOUBTS)
def test_a_mac_that_may_not_come_back_is_restarted_only_if_the_caller_says_so(doubt: str) -> None:
    mac = replace(GOOD, **DOUBTS[doubt])
    with pytest.raises(Refusal) as refused:
        REQUEST.plan(mac, {})
    assert refused.value.reason == "would_not_come_back"
    assert len(refused.value.evidence) >= 2
    plan = replace(REQUEST, require_comes_back=False).plan(mac, {})
    assert len(plan.steps) == 2
    assert "come back by itself" in plan.notes[0]


@pytest.mark.parametrize("doubt", DOUBTS)
def test_where_macos_restarts_past_the_screen_nothing_else_is_asked_of_it(doubt: str) -> None:
    changes = {"filevault": replace(GOOD.filevault, authrestart=True), **DOUBTS[doubt]}
    assert replace(REQUEST, ssh_unlock=False).plan(replace(GOOD, **changes), {}).notes == ()
