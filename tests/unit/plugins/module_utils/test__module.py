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
from ansible_collections.keyholder.macos.plugins.plugin_utils._exec import Said
from ansible_collections.keyholder.macos.plugins.plugin_utils._shell import compose, parse


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


@pytest.mark.parametrize("platform", ["darwin", "linux"])
def test_a_whole_path_is_that_program_and_on_macos_no_other(
    platform: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Module:
        """Has each program on its PATH."""

        def get_bin_path(self, program: str, opt_dirs: list[str]) -> str:
            """Return the one of that name."""
            return f"/played/{program}"

    monkeypatch.setattr(_module.sys, "platform", platform)
    find = _module.finder(t.cast("t.Any", Module()))
    (tmp_path / "startosinstall").touch(mode=0o755)
    assert find(str(tmp_path / "startosinstall")) == str(tmp_path / "startosinstall")
    (tmp_path / "startosinstall").chmod(0o644)
    for path in (tmp_path / "startosinstall", tmp_path / "absent", tmp_path):
        if platform == "darwin":
            with pytest.raises(LookupError):
                find(str(path))
        else:
            assert find(str(path)) == f"/played/{path.name}"


@pytest.mark.parametrize("macos_program", ["/bin/sh", "/absent"])
def test_the_script_starts_a_whole_path_and_on_macos_no_other(macos_program: str, tmp_path: Path) -> None:
    place = tmp_path / "An app's"
    for folder, name in ((place, "one"), (tmp_path / "path", "one"), (tmp_path / "path", "two")):
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(f'#!/bin/sh\nread -r line\necho "{folder.name} $1 $line"\n', encoding="utf-8")
        (folder / name).chmod(0o755)
    commands = [Command((f"{place}/{name}", "a b"), stdin="typed\n") for name in ("one", "two")]
    done = compose(commands, 5, "mark")
    said = subprocess.run(
        ["/bin/sh", "-c", done.script.replace("-x /usr/bin/fdesetup ", f"-x {macos_program} ")],
        capture_output=True,
        check=True,
        env={"PATH": f"{tmp_path}/path:/usr/bin:/bin"},
    )
    answers = parse(Said(said.returncode, said.stdout, said.stderr), commands, "mark")
    assert (answers[0].rc, answers[0].out) == (0, "An app's a b typed\n")
    assert answers[1].out == ("" if macos_program == "/bin/sh" else "path a b typed\n")
    assert (answers[1].rc == 0) is (macos_program != "/bin/sh")


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
