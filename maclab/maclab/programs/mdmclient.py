# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be mdmclient, for the two questions that tell of the Bootstrap Token and of FileVault; it lies in /usr/libexec."""

from __future__ import annotations

import asyncio
from typing import Any

from maclab import bootstrap, models, plists, rules, vault
from maclab.call import Call
from maclab.state import Mac
from maclab.texts import say

FAILED = 1
# Commands that public scripts give it; its own list is in no manual.
OTHERS = set(
    "QueryInstalledProfiles QueryInstalledApps QueryCertificates QueryNetworkInformation QueryAppInstallation "
    "AvailableOSUpdates dep installedProfiles dumpManagementStatus installProfile removeProfile preLoginCheckin "
    "encrypt testNSUpdate logdebug help".split()
)
QUERIES = ("QueryDeviceInformation", "QuerySecurityInfo")


async def main(call: Call) -> int:
    version = call.mac.version_tuple
    query = call.argv[0] if call.argv else ""
    if query in OTHERS:
        return call.refuse(" and ".join(QUERIES))
    if query not in QUERIES:
        call.err(say("mdmclient.usage", version))
        return FAILED
    await asyncio.sleep(rules.MDMCLIENT_SECONDS.at(version))
    if call.mac.mdm.enrolled == "no":
        call.err(say("mdmclient.not_enrolled", version))
        return FAILED
    said = _device(call.mac) if query == QUERIES[0] else _security(call.mac)
    call.out(say("mdmclient.answer", version, dictionary=plists.description(said)))
    return 0


def _device(mac: Mac) -> dict[str, Any]:
    said: dict[str, Any] = {
        "BuildVersion": mac.build,
        "DeviceName": mac.name,
        "IsSupervised": mac.mdm.supervised,
        "Model": mac.model,
        "OSVersion": mac.version,
        "SerialNumber": models.serial_number(mac.name),
        "UDID": models.platform_uuid(mac.name),
    }
    if rules.EACS_PREFLIGHT.at(mac.version_tuple):
        said["EACSPreflight"] = say(f"mdmclient.preflight_{_preflight(mac)}", mac.version_tuple)
    return {"QueryResponses": said, "Status": "Acknowledged"}


def _preflight(mac: Mac) -> str:
    if bootstrap.works(mac):
        return "ok"
    return "stale" if mac.mdm.bootstrap_escrowed else "none"


def _security(mac: Mac) -> dict[str, Any]:
    """Called as the response of the command SecurityInfo is in Apple's device-management schema."""
    mdm = mac.mdm
    said: dict[str, Any] = {
        "FDE_Enabled": vault.is_on(mac),
        "FDE_HasInstitutionalRecoveryKey": mac.filevault.irk,
        "FDE_HasPersonalRecoveryKey": mac.filevault.prk is not None,
        "ManagementStatus": {
            "EnrolledViaDEP": mdm.enrolled == "ade",
            "IsUserEnrollment": False,
            "UserApprovedEnrollment": mdm.user_approved,
        },
    }
    if mac.hardware == "apple-silicon":
        allowed = "allowed" if mdm.enrolled == "ade" else "disallowed"
        said["BootstrapTokenAllowedForAuthentication"] = allowed if mdm.bootstrap_supported else "not supported"
        said["IsRecoveryLockEnabled"] = mdm.recovery_lock
    return {"SecurityInfo": said, "Status": "Acknowledged"}
