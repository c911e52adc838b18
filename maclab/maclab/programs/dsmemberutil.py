# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be dsmemberutil: membership in words, with exit status 0 for yes and for no."""

from __future__ import annotations

from maclab import directory
from maclab.call import Call
from maclab.state import Account, Group
from maclab.texts import say


async def main(call: Call) -> int:
    verb = call.argv[0] if call.argv else ""
    options = dict(zip(call.argv[1::2], call.argv[2::2], strict=False))
    if verb == "getuuid":
        return _uuid(call, options)
    if verb == "checkmembership":
        return _check(call, options)
    call.out(say("dsmemberutil.usage", call.mac.version_tuple))
    return 0


def _user(call: Call, options: dict[str, str]) -> Account | None:
    if "-u" in options and options["-u"].isdigit():
        return call.mac.by_uid(int(options["-u"]))
    return directory.find(call.mac, options.get("-U", ""))


def _group(call: Call, options: dict[str, str]) -> Group | None:
    number = options.get("-g")
    if number is not None:
        return next((group for group in call.mac.groups.values() if str(group.gid) == number), None)
    return directory.find_group(call.mac, options.get("-G", ""))


def _missing_user(call: Call, options: dict[str, str]) -> int:
    name = options.get("-U") or options.get("-u") or ""
    call.err(say("dsmemberutil.no_user", call.mac.version_tuple, user=name))
    return 1


def _missing_group(call: Call, options: dict[str, str]) -> int:
    name = options.get("-G") or options.get("-g") or ""
    call.err(say("dsmemberutil.no_group", call.mac.version_tuple, group=name))
    return 1


def _check(call: Call, options: dict[str, str]) -> int:
    account, group = _user(call, options), _group(call, options)
    if account is None:
        return _missing_user(call, options)
    if group is None:
        return _missing_group(call, options)
    member = directory.is_member(call.mac, account, group)
    call.out(say("dsmemberutil.yes" if member else "dsmemberutil.no", call.mac.version_tuple))
    return 0


def _uuid(call: Call, options: dict[str, str]) -> int:
    account, group = _user(call, options), _group(call, options)
    if "-G" in options or "-g" in options:
        if group is None:
            return _missing_group(call, options)
        call.out(group.generated_uid + "\n")
        return 0
    if account is None:
        return _missing_user(call, options)
    call.out(account.generated_uid + "\n")
    return 0
