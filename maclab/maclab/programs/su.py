# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be su: it asks for the password of whom the caller becomes, on the terminal if there is one."""

from __future__ import annotations

from maclab import directory, fullpaths, shells
from maclab.call import Call
from maclab.host import EUID, USER
from maclab.options import getopt
from maclab.programs.sudo import home_of
from maclab.state import Account
from maclab.texts import say

FAILED = 1


async def main(call: Call) -> int:
    version = call.mac.version_tuple
    words = list(call.argv)
    options = getopt(words, "flm")
    letters, words = "".join(options.letters), list(options.rest)
    if options.complaint:
        call.err(say("getopt.complaint", version, program="su", complaint=options.complaint))
        call.err(say("su.usage", version))
        return FAILED
    if words[:1] == ["-"]:
        letters, words = f"l{letters}", words[1:]
    name = words.pop(0) if words else "root"
    target = directory.find(call.mac, name)
    if target is None:
        call.err(say("su.unknown", version, name=name))
        return FAILED
    if not call.is_root and not await _allowed(call, target):
        call.err(say("su.sorry", version))
        return FAILED
    shell = [fullpaths.shell_of(target.shell)] if call.full_paths else shells.login_shell(target)
    argv = [*shell, *words]
    return call.become(
        argv, _environment(call, target, letters), target.name, target.uid == 0, target.home if "l" in letters else ""
    )


async def _allowed(call: Call, target: Account) -> bool:
    """Tell whether the password is right, and the caller one who may become root; the password is looked at first."""
    typed = await call.getpass("Password:")
    ok = bool(directory.authenticate(call.mac, target.name, typed or ""))
    call.authenticated(target.name, ok)
    await call.commit()
    caller = call.mac.accounts.get(call.user)
    return ok and (target.uid != 0 or (caller is not None and directory.is_admin(call.mac, caller)))


def _environment(call: Call, target: Account, letters: str) -> dict[str, str]:
    env = dict(call.env) | {USER: target.name, EUID: str(target.uid)}
    if "m" not in letters:
        env |= {"HOME": home_of(call, target), "SHELL": "/bin/sh"}
        if target.uid != 0:
            env |= {"USER": target.name, "LOGNAME": target.name}
    return env
