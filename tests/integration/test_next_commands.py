# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each command that an audit suggests runs as it is printed, and then the finding that it was suggested for is gone."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.commands import command
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.inventory import inventory_words
from harness.ansible import Ansible, Run
from harness.macs import PASSWORDS, mac, person
from harness.recipients import HelpDesk, Safe
from maclab.lab import Lab

AUDIT = Path("keyholder.macos.audit")
BASELINE = Path(__file__).resolve().parents[2] / "plugins" / "plugin_utils" / "_audit" / "baseline.yml"
DESK, SAFE = HelpDesk.new("help desk"), Safe.new()
POLICY = {"parameters": {"managed_admins": ["itadmin"]}}
ON: dict[str, Any] = {"state": "on", "prk": True}
SUPPORTED = {"supported": True, "escrowed": False}
ESCROWED = {"supported": True, "escrowed": True}

POOR = person("itadmin", token={"authority": True, "crypto": True, "filevault": True, "owner": False})

MACS: dict[str, dict[str, Any]] = {
    # By the rule that each of them breaks.
    "admin_holder": mac("15.6", "helper", "stan", filevault=ON),
    "admin_token_to_come": mac("15.6", "helper", "stan", filevault=ON, mdm={"enrolled": "ade", "bootstrap": ESCROWED}),
    "no_phantom": mac("26.1", "itadmin", "rui", filevault=ON),
    "managed_admin_is_holder": mac("15.6", "deputy", filevault=ON),
    "no_orphaned_crypto_user": {**mac("10.13.6", "itadmin", crypto_users=[{}]), "macos": "13.6.9"},
    "bootstrap_where_managed": mac("15.6", "itadmin", filevault=ON, mdm={"enrolled": "ade", "bootstrap": SUPPORTED}),
    "filevault_on": mac("15.6", "itadmin"),
    "recovery_key_present": mac("15.6", "itadmin", filevault={"state": "on", "prk": False}),
    "recovery_key_escrowed": mac(
        "15.6", "itadmin", filevault=ON, mdm={"enrolled": "ade", "escrow_profile": True, "prk_escrowed": False}
    ),
    "recovery_key_not_used": mac("15.6", "itadmin", filevault=ON),
    "no_open_promotion": mac("15.6", "itadmin", {"name": "stan", "admin": True, "password": PASSWORDS["stan"]}),
    "nothing_unfinished": mac("15.6", "itadmin", filevault=ON),
    "managed_admin_is_owner": mac("15.6", POOR, "deputy", "helper", ssh_user="helper", filevault=ON),
    "admin_owns_volume": mac("15.6", POOR, "helper", filevault=ON),
    "holder_in_preboot": mac("15.6", "itadmin", "stan", preboot=["itadmin"], filevault=ON),
    # The lab's passwords were set years ago; the connection's account is not the one that gets another.
    "password_age": mac("15.6", "itadmin", "helper", ssh_user="helper", filevault=ON),
}
NOTES = {"no_open_promotion": "promoted stan", "nothing_unfinished": "preboot"}
WHOSE = {
    # A playbook's passwords, and the account whose each is, by the variable that names it.
    "admin_holder": {"grant_password": "helper", "grant_admin_password": "stan"},
    "admin_token_to_come": {"grant_password": "helper", "grant_admin_password": "stan"},
    "no_phantom": {"repair_password": "rui", "repair_admin_password": "itadmin"},
    "managed_admin_is_holder": {"onboard_user_admin_password": "deputy"},
    "managed_admin_is_owner": {"repair_password": "itadmin", "repair_admin_password": "deputy"},
    "admin_owns_volume": {"grant_password": "helper", "grant_admin_password": "itadmin"},
    "password_age": {"managed_admin_current_password": "itadmin"},
    "bootstrap_where_managed": {"escrow_bootstrap_token_admin_password": "itadmin"},
}
FILEVAULT = {"filevault_password": PASSWORDS["itadmin"], "filevault_recipients": [DESK.pem]}
DECLARED = [{"name": "itadmin", "password": PASSWORDS["itadmin"], "admin": True}]


OF_THE_STORE = {"recovery_key_held", "recovery_key_not_personal", "stored_recovery_key_lives"}
"""Who has the key: what is suggested is what recovery_key_escrowed suggests, and makes a key that is stored."""


def test_each_rule_with_a_playbook_has_its_mac() -> None:
    rules = {rule["id"]: rule for rule in yaml.safe_load(BASELINE.read_text(encoding="utf-8"))["rules"]}
    assert set(MACS) | OF_THE_STORE == {code for code, rule in rules.items() if "run" in rule}
    suggested = {(rules[code]["run"], rules[code]["run_with"]) for code in (*OF_THE_STORE, "recovery_key_escrowed")}
    assert len(suggested) == 1


@pytest.fixture(scope="module")
def lab(bring_up: Callable[[Mapping[str, Any]], Lab]) -> Lab:
    lab = bring_up(MACS)
    for host, note in NOTES.items():
        said = lab.mac(host).ssh(f"sudo dscl . -append /Users/root dsAttrTypeNative:keyholder_pending '{note}'")
        assert said.rc == 0, said
    used = lab.mac("recovery_key_not_used")
    used.restart()
    used.wait_until(reachable=False)
    used.unlock(key=used.state().filevault.prk)
    used.wait_until(reachable=True)
    return lab


class Audits:
    """Audits of the lab, each in a folder of its own."""

    def __init__(self, ansible: Ansible, lab: Lab, folder: Path) -> None:
        self._ansible, self._lab, self._folder, self._count = ansible, lab, folder, 0
        self.printed: list[str] = []
        """The summary of each audit, as a person reads it."""
        self.causes: list[list[dict[str, Any]]] = []
        """Its list of causes."""

    def failures(self) -> dict[tuple[str, str], list[str]]:
        """(Mac, rule) -> what would put it right, for each rule that is broken."""
        self._count += 1
        report = self._folder / f"report-{self._count}"
        told = self._folder / "audit.json"
        told.write_text(json.dumps({"keyholder_report": str(report), "keyholder_policy": POLICY}), encoding="utf-8")
        ran: Run = self._ansible.playbook(AUDIT, self._lab.inventory, "-e", f"@{told}")
        assert ran.rc == 0, ran.output[-3000:]
        (said,) = [line.result["msg"] for line in ran.lines if line.task == "Show the summary"]
        self.printed.append("\n".join(said))
        content = json.loads((report / "audit.json").read_text(encoding="utf-8"))
        macs = content["macs"]
        self.causes.append(content["summary"]["causes"])
        return {
            (entry["host"], one["rule"]): one.get("commands", [])
            for entry in macs
            for one in entry["findings"]
            if one["result"] == "fail"
        }


@pytest.fixture(scope="module")
def suggested(audits: Audits) -> dict[tuple[str, str], list[str]]:
    return audits.failures()


@pytest.fixture(scope="module")
def audits(ansible: Ansible, lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Audits:
    return Audits(ansible, lab, tmp_path_factory.mktemp("audits"))


@pytest.fixture(scope="module")
def typed(
    ansible: Ansible, lab: Lab, suggested: Mapping[tuple[str, str], list[str]], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[int, str]]:
    """What each command came to, by its rule."""
    answers = {}
    for rule in MACS:
        folder = tmp_path_factory.mktemp("admin")
        secrets: dict[str, Any] = {variable: PASSWORDS[who] for variable, who in WHOSE.get(rule, {}).items()}
        (folder / "identity").write_text(str(SAFE.identity), encoding="utf-8")
        kept = {"directory": str(folder), "recipients": [SAFE.recipient], "identity": str(folder / "identity")}
        secrets["managed_admin_store"] = {"kind": "age", **kept}
        told = secrets | FILEVAULT | {"filevault_store_dir": str(folder), "onboard_user_users": DECLARED}
        (folder / "secrets.yml").write_text(json.dumps(told), encoding="utf-8")
        (run,) = suggested[rule, rule]
        answers[rule] = ansible.typed(command(run, [rule], inventory_words([str(lab.inventory)])), folder)
    # macOS tells of a used key until it starts again.
    used = lab.mac("recovery_key_not_used")
    used.restart()
    used.wait_until(reachable=False)
    used.unlock("itadmin")
    used.wait_until(reachable=True)
    return answers


@pytest.mark.parametrize("rule", MACS)
def test_it_runs_as_printed(typed: Mapping[str, tuple[int, str]], rule: str) -> None:
    rc, output = typed[rule]
    assert rc == 0, output[-3000:]


@pytest.fixture(scope="module")
def after(typed: Mapping[str, tuple[int, str]], audits: Audits) -> set[tuple[str, str]]:
    assert typed
    return set(audits.failures())


@pytest.mark.parametrize("rule", MACS)
def test_then_the_finding_is_gone(after: set[tuple[str, str]], rule: str) -> None:
    assert (rule, rule) not in after


def test_the_causes_of_the_report_have_the_same_commands(
    audits: Audits, suggested: Mapping[tuple[str, str], list[str]]
) -> None:
    for rule in MACS:
        (run,) = suggested[rule, rule]
        (cause,) = [one for one in audits.causes[0] if one["code"] == rule]
        (told,) = [line for line in cause["commands"] if line.startswith(f"ansible-playbook {run} -i ")]
        assert rule in told.rpartition(" --limit ")[2].split(",")


def test_no_password_is_in_a_command(audits: Audits) -> None:
    printed = "".join(audits.printed)
    assert not [who for who, password in PASSWORDS.items() if password in printed]
