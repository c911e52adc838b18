# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be sysadminctl: everything on stderr, exit status 0 whatever happened, and success texts that may lie."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from maclab import directory, rules
from maclab.call import Call
from maclab.directory import Outcome
from maclab.state import Account, Mac
from maclab.texts import say

WITH_VALUE = {
    "-adminUser",
    "-adminPassword",
    "-deleteUser",
    "-newPassword",
    "-oldPassword",
    "-passwordHint",
    "-resetPasswordFor",
    "-addUser",
    "-fullName",
    "-UID",
    "-shell",
    "-password",
    "-hint",
    "-home",
    "-picture",
    "-secureTokenStatus",
    "-secureTokenOn",
    "-secureTokenOff",
    "-guestAccount",
    "-afpGuestAccess",
    "-smbGuestAccess",
    "-automaticTime",
    "-filesystem",
}
FLAGS = {"-secure", "-keepHome", "-admin", "interactive"}
PROMPT = "-"


@dataclass
class Request:
    """The arguments, sorted into options with a value and flags."""

    values: dict[str, str] = field(default_factory=dict)
    flags: set[str] = field(default_factory=set)
    unknown: list[str] = field(default_factory=list)

    def get(self, option: str) -> str | None:
        return self.values.get(option)

    @property
    def granter(self) -> str | None:
        """The administrator whose credentials were given; a name without a password counts as none."""
        return self.get("-adminUser") if "-adminPassword" in self.values else None


def parse(argv: list[str], version: rules.Version) -> Request:
    """Sort the arguments as sysadminctl does: an option without its value silently eats the next word."""
    with_value, flags = _options_of(version)
    request = Request()
    words = iter(argv)
    for word in words:
        if word in with_value:
            request.values[word] = next(words, "")
        elif word in flags:
            request.flags.add(word)
        else:
            request.unknown.append(word)
    return request


def _options_of(version: rules.Version) -> tuple[set[str], set[str]]:
    with_value, flags = set(WITH_VALUE), set(FLAGS)
    if rules.ADDUSER_FLAGS_11.at(version):
        with_value.add("-GID")
        flags.add("-roleAccount")
    if rules.SCREEN_LOCK.at(version):
        with_value.add("-screenLock")
    if rules.AUTOLOGIN.at(version):
        with_value |= {"-autologin", "-userName"}
    return with_value, flags


async def main(call: Call) -> int:
    request = parse(call.argv, call.mac.version_tuple)
    if rules.CREDENTIALS_ALWAYS_NEEDED.at(call.mac.version_tuple) and request.get("-adminPassword") is None:
        _tell(call, "framework")
        return 0
    action = next((name for name in ACTIONS if name in request.values), None)
    if action is None or request.unknown:
        _tell(call, "usage")
        return 0
    if action in NEEDS_ROOT and not _authorised(call, request):
        _tell(call, "not_root")
        return 0
    await ACTIONS[action](call, request)
    return 0


def _authorised(call: Call, request: Request) -> bool:
    headless_dialog = "interactive" in request.flags
    return call.is_root and not headless_dialog and call.fault("lockout_root") is None


def _tell(call: Call, key: str, **values: object) -> None:
    call.log(say(f"sysadminctl.{key}", call.mac.version_tuple, **values))


# --- secrets --------------------------------------------------------------------------------------


async def _secret(call: Call, given: str, prompt: str, limit: int | None = None) -> str:
    """Return the password of an option: the word itself, or what a prompt brings when the word is '-'."""
    if given != PROMPT:
        return given
    if call.stdin_is_tty:
        return await call.getpass(prompt) or ""
    line = await call.ask_on_stdin(prompt) or ""
    kept = limit or rules.STDIN_LIMIT.at(call.mac.version_tuple)
    return line.encode("utf-8", "surrogateescape")[:kept].decode("utf-8", "surrogateescape")


async def _admin_secret(call: Call, request: Request) -> str:
    name = request.get("-adminUser") or ""
    prompt = say("sysadminctl.prompt_admin", call.mac.version_tuple, full_name=_full_name(call.mac, name))
    limit = rules.STDIN_LIMIT_GRANTER.at(call.mac.version_tuple)
    return await _secret(call, request.get("-adminPassword") or "", prompt, limit)


async def _token_user_secret(call: Call, request: Request, user: str) -> str:
    prompt = say("sysadminctl.prompt_user_token", call.mac.version_tuple, full_name=_full_name(call.mac, user))
    return await _secret(call, request.get("-password") or "", prompt)


def _full_name(mac: Mac, name: str) -> str:
    account = directory.find(mac, name)
    return account.full_name if account else name


# --- Secure Token ---------------------------------------------------------------------------------


async def _token_status(call: Call, request: Request) -> None:
    user = request.values["-secureTokenStatus"]
    account = directory.find(call.mac, user)
    if account is None:
        _tell(call, "unknown_user", user=user)
        return
    state = "ENABLED" if account.has_authority_token else "DISABLED"
    _tell(call, "status", state=state, full_name=account.full_name)


async def _token_on(call: Call, request: Request) -> None:
    user = request.values["-secureTokenOn"]
    admin_password = await _admin_secret(call, request)
    password = await _token_user_secret(call, request, user)
    fault = call.fault("token_does_not_stick")
    sticks = fault is None or fault.options.get("user", user) != user
    granter = request.granter or ""
    cut = _granter_password_was_cut(call, request, admin_password)
    outcome = directory.grant(call.mac, user, password, granter, admin_password, sticks)
    _journal(call, granter, user, outcome)
    await _finish_token(call, Outcome.USER_PASSWORD_WRONG if cut and not outcome else outcome, user, "token granted")


async def _token_off(call: Call, request: Request) -> None:
    user = request.values["-secureTokenOff"]
    admin_password = await _admin_secret(call, request)
    password = await _token_user_secret(call, request, user)
    granter = request.granter or ""
    outcome = directory.revoke(call.mac, user, password, granter, admin_password)
    _journal(call, granter, user, outcome)
    await _finish_token(call, outcome, user, "token removed")


def _granter_password_was_cut(call: Call, request: Request, admin_password: str) -> bool:
    """Tell whether the reader dropped bytes of the granter's password: the failure then blames the grantee's."""
    piped = request.get("-adminPassword") == PROMPT and not call.stdin_is_tty
    return piped and len(admin_password.encode("utf-8", "surrogateescape")) >= rules.STDIN_LIMIT_GRANTER.at(
        call.mac.version_tuple
    )


def _journal(call: Call, granter: str, user: str, outcome: Outcome) -> None:
    granter_ok = outcome not in (Outcome.NO_UNLOCK, Outcome.NOT_ADMIN)
    if granter:
        call.authenticated(granter, granter_ok)
    if granter_ok and outcome is not Outcome.USER_UNKNOWN:
        call.authenticated(user, outcome is not Outcome.USER_PASSWORD_WRONG)


async def _finish_token(call: Call, outcome: Outcome, user: str, what: str) -> None:
    if outcome is Outcome.DONE:
        call.wrote(what)
    await call.commit()
    _tell_outcome(call, outcome, user)


def _tell_outcome(call: Call, outcome: Outcome, user: str) -> None:
    keys = {
        Outcome.DONE: "done",
        Outcome.DONE_BUT_NOTHING: "done",
        Outcome.USER_UNKNOWN: "token_user_unknown",
        Outcome.USER_PASSWORD_WRONG: "wrong_user_password",
        Outcome.NOT_ADMIN: "not_admin",
        Outcome.NO_UNLOCK: "no_unlock",
        Outcome.LAST_HOLDER: "off_last_holder",
        Outcome.POLICY: "policy_change",
    }
    values = {"user": user} if outcome in (Outcome.USER_UNKNOWN, Outcome.LAST_HOLDER) else {}
    _tell(call, keys[outcome], **values)


# --- passwords ------------------------------------------------------------------------------------


async def _change_own(call: Call, request: Request) -> None:
    old_prompt = say("sysadminctl.prompt_old", call.mac.version_tuple)
    old = await _secret(call, request.get("-oldPassword") or "", old_prompt)
    new = await _secret(call, request.values["-newPassword"], say("sysadminctl.prompt_new", call.mac.version_tuple))
    account = directory.find(call.mac, call.user)
    if account is None or not rules.SELF_CHANGE_OVER_SSH.at(call.mac.version_tuple):
        return
    outcome = directory.change_password(call.mac, account, old, new)
    call.authenticated(call.user, outcome is not Outcome.USER_PASSWORD_WRONG)
    if outcome:
        account.hint = request.get("-passwordHint") or account.hint
        call.wrote("password changed")
    await call.commit()
    if outcome is Outcome.USER_PASSWORD_WRONG:
        _tell(call, "wrong_old")
    else:
        _tell_outcome(call, outcome, call.user)


async def _reset(call: Call, request: Request) -> None:
    user = request.values["-resetPasswordFor"]
    new_prompt = say("sysadminctl.prompt_new", call.mac.version_tuple)
    new = await _secret(call, request.get("-newPassword") or "", new_prompt)
    granter = request.granter
    granter_password = await _admin_secret(call, request) if granter else None
    account = directory.find(call.mac, user)
    if account is None:
        return
    outcome = directory.reset_password(call.mac, account, new, granter, granter_password)
    if granter:
        call.authenticated(granter, outcome is not Outcome.NO_UNLOCK)
    if outcome:
        account.hint = request.get("-passwordHint") or account.hint
        call.wrote("password reset")
    await call.commit()
    if granter is None and outcome is not Outcome.NO_UNLOCK:
        _banner(call)
    _tell_outcome(call, outcome, user)


# --- accounts -------------------------------------------------------------------------------------


@dataclass
class NewUser:
    """What -addUser was asked for."""

    name: str
    full_name: str
    password: str | None
    granter: str | None
    granter_password: str | None
    is_role: bool


async def _add_user(call: Call, request: Request) -> None:
    granter = request.granter
    name = request.values["-addUser"]
    is_role = "-roleAccount" in request.flags
    if granter is None:
        _banner(call)
    if _refuse_record(call, request, name, is_role):
        return
    _tell(call, "creating")
    wanted = NewUser(
        name=name,
        full_name=request.get("-fullName") or name,
        password=await _new_password(call, request),
        granter=granter,
        granter_password=await _admin_secret(call, request) if granter else None,
        is_role=is_role,
    )
    if await _refuse_credentials(call, wanted):
        return
    if wanted.password is not None and not is_role and directory.policy_refuses(call.mac, wanted.password):
        _tell(call, "policy")
        return
    await _make_user(call, request, wanted)


def _banner(call: Call) -> None:
    _tell(call, "banner_rule")
    _tell(call, "banner")
    _tell(call, "banner_rule")


async def _new_password(call: Call, request: Request) -> str | None:
    given = request.get("-password")
    if given is None:
        return None
    return await _secret(call, given, say("sysadminctl.prompt_user", call.mac.version_tuple))


def _refuse_record(call: Call, request: Request, name: str, is_role: bool) -> bool:
    if len(name.encode()) > directory.MAX_NAME_BYTES:
        _tell(call, "creating")
        for code, line in ((-14136, 496), (-14071, 326)):
            _tell(call, "record_error", code=code, line=line)
        return True
    full_name = request.get("-fullName")
    if full_name and directory.full_name_taken(call.mac, full_name, name):
        _tell(call, "full_name_taken", full_name=full_name)
        return True
    if is_role and not _role_allowed(name, request.get("-UID")):
        _tell(call, "role_refused")
        return True
    return False


def _role_allowed(name: str, uid: str | None) -> bool:
    return name.startswith("_") and uid is not None and uid.isdigit() and 200 <= int(uid) <= 400


async def _refuse_credentials(call: Call, wanted: NewUser) -> bool:
    if wanted.granter is None:
        return False
    verdict = directory.authenticate(call.mac, wanted.granter, wanted.granter_password or "")
    call.authenticated(wanted.granter, bool(verdict))
    if not verdict:
        await call.commit()
        _tell(call, "no_unlock")
    return not verdict


async def _make_user(call: Call, request: Request, wanted: NewUser) -> None:
    mac, version = call.mac, call.mac.version_tuple
    existing = directory.find(mac, wanted.name)
    if existing is not None:
        _tell(call, "record_exists", line=496)
    uid = _uid(call, request, existing)
    gid = int(request.get("-GID") or directory.STAFF_GID)
    account = existing or directory.new_account(mac, wanted.name, wanted.full_name, uid, gid)
    _apply(call, request, wanted, account, uid, gid)
    call.wrote("account created")
    await call.commit()
    key = "uid" if rules.ADDUSER_LINES.at(version) == "old" else "uid_gid"
    _tell(call, key, **({"uid": uid} if key == "uid" else {"uid": uid, "gid": gid}))
    if existing is not None and wanted.password is None:
        _tell(call, "record_exists", line=326)
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
    if directory.unlock_key(call.mac, granter, wanted.granter_password or ""):
        directory.give_token(call.mac, account)
        call.wrote("token granted")


def _make_home(call: Call, request: Request, account: Account) -> None:
    if request.get("-home") and rules.ADDUSER_LINES.at(call.mac.version_tuple) == "new":
        _tell(call, "home_assigned", home=account.home)
        return
    _tell(call, "home_created", home=account.home)
    if account.home_exists:
        _tell(call, "home_exists", home=account.home)
    account.home_exists = True


async def _delete_user(call: Call, request: Request) -> None:
    user = request.values["-deleteUser"]
    account = directory.find(call.mac, user)
    if account is None:
        _tell(call, "delete_unknown", user=user)
        return
    if directory.is_last_guarded(call.mac, account):
        _tell(call, "delete_guard", user=user)
        return
    _tell(call, "delete_kill", uid=account.uid)
    if call.fault("delete_does_nothing") is not None:
        return
    await _delete_home(call, request, account)
    _tell(call, "delete_share", user=user)
    _tell(call, "delete_record", user=user)
    if call.fault("no_full_disk_access") is not None:
        _tell(call, "record_error", code=-14120, line=563)
        return
    directory.delete_account(call.mac, account)
    call.wrote("account deleted")
    await call.commit()
    _tell(call, "delete_btmm", uid=account.uid)


async def _delete_home(call: Call, request: Request, account: Account) -> None:
    if "-keepHome" in request.flags:
        _tell(call, "delete_home_keep", user=account.name, home=account.home)
        return
    key = "delete_home_secure" if "-secure" in request.flags else "delete_home"
    _tell(call, key, user=account.name, home=account.home)
    account.home_exists = False
    call.wrote("home deleted")
    await call.commit()


# --- the rest -------------------------------------------------------------------------------------


async def _screen_lock(call: Call, request: Request) -> None:
    _tell(call, "screen_lock" if request.values["-screenLock"] == "status" else "password_required")


async def _autologin(call: Call, request: Request) -> None:
    if request.values["-autologin"] != "set":
        return
    await _secret(call, request.get("-password") or "", say("sysadminctl.prompt_user", call.mac.version_tuple))
    await _admin_secret(call, request)
    _tell(call, "autologin")


def _answer(key: str) -> Callable[[Call, Request], Awaitable[None]]:
    async def action(call: Call, request: Request) -> None:
        _tell(call, key)

    return action


async def _filesystem(call: Call, request: Request) -> None:
    _tell(call, "filesystem", filesystem=call.mac.filesystem.upper())


ACTIONS: dict[str, Callable[[Call, Request], Awaitable[None]]] = {
    "-secureTokenStatus": _token_status,
    "-secureTokenOn": _token_on,
    "-secureTokenOff": _token_off,
    "-addUser": _add_user,
    "-deleteUser": _delete_user,
    "-resetPasswordFor": _reset,
    "-newPassword": _change_own,
    "-screenLock": _screen_lock,
    "-autologin": _autologin,
    "-guestAccount": _answer("guest"),
    "-smbGuestAccess": _answer("smb"),
    "-afpGuestAccess": _answer("afp"),
    "-automaticTime": _answer("time"),
    "-filesystem": _filesystem,
}
NEEDS_ROOT = {"-secureTokenOn", "-secureTokenOff", "-addUser", "-deleteUser", "-resetPasswordFor"}
