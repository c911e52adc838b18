# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names the Mac instead of this host."""

from __future__ import annotations

from maclab.call import Call


async def main(call: Call) -> int:
    name = call.mac.name
    call.out(f"{name if '-s' in call.argv else f'{name}.local'}\n")
    return 0
