# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be sysadminctl: everything on stderr, exit status 0 whatever happened, and success texts that may lie."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from maclab import directory, rules
from maclab.call import Call
from maclab.directory import Outcome, Verdict
from maclab.programs import _sysadminctl_accounts as accounts
from maclab.programs import _sysadminctl_settings as settings
from maclab.programs._sysadminctl import (
    CODES,
    PROMPT,
    Request,
    admin_secret,
    parse,
    secret,
    tell,
    tell_banner,
    tell_refused,
    token_user_secret,
    verified_granter,
)
from maclab.texts import say


async def main(call: Call) -> int:
    version = call.mac.version_tuple
    request = parse(call.argv, version)
    if rules.CREDENTIALS_ALWAYS_NEEDED.at(version) and request.get("-adminPassword") is None:
        tell(call, "framework")
        return FRAMEWORK
    action = next((name for name in ACTIONS if name in request.values), None)
    if action is None or request.unknown:
        tell(call, "usage")
        return 0
    if request.without_value or not request.values[action] or BESIDE.get(action, action) not in request.values:
        return call.refuse("commands and options with their values, and -resetPasswordFor with -newPassword")
    if action in NEEDS_ROOT and not _authorised(call, request):
        tell(call, "not_root")
        return 0
    return await ACTIONS[action](call, request)


def _authorised(call: Call, request: Request) -> bool:
    headless_dialog = "interactive" in request.flags
    return call.is_root and not headless_dialog and call.fault("lockout_root") is None


# --- Secure Token ---------------------------------------------------------------------------------


async def _token_status(call: Call, request: Request) -> int:
    await verified_granter(call, request)
    user = request.values["-secureTokenStatus"]
    account = directory.find(call.mac, user)
    if account is None:
        tell(call, "unknown_user", user=user)
        return 0
    state = "ENABLED" if account.has_authority_token else "DISABLED"
    tell(call, "status", state=state, full_name=account.full_name)
    return 0


async def _token_on(call: Call, request: Request) -> int:
    user = request.values["-secureTokenOn"]
    admin_password = await admin_secret(call, request)
    password = await token_user_secret(call, request, user)
    fault = call.fault("token_does_not_stick")
    sticks = fault is None or fault.options.get("user", user) != user
    granter = request.granter or ""
    cut = _granter_password_was_cut(call, request, admin_password)
    outcome = directory.grant(call.mac, user, password, granter, admin_password, sticks)
    _journal(call, granter, user, outcome)
    return await _finish_token(call, Outcome.USER_PASSWORD_WRONG if cut and not outcome else outcome, user, "granted")


async def _token_off(call: Call, request: Request) -> int:
    user = request.values["-secureTokenOff"]
    admin_password = await admin_secret(call, request)
    password = await token_user_secret(call, request, user)
    granter = request.granter or ""
    outcome = directory.revoke(call.mac, user, password, granter, admin_password)
    _journal(call, granter, user, outcome)
    return await _finish_token(call, outcome, user, "removed")


def _granter_password_was_cut(call: Call, request: Request, admin_password: str) -> bool:
    """Tell whether the reader dropped bytes of the granter's password: the failure then blames the grantee's."""
    piped = request.get("-adminPassword") == PROMPT and not call.stdin_is_tty
    return piped and len(admin_password.encode("utf-8", "surrogateescape")) >= rules.STDIN_LIMIT_GRANTER.at(
        call.mac.version_tuple
    )


def _journal(call: Call, granter: str, user: str, outcome: Outcome) -> None:
    granter_ok = outcome not in (*directory.GRANTER_REFUSED, Outcome.NO_UNLOCK, Outcome.NOT_ADMIN)
    if granter:
        call.authenticated(granter, granter_ok)
    if granter_ok and outcome is not Outcome.USER_UNKNOWN:
        call.authenticated(user, outcome is not Outcome.USER_PASSWORD_WRONG)


async def _finish_token(call: Call, outcome: Outcome, user: str, what: str) -> int:
    if outcome is Outcome.DONE:
        call.wrote(f"token {what}")
    await call.commit()
    _tell_outcome(call, outcome, user)
    return 0


def _tell_outcome(call: Call, outcome: Outcome, user: str) -> None:
    keys = {
        Outcome.DONE: "done",
        Outcome.DONE_BUT_NOTHING: "done",
        Outcome.USER_UNKNOWN: "token_user_unknown",
        Outcome.USER_PASSWORD_WRONG: "wrong_user_password",
        Outcome.NOT_ADMIN: "not_admin",
        Outcome.NO_UNLOCK: "no_unlock",
        Outcome.OWN_CREDENTIAL: "off_own_credential",
        Outcome.POLICY: "policy_change",
    }
    if outcome in directory.GRANTER_REFUSED:
        tell_refused(call, directory.GRANTER_REFUSED[outcome])
        outcome = Outcome.NO_UNLOCK
    tell(call, keys[outcome], **({"user": user} if outcome is Outcome.USER_UNKNOWN else {}))


# --- passwords ------------------------------------------------------------------------------------


async def _change_own(call: Call, request: Request) -> int:
    old_prompt = say("sysadminctl.prompt_old", call.mac.version_tuple)
    old = await secret(call, request.get("-oldPassword") or "", old_prompt)
    new = await secret(call, request.values["-newPassword"], say("sysadminctl.prompt_new", call.mac.version_tuple))
    account = directory.find(call.mac, call.user)
    if account is None or not rules.SELF_CHANGE_OVER_SSH.at(call.mac.version_tuple):
        return 0
    outcome = directory.change_password(call.mac, account, old, new)
    call.authenticated(call.user, outcome is not Outcome.USER_PASSWORD_WRONG)
    if outcome:
        account.hint = request.get("-passwordHint") or account.hint
        call.wrote("password changed")
    await call.commit()
    if outcome is Outcome.USER_PASSWORD_WRONG:
        tell(call, "auth_error", code=CODES[Verdict.WRONG])
    else:
        _tell_outcome(call, outcome, call.user)
    return 0


async def _reset(call: Call, request: Request) -> int:
    user = request.values["-resetPasswordFor"]
    new_prompt = say("sysadminctl.prompt_new", call.mac.version_tuple)
    new = await secret(call, request.get("-newPassword") or "", new_prompt)
    granter = request.granter
    granter_password = await admin_secret(call, request) if granter else None
    account = directory.find(call.mac, user)
    if account is None:
        return 0
    outcome = directory.reset_password(call.mac, account, new, granter, granter_password)
    refused = outcome in directory.GRANTER_REFUSED or outcome is Outcome.NO_UNLOCK
    if granter:
        call.authenticated(granter, not refused)
    if outcome:
        account.hint = request.get("-passwordHint") or account.hint
        call.wrote("password reset")
    await call.commit()
    if granter is None and not refused:
        tell_banner(call)
    if not outcome:
        _tell_outcome(call, outcome, user)
        return 0
    tell(call, "resetting", full_name=account.full_name)
    tell(call, "reset_done")
    return 0


ACTIONS: dict[str, Callable[[Call, Request], Awaitable[int]]] = {
    "-secureTokenStatus": _token_status,
    "-secureTokenOn": _token_on,
    "-secureTokenOff": _token_off,
    "-addUser": accounts.add,
    "-deleteUser": accounts.delete,
    "-resetPasswordFor": _reset,
    "-newPassword": _change_own,
    "-screenLock": settings.screen_lock,
    "-autologin": settings.autologin,
    "-guestAccount": settings.guest_account,
    "-smbGuestAccess": settings.smb_guest,
    "-afpGuestAccess": settings.unmodelled,
    "-automaticTime": settings.unmodelled,
    "-filesystem": settings.filesystem,
}
# What a command cannot do without. Nobody has shown what comes of one that stands alone.
BESIDE = {"-resetPasswordFor": "-newPassword"}
NEEDS_ROOT = {"-secureTokenOn", "-secureTokenOff", "-addUser", "-deleteUser", "-resetPasswordFor"}
# Seen where the framework refused everybody (sysadminctl-framework-255); failures of an action itself exit with 0.
FRAMEWORK = 255
