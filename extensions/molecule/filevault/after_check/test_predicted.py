# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check mode looked, and did nothing else, neither on the Macs nor here."""

from __future__ import annotations

from seen_by_macos import PLACE, Mac, Seen

from maclab import journal


def test_nobody_was_authenticated_and_nothing_was_written(mac: Mac, seen: Seen) -> None:
    assert journal.programs(mac.journal, "fdesetup"), "the role did not reach this Mac"
    assert journal.authentications(mac.journal) == []
    assert journal.writes(mac.journal) == []
    seen.mark(mac)


def test_filevault_is_off_and_nothing_is_stored(mac: Mac) -> None:
    assert mac.root("fdesetup status").stdout == "FileVault is Off.\n"
    assert not (PLACE / "store").exists()
