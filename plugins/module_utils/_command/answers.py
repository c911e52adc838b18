# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell what a command's answer means, whichever program it was: the reason that it names, and failures that are none.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t

from ansible_collections.keyholder.macos.plugins.module_utils._command import (
    dscl,
    fdesetup,
    launchd,
    profiles,
    softwareupdate,
    sysadminctl,
)

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._code import MaybeCode
    from ansible_collections.keyholder.macos.plugins.module_utils._runner import Ran


def reason_of(ran: Ran) -> MaybeCode:
    """Return the reason code that the command's words or exit status name, "" for none."""
    program = ran.command.argv[0]
    if program == "fdesetup":
        return fdesetup.exit_reason(ran)
    if program == "dscl":
        return dscl.reason_said(ran)
    if program == "softwareupdate":
        return softwareupdate.refusal_said(ran)
    return profiles.bootstrap_reason(ran) if program == "profiles" else sysadminctl.reason_said(ran)


def harmless(ran: Ran) -> bool:
    """Return whether the command, if it failed, found done already what it was to do."""
    return launchd.may_fail(ran) or dscl.already_forgotten(ran)
