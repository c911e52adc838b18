# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every reason code has: what it means, the way out, and what the list `evidence` of a failure holds.

A code stands in one file of this folder, in the group that the guide to reasons shows it in, and in `_code.py`.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._code import Code

WORDS = "The command, its exit status and its own words."
SOURCES = "What each of the three sources says of that account."
CHECKED = "The command that the password was compared by: the reading of the account's hash, or one authentication."
UNREAD = "Each thing that could not be read, and what the command printed instead."
NOTHING = "None: the message says it all."


class Reason(t.NamedTuple):
    """``meaning``: one sentence. ``remedy``: what to do about it. ``evidence``: what that list holds."""

    meaning: str
    remedy: str
    evidence: str = NOTHING


@dataclass(frozen=True)
class Group:
    """Codes that have something in common: ``about``, in a sentence or two."""

    title: str
    about: str
    reasons: dict[Code, Reason]
