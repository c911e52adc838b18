# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Mac that waits at FileVault's unlock screen, seen by OpenSSH's client: what it says, and what a password does."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from transcripts import TRANSCRIPTS

from maclab import journal, scenario
from maclab.lab import Handle, Lab, Result
from maclab.texts import say

ON = {"state": "on", "prk": True}
UNLOCKED = "System successfully unlocked.\nYou may now use SSH to authenticate normally.\n"
KEYBOARD, PASSWORD = "keyboard-interactive", "password"
REFUSED = "Permission denied (publickey,keyboard-interactive,password)."


def _described(version: str = "26.1", **more: Any) -> dict[str, Any]:
    accounts = [
        {"name": "itadmin", "admin": True, "password": "pw-it", "token": True},
        {"name": "ana", "password": "pw-ana"},
        {"name": "shut", "password": "pw-shut", "token": True, "locked": True},
    ]
    return {"macos": version, "accounts": accounts, "reboot_seconds": 0.4, "filevault": ON, "locked": True} | more


SCENARIO: dict[str, Any] = {
    "sudo_password": False,
    "macs": {
        "failure": _described(),
        "close": _described(preboot_ssh={"after_unlock": "close"}),
        "hang": _described("27.0.1", preboot_ssh={"after_unlock": "hang"}),
        "intel": _described("26.1", hardware="t2"),
        "keyboard": _described(preboot_ssh={"password_method": False}),
        "tells": _described(preboot_ssh={"says_unknown": True}),
        "before": _described("15.6"),
        "resets": _described(faults=[{"fault": "ssh_resets", "while": "locked"}]),
        "booted": _described(locked=False, faults=[{"fault": "ssh_resets", "while": "booted"}]),
        "always": _described(faults=[{"fault": "ssh_resets"}]),
    },
}
VARIANTS = ("failure", "close", "hang", "intel")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(SCENARIO, tmp_path_factory.mktemp("preboot")) as lab:
        yield lab


@pytest.fixture
def mac(lab: Lab, request: pytest.FixtureRequest) -> Handle:
    handle = lab.mac(request.param)
    handle.reset()
    return handle


def on(*names: str) -> Any:
    return pytest.mark.parametrize("mac", names, indirect=True)


def _login(mac: Handle, tmp_path: Path, user: str, password: str, methods: str = KEYBOARD) -> Result:
    """The OpenSSH client without a key, which asks a program for the password, and stops after a while."""
    asks = tmp_path / "asks"
    asks.write_text(f"#!/bin/sh\necho asked >> {tmp_path}/asked\necho {password}\n")
    asks.chmod(0o700)
    # The first value that ssh is given counts.
    options = ("BatchMode=no", "PubkeyAuthentication=no", "NumberOfPasswordPrompts=1", "LogLevel=INFO")
    words = [word for option in (*options, f"PreferredAuthentications={methods}") for word in ("-o", option)]
    argv = mac.ssh_argv("echo in", user)
    argv[1:1] = words
    env = {**os.environ, "SSH_ASKPASS": str(asks), "SSH_ASKPASS_REQUIRE": "force"}
    process = subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        out, err = process.communicate(timeout=4)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        return Result(-1, out, err.replace("\r\n", "\n"))
    return Result(process.returncode, out, err.replace("\r\n", "\n"))


def _by_key(mac: Handle) -> Result:
    argv = mac.ssh_argv("echo in")
    argv[1:1] = ["-o", "LogLevel=INFO"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False)
    return Result(done.returncode, done.stdout, done.stderr.replace("\r\n", "\n"))


def _comes_back(mac: Handle) -> bool:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if mac.ssh("echo in").out == "in\n":
            return not mac.state().locked
        time.sleep(0.05)
    return False


def _judged(mac: Handle) -> list[str]:
    return [event.reason for event in journal.events(mac.journal(), "preboot")]


@on("failure")
def test_it_explains_itself_to_the_first_connection_alone_and_takes_no_key(mac: Handle) -> None:
    banner = say("preboot.banner", (26, 1)).replace("\r\n", "\n")
    assert _by_key(mac).err == f"{banner}\nitadmin@127.0.0.1: {REFUSED}\n"
    assert _by_key(mac).err == f"itadmin@127.0.0.1: {REFUSED}\n"
    mac.restart()
    deadline = time.monotonic() + 20
    while not _by_key(mac).err.startswith(banner):
        assert time.monotonic() < deadline, "it does not explain itself to whoever comes first after a start"
    assert mac.state().locked


@on(*VARIANTS)
def test_the_right_password_of_a_holder_unlocks_and_lets_nobody_in(mac: Handle, tmp_path: Path) -> None:
    done = _login(mac, tmp_path, "itadmin", "pw-it")
    assert UNLOCKED in done.err
    ends = mac.name if mac.name in ("close", "hang") else "failure"
    assert {"failure": REFUSED in done.err, "close": "closed" in done.err or "reset" in done.err}.get(ends, True)
    assert (done.rc, done.out) == ((-1 if ends == "hang" else 255), "")
    assert _comes_back(mac)
    assert mac.state().logged_in == []
    assert _judged(mac) == ["itadmin: unlocked"]
    logins = [(login.user, login.method, login.ok) for login in journal.logins(mac.journal())]
    assert logins[0] == ("itadmin", KEYBOARD, True)


class Leaving(asyncssh.SSHClient):
    """Writes down what the Mac says, word by word, and goes away once the password has had its answer."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def auth_banner_received(self, msg: str, lang: str) -> None:
        self.said.append(msg)

    def kbdint_auth_requested(self) -> str:
        return ""

    def kbdint_challenge_received(
        self, name: str, instructions: str, lang: str, prompts: list[tuple[str, bool]]
    ) -> list[str]:
        self.said += [text for text in (instructions, *(prompt for prompt, echo in prompts if not echo)) if text]
        if not prompts:
            raise OSError("it has seen enough")
        return ["pw-it"]


def _words_of(mac: Handle) -> list[str]:
    argv = mac.ssh_argv("true")
    clients: list[Leaving] = []

    def client() -> Leaving:
        clients.append(Leaving())
        return clients[-1]

    async def leave() -> None:
        options = {"known_hosts": None, "username": "itadmin", "client_keys": None, "config": None}
        await asyncssh.connect("127.0.0.1", int(argv[argv.index("-p") + 1]), client_factory=client, **options)

    with pytest.raises((OSError, asyncssh.Error)):
        asyncio.run(leave())
    return clients[-1].said


@on("failure", "hang")
def test_a_client_that_goes_away_after_the_text_has_unlocked_all_the_same(mac: Handle) -> None:
    banner, prompt, text = _words_of(mac)
    assert banner == f"{TRANSCRIPTS['preboot-ssh-banner-26.0.1'].stdout}\r\n"
    assert prompt == str(TRANSCRIPTS["preboot-ssh-prompt-only"].stdout).strip()
    seen = [str(TRANSCRIPTS[f"preboot-ssh-unlock-{which}"].stdout).split() for which in ("26", "kbdint-26")]
    assert [*banner.split(), prompt, *text.split()[:3]] == seen[0]
    # Its author has cut the explanation.
    assert text.split() == seen[1][-len(text.split()) :]
    assert _comes_back(mac)


@on("failure")
def test_a_mac_that_is_reset_after_an_unlock_waits_as_described(mac: Handle) -> None:
    # At every moment of its way up.
    for moment in range(8):
        _words_of(mac)
        time.sleep(0.25 * moment)
        mac.reset()
        assert mac.is_reachable() and mac.state().locked
    time.sleep(1.5)
    assert mac.is_reachable() and mac.state().locked


@on("failure")
def test_a_key_is_refused_with_every_method_on_offer(mac: Handle) -> None:
    refusal = re.search(r"Permission denied \(([a-z,-]+)\)", str(TRANSCRIPTS["preboot-ssh-key-refused"].stderr))
    found = re.search(r"Permission denied \(([a-z,-]+)\)", _by_key(mac).err)
    assert refusal and found and sorted(found[1].split(",")) == sorted(refusal[1].split(","))


@on("failure")
def test_the_method_password_unlocks_too_and_says_nothing(mac: Handle, tmp_path: Path) -> None:
    done = _login(mac, tmp_path, "itadmin", "pw-it", PASSWORD)
    assert (done.rc, done.out) == (255, "")
    assert "unlocked" not in done.err.replace("Once successfully\nunlocked", "")
    assert _comes_back(mac)


@on("keyboard")
def test_where_the_method_password_does_nothing_it_costs_nothing(mac: Handle, tmp_path: Path) -> None:
    done = _login(mac, tmp_path, "itadmin", "pw-it", f"{PASSWORD},{KEYBOARD}")
    assert UNLOCKED in done.err and (tmp_path / "asked").read_text() == "asked\n" * 2
    assert _judged(mac) == ["itadmin: nobody looks at password", "itadmin: unlocked"]
    mac.reset()
    assert REFUSED in _login(mac, tmp_path, "itadmin", "pw-it", PASSWORD).err
    assert mac.state().locked and mac.state().waiting.failures == 0


@on("tells")
def test_one_that_tells_whom_it_does_not_know_tells_nobody_else(mac: Handle, tmp_path: Path) -> None:
    assert "system error" in _login(mac, tmp_path, "nobody-here", "x").err
    assert "system error" not in _login(mac, tmp_path, "itadmin", "no").err
    assert _judged(mac) == ["nobody-here: system error", "itadmin: wrong password"]
    assert mac.state().waiting.failures == 1


@on("failure", "intel")
def test_a_wrong_password_is_refused_and_counted_and_one_of_nobody_is_not(mac: Handle, tmp_path: Path) -> None:
    for user, password in (("itadmin", "no"), ("ana", "pw-ana"), ("nobody-here", "x")):
        done = _login(mac, tmp_path, user, password)
        assert (done.rc, done.err.splitlines()[-1]) == (255, f"{user}@127.0.0.1: {REFUSED}")
        assert "unavailable" not in done.err
    assert _judged(mac) == ["itadmin: wrong password", "ana: system error", "nobody-here: system error"]
    assert (mac.state().locked, mac.state().waiting.failures) == (True, 1)
    # The lab keeps it, as the Mac does.
    assert '"failures": 1' in mac.folder.state.read_text()


@on("failure")
def test_an_account_that_is_locked_out_is_told_so(mac: Handle, tmp_path: Path) -> None:
    done = _login(mac, tmp_path, "shut", "pw-shut")
    assert "Account shut is temporarily unavailable.\n" in done.err and done.rc == 255
    assert (mac.state().locked, mac.state().waiting.failures) == (True, 0)
    assert "unavailable" not in _login(mac, tmp_path, "shut", "pw-shut", PASSWORD).err


@on("failure", "intel")
def test_from_the_third_wrong_one_on_apple_silicon_lets_wait(mac: Handle, tmp_path: Path) -> None:
    for _ in range(3):
        assert "unavailable" not in _login(mac, tmp_path, "itadmin", "no").err
    done = _login(mac, tmp_path, "itadmin", "pw-it")
    assert ("temporarily unavailable" in done.err) is (mac.name == "failure")
    assert (UNLOCKED in done.err) is (mac.name == "intel")


@on("intel")
def test_after_ten_wrong_ones_the_right_one_is_no_help(mac: Handle, tmp_path: Path) -> None:
    for _ in range(10):
        _login(mac, tmp_path, "itadmin", "no")
    assert "temporarily unavailable" in _login(mac, tmp_path, "itadmin", "pw-it").err
    assert mac.state().locked and _judged(mac)[-1] == "itadmin: temporarily unavailable"


@on("before")
def test_before_26_nothing_answers(mac: Handle) -> None:
    assert not mac.is_reachable() and "refused" in _by_key(mac).err


@on("resets", "booted", "always")
def test_a_connection_that_is_accepted_and_reset(mac: Handle, tmp_path: Path) -> None:
    assert mac.is_reachable()
    for done in (_by_key(mac), _login(mac, tmp_path, "itadmin", "pw-it")):
        assert done.err.startswith("kex_exchange_identification: read: Connection reset by peer\n"), done
    assert not (tmp_path / "asked").exists() and _judged(mac) == []
    if mac.state().locked:
        mac.unlock("itadmin")
        assert (mac.ssh("echo in").out == "in\n") is (mac.name == "resets")


def test_a_scenario_names_its_variants() -> None:
    for wrong in ({"after_unlock": "success"}, {"password_method": "yes"}, {"banner": True}):
        with pytest.raises(scenario.ScenarioError, match="preboot_ssh"):
            scenario.parse({"macs": {"m": _described(preboot_ssh=wrong)}}, "s.yml")
