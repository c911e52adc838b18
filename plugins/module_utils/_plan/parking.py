# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From "this holder must stay, and be harmless" and a reading, to steps or a refusal; and the way back. Pure.

A virtual machine's first holder can be neither deleted nor deprived of its token. Disabled, it counts as nobody: it
grants nothing and is no way in, though its password may still open the volume at start-up. Nobody has shown whether it
does, so both are taken for granted.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.keyholder.macos.plugins.module_utils._command import sshd_settings
from ansible_collections.keyholder.macos.plugins.module_utils._macos import SSHD_INCLUDES
from ansible_collections.keyholder.macos.plugins.module_utils._parking import NO_LOGIN, Before, before_of
from ansible_collections.keyholder.macos.plugins.module_utils._plan.account import of_macos
from ansible_collections.keyholder.macos.plugins.module_utils._plan.plan import (
    Plan,
    Proof,
    existing,
    lawful_plan,
    not_logged_in,
    writable,
)
from ansible_collections.keyholder.macos.plugins.module_utils._plan.request import Request
from ansible_collections.keyholder.macos.plugins.module_utils._plan.values import usable_names
from ansible_collections.keyholder.macos.plugins.module_utils._reading.ask import Ask
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._step.account import SetAdmin, SetAttribute
from ansible_collections.keyholder.macos.plugins.module_utils._step.general import Prove
from ansible_collections.keyholder.macos.plugins.module_utils._step.parking import (
    AllowSsh,
    DenySsh,
    ForgetAccount,
    RememberAccount,
    SetDisabled,
)

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._account import Account
    from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac
    from ansible_collections.keyholder.macos.plugins.module_utils._step.base import Step


@dataclass(frozen=True)
class ParkRequest(Request):
    """``state``: parked or active. ``admin``: whether a parked account stays an administrator; None: as it is.
    ``shell``, ``hidden``: what an active account gets; None: what it was. ``force``: also while logged in.
    ``admin_user``: whose key is proven first, where it is the last one. ``given``: names of the password options that
    have a value."""

    name: str
    state: str = "parked"
    admin: bool | None = None
    deny_ssh: bool = True
    shell: str | None = None
    hidden: bool | None = None
    force: bool = False
    admin_user: str = ""
    given: frozenset[str] = frozenset()

    @property
    def ask(self) -> Ask:
        named = self.name if sshd_settings.can_name(self.name) else None
        return Ask(
            sessions=self.state == "parked",
            sshd=named,
            exists=(sshd_settings.path(self.name),) if named is not None else (),
        )

    def plan(self, mac: Mac, proofs: t.Mapping[str, bool | None]) -> Plan:
        usable_names(self)
        if self.shell is not None and not (self.shell.startswith("/") and self.shell.isprintable()):
            raise Refusal("value_unusable", f"shell is {self.shell!r}, and must be an absolute path")
        writable(mac)
        of_macos(mac, self.name, mac.account(self.name))
        account = existing(mac, self.name)
        if account.kind != "local":
            msg = f"{self.name} is a {account.kind} account: its directory decides whether it may log in"
            raise Refusal("value_unusable", msg)
        return self._parking(mac, account) if self.state == "parked" else self._undoing(mac, account)

    def view(self, mac: Mac) -> dict[str, t.Any]:
        account = mac.account(self.name)
        if account is None:
            return {"name": self.name, "exists": False}
        before = before_of(account.parked)
        return {
            "name": self.name,
            "exists": True,
            "disabled": account.disabled,
            "hidden": account.hidden,
            "shell": account.shell or None,
            "admin": account.admin,
            "refused_by_sshd": mac.sshd_refuses,
            "secure_token": mac.verdict_of(account),
            "sources": account.sources.view(),
            "volume_owner": account.volume_owner,
            "parked": bool(account.parked),
            "was": before.view() if before is not None else None,
        }

    # -- plans --------------------------------------------------------------------------------------------------------

    def _parking(self, mac: Mac, account: Account) -> Plan:
        wanted = self._harmless(mac, account)
        was = Before(account.hidden, account.admin, account.disabled, account.shell, mac.sshd_refuses is True)
        steps: list[Step] = [RememberAccount(self.name, was)] if _other_than_noted(account, was) else []
        steps += wanted
        if steps:
            self._may_be_parked(mac, account)
            steps += [Prove((self.name,), ("volume_owner", "sshd"))]
        notes = self._about(mac, account) if steps else []
        plan = lawful_plan(mac, steps, notes, proof=Proof(self.admin_user, self.given))
        if steps:
            _not_needed(mac, account)
        return plan

    def _harmless(self, mac: Mac, account: Account) -> list[Step]:
        steps: list[Step] = [] if account.disabled else [SetDisabled(self.name, True)]
        steps += [] if account.hidden else [SetAttribute(self.name, "hidden", True)]
        steps += [] if account.shell == NO_LOGIN else [SetAttribute(self.name, "shell", NO_LOGIN)]
        if self.admin is not None and self.admin != account.admin:
            steps += [SetAdmin(self.name, self.admin)]
        if self.deny_ssh and _can_deny(mac, self.name) and mac.sshd_refuses is not True:
            steps += [DenySsh(self.name)]
        return steps

    def _undoing(self, mac: Mac, account: Account) -> Plan:
        was = before_of(account.parked)
        if account.parked and was is None:
            msg = f"the record of {self.name} does not say in known words what it was: {account.parked!r}"
            raise Refusal("value_unusable", f"{msg}. Give shell and hidden, and remove that value by hand")
        ours = sshd_settings.path(self.name) in mac.files and not (was is not None and was.no_ssh)
        steps: list[Step] = [AllowSsh(self.name)] if ours else []
        shell = self.shell if self.shell is not None else was.shell if was is not None else ""
        steps += [SetAttribute(self.name, "shell", shell)] if shell and shell != account.shell else []
        hidden = self.hidden if self.hidden is not None else was.hidden if was is not None else account.hidden
        steps += [SetAttribute(self.name, "hidden", hidden)] if hidden != account.hidden else []
        admin = self.admin if self.admin is not None else was.admin if was is not None else account.admin
        steps += [SetAdmin(self.name, admin)] if admin != account.admin else []
        if account.disabled and not (was is not None and was.disabled):
            steps += [SetDisabled(self.name, False)]
        if steps:
            steps += [Prove((self.name,), ("volume_owner",))]
        if account.parked:
            # The note goes last, and only from an account that was seen to be as before.
            steps += [ForgetAccount(self.name), Prove((self.name,))]
        return lawful_plan(mac, steps, self._about_undoing(account, was, shell))

    # -- notes and refusals -------------------------------------------------------------------------------------------

    def _about(self, mac: Mac, account: Account) -> list[str]:
        notes = []
        if account.holder and mac.filevault.asks:
            notes.append(
                f"a password of {self.name} that somebody knows may still open the volume at start-up: nobody has shown"
                " whether the unlock screen refuses a disabled account"
            )
        if not account.holder:
            notes.append(f"{self.name} holds no Secure Token ({account.sources.words()}), so nothing makes it stay")
        if self.deny_ssh and not _can_deny(mac, self.name):
            why = f"macOS {mac.version}" if sshd_settings.can_name(self.name) else f"the name {self.name!r}"
            notes.append(
                f"with {why}, sshd has no settings of its own for {self.name}: that it is disabled keeps it out"
            )
        return notes

    def _about_undoing(self, account: Account, was: Before | None, shell: str) -> list[str]:
        notes = []
        if was is not None and was.disabled and account.disabled:
            notes.append(f"{self.name} was disabled before it was parked, and stays so")
        if not shell and account.shell == NO_LOGIN:
            before = "had no shell" if was is not None else "does not say what it was"
            notes.append(f"the record of {self.name} {before} before: it keeps the shell {NO_LOGIN}. Give shell")
        return notes

    def _may_be_parked(self, mac: Mac, account: Account) -> None:
        if self.deny_ssh and _can_deny(mac, self.name) and mac.sshd_refuses is None:
            raise Refusal("reading_incomplete", f"sshd did not say whether it lets {self.name} in", mac.unread)
        if not (self.force or account.disabled):
            not_logged_in(mac, self.name, "stays so until it logs out")


def _can_deny(mac: Mac, name: str) -> bool:
    return mac.version >= SSHD_INCLUDES.first and sshd_settings.can_name(name)


def _other_than_noted(account: Account, was: Before) -> bool:
    """Return whether the account's record does not say what it is now. Parking disables before anything else, and the
    way back enables last: who is enabled is as before it was parked, or somebody has taken it into use by hand."""
    if not account.parked:
        return True
    noted = before_of(account.parked)
    return noted is not None and not account.disabled and noted != was


def _not_needed(mac: Mac, account: Account) -> None:
    """Raise :class:`Refusal` for an account whose like does not remain: who holds a token, owns the volume, or is an
    administrator, and can log in for sure. What the guard keeps is less: it looks at the Mac's verdict."""
    others = [who for who in mac.accounts if who.name != account.name and who.uid != 0 and mac.opens(who)]
    if account.holder and not any(who.holder for who in others):
        raise Refusal("would_worsen", f"no other account that can log in holds a Secure Token than {account.name}")
    known = [who for who in others if who.holder and who.in_preboot is not False]
    if account.holder and account.in_preboot is not False and mac.filevault.asks and not known:
        msg = (
            f"the preboot volume knows no other account that can log in and holds a Secure Token than {account.name},"
            " so the unlock screen may take nobody's password. Update it with keyholder.macos.repair first"
        )
        raise Refusal("would_worsen", msg)
    if account.volume_owner and not any(who.holder and who.volume_owner for who in others):
        raise Refusal("would_worsen", f"no other account that can log in owns the volume than {account.name}")
    if account.admin and not any(who.admin and who.name not in mac.promoted for who in others):
        raise Refusal("would_worsen", f"no other administrator who can log in would remain without {account.name}")
