# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restarts where Ansible itself has no key and logs in by password: a Mac that may wait to be unlocked gets it once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from harness.ansible import Ansible
from harness.batch import Answer, Played, Step, play
from harness.macs import PASSWORDS, mac
from maclab import journal
from maclab.lab import Lab

ON, OFF = {"state": "on", "prk": True}, {"state": "off"}
UNSUPPORTED, FORGOTTEN = {"fault": "authrestart_unsupported"}, {"fault": "authrestart_forgotten"}
RUN = Step("run", "filevault_reboot", {"reboot_timeout": 60, "user": "itadmin", "password": PASSWORDS["itadmin"]})
LATER = RUN.but("run", reboot_timeout=25)
BY_SSH = RUN.but("run", ssh_unlock=True)
AFTERWARDS = Step("afterwards", "trust_info")
HANGS = {"after_unlock": "hang"}

# Mac; its version; what else describes it; what is run; what comes of it; what the unlock screen made of passwords.
TRIED: dict[str, tuple[str, dict[str, Any], Step, str, list[str]]] = {
    "off-26": ("26.1", {"filevault": OFF}, RUN.but("run", user=None, password=None), "", []),
    "armed-15": ("15.6", {"filevault": ON}, RUN, "", []),
    "armed-27": ("27.0.1", {"filevault": ON}, RUN, "", []),
    "by-ssh-26": ("26.1", {"filevault": ON, "faults": [UNSUPPORTED]}, BY_SSH, "", ["itadmin: unlocked"]),
    "by-ssh-27": (
        "27.0.1",
        {"filevault": ON, "faults": [UNSUPPORTED], "preboot_ssh": HANGS},
        BY_SSH,
        "",
        ["itadmin: unlocked"],
    ),
    # Ansible's account is no holder: one look costs nothing, and the Mac's answer is not asked for again.
    "waits-26": (
        "26.1",
        {"filevault": ON, "faults": [FORGOTTEN], "ssh_user": "helper"},
        LATER,
        "waits_for_unlock",
        ["helper: system error"],
    ),
    # Its password is another one at the unlock screen, so that each look would burn one of ten.
    "stale-26": (
        "26.1",
        {"filevault": ON, "faults": [FORGOTTEN, {"fault": "stale_key", "user": "deputy"}], "ssh_user": "deputy"},
        LATER,
        "waits_for_unlock",
        ["deputy: wrong password"],
    ),
    "refused-26": (
        "26.1",
        {"filevault": ON, "preboot": [], "faults": [UNSUPPORTED], "ssh_user": "helper"},
        LATER.but("run", ssh_unlock=True, require_comes_back=False),
        "unlock_refused",
        ["itadmin: system error"],
    ),
}


@pytest.fixture(scope="module")
def lab(bring_up: Callable[[Mapping[str, Any]], Lab]) -> Lab:
    return bring_up(
        {host: mac(row[0], "itadmin", "deputy", "helper", **row[1]) for host, row in TRIED.items()},
    )


@pytest.fixture(scope="module")
def played(ansible: Ansible, lab: Lab) -> Played:
    own = {host: PASSWORDS[str(row[1].get("ssh_user", "itadmin"))] for host, row in TRIED.items()}
    # What stands in the file of variables is no template.
    templates = {"ansible_password": "{{ own[inventory_hostname] }}", "ansible_ssh_private_key_file": ""}
    steps = {host: [row[2], *([] if row[3] else [AFTERWARDS])] for host, row in TRIED.items()}
    return play(ansible, lab, steps, "-e", json.dumps(templates), variables={"own": own})


def by_key(answer: Answer) -> list[journal.Login]:
    return [login for login in journal.logins(answer.entries) if login.method == "publickey" and login.ok]


@pytest.mark.parametrize("host", TRIED)
def test_the_mac_is_awaited_with_no_more_than_one_password(played: Played, lab: Lab, host: str) -> None:
    answer = played[host, "run"]
    assert answer.reason == TRIED[host][3], answer
    assert [event.reason for event in journal.events(answer.entries, "preboot")] == TRIED[host][4]
    assert lab.mac(host).state().locked is (answer.reason != "")
    assert len(journal.events(answer.entries, "restart")) == 1
    assert not by_key(answer), "a key was at hand, so nothing was tried"
    # Ansible has its password back.
    assert answer.reason or played[host, "afterwards"].ok


def test_a_reading_says_that_it_came_by_password(played: Played, ansible: Ansible, lab: Lab) -> None:
    for by_password in (played[host, "afterwards"] for host in TRIED if not TRIED[host][3]):
        (note,) = by_password.result["notes"]
        assert "by password" in note and note in by_password.result["warnings"]
    by_key = play(ansible, lab, {"off-26": [AFTERWARDS, AFTERWARDS.but("by module", reader="module")]})
    for title in ("afterwards", "by module"):
        assert by_key["off-26", title].result["notes"] == []


def test_no_password_stands_in_what_was_said(played: Played) -> None:
    said = played.run.output + played.run.results.read_text(encoding="utf-8")
    assert [who for who, password in PASSWORDS.items() if password in said] == []
