# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The local directory's records, as ``dscl -plist`` prints them: users, groups and the rules for passwords.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.keyholder.macos.plugins.module_utils._command import plists
from ansible_collections.keyholder.macos.plugins.module_utils._command.dscl import DISABLED_TAG, MARKER, PENDING

if t.TYPE_CHECKING:
    Record = t.Mapping[str, t.Sequence[str]]

_PREFIX = re.compile(r"^dsAttrType(?:Standard|Native):")
ACCESS_DISABLED = "com.apple.access_disabled"
"""The group of accounts that `pwpolicy -disableuser` disables on macOS 27, where their AuthenticationAuthority stays as
it is (transcript dscl-read-disabled-27)."""

_HASH, _MOBILE, _DISABLED = ";ShadowHash;", ";LocalCachedUser;", ";DisabledUser;"
_MAX_FAILED = re.compile(r"policyAttributeFailedAuthentications\s*<=?\s*(\w+)")
_JUDGED = re.compile(
    r"\(*\s*policyAttributeFailedAuthentications\s*<=?\s*\w+\s*\)*"
    r"(\s*OR\s*\(*\s*policyAttributeCurrentTime\s*>\s*\(?\s*policyAttributeLastFailedAuthenticationTime\s*\+\s*\w+\s*\)*)?",
    re.IGNORECASE,
)
"""What is understood of the rules that a login must meet: a limit of failed ones, and a lock that opens again."""
_AUTHENTICATION = "policyCategoryAuthentication"
# In a predicate, a quoted text ends at an unescaped quote. One that is denied says what must not be, and is left out.
_PATTERN = re.compile(r"(NOT\s*|!\s*)?\(?\s*policyAttributePassword\s+matches\s+'((?:[^'\\]|\\.)*)'", re.IGNORECASE)
_EXPIRY = "policyAttributeLastFailedAuthenticationTime"


@dataclass(frozen=True)
class User:
    """A record of ``/Users``. "" and None: not set, or not readable."""

    name: str
    guid: str
    full_name: str = ""
    uid: int | None = None
    gid: int | None = None
    home: str = ""
    shell: str = ""
    hint: str = ""
    picture: str = ""
    hidden: bool = False
    network: bool = False
    """A directory's record that is only held here."""
    authority: tuple[str, ...] = ()
    """``AuthenticationAuthority``, value by value."""
    policy: t.Mapping[str, t.Any] = field(default_factory=dict)
    """``accountPolicyData``, which only root may read: the failed logins, the last change of the password."""
    pending: tuple[str, ...] = ()
    """Our own notes on unfinished work; root's record carries them."""
    names: tuple[str, ...] = ()
    """All short names of the record."""
    taken: frozenset[str] = frozenset()
    """Names, full names and the number (``uid:501``) that no other record can use any more."""

    @property
    def marked(self) -> bool:
        """Whether the directory says that the account holds a Secure Token."""
        return MARKER in self.authority

    @property
    def tagged(self) -> bool:
        return DISABLED_TAG in self.authority

    @property
    def mobile(self) -> bool:
        return any(_MOBILE in value for value in self.authority)

    @property
    def has_password(self) -> bool:
        """Whether a password of its own, or one kept from its directory, can be checked against anything."""
        return self.mobile or any(_HASH in value for value in self.authority)

    @property
    def disabled(self) -> bool:
        """Whether no login is accepted at all (transcript dscl-authonly-disabled)."""
        return any(value.startswith(_DISABLED) for value in self.authority)


@dataclass(frozen=True)
class Group:
    """A record of ``/Groups``; ``nested``: GUIDs of the groups in it."""

    name: str
    guid: str
    gid: str = ""
    members: tuple[str, ...] = ()
    member_guids: tuple[str, ...] = ()
    nested: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rules:
    """The Mac's own rules for passwords: their identifiers, and how many wrong guesses lock an account.

    ``patterns``: regular expressions that a whole password must match. ``lock_expires``: whether a locked account opens
    again by itself (man pwpolicy: ACCOUNT POLICIES). ``unjudged``: identifiers of rules that a login must meet and that
    are not understood. Of several limits the strictest one counts.
    """

    identifiers: tuple[str, ...] = ()
    max_failed: int | None = None
    lock_expires: bool = False
    patterns: tuple[str, ...] = ()
    unjudged: tuple[str, ...] = ()


@dataclass(frozen=True)
class Directory:
    """What was read; None: it was not."""

    users: tuple[User, ...] | None = None
    groups: tuple[Group, ...] | None = None
    rules: Rules | None = None


def parse(text: str) -> Directory:
    """Sort what dscl printed: lists of records with and without UniqueID, and the one record of the rules."""
    users: tuple[User, ...] | None = None
    groups: tuple[Group, ...] | None = None
    rules: Rules | None = None
    for content in plists.documents(text):
        if isinstance(content, dict):
            rules = _rules(attributes(content))
        elif isinstance(content, list):
            records = [attributes(record) for record in content if isinstance(record, dict)]
            named = [record for record in records if first(record, "RecordName")]
            if any("UniqueID" in record for record in records):
                users = tuple(_user(record) for record in named)
            else:
                groups = tuple(_group(record) for record in named)
    return Directory(users, groups, rules)


def attributes(content: t.Mapping[str, t.Any]) -> Record:
    """A record's attributes without their ``dsAttrType...:`` prefix."""
    return {_PREFIX.sub("", key): [str(value) for value in values] for key, values in content.items()}


def first(record: Record, key: str) -> str:
    values = record.get(key) or ()
    return values[0] if values else ""


def _user(record: Record) -> User:
    names = tuple(record.get("RecordName") or ())
    numbers = (f"uid:{first(record, 'UniqueID')}",)
    return User(
        name=first(record, "RecordName"),
        guid=first(record, "GeneratedUID").upper(),
        full_name=first(record, "RealName"),
        uid=_number(first(record, "UniqueID")),
        gid=_number(first(record, "PrimaryGroupID")),
        home=first(record, "NFSHomeDirectory"),
        shell=first(record, "UserShell"),
        hint=first(record, "AuthenticationHint"),
        picture=first(record, "Picture"),
        hidden=first(record, "IsHidden").lower() in ("1", "true", "yes"),
        network=bool(record.get("OriginalNodeName")),
        authority=tuple(record.get("AuthenticationAuthority") or ()),
        policy=_policy_data(record),
        pending=tuple(record.get(PENDING) or ()),
        names=names,
        taken=frozenset(names + tuple(record.get("RealName") or ()) + numbers),
    )


def _group(record: Record) -> Group:
    return Group(
        name=first(record, "RecordName"),
        guid=first(record, "GeneratedUID").upper(),
        gid=first(record, "PrimaryGroupID"),
        members=tuple(record.get("GroupMembership") or ()),
        member_guids=tuple(guid.upper() for guid in record.get("GroupMembers") or ()),
        nested=tuple(guid.upper() for guid in record.get("NestedGroups") or ()),
    )


def _rules(record: Record) -> Rules:
    identifiers: list[str] = []
    patterns: list[str] = []
    unjudged: list[str] = []
    limits: list[tuple[int, bool]] = []
    for category, rules in _policy_data(record).items():
        for rule in rules if isinstance(rules, list) else ():
            identifier = str(rule.get("policyIdentifier", "a rule without a name"))
            identifiers.append(identifier)
            content = str(rule.get("policyContent", ""))
            patterns += [pattern for denied, pattern in _PATTERN.findall(content) if not denied]
            limit = _limit(rule, content)
            limits += [limit] if limit is not None else []
            understood = limit is not None and _JUDGED.fullmatch(content.strip()) is not None
            unjudged += [identifier] if category == _AUTHENTICATION and not understood else []
    # A lock that does not open again outlasts one that does.
    expires = bool(limits) and all(opens for dummy, opens in limits)
    smallest = min((limit for limit, dummy in limits), default=None)
    return Rules(tuple(identifiers), smallest, expires, tuple(patterns), tuple(unjudged))


def _limit(rule: t.Mapping[str, t.Any], content: str) -> tuple[int, bool] | None:
    """Return how many failed logins lock an account and whether it opens again by itself. None: no such rule, or one
    whose number cannot be read."""
    bound = _MAX_FAILED.search(content)
    if bound is None:
        return None
    limit = _number(str((rule.get("policyParameters") or {}).get(bound.group(1), bound.group(1))))
    return None if limit is None else (limit, _EXPIRY in content)


def _policy_data(record: Record) -> dict[str, t.Any]:
    """``accountPolicyData``: a property list in a property list, of an account or of the whole Mac."""
    content = plists.load(first(record, "accountPolicyData").encode("utf-8"))
    return content if isinstance(content, dict) else {}


def _number(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None
