# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check mode looked, and did nothing else."""

from __future__ import annotations

from seen_by_macos import PLACE, Mac, Seen

from maclab import journal


def test_nobody_was_authenticated_and_nothing_was_written(mac: Mac, seen: Seen) -> None:
    assert bool(journal.programs(mac.journal, "sysctl")) == (mac.name != "tangier")
    assert journal.authentications(mac.journal) == []
    assert journal.writes(mac.journal) == []
    seen.mark(mac)


def test_the_store_is_as_it_was() -> None:
    assert not (PLACE / "store").exists()
