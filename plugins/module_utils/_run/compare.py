# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the second reading shows otherwise than planned: success is what it says, and nothing else.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t

from ansible_collections.keyholder.macos.plugins.module_utils._account import Account
from ansible_collections.keyholder.macos.plugins.module_utils._command import system
from ansible_collections.keyholder.macos.plugins.module_utils._mac import ESCROWED, Mac
from ansible_collections.keyholder.macos.plugins.module_utils._plan.paths import home_problem
from ansible_collections.keyholder.macos.plugins.module_utils._step.account import NEW_GUID, CreateHome, SetPassword
from ansible_collections.keyholder.macos.plugins.module_utils._step.base import has_kind, of_kind
from ansible_collections.keyholder.macos.plugins.module_utils._step.directory import LeaveDirectory
from ansible_collections.keyholder.macos.plugins.module_utils._step.parking import SetDisabled

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._plan.plan import Plan
    from ansible_collections.keyholder.macos.plugins.module_utils._run.session import Session
    from ansible_collections.keyholder.macos.plugins.module_utils._step.base import Step
    from ansible_collections.keyholder.macos.plugins.module_utils._step.general import Note, Prove


def compare(session: Session, plan: Plan, index: int, wanted: Mac, found: Mac) -> None:
    """Raise :class:`Refusal` if the Mac is not ``wanted`` in what the plan's step number ``index`` is to prove."""
    step = t.cast("Prove", plan.steps[index])
    for user in step.users:
        differs = differences(wanted.account(user), found.account(user))
        before = plan.before.account(user)
        if wanted.account(user) is None and before is not None and before.guid in found.orphans:
            differs.append("its crypto user is still there")
        differs += _not_switched(plan.steps[:index], user, found.account(user))
        if differs:
            said = "; ".join(differs)
            _refute(session, f"{user}: {said}", f"{user} is not as planned: {said}")
    for fact in step.facts:
        other = disagreement(fact, plan.before, wanted, found)
        if other:
            _refute(session, other, f"the Mac is not as planned: {other}")
    _compare_passwords(session, plan.steps[:index], step)
    _compare_homes(session, plan.steps[:index], step, found)


def _not_switched(done: t.Sequence[Step], user: str, found: Account | None) -> list[str]:
    """Return in words that an account was to be disabled or enabled, and is not. Of a plan that left this alone it is
    not asked: macOS may enable an account that gets a new password."""
    wanted = {step.user: step.disabled for step in of_kind(done, SetDisabled)}.get(user)
    if wanted is None or found is None or found.disabled is wanted:
        return []
    return ["it is not disabled"] if wanted else [f"it is still disabled: {found.disabled_by}"]


def compare_note(session: Session, step: Note) -> None:
    """Raise :class:`Refusal` if the note is not on the Mac."""
    if step.work not in session.read_notes():
        msg = f"the note that this needs is not on the Mac: {step.work}"
        raise session.not_proven(msg)


def compare_forgotten(session: Session) -> None:
    """Raise :class:`Refusal` if a note of what is done is still there: it would have the next run finish that."""
    gone = _taken_off(session.done)
    left = gone & session.read_notes() if gone else ()
    if left:
        msg = f"the note of what is done is still there: {', '.join(sorted(left))}"
        raise session.not_proven(msg)


def _taken_off(done: t.Sequence[Step]) -> set[str]:
    """Return the notes that these steps should have removed from the Mac: the last word on each counts."""
    gone: dict[str, bool] = {}
    for step in done:
        for work, is_gone in step.notes.items():
            gone[work] = is_gone
    return {work for work, is_gone in gone.items() if is_gone}


def _refute(session: Session, seen: str, msg: str) -> t.NoReturn:
    session.evidence.append(f"reading again: {seen}")
    raise session.not_proven(msg)


def _compare_homes(session: Session, done: t.Sequence[Step], prove: Prove, found: Mac) -> None:
    """Raise :class:`Refusal` if a home folder is not the account's own: createhomedir leaves a folder alone that is
    there already, whosever it is."""
    for user in sorted({step.user for step in of_kind(done, CreateHome) if step.user in prove.users}):
        account = found.account(user)
        if account is None or not account.home.startswith("/"):
            continue
        (place,) = system.parse_places(session.start(system.stat_each([account.home])).whole, [account.home])
        problem = home_problem(found, account, place)
        if problem:
            raise session.not_proven(f"{user} is not as planned: {problem}")


def _compare_passwords(session: Session, done: t.Sequence[Step], prove: Prove) -> None:
    """Raise :class:`Refusal` if a password that was set is not the account's, by its hash and without logging in. If
    that cannot be read, it is enough that sysadminctl did not say that it failed."""
    last = {step.user: step.new for step in of_kind(done, SetPassword)}
    given = "password" in session.secrets
    last.update({step.user: "password" for step in of_kind(done, LeaveDirectory) if given})
    for user, option in last.items():
        if user not in prove.users:
            continue
        matches = session.is_password(user, option)
        if matches is False or (matches is None and session.last_reason()):
            which = "new password" if has_kind(done, SetPassword) else "password that it had"
            raise session.not_proven(f"{user} does not have the {which}")


def disagreement(fact: str, before: Mac, wanted: Mac, found: Mac) -> str:
    """Return in words where a fact of the Mac as a whole is not as planned, "" if it is."""
    if fact == "bootstrap":
        planned, real = wanted.management.bootstrap, found.management.bootstrap
        agree = planned == real or (planned in ESCROWED and real in ESCROWED)
        return "" if agree else f"the Bootstrap Token is {real} (wanted: {planned})"
    if fact == "filevault":
        on = wanted.filevault.on
        agree = found.filevault.on if on else not found.filevault.on
        return "" if agree else f"FileVault is {found.filevault.state} (wanted: {wanted.filevault.state})"
    if fact == "deferral":
        planned, real = wanted.filevault.deferred_user, found.filevault.deferred_user
        return (
            "" if planned == real else f"FileVault is deferred for {real or 'no user'} (wanted: {planned or 'no user'})"
        )
    if fact == "key_file":
        left = ", ".join(sorted(found.files - wanted.files))
        return f"{left} is still there" if left else ""
    if fact == "escrow":
        earlier, now = before.filevault.escrowed_at, found.filevault.escrowed_at
        if earlier is None or now is None:
            return "it could not be read whether the new key was escrowed to MDM"
        return "" if now > earlier else "the new key was not escrowed to MDM"
    if fact == "orphans":
        left = ", ".join(guid for guid in found.orphans if guid not in wanted.orphans)
        return f"the crypto user {left} is still there" if left else ""
    if fact == "volume_owner":
        owners = {account.name for account in found.accounts if account.volume_owner}
        left = ", ".join(one.name for one in wanted.accounts if one.volume_owner and one.name not in owners)
        return f"{left} does not own the volume" if left else ""
    if fact == "directory":
        copy = found.directory_copy
        return "" if copy is not None and copy.gone else "its record still has something of a directory"
    if fact == "sshd":
        agree = found.sshd_refuses or not wanted.sshd_refuses
        return "" if agree else "sshd does not say that it refuses the account"
    if fact == "preboot":
        if all(account.in_preboot is None for account in found.accounts):
            return "it could not be read whom the preboot volume knows"
        left = ", ".join(account.name for account in found.unknown_to_preboot)
        return f"the preboot volume still does not know {left}" if left else ""
    agree = wanted.filevault.personal_key == found.filevault.personal_key
    return "" if agree else f"the personal recovery key is {'present' if found.filevault.personal_key else 'missing'}"


def differences(wanted: Account | None, found: Account | None) -> list[str]:
    """Return in words what the second reading shows otherwise than planned. A field that the plan leaves open is not
    compared."""
    if wanted is None or found is None:
        return [] if wanted is found else ["the account is there" if wanted is None else "there is no such account"]
    differs = []
    if wanted.sources != found.sources:
        differs.append(f"{found.sources.words()} (wanted: {wanted.sources.words()})")
    for key in (
        "kind",
        "full_name",
        "uid",
        "gid",
        "shell",
        "home",
        "hint",
        "picture",
        "hidden",
        "admin",
        "disabled_tag",
        "has_password",
        "parked",
    ):
        value = getattr(wanted, key)
        if value not in (None, "") and value != getattr(found, key):
            differs.append(f"{key} is {getattr(found, key)!r} (wanted: {value!r})")
    if wanted.guid not in (NEW_GUID, found.guid):
        differs.append("another account has taken its name")
    return differs
