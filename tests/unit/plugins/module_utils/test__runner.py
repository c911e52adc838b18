# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The runner against real processes: where a secret goes, and what a deadline does."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command, ProcessRunner, Ran, Secret


def find(program: str) -> str:
    if program == "nowhere":
        raise LookupError(program)
    return sys.executable


def python(code: str, *words: str, prompts: tuple[Secret, ...] = (), deadline: float = 20) -> Ran:
    return ProcessRunner(find).run(Command(("python", "-c", code) + words, prompts=prompts), deadline)


def test_streams_and_status_are_kept_apart() -> None:
    ran = python("import sys; print('o'); print('e', file=sys.stderr); sys.exit(7)")
    assert (ran.rc, ran.out, ran.err, ran.text) == (7, "o\n", "e\n", "o\ne\n")


def test_all_of_several_run_side_by_side_and_answer_in_their_order(tmp_path: Path) -> None:
    """Each waits for the other at a pipe: one after the other, the first would be stopped at its deadline."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    codes = ("import sys; print(open(sys.argv[1]).read())", "import sys; open(sys.argv[1], 'w').write('met')")
    commands = [Command(("python", "-c", code, str(pipe))) for code in codes]
    said = ProcessRunner(find).run_all([*commands, Command(("nowhere",))], 20)
    assert [(ran.rc, ran.out) for ran in said] == [(0, "met\n"), (0, ""), (None, "")]
    assert ProcessRunner(find).run_all([], 20) == []


def test_secrets_arrive_on_stdin_a_line_each_and_nowhere_else() -> None:
    code = "import os, sys; print(repr(sys.stdin.read())); print(sys.argv, dict(os.environ))"
    ran = python(code, prompts=(Secret("first pw"), Secret("zweites pw ü 🔑")))
    said, rest = ran.out.split("\n", 1)
    assert said == repr("first pw\nzweites pw ü 🔑\n")
    assert "first pw" not in rest
    assert "zweites" not in rest


def test_there_is_no_terminal_to_prompt_on() -> None:
    code = "import os\ntry: os.open('/dev/tty', os.O_RDWR); print('tty')\nexcept OSError: print('none')"
    assert python(code).out == "none\n"
    assert python("import os; print(os.getsid(0) == os.getpid())").out == "True\n"


def test_a_deadline_ends_the_process_and_its_children(tmp_path: Path) -> None:
    """A child that lives on would see that the run is over, and say so."""
    over, alive = tmp_path / "over", tmp_path / "alive"
    child = f"import os, time\nwhile not os.path.exists({str(over)!r}): time.sleep(0.05)\nopen({str(alive)!r}, 'w')"
    ran = python(f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])", deadline=2)
    assert (ran.timed_out, ran.rc) == (True, None)
    over.touch()
    time.sleep(1.5)
    assert not alive.exists()


def test_what_was_said_before_the_deadline_is_not_lost() -> None:
    ran = python("import time; print('the only key', flush=True); time.sleep(600)", deadline=5)
    assert (ran.timed_out, ran.rc, ran.out) == (True, None, "the only key\n")
    assert ran.evidence.endswith(": no answer before the deadline")


ENDLESS = "import sys\nwhile True: sys.{}.write('x' * 1000)"


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_what_prints_for_ever_is_stopped_at_its_limit(stream: str) -> None:
    begun = time.monotonic()
    ran = ProcessRunner(find).run(Command(("python", "-c", ENDLESS.format(stream)), limit=5000), 600)
    assert time.monotonic() - begun < 60
    assert (ran.rc, ran.too_long, ran.timed_out, len(ran.text)) == (None, True, False, 5000)
    assert ran.evidence.endswith(": it printed more than 5000 bytes, and was stopped")
    assert ran.whole.text == ""


def test_a_terminal_that_is_written_to_for_ever_too() -> None:
    asked = Command(("python", "-c", ENDLESS.format("stdout")), limit=5000, dialogue=(("never: ", Secret("x")),))
    ran = ProcessRunner(find).run(asked, 600)
    assert (ran.rc, ran.too_long) == (None, True)
    assert len(ran.out) < 10_000


def test_the_limit_to_the_byte_and_where_only_the_status_counts() -> None:
    code = "print('x' * 4999)"
    ran = ProcessRunner(find).run(Command(("python", "-c", code), limit=5000), 20)
    assert (ran.rc, len(ran.out), ran.too_long) == (0, 5000, False)
    ran = ProcessRunner(find).run(Command(("python", "-c", code), limit=4999), 20)
    assert (ran.rc, len(ran.out), ran.too_long) == (None, 4999, True)
    ran = ProcessRunner(find).run(Command(("python", "-c", code), limit=4999, only_status=True), 20)
    assert (ran.rc, len(ran.out), ran.too_long) == (0, 4999, False)


def test_only_the_status_counts_and_the_deadline_holds() -> None:
    asked = Command(("python", "-c", ENDLESS.format("stdout")), limit=5000, only_status=True)
    assert ProcessRunner(find).run(asked, 0.5).timed_out


def test_a_program_that_reads_nothing_of_a_long_input() -> None:
    asked = Command(("python", "-c", "print('done')"), stdin="x" * 1_000_000)
    assert ProcessRunner(find).run(asked, 20).out == "done\n"
    asked = Command(("python", "-c", "import sys; print(len(sys.stdin.read()))"), stdin="x" * 1_000_000)
    assert ProcessRunner(find).run(asked, 20).out == "1000000\n"


@pytest.mark.parametrize(
    ("rc", "timed_out", "kept"), [(0, False, "o"), (1, False, "o"), (-9, False, ""), (None, True, "")]
)
def test_half_an_answer_is_none(rc: int | None, timed_out: bool, kept: str) -> None:
    assert Ran(Command(("x",)), rc, "o", "", timed_out=timed_out).whole.out == kept


def test_a_program_that_is_not_there_says_so() -> None:
    assert Ran(Command(("x",)), None, err="x was not found").whole.evidence == "x: x was not found"


def test_a_secret_that_begins_another_leaves_nothing_of_it() -> None:
    ran = Ran(Command(("x",), prompts=(Secret("pw"), Secret("pw<2"))), 1, "", "pw<2 pw&lt;2 pw\n")
    assert ran.evidence == "x: rc 1: ******** ******** ********"


def test_a_missing_program_is_an_answer() -> None:
    ran = ProcessRunner(find).run(Command(("nowhere",)))
    assert (ran.rc, ran.err) == (None, "nowhere was not found")


def test_bytes_that_are_no_utf8_do_not_stop_the_reading() -> None:
    assert python("import sys; sys.stdout.buffer.write(b'a\\xffb')").out == "a\ufffdb"


def test_messages_are_asked_for_in_english() -> None:
    assert python("import os; print(os.environ['LC_ALL'], os.environ['LANG'])").out == "C C\n"


def test_a_secret_does_not_show_itself() -> None:
    secret = Secret("hunter2")
    shown = [repr(secret), str(secret), f"{secret}", repr(Command(("x",), prompts=(secret,)))]
    assert not any("hunter2" in text for text in shown)
    assert len(Secret("ü")) == 2
    assert secret.hidden_in("my hunter2!") == "my ********!"


@pytest.mark.parametrize(
    ("ran", "said"),
    [
        (Ran(Command(("a", "b")), 0, "one\n\n two\n", "three"), "a b: rc 0: one | two | three"),
        (Ran(Command(("a",)), 3), "a: rc 3: nothing"),
        (Ran(Command(("a",)), None, timed_out=True), "a: no answer before the deadline"),
        (Ran(Command(("a",), private=True), 0, "secret hash"), "a: rc 0"),
        (Ran(Command(("a",), prompts=(Secret("pw"),)), 0, "your pw"), "a: rc 0: your ********"),
    ],
)
def test_evidence(ran: Ran, said: str) -> None:
    assert ran.evidence == said
