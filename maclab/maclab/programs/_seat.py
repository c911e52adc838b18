# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say which of macOS's own processes run that scripts wait for: they follow from who is at the screen."""

from __future__ import annotations

from maclab.state import Mac

# Those of a person who is logged in, and those of the Mac, which are root's.
OF_A_PERSON = ("Dock", "Finder", "SystemUIServer")
OF_THE_MAC = ("cfprefsd", "loginwindow", "opendirectoryd")
# They run while a Mac is set up, which every lab Mac is.
OF_SETTING_UP = ("Setup Assistant", "mbsetupuser")
KNOWN = (*OF_A_PERSON, *OF_THE_MAC, *OF_SETTING_UP)


def running(mac: Mac) -> list[tuple[int, str, str]]:
    """Return number, account and name of each; a number stays what it is while the Mac runs."""
    found = [(100 + place, "root", name) for place, name in enumerate(OF_THE_MAC)]
    for seat, user in enumerate(mac.logged_in):
        found += [(400 + 50 * seat + place, user, name) for place, name in enumerate(OF_A_PERSON)]
    return found
