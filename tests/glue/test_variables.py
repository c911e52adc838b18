# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each variable of each role and playbook arrives in the options that it is meant for, and in no others.

The roles and playbooks are the real ones, run by the ansible-playbook under test. Only the modules are stood in for:
they write down their options and return what a Mac could have answered. Each switch and each choice is a case of its
own: a host that differs from one with the bare necessities in that alone. Texts and numbers, which no two variables
have alike, are given to one host together.
Whoever adds a variable gets a failure here until a module has an option of its name, or `ARRIVES` says where it goes.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import shlex
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from inmemory import LabRunner
from test_commands import encrypted

from ansible_collections.keyholder.macos.plugins.module_utils._reading.read import read_mac
from ansible_collections.keyholder.macos.plugins.module_utils._reading.summary import summary
from ansible_collections.keyholder.macos.plugins.module_utils._reading.view import view
from harness.ansible import binaries

ROOT = Path(__file__).resolve().parents[2]
STAND_IN = Path(__file__).parent / "stand_in"
ALL_PLAYBOOKS = sorted(path.stem for path in (ROOT / "playbooks").glob("*.yml"))
# on_event needs an event, and does what others do with their variables: tests/eda plays it.
PLAYBOOKS = [playbook for playbook in ALL_PLAYBOOKS if playbook != "on_event"]
# The one without a specification takes no variable.
ROLES = sorted(path.parts[-3] for path in (ROOT / "roles").glob("*/meta/argument_specs.yml"))
# What is done once for all Macs takes its variables from the play, not from one of them.
ONCE = ("audit", "audit_merge", "preflight", "status")


def options_of(role: str) -> dict[str, dict[str, Any]]:
    specs = yaml.safe_load((ROOT / "roles" / role / "meta" / "argument_specs.yml").read_text())
    found: dict[str, dict[str, Any]] = specs["argument_specs"]["main"]["options"]
    return found


@cache
def source(playbook: str) -> str:
    return (ROOT / "playbooks" / f"{playbook}.yml").read_text()


def role_of(playbook: str) -> str:
    names = re.findall(r"name: keyholder\.macos\.(\w+)", source(playbook))
    return next((name for name in names if name in ROLES), "")


def documented(playbook: str) -> set[str]:
    """The variables that the head of a playbook names."""
    head = "\n".join(line for line in source(playbook).splitlines() if line.startswith("#"))
    return set(re.findall(rf"\b(?:{PREFIXES})_\w*[a-z]\b", head))


def used(playbook: str) -> set[str]:
    """The variables of its own that a playbook's text takes, and not those that it sets."""
    text = "\n".join(line for line in source(playbook).splitlines() if not line.lstrip().startswith("#"))
    words = re.sub(r"keyholder\.macos\.\w+", "", text)
    own = set(re.findall(rf"\b(?:{'|'.join(OF_NO_ROLE)})_\w*[a-z]\b", words))
    return own - set(re.findall(r"(?:register: |set_stats:\n +data:\n +)(\w+)", text))


OF_NO_ROLE = ("keyholder", "grant", "macos_upgrade", "unlock")
PREFIXES = "|".join([*OF_NO_ROLE, *ROLES])


# --- what is given ---

NEEDED: dict[str, dict[str, Any]] = {
    "filevault": {"filevault_recipients": ["age1needed"], "filevault_user": "needed"},
    "grant": {"grant_user": "needed"},
    "upgrade": {"macos_upgrade_version": "26.1"},
    "managed_admin": {"managed_admin_name": "needed", "managed_admin_store": {"kind": "needed"}},
    "offboard": {"offboard_user_names": ["needed"]},
    "onboard": {"onboard_user_users": [{"name": "needed"}]},
    "ready_for": {"keyholder_ready_for": "upgrade"},
    "onboard_mobile": {"onboard_mobile_user_users": [{"name": "needed"}]},
    "zero_touch": {
        "zero_touch_admin_password": "needed",
        "zero_touch_admin_user": "needed",
        "zero_touch_filevault": True,
        "zero_touch_mdm_rotation": "stopped",
        "zero_touch_recipients": ["age1needed"],
        "zero_touch_store": {"kind": "command", "read": ["true"], "write": ["true"]},
    },
    "unlock": {"unlock_user": "needed", "unlock_password": "needed"},
}
"""What each playbook cannot do without."""


@dataclass(frozen=True)
class Case:
    """``variable`` as ``value``. ``entry``: not it, but this entry of its one element.

    Without a variable: what a case is compared with. ``beside``: the variable of that case.
    """

    playbook: str
    variable: str = ""
    value: Any = None
    entry: str = ""
    beside: str = ""

    @property
    def host(self) -> str:
        words = [self.playbook, self.variable or "needed", self.entry, _word(self.value), self.beside]
        return "-".join(word for word in words if word)

    @property
    def name(self) -> str:
        return f"{self.variable}.{self.entry}" if self.entry else self.variable

    @property
    def bare(self) -> Case:
        """The same without the variable."""
        return Case(self.playbook, beside=self.variable if self.variable in BESIDE else "")

    @property
    def variables(self) -> dict[str, Any]:
        needed = {**NEEDED.get(self.playbook, {}), **BESIDE.get(self.variable or self.beside, {})}
        if not self.variable:
            return needed
        return {
            **needed,
            self.variable: [{**needed[self.variable][0], self.entry: self.value}] if self.entry else self.value,
        }


@dataclass(frozen=True)
class Together:
    """Cases whose values tell from which variable they come."""

    cases: tuple[Case, ...]

    @property
    def playbook(self) -> str:
        return self.cases[0].playbook

    @property
    def bare(self) -> Case:
        return self.cases[0].bare

    @property
    def host(self) -> str:
        return f"{self.bare.host}-texts"

    @property
    def variables(self) -> dict[str, Any]:
        merged = dict(self.bare.variables)
        for case in self.cases:
            old = merged.get(case.variable)
            merged[case.variable] = [{**old[0], case.entry: case.value}] if case.entry and old else case.value
        return merged


@dataclass(frozen=True)
class Staged:
    """A case for a test of its own."""

    playbook: str
    title: str
    variables: Mapping[str, Any]

    @property
    def host(self) -> str:
        return f"{self.playbook}-{self.title}"


def _word(value: Any) -> str:
    return re.sub(r"\W", "", str(value))[:12] if isinstance(value, (bool, str)) else ""


def marks(name: str, about: Mapping[str, Any]) -> list[Any]:
    """Values that no default has."""
    default, kind = about.get("default"), about.get("type", "str")
    if "choices" in about:
        return [choice for choice in about["choices"] if choice != default]
    if kind == "bool":
        return [value for value in (True, False) if value is not default]
    if kind == "int":
        return [4000 + sum(name.encode())]
    if kind == "dict":
        return [{"marked": name}]
    if "options" in about:
        return [[{one: f"marked {one}" for one, of in about["options"].items() if of.get("required")}]]
    if kind == "list":
        return [[f"marked {name}", f"another {name}"]]
    return [f"/marked/{name}" if kind == "path" else f"marked_{name}"]


VALUES: dict[str, list[Any]] = {
    "keyholder_about": [{"marked": "about"}],
    "keyholder_columns": [["marked_column"]],
    "keyholder_fail_on": ["high"],
    "keyholder_include": [["preflight"]],
    "keyholder_lock_timeout": [4343],
    "keyholder_pack": [True],
    "keyholder_policy": [{"name": "marked policy"}],
    "keyholder_ready_accept": [["power"]],
    "keyholder_ready_battery": [77],
    "keyholder_ready_for": ["erase"],
    "keyholder_reader": ["module"],
    "keyholder_timeout": [4242],
    "grant_accept_pending": [True],
    "grant_allow_temporary_promotion": [True],
    "grant_first_token": [True],
    "macos_upgrade_accept": [["power"]],
    "macos_upgrade_battery": [45],
    "macos_upgrade_install_timeout": [4444],
    "macos_upgrade_lock_timeout": [4545],
    "macos_upgrade_reboot_timeout": [4646],
    "macos_upgrade_timeout": [4747],
    "macos_upgrade_version": ["99.1"],
    "offboard_user_names": [["marked"]],
    "onboard_user_accept_pending": [False],
}
"""Values that are no text, of variables that are in no role's specification or of a kind of their own."""


def _values(playbook: str, variable: str, about: Mapping[str, Any] | None) -> list[Any]:
    if variable == "keyholder_partial":
        # Of one Mac, an audit is a partial one by itself.
        return [playbook != "audit"]
    if variable in VALUES:
        return VALUES[variable]
    return marks(variable, about) if about else [f"marked_{variable}"]


def _cases() -> Iterator[Case]:
    for playbook in PLAYBOOKS:
        yield Case(playbook)
        role = role_of(playbook)
        options = options_of(role) if role else {}
        for variable in sorted(
            {*options, *documented(playbook), *used(playbook)} - set(ELSEWHERE) - NOT_ITS_OWN.get(playbook, set())
        ):
            about = options.get(variable)
            cases = [Case(playbook, variable, value) for value in _values(playbook, variable, about)]
            if about and isinstance(NEEDED.get(playbook, {}).get(variable), list):
                entries = about.get("options", {})
                cases += [
                    Case(playbook, variable, one, entry) for entry, of in entries.items() for one in marks(entry, of)
                ]
            yield from cases
            yield from {case.bare for case in cases} - {Case(playbook)}


# --- where it arrives ---

Places = dict[str, Any]
"""module.option -> the value that is due there."""

ELSEWHERE = {
    "escrow_bootstrap_token_prove": "test_when_the_escrow_is_proven",
    "filevault_recovery_key": "test_a_key_that_is_discarded",
    "filevault_store_marked": "test_a_store_that_must_be_marked",
    "filevault_rotate": "test_when_a_new_key_is_made",
    "keyholder_details": "test_whose_accounts_the_status_shows",
    "keyholder_hosts": "test_the_hosts",
    "keyholder_log": "integration/test_summary.py",
    "keyholder_max_fail_percentage": "integration/test_summary.py",
    "keyholder_serial": "integration/test_summary.py",
    "keyholder_summary": "integration/test_summary.py",
    "zero_touch_escrow": "integration/test_zero_touch.py",
    "zero_touch_filevault": "integration/test_zero_touch.py",
    "zero_touch_keys_marked": "test_a_store_that_must_be_marked",
    "zero_touch_mdm_rotation": "integration/test_zero_touch.py",
    "zero_touch_store": "integration/test_zero_touch.py",
}
"""Variables that no module is told of, and the test that has them."""

NOT_ITS_OWN = {"audit_merge": {"keyholder_pack"}, "status": {"keyholder_policy"}}
"""Variables of another playbook that the head of this one speaks of, and one that it takes by a filter:
test_what_the_status_judges_by has it."""

ON = {"enabled": True, "users": ["needed"], "personal_recovery_key": True, "recovery_key_pending": False}
ENCRYPTED = {
    "filevault": {
        "changed": False,
        "state": dict.fromkeys(("before", "after"), ON),
    },
    "filevault_recovery_key": {"changed": True, "plan": []},
}
"""What a Mac answers whose FileVault is on."""

ROTATED = {"filevault_rotate": True, "answers": ENCRYPTED}
BESIDE: dict[str, dict[str, Any]] = {
    "filevault_password": ROTATED,
    "filevault_state": {"answers": ENCRYPTED},
    "filevault_user": ROTATED,
}
"""What is given with a variable, and without it, so that everything that takes it is reached."""


def _as_is(*places: str) -> Callable[[Any], Places]:
    return lambda value: dict.fromkeys(places, value)


def _named(module: str) -> Callable[[Any], Places]:
    return lambda people: {f"{module}.name": people[-1]["name"]}


ARRIVES: dict[str, Callable[[Any], Places]] = {
    "filevault_defer_path": _as_is("filevault.defer_path", "filevault_recovery_key.path"),
    "filevault_state": _as_is("filevault.state"),
    "filevault_store_dir": _as_is("recovery_key_store.folder"),
    "keyholder_preflight_fail_on": _as_is("preflight.fail_on"),
    "keyholder_preflight_file": _as_is("preflight.dest"),
    "keyholder_ready_accept": _as_is("ready_for.accept"),
    "keyholder_ready_battery": _as_is("ready_for.battery"),
    "keyholder_ready_for": _as_is("ready_for.what"),
    "keyholder_ready_user": _as_is("ready_for.user"),
    "keyholder_report": _as_is("audit_report.dest"),
    "keyholder_report_formats": _as_is("audit_report.formats"),
    "keyholder_report_title": _as_is("audit_report.title"),
    # The task before has looked into the store of keys.
    "macos_upgrade_accept": lambda names: {"ready_for.accept": names, "macos_upgrade.accept": [*names, "recovery_key"]},
    "offboard_user_archive_dir": lambda folder: {"offboard.archive": f"{folder}/needed.tar.gz"},
    "offboard_user_names": lambda names: {
        "offboard.name": names[0],
        "offboard.archive": f"/var/root/{names[0]}.tar.gz",
    },
    "onboard_mobile_user_users": _named("mobile_account"),
    # Where nobody can grant, a token that comes at a login is good enough.
    "onboard_user_admin_user": lambda name: {"account.admin_user": name, "account.accept_pending": False},
    "onboard_user_users": _named("account"),
    "zero_touch_admin_password": _as_is(
        "secure_token.password",
        "managed_password.current_password",
        "bootstrap_token.admin_password",
        "filevault.password",
    ),
    "zero_touch_admin_user": _as_is(
        "secure_token.user",
        "managed_password.name",
        "bootstrap_token.admin_user",
        "filevault.user",
    ),
    "zero_touch_allow_own_account": _as_is("managed_password.allow_own_account"),
    "zero_touch_key_password": _as_is("managed_password.key_password"),
    "zero_touch_keys_dir": _as_is("recovery_key_store.folder"),
}
"""Variables that do not go to every option of their own name."""


def due(case: Case, modules: set[str]) -> Places:
    if case.name in ARRIVES:
        return ARRIVES[case.name](case.value)
    own = next((one for one in OF_NO_ROLE if case.variable.startswith(f"{one}_")), "")
    prefix = role_of(case.playbook) or own
    option = case.entry or case.variable.removeprefix(f"{prefix}_")
    return {f"{module}.{option}": case.value for module in modules if option in module_options(module)}


@cache
def module_options(module: str) -> frozenset[str]:
    plugin = importlib.import_module(f"ansible_collections.keyholder.macos.plugins.modules.{module}")
    about = yaml.safe_load(plugin.DOCUMENTATION)
    options = set(about["options"])
    for fragment in about.get("extends_documentation_fragment", []):
        own = importlib.import_module(
            f"ansible_collections.keyholder.macos.plugins.doc_fragments.{fragment.split('.')[2]}"
        )
        text = getattr(
            own.ModuleDocFragment, fragment.split(".")[3].upper() if fragment.count(".") > 2 else "DOCUMENTATION"
        )
        options |= set(yaml.safe_load(text).get("options", {}))
    return frozenset(options)


# --- how they are run ---

READ = read_mac(LabRunner(encrypted()), 60)
TOKEN = {"exists": True, "secure_token": "holder", "token_dialog_suppressed": None}
ANSWERS: dict[str, dict[str, Any]] = {
    "account": {"changed": True, "state": {"before": {"exists": False}, "after": TOKEN}},
    "audit_report": {
        "changed": False,
        "summary": ["a line"],
        "files": ["a file"],
        "packed": {"keyholder_packed_a": "b"},
    },
    "bootstrap_token": {
        "changed": True,
        "plan": [],
        "state": {"before": {}, "after": {"status": "valid", "preflight": None}},
    },
    "filevault": {
        "changed": True,
        "recovery_key_age": "an encrypted key",
        "state": {
            "before": {"enabled": False, "recovery_key_pending": False},
            "after": {
                "enabled": True,
                "users": ["needed"],
                "personal_recovery_key": True,
                "recovery_key_pending": False,
            },
        },
    },
    "filevault_recovery_key": {"changed": False, "plan": ["a step"], "recovery_key_age": "an encrypted key"},
    "filevault_unlock": {"changed": True, "outcome": "unlocked"},
    "managed_password": {"changed": True, "rotated": True, "healed": False},
    "macos_upgrade": {"changed": True, "state": {"before": {"version": "15.6"}, "after": {"version": "26.1"}}},
    "mobile_account": {"changed": True, "state": {"before": {"exists": False}, "after": TOKEN}},
    "offboard": {"changed": True, "state": {"before": {}, "after": {"remain": {"admin_holders": ["itadmin"]}}}},
    "preflight": {"changed": False, "verdicts": [], "lines": ["a line"], "problem": ""},
    "repair": {"changed": True, "plan": ["repair"], "findings": [{"kind": "x", "who": "x", "what": "x"}]},
    "ready_for": {"changed": False, "ready": "ready", "summary": "ready for upgrade", "findings": []},
    "recovery_key_store": {
        "changed": True,
        **{files: [] for files in ("present", "unproven", "earlier")},
        "interrupted": False,
        "seen": "seen",
    },
    "secure_token": {"changed": True},
    "trust_info": {"changed": False, "mac": view(READ, ()), "summary": summary(READ)},
}
"""What a Mac could have answered: enough for roles to go through all of their tasks."""


@dataclass
class Calls:
    """host -> what each module was given there, in order."""

    folder: Path
    output: str
    rc: int
    by_case: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))

    def values(self, case: Case | Together | Staged) -> dict[str, list[Any]]:
        """module.option -> each value that it was given."""
        found: dict[str, list[Any]] = defaultdict(list)
        for call in self.by_case[case.host]:
            for option, value in call["options"].items():
                found[f"{call['module']}.{option}"].append(value)
        return found


def tree(folder: Path) -> Path:
    """The collection with other actions: one stands in for each module."""
    collection = folder / "ansible_collections" / "keyholder" / "macos"
    (collection / "plugins" / "action").mkdir(parents=True)
    for name in ("meta", "galaxy.yml", "roles", "playbooks"):
        (collection / name).symlink_to(ROOT / name)
    for own in (ROOT / "plugins").iterdir():
        if own.is_dir() and own.name != "action":
            (collection / "plugins" / own.name).symlink_to(own)
    for module in (ROOT / "plugins" / "modules").glob("*.py"):
        # The summary reaches no Mac, and says which of them failed.
        own = ROOT / "plugins" / "action" / module.name if module.stem == "fleet_summary" else STAND_IN / "recorder.py"
        (collection / "plugins" / "action" / module.name).symlink_to(own)
    connection = collection / "plugins" / "connection"
    connection.mkdir()
    (connection / "stand_in.py").symlink_to(STAND_IN / "connection.py")
    return folder


def _hosts(playbook: str, host: str) -> dict[str, str]:
    return {"keyholder_hosts": "localhost" if playbook == "audit_merge" else host}


def play(folder: Path, cases: Sequence[Case | Together | Staged]) -> Calls:
    """Run each playbook: on all of its cases at once, or once for each where it does something once for all."""
    plays: list[dict[str, Any]] = []
    hosts: dict[str, Any] = {}
    for playbook in PLAYBOOKS:
        own = [case for case in cases if case.playbook == playbook]
        name = f"keyholder.macos.{playbook}"
        hosts |= {case.host: {} if playbook in ONCE else case.variables for case in own}
        if playbook in ONCE:
            plays += [
                {"import_playbook": name, "vars": {**_hosts(playbook, case.host), "case": case.host, **case.variables}}
                for case in own
            ]
        elif own:
            plays.append({"import_playbook": name, "vars": {"keyholder_hosts": [case.host for case in own]}})
    here = {
        "ansible_connection": "local",
        "ansible_become": False,
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
    }
    # No playbook is this role's own. The connection that stands in for a Mac's answers for the script.
    plays.append({"hosts": "python", "gather_facts": False, "roles": ["keyholder.macos.python"]})
    hosts["python"] = {**PYTHON, "ansible_connection": "keyholder.macos.stand_in"}
    inventory = {"all": {"hosts": hosts, "vars": here}}
    (folder / "inventory.yml").write_text(json.dumps(inventory))
    (folder / "play.yml").write_text(json.dumps(plays))
    (folder / "answers.json").write_text(json.dumps(ANSWERS))
    (folder / "calls").touch()
    (folder / "home").mkdir()
    environment = {
        "ANSIBLE_COLLECTIONS_PATH": str(tree(folder / "tree")),
        "ANSIBLE_HOME": str(folder / "home"),
        "ANSIBLE_FORKS": "4",
        "HOME": str(folder / "home"),
        "KEYHOLDER_ANSWERS": str(folder / "answers.json"),
        "KEYHOLDER_CALLS": str(folder / "calls"),
        "LC_ALL": os.environ.get("LC_ALL", "C.UTF-8"),
        "PATH": os.environ["PATH"],
    }
    argv = [binaries() / "ansible-playbook", "-i", folder / "inventory.yml", folder / "play.yml"]
    done = subprocess.run(argv, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=600)
    calls = Calls(folder, done.stdout + done.stderr, done.returncode)
    for line in (folder / "calls").read_text().splitlines():
        call = json.loads(line)
        calls.by_case[call["case"]].append(call)
    return calls


def _is_like_others(case: Case) -> bool:
    if isinstance(case.value, bool) or case.variable in ALONE:
        return True
    about = options_of(role_of(case.playbook)).get(case.variable, {}) if role_of(case.playbook) else {}
    about = about.get("options", {}).get(case.entry, {}) if case.entry else about
    return "choices" in about or "options" in about


def _together() -> Iterator[Case | Together]:
    alike: dict[Case, list[Case]] = defaultdict(list)
    for case in CASES:
        if case.variable and _is_like_others(case):
            yield case
        elif case.variable:
            alike[case.bare].append(case)
    yield from (Together(tuple(cases)) for cases in alike.values())


ALONE = {"offboard_user_names"}
CASES = list(_cases())
BARE = [case for case in CASES if not case.variable]
VARIED = list(_together())

UNCHANGED = {"bootstrap_token": {"changed": False}}
NOT_ESCROWED = Staged("escrow_bootstrap_token", "never", {"escrow_bootstrap_token_prove": "never"})
ALREADY = Staged("escrow_bootstrap_token", "already", {"answers": UNCHANGED})
ALWAYS = Staged("escrow_bootstrap_token", "always", {"answers": UNCHANGED, "escrow_bootstrap_token_prove": "always"})
FILEVAULT = NEEDED["filevault"]
KEPT = Staged("filevault", "kept", {**FILEVAULT, "answers": ENCRYPTED})
NEW_KEY = Staged("filevault", "new-key", {**FILEVAULT, "answers": ENCRYPTED, "filevault_rotate": True})
DISCARDED = Staged("filevault", "discarded", {**NEW_KEY.variables, "filevault_recovery_key": "discard"})
MARKED = Staged("filevault", "marked", {**FILEVAULT, "filevault_store_marked": True})
MARKED_TOO = Staged("zero_touch", "marked", {**NEEDED["zero_touch"], "zero_touch_keys_marked": True})
NOBODY = Staged("status", "nobody", {"keyholder_details": "none"})
EVERYBODY = Staged("status", "everybody", {"keyholder_details": "all"})
RULE = {"id": "marked_rule", "title": "x", "severity": "low", "rationale": "x", "remedy": "x", "fail_when": "true"}
JUDGED = Staged("status", "judged", {"keyholder_policy": {"rules": [RULE]}})
PYTHON = {
    "python_minimum": "3.10",
    "python_candidates": ["/marked/python3"],
    "python_package": "https://marked.example/python.pkg",
    "python_package_sha256": "abc123",
}
STAGED = [NOT_ESCROWED, ALREADY, ALWAYS, KEPT, NEW_KEY, DISCARDED, MARKED, MARKED_TOO, NOBODY, EVERYBODY, JUDGED]


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Calls:
    done = play(tmp_path_factory.mktemp("glue"), [*BARE, *VARIED, *STAGED])
    assert done.rc == 0, "\n".join(re.findall(r"(?m)^(?:fatal|failed|\[ERROR\]).*", done.output))[:4000]
    return done


@pytest.mark.parametrize("case", VARIED, ids=lambda case: case.host)
def test_it_arrives_where_it_is_meant_to_and_nowhere_else(calls: Calls, case: Case | Together) -> None:
    bare, given = calls.values(case.bare), calls.values(case)
    modules = {call["module"] for call in calls.by_case[case.bare.host]}
    expected: Places = {}
    for one in case.cases if isinstance(case, Together) else [case]:
        places = due(one, modules)
        assert places, f"no module that {case.playbook} uses has an option of the name {one.name}"
        expected |= places
    assert {place for place in {*bare, *given} if bare.get(place) != given.get(place)} == set(expected)
    for place, value in expected.items():
        assert [one for one in given[place] if not _says(one, value)] == [], place


def _says(given: Any, value: Any) -> bool:
    """Before ansible-core 2.19 a template gives a text for a number, which the module reads as one."""
    return bool(given == value or (isinstance(given, str) and not isinstance(value, str) and given == str(value)))


def test_every_task_that_can_be_told_a_timeout_is(calls: Calls) -> None:
    untold = {
        (case, call["module"])
        for case, own in calls.by_case.items()
        for call in own
        if call["module"] != "raw" and "timeout" in module_options(call["module"]) and "timeout" not in call["options"]
    }
    assert not untold


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_what_a_playbook_takes_stands_in_its_head(playbook: str) -> None:
    named = documented(playbook)
    # The merge takes the audit's variables by this one's name, and all that begin so.
    assert {
        name for name in used(playbook) if not (name in named or "keyholder_report" in named & {name[:16]})
    } == set()
    role = role_of(playbook)
    assert {name for name in named if name.startswith(f"{role}_")} <= set(options_of(role) if role else {f"{role}_"})


def _states(calls: Calls, case: Staged, module: str) -> list[str]:
    states: list[str] = calls.values(case)[f"{module}.state"]
    return states


def test_when_the_escrow_is_proven(calls: Calls) -> None:
    proven, not_proven = ["escrowed", "validated"], ["escrowed"]
    assert calls.values(Case("escrow_bootstrap_token"))["bootstrap_token.state"] == proven
    assert _states(calls, NOT_ESCROWED, "bootstrap_token") == not_proven
    assert _states(calls, ALREADY, "bootstrap_token") == not_proven
    assert _states(calls, ALWAYS, "bootstrap_token") == proven


def test_when_a_new_key_is_made(calls: Calls) -> None:
    assert _states(calls, KEPT, "filevault_recovery_key") == ["collected"]
    assert _states(calls, NEW_KEY, "filevault_recovery_key") == ["collected", "rotated"]


def test_a_key_that_is_discarded(calls: Calls) -> None:
    """It is not taken over from a deferral either."""
    given = calls.values(DISCARDED)
    assert given["filevault.recovery_key"] == ["discard"]
    assert (given["filevault_recovery_key.state"], given["filevault_recovery_key.recovery_key"]) == (
        ["rotated"],
        ["discard"],
    )
    assert "recovery_key_store.state" not in given


@pytest.mark.parametrize("case", [MARKED, MARKED_TOO], ids=lambda case: case.playbook)
def test_a_store_that_must_be_marked(calls: Calls, case: Staged) -> None:
    """Only the last look, for the report, asks for no mark."""
    assert calls.values(case)["recovery_key_store.marked"] == [True, True, True, True, False]


def test_a_store_that_need_not_be_marked(calls: Calls) -> None:
    assert calls.values(Case("filevault"))["recovery_key_store.marked"] == [False]


def test_whose_accounts_the_status_shows(calls: Calls) -> None:
    """The accounts stand below the table, each with its name."""
    assert "rui" in _report(calls, EVERYBODY) and "rui" not in _report(calls, NOBODY)


def test_what_the_status_judges_by(calls: Calls) -> None:
    assert "marked_rule" in _report(calls, JUDGED) and "marked_rule" not in _report(calls, NOBODY)


def _report(calls: Calls, case: Staged) -> str:
    """What the play of this host alone has printed."""
    return next(part for part in calls.output.split("\nPLAY [") if f"ok: [{case.host}]" in part)


def test_the_hosts(calls: Calls) -> None:
    """Each play ran on the hosts of its case alone."""
    for playbook in PLAYBOOKS:
        bare = Case(playbook)
        on = {call["host"] for call in calls.by_case[bare.host]}
        assert on == {"localhost" if playbook == "audit_merge" else bare.host}
    expected = {tuple(value) for value in calls.values(Case("audit_merge"))["audit_report.expected"]}
    assert expected == {()}


def test_the_role_python(calls: Calls) -> None:
    """It has no module: its variables are the arguments of a script."""
    assert set(PYTHON) == set(options_of("python"))
    (call,) = calls.by_case["python"]
    words = shlex.split(call["options"]["command"].splitlines()[0].partition("set -- ")[2])
    wanted = ["act", PYTHON["python_minimum"], PYTHON["python_package"], PYTHON["python_package_sha256"]]
    assert words[:4] == wanted and PYTHON["python_candidates"][0] in words[4:]
