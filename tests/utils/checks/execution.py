# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs checks, some at a time, and tells what came of each."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .environments import CACHE, ROOT, SetUpError, alone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

LOGS = CACHE / "logs"
TAIL = 40
# One more than there are processors: a check waits now and then, for an answer over SSH or for a deadline.
AT_A_TIME = min((os.cpu_count() or 1) + 1, 8)
# For what hangs; the longest check takes a third of it on two cores that nobody else uses.
TIME_LIMIT = 40 * 60

# What pip and ansible-test say when all is well.
CHATTER = re.compile(
    r"\s*$|\s*(Collecting|Downloading|Installing|Requirement already|Successfully|Using cached|Running sanity test|━)"
)


class CheckFailed(Exception):
    """Says in a sentence why the check failed."""


@dataclass(frozen=True)
class Check:
    """One row of the summary. `run` returns what was checked, with a count, or raises CheckFailed."""

    name: str
    run: Callable[[Job], str]


@dataclass(frozen=True)
class Result:
    name: str
    what: str
    seconds: float
    passed: bool
    log: Path
    processor: float = 0
    """Seconds of a processor, which stay the same beside other work."""


class Job:
    """What a check starts its tools with: each command and its output goes to the check's log."""

    def __init__(self, name: str, environment: Mapping[str, str]) -> None:
        LOGS.mkdir(parents=True, exist_ok=True)
        self.log = LOGS / f"{name}.log"
        self.log.write_text("")
        self.environment = dict(environment)
        self.processor = 0.0

    def run(self, *argv: str | Path, cwd: Path = ROOT, also: Mapping[str, str] | None = None) -> str:
        """Run one command without stdin; return its output, both streams in one."""
        environment = {**self.environment, **(also or {})}
        with self.log.open("ab") as log:
            log.write(f"$ {' '.join(map(str, argv))}\n".encode())
            log.flush()
            start = log.tell()
            # In a session of its own, so that whatever a tool left running can be ended with it.
            process = subprocess.Popen(
                argv, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
            try:
                status = self._wait(process)
            except subprocess.TimeoutExpired:
                raise CheckFailed(f"{_name(argv)} was still running after {TIME_LIMIT // 60} minutes") from None
            finally:
                _end(process)
        output = self.log.read_bytes()[start:].decode(errors="replace")
        if status:
            raise CheckFailed(f"{_name(argv)}: exit status {status}")
        return _plain(output)

    def _wait(self, process: subprocess.Popen[bytes]) -> int:
        """As the process's own method; what it has used is told to whoever waits for it alone."""
        until = time.monotonic() + TIME_LIMIT
        while True:
            pid, status, used = os.wait4(process.pid, os.WNOHANG)
            if pid:
                self.processor += used.ru_utime + used.ru_stime
                process.returncode = os.waitstatus_to_exitcode(status)
                return process.returncode
            if time.monotonic() > until:
                raise subprocess.TimeoutExpired(process.args, TIME_LIMIT)
            time.sleep(0.02)

    def note(self, line: str) -> None:
        with self.log.open("a") as log:
            log.write(f"{line}\n")


def count(pattern: str, output: str, *, at_least: int = 1, what: str) -> int:
    """Sum up what a tool says it did; a tool that did too little has not checked anything."""
    total = sum(int(number) for number in re.findall(pattern, output, re.MULTILINE))
    if total < at_least:
        raise CheckFailed(f"{total} {what}, but at least {at_least} were due: the tool skipped what it should check")
    return total


def run_all(checks: Sequence[Check], environment: Mapping[str, str]) -> list[Result]:
    results = {}
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        futures = [pool.submit(_run, check, environment) for check in checks]
        for future in as_completed(futures):
            result = future.result()
            results[result.name] = result
            print(
                f"{'ok' if result.passed else 'FAILED':6} {result.name} ({result.seconds:.0f} s): {result.what}",
                flush=True,
            )
            if not result.passed:
                print(_tail(result.log), flush=True)
    return [results[check.name] for check in checks]


def summary(results: Iterable[Result]) -> str:
    rows = [("check", "what ran", "seconds", "of a processor", "result")]
    for r in results:
        rows.append((r.name, r.what, f"{r.seconds:.1f}", f"{r.processor:.1f}", "passed" if r.passed else "FAILED"))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def _run(check: Check, environment: Mapping[str, str]) -> Result:
    start = time.monotonic()
    # Somebody else may run the same check in this work tree, and tools' scratch folders are not made for two.
    with alone(f"check-{check.name}"):
        job = Job(check.name, environment)
        try:
            what, passed = check.run(job), True
        except (CheckFailed, SetUpError) as problem:
            what, passed = str(problem).splitlines()[0], False
            job.note(str(problem))
        except OSError as problem:
            what, passed = f"{type(problem).__name__}: {problem}", False
            job.note(what)
    return Result(check.name, what, time.monotonic() - start, passed, job.log, job.processor)


def _end(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except (ProcessLookupError, PermissionError):
            return
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            continue


def _tail(log: Path) -> str:
    lines = [line for line in _plain(log.read_text(errors="replace")).splitlines() if not CHATTER.match(line)][-TAIL:]
    return "\n".join([f"       | {line}" for line in lines] + [f"       whole log: {log.relative_to(ROOT)}"])


def _plain(text: str) -> str:
    """Without colours and links, which hide the words that the counts look for."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\].*?(\x1b\\|\x07)|\r", "", text)


def _name(argv: Sequence[str | Path]) -> str:
    first, *rest = [str(arg).rsplit("/", 1)[-1] for arg in argv]
    return f"python -m {rest[1]}" if rest[:1] == ["-m"] else " ".join([first, *rest[:1]])
