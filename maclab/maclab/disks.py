# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lay out a Mac's disks: partitions, the container and its volumes, by version, chip and file system. Pure.

Which volume has which number follows public listings: #26287880960 (Apple silicon), #215726586 (10.13 and 10.14),
#11083612461 (Intel from 11 on, updated from 10.15). Sizes are made up, and add up.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from dataclasses import dataclass

from maclab import rules, vault
from maclab.state import Mac

APFS_TYPE = "41504653-0000-11AA-AA11-00306543ECAC"
CONTAINER_TYPE = "EF57347C-0000-11AA-AA11-00306543ECAC"
DISK_SIZE = 500277792768
SYSTEM_SIZE, PREBOOT_SIZE, RECOVERY_SIZE, VM_SIZE = 12819210240, 573501440, 972500992, 20480
SNAPSHOT_NAME = "com.apple.os.update-"
_DEVICE = re.compile(r"(disk\d+)s(\d+)(s\d+)?")


@dataclass(frozen=True)
class Partition:
    """Hold a part of the physical disk; `content` is its type, `container` what stands on it."""

    device: str
    content: str
    name: str
    size: int
    uuid: str
    container: str = ""


@dataclass(frozen=True)
class Snapshot:
    """Hold what a Mac from 11 on runs from."""

    device: str
    name: str
    uuid: str


@dataclass(frozen=True)
class Volume:
    """Hold a volume of the container, or all that there is on HFS+; `mount` is "" where it is not mounted."""

    device: str
    name: str
    role: str
    mount: str
    used: int
    uuid: str
    group: str = ""
    snapshot: Snapshot | None = None

    @property
    def is_start(self) -> bool:
        """Tell whether it is the system's volume or its data: the two that FileVault and crypto users are about."""
        return self.role in ("System", "Data", "")


@dataclass(frozen=True)
class Disks:
    """All that `diskutil` can show of a Mac. `container` is "" on HFS+."""

    whole: str
    partitions: tuple[Partition, ...]
    store: Partition
    container: str
    uuid: str
    volumes: tuple[Volume, ...]

    @property
    def size(self) -> int:
        return self.store.size

    @property
    def free(self) -> int:
        return self.size - sum(volume.used for volume in self.volumes)

    @property
    def root(self) -> Volume:
        return next(volume for volume in self.volumes if volume.mount == "/" or volume.snapshot)

    def volume(self, name: str) -> Volume | None:
        """Return the volume of that device, UUID, name or mount point; a Mac runs from the snapshot of the first."""
        device = _device(name)
        for volume in self.volumes:
            snapshot = volume.snapshot.device if volume.snapshot else ""
            places = {volume.mount or "-", volume.name, f"/Volumes/{volume.name}"} | ({"/"} if snapshot else set())
            if device in (volume.device, snapshot) or name in places or name.upper() == volume.uuid:
                return volume
        return None

    def partition(self, name: str) -> Partition | None:
        return next((each for each in self.partitions if _device(name) == each.device), None)

    def whole_of(self, name: str) -> str:
        """Return the whole disk that something is on, "" for what is nowhere."""
        device = _device(name)
        if device in (self.whole, self.container):
            return device
        if self.volume(name) is not None:
            return self.container or self.whole
        return self.whole if self.partition(name) else ""


def _device(name: str) -> str:
    return name.removeprefix("/dev/").removeprefix("r") if name.startswith("/dev/") else name


def volume_uuid(mac: Mac, what: str = "volume") -> str:
    digest = hashlib.sha256(f"{mac.name} {what}".encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4)).upper()


def is_encrypted(mac: Mac) -> bool:
    return vault.is_on(mac)


def at_rest(mac: Mac) -> bool:
    """Tell whether the chip encrypts everything, FileVault or not."""
    return mac.hardware in ("t2", "apple-silicon")


def of(mac: Mac) -> Disks:
    return _hfs(mac) if mac.filesystem != "apfs" else _apfs(mac)


def _hfs(mac: Mac) -> Disks:
    whole = mac.device.partition("s")[0] + "s" + mac.device.split("s")[1] if "s" in mac.device else mac.device
    efi = Partition(f"{whole}s1", "EFI", "EFI", 209715200, volume_uuid(mac, "EFI"))
    recovery = Partition(f"{whole}s3", "Apple_Boot", "Recovery HD", 650002432, volume_uuid(mac, "Recovery HD"))
    size = DISK_SIZE - efi.size - recovery.size
    store = Partition(f"{whole}s2", "Apple_HFS", "Macintosh HD", size, volume_uuid(mac, "partition"))
    volume = Volume(mac.device, "Macintosh HD", "", "/", size // 2, volume_uuid(mac))
    return Disks(whole, (efi, store, recovery), store, "", "", (volume,))


def _apfs(mac: Mac) -> Disks:
    found = _DEVICE.fullmatch(mac.device)
    container, slice_, snapshot = found.groups() if found else (mac.device, "1", None)
    silicon = mac.hardware == "apple-silicon"
    parts = _partitions(mac, container, silicon)
    store = next(part for part in parts if part.content == "Apple_APFS")
    split = rules.DATA_VOLUME.at(mac.version_tuple)
    # The system has the first number where macOS was installed with a Data volume, and the fifth after an update.
    numbers = {"Data": "5" if slice_ == "1" else "1", "Preboot": "2", "Recovery": "3", "VM": "6" if silicon else "4"}
    volumes = [_system(mac, container, slice_, snapshot, split)]
    others = [("Preboot", PREBOOT_SIZE), ("Recovery", RECOVERY_SIZE), ("VM", VM_SIZE)]
    if split:
        used = store.size - store.size // 2 - SYSTEM_SIZE - sum(size for _role, size in others)
        others.append(("Data", used))
    for role, size in others:
        volumes.append(_other(mac, f"{container}s{numbers[role]}", role, size))
    volumes.sort(key=lambda volume: volume.device)
    return Disks("disk0", parts, store, container, volume_uuid(mac, "container"), tuple(volumes))


def _partitions(mac: Mac, container: str, silicon: bool) -> tuple[Partition, ...]:
    def part(number: int, content: str, name: str, size: int, inside: str = "") -> Partition:
        return Partition(f"disk0s{number}", content, name, size, volume_uuid(mac, f"partition {number}"), inside)

    if not silicon:
        efi = part(1, "EFI", "EFI", 314572800)
        return (efi, part(2, "Apple_APFS", f"Container {container}", DISK_SIZE - efi.size - 45056, container))
    return (
        part(1, "Apple_APFS_ISC", "Container disk1", 524288000, "disk1"),
        part(2, "Apple_APFS", f"Container {container}", 494384795648, container),
        part(3, "Apple_APFS_Recovery", "Container disk2", 5368664064, "disk2"),
    )


def _system(mac: Mac, container: str, slice_: str, snapshot: str | None, split: bool) -> Volume:
    device = f"{container}s{slice_}"
    taken = None
    if snapshot:
        name = SNAPSHOT_NAME + hashlib.sha256(f"{mac.name} {mac.build}".encode()).hexdigest().upper()
        taken = Snapshot(device + snapshot, name, volume_uuid(mac, "snapshot"))
    used = SYSTEM_SIZE if split else _rest(container, mac)
    mount, group = "" if taken else "/", volume_uuid(mac, "data") if split else ""
    return Volume(device, "Macintosh HD", "System" if split else "", mount, used, volume_uuid(mac), group, taken)


def _rest(container: str, mac: Mac) -> int:
    size = next(part for part in _partitions(mac, container, False) if part.content == "Apple_APFS").size
    return size - size // 2 - PREBOOT_SIZE - RECOVERY_SIZE - VM_SIZE


def _other(mac: Mac, device: str, role: str, size: int) -> Volume:
    split = rules.DATA_VOLUME.at(mac.version_tuple)
    if role == "Data":
        # The group has the UUID of its Data volume.
        name = rules.DATA_VOLUME_NAME.at(mac.version_tuple)
        return Volume(
            device, name, role, "/System/Volumes/Data", size, volume_uuid(mac, "data"), volume_uuid(mac, "data")
        )
    mounts = {"VM": "/System/Volumes/VM" if split else "/private/var/vm", "Preboot": "/System/Volumes/Preboot"}
    mount = mounts.get(role, "") if split or role == "VM" else ""
    return Volume(device, role, role, mount, size, volume_uuid(mac, role))


def human(size: int) -> str:
    """Write a number of bytes as diskutil does, in powers of ten."""
    value, unit = float(size), "B"
    for larger in ("KB", "MB", "GB", "TB"):
        if value < 999.95:
            break
        value, unit = value / 1000, larger
    return f"{size} B" if unit == "B" else f"{value:.1f} {unit}"
