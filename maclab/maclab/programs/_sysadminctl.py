# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read what sysadminctl is told, ask for its passwords, verify its administrator, and print as it does."""

from __future__ import annotations

from dataclasses import dataclass, field

from maclab import directory, rules
from maclab.call import Call
from maclab.directory import Verdict
from maclab.state import Mac
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
CODES = {Verdict.WRONG: -14090, Verdict.UNKNOWN: -14090, Verdict.DISABLED: -14167}


@dataclass
class Request:
    """The arguments, sorted into options with a value and flags."""

    values: dict[str, str] = field(default_factory=dict)
    flags: set[str] = field(default_factory=set)
    unknown: list[str] = field(default_factory=list)
    without_value: list[str] = field(default_factory=list)

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
            value = next(words, None)
            request.values[word] = value or ""
            if value is None:
                request.without_value.append(word)
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


def tell(call: Call, key: str, **values: object) -> None:
    call.log(say(f"sysadminctl.{key}", call.mac.version_tuple, **values))


def tell_banner(call: Call) -> None:
    tell(call, "banner_rule")
    tell(call, "banner")
    tell(call, "banner_rule")


# --- secrets --------------------------------------------------------------------------------------


async def secret(call: Call, given: str, prompt: str, limit: int | None = None) -> str:
    """Return the password of an option: the word itself, or what a prompt brings when the word is '-'."""
    if given != PROMPT:
        return given
    if call.stdin_is_tty:
        return await call.getpass(prompt) or ""
    line = await call.ask_on_stdin(prompt) or ""
    kept = limit or rules.STDIN_LIMIT.at(call.mac.version_tuple)
    return line.encode("utf-8", "surrogateescape")[:kept].decode("utf-8", "surrogateescape")


async def admin_secret(call: Call, request: Request) -> str:
    name = request.get("-adminUser") or ""
    prompt = say("sysadminctl.prompt_admin", call.mac.version_tuple, full_name=full_name(call.mac, name))
    limit = rules.STDIN_LIMIT_GRANTER.at(call.mac.version_tuple)
    return await secret(call, request.get("-adminPassword") or "", prompt, limit)


async def token_user_secret(call: Call, request: Request, user: str) -> str:
    prompt = say("sysadminctl.prompt_user_token", call.mac.version_tuple, full_name=full_name(call.mac, user))
    return await secret(call, request.get("-password") or "", prompt)


def full_name(mac: Mac, name: str) -> str:
    account = directory.find(mac, name)
    return account.full_name if account else name


# --- the administrator ----------------------------------------------------------------------------


def tell_refused(call: Call, verdict: Verdict) -> None:
    """Say by which code of the directory the administrator was refused."""
    if not verdict:
        tell(call, "auth_error", code=CODES[verdict])


async def verified_granter(call: Call, request: Request) -> tuple[str | None, str]:
    """Return the administrator and its password, verified; None where none was given, or a wrong one, which is said."""
    name = request.granter
    if name is None:
        return None, ""
    password = await admin_secret(call, request)
    verdict = directory.authenticate(call.mac, name, password)
    call.authenticated(name, bool(verdict))
    await call.commit()
    tell_refused(call, verdict)
    return (name, password) if verdict else (None, "")
