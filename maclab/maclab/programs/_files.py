# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Know the files that a Mac has and this host has not: the escrowed recovery key, and the plist of a deferral.

`cat`, `ls` and `rm` come here for words that are paths outside the lab's folder; what is no such file is left to this
host's own program, but for launchd's jobs and sshd's settings, which this host may have as well.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable

from maclab import vault
from maclab.call import Call
from maclab.launchd import DAEMONS
from maclab.layout import of_this_host
from maclab.places import HOST
from maclab.sshd_config import FOLDER
from maclab.texts import say

FAILED = 1
NOT_FOUND = 127
OF_THE_MAC = (DAEMONS, FOLDER)

Action = Callable[[Call, str], Awaitable[None]]


async def serve(call: Call, action: Action) -> int:
    """Do the action to each file of the Mac, or become the host's program where none of them is one."""
    known = list(vault.named(call.mac, call.argv))
    if not known and not any(word.startswith(OF_THE_MAC) for word in call.argv):
        return become_host_program(call)
    status = 0
    for word in call.argv:
        if word.startswith("-"):
            continue
        if word not in known and call.program == "rm" and "-f" in call.argv:
            continue
        if word not in known:
            call.err(f"{call.program}: {word}: No such file or directory\n")
            status = FAILED
        elif not call.is_root:
            call.err(say("files.denied", call.mac.version_tuple, program=call.program, path=word))
            status = FAILED
        else:
            await action(call, vault.normal(word))
    return status


def become_host_program(call: Call) -> int:
    real = of_this_host(call.program)
    if real is None:
        call.err(f"maclab: {call.program}: this host has no such program\n")
        return NOT_FOUND
    real = f"{HOST}{os.path.realpath(real)}" if call.full_paths else real
    return call.become([real, *call.argv], call.env, call.user, call.is_root)
