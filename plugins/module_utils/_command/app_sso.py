# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask what a profile wants of Platform SSO: app-sso.

Its manual calls the answer a diagnostic that is not for scripts, so nothing is concluded from what cannot be
understood. The form is that of transcript app-sso-platform-15.6. How a policy is written, and that names are compared
in small letters, is what headers of macOS 14 and 15 show that are public.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import json
import re
import typing as t

from ansible_collections.keyholder.macos.plugins.module_utils import _kind
from ansible_collections.keyholder.macos.plugins.module_utils._command import strays
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command
from ansible_collections.keyholder.macos.plugins.module_utils._sso import NONE_HERE, PlatformSSO

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._runner import Ran

STATE = Command(("app-sso", "platform", "-s"), private=True)
"""Private: it prints certificates, and who is logged in to what."""

_DEVICE = re.compile(r"^Device Configuration:[ \t]*\r?\n[ \t]*", re.MULTILINE)
_NOTHING = re.compile(r"\(null\)[ \t]*\r?$", re.MULTILINE)
_NUMBERED = re.compile(r"([A-Za-z].*) \([0-9]+\)", re.DOTALL)
_HOURS = re.compile(r"([0-9]{1,9}) hours?")
_METHODS = {
    "POLoginTypeNone": "none",
    "POLoginTypePassword": "password",
    "POLoginTypeUserSecureEnclaveKey": "secure_enclave_key",
    "POLoginTypeSmartCard": "smart_card",
    "POLoginTypeAccessKey": "access_key",
}
_PREFIX = "POLoginType"
UNREAD = PlatformSSO()


def parse_state(ran: Ran) -> PlatformSSO:
    """Return what a profile asks for. Where macOS did not say, or not in a form that is known, it is None."""
    text = strays.without(ran.out)
    found = _DEVICE.search(text)
    if ran.rc != 0 or found is None:
        return UNREAD
    if _NOTHING.match(text, found.end()):
        return NONE_HERE
    device = _kind.table(_json_at(text, found.end()))
    return UNREAD if device is None else _device(device)


def _json_at(text: str, where: int) -> t.Any:
    """Return the content of the JSON that begins there; None where there is none."""
    try:
        return json.JSONDecoder().raw_decode(text, where)[0]
    except (ValueError, RecursionError):
        return None


def _device(device: t.Mapping[t.Any, t.Any]) -> PlatformSSO:
    registered, hours = device.get("registrationCompleted"), device.get("offlineGracePeriod")
    whole = _HOURS.fullmatch(hours) if isinstance(hours, str) else None
    return PlatformSSO(
        configured=True,
        registered=registered if isinstance(registered, bool) else None,
        extension=_kind.text(device.get("extensionIdentifier")) or "",
        method=_method(device.get("loginType")),
        filevault=_policy(device.get("fileVaultPolicy")),
        login=_policy(device.get("loginPolicy")),
        unlock=_policy(device.get("unlockPolicy")),
        exempt=_names(device.get("nonPlatformSSOAccounts", [])),
        offline_hours=None if whole is None else int(whole.group(1)),
    )


def _method(said: t.Any) -> str | None:
    found = _NUMBERED.fullmatch(said) if isinstance(said, str) else None
    if found is None:
        return None
    word = found.group(1)
    return _METHODS.get(word, word[len(_PREFIX) :] if word.startswith(_PREFIX) else word) or None


def _policy(said: t.Any) -> tuple[str, ...] | None:
    """Return the words of a policy. None: not said, as before macOS 15, or not understood."""
    found = _NUMBERED.fullmatch(said) if isinstance(said, str) else None
    words = [word.strip() for word in found.group(1).split(",")] if found is not None else []
    if words == ["None"]:
        return ()
    return tuple(words) if words and all(words) else None


def _names(said: t.Any) -> tuple[str, ...] | None:
    """Return the accounts that are exempt: none, where macOS leaves the list out."""
    names = _kind.items(said)
    if names is None or not all(isinstance(name, str) for name in names):
        return None
    return tuple(names)
