# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ana holds a token by all three sources, her password opens its key, and nobody else was touched."""

from __future__ import annotations

from seen_by_macos import Mac, Seen

from maclab import journal


def test_ana_holds_a_token_whose_key_her_password_opens(mac: Mac) -> None:
    assert set(mac.by_all_three_sources("ana")) == {True}
    assert mac.password_is("ana", "ana-fado-2")
    assert mac.unlocks("ana", "ana-fado-2")


def test_the_administrator_is_what_it_was(mac: Mac) -> None:
    assert set(mac.by_all_three_sources("itadmin")) == {True}


def test_no_crypto_user_is_left_of_nobody(mac: Mac) -> None:
    assert mac.people_with_a_key() == {mac.attribute(user, "GeneratedUID") for user in ("itadmin", "ana")}


def test_nobody_was_authenticated_in_vain(mac: Mac, seen: Seen) -> None:
    assert all(right for _user, right in journal.authentications(mac.journal))
    seen.mark(mac)


def test_the_preboot_volume_knows_both(mac: Mac) -> None:
    assert {mac.attribute(user, "GeneratedUID") for user in ("itadmin", "ana")} <= mac.in_preboot
