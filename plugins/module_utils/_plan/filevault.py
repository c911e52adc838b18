# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From "FileVault should be like this" and a reading, to steps or a refusal. Pure.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.keyholder.macos.plugins.module_utils._account import Account
from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac
from ansible_collections.keyholder.macos.plugins.module_utils._macos import KEY_AUTHENTICATES
from ansible_collections.keyholder.macos.plugins.module_utils._plan.paths import absolute, for_root_alone
from ansible_collections.keyholder.macos.plugins.module_utils._plan.plan import (
    Plan,
    Proof,
    absent_or_refuse,
    existing,
    lawful_plan,
    writable,
)
from ansible_collections.keyholder.macos.plugins.module_utils._plan.request import (
    DISCARD,
    ENCRYPT,
    Outcome,
    Request,
    key_results,
)
from ansible_collections.keyholder.macos.plugins.module_utils._plan.token import (
    granter_of,
)
from ansible_collections.keyholder.macos.plugins.module_utils._plan.values import usable_names
from ansible_collections.keyholder.macos.plugins.module_utils._reading.ask import Ask
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._step.base import Step
from ansible_collections.keyholder.macos.plugins.module_utils._step.filevault import (
    AddUnlocker,
    CancelDeferral,
    ChangeKey,
    CheckRecipients,
    DeferFileVault,
    DeliverKey,
    DisableFileVault,
    EnableFileVault,
    ReadKeyFile,
    RemoveKey,
    RemoveKeyFile,
    RemoveUnlocker,
    ValidateKey,
    additional,
)
from ansible_collections.keyholder.macos.plugins.module_utils._step.general import Forget, Note, Prove
from ansible_collections.keyholder.macos.plugins.module_utils._step.token import CheckPassword, VerifyKey
from ansible_collections.keyholder.macos.plugins.module_utils._unfinished import MAKING_KEY, PREBOOT


@dataclass(frozen=True)
class FileVaultRequest(Request):
    """``state``: enabled, disabled or deferred. ``recovery_key``: discard, return or encrypt."""

    state: str
    user: str = ""
    additional_users: tuple[str, ...] = ()
    recovery_key: str = DISCARD
    defer_path: str = ""
    force_at_login: int | None = None
    ask_at_logout: bool = True
    show_key: bool = False

    @property
    def ask(self) -> Ask:
        deferred = self.state == "deferred" and self.defer_path.startswith("/")
        return Ask(escrow_if_off=True, deferral=True, way=self.defer_path if deferred else None)

    def plan(self, mac: Mac, proofs: t.Mapping[str, bool | None]) -> Plan:
        usable_names(self)
        writable(mac)
        if mac.filevault.state == "unknown":
            raise Refusal("reading_incomplete", "the status of FileVault could not be read", mac.unread)
        if self.state == "enabled":
            steps = self._enabling(mac)
            return lawful_plan(mac, steps, self._about_the_key(mac) if steps else nobodys_key(mac))
        if self.state == "deferred":
            return lawful_plan(mac, self._deferring(mac))
        return lawful_plan(mac, self._disabling(mac))

    def results(self, outcome: Outcome) -> dict[str, t.Any]:
        return key_results(self.recovery_key, outcome)

    def view(self, mac: Mac) -> dict[str, t.Any]:
        filevault = mac.filevault
        return {
            "enabled": filevault.on,
            "deferred_user": filevault.deferred_user,
            "personal_recovery_key": filevault.personal_key,
            "users": [account.name for account in mac.unlockers],
            "recovery_key_pending": MAKING_KEY in mac.pending,
        }

    def _enabling(self, mac: Mac) -> list[Step]:
        if mac.filevault.on:
            return []
        _at_rest(mac)
        names = (self._person(),) + self.additional_users
        for name in names:
            holder(mac, name)
        checks: list[Step] = [CheckPassword(self.user, "password", "user")]
        checks += [CheckPassword(name, additional(index), "user") for index, name in enumerate(self.additional_users)]
        keep = [] if mac.filevault.personal_key else made_key(self.recovery_key)
        checks += [CheckRecipients()] if self.recovery_key == ENCRYPT and keep else []
        enable = [EnableFileVault(self.user, self.additional_users), *keep, Prove(facts=("filevault",))]
        return [*checks, *noted(enable, bool(keep) and self.recovery_key != DISCARD)]

    def _about_the_key(self, mac: Mac) -> list[str]:
        if mac.filevault.personal_key:
            kept = "macOS keeps the earlier recovery key and returns none"
            return [] if self.recovery_key == DISCARD else [f"{kept}: rotate the key to get a new one"]
        if self.recovery_key == DISCARD and not mac.filevault.escrows:
            return ["the recovery key will be lost: it is discarded, and no MDM profile was seen that escrows it"]
        return []

    def _deferring(self, mac: Mac) -> list[Step]:
        if mac.filevault.on:
            return []
        absolute("defer_path", self.defer_path)
        name = self._person()
        if mac.account(name) is None:
            absent_or_refuse(mac, name, None)
            raise Refusal("user_unknown", f"user {name} has no account on this Mac")
        if mac.filevault.deferred_user == name and mac.filevault.deferral_path in ("", self.defer_path):
            return []
        _at_rest(mac)
        for_root_alone(mac, "defer_path", self.defer_path)
        cancel: list[Step] = [CancelDeferral()] if mac.filevault.deferred_user else []
        defer = DeferFileVault(name, self.defer_path, self.force_at_login, self.ask_at_logout, self.show_key)
        return [*cancel, defer, Prove(facts=("deferral",))]

    def _disabling(self, mac: Mac) -> list[Step]:
        if not mac.filevault.on:
            if not mac.filevault.deferred_user:
                return []
            _at_rest(mac)
            return [CancelDeferral(), Prove(facts=("deferral",))]
        if mac.filevault.state != "on":
            state = mac.filevault.state.replace("_", " ")
            raise Refusal("filevault_busy", f"FileVault is not on yet ({state}), and cannot be disabled before that")
        holder(mac, self._person())
        check = CheckPassword(self.user, "password", "user")
        return [check, DisableFileVault(self.user), Prove(facts=("filevault",)), *forgotten(mac)]

    def _person(self) -> str:
        if not self.user:
            raise Refusal("option_missing", f"user was not given, and FileVault cannot be {self.state} without it")
        return self.user


@dataclass(frozen=True)
class UnlockerRequest(Request):
    """Whether one account may unlock FileVault. ``state``: present or absent."""

    user: str
    state: str = "present"
    admin_user: str = ""
    given: frozenset[str] = frozenset()

    def plan(self, mac: Mac, proofs: t.Mapping[str, bool | None]) -> Plan:
        usable_names(self)
        writable(mac)
        if self.state == "absent":
            leaver = mac.account(self.user)
            absent_or_refuse(mac, self.user, leaver)
            return lawful_plan(mac, self._removing(mac, leaver), proof=Proof(self.admin_user, self.given))
        account = existing(mac, self.user)
        if account.sources.filevault:
            return lawful_plan(mac, ())
        if not (account.sources.authority and account.sources.crypto):
            raise Refusal("user_no_token", f"{self.user} holds no Secure Token: {account.sources.words()}")
        _refuse_unless_settled(mac, f"{self.user} cannot be allowed to unlock it")
        granter = granter_of(mac, self.admin_user).name
        checks: list[Step] = [
            CheckPassword(granter, "admin_password", "granter"),
            CheckPassword(self.user, "password", "user"),
        ]
        return lawful_plan(mac, [*checks, AddUnlocker(self.user, granter), Prove((self.user,))])

    def view(self, mac: Mac) -> dict[str, t.Any]:
        account = mac.account(self.user)
        if account is None:
            return {"user": self.user, "exists": False}
        return {
            "user": self.user,
            "exists": True,
            "can_unlock": account.sources.filevault,
            "secure_token": mac.verdict_of(account),
            "sources": account.sources.view(),
            "preboot_pending": PREBOOT in mac.pending,
        }

    def _removing(self, mac: Mac, account: Account | None) -> list[Step]:
        if account is None or not account.sources.filevault:
            return []
        others = [other for other in mac.unlockers if other.name != self.user]
        # A phantom is on the list, and opens nothing.
        if not any(other.holder or not account.holder for other in others):
            raise Refusal(
                "last_unlocker",
                f"{self.user} is the last account that can unlock FileVault, and macOS does not remove it",
            )
        return [RemoveUnlocker(self.user), Prove((self.user,))]


@dataclass(frozen=True)
class KeyRequest(Request):
    """The personal recovery key. ``state``: present, rotated, absent or validated."""

    state: str
    user: str = ""
    recovery_key: str = DISCARD
    given: frozenset[str] = frozenset()

    @property
    def ask(self) -> Ask:
        return Ask(escrow=True, escrow_profile=True)

    def plan(self, mac: Mac, proofs: t.Mapping[str, bool | None]) -> Plan:
        usable_names(self)
        writable(mac)
        present = mac.filevault.personal_key
        if (self.state == "present" and present) or (self.state == "absent" and not present):
            return lawful_plan(mac, (), nobodys_key(mac))
        if self.state == "validated":
            if not present:
                raise Refusal("key_missing", "there is no personal recovery key on this Mac to validate")
            # Who gave it has it.
            return lawful_plan(mac, [ValidateKey("current_key"), *forgotten(mac)])
        checks, by = self._authentication(mac)
        if self.state == "absent":
            proof = [VerifyKey(by, holder(mac, by).guid, "password", early=True, needed=True)] if by else []
            return lawful_plan(mac, [*checks, *proof, RemoveKey(by), Prove(facts=("personal_key",))])
        _refuse_unless_settled(mac, "no recovery key can be made")
        escrows = mac.filevault.escrows
        if (
            self.recovery_key == DISCARD
            and mac.filevault.escrowed_at is None
            and mac.filevault.escrow_profile is not False
        ):
            msg = "it could not be read when a key was last escrowed, so an escrow of the new one could not be proven"
            raise Refusal("reading_incomplete", msg, mac.unread)
        if self.recovery_key == DISCARD and not escrows:
            msg = "the new key would be lost: no recipients were given, and no MDM profile escrows it"
            earlier = " (an earlier profile did, and is gone)" if mac.filevault.escrowed_at else ""
            raise Refusal("no_escrow_path", msg + earlier)
        if not escrows and not any(account.able for account in mac.holders):
            # The old key dies before the new one can be delivered.
            msg = "no holder can log in, and an interrupted run would lose the new recovery key"
            raise Refusal("would_lock_out", msg, tuple(f"{who.name}: {who.sources.words()}" for who in mac.holders))
        checks += [CheckRecipients()] if self.recovery_key == ENCRYPT else []
        # A key that is delivered is not lost if macOS no longer escrows it as well.
        facts = ("personal_key", "escrow") if self.recovery_key == DISCARD else ("personal_key",)
        # MDM has a key as soon as macOS has made it.
        change = [ChangeKey(by), *made_key(self.recovery_key), Prove(facts=facts)]
        return lawful_plan(mac, [*checks, *noted(change, self.recovery_key != DISCARD or bool(forgotten(mac)))])

    def results(self, outcome: Outcome) -> dict[str, t.Any]:
        return key_results(self.recovery_key, outcome)

    def view(self, mac: Mac) -> dict[str, t.Any]:
        return {
            "personal_recovery_key": mac.filevault.personal_key,
            "filevault_enabled": mac.filevault.on,
            "escrow_profile": mac.filevault.escrow_profile,
            "escrowed_at": mac.filevault.escrowed_at,
            "recovery_key_pending": MAKING_KEY in mac.pending,
        }

    def _authentication(self, mac: Mac) -> tuple[list[Step], str]:
        if self.user:
            holder(mac, self.user)
            return [CheckPassword(self.user, "password", "user")], self.user
        if "current_key" in self.given:
            if mac.version < KEY_AUTHENTICATES.first:
                msg = f"on macOS {mac.version} a recovery key cannot authenticate: give user and password of a holder"
                raise Refusal("option_missing", msg)
            return [ValidateKey("current_key")], ""
        raise Refusal("option_missing", "give user and password of a holder, or current_key")


@dataclass(frozen=True)
class CollectRequest(Request):
    """Take over the recovery key that a deferral has left in the file ``path``. ``remove``: and delete the file."""

    path: str
    recovery_key: str = DISCARD
    remove: bool = False

    @property
    def ask(self) -> Ask:
        return Ask(exists=(self.path,), way=self.path) if self.path.startswith("/") else Ask()

    def plan(self, mac: Mac, proofs: t.Mapping[str, bool | None]) -> Plan:
        """Return the plan; the key is validated before the file goes, each time. Raises :class:`Refusal`."""
        writable(mac)
        absolute("path", self.path)
        if self.path not in mac.files:
            return lawful_plan(mac, ())
        for_root_alone(mac, "path", self.path)
        if not mac.filevault.on:
            note = f"{self.path} is there although FileVault is {mac.filevault.state}; this run left the file alone"
            return lawful_plan(mac, (), (note,))
        steps: list[Step] = [CheckRecipients()] if self.recovery_key == ENCRYPT else []
        steps += [ReadKeyFile(self.path), *made_key(self.recovery_key)]
        steps += [RemoveKeyFile(self.path), Prove(facts=("key_file",))] if self.remove else []
        return lawful_plan(mac, steps)

    def results(self, outcome: Outcome) -> dict[str, t.Any]:
        return key_results(self.recovery_key, outcome)

    def view(self, mac: Mac) -> dict[str, t.Any]:
        return {
            "personal_recovery_key": mac.filevault.personal_key,
            "filevault_enabled": mac.filevault.on,
            "key_file": self.path in mac.files,
        }


def holder(mac: Mac, name: str) -> Account:
    """Return an account that can unlock the volume, or raise a :class:`Refusal` that names those that can."""
    account = mac.account(name)
    if account is None:
        absent_or_refuse(mac, name, account)
        raise Refusal("user_unknown", f"user {name} has no account on this Mac")
    if not account.holder:
        names = ", ".join(other.name for other in mac.holders) or "none"
        raise Refusal("user_no_token", f"{name} holds no Secure Token ({account.sources.words()}); holders: {names}")
    return account


def _at_rest(mac: Mac) -> None:
    if mac.filevault.busy:
        state = mac.filevault.state.replace("_", " ")
        raise Refusal("filevault_busy", f"FileVault is being switched off ({state}): run again after that")


def _refuse_unless_settled(mac: Mac, so: str) -> None:
    """fdesetup refuses to change users and keys of a volume that is not encrypted, or on its way off."""
    filevault = mac.filevault
    if filevault.settled:
        return
    if filevault.state == "unknown":
        raise Refusal("reading_incomplete", "the status of FileVault could not be read", mac.unread)
    if filevault.state == "off":
        raise Refusal("filevault_off", f"FileVault is off, so {so}")
    raise Refusal("filevault_busy", f"FileVault is not ready ({filevault.state.replace('_', ' ')}), so {so} yet")


def made_key(how: str) -> list[Step]:
    """Return the steps that validate a new key and deliver it."""
    return [ValidateKey()] + ([] if how == DISCARD else [DeliverKey(how)])


def noted(steps: t.Sequence[Step], wanted: bool) -> list[Step]:
    """Return ``steps``, which make a key, between a note on the Mac that they do and its end: a run that is interrupted
    before the key was delivered leaves a key that is lost."""
    return [Note(MAKING_KEY), *steps, Forget(MAKING_KEY)] if wanted else list(steps)


def forgotten(mac: Mac) -> list[Step]:
    """Return the step that removes such a note of an earlier run, once it has lost its meaning."""
    return [Forget(MAKING_KEY)] if MAKING_KEY in mac.pending else []


def nobodys_key(mac: Mac) -> tuple[str, ...]:
    """Return what a user should know of the key if nothing is done about it."""
    if MAKING_KEY not in mac.pending or mac.filevault.personal_key is False or not mac.filevault.on:
        return ()
    msg = (
        "an earlier run was interrupted while it made a recovery key, so the present key may be lost: make a new one"
        " with keyholder.macos.filevault_recovery_key and state rotated, or prove the one that you have with state"
        " validated and current_key"
    )
    return (msg,)
