# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run is asked for, and what it gives back.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import dataclasses
import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._model import Mac
    from ansible_collections.keyholder.macos.plugins.module_utils._plan.plan import Plan
    from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal


class Request(t.Protocol):
    """What a module wants of a Mac. ``extras``: what the reading must hold beside the usual."""

    @property
    def extras(self) -> tuple[str, ...]:
        raise NotImplementedError

    def compares(self, mac: Mac) -> t.Mapping[str, str]:
        """Return each option whose password must be compared before there is a plan -> the account it may belong to."""

    def plan(self, mac: Mac, same: t.Mapping[str, bool | None]) -> Plan:
        """Return the plan. ``same``: whether each of those is the account's password; None: unknown. Raises
        :class:`Refusal`."""

    def view(self, mac: Mac) -> dict[str, t.Any]:
        """Return the part of a reading that the request manages."""


@t.runtime_checkable
class Tries(t.Protocol):
    """A request that must know whether a password opens a key before there is a plan."""

    def tries(self, mac: Mac, same: t.Mapping[str, bool | None]) -> tuple[str, str] | None:
        """Return the key's GUID and the option with the password. None: nothing is tried."""


@dataclass
class Outcome:
    """What happened. ``refusal`` None: all is as asked, or will be, in check mode."""

    before: dict[str, t.Any]
    after: dict[str, t.Any]
    plan: list[str]
    notes: list[str]
    changed: bool = False
    refusal: Refusal | None = None
    same: dict[str, bool | None] = dataclasses.field(default_factory=dict)
    """Whether the request's passwords were the accounts' own; None: unknown."""
    recovery_key: str = ""
    """A new recovery key as the caller asked for it: encrypted, or as it is; "" for none."""
