# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be Apple's stub for python3 on a Mac without developer tools: it opens a dialog on the screen, and is no Python."""

from __future__ import annotations

from maclab.call import Call
from maclab.texts import say

FAILED = 1


async def main(call: Call) -> int:
    call.wrote("a dialog opened on the screen")
    call.err(say("python3.stub", call.mac.version_tuple))
    return FAILED
