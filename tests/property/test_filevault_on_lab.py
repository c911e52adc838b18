# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""FileVault, recovery keys and the Bootstrap Token against modelled Macs of every version."""

from __future__ import annotations

import typing as t

import fakes
import pytest
from inmemory import LabRunner, PowerCut, snapshot

from ansible_collections.keyholder.macos.plugins.module_utils._plan.bootstrap import BootstrapRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.filevault import (
    CollectRequest,
    FileVaultRequest,
    KeyRequest,
    UnlockerRequest,
)
from ansible_collections.keyholder.macos.plugins.module_utils._plan.request import Outcome
from ansible_collections.keyholder.macos.plugins.module_utils._plan.restart import RestartRequest
from ansible_collections.keyholder.macos.plugins.module_utils._run.run import Run
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Secret
from maclab import vault
from maclab.state import Mac, ModelFile

MACS = [
    ("10.13.6", "intel"),
    ("10.15.7", "t2"),
    ("11.7.10", "apple-silicon"),
    ("13.6.9", "t2"),
    ("15.6", "apple-silicon"),
    ("26.1", "apple-silicon"),
    ("27.0.1", "apple-silicon"),
]
every_mac = pytest.mark.parametrize(("version", "hardware"), MACS)
PASSWORDS = {"password": "admin-pw-1", "admin_password": "admin-pw-1"}


def cast(version: str, hardware: str, enrolled: str = "ade") -> Mac:
    mac = fakes.mac(version, hardware)
    mac.accounts["root"] = fakes.person(mac, "root", None, uid=0)
    mac.accounts["root"].service = True
    fakes.person(mac, "itadmin", "admin-pw-1", full_name="IT Administrator", admin=True, token=True)
    fakes.person(mac, "ana", "ana-pw-12", full_name="Ana Sousa", token=True)
    mac.mdm.enrolled = enrolled
    mac.mdm.user_approved = mac.mdm.supervised = mac.mdm.bootstrap_supported = enrolled != "no"
    return mac


def flow(
    mac: Mac, request: t.Any, passwords: dict[str, str] | None = None, check: bool = False
) -> tuple[Outcome, LabRunner]:
    runner = LabRunner(mac)
    secrets = {option: Secret(value) for option, value in (PASSWORDS if passwords is None else passwords).items()}
    return Run(runner, secrets, 5).run(request, check), runner


def three_times(mac: Mac, request: t.Any, passwords: dict[str, str] | None = None) -> Outcome:
    """Check mode first, then the run, then the run again."""
    before = snapshot(mac)
    checked, looked = flow(mac, request, passwords, check=True)
    assert mac == before
    assert (looked.writes, looked.authentications) == ([], [])
    done, _ = flow(mac, request, passwords)
    assert done.refusal is None, done.refusal
    assert done.changed
    assert checked.refusal is None
    for key, value in checked.after.items():
        assert value is None or done.after[key] == value, key
    again, runner = flow(mac, request, {})
    assert (again.refusal, again.changed, again.plan) == (None, False, [])
    assert (runner.writes, runner.authentications) == ([], [])
    return done


@every_mac
def test_filevault_on_and_off(version: str, hardware: str) -> None:
    mac = cast(version, hardware)
    done = three_times(mac, FileVaultRequest("enabled", "itadmin", recovery_key="return"))
    assert done.recovery_key == mac.filevault.prk
    assert done.after["enabled"]
    assert "ana" in done.after["users"]
    # A volume without a Secure Enclave is encrypted in its own time.
    mac.filevault.state = "on"
    off = three_times(mac, FileVaultRequest("disabled", "itadmin"))
    assert not off.after["enabled"]


@every_mac
def test_a_deferral_waits_and_can_be_cancelled(version: str, hardware: str) -> None:
    mac = cast(version, hardware)
    done = three_times(mac, FileVaultRequest("deferred", "ana", defer_path="/var/db/x.plist"), {})
    assert done.after["deferred_user"] == "ana"
    assert three_times(mac, FileVaultRequest("disabled"), {}).after["deferred_user"] == ""


@every_mac
def test_a_wrong_password_enables_nothing(version: str, hardware: str) -> None:
    mac = cast(version, hardware)
    done, runner = flow(mac, FileVaultRequest("enabled", "itadmin"), {"password": "wrong-pw-1"})
    assert done.refusal is not None
    assert done.refusal.reason == "user_password_wrong"
    assert runner.writes == []


@every_mac
def test_a_key_is_rotated_by_a_holder(version: str, hardware: str) -> None:
    mac = cast(version, hardware)
    flow(mac, FileVaultRequest("enabled", "itadmin"))
    mac.filevault.state = "on"
    old = mac.filevault.prk
    done, _ = flow(mac, KeyRequest("rotated", "itadmin", "return", frozenset({"password"})))
    assert done.refusal is None, done.refusal
    assert done.recovery_key == mac.filevault.prk != old
    valid, _ = flow(mac, KeyRequest("validated"), {"current_key": done.recovery_key})
    assert (valid.refusal, valid.changed) == (None, False)
    stale, _ = flow(mac, KeyRequest("validated"), {"current_key": str(old)})
    assert stale.refusal is not None
    assert stale.refusal.reason == "key_invalid"


@every_mac
def test_a_key_that_nobody_would_have_is_not_made(version: str, hardware: str) -> None:
    mac = cast(version, hardware)
    flow(mac, FileVaultRequest("enabled", "itadmin"))
    mac.filevault.state = "on"
    old = mac.filevault.prk
    done, _ = flow(mac, KeyRequest("rotated", "itadmin"))
    assert done.refusal is not None
    assert done.refusal.reason == "no_escrow_path"
    assert mac.filevault.prk == old


@every_mac
def test_a_profile_that_never_escrowed_a_key_is_seen_and_one_that_is_gone_is_not(version: str, hardware: str) -> None:
    mac = cast(version, hardware)
    flow(mac, FileVaultRequest("enabled", "itadmin"))
    mac.filevault.state = "on"
    assert mac.mdm.prk_escrowed_at is None
    mac.mdm.escrow_profile = True
    done, _ = flow(mac, KeyRequest("rotated", "itadmin"))
    assert done.refusal is None, done.refusal
    assert (done.before["escrow_profile"], done.before["escrowed_at"]) == (True, 0)
    assert done.after["escrowed_at"] == int(mac.mdm.prk_escrowed_at or 0)
    mac.mdm.escrow_profile = False
    kept = mac.filevault.prk
    gone, _ = flow(mac, KeyRequest("rotated", "itadmin"))
    assert gone.refusal is not None
    assert (gone.refusal.reason, mac.filevault.prk) == ("no_escrow_path", kept)


@every_mac
def test_an_unlocker_goes_and_comes_back(version: str, hardware: str) -> None:
    mac = cast(version, hardware)
    flow(mac, FileVaultRequest("enabled", "itadmin"))
    mac.filevault.state = "on"
    gone = three_times(mac, UnlockerRequest("ana", "absent"), {})
    assert gone.after["can_unlock"] is False
    back = three_times(
        mac, UnlockerRequest("ana", admin_user="itadmin"), {"admin_password": "admin-pw-1", "password": "ana-pw-12"}
    )
    assert (back.after["can_unlock"], back.after["secure_token"]) == (True, "holder")


@pytest.mark.parametrize(("version", "hardware"), MACS[1:])
def test_bootstrap_token_is_escrowed_and_removed(version: str, hardware: str) -> None:
    mac = cast(version, hardware)
    done = three_times(mac, BootstrapRequest("escrowed", "itadmin"))
    assert mac.mdm.bootstrap_escrowed
    assert done.after["status"] == ("valid" if version in ("13.6.9", "15.6", "26.1", "27.0.1") else "escrowed_unproven")
    valid, _ = flow(mac, BootstrapRequest("validated", "itadmin"))
    assert valid.refusal is None
    three_times(mac, BootstrapRequest("absent", "itadmin"))
    assert not mac.mdm.bootstrap_escrowed


def test_no_bootstrap_token_before_10_15_and_none_without_enrolment() -> None:
    for mac, reason in (
        (cast("10.13.6", "intel"), "bootstrap_unsupported"),
        (cast("15.6", "t2", "no"), "not_enrolled"),
    ):
        done, runner = flow(mac, BootstrapRequest("escrowed", "itadmin"))
        assert done.refusal is not None
        assert done.refusal.reason == reason
        assert (runner.writes, runner.authentications) == ([], [])


DEFERRAL = "/var/db/keyholder-filevault.plist"


@every_mac
def test_the_key_of_a_deferral_is_taken_over_before_its_file_goes(version: str, hardware: str) -> None:
    mac = cast(version, hardware)
    nothing, _ = flow(mac, CollectRequest(DEFERRAL, "return"), {})
    assert (nothing.refusal, nothing.changed, nothing.plan, nothing.recovery_key) == (None, False, [], "")
    flow(mac, FileVaultRequest("deferred", "ana", defer_path=DEFERRAL), {})
    waiting, _ = flow(mac, CollectRequest(DEFERRAL, "return"), {})
    assert (waiting.changed, waiting.after["key_file"]) == (False, False)

    vault.fire(mac, mac.accounts["ana"], 1_700_000_000.0)
    for _ in range(2):
        taken, runner = flow(mac, CollectRequest(DEFERRAL, "return"), {})
        assert (taken.refusal, taken.changed, taken.recovery_key) == (None, False, mac.filevault.prk)
        assert (runner.writes, runner.authentications) == ([], [])
        assert str(mac.filevault.prk) not in runner.argv
    # A volume without a Secure Enclave is encrypted in its own time.
    mac.filevault.state = "on"
    gone = three_times(mac, CollectRequest(DEFERRAL, remove=True), {})
    assert not gone.after["key_file"]
    assert vault.normal(DEFERRAL) not in mac.files


@every_mac
@pytest.mark.parametrize("content", ["", "<?xml version='1.0'?><plist><dict/></plist>", "half a pli"])
def test_a_file_without_a_key_stays(version: str, hardware: str, content: str) -> None:
    mac = cast(version, hardware)
    flow(mac, FileVaultRequest("enabled", "itadmin"))
    mac.files[vault.normal(DEFERRAL)] = ModelFile(content, 1_700_000_000.0)
    done, runner = flow(mac, CollectRequest(DEFERRAL, "return", remove=True), {})
    assert done.refusal is not None
    assert done.refusal.reason == "key_file_unusable"
    assert (runner.writes, done.recovery_key) == ([], "")


@every_mac
def test_the_file_of_another_key_stays(version: str, hardware: str) -> None:
    mac = cast(version, hardware)
    flow(mac, FileVaultRequest("deferred", "ana", defer_path=DEFERRAL), {})
    vault.fire(mac, mac.accounts["ana"], 1_700_000_000.0)
    old = str(mac.filevault.prk)
    vault.make_key(mac)
    done, runner = flow(mac, CollectRequest(DEFERRAL, "return", remove=True), {})
    assert done.refusal is not None
    assert done.refusal.reason == "key_invalid"
    assert (runner.writes, done.recovery_key) == ([], "")
    assert old not in repr(done)


@every_mac
def test_a_restart_is_armed_by_a_holder_or_by_the_key(version: str, hardware: str) -> None:
    mac = cast(version, hardware)
    plain, runner = flow(mac, RestartRequest(), {})
    assert (plain.refusal, plain.changed, runner.writes) == (None, True, ["restart"])
    flow(mac, FileVaultRequest("enabled", "itadmin"))
    mac.filevault.state = "on"
    for request, secrets in (
        (RestartRequest("ana", given=frozenset({"password"})), {"password": "ana-pw-12"}),
        (RestartRequest(given=frozenset({"current_key"})), {"current_key": str(mac.filevault.prk)}),
    ):
        before = snapshot(mac)
        checked, looked = flow(mac, request, secrets, check=True)
        assert (checked.refusal, checked.changed, looked.writes, mac) == (None, True, [], before)
        done, runner = flow(mac, request, secrets)
        assert (done.refusal, done.changed) == (None, True)
        assert runner.writes == ["next restart unlocked", "restart"]
        assert all(secret not in runner.argv for secret in secrets.values())
        mac.restart_armed = False
    wrong, runner = flow(mac, RestartRequest("ana", given=frozenset({"password"})), {"password": "wrong-pw-1"})
    assert wrong.refusal is not None
    assert (wrong.refusal.reason, runner.writes) == ("user_password_wrong", [])


ROTATE = KeyRequest("rotated", "itadmin", "return", frozenset({"password"}))
MAKE = KeyRequest("present", "itadmin", "return", frozenset({"password"}))
ENABLE = FileVaultRequest("enabled", "itadmin", recovery_key="return")


def keyed(version: str, hardware: str, request: t.Any) -> Mac:
    """A Mac on which ``request`` makes a recovery key."""
    mac = cast(version, hardware)
    if request is not ENABLE:
        flow(mac, FileVaultRequest("enabled", "itadmin"))
        mac.filevault.state = "on"
    if request is MAKE:
        flow(mac, KeyRequest("absent", "itadmin"))
    return mac


@every_mac
@pytest.mark.parametrize("request_", [ROTATE, MAKE, ENABLE], ids=["rotate", "make", "enable"])
def test_a_key_that_a_cut_has_made_nobodys_is_told_until_there_is_another(
    version: str, hardware: str, request_: t.Any
) -> None:
    whole = keyed(version, hardware, request_)
    done, runner = flow(whole, request_)
    assert (done.refusal, done.recovery_key, done.after["recovery_key_pending"]) == (None, whole.filevault.prk, False)
    lost = 0
    # After the last write, the note's end, the module only has to print its answer.
    for cut in range(1, len(runner.writes)):
        mac = keyed(version, hardware, request_)
        old = mac.filevault.prk
        with pytest.raises(PowerCut):
            Run(LabRunner(mac, cut=cut), {option: Secret(value) for option, value in PASSWORDS.items()}, 5).run(
                request_, check_mode=False
            )
        mac.filevault.state = "on" if mac.filevault.state == "encrypting" else mac.filevault.state
        if mac.filevault.prk in (None, old):
            continue
        lost += 1
        for asked in (KeyRequest("present"), FileVaultRequest("enabled")):
            told, _ = flow(mac, asked, {})
            assert (told.refusal, told.changed, told.after["recovery_key_pending"]) == (None, False, True)
            assert any("the present key may be lost" in note for note in told.notes)
        healed, _ = flow(mac, ROTATE)
        assert (healed.refusal, healed.recovery_key) == (None, mac.filevault.prk)
        quiet, _ = flow(mac, KeyRequest("present"), {})
        assert (quiet.notes, quiet.after["recovery_key_pending"]) == ([], False)
    assert lost


@every_mac
def test_who_proves_the_key_has_it(version: str, hardware: str) -> None:
    mac = keyed(version, hardware, ROTATE)
    with pytest.raises(PowerCut):
        Run(LabRunner(mac, cut=2), {"password": Secret("admin-pw-1")}, 5).run(ROTATE, check_mode=False)
    wrong, _ = flow(mac, KeyRequest("validated"), {"current_key": "AAAA-BBBB-CCCC-DDDD-EEEE-FFFF"})
    assert wrong.refusal is not None and wrong.after["recovery_key_pending"]
    right, _ = flow(mac, KeyRequest("validated"), {"current_key": str(mac.filevault.prk)})
    assert (right.refusal, right.changed, right.after["recovery_key_pending"]) == (None, True, False)


@every_mac
def test_a_key_that_macos_refuses_to_make_leaves_no_note(version: str, hardware: str) -> None:
    mac = keyed(version, hardware, ENABLE)
    mac.mdm.forbids_filevault = True
    done, runner = flow(mac, ENABLE)
    assert done.refusal is not None and done.refusal.reason == "fdesetup_31"
    assert runner.writes
    assert not done.after["recovery_key_pending"]
