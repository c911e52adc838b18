# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module filevault_reboot restarts the Mac; this waits for it on the controller."""

from __future__ import annotations

import time
import typing as t

from ansible.errors import AnsibleConnectionFailure
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase

from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.plugin_utils._restart import Unlocker, boot_time

PAUSE = 1.0
"""Seconds between two looks."""


class ActionModule(ActionBase):
    """See the module of the same name."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        foreseen = self._foresee(task_vars)
        if self._task.check_mode or foreseen.get("failed"):
            result.update(foreseen)
            return result
        before, said = boot_time(self._connection)
        if before is None:
            refusal = Refusal("not_a_mac", "the host does not say when it started", (said,))
            result.update(foreseen, **_failure(refusal))
            return result
        start = time.monotonic()
        done = self._restart(task_vars)
        if done is not None and "reason" in done:
            result.update(done)
            return result
        # A result that was lost with the connection holds nothing that the prediction does not.
        result.update(foreseen if done is None else done)
        said = self._wait(before, start)
        result["elapsed"] = int(time.monotonic() - start)
        if said:
            waited = f"the Mac was not back after {result['elapsed']} seconds"
            result.update(_failure(Refusal("not_back", waited, (f"had started at {before:f}", said))))
        return result

    def _foresee(self, task_vars: dict[str, t.Any] | None) -> dict[str, t.Any]:
        """What the module would do; every refusal that needs no authentication comes from here."""
        asked = self._task.check_mode
        self._task.check_mode = True
        try:
            return t.cast("dict[str, t.Any]", self._execute_module(task_vars=task_vars))
        finally:
            self._task.check_mode = asked

    def _restart(self, task_vars: dict[str, t.Any] | None) -> dict[str, t.Any] | None:
        """The module's result; None where it went down with the Mac."""
        try:
            done: dict[str, t.Any] = self._execute_module(task_vars=task_vars)
        except AnsibleConnectionFailure:
            return None
        lost = done.get("unreachable") or (done.get("failed") and "reason" not in done)
        return None if lost else done

    def _wait(self, before: float, start: float) -> str:
        """What the Mac said last, where it did not come back in time; "" where it did."""
        until = start + float(self._task.args.get("reboot_timeout", 600))
        unlocker = None
        if boolean(self._task.args.get("ssh_unlock", False)):
            user, password = self._task.args.get("user", ""), self._task.args.get("password", "")
            unlocker = Unlocker(self._connection, str(user), str(password))
        while True:
            now, said = boot_time(self._connection)
            if now is not None and now > before + 1:
                return ""
            if time.monotonic() > until:
                return said
            if now is None and unlocker is not None:
                said = unlocker.attempt() or said
            time.sleep(PAUSE)


def _failure(refusal: Refusal) -> dict[str, t.Any]:
    return {
        "failed": True,
        "msg": f"{refusal.msg}. {refusal.remedy} [{refusal.reason}]",
        "reason": refusal.reason,
        "evidence": list(refusal.evidence),
        "remedy": refusal.remedy,
    }
