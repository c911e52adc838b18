# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be systemsetup, to say whether Remote Login is on: whether launchd may load sshd."""

from __future__ import annotations

from maclab import launchd
from maclab.call import Call
from maclab.texts import say


async def main(call: Call) -> int:
    if call.argv != ["-getremotelogin"] or not call.is_root:
        return call.refuse("-getremotelogin as root")
    state = "Off" if launchd.SSHD in call.mac.settings.disabled_jobs else "On"
    call.out(say("systemsetup.remote_login", call.mac.version_tuple, state=state))
    return 0
