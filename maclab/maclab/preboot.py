# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decide what sshd makes of a password while the Mac waits at FileVault's unlock screen: the rules, without SSH. And
say what the preboot volume has of those who may unlock.

From macOS 26 on that sshd asks PAM's ``pam_basesystem``, which starts ``sshd-fvunlock``
(apple-oss-distributions/OpenSSH, OpenSSH-354.0.3).
"""

from __future__ import annotations

import base64
import enum
import hashlib
from typing import Any

from maclab import directory, disks, plists, rules
from maclab.state import Account, Mac


class Answer(enum.Enum):
    """What a password came to; the names are those of ``sysexits.h`` that ``sshd-fvunlock`` ends with."""

    UNLOCKED = "unlocked"
    WRONG = "wrong password"
    UNAVAILABLE = "temporarily unavailable"
    UNKNOWN = "system error"


def opens(mac: Mac, account: Account, password: str) -> bool:
    """Tell whether a password that is typed before macOS runs opens the volume."""
    return knows(mac, account) and account.key_password == password


def knows(mac: Mac, account: Account) -> bool:
    """Tell whether the preboot volume has a record of the account, and the volume a key for it."""
    return account.generated_uid in mac.preboot and directory.has_key(mac, account)


def answer(mac: Mac, user: str, password: str, now: float) -> Answer:
    """Judge one password, and count it where it was wrong. An account that is not known costs no attempt."""
    account = mac.accounts.get(user)
    if account is None or not knows(mac, account):
        return Answer.UNKNOWN
    if account.locked or needs_recovery(mac) or now < mac.waiting.delayed_until:
        return Answer.UNAVAILABLE
    if account.key_password == password:
        return Answer.UNLOCKED
    _count(mac, now)
    return Answer.WRONG


def needs_recovery(mac: Mac) -> bool:
    """Tell whether so many passwords were wrong that only macOS Recovery opens the volume."""
    return mac.waiting.failures >= rules.PREBOOT_ATTEMPTS.at(mac.version_tuple)


def password_method_works(mac: Mac) -> bool:
    """Tell whether the method ``password`` unlocks as ``keyboard-interactive`` does: the scenario's word, or the
    rule's."""
    said = mac.waiting.password_method
    return rules.PREBOOT_PASSWORD_METHOD.at(mac.version_tuple) if said is None else said


def start_up(mac: Mac) -> None:
    """Begin to wait again: sshd has explained itself to nobody yet. Wrong passwords stay counted."""
    mac.waiting.greeted = False


def unlocked(mac: Mac) -> None:
    """Forget the wrong passwords."""
    mac.locked = False
    mac.waiting.failures = 0
    mac.waiting.delayed_until = 0.0


def _count(mac: Mac, now: float) -> None:
    mac.waiting.failures += 1
    version = mac.version_tuple
    if mac.hardware == "apple-silicon" and mac.waiting.failures >= rules.PREBOOT_DELAYS_FROM.at(version):
        mac.waiting.delayed_until = now + rules.PREBOOT_DELAY.at(version)


FOLDER = "/System/Volumes/Preboot/"


def user_files(mac: Mac) -> dict[str, str]:
    """Return what is at the paths of CryptoUserInfo.plist: a dictionary by the GUIDs of crypto users (public file
    #34613275255), which updatePreboot writes. Of the people, it has those of its last update."""
    if not rules.PREBOOT_MOUNTED.at(mac.version_tuple) or mac.filesystem != "apfs":
        return {}
    users = {guid: _user(mac, guid) for guid in mac.preboot}
    others = [user for user in mac.crypto_users.values() if user.kind != directory.LOCAL_USER]
    users |= {user.uuid: {"UserType": user.kind} for user in others}
    return {f"{FOLDER}{disks.volume_uuid(mac, 'data')}/var/db/CryptoUserInfo.plist": plists.dumps(users)}


SSH_FOLDER = "/etc/ssh/"
SWITCH = "sshd-fvunlock.plist"
ALGORITHMS = ("ecdsa", "ed25519", "rsa")


def host_keys(mac: Mac) -> dict[str, str]:
    """Return the public halves of the host keys that the running Mac has, and of those that are staged for the unlock
    screen (apple-oss-distributions/OpenSSH, OpenSSH-354.0.3, HostKeyManager.swift), by their paths. They are none that
    sshd of the lab has."""
    files = {f"{SSH_FOLDER}{_named(one)}": _public_key(mac, one) for one in ALGORITHMS}
    if not rules.SSH_UNLOCKS.at(mac.version_tuple) or mac.waiting.host_keys == "missing":
        return files
    made = "an earlier macOS" if mac.waiting.host_keys == "other" else ""
    return files | {f"{_staged(mac)}{_named(one)}": _public_key(mac, one, made) for one in ALGORITHMS}


def switch(mac: Mac) -> dict[str, bytes]:
    """Return the property list that switches the login at the unlock screen, by its path."""
    if not rules.SSH_UNLOCKS.at(mac.version_tuple) or mac.waiting.enabled is None:
        return {}
    return {f"{_staged(mac)}{SWITCH}": plists.dumps({"Enabled": mac.waiting.enabled}).encode()}


def _staged(mac: Mac) -> str:
    return f"{FOLDER}{disks.volume_uuid(mac, 'data')}/var/db/sshd/"


def _named(algorithm: str) -> str:
    return f"ssh_host_{algorithm}_key.pub"


def _public_key(mac: Mac, algorithm: str, made: str = "") -> str:
    digest = hashlib.sha512(f"{mac.name}/{algorithm}/{made}".encode()).digest()
    name = {"ecdsa": "ecdsa-sha2-nistp256", "ed25519": "ssh-ed25519", "rsa": "ssh-rsa"}[algorithm]
    return f"{name} {base64.b64encode(bytes(3) + digest).decode()}\n"


def _user(mac: Mac, guid: str) -> dict[str, Any]:
    """Return what is kept of a person: the keys are those that public readers of the file ask for, what UserType says
    is assumed."""
    account = mac.by_guid(guid)
    names = {"FullName": account.full_name, "ShortName": account.name} if account is not None else {}
    return {**names, "PasswordHint": "", "UserType": "LocalOpenDirectory", "PictureData": b""}
