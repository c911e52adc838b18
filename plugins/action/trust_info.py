# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the module trust_info, or send its commands to the Mac as one shell script if the task says so."""

from __future__ import annotations

import shlex
import typing as t

from ansible_collections.keyholder.macos.plugins.module_utils._reading.ask import Ask
from ansible_collections.keyholder.macos.plugins.module_utils._reading.parse import ReadingError
from ansible_collections.keyholder.macos.plugins.module_utils._reading.read import read_mac
from ansible_collections.keyholder.macos.plugins.module_utils._reading.summary import summary
from ansible_collections.keyholder.macos.plugins.module_utils._reading.view import view
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.modules.trust_info import SPEC
from ansible_collections.keyholder.macos.plugins.plugin_utils._action import Action, failure
from ansible_collections.keyholder.macos.plugins.plugin_utils._shell import Said, ScriptRunner, Unreadable

MODULE, SHELL = "module", "shell"
SH = "/bin/sh"


class ActionModule(Action):
    """Run the module of the same name."""

    _supports_async = False

    def act(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        if self._task.args.get("reader", MODULE) != SHELL:
            return self._execute_module(task_vars=task_vars)
        _valid, arguments = t.cast("t.Any", self).validate_argument_spec(SPEC)
        try:
            return {"changed": False, **self._read(arguments["timeout"], arguments["include"])}
        except Refusal as refusal:
            return failure(refusal)

    def _read(self, timeout: int, include: list[str]) -> dict[str, t.Any]:
        try:
            mac = read_mac(ScriptRunner(self._send), timeout, Ask.including(include))
        except ReadingError as problem:
            raise Refusal(problem.reason, str(problem), (str(problem),)) from problem
        except Unreadable as problem:
            raise Refusal("shell_unreadable", str(problem), (str(problem),)) from problem
        return {"mac": view(mac, include), "summary": summary(mac)}

    def _send(self, script: str) -> Said:
        """Run a script by one SSH exec, and return what came back. It goes through stdin if the connection allows it,
        because then no terminal is in between."""
        # ansible-core 2.19 says no types of it.
        execute = t.cast("t.Callable[..., dict[str, t.Any]]", self._low_level_execute_command)
        if self._connection.has_pipelining and getattr(self._connection.become, "pipelining", True):
            ran = execute(SH, in_data=script.encode("utf-8"), encoding_errors="surrogateescape")
        else:
            ran = execute(f"{SH} -c {shlex.quote(script)}", encoding_errors="surrogateescape")
        return Said(ran["rc"], *(ran[stream].encode("utf-8", "surrogateescape") for stream in ("stdout", "stderr")))
