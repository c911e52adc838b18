# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be logger: what a script writes to the system's log stands in the Mac's journal."""

from __future__ import annotations

from maclab.call import Call
from maclab.options import getopt


async def main(call: Call) -> int:
    options = getopt(call.argv, "46Aisf:h:p:t:")
    if options.complaint or options.letters & set("Afh46"):
        return call.refuse("-i, -s, -p, -t and a message")
    text = " ".join(options.rest) or (await call.read_stdin_all()).decode("utf-8", "replace").rstrip("\n")
    call.tell("log", f"{options.last('t') or call.user}: {text}")
    if "s" in options.letters:
        call.err(f"{options.last('t') or call.user}: {text}\n")
    return 0
