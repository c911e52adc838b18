# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The second run found everything in order, without a login."""

from __future__ import annotations

from seen_by_macos import Mac, Seen

from maclab import journal


def test_nobody_was_authenticated_and_nothing_was_written(mac: Mac, seen: Seen) -> None:
    since = seen.since(mac)
    assert journal.programs(since, "sysctl")
    assert journal.authentications(since) == []
    assert journal.writes(since) == []


def test_no_password_ever_stood_on_a_command_line_or_in_an_environment(mac: Mac) -> None:
    secrets = ['"first"', mac.stored_password("itadmin")["current"]]
    for run in journal.programs(mac.journal):
        said = "\n".join([*run.argv, *run.env.values()])
        assert not [secret for secret in secrets if secret in said], run.program
