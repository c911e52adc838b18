# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be launchctl: `asuser`, which people put before commands, and jobs of the system loaded, shown and unloaded."""

from __future__ import annotations

from contextlib import suppress

from maclab import launchd
from maclab.call import Call
from maclab.programs.sudo import find_command
from maclab.state import ModelFile
from maclab.texts import say

NOT_PERMITTED = 1
NO_PROCESS = 3
IO_ERROR = 5
NOT_FOUND = 113
SYSTEM = "system"
USAGE = 64
# The commands of its manual (https://manp.gs/mac/1/launchctl) that are not modelled, or only in part.
OTHERS = set(
    "bootstrap bootout enable disable uncache kickstart attach debug kill blame print print-cache print-disabled plist "
    "procinfo hostinfo resolveport limit runstats examine config dumpstate dumpjpcategory reboot bootshell load unload "
    "remove list start stop setenv unsetenv getenv bsexec asuser submit managerpid manageruid managername error "
    "variant version help".split()
)
KNOWN = (
    "asuser; bootstrap, bootout, print, print-disabled, enable and disable of the domain system; of root load and "
    "unload of its daemons"
)


async def main(call: Call) -> int:
    verb, *words = call.argv or [""]
    if verb == "asuser" and len(words) >= 2 and words[0].isdigit():
        return _as_user(call, words[0], words[1:])
    if verb == "bootstrap" and len(words) == 2 and words[0] == SYSTEM:
        return await _bootstrap(call, words[1])
    if verb == "print-disabled" and words == [SYSTEM]:
        return _print_disabled(call)
    if verb in ("bootout", "print") and words == [f"{SYSTEM}/{launchd.SSHD}"]:
        return _sshd(call) if verb == "print" else call.refuse(f"{KNOWN}, but for sshd, by which people come in")
    if verb in ("enable", "disable") and len(words) == 1 and words[0].startswith(f"{SYSTEM}/"):
        return await _allow(call, words[0].removeprefix(f"{SYSTEM}/"), verb == "enable")
    if verb in ("bootout", "print") and len(words) == 1 and words[0].startswith(f"{SYSTEM}/"):
        label = words[0].removeprefix(f"{SYSTEM}/")
        return _print(call, label) if verb == "print" else await _bootout(call, label)
    paths = [word for word in words if word not in ("-w", "-F")]
    if (
        verb in ("load", "unload")
        and call.is_root
        and paths
        and not any(path.startswith(("-", "/System/")) for path in paths)
    ):
        return await _load(call, verb, paths)
    if verb in OTHERS or verb == "":
        return call.refuse(KNOWN)
    call.err(say("launchctl.usage", call.mac.version_tuple, verb=verb))
    return USAGE


async def _load(call: Call, verb: str, paths: list[str]) -> int:
    """Do the commands of old with each property list; one that does not load does not stop the others."""
    status = 0
    for path in paths:
        there = next((label for label, job in call.mac.jobs.items() if job.path == path), None)
        if verb == "unload" and there is not None:
            del call.mac.jobs[there]
            call.wrote(f"job {there} unloaded")
        elif verb == "load" and there is None and (label := launchd.load(call.mac, path)) is not None:
            call.wrote(f"job {label} loaded")
        else:
            call.err(say(f"launchctl.{verb}_failed", call.mac.version_tuple))
            status = IO_ERROR
    await call.commit()
    return status


def _as_user(call: Call, uid: str, command: list[str]) -> int:
    if not call.is_root:
        call.err(f"Could not switch to audit session {uid}: 1: Operation not permitted\n")
        return NOT_PERMITTED
    path = find_command(call, command[0], call.env.get("PATH", ""))
    if path is None:
        call.err(f"launchctl: {command[0]}: No such file or directory\n")
        return 127
    # The session changes, the user does not: it is still root.
    return call.become([path, *command[1:]], call.env, call.user, call.is_root)


async def _bootstrap(call: Call, path: str) -> int:
    version = call.mac.version_tuple
    if not call.is_root:
        call.err(say("launchctl.bootstrap_failed", version, code=NOT_PERMITTED, words="Operation not permitted"))
        return NOT_PERMITTED
    _take_from_disk(call, path)
    loaded = any(job.path == path for job in call.mac.jobs.values())
    label = None if loaded else launchd.load(call.mac, path)
    if label is None:
        call.err(say("launchctl.bootstrap_failed", version, code=IO_ERROR, words="Input/output error"))
        return IO_ERROR
    call.wrote(f"job {label} loaded")
    await call.commit()
    return 0


def _take_from_disk(call: Call, path: str) -> None:
    """With full paths, a script can have written the job by a redirection, of which the lab has not heard."""
    if not call.full_paths or not path.startswith(launchd.DAEMONS) or path in call.mac.files:
        return
    with suppress(OSError, UnicodeDecodeError):
        place = call.place(path)
        call.mac.files[path] = ModelFile(place.read_text(encoding="utf-8"), place.stat().st_mtime, mode=0o644)


async def _bootout(call: Call, label: str) -> int:
    version = call.mac.version_tuple
    if not call.is_root:
        call.err(say("launchctl.bootout_failed", version, code=NOT_PERMITTED, words="Operation not permitted"))
        return NOT_PERMITTED
    if call.mac.jobs.pop(label, None) is None:
        call.err(say("launchctl.bootout_failed", version, code=NO_PROCESS, words="No such process"))
        return NO_PROCESS
    call.wrote(f"job {label} unloaded")
    await call.commit()
    return 0


def _print(call: Call, label: str) -> int:
    version = call.mac.version_tuple
    job = call.mac.jobs.get(label)
    if job is None:
        call.err(say("launchctl.unknown", version, label=label))
        return NOT_FOUND
    call.out(say("launchctl.print", version, label=label, path=job.path, interval=job.interval))
    return 0


def _sshd(call: Call) -> int:
    """Macs start sshd for each connection, from no property list of their own."""
    version = call.mac.version_tuple
    if launchd.SSHD in call.mac.settings.disabled_jobs:
        call.err(say("launchctl.unknown", version, label=launchd.SSHD))
        return NOT_FOUND
    call.out(say("launchctl.print_sshd", version) + say("launchctl.print_sshd_end", version))
    return 0


def _print_disabled(call: Call) -> int:
    version, disabled = call.mac.version_tuple, call.mac.settings.disabled_jobs
    rows = {launchd.SSHD: launchd.SSHD in disabled} | dict.fromkeys(disabled, True)
    lines = [
        say("launchctl.disabled_yes" if off else "launchctl.disabled_no", version, label=label)
        for label, off in rows.items()
    ]
    call.out("".join([say("launchctl.disabled_begin", version), *lines, say("launchctl.disabled_end", version)]))
    return 0


async def _allow(call: Call, label: str, allowed: bool) -> int:
    """Say whether launchd may load the job the next time; what is loaded stays."""
    if not call.is_root:
        return call.refuse(f"{KNOWN}, to change one as root only")
    disabled = call.mac.settings.disabled_jobs
    disabled[:] = [other for other in disabled if other != label] + ([] if allowed else [label])
    call.wrote(f"job {label} {'enabled' if allowed else 'disabled'}")
    await call.commit()
    return 0
