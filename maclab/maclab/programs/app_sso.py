# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be app-sso for the one question that tells of Platform SSO: `app-sso platform -s`."""

from __future__ import annotations

import json
import time
from typing import Any

from maclab import rules, sso
from maclab.call import Call
from maclab.state import Mac
from maclab.texts import say

FAILED = 1


async def main(call: Call) -> int:
    version = call.mac.version_tuple
    if not rules.PLATFORM_SSO.at(version):
        call.err(say("app_sso.usage", version))
        return FAILED
    if call.argv not in (["platform", "-s"], ["platform", "--state"]):
        return call.refuse("platform -s")
    none = say("app_sso.none", version)
    described = call.mac.sso
    said = {
        "time": time.strftime("%Y-%m-%d %H:%M:%S +0000", time.gmtime()),
        "device": _written(_device(call.mac)) if described.extension else none,
        "login": _written({"accountDisplayName": described.display_name}) if described.extension else none,
        # Of the user who asks: nobody has shown what root is told.
        "user": none,
        "tokens": none,
    }
    call.out(say("app_sso.state", version, **said))
    return 0


def _device(mac: Mac) -> dict[str, Any]:
    described, version = mac.sso, mac.version_tuple
    said: dict[str, Any] = {
        "authorizationEnabled": False,
        "createUsersEnabled": False,
        "extensionIdentifier": described.extension,
        "loginFrequency": 64800,
        "loginType": sso.METHODS[described.method],
        "newUserAuthorizationMode": "None",
        "registrationCompleted": described.registered,
        "sharedDeviceKeys": True,
        "userAuthorizationMode": "None",
        "version": 1,
    }
    if rules.SSO_POLICIES.at(version):
        said |= {
            "fileVaultPolicy": _policy(mac, described.filevault),
            "loginPolicy": _policy(mac, described.login),
            "unlockPolicy": _policy(mac, described.unlock),
            "offlineGracePeriod": f"{described.offline_hours} hours",
            "requireAuthGracePeriod": f"{described.unregistered_hours} hours",
        }
        said |= {"nonPlatformSSOAccounts": described.exempt} if described.exempt else {}
    return said


def _policy(mac: Mac, policy: list[str]) -> str:
    words, number = sso.policy_words(policy)
    return say("app_sso.policy", mac.version_tuple, words=words, number=number)


def _written(content: dict[str, Any]) -> str:
    """Write it as Foundation writes JSON that people read: keys in order, and a blank on both sides of a colon."""
    return json.dumps(content, indent=2, separators=(",", " : "), sort_keys=True, ensure_ascii=False)
