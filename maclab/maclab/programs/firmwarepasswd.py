# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be firmwarepasswd, to say whether the firmware of an Intel Mac asks for a password."""

from __future__ import annotations

from maclab.call import Call
from maclab.texts import say


async def main(call: Call) -> int:
    version = call.mac.version_tuple
    if call.argv != ["-check"]:
        return call.refuse("-check")
    if not call.is_root:
        call.err(say("firmwarepasswd.not_root", version))
        return 1
    if call.mac.hardware == "apple-silicon":
        call.err(say("firmwarepasswd.none", version))
        return 1
    call.out(say("firmwarepasswd.state", version, state="Yes" if call.mac.settings.firmware_password else "No"))
    return 0
