# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remote Login is switched on nowhere but on a runner of GitHub's, and the key that comes in drives no other out."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from test_place import JOB, MAC

from proving import place, remote_login


@pytest.mark.parametrize("job", [{}, {**JOB, "RUNNER_ENVIRONMENT": "self-hosted"}, JOB])
def test_nothing_is_done_on_another_machine(tmp_path: Path, job: dict[str, str]) -> None:
    """The last one is what a job says, on a machine that is no Mac."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHONPATH": str(Path(place.__file__).parents[1]),
    }
    done = subprocess.run(
        [sys.executable, "-m", "proving.remote_login", tmp_path / "new"],
        env={**environment, **job},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("Remote Login was left as it is:")
    assert list(tmp_path.iterdir()) == []


def test_the_mac_is_asked_what_the_guard_wants_to_know() -> None:
    asked: list[list[str]] = []

    def run(command: object) -> str:
        asked.append(list(command))  # type: ignore[call-overload]
        return "0\n" if "sudo" in asked[-1] else {"id -un": "runner", "id -u": "501"}.get(" ".join(asked[-1]), "")

    said = remote_login.said(run)
    assert (said["root"], said["user"], said["uid"]) == ("0\n", "runner", "501")
    assert ["sudo", "-n", "id", "-u"] in asked
    assert set(said) == set(MAC)


@pytest.mark.parametrize(("old", "new"), [(None, "new\n"), ("one\n", "one\nnew\n"), ("one", "one\nnew\n")])
def test_a_key_is_added_and_none_is_lost(tmp_path: Path, old: str | None, new: str) -> None:
    path = tmp_path / ".ssh" / "authorized_keys"
    if old is not None:
        path.parent.mkdir()
        path.write_text(old)
    remote_login.let_in(tmp_path, "new\n")
    assert path.read_text() == new
    if old is None:
        assert [stat.S_IMODE(one.stat().st_mode) for one in (path, path.parent)] == [0o600, 0o700]


def test_the_inventory_trusts_the_key_that_was_seen_and_no_other(tmp_path: Path) -> None:
    host = json.loads(remote_login.inventory(tmp_path / "key", tmp_path / "known_hosts"))["macs"]["hosts"]["over-ssh"]
    assert f'UserKnownHostsFile="{tmp_path / "known_hosts"}"' in host["ansible_ssh_common_args"]
    assert "StrictHostKeyChecking=no" not in str(host)
    assert host["ansible_host"] == "127.0.0.1"
