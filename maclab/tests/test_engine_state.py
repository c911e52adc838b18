# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The store: a file that is always whole, and a state that survives the trip."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NoReturn

import pytest
import yaml

from maclab import scenario
from maclab.faults import parse, set_fault
from maclab.state import Mac, Store, from_json, to_json

LAB = Path(__file__).parent.parent


def demo() -> list[Mac]:
    return [plan.mac for plan in scenario.load(LAB / "scenarios" / "demo.yml").values()]


def test_everything_survives_the_trip() -> None:
    for mac in demo():
        set_fault(mac, parse("slow", {"seconds": "0.5"}, mac))
        assert from_json(to_json(mac)) == mac


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path / "state.json")
    mac = demo()[0]
    store.save(mac)

    def full(_self: Path, _target: Path) -> NoReturn:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", full)
    mac.clock = 99
    with pytest.raises(OSError, match="disk full"):
        store.save(mac)
    assert store.load().clock == 0
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


def test_a_later_commit_is_never_overtaken(tmp_path: Path) -> None:
    store = Store(tmp_path / "state.json")
    mac = demo()[0]

    async def many() -> None:
        async def one() -> None:
            mac.clock += 1
            await store.commit(mac)

        await asyncio.gather(*(one() for _ in range(50)))

    asyncio.run(many())
    assert store.load().clock == 50


WRITER = """
import sys
from pathlib import Path
from maclab.state import Store
store = Store(Path(sys.argv[1]))
mac = store.load()
while True:
    mac.clock += 1
    store.save(mac)
    print("saved", flush=True)
"""


def test_a_killed_lab_leaves_a_whole_file(tmp_path: Path) -> None:
    store = Store(tmp_path / "state.json")
    store.save(demo()[0])
    before = 0.0
    for wait in (0.02, 0.05, 0.09):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(store.path)], stdout=subprocess.PIPE, env={"PYTHONPATH": str(LAB)}
        )
        assert writer.stdout is not None and writer.stdout.readline() == b"saved\n"
        time.sleep(wait)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        assert store.load().clock > before
        before = store.load().clock


def test_the_file_is_readable_json_with_names_as_people_write_them() -> None:
    osaka = next(mac for mac in demo() if mac.name == "osaka")
    assert "雪 Tanaka" in to_json(osaka)
    assert yaml.safe_load(to_json(osaka))["filevault"]["percent"] == 42
