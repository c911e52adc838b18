# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Try what programs say of the whole Mac: the state that a scenario sets, and a refusal where the lab holds none."""

from __future__ import annotations

import pytest
from fakes import mac, people, run

from maclab import scenario
from maclab.call import UNMODELLED


def said(on: scenario.Mac, line: str, *, root: bool = True) -> str:
    done = run(on, *line.split(), root=root)
    assert done.status == 0
    return done.merged.split("] ")[-1]


def test_a_scenario_sets_what_the_programs_say() -> None:
    described = {
        "macos": "26.1",
        "accounts": [{"name": "ana", "password": "pw"}],
        "settings": {
            "screen_lock": "300",
            "autologin": "ana",
            "guest_account": True,
            "smb_guest": True,
            "sip": False,
        },
    }
    made = scenario.parse({"macs": {"lisbon": described}}, "here")["lisbon"].mac
    assert said(made, "sysadminctl -screenLock status") == "screenLock delay is 300 seconds\n"
    assert said(made, "sysadminctl -autologin status") == "Automatic login user: ana\n"
    assert said(made, "sysadminctl -guestAccount status") == "Guest account enabled.\n"
    assert said(made, "sysadminctl -smbGuestAccess status") == "SMB guest access enabled\n"
    assert said(made, "csrutil status") == "System Integrity Protection status: disabled.\n"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"screen_lock": "soon"}, "off, immediate"),
        ({"autologin": "nobody-here"}, "accounts of this Mac"),
        ({"sip": "yes"}, "true, false"),
        ({"wallpaper": "blue"}, "no such key"),
    ],
)
def test_a_scenario_says_what_is_wrong_with_a_setting(settings: dict[str, object], told: str) -> None:
    described = {"macos": "26.1", "accounts": [{"name": "ana"}], "settings": settings}
    with pytest.raises(scenario.ScenarioError, match=told):
        scenario.parse({"macs": {"lisbon": described}}, "here")


@pytest.mark.parametrize(
    ("line", "status", "before", "after"),
    [
        ("-guestAccount on", "-guestAccount status", "Guest account disabled.\n", "Guest account enabled.\n"),
        ("-smbGuestAccess on", "-smbGuestAccess status", "SMB guest access disabled\n", "SMB guest access enabled\n"),
    ],
)
def test_a_switch_is_held(line: str, status: str, before: str, after: str) -> None:
    made = people(mac())
    assert said(made, f"sysadminctl {status}") == before
    assert run(made, "sysadminctl", *line.split()).record.writes
    assert said(made, f"sysadminctl {status}") == after
    run(made, "sysadminctl", *line.replace(" on", " off").split())
    assert said(made, f"sysadminctl {status}") == before


def test_the_screen_lock_is_set_by_the_user_at_the_screen_alone() -> None:
    made = people(mac())
    line = "sysadminctl -screenLock immediate -password admin-pw"
    assert run(made, *line.split(), root=False).status == 0
    assert said(made, "sysadminctl -screenLock status") == "screenLock is off\n"
    made.logged_in = ["admin"]
    run(made, *line.split(), root=False)
    assert said(made, "sysadminctl -screenLock status") == "screenLock delay is immediate\n"
    run(made, *"sysadminctl -screenLock 60 -password admin-pw".split(), root=False)
    assert said(made, "sysadminctl -screenLock status") == "screenLock delay is 60 seconds\n"


def test_automatic_login_goes_off_and_cannot_be_set_over_ssh() -> None:
    made = people(mac())
    made.settings.autologin = "user"
    run(made, *"sysadminctl -autologin off".split())
    assert said(made, "sysadminctl -autologin status") == "Automatic login is OFF.\n"
    said(made, "sysadminctl -autologin set -userName user -password user-pw")
    assert said(made, "sysadminctl -autologin status") == "Automatic login is OFF.\n"
    made.filevault.state = "on"
    assert said(made, "sysadminctl -autologin status").endswith("disabled because FileVault is enabled.\n")


@pytest.mark.parametrize(("state", "answer"), [("off", "NO"), ("on", "YES"), ("encrypting", "YES")])
def test_the_file_system_says_whether_filevault_is_on(state: str, answer: str) -> None:
    made = people(mac())
    made.filevault.state = state
    assert said(made, "sysadminctl -filesystem status") == f"Boot volume APFS FDE: {answer}\n"


def test_launchd_is_told_not_to_load_a_job() -> None:
    made = people(mac("27.0.1"))
    row = '\t\t"com.openssh.sshd" => '
    assert f"{row}enabled\n" in run(made, "launchctl", "print-disabled", "system").out
    assert said(made, "systemsetup -getremotelogin") == "Remote Login: On\n"
    run(made, "launchctl", "disable", "system/com.openssh.sshd")
    assert f"{row}disabled\n" in run(made, "launchctl", "print-disabled", "system").out
    assert said(made, "systemsetup -getremotelogin") == "Remote Login: Off\n"
    assert run(made, "launchctl", "print", "system/com.openssh.sshd").err.startswith("Bad request.\n")
    run(made, "launchctl", "enable", "system/com.openssh.sshd")
    assert run(made, "launchctl", "print", "system/com.openssh.sshd").status == 0


@pytest.mark.parametrize(
    "line",
    [
        "sysadminctl -afpGuestAccess status",
        "sysadminctl -automaticTime status",
        "sysadminctl -automaticTime on",
        "sysadminctl -screenLock soon",
        "sysadminctl -screenLock off -password wrong",
        "sysadminctl -autologin status interactive",
        "sysadminctl -autologin perhaps",
        "sysadminctl -guestAccount perhaps",
        "sysadminctl -filesystem mount",
        "fdesetup help",
        "fdesetup version",
        "fdesetup list -offline",
        "fdesetup enable -prompt",
        "fdesetup enable -forcerestart",
        "fdesetup enable -certificate /tmp/x.cer",
        "fdesetup removerecovery -institutional -key",
        "fdesetup isactive -device disk9s1",
        "systemsetup -getcomputersleep",
        "csrutil disable",
        "launchctl bootout system/com.openssh.sshd",
    ],
)
def test_a_form_whose_state_is_not_held_is_refused(line: str) -> None:
    done = run(people(mac()), *line.split())
    assert done.status == UNMODELLED
    assert done.err.startswith("maclab: ")
    assert done.err.count("\n") == 1
    assert done.out == ""
    assert not done.record.writes


@pytest.mark.parametrize(
    ("line", "status"), [("fdesetup frob", 13), ("fdesetup status -frob", 12), ("sysadminctl -frob", 0)]
)
def test_a_mistake_is_answered_as_macos_answers_it(line: str, status: int) -> None:
    done = run(people(mac()), *line.split())
    assert done.status == status
    assert "maclab" not in done.err


def test_the_extended_status_goes_on_while_the_volume_is_converted() -> None:
    made = people(mac())
    made.filevault.state = "on"
    assert said(made, "fdesetup status -extended") == "FileVault is On.\nVolume is APFS\n"
    made.filevault.state, made.filevault.percent = "encrypting", 12.0
    assert run(made, "fdesetup", "status", "-extended", patience=0.2).hung
