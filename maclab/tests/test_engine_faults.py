# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults: each bites where and when it was told to, and once."""

from __future__ import annotations

import subprocess
import time

import pytest

from maclab import control, journal
from maclab.control import LabError
from maclab.lab import Handle
from maclab.layout import LabFolder


def test_killed_right_after_the_commit(mac: Handle) -> None:
    mac.set_fault("kill", step=3)
    done = mac.ssh("probe commit 5; echo survived")
    assert done.rc == 255 and "survived" not in done.out
    assert mac.state().clock == 3
    assert [event.what for event in journal.events(mac.journal())] == ["kill"]
    (run,) = journal.programs(mac.journal(), "probe")
    assert run.killed and run.status is None and run.writes == ["clock advanced"] * 3
    # Once: the Mac is as good as before.
    assert mac.ssh("probe commit 2").out == "4\n5\n"


def test_killed_right_before_the_commit(mac: Handle) -> None:
    mac.set_fault("kill", step=3, before=True)
    assert mac.ssh("probe commit 5").rc == 255
    assert mac.state().clock == 2
    # What was not saved is not remembered either.
    assert mac.ssh("probe commit 1").out == "3\n"


def test_commits_are_counted_from_when_the_fault_was_set(mac: Handle) -> None:
    mac.ssh("probe commit 4")
    mac.set_fault("kill", step=1)
    assert mac.ssh("probe commit 2").rc == 255
    assert mac.state().clock == 5


def test_a_power_cut_takes_every_process_of_every_session(mac: Handle) -> None:
    sleeper = "import os; os.setsid() if os.fork() == 0 else os._exit(0); print(os.getpid(), flush=True); "
    sleeper += "os.execvp('sh', ['sh', '-c', 'probe who; sleep 60'])"
    other = subprocess.Popen(
        mac.ssh_argv(f'echo $$; python3 -c "{sleeper}"; sleep 60'), stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    pids = [int(other.stdout.readline()), int(other.stdout.readline())]
    other.stdout.readline()
    mac.set_fault("kill", step=1)
    assert mac.ssh("setsid probe commit 1 || probe commit 1; sleep 60").rc == 255
    assert other.wait(timeout=20) == 255
    other.stdout.close()
    deadline = time.monotonic() + 10
    while any(_runs(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(_runs(pid) for pid in pids)


def _runs(pid: int) -> bool:
    listed = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return listed.stdout.strip()[:1] not in ("", "Z")


def test_only_commits_of_the_program_that_is_meant_count(mac: Handle) -> None:
    mac.set_fault("kill", step=1, program="sysadminctl")
    assert mac.ssh("probe commit 2").rc == 0
    assert mac.state().clock == 2


def test_the_connection_is_cut_at_the_start_of_a_program_and_processes_go_on(mac: Handle) -> None:
    mac.set_fault("ssh_cut", step=2)
    done = mac.ssh("probe who; probe commit 2 >/dev/null; probe commit 1 > /dev/null; echo heard")
    assert done.rc == 255 and "heard" not in done.out
    deadline = time.monotonic() + 10
    while mac.state().clock < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert mac.state().clock == 3
    assert [event.what for event in journal.events(mac.journal())] == ["drop"]
    assert mac.ssh("echo again").out == "again\n"


def test_only_the_session_of_that_program_is_cut(mac: Handle) -> None:
    other = subprocess.Popen(mac.ssh_argv("echo up; sleep 1; echo whole"), stdout=subprocess.PIPE)
    assert other.stdout is not None and other.stdout.readline() == b"up\n"
    mac.set_fault("ssh_cut", step=1)
    assert mac.ssh("probe who").rc == 255
    assert other.communicate(timeout=20)[0] == b"whole\n"


@pytest.mark.parametrize(("at", "before"), [("start", ""), ("prompt", "Password:")])
def test_hanging_until_killed(mac: Handle, at: str, before: str) -> None:
    mac.set_fault("hang", program="probe", argument="getpass", at=at)
    mac.set_fault("ssh_cut", program="probe", step=9999)  # counts its starts
    killed = subprocess.Popen(
        mac.ssh_argv(_KILLED), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert killed.stdin is not None and killed.stderr is not None
    killed.stdin.write("answer\n")
    killed.stdin.flush()
    deadline = time.monotonic() + 60
    while _starts_of_probe(mac) == 0 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert killed.stderr.read(len(before)) == before
    (mac.file_tree / "tmp" / "go").touch()
    out, _ = killed.communicate(timeout=60)
    assert out.startswith("killed\n") and "answer" not in out
    assert "itadmin root=False" in out
    assert [run.killed for run in journal.programs(mac.journal(), "probe")] == [True, False]


def test_flooding_until_nobody_reads(mac: Handle) -> None:
    mac.set_fault("floods", program="probe", argument="getpass")
    done = mac.ssh("probe getpass | head -c 1000000 | wc -c; probe who")
    assert done.out.split()[0] == "1000000"
    assert "itadmin root=False" in done.out
    assert [run.killed for run in journal.programs(mac.journal(), "probe")] == [True, False]


_KILLED = """
exec 3<&0; probe getpass <&3 & p=$!
until [ -e "$TMPDIR/go" ]; do sleep 0.05; done
kill $p; wait $p; [ $? -gt 128 ] && echo killed; probe who
"""


def _starts_of_probe(mac: Handle) -> int:
    """As the lab has it in memory: a count is no commit."""
    state = control.order(LabFolder(mac.folder.path.parents[1]), "state", mac=mac.name)
    return max(fault["seen"] for fault in state["faults"])


def test_slow(mac: Handle) -> None:
    mac.set_fault("slow", seconds=0.3, program="probe")
    mac.ssh("probe who")
    (slow,) = journal.programs(mac.journal())
    assert slow.duration >= 0.3
    # No other program waits for an hour, however slow the host is.
    mac.clear_faults()
    mac.set_fault("slow", seconds=3600, program="probe")
    assert mac.ssh("whoami").out == "itadmin\n"


def test_a_locked_account_and_a_stale_key_are_conditions_that_can_be_lifted(mac: Handle) -> None:
    mac.set_fault("locked", user="itadmin")
    mac.set_fault("stale_key", user="itadmin")
    account = mac.state().accounts["itadmin"]
    assert account.locked and account.key_password not in (None, account.password)
    mac.clear_faults()
    account = mac.state().accounts["itadmin"]
    assert not account.locked and account.key_password == account.password
    assert mac.state().faults == []


def test_a_fault_that_does_not_exist_is_refused(mac: Handle) -> None:
    with pytest.raises(LabError, match="no such fault: 'flood'"):
        mac.set_fault("flood")
    with pytest.raises(LabError, match="no such option: 'users'"):
        mac.set_fault("locked", users="ana")
    assert mac.state().faults == []
