# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check of the execution environments notices what an image would lack."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from checks import images
from checks.execution import CheckFailed

WHOLE = "openssh-clients [platform:rpm]\nopenssh-client [platform:dpkg]\nsshpass  # from collection keyholder.macos\n"


def test_what_it_asks_for_has_a_name_for_each_kind_of_package() -> None:
    images._check_system("one", WHOLE)


@pytest.mark.parametrize("lacking", WHOLE.splitlines())
def test_a_name_that_is_missing_is_noticed(lacking: str) -> None:
    with pytest.raises(CheckFailed, match="the image would hold"):
        images._check_system("one", WHOLE.replace(lacking, ""))


@pytest.mark.parametrize(
    ("answers", "engine"), [(set(), None), ({"docker"}, "docker"), ({"podman", "docker"}, "podman")]
)
def test_an_engine_is_one_that_answers(monkeypatch: pytest.MonkeyPatch, answers: set[str], engine: str | None) -> None:
    """A client may be installed without anything behind it."""

    def run(argv: list[str], **_other: Any) -> subprocess.CompletedProcess[bytes]:
        return subprocess.CompletedProcess(argv, 0 if argv[0] in answers else 1)

    monkeypatch.setattr(images.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(images.subprocess, "run", run)
    assert images._engine() == engine
