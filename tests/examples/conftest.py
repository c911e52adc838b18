# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Installs the collection as its users do, and brings up one lab with the Macs of all scenes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from checks import package
from checks.execution import Job
from harness.ansible import binaries
from maclab.lab import Lab
from stage.data import played


@pytest.fixture(scope="session")
def installed() -> Path:
    """A collections path with nothing in it but this collection, built and installed by the core under test."""
    name = f"examples-{binaries().parent.name}"
    return package.installed(Job(f"{name}-install", os.environ), name, binaries() / "ansible-galaxy")


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    macs = {scene.inside(name): mac for scene in played() for name, mac in scene.macs.items()}
    with Lab({"sudo_password": False, "macs": macs}, tmp_path_factory.mktemp("lab")) as lab:
        yield lab
