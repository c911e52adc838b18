# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Says how sshd starts what a client asks for: in the account's own shell, with the Mac's own interpreters."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from maclab.layout import of_this_host
from maclab.state import Account, Mac

_SH = "/bin/sh"
# Other shells are not started: what a scenario calls a shell may be anything.
_KNOWN = ("bash", "csh", "dash", "false", "ksh", "tcsh", "zsh")
_SAY_FIRST = 'printf "%s\\n" "$1"; shift; exec "$@"'

# A path in full leads to this host, whose Python no Mac has. Every word of it counts, wherever it stands: behind sudo,
# in quotes, in a script.
_PATH = r"/(?:usr/)?(?:bin|libexec)/((?:platform-)?python[\d.]*|perl)(?![\w./-])"
_INTERPRETER = re.compile(rf"(?<![^\s'\"`=;&|(:<>!]){_PATH}")
# Ansible's interpreter discovery, which is to hear of the path that it asked for: its next command has that one.
_DISCOVERY = "; echo ENDFOUND"
_ASKED_FOR = re.compile(rf"command -v (['\"]*)({_PATH})(['\"]*)(?=;)")
# What needs no quotes, however deep in quotes it stands already.
_PLAIN = re.compile(r"[\w./@%+:,=-]+")


def is_plain(folder: Path) -> bool:
    """Tell whether paths in this folder can stand in any text of a shell."""
    return _PLAIN.fullmatch(str(folder.resolve())) is not None


def with_own_interpreters(command: str, folder: Path) -> str:
    """Return the command with this Mac's own Python and Perl (those of `folder`, if any) for the host's."""
    if not is_plain(folder):
        return command
    own = str(folder.resolve())
    if _DISCOVERY in command:
        return _ASKED_FOR.sub(rf"command -v \1{own}/\3\4 >/dev/null && echo \2", command)
    return _INTERPRETER.sub(lambda found: f"{own}/{found[1]}", command)


def login_shell(account: Account) -> list[str]:
    """Return the command that is this account's shell here: /bin/sh where this host lacks the account's own."""
    name = Path(account.shell).name
    if name == "sh":
        # macOS's sh is a bash in its POSIX mode, and reads no start-up file.
        bash = of_this_host("bash")
        return [bash, "--posix", "--norc"] if bash else [_SH]
    found = of_this_host(name) if name in _KNOWN else None
    return [found or _SH]


def greeted(account: Account, argv: list[str]) -> list[str]:
    """Return what runs `argv` after the line that the account's start-up files print, if they print any."""
    return [_SH, "-c", _SAY_FIRST, "sh", account.shell_banner, *argv] if account.shell_banner else argv


def missing(macs: Iterable[Mac]) -> list[str]:
    """Return the shells of people that this host does not have, so that /bin/sh stands in for them."""
    people = [account for mac in macs for account in mac.accounts.values() if not account.service]
    return sorted({account.shell for account in people if login_shell(account) == [_SH] and account.shell != _SH})
