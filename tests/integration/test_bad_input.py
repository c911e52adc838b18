# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is no text, or no password, goes into no Mac: by a task, by a loop, by a role and by a playbook, on every core.

Each value is tried in memory in tests/unit; this is the way there, where YAML, Jinja and argument specs convert.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.ansible import Ansible, Line, Run
from harness.macs import mac, person
from harness.wait import processes, until
from maclab import journal
from maclab.lab import Lab

pytestmark = pytest.mark.every_core

HASH = "$6$saltsalt$" + "c" * 86
PLAY = """
- hosts: m
  gather_facts: false
  become: true
  vars:
    staff: [0012345]
    one: {id: 0012345, day: 2026-01-02, pair: [a, b]}
    people: [{id: 0012345}]
    number: 0012345
    hashed: "$6$saltsalt$HASH"
    half: {admin: true}
  module_defaults:
    group/keyholder.macos.all:
      timeout: 30
    keyholder.macos.repair:
      admin_user: 0012345
  tasks:
    - name: not_text written
      keyholder.macos.offboard: {name: 0012345}
    - name: not_text variable
      keyholder.macos.account: {name: "{{ number }}", state: absent}
    - name: not_text loop
      keyholder.macos.secure_token: {user: "{{ item }}", state: absent}
      loop: "{{ staff }}"
    - name: not_text list
      keyholder.macos.account: {name: ana, password: "{{ one.pair }}", update_password: always}
    - name: not_text dictionary
      keyholder.macos.account_password: {name: ana, password: "{{ one }}"}
    - name: not_text boolean
      keyholder.macos.account_password: {name: ana, password: true}
    - name: not_text part of a variable
      keyholder.macos.secure_token: {user: "{{ one.id }}", state: absent}
    - name: not_text part of a loop
      keyholder.macos.secure_token: {user: "{{ item.id }}", state: absent}
      loop: "{{ people }}"
    - name: not_text with a default
      keyholder.macos.account_password: {name: ana, password: "{{ one['id'] | default(omit) }}"}
    - name: not_text date
      keyholder.macos.filevault_user: {user: 2026-01-02}
    - name: not_text inside
      keyholder.macos.filevault: {state: enabled, additional_users: [{name: ana, password: 4711}]}
    - name: not_text defaults
      keyholder.macos.repair:
    - name: value_unusable shell reader
      keyholder.macos.trust_info: {reader: shell, include: [5]}
    - name: password_is_hash set
      keyholder.macos.account: {name: ana, password: "{{ hashed }}", update_password: always}
    - name: password_is_hash granter
      keyholder.macos.bootstrap_token: {admin_user: itadmin, admin_password: "{{ hashed }}"}
    - name: async_unsupported account
      keyholder.macos.account: {name: new, password: "a secret of a task"}
      async: 30
      poll: 0
    - name: async_unsupported key
      keyholder.macos.filevault_recovery_key:
      async: 30
    - name: value_unusable wait
      keyholder.macos.filevault_reboot: {reboot_timeout: -5}
    - name: value_unusable time
      keyholder.macos.trust_info: {timeout: 1000000000000000000000000000000}
    - name: value_unusable list
      keyholder.macos.filevault: {state: enabled, recipients: 5}
    - name: value_unusable account
      keyholder.macos.managed_password:
        name: ana
        account: {state: absent}
        store: {kind: command, read: [sh, -c, "touch STORE"], write: [sh, -c, "touch STORE"]}
    - name: name_unusable store
      keyholder.macos.managed_password:
        name: ../ana
        store: {kind: command, read: [sh, -c, "touch STORE"], write: [sh, -c, "touch STORE"]}
    - name: name_unusable folder
      keyholder.macos.account: {name: "..", password: "a secret of a task"}
    - name: name_unusable done already
      keyholder.macos.filevault: {state: enabled, user: "-x"}
    - name: option_unknown
      keyholder.macos.account: {name: ana, pasword: "a secret of a task"}
    - name: option_missing
      keyholder.macos.account: {password: "a secret of a task"}
    - name: name_differs
      keyholder.macos.account: {name: Ana, full_name: Ana B, password: "a secret of a task"}
    - name: granter_unknown whole
      keyholder.macos.secure_token: {user: ana, password: x, admin_user: rob, admin_password: granter}
"""


@pytest.fixture(scope="module")
def lab(bring_up: Callable[[Mapping[str, Any]], Lab]) -> Lab:
    pupil = person("5349", full_name="Another Person", password="the pupil's", token=True)
    told = mac("15.6", "itadmin", "stan", "ana", filevault={"state": "on"})
    address = person("john.o'neil@corp.example.com", full_name="John O'Neil", password="john's")
    return bring_up({"m": {**told, "accounts": [*told["accounts"], pupil, address]}})


@pytest.fixture(scope="module")
def tasks(ansible: Ansible, lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("tasks")
    text = PLAY.replace("$6$saltsalt$HASH", HASH).replace("STORE", str(folder / "store"))
    text = text.replace("  become: true\n", "  become: true\n  ignore_errors: true\n", 1)
    playbook = folder / "play.yml"
    playbook.write_text(text, encoding="utf-8")
    run = ansible.playbook(playbook, lab.inventory)
    assert not (folder / "store").exists()
    return run


def test_each_task_is_refused_with_its_reason(tasks: Run) -> None:
    wanted = [line.split()[2] for line in PLAY.splitlines() if line.startswith("    - name: ")]
    said = [(line.task, _reason(line)) for line in tasks.lines]
    assert [reason for _task, reason in said] == wanted, said
    assert all(f"[{reason}]" in str(line.result["msg"]) or "whole" in line.task for line, reason in _pairs(tasks))


def test_no_secret_and_no_word_of_python_is_shown(tasks: Run) -> None:
    results = tasks.results.read_text(encoding="utf-8")
    for shown in ("a secret of a task", HASH, "Traceback", "MODULE FAILURE", "object is not", "4711"):
        assert shown not in results
    assert "Traceback" not in tasks.output


# What each role is told, and the reason for which it refuses that.
ROLES: dict[str, tuple[str, dict[str, Any], str]] = {
    "names": ("offboard_user", {"offboard_user_names": [5349]}, "not_text"),
    "one name": ("offboard_user", {"offboard_user_names": "stan"}, "value_unusable"),
    "a late one": ("offboard_user", {"offboard_user_names": ["nobody.here", ".."]}, "name_unusable"),
    "people": ("onboard_user", {"onboard_user_users": [{"name": 5349, "password": "x"}]}, "not_text"),
    "a late password": (
        "onboard_user",
        {"onboard_user_users": [{"name": "new", "password": "y"}, {"name": "other", "password": 4711}]},
        "not_text",
    ),
    "granter": (
        "onboard_user",
        {"onboard_user_users": [], "onboard_user_admin_user": "itadmin", "onboard_user_admin_password": 4711},
        "not_text",
    ),
    "of a directory": (
        "onboard_mobile_user",
        {"onboard_mobile_user_users": [{"name": "ada", "password": HASH}]},
        "password_is_hash",
    ),
    "managed": ("managed_admin", {"managed_admin_name": 5349, "managed_admin_store": {"kind": "age"}}, "not_text"),
    "encrypting": ("filevault", {"filevault_user": "itadmin", "filevault_password": 4711}, "not_text"),
    "repairing": ("repair", {"repair_user": 5349, "repair_password": "x"}, "not_text"),
    "escrowing": ("escrow_bootstrap_token", {"escrow_bootstrap_token_admin_user": 5349}, "not_text"),
}
PLAYBOOK: dict[str, tuple[str, dict[str, Any], str]] = {
    "grant": ("grant", {"grant_user": 5349, "grant_admin_user": "itadmin", "grant_admin_password": "x"}, "not_text"),
    "grant, by whom": ("grant", {"grant_user": "ana", "grant_admin_password": 4711}, "not_text"),
}


def test_a_role_refuses_its_list_before_any_mac_is_touched(ansible: Ansible, lab: Lab, tmp_path: Path) -> None:
    """Each in one play, rescued, as a play would else end with the first."""
    blocks = [
        {
            "name": title,
            "block": [
                {"name": title, "ansible.builtin.include_role": {"name": f"keyholder.macos.{role}"}, "vars": variables},
                {"name": f"accepted: {title}", "ansible.builtin.debug": {"msg": "accepted"}},
            ],
            "rescue": [{"name": f"refused: {title}", "ansible.builtin.debug": {"var": "ansible_failed_result"}}],
        }
        for title, (role, variables, _reason) in ROLES.items()
    ]
    playbook = tmp_path / "play.json"
    playbook.write_text(json.dumps([{"hosts": "m", "gather_facts": False, "become": True, "tasks": blocks}]))
    before = len(lab.mac("m").journal())
    run = ansible.playbook(playbook, lab.inventory)
    said = {line.task: json.dumps(line.result) for line in run.lines if line.task.startswith(("refused", "accepted"))}
    assert list(said) == [f"refused: {title}" for title in ROLES]
    assert [title for title, row in ROLES.items() if f"[{row[2]}]" not in said[f"refused: {title}"]] == [], said
    assert len(lab.mac("m").journal()) == before
    assert "4711" not in run.output and HASH not in run.output


@pytest.mark.parametrize("title", list(PLAYBOOK))
def test_a_playbook_refuses_it_too(ansible: Ansible, lab: Lab, tmp_path: Path, title: str) -> None:
    name, variables, reason = PLAYBOOK[title]
    told = tmp_path / "variables.json"
    told.write_text(json.dumps({"keyholder_hosts": "m", **variables}), encoding="utf-8")
    before = len(lab.mac("m").journal())
    run = ansible.playbook(Path(f"keyholder.macos.{name}"), lab.inventory, "-e", f"@{told}")
    assert run.rc != 0
    assert f"[{reason}]" in run.output, run.output
    assert len(lab.mac("m").journal()) == before
    assert "4711" not in run.output


def test_a_task_without_a_secret_may_be_asynchronous(ansible: Ansible, lab: Lab, tmp_path: Path) -> None:
    playbook = tmp_path / "play.yml"
    task = "keyholder.macos.offboard: {name: nobody.here}, async: 60, poll: 0"
    playbook.write_text(f"- {{hosts: m, gather_facts: false, become: true, tasks: [{{{task}}}]}}", encoding="utf-8")
    before = len(lab.mac("m").journal())
    run = ansible.playbook(playbook, lab.inventory)
    assert run.rc == 0, run.output
    assert run.lines[-1].result["ansible_job_id"]
    until(lambda: "dscl" in {run.program for run in journal.programs(lab.mac("m").journal()[before:])}, "the job reads")
    until(lambda: not processes(lab.mac("m")), "the job has ended")


def test_an_address_is_a_name(ansible: Ansible, lab: Lab) -> None:
    named = json.dumps({"keyholder_hosts": "m", "offboard_user_names": ["john.o'neil@corp.example.com"]})
    run = ansible.playbook(Path("keyholder.macos.offboard"), lab.inventory, "-e", named, "--check")
    assert run.rc == 0 and "john.o'neil@corp.example.com: would be removed" in run.output, run.output


def test_what_is_a_list_and_empty_is_nothing_to_do(ansible: Ansible, lab: Lab) -> None:
    empty = '{"keyholder_hosts": "m", "offboard_user_names": []}'
    assert ansible.playbook(Path("keyholder.macos.offboard"), lab.inventory, "-e", empty).rc == 0


def test_the_mac_is_what_it_was(lab: Lab) -> None:
    now = lab.mac("m").state()
    assert not [run for run in journal.programs(lab.mac("m").journal()) if run.writes or run.authentications]
    lab.mac("m").reset()
    assert vars(now) == vars(lab.mac("m").state())


def _reason(line: Line) -> str:
    result = line.result["results"][0] if "results" in line.result else line.result
    return str(result.get("reason") or result.get("msg"))


def _pairs(run: Run) -> list[tuple[Line, str]]:
    return [(line, _reason(line)) for line in run.lines if "results" not in line.result]
