# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mobile accounts: what is refused and why, in which order things are done, and what a cut leaves to the next run."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils._account import EVERYWHERE, Account
from ansible_collections.keyholder.macos.plugins.module_utils._mac import FileVault, Mac, Network, Person, Volume
from ansible_collections.keyholder.macos.plugins.module_utils._macos import Version
from ansible_collections.keyholder.macos.plugins.module_utils._plan.mobile import MobileAccountRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.plan import Plan
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._recoverable import can_be_first
from ansible_collections.keyholder.macos.plugins.module_utils._step.token import CheckPassword
from ansible_collections.keyholder.macos.plugins.module_utils._unfinished import creation

CORP = "/Active Directory/CORP/corp.example.com"
ADMIN = Account("itadmin", "A" * 36, "IT Admin", 501, 20, admin=True, sources=EVERYWHERE)
ADA = Account("ada", "B" * 36, "Ada Lovelace", 1234567, 20, kind="mobile", home="/Users/ada")
HOLDER = replace(ADA, sources=EVERYWHERE)
KNOWN = Network((CORP,), True, Person("ada", "Ada Lovelace", 1234567))
GRANT = MobileAccountRequest("ada", secure_token="present", admin_user="itadmin")
HOUSE = frozenset({"password", "admin_password"})


def mac(*accounts: Account, network: Network | None = KNOWN, **more: t.Any) -> Mac:
    taken = frozenset(word.lower() for who in accounts for word in (who.name, who.full_name, f"uid:{who.uid}"))
    return Mac(
        more.pop("version", Version(15, 6)),
        accounts=accounts,
        network=network,
        volume=Volume("disk3s1s1", True, True),
        as_root=True,
        filevault=FileVault("off", personal_key=False),
        taken=taken,
        **more,
    )


def refused(request: MobileAccountRequest, of: Mac) -> Refusal:
    with pytest.raises(Refusal) as caught:
        request.plan(of, {})
    return caught.value


def kinds(plan: Plan) -> list[str]:
    return [type(step).__name__ for step in plan.steps]


# -- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("network", "code", "word"),
    [
        (Network((), True), "directory_not_bound", "bound to no directory"),
        (Network((CORP,), False), "directory_offline", CORP),
        (Network((CORP,), True), "directory_user_unknown", CORP),
        (Network((), None), "directory_user_unknown", "could not be read"),
        (None, "directory_user_unknown", "could not be read"),
    ],
)
def test_a_person_who_cannot_be_looked_up(network: Network | None, code: str, word: str) -> None:
    refusal = refused(GRANT, mac(ADMIN, network=network))
    assert (refusal.reason, word in refusal.msg) == (code, True)
    assert refusal.remedy


@pytest.mark.parametrize("kind", ["local", "network"])
def test_an_account_that_is_no_mobile_one_is_left_alone(kind: str) -> None:
    assert refused(GRANT, mac(ADMIN, replace(ADA, kind=kind))).reason == "account_not_mobile"
    cut = mac(ADMIN, replace(ADA, kind=kind), pending=frozenset({creation("ada")}))
    assert "interrupted" in refused(GRANT, cut).msg


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"home": "Users/ada"}, "value_unusable"),
        ({"home": "/Users/a\nda"}, "value_unusable"),
        ({"name": "CORP\\ada"}, "name_unusable"),
        ({"name": "-n"}, "name_unusable"),
        ({"admin_user": ""}, "granter_missing"),
        ({"admin_user": "nobody"}, "granter_unknown"),
        ({"name": "IT Admin"}, "full_name_taken"),
    ],
)
def test_options_that_cannot_be_carried_out(change: dict[str, str], code: str) -> None:
    assert refused(replace(GRANT, **change), mac(ADMIN)).reason == code  # type: ignore[arg-type]


def test_another_name_and_a_number_that_is_taken() -> None:
    longer = replace(KNOWN, person=Person("ada", uid=1234567))
    assert "'ada'" in refused(replace(GRANT, name="ada@corp.example.com"), mac(ADMIN, network=longer)).msg
    assert refused(GRANT, mac(replace(ADMIN, uid=1234567))).reason == "uid_taken"


def test_a_name_that_no_tool_can_be_given_is_refused_even_where_the_directory_knows_it() -> None:
    known = replace(KNOWN, person=Person("-n", "Nina Nemo", 1234567))
    refusal = refused(replace(GRANT, name="-n"), mac(ADMIN, network=known))
    assert (refusal.reason, "macOS's tools" in refusal.msg) == ("name_unusable", True)


def test_while_the_directory_is_away_nobody_can_tell_which_password_is_old() -> None:
    for online, words in (
        (False, "because the directory cannot be reached"),
        (True, "did not try it at the directory"),
    ):
        network = replace(KNOWN, online=online)
        (note,) = GRANT.plan(mac(ADMIN, HOLDER, network=network), {"password": False}).notes
        assert words in note


def test_nobody_becomes_the_first_holder_by_it() -> None:
    tokenless = replace(ADMIN, sources=ADA.sources)
    assert refused(GRANT, mac(tokenless)).reason == "no_holder"
    for version in ("10.13.6", "10.15.7", "15.6"):
        alone = mac(replace(ADA, admin=True), version=Version.parse(version))
        assert not can_be_first(alone, alone.accounts[0])


def test_a_reading_without_root_carries_no_plan() -> None:
    assert refused(GRANT, replace(mac(ADMIN), as_root=False)).reason == "not_root"


# -- plans ------------------------------------------------------------------------------------------------------------


def test_both_passwords_are_checked_before_the_account_is_made() -> None:
    plan = GRANT.plan(mac(ADMIN), {})
    assert kinds(plan) == [
        "CheckPassword",
        "CheckPassword",
        "Note",
        "CreateMobileAccount",
        "Prove",
        "Forget",
        "Note",
        "Grant",
        "Prove",
        "UpdatePreboot",
    ]
    assert [step.user for step in plan.steps if isinstance(step, CheckPassword)] == ["itadmin", "ada"]
    after = plan.after.account("ada")
    assert after is not None
    assert (after.kind, after.uid, after.full_name, after.holder) == ("mobile", 1234567, "Ada Lovelace", True)


def test_a_new_account_has_the_directorys_password() -> None:
    """What the directory can check is nothing that has to be set, and the grant may rest on it."""
    states = GRANT.plan(mac(ADMIN), {}).states()
    assert [who.has_password for state in states for who in state.accounts if who.name == "ada"] != []
    assert all(who.has_password for state in states for who in state.accounts)


def test_without_a_token_nobody_is_authenticated() -> None:
    plan = replace(GRANT, secure_token="omitted", admin_user="").plan(mac(ADMIN), {})
    assert kinds(plan) == ["Note", "CreateMobileAccount", "Prove", "Forget"]
    assert not plan.after.pending


def test_a_holder_is_left_alone_and_its_password_compared_where_it_was_given() -> None:
    assert GRANT.plan(mac(ADMIN, HOLDER), {}).steps == ()
    assert replace(GRANT, given=HOUSE).compares(mac(ADMIN, HOLDER)) == {"password": "ada"}
    for request, of in ((GRANT, mac(ADMIN, HOLDER)), (replace(GRANT, given=HOUSE), mac(ADMIN, ADA))):
        assert request.compares(of) == {}
    local = replace(HOLDER, kind="local")
    assert replace(GRANT, given=HOUSE).compares(mac(ADMIN, local)) == {}


@pytest.mark.parametrize(("same", "noted"), [(True, False), (None, False), (False, True)])
def test_a_password_that_is_not_the_kept_one_is_told(same: bool | None, noted: bool) -> None:
    for network in (KNOWN, replace(KNOWN, online=False), None):
        plan = GRANT.plan(mac(ADMIN, HOLDER, network=network), {"password": same})
        assert plan.steps == ()
        assert [("stale" in note, "changed in the directory" in note) for note in plan.notes] == [(True, True)] * noted


def test_another_home_is_told_and_not_moved() -> None:
    (note,) = replace(GRANT, home="/Users/elsewhere").plan(mac(ADMIN, HOLDER), {}).notes
    assert "is already /Users/ada" in note
    assert replace(GRANT, home="/Users/ada").plan(mac(ADMIN, HOLDER), {}).notes == ()


def test_an_account_is_granted_while_the_directory_is_away() -> None:
    plan = GRANT.plan(mac(ADMIN, ADA, network=Network((CORP,), False)), {})
    assert kinds(plan) == ["CheckPassword", "CheckPassword", "Note", "Grant", "Prove", "UpdatePreboot"]


def test_what_a_cut_has_left_is_finished_first() -> None:
    plan = GRANT.plan(mac(ADMIN, ADA, pending=frozenset({creation("ada")})), {})
    assert kinds(plan)[2:5] == ["CreateHome", "Prove", "Forget"]
    assert not plan.after.pending


def test_the_view_names_the_directory_and_the_dialog() -> None:
    shown = GRANT.view(mac(ADMIN))
    assert shown["directory"] == {"nodes": [CORP], "online": True}
    assert (shown["exists"], shown["token_dialog_suppressed"]) == (False, None)
    assert GRANT.view(mac(ADMIN, ADA))["kind"] == "mobile"


def test_what_the_mac_has_kept_counts_only_while_the_directory_is_away() -> None:
    for network, elsewhere in ((None, True), (KNOWN, True), (replace(KNOWN, online=False), False)):
        assert mac(ADMIN, ADA, network=network).decided_elsewhere(ADA) is elsewhere
        assert not mac(ADMIN, network=network).decided_elsewhere(ADMIN)
