# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold where a Mac's power comes from. Pure.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Power:
    """Hold what the Mac draws its power from: ac, battery, ups or unknown. ``percent``: the charge of its own battery;
    None: it has none, or it was not said."""

    source: str = "unknown"
    percent: int | None = None
