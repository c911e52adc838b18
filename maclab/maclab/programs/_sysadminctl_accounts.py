# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make and delete accounts as sysadminctl does: line by line, and half-done where macOS leaves them half-done."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import PurePosixPath

from maclab import directory, models, places, rules
from maclab.call import Call
from maclab.programs._sysadminctl import PROMPT, Request, secret, tell, tell_banner, verified_granter
from maclab.state import Account
from maclab.texts import say


@dataclass
class NewUser:
    """What -addUser was asked for; `granter`: who has proven to be an administrator."""

    name: str
    full_name: str
    password: str | None
    granter: str | None
    granter_password: str
    is_role: bool


async def add(call: Call, request: Request) -> int:
    """Wrong credentials of an administrator count as none: the account is made, without a token."""
    granter, granter_password = await verified_granter(call, request)
    name, given = request.values["-addUser"], request.get("-password")
    is_role = "-roleAccount" in request.flags
    if granter is None:
        tell_banner(call)
    if _refuse_record(call, request, name, is_role):
        return 0
    if given != PROMPT and _refuse_password(call, given, is_role):
        return 0
    _tell_stray_line(call)
    tell(call, "creating")
    prompt = say("sysadminctl.prompt_user", call.mac.version_tuple)
    password = None if given is None else await secret(call, given, prompt)
    if given == PROMPT and _refuse_password(call, password, is_role):
        return 0
    full_name = request.get("-fullName") or name
    await _make_user(call, request, NewUser(name, full_name, password, granter, granter_password, is_role))
    return 0


def _refuse_password(call: Call, password: str | None, is_role: bool) -> bool:
    if password is None or is_role or not directory.policy_refuses(call.mac, password):
        return False
    tell(call, "policy")
    return True


def _tell_stray_line(call: Call) -> None:
    """A driver of the virtual graphics prints it, and sysadminctl puts no time before it."""
    if rules.ADDUSER_STRAY_LINE.at(call.mac.version_tuple) and call.mac.model.startswith("VirtualMac"):
        call.err(say("sysadminctl.stray_line", call.mac.version_tuple))


def _refuse_record(call: Call, request: Request, name: str, is_role: bool) -> bool:
    if len(name.encode()) > directory.MAX_NAME_BYTES:
        tell(call, "creating")
        for code, line in ((-14136, 496), (-14071, 326)):
            tell(call, "record_error", code=code, line=line)
        return True
    full_name = request.get("-fullName")
    if full_name and directory.full_name_taken(call.mac, full_name, name):
        tell(call, "full_name_taken", full_name=full_name)
        return True
    if is_role and not _role_allowed(name, request.get("-UID")):
        tell(call, "role_refused")
        return True
    return False


def _role_allowed(name: str, uid: str | None) -> bool:
    return name.startswith("_") and uid is not None and uid.isdigit() and 200 <= int(uid) <= 400


async def _make_user(call: Call, request: Request, wanted: NewUser) -> None:
    mac, version = call.mac, call.mac.version_tuple
    existing = directory.find(mac, wanted.name)
    if existing is not None:
        tell(call, "record_error", code=-14135, line=496)
    uid = _uid(call, request, existing)
    gid = int(request.get("-GID") or directory.STAFF_GID)
    account = existing or directory.new_account(mac, wanted.name, wanted.full_name, uid, gid)
    _apply(call, request, wanted, account, uid, gid)
    call.wrote("account created")
    await call.commit()
    key = "uid" if rules.ADDUSER_LINES.at(version) == "old" else "uid_gid"
    tell(call, key, **({"uid": uid} if key == "uid" else {"uid": uid, "gid": gid}))
    if existing is not None and wanted.password is None:
        tell(call, "record_error", code=-14135, line=326)
    if call.fault("no_full_disk_access") is not None and rules.ADDUSER_NEEDS_ACCESS.at(version):
        tell(call, "record_error", code=-14120, line=418)
    if not wanted.is_role:
        _first_password(call, wanted, account)
        await call.commit()
        _make_home(call, request, account)
        await call.commit()


def _uid(call: Call, request: Request, existing: Account | None) -> int:
    asked = request.get("-UID")
    is_role = "-roleAccount" in request.flags
    if asked is not None and asked.isdigit() and (is_role or rules.ADDUSER_UID.at(call.mac.version_tuple)):
        return int(asked)
    return existing.uid if existing else directory.next_uid(call.mac)


def _apply(call: Call, request: Request, wanted: NewUser, account: Account, uid: int, gid: int) -> None:
    account.full_name, account.uid, account.gid = wanted.full_name, uid, gid
    account.shell = request.get("-shell") or ("/usr/bin/false" if wanted.is_role else account.shell)
    account.hint = request.get("-hint") or account.hint
    account.picture = request.get("-picture") or account.picture
    account.home = request.get("-home") or ("/var/empty" if wanted.is_role else account.home)
    if wanted.is_role:
        account.hidden, account.service = True, True
    elif "-admin" in request.flags:
        directory.make_admin(call.mac, account)


def _first_password(call: Call, wanted: NewUser, account: Account) -> None:
    """Set the password; without -password the account has an empty one at once."""
    directory.set_password(call.mac, account, wanted.password or "", rewrap=False)
    call.wrote("password set")
    granter = directory.find(call.mac, wanted.granter) if wanted.granter else None
    if granter is None or not directory.is_admin(call.mac, granter):
        return
    if directory.unlock_key(call.mac, granter, wanted.granter_password):
        directory.give_token(call.mac, account)
        call.wrote("token granted")


def _make_home(call: Call, request: Request, account: Account) -> None:
    if request.get("-home") and rules.ADDUSER_LINES.at(call.mac.version_tuple) == "new":
        tell(call, "home_assigned", home=account.home)
        return
    tell(call, "home_created", home=account.home)
    if account.home_exists:
        tell(call, "home_exists", home=account.home)
    account.home_exists = True


async def delete(call: Call, request: Request) -> int:
    version, user = call.mac.version_tuple, request.values["-deleteUser"]
    if models.brought_by_macos(user):
        return call.refuse("-deleteUser of an account that is not macOS's own")
    granter, _ = await verified_granter(call, request)
    if granter is None and rules.DELETE_BANNER.at(version):
        tell_banner(call)
    account = directory.find(call.mac, user)
    if account is None:
        tell(call, "delete_unknown", user=user)
        return 0
    if directory.is_last_guarded(call.mac, account):
        tell(call, "delete_guard", user=user)
        return rules.DELETE_GUARD_STATUS.at(version)
    tell(call, "delete_kill", uid=account.uid)
    if call.fault("delete_does_nothing") is not None:
        return 0
    call.mac.logged_in[:] = [name for name in call.mac.logged_in if name != account.name]
    await _delete_home(call, request, account)
    tell(call, "delete_share", user=user)
    tell(call, "delete_record", user=user)
    refused = call.fault("no_full_disk_access") is not None
    if not refused:
        directory.delete_account(call.mac, account)
        call.wrote("account deleted")
        await call.commit()
    if rules.DELETE_BTMM_LINE.at(version):
        tell(call, "delete_btmm", uid=account.uid)
    if refused:
        tell(call, "record_error", code=-14120, line=563)
    return 0


async def _delete_home(call: Call, request: Request, account: Account) -> None:
    if "-keepHome" in request.flags:
        tell(call, "delete_home_keep", user=account.name, home=account.home)
        return
    key = "delete_home_secure" if "-secure" in request.flags else "delete_home"
    tell(call, key, user=account.name, home=account.home)
    account.home_exists = False
    _delete_files(call, account)
    call.wrote("home deleted")
    await call.commit()


def _delete_files(call: Call, account: Account) -> None:
    """Delete what lies in the home, also where the record stays (transcript delete-no-fda-27). A home that is no folder
    of its own in /Users is left alone: it would be the lab's."""
    home = PurePosixPath(account.home)
    if call.folder is not None and home.parent == PurePosixPath("/Users") and home.name not in ("", ".", ".."):
        shutil.rmtree(places.inside(call.folder / "root", account.home), ignore_errors=True)
