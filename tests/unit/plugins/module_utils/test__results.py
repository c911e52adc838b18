# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run leaves for others: notes for the next run, reasons for a person, results for a playbook."""

from __future__ import annotations

import plistlib
import typing as t

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils._account import Account
from ansible_collections.keyholder.macos.plugins.module_utils._command import dscl, launchd
from ansible_collections.keyholder.macos.plugins.module_utils._command.answers import harmless, reason_of
from ansible_collections.keyholder.macos.plugins.module_utils._mac import FileVault, Mac
from ansible_collections.keyholder.macos.plugins.module_utils._macos import Version
from ansible_collections.keyholder.macos.plugins.module_utils._plan.filevault import (
    CollectRequest,
    FileVaultRequest,
    KeyRequest,
)
from ansible_collections.keyholder.macos.plugins.module_utils._plan.password import PasswordRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.repair import OPENS, RepairRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.request import Outcome
from ansible_collections.keyholder.macos.plugins.module_utils._plan.token import TokenRequest
from ansible_collections.keyholder.macos.plugins.module_utils._reading.ask import Ask
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command, Ran
from ansible_collections.keyholder.macos.plugins.module_utils._step.account import (
    CreateAccount,
    CreateMobileAccount,
    SetAdmin,
    new_account,
)
from ansible_collections.keyholder.macos.plugins.module_utils._step.base import Step, has_kind, known, of_kind
from ansible_collections.keyholder.macos.plugins.module_utils._step.bootstrap import ValidateBootstrap
from ansible_collections.keyholder.macos.plugins.module_utils._step.filevault import (
    ArmRestart,
    ChangeKey,
    ReadKeyFile,
    RemoveKey,
)
from ansible_collections.keyholder.macos.plugins.module_utils._step.general import Forget, Note, Prove, UpdatePreboot
from ansible_collections.keyholder.macos.plugins.module_utils._step.token import (
    BecomeFirstHolder,
    CheckPassword,
    SetSamePassword,
)
from ansible_collections.keyholder.macos.plugins.module_utils._unfinished import (
    MAKING_KEY,
    PREBOOT,
    archived,
    creation,
    is_offboarding,
    note_in_words,
    offboarding,
    promoted_by,
    promotion,
    repairing,
)

# -- notes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("note", "words"),
    [
        (PREBOOT, "the preboot volume must still be updated"),
        (MAKING_KEY, "it was making a recovery key, and the present key may be lost"),
        (promotion("ana"), "ana is an administrator for a grant only, and must be demoted again"),
        (creation("ana"), "creating ana"),
        (repairing("ana"), "repairing ana"),
    ],
)
def test_a_note_in_words(note: str, words: str) -> None:
    assert note_in_words(note) == words


@pytest.mark.parametrize(
    ("note", "about"),
    [
        (offboarding("ana", "G"), True),
        (archived("ana", "G"), True),
        (offboarding("ana b", "G"), False),
        (offboarding("bob", "G"), False),
        (creation("ana"), False),
        ("offboarding ana", False),
    ],
)
def test_a_note_on_a_removal(note: str, about: bool) -> None:
    assert is_offboarding(note, "ana") is about


def test_a_note_on_a_promotion_names_whom() -> None:
    assert [promoted_by(note) for note in (promotion("ana"), creation("ana"), PREBOOT, "")] == ["ana", "", "", ""]


# -- reasons ----------------------------------------------------------------------------------------------------------


def ran(argv: str, rc: int | None = 1, out: str = "", err: str = "") -> Ran:
    return Ran(Command(tuple(argv.split())), rc, out, err)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (ran("fdesetup remove", 25), "fdesetup_25"),
        (ran("fdesetup remove", 1, err="Code=5101"), "fdesetup_1"),
        (ran("dscl . -create", 85), "password_policy"),
        (ran("dscl . -create", 1, err="Code=5101"), ""),
        (ran("profiles install", 1, "Request too soon"), "too_soon"),
        (ran("profiles install", 1, "Code=5101"), ""),
        (ran("sysadminctl -addUser", 0, err="Code=5101 x"), "granter_refused"),
        (ran("launchctl asuser", 0, err="(5402)"), "password_policy"),
        (ran("sysadminctl -addUser", 85), ""),
    ],
)
def test_each_program_names_its_own_reasons(answer: Ran, reason: str) -> None:
    assert reason_of(answer) == reason


def test_failures_that_are_none() -> None:
    forget, out = dscl.forget("preboot"), launchd.drop_demotion()[0]
    answers = [Ran(forget, 54), Ran(forget, 1), Ran(out, 1), Ran(out, None), ran("rm -f x", 54)]
    assert [harmless(answer) for answer in answers] == [True, False, True, True, False]


KEY_FILE = plistlib.dumps({"RecoveryKey": "A-1"}).decode()
BY_LOGIN, BY_PASSWORD = BecomeFirstHolder("ana"), SetSamePassword("ana")
READ, VALIDATE = ReadKeyFile("/p"), ValidateBootstrap("itadmin")


@pytest.mark.parametrize(
    ("step", "answer", "reason"),
    [
        (SetAdmin("ana", True), ran("dseditgroup", 0), ""),
        (SetAdmin("ana", True), ran("dseditgroup", 1), "command_failed"),
        (SetAdmin("ana", True), ran("dseditgroup", 1, err="Incorrect password"), "password_refused"),
        (SetAdmin("ana", True), ran("dseditgroup", 0, err="Incorrect password"), ""),
        (BY_LOGIN, ran("dscl", 0), ""),
        (BY_LOGIN, ran("dscl", 10), "user_password_wrong"),
        (BY_LOGIN, ran("dscl", 87), "user_disabled"),
        (BY_LOGIN, ran("dscl", 81), "user_disabled"),
        (BY_LOGIN, ran("dscl", 56), "command_failed"),
        (BY_PASSWORD, ran("sysadminctl", 0), ""),
        (BY_PASSWORD, ran("sysadminctl", 10), "command_failed"),
        (READ, ran("cat", 0, KEY_FILE), ""),
        (READ, ran("cat", 0, "x"), "key_file_unusable"),
        (READ, ran("cat", 1, KEY_FILE), "command_failed"),
        (VALIDATE, ran("profiles", 0, "Bootstrap Token validated"), ""),
        (VALIDATE, ran("profiles", 1, "Bootstrap Token validated"), ""),
        (VALIDATE, ran("profiles", 0), "bootstrap_stale"),
        (VALIDATE, ran("profiles", 0, "Request too soon"), "too_soon"),
        (CreateMobileAccount(new_account("ada")), ran("createmobileaccount", 3), ""),
    ],
)
def test_why_a_run_stops_after_a_step(step: Step, answer: Ran, reason: str) -> None:
    assert step.failure(answer) == reason


def test_what_is_said_of_a_step_that_failed() -> None:
    assert READ.failed_words("key_file_unusable") == "/p holds no recovery key"
    assert READ.failed_words("command_failed") == f"could not {READ.words}"
    assert BY_LOGIN.failed_words("user_disabled") == f"could not {BY_LOGIN.words}"


@pytest.mark.parametrize("role", ["granter", "user"])
def test_whose_password_it_was_is_in_the_reason(role: t.Literal["granter", "user"]) -> None:
    check = CheckPassword("ana", "password", role)
    assert (check.if_wrong, check.if_disabled) == (f"{role}_password_wrong", f"{role}_disabled")


def test_steps_by_their_kind() -> None:
    steps = (Note("a"), Prove(("ana",)), Note("b"))
    assert of_kind(steps, Note) == [Note("a"), Note("b")]
    assert [has_kind(steps, kind) for kind in (Note, Prove, CheckPassword)] == [True, True, False]
    assert not has_kind((), Note)
    assert known(Mac(Version(15, 6), accounts=(Account("ana", "A"),)), "ana").guid == "A"


# -- results ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "expected"),
    [("return", {"recovery_key": "K"}), ("encrypt", {"recovery_key_encrypted": "K"}), ("discard", {})],
)
def test_a_key_is_returned_under_a_name_that_says_what_it_is(how: str, expected: dict[str, str]) -> None:
    outcome = Outcome({}, {}, [], [], recovery_key="K")
    for request in (
        FileVaultRequest("enabled", recovery_key=how),
        KeyRequest("rotated", recovery_key=how),
        CollectRequest("/p", how),
    ):
        assert request.results(outcome) == expected
    assert TokenRequest("ana").results(outcome) == {}


@pytest.mark.parametrize("matches", [True, False, None])
def test_whether_a_password_was_the_accounts_is_returned(matches: bool | None) -> None:
    outcome = Outcome({}, {}, [], [], proofs={} if matches is None else {"password": matches})
    assert PasswordRequest("ana").results(outcome) == {"password_matches": matches}


@pytest.mark.parametrize(("opens", "stale"), [(False, 1), (True, 0), (None, 0)])
def test_a_stale_key_is_a_finding_that_no_reading_shows(opens: bool | None, stale: int) -> None:
    one = {"kind": "preboot_untold", "who": "", "what": "x"}
    outcome = Outcome({"findings": [one]}, {}, [], [], proofs={OPENS: opens})
    said = {"kind": "stale_key", "who": "ana", "what": "the password of ana does not open its key"}
    assert RepairRequest("ana").results(outcome) == {"findings": [one, *[said] * stale]}
    assert RepairRequest("ana").results(Outcome({}, {}, [], [], proofs={OPENS: opens})) == {}


def test_what_a_step_says_of_the_notes_on_the_mac() -> None:
    steps = (Note("a"), Forget("b"), UpdatePreboot(), Prove(("ana",)))
    assert [dict(step.notes) for step in steps] == [{"a": False}, {"b": True}, {PREBOOT: True}, {}]


def test_by_whose_word_a_key_is_changed_is_in_the_words() -> None:
    for kind in (ChangeKey, RemoveKey, ArmRestart):
        assert "as ana" in kind("ana").words
        assert "with the current one" in kind("").words
        assert "as ana" not in kind("").words


def test_a_removed_key_is_gone_and_a_bare_account_has_no_password() -> None:
    with_key = Mac(Version(15, 6), filevault=FileVault("on", personal_key=True))
    assert RemoveKey("ana").after(with_key).filevault == FileVault("on", personal_key=False)
    step = CreateAccount(Account("ana", "A", admin=True, has_password=True), bare=True)
    made = step.after(with_key).account("ana")
    assert made is not None
    assert (made.has_password, made.admin, step.user) == (False, False, "ana")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), Ask()),
        (("escrow",), Ask(escrow=True, key_used=True)),
        (("preflight",), Ask(preflight=True)),
        (("platform_sso",), Ask(platform_sso=True)),
        (("restart",), Ask(platform_sso=True, restart=True, authrestart=True)),
        (("preflight", "escrow"), Ask(escrow=True, preflight=True, key_used=True)),
    ],
)
def test_what_a_reading_is_asked_for_by_words(words: tuple[str, ...], expected: Ask) -> None:
    assert Ask.including(words) == expected
