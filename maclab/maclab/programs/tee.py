# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be tee where it writes a job for launchd or settings of sshd, which only the Mac has and this host must not."""

from __future__ import annotations

import time

from maclab.call import Call
from maclab.programs import _files
from maclab.state import ModelFile
from maclab.texts import say


async def main(call: Call) -> int:
    paths = [word for word in call.argv if not word.startswith("-")]
    if not any(path.startswith(_files.OF_THE_MAC) for path in paths):
        return _files.become_host_program(call)
    content = await call.read_stdin_all()
    if not call.is_root:
        call.err(say("files.denied", call.mac.version_tuple, program=call.program, path=paths[0]))
        return _files.FAILED
    for path in paths:
        call.mac.files[path] = ModelFile(content.decode("utf-8", "surrogateescape"), time.time())
        call.wrote(f"file {path} written")
    await call.commit()
    call.out(content)
    return 0
