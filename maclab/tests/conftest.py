# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gives the engine's tests a lab with a program of their own, so that they stand without macOS's programs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from maclab import programs
from maclab.call import Call
from maclab.lab import Handle, Lab

SECRET = "correct-horse-7"

SCENARIO: dict[str, Any] = {
    "sudo_password": False,
    "macs": {
        "lisbon": {
            "macos": "15.6",
            "accounts": [
                {"name": "itadmin", "full_name": "IT Administrator", "admin": True, "password": "pw-it", "token": True},
                {"name": "asked", "admin": True, "password": SECRET, "sudo_password": True},
                {"name": "ana", "full_name": "Ana Sousa", "password": "pw-ana"},
                {"name": "ghost"},
            ],
        },
        "graz": {
            "macos": "10.15.7",
            "accounts": [{"name": "itadmin", "admin": True, "password": "pw-graz", "sudo_password": True}],
        },
        "bare": {
            "macos": "13.6.9",
            "python": "none",
            "accounts": [{"name": "itadmin", "admin": True, "password": "p"}],
        },
    },
}


async def probe(call: Call) -> int:
    """Does one thing that a program can do, and says what came of it."""
    what, *words = call.argv or ["nothing"]
    if what == "getpass":
        call.out(f"<{await call.getpass('Password:')}>\n")
    elif what == "line":
        call.out(f"<{await call.read_stdin_line(int(words[0]) if words else None)}>\n")
    elif what == "all":
        call.out(f"<{len(await call.read_stdin_all())}>\n")
    elif what == "who":
        call.out(f"{call.user} root={call.is_root} tty={call.has_tty} stdin_tty={call.stdin_is_tty}\n")
    elif what == "commit":
        for _ in range(int(words[0])):
            call.mac.clock += 1
            now = call.mac.clock
            call.wrote("clock advanced")
            await call.commit()
            call.out(f"{now:g}\n")
    elif what == "log":
        call.log(words[0])
    elif what == "crash":
        raise ValueError("on purpose")
    return int(words[-1]) if what == "exit" else 0


programs.register("probe", probe)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(SCENARIO, tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture
def mac(lab: Lab) -> Iterator[Handle]:
    """Lisbon, as the scenario says."""
    handle = lab.mac("lisbon")
    handle.reset()
    yield handle


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    return tmp_path / "lab"
