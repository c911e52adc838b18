# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What app-sso prints becomes what is known of Platform SSO, and what is not understood becomes nothing."""

from __future__ import annotations

import json
import typing as t
from dataclasses import replace

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils._command import app_sso
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Ran
from ansible_collections.keyholder.macos.plugins.module_utils._sso import NONE_HERE, PlatformSSO

DEVICE = {
    "extensionIdentifier": "com.example.sso",
    "fileVaultPolicy": "AttemptAuthentication (1)",
    "loginPolicy": "RequireAuthentication, AllowOfflineGracePeriod (6)",
    "loginType": "POLoginTypePassword (1)",
    "nonPlatformSSOAccounts": ["itadmin"],
    "offlineGracePeriod": "24 hours",
    "registrationCompleted": True,
    "unlockPolicy": "None (0)",
}
WHOLE = PlatformSSO(
    True,
    True,
    "com.example.sso",
    "password",
    ("AttemptAuthentication",),
    ("RequireAuthentication", "AllowOfflineGracePeriod"),
    (),
    ("itadmin",),
    24,
)


def said(device: t.Any, rc: int | None = 0) -> Ran:
    text = device if isinstance(device, str) else json.dumps(device, indent=2, separators=(",", " : "))
    login = "Login Configuration:\n {\n}\n\nUser Configuration:\n (null)\n"
    return Ran(app_sso.STATE, rc, f"Time: 2026-04-25 09:41:29 +0000\n\nDevice Configuration:\n {text}\n\n{login}")


def parsed(**changes: t.Any) -> PlatformSSO:
    return app_sso.parse_state(said({**DEVICE, **changes}))


def without(key: str) -> PlatformSSO:
    return app_sso.parse_state(said({name: value for name, value in DEVICE.items() if name != key}))


def test_a_whole_answer_is_read() -> None:
    assert parsed() == WHOLE
    assert app_sso.STATE.private


@pytest.mark.parametrize(
    ("ran", "expected"),
    [
        (said("(null)"), NONE_HERE),
        (said(DEVICE, rc=1), PlatformSSO()),
        (said(DEVICE, rc=None), PlatformSSO()),
        (said("{ broken"), PlatformSSO()),
        (said("[]"), PlatformSSO()),
        (said("registered"), PlatformSSO()),
        (said("[" * 100_000), PlatformSSO()),
        (said("{}"), PlatformSSO(True, exempt=())),
        (Ran(app_sso.STATE, 0, "usage: app-sso [-l]\n"), PlatformSSO()),
        (Ran(app_sso.STATE, 0, "Device Configuration:\n"), PlatformSSO()),
        (Ran(app_sso.STATE, 0, "User Configuration:\n (null)\n"), PlatformSSO()),
    ],
)
def test_what_is_no_answer_says_nothing(ran: Ran, expected: PlatformSSO) -> None:
    assert app_sso.parse_state(ran) == expected


@pytest.mark.parametrize(
    ("key", "field"),
    [
        ("fileVaultPolicy", "filevault"),
        ("loginPolicy", "login"),
        ("unlockPolicy", "unlock"),
        ("loginType", "method"),
        ("registrationCompleted", "registered"),
        ("offlineGracePeriod", "offline_hours"),
    ],
)
@pytest.mark.parametrize("value", [None, 7, [], {}, "", "no number", " (1)", ", (3)"])
def test_a_value_that_is_not_understood_is_unknown_and_never_none(key: str, field: str, value: t.Any) -> None:
    expected = replace(WHOLE, **{field: None})
    assert parsed(**{key: value}) == expected
    assert without(key) == expected


@pytest.mark.parametrize("value", [None, 7, "itadmin", [7], {"itadmin": True}])
def test_a_list_of_exempt_accounts_that_is_none_is_unknown(value: t.Any) -> None:
    assert parsed(nonPlatformSSOAccounts=value).exempt is None
    assert parsed(nonPlatformSSOAccounts=value).exempts("itadmin") is None


def test_macos_leaves_an_empty_list_out() -> None:
    assert without("nonPlatformSSOAccounts").exempt == ()


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("POLoginTypeUserSecureEnclaveKey (2)", "secure_enclave_key"),
        ("POLoginTypeSmartCard (3)", "smart_card"),
        ("POLoginTypeOpenID (5)", "OpenID"),
        ("SomethingElse (9)", "SomethingElse"),
    ],
)
def test_the_method_is_named(word: str, expected: str) -> None:
    assert parsed(loginType=word).method == expected


@pytest.mark.parametrize(
    ("filevault", "login", "unlock", "expected"),
    [
        ((), (), (), ()),
        (None, None, None, ()),
        (("AttemptAuthentication", "AllowOfflineGracePeriod"), (), (), ()),
        (("RequireAuthentication", "AllowOfflineGracePeriod"), (), (), ("filevault",)),
        ((), ("RequireTouchID",), ("RequireTouchIDOrWatch",), ("login", "unlock")),
        (("SomethingNew",), None, ("AllowTouchIDOrWatchForUnlock",), ("filevault",)),
    ],
)
def test_where_the_identity_provider_is_required(
    filevault: tuple[str, ...] | None, login: tuple[str, ...] | None, unlock: tuple[str, ...] | None, expected: t.Any
) -> None:
    assert replace(WHOLE, filevault=filevault, login=login, unlock=unlock).required_at == expected


@pytest.mark.parametrize(
    ("sso", "expected"),
    [
        (WHOLE, False),
        (replace(WHOLE, filevault=None), None),
        (replace(WHOLE, filevault=("RequireTouchID", "AllowOpenIDForTouchIDFallback")), True),
        (replace(WHOLE, method="OpenID"), True),
        (replace(WHOLE, method="OpenID", filevault=()), False),
    ],
)
def test_whether_the_unlock_screen_may_ask_for_a_web_login(sso: PlatformSSO, expected: bool | None) -> None:
    assert sso.web_login_at_filevault is expected


@pytest.mark.parametrize(
    ("sso", "expected"),
    [(WHOLE, True), (replace(WHOLE, exempt=()), False), (PlatformSSO(), None), (NONE_HERE, True)],
)
def test_who_is_exempt_is_compared_without_regard_to_capitals(sso: PlatformSSO, expected: bool | None) -> None:
    assert sso.exempts("ITAdmin") is expected
