# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run's dealings with its Mac: it starts commands, and keeps their answers, the evidence and a new recovery key.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.keyholder.macos.plugins.module_utils._command import dscl, fdesetup
from ansible_collections.keyholder.macos.plugins.module_utils._command.answers import reason_of
from ansible_collections.keyholder.macos.plugins.module_utils._plan.foreseen import as_it_is
from ansible_collections.keyholder.macos.plugins.module_utils._reading.ask import Ask
from ansible_collections.keyholder.macos.plugins.module_utils._reading.parse import ReadingError
from ansible_collections.keyholder.macos.plugins.module_utils._reading.read import read_mac, read_notes
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._text import folded

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._code import Code, MaybeCode
    from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac
    from ansible_collections.keyholder.macos.plugins.module_utils._run.recipients import Recipients
    from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command, Ran, Runner, Secret
    from ansible_collections.keyholder.macos.plugins.module_utils._step.base import Step


@dataclass(frozen=True)
class Verifier:
    """How a password is compared with an account's hash, which is no login. ``command`` asks the Mac for that account
    and password, ``matches`` judges its answer; None: unknown."""

    command: t.Callable[[str, Secret], Command]
    matches: t.Callable[[Ran, Secret], bool | None]


BY_PYTHON = Verifier(lambda user, password: dscl.read_hash(user), dscl.hash_matches)
"""In a module on the Mac: the hash is read, and compared in the module's own process."""


@dataclass
class Session:
    """What the parts of a run share. ``deadline``: seconds for each command. ``own`` returns the names, as
    :func:`folded`, of the accounts that the run came in by and must leave alone. ``ask``: what a reading must hold
    beside the usual."""

    runner: Runner
    secrets: t.Mapping[str, Secret]
    deadline: float
    recipients: Recipients
    own: t.Callable[[], t.Collection[str]]
    ask: Ask = Ask()
    verifier: Verifier = BY_PYTHON
    may_show_key: t.Callable[[], bool] = lambda: True
    """Whether a recovery key may reach this process, unencrypted, by the answer of a program."""
    key: Secret | None = None
    """A recovery key that macOS has made or given away during this run."""
    done: list[Step] = field(default_factory=list)
    """The steps carried out, or that may have been."""
    notes: list[str] = field(default_factory=list)
    evidence: list[str] = field(default_factory=list)
    answers: list[Ran] = field(default_factory=list)
    foresee: t.Callable[[Mac], Mac] = as_it_is
    """How the Mac will read once what goes before is done. In check mode only."""

    def start(self, command: Command) -> Ran:
        """Run a command and return its answer, which becomes evidence without the secrets that are known."""
        ran = self.runner.run(command, self.deadline if command.seconds is None else command.seconds)
        self.key = fdesetup.new_key(ran) or self.key
        known = [*self.secrets.values(), *([self.key] if self.key is not None else [])]
        self.evidence.append(ran.evidence_without(known))
        self.answers.append(ran)
        return ran

    def read(self) -> Mac:
        """Return the Mac as it reads now. Raises :class:`Refusal`."""
        try:
            mac = read_mac(self.runner, self.deadline, self.ask)
        except ReadingError as exc:
            raise Refusal(exc.reason, str(exc)) from exc
        own = self.own()
        mac = self.foresee(mac)
        return replace(mac, own=frozenset(who.name for who in mac.accounts if folded(who.name) in own))

    def read_notes(self) -> frozenset[str]:
        """Return the notes that are on the Mac now. Raises :class:`Refusal`."""
        try:
            return read_notes(self.runner, self.deadline)
        except ReadingError as exc:
            raise self.stop(exc.reason, str(exc)) from exc

    def is_password(self, user: str, option: str) -> bool | None:
        """Return whether the option holds the account's password, by its hash: that is no login. None: unknown."""
        if option not in self.secrets:
            return None
        secret = self.secrets[option]
        return self.verifier.matches(self.start(self.verifier.command(user, secret)), secret)

    def last_reason(self) -> MaybeCode:
        """Return the reason that the latest answer names which names one, "" for none."""
        return next((reason for reason in map(reason_of, reversed(self.answers)) if reason), "")

    def stop(self, reason: Code, msg: str) -> Refusal:
        """Return a refusal with all that was said since the first write."""
        return Refusal(reason, msg, tuple(self.evidence))

    def not_proven(self, msg: str) -> Refusal:
        """Return a refusal for what a reading after the act does not show, by the reason that a program gave for it."""
        return self.stop(self.last_reason() or "not_proven", msg)

    def stop_by_last(self, reason: Code, msg: str) -> Refusal:
        """Return a refusal with what the last command said."""
        return Refusal(reason, msg, tuple(self.evidence[-1:]))

    def forget_answers(self) -> None:
        """Start the evidence anew: what was asked before the first write is none of what follows."""
        self.evidence.clear()
        self.answers.clear()
