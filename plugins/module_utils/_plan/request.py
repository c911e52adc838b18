# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module wants of a Mac, in general; and what came of it.

A request is a frozen dataclass whose fields have the names of the module's options, so that it is built from them. To
add an option: a field here, of its name, and its entry in the module's SPEC and documentation.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import abc
import dataclasses
import typing as t
from dataclasses import dataclass

from ansible_collections.keyholder.macos.plugins.module_utils._reading.ask import Ask

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac
    from ansible_collections.keyholder.macos.plugins.module_utils._plan.plan import Plan
    from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal

DISCARD, RETURN, ENCRYPT = "discard", "return", "encrypt"
"""What becomes of a new recovery key: the values of the option recovery_key."""


@dataclass(frozen=True)
class Request(abc.ABC):
    """What a module wants of a Mac. Only :meth:`plan` and :meth:`view` have to be said."""

    @property
    def only_shows(self) -> bool:
        """Return whether nothing is carried out, as in check mode, and nothing is called a change."""
        return False

    @property
    def ask(self) -> Ask:
        """Return what the reading must hold beside the usual."""
        return Ask()

    def compares(self, mac: Mac) -> t.Mapping[str, str]:
        """Return each option whose password must be compared before there is a plan -> the account it may belong to."""
        return {}

    @property
    def likely(self) -> tuple[str, ...]:
        """Return the options that :meth:`compares` is likely to name: known before a reading, they can be compared
        beside it."""
        return ()

    def tries(self, mac: Mac, proofs: t.Mapping[str, bool | None]) -> tuple[str, str] | None:
        """Return the GUID of a key, and the option whose password is tried against it before there is a plan. None:
        nothing is tried."""
        return None

    @abc.abstractmethod
    def plan(self, mac: Mac, proofs: t.Mapping[str, bool | None]) -> Plan:
        """Return the plan. ``proofs``: whether each compared option is the account's password; None: unknown. Raises
        :class:`Refusal`."""

    @abc.abstractmethod
    def view(self, mac: Mac) -> dict[str, t.Any]:
        """Return the part of a reading that the request manages."""

    def results(self, outcome: Outcome) -> dict[str, t.Any]:
        """Return what the module returns beside what all modules do."""
        return {}


@dataclass
class Outcome:
    """What happened. ``refusal`` None: all is as asked, or will be, in check mode."""

    before: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    after: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    plan: list[str] = dataclasses.field(default_factory=list)
    notes: list[str] = dataclasses.field(default_factory=list)
    changed: bool = False
    refusal: Refusal | None = None
    proofs: dict[str, bool | None] = dataclasses.field(default_factory=dict)
    """Whether the request's passwords were the accounts' own; None: unknown."""
    recovery_key: str = ""
    """A new recovery key as the caller asked for it: encrypted, or as it is; "" for none."""


def key_results(recovery_key: str, outcome: Outcome) -> dict[str, t.Any]:
    """Return a new recovery key under the name that says whether it is encrypted. ``recovery_key``: the option."""
    names = {RETURN: "recovery_key", ENCRYPT: "recovery_key_encrypted"}
    return {names[recovery_key]: outcome.recovery_key} if recovery_key in names else {}
