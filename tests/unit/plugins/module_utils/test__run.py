# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the second reading is compared with: each field and each fact alone makes the difference."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils._account import EVERYWHERE, NOWHERE, Account, Sources
from ansible_collections.keyholder.macos.plugins.module_utils._mac import FileVault, Mac, Management
from ansible_collections.keyholder.macos.plugins.module_utils._macos import Version
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._run.check import unusable
from ansible_collections.keyholder.macos.plugins.module_utils._run.compare import differences, disagreement
from ansible_collections.keyholder.macos.plugins.module_utils._run.recipients import Recipients
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command, Ran, Secret
from ansible_collections.keyholder.macos.plugins.module_utils._step.account import NEW_GUID

ANA = Account(
    "ana",
    "B" * 36,
    "Ana Sousa",
    502,
    20,
    home="/Users/ana",
    shell="/bin/zsh",
    hint="the usual",
    picture="/Library/a.png",
    sources=EVERYWHERE,
)
MAC = Mac(Version(15, 6), filevault=FileVault("on", personal_key=True))

# -- accounts ---------------------------------------------------------------------------------------------------------

OTHERWISE: dict[str, t.Any] = {
    "kind": "mobile",
    "full_name": "Ana S.",
    "uid": 503,
    "gid": 80,
    "shell": "/bin/sh",
    "home": "/Users/b",
    "hint": "another",
    "picture": "/Library/b.png",
    "hidden": True,
    "admin": True,
    "disabled_tag": True,
    "has_password": False,
}


@pytest.mark.parametrize("key", OTHERWISE)
def test_each_field_alone_makes_a_difference(key: str) -> None:
    found = replace(ANA, **{key: OTHERWISE[key]})
    assert differences(ANA, found) == [f"{key} is {OTHERWISE[key]!r} (wanted: {getattr(ANA, key)!r})"]
    assert len(differences(found, ANA)) == 1


@pytest.mark.parametrize("key", ["uid", "gid", "full_name", "shell", "home", "hint", "picture"])
def test_what_a_plan_leaves_open_is_no_difference(key: str) -> None:
    nothing: t.Any = None if key in ("uid", "gid") else ""
    assert differences(replace(ANA, **{key: nothing}), ANA) == []


@pytest.mark.parametrize(
    "sources", [NOWHERE, Sources(False, True, True), Sources(True, False, True), Sources(True, True, None)]
)
def test_each_source_makes_a_difference(sources: Sources) -> None:
    (said,) = differences(ANA, replace(ANA, sources=sources))
    assert said == f"{sources.words()} (wanted: {EVERYWHERE.words()})"


def test_another_account_of_the_same_name_is_another_account() -> None:
    assert differences(ANA, replace(ANA, guid="C" * 36)) == ["another account has taken its name"]
    assert differences(replace(ANA, guid=NEW_GUID), ANA) == []


def test_there_or_not() -> None:
    assert differences(None, None) == []
    assert differences(None, ANA) == ["the account is there"]
    assert differences(ANA, None) == ["there is no such account"]
    assert differences(ANA, ANA) == []


# -- facts of the whole Mac -------------------------------------------------------------------------------------------


def vault(**more: t.Any) -> Mac:
    return replace(MAC, filevault=replace(MAC.filevault, **more))


def managed(status: str) -> Mac:
    return replace(MAC, management=Management(bootstrap=status))


FACTS = [
    ("bootstrap", managed("valid"), managed("valid"), ""),
    ("bootstrap", managed("valid"), managed("escrowed_unproven"), ""),
    ("bootstrap", managed("escrowed_unproven"), managed("valid"), ""),
    ("bootstrap", managed("valid"), managed("not_escrowed"), "is not_escrowed (wanted: valid)"),
    ("bootstrap", managed("not_escrowed"), managed("valid"), "is valid (wanted: not_escrowed)"),
    ("bootstrap", managed("not_escrowed"), managed("unknown"), "is unknown (wanted: not_escrowed)"),
    ("filevault", vault(state="on"), vault(state="encrypting"), ""),
    ("filevault", vault(state="on"), vault(state="off"), "FileVault is off (wanted: on)"),
    ("filevault", vault(state="on"), vault(state="decrypting"), "FileVault is decrypting (wanted: on)"),
    ("filevault", vault(state="on"), vault(state="unknown"), "FileVault is unknown (wanted: on)"),
    ("filevault", vault(state="off"), vault(state="decrypting"), ""),
    ("filevault", vault(state="off"), vault(state="on"), "FileVault is on (wanted: off)"),
    ("filevault", vault(state="off"), vault(state="encrypting"), "FileVault is encrypting (wanted: off)"),
    ("deferral", vault(deferred_user="ana"), vault(deferred_user="ana"), ""),
    ("deferral", vault(deferred_user="ana"), vault(), "deferred for no user (wanted: ana)"),
    ("deferral", vault(), vault(deferred_user="ana"), "deferred for ana (wanted: no user)"),
    ("key_file", MAC, MAC, ""),
    ("key_file", MAC, replace(MAC, files=frozenset({"/b", "/a"})), "/a, /b is still there"),
    ("key_file", replace(MAC, files=frozenset({"/a"})), MAC, ""),
    ("orphans", MAC, MAC, ""),
    ("orphans", MAC, replace(MAC, orphans=("X", "Y")), "the crypto user X, Y is still there"),
    ("orphans", replace(MAC, orphans=("X",)), replace(MAC, orphans=("X",)), ""),
    ("personal_key", vault(personal_key=True), vault(personal_key=True), ""),
    ("personal_key", vault(personal_key=True), vault(personal_key=False), "the personal recovery key is missing"),
    ("personal_key", vault(personal_key=False), vault(personal_key=True), "the personal recovery key is present"),
    ("personal_key", vault(personal_key=True), vault(personal_key=None), "the personal recovery key is missing"),
]


@pytest.mark.parametrize(("fact", "wanted", "found", "says"), FACTS)
def test_each_fact_alone_disagrees(fact: str, wanted: Mac, found: Mac, says: str) -> None:
    said = disagreement(fact, MAC, wanted, found)
    assert says in said
    assert bool(said) is bool(says)


@pytest.mark.parametrize(
    ("earlier", "now", "says"),
    [
        (5, 6, ""),
        (0, 1, ""),
        (5, 5, "the new key was not escrowed to MDM"),
        (0, 0, "the new key was not escrowed to MDM"),
        (6, 5, "the new key was not escrowed to MDM"),
        (None, 5, "could not be read"),
        (5, None, "could not be read"),
    ],
)
def test_a_key_was_put_aside_if_its_file_is_newer_than_before(earlier: int | None, now: int | None, says: str) -> None:
    said = disagreement("escrow", vault(escrowed_at=earlier), vault(escrowed_at=earlier), vault(escrowed_at=now))
    assert says in said
    assert bool(said) is bool(says)


# -- values -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("byte", "stays"), [(0x1F, False), (0x20, True), (0x7E, True), (0x7F, False)])
def test_what_a_terminal_acts_on_is_no_password(byte: int, stays: bool) -> None:
    assert (unusable(Secret(f"a{chr(byte)}b"), 10) == "") is stays


@pytest.mark.parametrize(("size", "fits"), [(9, True), (10, True), (11, False)])
def test_a_prompt_takes_so_many_bytes(size: int, fits: bool) -> None:
    assert (unusable(Secret("x" * size), 10) == "") is fits


def test_nothing_is_no_password() -> None:
    assert unusable(Secret(""), 10) == "is empty"


@pytest.mark.parametrize("character", ["\ufffe", "\uffff"])
def test_what_no_property_list_holds_is_no_password(character: str) -> None:
    assert unusable(Secret(f"a{character}"), 10) == "holds a character that no property list can hold"


class Untouched:
    """A Mac on which nothing is started."""

    def run(self, command: Command, deadline: float = 1) -> Ran:
        raise AssertionError(command.argv)


PEM = "-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize(
    ("certificates", "says"),
    [
        ([], "recipients is empty"),
        (["not a certificate"], "number 1: this is not a certificate in PEM"),
        ([PEM, "-----BEGIN PRIVATE KEY-----\nTUlJ\n-----END PRIVATE KEY-----\n"], "number 2"),
    ],
)
def test_recipients_are_looked_at_before_anything_is_started(certificates: list[str], says: str) -> None:
    with pytest.raises(Refusal, match=says) as caught:
        Recipients(certificates).check(Untouched(), 1)
    assert caught.value.reason == "recipient_unusable"
