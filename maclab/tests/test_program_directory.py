# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold the rules of accounts and tokens to what no sequence of operations may break."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable

import pytest
from fakes import mac, people, person
from hypothesis import given
from hypothesis import strategies as st

from maclab import directory
from maclab.directory import DISABLED_TAG, PREHASHED, TOKEN, Outcome, Verdict
from maclab.state import Account, Mac

NAMES = ("admin", "user", "other")
PASSWORDS = ("admin-pw", "user-pw", "other-pw", "wrong", "")
VERSIONS = ("10.13.6", "10.14.6", "10.15.7", "11.7.10", "13.6.9", "15.6", "26.3")

names = st.sampled_from(NAMES)
passwords = st.sampled_from(PASSWORDS)
versions = st.sampled_from(VERSIONS)

Step = Callable[[Mac], object]


def _set(made: Mac, name: str, password: str) -> None:
    if name in made.accounts:
        directory.set_password(made, made.accounts[name], password, rewrap=False)


def _mark(made: Mac, name: str) -> None:
    if name in made.accounts:
        made.accounts[name].authority.append(TOKEN)


def _delete(made: Mac, name: str) -> None:
    if name in made.accounts:
        directory.delete_account(made, made.accounts[name], directory.dscl_leaves_crypto_user(made))


def _change(made: Mac, name: str, old: str, new: str) -> object:
    return directory.change_password(made, made.accounts[name], old, new) if name in made.accounts else None


def _reset(made: Mac, name: str, new: str, granter: str, password: str) -> object:
    return (
        directory.reset_password(made, made.accounts[name], new, granter, password) if name in made.accounts else None
    )


grants = st.builds(lambda *a: lambda made: directory.grant(made, *a), names, passwords, names, passwords)
revokes = st.builds(lambda *a: lambda made: directory.revoke(made, *a), names, passwords, names, passwords)
logins = st.builds(lambda *a: lambda made: directory.authenticate(made, *a), names, passwords)
sets = st.builds(lambda *a: lambda made: _set(made, *a), names, passwords)
marks = st.builds(lambda *a: lambda made: _mark(made, *a), names)
deletes = st.builds(lambda *a: lambda made: _delete(made, *a), names)
changes = st.builds(lambda *a: lambda made: _change(made, *a), names, passwords, passwords)
resets = st.builds(lambda *a: lambda made: _reset(made, *a), names, passwords, names, passwords)


def cast(version: str, *, token: bool) -> Mac:
    made = mac(version, "t2")
    person(made, "admin", "admin-pw", admin=True, token=token)
    person(made, "user", "user-pw")
    person(made, "other", "other-pw", admin=True)
    return made


def held(made: Mac) -> set[str]:
    return {account.name for account in directory.holders(made)}


@given(
    versions,
    st.booleans(),
    st.lists(st.one_of(grants, revokes, logins, sets, marks, deletes, changes, resets), max_size=8),
)
def test_a_holder_always_has_marker_key_and_crypto_user(version: str, token: bool, steps: list[Step]) -> None:
    made = cast(version, token=token)
    for step in steps:
        step(made)
        for account in directory.holders(made):
            assert TOKEN in account.authority
            assert account.key_password is not None
            assert account.generated_uid in made.crypto_users


@given(versions, names, passwords)
def test_the_marker_by_hand_opens_nothing(version: str, name: str, password: str) -> None:
    made = mac(version)
    for each in NAMES:
        directory.new_account(made, each, each, directory.next_uid(made), 20)
        directory.make_admin(made, made.accounts[each])
        _mark(made, each)
    assert directory.holders(made) == []
    assert not directory.unlock_key(made, made.accounts[name], password)


@given(versions, st.booleans(), st.one_of(logins, sets, changes))
def test_a_first_token_is_given_only_while_nobody_holds(version: str, token: bool, step: Step) -> None:
    made = cast(version, token=token)
    before, blocked = held(made), directory.somebody_holds(made)
    step(made)
    if blocked:
        assert held(made) == before
    else:
        assert len(held(made)) <= 1


@given(versions, marks)
def test_only_grants_first_tokens_revokes_and_deletes_change_who_holds(version: str, step: Step) -> None:
    made = cast(version, token=True)
    before = held(made)
    step(made)
    assert held(made) == before


@given(versions, st.one_of(grants, revokes, changes, resets))
def test_a_failure_changes_nothing_but_the_failed_logins(version: str, step: Step) -> None:
    made = cast(version, token=True)
    before = copy.deepcopy(made)
    if step(made):
        return
    for account in [*before.accounts.values(), *made.accounts.values()]:
        account.failed_logins, account.failed_login_at = 0, 0.0
    assert dataclasses.asdict(made) == dataclasses.asdict(before)


@given(st.integers(1, 5), st.integers(0, 8))
def test_failures_lock_at_the_policys_limit(limit: int, tries: int) -> None:
    made = cast("15.6", token=True)
    made.policy.max_failed = limit
    for _ in range(tries):
        directory.authenticate(made, "user", "wrong")
    account = made.accounts["user"]
    assert account.locked == (tries >= limit)
    assert account.failed_logins == min(tries, limit)
    expected = Verdict.DISABLED if tries >= limit else Verdict.OK
    assert directory.authenticate(made, "user", "user-pw") is expected


# --- first tokens, one by one ----------------------------------------------------------------------


@pytest.mark.parametrize("version", ["10.13.6", "10.14.6"])
def test_old_systems_give_the_first_token_to_the_only_user_at_login(version: str) -> None:
    alone = mac(version, "intel")
    person(alone, "user")
    assert held(alone) == set()
    assert directory.authenticate(alone, "user", "pw")
    assert held(alone) == {"user"}
    crowd = cast(version, token=False)
    directory.authenticate(crowd, "admin", "admin-pw")
    assert held(crowd) == set()


def test_catalina_gives_it_to_the_first_administrator_at_login() -> None:
    made = cast("10.15.7", token=False)
    directory.authenticate(made, "user", "user-pw")
    assert held(made) == set()
    directory.authenticate(made, "other", "other-pw")
    assert held(made) == {"other"}
    directory.authenticate(made, "admin", "admin-pw")
    assert held(made) == {"other"}


def fresh(version: str) -> tuple[Mac, Account]:
    made = mac(version)
    return made, directory.new_account(made, "new", "New", 501, 20)


def test_big_sur_gives_it_the_moment_a_password_is_set() -> None:
    made, account = fresh("11.7.10")
    directory.set_password(made, account, "", rewrap=False)
    assert held(made) == set()
    directory.set_password(made, account, "pw", rewrap=False)
    assert held(made) == {"new"}


@pytest.mark.parametrize(("version", "kept_away"), [("10.15.7", False), ("11.7.10", True), ("26.1", True)])
def test_the_disabled_tag_keeps_it_away_from_11_on(version: str, kept_away: bool) -> None:
    made, account = fresh(version)
    directory.make_admin(made, account)
    account.authority.append(DISABLED_TAG)
    directory.set_password(made, account, "pw", rewrap=False)
    directory.authenticate(made, "new", "pw")
    assert (held(made) == set()) == kept_away


def test_a_prehashed_account_waits_for_its_first_login() -> None:
    made, account = fresh("14.7.1")
    account.password, account.attributes = "pw", {PREHASHED: ["1"]}
    assert held(made) == set()
    directory.authenticate(made, "new", "pw")
    assert held(made) == {"new"}


def test_a_hash_that_the_mdm_sets_leaves_the_key_behind() -> None:
    made, account = fresh("14.7.1")
    directory.set_hash(made, account, "first")
    assert held(made) == set()
    directory.authenticate(made, "new", "first")
    directory.set_hash(made, account, "second")
    assert (account.password, account.key_password) == ("second", "first")
    assert directory.authenticate(made, "new", "second") and held(made) == {"new"}


def test_no_token_without_apfs() -> None:
    made, account = fresh("10.13.6")
    made.filesystem = "hfs"
    directory.set_password(made, account, "pw", rewrap=False)
    directory.authenticate(made, "new", "pw")
    assert held(made) == set()


# --- grants ---------------------------------------------------------------------------------------


def test_a_grant_wraps_the_key_and_leaves_preboot_alone() -> None:
    made = people(mac())
    assert directory.grant(made, "user", "user-pw", "admin", "admin-pw") is Outcome.DONE
    account = made.accounts["user"]
    assert account.key_password == "user-pw"
    assert made.crypto_users[account.generated_uid].owner
    assert account.salt != "first"
    assert made.preboot == []


def test_a_stale_key_authorises_nothing() -> None:
    made = people(mac())
    made.accounts["admin"].key_password = "old"
    assert directory.grant(made, "user", "user-pw", "admin", "admin-pw") is Outcome.NO_UNLOCK


def test_a_phantom_authorises_nothing() -> None:
    made = people(mac())
    del made.crypto_users[made.accounts["admin"].generated_uid]
    assert directory.grant(made, "user", "user-pw", "admin", "admin-pw") is Outcome.NO_UNLOCK


@pytest.mark.parametrize(
    ("version", "enrolled", "outcome"),
    [
        ("10.13.6", "no", Outcome.DONE),
        ("14.7.1", "ade", Outcome.DONE),
        ("15.6", "no", Outcome.DONE),
        ("15.6", "ade", Outcome.DONE_BUT_NOTHING),
    ],
)
def test_self_grant_while_nobody_holds(version: str, enrolled: str, outcome: Outcome) -> None:
    made = cast(version, token=False)
    made.mdm.enrolled = enrolled
    assert directory.grant(made, "admin", "admin-pw", "admin", "admin-pw") is outcome
    assert (held(made) == {"admin"}) == (outcome is Outcome.DONE)


def test_the_last_holder_keeps_its_token() -> None:
    made = people(mac())
    assert directory.revoke(made, "admin", "admin-pw", "admin", "admin-pw") is Outcome.OWN_CREDENTIAL
    assert held(made) == {"admin"}


def test_deleting_with_dscl_leaves_an_orphan_where_there_is_a_secure_enclave() -> None:
    made = people(mac())
    guid = made.accounts["admin"].generated_uid
    directory.delete_account(made, made.accounts["admin"], directory.dscl_leaves_crypto_user(made))
    assert guid in made.crypto_users
    directory.set_password(made, made.accounts["user"], "new", rewrap=False)
    assert held(made) == set()
