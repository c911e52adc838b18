# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Luc holds a token where a granter could grant it, and macOS's own commands say so."""

from __future__ import annotations

from seen_by_macos import Mac, Seen

from maclab import journal


def test_holds_a_token_by_all_three_sources(mac: Mac) -> None:
    assert set(mac.by_all_three_sources("luc")) == {mac.name != "tangier"}


def test_both_were_authenticated_and_nobody_in_vain(mac: Mac, seen: Seen) -> None:
    answers = journal.authentications(mac.journal)
    expected = set() if mac.name == "tangier" else {("itadmin", True), ("luc", True)}
    assert set(answers) == expected
    seen.mark(mac)
