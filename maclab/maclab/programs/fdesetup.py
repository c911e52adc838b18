# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be fdesetup: its list of users disagrees with the volume's where macOS's does, and its exit statuses tell little."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from maclab import faults, plists, rules, vault
from maclab.call import Call, hang
from maclab.directory import LOCAL_USER
from maclab.programs import _fdesetup_keys as keys
from maclab.programs import _fdesetup_users as users
from maclab.programs._fdesetup import Request, parse, text
from maclab.state import Mac
from maclab.vault import Exit

# No status of the manual's fits; the one that says "FileVault is Off" is as good as any.
NOT_ROOT = 1
TYPE_COLUMN = 50
EXTENDED_TYPES = {
    vault.PRK: "Personal Recovery Record",
    "MDMRecovery": "Bootstrap Token",
    "DiskUser": "Unknown User",
    "Unknown": "Unknown User",
    "iCloudRecovery": "iCloud Recovery Record",
}


async def main(call: Call) -> int:
    words = [word for word in call.argv if word != "-verbose"]
    verb = words[0] if words else ""
    if verb in UNMODELLED_VERBS:
        return call.refuse(KNOWN)
    if verb not in VERBS:
        call.err(text(call, "unknown") if verb else "")
        call.err(text(call, "usage"))
        return Exit.UNKNOWN_COMMAND
    if verb not in FOR_EVERYBODY and not call.is_root:
        call.err(text(call, "not_root"))
        return NOT_ROOT
    request = parse(words[1:], verbose="-verbose" in call.argv)
    if request.unmodelled or request.values.get("-device", "/") not in ("/", call.mac.device):
        return call.refuse(KNOWN)
    if request.unknown:
        call.err(text(call, "parameter", word=request.unknown[0]))
        return Exit.PARAMETER
    return await VERBS[verb](call, request)


# --- status ---------------------------------------------------------------------------------------


async def _status(call: Call, request: Request) -> int:
    vault_now = call.mac.filevault
    heads = {
        "off": "off",
        "off_will_enable": "off_will",
        "off_needs_restart": "off_restart",
        "on_needs_restart": "on_restart",
    }
    call.out(text(call, heads.get(vault_now.state, "on")))
    if vault_now.state == "pending":
        call.out(text(call, "pending"))
    if vault_now.state in ("encrypting", "decrypting"):
        call.out(text(call, vault_now.state, percent=f"{vault_now.percent or 0:g}"))
    if vault_now.deferred_user is not None:
        call.out(text(call, "deferred", user=vault_now.deferred_user))
    if vault_now.master_keychain:
        call.out(text(call, "master"))
    if "-extended" in request.flags and call.mac.filesystem == "apfs":
        call.out(text(call, "extended"))
    moved = vault.advance(call.mac)
    if moved:
        await call.commit()
    if "-extended" in request.flags and vault_now.state in ("encrypting", "decrypting"):
        # It prints how far the volume is until somebody interrupts it (manual).
        await hang()
    return Exit.OK


async def _list(call: Call, request: Request) -> int:
    if "-extended" in request.flags:
        return _list_extended(call)
    records = [user.uuid for user in call.mac.crypto_users.values() if user.kind == vault.PRK]
    if not rules.FDESETUP_LIST_PRK.at(call.mac.version_tuple):
        records = []
    for guid in [*vault.listed(call.mac), *records]:
        account = call.mac.by_guid(guid)
        call.out(f"{account.name if account else '(null)'},{guid}\n")
    return Exit.OK


def _list_extended(call: Call) -> int:
    call.out(f"{'ESCROW  UUID':<58}{'TYPE':>27} USER\n")
    rows = dict.fromkeys([*call.mac.crypto_users, *vault.listed(call.mac)])
    for guid in rows:
        if guid in call.mac.filevault.hidden_users:
            continue
        account, user = call.mac.by_guid(guid), call.mac.crypto_users.get(guid)
        kind = user.kind if user else LOCAL_USER
        name = EXTENDED_TYPES.get(kind) or ("OS User" if account else "Unknown User")
        call.out(f"        {guid} {name:>40}{' ' + account.name if account else ''}\n")
    return Exit.OK


def _boolean(answer: Callable[[Mac], bool]) -> Callable[[Call, Request], Awaitable[int]]:
    async def verb(call: Call, request: Request) -> int:
        call.out("true\n" if answer(call.mac) else "false\n")
        return Exit.OK

    return verb


async def _is_active(call: Call, request: Request) -> int:
    state = call.mac.filevault.state
    active = vault.is_on(call.mac)
    call.out("true\n" if active else "false\n")
    if not active:
        return Exit.OFF
    return Exit.OK if state == "on" else Exit.BUSY


def supports_auth_restart(mac: Mac) -> bool:
    return mac.filevault.state == "on" and faults.find(mac, "authrestart_unsupported", "fdesetup", ()) is None


async def _using_recovery_key(call: Call, request: Request) -> int:
    if not rules.USING_RECOVERY_KEY.at(call.mac.version_tuple):
        call.err(text(call, "not_on_apfs"))
        return Exit.UNSUPPORTED_HERE
    call.out("true\n" if call.mac.filevault.unlocked_by_key else "false\n")
    return Exit.OK


async def _show_deferral(call: Call, request: Request) -> int:
    now = call.mac.filevault
    if now.deferred_user is None:
        call.out(text(call, "no_deferral"))
        return Exit.DEFERRAL
    deferral = now.deferral
    said: dict[str, Any] = {
        "Defer": True,
        "OutputPath": deferral.path,
        "ShowRecoveryKey": deferral.show_key,
        "Usernames": [now.deferred_user] if now.deferred_user else [],
    }
    # Called as the keys of the profile that defers are; what a deferral by command shows of them is not known.
    if deferral.force_at_login is not None:
        said["DeferForceAtUserLoginMaxBypassAttempts"] = deferral.force_at_login
    if not deferral.ask_at_logout:
        said["DeferDontAskAtUserLogout"] = True
    call.out(plists.description(said) + "\n")
    return Exit.OK


VERBS: dict[str, Callable[[Call, Request], Awaitable[int]]] = {
    "status": _status,
    "list": _list,
    "isactive": _is_active,
    "haspersonalrecoverykey": _boolean(lambda mac: mac.filevault.prk is not None),
    "hasinstitutionalrecoverykey": _boolean(lambda mac: mac.filevault.irk),
    "supportsauthrestart": _boolean(supports_auth_restart),
    "usingrecoverykey": _using_recovery_key,
    "showdeferralinfo": _show_deferral,
    "enable": users.enable,
    "disable": users.disable,
    "add": users.add,
    "remove": users.remove,
    "sync": users.sync,
    "changerecovery": keys.change,
    "removerecovery": keys.remove,
    "validaterecovery": keys.validate,
    "authrestart": keys.auth_restart,
}
# What the manual has, and nobody has shown the output of.
UNMODELLED_VERBS = {"help", "-help", "version"}
KNOWN = f"{', '.join(VERBS)}, of the volume that it started from, without an institutional key"
FOR_EVERYBODY = {
    "status",
    "isactive",
    "haspersonalrecoverykey",
    "hasinstitutionalrecoverykey",
    "supportsauthrestart",
    "usingrecoverykey",
}
