# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From "this mobile account should be a local one" and a reading, to steps or a refusal. Pure.

The account keeps its UID, home, groups, password and token: only what ties it to a directory goes from its record. If
that went wrong, its user could not log in until an administrator gives the account a new password. So the Mac is judged
as if the account could not log in at all.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.keyholder.macos.plugins.module_utils._account import MOBILE
from ansible_collections.keyholder.macos.plugins.module_utils._plan.plan import (
    Plan,
    existing,
    guard,
    lawful_plan,
    not_logged_in,
    writable,
)
from ansible_collections.keyholder.macos.plugins.module_utils._plan.request import Request
from ansible_collections.keyholder.macos.plugins.module_utils._plan.token import refuse_phantom
from ansible_collections.keyholder.macos.plugins.module_utils._plan.values import usable_names
from ansible_collections.keyholder.macos.plugins.module_utils._reading.ask import Ask
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._step.base import with_changed
from ansible_collections.keyholder.macos.plugins.module_utils._step.directory import LeaveDirectory
from ansible_collections.keyholder.macos.plugins.module_utils._step.general import Forget, Note, Prove
from ansible_collections.keyholder.macos.plugins.module_utils._step.token import VerifyKey
from ansible_collections.keyholder.macos.plugins.module_utils._unfinished import leaving_directory

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._account import Account
    from ansible_collections.keyholder.macos.plugins.module_utils._command.directory_copy import Copy
    from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac
    from ansible_collections.keyholder.macos.plugins.module_utils._step.base import Step


@dataclass(frozen=True)
class LocalAccountRequest(Request):
    """``force``: also while logged in. ``given``: names of the password options that have a value."""

    name: str
    force: bool = False
    given: frozenset[str] = frozenset()

    @property
    def ask(self) -> Ask:
        return Ask(directory_user=self.name, directory_copy=self.name, sessions=True)

    @property
    def likely(self) -> tuple[str, ...]:
        return ("password",)

    def compares(self, mac: Mac) -> dict[str, str]:
        account = mac.account(self.name)
        wanted = account is not None and _begun(mac, account) and "password" in self.given
        return {"password": self.name} if wanted else {}

    def plan(self, mac: Mac, proofs: t.Mapping[str, bool | None]) -> Plan:
        usable_names(self)
        writable(mac)
        account = existing(mac, self.name)
        if not _begun(mac, account):
            return lawful_plan(mac, [])
        copy = mac.directory_copy
        if copy is None:
            raise Refusal("reading_incomplete", f"the record of {self.name} could not be read", mac.unread)
        self._may_leave(mac, account, copy)
        self._password_is_known(copy, proofs)
        work = leaving_directory(self.name)
        steps: list[Step] = []
        if "password" in self.given and account.holder and mac.filevault.asks:
            steps += [VerifyKey(self.name, account.guid, "password", early=True)]
        steps += [] if work in mac.pending else [Note(work)]
        steps += [LeaveDirectory(self.name, copy), Prove((self.name,), ("directory",)), Forget(work)]
        return lawful_plan(mac, steps, self._notes(mac, account))

    def view(self, mac: Mac) -> dict[str, t.Any]:
        account = mac.account(self.name)
        nodes = [] if mac.network is None else list(mac.network.nodes)
        if account is None:
            return {"name": self.name, "exists": False, "nodes": nodes}
        copy = mac.directory_copy
        return {
            "name": self.name,
            "exists": True,
            "kind": account.kind,
            "uid": account.uid,
            "gid": account.gid,
            "home": account.home or None,
            "admin": account.admin,
            "secure_token": mac.verdict_of(account),
            "sources": account.sources.view(),
            "of_the_directory": None if copy is None else len(copy.values) + len(copy.attributes),
            "leaving_pending": leaving_directory(self.name) in mac.pending,
            "nodes": nodes,
        }

    def _may_leave(self, mac: Mac, account: Account, copy: Copy) -> None:
        refuse_phantom(account)
        if not copy.hashed:
            msg = f"this Mac keeps no copy of the password of {self.name}, so nobody could log in as it any more"
            raise Refusal("password_elsewhere", f"{msg}. Log in once as it while the directory answers")
        if mac.filevault.asks and not account.holder:
            # RealAnigai in BIG-RAT/mobile_to_local, issue 12.
            msg = (
                f"{self.name} holds no Secure Token, and FileVault is on or may be: such accounts were seen locked out"
            )
            raise Refusal("user_no_token", msg)
        if not self.force:
            not_logged_in(mac, self.name, "would change under its own session")
        if _by_the_directory(mac, account) and not (mac.likely_granters and mac.has_other_admin(self.name)):
            msg = (
                f"{self.name} may be an administrator by a directory's group, which a reading cannot tell and which may"
                " not count for a local account, and no other administrator who can log in holds a Secure Token. Make"
                f" {self.name} an administrator of this Mac first"
            )
            raise Refusal("would_worsen", msg)
        guard(mac, with_changed(mac, self.name, has_password=False))

    def _password_is_known(self, copy: Copy, proofs: t.Mapping[str, bool | None]) -> None:
        if "password" not in self.given or proofs.get("password"):
            return
        if proofs.get("password") is None:
            raise Refusal("reading_incomplete", f"the hash of the password of {self.name} could not be read")
        msg = f"password is not the one that this Mac keeps for {self.name}, and a local account has no other"
        raise Refusal("user_password_wrong", msg)

    def _notes(self, mac: Mac, account: Account) -> list[str]:
        notes = []
        if mac.network is not None and mac.network.nodes:
            nodes = ", ".join(mac.network.nodes)
            notes.append(f"this Mac stays bound to {nodes}: unbind it once none of its accounts needs that any more")
        if _by_the_directory(mac, account):
            notes.append(
                f"a directory's group is among the administrators: if {self.name} is one by that alone, it may be none"
                " any more"
            )
        if "password" not in self.given:
            notes.append(
                f"password was not given, so it was not checked that the copy which this Mac keeps for {self.name} is"
                " the one of today; it is the account's password from now on"
            )
        return notes


def _begun(mac: Mac, account: Account) -> bool:
    """Return whether the account is a directory's, as a whole or in part: an earlier run may have been cut off."""
    left = mac.directory_copy is not None and not mac.directory_copy.gone
    return (
        account.kind == MOBILE or leaving_directory(account.name) in mac.pending or (account.kind != "local" and left)
    )


def _by_the_directory(mac: Mac, account: Account) -> bool:
    """Return whether the account may be an administrator by a group of its directory alone. No reading shows that."""
    return mac.foreign_admins and account.kind == MOBILE and not account.admin
