# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scripts as Mac admins write them, with paths in full, run on a lab Mac over SSH and come to the right conclusions."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from maclab import journal
from maclab.lab import Handle, Lab
from maclab.layout import of_this_host

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="paths in full need the namespaces of Linux")

SCRIPTS = Path(__file__).parent / "scripts"
ADMIN = {"name": "itadmin", "full_name": "IT Administrator", "admin": True, "password": "pw-it", "token": True}
PEOPLE = [
    ADMIN,
    {"name": "ana", "full_name": "Ana Sousa", "password": "pw-ana"},
    {"name": "bob", "full_name": "Bob Ek", "password": "pw-bob", "token": True},
]
ON = {"state": "on", "prk": True}
SCENARIO = {
    "sudo_password": False,
    "macs": {
        "lisbon": {"macos": "15.6", "accounts": PEOPLE, "logged_in": ["ana"], "filevault": ON},
        "oslo": {"macos": "27.0.1", "accounts": PEOPLE},
        "graz": {"macos": "10.15.7", "accounts": PEOPLE, "logged_in": ["bob"]},
    },
}
MACS = ("lisbon", "oslo", "graz")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(SCENARIO, tmp_path_factory.mktemp("lab"), full_paths=True) as lab:
        yield lab


def rehearse(mac: Handle, name: str, through: str = "sudo", said: str = "", status: int = 0) -> str:
    """Copy a script to the Mac, run it by its own first line, and return what it printed."""
    if name.endswith(".zsh") and of_this_host("zsh") is None:
        pytest.skip("this host has no zsh")
    mac.ssh(f"cat > /tmp/{name} && chmod 755 /tmp/{name}", input=(SCRIPTS / name).read_text(encoding="utf-8"))
    done = mac.ssh(f"{through} /tmp/{name}", input=said)
    assert done.rc == status, done
    return done.out


@pytest.mark.parametrize(
    ("name", "concluded"),
    [
        ("lisbon", "ana 502 Ana_Sousa /Users/ana there\n"),
        ("oslo", "nobody (root, root, none, none)\n"),
        ("graz", "bob 503 Bob_Ek /Users/bob there\n"),
    ],
)
@pytest.mark.parametrize("through", ["sudo", ""])
def test_a_script_learns_who_is_at_the_screen(lab: Lab, name: str, concluded: str, through: str) -> None:
    assert rehearse(lab.mac(name), "seat.zsh", through) == concluded


def test_a_script_learns_of_a_login_at_once(lab: Lab) -> None:
    mac = lab.mac("oslo")
    mac.login("bob")
    assert rehearse(mac, "seat.zsh").startswith("bob 503 ")
    mac.reset()
    assert rehearse(mac, "seat.zsh").startswith("nobody ")


@pytest.mark.parametrize("name", MACS)
def test_a_script_reports_administrators_tokens_and_filevault(lab: Lab, name: str) -> None:
    lines = rehearse(lab.mac(name), "token_report.sh").splitlines()
    assert lines[:-1] == ["ana standard DISABLED", "bob standard ENABLED", "itadmin admin ENABLED"]
    assert lines[-1] == f"FileVault {'On' if name == 'lisbon' else 'Off'}"


def test_a_script_that_wants_root_is_told_by_its_shell_that_it_is_not(lab: Lab) -> None:
    assert rehearse(lab.mac("lisbon"), "token_report.sh", through="", status=1) == "run me as root\n"


@pytest.mark.parametrize(("name", "major"), [("lisbon", "15"), ("oslo", "27"), ("graz", "10")])
def test_a_script_keeps_notes_in_a_property_list(lab: Lab, name: str, major: str) -> None:
    mac = lab.mac(name)
    version = mac.state().version
    assert rehearse(mac, "preferences.bash").splitlines() == [
        f"{major} 1970-01-02 2",
        f"Dict {{ Version = {version} Missing = true }} ",
    ]
    assert (mac.file_tree / "Library/Preferences/com.example.rehearsal.plist").exists()


def test_a_script_grants_a_token_once_and_sees_what_came_of_it(lab: Lab) -> None:
    mac = lab.mac("lisbon")
    mac.reset()
    assert rehearse(mac, "grant.sh", said="pw-it\nwrong\n", status=2) == "this is not the password of ana\n"
    assert rehearse(mac, "grant.sh", said="wrong\npw-ana\n", status=1) == "ana has none\n"
    assert not mac.state().accounts["ana"].has_authority_token
    assert rehearse(mac, "grant.sh", said="pw-it\npw-ana\n") == "ana has one now\n"
    assert mac.state().accounts["ana"].has_authority_token
    assert rehearse(mac, "grant.sh", said="pw-it\npw-ana\n") == "ana has one\n"
    assert rehearse(lab.mac("oslo"), "grant.sh", said="pw-it\npw-ana\n") == "nobody to give it to\n"
    mac.reset()


def test_a_script_hears_of_what_the_lab_does_not_model(lab: Lab) -> None:
    mac = lab.mac("lisbon")
    done = mac.ssh(
        "/usr/bin/osascript -e 'display dialog \"x\"'; echo $?; /usr/sbin/networksetup -listallhardwareports"
    )
    assert (done.rc, done.out) == (121, "121\n")
    assert done.err.count("this lab does not model that") == 2
    events = [entry for entry in mac.journal() if isinstance(entry, journal.Event) and entry.what == "unmodelled"]
    assert len(events) == 2


def test_a_job_that_a_script_wrote_runs_with_the_same_paths(lab: Lab) -> None:
    mac = lab.mac("graz")
    path = "/Library/LaunchDaemons/com.example.job.plist"
    words = ["Add :Label string com.example.job", "Add :StartInterval integer 1", "Add :ProgramArguments array"]
    words += [
        f"Add :ProgramArguments: string '{word}'" for word in ("/bin/sh", "-c", "/usr/bin/id -un > /var/root/ran")
    ]
    commands = " ".join(f'-c "{word}"' for word in words)
    assert mac.ssh(f"sudo /usr/libexec/PlistBuddy {commands} {path}; ls {path}").out.endswith(f"{path}\n")
    ran = "i=0; until [ -s /var/root/ran ] || [ $i = 100 ]; do sleep 0.2; i=$((i + 1)); done; cat /var/root/ran"
    done = mac.ssh(f"sudo /bin/launchctl bootstrap system {path} && sudo /bin/sh -c '{ran}'")
    assert (done.rc, done.out, done.err) == (0, "root\n", "")
    mac.reset()


def test_what_only_root_reads_is_a_file_too(lab: Lab) -> None:
    mac = lab.mac("graz")
    mac.ssh("echo x | sudo tee /Library/LaunchDaemons/held.plist")
    assert mac.ssh("[ -f /Library/LaunchDaemons/held.plist ] && echo there").out == "there\n"
    mac.ssh("sudo rm -f /Library/LaunchDaemons/held.plist")
    assert mac.ssh("[ -f /Library/LaunchDaemons/held.plist ] || echo gone").out == "gone\n"
    version = mac.ssh("/usr/bin/grep -A1 ProductVersion /System/Library/CoreServices/SystemVersion.plist").out
    assert "<string>10.15.7</string>" in version
    mac.reset()
