# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps about passwords that are checked, and about Secure Tokens.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.keyholder.macos.plugins.module_utils._account import NO_TOKEN
from ansible_collections.keyholder.macos.plugins.module_utils._command import dscl, fdesetup, sysadminctl
from ansible_collections.keyholder.macos.plugins.module_utils._mac import with_token, without_token
from ansible_collections.keyholder.macos.plugins.module_utils._recoverable import can_be_first
from ansible_collections.keyholder.macos.plugins.module_utils._step.base import (
    Look,
    Write,
    known,
    with_changed,
)

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._code import Code, MaybeCode
    from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac
    from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command, Ran
    from ansible_collections.keyholder.macos.plugins.module_utils._step.base import Secrets


@dataclass(frozen=True)
class CheckPassword(Look):
    """Check a password before the first write. ``secret`` names the option that holds it; ``role`` is granter or
    user."""

    user: str
    secret: str
    role: t.Literal["granter", "user"]

    @property
    def words(self) -> str:
        return f"check the password of {self.user}"

    @property
    def if_wrong(self) -> Code:
        """Return the reason to stop if the password is not the account's."""
        return "granter_password_wrong" if self.role == "granter" else "user_password_wrong"

    @property
    def if_disabled(self) -> Code:
        """Return the reason to stop if macOS accepts no login of the account."""
        return "granter_disabled" if self.role == "granter" else "user_disabled"

    def needs(self, mac: Mac) -> dict[str, int]:
        return {self.secret: sysadminctl.STDIN_BYTES}


@dataclass(frozen=True)
class VerifyKey(Look):
    """Have macOS try whether a password opens the account's key on the volume. ``secret``: the option that holds it.
    ``early``: before the first write. ``needed``: no answer is a refusal as well. The Secure Enclave counts wrong ones,
    so it is only ever a password that the account has."""

    user: str
    guid: str
    secret: str
    early: bool = False
    needed: bool = False

    @property
    def words(self) -> str:
        return f"have macOS check that the password opens the key of {self.user}, which unlocks FileVault"

    def needs(self, mac: Mac) -> dict[str, int]:
        return {self.secret: sysadminctl.STDIN_BYTES}


@dataclass(frozen=True)
class Grant(Write):
    """Grant a Secure Token; a granter authorises it."""

    user: str
    granter: str

    @property
    def words(self) -> str:
        return f"grant {self.user} a Secure Token, authorised by {self.granter}"

    def after(self, mac: Mac) -> Mac:
        return mac.with_account(with_token(mac, known(mac, self.user)))

    def needs(self, mac: Mac) -> dict[str, int]:
        return _BOTH

    def commands(self, mac: Mac, secrets: Secrets) -> list[Command]:
        return [sysadminctl.grant(self.user, self.granter, secrets["admin_password"], secrets["password"])]


@dataclass(frozen=True)
class Revoke(Write):
    """Revoke a Secure Token; a granter authorises it."""

    user: str
    granter: str

    @property
    def words(self) -> str:
        return f"revoke the Secure Token of {self.user}, authorised by {self.granter}"

    def after(self, mac: Mac) -> Mac:
        return mac.with_account(without_token(mac, known(mac, self.user)))

    def needs(self, mac: Mac) -> dict[str, int]:
        return _BOTH

    def commands(self, mac: Mac, secrets: Secrets) -> list[Command]:
        return [sysadminctl.revoke(self.user, self.granter, secrets["admin_password"], secrets["password"])]


_BOTH = {"admin_password": sysadminctl.STDIN_BYTES, "password": sysadminctl.STDIN_BYTES}


@dataclass(frozen=True)
class BecomeFirstHolder(Write):
    """Let macOS hand out the Mac's first token for a login as ``user``. ``or_by_password``: whether
    :class:`SetSamePassword` follows, for where that brings none. Then a password that dscl's prompt cannot take is no
    obstacle."""

    user: str
    or_by_password: bool = False

    @property
    def words(self) -> str:
        return f"authenticate as {self.user}, so that macOS gives it the first Secure Token of this Mac"

    def after(self, mac: Mac) -> Mac:
        return mac.with_account(with_token(mac, known(mac, self.user)))

    def needs(self, mac: Mac) -> dict[str, int]:
        return {"password": sysadminctl.STDIN_BYTES if self.or_by_password else dscl.GETPASS_BYTES}

    def commands(self, mac: Mac, secrets: Secrets) -> list[Command]:
        fits = len(secrets["password"].reveal()) <= dscl.GETPASS_BYTES
        return [dscl.authenticate(self.user, secrets["password"])] if fits or not self.or_by_password else []

    def failure(self, ran: Ran) -> MaybeCode:
        reasons: dict[str, MaybeCode] = {
            "right": "",
            "wrong": "user_password_wrong",
            "disabled": "user_disabled",
            "expired": "user_disabled",
        }
        return reasons.get(dscl.authentication_answer(ran), "command_failed")


@dataclass(frozen=True)
class SetSamePassword(Write):
    """Set the password that an account has once more, which hands it the Mac's first token, see
    FIRST_TOKEN_BY_PASSWORD. Only after :class:`BecomeFirstHolder`, which shows that this is the password. Spared where
    that has brought the token: a holder's password is none that root should set."""

    user: str
    may_be_spared: t.ClassVar[bool] = True

    @property
    def words(self) -> str:
        return f"set the same password again for {self.user}, if the login brought no Secure Token"

    def spared(self, mac: Mac) -> bool:
        account = mac.account(self.user)
        return account is None or account.verdict != NO_TOKEN or not can_be_first(mac, account)

    def after(self, mac: Mac) -> Mac:
        return mac.with_account(with_token(mac, known(mac, self.user)))

    def needs(self, mac: Mac) -> dict[str, int]:
        return {"password": sysadminctl.STDIN_BYTES}

    def commands(self, mac: Mac, secrets: Secrets) -> list[Command]:
        return [sysadminctl.reset_password(self.user, secrets["password"])]


@dataclass(frozen=True)
class PreventToken(Write):
    """Tag an account, so that macOS never makes it the first holder."""

    user: str

    @property
    def words(self) -> str:
        return f"tag {self.user}, so that macOS never makes it the first holder"

    def after(self, mac: Mac) -> Mac:
        return with_changed(mac, self.user, disabled_tag=True)

    def commands(self, mac: Mac, secrets: Secrets) -> list[Command]:
        return [dscl.prevent_token(self.user)]


@dataclass(frozen=True)
class AllowToken(Write):
    """Take that tag away."""

    user: str

    @property
    def words(self) -> str:
        return f"remove the tag that kept {self.user} from becoming the first holder"

    def after(self, mac: Mac) -> Mac:
        return with_changed(mac, self.user, disabled_tag=False)

    def commands(self, mac: Mac, secrets: Secrets) -> list[Command]:
        return [dscl.allow_token(self.user)]


@dataclass(frozen=True)
class RemoveMarker(Write):
    """Take the mark of a Secure Token from a record that has no key on the volume."""

    user: str

    @property
    def words(self) -> str:
        return f"remove the mark of a Secure Token from the record of {self.user}, which has no key on the volume"

    def after(self, mac: Mac) -> Mac:
        return with_changed(mac, self.user, sources=replace(known(mac, self.user).sources, authority=False))

    def commands(self, mac: Mac, secrets: Secrets) -> list[Command]:
        return [dscl.remove_marker(self.user)]


@dataclass(frozen=True)
class RemoveOrphan(Write):
    """Remove a crypto user that belongs to no account."""

    guid: str

    @property
    def words(self) -> str:
        return f"remove the crypto user {self.guid}, which belongs to no account"

    def after(self, mac: Mac) -> Mac:
        return replace(mac, orphans=tuple(guid for guid in mac.orphans if guid != self.guid))

    def commands(self, mac: Mac, secrets: Secrets) -> list[Command]:
        return [fdesetup.remove_crypto_user(self.guid)]
