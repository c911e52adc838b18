# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock of runs through a shell: by real shells and a real Perl, beside each other and beside Python's own lock."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import time
import typing as t
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from foreign import FOREIGN

from ansible_collections.keyholder.macos.plugins.module_utils._command import softwareupdate, system
from ansible_collections.keyholder.macos.plugins.module_utils._lock import LEASE, NAME, FileLock, Holder
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command
from ansible_collections.keyholder.macos.plugins.plugin_utils._exec import Exec, Said
from ansible_collections.keyholder.macos.plugins.plugin_utils._shell import ScriptRunner, compose, parse
from ansible_collections.keyholder.macos.plugins.plugin_utils._shell_lock import (
    _LOCK,
    RESTARTING,
    ShellLock,
    Ticket,
    lock_answer,
    locked,
)

_BASH = shutil.which("bash")
SHELLS = [["/bin/sh"], *([[_BASH, "--posix"]] if _BASH else [])]
each_shell = pytest.mark.parametrize("shell", SHELLS, ids=["sh", "bash"][: len(SHELLS)])
MARK = "keyholder-0123456789abcdef"
WORK = "echo worked"
# Seconds that no other run of these tests at the same time waits.
LONG = 30000 + 2 * os.getpid()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "db"
    made.mkdir()
    made.chmod(0o755)
    return made


def ticket(folder: Path, run: str = "aa", wait: float = 0, **more: t.Any) -> Ticket:
    return Ticket("account", "ana", wait, folder=str(folder), run=run, **more)


def later(folder: Path, run: str = "aa", **more: t.Any) -> Ticket:
    return ticket(folder, run, first=False, **more)


def start(
    shown: Ticket, script: str = WORK, shell: t.Sequence[str] = ("/bin/sh",), **more: t.Any
) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    return subprocess.Popen([*shell, "-c", locked(script, shown, MARK)], stdin=pipe, stdout=pipe, stderr=pipe, **more)


def run(shown: Ticket, script: str = WORK, given: bytes = b"", **more: t.Any) -> Said:
    process = start(shown, script, **more)
    out, err = process.communicate(given, timeout=60)
    return Said(process.returncode, out, err)


def went(shown: Ticket, **more: t.Any) -> str:
    """What is told of a command that ran."""
    said = run(shown, **more)
    note = lock_answer(said.out, MARK)
    assert (said.rc, said.out.endswith(b"worked\n"), said.err) == (0, True, b""), said
    return note


def refusal(shown: Ticket, **more: t.Any) -> Refusal:
    """Why a command did not run."""
    said = run(shown, **more)
    with pytest.raises(Refusal) as caught:
        lock_answer(said.out, MARK)
    assert (said.rc, b"worked" in said.out, said.err) == (1, False, b""), said
    return caught.value


def waits(process: subprocess.Popen[bytes]) -> None:
    """Return once a command has waited for a second: then it prints an empty line."""
    assert process.stdout is not None and process.stdout.read(1) == b"\n"


def python(folder: Path, wait: float = 0) -> FileLock:
    return FileLock(str(folder), "offboard", "itadmin", wait)


def python_refusal(folder: Path) -> Refusal:
    with pytest.raises(Refusal) as caught, python(folder).held():
        pass
    return caught.value


def said_in(folder: Path) -> dict[str, t.Any]:
    return t.cast("dict[str, t.Any]", json.loads((folder / NAME).read_text()))


def leased(folder: Path, until: float, run: str = "bb", since: int = 1764385927) -> None:
    who = Holder("repair", 0, "eva", since, run, int(until))
    (folder / NAME).write_text(json.dumps(asdict(who)))
    (folder / NAME).chmod(0o600)


# -- one run ----------------------------------------------------------------------------------------------------------


@each_shell
def test_a_script_gets_its_input_and_its_status_and_output_arrive(folder: Path, shell: list[str]) -> None:
    data = bytes(range(256)) * 400
    said = run(ticket(folder), "cat; echo err >&2; exit 7", data, shell=shell)
    head, line, body = said.out.partition(b"\n")
    assert (said.rc, body, said.err) == (7, data, b"err\n") and line and head.startswith(f"{MARK} lock taken ".encode())
    assert lock_answer(said.out, MARK) == ""


@pytest.mark.parametrize(("script", "rc"), [("kill -9 $$", 137), ("kill -15 $$", 143), ("exit 255", 255)])
def test_a_script_that_dies_says_how(folder: Path, script: str, rc: int) -> None:
    assert run(ticket(folder), script).rc == rc


def test_a_run_leases_the_lock_renews_it_and_lets_go(folder: Path) -> None:
    begun = int(time.time())
    assert went(ticket(folder)) == ""
    first = said_in(folder)
    assert begun + LEASE <= first.pop("until") <= time.time() + LEASE
    assert begun <= first["since"] <= time.time()
    assert first == {"module": "account", "user": "ana", "run": "aa", "pid": 0, "since": first["since"]}
    leased(folder, time.time() + 5, "aa", since=7)
    assert went(later(folder)) == ""
    assert said_in(folder)["until"] >= begun + LEASE and said_in(folder)["since"] == 7
    begun = int(time.time())
    assert lock_answer(run(later(folder), "sleep 2").out, MARK) == ""
    assert said_in(folder)["until"] >= begun + 2 + LEASE
    assert python_refusal(folder).reason == "another_run"
    assert went(later(folder, release=True)) == ""
    assert (folder / NAME).read_bytes() == b""
    with python(folder).held() as told:
        assert told == ""


def test_a_lease_may_be_short_and_does_not_shorten_those_of_others(folder: Path) -> None:
    went(ticket(folder))
    went(later(folder, lease=1))
    assert said_in(folder)["until"] <= time.time() + 1
    assert "waited" in went(ticket(folder, "bb", wait=10))
    assert refusal(ticket(folder, "cc", lease=1)).reason == "another_run"


def test_a_run_that_is_cut_off_while_it_lets_go_has_let_go(folder: Path, tmp_path: Path) -> None:
    """As by the restart that it has asked for."""
    went(ticket(folder))
    process, dummy = working(later(folder, release=True), tmp_path / "started")
    assert python_refusal(folder).reason == "another_run"
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    with python(folder).held() as told:
        assert told == ""


def test_only_its_owner_can_open_the_file_and_no_other_is_made(folder: Path) -> None:
    umask = os.umask(0)
    try:
        went(ticket(folder))
    finally:
        os.umask(umask)
    assert [path.name for path in folder.iterdir()] == [NAME]
    assert (folder / NAME).stat().st_mode & 0o777 == 0o600


def test_a_name_cannot_look_like_another_part_of_the_file(folder: Path) -> None:
    name = 'x", "run": "bb", "until": 9 \\" ü\n$(id)\' %s'
    went(replace(ticket(folder), user=name))
    holder = Holder.parse((folder / NAME).read_bytes())
    assert holder is not None and holder.leases and holder.user == name.replace("\n", "")
    went(later(folder))
    assert refusal(ticket(folder, "bb")).reason == "another_run"


@each_shell
def test_a_script_of_commands_goes_as_without_a_lock(folder: Path, shell: list[str]) -> None:
    commands = [
        Command(("cat",), stdin="a 'b'\n"),
        Command(("sh", "-c", "echo err >&2; exit 3")),
        Command(("nonesuch",)),
    ]
    script = compose(commands, 30, MARK).script
    under = [run(ticket(folder), script, shell=shell), run(later(folder), script, shell=shell)]
    free = subprocess.run([*shell, "-c", script], capture_output=True, check=False)
    for said in under:
        assert parse(said, commands, MARK) == parse(Said(0, free.stdout, free.stderr), commands, MARK)
        assert lock_answer(said.out, MARK) == ""


# -- two runs ---------------------------------------------------------------------------------------------------------


def test_another_run_is_refused_and_told_who(folder: Path) -> None:
    went(ticket(folder))
    said = refusal(ticket(folder, "bb"))
    since = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(said_in(folder)["since"]))
    assert said.reason == "another_run"
    assert (
        said.msg
        == f"another run is changing this Mac: keyholder.macos.account, run by ana through a shell since {since} UTC"
    )
    assert said.evidence == (str(folder / NAME),)
    assert python_refusal(folder).msg == said.msg
    assert went(later(folder)) == ""


def test_another_run_that_waits_goes_on_and_says_so(folder: Path) -> None:
    went(ticket(folder))
    waiting = start(ticket(folder, "bb", wait=60))
    waits(waiting)
    went(later(folder, release=True))
    out, err = waiting.communicate(timeout=60)
    assert lock_answer(out, MARK).startswith("waited ") and "run by ana through a shell since" in lock_answer(out, MARK)
    assert (out.endswith(b"worked\n"), err) == (True, b"")
    assert refusal(later(folder)).reason == "lock_lost"


def test_who_has_waited_long_enough_is_refused(folder: Path) -> None:
    leased(folder, time.time() + 50)
    said = refusal(ticket(folder, wait=0.6))
    assert (said.reason, "it was still at work after 0.6 seconds: keyholder.macos.repair" in said.msg) == (
        "another_run",
        True,
    )


def test_who_waits_and_is_not_heard_any_more_ends_and_takes_nothing(folder: Path) -> None:
    leased(folder, time.time() + 50)
    waiting = start(ticket(folder, wait=LONG))
    assert waiting.stdout is not None
    waiting.stdout.close()
    assert waiting.wait(30) == -signal.SIGPIPE
    assert said_in(folder)["run"] == "bb"


def test_python_waits_for_a_shell_and_a_shell_for_python(folder: Path) -> None:
    went(ticket(folder))
    leased(folder, time.time() + 2, "aa")
    with python(folder, 60).held() as told:
        assert "keyholder.macos.account" in told or "keyholder.macos.repair, run by eva through a shell" in told
        said = refusal(ticket(folder, "bb"))
        assert said.reason == "another_run"
        assert f"keyholder.macos.offboard, run by itadmin as process {os.getpid()} since" in said.msg
        lost = refusal(later(folder))
        assert lost.reason == "lock_lost" and lost.msg.startswith(
            f"this run no longer holds the lock {folder / NAME}: "
        )
        waiting = start(ticket(folder, "bb", wait=60))
        waits(waiting)
    out, dummy = waiting.communicate(timeout=60)
    assert f"run by itadmin as process {os.getpid()} since" in lock_answer(out, MARK)
    assert out.endswith(b"worked\n")


def test_a_run_whose_lease_has_ended_goes_on_where_nobody_has_taken_it(folder: Path) -> None:
    leased(folder, time.time() - 500, "aa")
    assert went(later(folder)) == ""
    leased(folder, time.time() - 500, "aa")
    with python(folder).held():
        pass
    said = refusal(later(folder))
    assert said.reason == "lock_lost" and "keyholder.macos.offboard, run by itadmin" in said.msg


@pytest.mark.parametrize("left", [-86400, -1, 0, LEASE + 2, 86400])
def test_a_lease_that_has_ended_or_began_before_the_clock_was_set_back_is_none(folder: Path, left: int) -> None:
    leased(folder, time.time() + left)
    assert went(ticket(folder)) == ""


@pytest.mark.parametrize(
    "content", ["", "no json", "{}", "[1]", '{"run": "bb"}', '{"until": 99999999999}', "\0" * 5000]
)
def test_what_lies_there_without_a_lease_is_no_obstacle(folder: Path, content: str) -> None:
    (folder / NAME).write_text(content)
    (folder / NAME).chmod(0o600)
    assert went(ticket(folder)) == ""
    assert said_in(folder)["run"] == "aa"


def trying(monkeypatch: pytest.MonkeyPatch, perl: str) -> None:
    """Have the lock's program do something before each time it tries to take the lock."""
    trying = _LOCK.replace("flock($file, LOCK_EX", "before() && flock($file, LOCK_EX")
    assert trying != _LOCK
    monkeypatch.setitem(locked.__globals__, "_LOCK", f"{trying}\nsub before {{ {perl}; 1 }}")


def test_a_lease_that_was_written_while_the_lock_was_taken_counts(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leased(folder, time.time() + 50)
    text = (folder / NAME).read_text()
    (folder / NAME).write_text("")
    trying(monkeypatch, f"syswrite($file, q({text}))")
    assert "keyholder.macos.repair, run by eva" in refusal(ticket(folder)).msg


def test_a_lease_that_is_watched_leaves_the_lock_to_its_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leased(folder, time.time() + 50)
    trying(monkeypatch, "print STDERR qq(it tries\\n)")
    assert refusal(ticket(folder, wait=0.5)).reason == "another_run"


def test_who_has_ended_and_has_left_a_command_is_not_called_alive(folder: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    with python(folder).held():
        for pid, alive in ((os.getpid(), True), (ended.pid, False)):
            holder = Holder("repair", pid, "eva", 1764385927)
            (folder / NAME).write_text(json.dumps(asdict(holder)))
            assert refusal(ticket(folder)).msg.endswith(holder.words(alive))


def test_a_later_command_of_a_run_that_never_had_it_does_not_run(folder: Path) -> None:
    said = refusal(later(folder))
    assert (said.reason, said.msg) == ("lock_lost", f"this run no longer holds the lock {folder / NAME}")
    assert refusal(later(folder, release=True)).reason == "lock_lost"


# -- death ------------------------------------------------------------------------------------------------------------


def working(shown: Ticket, started: Path) -> tuple[subprocess.Popen[bytes], int]:
    """A command that works until it is killed, as a shell's child, and its number."""
    script = f"exec 3>&1 4>&1 5>&1 6<&0 7<&0; sleep {LONG} 3>&- 4>&- 5>&- 6<&- 7<&- & echo $! >{started}; wait"
    process = start(shown, script, start_new_session=True)
    until = time.monotonic() + 30
    while not started.exists() or not started.read_text().endswith("\n"):
        assert process.poll() is None and time.monotonic() < until
        time.sleep(0.02)
    return process, int(started.read_text())


def test_a_command_that_outlives_its_perl_and_its_shell_holds_the_lock_beyond_the_lease(
    folder: Path, tmp_path: Path
) -> None:
    process, command = working(ticket(folder), tmp_path / "started")
    try:
        process.kill()
        process.wait()
        children = subprocess.run(["ps", "-A", "-o", "pid=,pgid="], capture_output=True, text=True, check=True).stdout
        for line in children.splitlines():
            pid, group = map(int, line.split())
            if group == process.pid and pid != command:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        leased(folder, 0, "aa")
        assert python_refusal(folder).reason == "another_run"
        assert refusal(ticket(folder, "bb")).reason == "another_run"
        waiting = start(later(folder))
        waits(waiting)
    finally:
        os.kill(command, signal.SIGKILL)
    out, dummy = waiting.communicate(timeout=60)
    assert lock_answer(out, MARK).startswith("waited ")


def test_a_run_whose_own_command_does_not_end_gives_up(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(locked.__globals__, "OWN", 1)
    process, command = working(ticket(folder), tmp_path / "started")
    try:
        said = refusal(later(folder))
        assert (said.reason, "a command of this run was stopped, still runs" in said.msg) == ("lock_lost", True)
    finally:
        os.kill(command, signal.SIGKILL)
        process.communicate(timeout=60)


def test_the_death_of_everything_leaves_a_lease_that_ends(folder: Path, tmp_path: Path) -> None:
    process, dummy = working(ticket(folder), tmp_path / "started")
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert refusal(ticket(folder, "bb")).reason == "another_run"
    leased(folder, 0, "aa")
    assert went(ticket(folder, "bb")) == ""


# -- what lies there --------------------------------------------------------------------------------------------------


def writable_folder(place: Path) -> None:
    place.parent.chmod(0o1777)


def no_folder(place: Path) -> None:
    place.parent.rmdir()


@pytest.mark.parametrize(
    ("foreign", "why"),
    [
        *FOREIGN,
        (writable_folder, "accounts other than root may write in"),
        (no_folder, "No such file or directory"),
    ],
)
def test_what_somebody_else_has_put_there_is_refused_and_left_alone(
    folder: Path, foreign: t.Callable[[Path], None], why: str
) -> None:
    def seen() -> list[tuple[str, int, int]]:
        return [(path.name, path.lstat().st_ino, path.lstat().st_size) for path in sorted(folder.parent.rglob("*"))]

    foreign(folder / NAME)
    before = seen()
    for shown in (ticket(folder), later(folder)):
        said = refusal(shown)
        assert (said.reason, why in said.msg) == ("lock_unusable", True), said.msg
    assert said.msg.startswith(f"the lock {folder / NAME} cannot be held: ") and seen() == before
    assert python_refusal(folder).msg == said.msg


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_what_belongs_to_another_account_is_refused(folder: Path) -> None:
    (folder / NAME).touch(mode=0o600)
    os.chown(folder / NAME, 4242, -1)
    assert "it belongs to UID 4242" in refusal(ticket(folder)).msg
    (folder / NAME).unlink()
    os.chown(folder, 4242, -1)
    assert "accounts other than root may write in" in refusal(ticket(folder)).msg


def test_where_the_file_was_replaced_while_it_was_waited_for_the_new_one_is_locked(folder: Path) -> None:
    with python(folder).held():
        waiting = start(ticket(folder, wait=60), "cat")
        waits(waiting)
        (folder / NAME).rename(folder / "away")
    until = time.monotonic() + 30
    while not (folder / NAME).exists() or not (folder / NAME).read_bytes():
        assert time.monotonic() < until
        time.sleep(0.02)
    assert "keyholder.macos.account" in python_refusal(folder).msg
    assert "waited" in lock_answer(waiting.communicate(timeout=60)[0], MARK)


# -- the Mac ----------------------------------------------------------------------------------------------------------


def programs(tmp_path: Path, *names: str) -> dict[str, str]:
    """An environment whose PATH has just these programs."""
    made = tmp_path / "mac" / "bin"
    made.mkdir(parents=True)
    for name in names:
        found = shutil.which(name)
        (made / name).symlink_to(found) if found else (made / name).touch(mode=0o755)
    return {"PATH": str(made)}


@pytest.mark.skipif(os.path.exists("/usr/bin/fdesetup"), reason="this is a Mac")
def test_a_mac_of_the_lab_has_its_lock_beside_its_programs(tmp_path: Path) -> None:
    environment = programs(tmp_path, "fdesetup", "perl")
    folder = tmp_path / "mac" / "root" / "var" / "db"
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    assert went(replace(ticket(folder), folder=""), env=environment) == ""
    assert said_in(folder)["run"] == "aa"


def test_a_host_that_is_no_mac_and_a_mac_without_perl(tmp_path: Path, folder: Path) -> None:
    environment = programs(tmp_path, "perl")
    assert refusal(replace(ticket(folder), folder=""), env=environment).reason == "not_a_mac"
    (tmp_path / "mac" / "bin" / "perl").unlink()
    said = refusal(ticket(folder), env={"PATH": environment["PATH"]})
    assert (said.reason, list(folder.iterdir())) == ("needs_python", [])


@pytest.mark.parametrize(
    "out", [b"", b"sudo: a password is required\n", f"{MARK} lock taken".encode(), f"{MARK} lock x y z\n".encode()]
)
def test_an_answer_that_is_none_is_no_lock(out: bytes) -> None:
    with pytest.raises(Refusal) as caught:
        lock_answer(out, MARK, b"sorry\n")
    assert caught.value.reason == "shell_unreadable"
    assert caught.value.evidence[0].startswith("/bin/sh: sorry")


def test_who_is_not_root_is_told_so() -> None:
    line = f"{MARK} lock denied 0.0 0  {b'/var/db/x'.hex()}\r\n".encode()
    with pytest.raises(Refusal) as caught:
        lock_answer(line, MARK)
    assert (caught.value.reason, caught.value.evidence) == ("not_root", ("/var/db/x",))


def test_an_answer_in_front_of_which_a_banner_stands_and_that_has_lost_its_end(folder: Path) -> None:
    said = run(ticket(folder), ":")
    assert lock_answer(b"Welcome!\r\n" + said.out.strip().replace(b"\n", b"\r\n"), MARK) == ""


# -- the lock of a run ------------------------------------------------------------------------------------------------


class Mac:
    """A Mac behind a connection, which can break."""

    def __init__(self) -> None:
        self.scripts: list[str] = []
        self.broken = False

    def send(self, asked: Exec) -> Said:
        self.scripts.append(asked.script)
        if self.broken:
            raise ConnectionError("broken")
        done = subprocess.run(["/bin/sh", "-c", asked.script], input=asked.secrets, capture_output=True, check=False)
        return Said(done.returncode, done.stdout, done.stderr)


def test_a_run_holds_it_around_its_commands(folder: Path) -> None:
    mac = Mac()
    own = ShellLock(mac.send, Ticket("account", "ana", 0, folder=str(folder)))
    with own.held() as told:
        assert told == ""
        said = mac.send(own.around(Exec("id -u; cat", b"a secret"), MARK))
        assert lock_answer(said.out, MARK) == "" and said.out.endswith(b"0\na secret"), said
        other = ShellLock(mac.send, Ticket("account", "eva", 0, folder=str(folder)))
        with pytest.raises(Refusal) as caught, other.held():
            pass
        assert caught.value.reason == "another_run"
        assert python_refusal(folder).reason == "another_run"
    assert len(mac.scripts) == 4
    with python(folder).held() as told:
        assert told == ""


def test_a_run_that_restarts_the_mac_keeps_it_no_longer_than_that_takes() -> None:
    sent: list[str] = []

    def send(asked: Exec) -> Said:
        sent.append(asked.script)
        raise ConnectionError

    for command in (system.SW_VERS, system.RESTART, softwareupdate.install("a label", "", None)):
        with contextlib.suppress(ConnectionError):
            ScriptRunner(send, ShellLock(send, Ticket("filevault_reboot", "ana", 0))).run(command)
    leases = [int(word) for script in sent for word in re.findall(rf" {LEASE} (\d+) 0 0 ", script)]
    assert leases == [LEASE, RESTARTING, RESTARTING]


def test_an_exception_lets_it_go_and_a_broken_connection_hides_no_exception(folder: Path) -> None:
    mac = Mac()
    for broken in (False, True):
        with (
            pytest.raises(ZeroDivisionError),
            ShellLock(mac.send, Ticket("account", "ana", 0, folder=str(folder))).held(),
        ):
            mac.broken = broken
            raise ZeroDivisionError
        assert ((folder / NAME).read_bytes() == b"") is not broken
    with pytest.raises(ConnectionError), ShellLock(mac.send, Ticket("account", "ana", 0, folder=str(folder))).held():
        pass


def test_the_program_is_short_plain_and_without_a_warning() -> None:
    assert _LOCK.isascii() and "'" not in _LOCK and len(_LOCK) < 4000
    checked = subprocess.run(
        [str(shutil.which("perl")), "-wc", "-e", _LOCK], capture_output=True, text=True, check=False
    )
    assert checked.stderr == "-e syntax OK\n"
