# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the local directory at once, write it one attribute at a time, and ask it about a password: dscl.

One ``dscl -q`` with its commands on stdin reads everything, however many accounts there are. That mode, its words and
its streams are those of Apple's published source (apple-oss-distributions/DSTools, dscl/dscl.m).

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import hashlib
import hmac
import typing as t

from ansible_collections.keyholder.macos.plugins.module_utils import _kind
from ansible_collections.keyholder.macos.plugins.module_utils._command import codes, plists
from ansible_collections.keyholder.macos.plugins.module_utils._runner import LONG_LIMIT, Command

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._code import MaybeCode
    from ansible_collections.keyholder.macos.plugins.module_utils._runner import Ran, Secret

NOTES = "keyholder_pending"
"""Our own attribute on root's record: work that runs began and have not finished, a value each (design rule 6)."""
_NOTES_ATTRIBUTE = f"dsAttrTypeNative:{NOTES}"
PARKED = "keyholder_parked"
"""Our own attribute on an account's record: what the account was before it was parked."""
_PARKED_ATTRIBUTE = f"dsAttrTypeNative:{PARKED}"

TOKEN_MARKER = ";SecureToken;"
DISABLED_TAG = ";DisabledTags;SecureToken"
"""Keeps an account from becoming the first holder, on macOS 11 and newer (Apple Platform Deployment; mkuser)."""

GETPASS_BYTES = 128
"""getpass drops silently what a password has beyond this (Apple Libc, readpassphrase)."""

_LOCAL_NODE = "/Local/Default"
_ACCOUNT_KEYS = (
    "RecordName RealName UniqueID PrimaryGroupID GeneratedUID NFSHomeDirectory UserShell AuthenticationAuthority"
    " AuthenticationHint Picture IsHidden OriginalNodeName AltSecurityIdentities"
    f" dsAttrTypeNative:accountPolicyData {_NOTES_ATTRIBUTE} {_PARKED_ATTRIBUTE}"
)
_GROUP_KEYS = "RecordName PrimaryGroupID GeneratedUID GroupMembership GroupMembers NestedGroups"
_POLICY_KEYS = "dsAttrTypeNative:accountPolicyData"
_QUERIES = (
    f"readall /Users {_ACCOUNT_KEYS}",
    f"readall /Groups {_GROUP_KEYS}",
    f"read /Config/shadowhash {_POLICY_KEYS}",
)
READ_ALL = Command(("dscl", "-q", "-plist", "."), stdin="".join(f"{query}\n" for query in _QUERIES), limit=LONG_LIMIT)
READ_EACH = tuple(
    Command(("dscl", "-plist", ".") + tuple(f"-{query}".split(" ")), limit=LONG_LIMIT) for query in _QUERIES
)
"""The same three readings, a process each: for a dscl whose stdin mode has changed since Apple published it."""

_FIELDS = {
    "full_name": "RealName",
    "uid": "UniqueID",
    "gid": "PrimaryGroupID",
    "shell": "UserShell",
    "home": "NFSHomeDirectory",
    "hint": "AuthenticationHint",
    "picture": "Picture",
    "hidden": "IsHidden",
}
_WRITES = {"-create", "-append", "-merge", "-delete", "-passwd"}
FIELDS = tuple(_FIELDS)
"""What of an account can be set by :func:`set_field`, by our names."""


# -- writing ----------------------------------------------------------------------------------------------------------


def create_record(user: str) -> Command:
    """Create an empty record of a user."""
    return Command(("dscl", ".", "-create", _path(user)))


def set_field(user: str, field: str, value: str | int | bool) -> Command:
    """Set one attribute of a user's record. ``field``: one of :data:`FIELDS`."""
    words = str(int(value)) if isinstance(value, bool) else str(value)
    return Command(("dscl", ".", "-create", _path(user), _FIELDS[field], words))


def prevent_token(user: str) -> Command:
    """Add the tag that keeps the account from becoming the first holder, see PREVENTION_TAG."""
    return Command(("dscl", ".", "-append", _path(user), "AuthenticationAuthority", DISABLED_TAG))


def allow_token(user: str) -> Command:
    """Take that tag off again."""
    return Command(("dscl", ".", "-delete", _path(user), "AuthenticationAuthority", DISABLED_TAG))


def remove_marker(user: str) -> Command:
    """Take off the mark by which the directory calls the account a holder. Its key on the volume stays."""
    return Command(("dscl", ".", "-delete", _path(user), "AuthenticationAuthority", TOKEN_MARKER))


def note(work: str) -> Command:
    """Add a note to root's record. Others stay beside it: a run at the same time may have its own there."""
    return Command(("dscl", ".", "-merge", _path("root"), _NOTES_ATTRIBUTE, work))


def forget(work: str) -> Command:
    """Take a note off root's record."""
    return Command(("dscl", ".", "-delete", _path("root"), _NOTES_ATTRIBUTE, work))


def remember(user: str, text: str) -> Command:
    """Write into an account's record what it was."""
    return Command(("dscl", ".", "-create", _path(user), _PARKED_ATTRIBUTE, text))


def forget_account(user: str) -> Command:
    """Take off the record what the account was."""
    return Command(("dscl", ".", "-delete", _path(user), _PARKED_ATTRIBUTE))


def already_forgotten(ran: Ran) -> bool:
    """Check whether a note was to be taken away that is not there: eDSAttributeNotFound is -14134, 54 as a dscl's
    status."""
    ours = {_NOTES_ATTRIBUTE, _PARKED_ATTRIBUTE} & set(ran.command.argv)
    mine = ran.command.argv[:3] == ("dscl", ".", "-delete") and bool(ours)
    return mine and ran.rc == 54


def knows_no_record(ran: Ran) -> bool:
    """Check whether dscl said of a record that there is none: eDSRecordNotFound is -14136."""
    return "eDSRecordNotFound" in ran.text or "-14136" in ran.text


def change_password(user: str, old: Secret, new: Secret) -> Command:
    """Change a holder's password as root: dscl asks for the new one, is denied, then asks for the old one (transcript
    dscl-passwd-root-token-26)."""
    return Command(("dscl", ".", "-passwd", _path(user)), prompts=(new, old))


# -- passwords --------------------------------------------------------------------------------------------------------


def authenticate(user: str, password: Secret, anywhere: bool = False) -> Command:
    """Try a password by a real authentication: it counts towards a lockout, and before macOS 11 it can hand out the
    first token.

    ``anywhere``: of whoever the search path finds, who may have no account on this Mac.
    """
    return Command(("dscl", "/Search" if anywhere else _LOCAL_NODE, "-authonly", user), prompts=(password,))


def authentication_answer(ran: Ran) -> str:
    """Return right, wrong, disabled, expired or unknown, by dscl's exit status. A status of 0 beside an error is no
    yes. Expired: the password is the right one, and macOS wants another (eDSAuthNewPasswordRequired, -PasswordExpired).
    """
    if ran.rc == 0:
        return "unknown" if "eDS" in ran.text else "right"
    said = codes.of_status(ran.rc)
    if said in (14161, 14162):
        return "expired"
    if said == 14090:
        return "wrong"
    return "disabled" if said is not None and codes.cause({said}) == "account_refused" else "unknown"


def reason_said(ran: Ran) -> MaybeCode:
    """Return the reason code that the answer to a change means, "" for none: by the number in its words, or by its exit
    status."""
    if not _WRITES & set(ran.command.argv):
        return ""
    status = codes.of_status(ran.rc)
    said = {number for number in (*codes.numbers(ran.text), status) if number is not None and number > 14000}
    return codes.cause(said) or ("no_full_disk_access" if codes.NO_PERMISSION in said else "")


def read_hash(user: str) -> Command:
    """Read the verifiers of a user's password, as root. Nothing is authenticated by that: no lockout, no token, on no
    version."""
    return Command(("dscl", "-plist", ".", "-read", _path(user), "dsAttrTypeNative:ShadowHashData"), private=True)


ITERATIONS, ENTROPY = 10_000_000, 1024
"""What a verifier may ask for at most: macOS has some 100,000 rounds for 128 bytes, and more could take days."""


def hash_matches(ran: Ran, password: Secret) -> bool | None:
    """Return whether ``password`` is the account's, by the PBKDF2 verifier in its hash. None: no such verifier was
    readable."""
    found = plists.documents(ran.out) if ran.rc == 0 else []
    try:
        (content,) = found
        (shown,) = content["dsAttrTypeNative:ShadowHashData"]
        verifier = plists.load(bytes.fromhex(str(shown)))["SALTED-SHA512-PBKDF2"]
        entropy, salt, iterations = (verifier[key] for key in ("entropy", "salt", "iterations"))
    except (ValueError, KeyError, TypeError):
        return None
    readable = isinstance(entropy, bytes) and isinstance(salt, bytes) and _kind.whole(iterations) is not None
    if not readable or not 0 < len(entropy) <= ENTROPY or not 0 < iterations <= ITERATIONS:
        return None
    derived = hashlib.pbkdf2_hmac("sha512", password.reveal(), salt, iterations, len(entropy))
    return hmac.compare_digest(derived, entropy)


def _path(user: str) -> str:
    return f"/Users/{user}"
