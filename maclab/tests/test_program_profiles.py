# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Try profiles, mdmclient and the graphical login, where no transcript shows what they do."""

from __future__ import annotations

from typing import Any

import pytest
from fakes import KILLED, Run, mac, people, person, run

from maclab import bootstrap, directory
from maclab.bootstrap import BOOTSTRAP_UUID, LoginRefused, log_in
from maclab.state import DISABLED_TAG, CryptoUser, Fault, Mac

TYPE = ("-type", "bootstraptoken")


def made(version: str = "15.6", hardware: str = "apple-silicon", **mdm: Any) -> Mac:
    on = people(mac(version, hardware))
    settings = {"enrolled": "ade", "user_approved": True, "supervised": True, "bootstrap_supported": True} | mdm
    for name, value in settings.items():
        setattr(on.mdm, name, value)
    if on.mdm.bootstrap_escrowed:
        on.crypto_users[BOOTSTRAP_UUID] = CryptoUser(BOOTSTRAP_UUID, "MDMRecovery")
    return on


def profiles(on: Mac, verb: str, *typed: str, **more: Any) -> Run:
    return run(on, "profiles", verb, *TYPE, typed=typed, **more)


def break_it(on: Mac, name: str) -> Mac:
    on.faults.append(Fault(name))
    return on


# --- profiles -------------------------------------------------------------------------------------


def test_the_profiles_of_the_device_are_listed_to_root() -> None:
    show = ("profiles", "show", "-output", "stdout-xml")
    escrow = "com.apple.security.FDERecoveryKeyEscrow"
    assert escrow in run(made(escrow_profile=True), *show).out
    assert escrow not in run(made(), *show).out and "com.apple.mdm" in run(made(), *show).out
    assert escrow not in run(made(escrow_profile=True), *show, root=False).out
    assert run(made(), "profiles", "show").status == 0


def test_made_escrowed_validated_removed() -> None:
    on = made()
    done = profiles(on, "install", "admin", "admin-pw")
    assert done.status == 0 and done.commits == 3
    assert done.record.prompts == ["Enter the admin user name:", "Enter the password for user 'admin':"]
    assert done.record.authentications == [("admin", True)]
    assert BOOTSTRAP_UUID in on.crypto_users and on.mdm.bootstrap_escrowed
    assert "profiles: Bootstrap Token validated.\n" in profiles(on, "validate", "admin", "admin-pw").out
    assert profiles(on, "remove", "admin", "admin-pw").status == 0
    assert BOOTSTRAP_UUID not in on.crypto_users and not on.mdm.bootstrap_escrowed
    assert profiles(on, "validate", "admin", "admin-pw").status == 1


def test_made_but_not_escrowed() -> None:
    on = break_it(made(), "mdm_unreachable")
    done = profiles(on, "install", "admin", "admin-pw")
    assert done.status == 1 and "created" in done.out and "escrowed" not in done.out
    assert BOOTSTRAP_UUID in on.crypto_users and not on.mdm.bootstrap_escrowed
    cut = made()
    assert profiles(cut, "install", "admin", "admin-pw", cut_after=2).status == KILLED
    assert BOOTSTRAP_UUID in cut.crypto_users


def test_a_token_that_was_replaced_behind_the_servers_back_is_stale() -> None:
    on = made(bootstrap_escrowed=True)
    break_it(on, "mdm_unreachable")
    profiles(on, "install", "admin", "admin-pw")
    on.faults.clear()
    assert profiles(on, "validate", "admin", "admin-pw").err == "Unable to verify token (err = -69594).\n"
    assert "escrowed to server: YES" in run(on, "profiles", "status", *TYPE).out


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("admin", "wrong"), "Unable to authenticate user information\n"),
        (("nosuch", "wrong"), "Unable to authenticate user information\n"),
        (("admin", ""), "Error: Password is required.\n"),
        (("user", "user-pw"), "profiles: Error: The user must be an administrator with a Secure Token.\n"),
    ],
)
def test_who_may_not_make_one(typed: tuple[str, str], said: str) -> None:
    on = made()
    done = profiles(on, "install", *typed)
    assert (done.status, done.err) == (1, said)
    assert not on.mdm.bootstrap_escrowed


def test_validating_with_a_wrong_password_has_a_full_stop() -> None:
    on = made(bootstrap_escrowed=True)
    assert profiles(on, "validate", "admin", "wrong").err == "Unable to authenticate user information.\n"


def test_a_very_long_password_never_comes_back() -> None:
    on = made()
    account = on.accounts["admin"]
    account.password = account.key_password = "x" * 1024
    assert profiles(on, "install", "admin", "x" * 1024, patience=0.2).hung
    account.password = account.key_password = "x" * 128
    assert profiles(on, "install", "admin", "x" * 128).status == 0


@pytest.mark.parametrize(
    ("version", "mdm", "able"),
    [
        ("10.14.6", {}, False),
        ("10.15.3", {}, True),
        ("10.15.3", {"enrolled": "user"}, False),
        ("10.15.7", {"enrolled": "user", "supervised": False}, True),
        ("10.15.7", {"enrolled": "user", "user_approved": False}, False),
        ("13.6.9", {"enrolled": "user", "supervised": False}, False),
        ("13.6.9", {"enrolled": "user"}, True),
        ("13.6.9", {"enrolled": "no"}, False),
        ("13.6.9", {"bootstrap_supported": False}, False),
    ],
)
def test_the_enrollment_it_needs(version: str, mdm: dict[str, object], able: bool) -> None:
    on = made(version, "t2", **mdm)
    assert (profiles(on, "install", "admin", "admin-pw").status == 0) is able
    assert on.mdm.bootstrap_escrowed is able


def test_it_needs_root() -> None:
    assert profiles(made(), "install", "admin", "admin-pw", root=False).status == 1


def test_the_enrollment_may_be_asked_for_a_few_times_a_day() -> None:
    show = ("profiles", "show", "-type", "enrollment")
    assert all("too soon" not in run(made("12.2"), *show).out for _ in range(3))
    on = made("12.3.1")
    assert "Device Enrollment configuration" in run(on, *show).out
    again = run(on, *show)
    assert "Request too soon.  Try again later." in again.out and again.status == 1
    assert "Request too soon" in run(break_it(made(), "rate_limited"), *show).out
    assert "Request too soon" in profiles(break_it(made(), "rate_limited"), "install", "admin", "admin-pw").err


def test_what_profiles_does_not_know() -> None:
    assert run(made(), "profiles", "status", "-type", "weather").status == 1
    assert run(made(), "profiles", "-Q").status == 1
    assert run(made(), "profiles").status == 1


# --- mdmclient ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "stale", "said"),
    [
        ("13.3", False, "EACSPreflight = success;"),
        ("15.6", True, 'EACSPreflight = "bootstrap token could not be verified";'),
        ("13.2", False, ""),
    ],
)
def test_preflight(version: str, stale: bool, said: str) -> None:
    on = made(version, bootstrap_escrowed=True, bootstrap_stale=stale)
    done = run(on, "mdmclient", "QueryDeviceInformation")
    assert done.status == 0 and said in done.out
    assert ("EACSPreflight" in done.out) is bool(said)


def test_security_information() -> None:
    on = made()
    on.filevault.state = "on"
    done = run(on, "mdmclient", "QuerySecurityInfo")
    assert "FDE_Enabled = 1;" in done.out and "EnrolledViaDEP = 1;" in done.out
    assert run(made(enrolled="no"), "mdmclient", "QuerySecurityInfo").status == 1
    assert run(on, "mdmclient", "dance").status == 1


# --- graphical login ------------------------------------------------------------------------------


def escrowed(version: str) -> Mac:
    return made(version, "t2", bootstrap_escrowed=True)


@pytest.mark.parametrize(("version", "granted"), [("10.14.6", False), ("10.15.7", False), ("11.7.10", True)])
def test_whom_the_bootstrap_token_grants(version: str, granted: bool) -> None:
    on = escrowed(version)
    log_in(on, "user", None, 1.0)
    assert directory.is_holder(on, on.accounts["user"]) is granted
    assert on.logged_in == ["user"]


def test_on_catalina_mobile_accounts_and_the_managed_administrator_are_granted() -> None:
    on = escrowed("10.15.7")
    on.accounts["user"].kind = "mobile"
    person(on, "managed", "managed-pw", admin=True)
    on.mdm.managed_admin = "managed"
    for name in ("user", "managed"):
        assert log_in(on, name, None, 1.0) == ["token granted by the Bootstrap Token"]


def test_what_keeps_a_grant_away_and_what_does_not() -> None:
    on = escrowed("15.6")
    on.accounts["user"].authority.append(DISABLED_TAG)
    assert log_in(on, "user", None, 1.0) == ["token granted by the Bootstrap Token"]
    for change in ({"bootstrap_stale": True}, {"bootstrap_escrowed": False, "bootstrap_supported": False}):
        on = escrowed("15.6")
        for name, value in change.items():
            setattr(on.mdm, name, value)
        assert log_in(on, "user", None, 1.0) == []
    assert log_in(break_it(escrowed("15.6"), "mdm_unreachable"), "user", None, 1.0) == []
    on = escrowed("15.6")
    on.accounts["user"].password = ""
    assert log_in(on, "user", "", 1.0) == []


@pytest.mark.parametrize(("version", "escrows"), [("10.15.3", False), ("10.15.4", True), ("26.1", True)])
def test_the_first_login_of_a_holder_escrows(version: str, escrows: bool) -> None:
    on = made(version, "t2")
    assert log_in(on, "user", None, 1.0) == []
    log_in(on, "admin", None, 2.0)
    assert on.mdm.bootstrap_escrowed is escrows
    assert log_in(on, "admin", None, 3.0) == []


def test_a_login_without_network_makes_a_token_and_the_next_one_escrows_it() -> None:
    on = break_it(made(), "mdm_unreachable")
    assert log_in(on, "admin", None, 1.0) == ["Bootstrap Token created"]
    on.faults.clear()
    assert "Bootstrap Token escrowed" in log_in(on, "admin", None, 2.0)


def test_who_does_not_get_in() -> None:
    on = made()
    for name, password in (("nosuch", None), ("admin", "wrong")):
        with pytest.raises(LoginRefused):
            log_in(on, name, password, 1.0)
    assert on.accounts["admin"].failed_logins == 1
    assert on.logged_in == []
    assert bootstrap.works(on) is False


@pytest.mark.parametrize(
    ("words", "root", "out"),
    [
        ("list -all", True, "There are no configuration profiles installed\n"),
        ("-P", True, "There are no configuration profiles installed\n"),
        ("-C", False, "There are no configuration profiles installed in the system domain\n"),
        ("show -type configuration", True, "There are no configuration profiles installed in the system domain\n"),
        ("list", False, "There are no configuration profiles installed for user 'admin'\n"),
        ("-L", False, "There are no configuration profiles installed for user 'admin'\n"),
        ("-P -o stdout", True, "{\n}\n"),
    ],
)
def test_a_mac_without_profiles_says_so(words: str, root: bool, out: str) -> None:
    """As public transcripts have it, on 26.5.2 for one; only the Mac's own are ever there."""
    assert run(people(mac("26.5")), "profiles", *words.split(), root=root).out == out
    managed = made(escrow_profile=True)
    if "for user" not in out:
        assert "com.example.mdm" in run(managed, "profiles", *words.split(), root=root).out


def test_profiles_are_listed_as_scripts_read_them() -> None:
    managed = made(escrow_profile=True, forbids_filevault=True)
    assert run(managed, "profiles", "-C", root=False).out == (
        "_computerlevel[1] attribute: profileIdentifier: com.example.mdm\n"
        "_computerlevel[2] attribute: profileIdentifier: com.example.FDERecoveryKeyEscrow\n"
        "_computerlevel[3] attribute: profileIdentifier: com.example.MCX\n"
        "There are 3 system configuration profiles installed\n"
    )
    assert "_computerlevel[1] attribute: name: MDM Profile\n" in run(managed, "profiles", "show").out
    assert "dontAllowFDEEnable = 1" in run(managed, "profiles", "-P", "-o", "stdout").out
    assert run(managed, "profiles", "list", "-all", root=False).status == 1


def test_a_profile_that_keeps_the_token_dialog_away_is_a_profile() -> None:
    managed = made()
    managed.mdm.token_dialog_bypass = False
    assert "askForSecureTokenAuthBypass" in run(managed, "profiles", "show", "-output", "stdout-xml").out
