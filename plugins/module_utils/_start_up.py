# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold what decides whether a Mac that waits at its unlock screen can be reached there over SSH. Pure.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

from dataclasses import dataclass

SAME, OTHER, MISSING = "same", "other", "missing"
ETHERNET, WIFI = "ethernet", "wifi"


@dataclass(frozen=True)
class Link:
    """Hold the link that the Mac's default route takes. ``kind``: ethernet, wifi, or "" where it is another one or was
    not said. ``security``: what macOS calls that of a Wi-Fi network. ``ieee8021x``: whether 802.1X is spoken on it;
    None: not said."""

    name: str = ""
    kind: str = ""
    security: str = ""
    ieee8021x: bool | None = None


@dataclass(frozen=True)
class StartUp:
    """Hold what is on the preboot volume for sshd, and the link. None: not asked, or not said.

    ``enabled``: the switch for a login at the unlock screen; ``host_keys``: whether the keys that are staged there are
    the running Mac's: same, other or missing.
    """

    enabled: bool | None = None
    host_keys: str | None = None
    link: Link = Link()
