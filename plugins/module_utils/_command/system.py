# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read which macOS and which hardware this is, what is at a path, and when it started; and restart it.

``kern.osproductversion`` answers from 10.13.4 on; older ones need sw_vers. ``hw.optional.arm64`` is true under
Rosetta too, where ``uname`` and Python say x86_64 (freegeek-pdx/macOS-Testing-and-Deployment-Scripts).

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.keyholder.macos.plugins.module_utils import _kind
from ansible_collections.keyholder.macos.plugins.module_utils._command import strays
from ansible_collections.keyholder.macos.plugins.module_utils._place import Place
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._runner import Ran

SYSCTL = Command(
    ("sysctl", "-i", "kern.osproductversion", "kern.osversion", "hw.optional.arm64", "hw.model", "kern.hv_vmm_present")
)
SW_VERS = Command(("sw_vers",))

RESTART = Command(("shutdown", "-r", "now"), restarts=True)
NO_FILE = -1
"""There is no such file; 0 is a time as well."""
FULL_DISK_ACCESS = Command(("ls", "/Library/Application Support/com.apple.TCC"))
"""macOS protects this folder from 10.14 on, and lists it to nobody without Full Disk Access, root included (public
checks for that permission open it or its TCC.db). That a session which may list it may also delete an account is
assumed."""
UID = Command(("id", "-u"))
UNAME = Command(("uname", "-s"))
CLOCK = Command(("date", "+%s"))
BOOT_TIME = Command(("sysctl", "-n", "kern.boottime"))

_BOOTED = re.compile(r"sec = ([0-9]{1,12}), usec = ([0-9]{1,6})\b")
_NOTHING = re.compile(r": (?:No such file or directory|Not a directory)$", re.MULTILINE)
_NAME = re.compile(r"[A-Za-z0-9_.]+")


def parse_boot_time(text: str) -> float | None:
    """Return the time of ``{ sec = 1700000000, usec = 5 } Tue Nov...`` in seconds since 1970. None: no such words."""
    found = _BOOTED.search(text)
    return float(f"{found.group(1)}.{int(found.group(2)):06d}") if found else None


@dataclass(frozen=True)
class System:
    """Hold version and hardware. ``version`` "": sysctl does not know it, so sw_vers has to be asked. ``apple_silicon``
    None: it did not say."""

    version: str = ""
    build: str = ""
    model: str = ""
    apple_silicon: bool | None = False
    virtual: bool = False


def parse_sysctl(ran: Ran) -> System:
    """Return what sysctl knows of the system; what this Mac does not know is "" or False."""
    said = _values(ran)
    model = said.get("hw.model", "")
    return System(
        version=said.get("kern.osproductversion", ""),
        build=said.get("kern.osversion", ""),
        model=model,
        # An Intel Mac leaves the value out, and every Mac names its model.
        apple_silicon=said["hw.optional.arm64"] == "1" if "hw.optional.arm64" in said else None if not model else False,
        virtual=said.get("kern.hv_vmm_present") == "1",
    )


def with_sw_vers(system: System, ran: Ran) -> System:
    """Return ``system`` with the version that sw_vers says; still "" if it says none."""
    said = _values(ran)
    return replace(system, version=said.get("ProductVersion", ""), build=said.get("BuildVersion", ""))


def _values(ran: Ran) -> dict[str, str]:
    """Return the ``name: value`` lines that both programs print; a name that this Mac does not know is left out."""
    pairs = (line.partition(":") for line in ran.out.split("\n"))
    return {name: value.strip(" \t\r") for name, colon, value in pairs if colon and _NAME.fullmatch(name)}


def stat(path: str) -> Command:
    """Ask when the file at a path was last written. Opening it would need Full Disk Access in some places; this does
    not."""
    return Command(("stat", "-f", "%m", path))


def stat_each(paths: t.Sequence[str]) -> Command:
    """Ask for the kind, owner and mode of what is at each path, of a link itself (stat(1) of FreeBSD, which macOS
    has)."""
    return Command(("stat", "-f", "%HT|%u|%Lp|%N", *paths))


def parse_places(ran: Ran, paths: t.Sequence[str]) -> tuple[Place, ...]:
    """Return what is at each of the paths."""
    lines = (line.split("|", 3) for line in ran.out.split("\n"))
    said = {line[3]: line for line in lines if len(line) == 4}
    gone = [line.partition(": ")[2] for line in ran.err.split("\n") if _NOTHING.search(line)]
    return tuple(_place_in(path, said.get(path), any(line.startswith(f"{path}: ") for line in gone)) for path in paths)


def _place_in(path: str, line: list[str] | None, gone: bool) -> Place:
    if line is None:
        return Place(path, "nothing" if gone else "unread")
    kind, owner, mode = line[:3]
    if not re.fullmatch("[0-7]{1,4}", mode) or not re.fullmatch("[0-9]{1,10}", owner):
        return Place(path, "unread")
    roots = owner == "0" and not int(mode, 8) & 0o022
    found = {"Directory": "folder", "Symbolic Link": "link"}.get(kind, "file")
    return Place(path, found, roots, int(owner), others=bool(int(mode, 8) & 0o002))


def parse_stat(ran: Ran) -> int | None:
    """Return when it was last written, in seconds since 1970, or :data:`NO_FILE`. None: nobody could look. The text is
    that of FreeBSD's stat, which macOS has (apache/hadoop TestStat)."""
    written = _kind.number(strays.without(ran.out).strip())
    if ran.rc == 0 and written is not None and written >= 0:
        return written
    return NO_FILE if ran.rc and _NOTHING.search(ran.err) else None


def parse_full_disk_access(ran: Ran) -> bool | None:
    """Return whether the session has Full Disk Access. None: it did not say, as where there is no such folder."""
    if ran.rc == 0:
        return True
    return False if ran.rc is not None and "Operation not permitted" in ran.err else None
