# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be defaults, to read what a profile of the device management has set for the whole Mac."""

from __future__ import annotations

import time

from maclab.call import Call
from maclab.state import Mac
from maclab.texts import say

FAILED = 1
MANAGED = "/Library/Managed Preferences/"


async def main(call: Call) -> int:
    version = call.mac.version_tuple
    if len(call.argv) != 3 or call.argv[0] != "read":
        return call.refuse("read DOMAIN KEY")
    domain, key = call.argv[1].removesuffix(".plist"), call.argv[2]
    value = _managed(call.mac).get(domain, {}).get(key)
    if value is None:
        stamp = time.strftime("%Y-%m-%d %H:%M:%S.000")
        said = {"stamp": stamp, "pid": call.pid, "thread": call.thread, "domain": call.argv[1], "key": key}
        call.err(say("defaults.missing", version, **said))
        return FAILED
    call.out(f"{int(value)}\n")
    return 0


def _managed(mac: Mac) -> dict[str, dict[str, bool | None]]:
    """What the profiles of this Mac say, by domain."""
    mcx = {
        "cachedaccounts.askForSecureTokenAuthBypass": mac.mdm.token_dialog_bypass,
        "dontAllowFDEEnable": mac.mdm.forbids_filevault or None,
    }
    return {MANAGED + "com.apple.MCX": mcx}
