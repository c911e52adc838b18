# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans about FileVault, its keys, the Bootstrap Token and a restart: each step, each refusal and each view in full."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils._account import EVERYWHERE, NOWHERE, Account, Sources
from ansible_collections.keyholder.macos.plugins.module_utils._mac import FileVault, Mac, Management, Missing, Volume
from ansible_collections.keyholder.macos.plugins.module_utils._macos import Version
from ansible_collections.keyholder.macos.plugins.module_utils._place import Place, way
from ansible_collections.keyholder.macos.plugins.module_utils._plan.bootstrap import BootstrapRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.filevault import (
    CollectRequest,
    FileVaultRequest,
    KeyRequest,
    UnlockerRequest,
    holder,
)
from ansible_collections.keyholder.macos.plugins.module_utils._plan.plan import Plan
from ansible_collections.keyholder.macos.plugins.module_utils._plan.restart import RestartRequest
from ansible_collections.keyholder.macos.plugins.module_utils._reading.ask import Ask
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._step.base import Step
from ansible_collections.keyholder.macos.plugins.module_utils._step.bootstrap import (
    EscrowBootstrap,
    RemoveBootstrap,
    ValidateBootstrap,
)
from ansible_collections.keyholder.macos.plugins.module_utils._step.filevault import (
    AddUnlocker,
    ArmRestart,
    CancelDeferral,
    ChangeKey,
    CheckRecipients,
    DeferFileVault,
    DeliverKey,
    DisableFileVault,
    EnableFileVault,
    ReadKeyFile,
    RemoveKey,
    RemoveKeyFile,
    RemoveUnlocker,
    Restart,
    ValidateKey,
)
from ansible_collections.keyholder.macos.plugins.module_utils._step.general import Forget, Note, Prove, UpdatePreboot
from ansible_collections.keyholder.macos.plugins.module_utils._step.token import CheckPassword, VerifyKey
from ansible_collections.keyholder.macos.plugins.module_utils._unfinished import MAKING_KEY

ADMIN = Account("itadmin", "A" * 36, "IT Admin", 501, 20, admin=True, sources=EVERYWHERE, failed_logins=0)
ANA = Account("ana", "B" * 36, "Ana Sousa", 502, 20, sources=EVERYWHERE, failed_logins=0)
RUI = replace(ANA, name="rui", guid="C" * 36, uid=503, sources=NOWHERE)
ON = FileVault("on", personal_key=True, escrowed_at=0, escrow_profile=False)
OFF = replace(ON, state="off", personal_key=False)
PATH = "/var/db/key.plist"
ROOTS = tuple(Place(path, "folder", True) for path in way("/var/db")) + (Place("/private/var/db/key.plist", "nothing"),)
MISSING = (Missing("a fact", "exit status 1"),)
MAKING = frozenset({MAKING_KEY})
NOTE, TELL = Note("preboot"), UpdatePreboot()
CHECK_IT, CHECK_ANA = CheckPassword("itadmin", "password", "user"), CheckPassword("ana", "password", "user")
GRANTER = CheckPassword("itadmin", "admin_password", "granter")


def mac(*accounts: Account, version: str = "15.6", **more: t.Any) -> Mac:
    made_up: dict[str, t.Any] = {
        "volume": Volume("disk3s1s1", True, True),
        "as_root": True,
        "filevault": OFF,
        "places": ROOTS,
        "missing": MISSING,
    }
    return Mac(Version.parse(version), accounts=accounts or (ADMIN, ANA, RUI), **{**made_up, **more})


def refusal(request: t.Any, of: Mac) -> tuple[str, str]:
    with pytest.raises(Refusal) as refused:
        request.plan(of, {})
    return refused.value.reason, refused.value.msg


def proven(*facts: str) -> Prove:
    return Prove(facts=facts)


# -- FileVault --------------------------------------------------------------------------------------------------------

ENABLE = FileVaultRequest("enabled", "itadmin")
PLAIN = (EnableFileVault("itadmin"), ValidateKey())
NOBODYS = "the recovery key will be lost: it is discarded, and no MDM profile was seen that escrows it"
KEPT = "macOS keeps the earlier recovery key and returns none: rotate the key to get a new one"


@pytest.mark.parametrize(
    ("request_", "filevault", "steps", "notes"),
    [
        (ENABLE, OFF, (CHECK_IT, *PLAIN, proven("filevault")), (NOBODYS,)),
        (ENABLE, replace(OFF, escrow_profile=True), (CHECK_IT, *PLAIN, proven("filevault")), ()),
        (
            replace(ENABLE, recovery_key="return"),
            OFF,
            (
                CHECK_IT,
                Note(MAKING_KEY),
                *PLAIN,
                DeliverKey("return"),
                proven("filevault"),
                Forget(MAKING_KEY),
            ),
            (),
        ),
        (
            replace(ENABLE, recovery_key="encrypt"),
            OFF,
            (
                CHECK_IT,
                CheckRecipients(),
                Note(MAKING_KEY),
                *PLAIN,
                DeliverKey("encrypt"),
                proven("filevault"),
                Forget(MAKING_KEY),
            ),
            (),
        ),
        (
            replace(ENABLE, recovery_key="encrypt"),
            replace(OFF, personal_key=True),
            (CHECK_IT, PLAIN[0], proven("filevault")),
            (KEPT,),
        ),
        (ENABLE, replace(OFF, personal_key=True), (CHECK_IT, PLAIN[0], proven("filevault")), ()),
        (
            replace(ENABLE, additional_users=("ana",)),
            OFF,
            (
                CHECK_IT,
                CheckPassword("ana", "additional_users[0].password", "user"),
                EnableFileVault("itadmin", ("ana",)),
                ValidateKey(),
                proven("filevault"),
            ),
            (NOBODYS,),
        ),
        (ENABLE, ON, (), ()),
        (FileVaultRequest("disabled", "ana"), ON, (CHECK_ANA, DisableFileVault("ana"), proven("filevault")), ()),
        (FileVaultRequest("disabled"), OFF, (), ()),
        (FileVaultRequest("disabled"), replace(OFF, state="decrypting"), (), ()),
        (
            FileVaultRequest("disabled"),
            replace(OFF, deferred_user="ana"),
            (CancelDeferral(), proven("deferral")),
            (),
        ),
        (
            FileVaultRequest("deferred", "rui", defer_path=PATH, force_at_login=3, ask_at_logout=False, show_key=True),
            OFF,
            (DeferFileVault("rui", PATH, 3, False, True), proven("deferral")),
            (),
        ),
        (
            FileVaultRequest("deferred", "rui", defer_path=PATH),
            replace(OFF, deferred_user="rui", deferral_path="/elsewhere"),
            (CancelDeferral(), DeferFileVault("rui", PATH), proven("deferral")),
            (),
        ),
        (
            FileVaultRequest("deferred", "rui", defer_path=PATH),
            replace(OFF, deferred_user="rui", deferral_path=PATH),
            (),
            (),
        ),
        (FileVaultRequest("deferred", "rui", defer_path=PATH), replace(OFF, deferred_user="rui"), (), ()),
        (FileVaultRequest("deferred", "rui", defer_path=PATH), ON, (), ()),
    ],
)
def test_filevault_step_by_step(
    request_: FileVaultRequest, filevault: FileVault, steps: tuple[Step, ...], notes: tuple[str, ...]
) -> None:
    plan = request_.plan(mac(filevault=filevault), {})
    assert (plan.steps, plan.notes) == (steps, notes)


BUSY = "FileVault is being switched off ({}): run again after that"
UNREAD = ("reading_incomplete", "the status of FileVault could not be read")
HOLDERS = "rui holds no Secure Token (directory no, crypto users no, FileVault list no); holders: {}"


@pytest.mark.parametrize(
    ("request_", "of", "expected"),
    [
        (ENABLE, mac(filevault=replace(OFF, state="unknown")), UNREAD),
        (ENABLE, mac(filevault=replace(OFF, state="decrypting")), ("filevault_busy", BUSY.format("decrypting"))),
        (
            replace(ENABLE, state="deferred", defer_path=PATH),
            mac(filevault=replace(OFF, state="restart_to_disable")),
            ("filevault_busy", BUSY.format("restart to disable")),
        ),
        (
            FileVaultRequest("disabled", "ana"),
            mac(filevault=replace(OFF, state="decrypting", deferred_user="ana")),
            ("filevault_busy", BUSY.format("decrypting")),
        ),
        (
            FileVaultRequest("disabled", "ana"),
            mac(filevault=replace(ON, state="restart_to_finish")),
            (
                "filevault_busy",
                "FileVault is not on yet (restart to finish), and cannot be disabled before that",
            ),
        ),
        (
            FileVaultRequest("enabled"),
            mac(),
            ("option_missing", "user was not given, and FileVault cannot be enabled without it"),
        ),
        (FileVaultRequest("enabled", "ada"), mac(), ("user_unknown", "user ada has no account on this Mac")),
        (
            FileVaultRequest("enabled", "RUI"),
            mac(),
            (
                "name_differs",
                "RUI is no account on this Mac, but rui is, and macOS takes the two names for one: write rui",
            ),
        ),
        (FileVaultRequest("enabled", "rui"), mac(), ("user_no_token", HOLDERS.format("itadmin, ana"))),
        (FileVaultRequest("enabled", "rui"), mac(RUI), ("user_no_token", HOLDERS.format("none"))),
        (
            FileVaultRequest("deferred", "ada", defer_path=PATH),
            mac(),
            ("user_unknown", "user ada has no account on this Mac"),
        ),
        (
            FileVaultRequest("deferred", "RUI", defer_path=PATH),
            mac(),
            (
                "name_differs",
                "RUI is no account on this Mac, but rui is, and macOS takes the two names for one: write rui",
            ),
        ),
        (
            FileVaultRequest("deferred", "rui", defer_path="key.plist"),
            mac(),
            ("value_unusable", "defer_path is 'key.plist', and must be an absolute path that can be printed"),
        ),
    ],
)
def test_filevault_refusals_in_full(request_: FileVaultRequest, of: Mac, expected: tuple[str, str]) -> None:
    assert refusal(request_, of) == expected


CUT = "an earlier run was interrupted while it made a recovery key, so the present key may be lost"


@pytest.mark.parametrize(
    ("filevault", "pending", "told"),
    [
        (ON, MAKING, True),
        (ON, frozenset(), False),
        (replace(ON, personal_key=False), MAKING, False),
        (replace(ON, personal_key=None), MAKING, True),
        (replace(ON, state="decrypting"), MAKING, False),
    ],
)
def test_a_key_that_nobody_may_have_is_told_of(filevault: FileVault, pending: frozenset[str], told: bool) -> None:
    of = mac(filevault=filevault, pending=pending)
    request = KeyRequest("present") if filevault.personal_key else KeyRequest("absent")
    plan = request.plan(of, {})
    assert [note.startswith(CUT) for note in plan.notes] == [True] * told
    assert plan.steps == ()
    if filevault.on:
        assert ENABLE.plan(of, {}).notes == plan.notes


def test_disabling_takes_the_note_of_a_key_away() -> None:
    plan = FileVaultRequest("disabled", "ana").plan(mac(filevault=ON, pending=MAKING), {})
    assert plan.steps[-1] == Forget(MAKING_KEY)


def test_what_a_request_about_filevault_has_read() -> None:
    assert ENABLE.ask == Ask(escrow_if_off=True, deferral=True)
    assert replace(ENABLE, defer_path=PATH).ask == Ask(escrow_if_off=True, deferral=True)
    assert replace(ENABLE, state="deferred", defer_path=PATH).ask == Ask(escrow_if_off=True, deferral=True, way=PATH)
    assert replace(ENABLE, state="deferred", defer_path="x").ask == Ask(escrow_if_off=True, deferral=True)
    assert CollectRequest(PATH).ask == Ask(exists=(PATH,), way=PATH)
    assert CollectRequest("x").ask == Ask()


def test_the_views_of_filevault_in_full() -> None:
    of = mac(filevault=replace(ON, deferred_user="ana", escrowed_at=5, authrestart=True), pending=MAKING, files={PATH})
    assert ENABLE.view(of) == {
        "enabled": True,
        "deferred_user": "ana",
        "personal_recovery_key": True,
        "users": ["itadmin", "ana"],
        "recovery_key_pending": True,
    }
    assert KeyRequest("present").view(of) == {
        "personal_recovery_key": True,
        "filevault_enabled": True,
        "escrow_profile": False,
        "escrowed_at": 5,
        "recovery_key_pending": True,
    }
    assert CollectRequest(PATH).view(of) == {
        "personal_recovery_key": True,
        "filevault_enabled": True,
        "key_file": True,
    }
    assert RestartRequest().view(of) == {"filevault": "on", "authrestart": True}
    plain = mac()
    assert (ENABLE.view(plain)["recovery_key_pending"], CollectRequest(PATH).view(plain)["key_file"]) == (False, False)
    assert KeyRequest("present").view(plain)["recovery_key_pending"] is False
    for request in (ENABLE, KeyRequest("present"), CollectRequest(PATH), RestartRequest(), UnlockerRequest("ana")):
        assert request.compares(of) == {}


# -- who may unlock ---------------------------------------------------------------------------------------------------

UNLISTED, GHOST = Sources(True, True, False), Sources(False, False, True)


def test_letting_somebody_unlock_step_by_step() -> None:
    of = mac(ADMIN, replace(ANA, sources=UNLISTED), filevault=ON)
    plan = UnlockerRequest("ana", admin_user="itadmin").plan(of, {})
    assert plan.steps == (GRANTER, CHECK_ANA, NOTE, AddUnlocker("ana", "itadmin"), Prove(("ana",)), TELL)
    assert UnlockerRequest("itadmin", admin_user="itadmin").plan(of, {}).steps == ()


@pytest.mark.parametrize(
    ("sources", "refused"),
    [
        (UNLISTED, False),
        (Sources(False, True, False), True),
        (Sources(True, False, False), True),
        (NOWHERE, True),
    ],
)
def test_who_is_let_in_holds_a_token(sources: Sources, refused: bool) -> None:
    of = mac(ADMIN, replace(ANA, sources=sources), filevault=ON)
    request = UnlockerRequest("ana", admin_user="itadmin")
    if refused:
        assert refusal(request, of) == ("user_no_token", f"ana holds no Secure Token: {sources.words()}")
    else:
        assert request.plan(of, {}).changes


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("off", ("filevault_off", "FileVault is off, so ana cannot be allowed to unlock it")),
        (
            "decrypting",
            ("filevault_busy", "FileVault is not ready (decrypting), so ana cannot be allowed to unlock it yet"),
        ),
        (
            "restart_to_enable",
            (
                "filevault_busy",
                "FileVault is not ready (restart to enable), so ana cannot be allowed to unlock it yet",
            ),
        ),
        ("unknown", UNREAD),
    ],
)
def test_nobody_is_let_in_while_nothing_can_be_changed(state: str, expected: tuple[str, str]) -> None:
    of = mac(ADMIN, replace(ANA, sources=UNLISTED), filevault=replace(ON, state=state))
    assert refusal(UnlockerRequest("ana", admin_user="itadmin"), of) == expected


@pytest.mark.parametrize(
    ("people", "reason"),
    [
        ((ADMIN, ANA), ""),
        ((ANA,), "last_unlocker"),
        ((ANA, replace(RUI, sources=GHOST)), "last_unlocker"),
        ((replace(ANA, sources=GHOST), replace(RUI, sources=GHOST)), ""),
        ((replace(ANA, sources=GHOST),), "last_unlocker"),
        ((ANA, replace(ADMIN, sources=UNLISTED)), "last_unlocker"),
    ],
)
def test_the_last_who_unlocks_stays_on_the_list(people: tuple[Account, ...], reason: str) -> None:
    of = mac(*people, filevault=ON)
    request = UnlockerRequest("ana", "absent")
    if reason:
        assert refusal(request, of) == (
            reason,
            "ana is the last account that can unlock FileVault, and macOS does not remove it",
        )
    else:
        steps = request.plan(of, {}).steps
        assert [step for step in steps if step not in (NOTE, TELL)] == [RemoveUnlocker("ana"), Prove(("ana",))]


def test_who_is_not_on_the_list_is_not_taken_off_it() -> None:
    of = mac(ADMIN, ANA, RUI, filevault=ON)
    for name in ("rui", "ada"):
        assert UnlockerRequest(name, "absent").plan(of, {}).steps == ()
    assert refusal(UnlockerRequest("RUI", "absent"), of)[0] == "name_differs"
    assert refusal(UnlockerRequest("RUI"), of)[0] == "name_differs"
    assert refusal(UnlockerRequest("ada"), of) == ("user_unknown", "ada has no account on this Mac")


def test_the_view_of_one_who_unlocks() -> None:
    request = UnlockerRequest("ana")
    assert request.view(mac(ADMIN)) == {"user": "ana", "exists": False}
    of = mac(ADMIN, replace(ANA, sources=UNLISTED), pending=frozenset({"preboot"}))
    assert request.view(of) == {
        "user": "ana",
        "exists": True,
        "can_unlock": False,
        "secure_token": "phantom",
        "sources": UNLISTED.view(),
        "preboot_pending": True,
    }
    assert request.view(mac(ADMIN, ANA))["preboot_pending"] is False


# -- the recovery key -------------------------------------------------------------------------------------------------

KEY = frozenset({"current_key"})
BY_KEY = ValidateKey("current_key")
EARLY = VerifyKey("ana", "B" * 36, "password", early=True, needed=True)
MADE = (ChangeKey("ana"), ValidateKey())
ESCROWS = replace(ON, escrow_profile=True)


@pytest.mark.parametrize(
    ("request_", "of", "steps"),
    [
        (KeyRequest("present"), mac(filevault=ON), ()),
        (KeyRequest("absent"), mac(filevault=replace(ON, personal_key=False)), ()),
        (KeyRequest("absent"), mac(filevault=replace(ON, personal_key=None)), ()),
        (KeyRequest("validated"), mac(filevault=ON), (BY_KEY,)),
        (KeyRequest("validated"), mac(filevault=ON, pending=MAKING), (BY_KEY, Forget(MAKING_KEY))),
        (
            KeyRequest("absent", "ana"),
            mac(filevault=ON),
            (CHECK_ANA, EARLY, RemoveKey("ana"), proven("personal_key")),
        ),
        (
            KeyRequest("absent", given=KEY),
            mac(filevault=replace(ON, institutional_key=True)),
            (BY_KEY, RemoveKey(""), proven("personal_key")),
        ),
        (
            KeyRequest("rotated", "ana"),
            mac(filevault=ESCROWS),
            (CHECK_ANA, *MADE, proven("personal_key", "escrow")),
        ),
        (
            KeyRequest("rotated", "ana"),
            mac(filevault=ESCROWS, pending=MAKING),
            (
                CHECK_ANA,
                Note(MAKING_KEY),
                *MADE,
                proven("personal_key", "escrow"),
                Forget(MAKING_KEY),
            ),
        ),
        (
            KeyRequest("rotated", given=KEY, recovery_key="return"),
            mac(filevault=ON),
            (
                BY_KEY,
                Note(MAKING_KEY),
                ChangeKey(""),
                ValidateKey(),
                DeliverKey("return"),
                proven("personal_key"),
                Forget(MAKING_KEY),
            ),
        ),
        (
            KeyRequest("present", "ana", "encrypt"),
            mac(filevault=replace(ON, personal_key=False)),
            (
                CHECK_ANA,
                CheckRecipients(),
                Note(MAKING_KEY),
                *MADE,
                DeliverKey("encrypt"),
                proven("personal_key"),
                Forget(MAKING_KEY),
            ),
        ),
    ],
)
def test_a_recovery_key_step_by_step(request_: KeyRequest, of: Mac, steps: tuple[Step, ...]) -> None:
    plan = request_.plan(of, {})
    assert (plan.steps, plan.notes) == (steps, ())


NOT_READ = "it could not be read when a key was last escrowed, so an escrow of the new one could not be proven"
NOBODY_HAS = "the new key would be lost: no recipients were given, and no MDM profile escrows it"
LOST = "no holder can log in, and an interrupted run would lose the new recovery key"
OLD = "on macOS 10.13.6 a recovery key cannot authenticate: give user and password of a holder"
GIVE = "give user and password of a holder, or current_key"
DISCARDS, RETURNS = KeyRequest("rotated", "ana"), KeyRequest("rotated", "ana", "return")
BARRED = replace(ANA, disabled=True)


@pytest.mark.parametrize(
    ("request_", "of", "expected"),
    [
        (
            KeyRequest("validated"),
            mac(filevault=replace(ON, personal_key=False)),
            ("key_missing", "there is no personal recovery key on this Mac to validate"),
        ),
        (DISCARDS, mac(filevault=ON), ("no_escrow_path", NOBODY_HAS)),
        (
            DISCARDS,
            mac(filevault=replace(ON, escrowed_at=5)),
            ("no_escrow_path", f"{NOBODY_HAS} (an earlier profile did, and is gone)"),
        ),
        (
            DISCARDS,
            mac(filevault=replace(ON, escrow_profile=None, escrowed_at=None)),
            ("reading_incomplete", NOT_READ),
        ),
        (
            DISCARDS,
            mac(filevault=replace(ON, escrow_profile=True, escrowed_at=None)),
            ("reading_incomplete", NOT_READ),
        ),
        (DISCARDS, mac(filevault=replace(ON, escrowed_at=None)), ("no_escrow_path", NOBODY_HAS)),
        (DISCARDS, mac(filevault=OFF), ("filevault_off", "FileVault is off, so no recovery key can be made")),
        (
            KeyRequest("rotated", given=KEY, recovery_key="return"),
            mac(BARRED, RUI, filevault=ON),
            ("would_lock_out", LOST),
        ),
        (
            KeyRequest("rotated", given=KEY, recovery_key="return"),
            mac(version="10.13.6", filevault=ON),
            ("option_missing", OLD),
        ),
        (KeyRequest("rotated", recovery_key="return"), mac(filevault=ON), ("option_missing", GIVE)),
        (KeyRequest("rotated", "rui", "return"), mac(filevault=ON), ("user_no_token", HOLDERS.format("itadmin, ana"))),
    ],
)
def test_keys_that_are_not_made(request_: KeyRequest, of: Mac, expected: tuple[str, str]) -> None:
    assert refusal(request_, of) == expected


def test_keys_that_are_made_all_the_same() -> None:
    by_key = KeyRequest("rotated", given=KEY, recovery_key="return")
    assert by_key.plan(mac(BARRED, RUI, filevault=ESCROWS), {}).changes
    assert by_key.plan(mac(BARRED, ADMIN, filevault=ON), {}).changes
    assert by_key.plan(mac(version="10.14", filevault=ON), {}).changes
    assert RETURNS.plan(mac(filevault=replace(ON, escrow_profile=None, escrowed_at=None)), {}).changes


# -- the key of a deferral --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "steps"),
    [
        (CollectRequest(PATH), (ReadKeyFile(PATH), ValidateKey())),
        (CollectRequest(PATH, "return"), (ReadKeyFile(PATH), ValidateKey(), DeliverKey("return"))),
        (
            CollectRequest(PATH, "encrypt", remove=True),
            (
                CheckRecipients(),
                ReadKeyFile(PATH),
                ValidateKey(),
                DeliverKey("encrypt"),
                RemoveKeyFile(PATH),
                proven("key_file"),
            ),
        ),
    ],
)
def test_a_key_file_step_by_step(request_: CollectRequest, steps: tuple[Step, ...]) -> None:
    of = mac(filevault=ON, files=frozenset({PATH}))
    assert request_.plan(of, {}).steps == steps
    gone = replace(of, files=frozenset())
    assert request_.plan(gone, {}) == Plan(gone)
    off = request_.plan(replace(of, filevault=OFF), {})
    assert (off.steps, off.notes) == ((), (f"{PATH} is there although FileVault is off; this run left the file alone",))


# -- restart ----------------------------------------------------------------------------------------------------------

ARMED = replace(ON, authrestart=True)
GIVEN = frozenset({"password"})
PAST = "FileVault is {}, and this Mac cannot restart past its unlock screen"


@pytest.mark.parametrize(
    ("request_", "of", "steps"),
    [
        (RestartRequest(), mac(filevault=OFF), (Restart(),)),
        (RestartRequest("ana", given=GIVEN), mac(filevault=ARMED), (CHECK_ANA, ArmRestart("ana"), Restart())),
        (
            RestartRequest("ana", given=GIVEN),
            mac(filevault=replace(ARMED, state="decrypting")),
            (CHECK_ANA, ArmRestart("ana"), Restart()),
        ),
        (RestartRequest(given=KEY), mac(filevault=ARMED), (BY_KEY, ArmRestart(""), Restart())),
        (
            RestartRequest("ana", True, GIVEN, False),
            mac(filevault=ON, version="26.0"),
            (CHECK_ANA, Restart(locked=True)),
        ),
    ],
)
def test_a_restart_step_by_step(request_: RestartRequest, of: Mac, steps: tuple[Step, ...]) -> None:
    assert request_.plan(of, {}).steps == steps


SSH = ("option_missing", "give user and password of a holder, to unlock the volume over SSH")


@pytest.mark.parametrize(
    ("request_", "of", "expected"),
    [
        (
            RestartRequest("ana", True, GIVEN),
            mac(filevault=ON, version="25.9"),
            ("authrestart_unsupported", PAST.format("on")),
        ),
        (
            RestartRequest("ana", False, GIVEN),
            mac(filevault=ON, version="26.0"),
            ("authrestart_unsupported", PAST.format("on")),
        ),
        (
            RestartRequest(),
            mac(filevault=replace(ON, state="restart_to_disable")),
            ("authrestart_unsupported", PAST.format("restart to disable")),
        ),
        (RestartRequest("", True, GIVEN), mac(filevault=ON, version="26.0"), SSH),
        (RestartRequest("ana", True), mac(filevault=ON, version="26.0"), SSH),
        (
            RestartRequest("rui", True, GIVEN),
            mac(filevault=ON, version="26.0"),
            ("user_no_token", HOLDERS.format("itadmin, ana")),
        ),
        (RestartRequest(), mac(filevault=ARMED), ("option_missing", f"FileVault is on: {GIVE}")),
        (RestartRequest(), mac(filevault=replace(ON, state="unknown")), UNREAD),
    ],
)
def test_restarts_that_are_not_made(request_: RestartRequest, of: Mac, expected: tuple[str, str]) -> None:
    assert refusal(request_, of) == expected


@pytest.mark.parametrize(("said", "words"), [(False, "false"), (None, "nothing")])
def test_what_macos_said_of_a_restart_is_evidence(said: bool | None, words: str) -> None:
    with pytest.raises(Refusal) as refused:
        RestartRequest().plan(mac(filevault=replace(ON, authrestart=said)), {})
    assert refused.value.evidence == (f"fdesetup supportsauthrestart: {words}",)


def test_a_holder_is_one_who_can_unlock() -> None:
    assert holder(mac(), "ana") == ANA


# -- the Bootstrap Token ----------------------------------------------------------------------------------------------

MANAGED = Management(True, True, True, "", "not_escrowed", True)
BOOTSTRAP = proven("bootstrap")


@pytest.mark.parametrize(
    ("state", "status", "steps"),
    [
        ("escrowed", "not_escrowed", (GRANTER, EscrowBootstrap("itadmin"), BOOTSTRAP)),
        ("escrowed", "valid", ()),
        ("absent", "valid", (GRANTER, RemoveBootstrap("itadmin"), BOOTSTRAP)),
        ("absent", "escrowed_unproven", (GRANTER, RemoveBootstrap("itadmin"), BOOTSTRAP)),
        ("absent", "unsupported", ()),
        ("validated", "escrowed_unproven", (GRANTER, ValidateBootstrap("itadmin"))),
        ("validated", "valid", ()),
    ],
)
def test_a_bootstrap_token_step_by_step(state: str, status: str, steps: tuple[Step, ...]) -> None:
    of = mac(management=replace(MANAGED, bootstrap=status))
    assert BootstrapRequest(state, "itadmin").plan(of, {}).steps == steps


TOO_OLD = "macOS 10.14.6 has no Bootstrap Token; it came with 10.15"
AUTOMATED = "macOS 10.15.3 makes a Bootstrap Token only after automated enrolment"
STATUS = ("reading_incomplete", "the status of the Bootstrap Token could not be read")


@pytest.mark.parametrize(
    ("version", "managed", "state", "expected"),
    [
        ("10.14.6", MANAGED, "escrowed", ("bootstrap_unsupported", TOO_OLD)),
        ("10.15", MANAGED, "escrowed", None),
        (
            "15.6",
            replace(MANAGED, enrolled=None),
            "escrowed",
            ("reading_incomplete", "the enrolment in MDM could not be read"),
        ),
        (
            "15.6",
            replace(MANAGED, enrolled=False),
            "escrowed",
            ("not_enrolled", "this Mac is not enrolled in MDM"),
        ),
        ("10.15.3", replace(MANAGED, automated=False), "escrowed", ("not_enrolled", AUTOMATED)),
        ("10.15.4", replace(MANAGED, automated=False), "escrowed", None),
        ("10.15.3", MANAGED, "escrowed", None),
        ("15.6", replace(MANAGED, user_approved=False), "escrowed", None),
        (
            "15.6",
            replace(MANAGED, automated=False, user_approved=False),
            "escrowed",
            ("not_enrolled", "the enrolment was not approved by the user"),
        ),
        (
            "15.6",
            replace(MANAGED, supported=False),
            "escrowed",
            ("bootstrap_unsupported", "the MDM server does not support the Bootstrap Token"),
        ),
        ("15.6", replace(MANAGED, supported=None), "escrowed", None),
        ("15.6", replace(MANAGED, bootstrap="unknown"), "escrowed", STATUS),
        ("15.6", replace(MANAGED, bootstrap="unknown"), "absent", STATUS),
        (
            "15.6",
            MANAGED,
            "validated",
            ("bootstrap_not_escrowed", "there is no escrowed Bootstrap Token to validate"),
        ),
    ],
)
def test_where_no_bootstrap_token_is_possible(
    version: str, managed: Management, state: str, expected: tuple[str, str] | None
) -> None:
    of = mac(version=version, management=managed)
    request = BootstrapRequest(state, "itadmin")
    if expected is None:
        assert request.plan(of, {}).changes
    else:
        assert refusal(request, of) == expected


def test_the_view_of_a_bootstrap_token() -> None:
    of = mac(management=replace(MANAGED, bootstrap="valid", bootstrap_crypto_user=True, preflight=False))
    request = BootstrapRequest("escrowed")
    assert request.view(of) == {
        "status": "valid",
        "supported_on_server": True,
        "crypto_user": True,
        "preflight": False,
        "enrolled": True,
    }
    assert (request.ask, request.compares(of)) == (Ask(preflight=True), {})


# -- where root's own files may lie -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "option"),
    [(FileVaultRequest("deferred", "rui", defer_path="{}"), "defer_path"), (CollectRequest("{}"), "path")],
)
@pytest.mark.parametrize(
    ("path", "reason"), [("key.plist", "value_unusable"), ("/Volumes/x/key.plist", "path_unsafe"), (PATH, "")]
)
def test_a_refused_path_names_its_option(request_: t.Any, option: str, path: str, reason: str) -> None:
    field = "defer_path" if option == "defer_path" else "path"
    state = OFF if option == "defer_path" else ON
    asked = replace(request_, **{field: path})
    of = mac(filevault=state, files=frozenset({path}))
    if reason:
        said, msg = refusal(asked, of)
        assert (said, msg.startswith(f"{option} is {path!r}")) == (reason, True)
    else:
        assert asked.plan(of, {}).steps


def test_what_is_read_before_a_key_or_a_restart() -> None:
    assert KeyRequest("rotated").ask == Ask(escrow=True, escrow_profile=True)
    assert RestartRequest().ask == Ask(authrestart=True)
    assert UnlockerRequest("ana").ask == Ask()
