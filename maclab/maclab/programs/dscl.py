# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be dscl: its options, its commands by all their names, and what they read (dscl.m of Apple's DSTools)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from maclab import plists, records
from maclab.call import UNMODELLED, Call
from maclab.programs import _dscl_plists, _dscl_write
from maclab.programs._dscl import (
    DENIED,
    LOCAL,
    NO_RECORD,
    NOT_A_NODE,
    OTHER_TYPES,
    SEARCH,
    SERVICES,
    InvalidPath,
    NotModelled,
    Place,
    Session,
    all_records,
    children,
    elements,
    is_directory,
    nodes,
    record,
    resolve,
    step,
)
from maclab.records import Attributes, full_key, shown_key

USAGE = 64
UNAVAILABLE = 69
NAME_COLUMN = 24
KNOWN = "users, groups and Config by . /Local/Default localhost /Search and the node of a directory; no -f, -u, -url"
DISPLAYED = {"dsAttributesStandardAll": records.STANDARD, "dsAttributesNativeAll": records.NATIVE}


async def main(call: Call) -> int:
    session = Session(call)
    words = _options(session, list(call.argv))
    if words is None or words[:1] == ["localonly"]:
        return call.refuse(KNOWN)
    if words == ["-help"]:
        # No option of its own: a data source of that name.
        call.err(session.say("usage"))
        return 0
    if not words:
        call.out(session.say("enter"))
    refusal = _open(session, words[0] if words else SERVICES)
    if refusal is not None:
        return refusal
    if len(words) < 2:
        await _interactive(session)
        return 0
    status = await _command(session, words[1:])
    return status if status in (UNMODELLED, USAGE) else -status & 0xFF


def _options(session: Session, words: list[str]) -> list[str] | None:
    """Return the words behind the options; None for one that is not modelled. -p, -u and -P authenticate."""
    while words and words[0].startswith("-") and words[0] != "-help":
        option = words.pop(0)
        if option in ("-u", "-P", "-f", "-p", "-url", "-H", "-t", "-appleversion"):
            return None
        if option == "-plist":
            session.plist = True
        elif option == "-raw":
            session.raw = True
        elif option == "-q":
            session.quiet = True
        else:
            # The real parser takes any other word for the data source.
            return [option, *words]
    return words


def _open(session: Session, source: str) -> int | None:
    """Open the data source; None, or the status with which it does not open."""
    names = {".": LOCAL, "/Search/Contacts": "/Contact"}
    if source.lower() == SERVICES:
        session.root = Place(SERVICES)
    elif names.get(source, source) in nodes(session):
        session.root = Place(names.get(source, source))
    elif source.startswith("/") or source == ".":
        session.call.out(session.say("no_source", node=source))
        return UNAVAILABLE
    else:
        session.call.out(session.say("no_host"))
        return 0
    session.place = session.root
    return None


# --- interactive ----------------------------------------------------------------------------------


async def _interactive(session: Session) -> None:
    call = session.call
    while True:
        if not session.quiet:
            call.out(session.say("prompt", path=session.place.shown))
        line = await call.read_stdin_line()
        words = _split(line) if line is not None else ["quit"]
        if words and words[0] in ("quit", "exit", "q"):
            break
        if words:
            await _command(session, words, interactive=True)
    if not session.quiet:
        call.out(session.say("goodbye"))


def _split(line: str) -> list[str]:
    """Split on blanks; quotes and backslashes keep blanks inside a word."""
    words: list[str] = []
    word, quote, inside, escaped = "", "", False, False
    for letter in line.rstrip("\r\n"):
        if escaped:
            word, inside, escaped = word + letter, True, False
        elif letter == "\\" and quote != "'":
            escaped = True
        elif quote:
            word, quote = (word, "") if letter == quote else (word + letter, quote)
        elif letter in "'\"":
            quote, inside = letter, True
        elif letter in " \t":
            words += [word] if inside else []
            word, inside = "", False
        else:
            word, inside = word + letter, True
    return words + ([word] if inside else [])


async def _go(session: Session, words: list[str]) -> int:
    session.place = resolve(session, words[0])
    return 0


async def _push(session: Session, words: list[str]) -> int:
    there = resolve(session, words[0]) if words else session.stack.pop() if session.stack else session.place
    session.stack.append(session.place)
    session.place = there
    return _show_stack(session)


async def _pop(session: Session, words: list[str]) -> int:
    session.place = session.stack.pop() if session.stack else session.place
    return _show_stack(session)


def _show_stack(session: Session) -> int:
    session.call.out(" ".join(place.shown for place in (session.place, *reversed(session.stack))) + " \n")
    return 0


# --- commands -------------------------------------------------------------------------------------


async def _command(session: Session, words: list[str], interactive: bool = False) -> int:
    """Do a command and return its status: a negative one of the directory, or one of its own."""
    verb = words[0].removeprefix("-")
    known = COMMANDS.get(verb)
    if known is None and verb.startswith("mcx"):
        return session.call.refuse(KNOWN)
    if known is None:
        session.call.err(session.say("usage"))
        return 0
    action, least = known
    if len(words) - 1 < least and not (interactive and len(words) == 1 and least == 1):
        session.call.err(session.say("too_few", command=verb))
        session.call.err(session.say("usage"))
        return USAGE
    try:
        return await action(session, words[1:])
    except InvalidPath:
        session.call.out(session.say("invalid_path", command=verb))
        return session.fail(NOT_A_NODE)
    except NotModelled:
        return session.call.refuse(KNOWN)


async def _help(session: Session, words: list[str]) -> int:
    session.call.err(session.say("usage"))
    return 0


# --- reading --------------------------------------------------------------------------------------


async def _read(session: Session, words: list[str]) -> int:
    path, keys = words[0] if words else ".", words[1:]
    *parents, last = elements(path) or ["."]
    place = resolve(session, ("/" if path.startswith("/") else "") + "/".join(parents))
    if not place.kind or last == ".":
        place = step(session, place, last)
        if not place.name:
            return _read_place(session, place, keys)
    else:
        place = Place(place.node, place.kind, last)
    found = record(session, place)
    if found is None:
        return session.fail(NO_RECORD)
    _print(session, records.visible(found, _expanded(found.attributes, keys), session.call.is_root), keys)
    return 0


def _expanded(attributes: Attributes, keys: list[str]) -> list[str]:
    """Replace the two words that mean all standard and all native attributes."""
    said: list[str] = []
    for key in keys:
        prefix = DISPLAYED.get(key)
        said += [key] if prefix is None else [each for each in attributes if each.startswith(prefix)]
    return said


def _print(session: Session, seen: Attributes, keys: list[str]) -> None:
    if session.call.fault("hash_unreadable") is not None:
        seen.pop(records.SHADOW_DATA, None)
    if session.plist:
        session.call.out(plists.dumps(dict(sorted(seen.items()))))
        return
    session.call.out(as_text(session, seen))
    for key in dict.fromkeys(keys):
        if key not in DISPLAYED and full_key(key) not in seen:
            session.call.err(session.say("no_key", key=key))


def _read_place(session: Session, place: Place, keys: list[str]) -> int:
    """Say what a kind of record is called, or in which order a Mac looks for records."""
    if place.kind:
        session.call.out(f"name: dsRecTypeStandard:{place.kind}\n")
        return 0
    if place.node == SERVICES:
        session.call.out("hostname: localhost\n" if not keys or "hostname" in keys else "")
        return 0
    if place.node != SEARCH or not keys:
        raise NotModelled
    bound = session.call.mac.network.node
    attributes = {
        records.STANDARD + "CSPSearchPath": [LOCAL] + ([bound] if bound else []),
        records.STANDARD + "LSPSearchPath": [LOCAL],
        records.STANDARD + "NSPSearchPath": [LOCAL],
        records.STANDARD + "SearchPath": [LOCAL] + ([bound] if bound else []),
        records.STANDARD + "SearchPolicy": [records.STANDARD + ("CSPSearchPath" if bound else "LSPSearchPath")],
    }
    wanted = {records.STANDARD + key.removeprefix(records.STANDARD) for key in keys}
    _print(session, {key: values for key, values in attributes.items() if key in wanted}, [])
    return 0


async def _read_all(session: Session, words: list[str]) -> int:
    place = resolve(session, words[0]) if words else session.place
    if place.name or not place.kind:
        return 0
    seen = [
        records.visible(each, _expanded(each.attributes, words[1:]), session.call.is_root)
        for each in all_records(session, place)
    ]
    if session.call.fault("hash_unreadable") is not None:
        for attributes in seen:
            attributes.pop(records.SHADOW_DATA, None)
    if session.plist:
        session.call.out(plists.dumps([dict(sorted(each.items())) for each in seen]))
        return 0
    session.call.out("-\n".join(as_text(session, attributes) for attributes in seen))
    return 0


def as_text(session: Session, attributes: Attributes) -> str:
    """Write attributes sorted; one value with a blank sends all values of its attribute to lines of their own."""
    lines = []
    for key, values in sorted(attributes.items(), key=lambda item: item[0].lower()):
        name = shown_key(key, session.raw)
        if any(" " in value or "\n" in value for value in values):
            lines += [f"{name}:", *(f" {value.rstrip()}" for value in values)]
        else:
            lines.append(f"{name}: {' '.join(values)}")
    return "".join(f"{line}\n" for line in lines)


async def _list(session: Session, words: list[str]) -> int:
    place, keys = resolve(session, words[0]) if words else session.place, words[1:]
    if place.name:
        return 0
    if not place.kind:
        return _list_place(session, place)
    found = all_records(session, place)
    if not keys:
        session.call.out("".join(f"{each.name}\n" for each in found))
        return 0
    rows = [(each.name, records.visible(each, [keys[0]], session.call.is_root)) for each in found]
    shown = [(name, seen[full_key(keys[0])]) for name, seen in rows if full_key(keys[0]) in seen]
    width = max([NAME_COLUMN, *(len(name) + 2 for name, values in shown)])
    for name, values in shown:
        session.call.out(f"{name:<{width}} {' '.join(values)}\n")
    return 0


def _list_place(session: Session, place: Place) -> int:
    """List the services and the search paths, the nodes behind a part of a path, or the kinds of records of a node."""
    below = children(session, place.node) if place.node not in nodes(session) else []
    if place.node == SERVICES:
        below += ["", "Search", "Contact"]
    elif place.node in nodes(session):
        below = ["Users"] if is_directory(session, place) else sorted([*records.TYPES, *OTHER_TYPES], key=str.lower)
    session.call.out("".join(f"{each}\n" for each in below))
    return 0


async def _search(session: Session, words: list[str]) -> int:
    place, key, value = resolve(session, words[0]), words[1], words[2]
    if place.name:
        session.call.out(session.say("not_searched"))
        return 0
    for kind in [place.kind] if place.kind else records.TYPES:
        there = Place(place.node, kind)
        for each in all_records(session, there):
            values = records.visible(each, [key], session.call.is_root).get(full_key(key), [])
            if value in values:
                inner = "\n" + ",\n".join(f"    {_quoted(one)}" for one in values) + "\n"
                name = each.name if place.kind else f"{kind}/{each.name}"
                session.call.out(session.say("search_row", name=name, key=shown_key(key), values=inner))
    return 0


def _quoted(value: str) -> str:
    plain = value and all(letter.isalnum() or letter in "_./" for letter in value)
    return value if plain else f'"{value}"'


async def _diff(session: Session, words: list[str]) -> int:
    sides: list[Attributes] = []
    for path in words[:2]:
        found = record(session, resolve(session, path))
        if found is None:
            raise NotModelled
        sides.append(records.visible(found, words[2:], session.call.is_root))
    for key in sorted({*sides[0], *sides[1]}, key=str.lower):
        for mark, side, other in (("- ", sides[0], sides[1]), ("+ ", sides[1], sides[0])):
            if key in side and side[key] != other.get(key):
                session.call.out(mark + as_text(session, {key: side[key]}))
    return 0


Action = Callable[[Session, list[str]], Awaitable[int]]


def _writing(action: Action) -> Action:
    """Nothing is written at a directory from here; what a search path does with a change is not modelled."""

    async def guarded(session: Session, words: list[str]) -> int:
        place = session.root if words[:1] and words[0].startswith("/") else session.place
        target = resolve(session, "/".join(["", *elements(words[0])[:-2]])) if place.node == SERVICES else place
        if is_directory(session, target):
            return session.fail(DENIED, "attribute" if len(words) > 1 else "")
        if target.node != LOCAL:
            raise NotModelled
        return await action(session, words)

    return guarded


# By all names that dscl.m knows, with the number of words that each needs.
COMMANDS: dict[str, tuple[Action, int]] = {
    **dict.fromkeys(("read", "cat", "."), (_read, 1)),
    "readall": (_read_all, 1),
    **dict.fromkeys(("list", "ls"), (_list, 1)),
    "search": (_search, 3),
    "diff": (_diff, 2),
    "readpl": (_dscl_plists.read, 3),
    "readpli": (_dscl_plists.read_indexed, 4),
    "createpl": (_writing(_dscl_plists.create), 4),
    "createpli": (_writing(_dscl_plists.create_indexed), 5),
    "deletepl": (_writing(_dscl_plists.delete), 3),
    "deletepli": (_writing(_dscl_plists.delete_indexed), 4),
    **dict.fromkeys(("create", "createprop", "mk"), (_writing(_dscl_write.create), 1)),
    "append": (_writing(_dscl_write.append), 3),
    "merge": (_writing(_dscl_write.merge), 3),
    "change": (_writing(_dscl_write.change), 4),
    "changei": (_writing(_dscl_write.change_indexed), 4),
    **dict.fromkeys(("delete", "destroy", "destroyprop", "rm"), (_writing(_dscl_write.delete), 1)),
    "passwd": (_writing(_dscl_write.passwd), 0),
    **dict.fromkeys(("auth", "su"), (_dscl_write.authenticate, 1)),
    "authonly": (_dscl_write.authenticate, 1),
    "cd": (_go, 1),
    **dict.fromkeys(("pushd", "pd"), (_push, 0)),
    "popd": (_pop, 0),
    "help": (_help, 0),
}
