# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was refused has installed nothing, but for the package that puts its Python elsewhere; the stub slept on."""

from __future__ import annotations

from seen_by_macos import Mac, Seen

from maclab import journal


def test_only_the_package_of_another_place_was_installed(mac: Mac, seen: Seen) -> None:
    refused = mac.name in ("bergen", "quebec")
    assert len(journal.programs(seen.since(mac), "installer")) == (1 if refused else 0)


def test_the_stub_was_never_started(mac: Mac) -> None:
    assert journal.programs(mac.journal)
    assert not journal.programs(mac.journal, "python3")
