# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be dseditgroup: ask for and change group membership, as dseditgroup.c of Apple's DSTools does it.

The group is the first word behind the options; words behind that are not looked at, and neither are options there.
"""

from __future__ import annotations

import uuid

from maclab import directory, network
from maclab.call import Call
from maclab.options import Options, getopt
from maclab.state import Account, Group
from maclab.texts import say

NOT_A_MEMBER = 67
USAGE = 64
CANNOT_CREATE = 73
NO_RECORD = 200
OPTIONS = "LT:o:pqvn:m:u:P:a:d:t:i:g:r:k:c:s:S:f:?h"
OPERATIONS = ("create", "delete", "edit", "checkmember")
LOCAL_NODES = (".", "/Local/Default", "/Search")
KNOWN = "all options but -v, -L, -S, -s, -f, groups of computers, and other nodes than those of this Mac"


async def main(call: Call) -> int:
    options = getopt(call.argv, OPTIONS)
    if not call.argv or options.complaint or options.letters & {"h", "?"}:
        return _usage(call, options)
    if _is_unmodelled(options):
        return call.refuse(KNOWN)
    wrong = _wrong_number(options)
    if wrong:
        call.out(say(f"dseditgroup.{wrong}", call.mac.version_tuple))
        return USAGE
    if not options.rest:
        return _say(call, "no_name")
    operation = (options.last("o") or "").lower()
    return await _operate(call, options, operation if operation in OPERATIONS else "read")


def _usage(call: Call, options: Options) -> int:
    version = call.mac.version_tuple
    if options.complaint:
        call.err(say("getopt.complaint", version, program="dseditgroup", complaint=options.complaint))
    call.out(say("dseditgroup.usage", version))
    return USAGE if call.argv else 0


def _is_unmodelled(options: Options) -> bool:
    of_computers = any((options.last(letter) or "").startswith("computer") for letter in "tT")
    node = options.last("n")
    return bool(options.letters & set("vLSsf")) or of_computers or (node is not None and node not in LOCAL_NODES)


def _wrong_number(options: Options) -> str:
    gid, guid = options.last("i"), options.last("g")
    if gid is not None and not gid.lstrip("-").isdigit():
        return "gid_not_numeric"
    try:
        return "" if guid is None or uuid.UUID(guid).int else "guid_not_valid"
    except ValueError:
        return "guid_not_valid"


def _say(call: Call, key: str, status: int = USAGE) -> int:
    call.err(say(f"dseditgroup.{key}", call.mac.version_tuple))
    return status


async def _operate(call: Call, options: Options, operation: str) -> int:
    name = options.rest[0]
    password = await _password(call, options) if operation in ("create", "delete", "edit") else None
    group = directory.find_group(call.mac, name)
    if group is None and operation != "create":
        return _say(call, "no_group")
    if operation in ("create", "delete", "edit"):
        refusal = await _authorised(call, options, password)
        if refusal:
            return _say(call, refusal)
    if operation == "create":
        return await _create(call, options, name, group)
    assert group is not None
    if operation == "edit":
        return await _edit(call, options, group)
    if operation == "delete":
        return await _delete(call, group)
    return _check(call, options, group) if operation == "checkmember" else _read(call, group)


# --- who may --------------------------------------------------------------------------------------


async def _password(call: Call, options: Options) -> str | None:
    """Ask on standard input for the password where -p wants it, or where -u names somebody without one."""
    asks, named = "p" in options.letters, "u" in options.letters
    given = options.last("P")
    if asks if not named else "q" not in options.letters and (given is None or asks):
        return await call.ask_on_stdin(say("dseditgroup.prompt", call.mac.version_tuple))
    return given


async def _authorised(call: Call, options: Options, password: str | None) -> str:
    """Return what is wrong with the credentials, "" where they are good, or root needs none."""
    name = options.last("u") or ("root" if call.is_root else call.user)
    if password is None:
        return "" if call.is_root else "no_credentials"
    account = directory.find(call.mac, name)
    ok = bool(directory.authenticate(call.mac, name, password))
    call.authenticated(name, ok)
    await call.commit()
    if not ok or account is None:
        return "bad_credentials"
    return "" if directory.is_admin(call.mac, account) or account.uid == 0 else "not_permitted"


# --- operations -----------------------------------------------------------------------------------


def _check(call: Call, options: Options, group: Group) -> int:
    name = options.last("m") or options.last("u") or ("root" if call.is_root else call.user)
    account = directory.find(call.mac, name)
    if account is None and network.find(call.mac, name) is None:
        return _say(call, "no_user")
    member = account is not None and directory.is_member(call.mac, account, group)
    key = "dseditgroup.yes" if member else "dseditgroup.no"
    call.out(say(key, call.mac.version_tuple, user=name, group=options.rest[0]))
    return 0 if member else NOT_A_MEMBER


async def _edit(call: Call, options: Options, group: Group) -> int:
    status = 0
    for letter in ("a", "d"):
        name = options.last(letter)
        if name is not None and not _edit_member(call, group, letter, name, (options.last("t") or "").lower()):
            status = _say(call, "no_record", NO_RECORD)
            break
    else:
        status = _number(call, options, group)
    call.wrote(f"group {group.name} changed")
    await call.commit()
    return status


def _edit_member(call: Call, group: Group, letter: str, name: str, kind: str) -> bool:
    """A word that is neither user nor group means a user."""
    if kind == "group":
        return _edit_nested(call, group, letter, name)
    account: Account | None = directory.find(call.mac, name)
    if account is None:
        return False
    (directory.add_member if letter == "a" else directory.drop_member)(group, account)
    return True


def _edit_nested(call: Call, group: Group, letter: str, name: str) -> bool:
    inner = directory.find_group(call.mac, name)
    if inner is None:
        return False
    group.nested[:] = [guid for guid in group.nested if guid != inner.generated_uid]
    group.nested += [inner.generated_uid] if letter == "a" else []
    return True


def _number(call: Call, options: Options, group: Group) -> int:
    """Put the numbers and words that options give into the group; a number that another group has is refused."""
    gid = options.last("i")
    if gid is not None and any(other.gid == int(gid) for other in call.mac.groups.values()):
        return _say(call, "gid_taken")
    group.gid = group.gid if gid is None else int(gid)
    group.generated_uid = (options.last("g") or group.generated_uid).upper()
    for letter, key in (("r", "RealName"), ("k", "Keywords"), ("c", "Comment")):
        value = options.last(letter)
        if value is not None:
            group.attributes[key] = [value]
    return 0


async def _create(call: Call, options: Options, name: str, group: Group | None) -> int:
    """Make the group; one that is there is asked about, or with -q replaced without a question, members and all."""
    if group is not None and "q" not in options.letters:
        answer = await call.ask(say("dseditgroup.overwrite", call.mac.version_tuple)) or ""
        call.out("\n")
        if answer[:1] not in ("y", "Y"):
            return _say(call, "not_replaced", CANNOT_CREATE)
    if group is not None:
        del call.mac.groups[group.name]
    taken = {other.gid for other in call.mac.groups.values()}
    free = next(number for number in range(501, 600 + len(taken)) if number not in taken)
    made = Group(name, gid=-2 if options.last("i") else free, generated_uid=directory.new_guid())
    call.mac.groups[name] = made
    status = _number(call, options, made)
    call.wrote(f"group {name} created")
    await call.commit()
    return status


async def _delete(call: Call, group: Group) -> int:
    _say(call, "will_delete")
    _read(call, group)
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
        **group.attributes,
    }
    for key, values in shown.items():
        if values:
            call.out(f"dsAttrTypeStandard:{key} -\n" + "".join(f"\t\t{value}\n" for value in values))
    return 0
