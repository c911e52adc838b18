# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for the connection: writes down each command, and answers as the script of the role python does."""

from __future__ import annotations

import json
import os
from typing import Any

from ansible.plugins.connection import ConnectionBase

DOCUMENTATION = """
name: stand_in
short_description: Writes down each command
description: [Starts nothing.]
author: [keyholder.macos contributors (@keyholder)]
options: {}
"""
FOUND = b"keyholder-python outcome found\nkeyholder-python interpreter /found\nkeyholder-python version 3.9.6\n"


class Connection(ConnectionBase):  # type: ignore[misc]
    transport = "keyholder.macos.stand_in"
    has_pipelining = True

    def _connect(self) -> Connection:
        return self

    def exec_command(self, cmd: str, in_data: Any = None, sudoable: bool = True) -> tuple[int, bytes, bytes]:
        call = {
            "case": self._play_context.remote_addr,
            "host": "",
            "module": "raw",
            "options": {"command": cmd},
            "check": False,
        }
        with open(os.environ["KEYHOLDER_CALLS"], "a", encoding="utf-8") as calls:
            calls.write(json.dumps(call) + "\n")
        return 0, FOUND, b""

    def put_file(self, in_path: str, out_path: str) -> None:
        raise NotImplementedError

    def fetch_file(self, in_path: str, out_path: str) -> None:
        raise NotImplementedError

    def close(self) -> None:
        """Nothing is open."""
