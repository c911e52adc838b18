# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be groups: the names of a user's groups."""

from __future__ import annotations

from maclab import directory
from maclab.call import Call
from maclab.texts import say

FAILED = 1


async def main(call: Call) -> int:
    name = call.argv[0] if call.argv else ("root" if call.is_root else call.user)
    account = directory.find(call.mac, name)
    if account is None:
        # It is `id -Gn` (groups of Apple's shell_cmds is a script of one line).
        call.err(say("id.no_user", call.mac.version_tuple, user=name))
        return FAILED
    call.out(" ".join(group.name for group in directory.groups_of(call.mac, account)) + "\n")
    return 0
