# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one SSH exec is given and what comes back: a script, the secrets that its commands read, and both streams. Pure.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import secrets
import typing as t
from dataclasses import dataclass, field

from ansible_collections.keyholder.macos.plugins.module_utils._command import mdmclient
from ansible_collections.keyholder.macos.plugins.module_utils._module import MACOS_PROGRAM, PROGRAMS, SYSTEM

ENVIRONMENT = f"""\
PATH=${{PATH:-/usr/bin:/bin}}:/sbin:/usr/sbin:/usr/local/sbin:{mdmclient.MDMCLIENT_FOLDER}
[ ! -x {PROGRAMS}/{MACOS_PROGRAM} ] || PATH={":".join(SYSTEM)}:$PATH
LC_ALL=C
LANG=C
export PATH LC_ALL LANG
"""
"""How each script begins. On macOS, which one of its own programs tells, the system's programs come before those of a
folder that others may write."""


class Said(t.NamedTuple):
    """Hold what came back over the connection."""

    rc: int
    out: bytes
    err: bytes


@dataclass(frozen=True)
class Exec:
    """Hold what to run on the Mac in one go: a script for its /bin/sh, and what that finds on its stdin, one line for
    each secret. ``repr`` shows no secret."""

    script: str
    secrets: bytes = field(default=b"", repr=False)

    @property
    def piped(self) -> bytes:
        """Return the whole stdin of a shell that runs :data:`FROM_STDIN`."""
        return f"{self.script}\n{_END}\n".encode() + self.secrets


_END = "keyholder-end-of-script"

FROM_STDIN = f"""\
script=
while IFS= read -r line && [ "$line" != {_END} ]; do
    script="$script$line
"
done
eval "$script\""""
"""Reads a script from stdin and runs it; the rest of stdin is left to it. So neither stands in a process list."""

Send = t.Callable[[Exec], Said]
"""Run a script on the Mac: one SSH exec."""


def new_mark() -> str:
    """Return a new random mark for the frame of one script's answers."""
    return f"keyholder-{secrets.token_hex(8)}"
