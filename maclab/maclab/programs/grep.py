# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be grep for the file in which the preboot volume keeps who may unlock, and for the public halves of host keys; any
other file is the host's."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

from maclab import preboot
from maclab.call import Call
from maclab.options import getopt
from maclab.programs import _files

NOT_FOUND, TROUBLE = 1, 2
PLACES = (preboot.FOLDER, f"{preboot.SSH_FOLDER}ssh_host_")


async def main(call: Call) -> int:
    options = getopt(call.argv, "EHaho")
    if not options.rest[1:] or not all(word.startswith(PLACES) for word in options.rest[1:]):
        return _files.become_host_program(call)
    if options.complaint or options.letters - set("EHaho") or "o" not in options.letters:
        return call.refuse("-a, -E, -H, -h and -o for the preboot volume and host keys")
    pattern, paths = options.rest[0], options.rest[1:]
    named = "h" not in options.letters and ("H" in options.letters or len(paths) > 1)
    status = NOT_FOUND
    for path in paths:
        # The shell finds nothing of that name on this host, so its pattern comes here as it was written.
        there = preboot.user_files(call.mac) | preboot.host_keys(call.mac)
        files = {known: text for known, text in there.items() if fnmatchcase(known, path)}
        if not files:
            call.err(f"grep: {path}: No such file or directory\n")
            status = TROUBLE
        for known, text in files.items():
            found = re.findall(pattern, text)
            call.out("".join(f"{known}:{one}\n" if named else f"{one}\n" for one in found))
            status = 0 if found and status == NOT_FOUND else status
    return status
