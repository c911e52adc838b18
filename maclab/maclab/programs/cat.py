# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be cat for the files that only the Mac has."""

from __future__ import annotations

from maclab.call import Call
from maclab.programs import _files


async def main(call: Call) -> int:
    return await _files.serve(call, _show)


async def _show(call: Call, path: str) -> None:
    found = call.mac.files[path]
    call.out(found.content.encode("latin-1") if found.binary else found.content)
