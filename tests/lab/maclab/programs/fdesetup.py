# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be fdesetup, as far as reading FileVault goes; its list of users disagrees with the volume's where macOS's does."""

from __future__ import annotations

from collections.abc import Callable

from maclab import rules
from maclab.call import Call
from maclab.directory import LOCAL_USER
from maclab.state import Mac
from maclab.texts import say

UNKNOWN_COMMAND = 13
NOT_ROOT = 1
OFF, BUSY = 1, 2
PRK = "PersonalRecovery"
TYPE_COLUMN = 50
EXTENDED_TYPES = {
    PRK: "Personal Recovery Record",
    "MDMRecovery": "Bootstrap Token",
    "DiskUser": "Unknown User",
    "Unknown": "Unknown User",
    "iCloudRecovery": "iCloud Recovery Record",
}


async def main(call: Call) -> int:
    words = [word for word in call.argv if word != "-verbose"]
    verb = words[0] if words else ""
    if verb in VERBS:
        return VERBS[verb](call, words[1:])
    call.err(_text(call, "unknown") if verb else "")
    call.err(_text(call, "usage"))
    return UNKNOWN_COMMAND


def _text(call: Call, key: str, **values: object) -> str:
    return say(f"fdesetup.{key}", call.mac.version_tuple, **values)


def _status(call: Call, words: list[str]) -> int:
    vault = call.mac.filevault
    heads = {
        "off": "off",
        "off_will_enable": "off_will",
        "off_needs_restart": "off_restart",
        "on_needs_restart": "on_restart",
    }
    call.out(_text(call, heads.get(vault.state, "on")))
    if vault.state == "pending":
        call.out(_text(call, "pending"))
    if vault.state in ("encrypting", "decrypting"):
        call.out(_text(call, vault.state, percent=f"{vault.percent or 0:g}"))
    if vault.deferred_user:
        call.out(_text(call, "deferred", user=vault.deferred_user))
    if vault.master_keychain:
        call.out(_text(call, "master"))
    return 0


def listed(mac: Mac) -> list[str]:
    """Return the GUIDs of people in `fdesetup list`: the crypto users, less the removed ones, plus the ghosts."""
    people = [user.uuid for user in mac.crypto_users.values() if user.kind == LOCAL_USER]
    shown = [guid for guid in people if guid not in mac.filevault.hidden_users]
    return shown + [guid for guid in mac.filevault.ghosts if guid not in shown]


def _list(call: Call, words: list[str]) -> int:
    if not call.is_root:
        call.err(_text(call, "not_root"))
        return NOT_ROOT
    if "-extended" in words:
        return _list_extended(call)
    keys = [user.uuid for user in call.mac.crypto_users.values() if user.kind == PRK]
    if not rules.FDESETUP_LIST_PRK.at(call.mac.version_tuple):
        keys = []
    for guid in [*listed(call.mac), *keys]:
        account = call.mac.by_guid(guid)
        call.out(f"{account.name if account else '(null)'},{guid}\n")
    return 0


def _list_extended(call: Call) -> int:
    call.out(f"{'ESCROW  UUID':<58}{'TYPE':>27} USER\n")
    rows = dict.fromkeys([*call.mac.crypto_users, *listed(call.mac)])
    for guid in rows:
        if guid in call.mac.filevault.hidden_users:
            continue
        account, user = call.mac.by_guid(guid), call.mac.crypto_users.get(guid)
        kind = user.kind if user else LOCAL_USER
        name = EXTENDED_TYPES.get(kind) or ("OS User" if account else "Unknown User")
        call.out(f"        {guid} {name:>40}{' ' + account.name if account else ''}\n")
    return 0


def _boolean(answer: Callable[[Mac], bool]) -> Callable[[Call, list[str]], int]:
    def verb(call: Call, words: list[str]) -> int:
        call.out("true\n" if answer(call.mac) else "false\n")
        return 0

    return verb


def _is_active(call: Call, words: list[str]) -> int:
    state = call.mac.filevault.state
    active = not state.startswith("off")
    call.out("true\n" if active else "false\n")
    if not active:
        return OFF
    return 0 if state == "on" else BUSY


def _supports_auth_restart(mac: Mac) -> bool:
    return mac.filevault.state == "on"


VERBS: dict[str, Callable[[Call, list[str]], int]] = {
    "status": _status,
    "list": _list,
    "isactive": _is_active,
    "haspersonalrecoverykey": _boolean(lambda mac: mac.filevault.prk is not None),
    "hasinstitutionalrecoverykey": _boolean(lambda mac: mac.filevault.irk),
    "supportsauthrestart": _boolean(_supports_auth_restart),
}
