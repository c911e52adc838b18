# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a changing module's options to a run of the flow, and back to the result contract.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t

from ansible_collections.keyholder.macos.plugins.module_utils._flow import Flow
from ansible_collections.keyholder.macos.plugins.module_utils._module import TIMEOUT, fail, runner
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Secret

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

    from ansible_collections.keyholder.macos.plugins.module_utils._flow import Request

GRANTER: dict[str, t.Any] = {
    "admin_user": {"type": "str"},
    "admin_password": {"type": "str", "no_log": True},
    "first_token": {"type": "bool", "default": False},
    "timeout": TIMEOUT,
}
"""Options of every module that a granter authorises; documented in the fragment _granter."""

_PASSWORDS = ("password", "old_password", "admin_password")


def secrets(module: AnsibleModule) -> dict[str, Secret]:
    """The password options that have a value."""
    given = {option: module.params.get(option) for option in _PASSWORDS}
    return {option: Secret(value) for option, value in given.items() if value is not None}


def change(module: AnsibleModule, request: Request) -> t.NoReturn:
    """Carry ``request`` out and end the module."""
    outcome = Flow(runner(module), secrets(module), module.params["timeout"]).run(request, module.check_mode)
    result: dict[str, t.Any] = {
        "changed": outcome.changed,
        "state": {"before": outcome.before, "after": outcome.after},
        "diff": {"before": outcome.before, "after": outcome.after},
        "plan": outcome.plan,
    }
    for note in outcome.notes:
        module.warn(note)
    refusal = outcome.refusal
    if refusal is not None:
        fail(module, refusal.reason, refusal.msg, list(refusal.evidence), result)
    module.exit_json(**result)
