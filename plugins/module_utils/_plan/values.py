# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which names of accounts macOS's tools can be given, and which numbers an option may have. Pure.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import MISSING, fields

from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal

if t.TYPE_CHECKING:
    from collections.abc import Mapping

_DAY = 86400

LIMITS: Mapping[str, range] = {
    "timeout": range(1, 7 * _DAY + 1),
    "lock_timeout": range(7 * _DAY + 1),
    "reboot_timeout": range(1, _DAY + 1),
    "install_timeout": range(1, _DAY + 1),
    "wait": range(7 * _DAY + 1),
    "force_at_login": range(-1, 10000),
    "max_age_days": range(36501),
    "length": range(12, 129),
    "uid": range(2**31),
    "gid": range(2**31),
    "battery": range(1, 101),
}
"""Option -> the numbers that it may have, the same in every module that has it."""

NAMES = frozenset({"name", "user", "admin_user"})
"""The options that name an account."""

_BYTES = 244
"""macOS fails above (transcript adduser-name-too-long)."""

_WRONG_VALUES = frozenset('/\\:*?[]<>|;&()"`')
"""What a path, a pattern or a shell takes for its own. The rest works, and is seen in the field: dots and at signs
("John.Doe@pretendco.com", erase-install), apostrophes and blanks of directories."""


def within(options: Mapping[str, t.Any], before: str = "") -> None:
    """Raise :class:`Refusal` for a number outside of its option's limits. None: not given. ``before``: the option that
    these are in."""
    for option, limits in LIMITS.items():
        value = options.get(option)
        if value is not None and value not in limits:
            msg = f"{before}{option} is {shortened(value)}, and must be {limits[0]} to {limits[-1]}"
            raise Refusal("value_unusable", msg)


def usable_name(option: str, name: str) -> None:
    """Raise :class:`Refusal` for a name that no option of macOS's tools could carry: sysadminctl has no ``--``, dscl's
    paths are split at ``/``, and ``..`` would be another user's home folder."""
    problem = _problem(name)
    if problem:
        raise Refusal("name_unusable", f"{option} {shortened(name)!r} {problem}")


def usable_names(request: t.Any) -> None:
    """Raise :class:`Refusal` for any name in a request that is unusable, also where the plan would not need it."""
    for field in fields(request):
        value = getattr(request, field.name)
        if field.name in NAMES and (value or field.default is MISSING):
            usable_name(field.name, value)
        elif field.name == "additional_users":
            for index, name in enumerate(value):
                usable_name(f"additional_users[{index}].name", name)


def shortened(value: object) -> str:
    """Return a value as a message tells it: it may be of any length."""
    # Python itself refuses to write a number of thousands of digits.
    text = "of more than 60 digits" if isinstance(value, int) and value.bit_length() > 199 else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _problem(name: str) -> str:
    if not name:
        return "is empty"
    if name != name.strip():
        return "begins or ends with a blank"
    if name.startswith("-"):
        return "begins with '-', which macOS's tools take for an option"
    if name.startswith("~") or not name.strip("."):
        return "names a folder, not an account"
    wrong = next((char for char in name if char in _WRONG_VALUES or not char.isprintable()), "")
    if wrong:
        return f"holds {wrong!a}, which macOS's tools do not take in a name"
    size = len(name.encode("utf-8"))
    return f"has {size} bytes, and macOS fails above {_BYTES}" if size > _BYTES else ""
