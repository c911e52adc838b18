# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans for FileVault, its users, its keys and the Bootstrap Token: refusals, steps, and what must always hold."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.keyholder.macos.plugins.module_utils._account import EVERYWHERE, Account, Sources
from ansible_collections.keyholder.macos.plugins.module_utils._mac import FileVault, Mac, Management, Volume
from ansible_collections.keyholder.macos.plugins.module_utils._macos import Version
from ansible_collections.keyholder.macos.plugins.module_utils._plan.bootstrap import BootstrapRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.filevault import (
    CollectRequest,
    FileVaultRequest,
    KeyRequest,
    UnlockerRequest,
)
from ansible_collections.keyholder.macos.plugins.module_utils._plan.plan import Plan
from ansible_collections.keyholder.macos.plugins.module_utils._plan.restart import RestartRequest
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._step.filevault import ChangeKey, ValidateKey
from ansible_collections.keyholder.macos.plugins.module_utils._step.general import Prove
from ansible_collections.keyholder.macos.tests.unit.plugins.module_utils import strategies

ADMIN = Account("itadmin", "A" * 36, "IT Admin", 501, 20, admin=True, sources=EVERYWHERE, has_password=True)
ANA = Account("ana", "B" * 36, "Ana Sousa", 502, 20, sources=EVERYWHERE, has_password=True)
BOB = Account("bob", "C" * 36, "Bob", 503, 20, has_password=True)
PLIST = "/var/root/key.plist"
OFF = FileVault("off", personal_key=False)
ON = FileVault("on", personal_key=True)
MANAGED = Management(True, True, True, "https://mdm.example", bootstrap="not_escrowed", supported=True)


def mac(*accounts: Account, version: str = "15.6", **more: t.Any) -> Mac:
    made_up: dict[str, t.Any] = {"volume": Volume("disk3s1s1", True, True), "as_root": True, "filevault": OFF}
    made_up["places"] = strategies.places((), [PLIST, FILE])
    return Mac(Version.parse(version), accounts=accounts or (ADMIN, ANA, BOB), **{**made_up, **more})


def kinds(request: t.Any, of: Mac) -> list[str]:
    return [type(step).__name__ for step in request.plan(of, {}).steps]


def reason(request: t.Any, of: Mac) -> str:
    with pytest.raises(Refusal) as caught:
        request.plan(of, {})
    return caught.value.reason


# -- FileVault --------------------------------------------------------------------------------------------------------

ENABLE = FileVaultRequest("enabled", "itadmin", recovery_key="encrypt")


def test_enable_checks_everything_before_and_delivers_a_validated_key() -> None:
    assert kinds(ENABLE, mac()) == [
        "CheckPassword",
        "CheckRecipients",
        "Note",
        "EnableFileVault",
        "ValidateKey",
        "DeliverKey",
        "Prove",
        "Forget",
    ]


def test_a_key_of_an_earlier_time_is_kept() -> None:
    assert kinds(ENABLE, mac(filevault=replace(OFF, personal_key=True))) == [
        "CheckPassword",
        "EnableFileVault",
        "Prove",
    ]


def test_disabling_says_what_it_costs() -> None:
    plan = FileVaultRequest("disabled", "itadmin").plan(mac(filevault=ON), {})
    assert any("starts without a password" in words for words in plan.words())


@pytest.mark.parametrize(
    ("request_", "filevault", "expected"),
    [
        (ENABLE, ON, []),
        (ENABLE, FileVault("encrypting", 3.0), []),
        (FileVaultRequest("deferred", "ana", defer_path=PLIST), ON, []),
        (FileVaultRequest("deferred", "ana", defer_path=PLIST), replace(OFF, deferred_user="ana"), []),
        (FileVaultRequest("deferred", "bob", defer_path=PLIST), OFF, ["DeferFileVault", "Prove"]),
        (
            FileVaultRequest("deferred", "bob", defer_path=PLIST),
            replace(OFF, deferred_user="ana"),
            ["CancelDeferral", "DeferFileVault", "Prove"],
        ),
        (FileVaultRequest("disabled"), OFF, []),
        (FileVaultRequest("disabled"), replace(OFF, deferred_user="ana"), ["CancelDeferral", "Prove"]),
        (FileVaultRequest("disabled", "ana"), ON, ["CheckPassword", "DisableFileVault", "Prove"]),
    ],
)
def test_filevault_steps(request_: FileVaultRequest, filevault: FileVault, expected: list[str]) -> None:
    assert kinds(request_, mac(filevault=filevault)) == expected


@pytest.mark.parametrize(
    ("request_", "filevault", "expected"),
    [
        (FileVaultRequest("enabled"), OFF, "option_missing"),
        (FileVaultRequest("enabled", "bob"), OFF, "user_no_token"),
        (FileVaultRequest("enabled", "eve"), OFF, "user_unknown"),
        (FileVaultRequest("enabled", "itadmin", ("bob",)), OFF, "user_no_token"),
        (FileVaultRequest("deferred", "eve", defer_path=PLIST), OFF, "user_unknown"),
        (FileVaultRequest("disabled"), ON, "option_missing"),
        (FileVaultRequest("disabled", "bob"), ON, "user_no_token"),
        (FileVaultRequest("enabled", "itadmin"), FileVault("decrypting"), "filevault_busy"),
        (FileVaultRequest("deferred", "ana", defer_path=PLIST), FileVault("decrypting"), "filevault_busy"),
        (FileVaultRequest("enabled", "itadmin"), FileVault("unknown"), "reading_incomplete"),
    ],
)
def test_filevault_refusals(request_: FileVaultRequest, filevault: FileVault, expected: str) -> None:
    assert reason(request_, mac(filevault=filevault)) == expected


# -- who may unlock ---------------------------------------------------------------------------------------------------

UNLISTED = replace(ANA, sources=Sources(True, True, False))
PHANTOM = replace(BOB, sources=Sources(True, False, True))


def test_a_holder_is_put_back_on_the_list() -> None:
    of = mac(ADMIN, UNLISTED, filevault=ON)
    plan = UnlockerRequest("ana", admin_user="itadmin").plan(of, {})
    assert [type(step).__name__ for step in plan.steps] == [
        "CheckPassword",
        "CheckPassword",
        "Note",
        "AddUnlocker",
        "Prove",
        "UpdatePreboot",
    ]
    assert plan.after.account("ana") == ANA


@pytest.mark.parametrize(
    ("request_", "accounts", "expected"),
    [
        (UnlockerRequest("bob", admin_user="itadmin"), (ADMIN, BOB), "user_no_token"),
        (UnlockerRequest("eve", admin_user="itadmin"), (ADMIN,), "user_unknown"),
        (UnlockerRequest("ana", admin_user="bob"), (ADMIN, UNLISTED, BOB), "granter_no_token"),
        (UnlockerRequest("ana", "absent"), (ANA,), "last_unlocker"),
        (UnlockerRequest("ana", "absent"), (ANA, PHANTOM), "last_unlocker"),
        (UnlockerRequest("itadmin", "absent"), (ADMIN, ANA), "last_admin_holder"),
    ],
)
def test_unlocker_refusals(request_: UnlockerRequest, accounts: tuple[Account, ...], expected: str) -> None:
    assert reason(request_, mac(*accounts, filevault=ON)) == expected


# -- the recovery key -------------------------------------------------------------------------------------------------

ROTATE = KeyRequest("rotated", "itadmin", "encrypt")


def test_a_key_is_rotated_only_where_somebody_will_have_it() -> None:
    never = replace(ON, escrowed_at=0)
    assert reason(replace(ROTATE, recovery_key="discard"), mac(filevault=never)) == "no_escrow_path"
    for escrowing in (replace(never, escrow_profile=True), replace(ON, escrowed_at=1)):
        plan = replace(ROTATE, recovery_key="discard").plan(mac(filevault=escrowing), {})
        assert plan.steps[-1] == Prove(facts=("personal_key", "escrow"))
    assert kinds(ROTATE, mac(filevault=ON))[:4] == ["CheckPassword", "CheckRecipients", "Note", "ChangeKey"]
    assert kinds(ROTATE, mac(filevault=ON))[-1] == "Forget"


def test_a_key_that_was_escrowed_once_does_not_stand_for_a_profile_that_is_gone() -> None:
    request = replace(ROTATE, recovery_key="discard")
    with pytest.raises(Refusal, match="is gone") as refusal:
        request.plan(mac(filevault=replace(ON, escrow_profile=False, escrowed_at=1)), {})
    assert refusal.value.reason == "no_escrow_path"


def test_a_key_is_not_given_to_an_escrow_that_nobody_could_look_at() -> None:
    """It would be gone, and whether somebody has it could not be said."""
    request = replace(ROTATE, recovery_key="discard")
    for unread in (ON, replace(ON, escrow_profile=True)):
        assert reason(request, mac(filevault=unread)) == "reading_incomplete"
    assert reason(request, mac(filevault=replace(ON, escrow_profile=False))) == "no_escrow_path"
    assert "ChangeKey" in kinds(ROTATE, mac(filevault=ON))


def test_the_current_key_authenticates_after_it_was_validated() -> None:
    request = KeyRequest("rotated", "", "encrypt", frozenset({"current_key"}))
    steps = request.plan(mac(filevault=ON), {}).steps
    assert steps.index(ValidateKey("current_key")) < steps.index(ChangeKey(""))


@pytest.mark.parametrize(
    ("request_", "filevault", "expected"),
    [
        (KeyRequest("rotated"), ON, "option_missing"),
        (KeyRequest("rotated", "bob", "encrypt"), ON, "user_no_token"),
        (KeyRequest("present", "itadmin", "encrypt"), OFF, "filevault_off"),
        (KeyRequest("validated"), replace(ON, personal_key=False), "key_missing"),
    ],
)
def test_key_refusals(request_: KeyRequest, filevault: FileVault, expected: str) -> None:
    assert reason(request_, mac(filevault=filevault)) == expected


def test_the_last_way_in_is_not_removed() -> None:
    """A key may go while a holder remains; that a holder remains is the guard of every plan."""
    assert kinds(KeyRequest("absent", "itadmin"), mac(filevault=ON))[-2:] == ["RemoveKey", "Prove"]
    nobody = mac(BOB, filevault=ON)
    assert reason(KeyRequest("absent", given=frozenset({"current_key"})), nobody) == "would_lock_out"


def test_the_only_way_in_is_not_rotated_unless_macos_itself_puts_it_aside() -> None:
    """A run may be cut off after the old key has died and before anybody has the new one."""
    by_key = KeyRequest("rotated", "", "encrypt", frozenset({"current_key"}))
    assert reason(by_key, mac(BOB, filevault=ON)) == "would_lock_out"
    assert "ChangeKey" in kinds(by_key, mac(BOB, filevault=replace(ON, escrowed_at=1)))
    assert "ChangeKey" in kinds(by_key, mac(filevault=ON))


# -- who cannot log in ------------------------------------------------------------------------------------------------

BARRED = replace(ADMIN, disabled=True)
DEPUTY = replace(ADMIN, name="deputy", guid="D" * 36, uid=504)


@pytest.mark.parametrize(
    ("request_", "filevault", "expected"),
    [
        (FileVaultRequest("enabled", "itadmin"), OFF, "user_disabled"),
        (FileVaultRequest("enabled", "deputy", ("itadmin",)), OFF, "user_disabled"),
        (FileVaultRequest("disabled", "itadmin"), ON, "user_disabled"),
        (KeyRequest("rotated", "itadmin", "encrypt"), ON, "user_disabled"),
        (RestartRequest("itadmin"), replace(ON, authrestart=True), "user_disabled"),
        (UnlockerRequest("ana", admin_user="itadmin"), ON, "granter_disabled"),
        (BootstrapRequest("escrowed", "itadmin"), OFF, "granter_disabled"),
    ],
)
def test_who_cannot_log_in_is_not_asked_for_a_password(request_: t.Any, filevault: FileVault, expected: str) -> None:
    of = mac(BARRED, DEPUTY, UNLISTED, filevault=filevault, management=MANAGED)
    assert reason(request_, of) == expected


# -- the Bootstrap Token ----------------------------------------------------------------------------------------------

ESCROW = BootstrapRequest("escrowed", "itadmin")


@pytest.mark.parametrize(
    ("request_", "changes", "expected"),
    [
        (ESCROW, {"version": "10.14.6"}, "bootstrap_unsupported"),
        (ESCROW, {"management": Management(False)}, "not_enrolled"),
        (ESCROW, {"version": "10.15.3", "management": replace(MANAGED, automated=False)}, "not_enrolled"),
        (ESCROW, {"management": replace(MANAGED, automated=False, user_approved=False)}, "not_enrolled"),
        (ESCROW, {"management": replace(MANAGED, supported=False)}, "bootstrap_unsupported"),
        (ESCROW, {"management": replace(MANAGED, bootstrap="unknown")}, "reading_incomplete"),
        (BootstrapRequest("escrowed", "ana"), {}, "granter_not_admin"),
        (BootstrapRequest("escrowed", "bob"), {}, "granter_no_token"),
        (BootstrapRequest("validated", "itadmin"), {}, "bootstrap_not_escrowed"),
    ],
)
def test_bootstrap_refusals(request_: BootstrapRequest, changes: dict[str, t.Any], expected: str) -> None:
    assert reason(request_, mac(**{"management": MANAGED, **changes})) == expected


@pytest.mark.parametrize(
    ("state", "status", "expected"),
    [
        ("escrowed", "not_escrowed", ["CheckPassword", "EscrowBootstrap", "Prove"]),
        ("escrowed", "escrowed_unproven", []),
        ("escrowed", "valid", []),
        ("absent", "escrowed_unproven", ["CheckPassword", "RemoveBootstrap", "Prove"]),
        ("absent", "not_escrowed", []),
        ("absent", "not_enrolled", []),
        ("validated", "escrowed_unproven", ["CheckPassword", "ValidateBootstrap"]),
        ("validated", "valid", []),
    ],
)
def test_bootstrap_steps(state: str, status: str, expected: list[str]) -> None:
    assert kinds(BootstrapRequest(state, "itadmin"), mac(management=replace(MANAGED, bootstrap=status))) == expected


# -- the key of a deferral --------------------------------------------------------------------------------------------

FILE = "/var/db/key.plist"
LEFT = frozenset({FILE})


@pytest.mark.parametrize(
    ("request_", "filevault", "files", "expected"),
    [
        (CollectRequest(FILE, "encrypt"), OFF, frozenset(), []),
        (CollectRequest(FILE, "encrypt"), ON, frozenset(), []),
        (CollectRequest(FILE, "encrypt", remove=True), OFF, LEFT, []),
        (CollectRequest(FILE, "encrypt"), ON, LEFT, ["CheckRecipients", "ReadKeyFile", "ValidateKey", "DeliverKey"]),
        (CollectRequest(FILE, remove=True), ON, LEFT, ["ReadKeyFile", "ValidateKey", "RemoveKeyFile", "Prove"]),
    ],
)
def test_collecting_validates_first_and_removes_last(
    request_: CollectRequest, filevault: FileVault, files: frozenset[str], expected: list[str]
) -> None:
    assert kinds(request_, mac(filevault=filevault, files=files)) == expected


def test_only_a_removal_changes_the_mac() -> None:
    of = mac(filevault=ON, files=LEFT)
    assert not CollectRequest(FILE, "encrypt").plan(of, {}).changes
    plan = CollectRequest(FILE, remove=True).plan(of, {})
    assert plan.changes
    assert plan.after.files == frozenset()


def test_a_path_must_be_absolute() -> None:
    assert reason(CollectRequest("key.plist"), mac(filevault=ON, files=LEFT)) == "value_unusable"


# -- restart ----------------------------------------------------------------------------------------------------------

GIVEN = frozenset({"password"})
ARMABLE = replace(ON, authrestart=True)


@pytest.mark.parametrize(
    ("request_", "filevault", "version", "expected"),
    [
        (RestartRequest(), OFF, "15.6", ["Restart"]),
        (RestartRequest("ana", given=GIVEN), ARMABLE, "15.6", ["CheckPassword", "ArmRestart", "Restart"]),
        (
            RestartRequest(given=frozenset({"current_key"})),
            ARMABLE,
            "15.6",
            ["ValidateKey", "ArmRestart", "Restart"],
        ),
        (RestartRequest("ana", True, GIVEN), ARMABLE, "26.1", ["CheckPassword", "ArmRestart", "Restart"]),
        (RestartRequest("ana", True, GIVEN, False), ON, "26.1", ["CheckPassword", "Restart"]),
    ],
)
def test_restart_steps(request_: RestartRequest, filevault: FileVault, version: str, expected: list[str]) -> None:
    plan = request_.plan(mac(version=version, filevault=filevault), {})
    assert [type(step).__name__ for step in plan.steps] == expected
    assert plan.changes


@pytest.mark.parametrize(
    ("request_", "filevault", "version", "expected"),
    [
        (RestartRequest("ana", given=GIVEN), ON, "26.1", "authrestart_unsupported"),
        (RestartRequest("ana", True, GIVEN), ON, "15.6", "authrestart_unsupported"),
        (RestartRequest("ana", given=GIVEN), FileVault("decrypting", 5.0), "15.6", "authrestart_unsupported"),
        (RestartRequest(), ARMABLE, "15.6", "option_missing"),
        (RestartRequest("ana", True), ON, "26.1", "option_missing"),
        (RestartRequest("bob", given=GIVEN), ARMABLE, "15.6", "user_no_token"),
        (RestartRequest(), FileVault("unknown"), "15.6", "reading_incomplete"),
    ],
)
def test_a_mac_that_would_not_come_back_is_not_restarted(
    request_: RestartRequest, filevault: FileVault, version: str, expected: str
) -> None:
    assert reason(request_, mac(version=version, filevault=filevault)) == expected


# -- what holds always ------------------------------------------------------------------------------------------------

requests: st.SearchStrategy[t.Any] = st.one_of(
    st.builds(
        FileVaultRequest,
        st.sampled_from(["enabled", "disabled", "deferred"]),
        st.sampled_from(("",) + strategies.NAMES),
        st.lists(st.sampled_from(strategies.NAMES), max_size=2).map(tuple),
        st.sampled_from(["discard", "return", "encrypt"]),
    ),
    st.builds(
        UnlockerRequest,
        st.sampled_from(strategies.NAMES),
        st.sampled_from(["present", "absent"]),
        st.sampled_from(("",) + strategies.NAMES),
    ),
    st.builds(
        KeyRequest,
        st.sampled_from(["present", "rotated", "absent", "validated"]),
        st.sampled_from(("",) + strategies.NAMES),
        st.sampled_from(["discard", "return", "encrypt"]),
        st.sampled_from([frozenset(), frozenset({"current_key"})]),
    ),
    st.builds(
        RestartRequest,
        st.sampled_from(("",) + strategies.NAMES),
        st.booleans(),
        st.sampled_from([frozenset(), GIVEN, frozenset({"current_key"})]),
    ),
)


@given(strategies.macs(), requests)
def test_no_state_on_the_way_locks_the_mac(of: Mac, request: t.Any) -> None:
    try:
        plan: Plan = request.plan(of, {})
    except Refusal:
        return
    for state in plan.states():
        assert state.granters or not of.granters
        if state.filevault.on and not (of.filevault.on and not of.holders and not of.filevault.personal_key):
            assert state.holders or state.filevault.personal_key


@given(strategies.macs(), requests)
def test_the_second_plan_is_empty(of: Mac, request: t.Any) -> None:
    """But for rotating and restarting, which are asked for by name each time, and validating, which is an act."""
    try:
        after = request.plan(of, {}).after
    except Refusal:
        return
    again = isinstance(request, KeyRequest) and request.state in ("rotated", "validated")
    if again or isinstance(request, RestartRequest):
        return
    if isinstance(request, FileVaultRequest) and request.state == "disabled":
        after = replace(after, filevault=replace(after.filevault, personal_key=False))
    assert request.plan(after, {}).words() == []
