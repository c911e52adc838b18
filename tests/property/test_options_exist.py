# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""No program is given an option that it does not have on that macOS: each one, its first version and who shows it."""

from __future__ import annotations

import re
import typing as t
from dataclasses import fields, replace

import pytest
from transcripts import TRANSCRIPTS

from ansible_collections.keyholder.macos.plugins.module_utils._account import Account
from ansible_collections.keyholder.macos.plugins.module_utils._command import (
    app_sso,
    diskutil,
    dscl,
    fdesetup,
    hardware,
    mdmclient,
    network,
    profiles,
    softwareupdate,
    start_up,
    system,
)
from ansible_collections.keyholder.macos.plugins.module_utils._command.directory_copy import Copy
from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac
from ansible_collections.keyholder.macos.plugins.module_utils._macos import BOOTSTRAP_TOKEN, ERASE_PREFLIGHT, Version
from ansible_collections.keyholder.macos.plugins.module_utils._offer import Offer
from ansible_collections.keyholder.macos.plugins.module_utils._parking import Before
from ansible_collections.keyholder.macos.plugins.module_utils._reading.ask import Ask
from ansible_collections.keyholder.macos.plugins.module_utils._reading.read import READING, ahead, commands_of
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command, Secret
from ansible_collections.keyholder.macos.plugins.module_utils._step import (
    account,
    bootstrap,
    directory,
    filevault,
    general,
    parking,
    token,
    upgrade,
)
from ansible_collections.keyholder.macos.plugins.module_utils._step.base import Step, Write

VERSIONS = [
    Version.parse(one)
    for one in ("10.13.6", "10.14.6", "10.15.7", "11.7.10", "12.7", "13.6.9", "14.5", "15.6", "26.1", "27.0.1")
]
EVERY, ON_11, ON_27 = Version(10, 13), Version(11), Version(27)

USAGE = "usage of sysadminctl: transcripts usage-10.13, usage-11-12, usage-13.2.1"
FDE = "man fdesetup of 2019 to 2026 (keith/xcode-man-pages)"
DSCL = "apple-oss-distributions/DSTools dscl.m"
PROFILES = "man profiles (keith/xcode-man-pages)"

OPTIONS: dict[str, dict[str, tuple[Version, str]]] = {
    "sysadminctl": dict.fromkeys(
        "-addUser -fullName -shell -hint -picture -UID -home -admin -password -resetPasswordFor -newPassword"
        " -oldPassword -adminUser -adminPassword -secureTokenOn -secureTokenOff -deleteUser -keepHome"
        " -secure -".split(),
        (EVERY, USAGE),
    )
    | {"-GID": (ON_11, USAGE)},
    "fdesetup": dict.fromkeys(
        "enable disable add remove list status changerecovery removerecovery validaterecovery authrestart"
        " showdeferralinfo supportsauthrestart -inputplist -outputplist -defer -user -uuid -forceatlogin"
        " -dontaskatlogout -personal -delayminutes".split(),
        (EVERY, FDE),
    )
    | {"-showrecoverykey": (ON_27, "man fdesetup of June 2026; before, in an example alone")},
    "dscl": dict.fromkeys(
        "-q -plist -create -append -merge -delete -passwd -authonly -read -readall".split(), (EVERY, DSCL)
    ),
    "diskutil": dict.fromkeys(
        "apfs listUsers updatePreboot unlockVolume -user -verify -stdinpassphrase".split(),
        (EVERY, "man diskutil (keith/xcode-man-pages); fde and du transcripts of 10.13"),
    ),
    "profiles": dict.fromkeys("status -type enrollment".split(), (Version(10, 13, 4), PROFILES))
    | dict.fromkeys("install remove validate bootstraptoken".split(), (Version(10, 15), PROFILES))
    | dict.fromkeys(
        "show -output stdout-xml".split(), (EVERY, "assumed for 10.13 and 10.14; usnistgov/macos_security")
    ),
    "dseditgroup": dict.fromkeys("-o edit -a -d -t".split(), (EVERY, "DSTools dseditgroup.c")),
    "createhomedir": dict.fromkeys("-c -u".split(), (EVERY, "man createhomedir")),
    "createmobileaccount": dict.fromkeys("-n -h".split(), (EVERY, "man createmobileaccount")),
    "launchctl": dict.fromkeys("bootstrap bootout print asuser".split(), (EVERY, "man launchctl, OS X 10.10")),
    "sudo": {"-u": (EVERY, "man sudo")},
    "odutil": dict.fromkeys("show nodenames".split(), (EVERY, "man odutil")),
    "mdmclient": {"QueryDeviceInformation": (Version(13, 3), "https://github.com/Macjutsu/super")},
    "sysctl": dict.fromkeys("-i -n".split(), (EVERY, "man sysctl")),
    "sw_vers": {},
    "pwpolicy": dict.fromkeys("-u -disableuser -enableuser".split(), (EVERY, "man pwpolicy (keith/xcode-man-pages)")),
    "sshd": dict.fromkeys("-t -T -C".split(), (EVERY, "man sshd, OpenSSH")),
    "killall": {},
    "softwareupdate": dict.fromkeys(
        "--list --install --restart --agree-to-license".split(),
        (EVERY, "man softwareupdate (keith/xcode-man-pages); assumed before 11"),
    )
    | dict.fromkeys("--user --stdinpass".split(), (ON_11, "man softwareupdate (keith/xcode-man-pages)")),
    "startosinstall": dict.fromkeys(
        "--agreetolicense --nointeraction --forcequitapps".split(), (EVERY, "kc9wwh/macOSUpgrade 187")
    )
    | dict.fromkeys("--user --stdinpass".split(), (ON_11, "grahampugh/erase-install 63 and 71")),
    "app-sso": dict.fromkeys("platform -s".split(), (Version(13), "transcript app-sso-platform-15.6; man app-sso")),
    "pmset": {"-g": (EVERY, "man pmset")},
    "system_profiler": {},
    "plutil": {"-p": (EVERY, "man plutil")},
    "route": dict.fromkeys("-n get".split(), (EVERY, "man route")),
    "firmwarepasswd": {"-check": (EVERY, "man firmwarepasswd")},
    "ipconfig": {"getsummary": (EVERY, "man ipconfig")},
    "pgrep": {"-fl": (EVERY, "man pgrep")},
}
"""Program -> each of its words that is none of ours -> the first version that has it, and its source."""

ASKED_ANYWAY = {profiles.BOOTSTRAP_STATUS, profiles.ENROLLMENT, app_sso.STATE, softwareupdate.LIST}
"""Asked before the version is known, or of each macOS: where the program does not know it, or is missing, that is the
answer."""

OFFER = Offer("macOS 26.1", "macOS 26.1", Version(26, 1))
HELD = Offer("/Applications/Install macOS Tahoe.app", "macOS 26.1", Version(26, 1))
HOUSE = Step.__module__.rpartition(".")[0]
ANA = Account(
    "ana", "G-ANA", full_name="Ana", uid=501, gid=20, shell="/bin/zsh", home="/Users/ana", hint="h", picture="/p"
)
SECRETS = {
    name: Secret("x")
    for name in ("password", "admin_password", "old_password", "current_key", "additional_users[0].password")
}


def steps(version: Version) -> list[Step]:
    """Each write that there is, with all that it can be given. No plan has one of profiles before it is known."""
    known = version >= BOOTSTRAP_TOKEN.first
    # An owner of the volume is asked for on Apple silicon alone.
    owner = "ana" if version >= ON_11 else ""
    by_profiles: list[Step] = [bootstrap.EscrowBootstrap("it"), bootstrap.RemoveBootstrap("it")] if known else []
    return [
        account.CreateAccount(ANA),
        account.CreateAccount(account.replace(ANA, admin=True, hidden=True), bare=True),
        account.CreateAccount(account.replace(ANA, admin=True)),
        account.CreateMobileAccount(ANA, "/Users/ana"),
        *(account.SetAttribute("ana", key, "1") for key in dscl.FIELDS),
        account.SetAdmin("ana", True),
        account.SetAdmin("ana", False),
        account.PlanDemotion("ana"),
        account.DropDemotion("ana"),
        *(account.SetPassword("ana", how, "it") for how in ("root", "granter", "old")),
        account.CreateHome("ana"),
        *(account.DeleteAccount("ana", home) for home in ("keep_home", "delete_home", "secure")),
        token.Grant("ana", "it"),
        token.Revoke("ana", "it"),
        token.BecomeFirstHolder("ana"),
        token.SetSamePassword("ana"),
        token.PreventToken("ana"),
        token.AllowToken("ana"),
        token.RemoveMarker("ana"),
        token.RemoveOrphan("G-1"),
        general.Note("x"),
        general.Forget("x"),
        general.UpdatePreboot(),
        filevault.EnableFileVault("ana", ()),
        filevault.DeferFileVault("ana", "/p", 3, False, True),
        filevault.CancelDeferral(),
        filevault.DisableFileVault("ana"),
        filevault.AddUnlocker("ana", "it"),
        filevault.RemoveUnlocker("ana"),
        filevault.ChangeKey("ana"),
        filevault.RemoveKey("ana"),
        filevault.RemoveKeyFile("/p"),
        filevault.ArmRestart("ana"),
        filevault.Restart(),
        account.ArchiveHome("ana", "/Users/ana", "/p"),
        parking.RememberAccount("ana", Before(hidden=False, admin=True, disabled=False, shell="/bin/zsh")),
        parking.ForgetAccount("ana"),
        parking.SetDisabled("ana", True),
        parking.SetDisabled("ana", False),
        parking.DenySsh("ana"),
        parking.AllowSsh("ana"),
        directory.LeaveDirectory("ana", Copy(("v",), ("SMBSID",), hashed=True, marked=False)),
        upgrade.InstallUpdate(OFFER, owner, 60),
        upgrade.StartInstaller(HELD, owner, 60),
        *by_profiles,
    ]


def reading() -> set[Command]:
    every = Ask(**{field.name: True if field.type == "bool" else "ana" for field in fields(Ask)})
    # With a version of macOS to reach, all else waits for the answer to whether the Mac is older.
    every = replace(every, updates_below="")
    return {
        *READING,
        *commands_of(every),
        *ahead(every),
        system.SW_VERS,
        *dscl.READ_EACH,
        network.NODES,
        network.read_person("ana"),
    }


def sent(version: Version) -> set[Command]:
    mac = Mac(version, as_root=True, accounts=(ANA,), pending=frozenset({"preboot"}))
    asked = {one for one in reading() if one not in ASKED_ANYWAY}
    keys = {
        diskutil.UPDATE_PREBOOT,
        diskutil.try_passphrase("G-ANA", SECRETS["password"]),
        fdesetup.validate_recovery_key(SECRETS["password"]),
        fdesetup.DEFERRAL,
        hardware.FIRMWARE_PASSWORD,
        start_up.SUPPLICANTS,
        start_up.summary_of("en0"),
        system.BOOT_TIME,
        *([mdmclient.DEVICE_INFORMATION] if version >= ERASE_PREFLIGHT.first else []),
        *([profiles.bootstrap("validate", "it", SECRETS["password"])] if version >= BOOTSTRAP_TOKEN.first else []),
    }
    return asked | keys | {command for step in steps(version) for command in step.commands(mac, SECRETS)}


def words(command: Command) -> t.Iterator[tuple[str, str]]:
    """Yield each option and each verb with the program that it is given to: launchctl and sudo start another one."""
    program = ""
    for word in command.argv[4:] if command.argv[:2] == ("sh", "-c") else command.argv:
        if word.rpartition("/")[2] in OPTIONS:
            program = word.rpartition("/")[2]
        elif program and (re.fullmatch("-[A-Za-z]*", word) or word in OPTIONS[program]):
            yield program, word


@pytest.mark.parametrize("version", VERSIONS, ids=str)
def test_each_option_that_is_sent_exists_on_that_macos(version: Version) -> None:
    missing = [
        f"{command}: {word}"
        for command in sent(version)
        for program, word in words(command)
        if OPTIONS[program].get(word, (Version(99), ""))[0] > version
    ]
    assert missing == []


def test_each_program_of_macos_is_in_the_table() -> None:
    """What every system has alike is not: of those, the option is the standard's."""
    alike = {"sh", "tee", "rm", "cat", "stat", "ls", "who", "tar", "defaults", "openssl", "shutdown"}
    programs = {command.argv[0].rpartition("/")[2] for version in VERSIONS for command in sent(version)}
    assert programs - alike <= set(OPTIONS)
    assert len(programs) > 10


def test_no_row_of_the_table_is_idle() -> None:
    used = {pair for version in VERSIONS for command in sent(version) | ASKED_ANYWAY for pair in words(command)}
    assert used == {(program, word) for program, known in OPTIONS.items() for word in known}


def test_every_write_is_tried() -> None:
    """A step that is new must say which options it gives to whom."""
    tried = {type(step) for step in steps(VERSIONS[-1])}
    assert {
        kind for kind in _kinds(Write) if not kind.__name__.startswith("_") and kind.__module__.startswith(HOUSE)
    } == tried


def _kinds(kind: type[Step]) -> set[type[Step]]:
    return {one for below in kind.__subclasses__() for one in {below, *_kinds(below)}}


@pytest.mark.parametrize(
    ("usage", "first"), [("usage-10.13", EVERY), ("usage-11-12", ON_11), ("usage-13.2.1", Version(13))]
)
def test_the_usage_that_macos_printed_names_what_the_table_names(usage: str, first: Version) -> None:
    text = TRANSCRIPTS[usage].stderr or TRANSCRIPTS[usage].stdout or ""
    for option, (since, _) in OPTIONS["sysadminctl"].items():
        if option != "-":
            assert (f"{option} " in text or f"{option}]" in text) is (since <= first), option
