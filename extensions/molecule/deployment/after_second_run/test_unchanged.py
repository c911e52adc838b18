# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Neither the second run nor a refusal wrote anything or tried a password; the tag is off where that was asked for."""

from __future__ import annotations

from seen_by_macos import Mac, Seen

from maclab import journal


def test_nobody_was_authenticated_and_nothing_was_written(mac: Mac, seen: Seen) -> None:
    since = seen.since(mac)
    assert journal.programs(since, "sysctl")
    assert journal.authentications(since) == []
    assert bool(journal.writes(since)) == (mac.name == "service")


def test_the_tag_is_off(mac: Mac) -> None:
    assert mac.exists("svc") is (mac.name == "service")
    if mac.exists("svc"):
        assert "DisabledTags" not in mac.attribute("svc", "AuthenticationAuthority")
        assert mac.by_all_three_sources("svc") == (False, False, False)


def test_no_password_ever_stood_on_a_command_line_or_in_an_environment(mac: Mac) -> None:
    for run in journal.programs(mac.journal):
        said = "\n".join([*run.argv, *run.env.values()])
        for secret in ('"granter"', "salma-au-port-3", "ana-fado-2", "the-service-4"):
            assert secret not in said, run.program
