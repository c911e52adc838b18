# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parsers against what macOS was seen to print, and the exact argv and prompts of each command.

A name in a comment or an id is that of a transcript in maclab/tests/fixtures/transcripts.jsonl.
"""

from __future__ import annotations

import hashlib
import plistlib
import typing as t

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils._command import (
    accounts,
    diskutil,
    dscl,
    fdesetup,
    profiles,
    sysadminctl,
    system,
)
from ansible_collections.keyholder.macos.plugins.module_utils._place import Place
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command, Ran, Secret

ADMIN, USER, NEW = Secret("admin pw"), Secret("user pw"), Secret("new pw")


def ran(out: str = "", err: str = "", rc: int = 0) -> Ran:
    return Ran(Command(("x",)), rc, out, err)


# -- fdesetup ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("out", "state", "percent", "user"),
    [
        pytest.param("FileVault is On.\n", "on", None, "", id="fde-status-after-ade"),
        pytest.param(
            "FileVault is On.\nFileVault master keychain appears to be installed.\n",
            "on",
            None,
            "",
            id="fde-status-on-master-keychain",
        ),
        pytest.param(
            "FileVault is Off.\nDeferred enablement appears to be active for user 'fvuser'.\n",
            "off",
            None,
            "fvuser",
            id="fde-status-off-deferred",
        ),
        pytest.param(
            "FileVault is On.\nEncryption in progress: Pending\n",
            "encrypting",
            None,
            "",
            id="fde-status-encrypting-pending",
        ),
        ("FileVault is On.\nEncryption in progress: Percent completed = 42\n", "encrypting", 42.0, ""),
        ("FileVault is Off.\nDecryption in progress: Percent completed = 0.5\n", "decrypting", 0.5, ""),
        ("FileVault is On, but needs to be restarted to finish.\n", "restart_to_finish", None, ""),
        ("FileVault is Off, but will be enabled after the next restart.\n", "restart_to_enable", None, ""),
        ("Deferred enablement appears to be active for user 'o''x'\nFileVault is Off.\n", "off", None, "o''x"),
    ],
)
def test_filevault_status(out: str, state: str, percent: float | None, user: str) -> None:
    assert fdesetup.parse_status(ran(out)) == fdesetup.Status(state, percent, user)


@pytest.mark.parametrize("out", ["", "Error: no\n", "The FileVault is On.\n"])
def test_filevault_status_that_is_none(out: str) -> None:
    assert fdesetup.parse_status(ran(out)) is None


def test_filevault_list() -> None:
    one, two = "9DB1DCA0-9B6A-464F-94A3-32853C5E2987", "EBC6C064-0000-11AA-AA11-00306543ECAC"
    out = f"mliebreich,{one.lower()}\n(null),{two}\na,b,{one[:-1]}8\nnoise\nname,not-a-uuid\n"
    assert fdesetup.parse_list(ran(out)) == {one: "mliebreich", two: "(null)", one[:-1] + "8": "a,b"}
    assert fdesetup.parse_list(ran("", "no", rc=1)) is None
    assert fdesetup.parse_list(ran("")) == {}


# -- diskutil ---------------------------------------------------------------------------------------------------------

TAHOE = """Cryptographic users for disk3s1s1 (3 found)
|
+-- DA145BD0-81C7-41AA-9676-794E0A14B63D
|   Type: Local Open Directory User
|   Volume Owner: Yes
|
+-- 2457711A-523C-4604-B75A-F48A571D5036
|   Type: MDM Bootstrap Token External Key
|   Volume Owner: No
|
+-- EBC6C064-0000-11AA-AA11-00306543ECAC
    Type: Personal Recovery User
    Volume Owner: Yes
"""


def test_crypto_users_with_owners() -> None:
    users = diskutil.parse_users(ran(TAHOE))
    assert users is not None
    assert (users.apfs, users.device, users.snapshot) == (True, "disk3s1s1", True)
    assert users.users == (
        diskutil.CryptoUser("DA145BD0-81C7-41AA-9676-794E0A14B63D", diskutil.LOCAL_USER, True),
        diskutil.CryptoUser(diskutil.BOOTSTRAP_CRYPTO_USER, "MDM Bootstrap Token External Key", False),
        diskutil.CryptoUser(diskutil.PERSONAL_RECOVERY, "Personal Recovery User", True),
    )


def test_crypto_users_without_owners() -> None:
    """du-listusers-10.15: no owner lines before macOS 11."""
    uuid = "FB756838-0000-0000-0000-40FB5E7D5D3F"
    out = f"Cryptographic user for disk1s5 (1 found)\n|\n+-- {uuid}\n    Type: Local Open Directory User\n"
    users = diskutil.parse_users(ran(out))
    assert users == diskutil.CryptoUsers(True, "disk1s5", (diskutil.CryptoUser(uuid, diskutil.LOCAL_USER, None),))


def test_no_crypto_users() -> None:
    assert diskutil.parse_users(ran("No cryptographic users for disk1s1\n")) == diskutil.CryptoUsers(True, "disk1s1")


def test_a_volume_without_crypto_users_and_no_answer() -> None:
    assert diskutil.parse_users(ran("", "/ is not an APFS Volume\n", 1)) == diskutil.CryptoUsers(False)
    assert diskutil.parse_users(ran("", "Could not find disk\n", 1)) is None


def test_preboot_updated() -> None:
    tail = "UpdatePreboot: Exiting Update Preboot operation with overall error=(ZeroMeansSuccess)=0\nFinished\n"
    assert diskutil.preboot_updated(ran(tail))
    assert not diskutil.preboot_updated(ran(tail, rc=1))
    assert not diskutil.preboot_updated(ran(tail.replace("=0\n", "=-69593\n")))


# -- profiles ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("out", "expected"),
    [
        pytest.param(
            "Enrolled via DEP: No\nMDM enrollment: No\n",
            profiles.Enrollment(False, False, False, ""),
            id="enr-status-none",
        ),
        (
            "Enrolled via DEP: Yes\nMDM enrollment: Yes (User Approved)\nMDM server: https://mdm.example/x\n",
            profiles.Enrollment(True, True, True, "https://mdm.example/x"),
        ),
        ("Enrolled via DEP: No\nMDM enrollment: Yes\n", profiles.Enrollment(True, False, False, "")),
        ("profiles: error\n", None),
    ],
)
def test_enrollment(out: str, expected: profiles.Enrollment | None) -> None:
    assert profiles.parse_enrollment(ran(out)) == expected


def listed(*kinds: str, scope: str = "_computerlevel") -> str:
    items = [{"PayloadType": kind, "PayloadContent": {"EnrollSecret": "profile-pw-1"}} for kind in kinds]
    return plistlib.dumps({scope: [{"ProfileIdentifier": "com.example", "ProfileItems": items}]}).decode()


ESCROW = "com.apple.security.FDERecoveryKeyEscrow"


@pytest.mark.parametrize(
    ("out", "rc", "expected"),
    [
        (listed("com.apple.mdm", ESCROW), 0, True),
        ("profiles: a line before\n" + listed(ESCROW), 0, True),
        (listed("com.apple.mdm"), 0, False),
        (listed(ESCROW, scope="ana"), 0, False),
        (plistlib.dumps({}).decode(), 0, False),
        (plistlib.dumps([]).decode(), 0, None),
        (plistlib.dumps({"_computerlevel": ["odd"]}).decode(), 0, None),
        (plistlib.dumps({"_computerlevel": [{"ProfileItems": ["odd"]}]}).decode(), 0, None),
        ("There are no configuration profiles installed\n", 0, None),
        (listed(ESCROW), 1, None),
    ],
)
def test_a_profile_that_escrows(out: str, rc: int, expected: bool | None) -> None:
    assert profiles.parse_escrow(ran(out, rc=rc)) is expected


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (ran("1790000000\n"), 1790000000),
        (ran("0\n"), 0),
        (ran("", "stat: /private/var/x: stat: No such file or directory\n", rc=1), system.NO_FILE),
        (ran("", "stat: /etc/hosts/x: stat: Not a directory\n", rc=1), system.NO_FILE),
        (ran("", "stat: /var/db/x: stat: Permission denied\n", rc=1), None),
        (ran("", "stat: /No such file or directory/x: stat: Permission denied\n", rc=1), None),
        (ran("odd\n"), None),
        (Ran(Command(("stat",)), None, timed_out=True), None),
        (Ran(Command(("stat",)), None, "", "stat: No such file or directory"), None),
    ],
)
def test_that_nobody_could_look_is_not_that_there_is_nothing(answer: Ran, found: int | None) -> None:
    assert system.parse_stat(answer) == found


def test_what_is_on_the_way_is_read_by_kind_owner_and_mode() -> None:
    answers = {
        "/": ("Directory|0|755|/", Place("/", "folder", True, 0)),
        "/private/tmp": ("Directory|0|777|/private/tmp", Place("/private/tmp", "folder", False, 0, others=True)),
        "/group": ("Directory|0|775|/group", Place("/group", "folder", False, 0)),
        "/Users/ana": ("Directory|502|700|/Users/ana", Place("/Users/ana", "folder", False, 502)),
        "/tmp": ("Symbolic Link|0|755|/tmp", Place("/tmp", "link", True, 0)),
        "/a|b": ("Regular File|0|600|/a|b", Place("/a|b", "file", True, 0)),
        "/pipe": ("Fifo File|0|600|/pipe", Place("/pipe", "file", True, 0)),
        "/odd": ("Directory|0|rwx|/odd", Place("/odd", "unread")),
        "/owned": ("Directory|ana|700|/owned", Place("/owned", "unread")),
    }
    gone = {
        "/x": ("stat: /x: stat: No such file or directory", Place("/x", "nothing")),
        "/x y": ("stat: /x y: lstat: Not a directory", Place("/x y", "nothing")),
        "/y": ("stat: /y: stat: Permission denied", Place("/y", "unread")),
        "y": ("", Place("y", "unread")),
    }
    out = "".join(f"{line}\n" for line, dummy in answers.values())
    err = "".join(f"{line}\n" for line, dummy in gone.values())
    asked = [*answers, *gone]
    expected = (*(place for dummy, place in answers.values()), *(place for dummy, place in gone.values()))
    assert system.parse_places(ran(out, err, rc=1), asked) == expected
    assert system.stat_each(asked).argv[3:] == tuple(asked)
    silent = Ran(Command(("stat",)), None, timed_out=True)
    assert {place.kind for place in system.parse_places(silent, asked)} == {"unread"}


def test_what_profiles_carry_is_no_evidence() -> None:
    found = Ran(profiles.INSTALLED, 1, listed(ESCROW), "")
    assert "profile-pw-1" not in found.evidence


@pytest.mark.parametrize(
    ("out", "supported", "escrowed"),
    [
        ("profiles: Bootstrap Token supported on server: NO\n", False, None),
        (
            "profiles: Bootstrap Token supported on server: YES\nprofiles: Bootstrap Token escrowed to server: YES\n",
            True,
            True,
        ),
        (
            "profiles: Bootstrap Token supported on server: YES\nprofiles: Bootstrap Token escrowed to server: NO\n",
            True,
            False,
        ),
        ("Bootstrap Token functionality is not supported on the server.\n", False, False),
        ("profiles: not enrolled\n", None, None),
    ],
)
def test_bootstrap(out: str, supported: bool | None, escrowed: bool | None) -> None:
    assert profiles.parse_bootstrap(ran(out)) == profiles.BootstrapStatus(supported, escrowed)
    assert profiles.parse_bootstrap(ran("", out)) == profiles.BootstrapStatus(supported, escrowed)


# -- sysctl, sw_vers --------------------------------------------------------------------------------------------------


def test_system() -> None:
    said = "kern.osproductversion: 15.6\nkern.osversion: 24G84\nhw.optional.arm64: 1\nhw.model: Mac15,3\n"
    assert system.parse_sysctl(ran(said)) == system.System("15.6", "24G84", "Mac15,3", True, False)


def test_the_version_of_a_system_that_sysctl_does_not_know() -> None:
    older = system.parse_sysctl(ran("kern.osversion: 17C88\nhw.model: iMac18,1\nkern.hv_vmm_present: 1\n"))
    assert older.version == ""
    said = "ProductName:\t\tmacOS\nProductVersion:\t\t14.8.7\nBuildVersion:\t\t23J520\n"  # sw-vers-14
    assert system.with_sw_vers(older, ran(said)) == system.System("14.8.7", "23J520", "iMac18,1", False, True)
    assert system.with_sw_vers(older, ran("what?")).version == ""


# -- dscl -------------------------------------------------------------------------------------------------------------


def plist(value: object) -> str:
    return plistlib.dumps(value).decode()


def shadow(password: bytes, verifier: str = "SALTED-SHA512-PBKDF2") -> str:
    salt = b"s" * 32
    entropy = hashlib.pbkdf2_hmac("sha512", password, salt, 50, 128)
    data = plistlib.dumps({verifier: {"entropy": entropy, "salt": salt, "iterations": 50}}, fmt=plistlib.FMT_BINARY)
    digits = data.hex()
    words = " ".join(digits[start : start + 8] for start in range(0, len(digits), 8))
    return plist({"dsAttrTypeNative:ShadowHashData": [words]})


@pytest.mark.parametrize("password", ["pw", "ü 🔑 'quoted' {{ braces }}", "x" * 300, "-"])
def test_a_password_is_compared_by_its_hash(password: str) -> None:
    assert dscl.hash_matches(ran(shadow(password.encode())), Secret(password)) is True
    assert dscl.hash_matches(ran(shadow(password.encode())), Secret(password + "x")) is False


@pytest.mark.parametrize("out", [shadow(b"pw", "SRP-ONLY"), "", plist({}), plist({"a:ShadowHashData": ["zz"]})])
def test_a_hash_that_says_nothing(out: str) -> None:
    assert dscl.hash_matches(ran(out), Secret("pw")) is None
    assert dscl.hash_matches(ran(shadow(b"pw"), rc=56), Secret("pw")) is None


@pytest.mark.parametrize(("rc", "answer"), [(0, "right"), (10, "wrong"), (87, "disabled"), (56, "unknown")])
def test_authentication_answer(rc: int, answer: str) -> None:
    """dscl-authonly-bad, dscl-authonly-disabled."""
    assert dscl.authentication_answer(ran(rc=rc)) == answer


def test_a_program_that_is_not_there_authenticates_nobody() -> None:
    assert dscl.authentication_answer(Ran(Command(("x",)), None)) == "unknown"


# -- argv and prompts -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "argv", "typed"),
    [
        (
            lambda: sysadminctl.grant("ana", "itadmin", ADMIN, USER),
            "sysadminctl -secureTokenOn ana -password - -adminUser itadmin -adminPassword -",
            "admin pw\nuser pw\n",
        ),
        (
            lambda: sysadminctl.revoke("ana", "itadmin", ADMIN, USER),
            "sysadminctl -secureTokenOff ana -password - -adminUser itadmin -adminPassword -",
            "admin pw\nuser pw\n",
        ),
        (
            lambda: sysadminctl.add_user(sysadminctl.NewUser("ana", "Ana"), USER),
            "sysadminctl -addUser ana -fullName Ana -password -",
            "user pw\n",
        ),
        (
            lambda: sysadminctl.add_user(
                sysadminctl.NewUser("ana", "Ana", 0, 20, "/bin/sh", "/x", "?", "/p", True), USER
            ),
            "sysadminctl -addUser ana -fullName Ana -shell /bin/sh -hint ? -picture /p -UID 0 -GID 20 -home /x -admin"
            " -password -",
            "user pw\n",
        ),
        (
            lambda: sysadminctl.reset_password("ana", NEW, "itadmin", ADMIN),
            "sysadminctl -resetPasswordFor ana -newPassword - -adminUser itadmin -adminPassword -",
            "new pw\nadmin pw\n",
        ),
        (
            lambda: sysadminctl.reset_password("ana", NEW),
            "sysadminctl -resetPasswordFor ana -newPassword -",
            "new pw\n",
        ),
        (
            lambda: sysadminctl.change_own_password("ana", 502, USER, NEW),
            "launchctl asuser 502 sudo -u ana sysadminctl -newPassword - -oldPassword -",
            "user pw\nnew pw\n",
        ),
        (lambda: sysadminctl.delete_user("ana", "keep_home"), "sysadminctl -deleteUser ana -keepHome", ""),
        (lambda: sysadminctl.delete_user("ana", "delete_home"), "sysadminctl -deleteUser ana", ""),
        (lambda: sysadminctl.delete_user("ana", "secure"), "sysadminctl -deleteUser ana -secure", ""),
        (lambda: dscl.change_password("ana", USER, NEW), "dscl . -passwd /Users/ana", "new pw\nuser pw\n"),
        (lambda: dscl.authenticate("ana", USER), "dscl /Local/Default -authonly ana", "user pw\n"),
        (
            lambda: dscl.prevent_token("ana"),
            "dscl . -append /Users/ana AuthenticationAuthority ;DisabledTags;SecureToken",
            "",
        ),
        (lambda: dscl.set_field("ana", "hidden", True), "dscl . -create /Users/ana IsHidden 1", ""),
        (lambda: dscl.set_field("ana", "uid", 655), "dscl . -create /Users/ana UniqueID 655", ""),
        (
            lambda: dscl.note("creating ana"),
            "dscl . -merge /Users/root dsAttrTypeNative:keyholder_pending creating ana",
            "",
        ),
        (lambda: dscl.forget("preboot"), "dscl . -delete /Users/root dsAttrTypeNative:keyholder_pending preboot", ""),
        (lambda: accounts.set_membership("ana", "admin", True), "dseditgroup -o edit -a ana -t user admin", ""),
        (lambda: accounts.set_membership("ana", "admin", False), "dseditgroup -o edit -d ana -t user admin", ""),
        (lambda: accounts.create_home("ana"), "createhomedir -c -u ana", ""),
    ],
)
def test_commands(make: t.Callable[[], Command], argv: str, typed: str) -> None:
    command = make()
    assert str(command) == argv
    assert command.input().decode() == typed


@pytest.mark.parametrize(
    ("err", "reason"),
    [
        pytest.param('error Error Domain=com.apple.OpenDirectory Code=5101 "Auth', "granter_refused", id="ston-5101"),
        pytest.param('Error Domain=com.apple.OpenDirectory Code=5000 "Credent', "password_refused", id="od-5000"),
        pytest.param("Operation is not permitted without secure token unlock.", "key_refused", id="reset-no-unlock"),
        pytest.param("New account password error. (5402)", "password_policy", id="adduser-policy-5402"),
        pytest.param(
            "User owner can not be deleted (it's either last admin user or last secure token user neither of which",
            "last_holder",
            id="delete-last-admin-or-token",
        ),
        pytest.param('(Error Domain=NSOSStatusErrorDomain Code=-60007 "errA', "root_locked_out", id="adduser-not-root"),
        pytest.param("### Error:-14120 File:/AppleInternal/DSRecord.m", "no_full_disk_access", id="fleet-14120"),
        pytest.param("- Done!", "", id="done"),
    ],
)
def test_meaning(err: str, reason: str) -> None:
    assert sysadminctl.reason_said(ran("", err)) == reason
