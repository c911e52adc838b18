# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read which macOS an installer application has, and start it: startosinstall, with the owner's password on stdin.

Its options and its words are those that its users have published: --user and --stdinpass for Apple silicon
(kc9wwh/macOSUpgrade issues 165 and 187, grahampugh/erase-install issues 63 and 71), --nointeraction, which its usage
does not name (grahamrpugh.com, 2020-06-09). It shows its progress, says "Restarting..." and restarts the Mac by itself
(kc9wwh/macOSUpgrade issue 44). Its exit status is no evidence.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.keyholder.macos.plugins.module_utils._command import softwareupdate, strays
from ansible_collections.keyholder.macos.plugins.module_utils._macos import Version
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._code import MaybeCode
    from ansible_collections.keyholder.macos.plugins.module_utils._runner import Ran, Secret

PASSWORD_BYTES = 255
"""Assumed to fit: nobody has published how much startosinstall reads for --stdinpass."""

_VERSION = re.compile(r"[0-9]{2}(?:\.[0-9]{1,2}){0,2}")
_RESTARTS = "Restarting..."


def program_of(application: str) -> str:
    """Return the path of the program in an installer application."""
    return f"{application}/Contents/Resources/startosinstall"


def read_version(application: str) -> Command:
    """Ask which macOS an installer application has: public scripts compare this key with the version that they want
    (grahampugh/erase-install before version 1; public file #5508763032)."""
    return Command(("defaults", "read", f"{application}/Contents/Info.plist", "DTPlatformVersion"))


def parse_version(ran: Ran) -> Version | None:
    """Return the version. None: not said, or none."""
    said = strays.without(ran.out.replace("\r\n", "\n")).strip()
    return Version.parse(said) if ran.rc == 0 and _VERSION.fullmatch(said) else None


def install(application: str, user: str, password: Secret | None) -> Command:
    """Prepare the application's macOS, and have it restart the Mac. ``user``: an owner of the volume who authorises
    it, "" on a Mac that asks for none."""
    argv = (program_of(application), "--agreetolicense", "--nointeraction", "--forcequitapps")
    return softwareupdate.authorised(argv, user, password)


def refusal_said(ran: Ran) -> MaybeCode:
    """Return why an installation was not begun, by its words; "" where they tell of no failure. The restart that it
    has asked for may put an end to it."""
    said = softwareupdate.refusal_said(ran)
    return said or ("" if ran.rc == 0 or _RESTARTS in ran.text else "update_failed")
