# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a module that has the Mac restart, and whose result the restart may cut off.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleConnectionFailure

from ansible_collections.keyholder.macos.plugins.plugin_utils._action import ran
from ansible_collections.keyholder.macos.plugins.plugin_utils._changing import ChangingAction

_NOT_STARTED = (126, 127)
"""What a shell says of a Python that is not there, or that it may not start: then nothing restarts."""


class RestartingAction(ChangingAction):
    """An action whose module restarts the Mac."""

    _supports_async = False

    def foresee(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return what the module would do; every refusal that needs no authentication comes from here."""
        asked = self._task.check_mode
        self._task.check_mode = True
        try:
            return self._execute_module(task_vars=task_vars)
        finally:
            self._task.check_mode = asked

    def until_cut(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any] | None:
        """Return the module's result; None if the restart cut it off."""
        try:
            done = self._execute_module(task_vars=task_vars)
        except AnsibleConnectionFailure:
            if not self.may_be_cut:
                raise
            return None
        if done.get("rc") in _NOT_STARTED:
            return done
        lost = not ran(done) or (done.get("failed") and "reason" not in done)
        return None if lost else done

    @property
    def may_be_cut(self) -> bool:
        """Return whether a connection that was lost may be the restart's doing."""
        return True
