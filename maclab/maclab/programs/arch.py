# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be arch: the kind of processor."""

from __future__ import annotations

from maclab.call import Call


async def main(call: Call) -> int:
    if call.argv:
        return call.refuse("no option and no program to start")
    call.out("arm64\n" if call.mac.hardware == "apple-silicon" else "i386\n")
    return 0
