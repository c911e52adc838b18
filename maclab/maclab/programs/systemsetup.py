# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be systemsetup, to say whether Remote Login is on: whether launchd may load sshd."""

from __future__ import annotations

from maclab import launchd
from maclab.call import Call
from maclab.texts import say


async def main(call: Call) -> int:
    if not call.is_root:
        call.out(say("systemsetup.not_root", call.mac.version_tuple))
        return 0
    if call.argv != ["-getremotelogin"]:
        return call.refuse("-getremotelogin")
    state = "Off" if launchd.SSHD in call.mac.settings.disabled_jobs else "On"
    call.out(say("systemsetup.remote_login", call.mac.version_tuple, state=state))
    return 0
