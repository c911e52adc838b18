# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each rule of the baseline fails on the Mac that it is about and on no other, and a policy means what it says."""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest
from readings import ANA, BO, DAY, ITADMIN, MAC, NOW, PHANTOM, WAITING, asked, reading

from ansible_collections.keyholder.macos.plugins.filter.findings import findings
from ansible_collections.keyholder.macos.plugins.module_utils._account import NOWHERE, Sources
from ansible_collections.keyholder.macos.plugins.module_utils._key_holder import StoredKey
from ansible_collections.keyholder.macos.plugins.module_utils._mac import (
    FileVault,
    Management,
    Missing,
    PasswordPolicy,
    Volume,
)
from ansible_collections.keyholder.macos.plugins.module_utils._macos import Version
from ansible_collections.keyholder.macos.plugins.module_utils._reading.ask import INCLUDE
from ansible_collections.keyholder.macos.plugins.module_utils._reading.view import view
from ansible_collections.keyholder.macos.plugins.module_utils._sso import NONE_HERE, PlatformSSO
from ansible_collections.keyholder.macos.plugins.module_utils._start_up import Link, StartUp
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.expressions import AuditPolicyError
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.policy import Policy, load_policy
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.policy_file import BASELINE, layer_of
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.rules import SEVERITIES, worst
from ansible_collections.keyholder.macos.plugins.test.compliant import compliant

OURS = {"parameters": {"managed_admins": ["itadmin"], "expected_holders": ["ana"], "password_max_age_days": 90}}
UNREAD = replace(ITADMIN, sources=Sources(None, None, None))


def results(mac: dict[str, t.Any], *layers: t.Any, host: str = "mac-1", now: float = NOW) -> dict[str, str]:
    return {one.rule.id: one.result for one in load_policy(*layers).evaluate(host, mac, now)}


def test_a_mac_in_order_passes_every_rule() -> None:
    said = results(asked(), OURS)
    assert said.pop("comes_back") == "not_applicable"
    assert set(said.values()) == {"pass"}
    assert len(said) >= 15


AWAY = replace(MAC.filevault, escrowed_at=0)
"""Nobody but the store can have the key."""
ALONE = Management(False, False, False, bootstrap="not_enrolled")
GRACE = ("RequireAuthentication", "AllowOfflineGracePeriod")

BROKEN: dict[str, tuple[dict[str, t.Any], set[str]]] = {
    # rule: what is changed of the Mac; what else fails by that
    "admin_holder": ({"accounts": (ANA,)}, {"managed_admin_is_holder"}),
    "recoverable": (
        {
            "accounts": (replace(BO),),
            "filevault": FileVault("on", personal_key=False, institutional_key=True),
            "management": replace(MAC.management, bootstrap_crypto_user=False),
        },
        {"admin_holder", "managed_admin_is_holder", "recovery_key_escrowed", "recovery_key_present"},
    ),
    "no_phantom": ({"accounts": (ITADMIN, ANA, PHANTOM)}, set()),
    "managed_admin_is_holder": (
        {"accounts": (replace(ITADMIN, name="other"), ANA)},
        {"unexpected_holder", "unlock_without_network"},
    ),
    "admin_token_to_come": ({"accounts": (WAITING, ANA)}, set()),
    "managed_admin_is_owner": ({"accounts": (replace(ITADMIN, volume_owner=False), ANA)}, {"admin_owns_volume"}),
    "admin_owns_volume": ({"accounts": (replace(ITADMIN, volume_owner=False), ANA)}, {"managed_admin_is_owner"}),
    "recovery_key_not_used": ({"filevault": replace(MAC.filevault, key_used=True)}, set()),
    "unexpected_holder": ({"accounts": (ITADMIN, ANA, replace(ANA, name="eve"))}, set()),
    "no_orphaned_crypto_user": ({"orphans": ("F" * 36,)}, set()),
    "bootstrap_where_managed": ({"management": replace(MAC.management, bootstrap="not_escrowed")}, set()),
    "enrolled": ({"management": Management(False, False, False, bootstrap="not_enrolled")}, set()),
    "filevault_on": ({"filevault": FileVault("off", personal_key=False, institutional_key=False)}, set()),
    "recovery_key_present": ({"filevault": replace(MAC.filevault, personal_key=False)}, set()),
    "recovery_key_escrowed": ({"filevault": AWAY, "stored": None}, set()),
    "recovery_key_held": ({"stored": StoredKey(), "filevault": AWAY, "management": ALONE}, {"enrolled"}),
    "recovery_key_not_personal": (
        {"stored": StoredKey(), "filevault": replace(AWAY, icloud_key=True), "management": ALONE},
        {"enrolled"},
    ),
    "stored_recovery_key_lives": ({"stored": StoredKey(NOW - 6 * DAY)}, set()),
    "recovery_lock_set": ({"recovery_lock": False}, set()),
    "full_disk_access": ({"full_disk_access": False}, set()),
    "holder_in_preboot": ({"accounts": (ITADMIN, replace(ANA, in_preboot=False))}, set()),
    "no_open_promotion": ({"pending": frozenset(["promoted ana"])}, set()),
    "nothing_unfinished": ({"pending": frozenset(["preboot"])}, set()),
    "password_age": ({"accounts": (replace(ITADMIN, password_changed=NOW - 91 * DAY), ANA)}, set()),
    "managed_admin_exempt_from_sso": ({"sso": replace(MAC.sso, exempt=("other",))}, {"unlock_without_network"}),
    "unlock_without_network": (
        {"sso": replace(MAC.sso, exempt=(), offline_hours=24, filevault=GRACE)},
        {"managed_admin_exempt_from_sso"},
    ),
    "managed_password_is_own": ({"accounts": (replace(ITADMIN, platform_sso=True), ANA)}, set()),
    "granter_not_locked": (
        {"accounts": (replace(ITADMIN, failed_logins=9), ANA), "policy": PasswordPolicy(max_failed_logins=5)},
        {"managed_admin_is_holder"},
    ),
    "no_disabled_admin": (
        {"accounts": (ITADMIN, replace(ITADMIN, name="deputy", guid="G-DEPUTY", disabled=True), ANA)},
        {"unexpected_holder"},
    ),
    "parked_holder_in_order": (
        {"accounts": (ITADMIN, replace(ANA, parked="hidden=0 admin=0 disabled=0 shell=/bin/zsh"))},
        set(),
    ),
    "macos_supported": ({"version": Version(13, 6)}, set()),
    "reading_complete": ({"missing": (Missing("FileVault's status", "fdesetup status: rc 1"),)}, set()),
}


def test_every_rule_of_the_baseline_has_its_mac() -> None:
    # The one that is left out is about Macs that a policy names.
    assert set(BROKEN) | {"comes_back"} == {rule["id"] for rule in layer_of(BASELINE)["rules"]}


@pytest.mark.parametrize("rule", BROKEN)
def test_a_rule_fails_on_its_mac_and_no_other(rule: str) -> None:
    changes, also = BROKEN[rule]
    said = results(asked(**changes), OURS)
    failed = {code for code, result in said.items() if result == "fail"}
    # A Mac without any holder breaks what is told of it, and what follows.
    assert rule in failed
    assert failed <= {rule} | also | {"recovery_key_present"} if rule == "recoverable" else failed <= {rule} | also


@pytest.mark.parametrize("rule", BROKEN)
def test_a_failure_says_what_was_found(rule: str) -> None:
    (finding,) = [one for one in load_policy(OURS).evaluate("m", asked(**BROKEN[rule][0]), NOW) if one.rule.id == rule]
    assert finding.found
    assert all(text.strip() for text in finding.found)


def test_what_was_not_read_is_unknown_and_not_kept() -> None:
    mac = reading(
        accounts=(UNREAD,),
        volume=Volume(),
        filevault=FileVault("unknown"),
        management=Management(),
        missing=(Missing("everything", "nothing"),),
    )
    del mac["filevault"]["recovery_key_escrowed_at"]
    said = results(mac, OURS)
    unknown = {code for code, result in said.items() if result == "unknown"}
    assert unknown >= {"admin_holder", "no_phantom", "unexpected_holder", "filevault_on", "enrolled", "recoverable"}
    assert "pass" not in {said[code] for code in ("admin_holder", "no_phantom", "filevault_on", "enrolled")}


def test_without_parameters_nobody_is_judged_by_them() -> None:
    said = results(reading(accounts=(replace(ITADMIN, volume_owner=False), ANA)))
    assert {said[code] for code in ("managed_admin_is_holder", "unexpected_holder", "password_age")} == {
        "not_applicable"
    }


HEADLESS = {"parameters": {"headless_macs": ["mac-*"]}}
LINKED = StartUp(True, "same", Link("en0", "ethernet", "", False))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "fail"),
        ({"version": Version(26, 5), "start_up": LINKED}, "pass"),
        ({"version": Version(26, 5), "start_up": replace(LINKED, host_keys="missing")}, "fail"),
        ({"version": Version(26, 5), "start_up": replace(LINKED, link=Link())}, "unknown"),
        ({"version": Version(26, 5)}, "unknown"),
        ({"filevault": FileVault("off")}, "pass"),
    ],
)
def test_a_mac_that_nobody_sits_at_comes_back_after_a_power_cut(changes: dict[str, t.Any], expected: str) -> None:
    mac = asked(**changes)
    assert results(mac, HEADLESS)["comes_back"] == expected
    assert results(mac, HEADLESS, host="laptop")["comes_back"] == "not_applicable"
    (finding,) = [one for one in load_policy(HEADLESS).evaluate("mac-1", mac, NOW) if one.rule.id == "comes_back"]
    assert expected != "fail" or finding.found[0].strip()


def test_a_headless_mac_of_which_nobody_asked_is_unknown() -> None:
    assert results(reading(), HEADLESS)["comes_back"] == "unknown"


SSO_RULES = ("managed_admin_exempt_from_sso", "unlock_without_network", "managed_password_is_own")


@pytest.mark.parametrize(
    "sso",
    [
        PlatformSSO(),
        NONE_HERE,
        replace(MAC.sso, configured=None),
        # A policy that could not be read, and one that asks for nothing.
        replace(MAC.sso, exempt=(), filevault=None, login=None, unlock=None, method=None),
        replace(MAC.sso, exempt=(), filevault=(), login=("AttemptAuthentication",), method="secure_enclave_key"),
        replace(MAC.sso, exempt=None),
    ],
)
def test_what_is_not_known_of_platform_sso_is_no_finding(sso: PlatformSSO) -> None:
    accounts = (replace(ITADMIN, platform_sso=sso.method != "password"), ANA)
    said = results(reading(sso=sso, accounts=accounts), OURS)
    assert {said[code] for code in SSO_RULES} <= {"not_applicable", "pass"}


def test_an_administrator_who_is_disabled_unlocks_nothing_without_the_network() -> None:
    exempt = replace(ITADMIN, name="parked-one", guid="G-PARKED", disabled=True)
    sso = replace(MAC.sso, exempt=("parked-one",), filevault=GRACE)
    accounts = (replace(ITADMIN, platform_sso=True), exempt, ANA)
    assert results(reading(sso=sso, accounts=accounts), OURS)["unlock_without_network"] == "fail"
    usable = (accounts[0], replace(exempt, disabled=False), ANA)
    assert results(reading(sso=sso, accounts=usable), OURS)["unlock_without_network"] == "pass"


def test_a_reading_without_platform_sso_breaks_none_of_its_rules() -> None:
    mac = reading()
    del mac["platform_sso"]
    for account in mac["accounts"]:
        del account["platform_sso"], account["platform_sso_exempt"]
    said = results(mac, OURS)
    assert {said[code] for code in SSO_RULES} == {"not_applicable"}


def test_a_word_of_a_policy_that_is_not_known_counts_as_requiring() -> None:
    sso = replace(MAC.sso, exempt=(), filevault=(), login=("RequireSomethingNew",), unlock=())
    assert results(reading(sso=sso), OURS)["managed_admin_exempt_from_sso"] == "fail"


DEPUTY = replace(ITADMIN, name="deputy", guid="G-DEPUTY")


@pytest.mark.parametrize(
    ("owners", "changes", "result"),
    [
        ((False, True), {}, "pass"),
        ((None, True), {}, "pass"),
        ((False, None), {}, "unknown"),
        ((False, False), {}, "fail"),
        ((False, False), {"apple_silicon": False}, "not_applicable"),
    ],
)
def test_one_administrator_who_owns_the_volume_is_enough(
    owners: tuple[bool | None, bool | None], changes: dict[str, t.Any], result: str
) -> None:
    """Without a parameter: a Mac whose updates stop must not need one to be seen. Ana owns it, and is none."""
    admins = [replace(admin, volume_owner=owns) for admin, owns in zip((ITADMIN, DEPUTY), owners)]
    assert results(reading(accounts=(*admins, ANA), **changes))["admin_owns_volume"] == result


@pytest.mark.parametrize(("used", "result"), [(True, "fail"), (False, "pass"), (None, "pass")])
def test_a_recovery_key_that_was_used(used: bool | None, result: str) -> None:
    mac = reading(filevault=replace(MAC.filevault, key_used=used))
    assert results(mac)["recovery_key_not_used"] == result
    del mac["filevault"]["recovery_key_used"]
    assert results(mac)["recovery_key_not_used"] == "pass"


@pytest.mark.parametrize(
    ("changed", "result"),
    [(NOW - 90 * DAY, "pass"), (NOW - 90 * DAY - 1, "fail"), (NOW + DAY, "pass"), (0.0, "fail"), (None, "unknown")],
)
def test_a_password_may_be_as_old_as_the_policy_says(changed: float | None, result: str) -> None:
    """When nobody could read it, nobody can say that it is young enough."""
    mac = reading(accounts=(replace(ITADMIN, password_changed=changed), ANA))
    assert results(mac, OURS)["password_age"] == result


@pytest.mark.parametrize(("admins", "named"), [(["it*"], ("itadmin",)), (["itadmin", "ana"], ("itadmin", "ana"))])
def test_only_managed_administrators_are_asked_for_the_age_of_their_password(
    admins: list[str], named: tuple[str, ...]
) -> None:
    old = NOW - 400 * DAY
    mac = reading(accounts=(replace(ITADMIN, password_changed=old), replace(ANA, password_changed=old)))
    ours = {"parameters": {**OURS["parameters"], "managed_admins": admins}}
    (finding,) = [one for one in load_policy(ours).evaluate("m", mac, NOW) if one.rule.id == "password_age"]
    assert finding.accounts == named
    assert finding.found == tuple(f"the password of {name} was last changed 400 days ago" for name in named)


def test_each_phantom_is_named() -> None:
    mac = reading(accounts=(ITADMIN, PHANTOM, replace(PHANTOM, name="ghost", uid=505)))
    (finding,) = [one for one in load_policy().evaluate("m", mac, NOW) if one.rule.id == "no_phantom"]
    assert finding.accounts == ("rui", "ghost")
    assert finding.found[0] == ("the sources disagree about rui: directory yes, crypto users no, FileVault list yes")


# -- a policy of one's own --------------------------------------------------------------------------------------------

MINE: dict[str, t.Any] = {
    "rules": [
        {
            "id": "guests_have_no_password",
            "title": "Guests",
            "severity": "low",
            "each": "account",
            "when": "account.name is matching(['guest*'])",
            "fail_when": "account.password_set",
            "says": "{{ account.name }} on {{ host }}",
            "rationale": "r",
            "remedy": "r",
        }
    ]
}


EXEMPT = {"rule": "enrolled", "macs": ["*"], "by": "x", "until": "2027-01-01", "why": "y"}


def own(**changes: t.Any) -> dict[str, t.Any]:
    return {"rules": [{**MINE["rules"][0], **changes}]}


def test_a_rule_is_added_without_code() -> None:
    mac = reading(accounts=(ITADMIN, replace(BO, name="guest1")))
    (finding,) = [one for one in load_policy(MINE).evaluate("m7", mac, NOW) if one.rule.id == "guests_have_no_password"]
    assert (finding.result, finding.found) == ("fail", ("guest1 on m7",))


def test_a_rule_is_changed_or_switched_off() -> None:
    layer = {"rules": [{"id": "filevault_on", "severity": "critical"}, {"id": "enrolled", "enabled": False}]}
    policy = load_policy(layer)
    severities = {rule.id: rule.severity for rule in policy.rules}
    assert severities["filevault_on"] == "critical"
    assert "enrolled" not in severities
    assert [rule.title for rule in policy.rules if rule.id == "filevault_on"] == ["FileVault is on"]


def test_a_policy_stands_alone_where_it_says_so() -> None:
    assert [rule.id for rule in load_policy({"extends": "none", **MINE}).rules] == ["guests_have_no_password"]


def about_macs(**changes: t.Any) -> dict[str, t.Any]:
    return own(**{"id": "odd", "each": "mac", "when": "", "says": "", "fail_when": "true", **changes})


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"fail_when": "mac.os.version + 1 > 2"}, "can only concatenate str"),
        ({"fail_when": "(mac.granters | length) / (mac.phantoms | length) < 0.5"}, "division by zero"),
        ({"fail_when": "(mac.os.version | float) ** 9999 > 1"}, "out of range"),
        ({"fail_when": "mac.accounts | map(attribute='name') | groupby | list"}, "groupby"),
        ({"fail_when": "mac.granters | map | list"}, "map requires a filter argument"),
        ({"fail_when": "'Sequoia' | version < mac.os.version | version"}, "'Sequoia' is no version"),
        ({"fail_when": "[] | first is none or ([] | first).x"}, "No first item"),
        ({"says": "{{ 1 // (mac.phantoms | length) }}"}, "by zero"),
    ],
)
def test_one_rule_that_does_not_fit_harms_no_other(changes: dict[str, t.Any], why: str) -> None:
    found = {one.rule.id: one for one in load_policy(OURS, about_macs(**changes)).evaluate("m", asked(), NOW)}
    odd = found.pop("odd")
    assert odd.result == "unknown"
    assert odd.found[0].startswith("the rule cannot be applied to this reading: ")
    assert why in odd.found[0]
    found.pop("comes_back")
    assert {one.result for one in found.values()} == {"pass"}


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (True, True),
        (False, False),
        (["true", "mac.accounts"], True),
        (["true", "not mac.accounts"], False),
        (["false or true", "false"], False),
        ([True, "mac.accounts", False], False),
        ([True], True),
        ("mac.accounts or false", True),
    ],
)
def test_a_condition_is_an_expression_a_bool_or_a_list_of_them(condition: t.Any, holds: bool) -> None:
    def result(**changes: t.Any) -> str:
        return results(reading(), {**about_macs(**changes), "extends": "none"})["odd"]

    assert result(when=condition) == ("fail" if holds else "not_applicable")
    assert result(unknown_when=condition) == ("unknown" if holds else "fail")
    assert result(fail_when=condition) == ("fail" if holds else "pass")


@pytest.mark.parametrize("key", ["when", "unknown_when", "fail_when"])
@pytest.mark.parametrize("condition", [1, 0, {"a": 1}, ["true", 1], ["true", ""], ["true", None], [["true"]]])
def test_a_condition_of_another_kind_is_refused(key: str, condition: t.Any) -> None:
    with pytest.raises(AuditPolicyError, match=f"rule odd: {key} is .*must be an expression, true, false, or a list"):
        load_policy(about_macs(**{key: condition}))


@pytest.mark.parametrize("nothing", [None, "", " ", []])
def test_a_condition_that_is_not_given_is_none(nothing: t.Any) -> None:
    assert results(reading(), about_macs(when=nothing, unknown_when=nothing))["odd"] == "fail"
    with pytest.raises(AuditPolicyError, match="rule odd: fail_when missing"):
        load_policy(about_macs(fail_when=nothing))


@pytest.mark.parametrize(
    ("oldest", "macos", "result"),
    [
        ("15.6.0", Version(15, 6), "pass"),
        ("15.6", Version(15, 6), "pass"),
        ("15.0.0", Version(15), "pass"),
        ("15.6.1", Version(15, 6), "fail"),
        ("15.10", Version(15, 9), "fail"),
        ("15", Version(14, 9, 9), "fail"),
    ],
)
def test_versions_are_the_same_with_and_without_zeros(oldest: str, macos: Version, result: str) -> None:
    assert results(reading(version=macos), {"parameters": {"oldest_macos": oldest}})["macos_supported"] == result


@pytest.mark.parametrize(
    ("layer", "why"),
    [
        ({"rulez": []}, "rulez"),
        ({"rules": {}}, "not a list"),
        ({"rules": [{"id": "x"}]}, "title, severity"),
        ({"rules": [{"id": "Bad-Id"}]}, "must be a word"),
        ({"rules": [{**MINE["rules"][0], "severity": "bad"}]}, "severity"),
        ({"rules": [{**MINE["rules"][0], "each": "volume"}]}, "each"),
        ({"rules": [{**MINE["rules"][0], "fail_when": "mac.("}]}, "not an expression"),
        ({"rules": [{**MINE["rules"][0], "fail_when": "true) or (false"}]}, "not an expression"),
        ({"rules": [{**MINE["rules"][0], "says": "{{ x "}]}, "not a template"),
        ({"rules": [{**MINE["rules"][0], "wen": "true"}]}, "wen"),
        ({"rules": [{**MINE["rules"][0], "references": {"iso": ["1"]}}]}, "iso"),
        ({"extends": "everything"}, "extends"),
        ({"exemptions": [{"rule": "filevault_on"}]}, "macs, by, until, why"),
        ({"exemptions": [{"rule": "nope", "macs": ["*"], "by": "x", "until": "2027-01-01", "why": "y"}]}, "no rule"),
        ({"exemptions": [{"rule": "enrolled", "macs": ["*"], "by": "x", "until": "soon", "why": "y"}]}, "a day as"),
        ({"rules": [{"id": "filevault_on", "enabled": "yes"}]}, "must be true or false"),
        (
            {
                "exemptions": [
                    {"rule": "enrolled", "macs": ["*"], "accounts": ["x"], "by": "x", "until": "2027-01-01", "why": "y"}
                ]
            },
            "the Mac as a whole",
        ),
        ([], "not a dictionary"),
        (own(fail_when="mac.filevault.stat == 'off'"), "mac.filevault has no 'stat'.*state"),
        (own(fail_when="mac['filevault']['stat'] == 'off'"), "mac.filevault has no 'stat'"),
        (own(when="macos.version"), "no 'macos' here.*mac, account, host, now, params"),
        (own(unknown_when="account.admn"), "account has no 'admn'.*admin"),
        (own(each="mac", fail_when="account.admin"), "no 'account' here"),
        (own(fail_when="params.managed_admin"), "params has no 'managed_admin'.*managed_admins"),
        (own(fail_when="mac.accounts | selectattr('admn') | list"), "mac.accounts has no 'admn'"),
        (own(fail_when="mac.accounts | map(attribute='sources.x') | list"), "mac.accounts.sources has no 'x'"),
        (own(fail_when="(mac.accounts | first).nam"), "mac.accounts has no 'nam'"),
        (own(fail_when="mac.accounts[0].nam"), "mac.accounts has no 'nam'"),
        (own(says="{% for who in mac.accounts if who.admn %}x{% endfor %}"), "mac.accounts has no 'admn'"),
        (own(fail_when="mac['__cl' ~ 'ass__']"), "mac has no '__class__'"),
        (own(says="{{ accont.name }}"), "no 'accont' here"),
        # The names of filters and tests, wherever they stand.
        (own(fail_when="mac.os.build | uper == ''"), "fail_when: .*no filter 'uper'.*there are: upper"),
        (own(fail_when="'x' if mac.os.build else mac.os.build | uper"), "no filter 'uper'"),
        (own(fail_when="mac.os.build is strng"), "no test 'strng'.*there are: string"),
        (own(says="{{ mac.pending | select('matchng', ['x']) | list }}"), "says: .*no test 'matchng'.*matching"),
        (own(fail_when="mac.pending | reject('matchng', ['x']) | list"), "rule guests_.*: fail_when: .*'matchng'"),
        (own(fail_when="mac.accounts | selectattr('name', 'mathing', ['x']) | list"), "no test 'mathing'.*matching"),
        (own(fail_when="mac.accounts | rejectattr('name', 'mathing', ['x']) | list"), "no test 'mathing'"),
        (own(fail_when="mac.granters | map('uper') | list"), "no filter 'uper'.*upper"),
        (own(fail_when="(1).x or 'a'.b"), "fail_when: .*is not usable: .*has no attribute 'x'"),
        (own(says="{{ (1).x or 2 }}"), "says: .*is not usable: .*has no attribute 'x'"),
        # What one sees of a reading's values.
        (own(fail_when="mac.os.version.major > 15"), "mac.os.version is a text, and has no 'major'"),
        (own(fail_when="account.name.frist"), "account.name is a text"),
        (own(fail_when="account.admin.x"), "account.admin is true or false"),
        (own(fail_when="now.x"), "now is a number"),
        (own(fail_when="host.__class__"), "host is a text"),
        (own(fail_when="mac.accounts.name"), "mac.accounts is a list, and has no 'name' .an entry has: name"),
        (own(fail_when="mac.accounts.length"), "mac.accounts is a list, and has no 'length'"),
        (own(fail_when="mac.granters[0].name"), "an entry of mac.granters is a text, and has no 'name'"),
        (own(fail_when="mac.granters | map(attribute='name') | list"), "an entry of mac.granters is a text"),
        (own(fail_when="(mac.accounts[:2] | first).nam"), "mac.accounts has no 'nam'"),
        (own(fail_when="mac.accounts[0:1].name"), "mac.accounts is a list"),
        (own(fail_when="mac.accounts.0.nam"), "mac.accounts has no 'nam'"),
        (own(fail_when="mac | attr('x') or mac.accounts | map(attribute='sources.0') | list"), "has no '0'"),
        (own(fail_when="mac.accounts | groupby('knid') | list"), "mac.accounts has no 'knid' .it has: kind, admin"),
        (own(fail_when="mac.accounts | sum('uidd')"), "no 'uidd'"),
        (own(fail_when="mac.accounts | join(',', 'nmae')"), "no 'nmae'"),
        (own(fail_when="mac.accounts | join(attribute='nmae')"), "no 'nmae'"),
        (own(fail_when="mac.accounts | sort(false, false, 'nmae')"), "no 'nmae'"),
        (own(fail_when="mac.accounts | sort(attribute='admin,nmae')"), "no 'nmae'"),
        (own(fail_when="mac.accounts | unique(false, 'nmae') | list"), "no 'nmae'"),
        (own(fail_when="mac.accounts | min(false, 'nmae')"), "no 'nmae'"),
        (own(fail_when="mac.accounts | max(attribute='nmae')"), "no 'nmae'"),
        (own(fail_when="mac.filevault.get('stat') == 'on'"), "mac.filevault has no 'stat'.*state"),
        (own(fail_when="mac.get('filevault').stat"), "mac.filevault has no 'stat'"),
        # A guard that is misspelt guards nothing.
        (own(fail_when="mac.filevault.stat is defined"), "mac.filevault has no 'stat'"),
        (own(fail_when="mac.os.kernel | default('') == ''"), "mac.os has no 'kernel'"),
        (own(fail_when="mac.accounts | map(attribute='nam', default='') | list"), "no 'nam'"),
        (own(fail_when="params.limit.x > 1 and params.limit.x is defined"), "params has no 'limit'"),
        (own(fail_when="params.limit > 1", when="params.limits is defined"), "params has no 'limit'"),
        (own(says="{% for who in mac.accounts %}{% else %}{{ who.name }}{% endfor %}"), "no 'who' here"),
        # Rules.
        ({"rules": [{"id": "filevault_onn", "enabled": False}]}, "rule filevault_onn: title.*filevault_on meant"),
        ({"rules": [{"id": "filevault_onn", "severity": "low"}]}, "filevault_on meant"),
        ({"rules": [{"id": "x", "enabled": False}]}, "rule x: title, severity, rationale, remedy, fail_when missing$"),
        (
            {"exemptions": [{**EXEMPT, "rule": "enroled"}]},
            "'enroled': there is no rule of that id .there are: enrolled",
        ),
        ({"exemptions": [{**EXEMPT, "until": "2027-02-31"}]}, "from 'enrolled': until is '2027-02-31'.*out of range"),
        ({True: 1, "rulez": 2}, "keyholder_policy: True, rulez"),
        # Parameters.
        ({"parameters": {"managed_admins": "itadmin"}}, r"parameters: managed_admins is 'itadmin'.*a list, as \[\]"),
        ({"parameters": {"managed_admins": None}}, "managed_admins is None"),
        ({"parameters": {"password_max_age_days": "90"}}, "password_max_age_days is '90'.*a number, as 365"),
        ({"parameters": {"password_max_age_days": True}}, "password_max_age_days is True"),
        ({"parameters": {"oldest_macos": "Sequoia"}}, "oldest_macos is 'Sequoia'.*a macOS version in quotes, as '14'"),
        ({"parameters": {"oldest_macos": None}}, "oldest_macos is None"),
        ({"parameters": {"oldest_macos": 15.1}}, "oldest_macos is 15.1.*in quotes"),
        ({"parameters": {"oldest_macos": "15."}}, "oldest_macos is '15.'"),
        (
            {"parameters": {"managed_admin": ["x"]}},
            "reads 'managed_admin' .there are: managed_admins, expected_holders",
        ),
        ({**own(fail_when="params.limit | default(5) > 3"), "parameters": {"limt": 3}}, "'limt' .there are: limit, "),
        ({"extends": "none", **MINE, "parameters": {"managed_admins": []}}, "no rule reads 'managed_admins'"),
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused(layer: t.Any, why: str) -> None:
    with pytest.raises(AuditPolicyError, match=why):
        load_policy(layer)


@pytest.mark.parametrize(
    "text",
    [
        "params.limit is defined and account.uid > params.limit",
        "params.limit | default(0) > 3",
        "'limit' in params and params.limit > 3 or 'limit' not in params",
        "params.get('limit') and params.limit",
        "params[host] or params.items()",
        "params.managed_admins.x.y or (params.managed_admins | first).z",
        "params.managed_admins | selectattr('own') | list",
        "mac.filevault.get('state') == mac.get('filevault')['state']",
        "mac.waiting_admins | default([])",
        "mac.management.bootstrap_preflight or mac.filevault.recovery_key_escrowed_at",
        "mac.filevault.percent.real",
        "mac.granters[0].upper() or mac.accounts[0:1][0].name or mac.accounts.0.name",
        "now.is_integer() or account.admin.real or mac.accounts.index(account)",
        "mac.accounts | sort(attribute='admin,name') | sort(false, false, 'sources.authority') | list",
        "mac.accounts | map('attr', 'x') | list or mac.granters | select | list",
        "mac.accounts | join(',', 'name') or mac.accounts | sum(attribute='failed_logins')",
        "mac.filevault.items() | list",
        "mac.accounts | map('upper') | list",
        "params.get('mine')",
        "mac.accounts | groupby('kind') | list",
        "range(2) | list",
        "mac.filevault.state.upper() == 'OFF'",
        "(mac.accounts + [{'name': 'x', 'own': 1}]) | map(attribute='own', default=0) | list",
        "dict(a=1).a",
    ],
)
def test_what_may_be_meant_is_taken(text: str) -> None:
    load_policy(own(fail_when=text))


@pytest.mark.parametrize(
    "text",
    [
        "{% if host %}{% set w = mac %}{% else %}{% set w = account %}{% endif %}{{ w.x }}",
        "{% if host %}{% set w = 1 %}{% endif %}{{ w }}",
        "{% set w %}x{% endset %}{{ w.y }}",
        "{% with mac = mac.os %}{{ mac.build }}{% endwith %}",
        "{% macro m(account) %}{{ account.x }}{% endmacro %}{{ m(1) }}",
        "{% for account in mac.pending %}{% set account = mac %}{{ account.os }}{% endfor %}",
        "{% for key, value in mac.os.items() %}{{ value.x }}{% endfor %}",
    ],
)
def test_what_a_template_stores_may_be_anything(text: str) -> None:
    load_policy(own(says=text))


def test_a_guard_counts_in_all_texts_of_its_rule_and_in_no_other() -> None:
    load_policy(own(when="params.limit is defined", fail_when="account.uid > params.limit", says="{{ params.limit }}"))
    with pytest.raises(AuditPolicyError, match="params has no 'limit'"):
        load_policy(own(when="params.limit is defined"), own(id="another", fail_when="params.limit"))


def test_the_example_of_a_reading_has_all_keys() -> None:
    whole = view(replace(MAC, missing=(Missing("x", "x"),)), INCLUDE)

    def paths(content: t.Any, path: str = "") -> set[str]:
        if isinstance(content, dict):
            return {path}.union(*(paths(entry, f"{path}.{key}") for key, entry in content.items()))
        return {path} | (paths(content[0], f"{path}[]") if isinstance(content, list) and content else set())

    every = [f"mac{path.replace('[]', '[0]')}" for path in sorted(paths(whole))]
    assert "mac.accounts[0].sources.crypto_user" in every
    load_policy(about_macs(fail_when=every))


def test_a_parameter_keeps_its_kind() -> None:
    mine = {**own(fail_when="params.mine"), "parameters": {"mine": 3}}
    load_policy(mine, {"parameters": {"mine": 3.5, "oldest_macos": "26"}})
    load_policy(
        {**mine, "parameters": {"mine": None}}, {"parameters": {"mine": "text"}}, {"parameters": {"mine": "other"}}
    )
    with pytest.raises(AuditPolicyError, match="number 2: parameters: mine is 'x', and must be a number, as 3 is"):
        load_policy(mine, {"parameters": {"mine": "x"}})
    load_policy({"extends": "none", **mine, "parameters": {"mine": "14"}}, {"parameters": {"mine": "fourteen"}})


def test_a_parameter_is_used_where_somebody_reads_it() -> None:
    given = {"parameters": {"mine": 3}}
    load_policy({**own(fail_when="mac.nope or params.mine", enabled=False), **given})
    load_policy({**own(fail_when="params[host]"), **given})
    load_policy({**own(fail_when="true", says="{% for key in params %}{{ key }}{% endfor %}"), **given})
    load_policy({**own(fail_when="params.get('mine')"), **given})
    load_policy({"rules": [{"id": "macos_supported", "fail_when": "false"}], "parameters": {"oldest_macos": "15"}})
    load_policy(given, {"extends": "none", **MINE})


def test_a_parameter_of_ones_own_is_known() -> None:
    load_policy({**own(fail_when="params.mine"), "parameters": {"mine": 3}})
    load_policy(own(fail_when="params.mine"), {"parameters": {"mine": 3}})


def test_a_rule_that_is_switched_off_is_not_looked_at() -> None:
    load_policy(own(fail_when="mac.nope", enabled=False))


@pytest.mark.parametrize("text", ["''.__class__.__mro__", "(host ~ '').__init__.__globals__"])
def test_an_expression_reaches_nothing_but_the_reading(text: str) -> None:
    rule = {**MINE["rules"][0], "each": "mac", "when": "", "says": "", "fail_when": f"{text} is string or {text}.x"}
    said = results(reading(), {"rules": [rule]})
    assert said["guests_have_no_password"] == "unknown"


# -- files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("exemptions:\n- rule: enrolled\n  until: 2027-02-31\n", "p.yml, line 3: 2027-02-31: day is out of range"),
        ("rules:\n- id: x\n  when: a\n  title: b\n  when: c\n", "p.yml, line 5: when is there twice"),
        ("parameters: {}\nparameters: {}\n", "p.yml, line 2: parameters is there twice"),
        ("a: [\n", "p.yml, line 2: "),
        ("- a\n", "p.yml is not a dictionary"),
        ("false\n", "p.yml is not a dictionary"),
        ("a: \x00\n", "p.yml: "),
        ("rulez: []\n", "p.yml: rulez"),
        ("parameters: {managed_admins: x}\n", "p.yml: parameters: managed_admins is 'x'"),
        ("parameters: {managed_admin: [x]}\n", "p.yml: parameters: no rule reads 'managed_admin'"),
        ("rules:\n- id: enrolled\n  fail_when: mac.enroled\n", "p.yml: rule enrolled: fail_when: mac.enroled: mac has"),
        ("rules:\n- id: enrolled\n  severity: bad\n", "p.yml: rule enrolled: severity: 'bad'"),
        (
            "exemptions:\n- {rule: nope, macs: [x], by: x, until: 2027-01-01, why: y}\n",
            "p.yml: an exemption from 'nope'",
        ),
    ],
)
def test_an_error_names_its_file(tmp_path: Path, text: str, why: str) -> None:
    path, other = tmp_path / "p.yml", tmp_path / "other.yml"
    path.write_text(text)
    other.write_text("rules:\n- id: enrolled\n  title: Another\n")
    with pytest.raises(AuditPolicyError, match=f"^{tmp_path}/{why}"):
        load_policy(layer_of(other), layer_of(path), layer_of(other), {})


def test_an_error_names_the_variable() -> None:
    with pytest.raises(AuditPolicyError, match="^keyholder_policy: rulez"):
        load_policy(layer_of(BASELINE), {"rulez": []})
    with pytest.raises(AuditPolicyError, match="^keyholder_policy, number 2: rulez"):
        load_policy({}, layer_of(BASELINE), {"rulez": []})


def test_a_file_may_be_empty_and_merge_keys(tmp_path: Path) -> None:
    path = tmp_path / "p.yml"
    path.write_text("")
    assert load_policy(layer_of(path)).rules
    path.write_text(
        "rules:\n"
        "- &one {id: first, title: a, severity: low, rationale: r, remedy: r, fail_when: false}\n"
        "- &two {<<: *one, id: second}\n"
        "- {<<: *two, id: third}\n"
    )
    assert [rule.id for rule in load_policy(layer_of(path)).rules][-3:] == ["first", "second", "third"]


# -- exemptions -------------------------------------------------------------------------------------------------------


def exempt(**changes: t.Any) -> dict[str, t.Any]:
    one = {"rule": "filevault_on", "macs": ["kiosk-*"], "by": "cio", "until": "2026-12-31", "why": "no data"}
    return {"exemptions": [{**one, **changes}]}


def finding(host: str, layer: dict[str, t.Any], rule: str = "filevault_on", **changes: t.Any) -> t.Any:
    mac = reading(**(changes or {"filevault": FileVault("off", personal_key=False, institutional_key=False)}))
    (found,) = [one for one in load_policy(layer).evaluate(host, mac, NOW) if one.rule.id == rule]
    return found


def test_an_exemption_holds_where_and_while_it_says() -> None:
    assert datetime.datetime.fromtimestamp(NOW, datetime.timezone.utc).date() == datetime.date(2026, 9, 21)
    covered = finding("kiosk-1", exempt())
    assert covered.result == "exempt"
    assert covered.view()["exemption"] == {"by": "cio", "until": "2026-12-31", "why": "no data"}
    assert covered.found == ("FileVault: off",)
    assert finding("laptop-1", exempt()).result == "fail"
    assert finding("kiosk-1", exempt(until="2026-09-21")).result == "exempt"
    late = finding("kiosk-1", exempt(until="2026-09-20"))
    assert (late.result, late.view()["expired_exemption"]["by"]) == ("fail", "cio")


def test_an_exemption_for_accounts_leaves_the_others() -> None:
    macs = {"accounts": (ITADMIN, PHANTOM, replace(PHANTOM, name="ghost", uid=505))}
    layer = exempt(rule="no_phantom", macs=["*"], accounts=["ru*"])
    left = finding("m", layer, "no_phantom", **macs)
    assert (left.result, left.accounts) == ("fail", ("ghost",))
    both = finding("m", exempt(rule="no_phantom", macs=["*"], accounts=["ru*", "ghost"]), "no_phantom", **macs)
    assert (both.result, both.accounts) == ("exempt", ("rui", "ghost"))


def test_the_worst() -> None:
    policy: Policy = load_policy()
    assert worst(policy.evaluate("m", reading(), NOW)) == ""
    assert worst(policy.evaluate("m", reading(**BROKEN["no_phantom"][0]), NOW)) == "high"
    assert SEVERITIES[0] == "critical"


# -- the filter and the test ------------------------------------------------------------------------------------------


def test_the_filter_says_the_same() -> None:
    mac = reading(**BROKEN["filevault_on"][0])
    by_filter = findings({"mac": mac, "changed": False}, policy=OURS, host="m", now=NOW)
    assert {one["rule"]: one["result"] for one in by_filter} == results(mac, OURS)
    (off,) = [one for one in by_filter if one["rule"] == "filevault_on"]
    assert (off["severity"], off["run"]) == ("high", "keyholder.macos.filevault")
    assert off["references"]["disa_stig"] == ["APPL-26-005020"]


def test_the_test_says_the_same() -> None:
    assert compliant(reading(), policy=[OURS], now=NOW)
    assert not compliant(reading(**BROKEN["filevault_on"][0]), now=NOW)
    assert compliant(reading(**BROKEN["filevault_on"][0]), at_least="critical", now=NOW)


def test_a_rule_that_the_reading_does_not_answer_counts_as_failed() -> None:
    unread = reading(filevault=FileVault("unknown", personal_key=True))
    assert results(unread)["filevault_on"] == "unknown"
    assert "fail" not in results(unread).values()
    assert not compliant(unread, at_least="high", now=NOW)
    assert compliant(unread, at_least="critical", now=NOW)
    assert compliant(unread, at_least="high", strict=False, now=NOW)


def test_a_preboot_volume_that_was_not_read_is_no_finding() -> None:
    for mac in (
        reading(accounts=(ITADMIN, replace(ANA, in_preboot=None))),
        reading(accounts=(ITADMIN, replace(ANA, in_preboot=False)), filevault=FileVault("unknown", personal_key=True)),
        reading(accounts=(ITADMIN, replace(BO, in_preboot=False))),
    ):
        assert results(mac)["holder_in_preboot"] in ("pass", "not_applicable")
    # Nor is one of an earlier version of this collection, which did not look.
    earlier = reading()
    for account in earlier["accounts"]:
        del account["in_preboot"]
    assert results(earlier)["holder_in_preboot"] == "not_applicable"


def test_what_a_parked_holder_lacks_is_said() -> None:
    parked = replace(ANA, parked="x", disabled=True, hidden=True, shell="/usr/bin/false")
    assert results(reading(accounts=(ITADMIN, parked)))["parked_holder_in_order"] == "pass"
    for lacks, words in (
        ({"disabled": False}, "enabled"),
        ({"hidden": False}, "visible, or with a shell"),
        ({"shell": "/bin/zsh"}, "visible, or with a shell"),
        ({"sources": NOWHERE}, "no holder"),
    ):
        mac = reading(accounts=(ITADMIN, replace(parked, **lacks)))
        assert said("parked_holder_in_order", mac) == f"ana was parked, and is not any more: {words}"
    earlier = reading()
    for account in earlier["accounts"]:
        del account["parked"]
    assert results(earlier)["parked_holder_in_order"] == "pass"


def test_what_is_no_reading_is_said_so() -> None:
    with pytest.raises(Exception, match="not a reading"):
        findings({"failed": True})
    with pytest.raises(Exception, match="at_least"):
        compliant(reading(), at_least="awful")


def said(rule: str, mac: dict[str, t.Any], *layers: t.Any) -> str:
    (found,) = next(one.found for one in load_policy(*layers).evaluate("mac-1", mac, NOW) if one.rule.id == rule)
    return found


def test_managed_administrators_may_be_patterns() -> None:
    patterns = {"parameters": {"managed_admins": ["it*"]}}
    assert results(reading(), patterns)["managed_admin_is_holder"] == "pass"
    other = reading(accounts=(replace(ITADMIN, name="other"), ANA))
    assert results(other, patterns)["managed_admin_is_holder"] == "fail"


def test_who_cannot_log_in_is_said_to_and_why() -> None:
    disabled = reading(accounts=(replace(ITADMIN, disabled=True), ANA))
    assert results(disabled, OURS)["managed_admin_is_holder"] == "fail"
    assert said("granter_not_locked", disabled) == "cannot log in: itadmin (disabled)"
    assert said("no_disabled_admin", disabled) == "itadmin is disabled, so macOS accepts no password of it"
    nobodys = reading(accounts=(ITADMIN, replace(ANA, disabled=True)))
    assert results(nobodys, OURS)["no_disabled_admin"] == "pass"
    # Which accounts macOS refuses stands in a group, so it is not known without the groups.
    unread = (Missing("groups of the local directory", "dscl: rc 1"),)
    assert results(reading(missing=unread), OURS)["no_disabled_admin"] == "unknown"
    assert (
        results(reading(accounts=(replace(ITADMIN, disabled=True),), missing=unread), OURS)["no_disabled_admin"]
        == "fail"
    )
    two = reading(accounts=(replace(ITADMIN, disabled=True), replace(ITADMIN, name="deputy", has_password=False)))
    assert said("granter_not_locked", two) == "cannot log in: itadmin (disabled), deputy (no password)"


def test_a_token_to_come_is_a_medium_risk_and_named_once() -> None:
    waiting = reading(accounts=(WAITING, ANA))
    assert waiting["recoverable"] == "pending"
    failed = [one for one in load_policy(OURS).evaluate("m", waiting, NOW) if one.result == "fail"]
    assert [(one.rule.id, one.rule.severity) for one in failed] == [("admin_token_to_come", "medium")]
    assert said("admin_token_to_come", waiting) == (
        "itadmin gets a token at the first graphical login (an SSH login does not count)"
    )
    assert "by a holder who is an administrator" in failed[0].rule.remedy
    assert "log in at the screen" in failed[0].rule.remedy
    beside = reading(accounts=(replace(WAITING, name="deputy"), ITADMIN))
    assert results(beside, OURS)["admin_token_to_come"] == "pass"


def test_an_institutional_key_counts_where_it_opens_anything() -> None:
    only = FileVault("on", personal_key=False, institutional_key=True)
    assert results(reading(filevault=only, apple_silicon=False))["recovery_key_present"] == "pass"
    assert results(reading(filevault=only, apple_silicon=True))["recovery_key_present"] == "fail"


def test_an_escrow_that_could_not_be_looked_at_is_unknown() -> None:
    assert results(reading(filevault=replace(MAC.filevault, escrowed_at=None)))["recovery_key_escrowed"] == "unknown"


def test_a_bootstrap_token_that_macos_would_not_use_is_none() -> None:
    managed = replace(MAC.management, preflight=False)
    stale = view(replace(MAC, management=managed), ["escrow", "preflight"])
    assert results(stale)["bootstrap_where_managed"] == "fail"
    assert said("bootstrap_where_managed", stale) == "Bootstrap Token: escrowed unproven, and macOS would not use it"
    unread = reading(management=Management(None, None, None, bootstrap="unknown"))
    assert results(unread)["bootstrap_where_managed"] == "unknown"
