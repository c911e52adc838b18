# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start one process: secrets on its stdin or terminal only, a session of its own, a deadline, a limit on its output.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import contextlib
import html
import math
import os
import pty
import select
import selectors
import signal
import subprocess
import termios
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

DEADLINE = 60.0
"""Seconds a command may take by default."""


LIMIT = 1 << 20
"""Bytes that a program may print on either stream by default: the longest usual answers, lists with a
line or two for each account, are a tenth of that for a thousand accounts."""

LONG_LIMIT = 8 * LIMIT
"""For the programs that print a record of every account, profile or group."""

_LAST_WORDS = 2.0
"""Seconds for the pipes of a process that was stopped."""

_BLOCK = 1 << 16
_GRACE = 5.0
"""Seconds after which a command ends by itself if its run no longer stops it at its deadline."""
_LONGEST_TIMER = 100_000_000
"""Seconds that a timer of Darwin may run (apple-oss-distributions/xnu, itimerfix)."""


class Secret:
    """Hold a password on its way to a prompt. It shows itself only to :meth:`reveal`'s caller."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> bytes:
        """Return the password in UTF-8."""
        return self._value.encode("utf-8", errors="surrogatepass")

    def __len__(self) -> int:
        """Return the length in bytes: macOS's limits are in bytes."""
        return len(self.reveal())

    def __repr__(self) -> str:
        return "Secret(********)"

    def hidden_in(self, text: str) -> str:
        """Return ``text`` with every trace of this secret masked."""
        if not self._value:
            return text
        # As it is, and as it stands in a property list.
        return text.replace(self._value, "********").replace(html.escape(self._value, quote=False), "********")


@dataclass(frozen=True)
class Command:
    """Hold what to start and what to write to it: the argv, lines of stdin, secrets for its prompts in their order. A
    function of ``_command`` is called by what its command does, and returns that command; a runner starts it.

    ``document``: a secret that is the whole of stdin. ``dialogue``: for a program that only reads a terminal, what to
    type at each prompt, given by how the prompt ends. ``private``: what it prints must not be shown.
    ``limit``: bytes that it may print on either stream; if it prints more it is stopped, and what it has printed is no
    answer. ``only_status``: its exit status is all that is asked for, so what is beyond the limit is thrown away.
    ``until``: of a dialogue, words in small letters that decide it once the last prompt is answered: a program that has
    printed one is stopped, as it may ask or hang for ever. ``answers``: of a dialogue, tells by the line of a prompt
    whether it is to be answered; a program that asks anything else is stopped. ``restarts``: the Mac restarts because
    of it. ``seconds``: how long it may take, if that is not what the others may.
    """

    argv: tuple[str, ...]
    stdin: str = ""
    prompts: tuple[Secret, ...] = ()
    document: Secret | None = None
    dialogue: tuple[tuple[str, Secret], ...] = ()
    private: bool = False
    limit: int = LIMIT
    only_status: bool = False
    until: tuple[str, ...] = ()
    restarts: bool = False
    seconds: float | None = None
    answers: t.Callable[[str], bool] | None = None

    def input(self) -> bytes:
        """Return the whole of its stdin, in UTF-8."""
        if self.document is not None:
            return self.document.reveal()
        return self.stdin.encode("utf-8") + b"".join(secret.reveal() + b"\n" for secret in self.prompts)

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """Return the secrets that it prompts for."""
        return self.prompts + tuple(answer for dummy, answer in self.dialogue)

    def __str__(self) -> str:
        return " ".join(self.argv)


@dataclass(frozen=True)
class Ran:
    """Hold what a process said. ``rc`` is None if it was not there, or was stopped at its deadline or its limit."""

    command: Command
    rc: int | None
    out: str = ""
    err: str = ""
    timed_out: bool = False
    too_long: bool = False

    @property
    def whole(self) -> Ran:
        """Return this answer if the program ended by itself, else the same without its words: half a list of accounts
        must not be taken for the whole one."""
        if self.rc is not None and self.rc >= 0:
            return self
        return replace(self, out="", err=self.err if self.rc is None and not self.stopped else "")

    @property
    def stopped(self) -> bool:
        """Check whether the program was there, and was stopped before its end."""
        return self.timed_out or self.too_long

    @property
    def text(self) -> str:
        """Return both streams: macOS's tools do not agree on which one carries an answer."""
        return self.out + self.err

    @property
    def evidence(self) -> str:
        """Return one line for a person: which command said what."""
        return self.evidence_without(())

    def evidence_without(self, secrets: t.Iterable[Secret]) -> str:
        """Return the evidence with these secrets masked as well as the command's own."""
        text = self.err if self.rc is None else self.text
        argv = str(self.command)
        # Before anything is cut off: a half of a secret would not be recognised.
        # And the longest first: another one may be the beginning of it.
        for secret in sorted((*self.command.secrets, *secrets), key=len, reverse=True):
            text, argv = secret.hidden_in(text), secret.hidden_in(argv)
        words = " | ".join(line.strip() for line in text.splitlines() if line.strip())[-600:]
        if self.timed_out:
            said = "no answer before the deadline"
        elif self.too_long:
            said = f"it printed more than {self.command.limit} bytes, and was stopped"
        elif self.rc is None:
            said = words
        else:
            said = f"rc {self.rc}" if self.command.private else f"rc {self.rc}: {words or 'nothing'}"
        return f"{argv}: {said}"


class Runner(t.Protocol):
    """Start commands on a Mac, whatever the way there."""

    def run(self, command: Command, deadline: float = DEADLINE) -> Ran:
        """Start ``command``, wait for its end, ``deadline`` seconds at most, and return its answer."""

    def run_all(self, commands: t.Sequence[Command], deadline: float = DEADLINE) -> list[Ran]:
        """Start commands that do not wait for each other, ``deadline`` seconds for each, and return their answers in
        the order of the commands."""


class ProcessRunner:
    """Start real processes. ``find`` turns a program's name into its path, or raises ``LookupError``. ``passed`` says
    which open files each process gets beside its streams: those that hold the lock of the run."""

    def __init__(self, find: t.Callable[[str], str], passed: t.Callable[[], tuple[int, ...]] = tuple) -> None:
        self._find = find
        self._passed = passed
        self._paths: dict[str, str] = {}

    def run_all(self, commands: t.Sequence[Command], deadline: float = DEADLINE) -> list[Ran]:
        """Return the answers of commands that run side by side: most of their time they wait for a daemon of macOS."""
        with ThreadPoolExecutor(max_workers=max(1, len(commands))) as pool:
            return list(pool.map(lambda command: self.run(command, deadline), commands))

    def run(self, command: Command, deadline: float = DEADLINE) -> Ran:
        """Return the answer of one command; that of a program that is not there has no exit status."""
        program = command.argv[0]
        try:
            path = self._paths.setdefault(program, self._paths.get(program) or self._find(program))
        except LookupError:
            return Ran(command, None, err=f"{program} was not found")
        environment = dict(os.environ, LC_ALL="C", LANG="C")
        files = self._passed()
        if command.dialogue:
            return _converse(command, path, environment, deadline, files)
        # A session of its own has no controlling terminal, so a prompt reads stdin and not a person's /dev/tty
        # (Apple's readpassphrase takes /dev/tty where there is one).
        # AnsibleModule.run_command has no deadline and keeps the terminal, so it is not what is needed here.
        process = subprocess.Popen(  # pylint: disable=ansible-bad-function
            (path,) + command.argv[1:],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            start_new_session=True,
            pass_fds=files,
            preexec_fn=(lambda: _end_by_itself(deadline)) if files else None,
        )
        streams = _Streams(process, command)
        until = time.monotonic() + deadline
        if not streams.finish(until):
            # What it has printed may be the only copy of a recovery key.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            # What has left the session may hold the pipes for ever; its end does not matter.
            streams.finish(time.monotonic() + _LAST_WORDS, ended=True)
            streams.close()
            said = Ran(command, None, streams.said(process.stdout), streams.said(process.stderr))
            return replace(said, timed_out=not streams.too_long, too_long=streams.too_long)
        return Ran(command, process.returncode, streams.said(process.stdout), streams.said(process.stderr))


class _Streams:
    """Read and write the three pipes of a process: its input goes in, and of its output no more than the command's
    limit is kept."""

    def __init__(self, process: subprocess.Popen[bytes], command: Command) -> None:
        self._process = process
        self._command = command
        self._waiting = memoryview(command.input())
        self._kept: dict[t.Any, bytearray] = {process.stdout: bytearray(), process.stderr: bytearray()}
        self.too_long = False

    def said(self, stream: t.Any) -> str:
        return _decoded(bytes(self._kept[stream]))

    def close(self) -> None:
        for stream in (self._process.stdin, *self._kept):
            _close(stream)
        self._process.poll()

    def finish(self, until: float, ended: bool = False) -> bool:
        """Return whether the process has ended by ``until``, and within its limit. ``ended``: it was stopped, and only
        what is left in its pipes is taken."""
        with selectors.DefaultSelector() as selector:
            stdin = self._process.stdin
            if stdin is not None and not stdin.closed:
                if self._waiting and not ended:
                    os.set_blocking(stdin.fileno(), False)
                    selector.register(stdin, selectors.EVENT_WRITE)
                else:
                    _close(stdin)
            for stream in self._kept:
                if not stream.closed:
                    selector.register(stream, selectors.EVENT_READ)
            while selector.get_map():
                for key, _events in selector.select(max(0.0, until - time.monotonic())):
                    if not self._step(key.fileobj):
                        selector.unregister(key.fileobj)
                        _close(key.fileobj)
                late = time.monotonic() >= until
                if selector.get_map() and (late or (self.too_long and not ended)):
                    return False
        if self.too_long and not ended:
            return False
        try:
            self._process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            return False
        return True

    def _step(self, stream: t.Any) -> bool:
        """Read or write once what can be; whether there is more to come."""
        if stream not in self._kept:
            try:
                self._waiting = self._waiting[os.write(stream.fileno(), self._waiting[:_BLOCK]) :]
            except BrokenPipeError:
                return False
            return bool(self._waiting)
        block = os.read(stream.fileno(), _BLOCK)
        kept, limit = self._kept[stream], self._command.limit
        if len(kept) + len(block) > limit and not self._command.only_status:
            self.too_long = True
        kept += block[: limit - len(kept)]
        return bool(block)


def _close(stream: t.Any) -> None:
    """Close a pipe; what was not yet written does not matter."""
    with contextlib.suppress(OSError):
        stream.close()


def _end_by_itself(deadline: float) -> None:
    """Have the system end this process soon after ``deadline``: a timer outlives exec (POSIX). A command that hangs
    would hold the lock of a run for ever, where the module that should stop it was killed."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})
    signal.alarm(math.ceil(min(deadline + _GRACE, _LONGEST_TIMER)))


def _converse(
    command: Command, path: str, environment: dict[str, str], deadline: float, files: tuple[int, ...] = ()
) -> Ran:
    """Run on a terminal of its own and answer each prompt once it is there: getpass discards what came before."""
    until = time.monotonic() + deadline
    pid, terminal = pty.fork()
    if pid == 0:
        for file in files:
            os.set_inheritable(file, True)
        if files:
            _end_by_itself(deadline)
        os.execve(path, (path,) + command.argv[1:], environment)
    said, answered, waiting = b"", 0, list(command.dialogue)
    try:
        _no_echo(terminal)
        while True:
            if not select.select([terminal], [], [], max(0.0, until - time.monotonic()))[0]:
                _stop(pid)
                return Ran(command, None, _shown(said), timed_out=True)
            try:
                chunk = os.read(terminal, 4096)
            except OSError:  # Linux: the other end is closed. macOS reads nothing instead.
                chunk = b""
            if not chunk:
                status = _exit_status(pid, until)
                return Ran(command, status, _shown(said), timed_out=status is None)
            said += chunk
            if len(said) > command.limit:
                _stop(pid)
                return Ran(command, None, _decoded(said), too_long=True)
            if waiting and _decoded(said[answered:]).rstrip(" ").endswith(waiting[0][0]):
                if command.answers is not None and not command.answers(_shown(said).splitlines()[-1]):
                    _stop(pid)
                    return Ran(command, None, _shown(said))
                os.write(terminal, waiting.pop(0)[1].reveal() + b"\n")
                answered = len(said)
            elif not waiting and any(words in _shown(said[answered:]).lower() for words in command.until):
                _stop(pid)
                return Ran(command, None, _shown(said))
    finally:
        os.close(terminal)


def _shown(said: bytes) -> str:
    """Return what a terminal was sent, with a program's own ends of lines."""
    return _decoded(said).replace("\r\n", "\n")


def _exit_status(pid: int, until: float) -> int | None:
    """Return the exit status of a program, which may close its terminal and live on. None: it did, and was stopped."""
    while time.monotonic() < until:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    _stop(pid)
    return None


def _no_echo(terminal: int) -> None:
    settings = termios.tcgetattr(terminal)
    settings[3] &= ~termios.ECHO
    termios.tcsetattr(terminal, termios.TCSANOW, settings)


def _stop(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", errors="replace")
