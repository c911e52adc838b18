# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A token that comes at the first graphical login: said so, and taken for an answer only where that was asked for."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest
from hypothesis import given

from ansible_collections.keyholder.macos.plugins.module_utils._account import EVERYWHERE, PENDING, Account
from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac, Management, PasswordPolicy, Volume
from ansible_collections.keyholder.macos.plugins.module_utils._macos import Version
from ansible_collections.keyholder.macos.plugins.module_utils._plan.account import AccountRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.plan import Plan
from ansible_collections.keyholder.macos.plugins.module_utils._plan.token import TokenRequest
from ansible_collections.keyholder.macos.plugins.module_utils._reading.summary import AT_LOGIN, summary
from ansible_collections.keyholder.macos.plugins.module_utils._reading.view import view
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._step.token import CheckPassword, Grant
from ansible_collections.keyholder.macos.plugins.module_utils._unfinished import repairing
from ansible_collections.keyholder.macos.tests.unit.plugins.module_utils import strategies

HOLDER = Account("itadmin", "A" * 36, "IT Admin", 501, 20, admin=True, sources=EVERYWHERE)
ANA = Account("ana", "B" * 36, "Ana Sousa", 502, 20)


def mac(*accounts: Account, version: str = "15.6", bootstrap: str = "valid", **more: t.Any) -> Mac:
    made_up: dict[str, t.Any] = {"volume": Volume("disk3s1s1", True, True), "as_root": True}
    return Mac(
        Version.parse(version),
        accounts=accounts or (HOLDER, ANA),
        management=Management(bootstrap=bootstrap),
        **{**made_up, **more},
    )


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        (mac(), "pending"),
        (mac(bootstrap="escrowed_unproven"), "pending"),
        (mac(version="11.0"), "pending"),
        (mac(HOLDER, replace(ANA, disabled_tag=True)), "pending"),
        (mac(version="10.15.7"), "none"),
        (mac(bootstrap="not_escrowed"), "none"),
        (mac(bootstrap="unknown"), "none"),
        (mac(HOLDER, replace(ANA, has_password=False)), "none"),
        (mac(HOLDER, replace(ANA, disabled=True)), "none"),
        (mac(HOLDER, replace(ANA, failed_logins=5), policy=PasswordPolicy(max_failed_logins=5)), "none"),
        (replace(mac(), management=Management(bootstrap="escrowed_unproven", preflight=False)), "none"),
        (mac(HOLDER, replace(ANA, sources=EVERYWHERE)), "holder"),
    ],
)
def test_who_gets_a_token_at_login(of: Mac, expected: str) -> None:
    ana = t.cast(Account, of.account("ana"))
    assert of.verdict_of(ana) == expected
    assert view(of)["accounts"][1]["secure_token"] == expected
    assert any(AT_LOGIN in line for line in summary(of)) == (expected == PENDING)


def test_accepted_it_needs_nobody() -> None:
    assert TokenRequest("ana", accept_pending=True).plan(mac(), {}).steps == ()
    request = AccountRequest("ana", secure_token="present", accept_pending=True)
    assert request.plan(mac(), {}).steps == ()
    assert request.view(mac())["secure_token"] == "pending"


def test_a_new_account_waits_for_its_login_without_a_granter() -> None:
    request = AccountRequest("bob", secure_token="present", accept_pending=True, given=frozenset({"password"}))
    plan = request.plan(mac(), {})
    assert not any(isinstance(step, (Grant, CheckPassword)) for step in plan.steps)
    assert request.view(plan.after)["secure_token"] == "pending"


@pytest.mark.parametrize("request_", [TokenRequest("ana"), AccountRequest("ana", secure_token="present")])
def test_otherwise_a_granter_is_needed_and_the_refusal_names_the_option(request_: t.Any) -> None:
    with pytest.raises(Refusal, match="accept_pending") as caught:
        request_.plan(mac(), {})
    assert caught.value.reason == "granter_missing"


def test_without_an_escrowed_token_it_is_granted_all_the_same() -> None:
    plan = TokenRequest("ana", admin_user="itadmin", accept_pending=True).plan(mac(bootstrap="not_escrowed"), {})
    assert Grant("ana", "itadmin") in plan.steps


@given(strategies.macs(), strategies.requests)
def test_what_waits_for_a_login_is_never_called_a_holder(of: Mac, request: t.Any) -> None:
    try:
        plan = t.cast(Plan, request.plan(of, {}))
    except Refusal:
        return
    for account in plan.after.accounts:
        if plan.after.verdict_of(account) == PENDING:
            assert not account.holder
            assert account not in plan.after.granters


def test_a_tag_does_not_keep_the_bootstrap_token_away() -> None:
    svc = AccountRequest("svc", secure_token="prevented", given=frozenset({"password"}))
    (note,) = svc.plan(mac(), {}).notes
    assert "the escrowed Bootstrap Token still grants a token" in note
    (again,) = svc.plan(mac(HOLDER, replace(ANA, name="svc", disabled_tag=True)), {}).notes
    assert again == note
    assert svc.plan(mac(bootstrap="not_escrowed"), {}).notes == ()


@pytest.mark.parametrize(("version", "rule"), [("10.15.7", "authenticates"), ("14.5", "password is set")])
def test_whoever_becomes_the_first_is_told_by_which_rule(version: str, rule: str) -> None:
    of = mac(replace(ANA, admin=True), version=version, bootstrap="not_escrowed")
    (note,) = TokenRequest("ana", first_token=True).plan(of, {}).notes
    assert rule in note


def test_a_mobile_account_is_never_the_first() -> None:
    of = mac(replace(ANA, kind="mobile"), bootstrap="not_escrowed")
    with pytest.raises(Refusal, match="choose a local one"):
        TokenRequest("ana", first_token=True).plan(of, {})


def test_who_loses_a_token_on_purpose_is_not_given_it_back_by_a_repair() -> None:
    noted = frozenset({repairing("ana")})
    for ana in (replace(ANA, sources=EVERYWHERE), ANA):
        plan = TokenRequest("ana", "absent", "itadmin").plan(mac(HOLDER, ana, pending=noted), {})
        assert noted.isdisjoint(plan.after.pending)
