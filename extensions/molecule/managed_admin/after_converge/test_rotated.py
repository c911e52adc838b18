# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each Mac has a password of its own, which the store knows and the old one is not, and the token works."""

from __future__ import annotations

import pytest
from seen_by_macos import PLACE, Mac, Seen

from maclab import journal


def test_the_store_knows_the_password_and_the_key_follows(mac: Mac) -> None:
    if mac.name == "tangier":
        pytest.skip("not in this play")
    stored = mac.stored_password("itadmin")
    assert stored["pending"] == ""
    assert len(stored["current"]) == 24
    assert mac.password_is("itadmin", stored["current"])
    assert mac.unlocks("itadmin", stored["current"])
    assert not mac.password_is("itadmin", 'it\'s {the} "first" $1')


def test_the_token_is_kept(mac: Mac) -> None:
    assert set(mac.by_all_three_sources("itadmin")) == {mac.name != "graz"}


def test_no_two_macs_share_a_password(mac: Mac) -> None:
    files = sorted((PLACE / "store").glob("*.age"))
    assert [path.name.split(".")[0] for path in files] == ["bergen", "graz", "lisbon", "osaka", "reykjavik"]
    passwords = {mac.stored_password("itadmin", host=path.name.split(".")[0])["current"] for path in files}
    assert len(passwords) == len(files)


def test_nobody_was_authenticated_in_vain(mac: Mac, seen: Seen) -> None:
    assert all(right for _user, right in journal.authentications(mac.journal))
    seen.mark(mac)
