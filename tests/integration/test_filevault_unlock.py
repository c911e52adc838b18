# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Macs that wait at FileVault's unlock screen are unlocked over SSH: one password each, to a known host key, and once.

What is decided of each state that a Mac can be in is tried in memory: tests/unit/plugins/plugin_utils/test__unlock.py.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncssh
import pytest
import yaml

import maclab
from harness.ansible import Ansible
from harness.batch import Answer, Played, Step, play
from harness.macs import PASSWORDS, mac, person, secret
from harness.search import Search
from maclab import inventory, journal
from maclab.lab import Lab

ON, OFF = {"state": "on", "prk": True}, {"state": "off"}
WRONG = secret("no-password")
SHUT = person("stan", locked=True)
RESETS = {"fault": "ssh_resets", "while": "locked"}
OLD = {"macos": "15.6"}

USER = {"user": "itadmin", "password": PASSWORDS["itadmin"]}
RUN = Step("run", "filevault_unlock", {**USER, "reboot_timeout": 60})
BY_WRONG = RUN.but("run", password=WRONG)


def waits(version: str, *accounts: str | dict[str, Any], **more: Any) -> dict[str, Any]:
    people = accounts or ("itadmin", "stan", "ana")
    return mac(version, *people, **{"filevault": ON, "locked": True, "reboot_seconds": 0.6, **more})


def after(ends: str) -> dict[str, Any]:
    return {"preboot_ssh": {"after_unlock": ends}}


# Mac; what it is; what is run; its outcome; its reason; what the unlock screen made of the password, "" for none.
TRIED: dict[str, tuple[dict[str, Any], Step, str, str, str]] = {
    "fails-26": (waits("26.1"), RUN, "unlocked", "", "itadmin: unlocked"),
    "closes-26": (waits("26.1", **after("close")), RUN, "unlocked", "", "itadmin: unlocked"),
    "hangs-27": (waits("27.0.1", **after("hang")), RUN, "unlocked", "", "itadmin: unlocked"),
    "intel-27": (waits("27.0.1", hardware="t2"), RUN, "unlocked", "", "itadmin: unlocked"),
    "keyboard-26": (
        waits("26.1", preboot_ssh={"password_method": False}),
        RUN,
        "unlocked",
        "",
        "itadmin: unlocked",
    ),
    # Who unlocks need not be who logs in.
    "other-26": (
        waits("26.1"),
        RUN.but("run", user="stan", password=PASSWORDS["stan"]),
        "unlocked",
        "",
        "stan: unlocked",
    ),
    "refused-26": (waits("26.1"), BY_WRONG, "refused", "unlock_refused", "itadmin: wrong password"),
    "refused-27": (waits("27.0.1", **after("hang")), BY_WRONG, "refused", "unlock_refused", "itadmin: wrong password"),
    "no-holder-26": (
        waits("26.1"),
        RUN.but("run", user="ana", password=PASSWORDS["ana"]),
        "refused",
        "unlock_refused",
        "ana: system error",
    ),
    "shut-26": (
        waits("26.1", "itadmin", SHUT),
        RUN.but("run", user="stan", password=PASSWORDS["stan"]),
        "locked_out",
        "unlock_locked_out",
        "stan: temporarily unavailable",
    ),
    "tells-27": (
        waits("27.0.1", preboot_ssh={"says_unknown": True}),
        RUN.but("run", user="nemo"),
        "unknown_user",
        "unlock_unknown_user",
        "nemo: system error",
    ),
    "resets-26": (waits("26.5.1", faults=[RESETS]), RUN, "broken", "preboot_ssh_broken", ""),
    "before-15": (waits("15.6"), RUN, "no_answer", "unlock_no_answer", ""),
    "told-15": (waits("15.6"), RUN.but("run", **OLD, wait=1), "no_answer", "unlock_no_answer", ""),
    "unknown-key-26": (waits("26.1"), RUN, "not_tried", "host_key_unknown", ""),
    "other-key-26": (waits("26.1"), RUN, "not_tried", "host_key_changed", ""),
    "up-15": (mac("15.6", "itadmin", filevault=ON), RUN, "already", "", ""),
    "up-27": (mac("27.0.1", "itadmin", filevault=OFF), RUN, "already", "", ""),
}
UNLOCKED = [host for host, row in TRIED.items() if row[2] == "unlocked"]
FAILING = [host for host, row in TRIED.items() if row[3]]
CHECK, AGAIN, AFTERWARDS = RUN.but("check", check=True), "again", Step("afterwards", "trust_info")


@pytest.fixture(scope="module")
def lab(bring_up: Callable[[Mapping[str, Any]], Lab]) -> Lab:
    return bring_up({host: row[0] for host, row in TRIED.items()})


@contextmanager
def watched(found: list[str]) -> Iterator[None]:
    """Look for the passwords in the arguments and environments of all processes, again and again."""
    search, ended = Search({**PASSWORDS, "wrong": WRONG}), threading.Event()

    def look() -> None:
        while not ended.wait(0.15):
            found.extend(search.processes())

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@pytest.fixture(scope="module")
def in_processes() -> list[str]:
    return []


@pytest.fixture(scope="module")
def careless(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """How those connect who do not know the Mac's host key, or know another one."""
    stranger = tmp_path_factory.mktemp("keys") / "known_hosts"
    key = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
    stranger.write_text(f"[{inventory.ADDRESS}]:* {key}\n")
    # As in a container, and as those write who are tired of being asked.
    options = "-F /dev/null -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile="
    return {"unknown-key-26": f"{options}/dev/null", "other-key-26": f"{options}{stranger}"}


@pytest.fixture(scope="module")
def played(ansible: Ansible, lab: Lab, in_processes: list[str], careless: dict[str, str]) -> Played:
    usual = " ".join(inventory.ssh_options(lab.folder))
    words = dict.fromkeys(TRIED, usual) | careless
    templates = {"ansible_ssh_common_args": "{{ words[inventory_hostname] }}", "ansible_host_key_checking": False}
    steps = {
        host: [
            row[1].but("check", check=True),
            row[1],
            *([] if row[3] else [AFTERWARDS, row[1].but(AGAIN)]),
        ]
        for host, row in TRIED.items()
    }
    with watched(in_processes):
        return play(ansible, lab, steps, "-vvvv", "-e", json.dumps(templates), variables={"words": words})


def judged(answer: Answer) -> list[str]:
    return [event.reason for event in journal.events(answer.entries, "preboot")]


def by_password(answer: Answer) -> list[journal.Login]:
    return [login for login in journal.logins(answer.entries) if login.method != "publickey"]


@pytest.mark.parametrize("host", TRIED)
def test_what_comes_of_it(played: Played, host: str) -> None:
    run, (_described, _step, outcome, reason, screen) = played[host, "run"], TRIED[host]
    assert (run.result.get("outcome"), run.reason) == (outcome, reason), run
    assert run.changed is (outcome == "unlocked")
    assert judged(run) == ([screen] if screen else [])
    assert len(by_password(run)) == len(judged(run)), "one password, and no more"
    assert run.result["sent"] is bool(screen)
    assert not reason or (run.result["remedy"] and run.result["evidence"])


@pytest.mark.parametrize("host", TRIED)
def test_check_mode_looks_without_a_password_and_foresees_it(played: Played, host: str) -> None:
    check, (_described, _step, outcome, reason, screen) = played[host, "check"], TRIED[host]
    assert by_password(check) == [] and judged(check) == []
    assert not check.result["sent"]
    if screen:
        # Whether the password is right, only the run shows.
        assert (check.ok, check.changed, check.result["outcome"]) == (True, True, "unlocked"), check
        assert check.result["state"]["before"]["mac"] in ("waits", "may_wait")
        assert check.result["plan"]
    else:
        assert (check.reason, check.changed, check.result["outcome"]) == (reason, False, outcome), check


@pytest.mark.parametrize("host", UNLOCKED)
def test_the_play_goes_on_and_a_second_run_has_nothing_to_do(played: Played, lab: Lab, host: str) -> None:
    run, again = played[host, "run"], played[host, AGAIN]
    assert not lab.mac(host).state().locked
    assert run.result["state"]["after"] == {"mac": "up"}
    assert 0 <= run.result["elapsed"] < 60
    assert played[host, "afterwards"].ok
    assert (again.ok, again.changed, again.result["outcome"]) == (True, False, "already"), again
    assert by_password(again) == []


@pytest.mark.parametrize("host", FAILING)
def test_what_was_not_unlocked_stays_locked(played: Played, lab: Lab, host: str) -> None:
    assert lab.mac(host).state().locked
    wrong = TRIED[host][4].endswith("wrong password")
    assert lab.mac(host).state().waiting.failures == int(wrong)


def test_a_refusal_says_the_way_out(played: Played) -> None:
    told = {host: played[host, "run"].result["msg"] for host in FAILING}
    assert "a macOS before 26" in told["before-15"] and "unlock it at its screen as a holder" in told["before-15"]
    assert "as macOS 15.6 does not" in told["told-15"]
    assert "known_hosts" in told["unknown-key-26"] and "ssh-keygen -R" in told["other-key-26"]
    assert "Permission denied" in " ".join(played["refused-26", "run"].result["evidence"])


def test_no_password_is_in_what_was_said_or_in_a_process(played: Played, lab: Lab, in_processes: list[str]) -> None:
    search = Search({**PASSWORDS, "wrong": WRONG})
    said = played.run.output + played.run.results.read_text(encoding="utf-8")
    assert search.text("what Ansible said", said) == []
    assert search.files([lab.mac(host).folder.journal for host in lab.names]) == []
    assert in_processes == []


STORED = """- hosts: fails-26
  gather_facts: false
  tasks:
    - {name: before, ansible.builtin.raw: "true"}
    - {name: cut, ansible.builtin.command: {argv: "{{ cut }}"}, environment: "{{ here }}", delegate_to: localhost}
    - name: wrong
      keyholder.macos.filevault_unlock: {user: itadmin, password: "{{ wrong }}"}
      register: tried
      until: tried is succeeded
      retries: 3
      delay: 0
      ignore_errors: true
    - name: unlock
      keyholder.macos.filevault_unlock:
        user: itadmin
        password: "{{ lookup('keyholder.macos.managed_password', 'itadmin', store=store) }}"
    - {name: facts, ansible.builtin.setup: {gather_subset: ["!all", min]}}
    - {name: after, ansible.builtin.raw: "true"}
"""


def test_one_play_goes_through_a_power_cut(ansible: Ansible, lab: Lab, played: Played, tmp_path: Path) -> None:
    """With a connection that is open from before, a password from the store, and ``until`` around a wrong one."""
    handle = lab.mac("fails-26")
    assert played["fails-26", AGAIN].ok
    handle.clear_faults()
    stored, playbook = tmp_path / "stored", tmp_path / "play.yml"
    stored.write_text(json.dumps({"current": PASSWORDS["itadmin"], "pending": ""}))
    playbook.write_text(STORED)
    given = {
        "cut": [sys.executable, "-m", "maclab", "power-cut", "fails-26", "--dir", str(lab.folder.path)],
        "here": {"PYTHONPATH": str(Path(maclab.__file__).parents[1])},
        "store": {"kind": "command", "read": ["cat", str(stored)]},
        "wrong": WRONG,
    }
    begun = len(handle.journal())
    run = ansible.playbook(playbook, lab.inventory, "-e", json.dumps(given))
    assert run.rc == 0, run.output[-3000:]
    results = {line.task: line for line in run.lines}
    assert results["wrong"].result["outcome"] == "refused"
    assert results["unlock"].result["outcome"] == "unlocked"
    assert results["facts"].status == results["after"].status == "ok"
    screen = [event.reason for event in journal.events(handle.journal()[begun:], "preboot")]
    assert screen == ["itadmin: wrong password", "itadmin: unlocked"]


@pytest.mark.parametrize(
    ("options", "variables", "reason", "words"),
    [
        ({"user": "itadmin"}, {}, "option_missing", "password"),
        ({"password": "x-y-z"}, {}, "option_missing", "user"),
        ({"user": "itadmin", "password": ""}, {}, "option_missing", "password is empty"),
        ({"user": "itadmin", "password": 12345}, {}, "not_text", "password is a whole number"),
        ({"user": "itadmin", "password": "two\nlines"}, {}, "password_unusable", "line break"),
        ({"user": "-r", "password": "x-y-z"}, {}, "name_unusable", "user"),
        ({"user": "itadmin", "password": "x-y-z", "macos": "Tahoe"}, {}, "value_unusable", "a version"),
        ({"user": "itadmin", "password": "x-y-z", "wait": -1}, {}, "value_unusable", "wait"),
        ({"user": "itadmin", "password": "x-y-z"}, {"ansible_connection": "local"}, "value_unusable", "local"),
    ],
)
def test_what_could_not_unlock_is_refused_before_the_mac_is_looked_at(
    ansible: Ansible,
    lab: Lab,
    tmp_path: Path,
    options: dict[str, Any],
    variables: dict[str, Any],
    reason: str,
    words: str,
) -> None:
    handle = lab.mac("refused-26")
    begun = len(handle.journal())
    playbook = tmp_path / "play.yml"
    task = {"name": "unlock", "keyholder.macos.filevault_unlock": options}
    playbook.write_text(yaml.safe_dump([{"hosts": "refused-26", "gather_facts": False, "tasks": [task]}]))
    run = ansible.playbook(playbook, lab.inventory, "-e", json.dumps(variables))
    (line,) = run.lines
    assert (line.status, line.result["reason"]) == ("failed", reason), run.output[-2000:]
    assert words in line.result["msg"]
    assert handle.journal()[begun:] == []


def test_no_program_answers_in_place_of_the_password(ansible: Ansible, lab: Lab, tmp_path: Path) -> None:
    """As where the environment or the user's settings want ssh to ask somebody else, or nobody."""
    handle = lab.mac("closes-26")
    handle.power_cut()
    asks = tmp_path / "asks"
    asks.write_text("#!/bin/sh\necho another-password\n")
    asks.chmod(0o700)
    playbook = tmp_path / "play.yml"
    task = {"keyholder.macos.filevault_unlock": {"user": "itadmin", "password": PASSWORDS["itadmin"]}}
    playbook.write_text(yaml.safe_dump([{"hosts": "closes-26", "gather_facts": False, "tasks": [task]}]))
    careless = "-o BatchMode=yes -o PasswordAuthentication=no -o KbdInteractiveAuthentication=no"
    settings = {"SSH_ASKPASS": str(asks), "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":0", "ANSIBLE_SSH_ARGS": careless}
    begun = len(handle.journal())
    run = ansible.playbook(playbook, lab.inventory, **settings)
    assert run.rc == 0, run.output[-2000:]
    assert [event.reason for event in journal.events(handle.journal()[begun:], "preboot")] == ["itadmin: unlocked"]


LOOP = """
- hosts: localhost
  gather_facts: false
  tasks:
    - name: unlock
      keyholder.macos.filevault_unlock:
        user: itadmin
        password: "{{ item.password }}"
      delegate_to: "{{ item.mac }}"
      loop: "{{ tries }}"
      loop_control: {label: "{{ item.mac }}"}
      ignore_errors: true
"""


def test_in_a_loop_over_macs_what_one_refuses_costs_no_other(ansible: Ansible, lab: Lab, tmp_path: Path) -> None:
    """Two Macs at one address, as behind a gateway that forwards ports; a second round over the first is no attempt."""
    right, wrong = "closes-26", "refused-26"
    for host in (right, wrong):
        lab.mac(host).power_cut()
    begun = {host: len(lab.mac(host).journal()) for host in (right, wrong)}
    playbook = tmp_path / "play.yml"
    playbook.write_text(LOOP)
    tries = [
        {"mac": wrong, "password": WRONG},
        {"mac": right, "password": PASSWORDS["itadmin"]},
        {"mac": wrong, "password": "another-password"},
    ]
    run = ansible.playbook(playbook, lab.inventory, "-e", json.dumps({"tries": tries}))
    results = next(line.result["results"] for line in run.lines if "results" in line.result)
    assert [one["outcome"] for one in results] == ["refused", "unlocked", "refused"], run.output[-3000:]
    screen = {
        host: [event.reason for event in journal.events(lab.mac(host).journal()[begun[host] :], "preboot")]
        for host in (right, wrong)
    }
    assert screen == {right: ["itadmin: unlocked"], wrong: ["itadmin: wrong password"]}


@pytest.mark.parametrize("host", ["unknown-key-26", "other-key-26"])
def test_a_restart_is_refused_as_well_that_the_password_could_not_follow(
    played: Played, ansible: Ansible, lab: Lab, careless: dict[str, str], host: str
) -> None:
    lab.mac(host).unlock("itadmin")
    reboot = Step("reboot", "filevault_reboot", {**USER, "ssh_unlock": True, "require_comes_back": False})
    templates = {"ansible_ssh_common_args": careless[host], "ansible_host_key_checking": False}
    lab.mac(host).set_fault("authrestart_unsupported")
    again = play(ansible, lab, {host: [reboot.but("check", check=True), reboot]}, "-e", json.dumps(templates))
    for title in ("check", "reboot"):
        answer = again[host, title]
        assert answer.reason == TRIED[host][3], answer
        assert not answer.changed and not journal.events(answer.entries, "restart")
