# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verdicts: on a token by its three sources, on a Mac by its holders."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils._account import EVERYWHERE, NOWHERE, Account, Sources
from ansible_collections.keyholder.macos.plugins.module_utils._mac import FileVault, Mac, Management, Volume
from ansible_collections.keyholder.macos.plugins.module_utils._macos import Version
from ansible_collections.keyholder.macos.plugins.module_utils._recoverable import recoverability

ADMIN = Account("itadmin", "A", admin=True, sources=EVERYWHERE)
ANA = Account("ana", "B", sources=EVERYWHERE)
NOBODY = Account("bob", "C", sources=NOWHERE)
WAITING = replace(ADMIN, sources=NOWHERE)
LOCKED = {"management": Management(bootstrap="escrowed_unproven"), "filevault": FileVault("on", personal_key=True)}
IRK = FileVault("on", personal_key=False, institutional_key=True)
ON = FileVault("on", personal_key=False, institutional_key=False)
STALE = Management(bootstrap="escrowed_unproven", bootstrap_crypto_user=False)
KEYED = Account("rui", "D", admin=True, sources=Sources(False, True, True))
OFF = FileVault("off", personal_key=False, institutional_key=False)


@pytest.mark.parametrize(
    ("text", "version"),
    [("10.13.6", Version(10, 13, 6)), ("26", Version(26)), ("15.6.1", Version(15, 6, 1)), ("10.16", Version(11))],
)
def test_version(text: str, version: Version) -> None:
    assert Version.parse(text) == version


def test_versions_compare_as_numbers() -> None:
    assert Version.parse("10.9") < Version.parse("10.13") < Version.parse("11.0") < Version.parse("26.1")
    assert str(Version(10, 15)) == "10.15"
    assert str(Version(10, 15, 7)) == "10.15.7"
    with pytest.raises(ValueError, match="not a macOS version"):
        Version.parse("Tahoe")


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ((True, True, True), "holder"),
        ((False, False, False), "none"),
        ((True, True, None), "unproven"),
        ((False, None, None), "none"),
        ((None, None, None), "unknown"),
        ((True, False, True), "phantom"),
        ((False, True, None), "phantom"),
        ((True, True, False), "phantom"),
    ],
)
def test_verdict(said: tuple[bool | None, bool | None, bool | None], verdict: str) -> None:
    assert Sources(*said).verdict == verdict


def mac(*accounts: Account, version: str = "15.6", **more: t.Any) -> Mac:
    return Mac(
        Version.parse(version), accounts=accounts, **{"volume": Volume("d", True, True), "filevault": OFF, **more}
    )


ESCROWED = Management(bootstrap="escrowed_unproven")


@pytest.mark.parametrize(
    ("of", "verdict", "why"),
    [
        (mac(ADMIN, NOBODY), "yes", "itadmin can grant tokens"),
        (mac(ANA), "at_risk", "no administrator holds a token, only ana"),
        (mac(ANA, management=ESCROWED), "at_risk", "no administrator holds a token, only ana"),
        (mac(ANA, WAITING, management=ESCROWED), "pending", "the escrowed Bootstrap Token grants itadmin one"),
        (mac(ANA, WAITING), "at_risk", "no administrator holds a token, only ana"),
        (mac(ANA, WAITING, management=ESCROWED, version="10.15.7"), "at_risk", "only ana"),
        (mac(ANA, replace(WAITING, disabled=True), management=ESCROWED), "at_risk", "only ana"),
        (mac(ANA, WAITING, management=ESCROWED, pending=frozenset(["promoted itadmin"])), "at_risk", "only ana"),
        (mac(replace(ADMIN, disabled=True), replace(WAITING, name="deputy"), management=ESCROWED), "pending", "deputy"),
        (mac(replace(ADMIN, disabled=True), replace(WAITING, name="deputy"), **LOCKED), "at_risk", "cannot log in"),
        (mac(NOBODY, filevault=FileVault("on", None, "", "", False, False)), "no", "no recovery key opens"),
        (mac(NOBODY, filevault=FileVault("on", personal_key=None)), "unknown", "the recovery keys could not be read"),
        (mac(NOBODY, filevault=FileVault("on", personal_key=True)), "at_risk", "the personal recovery key is the only"),
        (mac(NOBODY, filevault=IRK), "at_risk", "the institutional recovery key is the only way in"),
        (mac(NOBODY, filevault=IRK, apple_silicon=True), "no", "no recovery key opens"),
        (mac(NOBODY, WAITING, filevault=IRK, management=ESCROWED), "at_risk", "the only way in"),
        (mac(NOBODY, filevault=FileVault(personal_key=False)), "unknown", "FileVault's status could not be read"),
        (
            mac(NOBODY, filevault=FileVault(personal_key=True)),
            "at_risk",
            "the personal recovery key is the only way in",
        ),
        (
            mac(NOBODY, filevault=ON, management=ESCROWED),
            "at_risk",
            "after a restart; the escrowed Bootstrap Token grants",
        ),
        (mac(NOBODY, filevault=ON, management=STALE), "no", "no recovery key opens"),
        (
            mac(KEYED, filevault=ON),
            "at_risk",
            "the password of rui, about whom the sources disagree is the only way in",
        ),
        (mac(replace(KEYED, disabled=True), filevault=ON), "no", "no recovery key opens"),
        (
            mac(NOBODY, filevault=ON, orphans=("0C0F",)),
            "at_risk",
            "the password of the crypto user 0C0F, who has no account",
        ),
        (mac(NOBODY, filevault=replace(ON, icloud_key=True)), "at_risk", "an Apple Account is the only way in"),
        (
            mac(KEYED, filevault=replace(ON, icloud_key=True)),
            "at_risk",
            "Apple Account and the password of rui, about whom the sources disagree are the only ways in",
        ),
        (mac(NOBODY, management=ESCROWED), "at_risk", "the escrowed Bootstrap Token"),
        (mac(ANA, WAITING, management=STALE), "at_risk", "only ana"),
        (mac(ANA, replace(WAITING, name="root", uid=0), management=ESCROWED), "at_risk", "only ana"),
        (mac(replace(ANA, kind="mobile"), foreign_admins=True), "unknown", "ana may be one"),
        (mac(ANA, foreign_admins=True), "at_risk", "only ana"),
        (mac(replace(NOBODY, disabled_tag=True)), "at_risk", "no account on this Mac can be the first"),
        (mac(NOBODY, orphans=("0C0F",)), "at_risk", "no account on this Mac can be the first"),
        (mac(NOBODY, WAITING, management=ESCROWED), "pending", "grants itadmin one"),
        (mac(NOBODY), "at_risk", "the first account whose password is set"),
        (mac(NOBODY, version="10.15.7"), "at_risk", "the first administrator who authenticates"),
        (mac(NOBODY, version="10.13.6"), "at_risk", "the only account from UID 500 up"),
        (mac(ADMIN, volume=Volume("d", False, False)), "unknown", "not APFS"),
        (mac(ADMIN, volume=Volume()), "unknown", "could not be read"),
        (mac(replace(ADMIN, sources=Sources(True, None, None))), "unknown", "the crypto users"),
        (mac(replace(ADMIN, sources=Sources(True, True, None))), "yes", "itadmin can grant tokens"),
    ],
)
def test_recoverability(of: Mac, verdict: str, why: str) -> None:
    assert recoverability(of).verdict == verdict
    assert why in recoverability(of).why


def test_a_phantom_administrator_is_no_granter() -> None:
    phantom = Account("x", "X", admin=True, sources=Sources(True, False, True))
    of = mac(ADMIN, phantom)
    assert [who.name for who in of.granters] == ["itadmin"]
    assert [who.name for who in of.phantoms] == ["x"]
