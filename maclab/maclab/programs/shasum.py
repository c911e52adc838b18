# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be shasum -a 256, which macOS brings and many hosts lack."""

from __future__ import annotations

import hashlib

from maclab.call import Call
from maclab.texts import say

FAILED = 1


async def main(call: Call) -> int:
    if len(call.argv) < 3 or call.argv[:2] != ["-a", "256"]:
        return call.refuse("-a 256 FILE...")
    status = 0
    for path in call.argv[2:]:
        try:
            digest = hashlib.sha256(call.place(path).read_bytes()).hexdigest()
        except OSError:
            call.err(say("shasum.missing", call.mac.version_tuple, path=path))
            status = FAILED
            continue
        call.out(f"{digest}  {path}\n")
    return status
