# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever a Mac's programs print, no parser raises, none takes for ever, and a reading holds the kinds it promises."""

from __future__ import annotations

import datetime
import json
import plistlib
import time
import typing as t

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.keyholder.macos.plugins.module_utils import _shape
from ansible_collections.keyholder.macos.plugins.module_utils._command import (
    accounts,
    app_sso,
    diskutil,
    dscl,
    encryption,
    fdesetup,
    mdmclient,
    network,
    plists,
    profiles,
    records,
    start_up,
    sysadminctl,
    system,
)
from ansible_collections.keyholder.macos.plugins.module_utils._macos import Version
from ansible_collections.keyholder.macos.plugins.module_utils._reading.ask import INCLUDE, Ask
from ansible_collections.keyholder.macos.plugins.module_utils._reading.parse import ReadingError
from ansible_collections.keyholder.macos.plugins.module_utils._reading.read import read_mac
from ansible_collections.keyholder.macos.plugins.module_utils._reading.summary import summary
from ansible_collections.keyholder.macos.plugins.module_utils._reading.view import view
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command, Ran, Secret

LOOK = Command(("x",))

PARSERS: dict[str, t.Callable[[Ran], t.Any]] = {
    "who": accounts.parse_who,
    "listUsers": diskutil.parse_users,
    "key_opens": diskutil.passphrase_opens,
    "preboot": diskutil.preboot_updated,
    "authonly": dscl.authentication_answer,
    "dscl": dscl.reason_said,
    "hash": lambda ran: dscl.hash_matches(ran, Secret("x")),
    "openssl": encryption.message,
    "status": fdesetup.parse_status,
    "list": fdesetup.parse_list,
    "deferral": fdesetup.parse_deferral_path,
    "true": fdesetup.says_true,
    "new_key": fdesetup.new_key,
    "exit": fdesetup.exit_reason,
    "platform_sso": app_sso.parse_state,
    "host_keys": start_up.parse_host_keys,
    "switch": start_up.parse_switch,
    "route": start_up.parse_route,
    "link": lambda ran: start_up.parse_link("en0", ran, ran),
    "preflight": mdmclient.parse_preflight,
    "nodes": network.parse_nodes,
    "person": network.parse_person,
    "dialog": network.parse_token_dialog,
    "enrollment": profiles.parse_enrollment,
    "bootstrap": profiles.parse_bootstrap,
    "escrow": profiles.parse_escrow,
    "validated": profiles.validated,
    "profiles": profiles.bootstrap_reason,
    "directory": lambda ran: records.parse_directory(ran.out),
    "sysadminctl": sysadminctl.reason_said,
    "sysctl": system.parse_sysctl,
    "boot": lambda ran: system.parse_boot_time(ran.out),
    "stat": system.parse_stat,
    "places": lambda ran: system.parse_places(ran, ["/", "/Users"]),
    "evidence": lambda ran: ran.evidence,
}

# -- what a Mac in order says -----------------------------------------------------------------------------------------

ANA, ROOT = "11111111-2222-3333-4444-555555555555", "FFFFEEEE-DDDD-CCCC-BBBB-AAAA00000000"
KEY = "EBC6C064-0000-11AA-AA11-00306543ECAC"


def record(name: str, uid: int, **more: t.Any) -> dict[str, t.Any]:
    policy = {"failedLoginCount": 1, "passwordLastSetTime": 1.5e9}
    return {
        "dsAttrTypeStandard:RecordName": [name],
        "dsAttrTypeStandard:UniqueID": [str(uid)],
        "dsAttrTypeStandard:GeneratedUID": [ANA if uid else ROOT],
        "dsAttrTypeStandard:RealName": [f"{name} Sousa"],
        "dsAttrTypeStandard:NFSHomeDirectory": [f"/Users/{name}"],
        "dsAttrTypeStandard:AuthenticationAuthority": [";ShadowHash;HASHLIST:<x>", ";SecureToken;"],
        "dsAttrTypeNative:accountPolicyData": [plistlib.dumps(policy).decode()],
    } | more


USERS = [record("ana", 501), record("root", 0)]
GROUPS = [
    {"dsAttrTypeStandard:RecordName": ["admin"], "dsAttrTypeStandard:GroupMembership": ["ana"]},
]
RULES = {
    "policyCategoryAuthentication": [
        {
            "policyContent": "(policyAttributeFailedAuthentications < policyAttributeMaximumFailedAuthentications)",
            "policyIdentifier": "com.example.lock",
            "policyParameters": {"policyAttributeMaximumFailedAuthentications": 5},
        }
    ],
    "policyCategoryPasswordContent": [
        {"policyContent": "policyAttributePassword matches '^.{8,}$'", "policyIdentifier": "com.example.long"}
    ],
}
ASIDE = "<?xml version='1.0'?><plist><dict><key>_computerlevel</key><array/></dict></plist>"


def directory(*given: t.Any) -> str:
    """Print users, groups and rules as dscl does; those that are not given are as they should be."""
    users, groups, rules = [*given, *(USERS, GROUPS, RULES)[len(given) :]]
    config = {"dsAttrTypeNative:accountPolicyData": [plistlib.dumps(rules).decode()]}
    return "".join(plistlib.dumps(content).decode() for content in (users, groups, config))


REAL = {
    "dscl": directory(),
    "diskutil": f"Cryptographic users for disk3s1s1 (2 found)\n|\n+-- {ANA}\n|   Type: Local Open Directory User\n"
    f"|   Volume Owner: Yes\n|\n+-- {KEY}\n    Type: Personal Recovery User\n    Volume Owner: Yes\n",
    "fdesetup list": f"ana,{ANA}\n",
    "fdesetup status": "FileVault is On.\nEncryption in progress: Percent completed = 12.5\n"
    "Deferred enablement appears to be active for user 'ana'.\n",
    "profiles": "Enrolled via DEP: Yes\nMDM enrollment: Yes (User Approved)\nMDM server: https://mdm.example.com/\n"
    "profiles: Bootstrap Token supported on server: YES\nprofiles: Bootstrap Token escrowed to server: YES\n",
    "sysctl": "kern.osproductversion: 15.6\nkern.osversion: 24G84\nhw.optional.arm64: 1\nhw.model: Mac15,3\n",
    "stat": "1700000000\n",
    "places": "Directory|0|755|/\nDirectory|0|755|/Users\n",
    "mdmclient": '  EACSPreflight = "success";\n',
    "who": "ana console Nov 29 03:06\n",
    "odutil": "/Active Directory/EXAMPLE/All Domains Online\n",
    "boot": "{ sec = 1700000000, usec = 5 } Tue Nov 14\n",
    "escrow": ASIDE,
    "openssl": "-----BEGIN PKCS7-----\nMIIB\n-----END PKCS7-----\n",
}

# -- and what it may say instead --------------------------------------------------------------------------------------

STRANGE: list[t.Any] = [
    datetime.datetime(2026, 1, 1), b"\x00\xff", float("nan"), float("inf"), -1, 10**18, True, "", "x", [], {}, [[]],
    ["a", 1], {"a": [b"b"]}, 2**63 - 1, 1e300, "9" * 5000, "\u00b2", "\u0665", "1_0", plistlib.UID(1),
]  # fmt: skip
values = st.sampled_from([one for one in STRANGE if not isinstance(one, plistlib.UID)])
trees: st.SearchStrategy[t.Any] = st.recursive(
    values | st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "UniqueID"]), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def mutated(draw: st.DrawFn, text: str) -> str:
    """A real answer with a piece cut out, doubled, moved or replaced."""
    for _time in range(draw(st.integers(0, 3))):
        begin = draw(st.integers(0, len(text)))
        end = draw(st.integers(begin, min(len(text), begin + 60)))
        piece = draw(
            st.sampled_from(
                ["", text[begin:end] * 2, "9" * 400, "-", ".", "\x00", "\u2028", "\u00b2", "<?xml", "\n" * 9]
            )
            | st.text(max_size=5)
        )
        text = text[:begin] + piece + text[end:]
    return text


answers = st.sampled_from(sorted(REAL.values())).flatmap(mutated) | st.text(max_size=60)
statuses = st.sampled_from([0, 1, 11, 85, 255, -9, None])


@st.composite
def directories(draw: st.DrawFn) -> str:
    """A directory in which anything stands where a text, a list or a property list belongs."""

    def odd_record() -> t.Any:
        entry: dict[str, t.Any] = record("ana", 501)
        for key in draw(st.lists(st.sampled_from(sorted(entry)), max_size=3)):
            entry[key] = draw(trees | st.lists(trees, max_size=2))
        policy = draw(st.dictionaries(st.sampled_from(["failedLoginCount", "passwordLastSetTime"]), trees))
        if draw(st.booleans()):
            entry["dsAttrTypeNative:accountPolicyData"] = [plistlib.dumps(policy).decode()]
        return draw(trees) if draw(st.integers(0, 9)) == 0 else entry

    users = [record("root", 0), *(odd_record() for _one in range(draw(st.integers(0, 3))))]
    rules = draw(st.just(RULES) | trees | st.dictionaries(st.text("ab"), st.lists(trees | st.just({
        "policyContent": "policyAttributeFailedAuthentications < x", "policyParameters": draw(trees)
    }), max_size=3), max_size=2))  # fmt: skip
    try:
        return directory(users, draw(st.just(GROUPS) | trees), rules)
    except (ValueError, TypeError, OverflowError):
        return directory(users)


@pytest.mark.parametrize("name", PARSERS)
@given(out=answers, err=answers, rc=statuses)
def test_no_parser_raises(name: str, out: str, err: str, rc: int | None) -> None:
    PARSERS[name](Ran(LOOK, rc, out, err))


@given(st.binary(max_size=200) | st.builds(lambda tail: b"bplist00" + tail, st.binary(max_size=80)))
@example(b'<?xml version="1.0" encoding="nonesuch"?><plist/>')
@example(b"bplist00" + bytes(32))
@example(plistlib.dumps([[1]], fmt=plistlib.FMT_BINARY)[:-3])
@example(b"<plist><date>soon</date></plist>")
def test_no_property_list_raises(data: bytes) -> None:
    plists.load(data)


@given(st.text(max_size=40) | st.sampled_from([one for one in STRANGE if isinstance(one, str)]))
def test_a_version_is_one_or_a_value_error(text: str) -> None:
    try:
        Version.parse(text)
    except ValueError as problem:
        assert "not a macOS version" in str(problem)


class Says:
    """A runner whose programs say what they are told."""

    def __init__(self, said: t.Mapping[str, str], rc: int | None = 0) -> None:
        self._said = said
        self._rc = rc

    def run(self, command: Command, deadline: float = 0) -> Ran:
        name = next((key for key in self._said if str(command).startswith(key)), "")
        return Ran(command, self._rc, self._said.get(name, ""))

    def run_all(self, commands: t.Sequence[Command], deadline: float = 1) -> list[Ran]:
        return [self.run(command, deadline) for command in commands]


ALL = Ask(
    **dict.fromkeys(INCLUDE, True),  # type: ignore[arg-type]
    deferral=True,
    escrow_profile=True,
    authrestart=True,
    directory_user="ana",
    token_dialog=True,
    sessions=True,
    home="ana",
)


def read(said: t.Mapping[str, str], rc: int | None = 0) -> dict[str, t.Any] | None:
    """The reading as data, checked against the table of kinds, and against JSON; None: refused with a reason."""
    try:
        mac = read_mac(Says(said, rc), 1, ALL)
    except ReadingError as problem:
        assert problem.reason in ("not_a_mac", "reading_incomplete"), problem
        return None
    made = view(mac, INCLUDE)
    assert _shape.conform(made) == made
    json.dumps(made, allow_nan=False)
    assert all(isinstance(line, str) for line in summary(mac))
    return made


def test_a_mac_in_order_is_read_whole() -> None:
    made = read(REAL)
    assert made is not None
    assert (made["recoverable"], made["missing"], made["granters"]) == ("yes", [], ["ana"])
    assert made["filevault"]["percent"] == 12.5
    assert made["policy"] == {"rules": ["com.example.lock", "com.example.long"], "patterns": ["^.{8,}$"],
                              "max_failed_logins": 5}  # fmt: skip
    assert (made["accounts"][1]["password_changed"], made["accounts"][1]["failed_logins"]) == (1.5e9, 1)


@given(st.fixed_dictionaries({key: mutated(text) | st.just(text) for key, text in REAL.items()}), statuses)
def test_no_mac_that_says_odd_things_is_a_traceback(said: dict[str, str], rc: int | None) -> None:
    read(said, rc)


@given(directories())
def test_whatever_a_directory_holds_a_reading_has_the_kinds_it_promises(text: str) -> None:
    read({**REAL, "dscl": text})


@pytest.mark.parametrize("value", [datetime.datetime(2026, 1, 1), b"x", float("nan"), float("inf"), True, "1", [1], {}])
@pytest.mark.parametrize(
    ("key", "field"), [("passwordLastSetTime", "password_changed"), ("failedLoginCount", "failed_logins")]
)
def test_a_value_of_another_kind_is_unread_and_named(key: str, field: str, value: t.Any) -> None:
    odd = record("ana", 501)
    odd["dsAttrTypeNative:accountPolicyData"] = [plistlib.dumps({key: value}).decode()]
    made = read({**REAL, "dscl": directory([odd, record("root", 0)])})
    assert made is not None
    assert {one["name"]: one[field] for one in made["accounts"]}["ana"] is None
    assert [one["evidence"].startswith(f"{key} is ") for one in made["missing"]] == [True]
    assert made["missing"][0]["evidence"].endswith(" of ana")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("directory", "<?xml" * 400_000),
        ("directory", plistlib.dumps({"dsAttrTypeNative:accountPolicyData": [plistlib.dumps({"a": [{
            "policyContent": " " * 2_000_000 + "policyAttributePassword" + " " * 2_000_000}]}).decode()]}).decode()),
        ("deferral", "\n" * 1_000_000),
        ("nodes", "\n" * 1_000_000),
        ("nodes", "/LDAPv3/" + " " * 1_000_000),
        ("sysctl", "hw.model: " + " " * 1_000_000 + "x" + " " * 1_000_000),
        ("preflight", "EACSPreflight = " + " " * 1_000_000),
        ("boot", "sec = " + "1" * 1_000_000),
        ("status", "FileVault is On" * 100_000),
        ("listUsers", "+-- " * 300_000),
        ("openssl", "-----BEGIN CMS-----\n" * 60_000),
        ("hash", plistlib.dumps({"dsAttrTypeNative:ShadowHashData": [plistlib.dumps({"SALTED-SHA512-PBKDF2": {
            "entropy": b"x" * 128, "salt": b"x", "iterations": 2**31 - 1}}).hex()]}).decode()),
        ("hash", plistlib.dumps({"dsAttrTypeNative:ShadowHashData": [plistlib.dumps({"SALTED-SHA512-PBKDF2": {
            "entropy": 10**12, "salt": b"x", "iterations": 1}}).hex()]}).decode()),
    ],
)  # fmt: skip
def test_no_text_keeps_a_parser_for_long(name: str, text: str) -> None:
    """Each took minutes to days, or all of the memory, with a pattern that goes back: the limit is far from both."""
    begun = time.process_time()
    PARSERS[name](Ran(LOOK, 0, text))
    assert time.process_time() - begun < 30
