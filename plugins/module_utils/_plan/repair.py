# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is broken about a Mac's tokens, and from there to steps that mend it, or a refusal. Pure.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.keyholder.macos.plugins.module_utils._account import NO_TOKEN
from ansible_collections.keyholder.macos.plugins.module_utils._plan.plan import (
    Plan,
    existing,
    lawful_plan,
    writable,
)
from ansible_collections.keyholder.macos.plugins.module_utils._plan.request import Outcome, Request
from ansible_collections.keyholder.macos.plugins.module_utils._plan.token import granter_of
from ansible_collections.keyholder.macos.plugins.module_utils._plan.values import usable_names
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._step.account import SetPassword
from ansible_collections.keyholder.macos.plugins.module_utils._step.base import Step
from ansible_collections.keyholder.macos.plugins.module_utils._step.filevault import AddUnlocker
from ansible_collections.keyholder.macos.plugins.module_utils._step.general import PROVE_PREBOOT, Forget, Note, Prove
from ansible_collections.keyholder.macos.plugins.module_utils._step.token import (
    CheckPassword,
    Grant,
    RemoveMarker,
    RemoveOrphan,
    Revoke,
    VerifyKey,
)
from ansible_collections.keyholder.macos.plugins.module_utils._unfinished import PREBOOT, repairing

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._account import Account
    from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac

MARKER = "marker_without_key"
KEY = "key_without_marker"
UNLISTED = "cannot_unlock"
STALE = "stale_key"
ORPHAN = "orphaned_crypto_user"
UNTOLD = "preboot_untold"
UNKNOWN = "not_in_preboot"
NO_OWNER = "not_volume_owner"
CUT = "repair_cut_off"
OPENS = "password opens the key"
"""In ``same``, beside the comparisons of passwords: what macOS said when the password was tried against the key."""


@dataclass(frozen=True)
class Finding:
    """``who``: an account, a GUID, or "" for the Mac."""

    kind: str
    who: str
    words: str


def findings(mac: Mac) -> list[Finding]:
    """Return what a reading alone can tell; a stale key it cannot."""
    found = [finding for account in mac.accounts for finding in _of_account(mac, account)]
    found += [Finding(ORPHAN, guid, f"crypto user {guid} belongs to no account of this Mac") for guid in mac.orphans]
    found += [
        Finding(UNKNOWN, who.name, f"{who.name} holds a token, and the preboot volume does not know it")
        for who in mac.unknown_to_preboot
    ]
    if PREBOOT in mac.pending:
        found.append(Finding(UNTOLD, "", "the preboot volume was not updated after the last change of tokens"))
    return found


@dataclass(frozen=True)
class RepairRequest(Request):
    """``user``: whose token; "" for what is broken about the Mac as a whole. ``orphans``: whether crypto users that
    belong to no account are removed as well. ``given``: names of the password options that have a value. ``apply``:
    whether the repair is carried out."""

    user: str = ""
    admin_user: str = ""
    orphans: bool = False
    given: frozenset[str] = frozenset()
    apply: bool = True

    @property
    def only_shows(self) -> bool:
        return not self.apply

    @property
    def likely(self) -> tuple[str, ...]:
        return ("password", "old_password")

    def compares(self, mac: Mac) -> dict[str, str]:
        account = mac.account(self.user)
        if account is None or not account.has_password:
            return {}
        return dict.fromkeys([option for option in ("password", "old_password") if option in self.given], self.user)

    def tries(self, mac: Mac, proofs: t.Mapping[str, bool | None]) -> tuple[str, str] | None:
        """Return the GUID and the option to try against its key: only a password that is known to be the account's. The
        Secure Enclave counts."""
        account = mac.account(self.user)
        if account is None or not (account.holder and mac.filevault.asks and proofs.get("password")):
            return None
        return account.guid, "password"

    def plan(self, mac: Mac, proofs: t.Mapping[str, bool | None]) -> Plan:
        usable_names(self)
        writable(mac)
        steps = self._of_user(mac, proofs) if self.user else []
        notes = [*self._about_the_key(mac, proofs), *self._about_the_volume(mac)]
        if self.orphans and mac.orphans:
            if mac.secure_enclave:
                raise Refusal(
                    "orphan_stays", f"macOS does not remove the crypto users {', '.join(mac.orphans)} on this Mac"
                )
            steps += [RemoveOrphan(guid) for guid in mac.orphans] + [Prove(facts=("orphans",))]
        if mac.unknown_to_preboot:
            steps.append(PROVE_PREBOOT)
        return lawful_plan(mac, steps, notes)

    def results(self, outcome: Outcome) -> dict[str, t.Any]:
        """Return the findings of before, and the one that no reading shows: it takes the password."""
        if "findings" not in outcome.before:
            return {}
        stale = {"kind": STALE, "who": self.user, "what": f"the password of {self.user} does not open its key"}
        return {"findings": [*outcome.before["findings"], *([stale] if outcome.proofs.get(OPENS) is False else [])]}

    def view(self, mac: Mac) -> dict[str, t.Any]:
        found = findings(mac)
        view: dict[str, t.Any] = {
            "findings": [{"kind": one.kind, "who": one.who, "what": one.words} for one in found],
            "promoted": list(mac.promoted),
        }
        account = mac.account(self.user)
        if account is not None:
            view.update(user=self.user, secure_token=mac.verdict_of(account), sources=account.sources.view())
        return view

    def _about_the_key(self, mac: Mac, proofs: t.Mapping[str, bool | None]) -> list[str]:
        """Return a note if macOS did not say whether the password opens the key."""
        asked = self.tries(mac, proofs) is not None and proofs.get(OPENS) is None
        return [f"it could not be checked whether the key of {self.user} follows its password"] if asked else []

    def _about_the_volume(self, mac: Mac) -> list[str]:
        """Return a note if the account does not own the volume and no granter was named who could mend that."""
        account = mac.account(self.user)
        if account is None or not mac.lacks_ownership(account) or self.admin_user not in ("", self.user):
            return []
        return [
            f"{self.user} holds a token and does not own the volume: give admin_user and admin_password of another"
            " administrator with a token, who then revokes the token and grants it again"
        ]

    # -- of one account -----------------------------------------------------------------------------------------------

    def _of_user(self, mac: Mac, proofs: t.Mapping[str, bool | None]) -> list[Step]:
        account = existing(mac, self.user)
        kinds = {finding.kind for finding in _of_account(mac, account)}
        if MARKER in kinds or KEY in kinds:
            return self._granted_again(mac, account, MARKER in kinds)
        if UNLISTED in kinds:
            granter = granter_of(mac, self.admin_user).name
            return [*self._both_checks(granter), AddUnlocker(self.user, granter), Prove((self.user,))]
        noted = repairing(self.user) in mac.pending
        if noted and account.verdict == NO_TOKEN:
            return self._granted_again(mac, account, False)
        forget: list[Step] = [Forget(repairing(self.user))] if noted else []
        mended = self._unstale(mac, account, proofs) if account.holder else []
        if not mended and mac.lacks_ownership(account) and self.admin_user not in ("", self.user):
            mended = self._revoked_and_granted(mac, account)
        return forget + mended

    def _granted_again(self, mac: Mac, account: Account, marked: bool) -> list[Step]:
        """A marker that nothing stands behind goes first: the grant must not take it for a token."""
        granter = granter_of(mac, self.admin_user).name
        note = repairing(self.user)
        noted = note in mac.pending
        steps: list[Step] = [Grant(self.user, granter), Prove((self.user,))]
        if marked and account.sources.authority:
            steps = [*([] if noted else [Note(note)]), RemoveMarker(self.user), *steps]
            noted = True
        return [*self._both_checks(granter), *steps, *([Forget(note)] if noted else [])]

    def _unstale(self, mac: Mac, account: Account, proofs: t.Mapping[str, bool | None]) -> list[Step]:
        if proofs.get(OPENS):
            return []
        if account.kind != "local" and proofs.get(OPENS) is False and "old_password" in self.given:
            raise Refusal(
                "password_elsewhere",
                f"{self.user} is a {account.kind} account: the directory keeps its password, which cannot be set back"
                " to the old one. Give admin_user and admin_password instead: they revoke its token and grant it again",
            )
        if proofs.get("password") is False and proofs.get("old_password"):
            # A run was cut off between the two halves of what follows.
            return self._set_from_old_password(account)
        if proofs.get("password") is False:
            raise Refusal("user_password_wrong", f"password is not the password of {self.user}; nothing was changed")
        if proofs.get(OPENS) is None:
            return []
        if "old_password" in self.given:
            back = SetPassword(account.name, "old", new="old_password", old="password")
            check = CheckPassword(account.name, "password", "user")
            # The old one is tried against the key before anything is set: it may be the wrong old one.
            dummy, early, change, verify = self._set_from_old_password(account)
            return [check, early, back, change, verify]
        if self.admin_user in ("", self.user):
            raise Refusal(
                "stale_key",
                f"the password of {self.user} does not open its key. Give old_password, the password from before the"
                " reset, or admin_user and admin_password of another administrator with a token",
            )
        return self._revoked_and_granted(mac, account)

    def _revoked_and_granted(self, mac: Mac, account: Account) -> list[Step]:
        """Return the steps that give the account a new token by another administrator. If it has to own the volume
        then, that is proven, and its key is tried if the volume may ask for one."""
        granter = granter_of(mac, self.admin_user).name
        off, on, prove = Revoke(self.user, granter), Grant(self.user, granter), Prove((self.user,))
        note = repairing(self.user)
        steps: list[Step] = [*self._both_checks(granter), Note(note), off, prove, on, prove, Forget(note)]
        if mac.filevault.asks:
            steps.append(VerifyKey(account.name, account.guid, "password"))
        return [*steps, Prove(facts=("volume_owner",))] if mac.lacks_ownership(account) else steps

    def _set_from_old_password(self, account: Account) -> list[Step]:
        """Return the steps that change old_password to password as the user, so that the key follows."""
        verify = VerifyKey(account.name, account.guid, "password")
        check, change = CheckPassword(account.name, "old_password", "user"), SetPassword(account.name, "old")
        return [check, VerifyKey(account.name, account.guid, "old_password", early=True), change, verify]

    def _both_checks(self, granter: str) -> list[Step]:
        return [CheckPassword(granter, "admin_password", "granter"), CheckPassword(self.user, "password", "user")]


def _of_account(mac: Mac, account: Account) -> list[Finding]:
    sources, name = account.sources, account.name
    if repairing(name) in mac.pending and account.verdict == NO_TOKEN:
        return [
            Finding(
                CUT, name, f"a repair revoked the token of {name} and was interrupted before it granted the token again"
            )
        ]
    if None in (sources.authority, sources.crypto, sources.filevault):
        return []
    if sources.crypto and sources.authority and not sources.filevault:
        return [Finding(UNLISTED, name, f"{name} holds a token and is not in FileVault's list: {sources.words()}")]
    if sources.crypto and not sources.authority:
        return [
            Finding(KEY, name, f"{name} has a key on the volume, but its record has no Secure Token: {sources.words()}")
        ]
    if mac.lacks_ownership(account):
        return [Finding(NO_OWNER, name, f"{name} holds a token and does not own the volume")]
    if not sources.crypto and (sources.authority or sources.filevault):
        return [Finding(MARKER, name, f"{name} is listed as a holder, but has no key on the volume: {sources.words()}")]
    return []
