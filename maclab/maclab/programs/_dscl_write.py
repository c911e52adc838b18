# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Change records and passwords for dscl; what a command names has to be there, or its path is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from maclab import directory, models, records, rules
from maclab.directory import Outcome, Verdict
from maclab.programs._dscl import (
    AUTH_FAILED,
    BAD_QUALITY,
    DENIED,
    DISABLED,
    EXISTS,
    LOCAL,
    NO_ATTRIBUTE,
    NO_RECORD,
    NO_VALUE,
    SEARCH,
    SERVICES,
    STATUS_NAMES,
    WRONG_TYPE,
    InvalidPath,
    NotModelled,
    Place,
    Session,
    elements,
    is_directory,
    record,
    resolve,
)
from maclab.records import full_key
from maclab.state import Account, Group


def _target(session: Session, path: str) -> Place:
    """Return the record that a path names, which has to be there."""
    place = resolve(session, path)
    if not place.name:
        raise NotModelled
    return place


# --- records --------------------------------------------------------------------------------------


async def create(session: Session, words: list[str]) -> int:
    """Make the record, if it is not there, and put an attribute into it."""
    *parents, name = elements(words[0]) or [""]
    if name in ("", "."):
        raise NotModelled
    kind = resolve(session, ("/" if words[0].startswith("/") else "") + "/".join(parents))
    if not kind.kind or kind.name:
        raise InvalidPath
    place = replace(kind, name=name)
    if not session.call.is_root:
        return session.fail(DENIED, "attribute")
    if record(session, place) is None and not _make_record(session, place):
        return session.fail(DENIED, "attribute")
    session.call.wrote(f"record {place.kind}/{place.name} written")
    status = put(session, place, words[1], words[2:]) if len(words) > 1 else 0
    await session.call.commit()
    return status


def _make_record(session: Session, place: Place) -> bool:
    """Add a record with nothing but a name and a GeneratedUID, as the directory does."""
    mac = session.call.mac
    if place.kind == "Users":
        account = directory.new_account(mac, place.name, place.name, uid=records.UNSET, gid=records.UNSET)
        account.shell = account.home = account.full_name = ""
        return True
    if place.kind == "Groups":
        mac.groups[place.name] = Group(name=place.name, gid=-2, generated_uid=directory.new_guid())
        return True
    return False


def put(session: Session, place: Place, key: str, values: list[str]) -> int:
    if _uid_is_taken(session, place, key, values):
        return session.fail(EXISTS, "attribute")
    found = record(session, place)
    if found is not None:
        found.put(full_key(key), values)
    return 0


def _uid_is_taken(session: Session, place: Place, key: str, values: list[str]) -> bool:
    mac = session.call.mac
    if place.kind != "Users" or full_key(key) != records.STANDARD + "UniqueID":
        return False
    if rules.DUPLICATE_UNIQUE_ID.at(mac.version_tuple):
        return False
    mine = mac.account(place.name)
    return any(str(other.uid) in values and other is not mine for other in mac.accounts.values())


Change = Callable[[list[str]], "list[str] | int"]
"""From the values of an attribute to the new ones, or to the status of a refusal."""


async def _edit(session: Session, words: list[str], change: Change) -> int:
    place = _target(session, words[0])
    found = record(session, place)
    if found is None:
        raise InvalidPath
    if not session.call.is_root:
        return session.fail(DENIED, "attribute")
    changed = change(list(found.attributes.get(full_key(words[1]), [])))
    if isinstance(changed, int):
        return session.fail(changed, "attribute")
    session.call.wrote(f"record {place.kind}/{place.name} written")
    status = put(session, place, words[1], changed)
    await session.call.commit()
    return status


async def append(session: Session, words: list[str]) -> int:
    return await _edit(session, words, lambda old: old + words[2:])


async def merge(session: Session, words: list[str]) -> int:
    return await _edit(session, words, lambda old: old + [new for new in words[2:] if new not in old])


async def change(session: Session, words: list[str]) -> int:
    def swap(old: list[str]) -> list[str] | int:
        if not old:
            return NO_ATTRIBUTE
        swapped = [words[3] if value == words[2] else value for value in old]
        return swapped if words[2] in old else NO_VALUE

    return await _edit(session, words, swap)


async def change_indexed(session: Session, words: list[str]) -> int:
    """Put a value in the place of the n-th one; the first is number 0."""

    def swap(old: list[str]) -> list[str] | int:
        index = int(words[2]) if words[2].isdigit() else 0
        return [*old[:index], words[3], *old[index + 1 :]] if index < len(old) else NO_ATTRIBUTE

    return await _edit(session, words, swap)


async def delete(session: Session, words: list[str]) -> int:
    if len(words) == 1:
        return await _delete_record(session, words[0])

    def drop(old: list[str]) -> list[str] | int:
        if not old or any(value not in old for value in words[2:]):
            return NO_ATTRIBUTE
        return [value for value in old if value not in words[2:]] if words[2:] else []

    return await _edit(session, words, drop)


async def _delete_record(session: Session, path: str) -> int:
    call = session.call
    place = _target(session, path)
    if not call.is_root or call.fault("no_full_disk_access") is not None or place.kind == "Config":
        return session.fail(DENIED, "delete")
    account, group = call.mac.account(place.name), call.mac.group(place.name)
    if place.kind == "Users" and models.brought_by_macos(place.name):
        raise NotModelled
    if place.kind == "Users" and account is not None:
        leaves = directory.dscl_leaves_crypto_user(call.mac)
        directory.delete_account(call.mac, account, keep_crypto_user=leaves)
    elif place.kind == "Groups" and group is not None:
        del call.mac.groups[group.name]
    call.wrote(f"record {place.kind}/{place.name} deleted")
    await call.commit()
    return 0


# --- passwords ------------------------------------------------------------------------------------


async def authenticate(session: Session, words: list[str]) -> int:
    call = session.call
    if session.place.node == SERVICES:
        raise NotModelled
    name = words[0] if words else "root"
    password = words[1] if len(words) > 1 else await call.getpass(session.say("prompt_password")) or ""
    node = session.place.node
    anywhere = node == SEARCH or is_directory(session, session.place)
    verify = directory.authenticate_anywhere if anywhere else directory.authenticate
    verdict = verify(call.mac, name, password)
    call.authenticated(name, bool(verdict))
    await call.commit()
    return 0 if verdict else _authentication_failed(session, _status_of(verdict))


def _status_of(verdict: Verdict) -> int:
    return {Verdict.DISABLED: DISABLED, Verdict.UNKNOWN: NO_RECORD}.get(verdict, AUTH_FAILED)


def _authentication_failed(session: Session, status: int) -> int:
    name = STATUS_NAMES[status]
    session.call.out(session.say("auth_failed", node=LOCAL, code=status, name=name))
    return session.fail(status)


async def passwd(session: Session, words: list[str]) -> int:
    call = session.call
    if not 1 <= len(words) <= 3:
        return session.fail(AUTH_FAILED)
    given = words[-1] if len(words) > 1 else await call.getpass(session.say("prompt_new"))
    new = given or ""
    place = _target(session, words[0])
    account = call.mac.account(place.name) if place.kind == "Users" else None
    if account is None:
        return session.fail(WRONG_TYPE)
    if len(words) == 3:
        return await _with_old(session, account, words[1], new, prompted=False)
    if not call.is_root or _asks_root(session, account):
        old = await call.getpass(session.say("prompt_old"))
        return await _with_old(session, account, old or "", new, prompted=True)
    if directory.policy_refuses(call.mac, new):
        return session.fail(BAD_QUALITY, "passwd")
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
        return session.fail(AUTH_FAILED) if prompted else _authentication_failed(session, AUTH_FAILED)
    return 0 if outcome else session.fail(BAD_QUALITY, "passwd")
