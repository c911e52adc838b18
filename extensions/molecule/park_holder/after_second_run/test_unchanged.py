# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The second run found nothing to do."""

from __future__ import annotations

from seen_by_macos import Mac, Seen

from maclab import journal


def test_nothing_was_written(mac: Mac, seen: Seen) -> None:
    since = seen.since(mac)
    assert journal.programs(since, "sysctl")
    assert journal.writes(since) == []
