# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The few commands that read a whole Mac, and how their answers become a reading.

Seven processes at most, however many accounts there are. Nothing is authenticated and nothing is written.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import re
import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from ansible_collections.keyholder.macos.plugins.module_utils._command import (
    diskutil,
    dscl,
    fdesetup,
    mdmclient,
    profiles,
    system,
)
from ansible_collections.keyholder.macos.plugins.module_utils._model import (
    BIG_SUR,
    CATALINA,
    PREFLIGHT_SINCE,
    Account,
    FileVault,
    Mac,
    Management,
    Missing,
    PasswordPolicy,
    Sources,
    Version,
    Volume,
)

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._runner import Ran, Runner


class ProbeError(Exception):
    """Too little could be read to speak of a Mac at all; the text is the evidence."""


@dataclass(frozen=True)
class Answers:
    """What the probe's commands said; ``bootstrap`` None: not asked, as the version or the enrolment rules it out."""

    system: t.Mapping[str, str]
    directory: Ran
    crypto: Ran
    filevault_list: Ran
    filevault_status: Ran
    enrollment: Ran
    bootstrap: Ran | None


def read_mac(runner: Runner, deadline: float, extras: t.Collection[str] = ()) -> Mac:
    """One reading. ``deadline``: seconds for each command. Raises :class:`ProbeError`.

    ``extras``: what only some ask for. preflight: mdmclient's word on the Bootstrap Token, which takes ten seconds on a
    real Mac. escrow: when a recovery key was last put aside for the device management. authrestart: whether macOS can
    restart with the volume unlocked. An absolute path: whether the file is there that a deferral leaves.
    """
    mac = parse(ask(runner, deadline))
    if "preflight" in extras and mac.version >= PREFLIGHT_SINCE and mac.management.enrolled:
        mac = _with_preflight(mac, mdmclient.parse_preflight(runner.run(mdmclient.DEVICE_INFORMATION, deadline)))
    if "escrow" in extras:
        escrowed_at = fdesetup.parse_escrow(runner.run(fdesetup.ESCROW, deadline))
        mac = replace(mac, filevault=replace(mac.filevault, escrowed_at=escrowed_at))
    if "authrestart" in extras:
        supported = fdesetup.says_true(runner.run(fdesetup.SUPPORTS_AUTHRESTART, deadline))
        mac = replace(mac, filevault=replace(mac.filevault, authrestart=supported))
    paths = [extra for extra in extras if extra.startswith("/")]
    there = frozenset(path for path in paths if runner.run(fdesetup.find_key_file(path), deadline).rc == 0)
    if there:
        mac = replace(mac, filevault=replace(mac.filevault, key_files=there))
    return mac


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
        ask_bootstrap = _version(facts) >= CATALINA and (enrolled is None or enrolled.enrolled)
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
    directory = dscl.parse_directory(answers.directory.out)
    if directory.users is None:
        raise ProbeError(f"the local directory could not be read: {answers.directory.evidence}")
    missing: list[Missing] = []
    crypto = diskutil.parse_users(answers.crypto)
    if crypto is None:
        missing.append(Missing("crypto users of the boot volume", answers.crypto.evidence))
    listed = fdesetup.parse_list(answers.filevault_list)
    if listed is None and (crypto is None or crypto.apfs):
        missing.append(Missing("FileVault's list of users", answers.filevault_list.evidence))
    crypto_users = {user.uuid: user for user in crypto.users} if crypto else {}
    evidence = _Evidence(
        crypto=None if crypto is None else {uuid: user.owner for uuid, user in crypto_users.items()},
        filevault=_listed(listed, crypto),
        admins=_admins(directory),
        owners=_version(answers.system) >= BIG_SUR,
    )
    records = [record for record in directory.users if dscl.first(record, "RecordName")]
    accounts = [account for account in (_account(record, evidence) for record in records) if account]
    known = {account.guid for account in accounts}
    people = [user.uuid for user in crypto_users.values() if user.type == diskutil.PERSON]
    if directory.groups is None:
        missing.append(Missing("groups of the local directory", answers.directory.evidence))
    policy_data = any("accountPolicyData" in record for record in records)
    if not policy_data and listed is None:
        missing.append(Missing("failed logins and password dates", "only root may read accountPolicyData"))
    root = next((record for record in records if dscl.first(record, "RecordName") == "root"), {})
    facts = answers.system
    return Mac(
        version=_version(facts),
        as_root=policy_data or listed is not None,
        build=facts.get("kern.osversion", ""),
        model=facts.get("hw.model", ""),
        apple_silicon=facts.get("hw.optional.arm64") == "1",
        virtual=facts.get("kern.hv_vmm_present") == "1",
        volume=Volume() if crypto is None else Volume(crypto.device, crypto.apfs, crypto.snapshot),
        accounts=tuple(
            sorted(accounts, key=lambda account: (-1 if account.uid is None else account.uid, account.name))
        ),
        orphans=tuple(uuid for uuid in people if uuid not in known and uuid != diskutil.GUEST),
        filevault=_filevault(answers, None if crypto is None else set(crypto_users), missing),
        management=_management(answers, None if crypto is None else set(crypto_users), missing),
        policy=_policy(directory.policy),
        missing=tuple(missing),
        pending=dscl.first(root, dscl.PENDING),
        taken=frozenset(_taken(records)),
    )


@dataclass(frozen=True)
class _Evidence:
    """By GUID: crypto users and whether they own the volume, FileVault's list, and the names of administrators."""

    crypto: t.Mapping[str, bool | None] | None
    filevault: set[str] | None
    admins: frozenset[str]
    owners: bool


def _with_preflight(mac: Mac, preflight: bool | None) -> Mac:
    """A successful preflight outweighs profiles, which was seen to say the opposite (bootstrap-buddy issue 11)."""
    bootstrap = "valid" if preflight else mac.management.bootstrap
    return replace(mac, management=replace(mac.management, preflight=preflight, bootstrap=bootstrap))


def _read_system(runner: Runner, deadline: float) -> dict[str, str]:
    facts = system.parse(runner.run(system.SYSCTL, deadline))
    if "kern.osproductversion" not in facts:
        answer = runner.run(system.SW_VERS, deadline)
        older = system.parse(answer)
        if "ProductVersion" not in older:
            raise ProbeError(f"this does not look like a Mac: {answer.evidence}")
        facts.update(
            {"kern.osproductversion": older["ProductVersion"], "kern.osversion": older.get("BuildVersion", "")}
        )
    return facts


def _read_directory(runner: Runner, deadline: float) -> Ran:
    answer = runner.run(dscl.READ_ALL, deadline)
    if dscl.parse_directory(answer.out).users is not None or answer.rc is None:
        return answer
    singly = [runner.run(command, deadline) for command in dscl.READ_EACH]
    return type(answer)(
        answer.command, singly[0].rc, "".join(ran.out for ran in singly), "".join(ran.err for ran in singly)
    )


def _version(facts: t.Mapping[str, str]) -> Version:
    try:
        return Version.parse(facts["kern.osproductversion"])
    except ValueError as exc:
        raise ProbeError(str(exc)) from exc


def _account(record: dscl.Record, evidence: _Evidence) -> Account | None:
    """None: a service's account that no person logs in with and that no source names."""
    name, guid = dscl.first(record, "RecordName"), dscl.first(record, "GeneratedUID").upper()
    authority = tuple(record.get("AuthenticationAuthority") or ())
    sources = Sources(
        authority=dscl.MARKER in authority,
        crypto=None if evidence.crypto is None else guid in evidence.crypto,
        filevault=None if evidence.filevault is None else guid in evidence.filevault,
    )
    uid = _number(dscl.first(record, "UniqueID"))
    can_authenticate = any(value.startswith((";ShadowHash;", ";LocalCachedUser;")) for value in authority)
    person = (uid is None or uid >= 500) and not name.startswith("_") and name != "nobody"
    if not (person or can_authenticate or any((sources.authority, sources.crypto, sources.filevault))):
        return None
    data = dscl.policy_data(record)
    return Account(
        name=name,
        guid=guid,
        full_name=dscl.first(record, "RealName"),
        uid=uid,
        gid=_number(dscl.first(record, "PrimaryGroupID")),
        kind=_kind(record, authority),
        admin=name in evidence.admins,
        hidden=dscl.first(record, "IsHidden").lower() in ("1", "true", "yes"),
        disabled_tag=dscl.DISABLED_TAG in authority,
        can_authenticate=can_authenticate,
        home=dscl.first(record, "NFSHomeDirectory"),
        shell=dscl.first(record, "UserShell"),
        hint=dscl.first(record, "AuthenticationHint"),
        picture=dscl.first(record, "Picture"),
        sources=sources,
        volume_owner=evidence.crypto.get(guid, False) if evidence.owners and evidence.crypto is not None else None,
        password_set=(can_authenticate and "passwordLastSetTime" in data) if data else None,
        password_changed=data.get("passwordLastSetTime"),
        failed_logins=data.get("failedLoginCount"),
    )


def _listed(listed: dict[str, str] | None, crypto: diskutil.CryptoUsers | None) -> set[str] | None:
    if listed is None and crypto is not None and not crypto.apfs:
        return set()
    return None if listed is None else set(listed)


def _kind(record: dscl.Record, authority: tuple[str, ...]) -> str:
    if any(value.startswith(";LocalCachedUser;") for value in authority):
        return "mobile"
    return "network" if record.get("OriginalNodeName") else "local"


def _admins(directory: dscl.Directory) -> frozenset[str]:
    """Names in group admin, by name, by GUID, by primary group, and through groups of this Mac nested in it."""
    groups = directory.groups or []
    by_guid = {dscl.first(group, "GeneratedUID").upper(): group for group in groups}
    waiting = [group for group in groups if dscl.first(group, "RecordName") == "admin"]
    names: set[str] = set()
    guids: set[str] = set()
    gids: set[str] = set()
    seen: set[int] = set()
    while waiting:
        group = waiting.pop()
        if id(group) in seen:
            continue
        seen.add(id(group))
        names.update(group.get("GroupMembership") or ())
        guids.update(guid.upper() for guid in group.get("GroupMembers") or ())
        gids.add(dscl.first(group, "PrimaryGroupID"))
        nested = (by_guid.get(guid.upper()) for guid in group.get("NestedGroups") or ())
        waiting.extend(group for group in nested if group is not None)
    for record in directory.users or []:
        if dscl.first(record, "GeneratedUID").upper() in guids or dscl.first(record, "PrimaryGroupID") in gids:
            names.add(dscl.first(record, "RecordName"))
    return frozenset(names)


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
    )


def _management(answers: Answers, crypto: set[str] | None, missing: list[Missing]) -> Management:
    enrollment = profiles.parse_enrollment(answers.enrollment)
    if enrollment is None:
        missing.append(Missing("enrolment in device management", answers.enrollment.evidence))
    bootstrap = "unsupported" if _version(answers.system) < CATALINA else "not_enrolled"
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


_MAX_FAILED = re.compile(r"policyAttributeFailedAuthentications\s*<\s*(\w+)")


def _policy(record: dscl.Record | None) -> PasswordPolicy:
    """The rules' own identifiers, and how many wrong guesses lock an account (man pwpolicy: ACCOUNT POLICIES)."""
    rules: list[str] = []
    max_failed: int | None = None
    for category in dscl.policy_data(record).values() if record else ():
        for rule in category if isinstance(category, list) else ():
            rules.append(str(rule.get("policyIdentifier", "a rule without a name")))
            bound = _MAX_FAILED.search(str(rule.get("policyContent", "")))
            if bound:
                limit = (rule.get("policyParameters") or {}).get(bound.group(1), bound.group(1))
                max_failed = _number(str(limit))
    return PasswordPolicy(tuple(rules), max_failed)


def _taken(records: t.Iterable[dscl.Record]) -> t.Iterator[str]:
    for record in records:
        for key in ("RecordName", "RealName"):
            yield from (value.lower() for value in record.get(key) or ())
        yield f"uid:{dscl.first(record, 'UniqueID')}"


def _number(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None
