# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a program on a Mac that lies: it answers as ever, and afterwards something is not so."""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable

from maclab import directory, vault
from maclab.call import Call
from maclab.state import Mac, ModelFile

ARCHIVE = "archive of "


async def run(program: Callable[[Call], Awaitable[int]], call: Call) -> int:
    """Run `program`; the faults decide what of its work lasts."""
    if call.fault("does_nothing") is not None:
        return await _without_a_trace(program, call)
    lies = [lie for name, lie in LIES.items() if call.fault(name) is not None]
    before = copy.deepcopy(call.mac) if lies else call.mac
    status = await program(call)
    if lies and call.record.writes:
        for lie in lies:
            lie(call, before)
        await call.commit()
    return status


async def _without_a_trace(program: Callable[[Call], Awaitable[int]], call: Call) -> int:
    """On a copy of the Mac, which is thrown away."""
    real, persist = call.mac, call.persist

    async def nowhere() -> None:
        return None

    call.mac, call.persist = copy.deepcopy(real), nowhere
    try:
        return await program(call)
    finally:
        call.mac, call.persist = real, persist
        call.record.writes.clear()


def _delete_keeps_key(call: Call, before: Mac) -> None:
    for account in before.accounts.values():
        if account.name not in call.mac.accounts and account.generated_uid in before.crypto_users:
            call.mac.crypto_users[account.generated_uid] = before.crypto_users[account.generated_uid]


def _escrow_stands_still(call: Call, before: Mac) -> None:
    call.mac.mdm.prk_escrowed_at = before.mdm.prk_escrowed_at
    call.mac.files.pop(vault.ESCROW_FILE, None)
    if vault.ESCROW_FILE in before.files:
        call.mac.files[vault.ESCROW_FILE] = before.files[vault.ESCROW_FILE]


def _source_stands_still(call: Call, before: Mac) -> None:
    """A token is three entries: one of them is not made, or not taken away."""
    fault = call.fault("source_stands_still")
    old = before.accounts.get(str(fault.options["user"])) if fault is not None else None
    new = call.mac.accounts.get(old.name) if old is not None else None
    if fault is None or old is None or new is None:
        return
    guid, hidden = new.generated_uid, call.mac.filevault.hidden_users
    if fault.options["source"] == "authority":
        new.authority[:] = [value for value in new.authority if value != directory.TOKEN]
        new.authority += [value for value in old.authority if value == directory.TOKEN]
    elif fault.options["source"] == "crypto_user":
        call.mac.crypto_users.pop(guid, None)
        if guid in before.crypto_users:
            call.mac.crypto_users[guid] = before.crypto_users[guid]
    elif guid in vault.listed(before) and guid not in vault.listed(call.mac):
        call.mac.filevault.ghosts.append(guid)
    elif guid not in vault.listed(before) and guid not in hidden:
        hidden.append(guid)


def _name_taken_over(call: Call, before: Mac) -> None:
    """Somebody deletes the account and makes another one that reads the same, but for its GUID."""
    fault = call.fault("name_taken_over")
    account = call.mac.accounts.get(str(fault.options["user"])) if fault is not None else None
    if fault is None or account is None:
        return
    fault.spent = True
    old, account.generated_uid = account.generated_uid, directory.new_guid()
    for group in call.mac.groups.values():
        group.member_guids[:] = [account.generated_uid if guid == old else guid for guid in group.member_guids]


def _archive_cut_off(call: Call, before: Mac) -> None:
    for path, file in call.mac.files.items():
        if file.content.startswith(ARCHIVE) and file != before.files.get(path):
            call.mac.files[path] = ModelFile(file.content.removeprefix(ARCHIVE), file.changed_at)


def _home_of_another(call: Call, before: Mac) -> None:
    """Put a folder of an account that is long gone where a home was to be made."""
    for account in call.mac.accounts.values():
        old = before.accounts.get(account.name)
        if account.home_exists and old is not None and not old.home_exists:
            found = ModelFile("", account.created_at, "Directory", owner=12345, mode=0o700)
            call.mac.files[vault.normal(account.home)] = found


LIES: dict[str, Callable[[Call, Mac], None]] = {
    "delete_keeps_key": _delete_keeps_key,
    "escrow_stands_still": _escrow_stands_still,
    "source_stands_still": _source_stands_still,
    "name_taken_over": _name_taken_over,
    "archive_cut_off": _archive_cut_off,
    "home_of_another": _home_of_another,
}
