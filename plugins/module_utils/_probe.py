# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The few commands that read a whole Mac, and how their answers become a reading.

Seven processes at most, however many accounts there are. Nothing is authenticated and nothing is written.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import os
import traceback
import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from ansible_collections.keyholder.macos.plugins.module_utils._account import (
    MOBILE,
    PENDING,
    Account,
    Sources,
    in_order,
)
from ansible_collections.keyholder.macos.plugins.module_utils._command import (
    accounts,
    diskutil,
    dscl,
    fdesetup,
    mdmclient,
    network,
    profiles,
    records,
    system,
)
from ansible_collections.keyholder.macos.plugins.module_utils._mac import (
    FileVault,
    Mac,
    Management,
    Missing,
    Network,
    PasswordPolicy,
    Person,
    Volume,
)
from ansible_collections.keyholder.macos.plugins.module_utils._macos import (
    BOOTSTRAP_TOKEN,
    ERASE_PREFLIGHT,
    TOKEN_DIALOG,
    VOLUME_OWNERS,
    Version,
)
from ansible_collections.keyholder.macos.plugins.module_utils._place import way
from ansible_collections.keyholder.macos.plugins.module_utils._recoverable import recoverability
from ansible_collections.keyholder.macos.plugins.module_utils._runner import DEADLINE
from ansible_collections.keyholder.macos.plugins.module_utils._text import folded
from ansible_collections.keyholder.macos.plugins.module_utils._unfinished import creation

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._code import Code
    from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command, Ran, Runner


EXTRAS = ("escrow", "preflight")
"""What a reading holds only if it is asked for; see :func:`read_mac`."""


SHOWN = 20
"""Values of the directory that are named one by one where they could not be read."""

_ADMIN = "admin"
_WAY, _WAY_HOME = "way:", "way_home:"
_PERSON, _HOME, _WAITING = "person:", "home:", "waiting:"


class ProbeError(Exception):
    """Too little could be read to decide anything; the text is the evidence, ``reason`` the code of the refusal."""

    def __init__(self, evidence: str, reason: Code = "not_a_mac") -> None:
        super().__init__(evidence)
        self.reason: Code = reason


@dataclass(frozen=True)
class Answers:
    """What the probe's commands said; ``bootstrap`` None: not asked, as the version or the enrolment rules it out."""

    system: system.System
    directory: Ran
    crypto: Ran
    filevault_list: Ran
    filevault_status: Ran
    enrollment: Ran
    bootstrap: Ran | None


def read_mac(runner: Runner, deadline: float, extras: t.Collection[str] = ()) -> Mac:
    """One reading. ``deadline``: seconds for each command. Raises :class:`ProbeError`.

    ``extras``: what only some ask for. preflight: mdmclient's word on the Bootstrap Token, which takes ten seconds on a
    real Mac. deferral: where a deferral of FileVault will write. escrow: when a recovery key was last escrowed;
    escrow_profile: whether a profile has macOS do that; escrow_if_off: both, where FileVault is off. authrestart:
    whether macOS can restart past the unlock screen. sessions: who is logged in. person:NAME: what the Mac's
    directories say of that name. token_dialog: whether a profile suppresses the dialog at a mobile account's login. A
    path: whether something is there, as a deferral or an earlier archive leaves a file. home:NAME: whether that
    account's home folder is there. way:PATH and way_home:NAME: what is on the way to a path, or to that home folder.
    full_disk_access: whether the session has that. waiting:NAME: preflight, where that
    account is to get its token from the Bootstrap Token. preflight is asked for as well where the verdict rests on it.
    """
    whole = _Whole(runner)
    try:
        return _read_mac(whole, deadline, extras)
    except ProbeError:
        raise
    except Exception as problem:
        if any(problem is one for one in whole.failed):
            raise
        where = traceback.extract_tb(problem.__traceback__)[-1]
        said = f"the Mac's answer could not be understood ({os.path.basename(where.filename)}, line {where.lineno})"
        raise ProbeError(said, "reading_damaged") from problem


def _read_mac(runner: Runner, deadline: float, extras: t.Collection[str]) -> Mac:
    mac = parse(ask(runner, deadline))
    if ("preflight" in extras or _rests_on_bootstrap(mac, extras)) and _may_preflight(mac):
        mac = _with_preflight(mac, mdmclient.parse_preflight(runner.run(mdmclient.DEVICE_INFORMATION, deadline)))
    about_to_make = "escrow_if_off" in extras and not mac.filevault.on
    if "escrow" in extras or about_to_make:
        mac = _with_escrow(mac, runner.run(fdesetup.ESCROW, deadline))
    if "escrow_profile" in extras or about_to_make:
        # Not in an audit: what profiles carry has no business outside the Mac.
        profile = profiles.parse_escrow(runner.run(profiles.INSTALLED, deadline))
        mac = replace(mac, filevault=replace(mac.filevault, escrow_profile=profile))
    if "deferral" in extras and mac.filevault.deferred_user:
        path = fdesetup.parse_deferral_path(runner.run(fdesetup.DEFERRAL, deadline))
        mac = replace(mac, filevault=replace(mac.filevault, deferral_path=path))
    if "authrestart" in extras:
        supported = fdesetup.says_true(runner.run(fdesetup.SUPPORTS_AUTHRESTART, deadline))
        mac = replace(mac, filevault=replace(mac.filevault, authrestart=supported))
    for extra in extras:
        if extra.startswith(_PERSON):
            mac = replace(mac, network=_network(runner, deadline, extra[len(_PERSON) :]))
    if "token_dialog" in extras and mac.version >= TOKEN_DIALOG.first:
        suppressed = network.parse_token_dialog(runner.run(network.TOKEN_DIALOG, deadline))
        mac = replace(mac, management=replace(mac.management, token_dialog_suppressed=suppressed))
    if "full_disk_access" in extras:
        answer = runner.run(system.FULL_DISK_ACCESS, deadline)
        allowed = system.parse_full_disk_access(answer)
        mac = replace(mac, full_disk_access=allowed, full_disk_evidence=answer.evidence)
    if "sessions" in extras:
        mac = replace(mac, sessions=accounts.parse_who(runner.run(accounts.WHO, deadline)))
    paths = [extra for extra in extras if extra.startswith("/")] + _homes(mac, extras)
    mac = replace(mac, files=frozenset(path for path in paths if _there(runner, path, deadline)))
    asked = [extra[len(_WAY) :] for extra in extras if extra.startswith(_WAY)]
    asked += _homes(mac, [_HOME + extra[len(_WAY_HOME) :] for extra in extras if extra.startswith(_WAY_HOME)])
    usable = [one for one in asked if one.startswith("/") and one.isprintable()]
    on_the_way = list(dict.fromkeys(path for one in usable for path in way(one)))
    if not on_the_way:
        return mac
    answer = runner.run(system.places(on_the_way), deadline)
    places = system.parse_places(answer, on_the_way)
    unread = [Missing(f"what {place.path} is", answer.evidence) for place in places if place.kind == "unread"]
    return replace(mac, places=places, missing=(*mac.missing, *unread[:1]))


def _may_preflight(mac: Mac) -> bool:
    return mac.version >= ERASE_PREFLIGHT.first and bool(mac.management.enrolled)


def _rests_on_bootstrap(mac: Mac, extras: t.Collection[str]) -> bool:
    """Return whether the verdict or the request relies on a token that the Bootstrap Token grants. Then macOS is asked,
    because profiles was seen to call a token escrowed that macOS would not use."""
    if recoverability(mac).verdict == PENDING:
        return True
    names = [extra[len(_WAITING) :] for extra in extras if extra.startswith(_WAITING)]
    accounts = [(name, mac.account(name)) for name in names]
    return mac.grants_at_login and any(who is None or mac.verdict_of(who) == PENDING for dummy, who in accounts)


def _there(runner: Runner, path: str, deadline: float) -> bool:
    answer = runner.run(system.find(path), deadline)
    found = system.parse_find(answer)
    if found is None:
        raise ProbeError(f"it could not be read whether {path} exists: {answer.evidence}", "reading_incomplete")
    return found != system.NOTHING


def _homes(mac: Mac, extras: t.Collection[str]) -> list[str]:
    wanted = [mac.account(extra[len(_HOME) :]) for extra in extras if extra.startswith(_HOME)]
    return [account.home for account in wanted if account is not None and account.home.startswith("/")]


def at_once(extras: t.Collection[str] = ()) -> tuple[Command, ...]:
    """What a reading can ask for before it knows any answer; few Macs need more. For a runner that asks in one go.

    The Bootstrap Token's status is asked for where it will not be looked at, too: it is a reading like the others.
    """
    commands = (
        dscl.READ_ALL,
        diskutil.LIST_USERS,
        fdesetup.LIST,
        fdesetup.STATUS,
        profiles.ENROLLMENT,
        profiles.BOOTSTRAP_TOKEN,
        system.SYSCTL,
    )
    return commands + ((fdesetup.ESCROW,) if "escrow" in extras else ())


class _Whole:
    """A runner whose answers are whole or nothing: see :attr:`Ran.whole`."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

        self.failed: list[BaseException] = []
        """What kept the runner from asking at all; that is no fault of an answer."""

    def run(self, command: Command, deadline: float = DEADLINE) -> Ran:
        try:
            return self._runner.run(command, deadline).whole
        except BaseException as problem:
            self.failed.append(problem)
            raise


def ask(runner: Runner, deadline: float) -> Answers:
    """The independent commands run side by side: most of their time they wait for a daemon of macOS."""
    with ThreadPoolExecutor(max_workers=6) as pool:
        crypto, listed, status, enrollment = (
            pool.submit(runner.run, command, deadline)
            for command in (diskutil.LIST_USERS, fdesetup.LIST, fdesetup.STATUS, profiles.ENROLLMENT)
        )
        directory = pool.submit(_read_directory, runner, deadline)
        facts = _read_system(runner, deadline)
        enrolled = profiles.parse_enrollment(enrollment.result())
        ask_bootstrap = _version(facts) >= BOOTSTRAP_TOKEN.first and (enrolled is None or enrolled.enrolled)
        bootstrap = runner.run(profiles.BOOTSTRAP_TOKEN, deadline) if ask_bootstrap else None
        return Answers(
            system=facts,
            directory=directory.result(),
            crypto=crypto.result(),
            filevault_list=listed.result(),
            filevault_status=status.result(),
            enrollment=enrollment.result(),
            bootstrap=bootstrap,
        )


def parse(answers: Answers) -> Mac:
    directory = records.parse(answers.directory.out)
    if directory.users is None:
        reason: Code = "output_too_long" if answers.directory.too_long else "not_a_mac"
        raise ProbeError(f"the local directory could not be read: {answers.directory.evidence}", reason)
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
        filevault=_listed(listed, crypto),
        admins=_in_group(directory, _ADMIN),
        disabled=_in_group(directory, records.ACCESS_DISABLED),
        owners=_version(answers.system) >= VOLUME_OWNERS.first,
        unfinished=frozenset(user.name for user in directory.users if creation(user.name) in pending),
    )
    accounts = [account for account in (_account(user, evidence) for user in directory.users) if account]
    unclear = [account for account in accounts if account.guid not in evidence.own]
    missing += [Missing(f"which key {who.name} has", "its record has no GeneratedUID of its own") for who in unclear]
    known = {account.guid for account in accounts}
    people = [user.uuid for user in crypto_users.values() if user.type == diskutil.PERSON]
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
        version=_version(answers.system),
        as_root=root,
        build=answers.system.build,
        model=answers.system.model,
        apple_silicon=answers.system.apple_silicon,
        virtual=answers.system.virtual,
        volume=Volume() if crypto is None else Volume(crypto.device, crypto.apfs, crypto.snapshot),
        accounts=in_order(accounts),
        orphans=tuple(uuid for uuid in people if uuid not in known and uuid != diskutil.GUEST),
        filevault=_filevault(answers, keys, missing),
        management=_management(answers, keys, missing),
        policy=PasswordPolicy(rules.identifiers, rules.max_failed, rules.lock_expires, rules.patterns, rules.unjudged),
        missing=tuple(missing),
        groups_read=groups_read,
        foreign_admins=_foreign_admins(directory),
        pending=pending,
        names=frozenset(folded(name) for user in directory.users for name in user.names),
        taken=frozenset(folded(name) for user in directory.users for name in user.taken),
    )


@dataclass(frozen=True)
class _Evidence:
    """By GUID: those that are one account's alone, crypto users and whether they own the volume, and FileVault's list.
    By name: the administrators, the accounts that a group has macOS refuse, and those that a run has begun to make."""

    own: frozenset[str]
    crypto: t.Mapping[str, bool | None] | None
    filevault: set[str] | None
    admins: frozenset[str]
    disabled: frozenset[str]
    owners: bool
    unfinished: frozenset[str]


def _with_preflight(mac: Mac, preflight: bool | None) -> Mac:
    """A successful preflight outweighs profiles, which was seen to say the opposite (bootstrap-buddy issue 11)."""
    bootstrap = "valid" if preflight else mac.management.bootstrap
    management = replace(mac.management, preflight=preflight, preflight_asked=True, bootstrap=bootstrap)
    return replace(mac, management=management)


def _with_escrow(mac: Mac, answer: Ran) -> Mac:
    found = system.parse_find(answer)
    if found is None:
        unread = Missing("when a recovery key was last escrowed", answer.evidence)
        return replace(mac, missing=(*mac.missing, unread))
    escrowed_at = 0 if found == system.NOTHING else found
    return replace(mac, filevault=replace(mac.filevault, escrowed_at=escrowed_at))


def _network(runner: Runner, deadline: float, name: str) -> Network:
    nodes = network.parse_nodes(runner.run(network.NODES, deadline))
    found = network.parse_person(runner.run(network.find(name), deadline))
    elsewhere = found is not None and not found.node.startswith("/Local")
    return Network(
        nodes=tuple(nodes or ()),
        online=None if nodes is None else any(nodes.values()),
        person=Person(found.name, found.full_name, found.uid) if found is not None and elsewhere else None,
    )


def _read_system(runner: Runner, deadline: float) -> system.System:
    facts = system.parse_sysctl(runner.run(system.SYSCTL, deadline))
    if facts.version:
        return facts
    answer = runner.run(system.SW_VERS, deadline)
    facts = system.with_sw_vers(facts, answer)
    if not facts.version:
        raise ProbeError(f"this does not look like a Mac: {answer.evidence}")
    return facts


def _read_directory(runner: Runner, deadline: float) -> Ran:
    answer = runner.run(dscl.READ_ALL, deadline)
    if records.parse(answer.out).users is not None or answer.rc is None:
        return answer
    singly = [runner.run(command, deadline) for command in dscl.READ_EACH]
    return type(answer)(
        answer.command,
        next((ran.rc for ran in singly if ran.rc), singly[0].rc),
        "".join(ran.out for ran in singly),
        "".join(ran.err for ran in singly),
        timed_out=any(ran.timed_out for ran in singly),
        too_long=any(ran.too_long for ran in singly),
    )


def read_notes(runner: Runner, deadline: float) -> frozenset[str]:
    """Return what root's record says of pending work, and nothing else of the Mac. Raises :class:`ProbeError`."""
    answer = _read_directory(_Whole(runner), deadline)
    users = records.parse(answer.out).users
    if users is None:
        raise ProbeError(f"the notes on the Mac could not be read: {answer.evidence}", "reading_incomplete")
    return frozenset(note for user in users for note in user.pending)


def _version(facts: system.System) -> Version:
    try:
        return Version.parse(facts.version)
    except ValueError as exc:
        raise ProbeError(str(exc)) from exc


def _account(user: records.User, evidence: _Evidence) -> Account | None:
    """None: a service's account that no person logs in with and that no source names."""
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
        disabled=user.disabled or user.name in evidence.disabled,
        home=user.home,
        shell=user.shell,
        hint=user.hint,
        picture=user.picture,
        sources=sources,
        volume_owner=owner,
        password_changed=user.password_changed,
        failed_logins=user.failed_logins,
    )


def _list_of_users(answers: Answers, people: set[str]) -> dict[str, str] | None:
    """Nothing at all, where people are crypto users, is no answer (seen once, unexplained: transcript
    fde-list-in-launchdaemon-empty)."""
    listed = fdesetup.parse_list(answers.filevault_list)
    return None if people and not listed else listed


def _listed(listed: dict[str, str] | None, crypto: diskutil.CryptoUsers | None) -> set[str] | None:
    if listed is None and crypto is not None and not crypto.apfs:
        return set()
    return None if listed is None else set(listed)


def _groups_in(directory: records.Directory, name: str) -> list[records.Group]:
    """Return the group of that name and the groups of this Mac nested in it."""
    by_guid = {group.guid: group for group in directory.groups or ()}
    waiting = [group for group in directory.groups or () if group.name == name]
    seen: list[records.Group] = []
    while waiting:
        group = waiting.pop()
        if group not in seen:
            seen.append(group)
            waiting += [by_guid[guid] for guid in group.nested if guid in by_guid]
    return seen


def _groups_are_whole(directory: records.Directory) -> bool:
    """Return whether the groups say who is an administrator and who is refused. Every Mac has a group admin with
    a member (root, from the day that macOS is installed). Without it, or with one that cannot be read, it is not known
    which account is the last administrator."""
    admin = [group for group in directory.groups or () if group.name == _ADMIN]
    asked = [group for name in (_ADMIN, records.ACCESS_DISABLED) for group in _groups_in(directory, name)]
    somebody = any(group.members or group.member_guids or group.nested for group in admin)
    return somebody and not any(group.unread for group in asked)


def _foreign_admins(directory: records.Directory) -> bool:
    """Whether a group that is none of this Mac's is nested in group admin."""
    own = {group.guid for group in directory.groups or ()}
    return any(guid not in own for group in _groups_in(directory, _ADMIN) for guid in group.nested)


def _in_group(directory: records.Directory, name: str) -> frozenset[str]:
    """Return who is in a group: by name, by GUID, by primary group, and through groups of this Mac nested in it."""
    seen = _groups_in(directory, name)
    names = {member for group in seen for member in group.members}
    guids = {guid for group in seen for guid in group.member_guids}
    gids = {group.gid for group in seen}
    return frozenset(
        names | {user.name for user in directory.users or () if user.guid in guids or str(user.gid) in gids}
    )


def _filevault(answers: Answers, crypto: set[str] | None, missing: list[Missing]) -> FileVault:
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


def _management(answers: Answers, crypto: set[str] | None, missing: list[Missing]) -> Management:
    enrollment = profiles.parse_enrollment(answers.enrollment)
    if enrollment is None:
        missing.append(Missing("enrolment in MDM", answers.enrollment.evidence))
    bootstrap = "unsupported" if _version(answers.system) < BOOTSTRAP_TOKEN.first else "not_enrolled"
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
        bootstrap_crypto_user=None if crypto is None else diskutil.BOOTSTRAP_TOKEN in crypto,
    )
