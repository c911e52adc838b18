# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shut out accounts that nobody has used for longer than a rule of the Mac allows.

The rule is the one that hardening guides install (usnistgov/macos_security: pwpolicy_account_inactivity_enforce). That
macOS counts from the last authentication of any kind, and what it says then, is assumed.
"""

from __future__ import annotations

import re
import time

from maclab import plists
from maclab.state import Account, Mac

DAY = 86400.0
_CATEGORY = "policyCategoryAuthentication"
_IDLE = re.compile(
    r"policyAttributeLastAuthenticationTime\s*>\s*policyAttributeCurrentTime\s*-\s*"
    r"\(?\s*(\w+)\s*\*\s*24\s*\*\s*60\s*\*\s*60\s*\)?"
)


def shut_out_by(mac: Mac, account: Account, now: float | None = None) -> str:
    """Return the name of the rule that refuses the account, "" for none. Who has no last use is refused by none."""
    if account.authenticated_at is None or not mac.policy.xml:
        return ""
    idle = (time.time() if now is None else now) - account.authenticated_at
    for rule in plists.loads(mac.policy.xml).get(_CATEGORY, []):
        bound = _IDLE.fullmatch(str(rule.get("policyContent", "")).strip())
        if bound is None:
            continue
        days = rule.get("policyParameters", {}).get(bound.group(1), bound.group(1))
        if idle >= float(days) * DAY:
            return str(rule.get("policyIdentifier", ""))
    return ""
