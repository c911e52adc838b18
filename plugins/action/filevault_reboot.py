# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restart the Mac by the module filevault_reboot, and wait for it on the controller."""

from __future__ import annotations

import time
import typing as t

from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.plugin_utils._action import failure, failure_after
from ansible_collections.keyholder.macos.plugins.plugin_utils._login import Login, Lookout, demand_ssh
from ansible_collections.keyholder.macos.plugins.plugin_utils._restart import Wait
from ansible_collections.keyholder.macos.plugins.plugin_utils._restarting import RestartingAction
from ansible_collections.keyholder.macos.plugins.plugin_utils._unlock import foreign


class ActionModule(RestartingAction):
    """Run the module of the same name."""

    def check(self) -> None:
        """Raise :class:`Refusal`, before the Mac is restarted, if it could not be unlocked afterwards."""
        super().check()
        if boolean(self._task.args.get("ssh_unlock") or False):
            demand_ssh(self._connection, "ssh_unlock")

    def act(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        foreseen = self.foresee(task_vars)
        unlocker = self._unlocker()
        pinned = unlocker is not None and _may_wait(foreseen)
        if foreseen.get("failed") or (self._task.check_mode and not pinned):
            return foreseen
        lookout = Lookout(self._connection, pinned)
        first = lookout.by_key() if self._task.check_mode else lookout.look()
        if pinned and first.door == "foreign":
            return {**foreseen, **failure(foreign(first))}
        if self._task.check_mode:
            return foreseen
        if first.booted is None:
            refusal = Refusal("not_a_mac", "the host does not say when it started", (first.said,))
            return {**foreseen, **failure(refusal)}
        start = time.monotonic()
        done = self.until_cut(task_vars)
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
