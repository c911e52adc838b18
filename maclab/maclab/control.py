# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gives orders to a lab that is running, over its socket."""

from __future__ import annotations

import json
from typing import Any

from maclab.frames import Lab
from maclab.layout import LabFolder


class LabError(RuntimeError):
    """The lab is not up, or it refused the order."""


def order(folder: LabFolder, what: str, **details: Any) -> Any:
    try:
        lab = Lab(str(folder.path))
        lab.send(b"C", json.dumps({"order": what, **details}).encode())
        _, payload = lab.receive()
    except (OSError, EOFError):
        raise LabError(f"no lab is up in {folder.path}") from None
    answer = json.loads(payload)
    if "error" in answer:
        raise LabError(answer["error"])
    return answer["ok"]


def is_up(folder: LabFolder) -> bool:
    try:
        order(folder, "ping")
    except LabError:
        return False
    return True
