# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""fdesetup: FileVault's status, and who its list names.

``status -extended`` is never used: on APFS it prints for ever while the volume is converted (man fdesetup).

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._runner import Ran

STATUS = Command(("fdesetup", "status"))
LIST = Command(("fdesetup", "list"))

_HEADLINE = re.compile(r"^FileVault is (On|Off)([.,].*)$", re.MULTILINE)
_PROGRESS = re.compile(r"^(Encryption|Decryption) in progress: (?:Percent completed = ([0-9.]+)|(\S+))", re.MULTILINE)
_DEFERRED = re.compile(r"^Deferred enablement appears to be active for user '(.*)'\.?$", re.MULTILINE)
_UUID = re.compile(r"^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$")


@dataclass(frozen=True)
class Status:
    """``state``: on, off, encrypting, decrypting, restart_to_enable, restart_to_finish; ``percent`` None: not said."""

    state: str
    percent: float | None = None
    deferred_user: str = ""


def parse_status(ran: Ran) -> Status | None:
    """None: no line that begins as FileVault's status does. The lines come in any order, and more may follow."""
    headline = _HEADLINE.search(ran.out)
    if headline is None:
        return None
    deferred = _DEFERRED.search(ran.out)
    user = deferred.group(1) if deferred else ""
    progress = _PROGRESS.search(ran.out)
    if progress:
        percent = float(progress.group(2)) if progress.group(2) else None
        return Status("encrypting" if progress.group(1) == "Encryption" else "decrypting", percent, user)
    word, rest = headline.groups()
    if "will be enabled after the next restart" in rest:
        return Status("restart_to_enable", None, user)
    if "needs to be restarted to finish" in rest:
        return Status("restart_to_finish", None, user)
    return Status(word.lower(), None, user)


def parse_list(ran: Ran) -> dict[str, str] | None:
    """UUID -> name of each ``name,UUID`` line, split at the last comma; None: refused (it needs root)."""
    if ran.rc != 0:
        return None
    pairs = (line.rpartition(",") for line in ran.out.splitlines())
    return {uuid.upper(): name for name, dummy, uuid in pairs if _UUID.match(uuid)}
