# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""dscl: the local directory's accounts, groups and password policy, read at once; one attribute written at a time.

One ``dscl -q`` with its commands on stdin reads everything, however many accounts there are. That mode, its words and
its
streams are those of Apple's published source (apple-oss-distributions/DSTools, dscl/dscl.m).

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import hashlib
import hmac
import plistlib
import re
import typing as t
from xml.parsers.expat import ExpatError

from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._runner import Ran, Secret

    Record = t.Mapping[str, t.Sequence[str]]

PENDING = "keyholder_pending"
"""Our own attribute on root's record: work that a run began and has not finished (design rule 6)."""

MARKER = ";SecureToken;"
DISABLED_TAG = ";DisabledTags;SecureToken"
"""Keeps an account from becoming the first holder, on macOS 11 and newer (Apple Platform Deployment; mkuser)."""

GETPASS_BYTES = 128
"""getpass drops silently what a password has beyond this (Apple Libc, readpassphrase)."""

_NODE = "/Local/Default"
_ACCOUNT_KEYS = (
    "RecordName RealName UniqueID PrimaryGroupID GeneratedUID NFSHomeDirectory UserShell AuthenticationAuthority"
    " AuthenticationHint Picture IsHidden OriginalNodeName"
    f" dsAttrTypeNative:accountPolicyData dsAttrTypeNative:{PENDING}"
)
_GROUP_KEYS = "RecordName PrimaryGroupID GeneratedUID GroupMembership GroupMembers NestedGroups"
_POLICY_KEYS = "dsAttrTypeNative:accountPolicyData"
_QUERIES = (
    f"readall /Users {_ACCOUNT_KEYS}",
    f"readall /Groups {_GROUP_KEYS}",
    f"read /Config/shadowhash {_POLICY_KEYS}",
)
READ_ALL = Command(("dscl", "-q", "-plist", "."), stdin="".join(f"{query}\n" for query in _QUERIES))
READ_EACH = tuple(Command(("dscl", "-plist", ".") + tuple(f"-{query}".split(" "))) for query in _QUERIES)
"""The same three readings, a process each: for a dscl whose stdin mode has changed since Apple published it."""

_PLIST = re.compile(r"<\?xml.*?</plist>", re.DOTALL)
_PREFIX = re.compile(r"^dsAttrType(?:Standard|Native):")


class Directory(t.NamedTuple):
    """Records as dscl gives them, keys without their ``dsAttrType...:`` prefix. None: not read."""

    users: list[Record] | None
    groups: list[Record] | None
    policy: Record | None


def parse_directory(text: str) -> Directory:
    """Sort the plists that dscl printed: lists of records with and without UniqueID, and the one record of the
    policy."""
    users: list[Record] | None = None
    groups: list[Record] | None = None
    policy: Record | None = None
    for document in _PLIST.findall(text):
        content = _plist(document.encode("utf-8"))
        if isinstance(content, dict):
            policy = _record(content)
        elif isinstance(content, list):
            records = [_record(record) for record in content if isinstance(record, dict)]
            if any("UniqueID" in record for record in records):
                users = records
            else:
                groups = records
    return Directory(users, groups, policy)


def policy_data(record: Record) -> dict[str, t.Any]:
    """``accountPolicyData``: a plist in a plist, of an account (failed logins, last change) or of the Mac (the
    rules)."""
    content = _plist(first(record, "accountPolicyData").encode("utf-8"))
    return content if isinstance(content, dict) else {}


def first(record: Record, key: str) -> str:
    values = record.get(key) or ()
    return values[0] if values else ""


# -- writing ----------------------------------------------------------------------------------------------------------


def create_record(user: str) -> Command:
    return Command(("dscl", ".", "-create", _path(user)))


def set_attribute(user: str, key: str, value: str) -> Command:
    return Command(("dscl", ".", "-create", _path(user), key, value))


def prevent_token(user: str) -> Command:
    return Command(("dscl", ".", "-append", _path(user), "AuthenticationAuthority", DISABLED_TAG))


def mark_pending(work: str) -> Command:
    return set_attribute("root", f"dsAttrTypeNative:{PENDING}", work)


def clear_pending() -> Command:
    return Command(("dscl", ".", "-delete", _path("root"), f"dsAttrTypeNative:{PENDING}"))


def set_password(user: str, new: Secret) -> Command:
    """As root, for an account without a token."""
    return Command(("dscl", ".", "-passwd", _path(user)), prompts=(new,))


def change_password(user: str, old: Secret, new: Secret) -> Command:
    """As root, for a holder: dscl asks for the new password, is denied, then asks for the old one
    (dscl-passwd-root-token-26)."""
    return Command(("dscl", ".", "-passwd", _path(user)), prompts=(new, old))


# -- passwords --------------------------------------------------------------------------------------------------------


def authenticate(user: str, password: Secret) -> Command:
    """A real authentication: it counts towards a lockout, and up to 10.15 it can hand out the first token."""
    return Command(("dscl", _NODE, "-authonly", user), prompts=(password,))


def authentication_answer(ran: Ran) -> str:
    """right, wrong, disabled or unknown, by dscl's exit status: the directory's error, negated, in eight bits."""
    return {0: "right", 10: "wrong", 87: "disabled"}.get(-1 if ran.rc is None else ran.rc, "unknown")


def read_hash(user: str) -> Command:
    """Root only. Nothing is authenticated by reading it: no lockout, no token, on no version."""
    return Command(("dscl", "-plist", ".", "-read", _path(user), "dsAttrTypeNative:ShadowHashData"), private=True)


def hash_matches(ran: Ran, password: Secret) -> bool | None:
    """Whether ``password`` is the account's, by the PBKDF2 verifier in its hash. None: no such verifier was
    readable."""
    content = _plist(ran.out.encode("utf-8")) if ran.rc == 0 else None
    if not isinstance(content, dict):
        return None
    try:
        data = plistlib.loads(bytes.fromhex(first(_record(content), "ShadowHashData").replace("\n", " ")))
        verifier = data["SALTED-SHA512-PBKDF2"]
        entropy, salt, iterations = bytes(verifier["entropy"]), bytes(verifier["salt"]), int(verifier["iterations"])
        derived = hashlib.pbkdf2_hmac("sha512", password.reveal(), salt, iterations, len(entropy))
    except (ValueError, KeyError, TypeError, OverflowError, plistlib.InvalidFileException, ExpatError):
        return None
    return hmac.compare_digest(derived, entropy)


def _path(user: str) -> str:
    return f"/Users/{user}"


def _record(content: dict[str, t.Any]) -> Record:
    return {_PREFIX.sub("", key): [str(value) for value in values] for key, values in content.items()}


def _plist(data: bytes) -> t.Any:
    try:
        return plistlib.loads(data)
    except (ValueError, ExpatError, plistlib.InvalidFileException):
        return None
