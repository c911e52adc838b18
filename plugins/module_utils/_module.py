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
from ansible_collections.keyholder.macos.plugins.module_utils._plan.values import within
from ansible_collections.keyholder.macos.plugins.module_utils._reason import REASONS, Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._runner import ProcessRunner

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

TIMEOUT = {"type": "int", "default": 120}

WHOLE_REASON = "keyholder_reason"
"""In a module's result, for the action beside it: the reason code as a key, as Ansible masks what is a word of a
secret in values only."""


def runner(module: AnsibleModule) -> ProcessRunner:
    """Programs are found on PATH, then in the system's directories."""

    def find(program: str) -> str:
        path = module.get_bin_path(program, opt_dirs=[mdmclient.FOLDER, network.FOLDER])
        if path is None:
            raise LookupError(program)
        if program in system.RESTART.argv and sys.platform != "darwin":
            _guard_host(path, find("fdesetup"))
        return str(path)

    try:
        within(module.params)
    except Refusal as refusal:
        fail(module, refusal.reason, refusal.msg, [], {})
    return ProcessRunner(find)


def _guard_host(restarter: str, witness: str) -> None:
    """A Mac that is only played on a host of another kind has its programs in one folder. That host's own shutdown is
    elsewhere, and must never be started."""
    if os.path.dirname(restarter) != os.path.dirname(witness):
        raise LookupError(restarter)


def fail(module: AnsibleModule, reason: str, msg: str, evidence: list[str], result: dict[str, t.Any]) -> t.NoReturn:
    """End the module with the result contract's account of a failure."""
    remedy = REASONS[reason].remedy
    whole: dict[str, t.Any] = {WHOLE_REASON: {reason: True}}
    msg = f"{msg}. {remedy} [{reason}]"
    module.fail_json(msg=msg, reason=reason, evidence=evidence, remedy=remedy, **whole, **result)
