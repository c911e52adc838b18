# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever moment the power went at, the store and the Mac agree again, nothing was reset, and no login failed."""

from __future__ import annotations

import pytest
from seen_by_macos import PLACE, Mac, Seen

from maclab import journal

CUT = ("bergen", "osaka", "reykjavik")


def test_the_store_knows_the_password_and_the_key_follows(mac: Mac) -> None:
    if mac.name == "tangier":
        pytest.skip("its key was stale before")
    stored = mac.stored_password("itadmin")
    assert stored["pending"] == ""
    assert mac.password_is("itadmin", stored["current"])
    assert mac.unlocks("itadmin", stored["current"])
    assert set(mac.by_all_three_sources("itadmin")) == {mac.name != "graz"}


def test_the_cut_came_while_a_password_was_set(mac: Mac) -> None:
    killed = [run.program for run in journal.programs(mac.journal) if run.killed]
    assert bool(killed) == (mac.name in CUT)


def test_nothing_was_reset_and_no_login_failed(mac: Mac, seen: Seen) -> None:
    runs = journal.programs(mac.journal)
    assert not [run for run in runs if "-resetPasswordFor" in run.argv]
    assert all(right for _user, right in journal.authentications(mac.journal))


def test_a_stale_key_was_met_and_nothing_was_changed(mac: Mac) -> None:
    if mac.name != "tangier":
        pytest.skip("its key is fine")
    assert journal.writes(mac.journal) == []
    assert mac.password_is("itadmin", 'it\'s {the} "first" $1')
    assert not (PLACE / "store" / "tangier.itadmin.age").exists()
