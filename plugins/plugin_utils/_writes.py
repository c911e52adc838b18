# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep the log of writes on the controller: who changed what on which Mac, when, and what came of it.

A file of JSON, one line a Mac and account, which is only ever added to. Several processes of one run and several runs
write to it at the same time: each line is written as a whole, under a lock.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import getpass
import json
import os
import typing as t

from ansible import context

from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._text import plain_data

VARIABLE = "keyholder_log"

CHANGED, REFUSED, FAILED, UNKNOWN = "changed", "refused", "failed", "unknown"
"""What came of a task. refused: nothing was changed; failed: something was, and then it failed; unknown: the connection
ended while the Mac was at work."""

_NAMES = ("name", "user")
"""The options that name the account, in any module."""


class WriteLog:
    """Add lines to one file."""

    def __init__(self, path: str) -> None:
        self.path = os.path.abspath(os.path.expanduser(path))

    def demand(self) -> None:
        """Raise :class:`Refusal` if a line could not be added. Makes the file, which its owner alone may read."""
        try:
            os.makedirs(os.path.dirname(self.path), mode=0o700, exist_ok=True)
            with self._opened():
                pass
        except OSError as problem:
            raise _unwritable(problem) from problem

    def add(self, entry: t.Mapping[str, t.Any]) -> None:
        """Add one line. Raises :class:`Refusal` if that cannot be."""
        line = json.dumps(plain_data(dict(entry)), ensure_ascii=True).encode("ascii") + b"\n"
        try:
            with self._opened() as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                # A line that a full disk has cut stays a line of its own.
                size = os.fstat(file).st_size
                rest = line if size == 0 or os.pread(file, 1, size - 1) == b"\n" else b"\n" + line
                while rest:
                    rest = rest[os.write(file, rest) :]
                os.fsync(file)
        except OSError as problem:
            raise _unwritable(problem) from problem

    @contextlib.contextmanager
    def _opened(self) -> t.Iterator[int]:
        file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            yield file
        finally:
            os.close(file)


def _unwritable(problem: OSError) -> Refusal:
    return Refusal("log_unwritable", f"the file that {VARIABLE} names cannot be written: {problem}")


def outcome_of(result: t.Mapping[str, t.Any]) -> str:
    """Return what came of a task that may change a Mac, "" if it found nothing to do, or did not reach the Mac."""
    changed = bool(result.get("changed"))
    if result.get("unreachable"):
        return UNKNOWN if changed else ""
    if result.get("failed"):
        return FAILED if changed else REFUSED
    return CHANGED if changed else ""


def entry_of(
    module: str, options: t.Mapping[str, t.Any], variables: t.Mapping[str, t.Any], result: t.Mapping[str, t.Any]
) -> dict[str, t.Any]:
    """Return a line about one task on one Mac. Nothing in it is a secret: of the options, it has the account's name."""
    named = next((str(options[option]) for option in _NAMES if options.get(option)), "")
    plan = result.get("plan")
    return {
        "time": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z"),
        **run_of(variables),
        "module": module,
        "mac": str(variables.get("inventory_hostname", "")),
        "account": named,
        "outcome": outcome_of(result),
        "reason": str(result.get("reason") or ""),
        "steps": [str(step) for step in plan] if isinstance(plan, (list, tuple)) else [],
    }


def run_of(variables: t.Mapping[str, t.Any]) -> dict[str, str]:
    """Return who runs which playbook: of a job in AWX, its user, and else the controller's."""
    job = variables.get("awx_job_id") or variables.get("tower_job_id") or ""
    arguments = context.CLIARGS.get("args")
    books = [] if isinstance(arguments, str) or context.CLIARGS.get("module_name") else arguments or []
    return {
        "by": str(variables.get("awx_user_name") or variables.get("tower_user_name") or _user()),
        "job": str(job),
        "playbook": ", ".join(map(str, books)),
        "play": str(variables.get("ansible_play_name") or ""),
    }


def _user() -> str:
    """Return the account on the controller, and the one that it was before sudo."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = str(os.getuid())
    before = os.environ.get("SUDO_USER", "")
    return f"{name} (sudo, {before})" if before and before != name else name
