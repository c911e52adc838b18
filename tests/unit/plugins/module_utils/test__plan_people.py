# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans about mobile accounts, offboarding, repairs and promotions, step by step, and what they return in full."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils._account import EVERYWHERE, NOWHERE, Account, Sources
from ansible_collections.keyholder.macos.plugins.module_utils._mac import (
    FileVault,
    Mac,
    Management,
    Network,
    Person,
    Volume,
)
from ansible_collections.keyholder.macos.plugins.module_utils._macos import Version
from ansible_collections.keyholder.macos.plugins.module_utils._place import Place, way
from ansible_collections.keyholder.macos.plugins.module_utils._plan.mobile import MobileAccountRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.offboard import OffboardRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.plan import Plan
from ansible_collections.keyholder.macos.plugins.module_utils._plan.promotion import (
    healing,
    notes,
    promoted,
    with_healing,
)
from ansible_collections.keyholder.macos.plugins.module_utils._plan.repair import (
    OPENS,
    Finding,
    RepairRequest,
    findings,
)
from ansible_collections.keyholder.macos.plugins.module_utils._reading.ask import Ask
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._step.account import (
    ArchiveHome,
    CreateHome,
    CreateMobileAccount,
    DeleteAccount,
    DropDemotion,
    PlanDemotion,
    ProofArchive,
    SetAdmin,
    SetAttribute,
    SetPassword,
    new_account,
)
from ansible_collections.keyholder.macos.plugins.module_utils._step.base import Step
from ansible_collections.keyholder.macos.plugins.module_utils._step.filevault import AddUnlocker, RemoveUnlocker
from ansible_collections.keyholder.macos.plugins.module_utils._step.general import Forget, Note, Prove, UpdatePreboot
from ansible_collections.keyholder.macos.plugins.module_utils._step.token import (
    CheckPassword,
    Grant,
    RemoveMarker,
    RemoveOrphan,
    Revoke,
    VerifyKey,
)
from ansible_collections.keyholder.macos.plugins.module_utils._unfinished import archived, offboarding

ADMIN = Account("itadmin", "A" * 36, "IT Admin", 501, 20, admin=True, sources=EVERYWHERE, failed_logins=0)
ANA = Account("ana", "B" * 36, "Ana Sousa", 502, 20, home="/Users/ana", sources=EVERYWHERE, failed_logins=0)
RUI = replace(ANA, name="rui", guid="C" * 36, uid=503, home="/Users/rui", sources=NOWHERE)
ON, OFF = FileVault("on", personal_key=True), FileVault("off", personal_key=False)
NOTE, TELL = Note("preboot"), UpdatePreboot()
GRANTER = CheckPassword("itadmin", "admin_password", "granter")


def check(user: str, secret: str = "password") -> CheckPassword:
    return CheckPassword(user, secret, "user")


def folders(*paths: str, last: str = "folder") -> tuple[Place, ...]:
    places: dict[str, Place] = {}
    for path in paths:
        *above, end = way(path)
        places.update({folder: Place(folder, "folder", True) for folder in above})
        places[end] = Place(end, last)
    return tuple(places.values())


def mac(*accounts: Account, **more: t.Any) -> Mac:
    made_up: dict[str, t.Any] = {
        "volume": Volume("disk3s1s1", True, True),
        "as_root": True,
        "filevault": ON,
        "sessions": frozenset[str](),
        "files": frozenset({"/Users/ana"}),
        "places": folders("/Users/ana") + folders("/var/root/ana.tar.gz", last="nothing"),
    }
    return Mac(Version(15, 6), accounts=accounts or (ADMIN, ANA, RUI), **{**made_up, **more})


def refusal(request: t.Any, of: Mac, same: t.Mapping[str, bool | None] | None = None) -> tuple[str, str]:
    with pytest.raises(Refusal) as refused:
        request.plan(of, same or {})
    return refused.value.reason, refused.value.msg


# -- mobile accounts --------------------------------------------------------------------------------------------------

CORP = "/Active Directory/CORP"
KNOWN = Network((CORP,), True, Person("ada", "Ada Lovelace", 1234))
ADA = Account("ada", "D" * 36, "Ada Lovelace", 1234, kind="mobile", home="/Users/ada", failed_logins=0)
MADE = replace(new_account("ada"), kind="mobile", full_name="Ada Lovelace", uid=1234, has_password=True)
CREATING, CREATED, PROVE_ADA = Note("creating ada"), Forget("creating ada"), Prove(("ada",))
MOBILE = MobileAccountRequest("ada")


@pytest.mark.parametrize(
    ("request_", "of", "steps", "told"),
    [
        (MOBILE, mac(ADMIN, network=KNOWN), (CREATING, CreateMobileAccount(MADE), PROVE_ADA, CREATED), 0),
        (
            replace(MOBILE, home="/h"),
            mac(ADMIN, network=KNOWN),
            (CREATING, CreateMobileAccount(replace(MADE, home="/h"), "/h"), PROVE_ADA, CREATED),
            0,
        ),
        (MOBILE, mac(ADMIN, ADA), (), 0),
        (MOBILE, mac(ADMIN, ADA, pending={"creating ada"}), (CreateHome("ada"), PROVE_ADA, CREATED), 0),
        (MOBILE, mac(ADMIN, ADA, pending={"creating bob"}), (), 0),
        (replace(MOBILE, home="/h"), mac(ADMIN, ADA), (), 1),
        (replace(MOBILE, home="/Users/ada"), mac(ADMIN, ADA), (), 0),
        (
            replace(MOBILE, secure_token="present", admin_user="itadmin"),
            mac(ADMIN, ADA),
            (GRANTER, check("ada"), NOTE, Grant("ada", "itadmin"), PROVE_ADA, TELL),
            0,
        ),
        (
            replace(MOBILE, secure_token="present", admin_user="itadmin"),
            mac(ADMIN, replace(ADA, sources=EVERYWHERE)),
            (),
            0,
        ),
    ],
)
def test_a_mobile_account_step_by_step(
    request_: MobileAccountRequest, of: Mac, steps: tuple[Step, ...], told: int
) -> None:
    plan = request_.plan(of, {})
    assert (plan.steps, len(plan.notes)) == (steps, told)


BAD_HOME = "home is {!r}, and must be an absolute path that can be printed"
NOT_FOUND = "ada was not found, and it could not be read whether a directory answers"


@pytest.mark.parametrize(
    ("request_", "of", "expected"),
    [
        (replace(MOBILE, home=""), mac(ADMIN, network=KNOWN), ("value_unusable", BAD_HOME.format(""))),
        (replace(MOBILE, home="h"), mac(ADMIN, network=KNOWN), ("value_unusable", BAD_HOME.format("h"))),
        (replace(MOBILE, home="/a\n"), mac(ADMIN, network=KNOWN), ("value_unusable", BAD_HOME.format("/a\n"))),
        (
            MOBILE,
            mac(ADMIN, replace(ADA, kind="local")),
            ("account_not_mobile", "ada is a local account on this Mac, not a mobile account"),
        ),
        (
            MOBILE,
            mac(ADMIN, replace(ADA, kind="network"), pending={"creating ada"}),
            (
                "account_not_mobile",
                "ada is a network account on this Mac, not a mobile account; an earlier run was interrupted while it"
                " made the account",
            ),
        ),
        (
            MOBILE,
            mac(ADMIN, network=KNOWN, taken={"ada"}),
            ("full_name_taken", "name 'ada' is in use on this Mac, as a name or a full name"),
        ),
        (
            MOBILE,
            mac(ADMIN, network=KNOWN, taken={"uid:1234"}),
            ("uid_taken", "ada has UID 1234 in the directory, and another account on this Mac uses it"),
        ),
        (
            MOBILE,
            mac(ADMIN, network=replace(KNOWN, person=Person("al", "Al", 5))),
            ("name_unusable", "the directory's short name for 'ada' is 'al': give that name"),
        ),
        (MOBILE, mac(ADMIN), ("directory_user_unknown", NOT_FOUND)),
        (MOBILE, mac(ADMIN, network=Network((CORP,), None)), ("directory_user_unknown", NOT_FOUND)),
        (
            MOBILE,
            mac(ADMIN, network=Network((), False)),
            ("directory_not_bound", "this Mac has no account ada, and is bound to no directory"),
        ),
        (
            MOBILE,
            mac(ADMIN, network=Network((CORP, "/LDAPv3/x"), False)),
            ("directory_offline", f"{CORP}, /LDAPv3/x cannot be reached, so ada cannot be looked up"),
        ),
        (
            MOBILE,
            mac(ADMIN, network=Network((CORP,), True)),
            ("directory_user_unknown", f"{CORP} answers, and has no user called ada"),
        ),
    ],
)
def test_mobile_accounts_that_are_not_made(request_: MobileAccountRequest, of: Mac, expected: tuple[str, str]) -> None:
    assert refusal(request_, of) == expected


@pytest.mark.parametrize(
    ("who", "given", "compared"),
    [
        (replace(ADA, sources=EVERYWHERE), {"password"}, True),
        (ADA, {"password"}, False),
        (replace(ADA, sources=EVERYWHERE), {"admin_password"}, False),
        (replace(ADA, sources=EVERYWHERE, kind="local"), {"password"}, False),
    ],
)
def test_whose_password_is_compared_with_the_kept_one(who: Account, given: set[str], compared: bool) -> None:
    request = replace(MOBILE, given=frozenset(given))
    assert request.compares(mac(ADMIN, who)) == ({"password": "ada"} if compared else {})
    assert request.compares(mac(ADMIN)) == {}


def test_what_is_returned_of_a_mobile_account() -> None:
    assert MOBILE.ask == Ask(directory_user="ada", token_dialog=True)
    around = {"directory": {"nodes": [], "online": None}, "token_dialog_suppressed": None}
    assert MOBILE.view(mac(ADMIN)) == {"name": "ada", "exists": False, **around}
    managed = Management(token_dialog_suppressed=True)
    of = mac(ADMIN, ADA, network=KNOWN, management=managed, pending={"preboot", "creating ada"})
    full = {
        "name": "ada",
        "exists": True,
        "kind": "mobile",
        "full_name": "Ada Lovelace",
        "uid": 1234,
        "home": "/Users/ada",
        "admin": False,
        "secure_token": "none",
        "sources": NOWHERE.view(),
        "preboot_pending": True,
        "creation_pending": True,
        "directory": {"nodes": [CORP], "online": True},
        "token_dialog_suppressed": True,
    }
    assert MOBILE.view(of) == full
    bare = MOBILE.view(mac(ADMIN, replace(ADA, full_name="", home="")))
    assert bare == {
        **full,
        **dict.fromkeys(("full_name", "home")),
        **dict.fromkeys(("preboot_pending", "creation_pending"), False),
        **around,
    }


def test_a_mobile_account_is_not_offered_to_be_the_first() -> None:
    of = mac(replace(ADMIN, sources=NOWHERE), ADA)
    assert refusal(replace(MOBILE, secure_token="present"), of)[0] == "no_holder"


@pytest.mark.parametrize("online", [True, False, None])
def test_a_password_that_is_not_the_kept_one_is_told(online: bool | None) -> None:
    held = replace(ADA, sources=EVERYWHERE)
    of = mac(ADMIN, held, network=Network((CORP,), online))
    for matches, told in ((False, 1), (True, 0), (None, 0)):
        assert len(MOBILE.plan(of, {"password": matches}).notes) == told
    assert (
        MOBILE.plan(mac(ADMIN, held), {"password": False}).notes
        != MOBILE.plan(mac(ADMIN, held, network=Network((CORP,), False)), {"password": False}).notes
    )


def test_nobody_is_promoted_for_a_mobile_account() -> None:
    boss = replace(RUI, name="boss", guid="E" * 36, uid=505, admin=True)
    request = replace(MOBILE, secure_token="present", admin_user="ana")
    assert refusal(request, mac(ANA, boss, ADA))[0] == "granter_not_admin"


# -- offboarding ------------------------------------------------------------------------------------------------------

BEGUN, KEPT = offboarding("ana", "B" * 36), archived("ana", "B" * 36)
PATH = "/var/root/ana.tar.gz"
REFUSED = "/etc/ssh/sshd_config.d/040-keyholder-ana.conf"
LEAVES = OffboardRequest("ana")
REST = (RemoveUnlocker("ana"),)
PROVE = Prove(("ana",))


@pytest.mark.parametrize(
    ("request_", "of", "steps"),
    [
        (
            LEAVES,
            mac(filevault=OFF),
            (Note(BEGUN), NOTE, DeleteAccount("ana", "keep_home"), PROVE, Forget(BEGUN), TELL),
        ),
        (
            LEAVES,
            mac(pending={BEGUN}),
            (NOTE, *REST, DeleteAccount("ana", "keep_home"), PROVE, Forget(BEGUN), TELL),
        ),
        (
            replace(LEAVES, home="archive"),
            mac(),
            (
                Note(BEGUN),
                ArchiveHome("ana", "/Users/ana", PATH),
                ProofArchive(PATH),
                Note(KEPT),
                NOTE,
                *REST,
                DeleteAccount("ana", "delete_home"),
                PROVE,
                Forget(BEGUN),
                Forget(KEPT),
                TELL,
            ),
        ),
        (
            replace(LEAVES, home="archive"),
            mac(pending={BEGUN, KEPT}),
            (
                ArchiveHome("ana", "/Users/ana", "/var/root/ana-again.tar.gz"),
                ProofArchive("/var/root/ana-again.tar.gz"),
                NOTE,
                *REST,
                DeleteAccount("ana", "delete_home"),
                PROVE,
                Forget(KEPT),
                Forget(BEGUN),
                TELL,
            ),
        ),
        (
            replace(LEAVES, home="secure"),
            mac(replace(ANA, sources=NOWHERE), ADMIN),
            (Note(BEGUN), DeleteAccount("ana", "secure"), PROVE, Forget(BEGUN)),
        ),
        (
            replace(LEAVES, home="delete"),
            mac(replace(ANA, sources=NOWHERE), ADMIN),
            (Note(BEGUN), DeleteAccount("ana", "delete_home"), PROVE, Forget(BEGUN)),
        ),
        (LEAVES, mac(ADMIN), ()),
        (LEAVES, mac(ADMIN, pending={BEGUN}), (Forget(BEGUN),)),
    ],
)
def test_an_offboarding_step_by_step(request_: OffboardRequest, of: Mac, steps: tuple[Step, ...]) -> None:
    assert request_.plan(of, {}).steps == steps


NO_HOME = "ana has no home folder to archive ({}): set home to keep"
TO_ARCHIVE = replace(LEAVES, home="archive")


@pytest.mark.parametrize(
    ("request_", "of", "expected"),
    [
        (LEAVES, mac(sessions=None), ("reading_incomplete", "it could not be read whether ana is logged in")),
        (
            LEAVES,
            mac(sessions=frozenset({"ana", "rui"})),
            ("user_logged_in", "ana is logged in, and would lose unsaved work"),
        ),
        (
            LEAVES,
            mac(ANA, replace(ADMIN, sources=Sources(True, True, False))),
            ("last_unlocker", "ana is the last account that can unlock FileVault, and macOS does not remove it"),
        ),
        (TO_ARCHIVE, mac(files=frozenset()), ("value_unusable", NO_HOME.format("/Users/ana"))),
        (TO_ARCHIVE, mac(ADMIN, replace(ANA, home="")), ("value_unusable", NO_HOME.format("none"))),
        (
            TO_ARCHIVE,
            mac(ADMIN, replace(ANA, home="x"), files=frozenset({"x"})),
            ("value_unusable", NO_HOME.format("x")),
        ),
        (
            TO_ARCHIVE,
            mac(files=frozenset({"/Users/ana", PATH})),
            ("archive_exists", f"{PATH} already exists, and this run does not overwrite it"),
        ),
        (
            replace(TO_ARCHIVE, archive="/Users/ANA/x.tgz"),
            mac(),
            (
                "value_unusable",
                "archive is '/Users/ANA/x.tgz', inside the home folder that this run deletes: choose a path outside of"
                " it",
            ),
        ),
        (
            LEAVES,
            mac(full_disk_access=False),
            (
                "no_full_disk_access",
                "macOS does not delete ana in this session, because it has no Full Disk Access",
            ),
        ),
    ],
)
def test_offboardings_that_are_not_made(request_: OffboardRequest, of: Mac, expected: tuple[str, str]) -> None:
    assert refusal(request_, of) == expected


@pytest.mark.parametrize(
    ("others", "refused"),
    [
        ((replace(ADMIN, sources=Sources(True, True, False)),), True),
        ((ADMIN,), False),
        ((replace(RUI, sources=Sources(False, False, True)), ADMIN), False),
    ],
)
def test_the_last_on_filevaults_list_stays_on_it_though_it_opens_nothing(
    others: tuple[Account, ...], refused: bool
) -> None:
    """macOS keeps the last one that its list names, whoever that is."""
    of = mac(replace(ANA, sources=Sources(False, False, True)), *others)
    if refused:
        assert refusal(LEAVES, of)[0] == "last_unlocker"
    else:
        assert LEAVES.plan(of, {}).changes


@pytest.mark.parametrize("home", ["keep", "delete", "secure", "archive"])
def test_only_a_home_that_goes_must_be_one_of_its_own(home: str) -> None:
    shared = replace(ANA, home="/Users/Shared")
    of = mac(ADMIN, shared, places=folders("/Users/Shared") + folders(PATH, last="nothing"), files={"/Users/Shared"})
    request = replace(LEAVES, home=home)
    if home == "keep":
        assert request.plan(of, {}).changes
    else:
        assert refusal(request, of)[0] == "home_unsafe"


@pytest.mark.parametrize(
    ("path", "reason"), [("x.tgz", "value_unusable"), ("/Volumes/x/x.tgz", "path_unsafe"), ("/tmp/x", "path_unsafe")]
)
def test_a_refused_archive_names_its_option(path: str, reason: str) -> None:
    shared = Place("/private/tmp", "folder", False)
    of = mac(places=(*folders("/Users/ana"), *folders("/private/tmp/x", last="nothing")[:-2], shared))
    said, msg = refusal(replace(TO_ARCHIVE, archive=path), of)
    assert (said, msg.startswith(f"archive is {path!r}")) == (reason, True)


def test_offboardings_that_are_made_all_the_same() -> None:
    assert LEAVES.plan(mac(sessions=frozenset({"rui"})), {}).changes
    assert replace(LEAVES, force=True).plan(mac(sessions=None), {}).changes
    # What a run that was cut off has put there is its own.
    noted = mac(pending={BEGUN}, files=frozenset({"/Users/ana", PATH}))
    assert ArchiveHome("ana", "/Users/ana", PATH) in TO_ARCHIVE.plan(noted, {}).steps
    gone = mac(pending={BEGUN, KEPT}, files=frozenset({PATH}))
    assert not any(isinstance(step, ArchiveHome) for step in TO_ARCHIVE.plan(gone, {}).steps)


@pytest.mark.parametrize(
    ("archive", "again"),
    [
        ("/var/root/a.b.tgz", "/var/root/a-again.b.tgz"),
        ("/var/root/a", "/var/root/a-again"),
        ("/var/x.y/a.tgz", "/var/x.y/a-again.tgz"),
    ],
)
def test_where_the_second_archive_goes(archive: str, again: str) -> None:
    of = mac(pending={BEGUN, KEPT}, places=folders("/Users/ana") + folders(archive, last="nothing"))
    steps = replace(TO_ARCHIVE, archive=archive).plan(of, {}).steps
    assert steps[:2] == (ArchiveHome("ana", "/Users/ana", again), ProofArchive(again))


@pytest.mark.parametrize(
    ("home", "more"),
    [
        ("keep", {}),
        ("delete", {"way_home": "ana"}),
        ("secure", {"way_home": "ana"}),
        ("archive", {"way_home": "ana", "home": "ana", "exists": (PATH, REFUSED), "way": PATH}),
    ],
)
def test_what_is_read_before_an_offboarding(home: str, more: dict[str, t.Any]) -> None:
    always: dict[str, t.Any] = {"sessions": True, "full_disk_access": True, "exists": (REFUSED,)}
    assert replace(LEAVES, home=home).ask == Ask(**(always | more))


def test_what_is_returned_of_an_offboarding() -> None:
    of = mac(orphans=("X",), pending={BEGUN, "promoted rui"})
    left = {
        "holders": ["itadmin"],
        "admin_holders": ["itadmin"],
        "can_unlock": ["itadmin"],
        "orphaned_crypto_users": ["X"],
        "offboarding_pending": True,
        "promoted": ["rui"],
    }
    assert LEAVES.view(of) == {
        "name": "ana",
        "exists": True,
        "admin": False,
        "home": "/Users/ana",
        "secure_token": "holder",
        "can_unlock": True,
        "remain": left,
    }
    assert OffboardRequest("ada").view(mac()) == {
        "name": "ada",
        "exists": False,
        "remain": {
            "holders": ["itadmin", "ana"],
            "admin_holders": ["itadmin"],
            "can_unlock": ["itadmin", "ana"],
            "orphaned_crypto_users": [],
            "offboarding_pending": False,
            "promoted": [],
        },
    }
    assert LEAVES.compares(of) == {}
    admin = OffboardRequest("itadmin").view(mac())["remain"]
    assert (admin["holders"], admin["admin_holders"], admin["can_unlock"]) == (["ana"], [], ["ana"])


# -- repairs ----------------------------------------------------------------------------------------------------------

GIVEN, OLD = frozenset({"password"}), frozenset({"password", "old_password"})
MEND = RepairRequest("ana", "itadmin", given=GIVEN)
LATE, EARLY = VerifyKey("ana", "B" * 36, "password"), VerifyKey("ana", "B" * 36, "old_password", early=True)
MARK, BACK = Note("repairing ana"), Forget("repairing ana")
GRANT = (Grant("ana", "itadmin"), PROVE)
BOTH = (GRANTER, check("ana"))
HAS = "ana holds a token and is not in FileVault's list: "
NO_RECORD, NO_KEY = (
    "ana has a key on the volume, but its record has no Secure Token: ",
    "ana is listed as a holder, but has no key on the volume: ",
)


@pytest.mark.parametrize(
    ("sources", "kind", "words", "steps"),
    [
        (
            Sources(True, False, False),
            "marker_without_key",
            NO_KEY,
            (*BOTH, NOTE, MARK, RemoveMarker("ana"), *GRANT, BACK, TELL),
        ),
        (Sources(False, False, True), "marker_without_key", NO_KEY, (*BOTH, NOTE, *GRANT, TELL)),
        (Sources(False, True, True), "key_without_marker", NO_RECORD, (*BOTH, NOTE, *GRANT, TELL)),
        (
            Sources(True, True, False),
            "cannot_unlock",
            HAS,
            (*BOTH, NOTE, AddUnlocker("ana", "itadmin"), PROVE, TELL),
        ),
    ],
)
def test_what_sources_disagree_about_is_mended_step_by_step(
    sources: Sources, kind: str, words: str, steps: tuple[Step, ...]
) -> None:
    of = mac(ADMIN, replace(ANA, sources=sources))
    assert findings(of) == [Finding(kind, "ana", words + sources.words())]
    found = MEND.plan(of, {}).steps
    # Where the note on the repair stands before or after that on preboot makes no difference.
    assert sorted(map(repr, found)) == sorted(map(repr, steps))
    assert [step for step in found if step not in (NOTE, MARK)] == [step for step in steps if step not in (NOTE, MARK)]
    if MARK in steps:
        assert found.index(MARK) < found.index(RemoveMarker("ana"))


@pytest.mark.parametrize("unread", [Sources(None, True, True), Sources(True, None, True), Sources(False, False, None)])
def test_what_was_not_read_is_no_finding(unread: Sources) -> None:
    assert findings(mac(ADMIN, replace(ANA, sources=unread))) == []


@pytest.mark.parametrize("sources", [EVERYWHERE, NOWHERE])
def test_sources_that_agree_are_no_finding(sources: Sources) -> None:
    assert findings(mac(ADMIN, replace(ANA, sources=sources))) == []


CUT = "a repair revoked the token of ana and was interrupted before it granted the token again"


def test_a_repair_that_was_cut_off_goes_on() -> None:
    noted = frozenset({"repairing ana"})
    lost = mac(ADMIN, replace(ANA, sources=NOWHERE), pending=noted)
    assert findings(lost) == [Finding("repair_cut_off", "ana", CUT)]
    assert MEND.plan(lost, {}).steps == (*BOTH, NOTE, *GRANT, BACK, TELL)
    done = mac(ADMIN, ANA, pending=noted)
    assert (findings(done), MEND.plan(done, {OPENS: True}).steps) == ([], (BACK,))
    marked = mac(ADMIN, replace(ANA, sources=Sources(True, False, False)), pending=noted)
    assert MARK not in MEND.plan(marked, {}).steps
    assert BACK in MEND.plan(marked, {}).steps
    assert findings(mac(ADMIN, replace(ANA, sources=NOWHERE))) == []
    for proofs in ({}, {"password": False}):
        assert MEND.plan(mac(ADMIN, replace(ANA, sources=NOWHERE)), proofs).steps == ()


FORTH = (check("ana", "old_password"), EARLY, SetPassword("ana", "old"), PROVE, LATE)


@pytest.mark.parametrize(
    ("request_", "same", "steps", "told"),
    [
        (MEND, {"password": True, OPENS: True}, (), 0),
        (MEND, {"password": True, OPENS: None}, (), 1),
        (MEND, {"password": None}, (), 0),
        (
            replace(MEND, given=OLD),
            {"password": True, "old_password": False, OPENS: False},
            (
                check("ana"),
                EARLY,
                SetPassword("ana", "old", new="old_password", old="password"),
                PROVE,
                *FORTH[2:],
            ),
            0,
        ),
        (replace(MEND, given=OLD), {"password": False, "old_password": True}, FORTH, 0),
        (
            MEND,
            {"password": True, OPENS: False},
            (*BOTH, MARK, NOTE, Revoke("ana", "itadmin"), PROVE, *GRANT, BACK, LATE, TELL),
            0,
        ),
    ],
)
def test_a_stale_key_is_mended_step_by_step(
    request_: RepairRequest, same: dict[str, bool | None], steps: tuple[Step, ...], told: int
) -> None:
    plan = request_.plan(mac(ADMIN, ANA), same)
    assert (plan.steps, len(plan.notes)) == (steps, told)


STALE = "the password of ana does not open its key. Give old_password"


@pytest.mark.parametrize(
    ("request_", "who", "same", "expected"),
    [
        (MEND, ANA, {"password": False}, ("user_password_wrong", "password is not the password of ana")),
        (
            replace(MEND, given=OLD),
            ANA,
            {"password": False, "old_password": False},
            ("user_password_wrong", "password is not the password of ana"),
        ),
        (replace(MEND, admin_user=""), ANA, {"password": True, OPENS: False}, ("stale_key", STALE)),
        (replace(MEND, admin_user="ana"), ANA, {"password": True, OPENS: False}, ("stale_key", STALE)),
        (
            replace(MEND, given=OLD),
            replace(ANA, kind="mobile"),
            {"password": True, OPENS: False},
            ("password_elsewhere", "ana is a mobile account"),
        ),
        (replace(MEND, user="ada"), ANA, {}, ("user_unknown", "ada has no account on this Mac")),
        (replace(MEND, user="ANA"), ANA, {}, ("name_differs", "ANA is no account on this Mac")),
    ],
)
def test_repairs_that_are_not_made(
    request_: RepairRequest, who: Account, same: dict[str, bool | None], expected: tuple[str, str]
) -> None:
    reason, msg = refusal(request_, mac(ADMIN, who), same)
    assert (reason, msg.startswith(expected[1])) == (expected[0], True), msg


def test_a_mobile_accounts_key_is_mended_by_a_grant() -> None:
    mobile = replace(ANA, kind="mobile")
    assert Revoke("ana", "itadmin") in MEND.plan(mac(ADMIN, mobile), {"password": True, OPENS: False}).steps
    assert replace(MEND, given=OLD).plan(mac(ADMIN, mobile), {"password": True, OPENS: True}).steps == ()


@pytest.mark.parametrize(
    ("of", "same", "tried"),
    [
        (mac(ADMIN, ANA), {"password": True}, ("B" * 36, "password")),
        (mac(ADMIN, ANA), {"password": None}, None),
        (mac(ADMIN, ANA), {"password": False}, None),
        (mac(ADMIN, ANA), {}, None),
        (mac(ADMIN, ANA, filevault=OFF), {"password": True}, None),
        (mac(ADMIN, replace(ANA, sources=NOWHERE)), {"password": True}, None),
        (mac(ADMIN), {"password": True}, None),
    ],
)
def test_what_is_tried_against_a_key(of: Mac, same: dict[str, bool | None], tried: tuple[str, str] | None) -> None:
    assert MEND.tries(of, same) == tried


@pytest.mark.parametrize(
    ("who", "given", "compared"),
    [
        (ANA, OLD, {"password": "ana", "old_password": "ana"}),
        (ANA, {"old_password", "admin_password"}, {"old_password": "ana"}),
        (replace(ANA, has_password=False), OLD, {}),
        (RUI, OLD, {}),
    ],
)
def test_which_passwords_a_repair_compares(who: Account, given: set[str], compared: dict[str, str]) -> None:
    assert replace(MEND, given=frozenset(given)).compares(mac(ADMIN, who)) == compared


def test_what_is_broken_about_the_mac_as_a_whole() -> None:
    of = mac(ADMIN, orphans=("X", "Y"), pending={"preboot", "promoted rui"}, model="iMac19,1")
    found = [
        Finding("orphaned_crypto_user", "X", "crypto user X belongs to no account of this Mac"),
        Finding("orphaned_crypto_user", "Y", "crypto user Y belongs to no account of this Mac"),
        Finding("preboot_untold", "", "the preboot volume was not updated after the last change of tokens"),
    ]
    assert findings(of) == found
    whole = RepairRequest(orphans=True)
    shown = [{"kind": one.kind, "who": one.who, "what": one.words} for one in found]
    assert whole.view(of) == {"findings": shown, "promoted": ["rui"]}
    assert MEND.view(mac(ADMIN, ANA)) == {
        "findings": [],
        "promoted": [],
        "user": "ana",
        "secure_token": "holder",
        "sources": EVERYWHERE.view(),
    }
    removal = (RemoveOrphan("X"), RemoveOrphan("Y"), Prove(facts=("orphans",)))
    assert whole.plan(of, {}).steps == (*removal, TELL)
    assert RepairRequest().plan(of, {}).steps == (TELL,)
    assert whole.plan(mac(ADMIN), {}).steps == ()
    assert refusal(whole, replace(of, apple_silicon=True)) == (
        "orphan_stays",
        "macOS does not remove the crypto users X, Y on this Mac",
    )
    assert RepairRequest().plan(replace(of, apple_silicon=True), {}).steps == (TELL,)


def test_who_is_not_in_the_preboot_volume_is_told_to_it_and_that_is_proven() -> None:
    lost = replace(ANA, in_preboot=False)
    of = mac(replace(ADMIN, in_preboot=True), lost)
    assert findings(of) == [
        Finding("not_in_preboot", "ana", "ana holds a token, and the preboot volume does not know it")
    ]
    proven = (TELL, Prove(facts=("preboot",)))
    assert RepairRequest().plan(of, {}).steps == proven
    assert RepairRequest().plan(replace(of, pending=frozenset({"preboot"})), {}).steps == proven
    assert findings(RepairRequest().plan(of, {}).after) == []
    # Where tokens change as well, it is told and proven once, after that.
    broken = replace(of, accounts=(*of.accounts, replace(RUI, sources=Sources(False, True, False))))
    steps = replace(MEND, user="rui").plan(broken, {}).steps
    assert steps[-2:] == proven
    assert [step for step in steps if isinstance(step, UpdatePreboot)] == [TELL]
    # Unread is no finding; nor is one whom FileVault's list does not name, or a Mac without FileVault.
    for other in (
        mac(ADMIN, replace(ANA, in_preboot=None)),
        mac(ADMIN, replace(lost, sources=NOWHERE)),
        mac(ADMIN, lost, filevault=OFF),
        mac(ADMIN, lost, filevault=FileVault("unknown")),
    ):
        assert findings(other) == []
        assert RepairRequest().plan(other, {}).steps == ()


def test_who_does_not_own_the_volume_gets_its_token_again() -> None:
    poor = replace(ANA, volume_owner=False)
    of = mac(ADMIN, poor, apple_silicon=True)
    assert findings(of) == [Finding("not_volume_owner", "ana", "ana holds a token and does not own the volume")]
    again = (MARK, NOTE, Revoke("ana", "itadmin"), PROVE, *GRANT, BACK)
    plan = MEND.plan(of, {"password": True, OPENS: True})
    assert plan.steps == (*BOTH, *again, LATE, Prove(facts=("volume_owner",)), TELL)
    assert findings(plan.after) == []
    off = MEND.plan(replace(of, filevault=OFF), {"password": True}).steps
    assert off == (*BOTH, *again, Prove(facts=("volume_owner",)), TELL)
    # Nobody else who could do it: it is said. On Intel there are no owners, and unread is no finding.
    alone = replace(MEND, admin_user="").plan(of, {"password": True, OPENS: True})
    assert alone.steps == () and "does not own the volume: give admin_user" in alone.notes[-1]
    for other in (replace(of, apple_silicon=False), mac(ADMIN, replace(ANA, volume_owner=None), apple_silicon=True)):
        assert findings(other) == [] and MEND.plan(other, {"password": True, OPENS: True}).steps == ()


def test_a_user_and_the_mac_as_a_whole_are_mended_in_one_run() -> None:
    of = mac(ADMIN, replace(ANA, sources=Sources(True, True, False)), orphans=("X",), model="iMac19,1")
    kinds = [type(step).__name__ for step in replace(MEND, orphans=True).plan(of, {}).steps]
    assert [kind for kind in kinds if kind in ("AddUnlocker", "RemoveOrphan")] == ["AddUnlocker", "RemoveOrphan"]


# -- promotions -------------------------------------------------------------------------------------------------------

LENT = replace(ANA, admin=True)
MOMENT = frozenset({"promoted ana"})
BEGAN = "an earlier run made ana an administrator for a grant and was interrupted"


def test_a_promotion_step_by_step() -> None:
    change = Grant("rui", "ana")
    assert promoted("ana", [change], ("rui",)) == [
        Note("promoted ana"),
        PlanDemotion("ana"),
        SetAdmin("ana", True),
        change,
        SetAdmin("ana", False),
        Prove(("rui", "ana")),
        DropDemotion("ana"),
        Forget("promoted ana"),
    ]


def test_a_healing_is_told_before_all_other_notes() -> None:
    of = mac(ADMIN, LENT, pending=MOMENT)
    assert notes(of) == (f"{BEGAN}; this run undoes that first",)
    plan = with_healing(of, Plan(of, (GRANTER, SetAttribute("ana", "hint", "x")), ("another",)))
    assert plan.notes == (f"{BEGAN}; this run undoes that first", "another")
    assert plan.steps == (GRANTER, *healing(of), SetAttribute("ana", "hint", "x"))
    alone = mac(LENT, pending=MOMENT)
    (told,) = notes(alone)
    assert told.startswith(f"{BEGAN}, and ana stays one: no administrator would remain on this Mac without ana")
    out = mac(LENT, replace(ADMIN, disabled=True), pending=MOMENT)
    assert notes(out) == (
        f"{BEGAN}, and ana stays one: no other account that can log in is an administrator."
        " Make another account an administrator: the next run then undoes it.",
    )
    assert notes(out, {"ana"}) == (f"{BEGAN}; this run undoes that at its end",)
    assert notes(out, {"rui"}) == notes(out)
    assert with_healing(out, Plan(out)).notes == notes(out)


def test_a_run_takes_back_its_own_promotion_unless_the_mac_would_be_lost() -> None:
    out = mac(LENT, replace(ADMIN, disabled=True), pending=MOMENT)
    assert healing(out) == []
    assert SetAdmin("ana", False) in healing(out, {"ana"})
    assert healing(out, {"rui"}) == []
