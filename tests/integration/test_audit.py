# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook audit over a mixed fleet: one truthful picture, the same with --check, in one SSH exec a Mac."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from harness.ansible import Ansible, Run
from harness.macs import PASSWORDS, mac
from harness.search import Search
from maclab import journal
from maclab.lab import Lab

AUDIT, MERGE = Path("keyholder.macos.audit"), Path("keyholder.macos.audit_merge")
MANAGED: dict[str, Any] = {
    "filevault": {"state": "on", "prk": True},
    "mdm": {"enrolled": "ade", "bootstrap": {"supported": True, "escrowed": True}},
}
EVIL = '=HYPERLINK("http://x")</script><script>alert(1)</script>'
# A Mac; the state that the audit finds it in; words of the reason.
EXPECTED = {
    "fine": ("compliant", "itadmin can grant tokens"),
    "no-admin": ("at_risk", "no administrator holds a token, only stan"),
    "waiting": ("attention", "helper gets a token at the first graphical login (an SSH login does not count)"),
    "phantoms": ("urgent", "the sources disagree about rui"),
    "open": ("urgent", "FileVault: off"),
    "old": ("urgent", "FileVault: off"),
    "hangs": ("unknown", "could not be read"),
    "refuses": ("refused", "sudo password"),
    "gone": ("unreachable", "its port refuses connections"),
}
POLICY = {
    # The lab's passwords are as old as its first commit.
    "parameters": {"managed_admins": ["itadmin"], "password_max_age_days": 36500},
    "rules": [{"id": "recovery_key_escrowed", "enabled": False}],
    "exemptions": [
        {
            "rule": "managed_admin_is_holder",
            "macs": ["no-admin", "waiting"],
            "by": "tests",
            "until": "2999-01-01",
            "why": "a test",
        }
    ],
}
pytestmark = pytest.mark.every_core


def bare(version: str, *accounts: str | dict[str, Any], **other: Any) -> dict[str, Any]:
    return mac(version, *accounts, **other) | {"python": "none"}


class Audited(NamedTuple):
    """One run of the playbook, the report that it left, and what the Macs noted."""

    run: Run
    folder: Path
    entries: Mapping[str, list[journal.Entry]]

    @property
    def report(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.folder / "audit.json").read_text(encoding="utf-8"))
        return content

    @property
    def macs(self) -> dict[str, dict[str, Any]]:
        return {entry["host"]: entry for entry in self.report["macs"]}


@pytest.fixture(scope="module")
def lab(bring_up: Callable[[Mapping[str, Any]], Lab]) -> Lab:
    evil = {"name": "evil", "full_name": EVIL, "password": PASSWORDS["ana"], "token": True}
    return bring_up(
        {
            "fine": bare("15.6", "itadmin", "stan", evil, **MANAGED),
            "no-admin": bare("15.6", "helper", "stan", filevault=MANAGED["filevault"]),
            "waiting": bare("15.6", "helper", "stan", **MANAGED),
            "phantoms": bare("26.1", "itadmin", "rui", **MANAGED),
            "open": bare("15.6", "itadmin", mdm=MANAGED["mdm"]),
            "old": bare("10.13.6", "itadmin"),
            "hangs": bare("15.6", "itadmin", faults=[{"fault": "hang", "program": "diskutil"}], **MANAGED),
            "refuses": bare("15.6", {"name": "locked", "admin": True, "password": "x-1", "sudo_password": True}),
        }
    )


@pytest.fixture(scope="module")
def inventory(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a Mac that nobody answers for, and one whose password for sudo nobody has."""
    path = tmp_path_factory.mktemp("inventory") / "gone.yml"
    gone = {"ansible_host": "127.0.0.1", "ansible_port": 9}
    path.write_text(yaml.safe_dump({"macs": {"hosts": {"gone": gone, "refuses": {"ansible_become_password": ""}}}}))
    return path


Play = Callable[..., Audited]


@pytest.fixture(scope="module")
def play(ansible: Ansible, lab: Lab, inventory: Path, tmp_path_factory: pytest.TempPathFactory) -> Play:
    def run(*arguments: str, **variables: Any) -> Audited:
        folder = tmp_path_factory.mktemp("report")
        given = {"keyholder_report": str(folder), "keyholder_policy": POLICY, "keyholder_timeout": 8, **variables}
        before = {name: len(lab.mac(name).journal()) for name in lab.names}
        told = folder / "vars.json"
        told.write_text(json.dumps(given))
        ran = ansible.playbook(AUDIT, lab.inventory, "-i", str(inventory), "-e", f"@{told}", *arguments)
        return Audited(ran, folder, {name: lab.mac(name).journal()[seen:] for name, seen in before.items()})

    return run


@pytest.fixture(scope="module")
def checked(play: Play) -> Audited:
    return play("--check")


@pytest.fixture(scope="module")
def audited(play: Play, checked: Audited) -> Audited:
    return play()


def test_it_ends_well_whoever_is_missing(audited: Audited, checked: Audited) -> None:
    assert audited.run.rc == 0, audited.run.output[-3000:]
    assert checked.run.rc == 0, checked.run.output[-3000:]


def test_no_mac_that_is_missing_prints_an_error_of_ansible(audited: Audited, checked: Audited) -> None:
    for one in (audited, checked):
        assert not [word for word in ("fatal:", "ERROR", "...ignoring", "ssh: connect") if word in one.run.output]


@pytest.mark.parametrize("name", EXPECTED)
def test_each_mac_is_in_its_state(audited: Audited, name: str) -> None:
    state, words = EXPECTED[name]
    entry = audited.macs[name]
    assert entry["state"] == state, entry["why"]
    assert words in entry["why"]


def test_check_mode_says_the_same(audited: Audited, checked: Audited) -> None:
    def said(one: Audited) -> dict[str, Any]:
        return {
            host: {key: value for key, value in entry.items() if key != "read_at"} for host, entry in one.macs.items()
        }

    assert said(checked) == said(audited)


@pytest.mark.parametrize("name", [name for name in EXPECTED if name != "gone"])
def test_one_exec_no_login_no_write(audited: Audited, checked: Audited, name: str) -> None:
    for one in (audited, checked):
        entries = one.entries[name]
        # A verdict that rests on the Bootstrap Token is worth a second one.
        assert len(journal.execs(entries)) == (2 if name == "waiting" else 1)
        programs = [run for run in journal.programs(entries) if run.program != "sudo"]
        assert not [run for run in programs if run.writes or run.authentications]
        assert bool(programs) == (name != "refuses")


def test_every_form_is_there(audited: Audited) -> None:
    names = {path.name for path in audited.folder.iterdir() if path.name.startswith("audit")}
    assert names == {
        "audit.html", "audit.json", "audit.csv", "audit-findings.csv", "audit.xml", "audit.md", "audit.jsonl",
    }  # fmt: skip
    with (audited.folder / "audit.csv").open(newline="") as stream:
        assert {row["mac"]: row["state"] for row in csv.DictReader(stream)} == {
            name: state for name, (state, _words) in EXPECTED.items()
        }


def test_the_policy_of_the_play_counts(audited: Audited) -> None:
    findings = {one["rule"]: one for one in audited.macs["no-admin"]["findings"]}
    assert findings["managed_admin_is_holder"]["result"] == "exempt"
    assert "recovery_key_escrowed" not in findings


def test_a_hostile_name_is_only_a_name(audited: Audited) -> None:
    assert EVIL in [one["full_name"] for one in audited.macs["fine"]["mac"]["accounts"]]
    assert "<script>alert" not in (audited.folder / "audit.html").read_text(encoding="utf-8")


def test_no_secret_is_in_it(audited: Audited) -> None:
    search = Search(PASSWORDS)
    assert search.files([audited.folder]) + search.text("the output", audited.run.output) == []


def test_the_summary_is_for_a_person(audited: Audited) -> None:
    (said,) = [line.result["msg"] for line in audited.run.lines if line.task == "Show the summary"]
    assert said[0].startswith("Recoverable: 4 of 9 Macs (") and said[0].endswith(", 1 unknown, 2 not read)")
    assert said[1].startswith("Compliant: 1 of 9 Macs (")
    assert "2 Macs: FileVault: off [high, filevault_on]" in said
    (command,) = [line for line in said if "run: ansible-playbook keyholder.macos.filevault -e filevault_user=" in line]
    assert " -e @secrets.yml -i " in command and command.endswith(" --limit old,open")
    assert "1 Mac: the sudo password is missing [not read]" in said


@pytest.mark.newest_core
def test_a_pipeline_can_fail_on_it(play: Play) -> None:
    ran = play("--limit", "fine:no-admin", keyholder_fail_on="critical")
    assert ran.run.rc == 2
    assert "1 Mac fails a rule that is critical or worse: no-admin" in ran.run.output
    assert [line for line in ran.run.lines if line.task == "Show the summary"]
    assert (ran.folder / "audit.xml").exists()


@pytest.mark.newest_core
def test_slices_are_merged_into_the_same_report(
    play: Play, audited: Audited, ansible: Ansible, lab: Lab, inventory: Path, tmp_path: Path
) -> None:
    """As AWX runs a sliced job: each slice sets its own statistics, and the last node gets all of them as variables."""
    packed: dict[str, str] = {}
    for hosts in ("fine:no-admin:gone:waiting", "phantoms:open:old:hangs:refuses"):
        ran = play("--limit", hosts, keyholder_pack=True)
        (answer,) = [line.result["packed"] for line in ran.run.lines if line.task == "Make the report"]
        assert not packed.keys() & answer.keys()
        packed |= answer
    told = tmp_path / "vars.json"
    told.write_text(json.dumps({"keyholder_report": str(tmp_path), "keyholder_policy": POLICY, **packed}))
    merged = ansible.playbook(MERGE, lab.inventory, "-i", str(inventory), "-e", f"@{told}")
    assert merged.rc == 0, merged.output[-3000:]

    def said(folder: Path) -> dict[str, Any]:
        report = json.loads((folder / "audit.json").read_text())
        macs = {entry["host"]: {**entry, "read_at": 0} for entry in report["macs"]}
        return {"macs": macs, "summary": report["summary"]}

    assert said(tmp_path) == said(audited.folder)


@pytest.mark.newest_core
def test_history_tells_what_has_changed(play: Play, lab: Lab, tmp_path: Path) -> None:
    history = str(tmp_path / "history.sqlite")
    play("--limit", "hangs:fine", keyholder_history=history)
    lab.mac("hangs").clear_faults()
    later = play("--limit", "hangs:fine", keyholder_history=history)
    changes = {change["host"]: (change["was"], change["now"]) for change in later.report["changes"]}
    assert changes == {"hangs": ("unknown", "compliant")}
