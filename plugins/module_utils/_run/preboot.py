# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The preboot volume is told who may unlock, in more than one try.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import time
import typing as t

from ansible_collections.keyholder.macos.plugins.module_utils._command import diskutil
from ansible_collections.keyholder.macos.plugins.module_utils._reason import REASONS
from ansible_collections.keyholder.macos.plugins.module_utils._step.general import PROVE_PREBOOT, Note
from ansible_collections.keyholder.macos.plugins.module_utils._unfinished import PREBOOT

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac
    from ansible_collections.keyholder.macos.plugins.module_utils._plan.plan import Plan
    from ansible_collections.keyholder.macos.plugins.module_utils._run.session import Session
    from ansible_collections.keyholder.macos.plugins.module_utils._runner import Ran
    from ansible_collections.keyholder.macos.plugins.module_utils._step.general import UpdatePreboot

PREBOOT_TRIES = 3
"""updatePreboot fails now and then and works the next time, so others ask as often (Macjutsu/super)."""
PREBOOT_PAUSE = 2.0
"""Seconds between two tries: something else may hold the preboot volume."""


def update_preboot(
    session: Session, plan: Plan, step: UpdatePreboot, mac: Mac, pause: t.Callable[[float], None]
) -> bool:
    """Return whether the preboot volume was told. If this run owes it that, a failure is the run's: raises
    :class:`Refusal`. What an earlier run has left to do fails no run that cannot help it: its note stays."""
    until = time.monotonic() + session.deadline
    for left in reversed(range(PREBOOT_TRIES)):
        ran = session.start(diskutil.UPDATE_PREBOOT)
        if diskutil.preboot_updated(ran):
            return True
        if ran.rc is None or not left or time.monotonic() + PREBOOT_PAUSE >= until:
            break
        pause(PREBOOT_PAUSE)
    msg = f"the preboot volume could not be updated{_cause(mac, ran)}"
    if Note(PREBOOT) in plan.steps or PROVE_PREBOOT in plan.steps:
        session.done.append(step)
        raise session.stop("timeout" if ran.timed_out else "preboot_failed", f"{msg}; everything else was done")
    remedy = REASONS["preboot_failed"].remedy
    session.notes.append(f"{msg}. An earlier run left this to do. {remedy} [preboot_failed]")
    return False


def _cause(mac: Mac, ran: Ran) -> str:
    """Return in words whom updatePreboot failed for; else which orphaned crypto user may be why (assumed)."""
    if ran.rc is None:
        return ": diskutil did not answer"
    failed = diskutil.preboot_failed_for(ran)
    names = {account.guid: account.name for account in mac.accounts}
    if failed:
        whom = [names.get(guid, f"the crypto user {guid}, which belongs to no account") for guid in failed]
        return f": diskutil failed for {', '.join(whom)}"
    if mac.orphans:
        return f"; the cause may be the crypto user {', '.join(mac.orphans)}, which belongs to no account"
    return ""
