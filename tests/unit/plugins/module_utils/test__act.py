# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a step needs and starts: how many bytes its prompts take, and which arguments its commands have."""

from __future__ import annotations

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils import _act
from ansible_collections.keyholder.macos.plugins.module_utils._macos import Version
from ansible_collections.keyholder.macos.plugins.module_utils._model import Account, Mac
from ansible_collections.keyholder.macos.plugins.module_utils._plan import steps as do
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Secret

SECRETS = {
    name: Secret(f"{name} of it")
    for name in ("password", "admin_password", "old_password", "current_key", "additional_users[0].password")
}
OLD_DSCL, NEW_DSCL = Mac(Version(12, 7)), Mac(Version(13))
GETPASS, PIPE, TERMINAL = 128, 1022, 128


@pytest.mark.parametrize(
    ("step", "mac", "expected"),
    [
        (do.CheckPassword("ana", "password", "user"), NEW_DSCL, {"password": PIPE}),
        (do.VerifyKey("ana", "B" * 36, "old_password"), NEW_DSCL, {"old_password": PIPE}),
        (do.Grant("ana", "itadmin"), NEW_DSCL, {"admin_password": PIPE, "password": PIPE}),
        (do.Revoke("ana", "itadmin"), NEW_DSCL, {"admin_password": PIPE, "password": PIPE}),
        (do.CreateAccount(do.new_account("ana")), NEW_DSCL, {"password": PIPE}),
        (do.CreateAccount(do.new_account("ana"), bare=True), NEW_DSCL, {}),
        (do.BecomeFirstHolder("ana", "authenticate"), NEW_DSCL, {"password": GETPASS}),
        (do.BecomeFirstHolder("ana", "set_password"), NEW_DSCL, {"password": PIPE}),
        (do.SetPassword("ana", "old"), NEW_DSCL, {"old_password": GETPASS, "password": GETPASS}),
        (do.SetPassword("ana", "old"), OLD_DSCL, {"old_password": PIPE, "password": PIPE}),
        (do.SetPassword("ana", "granter", "itadmin"), NEW_DSCL, {"password": PIPE, "admin_password": PIPE}),
        (do.SetPassword("ana", "root"), NEW_DSCL, {"password": PIPE}),
        (do.EscrowBootstrap("itadmin"), NEW_DSCL, {"admin_password": TERMINAL}),
        (do.RemoveBootstrap("itadmin"), NEW_DSCL, {"admin_password": TERMINAL}),
        (do.ValidateBootstrap("itadmin"), NEW_DSCL, {"admin_password": TERMINAL}),
        (do.EnableFileVault("ana", ("bob",)), NEW_DSCL, {"password": PIPE, "additional_users[0].password": PIPE}),
        (do.AddUnlocker("ana", "itadmin"), NEW_DSCL, {"admin_password": PIPE, "password": PIPE}),
        (do.DisableFileVault("ana"), NEW_DSCL, {"password": PIPE}),
        (do.ChangeKey("ana"), NEW_DSCL, {"password": PIPE}),
        (do.ChangeKey(""), NEW_DSCL, {"current_key": PIPE}),
        (do.RemoveKey(""), NEW_DSCL, {"current_key": PIPE}),
        (do.ArmRestart("ana"), NEW_DSCL, {"password": PIPE}),
        (do.ValidateKey("current_key"), NEW_DSCL, {"current_key": PIPE}),
        (do.ValidateKey(), NEW_DSCL, {}),
        (do.Prove(("ana",)), NEW_DSCL, {}),
    ],
)
def test_how_many_bytes_each_prompt_takes(step: do.Step, mac: Mac, expected: dict[str, int]) -> None:
    assert _act.needs(step, mac) == expected


@pytest.mark.parametrize(
    ("account", "home"),
    [
        (do.new_account("ana"), ""),
        (Account("ana", do.NEW_GUID, uid=655), "/Users/ana"),
        (Account("ana", do.NEW_GUID, gid=20), "/Users/ana"),
        (Account("ana", do.NEW_GUID, home="/Users/elsewhere"), "/Users/elsewhere"),
    ],
)
def test_a_home_is_not_made_before_the_numbers_are_right(account: Account, home: str) -> None:
    """With -home the folder is only assigned (transcript adduser-2026-home-assigned)."""
    (command,) = _act.commands(do.CreateAccount(account), NEW_DSCL, SECRETS)
    assert ("-home" in command.argv) is bool(home)
    if home:
        assert command.argv[command.argv.index("-home") + 1] == home


@pytest.mark.parametrize(("version", "there"), [(Version(10, 15), False), (Version(11), True)])
def test_gid_is_an_option_of_sysadminctl_from_macos_11_on(version: Version, there: bool) -> None:
    (command,) = _act.commands(do.CreateAccount(Account("ana", do.NEW_GUID, gid=20)), Mac(version), SECRETS)
    assert ("-GID" in command.argv) is there


def test_a_bare_record_has_what_was_asked_for_and_no_more() -> None:
    account = Account("ana", do.NEW_GUID, "Ana", 655, 20, hidden=True, home="/Users/ana")
    first, *rest = _act.commands(do.CreateAccount(account, bare=True), NEW_DSCL, SECRETS)
    assert first.argv == ("dscl", ".", "-create", "/Users/ana")
    assert [command.argv[4:] for command in rest] == [
        ("RealName", "Ana"),
        ("UniqueID", "655"),
        ("PrimaryGroupID", "20"),
        ("NFSHomeDirectory", "/Users/ana"),
        ("IsHidden", "1"),
    ]


@pytest.mark.parametrize(
    "step", [do.Prove(("ana",)), do.CheckPassword("ana", "password", "user"), do.ValidateKey(), do.DeliverKey("return")]
)
def test_a_step_that_only_looks_starts_nothing(step: do.Step) -> None:
    assert _act.commands(step, NEW_DSCL, SECRETS) == []


@pytest.mark.parametrize("kind", [do.EscrowBootstrap, do.RemoveBootstrap, do.ValidateBootstrap])
def test_what_is_typed_at_a_terminal(kind: type) -> None:
    assert _act.typed(kind("itadmin"))
    assert not _act.typed(do.Grant("ana", "itadmin"))
