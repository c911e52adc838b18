# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a step needs and starts: how many bytes its prompts take, and which arguments its commands have."""

from __future__ import annotations

import plistlib

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils._account import Account
from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac
from ansible_collections.keyholder.macos.plugins.module_utils._macos import Version
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Secret
from ansible_collections.keyholder.macos.plugins.module_utils._step.account import (
    NEW_GUID,
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


# -- each step, in macOS's words --------------------------------------------------------------------------------------

PW, ADMIN_PW, OLD_PW, KEY = b"password of it", b"admin_password of it", b"old_password of it", b"current_key of it"
BY_TOKEN = "-password - -adminUser itadmin -adminPassword -"
PERSON = Mac(Version(12, 7), accounts=(Account("ana", "B", uid=502), Account("bob", "C")))
MODERN, OLD_MAC = Mac(Version(15, 6), pending=frozenset({"preboot"})), Mac(Version(12, 7))


def lines(*secrets: bytes) -> bytes:
    return b"".join(secret + b"\n" for secret in secrets)


@pytest.mark.parametrize(
    ("step", "argv", "given"),
    [
        (
            Note("creating ana"),
            "dscl . -merge /Users/root dsAttrTypeNative:keyholder_pending creating ana",
            b"",
        ),
        (
            Forget("creating ana"),
            "dscl . -delete /Users/root dsAttrTypeNative:keyholder_pending creating ana",
            b"",
        ),
        (UpdatePreboot(), "dscl . -delete /Users/root dsAttrTypeNative:keyholder_pending preboot", b""),
        (Grant("ana", "itadmin"), f"sysadminctl -secureTokenOn ana {BY_TOKEN}", lines(ADMIN_PW, PW)),
        (Revoke("ana", "itadmin"), f"sysadminctl -secureTokenOff ana {BY_TOKEN}", lines(ADMIN_PW, PW)),
        (BecomeFirstHolder("ana", "authenticate"), "dscl /Local/Default -authonly ana", lines(PW)),
        (
            BecomeFirstHolder("ana", "set_password"),
            "sysadminctl -resetPasswordFor ana -newPassword -",
            lines(PW),
        ),
        (CreateMobileAccount(new_account("ada"), "/h"), "createmobileaccount -n ada -h /h", b""),
        (CreateMobileAccount(new_account("ada")), "createmobileaccount -n ada", b""),
        (SetAttribute("ana", "uid", 0), "dscl . -create /Users/ana UniqueID 0", b""),
        (SetAdmin("ana", True), "dseditgroup -o edit -a ana -t user admin", b""),
        (SetAdmin("ana", False), "dseditgroup -o edit -d ana -t user admin", b""),
        (
            PreventToken("ana"),
            "dscl . -append /Users/ana AuthenticationAuthority ;DisabledTags;SecureToken",
            b"",
        ),
        (
            AllowToken("ana"),
            "dscl . -delete /Users/ana AuthenticationAuthority ;DisabledTags;SecureToken",
            b"",
        ),
        (RemoveMarker("ana"), "dscl . -delete /Users/ana AuthenticationAuthority ;SecureToken;", b""),
        (SetPassword("ana", "root"), "sysadminctl -resetPasswordFor ana -newPassword -", lines(PW)),
        (
            SetPassword("ana", "root", new="old_password"),
            "sysadminctl -resetPasswordFor ana -newPassword -",
            lines(OLD_PW),
        ),
        (
            SetPassword("ana", "granter", "itadmin"),
            "sysadminctl -resetPasswordFor ana -newPassword - -adminUser itadmin -adminPassword -",
            lines(PW, ADMIN_PW),
        ),
        (SetPassword("ana", "old"), "dscl . -passwd /Users/ana", lines(PW, OLD_PW)),
        (
            SetPassword("ana", "old", new="old_password", old="password"),
            "dscl . -passwd /Users/ana",
            lines(OLD_PW, PW),
        ),
        (CreateHome("ana"), "createhomedir -c -u ana", b""),
        (RemoveOrphan("X-1"), "fdesetup remove -uuid X-1", b""),
        (
            ArchiveHome("ana", "/Users/ana", "/p"),
            'sh -c umask 077; exec "$@" sh tar -c -z -f /p -C /Users ana',
            b"",
        ),
        (ProofArchive("/p"), "tar -t -z -f /p", b""),
        (DeleteAccount("ana", "keep_home"), "sysadminctl -deleteUser ana -keepHome", b""),
        (DeleteAccount("ana", "secure"), "sysadminctl -deleteUser ana -secure", b""),
        (CancelDeferral(), "fdesetup disable", b""),
        (
            DeferFileVault("ana", "/p", 2, False, True),
            "fdesetup enable -defer /p -user ana -forceatlogin 2 -dontaskatlogout -showrecoverykey",
            b"",
        ),
        (RemoveUnlocker("ana"), "fdesetup remove -user ana", b""),
        (ReadKeyFile("/p"), "cat /p", b""),
        (RemoveKeyFile("/p"), "rm -f /p", b""),
        (Restart(), "shutdown -r now", b""),
        (Restart(locked=True), "shutdown -r now", b""),
    ],
)
def test_each_step_is_one_command(step: Step, argv: str, given: bytes) -> None:
    (command,) = step.commands(MODERN, SECRETS)
    assert (str(command), command.input()) == (argv, given)


def test_preboot_that_nobody_owes_is_not_forgotten() -> None:
    assert UpdatePreboot().commands(OLD_MAC, SECRETS) == []


@pytest.mark.parametrize(("user", "uid"), [("ana", 502), ("bob", 0), ("eve", 0)])
def test_before_macos_13_an_account_changes_its_own_password(user: str, uid: int) -> None:
    (command,) = SetPassword(user, "old").commands(PERSON, SECRETS)
    assert str(command) == f"launchctl asuser {uid} sudo -u {user} sysadminctl -newPassword - -oldPassword -"
    assert command.input() == lines(OLD_PW, PW)


def test_from_macos_13_on_dscl_sets_it() -> None:
    (command,) = SetPassword("ana", "old").commands(NEW_DSCL, SECRETS)
    assert (str(command), command.input()) == ("dscl . -passwd /Users/ana", lines(PW, OLD_PW))


def plist(password: bytes, user: str = "", others: tuple[str, ...] = ()) -> dict[str, object]:
    more: dict[str, object] = {"Username": user} if user else {}
    if others:
        by_index = [f"additional_users[{index}].password of it" for index in range(len(others))]
        more["AdditionalUsers"] = [{"Username": name, "Password": said} for name, said in zip(others, by_index)]
    return {"Password": password.decode(), **more}


@pytest.mark.parametrize(
    ("step", "argv", "document"),
    [
        (EnableFileVault("ana"), "enable -inputplist -outputplist", plist(PW, "ana")),
        (EnableFileVault("ana", ("bob",)), "enable -inputplist -outputplist", plist(PW, "ana", ("bob",))),
        (DisableFileVault("ana"), "disable -inputplist", plist(PW, "ana")),
        (
            AddUnlocker("ana", "itadmin"),
            "add -inputplist",
            {
                **plist(ADMIN_PW, "itadmin"),
                "AdditionalUsers": [{"Username": "ana", "Password": PW.decode()}],
            },
        ),
        (ChangeKey("ana"), "changerecovery -personal -inputplist -outputplist", plist(PW, "ana")),
        (ChangeKey(""), "changerecovery -personal -inputplist -outputplist", plist(KEY)),
        (RemoveKey("ana"), "removerecovery -personal -inputplist", plist(PW, "ana")),
        (RemoveKey(""), "removerecovery -personal -inputplist", plist(KEY)),
        (ArmRestart("ana"), "authrestart -delayminutes -1 -inputplist", plist(PW, "ana")),
        (ArmRestart(""), "authrestart -delayminutes -1 -inputplist", plist(KEY)),
    ],
)
def test_fdesetup_is_given_its_passwords_as_a_property_list(step: Step, argv: str, document: dict[str, object]) -> None:
    (command,) = step.commands(MODERN, SECRETS)
    assert str(command) == f"fdesetup {argv}"
    assert plistlib.loads(command.input()) == document


@pytest.mark.parametrize(
    ("step", "verb"),
    [
        (EscrowBootstrap("itadmin"), "install"),
        (RemoveBootstrap("itadmin"), "remove"),
        (ValidateBootstrap("itadmin"), "validate"),
    ],
)
def test_profiles_is_answered_at_its_prompts(step: Step, verb: str) -> None:
    (command,) = step.commands(MODERN, SECRETS)
    assert str(command) == f"profiles {verb} -type bootstraptoken"
    assert [answer.reveal() for dummy, answer in command.dialogue] == [b"itadmin", ADMIN_PW]


def test_an_account_is_made_with_all_that_sysadminctl_takes() -> None:
    account = Account("ana", NEW_GUID, "Ana S", 0, 0, admin=True, home="/h", shell="/s", hint="the usual", picture="/p")
    (command,) = CreateAccount(account).commands(MODERN, SECRETS)
    assert str(command) == (
        "sysadminctl -addUser ana -fullName Ana S -shell /s -hint the usual -picture /p -UID 0 -GID 0 -home /h -admin"
        " -password -"
    )
    assert command.input() == lines(PW)
    (plain,) = CreateAccount(Account("ana", NEW_GUID, "Ana")).commands(MODERN, SECRETS)
    assert str(plain) == "sysadminctl -addUser ana -fullName Ana -password -"


def test_a_promotion_is_taken_back_by_a_job_after_a_quarter_of_an_hour() -> None:
    dummy, write, dummy, dummy = PlanDemotion("ana").commands(MODERN, SECRETS)
    content = plistlib.loads(write.input())
    assert (content["StartInterval"], content["ProgramArguments"][-2:]) == (900, ["ana", "promoted ana"])
    assert [str(command) for command in DropDemotion("ana").commands(MODERN, SECRETS)] == [
        "launchctl bootout system/keyholder.macos.demote",
        "rm -f /Library/LaunchDaemons/keyholder.macos.demote.plist",
    ]


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (RemoveKey("ana"), {"password": PIPE}),
        (ArmRestart(""), {"current_key": PIPE}),
        (EnableFileVault("ana"), {"password": PIPE}),
        (SetPassword("ana", "root", new="old_password"), {"old_password": PIPE}),
        (RemoveUnlocker("ana"), {}),
        (SetAdmin("ana", True), {}),
    ],
)
def test_which_passwords_a_step_needs(step: Step, expected: dict[str, int]) -> None:
    assert step.needs(NEW_DSCL) == expected
