# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be arch: the kind of processor."""

from __future__ import annotations

from maclab.call import Call


async def main(call: Call) -> int:
    call.out("arm64\n" if call.mac.hardware == "apple-silicon" else "i386\n")
    return 0
