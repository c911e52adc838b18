# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say what a Mac is called: for people, on the local network, and by its own host name, which few have."""

from __future__ import annotations

import re

from maclab.state import Mac

COMPUTER, LOCAL, HOST = KINDS = ("ComputerName", "LocalHostName", "HostName")


def name_of(mac: Mac, kind: str) -> str | None:
    """Return a name of the Mac; None for a host name that nobody has set."""
    if kind in mac.names:
        return mac.names[kind]
    given = {COMPUTER: mac.name, LOCAL: re.sub(r"[^A-Za-z0-9-]", "-", mac.name)}
    return given.get(kind)


def host_name(mac: Mac) -> str:
    """Return what hostname(1) says."""
    return name_of(mac, HOST) or f"{name_of(mac, LOCAL)}.local"
