# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans at their borders: the number, the state or the field beside the one that decides."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils._account import EVERYWHERE, NOWHERE, Account, Sources
from ansible_collections.keyholder.macos.plugins.module_utils._mac import FileVault, Mac, Management, Volume
from ansible_collections.keyholder.macos.plugins.module_utils._macos import Version
from ansible_collections.keyholder.macos.plugins.module_utils._plan.account import AccountRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.plan import Plan, guard, lawful
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._recoverable import recoverability
from ansible_collections.keyholder.macos.plugins.module_utils._step.account import (
    CreateAccount,
    SetAttribute,
    SetPassword,
)
from ansible_collections.keyholder.macos.plugins.module_utils._step.base import Look
from ansible_collections.keyholder.macos.plugins.module_utils._step.general import Prove
from ansible_collections.keyholder.macos.plugins.module_utils._step.token import CheckPassword, PreventToken

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
    step, *_proof = AccountRequest("ana", full_name="ana").plan(mac(ADMIN, ANA), {}).steps
    assert step == SetAttribute("ana", "full_name", "ana")
    assert refusal(AccountRequest("ana", full_name="itadmin"), mac(ADMIN, ANA)) == "full_name_taken"


@pytest.mark.parametrize(("taken", "expected"), [((), 501), ((501,), 502), ((500, 502), 501), ((501, 502, 503), 504)])
def test_the_first_free_number_is_that_of_macos(taken: tuple[int, ...], expected: int) -> None:
    of = mac(replace(ADMIN, uid=400), taken=frozenset(f"uid:{uid}" for uid in taken))
    plan = AccountRequest("svc", secure_token="prevented", given=frozenset({"password"})).plan(of, {})
    (made,) = [step.account for step in plan.steps if isinstance(step, CreateAccount)]
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
    looks = Plan(mac(ADMIN), (CheckPassword("itadmin", "password", "user"), Prove(("itadmin",))))
    assert not looks.changes
    assert Plan(mac(ADMIN), (*looks.steps, PreventToken("itadmin"))).changes


# -- what the guard holds against a step ------------------------------------------------------------------------------

SPARE = replace(ADMIN, name="spare", guid="C" * 36, uid=503)
GHOST = Sources(False, True, True)


@pytest.mark.parametrize(
    ("was", "now", "expected"),
    [
        (ANA, None, "own_account"),
        (replace(ANA, admin=True), ANA, "own_account"),
        (replace(ANA, sources=EVERYWHERE), ANA, "own_account"),
        (replace(ANA, sources=GHOST), replace(ANA, sources=Sources(False, True, False)), "own_account"),
        (replace(ANA, sources=Sources(True, True, False)), replace(ANA, sources=Sources(True, False, False)), ""),
        (ANA, replace(ANA, shell="/bin/sh"), "own_account"),
        (ANA, replace(ANA, home="/elsewhere"), "own_account"),
        (ANA, replace(ANA, hint="x"), ""),
        (ANA, replace(ANA, admin=True, sources=EVERYWHERE), ""),
    ],
)
def test_what_the_account_that_the_run_came_in_by_must_not_lose(
    was: Account, now: Account | None, expected: str
) -> None:
    before = mac(ADMIN, SPARE, was)

    class Loses(Look):
        words = "lose something"

        def after(self, mac: Mac) -> Mac:
            return mac.without_account("ana") if now is None else mac.with_account(now)

    for own, reason in ((frozenset({"ana"}), expected), (frozenset[str](), "")):
        try:
            lawful(Plan(replace(before, own=own), (Loses(),)))
        except Refusal as refused:
            assert refused.reason == reason
        else:
            assert reason == ""


@pytest.mark.parametrize("name", ["ana", "spare"])
def test_only_a_new_password_of_the_own_account_is_one_too_many(name: str) -> None:
    plan = Plan(replace(mac(ADMIN, SPARE, ANA), own=frozenset({"ana"})), (SetPassword(name, "root"),))
    if name == "ana":
        with pytest.raises(Refusal, match="get another password"):
            lawful(plan)
    else:
        lawful(plan)


# -- the verdict ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("filevault", "verdict", "why"),
    [
        (FileVault("on", personal_key=False), "no", "no recovery key opens the volume"),
        (FileVault("decrypting", personal_key=False), "at_risk", "being switched off"),
        (FileVault("restart_to_disable", personal_key=False), "at_risk", "being switched off"),
        (FileVault("unknown", personal_key=False), "unknown", "FileVault's status could not be read"),
        (FileVault("on", personal_key=None), "unknown", "the recovery keys could not be read"),
        (FileVault("on", personal_key=True), "at_risk", "the personal recovery key is the only way in"),
        (FileVault("on", personal_key=True, icloud_key=True), "at_risk", "are the only ways in"),
        (FileVault("off", personal_key=False), "at_risk", "the first account whose password is set"),
    ],
)
def test_a_mac_without_a_holder(filevault: FileVault, verdict: str, why: str) -> None:
    said = recoverability(mac(ANA, filevault=filevault))
    assert said.verdict == verdict
    assert why in said.why


BOSS = replace(ADMIN, name="boss", guid="D" * 36, uid=504, sources=NOWHERE)
ESCROWED = Management(bootstrap="valid", bootstrap_crypto_user=True)
USER = replace(ANA, sources=EVERYWHERE)
SHUT_OUT = replace(USER, name="luc", guid="E" * 36, uid=505, disabled=True)
STUCK = "nothing opens the volume after a restart"


@pytest.mark.parametrize(
    ("people", "filevault", "verdict", "stuck"),
    [
        ((BOSS, USER, SHUT_OUT), FileVault("on", personal_key=False), "pending", False),
        ((BOSS, SHUT_OUT), FileVault("on", personal_key=False), "at_risk", True),
        ((BOSS, SHUT_OUT), FileVault("on", personal_key=True), "at_risk", False),
        ((BOSS, SHUT_OUT), FileVault("off", personal_key=False), "pending", False),
        ((USER,), FileVault("on", personal_key=False), "at_risk", False),
    ],
)
def test_a_mac_whose_holders_cannot_grant(
    people: tuple[Account, ...], filevault: FileVault, verdict: str, stuck: bool
) -> None:
    said = recoverability(mac(*people, filevault=filevault, management=ESCROWED))
    assert (said.verdict, STUCK in said.why) == (verdict, stuck)
    assert ("the escrowed Bootstrap Token grants boss one" in said.why) is (BOSS in people)
    if people == (USER,):
        assert said.why == "no administrator holds a token, only ana"


@pytest.mark.parametrize(
    ("others", "told"), [((), False), ((USER,), True), ((USER, replace(SHUT_OUT, disabled=False)), False)]
)
def test_only_who_becomes_the_last_by_it_is_told_of(others: tuple[Account, ...], told: bool) -> None:
    """Whose key was the only one before is no news of this step."""
    gone = USER if others else ANA
    people = others if others else (ANA,)
    of = mac(ADMIN, *people, filevault=FileVault("on", personal_key=True))
    notes = AccountRequest(gone.name, state="absent").plan(of, {}).notes
    assert any("itadmin is then the last account that can unlock this Mac" in note for note in notes) is told
