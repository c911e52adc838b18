# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each comparison after the act, on a Mac that makes exactly it fail: the programs say that all is well, one thing is
not so, and the second reading must say which."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import fakes
import pytest
from inmemory import LabRunner

from ansible_collections.keyholder.macos.plugins.module_utils._command import diskutil
from ansible_collections.keyholder.macos.plugins.module_utils._plan.account import AccountRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.bootstrap import BootstrapRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.filevault import (
    CollectRequest,
    FileVaultRequest,
    KeyRequest,
    UnlockerRequest,
)
from ansible_collections.keyholder.macos.plugins.module_utils._plan.mobile import MobileAccountRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.offboard import OffboardRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.parking import ParkRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.password import PasswordRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.repair import RepairRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.request import Outcome
from ansible_collections.keyholder.macos.plugins.module_utils._plan.restart import RestartRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.ssh_access import SshAccessRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.token import TokenRequest
from ansible_collections.keyholder.macos.plugins.module_utils._reading.read import read_mac
from ansible_collections.keyholder.macos.plugins.module_utils._run.run import Run
from ansible_collections.keyholder.macos.plugins.module_utils._runner import DEADLINE, Command, Ran, Secret
from maclab import directory, network, vault
from maclab.state import CryptoUser, DirectoryUser, Fault, Mac, ModelFile, NetworkDirectory

ADMIN = "admin-pw-1"
RIGHT = {"password": "ana-pw-1", "admin_password": ADMIN}
BY_ADMIN = {"password": ADMIN}
GRANT = TokenRequest("ana", admin_user="itadmin")
REVOKE = replace(GRANT, state="absent")
ORPHAN = "11111111-2222-4333-8444-555555555555"
SOURCES = ("authority", "crypto_user", "filevault_list")
KEY_FILE = "/var/root/key.plist"


def cast(version: str = "15.6", hardware: str = "apple-silicon") -> Mac:
    mac = fakes.mac(version, hardware)
    mac.accounts["root"] = fakes.person(mac, "root", None, uid=0)
    mac.accounts["root"].service = True
    fakes.person(mac, "itadmin", ADMIN, full_name="IT Administrator", admin=True, token=True)
    fakes.person(mac, "ana", RIGHT["password"], full_name="Ana Sousa")
    return mac


def holder(version: str = "15.6", hardware: str = "apple-silicon") -> Mac:
    mac = cast(version, hardware)
    directory.give_token(mac, mac.accounts["ana"])
    return mac


def encrypted(version: str = "15.6") -> Mac:
    mac = holder(version)
    vault.turn_on(mac)
    mac.filevault.state, mac.filevault.percent, mac.filevault.advance = "on", None, None
    return mac


def escrowing() -> Mac:
    """FileVault is on, and a profile has each new key put aside; the last time long ago."""
    mac = encrypted()
    mac.mdm.enrolled, mac.mdm.escrow_profile = "ade", True
    vault.escrow_key(mac, 5.0)
    return mac


def managed() -> Mac:
    mac = cast()
    mac.mdm.enrolled, mac.mdm.user_approved, mac.mdm.supervised, mac.mdm.bootstrap_supported = "ade", True, True, True
    return mac


def bootstrapped() -> Mac:
    mac = managed()
    assert flow(LabRunner(mac), BootstrapRequest("escrowed", "itadmin")).refusal is None
    return mac


def unlisted() -> Mac:
    mac = encrypted()
    mac.filevault.hidden_users.append(mac.accounts["ana"].generated_uid)
    return mac


def deferred() -> Mac:
    mac = holder()
    assert flow(LabRunner(mac), FileVaultRequest("deferred", "ana", defer_path=KEY_FILE), {}).refusal is None
    return mac


def collected() -> Mac:
    mac = encrypted()
    said = fakes.run(mac, "fdesetup", "status").out
    assert "On" in said
    mac.files[KEY_FILE] = ModelFile(
        f'<?xml version="1.0"?><plist version="1.0"><dict><key>RecoveryKey</key><string>{mac.filevault.prk}</string>'
        "</dict></plist>",
        1.0,
    )
    return mac


def leftover() -> Mac:
    mac = cast("15.6", "intel")
    mac.crypto_users[ORPHAN] = CryptoUser(ORPHAN, directory.LOCAL_USER, owner=False)
    return mac


def marked() -> Mac:
    mac = cast()
    mac.accounts["ana"].authority.append(directory.TOKEN)
    return mac


def promoted() -> Mac:
    mac = cast()
    directory.make_admin(mac, mac.accounts["ana"])
    return mac


def tagged() -> Mac:
    mac = cast()
    mac.accounts["ana"].authority.append(directory.DISABLED_TAG)
    return mac


def half_mobile() -> Mac:
    """An earlier run was cut off between the mobile account and its home."""
    mac = cast()
    ada = DirectoryUser("ada", "Ada Lovelace", 1234567, directory.new_guid(), "ada-pw-1")
    mac.network = NetworkDirectory("/Active Directory/CORP/corp.example.com", users={"ada": ada})
    network.create_mobile_account(mac, ada, "/Users/ada")
    fakes.run(mac, "dscl", ".", "-merge", "/Users/root", f"dsAttrTypeNative:{NOTES}", "creating ada")
    return mac


def flow(runner: LabRunner, request: t.Any, passwords: dict[str, str] | None = None, check: bool = False) -> Outcome:
    secrets = {option: Secret(value) for option, value in (RIGHT if passwords is None else passwords).items()}
    return Run(runner, secrets, 5).run(request, check)


def refused(outcome: Outcome) -> tuple[str, str]:
    assert outcome.refusal is not None
    return outcome.refusal.reason, outcome.refusal.msg


def nothing(program: str, argument: str = "") -> Fault:
    return Fault("does_nothing", {"program": program, **({"argument": argument} if argument else {})})


def stays(source: str) -> Fault:
    return Fault("source_stands_still", {"user": "ana", "source": source})


SAYS = {"authority": "directory", "crypto_user": "crypto users", "filevault_list": "FileVault list"}
ALWAYS = AccountRequest("ana", update_password="always", given=frozenset({"password"}))
NEW = {"password": "brand-new-pw"}
OF_HOLDER = {"password": "brand-new-pw", "old_password": "ana-pw-1"}
GONE = AccountRequest("ana", state="absent")
BOB = {"password": "bob-pw-123"}
MADE = AccountRequest("bob", home="/Users/bob", given=frozenset(BOB))
NOTES = "keyholder_pending"
FAULTS: list[tuple[t.Callable[[], Mac], Fault, t.Any, dict[str, str], str]] = [
    # -- tokens: each source alone ------------------------------------------------------------------------------------
    *((cast, stays(source), GRANT, RIGHT, f"{SAYS[source]} no") for source in SOURCES),
    *((holder, stays(source), REVOKE, RIGHT, f"{SAYS[source]} yes") for source in SOURCES),
    (cast, nothing("sysadminctl", "-secureTokenOn"), GRANT, RIGHT, "directory no, crypto users no, FileVault list no"),
    (holder, nothing("sysadminctl", "-secureTokenOff"), REVOKE, RIGHT, "directory yes, crypto users yes"),
    # -- accounts -----------------------------------------------------------------------------------------------------
    (holder, Fault("delete_keeps_key", {}), GONE, {}, "its crypto user is still there"),
    (holder, Fault("delete_keeps_key", {}), OffboardRequest("ana", "delete"), {}, "its crypto user is still there"),
    (cast, nothing("sysadminctl", "-deleteUser"), GONE, {}, "the account is there"),
    (
        cast,
        nothing("sysadminctl", "-addUser"),
        AccountRequest("bob", given=frozenset({"password"})),
        {"password": "bob-pw-123"},
        "there is no such account",
    ),
    (
        lambda: cast("26.3"),
        nothing("dscl", "UniqueID"),
        AccountRequest("bob", uid=655, given=frozenset({"password"})),
        {"password": "bob-pw-123"},
        "uid is 503 (wanted: 655)",
    ),
    (
        cast,
        Fault("name_taken_over", {"user": "ana"}),
        AccountRequest("ana", hint="x"),
        {},
        "another account has taken its name",
    ),
    *(
        (cast, nothing("dscl", "-create"), AccountRequest("ana", **{key: value}), {}, f"{key} is ")
        for key, value in (
            ("full_name", "Ana S."),
            ("gid", 12),
            ("shell", "/bin/sh"),
            ("home", "/Users/elsewhere"),
            ("hint", "a hint"),
            ("picture", "/Library/x.png"),
            ("hidden", True),
        )
    ),
    (cast, nothing("dseditgroup"), AccountRequest("ana", admin=True), {}, "admin is False (wanted: True)"),
    (promoted, nothing("dseditgroup"), AccountRequest("ana", admin=False), {}, "admin is True (wanted: False)"),
    (tagged, nothing("dscl"), AccountRequest("ana", secure_token="allowed"), {}, "disabled_tag is True"),
    (cast, nothing("dscl"), AccountRequest("ana", secure_token="prevented"), {}, "disabled_tag is False"),
    # -- parked holders and sshd --------------------------------------------------------------------------------------
    (holder, nothing("tee"), SshAccessRequest("ana"), {}, "sshd does not say that it refuses the account"),
    *(
        (holder, nothing(program, argument), ParkRequest("ana"), {}, says)
        for program, argument, says in (
            ("tee", "", "sshd does not say that it refuses the account"),
            ("pwpolicy", "", "it is not disabled"),
            ("dscl", "UserShell", "shell is '/bin/zsh' (wanted: "),
            ("dscl", "IsHidden", "hidden is False (wanted: True)"),
        )
    ),
    # -- homes --------------------------------------------------------------------------------------------------------
    (cast, nothing("createhomedir"), MADE, BOB, "the home folder /Users/bob is not there"),
    (
        cast,
        Fault("home_of_another", {}),
        MADE,
        BOB,
        "the home folder /Users/bob belongs to UID 12345, and not to 503",
    ),
    (half_mobile, nothing("createhomedir"), MobileAccountRequest("ada"), {}, "the home folder /Users/ada is not there"),
    # -- notes --------------------------------------------------------------------------------------------------------
    (
        cast,
        nothing("dscl", f"-merge /Users/root dsAttrTypeNative:{NOTES}"),
        MADE,
        BOB,
        "is not on the Mac: creating bob",
    ),
    (cast, nothing("dscl", f"-delete /Users/root dsAttrTypeNative:{NOTES}"), MADE, BOB, "is still there: creating bob"),
    (cast, nothing("dscl", f"{NOTES} preboot"), GRANT, RIGHT, "is not on the Mac: preboot"),
    (cast, nothing("dscl", f"-delete /Users/root dsAttrTypeNative:{NOTES}"), GRANT, RIGHT, "is still there: preboot"),
    # -- passwords ----------------------------------------------------------------------------------------------------
    (cast, nothing("sysadminctl", "-resetPasswordFor"), ALWAYS, NEW, "ana does not have the new password"),
    (cast, nothing("sysadminctl"), PasswordRequest("ana", given=frozenset(NEW)), NEW, "does not have the new password"),
    (
        holder,
        nothing("dscl", "-passwd"),
        PasswordRequest("ana", given=frozenset(OF_HOLDER)),
        OF_HOLDER,
        "ana does not have the new password",
    ),
    # -- FileVault ----------------------------------------------------------------------------------------------------
    (cast, Fault("enable_does_nothing", {}), FileVaultRequest("enabled", "itadmin"), BY_ADMIN, "FileVault is off"),
    (encrypted, nothing("fdesetup", "disable"), FileVaultRequest("disabled", "itadmin"), BY_ADMIN, "FileVault is on"),
    (
        holder,
        nothing("fdesetup", "enable"),
        FileVaultRequest("deferred", "ana", defer_path=KEY_FILE),
        {},
        "FileVault is deferred for no user (wanted: ana)",
    ),
    (deferred, nothing("fdesetup", "disable"), FileVaultRequest("disabled"), {}, "FileVault is deferred for ana"),
    (encrypted, nothing("fdesetup", "remove"), UnlockerRequest("ana", state="absent"), {}, "FileVault list yes"),
    (unlisted, nothing("fdesetup", "add"), UnlockerRequest("ana", "present", "itadmin"), RIGHT, "FileVault list no"),
    (unlisted, nothing("fdesetup", "add"), RepairRequest("ana", "itadmin"), RIGHT, "FileVault list no"),
    (
        encrypted,
        nothing("fdesetup", "removerecovery"),
        KeyRequest("absent", "itadmin", given=frozenset(BY_ADMIN)),
        BY_ADMIN,
        "the personal recovery key is present",
    ),
    (
        escrowing,
        Fault("escrow_stands_still", {}),
        KeyRequest("rotated", "itadmin", given=frozenset(BY_ADMIN)),
        BY_ADMIN,
        "the new key was not escrowed",
    ),
    (collected, nothing("rm"), CollectRequest(KEY_FILE, "return", True), {}, f"{KEY_FILE} is still there"),
    # -- Bootstrap Token ----------------------------------------------------------------------------------------------
    (
        managed,
        nothing("profiles", "install"),
        BootstrapRequest("escrowed", "itadmin"),
        RIGHT,
        "the Bootstrap Token is not_escrowed",
    ),
    (
        bootstrapped,
        nothing("profiles", "remove"),
        BootstrapRequest("absent", "itadmin"),
        RIGHT,
        "(wanted: not_escrowed)",
    ),
    # -- repairs ------------------------------------------------------------------------------------------------------
    (leftover, nothing("fdesetup", "remove"), RepairRequest(orphans=True), {}, f"the crypto user {ORPHAN} is still"),
    (
        marked,
        nothing("sysadminctl", "-secureTokenOn"),
        RepairRequest("ana", "itadmin", given=frozenset(RIGHT)),
        RIGHT,
        "directory no, crypto users no",
    ),
]


@pytest.mark.parametrize(("make", "fault", "request_", "passwords", "says"), FAULTS, ids=lambda given: None)
def test_the_second_reading_notices(
    make: t.Callable[[], Mac], fault: Fault, request_: t.Any, passwords: dict[str, str], says: str
) -> None:
    sound = flow(LabRunner(make()), request_, passwords)
    assert (sound.refusal, sound.changed) == (None, True)
    mac = make()
    mac.faults.append(Fault(fault.name, dict(fault.options)))
    reason, msg = refused(flow(LabRunner(mac), request_, passwords))
    assert reason == "not_proven"
    assert says in msg
    assert "next restart" not in msg


def test_a_key_that_stands_still_opens_nothing() -> None:
    """macOS shows a new recovery key and keeps the old one: nobody is handed a key that opens nothing."""
    mac = encrypted()
    mac.faults.append(nothing("fdesetup", "changerecovery"))
    outcome = flow(LabRunner(mac), KeyRequest("rotated", "itadmin", "return", frozenset(BY_ADMIN)), BY_ADMIN)
    assert refused(outcome)[0] == "key_invalid"
    assert outcome.recovery_key == ""


def test_an_archive_that_cannot_be_read_to_its_end_deletes_nothing() -> None:
    mac = holder()
    mac.faults.append(Fault("archive_cut_off", {}))
    outcome = flow(LabRunner(mac), OffboardRequest("ana", "archive"), {})
    assert refused(outcome)[0] == "command_failed"
    assert (mac.accounts["ana"].home_exists, outcome.changed) == (True, True)


def test_an_archive_is_a_change_although_the_account_stays() -> None:
    mac = holder()
    mac.faults.append(Fault("delete_does_nothing", {}))
    outcome = flow(LabRunner(mac), OffboardRequest("ana", "archive"), {})
    assert (refused(outcome)[0], outcome.changed) == ("not_proven", True)
    assert "/var/root/ana.tar.gz" in mac.files


def test_an_armed_restart_is_said_although_the_mac_did_not_restart() -> None:
    """The next restart, whoever asks for it, comes up without a password: a fact that must not get lost."""

    class Refusing(LabRunner):
        def run(self, command: Command, deadline: float = DEADLINE) -> Ran:
            if command.argv[0] == "shutdown":
                return Ran(command, 1, "", "no\n")
            return super().run(command, deadline)

    mac = encrypted()
    outcome = flow(Refusing(mac), RestartRequest("itadmin", given=frozenset(BY_ADMIN)), BY_ADMIN)
    reason, msg = refused(outcome)
    assert (reason, outcome.changed, mac.restart_armed) == ("command_failed", True, True)
    assert msg.endswith("; the next restart still comes up with the volume unlocked")


def test_the_guest_is_nobodys_crypto_user() -> None:
    mac = encrypted()
    mac.crypto_users[diskutil.GUEST] = CryptoUser(diskutil.GUEST, directory.LOCAL_USER, owner=False)
    mac.crypto_users[ORPHAN] = CryptoUser(ORPHAN, directory.LOCAL_USER, owner=False)
    assert read_mac(LabRunner(mac), 5).orphans == (ORPHAN,)


@pytest.mark.parametrize("program", ["dseditgroup", "launchctl"])
def test_nobody_stays_an_administrator_by_a_demotion_that_did_nothing(program: str) -> None:
    """The note, and the Mac's own job, stay until a demotion is seen to have worked."""
    mac = holder()
    fakes.person(mac, "bob", "bob-pw-123")
    directory.take_token(mac, mac.accounts["itadmin"])
    argument = "-d" if program == "dseditgroup" else "bootstrap"
    mac.faults.append(nothing(program, argument))
    request = TokenRequest("bob", admin_user="ana", allow_temporary_promotion=True)
    outcome = flow(LabRunner(mac), request, {"password": "bob-pw-123", "admin_password": "ana-pw-1"})
    reason, _ = refused(outcome)
    if program == "launchctl":
        assert (reason, mac.is_admin("ana")) == ("command_failed", False)
    else:
        assert (reason, mac.is_admin("ana"), outcome.after["promoted"]) == ("not_proven", True, ["ana"])
        mac.faults.clear()
        assert flow(LabRunner(mac), request, {}).after["promoted"] == []
        assert not mac.is_admin("ana")
