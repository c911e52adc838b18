# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read and change a property list inside an attribute for dscl, by a path of keys with colons between them."""

from __future__ import annotations

import plistlib
from typing import Any

from maclab import plists, records
from maclab.programs._dscl import (
    DENIED,
    EMPTY,
    NO_PLIST_PATH,
    InvalidPath,
    NotModelled,
    Place,
    Session,
    record,
    resolve,
)
from maclab.programs._dscl_write import put
from maclab.records import full_key

NOTHING = object()


async def read(session: Session, words: list[str]) -> int:
    return await read_indexed(session, [words[0], words[1], "0", words[2]])


async def read_indexed(session: Session, words: list[str]) -> int:
    values, content = _content(session, words)
    if content is None:
        return _empty(session, values, words[1])
    found = _walk(content, words[3].split(":"))
    if found is NOTHING:
        session.call.out(session.say("no_plist_path", path=words[3]))
        return session.fail(NO_PLIST_PATH)
    if isinstance(found, dict | list):
        session.call.out(f"{words[3]}:\n{_bare(found)}")
        return 0
    shown = str(int(found)) if isinstance(found, bool) else f"{found:g}" if isinstance(found, float) else str(found)
    blank = "\n " if isinstance(found, str) and " " in found else " "
    session.call.out(f"{words[3]}:{blank}{_number(found, shown)}\n")
    return 0


def _number(found: object, shown: str) -> str:
    """A real number is written with all its digits."""
    return repr(found) if isinstance(found, float) and found != int(found) else shown


def _bare(value: object) -> str:
    """Return a property list without its first and last lines (assumed)."""
    return "".join(plists.dumps(value).splitlines(keepends=True)[3:-1])


async def create(session: Session, words: list[str]) -> int:
    return await create_indexed(session, [words[0], words[1], "0", *words[2:]])


async def create_indexed(session: Session, words: list[str]) -> int:
    values, content = _content(session, words)
    if content is None:
        return _empty(session, values, words[1])
    *way, key = words[3].split(":")
    inside = _walk(content, way) if way else content
    new = words[4] if len(words) == 5 else words[4:]
    if isinstance(inside, dict):
        session.call.out(session.say("changing", what="a dictionary"))
        inside[key] = new
    elif isinstance(inside, list) and key.isdigit() and int(key) <= len(inside):
        session.call.out(session.say("changing", what="an array"))
        inside[int(key) : int(key) + 1] = [new]
    else:
        session.call.out(session.say("no_plist_path", path=words[3]))
        return session.fail(NO_PLIST_PATH)
    return await _store(session, words, values, content)


async def delete(session: Session, words: list[str]) -> int:
    return await delete_indexed(session, [words[0], words[1], "0", *words[2:]])


async def delete_indexed(session: Session, words: list[str]) -> int:
    """Without values the key itself goes; with values these keys, or places of an array, inside it."""
    values, content = _content(session, words)
    if content is None:
        return _empty(session, values, words[1])
    *way, key = words[3].split(":")
    inside, gone = (_walk(content, [*way, key]), words[4:]) if words[4:] else (_walk(content, way), [key])
    if inside is NOTHING:
        session.call.out(session.say("no_plist_path", path=words[3]))
        return session.fail(NO_PLIST_PATH)
    for each in sorted(gone, reverse=True):
        if isinstance(inside, dict):
            inside.pop(each, None)
        elif isinstance(inside, list) and each.isdigit() and int(each) < len(inside):
            del inside[int(each)]
    return await _store(session, words, values, content)


# --- the attribute --------------------------------------------------------------------------------


def _place(session: Session, path: str) -> Place:
    place = resolve(session, path)
    if not place.name:
        raise NotModelled
    return place


def _content(session: Session, words: list[str]) -> tuple[list[str], Any]:
    """Return the attribute's values, and the property list that the n-th is; None for none."""
    found = record(session, _place(session, words[0]))
    if found is None:
        raise InvalidPath
    values = list(records.visible(found, [words[1]], session.call.is_root).get(full_key(words[1]), []))
    index = int(words[2]) if words[2].isdigit() else 0
    try:
        return values, plists.loads(values[index])
    except (IndexError, plistlib.InvalidFileException, ValueError):
        return values, None


def _empty(session: Session, values: list[str], key: str) -> int:
    if values:
        # What is no property list has no path inside; the real program says so of the path.
        session.call.out(session.say("no_plist_path", path=key))
        return session.fail(NO_PLIST_PATH)
    session.call.out(session.say("invalid_key"))
    return session.fail(EMPTY)


def _walk(content: Any, way: list[str]) -> Any:
    for key in way:
        if isinstance(content, dict) and key in content:
            content = content[key]
        elif isinstance(content, list) and key.isdigit() and int(key) < len(content):
            content = content[int(key)]
        else:
            return NOTHING
    return content


async def _store(session: Session, words: list[str], values: list[str], content: Any) -> int:
    if not session.call.is_root:
        return session.fail(DENIED)
    index = int(words[2]) if words[2].isdigit() else 0
    values[index] = plists.dumps(content)
    place = _place(session, words[0])
    session.call.wrote(f"record {place.kind}/{place.name} written")
    status = put(session, place, words[1], values)
    await session.call.commit()
    return status
