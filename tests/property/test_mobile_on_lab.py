# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mobile accounts against modelled Macs: what is predicted is reached, what is cut is healed, and staleness is told."""

from __future__ import annotations

import typing as t

import fakes
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from inmemory import LabRunner, PowerCut, admin_holders, counted, snapshot
from test_core_on_lab import MACS, same_where_known

from ansible_collections.keyholder.macos.plugins.module_utils._plan.mobile import MobileAccountRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.request import Outcome
from ansible_collections.keyholder.macos.plugins.module_utils._plan.token import TokenRequest
from ansible_collections.keyholder.macos.plugins.module_utils._run.run import Run
from ansible_collections.keyholder.macos.plugins.module_utils._runner import DEADLINE, Command, Ran, Secret
from maclab import directory, network
from maclab.state import DirectoryUser, Fault, Mac, NetworkDirectory

NODE = "/Active Directory/CORP/corp.example.com"
ADMIN_PW, OLD, NEW = "admin-pw-1", "ada-pw-1 ü", "ada-pw-2 {x}"
RIGHT = {"password": OLD, "admin_password": ADMIN_PW}
REQUEST = MobileAccountRequest("ada", secure_token="present", admin_user="itadmin")
VERSIONS = tuple(sorted({version for version, _ in MACS}))


def bound(version: str = "15.6", hardware: str = "t2") -> Mac:
    """A Mac whose directory knows Ada, with an administrator who holds a token and no account for her."""
    mac = fakes.mac(version, hardware)
    root = fakes.person(mac, "root", None, full_name="System Administrator", uid=0)
    root.authority.clear()
    root.service = True
    fakes.person(mac, "itadmin", ADMIN_PW, full_name="IT Administrator", admin=True, token=True)
    mac.network = NetworkDirectory(NODE)
    mac.network.users["ada"] = DirectoryUser("ada", "Ada O'Lovelace", 1234567, directory.new_guid(), OLD)
    return mac


def flow(mac: Mac, request: t.Any = REQUEST, check: bool = False, cut: int | None = None, **passwords: str) -> t.Any:
    runner = LabRunner(mac, cut=cut)
    given_now = {option: Secret(value) for option, value in (RIGHT | passwords).items()}
    if isinstance(request, MobileAccountRequest):
        request = MobileAccountRequest(**{**vars(request), "given": frozenset(given_now)})
    return counted(Run(runner, given_now, 5).run(request, check)), runner


def reason(outcome: Outcome) -> str:
    return outcome.refusal.reason if outcome.refusal else ""


def logged_in(mac: Mac) -> Mac:
    """The account is there, and the directory has once confirmed her password here."""
    network.create_mobile_account(mac, mac.network.users["ada"], "/Users/ada").home_exists = True
    assert directory.authenticate(mac, "ada", mac.network.users["ada"].password)
    return mac


@st.composite
def errands(draw: st.DrawFn) -> tuple[Mac, MobileAccountRequest, dict[str, str]]:
    mac = bound(*draw(st.sampled_from(MACS)))
    if draw(st.booleans()):
        logged_in(mac)
        if draw(st.booleans()):
            directory.give_token(mac, mac.accounts["ada"])
        if draw(st.booleans()):
            network.change_password(mac, "ada", NEW)
    elif draw(st.integers(0, 5)) == 0:
        fakes.person(mac, "ada", "local-pw")
    mac.network.online = draw(st.sampled_from([True, True, True, False]))
    mac.mdm.token_dialog_bypass = draw(st.sampled_from([None, True, False]))
    if draw(st.integers(0, 4)) == 0:
        fakes.person(mac, "deputy", "deputy-pw", admin=True)
    request = MobileAccountRequest(
        "ada",
        home=draw(st.sampled_from([None, None, "/Users/ada", "/Users/other"])),
        secure_token=draw(st.sampled_from(["present", "present", "omitted"])),
        admin_user=draw(st.sampled_from(["itadmin", "itadmin", "itadmin", "deputy", ""])),
    )
    passwords = {
        "password": draw(st.sampled_from([OLD, OLD, NEW])),
        "admin_password": draw(st.sampled_from([ADMIN_PW] * 4 + ["wrong-pw-9"])),
    }
    return mac, request, passwords


@given(errands())
def test_check_mode_touches_nothing_and_predicts_what_a_run_reaches(errand: t.Any) -> None:
    mac, request, passwords = errand
    before = snapshot(mac)
    checked, looked = flow(mac, request, check=True, **passwords)
    assert (mac, looked.writes, looked.authentications) == (before, [], [])
    done, _ = flow(mac, request, **passwords)
    if done.refusal is None:
        assert checked.refusal is None
        assert (checked.changed, checked.plan) == (done.changed, done.plan)
        assert same_where_known(checked.after, done.after), (checked.after, done.after)
    elif checked.refusal is None:
        # Only a login can tell, and check mode makes none.
        assert reason(done) in ("user_password_wrong", "password_refused")
    else:
        assert reason(checked) == reason(done)


@given(errands())
def test_what_is_refused_is_not_begun_and_the_granter_is_never_tried_with_a_wrong_password(errand: t.Any) -> None:
    mac, request, passwords = errand
    accounts, had = set(mac.accounts), admin_holders(mac)
    done, runner = flow(mac, request, **passwords)
    assert admin_holders(mac) == had
    assert ("itadmin", False) not in runner.authentications
    assert [who for who, right in runner.authentications if not right] in ([], ["ada"])
    if done.refusal is not None:
        assert set(mac.accounts) == accounts
        assert not done.changed
        assert all("keyholder_pending" not in str(account.attributes) for account in mac.accounts.values())


@given(errands())
def test_the_second_run_does_nothing_and_needs_no_login(errand: t.Any) -> None:
    mac, request, passwords = errand
    first, _ = flow(mac, request, **passwords)
    assume(first.refusal is None)
    settled = snapshot(mac)
    second, runner = flow(mac, request, **passwords)
    assert (second.refusal, second.changed, second.plan) == (None, False, [])
    assert (runner.writes, runner.authentications) == ([], [])
    assert mac == settled


@given(errands())
def test_a_power_cut_after_any_write_is_healed(errand: t.Any) -> None:
    mac, request, passwords = errand
    whole = snapshot(mac)
    wanted, runner = flow(whole, request, **passwords)
    assume(wanted.refusal is None and runner.writes)
    for cut in range(1, len(runner.writes) + 1):
        broken = snapshot(mac)
        with pytest.raises(PowerCut):
            flow(broken, request, cut=cut, **passwords)
        healed, _ = flow(broken, request, **passwords)
        assert healed.refusal is None, (cut, runner.writes[:cut], healed.refusal)
        assert healed.after == wanted.after, f"cut after {runner.writes[:cut]}"
        assert broken.accounts["ada"].home_exists
        again, _ = flow(broken, request, **passwords)
        assert not again.changed


@given(errands())
def test_no_secret_shows(errand: t.Any) -> None:
    mac, request, passwords = errand
    done, runner = flow(mac, request, **passwords)
    shown = repr((done.plan, done.notes, done.before, done.after, done.refusal)) + runner.argv
    assert not any(value in shown for value in passwords.values())


# -- one by one -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
def test_a_directory_person_gets_account_token_and_preboot_entry(version: str) -> None:
    mac = bound(version)
    done, runner = flow(mac)
    assert (done.refusal, done.changed) == (None, True)
    ada = mac.accounts["ada"]
    assert directory.is_holder(mac, ada) and ada.generated_uid in mac.preboot
    assert (ada.kind, ada.uid, ada.home_exists) == ("mobile", 1234567, True)
    assert done.after["sources"] == {"authority": True, "crypto_user": True, "filevault_list": True}
    # Once by the directory before anything is made, once by sysadminctl.
    assert runner.authentications == [("ada", True), ("itadmin", True), ("ada", True)]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("option", "code"), [("admin_password", "granter_password_wrong"), ("password", "user_password_wrong")]
)
def test_a_wrong_password_makes_no_account(version: str, option: str, code: str) -> None:
    mac = bound(version)
    done, runner = flow(mac, **{option: "wrong-pw-9"})
    assert (reason(done), runner.writes, done.changed) == (code, [], False)
    assert "ada" not in mac.accounts
    assert mac.accounts["itadmin"].failed_logins == 0


@pytest.mark.parametrize("online", [True, False])
def test_a_password_changed_elsewhere_is_told_without_a_login(online: bool) -> None:
    mac = logged_in(bound())
    directory.give_token(mac, mac.accounts["ada"])
    network.change_password(mac, "ada", NEW)
    mac.network.online = online
    before = snapshot(mac)
    done, runner = flow(mac, password=NEW)
    assert (done.refusal, done.changed, runner.authentications) == (None, False, [])
    assert mac == before
    (note,) = done.notes
    assert "changed in the directory" in note and "stale" in note and NEW not in note


@pytest.mark.parametrize("version", VERSIONS)
def test_a_password_that_the_mac_has_not_heard_of_yet_is_asked_of_the_directory(version: str) -> None:
    for request in (REQUEST, TokenRequest("ada", admin_user="itadmin")):
        mac = logged_in(bound(version))
        network.change_password(mac, "ada", NEW)
        done, runner = flow(mac, request, password=NEW)
        assert (done.refusal, done.changed) == (None, True)
        assert directory.unlock_key(mac, mac.accounts["ada"], NEW)
        assert all(right for _, right in runner.authentications)


def test_while_the_directory_is_away_the_kept_password_decides() -> None:
    mac = logged_in(bound())
    network.change_password(mac, "ada", NEW)
    mac.network.online = False
    refused, runner = flow(mac, password=NEW)
    assert (reason(refused), runner.authentications) == ("user_password_wrong", [])
    done, _ = flow(mac, password=OLD)
    assert done.refusal is None and directory.unlock_key(mac, mac.accounts["ada"], OLD)


def test_an_old_password_that_the_mac_still_has_is_refused_by_the_directory() -> None:
    mac = logged_in(bound())
    network.change_password(mac, "ada", NEW)
    before = snapshot(mac)
    done, _ = flow(mac, password=OLD)
    assert (reason(done), done.changed) == ("password_refused", False)
    assert "changed" in done.refusal.remedy
    assert not mac.accounts["ada"].has_authority_token
    assert mac.accounts["root"].attributes == before.accounts["root"].attributes


@pytest.mark.parametrize(
    ("bypass", "version", "suppressed"),
    [(None, "15.6", False), (False, "15.6", False), (True, "15.6", True), (True, "10.13.4", None)],
)
def test_the_setting_of_the_dialog_is_reported(bypass: bool | None, version: str, suppressed: bool | None) -> None:
    mac = bound(version)
    mac.mdm.token_dialog_bypass = bypass
    done, _ = flow(mac, check=True)
    assert done.before["token_dialog_suppressed"] is suppressed


def test_an_account_that_was_not_made_is_not_believed() -> None:
    mac = bound()
    mac.faults.append(Fault("mobile_account_not_made"))
    done, _ = flow(mac)
    assert (reason(done), done.changed) == ("not_proven", False)
    assert "keyholder" not in str(mac.accounts["root"].attributes)


def test_a_complaint_of_createmobileaccount_is_no_failure_where_the_account_is_there() -> None:
    """Public scripts call some of its errors benign, and nobody has published its exit statuses."""
    mac = bound()

    class Complaining(LabRunner):
        def run(self, command: Command, deadline: float = DEADLINE) -> Ran:
            ran = super().run(command, deadline)
            complains = command.argv[0] == "createmobileaccount"
            return Ran(command, 1, ran.out, "vproc_swap_integer: error\n") if complains else ran

    secrets = {option: Secret(value) for option, value in RIGHT.items()}
    done = Run(Complaining(mac), secrets, 5).run(REQUEST, False)
    assert (done.refusal, done.after["secure_token"]) == (None, "holder")


def test_what_is_asked_of_a_mac_without_a_directory_or_a_person() -> None:
    mac = bound()
    mac.network.node = ""
    assert reason(flow(mac)[0]) == "directory_not_bound"
    mac = bound()
    mac.network.online = False
    assert reason(flow(mac)[0]) == "directory_offline"
    mac = bound()
    mac.network.users.clear()
    assert reason(flow(mac)[0]) == "directory_user_unknown"
    mac = bound()
    fakes.person(mac, "ada", "local-pw")
    assert reason(flow(mac)[0]) == "account_not_mobile"
