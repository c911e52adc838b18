# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show the crypto users of a volume for diskutil, try their passphrases, and renew the preboot volume's copy."""

from __future__ import annotations

from typing import Any

from maclab import directory, disks, plists, records, rules, vault
from maclab.call import Call
from maclab.disks import Disks, Volume
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


def _complain(call: Call, key: str, **values: object) -> int:
    call.err(say(f"diskutil.{key}", call.mac.version_tuple, **values))
    return FAILED


# --- crypto users ---------------------------------------------------------------------------------


async def list_users(call: Call, laid: Disks, volume: Volume) -> int:
    users = list(call.mac.crypto_users.values()) if volume.is_start else []
    if "-plist" in call.argv:
        call.out(plists.dumps({"Users": [_as_dict(call.mac, user) for user in users]}))
        return 0
    # What a Mac runs from is the snapshot, and that is what is told of /.
    at_root = volume is laid.root and volume.snapshot is not None and volume.device not in " ".join(call.argv).split()
    device = volume.snapshot.device if at_root and volume.snapshot else volume.device
    call.out(_header(call, device, len(users)))
    for index, user in enumerate(users):
        call.out(_as_tree(call.mac, user, last=index == len(users) - 1))
    call.out(say("diskutil.listed", call.mac.version_tuple) if users else "")
    return 0


def _header(call: Call, device: str, count: int) -> str:
    key = {0: "none", 1: "one"}.get(count, "many")
    values: dict[str, object] = {"device": device}
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


async def verify(call: Call, laid: Disks, volume: Volume) -> int:
    """Try a passphrase against a crypto user. No account is asked, so no failed login is counted."""
    if "-verify" not in call.argv or "-stdinpassphrase" not in call.argv or "-user" not in call.argv:
        return call.refuse("apfs unlockVolume with -verify, -user and -stdinpassphrase")
    guid = (call.argv[call.argv.index("-user") + 1 :] or [""])[0]
    passphrase = (await call.read_stdin_all()).decode("utf-8", "surrogateescape").removesuffix("\n")
    if not passphrase:
        return _complain(call, "no_passphrase")
    if not disks.is_encrypted(call.mac):
        return _complain(call, "not_encrypted", device=call.mac.device)
    call.out(say("diskutil.verifying", call.mac.version_tuple, guid=guid, device=call.mac.device))
    account = call.mac.by_guid(guid)
    if account is None or not directory.has_key(call.mac, account) or account.key_password != passphrase:
        return _complain(call, "wrong_passphrase")
    call.out(say("diskutil.verified", call.mac.version_tuple))
    return 0


# --- preboot --------------------------------------------------------------------------------------


async def update_preboot(call: Call, laid: Disks, volume: Volume) -> int:
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
