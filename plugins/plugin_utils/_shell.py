# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands for a Mac as one POSIX shell script, and what that script prints as the answers of a runner. Pure.

The commands run side by side, each with a deadline of its own, and no file is written. What they print travels in
hexadecimal, between lines that hold a random mark: nothing that a Mac says can look like the frame around it.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import re
import secrets
import shlex
import threading
import typing as t

from ansible_collections.keyholder.macos.plugins.module_utils._command import mdmclient
from ansible_collections.keyholder.macos.plugins.module_utils._runner import DEADLINE, Command, Ran

# What is behind the dots of `answer` and `run`:
# * A stage is one command. All stages of the pipeline run at once; when its command has ended, each passes on what the
#   stages before it said, and then its own answer. So nothing is mixed, and nobody needs a file to wait in.
# * Descriptor 3 is the answer, 4 the errors' way to their own `od`, 6 the program's input, 7 the earlier answers.
# * The first `od` keeps 4 open while it writes, so the second one does not see an end before the first is done.
# * The program gets none of these, or a daemon that it leaves behind would keep the answer open.
_SCRIPT = """\
PATH=${{PATH:-/usr/bin:/bin}}:/sbin:/usr/sbin:/usr/local/sbin:{folder}
LC_ALL=C
LANG=C
export PATH LC_ALL LANG
run() {{
    exec 6<&0
    "$@" <&6 3>&- 4>&- 6<&- 7<&- &
    program=$!
    (
        exec </dev/null >/dev/null 2>&1 3>&- 4>&- 6<&- 7<&-
        sleep {deadline} &
        trap 'kill "$!"; exit 1' TERM
        wait "$!" && trap '' TERM && kill -9 "$program"
    ) &
    guard=$!
    wait "$program" 2>/dev/null
    status=$?
    kill "$guard" 2>/dev/null
    wait "$guard" 2>/dev/null && status=deadline
    printf '\\n%s' "$status" >&2
}}
answer() {{
    input=$1
    shift
    command -v "$1" >/dev/null || {{
        echo absent
        return
    }}
    exec 3>&1
    {{
        printf '%s' "$input" | run "$@" 2>&4 | od -An -v -tx1 >&3
    }} 4>&1 | {{
        errors=$(od -An -v -tx1)
        printf 'errors\\n%s\\n' "$errors"
    }}
}}
stage() {{
    exec 7<&0
    number=$1
    shift
    frame=$(answer "$@" </dev/null)
    cat <&7
    printf '{mark} %s\\n%s\\n' "$number" "$frame"
}}
echo '{mark} begin'
{stages}
echo '{mark} end'
"""

_ABSENT, _ERRORS, _DEADLINE = "absent", "errors", "deadline"
_HEXADECIMAL = re.compile(r"[0-9a-f\s]*")
_BY_SIGNAL = 128
"""A shell says 128 and the signal's number, where a runner says the number, negated."""


class Unreadable(Exception):
    """The shell's answer is not what the script makes it print; the text is the evidence."""


class Said(t.NamedTuple):
    """What came back over the connection."""

    rc: int
    out: bytes
    err: bytes


Send = t.Callable[[str], Said]
"""Run a script on the Mac: one SSH exec."""


def new_mark() -> str:
    return f"keyholder-{secrets.token_hex(8)}"


def compose(commands: t.Sequence[Command], deadline: float, mark: str) -> str:
    """The script. ``deadline``: seconds for each command, a whole number of them."""
    for command in commands:
        if command.secrets or command.document:
            raise ValueError(f"{command}: a script is no place for a secret")
    stages = [
        " ".join(["stage", str(number), shlex.quote(command.stdin), *map(shlex.quote, command.argv)])
        for number, command in enumerate(commands)
    ]
    stages[0] += " </dev/null"
    return _SCRIPT.format(folder=mdmclient.FOLDER, deadline=int(deadline), mark=mark, stages=" |\n".join(stages))


def parse(said: Said, commands: t.Sequence[Command], mark: str) -> list[Ran]:
    """The commands' answers in their order. Raises :class:`Unreadable`."""
    text = said.out.decode("ascii", errors="replace").replace("\r\n", "\n")
    before, begun, rest = text.partition(f"{mark} begin\n")
    body, ended, _after = rest.partition(f"{mark} end\n")
    if not begun or not ended:
        raise Unreadable(_evidence(said, "the answer has no end" if begun else "no answer"))
    frames = body.split(f"{mark} ")[1:]
    numbers = [frame.partition("\n")[0] for frame in frames]
    if body[: body.find(mark)].strip() or numbers != [str(number) for number in range(len(commands))]:
        raise Unreadable(_evidence(said, "something else stands between the answers"))
    return [_ran(command, frame.partition("\n")[2], said) for command, frame in zip(commands, frames)]


def _ran(command: Command, frame: str, said: Said) -> Ran:
    if frame.strip() == _ABSENT:
        return Ran(command, None, err=f"{command.argv[0]} was not found")
    out, separated, err = frame.partition(f"{_ERRORS}\n")
    if not separated or not _HEXADECIMAL.fullmatch(out) or not _HEXADECIMAL.fullmatch(err):
        raise Unreadable(_evidence(said, f"the answer of {command} is broken"))
    errors, _line, status = bytes.fromhex(err).rpartition(b"\n")
    if status == _DEADLINE.encode():
        return Ran(command, None, timed_out=True)
    if not status.isdigit():
        raise Unreadable(_evidence(said, f"{command} has no exit status"))
    rc = int(status)
    return Ran(command, rc if rc <= _BY_SIGNAL else _BY_SIGNAL - rc, _text(bytes.fromhex(out)), _text(errors))


def _text(data: bytes) -> str:
    """As the runner on a Mac reads it."""
    return data.decode("utf-8", errors="replace")


def _evidence(said: Said, what: str) -> str:
    last = [line.strip() for line in _text(said.err + b"\n" + said.out[-600:]).splitlines() if line.strip()]
    words = " | ".join(last)[-600:]
    shown = "".join(char if char.isprintable() else "?" for char in words)
    return f"/bin/sh: rc {said.rc}, {what}: {shown or 'nothing'}"


class ScriptRunner:
    """A runner that asks for ``together`` in one go as soon as one of them is wanted, and for any other one by one."""

    def __init__(self, send: Send, together: t.Sequence[Command]) -> None:
        self._send = send
        self._together = tuple(together)
        self._known: dict[Command, Ran] = {}
        self._failed: Exception | None = None
        # The probe asks from several threads, and there is one connection.
        self._alone = threading.Lock()

    def run(self, command: Command, deadline: float = DEADLINE) -> Ran:
        """Raises :class:`Unreadable`, and whatever the connection raises.

        A failure is for good: each of the probe's threads would try again, and a wrong password for sudo, tried that
        often, locks an account.
        """
        with self._alone:
            if self._failed is not None:
                raise self._failed
            if command not in self._known:
                commands = self._together if command in self._together else (command,)
                mark = new_mark()
                try:
                    said = self._send(compose(commands, deadline, mark))
                    self._known.update(zip(commands, parse(said, commands, mark)))
                except Exception as problem:
                    self._failed = problem
                    raise
            return self._known[command]
