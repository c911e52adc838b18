# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be shlock: take a lock file for a process, unless another one that lives has it (shlock(1))."""

from __future__ import annotations

import os
from pathlib import Path

from maclab.call import Call
from maclab.options import getopt

TAKEN = 1


async def main(call: Call) -> int:
    options = getopt(call.argv, "df:p:uv")
    name, pid = options.last("f"), options.last("p")
    if options.complaint or not name or options.letters - {"f", "p"} or (pid is not None and not pid.isdigit()):
        return call.refuse("-f FILE and -p PID")
    place = call.place(name)
    if pid is None:
        return 0 if _lives(place) else TAKEN
    if _lives(place):
        return TAKEN
    try:
        place.write_text(f"{pid}\n", encoding="ascii")
    except OSError:
        return TAKEN
    return 0


def _lives(place: Path) -> bool:
    """Tell whether the process lives whose number is in a file; the lab's processes are this host's."""
    try:
        os.kill(int(place.read_text(encoding="ascii")), 0)
    except PermissionError:
        return True
    except (OSError, ValueError):
        return False
    return True
