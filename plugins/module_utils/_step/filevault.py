# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps about FileVault, its users and its recovery keys, and the restart that it delays.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.keyholder.macos.plugins.module_utils._command import fdesetup, sysadminctl, system
from ansible_collections.keyholder.macos.plugins.module_utils._macos import DEFERRAL_HIDES_KEY
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

_PROMPT = sysadminctl.STDIN_BYTES


def additional(index: int) -> str:
    """Return the name under which the password of an additional user travels."""
    return f"additional_users[{index}].password"


@dataclass(frozen=True)
class CheckRecipients(Look):
    """Encrypt a harmless text first: no key may be made that cannot be encrypted to its recipients."""

    @property
    def words(self) -> str:
        return "check that a recovery key can be encrypted to its recipients"


@dataclass(frozen=True)
class EnableFileVault(Write):
    """Enable FileVault. ``others``: names of additional users, who may unlock as well."""

    shows_key = True

    user: str
    others: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        return f"enable FileVault, authenticating as {', '.join((self.user,) + self.others)}"

    def after(self, mac: Mac) -> Mac:
        return _with_filevault(mac, state="on", deferred_user="", personal_key=True)

    def needs(self, mac: Mac) -> dict[str, int]:
        return dict.fromkeys(("password", *(additional(index) for index in range(len(self.others)))), _PROMPT)

    def commands(self, mac: Mac, secrets: Secrets) -> list[Command]:
        others = [fdesetup.Credentials(name, secrets[additional(index)]) for index, name in enumerate(self.others)]
        return [fdesetup.enable(fdesetup.Credentials(self.user, secrets["password"]), others)]


@dataclass(frozen=True)
class DeferFileVault(Write):
    """Have macOS enable FileVault at a later login of the user."""

    user: str
    path: str
    force_at_login: int | None = None
    ask_at_logout: bool = True
    show_key: bool = False

    @property
    def words(self) -> str:
        return f"let macOS enable FileVault when {self.user} logs in next, and write the recovery key to {self.path}"

    def after(self, mac: Mac) -> Mac:
        return _with_filevault(mac, deferred_user=self.user)

    def commands(self, mac: Mac, secrets: Secrets) -> list[Command]:
        show_key = self.show_key and mac.version >= DEFERRAL_HIDES_KEY.first
        return [fdesetup.defer(self.user, self.path, self.force_at_login, self.ask_at_logout, show_key)]


@dataclass(frozen=True)
class CancelDeferral(Write):
    """Cancel a deferred enablement."""

    @property
    def words(self) -> str:
        return "cancel the deferred enablement of FileVault"

    def after(self, mac: Mac) -> Mac:
        return _with_filevault(mac, deferred_user="")

    def commands(self, mac: Mac, secrets: Secrets) -> list[Command]:
        return [fdesetup.CANCEL_DEFERRAL]


@dataclass(frozen=True)
class DisableFileVault(Write):
    """Disable FileVault."""

    user: str

    @property
    def words(self) -> str:
        return (
            f"disable FileVault, authenticating as {self.user}, so that macOS decrypts the volume and the Mac starts"
            " without a password or recovery key"
        )

    def after(self, mac: Mac) -> Mac:
        return _with_filevault(mac, state="off", deferred_user="", personal_key=None)

    def needs(self, mac: Mac) -> dict[str, int]:
        return {"password": _PROMPT}

    def commands(self, mac: Mac, secrets: Secrets) -> list[Command]:
        return [fdesetup.disable(fdesetup.Credentials(self.user, secrets["password"]))]


@dataclass(frozen=True)
class AddUnlocker(Write):
    """Let an account unlock FileVault; a granter authorises it."""

    user: str
    granter: str

    @property
    def words(self) -> str:
        return f"let {self.user} unlock FileVault, authorised by {self.granter}"

    def after(self, mac: Mac) -> Mac:
        return _with_listing(mac, self.user, True)

    def needs(self, mac: Mac) -> dict[str, int]:
        return {"admin_password": _PROMPT, "password": _PROMPT}

    def commands(self, mac: Mac, secrets: Secrets) -> list[Command]:
        granter = fdesetup.Credentials(self.granter, secrets["admin_password"])
        return [fdesetup.add(granter, fdesetup.Credentials(self.user, secrets["password"]))]


@dataclass(frozen=True)
class RemoveUnlocker(Write):
    """No longer let an account unlock FileVault."""

    user: str

    @property
    def words(self) -> str:
        return f"take from {self.user} the right to unlock FileVault, and with it the right to authorise others"

    def after(self, mac: Mac) -> Mac:
        return _with_listing(mac, self.user, False)

    def commands(self, mac: Mac, secrets: Secrets) -> list[Command]:
        return [fdesetup.remove(self.user)]


@dataclass(frozen=True)
class _ByHolder(Write):
    """``by``: the account that authenticates, or "" for the current recovery key."""

    by: str

    def needs(self, mac: Mac) -> dict[str, int]:
        return {self._option: _PROMPT}

    @property
    def _option(self) -> str:
        return "password" if self.by else "current_key"

    @property
    def _as(self) -> str:
        return f"as {self.by}" if self.by else "with the current one"

    def _authority(self, secrets: Secrets) -> fdesetup.Credentials:
        return fdesetup.Credentials(self.by, secrets[self._option])


@dataclass(frozen=True)
class ChangeKey(_ByHolder):
    """Make a new personal recovery key."""

    shows_key = True

    unseen = True

    @property
    def words(self) -> str:
        return f"make a new personal recovery key, which replaces any earlier one, authenticating {self._as}"

    def after(self, mac: Mac) -> Mac:
        return _with_filevault(mac, personal_key=True)

    def commands(self, mac: Mac, secrets: Secrets) -> list[Command]:
        return [fdesetup.change_key(self._authority(secrets))]


@dataclass(frozen=True)
class RemoveKey(_ByHolder):
    """Remove the personal recovery key."""

    @property
    def words(self) -> str:
        return f"remove the personal recovery key, authenticating {self._as}"

    def after(self, mac: Mac) -> Mac:
        return _with_filevault(mac, personal_key=False)

    def commands(self, mac: Mac, secrets: Secrets) -> list[Command]:
        return [fdesetup.remove_key(self._authority(secrets))]


@dataclass(frozen=True)
class ValidateKey(Look):
    """Have macOS validate a recovery key. ``secret``: the option with the key, or "" for the one that a step before
    has made."""

    secret: str = ""

    @property
    def words(self) -> str:
        return "have macOS validate the recovery key"

    def needs(self, mac: Mac) -> dict[str, int]:
        return {self.secret: _PROMPT} if self.secret else {}


@dataclass(frozen=True)
class DeliverKey(Look):
    """Hand a new recovery key to the caller. ``how``: encrypt or return."""

    how: str

    @property
    def words(self) -> str:
        return "encrypt the recovery key to its recipients" if self.how == "encrypt" else "return the recovery key"


@dataclass(frozen=True)
class ReadKeyFile(Look):
    """Read the recovery key that a deferral has left in a file."""

    shows_key = True

    path: str

    @property
    def words(self) -> str:
        return f"read the recovery key that a deferral has left in {self.path}"

    def commands(self, mac: Mac, secrets: Secrets) -> list[Command]:
        return [fdesetup.read_key_file(self.path)]

    def failure(self, ran: Ran) -> MaybeCode:
        return super().failure(ran) or ("key_file_unusable" if fdesetup.new_key(ran) is None else "")

    def failed_words(self, reason: Code) -> str:
        return f"{self.path} holds no recovery key" if reason == "key_file_unusable" else super().failed_words(reason)


@dataclass(frozen=True)
class RemoveKeyFile(Write):
    """Delete the file in which a deferral has left a recovery key."""

    path: str

    @property
    def words(self) -> str:
        return f"delete {self.path}, because the task says that its recovery key is stored elsewhere"

    def after(self, mac: Mac) -> Mac:
        return replace(mac, files=mac.files - {self.path})

    def commands(self, mac: Mac, secrets: Secrets) -> list[Command]:
        return [fdesetup.remove_key_file(self.path)]


@dataclass(frozen=True)
class ArmRestart(_ByHolder):
    """Have the next restart come up with the volume unlocked."""

    unseen = True

    @property
    def words(self) -> str:
        return f"have the next restart come up with the volume unlocked, authenticating {self._as}"

    def commands(self, mac: Mac, secrets: Secrets) -> list[Command]:
        return [fdesetup.arm_restart(self._authority(secrets))]


@dataclass(frozen=True)
class Restart(Write):
    """Restart the Mac. ``locked``: it then waits to be unlocked."""

    locked: bool = False

    @property
    def words(self) -> str:
        return "restart the Mac" + (", which then waits to be unlocked over SSH" if self.locked else "")

    def commands(self, mac: Mac, secrets: Secrets) -> list[Command]:
        return [system.RESTART]


def _with_filevault(mac: Mac, **fields: t.Any) -> Mac:
    return replace(mac, filevault=replace(mac.filevault, **fields))


def _with_listing(mac: Mac, name: str, listed: bool) -> Mac:
    return with_changed(mac, name, sources=replace(known(mac, name).sources, filevault=listed))
