# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal: complete about what was done, silent about what was typed."""

from __future__ import annotations

import json

from conftest import SECRET

from maclab import journal, show
from maclab.lab import Handle


def test_a_run_is_described_completely(mac: Handle) -> None:
    mac.ssh("cd /; MARK='a b\n=c' sudo -u ana MARK2=x probe exit 'two words' 7")
    entries = mac.journal()
    (asked,) = journal.execs(entries)
    sudo, run = journal.programs(entries)
    assert asked.command.startswith("cd /; MARK=") and asked.user == "itadmin" and not asked.pty
    assert (sudo.program, sudo.user, sudo.root, sudo.status) == ("sudo", "itadmin", False, None)
    assert sudo.became == [f"{mac.folder.bin}/probe", "exit", "two words", "7"]
    assert sudo.env["MARK"] == "a b\n=c"
    assert (run.program, run.argv, run.user, run.root) == ("probe", ["exit", "two words", "7"], "ana", False)
    assert (run.status, run.cwd, run.killed, run.became) == (7, "/", False, None)
    assert run.env["SUDO_USER"] == "itadmin" and run.env["MARK2"] == "x" and "MARK" not in run.env
    assert run.session == sudo.session == asked.session
    assert run.pid == sudo.pid
    assert asked.start <= sudo.start <= run.start and 0 < run.duration < 10


def test_what_was_typed_is_counted_and_not_kept(mac: Handle) -> None:
    mac.ssh("probe getpass; probe line; probe all", input=f"{SECRET}\n{SECRET}\n{SECRET}")
    mac.ssh("sudo -S true", user="asked", input=f"{SECRET}\n")
    size = len(SECRET)
    assert [run.stdin_bytes for run in journal.programs(mac.journal())] == [size + 1, size + 1, size, size + 1]
    assert SECRET not in mac.folder.journal.read_text()
    assert all(SECRET not in path.read_text() for path in mac.files())


def test_a_secret_where_it_must_not_be_is_found(mac: Handle) -> None:
    mac.ssh(f"probe nothing {SECRET}; LEAK={SECRET} probe nothing; echo {SECRET} > $TMPDIR/note")
    in_argv, in_env = journal.programs(mac.journal(), "probe")
    assert SECRET in in_argv.argv and SECRET not in in_argv.env.values()
    assert SECRET in in_env.env.values() and SECRET not in in_env.argv
    assert [path.name for path in mac.files() if SECRET in path.read_text()] == ["note"]


def test_writes_and_authentications_are_told_apart_by_run(mac: Handle) -> None:
    mac.ssh("probe commit 2; probe who")
    mac.ssh("sudo -S true", user="asked", input=f"x\n{SECRET}\n")
    assert journal.writes(mac.journal()) == ["clock advanced"] * 2
    assert journal.authentications(mac.journal()) == [("asked", False), ("asked", True)]
    assert [run.writes for run in journal.programs(mac.journal(), "probe")] == [["clock advanced"] * 2, []]


def test_terminal_sessions_and_file_transfers_are_seen(mac: Handle) -> None:
    mac.ssh("true", tty=True)
    assert [entry.pty for entry in journal.execs(mac.journal())] == [True]


def test_a_program_of_the_lab_that_fails_says_so(mac: Handle) -> None:
    done = mac.ssh("probe crash")
    assert done.rc == 70 and "of the lab itself failed: ValueError('on purpose')" in done.err
    assert journal.programs(mac.journal(), "probe")[0].status == 70


def test_a_form_that_the_lab_does_not_model_is_refused_in_one_line_and_shown(mac: Handle) -> None:
    said = mac.ssh("odutil set log 'a\nb'; echo rc $?")
    (event,) = journal.events(mac.journal(), "unmodelled")
    assert said.out == "rc 121\n"
    assert said.err == f"maclab: {event.reason}: this lab does not model that (it knows show nodenames)\n"
    assert event.reason == "odutil set log a\\nb"
    assert show.mac(mac.state(), mac.journal()).count("odutil set log a\\nb") >= 2


def test_a_run_that_has_begun_is_waited_for(mac: Handle) -> None:
    mac.set_fault("slow", seconds=1, program="odutil")
    mac.ssh("odutil show nodenames > /dev/null 2>&1 < /dev/null & sleep 0.3")
    assert not mac.settle(seconds=0.1)
    assert mac.settle(seconds=10)
    assert [run.program for run in journal.programs(mac.journal())] == ["odutil"]


def test_a_log_line_has_the_shape_of_apples(mac: Handle) -> None:
    said = mac.ssh("probe log 'Creating user record…'")
    assert said.out == ""
    stamp, clock, rest = said.err.split(" ", 2)
    (run,) = journal.programs(mac.journal(), "probe")
    assert len(stamp) == 10 and len(clock) == 12
    assert rest.startswith(f"probe[{run.pid}:") and rest.endswith("] Creating user record…\n")


def test_bytes_that_are_no_text_survive(mac: Handle) -> None:
    mac.ssh("probe nothing \"$(printf 'a\\377b')\"")
    (run,) = journal.programs(mac.journal(), "probe")
    assert run.argv[1].encode("utf-8", "surrogateescape") == b"a\xffb"


def test_half_a_line_at_the_end_is_no_line(mac: Handle) -> None:
    mac.ssh("probe who")
    before = mac.journal()
    with mac.folder.journal.open("a") as stream:
        stream.write(json.dumps({"kind": "event"})[:-3])
    assert mac.journal() == before
