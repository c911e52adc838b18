# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be reboot: the Mac restarts at once."""

from __future__ import annotations

from maclab.call import Call, Restart
from maclab.texts import say


async def main(call: Call) -> int:
    if not call.is_root:
        call.err(say("reboot.not_root", call.mac.version_tuple))
        return 1
    call.wrote("restart")
    await call.commit()
    call.restart = Restart(0, unlocked=False)
    return 0
