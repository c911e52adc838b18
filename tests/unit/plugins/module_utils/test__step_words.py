# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each step makes of a Mac, field by field: what check mode predicts, and the second reading is held against."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils._account import EVERYWHERE, NOWHERE, Account, Sources
from ansible_collections.keyholder.macos.plugins.module_utils._mac import FileVault, Mac, Management, Volume
from ansible_collections.keyholder.macos.plugins.module_utils._macos import Version
from ansible_collections.keyholder.macos.plugins.module_utils._step.account import (
    ArchiveHome,
    CreateAccount,
    CreateHome,
    CreateMobileAccount,
    DeleteAccount,
    DropDemotion,
    PlanDemotion,
    ProofArchive,
    SetAdmin,
    SetAttribute,
    SetPassword,
    gets_first,
    new_account,
)
from ansible_collections.keyholder.macos.plugins.module_utils._step.base import Step
from ansible_collections.keyholder.macos.plugins.module_utils._step.bootstrap import (
    EscrowBootstrap,
    RemoveBootstrap,
    ValidateBootstrap,
)
from ansible_collections.keyholder.macos.plugins.module_utils._step.filevault import (
    AddUnlocker,
    ArmRestart,
    CancelDeferral,
    ChangeKey,
    CheckRecipients,
    DeferFileVault,
    DeliverKey,
    DisableFileVault,
    EnableFileVault,
    ReadKeyFile,
    RemoveKey,
    RemoveKeyFile,
    RemoveUnlocker,
    Restart,
    ValidateKey,
)
from ansible_collections.keyholder.macos.plugins.module_utils._step.general import Forget, Note, Prove, UpdatePreboot
from ansible_collections.keyholder.macos.plugins.module_utils._step.token import (
    AllowToken,
    BecomeFirstHolder,
    CheckPassword,
    Grant,
    PreventToken,
    RemoveMarker,
    RemoveOrphan,
    Revoke,
    VerifyKey,
)

ANA = Account("ana", "A", "Ana Sousa", 501, 20, sources=EVERYWHERE, volume_owner=True, disabled_tag=True)
RUI = Account("rui", "B", "Rui Melo", 502, 20, sources=NOWHERE, volume_owner=False, has_password=False)
OLD, NEW = Version(10, 15, 7), Version(15, 6)
MAC = Mac(
    NEW,
    volume=Volume("d", True, True),
    accounts=(ANA, RUI),
    orphans=("O1", "O2"),
    filevault=FileVault("off", deferred_user="ana", personal_key=False),
    management=Management(bootstrap="unknown"),
    files=frozenset({"/a", "/b"}),
    pending=frozenset({"preboot", "creating rui"}),
)
NEWCOMER = replace(new_account("new"), full_name="New", uid=700, gid=20, hidden=True, admin=True, home="/h", shell="/s")


def has(of: Mac = MAC, **more: t.Any) -> Mac:
    return replace(of, **more)


def person(who: Account, of: Mac = MAC, **more: t.Any) -> Mac:
    return of.with_account(replace(who, **more))


def vault(**more: t.Any) -> Mac:
    return replace(MAC, filevault=replace(MAC.filevault, **more))


LOOKS: list[Step] = [
    CheckPassword("ana", "password", "user"),
    Prove(("ana",)),
    VerifyKey("ana", "A", "password"),
    ProofArchive("/a"),
    CheckRecipients(),
    ValidateKey("current_key"),
    DeliverKey("return"),
    ReadKeyFile("/a"),
]
UNSEEN: list[Step] = [
    PlanDemotion("ana"),
    DropDemotion("ana"),
    CreateHome("ana"),
    ArchiveHome("ana", "/h", "/a"),
    ArmRestart("ana"),
    Restart(),
]


@pytest.mark.parametrize("step", [*LOOKS, *UNSEEN], ids=lambda step: type(step).__name__)
def test_what_no_reading_shows_leaves_the_prediction_as_it_is(step: Step) -> None:
    assert step.after(MAC) == MAC
    assert step.writes is (step in UNSEEN)


CREATED = replace(NEWCOMER, uid=None, gid=None, hidden=False, has_password=True)


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (Note("repairing ana"), has(pending=MAC.pending | {"repairing ana"})),
        (Note(), MAC),
        (Forget("creating rui"), has(pending=frozenset({"preboot"}))),
        (Forget("creating ada"), MAC),
        (UpdatePreboot(), has(pending=frozenset({"creating rui"}))),
        (Grant("rui", "ana"), person(RUI, sources=EVERYWHERE, volume_owner=True)),
        (Revoke("ana", "rui"), person(ANA, sources=NOWHERE, volume_owner=False)),
        (BecomeFirstHolder("rui", "set_password"), person(RUI, sources=EVERYWHERE, volume_owner=True)),
        (CreateAccount(NEWCOMER), MAC.with_account(replace(CREATED, volume_owner=False))),
        (
            CreateAccount(NEWCOMER, bare=True),
            MAC.with_account(replace(NEWCOMER, admin=False, has_password=False, volume_owner=False)),
        ),
        (CreateMobileAccount(NEWCOMER), MAC.with_account(replace(NEWCOMER, volume_owner=False))),
        (SetAttribute("rui", "uid", 0), person(RUI, uid=0)),
        (SetAttribute("rui", "hidden", True), person(RUI, hidden=True)),
        (SetAttribute("rui", "hint", "x"), person(RUI, hint="x")),
        (SetAdmin("rui", True), person(RUI, admin=True)),
        (SetAdmin("rui", False), MAC),
        (PreventToken("rui"), person(RUI, disabled_tag=True)),
        (AllowToken("ana"), person(ANA, disabled_tag=False)),
        (SetPassword("rui", "root"), person(RUI, has_password=True)),
        (DeleteAccount("rui", "keep_home"), has(accounts=(ANA,))),
        (RemoveMarker("ana"), person(ANA, sources=Sources(False, True, True))),
        (RemoveOrphan("O1"), has(orphans=("O2",))),
        (RemoveOrphan("O3"), MAC),
        (AddUnlocker("rui", "ana"), person(RUI, sources=Sources(False, False, True))),
        (RemoveUnlocker("ana"), person(ANA, sources=Sources(True, True, False))),
        (EnableFileVault("ana"), vault(state="on", deferred_user="", personal_key=True)),
        (DeferFileVault("rui", "/p"), vault(deferred_user="rui")),
        (CancelDeferral(), vault(deferred_user="")),
        (ChangeKey(""), vault(personal_key=True)),
        (RemoveKey(""), vault(personal_key=False)),
        (RemoveKeyFile("/a"), has(files=frozenset({"/b"}))),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_step_changes_one_thing(step: Step, expected: Mac) -> None:
    assert step.after(MAC) == expected
    assert step.writes


def test_disabling_leaves_no_key_that_anybody_could_speak_of() -> None:
    on = vault(state="on", personal_key=True)
    assert DisableFileVault("ana").after(on) == vault(state="off", deferred_user="", personal_key=None)


# -- the first token --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "tag", "others", "first"),
    [
        (NEW, False, (), True),
        (Version(11), False, (), True),
        (NEW, True, (), False),
        (NEW, False, (ANA,), False),
        (OLD, False, (), False),
    ],
)
def test_who_gets_the_first_token_with_its_password(
    version: Version, tag: bool, others: tuple[Account, ...], first: bool
) -> None:
    """On macOS 11 and newer, whoever has no tag; before, no password brings one."""
    of = replace(MAC, version=version, accounts=others, orphans=())
    owner = first if version >= Version(11) else None
    got = EVERYWHERE if first else NOWHERE
    made = CreateAccount(replace(NEWCOMER, disabled_tag=tag)).after(of).account("new")
    assert made == replace(CREATED, disabled_tag=tag, sources=got, volume_owner=owner)
    bare = CreateAccount(replace(NEWCOMER, disabled_tag=tag), bare=True).after(of)
    set_ = SetPassword("new", "root").after(bare).account("new")
    assert set_ is not None
    assert (set_.sources, set_.has_password) == (got, True)
    assert gets_first(of, replace(NEWCOMER, disabled_tag=tag)) is first
    mobile = CreateMobileAccount(replace(NEWCOMER, kind="mobile")).after(of).account("new")
    assert mobile is not None
    assert (mobile.sources, mobile.volume_owner) == (NOWHERE, False if version >= Version(11) else None)


def test_an_account_that_is_not_there_is_none_to_plan_with() -> None:
    for step in (Grant("ada", "ana"), SetPassword("ada", "root"), AddUnlocker("ada", "ana")):
        with pytest.raises(LookupError, match="ada"):
            step.after(MAC)


def test_a_new_account_holds_nothing_and_has_no_password() -> None:
    assert new_account("new") == Account("new", "(assigned by macOS)", sources=NOWHERE, has_password=False)


# -- Bootstrap Token --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "escrowed", "preflight", "gone"),
    [
        (Version(13, 3), "valid", True, False),
        (Version(13, 2, 9), "escrowed_unproven", None, None),
        (OLD, "escrowed_unproven", None, None),
        (NEW, "valid", True, False),
    ],
)
def test_a_fresh_bootstrap_token_works_where_macos_can_say_so(
    version: Version, escrowed: str, preflight: bool | None, gone: bool | None
) -> None:
    of = replace(MAC, version=version, management=Management(enrolled=True))
    said = Management(enrolled=True, bootstrap=escrowed, bootstrap_crypto_user=True, preflight=preflight)
    assert EscrowBootstrap("ana").after(of).management == said
    removed = Management(enrolled=True, bootstrap="not_escrowed", bootstrap_crypto_user=False, preflight=gone)
    assert RemoveBootstrap("ana").after(of).management == removed


@pytest.mark.parametrize("crypto_user", [True, False, None])
@pytest.mark.parametrize("preflight", [True, False, None])
def test_validating_a_bootstrap_token_says_that_it_is_valid_and_no_more(
    crypto_user: bool | None, preflight: bool | None
) -> None:
    before = Management(bootstrap="escrowed_unproven", bootstrap_crypto_user=crypto_user, preflight=preflight)
    step = ValidateBootstrap("ana")
    assert step.after(replace(MAC, management=before)).management == replace(before, bootstrap="valid")
    assert not step.writes
