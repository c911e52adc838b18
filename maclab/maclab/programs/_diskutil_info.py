# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell of one disk for diskutil, as text and as a property list.

Lines and their order: #36980830867 (a snapshot), #3418356301 (a volume from 11 on), #47528569125 (10.15), #6063687532
(a whole disk), #29728615309 (HFS+). Keys: #179666308. What a partition says is assumed.
"""

from __future__ import annotations

from typing import Any

from maclab import disks, plists, rules
from maclab.disks import APFS_TYPE, CONTAINER_TYPE, DISK_SIZE, Disks, Partition, Volume, human
from maclab.state import Mac

NONE = "Not applicable (no file system)"
READ_ONLY = "Yes (read-only mount flag set)"
Rows = list[tuple[str, str] | None]
"""Lines of a name and a value; None is a blank line."""


def answer(mac: Mac, laid: Disks, name: str, as_plist: bool) -> str:
    """Return what is told of the disk of that name, "" for none."""
    volume = laid.volume(name)
    if volume is not None:
        taken = volume.snapshot is not None and name in ("/", volume.snapshot.device, f"/dev/{volume.snapshot.device}")
        facts = _volume_facts(mac, laid, volume, taken)
        rows = _volume_rows(mac, laid, volume, taken) if laid.container else _hfs_rows(mac, laid, volume)
    else:
        part, whole = laid.partition(name), laid.whole_of(name)
        if not whole:
            return ""
        facts = _bare_facts(mac, laid, whole, part)
        rows = _bare_rows(mac, laid, whole, part)
    return plists.dumps(facts) if as_plist else _text(rows)


def _text(rows: Rows) -> str:
    return "".join(
        "\n" if row is None else f"   {row[0] + ':':<27}{row[1]}\n" if row[0] else f"   {row[1]}\n" for row in rows
    )


def _yes(value: object) -> str:
    return "Yes" if value else "No"


def _bytes(size: int) -> str:
    return f"{human(size)} ({size} Bytes) (exactly {size // 512} 512-Byte-Units)"


def _protocol(mac: Mac) -> str:
    return {"apple-silicon": "Apple Fabric", "t2": "PCI-Express"}.get(mac.hardware, "SATA")


# --- parts of every answer ------------------------------------------------------------------------


def _identity(device: str, whole: str) -> Rows:
    return [
        ("Device Identifier", device),
        ("Device Node", f"/dev/{device}"),
        ("Whole", _yes(device == whole)),
        ("Part of Whole", whole),
    ]


def _media(mac: Mac) -> Rows:
    return [("Media Type", "Generic"), ("Protocol", _protocol(mac)), ("SMART Status", "Verified")]


def _size_rows(mac: Mac, size: int) -> Rows:
    block = 4096 if disks.at_rest(mac) or mac.filesystem == "apfs" else 512
    return [None, ("Disk Size", _bytes(size)), ("Device Block Size", f"{block} Bytes"), None]


def _read_only(mac: Mac, media: bool, volume: str) -> Rows:
    if rules.SEALED.at(mac.version_tuple):
        return [None, ("Media OS Use Only", "No"), ("Media Read-Only", _yes(media)), ("Volume Read-Only", volume)]
    return [None, ("Read-Only Media", _yes(media)), ("Read-Only Volume", volume.replace(READ_ONLY, "Yes"))]


def _place(mac: Mac, virtual: bool = False) -> Rows:
    rows: Rows = [None, ("Device Location", "Internal"), ("Removable Media", "Fixed"), None, ("Solid State", "Yes")]
    rows += [("Virtual", "Yes")] if virtual else []
    return [*rows, ("Hardware AES Support", _yes(disks.at_rest(mac)))]


# --- volumes --------------------------------------------------------------------------------------


def _helpers(laid: Disks) -> Rows:
    found = {volume.role: volume.device for volume in laid.volumes}
    return [("Booter Disk", found["Preboot"]), ("Recovery Disk", found["Recovery"])]


def _volume_rows(mac: Mac, laid: Disks, volume: Volume, taken: bool) -> Rows:
    snapshot = volume.snapshot if taken else None
    device, identity = (snapshot.device, snapshot.uuid) if snapshot else (volume.device, volume.uuid)
    mount = "/" if snapshot else volume.mount
    new = rules.SEALED.at(mac.version_tuple)
    read_only = snapshot is not None or (volume.role == "System" and mount == "/")
    rows: Rows = [*_identity(device, laid.container), None]
    rows += [("Volume Name", volume.name), ("Mounted", _yes(mount))]
    rows += [("Mount Point", mount)] if mount else []
    rows += [None, ("Partition Type", APFS_TYPE), ("File System Personality", "APFS"), ("Type (Bundle)", "apfs")]
    rows += [("Name (User Visible)", "APFS"), ("Owners", "Enabled"), None]
    rows += [("OS Can Be Installed", _yes(volume.is_start and not read_only)), *_helpers(laid), *_media(mac)]
    rows += [("Volume UUID", identity), ("Disk / Partition UUID", identity), *_size_rows(mac, laid.size)]
    rows += [("Volume Used Space", _bytes(volume.used))] if new and not snapshot else []
    rows += [("Container Total Space", _bytes(laid.size)), ("Container Free Space", _bytes(laid.free))]
    rows += [("Allocation Block Size", "4096 Bytes")]
    rows += _read_only(mac, snapshot is not None, READ_ONLY if read_only else "No")
    rows += [*_place(mac), None]
    rows += [("", f"This disk is an APFS Volume{' Snapshot' if snapshot else ''}.  APFS Information:")]
    rows += [("APFS Snapshot Name", snapshot.name), ("APFS Snapshot UUID", snapshot.uuid)] if snapshot else []
    rows += [("APFS Container", laid.container), ("APFS Physical Store", laid.store.device), ("Fusion Drive", "No")]
    rows += [("APFS Volume Group", volume.group)] if volume.group else []
    return [*rows, *_protection(mac, volume, snapshot is not None), None]


def _protection(mac: Mac, volume: Volume, snapshot: bool) -> Rows:
    new, protected = rules.SEALED.at(mac.version_tuple), disks.is_encrypted(mac) and volume.is_start
    proper = protected and volume.role != "System"
    bare = not proper and not (disks.at_rest(mac) and volume.role in ("Data", "VM"))
    rows: Rows = [("Encrypted", "No")] if new and bare else []
    rows += [("FileVault", _yes(protected))]
    rows += [("Sealed", "Yes" if snapshot else "Broken" if volume.snapshot else "No")] if new else []
    return [*rows, ("Locked", "No")]


def _volume_facts(mac: Mac, laid: Disks, volume: Volume, taken: bool) -> dict[str, Any]:
    snapshot = volume.snapshot if taken else None
    device, identity = (snapshot.device, snapshot.uuid) if snapshot else (volume.device, volume.uuid)
    mount = "/" if snapshot else volume.mount
    writable = snapshot is None and not (volume.role == "System" and mount == "/")
    apfs = laid.container != ""
    facts = _common(mac, device, laid.container or laid.whole, laid.size) | {
        "Bootable": volume.is_start,
        "Content": APFS_TYPE if apfs else "Apple_HFS",
        "DiskUUID": identity if apfs else laid.store.uuid,
        "FilesystemName": "APFS" if apfs else "Journaled HFS+",
        "FilesystemType": mac.filesystem,
        "FilesystemUserVisibleName": "APFS" if apfs else "Mac OS Extended (Journaled)",
        "FreeSpace": 0 if apfs else laid.free,
        "GlobalPermissionsEnabled": True,
        "MountPoint": mount,
        "TotalSize": laid.size,
        "VolumeAllocationBlockSize": 4096,
        "VolumeName": volume.name,
        "VolumeSize": 0 if apfs else laid.size,
        "VolumeUUID": identity,
        "Writable": writable,
        "WritableMedia": snapshot is None,
        "WritableVolume": writable,
    }
    return dict(sorted((facts | (_apfs_facts(mac, laid, volume, taken) if apfs else {})).items()))


def _apfs_facts(mac: Mac, laid: Disks, volume: Volume, taken: bool) -> dict[str, Any]:
    protected = disks.is_encrypted(mac) and volume.is_start
    helpers = {role.role: role.device for role in laid.volumes}
    facts: dict[str, Any] = {
        "APFSContainerFree": laid.free,
        "APFSContainerReference": laid.container,
        "APFSContainerSize": laid.size,
        "APFSPhysicalStores": [{"APFSPhysicalStore": laid.store.device}],
        "APFSSnapshot": taken,
        "BooterDeviceIdentifier": helpers["Preboot"],
        "Encryption": protected,
        "EncryptionThisVolumeProper": protected and volume.role != "System",
        "FileVault": protected,
        "Fusion": False,
        "Locked": False,
        "RecoveryDeviceIdentifier": helpers["Recovery"],
    }
    if volume.group:
        facts["APFSVolumeGroupID"] = volume.group
    if taken and volume.snapshot:
        facts |= {"APFSSnapshotName": volume.snapshot.name, "APFSSnapshotUUID": volume.snapshot.uuid}
    else:
        facts["CapacityInUse"] = volume.used
    if rules.SEALED.at(mac.version_tuple):
        facts["Sealed"] = "Yes" if taken else "Broken" if volume.snapshot else "No"
    return facts


def _common(mac: Mac, device: str, whole: str, size: int) -> dict[str, Any]:
    return {
        "AESHardware": disks.at_rest(mac),
        "BusProtocol": _protocol(mac),
        "CanBeMadeBootable": False,
        "DeviceBlockSize": 4096 if mac.filesystem == "apfs" else 512,
        "DeviceIdentifier": device,
        "DeviceNode": f"/dev/{device}",
        "Ejectable": False,
        "IOKitSize": size,
        "Internal": True,
        "MediaType": "Generic",
        "OSInternalMedia": False,
        "ParentWholeDisk": whole,
        "RAIDMaster": False,
        "RAIDSlice": False,
        "Removable": False,
        "RemovableMedia": False,
        "RemovableMediaOrExternalDevice": False,
        "SMARTStatus": "Verified",
        "Size": size,
        "SolidState": True,
        "SystemImage": False,
        "WholeDisk": device == whole,
    }


def _hfs_rows(mac: Mac, laid: Disks, volume: Volume) -> Rows:
    def part(size: int) -> str:
        return f"{_bytes(size)} ({size / laid.size:.1%})"

    rows: Rows = [*_identity(volume.device, laid.whole), None]
    rows += [("Volume Name", volume.name), ("Mounted", "Yes"), ("Mount Point", "/"), None]
    rows += [("Partition Type", "Apple_HFS"), ("File System Personality", "Journaled HFS+"), ("Type (Bundle)", "hfs")]
    rows += [("Name (User Visible)", "Mac OS Extended (Journaled)"), ("Owners", "Enabled"), None]
    rows += [("OS Can Be Installed", "Yes"), ("Recovery Disk", laid.partitions[-1].device), *_media(mac)]
    rows += [("Volume UUID", volume.uuid), ("Disk / Partition UUID", laid.store.uuid), *_size_rows(mac, laid.size)]
    rows += [("Volume Total Space", _bytes(laid.size)), ("Volume Used Space", part(volume.used))]
    rows += [("Volume Available Space", part(laid.free)), ("Allocation Block Size", "4096 Bytes")]
    return [*rows, *_read_only(mac, media=False, volume="No"), *_place(mac), None]


# --- whole disks and partitions -------------------------------------------------------------------


def _bare_rows(mac: Mac, laid: Disks, whole: str, part: Partition | None) -> Rows:
    virtual = part is None and whole == laid.container
    size = part.size if part else laid.size if virtual else DISK_SIZE
    rows: Rows = _identity(part.device if part else whole, whole)
    rows += [("Device / Media Name", "APPLE SSD AP0512Q")] if part is None else []
    rows += [None, ("Volume Name", NONE), ("Mounted", NONE), ("File System", "None"), None]
    rows += [("Partition Type" if part else "Content (IOContent)", _content(laid, whole, part))]
    rows += [("OS Can Be Installed", "No"), *_media(mac)]
    rows += [("Disk / Partition UUID", part.uuid if part else laid.uuid)] if part or virtual else []
    rows += [*_size_rows(mac, size)[:-1], *_read_only(mac, media=False, volume=NONE)]
    rows += [*_place(mac, virtual), None]
    if part and part.container:
        rows += [
            ("", "This disk is an APFS Physical Store.  APFS Information:"),
            ("APFS Container", part.container),
            None,
        ]
    return rows


def _content(laid: Disks, whole: str, part: Partition | None) -> str:
    if part:
        return part.content
    return CONTAINER_TYPE if whole == laid.container else "GUID_partition_scheme"


def _bare_facts(mac: Mac, laid: Disks, whole: str, part: Partition | None) -> dict[str, Any]:
    virtual = part is None and whole == laid.container
    size = part.size if part else laid.size if virtual else DISK_SIZE
    facts = _common(mac, part.device if part else whole, whole, size) | {
        "Content": _content(laid, whole, part),
        "TotalSize": size,
        "VirtualOrPhysical": "Virtual" if virtual else "Physical",
        "Writable": True,
        "WritableMedia": True,
        "WritableVolume": False,
    }
    if part and part.container:
        facts["APFSContainerReference"] = part.container
    if part or virtual:
        facts["DiskUUID"] = part.uuid if part else laid.uuid
    return dict(sorted(facts.items()))
