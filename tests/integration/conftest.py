# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gives each module of tests a lab with just the Macs that it needs, and an ansible to play on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import pytest

from harness.ansible import Ansible
from maclab.lab import Lab

Macs = Mapping[str, Mapping[str, Any]]


@pytest.fixture(scope="session")
def ansible(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ansible]:
    ansible = Ansible(tmp_path_factory.mktemp("controller"))
    yield ansible
    ansible.close()


@pytest.fixture(scope="module")
def bring_up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Macs], Lab]]:
    """Macs by name, as a scenario describes them; they go away with the module's last test."""
    with ExitStack() as up:
        yield lambda macs: up.enter_context(Lab({"macs": dict(macs)}, tmp_path_factory.mktemp("lab")))
