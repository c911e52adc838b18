# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be startosinstall, the program in an installer application: it prepares that macOS and restarts the Mac into it.

On Apple silicon an owner of the volume authorises it before anything is prepared (kc9wwh/macOSUpgrade issue 165). A Mac
of the lab has one such application, and a shell that is not on full paths finds its program by name.
"""

from __future__ import annotations

from maclab import rules, updates
from maclab.call import Call
from maclab.programs import _installing
from maclab.texts import say

NOT_FOUND = 127
FLAGS = frozenset("--agreetolicense --nointeraction --forcequitapps --stdinpass".split())
KNOWN = "--agreetolicense with --nointeraction, --forcequitapps, --user and --stdinpass"
PERCENTS = ("0.0", "18.4", "100.0")


async def main(call: Call) -> int:
    version, application = call.mac.version_tuple, call.mac.installer
    if application is None or updates.program_of(application.label) not in call.mac.files:
        call.err("startosinstall: command not found\n")
        return NOT_FOUND
    user, flags = _parsed(call.argv)
    if "--agreetolicense" not in flags or not flags <= FLAGS:
        return call.refuse(KNOWN)
    if not call.is_root:
        call.err(say("startosinstall.not_root", version))
        return 1
    failed = rules.UPDATE_FAILURE_STATUS.at(version)
    needs_owner = _installing.needed(call)
    if needs_owner and (not user or "--stdinpass" not in flags):
        call.err(say("startosinstall.no_password", version))
        call.out(say("startosinstall.license", version))
        return failed
    call.out(say("startosinstall.license", version))
    if needs_owner and not await _installing.authorised(call, user):
        call.err(say("startosinstall.refused", version))
        return failed
    fault = call.fault("update_fails")
    if fault is not None and fault.options["because"] == "space":
        call.err(say("startosinstall.space", version, size="16.37"))
        return failed
    call.out(say("startosinstall.begin", version))
    for percent in PERCENTS[: 2 if fault is not None else None]:
        call.out(say("startosinstall.percent", version, percent=percent))
    if fault is not None:
        call.err(say("startosinstall.failed", version))
        return failed
    call.out(say("startosinstall.restarting", version))
    return await _installing.restart_into(call, application.label, f"{application.title} prepared")


def _parsed(words: list[str]) -> tuple[str, set[str]]:
    """Return the user and the other words."""
    flags, user, rest = set(), "", list(words)
    while rest:
        word = rest.pop(0)
        if word == "--user" and rest:
            user = rest.pop(0)
        else:
            flags.add(word)
    return user, flags
