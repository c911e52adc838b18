# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""No recovery key and no password is anywhere but where it was asked for, on the way to FileVault and back.

As in test_secrets.py, with the property lists that fdesetup reads and prints, the passwords that are typed to profiles
and to SSH, and the keys that macOS makes: those of the lab, and those that came out of what was encrypted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from harness.ansible import Ansible, Line
from harness.batch import Answer, Played, Step, play
from harness.macs import PASSWORDS, mac, person, secret
from harness.recipients import HelpDesk, Safe
from harness.search import Search
from harness.wait import processes, until
from maclab import journal, vault
from maclab.lab import Handle, Lab

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
DESK, SAFE = HelpDesk.new("help desk"), Safe.new()
TO_DESK = {"recovery_key": "encrypt", "recipients": [DESK.pem]}
TO_SAFE = {"recovery_key": "encrypt", "recipients": [SAFE.recipient]}

ENABLE = Step("enable", "filevault", {"state": "enabled", **ADMIN, **TO_DESK}).but(
    "enable", diff=True, additional_users=[{"name": "stan", "password": STAN}]
)
DISABLE = Step("disable", "filevault", {"state": "disabled", **ADMIN}, diff=True)
ESCROW = Step("escrow", "bootstrap_token", {"state": "escrowed", **IT}, diff=True)
GONE = Step("gone", "filevault_user", {"user": "stan", "state": "absent"}, diff=True)
BACK = Step("back", "filevault_user", {"user": "stan", "password": STAN, **IT}, diff=True)
KEY = Step("key", "filevault_recovery_key", diff=True)
ROTATE = KEY.but("rotate", state="rotated", **ADMIN, **TO_SAFE)
REBOOT = Step("reboot", "filevault_reboot", {"reboot_timeout": 120, **ADMIN}, diff=True)
PLIST = "/var/db/keyholder-filevault.plist"
COLLECT = KEY.but("collect", state="collected", **TO_DESK)
NO_KEY = SECRETS["a key of no Mac"]

PLAY = [
    ENABLE.but("wrong password", password=BAD),
    ENABLE.but("wrong password: check", password=BAD, check=True),
    ENABLE.but(
        "wrong password of another",
        additional_users=[{"name": "stan", "password": SECRETS["a wrong password of stan"]}],
    ),
    ENABLE.but("to nobody", recipients=["not a certificate"]),
    ENABLE.but("to no age", recipients=["age1nobody"]),
    # What Ansible itself refuses, before our code runs.
    ENABLE.but("no such state", state="bogus"),
    ENABLE.but("enable: check", check=True),
    ENABLE,
    ENABLE.but("enable: again"),
    ESCROW.but("wrong granter", admin_password=BAD),
    ESCROW.but("wrong granter: check", admin_password=BAD, check=True),
    ESCROW.but("escrow: check", check=True),
    ESCROW,
    ESCROW.but("validate", state="validated"),
    ROTATE.but("rotate: wrong", password=BAD),
    ROTATE.but("by a wrong key", user=None, password=None, current_key=NO_KEY),
    ROTATE.but("by a wrong key: check", user=None, password=None, current_key=NO_KEY, check=True),
    ROTATE.but("rotate: check", check=True),
    ROTATE,
    GONE.but("gone: check", check=True),
    GONE,
    BACK.but("back: wrong", password=SECRETS["a wrong password of stan"]),
    BACK.but("back: wrong granter: check", admin_password=BAD, check=True),
    BACK.but("back: check", check=True),
    BACK,
    REBOOT.but("reboot: wrong", password=BAD),
    REBOOT.but("reboot: by a wrong key: check", user=None, password=None, current_key=NO_KEY, check=True),
    REBOOT.but("reboot: check", check=True),
    REBOOT,
    ROTATE.but("discarded", state="absent", recovery_key=None, recipients=None),
    ROTATE.but("made anew", state="present", **TO_DESK),
    DISABLE.but("disable: wrong", password=BAD),
    DISABLE.but("disable: check", check=True),
    DISABLE,
]
FAIL = {
    *("wrong password", "wrong password: check", "wrong password of another", "to nobody", "to no age"),
    *("no such state", "wrong granter", "wrong granter: check", "rotate: wrong", "by a wrong key"),
    *("by a wrong key: check", "back: wrong", "back: wrong granter: check", "reboot: wrong"),
    *("reboot: by a wrong key: check", "disable: wrong", "hangs", "no key of this Mac"),
}
# With pipelining, and without.
PIPED, FILED = "piped", "filed"
HOW = (PIPED, FILED)
on_each_mac = pytest.mark.parametrize("how", HOW)
VERSION = {PIPED: "26.1", FILED: "10.15.7"}
LEFT, HUNG, WATCHED, TYPING = "left-a-key", "hung", "watched", "typing"


def left_a_key(host: str) -> list[Step]:
    """Its key is in the file of a deferral, then in the hands of whoever gives it to the modules."""
    key = vault.key_number(host, 1)
    by_key = ROTATE.but("by its key", user=None, password=None, current_key=key)
    return [
        COLLECT.but("collect: check", check=True),
        COLLECT,
        COLLECT.but("collect with age", **TO_SAFE),
        COLLECT.but("collect and remove", remove=True),
        KEY.but("no key of this Mac", state="validated", current_key=NO_KEY),
        KEY.but("validate the key", state="validated", current_key=key),
        by_key.but("by its key: check", check=True),
        by_key,
    ]


# Hangs with the new key in its hands; then SSH unlocks what macOS does not.
HANG = [ROTATE.but("hangs", timeout=10, **TO_DESK), REBOOT.but("unlocked by SSH", ssh_unlock=True)]


@pytest.fixture(scope="module")
def lab(bring_up: Callable[[Mapping[str, Any]], Lab]) -> Lab:
    managed = {"enrolled": "ade", "bootstrap": {"supported": True, "escrowed": False}}
    people = [person("itadmin", sudo_password=True), person("deputy"), person("stan", password=STAN)]
    off, on = {"state": "off"}, {"state": "on", "prk": True}

    def described(version: str, filevault: dict[str, Any], *faults: dict[str, Any]) -> dict[str, Any]:
        return mac(version, *people, mdm=managed, faults=list(faults), filevault=filevault)

    def hang(program: str, argument: str, at: str = "start") -> dict[str, Any]:
        return {"fault": "hang", "program": program, "argument": argument, "at": at}

    macs = {"returning": described("15.6", on)}
    unsupported = {"fault": "authrestart_unsupported"}
    deferred = {"state": "off", "deferred_user": "stan", "deferral_path": PLIST}
    for how in HOW:
        macs[how] = described(VERSION[how], off)
        macs[f"{LEFT}-{how}"] = described("15.6", deferred)
        macs[f"{HUNG}-{how}"] = described("26.1", on, hang("fdesetup", "validaterecovery"), unsupported)
        macs[f"{WATCHED}-{how}"] = described("15.6", off, hang("fdesetup", "enable"))
    macs[f"{TYPING}-{PIPED}"] = described("15.6", off, hang("profiles", "install", "prompt"))
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


def go(own: Ansible, lab: Lab, steps: Mapping[str, list[Step]], **settings: str) -> Played:
    """At -vvvv and with a password for sudo; the Mac's name says whether with pipelining."""
    pipelining = "ansible_pipelining={{ inventory_hostname is not search('filed') }}"
    return play(own, lab, steps, "-vvvv", "-e", pipelining, variables=BECOME, **settings)


@pytest.fixture(scope="module")
def played(own: Ansible, lab: Lab, controller: Path) -> dict[str, Played]:
    """Everything, with a log on disk: one play with pipelining, and one without."""
    log = {"ANSIBLE_LOG_PATH": str(controller / "ansible.log"), "ANSIBLE_INJECT_INVOCATION": "1"}
    found = {}
    for how in HOW:
        main, left, hung = hosts(how)
        lab.mac(left).login("stan")
        found[how] = go(own, lab, {main: PLAY, left: left_a_key(left), hung: HANG}, **log)
    return found


def hosts(how: str) -> list[str]:
    return [how, f"{LEFT}-{how}", f"{HUNG}-{how}"]


def answers(played: Played, host: str) -> dict[str, Answer]:
    return {title: answer for (where, title), answer in played.answers.items() if where == host}


def delivered(played: Played, host: str) -> dict[str, str]:
    """The keys that came out of what was encrypted, by the step that returned each."""
    keys = {}
    for title, answer in answers(played, host).items():
        if answer.result.get("recovery_key_encrypted"):
            keys[title] = DESK.opened(answer.result["recovery_key_encrypted"])
        if answer.result.get("recovery_key_age"):
            keys[title] = SAFE.opened(answer.result["recovery_key_age"])
    return keys


@pytest.fixture(scope="module")
def search(played: dict[str, Played]) -> Search:
    """For every password, every key that any of the Macs has had, and what only the property lists hold."""
    keys = {}
    for how, one in played.items():
        for host in hosts(how):
            keys |= {f"key {number} of {host}": vault.key_number(host, number) for number in range(6)}
            keys |= {f"key of {title} on {host}": key for title, key in delivered(one, host).items()}
    plists = {"a plist for fdesetup": "<key>Password</key>", "a plist of fdesetup": "<key>RecoveryKey</key>"}
    return Search(SECRETS | keys | plists)


@on_each_mac
def test_everything_was_tried(played: dict[str, Played], lab: Lab, how: str) -> None:
    """Passwords were used and keys made, or the rest of this file would prove nothing."""
    one = played[how]
    for host in hosts(how):
        for title, answer in answers(one, host).items():
            assert answer.ok is (title not in FAIL), answer
    main, left, hung = hosts(how)
    assert one[hung, "hangs"].reason == "timeout"
    # Those are the keys that the Macs have had, one by one, and the last is the one that each has.
    made = {
        main: {"enable": 1, "rotate": 2, "made anew": 3},
        left: {"collect": 1, "collect with age": 1, "collect and remove": 1, "by its key": 2},
        hung: {"hangs": 1},
    }
    for host, numbers in made.items():
        keys = {title: vault.key_number(host, number) for title, number in numbers.items()}
        assert delivered(one, host) == keys
        assert lab.mac(host).state().filevault.prk == keys[list(keys)[-1]]
    runs = one[main, "enable"].programs + one[main, "escrow"].programs
    assert any(run.stdin_bytes for run in runs if run.program == "fdesetup")
    assert any(run.tty_bytes for run in runs if run.program == "profiles")
    logins = [entry for entry in one[hung, "unlocked by SSH"].entries if isinstance(entry, journal.Login)]
    assert [(login.user, login.ok) for login in logins if login.method == "password"] == [("itadmin", True)]
    assert "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER" in one.run.output
    assert "invocation" in one[main, "enable"].result


@on_each_mac
def test_not_in_output(played: dict[str, Played], search: Search, how: str) -> None:
    assert "filevault_reboot" in played[how].run.output
    assert search.text("the output", played[how].run.output) == []


@on_each_mac
def test_not_in_returned_values(played: dict[str, Played], search: Search, how: str) -> None:
    """As the module returned them, before a callback tidied up."""
    assert search.data("the results", played[how].run.results.read_bytes()) == []


@on_each_mac
def test_not_in_the_journal(played: dict[str, Played], lab: Lab, search: Search, how: str) -> None:
    """Arguments, environment and prompts of every program, and every SSH command."""
    assert played[how].answers
    for host in hosts(how):
        journalled = lab.mac(host).folder.journal.read_bytes()
        assert b"changerecovery" in journalled
        assert search.data("the journal", journalled) == []


@on_each_mac
def test_nothing_remains_on_the_mac(played: dict[str, Played], lab: Lab, search: Search, how: str) -> None:
    assert played[how].answers
    for host in hosts(how):
        assert bool(list(lab.mac(host).file_tree.rglob(".ansible/tmp"))) is (how == FILED)
        assert search.files([lab.mac(host).file_tree]) == []


def test_nothing_remains_on_the_controller(played: dict[str, Played], controller: Path, search: Search) -> None:
    assert played
    assert b"filevault_recovery_key" in (controller / "ansible.log").read_bytes()
    assert search.files([controller]) == []


def test_while_a_program_has_the_passwords(own: Ansible, lab: Lab, search: Search) -> None:
    """Looks at the Macs and at every process: only a pipe and a terminal have them; and, without pipelining, the file
    that Ansible writes for itself, because of which our documentation asks for pipelining."""
    piped, filed, typing = (lab.mac(host) for host in (f"{WATCHED}-{PIPED}", f"{WATCHED}-{FILED}", f"{TYPING}-{PIPED}"))
    enables, escrows = ENABLE.but("waits", timeout=12), ESCROW.but("waits", timeout=12)

    def has(watched: Handle, words: str) -> bool:
        return any(words in line for line in processes(watched))

    with ThreadPoolExecutor(1) as pool:
        # One module after the other, and bootstrap_token is the first.
        run = pool.submit(go, own, lab, {piped.name: [enables], filed.name: [enables], typing.name: [escrows]})
        until(lambda: has(typing, "install -type bootstraptoken"), "profiles has the password")
        seen = search.files([typing.file_tree]) + search.processes()
        until(lambda: has(piped, "-inputplist") and has(filed, "-inputplist"), "fdesetup has its property list")
        seen += search.files([piped.file_tree]) + search.processes()
        ansibles = search.files([filed.file_tree])
        done = run.result()
    assert [done[watched.name, "waits"].reason for watched in (piped, filed, typing)] == ["timeout"] * 3
    assert seen == []
    assert ansibles
    assert all("/.ansible/tmp/ansible-tmp-" in line for line in ansibles)
    assert search.files([filed.file_tree]) == []


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
