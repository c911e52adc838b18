# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What playbooks/awx defines would work: AWX itself takes surveys and credentials that can never be launched."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
AWX = ROOT / "playbooks" / "awx"
TYPES = ("text", "textarea", "password", "integer", "float", "multiplechoice", "multiselect")
FIELD_KEYS = {"id", "type", "label", "help_text", "secret", "multiline", "choices", "default", "ask_at_runtime"}
QUESTION_KEYS = {
    "variable", "question_name", "question_description", "type", "required", "min", "max", "choices", "default",
}  # fmt: skip


class _Loader(yaml.SafeLoader):
    """Reads !unsafe as the text that it is."""


_Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))


def load(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.load((AWX / "vars" / f"{name}.yml").read_text(), _Loader)
    return content


CREDENTIALS = load("credential_types")["keyholder_awx_credential_types"]
TEMPLATES = load("job_templates")["keyholder_awx_job_templates"]
WORKFLOWS = load("workflows")["keyholder_awx_workflows"]
SCHEDULES = load("workflows")["keyholder_awx_schedules"]
SETTINGS = load("settings")
QUESTIONS = [(template["name"], question) for template in TEMPLATES for question in template["survey"]]
by_name = {"ids": lambda one: str(one.get("name", one.get("variable"))) if isinstance(one, dict) else str(one)}


def options_of(role: str) -> set[str]:
    specs = ROOT / "roles" / role / "meta" / "argument_specs.yml"
    # One without a specification takes no variable.
    return set() if not specs.exists() else set(yaml.safe_load(specs.read_text())["argument_specs"]["main"]["options"])


def looked_at(playbook: str) -> set[str]:
    """The variables in a playbook's expressions. What a comment says about one proves nothing."""
    return set(re.findall(r"\b[a-z]+_[a-z_]+\b", " ".join(re.findall(r"{{(.*?)}}", playbook, re.DOTALL))))


def behind(playbook: str) -> tuple[list[str], list[str]]:
    """The collection's playbooks that one of the project imports, and the roles in them."""
    text = (AWX / "project" / playbook).read_text()
    inner = re.findall(r"import_playbook: keyholder\.macos\.(\w+)", text)
    texts = [(ROOT / "playbooks" / f"{name}.yml").read_text() for name in inner]
    return texts, [role for one in texts for role in re.findall(r"(?:role|name): keyholder\.macos\.(\w+)", one)]


def known_to(playbook: str) -> set[str]:
    """The variables that a playbook of the project takes: its own, the collection's playbook's, its role's options."""
    texts, roles = behind(playbook)
    own = looked_at((AWX / "project" / playbook).read_text())
    return own.union(*map(looked_at, texts), *map(options_of, roles))


def problems_of(question: dict[str, Any]) -> list[str]:
    """What AWX takes, and what then fails at each launch or lets a value through that it should not."""
    found = [f"unknown: {key}" for key in question.keys() - QUESTION_KEYS]
    if question["type"] not in TYPES:
        return [*found, f"type {question['type']}"]
    default = question.get("default", "")
    if question["required"] and default not in ("", None):
        found.append("required, with a default: a launch through the API fails without an answer all the same")
    if question["type"] in ("multiplechoice", "multiselect"):
        choices = question.get("choices") or []
        if not choices or not all(isinstance(choice, str) for choice in choices):
            found.append("choices that are no texts: YAML makes a boolean of yes and no")
        if default and default not in choices:
            found.append("a default that is no choice")
    elif default not in ("", None):
        size = float(default) if question["type"] in ("integer", "float") else len(str(default))
        if not question.get("min", float("-inf")) <= size <= question.get("max", float("inf")):
            found.append("a default beyond its limits, which AWX does not check")
    if question["type"] == "text" and question["required"] and not question.get("min"):
        found.append("required, and an empty answer would do")
    return found


@pytest.mark.parametrize(("template", "question"), QUESTIONS, **by_name)
def test_a_question_can_be_answered(template: str, question: dict[str, Any]) -> None:
    assert problems_of(question) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "text", "required": True, "default": "x", "min": 1},
        {"type": "integer", "required": False, "default": 9, "min": 1, "max": 5},
        {"type": "text", "required": False, "default": "long", "max": 2},
        {"type": "multiplechoice", "required": False, "choices": [True, False]},
        {"type": "multiplechoice", "required": False, "choices": ["a"], "default": "b"},
        {"type": "text", "required": True},
        {"type": "words", "required": False},
        {"type": "text", "required": False, "maximum": 3},
    ],
)
def test_a_wrong_question_would_be_noticed(wrong: dict[str, Any]) -> None:
    assert problems_of(wrong)


@pytest.mark.parametrize("credential", CREDENTIALS, **by_name)
def test_a_credential_type_is_whole(credential: dict[str, Any]) -> None:
    fields = {field["id"]: field for field in credential["inputs"]["fields"]}
    assert all(set(field) <= FIELD_KEYS for field in fields.values())
    assert set(credential["inputs"]["required"]) <= set(fields)
    used = set(re.findall(r"{{ (\w+)(?: \| default\(''\))?(?: \| tojson)? }}", str(credential["injectors"])))
    assert used == set(fields)
    # Anything else would reach ansible-core 2.19 and newer as what YAML makes of its text. A path of AWX's is text.
    given = {k: v for k, v in credential["injectors"].get("extra_vars", {}).items() if v != "{{ tower.filename }}"}
    assert given or credential["injectors"].keys() & {"env", "file"}
    for name, value in given.items():
        assert name.endswith("_json")
        # AWX leaves out what is optional and was not filled in.
        field = value.split()[1]
        due = "" if field in credential["inputs"]["required"] else r" \| default\(''\)"
        assert re.fullmatch(rf"{{{{ \w+{due} \| tojson }}}}", value)
    assert all(field.get("secret") for name, field in fields.items() if re.search("password|secret|identity", name))
    assert set(credential["injectors"]) <= {"extra_vars", "env", "file"}


@pytest.mark.parametrize("credential", CREDENTIALS, **by_name)
def test_what_a_credential_injects_is_wanted_somewhere(credential: dict[str, Any]) -> None:
    wanted = set().union(*(known_to(template["playbook"]) for template in TEMPLATES))
    wanted |= looked_at((AWX / "project" / "inventory" / "macs.yml").read_text())
    injected = set(credential["injectors"].get("extra_vars", {}))
    assert injected <= wanted, injected - wanted
    # What is for programs of the environment has a name of our own, which takes nothing's place there.
    assert all(name.startswith("KEYHOLDER_") for name in credential["injectors"].get("env", {}))


def test_each_kind_of_credential_is_there() -> None:
    kinds = (
        "granter",
        "target password",
        "recovery key recipient",
        "password store",
        "device management",
        "report store",
    )
    assert [one["name"] for one in CREDENTIALS] == [f"keyholder {kind}" for kind in kinds]


def test_a_wrong_variable_would_be_noticed() -> None:
    """A comment of grant.yml speaks of it, and no expression does."""
    assert "keyholder_details" not in known_to("grant.yml")
    assert {"grant_user", "keyholder_timeout"} <= known_to("grant.yml")
    assert "filevault_recipients" in known_to("filevault.yml")


@pytest.mark.parametrize("template", TEMPLATES, **by_name)
def test_a_job_template_leads_somewhere(template: dict[str, Any]) -> None:
    assert (AWX / "project" / template["playbook"]).exists()
    given = {question["variable"] for question in template["survey"]} | set(template.get("extra_vars", {}))
    assert given <= known_to(template["playbook"]), given - known_to(template["playbook"])
    # An extra variable outranks a variable of a play, so what the project's playbook sets must not be asked for too.
    *dummy, play = yaml.safe_load((AWX / "project" / template["playbook"]).read_text())
    set_there = set(play.get("vars", {}))
    assert not given & set_there
    texts, roles = behind(template["playbook"])
    assert set_there <= set().union(*map(options_of, roles), *map(looked_at, texts)), "no such option"
    assert template["job_type"] == "check" or "reads" not in template["labels"] or "merge" in template["name"]


def test_the_task_of_each_playbook_has_a_job_template() -> None:
    wanted = {"audit", "onboard", "onboard_mobile", "grant", "offboard", "managed_admin", "filevault"}
    wanted |= {"escrow_bootstrap_token", "repair", "unlock", "upgrade", "zero_touch"}
    assert wanted <= {template["playbook"].removesuffix(".yml") for template in TEMPLATES}
    assert all(template["labels"] for template in TEMPLATES)
    (audit,) = [template for template in TEMPLATES if template["name"] == "keyholder audit"]
    assert audit["job_type"] == "check"


@pytest.mark.parametrize("template", TEMPLATES, **by_name)
def test_each_answer_in_words_is_looked_at_before_a_mac_is(template: dict[str, Any]) -> None:
    """An answer has no injector: what ansible-core makes of 0700 can only be refused, by the question's name."""
    plays = yaml.safe_load((AWX / "project" / template["playbook"]).read_text())
    asked = {one["question_name"]: one["variable"] for one in template["survey"] if one["type"] in ("text", "textarea")}
    looked = [play for play in plays if play.get("import_playbook") == "answers/texts.yml"]
    assert plays[: len(looked)] == looked
    found = {
        question: re.findall(r"keyholder_\w+", answer)
        for play in looked
        for question, answer in play["vars"]["keyholder_answers"].items()
    }
    assert found == {question: [variable] for question, variable in asked.items()}


def test_no_key_is_made_where_it_would_go_with_the_job() -> None:
    (filevault,) = [one for one in TEMPLATES if one["playbook"] == "filevault.yml"]
    assert filevault["extra_vars"]["filevault_store_marked"] is True
    (store,) = [one for one in TEMPLATES if one["playbook"] == "store.yml"]
    stores, first = store["extra_vars"]["keyholder_stores"], filevault["extra_vars"]["filevault_store_dir"]
    assert (stores, first) == ("{{ keyholder_awx_stores }}", "{{ keyholder_awx_stores | first }}")
    assert SETTINGS["keyholder_awx_stores"][0].startswith("{{ keyholder_awx_report }}/")


def test_every_playbook_of_the_project_is_used() -> None:
    assert {path.name for path in (AWX / "project").glob("*.yml")} == {one["playbook"] for one in TEMPLATES}


def test_a_secret_is_asked_for_as_a_password_alone() -> None:
    """AWX shows a survey's answers in each job, and keeps those to questions of type password encrypted."""
    secret = {question["variable"] for dummy, question in QUESTIONS if question["type"] == "password"}
    assert secret == {"keyholder_target_password"}
    for template, question in QUESTIONS:
        named = re.search("password|secret|key$", question["variable"])
        assert bool(named) == (question["type"] == "password"), template
        # AWX would show a default, and a required one keeps what a credential has from being used.
        assert not named or (not question["required"] and "default" not in question), template


def test_each_password_that_is_asked_for_is_looked_at_before_a_mac_is() -> None:
    asked = {one["name"]: one["playbook"] for one in TEMPLATES if "password" in {q["type"] for q in one["survey"]}}
    assert asked
    for playbook in asked.values():
        assert yaml.safe_load((AWX / "project" / playbook).read_text())[0]["import_playbook"] == "answers/texts.yml"
    texts = (AWX / "project" / "answers" / "texts.yml").read_text()
    assert "keyholder_target_password | default('') is string" in texts


def test_the_login_of_the_example_is_not_the_account_that_is_rotated() -> None:
    """A machine credential holds one password for all Macs: after the rotation AWX would be locked out of each."""
    variables = yaml.safe_load((AWX / "project" / "inventory" / "macs.yml").read_text())["macs"]["vars"]
    assert variables["managed_admin_name"] == SETTINGS["keyholder_awx_managed_admin"] != variables["ansible_user"]
    assert variables["managed_admin_store"]["directory"] in [
        one.replace("{{ keyholder_awx_report }}", SETTINGS["keyholder_awx_report"])
        for one in SETTINGS["keyholder_awx_stores"]
    ]


def test_the_project_needs_nothing_but_the_execution_environment() -> None:
    """AWX installs what a requirements.yml names at each synchronisation, before the environment's own."""
    assert not [path for path in (AWX / "project").rglob("*") if path.name in ("requirements.yml", "requirements.yaml")]


@pytest.mark.parametrize("workflow", WORKFLOWS, **by_name)
def test_a_workflow_is_a_path(workflow: dict[str, Any]) -> None:
    nodes = {node["identifier"]: node for node in workflow["nodes"]}
    templates = {template["name"]: template for template in TEMPLATES}
    reached = {workflow["nodes"][0]["identifier"]}
    for node in workflow["nodes"]:
        following = [*node.get("success", []), *node.get("always", [])]
        assert set(following) <= set(nodes)
        reached |= set(following)
        if "approval" in node:
            assert node["timeout"] > 0
            continue
        template = templates[node["job_template"]]
        # AWX takes the override and ignores it where the job template does not ask.
        assert "job_type" not in node or template["ask_job_type_on_launch"]
    assert reached == set(nodes)


def test_nothing_changes_a_mac_before_somebody_approves() -> None:
    (workflow,) = [one for one in WORKFLOWS if "approval" in one["name"]]
    nodes = workflow["nodes"]
    cut = next(number for number, node in enumerate(nodes) if "approval" in node)
    assert [node.get("job_type") for node in nodes[:cut]] == ["check"]
    assert any(node.get("job_type") == "run" for node in nodes[cut:])


def test_a_schedule_can_begin() -> None:
    names = {one["name"] for one in (*TEMPLATES, *WORKFLOWS)}
    for schedule in SCHEDULES:
        assert schedule["unified_job_template"] in names
        asks = {one["name"]: one.get("survey_of", "") for one in WORKFLOWS}.get(
            schedule["unified_job_template"], schedule["unified_job_template"]
        )
        survey = next((one["survey"] for one in TEMPLATES if one["name"] == asks), [])
        asked = {question["variable"]: question["required"] for question in survey}
        answered = set(schedule.get("extra_data", {}))
        assert {variable for variable, required in asked.items() if required} <= answered <= set(asked)
        assert re.fullmatch(r"DTSTART:\d{8}T\d{6}Z RRULE:FREQ=\w+;INTERVAL=\d+(;\w+=\w+)*", schedule["rrule"])


def test_names_are_used_once() -> None:
    names = [one["name"] for one in (*TEMPLATES, *WORKFLOWS)]
    assert len(names) == len(set(names))


def test_every_setting_is_used() -> None:
    text = "".join(path.read_text() for path in (AWX / "setup.yml", *(AWX / "vars").glob("*.yml")))
    assert [name for name in SETTINGS if text.count(name) < 2] == []


def test_the_execution_environments_are_what_ansible_builder_takes() -> None:
    pytest.importorskip("ansible_builder")
    from ansible_builder.ee_schema import validate_schema

    version = yaml.safe_load((ROOT / "galaxy.yml").read_text())["version"]
    definitions = [yaml.safe_load(path.read_text()) for path in AWX.glob("execution-environment*.yml")]
    assert len(definitions) == 2
    for definition in definitions:
        validate_schema(definition)
        assert definition["dependencies"]["galaxy"]["collections"][0]["name"] == f"keyholder-macos-{version}.tar.gz"
    meta = yaml.safe_load((ROOT / "meta" / "execution-environment.yml").read_text())
    assert all((ROOT / path).exists() for path in meta["dependencies"].values())
