# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the enrolment in device management and what is installed, and manage the Bootstrap Token: profiles.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.keyholder.macos.plugins.module_utils._command import plists
from ansible_collections.keyholder.macos.plugins.module_utils._runner import LONG_LIMIT, Command, Secret

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._code import Code, MaybeCode
    from ansible_collections.keyholder.macos.plugins.module_utils._runner import Ran

ENROLLMENT = Command(("profiles", "status", "-type", "enrollment"))
BOOTSTRAP_STATUS = Command(("profiles", "status", "-type", "bootstraptoken"))

INSTALLED = Command(("profiles", "show", "-output", "stdout-xml"), private=True, limit=LONG_LIMIT)
"""Private: profiles carry secrets of other software. From macOS 10.15 on usnistgov/macos_security asks like this; that
10.13 and 10.14 know it is assumed."""

_ESCROW_PAYLOAD = "com.apple.security.FDERecoveryKeyEscrow"
_DEVICE, _ITEMS = "_computerlevel", "ProfileItems"

_AUTOMATED = re.compile(r"^Enrolled via DEP: (Yes|No)", re.MULTILINE)
_ENROLLED = re.compile(r"^MDM enrollment: (Yes|No)(.*)$", re.MULTILINE)
_SERVER = re.compile(r"^MDM server: (\S+)", re.MULTILINE)
_TOKEN = re.compile(r"Bootstrap Token (?:is )?(supported|escrowed) (?:on|to) server: (YES|NO)")
"""As macOS prints it, and as one admin has told it (transcript bt-status-worded-2023)."""


@dataclass(frozen=True)
class Enrollment:
    """Hold how the Mac is enrolled in device management; ``server`` is "" if macOS does not name it."""

    enrolled: bool
    automated: bool
    user_approved: bool
    server: str


@dataclass(frozen=True)
class BootstrapStatus:
    """Hold what profiles says of the Bootstrap Token. None: it did not say."""

    supported: bool | None
    escrowed: bool | None


def parse_enrollment(ran: Ran) -> Enrollment | None:
    """Return the enrolment. None: profiles did not say."""
    enrolled = _ENROLLED.search(ran.text)
    if enrolled is None:
        return None
    automated, server = _AUTOMATED.search(ran.text), _SERVER.search(ran.text)
    return Enrollment(
        enrolled=enrolled.group(1) == "Yes",
        automated=bool(automated) and t.cast("re.Match[str]", automated).group(1) == "Yes",
        user_approved="User Approved" in enrolled.group(2),
        server=server.group(1) if server else "",
    )


def parse_bootstrap(ran: Ran) -> BootstrapStatus:
    """Return whether the server takes a Bootstrap Token, and whether it has one of this Mac."""
    said = dict(_TOKEN.findall(ran.text))
    if "Bootstrap Token functionality is not supported on the server" in ran.text:
        return BootstrapStatus(supported=False, escrowed=False)
    supported, escrowed = said.get("supported"), said.get("escrowed")
    return BootstrapStatus(
        supported=None if supported is None else supported == "YES",
        escrowed=None if escrowed is None else escrowed == "YES",
    )


def parse_escrow(ran: Ran) -> bool | None:
    """Return whether a profile of the device has macOS escrow each new recovery key. None: no list was printed.

    The keys of the list: fleetdm/fleet, orbit/pkg/profiles, and chef/chef, osx_profile.
    """
    listed: t.Any = next(iter(plists.documents(ran.out)), None) if ran.rc == 0 else None
    try:
        items = [item for profile in listed.get(_DEVICE, ()) for item in profile.get(_ITEMS, ())]
        return any(item.get("PayloadType") == _ESCROW_PAYLOAD for item in items)
    except (AttributeError, TypeError):
        return None


# -- changing ---------------------------------------------------------------------------------------------------------

TTY_BYTES = 128
"""profiles' prompt fails for longer passwords, and hangs from 1024 bytes on (freegeek-pdx/mkuser)."""


def untypable(password: Secret) -> str:
    """Return why this password is not typed at the prompt, "" if it is. Emoji were seen to arrive there as something
    else (freegeek-pdx/mkuser, by way of expect); that they arrive whole in another way, nobody has shown, and each
    wrong password is a failed login."""
    beyond = any(ord(char) > 0xFFFF for char in password.reveal().decode("utf-8"))
    return "holds an emoji or another character beyond U+FFFF" if beyond else ""


_BOOTSTRAP_ERRORS: tuple[tuple[re.Pattern[str], Code], ...] = (
    (re.compile(r"Unable to authenticate user information"), "bootstrap_refused"),
    (re.compile(r"Password is required"), "password_unusable"),
    (re.compile(r"Unable to verify token"), "bootstrap_stale"),
    (re.compile(r"Request too soon"), "too_soon"),
)


def bootstrap(verb: str, admin: str, password: Secret) -> Command:
    """Install, remove or validate a Bootstrap Token: ``verb``. The only way in is the terminal's two prompts
    (transcript bt-install-prompts)."""
    argv = ("profiles", verb, "-type", "bootstraptoken")
    return Command(argv, dialogue=(("user name:", Secret(admin)), ("':", password)))


def validated(ran: Ran) -> bool:
    """Check whether macOS calls the token valid (transcript bt-validate: pip-b0y/MacOS)."""
    return "Bootstrap Token validated" in ran.text


def bootstrap_reason(ran: Ran) -> MaybeCode:
    """Return the reason code that the output means, "" for none."""
    return next((reason for pattern, reason in _BOOTSTRAP_ERRORS if pattern.search(ran.text)), "")
