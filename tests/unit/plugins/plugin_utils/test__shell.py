# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The script in real shells, with commands that hang, die, shout and lie; and answers that were tampered with."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
import typing as t

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils._reading.ask import Ask
from ansible_collections.keyholder.macos.plugins.module_utils._reading.parse import ReadingError
from ansible_collections.keyholder.macos.plugins.module_utils._reading.read import commands_of, read_mac
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command, Ran, Secret
from ansible_collections.keyholder.macos.plugins.plugin_utils._exec import FROM_STDIN, Exec, Said, new_mark
from ansible_collections.keyholder.macos.plugins.plugin_utils._shell import ScriptRunner, Unreadable, compose, parse

# The /bin/sh of macOS is a bash in its POSIX mode, and may be a dash.
_BASH = shutil.which("bash")
SHELLS = [["/bin/sh"], *([[_BASH, "--posix"]] if _BASH else [])]
each_shell = pytest.mark.parametrize("shell", SHELLS, ids=["sh", "bash"][: len(SHELLS)])
MARK = "keyholder-0123456789abcdef"
# Seconds that no other run of these tests at the same time waits.
LONG = 10000 + 2 * os.getpid()


def sh(script: str) -> Command:
    return Command(("sh", "-c", script))


def run(shell: list[str], *commands: Command, deadline: float = 20, by_argument: bool = False) -> list[Ran]:
    mark = new_mark()
    composed = compose(commands, deadline, mark)
    argv, given = (composed.script, composed.secrets) if by_argument else (FROM_STDIN, composed.piped)
    done = subprocess.run([*shell, "-c", argv], input=given, capture_output=True, check=False)
    assert done.stderr == b""
    return parse(Said(done.returncode, done.stdout, done.stderr), commands, mark)


@each_shell
@pytest.mark.parametrize("by_argument", [False, True])
def test_streams_status_and_input_arrive(shell: list[str], by_argument: bool) -> None:
    text = "readall 'x' \"y\" $HOME %s \\n\n\u00e4\n"
    asked = [Command(("cat",), stdin=text), sh("echo out; echo err >&2; exit 3"), sh("true"), sh("cat; tty")]
    said = run(shell, *asked, by_argument=by_argument)
    assert [(one.rc, one.out, one.err) for one in said[:3]] == [(0, text, ""), (3, "out\n", "err\n"), (0, "", "")]
    assert said[3].out == "not a tty\n"


@each_shell
def test_any_byte_arrives(shell: list[str]) -> None:
    everything = "".join(f"\\{byte:03o}" for byte in range(256))
    (said,) = run(shell, sh(f"printf '{everything}'; printf '{everything}\\n\\n' >&2"))
    expected = bytes(range(256)).decode("utf-8", "replace")
    assert (said.out, said.err) == (expected, expected + "\n\n")


def sleeping(*seconds: int) -> list[str]:
    """Return the processes of this machine that sleep for so long and do not end in a moment: one is dying already."""
    until = time.monotonic() + 5
    names = {f"sleep {number}" for number in seconds}
    while True:
        listed = subprocess.run(["ps", "-A", "-o", "args="], capture_output=True, text=True, check=True).stdout
        found = [line for line in listed.splitlines() if line.strip() in names]
        if not found or time.monotonic() > until:
            return found
        time.sleep(0.05)


@each_shell
def test_a_megabyte_on_each_stream(shell: list[str]) -> None:
    lots = "i=0; while [ $i -lt 1000 ]; do printf '%01000d' $i; printf '%01000d' $i >&2; i=$((i + 1)); done"
    said = run(shell, sh(lots), sh(lots), sh("echo last"))
    assert [(len(one.out), len(one.err)) for one in said] == [(1000000, 1000000)] * 2 + [(5, 0)]


@each_shell
def test_a_deadline_for_each_and_all_side_by_side(shell: list[str]) -> None:
    begun = time.monotonic()
    said = run(
        shell, sh(f"exec sleep {LONG}"), sh(f"echo said before; exec sleep {LONG + 1}"), sh("echo kept"), deadline=2
    )
    assert time.monotonic() - begun < 20
    assert [(one.rc, one.timed_out, one.out) for one in said] == [
        (None, True, ""),
        (None, True, "said before\n"),
        (0, False, "kept\n"),
    ]
    assert said[0].evidence == f"sh -c exec sleep {LONG}: no answer before the deadline"
    assert not sleeping(LONG, LONG + 1)


@each_shell
@pytest.mark.parametrize("stream", ["", " >&2"])
def test_what_prints_for_ever_is_stopped_at_its_limit(shell: list[str], stream: str) -> None:
    endless = f"while :; do echo {'x' * 1000}{stream}; done"
    asked = [Command(("sh", "-c", endless), limit=5000), sh("echo kept")]
    begun = time.monotonic()
    flood, kept = run(shell, *asked, deadline=LONG)
    assert time.monotonic() - begun < 60
    assert (flood.rc, flood.too_long, flood.timed_out) == (None, True, False)
    assert sorted(map(len, (flood.out, flood.err))) == [0, 5000]
    assert flood.evidence.endswith("it printed more than 5000 bytes, and was stopped")
    assert (kept.rc, kept.out) == (0, "kept\n")
    assert not sleeping(LONG)


@each_shell
def test_what_ignores_that_nobody_reads_is_ended_at_its_deadline(shell: list[str]) -> None:
    """And the answer is no longer than without it."""
    stubborn = f"trap '' PIPE; while :; do echo {'x' * 1000}; done 2>/dev/null"
    (said,) = run(shell, Command(("sh", "-c", stubborn), limit=5000), deadline=2)
    assert (said.rc, said.timed_out, len(said.out)) == (None, True, 5000)


@each_shell
@pytest.mark.parametrize(("size", "whole"), [(5000, True), (5001, False)])
def test_the_limit_to_the_byte(shell: list[str], size: int, whole: bool) -> None:
    (said,) = run(shell, Command(("sh", "-c", f"printf '%0{size}d' 7"), limit=5000))
    assert (said.rc == 0, said.too_long, len(said.out)) == (whole, not whole, 5000)


@each_shell
def test_nobody_sleeps_on_after_a_quick_command(shell: list[str]) -> None:
    """Also where a command ends before its guard has begun to sleep, as many side by side do."""
    for _time in range(5):
        run(shell, sh("sleep 0.1"), sh("sleep 0.2"), deadline=LONG)
        run(shell, *[Command(("true",))] * 40, deadline=LONG)
    assert not sleeping(LONG)


@each_shell
def test_death_and_absence(shell: list[str]) -> None:
    killed, absent = run(shell, sh("kill -9 $$"), Command(("keyholder-nonesuch", "-x")))
    assert (killed.rc, killed.err) == (-9, "")
    assert (absent.rc, absent.err) == (None, "keyholder-nonesuch was not found")


@each_shell
def test_no_file_is_written(shell: list[str], tmp_path: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    before = tmp_path.stat().st_mtime_ns
    run(shell, Command(("cat",), stdin="x" * 5000), sh("true"))
    assert os.listdir(tmp_path) == []
    assert tmp_path.stat().st_mtime_ns == before


@each_shell
def test_what_looks_like_a_frame_is_text(shell: list[str]) -> None:
    lies = f"{MARK} end\nerrors\n{MARK} 1\nabsent\ndeadline\n0"
    asked = [Command(("cat",), stdin=lies), sh(f"printf '%s' '{lies}' >&2")]
    done = subprocess.run(shell, input=compose(asked, 20, MARK).script.encode(), capture_output=True, check=False)
    out, err = parse(Said(0, done.stdout, b""), asked, MARK)
    assert (out.out, err.err) == (lies, lies)


def answer(*frames: str) -> bytes:
    body = "".join(f"{MARK} {number}\n{frame}" for number, frame in enumerate(frames))
    return f"{MARK} begin\n{body}{MARK} end\n".encode()


ASKED = [sh("one"), sh("two")]
ONE, TWO = " 61\nerrors\n\nstatus\n0\n", "errors\n 0a\nstatus\n1\n"


def test_what_stands_around_the_answer_is_left_out() -> None:
    said = Said(0, b"Welcome!\nkeyholder-ffff begin\n" + answer(ONE, TWO) + b"bye\n", b"motd")
    assert [(one.rc, one.out) for one in parse(said, ASKED, MARK)] == [(0, "a"), (1, "")]


def test_a_terminal_in_between() -> None:
    said = Said(0, answer(ONE, TWO).replace(b"\n", b"\r\n"), b"")
    assert [(one.rc, one.out) for one in parse(said, ASKED, MARK)] == [(0, "a"), (1, "")]


@pytest.mark.parametrize(
    ("out", "why"),
    [
        (b"", "no answer"),
        (b"sh: syntax error\n", "no answer"),
        (answer(ONE, TWO)[:-25], "no end"),
        (answer(ONE), "between the answers"),
        (answer(ONE, TWO, TWO), "between the answers"),
        (answer(ONE, TWO).replace(b"begin\n", b"begin\nnoise\n"), "between the answers"),
        (answer("noise\n" + ONE, TWO), "broken"),
        (answer(" 61\n", TWO), "broken"),
        (answer(" 61\nerrors\n 0a 3x\nstatus\n0\n", TWO), "broken"),
        (answer(" 61\nerrors\n 0a 3\nstatus\n0\n", TWO), "broken"),
        (answer(" 61\nerrors\n 61\n", TWO), "broken"),
        (answer(" 61\nerrors\n 61\nstatus\n", TWO), "no exit status"),
        (answer(" 61\nerrors\n\nstatus\n-1\n", TWO), "no exit status"),
        (answer(" 61\nerrors\n\nstatus\n256\n", TWO), "no exit status"),
    ],
)
def test_what_was_tampered_with_is_refused(out: bytes, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        parse(Said(1, out, b"\x1b[31mlast words"), ASKED, MARK)


def test_the_refusal_shows_the_last_words_and_steers_no_terminal() -> None:
    with pytest.raises(Unreadable) as refused:
        parse(Said(1, b"", b"\x1b]0;x\x07ana is not in the sudoers file.\n"), ASKED, MARK)
    assert str(refused.value) == "/bin/sh: rc 1, no answer: ?]0;x?ana is not in the sudoers file."


ODD = "p\u00e4 'ss\"w\\ord\\n %s $(id) `id` \\0101 \\c *\t-n"


@each_shell
@pytest.mark.parametrize("by_argument", [False, True])
def test_secrets_reach_the_program_they_are_for_and_no_other_place(shell: list[str], by_argument: bool) -> None:
    everything = bytes(range(1, 256)).decode("latin-1")
    asked = [
        Command(("cat",), prompts=(Secret(ODD), Secret("second-pw-4711"))),
        Command(("cat",), stdin="none\n"),
        Command(("cat",), document=Secret(everything)),
        sh("cat; env; ps -ww -o args= -p $$ -p $PPID"),
    ]
    said = run(shell, *asked, by_argument=by_argument)
    assert [one.out for one in said[:3]] == [f"{ODD}\nsecond-pw-4711\n", "none\n", everything]
    assert said[3].rc == 0
    assert "p\u00e4" not in said[3].out and "second-pw-4711" not in said[3].out


def test_a_script_and_what_is_shown_of_it_hold_no_secret() -> None:
    composed = compose([Command(("dscl",), prompts=(Secret("pw-1"),), document=None)], 1, MARK)
    assert "pw-1" not in composed.script
    assert b"pw-1" not in composed.secrets
    assert "secrets" not in repr(composed)


@each_shell
def test_a_status_alone_is_asked_for_however_much_is_printed(shell: list[str]) -> None:
    flood = f"i=0; while [ $i -lt 200 ]; do echo {'x' * 1000}; i=$((i + 1)); done; exit 3"
    (said,) = run(shell, Command(("sh", "-c", flood), limit=5000, only_status=True))
    assert (said.rc, said.too_long, said.out) == (3, False, "")


def test_what_was_asked_ahead_takes_no_exec_of_its_own() -> None:
    sent: list[str] = []
    runner = ScriptRunner(into(sent))
    later = sh("echo $$")
    runner.ask_ahead([later, sh("echo unused")])
    assert runner.run(sh("echo now")).out == "now\n"
    first = runner.run(later)
    assert first.rc == 0
    assert runner.run_all([sh("echo more"), later])[1] is first
    assert len(sent) == 2


def into(sent: list[str]) -> t.Callable[[Exec], Said]:
    """Return what runs a script in this machine's own shell, and keeps it."""

    def send(asked: Exec) -> Said:
        sent.append(asked.script)
        done = subprocess.run(["/bin/sh"], input=asked.script.encode(), capture_output=True, check=False)
        return Said(done.returncode, done.stdout, done.stderr)

    return send


def test_a_failure_is_not_tried_again() -> None:
    """A wrong password for sudo is sent once, whoever asks again."""
    sent: list[str] = []

    def send(asked: Exec) -> Said:
        sent.append(asked.script)
        raise ConnectionError("Incorrect sudo password")

    runner = ScriptRunner(send)
    with pytest.raises(ConnectionError, match="Incorrect"):
        read_mac(runner, 20)
    with pytest.raises(ConnectionError, match="Incorrect"):
        runner.run(sh("another"), 20)
    assert len(sent) == 1


def test_one_exec_for_what_belongs_together() -> None:
    sent: list[str] = []
    runner = ScriptRunner(into(sent))
    asked = [sh("echo b"), sh("echo a"), sh("echo b")]
    assert [ran.out for ran in runner.run_all(asked, 20)] == ["b\n", "a\n", "b\n"]
    assert len(sent) == 1
    assert runner.run(sh("echo c"), 20).out == "c\n"
    assert len(sent) == 2


def test_a_whole_reading_is_one_exec() -> None:
    """The host is no Mac, so it is asked for its version again; all else is in the first script."""
    sent: list[str] = []
    with pytest.raises(ReadingError, match="does not look like a Mac"):
        read_mac(ScriptRunner(into(sent)), 20, Ask(escrow=True))
    stages = [re.findall(r"^stage .*", script, re.MULTILINE) for script in sent]
    assert [len(one) for one in stages] == [len(commands_of(Ask(escrow=True))), 1]
    assert "sw_vers" in stages[1][0]
