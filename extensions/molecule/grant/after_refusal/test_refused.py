# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Neither the second run nor the refusal wrote anything, or tried a password."""

from __future__ import annotations

from seen_by_macos import Mac, Seen

from maclab import journal


def test_nobody_was_authenticated_and_nothing_was_written(mac: Mac, seen: Seen) -> None:
    since = seen.since(mac)
    assert journal.programs(since, "sysctl"), "neither the second run nor the refusal reached this Mac"
    assert journal.authentications(since) == []
    assert journal.writes(since) == []


def test_the_refused_one_holds_no_token(mac: Mac) -> None:
    assert set(mac.by_all_three_sources("luc")) == {mac.name != "tangier"}
