# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be dsmemberutil: identities and membership, as dsmbrutil.c of Apple's DSTools answers: 0 for yes and for no."""

from __future__ import annotations

import uuid

from maclab import directory, models
from maclab.call import Call
from maclab.options import getopt
from maclab.state import Account, Group
from maclab.texts import say

WRONG_WORDS = 22
NO_IDENTITY = 5
NOBODY = 7
USERS, GROUPS = "uUx", "gGX"
# What the real program takes and this one does not: Windows' identifiers, its own commands of old, and verbose mode.
OTHERS = {"getsid", "dumpstate", "statistics"}
KNOWN = "getuuid, getid, checkmembership and flushcache, with -u -U -x -g -G -X"


async def main(call: Call) -> int:
    verb, words = (call.argv[0], call.argv[1:]) if call.argv else ("-h", [])
    if verb in OTHERS or verb == "-v" or {word[:2] for word in words} & {"-s", "-S"}:
        return call.refuse(KNOWN)
    if verb == "flushcache":
        return 0
    if verb == "getuuid":
        return _uuid(call, words)
    if verb == "getid":
        return _id(call, words)
    if verb == "checkmembership":
        return _check(call, words)
    _complain(call, "usage")
    return 0 if verb == "-h" else WRONG_WORDS


def _complain(call: Call, key: str, **values: object) -> None:
    call.err(say(f"dsmemberutil.{key}", call.mac.version_tuple, **values))


def _say(call: Call, key: str, **values: object) -> None:
    call.out(say(f"dsmemberutil.{key}", call.mac.version_tuple, **values))


def _one(words: list[str], known: str) -> tuple[str, str] | None:
    """Return the only option and its value; None for anything else."""
    options = getopt(words, known)
    return options.given[0] if len(options.given) == 1 and not options.rest and not options.complaint else None


def _identity(call: Call, letter: str, value: str) -> str:
    """Return the identity behind an option, "" for a name that nobody has. A bare number always has one."""
    mac = call.mac
    if letter in "xX":
        return value.upper()
    if letter == "U":
        account = directory.find(mac, value)
        return account.generated_uid if account else ""
    if letter == "G":
        group = directory.find_group(mac, value)
        return group.generated_uid if group else ""
    if letter == "u":
        owner = mac.by_uid(int(value))
        return owner.generated_uid if owner else models.user_guid(int(value))
    return next((group.generated_uid for group in mac.groups.values() if group.gid == int(value)), None) or (
        models.group_guid(int(value))
    )


def _is_bad(letter: str, value: str) -> bool:
    if letter in "ug":
        return not value.removeprefix("-").isdigit()
    try:
        return letter in "xX" and not uuid.UUID(value)
    except ValueError:
        return True


def _uuid(call: Call, words: list[str]) -> int:
    option = _one(words, "u:U:g:G:")
    if option is None or _is_bad(*option):
        _complain(call, "usage_getuuid")
        return WRONG_WORDS
    letter, value = option
    found = _identity(call, letter, value)
    if found:
        call.out(found + "\n")
        return 0
    _say(call, "no_uuid", kind="user" if letter == "U" else "group", name=value)
    return NO_IDENTITY


def _id(call: Call, words: list[str]) -> int:
    option = _one(words, "U:G:x:X:")
    if option is None or _is_bad(*option):
        _complain(call, "usage_getid")
        return WRONG_WORDS
    found = _missing(call, *option)
    record = _record(call, found)
    if not found:
        _say(call, "no_id")
    elif record is None:
        _complain(call, "unknown_error")
        return 1
    else:
        kind, number = ("uid", record.uid) if isinstance(record, Account) else ("gid", record.gid)
        call.out(f"{kind}: {number}\n")
    return 0


def _record(call: Call, identity: str) -> Account | Group | None:
    groups = (group for group in call.mac.groups.values() if group.generated_uid == identity)
    return call.mac.by_guid(identity) or next(groups, None)


def _missing(call: Call, letter: str, value: str) -> str:
    """Return the identity, and say of a name without one what the real program says."""
    found = _identity(call, letter, value)
    if not found:
        _complain(call, "no_user" if letter == "U" else "no_group", **{"user" if letter == "U" else "group": value})
    return found


def _check(call: Call, words: list[str]) -> int:
    options = getopt(words, "u:U:x:g:G:X:")
    user = next(((letter, value) for letter, value in options.given[:1] if letter in USERS), None)
    group = next(((letter, value) for letter, value in options.given[1:2] if letter in GROUPS), None)
    if user is None or group is None or options.complaint or _is_bad(*user) or _is_bad(*group):
        _complain(call, "usage_check")
        return WRONG_WORDS
    identities = []
    for (letter, value), key in ((user, "user_not_found"), (group, "group_not_found")):
        identities.append(_missing(call, letter, value))
        if not identities[-1]:
            _say(call, key)
            return NOBODY
    account, asked = _record(call, identities[0]), _record(call, identities[1])
    yes = isinstance(account, Account) and isinstance(asked, Group) and directory.is_member(call.mac, account, asked)
    _say(call, "yes" if yes else "no")
    return 0
