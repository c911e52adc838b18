# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Mac's shell answers by itself, in a real shell: whom Ansible came in by, and where a Python is."""

from __future__ import annotations

import os
import subprocess
import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Ran
from ansible_collections.keyholder.macos.plugins.plugin_utils._asked import (
    PLACES,
    STUB,
    WAY,
    parse_python,
    parse_way,
    python_at,
)
from ansible_collections.keyholder.macos.plugins.plugin_utils._exec import Said
from ansible_collections.keyholder.macos.plugins.plugin_utils._shell import compose, parse

MARK = "keyholder-0123456789abcdef"


def asked(command: t.Any, macos: Path | None = None, **environment: str) -> Ran:
    """Ask in a shell of this machine. ``macos``: what stands for /usr/bin/fdesetup, by which macOS is known."""
    script = compose([command], 20, MARK).script
    if macos is not None:
        script = script.replace("/usr/bin/fdesetup", str(macos)).replace("/usr/bin/python", f"{macos.parent}/python")
        script = script.replace("PATH=/usr/bin:", f"PATH={macos.parent}:/usr/bin:")
    kept = {name: os.environ[name] for name in ("PATH",)}
    done = subprocess.run(["/bin/sh"], input=script.encode(), capture_output=True, env=kept | environment, check=False)
    (ran,) = parse(Said(done.returncode, done.stdout, done.stderr), [command], MARK)
    return ran


@pytest.mark.parametrize(
    ("environment", "names"),
    [
        ({"SUDO_USER": "itadmin", "LOGNAME": "root"}, ("itadmin", "root")),
        ({"DOAS_USER": "ana", "DZDO_USER": "eva", "LOGNAME": "root"}, ("ana", "eva", "root")),
        ({"LOGNAME": "b\u00e4r o'brien"}, ("b\u00e4r o'brien",)),
        ({}, ()),
    ],
)
def test_whom_ansible_came_in_by(environment: dict[str, str], names: tuple[str, ...]) -> None:
    assert parse_way(asked(WAY, **environment)) == names


def test_on_macos_the_login_is_asked_for_as_well(tmp_path: Path) -> None:
    """su leaves LOGNAME as it is for root."""
    program(tmp_path / "logname", "echo ana")
    macos = program(tmp_path / "fdesetup", "exit 0")
    found = asked(WAY, macos, LOGNAME="root")
    assert parse_way(found) == ("root", "ana")


@pytest.mark.parametrize(
    "ran",
    [
        Ran(WAY, None, timed_out=True),
        Ran(WAY, None, "itadmin\n\n\nroot\nro", too_long=True),
        Ran(WAY, None, err="keyholder_way was not found"),
        Ran(WAY, 0),
        Ran(WAY, 1, "itadmin\n"),
    ],
)
def test_a_way_in_that_was_not_told_is_no_way_in_that_is_free_to_take(ran: Ran) -> None:
    """Else the account that Ansible came in by could be deleted."""
    with pytest.raises(Refusal, match="through which accounts Ansible came in"):
        parse_way(ran)


def test_a_login_that_has_no_name_is_none() -> None:
    assert parse_way(Ran(WAY, 1, "itadmin\n\n\nroot\n", "logname: no login name\n")) == ("itadmin", "root")


def program(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="ascii")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(("tools", "found"), [("exit 2", True), ("echo /Library/Developer/CommandLineTools", False)])
def test_the_stub_is_told_from_a_python_and_not_started(tmp_path: Path, tools: str, found: bool) -> None:
    stub = program(tmp_path / "python3", f"touch {tmp_path}/dialog")
    program(tmp_path / "xcode-select", tools)
    ran = asked(STUB, program(tmp_path / "fdesetup", "exit 0"))
    assert (ran.rc == 0, ran.out) == (found, f"{stub}\n" if found else "")
    assert not (tmp_path / "dialog").exists()


def test_a_python_elsewhere_on_macos_is_no_stub(tmp_path: Path) -> None:
    """Homebrew's, where macOS brings none."""
    folder = tmp_path / "homebrew"
    folder.mkdir()
    program(folder / "python3", "exit 0")
    found = asked(STUB, program(tmp_path / "fdesetup", "exit 0"), PATH=f"{folder}:/bin")
    assert (found.rc, found.out) == (1, "")


def test_the_python_that_the_user_names_comes_first(tmp_path: Path) -> None:
    named = program(tmp_path / "with a blank", "exit 0")
    assert parse_python(asked(python_at(str(named)))) == str(named)


@pytest.mark.parametrize("text", ["exit 1", "exit 127"])
def test_what_does_not_start_or_is_too_old_is_passed_over(tmp_path: Path, text: str) -> None:
    assert parse_python(asked(python_at(str(program(tmp_path / "python3", text))))) == ""


@pytest.mark.parametrize("named", ["", "auto", "/nonesuch/python3", "/tmp"])
def test_on_no_mac_the_places_of_macos_are_not_looked_at(named: str) -> None:
    """A Mac of the lab shares its host's file system."""
    assert parse_python(asked(python_at(named))) == ""


@pytest.mark.parametrize("links", [0, 1, 3])
@pytest.mark.parametrize("tools", [False, True])
def test_apples_stub_is_never_started(tmp_path: Path, links: int, tools: bool) -> None:
    started = tmp_path / "started"
    stub = program(tmp_path / "python3", f"touch {started}")
    macos = program(tmp_path / "fdesetup", "exit 0")
    program(tmp_path / "xcode-select", "exit 0" if tools else "exit 2")
    for number in range(links):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "link").symlink_to(os.path.relpath(stub, folder) if number % 2 else stub)
        stub = folder / "link"
    found = asked(python_at(str(stub)), macos)
    assert parse_python(found) == (str(stub) if tools else "")
    assert started.exists() is tools


def test_what_belongs_to_root_comes_first_as_in_the_role_python() -> None:
    assert PLACES[0].startswith("/Library/") and PLACES[-1] == "/usr/local/bin/python3"
    defaults = Path(__file__).parents[4] / "roles" / "python" / "defaults" / "main.yml"
    listed = yaml.safe_load(defaults.read_text(encoding="utf-8"))["python_candidates"]
    # The role knows patterns, too.
    assert [place for place in listed if "*" not in place] == list(PLACES)
