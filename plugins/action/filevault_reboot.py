# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restart the Mac by the module filevault_reboot, and wait for it on the controller."""

from __future__ import annotations

import time
import typing as t

from ansible.errors import AnsibleConnectionFailure
from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.plugin_utils._action import failure, failure_after, ran
from ansible_collections.keyholder.macos.plugins.plugin_utils._changing import ChangingAction
from ansible_collections.keyholder.macos.plugins.plugin_utils._login import Login, Lookout, demand_ssh
from ansible_collections.keyholder.macos.plugins.plugin_utils._restart import Wait
from ansible_collections.keyholder.macos.plugins.plugin_utils._unlock import foreign

_NOT_STARTED = (126, 127)
"""What a shell says of a Python that is not there, or that it may not start: then nothing restarts."""


class ActionModule(ChangingAction):
    """Run the module of the same name."""

    _supports_async = False

    def check(self) -> None:
        """Raise :class:`Refusal`, before the Mac is restarted, if it could not be unlocked afterwards."""
        super().check()
        if boolean(self._task.args.get("ssh_unlock") or False):
            demand_ssh(self._connection, "ssh_unlock")

    def act(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        foreseen = self._foresee(task_vars)
        unlocker = self._unlocker()
        pinned = unlocker is not None and _may_wait(foreseen)
        lookout = Lookout(self._connection, pinned)
        if pinned and not foreseen.get("failed"):
            met = lookout.by_key()
            if met.door == "foreign":
                return {**foreseen, **failure(foreign(met))}
        if self._task.check_mode or foreseen.get("failed"):
            return foreseen
        first = lookout.look()
        if first.booted is None:
            refusal = Refusal("not_a_mac", "the host does not say when it started", (first.said,))
            return {**foreseen, **failure(refusal)}
        start = time.monotonic()
        done = self._restart(task_vars)
        if done is not None and "reason" in done:
            return done
        # A result that was lost with the connection holds nothing that the prediction does not.
        result = foreseen if done is None else done
        wait = Wait(lookout, first.booted, unlocker, _may_wait(foreseen))
        back = wait.until(start + float(self._task.args.get("reboot_timeout", 600)))
        result["elapsed"] = int(time.monotonic() - start)
        if back:
            return result
        waited = f"the Mac was not back after {result['elapsed']} seconds"
        return failure_after(result, Refusal(wait.reason, waited, wait.evidence))

    def _foresee(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return what the module would do; every refusal that needs no authentication comes from here."""
        asked = self._task.check_mode
        self._task.check_mode = True
        try:
            return self._execute_module(task_vars=task_vars)
        finally:
            self._task.check_mode = asked

    def _restart(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any] | None:
        """Return the module's result; None if the restart cut it off."""
        try:
            done = self._execute_module(task_vars=task_vars)
        except AnsibleConnectionFailure:
            return None
        if done.get("rc") in _NOT_STARTED:
            return done
        lost = not ran(done) or (done.get("failed") and "reason" not in done)
        return None if lost else done

    def _unlocker(self) -> Login | None:
        if not boolean(self._task.args.get("ssh_unlock") or False):
            return None
        user, password = (str(self._task.args.get(option) or "") for option in ("user", "password"))
        return Login(self._connection, user, password, pinned=True) if password else None


def _may_wait(foreseen: t.Mapping[str, t.Any]) -> bool:
    """Tell whether the Mac has an unlock screen to wait at, by the module's result. What is not known may be."""
    state = foreseen.get("state")
    before = state.get("before") if isinstance(state, dict) else None
    return not isinstance(before, dict) or before.get("filevault") != "off"
