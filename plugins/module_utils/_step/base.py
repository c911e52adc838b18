# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a step of a plan is: its words, the Mac after it, the secrets it needs, its commands, and what they answered.

A step is one class in one file of this folder. It is pure and holds no secret: it names the options that hold them. The
run starts its commands (`_run/`). To add one, derive it from :class:`Write` or :class:`Look` in the file of its topic,
and have a plan of `_plan/` use it. What it leaves out is an error of the type checker.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import abc
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.keyholder.macos.plugins.module_utils._command.answers import reason_of

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._account import Account
    from ansible_collections.keyholder.macos.plugins.module_utils._code import Code, MaybeCode
    from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac
    from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command, Ran, Secret

    Secrets = t.Mapping[str, Secret]


@dataclass(frozen=True)
class Step(abc.ABC):
    """One thing that a run does."""

    writes: t.ClassVar[bool]
    """Whether the Mac is another one afterwards. A plan of steps that only look changes nothing."""
    at_a_terminal: t.ClassVar[bool] = False
    """Whether its password is typed at a terminal, and not handed to a pipe."""
    shows_key: t.ClassVar[bool] = False
    """Whether a recovery key is in what its command prints."""
    may_be_spared: t.ClassVar[bool] = False
    """Whether the step before may have done its work: then the Mac is read again first, see :meth:`spared`."""
    unseen: t.ClassVar[bool] = False
    """Whether it changes something that no reading shows."""

    @property
    @abc.abstractmethod
    def words(self) -> str:
        """Return what it does, for a person: an imperative, without its full stop."""

    def after(self, mac: Mac) -> Mac:
        """Return the Mac as it reads once the step is done."""
        return mac

    def needs(self, mac: Mac) -> dict[str, int]:
        """Return the options whose secret it hands to a prompt, and the most bytes that the prompt takes."""
        return {}

    def commands(self, mac: Mac, secrets: Secrets) -> list[Command]:
        """Return what carries it out on ``mac`` as that one reads before it. A step that only looks has none."""
        return []

    def spared(self, mac: Mac) -> bool:
        """Return whether the Mac, as it reads now, no longer needs the step. Asked only where it may be spared."""
        return False

    @property
    def notes(self) -> dict[str, bool]:
        """Return each note on the Mac that the step writes or removes -> whether it is gone then."""
        return {}

    @property
    def sets_password_of(self) -> str:
        """Return the account whose password it sets, "" for none. sysadminctl fails at that and exits 0."""
        return ""

    @property
    def shuts_out(self) -> str:
        """Return the account that it keeps from coming in over SSH, "" for none."""
        return ""

    def failure(self, ran: Ran) -> MaybeCode:
        """Return the reason for which the run stops after this answer, "" to go on. That the step *worked* is for the
        next reading to say."""
        return "" if ran.rc == 0 else reason_of(ran) or "command_failed"

    def failed_words(self, reason: Code) -> str:
        """Return what to say when :meth:`failure` gave ``reason``."""
        return f"could not {self.words}"


class Look(Step):
    """A step after which the Mac is the same one."""

    writes = False


class Write(Step):
    """A step that changes the Mac, by its commands."""

    writes = True

    @abc.abstractmethod
    def commands(self, mac: Mac, secrets: Secrets) -> list[Command]:
        """See :meth:`Step.commands`."""


Kind = t.TypeVar("Kind", bound=Step)


def of_kind(steps: t.Iterable[Step], kind: type[Kind]) -> list[Kind]:
    """Return those of the steps that are of one class, in their order."""
    return [step for step in steps if isinstance(step, kind)]


def has_kind(steps: t.Iterable[Step], kind: type[Step]) -> bool:
    """Return whether one of the steps is of that class."""
    return any(isinstance(step, kind) for step in steps)


def known(mac: Mac, name: str) -> Account:
    """Return the account of that name. Raises :class:`LookupError` where a plan speaks of one that is not there."""
    account = mac.account(name)
    if account is None:
        raise LookupError(f"the plan speaks of {name}, who is not on this Mac")
    return account


def with_changed(mac: Mac, name: str, **fields: t.Any) -> Mac:
    """Return the Mac with fields of one of its accounts replaced."""
    return mac.with_account(replace(known(mac, name), **fields))
