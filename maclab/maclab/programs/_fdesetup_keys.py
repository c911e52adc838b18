# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make, remove and check the recovery key, and restart with the volume unlocked: fdesetup's verbs for that."""

from __future__ import annotations

from maclab import rules, vault
from maclab.call import Call, Restart
from maclab.programs._fdesetup import Credentials, Request, be_verbose, credentials, fail, prove, show_key, text
from maclab.vault import Exit


async def change(call: Call, request: Request) -> int:
    mac = call.mac
    be_verbose(call, request)
    refusal = _refuse_kind(call, request)
    if refusal is not Exit.OK:
        return refusal
    if not vault.is_on(mac) or mac.filevault.state == "decrypting":
        return fail(call, Exit.NOT_READY, "not_ready")
    given = await credentials(call, request)
    if given is None:
        return fail(call, Exit.BAD_INPUT, "bad_input")
    if "-inputplist" in request.flags and rules.CHANGE_INTERNAL_ERROR.at(mac.version_tuple):
        return fail(call, Exit.INTERNAL, "internal")
    if not prove(call, given, rules.KEY_AUTHENTICATES.at(mac.version_tuple)) or _is_somebody_else(call, given):
        return await _refuse_change(call, request)
    key = vault.make_key(mac)
    call.wrote("recovery key changed")
    await call.commit()
    shown = rules.CHANGE_SHOWS_KEY.at(mac.version_tuple)
    show_key(call, request, given.name, key, changed=True, by_itself="new_key" if shown else None)
    return Exit.OK


def _refuse_kind(call: Call, request: Request) -> int:
    if "-institutional" in request.flags:
        return fail(call, Exit.UNSUPPORTED_ON_APFS, "not_on_apfs")
    return Exit.OK if "-personal" in request.flags else fail(call, Exit.PARAMETER, "which_key")


def _is_somebody_else(call: Call, given: Credentials) -> bool:
    needed = rules.CHANGE_NEEDS_CONSOLE_USER.at(call.mac.version_tuple)
    return needed and given.name not in call.mac.logged_in[-1:]


async def _refuse_change(call: Call, request: Request) -> int:
    version = call.mac.version_tuple
    if call.mac.filevault.prk and rules.FAILED_CHANGE_DELETES_KEY.at(version):
        vault.drop_key(call.mac)
        call.wrote("recovery key deleted")
    await call.commit()
    status = rules.CHANGE_REFUSED.at(version)
    if status == Exit.NOT_IN_THE_MANUAL:
        return fail(call, status, "not_changed")
    return fail(call, status, "not_authenticated" if "-inputplist" in request.flags else "not_changed_typed")


async def remove(call: Call, request: Request) -> int:
    be_verbose(call, request)
    refusal = _refuse_kind(call, request)
    if refusal is not Exit.OK:
        return refusal
    given = await credentials(call, request)
    if given is None:
        return fail(call, Exit.BAD_INPUT, "bad_input")
    if call.mac.filevault.prk is None:
        return fail(call, Exit.CANNOT_REMOVE_KEY, "no_key")
    if not prove(call, given, rules.KEY_AUTHENTICATES.at(call.mac.version_tuple)):
        await call.commit()
        return fail(call, rules.REMOVE_KEY_REFUSED.at(call.mac.version_tuple), "key_not_removed")
    vault.drop_key(call.mac)
    call.wrote("recovery key removed")
    await call.commit()
    return Exit.OK


async def validate(call: Call, request: Request) -> int:
    if "-inputplist" in request.flags:
        given = await credentials(call, request)
        if given is None:
            return fail(call, Exit.BAD_INPUT, "bad_input")
        key = given.password
    else:
        key = await call.getpass(text(call, "prompt_key")) or ""
    valid = bool(key) and key == call.mac.filevault.prk
    call.out("true\n" if valid else "false\n")
    return Exit.OK if valid else rules.VALIDATE_FALSE.at(call.mac.version_tuple)


async def auth_restart(call: Call, request: Request) -> int:
    minutes = request.number("-delayminutes") if "-delayminutes" in request.values else 0
    if minutes is None:
        return fail(call, Exit.PARAMETER, "parameter", word="-delayminutes")
    given = await credentials(call, request)
    if given is None:
        return fail(call, Exit.BAD_INPUT, "bad_input")
    if call.mac.filevault.state != "on":
        return fail(call, Exit.NOT_READY, "not_ready")
    if not prove(call, given, key_allowed=True):
        await call.commit()
        return fail(call, Exit.AUTHENTICATION, "not_authenticated")
    if call.fault("authrestart_fails") is not None:
        return fail(call, Exit.INTERNAL, "not_restarting")
    if minutes < 0:
        call.mac.restart_armed = True
        call.wrote("next restart unlocked")
        await call.commit()
        return Exit.OK
    call.wrote("restart")
    await call.commit()
    call.restart = Restart(minutes * 60.0, unlocked=True)
    call.err(text(call, "restarting"))
    return Exit.OK
