# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be ipconfig for what scripts read of the Mac's link: `ipconfig getsummary en0`."""

from __future__ import annotations

from maclab.call import Call
from maclab.texts import say


async def main(call: Call) -> int:
    link, version = call.mac.link, call.mac.version_tuple
    if len(call.argv) != 2 or call.argv[0] != "getsummary":
        return call.refuse("getsummary INTERFACE")
    if call.argv[1] != link.interface or link.kind not in ("ethernet", "wifi"):
        return 1
    call.out(say(f"ipconfig.{link.kind}", version, security=link.security))
    return 0
