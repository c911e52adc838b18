# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a Mac may be erased or upgraded, against a table that says of each fact alone what it means for both."""

from __future__ import annotations

import random
import typing as t
from dataclasses import replace

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils import _ready
from ansible_collections.keyholder.macos.plugins.module_utils._account import Account, Sources
from ansible_collections.keyholder.macos.plugins.module_utils._key_holder import StoredKey
from ansible_collections.keyholder.macos.plugins.module_utils._mac import (
    FileVault,
    Mac,
    Management,
    PasswordPolicy,
    Volume,
)
from ansible_collections.keyholder.macos.plugins.module_utils._macos import Version
from ansible_collections.keyholder.macos.plugins.module_utils._power import Power
from ansible_collections.keyholder.macos.plugins.module_utils._ready import (
    ACCEPTED,
    COULD_NOT_VERIFY,
    ERASE,
    NOT_READY,
    READY,
    UPGRADE,
    Wish,
    asked_by,
    ready_for,
)

AT = 1_760_000_000
STORED = StoredKey(AT)


def person(name: str, **facts: t.Any) -> Account:
    given = {"admin": True, "sources": Sources(True, True, True), "volume_owner": True, "failed_logins": 0, **facts}
    return Account(name=name, guid=f"GUID-{name}", uid=501, **given)


ADMIN = person("itadmin")
WHOLE = Mac(
    version=Version(26, 1),
    as_root=True,
    model="Mac14,2",
    apple_silicon=True,
    volume=Volume("disk3s1s1", True, True),
    accounts=(ADMIN,),
    filevault=FileVault("on", personal_key=True, institutional_key=False, icloud_key=False, escrowed_at=0),
    management=Management(True, True, True, bootstrap="valid", supported=True, preflight=True, preflight_asked=True),
    power=Power("ac"),
    activation_lock=False,
)
"""Ready for both, with the key in the store."""

YES, NO, OPEN = READY, NOT_READY, COULD_NOT_VERIFY


class Fact(t.NamedTuple):
    """One thing that is otherwise than on the whole Mac, and what follows for an erase and for an upgrade."""

    erase: str
    upgrade: str
    mac: t.Callable[[Mac], Mac] = lambda mac: mac
    wish: t.Callable[[Wish], Wish] = lambda wish: wish


def managed(**facts: t.Any) -> t.Callable[[Mac], Mac]:
    return lambda mac: replace(mac, management=replace(mac.management, **facts))


def vault(**facts: t.Any) -> t.Callable[[Mac], Mac]:
    return lambda mac: replace(mac, filevault=replace(mac.filevault, **facts))


def people(*accounts: Account, **facts: t.Any) -> t.Callable[[Mac], Mac]:
    return lambda mac: replace(mac, accounts=accounts, **facts)


def of(**facts: t.Any) -> t.Callable[[Mac], Mac]:
    return lambda mac: replace(mac, **facts)


def wish(**facts: t.Any) -> t.Callable[[Wish], Wish]:
    return lambda asked: replace(asked, **facts)


UNPROVEN = {"bootstrap": "escrowed_unproven", "preflight": None}
AXES: dict[str, dict[str, Fact]] = {
    "hardware": {
        "T2": Fact(YES, YES, of(apple_silicon=False, model="MacBookPro16,1")),
        "older Intel": Fact(NO, YES, of(apple_silicon=False, model="MacBookPro14,1")),
        "not said": Fact(OPEN, YES, of(apple_silicon=None, model="")),
    },
    "token": {
        "not enrolled": Fact(
            NO, YES, managed(enrolled=False, automated=False, bootstrap="not_enrolled", preflight=None)
        ),
        "by its user": Fact(NO, YES, managed(automated=False)),
        "enrolment unread": Fact(OPEN, OPEN, managed(enrolled=None, automated=None, bootstrap="unknown")),
        "how it is enrolled unread": Fact(OPEN, YES, managed(automated=None)),
        "no server takes one": Fact(NO, YES, managed(bootstrap="unsupported", preflight=None)),
        "none": Fact(NO, NO, managed(bootstrap="not_escrowed", preflight=None)),
        "stale": Fact(NO, NO, managed(bootstrap="escrowed_unproven", preflight=False)),
        "not proven": Fact(OPEN, OPEN, managed(**UNPROVEN)),
        "called valid and not proven": Fact(OPEN, OPEN, managed(preflight=None)),
        "status unread": Fact(OPEN, OPEN, managed(bootstrap="unknown", preflight=None)),
    },
    "activation": {
        "on": Fact(NO, YES, of(activation_lock=True)),
        "not said": Fact(OPEN, YES, of(activation_lock=None)),
    },
    "power": {
        "enough": Fact(YES, YES, of(power=Power("battery", 50))),
        "too little": Fact(NO, NO, of(power=Power("battery", 49))),
        "charge not said": Fact(OPEN, OPEN, of(power=Power("battery"))),
        "mains with a low battery": Fact(YES, YES, of(power=Power("ac", 3))),
        "UPS": Fact(NO, NO, of(power=Power("ups", 100))),
        "not said": Fact(OPEN, OPEN, of(power=Power())),
        "not asked": Fact(OPEN, OPEN, of(power=None)),
    },
    "notes": {
        "preboot": Fact(NO, NO, of(pending=frozenset({"preboot"}))),
        "half made": Fact(NO, NO, of(pending=frozenset({"creating ana"}))),
        "promoted": Fact(NO, NO, of(pending=frozenset({"promoted ana"}))),
    },
    "owner": {
        "named and able": Fact(YES, YES, wish=wish(owner="itadmin")),
        "named and unknown": Fact(YES, NO, wish=wish(owner="nobody1")),
        "named and no owner": Fact(
            YES, NO, people(ADMIN, person("ana", sources=Sources(False, False, False), volume_owner=False)),
            wish(owner="ana"),
        ),
        "named and unread": Fact(YES, OPEN, people(ADMIN, person("ana", volume_owner=None)), wish(owner="ana")),
        "named and disabled": Fact(YES, NO, people(ADMIN, person("ana", disabled=True)), wish(owner="ana")),
        "named and perhaps locked": Fact(
            YES, OPEN, people(ADMIN, person("ana", unjudged=("unused",))), wish(owner="ana")
        ),
        "named, a standard owner": Fact(YES, YES, people(ADMIN, person("ana", admin=False)), wish(owner="ana")),
        "named, a standard owner, and no administrator": Fact(
            YES,
            NO,
            people(person("ana", admin=False)),
            wish(owner="ana"),
        ),
        "only a standard one": Fact(YES, NO, people(person("ana", admin=False))),
        "only one without a login": Fact(YES, NO, people(person("ana", has_password=False))),
        "only one who is locked": Fact(
            YES, NO, people(person("ana", failed_logins=9), policy=PasswordPolicy(max_failed_logins=5))
        ),
        "only one who may be locked": Fact(YES, OPEN, people(person("ana", unjudged=("unused",)))),
        "only one who owns nothing": Fact(YES, NO, people(person("ana", volume_owner=False))),
        "owners unread": Fact(YES, OPEN, people(person("ana", volume_owner=None))),
        "crypto users unread": Fact(
            YES, OPEN, people(person("ana", sources=Sources(True, None, True), volume_owner=None), volume=Volume())
        ),
        "groups unread": Fact(YES, OPEN, people(person("ana", admin=False), groups_read=False)),
    },
    "key": {
        "FileVault off": Fact(YES, YES, vault(state="off", personal_key=False), wish(stored=None)),
        "FileVault unread": Fact(YES, NO, vault(state="unknown", personal_key=False)),
        "store not asked": Fact(YES, OPEN, wish=wish(stored=None)),
        "store unread": Fact(YES, OPEN, wish=wish(stored=StoredKey(problem="no such folder"))),
        "in nobody's hands": Fact(YES, NO, wish=wish(stored=StoredKey())),
        "of an Apple Account": Fact(YES, NO, vault(icloud_key=True, personal_key=False)),
        "dead": Fact(YES, OPEN, vault(escrowed_at=AT + 3600)),
        "dead, and the new one away": Fact(
            NO, NO,
            lambda mac: managed(enrolled=False, automated=False, bootstrap="not_enrolled", preflight=None)(
                vault(escrowed_at=AT + 3600)(mac)
            ),
        ),
        "with the server": Fact(YES, OPEN, vault(escrowed_at=AT), wish(stored=None)),
        "interrupted": Fact(YES, OPEN, wish=wish(stored=StoredKey(AT, interrupted=True))),
        "escrow unread": Fact(YES, OPEN, vault(escrowed_at=None)),
        "keys unread": Fact(YES, OPEN, vault(personal_key=None, icloud_key=None)),
        "none": Fact(YES, NO, vault(personal_key=False)),
    },
}  # fmt: skip
SINGLE = [(axis, name) for axis, facts in AXES.items() for name in facts]


def judged(what: str, *chosen: tuple[str, str]) -> _ready.Readiness:
    mac, asked = WHOLE, Wish(stored=STORED)
    for axis, name in chosen:
        fact = AXES[axis][name]
        mac, asked = fact.mac(mac), fact.wish(asked)
    return ready_for(mac, what, asked)


def expected(what: str, *chosen: tuple[str, str]) -> str:
    said = [getattr(AXES[axis][name], what) for axis, name in chosen]
    return NO if NO in said else OPEN if OPEN in said else YES


@pytest.mark.parametrize("what", [ERASE, UPGRADE])
def test_a_mac_that_lacks_nothing_is_ready(what: str) -> None:
    readiness = judged(what)
    assert (readiness.verdict, readiness.open) == (READY, ())
    assert readiness.words == f"ready for {what}"
    assert all(not finding.remedy for finding in readiness.findings)


@pytest.mark.parametrize("what", [ERASE, UPGRADE])
@pytest.mark.parametrize(("axis", "name"), SINGLE)
def test_what_each_fact_means_alone(what: str, axis: str, name: str) -> None:
    readiness = judged(what, (axis, name))
    assert readiness.verdict == expected(what, (axis, name)), readiness.words
    assert all(finding.why and finding.remedy for finding in readiness.open)


def test_what_facts_mean_together_is_the_worst_of_each() -> None:
    """Facts that overlap are left out: a Mac that is not enrolled has no key with its server."""
    picked = random.Random(18)
    both = ("dead, and the new one away", "dead", "with the server")
    seen = set()
    for _round in range(3000):
        chosen = [(axis, picked.choice(list(AXES[axis]))) for axis in AXES if picked.random() < 0.4]
        names = dict(chosen)
        if names.get("key") in both and "token" in names:
            continue
        # Only Apple silicon has owners, so elsewhere what is said of them is not asked for.
        if "hardware" in names and names["hardware"] != "not said" and "owner" in names:
            continue
        for what in (ERASE, UPGRADE):
            verdict = judged(what, *chosen).verdict
            assert verdict == expected(what, *chosen), (what, chosen)
            seen.add((what, verdict))
    assert len(seen) == 6


@pytest.mark.parametrize(("what", "check"), [(what, check) for what in _ready.CHECKS for check in _ready.CHECKS[what]])
def test_each_check_is_missed_by_a_fact(
    what: str, check: t.Callable[[Mac, Wish], _ready.Checked], monkeypatch: pytest.MonkeyPatch
) -> None:
    left = tuple(other for other in _ready.CHECKS[what] if other is not check)
    monkeypatch.setattr(_ready, "CHECKS", {**_ready.CHECKS, what: left})
    assert any(judged(what, fact).verdict != expected(what, fact) for fact in SINGLE)


@pytest.mark.parametrize("what", [ERASE, UPGRADE])
@pytest.mark.parametrize(("axis", "name"), SINGLE)
def test_what_is_accepted_speaks_against_nothing_any_more(what: str, axis: str, name: str) -> None:
    findings = judged(what, (axis, name)).open
    fact = AXES[axis][name]
    given = replace(fact.wish(Wish(stored=STORED)), accepted=tuple(finding.check for finding in findings))
    readiness = ready_for(fact.mac(WHOLE), what, given)
    assert readiness.verdict == READY
    assert [one.check for one in readiness.findings if one.verdict == ACCEPTED] == [
        one.check for one in readiness.findings if one.check in given.accepted
    ]


def test_accepting_one_check_settles_no_other() -> None:
    low = replace(WHOLE, power=Power("battery", 1))
    assert ready_for(low, UPGRADE, Wish(stored=STORED, accepted=("recovery_key",))).verdict == NOT_READY


def test_an_old_macos_cannot_be_erased_and_does_not_tell_of_its_token() -> None:
    for version, first, second in ((Version(11, 7), NOT_READY, COULD_NOT_VERIFY), (Version(13, 2), READY, OPEN)):
        told = managed(**UNPROVEN)(replace(WHOLE, version=version))
        said = {one.check: one.verdict for one in ready_for(told, ERASE).findings}
        assert (said["erase_supported"], said["bootstrap_token"]) == (first, second)


def test_an_institutional_key_is_one_on_intel_only() -> None:
    only = vault(personal_key=False, institutional_key=True)(WHOLE)
    for silicon, verdict in ((True, NOT_READY), (None, NOT_READY), (False, COULD_NOT_VERIFY)):
        found = ready_for(replace(only, apple_silicon=silicon), UPGRADE, Wish(stored=StoredKey())).findings
        assert {one.check: one.verdict for one in found}["recovery_key"] == verdict


def test_elsewhere_than_on_apple_silicon_an_administrator_authorises() -> None:
    intel = replace(WHOLE, apple_silicon=False, accounts=(person("ana", volume_owner=False),))
    assert ready_for(intel, UPGRADE, Wish(stored=STORED)).verdict == READY
    standard = replace(intel, accounts=(ADMIN, person("ana", admin=False)))
    assert ready_for(standard, UPGRADE, Wish("ana", STORED)).verdict == NOT_READY


def test_each_check_has_a_name_that_can_be_accepted() -> None:
    named = {finding.check for what in (ERASE, UPGRADE) for finding in judged(what).findings}
    assert named == set(_ready.NAMES)


def test_what_is_asked_for() -> None:
    assert asked_by(ERASE).activation_lock and not asked_by(UPGRADE).activation_lock
    assert all(asked.preflight and asked.power and asked.escrow for asked in map(asked_by, (ERASE, UPGRADE)))
