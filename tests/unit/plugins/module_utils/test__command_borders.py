# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each command word by word, and each parser at the answer that is nearly the one it looks for."""

from __future__ import annotations

import hashlib
import plistlib
import typing as t

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils._command import (
    accounts,
    diskutil,
    dscl,
    encryption,
    fdesetup,
    hardware,
    launchd,
    mdmclient,
    network,
    plists,
    profiles,
    records,
    sysadminctl,
    system,
)
from ansible_collections.keyholder.macos.plugins.module_utils._place import Place
from ansible_collections.keyholder.macos.plugins.module_utils._power import Power
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command, Ran, Secret

PW, OTHER, KEY = Secret("user pw"), Secret("other pw"), Secret("ABCD-1234")
ANA, BOB = fdesetup.Credentials("ana", PW), fdesetup.Credentials("bob", OTHER)
UUID, UUID2 = "DA145BD0-81C7-41AA-9676-794E0A14B63D", "FB756838-0000-0000-0000-40FB5E7D5D3F"


def ran(out: str = "", err: str = "", rc: int | None = 0, argv: tuple[str, ...] = ("x",)) -> Ran:
    return Ran(Command(argv), rc, out, err)


def plist(value: object) -> str:
    return plistlib.dumps(value).decode()


# -- commands ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "argv", "document", "private"),
    [
        (
            lambda: fdesetup.enable(ANA, (BOB,)),
            "fdesetup enable -inputplist -outputplist",
            {
                "Username": "ana",
                "Password": "user pw",
                "AdditionalUsers": [{"Username": "bob", "Password": "other pw"}],
            },
            True,
        ),
        (
            lambda: fdesetup.enable(ANA),
            "fdesetup enable -inputplist -outputplist",
            {"Username": "ana", "Password": "user pw"},
            True,
        ),
        (
            lambda: fdesetup.disable(ANA),
            "fdesetup disable -inputplist",
            {"Username": "ana", "Password": "user pw"},
            False,
        ),
        (
            lambda: fdesetup.add(ANA, BOB),
            "fdesetup add -inputplist",
            {
                "Username": "ana",
                "Password": "user pw",
                "AdditionalUsers": [{"Username": "bob", "Password": "other pw"}],
            },
            False,
        ),
        (
            lambda: fdesetup.change_key(ANA),
            "fdesetup changerecovery -personal -inputplist -outputplist",
            {"Username": "ana", "Password": "user pw"},
            True,
        ),
        (
            lambda: fdesetup.change_key(fdesetup.Credentials("", KEY)),
            "fdesetup changerecovery -personal -inputplist -outputplist",
            {"Password": "ABCD-1234"},
            True,
        ),
        (
            lambda: fdesetup.remove_key(ANA),
            "fdesetup removerecovery -personal -inputplist",
            {"Username": "ana", "Password": "user pw"},
            False,
        ),
        (
            lambda: fdesetup.validate_recovery_key(KEY),
            "fdesetup validaterecovery -inputplist",
            {"Password": "ABCD-1234"},
            False,
        ),
        (
            lambda: fdesetup.arm_restart(ANA),
            "fdesetup authrestart -delayminutes -1 -inputplist",
            {"Username": "ana", "Password": "user pw"},
            False,
        ),
        (lambda: fdesetup.remove("ana"), "fdesetup remove -user ana", None, False),
        (lambda: fdesetup.remove_crypto_user(UUID), f"fdesetup remove -uuid {UUID}", None, False),
        (lambda: fdesetup.read_key_file("/p"), "cat /p", None, True),
        (lambda: fdesetup.remove_key_file("/p"), "rm -f /p", None, False),
        (
            lambda: fdesetup.defer("ana", "/p", None, True, False),
            "fdesetup enable -defer /p -user ana",
            None,
            False,
        ),
        (lambda: fdesetup.defer("", "/p", None, True, False), "fdesetup enable -defer /p", None, False),
        (
            lambda: fdesetup.defer("ana", "/p", 0, False, True),
            "fdesetup enable -defer /p -user ana -forceatlogin 0 -dontaskatlogout -showrecoverykey",
            None,
            False,
        ),
        (lambda: dscl.create_record("ana"), "dscl . -create /Users/ana", None, False),
        (lambda: dscl.set_field("ana", "hidden", False), "dscl . -create /Users/ana IsHidden 0", None, False),
        (lambda: dscl.set_field("ana", "full_name", "A S"), "dscl . -create /Users/ana RealName A S", None, False),
        (
            lambda: dscl.allow_token("ana"),
            "dscl . -delete /Users/ana AuthenticationAuthority ;DisabledTags;SecureToken",
            None,
            False,
        ),
        (
            lambda: dscl.remove_marker("ana"),
            "dscl . -delete /Users/ana AuthenticationAuthority ;SecureToken;",
            None,
            False,
        ),
        (
            lambda: dscl.read_hash("ana"),
            "dscl -plist . -read /Users/ana dsAttrTypeNative:ShadowHashData",
            None,
            True,
        ),
        (lambda: dscl.authenticate("ana", PW, anywhere=True), "dscl /Search -authonly ana", None, False),
        (lambda: accounts.read_archive("/p"), "tar -t -z -f /p", None, True),
        (
            lambda: accounts.archive("/Users/ana/", "/p"),
            'sh -c umask 077; exec "$@" sh tar -c -z -f /p -C /Users ana',
            None,
            True,
        ),
        (lambda: system.stat("/p"), "stat -f %m /p", None, False),
        (lambda: system.stat_each(["/p", "/q"]), "stat -f %HT|%u|%Lp|%N /p /q", None, False),
        (
            lambda: network.read_person("ada"),
            "dscl -plist /Search -read /Users/ada RecordName RealName UniqueID AppleMetaNodeLocation",
            None,
            False,
        ),
        (lambda: network.create_mobile_account("ada", "/h"), "createmobileaccount -n ada -h /h", None, False),
    ],
)
def test_each_command(make: t.Callable[[], Command], argv: str, document: t.Any, private: bool) -> None:
    command = make()
    assert str(command) == argv
    assert command.private is private
    if document is None:
        assert command.document is None
    else:
        assert plistlib.loads(command.input()) == document


def test_the_last_letters_of_a_home_stay() -> None:
    assert accounts.archive("/Users/MaX/", "/p").argv[-2:] == ("/Users", "MaX")


def test_of_an_archive_only_the_status_is_asked_for() -> None:
    assert [command.only_status for command in (accounts.archive("/h", "/p"), accounts.read_archive("/p"))] == [
        True
    ] * 2


def test_a_passphrase_is_the_whole_of_stdin() -> None:
    command = diskutil.try_passphrase(UUID, PW)
    assert str(command) == f"diskutil apfs unlockVolume / -verify -user {UUID} -stdinpassphrase"
    assert command.input() == b"user pw"


@pytest.mark.parametrize("verb", ["install", "remove", "validate"])
def test_the_bootstrap_token_is_changed_at_a_terminal(verb: str) -> None:
    command = profiles.bootstrap(verb, "itadmin", PW)
    assert str(command) == f"profiles {verb} -type bootstraptoken"
    assert [(prompt, answer.reveal()) for prompt, answer in command.dialogue] == [
        ("user name:", b"itadmin"),
        ("':", b"user pw"),
    ]
    assert command.input() == b""


def test_a_secret_is_encrypted_to_each_certificate() -> None:
    command = encryption.encrypt(KEY, ["/a.pem", "/b.pem"])
    assert str(command) == "openssl smime -encrypt -binary -aes256 -outform PEM /a.pem /b.pem"
    assert command.input() == b"ABCD-1234"


# -- launchd ----------------------------------------------------------------------------------------------------------

BOOT_OUT = "launchctl bootout system/keyholder.macos.demote"
JOB = "/Library/LaunchDaemons/keyholder.macos.demote.plist"


def test_the_macs_own_job_to_demote() -> None:
    out, write, load, look = launchd.plan_demotion("ana", "promoted ana", 900)
    assert [str(command) for command in (out, write, load, look)] == [
        BOOT_OUT,
        f"tee {JOB}",
        f"launchctl bootstrap system {JOB}",
        "launchctl print system/keyholder.macos.demote",
    ]
    assert [command.private for command in (out, write, load, look)] == [False, True, False, True]
    content = plistlib.loads(write.input())
    assert content == {
        "Label": "keyholder.macos.demote",
        "ProgramArguments": ["/bin/sh", "-c", launchd.SCRIPT, "keyholder.macos.demote", "ana", "promoted ana"],
        "StartInterval": 900,
    }
    assert [str(command) for command in launchd.drop_demotion()] == [BOOT_OUT, f"rm -f {JOB}"]


def test_only_unloading_may_fail() -> None:
    commands = [*launchd.plan_demotion("ana", "n", 9), *launchd.drop_demotion()]
    assert [launchd.may_fail(Ran(command, 1)) for command in commands] == [True, False, False, False, True, False]


# -- fdesetup ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("out", "expected"),
    [
        ("FileVault is On, but needs to be restarted to finish.", fdesetup.Status("restart_to_finish")),
        ("FileVault is Off, but needs to be restarted to finish.", fdesetup.Status("restart_to_disable")),
        ("Encryption in progress: Percent completed = 50", fdesetup.Status("encrypting", 50.0)),
        ("Decryption in progress: Percent completed = 0", fdesetup.Status("decrypting", 0.0)),
        ("Decryption in progress: Pending", fdesetup.Status("decrypting")),
        (
            "FileVault is Off, but will be enabled after the next restart.\n"
            "Deferred enablement appears to be active for user 'ana'.",
            fdesetup.Status("restart_to_enable", None, "ana"),
        ),
        (
            "FileVault is On, but needs to be restarted to finish.\n"
            "Deferred enablement appears to be active for user 'ana'.",
            fdesetup.Status("restart_to_finish", None, "ana"),
        ),
        (
            "Encryption in progress: Percent completed = 5\nDeferred enablement appears to be active for user 'ana'.",
            fdesetup.Status("encrypting", 5.0, "ana"),
        ),
    ],
)
def test_the_states_of_filevault(out: str, expected: fdesetup.Status) -> None:
    assert fdesetup.parse_status(ran(out)) == expected


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("<dscl_cmd> DS Error: -14136 (eDSRecordNotFound)", True),
        ("eDSRecordNotFound", True),
        ("DS Error: -14136", True),
        ("<dscl_cmd> DS Error: -14009 (eDSUnknownNodeName)", False),
        ("", False),
    ],
)
def test_a_record_that_the_directory_does_not_have(text: str, unknown: bool) -> None:
    assert dscl.knows_no_record(ran(text, rc=56)) is unknown
    assert dscl.knows_no_record(ran("", text, 56)) is unknown


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (ran(rc=0), "right"),
        (ran("", "Authentication for node failed. (-14090, eDSAuthFailed)", 0), "unknown"),
        (ran("eDSAuthFailed", rc=0), "unknown"),
        (ran("", "eDSAuthFailed", 10), "wrong"),
        (ran(rc=81), "expired"),
        (ran(rc=82), "expired"),
        (ran(rc=88), "disabled"),
        (ran(rc=85), "unknown"),
        (ran(rc=1), "unknown"),
        (ran("", "eDSAuthFailed", 1), "unknown"),
        (ran(rc=None), "unknown"),
    ],
)
def test_a_login_that_says_otherwise_than_its_status_is_none(answer: Ran, said: str) -> None:
    assert dscl.authentication_answer(answer) == said


OFF = "FileVault is Off.\n"
KEYCHAIN = "FileVault master keychain appears to be installed.\n"


@pytest.mark.parametrize(
    ("out", "rc", "state"),
    [
        (OFF, 0, "off"),
        (OFF + KEYCHAIN, 0, "off"),
        (OFF, 1, None),
        (OFF, None, None),
        (OFF + "Something that nobody knows.\n", 0, None),
        (OFF + "Something that nobody knows.\n", 1, None),
        ("FileVault is On.\nSomething that nobody knows.\n", 0, "on"),
        ("FileVault is On.\n", 1, "on"),
        ("FileVault is On.\r\n" + KEYCHAIN.replace("\n", "\r\n"), 0, "on"),
        ("FileVault is Off.\r\n" + KEYCHAIN.replace("\n", "\r\n"), 0, "off"),
    ],
)
def test_off_is_only_what_nothing_takes_back(out: str, rc: int | None, state: str | None) -> None:
    status = fdesetup.parse_status(ran(out, rc=rc))
    assert (status.state if status else None) == state


def test_lines_may_end_as_those_of_a_terminal_do() -> None:
    out = f"Cryptographic users for disk3s1s1 (1 found)\n|\n+-- {UUID}\n    Type: Local Open Directory User\n"
    whole = diskutil.parse_users(ran(out))
    assert whole is not None
    assert whole.users == (diskutil.CryptoUser(UUID, diskutil.LOCAL_USER, None),)
    assert diskutil.parse_users(ran(out.replace("\n", "\r\n"))) == whole


@pytest.mark.parametrize(("out", "whole"), [(f"ana,{UUID}\n", True), (f"ana,{UUID}", False), ("", True)])
def test_a_list_that_is_cut_off_is_none(out: str, whole: bool) -> None:
    assert (fdesetup.parse_list(ran(out)) is not None) is whole


def test_a_name_in_filevaults_list_may_hold_commas() -> None:
    out = f"a,b,{UUID}\nc,{UUID2.lower()}\nx\n"
    assert fdesetup.parse_list(ran(out)) == {UUID: "a,b", UUID2: "c"}
    assert fdesetup.parse_list(ran(out, rc=None)) is None


@pytest.mark.parametrize(
    ("out", "path"),
    [('    OutputPath = "/var/x y.plist";\n', "/var/x y.plist"), ("OutputPath = /v;\n", "/v"), ("Not found\n", "")],
)
def test_where_a_deferral_will_write(out: str, path: str) -> None:
    assert fdesetup.parse_deferral_path(ran(out)) == path


@pytest.mark.parametrize(
    ("out", "rc", "said"),
    [
        ("true\n", 0, True),
        ("true\n", 1, True),
        ("false\n", 0, False),
        ("  true  \n", 0, True),
        ("untrue\n", 0, None),
        ("", 0, None),
        ("TRUE\n", 0, None),
    ],
)
def test_true_or_false_or_neither(out: str, rc: int, said: bool | None) -> None:
    assert fdesetup.says_true(ran(out, rc=rc)) is said


@pytest.mark.parametrize(
    ("out", "key"),
    [
        (plist({"RecoveryKey": "K-1"}), b"K-1"),
        ("a line\n" + plist(["odd"]) + plist({"Other": 1}) + plist({"RecoveryKey": "K-2"}), b"K-2"),
        (plist({"RecoveryKey": 5}), None),
        (plist({"Other": "K"}), None),
        (plist(["RecoveryKey"]), None),
        ("", None),
    ],
)
def test_the_recovery_key_in_an_output(out: str, key: bytes | None) -> None:
    found = fdesetup.new_key(ran(out))
    assert (found.reveal() if found else None) == key


@pytest.mark.parametrize(("rc", "reason"), [(11, "fdesetup_11"), (136, "fdesetup_136"), (0, ""), (98, ""), (None, "")])
def test_what_an_exit_status_of_fdesetup_names(rc: int | None, reason: str) -> None:
    assert fdesetup.exit_reason(ran(rc=rc)) == reason


# -- dscl -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "given", "rc", "already"),
    [
        (dscl.forget, "preboot", 54, True),
        (dscl.forget, "preboot", 56, False),
        (dscl.forget, "preboot", 0, False),
        (dscl.forget, "preboot", None, False),
        (dscl.note, "preboot", 54, False),
        (dscl.remove_marker, "ana", 54, False),
    ],
)
def test_a_note_that_is_gone_already(
    verb: t.Callable[[str], Command], given: str, rc: int | None, already: bool
) -> None:
    assert dscl.already_forgotten(Ran(verb(given), rc)) is already


@pytest.mark.parametrize(
    ("rc", "reason"),
    [
        (85, "password_policy"),
        (84, ""),
        (86, ""),
        (10, "password_refused"),
        (40, "no_full_disk_access"),
        (81, "account_refused"),
        (87, "account_refused"),
        (0, ""),
        (256, ""),
        (None, ""),
    ],
)
def test_what_an_exit_status_of_dscl_names(rc: int | None, reason: str) -> None:
    assert dscl.reason_said(ran(rc=rc, argv=("dscl", ".", "-create"))) == reason


def hashed(**more: t.Any) -> str:
    entropy = hashlib.pbkdf2_hmac("sha512", b"pw", b"s" * 32, 3, more.pop("size", 128))
    verifier = {"entropy": entropy, "salt": b"s" * 32, "iterations": 3, **more}
    data = plistlib.dumps({"SALTED-SHA512-PBKDF2": verifier}, fmt=plistlib.FMT_BINARY)
    return plist({"dsAttrTypeNative:ShadowHashData": [data.hex()]})


@pytest.mark.parametrize(
    ("out", "matches"),
    [
        (hashed(), True),
        (hashed(size=1), True),
        (hashed(size=1024), True),
        (hashed(size=1025), None),
        (hashed(entropy=b""), None),
        (hashed(entropy=b"x"), False),
        (hashed(entropy="text"), None),
        (hashed(salt="text"), None),
        (hashed(salt=b"t" * 32), False),
        (hashed(iterations=4), False),
        (hashed(iterations=1), False),
        (hashed(iterations=0), None),
        (hashed(iterations=-1), None),
        (hashed(iterations=10_000_001), None),
        (hashed(iterations=True), None),
        (hashed(iterations="3"), None),
        (hashed() + hashed(), None),
        (plist({"dsAttrTypeNative:ShadowHashData": ["00", "00"]}), None),
        (plist({"dsAttrTypeNative:ShadowHashData": []}), None),
    ],
)
def test_a_verifier_that_is_one(out: str, matches: bool | None) -> None:
    assert dscl.hash_matches(ran(out), Secret("pw")) is matches
    assert dscl.hash_matches(ran(out, rc=1), Secret("pw")) is None
    assert dscl.hash_matches(ran(out, rc=None), Secret("pw")) is None


def test_a_hash_is_shown_in_lines() -> None:
    digits = plistlib.loads(hashed().encode())["dsAttrTypeNative:ShadowHashData"][0]
    shown = plist({"dsAttrTypeNative:ShadowHashData": ["\n".join([digits[:8] + " " + digits[8:64], digits[64:]])]})
    assert dscl.hash_matches(ran(shown), Secret("pw")) is True


@pytest.mark.parametrize(("most", "matches"), [(2, None), (3, True), (4, True)])
def test_how_many_rounds_a_verifier_may_ask_for(
    most: int, matches: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit itself would take seconds."""
    monkeypatch.setattr(dscl, "ITERATIONS", most)
    assert dscl.hash_matches(ran(hashed()), Secret("pw")) is matches


# -- diskutil ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("device", "snapshot"),
    [("disk3s1s1", True), ("disk10s11s12", True), ("disk3s1", False), ("disk3s1s1x", False), ("xdisk3s1s1", False)],
)
def test_a_snapshot_is_known_by_its_name(device: str, snapshot: bool) -> None:
    users = diskutil.parse_users(ran(f"Cryptographic users for {device} (0 found)\n"))
    assert users == diskutil.CryptoUsers(True, device)
    assert users.snapshot is snapshot


def test_a_crypto_user_of_whom_little_is_said() -> None:
    """Without a type the list is half an answer, and half an answer is none."""
    types = ("|   Type: Local Open Directory User\n",) * 2
    for first, second in (types, ("", types[0]), (types[0], "")):
        out = f"+-- {UUID.lower()}\n{first}+-- {UUID2}\n{second}|   Volume Owner: no: Yes\n"
        users = diskutil.parse_users(ran(f"Cryptographic users for disk1s1 (2 found)\n|\n{out}"))
        if (first, second) != types:
            assert users is None
            continue
        assert users is not None
        assert [(user.uuid, user.owner) for user in users.users] == [(UUID, None), (UUID2, False)]


@pytest.mark.parametrize(
    ("answer", "opens"),
    [
        (ran(rc=0), True),
        (ran("Passphrase incorrect\n", rc=1), False),
        (ran("", "error -69557: x", rc=1), False),
        (ran("", "The passphrase is incorrect", rc=1), False),
        (ran("", "error -69558", rc=1), None),
        (ran("said nothing", rc=1), None),
        (ran("", "Error: it was not", rc=0), None),
        (ran("Passphrase incorrect\n", rc=None), None),
    ],
)
def test_whether_a_passphrase_opens_a_key(answer: Ran, opens: bool | None) -> None:
    assert diskutil.passphrase_opens(answer) is opens


def test_whom_update_preboot_failed_over() -> None:
    considering = "UpdatePreboot: Considering APFS Crypto User {}\n"
    bad, good = "UpdatePreboot: Error for this user was -69593\n", "UpdatePreboot: Error for this user was 0\n"
    out = bad + considering.format(UUID.lower()) + bad + bad + considering.format(UUID2) + good
    assert diskutil.preboot_failed_for(ran(out)) == (UUID,)
    assert diskutil.preboot_failed_for(ran(out + bad)) == (UUID, UUID2)
    assert diskutil.preboot_failed_for(ran("", out)) == (UUID,)
    assert diskutil.preboot_failed_for(ran(bad)) == ()


# -- profiles ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("out", "expected"),
    [
        ("MDM enrollment: Yes (User Approved)\n", profiles.Enrollment(True, False, True, "")),
        (
            "Enrolled via DEP: Yes\nMDM enrollment: No\nMDM server: https://m\n",
            profiles.Enrollment(False, True, False, "https://m"),
        ),
        ("Enrolled via DEP: Yes\n", None),
    ],
)
def test_an_enrolment_of_which_not_all_is_said(out: str, expected: profiles.Enrollment | None) -> None:
    assert profiles.parse_enrollment(ran(out)) == expected
    assert profiles.parse_enrollment(ran("", out)) == expected


def test_each_half_of_a_bootstrap_tokens_status_stands_alone() -> None:
    supported, escrowed = "Bootstrap Token supported on server: {}\n", "Bootstrap Token escrowed to server: {}\n"
    for word, value in (("YES", True), ("NO", False)):
        said = profiles.parse_bootstrap(ran(supported.format(word)))
        assert (said.supported, said.escrowed) == (value, None)
        said = profiles.parse_bootstrap(ran(escrowed.format(word)))
        assert (said.supported, said.escrowed) == (None, value)


@pytest.mark.parametrize(
    ("password", "problem"),
    [
        ("plain", ""),
        ("\uffff", ""),
        ("a\U00010000", "holds an emoji or another character beyond U+FFFF"),
        ("\U0001f511b", "holds an emoji or another character beyond U+FFFF"),
    ],
)
def test_what_is_not_typed_at_the_prompt_of_profiles(password: str, problem: str) -> None:
    assert profiles.untypable(Secret(password)) == problem


@pytest.mark.parametrize(
    ("said", "reason", "validated"),
    [
        ("profiles: Unable to authenticate user information", "bootstrap_refused", False),
        ("profiles: Password is required", "password_unusable", False),
        ("profiles: Unable to verify token", "bootstrap_stale", False),
        ("profiles: Request too soon", "too_soon", False),
        ("profiles: Bootstrap Token validated", "", True),
        ("Unable to verify token, Request too soon", "bootstrap_stale", False),
        ("", "", False),
    ],
)
def test_what_the_words_of_profiles_name(said: str, reason: str, validated: bool) -> None:
    for answer in (ran(said), ran("", said)):
        assert profiles.bootstrap_reason(answer) == reason
        assert profiles.validated(answer) is validated


# -- other programs ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("EACSPreflight = success;", True),
        ('EACSPreflight = "EFI password exists";', True),
        ('EACSPreflight = " success ";', True),
        ("EACSPreflight = successful;", False),
        ("EACSPreflight = failure;", False),
        ("EACSPreflight = ;", None),
        ('EACSPreflight = "";', None),
        ("Other = success;", None),
        ("", None),
    ],
)
def test_what_mdmclient_says_of_the_token(said: str, expected: bool | None) -> None:
    assert mdmclient.parse_preflight(ran(said)) is expected
    assert mdmclient.parse_preflight(ran("", said)) is expected


@pytest.mark.parametrize(
    ("out", "rc", "expected"),
    [
        ("ana  console  Nov 1\n\nbob ttys000\nana ttys001\n", 0, {"ana", "bob"}),
        ("", 0, set()),
        (" \n", 0, set()),
        ("ana console\n", 1, None),
        ("ana console\n", None, None),
    ],
)
def test_who_is_logged_in(out: str, rc: int | None, expected: set[str] | None) -> None:
    assert accounts.parse_who(ran(out, rc=rc)) == expected


MESSAGE = "-----BEGIN PKCS7-----\nTUlJ\nQUJD\n-----END PKCS7-----\n"


@pytest.mark.parametrize(
    ("out", "rc", "expected"),
    [
        (MESSAGE, 0, MESSAGE),
        (f"noise\n{MESSAGE}noise\n", 0, MESSAGE),
        (MESSAGE.replace("PKCS7", "CMS"), 0, MESSAGE.replace("PKCS7", "CMS")),
        (MESSAGE.replace("END PKCS7", "END CMS"), 0, ""),
        (MESSAGE, 1, ""),
        (MESSAGE, None, ""),
        ("", 0, ""),
    ],
)
def test_an_encrypted_message(out: str, rc: int | None, expected: str) -> None:
    assert encryption.message(ran(out, rc=rc)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{ sec = 1700000000, usec = 5 } Tue Nov", 1700000000.000005),
        ("{ sec = 1700000000, usec = 123456 } Tue", 1700000000.123456),
        ("{ sec = x, usec = 5 }", None),
        ("", None),
    ],
)
def test_when_a_mac_has_started(text: str, expected: float | None) -> None:
    assert system.parse_boot_time(text) == expected


def test_a_mac_is_known_by_what_sysctl_says() -> None:
    assert system.parse_sysctl(ran("hw.optional.arm64: 0\nkern.hv_vmm_present: 0\n")) == system.System()
    every = "kern.osproductversion: 15.6\nkern.osversion: 24G84\nhw.model: Mac15,3\nhw.optional.arm64: 1\n"
    full = system.System("15.6", "24G84", "Mac15,3", True, True)
    assert system.parse_sysctl(ran(f"{every}kern.hv_vmm_present: 1\n")) == full
    assert system.parse_sysctl(ran(f"a b: 1\nno colon\n{every}kern.hv_vmm_present:\t1 \r\n")) == full
    other = system.with_sw_vers(full, ran("ProductVersion: 14.8\nBuildVersion: 23J5\n"))
    assert other == system.System("14.8", "23J5", "Mac15,3", True, True)
    assert system.with_sw_vers(full, ran("")) == system.System("", "", "Mac15,3", True, True)


@pytest.mark.parametrize(
    ("out", "model", "silicon"),
    [
        ("hw.model: Xserve3,1\n", "Xserve3,1", False),
        ("hw.model: a:b\n", "a:b", False),
        ("hw.model: Mac15,3\nhw.optional.arm64: 1\n", "Mac15,3", True),
        ("hw.model: Mac15,3\nhw.optional.arm64: 0\n", "Mac15,3", False),
        ("hw.optional.arm64: 1\n", "", True),
        # Who names no model has not said what it leaves out.
        ("", "", None),
        ("hw.optional.arm64\n", "", None),
    ],
)
def test_an_intel_mac_leaves_out_what_it_does_not_know(out: str, model: str, silicon: bool | None) -> None:
    said = system.parse_sysctl(ran(out))
    assert (said.model, said.apple_silicon) == (model, silicon)


MAINS, CELL = "Now drawing from 'AC Power'\n", "Now drawing from 'Battery Power'\n"
LINE = " -InternalBattery-0 (id=4653155)\t{}; discharging; 5:10 remaining present: true\n"


@pytest.mark.parametrize(
    ("answer", "power"),
    [
        (ran(MAINS), Power("ac")),
        (ran(MAINS + LINE.format("100%")), Power("ac", 100)),
        (ran(CELL + LINE.format("87%")), Power("battery", 87)),
        (ran(CELL + LINE.format("0%")), Power("battery", 0)),
        (ran(CELL + LINE.format("101%")), Power("battery")),
        (ran(CELL), Power("battery")),
        (ran("Now drawing from 'UPS Power'\n -Back-UPS ES 700 (id=1)\t87%; discharging\n"), Power("ups")),
        (ran(f"Now drawing from 'UPS Power'\n -UPS (id=1)\t9%; x\n{LINE.format('66%')}"), Power("ups", 66)),
        (ran(f"IOServiceMatchingfailed for: X\n{MAINS}"), Power("ac")),
        (ran("Now drawing from 'Wind Power'\n"), Power()),
        (ran("not Now drawing from 'AC Power'\n"), Power()),
        (ran(""), Power()),
        (ran(MAINS, rc=1), Power()),
        (ran(MAINS, rc=None), Power()),
    ],
)
def test_where_the_power_comes_from(answer: Ran, power: Power) -> None:
    assert hardware.parse_power(answer) == power


@pytest.mark.parametrize(
    ("answer", "locked"),
    [
        (ran("      Activation Lock Status: Enabled\n"), True),
        (ran("      Chip: Apple M1\n      Activation Lock Status: Disabled\n"), False),
        (ran("      Chip: Apple M1\n"), None),
        (ran("      Activation Lock Status: Perhaps\n"), None),
        (ran("      Activation Lock Status: Disabled\n", rc=1), None),
        (ran("", rc=None), None),
    ],
)
def test_activation_lock(answer: Ran, locked: bool | None) -> None:
    assert hardware.parse_activation_lock(answer) is locked


@pytest.mark.parametrize(
    ("answer", "locked"),
    [
        (ran("Password Enabled: Yes\n"), True),
        (ran("Password Enabled: No\n"), False),
        (ran("", "Error | Must be run as root\n", 1), None),
        (ran("", rc=None), None),
    ],
)
def test_a_firmware_password(answer: Ran, locked: bool | None) -> None:
    assert hardware.parse_firmware_password(answer) is locked


@pytest.mark.parametrize(
    ("answer", "locked"),
    [
        (ran("Daemon response: {\n    SecurityInfo =     {\n        IsRecoveryLockEnabled = 1;\n    };\n}\n"), True),
        (ran("        IsRecoveryLockEnabled = 0;\n"), False),
        (ran("        IsRecoveryLockedEnabled = 1;\n"), True),
        (ran('        "IsRecoveryLockEnabled" = 1;\n'), True),
        (ran("        IsRecoveryLockEnabled = 10;\n"), None),
        (ran("        NotIsRecoveryLockEnabled = 1;\n"), None),
        (ran("", "This computer is not enrolled in MDM.\n", 1), None),
        (ran("", rc=None), None),
    ],
)
def test_a_recovery_lock(answer: Ran, locked: bool | None) -> None:
    assert mdmclient.parse_recovery_lock(answer) is locked


@pytest.mark.parametrize(
    ("answer", "access"),
    [
        (ran("TCC.db\n"), True),
        (ran("", "ls: x: Operation not permitted", 1), False),
        (ran("", "ls: x: No such file or directory", 1), None),
        (ran("", "ls: x: Operation not permitted", None), None),
    ],
)
def test_full_disk_access(answer: Ran, access: bool | None) -> None:
    assert system.parse_full_disk_access(answer) is access


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (ran("0\n"), 0),
        (ran("-1\n"), None),
        (ran("5\n", rc=1), None),
        (ran("5\n", rc=None), None),
        (ran("", "stat: /x: No such file or directory", 0), None),
        (ran("", "stat: /x: No such file or directory", 1), system.NO_FILE),
    ],
)
def test_when_a_file_was_written(answer: Ran, found: int | None) -> None:
    assert system.parse_stat(answer) == found


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("Directory|0|700|/p", Place("/p", "folder", True, 0)),
        ("Directory|0|720|/p", Place("/p", "folder", False, 0)),
        ("Directory|0|702|/p", Place("/p", "folder", False, 0, others=True)),
        ("Directory|0|1755|/p", Place("/p", "folder", True, 0)),
        ("Directory|0|0|/p", Place("/p", "folder", True, 0)),
        ("Directory|1|755|/p", Place("/p", "folder", False, 1)),
        ("Directory|0|789|/p", Place("/p", "unread")),
        ("Directory|0|17555|/p", Place("/p", "unread")),
        ("Directory|0||/p", Place("/p", "unread")),
        ("Directory|0|755|/q", Place("/p", "unread")),
        ("Directory|0|755", Place("/p", "unread")),
    ],
)
def test_what_is_at_a_path(line: str, place: Place) -> None:
    assert system.parse_places(ran(f"{line}\n"), ["/p"]) == (place,)


def test_what_is_gone_is_gone_by_its_own_name() -> None:
    err = "stat: /p/x: stat: No such file or directory\n"
    assert [place.kind for place in system.parse_places(ran("", err, 1), ["/p", "/p/x", "/p/x/y"])] == [
        "unread",
        "nothing",
        "unread",
    ]


@pytest.mark.parametrize(
    ("out", "rc", "suppressed"),
    [(" YES \n", 0, True), ("1\n", 1, False), ("yes please\n", 0, False), ("1\n", None, None)],
)
def test_the_dialogs_setting(out: str, rc: int | None, suppressed: bool | None) -> None:
    assert network.parse_token_dialog(ran(out, rc=rc)) is suppressed


def test_whom_the_search_path_finds_beside_other_answers() -> None:
    record = plist({"dsAttrTypeStandard:RecordName": ["ada"]})
    assert network.parse_person(ran(plist(["odd"]) + record)) == network.Found("ada", "", None, "")
    assert network.parse_person(ran(plist(["odd"]))) is None
    assert network.parse_person(ran(record, rc=1)) is None


# -- property lists ---------------------------------------------------------------------------------------------------


def test_property_lists_between_other_lines() -> None:
    one, two = plist({"a": 1}), plist([2])
    assert plists.documents(f"x{one}y{two}z") == [{"a": 1}, [2]]
    assert plists.documents(f"{one}<?xml broken </plist>{two}") == [{"a": 1}, None, [2]]
    assert plists.documents(f"{one}<?xml without an end") == [{"a": 1}]
    assert plists.documents("</plist>" + one) == [{"a": 1}]
    assert plists.documents("") == []
    assert plists.documents(one.replace("a", "a\x00\ufffe")) == [{"a\ufffd\ufffd": 1}]
    assert plists.documents("<?xml \ud800</plist>") == [None]
    assert plists.load(b"what") is None


# -- records ----------------------------------------------------------------------------------------------------------


def read(*content: t.Any) -> records.Directory:
    return records.parse_directory("".join(map(plist, content)))


def person(**attributes: t.Any) -> records.User:
    record = {"RecordName": ["ana"], "UniqueID": ["502"], **attributes}
    (user,) = read([{f"dsAttrTypeStandard:{key}": value for key, value in record.items()}]).users or ()
    return user


def test_each_attribute_of_an_account_arrives_in_its_field() -> None:
    data = plist({"failedLoginCount": 3, "passwordLastSetTime": 1.5})
    user = person(
        RealName=["Ana Sousa", "Ana S"],
        GeneratedUID=["aaaa"],
        PrimaryGroupID=["20"],
        NFSHomeDirectory=["/Users/ana"],
        UserShell=["/bin/zsh"],
        AuthenticationHint=["the usual"],
        Picture=["/Library/a.png"],
        IsHidden=["1"],
        OriginalNodeName=["/X"],
        AuthenticationAuthority=[";SecureToken;", ";DisabledTags;SecureToken"],
        accountPolicyData=[data],
        keyholder_pending=["preboot"],
    )
    assert user == records.User(
        "ana",
        "AAAA",
        "Ana Sousa",
        502,
        20,
        "/Users/ana",
        "/bin/zsh",
        "the usual",
        "/Library/a.png",
        True,
        True,
        (";SecureToken;", ";DisabledTags;SecureToken"),
        {"failedLoginCount": 3, "passwordLastSetTime": 1.5},
        1.5,
        3,
        (),
        ("preboot",),
        ("ana",),
        frozenset({"ana", "Ana Sousa", "Ana S", "uid:502"}),
    )
    assert (user.marked, user.tagged) == (True, True)
    plain = person(AuthenticationAuthority=["x;SecureToken;", ";DisabledTags;SecureTokens"])
    assert (plain.marked, plain.tagged, plain.network, plain.hidden) == (False, False, False, False)


@pytest.mark.parametrize(
    ("text", "hidden"), [("1", True), ("True", True), ("yes", True), ("0", False), ("no", False), ("", False)]
)
def test_who_is_hidden(text: str, hidden: bool) -> None:
    assert person(IsHidden=[text]).hidden is hidden


@pytest.mark.parametrize(
    ("policy", "failed", "changed", "unread"),
    [
        ({}, None, None, ()),
        ({"x": 1}, 0, None, ()),
        ({"failedLoginCount": 0}, 0, None, ()),
        ({"failedLoginCount": -1}, None, None, ("failedLoginCount is a whole number that it cannot be of ana",)),
        ({"failedLoginCount": "2"}, None, None, ("failedLoginCount is a text that it cannot be of ana",)),
        ({"passwordLastSetTime": 7}, 0, 7.0, ()),
        ({"passwordLastSetTime": "x"}, 0, None, ("passwordLastSetTime is a text that it cannot be of ana",)),
    ],
)
def test_what_only_root_may_read_of_an_account(
    policy: dict[str, t.Any], failed: int | None, changed: float | None, unread: tuple[str, ...]
) -> None:
    user = person(accountPolicyData=[plist(policy)])
    assert (user.failed_logins, user.password_changed, user.unread, user.policy) == (failed, changed, unread, policy)


def test_what_is_not_of_its_kind_is_said_to_be_unread() -> None:
    user = person(UniqueID=["x"], PrimaryGroupID=["y"], RealName="no list", UserShell=[b"data", "/bin/sh"])
    assert user.unread == (
        "RealName is a text of ana",
        "UserShell is data of ana",
        "UniqueID is not a number of ana",
        "PrimaryGroupID is not a number of ana",
    )
    assert (user.uid, user.gid, user.full_name, user.shell) == (None, None, "", "/bin/sh")
    assert person(PrimaryGroupID=[""]).unread == ()
    assert person(accountPolicyData=["nonsense"]).unread == ("accountPolicyData is no property list of ana",)
    assert person(accountPolicyData=[" \n"]).unread == ()
    assert person(accountPolicyData=[plist(["x"])]).unread == ("accountPolicyData is no property list of ana",)


def test_records_without_a_name_are_counted_and_the_rest_is_sorted() -> None:
    users = [{"UniqueID": ["1"]}, {"RecordName": ["ana"], "UniqueID": ["502"]}, "odd"]
    groups = [{"RecordName": ["staff"], "GroupMembership": [b"x", "ana"]}, {"GroupMembership": ["ana"]}]
    found = read(users, groups)
    assert [user.name for user in found.users or ()] == ["ana"]
    assert found.groups == (records.GroupRecord("staff", "", members=("ana",), unread=("GroupMembership is data",)),)
    assert found.unread == (
        "2 records without a name",
        "1 records without a name",
        "GroupMembership is data of group staff",
    )
    assert read([{"RecordName": ["ana"], "UniqueID": ["502"]}]).unread == ()
    bad = read([{"RecordName": ["ana"], "UniqueID": ["502"], "RealName": 5}])
    assert bad.unread == ("RealName is a whole number of ana",)


def test_a_group_with_everything() -> None:
    group = {
        "RecordName": ["admin"],
        "GeneratedUID": ["ab"],
        "PrimaryGroupID": ["80"],
        "GroupMembership": ["root", "ana"],
        "GroupMembers": ["aa-bb"],
        "NestedGroups": ["cc-dd"],
    }
    found = read([{f"dsAttrTypeStandard:{key}": value for key, value in group.items()}]).groups
    assert found == (records.GroupRecord("admin", "AB", "80", ("root", "ana"), ("AA-BB",), ("CC-DD",)),)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("-2", -2),
        (str(2**32 - 1), 2**32 - 1),
        (str(2**32), None),
        (str(-(2**31)), -(2**31)),
        (str(-(2**31) - 1), None),
        ("x", None),
        ("", None),
    ],
)
def test_numbers_of_accounts_have_32_bits(text: str, number: int | None) -> None:
    assert records.identifier(text) == number


# -- rules for passwords ----------------------------------------------------------------------------------------------

FAILED = "policyAttributeFailedAuthentications"
OPENS = "policyAttributeCurrentTime > policyAttributeLastFailedAuthenticationTime + autoEnableInSeconds"
AUTHENTICATION, CONTENT = "policyCategoryAuthentication", "policyCategoryPasswordContent"


def rule(content: t.Any = "", name: t.Any = "r", **parameters: t.Any) -> dict[str, t.Any]:
    return {"policyIdentifier": name, "policyContent": content, "policyParameters": parameters}


def rules(policy: t.Any) -> tuple[records.Rules | None, tuple[str, ...]]:
    found = read({"dsAttrTypeNative:accountPolicyData": [plist(policy)]})
    return found.rules, found.unread


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({AUTHENTICATION: [rule(f"{FAILED} < 5")]}, records.Rules(("r",), 5)),
        ({AUTHENTICATION: [rule(f"{FAILED} <= 5")]}, records.Rules(("r",), 5)),
        ({AUTHENTICATION: [rule(f"{FAILED} < n", n=7)]}, records.Rules(("r",), 7)),
        ({AUTHENTICATION: [rule(f"{FAILED} < n", n="7")]}, records.Rules(("r",), 7)),
        ({AUTHENTICATION: [rule(f"{FAILED} < n", n=[7])]}, records.Rules(("r",), unjudged=("r",))),
        ({AUTHENTICATION: [rule(f"{FAILED} < n")]}, records.Rules(("r",), unjudged=("r",))),
        ({AUTHENTICATION: [rule(f"{FAILED} < 5 OR {OPENS}")]}, records.Rules(("r",), 5, True)),
        ({AUTHENTICATION: [rule(f"{FAILED} < 5 AND x == 1")]}, records.Rules(("r",), 5, unjudged=("r",))),
        ({AUTHENTICATION: [rule(f" {FAILED} < 5 ")]}, records.Rules(("r",), 5)),
        # Of several limits the strictest counts, and a lock that stays outlasts one that opens.
        (
            {AUTHENTICATION: [rule(f"{FAILED} < 9", "a"), rule(f"{FAILED} < 4 OR {OPENS}", "b")]},
            records.Rules(("a", "b"), 4),
        ),
        (
            {AUTHENTICATION: [rule(f"{FAILED} < 9 OR {OPENS}", "a"), rule(f"{FAILED} < 4 OR {OPENS}", "b")]},
            records.Rules(("a", "b"), 4, True),
        ),
        (
            {AUTHENTICATION: [rule("x == 1", "a"), rule(f"{FAILED} < 5", "b"), rule("y == 1", "c")]},
            records.Rules(("a", "b", "c"), 5, unjudged=("a", "c")),
        ),
        (
            {
                CONTENT: [
                    rule("policyAttributePassword matches 'a'", "a"),
                    rule("policyAttributePassword matches 'b'", "b"),
                ]
            },
            records.Rules(("a", "b"), patterns=("a", "b")),
        ),
        # A rule for new passwords refuses no login.
        ({CONTENT: [rule("x == 1")]}, records.Rules(("r",))),
        ({CONTENT: [rule(f"{FAILED} < 5")]}, records.Rules(("r",), 5)),
        ({AUTHENTICATION: [rule("x == 1")]}, records.Rules(("r",), unjudged=("r",))),
        ({AUTHENTICATION: [rule(5)]}, records.Rules(("r",), unjudged=("r",))),
        ({AUTHENTICATION: [rule("x == 1", 5)]}, records.Rules(("5",), unjudged=("5",))),
        ({AUTHENTICATION: [{}]}, records.Rules(("a rule without a name",), unjudged=("a rule without a name",))),
        ({"other": "text"}, records.Rules()),
        ({"other": [rule("x == 1")]}, records.Rules(("r",))),
        ({CONTENT: "text"}, records.Rules(("a rule without a name",))),
        ({}, records.Rules()),
        # Longer ones are looked at for their limit, and not judged.
        ({AUTHENTICATION: [rule(f"{FAILED} < 5".ljust(4096))]}, records.Rules(("r",), 5)),
        ({AUTHENTICATION: [rule(f"{FAILED} < 5".ljust(4097))]}, records.Rules(("r",), 5, unjudged=("r",))),
        (
            {AUTHENTICATION: [{**rule(f"{FAILED} < n"), "policyParameters": ["n"]}]},
            records.Rules(("r",), unjudged=("r",)),
        ),
    ],
)
def test_a_rule_that_a_login_must_meet(policy: t.Any, expected: records.Rules) -> None:
    assert rules(policy)[0] == expected


def test_a_rule_that_is_none_is_said_to_be_unread() -> None:
    assert rules({AUTHENTICATION: [5]})[1] == (
        f"the password rule a rule without a name ({AUTHENTICATION}) is not of the kind that a rule is",
    )
    assert rules({CONTENT: [rule([])]})[1] == (f"the password rule r ({CONTENT}) is not of the kind that a rule is",)
    assert rules({CONTENT: [{"policyIdentifier": "r"}]})[1] == ()


MATCHES = "policyAttributePassword matches '.{8,}'"


@pytest.mark.parametrize(
    ("content", "patterns"),
    [
        (MATCHES, (".{8,}",)),
        (f"({MATCHES})", (".{8,}",)),
        (f"NOT {MATCHES}", ()),
        (f"not ({MATCHES})", ()),
        (f"NOT ( {MATCHES}", ()),
        (f"!{MATCHES}", ()),
        (f"! ({MATCHES})", ()),
        (f"x AND {MATCHES} AND {MATCHES}", (".{8,}", ".{8,}")),
        (f"NOT {MATCHES} AND {MATCHES}", (".{8,}",)),
        (f"NOT{' ' * 4093}{MATCHES}", ()),
        # Further off it is not looked for, and in front of a long rest it is.
        (f"NOT{' ' * 4094}{MATCHES}", (".{8,}",)),
        (f"NOT {MATCHES}{' ' * 5000}", ()),
        (f"NOT({MATCHES})", ()),
        ("other matches 'x'", ()),
    ],
)
def test_the_patterns_that_a_new_password_must_match(content: str, patterns: tuple[str, ...]) -> None:
    found = rules({CONTENT: [rule(content)]})[0]
    assert found is not None
    assert found.patterns == patterns


# -- sysadminctl ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("Code=51011", ""),
        ("Error:-141201", ""),
        ("Incorrect password", "password_refused"),
        ("error -14090", "password_refused"),
        ("Failed to authenticate", "password_refused"),
        ("OpenDirectory Code=5305", "account_refused"),
        ("Code=5000", ""),
        # Codes before words, and the reason that comes first.
        ("Code=5101 Incorrect password", "granter_refused"),
    ],
)
def test_what_the_words_of_sysadminctl_name(said: str, reason: str) -> None:
    assert sysadminctl.reason_said(ran("", said)) == reason
    assert sysadminctl.reason_said(ran(said)) == reason
