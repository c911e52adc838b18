# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ana and Luc are gone with all that was theirs, their homes are put aside, and somebody can still grant."""

from __future__ import annotations

import pytest
from seen_by_macos import Mac, Seen

from maclab import journal


@pytest.fixture(autouse=True)
def _in_this_play(mac: Mac) -> None:
    if mac.name == "tangier":
        pytest.skip("not in this play")


def test_no_source_names_them_any_more(mac: Mac) -> None:
    assert not mac.exists("ana")
    assert not mac.exists("luc")
    assert mac.filevault_users <= {"itadmin", "(null)"}
    assert mac.people_with_a_key() == {mac.attribute("itadmin", "GeneratedUID")}


def test_the_administrator_still_holds_a_token(mac: Mac) -> None:
    assert set(mac.by_all_three_sources("itadmin")) == {True}


def test_the_homes_were_put_aside_and_read_before_the_accounts_went(mac: Mac, seen: Seen) -> None:
    for name in ("ana", "luc"):
        runs = [run for run in journal.programs(mac.journal) if any(name in word for word in run.argv)]
        order = [
            run.argv[0] for run in runs if run.program in ("tar", "sysadminctl") and run.argv[0] != "-secureTokenStatus"
        ]
        assert order == ["-c", "-t", "-deleteUser"]
    assert journal.authentications(mac.journal) == []
    seen.mark(mac)
