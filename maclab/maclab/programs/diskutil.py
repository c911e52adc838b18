# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be diskutil, as far as the start volume and its crypto users go."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

from maclab import directory, plists, records, rules, vault
from maclab.call import Call
from maclab.state import CryptoUser, Fault, Mac
from maclab.texts import say

FAILED = 1
KIND_NAMES = {
    "LocalOpenDirectory": "Local Open Directory User",
    "PersonalRecovery": "Personal Recovery User",
    "MDMRecovery": "MDM Bootstrap Token External Key",
    "iCloudRecovery": "iCloud Recovery User",
    "iCloudRecoveryExternalKey": "iCloud Recovery External Key",
    "DiskUser": "Disk User",
    "Unknown": "Unknown User",
}
LIST_USERS = {"listusers", "listcryptousers", "listkeys"}
CAPACITY = 494384795648


async def main(call: Call) -> int:
    words = [word for word in call.argv if word not in ("-plist", "quiet")]
    verb = [word.lower() for word in words[:2]]
    device = words[2] if len(words) > 2 else ""
    if verb[:1] == ["info"]:
        return _info(call, words[1] if len(words) > 1 else "")
    if verb[:1] != ["apfs"] or len(verb) < 2:
        return _complain(call, "usage")
    if verb[1] in LIST_USERS:
        return _on_volume(call, device) or _list_users(call)
    if verb[1] == "updatepreboot":
        return _on_volume(call, device) or await _update_preboot(call)
    if verb[1] in ("unlock", "unlockvolume"):
        return _on_volume(call, device) or await _verify(call)
    return _list(call) if verb[1] == "list" else _complain(call, "usage")


def _complain(call: Call, key: str, **values: object) -> int:
    call.err(say(f"diskutil.{key}", call.mac.version_tuple, **values))
    return FAILED


def volume_uuid(mac: Mac) -> str:
    digest = hashlib.sha256(f"{mac.name} volume".encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4)).upper()


def _is_start_volume(mac: Mac, device: str) -> bool:
    name = device.removeprefix("/dev/")
    siblings = {mac.device, mac.device.removesuffix("s1") if mac.device.count("s") > 2 else mac.device}
    return device in ("/", "/System/Volumes/Data", volume_uuid(mac)) or name in siblings | {_data_device(mac)}


def _data_device(mac: Mac) -> str:
    """Return the Data volume that stands beside the system volume from 10.15 on."""
    container = mac.device.split("s", 2)
    return f"{container[0]}s{container[1]}s5" if rules.SEALED.at(mac.version_tuple) else mac.device


def _on_volume(call: Call, device: str) -> int:
    if not _is_start_volume(call.mac, device):
        return _complain(call, "no_disk", device=device)
    if call.mac.filesystem != "apfs":
        return _complain(call, "not_apfs", device=call.mac.device)
    return 0


# --- crypto users ---------------------------------------------------------------------------------


def _list_users(call: Call) -> int:
    users = list(call.mac.crypto_users.values())
    if "-plist" in call.argv:
        call.out(plists.dumps({"Users": [_as_dict(call.mac, user) for user in users]}))
        return 0
    call.out(_header(call, len(users)))
    for index, user in enumerate(users):
        call.out(_as_tree(call.mac, user, last=index == len(users) - 1))
    call.out(say("diskutil.listed", call.mac.version_tuple) if users else "")
    return 0


def _header(call: Call, count: int) -> str:
    key = {0: "none", 1: "one"}.get(count, "many")
    values: dict[str, object] = {"device": call.mac.device}
    if key == "many":
        values["count"] = count
    return say(f"diskutil.{key}", call.mac.version_tuple, **values)


def _as_dict(mac: Mac, user: CryptoUser) -> dict[str, Any]:
    shown: dict[str, Any] = {"APFSCryptoUserType": user.kind, "APFSCryptoUserUUID": user.uuid}
    if rules.VOLUME_OWNER_SHOWN.at(mac.version_tuple):
        shown["VolumeOwner"] = user.owner
    return shown


def _as_tree(mac: Mac, user: CryptoUser, last: bool) -> str:
    margin = "    " if last else "|   "
    lines = ["|", f"+-- {user.uuid}", f"{margin}Type: {KIND_NAMES.get(user.kind, user.kind)}"]
    if rules.VOLUME_OWNER_SHOWN.at(mac.version_tuple):
        lines.append(f"{margin}Volume Owner: {'Yes' if user.owner else 'No'}")
    return "".join(f"{line}\n" for line in lines)


async def _verify(call: Call) -> int:
    """Try a passphrase against a crypto user. No account is asked, so no failed login is counted."""
    if "-verify" not in call.argv or "-stdinpassphrase" not in call.argv or "-user" not in call.argv:
        return call.refuse("apfs unlockVolume with -verify, -user and -stdinpassphrase")
    guid = (call.argv[call.argv.index("-user") + 1 :] or [""])[0]
    passphrase = (await call.read_stdin_all()).decode("utf-8", "surrogateescape").removesuffix("\n")
    if not passphrase:
        return _complain(call, "no_passphrase")
    if not _encrypted(call.mac):
        return _complain(call, "not_encrypted", device=call.mac.device)
    call.out(say("diskutil.verifying", call.mac.version_tuple, guid=guid, device=call.mac.device))
    account = call.mac.by_guid(guid)
    if account is None or not directory.has_key(call.mac, account) or account.key_password != passphrase:
        return _complain(call, "wrong_passphrase")
    call.out(say("diskutil.verified", call.mac.version_tuple))
    return 0


# --- preboot --------------------------------------------------------------------------------------


async def _update_preboot(call: Call) -> int:
    if not call.is_root:
        return _complain(call, "owner_needed")
    people = vault.unlockers(call.mac)
    fault = call.fault("preboot_fails")
    orphans = vault.orphans(call.mac)
    if fault is not None and (orphans or fault.options.get("because", "nothing") == "nothing"):
        return await _preboot_fails(call, fault, orphans)
    call.mac.preboot[:] = people
    call.wrote("preboot updated")
    await call.commit()
    call.out(_preboot(call, "start"))
    for guid in people:
        call.out(_preboot_user(call, guid))
    call.out(_preboot(call, "end"))
    return 0


async def _preboot_fails(call: Call, fault: Fault, orphans: list[str]) -> int:
    """Fail, over a crypto user of nobody where that is the fault's cause. All of the texts are assumed."""
    fault.seen += 1
    fault.spent = fault.seen >= int(fault.options.get("times", fault.seen + 1))
    await call.commit()
    call.out(_preboot(call, "start"))
    for guid in orphans if fault.options.get("because") == "orphan" else []:
        call.out(_preboot(call, "orphan", guid=guid))
    call.out(_preboot(call, "failed"))
    return FAILED


def _preboot(call: Call, key: str, **values: object) -> str:
    return say(f"diskutil.preboot_{key}", call.mac.version_tuple, **values)


def _preboot_user(call: Call, guid: str) -> str:
    account = call.mac.by_guid(guid)
    lines = [_preboot(call, "user", guid=guid)]
    if account is not None:
        strings = ",\n".join(f'    "{value}"' for value in records.authority_of(call.mac, account))
        lines.append(_preboot(call, "auths", strings=strings))
        lines.append(_preboot(call, "name", full_name=account.full_name))
        lines += [_preboot(call, "admin")] if directory.is_admin(call.mac, account) else []
    return "".join([*lines, _preboot(call, "user_end")])


# --- volumes --------------------------------------------------------------------------------------


def _encrypted(mac: Mac) -> bool:
    return not mac.filevault.state.startswith("off")


def _info(call: Call, device: str) -> int:
    mac = call.mac
    if not _is_start_volume(mac, device):
        return _complain(call, "no_disk", device=device)
    facts = _facts(mac)
    if "-plist" in call.argv:
        call.out(plists.dumps(facts))
        return 0
    rows = [
        ("Device Identifier", facts["DeviceIdentifier"]),
        ("Device Node", facts["DeviceNode"]),
        ("Volume Name", facts["VolumeName"]),
        ("Mounted", "Yes"),
        ("Mount Point", facts["MountPoint"]),
        ("Type (Bundle)", facts["FilesystemType"]),
        ("Volume UUID", facts["VolumeUUID"]),
    ]
    rows += [("Sealed", facts["Sealed"])] if "Sealed" in facts else []
    rows += [("FileVault", _yes(facts["FileVault"]))] if "FileVault" in facts else []
    call.out("".join(f"   {name + ':':<27}{value}\n" for name, value in rows))
    return 0


def _yes(value: bool) -> str:
    return "Yes" if value else "No"


def _facts(mac: Mac) -> dict[str, Any]:
    apfs = mac.filesystem == "apfs"
    facts: dict[str, Any] = {
        "DeviceIdentifier": mac.device,
        "DeviceNode": f"/dev/{mac.device}",
        "FilesystemType": mac.filesystem,
        "MountPoint": "/",
        "TotalSize": CAPACITY,
        "VolumeName": "Macintosh HD",
        "VolumeUUID": volume_uuid(mac),
        "Writable": not rules.SEALED.at(mac.version_tuple),
    }
    if apfs:
        facts["APFSVolumeGroupID"] = volume_uuid(mac)
        facts["Encryption"] = _encrypted(mac)
        facts["FileVault"] = _encrypted(mac)
        facts["Locked"] = False
    if apfs and rules.SEALED.at(mac.version_tuple):
        facts["Sealed"] = "Yes"
    return facts


def _list(call: Call) -> int:
    containers = [_container(call.mac)] if call.mac.filesystem == "apfs" else []
    if "-plist" in call.argv:
        call.out(plists.dumps({"Containers": containers} if containers else {}))
        return 0
    for container in containers:
        call.out(f"APFS Container (1 found)\n|\n+-- Container {container['ContainerReference']} ")
        call.out(f"{container['APFSContainerUUID']}\n")
        for volume in container["Volumes"]:
            call.out(_volume_text(volume))
    return 0


def _volume_text(volume: dict[str, Any]) -> str:
    rows = [
        (
            "APFS Volume Disk (Role)",
            f"{volume['DeviceIdentifier']} ({', '.join(volume['Roles']) or 'No specific role'})",
        ),
        ("Name", volume["Name"]),
        ("FileVault", "Yes (Unlocked)" if volume.get("FileVault") else "No"),
    ]
    return "    |\n    +-> Volume\n" + "".join(f"        {name + ':':<27}{value}\n" for name, value in rows)


def _container(mac: Mac) -> dict[str, Any]:
    disk = mac.device.split("s", 2)
    reference = f"{disk[0]}s{disk[1]}"
    volume: dict[str, Any] = {
        "APFSVolumeUUID": volume_uuid(mac),
        "CapacityInUse": 12819210240,
        "CryptoMigrationOn": mac.filevault.state in ("encrypting", "decrypting"),
        "DeviceIdentifier": _data_device(mac),
        "Encryption": _encrypted(mac),
        "Locked": False,
        "Name": "Macintosh HD",
        "Roles": ["Data"] if rules.SEALED.at(mac.version_tuple) else [],
    }
    if rules.APFS_LIST_FILEVAULT_KEY.at(mac.version_tuple):
        volume["FileVault"] = _encrypted(mac)
    return {
        "APFSContainerUUID": volume_uuid(mac),
        "CapacityCeiling": CAPACITY,
        "CapacityFree": CAPACITY // 2,
        "ContainerReference": reference,
        "Volumes": [volume],
    }
