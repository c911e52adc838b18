# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps about the Bootstrap Token. profiles asks for the granter at a terminal only.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.keyholder.macos.plugins.module_utils._command import profiles
from ansible_collections.keyholder.macos.plugins.module_utils._macos import ERASE_PREFLIGHT
from ansible_collections.keyholder.macos.plugins.module_utils._step.base import Look, Step, Write

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._code import MaybeCode
    from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac
    from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command, Ran
    from ansible_collections.keyholder.macos.plugins.module_utils._step.base import Secrets


@dataclass(frozen=True)
class _ByProfiles(Step):
    """Have profiles do something with the Bootstrap Token: ``verb``."""

    verb: t.ClassVar[str]
    at_a_terminal = True
    granter: str

    def needs(self, mac: Mac) -> dict[str, int]:
        return {"admin_password": profiles.TTY_BYTES}

    def commands(self, mac: Mac, secrets: Secrets) -> list[Command]:
        return [profiles.bootstrap(self.verb, self.granter, secrets["admin_password"])]


@dataclass(frozen=True)
class EscrowBootstrap(_ByProfiles, Write):
    """Create a Bootstrap Token and escrow it."""

    verb = "install"

    @property
    def words(self) -> str:
        return f"create a Bootstrap Token and escrow it to the MDM server, authorised by {self.granter}"

    def after(self, mac: Mac) -> Mac:
        """Return the Mac with a token that works, if its macOS can say whether one does."""
        says_so = mac.version >= ERASE_PREFLIGHT.first
        return _with_token(mac, "valid" if says_so else "escrowed_unproven", True, True if says_so else None)


@dataclass(frozen=True)
class RemoveBootstrap(_ByProfiles, Write):
    """Remove the Bootstrap Token."""

    verb = "remove"

    @property
    def words(self) -> str:
        return f"remove the Bootstrap Token, authorised by {self.granter}, so that no account gets a token by itself"

    def after(self, mac: Mac) -> Mac:
        return _with_token(mac, "not_escrowed", False, False if mac.version >= ERASE_PREFLIGHT.first else None)


@dataclass(frozen=True)
class ValidateBootstrap(_ByProfiles, Look):
    """Have macOS validate the Bootstrap Token, which takes an authentication."""

    verb = "validate"

    @property
    def words(self) -> str:
        return f"have macOS validate the Bootstrap Token, authenticating as {self.granter}"

    def after(self, mac: Mac) -> Mac:
        return _with_token(mac, "valid", mac.management.bootstrap_crypto_user, mac.management.preflight)

    def failure(self, ran: Ran) -> MaybeCode:
        return "" if profiles.validated(ran) else profiles.bootstrap_reason(ran) or "bootstrap_stale"


def _with_token(mac: Mac, status: str, crypto_user: bool | None, preflight: bool | None) -> Mac:
    managed = replace(mac.management, bootstrap=status, bootstrap_crypto_user=crypto_user, preflight=preflight)
    return replace(mac, management=managed)
