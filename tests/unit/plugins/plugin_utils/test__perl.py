# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Perl's programs with a real Perl: passwords beside what Python says of them, and programs that ask at a terminal."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import plistlib
import shutil
import signal
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.keyholder.macos.plugins.module_utils._command import dscl, profiles
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command, ProcessRunner, Ran, Secret
from ansible_collections.keyholder.macos.plugins.plugin_utils._perl import (
    COMPARE,
    TERMINAL,
    at_terminal,
    compare,
    compared,
)

KEY = "dsAttrTypeNative:ShadowHashData"
# Seconds that no other run of these tests at the same time waits.
LONG = 20000 + 2 * os.getpid()


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of programs, whose dscl prints a file beside it, and keeps what it was asked and could read."""
    made = tmp_path_factory.mktemp("programs")
    program(made, "dscl", f'cat "{made}/shown"; printf "%s\\n" "$*" >"{made}/asked"; cat >"{made}/stdin"')
    return made


def program(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def start(programs: Path, command: Command, **more: t.Any) -> subprocess.Popen[bytes]:
    environment = dict(os.environ, PATH=f"{programs}:{os.environ['PATH']}", LC_ALL="C")
    pipe = subprocess.PIPE
    return subprocess.Popen(command.argv, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, **more)


def run(programs: Path, command: Command) -> Ran:
    process = start(programs, command)
    out, err = process.communicate(command.input(), timeout=60)
    return Ran(command, process.returncode, out.decode("utf-8", "replace"), err.decode())


# -- compare ----------------------------------------------------------------------------------------------------------


def plist(value: object) -> str:
    return plistlib.dumps(value).decode()


def shown(data: bytes) -> str:
    digits = data.hex()
    return plist({KEY: [" ".join(digits[at : at + 8] for at in range(0, len(digits), 8))]})


def binary(password: bytes, salt: bytes = b"s" * 32, rounds: int = 3, size: int = 128, **more: t.Any) -> bytes:
    entropy = hashlib.pbkdf2_hmac("sha512", password, salt, rounds, size)
    verifier = {"entropy": entropy, "salt": salt, "iterations": rounds, **more}
    srp = {"iterations": 7, "salt": b"t" * 32, "verifier": b"v" * 512}
    content = {"SRP-RFC5054-4096-SHA512-PBKDF2": srp, "SALTED-SHA512-PBKDF2": verifier}
    return plistlib.dumps(content, fmt=plistlib.FMT_BINARY)


def verdicts(programs: Path, out: str, password: str) -> tuple[bool | None, bool | None]:
    """What Perl says, and what Python says."""
    (programs / "shown").write_text(out)
    asked = dscl.read_hash("ana")
    python = dscl.hash_matches(Ran(asked, 0, out), Secret(password))
    return compared(run(programs, compare("ana", Secret(password)))), python


TEXT = st.text(st.characters(exclude_characters="\n", exclude_categories=("Cs",)), max_size=150)
FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FEW
@given(TEXT, TEXT, st.binary(max_size=80), st.integers(1, 40), st.integers(1, 200))
def test_perl_and_python_agree_on_a_password(
    programs: Path, password: str, other: str, salt: bytes, rounds: int, size: int
) -> None:
    out = shown(binary(password.encode(), salt, rounds, size))
    assert verdicts(programs, out, password) == (True, True)
    perl, python = verdicts(programs, out, other)
    assert perl is python is not None


@pytest.mark.parametrize(
    "password", ["", " pw ", "-", "\ttab\r", "%s\\n$HOME`id`'\"", "ü 🔑 é", "x" * 1000, "\x7f\x01"]
)
def test_any_password_arrives(programs: Path, password: str) -> None:
    assert verdicts(programs, shown(binary(password.encode())), password) == (True, True)
    assert verdicts(programs, shown(binary(password.encode())), f"{password}x") == (False, False)


@FEW
@given(st.lists(st.tuples(st.integers(0, 10000), st.integers(0, 255)), min_size=1, max_size=3), st.booleans())
def test_of_a_damaged_hash_perl_says_what_python_says_or_that_it_knows_nothing(
    programs: Path, damage: list[tuple[int, int]], at_the_end: bool
) -> None:
    """Perl looks at less of it, so it may know where Python gives up; it never calls another password right."""
    data = bytearray(binary(b"pw", size=64))
    for place, byte in damage:
        data[-1 - place % 60 if at_the_end else place % len(data)] = byte
    perl, python = verdicts(programs, shown(bytes(data)), "pw")
    assert perl is python or None in (perl, python)
    assert verdicts(programs, shown(bytes(data)), "px")[0] is not True


@FEW
@given(st.binary(max_size=200))
def test_what_is_no_hash_is_not_known(programs: Path, data: bytes) -> None:
    assert verdicts(programs, shown(b"bplist00" + data), "pw")[0] is None


def circle() -> bytes:
    """A dictionary whose key is itself."""
    return (
        b"bplist00"
        + b"\xd1\x00\x00"
        + b"\x08"
        + bytes(6)
        + b"\x01\x01"
        + b"".join(number.to_bytes(8, "big") for number in (1, 0, 11))
    )


@pytest.mark.parametrize(
    ("out", "matches"),
    [
        (shown(binary(b"pw")), True),
        (shown(binary(b"pw", size=1)), True),
        (shown(binary(b"pw", size=1024)), True),
        (shown(binary(b"pw", size=1025)), None),
        (shown(binary(b"pw", entropy=b"")), None),
        (shown(binary(b"pw", entropy=b"x")), False),
        (shown(binary(b"pw", entropy="text")), None),
        (shown(binary(b"pw")[:-1]), None),
        (shown(binary(b"pw", iterations=4)), False),
        (shown(binary(b"pw", iterations=0)), None),
        (shown(binary(b"pw", iterations=-1)), None),
        (shown(binary(b"pw", iterations=dscl.ITERATIONS + 1)), None),
        (shown(binary(b"pw", iterations=1 << 62)), None),
        (shown(binary(b"pw", iterations=True)), None),
        (shown(binary(b"pw", iterations="3")), None),
        (shown(circle()), None),
        (shown(b""), None),
        (shown(plistlib.dumps({"OTHER": 1}, fmt=plistlib.FMT_BINARY)), None),
        (shown(binary(b"pw")) + shown(binary(b"pw")), None),
        (plist({KEY: ["00", "00"]}), None),
        (plist({KEY: []}), None),
        (plist({KEY: ["zz"]}), None),
        (plist({"other": [binary(b"pw").hex()]}), None),
        (plist({KEY: [binary(b"pw").hex() + "0"]}), None),
        ("", None),
    ],
)
def test_a_verifier_that_is_one_and_what_is_none(programs: Path, out: str, matches: bool | None) -> None:
    assert verdicts(programs, out, "pw") == (matches, matches)


def test_the_hash_is_read_by_dscl_alone_and_goes_nowhere(programs: Path, tmp_path: Path) -> None:
    out = shown(binary(b"pw"))
    assert verdicts(programs, out, "pw") == (True, True)
    assert (programs / "asked").read_text() == f"-plist . -read /Users/ana {KEY}\n"
    assert (programs / "stdin").read_bytes() == b""
    command = compare("ana", Secret("pw"))
    assert run(programs, command).out == "matches\n"
    assert "pw" not in command.argv and command.private and command.secrets[0].reveal() == b"pw"
    assert Ran(command, 1, "differs\n").evidence == f"dscl -plist . -read /Users/ana {KEY}, compared by perl: rc 1"


def test_a_dscl_that_fails_or_is_not_there_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "shown").write_text(shown(binary(b"pw")))
    program(tmp_path, "dscl", f'cat "{tmp_path}/shown"; exit 56')
    assert run(tmp_path, compare("ana", Secret("pw"))).rc == 3
    (tmp_path / "dscl").unlink()
    assert run(tmp_path, compare("ana", Secret("pw"))).rc == 3


@pytest.mark.parametrize(("rc", "out"), [(0, ""), (1, ""), (1, "matches\n"), (0, "differs\n"), (3, ""), (None, "")])
def test_an_exit_status_alone_is_no_verdict(rc: int | None, out: str) -> None:
    """perl takes that of a failure of its own from errno."""
    assert compared(Ran(compare("ana", Secret("pw")), rc, out)) is None


def test_a_user_is_no_option_of_perl(programs: Path) -> None:
    (programs / "shown").write_text(shown(binary(b"pw")))
    assert compared(run(programs, compare("-v", Secret("pw")))) is True
    assert "-read /Users/-v " in (programs / "asked").read_text()


# -- terminal ---------------------------------------------------------------------------------------------------------

ASKS = """
import os, sys, termios
sys.stderr.write("begin\\n")
sys.stdout.write("user name: ")
sys.stdout.flush()
name = sys.stdin.readline()
# As getpass(3) does, in bytes: what was typed before is thrown away.
with open("/dev/tty", "r+b", buffering=0) as terminal:
    termios.tcsetattr(terminal, termios.TCSAFLUSH, termios.tcgetattr(terminal))
    terminal.write(b"password for '%s': " % name.strip().encode())
    password = terminal.readline()
print("said", ascii(name), ascii(password), os.isatty(0), os.getsid(0) == os.getpid(), os.ttyname(1) == os.ttyname(0))
sys.exit(7)
"""


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """A folder in which a program named python is found."""
    (tmp_path / "python").symlink_to(sys.executable)
    return tmp_path


def test_a_dialogue_goes_as_with_python(python: Path) -> None:
    password = Secret("pw 'x' \u00fc \U0001f511 \\n%s$HOME")
    command = Command(("python", "-c", ASKS), dialogue=(("user name:", Secret("itadmin")), ("':", password)))
    reference = ProcessRunner(lambda name: sys.executable).run(command)
    said = run(python, at_terminal(command))
    assert (said.rc, said.out, said.err) == (7, reference.out, "")
    assert "said 'itadmin\\n' b\"pw 'x' " in said.out and said.out.endswith(" True True True\n"), said.out
    assert "\r" not in said.out and said.out.count("pw") == 1


def test_nothing_secret_is_in_an_argument_and_the_words_are_those_of_the_command() -> None:
    command = profiles.bootstrap("install", "itadmin", Secret("pw-of-itadmin"))
    made = at_terminal(command)
    assert made.argv[:3] == ("perl", "-e", TERMINAL)
    assert made.argv[3:] == ("--", "user name:", "':", "--", "profiles", "install", "-type", "bootstraptoken")
    assert [secret.reveal() for secret in made.prompts] == [b"itadmin", b"pw-of-itadmin"] and not made.dialogue
    assert str(made) == str(command)
    assert Ran(made, 1, "no pw-of-itadmin").evidence == f"{command}: rc 1: no ********"


def test_what_has_no_dialogue_stays_as_it_is() -> None:
    command = Command(("true",))
    assert at_terminal(command) is command
    with pytest.raises(ValueError, match="stdin"):
        at_terminal(Command(("true",), stdin="x", dialogue=(("?", Secret("x")),)))


def test_each_prompt_is_answered_once_it_is_there(tmp_path: Path) -> None:
    """Who asks for a password throws away what was typed before."""
    program(
        tmp_path,
        "asks",
        "trap 'exit 9' INT; printf 'one: '; sleep 0.5; read -r a; printf '\\nagain one: '; python3 -c '"
        "import termios, time; time.sleep(0.3); termios.tcflush(0, termios.TCIFLUSH)'; printf 'two: '; read -r b;"
        ' echo; echo "<$a> <$b>"',
    )
    command = Command(("asks",), dialogue=(("one:", Secret("first")), ("two:", Secret("second"))))
    said = run(tmp_path, at_terminal(command))
    assert (said.rc, said.out.splitlines()[-1]) == (0, "<first> <second>"), said


@pytest.mark.parametrize(
    ("script", "rc"), [("exit 0", 0), ("exit 255", 255), ("kill -9 $$", 137), ("kill -15 $$", 143)]
)
def test_the_exit_status_arrives(tmp_path: Path, script: str, rc: int) -> None:
    program(tmp_path, "asks", script)
    assert run(tmp_path, at_terminal(Command(("asks",), dialogue=(("?", Secret("x")),)))).rc == rc


def test_lots_of_output_arrive_whole(tmp_path: Path) -> None:
    program(tmp_path, "asks", "i=0; while [ $i -lt 3000 ]; do echo $i; i=$((i + 1)); done; printf 'last? '; read -r x")
    said = run(tmp_path, at_terminal(Command(("asks",), dialogue=(("last?", Secret("x")),))))
    assert said.out == "".join(f"{number}\n" for number in range(3000)) + "last? "


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    said = run(tmp_path, at_terminal(Command(("keyholder-nonesuch",), dialogue=(("?", Secret("x")),))))
    assert (said.rc, said.out, said.err) == (126, "", "keyholder-nonesuch was not found\n")


def test_more_prompts_than_answers_leave_the_program_waiting_and_its_death_ends_it(tmp_path: Path) -> None:
    """Also where the shell that started perl has its signals ignored behind `&`."""
    program(
        tmp_path, "asks", f"echo $$ >{tmp_path}/pid; printf 'what? '; read -r x; printf 'more? '; exec sleep {LONG}"
    )
    command = at_terminal(Command(("asks",), dialogue=(("what?", Secret("x")),)))
    for ignored in ((), (signal.SIGHUP, signal.SIGINT)):
        process = start(tmp_path, command, preexec_fn=functools.partial(ignore, ignored))
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(command.input())
        process.stdin.close()
        seen = b""
        while not seen.endswith(b"more? "):
            seen += process.stdout.read(1)
        pid = int((tmp_path / "pid").read_text())
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            with contextlib.suppress(OSError):
                t.cast("t.Any", stream).close()
        until = time.monotonic() + 20
        while alive(pid):
            assert time.monotonic() < until
            time.sleep(0.05)


def ignore(signals: t.Collection[signal.Signals]) -> None:
    for number in signals:
        signal.signal(number, signal.SIG_IGN)


def alive(pid: int) -> bool:
    listed = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(listed.strip()) and not listed.startswith("Z")


@pytest.mark.parametrize("text", [COMPARE, TERMINAL])
def test_the_programs_are_short_plain_and_without_a_warning(text: str) -> None:
    assert text.isascii() and "'" not in text and len(text) < 4000
    checked = subprocess.run(
        [str(shutil.which("perl")), "-wc", "-e", text], capture_output=True, text=True, check=False
    )
    assert checked.stderr == "-e syntax OK\n"
