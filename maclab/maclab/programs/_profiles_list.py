# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show for profiles which configuration profiles a Mac has: those that its state says it must have, and no other.

The keys are those of fleetdm/fleet, orbit/pkg/profiles/profiles_darwin_test.go. Nobody has profiles of their own.
"""

from __future__ import annotations

import re
import time
import uuid
from typing import Any

from maclab import plists, rules
from maclab.call import Call
from maclab.state import Mac
from maclab.texts import say

FAILED = 1
# One letter a verb, as before 10.13; the others install, remove, renew, or ask for provisioning profiles.
DOMAINS = {"C": "system", "P": "all", "L": ""}
OTHER_LETTERS = "IRDHSsirNefTYEcdpm"
OUTPUTS = ("", "stdout", "stdout-xml")


def by_letters(call: Call, known: str) -> int:
    """Answer `profiles -Cv` and its like."""
    letters, output = "", ""
    words = iter(call.argv)
    for word in words:
        if word in ("-o", "-output"):
            output = next(words, "-")
        elif re.fullmatch(r"-[A-Za-z]+", word):
            letters += word[1:]
        else:
            return call.refuse(known)
    verbs = [letter for letter in letters if letter in DOMAINS]
    if set(letters) - set(DOMAINS) - set(OTHER_LETTERS) - {"v"}:
        call.err(say("profiles.usage", call.mac.version_tuple))
        return FAILED
    if len(verbs) != 1 or set(letters) & set(OTHER_LETTERS) or output not in OUTPUTS:
        return call.refuse(known)
    domain = DOMAINS[verbs[0]] or ("system" if call.is_root else "user")
    if domain == "all" and not call.is_root:
        call.err(say("profiles.not_root", call.mac.version_tuple))
        return FAILED
    return answer(call, domain, "v" in letters, output)


def answer(call: Call, domain: str, verbose: bool, output: str) -> int:
    """Show the profiles of a domain: all of the Mac's, or the caller's own, of which there are none."""
    version = call.mac.version_tuple
    if output not in OUTPUTS or (output == "stdout-xml" and not rules.PROFILES_SHOW.at(version)):
        return call.refuse("-output stdout, and from 10.15 on stdout-xml")
    there = [] if domain == "user" else installed(call.mac)
    if output:
        document = {"_computerlevel": there} if there else {}
        call.out(plists.dumps(document) if output == "stdout-xml" else plists.description(document) + "\n")
        return 0
    if not there:
        call.out(say(f"profiles.none_{domain}", version, **({"user": call.user} if domain == "user" else {})))
        return 0
    for number, profile in enumerate(there, 1):
        call.out(_as_text(number, profile, verbose))
    call.out(say("profiles.some", version, count=len(there)))
    return 0


def _as_text(number: int, profile: dict[str, Any], verbose: bool) -> str:
    """Write one profile line by line; the form of its payloads is assumed."""
    mark = f"_computerlevel[{number}]"
    if not verbose:
        return f"{mark} attribute: profileIdentifier: {profile['ProfileIdentifier']}\n"
    attributes = {
        "name": profile["ProfileDisplayName"],
        "configurationDescription": profile["ProfileDescription"],
        "installationDate": profile["ProfileInstallDate"],
        "organization": profile["ProfileOrganization"],
        "profileIdentifier": profile["ProfileIdentifier"],
        "profileUUID": profile["ProfileUUID"],
        "profileType": profile["ProfileType"],
        "removalDisallowed": "TRUE",
        "version": profile["ProfileVersion"],
        "containsComputerItems": "TRUE",
        "installedByMDM": "TRUE",
    }
    lines = [f"{mark} attribute: {name}: {value}" for name, value in attributes.items()]
    lines.append(f"{mark} payload count = {len(profile['ProfileItems'])}")
    for place, payload in enumerate(profile["ProfileItems"], 1):
        for name, key in (("type", "Type"), ("identifier", "Identifier"), ("uuid", "UUID")):
            lines.append(f"{mark}            payload[{place}] {name:<16}= {payload[f'Payload{key}']}")
        content = plists.description(payload["PayloadContent"])
        lines.append(f"{mark}            payload[{place}] content         = {content}")
    return "".join(f"{line}\n" for line in lines)


# --- what is installed ----------------------------------------------------------------------------


def installed(mac: Mac) -> list[dict[str, Any]]:
    """Return the profiles that the Mac's enrollment, its escrow and its settings come from."""
    mcx: dict[str, Any] = {"dontAllowFDEEnable": True} if mac.mdm.forbids_filevault else {}
    if mac.mdm.token_dialog_bypass is not None:
        mcx["cachedaccounts.askForSecureTokenAuthBypass"] = mac.mdm.token_dialog_bypass
    escrow = {"Location": "the device management of Example Corp"}
    contents: dict[str, tuple[str, dict[str, Any]]] = {}
    if mac.mdm.enrolled != "no":
        contents["com.apple.mdm"] = ("MDM Profile", {"ServerURL": mac.mdm.server})
    if mac.mdm.escrow_profile:
        contents["com.apple.security.FDERecoveryKeyEscrow"] = ("FileVault Escrow", escrow)
    if mcx:
        contents["com.apple.MCX"] = ("Restrictions", mcx)
    return [_profile(mac, kind, name, content) for kind, (name, content) in contents.items()]


def _profile(mac: Mac, kind: str, name: str, content: dict[str, Any]) -> dict[str, Any]:
    identifier = f"com.example.{kind.rpartition('.')[2]}"
    payload = {
        "PayloadContent": content,
        "PayloadIdentifier": f"{identifier}.payload",
        "PayloadType": kind,
        "PayloadUUID": _uuid(mac, kind, "payload"),
        "PayloadVersion": 1,
    }
    return {
        "ProfileDescription": f"{name} of Example Corp",
        "ProfileDisplayName": name,
        "ProfileIdentifier": identifier,
        "ProfileInstallDate": time.strftime("%Y-%m-%d %H:%M:%S +0000", time.gmtime(mac.booted_at)),
        "ProfileItems": [payload],
        "ProfileOrganization": "Example Corp",
        "ProfileRemovalDisallowed": "true",
        "ProfileType": "Configuration",
        "ProfileUUID": _uuid(mac, kind),
        "ProfileVersion": 1,
    }


def _uuid(mac: Mac, *parts: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(["maclab:", mac.name, *parts]))).upper()
