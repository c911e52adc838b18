# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every module shares with Ansible: how programs are found, and how a failure is told.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import os
import sys
import typing as t

from ansible_collections.keyholder.macos.plugins.module_utils._command import mdmclient, network, system
from ansible_collections.keyholder.macos.plugins.module_utils._reason import REASONS
from ansible_collections.keyholder.macos.plugins.module_utils._runner import ProcessRunner

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

TIMEOUT = {"type": "int", "default": 120}


def runner(module: AnsibleModule) -> ProcessRunner:
    """Programs are found on PATH, then in the system's directories."""

    def find(program: str) -> str:
        path = module.get_bin_path(program, opt_dirs=[mdmclient.FOLDER, network.FOLDER])
        if path is None:
            raise LookupError(program)
        if program in system.RESTART.argv and sys.platform != "darwin":
            _guard_host(path, find("fdesetup"))
        return str(path)

    if module.params["timeout"] < 1:
        msg = f"timeout is {module.params['timeout']}, and must be a second at least"
        fail(module, "value_unusable", msg, [], {})
    return ProcessRunner(find)


def _guard_host(restarter: str, witness: str) -> None:
    """A Mac that is only played on a host of another kind has its programs in one folder. That host's own shutdown is
    elsewhere, and must never be started."""
    if os.path.dirname(restarter) != os.path.dirname(witness):
        raise LookupError(restarter)


def fail(module: AnsibleModule, reason: str, msg: str, evidence: list[str], result: dict[str, t.Any]) -> t.NoReturn:
    """End the module with the result contract's account of a failure."""
    remedy = REASONS[reason].remedy
    module.fail_json(msg=f"{msg}. {remedy} [{reason}]", reason=reason, evidence=evidence, remedy=remedy, **result)
