# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each Mac has the people that its situation allows, and nobody has more than was meant."""

from __future__ import annotations

from seen_by_macos import Mac, Seen

from maclab import journal

HOLDERS = {
    "setup-escrowed": {"salma"},
    "setup-alone": {"salma", "itadmin"},
    "by-command": {"itadmin"},
    "nobody-new": {"itadmin"},
    "nobody-old": {"itadmin"},
    "service": {"itadmin"},
    "keyboard": set(),
}
QUIET = {"setup-escrowed", "by-command"}


def test_who_holds_a_token_by_all_three_sources(mac: Mac) -> None:
    people = [name for name in ("itadmin", "salma", "ana", "svc") if mac.exists(name)]
    said = {name: mac.by_all_three_sources(name) for name in people}
    assert all(len(set(sources)) == 1 for sources in said.values())
    assert {name for name, sources in said.items() if all(sources)} == HOLDERS[mac.name]


def test_the_one_who_was_promoted_is_a_standard_user_again(mac: Mac) -> None:
    lent = [run for run in journal.programs(mac.journal, "dseditgroup") if run.writes and "salma" in run.argv]
    assert len(lent) == (2 if mac.name == "setup-alone" else 0)
    assert mac.jobs == []
    assert "keyholder_pending" not in mac.root("dscl . -read /Users/root").stdout
    if mac.exists("salma"):
        assert "is not a member" in mac.root("dsmemberutil checkmembership -U salma -G admin").stdout


def test_the_service_administrator_was_tagged_before_its_first_password(mac: Mac) -> None:
    tagged = mac.exists("svc") and ";DisabledTags;SecureToken" in mac.attribute("svc", "AuthenticationAuthority")
    assert tagged is (mac.name == "service")


def test_where_a_login_brings_the_token_nobody_was_authenticated(mac: Mac, seen: Seen) -> None:
    assert set(HOLDERS) > QUIET
    assert mac.name not in QUIET or journal.authentications(mac.journal) == []
    seen.mark(mac)
