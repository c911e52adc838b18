# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Broken tokens on modelled Macs: shown without a trace, mended where that was asked for, and healed after a cut."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

import fakes
import pytest
from inmemory import LabRunner, PowerCut, admin_holders, snapshot
from test_core_on_lab import MACS

from ansible_collections.keyholder.macos.plugins.module_utils._plan.repair import OPENS, RepairRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.request import Outcome
from ansible_collections.keyholder.macos.plugins.module_utils._run.run import Run
from ansible_collections.keyholder.macos.plugins.module_utils._runner import DEADLINE, Command, Ran, Secret
from maclab import directory
from maclab.state import CryptoUser, Fault, Mac
from maclab.vault import PRK_UUID

IT, ANA, BEFORE = "it-pw-1", "ana-pw-2", "before-the-reset-3"
RIGHT = {"password": ANA, "admin_password": IT}
OLD = {"password": ANA, "old_password": BEFORE}


def cast(version: str = "15.6", hardware: str = "apple-silicon") -> Mac:
    mac = fakes.mac(version, hardware)
    fakes.person(mac, "root", None, uid=0).service = True
    fakes.person(mac, "itadmin", IT, admin=True, token=True)
    fakes.person(mac, "ana", ANA, full_name="Ana Sousa", token=True)
    mac.filevault.state = "on"
    return mac


def flow(
    mac: Mac, request: RepairRequest, passwords: dict[str, str], check: bool = False, cut: int | None = None
) -> tuple[Outcome, LabRunner]:
    runner = LabRunner(mac, cut=cut)
    return Run(runner, {key: Secret(value) for key, value in passwords.items()}, 5).run(request, check), runner


def ask(passwords: dict[str, str], granter: str = "itadmin") -> RepairRequest:
    return RepairRequest("ana", granter, given=frozenset(passwords))


def sound(mac: Mac) -> bool:
    ana = mac.accounts["ana"]
    return directory.is_holder(mac, ana) and ana.password == ana.key_password == ANA


def stale(mac: Mac) -> None:
    mac.accounts["ana"].key_password = BEFORE


def no_key(mac: Mac) -> None:
    mac.crypto_users.pop(mac.accounts["ana"].generated_uid)
    mac.accounts["ana"].key_password = None


def no_marker(mac: Mac) -> None:
    mac.accounts["ana"].authority.remove(";SecureToken;")


def unlisted(mac: Mac) -> None:
    mac.filevault.hidden_users.append(mac.accounts["ana"].generated_uid)


@pytest.mark.parametrize(("version", "hardware"), MACS)
@pytest.mark.parametrize(
    ("broken", "passwords"),
    [(stale, OLD), (stale, RIGHT), (no_key, RIGHT), (no_marker, RIGHT), (unlisted, RIGHT)],
)
def test_it_is_shown_mended_and_then_in_order(
    version: str, hardware: str, broken: t.Any, passwords: dict[str, str]
) -> None:
    mac = cast(version, hardware)
    broken(mac)
    before = snapshot(mac)
    shown, looked = flow(mac, ask(passwords), passwords, check=True)
    assert (mac, looked.writes, looked.authentications) == (before, [], [])
    assert shown.before["findings"] or shown.proofs[OPENS] is False
    done, _ = flow(mac, ask(passwords), passwords)
    assert (done.refusal, done.changed) == (None, True)
    assert done.plan == shown.plan
    assert sound(mac)
    assert mac.accounts["ana"].generated_uid in mac.preboot or broken is stale and passwords is OLD
    assert admin_holders(mac) == {"itadmin"}
    again, idle = flow(mac, ask(passwords), passwords)
    assert (again.refusal, again.plan, idle.writes) == (None, [], [])
    assert again.before["findings"] == []


@pytest.mark.parametrize(
    ("broken", "passwords"),
    [(stale, OLD), (stale, RIGHT), (no_key, RIGHT), (no_marker, RIGHT), (unlisted, RIGHT)],
)
def test_cut_anywhere_the_next_run_mends_the_rest(broken: t.Any, passwords: dict[str, str]) -> None:
    whole = cast()
    broken(whole)
    _, runner = flow(whole, ask(passwords), passwords)
    assert runner.writes
    for cut in range(1, len(runner.writes) + 1):
        mac = cast()
        broken(mac)
        with pytest.raises(PowerCut):
            flow(mac, ask(passwords), passwords, cut=cut)
        assert admin_holders(mac) == {"itadmin"}
        done, _ = flow(mac, ask(passwords), passwords)
        assert done.refusal is None, (runner.writes[:cut], done.refusal)
        assert sound(mac)


def test_a_wrong_old_password_changes_nothing() -> None:
    mac = cast()
    stale(mac)
    before = snapshot(mac)
    done, runner = flow(mac, ask(OLD), {**OLD, "old_password": "some other one"})
    assert done.refusal is not None
    assert done.refusal.reason == "stale_key"
    assert (mac, runner.writes) == (before, [])


def test_s13_of_the_only_administrator_it_is_refused_without_the_old_one() -> None:
    mac = cast()
    mac.accounts["itadmin"].key_password = BEFORE
    before = snapshot(mac)
    request = RepairRequest("itadmin", "itadmin", given=frozenset(RIGHT))
    done, runner = flow(mac, request, {"password": IT, "admin_password": IT})
    assert done.refusal is not None
    assert done.refusal.reason == "stale_key"
    assert (mac, runner.writes) == (before, [])
    request = RepairRequest("itadmin", given=frozenset(OLD))
    assert flow(mac, request, {"password": IT, "old_password": BEFORE})[0].refusal is None
    assert mac.accounts["itadmin"].key_password == IT


def unknown_to_preboot(mac: Mac) -> None:
    mac.crypto_users[PRK_UUID] = CryptoUser(PRK_UUID, "PersonalRecovery", False)
    mac.preboot = [mac.accounts["itadmin"].generated_uid]


@pytest.mark.parametrize(
    ("version", "hardware"), [("11.7.10", "t2"), ("15.6", "apple-silicon"), ("26.1", "apple-silicon")]
)
def test_a_holder_whom_the_preboot_volume_does_not_know(version: str, hardware: str) -> None:
    mac = cast(version, hardware)
    unknown_to_preboot(mac)
    before = snapshot(mac)
    shown, looked = flow(mac, RepairRequest(apply=False), {}, check=True)
    assert ([one["kind"] for one in shown.before["findings"]], shown.after["findings"]) == (["not_in_preboot"], [])
    assert (mac, looked.writes, looked.authentications) == (before, [], [])
    done, runner = flow(mac, RepairRequest(), {})
    assert (done.refusal, done.changed, done.after["findings"]) == (None, True, [])
    assert runner.authentications == []
    assert mac.accounts["ana"].generated_uid in mac.preboot
    again, idle = flow(mac, RepairRequest(), {})
    assert (again.changed, again.plan, idle.writes) == (False, [], [])


def test_if_the_update_does_not_bring_the_holder_it_fails() -> None:
    mac = cast()
    unknown_to_preboot(mac)
    mac.faults.append(Fault("does_nothing", {"program": "diskutil", "argument": "updatePreboot"}))
    done, _ = flow(mac, RepairRequest(), {})
    assert done.refusal is not None
    assert (done.refusal.reason, mac.accounts["ana"].generated_uid in mac.preboot) == ("not_proven", False)
    assert "the preboot volume still does not know ana" in done.refusal.msg


def test_if_the_update_fails_so_does_the_task() -> None:
    mac = cast()
    unknown_to_preboot(mac)
    mac.faults.append(Fault("preboot_fails", {}))
    done, _ = Run(LabRunner(mac), {}, 5, pause=lambda _seconds: None).run(RepairRequest(), False), None
    assert done.refusal is not None
    assert done.refusal.reason == "preboot_failed"


def test_before_macos_11_there_is_no_such_file_and_no_finding() -> None:
    mac = cast("10.15.7", "t2")
    unknown_to_preboot(mac)
    assert flow(mac, RepairRequest(), {})[0].before["findings"] == []


def test_a_holder_who_does_not_own_the_volume_owns_it_afterwards() -> None:
    mac = cast()
    mac.crypto_users[mac.accounts["ana"].generated_uid].owner = False
    done, _ = flow(mac, ask(RIGHT), RIGHT)
    assert (done.refusal, done.changed, done.after["findings"]) == (None, True, [])
    assert mac.crypto_users[mac.accounts["ana"].generated_uid].owner
    assert sound(mac)
    assert flow(mac, ask(RIGHT), RIGHT)[0].plan == []


def test_orphans_go_where_no_secure_enclave_keeps_them() -> None:
    guid = "11111111-2222-3333-4444-555555555555"
    for hardware, version, reason in (
        ("intel", "10.13.6", None),
        ("apple-silicon", "15.6", "orphan_stays"),
        ("t2", "13.6.9", "fdesetup_25"),
    ):
        mac = cast(version, hardware)
        mac.crypto_users[guid] = CryptoUser(guid, "LocalOpenDirectory", False)
        done, _ = flow(mac, RepairRequest(orphans=True), {})
        assert (done.refusal and done.refusal.reason) == reason
        assert (guid in mac.crypto_users) == (reason is not None)
        assert done.before["findings"][0]["kind"] == "orphaned_crypto_user"


@dataclass
class PolicyComes(LabRunner):
    """Between the two halves of a repair, the policy becomes stricter."""

    def run(self, command: Command, deadline: float = DEADLINE) -> Ran:
        ran = super().run(command, deadline)
        if "-passwd" in command.argv:
            self.mac.policy.min_length = 99
        return ran


def test_who_is_left_with_the_old_password_is_told() -> None:
    mac = cast()
    stale(mac)
    secrets = {key: Secret(value) for key, value in OLD.items()}
    outcome = Run(PolicyComes(mac), secrets, 5).run(ask(OLD), False)
    assert outcome.refusal is not None
    assert "the password of ana is old_password now" in outcome.refusal.msg
    assert (outcome.changed, mac.accounts["ana"].password) == (True, BEFORE)
    mac.policy.min_length = 0
    assert flow(mac, ask(OLD), OLD)[0].refusal is None
    assert sound(mac)
