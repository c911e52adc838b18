# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From "this account should have this password" and a reading, to steps that keep its token, or a refusal. Pure.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.keyholder.macos.plugins.module_utils._account import NO_TOKEN
from ansible_collections.keyholder.macos.plugins.module_utils._plan.plan import (
    Plan,
    absent_or_refuse,
    candidates,
    lawful_plan,
    writable,
)
from ansible_collections.keyholder.macos.plugins.module_utils._plan.request import Outcome, Request
from ansible_collections.keyholder.macos.plugins.module_utils._plan.token import (
    granter_of,
    refuse_phantom,
)
from ansible_collections.keyholder.macos.plugins.module_utils._plan.values import usable_names
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._recoverable import first_token_rule
from ansible_collections.keyholder.macos.plugins.module_utils._step.account import SetPassword, gets_first
from ansible_collections.keyholder.macos.plugins.module_utils._step.base import Step, of_kind
from ansible_collections.keyholder.macos.plugins.module_utils._step.token import CheckPassword, VerifyKey

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._account import Account
    from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac

ON_CHANGE, ALWAYS, NEVER, ONLY = "on_change", "always", "never", "only"


@dataclass(frozen=True)
class PasswordRequest(Request):
    """``verify_key``: on_change, always, never or only. ``given``: names of the password options that have a value."""

    name: str
    admin_user: str = ""
    verify_key: str = ON_CHANGE
    given: frozenset[str] = frozenset()

    @property
    def likely(self) -> tuple[str, ...]:
        return ("password",)

    def compares(self, mac: Mac) -> dict[str, str]:
        account = mac.account(self.name)
        return {"password": self.name} if account is not None and account.has_password else {}

    def plan(self, mac: Mac, proofs: t.Mapping[str, bool | None]) -> Plan:
        usable_names(self)
        writable(mac)
        account = mac.account(self.name)
        if account is None:
            absent_or_refuse(mac, self.name, account)
            people = ", ".join(other.name for other in mac.accounts)
            raise Refusal("user_unknown", f"{self.name} has no account on this Mac; accounts: {people}")
        refuse_phantom(account)
        verify = self.verify_key != NEVER and account.holder and mac.filevault.asks
        if self.verify_key == ONLY:
            key = [VerifyKey(self.name, account.guid, "password", early=True)] if verify else []
            return lawful_plan(mac, [CheckPassword(self.name, "password", "user"), *key])
        if proofs.get("password"):
            only_look = verify and self.verify_key == ALWAYS
            return lawful_plan(mac, [VerifyKey(self.name, account.guid, "password", early=True)] if only_look else [])
        steps = setting(mac, account, self.given, self.admin_user)
        if verify and any(step.how == "old" for step in of_kind(steps, SetPassword)):
            # A stale key would stay stale, and the password that opens it would be forgotten.
            steps.insert(1, VerifyKey(self.name, account.guid, "old_password", early=True))
        after: list[Step] = [VerifyKey(self.name, account.guid, "password")] if verify else []
        return lawful_plan(mac, steps + after, [*about_the_first(mac, account), *about_sso(account)])

    def results(self, outcome: Outcome) -> dict[str, t.Any]:
        return {"password_matches": outcome.proofs.get("password")}

    def view(self, mac: Mac) -> dict[str, t.Any]:
        account = mac.account(self.name)
        if account is None:
            return {"name": self.name, "exists": False}
        return {
            "name": self.name,
            "exists": True,
            "secure_token": mac.verdict_of(account),
            "password_set": account.has_password,
            "key_provable": mac.filevault.asks,
            "promoted": list(mac.promoted),
        }


def about_the_first(mac: Mac, account: Account) -> list[str]:
    """Return what a user should know before a password is set."""
    if not gets_first(mac, account):
        return []
    return [f"{account.name} gets the first Secure Token of this Mac: {first_token_rule(mac.version)}"]


def about_sso(account: Account) -> list[str]:
    """Return what a user should know before a password is set that may be somebody else's. Whether it is rests on the
    method, which is not read for this."""
    if not account.platform_sso:
        return []
    return [
        f"{account.name} is registered with Platform SSO: if its method is password, the identity provider's password"
        " takes this one's place at the next login"
    ]


def setting(mac: Mac, account: Account, given: t.Collection[str], admin_user: str) -> list[Step]:
    """Return the steps that set a password so that a token survives: a holder's needs the old password or a granter
    (Apple's passwd)."""
    if account.kind != "local":
        raise Refusal(
            "password_elsewhere",
            f"{account.name} is a {account.kind} account: a directory keeps its password, and this run would set only"
            " the copy on this Mac",
        )
    if account.verdict == NO_TOKEN:
        return [SetPassword(account.name, "root")]
    if "old_password" in given:
        return [CheckPassword(account.name, "old_password", "user"), SetPassword(account.name, "old")]
    if not admin_user:
        raise Refusal(
            "option_missing",
            f"{account.name} holds a token: give old_password, or admin_user and admin_password; {candidates(mac)}",
        )
    granter = granter_of(mac, admin_user)
    check = CheckPassword(granter.name, "admin_password", "granter")
    return [check, SetPassword(account.name, "granter", granter.name)]
