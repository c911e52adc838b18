# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Says where things of macOS lie: each program's folder, and where on this host a path of a Mac is."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

# The host's own tree, in a Mac whose paths are macOS's.
HOST = "/.maclab/host"
LINKS = 40

# hier(7) and the manual pages; what is not named is in /usr/bin.
_FOLDERS = {
    "/bin": "[ bash cat chmod cp csh dash date dd df echo expr hostname kill ksh launchctl ln ls mkdir mv ps pwd rm "
    "rmdir sh sleep stty tcsh test zsh",
    "/sbin": "mount reboot route shutdown",
    "/usr/sbin": "chown createhomedir diskutil dsconfigad dseditgroup dsenableroot firmwarepasswd installer ioreg "
    "ipconfig networksetup nvram pkgutil sc_auth scutil softwareupdate spctl sshd sysadminctl sysctl system_profiler "
    "systemsetup",
    "/usr/libexec": "PlistBuddy mdmclient",
    "/System/Library/CoreServices/ManagedClient.app/Contents/Resources": "createmobileaccount",
}
_FOLDER_OF = {name: folder for folder, names in _FOLDERS.items() for name in names.split()}
FOLDERS = ("/usr/bin", *_FOLDERS)

# In a lab without full paths these are the Mac's all the same: this host has no such folders, or other things in them.
_OF_THE_MAC = "/Applications /Library /System /Volumes /private/var/db /private/var/root /var/db /var/root".split()


def of_program(name: str) -> str:
    """Return where macOS has the program of that name."""
    return f"{_FOLDER_OF.get(name, '/usr/bin')}/{name}"


def is_of_the_mac(path: str, homes: Iterable[str]) -> bool:
    """Tell whether a path leads to a folder that macOS alone has, or to the home of somebody of the Mac.

    An account can be without a home: half made, for one. Every path would begin so.
    """
    folders = (folder for folder in (*_OF_THE_MAC, *homes) if folder)
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)


def inside(root: Path, path: str) -> Path:
    """Return where a path lies whose root is this folder: links in full lead to the folder too, not to this host."""
    found = Path(root)
    parts = [part for part in path.split("/") if part and part != "."]
    links = 0
    while parts:
        part = parts.pop(0)
        if part == "..":
            found = found.parent if found != root else found
            continue
        there = found / part
        if links < LINKS and there.is_symlink():
            links += 1
            target = os.readlink(there)
            if target.startswith(f"{HOST}/"):
                return Path(target.removeprefix(HOST), *parts)
            found = Path(root) if target.startswith("/") else found
            parts = [part for part in target.split("/") if part and part != "."] + parts
            continue
        found = there
    return _of_host(root, found)


def _of_host(root: Path, found: Path) -> Path:
    host = root / HOST.lstrip("/")
    return Path("/", found.relative_to(host)) if found.is_relative_to(host) else found
