# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read a Mac by one shell script from the controller, or by the module trust_info on the Mac if the task says so."""

from __future__ import annotations

import contextlib
import time
import typing as t

from ansible.errors import AnsibleAuthenticationFailure, AnsibleConnectionFailure, AnsibleError

from ansible_collections.keyholder.macos.plugins.module_utils._reading.ask import Ask
from ansible_collections.keyholder.macos.plugins.module_utils._reading.summary import summary
from ansible_collections.keyholder.macos.plugins.module_utils._reading.view import view
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.modules.trust_info import SPEC
from ansible_collections.keyholder.macos.plugins.plugin_utils._action import Action, failure
from ansible_collections.keyholder.macos.plugins.plugin_utils._foreseen import foreseen
from ansible_collections.keyholder.macos.plugins.plugin_utils._login import uses_password

BY_PASSWORD = (
    "Ansible logs in to this Mac by password, and that authenticates the account: on a Mac without a holder of a Secure"
    " Token it can grant the first one, and a Mac with macOS 26 or newer that waits at FileVault's unlock screen takes"
    " it for an attempt to unlock it. Log in by key where reading must change nothing"
)

PAUSE = 5.0
"""Seconds between two looks at a Mac that does not answer."""


class ActionModule(Action):
    """Do the work of the module of the same name, or run it."""

    _supports_async = False

    def act(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        _valid, arguments = t.cast("t.Any", self).validate_argument_spec(SPEC)
        notes = [BY_PASSWORD] if uses_password(self._connection) else []
        answer = self._waited(task_vars, arguments, 0 if notes else arguments["wait"])
        # Beside the warnings, which ansible-core does not keep in a loop's results.
        return {**answer, "notes": notes, "warnings": [*answer.get("warnings", ()), *notes]}

    def _waited(
        self, task_vars: dict[str, t.Any], arguments: t.Mapping[str, t.Any], seconds: float
    ) -> dict[str, t.Any]:
        """Return the answer of a Mac that may take these seconds until it lets us in."""
        end = time.monotonic() + seconds
        while True:
            try:
                return self._answer(task_vars, arguments)
            except AnsibleAuthenticationFailure:
                raise
            except AnsibleConnectionFailure:
                left = end - time.monotonic()
                if left <= 0:
                    raise
            with contextlib.suppress(AnsibleError, AttributeError):
                self._connection.reset()
            time.sleep(min(PAUSE, left))

    def _answer(self, task_vars: dict[str, t.Any], arguments: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        if arguments["reader"] == "module":
            return self._execute_module(task_vars=task_vars)
        try:
            return {"changed": False, **self._read(arguments["timeout"], arguments["include"], task_vars)}
        except Refusal as refusal:
            return failure(refusal)

    def _read(self, timeout: int, include: list[str], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        foresee = foreseen(task_vars, self._templar.template, bool(self._task.check_mode))
        mac = foresee(self.read(timeout, Ask.including(include)))
        return {"mac": view(mac, include), "summary": summary(mac)}
