# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is broken is found, mended in an order that a cut survives, and never at the cost of the last way in."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.keyholder.macos.plugins.module_utils._account import EVERYWHERE, NOWHERE, Account, Sources
from ansible_collections.keyholder.macos.plugins.module_utils._mac import FileVault, Mac, Volume
from ansible_collections.keyholder.macos.plugins.module_utils._macos import Version
from ansible_collections.keyholder.macos.plugins.module_utils._plan.plan import Plan
from ansible_collections.keyholder.macos.plugins.module_utils._plan.repair import (
    NO_OWNER,
    OPENS,
    RepairRequest,
    findings,
)
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._step.token import VerifyKey
from ansible_collections.keyholder.macos.plugins.module_utils._unfinished import repairing
from ansible_collections.keyholder.macos.tests.unit.plugins.module_utils import strategies

ADMIN = Account("itadmin", "A" * 36, "IT Admin", 501, 20, admin=True, sources=EVERYWHERE)
ANA = Account("ana", "B" * 36, "Ana Sousa", 502, 20, sources=EVERYWHERE)
BOTH = frozenset({"password", "admin_password"})
OLD = frozenset({"password", "old_password"})
STALE: dict[str, bool | None] = {"password": True, "old_password": False, OPENS: False}


def mac(*people: Account, **more: t.Any) -> Mac:
    made_up: dict[str, t.Any] = {
        "as_root": True,
        "volume": Volume("disk3s1s1", True, True),
        "filevault": FileVault("on", personal_key=True),
    }
    return Mac(Version(15, 6), accounts=people, **{**made_up, **more})


def kinds(request: RepairRequest, of: Mac, same: t.Mapping[str, bool | None]) -> list[str]:
    return [type(step).__name__ for step in request.plan(of, same).steps]


def refusal(request: RepairRequest, of: Mac, same: t.Mapping[str, bool | None]) -> str:
    with pytest.raises(Refusal) as caught:
        request.plan(of, same)
    return caught.value.reason


@pytest.mark.parametrize(
    ("sources", "kind"),
    [
        (Sources(True, False, False), "marker_without_key"),
        (Sources(True, False, True), "marker_without_key"),
        (Sources(False, False, True), "marker_without_key"),
        (Sources(False, True, True), "key_without_marker"),
        (Sources(False, True, False), "key_without_marker"),
        (Sources(True, True, False), "cannot_unlock"),
    ],
)
def test_every_disagreement_has_a_name(sources: Sources, kind: str) -> None:
    of = mac(ADMIN, replace(ANA, sources=sources))
    assert [(one.kind, one.who) for one in findings(of)] == [(kind, "ana")]


def test_what_concerns_nobody_in_particular() -> None:
    of = mac(ADMIN, orphans=("C" * 36,), pending=frozenset({"preboot"}))
    assert [one.kind for one in findings(of)] == ["orphaned_crypto_user", "preboot_untold"]
    assert kinds(RepairRequest(), of, {}) == ["UpdatePreboot"]
    assert kinds(RepairRequest(orphans=True), of, {}) == ["RemoveOrphan", "Prove", "UpdatePreboot"]
    assert refusal(RepairRequest(orphans=True), replace(of, apple_silicon=True), {}) == "orphan_stays"
    assert refusal(RepairRequest(orphans=True), replace(of, model="MacBookPro16,1"), {}) == "orphan_stays"
    assert kinds(RepairRequest(), mac(ADMIN, ANA), {}) == []


@pytest.mark.parametrize("people", [(), (replace(ADMIN, disabled=True),), (replace(ANA, sources=NOWHERE),)])
def test_a_key_of_nobody_is_kept_where_it_may_be_the_last_one(people: tuple[Account, ...]) -> None:
    """Whoever knows the password of the account that was deleted is the only one who gets in."""
    no_key = FileVault("on", personal_key=False)
    of = mac(*people, orphans=("C" * 36,), filevault=no_key)
    assert refusal(RepairRequest(orphans=True), of, {}) == "would_lock_out"
    assert refusal(RepairRequest(orphans=True), replace(of, orphans=("C" * 36, "D" * 36)), {}) == "would_lock_out"
    assert kinds(RepairRequest(orphans=True), replace(of, filevault=FileVault("on", personal_key=True)), {})
    assert kinds(RepairRequest(orphans=True), replace(of, filevault=FileVault("off")), {})
    assert kinds(RepairRequest(orphans=True), mac(ADMIN, orphans=("C" * 36,), filevault=no_key), {})


def test_a_marker_goes_before_the_grant_and_a_key_is_granted_again() -> None:
    request = RepairRequest("ana", "itadmin", given=BOTH)
    checks = ["CheckPassword", "CheckPassword", "Note"]
    marker = mac(ADMIN, replace(ANA, sources=Sources(True, False, False)))
    assert kinds(request, marker, {}) == [
        *checks,
        "Note",
        "RemoveMarker",
        "Grant",
        "Prove",
        "Forget",
        "UpdatePreboot",
    ]
    key = mac(ADMIN, replace(ANA, sources=Sources(False, True, True)))
    assert kinds(request, key, {}) == [*checks, "Grant", "Prove", "UpdatePreboot"]
    unlisted = mac(ADMIN, replace(ANA, sources=Sources(True, True, False)))
    assert kinds(request, unlisted, {}) == [*checks, "AddUnlocker", "Prove", "UpdatePreboot"]


def test_a_stale_key_comes_back_with_the_old_password() -> None:
    words = RepairRequest("ana", given=OLD).plan(mac(ADMIN, ANA), STALE).words()
    assert words == [
        "check the password of ana",
        "have macOS check that the password opens the key of ana, which unlocks FileVault",
        "set the password of ana back to the one that opens its key",
        "read the Mac again and compare what its sources say of ana",
        "set the password of ana from the old password",
        "read the Mac again and compare what its sources say of ana",
        "have macOS check that the password opens the key of ana, which unlocks FileVault",
    ]


def test_cut_between_the_two_halves_it_goes_on_from_there() -> None:
    same: dict[str, bool | None] = {"password": False, "old_password": True, OPENS: None}
    assert kinds(RepairRequest("ana", given=OLD), mac(ADMIN, ANA), same) == [
        "CheckPassword",
        "VerifyKey",
        "SetPassword",
        "Prove",
        "VerifyKey",
    ]


def test_without_the_old_password_the_token_is_taken_and_granted_again() -> None:
    assert kinds(RepairRequest("ana", "itadmin", given=BOTH), mac(ADMIN, ANA), STALE) == [
        "CheckPassword",
        "CheckPassword",
        "Note",
        "Note",
        "Revoke",
        "Prove",
        "Grant",
        "Prove",
        "Forget",
        "VerifyKey",
        "UpdatePreboot",
    ]


def test_refusals() -> None:
    assert refusal(RepairRequest("bob"), mac(ADMIN), {}) == "user_unknown"
    assert refusal(RepairRequest("ana", given=frozenset({"password"})), mac(ADMIN, ANA), STALE) == "stale_key"
    assert refusal(RepairRequest("itadmin", "itadmin", given=BOTH), mac(ADMIN, ANA), STALE) == "stale_key"
    wrong: dict[str, bool | None] = {"password": False}
    assert refusal(RepairRequest("ana", given=BOTH), mac(ADMIN, ANA), wrong) == "user_password_wrong"
    mobile = replace(ANA, kind="mobile")
    assert refusal(RepairRequest("ana", given=OLD), mac(ADMIN, mobile), STALE) == "password_elsewhere"
    assert "Revoke" in kinds(RepairRequest("ana", "itadmin", given=BOTH), mac(ADMIN, mobile), STALE)
    phantom = replace(ANA, sources=Sources(True, False, False))
    assert refusal(RepairRequest("ana"), mac(ADMIN, phantom), {}) == "granter_missing"


def test_what_is_refused_before_anything_else() -> None:
    assert refusal(RepairRequest("-ana", given=OLD), mac(ADMIN, ANA), STALE) == "name_unusable"
    assert refusal(RepairRequest("ana", given=OLD), mac(ADMIN, ANA, as_root=False), STALE) == "not_root"
    nobody = replace(ANA, has_password=False)
    assert RepairRequest("ana", given=OLD).compares(mac(ADMIN, nobody)) == {}
    assert RepairRequest("ana", given=OLD).compares(mac(ADMIN, ANA)) == {"password": "ana", "old_password": "ana"}
    assert RepairRequest("ana", given=OLD).tries(mac(ADMIN, replace(ANA, sources=NOWHERE)), {"password": True}) is None


def test_a_repair_that_was_cut_off_is_found_and_finished() -> None:
    request, noted = RepairRequest("ana", "itadmin", given=BOTH), frozenset({repairing("ana")})
    taken = mac(ADMIN, replace(ANA, sources=NOWHERE), pending=noted)
    assert [(one.kind, one.who) for one in findings(taken)] == [("repair_cut_off", "ana")]
    steps = ["CheckPassword", "CheckPassword", "Note", "Grant", "Prove", "Forget", "UpdatePreboot"]
    assert kinds(request, taken, {}) == steps
    # It had come as far as the grant: only the note is left over, and it says nothing of a holder.
    assert findings(mac(ADMIN, ANA, pending=noted)) == []
    assert kinds(request, mac(ADMIN, ANA, pending=noted), {"password": True, OPENS: True}) == ["Forget"]
    # Who simply holds no token is not broken.
    without = mac(ADMIN, replace(ANA, sources=NOWHERE))
    assert (findings(without), kinds(request, without, {})) == ([], [])
    assert kinds(request, without, {"password": False}) == []


def test_a_marker_that_is_cut_off_keeps_its_note() -> None:
    request, noted = RepairRequest("ana", "itadmin", given=BOTH), frozenset({repairing("ana")})
    of = mac(ADMIN, replace(ANA, sources=Sources(True, False, False)), pending=noted)
    steps = ["CheckPassword", "CheckPassword", "Note", "RemoveMarker", "Grant", "Prove", "Forget", "UpdatePreboot"]
    assert kinds(request, of, {}) == steps
    # Only FileVault's list names it: there is no marker to remove.
    listed = mac(ADMIN, replace(ANA, sources=Sources(False, False, True)))
    assert "RemoveMarker" not in kinds(request, listed, {})


def test_what_was_not_read_is_not_called_broken() -> None:
    for sources in (Sources(True, None, False), Sources(None, True, True), Sources(True, True, None)):
        assert findings(mac(ADMIN, replace(ANA, sources=sources))) == []


def test_orphans_are_left_alone_where_nobody_asked() -> None:
    assert kinds(RepairRequest(), mac(ADMIN, orphans=("C" * 36,)), {}) == []


def test_the_old_password_is_tried_against_the_key_before_anything_is_set() -> None:
    steps = RepairRequest("ana", given=OLD).plan(mac(ADMIN, ANA), STALE).steps
    early = [(step.secret, step.early) for step in steps if isinstance(step, VerifyKey)]
    assert early == [("old_password", True), ("password", False)]


def test_nothing_is_done_where_the_key_opens_or_nobody_can_tell() -> None:
    request = RepairRequest("ana", given=OLD)
    assert kinds(request, mac(ADMIN, ANA), {"password": True, OPENS: True}) == []
    unanswered = request.plan(mac(ADMIN, ANA), {"password": True, OPENS: None})
    assert (unanswered.steps, len(unanswered.notes)) == ((), 1)
    assert request.plan(mac(ADMIN, ANA), {"password": True, OPENS: True}).notes == ()
    assert request.tries(mac(ADMIN, ANA), {"password": False}) is None
    assert request.tries(mac(ADMIN, ANA), {"password": None}) is None
    assert request.tries(mac(ADMIN, ANA, filevault=FileVault("off")), {"password": True}) is None
    assert request.tries(mac(ADMIN, ANA), {"password": True}) == (ANA.guid, "password")


@given(
    strategies.macs(),
    st.sampled_from(strategies.NAMES),
    st.sampled_from(strategies.NAMES),
    st.sampled_from([True, False, None]),
    st.booleans(),
)
def test_no_prefix_of_a_repair_takes_the_last_way_in(
    of: Mac, user: str, granter: str, opens: bool | None, old: bool
) -> None:
    request = RepairRequest(user, granter, given=OLD if old else BOTH)
    try:
        plan = t.cast(Plan, request.plan(of, {"password": True, "old_password": False, OPENS: opens}))
    except Refusal:
        return
    for state in plan.states():
        assert state.granters or not of.granters
        assert state.holders or not of.holders
    assert {who.name for who in of.holders} <= {who.name for who in plan.after.holders}
    left = {one.kind for one in findings(plan.after) if one.who == user}
    # An account does not make itself the owner of the volume, and the old password alone makes it none.
    assert left <= ({NO_OWNER} if granter == user or old else set())
