# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From "this person has left" and a reading, to steps in the safe order, or a refusal. Pure.

First what could be lost is archived and proven, then the right to unlock goes, then the account with its token. What
remains on the Mac is proven last.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.keyholder.macos.plugins.module_utils._command import sshd_settings
from ansible_collections.keyholder.macos.plugins.module_utils._place import ROOTS_FOLDER, canonical
from ansible_collections.keyholder.macos.plugins.module_utils._plan.account import (
    not_the_last,
    of_macos,
    refuse_without_full_disk_access,
)
from ansible_collections.keyholder.macos.plugins.module_utils._plan.paths import (
    absolute,
    for_root_alone,
    may_be_deleted,
)
from ansible_collections.keyholder.macos.plugins.module_utils._plan.plan import (
    Plan,
    Proof,
    absent_or_refuse,
    lawful_plan,
    not_logged_in,
    writable,
)
from ansible_collections.keyholder.macos.plugins.module_utils._plan.request import Request
from ansible_collections.keyholder.macos.plugins.module_utils._plan.values import usable_names
from ansible_collections.keyholder.macos.plugins.module_utils._reading.ask import Ask
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._step.account import (
    ArchiveHome,
    DeleteAccount,
    ProofArchive,
)
from ansible_collections.keyholder.macos.plugins.module_utils._step.base import Step, of_kind
from ansible_collections.keyholder.macos.plugins.module_utils._step.filevault import RemoveUnlocker
from ansible_collections.keyholder.macos.plugins.module_utils._step.general import Forget, Note, Prove
from ansible_collections.keyholder.macos.plugins.module_utils._step.parking import AllowSsh
from ansible_collections.keyholder.macos.plugins.module_utils._unfinished import archived, offboarding

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._account import Account
    from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac

KEEP, ARCHIVE = "keep", "archive"

_FATES = {KEEP: "keep_home", ARCHIVE: "delete_home", "delete": "delete_home", "secure": "secure"}
"""What becomes of the home -> what sysadminctl is told."""


@dataclass(frozen=True)
class OffboardRequest(Request):
    """``home``: keep, archive, delete or secure. ``archive``: the path for it. ``force``: also while logged in.
    ``admin_user``: whose key is proven first, where it is the last one. ``given``: names of the password options that
    have a value."""

    name: str
    home: str = "keep"
    archive: str = ""
    force: bool = False
    admin_user: str = ""
    given: frozenset[str] = frozenset()

    @property
    def ask(self) -> Ask:
        archive = self._path if self.home == ARCHIVE else None
        refused = sshd_settings.path(self.name) if sshd_settings.can_name(self.name) else None
        return Ask(
            sessions=True,
            full_disk_access=True,
            way_home=None if self.home == KEEP else self.name,
            home=self.name if archive else None,
            exists=tuple(path for path in (archive, refused) if path is not None),
            way=archive,
        )

    @property
    def _path(self) -> str:
        return self.archive or f"{ROOTS_FOLDER}/{self.name}.tar.gz"

    def plan(self, mac: Mac, proofs: t.Mapping[str, bool | None]) -> Plan:
        usable_names(self)
        absolute("archive", self._path)
        writable(mac)
        account = mac.account(self.name)
        notes = mac.notes_on(self.name)
        of_macos(mac, self.name, account)
        if account is None:
            absent_or_refuse(mac, self.name, account)
            return lawful_plan(mac, [*self._let_in_again(mac), *(Forget(note) for note in notes)])
        unlocks = bool(account.sources.filevault) and mac.filevault.on
        begun, kept = offboarding(self.name, account.guid), archived(self.name, account.guid)
        self._may_go(mac, account, unlocks, begun in notes)
        steps: list[Step] = [] if begun in notes else [Note(begun)]
        if self.home == ARCHIVE and (kept not in notes or account.home in mac.files):
            # An archive that an earlier run made is never overwritten: the home may be half deleted, or newer.
            path = self._path if kept not in notes else _beside(self._path)
            steps += [ArchiveHome(self.name, account.home, path), ProofArchive(path)]
            steps += [] if kept in notes else [Note(kept)]
        steps += [RemoveUnlocker(self.name)] if unlocks else []
        steps += [DeleteAccount(self.name, _FATES[self.home]), Prove((self.name,)), *self._let_in_again(mac)]
        written = [note.work for note in of_kind(steps, Note)]
        steps += [Forget(note) for note in (*written, *notes)]
        refuse_without_full_disk_access(mac, self.name)
        plan = lawful_plan(mac, steps, proof=Proof(self.admin_user, self.given))
        not_the_last(mac, account)
        return plan

    def view(self, mac: Mac) -> dict[str, t.Any]:
        """Return the account, and what is left without it."""
        account = mac.account(self.name)
        left: dict[str, t.Any] = {
            "holders": [who.name for who in mac.holders if who.name != self.name],
            "admin_holders": [who.name for who in mac.admin_holders if who.name != self.name],
            "can_unlock": [who.name for who in mac.unlockers if who.name != self.name],
            "orphaned_crypto_users": list(mac.orphans),
            "offboarding_pending": bool(mac.leaving(self.name)),
            "promoted": list(mac.promoted),
        }
        if account is None:
            return {"name": self.name, "exists": False, "remain": left}
        return {
            "name": self.name,
            "exists": True,
            "admin": account.admin,
            "home": account.home,
            "secure_token": mac.verdict_of(account),
            "can_unlock": account.sources.filevault,
            "remain": left,
        }

    def _let_in_again(self, mac: Mac) -> list[Step]:
        """Return what takes away the file by which ``ssh_access`` has sshd refuse the account: it names accounts by
        their short names, and would refuse a new one as well."""
        return [AllowSsh(self.name)] if sshd_settings.path(self.name) in mac.files else []

    def _may_go(self, mac: Mac, account: Account, unlocks: bool, noted: bool) -> None:
        if not self.force:
            not_logged_in(mac, self.name, "would lose unsaved work")
        if unlocks and not [other for other in mac.unlockers if other.name != self.name]:
            raise Refusal(
                "last_unlocker",
                f"{self.name} is the last account that can unlock FileVault, and macOS does not remove it",
            )
        archiving = self.home == ARCHIVE
        if archiving and not noted and (not account.home.startswith("/") or account.home not in mac.files):
            msg = f"{self.name} has no home folder to archive ({account.home or 'none'}): set home to keep"
            raise Refusal("value_unusable", msg)
        if self.home != KEEP:
            may_be_deleted(mac, account)
        if archiving:
            self._may_be_archived(mac, account, noted)

    def _may_be_archived(self, mac: Mac, account: Account, noted: bool) -> None:
        if canonical(self._path).startswith(canonical(account.home) + "/"):
            msg = (
                f"archive is {self._path!r}, inside the home folder that this run deletes: choose a path outside of it"
            )
            raise Refusal("value_unusable", msg)
        for_root_alone(mac, "archive", self._path)
        if self._path in mac.files and not noted:
            raise Refusal("archive_exists", f"{self._path} already exists, and this run does not overwrite it")


def _beside(path: str) -> str:
    """Return where the second archive goes if a run was interrupted after the first one."""
    stem, dot, endings = path.rpartition("/")[2].partition(".")
    return f"{path.rpartition('/')[0]}/{stem}-again{dot}{endings}"
