# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be odutil, for the one question which directories the Mac knows and whether they answer, and an empty cache.

What else the real one has is in its manual (https://manp.gs/mac/1/odutil).
"""

from __future__ import annotations

from maclab.call import Call
from maclab.texts import say

USAGE = 64
OTHERS = ("show", "reset", "set")


async def main(call: Call) -> int:
    version = call.mac.version_tuple
    if call.argv == ["reset", "cache"] and call.is_root:
        # The lab's programs keep no cache.
        return 0
    if call.argv[:1] and call.argv[0] not in OTHERS:
        call.err(say("odutil.usage", version))
        return USAGE
    if call.argv != ["show", "nodenames"]:
        return call.refuse("show nodenames")
    bound = call.mac.network
    nodes = {"/Local/Default": True} | ({bound.node: bound.online} if bound.node else {})
    for name, online in nodes.items():
        call.out(say("odutil.node", version, name=name, status="Online" if online else "Offline"))
    return 0
