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
    from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command, Ran
    from ansible_collections.keyholder.macos.plugins.module_utils._step.base import Secrets


@dataclass(frozen=True)
class InstallUpdate(Write):
    """Have softwareupdate install a macOS and restart the Mac into it. ``user``: the owner of the volume who
    authorises it, "" on a Mac that asks for none. ``seconds``: how long the program may take."""

    unseen = True

    offer: Offer
    user: str
    seconds: int

    @property
    def words(self) -> str:
        by = f", authorised by {self.user}" if self.user else ""
        return f"install {self.offer.title} by softwareupdate{by}, and have macOS restart the Mac into it"

    def after(self, mac: Mac) -> Mac:
        return replace(mac, version=self.offer.version, build=self.offer.build or mac.build)

    def needs(self, mac: Mac) -> dict[str, int]:
        return {"password": softwareupdate.PASSWORD_BYTES} if self.user else {}

    def commands(self, mac: Mac, secrets: Secrets) -> list[Command]:
        command = softwareupdate.install(self.offer.label, self.user, secrets["password"] if self.user else None)
        return [replace(command, seconds=float(self.seconds))]

    def failure(self, ran: Ran) -> MaybeCode:
        return softwareupdate.refusal_said(ran) or ("" if ran.rc == 0 else "update_failed")


@dataclass(frozen=True)
class StartInstaller(Write):
    """Have an installer application install its macOS and restart the Mac into it. ``offer``: what it has, its path as
    the label. ``user``: the owner of the volume who authorises it, "" on a Mac that asks for none. ``seconds``: how
    long the program may take."""

    unseen = True

    offer: Offer
    user: str
    seconds: int

    @property
    def words(self) -> str:
        by = f", authorised by {self.user}" if self.user else ""
        return f"install {self.offer.title} by {self.offer.label}{by}, and have it restart the Mac"

    def after(self, mac: Mac) -> Mac:
        return replace(mac, version=self.offer.version, build=self.offer.build)

    def needs(self, mac: Mac) -> dict[str, int]:
        return {"password": startosinstall.PASSWORD_BYTES} if self.user else {}

    def commands(self, mac: Mac, secrets: Secrets) -> list[Command]:
        command = startosinstall.install(self.offer.label, self.user, secrets["password"] if self.user else None)
        return [replace(command, seconds=float(self.seconds))]

    def failure(self, ran: Ran) -> MaybeCode:
        return startosinstall.refusal_said(ran)
