# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be dscacheutil: look users and groups up, one or all, and flush a cache that the lab has not got."""

from __future__ import annotations

from collections.abc import Iterable

from maclab import directory
from maclab.call import Call
from maclab.state import Account, Group
from maclab.texts import say

KNOWN = "-flushcache, and -q user and -q group with -a name, uid or gid"


async def main(call: Call) -> int:
    words = call.argv
    if words == ["-flushcache"]:
        return 0
    if len(words) not in (2, 5) or words[0] != "-q" or words[1] not in ("user", "group"):
        return call.refuse(KNOWN)
    key, value = ("", "") if len(words) == 2 else (words[3], words[4])
    if (len(words) == 5 and words[2] != "-a") or key not in ("", "name", {"user": "uid", "group": "gid"}[words[1]]):
        return call.refuse(KNOWN)
    for found in _users(call, key, value) if words[1] == "user" else _groups(call, key, value):
        call.out(found)
    return 0


def _users(call: Call, key: str, value: str) -> Iterable[str]:
    accounts: Iterable[Account | None] = call.mac.accounts.values()
    if key:
        accounts = [directory.find(call.mac, value) if key == "name" else _numbered(call, value)]
    for account in filter(None, accounts):
        fields = {"name": account.name, "uid": account.uid, "gid": account.gid, "home": account.home}
        fields |= {"shell": account.shell, "full_name": account.full_name}
        yield say("dscacheutil.user", call.mac.version_tuple, **fields)


def _numbered(call: Call, value: str) -> Account | None:
    return call.mac.by_uid(int(value)) if value.lstrip("-").isdigit() else None


def _groups(call: Call, key: str, value: str) -> Iterable[str]:
    groups: Iterable[Group | None] = call.mac.groups.values()
    if key:
        by_number = (group for group in call.mac.groups.values() if str(group.gid) == value)
        groups = [directory.find_group(call.mac, value) if key == "name" else next(by_number, None)]
    for group in filter(None, groups):
        users = f"users: {' '.join(group.members)} \n" if group.members else ""
        yield say("dscacheutil.group", call.mac.version_tuple, name=group.name, gid=group.gid, users=users)
