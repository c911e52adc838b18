# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Repeat what sysadminctl, dscl and the programs of groups printed, where a Mac and a command do not suffice."""

from __future__ import annotations

from collections.abc import Callable

from cases_kit import (
    CASES,
    LKDC,
    ONE_HASH,
    PATTERN,
    Builder,
    case,
    holds,
    words,
)
from conformance import Case
from fakes import Run, mac, people, person

from maclab import records
from maclab.state import DirectoryUser, Fault, Group, Mac, NetworkDirectory

# --- sysadminctl: grants --------------------------------------------------------------------------


def _grant(verb: str, *, user: str = "user", password: str = "user-pw", granter: str = "admin") -> list[str]:
    given = {"admin": "admin-pw", "user": "user-pw"}[granter]
    return ["sysadminctl", verb, user, "-password", password, "-adminUser", granter, "-adminPassword", given]


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
    realm = records.lkdc(made)
    # The source shortens both ends.
    names = {
        ";ShadowHash;": "AuthenticationAuthority: ;ShadowHash;",
        ";Kerberosv5;...": f";Kerberosv5;;esaruoho@{realm};{realm};",
    }
    return Case(made, argv, names=names)


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
