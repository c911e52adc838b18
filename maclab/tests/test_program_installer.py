# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bare Mac, its stub that opens a dialog, and what puts a Python on it."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterator
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path
from threading import Thread

import fakes
import pytest
from fakes import mac, people

from maclab import journal, programs
from maclab.call import UNMODELLED
from maclab.lab import Handle, Lab

PACKAGE = "maclab package: A Python\npython usr/local/bin/managed_python3\n"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    people_there = [{"name": "itadmin", "admin": True, "password": "p"}]
    macs = {
        "bare": {"macos": "15.6", "python": "none", "accounts": people_there},
        "stubbed": {"macos": "15.6", "python": "stub", "accounts": people_there, "logged_in": ["itadmin"]},
        "unattended": {"macos": "15.6", "python": "stub", "accounts": people_there},
        "usual": {"macos": "15.6", "accounts": people_there},
    }
    with Lab({"sudo_password": False, "macs": macs}, tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture
def package(tmp_path: Path) -> Path:
    path = tmp_path / "a python.pkg"
    path.write_text(PACKAGE)
    return path


def installed(here: Handle) -> Path:
    return here.file_tree / "usr" / "local" / "bin" / "managed_python3"


def test_the_stub_opens_a_dialog_and_is_no_python(lab: Lab) -> None:
    here = lab.mac("stubbed")
    done = here.ssh("python3 -c 'print(1)'")
    assert (done.rc, done.out) == (1, "")
    assert "No developer tools were found" in done.err
    assert journal.writes(here.journal()) == ["a dialog opened on the screen"]
    assert "ansible_python_interpreter" not in lab.inventory.read_text().split("stubbed:")[1].split("usual:")[0]


def test_the_stub_opens_no_dialog_where_nobody_is_logged_in(lab: Lab) -> None:
    here = lab.mac("unattended")
    done = here.ssh("python3 -c 'print(1)'")
    assert (done.rc, done.out) == (1, "") and "no install could be requested" in done.err
    assert journal.writes(here.journal()) == []


def test_only_a_mac_of_the_stub_has_it(lab: Lab) -> None:
    assert lab.mac("bare").ssh("python3 -c 'print(1)'").rc == 127
    assert lab.mac("usual").ssh("python3 -c 'print(1)'").out == "1\n"
    assert "python3" in programs.names()


def test_a_package_puts_a_python_on_the_mac(lab: Lab, package: Path) -> None:
    here = lab.mac("bare")
    done = here.ssh(f"sudo installer -pkg {shlex.quote(str(package))} -target /")
    assert (done.rc, done.out.splitlines()[-1]) == (0, "installer: The install was successful.")
    assert here.ssh(f"{shlex.quote(str(installed(here)))} -c 'print(6*7)'").out == "42\n"
    here.reset()
    assert not installed(here).exists()


def test_it_can_say_so_and_do_nothing(lab: Lab, package: Path) -> None:
    here = lab.mac("bare")
    here.set_fault("installer_does_nothing")
    assert here.ssh(f"sudo installer -pkg {shlex.quote(str(package))} -target /").rc == 0
    assert not installed(here).exists()
    here.reset()


def test_what_is_no_package_and_who_is_not_root_installs_nothing(package: Path) -> None:
    made = people(mac())
    assert fakes.run(made, "installer", "-pkg", str(package), "-target", "/", root=False).status == 1
    assert fakes.run(made, "installer", "-pkg", str(package.parent / "none.pkg"), "-target", "/").status == 1
    package.write_text("something else\n")
    run = fakes.run(made, "installer", "-pkg", str(package), "-target", "/")
    assert (run.status, run.record.writes) == (1, [])
    assert fakes.run(made, "installer", "-pkg", str(package)).status == 64


def test_shasum_says_what_is_in_a_file(package: Path) -> None:
    made = people(mac())
    digest = hashlib.sha256(PACKAGE.encode()).hexdigest()
    assert fakes.run(made, "shasum", "-a", "256", str(package)).out == f"{digest}  {package}\n"
    assert fakes.run(made, "shasum", "-a", "256", "/nowhere/x").status == 1
    assert fakes.run(made, "shasum", str(package)).status == UNMODELLED


def test_curl_fetches_a_file_by_the_protocols_it_may_use(package: Path) -> None:
    made, target = people(mac()), package.parent / "target"
    server = HTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(package.parent)))
    Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/a%20python.pkg"
    try:
        for url in (address, package.as_uri()):
            assert fakes.run(made, "curl", "--fail", "--output", str(target), url).status == 0
            assert target.read_text() == PACKAGE
            target.unlink()
        assert fakes.run(made, "curl", "--output", str(target), address + "x").status == 22
        assert fakes.run(made, "curl", "--proto", "=https", "--output", str(target), address).status == 1
        assert fakes.run(made, "curl", "--output", str(target), "file:///nowhere/x").status == 37
        assert fakes.run(made, "curl", address).status == UNMODELLED
    finally:
        server.shutdown()
        server.server_close()
    assert not target.exists()
