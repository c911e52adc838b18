# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gives each module of tests a lab with just the Macs that it needs, and an ansible to play on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from harness.ansible import Ansible, on_oldest_core
from maclab.lab import Lab

Macs = Mapping[str, Mapping[str, Any]]


@pytest.fixture(scope="session")
def ansible(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ansible]:
    ansible = Ansible(tmp_path_factory.mktemp("controller"))
    yield ansible
    ansible.close()


@pytest.fixture(scope="module")
def controller(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where :func:`own` leaves what it leaves: the files of one module of tests, which may be searched."""
    return tmp_path_factory.mktemp("own") / "controller"


@pytest.fixture(scope="module")
def own(controller: Path) -> Iterator[Ansible]:
    """An ansible whose files on the controller are this module's alone."""
    ansible = Ansible(controller)
    yield ansible
    ansible.close()


@pytest.fixture(scope="module")
def bring_up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Macs], Lab]]:
    """Macs by name, as a scenario describes them; they go away with the module's last test. Their sudo asks only where
    the scenario says so."""
    with ExitStack() as up:
        yield lambda macs: up.enter_context(
            Lab({"sudo_password": False, "macs": dict(macs)}, tmp_path_factory.mktemp("lab"))
        )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "every_core: runs on the oldest ansible-core too, and not only on the newest")
    config.addinivalue_line("markers", "oldest_core: runs on the oldest alone")
    config.addinivalue_line("markers", "newest_core: runs on the newest alone, in a file whose other tests run on each")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The oldest ansible-core gets what tells whether it is supported; what the collection does is the same on all."""
    oldest = on_oldest_core()
    left_out = [item for item in items if not _runs(item, oldest)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if _runs(item, oldest)]


def _runs(item: pytest.Item, oldest: bool) -> bool:
    every, of_oldest, of_newest = (
        item.get_closest_marker(f"{which}_core") is not None for which in ("every", "oldest", "newest")
    )
    return (every or of_oldest) and not of_newest if oldest else not of_oldest
