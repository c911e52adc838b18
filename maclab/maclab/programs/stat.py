# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be macOS's stat with -f, for files, folders and homes that only the Mac has and for this host's; GNU's has other
options."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from maclab import vault
from maclab.call import Call
from maclab.texts import say

FAILED = 1
FIELD = re.compile(r"%F?[SLH]?\w")
PARTS = re.compile(rf"{FIELD.pattern}|[^%]+|%")
FORMATS = ("%m", "%Fm", "%z", "%u", "%Su", "%Sg", "%Lp", "%HT", "%N")

FILE, FOLDER, LINK = "Regular File", "Directory", "Symbolic Link"
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


ROOT = (0, "root")


async def main(call: Call) -> int:
    words = [word for word in call.argv if word not in ("-q", "-n", "-L")]
    if len(words) < 3 or words[0] != "-f" or set(FIELD.findall(words[1])) - set(FORMATS):
        return call.refuse(f"-f with {', '.join(FORMATS)}")
    status = 0
    for path in words[2:]:
        facts = _facts(call, path)
        if facts is None:
            call.err("" if "-q" in call.argv else say("stat.missing", call.mac.version_tuple, path=path))
            status = FAILED
            continue
        fields = _as_text(path, facts)
        call.out("".join(fields.get(part, part) for part in PARTS.findall(words[1])))
        call.out("" if "-n" in call.argv else "\n")
    return status


def _facts(call: Call, path: str) -> Facts | None:
    found = call.mac.files.get(vault.normal(path))
    if found is not None:
        owner = (found.owner, _name(call, found.owner))
        return Facts(found.kind, found.mode, owner, found.changed_at, len(found.content.encode()))
    homes = {vault.normal(account.home): account for account in call.mac.accounts.values() if account.home_exists}
    account = homes.get(vault.normal(path))
    home = Facts(FOLDER, 0o700, (account.uid, account.name), account.created_at) if account else None
    return _of_macos(path) or home or _of_this_host(call, path)


def _of_macos(path: str) -> Facts | None:
    folded = path.lower()
    if folded.startswith(f"{DATA}/"):
        folded = folded.removeprefix(DATA)
    if folded in LINKS:
        return Facts(LINK, 0o755, ROOT)
    folded = f"/private{folded}" if folded.startswith(tuple(f"{link}/" for link in LINKS)) else folded
    return Facts(FOLDER, FOLDERS[folded], ROOT) if folded in FOLDERS else None


def _of_this_host(call: Call, path: str) -> Facts | None:
    where = Path(call.cwd, path)
    try:
        real = os.stat(where) if "-L" in call.argv else os.lstat(where)
    except OSError:
        return None
    kind = FOLDER if stat.S_ISDIR(real.st_mode) else LINK if stat.S_ISLNK(real.st_mode) else FILE
    uid = 0 if call.is_root else 501
    return Facts(kind, real.st_mode & 0o777, (uid, call.user), real.st_mtime, real.st_size)


def _name(call: Call, uid: int) -> str:
    names = {account.uid: account.name for account in call.mac.accounts.values()}
    return names.get(uid, "root" if uid == 0 else str(uid))


def _as_text(path: str, facts: Facts) -> dict[str, str]:
    return {
        "%m": str(int(facts.changed_at)),
        "%Fm": f"{facts.changed_at:.9f}",
        "%z": str(facts.size),
        "%u": str(facts.owner[0]),
        "%Su": facts.owner[1],
        "%Sg": "wheel" if facts.owner[0] == 0 else "staff",
        "%Lp": f"{facts.mode:o}",
        "%HT": facts.kind,
        "%N": path,
    }
