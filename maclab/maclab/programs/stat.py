# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be macOS's stat with -f, for what only the Mac has and for this host's files; GNU's has other options."""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass

from maclab import directory, vault
from maclab.call import Call
from maclab.options import getopt
from maclab.state import Account
from maclab.texts import say

FAILED = 1
# stat(1) of FreeBSD: how a number is written or F or S for another form, which part of it, and what it is.
FIELD = re.compile(r"%([nt%])|%([DOUXFS]?)([HML]?)([a-zA-Z])|([^%]+)|(%)")
TIMES = "amcB"
WHEN = "%b %e %H:%M:%S %Y"

FILE, FOLDER, LINK, DEVICE = "Regular File", "Directory", "Symbolic Link", "Character Device"
"""What %HT says (stat(1) of FreeBSD)."""

DATA = "/system/volumes/data"

FOLDERS = {
    "/": 0o755,
    "/applications": 0o775,
    "/library": 0o755,
    "/library/application support": 0o755,
    "/library/caches": 0o777,
    "/library/preferences": 0o755,
    "/private": 0o755,
    "/private/etc": 0o755,
    "/private/tmp": 0o777,
    "/private/var": 0o755,
    "/private/var/db": 0o755,
    "/private/var/log": 0o755,
    "/private/var/root": 0o750,
    "/private/var/tmp": 0o777,
    "/system": 0o755,
    "/system/volumes": 0o755,
    "/system/volumes/data": 0o755,
    "/users": 0o755,
    "/users/shared": 0o777,
    "/volumes": 0o755,
}
"""Folders of macOS, all of them root's, in small letters as macOS ignores case. The modes are assumed: those that
public listings of such folders show, without the sticky bit that %Lp leaves out."""

CONSOLE = "/dev/console"
TYPES = {
    FILE: ("-", 0o100000, ""),
    FOLDER: ("d", 0o040000, "/"),
    LINK: ("l", 0o120000, "@"),
    DEVICE: ("c", 0o020000, ""),
}
"""The first letter of a mode in words, its first bits, and the mark behind a name."""

LINKS = ("/etc", "/tmp", "/var")
"""Links of macOS into /private (hier(7))."""


@dataclass(frozen=True)
class Facts:
    """What is at a path."""

    kind: str
    mode: int
    owner: tuple[int, str]
    changed_at: float = 0.0
    size: int = 0

    @property
    def group(self) -> tuple[int, str]:
        return (0, "wheel") if self.owner[0] == 0 else (20, "staff")


ROOT = (0, "root")


class _Unknown(Exception):
    """A form that the lab does not model."""


async def main(call: Call) -> int:
    options = getopt(call.argv, "FLf:lnqrst:x")
    form, letters = options.last("f"), options.letters
    if options.complaint or form is None or letters - set("fnqLFt"):
        return call.refuse("-f with what can be told of owner, group, mode, size, times, kind and name")
    status = 0
    for path in options.rest:
        facts = facts_of(call, path, follow="L" in letters)
        if facts is None:
            call.err("" if "q" in letters else say("stat.missing", call.mac.version_tuple, path=path))
            status = FAILED
            continue
        try:
            call.out(_written(form, path, facts, options.last("t") or WHEN))
        except _Unknown:
            return call.refuse("-f with what can be told of owner, group, mode, size, times, kind and name")
        call.out("" if "n" in letters else "\n")
    return status


def _written(form: str, path: str, facts: Facts, when: str) -> str:
    parts: list[str] = []
    for escape, shape, part, datum, text, rest in FIELD.findall(form):
        if datum:
            parts.append(_field(shape, part, datum, path, facts, when))
        elif escape:
            parts.append({"n": "\n", "t": "\t", "%": "%"}[escape])
        elif rest:
            raise _Unknown
        else:
            parts.append(text)
    return "".join(parts)


def _field(shape: str, part: str, datum: str, path: str, facts: Facts, when: str) -> str:
    if datum in TIMES and not part:
        if shape == "S":
            return time.strftime(when, time.localtime(facts.changed_at))
        return f"{facts.changed_at:.9f}" if shape == "F" else str(int(facts.changed_at))
    known: dict[tuple[str, str, str], Callable[[], str]] = {
        ("", "", "z"): lambda: str(facts.size),
        ("", "", "u"): lambda: str(facts.owner[0]),
        ("S", "", "u"): lambda: facts.owner[1],
        ("", "", "g"): lambda: str(facts.group[0]),
        ("S", "", "g"): lambda: facts.group[1],
        ("", "L", "p"): lambda: f"{facts.mode & 0o777:o}",
        ("", "", "p"): lambda: f"{TYPES[facts.kind][1] | facts.mode:o}",
        ("S", "", "p"): lambda: mode_in_words(facts),
        ("", "H", "T"): lambda: facts.kind,
        ("", "", "T"): lambda: TYPES[facts.kind][2],
        ("", "", "N"): lambda: path,
    }
    shape = "" if (shape, datum) in (("O", "p"), ("D", "u"), ("D", "g"), ("D", "z")) else shape
    # Full names are written without their form: stat takes S for them.
    shape = "" if shape == "S" and datum in "NT" else shape
    if (shape, part, datum) not in known:
        raise _Unknown
    return known[(shape, part, datum)]()


def mode_in_words(facts: Facts) -> str:
    return TYPES[facts.kind][0] + stat.filemode(facts.mode)[1:]


def facts_of(call: Call, path: str, follow: bool = False) -> Facts | None:
    """Return what is at a path of the Mac, None if nothing is."""
    if path == CONSOLE:
        return _console(call)
    found = call.mac.files.get(vault.normal(path))
    if found is not None:
        owner = (found.owner, _name(call, found.owner))
        return Facts(found.kind, found.mode, owner, found.changed_at, len(found.content.encode()))
    account = _at_home(call, path, exactly=True)
    home = Facts(FOLDER, 0o700, (account.uid, account.name), account.created_at) if account else None
    return _of_macos(path) or home or _of_this_host(call, path, follow)


def _console(call: Call) -> Facts:
    """The screen belongs to whom has logged in at it."""
    name = directory.console_user(call.mac)
    account = directory.find(call.mac, name)
    uid = account.uid if account is not None else 0
    return Facts(DEVICE, 0o600 if uid == 0 else 0o620, (uid, name), call.mac.booted_at)


def _at_home(call: Call, path: str, exactly: bool = False) -> Account | None:
    """Return the account whose home a path is, or lies in."""
    whole = vault.normal(os.path.normpath(os.path.join(call.cwd, path)))
    for account in call.mac.accounts.values():
        home = vault.normal(account.home)
        inside = whole == home or (not exactly and whole.startswith(f"{home}/"))
        if inside and account.home_exists and (not account.service or account.uid == 0):
            return account
    return None


def _of_macos(path: str) -> Facts | None:
    folded = os.path.normpath(path).lower()
    if folded.startswith(f"{DATA}/"):
        folded = folded.removeprefix(DATA)
    if folded in LINKS:
        return Facts(LINK, 0o755, ROOT)
    folded = f"/private{folded}" if folded.startswith(tuple(f"{link}/" for link in LINKS)) else folded
    return Facts(FOLDER, FOLDERS[folded], ROOT) if folded in FOLDERS else None


def _of_this_host(call: Call, path: str, follow: bool) -> Facts | None:
    """A file on disk belongs to whose home it is in, in a folder of macOS to root, and else to whoever asks."""
    where = call.place(path)
    try:
        real = os.stat(where) if follow else os.lstat(where)
    except OSError:
        return None
    kind = FOLDER if stat.S_ISDIR(real.st_mode) else LINK if stat.S_ISLNK(real.st_mode) else FILE
    kind = DEVICE if stat.S_ISCHR(real.st_mode) else kind
    account = _at_home(call, path)
    whole = os.path.join(call.cwd, path).lower()
    owner = (0 if call.is_root else 501, call.user)
    if account is not None:
        owner = (account.uid, account.name)
    elif whole.startswith(tuple(f"{folder}/" for folder in FOLDERS if folder not in ("/", "/private/tmp", "/users"))):
        owner = ROOT
    return Facts(kind, real.st_mode & 0o777, owner, real.st_mtime, real.st_size)


def _name(call: Call, uid: int) -> str:
    names = {account.uid: account.name for account in call.mac.accounts.values()}
    return names.get(uid, "root" if uid == 0 else str(uid))
