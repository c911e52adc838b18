# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Have launchd take temporary administrator rights back, whatever becomes of the run.

The job is a property list in /Library/LaunchDaemons, so that it outlives a restart, and holds a name and no secret.
launchd starts it every so many seconds of the Mac's waking time (man launchd.plist, StartInterval) and not at once.
It demotes as long as its property list is there, which an orderly run takes away, and takes the note and itself away
afterwards; where the demotion fails, it is tried again at the next interval. The last administrator beside root stays
one.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import plistlib
import typing as t

from ansible_collections.keyholder.macos.plugins.module_utils._command.dscl import NOTES
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._runner import Ran

LABEL = "keyholder.macos.demote"
PATH = f"/Library/LaunchDaemons/{LABEL}.plist"

SCRIPT = f"""\
if ls '{PATH}' >/dev/null 2>&1; then
    members=$(dscl . -read /Groups/admin GroupMembership | tr ' ' '\\n')
    printf '%s\\n' "$members" | grep -q -v -x -F -e GroupMembership: -e root -e "$1" -e '' || exit 1
    dseditgroup -o edit -d "$1" -t user admin || exit 1
    dscl . -delete /Users/root 'dsAttrTypeNative:{NOTES}' "$2"
    rm -f '{PATH}'
fi
launchctl bootout 'system/{LABEL}'
"""

_BOOT_OUT = Command(("launchctl", "bootout", f"system/{LABEL}"))


def job(user: str, note: str, seconds: int) -> str:
    """Return the property list of the job that demotes ``user``, whose promotion ``note`` tells of. ``seconds``: from
    one try to the next. The script gets both names as arguments: no shell parses them."""
    content = {
        "Label": LABEL,
        "ProgramArguments": ["/bin/sh", "-c", SCRIPT, LABEL, user, note],
        "StartInterval": seconds,
    }
    return plistlib.dumps(content).decode("utf-8")


def plan_demotion(user: str, note: str, seconds: int) -> list[Command]:
    """Write the job, load it in the place of one that was left over, and ask launchd whether it is there: nobody is
    promoted on a promise alone."""
    return [
        _BOOT_OUT,
        Command(("tee", PATH), stdin=job(user, note, seconds), private=True),
        Command(("launchctl", "bootstrap", "system", PATH)),
        Command(("launchctl", "print", f"system/{LABEL}"), private=True),
    ]


def drop_demotion() -> list[Command]:
    """Unload the job and remove its file. Does no harm if there is no job."""
    return [_BOOT_OUT, Command(("rm", "-f", PATH))]


def may_fail(ran: Ran) -> bool:
    """Check whether a failure of this command is as good as success: launchd refuses to unload what it has not
    loaded."""
    return ran.command == _BOOT_OUT
