# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ana's login has enabled FileVault, and the key has moved from the Mac into the store."""

from __future__ import annotations

from seen_by_macos import PLACE, Mac, Seen

from maclab import journal

DEFERRED = ("bergen", "tangier")


def test_the_help_desk_can_read_the_key(mac: Mac) -> None:
    assert mac.root("fdesetup status").stdout.startswith("FileVault is On")
    assert mac.stored_key() == mac.recovery_key


def test_the_file_went_after_the_key_was_validated_twice(mac: Mac, seen: Seen) -> None:
    runs = journal.programs(seen.since(mac))
    order = [run.argv[0] if run.program == "fdesetup" else run.program for run in runs]
    deeds = [word for word in order if word in ("cat", "validaterecovery", "rm")]
    assert deeds == (["cat", "validaterecovery"] * 2 + ["rm"] if mac.name in DEFERRED else [])
    assert mac.files == []
    seen.mark(mac)


def test_no_note_is_left() -> None:
    assert [path for path in (PLACE / "store").iterdir() if path.suffix != ".pem"] == []
