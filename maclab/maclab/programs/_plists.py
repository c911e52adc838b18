# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read and write the property lists of a Mac, and their values: for defaults, PlistBuddy and plutil alike."""

from __future__ import annotations

import base64
import binascii
import datetime
import plistlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any
from xml.parsers.expat import ExpatError

from maclab import state_files, vault
from maclab.call import Call
from maclab.state import ModelFile

STDIN = "/dev/stdin"
XML, BINARY = plistlib.FMT_XML, plistlib.FMT_BINARY
# Only root writes there.
_OF_ROOT = ("/Library/", "/System/", "/private/", "/var/", "/etc/", "/usr/", "/bin/")
_FOR_ALL = ("/private/tmp/", "/private/var/tmp/", "/private/var/folders/", "/var/tmp/", "/var/folders/")


class Unreadable(Exception):
    """The file is there, and no property list or not for the caller."""


class Missing(Exception):
    """There is no such file, or nothing at that place in it."""


class WrongValue(Exception):
    """A text that is no value of the type; its name as Apple's programs have it."""


# --- files ----------------------------------------------------------------------------------------


async def read(call: Call, path: str) -> Any:
    """Return the value in a file of the Mac; Missing or Unreadable where there is none."""
    return parsed(await content(call, path))


async def content(call: Call, path: str) -> bytes:
    if path == STDIN:
        return await call.read_stdin_all()
    known = state_files.preferences(call.mac).get(path)
    if known is not None:
        return plistlib.dumps(known)
    held = call.mac.files.get(vault.normal(path))
    if held is not None:
        if held.owner == 0 and not held.mode & 0o004 and not call.is_root:
            raise Unreadable
        return held.content.encode("utf-8", "surrogateescape")
    place = call.place(path)
    settings = state_files.settings(call.mac, path)
    if settings:
        rest = parsed(place.read_bytes()) if place.exists() else {}
        return plistlib.dumps({**rest, **settings}, fmt=BINARY)
    try:
        return place.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise Missing from None
    except OSError:
        raise Unreadable from None


def parsed(data: bytes) -> Any:
    try:
        return plistlib.loads(data)
    except (plistlib.InvalidFileException, ExpatError, ValueError, KeyError, IndexError, TypeError, OverflowError):
        raise Unreadable from None


def format_of(data: bytes) -> plistlib.PlistFormat:
    return BINARY if data.startswith(b"bplist") else XML


async def write(call: Call, path: str, value: Any, form: plistlib.PlistFormat) -> None:
    """Write a file of the Mac; PermissionError where macOS lets the caller not."""
    await write_bytes(call, path, plistlib.dumps(value, fmt=form, sort_keys=False))


async def remove(call: Call, path: str) -> None:
    if not may_write(call, path):
        raise PermissionError(path)
    state_files.take_settings(call.mac, path, {})
    call.mac.files.pop(vault.normal(path), None)
    call.place(path).unlink(missing_ok=True)
    call.wrote(f"file {path} removed")
    await call.commit()


async def write_bytes(call: Call, path: str, data: bytes) -> None:
    if not may_write(call, path):
        raise PermissionError(path)
    if path in state_files.SETTINGS:
        data = plistlib.dumps(state_files.take_settings(call.mac, path, parsed(data)), fmt=format_of(data))
    held = call.mac.files.get(vault.normal(path))
    if held is not None:
        call.mac.files[vault.normal(path)] = ModelFile(data.decode("utf-8", "surrogateescape"), held.changed_at)
    else:
        place = call.place(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    call.wrote(f"file {path} written")
    await call.commit()


def may_write(call: Call, path: str) -> bool:
    if path.startswith("/System/") or path in state_files.preferences(call.mac):
        return False
    return call.is_root or not path.startswith(_OF_ROOT) or path.startswith(_FOR_ALL)


# --- values ---------------------------------------------------------------------------------------


def at(value: Any, keys: Sequence[str]) -> Any:
    """Return what is at a place; Missing where nothing is."""
    for key in keys:
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif isinstance(value, list) and key.isdigit() and int(key) < len(value):
            value = value[int(key)]
        else:
            raise Missing
    return value


def put(value: Any, keys: Sequence[str], new: Any, insert: bool = False) -> None:
    """Put a value at a place, into an array before what is there; Missing where there is no such array or mapping."""
    inside, key = at(value, keys[:-1]), keys[-1]
    if isinstance(inside, dict):
        inside[key] = new
    elif isinstance(inside, list) and key.isdigit() and int(key) < len(inside) and not insert:
        inside[int(key)] = new
    elif isinstance(inside, list) and (key.isdigit() or not key):
        inside.insert(int(key) if key else len(inside), new)
    else:
        raise Missing


def take(value: Any, keys: Sequence[str]) -> None:
    at(value, keys)
    inside = at(value, keys[:-1])
    del inside[int(keys[-1]) if isinstance(inside, list) else keys[-1]]


def _boolean(text: str) -> bool:
    known = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if text.lower() not in known:
        raise ValueError(text)
    return known[text.lower()]


def _date(text: str) -> datetime.datetime:
    for form in ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S +0000", "%Y-%m-%d %H:%M:%S %z"):
        with suppress(ValueError):
            return datetime.datetime.strptime(text, form).replace(tzinfo=None)
    raise ValueError(text)


_MADE: dict[str, Callable[[str], Any]] = {
    "string": str,
    "integer": int,
    "real": float,
    "bool": _boolean,
    "date": _date,
    "hex": bytes.fromhex,
    "base64": lambda text: base64.b64decode(text, validate=True),
}


def made(kind: str, text: str) -> Any:
    """Return the value of that type that a text is: string, integer, real, bool, date, hex or base64."""
    try:
        return _MADE[kind](text)
    except (ValueError, binascii.Error):
        raise WrongValue(kind.capitalize()) from None


def kind_of(value: Any) -> str:
    """Return the type's name as plutil has it."""
    if isinstance(value, bool):
        return "bool"
    kinds = {str: "string", int: "integer", float: "float", bytes: "data", list: "array", dict: "dictionary"}
    return kinds.get(type(value), "date")


def iso(value: datetime.datetime) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ")


def long_date(value: datetime.datetime) -> str:
    return value.strftime("%Y-%m-%d %H:%M:%S +0000")
