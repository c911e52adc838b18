# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs that every script uses answer from the Mac's state, agree with each other, and refuse the rest."""

from __future__ import annotations

import datetime
import os
import re
import subprocess
import time
from pathlib import Path

import pytest

from maclab import layout, models, vault
from maclab.call import UNMODELLED
from maclab.programs._unmodelled import NAMES, OF_THE_HOST
from maclab.state import Mac
from tests.fakes import mac, people, run

ASKED = "show State:/Users/ConsoleUser\n"


@pytest.fixture
def this() -> Mac:
    return people(mac())


def seated(this: Mac, *names: str) -> Mac:
    this.logged_in = list(names)
    return this


# --- who is at the screen -------------------------------------------------------------------------


def console_users(this: Mac) -> set[str]:
    """What everybody asks with, each cut as scripts cut it."""
    shown = run(this, "scutil", stdin=ASKED).out
    name = re.findall(r"^  Name : (.*)$", shown, re.MULTILINE)
    listed = run(this, "ls", "-l", "/dev/console").out
    return {
        run(this, "stat", "-f%Su", "/dev/console").out.strip(),
        run(this, "stat", "-f", "%Su", "/dev/console").out.strip(),
        listed.split()[2],
        listed.split(" ")[3],
        *("root" if one == "loginwindow" else one for one in name),
    }


@pytest.mark.parametrize(("people_there", "name"), [((), "root"), (("user",), "user"), (("user", "admin"), "user")])
def test_all_programs_agree_who_is_at_the_screen(this: Mac, people_there: tuple[str, ...], name: str) -> None:
    seated(this, *people_there)
    assert console_users(this) == {name}
    assert [line.split()[0] for line in run(this, "who").out.splitlines()] == list(people_there)
    uid = this.accounts[name].uid if people_there else 0
    assert run(this, "stat", "-f", "%u", "/dev/console").out == f"{uid}\n"
    assert run(this, "ls", "-n", "/dev/console").out.split()[2] == str(uid)


def test_scutil_shows_every_session_and_which_one_is_on_the_screen(this: Mac) -> None:
    lines = [line.strip() for line in run(seated(this, "user", "admin"), "scutil", stdin=ASKED).out.splitlines()]
    assert "kCGSSessionOnConsoleKey : TRUE" in lines and "kCGSSessionOnConsoleKey : FALSE" in lines
    assert "kCGSessionLongUserNameKey : Uma User" in lines and f"UID : {this.accounts['user'].uid}" in lines


@pytest.mark.parametrize(
    "asked", ["open\n" + ASKED + "close\n", "get State:/Users/ConsoleUser\nd.show\nquit\n", ASKED[:-1]]
)
def test_scutil_takes_the_commands_that_scripts_write(this: Mac, asked: str) -> None:
    assert run(seated(this, "user"), "scutil", stdin=asked).out == run(this, "scutil", stdin=ASKED).out


@pytest.mark.parametrize("asked", ["list\n", "show State:/Network/Global/IPv4\n", "d.show\n", "set x\n"])
def test_scutil_refuses_other_keys_and_commands(this: Mac, asked: str) -> None:
    done = run(this, "scutil", stdin=asked)
    assert (done.status, done.out) == (UNMODELLED, "")


# --- names ----------------------------------------------------------------------------------------


def test_the_mac_has_its_names_and_keeps_what_is_set(this: Mac) -> None:
    this.name = "lab.one"
    assert run(this, "scutil", "--get", "ComputerName").out == "lab.one\n"
    assert run(this, "scutil", "--get", "LocalHostName").out == "lab-one\n"
    unset = run(this, "scutil", "--get", "HostName")
    assert (unset.status, unset.out, unset.err) == (1, "", "HostName: not set\n")
    assert run(this, "hostname").out == run(this, "uname", "-n").out == run(this, "sysctl", "-n", "kern.hostname").out
    assert run(this, "scutil", "--set", "HostName", "mac.example.test", root=False).status == 1
    assert run(this, "scutil", "--set", "HostName", "mac.example.test").record.writes == ["HostName set"]
    assert run(this, "scutil", "--get", "HostName").out == run(this, "hostname").out == "mac.example.test\n"
    assert run(this, "hostname", "-s").out == "mac\n"


# --- stat -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("%Su", "user"),
        ("%u", "502"),
        ("%Sg", "staff"),
        ("%g", "20"),
        ("%Lp", "644"),
        ("%OLp", "644"),
        ("%p", "100644"),
        ("%Sp", "-rw-r--r--"),
        ("%z", "5"),
        ("%HT", "Regular File"),
        ("%Su:%Sg %N", "user:staff /Users/user/note"),
        ("%u%n%g", "502\n20"),
        ("100%%", "100%"),
        ("%m", "86400"),
        ("%a %c", "86400 86400"),
    ],
)
def test_stat_tells_of_a_file(this: Mac, tmp_path: Path, form: str, said: str) -> None:
    note = tmp_path / "root" / "Users" / "user" / "note"
    note.parent.mkdir(parents=True)
    note.write_text("hello")
    note.chmod(0o644)
    os.utime(note, (86400, 86400))
    for words in (["-f", form], [f"-f{form}"], ["-L", f"-f{form}"], ["-Lf", form]):
        assert run(this, "stat", *words, "/Users/user/note", folder=tmp_path).out == f"{said}\n"
    assert run(this, "stat", "-nf", form, "/Users/user/note", folder=tmp_path).out == said


def test_stat_writes_times_as_it_is_told(this: Mac, tmp_path: Path) -> None:
    note = tmp_path / "root" / "Library" / "note"
    note.parent.mkdir(parents=True)
    note.write_text("")
    os.utime(note, (86400 * 10, 86400 * 10))
    done = run(this, "stat", "-f", "%Sm", "-t", "%Y-%m-%d", "/Library/note", folder=tmp_path)
    assert done.out == time.strftime("%Y-%m-%d\n", time.localtime(86400 * 10))


UNKNOWN = [("/Users",), ("-x", "/Users"), ("-f", "%d", "/Users"), ("-f", "%10u", "/Users"), ("-c", "%U", "/")]


@pytest.mark.parametrize("words", UNKNOWN)
def test_stat_refuses_what_it_does_not_model(this: Mac, words: tuple[str, ...]) -> None:
    assert run(this, "stat", *words).status == UNMODELLED


# --- the system -----------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["10.15.7", "11.7.10", "14.7.1", "26.1"])
def test_sysctl_and_uname_agree_on_the_kernel(version: str) -> None:
    this = people(mac(version))
    assert run(this, "uname", "-r").out == run(this, "sysctl", "-n", "kern.osrelease").out


def test_the_hardware_is_the_same_whoever_tells_of_it(this: Mac) -> None:
    serial, uuid = models.serial_number(this.name), models.platform_uuid(this.name)
    told = run(this, "ioreg", "-rd1", "-c", "IOPlatformExpertDevice").out
    assert f'"IOPlatformSerialNumber" = "{serial}"' in told and f'"IOPlatformUUID" = "{uuid}"' in told
    assert serial in run(this, "ioreg", "-l").out
    overview = run(this, "system_profiler", "SPHardwareDataType").out
    assert f"Serial Number (system): {serial}\n" in overview and f"Hardware UUID: {uuid}\n" in overview
    assert f"Memory: {int(run(this, 'sysctl', '-n', 'hw.memsize').out) // 2**30} GB" in overview
    assert f"Model Identifier: {this.model}\n" in overview
    other = people(mac(name="other"))
    assert serial not in run(other, "ioreg", "-l").out


@pytest.mark.parametrize(
    ("hardware", "sep", "t2"), [("apple-silicon", True, False), ("t2", True, True), ("intel", False, False)]
)
def test_ioreg_tells_which_security_chip_there_is(hardware: str, sep: bool, t2: bool) -> None:
    this = mac(hardware=hardware)
    assert ("AppleSEPManager" in run(this, "ioreg", "-w", "0", "-c", "AppleSEPManager").out) is sep
    assert (run(this, "ioreg", "-rn", "Apple T2 Controller", "-d", "1").out != "") is t2


def test_what_the_mac_draws_its_power_from(this: Mac) -> None:
    assert run(this, "pmset", "-g", "batt").out == "Now drawing from 'AC Power'\n"
    this.settings.power, this.settings.battery = "battery", 87
    told = run(this, "pmset", "-g", "ps").out
    assert (
        told.startswith("Now drawing from 'Battery Power'\n -InternalBattery-0 (id=") and "\t87%; discharging;" in told
    )
    this.settings.power = "ups"
    assert "'UPS Power'" in run(this, "pmset", "-g", "batt").out
    assert run(this, "pmset", "sleepnow").status == UNMODELLED


@pytest.mark.parametrize(("locked", "line"), [(None, ""), (True, "Enabled\n"), (False, "Disabled\n")])
def test_activation_lock(this: Mac, locked: bool | None, line: str) -> None:
    this.settings.activation_lock = locked
    assert run(this, "system_profiler", "SPHardwareDataType").out.partition("Activation Lock Status: ")[2].rstrip(
        "\n"
    ) == line.rstrip("\n")


def test_a_firmware_password_is_told_to_root_on_intel(this: Mac) -> None:
    intel = people(mac(hardware="t2"))
    assert run(intel, "firmwarepasswd", "-check").out == "Password Enabled: No\n"
    intel.settings.firmware_password = True
    assert run(intel, "firmwarepasswd", "-check").out == "Password Enabled: Yes\n"
    assert run(intel, "firmwarepasswd", "-setpasswd").status == UNMODELLED
    assert run(this, "firmwarepasswd", "-check").status == 1


def test_csrutil_says_that_the_volume_is_sealed_where_one_can_be(this: Mac) -> None:
    assert run(this, "csrutil", "authenticated-root", "status").out == "Authenticated Root status: enabled\n"
    assert run(people(mac("10.15.7")), "csrutil", "authenticated-root", "status").status == UNMODELLED
    assert run(this, "csrutil", "clear").status == UNMODELLED


def test_groups_and_dscacheutil_tell_of_the_directory(this: Mac) -> None:
    assert run(this, "groups", "admin").out == run(this, "id", "-Gn", "admin").out
    assert run(this, "groups", "nobody_here").status == 1
    user = run(this, "dscacheutil", "-q", "user", "-a", "name", "user").out.splitlines()
    assert {"name: user", "uid: 502", "gid: 20", "dir: /Users/user", "gecos: Uma User"} <= set(user)
    assert run(this, "dscacheutil", "-q", "user", "-a", "uid", "502").out.splitlines() == user
    assert run(this, "dscacheutil", "-q", "user", "-a", "name", "nobody_here").out == ""
    admin = run(this, "dscacheutil", "-q", "group", "-a", "name", "admin").out
    assert "gid: 80\n" in admin and "users: root admin" in admin
    assert "name: staff" in run(this, "dscacheutil", "-q", "group").out
    assert run(this, "dscacheutil", "-flushcache").status == 0
    for words in (("-q", "host"), ("-q", "user", "-a", "shell", "x"), ("-statistics",)):
        assert run(this, "dscacheutil", *words).status == UNMODELLED


# --- small tools ----------------------------------------------------------------------------------


def test_uuidgen_makes_another_one_each_time(this: Mac) -> None:
    made = {run(this, "uuidgen").out for _time in range(3)}
    assert len(made) == 3 and all(re.fullmatch(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}\n", one) for one in made)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("3",), "1\n2\n3\n"),
        (("3", "5"), "5\n6\n7\n"),
        (("-", "2", "6", "2"), "2\n4\n6\n"),
        (("-s", ",", "3", "1", "9"), "1,5,9\n"),
        (("-b", "x", "2"), "x\nx\n"),
        (("-w", "n%d", "2"), "n1\nn2\n"),
    ],
)
def test_jot_counts(this: Mac, words: tuple[str, ...], said: str) -> None:
    assert run(this, "jot", *words).out == said


def test_jot_draws_numbers(this: Mac) -> None:
    drawn = [int(line) for line in run(this, "jot", "-r", "40", "3", "5").out.split()]
    assert len(drawn) == 40 and set(drawn) <= {3, 4, 5} and len(set(drawn)) > 1
    assert run(this, "jot", "-r", "-c", "8", "a", "z").status == UNMODELLED


def test_shlock_gives_a_lock_to_one_that_lives(this: Mac, tmp_path: Path) -> None:
    lock = str(tmp_path / "lock")
    assert run(this, "shlock", "-f", lock, "-p", str(os.getpid())).status == 0
    assert run(this, "shlock", "-f", lock, "-p", "1").status == 1
    assert run(this, "shlock", "-f", lock).status == 0
    Path(lock).write_text("99999999\n")
    assert run(this, "shlock", "-f", lock).status == 1
    assert run(this, "shlock", "-f", lock, "-p", str(os.getpid())).status == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-u", "-r", "0"), "Thu Jan  1 00:00:00 UTC 1970\n"),
        (("-u", "-r", "86400", "+%F %T"), "1970-01-02 00:00:00\n"),
        (("-ur0", "+%s"), "0\n"),
        (("-u", "-r", "0", "-v+1d", "-v-1H", "+%F %T"), "1970-01-01 23:00:00\n"),
        (("-u", "-r", "2592000", "-v+1m", "+%F"), "1970-02-28\n"),
        (("-u", "-r", "0", "-v2y", "+%Y"), "2\n"),
        (("-u", "-r", "0", "-v+2y", "-v15d", "+%F"), "1972-01-15\n"),
        (("-j", "-f", "%Y-%m-%d %H:%M:%S", "2025-01-02 03:04:05", "+%d.%m.%Y %H:%M"), "02.01.2025 03:04\n"),
        (("-j", "-u", "-f", "%s", "86400", "+%F"), "1970-01-02\n"),
        (("-u", "-r", "0", "-R"), "Thu, 01 Jan 1970 00:00:00 +0000\n"),
    ],
)
def test_date_takes_what_macos_alone_takes(this: Mac, words: tuple[str, ...], said: str) -> None:
    done = run(this, "date", *words)
    assert (done.out, done.err) == (said, "")


def test_date_takes_from_now_what_a_form_leaves_out(this: Mac) -> None:
    assert run(this, "date", "-j", "-f", "%H:%M", "03:04", "+%Y %H:%M").out == f"{datetime.date.today():%Y} 03:04\n"
    wrong = run(this, "date", "-j", "-f", "%Y", "never", "+%s")
    assert wrong.status == 1 and "never" in wrong.err
    assert run(this, "date", "-v+1x").status == 1


def test_who_waits_for_a_desktop_sees_it_when_somebody_has_logged_in(this: Mac) -> None:
    assert run(this, "pgrep", "-x", "Dock").status == 1
    assert run(this, "pgrep", "-x", "loginwindow").status == 0
    assert run(this, "pgrep", "Setup Assistant").status == 1
    seated(this, "user", "admin")
    assert len(run(this, "pgrep", "-x", "Finder").out.split()) == 2
    mine = run(this, "pgrep", "-u", "user", "-x", "Finder").out
    assert mine == run(this, "pgrep", "-u", "502", "Finder").out and len(mine.split()) == 1
    assert run(this, "pgrep", "-l", "Dock").out.splitlines()[0].endswith(" Dock")
    assert run(this, "pgrep", "something").status == UNMODELLED


def test_killall_stops_what_starts_again(this: Mac) -> None:
    assert run(this, "killall", "-HUP", "cfprefsd").status == 0
    assert run(this, "killall", "Dock").err == "No matching processes were found\n"
    seated(this, "user")
    assert (run(this, "killall", "Dock").status, run(this, "killall", "Dock", root=False).status) == (0, 1)
    assert run(this, "killall", "-9", "loginwindow").status == UNMODELLED
    assert run(this, "pgrep", "-x", "Dock").status == 0


@pytest.mark.parametrize("words", [("aux",), ("-A",), ("-ef",), ("-p",), ("-p", "1", "-x")])
def test_ps_refuses_all_but_one_process(this: Mac, words: tuple[str, ...]) -> None:
    assert run(this, "ps", *words).status == UNMODELLED


def test_logger_writes_to_the_journal_and_nowhere_else(this: Mac) -> None:
    done = run(this, "logger", "-t", "mine", "hello", "there")
    assert (done.status, done.out, done.err) == (0, "", "")
    assert run(this, "logger", "-s", "aloud").err == "admin: aloud\n"


@pytest.mark.parametrize("name", sorted(NAMES | OF_THE_HOST))
def test_what_macos_has_and_the_lab_has_not_says_so(this: Mac, name: str) -> None:
    done = run(this, name, "anything")
    assert (done.status, done.out) == (UNMODELLED, "")
    assert done.err.startswith(f"maclab: {name} anything: ") and done.err.count("\n") == 1


def test_nothing_is_both_modelled_and_not() -> None:
    modules = {path.stem for path in (Path(__file__).parents[1] / "maclab" / "programs").glob("[!_]*.py")}
    assert not modules & (NAMES | OF_THE_HOST)


def test_who_is_deleted_is_no_longer_at_the_screen(this: Mac) -> None:
    """sysadminctl kills all processes of the account."""
    seated(this, "user")
    run(this, "sysadminctl", "-deleteUser", "user")
    assert "user" not in this.accounts
    assert console_users(this) == {"root"}
    assert run(this, "who").out == ""


@pytest.mark.parametrize(
    ("words", "whose"),
    [
        ("", "host"),
        ("-u", "host"),
        ("-u +%s", "host"),
        ("+-d", "host"),
        ("-d yesterday", "lab"),
        ("--iso-8601", "lab"),
        ("-I", "lab"),
        ("+%s extra", "lab"),
        ("-v -1d", "lab"),
    ],
)
def test_only_what_both_dates_take_is_for_the_one_of_this_host(tmp_path: Path, words: str, whose: str) -> None:
    for name in ("host", "lab"):
        folder = tmp_path / name
        folder.mkdir()
        layout.write_script(folder / "date", f"#!/bin/sh\necho {name}\n")
    script = tmp_path / "date"
    layout.write_script(script, layout.asking("date", "", str(tmp_path / "lab"), str(tmp_path / "host" / "date")))
    done = subprocess.run([script, *words.split()], capture_output=True, text=True, check=True)
    assert done.stdout == f"{whose}\n"


def test_date_takes_the_zone_of_its_environment(this: Mac) -> None:
    env = {"PATH": "/usr/bin:/bin", "TZ": "Asia/Tokyo"}
    assert run(this, "date", "-r", "0", "+%H %z", env=env).out == "09 +0900\n"
    assert run(this, "date", "-j", "-f", "%Y-%m-%d %H:%M:%S", "1970-01-01 09:00:00", "+%s", env=env).out == "0\n"
    assert (
        run(this, "date", "-u", "-j", "-f", "%Y-%m-%d %H:%M:%S", "1970-01-01 09:00:00", "+%s", env=env).out == "32400\n"
    )
    nowhere = run(this, "date", "-r", "0", env=env | {"TZ": "No/Where"})
    assert (nowhere.status, nowhere.out) == (UNMODELLED, "")


def test_every_program_tells_one_serial_number_and_one_uuid(this: Mac) -> None:
    """What fdesetup writes beside a recovery key is what a script looks the Mac up by."""
    serial, identifier = models.serial_number(this.name), models.platform_uuid(this.name)
    this.mdm.enrolled = "ade"
    told = run(this, "mdmclient", "QueryDeviceInformation").out
    assert f"SerialNumber = {serial};" in told
    assert identifier in told
    kept = vault.output(this, "user", "KEY", changed=False)
    assert (kept["SerialNumber"], kept["HardwareUUID"]) == (serial, identifier)
