# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans at their borders: the number, the state or the field beside the one that decides."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils._model import (
    EVERYWHERE,
    NOWHERE,
    Account,
    FileVault,
    Mac,
    Version,
    Volume,
)
from ansible_collections.keyholder.macos.plugins.module_utils._plan import steps as do
from ansible_collections.keyholder.macos.plugins.module_utils._plan.account import AccountRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.plan import Plan, guard
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal

ADMIN = Account("itadmin", "A" * 36, "IT Admin", 501, 20, admin=True, sources=EVERYWHERE)
ANA = Account("ana", "B" * 36, "Ana Sousa", 502, 20)


def mac(*accounts: Account, **more: t.Any) -> Mac:
    words = frozenset(word.lower() for who in accounts for word in (who.name, who.full_name, f"uid:{who.uid}"))
    made_up: dict[str, t.Any] = {
        "volume": Volume("disk3s1s1", True, True),
        "as_root": True,
        "filevault": FileVault("off", personal_key=False),
        "taken": words,
        "names": frozenset(who.name for who in accounts),
    }
    return Mac(Version(15, 6), accounts=accounts, **{**made_up, **more})


def refusal(request: t.Any, of: Mac) -> str:
    """The reason; "" where there is a plan."""
    try:
        request.plan(of, {})
    except Refusal as refused:
        return refused.reason
    return ""


# -- accounts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"admin": False}, "value_unusable"),
        ({"gid": 20}, "value_unusable"),
        ({"admin": True}, ""),
        ({"hint": "x"}, ""),
    ],
)
def test_a_primary_group_80_is_not_taken_away_by_a_membership(wanted: dict[str, t.Any], expected: str) -> None:
    boss = replace(ANA, gid=80, admin=True)
    assert refusal(AccountRequest("ana", **wanted), mac(ADMIN, boss)) == expected


@pytest.mark.parametrize(("uid", "expected"), [(0, "system_account"), (199, "system_account"), (200, ""), (None, "")])
def test_numbers_below_200_are_macos_own(uid: int | None, expected: str) -> None:
    assert refusal(AccountRequest("svc", state="absent"), mac(ADMIN, replace(ANA, name="svc", uid=uid))) == expected


def test_an_account_may_have_its_own_name_as_full_name() -> None:
    (step, _) = AccountRequest("ana", full_name="ana").plan(mac(ADMIN, ANA), {}).steps
    assert step == do.SetAttribute("ana", "full_name", "ana")
    assert refusal(AccountRequest("ana", full_name="itadmin"), mac(ADMIN, ANA)) == "full_name_taken"


@pytest.mark.parametrize(("taken", "expected"), [((), 501), ((501,), 502), ((500, 502), 501), ((501, 502, 503), 504)])
def test_the_first_free_number_is_that_of_macos(taken: tuple[int, ...], expected: int) -> None:
    of = mac(replace(ADMIN, uid=400), taken=frozenset(f"uid:{uid}" for uid in taken))
    plan = AccountRequest("svc", secure_token="prevented", given=frozenset({"password"})).plan(of, {})
    (made,) = [step.account for step in plan.steps if isinstance(step, do.CreateAccount)]
    assert made.uid == expected


# -- the guard --------------------------------------------------------------------------------------------------------

STATES = {
    "on": True,
    "encrypting": True,
    "restart_to_enable": True,
    "restart_to_finish": True,
    "decrypting": True,
    "restart_to_disable": True,
    "off": False,
}


@pytest.mark.parametrize("state", STATES)
def test_the_last_way_in_stays_while_anything_is_still_encrypted(state: str) -> None:
    before = mac(replace(ADMIN, admin=False), filevault=FileVault(state, personal_key=False))
    after = before.with_account(replace(ADMIN, admin=False, sources=NOWHERE))
    if STATES[state]:
        with pytest.raises(Refusal) as caught:
            guard(before, after)
        assert caught.value.reason == "would_lock_out"
    else:
        guard(before, after)


# -- a plan's own form ------------------------------------------------------------------------------------------------


def test_a_plan_of_looks_alone_changes_nothing() -> None:
    looks = Plan(mac(ADMIN), (do.CheckPassword("itadmin", "password", "user"), do.Prove(("itadmin",))))
    assert not looks.changes
    assert Plan(mac(ADMIN), (*looks.steps, do.PreventToken("itadmin"))).changes
