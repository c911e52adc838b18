# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From "this account should (not) hold a Secure Token" and a reading, to steps or a refusal. Pure.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.keyholder.macos.plugins.module_utils._account import MOBILE, PENDING, PHANTOM, Account
from ansible_collections.keyholder.macos.plugins.module_utils._mac import ESCROWED, Mac
from ansible_collections.keyholder.macos.plugins.module_utils._macos import (
    FIRST_TOKEN_BY_PASSWORD,
    FIRST_TOKEN_TO_ADMIN,
)
from ansible_collections.keyholder.macos.plugins.module_utils._plan.plan import (
    Plan,
    Proof,
    absent_or_refuse,
    candidates,
    lawful_plan,
    may_authenticate,
    writable,
)
from ansible_collections.keyholder.macos.plugins.module_utils._plan.promotion import promoted
from ansible_collections.keyholder.macos.plugins.module_utils._plan.request import Request
from ansible_collections.keyholder.macos.plugins.module_utils._plan.values import usable_names
from ansible_collections.keyholder.macos.plugins.module_utils._reading.ask import Ask
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._recoverable import (
    can_be_first,
    first_token_rule,
    leftovers,
)
from ansible_collections.keyholder.macos.plugins.module_utils._step.base import Step, has_kind
from ansible_collections.keyholder.macos.plugins.module_utils._step.general import Forget, Prove
from ansible_collections.keyholder.macos.plugins.module_utils._step.token import (
    BecomeFirstHolder,
    CheckPassword,
    Grant,
    Revoke,
    SetSamePassword,
)
from ansible_collections.keyholder.macos.plugins.module_utils._unfinished import PREBOOT, repairing

_ESCROW = "a Bootstrap Token grants one once it is escrowed to MDM"


@dataclass(frozen=True)
class TokenRequest(Request):
    """What a caller wants of one account's token. ``state``: present or absent."""

    user: str
    state: str = "present"
    admin_user: str = ""
    first_token: bool = False
    allow_temporary_promotion: bool = False
    accept_pending: bool = False

    @property
    def ask(self) -> Ask:
        return Ask(waiting=self.user if self.accept_pending and self.state == "present" else None)

    def plan(self, mac: Mac, proofs: t.Mapping[str, bool | None]) -> Plan:
        usable_names(self)
        writable(mac)
        account = mac.account(self.user)
        if self.state == "absent":
            # A repair that was cut off would otherwise hand the token out again.
            forget = [Forget(repairing(self.user))] if repairing(self.user) in mac.pending else []
            if absent_or_refuse(mac, self.user, account) or account is None or not _has_something(account):
                return lawful_plan(mac, forget)
            steps = [*revoking(mac, account, self.admin_user), *forget]
            return lawful_plan(mac, steps, proof=Proof(self.admin_user, frozenset({"admin_password"})))
        if account is None:
            absent_or_refuse(mac, self.user, account)
            raise Refusal("user_unknown", f"{self.user} has no account on this Mac; {_people(mac)}")
        if account.holder or (self.accept_pending and mac.verdict_of(account) == PENDING):
            return lawful_plan(mac, ())
        promotion = self.allow_temporary_promotion
        steps = granting(mac, account, self.admin_user, self.first_token, promotion=promotion)
        first = has_kind(steps, BecomeFirstHolder)
        return lawful_plan(mac, steps, [first_token_rule(mac.version)] if first else [])

    def view(self, mac: Mac) -> dict[str, t.Any]:
        account = mac.account(self.user)
        if account is None:
            return {"user": self.user, "exists": False}
        return {
            "user": self.user,
            "exists": True,
            "secure_token": mac.verdict_of(account),
            "sources": account.sources.view(),
            "volume_owner": account.volume_owner,
            "preboot_pending": PREBOOT in mac.pending,
            "promoted": list(mac.promoted),
        }


def granting(
    mac: Mac, account: Account, admin_user: str, first_token: bool, check_user: bool = True, promotion: bool = False
) -> list[Step]:
    """Return steps that make ``account`` a holder. ``check_user`` False: its password was just set by the steps before.
    ``promotion``: whether a granter who is no administrator may become one for the moment."""
    refuse_phantom(account)
    check = CheckPassword(account.name, "password", "user")
    may_authenticate(mac, check)
    checks: list[Step] = [check] if check_user else []
    if not mac.holders:
        return [*checks, *_first(mac, account, first_token), Prove((account.name,))]
    granter = authoriser(mac, admin_user, promotion)
    checks.insert(0, CheckPassword(granter.name, "admin_password", "granter"))
    grant = Grant(account.name, granter.name)
    if granter.admin:
        return [*checks, grant, Prove((account.name,))]
    return [*checks, *promoted(granter.name, [grant], (account.name,))]


def revoking(mac: Mac, account: Account, admin_user: str) -> list[Step]:
    refuse_phantom(account)
    granter = granter_of(mac, admin_user)
    if granter.name == account.name and len(mac.admin_holders) > 1:
        raise Refusal(
            "granter_is_user", f"{account.name} cannot authorise the removal of its own token; {candidates(mac)}"
        )
    checks: list[Step] = [
        CheckPassword(granter.name, "admin_password", "granter"),
        CheckPassword(account.name, "password", "user"),
    ]
    return [*checks, Revoke(account.name, granter.name), Prove((account.name,))]


def authoriser(mac: Mac, name: str, promotion: bool) -> Account:
    """Return who authorises a grant. If no granter was given, the :class:`Refusal` says how to do without."""
    if not name:
        msg = f"admin_user was not given; {candidates(mac)}{_ways_out(mac)}"
        if mac.grants_at_login:
            msg += ". The first graphical login brings the token, too: with accept_pending this run relies on that"
        raise Refusal("granter_missing", msg)
    return granter_of(mac, name, promotion)


def granter_of(mac: Mac, name: str, promotion: bool = False) -> Account:
    """Return the account that authorises, or raise a :class:`Refusal` that names those that could. ``promotion``: it
    may be a standard account if no administrator holds a token."""
    if not name:
        raise Refusal("granter_missing", f"admin_user was not given; {candidates(mac)}")
    granter = mac.account(name)
    if granter is None:
        absent_or_refuse(mac, name, granter)
        raise Refusal("granter_unknown", f"admin_user {name} has no account on this Mac; {candidates(mac)}")
    evidence = (f"{name}: {granter.sources.words()}",)
    if granter.verdict == PHANTOM:
        raise Refusal(
            "granter_phantom", f"the sources disagree about the token of admin_user {name}; {candidates(mac)}", evidence
        )
    if not granter.holder:
        msg = f"admin_user {name} holds no Secure Token; {candidates(mac)}{_ways_out(mac)}"
        raise Refusal("granter_no_token", msg, evidence)
    if not granter.admin and not (promotion and not mac.token_admins):
        msg = f"admin_user {name} is not an administrator; {candidates(mac)}{_ways_out(mac)}"
        raise Refusal("granter_not_admin", msg, evidence)
    if not granter.admin and not mac.has_other_admin(name):
        msg = (
            f"admin_user {name} is not an administrator, and no other account that can log in is one, so an interrupted"
            " promotion could not be undone: make another account an administrator first"
        )
        raise Refusal("granter_not_admin", msg, evidence)
    return granter


def refuse_phantom(account: Account) -> None:
    if account.verdict == PHANTOM:
        words = account.sources.words()
        raise Refusal(
            "phantom", f"the sources disagree about the token of {account.name}: {words}", (f"{account.name}: {words}",)
        )


def _first(mac: Mac, account: Account, first_token: bool) -> list[Step]:
    """Return the steps that make ``account`` the first holder. The login comes first on every macOS, as it is the whole
    of it for a password that came as a hash, and somebody else may manage that one."""
    rule = first_token_rule(mac.version)
    possible = can_be_first(mac, account)
    if not first_token:
        hint = (
            f"{account.name} can be the first: set first_token"
            if possible
            else f"{account.name} would not be the first; {at_the_keyboard(mac, account)}"
        )
        raise Refusal("no_holder", f"no account on this Mac holds a Secure Token; {rule}; {hint}")
    if not possible:
        tag = f"; a tag keeps {account.name} from being the first" if account.disabled_tag else ""
        left = f"; the volume already has a crypto user: {', '.join(leftovers(mac))}" if leftovers(mac) else ""
        way = at_the_keyboard(mac, account)
        raise Refusal("not_first", f"macOS would not give {account.name} the first token: {rule}{tag}{left}; {way}")
    by_password = mac.version >= FIRST_TOKEN_BY_PASSWORD.first and account.kind == "local"
    again: list[Step] = [SetSamePassword(account.name)] if by_password else []
    return [BecomeFirstHolder(account.name, or_by_password=by_password), *again]


def at_the_keyboard(mac: Mac, account: Account) -> str:
    """Return in words what has to be done before ``account`` could be the first holder, much of it at the Mac."""
    if leftovers(mac):
        return "log in at the Mac's screen with a password that opens its key, or erase the Mac"
    if account.kind == MOBILE:
        return f"a mobile account is never the first: choose a local one, which can then grant {account.name} its token"
    if mac.version >= FIRST_TOKEN_BY_PASSWORD.first:
        return f"first remove the tag with keyholder.macos.account (name {account.name}, secure_token allowed)"
    if mac.version >= FIRST_TOKEN_TO_ADMIN.first:
        admins = [other.name for other in mac.accounts if other.admin and other.able]
        if not admins:
            return f"make {account.name} an administrator first"
        return f"log in at the Mac's screen as {' or '.join(admins)}, or set first_token for that account"
    people = [other for other in mac.accounts if other.uid is None or other.uid >= 500]
    others = [other.name for other in people if other.name != account.name]
    if not others:
        return f"choose an account whose UID is 500 or more; {account.name} has {account.uid}"
    return (
        f"log in at the Mac's screen as {account.name} while it is the only account from UID 500 up; today there are"
        f" also {', '.join(others)}"
    )


def _ways_out(mac: Mac) -> str:
    """Return in words what can be done if no administrator holds a token."""
    able = [account.name for account in mac.holders if account.able and mac.locked(account) is not True]
    if mac.token_admins:
        return ""
    escrowed = "the escrowed Bootstrap Token grants one" if mac.management.bootstrap in ESCROWED else _ESCROW
    if not able:
        return f". Log in at the Mac's screen (not over SSH), where {escrowed}"
    return (
        f". There are two ways: set allow_temporary_promotion with admin_user {' or '.join(able)}, who is then an"
        f" administrator until the grant is done; or log in at the Mac's screen (not over SSH), where {escrowed}"
    )


def _has_something(account: Account) -> bool:
    return account.holder or account.verdict == PHANTOM


def _people(mac: Mac) -> str:
    return "accounts: " + ", ".join(account.name for account in mac.accounts)
