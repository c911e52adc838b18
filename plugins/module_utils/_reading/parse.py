# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a reading of the answers of a few commands. Pure.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.keyholder.macos.plugins.module_utils._account import (
    MOBILE,
    Account,
    Sources,
    in_order,
)
from ansible_collections.keyholder.macos.plugins.module_utils._command import (
    diskutil,
    dscl,
    fdesetup,
    preboot,
    profiles,
    records,
    system,
)
from ansible_collections.keyholder.macos.plugins.module_utils._mac import (
    FileVault,
    Mac,
    Management,
    Missing,
    PasswordPolicy,
    Volume,
)
from ansible_collections.keyholder.macos.plugins.module_utils._macos import (
    BOOTSTRAP_TOKEN,
    VOLUME_OWNERS,
    Version,
)
from ansible_collections.keyholder.macos.plugins.module_utils._text import folded
from ansible_collections.keyholder.macos.plugins.module_utils._unfinished import creation

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._code import Code
    from ansible_collections.keyholder.macos.plugins.module_utils._runner import Ran


SHOWN = 20
"""Values of the directory that are named one by one where they could not be read."""

_ADMIN = "admin"


class ReadingError(Exception):
    """Say that too little could be read to decide anything; the text is the evidence, ``reason`` the refusal's code."""

    def __init__(self, evidence: str, reason: Code = "not_a_mac") -> None:
        super().__init__(evidence)
        self.reason: Code = reason


def unusable(what: str, answer: Ran) -> ReadingError:
    """Return the error for an answer without which there is no reading: a program that hangs is no sign of another
    system."""
    reason: Code = "output_too_long" if answer.too_long else "no_answer" if answer.timed_out else "not_a_mac"
    return ReadingError(f"{what}: {answer.evidence}", reason)


@dataclass(frozen=True)
class Answers:
    """Hold what a reading's commands said; ``bootstrap`` None: the version or the enrolment rules it out. ``parsed``:
    what ``directory`` holds."""

    system: system.System
    directory: Ran
    crypto: Ran
    filevault_list: Ran
    filevault_status: Ran
    enrollment: Ran
    bootstrap: Ran | None
    parsed: records.Directory
    preboot: Ran


def mac_from(answers: Answers) -> Mac:
    """Return the reading that the answers make. Raises :class:`ReadingError`."""
    directory = answers.parsed
    if directory.users is None:
        raise unusable("the local directory could not be read", answers.directory)
    missing: list[Missing] = []
    crypto = diskutil.parse_users(answers.crypto)
    if crypto is None:
        missing.append(Missing("crypto users of the boot volume", answers.crypto.evidence))
    crypto_users = {user.uuid: user for user in crypto.users} if crypto else {}
    listed = _list_of_users(answers, {user.guid for user in directory.users} & set(crypto_users))
    if listed is None and (crypto is None or crypto.apfs):
        missing.append(Missing("FileVault's list of users", answers.filevault_list.evidence))
    pending = frozenset(note for user in directory.users for note in user.pending)
    guids = [user.guid for user in directory.users]
    evidence = _Evidence(
        own=frozenset(guid for guid in guids if guid and guids.count(guid) == 1),
        crypto=None if crypto is None else {uuid: user.owner for uuid, user in crypto_users.items()},
        filevault=_listed_guids(listed, crypto),
        admins=_in_group(directory, _ADMIN),
        disabled=_refused_by_group(directory),
        owners=version_of(answers.system) >= VOLUME_OWNERS.first,
        preboot=_preboot_of(answers, set(crypto_users)),
        unfinished=frozenset(user.name for user in directory.users if creation(user.name) in pending),
    )
    accounts = [account for account in (_account_from(user, evidence) for user in directory.users) if account]
    unclear = [account for account in accounts if account.guid not in evidence.own]
    missing += [Missing(f"which key {who.name} has", "its record has no GeneratedUID of its own") for who in unclear]
    known = {account.guid for account in accounts}
    people = [user.uuid for user in crypto_users.values() if user.type == diskutil.LOCAL_USER]
    groups_read = _groups_are_whole(directory)
    if not groups_read:
        missing.append(Missing("groups of the local directory", answers.directory.evidence))
    policy_data = any(user.policy for user in directory.users)
    if not policy_data and listed is None:
        missing.append(Missing("failed logins and password dates", "only root can read accountPolicyData"))
    missing += [Missing("what the local directory holds", words) for words in directory.unread[:SHOWN]]
    if len(directory.unread) > SHOWN:
        missing.append(Missing("what the local directory holds", f"and {len(directory.unread) - SHOWN} more values"))
    rules = directory.rules
    root = policy_data or listed is not None
    if rules is None and root and not dscl.knows_no_record(answers.directory):
        rules = records.UNREAD_RULES
        missing.append(Missing("rules for passwords", answers.directory.evidence))
    rules = rules or records.Rules()
    # A volume that is not APFS has keys as well, and no crypto users that would tell of them.
    keys = set(crypto_users) if crypto is not None and crypto.apfs else None
    return Mac(
        version=version_of(answers.system),
        as_root=root,
        build=answers.system.build,
        model=answers.system.model,
        apple_silicon=answers.system.apple_silicon,
        virtual=answers.system.virtual,
        volume=Volume() if crypto is None else Volume(crypto.device, crypto.apfs, crypto.snapshot),
        accounts=in_order(accounts),
        orphans=tuple(uuid for uuid in people if uuid not in known and uuid != diskutil.GUEST),
        filevault=_filevault_from(answers, keys, missing),
        management=_management_from(answers, keys, missing),
        policy=PasswordPolicy(rules.identifiers, rules.max_failed, rules.lock_expires, rules.patterns, rules.unjudged),
        missing=tuple(missing),
        groups_read=groups_read,
        foreign_admins=_nests_foreign(directory, _ADMIN),
        pending=pending,
        names=frozenset(folded(name) for user in directory.users for name in user.names),
        taken=frozenset(folded(name) for user in directory.users for name in user.taken),
    )


@dataclass(frozen=True)
class _Evidence:
    """Hold what the other answers say. By GUID: those that are one account's alone, crypto users and whether they own
    the volume, and FileVault's list. By name: the administrators, the accounts that a group has macOS refuse, and those
    that a run has begun to make."""

    own: frozenset[str]
    crypto: t.Mapping[str, bool | None] | None
    filevault: set[str] | None
    admins: frozenset[str]
    disabled: frozenset[str]
    owners: bool
    unfinished: frozenset[str]
    preboot: frozenset[str] | None
    """GUIDs of those whom the preboot volume knows."""


def version_of(facts: system.System) -> Version:
    """Return the Mac's version. Raises :class:`ReadingError` for what is none."""
    try:
        return Version.parse(facts.version)
    except ValueError as exc:
        raise ReadingError(str(exc)) from exc


def _account_from(user: records.User, evidence: _Evidence) -> Account | None:
    """Return the account of a record. None: a service's account that no person logs in with and that no source
    names."""
    person = (user.uid is None or user.uid >= 500) and not user.name.startswith("_") and user.name != "nobody"
    # Without a GUID of its own it is not known which key is the account's.
    unclear = user.guid not in evidence.own and (person or user.has_password)
    sources = Sources(
        authority=user.marked,
        crypto=None if evidence.crypto is None or unclear else user.guid in evidence.crypto,
        filevault=None if evidence.filevault is None or unclear else user.guid in evidence.filevault,
    )
    known = person or user.has_password or user.name in evidence.unfinished
    if not (known or any((sources.authority, sources.crypto, sources.filevault))):
        return None
    owner = evidence.crypto.get(user.guid, False) if evidence.owners and evidence.crypto is not None else None
    by_group = records.BY_GROUP if user.name in evidence.disabled else ""
    disabled_by = records.BY_RECORD if user.disabled else by_group
    own = user.own_rules or records.Rules()
    return Account(
        name=user.name,
        guid=user.guid,
        full_name=user.full_name,
        uid=user.uid,
        gid=user.gid,
        kind=MOBILE if user.mobile else "network" if user.network else "local",
        admin=user.name in evidence.admins,
        hidden=user.hidden,
        disabled_tag=user.tagged,
        has_password=user.has_password,
        disabled=bool(disabled_by),
        home=user.home,
        shell=user.shell,
        hint=user.hint,
        picture=user.picture,
        sources=sources,
        volume_owner=owner,
        password_changed=user.password_changed,
        failed_logins=user.failed_logins,
        disabled_by=disabled_by,
        max_failed_logins=own.max_failed,
        lock_expires=own.lock_expires,
        unjudged=own.unjudged,
        in_preboot=None if evidence.preboot is None or unclear else user.guid in evidence.preboot,
        parked=user.parked,
        platform_sso=user.platform_sso,
    )


def _preboot_of(answers: Answers, crypto: set[str]) -> frozenset[str] | None:
    """Return whom the preboot volume knows. A container of several systems has a folder for each; a file that names no
    crypto user of this one is another's, or not understood. None is nothing missing: before macOS 11 there is no such
    file."""
    files = preboot.parse_users(answers.preboot) or {}
    return frozenset().union(*(guids for guids in files.values() if guids & crypto)) or None


def _list_of_users(answers: Answers, people: set[str]) -> dict[str, str] | None:
    """Return FileVault's list. An empty one is no answer if people are crypto users (seen once, unexplained: transcript
    fde-list-in-launchdaemon-empty)."""
    listed = fdesetup.parse_list(answers.filevault_list)
    return None if people and not listed else listed


def _listed_guids(listed: dict[str, str] | None, crypto: diskutil.CryptoUsers | None) -> set[str] | None:
    if listed is None and crypto is not None and not crypto.apfs:
        return set()
    return None if listed is None else set(listed)


def _groups_in(directory: records.Directory, name: str) -> list[records.GroupRecord]:
    """Return the group of that name and the groups of this Mac nested in it."""
    by_guid = {group.guid: group for group in directory.groups or ()}
    waiting = [group for group in directory.groups or () if group.name == name]
    seen: list[records.GroupRecord] = []
    while waiting:
        group = waiting.pop()
        if group not in seen:
            seen.append(group)
            waiting += [by_guid[guid] for guid in group.nested if guid in by_guid]
    return seen


def _groups_are_whole(directory: records.Directory) -> bool:
    """Return whether the groups say who is an administrator and who is refused. Every Mac has a group admin with a
    member (root, from the day that macOS is installed). Without it, or with one that cannot be read, it is not known
    which account is the last administrator."""
    admin = [group for group in directory.groups or () if group.name == _ADMIN]
    asked = [group for name in (_ADMIN, records.ACCESS_DISABLED) for group in _groups_in(directory, name)]
    has_members = any(group.members or group.member_guids or group.nested for group in admin)
    return has_members and not any(group.unread for group in asked)


def _nests_foreign(directory: records.Directory, name: str) -> bool:
    """Check whether a group that is none of this Mac's is nested in the group of that name."""
    own = {group.guid for group in directory.groups or ()}
    return any(guid not in own for group in _groups_in(directory, name) for guid in group.nested)


def _in_group(directory: records.Directory, name: str) -> frozenset[str]:
    """Return who is in a group: by name, by GUID, by primary group, and through groups of this Mac nested in it."""
    seen = _groups_in(directory, name)
    names = {member for group in seen for member in group.members}
    guids = {guid for group in seen for guid in group.member_guids}
    gids = {group.gid for group in seen}
    return frozenset(
        names | {user.name for user in directory.users or () if user.guid in guids or str(user.gid) in gids}
    )


def _refused_by_group(directory: records.Directory) -> frozenset[str]:
    """Return whom a group has macOS refuse: by any of its names, and in any letters, as one that is missed would pass
    for usable. Of a directory's group nested in it nobody knows who is in it: any mobile account may be."""
    named = {folded(name) for name in _in_group(directory, records.ACCESS_DISABLED)}
    foreign = _nests_foreign(directory, records.ACCESS_DISABLED)
    users = directory.users or ()
    return frozenset(
        user.name for user in users if (foreign and user.mobile) or any(folded(name) in named for name in user.names)
    )


def _filevault_from(answers: Answers, crypto: set[str] | None, missing: list[Missing]) -> FileVault:
    status = fdesetup.parse_status(answers.filevault_status)
    if status is None:
        missing.append(Missing("FileVault's status", answers.filevault_status.evidence))
        status = fdesetup.Status("unknown")
    return FileVault(
        state=status.state,
        percent=status.percent,
        deferred_user=status.deferred_user,
        personal_key=None if crypto is None else diskutil.PERSONAL_RECOVERY in crypto,
        institutional_key=None if crypto is None else any(uuid in crypto for uuid in diskutil.INSTITUTIONAL),
        icloud_key=None if crypto is None else diskutil.ICLOUD_RECOVERY in crypto,
    )


def _management_from(answers: Answers, crypto: set[str] | None, missing: list[Missing]) -> Management:
    enrollment = profiles.parse_enrollment(answers.enrollment)
    if enrollment is None:
        missing.append(Missing("enrolment in MDM", answers.enrollment.evidence))
    bootstrap = "unsupported" if version_of(answers.system) < BOOTSTRAP_TOKEN.first else "not_enrolled"
    supported: bool | None = None
    if answers.bootstrap is not None:
        status = profiles.parse_bootstrap(answers.bootstrap)
        supported = status.supported
        if status.supported is False:
            bootstrap = "unsupported"
        elif status.escrowed is None:
            bootstrap = "unknown"
            missing.append(Missing("Bootstrap Token", answers.bootstrap.evidence))
        else:
            bootstrap = "escrowed_unproven" if status.escrowed else "not_escrowed"
    return Management(
        enrolled=enrollment.enrolled if enrollment else None,
        automated=enrollment.automated if enrollment else None,
        user_approved=enrollment.user_approved if enrollment else None,
        server=enrollment.server if enrollment else "",
        bootstrap=bootstrap,
        supported=supported,
        bootstrap_crypto_user=None if crypto is None else diskutil.BOOTSTRAP_CRYPTO_USER in crypto,
    )
