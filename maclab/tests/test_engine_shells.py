# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a command meets on its way in: the account's shell, what that prints by itself, and the Mac's interpreters."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from maclab import journal, shells
from maclab.lab import Handle, Lab
from maclab.layout import of_this_host

BANNER = "Property of *example.test*; \"call\" $HOME 'us'"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    people = [
        {"name": "itadmin", "admin": True, "password": "p"},
        *({"name": f"of_{name}", "password": "p", "shell": f"/bin/{name}"} for name in ("sh", "bash", "dash", "zsh")),
        {"name": "of_fish", "password": "p", "shell": "/opt/homebrew/bin/fish"},
        {"name": "nologin", "password": "p", "shell": "/usr/bin/false"},
        {"name": "greeted", "admin": True, "password": "p", "shell_banner": BANNER},
    ]
    macs = {
        "usual": {"macos": "15.6", "accounts": people},
        "bare": {"macos": "13.6.9", "python": "none", "accounts": people[:1]},
        "stubbed": {"macos": "15.6", "python": "stub", "accounts": people[:1], "logged_in": ["itadmin"]},
    }
    with Lab({"sudo_password": False, "macs": macs}, tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture
def mac(lab: Lab) -> Handle:
    return lab.mac("usual")


# --- shells ---------------------------------------------------------------------------------------

ASKED = 'echo "${BASH_VERSION:+bash}${ZSH_VERSION:+zsh} $(set -o 2>/dev/null | grep "^posix.*on")"'


@pytest.mark.parametrize(
    ("name", "said"), [("bash", ["bash"]), ("sh", ["bash", "posix", "on"]), ("zsh", ["zsh"]), ("dash", [])]
)
def test_a_command_runs_in_the_accounts_shell(mac: Handle, name: str, said: list[str]) -> None:
    if of_this_host("bash" if name == "sh" else name) is None:
        pytest.skip(f"this host has no {name}")
    assert mac.ssh(ASKED, user=f"of_{name}").out.split() == said
    done = mac.ssh("probe() { cat; return 7; }; probe", user=f"of_{name}", input="in")
    assert (done.rc, done.out) == (7, "in")


def test_bash_reads_its_start_up_file_and_sh_does_not(mac: Handle) -> None:
    for name in ("bash", "sh"):
        mac.ssh("echo 'echo from bashrc' > .bashrc", user=f"of_{name}")
    assert mac.ssh("echo said", user="of_sh").out == "said\n"
    assert mac.ssh("echo said", user="of_bash").out.endswith("said\n")


def test_a_shell_that_lets_nobody_in_lets_nobody_in(mac: Handle) -> None:
    done = mac.ssh("echo said", user="nologin")
    assert (done.rc, done.out) == (1, "")


def test_what_the_host_lacks_is_told_and_sh_stands_in(mac: Handle, lab: Lab) -> None:
    assert mac.ssh("echo $((1 + 1))", user="of_fish").out == "2\n"
    notes = [note for note in lab.notes if "login shell" in note]
    assert any("/opt/homebrew/bin/fish" in note for note in notes)
    assert any("/bin/zsh" in note for note in notes) is (of_this_host("zsh") is None)


def test_a_banner_comes_before_everything_that_a_command_prints(mac: Handle) -> None:
    done = mac.ssh("cat; echo said >&2; exit 5", user="greeted", input="in")
    assert (done.rc, done.out, done.err) == (5, f"{BANNER}\nin", "said\n")
    assert mac.ssh("echo said", user="greeted", tty=True).out == f"{BANNER}\r\nsaid\r\n"
    assert mac.ssh("sudo sh -c 'echo said'", user="greeted").out == f"{BANNER}\nsaid\n"
    assert mac.ssh("echo said").out == "said\n"


# --- interpreters by their path -------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "command -v '{}'",
        """/bin/sh -c 'sudo -H -S -n  -u root /bin/sh -c '"'"'echo BECOME ; {}'"'"' && sleep 0'""",
        "LANG=C {} /x/AnsiballZ_ping.py && sleep 0",
        "set -- x {}\nstub={}\n",
        "[ -x {} ]&&{}",
        "#!{}\n",
        "PATH=/opt:{}",
    ],
)
@pytest.mark.parametrize("name", ["python3", "python", "python3.11", "perl"])
def test_a_path_in_full_means_the_macs_own(tmp_path: Path, text: str, name: str) -> None:
    own = tmp_path.resolve() / name
    assert shells.with_own_interpreters(text.replace("{}", f"/usr/bin/{name}"), tmp_path) == text.replace(
        "{}", str(own)
    )


@pytest.mark.parametrize(
    "text",
    [
        "/Library/Developer/CommandLineTools/usr/bin/python3",
        "/usr/local/bin/python3",
        "~/bin/python3 ${HOME}/bin/python3 $HOME/bin/python3",
        "/usr/bin/python3-config /usr/bin/pythonic /usr/bin/python3/x",
        "file:///usr/bin/python3",
    ],
)
def test_other_paths_are_left_alone(tmp_path: Path, text: str) -> None:
    assert shells.with_own_interpreters(text, tmp_path) == text


def test_a_folder_that_needs_quotes_is_not_put_into_a_command(tmp_path: Path) -> None:
    assert shells.with_own_interpreters("/usr/bin/python3", tmp_path / "a b") == "/usr/bin/python3"


@pytest.mark.parametrize("command", ["/usr/bin/python3 -V", "sudo /usr/bin/python3 -V", "sh -c '/usr/bin/python3 -V'"])
def test_who_has_no_python_has_none_by_path(lab: Lab, command: str) -> None:
    here = lab.mac("bare")
    assert here.ssh(command).rc != 0
    assert here.ssh("command -v /usr/bin/python3; [ -e /usr/bin/python3 ] && echo there").out == ""
    assert lab.mac("usual").ssh(command).out.startswith("Python 3")
    stubbed = lab.mac("stubbed")
    stubbed.reset()
    assert stubbed.ssh(command).rc == 1
    assert [run.program for run in journal.programs(stubbed.journal(), "python3")] == ["python3"]


def test_perl_is_there_by_name_and_by_path(mac: Handle) -> None:
    if shutil.which("perl") is None:
        pytest.skip("this host has no perl")
    assert mac.ssh("perl -e 'print 6*7'").out == mac.ssh("/usr/bin/perl -e 'print 6*7'").out == "42"


def test_the_journal_has_the_command_as_the_client_sent_it(lab: Lab) -> None:
    here = lab.mac("bare")
    here.reset()
    here.ssh("/usr/bin/python3 -V")
    assert [entry.command for entry in journal.execs(here.journal())] == ["/usr/bin/python3 -V"]


def test_a_stub_that_waits_for_an_answer_has_told_the_journal_of_its_dialog(lab: Lab) -> None:
    here = lab.mac("stubbed")
    here.reset()
    here.set_fault("hang", program="python3", at="prompt")
    assert here.ssh("/usr/bin/python3 -V & sleep 1; kill -9 $!; echo still").out.startswith("still")
    assert [event.reason for event in here.journal() if isinstance(event, journal.Event) and event.what == "dialog"]
