# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Macs that an earlier version lost or called recoverable, each as it was found, on the lab's programs in memory."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

import fakes
import pytest
from inmemory import LabRunner, snapshot

from ansible_collections.keyholder.macos.plugins.module_utils._plan.account import AccountRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.filevault import KeyRequest, UnlockerRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.offboard import OffboardRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.request import Outcome
from ansible_collections.keyholder.macos.plugins.module_utils._plan.token import TokenRequest
from ansible_collections.keyholder.macos.plugins.module_utils._reading.ask import Ask
from ansible_collections.keyholder.macos.plugins.module_utils._reading.read import read_mac
from ansible_collections.keyholder.macos.plugins.module_utils._recoverable import recoverability
from ansible_collections.keyholder.macos.plugins.module_utils._run.run import Run
from ansible_collections.keyholder.macos.plugins.module_utils._runner import DEADLINE, Command, Ran, Secret
from maclab import bootstrap, directory, vault
from maclab.state import SECURE_TOKEN, Fault, Group, Mac

IT, ANA, OLD = "it-pw-1", "ana-pw-2", "older-pw"
INACTIVE = """\
<?xml version="1.0" encoding="UTF-8"?>
<plist version="1.0"><dict><key>policyCategoryAuthentication</key><array><dict>
<key>policyContent</key><string>policyAttributeLastAuthenticationTime &gt; policyAttributeCurrentTime - 2851200</string>
<key>policyIdentifier</key><string>Inactive Account</string>
</dict></array></dict></plist>
"""


@dataclass
class Deaf(LabRunner):
    """A Mac one of whose programs does not answer in time."""

    silent: tuple[str, ...] = ()

    def run(self, command: Command, deadline: float = DEADLINE) -> Ran:
        if command.argv == self.silent:
            return Ran(command, None, timed_out=True)
        return super().run(command, deadline)


def encrypted(version: str = "15.6") -> Mac:
    """A Mac with FileVault on and no recovery key."""
    mac = fakes.mac(version)
    fakes.person(mac, "root", None, uid=0).service = True
    mac.filevault.state, mac.filevault.prk = "on", None
    return mac


def run(mac: Mac, request: t.Any, silent: tuple[str, ...] = (), **passwords: str) -> tuple[Outcome, LabRunner]:
    runner = Deaf(mac, silent=silent)
    return Run(runner, {option: Secret(value) for option, value in passwords.items()}, 5).run(request, False), runner


def refused(mac: Mac, request: t.Any, silent: tuple[str, ...] = (), **passwords: str) -> str:
    before = snapshot(mac)
    outcome, runner = run(mac, request, silent, **passwords)
    assert outcome.refusal is not None
    assert (mac, runner.writes) == (before, [])
    return outcome.refusal.reason


def verdict(mac: Mac) -> str:
    return recoverability(read_mac(LabRunner(mac), 5)).verdict


GONE = [AccountRequest("ana", state="absent"), OffboardRequest("ana")]


@pytest.mark.parametrize("request_", GONE)
def test_an_unread_status_is_not_off(request_: t.Any) -> None:
    mac = encrypted()
    fakes.person(mac, "itadmin", IT, admin=True)
    fakes.person(mac, "ana", ANA, token=True)
    fakes.person(mac, "rui", "rui-pw-3", token=True).authority.append(directory.DISABLED_USER)
    assert refused(mac, request_, ("fdesetup", "status")) in ("would_lock_out", "last_unlocker", "last_holder")
    assert refused(mac, request_) in ("would_lock_out", "last_unlocker", "last_holder")


@pytest.mark.parametrize("request_", GONE)
def test_the_last_key_is_a_phantoms(request_: t.Any) -> None:
    mac = encrypted()
    fakes.person(mac, "itadmin", IT, admin=True)
    fakes.person(mac, "ana", ANA, token=True).authority.remove(SECURE_TOKEN)
    assert refused(mac, request_) in ("would_lock_out", "last_unlocker")


def test_the_last_admin_holder_cannot_log_in() -> None:
    mac = encrypted()
    fakes.person(mac, "itadmin", IT, admin=True, token=True).authority.append(directory.DISABLED_USER)
    fakes.person(mac, "ana", ANA, token=True)
    assert refused(mac, UnlockerRequest("itadmin", state="absent")) == "last_admin_holder"


def test_a_disabled_granter_of_macos_27_is_none() -> None:
    mac = encrypted()
    fakes.person(mac, "itadmin", IT, admin=True, token=True)
    fakes.person(mac, "deputy", OLD, admin=True, token=True)
    mac.groups[directory.ACCESS_DISABLED] = Group(directory.ACCESS_DISABLED, 396, directory.new_guid(), ["itadmin"])
    assert verdict(mac) == "yes"
    assert refused(mac, AccountRequest("deputy", admin=False)) == "last_admin_holder"
    fakes.person(mac, "new", ANA)
    grant = TokenRequest("new", admin_user="itadmin")
    assert refused(mac, grant, password=ANA, admin_password=IT) == "granter_disabled"


STALE = [
    (OffboardRequest, {"name": "ana"}),
    (AccountRequest, {"name": "ana", "state": "absent"}),
    (AccountRequest, {"name": "ana", "admin": False}),
    (UnlockerRequest, {"user": "ana", "state": "absent"}),
]


@pytest.mark.parametrize(("kind", "options"), STALE)
def test_a_stale_key_that_would_be_the_last_is_found_where_its_password_is_given(
    kind: t.Any, options: dict[str, t.Any]
) -> None:
    mac = encrypted()
    fakes.person(mac, "itadmin", IT, admin=True, token=True).key_password = OLD
    fakes.person(mac, "ana", ANA, admin=True, token=True)
    proof = {"admin_user": "itadmin", "given": frozenset({"admin_password"})}
    assert refused(mac, kind(**options, **proof), admin_password=IT) == "stale_key"
    assert refused(mac, kind(**options, **proof), admin_password="wrong") == "granter_password_wrong"
    mac.accounts["itadmin"].key_password = IT
    done, _ = run(mac, kind(**options, **proof), admin_password=IT)
    assert done.refusal is None
    assert not done.notes


def test_without_that_password_the_run_says_what_it_does_not_know() -> None:
    mac = encrypted()
    fakes.person(mac, "itadmin", IT, admin=True, token=True).key_password = OLD
    fakes.person(mac, "ana", ANA, admin=True, token=True)
    done, _ = run(mac, OffboardRequest("ana"))
    assert "it was not checked that its password opens its key" in " ".join(done.notes)


def test_a_wrong_password_is_never_tried_against_a_key_on_a_guess() -> None:
    """The Secure Enclave counts: where the hash is unreadable, check mode cannot know, and leaves the key alone."""
    mac = encrypted()
    fakes.person(mac, "itadmin", IT, admin=True, token=True)
    fakes.person(mac, "ana", ANA, token=True)
    mac.faults.append(Fault("hash_unreadable"))
    request = OffboardRequest("ana", admin_user="itadmin", given=frozenset({"admin_password"}))
    runner = LabRunner(mac)
    said = Run(runner, {"admin_password": Secret("wrong")}, 5).run(request, True)
    assert said.refusal is None
    assert "check mode does not try whether" in " ".join(said.notes)
    assert not [command for command, _ in runner.runs if "-verify" in command.argv]


def test_the_last_recovery_key_goes_after_a_proof_alone() -> None:
    mac = encrypted()
    fakes.person(mac, "itadmin", IT, admin=True, token=True).key_password = OLD
    key = vault.make_key(mac)
    gone = KeyRequest("absent", user="itadmin", given=frozenset({"password"}))
    assert refused(mac, gone, password=IT) == "stale_key"
    by_key = KeyRequest("absent", given=frozenset({"current_key"}))
    assert refused(mac, by_key, current_key=key) == "last_recovery_key"
    mac.accounts["itadmin"].key_password = IT
    done, _ = run(mac, gone, password=IT)
    assert done.refusal is None
    assert mac.filevault.prk is None


def test_a_rule_that_nobody_can_judge_is_no_plain_yes() -> None:
    mac = encrypted("14.7.7")
    fakes.person(mac, "itadmin", IT, admin=True, token=True)
    assert verdict(mac) == "yes"
    mac.policy.xml = INACTIVE
    said = recoverability(read_mac(LabRunner(mac), 5))
    assert (said.verdict, "Inactive Account" in said.why) == ("unknown", True)


def test_a_bootstrap_token_that_macos_would_not_use_is_not_counted_on() -> None:
    mac = encrypted("13.6")
    fakes.person(mac, "itadmin", IT, admin=True)
    fakes.person(mac, "ana", ANA, token=True)
    mac.mdm.enrolled, mac.mdm.bootstrap_supported = "ade", True
    bootstrap.create(mac)
    assert bootstrap.escrow(mac)
    assert verdict(mac) == "pending"
    bootstrap.create(mac)
    read = read_mac(LabRunner(mac), 5)
    assert (read.management.bootstrap, read.management.preflight) == ("escrowed_unproven", False)
    assert recoverability(read).verdict == "at_risk"
    accepting = TokenRequest("itadmin", admin_user="ana", accept_pending=True)
    assert refused(mac, accepting, password=IT, admin_password=ANA) == "granter_not_admin"
    assert refused(mac, TokenRequest("itadmin", accept_pending=True), password=IT) == "granter_missing"


def test_macos_is_asked_about_its_bootstrap_token_only_where_something_rests_on_it() -> None:
    mac = encrypted()
    fakes.person(mac, "itadmin", IT, admin=True, token=True)
    mac.mdm.enrolled, mac.mdm.bootstrap_supported = "ade", True
    bootstrap.create(mac)
    assert bootstrap.escrow(mac)
    runner = LabRunner(mac)
    read_mac(runner, 5)
    assert [command.argv[0] for command, _ in runner.runs].count("mdmclient") == 0
    fakes.person(mac, "new", ANA)
    read_mac(runner, 5, Ask(waiting="new"))
    assert [command.argv[0] for command, _ in runner.runs].count("mdmclient") == 1
