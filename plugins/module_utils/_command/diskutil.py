# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the crypto users of the boot volume, and renew the preboot volume's copy of them: diskutil apfs.

The text form of ``listUsers`` is read, not ``-plist``: only its headline names the device, which tells a snapshot boot
(``disk3s1s1``) from a plain volume, and it saves a second diskutil for that.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.keyholder.macos.plugins.module_utils._command import strays
from ansible_collections.keyholder.macos.plugins.module_utils._runner import LONG_LIMIT, Command

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._runner import Ran, Secret

LIST_USERS = Command(("diskutil", "apfs", "listUsers", "/"))
UPDATE_PREBOOT = Command(("diskutil", "apfs", "updatePreboot", "/"), private=True, limit=LONG_LIMIT)
"""Private: it prints hundreds of lines with every user's authentication data (transcript
du-updatepreboot-user-lines)."""

_WRONG_KEY = re.compile(r"passphrase( is)? incorrect|-69557", re.IGNORECASE)

_TROUBLE = re.compile(r"\berrors?\b|\bfailed\b|\bunable\b|\bcould not\b|-69[0-9]{3}\b", re.IGNORECASE)

LOCAL_USER = "Local Open Directory User"
PERSONAL_RECOVERY = "EBC6C064-0000-11AA-AA11-00306543ECAC"
BOOTSTRAP_CRYPTO_USER = "2457711A-523C-4604-B75A-F48A571D5036"
INSTITUTIONAL = ("C064EBC6-0000-11AA-AA11-00306543ECAC", "2FA31400-BAFF-4DE7-AE2A-C3AA6E1FD340")
ICLOUD_RECOVERY = "EC1C2AD9-B618-4ED6-BD8D-50F361C27507"
"""Seen in transcript du-listusers-icloud. That somebody's Apple Account opens the volume by it is assumed."""
GUEST = "FFFFEEEE-DDDD-CCCC-BBBB-AAAA000000C9"

_FAILED_FOR = re.compile(
    r"Considering (?:APFS Crypto )?[Uu]ser ([0-9A-Fa-f-]{36})$|Error for this (?:processed )?user was -?[1-9]\d*$",
    re.MULTILINE,
)
_HEAD = re.compile(
    r"^(?:No cryptographic users for (\S+)|Cryptographic users? for (\S+) \(([0-9]{1,6}) found\))$", re.MULTILINE
)
_USER = re.compile(r"^\+-- ([0-9A-Fa-f-]{36})$((?:\n[| ] +\S.*)*)", re.MULTILINE)
_SNAPSHOT = re.compile(r"^disk\d+s\d+s\d+$")


@dataclass(frozen=True)
class CryptoUser:
    """Hold one crypto user of the volume. ``owner`` is None if macOS does not say, see VOLUME_OWNERS."""

    uuid: str
    type: str
    owner: bool | None


@dataclass(frozen=True)
class CryptoUsers:
    """Hold what ``listUsers`` says of the boot volume. ``apfs`` False: the volume has no crypto users at all."""

    apfs: bool
    device: str = ""
    users: tuple[CryptoUser, ...] = ()

    @property
    def snapshot(self) -> bool:
        """Check whether the Mac was booted from a system snapshot, see SEALED_SNAPSHOT."""
        return bool(_SNAPSHOT.match(self.device))


def parse_users(ran: Ran) -> CryptoUsers | None:
    """Return the crypto users of the volume. None: diskutil gave no answer that is known, or one that is not whole: its
    headline says how many users follow, and each of them has a type. A list that lacks some must not be taken for one
    of a Mac that has fewer."""
    said = strays.without(ran.out.replace("\r\n", "\n"))
    heads = list(_HEAD.finditer(said))
    if not heads:
        return CryptoUsers(apfs=False) if "not an APFS" in ran.text else None
    empty, device, count = heads[0].groups()
    users = tuple(_crypto_user(uuid, rest) for uuid, rest in _USER.findall(said))
    whole = len(users) == int(count or 0) and all(user.type for user in users) and said.endswith("\n")
    return CryptoUsers(True, empty or device, users) if whole and len(heads) == 1 and ran.rc == 0 else None


def try_passphrase(guid: str, passphrase: Secret) -> Command:
    """Try a passphrase against one crypto user; nothing is unlocked. Public scripts check a password against its Secure
    Token like this. It is no login of the account, but the Secure Enclave counts wrong ones."""
    return Command(
        ("diskutil", "apfs", "unlockVolume", "/", "-verify", "-user", guid, "-stdinpassphrase"), document=passphrase
    )


def passphrase_opens(ran: Ran) -> bool | None:
    """Return whether the passphrase opens the key of the crypto user. None: diskutil did not say. A status of 0 beside
    words of a failure is no yes."""
    if ran.rc is None:
        return None
    if _WRONG_KEY.search(ran.text):
        return False
    return True if ran.rc == 0 and not _TROUBLE.search(ran.text) else None


def preboot_updated(ran: Ran) -> bool:
    """Check whether the preboot volume was updated: rc 0, and a zero in the last but one line (transcript
    du-updatepreboot-ok)."""
    return ran.rc == 0 and "overall error=(ZeroMeansSuccess)=0" in ran.out


def preboot_failed_for(ran: Ran) -> tuple[str, ...]:
    """Return the GUIDs of those whom updatePreboot could not take over (transcript du-updatepreboot-user-lines; that it
    names a crypto user like that if it fails over one is assumed)."""
    failed: list[str] = []
    considered = ""
    for guid in _FAILED_FOR.findall(ran.text):
        if guid:
            considered = guid.upper()
        elif considered and considered not in failed:
            failed.append(considered)
    return tuple(failed)


def _crypto_user(uuid: str, rest: str) -> CryptoUser:
    facts = dict(line.lstrip("| ").split(": ", 1) for line in rest.splitlines() if ": " in line)
    owner = facts.get("Volume Owner")
    return CryptoUser(uuid.upper(), facts.get("Type", ""), None if owner is None else owner == "Yes")
