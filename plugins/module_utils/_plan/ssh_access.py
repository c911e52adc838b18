# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From "sshd must (not) let this account in" and a reading, to steps or a refusal. Pure.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.keyholder.macos.plugins.module_utils._command import sshd_settings
from ansible_collections.keyholder.macos.plugins.module_utils._macos import SSHD_INCLUDES
from ansible_collections.keyholder.macos.plugins.module_utils._plan.account import of_macos
from ansible_collections.keyholder.macos.plugins.module_utils._plan.plan import Plan, existing, lawful_plan
from ansible_collections.keyholder.macos.plugins.module_utils._plan.request import Request
from ansible_collections.keyholder.macos.plugins.module_utils._plan.values import usable_names
from ansible_collections.keyholder.macos.plugins.module_utils._reading.ask import Ask
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._step.general import Prove
from ansible_collections.keyholder.macos.plugins.module_utils._step.parking import AllowSsh, DenySsh

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac


@dataclass(frozen=True)
class SshAccessRequest(Request):
    """``state``: denied or allowed."""

    name: str
    state: str = "denied"

    @property
    def ask(self) -> Ask:
        if not sshd_settings.can_name(self.name):
            return Ask()
        return Ask(sshd=self.name, exists=(sshd_settings.path(self.name),))

    def plan(self, mac: Mac, proofs: t.Mapping[str, bool | None]) -> Plan:
        usable_names(self)
        if not sshd_settings.can_name(self.name):
            raise Refusal("name_unusable", f"name {self.name!r} holds a character that sshd's settings cannot name")
        if not mac.as_root:
            raise Refusal("not_root", "the reading lacks what only root can read", mac.unread)
        of_macos(mac, self.name, mac.account(self.name))
        ours = sshd_settings.path(self.name) in mac.files
        if self.state == "allowed":
            steps = [AllowSsh(self.name)] if ours else []
            left = mac.sshd_refuses and not ours
            notes = [f"sshd refuses {self.name} by settings that this collection did not write"] if left else []
            return lawful_plan(mac, steps, notes)
        existing(mac, self.name)
        if mac.version < SSHD_INCLUDES.first:
            msg = f"sshd of macOS {mac.version} reads no settings but its one file, which this collection leaves alone"
            raise Refusal("macos_too_old", msg)
        if mac.sshd_refuses is None:
            raise Refusal("reading_incomplete", f"sshd did not say whether it lets {self.name} in", mac.unread)
        if mac.sshd_refuses:
            return lawful_plan(mac, [])
        return lawful_plan(mac, [DenySsh(self.name), Prove((self.name,), ("sshd",))])

    def view(self, mac: Mac) -> dict[str, t.Any]:
        return {
            "name": self.name,
            "exists": mac.account(self.name) is not None,
            "refused_by_sshd": mac.sshd_refuses,
            "by_this_collection": sshd_settings.path(self.name) in mac.files,
        }
