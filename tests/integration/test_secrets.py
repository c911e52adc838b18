# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""No secret is anywhere but in a prompt: not in output at -vvvv, results, logs, journals, files or processes.

What Ansible itself does without pipelining is tested too, so that the documentation can say it: it writes a module's
arguments, passwords among them, to a file on the Mac while the module runs, and removes it afterwards.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from harness.ansible import Ansible, on_oldest_core
from harness.batch import Played, Step, account, play, token
from harness.macs import PASSWORDS, mac, person, secret
from harness.recipients import Safe
from harness.search import Search, spellings
from harness.wait import processes, until
from maclab.lab import Lab

every_core = pytest.mark.every_core

# Letters that each of YAML, JSON, Jinja, shells and Python would write in another way.
ODD = " \"ü'{{ $(id) }}\\"
SECRETS = {
    "itadmin's password, sudo's too": PASSWORDS["itadmin"],
    "ana's password": PASSWORDS["ana"],
    "stan's password": PASSWORDS["stan"],
    "stan's new password": secret("stan-new") + ODD,
    "stan's newer password": secret("stan-newer"),
    "nova's password": secret("nova") + ODD,
    "dud's password": secret("dud"),
    "svc's password": secret("svc") + ODD,
    "a wrong password of ana": secret("bad-ana"),
    "a wrong password of itadmin": secret("bad-itadmin") + ODD,
    "a wrong password of stan": secret("bad-stan"),
    "a password for nothing": secret("unused"),
    "deputy's password": PASSWORDS["deputy"],
    "ana's password before the reset": secret("ana-before") + ODD,
    "a wrong password of deputy": secret("bad-deputy") + ODD,
    "ada's password": secret("ada") + ODD,
    "a wrong password of ada": secret("bad-ada"),
}
BECOME = {"ansible_become_password": PASSWORDS["itadmin"]}
IT = {"admin_user": "itadmin", "admin_password": PASSWORDS["itadmin"]}
BAD_IT = {"admin_user": "itadmin", "admin_password": SECRETS["a wrong password of itadmin"]}

GRANT = token("grant", "ana", password=PASSWORDS["ana"], **IT).but("grant", diff=True)
CREATE = account("create", "nova", password=SECRETS["nova's password"], secure_token="present", **IT)
RESET = account("reset", "stan", password=SECRETS["stan's new password"], update_password="always", **IT)
RENEW = account(
    "renew",
    "stan",
    password=SECRETS["stan's newer password"],
    old_password=SECRETS["stan's new password"],
    update_password="always",
)
PREVENT = account("prevent", "svc", password=SECRETS["svc's password"], secure_token="prevented", admin=True)
DUD = token("says done, does nothing", "dud", password=SECRETS["dud's password"], **IT)

SUCCEED = [
    Step("reading", "trust_info"),
    GRANT.but("grant: check", check=True),
    GRANT,
    GRANT.but("grant: again"),
    CREATE.but("create: check", check=True, diff=True),
    CREATE.but("create", diff=True),
    RESET,
    RENEW,
    PREVENT.but("prevent: check", check=True),
    PREVENT,
    token("revoke", "ana", state="absent", password=PASSWORDS["ana"], **IT),
    account("delete", "nova", state="absent", password=SECRETS["a password for nothing"]),
]
FAIL = [
    GRANT.but("granter's password wrong", **BAD_IT),
    GRANT.but("granter's password wrong: check", check=True, **BAD_IT),
    GRANT.but("user's password wrong", password=SECRETS["a wrong password of ana"]),
    CREATE.but("create, granter's password wrong", name="nemo", diff=True, **BAD_IT),
    RENEW.but(
        "old password wrong", password=SECRETS["nova's password"], old_password=SECRETS["a wrong password of stan"]
    ),
    DUD,
    DUD.but("hangs", timeout=1, user="helper", password=PASSWORDS["helper"]),
    # What Ansible itself refuses, before our code runs.
    GRANT.but("no such state", state="bogus"),
    CREATE.but("no such choice", secure_token="bogus"),
]
SAFE = Safe.new()
ANA = SECRETS["ana's password"]
BEFORE = SECRETS["ana's password before the reset"]
CHANGE = Step("change", "account_password", diff=True).but(
    "change", name="stan", password=SECRETS["stan's new password"], old_password=PASSWORDS["stan"]
)
MANAGE = Step("manage", "managed_password", {"name": "deputy", "current_password": PASSWORDS["deputy"]}, diff=True)
MEND = Step("mend", "repair", diff=True).but("mend", user="ana", password=ANA, old_password=BEFORE, apply=True)
MOBILE = Step("mobile", "mobile_account", {"name": "ada", "secure_token": "present", **IT}, diff=True).but(
    "mobile", password=SECRETS["ada's password"]
)
LEAVE = Step("leave", "offboard", {"name": "helper", "home": "archive"}, diff=True)


def flows(kept: Path) -> list[Step]:
    """How people come to a Mac, change and go; ``kept``: the controller's folder with the managed passwords."""

    def manage(title: str, folder: str, **changes: Any) -> Step:
        place = {"directory": str(kept / folder), "recipients": [SAFE.recipient], "identity": str(kept / "identity")}
        return MANAGE.but(title, store={"kind": "age", **place}, **changes)

    return [
        CHANGE.but("change: old password wrong", old_password=SECRETS["a wrong password of stan"]),
        CHANGE.but("change: check", check=True),
        CHANGE,
        CHANGE.but("change by a granter", password=SECRETS["stan's newer password"], old_password=None, **IT),
        manage("manage: drifted", "drifted", current_password=SECRETS["a wrong password of deputy"]),
        manage("manage: check", "store", check=True),
        manage("manage", "store"),
        MEND.but("mend: old password wrong", old_password=SECRETS["a wrong password of ana"]),
        MEND.but("mend: check", check=True),
        MEND,
        MOBILE.but("mobile: password wrong", password=SECRETS["a wrong password of ada"]),
        MOBILE.but("mobile: check", check=True),
        MOBILE,
        LEAVE,
    ]


FLOWS_FAIL = (*("change: old password wrong", "manage: drifted", "mend: old password wrong", "mobile: password wrong"),)
# Each way with each Python: by one module or the other, as no module has a way of its own.
PLAYED = {"piped-3.13": "26.1", "filed-3.9": "10.15.7"}
FLOWS = {"piped-flows-3.9": "26.1", "filed-flows-3.13": "10.15.7"}
PIPED, FILED = (tuple(host for host in (*PLAYED, *FLOWS) if host.startswith(how)) for how in ("piped", "filed"))


@pytest.fixture(scope="module")
def lab(bring_up: Callable[[Mapping[str, Any]], Lab]) -> Lab:
    def described(version: str, python: str) -> dict[str, Any]:
        people: list[str | dict[str, Any]] = [
            person("itadmin", sudo_password=True),
            *("deputy", "helper", "stan", "ana"),
            person("dud", password=SECRETS["dud's password"]),
        ]
        faults = [
            {"fault": "token_does_not_stick", "user": "dud"},
            {"fault": "hang", "program": "sysadminctl", "argument": "-secureTokenOn helper", "at": "prompt"},
        ]
        return mac(version, *people, faults=faults) | {"python": python}

    def with_flows(version: str, python: str) -> dict[str, Any]:
        people: list[str | dict[str, Any]] = [
            person("itadmin", sudo_password=True),
            *("deputy", "helper", "stan"),
            person("ana", token=True, key_password=BEFORE),
        ]
        users = [{"name": "ada", "full_name": "Ada O'Lovelace", "password": SECRETS["ada's password"]}]
        node = {"node": "/Active Directory/CORP/corp.example.com", "users": users}
        return mac(version, *people, filevault={"state": "on", "prk": True}, directory=node) | {"python": python}

    macs = {host: described(version, host.rpartition("-")[2]) for host, version in PLAYED.items()}
    macs |= {host: with_flows(version, host.rpartition("-")[2]) for host, version in FLOWS.items()}
    return bring_up(macs | {"watched-piped": described("26.1", "3.13"), "watched-filed": described("26.1", "3.9")})


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
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the managed passwords are, encrypted to an identity that is no part of any run."""
    folder = tmp_path_factory.mktemp("kept")
    (folder / "identity").write_text(str(SAFE.identity))
    return folder


@pytest.fixture(scope="module")
def played(own: Ansible, lab: Lab, controller: Path, kept: Path) -> dict[str, Played]:
    """By the Mac. Everything at -vvvv, with a password for sudo, with pipelining and without, and a log on disk."""
    log = {"ANSIBLE_LOG_PATH": str(controller / "ansible.log"), "ANSIBLE_INJECT_INVOCATION": "1"}
    found = {}
    for every, pipelining in ((PIPED, "1"), (FILED, "0")):
        hosts = [host for host in every if host not in FLOWS or not on_oldest_core()]
        steps = {host: flows(kept) if host in FLOWS else SUCCEED + FAIL for host in hosts}
        one = play(own, lab, steps, "-vvvv", variables=BECOME, ANSIBLE_PIPELINING=pipelining, **log)
        found.update(dict.fromkeys(hosts, one))
    return found


@pytest.fixture(scope="module")
def managed(played: dict[str, Played], kept: Path) -> dict[str, str]:
    """The passwords that were made, as only the owner of the identity knows them."""
    assert played
    found = {}
    for path in kept.glob("*/*.age"):
        for name, value in json.loads(SAFE.opened(path.read_text())).items():
            found[f"{name} of {path.relative_to(kept)}"] = value
    return {name: value for name, value in found.items() if value and not name.startswith(("set_at", "account"))}


@pytest.fixture(scope="module")
def search(managed: dict[str, str]) -> Search:
    return Search(SECRETS | managed | {"helper's password": PASSWORDS["helper"]})


WITHOUT_FLOWS = [pytest.param(host, marks=every_core) for host in PIPED + FILED if host not in FLOWS]
on_each_mac = pytest.mark.parametrize("host", [*WITHOUT_FLOWS, *FLOWS])
on_each_mac_with_flows = pytest.mark.parametrize("host", FLOWS)


@on_each_mac_with_flows
def test_every_flow_was_tried(played: dict[str, Played], lab: Lab, managed: dict[str, str], host: str) -> None:
    answers = {title: answer for (where, title), answer in played[host].answers.items() if where == host}
    assert [title for title, answer in answers.items() if answer.ok is (title in FLOWS_FAIL)] == []
    assert [answers[title].reason for title in FLOWS_FAIL] == [
        "user_password_wrong", "password_drifted", "stale_key", "user_password_wrong",
    ]  # fmt: skip
    made = managed[f"current of store/{host}.deputy.age"]
    state = lab.mac(host).state()
    assert state.accounts["deputy"].password == state.accounts["deputy"].key_password == made
    assert state.accounts["ana"].key_password == ANA
    assert state.accounts["stan"].password == SECRETS["stan's newer password"]
    assert "helper" not in state.accounts
    # Nothing is made for what is foreseen to be refused.
    assert [name for name in managed if "drifted" in name] == []
    assert "invocation" in answers["change"].result
    assert any(run.stdin_bytes or run.tty_bytes for run in answers["manage"].programs)


@pytest.mark.parametrize("host", WITHOUT_FLOWS)
def test_everything_was_tried(played: dict[str, Played], host: str) -> None:
    """Passwords were used, rightly and wrongly, or the rest of this file would prove nothing."""
    answers = played[host]
    assert [step.title for step in SUCCEED if not answers[host, step.title].ok] == []
    assert [step.title for step in FAIL if answers[host, step.title].ok] == []
    assert answers[host, "hangs"].reason == "timeout"
    assert answers[host, "says done, does nothing"].reason == "not_proven"
    assert any(run.stdin_bytes for run in answers[host, "grant"].programs)
    # -vvvv shows arguments, and would show ours.
    assert "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER" in answers.run.output
    assert "invocation" in answers[host, "grant"].result


@on_each_mac
def test_not_in_output(played: dict[str, Played], search: Search, host: str) -> None:
    assert search.text("the output", played[host].run.output) == []


@on_each_mac
def test_not_in_returned_values(played: dict[str, Played], search: Search, host: str) -> None:
    """As the module returned them, before a callback tidied up."""
    assert search.data("the results", played[host].run.results.read_bytes()) == []


@on_each_mac
def test_not_in_the_journal(played: dict[str, Played], lab: Lab, search: Search, host: str) -> None:
    """Arguments, environment and prompts of every program, and every SSH command."""
    assert played[host].run.rc == 0
    journal = lab.mac(host).folder.journal.read_bytes()
    assert b"-secureTokenOn" in journal
    assert search.data("the journal", journal) == []


@on_each_mac
def test_nothing_remains_on_the_mac(played: dict[str, Played], lab: Lab, search: Search, host: str) -> None:
    assert played[host].run.rc == 0
    assert bool(list(lab.mac(host).file_tree.rglob(".ansible/tmp"))) is (host in FILED)
    assert search.files([lab.mac(host).file_tree]) == []


@every_core
def test_nothing_remains_on_the_controller(played: dict[str, Played], controller: Path, search: Search) -> None:
    assert played
    assert b"secure_token" in (controller / "ansible.log").read_bytes()
    assert search.files([controller]) == []


@every_core
def test_while_a_module_runs(own: Ansible, lab: Lab, search: Search) -> None:
    """Looks at the Mac while sysadminctl waits at its prompt."""
    waits = DUD.but("waits", timeout=10, user="helper", password=PASSWORDS["helper"])

    def watch(host: str, pipelining: str) -> tuple[list[str], list[str]]:
        steps = {host: [waits]}
        with ThreadPoolExecutor(1) as pool:
            run = pool.submit(play, own, lab, steps, variables=BECOME, ANSIBLE_PIPELINING=pipelining)
            until(
                lambda: any("-secureTokenOn" in line for line in processes(lab.mac(host))),
                "sysadminctl waits at its prompt",
            )
            seen = search.files([lab.mac(host).file_tree]), search.processes()
            lab.mac(host).clear_faults()
            assert run.result()[host, "waits"].reason == "timeout"
        return seen

    files, arguments = watch("watched-piped", "1")
    assert (files, arguments) == ([], [])
    files, arguments = watch("watched-filed", "0")
    # Ansible's own file, and nothing else; our documentation asks for pipelining because of it.
    assert files
    assert all("/.ansible/tmp/ansible-tmp-" in line for line in files)
    assert arguments == []
    assert search.files([lab.mac("watched-filed").file_tree]) == []


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
