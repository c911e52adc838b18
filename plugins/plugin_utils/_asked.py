# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Mac's shell answers by itself: through which accounts Ansible came in, and where a Python is. Pure.

Each question is a function that the script of an exec brings along; to the runner it is a command like any other.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t

from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._runner import Ran

WHOLE_PATH = "keyholder_whole_path"
"""Runs the program whose path and arguments follow."""
_WAY, _PYTHON, _STUB = "keyholder_way", "keyholder_python", "keyholder_stub"
_VARIABLES = 4
"""Lines that the first one prints at least, each perhaps empty."""

FUNCTIONS: t.Mapping[str, str] = {
    # A Mac of the lab may have its programs by their names alone, which macOS itself never falls back to.
    WHOLE_PATH: """\
keyholder_whole_path() {
    path=$1
    shift
    [ -x "$path" ] || [ -x /usr/bin/fdesetup ] || path=${path##*/}
    exec "$path" "$@"
}""",
    # On macOS `logname` asks getlogin, which names the login even behind su. Elsewhere, so in the lab, it would name an
    # account of the host.
    _WAY: """\
keyholder_way() {
    printf '%s\\n' "${SUDO_USER-}" "${DOAS_USER-}" "${DZDO_USER-}" "${LOGNAME-}"
    [ ! -x /usr/bin/fdesetup ] || logname
}""",
    # /usr/bin/python3 is Apple's stub where there are no developer tools, and opens a dialog if it is started. Any link
    # on the way may lead to it. A Mac of the lab shares its host's file system: what is at these places there is not
    # the Mac's.
    _PYTHON: """\
keyholder_python() {
    [ -x /usr/bin/fdesetup ] || set -- "$1"
    for path; do
        [ -f "$path" ] && [ -x "$path" ] || continue
        hop=$path hops=0 stub=
        while [ "$hops" -lt 40 ]; do
            hop=$(cd -P -- "${hop%/*}/" && pwd)/${hop##*/}
            case $hop in /usr/bin/python*) stub=yes ;; esac
            target=$(readlink "$hop") || break
            case $target in /*) hop=$target ;; *) hop=${hop%/*}/$target ;; esac
            hops=$((hops + 1))
        done
        [ -z "$stub" ] || xcode-select -p >/dev/null 2>&1 || continue
        "$path" -I -c 'import sys; sys.exit(sys.version_info < (3, 9))' </dev/null >/dev/null 2>&1 || continue
        printf '%s\\n' "$path"
        return
    done
}""",
    # What Ansible's own search would start, if that is the stub: it looks on PATH, where /usr/bin comes first. A Mac of
    # the lab has its stub elsewhere, and no developer tools either.
    _STUB: """\
keyholder_stub() {
    path=$(command -v python3) || return 1
    case $path in /usr/bin/python*) ;; *) [ ! -x /usr/bin/fdesetup ] || return 1 ;; esac
    ! xcode-select -p >/dev/null 2>&1 || return 1
    printf '%s\\n' "$path"
}""",
}

PLACES = (
    "/Library/ManagedFrameworks/Python/Python3.framework/Versions/Current/bin/python3",
    "/Library/Frameworks/Python.framework/Versions/Current/bin/python3",
    "/Library/Developer/CommandLineTools/usr/bin/python3",
    "/usr/local/bin/managed_python3",
    "/opt/homebrew/bin/python3",
    "/usr/local/bin/python3",
)
"""Where people put a Python on a Mac: first what belongs to root, last what may belong to the user who installed
Homebrew. The role python has the same list."""

WAY = Command((_WAY,))
STUB = Command((_STUB,))
"""Ask for Apple's stub, without starting it."""


def python_at(interpreter: str) -> Command:
    """Ask for the first Python that Ansible can use. ``interpreter``: the one that the user named, "" for none."""
    return Command((_PYTHON, interpreter, *PLACES))


def parse_way(ran: Ran) -> tuple[str, ...]:
    """Return the accounts that SUDO_USER and its kin name, and who logged in. Raises :class:`Refusal` if the Mac has
    not said it: the account that Ansible came in by would be like any other."""
    names = ran.out.split("\n")
    if ran.stopped or len(names) <= _VARIABLES:
        msg = "it could not be read through which accounts Ansible came in"
        raise Refusal("reading_incomplete", msg, (ran.evidence,))
    return tuple(filter(None, names))


def parse_python(ran: Ran) -> str:
    """Return the path of the Python, "" for none."""
    return ran.out.strip() if ran.rc == 0 else ""
