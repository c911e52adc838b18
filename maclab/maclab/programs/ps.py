# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be ps for one process by its number: a script's own processes are this host's, those of macOS are not there."""

from __future__ import annotations

from maclab.call import Call
from maclab.options import getopt
from maclab.programs import _files


async def main(call: Call) -> int:
    options = getopt(call.argv, "fjo:p:")
    if options.complaint or options.last("p") is None or options.rest:
        return call.refuse("-p with -o, -f or -j")
    return _files.become_host_program(call)
