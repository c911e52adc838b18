# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be csrutil, to say whether System Integrity Protection is on."""

from __future__ import annotations

from maclab.call import Call
from maclab.texts import say


async def main(call: Call) -> int:
    if call.argv != ["status"]:
        return call.refuse("status")
    state = "enabled" if call.mac.settings.sip else "disabled"
    call.out(say("csrutil.status", call.mac.version_tuple, state=state))
    return 0
