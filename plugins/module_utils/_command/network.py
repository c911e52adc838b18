# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask the directories that a Mac is bound to: which of them answer, whom they know; and make an account for one of
them.

``createmobileaccount`` lies outside PATH. It can be told a password in its arguments; here it never is.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.keyholder.macos.plugins.module_utils import _kind
from ansible_collections.keyholder.macos.plugins.module_utils._command import plists, records, strays
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._runner import Ran

CREATEMOBILE_FOLDER = "/System/Library/CoreServices/ManagedClient.app/Contents/Resources"
"""Where createmobileaccount is (openradar-mirror 18598, and many public scripts)."""

NODES = Command(("odutil", "show", "nodenames"))

READ_TOKEN_DIALOG = Command(
    ("defaults", "read", "/Library/Managed Preferences/com.apple.MCX", "cachedaccounts.askForSecureTokenAuthBypass")
)
"""Whether a profile keeps macOS from asking for a token administrator at a mobile account's login
(apple/device-management, com.apple.MCX, mobile accounts)."""

_NODE_LINE = re.compile(r"(/(?:Active Directory|LDAPv3)\b.*)\s(Online|Offline)\b")
"""Public scripts look for a node's path and the word Online behind it; more is not known of the output."""

_PERSON_KEYS = ("RecordName", "RealName", "UniqueID", "AppleMetaNodeLocation")


@dataclass(frozen=True)
class Found:
    """Hold whom the search path finds under a name; ``node`` is where."""

    name: str
    full_name: str
    uid: int | None
    node: str


def parse_nodes(ran: Ran) -> dict[str, bool] | None:
    """Return node -> whether it is online. None: odutil gave no answer."""
    if ran.rc != 0:
        return None
    found = (_NODE_LINE.match(line.strip()) for line in ran.out.splitlines())
    return {one.group(1).rstrip(): one.group(2) == "Online" for one in found if one}


def read_person(name: str) -> Command:
    """Read the record that the search path finds under a name."""
    return Command(("dscl", "-plist", "/Search", "-read", f"/Users/{name}", *_PERSON_KEYS))


def parse_person(ran: Ran) -> Found | None:
    """Return that record. None: the search path found nobody."""
    for content in plists.documents(ran.out) if ran.rc == 0 else []:
        said = _kind.table(content)
        if said is not None:
            record = records.attributes(said)
            return Found(
                name=records.first(record, "RecordName"),
                full_name=records.first(record, "RealName"),
                uid=records.identifier(records.first(record, "UniqueID")),
                node=records.first(record, "AppleMetaNodeLocation"),
            )
    return None


def parse_token_dialog(ran: Ran) -> bool | None:
    """Return whether the dialog is suppressed: not if no profile says so (Apple's default is false). None: unread."""
    if ran.rc is None:
        return None
    return ran.rc == 0 and strays.without(ran.out).strip().lower() in ("1", "true", "yes")


def create_mobile_account(name: str, home: str = "") -> Command:
    """Create the local copy of a directory's account. ``home`` "": where macOS puts it."""
    return Command(("createmobileaccount", "-n", name) + (("-h", home) if home else ()))
