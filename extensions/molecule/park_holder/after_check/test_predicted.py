# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check mode looked, and did nothing else."""

from __future__ import annotations

from seen_by_macos import Mac

from maclab import journal


def test_nobody_was_authenticated_and_nothing_was_written(mac: Mac) -> None:
    assert journal.programs(mac.journal, "sysctl")
    assert journal.authentications(mac.journal) == []
    assert journal.writes(mac.journal) == []
    assert mac.exists("unlock")
