# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start one process: secrets on its stdin only, a session of its own, a deadline, both streams kept apart.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import typing as t
from dataclasses import dataclass

DEADLINE = 60.0
"""Seconds a command may take when nobody says otherwise."""


class Secret:
    """A password on its way to a prompt. It shows itself to nobody but :meth:`reveal`'s caller."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> bytes:
        return self._value.encode("utf-8")

    def __len__(self) -> int:
        """Length in bytes: macOS's limits are in bytes."""
        return len(self.reveal())

    def __repr__(self) -> str:
        return "Secret(********)"

    def hidden_in(self, text: str) -> str:
        """``text`` with every trace of this secret masked."""
        return text.replace(self._value, "********") if self._value else text


@dataclass(frozen=True)
class Command:
    """What to start and what to write to it: the argv, lines of stdin, secrets for its prompts in their order.

    ``private``: what it prints must not be shown to anybody, not even as evidence.
    """

    argv: tuple[str, ...]
    stdin: str = ""
    prompts: tuple[Secret, ...] = ()
    private: bool = False

    def input(self) -> bytes:
        return self.stdin.encode("utf-8") + b"".join(secret.reveal() + b"\n" for secret in self.prompts)

    def __str__(self) -> str:
        return " ".join(self.argv)


@dataclass(frozen=True)
class Ran:
    """What a process said. ``rc`` is None when it was not there, or was stopped at its deadline."""

    command: Command
    rc: int | None
    out: str = ""
    err: str = ""
    timed_out: bool = False

    @property
    def text(self) -> str:
        """Both streams: macOS's tools do not agree on which one carries an answer."""
        return self.out + self.err

    @property
    def evidence(self) -> str:
        """One line for a person: which command said what."""
        if self.timed_out:
            said = "no answer before the deadline"
        elif self.rc is None:
            said = self.err.strip()
        elif self.command.private:
            said = f"rc {self.rc}"
        else:
            words = " | ".join(line.strip() for line in self.text.splitlines() if line.strip())
            said = f"rc {self.rc}: {words[-600:] or 'nothing'}"
        text = f"{self.command}: {said}"
        for secret in self.command.prompts:
            text = secret.hidden_in(text)
        return text


class Runner(t.Protocol):
    """Whatever can start a :class:`Command`: a real process, or a test's script."""

    def run(self, command: Command, deadline: float = DEADLINE) -> Ran:
        """Start ``command`` and wait for its end, ``deadline`` seconds at most."""


class ProcessRunner:
    """Start real processes. ``find`` turns a program's name into its path, or raises ``LookupError``."""

    def __init__(self, find: t.Callable[[str], str]) -> None:
        self._find = find
        self._paths: dict[str, str] = {}

    def run(self, command: Command, deadline: float = DEADLINE) -> Ran:
        program = command.argv[0]
        try:
            path = self._paths.setdefault(program, self._paths.get(program) or self._find(program))
        except LookupError:
            return Ran(command, None, err=f"{program} was not found")
        # A session of its own has no controlling terminal, so a prompt reads stdin and not a person's /dev/tty
        # (Apple's readpassphrase takes /dev/tty where there is one).
        # AnsibleModule.run_command has no deadline and keeps the terminal, so it is not what is needed here.
        process = subprocess.Popen(  # pylint: disable=ansible-bad-function
            (path,) + command.argv[1:],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(os.environ, LC_ALL="C", LANG="C"),
            start_new_session=True,
        )
        try:
            out, err = process.communicate(command.input(), timeout=deadline)
        except subprocess.TimeoutExpired:
            _end(process)
            return Ran(command, None, timed_out=True)
        return Ran(command, process.returncode, _text(out), _text(err))


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def _text(data: bytes) -> str:
    return data.decode("utf-8", errors="replace")
