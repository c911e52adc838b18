# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One password at FileVault's unlock screen, by OpenSSH's client: what comes of it, and that it is sent once."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils._command import sshd
from ansible_collections.keyholder.macos.plugins.plugin_utils import _login
from ansible_collections.keyholder.macos.plugins.plugin_utils._login import Login, Look, Tried
from ansible_collections.keyholder.macos.plugins.plugin_utils._restart import missed
from harness.ansible import Ansible
from harness.macs import PASSWORDS, mac, person
from harness.search import Search
from maclab import inventory, journal
from maclab.lab import Lab

ON = {"state": "on", "prk": True}
SHUT = person("stan", locked=True)


def waiting(version: str, **more: Any) -> dict[str, Any]:
    return mac(version, "itadmin", "ana", SHUT, filevault=ON, locked=True, reboot_seconds=0.4, **more)


MACS = {
    "failure": waiting("26.1"),
    "close": waiting("26.1", preboot_ssh={"after_unlock": "close"}),
    "hang": waiting("27.0.1", preboot_ssh={"after_unlock": "hang"}),
    "keyboard": waiting("26.1", preboot_ssh={"password_method": False}),
    "intel": {**waiting("27.0.1"), "hardware": "t2"},
    "broken": waiting("26.5.1", faults=[{"fault": "ssh_resets"}]),
    "before": waiting("15.6"),
}
RIGHT, WRONG = "right", "wrong"

# Mac, account, whether its password is given, what comes of it, wrong passwords that the Mac has counted then.
TRIED: list[tuple[str, str, str, sshd.Outcome, int]] = [
    ("failure", "itadmin", RIGHT, "unlocked", 0),
    ("close", "itadmin", RIGHT, "unlocked", 0),
    ("hang", "itadmin", RIGHT, "unlocked", 0),
    ("keyboard", "itadmin", RIGHT, "unlocked", 0),
    ("intel", "itadmin", RIGHT, "unlocked", 0),
    ("failure", "itadmin", WRONG, "refused", 1),
    ("intel", "itadmin", WRONG, "refused", 1),
    ("failure", "nobody", WRONG, "refused", 0),
    ("failure", "stan", RIGHT, "locked_out", 0),
    ("broken", "itadmin", RIGHT, "broken", 0),
    ("before", "itadmin", RIGHT, "no_answer", 0),
]


class Connection:
    """What the plugin for SSH says of its options."""

    transport = "ssh"

    def __init__(self, lab: Lab, name: str) -> None:
        argv = lab.mac(name).ssh_argv("true")
        self.options = {
            "host": "127.0.0.1",
            "port": argv[argv.index("-p") + 1],
            "host_key_checking": True,
            "ssh_args": "-C -o ControlMaster=auto -o ControlPersist=60s",
            "ssh_common_args": " ".join(inventory.ssh_options(lab.folder)),
        }

    def get_option(self, name: str) -> Any:
        return self.options.get(name)


@pytest.fixture(scope="module")
def lab(bring_up: Callable[[Mapping[str, Any]], Lab]) -> Lab:
    return bring_up(MACS)


def unlocker(lab: Lab, name: str, user: str = "itadmin", given: str = RIGHT) -> Login:
    lab.mac(name).reset()
    return Login(Connection(lab, name), user, PASSWORDS[user] if given == RIGHT else f"no-{given}-password")


def judged(lab: Lab, name: str) -> list[str]:
    return [event.reason for event in journal.events(lab.mac(name).journal(), "preboot")]


@pytest.mark.parametrize(("name", "user", "given", "outcome", "failures"), TRIED)
def test_what_comes_of_a_password(
    lab: Lab, name: str, user: str, given: str, outcome: sshd.Outcome, failures: int
) -> None:
    login = unlocker(lab, name, user, given)
    begun = time.monotonic()
    tried = login.attempt()
    assert (tried.outcome, tried.booted) == (outcome, None), tried
    assert not Search({**PASSWORDS, "wrong": "no-wrong-password"}).text("what ssh said", tried.said)
    # What hangs is not waited for.
    assert time.monotonic() - begun < _login.LOGIN_SECONDS / 2
    assert lab.mac(name).state().waiting.failures == failures
    assert login.spent is tried.sent is (outcome not in ("broken", "no_answer"))
    assert len(judged(lab, name)) == int(tried.sent)


def test_a_second_prompt_is_not_answered(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a method after the first asks again: one wrong password is enough."""
    monkeypatch.setattr(sshd, "METHODS", ("keyboard-interactive,password",))
    begun = time.monotonic()
    tried = unlocker(lab, "failure", given=WRONG).attempt()
    assert (tried.outcome, lab.mac("failure").state().waiting.failures) == ("refused", 1), tried
    assert time.monotonic() - begun < _login.LOGIN_SECONDS / 2
    assert judged(lab, "failure") == ["itadmin: wrong password"]


@pytest.mark.parametrize(
    "prompt",
    [
        "jump@bastion.example's password: ",
        "itadmin@bastion.example's password: ",
        "(jump@bastion.example) Password: ",
        "(itadmin@bastion.example) Password: ",
        "(jump@127.0.0.1) Password: ",
    ],
)
def test_a_host_on_the_way_does_not_get_the_password(lab: Lab, tmp_path: Path, prompt: str) -> None:
    """The ssh to a jump host asks at the same terminal, for the password of another host."""
    got, proxy = tmp_path / "got", tmp_path / "proxy"
    proxy.write_text(f'printf "%s" "{prompt}" >/dev/tty\nread -r answer </dev/tty\nprintf "%s" "$answer" >{got}\n')
    lab.mac("failure").reset()
    connection: Any = Connection(lab, "failure")
    connection.options["ssh_common_args"] += f" -o 'ProxyCommand=sh {proxy}'"
    tried = Login(connection, "itadmin", PASSWORDS["itadmin"]).attempt()
    assert not got.exists()
    assert (tried.outcome, tried.sent, tried.booted) == ("no_answer", False, None)
    assert prompt.strip() in tried.said
    assert judged(lab, "failure") == []


@pytest.mark.parametrize(
    "options", ["-o HostName=127.0.0.1", "-o HostName=127.0.0.1 -o HostKeyAlias=mac-17", "-o User=somebody"]
)
def test_a_mac_by_another_name_gets_it(lab: Lab, options: str) -> None:
    lab.mac("failure").reset()
    connection: Any = Connection(lab, "failure")
    named = "mac.example" if "HostName" in options else "127.0.0.1"
    connection.options |= {"host": named, "ssh_extra_args": options, "host_key_checking": False}
    assert Login(connection, "itadmin", PASSWORDS["itadmin"]).attempt().outcome == "unlocked"


def test_a_mac_that_runs_lets_in_and_says_when_it_started(lab: Lab) -> None:
    login = unlocker(lab, "failure")
    lab.mac("failure").unlock("itadmin")
    tried = login.attempt()
    assert tried.booted == pytest.approx(lab.mac("failure").state().booted_at, abs=1)
    # Which was no wrong one, so that it is there for the unlock screen.
    assert not login.spent


@pytest.mark.parametrize(
    ("transport", "options", "asked", "uses"),
    [
        ("ssh", {}, None, False),
        ("ssh", {"password": "x"}, None, True),
        # --ask-pass
        ("ssh", {}, "x", True),
        # A card's PIN.
        ("ssh", {"password": "1234", "pkcs11_provider": "/usr/lib/card.so"}, None, False),
        ("local", {"password": "x"}, "x", False),
    ],
)
def test_whether_ansible_comes_in_by_password(
    lab: Lab, transport: str, options: dict[str, str], asked: str | None, uses: bool
) -> None:
    connection: Any = Connection(lab, "failure")
    connection.transport = transport
    connection.options |= options
    connection._play_context = SimpleNamespace(password=asked)
    assert _login.uses_password(connection) is uses


def test_nothing_is_tried_without_a_password(lab: Lab) -> None:
    assert Login(Connection(lab, "failure"), "itadmin", "").spent


def test_an_audit_names_a_mac_that_waits_and_burns_no_attempt(ansible: Ansible, lab: Lab, tmp_path: Path) -> None:
    for name in ("failure", "close", "broken"):
        lab.mac(name).reset()
    # A probe of the port is enough for the explanation to be gone.
    assert lab.mac("close").is_reachable()
    given = {"keyholder_report": str(tmp_path), "ansible_ssh_args": "-o LogLevel=INFO"}
    ran = ansible.playbook(
        Path("keyholder.macos.audit"), lab.inventory, "-e", json.dumps(given), "--limit", "failure,close,broken"
    )
    assert ran.rc == 0, ran.output[-3000:]
    report = {entry["host"]: entry for entry in json.loads((tmp_path / "audit.json").read_text())["macs"]}
    assert {host: (entry["state"], entry["reason"]) for host, entry in report.items()} == {
        "failure": ("refused", "waits_for_unlock"),
        "close": ("refused", ""),
        "broken": ("refused", "preboot_ssh_broken"),
    }
    assert report["failure"]["why"].startswith("it waits at FileVault's unlock screen")
    assert "while it waits at FileVault's unlock screen" in report["close"]["why"]
    assert [judged(lab, name) for name in report] == [[], [], []]


DENIED = "Permission denied (publickey,password,keyboard-interactive)."
LOCKED = f"This system is locked. To unlock it, use a local account name and password.\n{DENIED}"
RESET = "kex_exchange_identification: read: Connection reset by peer"
MISSED = [
    (None, DENIED, True, "waits_for_unlock"),
    (None, LOCKED, True, "waits_for_unlock"),
    (None, DENIED, False, "not_back"),
    (None, "ssh: connect to host m port 22: Operation timed out", True, "not_back"),
    (None, RESET, True, "preboot_ssh_broken"),
    (None, "Host key verification failed.", True, "host_key_changed"),
    ("refused", DENIED, True, "unlock_refused"),
    ("refused", "Host key verification failed.", True, "host_key_changed"),
    ("locked_out", DENIED, True, "unlock_locked_out"),
    ("unknown_user", DENIED, True, "unlock_unknown_user"),
    ("broken", DENIED, True, "preboot_ssh_broken"),
    ("no_answer", DENIED, True, "waits_for_unlock"),
    ("no_answer", "ssh: connect to host m port 22: Host is down", True, "not_back"),
    ("unlocked", DENIED, True, "not_back"),
    ("unlocked", LOCKED, True, "waits_for_unlock"),
]


@pytest.mark.parametrize(("outcome", "last", "may_wait", "reason"), MISSED)
def test_why_a_mac_is_not_back(outcome: sshd.Outcome | None, last: str, may_wait: bool, reason: str) -> None:
    tried = None if outcome is None else Tried(None, "", outcome, True)
    assert missed(tried, Look(None, last), may_wait) == reason
