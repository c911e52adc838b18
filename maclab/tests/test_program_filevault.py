# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Try fdesetup's verbs that change something, where no transcript shows what they do."""

from __future__ import annotations

import plistlib
from collections.abc import Sequence
from typing import Any

import pytest
from fakes import KILLED, Run, mac, people, person, run

from maclab import bootstrap, directory, vault
from maclab.state import CryptoUser, Fault, Mac, ModelFile
from maclab.vault import ESCROW_FILE, PRK_UUID

ADMIN = ("admin", "admin-pw")
KEY = "AAAA-BBBB-CCCC-DDDD-EEEE-FFFF"
VERSIONS = [
    ("10.13.6", "intel"),
    ("10.15.7", "t2"),
    ("11.7.10", "apple-silicon"),
    ("13.6.9", "t2"),
    ("15.6", "apple-silicon"),
    ("26.1", "apple-silicon"),
]


def fdesetup(
    on: Mac,
    line: str,
    who: tuple[str, str] | None = None,
    others: Sequence[tuple[str, str]] = (),
    **more: Any,
) -> Run:
    """Run it with -inputplist where somebody authenticates."""
    if who is None:
        return run(on, "fdesetup", *line.split(), **more)
    said: dict[str, object] = {"Password": who[1]}
    if who[0]:
        said["Username"] = who[0]
    if others:
        said["AdditionalUsers"] = [{"Username": name, "Password": password} for name, password in others]
    return run(on, "fdesetup", *line.split(), "-inputplist", stdin=plistlib.dumps(said).decode(), **more)


def made(version: str = "15.6", hardware: str = "apple-silicon", state: str = "off", prk: str | None = None) -> Mac:
    on = people(mac(version, hardware))
    on.filevault.state = state
    if prk is not None:
        on.filevault.prk = prk
        on.crypto_users[PRK_UUID] = CryptoUser(PRK_UUID, vault.PRK)
    return on


# --- on and off -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("version", "hardware"), VERSIONS)
def test_enabling_returns_a_key_that_is_valid_and_its_users_may_unlock(version: str, hardware: str) -> None:
    on = made(version, hardware)
    done = fdesetup(on, "enable -outputplist", ADMIN)
    said = plistlib.loads(done.out.encode())
    assert done.status == 0 and said["RecoveryKey"] == on.filevault.prk
    assert "LVUUID" not in said and isinstance(said["EnabledDate"], str)
    assert fdesetup(on, "validaterecovery", ("", said["RecoveryKey"])).out == "true\n"
    assert PRK_UUID in on.crypto_users and on.preboot == vault.listed(on)
    assert on.filevault.state == ("encrypting" if hardware == "intel" else "on")
    assert done.record.authentications == [("admin", True)]
    assert "admin-pw" not in str(done.record)


def test_intel_converts_from_status_to_status() -> None:
    on = made("10.13.6", "intel")
    fdesetup(on, "enable", ADMIN)
    seen = [run(on, "fdesetup", "status").out.splitlines()[-1] for _ in range(5)]
    assert seen == [f"Encryption in progress: Percent completed = {part}" for part in (0, 25, 50, 75)] + [
        "FileVault is On."
    ]
    fdesetup(on, "disable", ADMIN)
    assert run(on, "fdesetup", "status").out.endswith("Decryption in progress: Percent completed = 0\n")
    assert fdesetup(on, "enable", ADMIN).status == 28
    for _ in range(3):
        run(on, "fdesetup", "status")
    assert run(on, "fdesetup", "status").out == "FileVault is Off.\n"


def test_a_described_conversion_stands_still() -> None:
    on = made(state="encrypting")
    on.filevault.percent = 42
    assert run(on, "fdesetup", "status").out == run(on, "fdesetup", "status").out
    assert run(on, "fdesetup", "status").commits == 0


def test_the_key_of_an_earlier_time_is_kept_and_not_shown() -> None:
    on = made(state="on", prk=KEY)
    assert fdesetup(on, "disable", ADMIN).status == 0
    done = fdesetup(on, "enable -outputplist", ADMIN)
    assert "RecoveryKey" not in plistlib.loads(done.out.encode())
    assert on.filevault.prk == KEY and done.record.writes == ["FileVault enabled", "recovery key kept"]


@pytest.mark.parametrize("option", ["", "-norecoverykey"])
def test_without_an_output_plist_the_key_is_a_line_or_nothing(option: str) -> None:
    on = made("15.6")
    shown = f"Recovery key = '{vault.key_number('lab', 1)}'\n"
    assert fdesetup(on, f"enable {option}", ADMIN).out == ("" if option else shown)
    assert fdesetup(made("26.1"), f"enable {option}", ADMIN).out == ""
    assert on.filevault.prk is not None


def test_the_faults_of_enabling() -> None:
    on = made()
    on.faults.append(Fault("enable_does_nothing"))
    assert (fdesetup(on, "enable -outputplist", ADMIN).status, on.filevault.state) == (0, "off")
    on.faults[:] = [Fault("prk_not_returned")]
    assert "RecoveryKey" not in plistlib.loads(fdesetup(on, "enable -outputplist", ADMIN).out.encode())
    assert on.filevault.prk is not None


def test_full_disk_access() -> None:
    on = made()
    on.faults.append(Fault("no_full_disk_access"))
    assert fdesetup(on, "enable", ADMIN).status == 99
    on.logged_in.append("user")
    assert fdesetup(on, "enable", ADMIN, patience=0.2).hung
    assert on.filevault.state == "off"
    old = made("10.14.6", "t2")
    old.faults.append(Fault("no_full_disk_access"))
    assert fdesetup(old, "enable", ADMIN).status == 0


def test_who_may_not_enable() -> None:
    on = made()
    assert fdesetup(on, "enable", ADMIN, root=False).status != 0
    assert fdesetup(on, "enable", ("user", "user-pw")).status == 11
    assert fdesetup(on, "enable", ("admin", "wrong")).status == 11
    assert on.accounts["admin"].failed_logins == 1
    assert fdesetup(on, "enable", ADMIN, [("nosuch", "pw")]).status == 30
    assert fdesetup(on, "enable", ADMIN, [("user", "wrong")]).status == 17
    assert run(on, "fdesetup", "enable", "-inputplist", stdin="no plist").status == 15
    assert fdesetup(on, "enable -fast", ADMIN).status == 12
    assert run(on, "fdesetup", "encrypt").status == 13
    on.accounts["admin"].key_password = "an older one"
    assert fdesetup(on, "enable", ADMIN).status == 11
    assert on.filevault.state == "off"


def test_the_first_token_comes_with_the_authentication() -> None:
    on = mac("10.15.7", "t2")
    person(on, "admin", "admin-pw", admin=True)
    assert fdesetup(on, "enable", ADMIN).status == 0
    assert directory.is_holder(on, on.accounts["admin"])


def test_a_power_cut_after_enabling_leaves_it_on_and_nobody_has_the_key() -> None:
    on = made()
    done = fdesetup(on, "enable -outputplist", ADMIN, cut_after=1)
    assert (done.status, done.out, on.filevault.state) == (KILLED, "", "on")


@pytest.mark.parametrize(("version", "status"), [("10.13.6", 11), ("10.14.6", 0), ("26.1", 0)])
def test_disabling_with_the_recovery_key(version: str, status: int) -> None:
    on = made(version, "t2", "on", KEY)
    done = fdesetup(on, "disable", ("", KEY))
    assert done.status == status and done.record.authentications == []
    assert vault.is_on(on) is (status != 0)


def test_disabling_at_the_prompts() -> None:
    on = made(state="on")
    assert run(on, "fdesetup", "disable", typed=["admin", "wrong"]).status == 11
    assert run(on, "fdesetup", "disable", typed=["admin", "admin-pw"]).status == 0
    assert run(on, "fdesetup", "disable", typed=[]).status == 28


# --- users ----------------------------------------------------------------------------------------


def test_a_user_who_is_removed_comes_back_with_add() -> None:
    on = made(state="on")
    person(on, "other", "other-pw", token=True)
    guid = on.accounts["other"].generated_uid
    assert run(on, "fdesetup", "remove", "-user", "other").status == 0
    assert guid in on.crypto_users and directory.is_holder(on, on.accounts["other"])
    assert "other" not in run(on, "fdesetup", "list").out
    assert fdesetup(on, "disable", ("other", "other-pw")).status == 35
    assert fdesetup(on, "add", ADMIN, [("other", "other-pw")]).status == 0
    assert f"other,{guid}" in run(on, "fdesetup", "list").out
    assert guid not in on.preboot
    run(on, "diskutil", "apfs", "updatePreboot", "/")
    assert guid in on.preboot


def test_preboot_forgets_a_removed_user_when_it_is_updated() -> None:
    on = made(state="on")
    person(on, "other", "other-pw", token=True)
    run(on, "diskutil", "apfs", "updatePreboot", "/")
    run(on, "fdesetup", "remove", "-user", "other")
    assert len(on.preboot) == 2
    run(on, "diskutil", "apfs", "updatePreboot", "/")
    assert on.preboot == [on.accounts["admin"].generated_uid]


def test_a_removed_user_whose_token_is_granted_anew_is_listed() -> None:
    on = made(state="on")
    account = person(on, "other", "other-pw", token=True)
    run(on, "fdesetup", "remove", "-user", "other")
    directory.take_token(on, account)
    directory.give_token(on, account)
    assert "other" in run(on, "fdesetup", "list").out


def test_what_add_refuses() -> None:
    on = made(state="on")
    assert fdesetup(on, "add", ADMIN).status == 12
    assert fdesetup(on, "add", ADMIN, [("user", "wrong")]).status == 17
    assert fdesetup(on, "add", ("user", "user-pw"), [("user", "user-pw")]).status == 17
    assert fdesetup(made(), "add", ADMIN, [("user", "user-pw")]).status == 28


@pytest.mark.parametrize(("hardware", "status"), [("intel", 0), ("t2", 25), ("apple-silicon", 25)])
def test_orphans(hardware: str, status: int) -> None:
    on = made("15.6", hardware, "on")
    on.crypto_users["ORPHAN"] = CryptoUser("ORPHAN")
    assert run(on, "fdesetup", "remove", "-uuid", "ORPHAN").status == status
    assert ("ORPHAN" in on.crypto_users) is (status != 0)


def test_the_last_one_stays_though_an_orphan_is_listed() -> None:
    on = made(state="on")
    on.crypto_users["ORPHAN"] = CryptoUser("ORPHAN")
    assert run(on, "fdesetup", "remove", "-user", "admin").status == 25
    assert run(on, "fdesetup", "remove", "-user", "nosuch").status == 25


def test_sync_forgets_ghosts() -> None:
    on = made("10.15.7", "intel", "on")
    on.filevault.ghosts.append("GHOST")
    on.crypto_users["ORPHAN"] = CryptoUser("ORPHAN")
    assert run(on, "fdesetup", "sync").commits == 1
    assert vault.listed(on) == [on.accounts["admin"].generated_uid]
    assert run(on, "fdesetup", "sync").commits == 0


# --- keys -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["10.14.6", "15.6", "26.1"])
def test_a_key_changes_by_itself_and_the_old_one_dies(version: str) -> None:
    on = made(version, "t2", "on", KEY)
    done = fdesetup(on, "changerecovery -personal -outputplist", ("", KEY))
    new = plistlib.loads(done.out.encode())["RecoveryKey"]
    assert new == on.filevault.prk != KEY
    old = fdesetup(on, "validaterecovery", ("", KEY))
    assert old.out == "false\n" and old.status != 0
    assert fdesetup(on, "validaterecovery", ("", new)).status == 0


def test_what_changerecovery_prints_by_itself() -> None:
    on = made("15.6", state="on", prk=KEY)
    assert fdesetup(on, "changerecovery -personal", ADMIN).out == f"New personal recovery key = '{on.filevault.prk}'\n"
    assert fdesetup(made("26.1", state="on"), "changerecovery -personal", ADMIN).out == ""


@pytest.mark.parametrize(("version", "kept"), [("10.13.0", False), ("10.13.1", False), ("10.13.6", True)])
def test_a_failed_change_on_early_high_sierra_deletes_the_key(version: str, kept: bool) -> None:
    on = made(version, "intel", "on", KEY)
    on.logged_in.append("admin")
    assert fdesetup(on, "changerecovery -personal", ("admin", "wrong")).status == 136
    assert (on.filevault.prk == KEY) is kept
    assert (PRK_UUID in on.crypto_users) is kept
    assert fdesetup(on, "changerecovery -personal", ADMIN).status == 0


def test_what_changerecovery_refuses() -> None:
    on = made(state="on", prk=KEY)
    assert fdesetup(on, "changerecovery", ADMIN).status == 12
    assert fdesetup(on, "changerecovery -institutional", ADMIN).status == 34
    assert fdesetup(made(), "changerecovery -personal", ADMIN).status == 28
    assert fdesetup(on, "changerecovery -personal", ("user", "user-pw")).status == 11
    assert on.filevault.prk == KEY


def test_removing_the_key() -> None:
    on = made(state="on", prk=KEY)
    assert fdesetup(on, "removerecovery -personal", ("admin", "wrong")).status == 27
    assert fdesetup(on, "removerecovery -personal", ADMIN).status == 0
    assert run(on, "fdesetup", "haspersonalrecoverykey").out == "false\n"
    assert PRK_UUID not in on.crypto_users
    assert fdesetup(on, "removerecovery -personal", ADMIN).status == 27
    assert fdesetup(on, "validaterecovery", ("", "")).out == "false\n"


def test_stat_says_what_is_at_a_path_as_macos_has_it() -> None:
    one = made()
    person(one, "ana", "ana-pw", uid=502)
    one.files["/Users/linked"] = ModelFile("/Users/ana", 0.0, "Symbolic Link", 502, 0o755)
    paths = ["/", "/var", "/private/var/root", "/users/shared", "/System/Volumes/Data/Users/Shared", "/Users/linked"]
    said = run(one, "stat", "-f", "%HT|%u|%Lp|%N", *paths, "/Users/ana", "/Users/nobody")
    assert said.out.split("\n") == [
        "Directory|0|755|/",
        "Symbolic Link|0|755|/var",
        "Directory|0|750|/private/var/root",
        "Directory|0|777|/users/shared",
        "Directory|0|777|/System/Volumes/Data/Users/Shared",
        "Symbolic Link|502|755|/Users/linked",
        "Directory|502|700|/Users/ana",
        "",
    ]
    assert (said.status, said.err) == (1, "stat: /Users/nobody: stat: No such file or directory\n")


def test_a_profile_escrows_each_new_key() -> None:
    on = made(prk=None)
    fdesetup(on, "enable", ADMIN)
    assert (on.mdm.prk_escrowed_at, ESCROW_FILE in on.files) == (None, False)
    on.mdm.escrow_profile = True
    fdesetup(on, "changerecovery -personal", ADMIN)
    first = on.mdm.prk_escrowed_at
    assert first is not None
    assert run(on, "stat", "-f", "%m", ESCROW_FILE, root=False).out == f"{int(first)}\n"
    assert run(on, "stat", "-f", "%Su:%Sg %Lp %z", f"/private{ESCROW_FILE}").out.startswith("root:wheel 600 ")
    content = run(on, "cat", ESCROW_FILE).out
    assert content and on.filevault.prk is not None and on.filevault.prk not in content
    assert run(on, "cat", ESCROW_FILE, root=False).status == 1
    assert run(on, "ls", "-l", ESCROW_FILE).out.startswith("-rw-------")
    assert run(on, "rm", "-f", ESCROW_FILE).status == 0
    assert run(on, "stat", "-f", "%m", ESCROW_FILE).status == 1


def test_restarting_needs_filevault_and_somebody() -> None:
    assert fdesetup(made(), "authrestart", ADMIN).status == 28
    on = made(state="on", prk=KEY)
    assert fdesetup(on, "authrestart", ("admin", "wrong")).status == 11
    done = fdesetup(on, "authrestart -delayminutes 2", ("", KEY))
    assert done.restart is not None and (done.restart.seconds, done.restart.unlocked) == (120, True)


def test_the_faults_of_restarting() -> None:
    on = made(state="on", prk=KEY)
    assert fdesetup(on, "supportsauthrestart").out == "true\n"
    on.faults.append(Fault("authrestart_unsupported"))
    assert fdesetup(on, "supportsauthrestart").out == "false\n"
    on.faults[:] = [Fault("authrestart_forgotten")]
    assert fdesetup(on, "authrestart -delayminutes -1", ADMIN).status == 0
    assert on.restart_armed
    vault.start_up(on, unlocked=True, now=9.0)
    assert on.locked


# --- deferral -------------------------------------------------------------------------------------

PATH = "/var/root/key.plist"


def test_a_deferral_fires_when_its_user_logs_in() -> None:
    on = made()
    person(on, "other", "other-pw", token=True)
    line = f"enable -defer {PATH} -user other -forceatlogin 0 -dontaskatlogout"
    assert fdesetup(on, line).status == 0
    assert "for user 'other'" in run(on, "fdesetup", "status").out
    shown = run(on, "fdesetup", "showdeferralinfo").out
    assert "    Usernames =     (\n        other\n    );\n" in shown and f'OutputPath = "{PATH}"' in shown
    bootstrap.log_in(on, "admin", None, 1.0)
    assert on.filevault.state == "off"
    assert bootstrap.log_in(on, "other", None, 2.0) == ["FileVault enabled by the deferral"]
    said = plistlib.loads(run(on, "cat", PATH).out.encode())
    assert said["RecoveryKey"] == on.filevault.prk and said["EnabledUser"] == "other"
    assert run(on, "cat", PATH, root=False).out == ""
    assert run(on, "fdesetup", "showdeferralinfo").out == "Not found.\n"


@pytest.mark.parametrize(
    ("line", "user", "fires"),
    [
        ("", "admin", True),
        ("", "user", False),  # no token, so nothing to unlock with
        ("-forceatlogin 3", "admin", True),
        ("-forceatlogin -1", "admin", True),  # asked at logout
        ("-forceatlogin -1 -dontaskatlogout", "admin", False),
        ("-user user", "admin", False),
    ],
)
def test_when_a_deferral_fires(line: str, user: str, fires: bool) -> None:
    on = made()
    fdesetup(on, f"enable -defer {PATH} {line}")
    bootstrap.log_in(on, user, None, 1.0)
    assert vault.is_on(on) is fires
    assert (PATH in on.files) is fires


def test_what_a_deferral_refuses() -> None:
    on = made()
    assert fdesetup(on, "enable -defer key.plist").status == 12
    assert fdesetup(on, f"enable -defer {PATH} -forceatlogin soon").status == 12
    assert fdesetup(on, f"enable -defer {PATH} -user nosuch").status == 30
    on.mdm.forbids_filevault = True
    assert fdesetup(on, f"enable -defer {PATH}").status == 31


def test_the_key_is_not_shown_by_a_deferral_on_27() -> None:
    on = made("27.0")
    fdesetup(on, f"enable -defer {PATH}")
    assert not on.filevault.deferral.show_key
    fdesetup(on, f"enable -defer {PATH} -showrecoverykey")
    assert on.filevault.deferral.show_key


# --- starting -------------------------------------------------------------------------------------


def test_starting_up() -> None:
    on = made(state="on_needs_restart")
    on.logged_in.append("admin")
    vault.start_up(on, unlocked=False, now=7.0)
    assert (on.filevault.state, on.locked, on.logged_in, on.booted_at) == ("on", True, [], 7.0)
    assert "sec = 7, usec = 0" in run(on, "sysctl", "kern.boottime").out
    with pytest.raises(bootstrap.LoginRefused):
        bootstrap.log_in(on, "admin", None, 8.0)
    vault.start_up(on, unlocked=True, now=9.0)
    assert not on.locked


def test_shutdown_is_told_when() -> None:
    on = made()
    later = run(on, "shutdown", "-r", "+2").restart
    assert later is not None and (later.seconds, later.unlocked) == (120, False)
    assert run(on, "shutdown", "-h", "now").restart is None
    assert run(on, "reboot", root=False).restart is None
    assert run(on, "reboot").restart is not None
