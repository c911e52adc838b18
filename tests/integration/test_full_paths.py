# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules read and change a Mac of a lab with full paths, by Python and by its shell, as they do without them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from harness.ansible import Ansible
from harness.batch import Played, Step, play, token
from harness.macs import person
from maclab.lab import Lab

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="paths in full need the namespaces of Linux")

READ = Step("read", "trust_info")
PEOPLE = [person("itadmin", admin=True, token=True), person("ana")]
MACS: dict[str, dict[str, Any]] = {
    "by-python": {"macos": "15.6", "accounts": PEOPLE},
    "by-shell": {"macos": "26.1", "python": "none", "accounts": PEOPLE},
}
GRANT = token(
    "grant",
    "ana",
    password=PEOPLE[1]["password"],
    admin_user="itadmin",
    admin_password=PEOPLE[0]["password"],
)
STEPS = [READ, GRANT, GRANT.but("again")]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab({"macs": MACS}, tmp_path_factory.mktemp("lab"), full_paths=True) as lab:
        yield lab


@pytest.fixture(scope="module")
def played(ansible: Ansible, lab: Lab) -> Played:
    return play(ansible, lab, dict.fromkeys(MACS, STEPS))


@pytest.mark.parametrize("host", MACS)
def test_a_mac_is_read_and_changed_once(played: Played, lab: Lab, host: str) -> None:
    assert played[host, "read"].result["mac"]["holders"] == ["itadmin"]
    assert played[host, "grant"].changed and not played[host, "again"].changed, played[host, "again"]
    assert lab.mac(host).state().accounts["ana"].has_authority_token
