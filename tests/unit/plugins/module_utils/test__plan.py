# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan and its guards: what must hold for every Mac and every request."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ansible_collections.keyholder.macos.plugins.module_utils._account import EVERYWHERE, Account, Sources
from ansible_collections.keyholder.macos.plugins.module_utils._mac import (
    FileVault,
    Mac,
    Missing,
    PasswordPolicy,
    Volume,
)
from ansible_collections.keyholder.macos.plugins.module_utils._macos import Version
from ansible_collections.keyholder.macos.plugins.module_utils._plan.account import AccountRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.plan import Plan, guard, lawful_plan
from ansible_collections.keyholder.macos.plugins.module_utils._plan.token import TokenRequest
from ansible_collections.keyholder.macos.plugins.module_utils._reason import REASONS, Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._recoverable import recoverability
from ansible_collections.keyholder.macos.plugins.module_utils._step.account import (
    CreateAccount,
    CreateHome,
    SetAdmin,
    SetAttribute,
    SetPassword,
)
from ansible_collections.keyholder.macos.plugins.module_utils._step.base import Step
from ansible_collections.keyholder.macos.plugins.module_utils._step.general import Note, Prove, UpdatePreboot
from ansible_collections.keyholder.macos.plugins.module_utils._step.token import (
    BecomeFirstHolder,
    CheckPassword,
    SetSamePassword,
)
from ansible_collections.keyholder.macos.tests.unit.plugins.module_utils import strategies
from ansible_collections.keyholder.macos.tests.unit.plugins.module_utils.strategies import plan_or_refusal

ADMIN = Account("itadmin", "A" * 36, "IT Admin", 501, 20, admin=True, sources=EVERYWHERE, has_password=True)
ANA = Account("ana", "B" * 36, "Ana Sousa", 502, 20, has_password=True)
GRANT = TokenRequest("ana", admin_user="itadmin")


def mac(*accounts: Account, version: str = "15.6", **more: t.Any) -> Mac:
    taken = frozenset(word.lower() for who in accounts for word in (who.name, who.full_name, f"uid:{who.uid}"))
    made_up: dict[str, t.Any] = {
        "volume": Volume("disk3s1s1", True, True),
        "as_root": True,
        "filevault": FileVault("off", personal_key=False),
        "taken": taken,
    }
    return Mac(Version.parse(version), accounts=accounts, **{**made_up, **more})


def reason(request: t.Any, of: Mac) -> str:
    with pytest.raises(Refusal) as caught:
        request.plan(of, {})
    return caught.value.reason


# -- what holds always ------------------------------------------------------------------------------------------------


@given(strategies.macs(), strategies.requests)
def test_no_prefix_of_a_plan_takes_the_last_admin_holder(of: Mac, request: t.Any) -> None:
    plan = plan_or_refusal(request, of)
    assume(isinstance(plan, Plan))
    states = t.cast(Plan, plan).states()
    for was, state in zip(states, states[1:]):
        assert state.granters or not was.granters
        locked = state.filevault.on and not state.holders and not state.filevault.personal_key
        was_locked = was.filevault.on and not was.holders and not was.filevault.personal_key
        assert was_locked or not locked


@given(strategies.macs(), strategies.requests)
def test_the_same_request_plans_nothing_the_second_time(of: Mac, request: t.Any) -> None:
    plan = plan_or_refusal(request, of)
    assume(isinstance(plan, Plan))
    again = plan_or_refusal(request, strategies.settled(t.cast(Plan, plan).after), same=True)
    assert isinstance(again, Plan), again
    assert again.words() == []


@given(strategies.macs(), strategies.requests)
def test_a_cut_plan_is_finished_by_the_next(of: Mac, request: t.Any) -> None:
    """After a cut at any step the same request gets through to the same end (design rule 6)."""
    plan = plan_or_refusal(request, of)
    assume(isinstance(plan, Plan))
    whole = t.cast(Plan, plan)
    # Without a password nothing is made: the run stops before the first write.
    assume(not any(isinstance(step, CreateAccount) for step in whole.steps) or "password" in request.given)
    view = request.view(strategies.settled(whole.after))
    sets = [
        isinstance(step, SetPassword) or (isinstance(step, CreateAccount) and not step.bare) for step in whole.steps
    ]
    for index, state in enumerate(whole.states()):
        cut = strategies.settled(state)
        healed = plan_or_refusal(request, cut, same=any(sets[:index]))
        assert isinstance(healed, Plan), (healed, state)
        assert request.view(strategies.settled(healed.after)) == view


@given(strategies.macs(), strategies.requests)
def test_passwords_are_checked_first_and_once(of: Mac, request: t.Any) -> None:
    plan = plan_or_refusal(request, of)
    assume(isinstance(plan, Plan))
    kinds = [isinstance(step, CheckPassword) for step in t.cast(Plan, plan).steps]
    assert kinds == sorted(kinds, reverse=True)
    checks = [step for step in t.cast(Plan, plan).steps if isinstance(step, CheckPassword)]
    assert len({(step.user, step.secret) for step in checks}) == len(checks)


@given(strategies.macs(), strategies.requests)
def test_a_change_of_tokens_is_noted_before_proven_and_told_to_preboot_after(of: Mac, request: t.Any) -> None:
    plan = plan_or_refusal(request, of)
    assume(isinstance(plan, Plan))
    steps, states = t.cast(Plan, plan).steps, t.cast(Plan, plan).states()
    tokens = [{(who.name, who.sources) for who in state.accounts if who.verdict != "none"} for state in states]
    moved = [index for index in range(len(steps)) if tokens[index] != tokens[index + 1]]
    assume(moved)
    assert steps.index(Note("preboot")) < moved[0]
    # Behind it only a temporary right may be taken back, which the plan has made dispensable.
    assert steps.index(UpdatePreboot()) > moved[-1]
    proofs = [index for index, step in enumerate(steps) if isinstance(step, Prove)]
    assert proofs
    assert proofs[-1] > moved[-1]


@given(strategies.macs(), st.sampled_from(strategies.NAMES))
def test_an_option_left_out_touches_nothing(of: Mac, name: str) -> None:
    """Design rule 1: with nothing but a name, an existing account keeps everything, its token first of all."""
    account = of.account(name)
    assume(account is not None and account.has_password and not of.pending)
    plan = plan_or_refusal(AccountRequest(name), of)
    if isinstance(plan, Refusal):
        assert strategies.misses_something(of)
    else:
        assert plan.steps == ()


def test_the_first_holder_that_a_plan_makes_is_not_taken_back_by_it() -> None:
    """A run cut off between the two would leave an admin holder, and the next would be refused (rule 3)."""
    admin = replace(ADMIN, sources=Sources(False, False, False))
    always = AccountRequest("itadmin", admin=False, update_password="always", given=frozenset({"password"}))
    assert isinstance(plan_or_refusal(replace(always, admin=None), mac(admin)), Plan)
    refused = plan_or_refusal(always, mac(admin))
    assert isinstance(refused, Refusal) and refused.reason == "last_admin_holder"


@given(strategies.macs(), strategies.account_requests)
def test_only_absent_or_nothing_takes_a_token(of: Mac, request: AccountRequest) -> None:
    plan = plan_or_refusal(request, of)
    assume(isinstance(plan, Plan) and request.state == "present")
    after = {who.name for who in t.cast(Plan, plan).after.holders}
    assert {who.name for who in of.holders} <= after


@given(strategies.macs(), strategies.requests)
def test_every_refusal_has_a_known_reason_and_a_remedy(of: Mac, request: t.Any) -> None:
    refusal = plan_or_refusal(request, of)
    assume(isinstance(refusal, Refusal))
    assert t.cast(Refusal, refusal).reason in REASONS
    assert t.cast(Refusal, refusal).remedy
    assert t.cast(Refusal, refusal).msg


# -- the guard --------------------------------------------------------------------------------------------------------


def test_guard_keeps_the_last_admin_holder() -> None:
    with pytest.raises(Refusal) as caught:
        guard(mac(ADMIN, ANA), mac(ANA))
    assert caught.value.reason == "last_admin_holder"
    assert "itadmin" in caught.value.msg


def test_guard_keeps_a_way_into_filevault() -> None:
    holder = replace(ANA, sources=EVERYWHERE)
    on = FileVault("on", personal_key=False)
    with pytest.raises(Refusal) as caught:
        guard(mac(holder, filevault=on), mac(filevault=on))
    assert caught.value.reason == "would_lock_out"
    bob = replace(holder, name="bob", guid="C" * 36)
    guard(mac(holder, bob, filevault=on), mac(bob, filevault=on))


def test_guard_looks_at_every_state_on_the_way() -> None:
    other = replace(ADMIN, name="other", guid="C" * 36)
    back_again = [SetAdmin("itadmin", False), SetAdmin("itadmin", True)]
    with pytest.raises(Refusal):
        lawful_plan(mac(ADMIN, ANA), back_again)
    assert lawful_plan(mac(ADMIN, other), back_again).steps


# -- secure_token -----------------------------------------------------------------------------------------------------


def test_grant_in_words() -> None:
    assert GRANT.plan(mac(ADMIN, ANA), {}).words() == [
        "check the password of itadmin",
        "check the password of ana",
        "note on the Mac that its preboot volume must be updated",
        "grant ana a Secure Token, authorised by itadmin",
        "read the Mac again and compare what its sources say of ana",
        "update the preboot volume, so that the FileVault window shows the right users",
    ]


PHANTOM = Sources(True, False, True)


@pytest.mark.parametrize(
    ("request_", "accounts", "expected"),
    [
        (GRANT, (ADMIN,), "user_unknown"),
        (GRANT, (ANA, replace(ADMIN, sources=Sources(False, False, False))), "no_holder"),
        (GRANT, (ANA, replace(ADMIN, name="other")), "granter_unknown"),
        (GRANT, (ANA, replace(ADMIN, admin=False)), "granter_not_admin"),
        (GRANT, (ANA, replace(ADMIN, sources=PHANTOM), replace(ADMIN, name="x")), "granter_phantom"),
        (
            GRANT,
            (ANA, replace(ADMIN, sources=Sources(False, False, False)), replace(ADMIN, name="x")),
            "granter_no_token",
        ),
        (TokenRequest("ana"), (ADMIN, ANA), "granter_missing"),
        (GRANT, (ADMIN, replace(ANA, sources=PHANTOM)), "phantom"),
        (TokenRequest("-ana"), (ADMIN,), "name_unusable"),
        (TokenRequest("a/b"), (ADMIN,), "name_unusable"),
        (TokenRequest("itadmin", "absent", "itadmin"), (ADMIN, ANA), "last_admin_holder"),
        (TokenRequest("itadmin", "absent", "itadmin"), (ADMIN, replace(ADMIN, name="x")), "granter_is_user"),
    ],
)
def test_token_refusals(request_: TokenRequest, accounts: tuple[Account, ...], expected: str) -> None:
    assert reason(request_, mac(*accounts)) == expected


def test_a_refused_granter_names_those_who_could() -> None:
    with pytest.raises(Refusal, match="granters on this Mac: itadmin"):
        TokenRequest("ana", admin_user="bob").plan(mac(ADMIN, ANA), {})


@pytest.mark.parametrize(
    ("version", "account", "others", "how"),
    [
        ("10.13.6", ANA, (), BecomeFirstHolder("ana")),
        ("10.13.6", ANA, (replace(ANA, name="bob", uid=503),), "not_first"),
        ("10.15.7", ANA, (), "not_first"),
        ("10.15.7", replace(ANA, admin=True), (), BecomeFirstHolder("ana")),
        ("11.0", ANA, (replace(ANA, name="bob", uid=503),), SetSamePassword("ana")),
        ("15.6", replace(ANA, disabled_tag=True), (), "not_first"),
    ],
)
def test_first_holder_by_the_rule_of_the_version(
    version: str, account: Account, others: tuple[Account, ...], how: Step | str
) -> None:
    of = mac(account, *others, version=version)
    assert reason(TokenRequest("ana"), of) == "no_holder"
    plan = plan_or_refusal(TokenRequest("ana", first_token=True), of)
    if how == "not_first":
        assert isinstance(plan, Refusal)
        assert plan.reason == "not_first"
    else:
        assert isinstance(plan, Plan)
        assert how in plan.steps


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"version": "10.12.6"}, "macos_too_old"),
        ({"as_root": False}, "not_root"),
        ({"volume": Volume("disk1s1", False, False)}, "not_apfs"),
        ({"volume": Volume(), "missing": (Missing("crypto users", "diskutil: no answer"),)}, "reading_incomplete"),
    ],
)
def test_a_reading_that_carries_no_decision(changed: dict[str, t.Any], expected: str) -> None:
    assert reason(GRANT, mac(ADMIN, ANA, **changed)) == expected


def test_where_nobody_can_grant_the_refusal_names_who_holds_a_token() -> None:
    without = replace(ADMIN, sources=Sources(False, False, False))
    with pytest.raises(Refusal) as refused:
        GRANT.plan(mac(without, ANA, replace(ANA, name="salma", sources=EVERYWHERE)), {})
    assert (
        "no administrator who can log in on this Mac holds a token, only salma. There are two ways:"
        in refused.value.msg
    )


# -- account ----------------------------------------------------------------------------------------------------------


def test_a_wrong_granter_creates_nothing() -> None:
    request = AccountRequest("bob", secure_token="present", admin_user="ana", given=frozenset({"password"}))
    assert reason(request, mac(ADMIN, ANA)) == "granter_no_token"


def test_the_granter_is_checked_before_the_account_is_created() -> None:
    request = AccountRequest("bob", secure_token="present", admin_user="itadmin")
    steps = request.plan(mac(ADMIN, ANA), {}).steps
    assert isinstance(steps[0], CheckPassword)
    assert [type(step).__name__ for step in steps[1:]] == [
        "Note",
        "CreateAccount",
        "Prove",
        "Forget",
        "Note",
        "Grant",
        "Prove",
        "UpdatePreboot",
    ]


@pytest.mark.parametrize("version", ["11.7", "15.6", "26.1"])
def test_the_tag_stands_before_the_first_password(version: str) -> None:
    steps = AccountRequest("svc", admin=True, secure_token="prevented").plan(mac(version=version), {}).steps
    kinds = [type(step).__name__ for step in steps]
    assert kinds.index("PreventToken") < kinds.index("SetPassword") < kinds.index("SetAdmin")
    assert not steps[-1].after(Plan(mac(version=version), steps).after).holders


def test_a_tag_is_taken_off_again_and_nothing_else_is_touched() -> None:
    tagged = mac(replace(ANA, disabled_tag=True))
    plan = AccountRequest("ana", secure_token="allowed").plan(tagged, {})
    assert [type(step).__name__ for step in plan.steps] == ["AllowToken", "Prove"]
    assert AccountRequest("ana", secure_token="allowed").plan(plan.after, {}).steps == ()
    assert SetSamePassword("ana") in TokenRequest("ana", first_token=True).plan(plan.after, {}).steps


@pytest.mark.parametrize(
    ("version", "accounts", "way"),
    [
        (
            "10.13.6",
            (ANA, replace(ANA, name="bob", uid=503)),
            "the only account from UID 500 up; today there are also bob",
        ),
        (
            "10.15.7",
            (ANA, replace(ADMIN, sources=Sources(False, False, False))),
            "log in at the Mac's screen as itadmin",
        ),
        ("10.15.7", (ANA,), "make ana an administrator first"),
        ("15.6", (replace(ANA, disabled_tag=True),), "secure_token allowed"),
    ],
)
def test_where_it_cannot_be_done_from_afar_the_refusal_says_what_a_person_has_to_do(
    version: str, accounts: tuple[Account, ...], way: str
) -> None:
    for first_token in (True, False):
        with pytest.raises(Refusal) as refused:
            TokenRequest("ana", first_token=first_token).plan(mac(*accounts, version=version), {})
        assert way in refused.value.msg


def test_prevention_before_big_sur() -> None:
    assert reason(AccountRequest("svc", secure_token="prevented"), mac(version="10.15.7")) == "prevention_unsupported"
    assert AccountRequest("svc", secure_token="prevented").plan(mac(ADMIN, version="10.15.7"), {}).steps


def test_a_prediction_says_null_for_what_macos_assigns() -> None:
    request = AccountRequest("bob", shell="/bin/sh")
    foreseen = request.view(request.plan(mac(ADMIN), {}).after)
    assert [foreseen[key] for key in ("uid", "gid", "home", "picture", "shell")] == [None, None, None, None, "/bin/sh"]
    assert AccountRequest("ana").view(mac(ANA))["home"] == ""


def test_a_note_when_macos_hands_out_the_first_token() -> None:
    plan = AccountRequest("bob").plan(mac(), {})
    assert [who.name for who in plan.after.holders] == ["bob"]
    assert "bob gets the first Secure Token" in plan.notes[0]
    assert plan.steps[-1] == UpdatePreboot()


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (AccountRequest("bob", uid=501), "uid_taken"),
        (AccountRequest("ana", uid=600), "uid_differs"),
        (AccountRequest("bob", full_name="ana sousa"), "full_name_taken"),
        (AccountRequest("bob", full_name="itadmin"), "full_name_taken"),
        (AccountRequest("bob", full_name="x\ny"), "value_unusable"),
        (AccountRequest("bob", full_name=""), "value_unusable"),
        (AccountRequest("bo:b"), "name_unusable"),
        (AccountRequest("b" * 245), "name_unusable"),
        (AccountRequest("root", state="absent"), "system_account"),
        (AccountRequest("itadmin", state="absent"), "last_admin_holder"),
        (AccountRequest("itadmin", admin=False), "last_admin_holder"),
        (AccountRequest("itadmin", secure_token="prevented"), "holds_token"),
    ],
)
def test_account_refusals(request_: AccountRequest, expected: str) -> None:
    root = Account("root", "F" * 36, "System Administrator", 0, 0, admin=True)
    assert reason(request_, mac(root, ADMIN, ANA)) == expected


JOINED = ["\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\U0001f469\u200d\U0001f4bb"]


@pytest.mark.parametrize("full_name", JOINED)
def test_names_that_are_written_with_joiners(full_name: str) -> None:
    made_ = AccountRequest("bob", full_name=full_name).plan(mac(ADMIN), {}).after.account("bob")
    assert made_ is not None
    assert made_.full_name == full_name


def test_an_account_of_macos_is_there_although_the_reading_leaves_it_out() -> None:
    of = replace(mac(ADMIN), names=frozenset({"root", "_mbsetupuser"}))
    assert reason(AccountRequest("root", state="absent"), of) == "system_account"
    assert reason(AccountRequest("_mbsetupuser", state="absent"), of) == "system_account"
    assert AccountRequest("_gone", state="absent").plan(of, {}).steps == ()


@pytest.mark.parametrize(
    ("given_", "admin_user", "how"),
    [
        ({"password", "old_password"}, "", "old"),
        ({"password", "admin_password"}, "itadmin", "granter"),
        ({"password"}, "", "option_missing"),
    ],
)
def test_a_holders_password_is_changed_so_that_the_token_survives(given_: set[str], admin_user: str, how: str) -> None:
    of = mac(ADMIN, replace(ANA, sources=EVERYWHERE))
    request = AccountRequest("ana", update_password="always", admin_user=admin_user, given=frozenset(given_))
    assert request.compares(of) == {"password": "ana"}
    assert request.plan(of, {"password": True}).steps == ()
    plan = plan_or_refusal(request, of, same=False)
    if how == "option_missing":
        assert isinstance(plan, Refusal)
        assert plan.reason == "option_missing"
    else:
        assert isinstance(plan, Plan)
        assert any(isinstance(step, SetPassword) and step.how == how for step in plan.steps)
        assert plan.after.account("ana") == of.account("ana")


def test_a_half_made_account_is_finished() -> None:
    half = replace(ANA, has_password=False, uid=None)
    plan = AccountRequest("ana", uid=777, given=frozenset({"password"})).plan(mac(ADMIN, half), {})
    assert SetPassword("ana", "root") in plan.steps
    assert SetAttribute("ana", "uid", 777) in plan.steps
    assert CreateHome("ana") in plan.steps


def test_an_account_without_a_password_is_only_finished_where_that_was_asked() -> None:
    half = replace(ANA, has_password=False)
    assert AccountRequest("ana", shell="/bin/sh").plan(mac(ADMIN, half), {}).steps[0] == SetAttribute(
        "ana", "shell", "/bin/sh"
    )
    directory = replace(half, kind="network")
    assert AccountRequest("ana", given=frozenset({"password"})).plan(mac(ADMIN, directory), {}).steps == ()


@pytest.mark.parametrize(("pending", "number"), [(frozenset({"creating ana"}), 777), (frozenset(), None)])
def test_only_an_account_in_the_making_gets_another_number(pending: frozenset[str], number: int | None) -> None:
    of = mac(ADMIN, ANA, pending=pending)
    request = AccountRequest("ana", uid=777, given=frozenset({"password"}))
    plan = plan_or_refusal(request, of, same=True)
    by_another = plan_or_refusal(request, of, same=False)
    assert isinstance(by_another, Refusal)
    assert by_another.reason == "uid_differs"
    if number is None:
        assert isinstance(plan, Refusal)
        assert plan.reason == "uid_differs"
    else:
        assert isinstance(plan, Plan)
        assert CreateHome("ana") in plan.steps
        assert plan.after.pending == frozenset()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("shell", "zsh"),
        ("home", "Users/ana"),
        ("picture", "-x"),
        ("hint", "a\n"),
    ],
)
def test_a_value_that_a_tool_could_take_for_something_else(key: str, value: str) -> None:
    assert reason(AccountRequest("bob", **{key: value}), mac(ADMIN)) == "value_unusable"  # type: ignore[arg-type]


def test_no_value_reaches_sysadminctl_that_it_could_take_for_an_option() -> None:
    plan = AccountRequest("bob", full_name="-admin", hint="- 1 -").plan(mac(ADMIN), {})
    (create,) = (step for step in plan.steps if isinstance(step, CreateAccount))
    assert (create.account.full_name, create.account.hint) == ("bob", "")
    after = plan.after.account("bob")
    assert after is not None
    assert (after.full_name, after.hint) == ("-admin", "- 1 -")


# -- who can log in ---------------------------------------------------------------------------------------------------

BARRED = {"disabled": True}
NO_PASSWORD = {"has_password": False}
LOCKED = {"failed_logins": 5}
LIMIT = PasswordPolicy(("limit",), 5)


@pytest.mark.parametrize("how", [BARRED, NO_PASSWORD, LOCKED])
@pytest.mark.parametrize(("who", "expected"), [("itadmin", "granter_disabled"), ("ana", "user_disabled")])
def test_who_cannot_log_in_is_refused_before_a_password_is_tried(
    how: dict[str, t.Any], who: str, expected: str
) -> None:
    people = [replace(one, **how) if one.name == who else one for one in (ADMIN, ANA)]
    assert reason(GRANT, mac(*people, policy=LIMIT)) == expected


def test_a_lock_that_expires_may_have_expired() -> None:
    of = mac(replace(ADMIN, failed_logins=9), ANA, policy=PasswordPolicy(("limit",), 5, True))
    assert isinstance(plan_or_refusal(GRANT, of), Plan)
    assert isinstance(plan_or_refusal(GRANT, mac(replace(ADMIN, failed_logins=4), ANA, policy=LIMIT)), Plan)


@pytest.mark.parametrize("how", [BARRED, NO_PASSWORD])
def test_an_administrator_who_cannot_log_in_does_not_stand_in_for_the_last_one(how: dict[str, t.Any]) -> None:
    other = replace(ADMIN, name="old", uid=510, guid="O" * 36, **how)
    of = mac(ADMIN, other, ANA)
    assert of.admin_holders == (ADMIN, other)
    assert of.granters == (ADMIN,)
    assert reason(AccountRequest("itadmin", state="absent"), of) == "last_admin_holder"
    assert reason(AccountRequest("itadmin", admin=False), of) == "last_admin_holder"
    assert isinstance(plan_or_refusal(AccountRequest("old", state="absent"), of), Plan)
    alone = mac(other, ANA, replace(ANA, name="bob", uid=511, guid="X" * 36, admin=True))
    assert recoverability(alone).verdict == "at_risk"
    assert "old cannot log in" in recoverability(alone).why
    assert reason(AccountRequest("old", state="absent"), alone) in ("last_admin_holder", "last_holder")
    assert reason(AccountRequest("old", admin=False), alone) == "last_admin_holder"


# -- what sysadminctl may not have done -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "request_",
    [
        AccountRequest("bob", uid=612, hidden=True),
        AccountRequest("bob", admin=True, secure_token="prevented"),
        AccountRequest("ana", admin=True, update_password="always", given=frozenset({"password"})),
        AccountRequest("bob", secure_token="present", admin_user="itadmin"),
    ],
)
def test_nothing_builds_on_what_sysadminctl_only_says(request_: AccountRequest) -> None:
    steps = request_.plan(mac(ADMIN, ANA), {"password": False}).steps
    doubtful = [
        index
        for index, step in enumerate(steps)
        if isinstance(step, SetPassword) or (isinstance(step, CreateAccount) and not step.bare)
    ]
    assert doubtful
    assert all(isinstance(steps[index + 1], Prove) for index in doubtful)


def test_the_first_account_of_an_old_mac_may_be_its_first_holder() -> None:
    request = AccountRequest("ana", secure_token="present", first_token=True, given=frozenset({"password"}))
    plan = plan_or_refusal(request, mac(version="10.13.6"))
    assert isinstance(plan, Plan)
    assert BecomeFirstHolder("ana") in plan.steps
