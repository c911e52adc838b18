# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell what the numbered errors of macOS's directory mean, whichever program prints them.

A number outweighs a sentence: one sentence may stand for many causes, and it may be translated.

The numbers are those of Apple's headers DirServicesConst.h (``-14090``) and CFOpenDirectoryConstants.h (``5000``).

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import re
import typing as t

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._code import Code, MaybeCode

_DIRECTORY = re.compile(r"(?<![\w-])-(14[0-9]{3})(?![0-9])")
_OPEN_DIRECTORY = re.compile(r"\bOpenDirectory Code=([0-9]{4})(?![0-9])|\bCode=(5101)(?![0-9])|\((54[0-9]{2})\)")

_CAUSES: tuple[tuple[Code, frozenset[int]], ...] = (
    ("password_policy", frozenset({5402, 5403, 5404, 5405, 5406, 5407, 14165, *range(14170, 14175)})),
    ("granter_refused", frozenset({5101})),
    # Disabled, expired, inactive, locked, or not at this hour or Mac; a password that has expired or must be changed.
    ("account_refused", frozenset({*range(5301, 5306), 5400, 5401, 5500, 5501})),
    ("account_refused", frozenset({14161, 14162, 14167, 14168, 14169, 14175, 14176})),
    ("password_refused", frozenset({5000, 14090, 14096})),
)
"""What outweighs what, where an answer holds several numbers: the most precise cause first."""

NO_PERMISSION = 14120
"""eDSPermissionError: what root gets without Full Disk Access (transcripts delete-no-fda-27, dscl-delete-rc40-openvox).
-addUser prints it on the way and makes the account all the same, so each other number outweighs it."""


def numbers(text: str) -> frozenset[int]:
    """Return the numbers of errors in what a program said, without their sign."""
    found = [int(number) for number in _DIRECTORY.findall(text)]
    return frozenset(found + [int(one) for match in _OPEN_DIRECTORY.findall(text) for one in match if one])


def cause(said: t.Collection[int]) -> MaybeCode:
    """Return the reason code that the numbers name, "" for none."""
    return next((reason for reason, known in _CAUSES if known & set(said)), "")


def of_status(status: int | None) -> int | None:
    """Return the number, without its sign, that an exit status of dscl stands for: that is its last eight bits (Apple's
    dscl.m). None: it failed otherwise, or not at all."""
    return None if status is None or not 0 < status < 256 else (14090 & ~0xFF) + status
