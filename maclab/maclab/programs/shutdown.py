# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be shutdown, for `shutdown -r`: a Mac of the lab that is switched off would stay so."""

from __future__ import annotations

import re
import time

from maclab.call import Call, Restart
from maclab.texts import say

FAILED = 1


async def main(call: Call) -> int:
    version = call.mac.version_tuple
    if not call.is_root:
        call.err(say("shutdown.not_root", version))
        return FAILED
    words = [word for word in call.argv if not word.startswith("-")]
    if "-r" not in call.argv or not words or not re.fullmatch(r"now|\+\d+", words[0]):
        return call.refuse("-r with now or +MINUTES")
    seconds = 0 if words[0] == "now" else int(words[0]) * 60
    if seconds:
        call.out(say("shutdown.later", version, when=time.ctime(time.time() + seconds)))
    else:
        call.out(say("shutdown.now", version))
    call.wrote("restart")
    await call.commit()
    call.restart = Restart(float(seconds), unlocked=False)
    return 0
