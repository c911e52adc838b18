# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be dseditgroup: ask for and change group membership, with exit statuses that mean something."""

from __future__ import annotations

from maclab import directory
from maclab.call import Call
from maclab.state import Account, Group
from maclab.texts import say

NOT_A_MEMBER = 67
USAGE = 64
DENIED = 77
WITH_VALUE = {"-o", "-m", "-n", "-u", "-P", "-a", "-d", "-t", "-i", "-g", "-r", "-c", "-s", "-k"}


async def main(call: Call) -> int:
    options, group_name = _parse(call.argv)
    operation = options.get("-o", "read")
    if not group_name:
        return _say(call, "usage", USAGE)
    group = directory.find_group(call.mac, group_name)
    if operation == "create":
        return await _create(call, group_name, group, options)
    if group is None:
        return _say(call, "no_group", USAGE)
    if operation == "checkmember":
        return _check(call, group, options)
    if operation == "edit":
        return await _edit(call, group, options)
    if operation == "delete":
        return await _delete(call, group)
    if operation == "read":
        return _read(call, group)
    return _say(call, "usage", USAGE)


def _parse(argv: list[str]) -> tuple[dict[str, str], str]:
    options: dict[str, str] = {}
    operand = ""
    words = iter(argv)
    for word in words:
        if word in WITH_VALUE:
            options[word] = next(words, "")
        elif not word.startswith("-"):
            operand = word
    return options, operand


def _say(call: Call, key: str, status: int) -> int:
    call.err(say(f"dseditgroup.{key}", call.mac.version_tuple))
    return status


def _check(call: Call, group: Group, options: dict[str, str]) -> int:
    name = options.get("-m") or call.user
    account = directory.find(call.mac, name)
    if account is None:
        return _say(call, "no_user", USAGE)
    member = directory.is_member(call.mac, account, group)
    key = "dseditgroup.yes" if member else "dseditgroup.no"
    call.out(say(key, call.mac.version_tuple, user=name, group=group.name))
    return 0 if member else NOT_A_MEMBER


async def _edit(call: Call, group: Group, options: dict[str, str]) -> int:
    if not call.is_root:
        return _say(call, "denied", DENIED)
    for option in ("-a", "-d"):
        name = options.get(option)
        if name is not None and not _edit_member(call, group, option, name, options.get("-t", "user")):
            return _say(call, "no_user", USAGE)
    call.wrote(f"group {group.name} changed")
    await call.commit()
    return 0


def _edit_member(call: Call, group: Group, option: str, name: str, kind: str) -> bool:
    if kind == "group":
        return _edit_nested(call, group, option, name)
    account: Account | None = directory.find(call.mac, name)
    if account is None:
        return False
    if option == "-a":
        directory.add_member(group, account)
    else:
        directory.drop_member(group, account)
    return True


def _edit_nested(call: Call, group: Group, option: str, name: str) -> bool:
    inner = directory.find_group(call.mac, name)
    if inner is None:
        return False
    group.nested[:] = [guid for guid in group.nested if guid != inner.generated_uid]
    group.nested += [inner.generated_uid] if option == "-a" else []
    return True


async def _create(call: Call, name: str, group: Group | None, options: dict[str, str]) -> int:
    if not call.is_root:
        return _say(call, "denied", DENIED)
    taken = {other.gid for other in call.mac.groups.values()}
    gid = int(options.get("-i") or next(number for number in range(501, 600 + len(taken)) if number not in taken))
    if group is None:
        guid = options.get("-g") or directory.new_guid()
        call.mac.groups[name] = Group(name=name, gid=gid, generated_uid=guid)
    call.wrote(f"group {name} created")
    await call.commit()
    return 0


async def _delete(call: Call, group: Group) -> int:
    if not call.is_root:
        return _say(call, "denied", DENIED)
    del call.mac.groups[group.name]
    call.wrote(f"group {group.name} deleted")
    await call.commit()
    return 0


def _read(call: Call, group: Group) -> int:
    shown = {
        "GeneratedUID": [group.generated_uid],
        "PrimaryGroupID": [str(group.gid)],
        "RecordName": [group.name],
        "GroupMembers": group.member_guids,
        "GroupMembership": group.members,
        "NestedGroups": group.nested,
    }
    for key, values in shown.items():
        if values:
            call.out(f"dsAttrTypeStandard:{key} -\n" + "".join(f"\t\t{value}\n" for value in values))
    return 0
