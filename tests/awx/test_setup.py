# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/awx/setup.yml, by awx.awx itself, against a stand-in for AWX: it runs, and again it changes nothing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from checks.environments import CACHE, REQUIREMENTS, ensure

sys.path.insert(0, str(Path(__file__).parent))

from awx_stand_in import Served, StandIn

AWX = Path(__file__).resolve().parents[2] / "playbooks" / "awx"
TOKEN = "token-5b1e-of-the-person-who-sets-up"
ATTACHED = {"keyholder onboard": ["IT administrator", "First password"]}


def made() -> StandIn:
    stand_in = StandIn(frozenset(path.name for path in (AWX / "project").glob("*.yml")))
    stand_in.add("organizations", {"name": "Default"})
    stand_in.add("inventories", {"name": "Macs"})
    for name in ("Macs", *ATTACHED["keyholder onboard"]):
        stand_in.add("credentials", {"name": name})
    return stand_in


@pytest.fixture(scope="module")
def ansible_playbook() -> Path:
    """The only community packages with awx.awx are older than the ansible-core in .venv, so they get an environment."""
    place = ensure(CACHE / "environments" / "awx", Path(sys.executable), REQUIREMENTS / "awx.txt")
    return place / "bin" / "ansible-playbook"


class Runs:
    """The set-up, as often as a test wants."""

    def __init__(self, program: Path, home: Path, stand_in: StandIn) -> None:
        self.program, self.home, self.stand_in = program, home, stand_in

    def __call__(self, url: str, *arguments: str) -> tuple[str, dict[str, int]]:
        extra: dict[str, Any] = {
            "keyholder_awx_webhook": "https://hooks.example.com/keyholder",
            "keyholder_awx_credentials": ATTACHED,
            "ansible_python_interpreter": str(self.program.with_name("python")),
        }
        mine = self.home / "mine.yml"
        mine.write_text(yaml.safe_dump(extra))
        kept = {name: os.environ[name] for name in ("LC_ALL",) if name in os.environ}
        environment = {
            "LC_ALL": "C.UTF-8",
            **kept,
            "PATH": f"{self.program.parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.home),
            "CONTROLLER_HOST": url,
            "CONTROLLER_OAUTH_TOKEN": TOKEN,
            "no_proxy": "127.0.0.1",
        }
        argv = [self.program, "-i", "localhost,", AWX / "setup.yml", "-e", f"@{mine}", "-vvv", *arguments]
        process = subprocess.Popen(
            argv, env=environment, cwd=self.home, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        try:
            output, dummy = process.communicate(timeout=900)
        finally:
            # Told to end, it ends its workers; killed, it would leave them.
            process.terminate()
        assert process.returncode == 0, output[-6000:]
        (recap,) = re.findall(r"^localhost +: (.*)$", output, re.MULTILINE)
        return output, {name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", recap)}


@pytest.fixture(scope="module")
def runs(ansible_playbook: Path, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return Runs(ansible_playbook, tmp_path_factory.mktemp("awx"), made())


@pytest.fixture(scope="module")
def url(runs: Runs) -> Iterator[str]:
    with Served(runs.stand_in) as served:
        yield served.url


@pytest.fixture(scope="module")
def first(runs: Runs, url: str) -> tuple[str, dict[str, int]]:
    return runs(url)


def names(stand_in: StandIn, kind: str) -> set[str]:
    return {thing["name"] for thing in stand_in.things[kind]}


def test_everything_is_there(runs: Runs, first: tuple[str, dict[str, int]]) -> None:
    made_ = runs.stand_in
    assert first[1]["failed"] == 0
    settings = {path.stem: path.read_text() for path in (AWX / "vars").glob("*.yml")}
    for kind, file in (
        ("credential_types", "credential_types"),
        ("job_templates", "job_templates"),
        ("workflow_job_templates", "workflows"),
        ("schedules", "workflows"),
    ):
        assert made_.things[kind], kind
        assert all(f"name: {name}\n" in settings[file] for name in names(made_, kind)), kind
    assert len(made_.things["job_templates"]) == settings["job_templates"].count("  - name: ")
    assert {"keyholder", "reads", "changes"} == names(made_, "labels")


def test_credentials_and_surveys_arrive_whole(runs: Runs, first: tuple[str, dict[str, int]]) -> None:
    assert first
    made_ = runs.stand_in
    by_id = {thing["id"]: thing["name"] for thing in made_.things["credentials"]}
    for template in made_.things["job_templates"]:
        attached = {by_id[number] for number in made_.connections[f"job_templates/{template['id']}/credentials"]}
        machine = set() if template["name"] in ("keyholder audit, merge", "keyholder store") else {"Macs"}
        assert attached == machine | set(ATTACHED.get(template["name"], ()))
        assert template["survey_enabled"] == bool(template["survey_spec"]), template["name"]
    # Ansible must not fill in what AWX is to fill in.
    granter = next(thing for thing in made_.things["credential_types"] if thing["name"] == "keyholder granter")
    assert granter["injectors"]["extra_vars"]["keyholder_granter_password_json"] == "{{ admin_password | tojson }}"
    audit = next(thing for thing in made_.things["job_templates"] if thing["name"] == "keyholder audit")
    assert audit["job_type"] == "check"
    assert "{{" not in audit["extra_vars"]


def test_the_folder_of_keys_is_exposed_beside_what_is_exposed_already(
    runs: Runs, first: tuple[str, dict[str, int]]
) -> None:
    assert first
    paths = ["/etc/pki/ca-trust:/etc/pki/ca-trust:O", "/var/lib/keyholder:/var/lib/keyholder:z"]
    assert runs.stand_in.settings == {"AWX_ISOLATION_SHOW_PATHS": paths}


def test_the_workflow_waits_between_plan_and_change(runs: Runs, first: tuple[str, dict[str, int]]) -> None:
    assert first
    made_ = runs.stand_in
    workflow = next(thing for thing in made_.things["workflow_job_templates"] if "approval" in thing["name"])
    nodes = {
        thing["identifier"]: thing
        for thing in made_.things["workflow_job_template_nodes"]
        if thing["workflow_job_template"] == workflow["id"]
    }
    path = ["plan"]
    while following := made_.connections[f"workflow_job_template_nodes/{nodes[path[-1]]['id']}/success_nodes"]:
        (number,) = following
        path.append(next(name for name, node in nodes.items() if node["id"] == number))
    assert path == ["plan", "approve", "apply"]
    assert [nodes[name].get("job_type") for name in path] == ["check", None, "run"]
    (approval,) = made_.find("workflow_approval_templates", {"id": str(nodes["approve"]["unified_job_template"])})
    assert approval["timeout"] > 0


def test_it_sends_no_secret(runs: Runs, first: tuple[str, dict[str, int]]) -> None:
    """It makes credential types and no credentials; the token goes in a header alone, and is not shown at -vvv."""
    output, _recap = first
    assert runs.stand_in.sent
    assert TOKEN not in str(runs.stand_in.sent)
    assert TOKEN not in output
    assert "/api/v2/credentials/" not in {path for _method, path, _body in runs.stand_in.sent}


def test_again_it_puts_right_what_somebody_changed_and_nothing_else(
    runs: Runs, url: str, first: tuple[str, dict[str, int]]
) -> None:
    """With nothing changed at all, "nothing to do" could mean that it does not look."""
    assert first[1]["changed"] > 0
    audit = next(thing for thing in runs.stand_in.things["job_templates"] if thing["name"] == "keyholder audit")
    audit["job_type"] = "run"
    before = len(runs.stand_in.sent)
    _output, recap = runs(url)
    assert [(method, path) for method, path, _body in runs.stand_in.sent[before:]] == [("PATCH", audit["url"])]
    assert audit["job_type"] == "check"
    assert recap["changed"] == 1
