# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check what claims to be a reading, by one table of the kinds of its values. Pure.

A reading may come from a saved report, from another version of this collection, or from a Mac that does not play fair.
What follows of it (rules, tables, pages) relies on the kinds.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t

from ansible_collections.keyholder.macos.plugins.module_utils import _kind
from ansible_collections.keyholder.macos.plugins.module_utils._key_holder import FATES, HOLDERS

_DEEPEST = 12
"""Levels of lists and dictionaries under a key that is not known here."""


class ShapeError(ValueError):
    """Say that it is no reading: where, and what stands there."""


class _Leaf(t.NamedTuple):
    """Hold a kind of value: how it is taken, None for what is another kind; in words; whether it may be unread."""

    taken: t.Callable[[t.Any], t.Any]
    words: str
    unread: bool = False


class _Key(t.NamedTuple):
    """Hold the shape below a key that need not be there: an option asked for it, or an earlier version did not know
    it."""

    shape: t.Any


def _one_of(*choices: str) -> _Leaf:
    return _Leaf(lambda value: value if isinstance(value, str) and value in choices else None, " or ".join(choices))


def _flag(value: t.Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _text_or_none(value: t.Any) -> str | None:
    return value if isinstance(value, str) else None


def _texts_or_none(value: t.Any) -> list[str] | None:
    return value if isinstance(value, list) and all(isinstance(one, str) for one in value) else None


TEXT = _Leaf(_text_or_none, "a text")
MAYBE_TEXT = _Leaf(_text_or_none, "a text", unread=True)
MAYBE_TEXTS = _Leaf(_texts_or_none, "a list of texts", unread=True)
FLAG = _Leaf(_flag, "true or false")
MAYBE_FLAG = _Leaf(_flag, "true or false", unread=True)
MAYBE_COUNT = _Leaf(_kind.count, "a number of things", unread=True)
MAYBE_NUMBER = _Leaf(_kind.whole, "a whole number", unread=True)
MAYBE_MOMENT = _Leaf(_kind.moment, "a number of seconds", unread=True)
TEXTS = [TEXT]

_FACTS = [{"fact": TEXT, "says": _one_of("yes", "no", "unknown"), "why": TEXT}]

SHAPE: dict[str, t.Any] = {
    "os": {"version": TEXT, "build": TEXT},
    "hardware": {"model": TEXT, "apple_silicon": MAYBE_FLAG, "virtual": FLAG},
    "volume": {"device": TEXT, "apfs": MAYBE_FLAG, "sealed_snapshot": MAYBE_FLAG},
    "accounts": [
        {
            "name": TEXT,
            "full_name": _Key(TEXT),
            "uid": _Key(MAYBE_NUMBER),
            "guid": TEXT,
            "kind": _Key(TEXT),
            "admin": FLAG,
            "hidden": _Key(FLAG),
            "secure_token": _one_of("holder", "unproven", "none", "pending", "phantom", "unknown"),
            "sources": {"authority": MAYBE_FLAG, "crypto_user": MAYBE_FLAG, "filevault_list": MAYBE_FLAG},
            "volume_owner": _Key(MAYBE_FLAG),
            "in_preboot": _Key(MAYBE_FLAG),
            "first_token_prevented": _Key(FLAG),
            "password_set": _Key(FLAG),
            "disabled": _Key(FLAG),
            "parked": _Key(MAYBE_FLAG),
            "password_changed": _Key(MAYBE_MOMENT),
            "failed_logins": _Key(MAYBE_COUNT),
            "platform_sso": _Key(FLAG),
            "platform_sso_exempt": _Key(MAYBE_FLAG),
        }
    ],
    "orphaned_crypto_users": TEXTS,
    "filevault": {
        "state": TEXT,
        "percent": MAYBE_MOMENT,
        "deferred_user": TEXT,
        "personal_recovery_key": MAYBE_FLAG,
        "institutional_recovery_key": MAYBE_FLAG,
        "icloud_recovery": _Key(MAYBE_FLAG),
        "recovery_key_escrowed_at": _Key(MAYBE_COUNT),
        "recovery_key_used": _Key(MAYBE_FLAG),
        "recovery_key_holder": _Key(_one_of(*HOLDERS)),
        "stored_recovery_key": _Key(_one_of(*FATES)),
        "recovery_key_evidence": _Key(TEXTS),
    },
    "management": {
        "enrolled": MAYBE_FLAG,
        "automated": MAYBE_FLAG,
        "user_approved": MAYBE_FLAG,
        "server": TEXT,
        "bootstrap_token": TEXT,
        "bootstrap_crypto_user": MAYBE_FLAG,
        "bootstrap_preflight": _Key(MAYBE_FLAG),
    },
    "full_disk_access": _Key(MAYBE_FLAG),
    "recovery_lock": _Key(_one_of("set", "not_set", "unknown")),
    "restart": _Key(
        {
            "comes_back": _one_of("yes", "no", "unknown"),
            "by": TEXT,
            "because": _FACTS,
            "after_power_cut": _one_of("yes", "no", "unknown"),
            "after_power_cut_because": _FACTS,
        }
    ),
    "platform_sso": _Key(
        {
            "configured": MAYBE_FLAG,
            "registered": MAYBE_FLAG,
            "extension": TEXT,
            "method": MAYBE_TEXT,
            "filevault_policy": MAYBE_TEXTS,
            "login_policy": MAYBE_TEXTS,
            "unlock_policy": MAYBE_TEXTS,
            "exempt": MAYBE_TEXTS,
            "offline_hours": MAYBE_COUNT,
            "required_at": TEXTS,
            "web_login_at_filevault": MAYBE_FLAG,
        }
    ),
    "policy": {"rules": TEXTS, "patterns": _Key(TEXTS), "max_failed_logins": MAYBE_NUMBER},
    "holders": TEXTS,
    "admin_holders": TEXTS,
    "granters": TEXTS,
    "waiting_admins": TEXTS,
    "phantoms": TEXTS,
    "recoverable": _one_of("yes", "pending", "at_risk", "no", "unknown"),
    "recoverable_why": TEXT,
    "pending": TEXTS,
    "promoted": _Key(TEXTS),
    "missing": [{"what": TEXT, "evidence": TEXT}],
}
"""What :func:`view` makes, and keyholder.macos.trust_info documents. A key more is no error."""


def conform(reading: t.Any) -> dict[str, t.Any]:
    """Return the reading with each value of the kind that it must be. Raises :class:`ShapeError`.

    What may be unread and is of another kind is None, and ``missing`` says so; anything else that is not as it must be
    is an error, as nothing could be said of such a Mac.
    """
    unread: list[tuple[str, str]] = []
    conforming = _conform(reading, SHAPE, "", unread)
    conforming["missing"] += [
        {"what": where, "evidence": f"it is {words} that it cannot be"} for where, words in unread
    ]
    return t.cast("dict[str, t.Any]", conforming)


def _conform(value: t.Any, shape: t.Any, where: str, unread: list[tuple[str, str]]) -> t.Any:
    if isinstance(shape, _Leaf):
        taken = shape.taken(value)
        if taken is None and value is not None and shape.unread:
            unread.append((where, _kind.words(value)))
        if taken is None and not shape.unread:
            raise ShapeError(f"{where} is {_kind.words(value)}, and must be {shape.words}")
        return taken
    if isinstance(shape, list):
        several = _kind.items(value)
        if several is None:
            raise ShapeError(f"{where} is {_kind.words(value)}, and must be a list")
        return [_conform(one, shape[0], f"{where}[{index}]", unread) for index, one in enumerate(several)]
    entries = _kind.table(value)
    if entries is None:
        raise ShapeError(f"{where or 'the reading'} is {_kind.words(value)}, and must be a dictionary")
    conforming = {}
    for key, below in shape.items():
        path = f"{where}.{key}" if where else key
        needed = not isinstance(below, _Key)
        if key in entries:
            conforming[key] = _conform(entries[key], below if needed else below.shape, path, unread)
        elif needed:
            raise ShapeError(f"{path} is missing")
    for key, one in entries.items():
        if key not in shape:
            conforming[str(key)] = json_data(one, f"{where}.{key}" if where else str(key))
    return conforming


def json_data(value: t.Any, where: str, depth: int = 0) -> t.Any:
    """Return what JSON can hold: texts, finite numbers, true, false, nothing, lists and dictionaries of them. Raises
    :class:`ShapeError`."""
    if value is None or isinstance(value, (str, bool)):
        return value
    if _kind.whole(value) is not None or (isinstance(value, float) and _kind.moment(value) is not None):
        return value
    entries, several = _kind.table(value), _kind.items(value)
    if depth < _DEEPEST and entries is not None:
        return {str(key): json_data(one, f"{where}.{key}", depth + 1) for key, one in entries.items()}
    if depth < _DEEPEST and several is not None:
        return [json_data(one, f"{where}[{index}]", depth + 1) for index, one in enumerate(several)]
    raise ShapeError(f"{where} is {_kind.words(value)}, and cannot be in a reading")
