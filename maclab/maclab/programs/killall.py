# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be killall for the processes that launchd starts again at once, so that nothing of a Mac's state changes."""

from __future__ import annotations

from maclab.call import Call
from maclab.programs import _seat
from maclab.texts import say

NONE = 1
SIGNALS = ("-9", "-15", "-HUP", "-KILL", "-TERM", "-SIGHUP", "-SIGKILL", "-SIGTERM", "-1")
AGAIN = (*_seat.OF_A_PERSON, "cfprefsd", "opendirectoryd")


async def main(call: Call) -> int:
    names = [word for word in call.argv if word not in (*SIGNALS, "-q")]
    if not names or set(names) - set(AGAIN):
        return call.refuse(f"a signal and {', '.join(AGAIN)}")
    mine = {name for _pid, user, name in _seat.running(call.mac) if call.is_root or user == call.user}
    if not mine & set(names):
        whose = "" if call.is_root else "belonging to you "
        call.err(say("killall.none", call.mac.version_tuple, whose=whose))
        return NONE
    return 0
