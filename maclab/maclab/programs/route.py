# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be route for the one question that scripts ask it: which interface the default route takes."""

from __future__ import annotations

from maclab.call import Call
from maclab.texts import say

FORMS = (["-n", "get", "default"], ["get", "default"])


async def main(call: Call) -> int:
    link, version = call.mac.link, call.mac.version_tuple
    if call.argv not in FORMS:
        return call.refuse("-n get default")
    if link.kind == "none":
        call.err(say("route.none", version))
        return 1
    call.out(say("route.default", version, interface=link.interface))
    return 0
