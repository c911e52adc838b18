# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The second run found the Python that the first had installed."""

from __future__ import annotations

from seen_by_macos import Mac, Seen

from maclab import journal


def test_nothing_was_installed_or_fetched_again(mac: Mac, seen: Seen) -> None:
    since = seen.since(mac)
    for program in ("installer", "curl", "shasum", "python3"):
        assert journal.programs(since, program) == []
    assert journal.writes(since) == []
