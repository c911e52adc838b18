# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be profiles, as far as the status of enrollment and of the Bootstrap Token goes."""

from __future__ import annotations

from maclab import rules
from maclab.call import Call
from maclab.texts import say

FAILED = 1


async def main(call: Call) -> int:
    kind = _kind(call.argv)
    if not call.argv or call.argv[0] != "status" or kind is None:
        call.err(_text(call, "usage"))
        return FAILED
    if kind == "enrollment" and rules.PROFILES_STATUS.at(call.mac.version_tuple):
        return _enrollment(call)
    if kind == "bootstraptoken" and rules.PROFILES_BOOTSTRAP.at(call.mac.version_tuple):
        return _bootstrap(call)
    call.err(_text(call, "type_unknown", kind=kind))
    return FAILED


def _kind(argv: list[str]) -> str | None:
    for index, word in enumerate(argv):
        if word.startswith("-type="):
            return word.removeprefix("-type=")
        if word == "-type" and index + 1 < len(argv):
            return argv[index + 1]
    return None


def _text(call: Call, key: str, **values: object) -> str:
    return say(f"profiles.{key}", call.mac.version_tuple, **values)


def _enrollment(call: Call) -> int:
    mdm = call.mac.mdm
    enrolled = mdm.enrolled != "no"
    answer = ("Yes (User Approved)" if mdm.user_approved else "Yes") if enrolled else "No"
    call.out(_text(call, "dep", answer="Yes" if mdm.enrolled == "ade" else "No"))
    call.out(_text(call, "mdm", answer=answer))
    if enrolled:
        call.out(_text(call, "server", server=mdm.server))
    return 0


def _bootstrap(call: Call) -> int:
    mdm = call.mac.mdm
    if mdm.enrolled == "no":
        call.err(_text(call, "not_enrolled"))
        return FAILED
    if mdm.bootstrap_status_error:
        call.err(mdm.bootstrap_status_error.rstrip("\n") + "\n")
        return FAILED
    if call.fault("mdm_unreachable") is not None:
        call.err(_text(call, "unreachable"))
        return FAILED
    call.out(_text(call, "supported", answer=_yes(mdm.bootstrap_supported)))
    if mdm.bootstrap_supported:
        call.out(_text(call, "escrowed", answer=_yes(mdm.bootstrap_escrowed)))
    return 0


def _yes(value: bool) -> str:
    return "YES" if value else "NO"
