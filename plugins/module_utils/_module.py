# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Between Ansible and the core: options in, the result contract out.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t

from ansible_collections.keyholder.macos.plugins.module_utils._command import mdmclient
from ansible_collections.keyholder.macos.plugins.module_utils._flow import Flow
from ansible_collections.keyholder.macos.plugins.module_utils._plan.filevault import ENCRYPT, RETURN, additional
from ansible_collections.keyholder.macos.plugins.module_utils._probe import ProbeError, read_mac
from ansible_collections.keyholder.macos.plugins.module_utils._reason import REASONS
from ansible_collections.keyholder.macos.plugins.module_utils._report import summary, view
from ansible_collections.keyholder.macos.plugins.module_utils._runner import ProcessRunner, Secret

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

    from ansible_collections.keyholder.macos.plugins.module_utils._flow import Request

ADMIN: dict[str, t.Any] = {
    "admin_user": {"type": "str"},
    "admin_password": {"type": "str", "no_log": True},
    "timeout": {"type": "int", "default": 120},
}
"""Options of every module that a granter authorises."""

GRANTER: dict[str, t.Any] = dict(ADMIN, first_token={"type": "bool", "default": False})
"""Options of the modules that grant Secure Tokens; documented in the fragment _granter."""

RECOVERY_KEY: dict[str, t.Any] = {
    "recovery_key": {
        "type": "str",
        "choices": ["discard", "return", "encrypt"],
        "default": "discard",
        "no_log": False,
    },
    "recipients": {"type": "list", "elements": "str", "default": []},
}
"""Options of the modules that may come by a new recovery key; documented in the fragment _recovery_key."""

_PASSWORDS = ("password", "old_password", "admin_password", "current_key")


def secrets(module: AnsibleModule) -> dict[str, Secret]:
    """The password options that have a value."""
    given = {option: module.params.get(option) for option in _PASSWORDS}
    others = module.params.get("additional_users") or []
    given.update({additional(index): other["password"] for index, other in enumerate(others)})
    return {option: Secret(value) for option, value in given.items() if value is not None}


def change(module: AnsibleModule, request: Request) -> t.NoReturn:
    """Carry ``request`` out and end the module."""
    _positive_timeout(module)
    recipients = module.params.get("recipients") or []
    flow = Flow(_runner(module), secrets(module), module.params["timeout"], recipients)
    outcome = flow.run(request, module.check_mode)
    result: dict[str, t.Any] = {
        "changed": outcome.changed,
        "state": {"before": outcome.before, "after": outcome.after},
        "diff": {"before": outcome.before, "after": outcome.after},
        "plan": outcome.plan,
    }
    if module.params.get("recovery_key") == RETURN:
        result["recovery_key"] = outcome.recovery_key
    elif module.params.get("recovery_key") == ENCRYPT:
        result["recovery_key_encrypted"] = outcome.recovery_key
    for note in outcome.notes:
        module.warn(note)
    refusal = outcome.refusal
    if refusal is not None:
        _fail(module, refusal.reason, refusal.msg, list(refusal.evidence), result)
    module.exit_json(**result)


def read(module: AnsibleModule) -> t.NoReturn:
    """Read the Mac and end the module."""
    _positive_timeout(module)
    try:
        mac = read_mac(_runner(module), module.params["timeout"])
    except ProbeError as exc:
        _fail(module, "not_a_mac", str(exc), [str(exc)], {})
    module.exit_json(changed=False, mac=view(mac), summary=summary(mac))


def _positive_timeout(module: AnsibleModule) -> None:
    if module.params["timeout"] < 1:
        _fail(module, "value_unusable", f"timeout is {module.params['timeout']}, and must be a second at least", [], {})


def _fail(module: AnsibleModule, reason: str, msg: str, evidence: list[str], result: dict[str, t.Any]) -> t.NoReturn:
    remedy = REASONS[reason].remedy
    result.update(reason=reason, evidence=evidence, remedy=remedy)
    module.fail_json(msg=f"{msg}. {remedy} [{reason}]", **result)


def _runner(module: AnsibleModule) -> ProcessRunner:
    def find(program: str) -> str:
        path = module.get_bin_path(program, opt_dirs=[mdmclient.FOLDER])
        if path is None:
            raise LookupError(program)
        return str(path)

    return ProcessRunner(find)
