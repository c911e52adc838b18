# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs as AWX runs them, by ansible-runner: slices make the same report as one run, and no job event holds a secret."""

from __future__ import annotations

import datetime
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from checks.environments import TREE, link_tree
from harness.recipients import HelpDesk, Safe
from harness.search import Search
from maclab.lab import Lab

sys.path.insert(0, str(Path(__file__).parent))

from test_definitions import AWX, CREDENTIALS, TEMPLATES

PROJECT = AWX / "project"
SECRETS = {
    "granter": "granter-9f3e-AWX",
    "ana": "ana-51c0-AWX",
    "ana's new one": "ana-82d7-AWX",
    "new": "nova-77aa-AWX",
    "deputy": "deputy-4e1b-AWX",
    "stan": "stan-c30a-AWX",
    "ada": "ada-d15e-AWX",
    "rui": "rui-06f9-AWX",
    "rui's old one": "rui-b8c2-AWX",
    "a wrong one": "wrong-e7d4-AWX",
    "of the store": "store-29ab-AWX",
}
BIN = Path(sys.executable).parent
SLICES = 4
Run = Callable[..., subprocess.Popen[bytes]]
MACS = 12


def person(name: str, password: str, **other: Any) -> dict[str, Any]:
    return {"name": name, "password": password, **other}


# Tasks of every_module.yml that change nothing: readings, and what is to fail.
UNCHANGED = {
    "Read the Mac",
    "Grant with a wrong password",
    "Keep an account from coming in over SSH",
    "Look at the store",
    "Make a mobile account local",
    "Unlock what is not locked",
}
# Where each module of ours has something to do.
EVERY = {
    "macos": "15.6",
    "updates": [{"version": "15.6.1"}],
    "accounts": [
        person("itadmin", SECRETS["granter"], admin=True, token=True),
        person("deputy", SECRETS["deputy"], admin=True, token=True),
        person("ana", SECRETS["ana"]),
        person("stan", SECRETS["stan"], token=True),
        person("rui", SECRETS["rui"], token=True, key_password=SECRETS["rui's old one"]),
    ],
    "mdm": {"enrolled": "ade", "bootstrap": {"supported": True}},
    "directory": {
        "node": "/Active Directory/CORP/corp.example.com",
        "users": [{"name": "ada", "full_name": "Ada", "password": SECRETS["ada"]}],
    },
}


# Whose passwords YAML would read as something else.
NUMBERS = {
    "macos": "15.6",
    "filevault": {"state": "off"},
    "accounts": [
        person("itadmin", "0123456701", admin=True, token=True),
        person("0012345", "12:34:56", full_name="Ana Sousa"),
    ],
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    people = [
        person("itadmin", SECRETS["granter"], admin=True, token=True),
        person("ana", SECRETS["ana"], full_name="Ana Sousa"),
    ]
    odd = [people[0] | {"token": False}, people[1] | {"token": True}]
    macs = {
        "plain": {"count": MACS - 4, "macos": "15.6", "python": "none", "accounts": people},
        "odd": {"count": 4, "macos": "13.6.9", "python": "none", "accounts": odd},
        "target": {"macos": "15.6", "accounts": people},
        "numbers": NUMBERS,
        "kept": {"macos": "15.6", "ssh_user": "ansible", "accounts": [person("ansible", "x-1", admin=True), *people]},
        "every": EVERY,
    }
    with Lab({"sudo_password": False, "macs": macs}, tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture(scope="module")
def run(lab: Lab) -> Iterator[Run]:
    """One job in a folder of its own, laid out as AWX does it."""
    with tempfile.TemporaryDirectory(prefix="kh-") as sockets:
        yield partial(_run, sockets, lab)


# Where AWX has written the file that a credential type asks for.
FILE = {"filename": "/runner/env/tmp0123"}


class _Unsafe(yaml.SafeDumper):
    """Marks each text, as AWX's own dumper does."""

    def represent_data(self, data: Any) -> yaml.Node:
        return self.represent_scalar("!unsafe", data) if isinstance(data, str) else super().represent_data(data)


def as_awx_writes(credentials: dict[str, dict[str, str]], answers: dict[str, Any]) -> str:
    """Return the extra variables of a job: what the credential types inject of these fields, by AWX's own kind of
    template, and the survey's answers. Ansible-core 2.19 and newer looks past the quotes in it."""
    jinja = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
    given: dict[str, Any] = {}
    for credential in CREDENTIALS:
        for name, template in credential["injectors"].get("extra_vars", {}).items():
            if credential["name"] in credentials:
                given[name] = jinja.from_string(template).render(**credentials[credential["name"]], tower=FILE)
    given |= answers
    return "".join(
        yaml.dump_all([{name: value}], Dumper=_Unsafe, default_flow_style=False) for name, value in given.items()
    )


def _run(
    sockets: str, lab: Lab, folder: Path, playbook: str, extra: dict[str, Any] | str, *arguments: str
) -> subprocess.Popen[bytes]:
    link_tree()
    for name in ("inventory", "env"):
        (folder / name).mkdir(parents=True)
    shutil.copy(lab.inventory, folder / "inventory" / "macs.yml")
    shutil.copytree(PROJECT, folder / "project", dirs_exist_ok=True)
    shutil.copy(Path(__file__).with_name("every_module.yml"), folder / "project")
    if isinstance(extra, str):
        (folder / "env" / "from-awx.yml").write_text(extra)
        arguments += ("-e", f"@{folder / 'env' / 'from-awx.yml'}")
    else:
        (folder / "env" / "extravars").write_text(json.dumps(extra))
    kept = {name: os.environ[name] for name in ("PATH", "LC_ALL") if name in os.environ}
    environment = kept | {
        "ANSIBLE_COLLECTIONS_PATH": str(TREE),
        "ANSIBLE_HOME": str(folder / "home"),
        "ANSIBLE_FORKS": "5",
        # The path of a control socket must be short, and a test's folder is not.
        "ANSIBLE_SSH_CONTROL_PATH_DIR": sockets,
        "HOME": str(folder / "home"),
        "LC_ALL": os.environ.get("LC_ALL", "C.UTF-8"),
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
    }
    argv = [str(BIN / "ansible-runner"), "run", str(folder), "-p", playbook, "--ident", "job", "-q"]
    argv += [f"--cmdline={' '.join(arguments)}"] if arguments else []
    return subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def ended(process: subprocess.Popen[bytes], folder: Path) -> Path:
    output, dummy = process.communicate(timeout=600)
    artifacts = folder / "artifacts" / "job"
    stdout = artifacts / "stdout"
    assert process.returncode == 0, output.decode() + (stdout.read_text() if stdout.exists() else "")
    return artifacts


def said(path: Path) -> dict[str, Any]:
    # Each run has an inventory of its own, which its commands name.
    report = json.loads(re.sub(r"-i \S+/inventory ", "-i INVENTORY ", path.read_text()))
    macs = {entry["host"]: {key: value for key, value in entry.items() if key != "read_at"} for entry in report["macs"]}
    return {"macs": macs, "summary": report["summary"]}


def test_four_slices_make_the_same_report(lab: Lab, run: Run, tmp_path: Path) -> None:
    hosts = sorted(name for name in lab.names if name not in ("target", "numbers", "kept", "every"))
    assert len(hosts) == MACS
    whole = tmp_path / "whole"
    report = {"keyholder_report": str(tmp_path / "report-whole")}
    ended(run(whole, "keyholder.macos.audit", report, "--limit", "!target,!numbers,!kept,!every"), whole)

    folders = [tmp_path / f"slice-{number}" for number in range(SLICES)]
    running = []
    for number, folder in enumerate(folders):
        # As AWX cuts an inventory: every fourth host, by name.
        mine = tmp_path / f"slice-{number}.txt"
        mine.write_text("\n".join(hosts[number::SLICES]) + "\n")
        extra = {"keyholder_report": str(tmp_path / f"report-{number}")}
        running.append(run(folder, "keyholder.macos.audit", extra, "--limit", f"@{mine}"))
    for process, folder in zip(running, folders, strict=True):
        ended(process, folder)
    saved = [str(tmp_path / f"report-{number}" / "audit.jsonl") for number in range(SLICES)]
    merge = tmp_path / "merge"
    extra = {"keyholder_report": str(tmp_path / "report-merged"), "keyholder_saved": saved}
    ended(run(merge, "keyholder.macos.audit_merge", extra), merge)

    merged = said(tmp_path / "report-merged" / "audit.json")
    assert len(merged["macs"]) == MACS
    assert {entry["state"] for entry in merged["macs"].values()} >= {"urgent"}
    assert merged == said(tmp_path / "report-whole" / "audit.json")


JOBS: list[tuple[str, dict[str, Any]]] = [
    ("audit", {}),
    (
        "grant",
        {
            "grant_user": "ana", "grant_password": SECRETS["ana"],
            "grant_admin_user": "itadmin", "grant_admin_password": SECRETS["granter"],
        },
    ),
    (
        "onboard",
        {
            "onboard_user_admin_user": "itadmin", "onboard_user_admin_password": SECRETS["granter"],
            "onboard_user_users": [{"name": "nova", "full_name": "Nova", "password": SECRETS["new"]}],
        },
    ),
]  # fmt: skip


@pytest.mark.parametrize(("playbook", "extra"), JOBS, ids=[name for name, _extra in JOBS])
def test_no_job_event_holds_a_secret(run: Run, tmp_path: Path, playbook: str, extra: dict[str, Any]) -> None:
    """What AWX shows is made of these files. Its input, env/extravars, is not among them."""
    folder = tmp_path / "job"
    given = {"keyholder_report": str(tmp_path / "report"), **extra}
    artifacts = ended(run(folder, f"keyholder.macos.{playbook}", given, "--limit", "target", "-vvv", "--diff"), folder)
    events = [json.loads(path.read_text()) for path in (artifacts / "job_events").glob("*.json")]
    ours = [
        one for one in events if str(one.get("event_data", {}).get("task_action", "")).startswith("keyholder.macos.")
    ]
    assert ours, "no event of a module of ours"
    # The command line names the extra variables' file, and not what is in it.
    assert Search(SECRETS).files([artifacts]) == []


def test_no_event_of_any_module_holds_a_secret(lab: Lab, run: Run, tmp_path: Path) -> None:
    """Each module with all that it may be told and may find out: passwords, a password that it makes, recovery keys."""
    folder, store = tmp_path / "job", tmp_path / "store.json"
    desk, safe = HelpDesk.new("help desk"), Safe.new()
    given = {
        **{f"secret_{re.sub(r'[^a-z]+', '_', name)}": secret for name, secret in SECRETS.items()},
        "store": str(store),
        "certificate": desk.pem,
        "recipient": safe.recipient,
    }
    process = run(folder, "every_module.yml", given, "--limit", "every", "-vvv", "--diff")
    artifacts = ended(process, folder)
    events = [json.loads(path.read_text()) for path in (artifacts / "job_events").glob("*.json")]
    results = [one["event_data"] for one in events if one["event"] in ("runner_on_ok", "runner_on_failed")]
    told = {one["task"]: one for one in results}
    modules = {path.stem for path in (TREE / "ansible_collections/keyholder/macos/plugins/modules").glob("*.py")}
    seen = {one["task_action"].removeprefix("keyholder.macos.") for one in results}
    # These are told no secret. The events of audit_report are those of the audits above; the two others make tables.
    assert modules - seen == {"audit_report", "fleet_summary", "preflight", "ready_for"}
    # They did what they were to do, so there was something to hide.
    assert told["Grant with a wrong password"]["res"]["reason"] == "user_password_wrong"
    for task, one in told.items():
        assert one["res"].get("changed") or task in UNCHANGED, task
    keys = {
        "the first key": desk.opened(told["Enable FileVault"]["res"]["recovery_key_encrypted"]),
        "the second key": safe.opened(told["Rotate the key"]["res"]["recovery_key_age"]),
    }
    assert keys["the first key"] != keys["the second key"] == lab.mac("every").state().filevault.prk
    made = {"the deputy's new password": json.loads(store.read_text())["current"]}
    assert made["the deputy's new password"] != SECRETS["deputy"]
    assert Search({**SECRETS, **keys, **made}).files([artifacts]) == []


# What YAML 1.1 reads as a number, a time, a date, a boolean or nothing, and what other readers on the way might touch.
WORDS = (
    "0123456701", "0700", "0o17", "0x1F", "0b101", "1_234_567", "+1234567890", "-7", "1.5", "1e5", "1.5e+3",
    ".inf", ".NaN", "12:34:56", "1:30", "2026-11-28", "2026-13-99", "2026-11-28T10:00:00Z", "2026-11-28 10:00:00",
    "yes", "No", "on", "OFF", "true", "False", "y", "null", "Null", "~", "=", "<<", "!!str x", "!unsafe x", "&a", "*a",
    "- x", "{{ 7*7 }}", "{% raw %}", "{# x #}", "{'a': 1}", "[1,2]", "@x", "`x`", "%x", "|", ">", "?", ": x", "a: b",
    "a #b", "$HOME", "${HOME}", "a\\b", "\\n", "'q'", '"q"', '"', "''", "\u00fc\u00e9\u00df", "\U0001f512", "<>&'",
    " x ", "\t", "a\nb\n", "x" * 20000,
)  # fmt: skip


@pytest.mark.parametrize("template", ["keyholder grant", "keyholder onboard", "keyholder filevault", "keyholder audit"])
def test_a_credential_arrives_as_it_is(template: str) -> None:
    """Each value through each credential type and ansible-core's own reading to the variable of the playbook."""
    playbook = next(one["playbook"] for one in TEMPLATES if one["name"] == template)
    *dummy, play = yaml.safe_load((PROJECT / playbook).read_text())
    loader = DataLoader()
    for word in WORDS:
        fields = {"admin_user": word, "admin_password": word, "password": word, "recipient": word}
        fields |= {"url": word, "user": word, "page": word}
        extra = as_awx_writes({one["name"]: fields for one in CREDENTIALS}, {})
        variables = {"hostvars": {"mac": {}}, "inventory_hostname": "mac", **loader.load(extra, json_only=False)}
        templar = Templar(loader, variables=variables)
        arrived = {
            name: templar.template(trust_as_template(value))
            for name, value in play["vars"].items()
            if isinstance(value, str) and "_json" in value
        }
        assert len(arrived) >= 2
        for name, value in arrived.items():
            assert value == ([word] if name == "filevault_recipients" else word), name


def test_a_password_that_yaml_takes_for_a_number_is_the_one_on_the_mac(lab: Lab, run: Run, tmp_path: Path) -> None:
    granter = {"admin_user": "itadmin", "admin_password": "0123456701"}
    jobs = {
        "grant": ("12:34:56", {"keyholder_target_name": '"0012345"'}),
        "onboard": ("2026-11-28", {"keyholder_target_name": "nova", "keyholder_target_full_name": '"0700"'}),
    }
    for playbook, (password, answers) in jobs.items():
        folder = tmp_path / playbook
        credentials = {"keyholder granter": granter, "keyholder target password": {"password": password}}
        job = run(folder, f"{playbook}.yml", as_awx_writes(credentials, answers), "--limit", "numbers")
        ended(job, folder)
    accounts = lab.mac("numbers").state().accounts
    assert (accounts["nova"].password, accounts["nova"].full_name) == ("2026-11-28", "0700")
    assert all(accounts[name].has_authority_token for name in ("0012345", "nova"))


@pytest.mark.parametrize("answer", ["0012345", "yes", "null", "2026-03-01", "12:30"])
def test_an_answer_that_is_no_text_any_more_is_refused(lab: Lab, run: Run, tmp_path: Path, answer: str) -> None:
    folder = tmp_path / "job"
    before = len(lab.mac("numbers").journal())
    process = run(folder, "offboard.yml", as_awx_writes({}, {"keyholder_target_name": answer}), "--limit", "numbers")
    process.communicate(timeout=600)
    shown = (folder / "artifacts" / "job" / "stdout").read_text()
    assert process.returncode != 0
    assert '"Account"' in shown and "[not_text]" in shown and "double quotes" in shown
    assert len(lab.mac("numbers").journal()) == before


def test_without_a_credential_the_reason_is_that_nothing_was_given(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "job"
    answers = {"keyholder_target_name": "newcomer", "keyholder_target_full_name": "New"}
    run(folder, "onboard.yml", as_awx_writes({}, answers), "--limit", "numbers").communicate(timeout=600)
    shown = (folder / "artifacts" / "job" / "stdout").read_text()
    assert "[option_missing]" in shown or "[granter_missing]" in shown, shown
    assert "[not_text]" not in shown
    # What the notification of the failed job says.
    assert stats_of(folder)["keyholder_failure"].startswith("1 Mac failed: numbers (")


def shown_of(process: subprocess.Popen[bytes], folder: Path) -> tuple[int, str]:
    process.communicate(timeout=600)
    return process.returncode, (folder / "artifacts" / "job" / "stdout").read_text()


def stats_of(folder: Path) -> dict[str, Any]:
    """What AWX keeps as the job's artifacts."""
    events = [json.loads(path.read_text()) for path in (folder / "artifacts" / "job" / "job_events").glob("*.json")]
    (stats,) = [one["event_data"].get("artifact_data", {}) for one in events if one["event"] == "playbook_on_stats"]
    return dict(stats)


@pytest.mark.parametrize("exposed", [True, False], ids=["exposed", "not exposed"])
def test_a_mark_is_found_by_the_next_job_where_the_folder_outlives_a_job(
    run: Run, tmp_path: Path, exposed: bool
) -> None:
    """A folder that AWX does not expose is one of the container's, and the job that writes there is successful."""
    said = []
    for number, kind in ((1, ()), (2, ("--check",))):
        folder = tmp_path / f"job-{number}"
        store = tmp_path / "keys" if exposed else folder / "of the container"
        rc, shown = shown_of(run(folder, "store.yml", {"keyholder_stores": [str(store)]}, *kind), folder)
        said.append((rc == 0, " ".join(shown.split())))
    assert said[0][0] and "marked. Launch this job with job type check now" in said[0][1]
    assert said[1][0] == exposed
    assert ("marked by an earlier job" if exposed else "[store_not_durable]") in said[1][1]


@pytest.mark.parametrize("limit", [(), ("--limit", "numbers")], ids=["without", "with"])
def test_what_changes_macs_does_nothing_without_a_limit(
    lab: Lab, run: Run, tmp_path: Path, limit: tuple[str, ...]
) -> None:
    """As setup.yml gives it to each template that changes Macs; a limit that is left empty is none."""
    before = {name: len(lab.mac(name).journal()) for name in lab.names}
    given = {"keyholder_limit_required": True, "keyholder_target_name": "who-is-not-there"}
    folder = tmp_path / "job"
    rc, shown = shown_of(run(folder, "offboard.yml", given, *limit), folder)
    reached = {name for name in lab.names if len(lab.mac(name).journal()) > before[name]}
    assert (rc == 0, reached) == ((True, {"numbers"}) if limit else (False, set())), shown
    assert ("no limit was given" in shown) == (not limit)


def test_a_failed_audit_tells_which_macs_and_one_with_a_limit_keeps_the_fleets_report(run: Run, tmp_path: Path) -> None:
    folder, reports = tmp_path / "job", tmp_path / "reports"
    given = {"keyholder_reports": str(reports), "keyholder_fail_on": "compliant"}
    rc, shown = shown_of(run(folder, "audit.yml", given, "--limit", "target"), folder)
    assert rc != 0
    assert stats_of(folder)["keyholder_failure"] == "1 Mac is not compliant: target", shown
    assert not (reports / "audit.html").exists() and (reports / "limited" / "audit.html").exists()
    merge = tmp_path / "merge"
    given = {
        "keyholder_report": str(tmp_path / "merged"),
        "keyholder_hosts": "target",
        "keyholder_fail_on": "compliant",
    }
    saved = {"keyholder_saved": [str(reports / "limited" / "audit.jsonl"), str(tmp_path / "none.jsonl")]}
    rc, shown = shown_of(run(merge, "audit_merge.yml", {**given, **saved}), merge)
    assert rc != 0
    assert stats_of(merge)["keyholder_failure"] == "1 Mac is not compliant: target", shown


@pytest.mark.parametrize(
    ("playbook", "words"), [("grant.yml", "ana: would be granted"), ("offboard.yml", "ana: would be removed")]
)
def test_job_type_check_shows_the_plan(lab: Lab, run: Run, tmp_path: Path, playbook: str, words: str) -> None:
    folder = tmp_path / "job"
    granter = {"keyholder granter": {"admin_user": "itadmin", "admin_password": SECRETS["granter"]}}
    answers = {"keyholder_target_name": "ana", "keyholder_target_password": SECRETS["ana"]}
    before = lab.mac("plain-001").state().accounts
    extra = as_awx_writes(granter, answers)
    rc, shown = shown_of(run(folder, playbook, extra, "--check", "--diff", "--limit", "plain-001"), folder)
    assert (rc, words in " ".join(shown.split())) == (0, True), shown
    assert lab.mac("plain-001").state().accounts == before


def test_a_persons_password_is_in_no_event(lab: Lab, run: Run, tmp_path: Path) -> None:
    """AWX hands a survey's password on as an extra variable, in a file of the job's input."""
    folder = tmp_path / "job"
    first = "f1rst {{ 7*7 }} \"w 'q # é"
    answers = {
        "keyholder_target_name": "newcomer", "keyholder_target_full_name": "New", "keyholder_target_password": first,
    }  # fmt: skip
    granter = {"keyholder granter": {"admin_user": "itadmin", "admin_password": "0123456701"}}
    job = run(folder, "onboard.yml", as_awx_writes(granter, answers), "--limit", "numbers", "-vvv", "--diff")
    artifacts = ended(job, folder)
    assert lab.mac("numbers").state().accounts["newcomer"].password == first
    assert Search({"first": first, "granter": "0123456701"}).files([artifacts]) == []


def test_a_persons_password_arrives_as_it_is_or_not_at_all(run: Run, tmp_path: Path) -> None:
    """There is no injector for an answer, so what YAML makes something else of has to be refused."""
    *dummy, play = yaml.safe_load((PROJECT / "grant.yml").read_text())
    given = trust_as_template(play["vars"]["grant_password"])
    *dummy, look = yaml.safe_load((PROJECT / "answers" / "texts.yml").read_text())[0]["tasks"]
    asked = trust_as_template("{{ " + look["ansible.builtin.assert"]["that"] + " }}")
    loader, arrived, refused = DataLoader(), set(), set()
    for word in WORDS:
        try:
            variables = loader.load(as_awx_writes({}, {"keyholder_target_password": word}), json_only=False)
        except Exception:  # Ansible itself ends the job: YAML parsing failed.
            refused.add(word)
            continue
        templar = Templar(loader, variables={"hostvars": {"mac": {}}, "inventory_hostname": "mac", **variables})
        if templar.template(asked):
            assert templar.template(given) == word
            arrived.add(word)
        else:
            refused.add(word)
    assert {"0123456701", "12:34:56", "yes", "null", "2026-11-28"} <= refused
    assert {"{{ 7*7 }}", "a #b", "'q'", '"q"', "$HOME"} <= arrived
    folder = tmp_path / "job"
    answers = {"keyholder_target_name": "ana", "keyholder_target_password": "0123456701"}
    rc, shown = shown_of(run(folder, "grant.yml", as_awx_writes({}, answers), "--limit", "target"), folder)
    assert rc != 0 and "[not_text]" in shown and '"keyholder target password"' in " ".join(shown.split())
    assert "0123456701" not in shown and "21913025" not in shown


def test_after_a_rotation_the_granter_comes_from_the_store(lab: Lab, run: Run, tmp_path: Path) -> None:
    """The example's inventory: another account logs in, and no credential can hold what differs from Mac to Mac."""
    safe, kept = Safe.new(), tmp_path / "passwords"
    (tmp_path / "identity").write_text(str(safe.identity))
    variables = yaml.safe_load((PROJECT / "inventory" / "macs.yml").read_text())["macs"]["vars"]
    variables["managed_admin_store"] |= {"directory": str(kept), "recipients": [safe.recipient]}
    assert variables["ansible_user"] == "ansible" != variables["managed_admin_name"] == "itadmin"

    def job(name: str, playbook: str, credentials: dict[str, dict[str, str]], **answers: Any) -> tuple[int, str]:
        folder = tmp_path / name
        # AWX writes the file of the identity, and says where it is.
        answers |= {"keyholder_store_identity": str(tmp_path / "identity"), "awx_job_id": "7"}
        extra = as_awx_writes(credentials, answers)
        (tmp_path / f"{name}.yml").write_text(yaml.safe_dump({"macs": {"hosts": {"kept": {}}, "vars": variables}}))
        # Both inventories are one, as AWX's is.
        return shown_of(run(folder, playbook, extra, "-i", str(tmp_path / f"{name}.yml"), "--limit", "kept"), folder)

    present = {"keyholder target password": {"password": SECRETS["granter"]}}
    rc, shown = job("unmarked", "managed_admin.yml", present, keyholder_target_name="itadmin")
    assert rc != 0 and "[store_not_durable]" in shown, shown
    store = tmp_path / "store"
    ended(run(store, "store.yml", {"keyholder_stores": [str(kept)]}), store)
    rc, shown = job("rotate", "managed_admin.yml", present, keyholder_target_name="itadmin")
    assert rc == 0, shown
    assert lab.mac("kept").state().accounts["itadmin"].password != SECRETS["granter"]
    person_ = {"keyholder_target_name": "ana", "keyholder_target_password": SECRETS["ana"]}
    rc, shown = job("grant", "grant.yml", {}, **person_)
    assert rc == 0, shown
    assert lab.mac("kept").state().accounts["ana"].has_authority_token


@pytest.mark.parametrize("playbook", ["audit.yml", "audit_merge.yml"])
def test_changes_since_so_many_days(playbook: str) -> None:
    (play,) = yaml.safe_load((PROJECT / playbook).read_text())
    given = trust_as_template(play["vars"]["keyholder_since"])

    def since(inventory: dict[str, str], **extra: Any) -> Any:
        variables = {"hostvars": {"mac": inventory}, "inventory_hostname": "mac", **extra}
        return Templar(DataLoader(), variables=variables).template(given)

    today = datetime.datetime.now(datetime.timezone.utc).date()
    days = {str(today - datetime.timedelta(days=number)) for number in (7, 6)}
    # It may be midnight.
    assert since({}, keyholder_since_days=7) in days
    assert since({"keyholder_since": "2026-03-01"}, keyholder_since_days=7) in days
    assert [since({}), since({}, keyholder_since_days="")] == ["", ""]
    assert since({"keyholder_since": "2026-03-01"}) == "2026-03-01"
