# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A misspelt variable stops every playbook and role, by whatever way it comes, before any Mac is read or connected to.

As in test_variables.py, the roles and playbooks are the real ones, and only modules and the connection are stood in
for: whatever reaches a Mac is written down.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from test_variables import (
    ALL_PLAYBOOKS,
    ANSWERS,
    NEEDED,
    PLAYBOOKS,
    ROLES,
    ROOT,
    documented,
    options_of,
    role_of,
    tree,
    used,
)

from ansible_collections.keyholder.macos.plugins.plugin_utils import _variables
from harness.ansible import binaries, on_oldest_core

NEEDED_BY_ROLES = {role_of(playbook): NEEDED.get(playbook, {}) for playbook in PLAYBOOKS if role_of(playbook)} | {
    "python": {},
    "leave_directory": {"leave_directory_users": [{"name": "needed"}]},
    "park_holder": {"park_holder_name": "needed"},
    "unlock_account": {"unlock_account_name": "needed", "unlock_account_store": {"kind": "needed"}},
}


@dataclass(frozen=True)
class Done:
    """``calls``: what has reached a Mac, or a module."""

    rc: int
    output: str
    calls: list[dict[str, Any]]


@dataclass(frozen=True)
class Site:
    """A folder with the collection and an inventory."""

    folder: Path

    def run(
        self, play: str | list[dict[str, Any]], *arguments: str, inventory: Mapping[str, Any] | None = None
    ) -> Done:
        calls = self.folder / "calls"
        calls.write_text("")
        (self.folder / "inventory.yml").write_text(json.dumps(macs() if inventory is None else inventory))
        if isinstance(play, list):
            (self.folder / "play.yml").write_text(json.dumps(play))
            play = "play.yml"
        environment = {
            "ANSIBLE_COLLECTIONS_PATH": str(self.folder / "tree"),
            "ANSIBLE_HOME": str(self.folder / "home"),
            "HOME": str(self.folder / "home"),
            "KEYHOLDER_ANSWERS": str(self.folder / "answers.json"),
            "KEYHOLDER_CALLS": str(calls),
            "LC_ALL": os.environ.get("LC_ALL", "C.UTF-8"),
            "PATH": os.environ["PATH"],
        }
        argv = [binaries() / "ansible-playbook", "-i", "inventory.yml", play, *arguments]
        done = subprocess.run(
            argv, cwd=self.folder, env=environment, capture_output=True, text=True, check=False, timeout=300
        )
        reached = [json.loads(line) for line in calls.read_text().splitlines()]
        return Done(done.returncode, done.stdout + done.stderr, reached)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("typos")
    tree(folder / "tree")
    (folder / "home").mkdir()
    (folder / "answers.json").write_text(json.dumps(ANSWERS))
    return Site(folder)


def macs(group: Mapping[str, Any] | None = None, **of_hosts: Mapping[str, Any]) -> dict[str, Any]:
    """An inventory of the Macs alfa and bravo, and of a server. ``group``: variables of the Macs."""
    hosts = {host: dict(of_hosts.get(host, {})) for host in ("alfa", "bravo")}
    stand_in = {"ansible_connection": "keyholder.macos.stand_in", "ansible_become": False}
    return {
        "macs": {"hosts": hosts, "vars": {**stand_in, **(group or {})}},
        "servers": {"hosts": {"web": stand_in}},
        "empty": {"hosts": {}},
    }


def slip(name: str) -> str:
    return name[:-3] + name[-2:]


def stopped(done: Done, *typos: str) -> None:
    """Nothing was reached, and the reason was told once, with what was meant."""
    assert done.calls == [] and done.rc != 0, done.output
    (told,) = re.findall(r"(?m)^fatal: .*", done.output)
    for name in typos:
        assert f"did you mean {name}?" in told
    assert "[variable_unknown]" in told and "keyholder_own_variables" in told


# --- playbooks and roles ---


# The preflight reports them beside everything else: tests/integration/test_preflight.py.
@pytest.mark.parametrize("playbook", [playbook for playbook in PLAYBOOKS if playbook != "preflight"])
def test_a_playbook_stops_for_a_slip_in_any_of_its_variables(site: Site, playbook: str) -> None:
    role = role_of(playbook)
    names = sorted({*documented(playbook), *used(playbook), *(options_of(role) if role else ())})
    typos = {slip(name): "x" for name in names}
    stopped(site.run(f"keyholder.macos.{playbook}", "-e", json.dumps(typos)), *names)


def _including(role: str, variables: Mapping[str, Any], title: str) -> dict[str, Any]:
    return {
        "name": title,
        "block": [
            {
                "name": title,
                "ansible.builtin.include_role": {"name": f"keyholder.macos.{role}"},
                "vars": {**NEEDED_BY_ROLES[role], **variables},
            },
            {"name": title, "ansible.builtin.debug": {"msg": f"ACCEPTED {title}"}},
        ],
        "rescue": [
            {"name": title, "ansible.builtin.debug": {"msg": f"REFUSED {title} {{{{ ansible_failed_result.msg }}}}"}}
        ],
    }


def _said(done: Done) -> dict[str, str]:
    """Title -> what was said of it, on the first Mac."""
    found = re.findall(r'"msg": "(ACCEPTED|REFUSED) (\S+)(.*)"', done.output)
    return {title: f"{what}{why}" for what, title, why in reversed(found)}


def test_a_role_stops_for_a_slip_in_any_of_its_variables(site: Site) -> None:
    """A slip in a variable that the role must have, too: Ansible's own check of the arguments comes later."""
    cases = {f"{role}.{name}": (role, name) for role in ROLES for name in options_of(role)}
    blocks = []
    for title, (role, name) in cases.items():
        blocks.append(_including(role, {slip(name): "x"}, title))
        blocks[-1]["block"][0]["vars"].pop(name, None)
    done = site.run([{"hosts": "macs", "gather_facts": False, "tasks": blocks}])
    said = _said(done)
    wrong = {
        title: said.get(title)
        for title, (_role, name) in cases.items()
        if f"did you mean {name}?" not in said.get(title, "") or "[variable_unknown]" not in said[title]
    }
    assert wrong == {} and done.calls == []


FILEVAULT = {"role": "keyholder.macos.filevault"}
TYPO = {"filevault_stat": "deferred"}


def _play(**more: Any) -> list[dict[str, Any]]:
    return [{"hosts": "macs", "gather_facts": False, "vars": NEEDED["filevault"], "roles": [FILEVAULT], **more}]


def _tasks(*tasks: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    return _play(roles=[], tasks=[*tasks, {"include_role": {"name": "keyholder.macos.filevault"}, **more}])


WAYS: dict[str, tuple[list[dict[str, Any]], dict[str, Any], tuple[str, ...]]] = {
    "extra variable": (_play(), {}, ("-e", "filevault_stat=deferred")),
    "group": (_play(), macs(TYPO), ()),
    "second host": (_play(), macs(bravo=TYPO), ()),
    "play": (_play(vars=TYPO), {}, ()),
    "role": (_play(roles=[{**FILEVAULT, "vars": TYPO}]), {}, ()),
    "parameter": (_play(roles=[{**FILEVAULT, **TYPO}]), {}, ()),
    "second role of the name": (_play(roles=[FILEVAULT | {"when": False}, {**FILEVAULT, "vars": TYPO}]), {}, ()),
    "include": (_tasks(vars=TYPO), {}, ()),
    "import": (
        _play(roles=[], tasks=[{"import_role": {"name": "keyholder.macos.filevault"}, "vars": TYPO}]),
        {},
        (),
    ),
    "fact": (_tasks({"set_fact": TYPO, "when": "inventory_hostname == 'bravo'"}), {}, ()),
    "file of variables": (_play(vars_files=["typo.yml"]), {}, ()),
    "included file": (_tasks({"include_vars": {"file": "typo.yml"}, "when": "inventory_hostname == 'bravo'"}), {}, ()),
    "serial": (_play(serial=1), macs(bravo=TYPO), ()),
    "errors ignored": (_play(ignore_errors=True), macs(TYPO), ()),
    "not the first Mac": (
        _play(roles=[{**FILEVAULT, "vars": TYPO, "when": "inventory_hostname == 'bravo'"}]),
        {},
        (),
    ),
    "tag, limit, check mode": (
        _play(roles=[{**FILEVAULT, "vars": TYPO, "tags": ["fv"]}]),
        {},
        ("--tags", "fv", "--limit", "bravo", "--check"),
    ),
}


@pytest.mark.parametrize("way", list(WAYS))
def test_by_whatever_way_it_comes(site: Site, way: str) -> None:
    play, inventory, arguments = WAYS[way]
    (site.folder / "typo.yml").write_text(json.dumps(TYPO))
    stopped(site.run(play, *arguments, inventory=inventory or None), "filevault_state")


def test_with_the_strategy_free_each_mac_is_stopped(site: Site) -> None:
    done = site.run(_play(strategy="free"), inventory=macs(TYPO))
    assert done.calls == [] and done.rc != 0
    assert done.output.count("fatal: ") == 2 and "did you mean filevault_state?" in done.output


def test_a_macs_own_typo_is_told_with_the_mac(site: Site) -> None:
    done = site.run(_play(), inventory=macs(bravo=TYPO))
    assert "filevault_stat (of bravo; did you mean filevault_state?)" in done.output


def test_what_is_no_typo_of_ours_is_left_alone(site: Site) -> None:
    """What earlier tasks registered, ours or not, a user's own variables, and what looks alike."""
    first = {
        "hosts": "macs",
        "gather_facts": False,
        "tasks": [
            {"ansible.builtin.debug": {"msg": "x"}, "register": "filevault_result"},
            {"ansible.builtin.debug": {"msg": "{{ item }}"}, "loop": [1, 2], "register": "grant_results"},
            {"ansible.builtin.debug": {"msg": "x"}, "when": False, "register": "keyholder_skipped"},
            {"ansible.builtin.debug": {"msg": "{{ no }}"}, "register": "offboard_user_failed", "ignore_errors": True},
        ],
    }
    plays: list[dict[str, Any]] = [first]
    variables = {**NEEDED["filevault"], **NEEDED["onboard"], **NEEDED["offboard"]}
    for _again in range(2):
        plays += [
            {"import_playbook": f"keyholder.macos.{name}"} for name in ("filevault", "onboard", "offboard", "status")
        ]
    alike = {"vault_filevault_password": "x", "python_packages": ["x"], "filevault": {"x": 1}, "onboarding_team": "it"}
    own = {"filevault_team_contact": "it", "keyholder_own_variables": ["filevault_team_contact"]}
    pattern = {"grant_sudo_all": "x", "grant_sudo_none": "y", "keyholder_own_variables": "grant_sudo_*"}
    done = site.run(plays, inventory=macs({**variables, **alike}, alfa=own, bravo=pattern))
    assert done.rc == 0, done.output
    assert {call["module"] for call in done.calls} >= {"filevault", "account", "offboard", "trust_info"}


def test_each_mac_has_a_list_of_its_own(site: Site) -> None:
    pattern = {"grant_sudo_all": "x", "keyholder_own_variables": "grant_sudo_*"}
    done = site.run("keyholder.macos.status", inventory=macs(alfa=pattern, bravo={"grant_sudo_all": "x"}))
    assert done.calls == [] and "grant_sudo_all (of bravo; " in done.output and done.rc != 0


def test_a_list_of_ones_own_that_is_none_is_refused(site: Site) -> None:
    done = site.run("keyholder.macos.status", "-e", '{"keyholder_own_variables": 5}')
    assert done.calls == [] and "keyholder_own_variables is 5" in done.output and done.rc != 0


# --- values ---

ANA = {"name": "ana", "password": "s3cretpw"}
OMIT = "{{ omit }}"
ACCEPTED = ""
PEOPLE: list[tuple[Any, str]] = [
    ([], ACCEPTED),
    ("ana", "VARIABLE is the text 'ana', and must be a list"),
    (ANA, "VARIABLE is a dictionary, and must be a list"),
    (5, "VARIABLE is the number 5, and must be a list"),
    # Ansible's own check of the arguments, which comes later, would show the value, and all of the specification.
    ([[ANA]], "VARIABLE[0] is a list, and must be a dictionary, such as {name: ana}"),
    ([{**ANA, "pasword": "x"}], "VARIABLE[0].pasword is not an option"),
    ([{**ANA, "name": 5349}], "VARIABLE[0].name is the number 5349, and must be text"),
    ([{**ANA, "name": ""}], "VARIABLE[0].name '' is empty"),
    (["ana"], "VARIABLE[0] is the text 'ana', and must be a dictionary, such as {name: ana}"),
]
NAMES: list[tuple[Any, str]] = [
    ([], ACCEPTED),
    (["ana"], ACCEPTED),
    ("ana", "VARIABLE is the text 'ana', and must be a list"),
    ("", "VARIABLE was not given"),
    (None, "VARIABLE was not given"),
    (OMIT, "VARIABLE was not given"),
    ({"ana": 1}, "VARIABLE is a dictionary, and must be a list"),
    (5349, "VARIABLE is the number 5349, and must be a list"),
    ([5349], "VARIABLE[0] is the number 5349, and must be text"),
    ([True], "VARIABLE[0] is true or false, and must be text"),
    ([None], "VARIABLE[0] is empty (null), and must be text"),
    ([""], "VARIABLE[0] '' is empty"),
    ([["ana"]], "VARIABLE[0] is a list, and must be text"),
]
FOLDER: list[tuple[Any, str]] = [
    ("", "VARIABLE was not given"),
    (None, "VARIABLE was not given"),
    ({"a": 1}, "VARIABLE is a dictionary, and must be text"),
    (["a"], "VARIABLE is a list, and must be text"),
    (5, "VARIABLE is the number 5, and must be text"),
]
ACCOUNT: list[tuple[Any, str]] = [
    (5349, "VARIABLE is the number 5349, and must be text"),
    (["ana"], "VARIABLE is a list, and must be text"),
    ({"ana": 1}, "VARIABLE is a dictionary, and must be text"),
    (False, "VARIABLE is true or false, and must be text"),
]
VALUES: dict[str, list[tuple[Any, str]]] = {
    "escrow_bootstrap_token_admin_user": ACCOUNT,
    "filevault_additional_users": PEOPLE,
    "filevault_defer_path": FOLDER,
    "filevault_recipients": [
        ([], ACCEPTED),
        ("age1one,age1other", ACCEPTED),
        (["age1one"], ACCEPTED),
        ([None], "VARIABLE[0] is empty (null), and must be text"),
        ([["age1one"]], "VARIABLE[0] is a list, and must be text"),
        (5, "VARIABLE[0] is the number 5, and must be text"),
        ({"a": 1}, "VARIABLE"),
    ],
    "filevault_store_dir": FOLDER,
    "filevault_user": ACCOUNT,
    "managed_admin_name": [*ACCOUNT, ("", "VARIABLE was not given"), (None, "VARIABLE was not given")],
    "managed_admin_store": [(5, "VARIABLE"), (["a"], "VARIABLE"), ("a", "VARIABLE"), ({"kind": "age"}, ACCEPTED)],
    "offboard_user_archive_dir": FOLDER,
    "offboard_user_names": NAMES,
    "onboard_mobile_user_admin_user": ACCOUNT,
    "onboard_mobile_user_users": [*PEOPLE, (None, "VARIABLE was not given")],
    "onboard_user_admin_user": ACCOUNT,
    "onboard_user_users": [*PEOPLE, (None, "VARIABLE was not given")],
    "leave_directory_users": [*PEOPLE, (None, "VARIABLE was not given")],
    "park_holder_name": [*ACCOUNT, ("", "VARIABLE was not given"), (None, "VARIABLE was not given")],
    "unlock_account_name": [*ACCOUNT, ("", "VARIABLE was not given"), (None, "VARIABLE was not given")],
    "unlock_account_store": [(5, "VARIABLE"), ({"kind": "age"}, ACCEPTED)],
    "python_candidates": [
        ([], ACCEPTED),
        ("/a", "VARIABLE is the text '/a', and must be a list"),
        ({"a": 1}, "VARIABLE is a dictionary, and must be a list"),
        ([5], "VARIABLE[0] is the number 5, and must be text"),
        (None, "VARIABLE was not given"),
    ],
    "python_minimum": [*FOLDER, (3.1, "VARIABLE is the number 3.1, and must be text")],
    "zero_touch_admin_user": [*ACCOUNT, ("", "VARIABLE was not given"), (None, "VARIABLE was not given")],
    "zero_touch_keys_dir": FOLDER,
    "zero_touch_mdm_rotation": [("kept", ACCEPTED), (None, "VARIABLE was not given"), (False, "VARIABLE")],
    "zero_touch_recipients": [(["age1one"], ACCEPTED), (5, "VARIABLE[0] is the number 5, and must be text")],
    "zero_touch_store": [(5, "VARIABLE"), (["a"], "VARIABLE"), (None, "VARIABLE")],
}
"""Variable -> its values, and what is said of each."""
if on_oldest_core():
    # It is asked for one variable of each kind, as the others are looked at by the same filter.
    ONE_OF_EACH = {repr(rows): variable for variable, rows in VALUES.items()}
    VALUES = {variable: VALUES[variable] for variable in ONE_OF_EACH.values()}


@pytest.fixture(scope="module")
def values(site: Site) -> Done:
    blocks = []
    for variable, rows in VALUES.items():
        role = next(one for one in ROLES if variable in options_of(one))
        blocks += [_including(role, {variable: value}, f"{variable}.{row}") for row, (value, _) in enumerate(rows)]
    return site.run([{"hosts": "alfa", "gather_facts": False, "tasks": blocks}], "--check")


@pytest.mark.parametrize("variable", VALUES)
def test_a_value_of_another_kind_is_right_or_refused_by_the_variables_name(values: Done, variable: str) -> None:
    said = _said(values)
    for row, (value, wanted) in enumerate(VALUES[variable]):
        told = said.get(f"{variable}.{row}", "nothing")
        if wanted == ACCEPTED:
            assert told.startswith("ACCEPTED"), (value, told)
        else:
            assert told.startswith("REFUSED"), (value, told)
            assert wanted.replace("VARIABLE", variable) in told, (value, told)


def test_no_refused_value_has_reached_a_module_or_a_secret_the_screen(values: Done) -> None:
    assert "s3cretpw" not in values.output
    given = [value for call in values.calls for value in call["options"].values() if isinstance(value, str)]
    assert given and [value for value in given if value.startswith(("5349", "/needed", "None", "{"))] == []


@pytest.mark.parametrize("variable", ["offboard_user_names", "onboard_user_users", "onboard_mobile_user_users"])
def test_an_empty_list_is_nothing_to_do_in_a_playbook_too(site: Site, variable: str) -> None:
    playbook = next(one for one in PLAYBOOKS if role_of(one) and variable in options_of(role_of(one)))
    done = site.run(f"keyholder.macos.{playbook}", "-e", json.dumps({variable: []}))
    assert done.rc == 0 and {call["module"] for call in done.calls} == {"trust_info"}, done.output


# --- hosts ---

OFFBOARD = "keyholder.macos.offboard"
STATUS = "keyholder.macos.status"
NOBODY = ("-e", '{"offboard_user_names": []}')
NO_GROUP = {"all": {"hosts": {"alfa": {"ansible_connection": "keyholder.macos.stand_in"}, "bravo": {}}}}


@pytest.mark.parametrize(
    ("playbook", "arguments", "hosts"),
    [
        (OFFBOARD, (), {"alfa", "bravo"}),
        (STATUS, ("-e", "keyholder_hosts=macs:!alfa"), {"bravo"}),
        (OFFBOARD, ("-e", '{"keyholder_hosts": ["alfa", "web"]}'), {"alfa", "web"}),
        (OFFBOARD, ("-e", "keyholder_hosts=all", "--limit", "bravo"), {"bravo"}),
        (OFFBOARD, ("-e", "keyholder_limit_required=true", "--limit", "bravo"), {"bravo"}),
        (STATUS, ("-e", "keyholder_limit_required=true"), {"alfa", "bravo"}),
    ],
)
def test_a_playbook_works_on_the_group_macs_or_on_what_it_is_told(
    site: Site, playbook: str, arguments: tuple[str, ...], hosts: set[str]
) -> None:
    done = site.run(playbook, *NOBODY, *arguments)
    assert done.rc == 0, done.output
    assert {call["host"] for call in done.calls} == hosts


@pytest.mark.parametrize(
    ("playbook", "inventory", "arguments", "said"),
    [
        (OFFBOARD, None, ("-e", "keyholder_hosts=alpha"), "keyholder_hosts names alpha (did you mean alfa?)"),
        (STATUS, None, ("-e", "keyholder_hosts=quebec", "--limit", "alfa"), "keyholder_hosts names quebec"),
        (OFFBOARD, None, ("-e", "keyholder_hosts=macs:!bravp"), "keyholder_hosts names bravp (did you mean bravo?)"),
        (OFFBOARD, None, ("-e", "keyholder_hosts=empty"), "keyholder_hosts is empty, which leaves no host"),
        (OFFBOARD, None, ("-e", "keyholder_hosts="), "keyholder_hosts is empty, and must name hosts"),
        (OFFBOARD, None, ("-e", '{"keyholder_hosts": []}'), "keyholder_hosts is empty, and must name hosts"),
        (OFFBOARD, NO_GROUP, (), "keyholder_hosts was not given, and the inventory has no group macs with hosts"),
        (OFFBOARD, None, ("-e", "keyholder_limit_required=true"), "and no limit was given: say which Macs are meant"),
        (OFFBOARD, None, ("-e", "keyholder_limit_required=true", "-e", "keyholder_hosts=alfa"), "no limit was given"),
        (OFFBOARD, macs({"keyholder_hosts": "bravo"}), (), "the inventory sets keyholder_hosts=bravo"),
        (STATUS, macs(bravo={"keyholder_hosts": "alfa"}), (), "the inventory sets keyholder_hosts=alfa"),
    ],
)
def test_hosts_that_are_not_certain_are_an_error(
    site: Site, playbook: str, inventory: dict[str, Any] | None, arguments: tuple[str, ...], said: str
) -> None:
    done = site.run(playbook, *NOBODY, *arguments, inventory=inventory)
    assert done.rc != 0 and done.calls == [], done.output
    assert said in done.output


def test_whom_to_grant_must_be_said_and_what_to_show_is_one_of_three(site: Site) -> None:
    for arguments, said in (
        (("keyholder.macos.grant",), "grant_user was not given"),
        ((STATUS, "-e", "keyholder_details=non"), "keyholder_details must be one of all, attention, none"),
    ):
        done = site.run(*arguments)
        assert done.rc != 0 and done.calls == [] and said in done.output, done.output


def test_hosts_by_an_import_win_over_those_of_the_inventory(site: Site) -> None:
    play = [{"import_playbook": STATUS, "vars": {"keyholder_hosts": "alfa"}}]
    done = site.run(play, inventory=macs({"keyholder_hosts": "bravo"}))
    assert done.rc == 0 and {call["host"] for call in done.calls} == {"alfa"}


def test_whoever_only_reads_or_checks_needs_no_group(site: Site) -> None:
    for arguments in ((STATUS,), (OFFBOARD, *NOBODY, "--limit", "alfa")):
        assert site.run(*arguments, inventory=NO_GROUP).rc == 0
    # ansible-lint does so with an inventory of its own.
    assert site.run(OFFBOARD, "--syntax-check", "-e", "keyholder_hosts=nowhere", inventory={"all": {}}).rc == 0


# --- the list of known names cannot rot ---

FILES = [
    path
    for path in sorted([*(ROOT / "roles").rglob("*"), *(ROOT / "playbooks").rglob("*")])
    if path.suffix in (".yml", ".j2") and path.parent.name != "meta" and "awx" not in path.parts
]


def _code(path: Path) -> str:
    lines = path.read_text(encoding="utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    return re.sub(r"keyholder\.macos\.\w+|{#.*?#}", "", text, flags=re.DOTALL)


def _walk(node: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(node, dict):
        yield from node.items()
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _walk(inner)


class _Loader(yaml.SafeLoader):
    """Read the tag !unsafe, too."""


_Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))


def _set_by(path: Path) -> set[str]:
    """The names that a file's tasks register or count by, whose values no run begins with."""
    if path.suffix != ".yml":
        return set()
    named = ("register", "loop_var", "index_var")
    return {value for key, value in _walk(yaml.load(path.read_text(encoding="utf-8"), _Loader)) if key in named}


def _options(path: Path) -> set[str]:
    """The names of the options that a file's tasks give to our modules."""
    if path.suffix != ".yml":
        return set()
    tasks = _walk(yaml.load(path.read_text(encoding="utf-8"), _Loader))
    return {name for key, value in tasks if str(key).startswith("keyholder.macos.") for name in value or ()}


REGISTERED = {name for path in FILES for name in _set_by(path)}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_whatever_a_task_or_template_uses_is_known(path: Path) -> None:
    ours = re.findall(rf"(?<![\w.'/-])(?:{'|'.join(_variables.prefixes())}|python_)\w+(?![\w-]*')", _code(path))
    assert set(ours) - REGISTERED - _options(path) - _variables.known() == set()


def test_what_is_registered_is_none_of_the_known() -> None:
    """Else nothing would tell the one from the other."""
    assert REGISTERED & (_variables.known() - {"keyholder_reading"}) == set()


@pytest.mark.parametrize(
    "path", [path for path in FILES if "tasks" in path.parts], ids=lambda path: str(path.parts[-3:])
)
def test_what_a_role_sets_for_itself_has_a_name_of_its_own(path: Path) -> None:
    """A fact outlives its role, and would be taken for a variable that somebody misspelt."""
    tree_of = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    facts = {name for key, value in _walk(tree_of) if key == "ansible.builtin.set_fact" for name in value}
    assert [name for name in facts if not name.startswith(("__", "ansible_"))] == []


def test_the_playbooks_variables_are_those_in_their_heads() -> None:
    heads = {name for playbook in ALL_PLAYBOOKS for name in documented(playbook)}
    of_roles = {name for role in ROLES for name in options_of(role)}
    assert heads - of_roles == set(_variables.OF_PLAYBOOKS)
    assert {name for playbook in ALL_PLAYBOOKS for name in used(playbook)} <= _variables.known()


def test_the_variables_of_awx_are_those_that_it_gives() -> None:
    kit = ROOT / "playbooks" / "awx"
    text = "\n".join(map(_code, kit.rglob("*.yml")))
    assert {name for name in _variables.OF_AWX if not re.search(rf"\b{name}\b", text)} == set()
    settings = yaml.load((kit / "vars" / "settings.yml").read_text(encoding="utf-8"), _Loader)
    given = {name for path in (kit / "project").rglob("*.yml") for name in re.findall(r"\bkeyholder_\w+", _code(path))}
    # What the project's own plays register, or set for a task, is not given.
    own = {"keyholder_marks", "keyholder_odd", "keyholder_unmarked"}
    assert (given | set(settings)) - own <= _variables.known()


def test_each_role_has_variables_of_its_name_alone() -> None:
    for role in ROLES:
        assert all(name.startswith(f"{role}_") for name in options_of(role))
        assert set(options_of(role)) <= _variables.known()
