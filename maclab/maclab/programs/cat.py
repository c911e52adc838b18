# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be cat for the files that only the Mac has."""

from __future__ import annotations

from maclab import vault
from maclab.call import Call
from maclab.programs import _files
from maclab.state_files import KCPASSWORD, contents
from maclab.texts import say


async def main(call: Call) -> int:
    if [vault.normal(word) for word in call.argv] == [KCPASSWORD] and call.mac.settings.autologin:
        return _automatic_login(call)
    return await _files.serve(call, _show)


def _automatic_login(call: Call) -> int:
    if not call.is_root:
        call.err(say("files.denied", call.mac.version_tuple, program=call.program, path=call.argv[0]))
        return _files.FAILED
    call.out(contents(call.mac)[KCPASSWORD][0])
    return 0


async def _show(call: Call, path: str) -> None:
    call.out(call.mac.files[path].content)
