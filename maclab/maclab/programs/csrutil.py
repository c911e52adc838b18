# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be csrutil, to say whether System Integrity Protection is on, and whether the system volume is authenticated."""

from __future__ import annotations

from maclab import rules
from maclab.call import Call
from maclab.texts import say


async def main(call: Call) -> int:
    version, settings = call.mac.version_tuple, call.mac.settings
    if call.argv == ["status"]:
        call.out(say("csrutil.status", version, state="enabled" if settings.sip else "disabled"))
        return 0
    if call.argv == ["authenticated-root", "status"] and rules.SEALED.at(version):
        call.out(say("csrutil.root", version, state="enabled" if settings.authenticated_root else "disabled"))
        return 0
    return call.refuse("status, and from macOS 11 authenticated-root status")
