# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read from a transcript itself in what state its Mac was, so that a new line needs no setup where it tells enough."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from transcripts import Transcript

Setup = dict[str, Any]
STATES = {
    "FileVault is On, but needs to be restarted to finish.": "on_needs_restart",
    "FileVault is Off, but needs to be restarted to finish.": "off_needs_restart",
    "FileVault is Off, but will be enabled after the next restart.": "off_will_enable",
    "Encryption in progress: Pending": "pending",
    "Encryption in progress": "encrypting",
    "Decryption in progress": "decrypting",
    "FileVault is On.": "on",
}
KINDS = {
    "Local Open Directory User": "LocalOpenDirectory",
    "Personal Recovery User": "PersonalRecovery",
    "MDM Bootstrap Token External Key": "MDMRecovery",
    "iCloud Recovery User": "iCloudRecovery",
    "iCloud Recovery External Key": "iCloudRecoveryExternalKey",
}


# What stands where a source wrote <user> or <pw>: the usual people of a Mac in memory, by the option before it.
PLACES = {
    "-adminUser": "admin",
    "-adminPassword": "admin-pw",
    "-secureTokenStatus": "user",
    "-secureTokenOn": "user",
    "-secureTokenOff": "user",
    "-resetPasswordFor": "user",
    "-deleteUser": "user",
    "-addUser": "new",
    "-fullName": "New",
    "-password": "user-pw",
    "-newPassword": "new-pw",
    "-oldPassword": "admin-pw",
    "-userName": "user",
    "-user": "admin",
}


def derived(record: Transcript) -> Setup:
    """Return what the record says of its Mac; nothing where its command is none of those that show a state."""
    text = (record.stdout or "") + (record.stderr or "")
    for pattern, read in READERS:
        found = re.match(pattern, " ".join(record.words))
        if found is not None:
            return read(found, text)
    return _filled(record.words)


def _filled(words: list[str]) -> Setup:
    """Put somebody where the source has a placeholder; a password that is wrong there is wrong here."""
    made = list(words)
    for index, (option, word) in enumerate(pairwise(words), start=1):
        if re.fullmatch(r"<.*>", word) and option in PLACES:
            made[index] = "wrong" if re.search("wrong|bad", word) else PLACES[option]
    return {"command": shlex.join(made)} if made != words else {}


def _status(found: re.Match[str], text: str) -> Setup:
    said = re.search(r"Secure token is (ENABLED|DISABLED) for user (.+)", text)
    if said is None:
        return {"root": False}
    person = {"name": found[1], "full_name": said[2], "token": said[1] == "ENABLED"}
    return {"root": False, "people": [person]}


def _last(found: re.Match[str], text: str) -> Setup:
    """The last administrator and holder, whose deletion is refused, with or without its own credentials."""
    person = {"name": found[1], "admin": True, "token": True}
    mine = f" -adminUser {found[1]} -adminPassword pw" if "-adminUser" in found.string else ""
    return {"people": [person], "command": f"sysadminctl -deleteUser {found[1]}{mine}"} if "can not be" in text else {}


def _sw_vers(_found: re.Match[str], text: str) -> Setup:
    facts = dict(re.findall(r"(ProductVersion|ProductVersionExtra|BuildVersion):\s+(\S+)", text))
    extra = {"settings": {"version_extra": facts["ProductVersionExtra"]}} if "ProductVersionExtra" in facts else {}
    known = {"macos": facts.get("ProductVersion"), "build": facts.get("BuildVersion")}
    return {key: value for key, value in known.items() if value} | extra


def _filevault(_found: re.Match[str], text: str) -> Setup:
    state: Setup = {"state": next((state for words, state in STATES.items() if words in text), "off")}
    percent = re.search(r"Percent completed = ([\d.]+)", text)
    deferred = re.search(r"active for user '(.*)'", text)
    state |= {"percent": float(percent[1])} if percent else {}
    state |= {"deferred_user": deferred[1]} if deferred else {}
    return {"filevault": state | {"master_keychain": "master keychain" in text}}


def _unlockers(_found: re.Match[str], text: str) -> Setup:
    rows = re.findall(r"^(.+),(\S+)$", text, re.MULTILINE)
    return {"people": [{"name": name, "guid": guid, "token": True} for name, guid in rows]}


def _crypto_users(_found: re.Match[str], text: str) -> Setup:
    rows = re.findall(r"\+-- (\S+)\n[| ]+Type: (.+)\n(?:[| ]+Volume Owner: (\w+)\n?)?", text)
    device = re.search(r"ryptographic users? for (\S+)", text)
    users = [[guid, KINDS.get(kind, kind), owner == "Yes"] for guid, kind, owner in rows]
    return {"people": [], "crypto_users": users} | ({"device": device[1]} if device else {})


def _bootstrap(_found: re.Match[str], text: str) -> Setup:
    supported, escrowed = "supported on server: YES" in text, "escrowed to server: YES" in text
    return {"mdm": {"enrolled": "ade", "bootstrap_supported": supported, "bootstrap_escrowed": escrowed}}


def _groups(found: re.Match[str], text: str) -> Setup:
    members = re.match(r"GroupMembership: (.*)", text)
    gid = {"admin": 80, "wheel": 0, "staff": 20}.get(found[1], 700)
    return {"system": True, "people": [], "groups": [[found[1], gid, members[1].split()]]} if members else {}


READERS: tuple[tuple[str, Callable[[re.Match[str], str], Setup]], ...] = (
    (r"sysadminctl -secureTokenStatus ([^<\s]\S*)$", _status),
    (r"sysadminctl -deleteUser ([^<\s]\S*)( -adminUser \1 -adminPassword .*)?$", _last),
    (r"sw_vers", _sw_vers),
    (r"fdesetup status$", _filevault),
    (r"fdesetup list$", _unlockers),
    (r"diskutil apfs (?i:listusers|listcryptousers|listkeys) [^-\s]\S*$", _crypto_users),
    (r"profiles status -type[= ]bootstraptoken$", _bootstrap),
    (r"dscl \. -read /Groups/(\S+) GroupMembership$", _groups),
)
