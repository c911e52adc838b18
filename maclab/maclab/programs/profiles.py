# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be profiles, as far as enrollment, the Bootstrap Token and a list of what is installed go.

What it prints decides, hardly its exit status.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from maclab import bootstrap, directory, plists, rules
from maclab.call import Call, hang
from maclab.programs import _profiles_list
from maclab.texts import say

FAILED = 1
# The verbs and kinds of its manual (profiles.1); what is no pair of VERBS is not modelled.
VERB_NAMES = ("status", "list", "show", "install", "remove", "sync", "renew", "validate", "version", "help")
KINDS = ("configuration", "provisioning", "enrollment", "startup", "bootstraptoken")
KNOWN = (
    "list and show of configuration profiles, status and show of the enrollment, status, install, remove and validate "
    "of the bootstraptoken; -C, -L and -P, with -v and -o stdout or stdout-xml"
)
OPTIONS = {
    "-type": "type",
    "-user": "user",
    "-password": "password",
    "-pass": "password",
    "-output": "output",
    "-o": "output",
}


async def main(call: Call) -> int:
    words = call.argv
    if not words or words[0] == "help":
        return _fail(call, "usage")
    if words[0].startswith("-"):
        # As before 10.13: one letter a verb, and -v and -o beside it.
        return _profiles_list.by_letters(call, KNOWN)
    verb, options = words[0], _options(words[1:])
    if verb not in VERB_NAMES:
        return _fail(call, "usage")
    kind = options.get("type", "configuration" if verb in ("list", "show") else None)
    if kind is not None and (kind not in KINDS or not _known(call, kind)):
        return _fail(call, "type_unknown", kind=kind)
    action = VERBS.get((verb, kind))
    return call.refuse(KNOWN) if action is None else await action(call, options)


def _options(words: list[str]) -> dict[str, str]:
    """Accept `-type enrollment` and `-type=enrollment`."""
    options: dict[str, str] = {}
    rest = iter(words)
    for word in rest:
        name, equals, value = word.partition("=")
        if name in OPTIONS:
            options[OPTIONS[name]] = value if equals else next(rest, "")
        else:
            options[word] = ""
    return options


def _known(call: Call, kind: str) -> bool:
    known = {"enrollment": rules.PROFILES_STATUS, "bootstraptoken": rules.PROFILES_BOOTSTRAP}
    return kind not in known or known[kind].at(call.mac.version_tuple)


def _text(call: Call, key: str, **values: object) -> str:
    return say(f"profiles.{key}", call.mac.version_tuple, **values)


def _fail(call: Call, key: str, **values: object) -> int:
    call.err(_text(call, key, **values))
    return FAILED


# --- enrollment -----------------------------------------------------------------------------------


async def _enrollment(call: Call, options: dict[str, str]) -> int:
    mdm = call.mac.mdm
    enrolled = mdm.enrolled != "no"
    answer = ("Yes (User Approved)" if mdm.user_approved else "Yes") if enrolled else "No"
    call.out(_text(call, "dep", answer="Yes" if mdm.enrolled == "ade" else "No"))
    call.out(_text(call, "mdm", answer=answer))
    if enrolled:
        call.out(_text(call, "server", server=mdm.server))
    return 0


async def _show_enrollment(call: Call, options: dict[str, str]) -> int:
    """Ask Apple's servers what the organisation wants of this Mac, which they answer a few times a day only."""
    mac = call.mac
    refused = call.fault("rate_limited") is not None
    if not refused and "-cached" not in options:
        refused = bootstrap.too_soon(mac, time.time())
        await call.commit()
    if refused:
        call.out(_text(call, "too_soon"))
        return FAILED
    if not bootstrap.reachable(mac):
        call.out(_text(call, "no_cloud"))
        return FAILED
    if mac.mdm.enrolled != "ade":
        # A script looks for this text on stdout before it looks at the status (filevault.md 3).
        call.out(_text(call, "no_dep"))
        return 0
    configuration = {
        "AllowPairing": True,
        "ConfigurationURL": mac.mdm.server,
        "IsMDMUnremovable": True,
        "IsSupervised": mac.mdm.supervised,
        "OrganizationName": "Example Corp",
        "OrganizationPhone": "(null)",
    }
    call.out(_text(call, "configuration", dictionary=plists.description(configuration)))
    return 0


# --- installed profiles ---------------------------------------------------------------------------


async def _list(call: Call, options: dict[str, str]) -> int:
    return _installed(call, options, verbose="-verbose" in options or "-v" in options)


async def _show(call: Call, options: dict[str, str]) -> int:
    return _installed(call, options, verbose=True)


def _installed(call: Call, options: dict[str, str], verbose: bool) -> int:
    """Show whose profiles are asked for: all of them, or those of the caller, which for root are the Mac's."""
    if {"user"} & set(options) or set(options) - {"type", "output", "-all", "-verbose", "-v", "-cached"}:
        return call.refuse(KNOWN)
    everybody = "-all" in options
    if everybody and not call.is_root:
        return _fail(call, "not_root")
    domain = "all" if everybody else "system" if call.is_root else "user"
    return _profiles_list.answer(call, domain, verbose, options.get("output", ""))


# --- Bootstrap Token ------------------------------------------------------------------------------


async def _bootstrap(call: Call, options: dict[str, str]) -> int:
    mdm = call.mac.mdm
    if mdm.enrolled == "no":
        return _fail(call, "not_enrolled")
    if mdm.bootstrap_status_error:
        call.err(mdm.bootstrap_status_error.rstrip("\n") + "\n")
        return FAILED
    if not bootstrap.reachable(call.mac):
        return _fail(call, "unreachable")
    call.out(_text(call, "supported", answer=_yes(mdm.bootstrap_supported)))
    if mdm.bootstrap_supported:
        call.out(_text(call, "escrowed", answer=_yes(mdm.bootstrap_escrowed)))
    return 0


def _yes(value: bool) -> str:
    return "YES" if value else "NO"


async def _install(call: Call, options: dict[str, str]) -> int:
    refusal = _refuse(call)
    if refusal is not None:
        return _fail(call, refusal)
    if not await _authorised(call, options, "not_authenticated"):
        return FAILED
    bootstrap.create(call.mac)
    call.wrote("Bootstrap Token created")
    await call.commit()
    call.out(_text(call, "created"))
    if not bootstrap.escrow(call.mac):
        return _fail(call, "not_escrowed")
    call.wrote("Bootstrap Token escrowed")
    await call.commit()
    call.out(_text(call, "escrow"))
    return 0


async def _remove(call: Call, options: dict[str, str]) -> int:
    refusal = _refuse(call)
    if refusal is not None:
        return _fail(call, refusal)
    if not await _authorised(call, options, "not_authenticated"):
        return FAILED
    bootstrap.remove(call.mac)
    call.wrote("Bootstrap Token removed")
    await call.commit()
    call.out(_text(call, "removed"))
    return 0


async def _validate(call: Call, options: dict[str, str]) -> int:
    refusal = _refuse(call)
    if refusal is not None:
        return _fail(call, refusal)
    if not await _authorised(call, options, "not_authenticated_validate"):
        return FAILED
    if not bootstrap.reachable(call.mac):
        return _fail(call, "unreachable")
    if not call.mac.mdm.bootstrap_escrowed:
        return _fail(call, "no_token")
    if not bootstrap.works(call.mac):
        return _fail(call, "not_verified")
    call.out(_text(call, "validated"))
    return 0


def _refuse(call: Call) -> str | None:
    """Return the text that says why this Mac can have no Bootstrap Token; None where it can."""
    mac = call.mac
    reasons = {
        "not_root": not call.is_root,
        "not_enrolled": mac.mdm.enrolled == "no",
        "not_supervised": not bootstrap.eligible(mac),
        "functionality": not mac.mdm.bootstrap_supported or mac.mdm.bootstrap_status_error is not None,
        "too_soon": call.fault("rate_limited") is not None,
    }
    return next((key for key, holds in reasons.items() if holds), None)


async def _authorised(call: Call, options: dict[str, str], wrong: str) -> bool:
    mac, version = call.mac, call.mac.version_tuple
    name = options.get("user") or (await call.ask(_text(call, "prompt_user")) or "").strip()
    password, refusal = await _password(call, options, name, wrong)
    account = directory.find(mac, name)
    if refusal is None:
        verdict = directory.authenticate(mac, name, password)
        call.authenticated(name, bool(verdict))
        await call.commit()
        refusal = None if verdict else wrong
    if refusal is None and (account is None or not bootstrap.may_make(mac, account, password)):
        refusal = "not_authorised"
    if refusal is not None:
        call.err(say(f"profiles.{refusal}", version))
    return refusal is None


async def _password(call: Call, options: dict[str, str], name: str, wrong: str) -> tuple[str, str | None]:
    """Return the password, and the text of a refusal that needs no look at the account."""
    version = call.mac.version_tuple
    given = options.get("password")
    password = given
    if password is None:
        password = await call.getpass(_text(call, "prompt_password", user=name), limit=None) or ""
    size = len(password.encode("utf-8", "surrogateescape"))
    if not password:
        return "", "password_required"
    if given is not None:
        return password, "password_too_long" if size > rules.BOOTSTRAP_ARGV_LIMIT.at(version) else None
    most, fewest_that_hang = rules.BOOTSTRAP_TTY_LIMIT.at(version)
    if size >= fewest_that_hang:
        await hang()
    return password, wrong if size > most else None


Verb = Callable[[Call, dict[str, str]], Awaitable[int]]

VERBS: dict[tuple[str, str | None], Verb] = {
    ("status", "enrollment"): _enrollment,
    ("show", "enrollment"): _show_enrollment,
    ("list", "configuration"): _list,
    ("show", "configuration"): _show,
    ("status", "bootstraptoken"): _bootstrap,
    ("install", "bootstraptoken"): _install,
    ("remove", "bootstraptoken"): _remove,
    ("validate", "bootstraptoken"): _validate,
}
