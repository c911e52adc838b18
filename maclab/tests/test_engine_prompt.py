# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prompts: Apple's getpass on a terminal and without one, and what is typed too early or too much."""

from __future__ import annotations

import subprocess
import time

from maclab import journal
from maclab.lab import Handle


class Terminal:
    """A person at `ssh -tt`."""

    def __init__(self, mac: Handle, command: str) -> None:
        self._ssh = subprocess.Popen(
            mac.ssh_argv(command, None, "-tt"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert self._ssh.stdin is not None and self._ssh.stdout is not None
        self._stdin, self._stdout = self._ssh.stdin, self._ssh.stdout
        self.seen = ""

    def type(self, text: str) -> None:
        self._stdin.write(text.encode())
        self._stdin.flush()

    def until(self, text: str) -> None:
        while text not in self.seen:
            byte = self._stdout.read(1)
            assert byte, f"ended at {self.seen!r}"
            self.seen += byte.decode()

    def end(self) -> tuple[int, str]:
        out, _ = self._ssh.communicate(timeout=30)
        return self._ssh.returncode, self.seen + out.decode()


def test_on_a_terminal_nothing_is_echoed(mac: Handle) -> None:
    terminal = Terminal(mac, "probe getpass")
    terminal.until("Password:")
    terminal.type("s3cret\n")
    status, seen = terminal.end()
    assert (status, seen) == (0, "Password:\r\n<s3cret>\r\n")


def test_what_is_typed_before_the_prompt_is_lost(mac: Handle) -> None:
    terminal = Terminal(mac, "echo early; sleep 0.5; probe getpass")
    terminal.until("early")
    terminal.type("too early\n")
    terminal.until("Password:")
    terminal.type("in time\n")
    assert "<in time>" in terminal.end()[1]


def test_the_terminal_is_asked_although_stdin_is_a_pipe(mac: Handle) -> None:
    terminal = Terminal(mac, "echo from-pipe | probe getpass")
    terminal.until("Password:")
    terminal.type("from-tty\n")
    assert "<from-tty>" in terminal.end()[1]
    (run,) = journal.programs(mac.journal(), "probe")
    assert (run.tty_bytes, run.stdin_bytes, run.prompts) == (9, 0, ["Password:"])


def test_control_c_at_the_prompt_ends_the_program_and_brings_echo_back(mac: Handle) -> None:
    terminal = Terminal(mac, "trap : INT; probe getpass; echo rc $?; stty -a | tr ' ' '\\n' | grep -x -e '-*echo'")
    terminal.until("Password:")
    terminal.type("\x03")
    _, seen = terminal.end()
    assert "rc 130" in seen
    assert seen.split()[-1] == "echo"
    (run,) = journal.programs(mac.journal(), "probe")
    assert run.killed


def test_without_a_terminal_stderr_prompts_and_stdin_answers(mac: Handle) -> None:
    done = mac.ssh("probe getpass; cat", input="s3cret\nrest\n")
    assert (done.out, done.err) == ("<s3cret>\nrest\n", "Password:")
    (run,) = journal.programs(mac.journal(), "probe")
    assert (run.tty_bytes, run.stdin_bytes) == (0, 7)


def test_a_carriage_return_ends_it_too(mac: Handle) -> None:
    assert mac.ssh("probe getpass; cat", input="one\rtwo").out == "<one>\ntwo"


def test_only_128_bytes_are_kept_and_the_rest_is_dropped(mac: Handle) -> None:
    done = mac.ssh("probe getpass; cat", input="x" * 200 + "\nnext")
    assert done.out == f"<{'x' * 128}>\nnext"
    assert journal.programs(mac.journal(), "probe")[0].stdin_bytes == 201


def test_end_of_input_is_not_an_empty_answer(mac: Handle) -> None:
    assert mac.ssh("probe getpass").out == "<None>\n"
    assert mac.ssh("probe getpass", input="\n").out == "<>\n"
    assert mac.ssh("probe getpass", input="half").out == "<half>\n"


def test_a_line_that_is_too_long_is_read_in_pieces(mac: Handle) -> None:
    done = mac.ssh("probe line 4; probe line 4; probe line 4", input="abcdefg\nh\n")
    assert done.out == "<abcd>\n<efg>\n<h>\n"


def test_all_of_standard_input(mac: Handle) -> None:
    assert mac.ssh("probe all", input=b"\x00\xff" * 100_000).out == "<200000>\n"
    assert journal.programs(mac.journal(), "probe")[0].stdin_bytes == 200_000


def test_setsid_takes_the_terminal_away(mac: Handle) -> None:
    detach = (
        "import os, subprocess, sys; sys.exit(subprocess.run(['probe', 'getpass'], start_new_session=True,"
        " input=b'piped\\n').returncode)"
    )
    started = time.monotonic()
    done = mac.ssh(f'python3 -c "{detach}"', tty=True)
    assert "<piped>" in done.out
    assert time.monotonic() - started < 20


def test_a_name_is_shown_while_it_is_typed_and_a_password_is_not(mac: Handle) -> None:
    terminal = Terminal(mac, "sudo fdesetup enable")
    terminal.until("Enter the user name:")
    terminal.type("itadmin\n")
    terminal.until("Enter the password for user 'itadmin':")
    terminal.type("pw-it\n")
    status, seen = terminal.end()
    key = mac.state().filevault.prk
    assert (status, seen.replace("\r", "")) == (
        0,
        f"Enter the user name:itadmin\nEnter the password for user 'itadmin':\nRecovery key = '{key}'\n",
    )
