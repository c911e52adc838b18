# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be pwpolicy, as far as reading account policies goes: a line for people, then a property list."""

from __future__ import annotations

from maclab import directory, plists
from maclab.call import Call
from maclab.texts import say

USAGE = 64


async def main(call: Call) -> int:
    version = call.mac.version_tuple
    verbs = [word for word in call.argv if word.lower().lstrip("-") == "getaccountpolicies"]
    if not verbs:
        call.err(say("pwpolicy.usage", version))
        return USAGE
    user = _user(call.argv)
    if user is None:
        call.out(say("pwpolicy.global", version))
        if plists.has_policy(call.mac.policy):
            call.out(plists.global_policy(call.mac))
        return 0
    if directory.find(call.mac, user) is None:
        call.err(say("pwpolicy.no_user", version))
        return 1
    call.out(say("pwpolicy.user", version, user=user))
    return 0


def _user(argv: list[str]) -> str | None:
    if "-u" not in argv:
        return None
    index = argv.index("-u") + 1
    return argv[index] if index < len(argv) else None
