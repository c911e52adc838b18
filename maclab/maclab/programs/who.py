# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be who: the people at the screen, one line each. A session by SSH without a terminal is not in its list."""

from __future__ import annotations

import time

from maclab.call import Call
from maclab.texts import say


async def main(call: Call) -> int:
    if call.argv:
        return call.refuse("no option and no word behind it")
    when = time.strftime("%b %e %H:%M", time.localtime(call.mac.booted_at or time.time()))
    for name in call.mac.logged_in:
        call.out(say("who.line", call.mac.version_tuple, user=name, when=when))
    return 0
