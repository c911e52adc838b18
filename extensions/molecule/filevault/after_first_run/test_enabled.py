# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""FileVault is on, and the help desk, but nobody else, has the key; or it waits for Ana."""

from __future__ import annotations

import pytest
from seen_by_macos import PLACE, Mac, Seen

from maclab import journal

DEFERRED = ("bergen", "tangier")


def test_filevault_is_on_or_waits_for_ana(mac: Mac, seen: Seen) -> None:
    status = mac.root("fdesetup status").stdout
    if mac.name in DEFERRED:
        assert "Deferred enablement appears to be active for user 'ana'" in status
    else:
        assert status.startswith("FileVault is On")
        assert {"itadmin", "ana"} <= mac.filevault_users
    assert {right for _, right in journal.authentications(seen.since(mac))} <= {True}
    seen.mark(mac)


def test_only_the_help_desk_can_read_the_key(mac: Mac) -> None:
    if mac.name in DEFERRED:
        pytest.skip("there is no key yet")
    assert mac.stored_key() == mac.recovery_key
    assert (PLACE / "store" / f"{mac.name}.pem").stat().st_mode & 0o777 == 0o600


def test_nothing_else_is_in_the_store() -> None:
    store = PLACE / "store"
    assert {path.name for path in store.iterdir()} == {"graz.pem", "quebec.pem"}
    assert store.stat().st_mode & 0o777 == 0o700
