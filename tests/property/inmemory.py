# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A runner whose processes are the lab's programs in this very process: a thousand Macs a minute."""

from __future__ import annotations

import contextlib
import copy
import pickle
import plistlib
import typing as t
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import fakes
from hypothesis import currently_in_test_context, event

from ansible_collections.keyholder.macos.plugins.module_utils._plan.request import Outcome
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._run import run as product
from ansible_collections.keyholder.macos.plugins.module_utils._runner import DEADLINE, Command, Ran
from maclab import directory
from maclab.state import Mac

_loads = plistlib.loads


@lru_cache(maxsize=4096)
def _parsed(data: bytes) -> bytes:
    return pickle.dumps(_loads(data))


def _loads_once(data: t.Any, **how: t.Any) -> t.Any:
    """Return what plistlib.loads does, a new copy each time. The same texts are read before a step, after it, and on
    the Mac's twin: to parse them anew is a third of what a Mac in memory costs."""
    return _loads(data, **how) if how or not isinstance(data, bytes) else pickle.loads(_parsed(data))


plistlib.loads = _loads_once
# A Mac in memory does nothing by itself.
product.wait = lambda seconds: None


@dataclass
class LabLock:
    """The lock of a Mac in memory: whoever comes while it is held is refused at once."""

    taken: bool = False

    @contextlib.contextmanager
    def held(self) -> Iterator[str]:
        if self.taken:
            raise Refusal("another_run", "another run is changing this Mac")
        self.taken = True
        try:
            yield ""
        finally:
            self.taken = False


class PowerCut(Exception):
    """The Mac lost its power; nothing after this happens."""


@dataclass
class LabRunner:
    """Run commands on ``mac``. ``cut``: the power goes after that many writes to the Mac; None: never."""

    mac: Mac
    root: bool = True
    cut: int | None = None
    runs: list[tuple[Command, fakes.Run]] = field(default_factory=list)

    def run(self, command: Command, deadline: float = DEADLINE) -> Ran:
        argv, user, root = _as_whom(command.argv, self.root)
        typed = [answer.reveal().decode() for _, answer in command.dialogue] or None
        run = self.started(argv, {"stdin": command.input().decode(), "typed": typed, "root": root, "user": user})
        self.runs.append((command, run))
        if self.cut is not None and len(self.writes) >= self.cut:
            raise PowerCut
        return Ran(command, None if run.hung else run.status, run.out, run.err, timed_out=run.hung)

    def run_all(self, commands: Sequence[Command], deadline: float = DEADLINE) -> list[Ran]:
        return [self.run(command, deadline) for command in commands]

    def started(self, argv: tuple[str, ...], how: dict[str, t.Any]) -> fakes.Run:
        return fakes.run(self.mac, *argv, **how)

    @property
    def writes(self) -> list[str]:
        return [what for _, run in self.runs for what in run.record.writes]

    @property
    def authentications(self) -> list[tuple[str, bool]]:
        return [who for _, run in self.runs for who in run.record.authentications]

    @property
    def argv(self) -> str:
        return "\n".join(" ".join(command.argv) for command, _ in self.runs)


def _as_whom(argv: tuple[str, ...], root: bool) -> tuple[tuple[str, ...], str, bool]:
    """Become another account as launchctl and sudo do, which hand their process over: there is none here."""
    if argv[:2] == ("sh", "-c"):
        return argv[4:], "root", root
    if argv[:2] == ("launchctl", "asuser") and argv[3:5] == ("sudo", "-u"):
        return argv[6:], argv[5], False
    # A whole path: the lab's programs have names.
    return (argv[0].rpartition("/")[2], *argv[1:]), "root", root


def admin_holders(mac: Mac) -> set[str]:
    """By the lab's own state, not by our reading of it: administrators with marker, key and crypto user
    who can log in."""
    admins = mac.groups["admin"]
    return {
        account.name
        for account in mac.accounts.values()
        if (account.name in admins.members or account.generated_uid in admins.member_guids)
        and account.has_authority_token
        and not directory.refused(mac, account)
        and account.key_password is not None
        and account.generated_uid in mac.crypto_users
    }


def counted(outcome: Outcome) -> Outcome:
    """Return ``outcome``, which Hypothesis counts: a property whose runs are all refused proves nothing."""
    if currently_in_test_context():
        changed = "changed" if outcome.changed else "unchanged"
        event(outcome.refusal.reason if outcome.refusal is not None else changed)
    return outcome


def snapshot(mac: Mac) -> Mac:
    return copy.deepcopy(mac)
