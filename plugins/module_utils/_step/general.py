# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a run itself: notes that outlive a cut, the preboot volume, and the reading that proves.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.keyholder.macos.plugins.module_utils._command import dscl
from ansible_collections.keyholder.macos.plugins.module_utils._step.base import Look, Write
from ansible_collections.keyholder.macos.plugins.module_utils._unfinished import PREBOOT

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac
    from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command
    from ansible_collections.keyholder.macos.plugins.module_utils._step.base import Secrets


@dataclass(frozen=True)
class Note(Write):
    """Write down what must not be forgotten, before the change that makes it necessary. ``work``: PREBOOT, or what
    the functions that make notes return."""

    work: str = PREBOOT

    @property
    def words(self) -> str:
        if self.work == PREBOOT:
            return "note on the Mac that its preboot volume must be updated"
        return f"note on the Mac what is under way: {self.work}"

    @property
    def notes(self) -> dict[str, bool]:
        return {self.work: False}

    def after(self, mac: Mac) -> Mac:
        return replace(mac, pending=mac.pending | {self.work})

    def commands(self, mac: Mac, secrets: Secrets) -> list[Command]:
        return [dscl.note(self.work)]


@dataclass(frozen=True)
class Forget(Write):
    """Take a note off the Mac: its work is done."""

    work: str

    @property
    def words(self) -> str:
        return f"remove the note from the Mac: {self.work} is done"

    @property
    def notes(self) -> dict[str, bool]:
        return {self.work: True}

    def after(self, mac: Mac) -> Mac:
        return replace(mac, pending=mac.pending - {self.work})

    def commands(self, mac: Mac, secrets: Secrets) -> list[Command]:
        return [dscl.forget(self.work)]


@dataclass(frozen=True)
class UpdatePreboot(Write):
    """Tell the preboot volume who may unlock, then forget the note. The update itself may take more than one try, so
    the run starts it (`_run/preboot.py`); the commands here are what follows it."""

    @property
    def words(self) -> str:
        return "update the preboot volume, so that the FileVault window shows the right users"

    @property
    def notes(self) -> dict[str, bool]:
        return {PREBOOT: True}

    def after(self, mac: Mac) -> Mac:
        told = tuple(
            replace(who, in_preboot=bool(who.sources.filevault) if who.in_preboot is not None else None)
            for who in mac.accounts
        )
        return replace(mac, accounts=told, pending=mac.pending - {PREBOOT})

    def commands(self, mac: Mac, secrets: Secrets) -> list[Command]:
        return [dscl.forget(PREBOOT)] if PREBOOT in mac.pending else []


@dataclass(frozen=True)
class Prove(Look):
    """Read the Mac again and compare with what the steps before should have made of it."""

    users: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    """Of the Mac as a whole: bootstrap, filevault, deferral, personal_key, key_file, escrow, orphans, preboot,
    volume_owner, sshd, directory."""

    @property
    def words(self) -> str:
        facts = ", ".join(self.facts).replace("_", " ")
        if not self.users:
            return f"read the Mac again and compare: {facts}"
        also = f"; and {facts}" if self.facts else ""
        return f"read the Mac again and compare what its sources say of {', '.join(self.users)}{also}"


PROVE_PREBOOT = Prove(facts=("preboot",))
"""Of a plan that updates the preboot volume for its own sake."""
