# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Knows what Apple offers a Mac, how it is called, and what an installed update makes of the Mac."""

from __future__ import annotations

import plistlib

from maclab import models
from maclab.state import Mac, ModelFile, Update

NAMES = {
    (10, 13): "High Sierra",
    (10, 14): "Mojave",
    (10, 15): "Catalina",
    (11,): "Big Sur",
    (12,): "Monterey",
    (13,): "Ventura",
    (14,): "Sonoma",
    (15,): "Sequoia",
    (26,): "Tahoe",
    (27,): "Golden Gate",
}


def title(version: str) -> str:
    """Return how Apple calls this macOS."""
    parts = models.parts(version)
    name = NAMES.get(parts[:2] if parts[0] == 10 else parts[:1], "")
    return " ".join(filter(None, ("macOS", name, version)))


def find(mac: Mac, label: str) -> Update | None:
    there = [mac.installer] if mac.installer is not None else []
    return next((one for one in (*mac.updates, *there) if one.label == label), None)


def program_of(path: str) -> str:
    """Return where an installer application has the program that starts it."""
    return f"{path}/Contents/Resources/startosinstall"


def put_installer(mac: Mac, path: str, version: str, build: str) -> None:
    """Put an installer application on the Mac, as root's, which is how Apple's programs leave it (assumed).

    With full paths its program is a file that becomes the Mac's; without, commands find it by its name alone.
    """
    mac.installer = Update(title(version), path, version, build)
    for folder in (path, f"{path}/Contents", f"{path}/Contents/Resources"):
        mac.files[folder] = ModelFile("", mac.booted_at, "Directory", 0, 0o755)
    told = {"CFBundleIdentifier": "com.apple.InstallAssistant", "DTPlatformVersion": version}
    said = plistlib.dumps(told).decode()
    mac.files[f"{path}/Contents/Info.plist"] = ModelFile(said, mac.booted_at, mode=0o644)
    start = '#!/bin/sh\nexec startosinstall "$@"\n'
    mac.files[program_of(path)] = ModelFile(start, mac.booted_at, mode=0o755)


def install(mac: Mac, label: str) -> bool:
    """Make the Mac one of the update's macOS; older ones are offered no more. Return whether there was such an
    update."""
    update = find(mac, label)
    if update is None:
        return False
    was, now = mac.version, update.version if "." in update.version else f"{update.version}.0"
    if mac.device == models.device(was, mac.hardware, mac.filesystem):
        mac.device = models.device(now, mac.hardware, mac.filesystem)
    mac.version, mac.build = now, update.build
    parts = models.parts(now)
    mac.updates[:] = [one for one in mac.updates if not one.restart or models.parts(one.version) > parts]
    return True
