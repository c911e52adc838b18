# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of every scenario ask for: the Mac at hand, and what earlier steps of the scenario left for them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from seen_by_macos import PLACE, Mac, Seen
from testinfra.host import Host


@pytest.fixture(scope="module")
def mac(host: Host) -> Mac:
    return Mac(host)


@pytest.fixture
def seen(mac: Mac) -> Seen:
    return Seen(PLACE / f"{mac.name}-seen.json")


@pytest.fixture
def result(mac: Mac) -> Any:
    """What converge.yml kept of its runs: `result("predicted")`, `result("reached")`."""
    return lambda when: json.loads((PLACE / f"{mac.name}-{when}.json").read_text())
