# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a run stops: a refusal, and the table of all reasons. The documentation's list is made from that table.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.keyholder.macos.plugins.module_utils._command import fdesetup
from ansible_collections.keyholder.macos.plugins.module_utils._reasons.accounts import (
    ACCOUNTS,
    DIRECTORIES,
    TOKENS,
    WHO,
)
from ansible_collections.keyholder.macos.plugins.module_utils._reasons.base import WORDS, Group, Reason
from ansible_collections.keyholder.macos.plugins.module_utils._reasons.filevault import FILEVAULT, MDM
from ansible_collections.keyholder.macos.plugins.module_utils._reasons.mac import OPTIONS, THE_MAC
from ansible_collections.keyholder.macos.plugins.module_utils._reasons.run import MACOS, OTHER_RUNS
from ansible_collections.keyholder.macos.plugins.module_utils._reasons.upgrade import UPGRADES

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._code import Code


@dataclass  # not frozen: Python itself writes the traceback into an exception
class Refusal(Exception):
    """A decision not to go on, as a value: why, about whom, and which command said what."""

    reason: Code
    msg: str
    evidence: tuple[str, ...] = ()

    @property
    def remedy(self) -> str:
        """Return what to do about it: a sentence."""
        return REASONS[self.reason].remedy

    @property
    def told(self) -> str:
        """Return the whole message for a person: what happened, the way out, and the code."""
        return f"{self.msg}. {self.remedy} [{self.reason}]"

    def account(self) -> dict[str, t.Any]:
        """Return what the result contract says of a failure."""
        return {
            "msg": self.told,
            "reason": self.reason,
            "evidence": list(self.evidence),
            "remedy": self.remedy,
        }

    def __str__(self) -> str:
        return self.msg


FDESETUP = Group(
    "What fdesetup's exit status says",
    "From the table in its manual, which has not changed from 2019 to 2026, and one status that was only seen.",
    {fdesetup.exit_code(status): Reason(*words, WORDS) for status, words in fdesetup.EXIT.items()},
)

GROUPS = (THE_MAC, OPTIONS, WHO, TOKENS, ACCOUNTS, DIRECTORIES, MDM, FILEVAULT, OTHER_RUNS, MACOS, UPGRADES, FDESETUP)

REASONS: dict[Code, Reason] = {code: reason for group in GROUPS for code, reason in group.reasons.items()}
