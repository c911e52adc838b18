# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook publishes, and tells the job's starter of it, and no password is seen on the way."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from readings import NOW, PHANTOM, reading
from servers import PLACES

from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.mac import Answer
from harness.search import Search

BIN = Path(sys.executable).parent
SHIM = """#!/bin/sh
{ printf '%s\\0' "$@"; env; } >>"$SEEN/git-$$"
exec "$REAL_GIT" "$@"
"""


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder for sockets, whose paths must be short."""
    with tempfile.TemporaryDirectory(prefix="kh-") as folder:
        yield Path(folder)


@pytest.mark.parametrize("broken", [False, True], ids=["taken", "refused"])
@pytest.mark.parametrize("place", sorted(PLACES.keys() - {"git over file"}))
def test_no_password_is_seen(place: str, broken: bool, tmp_path: Path, short: Path) -> None:
    seen, home, room, temporary = tmp_path / "seen", tmp_path / "home", tmp_path / "room", short / "t"
    for folder in (seen, home, room, temporary):
        folder.mkdir()
    shim = home / "bin" / "git"
    shim.parent.mkdir()
    shim.write_text(SHIM)
    shim.chmod(0o755)
    saved = home / "read.jsonl"
    saved.write_text(Answer("a", "read", NOW, reading(accounts=(PHANTOM,))).text() + "\n")
    with PLACES[place](room) as where:
        secret = where.options["publish_password"] + ("-wrong" if broken else "")
        given = {f"keyholder_{name}": value for name, value in where.options.items()}
        given |= {"keyholder_publish_password": secret, "keyholder_saved": [str(saved)], "keyholder_fail_on": "low"}
        given |= {} if place == "web" else {"keyholder_history": str(tmp_path / "report" / "history.sqlite")}
        variables = home / "given.json"
        variables.write_text(json.dumps({**given, "keyholder_report": str(tmp_path / "report")}))
        variables.chmod(0o600)
        git = shutil.which("git")
        assert git is not None
        environment = {
            "PATH": f"{shim.parent}{os.pathsep}{BIN}{os.pathsep}{os.environ['PATH']}",
            "REAL_GIT": git,
            "SEEN": str(seen),
            "HOME": str(home),
            "TMPDIR": str(temporary),
            "LC_ALL": os.environ.get("LC_ALL", "C.UTF-8"),
            "ANSIBLE_COLLECTIONS_PATH": os.environ["ANSIBLE_COLLECTIONS_PATH"],
            "ANSIBLE_HOME": str(short / "a"),
            "ANSIBLE_SHOW_CUSTOM_STATS": "1",
            "ANSIBLE_LOG_PATH": str(seen / "ansible.log"),
        }
        command = [str(BIN / "ansible-playbook"), "keyholder.macos.audit_merge", "-vvvv", "-e", f"@{variables}"]
        with open(seen / "output", "wb") as stream:
            process = subprocess.Popen(
                [*command, "-i", "a,localhost,"], env=environment, stdout=stream, stderr=subprocess.STDOUT
            )
            while process.poll() is None:
                _look(process.pid, seen)
        there = where.files()
    output = (seen / "output").read_text()
    assert process.returncode == 2, output[-3000:]
    assert ("report_unpublished" in output) == broken
    assert "1 Mac fails a rule that is low or worse" in output
    assert ("audit.html" in there) != broken
    if not broken:
        assert '"page":' in output.rpartition("CUSTOM STATS")[2]
        assert "Published: " in output
    # The report itself is here in any case.
    assert (tmp_path / "report" / "audit.html").is_file()
    assert place != "git over http" or list(seen.glob("git-*"))
    assert list(seen.glob("process-*"))
    assert Search({"the password": secret}).files([seen, tmp_path / "report", temporary]) == []
    assert [path for path in temporary.rglob("*") if path.is_file()] == []


PROC = Path("/proc")


def _look(top: int, seen: Path) -> None:
    """Keep the arguments and the environment of a process and all below it."""
    told = _processes() if (PROC / "self" / "environ").exists() else _processes_by_ps()
    below = {top}
    while more := {child for child, (parent, _words) in told.items() if parent in below} - below:
        below |= more
    for one in below & told.keys():
        with open(seen / f"process-{one}", "ab") as stream:
            stream.write(told[one][1]())
    # Whoever asks without a pause takes a processor for it alone. What lives shorter than this was looked for by the
    # stand-in for git.
    time.sleep(0.005)


def _processes() -> dict[int, tuple[int, Callable[[], bytes]]]:
    found = {}
    for folder in PROC.glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            found[int(folder.name)] = (parent, functools.partial(_told, folder))
    return found


def _told(folder: Path) -> bytes:
    with contextlib.suppress(OSError):
        return (folder / "cmdline").read_bytes() + b"\n" + (folder / "environ").read_bytes() + b"\n"
    return b""


def _processes_by_ps() -> dict[int, tuple[int, Callable[[], bytes]]]:
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True)
    pairs = [tuple(map(int, line.split())) for line in listed.stdout.splitlines()]
    return {child: (parent, functools.partial(_told_by_ps, child)) for child, parent in pairs}


def _told_by_ps(pid: int) -> bytes:
    return subprocess.run(["ps", "eww", "-o", "args=", "-p", str(pid)], capture_output=True, check=False).stdout
