# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody leaves: in which order, and for whom it is refused."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.keyholder.macos.plugins.module_utils._account import EVERYWHERE, NOWHERE, Account, Sources
from ansible_collections.keyholder.macos.plugins.module_utils._command import accounts
from ansible_collections.keyholder.macos.plugins.module_utils._mac import FileVault, Mac, Volume
from ansible_collections.keyholder.macos.plugins.module_utils._macos import Version
from ansible_collections.keyholder.macos.plugins.module_utils._plan.account import AccountRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.offboard import OffboardRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.plan import Plan
from ansible_collections.keyholder.macos.plugins.module_utils._reading.ask import Ask
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command, Ran
from ansible_collections.keyholder.macos.plugins.module_utils._unfinished import (
    archived,
    creation,
    offboarding,
    repairing,
)
from ansible_collections.keyholder.macos.tests.unit.plugins.module_utils import strategies

ADMIN = Account("itadmin", "A" * 36, "IT Admin", 501, 20, admin=True, sources=EVERYWHERE, home="/Users/itadmin")
ANA = Account("ana", "B" * 36, "Ana Sousa", 502, 20, sources=EVERYWHERE, home="/Users/ana")
ARCHIVED = OffboardRequest("ana", "archive")
BEGUN, KEPT = offboarding("ana", ANA.guid), archived("ana", ANA.guid)
UNLISTED = Sources(True, True, False)
MORE_ARCHIVES = ("/Users/Shared/ana.tar.gz", "/private/tmp/a.tgz")
"""Where others than root write."""


def mac(*people: Account, filevault: str = "on", **more: t.Any) -> Mac:
    made_up: dict[str, t.Any] = {
        "as_root": True,
        "volume": Volume("disk3s1s1", True, True),
        "filevault": FileVault(filevault, personal_key=True),
        "sessions": frozenset[str](),
        "files": frozenset({"/Users/ana"}),
    }
    made_up["places"] = strategies.places([person.home for person in people], [strategies.ARCHIVE, *MORE_ARCHIVES])
    return Mac(Version(15, 6), accounts=people, **{**made_up, **more})


def refusal(request: OffboardRequest, of: Mac) -> str:
    with pytest.raises(Refusal) as caught:
        request.plan(of, {})
    return caught.value.reason


def kinds(plan: Plan) -> list[str]:
    return [type(step).__name__ for step in plan.steps]


def test_the_safe_order_in_words() -> None:
    assert ARCHIVED.plan(mac(ADMIN, ANA), {}).words() == [
        f"note on the Mac what is under way: {BEGUN}",
        "archive the home folder of ana (/Users/ana) in /var/root/ana.tar.gz, which only root can read",
        "read /var/root/ana.tar.gz to its end",
        f"note on the Mac what is under way: {KEPT}",
        "note on the Mac that its preboot volume must be updated",
        "take from ana the right to unlock FileVault, and with it the right to authorise others",
        "delete the account ana and delete its home folder",
        "read the Mac again and compare what its sources say of ana",
        f"remove the note from the Mac: {BEGUN} is done",
        f"remove the note from the Mac: {KEPT} is done",
        "update the preboot volume, so that the FileVault window shows the right users",
    ]


def test_an_archive_is_never_overwritten_by_a_later_run() -> None:
    """Since a run was cut off, the home may have been half deleted, or worked in for weeks."""
    cut = mac(ADMIN, ANA, pending=frozenset({BEGUN, KEPT}), files=frozenset({"/Users/ana", "/var/root/ana.tar.gz"}))
    words = ARCHIVED.plan(cut, {}).words()
    assert "in /var/root/ana-again.tar.gz" in words[0]
    assert words[1] == "read /var/root/ana-again.tar.gz to its end"
    deleted = replace(cut, files=frozenset({"/var/root/ana.tar.gz"}))
    plan = ARCHIVED.plan(deleted, {})
    assert not [word for word in plan.words() if "archive the home" in word]
    assert plan.after.pending == frozenset()


def test_a_note_is_on_one_person_and_not_on_a_name() -> None:
    """Another ana, who came after an offboarding that was cut off, has a home of her own."""
    former = frozenset({offboarding("ana", "F" * 36), archived("ana", "F" * 36), offboarding("ana b", "E" * 36)})
    plan = ARCHIVED.plan(mac(ADMIN, ANA, pending=former), {})
    assert "in /var/root/ana.tar.gz" in plan.words()[1]
    assert plan.after.pending == {offboarding("ana b", "E" * 36)}
    there = mac(ADMIN, ANA, pending=former, files=frozenset({"/Users/ana", "/var/root/ana.tar.gz"}))
    assert refusal(ARCHIVED, there) == "archive_exists"


def test_whoever_is_gone_leaves_no_note() -> None:
    left = frozenset({BEGUN, KEPT, creation("ana"), repairing("ana"), creation("bo")})
    for request in (ARCHIVED, AccountRequest("ana", state="absent")):
        assert request.plan(mac(ADMIN, pending=left), {}).after.pending == {creation("bo")}
        assert request.plan(mac(ADMIN, ANA, pending=left), {}).after.pending == {creation("bo")}


def test_refusals() -> None:
    assert refusal(OffboardRequest("itadmin"), mac(ADMIN, ANA)) == "last_admin_holder"
    assert refusal(OffboardRequest("ana"), mac(ADMIN, ANA, sessions=frozenset({"ana"}))) == "user_logged_in"
    assert refusal(OffboardRequest("ana"), mac(ADMIN, ANA, sessions=None)) == "reading_incomplete"
    for path in MORE_ARCHIVES:
        assert refusal(OffboardRequest("ana", "archive", path), mac(ADMIN, ANA)) == "path_unsafe"
    for path in ("relative", "/srv/ana/keep.tar.gz"):
        elsewhere = replace(ANA, home="/srv/ana")
        there = mac(ADMIN, elsewhere, files=frozenset({"/srv/ana"}))
        assert refusal(OffboardRequest("ana", "archive", path), there) == "value_unusable"
    assert refusal(ARCHIVED, mac(ADMIN, ANA, files=frozenset())) == "value_unusable"
    assert refusal(OffboardRequest("_www"), mac(ADMIN, ANA, names=frozenset({"_www"}))) == "system_account"
    assert (
        refusal(ARCHIVED, mac(ADMIN, ANA, files=frozenset({"/Users/ana", "/var/root/ana.tar.gz"}))) == "archive_exists"
    )
    unlisted = replace(ADMIN, sources=replace(EVERYWHERE, filevault=None))
    assert refusal(OffboardRequest("ana"), mac(unlisted, ANA)) == "reading_incomplete"


@pytest.mark.parametrize(
    ("request_", "of", "reason"),
    [
        (OffboardRequest("-ana"), mac(ADMIN, ANA), "name_unusable"),
        (OffboardRequest("Ana"), mac(ADMIN, ANA, names=frozenset({"ana"})), "name_differs"),
        (OffboardRequest("ana"), mac(ADMIN, ANA, as_root=False), "not_root"),
        (OffboardRequest("ana", "archive", "/Users/a\nb"), mac(ADMIN, ANA), "value_unusable"),
        (ARCHIVED, mac(ADMIN, replace(ANA, home="")), "value_unusable"),
        (OffboardRequest("ana"), mac(replace(ADMIN, sources=UNLISTED), ANA), "last_unlocker"),
    ],
)
def test_what_else_is_refused(request_: OffboardRequest, of: Mac, reason: str) -> None:
    assert refusal(request_, of) == reason


def test_the_last_holder_and_the_last_administrator_stay_as_macos_itself_keeps_them() -> None:
    tokenless = replace(ADMIN, sources=NOWHERE)
    assert refusal(OffboardRequest("ana"), mac(tokenless, ANA, filevault="off")) == "last_holder"
    assert refusal(OffboardRequest("itadmin"), mac(tokenless, ANA)) == "last_holder"


def test_who_unlocks_nothing_is_not_the_last_who_does() -> None:
    nobody = mac(replace(ADMIN, sources=UNLISTED), replace(ANA, sources=NOWHERE))
    assert kinds(OffboardRequest("ana").plan(nobody, {})) == ["Note", "DeleteAccount", "Prove", "Forget"]
    off = OffboardRequest("ana").plan(mac(ADMIN, ANA, filevault="off"), {})
    assert "RemoveUnlocker" not in kinds(off)
    assert "RemoveUnlocker" in kinds(OffboardRequest("ana").plan(mac(ADMIN, ANA), {}))


def test_what_the_cut_run_itself_has_archived_may_be_written_again() -> None:
    of = mac(ADMIN, ANA, pending=frozenset({BEGUN}), files=frozenset({"/Users/ana", "/var/root/ana.tar.gz"}))
    assert kinds(ARCHIVED.plan(of, {}))[:3] == ["ArchiveHome", "ProofArchive", "Note"]


def test_what_has_to_be_read_for_it() -> None:
    refused = "/etc/ssh/sshd_config.d/040-keyholder-ana.conf"
    always = Ask(sessions=True, full_disk_access=True, exists=(refused,))
    assert OffboardRequest("ana").ask == always
    path = "/var/root/ana.tar.gz"
    assert ARCHIVED.ask == replace(always, way_home="ana", home="ana", exists=(path, refused), way=path)
    assert OffboardRequest("ana", "delete").ask == replace(always, way_home="ana")


def test_forced_it_goes_on_while_somebody_is_logged_in() -> None:
    assert OffboardRequest("ana", force=True).plan(mac(ADMIN, ANA, sessions=frozenset({"ana"})), {}).changes
    assert OffboardRequest("ana", force=True).plan(mac(ADMIN, ANA, sessions=None), {}).changes


def test_who_is_not_there_needs_nothing() -> None:
    assert OffboardRequest("ana").plan(mac(ADMIN), {}).steps == ()


@given(strategies.macs(), st.sampled_from(strategies.NAMES), st.sampled_from(["keep", "archive", "delete", "secure"]))
def test_whoever_leaves_the_mac_stays_recoverable(of: Mac, name: str, home: str) -> None:
    try:
        there = replace(of, files=frozenset(account.home for account in of.accounts))
        plan = t.cast(Plan, OffboardRequest(name, home, force=True).plan(there, {}))
    except Refusal:
        return
    assert plan.after.account(name) is None
    for state in plan.states():
        assert state.granters or not of.granters
        assert state.unlockers or not of.unlockers or not of.filevault.on
    kinds = [type(step).__name__ for step in plan.steps]
    if "ArchiveHome" in kinds:
        assert kinds.index("ProofArchive") < kinds.index("DeleteAccount")


def test_what_who_says() -> None:
    text = "ana              console  Nov 24 12:00 \nluc              ttys000  Nov 24 12:01 \n"
    assert accounts.parse_who(Ran(Command(("who",)), 0, text)) == {"ana", "luc"}
    assert accounts.parse_who(Ran(Command(("who",)), 0, "")) == frozenset()
    assert accounts.parse_who(Ran(Command(("who",)), None, err="gone")) is None


def test_an_archive_is_for_root_alone_and_names_are_arguments() -> None:
    argv = accounts.archive("/Users/an'a $x/", "/var/root/a b.tar.gz").argv
    assert argv[:4] == ("sh", "-c", 'umask 077; exec "$@"', "sh")
    assert argv[4:] == ("tar", "-c", "-z", "-f", "/var/root/a b.tar.gz", "-C", "/Users", "an'a $x")
