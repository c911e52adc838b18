# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be defaults: read, write and delete what property lists of the Mac and of its users say."""

from __future__ import annotations

import datetime
import posixpath
import time
from typing import Any

from maclab import plists
from maclab.call import Call
from maclab.programs import _plists
from maclab.texts import say

FAILED = 1
GLOBAL = ("-g", "-globalDomain", "NSGlobalDomain", "Apple Global Domain")
KNOWN = "read, read-type, write, delete, export, by a domain or a path"
SIMPLE = {
    "-string": "string",
    "-int": "integer",
    "-integer": "integer",
    "-float": "real",
    "-bool": "bool",
    "-boolean": "bool",
    "-data": "hex",
    "-date": "date",
}
KINDS = {"bool": "boolean"}


async def main(call: Call) -> int:
    verb, *words = call.argv or [""]
    if verb not in _VERBS or not words or words[0] == "-app":
        return call.refuse(KNOWN)
    try:
        return await _VERBS[verb](call, words[0], words[1:])
    except _plists.Unreadable:
        return _say(call, "defaults.no_domain", words[0])
    except (_plists.WrongValue, _Unknown):
        return call.refuse(KNOWN)


class _Unknown(Exception):
    """A form that the lab does not model."""


def path_of(call: Call, domain: str) -> str:
    """Return the file of a domain: a path, with or without its ending, or a name in the caller's own folder."""
    home = call.env.get("HOME", "")
    if domain in GLOBAL:
        return f"{home}/Library/Preferences/.GlobalPreferences.plist"
    if "/" not in domain:
        return f"{home}/Library/Preferences/{domain}.plist"
    whole = posixpath.join(call.cwd, domain)
    return whole if whole.endswith(".plist") else f"{whole}.plist"


async def _domain(call: Call, domain: str) -> dict[str, Any]:
    """Return what a domain holds; Missing where there is none."""
    found = await _plists.read(call, path_of(call, domain))
    if not isinstance(found, dict):
        raise _plists.Unreadable
    return found


async def _domain_or_nothing(call: Call, domain: str) -> dict[str, Any]:
    try:
        return await _domain(call, domain)
    except _plists.Missing:
        return {}


async def _read(call: Call, domain: str, words: list[str]) -> int:
    if len(words) > 1:
        raise _Unknown
    try:
        found = await _domain(call, domain)
    except _plists.Missing:
        if domain in GLOBAL:
            # Every account has that domain, with what its locale and its desktop are; the lab holds what was written.
            raise _Unknown from None
        return _say(call, "defaults.missing" if words and not _is_27(call) else "defaults.no_domain", domain, *words)
    if not words:
        call.out(plists.description(_plain(found)) + "\n")
        return 0
    if words[0] not in found and domain in GLOBAL:
        raise _Unknown
    if words[0] not in found:
        return _say(call, "defaults.missing", domain, words[0])
    value = _plain(found[words[0]])
    call.out((value if isinstance(value, str) else plists.description(value)) + "\n")
    return 0


async def _read_type(call: Call, domain: str, words: list[str]) -> int:
    if len(words) != 1:
        raise _Unknown
    found = await _domain_or_nothing(call, domain)
    if words[0] not in found:
        return _say(call, "defaults.missing", domain, words[0])
    kind = _plists.kind_of(found[words[0]])
    call.out(say("defaults.type", call.mac.version_tuple, kind=KINDS.get(kind, kind)))
    return 0


async def _write(call: Call, domain: str, words: list[str]) -> int:
    path = path_of(call, domain)
    found = await _domain_or_nothing(call, domain)
    key, *rest = words or [""]
    if not rest:
        raise _Unknown
    found[key] = _value(found.get(key), rest)
    return await _save(call, domain, path, found)


async def _save(call: Call, domain: str, path: str, found: dict[str, Any]) -> int:
    try:
        await _plists.write(call, path, found, _plists.BINARY)
    except OSError:
        return _say(call, "defaults.unwritable", domain)
    return 0


def _value(before: Any, words: list[str]) -> Any:
    """Return what the words after the key mean; without a type, a text."""
    kind, *rest = words
    if kind in SIMPLE:
        if len(rest) != 1:
            raise _Unknown
        return _plists.made(SIMPLE[kind], rest[0])
    if kind in ("-array", "-array-add"):
        return [*(before if kind == "-array-add" and isinstance(before, list) else []), *_items(rest)]
    if kind in ("-dict", "-dict-add"):
        return {**(before if kind == "-dict-add" and isinstance(before, dict) else {}), **_pairs(rest)}
    # What begins like this is a property list in a text.
    if rest or kind.startswith(("-", "{", "(", "<")):
        raise _Unknown
    return kind


def _items(words: list[str]) -> list[Any]:
    found: list[Any] = []
    left = list(words)
    while left:
        found.append(_next(left))
    return found


def _pairs(words: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    left = list(words)
    while left:
        key = left.pop(0)
        found[key] = _next(left)
    return found


def _next(left: list[str]) -> Any:
    if not left:
        raise _Unknown
    word = left.pop(0)
    if word in SIMPLE and left:
        return _plists.made(SIMPLE[word], left.pop(0))
    return _value(None, [word])


async def _delete(call: Call, domain: str, words: list[str]) -> int:
    if len(words) > 1:
        raise _Unknown
    try:
        found = await _domain(call, domain)
        if words:
            del found[words[0]]
    except (_plists.Missing, KeyError):
        return _say(call, "defaults.not_deleted", domain, *words)
    if words:
        return await _save(call, domain, path_of(call, domain), found)
    try:
        await _plists.remove(call, path_of(call, domain))
    except OSError:
        return _say(call, "defaults.unwritable", domain)
    return 0


async def _export(call: Call, domain: str, words: list[str]) -> int:
    if len(words) != 1:
        raise _Unknown
    found = await _domain_or_nothing(call, domain)
    if words[0] == "-":
        call.out(plists.dumps(found))
        return 0
    return await _save(call, domain, posixpath.join(call.cwd, words[0]), found)


_VERBS = {
    "read": _read,
    "read-type": _read_type,
    "write": _write,
    "delete": _delete,
    "remove": _delete,
    "export": _export,
}


def _plain(value: Any) -> Any:
    """Return the value with texts for what NSDictionary's description has words of its own for."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, datetime.datetime):
        return _plists.long_date(value)
    return f"{value:g}" if isinstance(value, float) else value


def _is_27(call: Call) -> bool:
    return call.mac.version_tuple >= (27,)


def _say(call: Call, key: str, domain: str, name: str = "") -> int:
    said = {
        "stamp": time.strftime("%Y-%m-%d %H:%M:%S.000"),
        "pid": call.pid,
        "thread": call.thread,
        "domain": domain,
        "short": posixpath.basename(domain).removesuffix(".plist"),
        "key": name,
    }
    call.err(say(key, call.mac.version_tuple, **said))
    return FAILED
