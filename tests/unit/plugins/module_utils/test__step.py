# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each step in one row: what it makes of a Mac, what it starts and hands over, and how many bytes its prompts take.

What it makes of a Mac is what check mode predicts, and what the second reading is held against.
"""

from __future__ import annotations

import plistlib
import typing as t
from dataclasses import dataclass, field, replace

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils._account import EVERYWHERE, NOWHERE, Account, Sources
from ansible_collections.keyholder.macos.plugins.module_utils._command import softwareupdate, startosinstall
from ansible_collections.keyholder.macos.plugins.module_utils._command.directory_copy import _AGAIN, Copy
from ansible_collections.keyholder.macos.plugins.module_utils._command.sshd_settings import _TRIED
from ansible_collections.keyholder.macos.plugins.module_utils._mac import FileVault, Mac, Management, Volume
from ansible_collections.keyholder.macos.plugins.module_utils._macos import Version
from ansible_collections.keyholder.macos.plugins.module_utils._offer import Offer
from ansible_collections.keyholder.macos.plugins.module_utils._parking import Before
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
    gets_first,
    new_account,
)
from ansible_collections.keyholder.macos.plugins.module_utils._step.base import Step
from ansible_collections.keyholder.macos.plugins.module_utils._step.bootstrap import (
    EscrowBootstrap,
    RemoveBootstrap,
    ValidateBootstrap,
)
from ansible_collections.keyholder.macos.plugins.module_utils._step.directory import LeaveDirectory
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
from ansible_collections.keyholder.macos.plugins.module_utils._step.parking import (
    AllowSsh,
    DenySsh,
    ForgetAccount,
    RememberAccount,
    SetDisabled,
)
from ansible_collections.keyholder.macos.plugins.module_utils._step.token import (
    AllowToken,
    BecomeFirstHolder,
    CheckPassword,
    Grant,
    PreventToken,
    RemoveMarker,
    RemoveOrphan,
    Revoke,
    SetSamePassword,
    VerifyKey,
)
from ansible_collections.keyholder.macos.plugins.module_utils._step.upgrade import InstallUpdate, StartInstaller

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
OLD_DSCL, NEW_DSCL = Mac(Version(12, 7), accounts=(ANA, RUI)), Mac(Version(13))
NEWCOMER = replace(new_account("new"), full_name="New", uid=700, gid=20, hidden=True, admin=True, home="/h", shell="/s")
CREATED = replace(NEWCOMER, uid=None, gid=None, hidden=False, has_password=True)

SECRETS = {
    name: Secret(f"{name} of it")
    for name in ("password", "admin_password", "old_password", "current_key", "additional_users[0].password")
}
PW, ADMIN_PW, OLD_PW, KEY = b"password of it", b"admin_password of it", b"old_password of it", b"current_key of it"
GETPASS, PIPE, TERMINAL = 128, 1022, 128
PASSWORD, BOTH, BY_KEY = {"password": PIPE}, {"admin_password": PIPE, "password": PIPE}, {"current_key": PIPE}

# What macOS's programs are called with.
ROOT, PENDING = "/Users/root", "dsAttrTypeNative:keyholder_pending"
BY_ANA = "-adminUser ana -adminPassword -"
RESET = "sysadminctl -resetPasswordFor rui -newPassword -"
TAG = "AuthenticationAuthority ;DisabledTags;SecureToken"
FDE, INPUT = "fdesetup", "-inputplist"
PARKED, DROP_IN = "dsAttrTypeNative:keyholder_parked", "/etc/ssh/sshd_config.d/040-keyholder-rui.conf"
OFFER = Offer("macOS Tahoe 26.1-25B78", "macOS Tahoe 26.1", Version(26, 1), "25B78")
NEWER = replace(MAC, version=Version(26, 1), build="25B78")
INSTALL = "softwareupdate --install macOS Tahoe 26.1-25B78 --restart --agree-to-license"
APPLICATION = "/Applications/Install macOS Tahoe.app"
HELD = Offer(APPLICATION, "macOS 26.1", Version(26, 1))
START = f"{APPLICATION}/Contents/Resources/startosinstall --agreetolicense --nointeraction --forcequitapps"
WAS = Before(hidden=False, admin=True, disabled=False, shell="/bin/zsh")


@dataclass(frozen=True)
class Row:
    """A step, and what comes of it on MAC."""

    step: Step
    after: Mac = MAC
    says: str | None = ""
    """Its commands, a line each; None where a test of its own tells them."""
    given: bytes | dict[str, t.Any] = b""
    """What goes to its stdin: lines, or a property list."""
    needs: dict[str, int] = field(default_factory=dict)


def has(of: Mac = MAC, **more: t.Any) -> Mac:
    return replace(of, **more)


def person(who: Account, of: Mac = MAC, **more: t.Any) -> Mac:
    return of.with_account(replace(who, **more))


def vault(**more: t.Any) -> Mac:
    return replace(MAC, filevault=replace(MAC.filevault, **more))


def lines(*secrets: bytes) -> bytes:
    return b"".join(secret + b"\n" for secret in secrets)


def plist(password: bytes, user: str = "", other: str = "", others: bytes = b"") -> dict[str, t.Any]:
    more: dict[str, t.Any] = {"Username": user} if user else {}
    if other:
        more["AdditionalUsers"] = [{"Username": other, "Password": others.decode()}]
    return {"Password": password.decode(), **more}


RUI_HOLDS = person(RUI, sources=EVERYWHERE, volume_owner=True)
ENABLED = vault(state="on", deferred_user="", personal_key=True)
FIRST_OTHER = "additional_users[0].password"

LOOKS = [
    Row(CheckPassword("ana", "password", "user"), needs=PASSWORD),
    Row(VerifyKey("ana", "A" * 36, "old_password"), needs={"old_password": PIPE}),
    Row(Prove(("ana",))),
    Row(CheckRecipients()),
    Row(ProofArchive("/p"), says="tar -t -z -f /p"),
    Row(ValidateKey()),
    Row(ValidateKey("current_key"), needs=BY_KEY),
    Row(DeliverKey("return")),
    Row(ReadKeyFile("/a"), says="cat /a"),
]
# What they change no reading shows.
UNSEEN = [
    Row(PlanDemotion("ana"), says=None),
    Row(
        DropDemotion("ana"),
        says="launchctl bootout system/keyholder.macos.demote\n"
        "rm -f /Library/LaunchDaemons/keyholder.macos.demote.plist",
    ),
    Row(CreateHome("ana"), says="createhomedir -c -u ana"),
    Row(ArchiveHome("ana", "/Users/ana", "/p"), says='sh -c umask 077; exec "$@" sh tar -c -z -f /p -C /Users ana'),
    Row(ArmRestart("ana"), MAC, f"{FDE} authrestart -delayminutes -1 {INPUT}", plist(PW, "ana"), PASSWORD),
    Row(ArmRestart(""), MAC, f"{FDE} authrestart -delayminutes -1 {INPUT}", plist(KEY), BY_KEY),
    Row(
        InstallUpdate(OFFER, "ana", 60),
        NEWER,
        f"{INSTALL} --user ana --stdinpass",
        lines(PW),
        {"password": softwareupdate.PASSWORD_BYTES},
    ),
    Row(InstallUpdate(OFFER, "", 60), NEWER, INSTALL),
    Row(
        StartInstaller(HELD, "ana", 60),
        replace(NEWER, build=""),
        f"{START} --user ana --stdinpass",
        lines(PW),
        {"password": startosinstall.PASSWORD_BYTES},
    ),
    Row(StartInstaller(HELD, "", 60), replace(NEWER, build=""), START),
    Row(Restart(), says="shutdown -r now"),
    Row(Restart(locked=True), says="shutdown -r now"),
]
WRITES = [
    Row(
        Note("repairing ana"),
        has(pending=MAC.pending | {"repairing ana"}),
        f"dscl . -merge {ROOT} {PENDING} repairing ana",
    ),
    Row(Note(), MAC, f"dscl . -merge {ROOT} {PENDING} preboot"),
    Row(Forget("creating rui"), has(pending=frozenset({"preboot"})), f"dscl . -delete {ROOT} {PENDING} creating rui"),
    Row(Forget("creating ada"), MAC, f"dscl . -delete {ROOT} {PENDING} creating ada"),
    Row(UpdatePreboot(), has(pending=frozenset({"creating rui"})), f"dscl . -delete {ROOT} {PENDING} preboot"),
    Row(
        Grant("rui", "ana"),
        RUI_HOLDS,
        f"sysadminctl -secureTokenOn rui -password - {BY_ANA}",
        lines(ADMIN_PW, PW),
        BOTH,
    ),
    Row(
        Revoke("ana", "rui"),
        person(ANA, sources=NOWHERE, volume_owner=False),
        "sysadminctl -secureTokenOff ana -password - -adminUser rui -adminPassword -",
        lines(ADMIN_PW, PW),
        BOTH,
    ),
    Row(
        BecomeFirstHolder("rui"),
        RUI_HOLDS,
        "dscl /Local/Default -authonly rui",
        lines(PW),
        {"password": GETPASS},
    ),
    Row(SetSamePassword("rui"), RUI_HOLDS, RESET, lines(PW), PASSWORD),
    Row(
        CreateAccount(NEWCOMER),
        MAC.with_account(replace(CREATED, volume_owner=False)),
        "sysadminctl -addUser new -fullName New -shell /s -UID 700 -GID 20 -home /h -admin -password -",
        lines(PW),
        PASSWORD,
    ),
    Row(
        CreateAccount(NEWCOMER, bare=True),
        MAC.with_account(replace(NEWCOMER, admin=False, has_password=False, volume_owner=False)),
        None,
    ),
    Row(
        CreateMobileAccount(NEWCOMER),
        MAC.with_account(replace(NEWCOMER, volume_owner=False)),
        "createmobileaccount -n new",
    ),
    Row(
        CreateMobileAccount(NEWCOMER, "/m"),
        MAC.with_account(replace(NEWCOMER, volume_owner=False)),
        "createmobileaccount -n new -h /m",
    ),
    Row(SetAttribute("rui", "uid", 0), person(RUI, uid=0), "dscl . -create /Users/rui UniqueID 0"),
    Row(SetAttribute("rui", "hidden", True), person(RUI, hidden=True), "dscl . -create /Users/rui IsHidden 1"),
    Row(
        SetAttribute("rui", "hint", "x"),
        person(RUI, hint="x"),
        "dscl . -create /Users/rui AuthenticationHint x",
    ),
    Row(SetAdmin("rui", True), person(RUI, admin=True), "dseditgroup -o edit -a rui -t user admin"),
    Row(SetAdmin("rui", False), MAC, "dseditgroup -o edit -d rui -t user admin"),
    Row(PreventToken("rui"), person(RUI, disabled_tag=True), f"dscl . -append /Users/rui {TAG}"),
    Row(AllowToken("ana"), person(ANA, disabled_tag=False), f"dscl . -delete /Users/ana {TAG}"),
    Row(SetPassword("rui", "root"), person(RUI, has_password=True), RESET, lines(PW), PASSWORD),
    Row(
        SetPassword("rui", "root", new="old_password"),
        person(RUI, has_password=True),
        RESET,
        lines(OLD_PW),
        {"old_password": PIPE},
    ),
    Row(
        SetPassword("rui", "granter", "ana"),
        person(RUI, has_password=True),
        f"{RESET} {BY_ANA}",
        lines(PW, ADMIN_PW),
        BOTH,
    ),
    Row(
        SetPassword("rui", "old"),
        person(RUI, has_password=True),
        "dscl . -passwd /Users/rui",
        lines(PW, OLD_PW),
        {"old_password": GETPASS, "password": GETPASS},
    ),
    Row(
        SetPassword("rui", "old", new="old_password", old="password"),
        person(RUI, has_password=True),
        "dscl . -passwd /Users/rui",
        lines(OLD_PW, PW),
        {"old_password": GETPASS, "password": GETPASS},
    ),
    Row(DeleteAccount("rui", "keep_home"), has(accounts=(ANA,)), "sysadminctl -deleteUser rui -keepHome"),
    Row(DeleteAccount("rui", "secure"), has(accounts=(ANA,)), "sysadminctl -deleteUser rui -secure"),
    Row(
        RemoveMarker("ana"),
        person(ANA, sources=Sources(False, True, True)),
        "dscl . -delete /Users/ana AuthenticationAuthority ;SecureToken;",
    ),
    Row(RemoveOrphan("O1"), has(orphans=("O2",)), f"{FDE} remove -uuid O1"),
    Row(RemoveOrphan("O3"), MAC, f"{FDE} remove -uuid O3"),
    Row(
        AddUnlocker("rui", "ana"),
        person(RUI, sources=Sources(False, False, True)),
        f"{FDE} add {INPUT}",
        plist(ADMIN_PW, "ana", "rui", PW),
        BOTH,
    ),
    Row(RemoveUnlocker("ana"), person(ANA, sources=Sources(True, True, False)), f"{FDE} remove -user ana"),
    Row(EnableFileVault("ana"), ENABLED, f"{FDE} enable {INPUT} -outputplist", plist(PW, "ana"), PASSWORD),
    Row(
        EnableFileVault("ana", ("rui",)),
        ENABLED,
        f"{FDE} enable {INPUT} -outputplist",
        plist(PW, "ana", "rui", SECRETS[FIRST_OTHER].reveal()),
        {"password": PIPE, FIRST_OTHER: PIPE},
    ),
    Row(
        DisableFileVault("ana"),
        vault(state="off", deferred_user="", personal_key=None),
        f"{FDE} disable {INPUT}",
        plist(PW, "ana"),
        PASSWORD,
    ),
    Row(
        DeferFileVault("rui", "/p", 2, False, True),
        vault(deferred_user="rui"),
        f"{FDE} enable -defer /p -user rui -forceatlogin 2 -dontaskatlogout",
    ),
    Row(CancelDeferral(), vault(deferred_user=""), f"{FDE} disable"),
    Row(
        ChangeKey("ana"),
        vault(personal_key=True),
        f"{FDE} changerecovery -personal {INPUT} -outputplist",
        plist(PW, "ana"),
        PASSWORD,
    ),
    Row(
        ChangeKey(""),
        vault(personal_key=True),
        f"{FDE} changerecovery -personal {INPUT} -outputplist",
        plist(KEY),
        BY_KEY,
    ),
    Row(
        RemoveKey("ana"),
        vault(personal_key=False),
        f"{FDE} removerecovery -personal {INPUT}",
        plist(PW, "ana"),
        PASSWORD,
    ),
    Row(RemoveKey(""), vault(personal_key=False), f"{FDE} removerecovery -personal {INPUT}", plist(KEY), BY_KEY),
    Row(RemoveKeyFile("/a"), has(files=frozenset({"/b"})), "rm -f /a"),
    Row(
        RememberAccount("rui", WAS),
        person(RUI, parked="hidden=0 admin=1 disabled=0 no_ssh=0 shell=/bin/zsh"),
        f"dscl . -create /Users/rui {PARKED} hidden=0 admin=1 disabled=0 no_ssh=0 shell=/bin/zsh",
    ),
    Row(ForgetAccount("rui"), MAC, f"dscl . -delete /Users/rui {PARKED}"),
    Row(
        SetDisabled("rui", True),
        person(RUI, disabled=True, disabled_by="it is in the group com.apple.access_disabled"),
        "pwpolicy -u rui -disableuser",
    ),
    Row(SetDisabled("rui", False), MAC, "pwpolicy -u rui -enableuser"),
    Row(
        DenySsh("rui"),
        has(files=MAC.files | {DROP_IN}, sshd_refuses=True),
        f"sshd -t\ntee {DROP_IN}\nsh -c {_TRIED} {DROP_IN} sshd -t",
        b"DenyUsers rui\nMatch User rui\n    DenyUsers *\n    PasswordAuthentication no\n"
        b"    KbdInteractiveAuthentication no\nMatch all\n",
    ),
    Row(AllowSsh("rui"), has(sshd_refuses=False), f"rm -f {DROP_IN}"),
    Row(
        LeaveDirectory("rui", Copy(("v",), ("SMBSID", "OriginalNodeName"), hashed=True, marked=False)),
        has(directory_copy=Copy(hashed=True)),
        "dscl . -delete /Users/rui AuthenticationAuthority v\ndscl . -create /Users/rui Password ********\n"
        "dscl . -delete /Users/rui SMBSID\ndscl . -delete /Users/rui OriginalNodeName\n"
        f"sh -c {_AGAIN} sh killall opendirectoryd",
    ),
]
ROWS = [*LOOKS, *UNSEEN, *WRITES]
HOUSE = Step.__module__.rpartition(".")[0]
# They speak at a terminal, and are tried below, with what macOS says of their token.
AT_A_TERMINAL = (EscrowBootstrap, RemoveBootstrap, ValidateBootstrap)
every_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: type(row.step).__name__)


def kinds(of: type[Step]) -> set[type[Step]]:
    """The product's classes that are steps, and not what steps share."""
    ours = [one for one in of.__subclasses__() if one.__module__.startswith(HOUSE)]
    return {kind for one in ours for kind in kinds(one)} or {of}


def test_each_step_has_a_row() -> None:
    assert {type(row.step) for row in ROWS} | {*AT_A_TERMINAL} == kinds(Step)


@every_row
def test_what_it_makes_of_a_mac(row: Row) -> None:
    assert row.step.after(MAC) == row.after
    assert row.step.writes is (row not in LOOKS)


@every_row
def test_what_it_starts_and_hands_over(row: Row) -> None:
    commands = row.step.commands(MAC, SECRETS)
    if row.says is not None:
        given = b"".join(command.input() for command in commands)
        assert "\n".join(map(str, commands)) == row.says
        assert (plistlib.loads(given) if isinstance(row.given, dict) else given) == row.given
    assert not row.step.at_a_terminal


@every_row
def test_how_many_bytes_each_prompt_takes(row: Row) -> None:
    assert row.step.needs(NEW_DSCL) == row.needs


# -- where a Mac's version or an account decides ----------------------------------------------------------------------


def test_before_macos_13_dscl_takes_longer_passwords() -> None:
    assert SetPassword("ana", "old").needs(OLD_DSCL) == {"old_password": PIPE, "password": PIPE}


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


@pytest.mark.parametrize("wanted", [False, True])
@pytest.mark.parametrize(
    ("version", "there"), [(Version(10, 13, 6), False), (Version(26, 6), False), (Version(27), True)]
)
def test_a_deferral_is_told_to_show_the_key_where_macos_would_hide_it(
    version: Version, there: bool, wanted: bool
) -> None:
    (command,) = DeferFileVault("rui", "/p", show_key=wanted).commands(Mac(version), SECRETS)
    assert ("-showrecoverykey" in command.argv) is (there and wanted)


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


def test_preboot_that_nobody_owes_is_not_forgotten() -> None:
    assert UpdatePreboot().commands(OLD_DSCL, SECRETS) == []


@pytest.mark.parametrize(("user", "uid"), [("rui", 502), ("bob", 0), ("eve", 0)])
def test_before_macos_13_an_account_changes_its_own_password(user: str, uid: int) -> None:
    mac = OLD_DSCL.with_account(Account("bob", "C"))
    (command,) = SetPassword(user, "old").commands(mac, SECRETS)
    assert str(command) == f"launchctl asuser {uid} sudo -u {user} sysadminctl -newPassword - -oldPassword -"
    assert command.input() == lines(OLD_PW, PW)


def test_from_macos_13_on_dscl_sets_it() -> None:
    (command,) = SetPassword("ana", "old").commands(NEW_DSCL, SECRETS)
    assert (str(command), command.input()) == ("dscl . -passwd /Users/ana", lines(PW, OLD_PW))


def test_an_account_is_made_with_all_that_sysadminctl_takes() -> None:
    account = Account("ana", NEW_GUID, "Ana S", 0, 0, admin=True, home="/h", shell="/s", hint="the usual", picture="/p")
    (command,) = CreateAccount(account).commands(MAC, SECRETS)
    assert str(command) == (
        "sysadminctl -addUser ana -fullName Ana S -shell /s -hint the usual -picture /p -UID 0 -GID 0 -home /h -admin"
        " -password -"
    )
    assert command.input() == lines(PW)
    (plain,) = CreateAccount(Account("ana", NEW_GUID, "Ana")).commands(MAC, SECRETS)
    assert str(plain) == "sysadminctl -addUser ana -fullName Ana -password -"


def test_a_promotion_is_taken_back_by_a_job_after_a_quarter_of_an_hour() -> None:
    dummy, write, dummy, dummy = PlanDemotion("ana").commands(MAC, SECRETS)
    content = plistlib.loads(write.input())
    assert (content["StartInterval"], content["ProgramArguments"][-2:]) == (900, ["ana", "promoted ana"])


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


@pytest.mark.parametrize(("kind", "verb"), [*zip(AT_A_TERMINAL, ("install", "remove", "validate"))])
def test_profiles_is_answered_at_its_prompts(kind: t.Callable[[str], Step], verb: str) -> None:
    step = kind("itadmin")
    (command,) = step.commands(MAC, SECRETS)
    assert str(command) == f"profiles {verb} -type bootstraptoken"
    assert [answer.reveal() for dummy, answer in command.dialogue] == [b"itadmin", ADMIN_PW]
    assert step.at_a_terminal
    assert step.needs(MAC) == {"admin_password": TERMINAL}
