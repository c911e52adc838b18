# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Mac gets another macOS and comes back with it, and one that could not authorise it or come back is left alone.

What the module itself refuses is tried in memory; what follows an installation, over SSH.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import memory_play
import pytest
from memory_play import MemoryMac

from harness.ansible import Ansible
from harness.batch import Answer, Played, Step
from harness.macs import PASSWORDS, mac
from maclab import journal
from maclab.lab import Handle, Lab

ADMIN = {"user": "itadmin", "password": PASSWORDS["itadmin"]}
NOBODY = {"user": None, "password": None}
ON, OFF = {"state": "on", "prk": True}, {"state": "off"}
TAHOE = "/Applications/Install macOS Tahoe.app"
# What is not back by then does not come, and what must have answered has, on a busy machine too.
SOON = 6
# Two parts would be a number on the way through a file of variables.
RUN = Step("run", "macos_upgrade", {"reboot_timeout": 90, "accept": ["recovery_key"], **ADMIN})


def to(version: str, **options: Any) -> Step:
    return RUN.but("run", version=version, **options)


def offers(*versions: str) -> list[dict[str, Any]]:
    return [{"version": "18.6", "title": "Safari", "restart": False}, *({"version": one} for one in versions)]


# Mac; its version; what else describes it; what is run; the version afterwards.
BACK: dict[str, tuple[str, dict[str, Any], Step, str]] = {
    "intel-12": ("12.7.6", {"hardware": "intel", "updates": offers("12.7.7")}, to("12.7.7", **NOBODY), "12.7.7"),
    "intel-12-on": (
        "12.7.6",
        {"hardware": "intel", "filevault": ON, "updates": offers("13.7")},
        to("13.7.0"),
        "13.7.0",
    ),
    "apple-14": ("14.7.1", {"filevault": ON, "updates": offers("14.7.2", "15.6.1", "26.1")}, to("15.6.1"), "15.6.1"),
    # macOS takes its time between "Restarting..." and the restart.
    "apple-26": ("26.1", {"filevault": ON, "prepare_seconds": 3, "updates": offers("26.2")}, to("26.2.0"), "26.2.0"),
    "without-python": (
        "15.6",
        {"filevault": OFF, "python": "none", "updates": offers("15.6.1")},
        to("15.6.1"),
        "15.6.1",
    ),
    # By an installer application that lies on it.
    "apple-15-app": (
        "15.6",
        {"filevault": ON, "installer": {"version": "26.1"}},
        to("26.1.0", installer=TAHOE),
        "26.1.0",
    ),
    "no-python-app": (
        "15.6",
        {"filevault": OFF, "python": "none", "installer": {"version": "26.1"}},
        to("26.1.0", installer=TAHOE),
        "26.1.0",
    ),
}

# Mac; its version; what else describes it; what is run; the reason.
REFUSED: dict[str, tuple[str, dict[str, Any], Step, str]] = {
    "wrong-password": ("15.6", {"updates": offers("15.6.1")}, to("15.6.1", password="none"), "user_password_wrong"),
    "nobody": ("15.6", {"updates": offers("15.6.1")}, to("15.6.1", **NOBODY), "option_missing"),
    "no-holder": ("15.6", {"updates": offers("15.6.1")}, to("15.6.1", user="ana", password="ana"), "user_no_token"),
    "not-offered": ("15.6", {"updates": offers("15.6.1")}, to("26.0.0"), "update_not_offered"),
    "locked-intel": (
        "12.7.6",
        {"hardware": "intel", "filevault": ON, "updates": offers("13.7")},
        to("13.7.0", **NOBODY),
        "option_missing",
    ),
    "no-app": ("15.6", {"updates": offers("26.1")}, to("26.1.0", installer=TAHOE), "installer_unusable"),
    "other-app": ("15.6", {"installer": {"version": "26.1"}}, to("26.2.0", installer=TAHOE), "installer_unusable"),
    "on-battery": (
        "15.6",
        {"updates": offers("15.6.1"), "settings": {"power": "battery", "battery": 12}},
        to("15.6.1"),
        "not_ready",
    ),
    "key-unseen": ("15.6", {"filevault": ON, "updates": offers("15.6.1")}, to("15.6.1", accept=[]), "could_not_verify"),
    "stale": (
        "15.6",
        {"filevault": ON, "updates": offers("15.6.1"), "faults": [{"fault": "stale_key", "user": "itadmin"}]},
        to("15.6.1"),
        "stale_key",
    ),
}

AWAY: dict[str, tuple[str, dict[str, Any], Step, str]] = {
    "swallowed": (
        "26.1",
        {"filevault": ON, "updates": offers("26.2"), "faults": [{"fault": "update_does_nothing"}]},
        to("26.2.0", reboot_timeout=SOON),
        "update_not_begun",
    ),
    "unchanged": (
        "26.1",
        {"updates": offers("26.2"), "faults": [{"fault": "update_does_nothing", "restarts": True}]},
        to("26.2.0"),
        "not_updated",
    ),
    "no-space": (
        "15.6",
        {"updates": offers("15.6.1"), "faults": [{"fault": "update_fails", "because": "space"}]},
        to("15.6.1"),
        "disk_full",
    ),
    "hangs": (
        "15.6",
        {
            "updates": offers("15.6.1"),
            "faults": [{"fault": "hang", "program": "softwareupdate", "argument": "--install"}],
        },
        to("15.6.1", install_timeout=SOON),
        "timeout",
    ),
}
AGAIN = RUN.but("again")
SSH = (*BACK, *AWAY)


def described() -> dict[str, dict[str, Any]]:
    rows = {host: row[:2] for table in (BACK, REFUSED, AWAY) for host, row in table.items()}
    return {host: mac(version, "itadmin", "ana", **more) for host, (version, more) in rows.items()}


@pytest.fixture(scope="module")
def lab(bring_up: Callable[[Mapping[str, Any]], Lab]) -> Lab:
    return bring_up({host: one for host, one in described().items() if host in SSH})


@pytest.fixture(scope="module")
def macs(lab: Lab) -> dict[str, Handle | MemoryMac]:
    return memory_play.macs(lab, described())


@pytest.fixture(scope="module")
def played(ansible: Ansible, lab: Lab, macs: dict[str, Handle | MemoryMac]) -> Played:
    assert macs
    steps = {
        host: [row[2].but("check", check=True), row[2], row[2].but("again", password="not-used")]
        for host, row in BACK.items()
    }
    steps |= {host: [row[2].but("check", check=True), row[2]] for host, row in {**REFUSED, **AWAY}.items()}
    return memory_play.play_all(ansible, lab, macs, steps)


def installs(answer: Answer) -> list[journal.ProgramRun]:
    return [one for one in answer.programs if "--install" in one.argv or one.program == "startosinstall"]


@pytest.mark.parametrize("host", BACK)
def test_the_mac_comes_back_with_the_macos_that_was_asked_for(played: Played, lab: Lab, host: str) -> None:
    check, run, again = (played[host, title] for title in ("check", "run", "again"))
    assert check.ok, check
    assert check.changed
    assert check.touched_nothing, check
    assert run.ok, run
    assert run.changed
    assert run.result["plan"] == check.result["plan"]
    if "installer" not in BACK[host][1]:
        # Which build such an application has, nobody knows before.
        assert run.result["state"] == check.result["state"]
    assert run.result["state"] == run.result["diff"]
    was, now = run.result["state"]["before"], run.result["state"]["after"]
    assert (was["version"], now["version"]) == (BACK[host][0], BACK[host][3].removesuffix(".0"))
    assert len(journal.events(run.entries, "restart")) == 1
    state = lab.mac(host).state()
    assert (state.version, state.locked) == (BACK[host][3].removesuffix(".0"), False)
    # It is new enough now: no password, no question to Apple.
    assert again.ok and not again.changed, again
    assert again.authentications == [] and not [one for one in again.programs if one.program == "softwareupdate"]


@pytest.mark.parametrize("host", BACK)
def test_the_password_reaches_stdin_alone_and_once(played: Played, host: str) -> None:
    run = played[host, "run"]
    (install,) = installs(run)
    intel = host.startswith("intel")
    assert ("--stdinpass" in install.argv) is not intel
    assert (install.stdin_bytes > 0) is not intel
    assert install.authentications == ([] if intel else [("itadmin", True)])
    armed = [("itadmin", True)] if host == "intel-12-on" else []
    assert run.authentications == armed + install.authentications


@pytest.mark.parametrize("host", REFUSED)
def test_what_could_not_be_authorised_or_come_back_is_not_begun(played: Played, host: str) -> None:
    for title in ("check", "run"):
        answer = played[host, title]
        assert answer.reason == REFUSED[host][3], answer
        assert answer.result["remedy"]
        assert not answer.changed
        assert answer.writes == [] and installs(answer) == []
    if host == "not-offered":
        assert "macOS Sequoia 15.6.1" in played[host, "run"].result["msg"]


@pytest.mark.parametrize("host", AWAY)
def test_what_came_to_nothing_is_told(played: Played, lab: Lab, host: str) -> None:
    check, answer = played[host, "check"], played[host, "run"]
    assert check.ok and check.touched_nothing, check
    assert answer.reason == AWAY[host][3], answer
    assert answer.result["remedy"] and answer.result["evidence"]
    assert lab.mac(host).state().version == AWAY[host][0]
    assert len(journal.events(answer.entries, "restart")) == (1 if host == "unchanged" else 0)


def test_the_password_stands_nowhere(played: Played, lab: Lab) -> None:
    assert PASSWORDS["itadmin"] not in played.run.output
    assert PASSWORDS["itadmin"] not in played.run.results.read_text(encoding="utf-8")
    for host in lab.names:
        assert PASSWORDS["itadmin"] not in lab.mac(host).folder.journal.read_text(encoding="utf-8")


def test_the_playbook_asks_no_readiness_of_a_mac_that_is_new_enough_and_takes_accepted_checks_as_text(
    ansible: Ansible, bring_up: Callable[[Mapping[str, Any]], Lab], tmp_path: Path
) -> None:
    """15.6 is 15.6.0. With -e NAME=VALUE a list is text."""
    unready = {"filevault": ON, "mdm": {"enrolled": "ade"}}
    older = mac("15.5", "itadmin", filevault=ON, updates=offers("15.6"))
    lab = bring_up({"same": mac("15.6", "itadmin", **unready), "older": older})
    run = ansible.playbook(
        Path("keyholder.macos.upgrade"),
        lab.inventory,
        *("-e", "macos_upgrade_version=15.6.0", "-e", "macos_upgrade_accept=recovery_key,power"),
        *("-e", f"macos_upgrade_user=itadmin macos_upgrade_password={PASSWORDS['itadmin']}"),
        *("-e", f"keyholder_summary={tmp_path}"),
    )
    assert run.rc == 0, run.output[-3000:]
    assert lab.mac("older").state().version == "15.6"
    changed = {line.host: line.result["changed"] for line in run.lines if line.task.startswith("Make sure that its")}
    assert changed == {"same": False, "older": True}
