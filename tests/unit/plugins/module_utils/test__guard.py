# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard, rule by rule: each row is a plan that one rule alone refuses, and its neighbour that passes."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils._account import EVERYWHERE, Account, Sources
from ansible_collections.keyholder.macos.plugins.module_utils._mac import (
    FileVault,
    Mac,
    Management,
    PasswordPolicy,
    Volume,
)
from ansible_collections.keyholder.macos.plugins.module_utils._macos import Version
from ansible_collections.keyholder.macos.plugins.module_utils._plan.account import AccountRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.bootstrap import BootstrapRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.filevault import KeyRequest, UnlockerRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.offboard import OffboardRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.password import PasswordRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.plan import (
    Plan,
    facts,
    hopeful,
    lawful,
    lawful_plan,
)
from ansible_collections.keyholder.macos.plugins.module_utils._plan.token import TokenRequest
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._recoverable import (
    WORST_FIRST,
    Recoverability,
    other_ways_in,
    recoverability,
    sure_ways_in,
)
from ansible_collections.keyholder.macos.plugins.module_utils._step.account import DeleteAccount, SetAdmin, SetAttribute
from ansible_collections.keyholder.macos.plugins.module_utils._step.base import Step
from ansible_collections.keyholder.macos.plugins.module_utils._step.bootstrap import RemoveBootstrap
from ansible_collections.keyholder.macos.plugins.module_utils._step.filevault import RemoveKey, RemoveUnlocker
from ansible_collections.keyholder.macos.plugins.module_utils._step.token import (
    BecomeFirstHolder,
    CheckPassword,
    Grant,
    RemoveMarker,
    RemoveOrphan,
    VerifyKey,
)

ADMIN = Account("itadmin", "A" * 36, "IT Admin", 501, 20, admin=True, sources=EVERYWHERE, failed_logins=0)
DEPUTY = replace(ADMIN, name="deputy", guid="D" * 36, uid=504)
HOLDER = Account("ana", "B" * 36, "Ana Sousa", 502, 20, sources=EVERYWHERE, failed_logins=0)
BOB = replace(HOLDER, name="bob", guid="C" * 36, uid=503)
NOBODY = replace(BOB, name="rui", guid="E" * 36, uid=505, sources=Sources(False, False, False))
ON, OFF = FileVault("on", personal_key=False), FileVault("off", personal_key=False)
WITH_KEY = replace(ON, personal_key=True)
BOB_WITHOUT = replace(NOBODY, name="bob", guid="C" * 36, uid=503)
WORKS = Management(bootstrap="valid", bootstrap_crypto_user=True, preflight=True)
KEY_ONLY = Sources(authority=False, crypto=True, filevault=True)


def mac(*accounts: Account, **more: t.Any) -> Mac:
    made_up: dict[str, t.Any] = {
        "volume": Volume("disk3s1s1", True, True),
        "as_root": True,
        "filevault": ON,
        "sessions": frozenset(),
    }
    return Mac(Version.parse("15.6"), accounts=accounts, **{**made_up, **more})


def delete(name: str) -> DeleteAccount:
    return DeleteAccount(name, "keep_home")


def reason(of: Mac, *steps: Step) -> str:
    try:
        lawful_plan(of, steps)
    except Refusal as refusal:
        return refusal.reason
    return ""


# -- the last of each kind --------------------------------------------------------------------------------------------

UNABLE = replace(ADMIN, disabled=True)


@pytest.mark.parametrize(
    ("of", "step", "refused", "instead"),
    [
        # Who can grant, today.
        (mac(ADMIN, HOLDER, filevault=OFF), SetAdmin("itadmin", False), "last_admin_holder", mac(ADMIN, DEPUTY)),
        (mac(ADMIN, UNABLE.__class__(**{**vars(UNABLE), "name": "old", "guid": "F" * 36}), filevault=OFF),
         SetAdmin("itadmin", False), "last_admin_holder", mac(ADMIN, DEPUTY)),
        # Who could, once enabled again: not on FileVault's list any more, and nobody is left who could put it there.
        (mac(UNABLE, HOLDER), RemoveUnlocker("itadmin"), "last_admin_holder", mac(UNABLE, DEPUTY)),
        # An administrator with a key that its record does not name.
        (mac(replace(ADMIN, sources=KEY_ONLY), HOLDER), SetAdmin("itadmin", False), "last_admin_holder",
         mac(replace(ADMIN, sources=KEY_ONLY), DEPUTY)),
        # An administrator without a token.
        (mac(replace(NOBODY, admin=True), HOLDER), SetAdmin("rui", False), "last_holder",
         mac(replace(NOBODY, admin=True), DEPUTY)),
        # What opens the volume.
        (mac(HOLDER, replace(BOB, disabled=True)), delete("ana"), "would_lock_out", mac(HOLDER, BOB)),
        (mac(HOLDER, orphans=("0C0F",)), delete("ana"), "would_lock_out", mac(HOLDER, BOB, orphans=("0C0F",))),
        (mac(replace(NOBODY, sources=KEY_ONLY), NOBODY), delete("rui"), "would_lock_out",
         mac(replace(NOBODY, sources=KEY_ONLY), filevault=WITH_KEY)),
        (mac(NOBODY, orphans=("0C0F",)), RemoveOrphan("0C0F"), "would_lock_out",
         mac(NOBODY, orphans=("0C0F",), filevault=WITH_KEY)),
        (mac(replace(BOB, disabled=True)), delete("bob"), "would_lock_out", mac(replace(BOB, disabled=True), HOLDER)),
        (mac(HOLDER, filevault=WITH_KEY), RemoveUnlocker("ana"), "last_unlocker", mac(HOLDER, BOB)),
        # An account with a key that could be enabled again.
        (mac(replace(NOBODY, sources=KEY_ONLY, disabled=True), BOB_WITHOUT), delete("rui"), "would_lock_out",
         mac(replace(NOBODY, sources=KEY_ONLY, disabled=True), BOB_WITHOUT, filevault=WITH_KEY)),
        # Whom the Bootstrap Token gives a token, where FileVault's status or the token's own could not be read.
        (mac(NOBODY, filevault=replace(ON, state="unknown"), management=WORKS), delete("rui"), "would_worsen",
         mac(NOBODY, BOB_WITHOUT, filevault=replace(ON, state="unknown"), management=WORKS)),
        (mac(NOBODY, management=replace(WORKS, bootstrap="unknown")), delete("rui"), "would_worsen",
         mac(NOBODY, BOB_WITHOUT, management=replace(WORKS, bootstrap="unknown"))),
        (mac(NOBODY, management=replace(WORKS, preflight=None, preflight_asked=True)), delete("rui"), "would_worsen",
         mac(NOBODY, management=replace(WORKS, bootstrap="not_escrowed", bootstrap_crypto_user=False))),
        (mac(UNABLE, replace(NOBODY, admin=True), filevault=replace(ON, state="unknown"), management=WORKS),
         delete("rui"), "would_worsen", mac(ADMIN, NOBODY, filevault=replace(ON, state="unknown"), management=WORKS)),
        # macOS would have given an administrator its token by itself.
        (mac(replace(NOBODY, admin=True), filevault=OFF, management=Management(bootstrap="valid", preflight=True)),
         RemoveBootstrap("rui"), "would_worsen",
         mac(ADMIN, filevault=OFF, management=Management(bootstrap="valid", preflight=True))),
    ],
)  # fmt: skip
def test_the_last_of_its_kind_stays(of: Mac, step: Step, refused: str, instead: Mac) -> None:
    assert reason(of, step) == refused
    assert reason(instead, step) == ""


def test_the_mark_of_the_last_administrator_with_a_key_stays() -> None:
    """FileVault's list lacks it, which can be mended; without its mark nobody could grant any more."""
    unlisted = replace(ADMIN, sources=Sources(True, True, False))
    for state in (ON, OFF):
        of = mac(unlisted, HOLDER, filevault=state)
        assert reason(of, RemoveMarker("itadmin")) == "last_admin_holder"
        assert reason(mac(unlisted, DEPUTY, HOLDER, filevault=state), RemoveMarker("itadmin")) == ""


UNJUDGED = PasswordPolicy(("unused",), unjudged=("unused",))


@pytest.mark.parametrize("filevault", [ON, OFF])
@pytest.mark.parametrize(
    ("of", "step"),
    [
        (mac(HOLDER, replace(NOBODY, admin=True)), Grant("rui", "ana")),
        (mac(replace(NOBODY, admin=True)), BecomeFirstHolder("rui", or_by_password=True)),
        (mac(HOLDER, NOBODY), SetAdmin("ana", True)),
    ],
)
def test_a_gain_is_no_loss_though_it_brings_a_doubt(of: Mac, step: Step, filevault: FileVault) -> None:
    """Where a rule of the Mac cannot be judged, its first administrator with a token turns at_risk into unknown."""
    doubtful = replace(of, policy=UNJUDGED, filevault=filevault)
    if filevault is OFF:
        assert recoverability(step.after(doubtful)).worse_than(recoverability(doubtful))
    assert reason(doubtful, step) == ""


STATES = ("on", "encrypting", "decrypting", "restart_to_enable", "restart_to_finish", "restart_to_disable", "unknown")


@pytest.mark.parametrize("state", STATES)
def test_a_volume_that_was_not_read_as_off_may_ask_for_a_key(state: str) -> None:
    """safety.md: a status that is unread, and one that is still on its way off, were taken for off."""
    of = mac(HOLDER, replace(BOB, disabled=True), filevault=FileVault(state, personal_key=False))
    assert reason(of, delete("ana")) == "would_lock_out"
    assert reason(replace(of, filevault=OFF), delete("ana")) == ""


def test_a_key_that_could_not_be_read_is_no_way_in() -> None:
    unread = FileVault("on", personal_key=None, institutional_key=None, icloud_key=None)
    assert reason(mac(HOLDER, NOBODY, filevault=unread), delete("ana")) == "would_lock_out"


def test_what_a_plan_has_brought_is_worth_keeping() -> None:
    of = mac(replace(NOBODY, admin=True), HOLDER, DEPUTY, filevault=OFF)
    assert reason(mac(NOBODY, filevault=OFF), SetAdmin("rui", True), SetAdmin("rui", False)) == ""
    steps = [SetAdmin("deputy", False), SetAdmin("deputy", True)]
    assert reason(replace(of, accounts=(HOLDER, DEPUTY)), *steps) == "last_admin_holder"


# -- what a verdict rests on ------------------------------------------------------------------------------------------

FIVE = PasswordPolicy(max_failed_logins=5)
FOR_A_MOMENT = frozenset({"promoted rui"})
EARLY = ("administrator", "token, there or to come", "key", "listed", "login", "other key", "Bootstrap Token")


def kinds(of: Mac) -> dict[str, set[str]]:
    return {kind: {what for known, what in facts(of) if known == kind} for kind in EARLY}


@pytest.mark.parametrize(
    ("of", "kind", "expected"),
    [
        (mac(ADMIN, HOLDER, NOBODY), "administrator", {"itadmin"}),
        (mac(ADMIN, replace(NOBODY, admin=True)), "administrator", {"itadmin", "rui"}),
        (mac(ADMIN, replace(NOBODY, admin=True), pending=FOR_A_MOMENT), "administrator", {"itadmin"}),
        (mac(ADMIN, NOBODY), "token, there or to come", {"itadmin"}),
        (mac(ADMIN, NOBODY, management=WORKS), "token, there or to come", {"itadmin", "rui"}),
        (mac(NOBODY, replace(BOB, sources=KEY_ONLY), management=WORKS), "token, there or to come", {"rui"}),
        (mac(HOLDER, NOBODY), "key", {"ana"}),
        (mac(HOLDER, replace(NOBODY, sources=Sources(True, None, True))), "key", {"ana", "rui"}),
        (mac(HOLDER, replace(NOBODY, sources=Sources(True, False, True))), "key", {"ana"}),
        (mac(HOLDER, replace(NOBODY, sources=Sources(False, False, True))), "listed", {"ana", "rui"}),
        (mac(HOLDER, replace(NOBODY, sources=Sources(True, True, False))), "listed", {"ana"}),
        (mac(HOLDER, replace(BOB, disabled=True), NOBODY), "login", {"ana", "rui"}),
        (mac(HOLDER, replace(BOB, failed_logins=5), policy=FIVE), "login", {"ana"}),
        (mac(HOLDER, replace(BOB, failed_logins=5, disabled=True), policy=FIVE), "login", {"ana"}),
        (mac(replace(BOB, failed_logins=5), policy=replace(FIVE, lock_expires=True)), "login", {"bob"}),
        (mac(filevault=ON), "other key", set()),
        (mac(filevault=replace(WITH_KEY, icloud_key=True), orphans=("0C0F",)), "other key",
         {"the personal recovery key", "0C0F", "Apple Account"}),
        (mac(HOLDER), "Bootstrap Token", set()),
        (mac(HOLDER, management=WORKS), "Bootstrap Token", {"it grants at login"}),
        (mac(HOLDER, management=replace(WORKS, preflight=False)), "Bootstrap Token", set()),
    ],
)  # fmt: skip
def test_each_thing_that_a_verdict_rests_on_is_told_apart(of: Mac, kind: str, expected: set[str]) -> None:
    assert kinds(of)[kind] == expected


def test_everything_that_a_verdict_rests_on_has_a_kind() -> None:
    of = mac(ADMIN, filevault=WITH_KEY, management=WORKS)
    assert {kind for kind, dummy in facts(of)} == set(EARLY)


@pytest.mark.parametrize(
    ("management", "best"),
    [
        (WORKS, WORKS),
        (replace(WORKS, bootstrap="unknown"), WORKS),
        (replace(WORKS, bootstrap="unknown", preflight=None), WORKS),
        (replace(WORKS, preflight=None, preflight_asked=True), replace(WORKS, preflight_asked=True)),
        (replace(WORKS, preflight=None), replace(WORKS, preflight=None)),
        (replace(WORKS, preflight=False, preflight_asked=True), replace(WORKS, preflight=False, preflight_asked=True)),
        (replace(WORKS, bootstrap="not_escrowed"), replace(WORKS, bootstrap="not_escrowed")),
        # Without its crypto user on the volume a token grants nothing, whatever the server has.
        (
            replace(WORKS, bootstrap="unknown", bootstrap_crypto_user=False),
            replace(WORKS, bootstrap="unknown", bootstrap_crypto_user=False),
        ),
        (
            replace(WORKS, bootstrap="unknown", bootstrap_crypto_user=None),
            replace(WORKS, bootstrap="unknown", bootstrap_crypto_user=None),
        ),
    ],
)
@pytest.mark.parametrize("state", ["unknown", "on", "off", "decrypting"])
def test_what_was_not_read_is_looked_at_at_its_best_too(management: Management, best: Management, state: str) -> None:
    of = mac(ADMIN, filevault=replace(ON, state=state), management=management)
    hope = replace(of, management=best, filevault=replace(ON, state="off" if state == "unknown" else state))
    assert hopeful(of) == hope


def test_a_worse_verdict_is_said_in_words() -> None:
    of = mac(replace(NOBODY, admin=True), filevault=OFF, management=replace(WORKS, bootstrap_crypto_user=None))
    with pytest.raises(Refusal) as caught:
        lawful_plan(of, [RemoveBootstrap("rui")])
    assert caught.value.msg.startswith("this Mac would be at risk: no account holds a token; on macOS 11 and newer")
    (evidence,) = caught.value.evidence
    assert evidence.startswith("now pending: no account holds a token; the escrowed Bootstrap Token grants rui one")


def test_an_administrator_whom_macos_would_give_a_token_stays_one() -> None:
    """Nothing else is lost but that right: another administrator, who cannot log in, is there."""
    boss = replace(NOBODY, admin=True)
    of = mac(boss, replace(boss, name="out", guid="F" * 36, disabled=True), filevault=OFF, management=WORKS)
    assert reason(of, SetAdmin("rui", False)) == "would_worsen"
    assert reason(of, SetAdmin("out", False)) == ""
    assert reason(replace(of, pending=FOR_A_MOMENT), SetAdmin("rui", False)) == ""


# -- one definition ---------------------------------------------------------------------------------------------------


def test_verdicts_have_one_order() -> None:
    worst_first = [Recoverability(verdict, "") for verdict in WORST_FIRST]
    assert WORST_FIRST == ("no", "unknown", "at_risk", "pending", "yes")
    for index, verdict in enumerate(worst_first):
        assert [verdict.worse_than(other) for other in worst_first] == [index < place for place in range(5)]


def test_what_is_only_assumed_is_no_sure_way_in() -> None:
    phantom = replace(NOBODY, sources=KEY_ONLY)
    of = mac(ADMIN, phantom, orphans=("0C0F",), filevault=replace(WITH_KEY, icloud_key=True))
    assert sure_ways_in(of) == ("the password of itadmin", "the personal recovery key")
    assert other_ways_in(of) == (
        "an Apple Account",
        "the password of rui, about whom the sources disagree",
        "the password of the crypto user 0C0F, who has no account",
    )


# -- rules that lock --------------------------------------------------------------------------------------------------

INACTIVE = PasswordPolicy(rules=("Inactive Account",), unjudged=("Inactive Account",))
AFTER_FIVE = PasswordPolicy(max_failed_logins=5)


@pytest.mark.parametrize(
    ("policy", "failed", "verdict", "why"),
    [
        (AFTER_FIVE, 4, "yes", "itadmin can grant tokens"),
        (AFTER_FIVE, 5, "at_risk", "itadmin cannot log in"),
        (replace(AFTER_FIVE, lock_expires=True), 4, "yes", "itadmin can grant tokens"),
        (replace(AFTER_FIVE, lock_expires=True), 5, "unknown", "opens again by itself"),
        (AFTER_FIVE, None, "unknown", "itadmin can grant tokens, unless"),
        (INACTIVE, 0, "unknown", "unless the password rule Inactive Account has locked the account"),
        (replace(AFTER_FIVE, unjudged=("Inactive Account",)), 5, "at_risk", "itadmin cannot log in"),
    ],
)
def test_a_rule_that_may_have_locked_the_granter(
    policy: PasswordPolicy, failed: int | None, verdict: str, why: str
) -> None:
    said = recoverability(mac(replace(ADMIN, failed_logins=failed), policy=policy))
    assert (said.verdict, why in said.why) == (verdict, True), said


def test_an_account_that_may_be_locked_does_not_stand_in_for_one_that_is_not() -> None:
    expires = PasswordPolicy(max_failed_logins=5, lock_expires=True)
    of = mac(ADMIN, replace(DEPUTY, failed_logins=5), policy=expires)
    assert reason(of, SetAdmin("itadmin", False)) == "last_admin_holder"
    assert reason(replace(of, accounts=(ADMIN, DEPUTY)), SetAdmin("itadmin", False)) == ""


# -- the account that the run came in by ------------------------------------------------------------------------------

OWN = mac(ADMIN, DEPUTY, HOLDER, own=frozenset({"deputy"}), filevault=OFF)
BY_ADMIN: dict[str, t.Any] = {"admin_user": "itadmin"}
GIVEN = frozenset({"password", "old_password", "admin_password"})


@pytest.mark.parametrize(
    "request_",
    [
        AccountRequest("deputy", state="absent"),
        AccountRequest("deputy", admin=False),
        AccountRequest("deputy", update_password="always", given=GIVEN, **BY_ADMIN),
        AccountRequest("deputy", home="/Users/elsewhere"),
        AccountRequest("deputy", shell="/usr/bin/false"),
        OffboardRequest("deputy"),
        TokenRequest("deputy", state="absent", **BY_ADMIN),
        UnlockerRequest("deputy", state="absent"),
        PasswordRequest("deputy", given=GIVEN),
    ],
    ids=lambda request: f"{type(request).__name__}",
)
def test_the_way_in_is_guarded(request_: t.Any) -> None:
    same = {"password": False}
    with pytest.raises(Refusal) as caught:
        request_.plan(OWN, same)
    assert caught.value.reason == "own_account"
    assert "this run logged in with deputy or became root from it" in caught.value.msg
    assert request_.plan(replace(OWN, own=frozenset()), same).changes
    assert request_.plan(replace(OWN, own=frozenset({"ana"})), same).changes


def test_the_way_in_may_change_in_harmless_ways() -> None:
    for harmless in ({"hidden": True}, {"hint": "the usual"}, {"full_name": "Deputy"}):
        assert AccountRequest("deputy", **harmless).plan(OWN, {}).changes  # type: ignore[arg-type]


def test_a_name_without_an_account_does_not_stand_in_for_the_own_account() -> None:
    with pytest.raises(Refusal, match="this run logged in with deputy"):
        lawful(Plan(replace(OWN, own=frozenset({"aaron", "deputy"})), (SetAdmin("deputy", False),)))


# -- a key that may be stale ------------------------------------------------------------------------------------------

PROVEN = frozenset({"admin_password"})
LEAVE_ONE = [
    (AccountRequest, {"name": "ana", "state": "absent"}),
    (AccountRequest, {"name": "deputy", "admin": False}),
    (OffboardRequest, {"name": "ana"}),
    (UnlockerRequest, {"user": "ana", "state": "absent"}),
]


@pytest.mark.parametrize(("kind", "options"), LEAVE_ONE)
def test_who_is_left_alone_is_proven_or_said_to_be_unproven(kind: t.Any, options: dict[str, t.Any]) -> None:
    others = (HOLDER, DEPUTY) if options.get("name") == "deputy" else (HOLDER,)
    of = mac(ADMIN, *others)
    unproven = kind(**options).plan(of, {})
    assert not [step for step in unproven.steps if isinstance(step, VerifyKey)]
    assert "give admin_user itadmin and admin_password" in " ".join(unproven.notes)
    proven = kind(**options, admin_user="itadmin", given=PROVEN).plan(of, {})
    assert proven.steps[:2] == (
        CheckPassword("itadmin", "admin_password", "granter"),
        VerifyKey("itadmin", "A" * 36, "admin_password", early=True),
    )
    assert not proven.notes
    elsewhere = kind(**options, admin_user="somebody", given=PROVEN).plan(of, {})
    assert elsewhere.notes == unproven.notes


def test_a_revocation_that_leaves_one_proves_its_granter() -> None:
    plan = TokenRequest("ana", state="absent", admin_user="itadmin").plan(mac(ADMIN, HOLDER), {})
    assert VerifyKey("itadmin", "A" * 36, "admin_password", early=True) in plan.steps


@pytest.mark.parametrize("of", [mac(ADMIN, HOLDER, filevault=OFF), mac(ADMIN, HOLDER, DEPUTY)])
def test_nothing_is_proven_where_nothing_rests_on_it(of: Mac) -> None:
    plan = OffboardRequest("ana", admin_user="itadmin", given=PROVEN).plan(of, {})
    assert not plan.notes
    assert not [step for step in plan.steps if isinstance(step, (VerifyKey, CheckPassword))]


OUT = replace(HOLDER, name="out", guid="F" * 36, uid=506, disabled=True)
BOSS = replace(NOBODY, name="boss", guid="G" * 36, uid=507, admin=True)
GUESSED = PasswordPolicy(max_failed_logins=5, lock_expires=True)


@pytest.mark.parametrize(
    ("others", "gone", "last"),
    [
        # Surely it opens, and of nobody else that is sure, once bob has gone.
        ((BOB, replace(OUT, disabled=False, failed_logins=5)), "bob", True),
        # Perhaps bob's opens as well, and nobody else's.
        ((replace(BOB, failed_logins=5), OUT), "bob", True),
        # There is another, surely or perhaps.
        ((BOB, replace(BOB, name="luc", guid="L" * 36)), "bob", False),
        ((replace(BOB, failed_logins=5), replace(OUT, disabled=False, failed_logins=5)), "bob", False),
        # Who goes could not open it, so nothing comes to rest on one by that.
        ((OUT,), "out", False),
        ((BOB_WITHOUT,), "bob", False),
    ],
)
def test_whose_password_alone_opens_the_mac_then(others: tuple[Account, ...], gone: str, last: bool) -> None:
    of = mac(HOLDER, *others, BOSS, filevault=WITH_KEY, policy=GUESSED)
    notes = AccountRequest(gone, state="absent").plan(of, {}).notes
    assert [note.startswith("ana is then the last account that can unlock this Mac") for note in notes] == [True] * last


# -- the last recovery key --------------------------------------------------------------------------------------------


def test_the_last_recovery_key_goes_only_where_a_holder_is_proven() -> None:
    of = mac(ADMIN, filevault=WITH_KEY)
    with pytest.raises(Refusal) as caught:
        KeyRequest("absent", given=frozenset({"current_key"})).plan(of, {})
    assert caught.value.reason == "last_recovery_key"
    plan = KeyRequest("absent", user="itadmin").plan(of, {})
    assert VerifyKey("itadmin", "A" * 36, "password", early=True, needed=True) in plan.steps
    # Where FileVault is off, or another recovery key stays, nothing rests on it.
    for other in (replace(WITH_KEY, state="off"), replace(WITH_KEY, institutional_key=True)):
        assert KeyRequest("absent", given=frozenset({"current_key"})).plan(mac(ADMIN, filevault=other), {}).changes


EARLY_KEY = VerifyKey("itadmin", "A" * 36, "password", early=True, needed=True)


@pytest.mark.parametrize(
    ("of", "proofs", "refused"),
    [
        (mac(ADMIN, filevault=WITH_KEY), (EARLY_KEY,), False),
        (mac(ADMIN, filevault=WITH_KEY), (), True),
        (mac(ADMIN, filevault=WITH_KEY), (replace(EARLY_KEY, needed=False),), True),
        (mac(ADMIN, filevault=WITH_KEY), (replace(EARLY_KEY, early=False),), True),
        (mac(ADMIN, filevault=WITH_KEY), (replace(EARLY_KEY, user="ana"),), True),
        # One of several is enough, and it must be one who can log in.
        (mac(ADMIN, HOLDER, filevault=WITH_KEY), (EARLY_KEY,), False),
        (mac(HOLDER, UNABLE, filevault=WITH_KEY), (EARLY_KEY,), True),
        (mac(ADMIN, filevault=replace(WITH_KEY, state="off")), (), False),
        (mac(ADMIN, filevault=replace(WITH_KEY, state="decrypting")), (), True),
        (mac(ADMIN, filevault=replace(WITH_KEY, institutional_key=True)), (), False),
        (mac(ADMIN, filevault=replace(WITH_KEY, institutional_key=True), apple_silicon=True), (), True),
    ],
)
@pytest.mark.parametrize("padding", [(), (SetAttribute("itadmin", "hint", "x"),)])
def test_whose_key_must_be_proven_before_the_last_recovery_key_goes(
    of: Mac, proofs: tuple[Step, ...], refused: bool, padding: tuple[Step, ...]
) -> None:
    plan = Plan(of, (*proofs, *padding, RemoveKey("itadmin"), *padding))
    if refused:
        with pytest.raises(Refusal) as caught:
            lawful(plan)
        assert caught.value.reason == "last_recovery_key"
        assert caught.value.msg.endswith("and its last recovery key would go")
    else:
        lawful(plan)


def test_no_recovery_key_is_missed_where_there_was_none() -> None:
    lawful(Plan(mac(ADMIN), (SetAttribute("itadmin", "hint", "x"),)))


# -- what is read and not found out by failing ------------------------------------------------------------------------


@pytest.mark.parametrize("request_", [OffboardRequest("ana"), AccountRequest("ana", state="absent")])
def test_without_full_disk_access_nothing_is_deleted(request_: t.Any) -> None:
    of = mac(ADMIN, HOLDER, full_disk_access=False, full_disk_evidence="ls: Operation not permitted")
    with pytest.raises(Refusal) as caught:
        request_.plan(of, {})
    assert (caught.value.reason, caught.value.evidence) == ("no_full_disk_access", ("ls: Operation not permitted",))
    for other in (True, None):
        assert request_.plan(replace(of, full_disk_access=other), {}).changes
    assert request_.ask.full_disk_access


def test_a_bootstrap_token_that_does_not_answer_grants_nobody_anything() -> None:
    management = Management(enrolled=True, bootstrap="escrowed_unproven", preflight_asked=True)
    of = mac(replace(NOBODY, admin=True), filevault=OFF, management=management)
    assert recoverability(of).verdict == "at_risk"
    assert recoverability(replace(of, management=replace(management, preflight_asked=False))).verdict == "pending"
    assert recoverability(replace(of, management=replace(management, preflight=True))).verdict == "pending"


def test_removing_a_bootstrap_token_where_somebody_can_grant_is_nobodys_loss() -> None:
    of = mac(ADMIN, management=Management(enrolled=True, automated=True, bootstrap="valid"))
    assert BootstrapRequest("absent", admin_user="itadmin").plan(of, {}).changes


@pytest.mark.parametrize("state", STATES)
def test_a_new_password_is_tried_against_its_key_wherever_that_may_be_asked_for(state: str) -> None:
    change = PasswordRequest("ana", given=GIVEN)
    of = mac(ADMIN, HOLDER, filevault=FileVault(state, personal_key=False))
    assert VerifyKey("ana", "B" * 36, "password") in change.plan(of, {"password": False}).steps
    off = change.plan(replace(of, filevault=OFF), {"password": False})
    assert not [step for step in off.steps if isinstance(step, VerifyKey)]


def test_nobody_is_promoted_whose_right_no_later_run_could_take_back() -> None:
    grant = TokenRequest("rui", admin_user="ana", allow_temporary_promotion=True)
    with pytest.raises(Refusal) as caught:
        grant.plan(mac(HOLDER, NOBODY), {})
    assert (caught.value.reason, "could not be undone" in caught.value.msg) == ("granter_not_admin", True)
    assert grant.plan(mac(HOLDER, NOBODY, replace(NOBODY, name="it", guid="F" * 36, admin=True)), {}).changes
