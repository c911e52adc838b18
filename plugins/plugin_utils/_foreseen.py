# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let a role tell the tasks of check mode what an earlier task of the play would have done to the Mac.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t

from ansible_collections.keyholder.macos.plugins.module_utils._plan.foreseen import as_it_is, with_first_holder

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac

VARIABLE = "__keyholder_first_holder"
"""The variable of a role: the account to which an earlier task of check mode would have given the first token."""


def foreseen(
    variables: t.Mapping[str, t.Any], template: t.Callable[[t.Any], t.Any], check_mode: bool
) -> t.Callable[[Mac], Mac]:
    """Return how a task is to see the Mac. ``check_mode``: whether the task is in check mode. A play that changes Macs
    sees every Mac as it is, in those of its tasks too that only foresee something."""
    given = variables.get(VARIABLE)
    if not given or not check_mode or not variables.get("ansible_check_mode"):
        return as_it_is
    name = str(template(given) or "")
    return (lambda mac: with_first_holder(mac, name)) if name else as_it_is
