# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Repeat what fdesetup was seen to print, where a Mac and a command do not suffice."""

from __future__ import annotations

import time
from collections.abc import Callable

import fakes
from cases_kit import (
    CASES,
    CREDENTIALS,
    OD,
    PRK,
    WRONG,
    case,
    holds,
    plist_of,
    vaulted,
    volume,
    with_plist,
    words,
)
from conformance import Case
from fakes import Run, mac, person

from maclab import models, plists, vault
from maclab.state import CryptoUser, Deferral, Fault, Mac
from maclab.vault import key_number, listed

# --- fdesetup -------------------------------------------------------------------------------------


def _fdesetup(record_id: str, verb: str, root: bool = True, **state: object) -> None:
    CASES[record_id] = lambda: Case(vaulted(**state), ["fdesetup", *verb.split()], root=root)  # type: ignore[arg-type]


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
    return Case(volume("11.7.10", "disk1s1", disk_user, hardware="intel"), words("fdesetup list -extended"))


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
    return with_plist(line, WRONG, vaulted(), after=lambda after, run: after.filevault.state == "off")


@case("fde-enable-tcc-dialog")
def _() -> Case:
    made = vaulted("15.6", logged_in=["admin"])
    made.faults.append(Fault("no_full_disk_access"))
    return Case(made, words("fdesetup enable -user admin"), typed=["admin-pw"], hangs=True)


@case("fde-enable-inputplist-additionalusers")
def _() -> Case:
    said = CREDENTIALS | {"AdditionalUsers": [{"Username": "user", "Password": "user-pw"}]}
    return with_plist("enable -inputplist", said, vaulted(), after=lambda after, run: len(listed(after)) == 2)


@case("fde-enable-keychain-needed")
def _() -> Case:
    said = {"Username": "admin", "Password": "admin-pw"}
    on: Callable[[Mac, Run], bool] = lambda after, run: after.filevault.state == "on" and run.status == 0  # noqa: E731
    return with_plist("enable -outputplist -inputplist -keychain", said, vaulted(master_keychain=True), after=on)


@case("fde-enable-blank-password")
def _() -> Case:
    made = vaulted()
    person(made, "blank", "", token=True)
    return with_plist("enable -inputplist", CREDENTIALS, made)


@case("fde-enable-managed-off")
def _() -> Case:
    made = vaulted()
    made.mdm.forbids_filevault = True
    return with_plist("enable -inputplist", CREDENTIALS, made)


@case("fde-enable-already-on")
def _() -> Case:
    either: Callable[[Mac, Run], bool] = lambda after, run: run.status in (24, 32)  # noqa: E731
    return with_plist("enable -inputplist", CREDENTIALS, vaulted(state="on"), after=either)


@case("fde-disable-69594")
def _() -> Case:
    made = vaulted("11.7.10", "intel", state="on")
    person(made, "kane", "pw")
    return Case(
        made, words("fdesetup disable"), typed=["kane", "pw"], after=lambda after, run: after.filevault.state == "on"
    )


@case("fde-disable-inputplist")
def _() -> Case:
    off: Callable[[Mac, Run], bool] = lambda after, run: after.filevault.state == "off" and run.status == 0  # noqa: E731
    return with_plist("disable -inputplist", CREDENTIALS, vaulted(state="on"), after=off)


@case("fde-disable-removes-deferral")
def _() -> Case:
    gone: Callable[[Mac, Run], bool] = lambda after, run: after.filevault.deferred_user is None  # noqa: E731
    return Case(vaulted(deferred_user="user"), words("fdesetup disable"), after=gone)


# --- fdesetup: users ------------------------------------------------------------------------------


@case("fde-add-prompts-apfs")
def _() -> Case:
    names = {"user name:\n": "user name:admin\n", "ADMIN": "admin", "NEW": "user"}
    typed = ["admin", "admin-pw", "user-pw"]
    return Case(vaulted(state="on"), words("fdesetup add -usertoadd user"), typed=typed, names=names)


@case("fde-add-inputplist-rc17")
def _() -> Case:
    key = "AAAA-BBBB-CCCC-DDDD-EEEE-FFFF"
    made = vaulted("10.13.0", "intel", state="on", prk=key)
    person(made, "foo", "foo-pw")
    said = {"Username": "admin", "Password": key, "AdditionalUsers": [{"Username": "foo", "Password": "foo-pw"}]}
    return with_plist("add -inputplist -verbose", said, made)


@case("fde-add-short-i")
def _() -> Case:
    said = CREDENTIALS | {"AdditionalUsers": [{"Username": "user", "Password": "user-pw"}]}
    return with_plist("add -i", said, vaulted(state="on"), after=lambda after, run: len(listed(after)) == 2)


@case("fde-add-needs-both")
def _() -> Case:
    made = vaulted("10.14.6", "t2", state="on", hidden_users=["removed"])
    person(made, "removed", "pw", token=True, guid="removed")
    typed = ["removed", "pw", "user-pw"]
    return Case(
        made, words("fdesetup add -usertoadd user"), typed=typed, after=lambda after, run: len(listed(after)) == 1
    )


@case("fde-add-user-not-found")
def _() -> Case:
    argv = words("fdesetup add -usertoadd nosuch")
    return Case(vaulted(state="on"), argv, typed=["admin", "admin-pw", "pw"])


def _with_second(version: str, hardware: str) -> Mac:
    made = vaulted(version, hardware, state="on")
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
    made = vaulted("10.15.7", "intel", state="on")
    guid = made.accounts["admin"].generated_uid
    return Case(made, ["fdesetup", "remove", "-uuid", guid], after=lambda after, run: listed(after) == [guid])


@case("fde-remove-orphan-uuid")
def _() -> Case:
    made = volume("10.15.7", "disk1s5", ("ORPHAN", OD, False), hardware="intel")
    return Case(made, words("fdesetup remove -uuid ORPHAN"), after=lambda after, run: not after.crypto_users)


# --- fdesetup: recovery keys ----------------------------------------------------------------------

OLD_KEY = "AAAA-BBBB-CCCC-DDDD-EEEE-FFFF"


def _with_key(version: str, hardware: str = "t2", **more: object) -> Mac:
    return vaulted(version, hardware, state="on", prk=OLD_KEY, **more)


@case("fde-changerecovery-136")
def _() -> Case:
    made = _with_key("10.13.0", "intel")
    names = {"Unable to change key\n": "Unable to change key.\n"}
    return with_plist("changerecovery -personal -inputplist -verbose", {"Password": OLD_KEY}, made, names=names)


@case("fde-changerecovery-136b", "fde-changerecovery-deletes-prk")
def _() -> Case:
    typed = ["admin", "admin-pw"]
    argv = words("fdesetup changerecovery -personal")
    gone: Callable[[Mac, Run], bool] = lambda after, run: after.filevault.prk is None  # noqa: E731
    return Case(_with_key("10.13.0", "intel", logged_in=["user"]), argv, typed=typed, cut="tail -1", after=gone)


@case("fde-changerecovery-auth-fail")
def _() -> Case:
    return with_plist("changerecovery -personal -inputplist", WRONG, _with_key("13.6.9"), after=_keeps(OLD_KEY))


@case("fde-changerecovery-verbose-fail")
def _() -> Case:
    argv = words("fdesetup changerecovery -personal -norecoverykey -verbose")
    names = {": `user`": ":user", "authent...": "authenticated."}
    return Case(_with_key("13.6.9"), argv, typed=["user", "wrong"], names=names, after=_keeps(OLD_KEY))


@case("fde-changerecovery-99")
def _() -> Case:
    line = "changerecovery -norecoverykey -verbose -personal -inputplist"
    return with_plist(line, CREDENTIALS, _with_key("10.15.0"), after=_keeps(OLD_KEY))


@case("fde-changerecovery-outputplist")
def _() -> Case:
    made = _with_key("15.6", "apple-silicon")

    def new_key(after: Mac, run: Run) -> bool:
        said = plists.loads(run.out)
        return bool(said["RecoveryKey"] == after.filevault.prk != OLD_KEY and said["Change"])

    names = {"<plist with RecoveryKey>": "<key>RecoveryKey</key>"}
    line = "changerecovery -personal -outputplist -inputplist"
    return with_plist(line, CREDENTIALS, made, names=names, part="the source names one key", after=new_key)


@case("fde-removerecovery-fail")
def _() -> Case:
    line = "removerecovery -personal -inputplist"
    return with_plist(line, {"Password": "wrong"}, _with_key("10.15.7"), after=_keeps(OLD_KEY))


@case("fde-usingrecoverykey-apfs")
def _() -> Case:
    failed: Callable[[Mac, Run], bool] = lambda after, run: run.status != 0  # noqa: E731
    return Case(_with_key("10.14.1"), words("fdesetup usingrecoverykey"), after=failed)


@case("fde-usingrecoverykey-10.15")
def _() -> Case:
    made = _with_key("10.15.7", unlocked_by_key=True)
    run_change = words("fdesetup changerecovery -personal -inputplist")
    fakes.run(made, *run_change, stdin=plist_of(CREDENTIALS))
    return Case(made, words("fdesetup usingrecoverykey"))


@case("fde-validate-prompt-true")
def _() -> Case:
    names = {"recovery key:\n": "recovery key:"}
    return Case(_with_key("10.15.7"), words("fdesetup validaterecovery"), typed=[OLD_KEY], names=names)


@case("fde-validate-false-nonzero")
def _() -> Case:
    failed: Callable[[Mac, Run], bool] = lambda after, run: run.status != 0  # noqa: E731
    return with_plist("validaterecovery -inputplist", {"Password": "X" * 29}, _with_key("15.6"), after=failed)


@case("fde-showdeferral")
def _() -> Case:
    # The deferral of a profile; whose profile it was is not kept.
    names = {'    ProfileUUID = "418DEB1B-XXXX-XXXX-XXXX-60BC894B1558";\n': ""}
    return Case(vaulted("10.15.6", "intel", deferred_user=""), words("fdesetup showdeferralinfo"), names=names)


@case("fde-showdeferral-none")
def _() -> Case:
    return Case(vaulted("10.15.6", "intel"), words("fdesetup showdeferralinfo"))


# --- fdesetup: restarting -------------------------------------------------------------------------


@case("fde-authrestart-54")
def _() -> Case:
    made = _with_key("10.13.6", "intel")
    made.faults.append(Fault("authrestart_fails"))
    stays: Callable[[Mac, Run], bool] = lambda after, run: run.restart is None  # noqa: E731
    return with_plist("authrestart -delayminutes 0 -inputplist", {"Password": OLD_KEY}, made, after=stays)


@case("fde-authrestart-ok-stderr")
def _() -> Case:
    goes: Callable[[Mac, Run], bool] = lambda after, run: run.restart is not None and run.restart.unlocked  # noqa: E731
    line = "authrestart -delayminutes 0 -inputplist"
    return with_plist(line, CREDENTIALS, _with_key("10.15.7"), names={"...": ""}, after=goes)


@case("fde-authrestart-delay-minus1")
def _() -> Case:
    armed: Callable[[Mac, Run], bool] = lambda after, run: run.restart is None and after.restart_armed  # noqa: E731
    line = "authrestart -delayminutes -1 -verbose -inputplist"
    return with_plist(line, CREDENTIALS, _with_key("12.7.6"), after=armed)


@case("fde-authrestart-interactive")
def _() -> Case:
    goes: Callable[[Mac, Run], bool] = lambda after, run: run.restart is not None  # noqa: E731
    return Case(_with_key("10.15.7"), words("fdesetup authrestart"), typed=["admin", "admin-pw"], after=goes)


def _deferred() -> Mac:
    made = vaulted("10.15.6", "intel")
    vault.defer(made, "admin", Deferral())
    vault.fire(made, made.accounts["admin"], now=0.0)
    return made


@case("fde-enable-defer-outputfile")
def _() -> Case:
    made = _deferred()
    names = {
        "2019-11-04 18:06:29 +0100": time.strftime("%Y-%m-%d %H:%M:%S %z", time.localtime(0.0)),
        "frederick.abeloos": "admin",
        "F6329A14-XXXX-XXXX-XXXX-E831DB218AB5": models.platform_uuid(made.name),
        "3QKM-XXXX-XXXX-XXXX-XXXX-XXXX": str(made.filevault.prk),
        "<string>XXXX</string>": f"<string>{models.serial_number(made.name)}</string>",
    }
    return Case(made, ["cat", made.filevault.deferral.path], names=names)


@case("fde-enable-outputfile-stale")
def _() -> Case:
    made = _deferred()
    first, second = made.filevault.prk, vault.make_key(made)
    stale: Callable[[Mac, Run], bool] = lambda after, run: str(first) in run.out and second not in run.out  # noqa: E731
    return Case(made, ["cat", made.filevault.deferral.path], after=stale)
