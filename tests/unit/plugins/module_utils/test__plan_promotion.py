# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Administrator rights for the moment of a grant: noted before, undone by three, and never counted on."""

from __future__ import annotations

import plistlib
import subprocess
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ansible_collections.keyholder.macos.plugins.module_utils._account import EVERYWHERE, NOWHERE, Account
from ansible_collections.keyholder.macos.plugins.module_utils._command import launchd
from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac, Management, Volume
from ansible_collections.keyholder.macos.plugins.module_utils._macos import Version
from ansible_collections.keyholder.macos.plugins.module_utils._plan import promotion as promoting
from ansible_collections.keyholder.macos.plugins.module_utils._plan.account import AccountRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.plan import Plan, guard
from ansible_collections.keyholder.macos.plugins.module_utils._plan.promotion import healed, healing, with_healing
from ansible_collections.keyholder.macos.plugins.module_utils._plan.token import TokenRequest
from ansible_collections.keyholder.macos.plugins.module_utils._reading.summary import summary
from ansible_collections.keyholder.macos.plugins.module_utils._reading.view import view
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._recoverable import recoverability
from ansible_collections.keyholder.macos.plugins.module_utils._step.account import DropDemotion, PlanDemotion, SetAdmin
from ansible_collections.keyholder.macos.plugins.module_utils._step.general import Forget, Prove
from ansible_collections.keyholder.macos.plugins.module_utils._step.token import CheckPassword
from ansible_collections.keyholder.macos.plugins.module_utils._unfinished import promoted_by, promotion
from ansible_collections.keyholder.macos.tests.unit.plugins.module_utils import strategies

ANA = Account("ana", "A" * 36, "Ana Sousa", 501, 20, sources=EVERYWHERE)
ADMIN = Account("itadmin", "B" * 36, "IT Admin", 502, 20, admin=True, sources=NOWHERE)
LENT = replace(ANA, admin=True)
WANTED = TokenRequest("itadmin", admin_user="ana", allow_temporary_promotion=True)


def mac(*accounts: Account, **more: t.Any) -> Mac:
    made_up: dict[str, t.Any] = {"volume": Volume("disk3s1s1", True, True), "as_root": True}
    return Mac(Version(15, 6), accounts=accounts, **{**made_up, **more})


def refusal(request: t.Any, of: Mac) -> Refusal:
    with pytest.raises(Refusal) as caught:
        request.plan(of, {})
    return caught.value


def test_a_promotion_in_words() -> None:
    assert WANTED.plan(mac(ANA, ADMIN), {}).words() == [
        "check the password of ana",
        "check the password of itadmin",
        "note on the Mac what is under way: promoted ana",
        "have the Mac demote ana by itself after 15 minutes if this run is interrupted",
        "make ana an administrator",
        "note on the Mac that its preboot volume must be updated",
        "grant itadmin a Secure Token, authorised by ana",
        "take administrator rights from ana",
        "read the Mac again and compare what its sources say of itadmin, ana",
        "remove the job on the Mac that would demote ana",
        "remove the note from the Mac: promoted ana is done",
        "update the preboot volume, so that the FileVault window shows the right users",
    ]


def test_without_the_option_it_is_refused_and_both_ways_out_are_named() -> None:
    said = refusal(replace(WANTED, allow_temporary_promotion=False), mac(ANA, ADMIN))
    assert said.reason == "granter_not_admin"
    assert "allow_temporary_promotion with admin_user ana" in said.msg
    assert "Bootstrap Token" in said.msg
    assert "not over SSH" in said.msg
    by_itself = refusal(TokenRequest("itadmin", admin_user="itadmin"), mac(ANA, ADMIN))
    assert by_itself.reason == "granter_no_token"
    assert "allow_temporary_promotion with admin_user ana" in by_itself.msg


def test_an_escrowed_bootstrap_token_is_named_as_the_way_that_is_there() -> None:
    of = mac(ANA, ADMIN, management=Management(bootstrap="valid"))
    assert "the escrowed Bootstrap Token grants one" in refusal(TokenRequest("itadmin"), of).msg


def test_nobody_is_promoted_where_an_administrator_holds_a_token() -> None:
    other = replace(ADMIN, name="boss", guid="C" * 36, sources=EVERYWHERE)
    assert refusal(WANTED, mac(ANA, ADMIN, other)).reason == "granter_not_admin"
    # One who cannot log in is still one, and can be enabled again.
    assert refusal(WANTED, mac(ANA, ADMIN, replace(other, disabled=True))).reason == "granter_not_admin"


def test_a_promoted_account_is_nobody_to_build_on() -> None:
    of = mac(LENT, ADMIN, pending=frozenset({promotion("ana")}))
    assert of.admin_holders == of.granters == ()
    assert recoverability(of).verdict == "at_risk"
    guard(of, healed(of))
    assert view(of)["promoted"] == ["ana"]
    assert any("ana is an administrator for a grant only" in line for line in summary(of))


@given(strategies.macs(), strategies.requests)
def test_no_prefix_of_a_plan_leaves_a_promotion_unnoted_or_without_its_undoing(of: Mac, request: t.Any) -> None:
    try:
        plan = t.cast(Plan, request.plan(of, {}))
    except Refusal:
        return
    asked = getattr(request, "admin", None)
    planned: set[str] = set()
    for step, state in zip(plan.steps, plan.states()[1:]):
        if isinstance(step, PlanDemotion):
            planned.add(step.user)
        if isinstance(step, DropDemotion):
            planned.discard(step.user)
        for account in state.accounts:
            before = of.account(account.name)
            for_good = asked and account.name == request.name
            if before is not None and account.admin and not before.admin and not for_good:
                assert account.name in state.promoted
                assert account.name in planned
    # The note of an earlier run may go with the plan's own promotion of the same account, which is then none any more.
    gone = set(of.promoted) - set(plan.after.promoted)
    assert set(plan.after.promoted) <= set(of.promoted)
    assert not [account.name for account in plan.after.accounts if account.name in gone and account.admin]
    assert not planned


@given(strategies.macs(), strategies.requests, st.sampled_from(strategies.NAMES))
def test_every_plan_heals_first_and_no_temporary_right_survives(of: Mac, request: t.Any, name: str) -> None:
    lent = of.account(name)
    assume(lent is not None)
    others = frozenset(work for work in of.pending if not promoted_by(work))
    open_ = replace(of.with_account(replace(t.cast(Account, lent), admin=True)), pending=others | {promotion(name)})
    # Who is the only administrator stays one, and so does the account that the run came in by; see below.
    open_ = replace(open_, own=of.own - {name})
    assume(any(who.admin and who.able and who.uid != 0 and who.name != name for who in of.accounts))
    try:
        plan = with_healing(open_, request.plan(healed(open_), {}))
    except Refusal:
        return
    kinds = [type(step) for step in plan.steps if not isinstance(step, CheckPassword)]
    assert kinds[:2] == [SetAdmin, Prove]
    assert plan.after.promoted == ()
    left = plan.after.account(name)
    asked = isinstance(request, AccountRequest) and request.name == name and request.admin
    assert left is None or not left.admin or asked


def test_only_root_heals_and_only_where_the_groups_can_be_read() -> None:
    """Without them everybody looks like a standard user, and the note and the job would go while the right stays."""
    of = mac(LENT, ADMIN, pending=frozenset({promotion("ana")}))
    assert healing(replace(of, as_root=False)) == []
    assert healing(replace(of, groups_read=False)) == []
    plan = Plan(replace(of, as_root=False), ())
    assert with_healing(plan.before, plan) is plan


def test_a_right_that_still_stands_is_taken_proven_and_only_then_forgotten() -> None:
    of = mac(LENT, ADMIN, pending=frozenset({promotion("ana")}))
    cleared = [DropDemotion("ana"), Forget(promotion("ana"))]
    assert healing(of) == [SetAdmin("ana", False), Prove(("ana",)), *cleared]
    # The Mac's own job may have come first, or the account may be gone: what is left over goes all the same.
    assert healing(replace(of, accounts=(ANA, ADMIN))) == cleared
    assert healing(replace(of, accounts=(ADMIN,))) == cleared


def test_the_only_administrator_stays_one_and_the_way_out_is_named() -> None:
    """The others may be gone since the note was written: then what it says is no longer what the Mac needs."""
    for others in [(), (replace(ADMIN, disabled=True),), (replace(ADMIN, uid=0),)]:
        of = mac(LENT, *others, pending=frozenset({promotion("ana")}))
        assert healing(of) == []
        assert healed(of) == of
        (note,) = with_healing(of, Plan(of)).notes
        assert "and was interrupted, and ana stays one: " in note
        assert "make another account an administrator" in note.lower()
        # A run knows of its own promotion that there was no right before.
        assert SetAdmin("ana", False) in healing(of, {"ana"})


def test_a_right_that_the_plan_itself_makes_dispensable_is_taken_back_at_its_end() -> None:
    """Another administrator comes: a second run with the same request must have nothing to do."""
    bob = replace(ADMIN, name="bob", uid=503, guid="C" * 36, admin=False)
    of = mac(LENT, bob, pending=frozenset({promotion("ana")}))
    request = AccountRequest("bob", admin=True)
    plan = with_healing(of, request.plan(healed(of), {}))
    assert [step.words for step in plan.steps][-4:] == [
        "take administrator rights from ana",
        "read the Mac again and compare what its sources say of ana",
        "remove the job on the Mac that would demote ana",
        "remove the note from the Mac: promoted ana is done",
    ]
    assert any("ana" in note and note.endswith("this run undoes that at its end") for note in plan.notes)
    after = plan.after
    assert after.promoted == () and [who.name for who in after.accounts if who.admin] == ["bob"]
    assert with_healing(after, request.plan(healed(after), {})).steps == ()


def test_two_that_are_promoted_are_nobodys_only_administrators() -> None:
    """And the Mac's job stays until the last right was taken: nobody knows for whom of them it is."""
    bob = replace(ADMIN, name="bob", uid=503, guid="C" * 36)
    notes = frozenset({promotion("ana"), promotion("bob")})
    alone = mac(LENT, bob, pending=notes)
    assert healing(alone) == []
    assert len(with_healing(alone, Plan(alone)).notes) == 2
    assert [type(step) for step in healing(mac(LENT, bob, ADMIN, pending=notes))] == [
        *(SetAdmin, Prove, SetAdmin, Prove),
        *(DropDemotion, Forget, Forget),
    ]
    kept = mac(replace(LENT, disabled=True), replace(bob, admin=False), pending=notes)
    assert healing(kept) == [Forget(promotion("bob"))]


def test_healing_passes_the_guard_like_any_other_step(monkeypatch: pytest.MonkeyPatch) -> None:
    of = mac(LENT, ADMIN, pending=frozenset({promotion("ana")}))
    asked = []

    def refusing(plan: Plan) -> None:
        asked.append(plan)
        raise Refusal("would_lock_out", "this would lock the Mac")

    monkeypatch.setattr(promoting, "lawful", refusing)
    assert healing(of) == []
    assert asked == [Plan(of, (SetAdmin("ana", False),))]
    (note,) = with_healing(of, Plan(of)).notes
    assert "this would lock the Mac" in note


def test_the_account_that_a_run_came_in_by_stays_an_administrator() -> None:
    of = mac(LENT, ADMIN, pending=frozenset({promotion("ana")}), own=frozenset({"ana"}))
    assert healing(of) == []
    (note,) = with_healing(of, Plan(of)).notes
    assert "this run logged in with ana or became root from it, and ana would no longer be an administrator" in note


def test_a_plan_that_heals_checks_its_passwords_first_and_says_why_it_heals() -> None:
    of = mac(LENT, ADMIN, pending=frozenset({promotion("ana")}))
    plan = with_healing(of, WANTED.plan(healed(of), {}))
    kinds = [type(step) for step in plan.steps]
    assert kinds[:4] == [CheckPassword, CheckPassword, SetAdmin, Prove]
    (note,) = plan.notes
    assert "made ana an administrator for a grant and was interrupted" in note


# -- the Mac's own job ------------------------------------------------------------------------------------------------


def test_the_job_starts_later_and_holds_no_more_than_a_name() -> None:
    content = plistlib.loads(launchd.job("a'na $x", promotion("a'na $x"), 900).encode())
    assert content["StartInterval"] == 900
    assert "RunAtLoad" not in content
    assert "KeepAlive" not in content
    assert content["ProgramArguments"][-2:] == ["a'na $x", "promoted a'na $x"]
    assert set(content) == {"Label", "ProgramArguments", "StartInterval"}


_PROGRAM = """#!/bin/sh
printf '%s' "$(basename "$0")" >> "$LOG"; printf ' <%s>' "$@" >> "$LOG"; echo >> "$LOG"
case " $FAILS " in *" $(basename "$0") "* | *" $(basename "$0")$2 "*) exit 1 ;; esac
[ "$2" != -read ] || printf '%s\n' "$MEMBERS"
"""


def fire(tmp_path: Path, fails: str = "", members: str = "GroupMembership: root ana itadmin") -> tuple[int, list[str]]:
    """Run the job's own script with programs that only write down how they were called, and fail where they should."""
    for name in ("dscl", "dseditgroup", "launchctl", "ls", "rm"):
        (tmp_path / name).write_text(_PROGRAM)
        (tmp_path / name).chmod(0o755)
    argv = plistlib.loads(launchd.job("ana", "promoted ana", 900).encode())["ProgramArguments"]
    environment = {
        "PATH": f"{tmp_path}:/usr/bin:/bin",
        "LOG": str(tmp_path / "log"),
        "FAILS": fails,
        "MEMBERS": members,
    }
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, (tmp_path / "log").read_text().splitlines()


LOOK = f"ls <{launchd.PATH}>"
MEMBERS = "dscl <.> <-read> </Groups/admin> <GroupMembership>"
DEMOTE = "dseditgroup <-o> <edit> <-d> <ana> <-t> <user> <admin>"
FORGET = "dscl <.> <-delete> </Users/root> <dsAttrTypeNative:keyholder_pending> <promoted ana>"
REMOVE = f"rm <-f> <{launchd.PATH}>"
UNLOAD = f"launchctl <bootout> <system/{launchd.LABEL}>"


def test_the_job_demotes_forgets_and_removes_itself(tmp_path: Path) -> None:
    assert fire(tmp_path) == (0, [LOOK, MEMBERS, DEMOTE, FORGET, REMOVE, UNLOAD])


def test_the_job_demotes_although_somebody_has_lost_the_note(tmp_path: Path) -> None:
    assert fire(tmp_path, fails="dscl-delete") == (0, [LOOK, MEMBERS, DEMOTE, FORGET, REMOVE, UNLOAD])


def test_the_job_demotes_nobody_once_a_run_has_taken_its_property_list_away(tmp_path: Path) -> None:
    """launchd may still have it loaded, and the right may have been given for good since."""
    assert fire(tmp_path, fails="ls") == (0, [LOOK, UNLOAD])


def test_a_job_that_fails_stays_to_try_again(tmp_path: Path) -> None:
    assert fire(tmp_path, fails="dseditgroup") == (1, [LOOK, MEMBERS, DEMOTE])


@pytest.mark.parametrize(
    ("fails", "members"),
    [("", "GroupMembership: root ana"), ("", "GroupMembership:\n root\n ana"), ("", ""), ("dscl-read", "")],
)
def test_the_job_leaves_a_mac_its_last_administrator_and_tries_again(tmp_path: Path, fails: str, members: str) -> None:
    assert fire(tmp_path, fails, members) == (1, [LOOK, MEMBERS])
