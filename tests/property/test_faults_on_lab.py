# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The core where macOS lies, refuses, falls silent or hides what it knows."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field, replace

import fakes
import pytest
from inmemory import LabRunner, PowerCut

from ansible_collections.keyholder.macos.plugins.module_utils._command import dscl
from ansible_collections.keyholder.macos.plugins.module_utils._plan.account import AccountRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.filevault import (
    FileVaultRequest,
    KeyRequest,
    UnlockerRequest,
)
from ansible_collections.keyholder.macos.plugins.module_utils._plan.offboard import OffboardRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.repair import RepairRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.request import Outcome
from ansible_collections.keyholder.macos.plugins.module_utils._plan.token import TokenRequest
from ansible_collections.keyholder.macos.plugins.module_utils._reading.ask import Ask
from ansible_collections.keyholder.macos.plugins.module_utils._reading.parse import ReadingError
from ansible_collections.keyholder.macos.plugins.module_utils._reading.read import READING, read_mac
from ansible_collections.keyholder.macos.plugins.module_utils._reading.summary import summary
from ansible_collections.keyholder.macos.plugins.module_utils._recoverable import recoverability
from ansible_collections.keyholder.macos.plugins.module_utils._run.check import unusable
from ansible_collections.keyholder.macos.plugins.module_utils._run.run import Run
from ansible_collections.keyholder.macos.plugins.module_utils._runner import DEADLINE, Command, Ran, Secret
from maclab import directory, vault
from maclab.state import CryptoUser, Fault, Mac

GRANT = TokenRequest("ana", admin_user="itadmin")
RIGHT = {"password": "ana-pw-1", "admin_password": "admin-pw-1"}


@dataclass
class OddRunner(LabRunner):
    """A Mac whose commands answer otherwise: a word of the argv -> what is said instead."""

    instead: dict[str, Ran] = field(default_factory=dict)

    def run(self, command: Command, deadline: float = DEADLINE) -> Ran:
        for word, answer in self.instead.items():
            if word in command.argv:
                return Ran(command, answer.rc, answer.out, answer.err, answer.timed_out)
        return super().run(command, deadline)


SILENT = Ran(Command(("x",)), None, timed_out=True)
REFUSED = Ran(Command(("x",)), 1, "", "no\n")
EMPTY = Ran(Command(("x",)), 0)


def cast(version: str = "15.6", hardware: str = "apple-silicon") -> Mac:
    mac = fakes.mac(version, hardware)
    mac.accounts["root"] = fakes.person(mac, "root", None, uid=0)
    mac.accounts["root"].service = True
    fakes.person(mac, "itadmin", RIGHT["admin_password"], full_name="IT Administrator", admin=True, token=True)
    fakes.person(mac, "ana", RIGHT["password"], full_name="Ana Sousa")
    return mac


def flow(runner: LabRunner, request: t.Any, passwords: dict[str, str] | None = None, check: bool = False) -> Outcome:
    secrets = {option: Secret(value) for option, value in (RIGHT if passwords is None else passwords).items()}
    return Run(runner, secrets, 5, pause=lambda seconds: None).run(request, check)


def refused(outcome: Outcome) -> str:
    assert outcome.refusal is not None
    return outcome.refusal.reason


def pending(mac: Mac) -> str:
    return str(mac.accounts["root"].attributes)


# -- lies -------------------------------------------------------------------------------------------------------------


def test_done_that_is_not_true() -> None:
    mac = cast()
    mac.faults.append(Fault("token_does_not_stick", {"user": "ana"}))
    outcome = flow(LabRunner(mac), GRANT)
    assert refused(outcome) == "not_proven"
    assert any("Done!" in line for line in t.cast(t.Any, outcome.refusal).evidence)
    assert not outcome.changed
    assert "keyholder" not in pending(mac)


def test_preboot_that_fails_once_is_no_failure() -> None:
    mac = cast()
    mac.faults.append(Fault("preboot_fails", {"times": 2}))
    runner = LabRunner(mac)
    outcome = flow(runner, GRANT)
    assert (outcome.refusal, outcome.changed) == (None, True)
    assert tried(runner) == 3
    assert mac.accounts["ana"].generated_uid in mac.preboot
    assert "keyholder" not in pending(mac)


def test_preboot_that_fails_fails_the_run_that_owes_it_and_no_later_one() -> None:
    mac = cast()
    mac.faults.append(Fault("preboot_fails", {}))
    runner = LabRunner(mac)
    first = flow(runner, GRANT)
    assert refused(first) == "preboot_failed"
    assert "everything else was done" in t.cast(t.Any, first.refusal).msg
    assert first.changed
    assert tried(runner) == 3
    assert "preboot" in pending(mac)
    # A run that has nothing to do with it tries, and says what is left; it is neither a failure nor a change.
    for request in (GRANT, AccountRequest("ana")):
        later = flow(LabRunner(mac), request, {})
        assert (later.refusal, later.changed) == (None, False)
        (note,) = later.notes
        assert "An earlier run left this to do" in note
        assert "[preboot_failed]" in note
        assert "preboot" in pending(mac)
        assert later.after == later.before
    hidden = flow(LabRunner(mac), AccountRequest("ana", hidden=True), {})
    assert (hidden.refusal, hidden.changed, len(hidden.notes)) == (None, True, 1)
    # One that moves tokens itself owes it again.
    revoked = flow(LabRunner(mac), TokenRequest("ana", "absent", "itadmin"))
    assert refused(revoked) == "preboot_failed"
    mac.faults.clear()
    last = flow(LabRunner(mac), AccountRequest("ana"), {})
    assert (last.refusal, last.changed, last.notes) == (None, True, [])
    assert flow(LabRunner(mac), AccountRequest("ana"), {}).plan == []


def test_preboot_that_never_answers_later_is_no_failure_either() -> None:
    mac = cast()
    hanging = OddRunner(mac, instead={"updatePreboot": SILENT})
    assert refused(flow(hanging, GRANT)) == "timeout"
    assert "preboot" in pending(mac)
    later = flow(hanging, GRANT, {})
    assert (later.refusal, later.changed) == (None, False)
    assert "diskutil did not answer" in later.notes[0]


@pytest.mark.parametrize("named", [True, False])
def test_preboot_that_fails_over_an_orphan_names_it_and_repair_mends_it(named: bool) -> None:
    mac = cast("10.15.7", "intel")
    orphan = directory.new_guid()
    mac.crypto_users[orphan] = CryptoUser(orphan, "LocalOpenDirectory", False)
    mac.faults.append(Fault("preboot_fails", {"because": "orphan" if named else "unnamed_orphan"}))
    outcome = flow(LabRunner(mac), GRANT)
    assert refused(outcome) == "preboot_failed"
    said = t.cast(t.Any, outcome.refusal).msg
    assert f"the crypto user {orphan}, which belongs to no account" in said
    assert ("diskutil failed for" in said) == named
    mended = flow(LabRunner(mac), RepairRequest(orphans=True), {})
    assert (mended.refusal, mended.notes) == (None, [])
    assert "keyholder" not in pending(mac)
    assert mended.after["findings"] == []


def test_a_token_taken_and_granted_again_keeps_the_note_where_preboot_fails() -> None:
    """The accounts look as before, and their keys are others."""
    mac = cast()
    fakes.person(mac, "rui", "rui-pw-1", token=True)
    mac.filevault.state = "on"
    mac.accounts["rui"].key_password = "the one before"
    mac.faults.append(Fault("preboot_fails", {}))
    request = RepairRequest("rui", "itadmin", given=frozenset({"password", "admin_password"}))
    outcome = flow(LabRunner(mac), request, {"password": "rui-pw-1", "admin_password": RIGHT["admin_password"]})
    assert refused(outcome) == "preboot_failed"
    assert "preboot" in pending(mac)


def test_a_note_that_is_gone_already_is_no_failure() -> None:
    mac = cast()

    @dataclass
    class Forgetful(LabRunner):
        """Somebody takes the note away right before the run does."""

        def run(self, command: Command, deadline: float = DEADLINE) -> Ran:
            if command.argv[2:3] == ("-delete",):
                self.mac.accounts["root"].attributes.clear()
            return super().run(command, deadline)

    runner = Forgetful(mac)
    outcome = flow(runner, GRANT)
    assert (outcome.refusal, outcome.changed) == (None, True)
    assert "eDSAttributeNotFound" in "".join(run.err for _, run in runner.runs)


def test_a_note_that_cannot_be_taken_away_is_not_blamed_on_preboot() -> None:
    mac = cast()
    denied = Ran(Command(("x",)), 40, "", "<dscl_cmd> DS Error: -14120 (eDSPermissionError)\n")
    outcome = flow(OddRunner(mac, instead={"-delete": denied}), GRANT)
    assert refused(outcome) == "no_full_disk_access"
    said = t.cast(t.Any, outcome.refusal).msg
    assert "could not remove the note from the Mac: preboot is done" in said
    assert mac.accounts["ana"].generated_uid in mac.preboot


def tried(runner: LabRunner) -> int:
    return sum("updatePreboot" in command.argv for command, _ in runner.runs)


def test_a_stale_key_of_the_granter() -> None:
    mac = cast()
    mac.accounts["itadmin"].key_password = "the one before"
    assert refused(flow(LabRunner(mac), GRANT)) == "key_refused"
    assert "keyholder" not in pending(mac)


# -- silence ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["-secureTokenOn", "updatePreboot"])
def test_a_command_that_never_answers(word: str) -> None:
    outcome = flow(OddRunner(cast(), instead={word: SILENT}), GRANT)
    assert refused(outcome) == "timeout"


@pytest.mark.parametrize(
    ("word", "reason"),
    [("listUsers", "reading_incomplete"), ("list", "reading_incomplete"), ("-i", "no_answer"), ("-q", "no_answer")],
)
def test_a_reading_that_never_comes_stops_before_the_first_write(word: str, reason: str) -> None:
    runner = OddRunner(cast(), instead={word: SILENT, "sw_vers": SILENT})
    assert refused(flow(runner, GRANT)) == reason
    assert (runner.writes, runner.authentications) == ([], [])


def test_what_is_missing_is_named() -> None:
    runner = OddRunner(cast(), instead={"status": SILENT, "list": REFUSED})
    mac = read_mac(runner, 5)
    assert [missing.what for missing in mac.missing] == [
        "FileVault's list of users",
        "FileVault's status",
        "enrolment in MDM",
        "Bootstrap Token",
    ]
    assert "no answer before the deadline" in mac.missing[1].evidence
    assert "could not be read: FileVault's status" in summary(mac)


def test_a_dscl_that_no_longer_reads_commands_from_stdin() -> None:
    runner = OddRunner(cast(), instead={"-q": Ran(Command(("x",)), 64, "", "usage: dscl\n")})
    mac = read_mac(runner, 5)
    assert [account.name for account in mac.holders] == ["itadmin"]
    assert sum(command.argv[0] == "dscl" for command, _ in runner.runs) == len(dscl.READ_EACH)


ORIGIN = {"dsAttrTypeStandard:OriginalNodeName": ["/Active Directory/EXAMPLE/All Domains"]}
CACHED = ";LocalCachedUser;/Active Directory/EXAMPLE/All Domains:ana:0FE1"


@pytest.mark.parametrize(
    ("kind", "attributes", "authority"), [("local", {}, ""), ("mobile", ORIGIN, CACHED), ("network", ORIGIN, "")]
)
def test_whose_account_it_is(kind: str, attributes: dict[str, list[str]], authority: str) -> None:
    mac = cast()
    mac.accounts["ana"].attributes.update(attributes)
    mac.accounts["ana"].authority += [authority] if authority else []
    ana = read_mac(LabRunner(mac), 5).account("ana")
    assert ana is not None
    assert ana.kind == kind


def test_no_mac_at_all() -> None:
    with pytest.raises(ReadingError, match="does not look like a Mac"):
        read_mac(OddRunner(cast(), instead={"-i": REFUSED, "sw_vers": REFUSED}), 5)


def test_macos_before_10_13_4_says_its_version_by_sw_vers_only() -> None:
    runner = LabRunner(cast("10.13.2", "intel"))
    mac = read_mac(runner, 5)
    assert (mac.version.major, mac.version.minor, mac.version.patch) == (10, 13, 2)
    # One more than on any newer macOS.
    assert len(runner.runs) == len(READING) + 1 == 9


@pytest.mark.parametrize("path", ["/Users/ana", "/var/root/ana.tar.gz"])
@pytest.mark.parametrize("answer", [SILENT, REFUSED])
def test_what_nobody_could_look_at_is_not_taken_for_nothing(path: str, answer: Ran) -> None:
    """An archive that is there would be overwritten, and a home that is there deleted without one."""
    mac = cast()
    outcome = flow(OddRunner(mac, instead={path: answer}), OffboardRequest("ana", "archive"), {})
    assert refused(outcome) == "reading_incomplete"
    assert f"it could not be read whether {path} exists" in str(outcome.refusal)
    assert "ana" in mac.accounts


def test_an_escrow_that_nobody_could_look_at_is_named() -> None:
    read = read_mac(OddRunner(cast(), instead={"/var/db/FileVaultPRK.dat": SILENT}), 5, Ask(escrow=True))
    assert (read.filevault.escrowed_at, [one.what for one in read.missing]) == (
        None,
        ["when a recovery key was last escrowed"],
    )
    assert read_mac(LabRunner(cast()), 5, Ask(escrow=True)).filevault.escrowed_at == 0


# -- passwords --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "reason"), [("password", "user_password_wrong"), ("admin_password", "granter_password_wrong")]
)
@pytest.mark.parametrize("check", [True, False])
def test_a_wrong_password_costs_no_failed_login(option: str, reason: str, check: bool) -> None:
    mac = cast()
    runner = LabRunner(mac)
    assert refused(flow(runner, GRANT, {**RIGHT, option: "wrong"}, check)) == reason
    assert (runner.writes, runner.authentications) == ([], [])
    assert [account.failed_logins for account in mac.accounts.values()] == [0, 0, 0]


NO_HASH = {"dsAttrTypeNative:ShadowHashData": REFUSED}


def test_without_a_readable_hash_each_password_is_tried_once() -> None:
    runner = OddRunner(cast(), instead=NO_HASH)
    assert flow(runner, GRANT).refusal is None
    asked = [who for command, run in runner.runs if "-authonly" in command.argv for who in run.record.authentications]
    assert asked == [("itadmin", True), ("ana", True)]


def test_without_a_readable_hash_check_mode_logs_nobody_in() -> None:
    runner = OddRunner(cast(), instead=NO_HASH)
    assert flow(runner, GRANT, {**RIGHT, "password": "wrong"}, check=True).refusal is None
    assert runner.authentications == []


def test_without_a_readable_hash_a_wrong_granter_is_tried_once_and_the_user_not_at_all() -> None:
    runner = OddRunner(cast(), instead=NO_HASH)
    assert refused(flow(runner, GRANT, {**RIGHT, "admin_password": "wrong"})) == "granter_password_wrong"
    assert runner.authentications == [("itadmin", False)]
    assert runner.writes in ([], ["failed login counted"])


def test_a_locked_granter_whose_policy_is_not_readable() -> None:
    mac = cast()
    mac.accounts["itadmin"].locked = True
    assert refused(flow(OddRunner(mac, instead=NO_HASH), GRANT)) == "granter_disabled"


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize(("who", "expected"), [("itadmin", "granter_disabled"), ("ana", "user_disabled")])
@pytest.mark.parametrize("how", ["disabled", "locked"])
def test_who_cannot_log_in_is_not_even_tried(who: str, expected: str, how: str, check: bool) -> None:
    mac = cast()
    if how == "disabled":
        mac.accounts[who].authority.append(directory.DISABLED_USER)
    else:
        mac.policy.max_failed = 5
        mac.accounts[who].failed_logins, mac.accounts[who].locked = 5, True
    runner = LabRunner(mac)
    outcome = flow(runner, GRANT, check=check)
    assert (refused(outcome), outcome.changed) == (expected, False)
    assert (runner.writes, runner.authentications) == ([], [])


@pytest.mark.parametrize("how", ["authenticate", "authenticate wrongly"])
def test_the_first_token_of_an_old_mac_is_noted_before_the_one_login_that_gives_it(how: str) -> None:
    mac = fakes.mac("10.15.7", "t2")
    mac.accounts["root"] = fakes.person(mac, "root", None, uid=0)
    mac.accounts["root"].service = True
    fakes.person(mac, "itadmin", "admin-pw-1", admin=True)
    password = {"password": "admin-pw-1" if how == "authenticate" else "wrong"}
    runner = OddRunner(mac, instead=NO_HASH)
    outcome = flow(runner, TokenRequest("itadmin", first_token=True), password)
    logins = [command.argv for command, _ in runner.runs if "-authonly" in command.argv]
    assert len(logins) == 1
    if how == "authenticate":
        assert (outcome.refusal, outcome.changed) == (None, True)
        order = [" ".join(command.argv) for command, _ in runner.runs]
        assert next(i for i, argv in enumerate(order) if "keyholder_pending preboot" in argv) < order.index(
            " ".join(logins[0])
        )
    else:
        assert (refused(outcome), outcome.changed) == ("user_password_wrong", False)
        assert "keyholder" not in pending(mac)


def test_a_wrong_password_is_not_set_to_become_the_first_holder() -> None:
    mac = fakes.mac("15.6", "apple-silicon")
    mac.accounts["root"] = fakes.person(mac, "root", None, uid=0)
    mac.accounts["root"].service = True
    fakes.person(mac, "itadmin", "admin-pw-1", admin=True)
    outcome = flow(OddRunner(mac, instead=NO_HASH), TokenRequest("itadmin", first_token=True), {"password": "wrong"})
    assert refused(outcome) == "user_password_wrong"
    assert mac.accounts["itadmin"].password == "admin-pw-1"


def test_an_old_password_is_not_tried_again_where_the_new_one_is_there_already() -> None:
    mac = cast()
    directory.give_token(mac, mac.accounts["ana"])
    passwords = {"password": "brand-new-pw", "old_password": "ana-pw-1"}
    request = AccountRequest("ana", update_password="always", given=frozenset(passwords))
    assert flow(OddRunner(mac, instead=NO_HASH), request, passwords).changed
    second = OddRunner(mac, instead=NO_HASH)
    outcome = flow(second, request, passwords)
    assert (outcome.refusal, outcome.changed) == (None, False)
    assert second.authentications == [("ana", True)]


def test_a_password_that_nobody_dated_is_a_password() -> None:
    mac = cast()
    mac.accounts["ana"].password_set_at = None
    directory.give_token(mac, mac.accounts["ana"])
    on_create = AccountRequest("ana", given=frozenset({"password"}))
    assert flow(LabRunner(mac), on_create, {"password": "other-pw-5"}).changed is False
    assert mac.accounts["ana"].password == "ana-pw-1"
    passwords = {"password": "brand-new-pw", "old_password": "ana-pw-1"}
    always = AccountRequest("ana", update_password="always", given=frozenset(passwords))
    assert flow(LabRunner(mac), always, passwords).changed is True
    assert mac.accounts["ana"].password == "brand-new-pw"


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("", "is empty"),
        ("a\nb", "holds a line break or another control character"),
        ("a\rb", "holds a line break or another control character"),
        ("a\x07b", "holds a line break or another control character"),
        ("a\x7fb", "holds a line break or another control character"),
        ("a\uffffb", "holds a character that no property list can hold"),
        ("a\0b", "holds a line break or another control character"),
        ("ü" * 512, "has 1024 bytes, and the prompt takes 1022"),
        ("x" * 1023, "has 1023 bytes, and the prompt takes 1022"),
    ],
)
def test_a_password_that_no_prompt_can_take(value: str, problem: str) -> None:
    mac = cast()
    mac.accounts["ana"].password = value
    runner = LabRunner(mac)
    outcome = flow(runner, GRANT, {**RIGHT, "password": value})
    assert refused(outcome) == "password_unusable"
    assert problem in str(outcome.refusal)
    assert runner.writes == []


@pytest.mark.parametrize("size", [127, 128, 129, 300, 1022])
@pytest.mark.parametrize("version", ["10.13.6", "11.7", "26.1", "27.0.1"])
def test_long_passwords(size: int, version: str) -> None:
    mac = cast(version)
    mac.accounts["ana"].password = "p" * size
    mac.accounts["itadmin"].password = mac.accounts["itadmin"].key_password = "q" * size
    assert flow(LabRunner(mac), GRANT, {"password": "p" * size, "admin_password": "q" * size}).refusal is None


def test_an_unreadable_hash_and_a_password_too_long_for_a_login_prompt() -> None:
    mac = cast()
    mac.accounts["ana"].password = "p" * 129
    runner = OddRunner(mac, instead=NO_HASH)
    outcome = flow(runner, GRANT, {**RIGHT, "password": "p" * 129})
    assert refused(outcome) == "password_unusable"
    assert runner.writes == []


def test_a_missing_password_is_named_with_what_it_is_for() -> None:
    outcome = flow(LabRunner(cast()), GRANT, {"password": "ana-pw-1"})
    assert refused(outcome) == "option_missing"
    assert "admin_password" in str(outcome.refusal)


def test_a_password_that_the_policy_refuses() -> None:
    mac = cast()
    mac.policy.min_length = 12
    request = AccountRequest("bob", given=frozenset({"password"}))
    outcome = flow(LabRunner(mac), request, {"password": "short"})
    assert refused(outcome) == "password_policy"


@pytest.mark.parametrize("token", ["omitted", "prevented"])
def test_an_account_whose_password_is_refused_is_not_built_upon(token: str) -> None:
    mac = cast()
    mac.policy.min_length = 12
    request = AccountRequest("bob", uid=655, hidden=True, admin=True, secure_token=token, given=frozenset({"password"}))
    runner = LabRunner(mac)
    outcome = flow(runner, request, {"password": "short"})
    assert refused(outcome) == "password_policy"
    assert not mac.is_admin("bob")
    assert not any("createhomedir" in command.argv for command, _ in runner.runs)
    if token == "omitted":
        assert ("bob" in mac.accounts, outcome.changed) == (False, False)
        assert "keyholder" not in pending(mac)
    else:
        assert outcome.changed
        mac.policy.min_length = 0
        assert flow(LabRunner(mac), request, {"password": "short"}).refusal is None
        assert (mac.is_admin("bob"), mac.accounts["bob"].home_exists) == (True, True)


def test_rights_are_not_given_after_a_refused_password() -> None:
    mac = cast()
    mac.policy.min_length = 12
    request = AccountRequest("ana", admin=True, hint="x", update_password="always", given=frozenset({"password"}))
    outcome = flow(LabRunner(mac), request, {"password": "short"})
    assert (refused(outcome), outcome.changed, mac.is_admin("ana")) == ("password_policy", False, False)


def test_a_new_password_is_a_change_although_what_came_after_it_failed() -> None:
    mac = cast()
    request = AccountRequest("ana", admin=True, update_password="always", given=frozenset({"password"}))
    runner = OddRunner(mac, instead={"edit": REFUSED})
    outcome = flow(runner, request, {"password": "brand-new-pw"})
    assert (refused(outcome), outcome.changed) == ("command_failed", True)
    assert mac.accounts["ana"].password == "brand-new-pw"


def test_a_note_that_does_not_go_away_is_said() -> None:
    mac = cast()
    outcome = flow(OddRunner(mac, instead={"-delete": REFUSED}), GRANT)
    assert (refused(outcome), outcome.changed) == ("command_failed", True)
    assert outcome.after["preboot_pending"] is True


def test_a_password_that_is_no_text() -> None:
    assert unusable(Secret("a\ud800b"), 100) == "is not valid text"


# -- every version ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["10.13.6", "10.14.6", "10.15.7", "11.7", "12.7", "13.6", "15.6", "26.3", "27.0.1"])
@pytest.mark.parametrize("how", ["granter", "old"])
def test_a_new_password_keeps_the_token(version: str, how: str) -> None:
    mac = cast(version)
    directory.give_token(mac, mac.accounts["ana"])
    passwords = {"password": "brand-new-pw", **({"admin_password": "admin-pw-1"} if how == "granter" else {})}
    passwords.update({"old_password": "ana-pw-1"} if how == "old" else {})
    request = AccountRequest(
        "ana", update_password="always", admin_user="itadmin" if how == "granter" else "", given=frozenset(passwords)
    )
    outcome = flow(LabRunner(mac), request, passwords)
    assert (outcome.refusal, outcome.changed) == (None, True)
    ana = mac.accounts["ana"]
    assert (ana.password, ana.key_password, ana.has_authority_token) == ("brand-new-pw", "brand-new-pw", True)
    assert flow(LabRunner(mac), request, passwords).changed is False


@pytest.mark.parametrize("version", ["10.13.6", "11.7", "13.6", "26.3", "27.0.1"])
def test_the_uid_is_what_was_asked_for(version: str) -> None:
    mac = cast(version)
    request = AccountRequest("bob", uid=655, given=frozenset({"password"}))
    assert flow(LabRunner(mac), request, {"password": "bob-pw-123"}).refusal is None
    assert mac.accounts["bob"].uid == 655
    assert mac.accounts["bob"].home_exists


# -- recovery keys ----------------------------------------------------------------------------------------------------

ROTATE = KeyRequest("rotated", "itadmin", "return", frozenset({"password"}))
BY_KEY = KeyRequest("rotated", "", "return", frozenset({"current_key"}))
ADMIN = {"password": RIGHT["admin_password"]}


def encrypted(version: str = "15.6", hardware: str = "apple-silicon") -> Mac:
    mac = cast(version, hardware)
    assert flow(LabRunner(mac), FileVaultRequest("enabled", "itadmin"), ADMIN).refusal is None
    mac.filevault.state = "on"
    return mac


def test_a_new_key_that_macos_gives_to_nobody_is_no_success() -> None:
    mac = encrypted()
    old = mac.filevault.prk
    mac.faults.append(Fault("prk_not_returned", {}))
    outcome = flow(LabRunner(mac), ROTATE, ADMIN)
    assert (refused(outcome), outcome.changed, outcome.recovery_key) == ("key_not_given", True, "")
    assert mac.filevault.prk != old


def test_enabling_without_a_key_in_return_is_on_all_the_same() -> None:
    mac = cast()
    mac.faults.append(Fault("prk_not_returned", {}))
    outcome = flow(LabRunner(mac), FileVaultRequest("enabled", "itadmin", recovery_key="return"), ADMIN)
    assert (outcome.refusal, outcome.changed, outcome.recovery_key) == (None, True, "")


def test_a_new_key_is_delivered_although_macos_did_not_get_to_validate_it() -> None:
    mac = encrypted()
    outcome = flow(OddRunner(mac, instead={"validaterecovery": SILENT}), ROTATE, ADMIN)
    assert (refused(outcome), outcome.changed) == ("timeout", True)
    assert outcome.recovery_key == mac.filevault.prk


@pytest.mark.parametrize("answer", [SILENT, REFUSED])
@pytest.mark.parametrize("cast_", [encrypted, cast], ids=["rotate", "enable"])
def test_a_key_that_nobody_validated_stays_noted(answer: Ran, cast_: t.Callable[[], Mac]) -> None:
    """Who asked may have it from the failure, or may not: the next run says so, whether it was rotated or enabled."""
    mac = cast_()
    request = ROTATE if cast_ is encrypted else FileVaultRequest("enabled", "itadmin", recovery_key="return")
    outcome = flow(OddRunner(mac, instead={"validaterecovery": answer}), request, ADMIN)
    assert outcome.refusal is not None and outcome.after["recovery_key_pending"]
    told = flow(LabRunner(mac), KeyRequest("present"), {})
    assert any("the present key may be lost" in note for note in told.notes)


def test_a_new_key_is_in_no_evidence() -> None:
    mac = encrypted()

    class Echo(LabRunner):
        def run(self, command: Command, deadline: float = DEADLINE) -> Ran:
            if "validaterecovery" in command.argv:
                return Ran(command, 0, "", f"{'x' * 590} {mac.filevault.prk} is not it\n")
            return super().run(command, deadline)

    outcome = flow(Echo(mac), ROTATE, ADMIN)
    evidence = " ".join(t.cast(t.Any, outcome.refusal).evidence)
    key = str(mac.filevault.prk)
    assert refused(outcome) == "key_invalid"
    assert not any(part in evidence for part in key.split("-"))


def test_a_new_key_that_does_not_open_the_mac_is_not_delivered() -> None:
    outcome = flow(OddRunner(encrypted(), instead={"validaterecovery": REFUSED}), ROTATE, ADMIN)
    assert (refused(outcome), outcome.changed, outcome.recovery_key) == ("key_invalid", True, "")


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize("request_", [KeyRequest("validated"), BY_KEY])
def test_a_wrong_key_is_found_out_before_the_first_write(request_: KeyRequest, check: bool) -> None:
    mac = encrypted()
    runner = LabRunner(mac)
    outcome = flow(runner, request_, {"current_key": "AAAA-BBBB-CCCC-DDDD-EEEE-FFFF"}, check)
    assert (refused(outcome), outcome.changed, runner.writes) == ("key_invalid", False, [])


@pytest.mark.parametrize("version", ["10.13.0", "10.13.6"])
@pytest.mark.parametrize("state", ["rotated", "absent"])
def test_a_key_is_not_asked_to_authenticate_where_the_attempt_could_delete_it(version: str, state: str) -> None:
    mac = encrypted(version, "intel")
    old, runner = mac.filevault.prk, LabRunner(mac)
    outcome = flow(runner, KeyRequest(state, "", "return", frozenset({"current_key"})), {"current_key": str(old)})
    assert (refused(outcome), runner.writes) == ("option_missing", [])
    assert mac.filevault.prk == old


# -- what would lock somebody out -------------------------------------------------------------------------------------

DEMOTE = AccountRequest("itadmin", admin=False)
DELETE = AccountRequest("itadmin", state="absent")
BROKEN_GROUPS = re.compile(r"(<key>dsAttrTypeStandard:GroupMembership</key>)")


@dataclass
class BrokenGroups(LabRunner):
    def run(self, command: Command, deadline: float = DEADLINE) -> Ran:
        ran = super().run(command, deadline)
        return Ran(command, ran.rc, BROKEN_GROUPS.sub("\\1<", ran.out), ran.err)


@pytest.mark.parametrize("request_", [DEMOTE, DELETE])
@pytest.mark.parametrize("runner", [BrokenGroups, lambda mac: OddRunner(mac, instead={"list": EMPTY})])
def test_a_source_that_says_nothing_is_not_a_source_that_says_no(
    request_: AccountRequest, runner: t.Callable[[Mac], LabRunner]
) -> None:
    mac = cast("10.15.7", "t2")
    fakes.person(mac, "deputy", "deputy-pw-1", admin=True)
    made = runner(mac)
    assert refused(flow(made, request_)) == "reading_incomplete"
    assert (made.writes, recoverability(read_mac(runner(mac), 5)).verdict) in (([], "unknown"), ([], "yes"))


@pytest.mark.parametrize("request_", [DEMOTE, DELETE])
def test_a_granter_whom_wrong_guesses_have_locked_does_not_stand_in_for_the_last(request_: AccountRequest) -> None:
    mac = cast()
    fakes.person(mac, "deputy", "deputy-pw-1", admin=True, token=True)
    mac.policy.max_failed = 5
    mac.accounts["deputy"].failed_logins, mac.accounts["deputy"].locked = 5, True
    assert refused(flow(LabRunner(mac), request_)) == "last_admin_holder"


def test_an_unlisted_holder_is_still_the_last_administrator_with_a_key() -> None:
    mac = cast()
    fakes.person(mac, "boss", "boss-pw-1", admin=True)
    directory.give_token(mac, mac.accounts["ana"])
    mac.filevault.hidden_users.append(mac.accounts["itadmin"].generated_uid)
    assert refused(flow(LabRunner(mac), DELETE)) == "last_admin_holder"


def alone_with_its_key(state: str = "on") -> Mac:
    mac = encrypted()
    mac.filevault.state = state
    mac.accounts["itadmin"].authority.append(directory.DISABLED_USER)
    return mac


@pytest.mark.parametrize("state", ["rotated", "absent"])
def test_the_only_way_in_is_not_risked(state: str) -> None:
    mac = alone_with_its_key()
    runner = LabRunner(mac)
    key = {"current_key": str(mac.filevault.prk)}
    request = KeyRequest(state, "", "return", frozenset({"current_key"}))
    assert (refused(flow(runner, request, key)), runner.writes) == ("would_lock_out", [])


# -- half a holder ----------------------------------------------------------------------------------------------------


def unlisted(version: str) -> Mac:
    mac = cast(version)
    directory.give_token(mac, mac.accounts["ana"])
    mac.filevault.hidden_users.append(mac.accounts["ana"].generated_uid)
    return mac


@pytest.mark.parametrize("version", ["10.13.6", "15.6"])
def test_the_password_of_an_unlisted_holder_is_not_reset_behind_its_key(version: str) -> None:
    mac = unlisted(version)
    request = AccountRequest("ana", update_password="always", given=frozenset({"password"}))
    assert refused(flow(LabRunner(mac), request, {"password": "brand-new-pw"})) == "option_missing"
    passwords = {"password": "brand-new-pw", "old_password": "ana-pw-1"}
    assert flow(LabRunner(mac), replace(request, given=frozenset(passwords)), passwords).refusal is None
    assert mac.accounts["ana"].key_password == "brand-new-pw"


def test_prevented_does_not_overlook_an_unlisted_holder() -> None:
    request = AccountRequest("ana", secure_token="prevented")
    assert refused(flow(LabRunner(unlisted("15.6")), request)) == "holds_token"


# -- names and numbers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "request_",
    [
        AccountRequest("Ana", state="absent"),
        TokenRequest("ANA", state="absent", admin_user="itadmin"),
        UnlockerRequest("Ana", state="absent"),
    ],
)
def test_a_name_in_other_letters_is_not_taken_for_nobody(request_: t.Any) -> None:
    assert refused(flow(LabRunner(cast()), request_)) == "name_differs"


def test_gid_0_is_a_number() -> None:
    mac = cast("10.15.7", "t2")
    request = AccountRequest("bob", gid=0, given=frozenset({"password"}))
    assert flow(LabRunner(mac), request, {"password": "bob-pw-123"}).refusal is None
    assert mac.accounts["bob"].gid == 0
    assert refused(flow(LabRunner(mac), AccountRequest("bob", uid=-5))) == "value_unusable"


def test_a_service_administrator_with_a_low_number_heals() -> None:
    request = AccountRequest("svc", uid=401, secure_token="prevented", given=frozenset({"password"}))
    passwords = {"password": "svc-pw-123"}
    whole = LabRunner(cast())
    assert flow(whole, request, passwords).refusal is None
    for cut in range(1, len(whole.writes) + 1):
        mac = cast()
        with pytest.raises(PowerCut):
            flow(LabRunner(mac, cut=cut), request, passwords)
        assert flow(LabRunner(mac), request, passwords).refusal is None, whole.writes[:cut]
        assert (mac.accounts["svc"].uid, mac.accounts["svc"].password) == (401, "svc-pw-123")


def test_a_person_made_since_keeps_the_number_of_their_files() -> None:
    request = AccountRequest("bob", uid=655, given=frozenset({"password"}))
    mac = cast("26.3")
    with pytest.raises(PowerCut):
        flow(LabRunner(mac, cut=1), request, {"password": "bob-pw-123"})
    fakes.person(mac, "bob", "chosen at the screen")
    assert refused(flow(LabRunner(mac), request, {"password": "bob-pw-123"})) == "uid_differs"


# -- FileVault on its way ---------------------------------------------------------------------------------------------

UNLISTED_ANA = UnlockerRequest("ana", admin_user="itadmin")


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize(
    ("state", "request_", "expected"),
    [
        ("encrypting", FileVaultRequest("disabled", "itadmin"), "filevault_busy"),
        ("off_will_enable", FileVaultRequest("disabled", "itadmin"), "filevault_busy"),
        ("off_needs_restart", FileVaultRequest("enabled", "itadmin"), "filevault_busy"),
        ("decrypting", FileVaultRequest("deferred", "ana", defer_path="/var/x.plist"), "filevault_busy"),
        ("decrypting", ROTATE, "filevault_busy"),
        ("off_needs_restart", ROTATE, "filevault_busy"),
        ("off_will_enable", ROTATE, "filevault_busy"),
        ("off", ROTATE, "filevault_off"),
        ("decrypting", UNLISTED_ANA, "filevault_busy"),
        ("off", UNLISTED_ANA, "filevault_off"),
    ],
)
def test_what_fdesetup_would_refuse_is_known_before(state: str, request_: t.Any, expected: str, check: bool) -> None:
    mac = unlisted("15.6")
    mac.filevault.state, mac.filevault.prk = state, "AAAA-BBBB-CCCC-DDDD-EEEE-FFFF"
    runner = LabRunner(mac)
    passwords = ADMIN if request_ is not UNLISTED_ANA else RIGHT
    assert (refused(flow(runner, request_, passwords, check)), runner.writes) == (expected, [])


def test_a_deferral_to_another_place_is_another_deferral() -> None:
    mac = cast()
    directory.give_token(mac, mac.accounts["ana"])
    first = FileVaultRequest("deferred", "ana", defer_path="/var/root/old.plist")
    second = replace(first, defer_path="/var/root/new.plist")
    assert flow(LabRunner(mac), first).changed
    assert not flow(LabRunner(mac), first).changed
    assert flow(LabRunner(mac), second).changed
    assert mac.filevault.deferral.path == "/var/root/new.plist"
    assert not flow(LabRunner(mac), second).changed


@pytest.mark.parametrize("recovery_key", ["discard", "return"])
def test_a_key_that_nobody_will_have_is_said(recovery_key: str) -> None:
    outcome = flow(LabRunner(cast()), FileVaultRequest("enabled", "itadmin", recovery_key=recovery_key), ADMIN)
    assert bool(outcome.notes) is (recovery_key == "discard")


def test_a_delivered_key_is_not_lost_where_macos_no_longer_escrows() -> None:
    mac = encrypted()
    vault.escrow_key(mac, 5.0)
    outcome = flow(LabRunner(mac), ROTATE, ADMIN)
    assert (outcome.refusal, outcome.recovery_key) == (None, mac.filevault.prk)


@dataclass
class Late(LabRunner):
    """The command does its work and is never heard of again."""

    word: str = ""

    def run(self, command: Command, deadline: float = DEADLINE) -> Ran:
        ran = super().run(command, deadline)
        return Ran(command, None, timed_out=True) if self.word in command.argv else ran


@pytest.mark.parametrize(
    ("word", "request_", "passwords"),
    [
        ("changerecovery", ROTATE, ADMIN),
        (
            "-resetPasswordFor",
            AccountRequest("ana", update_password="always", given=frozenset({"password"})),
            {"password": "brand-new-pw"},
        ),
    ],
)
def test_what_was_done_in_silence_is_a_change(word: str, request_: t.Any, passwords: dict[str, str]) -> None:
    outcome = flow(Late(encrypted(), word=word), request_, passwords)
    assert (refused(outcome), outcome.changed) == ("timeout", True)


@pytest.mark.parametrize("version", ["15.6", "26.1", "27.0.1"])
@pytest.mark.parametrize("check", [True, False])
def test_without_full_disk_access_an_account_is_made_whole_or_not_at_all(version: str, check: bool) -> None:
    """From 26 on sysadminctl would say -14120 in the middle; dscl says nothing."""
    mac = cast(version)
    mac.faults.append(Fault("no_full_disk_access"))
    before = set(mac.accounts)
    new = AccountRequest("carol", given=frozenset({"password"}))
    outcome = flow(LabRunner(mac), new, check=check)
    if version == "15.6":
        assert (outcome.refusal, outcome.changed) == (None, True)
    else:
        assert refused(outcome) == "no_full_disk_access"
        assert (set(mac.accounts), outcome.changed, pending(mac)) == (before, False, pending(cast(version)))
    made = flow(LabRunner(mac), replace(new, name="dave", secure_token="prevented"), check=check)
    assert (made.refusal, made.changed) == (None, True)
    allowed = cast(version)
    assert flow(LabRunner(allowed), new, check=check).refusal is None
