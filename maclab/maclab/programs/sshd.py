# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be sshd where it is asked about its settings: -t tries them, -T shows those that count for an account."""

from __future__ import annotations

from maclab import sshd_config
from maclab.call import Call
from maclab.options import getopt
from maclab.texts import say

FAILED = 255
NO_KEYS = 1
KNOWN = "-t; and -T with -C user=NAME,host=NAME,addr=ADDRESS, of which it shows what shuts somebody out"


async def main(call: Call) -> int:
    options = getopt(call.argv, "tTC:")
    if options.complaint or options.rest or not options.letters & {"t", "T"}:
        return call.refuse(KNOWN)
    version = call.mac.version_tuple
    if not call.is_root:
        call.err(say("sshd.no_keys", version))
        return NO_KEYS
    wrong = sshd_config.wrong(call.mac)
    if wrong:
        call.err("".join(say("sshd.wrong", version, where=one) for one in wrong))
        return FAILED
    if "T" in options.letters:
        pairs = dict(pair.split("=", 1) for pair in (options.last("C") or "").split(",") if "=" in pair)
        if set(pairs) != {"user", "host", "addr"}:
            return call.refuse(KNOWN)
        _show(call, sshd_config.settings(call.mac, pairs["user"]))
    return 0


def _show(call: Call, settings: sshd_config.Settings) -> None:
    default = {"passwordauthentication": "yes", "kbdinteractiveauthentication": "yes"}
    call.out("".join(f"{key} {value}\n" for key, value in (default | settings.values).items()))
    call.out("".join(f"denyusers {one}\n" for one in settings.deny_users))
