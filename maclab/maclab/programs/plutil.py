# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be plutil: check, print and convert property lists, and read or change what is at one place in them."""

from __future__ import annotations

import base64
import datetime
import json
import plistlib
import posixpath
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from maclab import plists, preboot
from maclab.call import Call
from maclab.programs import _plists
from maclab.rules import Version
from maclab.texts import say

FAILED = 1
KNOWN = "-lint, -p, -convert, -extract, -type, -insert, -replace, -remove and -create, with -o, -s, -n, -r and -expect"
# How many words follow.
COMMANDS = {"lint": 0, "p": 0, "convert": 1, "extract": 2, "type": 1, "create": 1}
COMMANDS |= {"insert": 3, "replace": 3, "remove": 1}
FLAGS = {"s": 0, "n": 0, "r": 0, "o": 1, "expect": 1}
FORMATS = {"xml1": _plists.XML, "binary1": _plists.BINARY}
# Both, and what they tell of a value alone, are macOS 12's (plutil(1)); assumed for 11 and older: they are not known.
RAW_FROM: Version = (12,)
VALUES = {"string": "string", "integer": "integer", "float": "real", "bool": "bool", "date": "date", "data": "base64"}
STDIN = "-"


@dataclass
class Wish:
    """What the command line asks for."""

    command: str = "lint"
    words: list[str] = field(default_factory=list)
    flags: dict[str, str] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)


class _Said(Exception):
    """What plutil says instead of doing it, on standard output or standard error."""

    def __init__(self, text: str, on_stdout: bool = False) -> None:
        super().__init__(text)
        self.on_stdout = on_stdout


async def main(call: Call) -> int:
    wish = _parse(call.argv)
    if wish is None or not wish.files or ("o" in wish.flags and len(wish.files) > 1):
        return call.refuse(KNOWN)
    status = 0
    for path in _found(call, wish):
        try:
            await _done(call, wish, path)
        except _Said as said:
            (call.out if said.on_stdout else call.err)(str(said))
            status = FAILED
        except _Refuse:
            return call.refuse(KNOWN)
    return status


def _found(call: Call, wish: Wish) -> list[str]:
    """Return the files. A shell of this host finds nothing on the preboot volume, so a pattern comes as it was
    written."""
    there = preboot.switch(call.mac)
    return [known for path in wish.files for known in ([one for one in there if fnmatchcase(one, path)] or [path])]


class _Refuse(Exception):
    """A form that the lab does not model."""


def _parse(argv: list[str]) -> Wish | None:
    wish = Wish()
    words = list(argv)
    while words:
        word = words.pop(0)
        name = word.removeprefix("-")
        if word == "--":
            wish.files += words
            break
        if word == STDIN or not word.startswith("-"):
            wish.files.append(word)
        elif name in COMMANDS or name in FLAGS:
            count = COMMANDS.get(name, FLAGS.get(name, 0))
            if len(words) < count:
                return None
            taken, words = words[:count], words[count:]
            if name in COMMANDS:
                wish.command, wish.words = name, taken
            else:
                wish.flags[name] = taken[0] if taken else ""
        else:
            return None
    return wish


async def _done(call: Call, wish: Wish, path: str) -> None:
    version = call.mac.version_tuple
    if wish.command == "create":
        data = b""
        value: Any = {}
    else:
        data = await _content(call, path)
        try:
            value = _parsed(data)
        except _plists.Unreadable:
            raise _Said(say("plutil.unreadable", version, path=_named(path))) from None
    if wish.command == "lint":
        call.out("" if "s" in wish.flags else say("plutil.ok", version, path=_named(path)))
    elif wish.command == "p":
        call.out(_printed(value, version) + "\n")
    elif wish.command in ("convert", "create"):
        await _put(call, wish, path, _written(call, value, wish.words[0], "r" in wish.flags, path))
    elif wish.command in ("extract", "type"):
        await _extract(call, wish, path, value)
    else:
        _changed(call, wish, path, value)
        form = _plists.format_of(data)
        await _put(call, wish, path, plistlib.dumps(value, fmt=form, sort_keys=False))


def _named(path: str) -> str:
    return "<stdin>" if path == STDIN else path


async def _content(call: Call, path: str) -> bytes:
    switch = preboot.switch(call.mac).get(path)
    if switch is not None:
        return switch
    path = _plists.STDIN if path == STDIN else path
    try:
        return await _plists.content(call, posixpath.join(call.cwd, path))
    except (_plists.Missing, _plists.Unreadable):
        text = say("plutil.no_file", call.mac.version_tuple, path=path)
        raise _Said(text, on_stdout=True) from None


def _parsed(data: bytes) -> Any:
    try:
        return _plists.parsed(data)
    except _plists.Unreadable:
        # From 10.7 on a property list may be JSON, too.
        try:
            return json.loads(data)
        except ValueError:
            raise _plists.Unreadable from None


async def _put(call: Call, wish: Wish, path: str, data: bytes) -> None:
    """Write the result where it was asked for, else over the file; what came from standard input goes out again."""
    target = wish.flags.get("o", path)
    if target == STDIN:
        call.out(data)
        return
    try:
        await _plists.write_bytes(call, posixpath.join(call.cwd, target), data)
    except OSError:
        raise _Said(say("plutil.unwritable", call.mac.version_tuple, path=target)) from None


def _written(call: Call, value: Any, kind: str, readable: bool, path: str) -> bytes:
    version = call.mac.version_tuple
    if kind == "json":
        if not isinstance(value, dict | list):
            raise _Said(say("plutil.no_json", version, path=_named(path)))
        try:
            text = json.dumps(value, ensure_ascii=False, indent=2 if readable else None, sort_keys=readable)
        except TypeError:
            raise _Said(say("plutil.no_json", version, path=_named(path))) from None
        if not readable:
            text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return text.replace("/", "\\/").encode() + (b"\n" if readable else b"")
    if kind not in FORMATS:
        raise _Said(say("plutil.format", version, kind=kind))
    return plistlib.dumps(value, fmt=FORMATS[kind], sort_keys=False)


async def _extract(call: Call, wish: Wish, path: str, value: Any) -> None:
    version = call.mac.version_tuple
    key = wish.words[0]
    kind = wish.words[1] if wish.command == "extract" else "type"
    if version < RAW_FROM and (kind in ("raw", "type") or "expect" in wish.flags):
        raise _Said(say("plutil.format", version, kind=kind))
    try:
        found = _plists.at(value, _keys(key))
    except _plists.Missing:
        raise _Said(say("plutil.no_value", version, path=_named(path), key=key)) from None
    own = _plists.kind_of(found)
    if wish.flags.get("expect", own) != own:
        wanted = wish.flags["expect"]
        raise _Said(say("plutil.expected", version, path=_named(path), key=key, wanted=wanted, kind=own))
    if kind in ("raw", "type"):
        text = own if kind == "type" else raw(found)
        data = (text + ("" if "n" in wish.flags else "\n")).encode("utf-8", "surrogateescape")
        await _put(call, Wish(flags={"o": STDIN, **wish.flags}), path, data)
        return
    await _put(call, wish, path, _written(call, found, kind, "r" in wish.flags, path))


def _keys(path: str) -> list[str]:
    """Return the keys of a key path; a point behind a backslash belongs to its key."""
    marked = path.replace("\\.", "\0")
    return [key.replace("\0", ".") for key in marked.split(".") if key]


def _changed(call: Call, wish: Wish, path: str, value: Any) -> None:
    key, keys = wish.words[0], _keys(wish.words[0])
    try:
        if wish.command == "remove":
            _plists.take(value, keys)
            return
        new = _new(wish.words[1].removeprefix("-"), wish.words[2])
        inside = _plists.at(value, keys[:-1])
        if wish.command == "insert" and isinstance(inside, dict) and keys[-1] in inside:
            raise _plists.Missing
        _plists.put(value, keys, new, insert=wish.command == "insert")
    except _plists.Missing:
        raise _Said(say("plutil.not_set", call.mac.version_tuple, path=_named(path), key=key)) from None


def _new(kind: str, text: str) -> Any:
    try:
        if kind == "json":
            return json.loads(text)
        if kind == "xml":
            return plists.loads(text)
        if kind in VALUES:
            return _plists.made(VALUES[kind], text)
    except (ValueError, _plists.WrongValue):
        raise _Refuse from None
    raise _Refuse


def raw(value: Any) -> str:
    """Return a value as `-extract KEY raw` has it (plutil(1))."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return str(len(value))
    if isinstance(value, dict):
        return "\n".join(sorted(value))
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime.datetime):
        return _plists.iso(value)
    return f"{value:f}" if isinstance(value, float) else str(value)


def _printed(value: Any, version: Version, margin: str = "") -> str:
    inner = margin + "  "
    if isinstance(value, dict):
        lines = [f'{inner}"{key}" => {_printed(value[key], version, inner)}\n' for key in sorted(value)]
        return f"{{\n{''.join(lines)}{margin}}}"
    if isinstance(value, list):
        lines = [f"{inner}{index} => {_printed(one, version, inner)}\n" for index, one in enumerate(value)]
        return f"[\n{''.join(lines)}{margin}]"
    if isinstance(value, bool):
        return say("plutil.true" if value else "plutil.false", version)
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, bytes):
        return plists.data_description(value)
    if isinstance(value, datetime.datetime):
        return _plists.long_date(value)
    return f"{value:g}" if isinstance(value, float) else str(value)
