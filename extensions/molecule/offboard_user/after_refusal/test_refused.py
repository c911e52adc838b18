# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The last administrator with a token is still there, and so is she who is logged in."""

from __future__ import annotations

from seen_by_macos import Mac


def test_nobody_was_removed(mac: Mac) -> None:
    assert mac.exists("itadmin")
    assert set(mac.by_all_three_sources("itadmin")) == {True}
    assert mac.exists("ana") == (mac.name == "tangier")
