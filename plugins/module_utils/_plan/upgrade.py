# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From "this Mac should run at least this macOS" and a reading, to steps or a refusal. Pure.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.keyholder.macos.plugins.module_utils._command import startosinstall
from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac
from ansible_collections.keyholder.macos.plugins.module_utils._offer import Offer, choose, minimum, wanted
from ansible_collections.keyholder.macos.plugins.module_utils._plan.filevault import holder
from ansible_collections.keyholder.macos.plugins.module_utils._plan.paths import absolute, for_root_to_start
from ansible_collections.keyholder.macos.plugins.module_utils._plan.plan import Plan, lawful_plan, writable
from ansible_collections.keyholder.macos.plugins.module_utils._plan.request import Request
from ansible_collections.keyholder.macos.plugins.module_utils._plan.values import usable_names
from ansible_collections.keyholder.macos.plugins.module_utils._reading.ask import Ask
from ansible_collections.keyholder.macos.plugins.module_utils._ready import (
    BATTERY,
    READY,
    UPGRADE,
    Wish,
    asked_by,
    ready_for,
    refusal_of,
)
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._step.base import Step
from ansible_collections.keyholder.macos.plugins.module_utils._step.filevault import ArmRestart
from ansible_collections.keyholder.macos.plugins.module_utils._step.token import CheckPassword, VerifyKey
from ansible_collections.keyholder.macos.plugins.module_utils._step.upgrade import InstallUpdate, StartInstaller

ARMED = (
    "should the installation fail, the next restart still comes up with the volume unlocked, so restart the Mac then"
)
"""fdesetup has no command that takes an authrestart back (man)."""


@dataclass(frozen=True)
class UpgradeRequest(Request):
    """``version``: the oldest macOS that will do; "": only show what is offered. ``user``: who authorises it.
    ``given``: the options with a secret. ``install_timeout``: seconds that the installing program may take.
    ``accept``: checks of the readiness that the caller has settled. ``battery``: the percent that it must have.
    ``installer``: the path of an installer application that installs it; "": softwareupdate does."""

    version: str = ""
    user: str = ""
    install_timeout: int = 7200
    battery: int = BATTERY
    accept: tuple[str, ...] = ()
    given: frozenset[str] = frozenset()
    installer: str = ""

    @property
    def only_shows(self) -> bool:
        return not self.version

    @property
    def ask(self) -> Ask:
        parts = wanted(self.version)
        if parts is None:
            return Ask(updates=not self.version)
        asked = replace(asked_by(UPGRADE), updates_below=str(minimum(parts)), authrestart=True)
        # Of a path that will be refused nothing is read.
        if not self.installer.startswith("/") or not self.installer.isprintable():
            return asked
        return replace(asked, installer=self.installer, way=startosinstall.program_of(self.installer))

    def plan(self, mac: Mac, proofs: t.Mapping[str, bool | None]) -> Plan:
        """Return the plan. Raises :class:`Refusal`: nothing is begun that could not be authorised, or that the Mac
        would not come back from."""
        usable_names(self)
        parts = wanted(self.version)
        if parts is None and self.version:
            raise Refusal("value_unusable", f"version is {self.version!r}, and must be one such as 26, 26.1 or 15.6.1")
        if self.installer:
            self._usable_path()
        if parts is None or mac.version >= minimum(parts):
            return Plan(mac)
        writable(mac)
        offer = self._held(mac, parts) if self.installer else self._offer(mac, parts)
        # Which hardware could not be read counts as the one that asks for more.
        if mac.apple_silicon is not False:
            self._demand_owner(mac)
            self._demand_readiness(mac, self.user)
            key = mac.account(self.user)
            proving = [VerifyKey(self.user, key.guid, "password", early=True)] if key and mac.filevault.on else []
            steps: list[Step] = [CheckPassword(self.user, "password", "user"), *proving]
            return lawful_plan(mac, [*steps, self._step(offer, self.user)])
        before = self._past_the_screen(mac)
        self._demand_readiness(mac, "")
        notes = [ARMED] if before else []
        return lawful_plan(mac, [*before, self._step(offer, "")], notes)

    def view(self, mac: Mac) -> dict[str, t.Any]:
        seen: dict[str, t.Any] = {"version": str(mac.version), "build": mac.build}
        if not self.version:
            seen["offered"] = None if mac.offers is None else [one.title for one in mac.offers]
        return seen

    def _offer(self, mac: Mac, parts: tuple[int, ...]) -> Offer:
        if mac.offers is None:
            raise Refusal("reading_incomplete", "softwareupdate gave no list of what is offered", mac.unread)
        offer = choose(mac.offers, parts, mac.version)
        if offer is None:
            listed = ", ".join(one.title for one in mac.offers) or "nothing"
            msg = f"this Mac runs macOS {mac.version}, and softwareupdate offers no {self.version}; it offers {listed}"
            raise Refusal("update_not_offered", msg, tuple(one.label for one in mac.offers))
        return offer

    def _usable_path(self) -> None:
        absolute("installer", self.installer)
        if not self.installer.endswith(".app"):
            raise Refusal("value_unusable", f"installer is {self.installer!r}, and must end with .app")
        if not self.version:
            raise Refusal("option_missing", "installer is given without version: give the macOS that it is to install")

    def _held(self, mac: Mac, parts: tuple[int, ...]) -> Offer:
        """Return what the installer application would install. Raises :class:`Refusal` unless root may start it, and
        it has the macOS that was asked for."""
        for_root_to_start(mac, "installer", self.installer, startosinstall.program_of(self.installer))
        if mac.installer is None:
            msg = f"it could not be read which macOS {self.installer} has"
            raise Refusal("reading_incomplete", msg, mac.unread)
        held = Offer(self.installer, f"macOS {mac.installer}", mac.installer)
        if choose((held,), parts, mac.version) is None:
            msg = (
                f"this Mac runs macOS {mac.version}, and {self.installer} has no newer {self.version}: {mac.installer}"
            )
            raise Refusal("installer_unusable", msg, (f"DTPlatformVersion: {mac.installer}",))
        return held

    def _step(self, offer: Offer, user: str) -> Step:
        return (StartInstaller if self.installer else InstallUpdate)(offer, user, self.install_timeout)

    def _demand_owner(self, mac: Mac) -> None:
        """Raise :class:`Refusal` unless the user can authorise an update of a Mac with Apple silicon."""
        owners = ", ".join(one.name for one in mac.accounts if one.volume_owner) or "none"
        if not self.user or "password" not in self.given:
            msg = f"this Mac needs an owner of its volume: give user and password of one; owners: {owners}"
            raise Refusal("option_missing", msg)
        account = holder(mac, self.user)
        if account.volume_owner is not True:
            known = "does not own the volume" if account.volume_owner is False else "is not known to own the volume"
            raise Refusal("user_not_owner", f"{self.user} {known}; owners: {owners}", (account.sources.words(),))

    def _demand_readiness(self, mac: Mac, owner: str) -> None:
        """Raise :class:`Refusal` where something speaks against another macOS now, or could not be verified."""
        readiness = ready_for(mac, UPGRADE, Wish(owner, None, self.battery, self.accept))
        if readiness.verdict != READY:
            raise refusal_of(readiness)

    def _past_the_screen(self, mac: Mac) -> list[Step]:
        """Return what makes the restart of an Intel Mac come up with its volume unlocked. Raises :class:`Refusal` where
        it would stay at its unlock screen, with the update half done."""
        filevault = mac.filevault
        if filevault.state == "unknown":
            raise Refusal("reading_incomplete", "the status of FileVault could not be read", mac.unread)
        if not (filevault.on or filevault.busy):
            return []
        if not filevault.authrestart:
            state = filevault.state.replace("_", " ")
            msg = f"FileVault is {state}, and this Mac cannot restart past its unlock screen"
            raise Refusal("authrestart_unsupported", msg)
        if not self.user or "password" not in self.given:
            raise Refusal("option_missing", "FileVault is on: give user and password of a holder, to restart past it")
        holder(mac, self.user)
        return [CheckPassword(self.user, "password", "user"), ArmRestart(self.user)]
