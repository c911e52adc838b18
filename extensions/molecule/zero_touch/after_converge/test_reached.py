# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each Mac has one holder, whose new password the store knows, its Bootstrap Token escrowed, and FileVault on."""

from __future__ import annotations

import pytest
from seen_by_macos import PLACE, Mac, Seen

from maclab import journal


def test_the_administrator_alone_holds_a_token(mac: Mac) -> None:
    assert mac.by_all_three_sources("itadmin") == (True, True, True)
    assert mac.by_all_three_sources("ansible") == (False, False, False)


def test_the_store_knows_the_password_and_the_key_follows(mac: Mac) -> None:
    stored = mac.stored_password("itadmin")
    assert stored["pending"] == "" != stored["current"] != 'it\'s {the} "first" $1'
    assert mac.password_is("itadmin", stored["current"])
    assert mac.unlocks("itadmin", stored["current"])


def test_the_token_is_escrowed_where_there_is_an_mdm(mac: Mac) -> None:
    if mac.name == "tangier":
        pytest.skip("it is not enrolled")
    assert mac.bootstrap_token_escrowed


def test_filevault_is_on_where_it_was_asked_for(mac: Mac) -> None:
    assert ("FileVault is On" in mac.root("fdesetup status").stdout) is (mac.name != "osaka")
    assert (PLACE / "keys" / f"{mac.name}.age").exists() is (mac.name != "osaka")


def test_nobody_was_authenticated_in_vain(mac: Mac, seen: Seen) -> None:
    tried = journal.authentications(mac.journal)
    assert tried and all(right for _user, right in tried)
    seen.mark(mac)
