# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs of launchd: loaded from a property list, started when their interval is over, and forgotten with it."""

from __future__ import annotations

import plistlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import fakes
import pytest

from maclab import journal
from maclab.lab import Handle, Lab

PATH = "/Library/LaunchDaemons/example.job.plist"
LABEL = "example.job"
SCENARIO: dict[str, Any] = {
    "sudo_password": False,
    "macs": {
        "timely": {
            "macos": "15.6",
            "launchd_seconds": 0.3,
            "reboot_seconds": 0.2,
            "accounts": [{"name": "itadmin", "admin": True, "password": "pw-it", "token": True}],
        }
    },
}


def described(command: str, **more: Any) -> str:
    content = {"Label": LABEL, "ProgramArguments": ["/bin/sh", "-c", command], "StartInterval": 600, **more}
    return plistlib.dumps(content).decode()


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(SCENARIO, tmp_path_factory.mktemp("launchd")) as lab:
        yield lab


@pytest.fixture
def mac(lab: Lab) -> Handle:
    handle = lab.mac("timely")
    handle.reset()
    return handle


def soon(true: Callable[[], bool]) -> bool:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if true():
            return True
        time.sleep(0.05)
    return False


def test_a_job_is_loaded_shown_and_unloaded() -> None:
    mac = fakes.mac()
    assert fakes.run(mac, "tee", PATH, stdin=described("true")).status == 0
    assert fakes.run(mac, "launchctl", "print", f"system/{LABEL}").status == 113
    assert fakes.run(mac, "launchctl", "bootstrap", "system", PATH).status == 0
    assert mac.jobs[LABEL].interval == 600
    shown = fakes.run(mac, "launchctl", "print", f"system/{LABEL}")
    assert (shown.status, PATH in shown.out) == (0, True)
    again = fakes.run(mac, "launchctl", "bootstrap", "system", PATH)
    assert (again.status, again.err) == (5, "Bootstrap failed: 5: Input/output error\n")
    assert fakes.run(mac, "launchctl", "bootout", f"system/{LABEL}").status == 0
    missing = fakes.run(mac, "launchctl", "bootout", f"system/{LABEL}")
    assert (missing.status, missing.err) == (3, "Boot-out failed: 3: No such process\n")


@pytest.mark.parametrize("content", ["", "no property list", plistlib.dumps({"Label": LABEL}).decode()])
def test_a_file_without_a_job_is_not_loaded(content: str) -> None:
    mac = fakes.mac()
    fakes.run(mac, "tee", PATH, stdin=content)
    assert fakes.run(mac, "launchctl", "bootstrap", "system", PATH).status == 5
    assert fakes.run(mac, "launchctl", "bootstrap", "system", f"{PATH}.other").status == 5


def test_only_root_writes_and_loads_and_a_missing_file_is_removed_by_force_alone() -> None:
    mac = fakes.mac()
    assert fakes.run(mac, "tee", PATH, stdin=described("true"), root=False).status == 1
    assert fakes.run(mac, "launchctl", "bootstrap", "system", PATH, root=False).status == 1
    assert fakes.run(mac, "launchctl", "bootout", f"system/{LABEL}", root=False).status == 1
    assert fakes.run(mac, "rm", PATH).status == 1
    assert fakes.run(mac, "rm", "-f", PATH).status == 0
    assert mac.files == {}


def test_a_job_starts_as_root_when_its_interval_is_over_and_can_unload_itself(mac: Handle) -> None:
    told = f'id -u > "$TMPDIR/told"; rm {PATH}; launchctl bootout system/{LABEL}'
    assert mac.ssh(f"sudo tee {PATH}", input=described(told)).rc == 0
    assert mac.ssh(f"cat {PATH}").rc == 1
    assert "told" in mac.ssh(f"sudo cat {PATH}").out
    assert mac.ssh(f"sudo launchctl bootstrap system {PATH}").rc == 0
    assert soon(lambda: not mac.state().jobs)
    assert mac.state().files == {}
    assert (mac.file_tree / "tmp" / "told").read_text() == "0\n"
    assert [event.what for event in journal.events(mac.journal())] == ["job"]


def test_a_job_that_stays_starts_again_and_outlives_a_restart(mac: Handle) -> None:
    mac.ssh(f"sudo tee {PATH}", input=described('echo x >> "$TMPDIR/told"'))
    mac.ssh(f"sudo launchctl bootstrap system {PATH}")
    told = mac.file_tree / "tmp" / "told"
    assert soon(lambda: told.exists() and len(told.read_text().split()) > 1)
    mac.restart()
    assert soon(lambda: any(event.what == "restart" for event in journal.events(mac.journal())))
    assert mac.wait_until(reachable=True)
    count = len(told.read_text().split())
    assert soon(lambda: len(told.read_text().split()) > count)
