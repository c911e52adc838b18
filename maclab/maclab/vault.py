# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decide what FileVault, its keys and its list of users do to a Mac's state, without any program around them."""

from __future__ import annotations

import enum
import hashlib
import time
from collections.abc import Iterator, Sequence
from typing import Any

from maclab import directory, faults, models, plists, rules
from maclab.state import Account, CryptoUser, Deferral, Mac, ModelFile

PRK_UUID = "EBC6C064-0000-11AA-AA11-00306543ECAC"
PRK = "PersonalRecovery"
ESCROW_FILE = "/var/db/FileVaultPRK.dat"
# The real file is a CMS message to the certificate of the profile.
ESCROWED = "maclab: the recovery key, as only the device management can read it\n"
ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
GROUPS, GROUP = 6, 4


class Exit(enum.IntEnum):
    """Exit statuses of fdesetup that the lab uses, as its manual names them (136 is in no manual)."""

    OK = 0
    OFF = 1
    BUSY = 2
    AUTHENTICATION = 11
    PARAMETER = 12
    UNKNOWN_COMMAND = 13
    BAD_INPUT = 15
    ADD_FAILED = 17
    DEFERRAL = 20
    CORESTORAGE = 22
    ALREADY_ENABLED = 24
    CANNOT_REMOVE = 25
    CANNOT_REMOVE_KEY = 27
    NOT_READY = 28
    NO_RECORD = 30
    MANAGED = 31
    ALREADY_ACTIVE = 32
    UNSUPPORTED_HERE = 33
    UNSUPPORTED_ON_APFS = 34
    DISABLE_FAILED = 35
    BLANK_PASSWORD = 37
    INTERNAL = 99
    NOT_IN_THE_MANUAL = 136


class Proof(enum.Enum):
    """What credentials for FileVault came to; true when they unlock it."""

    PERSON = "person"
    KEY = "key"
    WRONG = "wrong"
    NO_KEY_ON_VOLUME = "no_key_on_volume"

    def __bool__(self) -> bool:
        return self in (Proof.PERSON, Proof.KEY)


# --- looking --------------------------------------------------------------------------------------


def is_on(mac: Mac) -> bool:
    return not mac.filevault.state.startswith("off")


def listed(mac: Mac) -> list[str]:
    """Return the GUIDs of people in `fdesetup list`: the crypto users, less the removed ones, plus the ghosts."""
    shown = unlockers(mac)
    return shown + [guid for guid in mac.filevault.ghosts if guid not in shown]


def unlockers(mac: Mac) -> list[str]:
    """Return the GUIDs of the people whose keys FileVault knows."""
    people = [user.uuid for user in mac.crypto_users.values() if user.kind == directory.LOCAL_USER]
    return [guid for guid in people if guid not in mac.filevault.hidden_users]


def orphans(mac: Mac) -> list[str]:
    """Return the GUIDs of people's crypto users that belong to no account."""
    people = [user.uuid for user in mac.crypto_users.values() if user.kind == directory.LOCAL_USER]
    return [guid for guid in people if mac.by_guid(guid) is None]


def may_unlock(mac: Mac, account: Account) -> bool:
    return directory.is_holder(mac, account) and account.generated_uid in unlockers(mac)


def has_blank_password(mac: Mac) -> bool:
    return any(account.password == "" for account in mac.accounts.values() if account.has_authority_token)


def prove(mac: Mac, name: str, password: str, key_allowed: bool) -> Proof:
    """Try a password: the recovery key's where that may authenticate, else the account's, which must open the volume.

    A wrong guess at an account counts; the key has no counter.
    """
    if key_allowed and password and password == mac.filevault.prk:
        return Proof.KEY
    account = directory.find(mac, name)
    if account is None or not directory.authenticate(mac, name, password):
        return Proof.WRONG
    opens = directory.unlock_key(mac, account, password) and may_unlock(mac, account)
    return Proof.PERSON if opens else Proof.NO_KEY_ON_VOLUME


# --- on and off -----------------------------------------------------------------------------------


def turn_on(mac: Mac, now: float | None = None) -> str | None:
    """Enable FileVault and return the new recovery key; None where the Mac keeps the one that it had."""
    if rules.ENABLE_UPDATES_PREBOOT.at(mac.version_tuple):
        mac.preboot[:] = unlockers(mac)
    _convert(mac, "encrypting", "on")
    mac.filevault.deferred_user = None
    return None if mac.filevault.prk else make_key(mac, now)


def turn_off(mac: Mac) -> None:
    _convert(mac, "decrypting", "off")
    mac.filevault.deferred_user = None
    if not rules.KEY_OUTLIVES_DISABLE.at(mac.version_tuple):
        drop_key(mac)


def _convert(mac: Mac, meanwhile: str, end: str) -> None:
    vault, version = mac.filevault, mac.version_tuple
    takes_time = mac.hardware in rules.CONVERTS.at(version)
    vault.state = meanwhile if takes_time else end
    vault.percent = 0.0 if takes_time else None
    vault.advance = rules.CONVERSION_ADVANCE.at(version) if takes_time else None


def advance(mac: Mac) -> bool:
    """Convert some more of the volume; false where nothing moves."""
    vault = mac.filevault
    ends = {"encrypting": "on", "decrypting": "off"}
    if vault.advance is None or vault.state not in ends:
        return False
    vault.percent = (vault.percent or 0.0) + vault.advance
    if vault.percent >= 100:
        vault.state, vault.percent, vault.advance = ends[vault.state], None, None
    return True


# --- the recovery key -----------------------------------------------------------------------------


def key_number(name: str, number: int) -> str:
    """Return the number-th key of a Mac of that name: a fleet makes the same keys every time."""
    seed = f"prk/{name}/{number}" if number else f"prk/{name}"
    digest = hashlib.sha256(seed.encode()).digest()[: GROUPS * GROUP]
    letters = "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest)
    return "-".join(letters[at : at + GROUP] for at in range(0, len(letters), GROUP))


def make_key(mac: Mac, now: float | None = None) -> str:
    """Replace the recovery key, and have it escrowed where a profile says so."""
    mac.filevault.keys_made += 1
    key = key_number(mac.name, mac.filevault.keys_made)
    mac.filevault.prk = key
    mac.crypto_users[PRK_UUID] = CryptoUser(PRK_UUID, PRK, mac.hardware == "apple-silicon")
    if mac.mdm.escrow_profile:
        escrow_key(mac, time.time() if now is None else now)
    return key


def escrow_key(mac: Mac, now: float) -> None:
    mac.mdm.prk_escrowed_at = now
    mac.files[ESCROW_FILE] = ModelFile(ESCROWED, now)


def drop_key(mac: Mac) -> None:
    mac.filevault.prk = None
    mac.crypto_users.pop(PRK_UUID, None)


def output(mac: Mac, user: str, key: str | None, changed: bool, now: float | None = None) -> dict[str, Any]:
    """Return what -outputplist, and a deferral's file, say: dates are text there."""
    when = time.strftime("%Y-%m-%d %H:%M:%S %z", time.localtime(time.time() if now is None else now))
    said: dict[str, Any] = {"Change": True} if changed else {}
    said |= {"EnabledDate": when} | ({"EnabledUser": user} if user else {})
    said |= {"HardwareUUID": models.platform_uuid(mac.name)} | ({"RecoveryKey": key} if key else {})
    return said | {"SerialNumber": models.serial_number(mac.name)}


# --- deferral -------------------------------------------------------------------------------------


def defer(mac: Mac, user: str, deferral: Deferral) -> None:
    mac.filevault.deferred_user = user
    mac.filevault.deferral = deferral


def fires(mac: Mac, account: Account) -> bool:
    """Tell whether this account's graphical login makes a deferral come true: the person says yes when asked."""
    vault, deferral = mac.filevault, mac.filevault.deferral
    if vault.deferred_user is None or is_on(mac) or mac.mdm.forbids_filevault:
        return False
    asked = deferral.ask_at_logout or (deferral.force_at_login or 0) >= 0
    designated = vault.deferred_user in ("", account.name)
    return asked and designated and may_unlock(mac, account) and not has_blank_password(mac)


def fire(mac: Mac, account: Account, now: float) -> None:
    path = mac.filevault.deferral.path
    key = turn_on(mac, now)
    mac.files[normal(path)] = ModelFile(plists.dumps(output(mac, account.name, key, changed=False, now=now)), now)


# --- users ----------------------------------------------------------------------------------------


def add_unlocker(mac: Mac, account: Account) -> bool:
    """Let an account unlock the volume; false where it has no token and is not given one."""
    guid = account.generated_uid
    if not directory.is_holder(mac, account):
        if not rules.ADD_GRANTS_TOKEN.at(mac.version_tuple):
            return False
        directory.give_token(mac, account)
    _forget(mac.filevault.hidden_users, guid)
    if rules.ADD_UPDATES_PREBOOT.at(mac.version_tuple) and guid not in mac.preboot:
        mac.preboot.append(guid)
    return True


def remove_unlocker(mac: Mac, guid: str) -> bool:
    """Take a person, or a leftover key, off FileVault's list; false where macOS refuses.

    The preboot volume lets the person in until it is updated, and the token stays by rule.
    """
    if guid not in listed(mac):
        return False
    account = mac.by_guid(guid)
    if account is None:
        return _remove_orphan(mac, guid)
    others = [other for other in unlockers(mac) if other != guid and mac.by_guid(other) is not None]
    if not others and guid in unlockers(mac):
        return False
    _forget(mac.filevault.ghosts, guid)
    if rules.REMOVE_TAKES_TOKEN.at(mac.version_tuple):
        directory.take_token(mac, account)
    elif guid in mac.crypto_users:
        mac.filevault.hidden_users.append(guid)
    return True


def _remove_orphan(mac: Mac, guid: str) -> bool:
    if mac.hardware not in rules.REMOVE_ORPHANS.at(mac.version_tuple):
        return False
    mac.crypto_users.pop(guid, None)
    _forget(mac.filevault.ghosts, guid)
    return True


def sync(mac: Mac) -> list[str]:
    """Drop the people whose accounts are gone from FileVault's list, and return their GUIDs."""
    gone = [guid for guid in listed(mac) if mac.by_guid(guid) is None]
    if mac.hardware not in rules.SYNC_REMOVES_ORPHANS.at(mac.version_tuple):
        gone = [guid for guid in gone if guid not in mac.crypto_users]
    for guid in gone:
        mac.crypto_users.pop(guid, None)
        _forget(mac.filevault.ghosts, guid)
    return gone


def _forget(values: list[str], value: str) -> None:
    values[:] = [other for other in values if other != value]


# --- starting -------------------------------------------------------------------------------------


def start_up(mac: Mac, unlocked: bool, now: float) -> None:
    """Begin again as after a restart; `unlocked`: somebody has given the volume its key beforehand."""
    ends = {"off_will_enable": "on", "on_needs_restart": "on", "off_needs_restart": "off"}
    mac.filevault.state = ends.get(mac.filevault.state, mac.filevault.state)
    mac.filevault.unlocked_by_key = False
    forgotten = faults.find(mac, "authrestart_forgotten", "fdesetup", ()) is not None
    mac.locked = is_on(mac) and (forgotten or not (unlocked or mac.restart_armed))
    mac.restart_armed = False
    mac.logged_in.clear()
    mac.booted_at = now


# --- files ----------------------------------------------------------------------------------------


def normal(path: str) -> str:
    """Return the name that a path has on macOS, where /var, /tmp and /etc are links into /private."""
    inside = path.removeprefix("/private")
    return inside if inside.startswith(("/var/", "/tmp/", "/etc/")) else path


def named(mac: Mac, words: Sequence[str]) -> Iterator[str]:
    """Yield those of the words that are files of this Mac and not of this host."""
    return (word for word in words if normal(word) in mac.files)
