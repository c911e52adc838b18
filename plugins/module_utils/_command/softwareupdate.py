# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""List the macOS that Apple offers a Mac, and install one: softwareupdate, with the owner's password on stdin.

Its exit status is no evidence: "Restarting..." is a request. macOS then prepares the update, for minutes, and restarts
the Mac by itself; whoever restarts it meanwhile starts the old macOS again (public file #63353691010).

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.keyholder.macos.plugins.module_utils._command import strays
from ansible_collections.keyholder.macos.plugins.module_utils._macos import Version
from ansible_collections.keyholder.macos.plugins.module_utils._offer import Offer
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._code import MaybeCode
    from ansible_collections.keyholder.macos.plugins.module_utils._runner import Ran, Secret

LIST = Command(("softwareupdate", "--list"))
"""It asks Apple's servers, or the organisation's own, and changes nothing but what macOS remembers of their answer."""

PASSWORD_BYTES = 255
"""Assumed to fit: nobody has published how much softwareupdate reads for --stdinpass."""

_FOUND = "Software Update found the following"
_NONE = "No new software available"
_OFFER = re.compile(
    r"^[ \t]*\* Label: (?P<label>.+)\n[ \t]+Title: (?P<title>[^\n]+?), Version: (?P<version>[^,\n]*), (?P<rest>.*)$",
    re.MULTILINE,
)
_OLD_OFFER = re.compile(
    r"^[ \t]*[*-] (?!Label: )(?P<label>.+)\n[ \t]+(?P<title>[^\n]+?) \((?P<version>[^)\n]*)\), (?P<rest>.*)$",
    re.MULTILINE,
)
"""As macOS prints it before 10.15."""
_VERSION = re.compile(r"[0-9]{2}(?:\.[0-9]{1,2}){0,2}")
_BETA = re.compile(r"\bbeta\b", re.IGNORECASE)
_BUILD = re.compile(r"-([0-9]{2}[A-Z][0-9]{1,5}[a-z]?)$")

_MEANINGS: tuple[tuple[str, str], ...] = (
    ("Failed to authenticate", "owner_refused"),
    ("failed to authorize for installation", "owner_refused"),
    ("could not get authorization", "owner_refused"),
    ("Not enough free disk space", "disk_full"),
    ("No such update", "update_not_offered"),
    ("Failed to download", "update_failed"),
)
"""What a failure says of itself, whatever the exit status (Macjutsu/super issue 219; munki issue 1114; erase-install
issues 281 and 457; cirruslabs/macos-image-templates pull request 206; JamfProScripts issue 14; the last: assumed)."""


def parse_list(ran: Ran) -> tuple[Offer, ...] | None:
    """Return each macOS in the list, without what needs no restart, and without security responses. None: the program
    gave no list."""
    said = strays.without(ran.text.replace("\r\n", "\n"))
    if _FOUND not in said:
        return () if _NONE in said else None
    found = [*_OFFER.finditer(said), *_OLD_OFFER.finditer(said)]
    offers = (_offer(**one.groupdict()) for one in found)
    return tuple(offer for offer in offers if offer is not None)


def _offer(label: str, title: str, version: str, rest: str) -> Offer | None:
    if not title.startswith("macOS ") or "restart" not in rest:
        return None
    number = version.strip() or next(iter(re.findall(r"\b1[01]\.[0-9]{1,2}(?:\.[0-9]{1,2})?", title)), "")
    if not _VERSION.fullmatch(number):
        return None
    build = _BUILD.search(label)
    number_of_build = build.group(1) if build else ""
    # Apple's builds of betas end with a small letter.
    beta = _BETA.search(title) is not None or number_of_build[-1:].islower()
    return Offer(label, title, Version.parse(number), number_of_build, beta)


def install(label: str, user: str, password: Secret | None) -> Command:
    """Download an update, install it, and have macOS restart the Mac. ``user``: an owner of the volume who authorises
    it, "" on a Mac that asks for none (man: --user and --stdinpass are for Apple silicon only)."""
    return authorised(("softwareupdate", "--install", label, "--restart", "--agree-to-license"), user, password)


def authorised(argv: tuple[str, ...], user: str, password: Secret | None) -> Command:
    """Return what installs another macOS, by this program or by startosinstall: both take an owner alike."""
    if not user or password is None:
        return Command(argv, restarts=True)
    return Command((*argv, "--user", user, "--stdinpass"), prompts=(password,), restarts=True)


def refusal_said(ran: Ran) -> MaybeCode:
    """Return why an installation was not begun, by its words; "" where they tell of no failure."""
    said = ran.text
    return t.cast("MaybeCode", next((code for words, code in _MEANINGS if words in said), ""))
