# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Have the Mac install another macOS by the module macos_upgrade, and wait on the controller until it runs that."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.keyholder.macos.plugins.module_utils._command import system
from ansible_collections.keyholder.macos.plugins.module_utils._macos import Version
from ansible_collections.keyholder.macos.plugins.module_utils._offer import minimum, wanted
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.plugin_utils._action import failure, failure_after
from ansible_collections.keyholder.macos.plugins.plugin_utils._login import Lookout
from ansible_collections.keyholder.macos.plugins.plugin_utils._restart import Wait
from ansible_collections.keyholder.macos.plugins.plugin_utils._restarting import RestartingAction
from ansible_collections.keyholder.macos.plugins.plugin_utils._shell import ScriptRunner


class ActionModule(RestartingAction):
    """Run the module of the same name."""

    def act(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        foreseen = self.foresee(task_vars)
        state = foreseen.get("state") or {}
        upgrades = state.get("before") != state.get("after")
        if self._task.check_mode or foreseen.get("failed") or not upgrades:
            # What else there is to do, as healing what an earlier run has left, needs no restart.
            whole = self._task.check_mode or foreseen.get("failed") or not foreseen.get("changed")
            return foreseen if whole else self._execute_module(task_vars=task_vars)
        lookout = Lookout(self._connection)
        first = lookout.look()
        if first.booted is None:
            refusal = Refusal("not_a_mac", "the host does not say when it started", (first.said,))
            return {**foreseen, "changed": False, **failure(refusal)}
        start = time.monotonic()
        done = self.until_cut(task_vars)
        if done is not None and ("reason" in done or not done.get("changed")):
            return done
        # A result that was lost with the connection holds nothing that the prediction does not.
        result = foreseen if done is None else done
        wait = Wait(lookout, first.booted, None, may_wait=True)
        back = wait.until(time.monotonic() + float(self._task.args.get("reboot_timeout", 3600)))
        result["elapsed"] = int(time.monotonic() - start)
        result["changed"] = True
        if back:
            return self._compared(result, state["before"])
        if wait.stayed:
            msg = f"the Mac accepted the update, and had not restarted after {result['elapsed']} seconds"
            return failure_after(result, Refusal("update_not_begun", msg, wait.evidence))
        msg = f"the Mac was not back after {result['elapsed']} seconds"
        return failure_after(result, Refusal(wait.reason, msg, wait.evidence))

    @property
    def may_be_cut(self) -> bool:
        # Before anything was begun, nothing is worth an hour's wait.
        return self.may_have_written

    def _compared(self, result: dict[str, t.Any], before: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return the result by what the Mac says of itself now: nothing else is a success."""
        found = self._system()
        after = {"version": found.version and str(Version.parse(found.version)), "build": found.build}
        result["state"] = {"before": before, "after": after}
        result["diff"] = result["state"]
        parts = wanted(str(self._task.args.get("version") or "")) or ()
        if not found.version or Version.parse(found.version) < minimum(parts):
            was, now = (f"macOS {one['version'] or 'unknown'} ({one['build']})" for one in (before, after))
            msg = f"the Mac has restarted, and runs {now}"
            return failure_after(result, Refusal("not_updated", msg, (f"before: {was}", f"after: {now}")))
        return result

    def _system(self) -> system.System:
        """Return what the Mac says of its macOS."""
        runner = ScriptRunner(self.send)
        found = system.parse_sysctl(runner.run(system.SYSCTL))
        return found if found.version else system.with_sw_vers(found, runner.run(system.SW_VERS))
