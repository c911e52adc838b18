# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that may get a secret come from the system's folders on macOS, and from PATH where a Mac is played."""

from __future__ import annotations

import subprocess
import typing as t
from pathlib import Path

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils import _module
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command
from ansible_collections.keyholder.macos.plugins.plugin_utils._shell import compose


def test_macos_looks_in_its_own_folders_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_module.sys, "platform", "darwin")
    assert _module.folders()[:4] == ["/usr/bin", "/bin", "/usr/sbin", "/sbin"]
    assert "/usr/libexec" in _module.folders()


def test_a_played_mac_keeps_its_own_programs_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_module.sys, "platform", "linux")
    assert not {"/usr/bin", "/bin", "/usr/sbin", "/sbin"} & set(_module.folders())


@pytest.mark.parametrize(("platform", "first"), [("darwin", "system"), ("linux", "path")])
def test_the_finder_takes_the_program_of_the_first_folder(
    platform: str, first: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("system", "path"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "openssl").touch(mode=0o755)

    class Module:
        """Finds programs as AnsibleModule does."""

        def get_bin_path(self, program: str, opt_dirs: list[str]) -> str:
            """Return the first one."""
            looked = [Path(folder, program) for folder in (*opt_dirs, str(tmp_path / "path"))]
            return str(next(path for path in looked if path.exists()))

    monkeypatch.setattr(_module, "SYSTEM", (str(tmp_path / "system"),))
    monkeypatch.setattr(_module.sys, "platform", platform)
    assert _module.finder(t.cast("t.Any", Module()))("openssl") == str(tmp_path / first / "openssl")


@pytest.mark.parametrize(("macos_program", "first"), [("/bin/sh", "system"), ("/absent", "path")])
def test_the_script_takes_the_systems_program_where_macos_is(macos_program: str, first: str, tmp_path: Path) -> None:
    for folder in ("system", "path"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "fdesetup").write_text(f"#!/bin/sh\necho {folder}\n", encoding="ascii")
        (tmp_path / folder / "fdesetup").chmod(0o755)
    script = compose([Command(("fdesetup", "status"))], 5, "mark").script
    played = script.replace("-x /usr/bin/fdesetup ", f"-x {macos_program} ").replace(
        "PATH=/usr/bin:/bin:/usr/sbin:/sbin:", f"PATH={tmp_path}/system:"
    )
    said = subprocess.run(
        ["/bin/sh"],
        input=played,
        capture_output=True,
        encoding="ascii",
        env={"PATH": f"{tmp_path}/path:/usr/bin:/bin"},
        check=True,
    )
    assert first.encode().hex() in said.stdout.replace(" ", "")
