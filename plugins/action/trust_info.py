# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module trust_info; where the task says so, its commands go to the Mac as one shell script instead."""

from __future__ import annotations

import shlex
import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.keyholder.macos.plugins.module_utils._probe import (
    EXTRAS,
    ProbeError,
    at_once,
    read_mac,
)
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._report import summary, view
from ansible_collections.keyholder.macos.plugins.plugin_utils._shell import Said, ScriptRunner, Unreadable

MODULE, SHELL = "module", "shell"
SH = "/bin/sh"


class ActionModule(ActionBase):
    """See the module of the same name."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        if self._task.args.get("reader", MODULE) != SHELL:
            # A value that is neither is for the module to refuse.
            result.update(self._execute_module(task_vars=task_vars))
            return result
        _valid, arguments = t.cast("t.Any", self).validate_argument_spec(
            {
                "reader": {"type": "str", "choices": [MODULE, SHELL], "default": MODULE},
                "include": {"type": "list", "elements": "str", "choices": list(EXTRAS), "default": []},
                "timeout": {"type": "int", "default": 120},
            }
        )
        result["changed"] = False
        try:
            result.update(self._read(arguments["timeout"], arguments["include"]))
        except Refusal as refusal:
            result.update(
                failed=True,
                msg=f"{refusal.msg}. {refusal.remedy} [{refusal.reason}]",
                reason=refusal.reason,
                evidence=list(refusal.evidence),
                remedy=refusal.remedy,
            )
        return result

    def _read(self, timeout: int, include: list[str]) -> dict[str, t.Any]:
        if timeout < 1:
            raise Refusal("value_unusable", f"timeout is {timeout}, and must be a second at least")
        try:
            mac = read_mac(ScriptRunner(self._send, at_once(include)), timeout, include)
        except ProbeError as problem:
            raise Refusal(problem.reason, str(problem), (str(problem),)) from problem
        except Unreadable as problem:
            raise Refusal("shell_unreadable", str(problem), (str(problem),)) from problem
        return {"mac": view(mac, include), "summary": summary(mac)}

    def _send(self, script: str) -> Said:
        """One SSH exec. By stdin where the connection allows it: then there is no terminal in between."""
        # ansible-core 2.19 says no types of it.
        execute = t.cast("t.Callable[..., dict[str, t.Any]]", self._low_level_execute_command)
        if self._connection.has_pipelining and getattr(self._connection.become, "pipelining", True):
            ran = execute(SH, in_data=script.encode("utf-8"), encoding_errors="surrogateescape")
        else:
            ran = execute(f"{SH} -c {shlex.quote(script)}", encoding_errors="surrogateescape")
        return Said(ran["rc"], *(ran[stream].encode("utf-8", "surrogateescape") for stream in ("stdout", "stderr")))
