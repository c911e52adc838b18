# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""List disks and APFS containers for diskutil, as text and as a property list of the same layout.

The text has the form of public listings (#26287880960, #31999380050, #40910465315), as have the keys of the documents.
"""

from __future__ import annotations

from typing import Any

from maclab import disks, plists, rules
from maclab.disks import CONTAINER_TYPE, DISK_SIZE, Disks, Volume, human
from maclab.state import Mac

HEAD = "   #:                       TYPE NAME                    SIZE       IDENTIFIER\n"
LONGEST = 23


# --- list -----------------------------------------------------------------------------------------


def answer(mac: Mac, laid: Disks, filters: set[str], whole: str, as_plist: bool) -> str:
    """Show those whole disks that the filters let through; a Mac of the lab has nothing outside."""
    physical, virtual = "virtual" not in filters, "physical" not in filters and laid.container != ""
    if "external" in filters:
        physical = virtual = False
    shown = [laid.whole] if physical and whole in ("", laid.whole) else []
    shown += [laid.container] if virtual and whole in ("", laid.container) else []
    if as_plist:
        return plists.dumps(_list_document(laid, shown))
    return "".join(_physical(laid) if each == laid.whole else _synthesized(laid) for each in shown)


def _row(number: int, kind: str, name: str, size: str, device: str) -> str:
    short = name if len(name) <= LONGEST else name[: LONGEST - 3] + "..."
    return f"{number:>4}:{kind:>27} {short:<{LONGEST}}{size:<12}{device}\n"


def _physical(laid: Disks) -> str:
    rows = [_row(0, "GUID_partition_scheme", "", f"*{human(DISK_SIZE)}", laid.whole)]
    for number, part in enumerate(laid.partitions, 1):
        rows.append(_row(number, part.content, part.name, f" {human(part.size)}", part.device))
    return f"/dev/{laid.whole} (internal, physical):\n" + HEAD + "".join(rows) + "\n"


def _synthesized(laid: Disks) -> str:
    rows = [_row(0, "APFS Container Scheme", "-", f"+{human(laid.size)}", laid.container)]
    rows.append(f"{'':33}Physical Store {laid.store.device}\n")
    number = 0
    for volume in laid.volumes:
        number += 1
        rows.append(_row(number, "APFS Volume", volume.name, f" {human(volume.used)}", volume.device))
        if volume.snapshot:
            number += 1
            taken = volume.snapshot
            rows.append(_row(number, "APFS Snapshot", taken.name, f" {human(volume.used)}", taken.device))
    return f"/dev/{laid.container} (synthesized):\n" + HEAD + "".join(rows) + "\n"


def _list_document(laid: Disks, shown: list[str]) -> dict[str, Any]:
    entries, all_disks, names = [], [], []
    for whole in shown:
        entry = _container_entry(laid) if whole == laid.container else _disk_entry(laid)
        entries.append(entry)
        all_disks += [whole, *(part["DeviceIdentifier"] for part in entry["Partitions"])]
        for volume in entry.get("APFSVolumes", []):
            all_disks.append(volume["DeviceIdentifier"])
            names.append(volume["VolumeName"])
            all_disks += [taken["SnapshotBSD"] for taken in volume.get("MountedSnapshots", [])]
        names += [part["VolumeName"] for part in entry["Partitions"] if "MountPoint" in part]
    return {
        "AllDisks": all_disks,
        "AllDisksAndPartitions": entries,
        "VolumesFromDisks": names,
        "WholeDisks": list(shown),
    }


def _disk_entry(laid: Disks) -> dict[str, Any]:
    parts: list[dict[str, Any]] = []
    for part in laid.partitions:
        said: dict[str, Any] = {
            "Content": part.content,
            "DeviceIdentifier": part.device,
            "DiskUUID": part.uuid,
            "Size": part.size,
        }
        if not part.container:
            said["VolumeName"] = part.name
        if not laid.container and part is laid.store:
            said |= {"MountPoint": "/", "VolumeUUID": laid.root.uuid}
        parts.append(said)
    return {
        "Content": "GUID_partition_scheme",
        "DeviceIdentifier": laid.whole,
        "OSInternal": False,
        "Partitions": parts,
        "Size": DISK_SIZE,
    }


def _container_entry(laid: Disks) -> dict[str, Any]:
    return {
        "APFSPhysicalStores": [{"DeviceIdentifier": laid.store.device}],
        "APFSVolumes": [_volume_entry(laid, volume) for volume in laid.volumes],
        "Content": CONTAINER_TYPE,
        "DeviceIdentifier": laid.container,
        "OSInternal": False,
        "Partitions": [],
        "Size": laid.size,
    }


def _volume_entry(laid: Disks, volume: Volume) -> dict[str, Any]:
    said: dict[str, Any] = {
        "CapacityInUse": volume.used,
        "DeviceIdentifier": volume.device,
        "DiskUUID": volume.uuid,
        "OSInternal": volume.role not in ("System", "Data", ""),
        "Size": laid.size,
        "VolumeName": volume.name,
        "VolumeUUID": volume.uuid,
    }
    if volume.mount:
        said["MountPoint"] = volume.mount
    if volume.snapshot:
        said["MountedSnapshots"] = [
            {
                "Sealed": "Yes",
                "SnapshotBSD": volume.snapshot.device,
                "SnapshotMountPoint": "/",
                "SnapshotName": volume.snapshot.name,
                "SnapshotUUID": volume.snapshot.uuid,
            }
        ]
    return said


# --- apfs list ------------------------------------------------------------------------------------


def containers(mac: Mac, laid: Disks, as_plist: bool) -> str:
    if as_plist:
        return plists.dumps({"Containers": [_container_document(mac, laid)]} if laid.container else {})
    if not laid.container:
        return "No APFS Containers found\n"
    used = laid.size - laid.free
    head = f"Container {laid.container} {laid.uuid}"
    store = f"Physical Store {laid.store.device} {laid.store.uuid}"
    lines = [
        "APFS Container (1 found)",
        "|",
        f"+-- {head}",
        f"    {'=' * len(head)}",
        _fact("    ", "APFS Container Reference", laid.container, 30),
        _fact("    ", "Size (Capacity Ceiling)", _size(laid.size), 30),
        _fact("    ", "Capacity In Use By Volumes", f"{_size(used)} ({used / laid.size:.1%} used)", 30),
        _fact("    ", "Capacity Not Allocated", f"{_size(laid.free)} ({laid.free / laid.size:.1%} free)", 30),
        "    |",
        f"    +-< {store}",
        f"    |   {'-' * len(store)}",
        _fact("    |   ", "APFS Physical Store Disk", laid.store.device, 28),
        _fact("    |   ", "Size", _size(laid.size), 28),
    ]
    for volume in laid.volumes:
        lines += ["    |", *_volume_text(mac, volume, last=volume is laid.volumes[-1])]
    return "".join(f"{line}\n" for line in lines)


def _fact(margin: str, name: str, value: object, width: int = 27) -> str:
    return f"{margin}{name + ':':<{width}}{value}"


def _size(size: int) -> str:
    return f"{size} B ({human(size)})"


def _volume_text(mac: Mac, volume: Volume, last: bool) -> list[str]:
    head = f"Volume {volume.device} {volume.uuid}"
    margin = "        " if last else "    |   "
    role = volume.role or "No specific role"
    lines = [
        f"    +-> {head}",
        margin + "-" * len(head),
        _fact(margin, "APFS Volume Disk (Role)", f"{volume.device} ({role})"),
        _fact(margin, "Name", f"{volume.name} (Case-insensitive)"),
        _fact(margin, "Mount Point", volume.mount or "Not Mounted"),
        _fact(margin, "Capacity Consumed", _size(volume.used)),
    ]
    if rules.SEALED.at(mac.version_tuple):
        lines.append(_fact(margin, "Sealed", "Broken" if volume.snapshot else "No"))
    lines += [_fact(margin, name, value) for name, value in protection(mac, volume)]
    if volume.snapshot:
        lines += [
            f"{margin}|",
            _fact(margin, "Snapshot", volume.snapshot.uuid),
            _fact(margin, "Snapshot Disk", volume.snapshot.device),
            _fact(margin, "Snapshot Mount Point", "/"),
            _fact(margin, "Snapshot Sealed", "Yes"),
        ]
    return lines


def protection(mac: Mac, volume: Volume) -> list[tuple[str, str]]:
    """Say how a volume is protected: while it is converted how far (assumed), and what only the chip does."""
    moving = {"encrypting": "Encryption Progress", "decrypting": "Decryption Progress"}.get(mac.filevault.state)
    if moving and volume.is_start and mac.filevault.percent is not None:
        return [(moving, f"{mac.filevault.percent:.1f}% (Unlocked)")]
    if disks.is_encrypted(mac) and volume.is_start:
        rows = [("FileVault", "Yes (Unlocked)")]
        return rows + ([("Encrypted", "No")] if volume.role == "System" else [])
    chip = disks.at_rest(mac) and volume.role in ("Data", "VM", "")
    return [("FileVault", "No (Encrypted at rest)" if chip else "No")]


def _container_document(mac: Mac, laid: Disks) -> dict[str, Any]:
    return {
        "APFSContainerUUID": laid.uuid,
        "CapacityCeiling": laid.size,
        "CapacityFree": laid.free,
        "ContainerReference": laid.container,
        "DesignatedPhysicalStore": laid.store.device,
        "Fusion": False,
        "PhysicalStores": [
            {"DeviceIdentifier": laid.store.device, "DiskUUID": laid.store.uuid, "Size": laid.store.size}
        ],
        "Volumes": [_volume_document(mac, volume) for volume in laid.volumes],
    }


def _volume_document(mac: Mac, volume: Volume) -> dict[str, Any]:
    protected = disks.is_encrypted(mac) and volume.is_start
    said: dict[str, Any] = {
        "APFSVolumeUUID": volume.uuid,
        "CapacityInUse": volume.used,
        "CapacityQuota": 0,
        "CapacityReserve": 0,
        "CryptoMigrationOn": volume.is_start and mac.filevault.state in ("encrypting", "decrypting"),
        "DeviceIdentifier": volume.device,
        "Encryption": protected,
        "Locked": False,
        "Name": volume.name,
        "Roles": [volume.role] if volume.role else [],
    }
    if rules.APFS_LIST_FILEVAULT_KEY.at(mac.version_tuple):
        said["FileVault"] = protected
    return said
