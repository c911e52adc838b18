# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps that install another macOS.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.keyholder.macos.plugins.module_utils._command import softwareupdate, startosinstall
from ansible_collections.keyholder.macos.plugins.module_utils._step.base import Write

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._code import MaybeCode
    from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac
    from ansible_collections.keyholder.macos.plugins.module_utils._offer import Offer
    from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command, Ran, Secret
    from ansible_collections.keyholder.macos.plugins.module_utils._step.base import Secrets


@dataclass(frozen=True)
class _Installing(Write):
    """Have a program install a macOS and restart the Mac into it. ``offer``: what it installs. ``user``: the owner of
    the volume who authorises it, "" on a Mac that asks for none. ``seconds``: how long the program may take."""

    unseen = True

    offer: Offer
    user: str
    seconds: int

    @property
    def _by(self) -> str:
        return f", authorised by {self.user}" if self.user else ""

    def _timed(self, command: Command) -> list[Command]:
        return [replace(command, seconds=float(self.seconds))]

    def _owners(self, secrets: Secrets) -> Secret | None:
        return secrets["password"] if self.user else None


@dataclass(frozen=True)
class InstallUpdate(_Installing):
    """Have softwareupdate do it."""

    @property
    def words(self) -> str:
        return f"install {self.offer.title} by softwareupdate{self._by}, and have macOS restart the Mac into it"

    def after(self, mac: Mac) -> Mac:
        return replace(mac, version=self.offer.version, build=self.offer.build or mac.build)

    def needs(self, mac: Mac) -> dict[str, int]:
        return {"password": softwareupdate.PASSWORD_BYTES} if self.user else {}

    def commands(self, mac: Mac, secrets: Secrets) -> list[Command]:
        return self._timed(softwareupdate.install(self.offer.label, self.user, self._owners(secrets)))

    def failure(self, ran: Ran) -> MaybeCode:
        return softwareupdate.refusal_said(ran) or ("" if ran.rc == 0 else "update_failed")


@dataclass(frozen=True)
class StartInstaller(_Installing):
    """Have an installer application do it, whose path is the label of the offer."""

    @property
    def words(self) -> str:
        return f"install {self.offer.title} by {self.offer.label}{self._by}, and have it restart the Mac"

    def after(self, mac: Mac) -> Mac:
        return replace(mac, version=self.offer.version, build=self.offer.build)

    def needs(self, mac: Mac) -> dict[str, int]:
        return {"password": startosinstall.PASSWORD_BYTES} if self.user else {}

    def commands(self, mac: Mac, secrets: Secrets) -> list[Command]:
        return self._timed(startosinstall.install(self.offer.label, self.user, self._owners(secrets)))

    def failure(self, ran: Ran) -> MaybeCode:
        return startosinstall.refusal_said(ran)
