# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show accounts, groups and settings as directory records: attributes that are lists of strings."""

from __future__ import annotations

import hashlib
import plistlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from maclab import network, plists, rules
from maclab.state import Account, DirectoryUser, Group, Mac, named

STANDARD = "dsAttrTypeStandard:"
NATIVE = "dsAttrTypeNative:"
POLICY_DATA = NATIVE + "accountPolicyData"
SHADOW_DATA = NATIVE + "ShadowHashData"
ONLY_ROOT = {POLICY_DATA, SHADOW_DATA}
ITERATIONS = 100
UNSET = -2

Attributes = dict[str, list[str]]

# Names that the directory keeps under its standard prefix; every other name is a native one.
STANDARD_NAMES = {
    "AppleMetaNodeLocation",
    "AuthenticationAuthority",
    "AuthenticationHint",
    "Comment",
    "EMailAddress",
    "FirstName",
    "GeneratedUID",
    "GroupMembers",
    "GroupMembership",
    "JPEGPhoto",
    "Keywords",
    "LastName",
    "NestedGroups",
    "NFSHomeDirectory",
    "OriginalNodeName",
    "Password",
    "Picture",
    "PrimaryGroupID",
    "RealName",
    "RecordName",
    "RecordType",
    "SMBSID",
    "UniqueID",
    "UserShell",
}


# What the lab makes of its state, and nobody writes.
FIXED_NAMES = {"Password", "RecordType", "AppleMetaNodeLocation", "PrimaryGroupID", "RecordName"}


def full_key(key: str) -> str:
    """Return the key with its prefix."""
    if key.startswith((STANDARD, NATIVE)):
        return key
    return (STANDARD if key in STANDARD_NAMES else NATIVE) + key


def shown_key(key: str, raw: bool = False) -> str:
    return key if raw else key.removeprefix(STANDARD)


@dataclass
class Record:
    """One record: what it holds, and how to put a list of values into one of its attributes."""

    name: str
    attributes: Attributes
    put: Callable[[str, list[str]], None]


# --- accounts -------------------------------------------------------------------------------------


def lkdc(mac: Mac) -> str:
    return "LKDC:SHA1." + hashlib.sha1(mac.name.encode(), usedforsecurity=False).hexdigest().upper()


def authority_of(mac: Mac, account: Account) -> list[str]:
    """Return the authority with the Kerberos entry that macOS adds to every local password."""
    values = list(account.authority)
    has_hash = any(value.startswith(";ShadowHash;") for value in values)
    if has_hash and not any(value.startswith(";Kerberosv5;") for value in values):
        values.append(f";Kerberosv5;;{account.name}@{lkdc(mac)};{lkdc(mac)};")
    return values


def user_record(mac: Mac, account: Account) -> Record:
    attributes: Attributes = {
        STANDARD + "AppleMetaNodeLocation": ["/Local/Default"],
        STANDARD + "AuthenticationAuthority": authority_of(mac, account),
        STANDARD + "AuthenticationHint": [account.hint] if account.hint else [],
        STANDARD + "GeneratedUID": [account.generated_uid],
        STANDARD + "NFSHomeDirectory": [account.home] if account.home else [],
        STANDARD + "Password": ["*" if account.service else "********"],
        STANDARD + "Picture": [account.picture] if account.picture else [],
        STANDARD + "PrimaryGroupID": _number(account, account.gid),
        STANDARD + "RealName": [account.full_name] if account.full_name else [],
        STANDARD + "RecordName": [account.name],
        STANDARD + "RecordType": ["dsRecTypeStandard:Users"],
        STANDARD + "UniqueID": _number(account, account.uid),
        STANDARD + "UserShell": [account.shell] if account.shell else [],
        NATIVE + "IsHidden": ["1"] if account.hidden else [],
        POLICY_DATA: [] if account.service else [plists.account_policy_data(account)],
        SHADOW_DATA: [_shadow_bytes(account)] if account.password is not None else [],
    }
    for key, values in account.attributes.items():
        if not key.startswith("maclab:"):
            attributes.setdefault(full_key(key), []).extend(values)
    return Record(
        account.name,
        {key: values for key, values in attributes.items() if values},
        lambda key, values: put_user(mac, account, key, values),
    )


def _number(account: Account, number: int) -> list[str]:
    """Return nothing for a record that was made without a number: only its owner reads as nobody's (-2)."""
    return [] if number == UNSET and not account.service else [str(number)]


def _shadow_bytes(account: Account) -> str:
    """Return the hash as dscl prints it: a property list's bytes in hex, eight digits a word."""
    digits = _shadow_hash(account.password or "", account.salt).hex()
    return " ".join(digits[start : start + 8] for start in range(0, len(digits), 8))


@lru_cache(maxsize=4096)
def _shadow_hash(password: str, salt: str) -> bytes:
    """Return what macOS keeps of a password; with few iterations, as nothing here has to resist an attack."""
    salt_bytes = hashlib.sha256(salt.encode()).digest()
    entropy = hashlib.pbkdf2_hmac("sha512", password.encode("utf-8", "surrogateescape"), salt_bytes, ITERATIONS, 128)
    verifier = {"entropy": entropy, "iterations": ITERATIONS, "salt": salt_bytes}
    return plistlib.dumps({"SALTED-SHA512-PBKDF2": verifier}, fmt=plistlib.FMT_BINARY)


def put_user(mac: Mac, account: Account, key: str, values: list[str]) -> None:
    """Store the values of an attribute where the Mac's state keeps it."""
    name = key.removeprefix(STANDARD).removeprefix(NATIVE)
    first = values[0] if values else ""
    texts = {
        "RealName": "full_name",
        "GeneratedUID": "generated_uid",
        "NFSHomeDirectory": "home",
        "UserShell": "shell",
        "AuthenticationHint": "hint",
        "Picture": "picture",
    }
    if name in texts:
        setattr(account, texts[name], first)
    elif name in ("UniqueID", "PrimaryGroupID"):
        setattr(account, "uid" if name == "UniqueID" else "gid", int(first) if first.lstrip("-").isdigit() else 0)
    elif name == "AuthenticationAuthority":
        _put_authority(mac, account, values)
    elif name == "IsHidden":
        account.hidden = first.lower() in ("1", "yes", "true")
    elif name == "RecordName":
        _rename(mac, account, first)
        _put_other(account.attributes, key, values[1:])
    elif name == "accountPolicyData":
        plists.put_account_policy_data(account, first)
    elif name not in FIXED_NAMES:
        _put_other(account.attributes, key, values)


def _put_authority(mac: Mac, account: Account, values: list[str]) -> None:
    """Whose account it is follows from what the authority says of its directory, and the hash from what names it."""
    hashed = any(value.startswith(";ShadowHash;") for value in account.authority)
    account.authority[:] = values
    account.kind = "mobile" if any(value.startswith(network.CACHED_USER) for value in values) else "local"
    if hashed and not any(";ShadowHash;" in value for value in values) and rules.HASH_GOES.at(mac.version_tuple):
        account.password = None


def _put_other(attributes: Attributes, key: str, values: list[str]) -> None:
    short = key.removeprefix(STANDARD)
    if values:
        attributes[short] = list(values)
    else:
        attributes.pop(short, None)


def _rename(mac: Mac, account: Account, name: str) -> None:
    if name and name not in mac.accounts:
        del mac.accounts[account.name]
        account.name = name
        mac.accounts[name] = account


# --- groups and settings --------------------------------------------------------------------------


def group_record(group: Group) -> Record:
    attributes: Attributes = {
        STANDARD + "AppleMetaNodeLocation": ["/Local/Default"],
        STANDARD + "GeneratedUID": [group.generated_uid],
        STANDARD + "GroupMembers": list(group.member_guids),
        STANDARD + "GroupMembership": list(group.members),
        STANDARD + "NestedGroups": list(group.nested),
        STANDARD + "Password": ["*"],
        STANDARD + "PrimaryGroupID": [str(group.gid)],
        STANDARD + "RecordName": [group.name],
        STANDARD + "RecordType": ["dsRecTypeStandard:Groups"],
    }
    attributes |= {full_key(key): list(values) for key, values in group.attributes.items()}
    return Record(
        group.name,
        {key: values for key, values in attributes.items() if values},
        lambda key, values: put_group(group, key, values),
    )


def put_group(group: Group, key: str, values: list[str]) -> None:
    name = key.removeprefix(STANDARD).removeprefix(NATIVE)
    if name == "GroupMembership":
        group.members[:] = values
    elif name == "GroupMembers":
        group.member_guids[:] = values
    elif name == "NestedGroups":
        group.nested[:] = values
    elif name == "PrimaryGroupID" and values and values[0].lstrip("-").isdigit():
        group.gid = int(values[0])
    elif name == "GeneratedUID" and values:
        group.generated_uid = values[0]
    elif name not in FIXED_NAMES:
        _put_other(group.attributes, key, values)


def shadowhash_record(mac: Mac) -> Record:
    def put(key: str, values: list[str]) -> None:
        if key == POLICY_DATA:
            mac.policy.xml = values[0] if values else None

    attributes: Attributes = {
        STANDARD + "RecordName": ["shadowhash"],
        STANDARD + "RecordType": ["dsRecTypeStandard:Config"],
    }
    if plists.has_policy(mac.policy):
        attributes[POLICY_DATA] = [plists.global_policy(mac)]
    return Record("shadowhash", attributes, put)


# --- the directory that the Mac is bound to ---------------------------------------------------------


def directory_record(node: str, user: DirectoryUser) -> Record:
    """What the directory tells the Mac of a person; nothing of it can be written from here."""
    attributes: Attributes = {
        STANDARD + "AppleMetaNodeLocation": [node],
        STANDARD + "GeneratedUID": [user.generated_uid],
        STANDARD + "RealName": [user.full_name],
        STANDARD + "RecordName": [user.name],
        STANDARD + "RecordType": ["dsRecTypeStandard:Users"],
        STANDARD + "UniqueID": [str(user.uid)],
    }
    return Record(user.name, attributes, lambda key, values: None)


# --- the tree -------------------------------------------------------------------------------------

TYPES = ("Config", "Groups", "Users")


def records(mac: Mac, kind: str) -> list[Record]:
    if kind == "Users":
        return [
            user_record(mac, account) for account in sorted(mac.accounts.values(), key=lambda each: each.name.lower())
        ]
    if kind == "Groups":
        return [group_record(group) for group in sorted(mac.groups.values(), key=lambda each: each.name.lower())]
    return [shadowhash_record(mac)]


def record(mac: Mac, kind: str, name: str) -> Record | None:
    if kind == "Users":
        account = mac.account(name)
        return None if account is None else user_record(mac, account)
    if kind == "Groups":
        group = mac.group(name)
        return None if group is None else group_record(group)
    return named({each.name: each for each in records(mac, kind)}, name)


def visible(found: Record, keys: list[str], is_root: bool) -> Attributes:
    """Return the attributes that a caller sees: some only root may read (Puppet takes ShadowHashData from readall)."""
    wanted = [full_key(key) for key in keys]
    return {
        key: values
        for key, values in found.attributes.items()
        if (not wanted or key in wanted) and (is_root or key not in ONLY_ROOT)
    }
