# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be ls for the files that only the Mac has: their names, or with -l what macOS says of them."""

from __future__ import annotations

import time

from maclab.call import Call
from maclab.programs import _files
from maclab.texts import say

PROTECTED = "/Library/Application Support/com.apple.TCC"
"""macOS lists this folder from 10.14 on only to a session that has Full Disk Access."""


async def main(call: Call) -> int:
    if call.argv[-1:] == [PROTECTED]:
        return _protected(call)
    return await _files.serve(call, _show)


def _protected(call: Call) -> int:
    if call.fault("no_full_disk_access") is None or call.mac.version_tuple < (10, 14):
        call.out("TCC.db\n")
        return 0
    call.err(say("files.protected", call.mac.version_tuple, program=call.program, path=PROTECTED))
    return 1


async def _show(call: Call, path: str) -> None:
    found = call.mac.files[path]
    long = any("l" in word for word in call.argv if word.startswith("-"))
    when = time.strftime("%b %e %H:%M", time.localtime(found.changed_at))
    details = f"-rw-------  1 root  wheel  {len(found.content.encode())} {when} " if long else ""
    call.out(f"{details}{path}\n")
