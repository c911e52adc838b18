# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which names and numbers can be used, and that no request forgets to ask, whatever it would do."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils._account import EVERYWHERE, Account
from ansible_collections.keyholder.macos.plugins.module_utils._mac import FileVault, Mac, Volume
from ansible_collections.keyholder.macos.plugins.module_utils._macos import Version
from ansible_collections.keyholder.macos.plugins.module_utils._plan.account import AccountRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.bootstrap import BootstrapRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.filevault import (
    FileVaultRequest,
    KeyRequest,
    UnlockerRequest,
)
from ansible_collections.keyholder.macos.plugins.module_utils._plan.mobile import MobileAccountRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.offboard import OffboardRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.password import PasswordRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.repair import RepairRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.restart import RestartRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.token import TokenRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.values import (
    LIMITS,
    shortened,
    usable_name,
    within,
)
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal

ADMIN = Account("itadmin", "A" * 36, "IT Admin", 501, 20, admin=True, sources=EVERYWHERE, home="/Users/itadmin")
ANA = Account("ana", "B" * 36, "Ana Sousa", 502, 20, sources=EVERYWHERE, home="/Users/ana")
MAC = Mac(
    Version(15, 6),
    accounts=(ADMIN, ANA),
    as_root=True,
    volume=Volume("disk3s1s1", True, True),
    filevault=FileVault("on", personal_key=True),
    sessions=frozenset(),
    names=frozenset({"itadmin", "ana", "guest"}),
    taken=frozenset({"itadmin", "ana", "guest", "ana sousa"}),
)


GOOD = "o'brien,two words,dollar$HOME,john.doe@corp.example.com,jürgen,🦉owl,#hash,1,0012345,_spotlight,UPPER,{{ x }}"


@pytest.mark.parametrize("name", GOOD.split(","))
def test_what_macos_takes_is_taken(name: str) -> None:
    usable_name("user", name)


NAMED: list[tuple[t.Callable[[str], t.Any], str]] = [
    (AccountRequest, "name"),
    (lambda name: AccountRequest("ana", admin_user=name), "admin_user"),
    (PasswordRequest, "name"),
    (lambda name: PasswordRequest("ana", admin_user=name), "admin_user"),
    (TokenRequest, "user"),
    (lambda name: TokenRequest("ana", admin_user=name), "admin_user"),
    (MobileAccountRequest, "name"),
    (lambda name: MobileAccountRequest("ana", admin_user=name), "admin_user"),
    (OffboardRequest, "name"),
    (RepairRequest, "user"),
    (lambda name: RepairRequest("ana", admin_user=name), "admin_user"),
    (UnlockerRequest, "user"),
    (lambda name: UnlockerRequest("ana", admin_user=name), "admin_user"),
    (lambda name: FileVaultRequest("enabled", name), "user"),
    (lambda name: FileVaultRequest("enabled", "ana", (name,)), "additional_users[0].name"),
    (lambda name: KeyRequest("present", name), "user"),
    (RestartRequest, "user"),
    (lambda name: BootstrapRequest("absent", name), "admin_user"),
]


@pytest.mark.parametrize(("request_", "option"), NAMED)
def test_no_request_takes_a_name_that_is_none_also_where_nothing_is_to_do(
    request_: t.Callable[[str], t.Any], option: str
) -> None:
    for name in ("-x", "..", "ana ", "an*a", "an\u202ea"):
        with pytest.raises(Refusal) as refused:
            request_(name).plan(MAC, {})
        assert refused.value.reason == "name_unusable"
        assert refused.value.msg.startswith(f"{option} {name!r} ")


@pytest.mark.parametrize(
    "request_",
    [
        AccountRequest("Ana", full_name="Ana B"),
        AccountRequest("ANA", state="absent"),
        PasswordRequest("Ana"),
        TokenRequest("Ana"),
        TokenRequest("Ana", state="absent"),
        MobileAccountRequest("Ana"),
        OffboardRequest("Ana"),
        RepairRequest("Ana"),
        UnlockerRequest("Ana"),
        UnlockerRequest("Ana", state="absent"),
        KeyRequest("rotated", "Ana"),
    ],
)
def test_an_account_that_differs_by_capitals_is_named(request_: t.Any) -> None:
    with pytest.raises(Refusal, match="is no account on this Mac, but ana is, .*: write ana") as refused:
        request_.plan(MAC, {})
    assert refused.value.reason == "name_differs"


def test_a_granter_that_differs_by_capitals_is_named() -> None:
    bare = replace(
        MAC, accounts=(ADMIN, replace(ANA, sources=replace(EVERYWHERE, authority=False, crypto=False, filevault=False)))
    )
    with pytest.raises(Refusal, match="write itadmin"):
        TokenRequest("ana", admin_user="ITadmin").plan(bare, {})


def test_a_full_name_in_use_is_no_account_of_other_letters() -> None:
    with pytest.raises(Refusal) as refused:
        AccountRequest("Ana Sousa").plan(MAC, {})
    assert refused.value.reason == "full_name_taken"


def test_names_of_macos_are_not_given_to_new_accounts() -> None:
    with pytest.raises(Refusal) as refused:
        AccountRequest("_mine", given=frozenset({"password"})).plan(MAC, {})
    assert refused.value.reason == "system_account"


def test_a_name_that_macos_hides_is_not_given_to_a_new_account() -> None:
    with pytest.raises(Refusal, match="begins with '.'") as refused:
        AccountRequest(".mine", given=frozenset({"password"})).plan(MAC, {})
    assert refused.value.reason == "name_unusable"


@pytest.mark.parametrize(
    ("name", "held"), [("Bad N\u00e4me", "' '"), ("j\u00fcrgen", "'\u00fc'"), ("J.Doe_2@example-1", "")]
)
def test_an_unusual_name_of_a_new_account_is_told_before_it_is_made(name: str, held: str) -> None:
    plan = AccountRequest(name, given=frozenset({"password"})).plan(MAC, {})
    assert [note.split(":")[0] for note in plan.notes if note.startswith("name ")] == (
        [f"name holds {held}"] if held else []
    )


@pytest.mark.parametrize("option", sorted(LIMITS))
def test_a_number_is_within_its_limits(option: str) -> None:
    first, last = LIMITS[option][0], LIMITS[option][-1]
    within({option: first})
    within({option: last})
    within({option: None})
    for wrong in (first - 1, last + 1, 10**5000, -(10**30)):
        with pytest.raises(Refusal, match=f"^{option} is .*, and must be {first} to {last}$") as refused:
            within({option: wrong})
        assert refused.value.reason == "value_unusable"


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "is empty"),
        (" ana", "begins or ends with a blank"),
        ("ana ", "begins or ends with a blank"),
        ("-ana", "begins with '-', which macOS's tools take for an option"),
        ("~ana", "names a folder, not an account"),
        (".", "names a folder, not an account"),
        ("...", "names a folder, not an account"),
        ("a/b", "holds '/', which macOS's tools do not take in a name"),
        ("a\nb", "holds '\\n', which macOS's tools do not take in a name"),
        ("b" * 245, "has 245 bytes, and macOS fails above 244"),
        ("\u00fc" * 123, "has 246 bytes, and macOS fails above 244"),
        ("b" * 244, ""),
        ("\u00fc" * 122, ""),
        ("X.X", ""),
        (".x", ""),
        ("a-b~c", ""),
    ],
)
def test_a_name_says_what_is_wrong_with_it(name: str, problem: str) -> None:
    if not problem:
        usable_name("user", name)
        return
    with pytest.raises(Refusal) as refused:
        usable_name("user", name)
    assert (refused.value.reason, refused.value.msg) == ("name_unusable", f"user {shortened(name)!r} {problem}")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("x" * 60, "x" * 60),
        ("x" * 61, "x" * 57 + "..."),
        (2**199 - 1, str(2**199 - 1)),
        (2**199, "of more than 60 digits"),
        (10**100, "of more than 60 digits"),
        (-5, "-5"),
    ],
)
def test_a_long_value_is_told_shortly(value: object, said: str) -> None:
    assert shortened(value) == said
