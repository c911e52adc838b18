# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Bootstrap Token on every macOS: escrowed, validated and removed; where something is broken, test_faults.py asks.

All of it in memory; over SSH what a terminal makes of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import memory_play
import pytest
from memory_play import MemoryMac

from harness import expect
from harness.ansible import Ansible
from harness.batch import Played, Step
from harness.macs import PASSWORDS, VERSIONS, mac, name
from maclab import bootstrap
from maclab.lab import Handle, Lab

SSH = [name("26.1")]
# The oldest macOS has no Bootstrap Token.
IN_MEMORY = [memory_play.name(version) for version in VERSIONS[1:]]
HOSTS = [*SSH, *IN_MEMORY]
SAYS_WHETHER_IT_WORKS = ("-13.6.9", "-15.6", "-26.1", "-27.0.1")
SUPPORTED = {"bootstrap": {"supported": True, "escrowed": False}}
IT = {"admin_user": "itadmin", "admin_password": PASSWORDS["itadmin"]}

ESCROW = Step("escrow", "bootstrap_token", {"state": "escrowed", **IT})
VALIDATE = ESCROW.but("validate", state="validated")
REMOVE = ESCROW.but("remove", state="absent")

REFUSED = {
    "granter's password wrong": ("granter_password_wrong", {"admin_password": "no-password-of-this-mac"}),
    "granter without token": ("granter_no_token", {"admin_user": "helper", "admin_password": PASSWORDS["helper"]}),
    "granter no administrator": ("granter_not_admin", {"admin_user": "stan", "admin_password": PASSWORDS["stan"]}),
    "granter a phantom": ("granter_phantom", {"admin_user": "ghost", "admin_password": PASSWORDS["ghost"]}),
    "no granter": ("granter_missing", {"admin_user": None}),
    "too long for the prompt": ("password_unusable", {"admin_password": "x" * 129}),
}


def both(step: Step) -> list[Step]:
    """Predicted, then done, then found done without a granter."""
    again = step.but(f"{step.title}: again", admin_user=None, admin_password=None)
    return [step.but(f"{step.title}: check", check=True, diff=True), step.but(step.title, diff=True), again]


STEPS = [
    *both(ESCROW),
    VALIDATE.but("validate: check", check=True),
    VALIDATE,
    *both(REMOVE),
    VALIDATE.but("nothing to validate"),
]

# Macs that can have no Bootstrap Token as they are: nobody is asked for a password that would be of no use.
IMPOSSIBLE: dict[str, tuple[str, dict[str, Any], str]] = {
    "high-sierra": ("10.13.6", SUPPORTED | {"enrolled": "ade"}, "bootstrap_unsupported"),
    "not-enrolled": ("15.6", {"enrolled": "no"}, "not_enrolled"),
    "not-approved": ("13.6.9", SUPPORTED | {"enrolled": "user", "user_approved": False}, "not_enrolled"),
    "by-hand-on-10.15.3": ("10.15.3", SUPPORTED | {"enrolled": "user"}, "not_enrolled"),
    "server-without": ("26.1", {"enrolled": "ade", "bootstrap": {"supported": False}}, "bootstrap_unsupported"),
}
on_each_mac = pytest.mark.parametrize("host", HOSTS)
# From 10.15.4 on an enrolment that its user approved is enough.
BY_HAND = "by-hand-on-15"


def described() -> dict[str, dict[str, Any]]:
    macs = {host: mac(host.rpartition("-")[2], mdm=SUPPORTED | {"enrolled": "ade"}) for host in HOSTS}
    for host, (version, managed, _reason) in IMPOSSIBLE.items():
        macs[host] = mac(
            version, "itadmin", "deputy", mdm=managed, hardware="t2" if version < "13" else "apple-silicon"
        )
    macs[BY_HAND] = mac("15.6", "itadmin", mdm=SUPPORTED | {"enrolled": "user"})
    return macs


@pytest.fixture(scope="module")
def lab(bring_up: Callable[[Mapping[str, Any]], Lab]) -> Lab:
    return bring_up({host: one for host, one in described().items() if host in SSH})


@pytest.fixture(scope="module")
def macs(lab: Lab) -> dict[str, Handle | MemoryMac]:
    return memory_play.macs(lab, described())


@pytest.fixture(scope="module")
def played(ansible: Ansible, lab: Lab, macs: dict[str, Handle | MemoryMac]) -> Played:
    refused = [ESCROW.but(title, **options) for title, (_reason, options) in REFUSED.items()]
    steps = {host: [*(refused if host in IN_MEMORY else []), *STEPS] for host in HOSTS}
    steps |= dict.fromkeys(IMPOSSIBLE, [ESCROW.but("run"), ESCROW.but("run: check", check=True)])
    steps[BY_HAND] = [ESCROW.but("run")]
    return memory_play.play_all(ansible, lab, macs, steps)


def status(host: str) -> str:
    return "valid" if host.endswith(SAYS_WHETHER_IT_WORKS) else "escrowed_unproven"


@pytest.mark.parametrize("host", IN_MEMORY)
def test_what_is_refused_touches_nothing(played: Played, host: str) -> None:
    for title in REFUSED:
        assert played[host, title].reason == REFUSED[title][0], played[host, title]
        assert played[host, title].touched_nothing, played[host, title]


@on_each_mac
@pytest.mark.parametrize("step", ["escrow", "remove"])
def test_predicted_done_and_found_done(played: Played, host: str, step: str) -> None:
    check, run, again = (played[host, f"{step}{when}"] for when in (": check", "", ": again"))
    expect.predicted(check, run)
    expect.done(run)
    assert run.authentications == [("itadmin", True)]
    expect.found_done(again, run)
    assert run.after["status"] == ("not_escrowed" if step == "remove" else status(host))
    assert run.after["crypto_user"] is (step == "escrow")


@on_each_mac
def test_the_password_was_typed_at_a_terminal_and_nowhere_else(played: Played, host: str) -> None:
    (install,) = (run for run in played[host, "escrow"].programs if "install" in run.argv)
    assert install.argv == ["install", "-type", "bootstraptoken"]
    assert install.prompts == ["Enter the admin user name:", "Enter the password for user 'itadmin':"]
    # A real terminal has the key that ends it, too.
    assert install.tty_bytes == len(PASSWORDS["itadmin"]) + (host in SSH)
    assert install.writes == ["Bootstrap Token created", "Bootstrap Token escrowed"]


@on_each_mac
def test_validating_changes_nothing_and_asks_nobody_where_macos_says_so_by_itself(played: Played, host: str) -> None:
    check, run = played[host, "validate: check"], played[host, "validate"]
    for answer in (check, run):
        assert answer.ok, answer
        assert not answer.changed
        assert answer.writes == []
    assert check.authentications == []
    assert run.authentications == ([] if host.endswith(SAYS_WHETHER_IT_WORKS) else [("itadmin", True)])
    assert played[host, "nothing to validate"].reason == "bootstrap_not_escrowed"
    assert played[host, "nothing to validate"].touched_nothing


@pytest.mark.parametrize("host", IMPOSSIBLE)
def test_a_mac_that_can_have_none_is_left_alone(played: Played, host: str) -> None:
    for step in ("run", "run: check"):
        assert played[host, step].reason == IMPOSSIBLE[host][2], played[host, step]
        assert played[host, step].touched_nothing, played[host, step]
        assert not played[host, step].changed


def test_an_enrolment_approved_by_its_user_is_enough(played: Played, macs: dict[str, Handle | MemoryMac]) -> None:
    assert played[BY_HAND, "run"].ok, played[BY_HAND, "run"]
    assert bootstrap.works(macs[BY_HAND].state())
