# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The script of the role python, over SSH on Macs without one: what it takes, passes over, installs and refuses."""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from checks.environments import ROOT
from harness.ansible import Ansible
from harness.macs import person
from maclab import journal, layout
from maclab.lab import Handle, Lab

ROLE = ROOT / "roles" / "python"
SCRIPT = (ROLE / "files" / "python.sh").read_text(encoding="utf-8")
PACKAGE = "maclab package: A Python\npython opt/py/bin/python3\n"
SUM = hashlib.sha256(PACKAGE.encode()).hexdigest()
STUB = "/usr/bin/python3"
"""As people write it; in what reaches a Mac of the lab, the Mac's own file stands for it."""
SHELLS = ("/bin/sh", "bash --posix")


@pytest.fixture(scope="module")
def lab(bring_up: Callable[[Mapping[str, Any]], Lab]) -> Lab:
    return bring_up({"bare": {"macos": "15.6", "python": "stub", "accounts": [person("itadmin")]}})


@pytest.fixture
def bare(lab: Lab) -> Iterator[Handle]:
    here = lab.mac("bare")
    here.reset()
    yield here
    assert not journal.programs(here.journal(), "python3"), "the stub was started"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    path = tmp_path / "a python.pkg"
    path.write_text(PACKAGE)
    return path


def stub_of(here: Handle) -> Path:
    return here.folder.bin.resolve() / "python3"


class Said(dict[str, str]):
    """What the script said: a value for each key; `passed_over` has a path for each that was."""

    def __init__(self, text: str) -> None:
        lines = [line.removeprefix("keyholder-python ") for line in text.splitlines() if line.startswith("keyholder-")]
        super().__init__(tuple(line.split(" ", 1)) for line in lines if not line.startswith("passed-over"))
        self.passed_over = [line.removeprefix("passed-over ") for line in lines if line.startswith("passed-over")]

    @property
    def reason(self) -> str:
        return self.get("refused", "").split(" ")[0]


def run(
    here: Handle,
    *candidates: str | Path,
    mode: str = "act",
    minimum: str = "3.9",
    package: str | Path = "",
    sha256: str = SUM,
    root: bool = True,
    shell: str = "/bin/sh",
) -> Said:
    words = [mode, minimum, str(package), sha256, *map(str, candidates)]
    command = f"{shell} -c {shlex.quote(f'set -- {shlex.join(words)}{chr(10)}{SCRIPT}')}"
    done = here.ssh(f"sudo -n {command}" if root else command)
    assert done.rc == 0, done
    return Said(done.out)


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def a_python(path: Path) -> Path:
    return script(path, f'exec {shlex.quote(str(layout.own_python()))} "$@"')


def scratch() -> set[Path]:
    return set(Path("/tmp").glob("keyholder-python.*"))


# --- finding --------------------------------------------------------------------------------------


@pytest.mark.parametrize("shell", SHELLS)
def test_the_first_that_will_do_is_taken(bare: Handle, shell: str) -> None:
    old = script(bare.file_tree / "old" / "python3", "printf 3.8.2; exit 1")
    broken = script(bare.file_tree / "broken" / "python3", "exit 126")
    good = a_python(bare.file_tree / "with a blank" / "py-3.12" / "python3")
    later = a_python(bare.file_tree / "later" / "python3")
    pattern = str(good.parent.parent / "py-3.*" / "python3")
    said = run(bare, "/nowhere/python3", STUB, old, broken, pattern, later, root=False, shell=shell)
    assert (said["interpreter"], said["outcome"]) == (str(good), "found")
    assert said["version"].startswith("3.")
    assert [text.split(": ")[0] for text in said.passed_over] == [str(stub_of(bare)), str(old), str(broken)]
    assert "3.8.2" in said.passed_over[1] and "does not start" in said.passed_over[2]
    assert journal.writes(bare.journal()) == []


@pytest.mark.parametrize("shell", SHELLS)
def test_no_link_leads_to_the_stub(bare: Handle, shell: str) -> None:
    links = bare.file_tree / "links"
    links.mkdir()
    stub = stub_of(bare)
    (links / "direct").symlink_to(stub)
    (links / "twice").symlink_to("direct")
    (links / "roundabout").symlink_to(stub.parent.parent / "root" / ".." / "bin" / "python3")
    (links / "folder").symlink_to(stub.parent)
    (links / "loop").symlink_to("loop")
    stubs = [links / "direct", links / "twice", links / "roundabout", links / "folder" / "python3"]
    said = run(bare, *stubs, links / "loop", root=False, shell=shell)
    assert said.reason == "no_interpreter"
    assert [text.split(": ")[0] for text in said.passed_over] == list(map(str, stubs))


@pytest.mark.parametrize(("minimum", "outcome"), [("3.9", "found"), ("3.9.2", "found"), ("4.0", None)])
def test_the_version_is_compared_by_number(bare: Handle, minimum: str, outcome: str | None) -> None:
    good = a_python(bare.file_tree / "py" / "python3")
    assert run(bare, good, minimum=minimum).get("outcome") == outcome


# --- installing -----------------------------------------------------------------------------------


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("way", ["path", "url"])
def test_a_package_is_installed_and_its_python_found(bare: Handle, package: Path, shell: str, way: str) -> None:
    before, place = scratch(), bare.file_tree / "opt" / "py" / "bin" / "python3"
    neighbour = script(place.parent / "neighbour", "true")
    source = package if way == "path" else package.as_uri()
    predicted = run(bare, place, mode="predict", package=source, shell=shell)
    assert predicted == {"outcome": "would-install"}
    assert not place.exists() and journal.programs(bare.journal(), "installer") == []
    assert journal.programs(bare.journal(), "curl") == []
    said = run(bare, place, package=source, sha256=SUM.upper(), shell=shell)
    assert (said["outcome"], said["interpreter"]) == ("installed", str(place))
    assert run(bare, place, package=source, shell=shell)["outcome"] == "found"
    assert len(journal.programs(bare.journal(), "installer")) == 1
    assert neighbour.exists() and place.exists() and package.exists()
    assert scratch() == before


@pytest.mark.parametrize("mode", ["act", "predict"])
@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("no_interpreter", {"package": ""}),
        ("checksum_missing", {"sha256": ""}),
        ("checksum_missing", {"sha256": "x" * 64}),
        ("checksum_missing", {"sha256": SUM[:-1]}),
        ("checksum_differs", {"sha256": SUM[::-1]}),
        ("not_root", {"root": False}),
        ("package_unreadable", {"package": "/nowhere/python.pkg"}),
    ],
)
def test_what_is_refused_installs_nothing(
    bare: Handle, package: Path, mode: str, code: str, change: dict[str, Any]
) -> None:
    before = scratch()
    said = run(bare, STUB, "/nowhere/python3", **{"mode": mode, "package": package, **change})
    assert (said.reason, said.get("outcome")) == (code, None)
    assert journal.programs(bare.journal(), "installer") == []
    assert scratch() == before


@pytest.mark.parametrize(
    ("url", "code"), [("file:///nowhere/x.pkg", "package_unreadable"), ("http://127.0.0.1:9/x", "package_unreadable")]
)
def test_a_package_that_cannot_be_fetched(bare: Handle, url: str, code: str) -> None:
    assert run(bare, "/nowhere/python3", package=url).reason == code


def test_what_the_installer_says_is_not_believed(bare: Handle, package: Path) -> None:
    place = bare.file_tree / "opt" / "py" / "bin" / "python3"
    bare.set_fault("installer_does_nothing")
    assert run(bare, place, package=package).reason == "still_none"
    package.write_text("no package at all")
    digest = hashlib.sha256(b"no package at all").hexdigest()
    assert run(bare, place, package=package, sha256=digest).reason == "install_failed"


# --- the role -------------------------------------------------------------------------------------


@pytest.mark.every_core
def test_the_role_predicts_installs_and_then_finds(
    ansible: Ansible, lab: Lab, bare: Handle, package: Path, tmp_path: Path
) -> None:
    place = bare.file_tree / "opt" / "py" / "bin" / "python3"
    play = {
        "hosts": "bare",
        "gather_facts": False,
        "become": True,
        "vars": {
            "python_candidates": [STUB, str(place)],
            "python_package": str(package),
            "python_package_sha256": SUM,
        },
        "roles": ["keyholder.macos.python"],
        "post_tasks": [
            {"name": "A module", "keyholder.macos.trust_info": {}, "when": "ansible_python_interpreter is defined"}
        ],
    }
    playbook = tmp_path / "play.yml"
    playbook.write_text(yaml.safe_dump([play]))

    check = ansible.playbook(playbook, lab.inventory, "--check")
    assert check.rc == 0, check.output
    assert f"would install {package}" in check.output and "changed=1" in check.output
    assert not place.exists()
    for changed in (1, 0):
        run = ansible.playbook(playbook, lab.inventory)
        assert run.rc == 0, run.output
        assert f"changed={changed}" in run.output
        module = next(line for line in run.lines if line.task == "A module")
        assert module.status == "ok" and module.result["mac"]["os"]["version"] == "15.6"


# --- what the role says ---------------------------------------------------------------------------


def test_every_refusal_of_the_script_has_a_remedy() -> None:
    remedies = yaml.safe_load((ROLE / "vars" / "main.yml").read_text(encoding="utf-8"))["__python_remedies"]
    codes = set(re.findall(r"\brefuse (\w+) \"", SCRIPT))
    assert set(remedies) == codes
    assert all(remedy.endswith(".") for remedy in remedies.values())


def test_the_places_of_the_role_are_no_stub_and_belong_to_root_first() -> None:
    places = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text(encoding="utf-8"))["python_candidates"]
    spec = yaml.safe_load((ROLE / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    assert spec["argument_specs"]["main"]["options"]["python_candidates"]["default"] == places
    assert places[0].startswith("/Library/ManagedFrameworks/")
    assert "/Library/Developer/CommandLineTools/usr/bin/python3" in places
    assert all(place.startswith(("/Library/", "/usr/local/bin/", "/opt/homebrew/bin/")) for place in places)
    assert not any(place.startswith(("/usr/bin/", "/bin/")) for place in places)
    # On Intel, /usr/local/bin belongs to whoever installed Homebrew.
    assert [place for place in places if not place.startswith("/Library/")] == places[-3:]
