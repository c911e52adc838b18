# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The last run changed nothing, and in none of them did a secret stand where somebody could read it."""

from __future__ import annotations

from seen_by_macos import PLACE, Mac, Seen

from maclab import journal


def test_nobody_was_authenticated_and_nothing_was_written(mac: Mac, seen: Seen) -> None:
    since = seen.since(mac)
    assert journal.programs(since, "fdesetup"), "the last run did not reach this Mac"
    assert journal.authentications(since) == []
    assert journal.writes(since) == []


def test_no_secret_ever_stood_on_a_command_line_in_an_environment_or_in_a_file(mac: Mac) -> None:
    secrets = [mac.recovery_key, '"granter"']
    said = [word for run in journal.programs(mac.journal) for word in [*run.argv, *run.env.values()]]
    said += [path.read_text() for path in (PLACE / "store").iterdir()]
    assert [text for text in said if any(secret in text for secret in secrets)] == []
