# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A password from the old one to a new one: what is checked, what is proven, and what is refused."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.keyholder.macos.plugins.module_utils._account import EVERYWHERE, Account, Sources
from ansible_collections.keyholder.macos.plugins.module_utils._command import diskutil
from ansible_collections.keyholder.macos.plugins.module_utils._mac import FileVault, Mac, Volume
from ansible_collections.keyholder.macos.plugins.module_utils._macos import Version
from ansible_collections.keyholder.macos.plugins.module_utils._plan.account import AccountRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.password import PasswordRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.plan import Plan
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command, Ran, Secret
from ansible_collections.keyholder.macos.plugins.module_utils._step.account import SetPassword
from ansible_collections.keyholder.macos.plugins.module_utils._step.token import CheckPassword, VerifyKey
from ansible_collections.keyholder.macos.tests.unit.plugins.module_utils import strategies

ADMIN = Account("itadmin", "A" * 36, "IT Admin", 501, 20, admin=True, sources=EVERYWHERE)
DEPUTY = replace(ADMIN, name="deputy", guid="D" * 36, uid=503)
ANA = Account("ana", "B" * 36, "Ana Sousa", 502, 20)
OLD = frozenset({"password", "old_password"})
NEW = frozenset({"password"})


def mac(*accounts: Account, filevault: str = "on") -> Mac:
    state = FileVault(filevault, personal_key=True)
    return Mac(Version(15, 6), accounts=accounts, as_root=True, volume=Volume("disk3s1s1", True, True), filevault=state)


def kinds(plan: Plan) -> list[str]:
    return [type(step).__name__ + (" early" if getattr(step, "early", False) else "") for step in plan.steps]


def refusal(request: PasswordRequest, of: Mac) -> str:
    with pytest.raises(Refusal) as caught:
        request.plan(of, {"password": False})
    return caught.value.reason


def test_from_the_old_one_the_key_is_tried_before_and_after() -> None:
    plan = PasswordRequest("itadmin", given=OLD).plan(mac(ADMIN), {"password": False})
    assert kinds(plan) == ["CheckPassword", "VerifyKey early", "SetPassword", "Prove", "VerifyKey"]
    assert [step.secret for step in plan.steps if isinstance(step, VerifyKey)] == ["old_password", "password"]


def test_through_a_granter_the_key_is_tried_after() -> None:
    plan = PasswordRequest("ana", "itadmin", given=NEW).plan(mac(ADMIN, replace(ANA, sources=EVERYWHERE)), {})
    assert kinds(plan) == ["CheckPassword", "SetPassword", "Prove", "VerifyKey"]


@pytest.mark.parametrize(
    ("account", "filevault", "verify"), [(ADMIN, "off", "on_change"), (ANA, "on", "on_change"), (ADMIN, "on", "never")]
)
def test_where_no_key_can_be_tried_none_is(account: Account, filevault: str, verify: str) -> None:
    request = PasswordRequest(account.name, verify_key=verify, given=OLD)
    plan = request.plan(mac(DEPUTY, account, filevault=filevault), {"password": False})
    assert not any(isinstance(step, VerifyKey) for step in plan.steps)


@pytest.mark.parametrize(("verify", "expected"), [("on_change", []), ("never", []), ("always", ["VerifyKey early"])])
def test_where_it_is_the_password_already_nothing_is_written(verify: str, expected: list[str]) -> None:
    plan = PasswordRequest("itadmin", verify_key=verify, given=NEW).plan(mac(ADMIN), {"password": True})
    assert kinds(plan) == expected
    assert not plan.changes


@pytest.mark.parametrize("same", [True, False, None])
@pytest.mark.parametrize(("filevault", "key"), [("on", ["VerifyKey early"]), ("off", [])])
def test_only_asks_and_sets_nothing_whoever_has_which_password(
    filevault: str, key: list[str], same: bool | None
) -> None:
    for account in (ADMIN, ANA):
        request = PasswordRequest(account.name, "deputy", verify_key="only", given=OLD | NEW)
        plan = request.plan(mac(ADMIN, DEPUTY, ANA, filevault=filevault), {"password": same})
        assert kinds(plan) == ["CheckPassword", *(key if account.holder else [])]
        assert {step.secret for step in plan.steps if isinstance(step, (CheckPassword, VerifyKey))} == {"password"}
        assert not plan.changes


def test_refusals() -> None:
    assert refusal(PasswordRequest("bob", given=NEW), mac(ADMIN)) == "user_unknown"
    assert refusal(PasswordRequest("itadmin", given=NEW), mac(ADMIN)) == "option_missing"
    assert refusal(PasswordRequest("ana", "ana", given=NEW), mac(ADMIN, replace(ANA, sources=EVERYWHERE))) == (
        "granter_not_admin"
    )
    assert refusal(PasswordRequest("-ana", given=OLD), mac(ADMIN)) == "name_unusable"
    assert refusal(PasswordRequest("Ana", given=OLD), replace(mac(ADMIN), names=frozenset({"ana"}))) == "name_differs"
    assert refusal(PasswordRequest("itadmin", given=OLD), replace(mac(ADMIN), as_root=False)) == "not_root"
    phantom = replace(ANA, sources=Sources(True, False, True))
    assert refusal(PasswordRequest("ana", given=OLD), mac(ADMIN, phantom)) == "phantom"
    for of in (mac(ADMIN, replace(ANA, kind="mobile")), mac(ADMIN, replace(ANA, kind="mobile", sources=EVERYWHERE))):
        assert refusal(PasswordRequest("ana", given=OLD), of) == "password_elsewhere"
    same = PasswordRequest("ana", given=NEW).plan(mac(ADMIN, replace(ANA, kind="mobile")), {"password": True})
    assert same.steps == ()


def test_the_first_token_of_a_mac_is_not_handed_out_without_a_word() -> None:
    (note,) = PasswordRequest("ana", given=NEW).plan(mac(ANA), {"password": False}).notes
    assert "ana gets the first Secure Token" in note
    assert PasswordRequest("ana", given=NEW).plan(mac(ADMIN, ANA), {"password": False}).notes == ()
    always = AccountRequest("ana", update_password="always", given=NEW)
    assert always.plan(mac(ANA), {"password": False}).notes == (note,)
    tagged = replace(always, secure_token="prevented")
    assert tagged.plan(mac(ANA), {"password": False}).notes == ()


def test_a_password_is_compared_where_there_is_one() -> None:
    request = PasswordRequest("itadmin", given=OLD)
    assert request.compares(mac(ADMIN)) == {"password": "itadmin"}
    assert request.compares(mac(replace(ADMIN, has_password=False))) == {}
    assert request.compares(mac(DEPUTY)) == {}


def test_an_account_without_a_token_has_its_password_set_by_root() -> None:
    (change,) = (step for step in PasswordRequest("ana", given=NEW).plan(mac(ADMIN, ANA), {}).steps if step.writes)
    assert isinstance(change, SetPassword)
    assert change.how == "root"


@given(strategies.macs(), st.sampled_from(strategies.NAMES), st.sampled_from(["", "itadmin"]), st.booleans())
def test_no_token_is_lost_by_a_password(of: Mac, name: str, granter: str, old: bool) -> None:
    try:
        plan = PasswordRequest(name, granter, given=OLD if old else NEW).plan(of, {"password": False})
    except Refusal:
        return
    assert {who.name for who in of.holders} <= {who.name for who in plan.after.holders}
    assert t.cast(Account, plan.after.account(name)).has_password


@pytest.mark.parametrize(
    ("rc", "text", "expected"),
    [
        (0, "", True),
        (1, "Passphrase incorrect or user does not exist\n", False),
        (1, "Error: the given passphrase is incorrect (-69557)\n", False),
        (1, "disk3s1s1 is not encrypted\n", None),
        (None, "", None),
    ],
)
def test_what_diskutil_says_of_a_key(rc: int | None, text: str, expected: bool | None) -> None:
    assert diskutil.passphrase_opens(Ran(Command(("diskutil",)), rc, "", text)) is expected


def test_a_passphrase_goes_in_whole_and_never_as_an_argument() -> None:
    command = diskutil.try_passphrase("A" * 36, Secret("pw\u00e9 1"))
    assert command.input() == "pw\u00e9 1".encode()
    assert "pw" not in str(command)


def test_a_password_that_is_set_makes_nobody_able_who_is_disabled() -> None:
    """The grant would be refused by macOS, and a second run could not check the password either."""
    request = AccountRequest(
        "ana", update_password="always", secure_token="present", admin_user="itadmin", given=NEW | {"admin_password"}
    )
    with pytest.raises(Refusal) as caught:
        request.plan(mac(ADMIN, replace(ANA, disabled=True)), {"password": False})
    assert caught.value.reason == "user_disabled"


@pytest.mark.parametrize("account", [replace(ADMIN, platform_sso=True), replace(ANA, platform_sso=True)])
def test_who_sets_a_password_that_may_be_an_identity_providers_is_told_so(account: Account) -> None:
    request = PasswordRequest(account.name, given=OLD)
    (note,) = request.plan(mac(DEPUTY, account), {"password": False}).notes
    assert note.startswith(f"{account.name} is registered with Platform SSO")
    assert request.plan(mac(DEPUTY, account), {"password": True}).notes == ()
    assert request.plan(mac(DEPUTY, replace(account, platform_sso=False)), {"password": False}).notes == ()
