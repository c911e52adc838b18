# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a refusal says, where a condition chooses between two things to say, and the borders of what may be planned."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils._account import EVERYWHERE, NOWHERE, Account, Sources
from ansible_collections.keyholder.macos.plugins.module_utils._mac import FileVault, Mac, PasswordPolicy, Volume
from ansible_collections.keyholder.macos.plugins.module_utils._macos import Version
from ansible_collections.keyholder.macos.plugins.module_utils._plan.plan import (
    Plan,
    absent_or_refuse,
    candidates,
    guard,
    lawful,
    lawful_plan,
    may_authenticate,
    writable,
)
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._step.account import (
    CreateAccount,
    SetAdmin,
    SetAttribute,
    SetPassword,
    new_account,
)
from ansible_collections.keyholder.macos.plugins.module_utils._step.base import Step
from ansible_collections.keyholder.macos.plugins.module_utils._step.general import Note, Prove, UpdatePreboot
from ansible_collections.keyholder.macos.plugins.module_utils._step.token import CheckPassword, Grant, Revoke

ADMIN = Account("itadmin", "A" * 36, "IT Admin", 501, 20, admin=True, sources=EVERYWHERE, failed_logins=0)
ANA = Account("ana", "B" * 36, "Ana Sousa", 502, 20, sources=EVERYWHERE, failed_logins=0)
RUI = replace(ANA, name="rui", guid="C" * 36, uid=503, sources=NOWHERE)
LIMIT = PasswordPolicy(max_failed_logins=5)


def mac(*accounts: Account, version: str = "15.6", **more: t.Any) -> Mac:
    made_up: dict[str, t.Any] = {
        "volume": Volume("disk3s1s1", True, True),
        "as_root": True,
        "filevault": FileVault("off", personal_key=False),
    }
    return Mac(Version.parse(version), accounts=accounts, **{**made_up, **more})


def caught(does: t.Callable[[], t.Any]) -> Refusal:
    with pytest.raises(Refusal) as refused:
        does()
    return refused.value


# -- who could authorise ----------------------------------------------------------------------------------------------

NO_ADMIN = "no administrator who can log in on this Mac holds a token"


@pytest.mark.parametrize(
    ("of", "says"),
    [
        (mac(ADMIN, replace(ADMIN, name="it2")), "granters on this Mac: itadmin, it2"),
        (mac(replace(ADMIN, disabled=True), ANA), f"{NO_ADMIN}, only itadmin, ana"),
        (mac(RUI), NO_ADMIN),
    ],
)
def test_who_could_authorise_is_named(of: Mac, says: str) -> None:
    assert candidates(of) == says


# -- who is not even tried --------------------------------------------------------------------------------------------

NOT_ACCEPTED = "so macOS would not accept its password"


@pytest.mark.parametrize(
    ("who", "says"),
    [
        (ANA, ""),
        (replace(ANA, failed_logins=4), ""),
        (replace(ANA, failed_logins=5), f"ana is locked after 5 failed logins, {NOT_ACCEPTED}"),
        (replace(ANA, disabled=True), f"ana is disabled, {NOT_ACCEPTED}"),
        (replace(ANA, has_password=False), f"ana has no password, {NOT_ACCEPTED}"),
        (replace(ANA, disabled=True, failed_logins=5), f"ana is disabled, {NOT_ACCEPTED}"),
    ],
)
@pytest.mark.parametrize("role", ["user", "granter"])
def test_a_right_password_that_would_be_refused_is_not_tried(who: Account, says: str, role: str) -> None:
    of = mac(ADMIN, who, policy=LIMIT)
    check = CheckPassword("ana", "password", role)
    if not says:
        may_authenticate(of, check)
        return
    refusal = caught(lambda: may_authenticate(of, check))
    others = {"user": "", "granter": "; granters on this Mac: itadmin"}[role]
    assert (refusal.reason, refusal.msg) == (f"{role}_disabled", says + others)


def test_a_lock_that_may_have_opened_again_is_tried_and_nobody_is_nobody() -> None:
    doubtful = mac(replace(ANA, failed_logins=5), policy=replace(LIMIT, lock_expires=True))
    may_authenticate(doubtful, CheckPassword("ana", "password", "user"))
    may_authenticate(doubtful, CheckPassword("ada", "password", "user"))


# -- readings that carry no decision ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("of", "reason"),
    [
        (mac(ANA, version="10.13"), ""),
        (mac(ANA, version="10.12.6"), "macos_too_old"),
        (mac(ANA, as_root=False), "not_root"),
        (mac(ANA, volume=Volume("d", False)), "not_apfs"),
        (mac(ANA, volume=Volume("d", None)), "reading_incomplete"),
        (mac(ANA, groups_read=False), "reading_incomplete"),
        (mac(ANA, replace(RUI, sources=Sources(False, None, False))), "reading_incomplete"),
        (mac(ANA, replace(RUI, sources=Sources(False, False, None))), "reading_incomplete"),
        (mac(ANA, replace(RUI, sources=Sources(None, False, False))), ""),
    ],
)
def test_what_must_have_been_read_before_any_write(of: Mac, reason: str) -> None:
    if reason:
        assert caught(lambda: writable(of)).reason == reason
    else:
        writable(of)


@pytest.mark.parametrize(
    ("name", "here", "says"),
    [
        ("ada", True, True),
        ("ana", True, False),
        ("ANA", False, "write ana"),
        ("_WWW", False, "but a record uses that name"),
    ],
)
def test_nobody_is_who_has_no_account_under_any_letters(name: str, here: bool, says: t.Any) -> None:
    of = mac(RUI, ANA, names=frozenset({"rui", "ana", "_www"}))
    if here:
        assert absent_or_refuse(of, name, of.account(name)) is says
        return
    refusal = caught(lambda: absent_or_refuse(of, name, of.account(name)))
    assert refusal.reason == "name_differs"
    assert says in refusal.msg
    assert refusal.msg.startswith((f"{name} is not ", f"{name} is no account "))


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("502", "502 is no account on this Mac, but the UID of one is 502: write ana"),
        ("00502", "00502 is no account on this Mac, but the UID of one is 502: write ana"),
        ("500", "500 is no account on this Mac, but the UID of one is 500"),
        ("0", "0 is no account on this Mac, but the UID of one is 0"),
        ("000", "000 is no account on this Mac, but the UID of one is 0"),
        ("504", ""),
        ("5020", ""),
        ("\u0665\u0660\u0662", ""),
        ("uid:502", ""),
    ],
)
def test_a_number_is_no_account_and_names_the_one_that_has_it(name: str, says: str) -> None:
    of = mac(RUI, ANA, taken=frozenset({"uid:502", "uid:503", "uid:500", "uid:0"}))
    if says:
        refusal = caught(lambda: absent_or_refuse(of, name, None))
        assert (refusal.reason, refusal.msg) == ("name_differs", says)
    else:
        assert absent_or_refuse(of, name, None) is True


# -- FileVault's state, in a refusal ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ("on", "FileVault is on, and"),
        ("restart_to_finish", "FileVault is on, and"),
        ("decrypting", "FileVault is not off yet (decrypting), and"),
        ("unknown", "FileVault's status could not be read, so it counts as on, and"),
    ],
)
def test_the_state_of_filevault_that_keeps_the_last_way_in(state: str, says: str) -> None:
    of = mac(ANA, filevault=FileVault(state, personal_key=False))
    refusal = caught(lambda: guard(of, of.without_account("ana")))
    assert (refusal.reason, refusal.msg.startswith(says)) == ("would_lock_out", True)


# -- a plan's own form ------------------------------------------------------------------------------------------------

PROVE_RUI = Prove(("rui",))
SET_RUI = SetPassword("rui", "root")
NEW = new_account("new")
TELL = UpdatePreboot()
HINT = SetAttribute("rui", "hint", "x")
CHECK_ANA, CHECK_IT = CheckPassword("ana", "password", "user"), CheckPassword("itadmin", "a", "granter")


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([SET_RUI], [SET_RUI, PROVE_RUI]),
        ([SET_RUI, PROVE_RUI], [SET_RUI, PROVE_RUI]),
        ([SET_RUI, HINT], [SET_RUI, PROVE_RUI, HINT]),
        ([SET_RUI, HINT, PROVE_RUI], [SET_RUI, PROVE_RUI, HINT, PROVE_RUI]),
        ([HINT], [HINT]),
        ([HINT, HINT], [HINT, HINT]),
        ([CreateAccount(NEW)], [CreateAccount(NEW), Prove(("new",))]),
        ([CreateAccount(NEW), Prove(("new",))], [CreateAccount(NEW), Prove(("new",))]),
        ([CreateAccount(NEW, bare=True)], [CreateAccount(NEW, bare=True)]),
        # Passwords are checked first, each once, in their order.
        ([HINT, CHECK_ANA, CHECK_IT, CHECK_ANA], [CHECK_ANA, CHECK_IT, HINT]),
    ],
)
def test_what_may_fail_silently_is_proven_before_anything_builds_on_it(steps: list[Step], expected: list[Step]) -> None:
    # A first holder is there already, so that a new password brings no token.
    assert list(lawful_plan(mac(ADMIN, ANA, RUI), steps, ("a note",)).steps) == expected
    assert lawful_plan(mac(ADMIN, ANA, RUI), steps, ("a note",)).notes == ("a note",)


def test_preboot_is_told_of_each_change_of_tokens_and_of_nothing_else() -> None:
    grant, off = Grant("rui", "itadmin"), Revoke("rui", "itadmin")
    of = mac(ADMIN, ANA, RUI)
    note = Note("preboot")
    assert lawful_plan(of, [HINT, grant, HINT]).steps == (HINT, note, grant, HINT, TELL)
    assert lawful_plan(of, [grant, HINT, off]).steps == (note, grant, HINT, off, TELL)
    assert lawful_plan(of, [HINT]).steps == (HINT,)
    assert lawful_plan(of, []).steps == ()
    untold = replace(of, pending=frozenset({"preboot"}))
    assert lawful_plan(untold, [HINT]).steps == (HINT, TELL)
    assert lawful_plan(untold, []).steps == (TELL,)
    assert lawful_plan(replace(of, pending=frozenset({"repairing rui"})), []).steps == ()


def test_each_state_follows_from_the_one_before() -> None:
    of = mac(ADMIN, RUI)
    plan = Plan(of, (HINT, SetAdmin("rui", True)))
    first, second, third = plan.states()
    assert first is of
    assert second == of.with_account(replace(RUI, hint="x"))
    assert third == plan.after == of.with_account(replace(RUI, hint="x", admin=True))
    assert Plan(of).after is of
    assert [Plan(of, steps).changes for steps in ((), (PROVE_RUI,), (HINT,), (PROVE_RUI, HINT))] == [
        False,
        False,
        True,
        True,
    ]


# -- the guard, at its borders ----------------------------------------------------------------------------------------

ROOT = Account("root", "F" * 36, uid=0, admin=True)
BOSS = replace(RUI, admin=True)


@pytest.mark.parametrize(
    ("people", "reason"),
    [
        ((BOSS, ANA), "last_holder"),
        ((BOSS, ROOT), "last_holder"),
        ((BOSS, ROOT, ANA), "last_holder"),
        ((BOSS, replace(BOSS, name="it", uid=1)), ""),
        ((BOSS, replace(BOSS, name="it", uid=None)), ""),
        ((BOSS, replace(BOSS, name="it", uid=600), ANA), ""),
    ],
)
@pytest.mark.parametrize("uid", [1, 503])
def test_the_last_administrator_who_is_not_root_stays(people: tuple[Account, ...], reason: str, uid: int) -> None:
    of = mac(replace(people[0], uid=uid), *people[1:])
    plan = Plan(of, (SetAdmin("rui", False),))
    if reason:
        refusal = caught(lambda: lawful(plan))
        assert (refusal.reason, refusal.msg) == (reason, "no administrator would remain on this Mac without rui")
    else:
        lawful(plan)


def test_roots_own_membership_is_nobodys_loss() -> None:
    """A Mac whose only administrator is root has none that could be lost."""
    lawful(Plan(mac(ROOT, ANA), (SetAttribute("ana", "hint", "x"),)))
    lawful(Plan(mac(ANA), (SetAttribute("ana", "hint", "x"),)))
