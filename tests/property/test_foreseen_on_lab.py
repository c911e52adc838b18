# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Mac as check mode shows it to what follows the first token reads as the one that a real run leaves behind."""

from __future__ import annotations

import typing as t

import fakes
import pytest
from inmemory import LabRunner

from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac as Read
from ansible_collections.keyholder.macos.plugins.module_utils._plan.bootstrap import BootstrapRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.filevault import FileVaultRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.foreseen import with_first_holder
from ansible_collections.keyholder.macos.plugins.module_utils._plan.password import PasswordRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.request import Outcome, Request
from ansible_collections.keyholder.macos.plugins.module_utils._plan.token import TokenRequest
from ansible_collections.keyholder.macos.plugins.module_utils._reading.ask import Ask
from ansible_collections.keyholder.macos.plugins.module_utils._reading.read import read_mac
from ansible_collections.keyholder.macos.plugins.module_utils._reading.view import view
from ansible_collections.keyholder.macos.plugins.module_utils._run.run import Run
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Secret
from ansible_collections.keyholder.macos.plugins.plugin_utils._foreseen import VARIABLE, foreseen
from maclab import directory
from maclab.state import MDM, Mac

VERSIONS = ("10.13.6", "10.15.7", "11.7.10", "13.6.9", "14.5", "15.6", "26.1", "27.0.1")
SECRETS = {
    "password": Secret("ana-pw-1"),
    "old_password": Secret("ana-pw-1"),
    "admin_password": Secret("ana-pw-1"),
}
FIRST = TokenRequest("ana", first_token=True)
FOLLOWING: dict[str, tuple[Request, dict[str, Secret]]] = {
    "password": (
        PasswordRequest("ana", given=frozenset({"password", "old_password"})),
        {**SECRETS, "password": Secret("a-new-one-2")},
    ),
    "escrow": (BootstrapRequest("escrowed", "ana"), SECRETS),
    "FileVault": (FileVaultRequest("enabled", "ana"), SECRETS),
}


def mac_of(version: str, prehashed: bool = True) -> Mac:
    mac = fakes.mac(version, mdm=MDM(enrolled="ade", user_approved=True, server="https://x", bootstrap_supported=True))
    mac.accounts["root"] = fakes.person(mac, "root", None, uid=0)
    mac.accounts["root"].service = True
    ana = fakes.person(mac, "ana", "ana-pw-1", full_name="Ana Sousa", admin=True)
    if prehashed:
        ana.attributes[directory.PREHASHED] = ["1"]
    return mac


def read(mac: Mac) -> Read:
    return read_mac(LabRunner(mac), 5, Ask())


def known(mac: Read) -> dict[str, t.Any]:
    """Return what the reading says, without what a Mac without a holder does not say of the preboot volume, and without
    the time of the password, which may be set once more."""
    left_out = ("in_preboot", "password_changed")
    found = view(mac, ())
    people = [{key: value for key, value in who.items() if key not in left_out} for who in found["accounts"]]
    return {**found, "accounts": people}


def run(mac: Mac, request: Request, secrets: dict[str, Secret], check: bool, foresee: bool = False) -> Outcome:
    how = (lambda reading: with_first_holder(reading, "ana")) if foresee else (lambda reading: reading)
    return Run(LabRunner(mac), secrets, 5, pause=lambda seconds: None, foresee=how).run(request, check)


@pytest.mark.parametrize("prehashed", [True, False])
@pytest.mark.parametrize("version", VERSIONS)
def test_the_mac_that_is_foreseen_is_the_one_that_comes(version: str, prehashed: bool) -> None:
    mac = mac_of(version, prehashed)
    before = read(mac)
    assert known(with_first_holder(before, "ana")) != known(before)
    assert run(mac, FIRST, SECRETS, False).refusal is None
    assert known(with_first_holder(before, "ana")) == known(read(mac))


@pytest.mark.parametrize("name", FOLLOWING)
@pytest.mark.parametrize("version", VERSIONS)
def test_what_follows_is_foreseen_as_it_is_once_the_token_is_there(version: str, name: str) -> None:
    mac = mac_of(version)
    request, secrets = FOLLOWING[name]
    early = run(mac, request, secrets, True, foresee=True)
    assert run(mac, FIRST, SECRETS, False).refusal is None
    late = run(mac, request, secrets, True)
    assert (early.refusal, early.plan, early.before, early.after, early.changed) == (
        late.refusal,
        late.plan,
        late.before,
        late.after,
        late.changed,
    )


def test_a_run_that_changes_the_mac_never_sees_it_so() -> None:
    mac = mac_of("15.6")
    outcome = run(mac, *FOLLOWING["escrow"], check=False, foresee=True)
    assert outcome.refusal is not None and outcome.refusal.reason == "granter_no_token"


def tagged(mac: Mac) -> None:
    mac.accounts["ana"].authority.append(directory.DISABLED_TAG)


def another(mac: Mac) -> None:
    directory.give_token(mac, fakes.person(mac, "bea", "bea-pw-1", admin=True))


@pytest.mark.parametrize("spoil", [tagged, another])
def test_no_token_is_foreseen_that_macos_would_not_give(spoil: t.Callable[[Mac], object]) -> None:
    mac = mac_of("15.6")
    spoil(mac)
    assert with_first_holder(read(mac), "ana") == read(mac)
    assert with_first_holder(read(mac), "nobody") == read(mac)


@pytest.mark.parametrize(
    ("given", "task", "play", "seen"),
    [
        ("ana", True, True, True),
        ("ana", True, False, False),
        ("ana", False, True, False),
        ("", True, True, False),
        (None, True, True, False),
    ],
)
def test_only_check_mode_sees_what_a_role_foresees(given: str | None, task: bool, play: bool, seen: bool) -> None:
    variables = {"ansible_check_mode": play, **({} if given is None else {VARIABLE: given})}
    mac = read(mac_of("15.6"))
    assert (foreseen(variables, lambda value: value, task)(mac) != mac) is seen
