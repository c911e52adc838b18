# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From "this Mac should restart, and come back by itself" and a reading, to steps or a refusal. Pure.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.keyholder.macos.plugins.module_utils._comes_back import NO, UNKNOWN, YES, after_power_cut
from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac
from ansible_collections.keyholder.macos.plugins.module_utils._macos import SSH_UNLOCKS
from ansible_collections.keyholder.macos.plugins.module_utils._plan.filevault import holder
from ansible_collections.keyholder.macos.plugins.module_utils._plan.plan import Plan, lawful_plan, writable
from ansible_collections.keyholder.macos.plugins.module_utils._plan.request import Request
from ansible_collections.keyholder.macos.plugins.module_utils._plan.values import usable_names
from ansible_collections.keyholder.macos.plugins.module_utils._reading.ask import Ask
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._step.base import Step
from ansible_collections.keyholder.macos.plugins.module_utils._step.filevault import ArmRestart, Restart, ValidateKey
from ansible_collections.keyholder.macos.plugins.module_utils._step.token import CheckPassword


@dataclass(frozen=True)
class RestartRequest(Request):
    """``given``: the options with a secret. ``ssh_unlock``: whether the Mac may wait to be unlocked by SSH.
    ``require_comes_back``: whether that must be known to work before the Mac is restarted."""

    user: str = ""
    ssh_unlock: bool = False
    given: frozenset[str] = frozenset()
    require_comes_back: bool = True

    @property
    def ask(self) -> Ask:
        return Ask(authrestart=True, restart=self.ssh_unlock, platform_sso=self.ssh_unlock)

    def plan(self, mac: Mac, proofs: t.Mapping[str, bool | None]) -> Plan:
        """Return the plan. Raises :class:`Refusal`: a Mac that would wait at its unlock screen is not restarted."""
        usable_names(self)
        writable(mac)
        filevault = mac.filevault
        if filevault.state == "unknown":
            raise Refusal("reading_incomplete", "the status of FileVault could not be read", mac.unread)
        if not (filevault.on or filevault.busy):
            return lawful_plan(mac, [Restart()])
        if filevault.authrestart:
            return lawful_plan(mac, [*self._authentication(mac), Restart()])
        if not self.ssh_unlock or mac.version < SSH_UNLOCKS.first:
            said = {False: "false", None: "nothing"}[filevault.authrestart]
            msg = (
                f"FileVault is {filevault.state.replace('_', ' ')}, and this Mac cannot restart past its unlock screen"
            )
            raise Refusal("authrestart_unsupported", msg, (f"fdesetup supportsauthrestart: {said}",))
        if not self.user or "password" not in self.given:
            raise Refusal("option_missing", "give user and password of a holder, to unlock the volume over SSH")
        holder(mac, self.user)
        steps = [CheckPassword(self.user, "password", "user"), Restart(locked=True)]
        return lawful_plan(mac, steps, self._doubts(mac))

    def view(self, mac: Mac) -> dict[str, t.Any]:
        return {"filevault": mac.filevault.state, "authrestart": mac.filevault.authrestart}

    def _doubts(self, mac: Mac) -> list[str]:
        """Return what a caller who restarts all the same should know. Raises :class:`Refusal` for any other."""
        answer = after_power_cut(mac, self.user)
        if answer.verdict == YES:
            return []
        words = {NO: "would not come back by itself", UNKNOWN: "may not come back by itself"}[answer.verdict]
        if self.require_comes_back:
            evidence = tuple(f"{fact.fact}: {fact.says}, {fact.why}" for fact in answer.because)
            raise Refusal("would_not_come_back", f"this Mac {words}: {answer.words}", evidence)
        return [f"this Mac {words}: {answer.words}"]

    def _authentication(self, mac: Mac) -> list[Step]:
        if self.user:
            holder(mac, self.user)
            return [CheckPassword(self.user, "password", "user"), ArmRestart(self.user)]
        if "current_key" in self.given:
            return [ValidateKey("current_key"), ArmRestart("")]
        raise Refusal("option_missing", "FileVault is on: give user and password of a holder, or current_key")
