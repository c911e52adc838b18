# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be ls for the files that only the Mac has: their names, or with -l what macOS says of them."""

from __future__ import annotations

import time

from maclab.call import Call
from maclab.programs import _files


async def main(call: Call) -> int:
    return await _files.serve(call, _show)


async def _show(call: Call, path: str) -> None:
    found = call.mac.files[path]
    long = any("l" in word for word in call.argv if word.startswith("-"))
    when = time.strftime("%b %e %H:%M", time.localtime(found.changed_at))
    details = f"-rw-------  1 root  wheel  {len(found.content.encode())} {when} " if long else ""
    call.out(f"{details}{path}\n")
