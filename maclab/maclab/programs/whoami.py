# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be whoami: the name of the effective user."""

from __future__ import annotations

from maclab.call import Call


async def main(call: Call) -> int:
    call.out(("root" if call.is_root else call.user) + "\n")
    return 0
