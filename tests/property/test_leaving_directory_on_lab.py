# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A mobile account of a modelled Mac becomes a local one: it keeps password, token, UID and home, a cut is healed, and
where nobody could put a failure right nothing is begun."""

from __future__ import annotations

import typing as t

import fakes
import pytest
from hypothesis import given
from hypothesis import strategies as st
from inmemory import LabRunner, PowerCut, admin_holders, counted, snapshot
from test_core_on_lab import MACS
from test_mobile_on_lab import ADMIN_PW, OLD, bound, logged_in

from ansible_collections.keyholder.macos.plugins.module_utils._plan.local import LocalAccountRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.request import Outcome
from ansible_collections.keyholder.macos.plugins.module_utils._run.run import Run
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Secret
from maclab import directory, network
from maclab.state import Account, Mac

CORP = ";Kerberosv5;;ada@CORP.EXAMPLE.COM;CORP.EXAMPLE.COM;"
EXTRAS = {
    "SMBSID": ["S-1-5-21-1"],
    "dsAttrTypeNative:cached_groups": ["x"],
    "dsAttrTypeNative:MCXFlags": ["y"],
    "dsAttrTypeNative:OriginalAuthenticationAuthority": ["z"],
}
ADA = LocalAccountRequest("ada")
VERSIONS = tuple(sorted({version for version, _ in MACS}))


def mobile(version: str = "15.6", hardware: str = "t2", token: bool = True, encrypted: bool = True) -> Mac:
    """A Mac bound to a directory, on which Ada has a mobile account with all that a directory leaves there."""
    mac = logged_in(bound(version, hardware))
    ada = mac.accounts["ada"]
    ada.authority.append(CORP)
    ada.attributes.update({key: list(values) for key, values in EXTRAS.items()})
    if token:
        directory.give_token(mac, ada)
    mac.filevault.state = "on" if encrypted else "off"
    mac.preboot = [account.generated_uid for account in mac.accounts.values() if account.has_authority_token]
    return mac


def flow(
    mac: Mac,
    request: LocalAccountRequest = ADA,
    password: str | None = OLD,
    check: bool = False,
    cut: int | None = None,
    own: str = "itadmin",
) -> tuple[Outcome, LabRunner]:
    runner = LabRunner(mac, cut=cut)
    secrets = {} if password is None else {"password": Secret(password)}
    wanted = LocalAccountRequest(**{**vars(request), "given": frozenset(secrets)})
    return counted(Run(runner, secrets, 5, own=lambda: {own}).run(wanted, check)), runner


def reason(outcome: Outcome) -> str | None:
    return outcome.refusal.reason if outcome.refusal is not None else None


def kept(account: Account) -> tuple[t.Any, ...]:
    return (account.uid, account.gid, account.home, account.generated_uid, account.password, account.key_password)


def is_local(mac: Mac) -> bool:
    """By the lab's own state: nothing of a directory is left, and no note of ours."""
    ada = mac.accounts["ada"]
    values = [value for value in ada.authority if "LocalCachedUser" in value or "CORP" in value]
    left = set(ada.attributes) & {*EXTRAS, network.NODE_NAME}
    return ada.kind == "local" and not values and not left and not mac.accounts["root"].attributes


@pytest.mark.parametrize(("version", "hardware"), MACS)
@pytest.mark.parametrize("password", [OLD, None])
def test_it_becomes_local_and_keeps_everything_else(version: str, hardware: str, password: str | None) -> None:
    mac = mobile(version, hardware)
    before = snapshot(mac)
    foreseen, looked = flow(mac, password=password, check=True)
    assert (mac, looked.writes, looked.authentications) == (before, [], [])
    done, runner = flow(mac, password=password)
    assert (done.refusal, done.changed) == (None, True)
    assert (done.plan, done.after) == (foreseen.plan, foreseen.after)
    ada = mac.accounts["ada"]
    assert is_local(mac)
    assert kept(ada) == kept(before.accounts["ada"])
    assert directory.is_holder(mac, ada) and mac.crypto_users == before.crypto_users
    assert runner.authentications == []
    assert OLD not in runner.argv
    assert any("stays bound" in note for note in done.notes)
    mac.network.online = False
    assert directory.authenticate(mac, "ada", OLD) is directory.Verdict.OK
    settled = snapshot(mac)
    again, idle = flow(mac, password=password)
    assert (again.refusal, again.changed, again.plan, idle.writes) == (None, False, [], [])
    assert mac == settled


@pytest.mark.parametrize("version", ["10.13.6", "15.6"])
def test_a_cut_after_any_write_is_healed(version: str) -> None:
    whole = mobile(version)
    before = snapshot(whole)
    _, runner = flow(whole)
    assert len(runner.writes) > 6
    for cut in range(1, len(runner.writes) + 1):
        mac = mobile(version)
        with pytest.raises(PowerCut):
            flow(mac, cut=cut)
        assert mac.accounts["ada"].password == OLD
        done, _ = flow(mac)
        assert done.refusal is None, (cut, runner.writes[:cut], done.refusal)
        assert is_local(mac)
        ours, wanted = kept(mac.accounts["ada"]), kept(before.accounts["ada"])
        assert (ours[:3], ours[4:]) == (wanted[:3], wanted[4:])
        assert flow(mac)[0].plan == []


@given(
    st.sampled_from(MACS),
    st.sampled_from([OLD, OLD, None, "wrong-pw-9"]),
    st.tuples(*[st.booleans()] * 6),
)
def test_nothing_is_begun_that_nobody_could_put_right(
    model: tuple[str, str], password: str | None, flags: tuple[bool, ...]
) -> None:
    token, encrypted, hashed, rescuer, admin, here = flags
    mac = mobile(*model, token=token, encrypted=encrypted)
    ada = mac.accounts["ada"]
    if not hashed:
        ada.authority[:] = [value for value in ada.authority if not value.startswith(";ShadowHash;")]
        ada.password = None
    if not rescuer:
        directory.disable(mac, mac.accounts["itadmin"])
    if admin:
        directory.make_admin(mac, ada)
    if here:
        mac.logged_in = ["ada"]
    before = snapshot(mac)
    done, runner = flow(mac, password=password, own="nobody")
    assert runner.authentications == []
    lost = admin and token and hashed and not rescuer
    refused = not hashed or (encrypted and not token) or here or lost or (hashed and password == "wrong-pw-9")
    if refused or (encrypted and token and not rescuer):
        assert done.refusal is not None
        assert (mac, runner.writes) == (before, [])
    else:
        assert done.refusal is None, done.refusal
        assert is_local(mac)
    assert admin_holders(mac) == admin_holders(before)


def test_what_is_refused_and_why() -> None:
    mac = mobile()
    assert reason(flow(mac, own="ada")[0]) == "own_account"
    mac.logged_in = ["ada"]
    assert reason(flow(mac)[0]) == "user_logged_in"
    assert reason(flow(mac, LocalAccountRequest("ada", force=True))[0]) is None
    assert reason(flow(mobile(token=False))[0]) == "user_no_token"
    assert reason(flow(mobile(), password="other-pw-1")[0]) == "user_password_wrong"
    assert reason(flow(mobile(), LocalAccountRequest("nobody-here"))[0]) == "user_unknown"
    stale = mobile()
    stale.accounts["ada"].key_password = "older-pw-1"
    assert reason(flow(stale)[0]) == "stale_key"
    bare = bound()
    network.create_mobile_account(bare, bare.network.users["ada"], "/Users/ada")
    assert reason(flow(bare, password=None)[0]) == "password_elsewhere"


def test_the_only_way_in_and_the_only_granter_stay_as_they_are() -> None:
    only_way = mobile()
    only_way.filevault.prk = None
    only_way.crypto_users = {
        guid: user for guid, user in only_way.crypto_users.items() if user.kind == "LocalOpenDirectory"
    }
    directory.disable(only_way, only_way.accounts["itadmin"])
    only_granter = mobile(encrypted=False)
    directory.make_admin(only_granter, only_granter.accounts["ada"])
    directory.disable(only_granter, only_granter.accounts["itadmin"])
    for mac, codes in ((only_way, {"would_lock_out", "last_unlocker"}), (only_granter, {"last_admin_holder"})):
        before = snapshot(mac)
        done, runner = flow(mac, own="nobody")
        assert reason(done) in codes
        assert (mac, runner.writes) == (before, [])


def test_who_may_be_an_administrator_by_a_directory_group_alone_stays_one_or_is_not_the_last() -> None:
    """The sole other administrator cannot log in, or there is one who can."""

    def nested() -> Mac:
        mac = mobile(encrypted=False)
        mac.groups["admin"].nested.append("6F1D2A3B-0000-4000-8000-00000000AD01")
        return mac

    assert any("directory's group" in note for note in flow(nested())[0].notes)
    alone = nested()
    directory.disable(alone, alone.accounts["itadmin"])
    before = snapshot(alone)
    done, runner = flow(alone, own="nobody")
    assert (reason(done), runner.writes) == ("would_worsen", [])
    assert alone == before
    directory.make_admin(alone, alone.accounts["ada"])
    assert reason(flow(alone, own="nobody")[0]) == "last_admin_holder"
    assert not any("directory's group" in note for note in flow(mobile())[0].notes)


def test_a_local_account_is_left_alone() -> None:
    mac = bound()
    fakes.person(mac, "lea", "lea-pw-1")
    done, runner = flow(mac, LocalAccountRequest("lea"), password="other-pw-1")
    assert (done.refusal, done.plan, runner.writes) == (None, [], [])


@pytest.mark.parametrize("lost", ["hash", "mark", "nothing"])
def test_an_account_that_lost_something_on_the_way_is_not_called_local(lost: str) -> None:
    mac = mobile()

    class Losing(LabRunner):
        def started(self, argv: tuple[str, ...], how: dict[str, t.Any]) -> fakes.Run:
            run = super().started(argv, how)
            if argv[0] == "killall":
                ada = self.mac.accounts["ada"]
                if lost == "nothing":
                    ada.attributes["SMBSID"] = ["S-1-5-21-1"]
                    return run
                gone = ";ShadowHash;" if lost == "hash" else ";SecureToken;"
                ada.authority[:] = [value for value in ada.authority if not value.startswith(gone)]
            return run

    wanted = LocalAccountRequest("ada", given=frozenset({"password"}))
    done = Run(Losing(mac), {"password": Secret(OLD)}, 5, own=lambda: {"itadmin"}).run(wanted, False)
    assert reason(done) == "not_proven"
    assert "leaving the directory: ada" in str(mac.accounts["root"].attributes)
    assert ADMIN_PW not in repr(done)
