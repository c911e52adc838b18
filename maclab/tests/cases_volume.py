# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Repeat what diskutil, profiles and others were seen to print, where a Mac and a command do not suffice."""

from __future__ import annotations

from collections.abc import Callable

import fakes
from cases_kit import (
    BOOTSTRAP,
    CASES,
    OD,
    PATTERN,
    PRK,
    case,
    volume,
    words,
)
from conformance import Case
from fakes import Run, mac, people, person
from transcripts import FIXTURE

from maclab import plists, records
from maclab.disks import volume_uuid
from maclab.state import MDM, CryptoUser, Fault, Mac
from maclab.texts import say

# --- diskutil -------------------------------------------------------------------------------------


@case("diskutil-list-users")
def _() -> Case:
    guid = "DA145BD0-81C7-41AA-9676-794E0A14B63D"
    made = volume(
        "15.6", "disk3s1s1", (guid, OD, True), (BOOTSTRAP, "MDMRecovery", True), (PRK, "PersonalRecovery", True)
    )
    return Case(made, words("diskutil apfs listUsers /"), root=False, cut="head -5", names={"<UUID>": guid})


@case("diskutil-list-users-1")
def _() -> Case:
    return Case(volume("13.6.9", "disk2s1", ("U", OD, True)), words("diskutil apfs listCryptoUsers /"), cut="head -1")


@case("du-listusers-10.15")
def _() -> Case:
    made = volume(
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
    made = volume(
        "26.1", "disk3s1s1", (guid, OD, True), (BOOTSTRAP, "MDMRecovery", True), (PRK, "PersonalRecovery", True)
    )

    def owner_is_second_line(after: Mac, run: Run) -> bool:
        lines = run.out.splitlines()
        return lines[lines.index(f"+-- {guid}") + 2].split()[-1] == "Yes"

    return Case(made, words("diskutil apfs listcryptoUsers /"), root=False, after=owner_is_second_line)


@case("du-listusers-icloud")
def _() -> Case:
    made = volume(
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
    made = volume(
        "10.15.7",
        "disk1s2",
        ("BBBBBBBB-BBBB-BBBB-BBBB-BBBBBBBBBBBB", OD, False),
        ("CCCCCCCC-CCCC-CCCC-CCCC-CCCCCCCCCCCC", "PersonalRecovery", False),
        hardware="intel",
    )
    return Case(made, words("diskutil apfs listkeys disk1s2"))


@case("du-listcryptousers-none")
def _() -> Case:
    return Case(volume("10.13.6", "disk1s1", hardware="intel"), words("diskutil apfs listCryptoUsers /"))


@case("du-listcryptousers-headers")
def _() -> Case:
    argv = words("diskutil apfs listCryptoUsers disk1s7")
    return Case(volume("13.6.9", "disk1s7"), argv, names={"<special>": "disk1s7"})


@case("du-listcryptousers-plist")
def _() -> Case:
    guid = "3C7DB8EE-5EA4-4C18-A7E4-25C6C0F94667"
    made = volume(
        "14.7.1", "disk3s5", (guid, OD, True), (PRK, "PersonalRecovery", True), (BOOTSTRAP, "MDMRecovery", False)
    )
    return Case(made, words("diskutil apfs listCryptoUsers -plist disk3s5"))


@case("du-listcryptousers-plist-empty")
def _() -> Case:
    return Case(volume("14.7.1", "disk3s5"), words("diskutil apfs listCryptoUsers -plist disk3s5"))


@case("du-listusers-plist-munki")
def _() -> Case:
    made = volume("26.1", "disk3s1s1", ("U", OD, True))
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
    said = say("profiles.functionality", (11, 7, 10))
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


# --- installing -----------------------------------------------------------------------------------


PACKAGE = str(FIXTURE.with_name("one.pkg"))
CASES["installer-done"] = lambda: Case(people(mac()), ["installer", "-pkg", PACKAGE, "-target", "/"])
CASES["installer-not-root"] = lambda: Case(people(mac()), ["installer", "-pkg", PACKAGE, "-target", "/"], root=False)
