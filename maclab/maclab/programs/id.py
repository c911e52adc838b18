# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be id: a user's numbers, groups and full name, as id.c of Apple's shell_cmds answers."""

from __future__ import annotations

from maclab import directory
from maclab.call import Call
from maclab.options import getopt
from maclab.state import Account, Mac
from maclab.texts import say

FAILED = 1
KINDS = "AFGMPgpu"


async def main(call: Call) -> int:
    version = call.mac.version_tuple
    options = getopt(call.argv, KINDS + "anr")
    kinds = options.letters & set(KINDS)
    if options.complaint:
        call.err(say("getopt.complaint", version, program="id", complaint=options.complaint))
    if options.complaint or len(kinds) > 1 or (not kinds and options.letters & {"n", "r"}):
        call.err(say("id.usage", version))
        return FAILED
    name = options.rest[0] if options.rest else ("root" if call.is_root else call.user)
    account = _find(call.mac, name)
    if account is None:
        call.err(say("id.no_user", version, user=name))
        return FAILED
    if kinds & {"A", "M"}:
        return call.refuse("all options but -A, which asks the audit session, and -M, which macOS has not got")
    call.out(_answer(call.mac, account, options.letters) + "\n")
    return 0


def _find(mac: Mac, name: str) -> Account | None:
    found = directory.find(mac, name)
    if found is None and name.lstrip("-").isdigit():
        return mac.by_uid(int(name))
    return found


def _answer(mac: Mac, account: Account, letters: frozenset[str]) -> str:
    groups = {group.gid: group.name for group in directory.groups_of(mac, account)}
    # The primary group is first, and has a number even where no group has that one.
    groups = {account.gid: groups.get(account.gid, ""), **groups}
    words = [name or _unsigned(gid) for gid, name in groups.items()]
    numbers = [_unsigned(gid) for gid in groups]
    if "u" in letters:
        return account.name if "n" in letters else _unsigned(account.uid)
    if "G" in letters:
        return " ".join(words if "n" in letters else numbers)
    if "g" in letters:
        return words[0] if "n" in letters else numbers[0]
    if "F" in letters:
        return account.full_name
    if "P" in letters:
        fields = (account.uid, account.gid, "", 0, 0, account.full_name, account.home, account.shell)
        return ":".join([account.name, "********", *(str(field) for field in fields)])
    if "p" in letters:
        return f"uid\t{account.name}\ngroups\t{' '.join(words)}"
    named = [number + (f"({name})" if name else "") for number, name in zip(numbers, groups.values(), strict=True)]
    return f"uid={_unsigned(account.uid)}({account.name}) gid={named[0]} groups={','.join(named)}"


def _unsigned(number: int) -> str:
    return str(number & 0xFFFFFFFF)
