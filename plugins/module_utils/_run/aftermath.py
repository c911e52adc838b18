# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""After a failure half-way: what is true now, a key that is not lost, and no note left behind where nothing changed.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import replace

from ansible_collections.keyholder.macos.plugins.module_utils._command import dscl
from ansible_collections.keyholder.macos.plugins.module_utils._command.answers import reason_of
from ansible_collections.keyholder.macos.plugins.module_utils._plan.plan import Plan
from ansible_collections.keyholder.macos.plugins.module_utils._plan.promotion import healing
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._run.write import deliver, judge_answer
from ansible_collections.keyholder.macos.plugins.module_utils._step.account import (
    ArchiveHome,
    CreateAccount,
    CreateMobileAccount,
    SetPassword,
)
from ansible_collections.keyholder.macos.plugins.module_utils._step.base import has_kind, of_kind
from ansible_collections.keyholder.macos.plugins.module_utils._step.filevault import (
    ArmRestart,
    ChangeKey,
    DeliverKey,
    EnableFileVault,
)
from ansible_collections.keyholder.macos.plugins.module_utils._step.general import Note, Prove, UpdatePreboot
from ansible_collections.keyholder.macos.plugins.module_utils._unfinished import MAKING_KEY, PREBOOT, creation

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._account import Account
    from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac
    from ansible_collections.keyholder.macos.plugins.module_utils._plan.request import Outcome, Request
    from ansible_collections.keyholder.macos.plugins.module_utils._run.session import Session


def aftermath(session: Session, plan: Plan, request: Request, outcome: Outcome, refusal: Refusal) -> Refusal:
    """Return the refusal with what became of the Mac, and fill ``outcome`` in. Temporary rights are taken back."""
    if refusal.reason != "key_invalid":
        _rescue_key(session, plan, outcome)
    if has_kind(session.done, ArmRestart):
        refusal = _with_more(refusal, "the next restart still comes up with the volume unlocked")
    back = _left_with_old_password(session)
    if back:
        refusal = _with_more(refusal, f"the password of {back} is old_password now: run again to set the wanted one")
    unseen = _unseen_change(session, plan)
    outcome.changed = outcome.changed or unseen
    try:
        mac = session.read()
    except Refusal:
        return refusal
    mac = _undo_promotion(session, mac, set(mac.promoted) - set(plan.before.promoted))
    ours = _notes_to_take_back(session, plan, mac)
    if ours and _settled(mac) == _settled(plan.before) and not unseen:
        for work in sorted(ours):
            session.start(dscl.forget(work))
        with contextlib.suppress(Refusal):
            mac = replace(mac, pending=session.read_notes())
    outcome.after = request.view(mac)
    outcome.changed = unseen or outcome.after != outcome.before
    return _with_more(refusal, *_half_made(plan, mac))


def _with_more(refusal: Refusal, *more: str) -> Refusal:
    return Refusal(refusal.reason, "; ".join((refusal.msg, *more)), refusal.evidence)


def _half_made(plan: Plan, mac: Mac) -> tuple[str, ...]:
    """Return in words which account this run has made, and what it lacks. It is left as it is: to delete it could fail
    as well, and it may be somebody else's by then. The next run finishes it."""
    made = [step.account.name for step in plan.steps if isinstance(step, (CreateAccount, CreateMobileAccount))]
    left = []
    for name in made:
        account, wanted = mac.account(name), plan.after.account(name)
        if account is None or wanted is None or plan.before.account(name) is not None:
            continue
        lacks = ["its password"] if wanted.has_password and not account.has_password else []
        lacks += ["its Secure Token"] if wanted.holder and not account.holder else []
        lacks += ["its administrator rights"] if wanted.admin and not account.admin else []
        if lacks or creation(name) in mac.pending:
            without = f" without {' and '.join(lacks)}" if lacks else ""
            left.append(
                f"this run has made the account {name}, which is left{without}: the next run goes on from there"
            )
    return tuple(left)


def _rescue_key(session: Session, plan: Plan, outcome: Outcome) -> None:
    """Deliver a key that macOS has made and that the run could not finish with: it may be the only one."""
    for step in of_kind(plan.steps, DeliverKey):
        if session.key is not None and not outcome.recovery_key:
            with contextlib.suppress(Refusal):
                deliver(session, step, session.key, outcome)


def _left_with_old_password(session: Session) -> str:
    """Return the account that a repair has left with its old password, "" for none: it sets the old one, then the
    wanted one again."""
    back = next((step for step in of_kind(session.done, SetPassword) if step.new == "old_password"), None)
    return back.user if back is not None and session.is_password(back.user, "old_password") else ""


def _notes_to_take_back(session: Session, plan: Plan, mac: Mac) -> frozenset[str]:
    """Return the notes of this run that are of no use if the accounts are as before."""
    ours = frozenset(note.work for note in of_kind(plan.steps, Note)) & mac.pending - plan.before.pending
    if UpdatePreboot() in session.done:
        # Tokens have come and gone, though the accounts look as before.
        ours -= {PREBOOT}
    key_made = session.key is not None or has_kind(session.done, EnableFileVault)
    if key_made and (mac.filevault.asks or mac.filevault.personal_key is not False):
        # A key came to be, or may have, and the caller may not get it.
        ours -= {MAKING_KEY}
    return ours


def _undo_promotion(session: Session, mac: Mac, own: set[str]) -> Mac:
    """Return the Mac without the rights that this run gave for a moment, whatever went wrong. What fails here is left
    to the Mac's own job and the next run: the note still stands. ``own``: whom this run has promoted."""
    steps = healing(mac, own)
    if not steps:
        return mac
    with contextlib.suppress(Refusal):
        for step, state in zip(steps, Plan(mac, tuple(steps)).states()):
            if isinstance(step, Prove) and any(who.name in step.users and who.admin for who in session.read().accounts):
                break
            for command in step.commands(state, session.secrets):
                judge_answer(session, step, session.start(command))
        return session.read()
    return mac


def _unseen_change(session: Session, plan: Plan) -> bool:
    """Return whether something was changed that no reading shows: a password, a key, an archive, the next restart."""
    if has_kind(plan.steps, ArchiveHome) and has_kind(session.done, Note):
        return True
    key_made = session.key is not None and has_kind(plan.steps, ChangeKey)
    # Where no hash can be read, a password was set, unless the program that exited with 0 says that it was not.
    said = next((ran for ran in reversed(session.answers) if reason_of(ran)), None)
    refused = session.done[-1] if session.done and said is not None and said.rc == 0 else None
    renewed = [(step, session.is_password(step.user, step.new)) for step in of_kind(session.done, SetPassword)]
    return (
        key_made
        or any(step.unseen for step in session.done)
        or any(matches or (matches is None and step is not refused) for step, matches in renewed)
    )


def _settled(mac: Mac) -> list[Account]:
    """Return the accounts, but for what a wrong guess changes."""
    return [replace(account, failed_logins=None) for account in mac.accounts]
