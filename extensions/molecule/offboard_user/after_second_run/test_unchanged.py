# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The second run found nobody to remove."""

from __future__ import annotations

import pytest
from seen_by_macos import Mac, Seen

from maclab import journal


def test_nothing_was_written(mac: Mac, seen: Seen) -> None:
    if mac.name == "tangier":
        pytest.skip("not in this play")
    since = seen.since(mac)
    assert journal.programs(since, "sysctl")
    assert journal.writes(since) == []
