# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SSH with a real OpenSSH client: streams, statuses, terminals, files, several commands on one connection, logins."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from maclab import cli, inventory, journal, layout
from maclab.lab import Handle, Lab


def test_both_streams_and_the_status(mac: Handle) -> None:
    done = mac.ssh("echo out; echo err >&2; exit 7")
    assert (done.rc, done.out, done.err) == (7, "out\n", "err\n")


def test_end_of_input_reaches_the_command(mac: Handle) -> None:
    assert mac.ssh("cat; echo ' end'", input="some").out == "some end\n"
    assert mac.ssh("cat; echo end").out == "end\n"


def test_large_transfers_are_whole(mac: Handle) -> None:
    data = os.urandom(3_000_000)
    argv = mac.ssh_argv("tee /dev/stderr")
    done = subprocess.run(argv, input=data, capture_output=True, timeout=60, check=True)
    assert hashlib.sha256(done.stdout).digest() == hashlib.sha256(data).digest()
    assert done.stderr == data


def test_a_command_that_does_not_read_is_not_held_up(mac: Handle) -> None:
    assert mac.ssh("echo early", input=b"x" * 1_000_000).out == "early\n"


def test_death_by_signal_is_told(mac: Handle) -> None:
    assert mac.ssh("kill -TERM $$; echo survived").rc == 255

    async def asked() -> Any:
        async with _connect(mac) as connection:
            return await connection.run("kill -TERM $$", check=False)

    assert asyncio.run(asked()).exit_signal == ("TERM", False, "", "en-US")


def test_a_signal_from_the_client_reaches_the_command(mac: Handle) -> None:
    async def asked() -> str:
        async with (
            _connect(mac) as connection,
            connection.create_process(
                # Not zsh, which runs the trap before it has forgotten what it just wrote, and writes it twice.
                """exec /bin/sh -c 'trap "echo caught; exit 3" INT; echo ready; while :; do sleep 0.05; done'"""
            ) as process,
        ):
            await process.stdout.readline()
            process.send_signal("INT")
            done = await process.wait(timeout=20)
            return f"{done.stdout}{done.exit_status}"

    assert asyncio.run(asked()) == "caught\n3"


def test_a_terminal_on_request_and_none_without(mac: Handle) -> None:
    assert mac.ssh("probe who").out == "itadmin root=False tty=False stdin_tty=False\n"
    assert mac.ssh("probe who", tty=True).out == "itadmin root=False tty=True stdin_tty=True\r\n"
    assert re.fullmatch(r"/dev/\S+\r\n", mac.ssh("tty", tty=True).out)


def test_the_end_of_output_on_a_terminal_is_not_lost(mac: Handle) -> None:
    done = mac.ssh("seq 20000; exit 5", tty=True)
    assert done.rc == 5
    assert done.out.split() == [str(number) for number in range(1, 20001)]


def test_the_terminal_has_the_size_of_the_clients(mac: Handle) -> None:
    async def asked() -> str:
        async with _connect(mac) as connection:
            done = await connection.run("stty size", term_type="xterm", term_size=(120, 33))
            return str(done.stdout)

    assert asyncio.run(asked()) == "33 120\r\n"


def test_an_interactive_shell(mac: Handle) -> None:
    argv = mac.ssh_argv(None, None, "-tt")
    done = subprocess.run(argv, input=b"echo $((40 + 2))\nexit 4\n", capture_output=True, timeout=30, check=False)
    assert done.returncode == 4
    assert b"itadmin@lisbon % " in done.stdout and b"42\r\n" in done.stdout


def test_a_script_on_standard_input(mac: Handle) -> None:
    done = subprocess.run(mac.ssh_argv(), input=b"whoami\nexit 3\n", capture_output=True, timeout=30, check=False)
    assert (done.returncode, done.stdout) == (3, b"itadmin\n")


def test_many_commands_share_one_connection(mac: Handle, tmp_path: Path) -> None:
    control = f"/tmp/maclab-test-{os.getpid()}"
    options = ["-o", "ControlMaster=auto", "-o", "ControlPersist=20", "-o", f"ControlPath={control}"]
    try:
        subprocess.run(mac.ssh_argv("true", None, *options), check=True, timeout=30, stderr=subprocess.DEVNULL)
        running = [
            subprocess.Popen(
                mac.ssh_argv(f"sleep 0.3; echo {index}; exit {index}", None, *options), stdout=subprocess.PIPE
            )
            for index in range(8)
        ]
        said = [one.communicate(timeout=30)[0] for one in running]
    finally:
        subprocess.run(mac.ssh_argv(None, None, *options, "-O", "exit"), check=False, capture_output=True, timeout=30)
    assert said == [b"%d\n" % index for index in range(8)]
    assert [one.returncode for one in running] == list(range(8))
    assert len(journal.logins(mac.journal())) == 1
    sessions = [entry.session for entry in journal.execs(mac.journal())]
    assert len(set(sessions)) == 9


@contextmanager
def _transfer(mac: Handle, lab: Lab) -> Iterator[list[str]]:
    yield [*inventory.ssh_options(lab.folder), "-i", str(lab.folder.client_key), "-o", "BatchMode=yes"]


def test_sftp(mac: Handle, lab: Lab, tmp_path: Path) -> None:
    data = os.urandom(200_000)
    (tmp_path / "up").write_bytes(data)
    home = mac.file_tree / "Users" / "itadmin"
    batch = f"put {tmp_path}/up {home}/absolute\nput {tmp_path}/up relative\nget relative {tmp_path}/down\nls -l\n"
    with _transfer(mac, lab) as options:
        argv = ["sftp", *options, "-P", str(mac.port), "-b", "-", "itadmin@127.0.0.1"]
        subprocess.run(argv, input=batch.encode(), check=True, capture_output=True, timeout=60)
    assert (home / "absolute").read_bytes() == (home / "relative").read_bytes() == data
    assert (tmp_path / "down").read_bytes() == data


@pytest.mark.parametrize("legacy", [False, True])
def test_scp(mac: Handle, lab: Lab, tmp_path: Path, legacy: bool) -> None:
    (tmp_path / "up").write_text("content")
    with _transfer(mac, lab) as options:
        argv = ["scp", *options, "-P", str(mac.port), *(["-O"] if legacy else [])]
        subprocess.run([*argv, str(tmp_path / "up"), "itadmin@127.0.0.1:there"], check=True, timeout=60)
        subprocess.run([*argv, "itadmin@127.0.0.1:there", str(tmp_path / "down")], check=True, timeout=60)
    assert (mac.file_tree / "Users" / "itadmin" / "there").read_text() == "content"
    assert (tmp_path / "down").read_text() == "content"


def test_a_mac_has_what_macos_has_and_nothing_else(mac: Handle) -> None:
    assert mac.ssh('echo "$PATH"').out == f"{mac.folder.bin}\n"
    hidden = "getent useradd usermod chpasswd systemctl apt-get lsb_release"
    done = mac.ssh(f"for name in {hidden}; do command -v $name && echo there; done; command -v sudo")
    assert done.out == f"{mac.folder.bin}/sudo\n"
    assert mac.ssh("getent passwd").rc == 127


def test_the_environment_is_the_macs_not_the_hosts(mac: Handle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAKED_FROM_HOST", "1")
    argv = mac.ssh_argv("env; pwd", None, "-o", "SetEnv=LC_TEST=kept FORBIDDEN=dropped")
    said = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=30).stdout
    home = f"{mac.file_tree}/Users/itadmin"
    assert f"HOME={home}\n" in said and said.endswith(f"{home}\n")
    assert "LC_TEST=kept" in said
    assert "LEAKED" not in said and "FORBIDDEN" not in said


def test_a_program_knows_its_mac_and_its_user_with_an_emptied_environment(mac: Handle) -> None:
    assert mac.ssh(f"env -i {mac.folder.bin}/probe who").out.startswith("itadmin root=False")
    assert mac.ssh(f"sudo env -i {mac.folder.bin}/probe who").out.startswith("root root=True")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("cd ~; mkdir gone; cd gone; rmdir ../gone; whoami", "itadmin\n"),
        ("cd $(dirname $(command -v whoami)); ./whoami; ../bin/./whoami", "itadmin\n" * 2),
        ("LC_ALL=xx_XX.UTF-8 LANG=nonsense whoami", "itadmin\n"),
        ("PERL5OPT=-Mnonsense whoami", "itadmin\n"),
        ("env -i $(command -v whoami)", "itadmin\n"),
        # What is closed is nothing to read from, and nowhere to write to.
        ("whoami <&-", "itadmin\n"),
        ("whoami >&-; echo $?", "0\n"),
        ("whoami <&- >&- 2>&-; echo $?", "0\n"),
        # Nor does what sudo starts get the lab's socket in its place.
        ("sudo sh -c '! [ -S /dev/fd/2 ]' <&- >&- 2>&-; echo $?", "0\n"),
    ],
)
def test_a_program_runs_however_it_is_called(mac: Handle, command: str, said: str) -> None:
    answer = mac.ssh(command)
    assert (answer.out, answer.err) == (said, "")


def test_programs_leave_the_rest_of_standard_input_alone(mac: Handle) -> None:
    assert mac.ssh("probe line; cat", input="one\ntwo\n").out == "<one>\ntwo\n"


def test_a_reader_that_goes_away_ends_the_program_by_sigpipe(mac: Handle) -> None:
    said = mac.ssh("{ sleep 0.2; probe who; echo $? >&2; } | true").err
    assert said == "141\n"


def test_the_programs_python_is_the_macs(mac: Handle, lab: Lab) -> None:
    done = mac.ssh("python3 -c 'import sys; print(sys.version_info[:2])'")
    assert done.out == f"{sys.version_info[:2]}\n"
    assert lab.mac("bare").ssh("python3 -V").rc == 127
    assert "ansible_python_interpreter" not in str(_hosts(lab)["bare"])
    assert _hosts(lab)["lisbon"]["ansible_python_interpreter"] == f"{mac.folder.bin}/python3"


def _hosts(lab: Lab) -> dict[str, dict[str, object]]:
    import yaml

    hosts: dict[str, dict[str, object]] = yaml.safe_load(lab.inventory.read_text())["macs"]["hosts"]
    return hosts


def test_who_may_log_in_by_key(mac: Handle) -> None:
    assert mac.ssh("whoami", user="root").out == "root\n"
    assert mac.ssh("whoami", user="ana").out == "ana\n"
    for stranger in ("nobody_here", "ghost", "_mbsetupuser", "daemon"):
        assert mac.ssh("whoami", user=stranger).rc == 255
    refused = [entry.user for entry in journal.logins(mac.journal()) if not entry.ok]
    assert set(refused) == {"nobody_here", "ghost", "_mbsetupuser", "daemon"}


def test_a_disabled_account_may_not_log_in_by_key(mac: Handle) -> None:
    assert mac.ssh("sudo pwpolicy -u ana -disableuser").rc == 0
    assert mac.ssh("whoami", user="ana").rc == 255
    assert mac.ssh("sudo pwpolicy -u ana -enableuser").rc == 0
    assert mac.ssh("whoami", user="ana").out == "ana\n"


def test_another_key_is_refused(mac: Handle, lab: Lab, tmp_path: Path) -> None:
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(tmp_path / "other")
    (tmp_path / "other").chmod(0o600)
    argv = [word if word != str(lab.folder.client_key) else str(tmp_path / "other") for word in mac.ssh_argv("true")]
    assert subprocess.run(argv, capture_output=True, check=False, timeout=30).returncode == 255


def _connect(mac: Handle, user: str = "itadmin", **how: object) -> Any:
    key = str(mac.folder.path.parent.parent / "client_key")
    chosen = how or {"client_keys": [key]}
    return asyncssh.connect("127.0.0.1", mac.port, username=user, known_hosts=None, config=None, **chosen)


def test_login_by_password_is_an_authentication(mac: Handle) -> None:
    async def attempt(password: str) -> bool:
        try:
            async with _connect(mac, "ana", password=password, client_keys=None):
                return True
        except asyncssh.PermissionDenied:
            return False

    assert not asyncio.run(attempt("wrong"))
    assert mac.state().accounts["ana"].failed_logins > 0
    assert asyncio.run(attempt("pw-ana"))
    assert mac.state().accounts["ana"].failed_logins == 0
    assert journal.logins(mac.journal())[-1] == journal.Login(
        journal.logins(mac.journal())[-1].start, "ana", "password", True
    )
    assert "pw-ana" not in mac.folder.journal.read_text()


def test_a_client_that_leaves_does_not_kill_the_command(mac: Handle) -> None:
    mark = mac.file_tree / "Users" / "itadmin" / "mark"
    client = subprocess.Popen(
        mac.ssh_argv("echo going; exec >/dev/null 2>&1; sleep 0.5; echo done > mark"), stdout=subprocess.PIPE
    )
    assert client.stdout is not None and client.stdout.readline() == b"going\n"
    client.kill()
    client.communicate()
    assert not mark.exists()
    deadline = time.monotonic() + 10
    while not mark.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert mark.exists()


def test_changing_modes_like_a_mac(mac: Handle) -> None:
    assert mac.ssh("touch f && chmod +a 'ana allow read' f && chmod 600 f && ls -l f").out.startswith("-rw-------")
    assert mac.ssh("touch f && chown ana f").rc == 1
    assert mac.ssh("touch f && sudo chown ana f").rc == 0


def test_without_perl_the_lab_says_what_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(layout, "UTILITY_FOLDERS", (str(tmp_path),))
    assert cli.main(["up", "--dir", str(tmp_path / "lab")]) == 1
    assert "this host has no perl: install it" in capsys.readouterr().err
    assert not (tmp_path / "lab").exists()
