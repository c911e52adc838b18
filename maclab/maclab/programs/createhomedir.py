# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be createhomedir: give accounts the home folders that their records name; its letters may be bundled."""

from __future__ import annotations

from maclab import directory
from maclab.call import Call
from maclab.options import Options, getopt
from maclab.programs.sudo import home_of
from maclab.state import Account
from maclab.texts import say

USAGE = 64
OPTIONS = "scbalhin:u:"
LOCAL_NODES = (".", "/Local/Default")
KNOWN = "-c, -b, -a, -l, -u and -n of the local node; homes on servers and names on stdin are not"


async def main(call: Call) -> int:
    version = call.mac.version_tuple
    options = getopt(call.argv, OPTIONS)
    if options.complaint:
        call.err(say("getopt.complaint", version, program="createhomedir", complaint=options.complaint))
    wants = options.letters & set("cbalun")
    if options.complaint or "h" in options.letters or (not wants and not options.letters & {"s", "i"}):
        call.err(say("createhomedir.usage", version))
        return USAGE
    if options.letters & {"s", "i"} or options.last("n") not in (None, *LOCAL_NODES):
        return call.refuse(KNOWN)
    wanted = _accounts(call, options)
    if not wanted and "u" in options.letters:
        call.err(say("createhomedir.no_user", version, user=options.last("u")))
        return 1
    missing = [account for account in wanted if not account.home_exists and account.home and not account.service]
    if not missing or not call.is_root:
        call.out(say("createhomedir.none", version, host=call.mac.name))
        return 0
    for account in missing:
        account.home_exists = True
        if call.folder is not None:
            home_of(call, account)
        call.wrote("home created")
        call.out(say("createhomedir.created", version, host=call.mac.name, home=account.home))
    await call.commit()
    return 0


def _accounts(call: Call, options: Options) -> list[Account]:
    """Return the accounts that were asked for by name, or all that the Mac has."""
    names = [value for letter, value in options.given if letter == "u"]
    if not names:
        return list(call.mac.accounts.values())
    found = (directory.find(call.mac, name) for name in names)
    return [account for account in found if account is not None]
