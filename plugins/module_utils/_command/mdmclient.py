# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask whether the escrowed Bootstrap Token would authorise an erase, the best proof there is without a login, and
whether Recovery is locked: mdmclient.

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

SECURITY_INFORMATION = Command(("mdmclient", "QuerySecurityInfo"), private=True)
"""What the Mac would tell its MDM server; usnistgov/macos_security asks it about Recovery Lock. Private: it lists
profiles and firewall rules too."""

MDMCLIENT_FOLDER = "/usr/libexec"
"""mdmclient is on no PATH."""

_PREFLIGHT = re.compile(r"EACSPreflight\s*=([^;]*);")
_RECOVERY_LOCK = re.compile(r"\bIsRecoveryLock(?:ed)?Enabled\"?\s*=\s*([01])\s*;")
"""usnistgov/macos_security spells it with and without "ed", by version."""


def parse_recovery_lock(ran: Ran) -> bool | None:
    """Return whether a Recovery Lock is set. None: not said, as where no MDM server manages the Mac."""
    said = _RECOVERY_LOCK.search(ran.text)
    return None if said is None else said.group(1) == "1"


def parse_preflight(ran: Ran) -> bool | None:
    """Return whether macOS would use the token. Macjutsu/super and Inetum-Poland/bootstrap-buddy take these two texts
    as success. None: not said, as before ERASE_PREFLIGHT."""
    said = _PREFLIGHT.search(ran.text)
    words = "" if said is None else said.group(1).strip().strip('"').strip()
    return words == "success" or "EFI password exists" in words if words else None
