# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Administrator rights for the moment of a grant: noted before they are given, taken back whatever happens. Pure.

Three can take them back: the run itself, the Mac after a deadline, and the next run of any module that writes.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t

from ansible_collections.keyholder.macos.plugins.module_utils._model import promotion
from ansible_collections.keyholder.macos.plugins.module_utils._plan.plan import Plan
from ansible_collections.keyholder.macos.plugins.module_utils._plan.steps import (
    CheckPassword,
    DropDemotion,
    Forget,
    Note,
    PlanDemotion,
    Prove,
    SetAdmin,
    Step,
)

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._model import Mac


def promoted(name: str, change: t.Sequence[Step], prove: t.Sequence[str]) -> list[Step]:
    """``change`` with ``name`` as an administrator, who is none afterwards. Both are proven, then the note goes."""
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


def healing(mac: Mac) -> list[Step]:
    """What takes back every promotion that still stands; nothing where none does, or where only root could. Without
    the groups nobody knows who is still an administrator: then the note and the Mac's own job stay."""
    steps: list[Step] = []
    for name in mac.promoted if mac.as_root and mac.groups_read else ():
        account = mac.account(name)
        if account is not None and account.admin:
            steps += [SetAdmin(name, False), Prove((name,))]
        steps += [DropDemotion(name), Forget(promotion(name))]
    return steps


def with_healing(mac: Mac, plan: Plan) -> Plan:
    """``plan``, which was made for the healed Mac, from ``mac`` as it is. Passwords are checked first all the same."""
    heal = healing(mac)
    if not heal:
        return plan
    checks = tuple(step for step in plan.steps if isinstance(step, CheckPassword))
    others = plan.steps[len(checks) :]
    return Plan(mac, (*checks, *heal, *others), (*notes(mac), *plan.notes))


def healed(mac: Mac) -> Mac:
    return Plan(mac, tuple(healing(mac))).after


def notes(mac: Mac) -> tuple[str, ...]:
    return tuple(
        f"an earlier run made {name} an administrator for a moment and was cut off; that is undone first"
        for name in mac.promoted
    )
