# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check mode looked, and did nothing else."""

from __future__ import annotations

from typing import Any

from seen_by_macos import Mac, Seen

from maclab import journal


def test_nobody_was_authenticated_and_nothing_was_written(mac: Mac, seen: Seen) -> None:
    assert journal.programs(mac.journal), "the role did not reach this Mac"
    assert journal.authentications(mac.journal) == []
    assert journal.writes(mac.journal) == []
    seen.mark(mac)


def test_the_mac_is_as_it_was(mac: Mac) -> None:
    assert not mac.exists("ada")
    assert mac.by_all_three_sources("eve") == (False, False, False)
    assert mac.by_all_three_sources("kari") == (True, True, True)


def test_it_predicted_two_changes(result: Any) -> None:
    changed = {name for name, state in result("predicted").items() if state["before"] != state["after"]}
    assert changed == {"ada", "eve"}
