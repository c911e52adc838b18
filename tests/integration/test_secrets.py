# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""No secret is anywhere but in a prompt: not in output at -vvvv, results, logs, journals, files or processes.

Every step that has a secret plays in memory, where arguments, results and notes are searched. Over SSH it is each
module's way with its secrets, to success and to failure, in one play at -vvvv with a password for sudo; some of it
with pipelining switched off, which must make no difference: a module's arguments are in no file on the Mac.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import memory_play
import pytest
from memory_play import MemoryMac

from harness.ansible import Ansible, on_oldest_core
from harness.batch import Answer, Played, Step, account, play, token
from harness.macs import PASSWORDS, mac, person, secret
from harness.recipients import HelpDesk, Safe
from harness.search import Search, spellings
from harness.wait import end, runs, until
from maclab import journal, vault
from maclab.lab import Lab

every_core = pytest.mark.every_core

# Letters that each of YAML, JSON, Jinja, property lists, shells and Python would write in another way.
ODD = " \"ü'{{ $(id) }}<&>\\"
SECRETS = {
    "itadmin's password, sudo's too": PASSWORDS["itadmin"],
    "deputy's password": PASSWORDS["deputy"],
    "helper's password": PASSWORDS["helper"],
    "ana's password": PASSWORDS["ana"],
    "ana's password before the reset": secret("ana-before") + ODD,
    "ada's password": secret("ada") + ODD,
    "dud's password": secret("dud"),
    "nova's password": secret("nova") + ODD,
    "stan's password": secret("stan") + ODD,
    "stan's new password": secret("stan-new") + ODD,
    "stan's newer password": secret("stan-newer"),
    "svc's password": secret("svc") + ODD,
    "a password for nothing": secret("unused"),
    "a wrong password of ana": secret("bad-ana"),
    "a wrong password of ada": secret("bad-ada"),
    "a wrong password of deputy": secret("bad-deputy") + ODD,
    "a wrong password of itadmin": secret("bad-itadmin") + ODD,
    "a wrong password of stan": secret("bad-stan"),
    "a key of no Mac": vault.key_number("nowhere", 1),
}
BAD, BAD_STAN = SECRETS["a wrong password of itadmin"], SECRETS["a wrong password of stan"]
ANA, BEFORE, STAN = SECRETS["ana's password"], SECRETS["ana's password before the reset"], SECRETS["stan's password"]
NEW, NEWER, NO_KEY = SECRETS["stan's new password"], SECRETS["stan's newer password"], SECRETS["a key of no Mac"]
BECOME = {"ansible_become_password": PASSWORDS["itadmin"]}
ADMIN = {"user": "itadmin", "password": PASSWORDS["itadmin"]}
IT = {"admin_user": "itadmin", "admin_password": PASSWORDS["itadmin"]}
NOBODY = {"user": None, "password": None}
DESK, SAFE = HelpDesk.new("help desk"), Safe.new()
TO_DESK = {"recovery_key": "encrypt", "recipients": [DESK.pem]}
TO_SAFE = {"recovery_key": "encrypt", "recipients": [SAFE.recipient]}


def shown(title: str, module: str, **options: Any) -> Step:
    """With --diff, which shows most."""
    return Step(title, module, diff=True).but(title, **options)


GRANT = shown("grant", "secure_token", user="ana", password=ANA, **IT)
CREATE = shown("create", "account", name="nova", password=SECRETS["nova's password"], secure_token="present", **IT)
RESET = account("reset", "stan", password=NEW, update_password="always", **IT)
RENEW = account("renew", "stan", password=NEWER, old_password=NEW, update_password="always")
PREVENT = account("prevent", "svc", password=SECRETS["svc's password"], secure_token="prevented", admin=True)
DUD = token("says done, does nothing", "dud", password=SECRETS["dud's password"], **IT)
HANGS = DUD.but("hangs", user="helper", password=PASSWORDS["helper"])
CHANGE = shown("change", "account_password", name="stan", password=NEW, old_password=STAN)
MANAGE = shown("manage", "managed_password", name="deputy", current_password=PASSWORDS["deputy"])
MEND = shown("mend", "repair", user="ana", password=ANA, old_password=BEFORE, apply=True)
MOBILE = shown("mobile", "mobile_account", name="ada", password=SECRETS["ada's password"], secure_token="present", **IT)
LEAVE = shown("leave", "offboard", name="helper", home="archive", **IT)
ENABLE = shown("enable", "filevault", state="enabled", additional_users=[{"name": "stan", "password": STAN}])
ENABLE = ENABLE.but("enable", **ADMIN, **TO_DESK)
DISABLE = shown("disable", "filevault", state="disabled", **ADMIN)
ESCROW = shown("escrow", "bootstrap_token", state="escrowed", **IT)
GONE = shown("gone", "filevault_user", user="stan", state="absent")
BACK = shown("back", "filevault_user", user="stan", password=STAN, **IT)
KEY = shown("key", "filevault_recovery_key")
ROTATE = KEY.but("rotate", state="rotated", **ADMIN, **TO_DESK)
BY_NO_KEY = ROTATE.but("by a wrong key", **NOBODY, current_key=NO_KEY)
COLLECT = KEY.but("collect", state="collected", **TO_DESK)
REBOOT = shown("reboot", "filevault_reboot", reboot_timeout=120, **ADMIN)
PLIST = "/var/db/keyholder-filevault.plist"

MEMORY, PIPED, FILED = "memory", "piped", "filed"
OVER_SSH = (PIPED, FILED)


@dataclass(frozen=True)
class Case:
    """``reason``: None for a success, "" for a failure that Ansible itself finds. ``ways``: how it is played."""

    step: Step
    reason: str | None = None
    ways: tuple[str, ...] = (MEMORY,)


ALL, SSH, CONTROLLER = (MEMORY, PIPED, FILED), (MEMORY, PIPED), (PIPED,)
"""What the controller does itself is nothing for memory."""


def checked(step: Step, reason: str | None = None, **changes: Any) -> Case:
    return Case(step.but(f"{step.title}: check", check=True, **changes), reason)


def failing(step: Step, title: str, reason: str, ways: tuple[str, ...] = (MEMORY,), **changes: Any) -> Case:
    return Case(step.but(f"{step.title}: {title}", **changes), reason, ways)


def people(_host: str) -> list[Case]:
    return [
        checked(GRANT),
        failing(GRANT, "granter's password wrong", "granter_password_wrong", ALL, admin_password=BAD),
        checked(GRANT.but("grant: granter's password wrong"), "granter_password_wrong", admin_password=BAD),
        failing(GRANT, "wrong", "user_password_wrong", password=SECRETS["a wrong password of ana"]),
        # What Ansible itself refuses, before our code runs.
        failing(GRANT, "no such state", "", (PIPED, FILED), state="bogus"),
        Case(GRANT, ways=ALL),
        Case(GRANT.but("grant: again")),
        checked(CREATE),
        failing(CREATE, "wrong", "granter_password_wrong", SSH, name="nemo", admin_password=BAD),
        failing(CREATE, "no such choice", "", CONTROLLER, secure_token="bogus"),
        Case(CREATE, ways=ALL),
        Case(RESET, ways=ALL),
        failing(RENEW, "wrong", "user_password_wrong", SSH, password=ANA, old_password=BAD_STAN),
        Case(RENEW, ways=SSH),
        checked(PREVENT),
        Case(PREVENT, ways=SSH),
        Case(token("revoke", "ana", state="absent", password=ANA, **IT), ways=SSH),
        Case(account("delete", "nova", state="absent", password=SECRETS["a password for nothing"]), ways=SSH),
        Case(DUD, "not_proven", SSH),
        Case(HANGS.but("hangs", timeout=2), "timeout", SSH),
    ]


def flows(host: str) -> list[Case]:
    """How people come to a Mac, change and go."""

    def manage(title: str, reason: str | None, ways: tuple[str, ...] = CONTROLLER, **changes: Any) -> Case:
        place = {"directory": f"KEPT/{host}", "recipients": [SAFE.recipient], "identity": "KEPT/identity"}
        return Case(MANAGE.but(title, store={"kind": "age", **place}, **changes), reason, ways)

    drifted = SECRETS["a wrong password of deputy"]
    return [
        failing(CHANGE, "wrong", "user_password_wrong", SSH, old_password=BAD_STAN),
        checked(CHANGE),
        Case(CHANGE, ways=ALL),
        Case(CHANGE.but("change by a granter", password=NEWER, old_password=None, **IT), ways=SSH),
        manage("manage: drifted", "password_drifted", current_password=drifted),
        manage("manage: check", None, check=True),
        manage("manage", None, OVER_SSH),
        failing(MEND, "wrong", "stale_key", SSH, old_password=SECRETS["a wrong password of ana"]),
        checked(MEND),
        Case(MEND, ways=SSH),
        failing(MOBILE, "wrong", "user_password_wrong", SSH, password=SECRETS["a wrong password of ada"]),
        checked(MOBILE),
        Case(MOBILE, ways=ALL),
        Case(LEAVE, ways=SSH),
    ]


def protection(_host: str) -> list[Case]:
    other = [{"name": "stan", "password": BAD_STAN}]
    return [
        failing(ENABLE, "wrong", "user_password_wrong", ALL, password=BAD),
        checked(ENABLE.but("enable: wrong"), "user_password_wrong", password=BAD),
        failing(ENABLE, "wrong password of another", "user_password_wrong", additional_users=other),
        failing(ENABLE, "to nobody", "recipient_unusable", recipients=["not a certificate"]),
        failing(ENABLE, "to no age", "recipient_unusable", CONTROLLER, recipients=["age1nobody"]),
        failing(ENABLE, "no such state", "", CONTROLLER, state="bogus"),
        checked(ENABLE),
        Case(ENABLE, ways=ALL),
        Case(ENABLE.but("enable: again")),
        failing(ESCROW, "wrong", "granter_password_wrong", SSH, admin_password=BAD),
        checked(ESCROW.but("escrow: wrong"), "granter_password_wrong", admin_password=BAD),
        checked(ESCROW),
        Case(ESCROW, ways=ALL),
        Case(ESCROW.but("validate", state="validated")),
        failing(ROTATE, "wrong", "user_password_wrong", password=BAD),
        Case(BY_NO_KEY, "key_invalid", SSH),
        checked(BY_NO_KEY, "key_invalid"),
        checked(ROTATE),
        Case(ROTATE),
        Case(ROTATE.but("to the safe", **TO_SAFE), ways=OVER_SSH),
        checked(GONE),
        Case(GONE, ways=SSH),
        failing(BACK, "wrong", "user_password_wrong", password=BAD_STAN),
        checked(BACK.but("back: wrong granter"), "granter_password_wrong", admin_password=BAD),
        checked(BACK),
        Case(BACK, ways=SSH),
        failing(REBOOT, "wrong", "user_password_wrong", CONTROLLER, password=BAD),
        checked(REBOOT.but("reboot by a wrong key"), "key_invalid", **NOBODY, current_key=NO_KEY),
        checked(REBOOT),
        Case(REBOOT, ways=CONTROLLER),
        Case(ROTATE.but("discarded", state="absent", recovery_key=None, recipients=None)),
        Case(ROTATE.but("made anew", state="present")),
        failing(DISABLE, "wrong", "user_password_wrong", password=BAD),
        checked(DISABLE),
        Case(DISABLE, ways=SSH),
    ]


def left(host: str) -> list[Case]:
    """Its key is in the file of a deferral, then in the hands of whoever gives it to the modules."""
    key = vault.key_number(host, 1)
    by_key = ROTATE.but("by its key", **NOBODY, current_key=key)
    return [
        checked(COLLECT),
        Case(COLLECT, ways=SSH),
        Case(COLLECT.but("collect with age", **TO_SAFE), ways=CONTROLLER),
        Case(COLLECT.but("collect and remove", remove=True), ways=SSH),
        Case(KEY.but("no key of this Mac", state="validated", current_key=NO_KEY), "key_invalid", SSH),
        Case(KEY.but("validate the key", state="validated", current_key=key)),
        checked(by_key),
        Case(by_key, ways=SSH),
    ]


def hung(_host: str) -> list[Case]:
    """Hangs with the new key in its hands; then SSH unlocks what macOS does not."""
    unlocked = REBOOT.but("unlocked by SSH", ssh_unlock=True)
    return [Case(ROTATE.but("hangs", timeout=6), "timeout", SSH), Case(unlocked, ways=CONTROLLER)]


@dataclass(frozen=True)
class Scene:
    """The Mac, and what is played on it: with a new Python where Ansible pipes, an old one where not, or swapped."""

    cases: Callable[[str], list[Case]]
    described: Mapping[str, Any]
    pythons: tuple[str, str] = ("3.13", "3.9")


def hang(program: str, argument: str, at: str = "start") -> dict[str, Any]:
    return {"fault": "hang", "program": program, "argument": argument, "at": at}


ASKED = person("itadmin", sudo_password=True)
HOLDER = person("stan", password=STAN)
HANGING = hang("sysadminctl", "-secureTokenOn helper", "prompt")
DUD_IS = {"fault": "token_does_not_stick", "user": "dud"}
DUDS = person("dud", password=SECRETS["dud's password"])
STALE = person("ana", token=True, key_password=BEFORE)
USERS = [{"name": "ada", "full_name": "Ada O'Lovelace", "password": SECRETS["ada's password"]}]
NODE = {"node": "/Active Directory/CORP/corp.example.com", "users": USERS}
ON, OFF = {"state": "on", "prk": True}, {"state": "off"}
DEFERRED = {"state": "off", "deferred_user": "stan", "deferral_path": PLIST}
MANAGED = {"enrolled": "ade", "bootstrap": {"supported": True, "escrowed": False}}
UNSUPPORTED = {"fault": "authrestart_unsupported"}
VALIDATING = hang("fdesetup", "validaterecovery")


def described(*accounts: str | dict[str, Any], **more: Any) -> dict[str, Any]:
    return mac("26.1", ASKED, "deputy", HOLDER, *accounts, **more)


SCENES = {
    "people": Scene(people, described("helper", "ana", DUDS, faults=[DUD_IS, HANGING])),
    "flows": Scene(flows, described("helper", STALE, filevault=ON, directory=NODE), ("3.9", "3.13")),
    "protection": Scene(protection, described(mdm=MANAGED, filevault=OFF)),
    "left-a-key": Scene(left, described(filevault=DEFERRED)),
    "hung": Scene(hung, described(filevault=ON, faults=[VALIDATING, UNSUPPORTED])),
}
WATCHED = {
    "watched-piped": described("helper", faults=[HANGING]),
    "watched-filed": described("helper", faults=[HANGING]),
    "watched-plist": described(filevault=OFF, faults=[hang("fdesetup", "enable")]),
    "watched-typing": described(mdm=MANAGED, faults=[hang("profiles", "install", "prompt")]),
}
IN_MEMORY = [f"{scene}-{MEMORY}" for scene in SCENES]
TRIED = [f"{scene}-{way}" for scene in (["people"] if on_oldest_core() else SCENES) for way in OVER_SSH]


def cases(host: str) -> list[Case]:
    scene, _, way = host.rpartition("-")
    return [case for case in SCENES[scene].cases(host) if way in case.ways]


HOSTS = [host for host in TRIED if cases(host)]
on_each_mac = pytest.mark.parametrize("host", HOSTS)


@pytest.fixture(scope="module")
def lab(bring_up: Callable[[Mapping[str, Any]], Lab]) -> Lab:
    def one(host: str) -> dict[str, Any]:
        scene, _, way = host.rpartition("-")
        old = {"macos": "10.15.7", "hardware": "t2"} if way == FILED else {}
        return {**SCENES[scene].described, **old, "python": SCENES[scene].pythons[OVER_SSH.index(way)]}

    lab = bring_up({host: one(host) for host in HOSTS} | WATCHED)
    for host in HOSTS:
        if host.startswith("left"):
            lab.mac(host).login("stan")
    return lab


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the managed passwords are, encrypted to an identity that is no part of any run."""
    folder = tmp_path_factory.mktemp("kept")
    (folder / "identity").write_text(str(SAFE.identity))
    return folder


def stored_in(step: Step, kept: Path) -> Step:
    if step.module != "managed_password":
        return step
    return step.but(step.title, store=json.loads(json.dumps(step.options["store"]).replace("KEPT", str(kept))))


def go(own: Ansible, lab: Lab, steps: Mapping[str, list[Step]], **settings: str) -> Played:
    """At -vvvv and with a password for sudo; the Mac's name says whether with pipelining."""
    pipelining = "ansible_pipelining={{ inventory_hostname is not search('filed') }}"
    return play(own, lab, steps, "-vvvv", "-e", pipelining, variables=BECOME, **settings)


@pytest.fixture(scope="module")
def played(own: Ansible, lab: Lab, controller: Path, kept: Path) -> Played:
    """Everything over SSH, with a log on disk."""
    log = {"ANSIBLE_LOG_PATH": str(controller / "ansible.log"), "ANSIBLE_INJECT_INVOCATION": "1"}
    return go(own, lab, {host: [stored_in(case.step, kept) for case in cases(host)] for host in HOSTS}, **log)


@pytest.fixture(scope="module")
def macs() -> dict[str, MemoryMac]:
    macs = {host: MemoryMac(host, SCENES[host.rpartition("-")[0]].described) for host in IN_MEMORY}
    macs[f"left-a-key-{MEMORY}"].login("stan")
    return macs


@pytest.fixture(scope="module")
def remembered(macs: dict[str, MemoryMac]) -> Played:
    return memory_play.play(macs, {host: [case.step for case in cases(host)] for host in IN_MEMORY})


def delivered(played: Played, host: str) -> list[str]:
    """The keys that came out of what was encrypted, one after another."""
    keys = []
    for (where, _title), answer in played.answers.items():
        if where == host and answer.result.get("recovery_key_encrypted"):
            keys.append(DESK.opened(answer.result["recovery_key_encrypted"]))
        if where == host and answer.result.get("recovery_key_age"):
            keys.append(SAFE.opened(answer.result["recovery_key_age"]))
    return list(dict.fromkeys(keys))


@pytest.fixture(scope="module")
def managed(played: Played, kept: Path) -> dict[str, str]:
    """The passwords that were made, as only the owner of the identity knows them."""
    assert played
    found = {}
    for path in kept.glob("*/*.age"):
        for name, value in json.loads(SAFE.opened(path.read_text())).items():
            found[f"{name} of {path.relative_to(kept)}"] = value
    return {name: value for name, value in found.items() if value and not name.startswith(("set_at", "account"))}


PLISTS = {"a plist for fdesetup": "<key>Password</key>", "a plist of fdesetup": "<key>RecoveryKey</key>"}


def keys_of(hosts: list[str]) -> dict[str, str]:
    return {f"key {number} of {host}": vault.key_number(host, number) for host in hosts for number in range(6)}


@pytest.fixture(scope="module")
def search(managed: dict[str, str]) -> Search:
    """For every password, every key that any of the Macs has had, and what only the property lists hold."""
    return Search(SECRETS | managed | keys_of(HOSTS) | PLISTS)


def assert_tried(played: Played, host: str) -> dict[str, Answer]:
    answers = {title: answer for (where, title), answer in played.answers.items() if where == host}
    for case in cases(host):
        answer = answers[case.step.title]
        assert answer.ok is (case.reason is None), answer
        assert answer.reason == case.reason or not case.reason, answer
    return answers


def assert_keys(played: Played, host: str, prk: str | None) -> None:
    """Those are the keys that the Mac has had, one by one, and the last is the one that it has."""
    keys = delivered(played, host)
    assert keys == [vault.key_number(host, number) for number in range(1, len(keys) + 1)]
    assert bool(keys) is host.startswith(("protection", "left", "hung"))
    assert not keys or keys[-1] == prk


@every_core
@on_each_mac
def test_everything_was_tried(played: Played, lab: Lab, host: str) -> None:
    """Passwords were used, rightly and wrongly, and keys made, or the rest of this file would prove nothing."""
    answers = assert_tried(played, host)
    assert_keys(played, host, lab.mac(host).state().filevault.prk)
    ran = [run for answer in answers.values() for run in answer.programs]
    assert any(run.stdin_bytes or run.tty_bytes for run in ran)
    # -vvvv shows arguments, and would show ours.
    assert "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER" in played.run.output
    assert all("invocation" in answers[title].result for title in ("grant", "change", "enable") if title in answers)


@pytest.mark.parametrize("host", [host for host in HOSTS if host.startswith("flows")])
def test_what_a_store_holds_is_the_macs(played: Played, lab: Lab, managed: dict[str, str], host: str) -> None:
    accounts = lab.mac(host).state().accounts
    assert (
        accounts["deputy"].password
        == accounts["deputy"].key_password
        == managed[f"current of {host}/{host}.deputy.age"]
    )
    assert accounts["stan"].password == (NEWER if host.endswith(PIPED) else NEW)
    assert (accounts["ana"].key_password == ANA) is ("helper" not in accounts) is host.endswith(PIPED)


@pytest.mark.parametrize("host", [host for host in HOSTS if host.startswith("hung")])
def test_the_password_that_unlocks_goes_through_ssh_once(played: Played, host: str) -> None:
    logins = [entry for entry in played[host, "unlocked by SSH"].entries if isinstance(entry, journal.Login)]
    assert [(login.user, login.ok) for login in logins if login.method != "publickey"] == [("itadmin", True)]


@every_core
def test_not_in_output(played: Played, search: Search) -> None:
    assert played.run.rc == 0
    assert search.text("the output", played.run.output) == []


@every_core
def test_not_in_returned_values(played: Played, search: Search) -> None:
    """As the module returned them, before a callback tidied up."""
    assert search.data("the results", played.run.results.read_bytes()) == []


@every_core
@on_each_mac
def test_not_in_the_journal(played: Played, lab: Lab, search: Search, host: str) -> None:
    """Arguments, environment and prompts of every program, and every SSH command."""
    assert played.answers
    journalled = lab.mac(host).folder.journal.read_bytes()
    assert any(word in journalled for word in (b"-secureTokenOn", b"-resetPasswordFor", b"changerecovery"))
    assert search.data("the journal", journalled) == []


@every_core
@on_each_mac
def test_nothing_remains_on_the_mac(played: Played, lab: Lab, search: Search, host: str) -> None:
    assert played.answers
    assert list(lab.mac(host).file_tree.rglob(".ansible/tmp")) == []
    assert search.files([lab.mac(host).file_tree]) == []


@every_core
def test_nothing_remains_on_the_controller(played: Played, controller: Path, search: Search) -> None:
    assert played
    assert b"secure_token" in (controller / "ansible.log").read_bytes()
    assert search.files([controller]) == []


@pytest.mark.parametrize("host", IN_MEMORY)
def test_what_a_mac_in_memory_says_and_keeps(remembered: Played, macs: dict[str, MemoryMac], host: str) -> None:
    """Nothing is in a result, in an argument, in a file or in a note; there are more steps here than over SSH."""
    answers, state = assert_tried(remembered, host), macs[host].state()
    assert_keys(remembered, host, state.filevault.prk)
    search = Search(SECRETS | keys_of([host]) | PLISTS)
    for answer in answers.values():
        assert search.text("what it says", str(answer)) == []
        assert search.text("its result", json.dumps(answer.result)) == []
        assert search.text("its programs", json.dumps([vars(run) for run in answer.entries])) == []
    attributes = [person.attributes for person in state.accounts.values()]
    assert search.text("its notes", json.dumps(attributes)) == []
    assert search.text("its files", json.dumps([file.content for file in state.files.values()])) == []


@every_core
def test_while_a_program_has_the_passwords(own: Ansible, lab: Lab, search: Search) -> None:
    """Looks at the Macs and at every process: only a pipe and a terminal have them. Ansible is told to do without
    pipelining on one of the Macs and to keep its files on all of them, which makes no difference."""
    waits = {"watched-plist": ENABLE, "watched-typing": ESCROW, "watched-piped": HANGS, "watched-filed": HANGS}
    steps = {host: [step.but("waits", timeout=100)] for host, step in waits.items()}
    # One module after the other, in the order of their names.
    waiting = (
        ("install -type bootstraptoken", ["watched-typing"]),
        ("-inputplist", ["watched-plist"]),
        ("-secureTokenOn", ["watched-piped", "watched-filed"]),
    )
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(go, own, lab, steps, ANSIBLE_KEEP_REMOTE_FILES="1")
        for words, hosts in waiting:
            macs = [lab.mac(host) for host in hosts]
            for one in macs:
                until(partial(runs, one, words), f"{words} has its password on {one.name}")
            seen = search.processes() + search.files([one.file_tree for one in macs])
            for one in macs:
                end(one, words)
            assert seen == []
        done = run.result()
    assert [answer.ok for answer in done.answers.values()] == [False] * 4
    assert search.files([lab.mac(host).file_tree for host in waits]) == []


def test_a_key_appears_where_its_return_was_asked_for_and_nowhere_else() -> None:
    returning = MemoryMac("returning", SCENES["hung"].described)
    returning.clear_faults()
    returned = ROTATE.but("returned", recovery_key="return", recipients=None)
    steps = [returned, returned.but("returned: wrong", password=BAD)]
    one = memory_play.play({"returning": returning}, {"returning": steps})
    key = returning.state().filevault.prk
    assert key == one["returning", "returned"].result["recovery_key"]
    assert one["returning", "returned: wrong"].result["recovery_key"] == ""
    said = {name: json.dumps(value) for answer in one.answers.values() for name, value in answer.result.items()}
    search = Search(SECRETS | {"the key": str(key)})
    assert [name for name, text in said.items() if name != "recovery_key" and search.text(name, text)] == []
    assert search.text("its programs", str([answer.entries for answer in one.answers.values()])) == []
    assert search.text("its files", str(returning.state().files)) == []


# -- the search itself ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spelling", sorted(spellings('a "wörd"')))
def test_search_finds_each_spelling(tmp_path: Path, spelling: bytes) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file").write_bytes(b"before" + spelling + b"after")
    assert Search({"mine": 'a "wörd"'}).files([tmp_path]) == [f"mine in {tmp_path / 'deep' / 'file'}"]


@pytest.mark.parametrize("before", ["", "x", "xx", "xxx"])
def test_search_finds_base64_in_any_place(before: str) -> None:
    data = base64.b64encode(f"{before}a long enough secret, and more".encode())
    assert Search({"mine": "a long enough secret"}).data("data", data) == ["mine in data"]
    assert Search({"mine": "another long secret!"}).data("data", data) == []


def test_search_finds_what_an_argument_would_leave(lab: Lab) -> None:
    """The usual way, a password in an argument, would be found in the journal."""
    shown = secret("shown")
    lab.mac("watched-piped").ssh(f"dscl . -authonly ana {shown}")
    journal = lab.mac("watched-piped").folder.journal.read_bytes()
    assert Search({"shown": shown}).data("the journal", journal) == ["shown in the journal"]
