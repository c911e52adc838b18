# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be pmset, to say what the Mac draws its power from."""

from __future__ import annotations

from maclab.call import Call
from maclab.texts import say

SOURCES = {"ac": "AC Power", "battery": "Battery Power", "ups": "UPS Power"}


async def main(call: Call) -> int:
    if call.argv not in (["-g", "batt"], ["-g", "ps"]):
        return call.refuse("-g batt and -g ps")
    settings, version = call.mac.settings, call.mac.version_tuple
    call.out(say("pmset.source", version, source=SOURCES[settings.power]))
    if settings.battery is not None:
        state = "charged; 0:00" if settings.power == "ac" else "discharging; 6:25"
        call.out(say("pmset.battery", version, percent=settings.battery, state=state))
    return 0
