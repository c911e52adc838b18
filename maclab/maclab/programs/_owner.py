# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take the password of an owner of the volume from standard input, as the programs that install another macOS do."""

from __future__ import annotations

from maclab import directory
from maclab.call import Call


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
