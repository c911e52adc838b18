# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take out of what a program prints the lines that are none of its own.

In a virtual Mac, frameworks tell of drivers that are not there, in whichever program they are loaded (seen inside
sysadminctl's output, 27.0.1).

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import re

_STRAY = re.compile(r"^IOServiceMatchingfailed for: [^\n]*\n?", re.MULTILINE)


def without(text: str) -> str:
    """Return ``text`` without the lines that another program's framework has put there."""
    return _STRAY.sub("", text)
