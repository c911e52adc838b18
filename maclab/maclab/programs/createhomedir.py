# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be createhomedir: give accounts the home folders that their records name."""

from __future__ import annotations

from maclab import directory
from maclab.call import Call
from maclab.state import Account
from maclab.texts import say

USAGE = 64


async def main(call: Call) -> int:
    version = call.mac.version_tuple
    wanted = _accounts(call)
    if wanted is None:
        call.err(say("createhomedir.usage", version))
        return USAGE
    if not wanted and "-u" in call.argv:
        call.err(say("createhomedir.no_user", version, user=_operand(call)))
        return 1
    missing = [account for account in wanted if not account.home_exists and not account.service]
    if not missing or not call.is_root:
        call.out(say("createhomedir.none", version, host=call.mac.name))
        return 0
    for account in missing:
        account.home_exists = True
        call.wrote("home created")
        call.out(say("createhomedir.created", version, host=call.mac.name, home=account.home))
    await call.commit()
    return 0


def _operand(call: Call) -> str:
    index = call.argv.index("-u") + 1
    return call.argv[index] if index < len(call.argv) else ""


def _accounts(call: Call) -> list[Account] | None:
    """Return the accounts that were asked for, or None when the arguments say nothing."""
    if "-u" in call.argv:
        account = directory.find(call.mac, _operand(call))
        return [account] if account else []
    if any(word in call.argv for word in ("-c", "-l", "-a")):
        return list(call.mac.accounts.values())
    return None
