# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be PlistBuddy with -c: print, set, add and delete entries of a property list of the Mac."""

from __future__ import annotations

import datetime
import plistlib
import re
import shlex
from typing import Any

from maclab import plists
from maclab.call import Call
from maclab.programs import _plists
from maclab.texts import say

FAILED = 1
KNOWN = "-x and -c with Print, Set, Add, Delete, Clear and Save"
TYPES = {"string": "string", "bool": "bool", "real": "real", "integer": "integer", "date": "date", "data": "base64"}
EMPTY: dict[str, Any] = {"dict": {}, "array": [], "string": "", "bool": False, "real": 0.0, "integer": 0, "data": b""}
WORD = re.compile(r"""(?:'[^']*'|"[^"]*"|\\.|[^\s'"\\])+""")
CHANGES = ("set", "add", "delete", "clear")


class _Refused(Exception):
    """What PlistBuddy says instead of doing it."""


async def main(call: Call) -> int:
    commands, path, as_xml = _parse(call.argv)
    verbs = {command.split(" ", 1)[0].lower() for command in commands}
    if not commands or not path or verbs - {"print", "save", "exit", "quit", *CHANGES}:
        return call.refuse(KNOWN)
    version = call.mac.version_tuple
    try:
        data = await _plists.content(call, path)
        value, form = _plists.parsed(data), _plists.format_of(data)
    except _plists.Missing:
        call.out(say("plistbuddy.will_create", version, path=path))
        value, form = {}, _plists.XML
    except _plists.Unreadable:
        call.out(say("plistbuddy.unreadable", version, path=path))
        return FAILED
    status = 0
    for command in commands:
        try:
            value = _done(call, value, command, as_xml)
        except _Refused as refused:
            call.err(str(refused))
            status = FAILED
    if verbs & set(CHANGES):
        try:
            await _plists.write(call, path, value, form)
        except OSError:
            call.out(say("plistbuddy.unwritable", version, path=path))
            return FAILED
    return status


def _parse(argv: list[str]) -> tuple[list[str], str, bool]:
    commands: list[str] = []
    path, as_xml = "", False
    words = iter(argv)
    for word in words:
        if word == "-c":
            commands.append(next(words, "").strip())
        elif word == "-x":
            as_xml = True
        elif word.startswith("-") or path:
            return [], "", False
        else:
            path = word
    return commands, path, as_xml


def _done(call: Call, value: Any, command: str, as_xml: bool) -> Any:
    """Do one command and return what the file holds then."""
    verb, _, rest = command.partition(" ")
    entry, left = _word(rest)
    verb = verb.capitalize()
    if verb == "Clear":
        return _empty(entry or "dict")
    if verb == "Print":
        found = _found(call, value, verb, entry)
        call.out(plists.dumps(found) if as_xml else f"{_shown(found)}\n")
    elif verb == "Set":
        _set(call, value, entry, _unquoted(left))
    elif verb == "Add":
        _add(call, value, entry, left)
    elif verb == "Delete":
        _found(call, value, verb, entry)
        _plists.take(value, _keys(entry))
    return value


def _word(text: str) -> tuple[str, str]:
    """Return the first word, as it was written, and what comes behind it."""
    match = WORD.match(text.strip())
    return (match.group(0), text.strip()[match.end() :].strip()) if match else ("", "")


def _unquoted(text: str) -> str:
    try:
        return " ".join(shlex.split(text)) if text[:1] in "'\"" else text.replace("\\", "")
    except ValueError:
        return text


def _keys(entry: str) -> list[str]:
    """Return the keys of an entry; a colon behind a backslash belongs to its key."""
    plain = entry.replace("'", "").replace('"', "")
    return [key.replace("\\", "") for key in re.split(r"(?<!\\):", plain.removeprefix(":")) if key]


def _found(call: Call, value: Any, verb: str, entry: str) -> Any:
    try:
        return _plists.at(value, _keys(entry))
    except _plists.Missing:
        raise _Refused(say("plistbuddy.missing", call.mac.version_tuple, verb=verb, entry=entry)) from None


def _set(call: Call, value: Any, entry: str, text: str) -> None:
    before = _found(call, value, "Set", entry)
    kinds = {bool: "bool", int: "integer", float: "real", bytes: "base64", datetime.datetime: "date"}
    _plists.put(value, _keys(entry), _made(call, kinds.get(type(before), "string"), text))


def _add(call: Call, value: Any, entry: str, rest: str) -> None:
    version = call.mac.version_tuple
    kind, text = _word(rest)
    kind = kind.lower()
    # A colon at the end stands for the end of an array.
    keys = [*_keys(entry), *([""] if entry.endswith(":") else [])]
    if not keys or (_is_there(value, keys) and not isinstance(_plists.at(value, keys[:-1]), list)):
        raise _Refused(say("plistbuddy.exists", version, entry=entry))
    if kind not in EMPTY and kind not in TYPES:
        raise _Refused(say("plistbuddy.unknown_type", version, kind=kind))
    new = _made(call, TYPES[kind], _unquoted(text)) if text and kind in TYPES else _empty(kind)
    inside = value
    for key in keys[:-1]:
        if isinstance(inside, dict):
            inside.setdefault(key, {})
        inside = _found(call, inside, "Add", key)
    try:
        _plists.put(value, keys, new, insert=True)
    except _plists.Missing:
        raise _Refused(say("plistbuddy.missing", version, verb="Add", entry=entry)) from None


def _is_there(value: Any, keys: list[str]) -> bool:
    try:
        _plists.at(value, keys)
    except _plists.Missing:
        return False
    return True


def _empty(kind: str) -> Any:
    found = EMPTY.get(kind.lower(), {})
    return type(found)(found)


def _made(call: Call, kind: str, text: str) -> Any:
    try:
        return _plists.made(kind, text)
    except _plists.WrongValue as wrong:
        raise _Refused(say("plistbuddy.bad_value", call.mac.version_tuple, kind=wrong)) from None


def _shown(value: Any, margin: str = "") -> str:
    if isinstance(value, dict):
        lines = [f"{margin}    {key} = {_shown(inner, margin + '    ')}\n" for key, inner in value.items()]
        return f"Dict {{\n{''.join(lines)}{margin}}}"
    if isinstance(value, list):
        lines = [f"{margin}    {_shown(inner, margin + '    ')}\n" for inner in value]
        return f"Array {{\n{''.join(lines)}{margin}}}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:f}"
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    if isinstance(value, datetime.datetime):
        return value.strftime("%a %b %d %H:%M:%S UTC %Y")
    return str(value.data if isinstance(value, plistlib.UID) else value)
