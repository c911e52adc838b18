# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be id: a user's numbers and groups."""

from __future__ import annotations

from maclab import directory
from maclab.call import Call
from maclab.state import Account, Mac
from maclab.texts import say

# Groups that macOS computes: every local account is in them although no record says so.
COMPUTED = {"everyone": 12, "localaccounts": 61}


async def main(call: Call) -> int:
    letters = {letter for word in call.argv if word.startswith("-") for letter in word[1:]}
    operands = [word for word in call.argv if not word.startswith("-")]
    name = operands[0] if operands else ("root" if call.is_root else call.user)
    account = _find(call.mac, name)
    if account is None:
        call.err(say("id.no_user", call.mac.version_tuple, user=name))
        return 1
    call.out(_answer(call.mac, account, letters) + "\n")
    return 0


def _find(mac: Mac, name: str) -> Account | None:
    found = directory.find(mac, name)
    if found is None and name.isdigit():
        return mac.by_uid(int(name))
    return found


def _answer(mac: Mac, account: Account, letters: set[str]) -> str:
    groups = _groups(mac, account)
    if "u" in letters:
        return account.name if "n" in letters else str(account.uid)
    if "G" in letters:
        return " ".join(groups if "n" in letters else [str(gid) for gid in groups.values()])
    if "g" in letters:
        return next(iter(groups)) if "n" in letters else str(account.gid)
    listed = ",".join(f"{gid}({name})" for name, gid in groups.items())
    return f"uid={account.uid}({account.name}) gid={account.gid}({next(iter(groups))}) groups={listed}"


def _groups(mac: Mac, account: Account) -> dict[str, int]:
    """Return group names and numbers, the primary group first."""
    found = {group.name: group.gid for group in directory.groups_of(mac, account)}
    primary = {name: gid for name, gid in found.items() if gid == account.gid} or {str(account.gid): account.gid}
    computed = {} if account.service else COMPUTED
    others = {**computed, **found}
    return {**primary, **dict(sorted(others.items(), key=lambda item: item[1]))}
