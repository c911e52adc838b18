# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be rm for the files that only the Mac has."""

from __future__ import annotations

from maclab.call import Call
from maclab.programs import _files


async def main(call: Call) -> int:
    return await _files.serve(call, _remove)


async def _remove(call: Call, path: str) -> None:
    del call.mac.files[path]
    call.wrote(f"file {path} removed")
    await call.commit()
