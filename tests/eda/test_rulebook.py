# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-rulebook itself, with the rulebook of the collection: webhooks go in, and Macs of a lab are onboarded."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import SECRET, SENDERS, at, free_port, webhook
from mdm_payloads import FLEET_ENROLLED, JAMF_ENROLLED, NANOMDM_ENROLLED, ZENTRAL_ENROLLED, ZENTRAL_KEY, but

from ansible_collections.keyholder.macos.plugins.module_utils._mac import ESCROWED
from checks.environments import TREE, link_tree
from harness.ansible import binaries
from harness.macs import PASSWORDS, mac
from maclab import models
from maclab.lab import Handle, Lab

PROGRAM = Path(os.environ.get("KEYHOLDER_RULEBOOK", "")) / "ansible-rulebook"
PATIENCE = 240
EVIL = "{{ lookup('pipe', 'touch /tmp/keyholder') }}"
MANAGED = {"mdm": {"enrolled": "ade", "bootstrap": {"supported": True}}, "python": "none"}
# Each has the name of the MDM that says that it was enrolled.
MACS = {name: mac("15.6", "itadmin", "ana", **MANAGED) for name in ("jamf", "nanomdm", "zentral")}
# It waits at FileVault's unlock screen, after a restart.
MACS["fleet"] = mac("15.6", "itadmin", "ana", filevault={"state": "on", "prk": True}, **MANAGED)


def enrolled(name: str, moment: float) -> dict[str, Any]:
    """The webhook of a Mac's MDM."""
    serial, udid = models.serial_number(name), models.platform_uuid(name)
    payload, changes = {
        "fleet": (FLEET_ENROLLED, {"details.host_serial": serial}),
        "jamf": (JAMF_ENROLLED, {"event.serialNumber": serial, "event.udid": udid}),
        "nanomdm": (NANOMDM_ENROLLED, {"checkin_event.udid": udid}),
        "zentral": (ZENTRAL_ENROLLED, {"machine_serial_number": serial, "mdm_request.udid": udid}),
    }[name]
    for place, value in changes.items():
        payload = but(payload, place, value)
    return at(payload, moment)


def rotated(name: str, moment: float, number: int = 0) -> dict[str, Any]:
    """Zentral's webhook of a Mac whose key was rotated."""
    return at(but(but(ZENTRAL_KEY, "machine_serial_number", models.serial_number(name)), "index", number), moment)


def until(condition: Callable[[], bool], what: Callable[[], str]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"after {PATIENCE} seconds it is still not so that {what()}")
        time.sleep(0.2)


class Rulebook:
    """A running ansible-rulebook, with what it has said."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab, self.port = lab, free_port()
        self.report = folder / "report"
        self._log = folder / "log"
        inventory, variables = folder / "inventory", folder / "variables.yml"
        inventory.mkdir()
        (inventory / "lab.yml").write_text(lab.inventory.read_text(encoding="utf-8"), encoding="utf-8")
        (inventory / "own.yml").write_text(yaml.safe_dump(_own()), encoding="utf-8")
        given = {"mdm_senders": SENDERS, "mdm_port": self.port, "mdm_report": str(self.report)}
        variables.write_text(yaml.safe_dump(given), encoding="utf-8")
        # The path of a control socket must be short.
        self._sockets = tempfile.TemporaryDirectory(prefix="kh-")
        link_tree()
        environment = {
            **{name: os.environ[name] for name in ("TMPDIR", "JAVA_HOME") if name in os.environ},
            "PATH": os.pathsep.join([str(PROGRAM.parent), str(binaries()), os.environ["PATH"]]),
            "ANSIBLE_COLLECTIONS_PATH": str(TREE),
            "ANSIBLE_HOME": str(folder / "ansible"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_NOCOLOR": "true",
            "ANSIBLE_SSH_CONTROL_PATH_DIR": self._sockets.name,
            "HOME": str(folder),
            "LC_ALL": os.environ.get("LC_ALL", "C.UTF-8"),
        }
        argv = [PROGRAM, "--rulebook", "keyholder.macos.mdm", "-i", inventory, "--vars", variables]
        with self._log.open("wb") as log:
            # In a session of its own, so that it and what it has started can be ended.
            streams: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
            self._process = subprocess.Popen(argv, cwd=folder, env=environment, start_new_session=True, **streams)

    def __enter__(self) -> Rulebook:
        try:
            until(self._listens, lambda: f"ansible-rulebook listens:\n{self.said()}")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        for how in (signal.SIGINT, signal.SIGKILL):
            try:
                os.killpg(self._process.pid, how)
                self._process.wait(timeout=15)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue
        self._sockets.cleanup()

    def _listens(self) -> bool:
        assert self._process.poll() is None, self.said()
        try:
            return webhook("jamf", {}).send(self.port) == 200
        except OSError:
            return False

    def said(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def runs(self) -> int:
        """How many playbooks have made their report, and have only to show it."""
        return self.said().count("TASK [Show the summary]")

    def ran(self, number: int) -> None:
        until(lambda: self.runs() >= number, lambda: f"{number} playbooks have made a report:\n{self.said()[-4000:]}")

    def send(self, mdm: str, payload: dict[str, Any]) -> int:
        return webhook(mdm, payload).send(self.port)

    def audited(self) -> dict[str, dict[str, Any]]:
        report = json.loads((self.report / "audit.json").read_text(encoding="utf-8"))
        return {entry["host"]: entry for entry in report["macs"]}


def _own() -> dict[str, Any]:
    """What an inventory says beside how the Macs are reached."""
    hosts = {
        name: {"keyholder_serial_number": models.serial_number(name), "keyholder_udid": models.platform_uuid(name)}
        for name in MACS
    }
    granter = {
        f"{role}_admin_{key}": value
        for role in ("onboard_user", "escrow_bootstrap_token")
        for key, value in {"user": "itadmin", "password": PASSWORDS["itadmin"]}.items()
    }
    users = {"onboard_user_users": [{"name": "ana", "password": PASSWORDS["ana"]}]}
    return {"macs": {"hosts": hosts, "vars": {**users, **granter, "keyholder_wait": PATIENCE}}}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab({"sudo_password": False, "macs": MACS}, tmp_path_factory.mktemp("lab")) as lab:
        lab.mac("fleet").restart()
        assert lab.mac("fleet").wait_until(reachable=False)
        yield lab


@pytest.fixture(scope="module")
def rulebook(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rulebook]:
    with Rulebook(lab, tmp_path_factory.mktemp("rulebook")) as running:
        yield running


def is_onboarded(handle: Handle) -> bool:
    state = handle.state()
    return ";SecureToken;" in state.accounts["ana"].authority and state.mdm.bootstrap_escrowed


def journals(lab: Lab) -> list[int]:
    """How much each Mac has noted."""
    return [len(lab.mac(name).journal()) for name in MACS]


def test_a_mac_that_was_enrolled_is_onboarded_without_a_person(rulebook: Rulebook) -> None:
    """By each MDM's webhook. One of the Macs answers only later, and keeps the others waiting for nothing."""
    lab, now = rulebook.lab, time.time()
    order = ("fleet", "jamf", "nanomdm", "zentral")
    assert [rulebook.send(name, enrolled(name, now)) for name in order] == [200] * 4
    rulebook.ran(3)
    assert [is_onboarded(lab.mac(name)) for name in order] == [False, True, True, True]
    lab.mac("fleet").unlock("itadmin", PASSWORDS["itadmin"])
    rulebook.ran(4)
    assert is_onboarded(lab.mac("fleet"))
    macs = rulebook.audited()
    assert {macs[name]["recoverable"] for name in order} == {"yes"}
    assert {macs[name]["mac"]["management"]["bootstrap_token"] for name in order} <= set(ESCROWED)
    # The one that was unlocked at its screen has escrowed its token by itself.
    proofs = re.findall(r"Bootstrap Token: (escrowed by this run, proven by macOS itself|valid)", rulebook.said())
    assert len(proofs) == 4

    # The same webhooks once more, some of yesterday, a forged one and a hostile one: nothing begins.
    before = journals(lab)
    assert [rulebook.send(name, enrolled(name, now)) for name in order] == [200] * 4
    assert {rulebook.send(name, enrolled(name, now - 86_400)) for name in order} == {400}
    assert rulebook.send("jamf", but(enrolled("jamf", now), "event.deviceName", EVIL)) == 400
    assert webhook("jamf", enrolled("jamf", now + 1), "a-guess").send(rulebook.port) == 401
    # What is handed on after them tells that none of them was.
    assert rulebook.send("zentral", rotated("jamf", now)) == 200
    rulebook.ran(5)
    assert rulebook.runs() == 5
    unchanged = dict(zip(MACS, map(int.__eq__, before, journals(lab)), strict=True))
    assert unchanged == {"jamf": False, "nanomdm": True, "zentral": True, "fleet": True}
    assert rulebook.audited().keys() == MACS.keys()


def test_a_mac_that_the_inventory_does_not_have_is_refused_by_name(rulebook: Rulebook) -> None:
    before = journals(rulebook.lab)
    assert rulebook.send("jamf", at(but(JAMF_ENROLLED, "event.udid", None), time.time())) == 200
    words = "of a Mac that is no host of the inventory: none has keyholder_serial_number C08VQ2AXHT96"
    until(lambda: words in " ".join(rulebook.said().split()), rulebook.said)
    assert journals(rulebook.lab) == before


def test_a_flood_is_one_run(rulebook: Rulebook) -> None:
    """A Mac's events of a kind join, more than sixty in a minute are turned away, and the report holds every Mac."""
    runs, now = rulebook.runs(), time.time()
    statuses = [rulebook.send("zentral", rotated("fleet", now, number)) for number in range(200)]
    assert set(statuses) == {200, 429}
    assert statuses.count(200) <= 60 * (1 + int((time.time() - now) // 60))
    rulebook.ran(runs + 1)
    assert rulebook.audited().keys() == MACS.keys()
    assert rulebook.runs() == runs + 1


def test_no_secret_and_no_word_of_a_refused_webhook_is_in_the_log(rulebook: Rulebook) -> None:
    said = rulebook.said()
    for word in (SECRET, "a-guess", "lookup(", *PASSWORDS.values()):
        assert word not in said
    assert len([line for line in said.splitlines() if "refused a request for" in line]) >= 6
