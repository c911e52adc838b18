# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read what macOS 26 keeps on the preboot volume for an unlock by SSH, and which link the Mac is on.

The places, the switch and the names of the keys are those of Apple's source (apple-oss-distributions/OpenSSH,
OpenSSH-354.0.3, SSHDWrapper.swift and HostKeyManager.swift): beside each private key, which is encrypted, lies its
public half, and only that one is looked at. What route and ipconfig print is shown by many public scripts. That 802.1X
shows by a running eapolclient is assumed of its published source (eap8021x).

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.keyholder.macos.plugins.module_utils._command import strays
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command
from ansible_collections.keyholder.macos.plugins.module_utils._start_up import (
    ETHERNET,
    MISSING,
    OTHER,
    SAME,
    WIFI,
    Link,
)

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._runner import Ran

STAGED = "/System/Volumes/Preboot/*/var/db/sshd"
_EXPAND = ("sh", "-c", "exec $*", "sh")
"""The shell, which finds the folder of the volume group, becomes the program. No other word is a pattern that a file
fits."""
HOST_KEYS = Command(
    (
        *_EXPAND,
        "grep",
        "-aoHE",
        "AAAA[A-Za-z0-9+/=]{40,}",
        "/etc/ssh/ssh_host_*_key.pub",
        f"{STAGED}/ssh_host_*_key.pub",
    )
)
SWITCH = Command((*_EXPAND, "plutil", "-p", f"{STAGED}/sshd-fvunlock.plist"))
ROUTE = Command(("route", "-n", "get", "default"))
SUPPLICANTS = Command(("pgrep", "-fl", "eapolclient"))

_KEY = re.compile(r"^(/[^:\n]*)/(ssh_host_[a-z0-9]+_key\.pub):(AAAA[A-Za-z0-9+/=]+)\r?$", re.MULTILINE)
_RUNNING = "/etc/ssh"
_ENABLED = re.compile(r'^[ \t]*"Enabled" => (true|false|1|0)[ \t]*\r?$', re.MULTILINE)
_INTERFACE = re.compile(r"^[ \t]*interface: ([a-z]+[0-9]+)[ \t]*\r?$", re.MULTILINE)
_FIELD = re.compile(r"^  (InterfaceType|LinkStatusActive|Security) : ([A-Za-z0-9_ ]+?)[ \t]*\r?$", re.MULTILINE)
_KINDS = {"Ethernet": ETHERNET, "WiFi": WIFI}


def parse_host_keys(ran: Ran) -> str | None:
    """Return whether the keys that are staged are the running Mac's: same, other or missing. None: not said. Those of
    another macOS in the same container are in a folder of their own, and one that has all of ours is enough."""
    folders: dict[str, dict[str, str]] = {}
    for folder, name, key in _KEY.findall(strays.without(ran.out)):
        folders.setdefault(folder, {})[name] = key
    own = folders.pop(_RUNNING, {})
    # grep says 2 where one of the two places has no such file.
    if ran.rc not in (0, 2) or not own:
        return None
    if any(all(there.get(name) == key for name, key in own.items()) for there in folders.values()):
        return SAME
    return OTHER if folders else MISSING


def parse_switch(ran: Ran) -> bool | None:
    """Return whether a login at the unlock screen is switched on. None: not said, or not the same in each folder."""
    said = set(_ENABLED.findall(strays.without(ran.out)))
    on = {word in ("true", "1") for word in said}
    return on.pop() if ran.rc == 0 and len(on) == 1 else None


def parse_route(ran: Ran) -> str:
    """Return the interface of the default route, "" if there is none."""
    found = _INTERFACE.search(strays.without(ran.out))
    return found.group(1) if ran.rc == 0 and found is not None else ""


def summary_of(interface: str) -> Command:
    """Ask what an interface is. Private: it prints the names of networks, and the Mac's addresses."""
    return Command(("ipconfig", "getsummary", interface), private=True)


def parse_link(interface: str, summary: Ran, supplicants: Ran) -> Link:
    """Return the link behind an interface. What is a link without a carrier, or of another kind, is not said."""
    said = dict(_FIELD.findall(strays.without(summary.out)))
    kind = _KINDS.get(said.get("InterfaceType", ""), "")
    if summary.rc != 0 or said.get("LinkStatusActive") != "TRUE":
        return Link(interface)
    spoken = re.search(rf"(?<![A-Za-z0-9]){re.escape(interface)}(?![A-Za-z0-9])", supplicants.out)
    # pgrep says 1 where there is no such process.
    ieee8021x = spoken is not None if supplicants.rc == 0 else False if supplicants.rc == 1 else None
    return Link(interface, kind, said.get("Security", ""), ieee8021x)
