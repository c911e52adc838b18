# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How answers become a reading: one Mac that says everything, and what each other answer makes of it."""

from __future__ import annotations

import plistlib
import typing as t
from dataclasses import dataclass, field, replace

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils._account import Account, Sources
from ansible_collections.keyholder.macos.plugins.module_utils._command import (
    diskutil,
    dscl,
    fdesetup,
    preboot,
    profiles,
    records,
    system,
)
from ansible_collections.keyholder.macos.plugins.module_utils._mac import (
    FileVault,
    Mac,
    Management,
    Missing,
    Network,
    PasswordPolicy,
    Person,
    Volume,
)
from ansible_collections.keyholder.macos.plugins.module_utils._macos import Version
from ansible_collections.keyholder.macos.plugins.module_utils._place import Place
from ansible_collections.keyholder.macos.plugins.module_utils._power import Power
from ansible_collections.keyholder.macos.plugins.module_utils._reading.ask import Ask
from ansible_collections.keyholder.macos.plugins.module_utils._reading.parse import ReadingError
from ansible_collections.keyholder.macos.plugins.module_utils._reading.read import (
    NOTHING_ELSE,
    commands_of,
    read_mac,
    read_notes,
)
from ansible_collections.keyholder.macos.plugins.module_utils._runner import DEADLINE, Command, Ran

IT, ANA, RUI = (f"{number}-0000-1111-2222-333344445555" for number in ("0000000A", "0000000B", "0000000C"))
STRANGER = "0000000F-0000-1111-2222-333344445555"
HASH = ";ShadowHash;HASHLIST:<SALTED-SHA512-PBKDF2>"
LIMIT = {
    "policyIdentifier": "five",
    "policyContent": "policyAttributeFailedAuthentications < 5",
    "policyParameters": {},
}
GRIPE = "exit status 1"


def plist(value: object) -> str:
    return plistlib.dumps(value).decode()


def user(name: str, guid: str, uid: int, **more: t.Any) -> dict[str, list[t.Any]]:
    record = {"RecordName": [name], "GeneratedUID": [guid], "UniqueID": [str(uid)], "PrimaryGroupID": ["20"]}
    return {**record, "AuthenticationAuthority": [HASH], **more}


USERS = {
    "root": user("root", STRANGER, 0, AuthenticationAuthority=[], keyholder_pending=["preboot"]),
    "itadmin": user(
        "itadmin",
        IT,
        501,
        AuthenticationAuthority=[HASH, ";SecureToken;"],
        RealName=["IT Admin"],
        accountPolicyData=[plist({"failedLoginCount": 1, "passwordLastSetTime": 7.0})],
    ),
    "ana": user("ana", ANA, 502, RealName=["Ana Sousa"], NFSHomeDirectory=["/Users/ana"]),
    "_www": user("_www", RUI, 70, AuthenticationAuthority=[]),
}
GROUPS = {
    "admin": {
        "RecordName": ["admin"],
        "GeneratedUID": ["G-A"],
        "PrimaryGroupID": ["80"],
        "GroupMembership": ["itadmin"],
    },
    "staff": {"RecordName": ["staff"], "GeneratedUID": ["G-S"], "PrimaryGroupID": ["20"]},
}


def directory(users: t.Any = None, groups: t.Any = None, rules: t.Any = None) -> str:
    people = {**USERS, **(users or {})}
    sets = {**GROUPS, **(groups or {})}
    policy = {"accountPolicyData": [plist({"policyCategoryAuthentication": [LIMIT] if rules is None else rules})]}
    shown = [[one for one in people.values() if one], [one for one in sets.values() if one], policy]
    return "".join(plist(one) for one in shown if one)


def said(out: str = "", rc: int | None = 0, err: str = "", **more: bool) -> Ran:
    return Ran(Command(("x",)), rc, out, err, **more)


REFUSED, SILENT = said(rc=1, err=GRIPE), said(rc=None, timed_out=True)


LOCAL, OTHER = "Local Open Directory User", "Other"


def volume(*more: str, device: str = "disk3s1s1", owner: str = "Yes", person: str = IT, kind: str = LOCAL) -> Ran:
    """Who is named: a person, the personal recovery key and ``more``, which are of ``kind``."""
    named = [(person, LOCAL, owner), (diskutil.PERSONAL_RECOVERY, "Personal Recovery User", "Yes")]
    named += [(guid, kind, "No") for guid in more]
    users = [f"+-- {guid}\n|   Type: {of}\n|   Volume Owner: {owns}\n|\n" for guid, of, owns in named]
    return said(f"Cryptographic users for {device} ({len(named)} found)\n|\n{''.join(users)}")


SYSTEM = "kern.osproductversion: {}\nkern.osversion: 24G84\nhw.optional.arm64: 1\nhw.model: Mac15,3\n"
ENROLLED = said("Enrolled via DEP: Yes\nMDM enrollment: Yes (User Approved)\nMDM server: https://m\n")
NOT_ENROLLED = said("Enrolled via DEP: No\nMDM enrollment: No\n")
ESCROWED = "profiles: Bootstrap Token supported on server: YES\nprofiles: Bootstrap Token escrowed to server: {}\n"


def in_preboot(guid: str, folder: str = "0F0F0F0F") -> str:
    return f"/System/Volumes/Preboot/{folder}/var/db/CryptoUserInfo.plist:{guid}\n"


BY_WORDS: dict[str, Ran] = {
    "dscl -q": said(directory()),
    "listUsers": volume(),
    "fdesetup list": said(f"itadmin,{IT}\n"),
    "fdesetup status": said("FileVault is On.\n"),
    "-type enrollment": ENROLLED,
    "-type bootstraptoken": said(ESCROWED.format("YES")),
    "kern.osproductversion": said(SYSTEM.format("15.6")),
    "QueryDeviceInformation": said("EACSPreflight = success;"),
    "CryptoUserInfo.plist": said("".join(in_preboot(guid) for guid in (IT, diskutil.PERSONAL_RECOVERY))),
}


@dataclass
class Told:
    """A Mac whose commands answer so; what nobody has foreseen is refused."""

    answers: dict[str, Ran]
    asked: list[str] = field(default_factory=list)

    def run(self, command: Command, deadline: float = DEADLINE) -> Ran:
        self.asked.append(str(command))
        answer = next((said for words, said in self.answers.items() if words in str(command)), REFUSED)
        return replace(answer, command=command)

    def run_all(self, commands: t.Sequence[Command], deadline: float = DEADLINE) -> list[Ran]:
        return [self.run(command, deadline) for command in commands]


def told(ask: Ask = NOTHING_ELSE, **answers: t.Any) -> tuple[Mac, list[str]]:
    runner = Told({**BY_WORDS, **answers.pop("answers", {})})
    return read_mac(runner, 5, ask), runner.asked


def read(answers: dict[str, Ran] | None = None, ask: Ask = NOTHING_ELSE) -> Mac:
    return told(ask, answers=answers or {})[0]


ADMIN = Account(
    "itadmin",
    IT,
    "IT Admin",
    501,
    20,
    admin=True,
    sources=Sources(True, True, True),
    volume_owner=True,
    password_changed=7.0,
    failed_logins=1,
    in_preboot=True,
)
PLAIN = Account(
    "ana",
    ANA,
    "Ana Sousa",
    502,
    20,
    home="/Users/ana",
    sources=Sources(False, False, False),
    volume_owner=False,
    in_preboot=False,
)
WHOLE = Mac(
    Version(15, 6),
    as_root=True,
    build="24G84",
    model="Mac15,3",
    apple_silicon=True,
    volume=Volume("disk3s1s1", True, True),
    accounts=(ADMIN, PLAIN),
    filevault=FileVault("on", personal_key=True, institutional_key=False, icloud_key=False),
    management=Management(True, True, True, "https://m", "escrowed_unproven", True, bootstrap_crypto_user=False),
    policy=PasswordPolicy(("five",), 5),
    pending=frozenset({"preboot"}),
    names=frozenset({"root", "itadmin", "ana", "_www"}),
    taken=frozenset(
        {"root", "uid:0", "itadmin", "it admin", "uid:501", "ana", "ana sousa", "uid:502", "_www", "uid:70"}
    ),
)


def test_a_mac_that_says_everything_is_read_in_eight_commands() -> None:
    mac, asked = told()
    assert mac == WHOLE
    assert len(asked) == 8


# -- the preboot volume ----------------------------------------------------------------------------------------------

KNOWS_IT, KEY_ALONE = in_preboot(IT), in_preboot(diskutil.PERSONAL_RECOVERY)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (said(KNOWS_IT), {"itadmin": True, "ana": False}),
        (said(in_preboot(IT.lower()) + in_preboot(ANA)), {"itadmin": True, "ana": True}),
        (said(KEY_ALONE), {"itadmin": False, "ana": False}),
        # Another system of this container has a folder of its own, whose people do not count.
        (said(KEY_ALONE + in_preboot(ANA, "E1")), {"itadmin": False, "ana": False}),
        (said(in_preboot(STRANGER)), {"itadmin": None, "ana": None}),
        (said("a stray line\n" + KNOWS_IT + "/etc/hosts:" + ANA + "\n"), {"itadmin": True, "ana": False}),
        (said(KNOWS_IT.replace(IT, "-" * 36)), {"itadmin": None, "ana": None}),
        # No such file, none that may be read, one of two that may be read, and nothing found in it.
        (said(rc=2, err="grep: /System/Volumes/Preboot/*: No such file or directory"), {"itadmin": None, "ana": None}),
        (said(KEY_ALONE, rc=2, err="grep: Operation not permitted"), {"itadmin": None, "ana": None}),
        (said(rc=1), {"itadmin": None, "ana": None}),
        (SILENT, {"itadmin": None, "ana": None}),
    ],
)
def test_whom_the_preboot_volume_knows(answer: Ran, expected: dict[str, bool | None]) -> None:
    mac = read({"CryptoUserInfo.plist": answer})
    assert {account.name: account.in_preboot for account in mac.accounts} == expected
    assert mac.missing == WHOLE.missing
    assert [who.name for who in mac.unknown_to_preboot] == (["itadmin"] if expected["itadmin"] is False else [])


@pytest.mark.parametrize("answer", ["FileVault is Off.\n", "no such words\n"])
def test_where_filevault_is_not_known_to_be_on_the_preboot_volume_need_not_know_any_holder(answer: str) -> None:
    assert read({"CryptoUserInfo.plist": said(KEY_ALONE), "fdesetup status": said(answer)}).unknown_to_preboot == ()


# -- what is asked ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "enrollment", "counts"),
    [
        ("15.6", ENROLLED, True),
        ("10.15", ENROLLED, True),
        ("10.14.6", ENROLLED, False),
        ("15.6", NOT_ENROLLED, False),
        ("15.6", REFUSED, True),
    ],
)
def test_where_an_answer_about_the_bootstrap_token_counts(version: str, enrollment: Ran, counts: bool) -> None:
    answers = {"-type enrollment": enrollment, "kern.osproductversion": said(SYSTEM.format(version))}
    not_asked = "not_enrolled" if version == "15.6" else "unsupported"
    assert read(answers).management.bootstrap == ("escrowed_unproven" if counts else not_asked)


@pytest.mark.parametrize(
    ("ask", "commands"),
    [
        (NOTHING_ELSE, []),
        (Ask(escrow=True), ["stat -f %m /var/db/FileVaultPRK.dat"]),
        (Ask(key_used=True), ["fdesetup usingrecoverykey"]),
        (Ask(escrow_profile=True), ["profiles show -output stdout-xml"]),
        (Ask(deferral=True), []),
        (Ask(escrow_if_off=True), []),
        (Ask(authrestart=True), ["fdesetup supportsauthrestart"]),
        (Ask(preflight=True), ["mdmclient QueryDeviceInformation"]),
        (Ask(full_disk_access=True), ["ls /Library/Application Support/com.apple.TCC"]),
        (Ask(sessions=True), ["who"]),
        (Ask(power=True), ["pmset -g batt"]),
        (Ask(activation_lock=True), ["system_profiler SPHardwareDataType"]),
        (Ask(recovery_lock=True), ["mdmclient QuerySecurityInfo"]),
        (Ask(access_to_make="itadmin"), []),
        (Ask(way="/a"), ["stat -f %HT|%u|%Lp|%N / /a"]),
        (Ask(way_home="ana"), ["stat -f %HT|%u|%Lp|%N / /Users /Users/ana"]),
        (Ask(way="relative", way_home="itadmin"), []),
        (Ask(way="/a\nb", way_home="ada"), []),
        (Ask(way="/a/b", way_home="ana"), ["stat -f %HT|%u|%Lp|%N / /a /a/b /Users /Users/ana"]),
        (Ask(home="ada"), []),
        (Ask(home="itadmin"), []),
        (
            Ask(token_dialog=True),
            ["defaults read /Library/Managed Preferences/com.apple.MCX cachedaccounts.askForSecureTokenAuthBypass"],
        ),
    ],
)
def test_each_thing_asked_for_is_one_command_more(ask: Ask, commands: list[str]) -> None:
    assert told(ask)[1][8:] == commands


def test_in_one_go_only_what_is_always_asked_and_the_escrow() -> None:
    always = [
        dscl.READ_ALL,
        diskutil.LIST_USERS,
        fdesetup.LIST,
        fdesetup.STATUS,
        profiles.ENROLLMENT,
        profiles.BOOTSTRAP_STATUS,
        system.SYSCTL,
        preboot.READ_USERS,
    ]
    assert list(commands_of()) == list(commands_of(Ask(preflight=True))) == always
    assert list(commands_of(Ask(escrow=True))) == [*always, fdesetup.ESCROW]


# -- what could not be read -------------------------------------------------------------------------------------------


def lacks(words: str, answer: Ran = REFUSED) -> tuple[Mac, list[str]]:
    mac = read({words: answer})
    return mac, [missing.what for missing in mac.missing]


@pytest.mark.parametrize("answer", [REFUSED, SILENT, said(rc=-9, out="Cryptographic users for disk3s1s1 (0 found)\n")])
def test_without_crypto_users_nobody_knows_who_has_a_key(answer: Ran) -> None:
    mac, missing = lacks("listUsers", answer)
    assert missing == ["crypto users of the boot volume"]
    assert mac == replace(
        WHOLE,
        volume=Volume(),
        accounts=(
            replace(ADMIN, sources=Sources(True, None, True), volume_owner=None, in_preboot=None),
            replace(PLAIN, sources=Sources(False, None, False), volume_owner=None, in_preboot=None),
        ),
        filevault=FileVault("on"),
        management=replace(WHOLE.management, bootstrap_crypto_user=None),
        missing=mac.missing,
    )


@pytest.mark.parametrize("answer", [REFUSED, SILENT, said("")])
def test_without_filevaults_list_nobody_knows_who_is_on_it(answer: Ran) -> None:
    """An empty list, where people are crypto users, is no answer."""
    mac, missing = lacks("fdesetup list", answer)
    assert missing == ["FileVault's list of users"]
    assert [who.sources.filevault for who in mac.accounts] == [None, None]
    assert mac.as_root
    empty = read({"fdesetup list": said(""), "listUsers": said("No cryptographic users for disk3s1s1\n")})
    assert [who.sources.filevault for who in empty.accounts] == [False, False]
    # Crypto users that are nobody's here are not people whom the list could name.
    alone = read({"fdesetup list": said(""), "listUsers": volume(person=RUI[:-1] + "9")})
    assert [who.sources.filevault for who in alone.accounts] == [False, False]


def test_a_volume_that_is_not_apfs_has_no_list_and_no_keys_that_are_known() -> None:
    mac, missing = lacks("listUsers", said(rc=1, err="/ is not an APFS Volume\n"))
    assert (missing, mac.volume) == ([], Volume("", False, False))
    assert mac.filevault == FileVault("on")
    none = read({"listUsers": said(rc=1, err="/ is not an APFS Volume\n"), "fdesetup list": REFUSED})
    assert none.missing == ()
    assert [who.sources for who in none.accounts] == [Sources(True, False, False), Sources(False, False, False)]


def test_without_root_the_reading_says_so() -> None:
    bare = {**USERS["itadmin"], "accountPolicyData": []}
    mac = read({"dscl -q": said(directory({"itadmin": bare})), "fdesetup list": REFUSED})
    assert not mac.as_root
    assert [missing.what for missing in mac.missing] == [
        "FileVault's list of users",
        "failed logins and password dates",
    ]
    # One of the two is enough.
    assert read({"fdesetup list": REFUSED}).as_root
    assert read({"dscl -q": said(directory({"itadmin": bare}))}).as_root


@pytest.mark.parametrize("answer", [REFUSED, SILENT, said("noise\n")])
def test_an_unread_status_of_filevault_is_unknown(answer: Ran) -> None:
    mac, missing = lacks("fdesetup status", answer)
    assert (mac.filevault.state, missing) == ("unknown", ["FileVault's status"])


def test_a_deferral_and_a_conversion_are_read() -> None:
    progress = "FileVault is On.\nEncryption in progress: Percent completed = 7\n"
    user_ = "Deferred enablement appears to be active for user 'ana'.\n"
    filevault = read({"fdesetup status": said(progress + user_)}).filevault
    assert (filevault.state, filevault.percent, filevault.deferred_user) == ("encrypting", 7.0, "ana")


@pytest.mark.parametrize(
    ("answer", "bootstrap", "supported", "missing"),
    [
        (said(ESCROWED.format("YES")), "escrowed_unproven", True, []),
        (said(ESCROWED.format("NO")), "not_escrowed", True, []),
        (said("profiles: Bootstrap Token supported on server: NO\n"), "unsupported", False, []),
        (said("profiles: Bootstrap Token supported on server: YES\n"), "unknown", True, ["Bootstrap Token"]),
        (SILENT, "unknown", None, ["Bootstrap Token"]),
    ],
)
def test_the_status_of_the_bootstrap_token(
    answer: Ran, bootstrap: str, supported: bool | None, missing: list[str]
) -> None:
    mac, found = lacks("-type bootstraptoken", answer)
    assert (mac.management.bootstrap, mac.management.supported, found) == (bootstrap, supported, missing)


def test_an_enrolment_that_could_not_be_read_is_not_denied() -> None:
    mac, missing = lacks("-type enrollment")
    assert missing == ["enrolment in MDM"]
    managed = mac.management
    assert (managed.enrolled, managed.automated, managed.user_approved, managed.server) == (None, None, None, "")
    assert managed.bootstrap == "escrowed_unproven"


def test_what_the_directory_holds_otherwise_is_named_up_to_twenty() -> None:
    def odd(count: int) -> dict[str, t.Any]:
        return {f"u{number}": user(f"u{number}", f"G{number}", 600 + number, RealName=5) for number in range(count)}

    for count, last in (
        (20, "RealName is a whole number of u19"),
        (21, "and 1 more values"),
        (23, "and 3 more values"),
    ):
        mac = read({"dscl -q": said(directory(odd(count)))})
        assert len(mac.missing) == min(count, 20) + (count > 20)
        assert {one.what for one in mac.missing} == {"what the local directory holds"}
        assert mac.missing[-1].evidence == last


def test_without_groups_nobody_is_called_an_administrator() -> None:
    mac = read({"dscl -q": said(plist(list(USERS.values())))})
    assert (mac.groups_read, [one.what for one in mac.missing]) == (
        False,
        ["groups of the local directory", "rules for passwords"],
    )
    assert [who.admin for who in mac.accounts] == [False, False]
    assert not mac.foreign_admins


def no_mac(answers: dict[str, Ran], ask: Ask = NOTHING_ELSE) -> tuple[str, str]:
    with pytest.raises(ReadingError) as caught:
        read(answers, ask)
    return caught.value.reason, str(caught.value)


def test_what_is_no_mac() -> None:
    assert no_mac({"dscl -q": SILENT})[0] == "no_answer"
    assert no_mac({"kern.osproductversion": SILENT, "sw_vers": SILENT}) == (
        "no_answer",
        "the version of macOS could not be read: sw_vers: no answer before the deadline",
    )
    assert no_mac({"dscl -q": said(rc=None, too_long=True)})[0] == "output_too_long"
    assert no_mac({"dscl -q": REFUSED})[0] == "not_a_mac"
    assert no_mac({"kern.osproductversion": REFUSED})[1].startswith("this does not look like a Mac: ")
    assert no_mac({"kern.osproductversion": said(SYSTEM.format("Tahoe"))}) == (
        "not_a_mac",
        "not a macOS version: 'Tahoe'",
    )
    older = {"kern.osproductversion": REFUSED, "sw_vers": said("ProductVersion: 10.13.2\nBuildVersion: 17C88\n")}
    assert (read(older).version, read(older).build) == (Version(10, 13, 2), "17C88")


@pytest.mark.parametrize(
    ("singly", "reason"),
    [(said(directory()), ""), (REFUSED, "not_a_mac"), (said(rc=None, too_long=True), "output_too_long")],
)
def test_a_directory_that_does_not_answer_at_once_is_asked_piece_by_piece(singly: Ran, reason: str) -> None:
    runner = Told({**BY_WORDS, "dscl -q": REFUSED, "dscl -plist . -read": said("")})
    runner.answers["dscl -plist . -readall /Users"] = singly
    runner.answers = {"dscl -plist . -readall /Users": singly, **runner.answers}
    if reason:
        with pytest.raises(ReadingError) as caught:
            read_mac(runner, 5)
        assert caught.value.reason == reason
    else:
        assert read_mac(runner, 5).accounts == WHOLE.accounts
    assert len([command for command in runner.asked if command.startswith("dscl")]) == 4


def test_a_program_that_is_not_there_is_not_asked_again() -> None:
    runner = Told({**BY_WORDS, "dscl -q": said(rc=None, err="not found")})
    with pytest.raises(ReadingError):
        read_mac(runner, 5)
    assert len([command for command in runner.asked if command.startswith("dscl")]) == 1


def test_what_keeps_the_runner_from_asking_is_no_fault_of_the_mac() -> None:
    class Broken(Told):
        def run(self, command: Command, deadline: float = DEADLINE) -> Ran:
            if "listUsers" in str(command):
                raise OSError("the connection is gone")
            return super().run(command, deadline)

    with pytest.raises(OSError, match="gone"):
        read_mac(Broken(dict(BY_WORDS)), 5)


# -- accounts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("record", "there"),
    [
        (user("svc", RUI, 500, AuthenticationAuthority=[]), True),
        (user("svc", RUI, 499, AuthenticationAuthority=[]), False),
        (user("svc", RUI, 499), True),
        (user("svc", RUI, 499, AuthenticationAuthority=[";SecureToken;"]), True),
        (user("svc", IT, 499, AuthenticationAuthority=[]), True),
        (user("_svc", RUI, 600, AuthenticationAuthority=[]), False),
        (user("nobody", RUI, 600, AuthenticationAuthority=[]), False),
        (user("nobody", RUI, 600), True),
        ({**user("svc", RUI, 0, AuthenticationAuthority=[]), "UniqueID": []}, True),
    ],
)
def test_who_is_an_account_of_a_person(record: dict[str, t.Any], there: bool) -> None:
    mac = read({"dscl -q": said(directory({"svc": record}))})
    assert (mac.account(record["RecordName"][0]) is not None) is there


def test_an_account_in_the_making_is_one_whatever_its_number() -> None:
    noted = {**USERS["root"], "keyholder_pending": ["creating svc", "preboot"]}
    low = user("svc", RUI, 400, AuthenticationAuthority=[])
    mac = read({"dscl -q": said(directory({"root": noted, "svc": low}))})
    assert mac.account("svc") is not None
    assert mac.pending == {"creating svc", "preboot"}


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({}, "local"),
        ({"OriginalNodeName": ["/X"]}, "network"),
        ({"AuthenticationAuthority": [";LocalCachedUser;/X:ana:1"], "OriginalNodeName": ["/X"]}, "mobile"),
    ],
)
def test_the_kind_of_an_account(more: dict[str, t.Any], kind: str) -> None:
    ana = read({"dscl -q": said(directory({"ana": {**USERS["ana"], **more}}))}).account("ana")
    assert ana is not None
    assert ana.kind == kind


OWN_RULES = {
    "policyCategoryAuthentication": [
        {
            "policyContent": "(policyAttributeFailedAuthentications < 7) OR (policyAttributeCurrentTime >"
            " (policyAttributeLastFailedAuthenticationTime + 600))",
            "policyIdentifier": "seven",
        },
        {"policyContent": "policyAttributeCurrentTime < 5", "policyIdentifier": "odd"},
    ]
}
"""Of one account, as `pwpolicy -u ana -setaccountpolicies` sets them."""


def test_each_field_of_an_account_arrives() -> None:
    full = user(
        "ana",
        ANA,
        502,
        RealName=["Ana"],
        NFSHomeDirectory=["/h"],
        UserShell=["/s"],
        AuthenticationHint=["the usual"],
        Picture=["/p"],
        IsHidden=["1"],
        AuthenticationAuthority=[HASH, ";DisabledTags;SecureToken", ";DisabledUser;"],
        accountPolicyData=[plist({"failedLoginCount": 3, "passwordLastSetTime": 9.0, "history": ["x"], **OWN_RULES})],
    )
    ana = read({"dscl -q": said(directory({"ana": full}))}).account("ana")
    assert ana == Account(
        "ana",
        ANA,
        "Ana",
        502,
        20,
        hidden=True,
        disabled_tag=True,
        disabled=True,
        home="/h",
        shell="/s",
        hint="the usual",
        picture="/p",
        sources=Sources(False, False, False),
        volume_owner=False,
        password_changed=9.0,
        failed_logins=3,
        disabled_by=records.BY_RECORD,
        max_failed_logins=7,
        lock_expires=True,
        unjudged=("odd",),
        in_preboot=False,
    )
    bare = read({"dscl -q": said(directory({"ana": {**full, "AuthenticationAuthority": []}}))}).account("ana")
    assert bare is not None
    assert not bare.has_password


@pytest.mark.parametrize(("version", "owners"), [("10.15.7", [None, None]), ("11.0", [True, False])])
def test_volumes_have_owners_from_macos_11_on(version: str, owners: list[bool | None]) -> None:
    mac = read({"kern.osproductversion": said(SYSTEM.format(version))})
    assert [who.volume_owner for who in mac.accounts] == owners
    if version == "11.0":
        mac = read({"kern.osproductversion": said(SYSTEM.format(version)), "listUsers": volume(owner="No")})
        assert [who.volume_owner for who in mac.accounts] == [False, False]


@pytest.mark.parametrize(
    ("groups", "administrators"),
    [
        ({}, ["itadmin"]),
        ({"admin": {**GROUPS["admin"], "GroupMembership": ["ana"]}}, ["ana"]),
        ({"admin": {**GROUPS["admin"], "GroupMembership": [], "GroupMembers": [ANA.lower()]}}, ["ana"]),
        ({"admin": {**GROUPS["admin"], "PrimaryGroupID": ["20"]}}, ["itadmin", "ana"]),
        ({"admin": {**GROUPS["admin"], "NestedGroups": ["G-S"]}}, ["itadmin", "ana"]),
        (
            {
                "admin": {**GROUPS["admin"], "NestedGroups": ["g-x"]},
                "x": {"RecordName": ["x"], "GeneratedUID": ["G-X"], "NestedGroups": ["G-Y"]},
                "y": {
                    "RecordName": ["y"],
                    "GeneratedUID": ["G-Y"],
                    "GroupMembership": ["ana"],
                    "NestedGroups": ["G-X"],
                },
            },
            ["itadmin", "ana"],
        ),
        ({"staff": {**GROUPS["staff"], "GroupMembership": ["ana"]}}, ["itadmin"]),
        ({"admin": None}, []),
    ],
)
def test_who_is_an_administrator(groups: dict[str, t.Any], administrators: list[str]) -> None:
    mac = read({"dscl -q": said(directory(groups=groups))})
    assert [who.name for who in mac.accounts if who.admin] == administrators
    assert not mac.foreign_admins


@pytest.mark.parametrize(
    ("nested", "foreign"),
    [([], False), (["G-S"], False), (["G-Z"], True), (["G-S", "G-Z"], True)],
)
def test_a_group_of_somebody_else_may_make_administrators(nested: list[str], foreign: bool) -> None:
    mac = read({"dscl -q": said(directory(groups={"admin": {**GROUPS["admin"], "NestedGroups": nested}}))})
    assert mac.foreign_admins is foreign
    other = {"staff": {**GROUPS["staff"], "NestedGroups": ["G-Z"]}}
    assert read({"dscl -q": said(directory(groups=other))}).foreign_admins is False


def test_a_group_disables_accounts_on_macos_27() -> None:
    group = {"RecordName": ["com.apple.access_disabled"], "GeneratedUID": ["G-D"], "GroupMembership": ["ana"]}
    mac = read({"dscl -q": said(directory(groups={"disabled": group}))})
    assert [who.disabled for who in mac.accounts] == [False, True]
    assert [who.disabled_by for who in mac.accounts] == ["", records.BY_GROUP]


@pytest.mark.parametrize(
    "groups",
    [
        {"d": {"GroupMembership": ["ANA"]}},
        {"d": {"GroupMembership": ["Ana.Sousa"]}},
        {"d": {"GroupMembers": [ANA.lower()]}},
        {"d": {"PrimaryGroupID": ["20"]}},
        {"d": {"NestedGroups": ["g-n"]}, "n": {"GroupMembership": ["ana"]}},
        {"d": {"NestedGroups": ["G-N"]}, "n": {"GroupMembers": [ANA]}},
        {"d": {"NestedGroups": ["G-N"]}, "n": {"NestedGroups": ["G-M"]}, "m": {"PrimaryGroupID": ["20"]}},
    ],
)
def test_however_an_account_is_in_that_group_it_is_disabled(groups: dict[str, dict[str, list[str]]]) -> None:
    names = {"d": "com.apple.access_disabled", "n": "n", "m": "m"}
    told = {
        key: {"RecordName": [names[key]], "GeneratedUID": [f"G-{key.upper()}"], **one} for key, one in groups.items()
    }
    people = {
        "ana": user("ana", ANA, 502, RecordName=["ana", "ana.sousa"]),
        "itadmin": user("itadmin", IT, 501, PrimaryGroupID=["21"]),
    }
    mac = read({"dscl -q": said(directory(people, groups=told))})
    assert {who.name: who.disabled for who in mac.accounts} == {"ana": True, "itadmin": False}


def test_of_a_directorys_group_in_it_any_mobile_account_may_be_a_member() -> None:
    mobile = user("ada", "G-ADA", 1500, AuthenticationAuthority=[";LocalCachedUser;/Active Directory/X:ada:guid"])
    people = {"itadmin": None, "ana": user("ana", ANA, 502), "ada": mobile}
    for nested, disabled in ((["G-OTHER"], True), ([], False)):
        group = {"RecordName": ["com.apple.access_disabled"], "GeneratedUID": ["G-D"], "NestedGroups": nested}
        mac = read({"dscl -q": said(directory(people, groups={"d": group}))})
        assert {who.name: who.disabled for who in mac.accounts} == {"ana": False, "ada": disabled}


@pytest.mark.parametrize(
    ("own", "failed", "locked"),
    [
        ({}, 9, False),
        ({"max_failed_logins": 5}, 5, True),
        ({"max_failed_logins": 5}, 4, False),
        ({"max_failed_logins": 5}, None, None),
        ({"max_failed_logins": 5, "lock_expires": True}, 5, None),
        ({"max_failed_logins": 0}, 9, False),
        ({"unjudged": ("odd",)}, 0, None),
        ({"max_failed_logins": 5, "unjudged": ("odd",)}, 5, True),
    ],
)
@pytest.mark.parametrize("macs", [PasswordPolicy(), PasswordPolicy(max_failed_logins=20, lock_expires=True)])
def test_a_rule_for_one_account_locks_it_beside_those_of_the_mac(
    macs: PasswordPolicy, own: dict[str, t.Any], failed: int | None, locked: bool | None
) -> None:
    mac = replace(WHOLE, policy=macs)
    assert mac.locked(replace(WHOLE.accounts[0], failed_logins=failed, **own)) is locked


def test_crypto_users_of_nobody_are_named_but_for_the_guest() -> None:
    other = STRANGER[:-1] + "6"
    mac = read({"listUsers": volume(other, diskutil.GUEST)})
    assert mac.orphans == (other,)
    # The key of root, whom the reading leaves out otherwise, makes an account of it.
    mac = read({"listUsers": volume(STRANGER)})
    assert (mac.orphans, [who.name for who in mac.accounts]) == ((), ["root", "itadmin", "ana"])


@pytest.mark.parametrize(
    ("guid", "name"),
    [
        (diskutil.INSTITUTIONAL[0], "institutional_key"),
        (diskutil.INSTITUTIONAL[1], "institutional_key"),
        (diskutil.ICLOUD_RECOVERY, "icloud_key"),
    ],
)
def test_keys_are_known_by_their_guid(guid: str, name: str) -> None:
    filevault = read({"listUsers": volume(guid, kind=OTHER)}).filevault
    assert filevault == replace(WHOLE.filevault, **{name: True})  # type: ignore[arg-type]
    none = read({"listUsers": said("No cryptographic users for disk3s1\n")})
    assert none.filevault == FileVault("on", None, "", "", False, False, False)
    assert none.volume == Volume("disk3s1", True, False)
    token = read({"listUsers": volume(diskutil.BOOTSTRAP_CRYPTO_USER, kind=OTHER)})
    assert token.management.bootstrap_crypto_user is True


def test_the_macs_own_rules_for_passwords_arrive() -> None:
    opens = " OR policyAttributeCurrentTime > policyAttributeLastFailedAuthenticationTime + autoEnableInSeconds"
    rules = [
        {**LIMIT, "policyContent": LIMIT["policyContent"] + opens},
        {"policyIdentifier": "form", "policyContent": "policyAttributePassword matches 'x+'"},
    ]
    policy = read({"dscl -q": said(directory(rules=rules))}).policy
    assert policy == PasswordPolicy(("five", "form"), 5, True, ("x+",), ("form",))
    ruleless = read({"dscl -q": said(plist(list(USERS.values())) + plist(list(GROUPS.values())))})
    # What was not read may be any rule.
    assert (ruleless.policy, [one.what for one in ruleless.missing]) == (
        PasswordPolicy(unjudged=("(unread)",)),
        ["rules for passwords"],
    )


# -- what is asked for beside it ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "at", "missing"),
    [
        (said("5\n"), 5, []),
        (said("0\n"), 0, []),
        (said(rc=1, err="stat: /x: No such file or directory"), 0, []),
        (REFUSED, None, ["when a recovery key was last escrowed"]),
        (SILENT, None, ["when a recovery key was last escrowed"]),
    ],
)
def test_when_a_key_was_put_aside(answer: Ran, at: int | None, missing: list[str]) -> None:
    mac = read({"FileVaultPRK": answer}, Ask(escrow=True))
    assert (mac.filevault.escrowed_at, [one.what for one in mac.missing]) == (at, missing)


OFF = {"fdesetup status": said("FileVault is Off.\n")}
DEFERRED = {
    "fdesetup status": said("FileVault is Off.\nDeferred enablement appears to be active for user 'ana'.\n"),
    "showdeferralinfo": said("OutputPath = /p;\n"),
}
PROFILE = plist({"_computerlevel": [{"ProfileItems": [{"PayloadType": "com.apple.security.FDERecoveryKeyEscrow"}]}]})


@pytest.mark.parametrize(
    ("answer", "used"),
    [
        (said("true\n"), True),
        (said("false\n"), False),
        (said("This command is not supported on APFS volumes.\n", rc=33), None),
        (SILENT, None),
    ],
)
def test_whether_the_recovery_key_was_used(answer: Ran, used: bool | None) -> None:
    answers = {"usingrecoverykey": answer}
    assert read(answers, Ask.including(["escrow"])).filevault.key_used is used
    assert read(answers).filevault.key_used is None


def test_what_an_escrow_and_a_deferral_need_is_asked_for_where_it_is() -> None:
    escrowing = {"profiles show": said(PROFILE), "FileVaultPRK": said("5\n")}
    assert read(escrowing, Ask(escrow_profile=True)).filevault.escrow_profile is True
    for answers, asked in ((OFF, True), ({}, False)):
        filevault = read({**escrowing, **answers}, Ask(escrow_if_off=True)).filevault
        assert (filevault.escrow_profile, filevault.escrowed_at) == ((True, 5) if asked else (None, None))
    assert read(DEFERRED, Ask(deferral=True)).filevault.deferral_path == "/p"
    assert read(DEFERRED).filevault.deferral_path == ""
    for words, answer in (("true\n", True), ("false\n", False), ("", None)):
        said_ = read({"supportsauthrestart": said(words)}, Ask(authrestart=True))
        assert said_.filevault.authrestart is answer


@pytest.mark.parametrize(
    ("preflight", "before", "bootstrap", "works"),
    [
        ("EACSPreflight = success;", "YES", "valid", True),
        ("EACSPreflight = failure;", "YES", "escrowed_unproven", False),
        ("", "YES", "escrowed_unproven", None),
        ("EACSPreflight = success;", "NO", "valid", True),
        ("EACSPreflight = failure;", "NO", "not_escrowed", False),
    ],
)
def test_a_preflight_outweighs_profiles(preflight: str, before: str, bootstrap: str, works: bool | None) -> None:
    answers = {"QueryDeviceInformation": said(preflight), "-type bootstraptoken": said(ESCROWED.format(before))}
    managed = read(answers, Ask(preflight=True)).management
    assert (managed.bootstrap, managed.preflight, managed.preflight_asked) == (bootstrap, works, True)


HELD = volume(diskutil.BOOTSTRAP_CRYPTO_USER, kind=OTHER)
NOBODY_GRANTS = {"itadmin": {**USERS["itadmin"], "AuthenticationAuthority": [HASH]}}
WAITS = {
    "dscl -q": said(directory(NOBODY_GRANTS)),
    "listUsers": volume(diskutil.BOOTSTRAP_CRYPTO_USER, kind=OTHER, person=STRANGER),
    "fdesetup list": said(""),
    "fdesetup status": said("FileVault is Off.\n"),
}


@pytest.mark.parametrize(
    ("answers", "ask", "asked"),
    [
        ({}, NOTHING_ELSE, False),
        ({}, Ask(preflight=True), True),
        ({"kern.osproductversion": said(SYSTEM.format("13.3"))}, Ask(preflight=True), True),
        ({"kern.osproductversion": said(SYSTEM.format("13.2.1"))}, Ask(preflight=True), False),
        ({"-type enrollment": NOT_ENROLLED}, Ask(preflight=True), False),
        ({"-type enrollment": REFUSED}, Ask(preflight=True), False),
        # The verdict, or the request's account, rests on it.
        (WAITS, NOTHING_ELSE, True),
        ({"listUsers": HELD}, Ask(waiting="ana"), True),
        ({"listUsers": HELD}, Ask(waiting="ada"), True),
        ({"listUsers": HELD}, Ask(waiting="itadmin"), False),
        ({"listUsers": HELD}, NOTHING_ELSE, False),
        ({}, Ask(waiting="ana"), False),
    ],
)
def test_when_macos_is_asked_whether_the_token_works(answers: dict[str, Ran], ask: Ask, asked: bool) -> None:
    mac, commands = told(ask, answers=answers)
    assert ("mdmclient QueryDeviceInformation" in commands) is asked
    assert mac.management.preflight_asked is asked


@pytest.mark.parametrize(
    ("answer", "access"), [(said("TCC.db\n"), True), (said(rc=1, err="Operation not permitted"), False), (SILENT, None)]
)
def test_full_disk_access_and_its_evidence(answer: Ran, access: bool | None) -> None:
    mac = read({"com.apple.TCC": answer}, Ask(full_disk_access=True))
    assert mac.full_disk_access is access
    assert "com.apple.TCC" in mac.full_disk_evidence
    assert (WHOLE.full_disk_access, WHOLE.full_disk_evidence) == (None, "")


def test_full_disk_access_is_asked_for_an_account_that_is_to_be_made_where_that_needs_it() -> None:
    new = {"kern.osproductversion": said(SYSTEM.format("26.0"))}
    old = {"kern.osproductversion": said(SYSTEM.format("15.6"))}
    denied = {"com.apple.TCC": said(rc=1, err="Operation not permitted")}
    assert read({**new, **denied}, Ask(access_to_make="carol")).full_disk_access is False
    assert read({**new, **denied}, Ask(access_to_make="itadmin")).full_disk_access is None
    assert read({**old, **denied}, Ask(access_to_make="carol")).full_disk_access is None


def test_power_and_locks() -> None:
    answers = {
        "pmset": said("Now drawing from 'Battery Power'\n -InternalBattery-0 (id=1)\t87%; discharging\n"),
        "SPHardwareDataType": said("      Activation Lock Status: Enabled\n"),
        "QuerySecurityInfo": said("        IsRecoveryLockEnabled = 1;\n"),
    }
    mac = read(answers, Ask(power=True, activation_lock=True, recovery_lock=True))
    assert (mac.power, mac.activation_lock, mac.recovery_lock) == (Power("battery", 87), True, True)
    assert (WHOLE.power, WHOLE.activation_lock, WHOLE.recovery_lock) == (None, None, None)


def test_an_intel_mac_has_a_firmware_password_in_place_of_a_recovery_lock() -> None:
    intel = {"kern.osproductversion": said("kern.osproductversion: 15.6\nhw.model: MacBookPro16,1\n")}
    mac, asked = told(Ask(recovery_lock=True), answers={**intel, "firmwarepasswd": said("Password Enabled: Yes\n")})
    assert mac.recovery_lock is True
    assert "mdmclient QuerySecurityInfo" not in asked
    nothing = {"kern.osproductversion": said("kern.osproductversion: 15.6\n")}
    mac, asked = told(Ask(recovery_lock=True), answers=nothing)
    assert (mac.recovery_lock, asked[8:]) == (None, [])


def test_who_is_logged_in_and_what_is_there() -> None:
    assert read({"who": said("ana console\n")}, Ask(sessions=True)).sessions == {"ana"}
    assert read({"who": REFUSED}, Ask(sessions=True)).sessions is None
    there, gone = said("5\n"), said(rc=1, err="stat: /b: No such file or directory")
    answers = {"%m /a": there, "%m /b": gone, "%m /Users/ana": there}
    assert read(answers, Ask(exists=("/a",), home="ana")).files == {"/a", "/Users/ana"}
    assert read(answers, Ask(exists=("/b",), home="ana")).files == {"/Users/ana"}
    assert no_mac({"%m /a": REFUSED}, Ask(exists=("/a",)))[0] == "reading_incomplete"
    assert "it could not be read whether /a exists" in no_mac({"%m /a": SILENT}, Ask(exists=("/a",)))[1]


def test_what_is_on_the_way() -> None:
    answer = said(
        "Directory|0|755|/\nDirectory|0|755|/Users\n", 1, "stat: /Users/ana: stat: No such file or directory\n"
    )
    mac = read({"%HT": answer}, Ask(way_home="ana"))
    assert mac.places == (
        Place("/", "folder", True, 0),
        Place("/Users", "folder", True, 0),
        Place("/Users/ana", "nothing"),
    )
    assert mac.missing == ()
    lost = read({"%HT": said("Directory|0|755|/\n", 1)}, Ask(way="/a/b"))
    assert [place.kind for place in lost.places] == ["folder", "unread", "unread"]
    assert [one.what for one in lost.missing] == ["what /a is"]


CORP = "/Active Directory/CORP"
ADA = {"RecordName": ["ada"], "RealName": ["Ada"], "UniqueID": ["1234"], "AppleMetaNodeLocation": [CORP]}


@pytest.mark.parametrize(
    ("nodes", "record", "expected"),
    [
        (said(f"{CORP} Online\n"), ADA, Network((CORP,), True, Person("ada", "Ada", 1234))),
        (
            said(f"{CORP} Offline\n/LDAPv3/x Online\n"),
            ADA,
            Network((CORP, "/LDAPv3/x"), True, Person("ada", "Ada", 1234)),
        ),
        (said(f"{CORP} Offline\n"), None, Network((CORP,), False, None)),
        (said(""), None, Network((), False, None)),
        (REFUSED, None, Network((), None, None)),
        (said(f"{CORP} Online\n"), {**ADA, "AppleMetaNodeLocation": ["/Local/Default"]}, Network((CORP,), True, None)),
    ],
)
def test_whom_the_directories_know(nodes: Ran, record: t.Any, expected: Network) -> None:
    answers = {"nodenames": nodes, "/Search": said(plist(record)) if record else REFUSED}
    assert read(answers, Ask(directory_user="ada")).network == expected
    assert read(answers).network is None


@pytest.mark.parametrize(
    ("version", "answer", "suppressed"),
    [
        ("10.13.5", said("1\n"), True),
        ("10.13.4", said("1\n"), None),
        ("15.6", said("0\n"), False),
        ("15.6", REFUSED, False),
        ("15.6", SILENT, None),
    ],
)
def test_the_dialog_can_be_suppressed_from_10_13_5_on(version: str, answer: Ran, suppressed: bool | None) -> None:
    answers = {"kern.osproductversion": said(SYSTEM.format(version)), "com.apple.MCX": answer}
    assert read(answers, Ask(token_dialog=True)).management.token_dialog_suppressed is suppressed


def test_what_was_missed_names_its_evidence() -> None:
    (missing,) = read({"fdesetup status": REFUSED}).missing
    assert missing == Missing("FileVault's status", f"fdesetup status: rc 1: {GRIPE}")


# -- what could not be understood -------------------------------------------------------------------------------------


def test_an_answer_that_breaks_its_parser_is_said_to_be_damaged_and_where() -> None:
    broken = Ran(Command(("x",)), 0, t.cast("str", None))
    reason, msg = no_mac({"fdesetup list": broken})
    assert reason == "reading_damaged"
    assert msg.startswith("the Mac's answer could not be understood (fdesetup.py, line ")


def test_a_directory_that_could_not_be_read_says_what_was_said() -> None:
    assert no_mac({"dscl -q": SILENT})[1].startswith(
        "the local directory could not be read: dscl -q -plist .: no answer"
    )
    runner = Told({"dscl -q": REFUSED, "-readall /Users": SILENT, "-readall": said(rc=3, err="odd"), **BY_WORDS})
    runner.answers["dscl -q"] = REFUSED
    with pytest.raises(ReadingError, match="no answer"):
        read_mac(runner, 5)
    runner.answers["-readall /Users"] = said(rc=2, err="first;")
    with pytest.raises(ReadingError, match="rc 2: first;odd"):
        read_mac(runner, 5)


def test_a_virtual_mac_says_so() -> None:
    answer = said(SYSTEM.format("15.6") + "kern.hv_vmm_present: 1\n")
    assert read({"kern.osproductversion": answer}).virtual
    assert not read().virtual


def test_on_10_15_without_a_device_management_there_is_nothing_to_escrow_to() -> None:
    answers = {"kern.osproductversion": said(SYSTEM.format("10.15")), "-type enrollment": NOT_ENROLLED}
    assert read(answers).management.bootstrap == "not_enrolled"


# -- records without a GUID of their own ------------------------------------------------------------------------------

NO_GUID = "its record has no GeneratedUID of its own"


@pytest.mark.parametrize(
    ("records_", "unclear"),
    [
        ({}, []),
        ({"ana": {**USERS["ana"], "GeneratedUID": [IT]}}, ["itadmin", "ana"]),
        ({"ana": {**USERS["ana"], "GeneratedUID": []}}, ["ana"]),
        ({"ana": {**USERS["ana"], "GeneratedUID": [""]}}, ["ana"]),
        # Whoever is no person, and has no password, is nobody's key.
        ({"_a": user("_a", "", 71, AuthenticationAuthority=[])}, []),
        ({"_a": user("_a", "", 71)}, ["_a"]),
        ({"a": user("a", "", 600, AuthenticationAuthority=[])}, ["a"]),
    ],
)
def test_whose_key_it_is_nobody_can_tell_without_a_guid(records_: dict[str, t.Any], unclear: list[str]) -> None:
    mac = read({"dscl -q": said(directory(records_))})
    doubtful = [who.name for who in mac.accounts if who.sources.crypto is None and who.sources.filevault is None]
    assert sorted(doubtful) == sorted(unclear)
    assert sorted(one.what for one in mac.missing) == sorted(f"which key {name} has" for name in unclear)
    assert {one.evidence for one in mac.missing} <= {NO_GUID}


# -- groups that say nothing ------------------------------------------------------------------------------------------

EMPTY = {**GROUPS["admin"], "GroupMembership": []}
DISABLED = {"RecordName": ["com.apple.access_disabled"], "GeneratedUID": ["G-D"]}


@pytest.mark.parametrize(
    ("groups", "whole"),
    [
        ({}, True),
        ({"admin": None}, False),
        ({"admin": EMPTY}, False),
        # Members of other groups are none of this one.
        ({"admin": EMPTY, "staff": {**GROUPS["staff"], "GroupMembership": ["ana"]}}, False),
        ({"admin": {**EMPTY, "GroupMembers": [IT]}}, True),
        ({"admin": {**EMPTY, "NestedGroups": ["G-S"]}}, True),
        ({"admin": {**GROUPS["admin"], "GroupMembers": [b"x"]}}, False),
        ({"disabled": {**DISABLED, "GroupMembership": ["ana"]}}, True),
        ({"disabled": {**DISABLED, "GroupMembership": [b"x"]}}, False),
        ({"staff": {**GROUPS["staff"], "GroupMembership": [b"x"]}}, True),
    ],
)
def test_groups_that_do_not_say_who_is_an_administrator(groups: dict[str, t.Any], whole: bool) -> None:
    mac = read({"dscl -q": said(directory(groups=groups))})
    assert mac.groups_read is whole
    assert ("groups of the local directory" in [one.what for one in mac.missing]) is not whole


def test_every_group_in_a_group_counts() -> None:
    nested = {
        "admin": {**GROUPS["admin"], "NestedGroups": ["G-X", "G-Y"]},
        "x": {"RecordName": ["x"], "GeneratedUID": ["G-X"], "NestedGroups": ["G-Z"]},
        "y": {"RecordName": ["y"], "GeneratedUID": ["G-Y"], "NestedGroups": ["G-X"]},
        "z": {"RecordName": ["z"], "GeneratedUID": ["G-Z"], "GroupMembership": ["ana"]},
    }
    for order in (nested, dict(reversed(nested.items()))):
        assert all(who.admin for who in read({"dscl -q": said(directory(groups=order))}).accounts)
    other = {**nested, "y": {**nested["y"], "NestedGroups": [], "GroupMembership": ["ana"]}, "z": None}
    assert all(who.admin for who in read({"dscl -q": said(directory(groups=other))}).accounts)


def test_a_group_beside_another_in_a_group_counts() -> None:
    for names in (("x", "y"), ("y", "x")):
        groups = {
            "admin": {**GROUPS["admin"], "NestedGroups": ["G-X", "G-Y"]},
            names[0]: {"RecordName": ["one"], "GeneratedUID": ["G-X"], "GroupMembership": ["ana"]},
            names[1]: {"RecordName": ["two"], "GeneratedUID": ["G-Y"]},
        }
        assert all(who.admin for who in read({"dscl -q": said(directory(groups=groups))}).accounts)


# -- the notes alone --------------------------------------------------------------------------------------------------


def test_the_notes_on_a_mac_are_read_alone() -> None:
    assert read_notes(Told(dict(BY_WORDS)), 5) == {"preboot"}
    with pytest.raises(ReadingError, match="the notes on the Mac could not be read: dscl") as caught:
        read_notes(Told({**BY_WORDS, "dscl -q": SILENT}), 5)
    assert caught.value.reason == "reading_incomplete"


def test_of_several_answers_the_status_that_is_none_of_success_is_told() -> None:
    answers = {"dscl -q": REFUSED, "-readall /Users": said("x"), "-readall /Groups": said(rc=3, err="odd"), **BY_WORDS}
    answers["dscl -q"] = REFUSED
    answers["-read /Config"] = said("")
    with pytest.raises(ReadingError, match="rc 3: xodd"):
        read_mac(Told(answers), 5)
