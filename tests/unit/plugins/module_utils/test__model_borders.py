# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The properties of a reading that verdicts, guards and plans are made of: each beside the value where it turns."""

from __future__ import annotations

import itertools
import typing as t
from dataclasses import replace

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils._account import (
    EVERYWHERE,
    NOWHERE,
    Account,
    Sources,
    in_order,
)
from ansible_collections.keyholder.macos.plugins.module_utils._mac import (
    FileVault,
    Mac,
    Management,
    Missing,
    Network,
    PasswordPolicy,
    Volume,
    with_token,
    without_token,
)
from ansible_collections.keyholder.macos.plugins.module_utils._macos import Version
from ansible_collections.keyholder.macos.plugins.module_utils._place import way
from ansible_collections.keyholder.macos.plugins.module_utils._recoverable import (
    can_be_first,
    first_token_rule,
    leftovers,
)
from ansible_collections.keyholder.macos.plugins.module_utils._text import folded
from ansible_collections.keyholder.macos.plugins.module_utils._unfinished import (
    archived,
    creation,
    offboarding,
    promoted_by,
    promotion,
    repairing,
)

ANA = Account("ana", "A", uid=501, failed_logins=0)
BOB = replace(ANA, name="bob", guid="B", uid=502)
ADMIN = replace(ANA, name="itadmin", guid="C", uid=503, admin=True, sources=EVERYWHERE)
ROOT = replace(ADMIN, name="root", guid="R", uid=0)
KEY_ONLY, MARK_ONLY = Sources(False, True, False), Sources(True, False, False)
TOLD = (True, False, None)


def mac(*accounts: Account, version: str = "15.6", **more: t.Any) -> Mac:
    made_up: dict[str, t.Any] = {"volume": Volume("d", True, True), "as_root": True}
    return Mac(Version.parse(version), accounts=accounts, **{**made_up, **more})


def names(accounts: t.Iterable[Account]) -> list[str]:
    return [account.name for account in accounts]


# -- words ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "same"), [("ANA", "ana"), ("Zoe\u0308", "zo\u00eb"), ("Stra\u00dfe", "stra\u00dfe"), ("", "")]
)
def test_a_name_as_macos_compares_it(name: str, same: str) -> None:
    assert folded(name) == same


def test_who_is_promoted_by_a_note() -> None:
    assert promoted_by(promotion("ana")) == "ana"
    assert [promoted_by(work) for work in ("preboot", creation("ana"), "", "unpromoted ana")] == ["", "", "", ""]
    of = mac(pending=frozenset({promotion("rui"), promotion("ana"), repairing("bob"), "preboot"}))
    assert of.promoted == ("ana", "rui")


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("10.16", Version(11)),
        ("10.16.1", Version(11)),
        ("10.15.16", Version(10, 15, 16)),
        ("11.16", Version(11, 16)),
        ("1.2.3.4", Version(1, 2, 3)),
        ("9999.0.1", Version(9999, 0, 1)),
        ("macOS 15.6", Version(15, 6)),
        ("10000", None),
        ("15.10000", None),
        ("none", None),
        ("", None),
    ],
)
def test_a_version_and_what_is_none(text: str, version: Version | None) -> None:
    if version is None:
        with pytest.raises(ValueError, match="not a macOS version"):
            Version.parse(text)
    else:
        assert Version.parse(text) == version


@pytest.mark.parametrize(
    ("path", "folders"),
    [
        ("/", ("/", "/")),
        ("/a", ("/", "/a")),
        ("/a/b/c", ("/", "/a", "/a/b", "/a/b/c")),
        ("/VAR/x/y", ("/", "/private", "/private/var", "/private/var/x", "/private/var/x/y")),
        ("/etc", ("/", "/private", "/private/etc")),
    ],
)
def test_the_way_to_a_path(path: str, folders: tuple[str, ...]) -> None:
    assert way(path) == folders


# -- accounts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", list(itertools.product(TOLD, repeat=3)))
def test_the_verdict_of_three_sources(said: tuple[bool | None, bool | None, bool | None]) -> None:
    known = [one for one in said if one is not None]
    expected = "unknown" if not known else "phantom" if len(set(known)) == 2 else "none"
    if known and all(known):
        expected = "holder" if len(known) == 3 else "unproven"
    account = replace(ANA, sources=Sources(*said))
    assert (account.verdict, account.holder) == (expected, expected in ("holder", "unproven"))
    assert account.sources.view() == dict(zip(("authority", "crypto_user", "filevault_list"), said))


@pytest.mark.parametrize(("has", "disabled", "able"), [(1, 0, True), (1, 1, False), (0, 0, False), (0, 1, False)])
def test_who_could_log_in_with_the_right_password(has: int, disabled: int, able: bool) -> None:
    assert replace(ANA, has_password=bool(has), disabled=bool(disabled)).able is able


def test_accounts_are_found_put_in_and_taken_out_by_name() -> None:
    of = mac(ANA, BOB, ADMIN)
    assert (of.account("bob"), of.account("ana"), of.account("ada")) == (BOB, ANA, None)
    other = replace(BOB, admin=True)
    assert of.with_account(other).accounts == (ANA, other, ADMIN)
    first = replace(ANA, name="zoe", uid=1)
    assert of.with_account(first).accounts == (first, ANA, BOB, ADMIN)
    assert of.without_account("bob").accounts == (ANA, ADMIN)
    assert of.without_account("ada") == of
    nobody = replace(ANA, name="x", uid=None)
    assert in_order([BOB, ROOT, nobody, ANA]) == (nobody, ROOT, ANA, BOB)
    assert in_order([replace(BOB, uid=501), ANA]) == (ANA, replace(BOB, uid=501))


# -- FileVault --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "busy", "settled", "asks", "on"),
    [
        ("on", False, True, True, True),
        ("off", False, False, False, False),
        ("encrypting", False, True, True, True),
        ("decrypting", True, False, True, False),
        ("restart_to_enable", False, False, True, True),
        ("restart_to_finish", False, False, True, True),
        ("restart_to_disable", True, False, True, False),
        ("unknown", False, False, True, False),
    ],
)
def test_what_a_state_of_filevault_means(state: str, busy: bool, settled: bool, asks: bool, on: bool) -> None:
    filevault = FileVault(state)
    assert (filevault.busy, filevault.settled, filevault.asks, filevault.on) == (busy, settled, asks, on)


@pytest.mark.parametrize(
    ("profile", "at", "escrows"),
    [(True, None, True), (True, 0, True), (False, 5, False), (None, 5, True), (None, 0, False), (None, None, False)],
)
def test_whether_a_new_key_will_be_put_aside(profile: bool | None, at: int | None, escrows: bool) -> None:
    assert FileVault("on", escrow_profile=profile, escrowed_at=at).escrows is escrows


# -- what a Mac will do by itself -------------------------------------------------------------------------------------

WORKS = Management(bootstrap="valid", bootstrap_crypto_user=True, preflight=True, preflight_asked=True)


@pytest.mark.parametrize(
    ("management", "version", "grants"),
    [
        (WORKS, "15.6", True),
        (WORKS, "11.0", True),
        (WORKS, "10.15.7", False),
        (replace(WORKS, bootstrap="escrowed_unproven"), "15.6", True),
        (replace(WORKS, bootstrap="not_escrowed"), "15.6", False),
        (replace(WORKS, bootstrap="unknown"), "15.6", False),
        (replace(WORKS, bootstrap_crypto_user=None), "15.6", True),
        (replace(WORKS, bootstrap_crypto_user=False), "15.6", False),
        (replace(WORKS, preflight=False), "15.6", False),
        (replace(WORKS, preflight=False, preflight_asked=False), "15.6", False),
        (replace(WORKS, preflight=None), "15.6", False),
        (replace(WORKS, preflight=None, preflight_asked=False), "15.6", True),
    ],
)
def test_when_a_login_brings_a_token(management: Management, version: str, grants: bool) -> None:
    of = mac(ANA, management=management, version=version)
    assert of.grants_at_login is grants
    assert of.verdict_of(ANA) == ("pending" if grants else "none")
    holder, phantom = replace(ANA, sources=EVERYWHERE), replace(ANA, sources=KEY_ONLY)
    assert (of.verdict_of(holder), of.verdict_of(phantom)) == ("holder", "phantom")
    assert of.verdict_of(replace(ANA, disabled=True)) == "none"


def test_volumes_have_owners_from_big_sur_on() -> None:
    versions = ("10.15.7", "11.0", "26.1")
    assert [mac(version=version).owners_known for version in versions] == [False, True, True]
    given = [with_token(mac(version=version), ANA) for version in versions]
    assert [(who.sources, who.volume_owner) for who in given] == [
        (EVERYWHERE, None),
        (EVERYWHERE, True),
        (EVERYWHERE, True),
    ]
    taken = [without_token(mac(version=version), ADMIN) for version in versions]
    assert [(who.sources, who.volume_owner) for who in taken] == [(NOWHERE, None), (NOWHERE, False), (NOWHERE, False)]


@pytest.mark.parametrize(
    ("silicon", "model", "enclave"),
    [
        (True, "Mac14,2", True),
        (True, "MacPro7,1", True),
        (False, "MacPro7,1", True),
        (False, "iMac19,1", False),
        (False, "", False),
    ],
)
def test_which_macs_have_a_secure_enclave(silicon: bool, model: str, enclave: bool) -> None:
    assert mac(apple_silicon=silicon, model=model).secure_enclave is enclave


@pytest.mark.parametrize(
    ("kind", "network", "elsewhere"),
    [
        ("mobile", None, True),
        ("mobile", Network(online=None), True),
        ("mobile", Network(online=True), True),
        ("mobile", Network(online=False), False),
        ("local", None, False),
        ("local", Network(online=True), False),
    ],
)
def test_whose_hash_may_be_behind(kind: str, network: Network | None, elsewhere: bool) -> None:
    who = replace(ANA, kind=kind)
    assert mac(who, network=network).decided_elsewhere(who) is elsewhere


def test_what_could_not_be_read_is_evidence() -> None:
    missing = (Missing("the groups", "exit status 1"), Missing("the rest", "no answer"))
    assert mac(missing=missing).unread == ("the groups: exit status 1", "the rest: no answer")


# -- locks ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "failed", "expires", "unjudged", "root", "locked"),
    [
        (None, 99, False, False, True, False),
        (0, 99, False, False, True, False),
        (1, 0, False, False, True, False),
        (1, 1, False, False, True, True),
        (5, 4, False, False, True, False),
        (5, 5, False, False, True, True),
        (5, 6, False, False, True, True),
        (5, 5, True, False, True, None),
        (5, 4, True, False, True, False),
        (5, None, False, False, True, None),
        (5, None, False, False, False, False),
        (None, None, False, False, True, False),
        (None, 0, False, True, True, None),
        (5, 4, False, True, True, None),
        (5, 5, False, True, True, True),
    ],
)
def test_whom_wrong_guesses_have_locked(
    limit: int | None, failed: int | None, expires: bool, unjudged: bool, root: bool, locked: bool | None
) -> None:
    policy = PasswordPolicy(max_failed_logins=limit, lock_expires=expires, unjudged=("x",) if unjudged else ())
    who = replace(ADMIN, failed_logins=failed)
    of = mac(who, policy=policy, as_root=root)
    assert of.locked(who) is locked
    assert of.opens(who) is (locked is False)
    assert of.opens(replace(who, disabled=True)) is False
    assert names(of.granters) == (["itadmin"] if locked is False else [])
    assert names(of.likely_granters) == ([] if locked is True else ["itadmin"])
    assert names(of.admin_holders) == ["itadmin"]
    out = replace(of, accounts=(replace(who, disabled=True),))
    assert (out.granters, out.likely_granters, names(out.admin_holders)) == ((), (), ["itadmin"])
    waits = replace(of, accounts=(replace(who, sources=NOWHERE),), management=WORKS)
    assert names(waits.waiting_admins) == (["itadmin"] if locked is False else [])
    assert waits.verdict_of(waits.accounts[0]) == ("none" if locked is True else "pending")


# -- administrators ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "token_admin", "admin_holder"),
    [
        (ADMIN, True, True),
        (replace(ADMIN, admin=False), False, False),
        (replace(ADMIN, sources=NOWHERE), False, False),
        (replace(ADMIN, sources=MARK_ONLY), False, False),
        (replace(ADMIN, sources=KEY_ONLY), False, False),
        (replace(ADMIN, sources=Sources(True, True, False)), True, False),
        (replace(ADMIN, sources=Sources(True, None, True)), True, True),
        (replace(ADMIN, sources=Sources(None, True, True)), False, False),
        (replace(ADMIN, disabled=True), True, True),
    ],
)
def test_administrators_with_a_key(who: Account, token_admin: bool, admin_holder: bool) -> None:
    of = mac(BOB, who)
    assert names(of.token_admins) == ["itadmin"] * token_admin
    assert names(of.admin_holders) == ["itadmin"] * admin_holder
    moment = replace(of, pending=frozenset({promotion("itadmin")}))
    assert (moment.token_admins, moment.admin_holders, moment.granters) == ((), (), ())
    assert names(replace(of, pending=frozenset({promotion("bob")})).token_admins) == ["itadmin"] * token_admin


@pytest.mark.parametrize(
    ("others", "other"),
    [
        ((), False),
        ((ADMIN,), True),
        ((replace(ADMIN, uid=1),), True),
        ((replace(ADMIN, uid=None),), True),
        ((ROOT,), False),
        ((BOB,), False),
        ((BOB, ADMIN), True),
        ((replace(ADMIN, disabled=True),), False),
        ((replace(ADMIN, has_password=False),), False),
        ((replace(ADMIN, disabled=True), BOB), False),
    ],
)
def test_another_administrator_who_can_log_in(others: tuple[Account, ...], other: bool) -> None:
    own = replace(ANA, admin=True)
    of = mac(own, *others)
    assert of.has_other_admin("ana") is other
    assert replace(of, pending=frozenset({promotion("itadmin")})).has_other_admin("ana") is False
    assert of.has_other_admin("") is True


@pytest.mark.parametrize(
    ("who", "waits"),
    [
        (replace(ADMIN, sources=NOWHERE), True),
        (replace(ADMIN, sources=NOWHERE, uid=1), True),
        (replace(ROOT, sources=NOWHERE), False),
        (BOB, False),
        (ADMIN, False),
        (replace(ADMIN, sources=NOWHERE, disabled=True), False),
    ],
)
def test_administrators_who_need_no_more_than_a_login(who: Account, waits: bool) -> None:
    of = mac(who, BOB, management=WORKS)
    assert names(of.waiting_admins) == [who.name] * waits
    assert replace(of, pending=frozenset({promotion(who.name)})).waiting_admins == ()
    assert replace(of, management=Management()).waiting_admins == ()


def test_who_is_on_filevaults_list_and_who_of_them_opens_it() -> None:
    ghost = replace(BOB, sources=Sources(False, False, True))
    unlisted = replace(ANA, sources=Sources(True, True, False))
    of = mac(unlisted, ghost, ADMIN, ROOT.__class__("x", "X"))
    assert names(of.unlockers) == ["bob", "itadmin"]
    assert names(of.able_unlockers) == ["itadmin"]
    assert names(of.phantoms) == ["ana", "bob"]
    assert names(of.holders) == ["itadmin"]


# -- pending work -----------------------------------------------------------------------------------------------------


def test_which_notes_have_no_meaning_without_an_account() -> None:
    begun, kept = offboarding("ana", "G1"), archived("ana", "G2")
    work = {creation("ana"), repairing("ana"), begun, kept, promotion("ana"), "preboot"}
    others = {creation("bob"), repairing("bob"), offboarding("bob", "G3"), archived("anna", "G4")}
    of = mac(pending=frozenset(work | others))
    assert of.leaving("ana") == {begun, kept}
    assert of.notes_on("ana") == tuple(sorted({creation("ana"), repairing("ana"), begun, kept}))
    assert (of.leaving("ada"), of.notes_on("ada")) == (frozenset(), ())


# -- the first token --------------------------------------------------------------------------------------------------

PHANTOM = replace(BOB, sources=KEY_ONLY)


@pytest.mark.parametrize(
    ("of", "who", "first"),
    [
        (mac(ANA), ANA, True),
        (mac(ANA, BOB), ANA, True),
        (mac(ANA, version="11.0"), ANA, True),
        (mac(ANA, ADMIN), ANA, False),
        (mac(ANA, volume=Volume("d", False)), ANA, False),
        (mac(ANA, volume=Volume("d", None)), ANA, True),
        (mac(ANA, orphans=("O",)), ANA, False),
        (mac(ANA, PHANTOM), ANA, False),
        (mac(ANA, replace(BOB, sources=MARK_ONLY)), ANA, True),
        (mac(replace(ANA, kind="mobile")), replace(ANA, kind="mobile"), False),
        (mac(replace(ANA, disabled_tag=True)), replace(ANA, disabled_tag=True), False),
        # 10.15: the first administrator.
        (mac(ANA, version="10.15"), ANA, False),
        (mac(replace(ANA, admin=True), BOB, version="10.15"), replace(ANA, admin=True), True),
        (mac(replace(ANA, admin=True, disabled_tag=True), version="10.15"), replace(ANA, admin=True), True),
        # Before: who is alone, from 500 up.
        (mac(ANA, version="10.14.6"), ANA, True),
        (mac(ANA, BOB, version="10.14.6"), ANA, False),
        (mac(ANA, replace(BOB, uid=499), version="10.14.6"), ANA, True),
        (mac(ANA, replace(BOB, uid=500), version="10.14.6"), ANA, False),
        (mac(ANA, replace(BOB, uid=None), version="10.14.6"), ANA, False),
        (mac(replace(ANA, uid=500), version="10.13.6"), replace(ANA, uid=500), True),
        (mac(replace(ANA, uid=499), version="10.13.6"), replace(ANA, uid=499), False),
    ],
)
def test_who_can_be_the_first_holder(of: Mac, who: Account, first: bool) -> None:
    assert can_be_first(of, who) is first


def test_the_rule_in_words_by_version() -> None:
    rules = [first_token_rule(Version.parse(version)) for version in ("10.14.6", "10.15", "10.15.7", "11.0", "26.1")]
    assert [rule.split(" the ")[0] for rule in rules] == [
        "on macOS 10.13 and 10.14",
        "on macOS 10.15",
        "on macOS 10.15",
        "on macOS 11 and newer",
        "on macOS 11 and newer",
    ]


def test_crypto_users_that_are_left_over() -> None:
    of = mac(ANA, PHANTOM, replace(BOB, name="out", sources=MARK_ONLY), orphans=("O1", "O2"))
    assert leftovers(of) == ("O1", "O2", "bob")
    assert leftovers(mac(ANA)) == ()
