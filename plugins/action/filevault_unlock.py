# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unlock a Mac that waits at FileVault's unlock screen, from the controller, and wait for macOS there."""

from __future__ import annotations

import contextlib
import re
import typing as t

from ansible_collections.keyholder.macos.plugins.module_utils._command import sshd
from ansible_collections.keyholder.macos.plugins.module_utils._macos import Version
from ansible_collections.keyholder.macos.plugins.module_utils._plan.values import shortened, usable_name
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._run.check import unusable
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Secret
from ansible_collections.keyholder.macos.plugins.module_utils._text import plain
from ansible_collections.keyholder.macos.plugins.plugin_utils._action import QUIET, failure, failure_after
from ansible_collections.keyholder.macos.plugins.plugin_utils._changing import ChangingAction
from ansible_collections.keyholder.macos.plugins.plugin_utils._login import Login, Lookout, demand_ssh
from ansible_collections.keyholder.macos.plugins.plugin_utils._options import is_text, kind_of
from ansible_collections.keyholder.macos.plugins.plugin_utils._unlock import Ended, Unlock

SPEC: dict[str, dict[str, t.Any]] = {
    "user": {"type": "str", "required": True},
    "password": {"type": "str", "required": True, "no_log": True},
    "macos": {"type": "raw"},
    "wait": {"type": "int", "default": 0},
    "reboot_timeout": {"type": "int", "default": 600},
}

_SPENT: dict[tuple[str, str, str, str, str], dict[str, t.Any]] = {}
"""What came of a password that did not unlock its Mac, by task, Mac and account. The rounds of ``retries`` and of a
loop over one Mac are one process: each of them would be one more of ten attempts."""


class ActionModule(ChangingAction):
    """Do the work of the module of the same name, which is documentation only."""

    _supports_async = False
    SPEC = SPEC

    def check(self) -> None:
        """Raise :class:`Refusal`, before the Mac is looked at, for what could not unlock it."""
        super().check()
        for option in ("user", "password"):
            if not str(self._task.args[option]):
                raise Refusal("option_missing", f"{option} is empty")
        usable_name("user", str(self._task.args["user"]))
        problem = unusable(Secret(str(self._task.args["password"])), sshd.PASSWORD_BYTES)
        if problem:
            raise Refusal("password_unusable", f"password {problem}, so it cannot be typed at SSH's prompt")
        self._version()
        demand_ssh(self._connection, self._name)

    def act(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return what came of it, or what would."""
        _valid, given = t.cast("t.Any", self).validate_argument_spec(SPEC)
        # Two Macs behind one gateway differ by the port alone.
        port, mac = self._connection.get_option("port"), str(self._play_context.remote_addr)
        key = (self._task._uuid, str(self._task.delegate_to), mac, str(port), given["user"])
        if key in _SPENT:
            return dict(_SPENT[key])
        login = Login(self._connection, given["user"], given["password"], pinned=True)
        lookout = Lookout(self._connection, pinned=True)
        unlock = Unlock(lookout, login, given["user"], self._version())
        ended = unlock.run(bool(self._task.check_mode), given["wait"], given["reboot_timeout"])
        result = _result(ended, given["user"])
        if task_vars.get(QUIET) and ended.outcome == "no_answer" and not ended.sent:
            result["unreached"] = True
        if ended.sent and result.get("failed"):
            _SPENT[key] = result
        return result

    def _version(self) -> Version | None:
        """Return the Mac's version, None if it is not known. 26.1 without quotes is a number, and tells enough.
        Raises :class:`Refusal`."""
        given = self._task.args.get("macos")
        text = str(given) if is_text(given) or isinstance(given, (int, float)) else kind_of(given)
        if given in (None, ""):
            return None
        if re.fullmatch(r"[0-9.]+", text):
            with contextlib.suppress(ValueError):
                return Version.parse(text)
        raise Refusal("value_unusable", f"macos is {shortened(plain(text))}, and must be a version, such as 26.1")


def _result(ended: Ended, user: str) -> dict[str, t.Any]:
    """Return the result contract's account of it."""
    before, after = {"mac": ended.found}, {"mac": "up" if ended.up else ended.found}
    plan = [f"unlock the volume over SSH as {user}", "wait until macOS has started"]
    result: dict[str, t.Any] = {
        "changed": ended.changed,
        "outcome": ended.outcome,
        "sent": ended.sent,
        "state": {"before": before, "after": after},
        "diff": {"before": before, "after": after},
        "plan": plan if ended.changed or (ended.sent and ended.refusal) else [],
        "notes": list(ended.notes),
        "warnings": list(ended.notes),
    }
    if ended.elapsed is not None:
        result["elapsed"] = ended.elapsed
    if ended.refusal is None:
        return result
    return failure_after(result, ended.refusal) if ended.sent else {**result, **failure(ended.refusal)}
