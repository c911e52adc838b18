# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be the programs that macOS has and the lab does not model, so that a script does not hear that there is none."""

from __future__ import annotations

from maclab.call import Call
from maclab.layout import STAND_INS

NAMES = frozenset(
    (
        "bputil caffeinate chflags chpass codesign df ditto dsconfigad dsenableroot dsexport dsimport "
        "hdiutil last log lsappinfo mdfind mdls mount networksetup nvram open osascript passwd pkgutil "
        "pkill say sc_auth security spctl systemextensionsctl tccutil tmutil top users vm_stat w "
        "xattr xpath"
    ).split()
)
# The host's own do, where it has them.
OF_THE_HOST = frozenset(STAND_INS) - {"openssl"}


async def main(call: Call) -> int:
    if call.program in OF_THE_HOST:
        return call.refuse(f"{call.program} of this host, which has none: install it there")
    return call.refuse("that macOS has this program, and nothing of it")
