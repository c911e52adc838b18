# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read whom the preboot volume knows: those who can unlock the volume before macOS runs.

``diskutil apfs updatePreboot`` writes CryptoUserInfo.plist into a folder named after the volume group (its output of
2025, public file #60865698703). The GUID of each crypto user is a key of it (public files #34613275255, #34561725583).
It holds names, hints and pictures as well, so only what looks like a GUID is asked for, which works for both forms of a
property list. That it lacks whoever the unlock screen does not know, and that root may read it on the running Mac, is
assumed.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._runner import Ran

FILES = "/System/Volumes/Preboot/*/var/db/CryptoUserInfo.plist"
READ_USERS = Command(("sh", "-c", "exec $*", "sh", "grep", "-aoHE", "[-0-9A-Fa-f]{36}", FILES))
"""One process: the shell, which finds the folder, becomes grep. Nothing there has a blank, and no other word is a
pattern that a file fits."""

_FOUND = re.compile(
    r"^/System/Volumes/Preboot/([^/\n]+)/var/db/CryptoUserInfo\.plist:([0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})$",
    re.MULTILINE,
)


def parse_users(ran: Ran) -> dict[str, frozenset[str]] | None:
    """Return the GUIDs in each folder's file. None: there is no such file, as before macOS 11, or not all of it could
    be read."""
    if ran.rc != 0:
        return None
    found: dict[str, set[str]] = {}
    for folder, guid in _FOUND.findall(ran.out.replace("\r\n", "\n")):
        found.setdefault(folder, set()).add(guid.upper())
    return {folder: frozenset(guids) for folder, guids in found.items()} or None
