# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Know the words of Platform SSO: what a profile can ask for, and how app-sso writes it."""

from __future__ import annotations

EXTENSION, DISPLAY_NAME = "com.example.sso.extension", "Example ID"

# By their bits. The first five are those of a header of macOS 15 that is public; those of 27, whose words are in
# apple/device-management, are assumed to go on from there.
POLICY_BITS = {
    "AttemptAuthentication": 1,
    "RequireAuthentication": 2,
    "AllowOfflineGracePeriod": 4,
    "AllowAuthenticationGracePeriod": 8,
    "AllowTouchIDOrWatchForUnlock": 16,
    "RequireTouchID": 32,
    "RequireTouchIDOrWatch": 64,
    "AllowOpenIDForTouchIDFallback": 128,
}
TOUCH_ID_TO_UNLOCK = "AllowTouchIDOrWatchForUnlock"
EVERYWHERE = tuple(word for word in POLICY_BITS if word != TOUCH_ID_TO_UNLOCK)

# The number of OpenID, which is macOS 27's, is assumed.
METHODS = {
    "none": "POLoginTypeNone (0)",
    "password": "POLoginTypePassword (1)",
    "secure_enclave_key": "POLoginTypeUserSecureEnclaveKey (2)",
    "smart_card": "POLoginTypeSmartCard (3)",
    "access_key": "POLoginTypeAccessKey (4)",
    "open_id": "POLoginTypeOpenID (5)",
}


def policy_words(policy: list[str]) -> tuple[str, int]:
    """Return how a policy is written: its words, and their bits as one number."""
    words = [word for word in POLICY_BITS if word in policy]
    return ", ".join(words) or "None", sum(POLICY_BITS[word] for word in words)
