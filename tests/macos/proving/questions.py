# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold what nobody has shown yet of macOS, as questions to a Mac that may be thrown away, and what each answer settles.

They stand in the order in which they are asked: an account is made, used, and deleted in the end. A password is asked
for by its name in braces.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from proving.asker import PIPE, PIPE_WITH_TERMINAL, TERMINAL

USER, OTHER, UNGRANTED, ADMIN = "khask", "khask2", "khask3", "khask4"
NOBODY = "khnobody"
ACCOUNTS = (USER, OTHER, UNGRANTED, ADMIN)

GRANTER_FIRST = ("granter_password", "user_password")


@dataclass(frozen=True)
class Question:
    """One command. ``spoils``: it may take the granter's token, or tells what identifies the Mac or its owner, so it is
    asked of a Mac that is gone afterwards."""

    id: str
    argv: tuple[str, ...]
    lines: tuple[str, ...] = ()
    text: str = ""
    mode: str = PIPE
    spoils: bool = False


@dataclass(frozen=True)
class Settles:
    """Which rule of the lab an answer decides: the first pattern that its status and words match gives the value.

    ``after``: the questions that must have succeeded before, or the answer tells nothing.
    """

    question: str
    rule: str
    values: tuple[tuple[str, Any], ...]
    after: tuple[str, ...] = ()

    def value(self, answer: Mapping[str, Any]) -> Any:
        """Return what the rule is by this answer, None where the answer does not tell."""
        said = f"status {answer.get('rc')}\n{answer.get('stdout') or ''}{answer.get('stderr') or ''}"
        return next((value for pattern, value in self.values if re.search(pattern, said)), None)


def questions(granter: str) -> tuple[Question, ...]:
    """Return them all, for a Mac with that granter."""
    as_granter = ("-adminUser", granter, "-adminPassword", "-")
    turn_on = ("sysadminctl", "-secureTokenOn", USER, "-password", "-", *as_granter)
    turn_off = ("sysadminctl", "-secureTokenOff", USER, "-password", "-", *as_granter)
    status = ("sysadminctl", "-secureTokenStatus", USER)
    return (
        *_facts(),
        Question("add", ("sysadminctl", "-addUser", USER, "-UID", "7301", "-password", "-"), ("user_password",)),
        Question("add-uid", ("dscl", ".", "-read", f"/Users/{USER}", "UniqueID")),
        Question("add-existing", ("sysadminctl", "-addUser", USER, "-password", "-"), ("user_password",)),
        Question("on-wrong-user-password", turn_on, ("granter_password", "wrong_password")),
        Question("on-wrong-admin-password", turn_on, ("wrong_password", "user_password")),
        Question("on-piped-with-terminal", turn_on, GRANTER_FIRST, mode=PIPE_WITH_TERMINAL),
        Question("on-piped-with-terminal-status", status),
        Question("on-typed", turn_on, GRANTER_FIRST, mode=TERMINAL),
        Question("off", turn_off, GRANTER_FIRST),
        Question("off-not-holder", turn_off, GRANTER_FIRST),
        Question("on-piped", turn_on, GRANTER_FIRST),
        Question("on-piped-status", status),
        Question("on-holder", turn_on, GRANTER_FIRST),
        Question("off-again", turn_off, GRANTER_FIRST),
        *_second_account(granter),
        *_directory(),
        *_filevault(granter),
        *_management(),
        Question("same-uid", ("dscl", ".", "-create", f"/Users/{OTHER}", "UniqueID", "7301")),
        Question("same-uid-read", ("dscl", ".", "-read", f"/Users/{OTHER}", "UniqueID")),
        Question("delete-keep-home", ("sysadminctl", "-deleteUser", OTHER, "-keepHome")),
        Question("delete", ("sysadminctl", "-deleteUser", USER)),
        Question("delete-record", ("dscl", ".", "-read", f"/Users/{USER}", "UniqueID")),
        Question("delete-again", ("sysadminctl", "-deleteUser", USER)),
        *_last_holder(granter),
    )


def _facts() -> tuple[Question, ...]:
    """What programs say of mistakes and of this Mac. Nothing is changed."""
    argvs = {
        # By these the names of people are known, and taken out of all the rest.
        "list-ids": ("dscl", ".", "-list", "/Users", "UniqueID"),
        "list-names": ("dscl", ".", "-list", "/Users", "RealName"),
        "sysctl-vmm": ("sysctl", "-n", "kern.hv_vmm_present"),
        "sysctl-usage": ("sysctl",),
        "sw-vers-usage": ("sw_vers", "-nosuch"),
        "apfs-list": ("diskutil", "apfs", "list", "-plist"),
        "no-disk": ("diskutil", "apfs", "listUsers", "/nosuch"),
        "dsmember-yes": ("dsmemberutil", "checkmembership", "-U", "root", "-G", "wheel"),
        "dsmember-no": ("dsmemberutil", "checkmembership", "-U", "nobody", "-G", "admin"),
        "dsmember-no-group": ("dsmemberutil", "checkmembership", "-U", "root", "-G", NOBODY),
        "dsmember-usage": ("dsmemberutil",),
        "dseditgroup-usage": ("dseditgroup",),
        "dscl-unknown-command": ("dscl", ".", "-nosuch"),
        "dscl-no-source": ("dscl", "/NoSuch", "-list", "/Users"),
        "createhomedir-no-user": ("createhomedir", "-c", "-u", NOBODY),
        "pwpolicy-no-user": ("pwpolicy", "-u", NOBODY, "-authentication-allowed"),
        "su-unknown": ("su", NOBODY, "-c", "true"),
        "fdesetup-unknown": ("fdesetup", "nosuch"),
        "fdesetup-version": ("fdesetup", "version"),
        "profiles-type-unknown": ("profiles", "status", "-type", "nosuch"),
        "launchctl-unknown": ("launchctl", "print", "system/no.such.job"),
        "shasum-missing": ("shasum", "-a", "256", "/nosuch"),
        "installer-no-package": ("installer", "-pkg", "/nosuch.pkg", "-target", "/"),
        "afp-status": ("sysadminctl", "-afpGuestAccess", "status"),
        "time-status": ("sysadminctl", "-automaticTime", "status"),
        "filesystem-status": ("sysadminctl", "-filesystem", "status"),
        "delete-unknown": ("sysadminctl", "-deleteUser", NOBODY),
        "status-unknown": ("sysadminctl", "-secureTokenStatus", NOBODY),
    }
    return tuple(Question(name, argv) for name, argv in argvs.items())


def _second_account(granter: str) -> tuple[Question, ...]:
    """Whom -addUser asks first, and what it makes with a wrong granter."""
    as_granter = ("-adminUser", granter, "-adminPassword", "-")
    return (
        Question("add-order", ("sysadminctl", "-addUser", OTHER, "-password", "-", *as_granter), GRANTER_FIRST[::-1]),
        Question("add-order-user", ("dscl", ".", "-authonly", OTHER), ("user_password",)),
        Question(
            "add-wrong-admin",
            ("sysadminctl", "-addUser", UNGRANTED, "-password", "-", *as_granter),
            ("user_password", "wrong_password"),
        ),
        Question("add-wrong-admin-record", ("dscl", ".", "-read", f"/Users/{UNGRANTED}", "UniqueID")),
        Question("add-wrong-admin-delete", ("sysadminctl", "-deleteUser", UNGRANTED)),
    )


def _directory() -> tuple[Question, ...]:
    return (
        Question("dscl-stdin", ("dscl", "."), text=f"read /Users/{USER} UniqueID\nquit\n"),
        Question("disable", ("pwpolicy", "-u", USER, "-disableuser")),
        Question("disabled-allowed", ("pwpolicy", "-u", USER, "-authentication-allowed")),
        Question("disabled-authority", ("dscl", ".", "-read", f"/Users/{USER}", "AuthenticationAuthority")),
        Question("disabled-groups", ("id", USER)),
        Question("enable", ("pwpolicy", "-u", USER, "-enableuser")),
        Question("createhomedir", ("createhomedir", "-c", "-u", USER)),
    )


def _filevault(granter: str) -> tuple[Question, ...]:
    """What fdesetup makes of a user while FileVault is off."""
    plist = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<plist version="1.0"><dict>'
        f"<key>Username</key><string>{granter}</string><key>Password</key><string>{{granter_password}}</string>"
        f"<key>AdditionalUsers</key><array><dict><key>Username</key><string>{USER}</string>"
        "<key>Password</key><string>{user_password}</string></dict></array></dict></plist>\n"
    )
    status = ("sysadminctl", "-secureTokenStatus", USER)
    return (
        Question("fde-add", ("fdesetup", "add", "-inputplist"), text=plist),
        Question("fde-add-list", ("fdesetup", "list")),
        Question("fde-add-status", status),
        Question("fde-remove", ("fdesetup", "remove", "-user", USER)),
        Question("fde-remove-list", ("fdesetup", "list")),
        Question("fde-remove-status", status),
    )


def _management() -> tuple[Question, ...]:
    """What is said of device management where there is none."""
    verbs = ("status", "validate", "install", "remove")
    return (
        *(Question(f"bootstrap-{verb}", ("profiles", verb, "-type", "bootstraptoken")) for verb in verbs),
        Question("enrollment-status", ("profiles", "status", "-type", "enrollment")),
        Question("profiles-show", ("profiles", "show", "-output", "stdout-xml"), spoils=True),
        Question("mdmclient", ("/usr/libexec/mdmclient", "QueryDeviceInformation"), spoils=True),
    )


def _last_holder(granter: str) -> tuple[Question, ...]:
    """Whether another administrator may take the last token; the Mac may have nobody left who could grant one."""
    by_other = ("sysadminctl", "-secureTokenOff", granter, "-password", "-", "-adminUser", ADMIN, "-adminPassword", "-")
    return (
        Question(
            "last-admin",
            ("sysadminctl", "-addUser", ADMIN, "-admin", "-password", "-"),
            ("user_password",),
            spoils=True,
        ),
        Question("last-off-by-other", by_other, GRANTER_FIRST[::-1], spoils=True),
        Question("last-off-status", ("sysadminctl", "-secureTokenStatus", granter), spoils=True),
        Question("last-admin-delete", ("sysadminctl", "-deleteUser", ADMIN), spoils=True),
    )


_HOLDS = ((r"Secure token is ENABLED", True), (r"Secure token is DISABLED", False))

_HELD_NO_MORE = tuple((words, not held) for words, held in _HOLDS)
_MADE = ((r"UniqueID: ", "made_without_token"), (r"eDSRecordNotFound", "refused"))

SETTLES = (
    Settles("sysctl-vmm", "sysctl_vmm", ((r"status 0\n", True), (r"unknown oid", False))),
    Settles("apfs-list", "apfs_list_filevault_key", ((r"<key>FileVault</key>", True), (r"status 0\n", False))),
    Settles("profiles-show", "profiles_show", ((r"status 0\n(?s:.*)<plist", True),)),
    Settles("add-uid", "adduser_uid", ((r"UniqueID: 7301\n", True), (r"UniqueID: ", False))),
    Settles("on-holder", "already_holder", ((r"Done!", "done"),)),
    Settles("add-wrong-admin-record", "adduser_wrong_admin", _MADE),
    Settles("fde-add-status", "add_grants_token", _HOLDS, after=("fde-add",)),
    Settles("fde-remove-status", "remove_takes_token", _HELD_NO_MORE, after=("fde-add", "fde-remove")),
    Settles("same-uid-read", "duplicate_unique_id", ((r"UniqueID: 7301\n", True), (r"UniqueID: ", False))),
)


def main() -> None:
    """Print, for ask.yml, what asker.py is to be told: GRANTER, and whether the Mac may be spoilt."""
    granter, spoils = sys.argv[1], sys.argv[2] == "true"
    asked = [asdict(one) for one in questions(granter) if spoils or not one.spoils]
    json.dump(asked, sys.stdout)


if __name__ == "__main__":
    main()
