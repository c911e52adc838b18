# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""sudo: who may, who is asked, and whom the command then acts for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from conftest import SECRET
from test_engine_prompt import Terminal

from maclab import journal
from maclab.lab import Handle, Lab


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("sudo probe who", "root root=True"),
        ("sudo -n probe who", "root root=True"),
        ("sudo -H -S -n -u root probe who", "root root=True"),
        ("sudo -u ana probe who", "ana root=False"),
        ("sudo -uana -- probe who", "ana root=False"),
        ("sudo --user=ana probe who", "ana root=False"),
        ("sudo -u '#503' probe who", "ana root=False"),
        ("sudo sudo -u ana sh -c 'probe who'", "ana root=False"),
        ("sudo -s probe who", "root root=True"),
        ("sudo A=b probe who", "root root=True"),
        ("sudo launchctl asuser 501 sudo -u ana probe who", "ana root=False"),
    ],
)
def test_whom_the_command_acts_for(mac: Handle, command: str, said: str) -> None:
    done = mac.ssh(command)
    assert (done.rc, done.out.strip()) == (0, f"{said} tty=False stdin_tty=False")


def test_status_and_streams_are_the_commands(mac: Handle) -> None:
    done = mac.ssh("sudo sh -c 'cat; echo err >&2; exit 9'", input="in")
    assert (done.rc, done.out, done.err) == (9, "in", "err\n")


def test_the_environment_is_cleaned(mac: Handle) -> None:
    said = mac.ssh("FOO=1 LC_ALL=C sudo BAR=2 env").out.splitlines()
    assert "LC_ALL=C" in said and "BAR=2" in said and "FOO=1" not in said
    assert {
        "USER=root",
        "LOGNAME=root",
        "SUDO_USER=itadmin",
        "SUDO_UID=501",
        "SUDO_COMMAND=" + mac_path(mac, "env"),
    } <= set(said)
    assert f"HOME={mac.file_tree}/Users/itadmin" in said
    assert f"HOME={mac.file_tree}/var/root" in mac.ssh("sudo -H env").out.splitlines()
    assert "FOO=1" in mac.ssh("FOO=1 sudo -E env").out.splitlines()


def mac_path(mac: Handle, name: str) -> str:
    return str(mac.folder.bin / name)


def test_a_program_of_a_root_shell_is_root(mac: Handle) -> None:
    assert "root=True" in mac.ssh("sudo sh -c 'setsid probe who || probe who'").out


def test_a_standard_user_is_asked_and_refused(mac: Handle) -> None:
    done = mac.ssh("sudo -S -p 'P:' probe who", user="ana", input="pw-ana\n")
    assert (done.rc, done.out) == (1, "")
    assert done.err.startswith("P:ana is not in the sudoers file.")
    done = mac.ssh("sudo -n probe who", user="ana")
    assert (done.rc, done.err) == (1, "sudo: a password is required\n")
    assert [run.program for run in journal.programs(mac.journal())] == ["sudo", "sudo"]


def test_a_password_on_standard_input(mac: Handle) -> None:
    done = mac.ssh("sudo -S -p '[%u %U]' sh -c 'probe who; cat'", user="asked", input=f"{SECRET}\nrest")
    assert (done.rc, done.out) == (0, "root root=True tty=False stdin_tty=False\nrest")
    assert done.err == "[asked root]"
    (run,) = journal.programs(mac.journal(), "sudo")
    assert (run.stdin_bytes, run.prompts, run.authentications) == (len(SECRET) + 1, ["[asked root]"], [("asked", True)])
    assert SECRET not in mac.folder.journal.read_text()


@pytest.mark.parametrize("options", ["", "-S"], ids=["by itself", "as Ansible without pipelining"])
def test_a_password_on_the_terminal(mac: Handle, options: str) -> None:
    terminal = Terminal(mac, f"sudo -u asked sudo {options} -p 'Secret:' probe who")
    terminal.until("Secret:")
    terminal.type("wrong\n")
    terminal.until("Sorry, try again.\r\nSecret:")
    terminal.type(f"{SECRET}\n")
    status, seen = terminal.end()
    assert status == 0 and "root root=True tty=True" in seen and SECRET not in seen
    assert mac.state().accounts["asked"].failed_logins == 0


def test_three_wrong_passwords(mac: Handle) -> None:
    done = mac.ssh("sudo -S -p '' true", user="asked", input="a\nb\nc\nd\n")
    assert done.rc == 1
    assert done.err == "Sorry, try again.\nSorry, try again.\nsudo: 3 incorrect password attempts\n"
    assert journal.authentications(mac.journal()) == [("asked", False)] * 3
    assert mac.state().accounts["asked"].failed_logins == 3


def test_no_password_at_all(mac: Handle) -> None:
    done = mac.ssh("sudo -S -p '' true", user="asked")
    assert done.rc == 1 and "no password was provided" in done.err
    assert mac.ssh("sudo -n true", user="asked").err == "sudo: a password is required\n"
    done = mac.ssh("sudo true", user="asked", input=f"{SECRET}\n")
    assert done.rc == 1 and "a terminal is required" in done.err


@pytest.mark.parametrize(
    ("command", "status", "said"),
    [
        ("sudo -u nemo true", 1, "unknown user: nemo"),
        ("sudo -u '#999' true", 1, "unknown user: 999"),
        ("sudo getent passwd", 1, "sudo: getent: command not found"),
        ("sudo", 1, "usage: sudo"),
        ("sudo -Q true", 1, "usage: sudo"),
        ("sudo -u", 1, "requires an argument"),
        ("launchctl asuser 501 true", 1, "Operation not permitted"),
    ],
)
def test_what_cannot_be_done(mac: Handle, command: str, status: int, said: str) -> None:
    done = mac.ssh(command)
    assert done.rc == status and said in done.err


def test_asking_only(mac: Handle) -> None:
    assert mac.ssh("sudo -k; sudo -v && sudo -n -v && echo yes").out == "yes\n"
    assert "(ALL) NOPASSWD: ALL" in mac.ssh("sudo -l").out
    assert mac.ssh("sudo -l", user="root").rc == 0


def test_root_needs_no_permission(mac: Handle) -> None:
    assert mac.ssh("sudo -u ana probe who", user="root").out.startswith("ana root=False")


def test_a_first_token_comes_from_any_authentication_on_catalina(lab: Lab) -> None:
    graz = lab.mac("graz")
    graz.reset()
    assert not graz.state().accounts["itadmin"].has_authority_token
    assert graz.ssh("sudo -S -p '' true", input="pw-graz\n").rc == 0
    assert graz.state().accounts["itadmin"].has_authority_token


# --- a Mac as macOS has it, and one that is hardened ----------------------------------------------


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    people = [
        {"name": "itadmin", "admin": True, "password": SECRET},
        {"name": "spared", "admin": True, "password": "pw-s", "sudo_password": False},
        {"name": "ana", "password": "pw-ana"},
    ]
    macs = {
        "asks": {"macos": "15.6", "sudo_password": True, "accounts": people},
        "hardened": {"macos": "15.6", "requiretty": True, "accounts": people},
    }
    with Lab({"sudo_password": False, "macs": macs}, tmp_path_factory.mktemp("strict")) as lab:
        yield lab


def test_a_mac_whose_administrators_are_asked_as_by_default(strict: Lab) -> None:
    mac = strict.mac("asks")
    assert mac.ssh("sudo -n true").err == "sudo: a password is required\n"
    assert mac.ssh("sudo -S -p '' whoami", input=f"{SECRET}\n").out == "root\n"
    assert mac.ssh("sudo -n whoami", user="spared").out == "root\n"
    assert mac.ssh("sudo -n true", user="root").rc == 0


@pytest.mark.parametrize("user", ["itadmin", "root"])
@pytest.mark.parametrize("command", ["sudo true", "sudo -n true", "sudo -S true", "sudo -l"])
def test_requiretty_refuses_whoever_has_no_terminal(strict: Lab, user: str, command: str) -> None:
    done = strict.mac("hardened").ssh(command, user=user)
    assert (done.rc, done.out, done.err) == (1, "", "sudo: sorry, you must have a tty to run sudo\n")


def test_requiretty_is_content_with_a_terminal(strict: Lab) -> None:
    mac = strict.mac("hardened")
    mac.reset()
    assert mac.ssh("sudo -n whoami", tty=True).out == "root\r\n"
    assert mac.ssh("sudo -k").rc == 0
    assert journal.authentications(mac.journal()) == []


# --- su -------------------------------------------------------------------------------------------


def test_su_asks_on_the_terminal_for_the_password_of_whom_one_becomes(mac: Handle) -> None:
    terminal = Terminal(mac, "su asked -c 'probe who; exit 3'")
    terminal.until("Password:")
    terminal.type(f"{SECRET}\n")
    status, seen = terminal.end()
    assert status == 3 and "asked root=False tty=True" in seen and SECRET not in seen
    assert journal.authentications(mac.journal()) == [("asked", True)]
    assert SECRET not in mac.folder.journal.read_text()


@pytest.mark.parametrize(
    ("command", "typed", "said"),
    [
        ("su ana -c true", "wrong\n", "Password:su: Sorry\n"),
        ("su root -c true", "\n", "Password:su: Sorry\n"),
        ("su -c true", "", "su: illegal option -- c\nusage: su"),
        ("su nemo", "", "su: unknown login: nemo\n"),
    ],
)
def test_whom_su_does_not_let_through(mac: Handle, command: str, typed: str, said: str) -> None:
    done = mac.ssh(command, input=typed)
    assert (done.rc, done.out) == (1, "") and done.err.startswith(said)


def test_root_becomes_anybody_without_a_password(mac: Handle) -> None:
    done = mac.ssh("su - ana -c 'probe who; echo $USER $HOME'", user="root")
    assert done.out == f"ana root=False tty=False stdin_tty=False\nana {mac.file_tree}/Users/ana\n"
    assert journal.authentications(mac.journal()) == []
