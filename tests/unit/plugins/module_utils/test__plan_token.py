# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans about tokens and passwords, step by step, and their refusals word for word where they choose their words."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils._account import EVERYWHERE, NOWHERE, Account, Sources
from ansible_collections.keyholder.macos.plugins.module_utils._mac import (
    FileVault,
    Mac,
    Management,
    PasswordPolicy,
    Volume,
)
from ansible_collections.keyholder.macos.plugins.module_utils._macos import Version
from ansible_collections.keyholder.macos.plugins.module_utils._plan.password import PasswordRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.token import (
    TokenRequest,
    authoriser,
    granter_of,
    granting,
)
from ansible_collections.keyholder.macos.plugins.module_utils._reading.ask import Ask
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._step.account import SetPassword
from ansible_collections.keyholder.macos.plugins.module_utils._step.base import Step
from ansible_collections.keyholder.macos.plugins.module_utils._step.general import Forget, Note, Prove, UpdatePreboot
from ansible_collections.keyholder.macos.plugins.module_utils._step.token import (
    BecomeFirstHolder,
    CheckPassword,
    Grant,
    Revoke,
    SetSamePassword,
    VerifyKey,
)

ADMIN = Account("itadmin", "A" * 36, "IT Admin", 501, 20, admin=True, sources=EVERYWHERE, failed_logins=0)
DEPUTY = replace(ADMIN, name="deputy", guid="D" * 36, uid=504)
ANA = Account("ana", "B" * 36, "Ana Sousa", 502, 20, sources=EVERYWHERE, failed_logins=0)
RUI = replace(ANA, name="rui", guid="C" * 36, uid=503, sources=NOWHERE)
GHOST = Sources(False, True, True)
GRANTS = Management(bootstrap="valid", bootstrap_crypto_user=True, preflight=True)
PROVE = Prove(("rui",))
NOTE, TELL = Note("preboot"), UpdatePreboot()


def mac(*accounts: Account, version: str = "15.6", **more: t.Any) -> Mac:
    made_up: dict[str, t.Any] = {
        "volume": Volume("disk3s1s1", True, True),
        "as_root": True,
        "filevault": FileVault("off", personal_key=False),
    }
    return Mac(Version.parse(version), accounts=accounts, **{**made_up, **more})


def refusal(does: t.Callable[[], t.Any]) -> tuple[str, str]:
    with pytest.raises(Refusal) as refused:
        does()
    return refused.value.reason, refused.value.msg


def checks(user: str, granter: str = "itadmin") -> tuple[Step, ...]:
    return CheckPassword(granter, "admin_password", "granter"), CheckPassword(user, "password", "user")


# -- granting ---------------------------------------------------------------------------------------------------------


def test_a_grant_step_by_step() -> None:
    of = mac(ADMIN, ANA, RUI)
    plan = TokenRequest("rui", admin_user="itadmin").plan(of, {})
    assert plan.steps == (*checks("rui"), NOTE, Grant("rui", "itadmin"), PROVE, TELL)
    assert plan.notes == ()
    assert TokenRequest("ana", admin_user="itadmin").plan(of, {}).steps == ()
    # Its password has just been set by the steps before.
    assert granting(of, RUI, "itadmin", False, check_user=False)[0] == checks("rui")[0]
    assert len(granting(of, RUI, "itadmin", False)) == len(granting(of, RUI, "itadmin", False, check_user=False)) + 1


@pytest.mark.parametrize(
    ("version", "how"),
    [
        ("10.13.6", (BecomeFirstHolder("rui"),)),
        # The login comes first, as it is all that a password set from a hash needs.
        ("11.0", (BecomeFirstHolder("rui", or_by_password=True), SetSamePassword("rui"))),
        ("27.0.1", (BecomeFirstHolder("rui", or_by_password=True), SetSamePassword("rui"))),
    ],
)
def test_the_first_token_step_by_step(version: str, how: tuple[Step, ...]) -> None:
    plan = TokenRequest("rui", first_token=True).plan(mac(RUI, version=version), {})
    assert plan.steps == (checks("rui")[1], NOTE, *how, PROVE, TELL)
    (note,) = plan.notes
    assert " gets the first token" in note


@pytest.mark.parametrize(
    ("request_", "waits"),
    [
        (TokenRequest("rui", accept_pending=True), True),
        (TokenRequest("rui", accept_pending=False, admin_user="itadmin"), False),
    ],
)
def test_a_token_that_comes_by_itself_is_enough_where_that_was_said(request_: TokenRequest, waits: bool) -> None:
    of = mac(ADMIN, RUI, management=GRANTS)
    assert (request_.plan(of, {}).steps == ()) is waits
    assert request_.ask == Ask(waiting="rui" if waits else None)
    assert replace(request_, state="absent").ask == Ask()
    assert refusal(lambda: TokenRequest("rui", accept_pending=True).plan(mac(ADMIN, RUI), {}))[0] == "granter_missing"


def test_without_a_granter_it_is_said_what_would_do() -> None:
    of = mac(ADMIN, RUI)
    named = "admin_user was not given; granters on this Mac: itadmin"
    assert refusal(lambda: authoriser(of, "", False)) == ("granter_missing", named)
    login = ". The first graphical login brings the token, too: with accept_pending this run relies on that"
    assert refusal(lambda: authoriser(replace(of, management=GRANTS), "", False)) == ("granter_missing", named + login)
    assert refusal(lambda: granter_of(of, "")) == ("granter_missing", named)
    assert authoriser(of, "itadmin", False) == granter_of(of, "itadmin") == ADMIN


GRANTERS = "granters on this Mac: itadmin"
NO_ADMIN = "no administrator who can log in on this Mac holds a token"
AT_SCREEN = ". Log in at the Mac's screen (not over SSH), where a Bootstrap Token grants one once it is escrowed to MDM"
WAYS = (
    ". There are two ways: set allow_temporary_promotion with admin_user {}, who is then an administrator until the"
    " grant is done; or log in at the Mac's screen (not over SSH), where {}"
)
BY_ESCROW = "the escrowed Bootstrap Token grants one"
ONCE = "a Bootstrap Token grants one once it is escrowed to MDM"
BOSS = replace(RUI, name="boss", guid="E" * 36, uid=505, admin=True)
LIMIT = PasswordPolicy(max_failed_logins=5)


@pytest.mark.parametrize(
    ("of", "name", "promotion", "expected"),
    [
        (mac(ADMIN, RUI), "ada", False, ("granter_unknown", f"admin_user ada has no account on this Mac; {GRANTERS}")),
        (
            mac(ADMIN, replace(ANA, sources=GHOST)),
            "ana",
            False,
            ("granter_phantom", f"the sources disagree about the token of admin_user ana; {GRANTERS}"),
        ),
        (mac(ADMIN, RUI), "rui", False, ("granter_no_token", f"admin_user rui holds no Secure Token; {GRANTERS}")),
        (mac(ADMIN, ANA), "ana", False, ("granter_not_admin", f"admin_user ana is not an administrator; {GRANTERS}")),
        (mac(ADMIN, ANA), "ana", True, ("granter_not_admin", f"admin_user ana is not an administrator; {GRANTERS}")),
        (
            mac(ANA, BOSS),
            "ana",
            False,
            (
                "granter_not_admin",
                f"admin_user ana is not an administrator; {NO_ADMIN}, only ana{WAYS.format('ana', ONCE)}",
            ),
        ),
        (
            mac(ANA, BOSS, management=GRANTS),
            "boss",
            False,
            (
                "granter_no_token",
                f"admin_user boss holds no Secure Token; {NO_ADMIN}, only ana{WAYS.format('ana', BY_ESCROW)}",
            ),
        ),
        # Who cannot log in is no way out.
        (
            mac(replace(ANA, disabled=True), BOSS),
            "boss",
            False,
            ("granter_no_token", f"admin_user boss holds no Secure Token; {NO_ADMIN}, only ana{AT_SCREEN}"),
        ),
        (
            mac(replace(ANA, failed_logins=5), BOSS, policy=LIMIT),
            "boss",
            False,
            ("granter_no_token", f"admin_user boss holds no Secure Token; {NO_ADMIN}, only ana{AT_SCREEN}"),
        ),
        (
            mac(replace(ANA, failed_logins=5), BOSS, policy=replace(LIMIT, lock_expires=True)),
            "boss",
            False,
            (
                "granter_no_token",
                f"admin_user boss holds no Secure Token; {NO_ADMIN}, only ana{WAYS.format('ana', ONCE)}",
            ),
        ),
        # Nor is a promotion one where an administrator holds a key, whether or not he can log in.
        (
            mac(ANA, BOSS, replace(ADMIN, disabled=True)),
            "boss",
            False,
            ("granter_no_token", f"admin_user boss holds no Secure Token; {NO_ADMIN}, only ana, itadmin"),
        ),
    ],
)
def test_who_cannot_authorise_and_who_could(of: Mac, name: str, promotion: bool, expected: tuple[str, str]) -> None:
    with pytest.raises(Refusal) as refused:
        granter_of(of, name, promotion)
    assert (refused.value.reason, refused.value.msg) == expected
    who = of.account(name)
    assert refused.value.evidence == ((f"{name}: {who.sources.words()}",) if who else ())


def test_a_standard_holder_authorises_where_he_may_be_promoted() -> None:
    assert granter_of(mac(ANA, BOSS), "ana", True) == ANA
    assert refusal(lambda: granter_of(mac(ANA, BOSS), "ana"))[0] == "granter_not_admin"
    reason, msg = refusal(lambda: granter_of(mac(ANA, RUI), "ana", True))
    assert reason == "granter_not_admin"
    assert msg.startswith("admin_user ana is not an administrator, and no other account that can log in is one")


# -- the first of a Mac -----------------------------------------------------------------------------------------------

RULE_11 = (
    "on macOS 11 and newer the first account whose password is set gets the first token"
    " (at its first login, if the password came as a hash)"
)
RULE_15 = "on macOS 10.15 the first administrator who authenticates gets the first token"
RULE_13 = "on macOS 10.13 and 10.14 the only account from UID 500 up gets the first token when it authenticates"
LEFT = "log in at the Mac's screen with a password that opens its key, or erase the Mac"
AS_MOBILE = "a mobile account is never the first: choose a local one, which can then grant rui its token"
TAGGED = "first remove the tag with keyholder.macos.account (name rui, secure_token allowed)"
ALONE = "log in at the Mac's screen as rui while it is the only account from UID 500 up; today there are also {}"
SIT = "log in at the Mac's screen as {}, or set first_token for that account"


@pytest.mark.parametrize(
    ("of", "rule", "why", "way"),
    [
        (mac(replace(RUI, disabled_tag=True)), RULE_11, "; a tag keeps rui from being the first", TAGGED),
        (
            mac(RUI, orphans=("O1", "O2")),
            RULE_11,
            "; the volume already has a crypto user: O1, O2",
            LEFT,
        ),
        (
            mac(replace(RUI, disabled_tag=True), version="11.0"),
            RULE_11,
            "; a tag keeps rui from being the first",
            TAGGED,
        ),
        (mac(replace(RUI, kind="mobile")), RULE_11, "", AS_MOBILE),
        (mac(RUI, version="10.15"), RULE_15, "", "make rui an administrator first"),
        (mac(RUI, BOSS, version="10.15"), RULE_15, "", SIT.format("boss")),
        (
            mac(RUI, BOSS, replace(BOSS, name="b2"), version="10.15.7"),
            RULE_15,
            "",
            SIT.format("boss or b2"),
        ),
        (mac(RUI, replace(BOSS, disabled=True), version="10.15"), RULE_15, "", "make rui an administrator first"),
        (mac(RUI, replace(BOSS, uid=500), version="10.14.6"), RULE_13, "", ALONE.format("boss")),
        (mac(RUI, replace(BOSS, uid=None), version="10.14.6"), RULE_13, "", ALONE.format("boss")),
        # Root has a password here, and a number below 500.
        (
            mac(replace(BOSS, name="root", uid=0), RUI, BOSS, version="10.14.6"),
            RULE_13,
            "",
            ALONE.format("boss"),
        ),
        (
            mac(replace(RUI, uid=499), replace(BOSS, uid=498), version="10.14.6"),
            RULE_13,
            "",
            "choose an account whose UID is 500 or more; rui has 499",
        ),
    ],
)
def test_who_would_not_be_the_first(of: Mac, rule: str, why: str, way: str) -> None:
    rui = of.account("rui")
    assert rui is not None
    assert refusal(lambda: granting(of, rui, "", True)) == (
        "not_first",
        f"macOS would not give rui the first token: {rule}{why}; {way}",
    )
    assert refusal(lambda: granting(of, rui, "", False)) == (
        "no_holder",
        f"no account on this Mac holds a Secure Token; {rule}; rui would not be the first; {way}",
    )


def test_who_could_be_the_first_is_told_so() -> None:
    said = f"no account on this Mac holds a Secure Token; {RULE_11}; rui can be the first: set first_token"
    assert refusal(lambda: TokenRequest("rui").plan(mac(RUI), {})) == ("no_holder", said)


@pytest.mark.parametrize(
    ("who", "reason"),
    [(replace(RUI, sources=GHOST), "phantom"), (replace(RUI, disabled=True), "user_disabled")],
)
def test_whom_no_grant_helps(who: Account, reason: str) -> None:
    assert refusal(lambda: TokenRequest("rui", admin_user="itadmin").plan(mac(ADMIN, who), {}))[0] == reason


def test_nobody_of_that_name() -> None:
    assert refusal(lambda: TokenRequest("ada").plan(mac(ADMIN, RUI), {})) == (
        "user_unknown",
        "ada has no account on this Mac; accounts: itadmin, rui",
    )
    assert refusal(lambda: TokenRequest("RUI").plan(mac(ADMIN, RUI), {}))[0] == "name_differs"


# -- revoking ---------------------------------------------------------------------------------------------------------


def test_a_revocation_step_by_step() -> None:
    of = mac(ADMIN, DEPUTY, ANA, RUI)
    take = TokenRequest("ana", "absent", "itadmin")
    steps = (*checks("ana"), NOTE, Revoke("ana", "itadmin"), Prove(("ana",)), TELL)
    assert take.plan(of, {}).steps == steps
    noted = replace(of, pending=frozenset({"repairing ana"}))
    assert Forget("repairing ana") in take.plan(noted, {}).steps
    assert TokenRequest("rui", "absent", "itadmin").plan(of, {}).steps == ()
    gone = TokenRequest("ada", "absent", "itadmin")
    assert gone.plan(of, {}).steps == ()
    assert gone.plan(replace(of, pending=frozenset({"repairing ada"})), {}).steps == (Forget("repairing ada"),)
    still = replace(of, pending=frozenset({"repairing rui"}))
    assert TokenRequest("rui", "absent").plan(still, {}).steps == (Forget("repairing rui"),)


@pytest.mark.parametrize(
    ("others", "reason"),
    [
        ((), "last_admin_holder"),
        ((DEPUTY,), "granter_is_user"),
        ((DEPUTY, replace(DEPUTY, name="d2")), "granter_is_user"),
    ],
)
def test_nobody_takes_its_own_token(others: tuple[Account, ...], reason: str) -> None:
    assert refusal(lambda: TokenRequest("itadmin", "absent", "itadmin").plan(mac(ADMIN, *others), {}))[0] == reason


def test_a_phantoms_token_is_not_taken() -> None:
    of = mac(ADMIN, replace(ANA, sources=GHOST))
    assert refusal(lambda: TokenRequest("ana", "absent", "itadmin").plan(of, {})) == (
        "phantom",
        f"the sources disagree about the token of ana: {GHOST.words()}",
    )


def test_the_last_who_can_grant_is_proven_before_a_token_goes() -> None:
    of = mac(ADMIN, ANA, filevault=FileVault("on", personal_key=True))
    plan = TokenRequest("ana", "absent", "itadmin").plan(of, {})
    assert VerifyKey("itadmin", "A" * 36, "admin_password", early=True) in plan.steps
    assert plan.notes == ()


@pytest.mark.parametrize(
    ("of", "view"),
    [
        (mac(ADMIN), {"user": "rui", "exists": False}),
        (
            mac(replace(RUI, volume_owner=False), pending=frozenset({"preboot", "promoted ana"}), management=GRANTS),
            {
                "user": "rui",
                "exists": True,
                "secure_token": "pending",
                "sources": NOWHERE.view(),
                "volume_owner": False,
                "preboot_pending": True,
                "promoted": ["ana"],
            },
        ),
        (
            mac(replace(RUI, sources=EVERYWHERE, volume_owner=True)),
            {
                "user": "rui",
                "exists": True,
                "secure_token": "holder",
                "sources": EVERYWHERE.view(),
                "volume_owner": True,
                "preboot_pending": False,
                "promoted": [],
            },
        ),
    ],
)
def test_what_is_returned_of_a_token(of: Mac, view: dict[str, t.Any]) -> None:
    assert TokenRequest("rui").view(of) == view


# -- passwords --------------------------------------------------------------------------------------------------------

GIVEN, OLD = frozenset({"password"}), frozenset({"password", "old_password"})
ON = FileVault("on", personal_key=True)
EARLY, LATE = VerifyKey("ana", "B" * 36, "old_password", early=True), VerifyKey("ana", "B" * 36, "password")
CHECK_OLD, SET_OLD = CheckPassword("ana", "old_password", "user"), SetPassword("ana", "old")
PROVE_ANA = Prove(("ana",))


@pytest.mark.parametrize(
    ("request_", "same", "filevault", "steps"),
    [
        (PasswordRequest("ana", given=OLD), False, ON, (CHECK_OLD, EARLY, SET_OLD, PROVE_ANA, LATE)),
        (PasswordRequest("ana", given=OLD), None, ON, (CHECK_OLD, EARLY, SET_OLD, PROVE_ANA, LATE)),
        (PasswordRequest("ana", verify_key="never", given=OLD), False, ON, (CHECK_OLD, SET_OLD, PROVE_ANA)),
        (PasswordRequest("ana", given=OLD), False, replace(ON, state="off"), (CHECK_OLD, SET_OLD, PROVE_ANA)),
        (
            PasswordRequest("ana", "itadmin", given=GIVEN),
            False,
            ON,
            (checks("ana")[0], SetPassword("ana", "granter", "itadmin"), PROVE_ANA, LATE),
        ),
        (PasswordRequest("ana", given=OLD), True, ON, ()),
        (
            PasswordRequest("ana", verify_key="always", given=OLD),
            True,
            ON,
            (VerifyKey("ana", "B" * 36, "password", early=True),),
        ),
        (PasswordRequest("ana", verify_key="always", given=OLD), True, replace(ON, state="off"), ()),
        (PasswordRequest("ana", verify_key="never", given=OLD), True, ON, ()),
        (PasswordRequest("rui", given=GIVEN), False, ON, (SetPassword("rui", "root"), PROVE)),
        (PasswordRequest("rui", verify_key="always", given=GIVEN), True, ON, ()),
    ],
)
def test_a_new_password_step_by_step(
    request_: PasswordRequest, same: bool | None, filevault: FileVault, steps: tuple[Step, ...]
) -> None:
    plan = request_.plan(mac(ADMIN, ANA, RUI, filevault=filevault), {"password": same})
    assert (plan.steps, plan.notes) == (steps, ())


def test_a_password_that_brings_the_first_token_is_told_as_that() -> None:
    plan = PasswordRequest("rui", given=GIVEN).plan(mac(RUI), {"password": False})
    assert plan.notes == (f"rui gets the first Secure Token of this Mac: {RULE_11}",)
    assert PasswordRequest("rui", given=GIVEN).plan(mac(RUI, version="10.15.7"), {"password": False}).notes == ()


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (PasswordRequest("ada", given=GIVEN), ("user_unknown", "accounts: itadmin, ana, rui, mob, odd")),
        (PasswordRequest("RUI", given=GIVEN), ("name_differs", "write rui")),
        (PasswordRequest("odd", given=OLD), ("phantom", "the sources disagree about the token of odd")),
        (PasswordRequest("mob", given=OLD), ("password_elsewhere", "mob is a mobile account")),
        (PasswordRequest("ana", given=GIVEN), ("option_missing", f"or admin_user and admin_password; {GRANTERS}")),
        (PasswordRequest("ana", "rui", given=GIVEN), ("granter_no_token", "admin_user rui holds no Secure Token")),
    ],
)
def test_passwords_that_are_not_set(request_: PasswordRequest, expected: tuple[str, str]) -> None:
    mobile = replace(ANA, name="mob", guid="M" * 36, kind="mobile")
    odd = replace(ANA, name="odd", guid="O" * 36, sources=GHOST)
    of = mac(ADMIN, ANA, RUI, mobile, odd)
    reason, msg = refusal(lambda: request_.plan(of, {"password": False}))
    assert (reason, expected[1] in msg) == (expected[0], True), msg


@pytest.mark.parametrize(("who", "compared"), [("ana", {"password": "ana"}), ("bare", {}), ("ada", {})])
def test_a_password_is_compared_where_there_is_one(who: str, compared: dict[str, str]) -> None:
    of = mac(ANA, replace(RUI, name="bare", has_password=False))
    assert PasswordRequest(who, given=GIVEN).compares(of) == compared
    assert TokenRequest(who).compares(of) == {}


def test_what_is_returned_of_a_password() -> None:
    of = mac(ANA, replace(RUI, has_password=False), pending=frozenset({"promoted ana"}))
    assert PasswordRequest("ada").view(of) == {"name": "ada", "exists": False}
    assert PasswordRequest("ana").view(of) == {
        "name": "ana",
        "exists": True,
        "secure_token": "holder",
        "password_set": True,
        "key_provable": False,
        "promoted": ["ana"],
    }
    assert PasswordRequest("rui").view(of)["password_set"] is False
    # What could not be read of FileVault counts as on.
    for state, provable in (("on", True), ("unknown", True), ("off", False)):
        filevault = replace(of.filevault, state=state)
        assert PasswordRequest("ana").view(replace(of, filevault=filevault))["key_provable"] is provable
