# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server has the token, the volume knows it, and macOS was asked whether it works."""

from __future__ import annotations

from seen_by_macos import Mac, Seen

from maclab import journal

BOOTSTRAP_TOKEN = "2457711A-523C-4604-B75A-F48A571D5036"
SAYS_SO_ITSELF = ("quebec", "tangier")


def test_the_token_is_escrowed_and_a_crypto_user(mac: Mac) -> None:
    assert mac.bootstrap_token_escrowed
    assert BOOTSTRAP_TOKEN in mac.crypto_users


def test_it_was_proven_by_the_cheapest_means(mac: Mac) -> None:
    asked = [run for run in journal.programs(mac.journal, "profiles") if "validate" in run.argv]
    assert len(asked) == (mac.name not in SAYS_SO_ITSELF)
    assert bool(journal.programs(mac.journal, "mdmclient")) == (mac.name in SAYS_SO_ITSELF)


def test_only_the_granter_was_authenticated_and_only_where_needed(mac: Mac, seen: Seen) -> None:
    answers = set(journal.authentications(seen.since(mac)))
    assert answers == (set() if mac.name == "tangier" else {("itadmin", True)})
    seen.mark(mac)
