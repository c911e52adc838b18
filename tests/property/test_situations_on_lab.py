# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How Macs get their people, situation by situation, each with the end that it must come to and a second run.

What proves each of the 18 situations; all of it is emulated, and nothing here has been run on a Mac:

===== ===========================================================  ====================================================
S1    Auto-Admin without a token, Bootstrap Token escrowed         here
S2    only a standard user holds a token                           here; cut anywhere: test_promotion_on_lab.py
S3    mobile account, no Bootstrap Token                           here; cut anywhere: test_mobile_on_lab.py
S4    users of System Settings                                     here
S5    made by command, Bootstrap Token escrowed                    here
S6    made by command, no Bootstrap Token                          here; cut anywhere: test_core_on_lab.py
S7    nobody holds a token                                         here; test_first_token_on_lab.py
S8    service administrator that must never take the first one     here
S9    Apple silicon, no administrator owns the volume              here, with S2
S10   administrator without a token as granter                     here; integration/test_refusals.py
S11   the last token of an administrator                           here; integration/test_refusals.py
S12   rotation, then a power cut                                   test_rotation_on_lab.py; integration/test_rotation.py
S13   stale key                                                    test_repair_on_lab.py, test_rotation_on_lab.py
S14   FileVault over SSH only                                      here; restart: integration/test_filevault_reboot.py
S15   recovery key unknown to the escrow                           here
S16   deferred enabling                                            here; the store: molecule's filevault/after_login
S17   odd names and passwords                                      here; over SSH: integration/test_strings.py
S18   1,000 Macs                                                   unit/plugins/plugin_utils/test__audit_report.py;
                                                                   one exec a Mac: integration/test_audit.py
===== ===========================================================  ====================================================
"""

from __future__ import annotations

import time
import typing as t

import fakes
import pytest
from inmemory import LabRunner, admin_holders, snapshot

from ansible_collections.keyholder.macos.plugins.module_utils._plan.account import AccountRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.bootstrap import BootstrapRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.filevault import (
    CollectRequest,
    FileVaultRequest,
    KeyRequest,
)
from ansible_collections.keyholder.macos.plugins.module_utils._plan.mobile import MobileAccountRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.request import Outcome
from ansible_collections.keyholder.macos.plugins.module_utils._plan.token import TokenRequest
from ansible_collections.keyholder.macos.plugins.module_utils._reading.ask import Ask
from ansible_collections.keyholder.macos.plugins.module_utils._reading.read import read_mac
from ansible_collections.keyholder.macos.plugins.module_utils._reading.summary import summary
from ansible_collections.keyholder.macos.plugins.module_utils._reading.view import view
from ansible_collections.keyholder.macos.plugins.module_utils._recoverable import recoverability
from ansible_collections.keyholder.macos.plugins.module_utils._run.recipients import Recipients
from ansible_collections.keyholder.macos.plugins.module_utils._run.run import Run
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Secret
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.policy import load_policy
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.rules import RuleFinding
from ansible_collections.keyholder.macos.plugins.plugin_utils._recovery_key import Courier
from maclab import bootstrap, directory, network, vault
from maclab.state import SECURE_TOKEN, CryptoUser, DirectoryUser, Group, Mac, NetworkDirectory

IT, STAN, NEW = "it-pw-1", "stan-pw-2", "new-pw-3"
ICLOUD = "EC1C2AD9-B618-4ED6-BD8D-50F361C27507"
DEFERRAL = "/var/db/keyholder-filevault.plist"
THREE_DAYS = 3 * 86400.0


def judged(mac: Mac) -> dict[str, RuleFinding]:
    """What the audit's baseline says of the Mac, by its rules."""
    reading = view(read_mac(LabRunner(mac), 5, Ask(escrow=True)), ["escrow"])
    return {finding.rule.id: finding for finding in load_policy().evaluate("mac", reading, time.time())}


def holds(mac: Mac, name: str) -> bool:
    """A token by all three sources, and the preboot volume knows of it."""
    account = mac.accounts[name]
    by_all = (account.has_authority_token, account.generated_uid in mac.crypto_users, vault.may_unlock(mac, account))
    return by_all == (True, True, True) and account.generated_uid in mac.preboot


def cast(version: str = "15.6", hardware: str = "apple-silicon", escrowed: bool = False) -> Mac:
    """A Mac whose device management knows it, and nobody on it yet."""
    mac = fakes.mac(version, hardware)
    fakes.person(mac, "root", None, uid=0).service = True
    mac.mdm.enrolled, mac.mdm.bootstrap_supported = "ade", True
    if escrowed:
        bootstrap.create(mac)
        assert bootstrap.escrow(mac)
    return mac


def run(
    mac: Mac, request: t.Any, check: bool = False, recipients: t.Sequence[str] = (), **passwords: str
) -> tuple[Outcome, LabRunner]:
    runner = LabRunner(mac)
    secrets = {option: Secret(value) for option, value in passwords.items()}
    return Run(runner, secrets, 5, Recipients(recipients)).run(request, check), runner


def foreseen(mac: Mac, request: t.Any, recipients: t.Sequence[str] = (), **passwords: str) -> tuple[Outcome, LabRunner]:
    """Check mode says what the run does, and leaves no trace. The run, and none of its passwords anywhere."""
    before = snapshot(mac)
    said, looked = run(mac, request, True, recipients, **passwords)
    assert (mac, looked.writes, looked.authentications) == (before, [], [])
    done, did = run(mac, request, False, recipients, **passwords)
    assert done.refusal is None, done.refusal
    assert (done.plan, done.changed) == (said.plan, said.changed)
    shown = did.argv + looked.argv + repr((said, done))
    assert [option for option, value in passwords.items() if value in shown] == []
    return done, did


def unchanged(mac: Mac, request: t.Any, **passwords: str) -> Outcome:
    before = snapshot(mac)
    again, idle = run(mac, request, **passwords)
    assert (again.refusal, again.changed, again.plan) == (None, False, [])
    assert (mac, idle.writes, idle.authentications) == (before, [], [])
    return again


def reach(mac: Mac, request: t.Any, **passwords: str) -> LabRunner:
    """Foreseen without a trace, done, and then nothing is left to do and nobody is asked. The run that did it."""
    _, did = foreseen(mac, request, **passwords)
    unchanged(mac, request)
    return did


def refused(mac: Mac, request: t.Any, **passwords: str) -> str:
    before = snapshot(mac)
    outcome, runner = run(mac, request, **passwords)
    assert outcome.refusal is not None
    assert (mac, runner.writes, runner.authentications) == (before, [], [])
    return f"{outcome.refusal.reason}: {outcome.refusal.msg} {outcome.refusal.remedy}"


# -- the end user sets up the Mac -------------------------------------------------------------------------------------


def test_s1_an_escrowed_bootstrap_token_and_nothing_to_do() -> None:
    mac = cast(escrowed=True)
    fakes.person(mac, "stan", STAN, token=True)
    fakes.person(mac, "itadmin", IT, admin=True)
    lines = summary(read_mac(LabRunner(mac), 5))
    assert any(line.startswith("recoverable: pending - no administrator holds a token, only stan") for line in lines)
    (waiting,) = [line for line in lines if line.startswith("itadmin")]
    assert "pending   token comes at the first graphical login (an SSH login does not count)" in waiting
    assert judged(mac)["bootstrap_where_managed"].result == "pass"
    broken = judged(mac)["admin_token_to_come"]
    assert (broken.result, broken.rule.severity) == ("fail", "medium")
    assert judged(mac)["admin_holder"].result == "pass"
    assert "by a holder who is an administrator" in broken.rule.remedy
    assert "Let the administrator log in at the screen" in broken.rule.remedy
    did = reach(mac, TokenRequest("itadmin", accept_pending=True))
    assert (did.writes, did.authentications) == ([], [])
    bootstrap.log_in(mac, "itadmin", None, 0.0)
    assert admin_holders(mac) == {"itadmin"}
    reach(mac, TokenRequest("itadmin"))


def test_s2_and_s9_only_the_standard_user_holds_a_token() -> None:
    mac = cast()
    fakes.person(mac, "stan", STAN, token=True)
    fakes.person(mac, "itadmin", IT, admin=True)
    broken = judged(mac)["admin_holder"]
    assert broken.result == "fail"
    assert "authorise updates" in broken.rule.rationale
    request = TokenRequest("itadmin", admin_user="stan")
    said = refused(mac, request, password=IT, admin_password=STAN)
    assert said.startswith("granter_not_admin")
    assert "allow_temporary_promotion" in said
    assert "Bootstrap Token" in said
    lent = TokenRequest("itadmin", admin_user="stan", allow_temporary_promotion=True)
    reach(mac, lent, password=IT, admin_password=STAN)
    assert admin_holders(mac) == {"itadmin"}
    assert mac.accounts["stan"].has_authority_token
    assert not mac.is_admin("stan")
    assert mac.crypto_users[mac.accounts["itadmin"].generated_uid].owner
    assert judged(mac)["admin_holder"].result == "pass"


# -- the IT administrator sets up the Mac -----------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["10.13.6", "15.6", "26.1", "27.0.1"])
@pytest.mark.parametrize("wanted", [TokenRequest, MobileAccountRequest])
def test_s3_a_mobile_account_whose_person_closed_the_dialog(version: str, wanted: t.Any) -> None:
    mac = cast(version, "t2")
    fakes.person(mac, "itadmin", IT, admin=True, token=True)
    ada = DirectoryUser("ada", "Ada O'Lovelace", 1234567, directory.new_guid(), NEW)
    mac.network = NetworkDirectory("/Active Directory/CORP/corp.example.com", users={"ada": ada})
    mac.mdm.token_dialog_bypass = True
    network.create_mobile_account(mac, ada, "/Users/ada").home_exists = True
    bootstrap.log_in(mac, "ada", None, 0.0)
    request = TokenRequest("ada", admin_user="itadmin")
    if wanted is MobileAccountRequest:
        given = frozenset({"password", "admin_password"})
        request = MobileAccountRequest("ada", secure_token="present", admin_user="itadmin", given=given)
    wrong, tried = run(mac, request, password="wrong-pw", admin_password=IT)
    assert (wrong.refusal and wrong.refusal.reason, wrong.changed, tried.writes) == ("user_password_wrong", False, [])
    # Only the directory can say that, so she is asked; the administrator is not.
    assert tried.authentications == [("ada", False)]
    assert mac.accounts["itadmin"].failed_logins == 0
    did = reach(mac, request, password=NEW, admin_password=IT)
    assert holds(mac, "ada")
    assert all(right for _, right in did.authentications)
    assert mac.accounts["itadmin"].failed_logins == 0


def test_s4_made_in_system_settings() -> None:
    mac = cast()
    fakes.person(mac, "itadmin", IT, admin=True, token=True)
    for name in ("ana", "luc", "kari"):
        fakes.person(mac, name, f"{name}-pw", token=True)
        did = reach(mac, AccountRequest(name, secure_token="present", admin_user="itadmin"))
        assert (did.writes, did.authentications) == ([], [])


def test_s5_made_by_command_with_an_escrowed_bootstrap_token() -> None:
    mac = cast(escrowed=True)
    fakes.person(mac, "itadmin", IT, admin=True, token=True)
    request = AccountRequest("ana", secure_token="present", accept_pending=True, given=frozenset({"password"}))
    did = reach(mac, request, password=NEW)
    assert did.authentications == []
    assert request.view(read_mac(LabRunner(mac), 5))["secure_token"] == "pending"
    bootstrap.log_in(mac, "ana", None, 0.0)
    assert request.view(read_mac(LabRunner(mac), 5))["secure_token"] == "holder"
    assert run(mac, request)[0].plan == []


def test_s6_made_by_command_without_one() -> None:
    mac = cast()
    fakes.person(mac, "itadmin", IT, admin=True, token=True)
    request = AccountRequest(
        "ana", secure_token="present", admin_user="itadmin", accept_pending=True, given=frozenset({"password"})
    )
    assert refused(mac, request, password=NEW, admin_password="wrong").startswith("granter_password_wrong")
    reach(mac, request, password=NEW, admin_password=IT)
    guid = mac.accounts["ana"].generated_uid
    assert guid in mac.crypto_users
    assert guid in mac.preboot


# -- nobody holds a token, or somebody must not -----------------------------------------------------------------------


def test_s7_the_first_holder_by_the_rule_of_the_version() -> None:
    for version, hardware, rule in (
        ("14.5", "apple-silicon", "the first account whose password is set"),
        ("10.15.7", "t2", "the first administrator who authenticates"),
        ("10.13.6", "intel", "the only account from UID 500 up"),
    ):
        mac = cast(version, hardware)
        fakes.person(mac, "itadmin", IT, admin=True)
        said = refused(mac, TokenRequest("itadmin"), password=IT)
        assert said.startswith("no_holder")
        assert rule in said
        reach(mac, TokenRequest("itadmin", first_token=True), password=IT)
        assert admin_holders(mac) == {"itadmin"}


def test_s7_a_person_is_needed_at_the_keyboard() -> None:
    mac = cast("10.13.6", "intel")
    fakes.person(mac, "itadmin", IT, admin=True)
    fakes.person(mac, "ana", NEW)
    said = refused(mac, TokenRequest("itadmin", first_token=True), password=IT)
    assert said.startswith("not_first")
    assert "log in at the Mac's screen as itadmin" in said


def test_s8_a_service_administrator_that_never_takes_the_first_token() -> None:
    mac = cast()
    request = AccountRequest("svc", admin=True, hidden=True, secure_token="prevented", given=frozenset({"password"}))
    reach(mac, request, password=NEW)
    assert admin_holders(mac) == set()
    fakes.run(mac, "dscl", "/Local/Default", "-authonly", "svc", stdin=f"{NEW}\n")
    assert admin_holders(mac) == set()
    reach(mac, AccountRequest("itadmin", admin=True, given=frozenset({"password"})), password=IT)
    assert admin_holders(mac) == {"itadmin"}
    reach(mac, AccountRequest("svc", secure_token="allowed"))
    assert not read_mac(LabRunner(mac), 5).account("svc").disabled_tag  # type: ignore[union-attr]


def test_s10_an_administrator_without_a_token_is_no_granter() -> None:
    mac = cast()
    fakes.person(mac, "itadmin", IT, admin=True, token=True)
    fakes.person(mac, "helper", STAN, admin=True)
    fakes.person(mac, "ana", NEW)
    said = refused(mac, TokenRequest("ana", admin_user="helper"), password=NEW, admin_password=STAN)
    assert said.startswith("granter_no_token")
    assert "granters on this Mac: itadmin" in said


def test_s11_the_last_token_of_an_administrator() -> None:
    mac = cast()
    fakes.person(mac, "itadmin", IT, admin=True, token=True)
    fakes.person(mac, "stan", STAN, token=True)
    request = TokenRequest("itadmin", "absent", "itadmin")
    assert refused(mac, request, password=IT, admin_password=IT).startswith("last_admin_holder")
    fakes.person(mac, "deputy", NEW, admin=True, token=True)
    reach(mac, TokenRequest("itadmin", "absent", "deputy"), password=IT, admin_password=NEW)
    assert admin_holders(mac) == {"deputy"}
    assert len(mac.crypto_users) == 2


# -- FileVault --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("version", "hardware"), [("10.13.6", "intel"), ("15.6", "apple-silicon"), ("26.1", "t2")])
def test_s14_filevault_on_a_mac_that_nobody_sits_at(version: str, hardware: str) -> None:
    """That the key leaves the Mac only encrypted: the certificate is the one that an action makes for age recipients,
    and what the Mac sends is opened by its key alone."""
    mac = cast(version, hardware)
    fakes.person(mac, "itadmin", IT, admin=True, token=True)
    courier = Courier.new()
    request = FileVaultRequest("enabled", "itadmin", recovery_key="encrypt")
    done, did = foreseen(mac, request, [courier.pem], password=IT)
    assert vault.is_on(mac)
    assert mac.filevault.deferred_user is None
    key = str(mac.filevault.prk)
    assert courier.open(done.recovery_key) == key.encode()
    assert key not in did.argv + repr(done)
    validated = [ran for command, ran in did.runs if command.argv[:2] == ("fdesetup", "validaterecovery")]
    assert [ran.out for ran in validated] == ["true\n"]
    # A volume without a Secure Enclave is encrypted in its own time.
    while vault.advance(mac):
        pass
    unchanged(mac, request)


@pytest.mark.parametrize("by", ["holder", "key"])
def test_s15_a_key_that_the_escrow_does_not_know(by: str) -> None:
    mac = cast()
    fakes.person(mac, "itadmin", IT, admin=True, token=True)
    mac.filevault.state = "on"
    old = vault.make_key(mac, 1000.0)
    given = {"password": IT} if by == "holder" else {"current_key": old}
    request = KeyRequest("rotated", "itadmin" if by == "holder" else "", given=frozenset(given))
    assert refused(mac, request, **given).startswith("no_escrow_path")
    assert mac.filevault.prk == old
    mac.mdm.escrow_profile = True
    vault.escrow_key(mac, 1000.0)
    begun = time.time()
    foreseen(mac, request, **given)
    new = str(mac.filevault.prk)
    assert new != old
    assert mac.files[vault.ESCROW_FILE].changed_at >= begun
    unchanged(mac, KeyRequest("present"))
    assert run(mac, KeyRequest("validated"), current_key=new)[0].refusal is None
    assert refused(mac, KeyRequest("validated"), current_key=old).startswith("key_invalid")


def test_s16_a_deferral_comes_true_three_days_later() -> None:
    mac = cast()
    fakes.person(mac, "ana", NEW, token=True)
    deferred, courier = FileVaultRequest("deferred", "ana", defer_path=DEFERRAL), Courier.new()
    collect, remove = CollectRequest(DEFERRAL, "encrypt"), CollectRequest(DEFERRAL, "encrypt", remove=True)
    # Run 1 defers, run 2 is still deferred, and there is nothing to collect.
    reach(mac, deferred)
    unchanged(mac, collect)
    bootstrap.log_in(mac, "ana", None, THREE_DAYS)
    assert vault.is_on(mac)
    unchanged(mac, deferred)
    # To nobody who can store it, the key does not leave its file.
    lost, _ = run(mac, remove, recipients=["no certificate"])
    assert lost.refusal is not None
    assert (lost.refusal.reason, DEFERRAL in mac.files) == ("recipient_unusable", True)
    # Run 3 collects and validates; what was to be stored is looked at before the file goes.
    for request, stays in ((collect, True), (remove, False)):
        done, did = foreseen(mac, request, [courier.pem])
        assert courier.open(done.recovery_key) == str(mac.filevault.prk).encode()
        assert str(mac.filevault.prk) not in did.argv + repr(done)
        assert (DEFERRAL in mac.files) is stays
        order = [command.argv[1 if command.argv[0] == "fdesetup" else 0] for command, _ in did.runs]
        deeds = [deed for deed in order if deed in ("cat", "validaterecovery", "rm")]
        assert deeds == ["cat", "validaterecovery"] + ["rm"] * (not stays)
    unchanged(mac, remove)


# -- strings ----------------------------------------------------------------------------------------------------------

ODD = {
    "spaces": " two  words ",
    "quotes": 'it\'s "quoted" `thus`',
    "template": "{{ lookup('pipe', 'id') }} {% x %} {}",
    "dollar": "$HOME $(id) \\$ %s",
    "accents": "Grüße-ñandú-Gru\u0308\u00dfe",
    "300 bytes": "é" * 150,
    "emoji": "🔑👩\u200d💻",
}


@pytest.mark.parametrize("version", ["10.13.6", "15.6", "26.1", "27.0.1"])
@pytest.mark.parametrize("odd", ODD)
def test_s17_names_and_passwords_as_they_were_written(version: str, odd: str) -> None:
    mac = cast(version, "t2")
    fakes.person(mac, "itadmin", f"{ODD[odd]}1", full_name=f"{ODD[odd]} Admin", admin=True, token=True)
    fakes.person(mac, "ana", f"{ODD[odd]}2", full_name=f"{ODD[odd]} O'Brien")
    request = TokenRequest("ana", admin_user="itadmin")
    assert refused(mac, request, password=ODD[odd], admin_password=f"{ODD[odd]}1").startswith("user_password_wrong")
    did = reach(mac, request, password=f"{ODD[odd]}2", admin_password=f"{ODD[odd]}1")
    assert holds(mac, "ana")
    assert all(right for _, right in did.authentications)
    assert [account.failed_logins for account in mac.accounts.values()] == [0, 0, 0]


@pytest.mark.parametrize("state", ["escrowed", "validated", "absent"])
def test_s17_an_emoji_is_not_typed_at_the_prompt_of_profiles(state: str) -> None:
    mac = cast(escrowed=state != "escrowed")
    fakes.person(mac, "itadmin", ODD["emoji"], admin=True, token=True)
    # macOS 15 says itself whether the token works; before, there is something to validate.
    mac.version, mac.mdm.supervised = "11.7.10", True
    said = refused(mac, BootstrapRequest(state, "itadmin"), admin_password=ODD["emoji"])
    assert said.startswith("password_unusable")
    assert "emoji" in said
    mac.accounts["itadmin"].password = mac.accounts["itadmin"].key_password = ODD["accents"]
    foreseen(mac, BootstrapRequest(state, "itadmin"), admin_password=ODD["accents"])


# -- what an audit must not tell of a Mac -----------------------------------------------------------------------------


def test_nobody_is_lost_whom_the_bootstrap_token_can_still_help() -> None:
    mac = cast(escrowed=True)
    fakes.person(mac, "itadmin", IT, admin=True)
    mac.filevault.state, mac.filevault.prk = "on", None
    said = recoverability(read_mac(LabRunner(mac), 5))
    assert (said.verdict, "grants itadmin one at a graphical login before" in said.why) == ("at_risk", True)
    bootstrap.log_in(mac, "itadmin", None, 0.0)
    assert recoverability(read_mac(LabRunner(mac), 5)).verdict == "yes"


def test_nobody_is_lost_whose_key_opens_the_volume() -> None:
    mac = cast()
    account = fakes.person(mac, "rui", STAN, admin=True, token=True)
    account.authority.remove(SECURE_TOKEN)
    mac.filevault.state, mac.filevault.prk = "on", None
    said = recoverability(read_mac(LabRunner(mac), 5))
    assert (said.verdict, "the password of rui" in said.why) == ("at_risk", True)


def test_an_apple_account_opens_the_volume_and_is_nobody_elses() -> None:
    mac = cast()
    fakes.person(mac, "itadmin", IT, admin=True, token=True)
    mac.filevault.state, mac.filevault.prk = "on", None
    mac.crypto_users[ICLOUD] = CryptoUser(ICLOUD, "iCloudRecovery")
    assert read_mac(LabRunner(mac), 5).filevault.icloud_key is True
    assert judged(mac)["recovery_key_present"].found == (
        "the only recovery is a person's Apple Account, which only that person can use",
    )
    mac.accounts["itadmin"].authority.remove(SECURE_TOKEN)
    assert "Apple Account and the password of itadmin" in recoverability(read_mac(LabRunner(mac), 5)).why


def test_what_only_a_directory_knows_of_administrators_is_not_made_up() -> None:
    mac = cast()
    ada = DirectoryUser("ada", "Ada O'Lovelace", 1234567, directory.new_guid(), NEW)
    mac.network = NetworkDirectory("/Active Directory/CORP/corp.example.com", users={"ada": ada})
    account = network.create_mobile_account(mac, ada, "/Users/ada")
    account.authority.append(SECURE_TOKEN)
    mac.crypto_users[account.generated_uid] = CryptoUser(account.generated_uid, owner=True)
    mac.preboot.append(account.generated_uid)
    assert recoverability(read_mac(LabRunner(mac), 5)).verdict == "at_risk"
    mac.groups["admin"].nested.append("ABCDEFAB-0000-4000-8000-000000000001")
    assert judged(mac)["admin_holder"].result == "unknown"
    mac.groups["local"] = Group("local", 600, "ABCDEFAB-0000-4000-8000-000000000001", [])
    assert recoverability(read_mac(LabRunner(mac), 5)).verdict == "at_risk"


def test_keys_of_a_volume_that_is_not_apfs_are_unknown() -> None:
    mac = cast("10.13.6", "intel")
    fakes.person(mac, "itadmin", IT, admin=True)
    mac.filesystem, mac.filevault.state = "hfs", "on"
    assert judged(mac)["recovery_key_present"].result == "unknown"
