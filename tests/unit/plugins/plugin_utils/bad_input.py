# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that no option may have: made for every option of every module from what the module itself says it takes."""

from __future__ import annotations

import datetime
import importlib
import typing as t
from dataclasses import dataclass

from ansible_collections.keyholder.macos.plugins.action import filevault_unlock, managed_password

MODULES = (
    "account account_password bootstrap_token filevault filevault_reboot filevault_recovery_key filevault_unlock "
    "filevault_user local_account macos_upgrade managed_password mobile_account offboard parked_holder repair "
    "secure_token ssh_access trust_info"
).split()

ON_THE_CONTROLLER: dict[str, t.Any] = {"filevault_unlock": filevault_unlock, "managed_password": managed_password}
"""The modules whose options their actions know."""

MARK = "47114711"
"""A part of every bad value that stands for a secret: it must be seen nowhere."""

HASH = "$6$saltsalt$" + MARK + "c" * 78

GOOD: dict[str, dict[str, t.Any]] = {
    "account": {"name": "ana"},
    "account_password": {"name": "ana", "password": "right-1"},
    "filevault": {"state": "enabled", "user": "ana", "password": "right-1"},
    "filevault_unlock": {"user": "ana", "password": "right-1"},
    "filevault_user": {"user": "ana", "password": "right-1"},
    "managed_password": {"name": "ana", "store": {"kind": "command", "read": ["store-read"], "write": ["store-write"]}},
    "local_account": {"name": "ana"},
    "mobile_account": {"name": "ana"},
    "offboard": {"name": "ana"},
    "parked_holder": {"name": "ana"},
    "repair": {"user": "ana"},
    "secure_token": {"user": "ana", "password": "right-1"},
    "ssh_access": {"name": "ana"},
}
"""What each module takes; one of it is made bad."""

NO_TEXT: dict[str, t.Any] = {
    "number": 47114711,
    "fraction": 4711.4711,
    "true": True,
    "list": ["a", MARK],
    "dictionary": {"value": MARK},
    "date": datetime.date(2026, 1, 2),
    "time": datetime.datetime(2026, 1, 2, 3, 4),
    "bytes": MARK.encode(),
    "set": frozenset({MARK}),
}

NO_NAME = {
    "this folder": ".",
    "the folder above": "..",
    "dots": "...",
    "blank before": " ana",
    "blank after": "ana ",
    "blank": " ",
    "line break": "an\na",
    "line break after": "ana\n",
    "tab": "an\ta",
    "NUL": "an\0a",
    "escape": "an\x1b[2Ja",
    "CSI": "an\x9b2Ja",
    "other direction": "an\u202ea",
    "isolate": "an\u2066a",
    "no width": "an\u200ba",
    "byte order": "\ufeffana",
    "no-break blank": "an\xa0a",
    "line separator": "an\u2028a",
    "wildcard": "*",
    "wildcard inside": "an*a",
    "one letter": "?na",
    "one of": "[a]na",
    "home": "~",
    "home of": "~ana",
    "option": "-x",
    "long option": "--all",
    "a path": "ana/bob",
    "a path up": "../ana",
    "backslash": "CORP\\ana",
    "colon": "ana:bob",
    "command": "ana;reboot",
    "pipe": "ana|sh",
    "backtick": "`id`",
    "substitution": "$(id)",
    "redirection": "ana>x",
    "quote": 'an"a',
    "surrogate": "an\ud800a",
    "too long": "n" * 245,
    "too long in bytes": "ü" * 123,
}

NO_NUMBER: dict[str, t.Any] = {
    "text": "many",
    "empty": "",
    "fraction": 5.7,
    "fraction in text": "5.7",
    "true": True,
    "list": [5],
    "dictionary": {"value": 5},
    "date": datetime.date(2026, 1, 2),
    "not a number": float("nan"),
    "infinite": float("inf"),
    "beyond": 10**30,
    "far beyond": 10**5000,
    "far below": -(10**30),
    "text of a number beyond": "1" + "0" * 30,
}

NO_BOOLEAN: dict[str, t.Any] = {
    "text": MARK,
    "number": 47114711,
    "list": [True],
    "dictionary": {"value": True},
    "date": datetime.date(2026, 1, 2),
}

NO_CHOICE: dict[str, t.Any] = {
    "text": "nothing of the kind",
    **{key: NO_TEXT[key] for key in ("number", "true", "list")},
}

NO_LIST: dict[str, t.Any] = {
    key: NO_TEXT[key] for key in ("number", "fraction", "true", "dictionary", "date", "bytes", "set")
}

LINES = {"line break": "a\nb", "escape": "a\x1b[2J", "CSI": "a\x9b2J", "other direction": "a\u202eb"}
"""What no field of an account's record may hold, and no path."""

NOWHERE = {"NUL": "a\0b", "half a character": "a\ud800"}
TOO_LONG = {"too long": "n" * 4096, "too long in bytes": "ü" * 2048}
"""What no text may hold."""


@dataclass(frozen=True)
class Bad:
    """``options``, of which one is bad; ``reasons``: what is right to say of it; ``early``: found on the controller."""

    title: str
    module: str
    options: dict[str, t.Any]
    reasons: tuple[str, ...]
    early: bool = True


def spec_of(module: str) -> dict[str, t.Any]:
    """Return what the module takes, as it says itself."""
    if module in ON_THE_CONTROLLER:
        return dict(ON_THE_CONTROLLER[module].ActionModule.SPEC)
    return dict(importlib.import_module(f"ansible_collections.keyholder.macos.plugins.modules.{module}").SPEC)


def table() -> list[Bad]:
    """Return every bad value of every option."""
    return [bad for module in MODULES for bad in _of_module(module)]


def _of_module(module: str) -> t.Iterator[Bad]:
    good = GOOD.get(module, {})
    for option, entry in spec_of(module).items():
        for title, value, reasons, early in _of_option(option, entry, good.get(option, {})):
            yield Bad(f"{module} {option} {title}", module, {**good, option: value}, reasons, early)
        if entry.get("required"):
            rest = {key: value for key, value in good.items() if key != option}
            yield Bad(f"{module} {option} missing", module, rest, ("option_missing",))
    yield Bad(f"{module} misspelt", module, {**good, "pasword": MARK}, ("option_unknown",))


Value = tuple[str, t.Any, tuple[str, ...], bool]


def _of_option(option: str, entry: dict[str, t.Any], good: t.Any = None) -> t.Iterator[Value]:
    kind = entry.get("type", "str")
    unusable = ("value_unusable",)
    if kind == "dict":
        yield from _all({key: NO_TEXT[key] for key in ("number", "true", "list", "date")}, unusable)
        yield from _inside(entry.get("options", {}), lambda value: {**(good or {}), **value})
    elif kind == "list" and entry.get("elements") == "dict":
        yield from _all({"text": "ana", **NO_LIST}, unusable)
        yield from _inside(entry["options"], lambda value: [{"name": "bob", "password": "right-2", **value}])
    elif kind == "list":
        yield from _all(NO_LIST, unusable)
        wrong = NO_CHOICE if entry.get("choices") else NO_TEXT
        reasons = unusable if entry.get("choices") else ("not_text",)
        yield from ((f"of {title}", [value], reasons, True) for title, value in wrong.items())
    elif entry.get("choices"):
        yield from _all(NO_CHOICE, unusable)
    elif kind == "bool":
        yield from _all(NO_BOOLEAN, unusable)
    elif kind == "int":
        yield from _all(NO_NUMBER, unusable)
    elif kind == "raw":
        # A version, which is a number where somebody has left out the quotes.
        wrong = {title: value for title, value in NO_TEXT.items() if title not in ("number", "fraction")}
        yield from _all({"no version": "Tahoe", "NUL": "26\0", **wrong}, unusable)
    else:
        yield from _all(NO_TEXT, ("not_text",))
        if entry.get("no_log"):
            yield from ((title, MARK + text, ("password_unusable",), True) for title, text in NOWHERE.items())
            if option not in ("old_password", "current_password", "key_password"):
                yield "hash", HASH, ("password_is_hash",), True
        elif option in ("name", "user", "admin_user"):
            yield from ((title, name, ("name_unusable",), False) for title, name in NO_NAME.items())
        else:
            wrong = {**NOWHERE, **TOO_LONG}
            yield from ((title, f"/{text}", unusable, True) for title, text in wrong.items())
        if option in ("full_name", "hint", "home", "shell", "picture", "archive"):
            yield from ((title, f"/{text}", unusable, False) for title, text in LINES.items())


def _inside(options: dict[str, t.Any], wrapped: t.Callable[[dict[str, t.Any]], t.Any]) -> t.Iterator[Value]:
    for option, entry in options.items():
        for title, value, reasons, early in _of_option(option, entry):
            yield f"{option} {title}", wrapped({option: value}), reasons, early
    if options:
        yield "misspelt", wrapped({"pasword": MARK}), ("option_unknown",), True


def _all(values: dict[str, t.Any], reasons: tuple[str, ...]) -> t.Iterator[Value]:
    return ((title, value, reasons, True) for title, value in values.items())
