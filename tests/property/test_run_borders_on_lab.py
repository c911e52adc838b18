# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run makes of each answer of a program, step by step: plans are given here as they are, whoever would ask for
them."""

from __future__ import annotations

import contextlib
import plistlib
import typing as t
from dataclasses import dataclass, field, replace
from functools import partial

import fakes
import pytest
from inmemory import LabRunner

from ansible_collections.keyholder.macos.plugins.module_utils._command import launchd
from ansible_collections.keyholder.macos.plugins.module_utils._plan.plan import Plan
from ansible_collections.keyholder.macos.plugins.module_utils._plan.request import Outcome, Request
from ansible_collections.keyholder.macos.plugins.module_utils._run.recipients import Recipients
from ansible_collections.keyholder.macos.plugins.module_utils._run.run import Run
from ansible_collections.keyholder.macos.plugins.module_utils._run.session import Session
from ansible_collections.keyholder.macos.plugins.module_utils._runner import DEADLINE, Command, Ran, Secret
from ansible_collections.keyholder.macos.plugins.module_utils._step.account import (
    CreateHome,
    CreateMobileAccount,
    DropDemotion,
    PlanDemotion,
    SetAdmin,
    SetAttribute,
    SetPassword,
    new_account,
)
from ansible_collections.keyholder.macos.plugins.module_utils._step.base import Step
from ansible_collections.keyholder.macos.plugins.module_utils._step.bootstrap import EscrowBootstrap, ValidateBootstrap
from ansible_collections.keyholder.macos.plugins.module_utils._step.filevault import (
    ArmRestart,
    ChangeKey,
    CheckRecipients,
    DeliverKey,
    EnableFileVault,
    ReadKeyFile,
    RemoveUnlocker,
    ValidateKey,
)
from ansible_collections.keyholder.macos.plugins.module_utils._step.general import Forget, Note, Prove, UpdatePreboot
from ansible_collections.keyholder.macos.plugins.module_utils._step.token import (
    AllowToken,
    BecomeFirstHolder,
    CheckPassword,
    Grant,
    SetSamePassword,
    VerifyKey,
)
from ansible_collections.keyholder.macos.plugins.module_utils._unfinished import MAKING_KEY, promotion
from maclab import directory, vault
from maclab.state import CryptoUser, Mac

ADMIN, ANA = "admin-pw-1", "ana-pw-1"
SECRETS = {"password": ANA, "admin_password": ADMIN, "old_password": ANA, "current_key": "ABCD-1"}


def said(rc: int | None = 0, out: str = "", err: str = "", **more: bool) -> Ran:
    return Ran(Command(("x",)), rc, out, err, **more)


SILENT, FLOOD, GONE = said(None, timed_out=True), said(None, too_long=True), said(None, err="not found")


@dataclass
class Scripted(LabRunner):
    """A Mac on which the commands with these words are not run, but answered so, one answer after the other; the last
    one stays."""

    answers: dict[str, list[Ran]] = field(default_factory=dict)

    def run(self, command: Command, deadline: float = DEADLINE) -> Ran:
        for words, answers in self.answers.items():
            if words in str(command):
                answer = answers.pop(0) if len(answers) > 1 else answers[0]
                self.asked.append(str(command))
                return replace(answer, command=command)
        return super().run(command, deadline)

    asked: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Given(Request):
    """A request that wants these steps, and shows of a Mac who is on it, and its notes."""

    steps: tuple[Step, ...]

    def plan(self, mac: t.Any, same: t.Any) -> Plan:
        return Plan(mac, self.steps)

    def view(self, mac: t.Any) -> dict[str, t.Any]:
        people = {who.name: (who.hint, who.admin, who.sources.verdict) for who in mac.accounts}
        return {"people": people, "pending": sorted(mac.pending)}


def cast(filevault: bool = False) -> Mac:
    mac = fakes.mac()
    mac.accounts["root"] = fakes.person(mac, "root", None, uid=0)
    mac.accounts["root"].service = True
    fakes.person(mac, "itadmin", ADMIN, full_name="IT Administrator", admin=True, token=True)
    fakes.person(mac, "ana", ANA, full_name="Ana Sousa", token=filevault)
    if filevault:
        vault.turn_on(mac)
        mac.filevault.state, mac.filevault.percent, mac.filevault.advance = "on", None, None
    return mac


def run(
    *steps: Step, mac: Mac | None = None, check: bool = False, **answers: t.Any
) -> tuple[Outcome, Scripted, list[float]]:
    script = {words: said if isinstance(said, list) else [said] for words, said in answers.pop("answers", {}).items()}
    runner, pauses = Scripted(mac or cast(), answers=script), []
    secrets = {option: Secret(value) for option, value in SECRETS.items() if option not in answers.get("without", ())}
    flow = Run(runner, secrets, answers.get("deadline", 60), pause=pauses.append)
    return flow.run(Given(steps), check), runner, pauses


def reason(outcome: Outcome) -> str:
    return outcome.refusal.reason if outcome.refusal else ""


# -- what a program's answer is taken for -----------------------------------------------------------------------------

HINT = SetAttribute("ana", "hint", "x")
FIRST, SET_FIRST = BecomeFirstHolder("ana"), SetSamePassword("ana")
GRANT = Grant("ana", "itadmin")
FILE = "/var/root/key.plist"
KEY_FILE = plistlib.dumps({"RecoveryKey": "AAAA-1"}).decode()
NOT_AUTHENTICATED = said(0, err="profiles: Unable to authenticate user information")
VALIDATED = said(0, "profiles: Bootstrap Token validated")


@pytest.mark.parametrize(
    ("step", "word", "answer", "expected"),
    [
        (HINT, "-create", said(0), ""),
        (HINT, "-create", said(1), "command_failed"),
        (HINT, "-create", said(-9), "command_failed"),
        (HINT, "-create", said(85), "password_policy"),
        (HINT, "-create", SILENT, "timeout"),
        (HINT, "-create", FLOOD, "output_too_long"),
        (HINT, "-create", GONE, "command_failed"),
        (FIRST, "-authonly", said(0), ""),
        (FIRST, "-authonly", said(10), "user_password_wrong"),
        (FIRST, "-authonly", said(87), "user_disabled"),
        (FIRST, "-authonly", said(56), "command_failed"),
        (FIRST, "-authonly", SILENT, "timeout"),
        (SET_FIRST, "-resetPasswordFor", said(0), ""),
        (SET_FIRST, "-resetPasswordFor", said(10), "command_failed"),
        (SET_FIRST, "-resetPasswordFor", said(1, err="(5402)"), "password_policy"),
        (GRANT, "-secureTokenOn", said(0, err="Code=5101 x"), ""),
        (GRANT, "-secureTokenOn", said(1, err="Code=5101 x"), "granter_refused"),
        (RemoveUnlocker("ana"), "remove", said(25), "fdesetup_25"),
        (RemoveUnlocker("ana"), "remove", said(98), "command_failed"),
        (SetAdmin("ana", True), "dseditgroup", said(1, err="Incorrect password"), "password_refused"),
        (ReadKeyFile(FILE), f"cat {FILE}", said(0, KEY_FILE), ""),
        (ReadKeyFile(FILE), f"cat {FILE}", said(0, "nothing of the kind"), "key_file_unusable"),
        (ReadKeyFile(FILE), f"cat {FILE}", said(1, KEY_FILE), "command_failed"),
        (ValidateBootstrap("itadmin"), "profiles validate", VALIDATED, ""),
        (ValidateBootstrap("itadmin"), "profiles validate", replace(VALIDATED, rc=1), ""),
        (ValidateBootstrap("itadmin"), "profiles validate", said(0), "bootstrap_stale"),
        (ValidateBootstrap("itadmin"), "profiles validate", NOT_AUTHENTICATED, "bootstrap_refused"),
        (EscrowBootstrap("itadmin"), "profiles install", said(0), ""),
        (EscrowBootstrap("itadmin"), "profiles install", said(1, "Request too soon"), "too_soon"),
        (CreateMobileAccount(new_account("ada")), "createmobileaccount", said(3), ""),
        (CreateMobileAccount(new_account("ada")), "createmobileaccount", SILENT, "timeout"),
        (DropDemotion("ana"), "bootout", said(3), ""),
        (DropDemotion("ana"), "bootout", SILENT, ""),
        (DropDemotion("ana"), "rm -f", said(1), "command_failed"),
        (Forget("creating ada"), "-delete", said(54), ""),
        (Forget("creating ada"), "-delete", said(56), "command_failed"),
        (AllowToken("ana"), "-delete", said(54), "command_failed"),
    ],
)
def test_what_an_answer_is_taken_for(step: Step, word: str, answer: Ran, expected: str) -> None:
    mac = cast()
    if isinstance(step, SetSamePassword):
        directory.take_token(mac, mac.accounts["itadmin"])
    outcome, runner, _ = run(step, mac=mac, answers={word: answer})
    assert reason(outcome) == expected
    assert len(runner.asked) == 1
    if not expected:
        assert outcome.changed is step.writes
        return
    refusal = outcome.refusal
    assert refusal is not None
    assert step.words in refusal.msg or expected == "key_file_unusable"
    assert refusal.evidence[-1].startswith(" ".join(runner.asked[0].split()[:1]))


@pytest.mark.parametrize(("answer", "others"), [(said(1), 0), (SILENT, 0), (FLOOD, 0), (said(0), 1)])
def test_after_a_failure_nothing_more_is_started(answer: Ran, others: int) -> None:
    _, runner, _ = run(HINT, SetAdmin("ana", True), answers={"-create": answer})
    assert len([command for command, _ in runner.runs if command.argv[0] == "dseditgroup"]) == others


def test_a_key_file_without_a_key_is_said_to_hold_none() -> None:
    outcome, _, _ = run(HINT, ReadKeyFile(FILE), answers={f"cat {FILE}": said(0, "x")})
    assert outcome.refusal is not None
    assert outcome.refusal.evidence[-1].startswith(f"cat {FILE}")
    assert outcome.refusal.msg == f"{FILE} holds no recovery key"


# -- the preboot volume -----------------------------------------------------------------------------------------------

TOLD = said(0, "UpdatePreboot: Exiting with overall error=(ZeroMeansSuccess)=0\n")
NOT_TOLD = said(1, "no\n")
TELL, OWE = UpdatePreboot(), Note("preboot")


@pytest.mark.parametrize(
    ("answers", "deadline", "tries", "pauses", "expected"),
    [
        ([TOLD], 60, 1, 0, ""),
        ([NOT_TOLD, TOLD], 60, 2, 1, ""),
        ([NOT_TOLD, NOT_TOLD, TOLD], 60, 3, 2, ""),
        ([NOT_TOLD], 60, 3, 2, "preboot_failed"),
        ([SILENT], 60, 1, 0, "timeout"),
        ([NOT_TOLD, SILENT], 60, 2, 1, "timeout"),
        ([GONE], 60, 1, 0, "preboot_failed"),
        # There is no time left for another try.
        ([NOT_TOLD, TOLD], 1, 1, 0, "preboot_failed"),
    ],
)
def test_the_preboot_volume_is_told_again_and_not_for_ever(
    answers: list[Ran], deadline: float, tries: int, pauses: int, expected: str
) -> None:
    outcome, runner, paused = run(OWE, TELL, answers={"updatePreboot": list(answers)}, deadline=deadline)
    assert (reason(outcome), len(runner.asked), paused) == (expected, tries, [2.0] * pauses)
    assert outcome.changed
    assert outcome.after["pending"] == (["preboot"] if expected else [])
    if expected:
        assert outcome.refusal is not None
        assert outcome.refusal.msg.endswith("; everything else was done")


def owing() -> Mac:
    mac = cast()
    fakes.run(mac, "dscl", ".", "-merge", "/Users/root", "dsAttrTypeNative:keyholder_pending", "preboot")
    return mac


@pytest.mark.parametrize("told", [True, False])
def test_what_an_earlier_run_has_left_to_tell_fails_no_run(told: bool) -> None:
    outcome, runner, _ = run(TELL, HINT, mac=owing(), answers={"updatePreboot": TOLD if told else NOT_TOLD})
    assert reason(outcome) == ""
    assert outcome.after["pending"] == ([] if told else ["preboot"])
    assert [note.endswith("[preboot_failed]") for note in outcome.notes] == [True] * (not told)
    # What comes after it is done all the same.
    assert runner.mac.accounts["ana"].hint == "x"
    assert outcome.changed


def test_a_note_that_stays_is_said_to_stay_and_is_not_blamed_on_preboot() -> None:
    outcome, _, _ = run(TELL, mac=owing(), answers={"updatePreboot": TOLD, "-delete": said(1)})
    assert outcome.refusal is not None
    assert (outcome.refusal.reason, "remove the note from the Mac" in outcome.refusal.msg) == ("command_failed", True)


FAILED_FOR = "Considering APFS Crypto User {}\nError for this user was -69593\n"
STRANGER = "0A7B3C2D-1111-2222-3333-444455556666"


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("known", ": diskutil failed for ana"),
        ("stranger", f": diskutil failed for the crypto user {STRANGER}, which belongs to no account"),
        ("words", ""),
        ("orphan", f"; the cause may be the crypto user {STRANGER}, which belongs to no account"),
        ("silence", ": diskutil did not answer"),
    ],
)
def test_whom_preboot_failed_over(answer: str, says: str) -> None:
    mac = cast()
    guid = mac.accounts["ana"].generated_uid
    if answer in ("orphan", "silence"):
        mac.crypto_users[STRANGER] = CryptoUser(STRANGER, directory.LOCAL_USER, owner=False)
    said_ = {"known": said(1, FAILED_FOR.format(guid)), "stranger": said(1, FAILED_FOR.format(STRANGER))}
    said_["silence"] = SILENT
    outcome, _, _ = run(OWE, TELL, mac=mac, answers={"updatePreboot": said_.get(answer, NOT_TOLD)})
    assert outcome.refusal is not None
    assert outcome.refusal.msg == f"the preboot volume could not be updated{says}; everything else was done"


# -- passwords before the first write ---------------------------------------------------------------------------------

CHECK = CheckPassword("ana", "password", "user")
UNREADABLE = said(1, err="no such thing")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [(said(0), ""), (said(10), "user_password_wrong"), (said(87), "user_disabled"), (said(56), "command_failed")],
)
@pytest.mark.parametrize("check", [False, True])
def test_a_login_tells_where_no_hash_can_be_read(answer: Ran, expected: str, check: bool) -> None:
    answers = {"ShadowHashData": UNREADABLE, "-authonly": answer}
    outcome, runner, _ = run(CHECK, HINT, check=check, answers=answers)
    asked = [command for command in runner.asked if "-authonly" in command]
    assert asked == ([] if check else ["dscl /Local/Default -authonly ana"])
    assert reason(outcome) == ("" if check else expected)
    assert runner.mac.accounts["ana"].hint == ("x" if not check and not expected else "")


def test_who_has_no_account_here_is_looked_for_everywhere() -> None:
    outcome, runner, _ = run(CheckPassword("ada", "password", "user"), answers={"-authonly": said(0)})
    assert (reason(outcome), runner.asked) == ("", ["dscl /Search -authonly ada"])
    assert not any("ShadowHashData" in str(command) and "ada" in str(command) for command, _ in runner.runs)


@pytest.mark.parametrize(("secret", "expected"), [(ANA, ""), ("other-pw-1", "user_password_wrong")])
def test_a_hash_tells_without_a_login(secret: str, expected: str) -> None:
    mac = cast()
    mac.accounts["ana"].password = secret
    outcome, runner, _ = run(CHECK, HINT, mac=mac, answers={"-authonly": said(0)})
    assert (reason(outcome), runner.asked) == (expected, [])


def test_the_login_that_gives_the_first_token_is_not_made_before_it_is_noted() -> None:
    answers = {"ShadowHashData": UNREADABLE, "-authonly": said(0)}
    outcome, runner, _ = run(CHECK, OWE, FIRST, answers=answers)
    assert (reason(outcome), len([command for command in runner.asked if "-authonly" in command])) == ("", 1)


# -- keys -------------------------------------------------------------------------------------------------------------

EARLY = VerifyKey("ana", "B" * 36, "password", early=True)
LATE = VerifyKey("ana", "B" * 36, "password")
OPENS, STALE = said(0), said(1, "Passphrase incorrect")
NOT_TRIED = "check mode does not try whether password opens the key of ana"
UNKNOWN = "it could not be checked whether the key of ana follows its password"


@pytest.mark.parametrize(
    ("step", "answer", "expected", "notes", "hint"),
    [
        (EARLY, OPENS, "", [], "x"),
        (EARLY, STALE, "stale_key", [], ""),
        (EARLY, SILENT, "", [UNKNOWN], "x"),
        (replace(EARLY, needed=True), SILENT, "key_unproven", [], ""),
        (replace(EARLY, needed=True), OPENS, "", [], "x"),
        (LATE, OPENS, "", [], "x"),
        (LATE, STALE, "stale_key", [], "x"),
        (LATE, SILENT, "", [UNKNOWN], "x"),
    ],
)
def test_a_key_is_tried_before_the_first_write_or_after_the_last(
    step: VerifyKey, answer: Ran, expected: str, notes: list[str], hint: str
) -> None:
    outcome, runner, _ = run(HINT, step, answers={"-verify": answer})
    assert (reason(outcome), outcome.notes, len(runner.asked)) == (expected, notes, 1)
    assert runner.mac.accounts["ana"].hint == hint
    if expected:
        assert outcome.refusal is not None
        assert len(outcome.refusal.evidence) == 1


@pytest.mark.parametrize(("known", "tried"), [(True, True), (False, False)])
def test_check_mode_tries_no_password_against_a_key_that_may_be_wrong(known: bool, tried: bool) -> None:
    answers = {"-verify": OPENS} if known else {"-verify": OPENS, "ShadowHashData": UNREADABLE}
    outcome, runner, _ = run(CHECK, EARLY, check=True, answers=answers)
    assert [command for command in runner.asked if "-verify" in command] == runner.asked[-1:] * tried
    assert outcome.notes == ([] if tried else [NOT_TRIED])
    # Another's doubt is not this one's.
    other = CheckPassword("itadmin", "admin_password", "granter")
    outcome, _, _ = run(other, EARLY, check=True, answers={"-verify": OPENS, "ShadowHashData": UNREADABLE})
    assert outcome.notes == []


TRUE, FALSE = said(0, "true\n"), said(0, "false\n")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [(TRUE, ""), (replace(TRUE, rc=1), ""), (FALSE, "key_invalid"), (said(0), "key_invalid"), (SILENT, "timeout")],
)
def test_a_given_key_is_validated_before_the_first_write(answer: Ran, expected: str) -> None:
    outcome, runner, _ = run(HINT, ValidateKey("current_key"), answers={"validaterecovery": answer})
    assert (reason(outcome), runner.mac.accounts["ana"].hint) == (expected, "" if expected else "x")
    if expected:
        assert outcome.refusal is not None
        assert ("current_key" in outcome.refusal.msg, len(outcome.refusal.evidence)) == (True, 1)


NEW_KEY = said(0, plistlib.dumps({"RecoveryKey": "NEWK-2"}).decode())
ROTATE = (ChangeKey("itadmin"), ValidateKey(), DeliverKey("return"))


@pytest.mark.parametrize(
    ("made", "valid", "expected", "key", "changed"),
    [
        (NEW_KEY, TRUE, "", "NEWK-2", True),
        (NEW_KEY, FALSE, "key_invalid", "", True),
        (NEW_KEY, SILENT, "timeout", "NEWK-2", True),
        (replace(NEW_KEY, rc=1), TRUE, "fdesetup_1", "NEWK-2", True),
        (said(0), TRUE, "key_not_given", "", True),
        (said(1), TRUE, "fdesetup_1", "", False),
        (SILENT, TRUE, "timeout", "", True),
    ],
)
def test_a_new_key_is_validated_and_then_given(made: Ran, valid: Ran, expected: str, key: str, changed: bool) -> None:
    answers = {"changerecovery": made, "validaterecovery": valid}
    outcome, _, _ = run(*ROTATE, mac=cast(filevault=True), answers=answers)
    assert (reason(outcome), outcome.recovery_key, outcome.changed) == (expected, key, changed)


def test_enabling_without_a_key_in_return_is_no_failure() -> None:
    steps = (EnableFileVault("itadmin"), ValidateKey(), DeliverKey("return"))
    outcome, runner, _ = run(*steps, answers={"enable": said(0), "validaterecovery": FALSE})
    assert (reason(outcome), outcome.recovery_key) == ("", "")
    assert not any("validaterecovery" in command for command in runner.asked)


# -- after a failure --------------------------------------------------------------------------------------------------


def test_an_armed_restart_is_told_whatever_fails_then() -> None:
    armed = "the next restart still comes up with the volume unlocked"
    for steps, told in (((ArmRestart("itadmin"), HINT), True), ((HINT, SetAdmin("ana", True)), False)):
        failing = "-create" if told else "dseditgroup"
        outcome, _, _ = run(*steps, answers={"authrestart": said(0), failing: said(1)})
        assert outcome.refusal is not None
        assert (armed in outcome.refusal.msg) is told
        assert outcome.changed is True


@pytest.mark.parametrize(
    ("steps", "pending", "changed"),
    [
        # Nothing was changed but for the note, which goes again.
        ((Note("creating bob"), HINT), [], False),
        ((Note("creating bob"), SetAdmin("ana", True), HINT), ["creating bob"], True),
        ((Note("creating bob"), ArmRestart("itadmin"), HINT), ["creating bob"], True),
        ((Note("making recovery key"), HINT), [], False),
        ((Note("preboot"), HINT), [], False),
    ],
)
def test_a_note_stays_only_where_something_was_changed(
    steps: tuple[Step, ...], pending: list[str], changed: bool
) -> None:
    outcome, runner, _ = run(*steps, answers={"-create": said(1), "authrestart": said(0)})
    assert (reason(outcome), outcome.changed) == ("command_failed", changed)
    assert outcome.after["pending"] == pending
    said_ = fakes.run(runner.mac, "dscl", ".", "-read", "/Users/root", "dsAttrTypeNative:keyholder_pending").out
    assert [work for work in ("creating bob", "making recovery key", "preboot") if work in said_] == pending


def test_a_guess_that_was_wrong_is_no_change() -> None:
    """It counts as a failed login, and nothing else has become of it."""
    mac = cast()

    class Guesses(Scripted):
        def run(self, command: Command, deadline: float = DEADLINE) -> Ran:
            if "hint" in str(command).lower():
                mac.accounts["ana"].failed_logins += 1
            return super().run(command, deadline)

    runner = Guesses(mac, answers={"AuthenticationHint x": [said(1)]})
    outcome = Run(runner, {}, 60).run(Given((Note("creating bob"), HINT)), False)
    assert (outcome.changed, outcome.after["pending"]) == (False, [])


# -- the second reading -----------------------------------------------------------------------------------------------


def test_what_a_reading_shows_half_way_is_told_where_the_rest_fails() -> None:
    prove = Prove(("ana",))
    outcome, _, _ = run(HINT, prove, SetAdmin("ana", True), answers={"dseditgroup": said(1)})
    assert (reason(outcome), outcome.changed) == ("command_failed", True)
    assert outcome.after["people"]["ana"][0] == "x"
    same, _, _ = run(prove, SetAdmin("ana", True), answers={"dseditgroup": said(1)})
    assert (reason(same), same.changed) == ("command_failed", False)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [(said(0), "not_proven"), (said(0, err="Code=5101 x"), "granter_refused")],
)
def test_what_was_not_done_is_named_by_what_was_said(answer: Ran, expected: str) -> None:
    outcome, _, _ = run(GRANT, Prove(("ana",)), answers={"-secureTokenOn": answer})
    assert outcome.refusal is not None
    assert (outcome.refusal.reason, outcome.changed) == (expected, False)
    assert outcome.refusal.msg.startswith("ana is not as planned: directory no")
    assert outcome.refusal.evidence[-1].startswith("reading again: ana: directory no")


def test_a_fact_of_the_mac_that_was_not_made_is_named_by_what_was_said() -> None:
    for answer, expected in ((said(0), "not_proven"), (said(0, "Request too soon"), "too_soon")):
        steps = (EscrowBootstrap("itadmin"), Prove(facts=("bootstrap",)))
        outcome, _, _ = run(*steps, answers={"profiles install": answer})
        assert outcome.refusal is not None
        assert outcome.refusal.reason == expected
        assert outcome.refusal.msg.startswith("the Mac is not as planned: the Bootstrap Token is")
        assert outcome.refusal.evidence[-1].startswith("reading again: the Bootstrap Token is")


SET = SetPassword("ana", "root")


@pytest.mark.parametrize(
    ("readable", "done", "answer", "expected"),
    [
        (True, False, said(0), "not_proven"),
        (True, False, said(0, err="(5402)"), "password_policy"),
        (False, False, said(0), ""),
        (False, False, said(0, err="(5402)"), "password_policy"),
        (True, True, said(0, err="(5402)"), ""),
    ],
)
def test_a_password_is_proven_by_its_hash_or_by_silence(readable: bool, done: bool, answer: Ran, expected: str) -> None:
    mac = cast()
    mac.accounts["ana"].password = ANA if done else "the-one-before"
    answers = {"-resetPasswordFor": answer, **({} if readable else {"ShadowHashData": UNREADABLE})}
    outcome, _, _ = run(SET, Prove(("ana",)), mac=mac, answers=answers)
    assert reason(outcome) == expected


# -- what a run needs -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "without", "value", "expected"),
    [
        (GRANT, "admin_password", ANA, ("option_missing", "admin_password was not given, and is needed to grant ana")),
        (GRANT, "", "x" * 1023, ("password_unusable", "password has 1023 bytes, and the prompt takes 1022")),
        (GRANT, "", "a\U0001f511", ("", "")),
        (
            EscrowBootstrap("itadmin"),
            "",
            "a\U0001f511",
            ("password_unusable", "admin_password holds an emoji or another character beyond U+FFFF"),
        ),
        (
            EscrowBootstrap("itadmin"),
            "",
            "a\n\U0001f511",
            ("password_unusable", "admin_password holds a line break"),
        ),
    ],
)
def test_what_no_prompt_can_take_is_refused_before_the_first_write(
    step: Step, without: str, value: str, expected: tuple[str, str]
) -> None:
    runner = Scripted(cast(), answers={"-secureTokenOn": [said(0)]})
    secrets = {name: Secret(value) for name in ("password", "admin_password") if name != without}
    outcome = Run(runner, secrets, 60).run(Given((SetAdmin("ana", True), step)), False)
    assert reason(outcome) == expected[0]
    assert expected[1] in (outcome.refusal.msg if outcome.refusal else "")
    assert runner.mac.is_admin("ana") is (expected[0] == "")


def test_whom_the_run_came_in_by_is_known_by_any_letters() -> None:
    seen: list[frozenset[str]] = []

    @dataclass(frozen=True)
    class Looks(Given):
        def plan(self, mac: t.Any, same: t.Any) -> Plan:
            seen.append(mac.own)
            return Plan(mac)

    for own in ((), ("ana",), ("ada",), ("ana", "itadmin")):
        Run(LabRunner(cast()), {}, 60, own=partial(frozenset, own)).run(Looks(()), False)
    assert seen == [frozenset(), {"ana"}, frozenset(), {"ana", "itadmin"}]


# -- notes and homes in the second reading ----------------------------------------------------------------------------

WORK = "creating ada"


@pytest.mark.parametrize(
    ("steps", "silent", "expected"),
    [
        ((Note(WORK), HINT), "", ""),
        ((Note(WORK), HINT), "-merge", "the note that this needs is not on the Mac: creating ada"),
        ((Note(WORK), Forget(WORK)), "", ""),
        ((Note(WORK), Forget(WORK)), "-delete", "the note of what is done is still there: creating ada"),
        # Of what was noted again nothing is to go.
        ((Note(WORK), Forget(WORK), Note(WORK)), "-delete", ""),
        ((HINT,), "-delete", ""),
    ],
)
def test_a_note_is_where_it_must_be_and_nowhere_else(steps: tuple[Step, ...], silent: str, expected: str) -> None:
    """The program says that it has worked, and has done nothing."""
    outcome, runner, _ = run(*steps, answers={silent: said(0)} if silent else {})
    assert reason(outcome) == ("not_proven" if expected else "")
    assert expected in (outcome.refusal.msg if outcome.refusal else "")
    if silent == "-merge":
        assert runner.mac.accounts["ana"].hint == ""


HOME = "/Users/ana"


@pytest.mark.parametrize(
    ("made", "proven", "home", "place", "problem"),
    [
        ("ana", "ana", HOME, "Directory|{uid}|700|{home}", ""),
        ("ana", "ana", HOME, "Directory|7|700|{home}", "the home folder /Users/ana belongs to UID 7, and not to {uid}"),
        ("ana", "ana", HOME, "Regular File|{uid}|700|{home}", "the home folder /Users/ana is a file"),
        ("ana", "ana", HOME, "odd", "whether the home folder /Users/ana is there could not be read"),
        ("ana", "ana", HOME, "Symbolic Link|0|755|{home}", ""),
        # Nobody looks where no home was made, at another's, or where none could be.
        ("", "ana", HOME, "Directory|7|700|{home}", None),
        ("itadmin", "ana", HOME, "Directory|7|700|{home}", None),
        ("ana", "ana", "", "Directory|7|700|{home}", None),
        ("ana", "ana", "home", "Directory|7|700|{home}", None),
    ],
)
def test_a_home_folder_that_was_made_is_the_accounts_own(
    made: str, proven: str, home: str, place: str, problem: str | None
) -> None:
    mac = cast()
    mac.accounts["ana"].home = home
    uid = mac.accounts["ana"].uid
    answers = {"createhomedir": said(0), "%HT": said(0, place.format(uid=uid, home=HOME) + "\n")}
    outcome, runner, _ = run(*([CreateHome(made)] if made else []), Prove((proven,)), mac=mac, answers=answers)
    assert (problem is not None) == any("%HT" in command for command in runner.asked)
    assert reason(outcome) == ("not_proven" if problem else "")
    if problem:
        assert outcome.refusal is not None
        assert outcome.refusal.msg == f"ana is not as planned: {problem.format(uid=uid)}"


# -- whose hash decides -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "login", "expected", "asked"),
    [
        ("mobile", said(0), "", True),
        ("mobile", said(10), "user_password_wrong", True),
        ("local", said(0), "user_password_wrong", False),
    ],
)
def test_what_a_mac_has_kept_of_a_directorys_password_proves_no_other_wrong(
    kind: str, login: Ran, expected: str, asked: bool
) -> None:
    mac = cast()
    mac.accounts["ana"].password = "the-one-before"
    if kind == "mobile":
        mac.accounts["ana"].authority.append(";LocalCachedUser;/Active Directory/EXAMPLE/All Domains:ana:0FE1")
    outcome, runner, _ = run(CHECK, HINT, mac=mac, answers={"-authonly": login})
    assert (reason(outcome), bool(runner.asked)) == (expected, asked)


@pytest.mark.parametrize(("size", "expected"), [(128, ""), (129, "password_unusable")])
def test_a_password_that_a_login_would_cut_off_is_not_tried(size: int, expected: str) -> None:
    runner = Scripted(cast(), answers={"ShadowHashData": [UNREADABLE], "-authonly": [said(0)]})
    outcome = Run(runner, {"password": Secret("x" * size)}, 60).run(Given((CHECK,)), False)
    assert reason(outcome) == expected
    assert ("-authonly" in " ".join(runner.asked)) is (expected == "")
    if outcome.refusal:
        assert "so it cannot be checked" in outcome.refusal.msg


def test_an_account_without_a_home_does_not_hide_the_next_ones() -> None:
    mac = cast()
    mac.accounts["ana"].home = ""
    home = mac.accounts["itadmin"].home
    answers = {"createhomedir": said(0), "%HT": said(0, f"Directory|7|700|{home}\n")}
    steps = (CreateHome("ana"), CreateHome("itadmin"), Prove(("ana", "itadmin")))
    outcome, _, _ = run(*steps, mac=mac, answers=answers)
    assert outcome.refusal is not None
    assert outcome.refusal.msg.startswith("itadmin is not as planned: the home folder")


# -- a key that is encrypted ------------------------------------------------------------------------------------------

PEM = "-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----"
MESSAGE = "-----BEGIN PKCS7-----\nTUlJ\n-----END PKCS7-----\n"


@pytest.mark.parametrize(
    ("answer", "key", "expected"), [(said(0, MESSAGE), MESSAGE, ""), (said(1, MESSAGE), "", "recipient_unusable")]
)
def test_a_key_is_encrypted_to_its_recipients_or_not_given(answer: Ran, key: str, expected: str) -> None:
    script = {"changerecovery": [NEW_KEY], "validaterecovery": [TRUE], "openssl": [answer]}
    runner = Scripted(cast(filevault=True), answers=script)
    steps = (ChangeKey("itadmin"), ValidateKey(), DeliverKey("encrypt"))
    secrets = {"password": Secret(ADMIN)}
    outcome = Run(runner, secrets, 60, Recipients([PEM])).run(Given(steps), False)
    assert (reason(outcome), outcome.recovery_key) == (expected, key)
    assert "NEWK-2" not in repr(outcome)


def test_what_stands_around_a_certificate_may_be_of_any_letters() -> None:
    written: list[bytes] = []

    class Looks(Scripted):
        def run(self, command: Command, deadline: float = DEADLINE) -> Ran:
            for word in command.argv:
                if word.endswith(".pem"):
                    with open(word, "rb") as file:
                        written.append(file.read())
            return super().run(command, deadline)

    runner = Looks(cast(filevault=True), answers={"openssl": [said(0, MESSAGE)]})
    Run(runner, {"password": Secret(ADMIN)}, 60, Recipients([f"Z\u00fcrich\n{PEM}"])).run(
        Given((CheckRecipients(),)), False
    )
    assert written == [f"Z?rich\n{PEM}\n".encode("ascii")]


# -- what a run tells of itself ---------------------------------------------------------------------------------------


def test_that_a_run_has_waited_is_its_first_note() -> None:
    class Waited:
        def held(self) -> t.ContextManager[str]:
            return contextlib.nullcontext("waited 3 seconds for another run")

    outcome = Run(LabRunner(cast()), {}, 60, lock=Waited()).run(Given((HINT,)), False)
    assert outcome.notes[:1] == ["waited 3 seconds for another run"]


def test_a_program_that_is_not_there_is_named() -> None:
    outcome, _, _ = run(HINT, answers={"AuthenticationHint": GONE})
    assert outcome.refusal is not None and outcome.refusal.reason == "command_failed"
    assert outcome.refusal.msg == f"could not {HINT.words}: not found"


def test_an_option_that_was_not_given_is_no_password_and_is_not_compared() -> None:
    runner = Scripted(cast())
    session = Session(runner, {}, 60, Recipients(()), frozenset)
    assert session.is_password("ana", "password") is None
    assert runner.runs == []


def test_what_the_last_reading_showed_is_a_change_if_the_mac_says_no_more_after_a_failure() -> None:
    @dataclass
    class FallsSilent(LabRunner):
        def run(self, command: Command, deadline: float = DEADLINE) -> Ran:
            if any("IsHidden" in ran.argv for ran, _ in self.runs):
                return replace(SILENT, command=command)
            return super().run(command, deadline)

    steps = (HINT, Prove(("ana",)), SetAttribute("ana", "hidden", True), SetAdmin("ana", True))
    outcome = Run(FallsSilent(cast()), {}, 60).run(Given(steps), False)
    assert (reason(outcome), outcome.changed) == ("timeout", True)


def test_a_right_that_a_failed_run_gave_is_taken_back_and_its_note_with_it() -> None:
    steps = (Note(promotion("ana")), PlanDemotion("ana"), SetAdmin("ana", True), HINT)
    outcome, runner, _ = run(*steps, answers={"AuthenticationHint": GONE})
    assert reason(outcome) == "command_failed"
    assert (outcome.after["people"]["ana"][1], outcome.after["pending"]) == (False, [])
    # Nor does the Mac's own job stay.
    assert ("rm", "-f", launchd.PATH) in [ran.argv for ran, _ in runner.runs]


@pytest.mark.parametrize(
    ("answers", "left"),
    [({}, []), ({"fdesetup status": said(1)}, [MAKING_KEY])],
    ids=["FileVault is off as before", "FileVault may be on"],
)
def test_the_note_on_a_key_stays_as_long_as_there_may_be_one(answers: dict[str, Ran], left: list[str]) -> None:
    steps = (Note(MAKING_KEY), EnableFileVault("itadmin"))
    outcome, _, _ = run(*steps, answers={"fdesetup enable": SILENT, **answers})
    assert (reason(outcome), outcome.after["pending"]) == ("timeout", left)


def test_a_right_that_cannot_be_taken_back_at_once_stays_noted() -> None:
    steps = (Note(promotion("ana")), PlanDemotion("ana"), SetAdmin("ana", True), HINT)
    outcome, runner, _ = run(*steps, answers={"AuthenticationHint": GONE, "dseditgroup -o edit -d": GONE})
    assert reason(outcome) == "command_failed"
    assert (outcome.after["people"]["ana"][1], outcome.after["pending"]) == (True, [promotion("ana")])
    assert ("rm", "-f", launchd.PATH) not in [ran.argv for ran, _ in runner.runs]
