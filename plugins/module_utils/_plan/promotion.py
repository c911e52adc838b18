# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Administrator rights for the moment of a grant: noted before they are given, taken back whatever happens. Pure.

Three can take them back: the run itself, the Mac after a deadline, and the next run of any module that writes. Only one
run at a time changes a Mac, so a note that a run finds is that of a run which is over.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t

from ansible_collections.keyholder.macos.plugins.module_utils._plan.plan import Plan, guard, lawful
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._step.account import DropDemotion, PlanDemotion, SetAdmin
from ansible_collections.keyholder.macos.plugins.module_utils._step.base import Step, of_kind
from ansible_collections.keyholder.macos.plugins.module_utils._step.general import Forget, Note, Prove
from ansible_collections.keyholder.macos.plugins.module_utils._step.token import CheckPassword
from ansible_collections.keyholder.macos.plugins.module_utils._unfinished import promotion

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac


def promoted(name: str, change: t.Sequence[Step], prove: t.Sequence[str]) -> list[Step]:
    """Return ``change`` with ``name`` as an administrator, who is none afterwards. Both are proven first."""
    return [
        Note(promotion(name)),
        PlanDemotion(name),
        SetAdmin(name, True),
        *change,
        SetAdmin(name, False),
        Prove((*prove, name)),
        DropDemotion(name),
        Forget(promotion(name)),
    ]


def healing(mac: Mac, own: t.Collection[str] = ()) -> list[Step]:
    """Return the steps that undo every promotion that still stands; none if there is none, or if only root could.
    Without the groups it is not known who is still an administrator: then the note and the Mac's own job stay. ``own``:
    whom this very run has promoted, so that they were no administrators before."""
    steps, ended, kept = _sorted_out(mac, own)
    if ended and not kept:
        # There is one job on a Mac, and it may be for any of them.
        steps.append(DropDemotion(ended[-1]))
    return [*steps, *(Forget(promotion(name)) for name in ended)]


def _sorted_out(mac: Mac, own: t.Collection[str] = ()) -> tuple[list[Step], list[str], dict[str, str]]:
    """The demotions, whose promotion ends by them or has ended, and who stays an administrator and why."""
    steps: list[Step] = []
    ended: list[str] = []
    kept: dict[str, str] = {}
    state = mac
    for name in mac.promoted if mac.as_root and mac.groups_read else ():
        account = mac.account(name)
        if account is not None and account.admin:
            demotion = Plan(state, (SetAdmin(name, False),))
            why = _unbearable(demotion, name in own)
            if why:
                kept[name] = why
                continue
            state = demotion.after
            steps += [*demotion.steps, Prove((name,))]
        ended.append(name)
    return steps, ended, kept


def _unbearable(demotion: Plan, own: bool) -> str:
    """Why the demotion must not be, and what to do about it; "" where it may. A note can be older than what made its
    account the one that the Mac needs."""
    after = demotion.after
    try:
        if own:
            guard(demotion.before, after)
            return ""
        lawful(demotion)
    except Refusal as refusal:
        return f"{refusal.msg}. {refusal.remedy}"
    why = "no other account that can log in is an administrator"
    return (
        ""
        if after.has_other_admin("")
        else f"{why}. Make another account an administrator: the next run then undoes it."
    )


def with_healing(mac: Mac, plan: Plan) -> Plan:
    """Return ``plan``, which was made for the healed Mac, from ``mac`` as it is. Passwords are checked first all the
    same. A right that only the plan makes dispensable is taken back at its end, as the next run would."""
    if not notes(mac):
        return plan
    checks = tuple(of_kind(plan.steps, CheckPassword))
    others = plan.steps[len(checks) :]
    whole = Plan(mac, (*checks, *healing(mac), *others))
    late = healing(whole.after)
    undone = set(whole.after.promoted) - set(Plan(whole.after, tuple(late)).after.promoted)
    return Plan(mac, (*whole.steps, *late), (*notes(mac, undone), *plan.notes))


def healed(mac: Mac) -> Mac:
    return Plan(mac, tuple(healing(mac))).after


def notes(mac: Mac, late: t.Collection[str] = ()) -> tuple[str, ...]:
    """Return what a user should know of promotions that still stand. ``late``: whose are undone at the plan's end."""
    dummy, ended, kept = _sorted_out(mac)
    begun = "an earlier run made {} an administrator for a grant and was interrupted"
    return (
        *(f"{begun.format(name)}; this run undoes that first" for name in ended),
        *(f"{begun.format(name)}; this run undoes that at its end" for name in kept if name in late),
        *(f"{begun.format(name)}, and {name} stays one: {why}" for name, why in kept.items() if name not in late),
    )
