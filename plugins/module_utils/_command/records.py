# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make records of what ``dscl -plist`` prints of the local directory: users, groups and the rules for passwords.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field
from functools import lru_cache

from ansible_collections.keyholder.macos.plugins.module_utils import _kind
from ansible_collections.keyholder.macos.plugins.module_utils._command import plists
from ansible_collections.keyholder.macos.plugins.module_utils._command.dscl import (
    DISABLED_TAG,
    NOTES,
    PARKED,
    TOKEN_MARKER,
)

if t.TYPE_CHECKING:
    Record = t.Mapping[str, t.Sequence[str]]

_PREFIX = re.compile(r"^dsAttrType(?:Standard|Native):")
ACCESS_DISABLED = "com.apple.access_disabled"
"""The group of accounts that `pwpolicy -disableuser` disables on macOS 27, where their AuthenticationAuthority stays as
it is (transcript dscl-read-disabled-27)."""
BY_GROUP, BY_RECORD = f"it is in the group {ACCESS_DISABLED}", "its AuthenticationAuthority says ;DisabledUser;"
"""By what an account is disabled, in words."""

_PLATFORM_SSO = "PlatformSSO:"
"""How the identity of an account that is registered with Platform SSO begins (scripts of many administrators look for
it in AltSecurityIdentities)."""
_HASH, _MOBILE, _DISABLED = ";ShadowHash;", ";LocalCachedUser;", ";DisabledUser;"
_MAX_FAILED = re.compile(r"policyAttributeFailedAuthentications\s*<=?\s*(\w+)")
_JUDGED = re.compile(
    r"\(*\s*policyAttributeFailedAuthentications\s*<=?\s*\w+\s*\)*"
    r"(\s*OR\s*\(*\s*policyAttributeCurrentTime\s*>\s*\(?\s*policyAttributeLastFailedAuthenticationTime\s*\+\s*\w+\s*\)*)?",
    re.IGNORECASE,
)
"""What is understood of the rules that a login must meet: a limit of failed ones, and a lock that opens again."""
_CATEGORY = "policyCategory"
_AUTHENTICATION = f"{_CATEGORY}Authentication"
_LONGEST_RULE = 4096
"""Characters of a rule that are looked at whole; longer ones are not judged."""
# In a predicate, a quoted text ends at an unescaped quote. One that is denied says what must not be, and is left out.
_PATTERN = re.compile(r"policyAttributePassword\s+matches\s+'((?:[^'\\]|\\.)*)'", re.IGNORECASE)
_BEFORE = 4096
"""Characters in front of a pattern among which a denial is looked for."""
_EXPIRY = "policyAttributeLastFailedAuthenticationTime"


@dataclass(frozen=True)
class User:
    """Hold a record of ``/Users``. "" and None: not set, or not readable."""

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
    """``accountPolicyData``, which only root may read."""
    password_changed: float | None = None
    """When the password was last set, in seconds since 1970."""
    failed_logins: int | None = None
    unread: tuple[str, ...] = ()
    """What of the record is not of the kind that it must be, in words, and so counts as not read."""
    pending: tuple[str, ...] = ()
    """Our own notes on unfinished work; root's record carries them."""
    names: tuple[str, ...] = ()
    """All short names of the record."""
    taken: frozenset[str] = frozenset()
    """Names, full names and the number (``uid:501``) that no other record can use any more."""
    own_rules: Rules | None = None
    """Rules for this account alone (man pwpolicy: -setaccountpolicies), which stand beside those of the Mac. That they
    are in its ``accountPolicyData`` is assumed. None: it has none."""
    parked: str = ""
    """Our own word on what the account was before it was parked; "" if it is not."""
    platform_sso: bool = False
    """Whether the account is registered with Platform SSO."""

    @property
    def marked(self) -> bool:
        """Check whether the directory says that the account holds a Secure Token."""
        return TOKEN_MARKER in self.authority

    @property
    def tagged(self) -> bool:
        """Check whether the account is kept from becoming the first holder, see PREVENTION_TAG."""
        return DISABLED_TAG in self.authority

    @property
    def mobile(self) -> bool:
        """Check whether the account is the local copy of a directory's."""
        return any(_MOBILE in value for value in self.authority)

    @property
    def has_password(self) -> bool:
        """Check whether there is a password, its own or one kept from its directory, to check another against."""
        return self.mobile or any(_HASH in value for value in self.authority)

    @property
    def disabled(self) -> bool:
        """Check whether no login is accepted at all (transcript dscl-authonly-disabled)."""
        return any(value.startswith(_DISABLED) for value in self.authority)


@dataclass(frozen=True)
class GroupRecord:
    """Hold a record of ``/Groups``; ``nested``: GUIDs of the groups in it."""

    name: str
    guid: str
    gid: str = ""
    members: tuple[str, ...] = ()
    member_guids: tuple[str, ...] = ()
    nested: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    """What of the record is not of the kind that it must be, in words: who is in the group is not known."""


@dataclass(frozen=True)
class Rules:
    """Hold the Mac's own rules for passwords: their identifiers, and how many wrong guesses lock an account.

    ``patterns``: regular expressions that a whole password must match. ``lock_expires``: whether a locked account opens
    again by itself (man pwpolicy: ACCOUNT POLICIES). ``unjudged``: identifiers of rules that a login must meet and that
    are not understood. Of several limits the strictest one counts.
    """

    identifiers: tuple[str, ...] = ()
    max_failed: int | None = None
    lock_expires: bool = False
    patterns: tuple[str, ...] = ()
    unjudged: tuple[str, ...] = ()


UNREAD_RULES = Rules(unjudged=("(unread)",))
"""One of them may lock an account."""


@dataclass(frozen=True)
class Directory:
    """Hold what was read; None: it was not. ``unread``: what was not of the kind that it must be, in words."""

    users: tuple[User, ...] | None = None
    groups: tuple[GroupRecord, ...] | None = None
    rules: Rules | None = None
    unread: tuple[str, ...] = ()


def parse_directory(text: str) -> Directory:
    """Sort what dscl printed: lists of records with and without UniqueID, and the one record of the rules."""
    users: tuple[User, ...] | None = None
    groups: tuple[GroupRecord, ...] | None = None
    rules: Rules | None = None
    unread: list[str] = []
    for content in plists.documents(text):
        single, several = _kind.table(content), _kind.items(content)
        if single is not None:
            rules = _rules(_each_rule(_policy_data(attributes(single))), unread)
        elif several is not None:
            records = [(attributes(record), odd(record)) for record in map(_kind.table, several) if record is not None]
            named = [(record, strange) for record, strange in records if first(record, "RecordName")]
            lost = len(several) - len(named)
            unread += [f"{lost} records without a name"] if lost else []
            if any("UniqueID" in record for record, _strange in records):
                users = tuple(_user_from(record, strange) for record, strange in named)
                unread += [words for user in users for words in user.unread]
            else:
                groups = tuple(_group_from(record, strange) for record, strange in named)
                unread += [f"{words} of group {first(record, 'RecordName')}" for record, odd in named for words in odd]
    return Directory(users, groups, rules, tuple(unread))


def attributes(content: t.Mapping[t.Any, t.Any]) -> Record:
    """Return a record's attributes without their ``dsAttrType...:`` prefix: lists of texts, and nothing else."""
    return {
        _short(str(key)): [text for text in map(_kind.text, values) if text is not None]
        for key, values in content.items()
        if _kind.items(values) is not None
    }


def odd(content: t.Mapping[t.Any, t.Any]) -> tuple[str, ...]:
    """Return in words which attributes hold something else than a list of texts."""
    found = []
    for key, values in content.items():
        several = _kind.items(values)
        wrong = [values] if several is None else [one for one in several if _kind.text(one) is None]
        found += [f"{_short(str(key))} is {_kind.words(wrong[0])}"] if wrong else []
    return tuple(found)


@lru_cache(maxsize=512)
def _short(key: str) -> str:
    """Return the key without its prefix. All records of a Mac have the same few dozen."""
    return _PREFIX.sub("", key)


def first(record: Record, key: str) -> str:
    """Return the first value of an attribute, "" if there is none."""
    values = record.get(key) or ()
    return values[0] if values else ""


def _user_from(record: Record, strange: tuple[str, ...]) -> User:
    names = tuple(record.get("RecordName") or ())
    numbers = (f"uid:{first(record, 'UniqueID')}",)
    policy = _policy_data(record)
    unread = [*strange]
    for key, kind in (("UniqueID", "a number"), ("PrimaryGroupID", "a number")):
        unread += [f"{key} is not {kind}"] if first(record, key) and identifier(first(record, key)) is None else []
    if policy is None:
        unread.append("accountPolicyData is no property list")
    changed = (policy or {}).get("passwordLastSetTime")
    # macOS writes the number down with the first failed login.
    failed = (policy or {}).get("failedLoginCount", 0 if policy else None)
    unread += _unlike("passwordLastSetTime", changed, _kind.moment(changed))
    unread += _unlike("failedLoginCount", failed, _kind.count(failed))
    name = first(record, "RecordName")
    return User(
        name=name,
        guid=first(record, "GeneratedUID").upper(),
        full_name=first(record, "RealName"),
        uid=identifier(first(record, "UniqueID")),
        gid=identifier(first(record, "PrimaryGroupID")),
        home=first(record, "NFSHomeDirectory"),
        shell=first(record, "UserShell"),
        hint=first(record, "AuthenticationHint"),
        picture=first(record, "Picture"),
        hidden=first(record, "IsHidden").lower() in ("1", "true", "yes"),
        network=bool(record.get("OriginalNodeName")),
        authority=tuple(record.get("AuthenticationAuthority") or ()),
        policy=policy or {},
        password_changed=_kind.moment(changed),
        failed_logins=_kind.count(failed),
        unread=tuple(f"{words} of {name}" for words in unread),
        pending=tuple(record.get(NOTES) or ()),
        names=names,
        taken=frozenset(names + tuple(record.get("RealName") or ()) + numbers),
        own_rules=_own_rules(policy),
        parked=first(record, PARKED),
        platform_sso=any(_PLATFORM_SSO in value for value in record.get("AltSecurityIdentities") or ()),
    )


def _unlike(key: str, said: t.Any, taken: t.Any) -> list[str]:
    return [f"{key} is {_kind.words(said)} that it cannot be"] if said is not None and taken is None else []


def _group_from(record: Record, strange: tuple[str, ...]) -> GroupRecord:
    return GroupRecord(
        name=first(record, "RecordName"),
        guid=first(record, "GeneratedUID").upper(),
        gid=first(record, "PrimaryGroupID"),
        members=tuple(record.get("GroupMembership") or ()),
        member_guids=tuple(guid.upper() for guid in record.get("GroupMembers") or ()),
        nested=tuple(guid.upper() for guid in record.get("NestedGroups") or ()),
        unread=strange,
    )


def _own_rules(policy: dict[t.Any, t.Any] | None) -> Rules | None:
    """Return the rules among what macOS keeps of one account; what is no property list may be any rule."""
    if policy is None:
        return UNREAD_RULES
    categories = {key: value for key, value in policy.items() if str(key).startswith(_CATEGORY)}
    return _rules(_each_rule(categories), []) if categories else None


def _rules(each: t.Iterable[tuple[str, t.Any]], unread: list[str]) -> Rules:
    identifiers: list[str] = []
    patterns: list[str] = []
    unjudged: list[str] = []
    limits: list[tuple[int, bool]] = []
    for category, rule in each:
        known_rule = _kind.table(rule)
        identifier = _kind.text((known_rule or {}).get("policyIdentifier")) or "a rule without a name"
        content = None if known_rule is None else _kind.text(known_rule.get("policyContent", ""))
        identifiers.append(identifier)
        if content is None:
            unread.append(f"the password rule {identifier} ({category}) is not of the kind that a rule is")
        patterns += _patterns(content or "")
        limit = _limit(known_rule, content) if known_rule is not None and content is not None else None
        limits += [limit] if limit is not None else []
        known = content is not None and len(content) <= _LONGEST_RULE and _JUDGED.fullmatch(content.strip())
        unjudged += [identifier] if category == _AUTHENTICATION and not (limit is not None and known) else []
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
    said = (_kind.table(rule.get("policyParameters")) or {}).get(bound.group(1), bound.group(1))
    limit = _kind.number(_kind.text(said) or "")
    return None if limit is None else (limit, _EXPIRY in content)


def _each_rule(policy: dict[t.Any, t.Any] | None) -> t.Iterator[tuple[str, t.Any]]:
    """Yield each rule with its category. What is no rule where one belongs, or no list of rules, is yielded as well: it
    cannot be judged, so it may be any rule."""
    if policy is None:
        yield _AUTHENTICATION, None
    for category, rules in (policy or {}).items():
        several = _kind.items(rules)
        if several is not None or str(category).startswith(_CATEGORY):
            yield from ((str(category), rule) for rule in ([rules] if several is None else several))


def _patterns(content: str) -> list[str]:
    """Return the patterns that a password must match. Of what stands before one, only the last words are looked at: a
    pattern that begins with blanks would try each of them."""
    found = []
    for match in _PATTERN.finditer(content):
        before = content[max(0, match.start() - _BEFORE) : match.start()].rstrip()
        before = before[:-1].rstrip() if before.endswith("(") else before
        if not before.endswith("!") and not before.upper().endswith("NOT"):
            found.append(match.group(1))
    return found


def _policy_data(record: Record) -> dict[t.Any, t.Any] | None:
    """Return ``accountPolicyData``: a property list in a property list, of an account or of the whole Mac. None: it is
    there, and is none."""
    text = first(record, "accountPolicyData")
    if not text.strip():
        return {}
    return _kind.table(plists.load(text.encode("utf-8", "replace")))


def identifier(text: str) -> int | None:
    """Return the number of an account or a group: 32 bits, and -2 is nobody's."""
    found = _kind.number(text)
    return found if found is not None and -(1 << 31) <= found < 1 << 32 else None
