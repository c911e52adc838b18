# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one way a change is made: read, plan, check the passwords, act, read again, compare. No Ansible here.

The other files of this folder are its parts. `session` starts commands and keeps what they said. `check` looks at the
passwords before the first write, `write` carries the plan out, and `compare` proves it. `aftermath` puts right what a
failure leaves.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import time
import typing as t

from ansible_collections.keyholder.macos.plugins.module_utils._lock import Lock, NoLock
from ansible_collections.keyholder.macos.plugins.module_utils._plan.foreseen import as_it_is
from ansible_collections.keyholder.macos.plugins.module_utils._plan.plan import Plan
from ansible_collections.keyholder.macos.plugins.module_utils._plan.promotion import (
    healed,
    healing,
    notes,
    with_healing,
)
from ansible_collections.keyholder.macos.plugins.module_utils._plan.repair import OPENS
from ansible_collections.keyholder.macos.plugins.module_utils._plan.request import Outcome, Request
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._run.aftermath import aftermath
from ansible_collections.keyholder.macos.plugins.module_utils._run.check import (
    check_passwords,
    check_secrets,
    compare_password,
    key_opens,
)
from ansible_collections.keyholder.macos.plugins.module_utils._run.recipients import Recipients
from ansible_collections.keyholder.macos.plugins.module_utils._run.session import BY_PYTHON, Session, Verifier
from ansible_collections.keyholder.macos.plugins.module_utils._run.write import carry_out

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac
    from ansible_collections.keyholder.macos.plugins.module_utils._runner import Runner, Secret


def wait(seconds: float) -> None:
    """Give the Mac some time, in which it does by itself what the last step has begun."""
    time.sleep(seconds)


class Run:
    """One run of one request against one Mac. ``deadline``: seconds for each command. ``own`` returns the names, as
    :func:`folded`, of the accounts that the run came in by and must leave alone. ``lock``: keeps other changing runs
    away, from before the first reading to after the last. ``verifier``: how passwords are compared with hashes.
    ``may_show_key`` returns whether a recovery key may reach this process unencrypted. ``foresee``: in check mode, how
    the Mac will read once what goes before is done."""

    def __init__(
        self,
        runner: Runner,
        secrets: t.Mapping[str, Secret],
        deadline: float,
        recipients: Recipients | None = None,
        own: t.Callable[[], t.Collection[str]] = frozenset,
        lock: Lock | None = None,
        pause: t.Callable[[float], None] | None = None,
        verifier: Verifier = BY_PYTHON,
        may_show_key: t.Callable[[], bool] = lambda: True,
        foresee: t.Callable[[Mac], Mac] = as_it_is,
    ) -> None:
        to = recipients or Recipients(())
        self._session = Session(runner, secrets, deadline, to, own, verifier=verifier, may_show_key=may_show_key)
        self._foresee = foresee
        self._lock = lock or NoLock()
        self._pause = pause or wait

    def run(self, request: Request, check_mode: bool) -> Outcome:
        """Return what happened. In check mode nothing is changed, and no lock is taken: what it reads may be another
        run's work half done."""
        if check_mode:
            self._session.foresee = self._foresee
            return self._run(request, True)
        try:
            with self._lock.held() as waited:
                outcome = self._run(request, False)
        except Refusal as refusal:
            return Outcome(refusal=refusal)
        outcome.notes[:0] = [waited] if waited else []
        return outcome

    def nothing_to_do(self, request: Request) -> Outcome | None:
        """Return what came of it if the Mac is as asked already; None if there is something to do, to refuse, or to
        find out by a login. No lock is taken: the answer is true of the moment of the reading."""
        outcome = Outcome()
        self._session.ask = request.ask
        try:
            mac = self._session.read()
            outcome.before = outcome.after = request.view(mac)
            sound = healed(mac)
            self._compare(request, sound, outcome, may_authenticate=False)
            if None in outcome.proofs.values() or request.tries(sound, outcome.proofs) is not None:
                return None
            plan = with_healing(mac, request.plan(sound, outcome.proofs))
        except Refusal:
            return None
        outcome.notes = [*plan.notes, *self._session.notes]
        return None if plan.steps else outcome

    def _run(self, request: Request, check_mode: bool) -> Outcome:
        outcome = Outcome()
        self._session.ask = request.ask
        try:
            mac = self._session.read()
            outcome.before = outcome.after = request.view(mac)
            try:
                plan = self._plan(request, mac, outcome, check_mode)
            except Refusal as refusal:
                outcome.refusal = refusal
                plan = _only_healing(mac, outcome)
            if check_mode:
                outcome.after = request.view(plan.after)
                outcome.changed = plan.changes
            elif plan.steps:
                self._carry_out(plan, request, outcome)
        except Refusal as refusal:
            outcome.refusal = outcome.refusal or refusal
        outcome.notes += self._session.notes
        return outcome

    def _plan(self, request: Request, mac: Mac, outcome: Outcome, check_mode: bool) -> Plan:
        """Return a plan whose passwords have been checked. Raises :class:`Refusal`."""
        sound = healed(mac)
        proofs = self._compare(request, sound, outcome, may_authenticate=not check_mode)
        tried = request.tries(sound, proofs)
        if tried is not None:
            proofs[OPENS] = key_opens(self._session, *tried)
        plan = with_healing(mac, request.plan(sound, proofs))
        outcome.plan, outcome.notes = plan.words(), list(plan.notes)
        check_secrets(self._session, plan)
        check_passwords(self._session, plan, may_authenticate=not check_mode)
        return plan

    def _compare(self, request: Request, mac: Mac, outcome: Outcome, may_authenticate: bool) -> dict[str, bool | None]:
        """Fill in and return what a plan must know of the request's passwords. Raises :class:`Refusal`."""
        outcome.proofs = {
            option: compare_password(self._session, mac, user, option, may_authenticate)
            for option, user in request.compares(mac).items()
        }
        return outcome.proofs

    def _carry_out(self, plan: Plan, request: Request, outcome: Outcome) -> None:
        self._session.forget_answers()
        try:
            carry_out(self._session, plan, request, outcome, self._pause)
        except Refusal as refusal:
            raise aftermath(self._session, plan, request, outcome, refusal) from refusal


def _only_healing(mac: Mac, outcome: Outcome) -> Plan:
    """Return the plan that takes back rights which an earlier run has left behind: that must not wait for a request
    that can be met."""
    plan = Plan(mac, tuple(healing(mac)))
    outcome.plan, outcome.notes = plan.words(), list(notes(mac))
    return plan
