# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fills in what a scenario leaves out: builds, models, devices and the records that every Mac is born with."""

from __future__ import annotations

import hashlib
import uuid
from typing import NamedTuple

from maclab.state import Group

# How much memory every Mac of the lab has; nothing of macOS that the lab models depends on it.
MEMORY = 16 * 1024**3
HARDWARE = ("apple-silicon", "t2", "intel")

BUILDS = {
    "10.13.6": "17G66",
    "10.14.6": "18G103",
    "10.15.7": "19H2",
    "11.7.10": "20G1427",
    "12.7.6": "21H1320",
    "13.6.9": "22G830",
    "14.7.1": "23H222",
    "15.6": "24G84",
    "26.1": "25B78",
    "27.0.1": "26A434",
}


class SystemAccount(NamedTuple):
    name: str
    full_name: str
    uid: int
    gid: int
    generated_uid: str
    shell: str
    home: str


SYSTEM_ACCOUNTS = (
    SystemAccount("root", "System Administrator", 0, 0, "FFFFEEEE-DDDD-CCCC-BBBB-AAAA00000000", "/bin/sh", "/var/root"),
    SystemAccount(
        "daemon", "System Services", 1, 1, "FFFFEEEE-DDDD-CCCC-BBBB-AAAA00000001", "/usr/bin/false", "/var/root"
    ),
    SystemAccount(
        "nobody", "Unprivileged User", -2, -2, "FFFFEEEE-DDDD-CCCC-BBBB-AAAAFFFFFFFE", "/usr/bin/false", "/var/empty"
    ),
    SystemAccount(
        "_mbsetupuser", "Setup User", 248, 248, "FFFFEEEE-DDDD-CCCC-BBBB-AAAA000000F8", "/bin/bash", "/var/setup"
    ),
    SystemAccount(
        "_spotlight", "Spotlight", 89, 89, "FFFFEEEE-DDDD-CCCC-BBBB-AAAA00000059", "/usr/bin/false", "/var/empty"
    ),
)


def brought_by_macos(name: str) -> bool:
    """Tell whether the account of that name is one that macOS itself brings."""
    return any(account.name == name.lower() for account in SYSTEM_ACCOUNTS)


class SystemGroup(NamedTuple):
    name: str
    gid: int
    members: tuple[str, ...] = ()
    nested: tuple[str, ...] = ()


# As `id` lists them for an administrator and for nobody (public files #56962870892, #54991264922), without those that
# let people in by a service; who is nested where is assumed. Who is in the last one is disabled.
SYSTEM_GROUPS = (
    SystemGroup("wheel", 0, ("root",)),
    SystemGroup("everyone", 12),
    SystemGroup("staff", 20, ("root",)),
    SystemGroup("localaccounts", 61),
    SystemGroup("netaccounts", 62),
    SystemGroup("admin", 80, ("root",)),
    SystemGroup("_appstore", 33, nested=("admin",)),
    SystemGroup("_appserverusr", 79, nested=("admin",)),
    SystemGroup("_appserveradm", 81, nested=("admin",)),
    SystemGroup("_lpadmin", 98, nested=("admin",)),
    SystemGroup("_lpoperator", 100, nested=("everyone",)),
    SystemGroup("_developer", 204, nested=("admin",)),
    SystemGroup("_analyticsusers", 250, nested=("admin",)),
    SystemGroup("com.apple.access_disabled", 396),
)


def group_guid(gid: int) -> str:
    """Return the identity of a system's group, and of a number that belongs to no group (membership.h)."""
    return f"ABCDEFAB-CDEF-ABCD-EFAB-CDEF{gid & 0xFFFFFFFF:08X}"


def user_guid(uid: int) -> str:
    """Return the identity of a system's account, and of a number that belongs to no account."""
    return f"FFFFEEEE-DDDD-CCCC-BBBB-AAAA{uid & 0xFFFFFFFF:08X}"


def system_groups() -> dict[str, Group]:
    """Return the groups that macOS is born with, by name; whom the records name has to be there."""
    gids = {group.name: group.gid for group in SYSTEM_GROUPS}
    guids = {record.name: record.generated_uid for record in SYSTEM_ACCOUNTS}
    return {
        name: Group(
            name,
            gid,
            group_guid(gid),
            list(members),
            [guids[member] for member in members],
            [group_guid(gids[inner]) for inner in nested],
        )
        for name, gid, members, nested in SYSTEM_GROUPS
    }


def parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def too_old(version: str) -> bool:
    return parts(version) < (10, 13)


def default_hardware(version: str) -> str:
    return "apple-silicon" if parts(version) >= (11,) else "t2"


def darwin(version: str) -> int:
    """The kernel's major version, which also begins every build number."""
    major, minor = parts(version)[:2]
    if major == 10:
        return minor + 4
    return major + 9 if major < 26 else major - 1


def build(version: str) -> str:
    if version in BUILDS:
        return BUILDS[version]
    # Right in form (kernel, letter of the minor release, number); the number itself is made up.
    numbers = (*parts(version), 0, 0)
    minor, patch = numbers[2:4] if numbers[0] == 10 else numbers[1:3]
    return f"{darwin(version)}{chr(ord('A') + min(minor, 25))}{100 + patch}"


def model(version: str, hardware: str) -> str:
    if hardware == "apple-silicon":
        return "MacBookPro18,3"
    if hardware == "t2":
        return "MacBookPro16,1" if parts(version) >= (10, 15) else "MacBookPro15,2"
    return "iMac18,3"


def device(version: str, hardware: str, filesystem: str) -> str:
    if filesystem == "hfs":
        return "disk0s2"
    if parts(version) >= (11,):
        return "disk3s1s1" if hardware == "apple-silicon" else "disk1s5s1"
    return "disk1s5" if parts(version) >= (10, 15) else "disk1s1"


def serial_number(name: str) -> str:
    """Return a number of the form that Macs have from 2021 on, always the same for a name."""
    return hashlib.sha256(f"maclab:serial:{name}".encode()).hexdigest()[:10].upper()


def platform_uuid(name: str) -> str:
    """Return what the hardware calls itself, always the same for a name."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"maclab:platform:{name}")).upper()
