# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""With --full-paths a command finds everything where macOS has it, and each account has its own numbers."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import fakes
import pytest

from maclab import control, enter, fullpaths, journal, layout, places
from maclab.call import Call
from maclab.lab import Handle, Lab

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="namespaces are Linux's")

PEOPLE = [
    {"name": "itadmin", "full_name": "IT Administrator", "admin": True, "password": "pw-it", "token": True},
    {"name": "ana", "full_name": "Ana Sousa", "password": "pw-ana"},
]
SCENARIO = {
    "sudo_password": False,
    "macs": {
        "lisbon": {"macos": "15.6", "accounts": PEOPLE, "logged_in": ["ana"]},
        "bare": {"macos": "10.14.6", "python": "none", "accounts": PEOPLE},
        "stubbed": {"macos": "14.7.1", "python": "stub", "accounts": PEOPLE},
        "asked": {"macos": "26.1", "sudo_password": True, "accounts": PEOPLE},
    },
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    # A blank in the lab's folder is no reason for anything.
    with Lab(SCENARIO, tmp_path_factory.mktemp("full paths"), full_paths=True) as lab:
        yield lab


@pytest.fixture
def mac(lab: Lab) -> Handle:
    return lab.mac("lisbon")


def said(mac: Handle, command: str, user: str | None = None) -> list[str]:
    done = mac.ssh(command, user=user)
    assert (done.rc, done.err) == (0, ""), done
    return done.out.splitlines()


# --- where things are -----------------------------------------------------------------------------


def test_a_script_finds_the_macs_programs_by_their_paths_in_full(mac: Handle) -> None:
    assert said(mac, "/usr/bin/dscl . -read /Users/ana RealName") == ["RealName:", " Ana Sousa"]
    assert said(mac, "/usr/sbin/dseditgroup -o checkmember -m itadmin admin") == ["yes itadmin is a member of admin"]
    assert "IT Administrator" in mac.ssh("/usr/sbin/sysadminctl -secureTokenStatus itadmin").err
    assert said(mac, "/usr/bin/sw_vers -productVersion; PATH=; /bin/hostname -s") == ["15.6", "lisbon"]
    programs = [run.program for run in journal.programs(mac.journal())]
    assert programs[-5:] == ["dscl", "dseditgroup", "sysadminctl", "sw_vers", "hostname"]


def test_a_command_begins_at_home_with_the_environment_that_sshd_gives(mac: Handle) -> None:
    assert said(mac, 'pwd; echo "$HOME $PATH $SHELL"; echo ~ana') == [
        "/Users/itadmin",
        f"/Users/itadmin {fullpaths.PATH} /bin/zsh",
        "/Users/ana",
    ]
    assert said(mac, 'd=$(mktemp -d "${TMPDIR}x.XXXX") && case $d in /var/folders/*) echo yes;; esac') == ["yes"]


@pytest.mark.parametrize(
    ("first_line", "asked", "name"),
    [
        ("#!/bin/sh", 'a=(1 2); [[ ${#a[@]} = 2 ]] && echo "${BASH_VERSION:+bash}"', "bash"),
        ("#!/bin/bash", 'echo "${BASH_VERSION:+bash}"', "bash"),
        ("#!/bin/zsh", 'echo "${ZSH_VERSION:+zsh}"', "zsh"),
        ("#!/usr/bin/env zsh", 'echo "${ZSH_VERSION:+zsh}"', "zsh"),
        ("#!/usr/bin/perl", "print qq(perl\\n)", "perl"),
    ],
)
def test_the_first_line_of_a_script_names_its_shell(mac: Handle, first_line: str, asked: str, name: str) -> None:
    if layout.of_this_host(name) is None:
        pytest.skip(f"this host has no {name}")
    text = f"{first_line}\n{asked}\n"
    mac.ssh("cat > /tmp/script && chmod +x /tmp/script", input=text)
    assert said(mac, "/tmp/script") == [name]


def test_the_folders_of_macos_are_there_and_links_lead_where_macos_has_them(mac: Handle) -> None:
    assert said(mac, "readlink /tmp /var /etc") == ["private/tmp", "private/var", "private/etc"]
    mac.ssh("echo kept > /private/var/tmp/note; echo of ana > /Users/ana/x")
    assert said(mac, "cat /var/tmp/note /System/Volumes/Data/Users/ana/x") == ["kept", "of ana"]
    assert (mac.file_tree / "Users" / "ana" / "x").read_text() == "of ana\n"
    for folder in ("/Library/LaunchDaemons", "/Applications", "/usr/local/bin", "/Users/Shared", "/var/root"):
        assert said(mac, f"sudo sh -c 'cd {folder} && touch t && rm t && echo good'") == ["good"]


@pytest.mark.parametrize("path", ["/note", "/usr/bin/note", "/System/note", "/bin/note"])
def test_the_sealed_volume_cannot_be_written_to_not_even_by_root(mac: Handle, path: str) -> None:
    done = mac.ssh(f"sudo sh -c 'echo x > {path}'")
    assert done.rc != 0 and "Read-only file system" in done.err


def test_nothing_of_it_reaches_the_folders_of_this_host(mac: Handle) -> None:
    mac.ssh("echo x > /tmp/maclab-was-here; echo x > /var/tmp/maclab-was-here")
    assert not Path("/tmp/maclab-was-here").exists() and not Path("/var/tmp/maclab-was-here").exists()


def test_process_substitution_here_documents_and_a_terminal_work(mac: Handle) -> None:
    assert said(mac, "cat <(echo one); cat <<< two; bash -c 'cat < <(echo three)'") == ["one", "two", "three"]
    assert mac.ssh("tty; /usr/bin/id -un", tty=True).out.split()[-1] == "itadmin"


# --- who one is -----------------------------------------------------------------------------------

ASKED = 'echo "$UID $EUID $(/usr/bin/id -u) $(/usr/bin/whoami)"'


def test_a_shell_and_the_macs_programs_agree_who_somebody_is(mac: Handle) -> None:
    assert said(mac, ASKED) == ["501 501 501 itadmin"]
    assert said(mac, ASKED, user="ana") == ["502 502 502 ana"]
    assert said(mac, ASKED, user="root") == ["0 0 0 root"]


@pytest.mark.parametrize(
    ("through", "line"),
    [
        ("sudo {}", "0 0 0 root"),
        ("/usr/bin/sudo -u ana {}", "502 502 502 ana"),
        ("sudo sudo -u ana {}", "502 502 502 ana"),
        ("sudo su - ana -c '{}'", "502 502 502 ana"),
        ("sudo /bin/launchctl asuser 502 sudo -u ana {}", "502 502 502 ana"),
    ],
)
def test_who_becomes_another_has_that_ones_numbers(mac: Handle, through: str, line: str) -> None:
    mac.ssh("cat > /tmp/asked && chmod 755 /tmp/asked", input=f"#!/bin/bash\n{ASKED}\n")
    assert said(mac, through.format("/tmp/asked")) == [line]


def test_a_login_as_another_begins_in_that_ones_home(mac: Handle) -> None:
    assert said(mac, "sudo su - ana -c pwd; sudo -u ana -i pwd; sudo su ana -c pwd") == [
        "/Users/ana",
        "/Users/ana",
        "/Users/itadmin",
    ]


def test_sudo_asks_and_refuses_as_it_does_without_full_paths(lab: Lab) -> None:
    asked = lab.mac("asked")
    assert asked.ssh("sudo -S /usr/bin/id -u", input="pw-it\n").out == "0\n"
    refused = asked.ssh("sudo -S /usr/bin/id -u", user="ana", input="pw-ana\n")
    assert refused.rc == 1 and "not in the sudoers file" in refused.err


def test_the_journal_has_the_command_that_sudo_became_and_not_what_gives_it_its_numbers(mac: Handle) -> None:
    mac.ssh("sudo /usr/bin/true")
    assert [run.became for run in journal.programs(mac.journal())][-1] == ["/usr/bin/true"]


def test_a_new_account_is_known_to_the_shell_at_once(mac: Handle) -> None:
    mac.ssh("sudo /usr/sbin/sysadminctl -addUser neu -password neu-pass-word -fullName Neu")
    assert said(mac, "echo ~neu") == ["/Users/neu"]
    mac.reset()


def test_a_home_is_gone_with_its_account_unless_it_is_kept(mac: Handle) -> None:
    mac.ssh(
        "sudo sysadminctl -addUser neu -password neu-pass-word; sudo sysadminctl -addUser alt -password alt-pass-word"
    )
    assert said(mac, "cd /Users && echo alt neu; ls -d /Users/neu/Desktop /Users/alt/Library")[1:] == [
        "/Users/alt/Library",
        "/Users/neu/Desktop",
    ]
    mac.ssh("sudo sysadminctl -deleteUser neu; sudo sysadminctl -deleteUser alt -keepHome")
    assert said(mac, "test -e /Users/neu || echo gone; test -d /Users/alt && echo kept") == ["gone", "kept"]
    mac.reset()


# --- Python ---------------------------------------------------------------------------------------


def test_python_is_the_macs_own_by_its_path_in_full(lab: Lab, mac: Handle) -> None:
    assert said(mac, "/usr/bin/python3 -c 'import os, pwd; print(pwd.getpwuid(os.getuid()).pw_name)'") == ["itadmin"]
    done = lab.mac("bare").ssh("/usr/bin/python3 -V")
    assert done.rc == 127
    assert "xcode-select" in lab.mac("stubbed").ssh("/usr/bin/python3 -V").err


def test_files_come_and_go_by_the_same_paths(mac: Handle, tmp_path: Path) -> None:
    mac.ssh("echo for you > /private/tmp/for_you")
    argv = mac.ssh_argv()
    scp = ["scp", *argv[1:-1]]
    scp[scp.index("-p")] = "-P"
    fetched = tmp_path / "fetched"
    subprocess.run([*scp, "itadmin@127.0.0.1:/tmp/for_you", str(fetched)], check=True, capture_output=True)
    assert fetched.read_text() == "for you\n"
    subprocess.run([*scp, str(fetched), "itadmin@127.0.0.1:beside"], check=True, capture_output=True)
    assert said(mac, "cat /Users/itadmin/beside") == ["for you"]


def test_a_power_cut_ends_everything_that_runs_in_a_tree(mac: Handle) -> None:
    mac.set_fault("kill", step=1)
    done = mac.ssh(
        "(sleep 2; echo late > /tmp/late) & sudo /usr/sbin/scutil --set HostName cut; echo after > /tmp/after"
    )
    assert done.rc != 0
    assert mac.state().names == {"HostName": "cut"}
    assert said(mac, "sleep 2.5; ls /tmp/late /tmp/after 2>/dev/null || echo nothing") == ["nothing"]
    mac.reset()


def test_ps_tells_of_a_scripts_own_process(mac: Handle) -> None:
    done = mac.ssh("/bin/sh -c '/bin/ps -p $$ -o ppid=; echo $PPID'")
    if layout.of_this_host("ps") is None:
        assert "this host has no such program" in done.err
    else:
        assert len(done.out.split()) == 2 and len(set(done.out.split())) == 1


# --- the way in -----------------------------------------------------------------------------------


def test_a_lab_that_was_up_without_full_paths_keeps_its_files(tmp_path: Path) -> None:
    with Lab(SCENARIO, tmp_path / "lab") as plain:
        mac = plain.mac("lisbon")
        mac.ssh('echo one > "$TMPDIR/note"; echo two > note')
    with Lab(SCENARIO, tmp_path / "lab", full_paths=True) as whole:
        assert said(whole.mac("lisbon"), "cat /tmp/note ~/note") == ["one", "two"]
    with Lab(SCENARIO, tmp_path / "lab") as plain:
        assert said(plain.mac("lisbon"), 'cat "$TMPDIR/note" note; sysctl -n kern.ostype') == ["one", "two", "Darwin"]


def test_a_python_that_looks_for_its_library_finds_it(tmp_path: Path) -> None:
    prefix, root = tmp_path / "local", tmp_path / "root"
    (prefix / "lib").mkdir(parents=True)
    fullpaths._keep_in_place(root, prefix)
    there = root / str(prefix).lstrip("/")
    assert there.readlink() == Path(f"{places.HOST}{prefix}")
    there.unlink()
    # A Mac has such a folder of its own.
    (there / "bin").mkdir(parents=True)
    fullpaths._keep_in_place(root, prefix)
    assert (there / "lib").readlink() == Path(f"{places.HOST}{prefix}/lib") and not (there / "bin").is_symlink()


def test_a_python_that_does_not_start_there_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fullpaths, "_keep_in_place", lambda *_words: None)
    monkeypatch.setattr(layout, "own_python", lambda: Path(sys.executable))
    started = fullpaths._said
    monkeypatch.setattr(fullpaths, "_said", lambda argv: "no library" if argv[-2:] == ["-c", ""] else started(argv))
    with pytest.raises(control.LabError, match=r"does not start in a Mac's tree \(no library\)"):
        fullpaths.require()


@pytest.mark.parametrize("full_paths", [True, False])
def test_a_host_without_zsh_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full_paths: bool) -> None:
    there = layout.of_this_host
    monkeypatch.setattr(layout, "of_this_host", lambda name: None if name == "zsh" else there(name))
    monkeypatch.setattr(layout, "_found", {})
    with Lab(SCENARIO, tmp_path / "lab", full_paths=full_paths) as lab:
        path = "/bin/zsh" if full_paths else "zsh"
        done = lab.mac("lisbon").ssh(f"{path} -c 'print hello'")
        assert (done.rc, done.out) == (121, "")
        assert "zsh of this host, which has none: install it there" in done.err


# Takes user namespaces away from itself, as a machine does that allows none, and becomes the command.
WITHOUT = """
import sys
from maclab import cli, enter
enter.take_numbers(0, 0, 0)
enter.write("/proc/sys/user/max_user_namespaces", "0")
sys.exit(cli.main(sys.argv[1:]))
"""


@pytest.mark.parametrize("foreground", [[], ["--foreground"]])
def test_where_namespaces_are_not_allowed_it_says_so_and_ends(tmp_path: Path, foreground: list[str]) -> None:
    words = ["up", "--full-paths", "--dir", str(tmp_path / "lab"), *foreground]
    command = [sys.executable, "-c", WITHOUT, *words]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "--full-paths needs user namespaces, and this machine does not allow them" in done.stderr
    assert "sudo sysctl -w user.max_user_namespaces=10000" in done.stderr and "without --full-paths" in done.stderr
    assert not control.is_up(layout.LabFolder(tmp_path / "lab"))


def test_another_system_says_that_it_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fullpaths.sys, "platform", "darwin")
    with pytest.raises(control.LabError, match="the namespaces of Linux"):
        fullpaths.require()


def test_the_two_files_that_cannot_import_each_other_agree() -> None:
    assert enter.HOST == places.HOST


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/Library/Preferences/x.plist", "{}/root/Library/Preferences/x.plist"),
        ("/Users/user/x", "{}/root/Users/user/x"),
        ("x", "{}/root/Users/user/x"),
        ("/var/db/x", "{}/root/var/db/x"),
        ("/Users/me/x.pkg", "/Users/me/x.pkg"),
        ("/tmp/x", "/tmp/x"),
    ],
)
def test_without_full_paths_only_what_macos_alone_has_is_the_macs(path: str, place: str) -> None:
    # As on a Mac, where the lab itself is in somebody's home.
    folder = "/Users/me/lab/macs/lisbon"
    call = Call(
        mac=fakes.people(fakes.mac()),
        program="stat",
        argv=[],
        env={},
        cwd=f"{folder}/root/Users/user",
        user="user",
        is_root=False,
        has_tty=False,
        stdin_is_tty=False,
        link=fakes.FakeLink(),
        folder=Path(folder),
    )
    assert str(call.place(path)) == place.format(folder)
    assert call.place(f"{folder}/root/Users/user/x") == Path(f"{folder}/root/Users/user/x")


def test_an_account_without_a_home_has_no_path() -> None:
    assert not places.is_of_the_mac("/bin/sh", ["/Users/ana", ""])
    assert places.is_of_the_mac("/Users/ana/x", ["", "/Users/ana"])


def test_a_path_leads_into_the_macs_folder_by_its_links(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "private" / "tmp").mkdir(parents=True)
    (root / "tmp").symlink_to("private/tmp")
    (root / "whole").symlink_to("/private/tmp/there")
    (root / "out").symlink_to(f"{places.HOST}/usr/bin/env")
    (root / "loop").symlink_to("/loop")
    assert places.inside(root, "/tmp/../tmp/x") == root / "private" / "tmp" / "x"
    assert places.inside(root, "/whole/x") == root / "private" / "tmp" / "there" / "x"
    assert places.inside(root, "/out") == Path("/usr/bin/env")
    assert places.inside(root, f"{places.HOST}/etc/x") == Path("/etc/x")
    assert places.inside(root, "/../..") == root
    assert places.inside(root, "/loop").name == "loop"
