# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be pgrep for the processes that scripts wait for: whether somebody has a desktop, or the Mac is being set up."""

from __future__ import annotations

from maclab.call import Call
from maclab.options import getopt
from maclab.programs import _seat
from maclab.texts import say

NONE = 1
SUPPLICANT = "eapolclient"


async def main(call: Call) -> int:
    options = getopt(call.argv, "filoqu:xU:")
    names = list(options.rest)
    if names == [SUPPLICANT] and not options.complaint and not options.letters - set("fl"):
        link = call.mac.link
        if link.ieee8021x:
            words = say("pgrep.supplicant", call.mac.version_tuple, interface=link.interface)
            call.out(f"413 {words if 'f' in options.letters else SUPPLICANT}\n" if "l" in options.letters else "413\n")
        return 0 if link.ieee8021x else NONE
    if options.complaint or options.letters - set("iloqxuU") or len(names) != 1 or names[0] not in _seat.KNOWN:
        return call.refuse(f"-x, -i, -l, -o, -q, -u and one of {', '.join(_seat.KNOWN)}")
    user = options.last("u") or options.last("U")
    numbered = call.mac.by_uid(int(user)) if user and user.isdigit() else None
    owner = numbered.name if numbered is not None else user
    found = [(pid, name) for pid, whose, name in _seat.running(call.mac) if name == names[0] and owner in (None, whose)]
    for pid, name in found[: 1 if "o" in options.letters else None] if "q" not in options.letters else ():
        call.out(f"{pid} {name}\n" if "l" in options.letters else f"{pid}\n")
    return 0 if found else NONE
