# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn FileVault on and off, now or later, and decide who may unlock it: fdesetup's verbs for that."""

from __future__ import annotations

from maclab import directory, rules, vault
from maclab.call import Call, Restart, hang
from maclab.programs._fdesetup import Credentials, Request, be_verbose, credentials, fail, prove, show_key, text
from maclab.state import Deferral
from maclab.vault import Exit, Proof

# --- enable ---------------------------------------------------------------------------------------


async def enable(call: Call, request: Request) -> int:
    be_verbose(call, request)
    refusal = _refuse_enabling(call)
    if refusal is not Exit.OK:
        return refusal
    if "-defer" in request.values:
        return await _defer(call, request)
    given = await credentials(call, request)
    if given is None:
        return fail(call, Exit.BAD_INPUT, "bad_input")
    refusal = await _refuse_without_access(call)
    if refusal is Exit.OK:
        refusal = _refuse_credentials(call, given)
    if refusal is not Exit.OK:
        await call.commit()
        return refusal
    if call.fault("enable_does_nothing") is not None:
        return Exit.OK
    key = vault.turn_on(call.mac)
    call.wrote("FileVault enabled")
    call.wrote("recovery key made" if key else "recovery key kept")
    await call.commit()
    shown = rules.ENABLE_SHOWS_KEY.at(call.mac.version_tuple)
    show_key(call, request, given.name, key, changed=False, by_itself="key" if shown else None)
    if "-authrestart" in request.flags:
        call.restart = Restart(0, unlocked=True)
    return Exit.OK


def _refuse_enabling(call: Call) -> int:
    mac = call.mac
    if mac.filesystem != "apfs":
        return fail(call, Exit.CORESTORAGE, "corestorage")
    if mac.mdm.forbids_filevault:
        return fail(call, Exit.MANAGED, "managed")
    if mac.filevault.state == "decrypting":
        return fail(call, Exit.NOT_READY, "not_ready")
    if vault.is_on(mac):
        return fail(call, rules.ENABLE_ALREADY_ON.at(mac.version_tuple), "already_on")
    return Exit.OK


async def _refuse_without_access(call: Call) -> int:
    """A dialog asks whoever is at the screen, and nobody answers it."""
    if call.fault("no_full_disk_access") is None:
        return Exit.OK
    attended = bool(call.mac.logged_in)
    rule = rules.FULL_DISK_ACCESS if attended else rules.FULL_DISK_ACCESS_UNATTENDED
    answer = rule.at(call.mac.version_tuple)
    if answer == "dialog":
        await hang()
    return fail(call, Exit.INTERNAL, "no_access") if answer == "refused" else Exit.OK


def _refuse_credentials(call: Call, given: Credentials) -> int:
    mac = call.mac
    if vault.has_blank_password(mac):
        return fail(call, Exit.BLANK_PASSWORD, "blank")
    for name, _ in given.others:
        if directory.find(mac, name) is None:
            return fail(call, Exit.NO_RECORD, "no_record", user=name)
    if not prove(call, given, key_allowed=False):
        return fail(call, Exit.AUTHENTICATION, "not_authenticated")
    for name, password in given.others:
        if not _let_in(call, name, password):
            return fail(call, Exit.ADD_FAILED, "not_added")
    return Exit.OK


def _let_in(call: Call, name: str, password: str) -> bool:
    account = directory.find(call.mac, name)
    ok = account is not None and bool(directory.authenticate(call.mac, name, password))
    call.authenticated(name, ok)
    return account is not None and ok and vault.add_unlocker(call.mac, account)


async def _defer(call: Call, request: Request) -> int:
    user = request.values.get("-user", "")
    account = directory.find(call.mac, user)
    if user and (account is None or account.service):
        return fail(call, Exit.NO_RECORD, "no_record", user=user)
    if not request.values["-defer"].startswith("/"):
        return fail(call, Exit.PARAMETER, "parameter", word="-defer")
    if "-forceatlogin" in request.values and request.number("-forceatlogin") is None:
        return fail(call, Exit.PARAMETER, "parameter", word="-forceatlogin")
    shows = rules.DEFERRAL_SHOWS_KEY.at(call.mac.version_tuple) or "-showrecoverykey" in request.flags
    deferral = Deferral(
        path=request.values["-defer"],
        force_at_login=request.number("-forceatlogin"),
        ask_at_logout="-dontaskatlogout" not in request.flags,
        show_key=shows and "-norecoverykey" not in request.flags,
    )
    vault.defer(call.mac, user, deferral)
    call.wrote("FileVault deferred")
    await call.commit()
    return Exit.OK


# --- disable --------------------------------------------------------------------------------------


async def disable(call: Call, request: Request) -> int:
    mac = call.mac
    if "-inputplist" in request.flags and not rules.DISABLE_INPUTPLIST.at(mac.version_tuple):
        return fail(call, Exit.PARAMETER, "parameter", word="-inputplist")
    if not vault.is_on(mac):
        return await _cancel_deferral(call)
    if mac.filevault.state in ("decrypting", "encrypting", "pending"):
        return fail(call, Exit.NOT_READY, "not_ready")
    be_verbose(call, request)
    given = await credentials(call, request)
    if given is None:
        return fail(call, Exit.BAD_INPUT, "bad_input")
    proof = prove(call, given, rules.KEY_AUTHENTICATES.at(mac.version_tuple))
    if not proof:
        await call.commit()
        if proof is Proof.WRONG:
            return fail(call, Exit.AUTHENTICATION, "not_authenticated")
        call.out(text(call, "not_disabled"))
        return Exit.DISABLE_FAILED
    vault.turn_off(mac)
    call.wrote("FileVault disabled")
    await call.commit()
    call.out(text(call, "disabled"))
    return Exit.OK


async def _cancel_deferral(call: Call) -> int:
    if call.mac.filevault.deferred_user is None:
        return fail(call, Exit.NOT_READY, "not_ready")
    call.mac.filevault.deferred_user = None
    call.wrote("deferral cancelled")
    await call.commit()
    return Exit.OK


# --- users ----------------------------------------------------------------------------------------


async def add(call: Call, request: Request) -> int:
    mac = call.mac
    be_verbose(call, request)
    if not vault.is_on(mac) or mac.filevault.state == "decrypting":
        return fail(call, Exit.NOT_READY, "not_ready")
    given = await credentials(call, request)
    if given is None:
        return fail(call, Exit.BAD_INPUT, "bad_input")
    missing = next((name for name, _ in given.others if directory.find(mac, name) is None), None)
    if missing is not None:
        return fail(call, Exit.NO_RECORD, "no_record", user=missing)
    if not given.others:
        return fail(call, Exit.PARAMETER, "parameter", word="-usertoadd")
    added = _authorises_adding(call, request, given) and _add_all(call, given)
    if added:
        call.wrote("FileVault users added")
    await call.commit()
    if not added:
        if request.verbose:
            call.out("".join(text(call, "verbose_adding", user=name) for name, _ in given.others))
        return fail(call, Exit.ADD_FAILED, "not_added")
    return Exit.OK


def _authorises_adding(call: Call, request: Request, given: Credentials) -> bool:
    proof = prove(call, given, rules.KEY_ADDS_USERS.at(call.mac.version_tuple))
    if not proof and request.verbose:
        call.out(text(call, "verbose_not_authenticated", user=given.name))
    return bool(proof)


def _add_all(call: Call, given: Credentials) -> bool:
    answers = [_let_in(call, name, password) for name, password in given.others]
    return all(answers)


async def remove(call: Call, request: Request) -> int:
    guid = request.values.get("-uuid", "").upper()
    if "-user" in request.values:
        account = directory.find(call.mac, request.values["-user"])
        guid = account.generated_uid if account else ""
    if not guid or not vault.remove_unlocker(call.mac, guid):
        return fail(call, Exit.CANNOT_REMOVE, "not_removed")
    call.wrote("FileVault user removed")
    await call.commit()
    return Exit.OK


async def sync(call: Call, request: Request) -> int:
    if vault.sync(call.mac):
        call.wrote("FileVault users synchronised")
        await call.commit()
    return Exit.OK
