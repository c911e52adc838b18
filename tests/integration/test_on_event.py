# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook on_event, as ansible-rulebook starts it: which Mac it finds, and that no word of an event is evaluated.

tests/eda plays it with ansible-rulebook.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.ansible import Ansible, Run
from harness.macs import PASSWORDS, mac
from maclab import models
from maclab.lab import Lab

PLAYBOOK = Path("keyholder.macos.on_event")
MACS = {
    "lisbon": mac("15.6", "itadmin", "ana", mdm={"enrolled": "ade", "bootstrap": {"supported": True}}, python="none"),
    "porto": mac("15.6", "itadmin", python="none"),
}
SERIAL = models.serial_number("lisbon")
UDID = models.platform_uuid("lisbon")


@pytest.fixture(scope="module")
def lab(bring_up: Callable[[Mapping[str, Any]], Lab]) -> Lab:
    return bring_up(MACS)


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An inventory beside the lab's, which says which Mac is which."""
    path = tmp_path_factory.mktemp("inventory") / "own.yml"
    # A Mac that does not answer, and one that is there twice.
    nowhere = {"ansible_host": "127.0.0.1", "ansible_port": 9}
    hosts = {
        "lisbon": {"serial": SERIAL.lower(), "keyholder_serial_number": "{{ serial }}", "keyholder_udid": UDID},
        "porto": {"keyholder_computer_name": "Ana's Mac"},
        "gone": {**nowhere, "keyholder_udid": "66ADE930-5FDF-5EC4-8429-15640684C489"},
        "first": {**nowhere, "keyholder_serial_number": "C02TWICE0001"},
        "second": {**nowhere, "keyholder_serial_number": "C02TWICE0001"},
    }
    path.write_text(yaml.safe_dump({"macs": {"hosts": hosts}}), encoding="utf-8")
    return path


def event(kind: str = "enrolled", **mac: Any) -> dict[str, Any]:
    return {"event": kind, "mac": mac, "source": "jamf", "id": "1", "time": "2026-03-01T10:30:00Z"}


@pytest.fixture
def play(ansible: Ansible, lab: Lab, beside: Path, tmp_path: Path) -> Callable[..., Run]:
    def play(given: Any, **variables: Any) -> Run:
        """Play it with what ansible-rulebook gives, by a file, as it does."""
        path = tmp_path / "extravars.json"
        report = {"keyholder_report": str(tmp_path / "report"), "keyholder_wait": 0}
        path.write_text(json.dumps({"ansible_eda": given, **report, **variables}), encoding="utf-8")
        return ansible.playbook(PLAYBOOK, lab.inventory, "-i", str(beside), "-e", f"@{path}")

    return play


def journals(lab: Lab) -> dict[str, int]:
    return {name: len(lab.mac(name).journal()) for name in MACS}


def audited(folder: Path) -> dict[str, str]:
    report = json.loads((folder / "report" / "audit.json").read_text(encoding="utf-8"))
    return {entry["host"]: entry["status"] for entry in report["macs"]}


def test_an_event_is_its_macs_alone_and_the_report_keeps_the_others(
    play: Callable[..., Run], lab: Lab, tmp_path: Path
) -> None:
    granter = {"user": "itadmin", "password": PASSWORDS["itadmin"]}
    users = [{"name": "ana", "password": PASSWORDS["ana"]}]
    given = {f"onboard_user_admin_{key}": value for key, value in granter.items()}
    before = journals(lab)
    run = play({"event": event(serial=SERIAL)}, onboard_user_users=users, **given)
    assert run.rc == 0, run.output
    assert ";SecureToken;" in lab.mac("lisbon").state().accounts["ana"].authority
    assert (journals(lab)["porto"], audited(tmp_path)) == (before["porto"], {"lisbon": "read"})

    # By its name, for there is nothing better; and nobody is onboarded where a key was rotated.
    before = journals(lab)
    place = tmp_path / "place.git"
    subprocess.run(["git", "init", "--quiet", "--bare", str(place)], check=True)
    run = play(
        {"events": {"m_0": event("key_rotated", hostname="ana's mac")}},
        onboard_user_users=users,
        keyholder_publish=f"git+file://{place}",
    )
    assert run.rc == 0, run.output
    listed = subprocess.run(["git", "-C", str(place), "ls-tree", "HEAD"], capture_output=True, text=True, check=True)
    # It is about all Macs, so it is not in "limited".
    assert "\taudit.html\n" in listed.stdout
    assert "Published: " in run.output
    assert (journals(lab)["lisbon"], audited(tmp_path)) == (before["lisbon"], {"lisbon": "read", "porto": "read"})
    assert not any(line.action.endswith("account") for line in run.lines)

    # One that does not answer fails the run, and is in the report.
    run = play({"event": event("escrowed", udid="66ADE930-5FDF-5EC4-8429-15640684C489")})
    assert run.rc != 0
    assert audited(tmp_path) == {"lisbon": "read", "porto": "read", "gone": "unreachable"}


TEMPLATE = "{{{{ lookup('pipe', 'touch {}') }}}}"
BAD: list[tuple[str, Any, str]] = [
    ("no event", {}, "[event_unusable]"),
    ("no events", None, "[event_unusable]"),
    ("a template in the name", {"event": event(serial=SERIAL, hostname=TEMPLATE)}, "[event_unusable]"),
    ("a template in the serial number", {"event": event(serial=TEMPLATE)}, "[event_unusable]"),
    ("a template in the kind", {"event": event(TEMPLATE, serial=SERIAL)}, "[event_unusable]"),
    (
        "a template beside it",
        {"event": {**event(serial="C02UNKNOWN01"), "x": TEMPLATE}},
        "[mac_unknown]",
    ),
    ("a Mac that is unknown", {"event": event(serial="C02UNKNOWN01")}, "C02UNKNOWN01"),
    ("a name beside a serial number", {"event": event(serial="C02UNKNOWN01", hostname="Ana's Mac")}, "C02UNKNOWN01"),
    ("a Mac that is there twice", {"event": event(serial="C02TWICE0001")}, "first and second"),
]


@pytest.mark.parametrize(("given", "words"), [one[1:] for one in BAD], ids=[one[0] for one in BAD])
def test_an_event_that_cannot_be_used_reaches_no_mac_and_is_not_evaluated(
    play: Callable[..., Run], lab: Lab, tmp_path: Path, given: Any, words: str
) -> None:
    trace = tmp_path / "evaluated"
    spoilt = json.loads(json.dumps(given).replace(TEMPLATE, TEMPLATE.format(trace)))
    before = journals(lab)
    run = play(spoilt)
    assert run.rc != 0
    assert words in " ".join(run.output.split())
    assert (trace.exists(), journals(lab)) == (False, before)


def test_a_report_that_would_be_gone_with_the_run_is_refused(play: Callable[..., Run]) -> None:
    run = play({"event": event(serial=SERIAL)}, keyholder_report="keyholder-audit")
    assert run.rc != 0
    assert "keyholder_report must be the full path" in run.output
