# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Repeat the transcripts that want more than a Mac and a command: `fixtures/setups.yml` has the others."""

from __future__ import annotations

import functools
import plistlib
import time
from collections.abc import Callable, Mapping

import fakes
from conformance import Case
from conformance_setups import SETUPS, case_of
from fakes import Run, mac, people, person
from transcripts import FIXTURE, TRANSCRIPTS

from maclab import plists, records, vault
from maclab.disks import volume_uuid
from maclab.state import MDM, CryptoUser, Deferral, DirectoryUser, Fault, Group, Mac, NetworkDirectory
from maclab.vault import key_number, listed

PRK = "EBC6C064-0000-11AA-AA11-00306543ECAC"
BOOTSTRAP = "2457711A-523C-4604-B75A-F48A571D5036"
LKDC = "LKDC:SHA1.0123456789ABCDEF0123456789ABCDEF01234567"
PATTERN = "a word that a program looks for"
ONE_HASH = ";ShadowHash;HASHLIST:<SALTED-SHA512-PBKDF2>"


Builder = Callable[[], Case]
CASES: dict[str, Builder] = {
    record_id: functools.partial(case_of, TRANSCRIPTS[record_id], setup) for record_id, setup in SETUPS.items()
}


def case(*ids: str) -> Callable[[Builder], Builder]:
    def keep(builder: Builder) -> Builder:
        assert not set(ids) & CASES.keys()
        for record_id in ids:
            CASES[record_id] = builder
        return builder

    return keep


def words(line: str) -> list[str]:
    return line.split()


# --- sysadminctl: grants --------------------------------------------------------------------------


def _grant(verb: str, *, user: str = "user", password: str = "user-pw", granter: str = "admin") -> list[str]:
    given = {"admin": "admin-pw", "user": "user-pw"}[granter]
    return ["sysadminctl", verb, user, "-password", password, "-adminUser", granter, "-adminPassword", given]


def holds(made: Mac, name: str) -> bool:
    return made.accounts[name].has_authority_token


@case("ston-5101-not-authorized")
def _() -> Case:
    made = people(mac("10.15.6", "t2"))
    person(made, "standard", "user-pw", token=True)
    argv = words("sysadminctl -adminUser standard -adminPassword user-pw -secureTokenOn user -password user-pw")
    return Case(made, argv, after=lambda after, run: not holds(after, "user"))


@case("ston-no-unlock-elemenno")
def _() -> Case:
    made = people(mac())
    person(made, "other", "user-pw", admin=True)
    argv = words("sysadminctl -secureTokenOff admin -password admin-pw -adminUser other -adminPassword user-pw")
    return Case(made, argv, loose=("stop",), after=lambda after, run: holds(after, "admin"))


@case("ston-piped-1023-byte-admin-pw")
def _() -> Case:
    made = mac("12.7.6")
    person(made, "admin", "x" * 1023, admin=True, token=True)
    person(made, "user", "user-pw")
    argv = words("sysadminctl -secureTokenOn user -password - -adminUser admin -adminPassword -")
    blamed = "Credentials could not be verified"
    return Case(made, argv, stdin="x" * 1023 + "\nuser-pw\n", after=lambda after, run: blamed in run.err)


@case("ston-expect-addigy")
def _() -> Case:
    argv = words("sysadminctl -secureTokenOn user -password - -adminUser admin -adminPassword -")

    def in_order(after: Mac, run: Run) -> bool:
        return run.terminal.index("Ada Admin") < run.terminal.index("Uma User") and holds(after, "user")

    return Case(
        people(mac()), argv, typed=["admin-pw", "user-pw"], part="what an expect script waits for", after=in_order
    )


@case("stoff-done-parser")
def _() -> Case:
    made = people(mac())
    person(made, "third", "user-pw", token=True)
    return Case(made, _grant("-secureTokenOff", user="third"), part=PATTERN, after=lambda a, run: not holds(a, "third"))


@case("stoff-wrong-admin-10.13.2")
def _() -> Case:
    made = people(mac("10.13.2", "intel"))
    argv = words("sysadminctl -adminUser admin -adminPassword wrong -secureTokenOff admin -password admin-pw")
    return Case(made, argv, after=lambda after, run: holds(after, "admin"))


# --- sysadminctl: passwords -----------------------------------------------------------------------


def _reset(version: str) -> Builder:
    def build() -> Case:
        made = people(mac(version))
        argv = words("sysadminctl -resetPasswordFor admin -newPassword other")
        return Case(made, argv, after=lambda after, run: after.accounts["admin"].password == "admin-pw")

    return build


CASES["reset-no-unlock-2023"] = _reset("13.2.1")
CASES["reset-no-unlock-ci-rc0"] = _reset("14.7.1")
CASES["reset-rc0-macos26-image"] = _reset("26.1")
CASES["reset-rc0-note"] = _reset("15.6")


@case("reset-no-unlock-then-dscl")
def _() -> Case:
    return Case(people(mac("13.2.1")), words("dscl . -passwd /Users/admin wrong other"))


@case("reset-success-filewave")
def _() -> Case:
    argv = words("sysadminctl -resetPasswordFor user -newPassword other -adminUser admin -adminPassword admin-pw")
    return Case(people(mac()), argv, part=PATTERN)


@case("selfchange-stdin-mkuser")
def _() -> Case:
    argv = words("sysadminctl -newPassword - -oldPassword -")
    made = people(mac("12.7.6"))

    def changed(after: Mac, run: Run) -> bool:
        account = after.accounts["admin"]
        return account.password == account.key_password == "new"

    return Case(made, argv, root=False, stdin="admin-pw\nnew\n", after=changed)


@case("selfchange-tahoe-noop")
def _() -> Case:
    argv = words("sysadminctl -newPassword other -oldPassword admin-pw")
    unchanged: Callable[[Mac, Run], bool] = lambda after, run: after.accounts["admin"].password == "admin-pw"  # noqa: E731
    return Case(people(mac("26.5")), argv, root=False, after=unchanged)


@case("ec2-token-bootstrap")
def _() -> Case:
    made = mac("11.7.10")
    person(made, "ec2-user", "old", admin=True)
    argv = words("sysadminctl -oldPassword old -newPassword new")
    return Case(made, argv, root=False, user="ec2-user", after=lambda after, run: holds(after, "ec2-user"))


@case("reset-tahoe-admin-self")
def _() -> Case:
    argv = words("sysadminctl -adminUser admin -adminPassword admin-pw -resetPasswordFor admin -newPassword other")
    return Case(people(mac("26.1")), argv, after=lambda after, run: after.accounts["admin"].key_password == "other")


# --- sysadminctl: accounts ------------------------------------------------------------------------


@case("adduser-existing-record-10.13")
def _() -> Case:
    made = mac("10.13.6", "intel")
    person(made, "maxieds", uid=501)
    argv = [*words("sysadminctl -keepHome -UID 80 -adminUser maxieds -fullName"), "Maxie D Schmidt (personal account)"]
    return Case(made, [*argv, *words("-addUser maxieds -password -")], typed=["pw"])


@case("adduser-nopw-existing-10.13")
def _() -> Case:
    made = mac("10.13.6", "intel")
    person(made, "lab15", uid=501)
    argv = [*words("sysadminctl -keepHome -UID 80 -fullName"), "Lab #15 MacOS Desktop Default User"]
    return Case(made, [*argv, "-addUser", "lab15"])


@case("adduser-2026-home-assigned")
def _() -> Case:
    argv = words("sysadminctl -addUser trainee -fullName Trainee -password TemporaryPass123 -home /Users/trainee")
    return Case(people(mac("26.1")), argv, after=lambda after, run: not after.accounts["trainee"].home_exists)


@case("adduser-not-root-10.13.6")
def _() -> Case:
    return Case(people(mac("10.13.6", "intel")), words("sysadminctl -addUser new"), root=False)


@case("adduser-roleaccount-refused")
def _() -> Case:
    argv = words("sysadminctl -addUser new -roleAccount")
    return Case(people(mac()), argv, after=lambda after, run: "new" not in after.accounts)


@case("adduser-name-too-long")
def _() -> Case:
    def refused(after: Mac, run: Run) -> bool:
        return all(code in run.err for code in ("-14136", "-14071", "DSRecord.m")) and "n" * 245 not in after.accounts

    names = {"DSRecord.m ... -14136 ... -14071": "-14136"}
    return Case(
        people(mac()),
        ["sysadminctl", "-addUser", "n" * 245],
        names=names,
        part="two of the codes, named in prose",
        after=refused,
    )


@case("role-admin-ignored")
def _() -> Case:
    argv = words("sysadminctl -addUser _role -UID 201 -roleAccount -admin")
    return Case(people(mac()), argv, after=lambda after, run: "_role" not in after.groups["admin"].members)


@case("addUser-fullname-dup")
def _() -> Case:
    argv = ["sysadminctl", "-addUser", "new", "-fullName", "Uma User"]
    return Case(people(mac()), argv, after=lambda after, run: "new" not in after.accounts)


@case("admin-cmd-interactionnotallowed-15")
def _() -> Case:
    made = people(mac("15.6"))
    made.faults.append(Fault("lockout_root"))
    return Case(made, words("sysadminctl -addUser new"), part="the end of the sentence")


def _with_testing(version: str) -> Mac:
    made = people(mac(version))
    person(made, "testing", uid=502)
    made.accounts["user"].uid = 503
    return made


@case("delete-last-admin-or-token")
def _() -> Case:
    argv = words("sysadminctl -deleteUser admin")
    made = people(mac("11.7.10"))
    return Case(made, argv, names={"owner": "admin"}, after=lambda after, run: "admin" in after.accounts)


@case("delete-silent-noop-26")
def _() -> Case:
    made = _with_testing("26.3")
    made.faults.append(Fault("delete_does_nothing"))
    argv = words("sysadminctl -deleteUser testing -secure")
    return Case(made, argv, after=lambda after, run: "testing" in after.accounts)


# --- dscl -----------------------------------------------------------------------------------------


def _authority(record_id: str, name: str, values: list[str], attributes: dict[str, list[str]]) -> None:
    def build() -> Case:
        made = people(mac())
        account = person(made, name)
        account.authority[:] = values
        account.attributes.update(attributes)
        return Case(made, ["dscl", ".", "-read", f"/Users/{name}", "AuthenticationAuthority", "OriginalNodeName"])

    CASES[record_id] = build


_authority(
    "dscl-authority-mobile",
    "alice",
    [
        ";LocalCachedUser;/Active Directory/CORP/corp.example.com:alice:E9F6E0ED-138E-40C9-B9E7-A7F3F661DB14",
        ";Kerberosv5;;alice@CORP.EXAMPLE.COM;CORP.EXAMPLE.COM;",
        ONE_HASH,
    ],
    {"OriginalNodeName": ["/Active Directory/CORP/corp.example.com"]},
)
_authority(
    "dscl-authority-local-notoken",
    "carol",
    [ONE_HASH, f";Kerberosv5;;carol@{LKDC};{LKDC};"],
    {},
)


@case("createmobile-no-token")
def _() -> Case:
    made = people(mac("10.13.6", "intel"))
    made.network = NetworkDirectory("/Active Directory/CORP/corp.example.com")
    made.network.users["alice"] = DirectoryUser("alice", "Alice", 1234567, "E9F6E0ED-138E-40C9-B9E7-A7F3F661DB14", "pw")
    no_token: Callable[[Mac, Run], bool] = lambda after, run: not holds(after, "alice")  # noqa: E731
    return Case(made, ["createmobileaccount", "-n", "alice"], after=no_token)


@case("dscl-authority-token")
def _() -> Case:
    made = people(mac())
    person(made, "esaruoho", token=True)
    argv = words("dscl . -read /Users/esaruoho AuthenticationAuthority")
    return Case(made, argv, part="the source shortens both ends", names={";Kerberosv5;...": ";Kerberosv5;"})


@case("dscl-absent-record")
def _() -> Case:
    return Case(people(mac()), words("dscl . -read /Users/absent"))


@case("dscl-authonly-bad")
def _() -> Case:
    return Case(people(mac()), words("dscl . -authonly user bad"))


@case("dscl-authonly-disabled")
def _() -> Case:
    made = people(mac())
    made.accounts["user"].authority.append(";DisabledUser;")
    return Case(made, words("dscl . -authonly user user-pw"))


def _runner() -> Mac:
    made = mac("26.3.1")
    person(made, "runner", "runner", admin=True, token=True)
    return made


@case("dscl-passwd-root-token-26")
def _() -> Case:
    argv = words("dscl . -passwd /Users/runner proofbox")
    return Case(_runner(), argv, after=lambda after, run: after.accounts["runner"].password == "runner")


@case("dscl-passwd-old-new-26")
def _() -> Case:
    argv = words("dscl . -passwd /Users/runner runner proofbox")
    return Case(_runner(), argv, after=lambda after, run: after.accounts["runner"].key_password == "proofbox")


@case("dscl-list-uniqueid")
def _() -> Case:
    made = mac()
    person(made, "_amavisd", uid=83)
    person(made, "lee", uid=501)
    return Case(made, words("dscl . -list /Users UniqueID"))


@case("dscl-read-multi")
def _() -> Case:
    made = mac()
    person(made, "tensho", full_name="Andrew Babichev", uid=501)
    return Case(made, words("dscl . -read /Users/tensho RealName UniqueID PrimaryGroupID UserShell"), root=False)


@case("dscl-passwd-eds-perm")
def _() -> Case:
    return Case(people(mac()), words("dscl . -append /Users/user AuthenticationAuthority x"), root=False)


# --- groups and names -----------------------------------------------------------------------------


def _with_alice() -> Mac:
    made = people(mac())
    person(made, "alice", admin=True)
    return made


CASES["dseditgroup-yes"] = lambda: Case(_with_alice(), words("dseditgroup -o checkmember -m alice admin"))
CASES["dseditgroup-unknown-user"] = lambda: Case(_with_alice(), words("dseditgroup -o checkmember -m nosuch admin"))
CASES["dseditgroup-unknown-group"] = lambda: Case(_with_alice(), words("dseditgroup -o checkmember -m alice nogroup"))
CASES["dsmemberutil-unknown"] = lambda: Case(_with_alice(), words("dsmemberutil checkmembership -U nosuch -G admin"))


@case("id-trainee")
def _() -> Case:
    made = people(mac())
    person(made, "trainee", uid=503, admin=True)
    made.groups["com.apple.sharepoint.group.1"] = Group("com.apple.sharepoint.group.1", 701, "G", ["trainee"])
    return Case(
        made,
        words("id trainee"),
        part="the source breaks off before the last character",
        names={"com.apple.sharepoint.g": "com.apple.sharepoint.group.1"},
    )


@case("pwpolicy-global")
def _() -> Case:
    made = people(mac())
    made.policy.min_length = 8
    return Case(
        made,
        words("pwpolicy -getaccountpolicies"),
        part="the source breaks off in the property list",
        names={" ...": ""},
    )


# --- diskutil -------------------------------------------------------------------------------------


def _volume(version: str, device: str, *users: tuple[str, str, bool], hardware: str = "apple-silicon") -> Mac:
    made = mac(version, hardware, device=device)
    made.crypto_users = {uuid: CryptoUser(uuid, kind, owner) for uuid, kind, owner in users}
    return made


OD = "LocalOpenDirectory"
KEYS = ((BOOTSTRAP, "MDMRecovery", True), (PRK, "PersonalRecovery", True))


@case("diskutil-list-users")
def _() -> Case:
    guid = "DA145BD0-81C7-41AA-9676-794E0A14B63D"
    made = _volume(
        "15.6", "disk3s1s1", (guid, OD, True), (BOOTSTRAP, "MDMRecovery", True), (PRK, "PersonalRecovery", True)
    )
    return Case(made, words("diskutil apfs listUsers /"), root=False, cut="head -5", names={"<UUID>": guid})


@case("diskutil-list-users-1")
def _() -> Case:
    return Case(_volume("13.6.9", "disk2s1", ("U", OD, True)), words("diskutil apfs listCryptoUsers /"), cut="head -1")


@case("du-listusers-10.15")
def _() -> Case:
    made = _volume(
        "10.15.6",
        "disk1s5",
        ("FB756838-XXXX-XXXX-XXXX-40FB5E7D5D3F", OD, False),
        ("EBC6C064-XXXX-XXXX-XXXX-00306543ECAC", "PersonalRecovery", False),
        ("C22BDCD3-XXXX-XXXX-XXXX-65D3332605C3", OD, False),
        ("2457711A-XXXX-XXXX-XXXX-F48A571D5036", "MDMRecovery", False),
        hardware="intel",
    )
    return Case(made, words("diskutil apfs listusers /"))


@case("du-listcryptousers-tahoe", "du-listusers-awk")
def _() -> Case:
    guid = "DA145BD0-81C7-41AA-9676-794E0A14B63D"
    made = _volume(
        "26.1", "disk3s1s1", (guid, OD, True), (BOOTSTRAP, "MDMRecovery", True), (PRK, "PersonalRecovery", True)
    )

    def owner_is_second_line(after: Mac, run: Run) -> bool:
        lines = run.out.splitlines()
        return lines[lines.index(f"+-- {guid}") + 2].split()[-1] == "Yes"

    return Case(made, words("diskutil apfs listcryptoUsers /"), root=False, after=owner_is_second_line)


@case("du-listusers-icloud")
def _() -> Case:
    made = _volume(
        "10.14.6",
        "disk1s1",
        ("FBD4D606-E5F2-4FC5-B6C0-70E11D1A3FB1", OD, False),
        ("EC1C2AD9-B618-4ED6-BD8D-50F361C27507", "iCloudRecovery", False),
        ("64C0C6EB-0000-11AA-AA11-00306543ECAC", "iCloudRecoveryExternalKey", False),
        hardware="intel",
    )
    return Case(made, ["diskutil", "apfs", "listusers", volume_uuid(made)])


@case("du-listkeys-filevault")
def _() -> Case:
    made = _volume(
        "10.15.7",
        "disk1s2",
        ("BBBBBBBB-BBBB-BBBB-BBBB-BBBBBBBBBBBB", OD, False),
        ("CCCCCCCC-CCCC-CCCC-CCCC-CCCCCCCCCCCC", "PersonalRecovery", False),
        hardware="intel",
    )
    return Case(made, words("diskutil apfs listkeys disk1s2"))


@case("du-listcryptousers-none")
def _() -> Case:
    return Case(_volume("10.13.6", "disk1s1", hardware="intel"), words("diskutil apfs listCryptoUsers /"))


@case("du-listcryptousers-headers")
def _() -> Case:
    argv = words("diskutil apfs listCryptoUsers disk1s7")
    return Case(_volume("13.6.9", "disk1s7"), argv, names={"<special>": "disk1s7"})


@case("du-listcryptousers-plist")
def _() -> Case:
    guid = "3C7DB8EE-5EA4-4C18-A7E4-25C6C0F94667"
    made = _volume(
        "14.7.1", "disk3s5", (guid, OD, True), (PRK, "PersonalRecovery", True), (BOOTSTRAP, "MDMRecovery", False)
    )
    return Case(made, words("diskutil apfs listCryptoUsers -plist disk3s5"))


@case("du-listcryptousers-plist-empty")
def _() -> Case:
    return Case(_volume("14.7.1", "disk3s5"), words("diskutil apfs listCryptoUsers -plist disk3s5"))


@case("du-listusers-plist-munki")
def _() -> Case:
    made = _volume("26.1", "disk3s1s1", ("U", OD, True))
    expected = {"APFSCryptoUserType": OD, "APFSCryptoUserUUID": "U", "VolumeOwner": True}
    argv = words("diskutil apfs listUsers / -plist")
    return Case(made, argv, after=lambda after, run: plists.loads(run.out)["Users"] == [expected])


@case("du-updatepreboot-user-lines")
def _() -> Case:
    made = mac()
    guid = "BF1ADA88-9D04-4D58-9C15-570A4D46D227"
    account = person(made, "admin", full_name="Alan Nguyen", admin=True, token=True, guid=guid)
    kerberos = records.authority_of(made, account)[-1]
    names = {";Kerberosv5;;admin@LKDC:SHA1....;LKDC:SHA1....;": kerberos, "...\n": ""}
    return Case(made, words("diskutil apfs updatePreboot /"), names=names, cut="head -10 | tail -9")


@case("du-apfs-list-plist-keys")
def _() -> Case:
    def shaped(after: Mac, run: Run) -> bool:
        volume = plists.loads(run.out)["Containers"][0]["Volumes"][0]
        return {"CryptoMigrationOn", "Encryption", "Roles"} <= volume.keys() and "FileVault" not in volume

    return Case(people(mac("10.13.6", "intel")), words("diskutil apfs list -plist"), after=shaped)


@case("du-apfs-list-plist-empty")
def _() -> Case:
    return Case(people(mac("10.13.6", "intel", filesystem="hfs")), words("diskutil apfs list -plist"))


@case("du-info-plist-root")
def _() -> Case:
    def facts(after: Mac, run: Run) -> bool:
        found = plists.loads(run.out)
        return bool(found["FilesystemType"] == "apfs" and found["VolumeUUID"])

    return Case(people(mac("10.13.6", "intel")), words("diskutil info -plist /"), after=facts)


@case("du-info-text-bundle")
def _() -> Case:
    return Case(people(mac()), words("diskutil info /"), cut="grep Bundle")


# --- fdesetup -------------------------------------------------------------------------------------


def _vault(version: str = "14.7.1", hardware: str = "apple-silicon", **state: object) -> Mac:
    made = people(mac(version, hardware))
    for name, value in state.items():
        setattr(made if name == "logged_in" else made.filevault, name, value)
    return made


def _fdesetup(record_id: str, verb: str, root: bool = True, **state: object) -> None:
    CASES[record_id] = lambda: Case(_vault(**state), ["fdesetup", *verb.split()], root=root)  # type: ignore[arg-type]


_fdesetup(
    "fde-status-on-master-keychain", "status", version="10.15.6", hardware="intel", state="on", master_keychain=True
)
_fdesetup("fde-status-off-deferred", "status", deferred_user="fvuser")
_fdesetup("fde-status-reply-list-off-deferred", "status", deferred_user="<shortName>")
_fdesetup("fde-status-encrypting-pending", "status", state="pending")
_fdesetup("fde-status-after-ade", "status", root=False, state="on")
_fdesetup("fde-isactive-false", "isactive")
_fdesetup("fde-isactive-nonroot", "isactive", root=False, state="on")
_fdesetup("fde-isactive-busy", "isactive", state="encrypting", percent=12.0)
_fdesetup("fde-haspersonal-true", "haspersonalrecoverykey", state="on", prk="AAAA-BBBB-CCCC-DDDD-EEEE-FFFF")
_fdesetup("fde-hasinstitutional-false", "hasinstitutionalrecoverykey", state="on", master_keychain=True)
_fdesetup("fde-supportsauthrestart-false", "supportsauthrestart")


@case("fdesetup-list")
def _() -> Case:
    made = mac("12.7.6")
    person(made, "mliebreich", admin=True, token=True, guid="9DB1DCA0-9B6A-464F-94A3-32853C5E2987")
    return Case(made, words("fdesetup list"))


@case("fde-list-filevault-off")
def _() -> Case:
    made = mac("13.6.9")
    person(made, "user", token=True, guid="GUID")
    return Case(made, words("fdesetup list"))


@case("fde-list-null-prk", "fde-list-null-skip")
def _() -> Case:
    made = mac("10.13.1", "intel")
    person(made, "user1", admin=True, token=True)
    person(made, "user2", token=True)
    made.crypto_users[PRK] = CryptoUser(PRK, "PersonalRecovery")

    def every_name(after: Mac, run: Run) -> bool:
        return [line.split(",")[0] for line in run.out.splitlines()] == ["user1", "user2", "(null)"]

    return Case(
        made, words("fdesetup list"), names={"<UUID>": "", "...": ""}, part="the numbers are left out", after=every_name
    )


@case("fde-list-extended-10.15")
def _() -> Case:
    made = mac("10.15.6", "intel")
    person(made, "frederick.abeloos", token=True, guid="FB756838-XXXX-XXXX-XXXX-40FB5E7D5D3F")
    redacted = "EBC6C064-XXXX-XXXX-XXXX-00306543ECAC"
    made.crypto_users[redacted] = CryptoUser(redacted, "PersonalRecovery")
    person(made, "ttg", token=True, guid="C22BDCD3-XXXX-XXXX-XXXX-65D3332605C3")
    redacted = "2457711A-XXXX-XXXX-XXXX-F48A571D5036"
    made.crypto_users[redacted] = CryptoUser(redacted, "MDMRecovery")
    return Case(made, words("fdesetup list -extended"))


@case("fde-list-extended-unknown-user")
def _() -> Case:
    disk_user = ("2D3F7CA5-4ED4-4537-8DA2-98B1E3637954", "DiskUser", False)
    return Case(_volume("11.7.10", "disk1s1", disk_user, hardware="intel"), words("fdesetup list -extended"))


CREDENTIALS = {"Username": "admin", "Password": "admin-pw"}
WRONG = {"Username": "admin", "Password": "a PIN"}


def _plist(said: Mapping[str, object]) -> str:
    return plistlib.dumps(said).decode()


def _with_plist(line: str, said: Mapping[str, object], made: Mac, **more: object) -> Case:
    return Case(made, ["fdesetup", *words(line)], stdin=_plist(said), **more)  # type: ignore[arg-type]


def _keeps(key: str) -> Callable[[Mac, Run], bool]:
    return lambda after, run: after.filevault.prk == key


def _typed(version: str, record_id: str, line: str) -> None:
    """An enabling at a terminal, by one whose name is `username`."""

    def build() -> Case:
        made = mac(version)
        person(made, "username", "pw", admin=True, token=True)
        names = {"YBC9-AQEF-WPME-WWRW-VHXO-WB3Y": key_number(made.name, 1), "<plist incl. RecoveryKey on stdout>": ""}

        part = "the source leaves the property list out" if "-outputplist" in line else ""

        def enabled(after: Mac, run: Run) -> bool:
            return after.filevault.state == "on" and after.filevault.prk == key_number(made.name, 1)

        return Case(made, words(line), typed=["username", "pw"], names=names, part=part, after=enabled)

    CASES[record_id] = build


_typed("15.6", "fde-enable-sequoia", "fdesetup enable")
_typed("26.1", "fde-enable-tahoe-no-key", "fdesetup enable")
_typed("26.1", "fde-enable-tahoe-outputplist", "fdesetup enable -outputplist")


@case("fde-enable-auth-fail-rc11")
def _() -> Case:
    line = "enable -user luser -outputplist -inputplist"
    return _with_plist(line, WRONG, _vault(), after=lambda after, run: after.filevault.state == "off")


@case("fde-enable-tcc-dialog")
def _() -> Case:
    made = _vault("15.6", logged_in=["admin"])
    made.faults.append(Fault("no_full_disk_access"))
    return Case(made, words("fdesetup enable -user admin"), typed=["admin-pw"], hangs=True)


@case("fde-enable-inputplist-additionalusers")
def _() -> Case:
    said = CREDENTIALS | {"AdditionalUsers": [{"Username": "user", "Password": "user-pw"}]}
    return _with_plist("enable -inputplist", said, _vault(), after=lambda after, run: len(listed(after)) == 2)


@case("fde-enable-keychain-needed")
def _() -> Case:
    said = {"Username": "admin", "Password": "admin-pw"}
    on: Callable[[Mac, Run], bool] = lambda after, run: after.filevault.state == "on" and run.status == 0  # noqa: E731
    return _with_plist("enable -outputplist -inputplist -keychain", said, _vault(master_keychain=True), after=on)


@case("fde-enable-blank-password")
def _() -> Case:
    made = _vault()
    person(made, "blank", "", token=True)
    return _with_plist("enable -inputplist", CREDENTIALS, made)


@case("fde-enable-managed-off")
def _() -> Case:
    made = _vault()
    made.mdm.forbids_filevault = True
    return _with_plist("enable -inputplist", CREDENTIALS, made)


@case("fde-enable-already-on")
def _() -> Case:
    either: Callable[[Mac, Run], bool] = lambda after, run: run.status in (24, 32)  # noqa: E731
    return _with_plist("enable -inputplist", CREDENTIALS, _vault(state="on"), after=either)


@case("fde-disable-69594")
def _() -> Case:
    made = _vault("11.7.10", "intel", state="on")
    person(made, "kane", "pw")
    return Case(
        made, words("fdesetup disable"), typed=["kane", "pw"], after=lambda after, run: after.filevault.state == "on"
    )


@case("fde-disable-inputplist")
def _() -> Case:
    off: Callable[[Mac, Run], bool] = lambda after, run: after.filevault.state == "off" and run.status == 0  # noqa: E731
    return _with_plist("disable -inputplist", CREDENTIALS, _vault(state="on"), after=off)


@case("fde-disable-removes-deferral")
def _() -> Case:
    gone: Callable[[Mac, Run], bool] = lambda after, run: after.filevault.deferred_user is None  # noqa: E731
    return Case(_vault(deferred_user="user"), words("fdesetup disable"), after=gone)


# --- fdesetup: users ------------------------------------------------------------------------------


@case("fde-add-prompts-apfs")
def _() -> Case:
    names = {"user name:\n": "user name:admin\n", "ADMIN": "admin", "NEW": "user"}
    typed = ["admin", "admin-pw", "user-pw"]
    return Case(_vault(state="on"), words("fdesetup add -usertoadd user"), typed=typed, names=names)


@case("fde-add-inputplist-rc17")
def _() -> Case:
    key = "AAAA-BBBB-CCCC-DDDD-EEEE-FFFF"
    made = _vault("10.13.0", "intel", state="on", prk=key)
    person(made, "foo", "foo-pw")
    said = {"Username": "admin", "Password": key, "AdditionalUsers": [{"Username": "foo", "Password": "foo-pw"}]}
    return _with_plist("add -inputplist -verbose", said, made)


@case("fde-add-short-i")
def _() -> Case:
    said = CREDENTIALS | {"AdditionalUsers": [{"Username": "user", "Password": "user-pw"}]}
    return _with_plist("add -i", said, _vault(state="on"), after=lambda after, run: len(listed(after)) == 2)


@case("fde-add-needs-both")
def _() -> Case:
    made = _vault("10.14.6", "t2", state="on", hidden_users=["removed"])
    person(made, "removed", "pw", token=True, guid="removed")
    typed = ["removed", "pw", "user-pw"]
    return Case(
        made, words("fdesetup add -usertoadd user"), typed=typed, after=lambda after, run: len(listed(after)) == 1
    )


@case("fde-add-user-not-found")
def _() -> Case:
    argv = words("fdesetup add -usertoadd nosuch")
    return Case(_vault(state="on"), argv, typed=["admin", "admin-pw", "pw"])


def _with_second(version: str, hardware: str) -> Mac:
    made = _vault(version, hardware, state="on")
    person(made, "previouslyaddeduser", "pw", token=True, guid="SECOND")
    made.preboot = listed(made)
    return made


@case("fde-remove-preboot-stale")
def _() -> Case:
    argv = words("fdesetup remove -user previouslyaddeduser")
    stale: Callable[[Mac, Run], bool] = lambda after, run: (  # noqa: E731
        "SECOND" in after.preboot and "SECOND" not in listed(after)
    )
    return Case(_with_second("10.13.0", "intel"), argv, after=stale)


@case("fde-remove-keeps-token")
def _() -> Case:
    argv = words("fdesetup remove -user previouslyaddeduser")
    return Case(_with_second("10.14.6", "t2"), argv, after=lambda after, run: holds(after, "previouslyaddeduser"))


@case("fde-remove-last-user")
def _() -> Case:
    made = _vault("10.15.7", "intel", state="on")
    guid = made.accounts["admin"].generated_uid
    return Case(made, ["fdesetup", "remove", "-uuid", guid], after=lambda after, run: listed(after) == [guid])


@case("fde-remove-orphan-uuid")
def _() -> Case:
    made = _volume("10.15.7", "disk1s5", ("ORPHAN", OD, False), hardware="intel")
    return Case(made, words("fdesetup remove -uuid ORPHAN"), after=lambda after, run: not after.crypto_users)


# --- fdesetup: recovery keys ----------------------------------------------------------------------

OLD_KEY = "AAAA-BBBB-CCCC-DDDD-EEEE-FFFF"


def _with_key(version: str, hardware: str = "t2", **more: object) -> Mac:
    return _vault(version, hardware, state="on", prk=OLD_KEY, **more)


@case("fde-changerecovery-136")
def _() -> Case:
    made = _with_key("10.13.0", "intel")
    names = {"Unable to change key\n": "Unable to change key.\n"}
    return _with_plist("changerecovery -personal -inputplist -verbose", {"Password": OLD_KEY}, made, names=names)


@case("fde-changerecovery-136b", "fde-changerecovery-deletes-prk")
def _() -> Case:
    typed = ["admin", "admin-pw"]
    argv = words("fdesetup changerecovery -personal")
    gone: Callable[[Mac, Run], bool] = lambda after, run: after.filevault.prk is None  # noqa: E731
    return Case(_with_key("10.13.0", "intel", logged_in=["user"]), argv, typed=typed, cut="tail -1", after=gone)


@case("fde-changerecovery-auth-fail")
def _() -> Case:
    return _with_plist("changerecovery -personal -inputplist", WRONG, _with_key("13.6.9"), after=_keeps(OLD_KEY))


@case("fde-changerecovery-verbose-fail")
def _() -> Case:
    argv = words("fdesetup changerecovery -personal -norecoverykey -verbose")
    names = {": `user`": ":user", "authent...": "authenticated."}
    return Case(_with_key("13.6.9"), argv, typed=["user", "wrong"], names=names, after=_keeps(OLD_KEY))


@case("fde-changerecovery-99")
def _() -> Case:
    line = "changerecovery -norecoverykey -verbose -personal -inputplist"
    return _with_plist(line, CREDENTIALS, _with_key("10.15.0"), after=_keeps(OLD_KEY))


@case("fde-changerecovery-outputplist")
def _() -> Case:
    made = _with_key("15.6", "apple-silicon")

    def new_key(after: Mac, run: Run) -> bool:
        said = plists.loads(run.out)
        return bool(said["RecoveryKey"] == after.filevault.prk != OLD_KEY and said["Change"])

    names = {"<plist with RecoveryKey>": "<key>RecoveryKey</key>"}
    line = "changerecovery -personal -outputplist -inputplist"
    return _with_plist(line, CREDENTIALS, made, names=names, part="the source names one key", after=new_key)


@case("fde-removerecovery-fail")
def _() -> Case:
    line = "removerecovery -personal -inputplist"
    return _with_plist(line, {"Password": "wrong"}, _with_key("10.15.7"), after=_keeps(OLD_KEY))


@case("fde-usingrecoverykey-apfs")
def _() -> Case:
    failed: Callable[[Mac, Run], bool] = lambda after, run: run.status != 0  # noqa: E731
    return Case(_with_key("10.14.1"), words("fdesetup usingrecoverykey"), after=failed)


@case("fde-usingrecoverykey-10.15")
def _() -> Case:
    made = _with_key("10.15.7", unlocked_by_key=True)
    run_change = words("fdesetup changerecovery -personal -inputplist")
    fakes.run(made, *run_change, stdin=_plist(CREDENTIALS))
    return Case(made, words("fdesetup usingrecoverykey"))


@case("fde-validate-prompt-true")
def _() -> Case:
    names = {"recovery key:\n": "recovery key:"}
    return Case(_with_key("10.15.7"), words("fdesetup validaterecovery"), typed=[OLD_KEY], names=names)


@case("fde-validate-false-nonzero")
def _() -> Case:
    failed: Callable[[Mac, Run], bool] = lambda after, run: run.status != 0  # noqa: E731
    return _with_plist("validaterecovery -inputplist", {"Password": "X" * 29}, _with_key("15.6"), after=failed)


@case("fde-showdeferral")
def _() -> Case:
    # The deferral of a profile; whose profile it was is not kept.
    names = {'    ProfileUUID = "418DEB1B-XXXX-XXXX-XXXX-60BC894B1558";\n': ""}
    return Case(_vault("10.15.6", "intel", deferred_user=""), words("fdesetup showdeferralinfo"), names=names)


@case("fde-showdeferral-none")
def _() -> Case:
    return Case(_vault("10.15.6", "intel"), words("fdesetup showdeferralinfo"))


# --- fdesetup: restarting -------------------------------------------------------------------------


@case("fde-authrestart-54")
def _() -> Case:
    made = _with_key("10.13.6", "intel")
    made.faults.append(Fault("authrestart_fails"))
    stays: Callable[[Mac, Run], bool] = lambda after, run: run.restart is None  # noqa: E731
    return _with_plist("authrestart -delayminutes 0 -inputplist", {"Password": OLD_KEY}, made, after=stays)


@case("fde-authrestart-ok-stderr")
def _() -> Case:
    goes: Callable[[Mac, Run], bool] = lambda after, run: run.restart is not None and run.restart.unlocked  # noqa: E731
    line = "authrestart -delayminutes 0 -inputplist"
    return _with_plist(line, CREDENTIALS, _with_key("10.15.7"), names={"...": ""}, after=goes)


@case("fde-authrestart-delay-minus1")
def _() -> Case:
    armed: Callable[[Mac, Run], bool] = lambda after, run: run.restart is None and after.restart_armed  # noqa: E731
    line = "authrestart -delayminutes -1 -verbose -inputplist"
    return _with_plist(line, CREDENTIALS, _with_key("12.7.6"), after=armed)


@case("fde-authrestart-interactive")
def _() -> Case:
    goes: Callable[[Mac, Run], bool] = lambda after, run: run.restart is not None  # noqa: E731
    return Case(_with_key("10.15.7"), words("fdesetup authrestart"), typed=["admin", "admin-pw"], after=goes)


# --- profiles -------------------------------------------------------------------------------------


def _enrolled(version: str, **changes: object) -> Mac:
    made = people(mac(version))
    made.mdm.enrolled = "ade"
    for name, value in changes.items():
        setattr(made.mdm, name, value)
    return made


def _bootstrap(record_id: str, version: str, *, form: str = "-type bootstraptoken", **changes: object) -> None:
    CASES[record_id] = lambda: Case(_enrolled(version, **changes), words(f"profiles status {form}"))


_bootstrap("bt-status-supported-no", "10.15.6", bootstrap_supported=False)
_bootstrap("bt-status-yes-yes", "12.7.6", bootstrap_supported=True, bootstrap_escrowed=True)
_bootstrap("bt-status-yes-no", "12.7.6", bootstrap_supported=True)
_bootstrap("profiles-bt-status", "13.6.9", bootstrap_supported=True)
_bootstrap("bt-status-kandji-equals", "14.7.1", form="-type=bootstraptoken", bootstrap_supported=True)


@case("bt-status-functionality-not-supported")
def _() -> Case:
    said = "Bootstrap Token functionality is not supported on the server."
    return Case(_enrolled("11.7.10", bootstrap_status_error=said), words("profiles status -type bootstraptoken"))


@case("bt-status-not-enrolled")
def _() -> Case:
    argv = words("profiles status -type bootstraptoken")
    return Case(people(mac("12.7.6")), argv, after=lambda after, run: run.status != 0)


@case("enr-status-none")
def _() -> Case:
    return Case(people(mac("10.13.6", "intel")), words("profiles status -type enrollment"))


def _token(version: str = "12.7.6", **changes: object) -> Mac:
    return _enrolled(version, **{"bootstrap_supported": True, "supervised": True, **changes})


INSTALL = "profiles install -type bootstraptoken"
_escrowed: Callable[[Mac, Run], bool] = lambda after, run: after.mdm.bootstrap_escrowed  # noqa: E731
_not_escrowed: Callable[[Mac, Run], bool] = lambda after, run: not after.mdm.bootstrap_escrowed  # noqa: E731
_failed: Callable[[Mac, Run], bool] = lambda after, run: _not_escrowed(after, run) and run.status != 0  # noqa: E731
AT_PROMPTS = {"user name:\n": "user name:admin\n", "ADMIN": "admin"}


@case("bt-install-prompts")
def _() -> Case:
    return Case(_token(), words(INSTALL), typed=["admin", "admin-pw"], names=AT_PROMPTS, part=PATTERN, after=_escrowed)


@case("bt-install-ok")
def _() -> Case:
    return Case(_token(), words(INSTALL), typed=["admin", "admin-pw"], names=AT_PROMPTS, after=_escrowed)


@case("bt-install-empty-password")
def _() -> Case:
    return Case(_token(), words(INSTALL), typed=["admin", ""], cut="tail -1", after=_failed)


@case("bt-install-long-password-argv")
def _() -> Case:
    argv = [*words(INSTALL), "-user", "admin", "-password", "x" * 513]
    said: Callable[[Mac, Run], bool] = lambda after, run: "-69581" in run.err and _failed(after, run)  # noqa: E731
    return Case(_token("11.7.10"), argv, after=said)


def _with_long_password(size: int) -> Mac:
    made = _token("11.7.10")
    account = made.accounts["admin"]
    account.password = account.key_password = "x" * size
    return made


@case("bt-install-long-password-tty")
def _() -> Case:
    return Case(_with_long_password(129), words(INSTALL), typed=["admin", "x" * 129], after=_failed)


@case("bt-install-nonzero")
def _() -> Case:
    return Case(_token(), words(f"{INSTALL} -user admin -password wrong"), after=_failed)


CASES["bt-install-pass-alias"] = lambda: Case(_token(), words(f"{INSTALL} -user admin -pass admin-pw"), after=_escrowed)
CASES["bt-install-equals-form"] = lambda: Case(
    _token(), words(f"{INSTALL} -user=admin -password=admin-pw"), after=_escrowed
)


@case("bt-install-needs-admin")
def _() -> Case:
    made = _token()
    person(made, "standard", "pw", token=True)
    return Case(made, words(f"{INSTALL} -user standard -password pw"), after=_failed)


@case("bt-remove")
def _() -> Case:
    made = _token("14.7.1", bootstrap_escrowed=True)
    argv = words("profiles remove -type bootstraptoken -user admin -password admin-pw")
    return Case(made, argv, after=_not_escrowed)


@case("bt-status-vs-eacs")
def _() -> Case:
    made = _enrolled("15.6", bootstrap_supported=False, bootstrap_escrowed=True)
    made.crypto_users[BOOTSTRAP] = CryptoUser(BOOTSTRAP, "MDMRecovery")

    def contradicted(after: Mac, run: Run) -> bool:
        other = fakes.run(after, "mdmclient", "QueryDeviceInformation")
        return "supported on server: NO" in run.out and "EACSPreflight = success;" in other.out

    return Case(made, words("profiles status -type bootstraptoken"), after=contradicted)


SHOW = words("profiles show -type enrollment")


@case("enr-show-not-dep")
def _() -> Case:
    return Case(people(mac("12.7.6")), SHOW)


@case("enr-show-34006")
def _() -> Case:
    made = _enrolled("13.6.9")
    made.faults.append(Fault("mdm_unreachable"))
    return Case(made, SHOW, names={" ...": ""}, part="the source leaves the sentence out")


@case("enr-show-config")
def _() -> Case:
    return Case(
        _enrolled("13.6.9", server="https://mdm.example.com/cloudenroll"), SHOW, part="the source leaves keys out"
    )


# --- hardware and version -------------------------------------------------------------------------

_INTEL: Callable[[str, str], Case] = lambda version, line: Case(mac(version, "t2"), words(line))  # noqa: E731
CASES["hw-sysctl-arm64-intel"] = lambda: _INTEL("12.7.6", "sysctl hw.optional.arm64")
CASES["hw-sysctl-in-arm64"] = lambda: Case(mac("14.7.1"), words("sysctl -in hw.optional.arm64"))
CASES["hw-brand-intel"] = lambda: _INTEL("12.7.6", "sysctl -n machdep.cpu.brand_string")
CASES["hw-brand-as-11.0"] = lambda: Case(mac("11.0"), words("sysctl -n machdep.cpu.brand_string"))
CASES["hw-brand-as"] = lambda: Case(mac("11.1"), words("sysctl -n machdep.cpu.brand_string"))
CASES["hw-arch"] = lambda: Case(mac("11.1"), words("arch"))
CASES["sw-vers-14"] = lambda: Case(mac("14.8.7", build="23J520"), words("sw_vers"))
CASES["swvers-compat-11"] = lambda: Case(
    mac("11.7.10"), words("sw_vers -productVersion"), env={"SYSTEM_VERSION_COMPAT": "1"}
)
CASES["ansible-darwin-facts"] = lambda: Case(
    mac("26.1"), words("sw_vers -productVersion"), after=lambda after, run: run.out == "26.1\n"
)


@case("bt-eacs-success")
def _() -> Case:
    made = people(mac("15.6"))
    made.mdm = MDM(enrolled="ade", bootstrap_supported=True, bootstrap_escrowed=True)
    made.crypto_users[BOOTSTRAP] = CryptoUser(BOOTSTRAP, "MDMBootstrapTokenExternal", True)
    return Case(made, words("mdmclient QueryDeviceInformation"), cut="grep EACSPreflight")


def _deferred() -> Mac:
    made = _vault("10.15.6", "intel")
    vault.defer(made, "admin", Deferral())
    vault.fire(made, made.accounts["admin"], now=0.0)
    return made


@case("fde-enable-defer-outputfile")
def _() -> Case:
    made = _deferred()
    names = {
        "2019-11-04 18:06:29 +0100": time.strftime("%Y-%m-%d %H:%M:%S %z", time.localtime(0.0)),
        "frederick.abeloos": "admin",
        "F6329A14-XXXX-XXXX-XXXX-E831DB218AB5": vault.hardware_uuid(made),
        "3QKM-XXXX-XXXX-XXXX-XXXX-XXXX": str(made.filevault.prk),
        "<string>XXXX</string>": f"<string>{vault.serial_number(made)}</string>",
    }
    return Case(made, ["cat", made.filevault.deferral.path], names=names)


@case("fde-enable-outputfile-stale")
def _() -> Case:
    made = _deferred()
    first, second = made.filevault.prk, vault.make_key(made)
    stale: Callable[[Mac, Run], bool] = lambda after, run: str(first) in run.out and second not in run.out  # noqa: E731
    return Case(made, ["cat", made.filevault.deferral.path], after=stale)


# --- installing -----------------------------------------------------------------------------------


PACKAGE = str(FIXTURE.with_name("one.pkg"))
CASES["installer-done"] = lambda: Case(people(mac()), ["installer", "-pkg", PACKAGE, "-target", "/"])
CASES["installer-not-root"] = lambda: Case(people(mac()), ["installer", "-pkg", PACKAGE, "-target", "/"], root=False)
