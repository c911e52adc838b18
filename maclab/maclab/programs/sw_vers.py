# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be sw_vers: the only honest answer to which macOS this is."""

from __future__ import annotations

from maclab import rules
from maclab.call import Call
from maclab.state import Mac
from maclab.texts import say

BIG_SUR_DISGUISE = "10.16"


async def main(call: Call) -> int:
    facts = _facts(call.mac, call.env.get("SYSTEM_VERSION_COMPAT"))
    if not call.argv:
        call.out("".join(f"{name}:{tabs}{value}\n" for name, tabs, value in _table(facts)))
        return 0
    asked = _asked(call, facts)
    if asked is None:
        call.err(say("sw_vers.usage", call.mac.version_tuple))
        return 1
    call.out(facts.get(asked, "") + "\n")
    return 0


def _facts(mac: Mac, compat: str | None) -> dict[str, str]:
    version = mac.version_tuple
    disguised = compat == "1" and rules.SYSTEM_VERSION_COMPAT.at(version)
    extra = mac.settings.version_extra if rules.SW_VERS_LONG.at(version) else ""
    return {
        "ProductName": rules.PRODUCT_NAME.at(version),
        "ProductVersion": BIG_SUR_DISGUISE if disguised else mac.version,
        **({"ProductVersionExtra": extra} if extra else {}),
        "BuildVersion": mac.build,
    }


def _table(facts: dict[str, str]) -> list[tuple[str, str, str]]:
    return [(name, "\t\t" if name != "ProductVersionExtra" else "\t", value) for name, value in facts.items()]


def _asked(call: Call, facts: dict[str, str]) -> str | None:
    """Return the fact that an option names: -productName everywhere, --productName from 13."""
    word = call.argv[0]
    long_too = rules.SW_VERS_LONG.at(call.mac.version_tuple)
    names = [*facts, "ProductVersionExtra"] if long_too else list(facts)
    for name in names:
        short = f"-{name[0].lower()}{name[1:]}"
        if word == short or (long_too and word == f"-{short}"):
            return name
    return None
