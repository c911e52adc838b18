# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts a command where a Mac's folder is the root of all paths, or as another user of that Mac; Linux only.

It is compiled into the lab folder, runs before each session and after each sudo, and needs no right of
this host beyond user namespaces. Its arguments, then the command:

  in ROOT UID GID FOLDER   the Mac's tree becomes `/`; FOLDER is where the command begins
  as UID GID FOLDER        the numbers of another user, in the tree that the caller is in
"""

from __future__ import annotations

import ctypes
import os
import sys

# Where the host's own tree is, in a Mac's; nothing that a script of a Mac looks for.
HOST = "/.maclab/host"  # as maclab.places has it, which this cannot import
# What macOS lets people write to; the rest is the sealed system volume.
WRITABLE = ("Users", "private", "Library", "Applications", "Volumes", "opt", "usr/local")
DATA = "System/Volumes/Data"
FAILED = 125

NEW_MOUNTS, NEW_USERS = 0x00020000, 0x10000000
READ_ONLY, REMOUNT, BIND, RECURSIVE, PRIVATE = 1, 32, 4096, 16384, 1 << 18
# The flags that a folder's mount has stay: (as statvfs has them, as mount wants them). No user may take them away.
KEPT = ((2, 2), (4, 4), (8, 8), (1024, 1024), (2048, 2048), (4096, 1 << 21))

_libc = ctypes.CDLL(None, use_errno=True)


def call(what: str, *words: str | int | None) -> None:
    """Call a function of the C library; its failure is an OSError that names it."""
    passed = [
        ctypes.c_char_p(os.fsencode(word)) if isinstance(word, str) else word if word is None else ctypes.c_ulong(word)
        for word in words
    ]
    if getattr(_libc, what)(*passed) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}", next((word for word in words if word), None))


def mount(source: str | None, target: str, flags: int) -> None:
    call("mount", source, target, None, flags, None)


def write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as stream:
        stream.write(text)


def take_numbers(uid: int, gid: int, namespaces: int) -> None:
    """Be this user and this group from here on, which for the host is who started the lab."""
    real = os.getuid(), os.getgid()
    call("unshare", NEW_USERS | namespaces)
    write("/proc/self/setgroups", "deny")
    write("/proc/self/uid_map", f"{uid} {real[0]} 1")
    write("/proc/self/gid_map", f"{gid} {real[1]} 1")


def enter(root: str) -> None:
    """Make the Mac's folder the root: what macOS seals can be read only, and the host's own tree is at HOST."""
    mount(None, "/", RECURSIVE | PRIVATE)
    mount(root, root, BIND)
    if os.path.isdir(f"{root}/{DATA}"):
        mount(root, f"{root}/{DATA}", BIND)
    for name in WRITABLE:
        mount(f"{root}/{name}", f"{root}/{name}", BIND)
    for name in ("dev", "proc"):
        mount(f"/{name}", f"{root}/{name}", BIND | RECURSIVE)
    present = os.statvfs(root).f_flag
    kept = sum(wanted for shown, wanted in KEPT if present & shown)
    mount(None, root, REMOUNT | BIND | READ_ONLY | kept)
    call("pivot_root", root, root + HOST)


def main(words: list[str]) -> None:
    what, *rest = words
    try:
        root = rest.pop(0) if what == "in" else ""
        uid, gid, folder, *command = rest
        take_numbers(int(uid), int(gid), NEW_MOUNTS if root else 0)
        if root:
            enter(root)
        try:
            os.chdir(folder)
        except OSError:
            os.chdir("/")
        os.execv(command[0], command)
    except OSError as error:
        os.write(2, f"maclab: {error.filename or ''}: {error.strerror}\n".encode())
        os._exit(FAILED)


if __name__ == "__main__":
    main(sys.argv[1:])
