# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The oracle sees each loss that it is there for: in every row one thing goes, and nothing else would be noticed."""

from __future__ import annotations

from dataclasses import replace

import fakes
import pytest
from oracle import Person, Truth, of_lab, stale, worse

from maclab import directory, vault

ADMIN = Person("itadmin", "A", admin=True, mark=True, key=True, listed=True)
ANA = Person("ana", "B", mark=True, key=True, listed=True)
RUI = Person("rui", "C")
MAC = Truth((15, 6), (ADMIN, ANA), encrypted=True)


def but(truth: Truth, name: str, **facts: object) -> Truth:
    people = tuple(replace(who, **facts) if who.name == name else who for who in truth.people)  # type: ignore[arg-type]
    return replace(truth, people=people)


def without(truth: Truth, name: str) -> Truth:
    return replace(truth, people=tuple(who for who in truth.people if who.name != name))


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (MAC, but(MAC, "itadmin", admin=False), "no administrator who can grant is left"),
        (MAC, but(MAC, "itadmin", admin=False), "recoverable was yes and is at_risk"),
        (MAC, but(MAC, "itadmin", listed=False), "no administrator with a token by all sources is left"),
        (but(MAC, "itadmin", able=False), but(MAC, "itadmin", able=False, mark=False), "usable or not is left"),
        (but(MAC, "itadmin", mark=False), but(MAC, "itadmin", mark=False, admin=False), "no administrator is left"),
        (replace(MAC, people=(ANA, RUI)), replace(MAC, people=(RUI,)), "nothing that opens the volume is left"),
        (replace(MAC, people=(ANA, RUI)), replace(MAC, people=(RUI,)), "recoverable was at_risk and is no"),
        (
            replace(MAC, people=(ANA, RUI), recovery_key="k"),
            replace(MAC, people=(RUI,), recovery_key="k"),
            "nothing that holds a token and is on its list is left",
        ),
        (
            but(replace(MAC, people=(ANA, RUI)), "ana", able=False),
            replace(MAC, people=(RUI,)),
            "nothing with a key, able to log in or not is left",
        ),
        (replace(MAC, people=(RUI,), orphans=frozenset("O")), replace(MAC, people=(RUI,)), "opens the volume is left"),
        (
            but(but(replace(MAC, recovery_key="k"), "ana", fits=False), "itadmin", fits=False),
            but(but(MAC, "ana", fits=False), "itadmin", fits=False),
            "the last recovery key is gone",
        ),
        (MAC, without(MAC, "itadmin"), "itadmin, whom the run came in by, is gone"),
        (MAC, but(MAC, "itadmin", password="another"), "has another password"),
        (MAC, but(MAC, "itadmin", able=False), "cannot log in any more"),
        (MAC, but(MAC, "itadmin", key=False), "is no holder any more"),
        (MAC, but(MAC, "itadmin", admin=False), "whom the run came in by, is no administrator any more"),
    ],
)
def test_a_loss_is_seen(before: Truth, after: Truth, said: str) -> None:
    assert any(said in words for words in worse(before, after, ["itadmin"])), worse(before, after, ["itadmin"])
    assert worse(before, before, ["itadmin"]) == []


def test_what_can_be_spared_is_no_loss() -> None:
    deputy = replace(ADMIN, name="deputy", guid="D")
    spared = replace(MAC, people=(ADMIN, deputy, ANA), recovery_key="k")
    assert worse(spared, without(spared, "ana")) == []
    assert worse(spared, without(spared, "deputy")) == []
    assert worse(spared, replace(spared, recovery_key="")) == []
    off = replace(MAC, encrypted=False, recovery_key="k")
    assert worse(off, replace(without(off, "ana"), recovery_key="")) == []


def test_a_stale_key_that_stays_alone_is_a_doubt() -> None:
    left = but(MAC, "itadmin", fits=False)
    assert stale(left, without(left, "ana"))
    assert not stale(MAC, without(MAC, "ana"))
    assert not stale(replace(left, encrypted=False), replace(without(left, "ana"), encrypted=False))


def test_an_administrator_for_the_moment_is_none() -> None:
    lent = replace(MAC, notes=frozenset({"promoted itadmin"}))
    assert lent.verdict == "at_risk"
    assert worse(lent, but(lent, "itadmin", admin=False), ["itadmin"]) == []


def test_a_mac_of_the_lab_is_judged_by_what_it_is() -> None:
    mac = fakes.mac()
    fakes.person(mac, "root", None, uid=0).service = True
    fakes.person(mac, "itadmin", "it-pw", admin=True, token=True)
    fakes.person(mac, "ana", "ana-pw", token=True)
    mac.filevault.state = "on"
    assert (of_lab(mac).granters, of_lab(mac).unlockers) == ({"itadmin"}, {"itadmin", "ana"})
    assert of_lab(mac).surely_open == {"itadmin", "ana"}
    mac.accounts["ana"].key_password = "before"
    assert of_lab(mac).surely_open == {"itadmin"}
    vault.make_key(mac)
    assert of_lab(mac).surely_open == {"itadmin", "the personal recovery key"}
    mac.accounts["itadmin"].authority.append(directory.DISABLED_USER)
    assert (of_lab(mac).granters, of_lab(mac).admin_holders) == (frozenset(), {"itadmin"})
    vault.remove_unlocker(mac, mac.accounts["itadmin"].generated_uid)
    assert (of_lab(mac).admin_holders, of_lab(mac).token_admins) == (frozenset(), {"itadmin"})
    mac.crypto_users.pop(mac.accounts["itadmin"].generated_uid)
    assert of_lab(mac).token_admins == frozenset()
    directory.delete_account(mac, mac.accounts["ana"], keep_crypto_user=True)
    assert len(of_lab(mac).orphans) == 1
