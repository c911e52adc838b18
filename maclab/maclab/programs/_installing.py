# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Share what installs another macOS: an owner's password on standard input, and the restart."""

from __future__ import annotations

from maclab import directory, rules
from maclab.call import Call, Restart


async def authorised(call: Call, user: str) -> bool:
    """Tell whether an owner of the volume has given its password, which has to open its key as well."""
    if not user:
        return False
    password = await call.read_stdin_line() or ""
    accepted = bool(directory.authenticate(call.mac, user, password))
    call.authenticated(user, accepted)
    await call.commit()
    account = directory.find(call.mac, user)
    owner = None if account is None else call.mac.crypto_users.get(account.generated_uid)
    if account is None or owner is None or not owner.owner:
        return False
    return accepted and directory.unlock_key(call.mac, account, password)


def needed(call: Call) -> bool:
    """Tell whether an owner of the volume has to authorise another macOS."""
    return call.mac.hardware in rules.UPDATE_NEEDS_OWNER.at(call.mac.version_tuple)


async def restart_into(call: Call, label: str, wrote: str) -> int:
    """Restart the Mac into what was prepared, unless it is said to do nothing. `label`: of the update. `wrote`: what
    the program has written."""
    nothing = call.fault("update_does_nothing")
    if nothing is not None and not nothing.options.get("restarts"):
        return 0
    call.wrote(wrote)
    await call.commit()
    unlocked = needed(call) and rules.UPDATE_PASSES_UNLOCK.at(call.mac.version_tuple)
    call.restart = Restart(call.mac.prepare_seconds, unlocked, label if nothing is None else "")
    return 0
