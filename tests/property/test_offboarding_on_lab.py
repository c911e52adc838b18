# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody leaves a modelled Mac: nothing of them is left, nothing is lost on the way, and a cut is continued."""

from __future__ import annotations

import typing as t

import fakes
import pytest
from inmemory import LabRunner, PowerCut, admin_holders, snapshot
from test_core_on_lab import MACS

from ansible_collections.keyholder.macos.plugins.module_utils._plan.account import AccountRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.filevault import CollectRequest, FileVaultRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.offboard import OffboardRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.request import Outcome
from ansible_collections.keyholder.macos.plugins.module_utils._plan.ssh_access import SshAccessRequest
from ansible_collections.keyholder.macos.plugins.module_utils._run.run import Run
from maclab import directory, sshd_config
from maclab.state import Fault, Mac, ModelFile

PATH, AGAIN = "/var/root/ana.tar.gz", "/var/root/ana-again.tar.gz"


def cast(version: str = "15.6", hardware: str = "apple-silicon") -> Mac:
    mac = fakes.mac(version, hardware)
    fakes.person(mac, "root", None, uid=0).service = True
    fakes.person(mac, "itadmin", "it-pw-1", admin=True, token=True)
    fakes.person(mac, "ana", "ana-pw-2", full_name="Ana Sousa", token=True)
    mac.filevault.state = "on"
    mac.preboot = [account.generated_uid for account in mac.accounts.values() if account.has_authority_token]
    return mac


def denied() -> Mac:
    mac = cast()
    flow(mac, SshAccessRequest("ana"))
    assert sshd_config.denies(mac, "ana")
    return mac


def flow(mac: Mac, request: t.Any, check: bool = False, cut: int | None = None) -> tuple[Outcome, LabRunner]:
    runner = LabRunner(mac, cut=cut)
    return Run(runner, {}, 5).run(request, check), runner


def nothing_is_left(mac: Mac) -> bool:
    people = {account.generated_uid for account in mac.accounts.values()}
    notes = mac.accounts["root"].attributes.get("dsAttrTypeNative:keyholder_pending")
    return "ana" not in mac.accounts and set(mac.crypto_users) <= people and set(mac.preboot) <= people and not notes


@pytest.mark.parametrize(("version", "hardware"), MACS)
@pytest.mark.parametrize("home", ["keep", "archive", "delete", "secure"])
def test_nothing_of_them_is_left_but_what_was_to_be_kept(version: str, hardware: str, home: str) -> None:
    mac = cast(version, hardware)
    request = OffboardRequest("ana", home)
    before = snapshot(mac)
    foreseen, looked = flow(mac, request, check=True)
    assert (mac, looked.writes) == (before, [])
    done, runner = flow(mac, request)
    assert (done.refusal, done.changed) == (None, True)
    assert (done.plan, done.after) == (foreseen.plan, foreseen.after)
    assert nothing_is_left(mac)
    assert admin_holders(mac) == {"itadmin"}
    assert (PATH in mac.files) == (home == "archive")
    assert done.after["remain"]["can_unlock"] == ["itadmin"]
    assert runner.authentications == []
    again, idle = flow(mac, request)
    assert (again.refusal, again.changed, again.plan, idle.writes) == (None, False, [], [])


def test_a_new_account_of_that_name_is_not_refused_by_sshd() -> None:
    whole = denied()
    done, runner = flow(whole, OffboardRequest("ana"))
    assert (done.refusal, sshd_config.denies(whole, "ana")) == (None, False)
    for cut in range(1, len(runner.writes) + 1):
        mac = denied()
        with pytest.raises(PowerCut):
            flow(mac, OffboardRequest("ana"), cut=cut)
        assert sshd_config.denies(mac, "ana") or "ana" not in mac.accounts, "nobody lets them in before they are gone"
        done, _ = flow(mac, OffboardRequest("ana"))
        assert (done.refusal, sshd_config.denies(mac, "ana")) == (None, False)
        assert nothing_is_left(mac)
        assert flow(mac, OffboardRequest("ana"))[0].plan == []


@pytest.mark.parametrize("home", ["keep", "archive", "delete"])
def test_cut_anywhere_the_next_run_goes_on_and_no_home_is_lost(home: str) -> None:
    whole = cast()
    _, runner = flow(whole, OffboardRequest("ana", home))
    for cut in range(1, len(runner.writes) + 1):
        mac = cast()
        with pytest.raises(PowerCut):
            flow(mac, OffboardRequest("ana", home), cut=cut)
        ana = mac.accounts.get("ana")
        assert home == "delete" or (ana is not None and ana.home_exists) or PATH in mac.files or home == "keep"
        done, _ = flow(mac, OffboardRequest("ana", home))
        assert done.refusal is None, (cut, runner.writes[:cut], done.refusal)
        assert nothing_is_left(mac)
        assert (PATH in mac.files) == (home == "archive")
        assert flow(mac, OffboardRequest("ana", home))[0].plan == []


def test_who_works_on_after_a_failed_deletion_loses_nothing() -> None:
    mac = cast()
    mac.faults.append(Fault("delete_does_nothing"))
    flow(mac, OffboardRequest("ana", "archive"))
    first = mac.files[PATH]
    mac.faults.clear()
    done, _ = flow(mac, OffboardRequest("ana", "archive"))
    assert done.refusal is None
    assert (mac.files[PATH], AGAIN in mac.files) == (first, True)
    assert nothing_is_left(mac)


def test_the_next_of_the_same_name_is_another_person() -> None:
    mac = cast()
    mac.faults.append(Fault("delete_does_nothing"))
    flow(mac, OffboardRequest("ana", "archive"))
    mac.faults.clear()
    # By hand, so that the notes stay.
    directory.delete_account(mac, mac.accounts["ana"], keep_crypto_user=False)
    fakes.person(mac, "ana", "other-pw-3", full_name="Ana Sousa", token=True)
    there, _ = flow(mac, OffboardRequest("ana", "archive"))
    assert there.refusal is not None
    assert there.refusal.reason == "archive_exists"
    done, _ = flow(mac, OffboardRequest("ana", "archive", "/var/root/ana-2.tar.gz"))
    assert done.refusal is None
    assert "/var/root/ana-2.tar.gz" in mac.files
    assert nothing_is_left(mac)


def in_use(mac: Mac) -> None:
    mac.logged_in.append("ana")


def in_the_way(mac: Mac) -> None:
    mac.files[PATH] = ModelFile("somebody else's", 0.0)


def the_last_admin(mac: Mac) -> None:
    directory.make_admin(mac, mac.accounts["ana"])
    directory.drop_member(mac.groups["admin"], mac.accounts["itadmin"])


def the_last_unlocker(mac: Mac) -> None:
    directory.take_token(mac, mac.accounts["itadmin"])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (in_use, "user_logged_in"),
        (in_the_way, "archive_exists"),
        (the_last_admin, "last_admin_holder"),
        (the_last_unlocker, "last_unlocker"),
    ],
)
def test_a_refusal_changes_nothing(change: t.Any, reason: str) -> None:
    mac = cast()
    change(mac)
    before = snapshot(mac)
    done, runner = flow(mac, OffboardRequest("ana", "archive"))
    assert done.refusal is not None
    assert done.refusal.reason == reason
    assert (mac, runner.writes) == (before, [])


def test_an_archive_that_fails_removes_nobody_and_can_be_tried_again() -> None:
    mac = cast()
    mac.faults.append(Fault("no_full_disk_access"))
    done, _ = flow(mac, OffboardRequest("ana", "archive"))
    assert done.refusal is not None
    assert mac.accounts["ana"].home_exists
    assert mac.accounts["ana"].has_authority_token
    assert mac.accounts["ana"].generated_uid not in mac.filevault.hidden_users
    mac.faults.clear()
    assert flow(mac, OffboardRequest("ana", "archive"))[0].refusal is None
    assert nothing_is_left(mac)


def test_a_deletion_that_does_nothing_is_not_believed() -> None:
    mac = cast()
    mac.faults.append(Fault("delete_does_nothing"))
    done, _ = flow(mac, OffboardRequest("ana", "delete"))
    assert done.refusal is not None
    assert done.refusal.reason == "not_proven"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/var/root/x.tgz", None),
        ("/private/var/db/x.tgz", None),
        ("/System/Volumes/Data/private/var/root/x.tgz", None),
        ("//Users/Shared/x.tgz", "value_unusable"),
        ("/var/root/../../Users/Shared/x", "value_unusable"),
        ("/private/../tmp/x.tgz", "value_unusable"),
        ("/Users/ana/x.tgz", "value_unusable"),
        ("/users/Shared/x.tgz", "path_unsafe"),
        ("/System/Volumes/Data/Users/Shared/x.tgz", "path_unsafe"),
        ("/tmp/x.tgz", "path_unsafe"),
        ("/Users/itadmin/x.tgz", "path_unsafe"),
        ("/Applications/x.tgz", "path_unsafe"),
        ("/Library/Caches/x.tgz", "path_unsafe"),
        ("/Volumes/USB/x.tgz", "path_unsafe"),
        ("/var/none/x.tgz", "path_unsafe"),
        ("/var/link/x.tgz", "path_unsafe"),
        ("/var/group/x.tgz", "path_unsafe"),
        ("/var/root/link.tgz", "path_unsafe"),
    ],
)
def test_an_archive_lies_where_root_alone_writes(path: str, reason: str | None) -> None:
    mac = cast()
    mac.files["/var/link"] = mac.files["/var/root/link.tgz"] = ModelFile(
        "/Users/Shared", 0.0, "Symbolic Link", 0, 0o755
    )
    mac.files["/var/group"] = ModelFile("", 0.0, "Directory", 0, 0o775)
    before = snapshot(mac)
    done, runner = flow(mac, OffboardRequest("ana", "archive", path))
    assert (done.refusal.reason if done.refusal else None) == reason, done.refusal
    if reason is not None:
        assert (mac, runner.writes) == (before, [])
    else:
        assert nothing_is_left(mac)
        assert path in mac.files


REQUESTS: dict[str, t.Any] = {
    "archive": OffboardRequest("ana", "archive"),
    "delete": OffboardRequest("ana", "delete"),
    "secure": OffboardRequest("ana", "secure"),
    "account": AccountRequest("ana", state="absent", remove="delete_home"),
}


@pytest.mark.parametrize("how", REQUESTS)
@pytest.mark.parametrize(
    "home",
    [
        "/Users/itadmin",
        "/users/ITADMIN",
        "/System/Volumes/Data/Users/itadmin",
        "/Users/linked",
        "/Users/linked/ana",
        "/",
        "/Users",
        "/Users/..",
        "/Users/Shared",
        "/var/root",
        "/Library",
    ],
)
def test_a_home_that_is_not_their_own_is_never_taken_away(how: str, home: str) -> None:
    mac = cast()
    mac.files["/Users/linked"] = ModelFile("/Users/itadmin", 0.0, "Symbolic Link", 502, 0o755)
    mac.accounts["ana"].home = home
    before = snapshot(mac)
    done, runner = flow(mac, REQUESTS[how])
    assert done.refusal is not None
    assert done.refusal.reason == "home_unsafe"
    assert (mac, runner.writes) == (before, [])
    kept, _ = flow(mac, OffboardRequest("ana", "keep"))
    assert kept.refusal is None
    assert nothing_is_left(mac)


@pytest.mark.parametrize("path", ["/var/root/../../Users/Shared/key", "/Users/Shared/key", "/Volumes/USB/key"])
def test_a_recovery_key_is_left_and_fetched_where_root_alone_writes(path: str) -> None:
    reason = "value_unusable" if ".." in path else "path_unsafe"
    mac = cast()
    mac.files[path] = ModelFile("", 0.0)
    collected, runner = flow(mac, CollectRequest(path, "return"))
    assert collected.refusal is not None
    assert (collected.refusal.reason, runner.writes) == (reason, [])
    mac.filevault.state = "off"
    deferred, runner = flow(mac, FileVaultRequest("deferred", "ana", defer_path=path))
    assert deferred.refusal is not None
    assert (deferred.refusal.reason, runner.writes) == (reason, [])
