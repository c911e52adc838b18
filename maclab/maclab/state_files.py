# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say which files of a Mac follow from its state: its version, what profiles have set, and what only root reads."""

from __future__ import annotations

import plistlib
from typing import Any

from maclab import rules
from maclab.state import Mac

MANAGED = "/Library/Managed Preferences/"
LOGIN_WINDOW = "/Library/Preferences/com.apple.loginwindow.plist"
SMB_SERVER = "/Library/Preferences/SystemConfiguration/com.apple.smb.server.plist"
# The keys of a property list that are state: sysadminctl says and changes the same by its options (mkuser and hardening
# scripts set by one program and look with the other).
SETTINGS = {
    LOGIN_WINDOW: {"autoLoginUser": "autologin", "GuestEnabled": "guest_account"},
    SMB_SERVER: {"AllowGuestAccess": "smb_guest"},
}
KCPASSWORD = "/etc/kcpassword"
# The password of an automatic login is mixed with this, which is no secret (public file #54851266779).
_MIXED_WITH = bytes.fromhex("7d895223d2bcddeaa3b91f")
SYSTEM_VERSION = "/System/Library/CoreServices/SystemVersion.plist"


def preferences(mac: Mac) -> dict[str, dict[str, Any]]:
    """Return the property lists that say what the state is."""
    version = mac.version_tuple
    files: dict[str, dict[str, Any]] = {
        SYSTEM_VERSION: {
            "ProductBuildVersion": mac.build,
            "ProductName": rules.PRODUCT_NAME.at(version),
            "ProductUserVisibleVersion": mac.version,
            "ProductVersion": mac.version,
        }
    }
    managed = {
        "cachedaccounts.askForSecureTokenAuthBypass": mac.mdm.token_dialog_bypass,
        "dontAllowFDEEnable": mac.mdm.forbids_filevault or None,
    }
    told = {key: value for key, value in managed.items() if value is not None}
    return files | ({f"{MANAGED}com.apple.MCX.plist": told} if told else {})


def settings(mac: Mac, path: str) -> dict[str, Any]:
    """Return what a property list holds of the Mac's settings, by key; what was never set is not in it."""
    values = {key: getattr(mac.settings, name) for key, name in SETTINGS.get(path, {}).items()}
    return {key: value for key, value in values.items() if value not in ("", None)}


def take_settings(mac: Mac, path: str, value: dict[str, Any]) -> dict[str, Any]:
    """Set what a property list says of the Mac's settings, and return the rest of it."""
    for key, name in SETTINGS.get(path, {}).items():
        if name == "autologin":
            mac.settings.autologin = str(value.get(key, ""))
        else:
            setattr(mac.settings, name, bool(value[key]) if key in value else None)
    return {key: one for key, one in value.items() if key not in SETTINGS.get(path, {})}


def contents(mac: Mac) -> dict[str, tuple[bytes, int]]:
    """Return what every such file holds, and its mode."""
    files = {path: (plistlib.dumps(value), 0o644) for path, value in preferences(mac).items()}
    account = mac.account(mac.settings.autologin) if mac.settings.autologin else None
    if account is not None and account.password is not None:
        files[KCPASSWORD] = (kcpassword(account.password), 0o600)
    for path, file in mac.files.items():
        if file.kind == "Regular File":
            files[path] = (file.content.encode("utf-8", "surrogateescape"), file.mode)
    return files


def kcpassword(password: str) -> bytes:
    """Return what /etc/kcpassword holds of a password: it can be read back by everybody who may read the file."""
    plain = password.encode() + b"\0"
    plain += bytes(-len(plain) % (len(_MIXED_WITH) + 1))
    return bytes(letter ^ _MIXED_WITH[place % len(_MIXED_WITH)] for place, letter in enumerate(plain))
