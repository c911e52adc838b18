# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/awx/setup.yml, by awx.awx itself, against a stand-in for AWX: it runs, and again it changes nothing."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from checks.environments import CACHE, REQUIREMENTS, ensure
from maclab import keeper

sys.path.insert(0, str(Path(__file__).parent))

from awx_stand_in import Refused, Served, StandIn

AWX = Path(__file__).resolve().parents[2] / "playbooks" / "awx"
TOKEN = "token-5b1e-of-the-person-who-sets-up"
ATTACHED = {"keyholder onboard": ["IT administrator"], "keyholder filevault": ["IT administrator", "Safe"]}
WITH_APPROVAL = "keyholder onboard, with approval"
ROLES = [
    {"team": "Help desk", "role": "execute", "job_templates": ["keyholder audit"], "workflows": [WITH_APPROVAL]},
    {"team": "Security", "role": "approval", "workflows": [WITH_APPROVAL]},
]
LOGINS = {
    "keyholder_awx_project_credential": "Git",
    "keyholder_awx_execution_environment_credential": "Registry",
}
NODES = ("node-a", "node-b")
FOLDER = "/var/lib/keyholder"


def made() -> StandIn:
    """What is there before the set-up: two execution nodes with the folder, and one that is switched off."""
    playbooks = frozenset(path.name for path in (AWX / "project").glob("*.yml"))
    stand_in = StandIn(playbooks, {node: {FOLDER} for node in NODES})
    stand_in.add("organizations", {"name": "Default"})
    stand_in.add("inventories", {"name": "Macs"})
    for name in ("Macs", "IT administrator", "Safe", "Another safe", *LOGINS.values()):
        stand_in.add("credentials", {"name": name, "credential_type": name.removeprefix("Another ").lower()})
    for role in ROLES:
        stand_in.add("teams", {"name": role["team"]})
    for name, kind, enabled in (
        *((node, "execution", True) for node in NODES),
        ("off", "hybrid", False),
        ("c", "control", True),
    ):
        stand_in.add("instances", {"hostname": name, "node_type": kind, "enabled": enabled})
    return stand_in


@pytest.fixture(scope="module")
def ansible_playbook() -> Path:
    """The only community packages with awx.awx are older than the ansible-core in .venv, so they get an environment."""
    place = ensure(CACHE / "environments" / "awx", Path(sys.executable), REQUIREMENTS / "awx.txt")
    return place / "bin" / "ansible-playbook"


KEEPS = """
import sys
if not any("ansible-playbook" in word for word in sys.orig_argv):
    import keeper
    keeper.keep_in({0!r})
"""


class Runs:
    """The set-up, as often as a test wants."""

    def __init__(self, program: Path, home: Path, stand_in: StandIn) -> None:
        self.program, self.home, self.stand_in = program, home, stand_in
        self.kept = home / "python"
        self.kept.mkdir()
        shutil.copy(keeper.__file__, self.kept)
        compiled = CACHE / "compiled"
        compiled.mkdir(exist_ok=True)
        (self.kept / "sitecustomize.py").write_text(KEEPS.format(str(compiled)))

    def __call__(self, url: str, *arguments: str, rc: int = 0, **settings: Any) -> tuple[str, dict[str, int]]:
        extra: dict[str, Any] = {
            "keyholder_awx_webhook": "https://hooks.example.com/keyholder",
            "keyholder_awx_credentials": ATTACHED,
            "keyholder_awx_roles": ROLES,
            **LOGINS,
            "ansible_python_interpreter": str(self.program.with_name("python")),
            **settings,
        }
        mine = self.home / "mine.yml"
        mine.write_text(yaml.safe_dump(extra))
        kept = {name: os.environ[name] for name in ("LC_ALL",) if name in os.environ}
        environment = {
            "LC_ALL": "C.UTF-8",
            **kept,
            "PATH": f"{self.program.parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.home),
            # Each object of AWX is a module, which is half of its time compiled anew.
            "PYTHONPATH": str(self.kept),
            "ANSIBLE_PIPELINING": "1",
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
        assert process.returncode == rc, output[-6000:]
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


@pytest.fixture
def fresh(ansible_playbook: Path, tmp_path: Path) -> Iterator[tuple[Runs, str]]:
    """An AWX of its own, for what goes wrong."""
    runs = Runs(ansible_playbook, tmp_path, made())
    with Served(runs.stand_in) as served:
        yield runs, served.url


def told(output: str) -> str:
    """Return the last failure's message."""
    return re.findall(r'"msg": "(.*)"', output)[-1]


def names(stand_in: StandIn, kind: str) -> set[str]:
    return {thing["name"] for thing in stand_in.things[kind]}


def test_everything_is_there(runs: Runs, first: tuple[str, dict[str, int]]) -> None:
    made_ = runs.stand_in
    assert first[1]["failed"] == 0
    assert first[1]["rescued"] == 0
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
    by_id = {thing["id"]: thing["name"] for thing in made_.things["credentials"]}
    assert [by_id[made_.things[kind][-1]["credential"]] for kind in ("projects", "execution_environments")] == [
        "Git",
        "Registry",
    ]


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
    sent = [(method, path) for method, path, _body in runs.stand_in.sent[before:]]
    # What is tried each time leaves nothing behind.
    tried = ("/update/", "/launch/", "instance_groups/", "/instances/")
    assert [one for one in sent if not re.search("|".join(tried), one[1])] == [("PATCH", audit["url"])]
    assert audit["job_type"] == "check"
    assert recap["changed"] == 1


def template_of(stand_in: StandIn, name: str) -> dict[str, Any]:
    return next(thing for thing in stand_in.things["job_templates"] if thing["name"] == name)


def test_whoever_launches_cannot_put_in_another_recipient(runs: Runs, first: tuple[str, dict[str, int]]) -> None:
    """AWX lets an attached credential be replaced by one of the same type, where the template asks for credentials."""
    assert first
    made_ = runs.stand_in
    number = {thing["name"]: thing["id"] for thing in made_.things["credentials"]}
    mine = {"credentials": [number["Macs"], number["IT administrator"], number["Another safe"]]}
    template = template_of(made_, "keyholder filevault")
    assert made_.launched(template, mine)["credentials"] == [number["Macs"], number["IT administrator"], number["Safe"]]
    # The stand-in would take it, as AWX does.
    assert made_.launched({**template, "ask_credential_on_launch": True}, mine)["credentials"] == mine["credentials"]
    with pytest.raises(Refused, match="without replacement"):
        made_.launched({**template, "ask_credential_on_launch": True}, {"credentials": [number["Macs"]]})
    assert not any(thing["ask_credential_on_launch"] for thing in made_.things["job_templates"])


def test_what_changes_macs_needs_a_limit_and_shows_what_changes(runs: Runs, first: tuple[str, dict[str, int]]) -> None:
    assert first
    changes = {thing["id"] for thing in runs.stand_in.things["labels"] if thing["name"] == "changes"}
    seen = set()
    for thing in runs.stand_in.things["job_templates"]:
        changing = bool(changes & set(runs.stand_in.connections[f"job_templates/{thing['id']}/labels"]))
        seen.add(changing)
        extra = json.loads(thing["extra_vars"]) if thing["extra_vars"] else {}
        assert (extra.get("keyholder_limit_required") is True) == changing, thing["name"]
        assert (thing["diff_mode"], thing["allow_simultaneous"], thing["forks"]) == (changing, False, 25)
    assert seen == {True, False}
    (nightly,) = [thing for thing in runs.stand_in.things["schedules"] if "rotate" in thing["name"]]
    assert nightly["limit"] == "all" and not nightly["enabled"]


def test_a_failure_is_told_once_and_without_what_was_read(runs: Runs, first: tuple[str, dict[str, int]]) -> None:
    assert first
    made_ = runs.stand_in
    (template,) = made_.things["notification_templates"]
    noted = {
        thing["name"]
        for kind in ("job_templates", "workflow_job_templates")
        for thing in made_.things[kind]
        if made_.connections[f"{kind}/{thing['id']}/notification_templates_error"]
    }
    quiet = {"keyholder audit, one slice", "keyholder store", "keyholder audit, sliced", WITH_APPROVAL}
    all_names = names(made_, "job_templates") | names(made_, "workflow_job_templates")
    assert all_names - noted == quiet
    why = "1 Mac fails a rule that is critical or worse: mac-7"
    job = {
        "id": 7, "name": "keyholder audit, merge", "status": "failed", "limit": "", "job_explanation": "",
        "artifacts": {"keyholder_failure": why}, "extra_vars": {"keyholder_packed_1": "a reading"},
        "host_status_counts": {"failures": 1},
    }  # fmt: skip
    said = made_.notified(template, job)
    assert (said["job"], said["id"], said["status"], said["why"]) == (job["name"], 7, "failed", why)
    assert said["url"].endswith("/7")
    broken = {**job, "artifacts": {}, "job_explanation": "Previous Task Failed", "host_status_counts": {}}
    assert made_.notified(template, broken)["why"] == "Previous Task Failed"
    for event in ("started", "success", "error"):
        assert "a reading" not in json.dumps(made_.notified(template, job, event))
        # AWX's own body would have sent it.
        assert "a reading" in json.dumps(made_.notified({}, job, event))


def test_roles_are_given(runs: Runs, first: tuple[str, dict[str, int]]) -> None:
    assert first
    made_ = runs.stand_in
    team = {thing["name"]: thing["id"] for thing in made_.things["teams"]}
    (workflow,) = [one for one in made_.things["workflow_job_templates"] if one["name"] == WITH_APPROVAL]
    roles = {name: role["id"] for name, role in workflow["summary_fields"]["object_roles"].items()}
    given = {name: made_.connections[f"roles/{number}/teams"] for name, number in roles.items()}
    assert given == {
        "admin_role": [],
        "read_role": [],
        "execute_role": [team["Help desk"]],
        "approval_role": [team["Security"]],
    }


def test_each_execution_node_is_tried(runs: Runs, first: tuple[str, dict[str, int]]) -> None:
    assert first
    jobs = [(job["execution_node"], job.get("job_type"), job["failed"]) for job in runs.stand_in.things["jobs"]]
    ours = jobs[: 2 * len(NODES)]
    assert ours == [(node, kind, False) for node in NODES for kind in ("run", "check")]
    assert runs.stand_in.things["instance_groups"] == []


def test_a_node_without_the_folder_is_named(
    runs: Runs, url: str, first: tuple[str, dict[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """AWX leaves out a path that is not there, without a word: the job that writes there is successful."""
    assert first
    monkeypatch.setitem(runs.stand_in.nodes, "node-b", set())
    monkeypatch.setattr(runs.stand_in, "marks", set())
    output, _recap = runs(url, "--start-at-task", "Give each node an instance group", rc=2)
    said = told(output)
    assert "keyholder store on node-b, job type check" in said and "node-a" not in said
    assert "mkdir -p -m 0700" in said and FOLDER in said
    assert runs.stand_in.things["instance_groups"] == []


def test_a_project_that_cannot_be_synchronised_says_why_each_time(fresh: tuple[Runs, str]) -> None:
    runs, url = fresh
    runs.stand_in.trouble = "fatal: repository 'https://git.example.com/macs.git/' not found"
    for _turn in range(2):
        output, _recap = runs(url, rc=2)
        assert "could not be synchronised" in told(output)
        assert runs.stand_in.trouble in told(output)
    assert runs.stand_in.things["job_templates"] == []


def test_what_is_not_there_is_told_in_one_list_before_anything_is_made(fresh: tuple[Runs, str]) -> None:
    runs, url = fresh
    settings = {
        "keyholder_awx_inventory": "All Macs",
        "keyholder_awx_machine_credential": "Key",
        "keyholder_awx_project_credential": "Deploy key",
    }
    output, _recap = runs(url, rc=2, **settings)
    assert "AWX has no inventory All Macs, no credential Key, no credential Deploy key." in told(output)
    assert runs.stand_in.sent == []


def test_credentials_come_after_their_types(fresh: tuple[Runs, str]) -> None:
    runs, url = fresh
    output, _recap = runs(url, rc=2, keyholder_awx_credentials={"keyholder rotate": ["Store"]})
    assert "AWX has no credential Store." in told(output)
    assert {path for _method, path, _body in runs.stand_in.sent} == {"/api/v2/credential_types/"}


@pytest.mark.parametrize(
    "settings",
    [
        {"keyholder_awx_credentials": {"keyholder onbord": []}},
        {"keyholder_awx_roles": [{"team": "Help desk", "role": "execute", "workflows": ["keyholder onbord"]}]},
    ],
    ids=["credentials", "roles"],
)
def test_a_misspelt_template_is_told(fresh: tuple[Runs, str], settings: dict[str, Any]) -> None:
    runs, url = fresh
    output, _recap = runs(url, rc=2, **settings)
    assert "there is no template keyholder onbord." in output
    assert runs.stand_in.sent == []
