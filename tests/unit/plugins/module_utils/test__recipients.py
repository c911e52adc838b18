# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates lie where only the runner can change them, and for the time of one program."""

from __future__ import annotations

import os
import stat
import typing as t
from pathlib import Path

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._run import recipients as _recipients
from ansible_collections.keyholder.macos.plugins.module_utils._run.recipients import Recipients
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command, Ran, Secret

CERTIFICATE = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"


class Openssl:
    """Notes the folder of the certificates, and fails as it is told."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.folder = ""
        self._failure = failure

    def run(self, command: Command, deadline: float = 1) -> Ran:
        """Check the folder while it is there."""
        paths = [part for part in command.argv if part.endswith(".pem")]
        assert [Path(path).read_text(encoding="ascii") for path in paths] == [CERTIFICATE + "\n"] * 2
        self.folder = os.path.dirname(paths[0])
        assert stat.S_IMODE(os.stat(self.folder).st_mode) == stat.S_IRWXU
        if self._failure:
            raise self._failure
        return Ran(command, 1, err="no")


@pytest.mark.parametrize("failure", [None, OSError("broken")])
def test_the_folder_is_private_not_in_tmpdir_and_gone(
    failure: Exception | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "root"
    place.mkdir()
    monkeypatch.setattr(_recipients, "PLACE", str(place))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    openssl = Openssl(failure)
    with pytest.raises((Refusal, OSError)):
        Recipients([CERTIFICATE] * 2).encrypt(Secret("x"), t.cast("t.Any", openssl), 1)
    assert os.path.dirname(openssl.folder) == str(place)
    assert not os.path.exists(openssl.folder)


def test_a_folder_that_cannot_be_made_is_a_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_recipients, "PLACE", str(tmp_path / "absent"))
    with pytest.raises(Refusal, match="could be made"):
        Recipients([CERTIFICATE]).encrypt(Secret("x"), t.cast("t.Any", Openssl()), 1)


def test_a_folder_that_others_can_enter_is_not_used_and_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def open_to_all(**_options: object) -> str:
        folder = tmp_path / "open"
        folder.mkdir()
        folder.chmod(0o755)
        return str(folder)

    monkeypatch.setattr(_recipients.tempfile, "mkdtemp", open_to_all)
    with pytest.raises(Refusal, match="not private"):
        Recipients([CERTIFICATE]).encrypt(Secret("x"), t.cast("t.Any", Openssl()), 1)
    assert not (tmp_path / "open").exists()


def test_the_controller_encrypts_where_its_own_account_may_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A controller may be a Mac too, and no root there."""
    monkeypatch.setattr(_recipients, "PLACE", str(tmp_path / "absent"))
    here = Openssl()
    nowhere = t.cast("t.Any", None)
    with pytest.raises(Refusal, match="nothing could be encrypted"):
        Recipients([CERTIFICATE] * 2, t.cast("t.Any", here)).encrypt(Secret("x"), nowhere, 1)
    assert here.folder and not os.path.exists(here.folder)
