# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be createmobileaccount: give a person of the directory an account on the Mac; it lies in ManagedClient.app.

Its options for a password are left out: they take it as an argument.
"""

from __future__ import annotations

from maclab import directory, network, rules
from maclab.call import Call
from maclab.texts import say

FAILED = 1
USAGE = 64
# Options of the real program that are not modelled: passwords, encryption, and homes that are kept in step (its usage,
# openradar-mirror 18598).
OTHERS = set("-p -P -e -E -f -F -q -u -s -S -t -x -X -a -A -U -H".split())
KNOWN = "-n, -h, -v and -D"


async def main(call: Call) -> int:
    mac, version = call.mac, call.mac.version_tuple
    if OTHERS & set(call.argv):
        return call.refuse(KNOWN)
    options = _options(call.argv)
    if options is None or not options.get("-n"):
        call.err(say("createmobileaccount.usage", version))
        return USAGE
    name = options["-n"]
    if not call.is_root:
        call.err(say("createmobileaccount.not_root", version))
        return FAILED
    account, person = directory.find(mac, name), network.find(mac, name)
    if account is not None and account.kind != "mobile":
        call.err(say("createmobileaccount.local", version, user=name))
        return FAILED
    if account is None and person is None:
        call.err(say("createmobileaccount.unknown", version, user=name))
        return FAILED
    if account is None and call.fault("mobile_account_not_made") is not None:
        return 0
    if account is None and person is not None:
        account = network.create_mobile_account(mac, person, options.get("-h") or f"/Users/{name}")
        call.wrote(f"mobile account {name} created")
        await call.commit()
    if account is not None and not account.home_exists and rules.CREATEMOBILE_MAKES_HOME.at(version):
        account.home_exists = True
        call.wrote("home created")
        await call.commit()
        call.out(say("createmobileaccount.created", version, user=name, home=account.home))
    return 0


def _options(words: list[str]) -> dict[str, str] | None:
    """-n and -h take a value; -v and -D, which public scripts give as well, change nothing here."""
    given: dict[str, str] = {}
    rest = list(words)
    while rest:
        option = rest.pop(0)
        if option in ("-n", "-h") and rest:
            given[option] = rest.pop(0)
        elif option not in ("-v", "-D"):
            return None
    return given
