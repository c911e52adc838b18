# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Knows `launchctl asuser UID command` alone, which people put before commands that need a login session."""

from __future__ import annotations

from maclab.call import Call
from maclab.programs.sudo import find_command


async def main(call: Call) -> int:
    if len(call.argv) < 3 or call.argv[0] != "asuser" or not call.argv[1].isdigit():
        call.err("maclab: launchctl: this lab knows `launchctl asuser UID command` only\n")
        return 64
    if not call.is_root:
        call.err(f"Could not switch to audit session {call.argv[1]}: 1: Operation not permitted\n")
        return 1
    command = call.argv[2:]
    path = find_command(command[0], call.env.get("PATH", ""), call.cwd)
    if path is None:
        call.err(f"launchctl: {command[0]}: No such file or directory\n")
        return 127
    # The session changes, the user does not: it is still root.
    return call.become([path, *command[1:]], call.env, call.user, call.is_root)
