# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From "the Bootstrap Token should (not) be escrowed" and a reading, to steps or a refusal. Pure.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.keyholder.macos.plugins.module_utils._mac import ESCROWED, Mac
from ansible_collections.keyholder.macos.plugins.module_utils._macos import BOOTSTRAP_TOKEN, USER_APPROVED_ESCROWS
from ansible_collections.keyholder.macos.plugins.module_utils._plan.plan import Plan, lawful_plan, writable
from ansible_collections.keyholder.macos.plugins.module_utils._plan.request import Request
from ansible_collections.keyholder.macos.plugins.module_utils._plan.token import granter_of
from ansible_collections.keyholder.macos.plugins.module_utils._plan.values import usable_names
from ansible_collections.keyholder.macos.plugins.module_utils._reading.ask import Ask
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._step.base import Step
from ansible_collections.keyholder.macos.plugins.module_utils._step.bootstrap import (
    EscrowBootstrap,
    RemoveBootstrap,
    ValidateBootstrap,
)
from ansible_collections.keyholder.macos.plugins.module_utils._step.general import Prove
from ansible_collections.keyholder.macos.plugins.module_utils._step.token import CheckPassword


@dataclass(frozen=True)
class BootstrapRequest(Request):
    """``state``: escrowed, absent or validated."""

    state: str
    admin_user: str = ""

    @property
    def ask(self) -> Ask:
        return Ask(preflight=True)

    def plan(self, mac: Mac, proofs: t.Mapping[str, bool | None]) -> Plan:
        usable_names(self)
        writable(mac)
        status = mac.management.bootstrap
        if self.state == "absent" and status not in (*ESCROWED, "unknown"):
            return lawful_plan(mac, ())
        if self.state == "escrowed" and status in ESCROWED:
            return lawful_plan(mac, ())
        if self.state == "validated" and status == "valid":
            return lawful_plan(mac, ())
        _possible(mac)
        if self.state == "validated" and status not in ESCROWED:
            raise Refusal("bootstrap_not_escrowed", "there is no escrowed Bootstrap Token to validate")
        granter = granter_of(mac, self.admin_user).name
        check: Step = CheckPassword(granter, "admin_password", "granter")
        if self.state == "validated":
            return lawful_plan(mac, [check, ValidateBootstrap(granter)])
        change: Step = EscrowBootstrap(granter) if self.state == "escrowed" else RemoveBootstrap(granter)
        return lawful_plan(mac, [check, change, Prove(facts=("bootstrap",))])

    def view(self, mac: Mac) -> dict[str, t.Any]:
        management = mac.management
        return {
            "status": management.bootstrap,
            "supported_on_server": management.supported,
            "crypto_user": management.bootstrap_crypto_user,
            "preflight": management.preflight,
            "enrolled": management.enrolled,
        }


def _possible(mac: Mac) -> None:
    management = mac.management
    if mac.version < BOOTSTRAP_TOKEN.first:
        raise Refusal("bootstrap_unsupported", f"macOS {mac.version} has no Bootstrap Token; it came with 10.15")
    if management.enrolled is None:
        raise Refusal("reading_incomplete", "the enrolment in MDM could not be read", mac.unread)
    if not management.enrolled:
        raise Refusal("not_enrolled", "this Mac is not enrolled in MDM")
    if not management.automated and mac.version < USER_APPROVED_ESCROWS.first:
        raise Refusal("not_enrolled", f"macOS {mac.version} makes a Bootstrap Token only after automated enrolment")
    if not (management.automated or management.user_approved):
        raise Refusal("not_enrolled", "the enrolment was not approved by the user")
    if management.supported is False:
        raise Refusal("bootstrap_unsupported", "the MDM server does not support the Bootstrap Token")
    if management.bootstrap == "unknown":
        raise Refusal("reading_incomplete", "the status of the Bootstrap Token could not be read", mac.unread)
