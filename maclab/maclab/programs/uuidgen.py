# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be uuidgen: a new identifier, in capitals as macOS writes it."""

from __future__ import annotations

import uuid

from maclab.call import Call


async def main(call: Call) -> int:
    if call.argv:
        return call.refuse("no option")
    call.out(f"{uuid.uuid4()}".upper() + "\n")
    return 0
