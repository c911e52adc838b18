# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a plan carried out one after another, until one of them gives a reason to stop.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.keyholder.macos.plugins.module_utils._command.answers import harmless
from ansible_collections.keyholder.macos.plugins.module_utils._run.check import validate_key, verify_key
from ansible_collections.keyholder.macos.plugins.module_utils._run.compare import (
    compare,
    compare_forgotten,
    compare_note,
)
from ansible_collections.keyholder.macos.plugins.module_utils._run.preboot import update_preboot
from ansible_collections.keyholder.macos.plugins.module_utils._step.base import has_kind
from ansible_collections.keyholder.macos.plugins.module_utils._step.filevault import (
    ChangeKey,
    DeliverKey,
    ValidateKey,
)
from ansible_collections.keyholder.macos.plugins.module_utils._step.general import Forget, Note, Prove, UpdatePreboot
from ansible_collections.keyholder.macos.plugins.module_utils._step.token import VerifyKey
from ansible_collections.keyholder.macos.plugins.module_utils._unfinished import PREBOOT

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac
    from ansible_collections.keyholder.macos.plugins.module_utils._plan.plan import Plan
    from ansible_collections.keyholder.macos.plugins.module_utils._plan.request import Outcome, Request
    from ansible_collections.keyholder.macos.plugins.module_utils._run.session import Session
    from ansible_collections.keyholder.macos.plugins.module_utils._runner import Ran, Secret
    from ansible_collections.keyholder.macos.plugins.module_utils._step.base import Step


def carry_out(
    session: Session, plan: Plan, request: Request, outcome: Outcome, pause: t.Callable[[float], None]
) -> None:
    """Carry the plan out, and fill ``outcome`` in. Raises :class:`Refusal` where it stops half-way."""
    states = plan.states()
    mac = plan.before
    owed: frozenset[str] = frozenset()
    for index, step in enumerate(plan.steps):
        if isinstance(step, Prove):
            mac = session.read()
            outcome.after = request.view(mac)
            outcome.changed = outcome.after != outcome.before
            compare(session, plan, index, states[index], mac)
            continue
        if step.may_be_spared:
            mac = _settled(session, step, pause)
            if step.spared(mac):
                continue
        _handle_key(session, step, outcome)
        if isinstance(step, VerifyKey) and not step.early:
            verify_key(session, step, "The password was changed, but its key did not follow")
        acting: Step = step
        if isinstance(step, UpdatePreboot):
            if not update_preboot(session, plan, step, mac, pause):
                owed = frozenset({PREBOOT})
                continue
            acting = Forget(PREBOOT)
        for command in step.commands(states[index], session.secrets):
            judge_answer(session, acting, session.start(command))
        session.done.append(step)
        if isinstance(step, UpdatePreboot):
            mac = step.after(mac)
        if isinstance(step, Note):
            # It must stand before the change that makes it necessary, so it cannot wait for the next reading.
            compare_note(session, step)
    compare_forgotten(session)
    outcome.changed = any(step.writes for step in session.done)
    # Since the last reading only notes have gone, and the preboot volume was told.
    outcome.after = request.view(replace(mac, pending=plan.after.pending | owed))


_SETTLES = (1, 2, 3)
"""Seconds between two looks at a token that a login brings: it was seen to come some seconds later (transcript
ssh-password-login-mints-15)."""


def _settled(session: Session, step: Step, pause: t.Callable[[float], None]) -> Mac:
    """Return the Mac as it reads after what the step before may have done, for which it is given some time."""
    mac = session.read()
    for seconds in _SETTLES:
        if step.spared(mac):
            break
        pause(seconds)
        mac = session.read()
    return mac


def judge_answer(session: Session, step: Step, ran: Ran) -> None:
    """Raise :class:`Refusal` if going on makes no sense. That a step *worked* is for the next reading to say."""
    if harmless(ran):
        return
    if ran.timed_out or ran.too_long:
        # It is not known whether it was done.
        session.done.append(step)
    if ran.timed_out:
        raise session.stop("timeout", f"no answer while trying to {step.words}")
    if ran.too_long:
        raise session.stop("output_too_long", f"a program was stopped while trying to {step.words}")
    if ran.rc is None:
        raise session.stop("command_failed", f"could not {step.words}: {ran.err}")
    reason = step.failure(ran)
    if reason:
        raise session.stop(reason, step.failed_words(reason))


def deliver(session: Session, step: DeliverKey, key: Secret, outcome: Outcome) -> None:
    """Put the key into ``outcome`` as the caller asked for it. Raises :class:`Refusal`."""
    if step.how == "encrypt":
        outcome.recovery_key = session.recipients.encrypt(key, session.runner, session.deadline)
    else:
        outcome.recovery_key = key.reveal().decode("utf-8")


def _handle_key(session: Session, step: Step, outcome: Outcome) -> None:
    """Validate or deliver a new key. That macOS gave none is a state, not an error, unless the one before has died for
    it: on enabling, macOS may have kept the one of an earlier time."""
    if isinstance(step, ValidateKey) and not step.secret and session.key is not None:
        validate_key(session, "the new recovery key", session.key)
    elif isinstance(step, DeliverKey) and session.key is not None:
        deliver(session, step, session.key, outcome)
    elif isinstance(step, DeliverKey) and has_kind(session.done, ChangeKey):
        msg = "macOS made a new recovery key and did not return it; the old key no longer works"
        raise session.stop("key_not_given", msg)
