# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Without a Python on the Mac, trust_info says the same as with one, field by field, in one SSH exec."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from harness.ansible import Ansible
from harness.batch import Played, Step, account, play
from harness.macs import PASSWORDS, VERSIONS, mac, name, person, secret
from maclab import journal
from maclab.lab import Lab

MODULE = Step("module", "trust_info", {"timeout": 20, "include": ["escrow"]})
SHELL = MODULE.but("shell", reader="shell")
AS_USER = [MODULE.but("module, as a user", become=False), SHELL.but("shell, as a user", become=False)]
CHECKED = SHELL.but("shell, check mode", check=True, diff=True)
PREFLIGHT = [step.but(f"{step.title}, preflight", include=["preflight"]) for step in (MODULE, SHELL)]
BOTH = [MODULE, SHELL]
EAGER = [step.but(step.title, timeout=4) for step in BOTH]
PATIENT = [step.but(step.title, timeout=600) for step in BOTH]
NONSENSE = [
    SHELL.but("no time", timeout=0),
    SHELL.but("no such extra", include=["everything"]),
    SHELL.but("no such reader", reader="telepathy"),
]

# Short names that a scenario would not take are made by the module `account`.
NAMES = {
    "o'brien": 'O\'Brien; rm -rf "$HOME" `id`',
    "two words": "keyholder-0000 end",
    "{{ lookup }}": "{{ lookup('pipe', 'id') }}{% raw %}",
    "$HOME": "</string></array></plist>",
    "jürgen": "Grüße \N{KEY} evil",
    "percent%s": "%s%n\\n\\0",
}
FULL_NAMES = {
    "lines": "two\nerrors\nabsent\n",
    "right": "from \N{RIGHT-TO-LEFT OVERRIDE}left",
    "markup": "<script>alert(1)</script>",
}
HOSTILE = [person(user, full_name=full_name, password="x-1") for user, full_name in FULL_NAMES.items()]

FAULTS: dict[str, dict[str, Any]] = {
    "hang-fdesetup": {"fault": "hang", "program": "fdesetup", "argument": "list"},
    "hang-dscl": {"fault": "hang", "program": "dscl"},
    "floods-fdesetup": {"fault": "floods", "program": "fdesetup", "argument": "list"},
    "floods-dscl": {"fault": "floods", "program": "dscl"},
    "no-full-disk-access": {"fault": "no_full_disk_access"},
    "slow": {"fault": "slow", "seconds": 1},
}
# What each macOS makes of a command is the same for both: the commands are.
ENDS = (VERSIONS[0], VERSIONS[-1])
BARE = "bare"
CROWD = "crowd"
MANAGED = "managed"
EVIL = "evil"
MOST = 8


@pytest.fixture(scope="module")
def lab(bring_up: Callable[[Mapping[str, Any]], Lab]) -> Lab:
    password = secret("crowd")
    crowd = [person(f"user{index}", password=password, token=index % 2 == 0) for index in range(1, 200)]
    managed = {
        "filevault": {"state": "on", "prk": True},
        "mdm": {"enrolled": "ade", "bootstrap": {"supported": True, "escrowed": True}},
        "policy": {"max_failed": 5},
        "crypto_users": [{"uuid": "0C0FFEE0-0000-4000-8000-00000000D0D0"}],
    }
    macs = {name(version): mac(version) for version in ENDS}
    macs[CROWD] = mac("15.6", "itadmin", *crowd)
    macs[EVIL] = mac("15.6", "itadmin", *HOSTILE)
    macs[MANAGED] = mac("15.6", **managed)
    macs |= {host: mac("15.6", **managed, faults=[fault]) for host, fault in FAULTS.items()}
    macs[BARE] = mac("15.6", **managed) | {"python": "none"}
    return bring_up(macs)


@pytest.fixture(scope="module")
def played(ansible: Ansible, lab: Lab) -> Played:
    steps = {host: [*BOTH, *AS_USER, CHECKED, *PREFLIGHT] for host in FULLY}
    steps |= dict.fromkeys((CROWD, EVIL), BOTH)
    steps |= {host: PATIENT if host.startswith("floods") else EAGER for host in FAULTS}
    steps[EVIL] = [account(f"make {user}", user, full_name=NAMES[user], password="plain-1") for user in NAMES] + steps[
        EVIL
    ]
    steps[BARE] = [SHELL, CHECKED, *NONSENSE]
    return play(ansible, lab, steps)


FULLY = [*(name(version) for version in ENDS), MANAGED]
ALL = [*FULLY, CROWD, EVIL]


@pytest.mark.parametrize("host", [*ALL, *FAULTS])
def test_the_same_field_by_field(played: Played, host: str) -> None:
    module, shell = played[host, "module"], played[host, "shell"]
    if host == "hang-dscl":
        assert (module.reason, shell.reason) == ("no_answer", "no_answer"), shell
        assert shell.result["evidence"] == module.result["evidence"]
        return
    if host == "floods-dscl":
        assert (module.reason, shell.reason) == ("output_too_long", "output_too_long"), shell
        assert "printed more than 8388608 bytes" in str(shell.result["evidence"])
        assert shell.result["evidence"] == module.result["evidence"]
        return
    assert module.ok, module
    assert shell.ok, shell
    assert shell.result["mac"] == module.result["mac"]
    assert shell.result["summary"] == module.result["summary"]
    assert not shell.changed


@pytest.mark.parametrize("host", FULLY)
def test_the_same_without_root(played: Played, host: str) -> None:
    module, shell = played[host, "module, as a user"], played[host, "shell, as a user"]
    assert shell.ok, shell
    assert shell.result["mac"] == module.result["mac"]
    assert shell.result["mac"]["missing"]


@pytest.mark.parametrize("host", FULLY)
def test_check_mode_says_the_same(played: Played, host: str) -> None:
    assert played[host, CHECKED.title].result["mac"] == played[host, "shell"].result["mac"]


@pytest.mark.parametrize("host", FULLY)
def test_the_preflight_too(played: Played, host: str) -> None:
    module, shell = played[host, "module, preflight"], played[host, "shell, preflight"]
    assert shell.result["mac"] == module.result["mac"]
    assert "bootstrap_preflight" in shell.result["mac"]["management"]


def test_a_preflight_was_made_somewhere(played: Played) -> None:
    assert played[MANAGED, "shell, preflight"].result["mac"]["management"]["bootstrap_preflight"] is not None
    assert any(run.program == "mdmclient" for run in played[MANAGED, "shell, preflight"].programs)


@pytest.mark.parametrize("host", [*ALL, BARE])
def test_one_exec_no_login_no_write(played: Played, host: str) -> None:
    answer = played[host, "shell"]
    assert answer.ok, answer
    assert len(journal.execs(answer.entries)) == 1, answer
    assert answer.touched_nothing
    # `stat` of the escrow and `fdesetup usingrecoverykey` are two more than a reading takes without them.
    assert 0 < len(answer.programs) <= MOST + 2, answer


def test_no_python_is_needed(lab: Lab, played: Played) -> None:
    assert lab.mac(BARE).ssh("command -v python3").rc != 0
    reading = played[BARE, "shell"].result["mac"]
    assert reading["holders"] == ["itadmin", "deputy", "stan"]
    assert reading["missing"] == []


def test_nobody_in_a_crowd_is_left_out(played: Played) -> None:
    assert len(played[CROWD, "shell"].result["mac"]["accounts"]) == 200


def test_hostile_names_arrive_and_steer_no_terminal(played: Played) -> None:
    shown = {"lines": "two?errors?absent?", "right": "from ?left"}
    for title in ("module", "shell"):
        result = played[EVIL, title].result
        read = {one["name"]: one["full_name"] for one in result["mac"]["accounts"]}
        assert read == {"itadmin": "IT Administrator"} | FULL_NAMES | shown | NAMES
        assert not [text for text in texts([result["mac"], result["summary"]]) if not text.isprintable()]


def texts(value: Any) -> list[str]:
    """Every text in a result, keys as well."""
    if isinstance(value, Mapping):
        return [text for pair in value.items() for entry in pair for text in texts(entry)]
    if isinstance(value, list):
        return [text for entry in value for text in texts(entry)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize("host", [host for host in FAULTS if host.startswith("hang-") and host != "hang-dscl"])
def test_what_hangs_is_named_and_the_rest_is_there(played: Played, host: str) -> None:
    reading = played[host, "shell"].result["mac"]
    assert "no answer before the deadline" in str(reading["missing"])
    assert len(reading["accounts"]) == 7


def test_what_prints_for_ever_is_named_and_the_rest_is_there(played: Played) -> None:
    reading = played["floods-fdesetup", "shell"].result["mac"]
    said = "fdesetup list: it printed more than 1048576 bytes, and was stopped"
    assert said in [missing["evidence"] for missing in reading["missing"]]
    assert len(reading["accounts"]) == 7


def test_nonsense_is_refused(played: Played) -> None:
    assert played[BARE, "no time"].reason == "value_unusable"
    assert played[BARE, "no such extra"].reason == "value_unusable"
    assert "everything" in played[BARE, "no such extra"].result["msg"]
    assert not played[BARE, "no such reader"].ok
    assert not played[BARE, "no time"].programs


@pytest.mark.parametrize("host", ALL)
def test_no_secret_went_anywhere(played: Played, host: str) -> None:
    said = str(played[host, "shell"].entries)
    assert not [who for who, password in PASSWORDS.items() if password in said]
