# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run over a fleet leaves behind: one summary whatever befalls its Macs, its files, a log, and no secret.

The variables keyholder_serial, keyholder_max_fail_percentage, keyholder_summary and keyholder_log are tested here.
"""

from __future__ import annotations

import csv
import json
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.ansible import Ansible, Run
from harness.macs import PASSWORDS, mac, secret
from harness.search import Search
from maclab.lab import Lab

NEW = secret("luc")
WRONG = secret("wrong")
MACS = ("a-plain", "b-fine", "c-refuses", "d-sudo", "e-gone")
"""In the order of the inventory, which is that of the batches."""
VARIABLES = {
    "onboard_user_users": [
        {"name": "ana", "password": PASSWORDS["ana"]},
        {"name": "luc", "password": NEW},
    ],
    "onboard_user_admin_user": "itadmin",
    "onboard_user_admin_password": PASSWORDS["itadmin"],
}
LUC = {"name": "luc", "password": NEW, "token": True}
GRANT = {"accounts": ["itadmin", "ana"]}


@dataclass(frozen=True)
class Fleet:
    """Five Macs, of which three are in trouble, each in a way of its own."""

    ansible: Ansible
    lab: Lab
    inventory: Path
    variables: Path

    @property
    def log(self) -> Path:
        return self.ansible.folder / "log.jsonl"

    def run(self, *arguments: str, playbook: str = "onboard") -> Run:
        given = ("-e", f"@{self.variables}", "-e", f"keyholder_log={self.log}", *arguments)
        return self.ansible.playbook(Path(f"keyholder.macos.{playbook}"), self.inventory, *given)

    def entries(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []

    def file(self, name: str) -> Any:
        return json.loads((self.ansible.folder / "keyholder-summary" / name).read_text())


@pytest.fixture(scope="module")
def fleet(
    own: Ansible, bring_up: Callable[[Mapping[str, Any]], Lab], tmp_path_factory: pytest.TempPathFactory
) -> Fleet:
    lab = bring_up(
        {
            "a-plain": mac("15.6", "itadmin", "ana"),
            "b-fine": mac("13.6.9", "itadmin", {"name": "ana", "password": PASSWORDS["ana"], "token": True}, LUC),
            # itadmin came in as an account without a token.
            "c-refuses": mac(
                "15.6",
                {"name": "itadmin", "admin": True, "password": PASSWORDS["itadmin"]},
                "deputy",
                ssh_user="itadmin",
            ),
            "d-sudo": mac(
                "15.6",
                {
                    "name": "itadmin",
                    "admin": True,
                    "token": True,
                    "password": PASSWORDS["itadmin"],
                    "sudo_password": True,
                },
            ),
            "e-gone": mac("15.6", "itadmin"),
        }
    )
    folder = tmp_path_factory.mktemp("office")
    inventory = yaml.safe_load(lab.inventory.read_text())
    hosts = inventory["macs"]["hosts"]
    hosts["d-sudo"]["ansible_become_password"] = WRONG
    hosts["e-gone"]["ansible_port"] = 9
    (folder / "inventory.yml").write_text(yaml.safe_dump(inventory, sort_keys=False))
    (folder / "variables.yml").write_text(yaml.safe_dump(VARIABLES))
    return Fleet(own, lab, folder / "inventory.yml", folder / "variables.yml")


def told(run: Run) -> list[list[str]]:
    """Each summary that was shown, in its lines."""
    return [line.result["msg"] for line in run.lines if line.task == "Show the summary"]


def rows(lines: list[str]) -> dict[str, str]:
    """Each Mac's line in the table, without its name."""
    split = [line.partition(" ") for line in lines]
    return {name: words.strip() for name, _blank, words in split if name in MACS}


TROUBLE = {
    "c-refuses": "1 of 2 ana, luc: REFUSED [granter_no_token]",
    "d-sudo": "NOT READ: the sudo password is wrong",
    "e-gone": "UNREACHABLE: its port refuses connections",
}


def trouble(lines: list[str]) -> dict[str, str]:
    return {name: " ".join(words.split()) for name, words in rows(lines).items() if name in TROUBLE}


def test_check_mode_foresees_and_logs_nothing(fleet: Fleet) -> None:
    run = fleet.run("--check")
    assert told(run), run.output
    (summary,) = told(run)
    assert summary[0] == "Onboard users, check mode: nothing was changed"
    assert rows(summary)["a-plain"] == "1 of 2   ana: would be granted; luc: would be created and granted"
    assert trouble(summary) == TROUBLE and run.rc != 0
    assert fleet.entries() == []
    assert fleet.file("onboard-check.json")["check_mode"] is True
    assert not (fleet.ansible.folder / "keyholder-summary" / "onboard.json").exists()


@pytest.mark.every_core
def test_a_fleet_in_mixed_state_has_one_summary(fleet: Fleet) -> None:
    run = fleet.run("--diff")
    (summary,) = told(run)
    assert rows(summary)["a-plain"] == "1 of 2 -> 3 of 3  ana: granted; luc: created and granted"
    assert " ".join(rows(summary)["b-fine"].split()) == "3 of 3 ana, luc: nothing to do"
    assert trouble(summary) == TROUBLE
    assert summary[-2] == "5 Macs: 1 changed, 1 with nothing to do, 1 refused, 1 not read, 1 unreachable"
    assert summary.count("    c-refuses") == 1, "a paragraph a reason"
    # Both, as one bit each: a Mac failed, or was unreachable.
    assert run.rc in (2, 4, 6)
    recap = {line.split()[0]: line for line in run.output.partition("PLAY RECAP")[2].splitlines() if "ok=" in line}
    assert [name for name in MACS if "failed=0" not in recap[name]] == ["c-refuses", "d-sudo"]
    assert [name for name in MACS if "unreachable=0" not in recap[name]] == ["e-gone"]
    # Each Mac in trouble was tried once, whatever the length of the list.
    ours = [
        line for line in run.lines if line.action.startswith("keyholder.macos.") and "fleet_summary" not in line.action
    ]
    assert [line.action for line in ours if line.host in ("d-sudo", "e-gone")] == ["keyholder.macos.trust_info"] * 2
    # What a person reads: each refusal once, with what to do, and nothing that ssh or Ansible said of the Mac.
    assert run.output.count("holds no Secure Token; granters on this Mac") == 1
    assert "Data could not be sent" not in run.output and "Incorrect sudo password" not in run.output
    assert "evidence" not in run.output


def test_the_files_say_more(fleet: Fleet) -> None:
    data = fleet.file("onboard.json")
    macs = {one["mac"]: one for one in data["macs"]}
    assert (data["playbook"], data["check_mode"]) == ("keyholder.macos.onboard", False)
    assert [one["reason"] for one in macs["c-refuses"]["items"]] == ["granter_no_token"] * 2
    assert macs["c-refuses"]["items"][0]["evidence"] and macs["a-plain"]["items"][0]["steps"]
    assert "Connection refused" in macs["e-gone"]["evidence"][0]
    with (fleet.ansible.folder / "keyholder-summary" / "onboard.csv").open(newline="") as stream:
        table = list(csv.DictReader(stream))
    assert [(line["mac"], line["what"]) for line in table].count(("a-plain", "luc")) == 1


def test_each_write_is_a_line_of_the_log_and_runs_add_to_it(fleet: Fleet) -> None:
    first = fleet.entries()
    assert {(one["mac"], one["account"], one["outcome"], one["reason"]) for one in first} == {
        ("a-plain", "ana", "changed", ""),
        ("a-plain", "luc", "changed", ""),
        ("c-refuses", "ana", "refused", "granter_no_token"),
        ("c-refuses", "luc", "refused", "granter_no_token"),
    }
    assert len(first) == 4 and stat.S_IMODE(fleet.log.stat().st_mode) == 0o600
    (granted,) = [one for one in first if (one["mac"], one["account"]) == ("a-plain", "ana")]
    assert (granted["playbook"], granted["module"], granted["by"] != "") == ("keyholder.macos.onboard", "account", True)
    assert "grant ana a Secure Token, authorised by itadmin" in granted["steps"]
    again = fleet.run("-l", "a-plain,b-fine")
    assert again.rc == 0 and fleet.entries() == first, "nothing to do is no write"
    names = json.dumps({"offboard_user_names": ["luc"]})
    assert fleet.run("-l", "a-plain,b-fine", "-e", names, playbook="offboard").rc == 0
    added = fleet.entries()[len(first) :]
    assert fleet.entries()[: len(first)] == first
    assert {(one["mac"], one["account"], one["module"], one["outcome"]) for one in added} == {
        (name, "luc", "offboard", "changed") for name in ("a-plain", "b-fine")
    }


def test_a_log_that_cannot_be_written_stops_a_run_before_it_changes_a_mac(fleet: Fleet) -> None:
    before = fleet.lab.mac("a-plain").state()
    run = fleet.run("-l", "a-plain", "-e", f"keyholder_log={fleet.ansible.folder}")
    assert run.rc == 2 and "ana, luc: REFUSED [log_unwritable]" in told(run)[0][3]
    assert fleet.lab.mac("a-plain").state().accounts.keys() == before.accounts.keys()


@pytest.mark.every_core
def test_batches_end_where_too_many_fail_and_the_rest_is_named(fleet: Fleet) -> None:
    run = fleet.run("-e", "keyholder_serial=1", "-e", "keyholder_max_fail_percentage=0", "-e", "keyholder_summary=")
    *before, last = told(run)
    assert [lines[0].partition(":")[0] for lines in before] == ["1 of 5 Macs done", "2 of 5 Macs done"]
    assert {name: words for name, words in rows(last).items() if "begun" in words} == {
        "d-sudo": "not begun",
        "e-gone": "not begun",
    }
    assert last[-1].endswith(", 1 refused, 2 not begun"), "no folder, no files"
    assert run.rc == 2
    run = fleet.run("-e", '{"keyholder_serial": [2, "100%"]}')
    assert [lines[0] for lines in told(run)] == ["2 of 5 Macs done: 2 with nothing to do", "Onboard users"]
    assert trouble(told(run)[1]) == TROUBLE


@pytest.mark.parametrize("name", ["d-sudo", "e-gone"])
def test_a_run_that_reaches_no_mac_still_says_so(fleet: Fleet, name: str) -> None:
    run = fleet.run("-l", name)
    (summary,) = told(run)
    assert trouble(summary) == {name: TROUBLE[name]}
    assert run.rc == (4 if name == "e-gone" else 2)
    run = fleet.run("-l", name, playbook="status")
    (report,) = [line.result["msg"] for line in run.lines if line.task == "Report"]
    assert any(name in line and TROUBLE[name].partition(": ")[2] in line for line in report)
    assert run.rc == (4 if name == "e-gone" else 2)


def test_tags_choose_a_playbook_whole(fleet: Fleet) -> None:
    for tags, shown in (("onboard", 1), ("keyholder", 1), ("offboard", 0)):
        run = fleet.run("-l", "b-fine", "--tags", tags)
        assert run.rc == 0 and len(told(run)) == shown
        assert len([line for line in run.lines if line.action == "keyholder.macos.account"]) == shown


def test_no_secret_is_in_anything_that_a_run_left(fleet: Fleet) -> None:
    """The last test of this file."""
    search = Search({**PASSWORDS, "luc": NEW, "the wrong one for sudo": WRONG})
    left = [fleet.ansible.folder / "keyholder-summary", fleet.log]
    assert all(path.exists() for path in left)
    assert search.files([fleet.ansible.folder]) == []
