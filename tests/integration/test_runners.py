# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Mac without Python is changed as one with it, over SSH: the same results, no more secrets anywhere, no dialog, and
whatever is cut off heals.

The same steps go to a Mac without Python and to one with Apple's stub, by `runner: shell`, and to one with a Python, by
`runner: python`. People's login shells differ between these Macs, one greets, and one has a sudo that asks.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.keyholder.macos.plugins.module_utils._lock import NAME
from harness.ansible import Ansible
from harness.batch import Answer, Played, Step, account, play, token
from harness.macs import PASSWORDS, mac, person, secret
from harness.recipients import Safe
from harness.search import Search
from harness.wait import has_open, processes, until
from maclab import journal
from maclab.lab import Handle, Lab

BringUp = Callable[[Mapping[str, Any]], Lab]

NONE, STUB, REAL = "none", "stub", "real"
RUNNERS = {NONE: "shell", STUB: "shell", REAL: "python"}
SHELL = (NONE, STUB)
NODE = "/Active Directory/CORP/corp.example.com"
# What YAML, Jinja, shells, Python, Perl and printf would each write in another way.
ODD = " \"ü'{{ $(id) }}\\%n@"
NEW, NOVA, ADA, OLD = secret("stan-new") + ODD, secret("nova") + ODD, secret("ada") + ODD, secret("ana-old") + ODD
IT = {"admin_user": "itadmin", "admin_password": PASSWORDS["itadmin"]}
BY = {"user": "itadmin", "password": PASSWORDS["itadmin"]}
SAFE = Safe.new()

GRANT = token("grant", "helper", password=PASSWORDS["helper"], **IT)
CHANGES = [
    GRANT,
    token("revoke", "helper", state="absent", password=PASSWORDS["helper"], **IT),
    account("create", "nova", full_name="Nova O'Malley", password=NOVA, secure_token="present", **IT),
    account("delete", "nova", state="absent"),
    Step("password", "account_password", {"name": "stan", "password": NEW, "old_password": PASSWORDS["stan"]}),
    Step("escrow", "bootstrap_token", {"state": "escrowed", **IT}),
    Step("enable", "filevault", {"state": "enabled", "recovery_key": "return", **BY}),
    Step("unlist", "filevault_user", {"user": "stan", "state": "absent"}),
    Step("list", "filevault_user", {"user": "stan", "password": NEW, **IT}),
    Step("mobile", "mobile_account", {"name": "ada", "password": ADA, "secure_token": "present", **IT}),
    Step("mend", "repair", {"user": "ana", "password": PASSWORDS["ana"], "old_password": OLD, "apply": True}),
    Step("manage", "managed_password", {"name": "deputy", "current_password": PASSWORDS["deputy"]}),
    Step("leave", "offboard", {"name": "helper", "home": "archive"}),
]
# These change something whenever they are asked to.
ALWAYS = [
    Step("rotate", "filevault_recovery_key", {"state": "rotated", "recovery_key": "return", **BY}),
    Step("restart", "filevault_reboot", {"reboot_timeout": 60, **BY}),
]
VALIDATE = Step("validate", "filevault_recovery_key", {"state": "validated"})
# What can be asked only once something else is known: whose key a password is to open, where a home folder is. One
# module rests on others.
# The word of mdmclient, which takes ten seconds, is asked for on those versions alone that have it.
MOST_EXECS = {
    "escrow: check": 2,
    "escrow: again": 2,
    "mend: check": 3,
    "mend: again": 7,
    "leave: check": 2,
    "leave: again": 2,
    "manage: check": 3,
}

STRICT, SU, NAMED, TYPO, WRONG = "strict", "su", "named", "typo", "wrong"
REFUSED = {STRICT: "needs_terminal", SU: "needs_terminal", TYPO: "value_unusable"}
VARIABLES: dict[str, dict[str, str]] = {
    **{
        host: {"keyholder_runner": runner, "ansible_become_password": PASSWORDS["itadmin"]}
        for host, runner in RUNNERS.items()
    },
    STRICT: {"keyholder_runner": "shell"},
    SU: {"ansible_become_method": "su"},
    NAMED: {"ansible_python_interpreter": "/usr/bin/python3"},
    TYPO: {"keyholder_runner": "shel"},
    WRONG: {"ansible_become_password": secret("no-password-of-itadmin")},
}


def lock_of(mac: Handle) -> Path:
    return mac.folder.databases / NAME


def described(python: str, shell: str = "/bin/zsh", **other: Any) -> dict[str, Any]:
    people: list[str | dict[str, Any]] = [
        person("itadmin", shell=shell, **other.pop("of_itadmin", {})),
        *("deputy", "helper", "stan"),
        person("ana", token=True, key_password=OLD),
    ]
    users = [{"name": "ada", "full_name": "Ada O'Lovelace", "password": ADA}]
    managed = {"enrolled": "ade", "bootstrap": {"supported": True, "escrowed": False}}
    return mac("15.6", *people, mdm=managed, directory={"node": NODE, "users": users}) | {"python": python} | other


@pytest.fixture(scope="module")
def lab(bring_up: BringUp) -> Lab:
    plain = {**mac("15.6", "itadmin", "helper"), "logged_in": ["itadmin"], "python": "stub"}
    return bring_up(
        {
            NONE: described("none", "/bin/bash", of_itadmin={"shell_banner": 'Property of "example".test %s'}),
            STUB: described("stub", "/bin/dash", of_itadmin={"sudo_password": True}, logged_in=["itadmin"]),
            REAL: described("3.9"),
            STRICT: {**plain, "requiretty": True},
            SU: plain,
            NAMED: plain,
            TYPO: plain,
            WRONG: {**plain, "sudo_password": True},
        }
    )


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kept")
    (folder / "identity").write_text(str(SAFE.identity))
    hosts = {"macs": {"hosts": VARIABLES}}
    (folder / "runners.yml").write_text(yaml.safe_dump(hosts))
    return folder


def steps(kept: Path) -> list[Step]:
    store = {"kind": "age", "recipients": [SAFE.recipient], "identity": str(kept / "identity")}
    store["directory"] = str(kept / "store")
    found = []
    for step in CHANGES:
        if step.module == "managed_password":
            step = step.but(step.title, store=store)
        found += [step.but(f"{step.title}: check", check=True), step, step.but(f"{step.title}: again")]
    return found + [one for step in ALWAYS for one in (step.but(f"{step.title}: check", check=True), step)]


@pytest.fixture(scope="module")
def played(own: Ansible, lab: Lab, kept: Path, controller: Path) -> Played:
    """Everything, at -vvvvv, with a log on disk, without pipelining, and nothing that is on a Mac is cleared away."""
    refused = [GRANT.but("grant: check", check=True), GRANT]
    own_steps = {host: steps(kept) for host in RUNNERS} | dict.fromkeys([*REFUSED, NAMED, WRONG], refused)
    return play(
        own,
        lab,
        own_steps,
        *("-i", str(kept / "runners.yml"), "-vvvvv"),
        ANSIBLE_PIPELINING="0",
        ANSIBLE_KEEP_REMOTE_FILES="1",
        ANSIBLE_LOG_PATH=str(controller / "ansible.log"),
    )


@pytest.fixture(scope="module")
def piped(own: Ansible, lab: Lab, kept: Path, played: Played) -> Played:
    """With pipelining, and with the key that came of the rotation."""
    keys = {host: played[host, "rotate"].result["recovery_key"] for host in RUNNERS}
    own_steps = {
        host: [
            VALIDATE.but("validate", current_key=key),
            VALIDATE.but("validate: another", current_key=key[:-4] + ("AAAA" if key[-4:] != "AAAA" else "BBBB")),
            token("grant", "ada", password=ADA, **IT),
            token("revoke", "ada", state="absent", password=ADA, **IT),
        ]
        for host, key in keys.items()
    }
    arguments = ("-i", str(kept / "runners.yml"), "-vvvvv")
    return play(own, lab, own_steps, *arguments, ANSIBLE_KEEP_REMOTE_FILES="1")


# -- the same, whatever carries it out --------------------------------------------------------------------------------

TITLES = [title for step in CHANGES for title in (f"{step.title}: check", step.title, f"{step.title}: again")]
TITLES += [title for step in ALWAYS for title in (f"{step.title}: check", step.title)]
IDENTITY = re.compile(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}")


def told(answer: Answer) -> dict[str, Any]:
    """What must be the same on each Mac; what a Mac has made up is not."""
    said = {key: answer.result.get(key) for key in ("changed", "state", "plan", "reason", "notes")}
    same: dict[str, Any] = json.loads(IDENTITY.sub("(its identity)", json.dumps(said)))
    return {**same, "status": answer.line.status, "writes": answer.writes, "logins": answer.authentications}


@pytest.mark.parametrize("title", TITLES)
def test_both_runners_say_and_do_the_same(played: Played, title: str) -> None:
    by_module = played[REAL, title]
    assert by_module.ok, by_module
    assert by_module.changed is not title.endswith("again"), by_module
    for host in SHELL:
        assert told(played[host, title]) == told(by_module), played[host, title]


@pytest.mark.parametrize("title", [title for title in TITLES if ":" in title])
@pytest.mark.parametrize("host", RUNNERS)
def test_what_changes_nothing_is_one_exec(played: Played, host: str, title: str) -> None:
    answer = played[host, title]
    execs = journal.execs(answer.entries)
    assert len(execs) <= MOST_EXECS.get(title, 1), len(execs)
    assert (answer.writes, answer.authentications) == ([], [])
    # What a password is to open is found out by a login, under the lock and so by the module.
    assert not [one for one in execs if "python" in one.command] or (host, title) == (REAL, "mend: again")


def test_a_dialogue_was_held_on_a_terminal_that_perl_opened(played: Played) -> None:
    for host in RUNNERS:
        typed = [run.program for run in played[host, "escrow"].programs if run.tty_bytes]
        assert typed == ["profiles"], played[host, "escrow"]


def test_a_key_opens_the_mac_that_made_it(piped: Played) -> None:
    for host in RUNNERS:
        assert piped[host, "validate"].ok, piped[host, "validate"]
        assert piped[host, "validate: another"].reason == "key_invalid"
        assert told(piped[host, "grant"]) == told(piped[REAL, "grant"])
        assert piped[host, "revoke"].changed


def test_no_dialog_has_opened(piped: Played, lab: Lab) -> None:
    assert piped
    for host in (STUB, STRICT, SU, NAMED, TYPO, WRONG):
        assert journal.events(lab.mac(host).journal(), "dialog") == []
        assert journal.programs(lab.mac(host).journal(), "python3") == []


# -- no secret --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def search(played: Played, kept: Path) -> Search:
    made = {}
    for path in (kept / "store").glob("*.age"):
        made[path.name] = json.loads(SAFE.opened(path.read_text()))["current"]
    assert len(made) == len(RUNNERS)
    return Search({**PASSWORDS, "nova": NOVA, "ada": ADA, "stan's new": NEW, "ana's old": OLD, **made})


@pytest.fixture(scope="module")
def keys(played: Played) -> Search:
    made = [played[host, title].result["recovery_key"] for host in RUNNERS for title in ("enable", "rotate")]
    assert all(made) and len(set(made)) == len(made)
    return Search({f"key {number}": key for number, key in enumerate(made)})


@pytest.mark.parametrize("host", [*RUNNERS, *REFUSED, NAMED])
def test_no_secret_is_on_a_mac_or_in_its_journal(
    piped: Played, lab: Lab, search: Search, keys: Search, host: str
) -> None:
    assert piped
    here = lab.mac(host)
    # Two were refused before anything was asked of them.
    assert here.folder.journal.exists() is (host not in (SU, TYPO))
    for looks in (search, keys):
        assert host in (SU, TYPO) or looks.data("the journal", here.folder.journal.read_bytes()) == []
        assert looks.files([here.file_tree]) == []
    # Nothing was handed over in a file, whatever the settings say.
    assert not [path for path in here.file_tree.rglob("*") if "AnsiballZ" in path.name]


def test_no_secret_is_in_output_results_or_on_the_controller(
    played: Played, piped: Played, search: Search, keys: Search, controller: Path
) -> None:
    for one in (played, piped):
        assert search.text("the output", one.run.output) == []
    assert search.files([controller]) == []
    # A key is in the results that were asked for it, and nowhere else.
    asked = [line for line in played.run.lines if line.result.get("recovery_key")]
    assert {line.task.rpartition(" ")[2] for line in asked} == {"filevault", "filevault_recovery_key"}
    others = [line for line in (*played.run.lines, *piped.run.lines) if line not in asked]
    assert keys.text("the other results", repr(others)) == []


# -- ways in ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("title", ["grant: check", "grant"])
@pytest.mark.parametrize("host", REFUSED)
def test_a_way_in_that_will_not_do_is_told(played: Played, lab: Lab, host: str, title: str) -> None:
    answer = played[host, title]
    assert answer.reason == REFUSED[host], answer
    assert answer.programs == []
    assert not lab.mac(host).state().accounts["helper"].has_authority_token
    words = {
        STRICT: "sudo on this Mac demands a terminal (requiretty)",
        SU: "the become method su has no pipelining",
        TYPO: "keyholder_runner is 'shel', and must be auto, python or shell",
    }
    assert words[host] in answer.result["msg"]
    assert all(len(text) < 200 for text in answer.result["evidence"])


@pytest.mark.parametrize("title", ["grant: check", "grant"])
def test_a_wrong_password_for_sudo_is_tried_once(played: Played, title: str) -> None:
    """Wrong ones lock accounts."""
    answer = played[WRONG, title]
    tried = [pair for run in journal.programs(answer.entries, "sudo") for pair in run.authentications]
    assert tried == [("itadmin", False)], answer
    assert answer.line.status == "failed"
    assert "Incorrect sudo password" in answer.reason


def test_the_stub_that_a_variable_names_is_no_python(played: Played) -> None:
    assert played[NAMED, "grant: check"].changed
    assert played[NAMED, "grant"].changed, played[NAMED, "grant"]


# -- cut off, and beside another run ----------------------------------------------------------------------------------

CUT, POWER, KILLED, SHELL_FIRST, PYTHON_FIRST = "cut", "power", "killed", "shell-first", "python-first"
SLOW = {"fault": "slow", "seconds": 12, "program": "dseditgroup"}
ASKED = account("run", "ana", admin=True, hidden=True)
OTHER = account("run", "stan", hidden=True)
NEWCOMER = ASKED.but("run", name="nova", password=NOVA)
# Mac; its Python; what is wrong with it; by what the first run changes it, and by what the next one.
BROKEN: dict[str, tuple[str, dict[str, Any], str, str]] = {
    CUT: ("3.13", {"fault": "ssh_cut", "step": 1, "program": "dseditgroup"}, "shell", "python"),
    POWER: ("none", {"fault": "kill", "step": 1}, "shell", "shell"),
    KILLED: ("none", {"fault": "slow", "seconds": 3, "program": "sysadminctl"}, "shell", "shell"),
    SHELL_FIRST: ("3.9", SLOW, "shell", "python"),
    PYTHON_FIRST: ("3.9", SLOW, "python", "shell"),
}
RACES = (SHELL_FIRST, PYTHON_FIRST)
# These find their Mac again, and let go of the lock.
CUT_OFF = (CUT, POWER)


@pytest.fixture(scope="module")
def broken(bring_up: BringUp) -> Lab:
    people = ("itadmin", "helper", "ana", "stan")
    return bring_up(
        {
            host: {**mac("15.6", *people, ssh_user="helper", faults=[fault]), "python": python}
            for host, (python, fault, *_runners) in BROKEN.items()
        }
    )


def at_work(lab: Lab, host: str) -> bool:
    words = "-addUser nova" if host == KILLED else "dseditgroup -o edit"
    return any(words in line for line in processes(lab.mac(host)))


def kill_controller(mark: str) -> None:
    """Ansible's workers are processes of their own, and would go on."""
    listed = subprocess.run(["ps", "-A", "-ww", "-o", "pid=,args="], capture_output=True, text=True, check=True).stdout
    mine = [line for line in listed.splitlines() if "ansible-playbook" in line and mark in line]
    assert len(mine) > 1
    for line in mine:
        with suppress(ProcessLookupError):
            os.kill(int(line.split()[0]), signal.SIGKILL)


def let_it_end(lab: Lab, host: str) -> None:
    """Make a second of what is left of the lease's minute."""
    path = lock_of(lab.mac(host))
    said = json.loads(path.read_text())
    assert 0 < said["until"] - time.time() <= 60 and said["run"]
    path.write_text(json.dumps({**said, "until": int(time.time() + 1)}))


@dataclass(frozen=True)
class Story:
    """The first runs; others that came while those were at work or had been cut off; those that came later; and which
    secrets were seen while a program waited for them."""

    first: Played
    beside: Played
    later: Played
    seen: list[str]


@pytest.fixture(scope="module")
def story(ansible: Ansible, own: Ansible, broken: Lab) -> Story:
    first: list[Played] = []
    mark = f"mark={secret('controller')}"

    def begin(one: Ansible, *hosts: str, arguments: tuple[str, ...] = ()) -> threading.Thread:
        asked = NEWCOMER if KILLED in hosts else ASKED
        steps = {host: [asked.but("run", runner=BROKEN[host][2])] for host in hosts}
        run = threading.Thread(target=lambda: first.append(play(one, broken, steps, *arguments)))
        run.start()
        return run

    def come(*hosts: str, **options: Any) -> Played:
        asked = {KILLED: NEWCOMER, **dict.fromkeys(CUT_OFF, ASKED), **dict.fromkeys(RACES, OTHER)}
        steps = {host: [asked[host].but("run", runner=BROKEN[host][3], **options)] for host in hosts}
        return play(ansible, broken, steps)

    doomed = begin(own, KILLED, arguments=("-e", mark))
    until(lambda: at_work(broken, KILLED), "the run that is to be killed is at work")
    search = Search({"nova's password": NOVA})
    seen = search.processes() + search.files([broken.mac(KILLED).file_tree])
    kill_controller(mark)
    doomed.join()
    first.clear()
    cut = begin(own, *(host for host in BROKEN if host != KILLED))
    until(lambda: all(at_work(broken, host) for host in RACES), "both first runs are at work")
    until(lambda: not processes(broken.mac(KILLED)), "nothing of the killed run is at work")
    beside = come(KILLED, *RACES, lock_timeout=0)
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(come, *BROKEN, lock_timeout=60)
        until(lambda: has_open(lock_of(broken.mac(KILLED))), "the run after the killed one waits")
        let_it_end(broken, KILLED)
        later = coming.result()
    cut.join()
    return Story(first[0], beside, later, seen)


def test_a_secret_on_its_way_through_the_shell_is_in_no_process_and_no_file(story: Story) -> None:
    assert story.seen == []


@pytest.mark.parametrize("host", [KILLED, *RACES])
def test_one_run_at_a_time_changes_a_mac_by_whatever_runner(story: Story, host: str) -> None:
    other = story.beside[host, "run"]
    assert other.reason == "another_run", other
    by = "as process" if BROKEN[host][2] == "python" else "through a shell"
    assert f"keyholder.macos.account, run by helper {by} " in other.result["msg"]
    assert not other.changed and other.result["plan"] == []


@pytest.mark.parametrize("host", BROKEN)
def test_the_next_run_finishes_what_was_cut_off(story: Story, broken: Lab, host: str) -> None:
    if host != KILLED:
        assert story.first[host, "run"].line.status == ("ok" if host in RACES else "unreachable")
    later = story.later[host, "run"]
    assert later.ok, later
    state = broken.mac(host).state()
    who = "nova" if host == KILLED else "ana"
    assert state.is_admin(who) and state.accounts[who].hidden
    assert state.accounts["stan"].hidden is (host in RACES)
    waited = [note for note in later.result["notes"] if note.startswith("waited ")]
    # The first runs of the races may be over by now.
    assert bool(waited) is (host == KILLED) or host in RACES
    assert not lock_of(broken.mac(host)).read_text() or BROKEN[host][3] == "python"
