# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""No recovery key and no password is anywhere but where it was asked for, on the way to FileVault and back.

As in test_secrets.py, with the property lists that fdesetup reads and prints, the passwords that are typed to profiles,
and the keys that macOS makes: those of the lab, and those that came out of what was encrypted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from harness.ansible import Ansible, Line
from harness.batch import Played, Step, play
from harness.macs import PASSWORDS, mac, person, secret
from harness.safe import Desk, Safe
from harness.search import Search
from harness.wait import processes, until
from maclab import vault
from maclab.lab import Lab

pytestmark = pytest.mark.every_core

# Letters that each of YAML, JSON, Jinja, property lists and Python would write in another way.
ODD = " \"ü'{{ $(id) }}<&>\\"
SECRETS = {
    "itadmin's password, sudo's too": PASSWORDS["itadmin"],
    "stan's password": secret("stan") + ODD,
    "a wrong password of itadmin": secret("bad-itadmin") + ODD,
    "a wrong password of stan": secret("bad-stan"),
    "a key of no Mac": vault.key_number("nowhere", 1),
}
STAN = SECRETS["stan's password"]
BECOME = {"ansible_become_password": PASSWORDS["itadmin"]}
ADMIN = {"user": "itadmin", "password": PASSWORDS["itadmin"]}
IT = {"admin_user": "itadmin", "admin_password": PASSWORDS["itadmin"]}
BAD = SECRETS["a wrong password of itadmin"]
DESK, SAFE = Desk.new("help desk"), Safe.new()
TO_DESK = {"recovery_key": "encrypt", "recipients": [DESK.pem]}
TO_SAFE = {"recovery_key": "encrypt", "recipients": [SAFE.recipient]}

ENABLE = Step("enable", "filevault", {"state": "enabled", **ADMIN, **TO_DESK}).but(
    "enable", diff=True, additional_users=[{"name": "stan", "password": STAN}]
)
ROTATE = Step("rotate", "filevault_recovery_key", {"state": "rotated", **ADMIN, **TO_SAFE}, diff=True)
ESCROW = Step("escrow", "bootstrap_token", {"state": "escrowed", **IT})
BACK = Step("back", "filevault_user", {"user": "stan", "password": STAN, **IT})
DISABLE = Step("disable", "filevault", {"state": "disabled", **ADMIN})
VALIDATE = Step("key of no Mac", "filevault_recovery_key", {"state": "validated"}).but(
    "key of no Mac", current_key=SECRETS["a key of no Mac"]
)

SUCCEED = [
    ENABLE.but("enable: check", check=True),
    ENABLE,
    ENABLE.but("enable: again"),
    ESCROW.but("escrow: check", check=True),
    ESCROW,
    ESCROW.but("validate", state="validated"),
    ROTATE.but("rotate: check", check=True),
    ROTATE,
    Step("gone", "filevault_user", {"user": "stan", "state": "absent"}),
    BACK,
    ROTATE.but("discarded", state="absent", recovery_key=None, recipients=None),
    ROTATE.but("made anew", state="present", **TO_DESK),
    DISABLE,
]
FAIL = [
    ENABLE.but("wrong password", password=BAD),
    ENABLE.but("wrong password: check", password=BAD, check=True),
    ENABLE.but(
        "wrong password of another",
        additional_users=[{"name": "stan", "password": SECRETS["a wrong password of stan"]}],
    ),
    ENABLE.but("to nobody", recipients=["not a certificate"]),
    ENABLE.but("to no age", recipients=["age1nobody"]),
    ESCROW.but("wrong granter", admin_password=BAD),
    # What Ansible itself refuses, before our code runs.
    ENABLE.but("no such state", state="bogus"),
]
FAIL_LATER = [
    ROTATE.but("rotate: wrong", password=BAD),
    VALIDATE,
    ROTATE.but("by a wrong key", user=None, password=None, current_key=SECRETS["a key of no Mac"]),
    # Hangs with the new key in its hands.
    ROTATE.but("hangs", timeout=5, **TO_DESK),
]
PIPED, FILED = {"piped": "26.1"}, {"filed": "10.15.7"}
on_each_mac = pytest.mark.parametrize("host", [*PIPED, *FILED])


@pytest.fixture(scope="module")
def lab(bring_up: Callable[[Mapping[str, Any]], Lab]) -> Lab:
    def described(version: str, *faults: dict[str, Any], filevault: dict[str, Any] | None = None) -> dict[str, Any]:
        people = [person("itadmin", sudo_password=True), person("deputy"), person("stan", password=STAN)]
        managed = {"enrolled": "ade", "bootstrap": {"supported": True, "escrowed": False}}
        return mac(version, *people, mdm=managed, faults=list(faults), filevault=filevault or {"state": "off"})

    macs = {host: described(version) for host, version in (PIPED | FILED).items()}
    macs["watched"] = described("15.6", {"fault": "hang", "program": "fdesetup", "argument": "enable"})
    macs["returning"] = described("15.6", filevault={"state": "on", "prk": True})
    return bring_up(macs)


@pytest.fixture(scope="module")
def controller(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("secrets") / "controller"


@pytest.fixture(scope="module")
def own(controller: Path) -> Iterator[Ansible]:
    """An ansible whose files on the controller are this test's alone."""
    ansible = Ansible(controller)
    yield ansible
    ansible.close()


@pytest.fixture(scope="module")
def played(own: Ansible, lab: Lab, controller: Path) -> dict[str, list[Played]]:
    """By the Mac. Everything at -vvvv, with a password for sudo, with pipelining and without, and a log on disk."""
    log = {"ANSIBLE_LOG_PATH": str(controller / "ansible.log"), "ANSIBLE_INJECT_INVOCATION": "1"}
    found: dict[str, list[Played]] = {}
    for hosts, pipelining in ((PIPED, "1"), (FILED, "0")):
        settings = {"variables": BECOME, "ANSIBLE_PIPELINING": pipelining, **log}
        first = play(own, lab, dict.fromkeys(hosts, FAIL + SUCCEED[:-1]), "-vvvv", **settings)
        for host in hosts:
            lab.mac(host).set_fault("hang", program="fdesetup", argument="validaterecovery")
        hung = play(own, lab, dict.fromkeys(hosts, FAIL_LATER[-1:]), "-vvvv", **settings)
        for host in hosts:
            lab.mac(host).clear_faults()
        last = play(own, lab, dict.fromkeys(hosts, [*FAIL_LATER[:-1], DISABLE]), "-vvvv", **settings)
        found.update(dict.fromkeys(hosts, [first, hung, last]))
    return found


def answers(played: dict[str, list[Played]], host: str) -> dict[str, Any]:
    return {title: one[mac, title] for one in played[host] for mac, title in one.answers if mac == host}


def delivered(played: dict[str, list[Played]], host: str) -> dict[str, str]:
    """The keys that came out of what was encrypted, by the step that returned each."""
    keys = {}
    for title, answer in answers(played, host).items():
        if answer.result.get("recovery_key_encrypted"):
            keys[title] = DESK.opened(answer.result["recovery_key_encrypted"])
        if answer.result.get("recovery_key_age"):
            keys[title] = SAFE.opened(answer.result["recovery_key_age"])
    return keys


@pytest.fixture(scope="module")
def search(played: dict[str, list[Played]], lab: Lab) -> Search:
    """For every password, and for every key that any of the Macs has had."""
    keys = {f"key {number} of {host}": vault.key_number(host, number) for host in played for number in range(1, 6)}
    keys |= {f"key of {title} on {host}": key for host in played for title, key in delivered(played, host).items()}
    return Search(SECRETS | keys)


@on_each_mac
def test_everything_was_tried(played: dict[str, list[Played]], lab: Lab, host: str) -> None:
    """Passwords were used and keys made, or the rest of this file would prove nothing."""
    found = answers(played, host)
    assert [step.title for step in SUCCEED if not found[step.title].ok] == []
    assert [step.title for step in FAIL + FAIL_LATER if found[step.title].ok] == []
    assert found["hangs"].reason == "timeout"
    keys = delivered(played, host)
    assert sorted(keys) == ["enable", "hangs", "made anew", "rotate"]
    # Those are the keys that the Mac has had, one by one, and the last is the one it has.
    made = [keys[title] for title in ("enable", "rotate", "made anew", "hangs")]
    assert made == [vault.key_number(host, number) for number in range(1, 5)]
    assert lab.mac(host).state().filevault.prk == made[-1]
    runs = found["enable"].programs + found["escrow"].programs
    assert any(run.stdin_bytes for run in runs if run.program == "fdesetup")
    assert any(run.tty_bytes for run in runs if run.program == "profiles")
    assert "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER" in played[host][0].run.output
    assert "invocation" in found["enable"].result


@on_each_mac
def test_not_in_output(played: dict[str, list[Played]], search: Search, host: str) -> None:
    for one in played[host]:
        assert search.text("the output", one.run.output) == []


@on_each_mac
def test_not_in_returned_values(played: dict[str, list[Played]], search: Search, host: str) -> None:
    """As the module returned them, before a callback tidied up."""
    for one in played[host]:
        assert search.data("the results", one.run.results.read_bytes()) == []


@on_each_mac
def test_not_in_the_journal(played: dict[str, list[Played]], lab: Lab, search: Search, host: str) -> None:
    """Arguments, environment and prompts of every program, and every SSH command."""
    assert played[host]
    journal = lab.mac(host).folder.journal.read_bytes()
    assert b"changerecovery" in journal
    assert search.data("the journal", journal) == []


@on_each_mac
def test_nothing_remains_on_the_mac(played: dict[str, list[Played]], lab: Lab, search: Search, host: str) -> None:
    assert played[host]
    assert bool(list(lab.mac(host).file_tree.rglob(".ansible/tmp"))) is (host in FILED)
    assert search.files([lab.mac(host).file_tree]) == []


def test_nothing_remains_on_the_controller(played: dict[str, list[Played]], controller: Path, search: Search) -> None:
    assert played
    assert b"filevault_recovery_key" in (controller / "ansible.log").read_bytes()
    assert search.files([controller]) == []


def test_while_fdesetup_runs(own: Ansible, lab: Lab, search: Search) -> None:
    """Looks at the Mac and at every process while fdesetup has the passwords: only a pipe has them."""
    with ThreadPoolExecutor(1) as pool:
        waits = ENABLE.but("waits", timeout=8)
        run = pool.submit(play, own, lab, {"watched": [waits]}, variables=BECOME, ANSIBLE_PIPELINING="1")
        watched = lab.mac("watched")
        until(lambda: any("-inputplist" in line for line in processes(watched)), "fdesetup has its property list")
        seen = search.files([watched.file_tree]), search.processes()
        assert run.result()["watched", "waits"].reason == "timeout"
    assert seen == ([], [])


def test_a_key_appears_where_its_return_was_asked_for_and_nowhere_else(own: Ansible, lab: Lab) -> None:
    steps = [
        ROTATE.but("returned", recovery_key="return", recipients=None),
        ROTATE.but("returned: wrong", recovery_key="return", recipients=None, password=BAD),
    ]
    one = play(own, lab, {"returning": steps}, "-vvvv", variables=BECOME)
    returning = lab.mac("returning")
    key = returning.state().filevault.prk
    assert key
    search = Search(SECRETS | {"the key": key})
    assert one["returning", "returned"].result["recovery_key"] == key
    assert one["returning", "returned: wrong"].result["recovery_key"] == ""
    where = [value for line in one.run.lines for value in _places(line) if key in value[1]]
    assert [place for place, _text in where] == ["recovery_key"]
    assert search.text("the output", one.run.output) == ["the key in the output"]
    assert search.files([returning.file_tree]) == []
    assert search.data("the journal", returning.folder.journal.read_bytes()) == []


def _places(line: Line) -> list[tuple[str, str]]:
    return [(name, json.dumps(value)) for name, value in line.result.items()]
