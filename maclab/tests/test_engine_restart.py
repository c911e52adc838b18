# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restarts: SSH goes away and comes back, or waits for FileVault; somebody logs in at the screen."""

from __future__ import annotations

import asyncio
import os
import plistlib
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from maclab import cli, inventory, journal, server
from maclab.control import LabError
from maclab.lab import Handle, Lab


def _described(version: str, **more: Any) -> dict[str, Any]:
    accounts = [
        {"name": "itadmin", "admin": True, "password": "pw-it", "token": True},
        {"name": "ana", "password": "pw-ana"},
    ]
    return {"macos": version, "accounts": accounts, "reboot_seconds": 0.3} | more


SCENARIO: dict[str, Any] = {
    "sudo_password": False,
    "macs": {
        "plain": _described("15.6", mdm={"enrolled": "ade", "bootstrap": {"escrowed": True}, "escrow_profile": True}),
        "sealed": _described("15.6", filevault={"state": "on", "prk": True}),
    },
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(SCENARIO, tmp_path_factory.mktemp("restart")) as lab:
        yield lab


@pytest.fixture
def plain(lab: Lab) -> Handle:
    return _fresh(lab, "plain")


@pytest.fixture
def sealed(lab: Lab) -> Handle:
    return _fresh(lab, "sealed")


def _fresh(lab: Lab, name: str) -> Handle:
    handle = lab.mac(name)
    handle.reset()
    return handle


@contextmanager
def _restarting(mac: Handle) -> Iterator[None]:
    """Until the Mac has gone down. Its port is closed for a moment only, which a busy host may sleep through; when it
    began to run is written down after its port was closed."""
    before = mac.state().booted_at
    yield
    deadline = time.monotonic() + 60
    while mac.state().booted_at == before:
        assert time.monotonic() < deadline, "it has not gone down"
        time.sleep(0.02)


def _wait_until_locked(mac: Handle) -> None:
    """Until the Mac has started and waits; then a little longer, as its port must stay closed."""
    deadline = time.monotonic() + 60
    while not mac.state().locked and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(2 * mac.state().reboot_seconds)


def _boot_time(mac: Handle) -> str:
    return mac.ssh("sysctl -n kern.boottime").out


@pytest.mark.parametrize("command", ["sudo shutdown -r now", "sudo reboot"])
def test_ssh_goes_away_and_comes_back(plain: Handle, command: str) -> None:
    before = _boot_time(plain)
    sleeper = subprocess.Popen(plain.ssh_argv("echo up; sleep 60; echo whole"), stdout=subprocess.PIPE)
    assert sleeper.stdout is not None and sleeper.stdout.readline() == b"up\n"
    with _restarting(plain):
        assert plain.ssh(command).rc == 0
    assert sleeper.wait(timeout=20) == 255
    sleeper.stdout.close()
    assert plain.wait_until(reachable=True)
    assert plain.ssh("echo back").out == "back\n"
    assert _boot_time(plain) != before and before.startswith("{ sec = ")
    assert [event.what for event in journal.events(plain.journal())] == ["restart"]


def test_nobody_but_root_restarts_it(plain: Handle) -> None:
    assert plain.ssh("shutdown -r now").err == "shutdown: NOT super-user\n"
    assert plain.ssh("reboot").rc == 1


def test_filevault_keeps_ssh_away_until_somebody_unlocks(sealed: Handle) -> None:
    with _restarting(sealed):
        sealed.ssh("sudo shutdown -r now")
    _wait_until_locked(sealed)
    assert not sealed.is_reachable() and sealed.state().locked
    with pytest.raises(LabError, match="ana does not unlock sealed"):
        sealed.unlock("ana")
    with pytest.raises(LabError, match="unlock FileVault"):
        sealed.login("itadmin")
    assert sealed.unlock("itadmin") == []
    assert sealed.ssh("echo back").out == "back\n"
    assert sealed.state().logged_in == ["itadmin"]


def test_unlocking_with_the_recovery_key_is_remembered(sealed: Handle) -> None:
    with _restarting(sealed):
        sealed.ssh("sudo reboot")
    _wait_until_locked(sealed)
    sealed.unlock(key=sealed.state().filevault.prk)
    assert sealed.ssh("sudo fdesetup usingrecoverykey").out == "true\n"


def test_an_authenticated_restart_needs_nobody(sealed: Handle) -> None:
    credentials = plistlib.dumps({"Username": "itadmin", "Password": "pw-it"})
    with _restarting(sealed):
        done = sealed.ssh("sudo fdesetup authrestart -inputplist", input=credentials)
        assert (done.rc, done.err) == (0, "System is being restarted\n")
    assert sealed.wait_until(reachable=True)
    assert sealed.ssh("echo back").out == "back\n"


def test_an_armed_restart_needs_nobody_once(sealed: Handle) -> None:
    credentials = plistlib.dumps({"Password": sealed.state().filevault.prk})
    assert sealed.ssh("sudo fdesetup authrestart -delayminutes -1 -inputplist", input=credentials).rc == 0
    assert sealed.is_reachable()
    with _restarting(sealed):
        sealed.restart()
    assert sealed.wait_until(reachable=True)
    with _restarting(sealed):
        sealed.restart()
    _wait_until_locked(sealed)
    assert not sealed.is_reachable()


def test_a_locked_mac_stays_locked_when_the_lab_comes_up_again(tmp_path: Path) -> None:
    described = {"sudo_password": False, "macs": {"sealed": _described("15.6", filevault={"state": "on"}, locked=True)}}
    for _ in range(2):
        with Lab(described, tmp_path / "lab") as lab:
            assert not lab.mac("sealed").is_reachable()


def test_logging_in_at_the_screen_grants_and_is_in_the_journal(plain: Handle) -> None:
    assert plain.ssh("true", user="ana").rc == 0
    assert not plain.state().accounts["ana"].has_authority_token
    with pytest.raises(LabError, match="wrong"):
        plain.login("ana", "nonsense")
    assert plain.login("ana") == ["token granted by the Bootstrap Token"]
    assert plain.state().accounts["ana"].has_authority_token
    assert [(login.method, login.ok) for login in journal.logins(plain.journal())][-2:] == [
        ("screen", False),
        ("screen", True),
    ]


def test_the_command_logs_in_and_restarts(lab: Lab, plain: Handle, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["login", "plain", "ana", "--dir", str(lab.folder.path)]) == 0
    assert capsys.readouterr().out == "token granted by the Bootstrap Token\n"
    assert cli.main(["login", "plain", "nobody", "--dir", str(lab.folder.path)]) == 1
    assert cli.main(["unlock", "plain", "--dir", str(lab.folder.path)]) == 1
    with _restarting(plain):
        assert cli.main(["restart", "plain", "--dir", str(lab.folder.path)]) == 0
    assert plain.wait_until(reachable=True)


def test_a_power_cut_locks_each_mac_with_filevault(
    lab: Lab, plain: Handle, sealed: Handle, capsys: pytest.CaptureFixture[str]
) -> None:
    before = plain.state().booted_at
    assert cli.main(["power-cut", "--dir", str(lab.folder.path)]) == 0
    told = [line.split(maxsplit=2) for line in capsys.readouterr().out.splitlines()[1:]]
    assert told == [["plain", "15.6", "is up"], ["sealed", "15.6", "waits to be unlocked  does not answer SSH"]]
    assert (plain.is_reachable(), sealed.is_reachable()) == (True, False)
    assert plain.state().booted_at > before and sealed.state().locked
    assert [event.reason for event in journal.events(sealed.journal())] == ["after a power cut"]
    assert cli.main(["power-cut", "nobody", "--dir", str(lab.folder.path)]) == 1
    sealed.unlock("itadmin")


def test_the_files_of_a_deferral_and_of_the_escrow_are_the_macs_own(plain: Handle) -> None:
    path = "/var/root/vault key.plist"
    escrow = "/var/db/FileVaultPRK.dat"
    started = int(time.time())
    assert plain.ssh(f"sudo fdesetup enable -defer '{path}' -user itadmin -forceatlogin 0").rc == 0
    assert plain.ssh(f"stat -f %m {escrow}").rc == 1
    plain.login("itadmin")
    assert int(plain.ssh(f"stat -f %m {escrow}").out) >= started
    assert plain.ssh(f"cat '{path}'").err == f"cat: {path}: Permission denied\n"
    shown = plain.ssh(f"sudo cat '/private{path}'")
    assert plistlib.loads(shown.out.encode())["RecoveryKey"] == plain.state().filevault.prk
    assert plain.ssh(f"sudo ls '{path}'").out == f"{path}\n"
    assert plain.ssh(f"sudo rm -f '{path}' && sudo cat '{path}'").rc == 1
    assert path not in plain.state().files


def test_other_files_are_this_hosts(plain: Handle) -> None:
    assert plain.ssh("echo one > two; cat two; cat \"$HOME/two\"; stat -f '%z %N' two").out == "one\none\n4 two\n"
    assert plain.ssh("ls -d /; cat /dev/null; rm -f /no/such/file; echo $?").out == "/\n0\n"


def test_a_port_closes_although_a_process_that_was_just_forked_has_it_too() -> None:
    async def turned() -> None:
        listener = server._listener(0, None, "lab")
        port = listener.getsockname()[1]
        key = asyncssh.generate_private_key("ssh-ed25519")
        door = server._Door(listener, asyncssh.SSHServerConnectionOptions(server_host_keys=[key]))
        forked = os.dup(listener.fileno())
        await door.open()
        asyncio.get_running_loop().call_later(0.2, os.close, forked)
        await door.close()
        await door.open()
        socket.create_connection((inventory.ADDRESS, port), timeout=5).close()
        door.remove()

    asyncio.run(turned())
