# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every module shares with Ansible: how programs are found, and how a failure is told.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t

from ansible_collections.keyholder.macos.plugins.module_utils._command import mdmclient
from ansible_collections.keyholder.macos.plugins.module_utils._reason import REASONS
from ansible_collections.keyholder.macos.plugins.module_utils._runner import ProcessRunner

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

TIMEOUT = {"type": "int", "default": 120}


def runner(module: AnsibleModule) -> ProcessRunner:
    """Programs are found on PATH, then in the system's directories."""

    def find(program: str) -> str:
        path = module.get_bin_path(program, opt_dirs=[mdmclient.FOLDER])
        if path is None:
            raise LookupError(program)
        return str(path)

    if module.params["timeout"] < 1:
        msg = f"timeout is {module.params['timeout']}, and must be a second at least"
        fail(module, "value_unusable", msg, [], {})
    return ProcessRunner(find)


def fail(module: AnsibleModule, reason: str, msg: str, evidence: list[str], result: dict[str, t.Any]) -> t.NoReturn:
    """End the module with the result contract's account of a failure."""
    remedy = REASONS[reason].remedy
    module.fail_json(msg=f"{msg}. {remedy} [{reason}]", reason=reason, evidence=evidence, remedy=remedy, **result)
