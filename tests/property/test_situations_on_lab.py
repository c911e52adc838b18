# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How Macs get their people, situation by situation, each with the end that it must come to and a second run."""

from __future__ import annotations

import typing as t

import fakes
from inmemory import LabRunner, admin_holders, snapshot

from ansible_collections.keyholder.macos.plugins.module_utils._flow import Flow, Outcome
from ansible_collections.keyholder.macos.plugins.module_utils._plan.account import AccountRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.token import TokenRequest
from ansible_collections.keyholder.macos.plugins.module_utils._probe import read_mac
from ansible_collections.keyholder.macos.plugins.module_utils._report import summary
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Secret
from maclab import bootstrap
from maclab.state import Mac

IT, STAN, NEW = "it-pw-1", "stan-pw-2", "new-pw-3"


def cast(version: str = "15.6", hardware: str = "apple-silicon", escrowed: bool = False) -> Mac:
    """A Mac whose device management knows it, and nobody on it yet."""
    mac = fakes.mac(version, hardware)
    fakes.person(mac, "root", None, uid=0).service = True
    mac.mdm.enrolled, mac.mdm.bootstrap_supported = "ade", True
    if escrowed:
        bootstrap.create(mac)
        assert bootstrap.escrow(mac)
    return mac


def run(mac: Mac, request: t.Any, check: bool = False, **passwords: str) -> tuple[Outcome, LabRunner]:
    runner = LabRunner(mac)
    secrets = {option: Secret(value) for option, value in passwords.items()}
    return Flow(runner, secrets, 5).run(request, check), runner


def reach(mac: Mac, request: t.Any, **passwords: str) -> LabRunner:
    """Foreseen without a trace, done, and then nothing is left to do and nobody is asked. The run that did it."""
    before = snapshot(mac)
    foreseen, looked = run(mac, request, True, **passwords)
    assert (mac, looked.writes, looked.authentications) == (before, [], [])
    done, did = run(mac, request, **passwords)
    assert done.refusal is None, done.refusal
    assert (done.plan, done.changed) == (foreseen.plan, foreseen.changed)
    again, idle = run(mac, request)
    assert (again.refusal, again.changed, again.plan) == (None, False, [])
    assert (idle.writes, idle.authentications) == ([], [])
    return did


def refused(mac: Mac, request: t.Any, **passwords: str) -> str:
    before = snapshot(mac)
    outcome, runner = run(mac, request, **passwords)
    assert outcome.refusal is not None
    assert (mac, runner.writes, runner.authentications) == (before, [], [])
    return f"{outcome.refusal.reason}: {outcome.refusal.msg} {outcome.refusal.remedy}"


# -- the end user sets up the Mac -------------------------------------------------------------------------------------


def test_s1_an_escrowed_bootstrap_token_and_nothing_to_do() -> None:
    mac = cast(escrowed=True)
    fakes.person(mac, "stan", STAN, token=True)
    fakes.person(mac, "itadmin", IT, admin=True)
    lines = summary(read_mac(LabRunner(mac), 5))
    assert any(line.startswith("recoverable: at risk - no administrator holds a token, only stan") for line in lines)
    (waiting,) = [line for line in lines if line.startswith("itadmin")]
    assert "pending   token comes at the first graphical login (an SSH login does not count)" in waiting
    did = reach(mac, TokenRequest("itadmin", accept_pending=True))
    assert (did.writes, did.authentications) == ([], [])
    bootstrap.log_in(mac, "itadmin", None, 0.0)
    assert admin_holders(mac) == {"itadmin"}
    reach(mac, TokenRequest("itadmin"))


def test_s2_and_s9_only_the_standard_user_holds_a_token() -> None:
    mac = cast()
    fakes.person(mac, "stan", STAN, token=True)
    fakes.person(mac, "itadmin", IT, admin=True)
    request = TokenRequest("itadmin", admin_user="stan")
    said = refused(mac, request, password=IT, admin_password=STAN)
    assert said.startswith("granter_not_admin")
    assert "allow_temporary_promotion" in said
    assert "Bootstrap Token" in said
    lent = TokenRequest("itadmin", admin_user="stan", allow_temporary_promotion=True)
    reach(mac, lent, password=IT, admin_password=STAN)
    assert admin_holders(mac) == {"itadmin"}
    assert mac.accounts["stan"].has_authority_token
    assert not mac.is_admin("stan")
    assert mac.crypto_users[mac.accounts["itadmin"].generated_uid].owner


# -- the IT administrator sets up the Mac -----------------------------------------------------------------------------


def test_s4_made_in_system_settings() -> None:
    mac = cast()
    fakes.person(mac, "itadmin", IT, admin=True, token=True)
    for name in ("ana", "luc", "kari"):
        fakes.person(mac, name, f"{name}-pw", token=True)
        did = reach(mac, AccountRequest(name, secure_token="present", admin_user="itadmin"))
        assert (did.writes, did.authentications) == ([], [])


def test_s5_made_by_command_with_an_escrowed_bootstrap_token() -> None:
    mac = cast(escrowed=True)
    fakes.person(mac, "itadmin", IT, admin=True, token=True)
    request = AccountRequest("ana", secure_token="present", accept_pending=True, given=frozenset({"password"}))
    did = reach(mac, request, password=NEW)
    assert did.authentications == []
    assert request.view(read_mac(LabRunner(mac), 5))["secure_token"] == "pending"
    bootstrap.log_in(mac, "ana", None, 0.0)
    assert request.view(read_mac(LabRunner(mac), 5))["secure_token"] == "holder"
    assert run(mac, request)[0].plan == []


def test_s6_made_by_command_without_one() -> None:
    mac = cast()
    fakes.person(mac, "itadmin", IT, admin=True, token=True)
    request = AccountRequest(
        "ana", secure_token="present", admin_user="itadmin", accept_pending=True, given=frozenset({"password"})
    )
    assert refused(mac, request, password=NEW, admin_password="wrong").startswith("granter_password_wrong")
    reach(mac, request, password=NEW, admin_password=IT)
    guid = mac.accounts["ana"].generated_uid
    assert guid in mac.crypto_users
    assert guid in mac.preboot


# -- nobody holds a token, or somebody must not -----------------------------------------------------------------------


def test_s7_the_first_holder_by_the_rule_of_the_version() -> None:
    for version, hardware, rule in (
        ("14.5", "apple-silicon", "the first account whose password is set"),
        ("10.15.7", "t2", "the first administrator who authenticates"),
        ("10.13.6", "intel", "the only account from UID 500 up"),
    ):
        mac = cast(version, hardware)
        fakes.person(mac, "itadmin", IT, admin=True)
        said = refused(mac, TokenRequest("itadmin"), password=IT)
        assert said.startswith("no_holder")
        assert rule in said
        reach(mac, TokenRequest("itadmin", first_token=True), password=IT)
        assert admin_holders(mac) == {"itadmin"}


def test_s7_a_person_is_needed_at_the_keyboard() -> None:
    mac = cast("10.13.6", "intel")
    fakes.person(mac, "itadmin", IT, admin=True)
    fakes.person(mac, "ana", NEW)
    said = refused(mac, TokenRequest("itadmin", first_token=True), password=IT)
    assert said.startswith("not_first")
    assert "a person at the Mac has to log in at the screen as itadmin" in said


def test_s8_a_service_administrator_that_never_takes_the_first_token() -> None:
    mac = cast()
    request = AccountRequest("svc", admin=True, hidden=True, secure_token="prevented", given=frozenset({"password"}))
    reach(mac, request, password=NEW)
    assert admin_holders(mac) == set()
    fakes.run(mac, "dscl", "/Local/Default", "-authonly", "svc", stdin=f"{NEW}\n")
    assert admin_holders(mac) == set()
    reach(mac, AccountRequest("itadmin", admin=True, given=frozenset({"password"})), password=IT)
    assert admin_holders(mac) == {"itadmin"}
    reach(mac, AccountRequest("svc", secure_token="allowed"))
    assert not read_mac(LabRunner(mac), 5).account("svc").disabled_tag  # type: ignore[union-attr]


def test_s10_an_administrator_without_a_token_is_no_granter() -> None:
    mac = cast()
    fakes.person(mac, "itadmin", IT, admin=True, token=True)
    fakes.person(mac, "helper", STAN, admin=True)
    fakes.person(mac, "ana", NEW)
    said = refused(mac, TokenRequest("ana", admin_user="helper"), password=NEW, admin_password=STAN)
    assert said.startswith("granter_no_token")
    assert "granters on this Mac: itadmin" in said


def test_s11_the_last_token_of_an_administrator() -> None:
    mac = cast()
    fakes.person(mac, "itadmin", IT, admin=True, token=True)
    fakes.person(mac, "stan", STAN, token=True)
    request = TokenRequest("itadmin", "absent", "itadmin")
    assert refused(mac, request, password=IT, admin_password=IT).startswith("last_admin_holder")
    fakes.person(mac, "deputy", NEW, admin=True, token=True)
    reach(mac, TokenRequest("itadmin", "absent", "deputy"), password=IT, admin_password=NEW)
    assert admin_holders(mac) == {"deputy"}
    assert len(mac.crypto_users) == 2
