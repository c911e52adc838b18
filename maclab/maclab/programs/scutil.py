# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be scutil: the Mac's names, and who is at the screen, as scripts ask for it on standard input."""

from __future__ import annotations

from maclab import directory, names
from maclab.call import Call
from maclab.state import Account, Mac
from maclab.texts import say

FAILED = 1
CONSOLE_USER = "State:/Users/ConsoleUser"
KNOWN = f"--get and --set of {', '.join(names.KINDS)}, and on standard input `show {CONSOLE_USER}`, get, d.show, quit"


async def main(call: Call) -> int:
    words = call.argv
    if len(words) == 2 and words[0] == "--get" and words[1] in names.KINDS:
        return _get(call, words[1])
    if len(words) == 3 and words[0] == "--set" and words[1] in names.KINDS:
        return await _set(call, words[1], words[2])
    if words:
        return call.refuse(KNOWN)
    return await _session(call)


def _get(call: Call, kind: str) -> int:
    found = names.name_of(call.mac, kind)
    if found is None:
        call.err(say("scutil.not_set", call.mac.version_tuple, name=kind))
        return FAILED
    call.out(f"{found}\n")
    return 0


async def _set(call: Call, kind: str, name: str) -> int:
    if not call.is_root:
        call.err(say("scutil.not_root", call.mac.version_tuple))
        return FAILED
    call.mac.names[kind] = name
    call.wrote(f"{kind} set")
    await call.commit()
    return 0


async def _session(call: Call) -> int:
    """Do the commands that come on standard input, one a line."""
    held: str | None = None
    for line in (await call.read_stdin_all()).decode("utf-8", "replace").splitlines():
        verb, *words = line.split()[:2] or [""]
        if verb in ("", "open", "close"):
            continue
        if verb in ("quit", "exit"):
            break
        if verb in ("show", "get") and words == [CONSOLE_USER]:
            held = _console_user(call.mac)
        elif verb != "d.show" or held is None:
            return call.refuse(KNOWN)
        if verb != "get":
            call.out(held)
    return 0


def _console_user(mac: Mac) -> str:
    """Return the people at the screen, who sees it first (public files #201881435 and #70706764366)."""
    people = [account for name in mac.logged_in if (account := directory.find(mac, name)) is not None]
    if not people:
        return "<dictionary> {\n  Name : loginwindow\n  UID : 0\n}\n"
    first = people[0]
    sessions = "".join(_gui_session(place, account, first) for place, account in enumerate(people))
    head = f"<dictionary> {{\n  GID : {first.gid}\n  Name : {first.name}\n  SessionInfo : <array> {{\n"
    return f"{head}{sessions}  }}\n  UID : {first.uid}\n}}\n"


def _gui_session(place: int, account: Account, first: Account) -> str:
    audit = 100000 + account.uid
    facts = {
        "kCGSSessionAuditIDKey": audit,
        "kCGSSessionGroupIDKey": account.gid,
        "kCGSSessionIDKey": 257 + place,
        "kCGSSessionLoginwindowSafeLogin": "FALSE",
        "kCGSSessionOnConsoleKey": "TRUE" if account is first else "FALSE",
        "kCGSSessionSystemSafeBoot": "FALSE",
        "kCGSSessionUserIDKey": account.uid,
        "kCGSSessionUserNameKey": account.name,
        "kCGSessionLoginDoneKey": "TRUE",
        "kCGSessionLongUserNameKey": account.full_name,
        "kSCSecuritySessionID": audit,
    }
    lines = "".join(f"      {key} : {value}\n" for key, value in facts.items())
    return f"    {place} : <dictionary> {{\n{lines}    }}\n"
