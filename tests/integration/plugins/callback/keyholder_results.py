# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes what each task returned, on each host, as a line of JSON into the file that KEYHOLDER_RESULTS names."""

from __future__ import annotations

import json
import os
import time
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: keyholder_results
type: notification
short_description: Results of tasks as lines of JSON
description:
  - Writes what each task returned, on each host, as a line of JSON into the file that E(KEYHOLDER_RESULTS) names.
  - Does nothing without that variable.
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """Results come in the order in which they arrive: a host's next task starts after its last line was written."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "keyholder_results"
    CALLBACK_NEEDS_ENABLED = True

    def v2_runner_on_ok(self, result: Any) -> None:
        self._write("ok", result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._write("failed", result)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._write("unreachable", result)

    def _write(self, status: str, result: Any) -> None:
        path = os.environ.get("KEYHOLDER_RESULTS")
        if not path:
            return
        # ansible-core 2.16 knows only the names with an underscore, newer ones deprecate them.
        new = hasattr(result, "host")
        host, task, returned = (
            (result.host, result.task, result.result) if new else (result._host, result._task, result._result)
        )
        line = {
            "host": host.get_name(),
            "task": task.get_name(),
            "action": task.action,
            "status": status,
            "time": time.time(),
            "result": returned,
        }
        with open(path, "a", encoding="utf-8") as stream:
            stream.write(json.dumps(line, default=str) + "\n")
