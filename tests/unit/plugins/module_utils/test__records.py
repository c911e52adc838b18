# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the local directory's records say, whatever stands between them."""

from __future__ import annotations

import plistlib
import typing as t

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils._command import records

MAXIMUM = "policyAttributeMaximumFailedAuthentications"
FAILED = f"policyAttributeFailedAuthentications < {MAXIMUM}"
EXPIRES = "policyAttributeCurrentTime > (policyAttributeLastFailedAuthenticationTime + autoEnableInSeconds)"
HASH = ";ShadowHash;HASHLIST:<SALTED-SHA512-PBKDF2>"


def plist(value: object) -> str:
    return plistlib.dumps(value).decode()


def user(**attributes: t.Sequence[str]) -> records.User:
    record = {"RecordName": ["ana"], "UniqueID": ["502"], **attributes}
    (read,) = (
        records.parse_directory(
            plist([{f"dsAttrTypeStandard:{key}": list(value) for key, value in record.items()}])
        ).users
        or ()
    )
    return read


def test_records_are_sorted_whatever_stands_between() -> None:
    users = [{"dsAttrTypeStandard:RecordName": ["ana", "Ana S"], "dsAttrTypeStandard:UniqueID": ["502"]}, {}]
    groups = [{"dsAttrTypeStandard:RecordName": ["admin"], "dsAttrTypeStandard:GroupMembership": ["root"]}]
    policy = {"dsAttrTypeNative:accountPolicyData": ["<plist><dict/></plist>"]}
    read = records.parse_directory(plist(users) + "read: Invalid Path\n" + plist(groups) + plist(policy))
    assert [(one.name, one.uid) for one in read.users or ()] == [("ana", 502)]
    assert read.groups == (records.GroupRecord("admin", "", members=("root",)),)
    assert read.rules == records.Rules()
    assert records.parse_directory(plist(groups)) == records.Directory(None, read.groups, None)
    assert records.parse_directory("<?xml broken </plist>") == records.Directory()


def test_rules_that_cannot_be_read_may_be_any() -> None:
    for data in ("<plist/>", plist({"policyCategoryAuthentication": [1]}), plist({"policyCategoryAuthentication": 1})):
        rules = records.parse_directory(plist({"dsAttrTypeNative:accountPolicyData": [data]})).rules
        assert rules is not None
        assert rules.unjudged == ("a rule without a name",), data


def test_a_record_with_everything() -> None:
    read = user(
        RecordName=["Ana", "ana.sousa"],
        RealName=["Ana Sousa"],
        GeneratedUID=["aaaa-bb"],
        IsHidden=["YES"],
        PrimaryGroupID=["20"],
        accountPolicyData=[plist({"failedLoginCount": 2})],
        keyholder_pending=["creating x y", "preboot"],
    )
    assert (read.guid, read.hidden, read.gid, read.policy) == ("AAAA-BB", True, 20, {"failedLoginCount": 2})
    assert read.taken == {"Ana", "ana.sousa", "Ana Sousa", "uid:502"}
    assert read.pending == ("creating x y", "preboot")
    assert user(UniqueID=["what"], accountPolicyData=["nonsense"]) == records.User(
        "ana",
        "",
        names=("ana",),
        taken=frozenset({"ana", "uid:what"}),
        unread=("UniqueID is not a number of ana", "accountPolicyData is no property list of ana"),
        own_rules=records.UNREAD_RULES,
    )


@pytest.mark.parametrize(
    ("authority", "password", "disabled", "mobile"),
    [
        ([], False, False, False),
        ([HASH], True, False, False),
        ([HASH, ";DisabledUser;"], True, True, False),
        ([f";DisabledUser;{HASH}"], True, True, False),
        ([HASH, ";DisabledTags;SecureToken"], True, False, False),
        ([";LocalCachedUser;/Active Directory/X:ana:AAAA"], True, False, True),
        ([";Kerberosv5;;ana@LKDC;"], False, False, False),
    ],
)
def test_who_can_authenticate(authority: list[str], password: bool, disabled: bool, mobile: bool) -> None:
    """dscl-authonly-disabled; the older form puts the tag before the hash's own."""
    read = user(AuthenticationAuthority=authority)
    assert (read.has_password, read.disabled, read.mobile) == (password, disabled, mobile)


@pytest.mark.parametrize(
    ("content", "parameters", "expected"),
    [
        # As pwpolicy's manual has it: a parameter, in brackets, and more conditions behind it.
        (f"({FAILED}) OR ({EXPIRES})", {MAXIMUM: 5}, records.Rules(("mine",), 5, True)),
        (f"({FAILED})", {MAXIMUM: 5}, records.Rules(("mine",), 5, False)),
        ("policyAttributeFailedAuthentications < 10", {}, records.Rules(("mine",), 10)),
        (FAILED, {}, records.Rules(("mine",), unjudged=("mine",))),
        (
            "policyAttributePassword matches '.{8,}'",
            {},
            records.Rules(("mine",), patterns=(".{8,}",), unjudged=("mine",)),
        ),
        (
            r"policyAttributePassword matches '.*[0-9].*' AND (policyAttributePassword matches '.*it\'s.*')",
            {},
            records.Rules(("mine",), patterns=(".*[0-9].*", r".*it\'s.*"), unjudged=("mine",)),
        ),
        ("NOT (policyAttributePassword matches '.*(.)\\1.*')", {}, records.Rules(("mine",), unjudged=("mine",))),
    ],
)
def test_how_many_wrong_guesses_lock_an_account(
    content: str, parameters: dict[str, int], expected: records.Rules
) -> None:
    rule = {"policyIdentifier": "mine", "policyContent": content, "policyParameters": parameters}
    data = plist({"policyCategoryAuthentication": [rule]})
    assert records.parse_directory(plist({"dsAttrTypeNative:accountPolicyData": [data]})).rules == expected


def test_a_control_character_in_one_name_hides_nobody() -> None:
    said = plist([{"dsAttrTypeStandard:RecordName": ["a_"], "dsAttrTypeStandard:UniqueID": ["502"]}])
    read = records.parse_directory(said.replace("a_", "a\x1b[31m"))
    assert [one.name for one in read.users or ()] == ["a\ufffd[31m"]
