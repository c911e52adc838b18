# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From an unopened box to recoverable in one play: foreseen, done, at rest, interrupted, healed, and refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.ansible import Ansible, Run
from harness.macs import mac, person, secret
from harness.recipients import Safe
from maclab import bootstrap, journal, vault
from maclab.lab import Lab

PLAYBOOK = Path("keyholder.macos.zero_touch")
FROM_MDM, LATER = secret("mdm"), secret("later")
SAFE = Safe.new()
LOGIN = person("login", admin=True, hidden=True, password=secret("login"), disabled_tag=True)
ENROLLED = {"enrolled": "ade", "managed_admin": "boxed", "bootstrap": {"supported": True, "escrowed": False}}


def box(version: str, *others: dict[str, Any], made: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    boxed = {"admin": True, "hidden": True, "password": FROM_MDM, "prehashed": True, **(made or {})}
    described = mac(version, LOGIN, person("boxed", **boxed), *others, filevault={"state": "off"}, mdm=ENROLLED)
    return {**described, "ssh_user": "login", **more}


PLAIN = {"old": box("10.15.7"), "new": box("27.0.1"), "bare": box("26.1", python="none")}
CUTS = {
    f"cut-{step}": box("26.1", faults=[{"fault": "kill", "step": step, "before": step % 2 == 0}]) for step in (2, 5, 10)
}
ALONE = {"alone": box("15.6", mdm={"enrolled": "no"}), "alone-may": box("15.6", mdm={"enrolled": "no"})}
OTHERS = {
    "kept": box("15.6"),
    "owned": box("15.6", person("stan")),
    "owned-by-mdm": box("15.6", made={"token": True, "prehashed": False}),
    "wrong": box("15.6"),
    "unsaid": box("15.6"),
    "by-role": box("15.6"),
}
MACS = {**PLAIN, **CUTS, **ALONE, **OTHERS}


@dataclass(frozen=True)
class Office:
    """The playbook's runs, with one store of passwords and one of keys."""

    ansible: Ansible
    lab: Lab
    folder: Path

    def run(self, hosts: Mapping[str, Any] | str, *arguments: str, playbook: Path = PLAYBOOK, **variables: Any) -> Run:
        (self.folder / "identity").write_text(str(SAFE.identity), encoding="utf-8")
        given = {
            "keyholder_hosts": [hosts] if isinstance(hosts, str) else list(hosts),
            "keyholder_summary": "",
            "zero_touch_admin_user": "boxed",
            "zero_touch_admin_password": FROM_MDM,
            "zero_touch_mdm_rotation": "stopped",
            "zero_touch_store": {
                "kind": "age",
                "directory": str(self.folder / "passwords"),
                "recipients": [SAFE.recipient],
                "identity": str(self.folder / "identity"),
            },
            "zero_touch_filevault": True,
            "zero_touch_recipients": [SAFE.recipient],
            "zero_touch_keys_dir": str(self.folder / "keys"),
            **variables,
        }
        told = self.folder / "variables.json"
        told.write_text(json.dumps({key: value for key, value in given.items() if value is not None}))
        return self.ansible.playbook(playbook, self.lab.inventory, "-e", f"@{told}", *arguments)

    def stored(self, host: str) -> dict[str, str]:
        return dict(json.loads(SAFE.opened((self.folder / "passwords" / f"{host}.boxed.age").read_text())))

    def is_recoverable(self, host: str, escrowed: bool = True) -> bool:
        """By the lab's own state: the token, its key, the escrow, FileVault, and both stores."""
        state = self.lab.mac(host).state()
        account, kept = state.accounts["boxed"], self.stored(host)
        key = SAFE.opened((self.folder / "keys" / f"{host}.age").read_text())
        return (
            account.has_authority_token
            and account.generated_uid in state.crypto_users
            and account.password == account.key_password == kept["current"] != FROM_MDM
            and kept["pending"] == ""
            and bootstrap.works(state) == escrowed
            and vault.is_on(state)
            and key == state.filevault.prk
        )

    def was_killed(self, host: str) -> bool:
        return any(run.killed for run in journal.programs(self.lab.mac(host).journal()))

    def since(self, host: str, begun: int) -> list[journal.Entry]:
        return self.lab.mac(host).journal()[begun:]


@pytest.fixture(scope="module")
def office(
    ansible: Ansible, bring_up: Callable[[Mapping[str, Any]], Lab], tmp_path_factory: pytest.TempPathFactory
) -> Office:
    return Office(ansible, bring_up(MACS), tmp_path_factory.mktemp("office"))


def changed(run: Run, host: str) -> list[str]:
    """The modules that changed the Mac, or foresaw a change, each once."""
    own = [line.action.rpartition(".")[2] for line in run.lines if line.host == host and line.result.get("changed")]
    return list(dict.fromkeys(own))


CHAIN = ["secure_token", "managed_password", "bootstrap_token", "filevault"]


def test_it_is_foreseen_and_done_and_then_at_rest(office: Office) -> None:
    before = {host: office.lab.mac(host).state() for host in PLAIN}
    foreseen = office.run(PLAIN, "--check", "--diff")
    assert foreseen.rc == 0, foreseen.output[-3000:]
    assert {host: office.lab.mac(host).state() for host in PLAIN} == before
    assert not (office.folder / "passwords").exists() and not (office.folder / "keys").exists()
    assert foreseen.output.count("then recoverable: yes") == len(PLAIN)
    done = office.run(PLAIN)
    assert done.rc == 0, done.output[-3000:]
    begun = {host: len(office.lab.mac(host).journal()) for host in PLAIN}
    again = office.run(PLAIN, zero_touch_admin_password=None)
    assert again.rc == 0, again.output[-3000:]
    for host in PLAIN:
        assert [name for name in changed(foreseen, host) if name in CHAIN] == CHAIN, host
        assert [name for name in changed(done, host) if name in CHAIN] == CHAIN, host
        assert changed(again, host) == [], host
        assert office.is_recoverable(host), host
        tried = journal.authentications(office.lab.mac(host).journal())
        assert tried and all(right for _who, right in tried), host
        rested = office.since(host, begun[host])
        assert (journal.writes(rested), journal.authentications(rested)) == ([], []), host


def test_no_password_ever_stood_where_others_read(office: Office) -> None:
    for host in PLAIN:
        secrets = (FROM_MDM, office.stored(host)["current"])
        for run in journal.programs(office.lab.mac(host).journal()):
            said = "\n".join([*run.argv, *run.env.values()])
            assert not [one for one in secrets if one in said], run.program


def test_whatever_step_is_interrupted_the_next_run_heals(office: Office) -> None:
    assert office.run(CUTS).rc != 0
    assert [host for host in CUTS if not office.was_killed(host)] == []
    healed = office.run(CUTS)
    assert healed.rc == 0, healed.output[-3000:]
    assert [host for host in CUTS if not office.is_recoverable(host)] == []
    for host in CUTS:
        assert all(right for _who, right in journal.authentications(office.lab.mac(host).journal())), host


def test_a_mac_that_is_not_enrolled_gets_everything_else(office: Office) -> None:
    required = office.run("alone")
    assert required.rc != 0 and "[not_enrolled]" in required.output, required.output[-3000:]
    assert office.is_recoverable("alone", escrowed=False)
    may = office.run("alone-may", zero_touch_escrow="if_possible")
    assert may.rc == 0 and "Bootstrap Token not possible here" in may.output, may.output[-3000:]
    assert office.is_recoverable("alone-may", escrowed=False)


def test_what_the_mdm_rotates_is_left_to_it(office: Office) -> None:
    options = {"zero_touch_store": None, "zero_touch_filevault": False, "zero_touch_mdm_rotation": "kept"}
    run = office.run("kept", **options)
    assert run.rc == 0, run.output[-3000:]
    state = office.lab.mac("kept").state()
    account = state.accounts["boxed"]
    assert account.password == account.key_password == FROM_MDM
    assert bootstrap.works(state) and not vault.is_on(state)
    assert not (office.folder / "passwords" / "kept.boxed.age").exists()
    begun = len(office.lab.mac("kept").journal())
    again = office.run("kept", zero_touch_admin_password=None, zero_touch_escrow="never", **options)
    assert again.rc == 0 and changed(again, "kept") == [], again.output[-3000:]
    assert journal.authentications(office.since("kept", begun)) == []


@pytest.mark.parametrize(
    ("host", "given", "reason"),
    [
        ("unsaid", {"zero_touch_mdm_rotation": None}, "option_missing"),
        ("unsaid", {"zero_touch_store": None}, "option_missing"),
        ("owned", {}, "granter_missing"),
        ("wrong", {"zero_touch_admin_password": LATER}, "user_password_wrong"),
    ],
)
def test_it_refuses_before_anything_is_changed(office: Office, host: str, given: dict[str, Any], reason: str) -> None:
    before = office.lab.mac(host).state()
    run = office.run(host, **given)
    assert run.rc != 0 and f"[{reason}]" in run.output, run.output[-3000:]
    assert office.lab.mac(host).state() == before
    assert journal.authentications(office.lab.mac(host).journal()) == []
    assert not (office.folder / "passwords" / f"{host}.boxed.age").exists()


def test_an_account_that_has_its_token_and_that_the_mdm_went_on_to_rotate_is_adopted(office: Office) -> None:
    """Nobody can see that its key is stale: FileVault is off, and the store is empty."""
    office.lab.mac("owned-by-mdm").mdm_sets(LATER)
    run = office.run("owned-by-mdm", zero_touch_admin_password=LATER, zero_touch_key_password=FROM_MDM)
    assert run.rc == 0, run.output[-3000:]
    assert office.is_recoverable("owned-by-mdm")


def test_a_password_that_the_mdm_set_anew_is_taken_over_again(office: Office) -> None:
    """The key did not follow, and the store has the password that opens it."""
    office.lab.mac("new").mdm_sets(LATER)
    run = office.run("new", zero_touch_admin_password=LATER)
    assert run.rc == 0, run.output[-3000:]
    assert office.is_recoverable("new")
    assert LATER not in office.stored("new").values()


def test_the_role_alone_foresees_it_as_the_playbook_does(office: Office) -> None:
    before = office.lab.mac("by-role").state()
    role = "- {hosts: by-role, gather_facts: false, become: true, roles: [keyholder.macos.zero_touch]}\n"
    playbook = office.folder / "role.yml"
    playbook.write_text(role + role, encoding="utf-8")
    run = office.run("by-role", "--check", playbook=playbook)
    assert run.rc == 0, run.output[-3000:]
    assert run.output.count("would get the first Secure Token") == run.output.count("would then be recoverable") == 2
    assert office.lab.mac("by-role").state() == before
