# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be dscl: read and write records of the local node, and find people of the directory that the Mac is bound to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from maclab import directory, network, plists, records, rules
from maclab.call import Call
from maclab.directory import Outcome, Verdict
from maclab.records import Attributes, Record, full_key, shown_key
from maclab.state import Account, Group
from maclab.texts import say

STATUS_NAMES = {
    -14009: "eDSUnknownNodeName",
    -14090: "eDSAuthFailed",
    -14120: "eDSPermissionError",
    -14134: "eDSAttributeNotFound",
    -14135: "eDSRecordAlreadyExists",
    -14136: "eDSRecordNotFound",
    -14165: "eDSAuthPasswordQualityCheckFailed",
    -14167: "eDSAuthAccountDisabled",
}
NOT_A_NODE, AUTH_FAILED, DENIED, NO_ATTRIBUTE = -14009, -14090, -14120, -14134
EXISTS, NO_RECORD, BAD_QUALITY, DISABLED = -14135, -14136, -14165, -14167
DATASOURCES = {".", "/Local/Default", "localhost", "/Search"}
NODE = "/Local/Default"
SEARCH = "/Search"
NAME_COLUMN = 24


@dataclass
class Session:
    """The options of one run, and where an interactive one has gone."""

    call: Call
    plist: bool = False
    raw: bool = False
    quiet: bool = False
    node: str = "."
    folder: str = "/"

    def say(self, key: str, /, **values: object) -> str:
        return say(f"dscl.{key}", self.call.mac.version_tuple, **values)


@dataclass
class Path:
    """A path of the node: a kind of record, and a record's name."""

    kind: str = ""
    name: str = ""
    valid: bool = True


async def main(call: Call) -> int:
    session = Session(call)
    words = _options(session, list(call.argv))
    if words is None or not words:
        call.err(session.say("usage"))
        return 0 if words is None else 64
    session.node, rest = words[0], words[1:]
    if session.node not in DATASOURCES and not _is_directory(session):
        call.err(session.say("no_source", node=session.node))
        return _exit_status(NOT_A_NODE)
    if not rest:
        await _interactive(session)
        return 0
    status = await _command(session, rest)
    return _exit_status(status)


def _options(session: Session, words: list[str]) -> list[str] | None:
    while words and words[0].startswith("-"):
        option = words.pop(0)
        if option in ("-u", "-P", "-f"):
            words[:1] = []
        elif option == "-plist":
            session.plist = True
        elif option == "-raw":
            session.raw = True
        elif option == "-q":
            session.quiet = True
        elif option == "-help":
            return None
    return words


def _exit_status(status: int) -> int:
    return -status & 0xFF


def _fail(session: Session, status: int, what: str = "") -> int:
    name = STATUS_NAMES[status]
    if what:
        session.call.err(session.say("status", what=what, name=name))
    session.call.err(session.say("error", code=status, name=name))
    return status


# --- interactive ----------------------------------------------------------------------------------


async def _interactive(session: Session) -> None:
    call = session.call
    if not session.quiet:
        call.out(session.say("enter"))
    while True:
        if not session.quiet:
            call.out(session.say("prompt", path=session.folder))
        line = await call.read_stdin_line()
        words = _split(line) if line is not None else ["quit"]
        if words and words[0] in ("quit", "exit", "q"):
            break
        if words:
            await _interactive_command(session, words)
    if not session.quiet:
        call.out(session.say("goodbye"))


async def _interactive_command(session: Session, words: list[str]) -> None:
    if words[0] == "cd":
        session.folder = _join(session, words[1] if len(words) > 1 else "/")
    elif words[0] == "pwd":
        session.call.out(session.folder + "\n")
    elif words[0] != "help":
        await _command(session, words)


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


def _join(session: Session, path: str) -> str:
    return path if path.startswith("/") else f"{session.folder.rstrip('/')}/{path}"


def _path(session: Session, text: str) -> Path:
    text = _join(session, text)
    if session.node in ("localhost", "/Search"):
        text = text.removeprefix("/Search").removeprefix(NODE) or "/"
    parts = [part for part in text.split("/") if part]
    if not parts:
        return Path()
    name = "/".join(parts[1:])
    return Path(parts[0], name, valid=parts[0] in records.TYPES)


# --- commands -------------------------------------------------------------------------------------


async def _command(session: Session, words: list[str]) -> int:
    verb = words[0].lstrip("-").lower()
    action = COMMANDS.get(verb)
    if action is None:
        session.call.err(session.say("unknown_command", command=words[0]))
        return 0
    if _is_directory(session) and verb not in (*BY_USER, "read"):
        return _fail(session, DENIED, verb)
    if verb in BY_USER:
        return await action(session, words[1:], Path())
    path = _path(session, words[1] if len(words) > 1 else ".")
    if not path.valid:
        session.call.out(session.say("invalid_path", command=verb))
        return _fail(session, NOT_A_NODE)
    return await action(session, words[2:], path)


def _is_directory(session: Session) -> bool:
    """Tell whether the node is that of the directory, and opens: it does not while the directory is away."""
    bound = session.call.mac.network
    return bool(bound.node) and bound.online and session.node == bound.node


def _found(session: Session, path: Path) -> Record | None:
    """Look where the node says: on the Mac, in the directory, or by the search path in one after the other."""
    here = None if _is_directory(session) else _record(session, path)
    if here is not None or path.kind != "Users" or not (session.node == SEARCH or _is_directory(session)):
        return here
    person = network.find(session.call.mac, path.name)
    return None if person is None else records.directory_record(session.call.mac.network.node, person)


def _record(session: Session, path: Path) -> Record | None:
    return records.record(session.call.mac, path.kind, path.name)


async def _read(session: Session, keys: list[str], path: Path) -> int:
    if not path.name:
        return 0
    found = _found(session, path)
    if found is None:
        return _fail(session, NO_RECORD)
    seen = records.visible(found, keys, session.call.is_root)
    if session.call.fault("hash_unreadable") is not None:
        seen.pop(records.SHADOW_DATA, None)
    if session.plist:
        session.call.out(plists.dumps(dict(sorted(seen.items()))))
    else:
        session.call.out(_as_text(session, seen))
        _name_missing(session, keys, seen)
    return 0


async def _read_all(session: Session, keys: list[str], path: Path) -> int:
    found = records.records(session.call.mac, path.kind) if path.kind else []
    seen = [records.visible(each, keys, session.call.is_root) for each in found]
    if session.plist:
        session.call.out(plists.dumps([dict(sorted(each.items())) for each in seen]))
        return 0
    for index, attributes in enumerate(seen):
        session.call.out(("-\n" if index else "") + _as_text(session, attributes))
        _name_missing(session, keys, attributes)
    return 0


def _name_missing(session: Session, keys: list[str], seen: Attributes) -> None:
    for key in keys:
        if full_key(key) not in seen:
            session.call.err(session.say("no_key", key=key))


def _as_text(session: Session, attributes: Attributes) -> str:
    """Write attributes sorted; one value with a blank sends all values of its attribute to lines of their own."""
    lines = []
    for key, values in sorted(attributes.items()):
        name = shown_key(key, session.raw)
        if any(" " in value or "\n" in value for value in values):
            lines += [f"{name}:", *(f" {value.rstrip()}" for value in values)]
        else:
            lines.append(f"{name}: {' '.join(values)}")
    return "".join(f"{line}\n" for line in lines)


async def _read_property(session: Session, words: list[str], path: Path) -> int:
    found = _record(session, path)
    if found is None:
        return _fail(session, NO_RECORD)
    if len(words) < 2:
        return 0
    values = records.visible(found, [words[0]], session.call.is_root).get(full_key(words[0]))
    content = plists.loads(values[0]) if values else {}
    if words[1] not in content:
        session.call.err(session.say("no_key", key=words[1]))
    else:
        session.call.out(f"{words[1]}: {content[words[1]]}\n")
    return 0


async def _list(session: Session, keys: list[str], path: Path) -> int:
    if not path.kind:
        session.call.out("".join(f"{kind}\n" for kind in records.TYPES))
        return 0
    found = records.records(session.call.mac, path.kind)
    if not keys:
        session.call.out("".join(f"{each.name}\n" for each in found))
        return 0
    width = max([NAME_COLUMN, *(len(each.name) for each in found)])
    for each in found:
        values = records.visible(each, [keys[0]], session.call.is_root).get(full_key(keys[0]))
        if values:
            session.call.out(f"{each.name:<{width}} {' '.join(values)}\n")
    return 0


async def _search(session: Session, words: list[str], path: Path) -> int:
    if len(words) < 2:
        return 0
    key, value = words[0], words[1]
    for each in records.records(session.call.mac, path.kind):
        values = records.visible(each, [key], session.call.is_root).get(full_key(key), [])
        if value in values:
            inner = "\n" + ",\n".join(f"    {_quoted(one)}" for one in values) + "\n"
            session.call.out(session.say("search_row", name=each.name, key=key, values=inner))
    return 0


def _quoted(value: str) -> str:
    plain = value and all(letter.isalnum() or letter in "_./" for letter in value)
    return value if plain else f'"{value}"'


# --- writing --------------------------------------------------------------------------------------


async def _create(session: Session, words: list[str], path: Path) -> int:
    if not session.call.is_root:
        return _fail(session, DENIED, "attribute" if words else "create")
    if _record(session, path) is None and not _make_record(session, path):
        return _fail(session, DENIED, "create")
    session.call.wrote(f"record {path.kind}/{path.name} written")
    status = await _put(session, path, words[0], words[1:]) if words else 0
    await session.call.commit()
    return status


def _make_record(session: Session, path: Path) -> bool:
    """Add a record with nothing but a name and a GeneratedUID, as the directory does."""
    mac = session.call.mac
    if path.kind == "Users" and path.name:
        account = directory.new_account(mac, path.name, path.name, uid=records.UNSET, gid=records.UNSET)
        account.shell = account.home = account.full_name = ""
        return True
    if path.kind == "Groups" and path.name:
        mac.groups[path.name] = Group(name=path.name, gid=-2, generated_uid=directory.new_guid())
        return True
    return False


async def _put(session: Session, path: Path, key: str, values: list[str]) -> int:
    if _uid_is_taken(session, path, key, values):
        return _fail(session, EXISTS, "attribute")
    found = _record(session, path)
    if found is not None:
        found.put(full_key(key), values)
    return 0


def _uid_is_taken(session: Session, path: Path, key: str, values: list[str]) -> bool:
    mac = session.call.mac
    if path.kind != "Users" or full_key(key) != records.STANDARD + "UniqueID":
        return False
    if rules.DUPLICATE_UNIQUE_ID.at(mac.version_tuple):
        return False
    return any(str(other.uid) in values and other.name != path.name for other in mac.accounts.values())


async def _edit(session: Session, words: list[str], path: Path, change: Callable[[list[str]], list[str] | None]) -> int:
    found = _record(session, path)
    if found is None:
        return _fail(session, NO_RECORD)
    if not session.call.is_root:
        return _fail(session, DENIED, "attribute")
    if not words:
        return 0
    changed = change(list(found.attributes.get(full_key(words[0]), [])))
    if changed is None:
        return _fail(session, NO_ATTRIBUTE, "attribute")
    session.call.wrote(f"record {path.kind}/{path.name} written")
    status = await _put(session, path, words[0], changed)
    await session.call.commit()
    return status


async def _append(session: Session, words: list[str], path: Path) -> int:
    return await _edit(session, words, path, lambda old: old + words[1:])


async def _merge(session: Session, words: list[str], path: Path) -> int:
    return await _edit(session, words, path, lambda old: old + [new for new in words[1:] if new not in old])


async def _change(session: Session, words: list[str], path: Path) -> int:
    if len(words) < 3:
        return 0

    def swap(old: list[str]) -> list[str] | None:
        return [words[2] if value == words[1] else value for value in old] if words[1] in old else None

    return await _edit(session, words, path, swap)


async def _delete(session: Session, words: list[str], path: Path) -> int:
    if not words:
        return await _delete_record(session, path)

    def drop(old: list[str]) -> list[str] | None:
        if not old or any(value not in old for value in words[1:]):
            return None
        return [value for value in old if value not in words[1:]] if words[1:] else []

    return await _edit(session, words, path, drop)


async def _delete_record(session: Session, path: Path) -> int:
    call = session.call
    if _record(session, path) is None:
        return _fail(session, NO_RECORD)
    if not call.is_root or call.fault("no_full_disk_access") is not None or path.kind == "Config":
        return _fail(session, DENIED, "delete")
    if path.kind == "Users":
        leaves = directory.dscl_leaves_crypto_user(call.mac)
        directory.delete_account(call.mac, call.mac.accounts[path.name], keep_crypto_user=leaves)
    else:
        del call.mac.groups[path.name]
    call.wrote(f"record {path.kind}/{path.name} deleted")
    await call.commit()
    return 0


# --- passwords ------------------------------------------------------------------------------------


async def _auth_only(session: Session, words: list[str], path: Path) -> int:
    call = session.call
    if not words:
        return 0
    password = words[1] if len(words) > 1 else await call.getpass(session.say("prompt_password")) or ""
    anywhere = session.node == SEARCH or _is_directory(session)
    verify = directory.authenticate_anywhere if anywhere else directory.authenticate
    verdict = verify(call.mac, words[0], password)
    call.authenticated(words[0], bool(verdict))
    await call.commit()
    if verdict:
        return 0
    return _authentication_failed(session, _status_of(verdict))


def _status_of(verdict: Verdict) -> int:
    return {Verdict.DISABLED: DISABLED, Verdict.UNKNOWN: NO_RECORD}.get(verdict, AUTH_FAILED)


def _authentication_failed(session: Session, status: int) -> int:
    name = STATUS_NAMES[status]
    session.call.out(session.say("auth_failed", node=NODE, code=status, name=name))
    return _fail(session, status)


async def _passwd(session: Session, words: list[str], path: Path) -> int:
    call = session.call
    account = directory.find(call.mac, path.name) if path.kind == "Users" else None
    if account is None:
        return _fail(session, NO_RECORD)
    given = words[-1] if words else await call.getpass(session.say("prompt_new"))
    new = given or ""
    if len(words) > 1:
        return await _with_old(session, account, words[0], new, prompted=False)
    if not call.is_root or _asks_root(session, account):
        old = await call.getpass(session.say("prompt_old"))
        return await _with_old(session, account, old or "", new, prompted=True)
    if directory.policy_refuses(call.mac, new):
        return _fail(session, BAD_QUALITY, "passwd")
    directory.set_password(call.mac, account, new, rewrap=False)
    call.wrote("password set")
    await call.commit()
    return 0


def _asks_root(session: Session, account: Account) -> bool:
    rule = rules.ROOT_PASSWD_ON_HOLDER.at(session.call.mac.version_tuple)
    return directory.has_key(session.call.mac, account) and rule == "asks_old"


async def _with_old(session: Session, account: Account, old: str, new: str, prompted: bool) -> int:
    outcome = directory.change_password(session.call.mac, account, old, new)
    session.call.authenticated(account.name, outcome is not Outcome.USER_PASSWORD_WRONG)
    if outcome:
        session.call.wrote("password changed")
    await session.call.commit()
    if outcome is Outcome.USER_PASSWORD_WRONG:
        return _fail(session, AUTH_FAILED) if prompted else _authentication_failed(session, AUTH_FAILED)
    return 0 if outcome else _fail(session, BAD_QUALITY, "passwd")


Action = Callable[[Session, list[str], Path], Awaitable[int]]
COMMANDS: dict[str, Action] = {
    "read": _read,
    "readall": _read_all,
    "readpl": _read_property,
    "list": _list,
    "ls": _list,
    "search": _search,
    "create": _create,
    "append": _append,
    "merge": _merge,
    "change": _change,
    "delete": _delete,
    "rm": _delete,
    "authonly": _auth_only,
    "auth": _auth_only,
    "passwd": _passwd,
}
BY_USER = {"authonly", "auth"}
