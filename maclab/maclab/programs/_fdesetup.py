# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read what fdesetup is told: its options, and passwords at its prompts or in a property list on its input."""

from __future__ import annotations

import plistlib
import re
from dataclasses import dataclass, field
from typing import Any
from xml.parsers.expat import ExpatError

from maclab import plists, vault
from maclab.call import Call
from maclab.texts import say
from maclab.vault import Proof

WITH_VALUE = {"-user", "-usertoadd", "-uuid", "-defer", "-forceatlogin", "-delayminutes", "-device"}
# Each is in the manuals of 2019 to 2026; before macOS 27 -showrecoverykey stands in an example only.
FLAGS = (
    "-inputplist -outputplist -dontaskatlogout -showrecoverykey -norecoverykey -keychain -personal -institutional "
    "-extended -authrestart"
).split()
# What the manual has and the lab has not: a certificate or keychain of an institutional key, another volume, a dialog.
UNMODELLED_WITH_VALUE = {"-certificate"}
UNMODELLED = {"-prompt", "-forcerestart", "-offline", "-key", "-help"}
# Jamf scripts by the dozen write it so (fde-add-short-i).
SHORT = {"-i": "-inputplist"}


@dataclass
class Request:
    """The command line behind the verb."""

    verbose: bool = False
    values: dict[str, str] = field(default_factory=dict)
    flags: set[str] = field(default_factory=set)
    to_add: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    unmodelled: bool = False

    def number(self, option: str) -> int | None:
        """Return the option's number; None where it was not given, or is none."""
        value = self.values.get(option, "")
        return int(value) if re.fullmatch(r"-?\d+", value) else None


@dataclass
class Credentials:
    """Who authorises, and whom else the caller named; without a name the password is a recovery key."""

    name: str = ""
    password: str = ""
    others: list[tuple[str, str]] = field(default_factory=list)


def parse(words: list[str], verbose: bool) -> Request:
    request = Request(verbose)
    rest = iter(words)
    for given in rest:
        word = SHORT.get(given, given)
        if word == "-usertoadd":
            request.to_add.append(next(rest, ""))
        elif word in WITH_VALUE:
            request.values[word] = next(rest, "")
        elif word in FLAGS:
            request.flags.add(word)
        elif word in UNMODELLED | UNMODELLED_WITH_VALUE:
            request.unmodelled = True
            if word in UNMODELLED_WITH_VALUE:
                next(rest, "")
        else:
            request.unknown.append(word)
    return request


def text(call: Call, key: str, /, **values: object) -> str:
    return say(f"fdesetup.{key}", call.mac.version_tuple, **values)


def fail(call: Call, status: int, *keys: str, **values: object) -> int:
    for key in keys:
        call.err(text(call, key, **values))
    return status


def be_verbose(call: Call, request: Request) -> None:
    if not request.verbose:
        return
    lines = {
        "verbose_stdin": "-inputplist" in request.flags,
        "verbose_no_key": "-norecoverykey" in request.flags,
        "verbose_personal": "-personal" in request.flags,
        "verbose_device": True,
    }
    call.out("".join(text(call, key) for key, said in lines.items() if said))


async def credentials(call: Call, request: Request) -> Credentials | None:
    """Return what came at the prompts or in the plist; None where that is no plist."""
    if "-inputplist" in request.flags:
        return _from_plist(await call.read_stdin_all(), request)
    name = request.values.get("-user") or await call.ask(text(call, "prompt_user")) or ""
    given = Credentials(name, await call.getpass(text(call, "prompt_password", user=name)) or "")
    for other in request.to_add:
        given.others.append((other, await call.getpass(text(call, "prompt_added", user=other)) or ""))
    return given


def prove(call: Call, given: Credentials, key_allowed: bool) -> Proof:
    """Try the credentials, and have the journal say so: a recovery key is nobody's authentication."""
    proof = vault.prove(call.mac, given.name, given.password, key_allowed)
    if proof is not Proof.KEY and given.name:
        call.authenticated(given.name, proof is not Proof.WRONG)
    return proof


def _from_plist(data: bytes, request: Request) -> Credentials | None:
    try:
        said = plistlib.loads(data)
    except (ValueError, ExpatError, plistlib.InvalidFileException):
        return None
    if not isinstance(said, dict):
        return None
    name = _word(said, "Username") or request.values.get("-user", "")
    given = Credentials(name, _word(said, "Password"))
    for other in said.get("AdditionalUsers") or []:
        if isinstance(other, dict):
            given.others.append((_word(other, "Username"), _word(other, "Password")))
    return given


def _word(said: dict[str, Any], key: str) -> str:
    value = said.get(key, "")
    return value if isinstance(value, str) else ""


def show_key(call: Call, request: Request, user: str, key: str | None, *, changed: bool, by_itself: str | None) -> None:
    """Print the plist, or the line (`by_itself`, None where the version prints none) that has the recovery key."""
    if call.fault("prk_not_returned") is not None or "-norecoverykey" in request.flags:
        key = None
    if "-outputplist" in request.flags:
        call.out(plists.dumps(vault.output(call.mac, user, key, changed)))
    elif key is not None and by_itself is not None:
        call.out(text(call, by_itself, key=key))
