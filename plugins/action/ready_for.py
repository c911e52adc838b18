# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say whether a Mac may be erased or upgraded, by one reading and the store of keys on the controller."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible_collections.keyholder.macos.plugins.module_utils._key_holder import StoredKey
from ansible_collections.keyholder.macos.plugins.module_utils._plan.values import usable_name
from ansible_collections.keyholder.macos.plugins.module_utils._ready import (
    BATTERY,
    CHECKS,
    NAMES,
    READY,
    UPGRADE,
    Wish,
    asked_by,
    ready_for,
    refusal_of,
)
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.plugin_utils._action import Action, failure
from ansible_collections.keyholder.macos.plugins.plugin_utils._key_store import stored_of

SPEC: dict[str, dict[str, t.Any]] = {
    "what": {"type": "str", "choices": list(CHECKS), "required": True},
    "user": {"type": "str"},
    "recovery_key_store": {"type": "path"},
    "battery": {"type": "int", "default": BATTERY},
    "accept": {"type": "list", "elements": "str", "choices": list(NAMES), "default": []},
    "fail": {"type": "bool", "default": True},
    "timeout": {"type": "int", "default": 120},
}


class ActionModule(Action):
    """Do the work of the module of the same name, which is documentation only."""

    _supports_async = False
    SPEC = SPEC

    def act(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        _valid, given = t.cast("t.Any", self).validate_argument_spec(SPEC)
        try:
            return self._answer(given, str(task_vars.get("inventory_hostname", "")))
        except Refusal as refusal:
            return failure(refusal)

    def _answer(self, given: dict[str, t.Any], host: str) -> dict[str, t.Any]:
        wish = _wish(given, host)
        readiness = ready_for(self.read(given["timeout"], asked_by(given["what"])), given["what"], wish)
        told = {
            "changed": False,
            "ready": readiness.verdict,
            "summary": readiness.words,
            "findings": [finding.view for finding in readiness.findings],
        }
        if readiness.verdict == READY or not given["fail"]:
            return told
        return {**failure(refusal_of(readiness)), **told}


def _wish(given: t.Mapping[str, t.Any], host: str) -> Wish:
    """Return what the options ask for. Raises :class:`Refusal`."""
    user = given["user"] or ""
    if given["what"] != UPGRADE and user:
        raise Refusal("value_unusable", "user is of an upgrade, and what is erase")
    if user:
        usable_name("user", user)
    return Wish(user, _stored(given["recovery_key_store"], host), given["battery"], tuple(given["accept"]))


def _stored(folder: str | None, host: str) -> StoredKey | None:
    return stored_of(Path(folder), host) if folder else None
