# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be csrutil, to say whether System Integrity Protection is on."""

from __future__ import annotations

from maclab.call import Call
from maclab.texts import say


async def main(call: Call) -> int:
    version = call.mac.version_tuple
    # A volume is sealed from macOS 11 on, and no lab Mac was ever booted into recoveryOS to change that.
    if call.argv == ["authenticated-root", "status"] and version >= (11,):
        call.out(say("csrutil.authenticated", version))
        return 0
    if call.argv != ["status"]:
        return call.refuse("status and authenticated-root status")
    state = "enabled" if call.mac.settings.sip else "disabled"
    call.out(say("csrutil.status", version, state=state))
    return 0
