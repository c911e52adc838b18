# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everybody has a mobile account and a token, and macOS's own commands say so."""

from __future__ import annotations

from typing import Any

import pytest
from seen_by_macos import Mac, Seen

from maclab import journal


@pytest.mark.parametrize("user", ["itadmin", "ada", "eve", "kari"])
def test_holds_a_token_by_all_three_sources(mac: Mac, user: str) -> None:
    assert mac.by_all_three_sources(user) == (True, True, True)


def test_the_new_account_is_the_directorys_person(mac: Mac) -> None:
    assert mac.attribute("ada", "RealName") == "Ada Łucja Lovelace"
    assert mac.attribute("ada", "NFSHomeDirectory") == "/Users/staff/ada"
    assert mac.attribute("ada", "OriginalNodeName").endswith("/Active Directory/CORP/corp.example.com")
    assert ";LocalCachedUser;" in mac.attribute("ada", "AuthenticationAuthority")
    assert int(mac.host.run("id -u ada").stdout) > 1000


def test_it_is_what_check_mode_had_predicted(result: Any) -> None:
    predicted, reached = result("predicted"), result("reached")
    assert predicted.keys() == reached.keys()
    for name, state in predicted.items():
        foreseen = {key: value for key, value in state["after"].items() if value not in (None, "")}
        assert foreseen.items() <= reached[name]["after"].items(), name


def test_the_setting_of_the_dialog_was_reported(mac: Mac, result: Any) -> None:
    key = "cachedaccounts.askForSecureTokenAuthBypass"
    said = mac.host.run(f'defaults read "/Library/Managed Preferences/com.apple.MCX" {key}')
    for state in result("reached").values():
        assert state["after"]["token_dialog_suppressed"] is (said.stdout.strip() == "1")


def test_only_those_were_authenticated_whose_password_was_needed(mac: Mac, seen: Seen) -> None:
    answers = journal.authentications(seen.since(mac))
    assert {user for user, _right in answers} <= {"itadmin", "ada", "eve"}
    assert all(right for _user, right in answers)


def test_the_preboot_volume_was_updated_for_each_change(mac: Mac, seen: Seen) -> None:
    updates = [run for run in journal.programs(mac.journal, "diskutil") if "updatePreboot" in run.argv]
    assert len(updates) == 2
    seen.mark(mac)
