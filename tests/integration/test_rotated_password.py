# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The account that Ansible logs in with is rotated on Macs whose sudo asks, and everything goes on without a person.

The group_vars and the commands are the guide's own. One Mac has a Python, and on the other each command is an exec of
its own, so that sudo asks in the middle of the change too.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from checks.environments import ROOT
from harness.ansible import Ansible, Run
from harness.macs import PASSWORDS, mac, person
from harness.recipients import Safe
from maclab import journal
from maclab.lab import Lab
from stage.snippets import of_page

GUIDE = "docs/docsite/rst/guide_rotation.rst"
SECTION = "Using the rotated password"
SAFE = Safe.new()
WITH, WITHOUT = "with-python", "without-python"
HOSTS = (WITH, WITHOUT)
LOGIN = "by-password"
"""SSH takes a password there, too."""
FIRST = PASSWORDS["itadmin"]

SAME_PLAY = """
- hosts: all
  become: true
  gather_facts: false
  tasks:
    - name: rotate
      ansible.builtin.include_role:
        name: keyholder.macos.managed_admin
      vars:
        managed_admin_rotate: true
    - name: go on
      keyholder.macos.trust_info:
"""


def blocks(language: str) -> list[str]:
    """Return the code of that language in the guide's section."""
    snippets = of_page(GUIDE, (ROOT / GUIDE).read_text(encoding="utf-8"))
    return [one.text for one in snippets if f" / {SECTION} / " in one.name and one.language == language]


class Office:
    """A folder with the guide's files, as the admin has them; only what is another's there is this test's here."""

    def __init__(self, folder: Path, ansible: Ansible, lab: Lab) -> None:
        self.folder, self._ansible, self.lab = folder, ansible, lab
        self.store = folder / "store"
        (folder / "identity.txt").write_text(str(SAFE.identity))
        (folder / "inventory.yml").write_text(lab.inventory.read_text())
        ours = {
            "/srv/macs": str(self.store),
            "age1...": SAFE.recipient,
            "/etc/keyholder/identity.txt": str(folder / "identity.txt"),
            "the-one-of-today": FIRST,
        }
        for block in blocks("yaml"):
            path = folder / block.split("\n", 1)[0].removeprefix("# ").partition(",")[0]
            path.parent.mkdir(parents=True, exist_ok=True)
            for theirs, own in ours.items():
                block = block.replace(theirs, own)
            path.write_text(block)
        (folder / "ana.yml").write_text(yaml.safe_dump({"grant_user": "ana", "grant_password": PASSWORDS["ana"]}))

    def run(self, playbook: str | Path, *arguments: str, on: str = ",".join(HOSTS)) -> Run:
        return self._ansible.playbook(Path(playbook), self.folder / "inventory.yml", "-l", on, *arguments)

    def command(self, line: str) -> Run:
        """One of the guide's own, on the Macs of this test."""
        program, playbook, option, inventory, *rest = shlex.split(line)
        assert (program, option, inventory) == ("ansible-playbook", "-i", "inventory.yml")
        return self.run(playbook, *(word.replace("@", f"@{self.folder}/") for word in rest))

    def stored(self, host: str) -> dict[str, str]:
        file = self.store / f"{host}.itadmin.age"
        return dict(json.loads(SAFE.opened(file.read_text()))) if file.exists() else {}

    def put(self, host: str, **content: str) -> None:
        self.store.mkdir(exist_ok=True)
        (self.store / f"{host}.itadmin.age").write_text(SAFE.sealed(json.dumps(content)))

    def password(self, host: str) -> str:
        """On the Mac, of the account and of its key."""
        account = self.lab.mac(host).state().accounts["itadmin"]
        assert account.password == account.key_password
        return account.password or ""

    def refused(self, host: str, since: int) -> int:
        """How often a password was wrong."""
        entries = self.lab.mac(host).journal()[since:]
        return sum(not right for run in journal.programs(entries) for _, right in run.authentications)

    def entries(self, host: str) -> int:
        return len(self.lab.mac(host).journal())


@pytest.fixture(scope="module")
def lab(bring_up: Callable[[Mapping[str, Any]], Lab]) -> Lab:
    asked = person("itadmin", sudo_password=True)
    people = (asked, "deputy", "ana")
    return bring_up(
        {
            WITH: mac("15.6", *people, policy={"max_failed": 5}),
            WITHOUT: mac("26.1", *people) | {"python": "none"},
            LOGIN: mac("15.6", *people),
        }
    )


@pytest.fixture(scope="module")
def office(lab: Lab, own: Ansible, tmp_path_factory: pytest.TempPathFactory) -> Office:
    return Office(tmp_path_factory.mktemp("office"), own, lab)


def test_the_guides_files_and_commands_run_without_a_person(office: Office) -> None:
    since = {host: office.entries(host) for host in HOSTS}
    (commands,) = blocks("console")
    lines = [line.removeprefix("$ ") for line in commands.splitlines()]
    assert [line.split()[1].rpartition(".")[2] for line in lines] == [
        "managed_admin",
        "status",
        "grant",
        "managed_admin",
    ]
    before = dict.fromkeys(HOSTS, FIRST)
    for line in lines:
        run = office.command(line)
        assert run.rc == 0, run.output
        assert "[WARNING]" not in run.output, run.output
        now = {host: office.password(host) for host in HOSTS}
        assert (now != before) == ("managed_admin" in line)
        assert now == {host: office.stored(host)["current"] for host in HOSTS}
        before = now
    assert all(office.lab.mac(host).state().accounts["ana"].has_authority_token for host in HOSTS)
    assert not office.refused(WITH, since[WITH])
    # Without Python, sudo asks again right after the change, and only its answer tells that there was one.
    assert office.refused(WITHOUT, since[WITHOUT]) == 2


@pytest.mark.every_core
def test_the_same_play_goes_on_with_the_new_password(office: Office, tmp_path: Path) -> None:
    before = {host: office.password(host) for host in HOSTS}
    play = tmp_path / "play.yml"
    play.write_text(SAME_PLAY)
    run = office.run(play, "-vvvv")
    assert run.rc == 0, run.output
    assert {line.host for line in run.lines if line.task == "go on" and line.status == "ok"} == {*HOSTS}
    after = {host: office.password(host) for host in HOSTS}
    assert all(before[host] != after[host] == office.stored(host)["current"] for host in HOSTS)
    assert not [host for host in HOSTS for secret in (before[host], after[host], FIRST) if secret in run.output]


@pytest.mark.parametrize("host", HOSTS)
def test_a_cut_between_the_mac_and_the_store_is_healed_by_the_next_run(office: Office, host: str) -> None:
    has, old = office.password(host), "a-password-of-before"
    office.put(host, current=old, pending=has)
    others = office.run("keyholder.macos.status", on=host)
    assert "the sudo password is wrong" in others.output
    assert "was interrupted" in others.output
    told = office.run("keyholder.macos.status", "-e", _named("pending"), on=host)
    assert (told.rc, "was interrupted" in told.output) == (0, False), told.output
    since = office.entries(host)
    run = office.run("keyholder.macos.managed_admin", on=host)
    assert run.rc == 0, run.output
    assert (office.stored(host)["current"], office.stored(host)["pending"]) == (has, "")
    assert office.refused(host, since) == 1, "each password is tried once"
    assert office.run("keyholder.macos.status", on=host).rc == 0


def _named(which: str) -> str:
    asked = f"lookup('keyholder.macos.managed_password', which='{which}')"
    return json.dumps({"ansible_become_password": f"{{{{ {asked} }}}}"})


BY_SSH_ALONE = {"ansible_user": "", "ansible_ssh_extra_args": "-o User=itadmin"}


@pytest.mark.parametrize(
    ("variables", "pending", "arguments"),
    [({}, "", ["--check"]), ({}, "", []), ({}, "interrupted-9-pw", []), (BY_SSH_ALONE, "", [])],
    ids=["check", "run", "interrupted", "a user whom ssh alone knows"],
)
def test_a_fixed_password_for_sudo_is_refused_before_anything_is_written(
    office: Office, variables: dict[str, str], pending: str, arguments: list[str]
) -> None:
    host, has = WITH, office.password(WITH)
    office.put(host, current=has, pending=pending)
    kept = office.stored(host)
    fixed = json.dumps({"ansible_become_password": has, "managed_admin_rotate": True, **variables})
    run = office.run("keyholder.macos.managed_admin", "-e", fixed, *arguments, on=host)
    told = next(line.result for line in run.lines if line.action.endswith("managed_password"))
    assert (told["reason"], told["changed"]) == ("own_account", False), run.output
    assert "ansible_become_password" in told["msg"]
    assert "lookup('keyholder.macos.managed_password', 'itadmin'" in told["msg"]
    assert has not in run.output
    assert (office.password(host), office.stored(host)) == (has, kept)
    office.put(host, current=has, pending="")


def test_a_login_by_password_goes_on_too(office: Office) -> None:
    """Where ansible-core can hand SSH a password by itself, which the oldest one cannot."""
    own = {"ansible_password": "{{ itadmin_password }}", "ansible_ssh_private_key_file": "/dev/null"}
    # Each command logs in by itself.
    own["ansible_ssh_args"] = "-o ControlMaster=no -o ControlPath=none"
    for interrupted in (False, False, True):
        if interrupted:
            office.put(LOGIN, current="a-password-of-before", pending=office.password(LOGIN))
        run = office.run(
            "keyholder.macos.managed_admin", "-e", "managed_admin_rotate=true", "-e", json.dumps(own), on=LOGIN
        )
        assert run.rc == 0, run.output
        assert office.password(LOGIN) == office.stored(LOGIN)["current"] != FIRST
