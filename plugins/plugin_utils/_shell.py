# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compose commands for a Mac into one POSIX shell script, and take the answers of a runner out of what it prints. Pure.

The commands run side by side, each with a deadline of its own, and no file is written. What they print travels in
hexadecimal, between lines that hold a random mark: nothing that a Mac says can look like the frame around it. Secrets
are no part of the script: each is a line of the exec's stdin behind it, and a shell's own printf hands it on.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import math
import re
import typing as t
from dataclasses import replace
from shlex import quote

from ansible_collections.keyholder.macos.plugins.module_utils import _kind
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._runner import DEADLINE, Command, Ran
from ansible_collections.keyholder.macos.plugins.module_utils._text import plain
from ansible_collections.keyholder.macos.plugins.plugin_utils._asked import FUNCTIONS, WHOLE_PATH
from ansible_collections.keyholder.macos.plugins.plugin_utils._exec import ENVIRONMENT, Exec, Said, Send, new_mark
from ansible_collections.keyholder.macos.plugins.plugin_utils._perl import at_terminal
from ansible_collections.keyholder.macos.plugins.plugin_utils._shell_lock import RESTARTING, ShellLock, lock_answer

# What is behind the dots of `answer` and `run`:
# * A stage is one command. All stages of the pipeline run at once; when its command has ended, each passes on what the
#   stages before it said, and then its own answer. So nothing is mixed, and no stage needs a file to wait in.
# * Descriptor 3 is the answer, 4 the errors' way to their own `od`, 5 the exit status's way, 6 the program's input, 7
#   the earlier answers.
# * The first `od` keeps 4 open while it writes, so the second one does not see an end before the first is done.
# * The program gets none of these, or a daemon that it leaves behind would keep the answer open.
# * The guard may be told to stop before its `sleep` has begun, or while that one still has the guard's trap. So the
#   word is remembered, and `sleep` is killed by what no process can catch. Otherwise it would sleep on, on the Mac.
# * Each `od` takes one byte more than the program may print, and ends: the next byte ends the program by a SIGPIPE, and
#   one that does not mind is ended at its deadline.
_SCRIPT = """\
{environment}run() {{
    exec 6<&0
    "$@" <&6 3>&- 4>&- 5>&- 6<&- 7<&- &
    program=$!
    (
        exec </dev/null >/dev/null 2>&1 3>&- 4>&- 5>&- 6<&- 7<&-
        sleeper='' ended=''
        trap 'ended=yes; [ -z "$sleeper" ] || kill -9 "$sleeper"' TERM
        sleep {deadline} &
        sleeper=$!
        [ -z "$ended" ] || kill -9 "$sleeper"
        wait "$sleeper" && trap '' TERM && [ -z "$ended" ] && kill -9 "$program"
    ) &
    guard=$!
    wait "$program" 2>/dev/null
    status=$?
    kill "$guard" 2>/dev/null
    wait "$guard" 2>/dev/null && status=deadline
    echo "$status" >&5
}}
answer() {{
    limit=$1
    input=$2
    shift 2
    command -v "$1" >/dev/null || {{
        echo absent
        return
    }}
    exec 3>&1
    status=$(
        {{
            {{
                printf '%b' "$input" | run "$@" 2>&4 | od -An -v -tx1 -N "$limit" >&3
            }} 4>&1 | {{
                errors=$(od -An -v -tx1 -N "$limit")
                printf 'errors\\n%s\\n' "$errors" >&3
            }}
        }} 5>&1
    )
    printf 'status\\n%s\\n' "$status"
}}
stage() {{
    exec 7<&0
    number=$1
    shift
    frame=$(answer "$@" </dev/null)
    cat <&7
    printf '{mark} %s\\n%s\\n' "$number" "$frame"
}}
{functions}
echo '{mark} begin'
{inputs}
{stages}
echo '{mark} end'
"""

_ABSENT, _ERRORS, _STATUS, _DEADLINE = "absent", "errors", "status", "deadline"
_HEXADECIMAL = re.compile(rb"[0-9a-f\s]*")
_BY_SIGNAL = 128
"""A shell says 128 and the signal's number, where a runner says the number, negated."""


class Unreadable(Refusal):
    """Say that the shell's answer is not what the script makes it print; the text is the evidence."""

    def __init__(self, said: str) -> None:
        super().__init__("shell_unreadable", said, (said,))


def compose(commands: t.Sequence[Command], deadline: float, mark: str) -> Exec:
    """Return what runs the commands. ``deadline``: seconds for each command, a whole number of them."""
    stages, inputs, lines, used = [], [], [], []
    for number, command in enumerate(commands):
        words, given = command.argv, quote(_escaped(command.stdin))
        if command.secrets or command.document:
            given = f'"$input{number}"'
            inputs.append(f"IFS= read -r input{number}")
            lines.append(_octal(command.input()))
        if command.only_status:
            # What it prints is not asked for, and must not end it at a limit.
            words = ("sh", "-c", 'exec "$@" >/dev/null 2>&1', "sh", *words)
        if words[0].startswith("/"):
            words = (WHOLE_PATH, *words)
        used.append(words[0])
        stages.append(" ".join(["stage", str(number), str(command.limit + 1), given, *map(quote, words)]))
    if stages:
        stages[0] += " </dev/null"
    script = _SCRIPT.format(
        environment=ENVIRONMENT,
        deadline=max(1, math.ceil(deadline)),
        mark=mark,
        functions="\n".join(dict.fromkeys(FUNCTIONS[one] for one in used if one in FUNCTIONS)),
        inputs="\n".join(inputs),
        stages=" |\n".join(stages),
    )
    return Exec(script, b"".join(line + b"\n" for line in lines))


def _escaped(text: str) -> str:
    """Return text that printf's %b turns back into itself."""
    return text.replace("\\", "\\\\")


def _octal(data: bytes) -> bytes:
    """Return a line of ASCII that printf's %b turns back into the data, whatever its bytes."""
    return b"".join(b"\\0%03o" % byte for byte in data)


def parse(said: Said, commands: t.Sequence[Command], mark: str) -> list[Ran]:
    """Return the commands' answers in their order. Raises :class:`Unreadable`.

    In bytes, and each part cut off only where it is looked at: a Mac may have said some fifty megabytes.
    """
    frame, end = f"{mark} ".encode("ascii"), f"{mark} end\n".encode("ascii")
    text = said.out.replace(b"\r\n", b"\n") if b"\r" in said.out else said.out
    begun = text.find(frame + b"begin\n")
    ended = text.find(end, max(0, begun))
    if begun < 0 or ended < 0:
        raise Unreadable(_evidence(said, "no answer" if begun < 0 else "the answer has no end"))
    body = text[begun + len(frame + b"begin\n") : ended]
    before, *frames = body.split(frame)
    numbers = [one[: one.find(b"\n")].decode("ascii", "replace") for one in frames]
    if before.strip() or numbers != [str(number) for number in range(len(commands))]:
        raise Unreadable(_evidence(said, "something else stands between the answers"))
    return [_ran(command, one.partition(b"\n")[2], said) for command, one in zip(commands, frames)]


def _ran(command: Command, frame: bytes, said: Said) -> Ran:
    if frame.strip() == _ABSENT.encode():
        return Ran(command, None, err=f"{command.argv[0]} was not found")
    out, separated, rest = frame.partition(f"{_ERRORS}\n".encode())
    err, also_separated, status = rest.partition(f"{_STATUS}\n".encode())
    whole = separated and also_separated
    if not whole or not _HEXADECIMAL.fullmatch(out) or not _HEXADECIMAL.fullmatch(err):
        raise Unreadable(_evidence(said, f"the answer of {command} is broken"))
    try:
        printed, errors = _bytes(out), _bytes(err)
    except ValueError as problem:
        raise Unreadable(_evidence(said, f"the answer of {command} is broken")) from problem
    kept = _text(printed[: command.limit]), _text(errors[: command.limit])
    if status.strip() == _DEADLINE.encode():
        # What it has printed may be the only copy of a recovery key.
        return Ran(command, None, *kept, timed_out=True)
    if max(len(printed), len(errors)) > command.limit:
        return Ran(command, None, *kept, too_long=True)
    rc = _kind.number(status.decode("ascii", "replace").strip())
    if rc is None or not 0 <= rc <= 255:
        raise Unreadable(_evidence(said, f"{command} has no exit status"))
    return Ran(command, rc if rc <= _BY_SIGNAL else _BY_SIGNAL - rc, *kept)


def _bytes(hexadecimal: bytes) -> bytes:
    return bytes.fromhex(hexadecimal.decode("ascii"))


def _text(data: bytes) -> str:
    """Return text as the runner on a Mac reads it."""
    return data.decode("utf-8", errors="replace")


def _evidence(said: Said, what: str) -> str:
    last = [line.strip() for line in _text(said.err + b"\n" + said.out[-600:]).splitlines() if line.strip()]
    words = " | ".join(last)[-600:]
    return f"/bin/sh: rc {said.rc}, {what}: {plain(words) or 'nothing'}"


class ScriptRunner:
    """Run commands through one connection, those that are asked for together in one go. ``lock``: held while they
    run."""

    def __init__(self, send: Send, lock: ShellLock | None = None) -> None:
        self._send = send
        self._lock = lock
        self._failed: Exception | None = None
        self._ahead: tuple[Command, ...] = ()
        self._known: dict[Command, Ran] = {}

    def ask_ahead(self, commands: t.Iterable[Command]) -> None:
        """Have the next exec run these as well. Whoever asks for one of them afterwards gets that answer."""
        self._ahead += tuple(commands)

    def run(self, command: Command, deadline: float = DEADLINE) -> Ran:
        """Return the answer of one command. Raises as :meth:`run_all` does."""
        return self.run_all((command,), deadline)[0]

    def run_all(self, commands: t.Sequence[Command], deadline: float = DEADLINE) -> list[Ran]:
        """Return the answers of one script. Raises :class:`Unreadable`, and whatever the connection raises.

        A failure is for good: a wrong password for sudo, tried again, locks an account.
        """
        if self._failed is not None:
            raise self._failed
        ahead, self._ahead = self._ahead, ()
        asked = [*(command for command in commands if command not in self._known), *ahead]
        answers = self._ask(asked, deadline) if asked else []
        self._known.update(zip(reversed(ahead), reversed(answers)))
        found = iter(answers)
        return [self._known[command] if command in self._known else next(found) for command in commands]

    def _ask(self, commands: t.Sequence[Command], deadline: float) -> list[Ran]:
        mark = new_mark()
        started = [at_terminal(command) for command in commands]
        try:
            asked = compose(started, deadline, mark)
            if self._lock is not None:
                asked = self._lock.around(asked, mark, *([RESTARTING] if any(one.restarts for one in commands) else []))
            said = self._send(asked)
            if self._lock is not None:
                lock_answer(said.out, mark, said.err)
            answers = parse(said, started, mark)
            return [replace(answer, command=command) for answer, command in zip(answers, commands)]
        except Exception as problem:
            self._failed = problem
            raise
