# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be tar where it puts a home folder of this Mac aside or reads what it has put aside, which this host must not see."""

from __future__ import annotations

import posixpath
import time

from maclab.call import Call
from maclab.programs import _files
from maclab.state import ModelFile
from maclab.texts import say

FAILED = 1
HOME_OF_ROOT = "/var/root/"
WITH_VALUE = ("-f", "-C")


async def main(call: Call) -> int:
    values, flags, operands = _parse(call.argv)
    path, homes = values.get("-f", ""), {account.home for account in call.mac.accounts.values()}
    home = posixpath.join(values.get("-C", ""), operands[0]) if operands else ""
    if "-c" in flags and home in homes:
        return await _create(call, path, home)
    if "-t" in flags and (path in call.mac.files or path.startswith(HOME_OF_ROOT)):
        return _list(call, path)
    return _files.become_host_program(call)


def _parse(argv: list[str]) -> tuple[dict[str, str], set[str], list[str]]:
    values: dict[str, str] = {}
    flags: set[str] = set()
    operands: list[str] = []
    words = iter(argv)
    for word in words:
        if word in WITH_VALUE:
            values[word] = next(words, "")
        elif word.startswith("-"):
            flags.add(word)
        else:
            operands.append(word)
    return values, flags, operands


async def _create(call: Call, path: str, home: str) -> int:
    account = next(account for account in call.mac.accounts.values() if account.home == home)
    if not call.is_root or not account.home_exists or call.fault("no_full_disk_access") is not None:
        key = "denied" if account.home_exists else "missing"
        call.err(say(f"tar.{key}", call.mac.version_tuple, path=posixpath.basename(home)))
        return FAILED
    call.mac.files[path] = ModelFile(f"archive of {home}", time.time())
    call.wrote(f"archive {path} written")
    await call.commit()
    return 0


def _list(call: Call, path: str) -> int:
    found = call.mac.files.get(path)
    if found is None or not found.content.startswith("archive of "):
        call.err(say("tar.unreadable", call.mac.version_tuple, path=path))
        return FAILED
    call.out(posixpath.basename(found.content) + "/\n")
    return 0
