# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom a run came in by: who logged in, whoever became root from there, and root where nobody did."""

from __future__ import annotations

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils import _module_change

NAMES = ("SUDO_USER", "DOAS_USER", "DZDO_USER", "LOGNAME")


@pytest.mark.parametrize(
    ("environment", "login", "found"),
    [
        ({"SUDO_USER": "itadmin", "LOGNAME": "root"}, "", {"itadmin"}),
        ({"SUDO_USER": "ITAdmin", "LOGNAME": "root"}, "", {"itadmin"}),
        ({"DOAS_USER": "itadmin", "LOGNAME": "root"}, "", {"itadmin"}),
        ({"DZDO_USER": "itadmin", "LOGNAME": "root"}, "", {"itadmin"}),
        ({"SUDO_USER": "ben", "LOGNAME": "root"}, "ana", {"ana", "ben"}),
        ({"LOGNAME": "ana"}, "", {"ana"}),
        ({"LOGNAME": "ana"}, "ana", {"ana"}),
        ({"LOGNAME": "root"}, "", {"root"}),
        ({"LOGNAME": "root"}, "root", {"root"}),
        ({"SUDO_USER": "root", "LOGNAME": "root"}, "ana", {"ana"}),
        ({}, "", set()),
    ],
)
def test_who_came_in(environment: dict[str, str], login: str, found: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(_module_change.sys, "platform", "darwin")
    monkeypatch.setattr(_module_change.os, "getlogin", lambda: login)
    assert _module_change.came_in_by() == found
