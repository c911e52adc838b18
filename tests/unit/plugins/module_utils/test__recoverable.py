# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict on a Mac, word for word: each row stands beside another that differs in the one thing that decides."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils._account import EVERYWHERE, NOWHERE, Account, Sources
from ansible_collections.keyholder.macos.plugins.module_utils._mac import (
    FileVault,
    Mac,
    Management,
    PasswordPolicy,
    Volume,
)
from ansible_collections.keyholder.macos.plugins.module_utils._macos import Version
from ansible_collections.keyholder.macos.plugins.module_utils._recoverable import (
    other_ways_in,
    recoverability,
    recovery_keys,
    sure_ways_in,
    ways_in,
)

ADMIN = Account("itadmin", "A", uid=501, admin=True, sources=EVERYWHERE, failed_logins=0)
ANA = Account("ana", "B", uid=502, sources=EVERYWHERE, failed_logins=0)
BOB = replace(ANA, name="bob", guid="C", uid=503)
RUI = replace(ANA, name="rui", guid="D", uid=504, sources=NOWHERE)
BOSS = replace(RUI, name="boss", guid="E", uid=505, admin=True)
OUT = replace(ANA, name="out", guid="F", uid=506, disabled=True)
OFF, ON = FileVault("off", personal_key=False), FileVault("on", personal_key=False)
GRANTS = Management(bootstrap="valid", bootstrap_crypto_user=True)
EXPIRES = PasswordPolicy(max_failed_logins=5, lock_expires=True)
GUESSED = replace(ANA, failed_logins=5)


def mac(*accounts: Account, filevault: FileVault = OFF, version: str = "15.6", **more: t.Any) -> Mac:
    made_up: dict[str, t.Any] = {"volume": Volume("d", True, True), "as_root": True}
    return Mac(Version.parse(version), accounts=accounts, filevault=filevault, **{**made_up, **more})


COMES = "the escrowed Bootstrap Token grants {} one at a graphical login"
STUCK = "nothing opens the volume after a restart"
RULE_11 = (
    "on macOS 11 and newer the first account whose password is set gets the first token"
    " (at its first login, if the password came as a hash)"
)
RULE_15 = "on macOS 10.15 the first administrator who authenticates gets the first token"
ONLY_ANA = "no administrator holds a token, only ana"
NOBODY = "no account holds a token"
NO_GROUPS = "the groups could not be read, so it is not known who is an administrator"
NO_CRYPTO = "the crypto users of the boot volume could not be read"
LOCKED_A_WHILE = "failed logins have locked the account, which opens again by itself"


@pytest.mark.parametrize(
    ("of", "verdict", "why"),
    [
        # What was not read.
        (mac(ADMIN, replace(RUI, sources=Sources(False, None, False))), "unknown", NO_CRYPTO),
        (mac(ADMIN, volume=Volume("d", None)), "unknown", NO_CRYPTO),
        (
            mac(ADMIN, volume=Volume("d", False)),
            "unknown",
            "the boot volume is not APFS: there are no Secure Tokens here",
        ),
        (mac(ADMIN, groups_read=False), "unknown", NO_GROUPS),
        # Who can grant, or may.
        (mac(ADMIN, replace(ADMIN, name="it2", guid="G")), "yes", "itadmin, it2 can grant tokens"),
        (
            mac(replace(ADMIN, failed_logins=5), policy=EXPIRES),
            "unknown",
            f"itadmin can grant tokens, unless {LOCKED_A_WHILE}",
        ),
        (
            mac(ADMIN, policy=PasswordPolicy(unjudged=("a", "b"))),
            "unknown",
            "itadmin can grant tokens, unless the password rule a or b has locked the account, which a reading cannot"
            " tell",
        ),
        (
            mac(replace(ANA, kind="mobile"), BOB, foreign_admins=True),
            "unknown",
            "a directory group, which is not read, makes administrators; ana may be one",
        ),
        (mac(replace(ANA, kind="mobile")), "at_risk", ONLY_ANA),
        (mac(ANA, foreign_admins=True), "at_risk", ONLY_ANA),
        # Holders, and none who can grant.
        (mac(ANA), "at_risk", ONLY_ANA),
        (mac(ANA, BOSS), "at_risk", ONLY_ANA),
        (mac(ANA, BOSS, management=GRANTS), "pending", f"{ONLY_ANA}; {COMES.format('boss')}"),
        (mac(ANA, BOSS, management=GRANTS, filevault=ON), "pending", f"{ONLY_ANA}; {COMES.format('boss')}"),
        (
            mac(ANA, OUT, BOSS, management=GRANTS, filevault=ON),
            "pending",
            f"no administrator holds a token, only ana, out; {COMES.format('boss')}",
        ),
        (
            mac(OUT, BOSS, management=GRANTS, filevault=ON),
            "at_risk",
            f"no administrator holds a token, only out; {STUCK}; {COMES.format('boss')}",
        ),
        (mac(OUT, filevault=ON), "at_risk", f"no administrator holds a token, only out; {STUCK}"),
        (
            mac(OUT, BOSS, management=GRANTS, filevault=replace(ON, personal_key=True)),
            "at_risk",
            f"no administrator holds a token, only out; {COMES.format('boss')}",
        ),
        (
            mac(replace(ADMIN, disabled=True), ANA),
            "at_risk",
            "itadmin cannot log in, and no other administrator holds a token",
        ),
        # Nobody holds a token, and FileVault may ask for one.
        (
            mac(RUI, filevault=replace(ON, personal_key=True), management=GRANTS),
            "at_risk",
            f"{NOBODY}; the personal recovery key is the only way in; {COMES.format('rui')}",
        ),
        (
            mac(RUI, filevault=FileVault("on", personal_key=True, institutional_key=True)),
            "at_risk",
            f"{NOBODY}; the personal recovery key and the institutional recovery key are the only ways in",
        ),
        (
            mac(RUI, filevault=FileVault("on", personal_key=True, institutional_key=True), apple_silicon=True),
            "at_risk",
            f"{NOBODY}; the personal recovery key is the only way in",
        ),
        (
            mac(RUI, filevault=FileVault("on", personal_key=None)),
            "unknown",
            f"{NOBODY}, and the recovery keys could not be read",
        ),
        (
            mac(RUI, BOSS, filevault=ON, management=GRANTS),
            "at_risk",
            f"{NOBODY}, and {STUCK}; {COMES.format('boss')} before",
        ),
        (
            mac(RUI, BOSS, filevault=replace(ON, state="unknown"), management=GRANTS),
            "at_risk",
            f"{NOBODY}, and {STUCK}; {COMES.format('boss')} before",
        ),
        (mac(RUI, filevault=ON, management=GRANTS), "at_risk", f"{NOBODY}, and {STUCK}; {COMES.format('rui')} before"),
        (
            mac(RUI, filevault=replace(ON, state="decrypting"), management=GRANTS),
            "at_risk",
            f"{NOBODY}, and FileVault is being switched off",
        ),
        (
            mac(RUI, filevault=ON),
            "no",
            "FileVault is on, no account holds a token and no recovery key opens the volume",
        ),
        (
            mac(RUI, filevault=replace(ON, state="unknown")),
            "unknown",
            f"{NOBODY}, and FileVault's status could not be read",
        ),
        # Nobody holds a token, and nothing asks for one.
        (mac(RUI, BOSS, management=GRANTS), "pending", f"{NOBODY}; {COMES.format('boss')}"),
        (mac(RUI, replace(BOSS, disabled=True), management=GRANTS), "at_risk", f"{NOBODY}; {COMES.format('rui')}"),
        (mac(RUI), "at_risk", f"{NOBODY}; {RULE_11}"),
        (mac(RUI, replace(BOSS, disabled_tag=True)), "at_risk", f"{NOBODY}; {RULE_11}"),
        (
            mac(replace(RUI, disabled_tag=True)),
            "at_risk",
            f"{NOBODY}; {RULE_11}; no account on this Mac can be the first",
        ),
        (mac(RUI, BOSS, version="10.15.7"), "at_risk", f"{NOBODY}; {RULE_15}"),
        (mac(RUI, version="10.15.7"), "at_risk", f"{NOBODY}; {RULE_15}; no account on this Mac can be the first"),
    ],
)
def test_the_verdict_in_full(of: Mac, verdict: str, why: str) -> None:
    said = recoverability(of)
    assert (said.verdict, said.why) == (verdict, why)


@pytest.mark.parametrize("silicon", [True, False])
@pytest.mark.parametrize("personal", [True, False, None])
@pytest.mark.parametrize("institutional", [True, False, None])
def test_apple_silicon_takes_no_institutional_key(
    silicon: bool, personal: bool | None, institutional: bool | None
) -> None:
    of = mac(filevault=FileVault("on", personal_key=personal, institutional_key=institutional), apple_silicon=silicon)
    expected = ["the personal recovery key"] if personal is True else []
    expected += ["the institutional recovery key"] if institutional is True and not silicon else []
    assert list(recovery_keys(of)) == expected


@pytest.mark.parametrize(
    ("who", "sure", "other"),
    [
        (ANA, ["the password of ana"], []),
        (OUT, [], []),
        (GUESSED, [], ["the password of ana, unless a rule has locked the account"]),
        (replace(GUESSED, disabled=True), [], []),
        (RUI, [], []),
        (replace(RUI, sources=Sources(True, False, True)), [], []),
        (
            replace(RUI, sources=Sources(False, True, False)),
            [],
            ["the password of rui, about whom the sources disagree"],
        ),
        (replace(RUI, sources=Sources(False, True, False), disabled=True), [], []),
    ],
)
def test_whose_password_opens_the_volume_surely_or_perhaps(who: Account, sure: list[str], other: list[str]) -> None:
    of = mac(who, policy=EXPIRES, filevault=ON)
    assert (list(sure_ways_in(of)), list(other_ways_in(of))) == (sure, other)
    assert list(ways_in(of)) == [*sure, *other]
