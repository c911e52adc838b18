# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for a module: writes down what its task gives it, and returns what the case says."""

from __future__ import annotations

import json
import os
from typing import Any

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):  # type: ignore[misc]
    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        variables = task_vars or {}
        module = self._task.action.rsplit(".", 1)[-1]
        call = {
            "case": str(variables.get("case") or variables["inventory_hostname"]),
            "host": str(variables["inventory_hostname"]),
            "module": module,
            "options": plain(self._task.args),
            "check": bool(self._task.check_mode),
        }
        with open(os.environ["KEYHOLDER_CALLS"], "a", encoding="utf-8") as calls:
            calls.write(json.dumps(call) + "\n")
        with open(os.environ["KEYHOLDER_ANSWERS"], encoding="utf-8") as answers:
            result: dict[str, Any] = json.load(answers)[module]
        return {**result, **plain(variables.get("answers", {})).get(module, {})}


def plain(value: Any) -> Any:
    """Without Ansible's own types, which mean the same and differ by version."""
    if isinstance(value, dict):
        return {str(key): plain(value[key]) for key in value}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if value is None or isinstance(value, bool):
        return value
    return int(value) if isinstance(value, int) else str(value)
