# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judge a Mac by its reading: its macOS, Python, Full Disk Access, clock, and the accounts that variables name. Pure.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.keyholder.macos.plugins.module_utils._account import PHANTOM, UNKNOWN
from ansible_collections.keyholder.macos.plugins.module_utils._macos import NEWEST, PROTECTED_FOLDER, SECURE_TOKENS
from ansible_collections.keyholder.macos.plugins.module_utils._reason import REASONS
from ansible_collections.keyholder.macos.plugins.plugin_utils._preflight import (
    Verdict,
    not_asked,
    ok,
    stop,
    unknown,
    warn,
)

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._account import Account
    from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac

CLOCK_SECONDS = 300
"""How far a Mac's clock may be from the controller's. Kerberos takes no more by default (RFC 4120: five minutes)."""

Purpose = t.Literal["granter", "holder", "account"]
"""What an account is named for. granter: to authorise, as an administrator who holds a token; holder: with its token;
account: it is managed itself."""


@dataclass(frozen=True)
class Wanted:
    """Hold an account that variables name. ``variables``: which. ``password``: the variable of its password, or what
    gives it, "" for none. ``spared``: whether it may be a standard account, or may be missing."""

    name: str
    purpose: Purpose
    variables: tuple[str, ...]
    password: str = ""
    spared: bool = False

    @property
    def called(self) -> str:
        return f"{self.name} ({', '.join(self.variables)})"


def macos_verdict(mac: Mac | None, uname: str, problem: str, reason: str) -> Verdict:
    """Return whether this is a Mac whose macOS is known. ``uname``: what the system calls itself, "" if it did not
    say. ``problem``: why there is no reading."""
    if uname and uname != "Darwin":
        remedy = "Take it out of the group macs, or leave it out with -l."
        return stop("macos", f"this is no Mac: it runs {uname}", remedy)
    if mac is None:
        remedy = REASONS[reason].remedy if reason in REASONS else ""
        if reason == "not_a_mac":
            return stop("macos", "it did not answer as a Mac does", remedy)
        return unknown("macos", problem or "it was not read", remedy)
    if mac.version < SECURE_TOKENS.first:
        words = f"macOS {mac.version} has no Secure Tokens"
        return stop("macos", words, f"Upgrade the Mac to macOS {SECURE_TOKENS.first} or newer.")
    if mac.version.major > NEWEST:
        words = f"macOS {mac.version.major} is newer than macOS {NEWEST}, the last one that this version knows"
        return warn("macos", words, "Upgrade this collection, or try one Mac first: -l NAME --check --diff.")
    return ok("macos", str(mac.version))


def python_verdict(named: str, found: str, stub: str, needed: bool) -> Verdict:
    """Return whether other modules find a Python. ``named``: ansible_python_interpreter, "" if Ansible looks for one
    itself. ``found``: the first that Ansible can use. ``stub``: Apple's stub, if that is what Ansible would find.
    ``needed``: whether keyholder_runner asks for one. Nothing here has started the stub."""
    role = "Run the role keyholder.macos.python first"
    if found and found == named:
        return ok("python", found)
    if named:
        is_stub = named.startswith("/usr/bin/python") and stub
        why = "Apple's stub, which opens a dialog" if is_stub else "no Python 3.9 or newer"
        other = f"set it to {found}" if found else "take it out"
        words = f"ansible_python_interpreter is {named}, and that is {why}"
        return (stop if needed else warn)("python", words, f"{role}, or {other}.")
    if found and not stub:
        return ok("python", found)
    if found:
        words = "there is a Python, but Ansible's own search finds Apple's stub first, which opens a dialog"
        return warn("python", words, f"Set ansible_python_interpreter to {found}.")
    if needed:
        words = "there is no Python, and keyholder_runner is python"
        return stop("python", words, f"{role}, or unset keyholder_runner.")
    if stub:
        words = "there is only Apple's stub, which opens a dialog if a module of others starts it"
        return warn("python", words, f"{role} if a play uses such modules. This collection's need none.")
    words = "there is no Python"
    return warn("python", words, f"{role} if a play uses modules of others. This collection's need none.")


def access_verdict(mac: Mac) -> Verdict:
    """Return whether the session has Full Disk Access: see ``system.FULL_DISK_ACCESS``. That a session which may list
    that folder may do all that needs the permission is assumed."""
    if mac.version < PROTECTED_FOLDER.first:
        return not_asked("full_disk_access", f"macOS {mac.version} has no such permission")
    if mac.full_disk_access is None:
        words = "macOS did not say whether the SSH session has Full Disk Access"
        return unknown("full_disk_access", words, REASONS["no_full_disk_access"].remedy)
    if mac.full_disk_access:
        return ok("full_disk_access")
    words = "the SSH session has no Full Disk Access, so macOS deletes no account, and an archive of a home fails"
    return warn("full_disk_access", words, REASONS["no_full_disk_access"].remedy)


def clock_verdict(before: float, after: float, said: str) -> Verdict:
    """Return whether the Mac's clock goes as the controller's. ``said``: its seconds since 1970, asked for between
    ``before`` and ``after``."""
    if not re.fullmatch(r"[0-9]{1,12}", said.strip()):
        return unknown("clock", "it did not say what time it is")
    there = int(said)
    away = before - there - 1 if there + 1 < before else there - after if there > after else 0
    if away <= CLOCK_SECONDS:
        return ok("clock", f"{round(away)} s away" if away > 1 else "")
    way = "behind" if there < before else "ahead of"
    words = f"the Mac's clock is more than {CLOCK_SECONDS // 60} minutes {way} the controller's"
    return warn("clock", words, "Run on it: sudo sntp -sS time.apple.com. Look at the controller's clock as well.")


def person_verdict(mac: Mac, wanted: Wanted, matches: bool | None) -> Verdict:
    """Return whether an account is what the variables take it for. ``matches``: whether its password is the right one,
    by the account's hash; None: not known."""
    account = mac.account(wanted.name)
    if account is None:
        if wanted.purpose == "account" and wanted.spared:
            return ok("granter", f"{wanted.called}: to be made")
        words = f"{wanted.called} has no account on the Mac"
        return stop("granter", words, _another(mac, wanted) or f"Correct {wanted.variables[0]}.")
    problem = _unfit(mac, account, wanted)
    if problem is not None:
        return problem
    if not wanted.password:
        if wanted.purpose == "account":
            return ok("granter", f"{wanted.called}: its password is not given")
        word = wanted.variables[0].removesuffix("user") + "password"
        return stop("granter", f"{wanted.called} is named without a password", f"Set {word}.")
    if matches is None and not mac.as_root:
        return not_asked("granter", f"{wanted.called}: only root may compare its password")
    if matches is None or (matches is False and mac.decided_elsewhere(account)):
        return unknown("granter", f"whether {wanted.password} is the password of {wanted.name} is not known")
    if not matches:
        words = f"{wanted.password} is not the password of {wanted.name}"
        return stop("granter", words, f"Correct {wanted.password}, or have it read from the store of the password.")
    return ok("granter", wanted.called)


def _unfit(mac: Mac, account: Account, wanted: Wanted) -> Verdict | None:
    """Return why an account cannot be what it is named for, None if it can."""
    if not account.able or mac.locked(account) is True:
        words = f"{wanted.called} is disabled or locked, or has no password"
        return stop("granter", words, REASONS["granter_disabled"].remedy)
    if wanted.purpose == "account":
        return None
    if not mac.groups_read or account.verdict == UNKNOWN:
        return unknown("granter", f"whether {wanted.called} may grant could not be read")
    if wanted.purpose == "granter" and not wanted.spared and (not account.admin or account.name in mac.promoted):
        return stop("granter", f"{wanted.called} is no administrator", _another(mac, wanted) or "Make it one.")
    if account.verdict == PHANTOM:
        words = f"about the Secure Token of {wanted.called} the sources disagree"
        remedy = f"Repair it: ansible-playbook keyholder.macos.repair -e repair_user={account.name}."
        return stop("granter", words, remedy)
    if not account.holder:
        remedy = _another(mac, wanted) or REASONS["granter_no_token"].remedy
        return stop("granter", f"{wanted.called} holds no Secure Token", remedy)
    return None


def _another(mac: Mac, wanted: Wanted) -> str:
    """Return which other account would do."""
    fit = mac.granters if wanted.purpose == "granter" else mac.holders if wanted.purpose == "holder" else ()
    names = [who.name for who in fit if who.name != wanted.name]
    return f"Set {wanted.variables[0]} to one of: {', '.join(names)}." if names else ""
