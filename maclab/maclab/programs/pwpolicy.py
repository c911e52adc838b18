# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be pwpolicy: show account policies, tell whether an account may authenticate, and disable and enable accounts.

The commands are those of its manual (https://manp.gs/mac/8/pwpolicy); one word may do without its hyphen.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from maclab import directory, inactivity, plists
from maclab.call import Call
from maclab.state import Account, Mac
from maclab.texts import say

FAILED = 1
USAGE = 64
WITH_VALUE = {"-a": "authenticator", "-p": "password", "-u": "user", "-c": "computer", "-n": "node"}
# Commands of the real program that are not modelled; -setpolicyglobal and the two of Windows sharing are of DSTools.
OTHERS = (
    "getglobalpolicy setglobalpolicy getpolicy get-effective-policy setpolicy setpolicyglobal setpassword "
    "getglobalhashtypes setglobalhashtypes gethashtypes sethashtypes setaccountpolicies clearaccountpolicies "
    "enable-windows-sharing disable-windows-sharing appleversion"
).split()
KNOWN = "-getaccountpolicies; with -u -authentication-allowed, -disableuser and -enableuser; of root these two"


async def main(call: Call) -> int:
    options, commands = _options(call.argv)
    if "computer" in options or "authenticator" in options or any(word in OTHERS for word in commands):
        return call.refuse(KNOWN)
    if len(commands) != 1 or commands[0] not in COMMANDS or None in options.values():
        call.err(say("pwpolicy.usage", call.mac.version_tuple))
        return USAGE
    if options.get("node") not in (None, "/Local/Default", "/Search", "."):
        return call.refuse(f"{KNOWN}, of the node /Local/Default")
    account = None
    if "user" in options:
        account = directory.find(call.mac, options["user"] or "")
        if account is None:
            call.err(say("pwpolicy.no_user", call.mac.version_tuple))
            return FAILED
    return await COMMANDS[commands[0]](call, account)


def _options(argv: list[str]) -> tuple[dict[str, str | None], list[str]]:
    """Return the options, None where a value is missing, and the commands without hyphens."""
    options: dict[str, str | None] = {}
    commands: list[str] = []
    words = iter(argv)
    for word in words:
        if word in WITH_VALUE:
            options[WITH_VALUE[word]] = next(words, None)
        elif word != "-v":
            commands.append(word.lower().lstrip("-"))
    return options, commands


async def _policies(call: Call, account: Account | None) -> int:
    version = call.mac.version_tuple
    if account is not None:
        call.out(say("pwpolicy.user", version, user=account.name))
        return 0
    call.out(say("pwpolicy.global", version))
    if plists.has_policy(call.mac.policy):
        call.out(plists.global_policy(call.mac))
    return 0


async def _allowed(call: Call, account: Account | None) -> int:
    if account is None:
        return call.refuse(KNOWN)
    version = call.mac.version_tuple
    if directory.refused(call.mac, account):
        call.out(say("pwpolicy.disabled", version, user=account.name))
        return FAILED
    if account.locked:
        call.out(say("pwpolicy.locked", version, user=account.name, policy="failed logins"))
        return FAILED
    rule = inactivity.shut_out_by(call.mac, account)
    if rule:
        call.out(say("pwpolicy.locked", version, user=account.name, policy=rule))
        return FAILED
    call.out(say("pwpolicy.allowed", version, user=account.name))
    return 0


async def _disable(call: Call, account: Account | None) -> int:
    return await _switch(call, account, "disabling", directory.disable)


async def _enable(call: Call, account: Account | None) -> int:
    return await _switch(call, account, "enabling", directory.enable)


async def _switch(call: Call, account: Account | None, key: str, change: Callable[[Mac, Account], None]) -> int:
    if account is None or not call.is_root:
        return call.refuse(KNOWN)
    call.out(say(f"pwpolicy.{key}", call.mac.version_tuple, user=account.name))
    change(call.mac, account)
    call.wrote(f"{key} {account.name}")
    await call.commit()
    return 0


COMMANDS: dict[str, Callable[[Call, Account | None], Awaitable[int]]] = {
    "getaccountpolicies": _policies,
    "authentication-allowed": _allowed,
    "disableuser": _disable,
    "enableuser": _enable,
}
