# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be macOS's stat with -f, for files and homes that only the Mac has and for this host's; GNU's has other options."""

from __future__ import annotations

import os
import re
from pathlib import Path

from maclab import vault
from maclab.call import Call
from maclab.texts import say

FAILED = 1
FIELD = re.compile(r"%F?[SL]?\w")
PARTS = re.compile(rf"{FIELD.pattern}|[^%]+|%")
FORMATS = ("%m", "%Fm", "%z", "%Su", "%Sg", "%Lp", "%N")


async def main(call: Call) -> int:
    words = [word for word in call.argv if word not in ("-q", "-n", "-L")]
    if len(words) < 3 or words[0] != "-f" or set(FIELD.findall(words[1])) - set(FORMATS):
        call.err(say("stat.usage", call.mac.version_tuple))
        call.err(f"maclab: stat: this lab knows -f with {', '.join(FORMATS)} only\n")
        return FAILED
    status = 0
    for path in words[2:]:
        facts = _facts(call, path)
        if facts is None:
            call.err("" if "-q" in call.argv else say("stat.missing", call.mac.version_tuple, path=path))
            status = FAILED
            continue
        call.out("".join(facts.get(part, part) for part in PARTS.findall(words[1])))
        call.out("" if "-n" in call.argv else "\n")
    return status


def _facts(call: Call, path: str) -> dict[str, str] | None:
    found = call.mac.files.get(vault.normal(path))
    if found is not None:
        return _as_text(path, found.changed_at, len(found.content.encode()), 0o600, ("root", "wheel"))
    homes = {account.home: account for account in call.mac.accounts.values() if account.home_exists}
    if path in homes:
        account = homes[path]
        return _as_text(path, account.created_at, 0, 0o700, (account.name, "staff"))
    try:
        real = os.stat(Path(call.cwd, path))
    except OSError:
        return None
    return _as_text(path, real.st_mtime, real.st_size, real.st_mode & 0o777, (call.user, "staff"))


def _as_text(path: str, changed_at: float, size: int, mode: int, owner: tuple[str, str]) -> dict[str, str]:
    return {
        "%m": str(int(changed_at)),
        "%Fm": f"{changed_at:.9f}",
        "%z": str(size),
        "%Su": owner[0],
        "%Sg": owner[1],
        "%Lp": f"{mode:o}",
        "%N": path,
    }
