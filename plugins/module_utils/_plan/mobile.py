# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From "this person of the directory should have a mobile account" and a reading, to steps or a refusal. Pure.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.keyholder.macos.plugins.module_utils._account import MOBILE, Account
from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac, Person
from ansible_collections.keyholder.macos.plugins.module_utils._plan.plan import (
    Plan,
    absent_or_refuse,
    lawful_plan,
    writable,
)
from ansible_collections.keyholder.macos.plugins.module_utils._plan.request import Request
from ansible_collections.keyholder.macos.plugins.module_utils._plan.token import granting
from ansible_collections.keyholder.macos.plugins.module_utils._plan.values import usable_names
from ansible_collections.keyholder.macos.plugins.module_utils._reading.ask import Ask
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._step.account import (
    CreateHome,
    CreateMobileAccount,
    new_account,
)
from ansible_collections.keyholder.macos.plugins.module_utils._step.base import Step
from ansible_collections.keyholder.macos.plugins.module_utils._step.general import Forget, Note, Prove
from ansible_collections.keyholder.macos.plugins.module_utils._text import folded
from ansible_collections.keyholder.macos.plugins.module_utils._unfinished import PREBOOT, creation


@dataclass(frozen=True)
class MobileAccountRequest(Request):
    """What a caller wants of one person's mobile account. ``home`` None: where macOS puts it.

    ``secure_token``: present or omitted. ``given``: names of the password options that have a value.
    """

    name: str
    home: str | None = None
    secure_token: str = "omitted"
    admin_user: str = ""
    given: frozenset[str] = frozenset()

    @property
    def ask(self) -> Ask:
        return Ask(directory_user=self.name, token_dialog=True)

    @property
    def likely(self) -> tuple[str, ...]:
        return ("password",)

    def compares(self, mac: Mac) -> dict[str, str]:
        """Return a holder's, so that a password changed elsewhere can be told; the others' is checked when needed."""
        account = mac.account(self.name)
        known = account is not None and account.kind == MOBILE and account.holder
        return {"password": self.name} if known and "password" in self.given else {}

    def plan(self, mac: Mac, proofs: t.Mapping[str, bool | None]) -> Plan:
        usable_names(self)
        if self.home is not None and not (self.home.startswith("/") and self.home.isprintable()):
            raise Refusal("value_unusable", f"home is {self.home!r}, and must be an absolute path that can be printed")
        writable(mac)
        account = mac.account(self.name)
        if account is None:
            return self._creating(mac, self._person(mac))
        if account.kind != MOBILE:
            half_made = (
                "; an earlier run was interrupted while it made the account"
                if creation(self.name) in mac.pending
                else ""
            )
            raise Refusal(
                "account_not_mobile",
                f"{self.name} is a {account.kind} account on this Mac, not a mobile account{half_made}",
            )
        return self._finishing(mac, account, proofs)

    def view(self, mac: Mac) -> dict[str, t.Any]:
        network = mac.network
        surroundings = {
            "directory": {
                "nodes": [] if network is None else list(network.nodes),
                "online": None if network is None else network.online,
            },
            "token_dialog_suppressed": mac.management.token_dialog_suppressed,
        }
        account = mac.account(self.name)
        if account is None:
            return {"name": self.name, "exists": False, **surroundings}
        return {
            "name": self.name,
            "exists": True,
            "kind": account.kind,
            "full_name": account.full_name or None,
            "uid": account.uid,
            "home": account.home or None,
            "admin": account.admin,
            "secure_token": account.verdict,
            "sources": account.sources.view(),
            "preboot_pending": PREBOOT in mac.pending,
            "creation_pending": creation(self.name) in mac.pending,
            **surroundings,
        }

    # -- plans --------------------------------------------------------------------------------------------------------

    def _creating(self, mac: Mac, person: Person) -> Plan:
        account = replace(
            new_account(self.name),
            kind=MOBILE,
            full_name=person.full_name,
            uid=person.uid,
            home=self.home or "",
            has_password=True,
        )
        work = creation(self.name)
        steps: list[Step] = [
            Note(work),
            CreateMobileAccount(account, self.home or ""),
            Prove((self.name,)),
            Forget(work),
        ]
        return lawful_plan(mac, steps + self._token(Plan(mac, tuple(steps)).after))

    def _finishing(self, mac: Mac, account: Account, proofs: t.Mapping[str, bool | None]) -> Plan:
        notes: list[str] = []
        steps: list[Step] = []
        if creation(self.name) in mac.pending:
            steps = [CreateHome(self.name), Prove((self.name,)), Forget(creation(self.name))]
        if self.home not in (None, account.home):
            notes.append(
                f"the home folder of {self.name} is already {account.home}; this run does not move it to {self.home}"
            )
        if proofs.get("password") is False:
            notes.append(_password_drifted(mac, account))
        return lawful_plan(mac, steps + self._token(mac), notes)

    def _token(self, mac: Mac) -> list[Step]:
        account = mac.account(self.name)
        if account is None or self.secure_token == "omitted" or account.holder:
            return []
        return granting(mac, account, self.admin_user, first_token=False)

    # -- refusals -----------------------------------------------------------------------------------------------------

    def _person(self, mac: Mac) -> Person:
        """Return the directory's user of that name, who can become an account of this Mac."""
        network = mac.network
        if folded(self.name) in mac.taken:
            absent_or_refuse(mac, self.name, None)
            raise Refusal("full_name_taken", f"name {self.name!r} is in use on this Mac, as a name or a full name")
        if network is None or network.person is None:
            raise self._nobody(mac)
        person = network.person
        if person.name != self.name:
            raise Refusal(
                "name_unusable", f"the directory's short name for {self.name!r} is {person.name!r}: give that name"
            )
        if f"uid:{person.uid}" in mac.taken:
            raise Refusal(
                "uid_taken",
                f"{self.name} has UID {person.uid} in the directory, and another account on this Mac uses it",
            )
        return person

    def _nobody(self, mac: Mac) -> Refusal:
        network = mac.network
        if network is None or network.online is None:
            msg = f"{self.name} was not found, and it could not be read whether a directory answers"
            return Refusal("directory_user_unknown", msg, mac.unread)
        nodes = ", ".join(network.nodes)
        if not network.nodes:
            return Refusal("directory_not_bound", f"this Mac has no account {self.name}, and is bound to no directory")
        if not network.online:
            return Refusal("directory_offline", f"{nodes} cannot be reached, so {self.name} cannot be looked up")
        return Refusal("directory_user_unknown", f"{nodes} answers, and has no user called {self.name}")


def _password_drifted(mac: Mac, account: Account) -> str:
    offline = mac.network is not None and mac.network.online is False
    which = (
        "cannot tell which, because the directory cannot be reached"
        if offline
        else "did not try it at the directory to find out which"
    )
    return (
        f"password is not the one that this Mac keeps for {account.name}: it was changed in the directory since the"
        f" last login on this Mac, or it is wrong. This run {which}. If it was changed, the token is stale: it opens"
        " with the password that it was granted with. Nothing was changed"
    )
