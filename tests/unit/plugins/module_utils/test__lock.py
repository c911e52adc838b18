# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock of changing runs: who holds it, who waits, what is refused in its place, and what lets go of it."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import signal
import socket
import stat
import subprocess
import sys
import time
import typing as t
from dataclasses import asdict
from pathlib import Path

import pytest
from foreign import FOREIGN

from ansible_collections.keyholder.macos.plugins.module_utils import _lock, _module
from ansible_collections.keyholder.macos.plugins.module_utils._lock import NAME, FileLock, Holder, Listener
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command, ProcessRunner, Secret

ANA = Holder("account", 4711, "ana", 1764385927)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "db"
    made.mkdir()
    made.chmod(0o755)
    return made


def lock(folder: Path, wait: float = 0, pause: t.Callable[[float], None] | None = None) -> FileLock:
    def patience(seconds: float) -> None:
        raise AssertionError("it should not wait")

    return FileLock(str(folder), "offboard", "itadmin", wait, pause or patience)


def refusal(of: FileLock) -> Refusal:
    with pytest.raises(Refusal) as caught, of.held():
        raise AssertionError("it should be refused")
    return caught.value


def test_one_holds_it_and_another_one_is_refused_and_told_who(folder: Path) -> None:
    with lock(folder).held() as told:
        assert told == ""
        said = refusal(lock(folder))
        assert said.reason == "another_run"
        assert f"keyholder.macos.offboard, run by itadmin as process {os.getpid()} since 20" in said.msg
        assert said.evidence == (str(folder / NAME),)
    with lock(folder).held() as told:
        assert told == ""


def test_who_waits_goes_on_once_it_is_free_and_says_so(folder: Path) -> None:
    first = contextlib.ExitStack()
    first.enter_context(lock(folder).held())
    slept: list[float] = []

    def pause(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            first.close()

    with lock(folder, 3600, pause).held() as told:
        assert len(slept) == 3
        assert told.startswith("waited 0 seconds for another run: keyholder.macos.offboard, run by itadmin")


def test_who_has_waited_long_enough_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(_lock.time, "monotonic", lambda: now[0])

    def pause(seconds: float) -> None:
        assert 0 < seconds <= _lock.POLL
        now[0] += seconds

    with lock(folder).held():
        assert "was still at work after 1.5 seconds" in refusal(lock(folder, 1.5, pause)).msg
    assert now[0] == pytest.approx(101.5)


def test_who_waits_for_somebody_that_is_gone_ends_and_lets_go(folder: Path) -> None:
    """Also where the lock was free by then: a run that nobody hears changes nothing."""
    first = contextlib.ExitStack()
    first.enter_context(lock(folder).held())
    read, write = os.pipe()
    slept: list[float] = []

    def pause(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 2:
            first.close()
            os.close(read)

    try:
        said = refusal(FileLock(str(folder), "account", "ana", 3600, pause, Listener(write).there))
    finally:
        os.close(write)
    assert (said.reason, len(slept)) == ("connection_lost", 2)
    assert "keyholder.macos.offboard, run by itadmin" in said.msg
    with lock(folder).held() as told:
        assert told == ""


def test_who_does_not_wait_needs_no_listener(folder: Path) -> None:
    with FileLock(str(folder), "account", "ana", 0, heard=lambda: False).held() as told:
        assert told == ""


def pipe_ends() -> tuple[int, int]:
    return os.pipe()


def socket_ends() -> tuple[int, int]:
    """What sshd uses that was built without USE_PIPES; it ends what it says before it hears the end."""
    ours, theirs = socket.socketpair()
    ours.shutdown(socket.SHUT_WR)
    return ours.detach(), theirs.detach()


@pytest.mark.parametrize("ends", [pipe_ends, socket_ends, pty.openpty])
def test_a_listener_is_gone_when_its_end_is_closed(ends: t.Callable[[], tuple[int, int]]) -> None:
    theirs, ours = ends()
    listener = Listener(ours)
    os.write(ours, b"said before")
    assert listener.there()
    os.close(theirs)
    assert not listener.there()
    os.close(ours)


def test_a_listener_that_does_not_read_is_there() -> None:
    read, write = os.pipe()
    os.set_blocking(write, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(write, b"x" * 4096)
    assert Listener(write).there()
    os.close(read)
    os.close(write)


def test_a_file_listens_for_ever_and_a_closed_stream_never(tmp_path: Path) -> None:
    file = os.open(tmp_path / "out", os.O_WRONLY | os.O_CREAT)
    listener = Listener(file)
    assert listener.there()
    os.close(file)
    assert not listener.there()


def test_only_its_owner_can_open_it_and_it_says_nothing_but_who(folder: Path) -> None:
    umask = os.umask(0)
    try:
        with lock(folder).held():
            seen = (folder / NAME).stat()
            assert (stat.S_IMODE(seen.st_mode), seen.st_uid) == (0o600, os.geteuid())
            assert set(json.loads((folder / NAME).read_text())) == {"module", "pid", "user", "since", "run", "until"}
    finally:
        os.umask(umask)


@pytest.mark.parametrize("content", ["", "no json", "{}", "[1]", '{"module": 1, "pid": "x", "user": 2, "since": 3}'])
def test_what_lies_there_without_a_holder_is_no_obstacle(folder: Path, content: str) -> None:
    (folder / NAME).write_text(content)
    (folder / NAME).chmod(0o600)
    with lock(folder).held() as told:
        assert told == ""
        assert Holder.parse((folder / NAME).read_bytes()) is not None


def test_a_holder_that_has_not_said_who_it_is_holds_it_all_the_same(folder: Path) -> None:
    with lock(folder).held():
        (folder / NAME).write_text("")
        assert "a run that has not yet written who it is" in refusal(lock(folder)).msg


@pytest.mark.parametrize(("foreign", "why"), FOREIGN)
def test_what_somebody_else_has_put_there_is_refused_and_left_alone(
    folder: Path, foreign: t.Callable[[Path], None], why: str
) -> None:
    foreign(folder / NAME)
    before = [(path.name, path.lstat().st_ino, path.lstat().st_size) for path in sorted(folder.iterdir())]
    said = refusal(lock(folder))
    assert (said.reason, why in said.msg) == ("lock_unusable", True), said.msg
    assert [(path.name, path.lstat().st_ino, path.lstat().st_size) for path in sorted(folder.iterdir())] == before


def test_a_file_of_another_account_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / NAME).touch(mode=0o600)
    folder_owner = [0]
    monkeypatch.setattr(_lock.os, "geteuid", lambda: 4242)
    monkeypatch.setattr(_lock.os, "fstat", stand_in(folder_owner, os.fstat))
    said = refusal(lock(folder))
    assert (said.reason, f"it belongs to UID {os.getuid()}" in said.msg) == ("lock_unusable", True), said.msg


def test_a_folder_of_another_account_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_lock.os, "fstat", stand_in([4242], os.fstat))
    assert "accounts other than root may write in" in refusal(lock(folder)).msg
    assert list(folder.iterdir()) == []


class stand_in:
    """os.fstat, but that the first files belong to somebody else: who runs the test may not give files away."""

    def __init__(self, owners: list[int], real: t.Callable[[int], os.stat_result]) -> None:
        self._owners = owners
        self._real = real

    def __call__(self, file: int) -> os.stat_result:
        seen = list(self._real(file))
        if self._owners:
            seen[stat.ST_UID] = self._owners.pop(0)
        return os.stat_result(seen)


@pytest.mark.parametrize("mode", [0o775, 0o757, 0o1777])
def test_a_folder_that_others_may_write_in_is_refused(folder: Path, mode: int) -> None:
    folder.chmod(mode)
    said = refusal(lock(folder))
    assert (said.reason, f"accounts other than root may write in {folder}" in said.msg) == ("lock_unusable", True)
    assert list(folder.iterdir()) == []


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert refusal(lock(tmp_path / "none")).reason == "lock_unusable"


def test_who_is_not_root_is_told_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*dummy: t.Any, **more: t.Any) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(_lock.os, "open", denied)
    monkeypatch.setattr(_lock.os, "geteuid", lambda: 501)
    assert refusal(lock(folder)).reason == "not_root"
    monkeypatch.setattr(_lock.os, "geteuid", lambda: 0)
    assert refusal(lock(folder)).reason == "lock_unusable"


def test_where_the_file_was_replaced_while_it_was_waited_for_the_new_one_is_locked(folder: Path) -> None:
    first = contextlib.ExitStack()
    first.enter_context(lock(folder).held())
    gone = []

    def pause(seconds: float) -> None:
        if not gone:
            gone.append((folder / NAME).stat().st_ino)
            (folder / NAME).rename(folder / "away")
            first.close()

    with lock(folder, 3600, pause).held():
        assert (folder / NAME).stat().st_ino != gone[0]
        assert refusal(lock(folder)).reason == "another_run"


def test_a_file_that_never_stays_is_given_up(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FileLock, "_is_in_place", lambda self, file: False)
    said = refusal(lock(folder))
    assert (said.reason, "replaced again and again" in said.msg) == ("lock_unusable", True)


def test_a_full_disk_keeps_nobody_from_holding_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: int, size: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_lock.os, "ftruncate", full)
    with lock(folder).held():
        assert refusal(lock(folder)).reason == "another_run"


def test_an_exception_lets_it_go(folder: Path) -> None:
    with pytest.raises(ZeroDivisionError), lock(folder).held():
        raise ZeroDivisionError
    with lock(folder).held():
        pass


def test_what_the_file_says_cannot_steer_a_terminal() -> None:
    said = Holder.parse(b'{"module": "a\\u001b[2J", "pid": 1, "user": "\\u202ex\\n", "since": 0}')
    assert said is not None
    assert said.words(True).isprintable()
    assert said.words(False).startswith(said.words(True))


# -- leases: a run that is not there between its commands -------------------------------------------------------------


def leased(folder: Path, until: float, run: str = "0123") -> None:
    who = Holder("account", 0, "ana", 1764385927, run, int(until))
    (folder / NAME).write_text(json.dumps(asdict(who)))
    (folder / NAME).chmod(0o600)


def test_a_lease_of_another_run_is_honoured_and_nobody_is_called_alive(folder: Path) -> None:
    leased(folder, time.time() + 50)
    before = (folder / NAME).read_text()
    said = refusal(lock(folder))
    assert said.reason == "another_run"
    assert said.msg == (
        "another run is changing this Mac: keyholder.macos.account, run by ana through a shell since"
        " 2025-11-29 03:12:07 UTC"
    )
    assert (folder / NAME).read_text() == before


def test_who_waits_for_a_lease_goes_on_once_it_has_ended(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1764400000.0]
    monkeypatch.setattr(_lock.time, "time", lambda: now[0])
    leased(folder, now[0] + 10)

    def pause(seconds: float) -> None:
        now[0] += 1

    with lock(folder, 3600, pause).held() as told:
        assert now[0] == 1764400010.0
        assert "run by ana through a shell since" in told
        assert refusal(lock(folder)).reason == "another_run"


def test_a_lease_that_is_watched_leaves_the_lock_to_its_run(folder: Path) -> None:
    """Its next command takes the lock at once: who waits does not even try it."""
    leased(folder, time.time() + 50)
    tries: list[bool] = []

    def pause(seconds: float) -> None:
        with (folder / NAME).open() as file:
            tries.append(_lock._lock(file.fileno()))
        if len(tries) == 3:
            leased(folder, 0)

    with lock(folder, 3600, pause).held():
        assert tries == [True] * 3


def test_a_lease_that_was_written_while_the_lock_was_taken_counts(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = _lock._lock

    def late(file: int) -> bool:
        leased(folder, time.time() + 50)
        return real(file)

    monkeypatch.setattr(_lock, "_lock", late)
    assert refusal(lock(folder)).reason == "another_run"
    monkeypatch.undo()
    leased(folder, 0)
    with lock(folder).held():
        pass


@pytest.mark.parametrize("left", [-3600, -1, 0, _lock.LEASE + 2, 86400])
def test_a_lease_that_has_ended_or_began_before_the_clock_was_set_back_is_none(folder: Path, left: int) -> None:
    leased(folder, time.time() + left)
    with lock(folder).held() as told:
        assert told == ""
        assert json.loads((folder / NAME).read_text())["run"] == ""


@pytest.mark.parametrize("part", ['"run": ""', '"until": "soon"', '"until": null', '"until": 1e400'])
def test_a_lease_that_is_not_whole_is_none(folder: Path, part: str) -> None:
    leased(folder, time.time() + 50)
    whole = (folder / NAME).read_text()
    name = part.partition(":")[0]
    (folder / NAME).write_text(re.sub(rf"{name}: [^,}}]*", part, whole))
    with lock(folder).held() as told:
        assert told == ""


# -- commands of the run ----------------------------------------------------------------------------------------------

_HOLD = """
import signal, sys
sys.path[:0] = {path!r}
from ansible_collections.keyholder.macos.plugins.module_utils._lock import FileLock
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command, ProcessRunner
signal.signal(signal.SIGALRM, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
lock = FileLock({folder!r}, "account", "ana", 0)
with lock.held():
    print("held", flush=True)
    ProcessRunner(lambda name: "/bin/" + name, lock.descriptors).run(Command(("sh", "-c", {script!r})), 600)
"""


def holding(folder: Path, script: str) -> subprocess.Popen[str]:
    """A process of its own that holds the lock and runs a command meanwhile."""
    code = _HOLD.format(path=sys.path, folder=str(folder), script=script)
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def killed(process: subprocess.Popen[str], started: Path) -> int:
    """Kill the module as nothing can prevent; its command's process number, which it has left in ``started``."""
    while not started.exists() or not started.read_text().endswith("\n"):
        assert process.poll() is None
    process.kill()
    process.communicate()
    return int(started.read_text())


def test_the_death_of_a_process_lets_it_go(folder: Path, tmp_path: Path) -> None:
    started = tmp_path / "started"
    process = holding(folder, f"echo $$ > {started}; exec sleep 600")
    command = killed(process, started)
    os.kill(command, signal.SIGKILL)
    with lock(folder, 60, _lock.time.sleep).held():
        pass


def test_a_command_that_outlives_its_module_holds_it_until_it_ends(folder: Path, tmp_path: Path) -> None:
    started = tmp_path / "started"
    process = holding(folder, f"echo $$ > {started}; exec sleep 600")
    command = killed(process, started)
    said = refusal(lock(folder))
    assert said.reason == "another_run"
    assert f"process {process.pid} since" in said.msg
    assert "that process has ended, but a command that it started still runs" in said.msg
    os.kill(command, signal.SIGKILL)


def test_the_timer_ends_a_command_whatever_its_module_has_done_with_that_signal(folder: Path, tmp_path: Path) -> None:
    """That each command has a timer shows below. Its signal is sent from here, so that nobody has to wait for it."""
    started = tmp_path / "started"
    process = holding(folder, f"echo $$ > {started}; exec sleep 600")
    os.kill(killed(process, started), signal.SIGALRM)
    with lock(folder, 60, _lock.time.sleep).held():
        pass


@pytest.mark.parametrize("dialogue", [False, True])
def test_each_command_has_the_lock_open_and_a_timer_and_only_while_it_is_held(folder: Path, dialogue: bool) -> None:
    own = lock(folder)
    runner = ProcessRunner(lambda name: sys.executable, own.descriptors)
    ask = "input('ready? ')" if dialogue else ""
    code = f"import os, signal\nprint('timer', signal.alarm(0))\nos.fstat({{}})\nprint('open')\n{ask}"
    with own.held():
        (file,) = own.descriptors()
        argv = ("python", "-c", code.format(file))
        command = Command(argv, dialogue=(("ready?", Secret("yes")),) if dialogue else ())
        held = runner.run(command, 1000.2)
    free = runner.run(command, 1000.2)
    assert "\nopen" in held.out, held
    assert 900 < int(held.out.split()[1]) <= 1006
    assert "\nopen" not in free.out, free
    assert free.out.startswith("timer 0\n")


# -- where it lies ----------------------------------------------------------------------------------------------------


def test_a_mac_has_it_where_only_root_writes_and_a_mac_of_the_lab_beside_its_programs() -> None:
    assert _module._lock_folder("/usr/bin/fdesetup") == "/var/db"
    assert _module._lock_folder("/lab/macs/lisbon/bin/fdesetup") == "/lab/macs/lisbon/root/var/db"
    # Where somebody has put a program of that name elsewhere on a Mac, there is no such folder: nothing is locked.
    assert _module._lock_folder("/usr/local/bin/fdesetup") == "/usr/local/root/var/db"
