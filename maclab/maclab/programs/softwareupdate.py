# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be softwareupdate: it lists and installs what the scenario says that Apple offers.

An update of macOS is accepted with "Restarting...", which is no restart yet: macOS prepares it, and restarts the Mac by
itself some minutes later. On Apple silicon an owner of the volume authorises it, after the download.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from maclab import rules, updates
from maclab.call import Call
from maclab.programs import _installing
from maclab.state import Update
from maclab.texts import say

USAGE = 64
MODES = {"-l": "list", "--list": "list", "-i": "install", "--install": "install", "-d": "load", "--download": "load"}
FLAGS = frozenset("-R --restart --no-scan --agree-to-license --force --verbose --stdinpass".split())
KNOWN = "--list, and --install or --download of labels with --restart, --user and --stdinpass"
PERCENTS = ("0.10", "60.00", "100.00")


@dataclass
class _Asked:
    mode: str = ""
    user: str = ""
    flags: set[str] = field(default_factory=set)
    labels: list[str] = field(default_factory=list)


async def main(call: Call) -> int:
    asked = _parsed(call.argv)
    if asked is None:
        return call.refuse(KNOWN)
    version = call.mac.version_tuple
    if not asked.mode:
        call.err(say("softwareupdate.usage", version))
        return USAGE
    if asked.mode == "list":
        return _list(call)
    if not call.is_root:
        call.err(say("softwareupdate.not_root", version))
        return 1
    found = [(label, updates.find(call.mac, label)) for label in asked.labels]
    call.out(say("softwareupdate.begin", version))
    for label, update in found:
        if update is None:
            call.err(say("softwareupdate.unknown", version, label=label))
    wanted = [update for _label, update in found if update is not None]
    if not wanted:
        call.err(say("softwareupdate.nothing", version))
        return 0
    for update in wanted:
        status = await _take(call, asked, update)
        if status:
            return status
    return 0


def _parsed(words: list[str]) -> _Asked | None:
    asked, rest = _Asked(), list(words)
    while rest:
        word = rest.pop(0)
        if word in MODES and not asked.mode:
            asked.mode = MODES[word]
        elif word == "--user" and rest:
            asked.user = rest.pop(0)
        elif word in FLAGS:
            asked.flags.add(word)
        elif word.startswith("-"):
            return None
        else:
            asked.labels.append(word)
    return asked if asked.labels or asked.mode in ("", "list") else None


def _list(call: Call) -> int:
    version = call.mac.version_tuple
    call.out(say("softwareupdate.begin", version))
    if not call.mac.updates:
        call.out(say("softwareupdate.none", version))
        return 0
    call.out(say("softwareupdate.found", version))
    for one in call.mac.updates:
        restart = say("softwareupdate.restart", version) if one.restart else ""
        words = {"label": one.label, "title": one.title, "version": one.version, "size": one.size, "restart": restart}
        call.out(say("softwareupdate.offer", version, **words))
    return 0


async def _take(call: Call, asked: _Asked, update: Update) -> int:
    version = call.mac.version_tuple
    failed = rules.UPDATE_FAILURE_STATUS.at(version)
    fault = call.fault("update_fails")
    call.out(say("softwareupdate.downloading", version, title=update.title))
    if fault is not None and fault.options["because"] == "space":
        call.err(say("softwareupdate.space", version, size="16.37"))
        return failed
    if not update.downloaded:
        for percent in PERCENTS[: 2 if fault is not None else None]:
            call.out(say("softwareupdate.percent", version, percent=percent))
        if fault is not None:
            call.err(say("softwareupdate.no_download", version, title=update.title))
            return failed
        update.downloaded = True
        call.wrote(f"{update.title} downloaded")
        await call.commit()
    call.out(say("softwareupdate.downloaded", version, title=update.title))
    if asked.mode == "load":
        return 0
    if not update.restart:
        call.mac.updates.remove(update)
        call.wrote(f"{update.title} installed")
        await call.commit()
        call.out(say("softwareupdate.installed", version, title=update.title))
        return 0
    return await _install(call, asked, update)


async def _install(call: Call, asked: _Asked, update: Update) -> int:
    version = call.mac.version_tuple
    if _installing.needed(call) and not (
        "--stdinpass" in asked.flags and await _installing.authorised(call, asked.user)
    ):
        call.err(say("softwareupdate.refused", version))
        return rules.UPDATE_FAILURE_STATUS.at(version)
    if not asked.flags & {"-R", "--restart"}:
        return 0
    call.out(say("softwareupdate.restarting", version))
    return await _installing.restart_into(call, update.label, f"{update.title} accepted")
