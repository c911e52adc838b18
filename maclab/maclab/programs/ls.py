# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be ls for what only the Mac has, its screen among it: the names, or with -l what macOS says of them."""

from __future__ import annotations

import time

from maclab.call import Call
from maclab.programs import _files
from maclab.programs.stat import CONSOLE, facts_of, mode_in_words
from maclab.texts import say

PROTECTED = "/Library/Application Support/com.apple.TCC"
"""macOS lists this folder from 10.14 on only to a session that has Full Disk Access."""


async def main(call: Call) -> int:
    if call.argv[-1:] == [PROTECTED]:
        return _protected(call)
    if CONSOLE in call.argv and not any(word.startswith("/") and word != CONSOLE for word in call.argv):
        return _console(call)
    return await _files.serve(call, _show)


def _console(call: Call) -> int:
    facts = facts_of(call, CONSOLE)
    letters = {letter for word in call.argv if word.startswith("-") for letter in word[1:]}
    if facts is None or letters - set("adhlneLFH1"):
        return call.refuse(f"-l, -n, -a, -d and -e for {CONSOLE}")
    if not letters & {"l", "n"}:
        call.out(f"{CONSOLE}\n")
        return 0
    named = "n" not in letters
    owner, group = (facts.owner[1], facts.group[1]) if named else (facts.owner[0], facts.group[0])
    when = time.strftime("%b %e %H:%M", time.localtime(facts.changed_at))
    said = {"mode": mode_in_words(facts), "owner": owner, "group": group, "when": when, "path": CONSOLE}
    call.out(say("ls.console", call.mac.version_tuple, **said))
    return 0


def _protected(call: Call) -> int:
    if call.fault("no_full_disk_access") is None or call.mac.version_tuple < (10, 14):
        call.out("TCC.db\n")
        return 0
    call.err(say("files.protected", call.mac.version_tuple, program=call.program, path=PROTECTED))
    return 1


async def _show(call: Call, path: str) -> None:
    found = call.mac.files[path]
    long = any("l" in word for word in call.argv if word.startswith("-"))
    when = time.strftime("%b %e %H:%M", time.localtime(found.changed_at))
    details = f"-rw-------  1 root  wheel  {len(found.content.encode())} {when} " if long else ""
    call.out(f"{details}{path}\n")
