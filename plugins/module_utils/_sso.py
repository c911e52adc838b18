# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold what a Mac says of Platform SSO, and what follows from it for passwords and for the unlock screen. Pure.

The policies, and whom they leave alone, are those of Apple's profile (apple/device-management, com.apple.extensiblesso,
and its declaration of macOS 27). They work with the method password alone.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.keyholder.macos.plugins.module_utils._text import folded

PASSWORD = "password"
"""The method by which the identity provider's password is the account's."""
OPEN_ID = "OpenID"
WEB_FALLBACK = "AllowOpenIDForTouchIDFallback"
_LENIENT = frozenset(
    "AttemptAuthentication AllowOfflineGracePeriod AllowAuthenticationGracePeriod AllowTouchIDOrWatchForUnlock"
    " AllowOpenIDForTouchIDFallback".split()
)
"""Words that let a local password in where there is no network. Any other may require what a local account has not."""


@dataclass(frozen=True)
class PlatformSSO:
    """Hold what a profile asks of Platform SSO on this Mac. None: macOS did not say, or not in words that are known."""

    configured: bool | None = None
    """Whether a profile asks for it at all."""
    registered: bool | None = None
    """Whether the Mac is registered with the identity provider; each account registers by itself as well."""
    extension: str = ""
    """The app extension of the identity provider, by its identifier."""
    method: str | None = None
    """password, secure_enclave_key, smart_card, access_key, none; or what macOS calls it."""
    filevault: tuple[str, ...] | None = None
    """The policy at FileVault's unlock screen, in Apple's words; none: a local password is enough."""
    login: tuple[str, ...] | None = None
    unlock: tuple[str, ...] | None = None
    """The policy at the locked screen of somebody who is logged in."""
    exempt: tuple[str, ...] | None = None
    """Short names of the local accounts that the policies leave alone."""
    offline_hours: int | None = None
    """How long an account that has registered may do without the network."""

    @property
    def required_at(self) -> tuple[str, ...]:
        """Return where an account that is not exempt gets in by the identity provider alone: filevault, login,
        unlock. A word that is not known here counts as requiring it."""
        policies = {"filevault": self.filevault, "login": self.login, "unlock": self.unlock}
        return tuple(where for where, policy in policies.items() if set(policy or ()) - _LENIENT)

    @property
    def web_login_at_filevault(self) -> bool | None:
        """Return whether the unlock screen may ask for a web login, which macOS 27 can; None: not known."""
        if self.filevault is None:
            return None
        return WEB_FALLBACK in self.filevault or (self.method == OPEN_ID and bool(self.filevault))

    def exempts(self, name: str) -> bool | None:
        """Return whether the policies leave an account alone; macOS compares names in small letters."""
        if self.configured is False:
            return True
        if self.exempt is None:
            return None
        return folded(name) in map(folded, self.exempt)

    def view(self) -> dict[str, t.Any]:
        """Return it as data."""
        return {
            "configured": self.configured,
            "registered": self.registered,
            "extension": self.extension,
            "method": self.method,
            "filevault_policy": _listed(self.filevault),
            "login_policy": _listed(self.login),
            "unlock_policy": _listed(self.unlock),
            "exempt": _listed(self.exempt),
            "offline_hours": self.offline_hours,
            "required_at": list(self.required_at),
            "web_login_at_filevault": self.web_login_at_filevault,
        }


NONE_HERE = PlatformSSO(False, False, "", "none", (), (), (), ())
"""What a macOS has that knows no Platform SSO."""


def _listed(words: tuple[str, ...] | None) -> list[str] | None:
    return None if words is None else list(words)
