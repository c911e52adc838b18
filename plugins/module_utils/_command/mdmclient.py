# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask whether the escrowed Bootstrap Token would authorise an erase, the best proof there is without a login:
mdmclient.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._runner import Ran

DEVICE_INFORMATION = Command(("mdmclient", "QueryDeviceInformation"), private=True)
"""Private: it prints the Mac's serial number and much else."""

MDMCLIENT_FOLDER = "/usr/libexec"
"""mdmclient is on no PATH."""

_PREFLIGHT = re.compile(r"EACSPreflight\s*=([^;]*);")


def parse_preflight(ran: Ran) -> bool | None:
    """Return whether macOS would use the token. Macjutsu/super and Inetum-Poland/bootstrap-buddy take these two texts
    as success. None: not said, as before ERASE_PREFLIGHT."""
    said = _PREFLIGHT.search(ran.text)
    words = "" if said is None else said.group(1).strip().strip('"').strip()
    return words == "success" or "EFI password exists" in words if words else None
