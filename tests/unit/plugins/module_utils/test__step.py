# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a step needs and starts: how many bytes its prompts take, and which arguments its commands have."""

from __future__ import annotations

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils._account import Account
from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac
from ansible_collections.keyholder.macos.plugins.module_utils._macos import Version
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Secret
from ansible_collections.keyholder.macos.plugins.module_utils._step.account import (
    NEW_GUID,
    CreateAccount,
    SetPassword,
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
    ChangeKey,
    DeliverKey,
    DisableFileVault,
    EnableFileVault,
    RemoveKey,
    ValidateKey,
)
from ansible_collections.keyholder.macos.plugins.module_utils._step.general import Prove
from ansible_collections.keyholder.macos.plugins.module_utils._step.token import (
    BecomeFirstHolder,
    CheckPassword,
    Grant,
    Revoke,
    VerifyKey,
)

SECRETS = {
    name: Secret(f"{name} of it")
    for name in ("password", "admin_password", "old_password", "current_key", "additional_users[0].password")
}
OLD_DSCL, NEW_DSCL = Mac(Version(12, 7)), Mac(Version(13))
GETPASS, PIPE, TERMINAL = 128, 1022, 128


@pytest.mark.parametrize(
    ("step", "mac", "expected"),
    [
        (CheckPassword("ana", "password", "user"), NEW_DSCL, {"password": PIPE}),
        (VerifyKey("ana", "B" * 36, "old_password"), NEW_DSCL, {"old_password": PIPE}),
        (Grant("ana", "itadmin"), NEW_DSCL, {"admin_password": PIPE, "password": PIPE}),
        (Revoke("ana", "itadmin"), NEW_DSCL, {"admin_password": PIPE, "password": PIPE}),
        (CreateAccount(new_account("ana")), NEW_DSCL, {"password": PIPE}),
        (CreateAccount(new_account("ana"), bare=True), NEW_DSCL, {}),
        (BecomeFirstHolder("ana", "authenticate"), NEW_DSCL, {"password": GETPASS}),
        (BecomeFirstHolder("ana", "set_password"), NEW_DSCL, {"password": PIPE}),
        (SetPassword("ana", "old"), NEW_DSCL, {"old_password": GETPASS, "password": GETPASS}),
        (SetPassword("ana", "old"), OLD_DSCL, {"old_password": PIPE, "password": PIPE}),
        (SetPassword("ana", "granter", "itadmin"), NEW_DSCL, {"password": PIPE, "admin_password": PIPE}),
        (SetPassword("ana", "root"), NEW_DSCL, {"password": PIPE}),
        (EscrowBootstrap("itadmin"), NEW_DSCL, {"admin_password": TERMINAL}),
        (RemoveBootstrap("itadmin"), NEW_DSCL, {"admin_password": TERMINAL}),
        (ValidateBootstrap("itadmin"), NEW_DSCL, {"admin_password": TERMINAL}),
        (EnableFileVault("ana", ("bob",)), NEW_DSCL, {"password": PIPE, "additional_users[0].password": PIPE}),
        (AddUnlocker("ana", "itadmin"), NEW_DSCL, {"admin_password": PIPE, "password": PIPE}),
        (DisableFileVault("ana"), NEW_DSCL, {"password": PIPE}),
        (ChangeKey("ana"), NEW_DSCL, {"password": PIPE}),
        (ChangeKey(""), NEW_DSCL, {"current_key": PIPE}),
        (RemoveKey(""), NEW_DSCL, {"current_key": PIPE}),
        (ArmRestart("ana"), NEW_DSCL, {"password": PIPE}),
        (ValidateKey("current_key"), NEW_DSCL, {"current_key": PIPE}),
        (ValidateKey(), NEW_DSCL, {}),
        (Prove(("ana",)), NEW_DSCL, {}),
    ],
)
def test_how_many_bytes_each_prompt_takes(step: Step, mac: Mac, expected: dict[str, int]) -> None:
    assert step.needs(mac) == expected


@pytest.mark.parametrize(
    ("account", "home"),
    [
        (new_account("ana"), ""),
        (Account("ana", NEW_GUID, uid=655), "/Users/ana"),
        (Account("ana", NEW_GUID, gid=20), "/Users/ana"),
        (Account("ana", NEW_GUID, home="/Users/elsewhere"), "/Users/elsewhere"),
    ],
)
def test_a_home_is_not_made_before_the_numbers_are_right(account: Account, home: str) -> None:
    """With -home the folder is only assigned (transcript adduser-2026-home-assigned)."""
    (command,) = CreateAccount(account).commands(NEW_DSCL, SECRETS)
    assert ("-home" in command.argv) is bool(home)
    if home:
        assert command.argv[command.argv.index("-home") + 1] == home


@pytest.mark.parametrize(("version", "there"), [(Version(10, 15), False), (Version(11), True)])
def test_gid_is_an_option_of_sysadminctl_from_macos_11_on(version: Version, there: bool) -> None:
    (command,) = CreateAccount(Account("ana", NEW_GUID, gid=20)).commands(Mac(version), SECRETS)
    assert ("-GID" in command.argv) is there


def test_a_bare_record_has_what_was_asked_for_and_no_more() -> None:
    account = Account("ana", NEW_GUID, "Ana", 655, 20, hidden=True, home="/Users/ana")
    first, *rest = CreateAccount(account, bare=True).commands(NEW_DSCL, SECRETS)
    assert first.argv == ("dscl", ".", "-create", "/Users/ana")
    assert [command.argv[4:] for command in rest] == [
        ("RealName", "Ana"),
        ("UniqueID", "655"),
        ("PrimaryGroupID", "20"),
        ("NFSHomeDirectory", "/Users/ana"),
        ("IsHidden", "1"),
    ]


@pytest.mark.parametrize(
    "step", [Prove(("ana",)), CheckPassword("ana", "password", "user"), ValidateKey(), DeliverKey("return")]
)
def test_a_step_that_only_looks_starts_nothing(step: Step) -> None:
    assert step.commands(NEW_DSCL, SECRETS) == []


@pytest.mark.parametrize("kind", [EscrowBootstrap, RemoveBootstrap, ValidateBootstrap])
def test_what_is_typed_at_a_terminal(kind: type) -> None:
    assert kind("itadmin").at_a_terminal
    assert not Grant("ana", "itadmin").at_a_terminal
