# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Mac goes away and comes back with its volume unlocked, and one that would stay away is not restarted.

It is the Mac of the lab that restarts: the ``shutdown`` of its PATH, never this machine's. What the module itself
refuses is tried in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import memory_play
import pytest
from memory_play import MemoryMac

from harness.ansible import Ansible
from harness.batch import Answer, Played, Step
from harness.macs import PASSWORDS, mac
from maclab import journal, vault
from maclab.lab import Handle, Lab
from maclab.state import Mac

ADMIN = {"user": "itadmin", "password": PASSWORDS["itadmin"]}
ON, OFF = {"state": "on", "prk": True}, {"state": "off"}
UNSUPPORTED, FORGOTTEN = {"fault": "authrestart_unsupported"}, {"fault": "authrestart_forgotten"}
RESETS = {"fault": "ssh_resets", "while": "locked"}

RUN = Step("run", "filevault_reboot", {"reboot_timeout": 60, **ADMIN})
NOBODY = {"user": None, "password": None}
BY_SSH = RUN.but("run", ssh_unlock=True)
# A second from going to coming, as for every Mac here: what is not back by now does not come.
SOON = 5
# For what must have answered by then, on a busy machine too.
LATER = 15

# Mac; its version; what else describes it; what is run.
BACK: dict[str, tuple[str, dict[str, Any], Step]] = {
    "off-11": ("11.7.10", {"filevault": OFF}, RUN.but("run", **NOBODY)),
    "on-10.13": ("10.13.6", {"filevault": ON}, RUN),
    "by-its-key": (
        "15.6",
        {"filevault": ON},
        RUN.but("run", **NOBODY, current_key=vault.key_number("by-its-key", 0)),
    ),
    # What is converted cannot restart past its screen; on macOS 26 a password by SSH unlocks it.
    "encrypting-26": ("26.1", {"filevault": {"state": "encrypting", "percent": 20, "prk": True}}, BY_SSH),
    "by-ssh-26": ("26.1", {"filevault": ON, "faults": [UNSUPPORTED]}, BY_SSH),
    "forgotten-26": ("26.1", {"filevault": ON, "faults": [FORGOTTEN]}, BY_SSH),
    # However the connection goes on that has unlocked it, and whichever method it looks at.
    "closes-26": ("26.1", {"filevault": ON, "faults": [UNSUPPORTED], "preboot_ssh": {"after_unlock": "close"}}, BY_SSH),
    "hangs-27": ("27.0.1", {"filevault": ON, "faults": [UNSUPPORTED], "preboot_ssh": {"after_unlock": "hang"}}, BY_SSH),
    "one-method-26": (
        "26.1",
        {"filevault": ON, "faults": [UNSUPPORTED], "preboot_ssh": {"password_method": False}, "hardware": "t2"},
        BY_SSH,
    ),
    "forgotten-27": ("27.0.1", {"filevault": ON, "faults": [FORGOTTEN], "hardware": "t2"}, BY_SSH),
    # Unlocked by macOS itself, so that nobody logs in by password.
    "not-needed-26": ("26.1", {"filevault": ON}, BY_SSH),
}
UNARMED = ("encrypting-26", "by-ssh-26", "closes-26", "hangs-27", "one-method-26")
WAITED_FOR_SSH = (*UNARMED, "forgotten-26", "forgotten-27")

# Mac; its version; what else describes it; what is run; the reason; whether it is restarted all the same.
FAILING: dict[str, tuple[str, dict[str, Any], Step, str, bool]] = {
    "wrong-password": ("15.6", {"filevault": ON}, RUN.but("run", password="no-password"), "user_password_wrong", False),
    "no-holder": ("15.6", {"filevault": ON}, RUN.but("run", user="ana", password="ana"), "user_no_token", False),
    "nobody-named": ("26.1", {"filevault": ON}, RUN.but("run", **NOBODY), "option_missing", False),
    "wrong-key": (
        "13.6.9",
        {"filevault": ON},
        RUN.but("run", **NOBODY, current_key=vault.key_number("nowhere", 1)),
        "key_invalid",
        False,
    ),
    "encrypting-13": ("13.6.9", {"filevault": {"state": "encrypting"}}, RUN, "authrestart_unsupported", False),
    "unsupported-15": ("15.6", {"filevault": ON, "faults": [UNSUPPORTED]}, BY_SSH, "authrestart_unsupported", False),
    "unsupported-26": ("26.1", {"filevault": ON, "faults": [UNSUPPORTED]}, RUN, "authrestart_unsupported", False),
    "by-ssh-by-nobody": (
        "26.1",
        {"filevault": ON, "faults": [UNSUPPORTED]},
        BY_SSH.but("run", **NOBODY),
        "option_missing",
        False,
    ),
    "arming-fails": (
        "15.6",
        {"filevault": ON, "faults": [{"fault": "authrestart_fails"}]},
        RUN,
        "fdesetup_99",
        False,
    ),
    "forgotten-15": (
        "15.6",
        {"filevault": ON, "faults": [FORGOTTEN]},
        RUN.but("run", reboot_timeout=SOON),
        "not_back",
        True,
    ),
    # What an unlock over SSH takes is looked at before.
    "keys-not-staged": (
        "26.1",
        {"filevault": ON, "faults": [UNSUPPORTED], "preboot_ssh": {"host_keys": "missing"}},
        BY_SSH,
        "would_not_come_back",
        False,
    ),
    "enterprise-27": (
        "27.0.1",
        {"filevault": ON, "faults": [UNSUPPORTED], "network": {"kind": "wifi", "security": "WPA2_ENTERPRISE"}},
        BY_SSH,
        "would_not_come_back",
        False,
    ),
    # The preboot volume was not told of its users, so none of them unlocks.
    "unknown-to-preboot": (
        "26.1",
        {"filevault": ON, "preboot": [], "faults": [UNSUPPORTED]},
        BY_SSH.but("run", reboot_timeout=LATER, require_comes_back=False),
        "unlock_refused",
        True,
    ),
    # It answers, and nobody was to send it a password.
    "forgotten-26-key": (
        "26.1",
        {"filevault": ON, "faults": [FORGOTTEN]},
        RUN.but("run", reboot_timeout=LATER),
        "waits_for_unlock",
        True,
    ),
    "broken-26": (
        "26.5.1",
        {"filevault": ON, "faults": [UNSUPPORTED, RESETS]},
        BY_SSH.but("run", reboot_timeout=LATER),
        "preboot_ssh_broken",
        True,
    ),
}
REFUSED = [host for host, row in FAILING.items() if not row[4]]
AWAY = [host for host, row in FAILING.items() if row[4]]
AFTERWARDS = Step("afterwards", "trust_info")


# Whether macOS arms the restart, only macOS knows: the controller has to hear of it.
SSH = (*BACK, *AWAY, "arming-fails")


def described() -> dict[str, dict[str, Any]]:
    rows = {host: row[:2] for host, row in BACK.items()} | {host: row[:2] for host, row in FAILING.items()}
    return {host: mac(version, "itadmin", "ana", **more) for host, (version, more) in rows.items()}


@pytest.fixture(scope="module")
def lab(bring_up: Callable[[Mapping[str, Any]], Lab]) -> Lab:
    return bring_up({host: one for host, one in described().items() if host in SSH})


@pytest.fixture(scope="module")
def macs(lab: Lab) -> dict[str, Handle | MemoryMac]:
    return memory_play.macs(lab, described())


@pytest.fixture(scope="module")
def at_first(macs: dict[str, Handle | MemoryMac]) -> dict[str, Mac]:
    return {host: one.state() for host, one in macs.items()}


@pytest.fixture(scope="module")
def played(ansible: Ansible, lab: Lab, macs: dict[str, Handle | MemoryMac], at_first: dict[str, Mac]) -> Played:
    assert at_first
    steps = {host: [row[2].but("check", check=True), row[2], AFTERWARDS] for host, row in BACK.items()}
    steps |= {host: [row[2].but("check", check=True), row[2]] for host, row in FAILING.items()}
    return memory_play.play_all(ansible, lab, macs, steps)


def restarts(answer: Answer) -> int:
    return len(journal.events(answer.entries, "restart"))


def logins(answer: Answer) -> list[tuple[str, bool]]:
    """Those by password; Ansible itself has a key."""
    found = [entry for entry in answer.entries if isinstance(entry, journal.Login)]
    return [(login.user, login.ok) for login in found if login.method != "publickey"]


@pytest.mark.parametrize("host", BACK)
def test_the_mac_comes_back_and_the_play_goes_on(played: Played, lab: Lab, at_first: dict[str, Mac], host: str) -> None:
    check, run = played[host, "check"], played[host, "run"]
    assert check.ok, check
    assert check.changed
    assert check.touched_nothing, check
    assert restarts(check) == 0
    assert run.ok, run
    assert run.changed
    assert run.result["plan"] == check.result["plan"]
    assert run.result["elapsed"] < 60
    assert restarts(run) == 1
    assert lab.mac(host).state().booted_at > at_first[host].booted_at
    afterwards = played[host, "afterwards"]
    assert afterwards.ok, afterwards
    assert not lab.mac(host).state().locked


@pytest.mark.parametrize("host", BACK)
def test_one_password_is_given_once_and_only_where_it_is_needed(played: Played, host: str) -> None:
    run = played[host, "run"]
    by_password = host not in ("off-11", "by-its-key")
    wanted = [[("itadmin", True)]] if host in WAITED_FOR_SSH else [[]]
    # Between two looks it may come back just in time for the password.
    wanted += [[("itadmin", True)]] if host == "not-needed-26" else []
    assert logins(run) in wanted
    armed = "next restart unlocked" in run.writes
    assert armed is (host not in ("off-11", *UNARMED))
    assert run.authentications == ([("itadmin", True)] if armed and by_password else [])


@pytest.mark.parametrize("host", REFUSED)
def test_a_mac_that_would_not_come_back_is_not_restarted(
    played: Played, macs: dict[str, Handle | MemoryMac], at_first: dict[str, Mac], host: str
) -> None:
    for title in ("check", "run"):
        answer = played[host, title]
        # Whether macOS arms the restart, only macOS knows.
        if (host, title) == ("arming-fails", "check"):
            assert answer.ok, answer
            continue
        assert answer.reason == FAILING[host][3], answer
        assert answer.result["remedy"]
        assert not answer.changed
        assert restarts(answer) == 0
        assert answer.writes == []
        assert host == "arming-fails" or answer.authentications == []
    assert macs[host].state().booted_at == at_first[host].booted_at
    assert not macs[host].state().restart_armed


@pytest.mark.parametrize("host", AWAY)
def test_a_mac_that_stays_away_is_missed(played: Played, lab: Lab, host: str) -> None:
    answer = played[host, "run"]
    assert answer.reason == FAILING[host][3], answer
    assert answer.changed
    assert restarts(answer) == 1
    assert lab.mac(host).state().locked
    # A wrong one may lock the account, so it is not tried again.
    assert logins(answer) == ([("itadmin", False)] if host == "unknown-to-preboot" else [])
    assert answer.result["elapsed"] >= SOON
    assert answer.result["evidence"][0].startswith("had started at ")
    assert answer.result["remedy"]


def test_the_unlock_screen_gets_one_password_by_the_method_that_answers(played: Played) -> None:
    for host in WAITED_FOR_SSH:
        entries = played[host, "run"].entries
        assert [event.reason for event in journal.events(entries, "preboot")] == ["itadmin: unlocked"], host
        unlocking = [login for login in journal.logins(entries) if login.method != "publickey"]
        assert [login.method for login in unlocking] == ["keyboard-interactive"], host


def test_a_refusal_says_what_the_mac_said(played: Played, lab: Lab) -> None:
    refused, forgotten, broken = (
        played[host, "run"].result["evidence"] for host in ("unknown-to-preboot", "forgotten-26-key", "broken-26")
    )
    assert "Permission denied" in refused[1] and "********" not in refused[1]
    assert "This system is locked" in " ".join(forgotten) or "Permission denied" in forgotten[-1]
    assert "eset" in broken[-1]
    # An unknown account costs no attempt, a key none either.
    assert all(lab.mac(host).state().waiting.failures == 0 for host in AWAY)


def test_the_password_stands_nowhere(played: Played, lab: Lab) -> None:
    assert PASSWORDS["itadmin"] not in played.run.output
    assert PASSWORDS["itadmin"] not in played.run.results.read_text(encoding="utf-8")
    for host in lab.names:
        assert PASSWORDS["itadmin"] not in lab.mac(host).folder.journal.read_text(encoding="utf-8")
