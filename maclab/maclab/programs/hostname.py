# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names the Mac instead of this host."""

from __future__ import annotations

from maclab.call import Call
from maclab.names import host_name


async def main(call: Call) -> int:
    if call.argv not in ([], ["-s"], ["-f"]):
        return call.refuse("no name to set; -s and -f")
    name = host_name(call.mac)
    call.out(f"{name.partition('.')[0] if '-s' in call.argv else name}\n")
    return 0
