# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The targets, which run on real Macs too, run on Macs of the lab: no task fails, and none is left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.ansible import FOLDER, Ansible, Run
from harness.macs import PASSWORDS, VERSIONS, mac, name, secret
from maclab.lab import Lab

# On the newest it is test_on_macs.py that plays them.
pytestmark = pytest.mark.oldest_core

PLAYBOOK = FOLDER / "targets.yml"
TARGETS = sorted(path.name for path in (FOLDER / "targets").iterdir())
USER = "khtest"
# The oldest and the newest macOS. What each macOS makes of a change is test_changes.py's to ask.
TRIED = (VERSIONS[0], VERSIONS[-1])


@pytest.fixture(scope="module")
def lab(bring_up: Callable[[Mapping[str, Any]], Lab]) -> Lab:
    return bring_up({name(version): mac(version, "itadmin", "helper", "ana") for version in TRIED})


@pytest.fixture(scope="module")
def variables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("variables") / "macs.yml"
    told = {
        "keyholder_granter": "itadmin",
        "keyholder_granter_password": PASSWORDS["itadmin"],
        "keyholder_test_user": USER,
        "keyholder_test_password": secret("test"),
    }
    path.write_text(yaml.safe_dump(told))
    return path


@pytest.fixture(scope="module")
def run(ansible: Ansible, lab: Lab, variables: Path) -> Run:
    permission = ("-e", "keyholder_may_break_these_macs=true")
    return ansible.playbook(PLAYBOOK, lab.inventory, "-e", f"@{variables}", *permission)


def tasks(content: Any) -> list[dict[str, Any]]:
    """Each task of a file, those in blocks too."""
    found: list[dict[str, Any]] = []
    for task in content:
        inner = [*task.get("block", []), *task.get("always", [])]
        found += tasks(inner) if inner else [task]
    return found


def expected(target: str) -> Counter[str]:
    """How often each task returns something; a file is included once for each task that includes it."""
    folder = FOLDER / "targets" / target / "tasks"
    counted: Counter[str] = Counter()
    for task in tasks(yaml.safe_load((folder / "main.yml").read_text())):
        included = task.get("ansible.builtin.include_tasks")
        more = yaml.safe_load((folder / included).read_text()) if included else []
        counted.update(f"{target} : {one['name']}" for one in [task, *more])
    return counted


def test_no_host_fails(run: Run) -> None:
    assert run.rc == 0, run.output[-6000:]
    assert [line for line in run.lines if line.status != "ok"] == []


@pytest.mark.parametrize("version", TRIED)
@pytest.mark.parametrize("target", TARGETS)
def test_every_task_ran(run: Run, version: str, target: str) -> None:
    ran = Counter(line.task for line in run.lines if line.host == name(version))
    assert {task: ran[task] for task in expected(target)} == expected(target)


@pytest.mark.parametrize("version", TRIED)
def test_nothing_is_left_behind(run: Run, lab: Lab, version: str) -> None:
    assert run.lines
    handle = lab.mac(name(version))
    now = handle.state()
    handle.reset()
    # Passwords were tried, and that is all that a Mac can tell of it.
    before = handle.state()
    assert now.accounts.keys() == before.accounts.keys()
    assert now.crypto_users == before.crypto_users
    assert now.preboot == before.preboot
    assert now.groups == before.groups


def test_nothing_without_permission(ansible: Ansible, lab: Lab, variables: Path) -> None:
    run = ansible.playbook(PLAYBOOK, lab.inventory, "-e", f"@{variables}")
    assert run.rc != 0
    assert [line.task for line in run.lines] == ["Ask for permission"]


def test_nobody_who_is_there_is_taken_for_the_test(ansible: Ansible, lab: Lab, variables: Path) -> None:
    """The target deletes its account in the end, with its home."""
    permission = ("-e", "keyholder_may_break_these_macs=true", "-e", "keyholder_test_user=Ana")
    run = ansible.playbook(PLAYBOOK, lab.inventory, "-e", f"@{variables}", *permission)
    assert run.rc != 0
    assert {line.task for line in run.lines if line.status == "failed"} == {
        "Refuse to take somebody's account, which would be deleted in the end"
    }
    assert not [line.task for line in run.lines if line.task.partition(" : ")[0] in TARGETS]
    assert all("ana" in lab.mac(one).state().accounts for one in lab.names)
