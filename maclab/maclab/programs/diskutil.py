# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be diskutil: tell its verbs apart from what it has not got, and lead each to what answers.

The verbs are those of its manual (https://manp.gs/mac/8/diskutil), in any case.
"""

from __future__ import annotations

from maclab import disks, plists
from maclab.call import Call
from maclab.programs import _diskutil_info, _diskutil_list, _diskutil_users
from maclab.texts import say

FAILED = 1
KNOWN = "list, info, apfs list, listUsers, updatePreboot and unlockVolume -verify, cs list and info"
OTHERS = set(
    "activity listfilesystems listclients unmount umount unmountdisk umountdisk eject mount mountdisk rename "
    "renamevolume enablejournal disablejournal movejournal enableownership disableownership verifyvolume repairvolume "
    "verifydisk repairdisk erasedisk erasevolume reformat eraseoptical zerodisk randomdisk secureerase partitiondisk "
    "resizevolume addpartition splitpartition mergepartitions appleraid ar resetuserpermissions verifypermissions "
    "repairpermissions image resizedisk".split()
)
APFS_OTHERS = set(
    "listsnapshots listvolumegroups convert create createcontainer deletecontainer resizecontainer addvolume "
    "deletevolume erasevolume changevolumerole chrole changepassphrase passwd setpassphrasehint lockvolume lock "
    "encryptvolume encrypt decryptvolume decrypt enablefilevault disablefilevault deletesnapshot defragment "
    "addvolumegroup deletevolumegroup mergevolumegroups".split()
)
CS_OTHERS = set(
    "convert revert create createlvg delete deletelvg createvolume createlv deletevolume deletelv encryptvolume "
    "decryptvolume unlockvolume changevolumepassphrase passwd resize resizevolume resizestack resizedisk adddisk "
    "removedisk rename renamelvg createfusion".split()
)
LIST_USERS = {"listusers", "listcryptousers", "listkeys"}
LIST_FILTERS = {"internal", "external", "physical", "virtual"}
CORE_STORAGE = {"cs", "corestorage"}


async def main(call: Call) -> int:
    words = [word for word in call.argv if word not in ("-plist", "quiet")]
    verb, rest = (words[0].lower(), words[1:]) if words else ("", [])
    if verb == "list":
        return _list(call, rest)
    if verb in ("info", "information"):
        return _info(call, rest)
    if verb in ("apfs", "ap"):
        return await _apfs(call, rest)
    if verb in CORE_STORAGE:
        return _core_storage(call, rest)
    return call.refuse(KNOWN) if verb in OTHERS else complain(call, "usage")


def complain(call: Call, key: str, **values: object) -> int:
    """Say what is wrong on stderr, or with -plist as a document on stdout."""
    text = say(f"diskutil.{key}", call.mac.version_tuple, **values)
    if "-plist" in call.argv and key != "usage":
        call.out(plists.dumps({"Error": True, "ErrorMessage": text.rstrip("\n"), "ExitCode": FAILED}))
    else:
        call.err(text)
    return FAILED


def _list(call: Call, words: list[str]) -> int:
    filters = {word.lower() for word in words} & LIST_FILTERS
    devices = [word for word in words if word.lower() not in LIST_FILTERS]
    if any(device.startswith("-") for device in devices):
        return complain(call, "usage")
    laid = disks.of(call.mac)
    whole = laid.whole_of(devices[0]) if devices else ""
    if devices and not whole:
        return complain(call, "no_disk", device=devices[0])
    call.out(_diskutil_list.answer(call.mac, laid, filters, whole, "-plist" in call.argv))
    return 0


def _info(call: Call, words: list[str]) -> int:
    if "-all" in words or len(words) != 1:
        return call.refuse(KNOWN) if "-all" in words else complain(call, "usage")
    answer = _diskutil_info.answer(call.mac, disks.of(call.mac), words[0], "-plist" in call.argv)
    if not answer:
        return complain(call, "no_disk", device=words[0])
    call.out(answer)
    return 0


async def _apfs(call: Call, words: list[str]) -> int:
    verb, device = (words[0].lower() if words else ""), (words[1] if len(words) > 1 else "")
    laid = disks.of(call.mac)
    if verb == "list":
        return _apfs_list(call, laid, device)
    actions = {**dict.fromkeys(LIST_USERS, _diskutil_users.list_users), "updatepreboot": _diskutil_users.update_preboot}
    actions |= dict.fromkeys(("unlock", "unlockvolume"), _diskutil_users.verify)
    action = actions.get(verb)
    if action is None:
        return call.refuse(KNOWN) if verb in APFS_OTHERS else complain(call, "usage")
    volume = laid.volume(device)
    if volume is None and not laid.whole_of(device):
        return complain(call, "no_disk", device=device)
    if volume is None or not laid.container:
        return complain(call, "not_apfs", device=volume.device if volume else device)
    return await action(call, laid, volume)


def _apfs_list(call: Call, laid: disks.Disks, device: str) -> int:
    if device and laid.container and device.upper() != laid.uuid and not laid.whole_of(device):
        return complain(call, "no_disk", device=device)
    if device and not laid.container:
        return complain(call, "not_container", device=device)
    call.out(_diskutil_list.containers(call.mac, laid, "-plist" in call.argv))
    return 0


def _core_storage(call: Call, words: list[str]) -> int:
    """Answer for a Mac without CoreStorage: every one but that with FileVault on HFS+."""
    verb = words[0].lower() if words else ""
    if verb not in ("list", "info", "information"):
        return call.refuse(KNOWN) if verb in CS_OTHERS else complain(call, "usage")
    if call.mac.filesystem == "hfs" and disks.is_encrypted(call.mac):
        return call.refuse(f"{KNOWN}; CoreStorage only where there is none")
    if verb == "list" and "-plist" in call.argv:
        call.out(plists.dumps({"CoreStorageLogicalVolumeGroups": []}))
        return 0
    if verb == "list":
        call.out(say("diskutil.no_core_storage", call.mac.version_tuple))
        return 0
    if len(words) < 2:
        return complain(call, "usage")
    return complain(call, "not_core_storage", device=words[1])
